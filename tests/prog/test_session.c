// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_session.c - whole probes, in process: a node of the test's own with pods and policies, a
 * session on it, and what the session says of each packet. So that what decides an answer is tried
 * in seconds, without a command line; tests/e2e has the many kinds of nodes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/parse.h"
#include "bed.h"
#include "demo/testbed.h"
#include "packets.h"
#include "probes.h"
#include "prog.h"
#include "probe/netfilter.h"
#include "session/session.h"
#include "shell.h"

/* web and other send; dst and guarded receive, and guarded does not want UDP port 9999. */
static struct {
	int web, other;
	struct fg_packet_spec udp, tcp;
} bed;

static void must(int ret, const struct fg_error *err)
{
	if (ret)
		fail_msg("%s", err->message);
}

static void open_with(struct fg_session_options options)
{
	probes_open(options);
	bed.web = probes_pod("netns:web");
	bed.other = probes_pod("netns:other");
}

static int make_node(void **state)
{
	struct fg_error err = {};

	(void)state;
	/* What this kernel refuses is tried, and told by the session. */
	libbpf_set_print(NULL);
	bed_node();
	bed_pod("web", "10.9.1.2", "fd09:1::2", NULL);
	bed_pod("other", "10.9.2.2", "fd09:2::2", NULL);
	bed_pod("guarded", "10.9.4.2", "fd09:4::2", NULL);
	bed_pod("dst", "10.9.0.9", "fd09::9", "10.9.0.1");
	bed_deny("web", false, "deny_port", 9999, 9999);
	bed_deny("guarded", true, "deny_port", 9999, 9999);
	fg_packet_spec_init(&bed.udp);
	fg_packet_spec_init(&bed.tcp);
	must(packets_set(&bed.udp, "proto=udp", &err), &err);
	must(packets_set(&bed.tcp, "proto=tcp;flags=S", &err), &err);
	return 0;
}

static int end_node(void **state)
{
	(void)state;
	probes_close();
	fg_packet_spec_free(&bed.udp);
	fg_packet_spec_free(&bed.tcp);
	return 0;
}

static int fresh(void **state)
{
	(void)state;
	open_with((struct fg_session_options){});
	return 0;
}

/* --- what becomes of a packet --- */

static void a_packet_that_all_let_pass(void **state)
{
	static const char *const to[] = { "10.9.0.9", "fd09::9", "10.9.4.2", "fd09:4::2" };

	(void)state;
	probes_need_tcx();
	for (size_t i = 0; i < COUNT(to); i++) {
		const struct fg_probe *p = probes_one(bed.web, &bed.udp, to[i], 53);

		probes_is(p, FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED);
		assert_true(p->result.stopped);
		assert_int_equal(p->result.denied_by, -1);
		assert_int_equal(p->context->ladder->count, i < 2 ? 1 : 2);
		for (size_t k = 0; k < p->context->ladder->count; k++)
			assert_int_equal(p->result.steps[k].ran, FG_RAN_YES);
	}
}

static void the_senders_policy_denies(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	for (int v6 = 0; v6 < 2; v6++) {
		p = probes_one(bed.web, &bed.udp, v6 ? "fd09:4::2" : "10.9.4.2", 9999);
		probes_is(p, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
		assert_int_equal(probes_decider(p)->stage, FG_STAGE_EGRESS);
		assert_string_equal(probes_decider(p)->name, "deny_port");
		assert_int_equal(p->result.stages[FG_STAGE_EGRESS].verdict, FG_VERDICT_DENIED);
		/* The receiver's was not asked. */
		assert_false(p->result.stages[FG_STAGE_INGRESS].reached);
		assert_int_equal(p->result.steps[1].ran, FG_RAN_NO);
	}
}

static void the_receivers_policy_denies(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	for (int v6 = 0; v6 < 2; v6++) {
		p = probes_one(bed.other, &bed.udp, v6 ? "fd09:4::2" : "10.9.4.2", 9999);
		probes_is(p, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
		assert_int_equal(probes_decider(p)->stage, FG_STAGE_INGRESS);
		assert_true(p->result.stages[FG_STAGE_EGRESS].reached);
		assert_int_equal(p->result.stages[FG_STAGE_INGRESS].verdict, FG_VERDICT_DENIED);
	}
}

static void nobody_is_asked(void **state)
{
	(void)state;
	probes_need_tcx();
	probes_is(probes_one(bed.other, &bed.udp, "10.9.0.9", 9999), FG_VERDICT_NONE,
		  FG_OUTCOME_DELIVERED);
	probes_is(probes_one(bed.other, &bed.udp, "fd09::9", 9999), FG_VERDICT_NONE,
		  FG_OUTCOME_DELIVERED);
}

static void the_node_has_no_route(void **state)
{
	const struct fg_probe *p = probes_one(bed.web, &bed.udp, "192.0.2.1", 53);

	(void)state;
	probes_need_tcx();
	/* The kernel limits its ICMP errors. */
	probes_is(p, FG_VERDICT_ALLOWED, FG_OUTCOMES);
	assert_true(p->result.outcome == FG_OUTCOME_REJECTED ||
		    p->result.outcome == FG_OUTCOME_DROPPED);
	assert_false(p->result.stages[FG_STAGE_INGRESS].reached);
}

static void the_pod_has_no_route(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	assert_int_equal(bed_in_pod("web", "ip route add prohibit 198.51.100.0/24"), 0);
	p = probes_one(bed.web, &bed.udp, "198.51.100.1", 53);
	assert_int_equal(p->result.outcome, FG_OUTCOME_NOT_SENT);
	assert_int_equal(bed_in_pod("web", "ip route del prohibit 198.51.100.0/24"), 0);
}

/* --- many at once --- */

static void each_of_a_window_has_its_own_answer(void **state)
{
	static const struct {
		bool other;
		const char *dst;
		uint16_t port;
		enum fg_verdict verdict;
		enum fg_outcome outcome; /* FG_OUTCOMES: the kernel limits its ICMP errors */
		enum fg_stage stage;	 /* of who denied it */
	} rows[] = {
		{ false, "10.9.0.9", 53, FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED, 0 },
		{ true, "10.9.4.2", 9999, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED, FG_STAGE_INGRESS },
		{ false, "10.9.4.2", 9999, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED, FG_STAGE_EGRESS },
		{ true, "fd09::9", 9999, FG_VERDICT_NONE, FG_OUTCOME_DELIVERED, 0 },
		{ false, "192.0.2.1", 53, FG_VERDICT_ALLOWED, FG_OUTCOMES, 0 },
		{ true, "fd09:4::2", 53, FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED, 0 },
		{ false, "10.9.0.9", 9999, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED, FG_STAGE_EGRESS },
	};
	const struct fg_probe *window;

	(void)state;
	probes_need_tcx();
	/* Also the second time: nothing is left of the first. */
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < COUNT(rows); i++)
			probes_put(i, rows[i].other ? bed.other : bed.web, &bed.udp, rows[i].dst,
				   rows[i].port);
		window = probes_run(COUNT(rows));
		for (uint32_t i = 0; i < COUNT(rows); i++) {
			const struct fg_addr to = bed_addr(rows[i].dst);

			probes_is(&window[i], rows[i].verdict, rows[i].outcome);
			if (rows[i].verdict == FG_VERDICT_DENIED)
				assert_int_equal(probes_decider(&window[i])->stage, rows[i].stage);
			assert_true(fg_addr_equal(&window[i].spec.vary.dst, &to));
		}
	}
}

static void more_than_one_call_sends(void **state)
{
	const struct fg_probe *window;

	(void)state;
	probes_need_tcx();
	for (uint32_t i = 0; i < 200; i++)
		probes_put(i, bed.web, &bed.udp, "10.9.0.9", i % 3 ? 53 : 9999);
	window = probes_run(200);
	for (uint32_t i = 0; i < 200; i++)
		probes_is(&window[i], i % 3 ? FG_VERDICT_ALLOWED : FG_VERDICT_DENIED,
			  i % 3 ? FG_OUTCOME_DELIVERED : FG_OUTCOME_DROPPED);
}

/* --- what changes in the middle --- */

static void a_policy_that_comes_is_met(void **state)
{
	struct fg_error err = {};
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	bed_pod("late", "10.9.7.2", "fd09:7::2", NULL);
	/* The session did not know of it: the first packet is kept from its sockets alone. */
	p = probes_one(bed.other, &bed.udp, "10.9.7.2", 9999);
	assert_int_equal(p->result.verdict, FG_VERDICT_NONE);
	p = probes_one(bed.other, &bed.udp, "10.9.7.2", 9999);
	probes_is(p, FG_VERDICT_NONE, FG_OUTCOME_DELIVERED);
	assert_true(p->result.stopped);
	bed_deny("late", true, "deny_port", 9999, 9999);
	/* The first one may be told to have changed; then the pod is looked at anew. */
	p = probes_one(bed.other, &bed.udp, "10.9.7.2", 9999);
	for (int i = 0; i < 20 && p->result.verdict != FG_VERDICT_DENIED; i++) {
		assert_int_not_equal(p->result.verdict, FG_VERDICT_ALLOWED);
		usleep(100000);
		must(fg_session_renew_pod(probes_session, bed.other, &err), &err);
		p = probes_one(bed.other, &bed.udp, "10.9.7.2", 9999);
	}
	probes_is(p, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
	assert_string_equal(probes_decider(p)->name, "deny_port");
	assert_int_equal(probes_decider(p)->stage, FG_STAGE_INGRESS);
}

/* The address goes to another pod: within a second the packet is known to go there. */
static void an_address_moves(void **state)
{
	const struct fg_probe *p;
	uint32_t before;

	(void)state;
	probes_need_tcx();
	bed_pod("second", "10.9.8.2", "fd09:8::2", NULL);
	bed_pod("first", "10.9.5.2", "fd09:5::2", NULL);
	open_with((struct fg_session_options){});
	p = probes_one(bed.other, &bed.udp, "10.9.5.2", 53);
	probes_is(p, FG_VERDICT_NONE, FG_OUTCOME_DELIVERED);
	before = p->context->far.netns;
	assert_true(p->context->far.known);
	bed_pod_delete("first");
	usleep(1100000);
	assert_int_equal(shell_run(-1, "ip route replace 10.9.5.2 dev hsecond"), 0);
	assert_int_equal(bed_in_pod("second", "ip addr add 10.9.5.2/32 dev eth0"), 0);
	p = probes_one(bed.other, &bed.udp, "10.9.5.2", 53);
	probes_is(p, FG_VERDICT_NONE, FG_OUTCOME_DELIVERED);
	assert_true(p->result.stopped);
	assert_int_not_equal(p->context->far.netns, before);
	bed_pod_delete("second");
}

/* --- replies --- */

static void a_closed_port_replies(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	open_with((struct fg_session_options){ .reply = true });
	p = probes_one(bed.web, &bed.tcp, "10.9.0.9", 81);
	assert_int_equal(p->result.outcome, FG_OUTCOME_REJECTED);
	assert_int_equal(p->result.reply.kind, FG_REPLY_RST);
	p = probes_one(bed.web, &bed.udp, "fd09::9", 81);
	assert_int_equal(p->result.outcome, FG_OUTCOME_REJECTED);
	assert_int_equal(p->result.reply.kind, FG_REPLY_ICMP_ERROR);
}

/* The whole way back is judged as the way there is. */
static void a_reply_is_followed_back(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();

	FG_FD int fd = bed_socket("dst", SOCK_STREAM, "10.9.0.9", 80);

	assert_int_equal(listen(fd, 1), 0);
	open_with((struct fg_session_options){ .reply = true });
	for (int i = 0; i < 4; i++) {
		/* The place in the queue is given back, each time: it has room for two. */
		p = probes_one(bed.other, &bed.tcp, "10.9.0.9", 80);
		assert_int_equal(p->result.outcome, FG_OUTCOME_REPLIED);
		assert_int_equal(p->result.reply.kind, FG_REPLY_SYN_ACK);
		assert_non_null(p->result.reply.way);
		assert_int_equal(p->result.reply.way->verdict, FG_VERDICT_NONE);
		assert_true(fg_addr_equal(&p->result.reply.from, &p->spec.vary.dst));
	}
	assert_int_equal(accept(fd, NULL, NULL), -1);
}

/* What denies replies to these ports is on the way back alone. */
static void a_reply_is_denied(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();

	FG_FD int fd = bed_socket("dst", SOCK_STREAM, "10.9.0.9", 80);

	assert_int_equal(listen(fd, 5), 0);
	bed_pod("picky", "10.9.6.2", "fd09:6::2", NULL);
	bed_deny("picky", true, "deny_port", 20000, 39999);
	open_with((struct fg_session_options){ .reply = true });
	bed.other = probes_pod("netns:picky");
	p = probes_one(bed.other, &bed.tcp, "10.9.0.9", 80);
	assert_int_equal(p->result.verdict, FG_VERDICT_NONE);
	assert_int_equal(p->result.outcome, FG_OUTCOME_DELIVERED);
	assert_non_null(p->result.reply.way);
	assert_int_equal(p->result.reply.way->verdict, FG_VERDICT_DENIED);
	assert_int_equal(p->result.reply.way->outcome, FG_OUTCOME_DROPPED);
	bed_pod_delete("picky");
}

/* --- what the destination notices --- */

static bool has_got(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) >= 0;
}

static void a_socket_sees_what_is_to_be_delivered_alone(void **state)
{

	(void)state;
	probes_need_tcx();

	FG_FD int v4 = bed_socket("dst", SOCK_DGRAM, "10.9.0.9", 53);
	FG_FD int v6 = bed_socket("dst", SOCK_DGRAM, "fd09::9", 53);

	probes_is(probes_one(bed.web, &bed.udp, "10.9.0.9", 53), FG_VERDICT_ALLOWED,
		  FG_OUTCOME_DELIVERED);
	probes_is(probes_one(bed.web, &bed.udp, "fd09::9", 53), FG_VERDICT_ALLOWED,
		  FG_OUTCOME_DELIVERED);
	assert_false(has_got(v4) || has_got(v6));
	open_with((struct fg_session_options){ .deliver = true });
	probes_is(probes_one(bed.web, &bed.udp, "10.9.0.9", 53), FG_VERDICT_ALLOWED,
		  FG_OUTCOME_DELIVERED);
	assert_true(has_got(v4) && !has_got(v6));
	probes_is(probes_one(bed.web, &bed.udp, "fd09::9", 53), FG_VERDICT_ALLOWED,
		  FG_OUTCOME_DELIVERED);
	assert_true(has_got(v6) && !has_got(v4));
}

/* No route leads to who gets it in the end: a translation on the node does. */
static void a_translated_packet_is_kept_from_its_receiver(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	if (shell_try(-1,
		      "nft 'add table ip t; add chain ip t pre { type nat hook prerouting "
		      "priority -100; }; add rule ip t pre ip daddr 10.96.0.1 udp dport 53 dnat to "
		      "10.9.0.9'"))
		prog_skip("this machine has no nf_tables with NAT");

	FG_FD int fd = bed_socket("dst", SOCK_DGRAM, "10.9.0.9", 53);

	open_with((struct fg_session_options){});
	p = probes_one(bed.web, &bed.udp, "10.96.0.1", 53);
	assert_int_equal(p->result.verdict, FG_VERDICT_ALLOWED);
	assert_int_equal(p->result.outcome, FG_OUTCOME_DELIVERED);
	assert_true(p->result.stopped);
	assert_false(has_got(fd));
	assert_int_equal(shell_run(-1, "nft delete table ip t"), 0);
}

/* --- why --- */

static void the_rule_that_dropped_it_is_found(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	if (shell_try(
		    -1,
		    "nft 'add table ip t; add chain ip t across { type filter hook forward "
		    "priority 0; }; add rule ip t across udp dport 5353 drop comment \"no mdns\"'"))
		prog_skip("this machine has no nf_tables");
	open_with((struct fg_session_options){ .explain = true });
	p = probes_one(bed.other, &bed.udp, "10.9.0.9", 5353);
	probes_is(p, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
	assert_int_equal(p->result.decider.kind, FG_KIND_NETFILTER);
	assert_non_null(p->result.netfilter);
	assert_string_equal(p->result.netfilter->chain, "across");
	assert_string_equal(p->result.netfilter->comment, "no mdns");
	assert_int_equal(p->result.attempts, 2);
	assert_int_equal(p->result.first.outcome, FG_OUTCOME_DROPPED);
	/* One that it lets pass is not sent again. */
	p = probes_one(bed.other, &bed.udp, "10.9.0.9", 5354);
	assert_int_equal(p->result.outcome, FG_OUTCOME_DELIVERED);
	assert_true(p->result.attempts <= 1);
	assert_null(p->result.netfilter);
	/* Traced all along, in a window of many. */
	open_with((struct fg_session_options){ .trace_netfilter = true });
	for (uint32_t i = 0; i < 6; i++)
		probes_put(i, bed.other, &bed.udp, i % 2 ? "10.9.4.2" : "10.9.0.9",
			   i < 3 ? 5353 : 53);
	p = probes_run(6);
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(p[i].result.outcome,
				 i < 3 ? FG_OUTCOME_DROPPED : FG_OUTCOME_DELIVERED);
		assert_int_equal(p[i].result.netfilter != NULL, i < 3);
	}
	assert_int_equal(shell_run(-1, "nft delete table ip t"), 0);
}

/* --- how it leaves its pod --- */

/* A second device of the pod is another endpoint of it, unless the user has named the first. */
static void a_route_leaves_by_another_device(void **state)
{
	struct fg_error err = {};
	const struct fg_probe *p;
	uint32_t room;
	int first;

	(void)state;
	probes_need_tcx();
	assert_int_equal(shell_run(-1, "ip link add hnet1 type veth peer name net1 netns web; "
				       "ip link set hnet1 up; ip addr add 10.9.20.1/24 dev hnet1"),
			 0);
	assert_int_equal(bed_in_pod("web",
				    "ip addr add 10.9.20.2/24 dev net1; ip link set net1 up; "
				    "ip route add 10.9.4.2 via 10.9.20.1 dev net1"),
			 0);
	p = probes_one(bed.web, &bed.udp, "10.9.4.2", 53);
	assert_int_not_equal(p->spec.pod, bed.web);
	assert_string_equal(fg_session_pod(probes_session, p->spec.pod)->peer.name, "net1");
	assert_true(
		fg_addr_equal(&p->spec.vary.src, &(struct fg_addr){ AF_INET, { 10, 9, 20, 2 } }));
	/* The policy is at the other device. */
	probes_is(p, FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED);
	assert_int_equal(p->context->ladder->count, 1);
	first = p->spec.pod;
	assert_int_equal(probes_one(bed.web, &bed.udp, "10.9.4.2", 54)->spec.pod, first);
	assert_int_equal(probes_one(bed.web, &bed.udp, "10.9.0.9", 54)->spec.pod, bed.web);
	probes_open((struct fg_session_options){});
	bed.web = fg_session_add_pod(probes_session, "netns:web", "eth0", FG_METHOD_AUTO, &err);
	must(bed.web < 0, &err);
	probes_put(0, bed.web, &bed.udp, "10.9.4.2", 53);
	assert_int_equal(fg_session_route(probes_session,
					  &fg_session_window(probes_session, &room)->spec, &err),
			 -1);
	assert_int_equal(err.kind, FG_ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "leaves through net1, not eth0"));
	assert_int_equal(shell_run(-1, "ip link del hnet1"), 0);
}

/* --- other wirings --- */

/* Out of the node, with a policy at the device by which it leaves, or without. */
static void it_leaves_the_node(void **state)
{
	struct ifreq request = { .ifr_name = "up0", .ifr_flags = IFF_TAP | IFF_NO_PI };
	FG_FD int wire = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	if (wire < 0 || ioctl(wire, TUNSETIFF, &request))
		prog_skip("this kernel has no tap device");
	assert_int_equal(shell_run(-1,
				   "ip link set up0 up; ip addr add 198.51.100.2/24 dev up0; "
				   "ip neigh add 198.51.100.1 dev up0 lladdr 02:00:00:00:00:01; "
				   "ip route add 203.0.113.0/24 via 198.51.100.1"),
			 0);
	open_with((struct fg_session_options){});
	p = probes_one(bed.web, &bed.udp, "203.0.113.7", 53);
	probes_is(p, FG_VERDICT_ALLOWED, FG_OUTCOME_FORWARDED);
	assert_true(p->context->far.known);
	assert_int_equal(p->context->far.netns, 0);
	p = probes_one(bed.other, &bed.udp, "203.0.113.7", 53);
	probes_is(p, FG_VERDICT_NONE, FG_OUTCOME_FORWARDED);
}

static void a_program_sends_it_elsewhere(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	bed_pod("diverts", "10.9.6.3", "fd09:6::3", NULL);
	bed_redirect("diverts", "redirect_peer", "hguarded");
	open_with((struct fg_session_options){});
	bed.other = probes_pod("netns:diverts");
	for (int i = 0; i < 2; i++) {
		p = probes_one(bed.other, &bed.udp, "10.9.0.9", 53);
		assert_int_equal(p->result.verdict, FG_VERDICT_REDIRECTED);
		assert_int_equal(p->result.redirected_by, 0);
		assert_non_null(p->result.redirected_to);
		assert_int_equal(p->result.denied_by, -1);
		assert_string_equal(p->context->ladder->programs[0].name, "redirect_peer");
		/* Into guarded, which has another address. */
		assert_int_not_equal(p->result.redirected_to->event.netns, p->context->host_netns);
	}
	bed_pod_delete("diverts");
}

/* To the egress of the other pod's device, where the policy of that one is met. */
static void a_program_sends_it_to_another_policy(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	bed_pod("diverts", "10.9.6.3", "fd09:6::3", NULL);
	bed_redirect("diverts", "redirect_neigh", "hguarded");
	open_with((struct fg_session_options){});
	bed.other = probes_pod("netns:diverts");
	/* The first one shows where it comes by; there the policy is met, and listed for all. */
	for (int i = 0; i < 3; i++) {
		probes_put(0, bed.other, &bed.udp, "10.9.4.2", 53);
		probes_put(1, bed.other, &bed.udp, "10.9.4.2", 9999);
		p = probes_run(2);
	}
	probes_is(&p[0], FG_VERDICT_REDIRECTED, FG_OUTCOME_DELIVERED);
	assert_int_equal(p[0].result.redirected_by, 0);
	probes_is(&p[1], FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
	assert_string_equal(probes_decider(&p[1])->name, "deny_port");
	assert_int_equal(p[1].context->ladder->count, 2);
	bed_pod_delete("diverts");
}

/* A program without BTF, beside one that lets all pass: their run counters tell who it was. */
static void programs_that_cannot_be_traced(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	bed_pod("blind", "10.9.6.4", "fd09:6::4", NULL);
	bed_deny("blind", false, "next_all", 1, 1);
	bed_deny("blind", false, "no_btf", 1, 1);
	open_with((struct fg_session_options){});
	bed.other = probes_pod("netns:blind");
	/* A packet of the pod's own at the same time makes the counters tell of two. */
	for (int i = 0; i < 10; i++) {
		p = probes_one(bed.other, &bed.udp, "10.9.0.9", 53);
		if (p->result.steps[0].ran && p->result.steps[1].ran)
			break;
		usleep(200000);
	}
	probes_is(p, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
	assert_int_equal(p->context->ladder->count, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(p->result.steps[i].ran, FG_RAN_YES);
	/* And of a whole window. */
	for (int tries = 0; tries < 10; tries++) {
		uint32_t denied = 0;

		for (uint32_t i = 0; i < 5; i++)
			probes_put(i, bed.other, &bed.udp, "10.9.0.9", 53);
		p = probes_run(5);
		for (uint32_t i = 0; i < 5; i++)
			denied += p[i].result.verdict == FG_VERDICT_DENIED;
		if (denied == 5)
			break;
		usleep(200000);
	}
	for (uint32_t i = 0; i < 5; i++)
		probes_is(&p[i], FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
	bed_pod_delete("blind");
}

static void two_pods_on_a_bridge(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	if (shell_try(-1, "ip link add br0 type bridge && ip link set br0 up && "
			  "ip addr add 10.9.30.1/24 dev br0"))
		prog_skip("this kernel has no bridge");
	bed_pod("left", "10.9.30.2", "fd09:30::2", "10.9.30.1");
	bed_pod("right", "10.9.30.3", "fd09:30::3", "10.9.30.1");
	bed_deny("right", true, "deny_port", 9999, 9999);
	assert_int_equal(shell_run(-1, "for d in hleft hright; do ip addr flush dev $d; "
				       "ip link set $d master br0; done"),
			 0);
	open_with((struct fg_session_options){});
	bed.other = probes_pod("netns:left");
	for (int i = 0; i < 2; i++) {
		p = probes_one(bed.other, &bed.udp, "10.9.30.3", 53);
		probes_is(p, FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED);
		assert_true(p->result.stopped && p->context->bridged);
		probes_is(probes_one(bed.other, &bed.udp, "10.9.30.3", 9999), FG_VERDICT_DENIED,
			  FG_OUTCOME_DROPPED);
	}
	/* The bridge's own address is the node's. */
	p = probes_one(bed.other, &bed.udp, "10.9.30.1", 53);
	assert_int_equal(p->result.verdict, FG_VERDICT_NONE);
	bed_pod_delete("left");
	bed_pod_delete("right");
	assert_int_equal(shell_run(-1, "ip link del br0"), 0);
}

static void from_outside(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	bed_pod("wire", "198.51.100.1", "fd0e::1", "198.51.100.2");
	assert_int_equal(shell_run(-1, "ip route add default via 198.51.100.1 dev hwire"), 0);
	bed_deny("guarded", false, "allow_all", 1, 1);
	probes_open((struct fg_session_options){});
	bed.web = probes_pod("uplink:hwire");
	for (int i = 0; i < 2; i++) {
		static const struct {
			const char *dst;
			uint16_t port;
			enum fg_verdict verdict;
			enum fg_outcome outcome;
		} rows[] = {
			{ "10.9.0.9", 53, FG_VERDICT_NONE, FG_OUTCOME_DELIVERED },
			{ "10.9.4.2", 53, FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED },
			{ "10.9.4.2", 9999, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED },
		};

		for (size_t k = 0; k < COUNT(rows); k++) {
			uint32_t room;

			probes_put(0, bed.web, &bed.udp, rows[k].dst, rows[k].port);
			fg_session_window(probes_session, &room)->spec.vary.src =
				bed_addr("203.0.113.7");
			fg_session_window(probes_session, &room)->spec.any_source = false;
			p = probes_run(1);
			probes_is(p, rows[k].verdict, rows[k].outcome);
			assert_true(p->context->from_uplink);
		}
	}
	bed_pod_delete("wire");
}

/* --- what the answer is made of --- */

static void fragments_have_answers_of_their_own(void **state)
{
	struct fg_packet_spec big;
	struct fg_error err = {};
	struct fg_probe *window;
	uint32_t room, count = 1;

	(void)state;
	probes_need_tcx();
	fg_packet_spec_init(&big);
	must(packets_set(&big, "proto=udp;size=3000;fragment=1400", &err), &err);
	probes_put(0, bed.other, &big, "10.9.0.9", 53);
	window = fg_session_window(probes_session, &room);
	must(fg_session_route(probes_session, &window->spec, &err), &err);
	must(fg_session_run(probes_session, &count, &err), &err);
	assert_int_equal(count, 3);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(window[i].spec.fragment, i);
		assert_int_equal(window[i].spec.fragments, 3);
		probes_is(&window[i], FG_VERDICT_NONE, FG_OUTCOME_DELIVERED);
	}
	fg_packet_spec_free(&big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup(test, fresh)
		TEST(a_packet_that_all_let_pass),
		TEST(the_senders_policy_denies),
		TEST(the_receivers_policy_denies),
		TEST(nobody_is_asked),
		TEST(the_node_has_no_route),
		TEST(the_pod_has_no_route),
		TEST(each_of_a_window_has_its_own_answer),
		TEST(more_than_one_call_sends),
		TEST(a_policy_that_comes_is_met),
		TEST(an_address_moves),
		TEST(a_closed_port_replies),
		TEST(a_reply_is_followed_back),
		TEST(a_reply_is_denied),
		TEST(a_socket_sees_what_is_to_be_delivered_alone),
		TEST(a_translated_packet_is_kept_from_its_receiver),
		TEST(the_rule_that_dropped_it_is_found),
		TEST(a_route_leaves_by_another_device),
		TEST(it_leaves_the_node),
		TEST(a_program_sends_it_elsewhere),
		TEST(a_program_sends_it_to_another_policy),
		TEST(programs_that_cannot_be_traced),
		TEST(two_pods_on_a_bridge),
		TEST(fragments_have_answers_of_their_own),
		TEST(from_outside),
	};

	return cmocka_run_group_tests(tests, make_node, end_node);
}
