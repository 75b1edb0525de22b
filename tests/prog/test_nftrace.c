// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_nftrace.c - a look at netfilter for one packet: which rule dropped it, or the answer to it;
 * rules of nft and of iptables-nft, behind a translation too. And what that costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "base/fd.h"
#include "datapath/nftrace.h"
#include "net/netns.h"
#include "prog.h"
#include "shell.h"

#define CLIENT "10.71.1.2"
#define SERVER "10.71.2.2"
#define SERVICE "10.71.9.9"
#define SPORT 40123
#define DPORT 7001

/* A client and a server, and the node between them. */
static struct bench {
	int client, node, server; /* namespaces */
	int from, to;		  /* sockets */
	struct fg_nftrace *trace;
	uint8_t frame[14 + 20 + 8];
	struct fg_probe probe;
} bench;

static int udp(int netns, const char *address, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int back, fd;

	inet_pton(AF_INET, address, &at.sin_addr);
	assert_int_equal(fg_netns_enter(netns, &back, NULL), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fg_netns_leave(&back);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* Two namespaces have a device in the node's, which stands where its descriptor says. */
static void wire(int netns, const char *name, const char *subnet)
{
	assert_int_equal(
		shell_run(bench.node,
			  "ip link add %s type veth peer name eth0 netns /proc/%d/fd/%d && "
			  "ip addr add %s.1/24 dev %s && ip link set %s up",
			  name, getpid(), netns, subnet, name, name),
		0);
	assert_int_equal(shell_run(netns,
				   "ip addr add %s.2/24 dev eth0 && ip link set eth0 up && "
				   "ip route add default via %s.1",
				   subnet, subnet),
			 0);
}

static void build_frame(const char *dst)
{
	uint8_t *ip = bench.frame + 14, *l4 = ip + 20;
	const uint16_t ports[2] = { htons(SPORT), htons(DPORT) };

	memset(bench.frame, 0, sizeof(bench.frame));
	bench.frame[12] = 8;
	ip[0] = 0x45;
	ip[3] = 28;
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	inet_pton(AF_INET, CLIENT, ip + 12);
	inet_pton(AF_INET, dst, ip + 16);
	memcpy(l4, ports, sizeof(ports));
	l4[5] = 8;
	bench.probe = (struct fg_probe){ .frame = { .data = bench.frame,
						    .size = sizeof(bench.frame),
						    .len = sizeof(bench.frame),
						    .count = 1,
						    .part_len = sizeof(bench.frame) } };
}

static int setup(void **state)
{
	(void)state;
	bench = (struct bench){ .client = fg_netns_create(NULL),
				.node = fg_netns_create(NULL),
				.server = fg_netns_create(NULL) };
	assert_true(bench.client >= 0 && bench.node >= 0 && bench.server >= 0);
	wire(bench.client, "c", "10.71.1");
	wire(bench.server, "s", "10.71.2");
	assert_int_equal(shell_run(bench.node, "echo 1 > /proc/sys/net/ipv4/ip_forward"), 0);
	bench.from = udp(bench.client, CLIENT, SPORT);
	bench.to = udp(bench.server, SERVER, DPORT);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fg_nftrace_free(bench.trace);
	fg_fd_close(&bench.from);
	fg_fd_close(&bench.to);
	fg_fd_close(&bench.client);
	fg_fd_close(&bench.node);
	fg_fd_close(&bench.server);
	return 0;
}

static void rules(const char *text)
{
	if (shell_try(bench.node, "%s", text))
		prog_skip("this machine cannot: %s", text);
}

/* The look is prepared as late as it is wanted. */
static void look(bool answers)
{
	const struct fg_nft_hook hook = { NFPROTO_INET, NF_INET_PRE_ROUTING, NULL };
	struct fg_error err = {};

	bench.trace = fg_nftrace_new(1, &err);
	assert_non_null(bench.trace);
	if (answers)
		fg_nftrace_follow_answers(bench.trace);
	if (fg_nftrace_watch(bench.trace, bench.node, fg_netns_inode(bench.node), "the node", &hook,
			     &err) ||
	    fg_nftrace_expect(bench.trace, &bench.probe, 1, &err)) {
		if (err.kind == FG_ERR_UNSUPPORTED)
			prog_skip("%s", err.message);
		fail_msg("%s", err.message);
	}
}

/* Sends the packet; the server answers what comes. A drop happens before sendto() returns. */
static void send_packet(const char *dst, bool answer)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(DPORT) }, from = {};
	socklen_t len = sizeof(from);
	struct pollfd wait = { .fd = bench.to, .events = POLLIN };
	char byte;

	inet_pton(AF_INET, dst, &to.sin_addr);
	assert_int_equal(sendto(bench.from, "", 0, 0, (struct sockaddr *)&to, sizeof(to)), 0);
	if (!answer)
		return;
	assert_int_equal(poll(&wait, 1, 5000), 1);
	assert_int_equal(recvfrom(bench.to, &byte, 1, 0, (struct sockaddr *)&from, &len), 0);
	assert_int_equal(sendto(bench.to, "", 0, 0, (struct sockaddr *)&from, len), 0);
}

/*
 * The first packet of two neighbours waits for their addresses, and an answer is sent by another
 * thread of the kernel: what was said of it is waited for.
 */
static const struct fg_netfilter *await(bool answer)
{
	const struct fg_netfilter *by = NULL;
	const char *why;

	for (int tries = 0; !by && tries < 500; tries++) {
		fg_nftrace_take(bench.trace);
		by = answer ? fg_nftrace_answer_rule(bench.trace, 0, 0, &why)
			    : fg_nftrace_rule(bench.trace, 0, 0, &why);
		if (!by)
			poll(NULL, 0, 10);
	}
	assert_non_null(by);
	return by;
}

static void test_the_probe(void **state)
{
	const struct fg_netfilter *by;
	const char *why;

	(void)state;
	rules("nft add table inet t && "
	      "nft add chain inet t f '{ type filter hook forward priority 0; }' && "
	      "nft add rule inet t f udp dport 7001 drop comment '\"not here\"'");
	build_frame(SERVER);
	look(true);
	send_packet(SERVER, false);
	by = await(false);
	assert_string_equal(by->table, "t");
	assert_string_equal(by->chain, "f");
	assert_string_equal(by->comment, "not here");
	assert_int_equal(by->netns, fg_netns_inode(bench.node));
	assert_null(fg_nftrace_answer_rule(bench.trace, 0, 0, &why));
	/* In another namespace nothing was said of it. */
	assert_null(fg_nftrace_rule(bench.trace, 0, 1, &why));
}

static void test_iptables_nft(void **state)
{
	const struct fg_netfilter *by;

	(void)state;
	rules("iptables-nft -A FORWARD -p udp --dport 7001 -m comment --comment 'cali: no' -j DROP");
	build_frame(SERVER);
	look(false);
	send_packet(SERVER, false);
	by = await(false);
	assert_int_equal(by->family, NFPROTO_IPV4);
	assert_string_equal(by->table, "filter");
	assert_string_equal(by->chain, "FORWARD");
	assert_string_equal(by->comment, "cali: no");
	assert_false(by->policy);
}

static void test_the_answer(void **state)
{
	const struct fg_netfilter *by;
	const char *why;

	(void)state;
	rules("nft add table inet t && "
	      "nft add chain inet t f '{ type filter hook forward priority 0; }' && "
	      "nft add rule inet t f udp sport 7001 drop comment '\"no way back\"'");
	build_frame(SERVER);
	look(true);
	send_packet(SERVER, true);
	by = await(true);
	assert_string_equal(by->comment, "no way back");
	assert_null(fg_nftrace_rule(bench.trace, 0, 0, &why));
}

/* The answer comes from the backend, of which the probe knew nothing. */
static void test_the_answer_behind_a_service(void **state)
{
	const struct fg_netfilter *by;

	(void)state;
	rules("nft add table ip t && "
	      "nft add chain ip t pre '{ type nat hook prerouting priority -100; }' && "
	      "nft add rule ip t pre ip daddr " SERVICE " dnat to " SERVER " && "
	      "nft add chain ip t f '{ type filter hook forward priority 0; }' && "
	      "nft add rule ip t f udp sport 7001 drop comment '\"no way back\"'");
	build_frame(SERVICE);
	look(true);
	send_packet(SERVICE, true);
	by = await(true);
	assert_string_equal(by->comment, "no way back");
}

/* Whether a table of flowgen's stands there. */
static bool tables(void)
{
	return !shell_try(bench.node, "nft list tables | grep -q " FG_NFT_TABLE_PREFIX);
}

/* Nothing is left: neither a table nor what it looked for. */
static void test_nothing_stays(void **state)
{
	(void)state;
	rules("nft list ruleset");
	build_frame(SERVER);
	look(true);
	assert_int_equal(tables(), 1);
	fg_nftrace_stop(bench.trace);
	assert_int_equal(tables(), 0);
	/* Once more, and ended the other way. */
	fg_nftrace_free(bench.trace);
	look(false);
	assert_int_equal(tables(), 1);
	fg_nftrace_free(bench.trace);
	bench.trace = NULL;
	assert_int_equal(tables(), 0);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void test_cost(void **state)
{
	double start, made, taken, stopped, freed;
	const char *why;

	(void)state;
	rules("nft add table inet t && "
	      "nft add chain inet t f '{ type filter hook forward priority 0; }' && "
	      "for i in $(seq 200); do echo add rule inet t f ip daddr 10.70.0.$i counter; done | "
	      "nft -f - && nft add rule inet t f udp dport 7001 drop");
	build_frame(SERVER);
	send_packet(SERVER, false);
	start = now();
	look(true);
	made = now();
	send_packet(SERVER, false);
	fg_nftrace_take(bench.trace);
	assert_non_null(fg_nftrace_rule(bench.trace, 0, 0, &why));
	taken = now();
	fg_nftrace_stop(bench.trace);
	stopped = now();
	assert_false(tables());
	freed = now();
	fg_nftrace_free(bench.trace);
	bench.trace = NULL;
	freed = now() - freed;
	printf("# one look: %.1f ms to prepare, %.1f ms for the packet, %.1f ms to end, %.1f ms to "
	       "close\n",
	       made - start, taken - made, stopped - taken, freed);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_the_probe),     T(test_iptables_nft),
		T(test_the_answer),    T(test_the_answer_behind_a_service),
		T(test_nothing_stays), T(test_cost),
	};

	return cmocka_run_group_tests_name("nftrace", tests, NULL, NULL);
}
