// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_cause.c - real packets that a real kernel drops, and what fg_cause_find() says of it
 * afterwards. A node (a network namespace of this process) routes between two pods, web and dst.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/bpf.h>
#include <netlink/socket.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/count.h"
#include "base/fd.h"
#include "cause/find.h"
#include "../bpf/drops.h"
#include "host/cgroup.h"
#include "host/reason.h"
#include "host/symbol.h"
#include "net/link.h"
#include "net/netns.h"
#include "prog.h"
#include "facts/hint.h"

static struct {
	int node, web, dst; /* namespaces */
	struct nl_sock *node_rtnl, *dst_rtnl;
	int hweb, hdst, eth0; /* devices: of the node, and of dst */
	struct bpf_object *drops;
	struct bpf_link *link;
	struct fg_reasons *reasons;
	struct fg_symbols *symbols;
	uint16_t port;
} bed;

/* --- the node --- */

static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* In a shell where "web" and "dst" run what follows in these pods. */
static int run(const char *fmt, ...)
{
	char command[2000], *text;
	va_list args;

	va_start(args, fmt);
	assert_true(vasprintf(&text, fmt, args) >= 0);
	va_end(args);
	snprintf(command, sizeof(command),
		 "web() { nsenter --net=/proc/%d/fd/%d \"$@\"; }; "
		 "dst() { nsenter --net=/proc/%d/fd/%d \"$@\"; }; set -e; %s",
		 getpid(), bed.web, getpid(), bed.dst, text);
	free(text);
	return system(command);
}

#define MUST(...) assert_int_equal(run(__VA_ARGS__), 0)

static int index_of(struct nl_sock *sk, const char *name)
{
	struct fg_link link;

	assert_int_equal(fg_link_get(sk, 0, name, &link, NULL), 0);
	return link.ifindex;
}

static void pod(const char *name, int fd, int net)
{
	MUST("ip link add h%s type veth peer name eth0 netns /proc/%d/fd/%d; ip link set h%s up; "
	     "%s ip link set lo up; %s ip link set eth0 up; "
	     "sysctl -qw net.ipv6.conf.h%s.accept_dad=0; "
	     "ip addr add 10.9.%d.1/24 dev h%s; ip addr add fd09:%d::1/64 dev h%s nodad; "
	     "%s ip addr add 10.9.%d.9/24 dev eth0; %s ip addr add fd09:%d::9/64 dev eth0 nodad; "
	     "%s ip route add default via 10.9.%d.1; %s ip route add default via fd09:%d::1",
	     name, getpid(), fd, name, name, name, name, net, name, net, name, name, net, name, net,
	     name, net, name, net);
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	bed.node = fg_netns_open("/proc/thread-self/ns/net", NULL);
	bed.web = fg_netns_create(NULL);
	bed.dst = fg_netns_create(NULL);
	assert_true(bed.node >= 0 && bed.web >= 0 && bed.dst >= 0);
	/* For the commands. */
	fcntl(bed.web, F_SETFD, 0);
	fcntl(bed.dst, F_SETFD, 0);
	MUST("ip link set lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
	     "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 "
	     "net.ipv4.icmp_ratelimit=0");
	pod("web", bed.web, 1);
	pod("dst", bed.dst, 0);
	bed.node_rtnl = fg_rtnl_open(-1, NULL);
	bed.dst_rtnl = fg_rtnl_open(bed.dst, NULL);
	bed.hweb = index_of(bed.node_rtnl, "hweb");
	bed.hdst = index_of(bed.node_rtnl, "hdst");
	bed.eth0 = index_of(bed.dst_rtnl, "eth0");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nl_socket_free(bed.node_rtnl);
	nl_socket_free(bed.dst_rtnl);
	fg_fd_close(&bed.node);
	fg_fd_close(&bed.web);
	fg_fd_close(&bed.dst);
	return 0;
}

static int group_setup(void **state)
{
	(void)state;
	bed.reasons = fg_reasons_open(NULL);
	bed.symbols = fg_symbols_new(NULL);
	bed.drops = bpf_object__open_file(FLOWGEN_BUILD_DIR "/tests/bpf/drops.bpf.o", NULL);
	assert_non_null(bed.drops);
	prog_load(bed.drops);
	bed.link = bpf_program__attach(bpf_object__find_program_by_name(bed.drops, "drops_free"));
	assert_non_null(bed.link);
	bed.port = 4000;
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	bpf_link__destroy(bed.link);
	bpf_object__close(bed.drops);
	fg_reasons_free(bed.reasons);
	fg_symbols_free(bed.symbols);
	return 0;
}

/* --- the packet --- */

struct packet {
	const char *src, *dst; /* src NULL: the pod's own */
	int ttl;	       /* 0: the default */
	size_t length;	       /* of the payload */
	bool whole;	       /* may not be fragmented */
};

static socklen_t address(const char *text, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
	struct sockaddr_in *four = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (strchr(text, ':')) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
		return sizeof(*six);
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(port);
	assert_int_equal(inet_pton(AF_INET, text, &four->sin_addr), 1);
	return sizeof(*four);
}

static int open_udp(int netns, int family)
{
	int back, fd;

	assert_int_equal(fg_netns_enter(netns, &back, NULL), 0);
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fg_netns_leave(&back);
	assert_true(fd >= 0);
	return fd;
}

static void set(int fd, int level, int option, int value)
{
	assert_int_equal(setsockopt(fd, level, option, &value, sizeof(value)), 0);
}

/* The running kernel's number of a drop reason; 0: it has none. */
static uint32_t code_of(const char *name)
{
	for (uint32_t code = 1; code < 512; code++) {
		const char *text = fg_reasons_name(bed.reasons, code);

		if (text && !strcmp(text, name))
			return code;
	}
	return 0;
}

/* Sends it from web, each to a port of its own. */
static void send_packet(const struct packet *p)
{
	bool six = strchr(p->dst, ':');
	FG_FD int fd = open_udp(bed.web, six ? AF_INET6 : AF_INET);
	struct drops_want want = { .port = ++bed.port,
				   .consumed = code_of("CONSUMED"),
				   .netns = { fg_netns_inode(bed.node), fg_netns_inode(bed.web),
					      fg_netns_inode(bed.dst) } };
	struct drops_seen none = {};
	struct sockaddr_storage to;
	static char bytes[9000];
	socklen_t len;

	prog_set(bed.drops, "drops", &none);
	prog_set(bed.drops, "wants", &want);
	if (p->src) {
		set(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_TRANSPARENT : IP_TRANSPARENT,
		    1);
		len = address(p->src, 5000, &to);
		assert_int_equal(bind(fd, (void *)&to, len), 0);
	}
	if (p->ttl)
		set(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_UNICAST_HOPS : IP_TTL, p->ttl);
	if (p->whole)
		set(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
		    IP_PMTUDISC_PROBE);
	len = address(p->dst, bed.port, &to);
	assert_int_equal(sendto(fd, bytes, p->length, 0, (void *)&to, len), p->length);
}

static struct drops_seen seen_now(void)
{
	struct drops_seen seen;

	prog_get(bed.drops, "drops", &seen);
	return seen;
}

static bool wait_drop(struct drops_seen *out)
{
	for (int i = 0; i < 2500; i++) {
		*out = seen_now();
		if (out->count)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	return false;
}

static void parse(const char *text, struct fg_addr *out)
{
	assert_int_equal(fg_parse_addr("address", text, out, NULL), 0);
}

static struct fg_cause_place place_of(const struct packet *p, const struct drops_seen *seen)
{
	bool six = strchr(p->dst, ':');
	bool in_dst = seen->netns == fg_netns_inode(bed.dst);
	const char *src = p->src ? p->src : six ? "fd09:1::9" : "10.9.1.9";
	struct fg_cause_place place = {
		.netns = in_dst ? bed.dst : bed.node,
		.rtnl = in_dst ? bed.dst_rtnl : bed.node_rtnl,
		.where = in_dst ? "dst" : "host",
		.ifindex = (int)seen->ifindex,
		.received_on = in_dst ? bed.eth0 : bed.hweb,
		.hops = seen->hops,
		.length = (uint32_t)p->length + (six ? 48 : 28),
		.from_rtnl = in_dst ? bed.node_rtnl : NULL,
		.from_ifindex = in_dst ? bed.hdst : 0,
		.flow = { .family = six ? AF_INET6 : AF_INET,
			  .protocol = IPPROTO_UDP,
			  .sport = 5000,
			  .dport = bed.port },
	};

	parse(src, &place.flow.src);
	parse(p->dst, &place.flow.dst);
	place.reason = seen->reason ? fg_reasons_name(bed.reasons, seen->reason) : NULL;
	place.symbol = fg_symbols_name(bed.symbols, seen->location);
	return place;
}

struct want {
	enum fg_cause_kind kind;
	const char *how;
	const char *what; /* part of the text */
	const char *setting, *value;
};

static void check(const struct fg_cause_place *place, const struct want *want)
{
	char text[FG_CAUSE_TEXT_LEN], hint[FG_HINT_LEN];
	struct fg_cause cause;

	printf("# %s at %s\n", place->reason ? place->reason : "-",
	       place->symbol ? place->symbol : "-");
	if (!fg_cause_find(place, &cause))
		fail_msg("nothing found, want %s", fg_cause_kind_name(want->kind));
	printf("#   %s/%s: %s\n", fg_cause_kind_name(cause.kind), cause.how ? cause.how : "-",
	       fg_cause_text(&cause, text, sizeof(text)));
	assert_true(fg_hint_for(place->reason, place->symbol, "hdst (host)", &cause, hint,
				sizeof(hint)));
	printf("#   %s\n", hint);
	assert_string_equal(fg_cause_kind_name(cause.kind), fg_cause_kind_name(want->kind));
	if (want->how)
		assert_string_equal(cause.how, want->how);
	if (!strstr(cause.what, want->what))
		fail_msg("'%s' is not in '%s'", want->what, cause.what);
	assert_string_equal(cause.setting, want->setting ? want->setting : "");
	assert_string_equal(cause.value, want->value ? want->value : "");
}

static void drop(const struct packet *packet, const struct want *want)
{
	struct fg_cause_place place;
	struct drops_seen seen;
	bool seen_once;

	send_packet(packet);
	seen_once = wait_drop(&seen);
	/* A timer's drop may be missed: the kernel lets no tracing program interrupt itself. */
	if (!seen_once) {
		send_packet(packet);
		seen_once = wait_drop(&seen);
	}
	if (!seen_once)
		fail_msg("%s: no drop was seen", packet->dst);
	place = place_of(packet, &seen);
	check(&place, want);
}

/* --- routes and rules --- */

static void test_routes(void **state)
{
	(void)state;
	MUST("ip route add prohibit 10.9.64.0/18; ip route add blackhole 10.9.7.0/24; "
	     "ip route add unreachable 10.9.8.8; ip route add throw 10.9.6.0/24; "
	     "ip -6 route add prohibit fd09:70::/28; ip -6 route add blackhole fd09:7::/64; "
	     "ip -6 route add unreachable fd09:8::8");
	drop(&(struct packet){ .dst = "10.9.70.7" },
	     &(struct want){ FG_CAUSE_ROUTE, "prohibit", "prohibit 10.9.64.0/18 in table main" });
	drop(&(struct packet){ .dst = "10.9.7.7" },
	     &(struct want){ FG_CAUSE_ROUTE, "blackhole", "blackhole 10.9.7.0/24 in table main" });
	drop(&(struct packet){ .dst = "10.9.8.8" },
	     &(struct want){ FG_CAUSE_ROUTE, "unreachable", "unreachable 10.9.8.8/32" });
	drop(&(struct packet){ .dst = "10.9.9.1" },
	     &(struct want){ FG_CAUSE_ROUTE, "no-route",
			     "no route to 10.9.9.1 from 10.9.1.9 in table main" });
	drop(&(struct packet){ .dst = "10.9.6.1" },
	     &(struct want){ FG_CAUSE_ROUTE, "no-route", "no route to 10.9.6.1" });
	drop(&(struct packet){ .dst = "fd09:71::7" },
	     &(struct want){ FG_CAUSE_ROUTE, "prohibit", "prohibit fd09:70::/28 in table main" });
	drop(&(struct packet){ .dst = "fd09:7::7" },
	     &(struct want){ FG_CAUSE_ROUTE, "blackhole", "blackhole fd09:7::/64" });
	drop(&(struct packet){ .dst = "fd09:8::8" },
	     &(struct want){ FG_CAUSE_ROUTE, "unreachable", "unreachable fd09:8::8/128" });
	drop(&(struct packet){ .dst = "fd09:9::1" },
	     &(struct want){ FG_CAUSE_ROUTE, "no-route",
			     "no route to fd09:9::1 from fd09:1::9 in table main" });
}

static void test_rules(void **state)
{
	(void)state;
	/* More specific, in another table, and behind: none of these three is it. */
	MUST("ip rule add from 10.9.1.9 lookup 100 prio 100; ip route add prohibit 10.9.0.0/16 table "
	     "100; ip route add blackhole 10.9.0.0/24 table 101; "
	     "ip rule add from 10.9.1.8 lookup 101 prio 50; ip rule add from 10.9.1.7 unreachable "
	     "prio 40; ip rule add from 10.9.1.6 ipproto udp dport 4000-5000 blackhole prio 30; "
	     "ip rule add from 10.9.1.5 goto 90 prio 20; ip rule add prohibit from 10.9.1.5 prio 25; "
	     "ip rule add from 10.9.1.5 iif hweb blackhole prio 90; "
	     "ip -6 rule add from fd09:1::9 lookup 100 prio 100; "
	     "ip -6 route add prohibit fd09::/64 table 100; "
	     "ip -6 rule add from fd09:1::7 prohibit prio 40");
	drop(&(struct packet){ .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_ROUTE, "prohibit",
			     "prohibit 10.9.0.0/16 in table 100, rule 100 (from 10.9.1.9)" });
	drop(&(struct packet){ .src = "10.9.1.8", .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_ROUTE, "blackhole",
			     "blackhole 10.9.0.0/24 in table 101, rule 50 (from 10.9.1.8)" });
	drop(&(struct packet){ .src = "10.9.1.7", .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_ROUTE, "unreachable",
			     "rule 40 (from 10.9.1.7): unreachable" });
	drop(&(struct packet){ .src = "10.9.1.6", .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_ROUTE, "blackhole",
			     "rule 30 (from 10.9.1.6 ipproto 17 dport 4000-5000): blackhole" });
	drop(&(struct packet){ .src = "10.9.1.5", .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_ROUTE, "blackhole",
			     "rule 90 (from 10.9.1.5 iif hweb): blackhole" });
	drop(&(struct packet){ .src = "10.9.1.9", .dst = "172.16.0.1" },
	     &(struct want){ FG_CAUSE_ROUTE, "no-route",
			     "in table 100 by rule 100 (from 10.9.1.9), main" });
	drop(&(struct packet){ .dst = "fd09::9" },
	     &(struct want){ FG_CAUSE_ROUTE, "prohibit",
			     "prohibit fd09::/64 in table 100, rule 100 (from fd09:1::9)" });
	drop(&(struct packet){ .src = "fd09:1::7", .dst = "fd09::9" },
	     &(struct want){ FG_CAUSE_ROUTE, "prohibit", "rule 40 (from fd09:1::7): prohibit" });
}

/* Each selector by itself, where it fits the packet, and where it does not. */
static void test_selectors(void **state)
{
	static const struct {
		const char *selector, *text; /* NULL: it does not fit */
	} rows[] = {
		{ "from all", "from all" },
		{ "from 10.9.1.0/24", "from 10.9.1.0/24" },
		{ "from 10.9.1.8/31", "from 10.9.1.8/31" },
		{ "from 10.9.1.10/31", NULL },
		{ "from 10.9.1.0/29", NULL },
		{ "to 10.9.0.9", "to 10.9.0.9" },
		{ "to 10.9.0.8/29", "to 10.9.0.8/29" },
		{ "to 10.9.0.0/29", NULL },
		{ "fwmark 0x5", "fwmark 0x5" },
		{ "fwmark 0x1/0x3", "fwmark 0x1/0x3" },
		{ "fwmark 0x2/0x3", NULL },
		{ "fwmark 0x4", NULL },
		{ "tos 0x10", "tos 0x10" },
		{ "tos 0x08", NULL },
		{ "ipproto udp", "ipproto 17" },
		{ "ipproto tcp", NULL },
		{ "ipproto udp sport 5000", "ipproto 17 sport 5000-5000" },
		{ "ipproto udp sport 4000-5000", "ipproto 17 sport 4000-5000" },
		{ "ipproto udp sport 5000-6000", "ipproto 17 sport 5000-6000" },
		{ "ipproto udp sport 5001-6000", NULL },
		{ "ipproto udp sport 4000-4999", NULL },
		{ "ipproto udp dport 53", "ipproto 17 dport 53-53" },
		{ "ipproto udp dport 54", NULL },
		{ "iif hweb", "iif hweb" },
		{ "iif hdst", NULL },
		{ "oif hdst", NULL },
		{ "not from 10.9.0.0/24", "not from 10.9.0.0/24" },
		{ "not from 10.9.1.0/24", NULL },
	};
	struct fg_cause_place place =
		place_of(&(struct packet){ .dst = "10.9.0.9" },
			 &(struct drops_seen){ .netns = fg_netns_inode(bed.node),
					       .ifindex = (uint32_t)bed.hweb });

	(void)state;
	place.reason = "IP_INNOROUTES";
	place.flow.dport = 53;
	place.mark = 5;
	place.tos = 0x11;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_cause cause = {};
		char want[200];

		MUST("ip rule add %s prohibit prio 10", rows[i].selector);
		if (!rows[i].text) {
			if (fg_cause_find(&place, &cause))
				fail_msg("%s: %s", rows[i].selector, cause.what);
		} else {
			snprintf(want, sizeof(want), "rule 10 (%s): prohibit", rows[i].text);
			assert_true(fg_cause_find(&place, &cause));
			assert_string_equal(cause.what, want);
		}
		MUST("ip rule del prio 10");
	}
}

/* A rule that selects says so, also if it leads to a table that is there anyway. */
static void test_rules_to_given_tables(void **state)
{
	static const struct {
		const char *selector, *text;
	} rows[] = {
		{ "from all", "" },
		{ "from 10.9.1.9", ", rule 10 (from 10.9.1.9)" },
		{ "to 10.9.7.0/24", ", rule 10 (to 10.9.7.0/24)" },
		{ "fwmark 0x5", ", rule 10 (fwmark 0x5)" },
		{ "tos 0x10", ", rule 10 (tos 0x10)" },
		{ "ipproto udp", ", rule 10 (ipproto 17)" },
		{ "sport 5000", ", rule 10 (sport 5000-5000)" },
		{ "dport 53", ", rule 10 (dport 53-53)" },
		{ "iif hweb", ", rule 10 (iif hweb)" },
	};
	struct fg_cause_place place =
		place_of(&(struct packet){ .dst = "10.9.7.7" },
			 &(struct drops_seen){ .netns = fg_netns_inode(bed.node),
					       .ifindex = (uint32_t)bed.hweb });

	(void)state;
	MUST("ip route add prohibit 10.9.7.0/24; ip route add prohibit 10.9.7.0/25 table 9");
	place.reason = "IP_INNOROUTES";
	place.flow.dport = 53;
	place.mark = 5;
	place.tos = 0x10;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_cause cause;
		char want[200];

		MUST("ip rule add %s lookup main prio 10", rows[i].selector);
		snprintf(want, sizeof(want), "prohibit 10.9.7.0/24 in table main%s", rows[i].text);
		assert_true(fg_cause_find(&place, &cause));
		assert_string_equal(cause.what, want);
		MUST("ip rule del prio 10");
	}
	/* Of a table the most specific route. */
	MUST("ip route add prohibit 10.9.7.7 table 9; ip route add prohibit 10.9.0.0/16 table 9; "
	     "ip rule add from all lookup 9 prio 10");
	drop(&(struct packet){ .dst = "10.9.7.7" },
	     &(struct want){ FG_CAUSE_ROUTE, "prohibit",
			     "prohibit 10.9.7.7/32 in table 9, rule 10 (from all)" });
}

static void test_forwarding(void **state)
{
	(void)state;
	MUST("sysctl -qw net.ipv4.conf.hweb.forwarding=0");
	drop(&(struct packet){ .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_FORWARDING, NULL,
			     "the host's namespace does not forward IPv4 from hweb",
			     "net.ipv4.conf.hweb.forwarding", "0" });
	MUST("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
	drop(&(struct packet){ .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_FORWARDING, NULL,
			     "the host's namespace does not forward IPv4", "net.ipv4.ip_forward",
			     "0" });
	drop(&(struct packet){ .dst = "fd09::9" },
	     &(struct want){ FG_CAUSE_FORWARDING, NULL,
			     "the host's namespace does not forward IPv6",
			     "net.ipv6.conf.all.forwarding", "0" });
}

static void test_sources(void **state)
{
	(void)state;
	MUST("sysctl -qw net.ipv4.conf.hweb.rp_filter=1");
	drop(&(struct packet){ .src = "10.9.0.77", .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_RPFILTER, "strict",
			     "source 10.9.0.77 came in on hweb, the route back to it leads out of "
			     "hdst",
			     "net.ipv4.conf.hweb.rp_filter", "1" });
	MUST("sysctl -qw net.ipv4.conf.all.rp_filter=2");
	drop(&(struct packet){ .src = "172.16.0.1", .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_RPFILTER, "loose", "and there is no route back to it",
			     "net.ipv4.conf.all.rp_filter", "2" });
	drop(&(struct packet){ .src = "10.9.0.1", .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_MARTIAN, "own-source",
			     "source 10.9.0.1 came in on hweb, but is held by the host's namespace",
			     "net.ipv4.conf.hweb.accept_local", "0" });
	MUST("web sysctl -qw net.ipv4.conf.all.route_localnet=1; web ip addr add 127.0.0.9/8 dev lo");
	drop(&(struct packet){ .src = "127.0.0.9", .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_MARTIAN, "loopback", "source 127.0.0.9 came in on hweb",
			     "net.ipv4.conf.hweb.route_localnet", "0" });
}

/* --- on the way on --- */

static void test_hops_and_sizes(void **state)
{
	(void)state;
	drop(&(struct packet){ .dst = "10.9.0.9", .ttl = 1 },
	     &(struct want){ FG_CAUSE_TTL, NULL, "TTL 1 on arrival in the host's namespace" });
	drop(&(struct packet){ .dst = "fd09::9", .ttl = 1 },
	     &(struct want){ FG_CAUSE_TTL, NULL, "hop limit 1 on arrival" });
	MUST("ip route add 10.9.77.0/24 via 10.9.0.9 mtu lock 900; ip link set hdst mtu 1300; dst ip "
	     "link set eth0 mtu 1300; ip -6 route add fd09:77::/64 via fd09::9 mtu lock 1290");
	drop(&(struct packet){ .dst = "10.9.77.9", .length = 1000, .whole = true },
	     &(struct want){ FG_CAUSE_MTU, "route",
			     "1028 bytes to 10.9.77.9, the route's MTU is 900 (hdst has 1300)" });
	drop(&(struct packet){ .dst = "10.9.0.9", .length = 1400, .whole = true },
	     &(struct want){ FG_CAUSE_MTU, "device",
			     "1428 bytes to 10.9.0.9, the MTU of hdst is 1300" });
	drop(&(struct packet){ .dst = "fd09::9", .length = 1400, .whole = true },
	     &(struct want){ FG_CAUSE_MTU, "device",
			     "1448 bytes to fd09::9, the MTU of hdst is 1300" });
	drop(&(struct packet){ .dst = "fd09:77::9", .length = 1250, .whole = true },
	     &(struct want){ FG_CAUSE_MTU, "route", "the route's MTU is 1290" });
}

/* It has not ended yet, and is known to wait. */
static void expect_waiting(const struct packet *packet, const char *what)
{
	const struct drops_seen nothing = { .ifindex = (uint32_t)bed.hdst };
	struct fg_cause_place place;

	send_packet(packet);
	place = place_of(packet, &nothing);
	assert_null(place.reason);
	check(&place, &(struct want){ FG_CAUSE_NEIGHBOUR, "incomplete", what });
	place.symbol = "__neigh_event_send+0x12/0x34";
	check(&place, &(struct want){ FG_CAUSE_NEIGHBOUR, "incomplete", what });
}

static void test_dead_neighbour(void **state)
{
	(void)state;
	MUST("ip route add 10.9.77.0/24 via 10.9.0.98");
	expect_waiting(&(struct packet){ .dst = "10.9.0.97" }, "neighbour 10.9.0.97 on hdst");
	expect_waiting(&(struct packet){ .dst = "fd09::97" }, "neighbour fd09::97 on hdst");
	MUST("for v in 4 6; do sysctl -qw net.ipv$v.neigh.hdst.retrans_time_ms=20 "
	     "net.ipv$v.neigh.hdst.mcast_solicit=1; done");
	drop(&(struct packet){ .dst = "10.9.0.99" },
	     &(struct want){ FG_CAUSE_NEIGHBOUR, "failed", "neighbour 10.9.0.99 on hdst" });
	drop(&(struct packet){ .dst = "10.9.77.1" },
	     &(struct want){ FG_CAUSE_NEIGHBOUR, "failed", "gateway 10.9.0.98 on hdst" });
	drop(&(struct packet){ .dst = "fd09::99" },
	     &(struct want){ FG_CAUSE_NEIGHBOUR, "failed", "neighbour fd09::99 on hdst" });
}

static void test_stale_neighbour(void **state)
{
	(void)state;
	MUST("for a in 10.9.0.9 fd09::9; do ip neigh replace $a lladdr 02:00:00:00:00:99 dev hdst nud "
	     "stale; done");
	drop(&(struct packet){ .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_NEIGHBOUR, "stale",
			     "the neighbour entry for 10.9.0.9 on hdst says 02:00:00:00:00:99" });
	drop(&(struct packet){ .dst = "fd09::9" },
	     &(struct want){ FG_CAUSE_NEIGHBOUR, "stale",
			     "the neighbour entry for fd09::9 on hdst says 02:00:00:00:00:99" });
}

static void test_qdisc(void **state)
{
	(void)state;
	if (run("tc qdisc add dev hdst root handle 7: bfifo limit 10"))
		prog_skip("this kernel has no bfifo");
	MUST("ip neigh replace 10.9.0.9 lladdr 02:00:00:00:00:09 dev hdst nud permanent");
	drop(&(struct packet){ .dst = "10.9.0.9", .length = 100 },
	     &(struct want){ FG_CAUSE_QDISC, NULL, "qdisc bfifo 7: on hdst: " });
}

/* The one that drops stands below another. */
static void test_qdisc_below(void **state)
{
	(void)state;
	if (run("tc qdisc add dev hdst root handle 1: htb default 2 && for n in 2 3; do tc class add "
		"dev hdst parent 1: classid 1:$n htb rate 1gbit; tc qdisc add dev hdst parent 1:$n "
		"handle 1$n: bfifo limit 10; done"))
		prog_skip("this kernel has no htb");
	MUST("ip neigh replace 10.9.0.9 lladdr 02:00:00:00:00:09 dev hdst nud permanent");
	drop(&(struct packet){ .dst = "10.9.0.9", .length = 100 },
	     &(struct want){ FG_CAUSE_QDISC, NULL, "qdisc bfifo 12: (parent 1:2) on hdst: " });
}

static void test_device_down(void **state)
{
	(void)state;
	MUST("ip neigh replace 10.9.0.9 lladdr 02:00:00:00:00:09 dev hdst nud permanent; "
	     "dst ip link set eth0 down");
	drop(&(struct packet){ .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_DEVICE, "down", "eth0, the other end of hdst, is down" });
}

static void test_xfrm(void **state)
{
	(void)state;
	if (run("ip xfrm policy add dir fwd src 10.9.1.0/24 dst 10.9.0.0/24 priority 7 action "
		"block"))
		prog_skip("this kernel has no IPsec");
	drop(&(struct packet){ .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_XFRM, "block",
			     "policy dir fwd block, src 10.9.1.0/24 dst 10.9.0.0/24 priority 7" });
	MUST("ip xfrm policy flush; ip xfrm policy add dir fwd src 10.9.1.0/24 dst 10.9.0.0/24 tmpl "
	     "src 10.9.1.1 dst 10.9.0.1 proto esp mode tunnel");
	drop(&(struct packet){ .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_XFRM, "clear", "policy dir fwd asks for IPsec" });
	MUST("ip xfrm policy flush; ip xfrm policy add dir out src 10.9.1.0/24 dst 10.9.0.0/24 tmpl "
	     "src 10.9.1.1 dst 10.9.0.1 proto esp mode tunnel");
	drop(&(struct packet){ .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_XFRM, "no-state", "policy dir out asks for IPsec" });
}

/* Each selector by itself, where it fits the packet, and where it does not. */
static void test_xfrm_selectors(void **state)
{
	static const struct {
		const char *policy, *what; /* NULL: it does not fit */
	} rows[] = {
		{ "dir fwd src 10.9.1.8/31 dst 10.9.0.8/31", "src 10.9.1.8/31 dst 10.9.0.8/31" },
		{ "dir fwd src 0.0.0.0/0 dst 10.9.0.9/32", "src 0.0.0.0/0 dst 10.9.0.9/32" },
		{ "dir fwd src 10.9.1.8/32 dst 10.9.0.0/24", NULL },
		{ "dir fwd src 10.9.1.0/24 dst 10.9.0.8/32", NULL },
		{ "dir fwd src 10.9.1.10/31 dst 10.9.0.0/24", NULL },
		{ "dir out src 10.9.1.0/24 dst 10.9.0.0/24", "policy dir out block, src" },
		{ "dir in src 10.9.1.0/24 dst 10.9.0.0/24", NULL },
		{ "dir fwd src 10.9.1.0/24 dst 10.9.0.0/24 proto udp",
		  "policy dir fwd block, src" },
		{ "dir fwd src 10.9.1.0/24 dst 10.9.0.0/24 proto tcp", NULL },
		{ "dir fwd src 10.9.1.0/24 dst 10.9.0.0/24 proto udp sport 5000",
		  "policy dir fwd" },
		{ "dir fwd src 10.9.1.0/24 dst 10.9.0.0/24 proto udp sport 5001", NULL },
		{ "dir fwd src 10.9.1.0/24 dst 10.9.0.0/24 proto udp dport 53", "policy dir fwd" },
		{ "dir fwd src 10.9.1.0/24 dst 10.9.0.0/24 proto udp dport 54", NULL },
		{ "dir fwd src fd09:1::/64 dst fd09::/64", NULL },
	};
	struct fg_cause_place place =
		place_of(&(struct packet){ .dst = "10.9.0.9" },
			 &(struct drops_seen){ .netns = fg_netns_inode(bed.node),
					       .ifindex = (uint32_t)bed.hweb });
	struct fg_cause cause;

	(void)state;
	if (run("ip xfrm policy flush"))
		prog_skip("this kernel has no IPsec");
	place.reason = "XFRM_POLICY";
	place.symbol = "ip_forward+0x1/0x2";
	place.flow.dport = 53;
	for (size_t i = 0; i < COUNT(rows); i++) {
		MUST("ip xfrm policy add %s action block", rows[i].policy);
		if (rows[i].what) {
			check(&place, &(struct want){ FG_CAUSE_XFRM, "block", rows[i].what });
		} else if (fg_cause_find(&place, &cause)) {
			fail_msg("%s: %s", rows[i].policy, cause.what);
		}
		MUST("ip xfrm policy flush");
	}
	/* The smallest number decides; one that lets it pass in the clear does not drop. */
	MUST("for p in 7 5 6; do ip xfrm policy add dir fwd src 10.9.1.0/24 dst 10.9.0.0/2$p priority "
	     "$p action block; done; "
	     "ip xfrm policy add dir fwd src 0.0.0.0/0 dst 0.0.0.0/0 priority 1 action allow");
	check(&place, &(struct want){ FG_CAUSE_XFRM, "block", "dst 10.9.0.0/25 priority 5" });
	/* What is for the host itself meets those of the other direction. */
	MUST("ip xfrm policy add dir in src 10.9.1.0/24 dst 10.9.0.0/24 priority 9 action block");
	place.symbol = "ip_local_deliver+0x1/0x2";
	check(&place, &(struct want){ FG_CAUSE_XFRM, "block", "policy dir in block" });
}

static void test_ipv6_disabled(void **state)
{
	(void)state;
	MUST("web ip -6 neigh replace fd09:1::1 dev eth0 nud permanent lladdr $(ip -br link show hweb "
	     "| awk '{ print $3 }'); sysctl -qw net.ipv6.conf.hweb.disable_ipv6=1");
	drop(&(struct packet){ .dst = "fd09::9" },
	     &(struct want){ FG_CAUSE_DEVICE, "no-ipv6", "IPv6 is disabled on hweb",
			     "net.ipv6.conf.hweb.disable_ipv6", "1" });
}

/* --- queues --- */

/* A program that listens on a queue of the node, and refuses what comes. */
static void tell_queue(struct nl_sock *sk, uint16_t queue, int type, int attribute,
		       const void *value, int len)
{
	const struct nfgenmsg gen = { .version = NFNETLINK_V0, .res_id = htons(queue) };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(NFNL_SUBSYS_QUEUE << 8 | type, 0);

	assert_non_null(msg);
	assert_int_equal(nlmsg_append(msg, (void *)&gen, sizeof(gen), NLMSG_ALIGNTO), 0);
	assert_int_equal(nla_put(msg, attribute, len, value), 0);
	assert_int_equal(fg_rtnl_request(sk, msg), 0);
}

static void refuse_one(struct nl_sock *sk, uint16_t queue)
{
	struct nfqnl_msg_verdict_hdr verdict = { .verdict = htonl(NF_DROP) };
	const struct nfqnl_msg_packet_hdr *packet;
	struct nlattr *tb[NFQA_MAX + 1];
	uint8_t bytes[4096];
	ssize_t len = recv(nl_socket_get_fd(sk), bytes, sizeof(bytes), 0);

	assert_true(len > 0);
	assert_true(nlmsg_parse((void *)bytes, sizeof(struct nfgenmsg), tb, NFQA_MAX, NULL) >= 0);
	assert_non_null(tb[NFQA_PACKET_HDR]);
	packet = nla_data(tb[NFQA_PACKET_HDR]);
	verdict.id = packet->packet_id;
	tell_queue(sk, queue, NFQNL_MSG_VERDICT, NFQA_VERDICT_HDR, &verdict, sizeof(verdict));
}

static void expect_refused(void)
{
	const struct nfqnl_msg_config_cmd bind_to = { .command = NFQNL_CFG_CMD_BIND,
						      .pf = htons(AF_INET) };
	const struct nfqnl_msg_config_params params = { .copy_range = htonl(100),
							.copy_mode = NFQNL_COPY_PACKET };
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open_protocol(bed.node, NETLINK_NETFILTER, NULL);
	struct packet packet = { .dst = "10.9.0.9" };
	const struct drops_seen nothing = { .ifindex = (uint32_t)bed.hweb };
	struct fg_cause_place place;
	struct drops_seen seen;
	struct fg_cause cause;
	char mine[64];

	assert_non_null(sk);
	tell_queue(sk, 5, NFQNL_MSG_CONFIG, NFQA_CFG_CMD, &bind_to, sizeof(bind_to));
	tell_queue(sk, 5, NFQNL_MSG_CONFIG, NFQA_CFG_PARAMS, &params, sizeof(params));
	send_packet(&packet);
	place = place_of(&packet, &nothing);
	check(&place, &(struct want){ FG_CAUSE_QUEUE, "waiting", "NFQUEUE 5, waiting for" });
	refuse_one(sk, 5);
	assert_true(wait_drop(&seen));
	place = place_of(&packet, &seen);
	check(&place, &(struct want){ FG_CAUSE_QUEUE, "refused", "NFQUEUE 5, refused by" });
	assert_true(fg_cause_find(&place, &cause));
	snprintf(mine, sizeof(mine), "pid %d test_cause", getpid());
	assert_string_equal(cause.process, mine);
}

static void test_queue(void **state)
{
	(void)state;
	if (run("iptables -A FORWARD -p udp -j NFQUEUE --queue-num 5 2> /dev/null"))
		prog_skip("this kernel has no NFQUEUE");
	drop(&(struct packet){ .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_QUEUE, "no-listener", "NFQUEUE 5, no listener" });
	expect_refused();
	if (run("iptables -F && nft add table ip t && nft add chain ip t f '{ type filter hook "
		"forward priority 0; }' && nft add rule ip t f queue num 7-8 2> /dev/null"))
		prog_skip("this kernel has no nft_queue");
	drop(&(struct packet){ .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_QUEUE, "no-listener", "NFQUEUE 7 or 8, no listener" });
}

/* --- sockets --- */

static int bind_udp(const char *addr, uint16_t port)
{
	int fd = open_udp(bed.dst, strchr(addr, ':') ? AF_INET6 : AF_INET);
	struct sockaddr_storage at;
	socklen_t len = address(addr, port, &at);

	assert_int_equal(bind(fd, (void *)&at, len), 0);
	return fd;
}

static void test_no_socket(void **state)
{
	char want[200], mine[64];
	struct fg_cause cause;
	struct fg_cause_place place;

	(void)state;
	snprintf(want, sizeof(want), "nothing listens on UDP port %u in pod dst", bed.port + 1);
	drop(&(struct packet){ .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_SOCKET, "no-listener", want });
	snprintf(want, sizeof(want), "nothing listens on UDP port %u in pod dst", bed.port + 1);
	drop(&(struct packet){ .dst = "fd09::9" },
	     &(struct want){ FG_CAUSE_SOCKET, "no-listener", want });

	FG_FD int fd = bind_udp("127.0.0.1", (uint16_t)(bed.port + 1));

	snprintf(want, sizeof(want),
		 "nothing listens on UDP port %u in pod dst but on 127.0.0.1:%u", bed.port + 1,
		 bed.port + 1);
	drop(&(struct packet){ .dst = "10.9.0.9" },
	     &(struct want){ FG_CAUSE_SOCKET, "no-listener", want });

	/* The socket that has come since does not explain the drop. */
	FG_FD int there = bind_udp("0.0.0.0", (uint16_t)(bed.port + 1));

	bed.port++;
	place = place_of(&(struct packet){ .dst = "10.9.0.9" },
			 &(struct drops_seen){ .netns = fg_netns_inode(bed.dst),
					       .ifindex = (uint32_t)bed.eth0 });
	place.reason = "NO_SOCKET";
	assert_false(fg_cause_find(&place, &cause));

	/* Who holds it. */
	snprintf(mine, sizeof(mine), "pid %d test_cause", getpid());
	place.reason = "SOCKET_RCVBUFF";
	assert_true(fg_cause_find(&place, &cause));
	assert_string_equal(cause.process, mine);
	assert_true(there >= 0 && fd >= 0);
}

static void test_full_socket(void **state)
{
	struct packet packet = { .dst = "10.9.0.9", .length = 1000 };
	struct fg_cause_place place;
	struct drops_seen seen = {};

	(void)state;
	FG_FD int fd = bind_udp("10.9.0.9", (uint16_t)(bed.port + 1));
	FG_FD int from = open_udp(bed.web, AF_INET);
	struct sockaddr_storage to;
	socklen_t len;

	set(fd, SOL_SOCKET, SO_RCVBUF, 1);
	send_packet(&packet);
	len = address("10.9.0.9", bed.port, &to);
	for (int i = 0; i < 100 && !seen.count; i++) {
		assert_int_equal(sendto(from, "flowgen", 7, 0, (void *)&to, len), 7);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		seen = seen_now();
	}
	assert_true(seen.count > 0);
	place = place_of(&packet, &seen);
	check(&place,
	      &(struct want){ FG_CAUSE_SOCKET, "buffer-full", "the receive buffer of 10.9.0.9:" });
}

/* --- programs of the socket's cgroup --- */

static struct {
	int root, fd;	  /* of all cgroups; of the test's own */
	char before[512]; /* where this process was */
	char path[64];	  /* of the test's own, below the root */
} group = { -1, -1, "", "" };

static bool enter_cgroup(const char *path)
{
	char name[600], pid[16];
	int len = snprintf(pid, sizeof(pid), "%d", getpid());

	snprintf(name, sizeof(name), ".%s%scgroup.procs", path,
		 path[strlen(path) - 1] == '/' ? "" : "/");
	FG_FD int fd = openat(group.root, name, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, pid, (size_t)len) == len;
}

static void make_cgroup(void)
{
	FG_FILE FILE *file = fopen("/proc/self/cgroup", "re");
	char line[600];

	group.root = fg_cgroup_open_root(NULL);
	if (group.root < 0)
		prog_skip("no cgroup v2 is mounted here");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "0::%511s", group.before);
	snprintf(group.path, sizeof(group.path), "/flowgen-cause-%d", getpid());
	if (mkdirat(group.root, group.path + 1, 0700) || !enter_cgroup(group.path)) {
		unlinkat(group.root, group.path + 1, AT_REMOVEDIR);
		prog_skip("no cgroup can be made here");
	}
	group.fd = openat(group.root, group.path + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(group.fd >= 0);
}

static int leave_cgroup(void **state)
{
	if (group.path[0]) {
		enter_cgroup(group.before);
		unlinkat(group.fd, "deep", AT_REMOVEDIR);
		unlinkat(group.root, group.path + 1, AT_REMOVEDIR);
	}
	fg_fd_close(&group.fd);
	fg_fd_close(&group.root);
	return teardown(state);
}

/* One that lets everything in. */
static uint32_t attach_to_cgroup(const char *name)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	FG_FD int fd =
		bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, name, "GPL", pass, COUNT(pass), NULL);

	assert_true(fd >= 0);
	assert_int_equal(bpf_prog_attach(fd, group.fd, BPF_CGROUP_INET_INGRESS, BPF_F_ALLOW_MULTI),
			 0);
	assert_int_equal(bpf_prog_get_info_by_fd(fd, &info, &len), 0);
	return info.id;
}

static void check_filter(const struct fg_cause_place *place, const char *expected)
{
	struct fg_cause cause;
	char mine[64];

	assert_true(fg_cause_find(place, &cause));
	assert_int_equal(cause.kind, FG_CAUSE_SOCKET);
	assert_string_equal(cause.how, "filter");
	assert_string_equal(cause.what, expected);
	snprintf(mine, sizeof(mine), "pid %d test_cause", getpid());
	assert_string_equal(cause.process, mine);
}

/* All on the socket's cgroup but flowgen's own; eight by name, and how many more. */
static void test_cgroup_programs(void **state)
{
	struct packet packet = { .dst = "10.9.0.9" };
	struct fg_cause_place place;
	char head[100], listed[400] = "", want[600];

	(void)state;
	make_cgroup();
	FG_FD int fd = bind_udp("10.9.0.9", ++bed.port);

	place = place_of(&packet, &(struct drops_seen){ .netns = fg_netns_inode(bed.dst),
							.ifindex = (uint32_t)bed.eth0 });
	place.reason = "SOCKET_FILTER";
	place.cgroup = group.root;
	snprintf(head, sizeof(head), "the socket 10.9.0.9:%u, or what is before it:", bed.port);
	snprintf(want, sizeof(want), "%s a filter of its own", head);
	check_filter(&place, want);
	attach_to_cgroup("fg_socket");
	check_filter(&place, want);
	for (int i = 1; i <= 11; i++) {
		char name[16], more[20] = "";

		/* Short, and one without a name, so that all fit in the text. */
		snprintf(name, sizeof(name), i == 2 ? "" : "r%d", i);
		if (i <= 8)
			snprintf(listed + strlen(listed), sizeof(listed) - strlen(listed),
				 "%s %s%s(id %u)", i > 1 ? "," : "", name, name[0] ? " " : "",
				 attach_to_cgroup(name));
		else
			attach_to_cgroup(name);
		if (i > 8)
			snprintf(more, sizeof(more), ", and %d more", i - 8);
		snprintf(want, sizeof(want), "%s%s%s on its cgroup %s; or a filter of its own",
			 head, listed, more, group.path);
		check_filter(&place, want);
	}
	/* A process that has moved is not where the socket was made: then nobody knows of which. */
	snprintf(want, sizeof(want), "%s a filter of its own, or programs on its cgroup", head);
	assert_true(enter_cgroup(group.before));
	check_filter(&place, want);
	assert_true(enter_cgroup(group.path));
	place.cgroup = 0;
	check_filter(&place, want);
}

/* Those of the cgroups above count too; the kernel names 64 of them. */
static void test_many_cgroup_programs(void **state)
{
	struct fg_cause_place place;
	struct fg_cause cause;
	char deep[80], *more;
	int above;

	(void)state;
	make_cgroup();
	attach_to_cgroup("fg_socket");
	for (int i = 0; i < 40; i++)
		attach_to_cgroup("above");
	snprintf(deep, sizeof(deep), "%s/deep", group.path);
	assert_int_equal(mkdirat(group.fd, "deep", 0700), 0);
	above = group.fd;
	group.fd = openat(above, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 30; i++)
		attach_to_cgroup("own");
	close(group.fd);
	group.fd = above;
	assert_true(enter_cgroup(deep));
	FG_FD int fd = bind_udp("10.9.0.9", ++bed.port);

	place = place_of(&(struct packet){ .dst = "10.9.0.9" },
			 &(struct drops_seen){ .netns = fg_netns_inode(bed.dst),
					       .ifindex = (uint32_t)bed.eth0 });
	place.reason = "SOCKET_FILTER";
	place.cgroup = group.root;
	assert_true(fg_cause_find(&place, &cause));
	/* 71 are there, one of which is flowgen's; and what flowgen has at the root while it runs.
	 */
	more = strstr(cause.what, ", and ");
	assert_non_null(more);
	assert_in_range(strtoul(more + strlen(", and "), &more, 10), 62, 66);
	assert_ptr_equal(strstr(more, " more on its cgroup"), more);
	assert_true(enter_cgroup(group.before));
}

/* As after TPROXY: a socket of the node took what is for dst. */
static void test_proxy(void **state)
{
	struct packet packet = { .dst = "10.9.0.9" };
	struct drops_seen seen = { .ifindex = (uint32_t)bed.hweb };
	struct sockaddr_storage at;
	struct fg_cause_place place;
	struct fg_cause cause;
	char text[128];
	FG_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = address("127.0.0.1", 15001, &at), size = sizeof(place.cookie);

	(void)state;
	assert_int_equal(bind(fd, (void *)&at, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	place = place_of(&packet, &seen);
	place.flow.protocol = IPPROTO_TCP;
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &place.cookie, &size), 0);
	check(&place,
	      &(struct want){ FG_CAUSE_PROXY, NULL, "taken by the local socket 127.0.0.1:15001" });
	assert_true(fg_cause_find(&place, &cause));
	snprintf(text, sizeof(text), "pid %d test_cause", getpid());
	assert_string_equal(cause.process, text);
	/* One that is delivered where its address is has met no proxy. */
	parse("10.9.1.1", &place.flow.dst);
	assert_false(fg_cause_find(&place, &cause));
}

/* --- bridges --- */

/* A bridge answers for nothing before it forwards. */
#define KNOW_NODE                                                                                  \
	"web ip neigh replace 10.9.1.1 dev eth0 nud permanent lladdr "                             \
	"$(ip -br link show hweb | awk '{ print $3 }')"

static void test_bridge(void **state)
{
	struct drops_seen seen = { .ifindex = (uint32_t)bed.hweb };
	struct packet packet = { .dst = "10.9.0.9" };
	struct fg_cause_place place;

	(void)state;
	if (run("ip link add br0 type bridge && ip link set br0 up && ip link set hweb master br0"))
		prog_skip("this kernel has no bridge");
	MUST("bridge link set dev hweb state 0; " KNOW_NODE);
	drop(&packet,
	     &(struct want){ FG_CAUSE_BRIDGE, "state", "port hweb of bridge br0 is disabled" });
	MUST("bridge link set dev hweb state 3; bridge link set dev hweb isolated on");
	place = place_of(&packet, &seen);
	place.reason = "NOT_SPECIFIED";
	place.symbol = "br_forward+0x1/0x2";
	check(&place, &(struct want){ FG_CAUSE_BRIDGE, "isolated", "port hweb of bridge br0" });
}

static void check_bridge(const char *reason, const char *symbol, const struct want *want)
{
	struct fg_cause_place place =
		place_of(&(struct packet){ .dst = "10.9.0.9" },
			 &(struct drops_seen){ .ifindex = (uint32_t)bed.hweb });
	struct fg_cause cause;

	place.reason = reason;
	place.symbol = symbol;
	if (want)
		check(&place, want);
	else
		assert_false(fg_cause_find(&place, &cause));
}

/* What a port is set to explains some ends, and not others. */
static void test_bridge_settings(void **state)
{
	/* Without STP a port that is set to block forwards at once. */
	static const char *const states[] = { "disabled", "listening", "learning", NULL };

	(void)state;
	if (run("ip link add br0 type bridge && ip link set br0 up && ip link set hweb master br0"))
		prog_skip("this kernel has no bridge");
	for (size_t i = 0; i < COUNT(states); i++) {
		char what[80];

		snprintf(what, sizeof(what), "port hweb of bridge br0 is %s", states[i]);
		MUST("bridge link set dev hweb state %zu", i);
		check_bridge("NOT_SPECIFIED", "br_handle_frame_finish+0x1/0x2",
			     states[i] ? &(struct want){ FG_CAUSE_BRIDGE, "state", what } : NULL);
	}
	MUST("bridge link set dev hweb state 3");
	check_bridge(
		"LOCAL_MAC", NULL,
		&(struct want){ FG_CAUSE_BRIDGE, "loop",
				"bridge br0 got a frame with its own address as the source, on "
				"port hweb" });
	check_bridge(NULL, "br_flood+0x1/0x2", NULL);
	check_bridge(NULL, "__allowed_ingress+0x1/0x2", NULL);
	MUST("bridge link set dev hweb isolated on");
	check_bridge(NULL, "br_flood+0x1/0x2",
		     &(struct want){ FG_CAUSE_BRIDGE, "isolated", "port hweb of bridge br0" });
	check_bridge(NULL, "br_handle_frame_finish+0x1/0x2", NULL);
	MUST("ip link set hweb nomaster");
	check_bridge("LOCAL_MAC", NULL, NULL);
}

static void test_bridge_vlans(void **state)
{
	(void)state;
	if (run("ip link add br0 type bridge vlan_filtering 1 2> /dev/null && ip link set br0 up && "
		"ip link set hweb master br0"))
		prog_skip("this kernel's bridge has no VLANs");
	MUST("bridge link set dev hweb state 3");
	check_bridge(NULL, "br_allowed_ingress+0x1/0x2",
		     &(struct want){ FG_CAUSE_BRIDGE, "vlan",
				     "bridge br0 filters VLANs, and does not accept it from port "
				     "hweb" });
	check_bridge(NULL, "__allowed_ingress+0x1/0x2",
		     &(struct want){ FG_CAUSE_BRIDGE, "vlan", "port hweb" });
	check_bridge(NULL, "br_handle_vlan+0x1/0x2",
		     &(struct want){ FG_CAUSE_BRIDGE, "vlan", "port hweb" });
	check_bridge(NULL, "br_flood+0x1/0x2", NULL);
}

/* --- ends that are hard to come to: what is looked up is real --- */

static struct fg_cause_place told(const char *reason, bool in_dst, const char *dst)
{
	struct fg_cause_place place = place_of(
		&(struct packet){ .dst = dst },
		&(struct drops_seen){ .netns = fg_netns_inode(in_dst ? bed.dst : bed.node),
				      .ifindex = (uint32_t)(in_dst ? bed.eth0 : bed.hdst) });

	place.reason = reason;
	return place;
}

/* Addresses that no host can have, and what is no martian at all. */
static void test_sources_told(void **state)
{
	static const struct {
		const char *src, *dst, *how, *what;
	} rows[] = {
		{ "0.0.0.1", "10.9.0.9", "source", "source 0.0.0.1, which no host can have" },
		{ "224.0.0.1", "10.9.0.9", "source", "source 224.0.0.1" },
		{ "239.1.1.1", "10.9.0.9", "source", "source 239.1.1.1" },
		{ "255.255.255.255", "10.9.0.9", "source", "source 255.255.255.255" },
		{ "10.9.1.9", "0.1.2.3", "destination", "destination 0.1.2.3" },
		{ "10.9.1.9", "127.0.0.9", "loopback", "destination 127.0.0.9 came in on hweb" },
		{ "ff02::1", "fd09::9", "source", "source ff02::1, which no host can have" },
		{ "10.9.1.9", "10.9.0.9", NULL, NULL },
		{ "240.0.0.1", "10.9.0.9", NULL, NULL },
		{ "223.255.255.255", "10.9.0.9", NULL, NULL },
		{ "fe80::1", "fd09::9", NULL, NULL },
		{ "fd09::1", "fd09::9", NULL, NULL },
	};
	struct fg_cause cause;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_cause_place place = told("IP_INVALID_SOURCE", false, rows[i].dst);

		parse(rows[i].src, &place.flow.src);
		if (!rows[i].how) {
			if (fg_cause_find(&place, &cause))
				fail_msg("%s: %s", rows[i].src, cause.what);
			continue;
		}
		assert_true(fg_cause_find(&place, &cause));
		assert_int_equal(cause.kind, FG_CAUSE_MARTIAN);
		assert_string_equal(cause.how, rows[i].how);
		if (!strstr(cause.what, rows[i].what))
			fail_msg("%s", cause.what);
		/* On no device it came in. */
		place.received_on = place.ifindex = 0;
		assert_false(fg_cause_find(&place, &cause));
	}
}

static void test_sizes_told(void **state)
{
	struct fg_cause_place place = told("PKT_TOO_BIG", false, "10.9.0.9");
	struct fg_cause cause;

	(void)state;
	MUST("ip link set hdst mtu 1300");
	place.length = 1300;
	assert_false(fg_cause_find(&place, &cause));
	place.length = 1301;
	check(&place, &(struct want){ FG_CAUSE_MTU, "device",
				      "1301 bytes to 10.9.0.9, the MTU of hdst is 1300" });
	/* By the kernel's word alone. */
	place.length = 0;
	check(&place, &(struct want){ FG_CAUSE_MTU, "device",
				      "the packet to 10.9.0.9, the MTU of hdst is 1300" });
	place.reason = "NOT_SPECIFIED";
	place.symbol = "ip_fragment+0x1/0x2";
	assert_false(fg_cause_find(&place, &cause));
	/* On its last hop, or before. */
	place.reason = "IP_INHDR";
	place.symbol = "ip_forward+0x1/0x2";
	for (uint8_t hops = 0; hops < 4; hops++) {
		place.hops = hops;
		assert_int_equal(fg_cause_find(&place, &cause), hops == 1);
	}
}

static void test_full_neighbour(void **state)
{
	struct fg_cause_place place = told("NEIGH_QUEUEFULL", false, "10.9.0.96");

	(void)state;
	MUST("sysctl -qw net.ipv4.neigh.hdst.unres_qlen_bytes=4608 "
	     "net.ipv6.neigh.hdst.unres_qlen_bytes=9216");
	check(&place,
	      &(struct want){ FG_CAUSE_NEIGHBOUR, "queue-full",
			      "too many packets wait for the address of neighbour 10.9.0.96 "
			      "on hdst",
			      "net.ipv4.neigh.hdst.unres_qlen_bytes", "4608" });
	place = told("NEIGH_QUEUEFULL", false, "fd09::96");
	check(&place,
	      &(struct want){ FG_CAUSE_NEIGHBOUR, "queue-full", "neighbour fd09::96 on hdst",
			      "net.ipv6.neigh.hdst.unres_qlen_bytes", "9216" });
}

/* A gateway of the other family (RFC 5549). */
static void test_gateway_of_ipv6(void **state)
{
	struct fg_cause_place place = told("NEIGH_FAILED", false, "10.9.78.1");

	(void)state;
	if (run("ip route add 10.9.78.0/24 via inet6 fd09::98 2> /dev/null"))
		prog_skip("this kernel has no such routes");
	check(&place, &(struct want){ FG_CAUSE_NEIGHBOUR, "failed", "gateway fd09::98 on hdst" });
}

static void test_neighbour_that_answered(void **state)
{
	struct fg_cause_place place = told("NEIGH_FAILED", false, "10.9.0.9");
	struct fg_cause cause;

	(void)state;
	/* That it has no entry does not tell, if nothing else does. */
	check(&place, &(struct want){ FG_CAUSE_NEIGHBOUR, "failed", "10.9.0.9 on hdst does not" });
	place.reason = place.symbol = NULL;
	assert_false(fg_cause_find(&place, &cause));
	MUST("ip neigh replace 10.9.0.9 lladdr 02:00:00:00:00:99 dev hdst nud reachable");
	place.reason = "NEIGH_FAILED";
	assert_false(fg_cause_find(&place, &cause));
}

static void test_other_address(void **state)
{
	struct fg_cause_place place = told("OTHERHOST", true, "10.9.0.9");

	(void)state;
	/* The sender's entry is right, or there is none: then only the frame is wrong. */
	check(&place, &(struct want){ FG_CAUSE_NEIGHBOUR, "other-address",
				      "the frame is not addressed to eth0, whose address is " });
	MUST("ip neigh replace 10.9.0.9 dev hdst nud permanent lladdr "
	     "$(dst ip -br link show eth0 | awk '{ print $3 }')");
	check(&place, &(struct want){ FG_CAUSE_NEIGHBOUR, "other-address", "eth0" });
	/* It was sent elsewhere, where nobody knows. */
	MUST("ip neigh replace 10.9.0.9 dev hdst nud permanent lladdr 02:00:00:00:00:99");
	check(&place, &(struct want){ FG_CAUSE_NEIGHBOUR, "stale", "02:00:00:00:00:99" });
	place.from_ifindex = 0;
	check(&place, &(struct want){ FG_CAUSE_NEIGHBOUR, "other-address", "eth0" });
	place.from_rtnl = NULL;
	place.from_ifindex = bed.hdst;
	check(&place, &(struct want){ FG_CAUSE_NEIGHBOUR, "other-address", "eth0" });
}

static void test_full_backlog(void **state)
{
	struct fg_cause_place place = told("TCP_LISTEN_OVERFLOW", true, "10.9.0.9");
	struct sockaddr_storage at;
	char want[80];
	int back;

	(void)state;
	assert_int_equal(fg_netns_enter(bed.dst, &back, NULL), 0);
	FG_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fg_netns_leave(&back);
	assert_int_equal(bind(fd, (void *)&at, address("10.9.0.9", bed.port, &at)), 0);
	assert_int_equal(listen(fd, 3), 0);
	place.flow.protocol = IPPROTO_TCP;
	snprintf(want, sizeof(want), "0 connections wait at 10.9.0.9:%u, which takes 3", bed.port);
	check(&place, &(struct want){ FG_CAUSE_SOCKET, "backlog-full", want });
	/* Of UDP nothing listens there. */
	place.flow.protocol = IPPROTO_UDP;
	place.reason = "NO_SOCKET";
	check(&place, &(struct want){ FG_CAUSE_SOCKET, "no-listener", "nothing listens on UDP" });
}

static void test_limits(void **state)
{
	struct fg_cause_place place = told("PROTO_MEM", true, "10.9.0.9");
	struct fg_cause cause;

	(void)state;
	check(&place,
	      &(struct want){ FG_CAUSE_SOCKET, "memory", "all UDP sockets together hold " });
	place.flow.protocol = IPPROTO_TCP;
	check(&place,
	      &(struct want){ FG_CAUSE_SOCKET, "memory", "all TCP sockets together hold " });
	place.reason = "CPU_BACKLOG";
	assert_true(fg_cause_find(&place, &cause));
	assert_string_equal(cause.how, "backlog");
	MUST("dst sysctl -qw net.ipv4.ipfrag_time=17 net.ipv6.ip6frag_time=18 "
	     "net.ipv4.ipfrag_max_dist=19");
	place.reason = "FRAG_REASM_TIMEOUT";
	check(&place, &(struct want){ FG_CAUSE_FRAGMENT, "timeout", "did not come in time",
				      "net.ipv4.ipfrag_time", "17" });
	place.reason = "FRAG_TOO_FAR";
	check(&place, &(struct want){ FG_CAUSE_FRAGMENT, "too-far", "came between",
				      "net.ipv4.ipfrag_max_dist", "19" });
	place = told("FRAG_REASM_TIMEOUT", true, "fd09::9");
	check(&place, &(struct want){ FG_CAUSE_FRAGMENT, "timeout", "did not come in time",
				      "net.ipv6.ip6frag_time", "18" });
}

static void test_devices(void **state)
{
	struct fg_cause_place place = told("DEV_READY", false, "10.9.0.9");
	struct fg_cause cause;

	(void)state;
	assert_false(fg_cause_find(&place, &cause));
	MUST("dst ip link set eth0 mtu 1000");
	place.length = 1000;
	assert_false(fg_cause_find(&place, &cause));
	place.length = 1001;
	check(&place,
	      &(struct want){ FG_CAUSE_MTU, "device",
			      "1001 bytes to eth0, the other end of hdst, whose MTU is 1000" });
	MUST("dst ip link set eth0 down");
	check(&place,
	      &(struct want){ FG_CAUSE_DEVICE, "down", "eth0, the other end of hdst, is down" });
	MUST("ip link set hdst down");
	check(&place,
	      &(struct want){ FG_CAUSE_DEVICE, "down", "hdst in the host's namespace is down" });
	place.ifindex = 0;
	assert_false(fg_cause_find(&place, &cause));
	/* IPv6 that is on is no reason, nor is it of IPv4. */
	place = told("IPV6DISABLED", false, "fd09::9");
	assert_false(fg_cause_find(&place, &cause));
	MUST("sysctl -qw net.ipv6.conf.hweb.disable_ipv6=1");
	check(&place, &(struct want){ FG_CAUSE_DEVICE, "no-ipv6", "IPv6 is disabled on hweb",
				      "net.ipv6.conf.hweb.disable_ipv6", "1" });
	place = told("IPV6DISABLED", false, "10.9.0.9");
	assert_false(fg_cause_find(&place, &cause));
}

/* --- nothing to be found --- */

static void test_no_cause(void **state)
{
	static const struct {
		const char *reason, *symbol;
	} ends[] = {
		{ "IP_INNOROUTES", "ip_error+0x1/0x2" },
		{ "NOT_SPECIFIED", "ip_error+0x1/0x2" },
		{ "NOT_SPECIFIED", "ip_rcv_finish_core+0x1/0x2" },
		{ "NOT_SPECIFIED", "ip6_forward+0x1/0x2" },
		{ "IP_RPFILTER", NULL },
		{ "XFRM_POLICY", NULL },
		{ "PKT_TOO_BIG", NULL },
		{ "IP_INHDR", "ip_forward+0x1/0x2" },
		{ "IP_INHDR", "ip_rcv_core+0x1/0x2" },
		{ "NOT_SPECIFIED", "ip_fragment+0x1/0x2" },
		{ "BRIDGE_INGRESS_STP_STATE", NULL },
		{ "DEV_READY", NULL },
		{ "NO_SUCH_REASON", "no_such_function" },
		{ NULL, NULL },
	};
	struct drops_seen seen = { .ifindex = (uint32_t)bed.hdst, .hops = 64 };
	struct packet packet = { .dst = "10.9.0.9" };
	struct fg_cause_place place = place_of(&packet, &seen);
	struct fg_cause cause;

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		place.reason = ends[i].reason;
		place.symbol = ends[i].symbol;
		if (fg_cause_find(&place, &cause) && ends[i].reason)
			fail_msg("%s at %s: %s", ends[i].reason, ends[i].symbol, cause.what);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_routes),
		TEST(test_rules),
		TEST(test_selectors),
		TEST(test_rules_to_given_tables),
		TEST(test_forwarding),
		TEST(test_sources),
		TEST(test_hops_and_sizes),
		TEST(test_dead_neighbour),
		TEST(test_stale_neighbour),
		TEST(test_qdisc),
		TEST(test_qdisc_below),
		TEST(test_device_down),
		TEST(test_xfrm),
		TEST(test_xfrm_selectors),
		TEST(test_sources_told),
		TEST(test_sizes_told),
		TEST(test_ipv6_disabled),
		TEST(test_queue),
		TEST(test_no_socket),
		TEST(test_full_socket),
		cmocka_unit_test_setup_teardown(test_cgroup_programs, setup, leave_cgroup),
		cmocka_unit_test_setup_teardown(test_many_cgroup_programs, setup, leave_cgroup),
		TEST(test_proxy),
		TEST(test_bridge),
		TEST(test_no_cause),
		TEST(test_bridge_settings),
		TEST(test_bridge_vlans),
		TEST(test_full_neighbour),
		TEST(test_neighbour_that_answered),
		TEST(test_gateway_of_ipv6),
		TEST(test_other_address),
		TEST(test_full_backlog),
		TEST(test_limits),
		TEST(test_devices),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
