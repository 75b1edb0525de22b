// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_explain.c - why a packet ended where it did, by whole probes in process: the packet's own
 * bytes, the namespace and the device where it ended, and the way of its reply are what the lookups
 * of lib/cause (test_cause.c) are asked with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"
#include "bed.h"
#include "facts/cause.h"
#include "packets.h"
#include "probes.h"
#include "shell.h"

/* web sends, dst receives. */
static int web;

static int make_node(void **state)
{
	(void)state;
	/* What this kernel refuses is tried, and told by the session. */
	libbpf_set_print(NULL);
	bed_node();
	bed_pod("web", "10.9.1.2", "fd09:1::2", NULL);
	bed_pod("dst", "10.9.0.9", "fd09::9", "10.9.0.1");
	/* Else the kernel answers now and then. */
	return shell_run(-1, "sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0");
}

static int end_node(void **state)
{
	(void)state;
	probes_close();
	return 0;
}

static void open_with(struct fg_session_options options)
{
	options.explain = true;
	probes_open(options);
	web = probes_pod("netns:web");
}

/* A probe by these keys. */
static const struct fg_probe *probe(const char *keys, const char *dst, uint16_t port)
{
	static struct fg_packet_spec packet;
	struct fg_error err = {};

	fg_packet_spec_free(&packet);
	fg_packet_spec_init(&packet);
	if (packets_set(&packet, keys, &err))
		fail_msg("%s", err.message);
	return probes_one(web, &packet, dst, port);
}

static void must(const char *pod, const char *command)
{
	assert_int_equal(pod ? bed_in_pod(pod, command) : shell_run(-1, "%s", command), 0);
}

static void is_cause(const struct fg_result *r, enum fg_cause_kind kind, const char *how,
		     const char *what)
{
	const struct fg_cause *c = r->cause;

	if (!c || c->kind != kind || strcmp(c->how ?: "", how) != 0 || !strstr(c->what, what))
		fail_msg("outcome %d, reason %s, cause %s: %s", r->outcome, r->reason ?: "-",
			 c && c->how ? c->how : "-", c ? c->what : "-");
}

/* What is done in the node or a pod, a packet, and why that one ended. */
static void why_it_ended(void **state)
{
	static const struct {
		const char *pod, *before, *after;
		const char *keys, *dst;
		bool deliver;
		enum fg_cause_kind kind;
		const char *how, *what;
	} rows[] = {
		/* by the packet's own bytes */
		{ NULL, "ip rule add tos 0x10 prohibit prio 10", "ip rule del prio 10",
		  "proto=udp;tos=16", "10.9.0.9", false, FG_CAUSE_ROUTE, "prohibit",
		  "rule 10 (tos 0x10): prohibit" },
		{ NULL, "ip rule add ipproto udp dport 53 blackhole prio 10", "ip rule del prio 10",
		  "proto=udp", "10.9.0.9", false, FG_CAUSE_ROUTE, "blackhole",
		  "rule 10 (ipproto 17 dport 53-53): blackhole" },
		{ NULL, "ip link set hdst mtu 1300", "ip link set hdst mtu 1500",
		  "proto=udp;size=1400", "10.9.0.9", false, FG_CAUSE_MTU, "device",
		  "1428 bytes to 10.9.0.9, the MTU of hdst is 1300" },
		{ NULL, "ip link set hdst mtu 1300", "ip link set hdst mtu 1500",
		  "proto=udp;size=1400", "fd09::9", false, FG_CAUSE_MTU, "device",
		  "1448 bytes to fd09::9, the MTU of hdst is 1300" },
		/* by the device that it came in by */
		{ NULL, "ip rule add iif hweb unreachable prio 10", "ip rule del prio 10",
		  "proto=udp", "10.9.0.9", false, FG_CAUSE_ROUTE, "unreachable",
		  "rule 10 (iif hweb): unreachable" },
		{ NULL, "ip -6 route add prohibit fd09:7::/64", "ip -6 route del fd09:7::/64",
		  "proto=udp", "fd09:7::7", false, FG_CAUSE_ROUTE, "prohibit",
		  "prohibit fd09:7::/64 in table main" },
		/* in the receiving pod */
		{ "dst", "sysctl -qw net.ipv4.conf.eth0.rp_filter=1; ip route add 10.9.1.2 dev lo",
		  "sysctl -qw net.ipv4.conf.eth0.rp_filter=0; ip route del 10.9.1.2 dev lo",
		  "proto=udp", "10.9.0.9", true, FG_CAUSE_RPFILTER, "strict",
		  "source 10.9.1.2 came in on eth0, the route back to it leads out of lo" },
		{ "dst", "true", "true", "proto=udp", "10.9.0.9", true, FG_CAUSE_SOCKET,
		  "no-listener", "nothing listens on UDP port 53 in pod dst" },
		{ "dst", "true", "true", "proto=udp", "fd09::9", true, FG_CAUSE_SOCKET,
		  "no-listener", "nothing listens on UDP port 53 in pod dst" },
	};

	(void)state;
	probes_need_tcx();
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fg_probe *p;

		must(rows[i].pod, rows[i].before);
		open_with((struct fg_session_options){ .deliver = rows[i].deliver });
		p = probe(rows[i].keys, rows[i].dst, 53);
		assert_true(p->result.outcome == FG_OUTCOME_REJECTED ||
			    p->result.outcome == FG_OUTCOME_DROPPED);
		is_cause(&p->result, rows[i].kind, rows[i].how, rows[i].what);
		must(rows[i].pod, rows[i].after);
	}
}

/* What the rules and limits of the table do not mean goes on, and has no cause. */
static void what_goes_on_has_no_cause(void **state)
{
	static const char *const keys[] = { "proto=udp;tos=8", "proto=udp", "proto=udp;size=1272" };

	(void)state;
	probes_need_tcx();
	must(NULL, "ip rule add tos 0x10 prohibit prio 10; ip link set hdst mtu 1300");
	open_with((struct fg_session_options){});
	for (size_t i = 0; i < COUNT(keys); i++) {
		const struct fg_probe *p = probe(keys[i], "10.9.0.9", 53);

		assert_int_equal(p->result.outcome, FG_OUTCOME_DELIVERED);
		assert_null(p->result.cause);
		assert_null(p->result.ipvs);
		assert_true(p->result.attempts <= 1);
	}
	must(NULL, "ip rule del prio 10; ip link set hdst mtu 1500");
}

/* Of a window of many nothing is explained. */
static void one_probe_alone_is_explained(void **state)
{
	struct fg_packet_spec packet;
	struct fg_error err = {};
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	fg_packet_spec_init(&packet);
	assert_int_equal(packets_set(&packet, "proto=udp", &err), 0);
	must(NULL, "ip rule add iif hweb prohibit prio 10");
	open_with((struct fg_session_options){});
	probes_put(0, web, &packet, "10.9.0.9", 53);
	probes_put(1, web, &packet, "10.9.0.9", 54);
	p = probes_run(2);
	assert_true(p[0].result.dropped && p[1].result.dropped);
	assert_true(!p[0].result.cause && !p[1].result.cause);
	is_cause(&probes_one(web, &packet, "10.9.0.9", 53)->result, FG_CAUSE_ROUTE, "prohibit",
		 "rule 10 (iif hweb): prohibit");
	must(NULL, "ip rule del prio 10");
	fg_packet_spec_free(&packet);
}

/* Of the reply its own way is looked at: as it came from, and by what it was sent. */
static void why_the_reply_ended(void **state)
{
	static const struct {
		const char *rule, *how, *what;
	} rows[] = {
		{ "iif hdst prohibit", "prohibit", "rule 10 (iif hdst): prohibit" },
		{ "from 10.9.0.9 to 10.9.1.2 blackhole", "blackhole",
		  "rule 10 (from 10.9.0.9 to 10.9.1.2): blackhole" },
	};

	FG_FD int fd = bed_socket("dst", SOCK_STREAM, "10.9.0.9", 80);

	(void)state;
	probes_need_tcx();
	assert_int_equal(listen(fd, 5), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char command[100];
		const struct fg_probe *p;

		snprintf(command, sizeof(command), "ip rule add %s prio 10", rows[i].rule);
		must(NULL, command);
		open_with((struct fg_session_options){ .reply = true });
		p = probe("proto=tcp;flags=S", "10.9.0.9", 80);
		assert_null(p->result.cause);
		assert_non_null(p->result.reply.way);
		assert_int_equal(p->result.reply.way->outcome, FG_OUTCOME_DROPPED);
		is_cause(p->result.reply.way, FG_CAUSE_ROUTE, rows[i].how, rows[i].what);
		must(NULL, "ip rule del prio 10");
		/* Without it there is nothing to tell. */
		p = probe("proto=tcp;flags=S", "10.9.0.9", 80);
		assert_int_equal(p->result.outcome, FG_OUTCOME_REPLIED);
		assert_null(p->result.reply.way->cause);
	}
}

/* A program at a hook of netfilter shows in no trace of nf_tables. */
static void netfilter_without_a_rule(void **state)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = NF_DROP },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, load, .expected_attach_type = BPF_NETFILTER);
	LIBBPF_OPTS(bpf_link_create_opts, link, .netfilter.pf = NFPROTO_IPV4,
		    .netfilter.hooknum = NF_INET_FORWARD, .netfilter.priority = 1);
	FG_FD int program = bpf_prog_load(BPF_PROG_TYPE_NETFILTER, "deny_nf", "GPL", insns,
					  COUNT(insns), &load);
	int fd = program < 0 ? -1 : bpf_link_create(program, 0, BPF_NETFILTER, &link);
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	if (fd < 0)
		prog_skip("this kernel has no BPF links of netfilter (Linux 6.4)");
	open_with((struct fg_session_options){});
	p = probe("proto=udp", "10.9.0.9", 53);
	probes_is(p, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
	assert_int_equal(p->result.decider.kind, FG_KIND_NETFILTER);
	assert_null(p->result.netfilter);
	is_cause(&p->result, FG_CAUSE_NETFILTER, "bpf", "(deny_nf) at forward");
	/* Of the other family it is none. */
	p = probe("proto=udp", "fd09::9", 53);
	assert_int_equal(p->result.outcome, FG_OUTCOME_DELIVERED);
	assert_null(p->result.cause);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(why_it_ended),
		cmocka_unit_test(what_goes_on_has_no_cause),
		cmocka_unit_test(one_probe_alone_is_explained),
		cmocka_unit_test(why_the_reply_ended),
		cmocka_unit_test(netfilter_without_a_rule),
	};

	return cmocka_run_group_tests(tests, make_node, end_node);
}
