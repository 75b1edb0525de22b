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
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"
#include "bed.h"
#include "guard/guard.h"
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

/* --- connection tracking --- */

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
		TEST(an_entry_of_the_node_is_in_use),
		TEST(what_probes_left_is_found_and_removed),
		TEST(how_full_the_table_is),
		TEST(it_is_of_its_pod),
		TEST(what_pods_may_notice_is_told),
	};

	return cmocka_run_group_tests(tests, make_node, end_node);
}
