// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_guard.c - which probes are refused for a live connection's sake, by real sockets and real
 * connection tracking; and which entries probes are said to have left. For a few probes the kernel
 * is asked about each, for many all is listed once: the answers are the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"
#include "bed.h"
#include "guard/guard.h"
#include "guard/internal.h"
#include "guard/spare.h"
#include "packets.h"
#include "prog.h"
#include "session/session.h"
#include "shell.h"

#define FEW 1
#define MANY 100000

static struct {
	struct fg_host host;
	struct fg_pod pod; /* web */
	struct fg_guard *guard;
	struct fg_packet_spec udp, tcp, icmp;
} bed;

static struct fg_error err;

static int make_node(void **state)
{
	(void)state;
	libbpf_set_print(NULL);
	bed_node();
	bed_pod("web", "10.9.1.2", "fd09:1::2", NULL);
	bed_pod("dst", "10.9.0.9", "fd09::9", "10.9.0.1");
	assert_int_equal(fg_host_open(&bed.host, "", &err), 0);
	assert_int_equal(fg_pod_open(&bed.host, "netns:web", NULL, &bed.pod, &err), 0);
	fg_packet_spec_init(&bed.udp);
	fg_packet_spec_init(&bed.tcp);
	fg_packet_spec_init(&bed.icmp);
	return packets_set(&bed.udp, "proto=udp", &err) ||
	       packets_set(&bed.tcp, "proto=tcp;flags=S", &err) ||
	       packets_set(&bed.icmp, "proto=icmp", &err);
}

static int end_node(void **state)
{
	(void)state;
	fg_packet_spec_free(&bed.udp);
	fg_packet_spec_free(&bed.tcp);
	fg_packet_spec_free(&bed.icmp);
	fg_pod_close(&bed.pod);
	fg_host_close(&bed.host);
	return 0;
}

static int close_guard(void **state)
{
	(void)state;
	fg_guard_close(bed.guard);
	bed.guard = NULL;
	return 0;
}

static void open_guard(uint64_t probes, bool tracking)
{
	close_guard(NULL);
	bed.guard = fg_guard_open(&bed.pod, probes, tracking, &err);
	if (!bed.guard)
		fail_msg("%s", err.message);
}

static struct fg_probe_spec spec_of(const struct fg_packet_spec *packet, const char *dst,
				    uint16_t sport, uint16_t dport)
{
	struct fg_probe_spec spec = { .id = 1, .packet = packet, .fragments = 1 };

	spec.vary.dst = bed_addr(dst);
	spec.vary.src = bed_addr(spec.vary.dst.family == AF_INET ? "10.9.1.2" : "fd09:1::2");
	spec.vary.sport = sport;
	spec.vary.dport = dport;
	return spec;
}

/* Whether it may be sent; else err says why. */
static bool admits(const struct fg_packet_spec *packet, const char *dst, uint16_t sport,
		   uint16_t dport)
{
	struct fg_probe_spec spec = spec_of(packet, dst, sport, dport);

	err = (struct fg_error){};
	if (!fg_guard_admit(bed.guard, NULL, &spec, &err))
		return true;
	assert_int_equal(err.kind, FG_ERR_USAGE);
	assert_non_null(strstr(err.message, "is in use"));
	return false;
}

/* What a socket of the pod has sent to 10.9.0.9 is known to the host a moment later. */
static void open_guard_when_tracked(uint64_t probes, uint16_t sport, uint16_t dport)
{
	for (int tries = 0; tries < 100; tries++) {
		open_guard(probes, true);
		if (!admits(&bed.udp, "10.9.0.9", sport, dport))
			return;
		usleep(50000);
	}
}

static bool says(const char *text)
{
	return strstr(err.message, text) != NULL;
}

static void a_connected_socket_has_its_tuple(void **state)
{
	static const char *const ips[][2] = { { "10.9.1.2", "10.9.0.9" },
					      { "fd09:1::2", "fd09::9" } };

	(void)state;
	for (size_t i = 0; i < COUNT(ips) * 2; i++) {
		const char *const *ip = ips[i % 2];
		FG_FD int fd = bed_socket("web", SOCK_DGRAM, ip[0], 4001);

		bed_connect(fd, ip[1], 53);
		open_guard(i < 2 ? FEW : MANY, false);
		assert_false(admits(&bed.udp, ip[1], 4001, 53));
		assert_true(says("of this connection") && says("pod netns:web has a socket"));
		/* Another port, at either end; another protocol. */
		assert_true(admits(&bed.udp, ip[1], 4001, 54));
		assert_true(admits(&bed.udp, ip[1], 4002, 53));
		assert_true(admits(&bed.tcp, ip[1], 4001, 53));
	}
}

static void a_bound_socket_talks_to_anybody(void **state)
{
	(void)state;
	for (int many = 0; many < 2; many++) {
		FG_FD int fd = bed_socket("web", SOCK_DGRAM, "10.9.1.2", 4003);
		FG_FD int own = bed_socket("web", SOCK_DGRAM, "127.0.0.1", 4004);
		FG_FD int any = bed_socket("web", SOCK_DGRAM, "::", 4005);
		/* A port of another word of the same bits. */
		FG_FD int far = bed_socket("web", SOCK_DGRAM, "10.9.1.2", 4003 + 64);

		open_guard(many ? MANY : FEW, false);
		assert_false(admits(&bed.udp, "10.9.0.9", 4003, 53));
		assert_true(says("on this port"));
		assert_false(admits(&bed.udp, "10.9.0.9", 4003, 99));
		assert_true(admits(&bed.tcp, "10.9.0.9", 4003, 53));
		assert_true(admits(&bed.udp, "fd09::9", 4003, 53));
		/* Of another address; of all, of both families. */
		assert_true(admits(&bed.udp, "10.9.0.9", 4004, 53));
		assert_false(admits(&bed.udp, "fd09::9", 4005, 53));
		assert_false(admits(&bed.udp, "10.9.0.9", 4005, 53));
		assert_true(admits(&bed.udp, "10.9.0.9", 4006, 53));
		assert_false(admits(&bed.udp, "10.9.0.9", 4003 + 64, 53));
		assert_true(admits(&bed.udp, "10.9.0.9", 4003 + 128, 53));
	}
}

static void a_tcp_socket_that_listens_talks_to_nobody(void **state)
{
	FG_FD int there = bed_socket("dst", SOCK_STREAM, "10.9.0.9", 80);
	FG_FD int fd = bed_socket("web", SOCK_STREAM, "10.9.1.2", 4010);
	FG_FD int waits = bed_socket("web", SOCK_STREAM, "10.9.1.2", 4011);

	(void)state;
	assert_int_equal(listen(there, 1), 0);
	assert_int_equal(listen(waits, 1), 0);
	/* It does not wait for the connection: it is on its way. */
	connect(fd,
		(const struct sockaddr *)&(struct sockaddr_in){ .sin_family = AF_INET,
								.sin_port = htons(80),
								.sin_addr.s_addr =
									inet_addr("10.9.0.9") },
		sizeof(struct sockaddr_in));
	for (int many = 0; many < 2; many++) {
		open_guard(many ? MANY : FEW, false);
		assert_false(admits(&bed.tcp, "10.9.0.9", 4010, 80));
		assert_true(admits(&bed.tcp, "10.9.0.9", 4011, 80));
		assert_true(admits(&bed.tcp, "10.9.0.9", 4010, 81));
	}
}

/* A run's own packets are not held against it; what came since it began is. */
static void a_few_probes_are_asked_for_each(void **state)
{
	(void)state;
	open_guard(FEW, false);
	assert_true(admits(&bed.udp, "10.9.0.9", 4020, 53));
	assert_true(admits(&bed.udp, "10.9.0.9", 4020, 53));
	FG_FD int fd = bed_socket("web", SOCK_DGRAM, "10.9.1.2", 4021);

	assert_true(fd >= 0);
	assert_false(admits(&bed.udp, "10.9.0.9", 4021, 53));
}

/* A port that chance has chosen is chosen again. */
static void a_random_port_is_chosen_again(void **state)
{
	const struct fg_ports dports = { .ranges = (struct fg_port_range[]){ { 53, 53 } },
					 .count = 1,
					 .total = 1 };
	struct fg_plan plan = { .packet = &bed.udp,
				.src = bed_addr("10.9.1.2"),
				.dst = bed_addr("10.9.0.9"),
				.dports = &dports,
				.count = 1,
				.seed = 7,
				.places = { .seed = 7, .all = 1 } };
	struct fg_probe_spec spec;
	uint16_t taken;

	(void)state;
	fg_plan_probe(&plan, 0, &spec);
	taken = spec.vary.sport;
	FG_FD int fd = bed_socket("web", SOCK_DGRAM, "10.9.1.2", taken);

	assert_true(fd >= 0);
	open_guard(FEW, false);
	err = (struct fg_error){};
	if (fg_guard_admit(bed.guard, &plan, &spec, &err))
		fail_msg("%s", err.message);
	assert_int_not_equal(spec.vary.sport, taken);
	/* Not where the user has named it. */
	spec.vary.sport = taken;
	assert_int_equal(fg_guard_admit(bed.guard, NULL, &spec, &err), -1);
	assert_int_equal(spec.vary.sport, taken);
}

/* --- what a packet in bytes has to do with --- */

/* An IPv4 header for so much, and what both ends of it are. */
static size_t put_ip(uint8_t *out, uint8_t protocol, const char *src, const char *dst, size_t len)
{
	const struct fg_addr from = bed_addr(src), to = bed_addr(dst);

	memset(out, 0, 20);
	out[0] = 0x45;
	out[3] = (uint8_t)(20 + len);
	out[8] = 64;
	out[9] = protocol;
	memcpy(out + 12, from.bytes, 4);
	memcpy(out + 16, to.bytes, 4);
	return 20;
}

static void put_ports(uint8_t *out, uint16_t sport, uint16_t dport)
{
	out[0] = (uint8_t)(sport >> 8);
	out[1] = (uint8_t)sport;
	out[2] = (uint8_t)(dport >> 8);
	out[3] = (uint8_t)dport;
	out[5] = 8;
}

struct raw {
	uint8_t bytes[64];
	size_t length;
};

static struct raw raw_packet(uint8_t protocol, uint16_t sport, uint16_t dport)
{
	struct raw r = { .length = 28 };

	put_ports(r.bytes + put_ip(r.bytes, protocol, "10.9.1.2", "10.9.0.9", 8), sport, dport);
	return r;
}

/* web says that a port is unreachable: of a packet from 10.9.0.9 to that address. */
static struct raw raw_error(const char *quoted_dst, uint16_t sport, uint16_t dport)
{
	struct raw r = { .length = 56 };

	put_ip(r.bytes, IPPROTO_ICMP, "10.9.1.2", "10.9.0.9", 36);
	r.bytes[20] = 3;
	r.bytes[21] = 3;
	put_ip(r.bytes + 28, IPPROTO_UDP, "10.9.0.9", quoted_dst, 8);
	put_ports(r.bytes + 48, sport, dport);
	return r;
}

static bool admits_raw(struct raw raw)
{
	struct fg_probe_spec spec = spec_of(NULL, "10.9.0.9", 0, 0);

	spec.bytes = raw.bytes;
	spec.length = raw.length;
	err = (struct fg_error){};
	if (!fg_guard_admit(bed.guard, NULL, &spec, &err))
		return true;
	assert_int_equal(err.kind, FG_ERR_USAGE);
	return false;
}

static void a_packet_in_bytes_has_the_tuple_that_it_says(void **state)
{
	FG_FD int fd = bed_socket("web", SOCK_DGRAM, "10.9.1.2", 4050);
	struct raw raw;

	(void)state;
	bed_connect(fd, "10.9.0.9", 53);
	for (int many = 0; many < 2; many++) {
		open_guard(many ? MANY : FEW, false);
		/* A short one, and then one that needs more room. */
		assert_true(admits_raw(raw_packet(IPPROTO_UDP, 4051, 53)));
		assert_false(admits_raw(raw_packet(IPPROTO_UDP, 4050, 53)));
		assert_true(says("of this connection"));
		assert_true(admits_raw(raw_packet(IPPROTO_TCP, 4050, 53)));
		/* A fragment that is not the first has no ports. */
		raw = raw_packet(IPPROTO_UDP, 4050, 53);
		raw.bytes[7] = 1;
		assert_true(admits_raw(raw));
		/* Nor has what is none of IP. */
		raw = raw_packet(IPPROTO_UDP, 4050, 53);
		raw.length = 12;
		assert_true(admits_raw(raw));
		/* What an ICMP error quotes is what it disturbs, as the pod would send it. */
		assert_false(admits_raw(raw_error("10.9.1.2", 53, 4050)));
		assert_true(says("of this connection"));
		assert_true(admits_raw(raw_error("10.9.1.2", 54, 4050)));
		/* Of a connection of others the pod's sockets know nothing. */
		assert_true(admits_raw(raw_error("10.9.7.7", 53, 4050)));
	}
}

/* A socket without a peer that another program of the pod may have bound to any address. */
static void a_foreign_packet_has_no_socket_here(void **state)
{
	FG_FD int fd = bed_socket("web", SOCK_DGRAM, "0.0.0.0", 4052);

	(void)state;
	assert_true(fd >= 0);
	open_guard(FEW, false);
	assert_false(admits_raw(raw_error("10.9.1.2", 53, 4052)));
	assert_true(says("on this port"));
	assert_true(admits_raw(raw_error("10.9.7.7", 53, 4052)));
}

/* --- connection tracking --- */

static void send_from(int fd, const char *ip, uint16_t port);

/* The pod tracks, and the node does not. */
static void an_entry_of_the_pod_is_in_use(void **state)
{
	(void)state;
	if (shell_try(-1, "nft list tables") ||
	    bed_in_pod("web", "nft 'add table inet own; add chain inet own out { type filter hook "
			      "output priority 0; }; add rule inet own out ct state new accept' "
			      "2> /dev/null"))
		prog_skip("this machine has no connection tracking");
	for (int many = 0; many < 2; many++) {
		uint16_t port = many ? 4071 : 4070;
		FG_FD int fd = bed_socket("web", SOCK_DGRAM, "10.9.1.2", port);

		/* What came after it was listed is asked for, of a few. */
		open_guard(many ? MANY : FEW, true);
		if (!many)
			assert_true(admits(&bed.udp, "10.9.0.9", (uint16_t)(port + 10), 7));
		send_from(fd, "10.9.0.9", 7);
		fg_fd_close(&fd);
		assert_false(admits(&bed.udp, "10.9.0.9", port, 7));
		assert_true(says("connection tracking of the pod has") && says("unreplied"));
	}
	assert_int_equal(bed_in_pod("web", "nft delete table inet own"), 0);
}

/* The node tracks; the pod does not. */
static void need_tracking(void)
{
	if (shell_try(-1, "nft list table ip g || nft 'add table inet g; add chain inet g across { "
			  "type filter hook forward priority 0; }; add rule inet g across ct state "
			  "new accept'"))
		prog_skip("this machine has no connection tracking");
}

static void send_from(int fd, const char *ip, uint16_t port)
{
	bed_connect(fd, ip, port);
	/* The first call may tell that nobody took an earlier one. */
	assert_true(send(fd, "x", 1, 0) == 1 || send(fd, "x", 1, 0) == 1);
}

static void an_entry_of_the_node_is_in_use(void **state)
{
	(void)state;
	need_tracking();
	for (int many = 0; many < 2; many++) {
		uint16_t port = many ? 4031 : 4030;
		FG_FD int fd = bed_socket("web", SOCK_DGRAM, "10.9.1.2", port);

		send_from(fd, "10.9.0.9", 7);
		fg_fd_close(&fd);
		open_guard_when_tracked(many ? MANY : FEW, port, 7);
		assert_false(admits(&bed.udp, "10.9.0.9", port, 7));
		assert_true(says("connection tracking of the host has"));
		assert_true(admits(&bed.udp, "10.9.0.9", port, 8));
		assert_true(admits(&bed.udp, "10.9.0.9", (uint16_t)(port + 10), 7));
		/* Of a packet that another node sends, that node has asked. */
		bed.pod.awaits = true;
		open_guard(many ? MANY : FEW, true);
		bed.pod.awaits = false;
		assert_true(admits(&bed.udp, "10.9.0.9", port, 7));
		/* Nobody looks there. */
		open_guard(many ? MANY : FEW, false);
		assert_true(admits(&bed.udp, "10.9.0.9", port, 7));
	}
}

/* What another end has begun is a connection too: its answers have this tuple. */
static void an_entry_of_the_other_end_is_in_use(void **state)
{
	(void)state;
	need_tracking();
	for (int many = 0; many < 2; many++) {
		uint16_t port = many ? 4081 : 4080;
		FG_FD int fd = bed_socket("dst", SOCK_DGRAM, "10.9.0.9", 7001);

		send_from(fd, "10.9.1.2", port);
		fg_fd_close(&fd);
		open_guard_when_tracked(many ? MANY : FEW, port, 7001);
		assert_false(admits(&bed.udp, "10.9.0.9", port, 7001));
		assert_true(says("connection tracking of the host has") && says("10.9.0.9:7001"));
		assert_true(admits(&bed.udp, "10.9.0.9", port, 7002));
	}
}

/* What a probe has left is no connection of others: its tuple may be used again in the run. */
static void a_runs_own_entries_are_not_held_against_it(void **state)
{
	(void)state;
	need_tracking();
	for (int many = 0; many < 2; many++) {
		uint16_t port = many ? 4091 : 4090;
		FG_FD int fd = -1;

		open_guard(many ? MANY : FEW, true);
		assert_true(admits(&bed.udp, "10.9.0.9", port, 7));
		fd = bed_socket("web", SOCK_DGRAM, "10.9.1.2", port);
		send_from(fd, "10.9.0.9", 7);
		fg_fd_close(&fd);
		/* By then it is there. */
		usleep(100000);
		assert_true(admits(&bed.udp, "10.9.0.9", port, 7));
		/* Another run finds it. */
		open_guard_when_tracked(many ? MANY : FEW, port, 7);
		assert_false(admits(&bed.udp, "10.9.0.9", port, 7));
	}
}

/* Entries as if somebody had sent with every port: unreplied, or all but one replied. */
static void fill_ports(uint32_t status, uint16_t except, bool reversed)
{
	struct fg_guard *g = bed.guard;
	struct fg_probe_spec spec = spec_of(&bed.udp, "10.9.0.9", 0, 53);

	g->entries = calloc(2, sizeof(*g->entries));
	assert_non_null(g->entries);
	g->entry_count = 2;
	for (uint32_t port = 32768; port < 65536; port++) {
		struct fg_flow flow = { .family = AF_INET,
					.protocol = IPPROTO_UDP,
					.src = spec.vary.src,
					.dst = spec.vary.dst,
					.sport = (uint16_t)port,
					.dport = 53 };
		bool other = port == except;

		assert_int_equal(fg_flowset_add(&g->tracked, &flow, other), 0);
		if (port != 32768 && !other)
			continue;
		/* One entry stands for all; only of the other one it matters whose it is. */
		g->entries[other].conn.orig = flow;
		g->entries[other].conn.status = other ? 0 : status;
		if (reversed)
			fg_flow_invert(&flow, &g->entries[other].conn.orig);
	}
}

/*
 * Nobody has answered it, and no socket has it: where all others are taken, that is as good as new.
 * What was answered is a connection.
 */
static void an_unreplied_entry_is_the_second_choice(void **state)
{
	const struct fg_ports dports = { .ranges = (struct fg_port_range[]){ { 53, 53 } },
					 .count = 1,
					 .total = 1 };
	struct fg_plan plan = { .packet = &bed.udp,
				.src = bed_addr("10.9.1.2"),
				.dst = bed_addr("10.9.0.9"),
				.dports = &dports,
				.count = 1,
				.seed = 7,
				.places = { .seed = 7, .all = 1 } };
	struct fg_probe_spec first, third, spec;

	(void)state;
	fg_plan_probe(&plan, 0, &first);
	third = first;
	fg_plan_choose_again(&plan, &third);
	fg_plan_choose_again(&plan, &third);
	assert_int_not_equal(first.vary.sport, third.vary.sport);
	for (int i = 0; i < 4; i++) {
		bool choice = i != 3, ok;

		open_guard(MANY, true);
		/* So that it is listed before these are put in. */
		assert_true(admits(&bed.udp, "10.9.0.9", 1025, 53));
		free(bed.guard->entries);
		fill_ports(IPS_SEEN_REPLY, i == 0 ? 0 : third.vary.sport, i == 2);
		spec = i == 3 ? third : first;
		err = (struct fg_error){};
		ok = !fg_guard_admit(bed.guard, choice ? &plan : NULL, &spec, &err);
		assert_int_equal(ok, i == 1);
		if (ok) {
			assert_int_equal(spec.vary.sport, third.vary.sport);
			continue;
		}
		/* Told of the one that it should have been. */
		assert_int_equal(err.kind, FG_ERR_USAGE);
		assert_true(says("is in use") && says(i == 3 ? "unreplied" : "replied"));
	}
}

/* Frames of probes that were sent, as sockets of the pod send them. */
static void make_probe(struct fg_probe *p, const char *dst, uint16_t sport, uint16_t dport)
{
	*p = (struct fg_probe){ .spec = spec_of(&bed.udp, dst, sport, dport) };
	p->frame.size = fg_probe_bound(&p->spec);
	p->frame.data = malloc(p->frame.size);
	assert_non_null(p->frame.data);
	assert_int_equal(fg_probe_build(&p->spec, &p->frame, &err), 0);
}

static void what_probes_left_is_found_and_removed(void **state)
{
	FG_FD int sent = bed_socket("web", SOCK_DGRAM, "10.9.1.2", 4041);
	FG_FD int sent6 = bed_socket("web", SOCK_DGRAM, "fd09:1::2", 4042);
	struct fg_probe probes[5];

	(void)state;
	need_tracking();
	make_probe(&probes[0], "10.9.0.9", 4040, 9);
	make_probe(&probes[1], "10.9.0.9", 4041, 9);
	make_probe(&probes[2], "fd09::9", 4042, 9);
	make_probe(&probes[3], "10.9.0.9", 4043, 9);
	/* The second fragment of a packet has no tuple. */
	make_probe(&probes[4], "10.9.0.9", 4041, 9);
	probes[4].frame.len = 14;
	for (int many = 0; many < 2; many++) {
		FG_FD int before = bed_socket("web", SOCK_DGRAM, "10.9.1.2", 4040);

		send_from(before, "10.9.0.9", 9);
		fg_fd_close(&before);
		open_guard_when_tracked(many ? MANY : FEW, 4040, 9);
		/* That one is known from before. */
		assert_false(admits(&bed.udp, "10.9.0.9", 4040, 9));
		send_from(sent, "10.9.0.9", 9);
		send_from(sent6, "fd09::9", 9);
		for (int tidy = 0; tidy < 2; tidy++) {
			assert_int_equal(fg_guard_leftovers(bed.guard, probes, 5, tidy, &err), 0);
			for (int i = 0; i < 5; i++) {
				const struct fg_leftovers *left = probes[i].result.left;
				bool has = i == 1 || i == 2;

				if ((left ? left->count : 0) != has)
					fail_msg("probe %d, many %d, tidy %d: %u", i, many, tidy,
						 left ? left->count : 0);
				if (!has)
					continue;
				assert_false(left->list[0].pod);
				assert_int_equal(left->list[0].removed, tidy);
				assert_int_equal(left->list[0].conn.orig.sport, 4040 + i);
			}
		}
		/* They are gone. */
		assert_int_equal(fg_guard_leftovers(bed.guard, probes, 5, false, &err), 0);
		for (int i = 0; i < 5; i++)
			assert_true(!probes[i].result.left || !probes[i].result.left->count);
	}
	for (int i = 0; i < 5; i++)
		free(probes[i].frame.data);
}

/* What a packet says besides its tuple is no part of it; all are of one family, and of one source.
 */
static void what_a_tcp_probe_left_is_found(void **state)
{
	FG_FD int there = bed_socket("dst", SOCK_STREAM, "10.9.0.9", 9);
	FG_FD int fd = bed_socket("web", SOCK_STREAM, "10.9.1.2", 4045);
	struct fg_probe probe = { .spec = spec_of(&bed.tcp, "10.9.0.9", 4045, 9) };
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(9),
					.sin_addr.s_addr = inet_addr("10.9.0.9") };

	(void)state;
	need_tracking();
	probe.frame.size = fg_probe_bound(&probe.spec);
	probe.frame.data = malloc(probe.frame.size);
	assert_non_null(probe.frame.data);
	assert_int_equal(fg_probe_build(&probe.spec, &probe.frame, &err), 0);
	open_guard(FEW, true);
	assert_int_equal(listen(there, 1), 0);
	connect(fd, (const struct sockaddr *)&to, sizeof(to));
	/* The host knows of it a moment later. */
	for (int tries = 0; tries < 100; tries++) {
		assert_int_equal(fg_guard_leftovers(bed.guard, &probe, 1, false, &err), 0);
		assert_non_null(probe.result.left);
		if (probe.result.left->count)
			break;
		usleep(50000);
	}
	assert_int_equal(probe.result.left->count, 1);
	assert_int_equal(probe.result.left->list[0].conn.orig.sport, 4045);
	assert_false(probe.result.left->list[0].removed);
	assert_true(probe.result.left->entries >= 1 &&
		    probe.result.left->max > probe.result.left->entries);
	free(probe.frame.data);
}

static void how_full_the_table_is(void **state)
{
	uint64_t used, max;

	(void)state;
	need_tracking();
	assert_int_equal(fg_guard_fill(&bed.pod, &used, &max), 0);
	assert_true(used >= 1 && max > used);
}

static void it_is_of_its_pod(void **state)
{
	struct fg_pod other = bed.pod;

	(void)state;
	open_guard(FEW, false);
	assert_true(fg_guard_is_of(NULL, &bed.pod));
	assert_true(fg_guard_is_of(bed.guard, &bed.pod));
	other.inode++;
	assert_false(fg_guard_is_of(bed.guard, &other));
	other = bed.pod;
	other.host_inode++;
	assert_false(fg_guard_is_of(bed.guard, &other));
}

/* Each is told once, the one that does most harm first. */
static void what_pods_may_notice_is_told(void **state)
{
	struct fg_spare spare = {};
	const char *first, *second;

	(void)state;
	assert_null(fg_spare_disturbs(&spare));
	fg_spare_disturb(&spare, FG_DISTURB_LOCAL_REPLIES);
	fg_spare_disturb(&spare, FG_DISTURB_MANY_NAMESPACES);
	first = fg_spare_disturbs(&spare);
	second = fg_spare_disturbs(&spare);
	assert_non_null(strstr(first, "4096 pods"));
	assert_non_null(strstr(second, "16 pods send"));
	assert_null(fg_spare_disturbs(&spare));
	fg_spare_disturb(&spare, FG_DISTURB_MANY_NAMESPACES);
	assert_null(fg_spare_disturbs(&spare));
	fg_spare_disturb(&spare, FG_DISTURB_NO_TCX);
	assert_non_null(strstr(fg_spare_disturbs(&spare), "tcx"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_teardown(test, close_guard)
		TEST(a_connected_socket_has_its_tuple),
		TEST(a_bound_socket_talks_to_anybody),
		TEST(a_tcp_socket_that_listens_talks_to_nobody),
		TEST(a_few_probes_are_asked_for_each),
		TEST(a_random_port_is_chosen_again),
		TEST(a_packet_in_bytes_has_the_tuple_that_it_says),
		TEST(a_foreign_packet_has_no_socket_here),
		TEST(an_entry_of_the_pod_is_in_use),
		TEST(an_entry_of_the_node_is_in_use),
		TEST(an_entry_of_the_other_end_is_in_use),
		TEST(a_runs_own_entries_are_not_held_against_it),
		TEST(an_unreplied_entry_is_the_second_choice),
		TEST(what_probes_left_is_found_and_removed),
		TEST(what_a_tcp_probe_left_is_found),
		TEST(how_full_the_table_is),
		TEST(it_is_of_its_pod),
		TEST(what_pods_may_notice_is_told),
	};

	return cmocka_run_group_tests(tests, make_node, end_node);
}
