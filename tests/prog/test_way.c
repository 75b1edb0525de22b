// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_way.c - where a packet is about to go, by real tables: a node (a network namespace of this
 * process) with the pods web, dst and deep, the last of them behind dst. And where else on the host
 * a program is attached.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/count.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/parse.h"
#include "host/below.h"
#include "hostroot.h"
#include "net/link.h"
#include "net/netns.h"
#include "prog.h"
#include "way/attachments.h"
#include "way/device_table.h"
#include "way/goal.h"
#include "way/receiver.h"
#include "way/ways.h"

static struct {
	pid_t web, dst, deep; /* a process in each pod */
	struct fg_host host;
	struct fg_pod pod; /* web */
	struct fg_ways ways;
} bed;

static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* In a shell where "web", "dst" and "deep" run what follows in these pods. */
static int run(const char *fmt, ...)
{
	char command[2000], *text;
	va_list args;

	va_start(args, fmt);
	assert_true(vasprintf(&text, fmt, args) >= 0);
	va_end(args);
	snprintf(command, sizeof(command),
		 "web() { nsenter --net=/proc/%d/ns/net \"$@\"; }; "
		 "dst() { nsenter --net=/proc/%d/ns/net \"$@\"; }; "
		 "deep() { nsenter --net=/proc/%d/ns/net \"$@\"; }; set -e; %s",
		 bed.web, bed.dst, bed.deep, text);
	free(text);
	return system(command);
}

#define MUST(...) assert_int_equal(run(__VA_ARGS__), 0)

static pid_t make_pod(void)
{
	pid_t self = getpid(), pid = fork();
	char path[64];

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != self || unshare(CLONE_NEWNET))
			_exit(1);
		for (;;)
			pause();
	}
	/* Until it is in its own. */
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	for (int i = 0; i < 1000; i++) {
		FG_FD int own = fg_netns_open("/proc/thread-self/ns/net", NULL);
		FG_FD int fd = fg_netns_open(path, NULL);

		if (fd >= 0 && fg_netns_inode(fd) != fg_netns_inode(own))
			return pid;
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	fail_msg("no namespace");
	return -1;
}

/* A pair between the node (or dst) and a pod: 10.9.N.1 and fd09:N::1 outside, .9 and ::9 inside. */
static void wire(const char *outer, const char *name, pid_t pid, const char *pod, int n)
{
	MUST("%s ip link add h%s type veth peer name eth0 netns %d; %s ip link set h%s up; "
	     "%s sysctl -qw net.ipv6.conf.h%s.accept_dad=0; %s ip link set lo up; "
	     "%s ip addr add 10.9.%d.1/24 dev h%s; %s ip addr add fd09:%d::1/64 dev h%s nodad; "
	     "%s ip link set eth0 up; %s ip addr add 10.9.%d.9/24 dev eth0; "
	     "%s ip addr add fd09:%d::9/64 dev eth0 nodad; %s ip route add default via 10.9.%d.1; "
	     "%s ip route add default via fd09:%d::1",
	     outer, name, pid, outer, name, outer, name, pod, outer, n, name, outer, n, name, pod,
	     pod, n, pod, n, pod, n, pod, n);
}

static int setup(void **state)
{
	char ref[32];
	struct fg_error err;

	(void)state;
	memset(&bed, 0, sizeof(bed));
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	bed.web = make_pod();
	bed.dst = make_pod();
	bed.deep = make_pod();
	MUST("ip link set lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
	wire("", "web", bed.web, "web", 1);
	wire("", "dst", bed.dst, "dst", 2);
	wire("dst", "deep", bed.deep, "deep", 3);
	MUST("dst sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; "
	     "ip route add 10.9.3.0/24 via 10.9.2.9; ip route add fd09:3::/64 via fd09:2::9");
	snprintf(ref, sizeof(ref), "pid:%d", bed.web);
	if (fg_host_open(&bed.host, "", &err) || fg_pod_open(&bed.host, ref, NULL, &bed.pod, &err))
		fail_msg("%s", err.message);
	bed.ways.host_root = "";
	return 0;
}

static int teardown(void **state)
{
	const pid_t pids[] = { bed.web, bed.dst, bed.deep };

	(void)state;
	fg_ways_free(&bed.ways);
	fg_pod_close(&bed.pod);
	fg_host_close(&bed.host);
	for (size_t i = 0; i < COUNT(pids); i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	return 0;
}

static struct fg_addr addr(const char *text)
{
	struct fg_addr out = {};

	assert_int_equal(fg_parse_addr("address", text, &out, NULL), 0);
	return out;
}

static const char *text_of(const struct fg_addr *a)
{
	static char text[4][FG_ADDR_TEXT_LEN];
	static int n;

	n = (n + 1) % 4;
	return a->family ? fg_addr_text(a, text[n], FG_ADDR_TEXT_LEN), text[n] : "-";
}

/* --- the pod's own routing --- */

static struct fg_connect_query query(const char *dst, uint8_t protocol, uint16_t port)
{
	return (struct fg_connect_query){
		.flow = { .dst = addr(dst), .protocol = protocol, .sport = 4000, .dport = port }
	};
}

static int ask(const char *dst, uint8_t protocol, uint16_t port)
{
	const struct fg_connect_query q = query(dst, protocol, port);
	struct fg_error err;
	int way = fg_ways_find(&bed.ways, &bed.pod, &q, &err);

	if (!way)
		fail_msg("%s: %s", dst, err.message);
	return way;
}

static int error_of(const char *dst, uint16_t port)
{
	int way = ask(dst, IPPROTO_UDP, port);

	return bed.ways.list[way - 1].error;
}

static void assert_way(int way, const char *from, const char *via)
{
	const struct fg_way *w = &bed.ways.list[way - 1];

	assert_int_equal(w->error, 0);
	assert_string_equal(text_of(&w->route.from), from);
	assert_string_equal(text_of(&w->route.via), via);
	assert_int_equal(w->route.ifindex, bed.pod.peer.ifindex);
	assert_int_equal(w->cause.kind, FG_CAUSE_NONE);
}

/* Longer than an answer is good. */
static void wait_a_while(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 60000000 }, NULL);
}

static void test_equal_answers_have_one_number(void **state)
{
	(void)state;
	assert_int_equal(ask("10.9.2.9", IPPROTO_UDP, 53), 1);
	assert_way(1, "10.9.1.9", "10.9.1.1");
	assert_int_equal(ask("10.9.2.8", IPPROTO_UDP, 53), 1);
	assert_int_equal(ask("10.9.2.9", IPPROTO_TCP, 80), 1);
	/* On its own link there is no gateway. */
	assert_int_equal(ask("10.9.1.7", IPPROTO_UDP, 53), 2);
	assert_way(2, "10.9.1.9", "-");
	assert_int_equal(ask("fd09:2::9", IPPROTO_UDP, 53), 3);
	assert_way(3, "fd09:1::9", "fd09:1::1");
	assert_int_equal(ask("10.9.2.9", IPPROTO_UDP, 53), 1);
	assert_int_equal(bed.ways.count, 3);
	/* Ports are no part of what was asked; protocol, destination and TOS are. */
	assert_int_equal(bed.ways.asked_count, 5);
	assert_int_equal(ask("10.9.2.9", IPPROTO_UDP, 54), 1);
	assert_int_equal(bed.ways.asked_count, 5);
}

static void test_what_refuses_it_is_named(void **state)
{
	int prohibited, other;

	(void)state;
	MUST("web ip route add prohibit 10.9.7.0/24; web ip route add prohibit 10.9.8.0/24; "
	     "web ip route add unreachable 10.9.6.0/24");
	prohibited = ask("10.9.7.7", IPPROTO_UDP, 53);
	assert_int_equal(bed.ways.list[prohibited - 1].error, -EACCES);
	assert_string_equal(bed.ways.list[prohibited - 1].cause.what,
			    "prohibit 10.9.7.0/24 in table main");
	assert_int_equal(ask("10.9.7.8", IPPROTO_UDP, 53), prohibited);
	/* The same errno by another route is another answer. */
	other = ask("10.9.8.8", IPPROTO_UDP, 53);
	assert_int_not_equal(other, prohibited);
	assert_string_equal(bed.ways.list[other - 1].cause.what,
			    "prohibit 10.9.8.0/24 in table main");
	other = ask("10.9.6.6", IPPROTO_UDP, 53);
	assert_int_equal(bed.ways.list[other - 1].error, -EHOSTUNREACH);
	MUST("web ip route del default; web ip -6 route del default");
	other = ask("192.0.2.1", IPPROTO_UDP, 53);
	assert_int_equal(bed.ways.list[other - 1].error, -ENETUNREACH);
	other = ask("2001:db8::1", IPPROTO_UDP, 53);
	assert_int_equal(bed.ways.list[other - 1].error, -ENETUNREACH);
}

static void test_an_answer_is_good_for_a_moment(void **state)
{
	struct fg_connect_query q = query("10.9.2.9", IPPROTO_UDP, 53);
	struct timespec before, after;
	int first, second;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &before);
	first = ask("10.9.2.9", IPPROTO_UDP, 53);
	assert_int_equal(bed.ways.asked_count, 1);
	bed.ways.asked[0].way = 77; /* what is not asked again is this */
	second = fg_ways_find(&bed.ways, &bed.pod, &q, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	/* Unless this machine was busy with something else. */
	if (after.tv_sec == before.tv_sec && after.tv_nsec - before.tv_nsec < 40000000)
		assert_int_equal(second, 77);
	wait_a_while();
	assert_int_equal(fg_ways_find(&bed.ways, &bed.pod, &q, NULL), first);
	assert_int_equal(bed.ways.asked_count, 1);
	MUST("web ip route add prohibit 10.9.2.0/24");
	wait_a_while();
	assert_int_equal(error_of("10.9.2.9", 53), -EACCES);
	MUST("web ip route del prohibit 10.9.2.0/24");
	wait_a_while();
	assert_int_equal(ask("10.9.2.9", IPPROTO_UDP, 53), first);
}

/* Then each port is asked for, however lately another was. */
static void test_rules_may_look_at_ports(void **state)
{
	const struct fg_connect_query sctp = query("10.9.2.9", IPPROTO_SCTP, 53);
	struct fg_error err;
	int open, refused;

	(void)state;
	MUST("web ip rule add ipproto udp dport 53 prohibit prio 10");
	open = ask("10.9.2.9", IPPROTO_UDP, 80);
	refused = ask("10.9.2.9", IPPROTO_UDP, 53);
	assert_int_equal(bed.ways.list[open - 1].error, 0);
	assert_int_equal(bed.ways.list[refused - 1].error, -EACCES);
	assert_non_null(strstr(bed.ways.list[refused - 1].cause.what, "rule 10"));
	assert_int_equal(ask("10.9.2.9", IPPROTO_UDP, 80), open);
	assert_int_equal(ask("10.9.2.9", IPPROTO_UDP, 53), refused);
	assert_int_equal(ask("10.9.2.9", IPPROTO_TCP, 53), open);
	/* Of a protocol that cannot be asked for nobody knows. */
	assert_int_equal(fg_ways_find(&bed.ways, &bed.pod, &sctp, &err), 0);
	assert_int_equal(err.kind, FG_ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "route of protocol 132"));
	MUST("web ip rule del prio 10");
	wait_a_while();
	assert_int_equal(fg_ways_find(&bed.ways, &bed.pod, &sctp, &err), open);
}

/* --- where it goes on the node --- */

static void assert_goal(const char *dst, enum fg_goal_kind kind, pid_t pid, const char *device)
{
	const struct fg_addr to = addr(dst),
			     from = addr(strchr(dst, ':') ? "fd09:1::9" : "10.9.1.9");
	struct fg_goal goal;
	struct fg_error err;
	struct fg_link link = {};
	char path[64];
	FG_FD int fd = -1;

	if (fg_goal_find(&bed.host, &bed.pod, &from, &to, bed.pod.primary.mac, NULL, &goal, &err))
		fail_msg("%s: %s", dst, err.message);
	if (goal.kind != kind)
		fail_msg("%s: goal %d, should be %d", dst, goal.kind, kind);
	if (pid) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
		fd = fg_netns_open(path, NULL);
		assert_int_equal(goal.netns, fg_netns_inode(fd));
		assert_int_equal(goal.cookie, fg_netns_cookie(fd));
	}
	if (!device) {
		assert_int_equal(goal.ifindex, 0);
		return;
	}
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(fd, NULL);

	assert_int_equal(fg_link_get(sk, 0, device, &link, NULL), 0);
	assert_int_equal(goal.ifindex, link.ifindex);
}

static void test_goals_by_route(void **state)
{
	(void)state;
	assert_goal("10.9.2.9", FG_GOAL_POD, bed.dst, "eth0");
	assert_goal("fd09:2::9", FG_GOAL_POD, bed.dst, "eth0");
	assert_goal("10.9.2.1", FG_GOAL_HOST, 0, NULL);
	assert_goal("10.9.1.1", FG_GOAL_HOST, 0, NULL);
	assert_goal("fd09:1::1", FG_GOAL_HOST, 0, NULL);
	/* Nobody there holds it. */
	assert_goal("10.9.2.8", FG_GOAL_OUT, 0, "hdst");
	/* No route at all. */
	assert_goal("192.0.2.1", FG_GOAL_OUT, 0, NULL);
	MUST("ip tuntap add dev up0 mode tap; ip link set up0 up; ip addr add 198.51.100.1/24 dev up0; "
	     "ip route add default via 198.51.100.2");
	assert_goal("192.0.2.1", FG_GOAL_OUT, 0, "up0");
	/* Behind dst, which routes. */
	assert_goal("10.9.3.9", FG_GOAL_POD, bed.deep, "eth0");
	assert_goal("fd09:3::9", FG_GOAL_POD, bed.deep, "eth0");
	/* It is dst's own there. */
	assert_goal("10.9.3.1", FG_GOAL_POD, bed.dst, "eth0");
}

/* Anybody can put any address on a loopback device: only where the routes lead is asked. */
static void test_a_decoy_is_no_goal(void **state)
{
	(void)state;
	MUST("deep ip addr add 10.9.2.8/32 dev lo; web ip addr add 10.9.2.7/32 dev lo; "
	     "deep ip addr add 192.0.2.9/32 dev lo");
	assert_goal("10.9.2.8", FG_GOAL_OUT, 0, "hdst");
	assert_goal("10.9.2.7", FG_GOAL_OUT, 0, "hdst");
	assert_goal("192.0.2.9", FG_GOAL_OUT, 0, NULL);
	MUST("ip route add 192.0.2.9 via 10.9.2.9; dst ip route add 192.0.2.9 via 10.9.3.9");
	assert_goal("192.0.2.9", FG_GOAL_POD, bed.deep, "eth0");
}

/* A bridge on the way: to the port of the address, or to all. */
static void test_goals_by_bridge(void **state)
{
	(void)state;
	if (run("ip link add br0 type bridge && ip link set br0 up"))
		prog_skip("this kernel has no bridge");
	MUST("ip addr flush dev hdst; ip link set hdst master br0; ip addr add 10.9.2.1/24 dev br0; "
	     "ip addr add fd09:2::1/64 dev br0 nodad");
	/* The neighbour is not known: the one behind which somebody holds it. */
	assert_goal("10.9.2.9", FG_GOAL_POD, bed.dst, "eth0");
	assert_goal("10.9.2.8", FG_GOAL_OUT, 0, "br0");
	/* It is known, and has dst's address: by what the bridge has learnt, or by flooding. */
	MUST("ip neigh replace 10.9.2.9 dev br0 nud permanent lladdr "
	     "$(dst ip -br link show eth0 | awk '{ print $3 }')");
	assert_goal("10.9.2.9", FG_GOAL_POD, bed.dst, "eth0");
	/* Another's address: that one would get it, and dst would not take it. */
	MUST("ip neigh replace 10.9.2.9 dev br0 nud permanent lladdr 02:00:00:00:00:99");
	assert_goal("10.9.2.9", FG_GOAL_OUT, 0, "br0");
	MUST("bridge fdb replace 02:00:00:00:00:99 dev hdst master static");
	assert_goal("10.9.2.9", FG_GOAL_POD, bed.dst, "eth0");
}

static struct fg_goal goal_after(const struct fg_goal *last)
{
	const struct fg_addr to = addr("10.9.2.9"), from = addr("10.9.1.9");
	struct fg_goal goal;
	struct fg_error err;

	if (fg_goal_find(&bed.host, &bed.pod, &from, &to, bed.pod.primary.mac, last, &goal, &err))
		fail_msg("%s", err.message);
	return goal;
}

/* A session asks each second: then not all ports are searched again. */
static void test_the_port_it_was_behind_is_tried_first(void **state)
{
	struct fg_goal first, again, moved;

	(void)state;
	if (run("ip link add br0 type bridge && ip link set br0 up"))
		prog_skip("this kernel has no bridge");
	MUST("ip addr flush dev hdst; ip addr add 10.9.2.1/24 dev br0; "
	     "for i in 1 2 3 4 5; do ip link add p$i master br0 type veth peer name q$i netns %d; done; "
	     "ip link add last0 master br0 type veth peer name eth9 netns %d; ip link set last0 up",
	     bed.deep, bed.dst);
	first = goal_after(NULL);
	assert_int_equal(first.kind, FG_GOAL_POD);
	assert_int_equal(first.entered, 6);
	again = goal_after(&first);
	assert_int_equal(again.entered, 1);
	assert_int_equal(again.kind, FG_GOAL_POD);
	assert_int_equal(again.netns, first.netns);
	assert_int_equal(again.ifindex, first.ifindex);
	assert_int_equal(again.ports[0], first.ports[0]);
	/* It is a port no more, and another is. */
	MUST("ip link set last0 nomaster; ip link set hdst master br0");
	moved = goal_after(&again);
	assert_int_equal(moved.kind, FG_GOAL_POD);
	assert_int_equal(moved.netns, first.netns);
	assert_int_not_equal(moved.ifindex, first.ifindex);
	/* It does not hold the address any more. */
	MUST("dst ip addr del 10.9.2.9/24 dev eth0");
	moved = goal_after(&moved);
	assert_int_equal(moved.kind, FG_GOAL_OUT);
	assert_int_equal(moved.ports[0], 0);
}

/* web and dst on one bridge, which has no address: by the Ethernet address alone. */
static void test_goals_on_one_link(void **state)
{
	const struct fg_addr to = addr("10.9.1.8"), from = addr("10.9.1.9");
	static const uint8_t nobody[6] = { 2, 0, 0, 0, 0, 0x99 };
	struct fg_goal goal;
	struct fg_pod dst;
	char ref[32];

	(void)state;
	if (run("ip link add br0 type bridge && ip link set br0 up"))
		prog_skip("this kernel has no bridge");
	MUST("for d in hweb hdst; do ip addr flush dev $d; ip link set $d master br0; done; "
	     "dst ip addr add 10.9.1.8/24 dev eth0");
	snprintf(ref, sizeof(ref), "pid:%d", bed.dst);
	assert_int_equal(fg_pod_open(&bed.host, ref, NULL, &dst, NULL), 0);
	fg_pod_close(&bed.pod);
	snprintf(ref, sizeof(ref), "pid:%d", bed.web);
	assert_int_equal(fg_pod_open(&bed.host, ref, NULL, &bed.pod, NULL), 0);
	assert_int_equal(
		fg_goal_find(&bed.host, &bed.pod, &from, &to, dst.peer.mac, NULL, &goal, NULL), 0);
	assert_int_equal(goal.kind, FG_GOAL_POD);
	assert_int_equal(goal.netns, dst.inode);
	assert_int_equal(goal.ifindex, dst.peer.ifindex);
	/* An address that nobody has there. */
	assert_int_equal(fg_goal_find(&bed.host, &bed.pod, &from, &to, nobody, NULL, &goal, NULL),
			 0);
	assert_int_equal(goal.kind, FG_GOAL_OUT);
	/* One that is dst's, for an address that it does not hold. */
	MUST("dst ip addr del 10.9.1.8/24 dev eth0; web ip addr add 10.9.1.8/32 dev lo");
	assert_int_equal(
		fg_goal_find(&bed.host, &bed.pod, &from, &to, dst.peer.mac, NULL, &goal, NULL), 0);
	assert_int_equal(goal.kind, FG_GOAL_OUT);
	fg_pod_close(&dst);
}

/* The process has no descriptor left: what is in the way cannot be looked at. */
static void test_a_namespace_that_cannot_be_opened(void **state)
{
	const struct fg_addr to = addr("10.9.2.9"), from = addr("10.9.1.9");
	const uint8_t *mac = bed.pod.primary.mac;
	struct rlimit before, none;
	int ret[2], below[2];
	struct fg_goal goal;
	struct fg_error err[2] = {};
	FG_FD int last = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ (rlim_t)last, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	/* Not all callers want to know why. */
	ret[0] = fg_goal_find(&bed.host, &bed.pod, &from, &to, mac, NULL, &goal, NULL);
	ret[1] = fg_goal_find(&bed.host, &bed.pod, &from, &to, mac, NULL, &goal, &err[0]);
	below[0] = fg_below_look(&bed.host, &bed.pod, NULL);
	below[1] = fg_below_look(&bed.host, &bed.pod, &err[1]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ret[i], -1);
		assert_int_equal(below[i], -1);
		assert_int_equal(err[i].code, EMFILE);
		assert_non_null(strstr(err[i].message, "the other end of h"));
	}
	assert_goal("10.9.2.9", FG_GOAL_POD, bed.dst, "eth0");
}

/* --- namespaces that are others by now --- */

#define SECOND 1000000000ULL

static bool has_names(const struct fg_device_table *names, uint32_t netns)
{
	return fg_device_table_device(names, netns, 1) != NULL;
}

static void test_names_are_forgotten_with_the_namespace(void **state)
{
	FG_FD int nobodys = fg_netns_create(NULL);
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(nobodys, NULL);
	const uint32_t unlisted = fg_netns_inode(nobodys);
	struct fg_device_table names = {};
	pid_t pid = make_pod();
	char path[64];
	FG_FD int fd = -1;
	uint32_t inode;

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	fd = fg_netns_open(path, NULL);
	inode = fg_netns_inode(fd);
	/* It came up after the host was looked at. */
	fg_device_table_find(&names, &bed.host, inode);
	assert_true(has_names(&names, inode));
	assert_int_equal(fg_device_table_add(&names, sk, unlisted, "nobody's", NULL), 0);
	fg_device_table_renew(&names, &bed.host, SECOND);
	assert_true(has_names(&names, inode));
	/* Its number is another's: that is noticed within a second. */
	names.seen[0].cookie++;
	fg_device_table_renew(&names, &bed.host, SECOND * 3 / 2);
	assert_true(has_names(&names, inode));
	fg_device_table_renew(&names, &bed.host, SECOND * 2);
	assert_false(has_names(&names, inode));
	/* What no list leads to stays. */
	assert_true(has_names(&names, unlisted));
	assert_int_equal(names.seen_count, 1);
	fg_device_table_find(&names, &bed.host, inode);
	assert_true(has_names(&names, inode));
	/* It is gone, and told so before the second is over. */
	fg_device_table_renew(&names, &bed.host, SECOND * 3);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	names.looked_ns = 0;
	fg_device_table_renew(&names, &bed.host, SECOND * 3 + 1);
	assert_false(has_names(&names, inode));
	assert_null(fg_netns_list_find(&bed.host.list, inode));
	assert_true(has_names(&names, unlisted));
	fg_device_table_forget(&names, unlisted);
	assert_false(has_names(&names, unlisted));
	assert_int_equal(names.count + names.seen_count, 0);
	fg_device_table_free(&names);
}

static void assert_label(struct fg_host *host, uint32_t inode, const char *label)
{
	char text[330];
	const char *got = fg_host_label(host, inode, text, sizeof(text));

	assert_string_equal(got ?: "", label);
}

/* A pod in the place of another, with the inode number that this had. */
static void test_pods_have_the_names_of_now(void **state)
{
	static const struct host_pod before = { 'a', "shop", "old", "u1", "/run/netns/cni-1", 100 },
				     after = { 'b', "shop", "new", "u2", "/run/netns/cni-1", 200 };
	struct hostroot root;
	struct fg_host host;
	uint32_t inode;

	(void)state;
	if (!host_make(&root))
		prog_skip("no namespaces");
	inode = root.inode[HOST_NETNS_A];
	host_put_netns(&root, before.netns, HOST_NETNS_A);
	host_put_containerd(&root, &before);
	assert_int_equal(fg_host_open(&host, root.path, NULL), 0);
	assert_label(&host, inode, "shop/old");
	host_take_away(&root, "/run/containerd");
	host_put_containerd(&root, &after);
	assert_label(&host, inode, "shop/old");
	assert_int_equal(fg_host_renew(&host, NULL), 0);
	assert_label(&host, inode, "shop/new");
	fg_host_close(&host);
	host_remove(&root);
}

/* What was known of another namespace with the number says nothing of this one. */
static void test_receivers_are_of_one_namespace(void **state)
{
	struct fg_device_table names = {};
	struct fg_receivers receivers = { .host = &bed.host, .names = &names };
	struct fg_receiver *first, *second;
	size_t devices;
	pid_t pid = make_pod();
	char path[64];
	FG_FD int fd = -1;
	uint32_t inode;

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	fd = fg_netns_open(path, NULL);
	inode = fg_netns_inode(fd);
	devices = bed.host.links.count;
	MUST("ip link add new0 type veth peer name new1");
	assert_int_equal(fg_host_renew(&bed.host, NULL), 0);
	assert_int_equal(bed.host.links.count, devices + 2);
	first = fg_receiver_of_netns(&receivers, inode, 0);
	assert_non_null(first);
	assert_ptr_equal(fg_receiver_of_netns(&receivers, inode, 0), first);
	first->cookie++;
	second = fg_receiver_of_netns(&receivers, inode, 0);
	assert_non_null(second);
	assert_ptr_not_equal(second, first);
	assert_true(first->stale);
	assert_false(second->stale);
	fg_receivers_free(&receivers);
	fg_device_table_free(&names);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* --- somebody outside --- */

static void test_who_may_be_outside(void **state)
{
	static const struct {
		const char *src, *why;
	} rows[] = {
		{ "192.0.2.1", NULL },
		{ "10.9.1.1", "source 10.9.1.1: it is an address of the node itself" },
		{ "10.9.2.9", "source 10.9.2.9: it is an address of a pod on this node" },
		{ "192.0.2.1", NULL },
		{ "192.0.2.2", NULL },
	};
	static const int numbers[] = { 1, 0, 0, 1, 2 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fg_addr src = addr(rows[i].src);
		struct fg_error err = {};
		int way = fg_ways_outside(&bed.ways, &bed.host, &bed.pod, &src, &err);

		assert_int_equal(way, numbers[i]);
		if (!rows[i].why) {
			assert_true(fg_addr_equal(&bed.ways.list[way - 1].route.from, &src));
			continue;
		}
		assert_int_equal(err.kind, FG_ERR_USAGE);
		if (!strstr(err.message, rows[i].why))
			fail_msg("%s", err.message);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* --- where else a program is attached --- */

static uint32_t load(int *fd)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	*fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "next", "GPL", insns, COUNT(insns), NULL);
	assert_true(*fd >= 0);
	assert_int_equal(bpf_prog_get_info_by_fd(*fd, &info, &len), 0);
	return info.id;
}

static int device(const char *name)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(-1, NULL);
	struct fg_link link;

	assert_int_equal(fg_link_get(sk, 0, name, &link, NULL), 0);
	return link.ifindex;
}

/* As a filter on what the device of the node receives. */
static int filter(const char *name, uint32_t chain, int fd)
{
	const struct tcmsg head = {
		.tcm_ifindex = device(name),
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
		.tcm_info = TC_H_MAKE(1 << 16, htons(ETH_P_ALL)),
	};
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(-1, NULL);
	FG_NL_MSG struct nl_msg *msg =
		nlmsg_alloc_simple(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *nest;

	run("tc qdisc add dev %s clsact 2> /dev/null", name);
	nlmsg_append(msg, (void *)&head, sizeof(head), NLMSG_ALIGNTO);
	nla_put_string(msg, TCA_KIND, "bpf");
	nla_put_u32(msg, TCA_CHAIN, chain);
	nest = nla_nest_start(msg, TCA_OPTIONS);
	nla_put_u32(msg, TCA_BPF_FD, (uint32_t)fd);
	nla_put_string(msg, TCA_BPF_NAME, "next");
	nla_put_u32(msg, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	nla_nest_end(msg, nest);
	return fg_rtnl_request(sk, msg);
}

/* At how many places, by a new list. */
static size_t places(struct fg_attachments *a, uint32_t id)
{
	size_t found = 0;

	fg_attachments_alone(a, &bed.host, id, fg_clock_now());
	for (size_t i = 0; i < a->count; i++)
		found += a->list[i] == id;
	return found;
}

/* What else this machine has may come and go, and cannot be listed at that moment. */
static bool gets_alone(struct fg_attachments *a, uint32_t id)
{
	for (int i = 0; i < 500; i++) {
		if (fg_attachments_alone(a, &bed.host, id, fg_clock_now()))
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	}
	return false;
}

static void test_attached_once(void **state)
{
	struct fg_attachments a = {};
	FG_FD int fd = -1;
	uint32_t id = load(&fd);

	(void)state;
	/* It is said of one that is attached: where the list has it not, it does not know all. */
	assert_int_equal(places(&a, id), 0);
	assert_false(fg_attachments_alone(&a, &bed.host, id, 0));
	assert_int_equal(filter("hweb", 0, fd), 0);
	assert_true(gets_alone(&a, id));
	assert_int_equal(filter("hdst", 0, fd), 0);
	assert_int_equal(places(&a, id), 2);
	assert_false(fg_attachments_alone(&a, &bed.host, id, 0));
	fg_attachments_forget(&a);
}

static void test_attached_in_another_chain(void **state)
{
	struct fg_attachments a = {};
	FG_FD int fd = -1;
	uint32_t id = load(&fd);

	(void)state;
	assert_int_equal(filter("hweb", 0, fd), 0);
	assert_int_equal(filter("hdst", 7, fd), 0);
	assert_int_equal(places(&a, id), 2);
	assert_false(fg_attachments_alone(&a, &bed.host, id, 0));
	fg_attachments_forget(&a);
}

/* ip(8) may be older than netkit. */
static int make_netkit(const char *name)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(-1, NULL);
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info;

	nlmsg_append(msg, (void *)&head, sizeof(head), NLMSG_ALIGNTO);
	nla_put_string(msg, IFLA_IFNAME, name);
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "netkit");
	nla_nest_end(msg, info);
	return fg_rtnl_request(sk, msg);
}

static void test_attached_for_netkits_peer(void **state)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	struct fg_attachments a = {};
	FG_FD int fd = -1, first = -1, second = -1;
	uint32_t id = load(&fd);

	(void)state;
	if (make_netkit("kit1"))
		prog_skip("this kernel has no netkit");
	assert_int_equal(make_netkit("kit2"), 0);
	first = bpf_link_create(fd, device("kit1"), BPF_NETKIT_PEER, &opts);
	assert_true(first >= 0);
	assert_true(gets_alone(&a, id));
	second = bpf_link_create(fd, device("kit2"), BPF_NETKIT_PEER, &opts);
	assert_true(second >= 0);
	assert_int_equal(places(&a, id), 2);
	assert_false(fg_attachments_alone(&a, &bed.host, id, 0));
	fg_attachments_forget(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_equal_answers_have_one_number),
		TEST(test_what_refuses_it_is_named),
		TEST(test_an_answer_is_good_for_a_moment),
		TEST(test_rules_may_look_at_ports),
		TEST(test_goals_by_route),
		TEST(test_a_decoy_is_no_goal),
		TEST(test_goals_by_bridge),
		TEST(test_the_port_it_was_behind_is_tried_first),
		TEST(test_goals_on_one_link),
		TEST(test_a_namespace_that_cannot_be_opened),
		TEST(test_names_are_forgotten_with_the_namespace),
		TEST(test_pods_have_the_names_of_now),
		TEST(test_receivers_are_of_one_namespace),
		TEST(test_who_may_be_outside),
		TEST(test_attached_once),
		TEST(test_attached_in_another_chain),
		TEST(test_attached_for_netkits_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
