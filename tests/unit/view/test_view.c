// SPDX-License-Identifier: GPL-2.0-only
/* What a result says, in words: each kind of sight, and where a stage is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/count.h"
#include "probe/netfilter.h"
#include "traces.h"
#include "view/decisions.h"
#include "view/view.h"

static struct fg_ladder ladder;
static struct fg_context context;
static struct fg_probe probe;

static int set_up(void **state)
{
	(void)state;
	traces_ladder(&ladder, "EITP");
	snprintf(ladder.programs[0].name, sizeof(ladder.programs[0].name), "pol");
	context = traces_make(&ladder, FG_METHOD_PEER_EGRESS);
	probe = (struct fg_probe){ .context = &context };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fg_trace_free(&probe.trace);
	fg_ladder_free(&ladder);
	return 0;
}

static struct fg_observation *see(struct seen seen)
{
	struct fg_observation *o;

	traces_see(&probe.trace, &seen);
	o = &probe.trace.list[probe.trace.count - 1];
	o->flow = -1;
	return o;
}

/* "component Action: detail", with '!' where it was stopped. */
static void assert_sight(const struct fg_observation *o, const char *expected)
{
	struct fg_sight sight;
	char text[500];

	fg_view_sight_read(&context, &probe, o, &sight);
	snprintf(text, sizeof(text), "%s %s%s%s%s", sight.component, sight.action,
		 sight.detail ? ": " : "", sight.detail ?: "", sight.bad ? "!" : "");
	assert_string_equal(text, expected);
}

/* --- kinds --- */

static void each_kind_has_its_words(void **state)
{
	static const struct {
		struct seen seen;
		uint64_t aux;
		const char *text;
	} rows[] = {
		{ { FG_EVENT_INJECT, PRIMARY }, 0, "inject Injected" },
		{ { FG_EVENT_QUEUE, PEER }, 0, "egress Forwarded" },
		{ { FG_EVENT_RECEIVE, PRIMARY }, 0, "ingress Received" },
		{ { FG_EVENT_SOCKET, POD2 }, 0, "socket Delivered" },
		{ { FG_EVENT_STOP, POD2 },
		  0,
		  "stop Delivered: intercepted before the pod's stack" },
		{ { FG_EVENT_STOP, POD2 },
		  FG_STOP_AUX_STACK,
		  "stop Delivered: intercepted in the pod's IP stack" },
		{ { FG_EVENT_STOP, POD2 }, 77, "stop Delivered: intercepted before the socket" },
		{ { FG_EVENT_REPLY, PEER },
		  0,
		  "stop Received: intercepted before the pod's stack" },
		{ { FG_EVENT_JOIN, POD2, .flags = FG_EVENT_F_WHOLE },
		  0,
		  "stack Reassembled: with the other fragments" },
		{ { FG_EVENT_JOIN, POD2 },
		  0,
		  "stack Reassembled: with the other fragments, and cut again" },
		{ { FG_EVENT_LOST }, 0, "trail Lost: another packet took its place in memory" },
		{ { FG_EVENT_HEARD }, 0, "trail Unknown" },
		{ { FG_EVENT_KINDS }, 0, "trail Unknown" },
		{ { FG_EVENT_KINDS + 1 }, 0, "trail Unknown" },
		{ { FG_EVENT_XMIT, HARDWARE }, 0, "driver Forwarded" },
		{ { FG_EVENT_XMIT, HARDWARE, 16 }, 0, "driver Refused: returned 16" },
		{ { FG_EVENT_FREE, PRIMARY, R_TC_INGRESS },
		  0x1a2b,
		  "kernel Dropped: TC_INGRESS (73) at 0x1a2b!" },
		{ { FG_EVENT_FREE, PRIMARY, R_TC_INGRESS, 0, "f+1/2" },
		  0x1a2b,
		  "kernel Dropped: TC_INGRESS (73) at f+1/2!" },
		{ { FG_EVENT_FREE, PRIMARY, R_UNNAMED }, 0, "kernel Dropped: unknown(99) (99)!" },
		{ { FG_EVENT_FREE, PRIMARY, R_CONSUMED, 0, "f+1/2" },
		  0,
		  "kernel Consumed: at f+1/2" },
		{ { FG_EVENT_FREE, PRIMARY, 0 }, 0, "kernel Consumed" },
		{ { FG_EVENT_CONSUME, PRIMARY, R_TC_INGRESS }, 0, "kernel Consumed" },
		{ { FG_EVENT_POLICY, PEER, 2, FIRST_ID },
		  0,
		  "policy Dropped: tcx/egress pol (id 101): TCX_DROP!" },
		{ { FG_EVENT_POLICY, PEER, 0, FIRST_ID },
		  0,
		  "policy Passed: tcx/egress pol (id 101): TCX_PASS" },
		{ { FG_EVENT_POLICY, PEER, -1, FIRST_ID },
		  0,
		  "policy Next: tcx/egress pol (id 101): TCX_NEXT" },
		{ { FG_EVENT_POLICY, PEER, 7, FIRST_ID },
		  0,
		  "policy Redirected: tcx/egress pol (id 101): TCX_REDIRECT" },
		{ { FG_EVENT_POLICY, PEER, 2, 999 }, 0, "policy Returned: program (id 999): 2" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_observation *o;

		tear_down(NULL);
		set_up(NULL);
		o = see(rows[i].seen);
		o->event.aux = rows[i].aux;
		assert_sight(o, rows[i].text);
	}
}

static void what_a_classifier_returned_is_no_action(void **state)
{
	(void)state;
	ladder.programs[0].classifier = true;
	assert_sight(see((struct seen){ FG_EVENT_POLICY, PEER, 2, FIRST_ID }),
		     "policy Returned: pol (id 101): 2");
}

static void a_reply_meets_the_programs_of_its_own_way(void **state)
{
	const struct seen policy = { FG_EVENT_POLICY, PEER, 2, FIRST_ID,
				     .flags = FG_EVENT_F_REPLY };
	struct fg_program other = { .id = FIRST_ID, .hook = FG_HOOK_TCX_INGRESS, .name = "back" };
	const struct fg_ladder there = { .programs = &other, .count = 1 };
	struct fg_context back = context;

	(void)state;
	assert_sight(see(policy), "policy Dropped: tcx/egress pol (id 101): TCX_DROP!");
	back.ladder = &there;
	probe.result.reply.back = &back;
	assert_sight(&probe.trace.list[0], "policy Dropped: tcx/ingress back (id 101): TCX_DROP!");
	probe.trace.list[0].event.flags = 0;
	assert_sight(&probe.trace.list[0], "policy Dropped: tcx/egress pol (id 101): TCX_DROP!");
}

static void pieces_say_of_what_they_are(void **state)
{
	struct fg_observation *o = see((struct seen){ FG_EVENT_PIECE, PRIMARY });

	(void)state;
	o->event.branch = 3;
	o->event.aux = 1400;
	o->event.code = FG_PIECE_SEGMENT;
	assert_sight(o, "cut Segmented: piece 3, 1400 bytes of its transport payload");
	o->event.code = FG_PIECE_FRAGMENT;
	assert_sight(o, "cut Fragmented: piece 3, 1400 bytes of its IP payload");
}

static void at_an_uplink_it_is_intercepted_before_it_leaves(void **state)
{
	(void)state;
	context.from_uplink = true;
	assert_sight(see((struct seen){ FG_EVENT_STOP, PRIMARY }),
		     "stop Delivered: intercepted before it left");
	assert_sight(see((struct seen){ FG_EVENT_REPLY, PRIMARY }),
		     "stop Received: intercepted before it left");
	assert_sight(see((struct seen){ FG_EVENT_RECEIVE, PRIMARY }), "ingress Received");
	assert_sight(see((struct seen){ FG_EVENT_STOP, LXC2 }),
		     "stop Delivered: intercepted before the pod's stack");
	probe.trace.list[0].event.netns = NS_POD2;
	assert_sight(&probe.trace.list[0], "stop Delivered: intercepted before the pod's stack");
	context.from_uplink = false;
	probe.trace.list[0].event.netns = NS_HOST;
	assert_sight(&probe.trace.list[0], "stop Delivered: intercepted before the pod's stack");
}

static void the_end_of_what_is_forwarded_leaves_the_network(void **state)
{
	(void)state;
	see((struct seen){ FG_EVENT_QUEUE, HARDWARE });
	see((struct seen){ FG_EVENT_XMIT, HARDWARE });
	probe.result.end = &probe.trace.list[1];
	assert_sight(&probe.trace.list[1], "driver Forwarded");
	probe.result.outcome = FG_OUTCOME_FORWARDED;
	assert_sight(&probe.trace.list[1], "driver ForwardedOutOfNetwork");
	assert_sight(&probe.trace.list[0], "egress Forwarded");
}

/* What flowgen threw away is no drop: of the packet, a copy, a piece and a reply each its own. */
static void what_was_intercepted_before_is_not_dropped(void **state)
{
	static const struct {
		int kind;
		unsigned int before, after;
		uint32_t branch;
		bool own;
	} rows[] = {
		{ FG_EVENT_STOP, 0, 0, 0, true },
		{ FG_EVENT_REPLY, FG_EVENT_F_REPLY, FG_EVENT_F_REPLY, 0, true },
		{ FG_EVENT_STOP, FG_EVENT_F_CLONE, 0, 0, false },
		{ FG_EVENT_STOP, 0, FG_EVENT_F_CLONE, 0, false },
		{ FG_EVENT_STOP, FG_EVENT_F_PIECE, 0, 0, false },
		{ FG_EVENT_STOP, 0, FG_EVENT_F_REPLY, 0, false },
		{ FG_EVENT_STOP, FG_EVENT_F_PIECE, FG_EVENT_F_PIECE, 1, false },
		{ FG_EVENT_STOP, 0, FG_EVENT_F_CONNTRACK, 0, true },
		{ FG_EVENT_SOCKET, 0, 0, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_observation *o;

		tear_down(NULL);
		set_up(NULL);
		see((struct seen){ rows[i].kind, POD2, .flags = rows[i].before });
		o = see((struct seen){ FG_EVENT_FREE, POD2, R_TC_INGRESS, .flags = rows[i].after });
		o->event.branch = rows[i].branch;
		assert_sight(o, rows[i].own ? "stop Consumed: intercepted by flowgen"
					    : "kernel Dropped: TC_INGRESS (73)!");
	}
	/* Not if it is intercepted only later. */
	tear_down(NULL);
	set_up(NULL);
	see((struct seen){ FG_EVENT_FREE, POD2, R_TC_INGRESS });
	see((struct seen){ FG_EVENT_STOP, POD2 });
	assert_sight(&probe.trace.list[0], "kernel Dropped: TC_INGRESS (73)!");
}

static void what_it_was_seen_on(void **state)
{
	static const struct {
		uint8_t flags;
		const char *text;
	} rows[] = {
		{ 0, "packet" },
		{ FG_EVENT_F_CLONE, "clone" },
		{ FG_EVENT_F_PIECE, "piece" },
		{ FG_EVENT_F_REPLY, "reply" },
		{ FG_EVENT_F_CLONE | FG_EVENT_F_PIECE, "clone" },
		{ FG_EVENT_F_CLONE | FG_EVENT_F_REPLY, "reply" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fg_observation o = { .event = { .flags = rows[i].flags } };

		assert_string_equal(fg_view_sight_of(&o), rows[i].text);
	}
}

/* --- flows --- */

static int8_t flow(uint8_t family, uint8_t proto, const char *src, uint16_t sport, const char *dst,
		   uint16_t dport)
{
	struct fg_wire_flow *w = &probe.trace.flows[probe.trace.flow_count];
	int af = family == 4 ? AF_INET : AF_INET6;

	*w = (struct fg_wire_flow){
		.family = family, .proto = proto, .sport = htons(sport), .dport = htons(dport)
	};
	if (family) {
		assert_int_equal(inet_pton(af, src, w->src), 1);
		assert_int_equal(inet_pton(af, dst, w->dst), 1);
	}
	return (int8_t)probe.trace.flow_count++;
}

static struct fg_observation *changed(int8_t index)
{
	struct fg_observation *o = see((struct seen){ FG_EVENT_FLOW, HARDWARE });

	o->flow = index;
	return o;
}

static void tunnels_are_told_by_protocol_and_port(void **state)
{
	static const struct {
		uint8_t proto;
		uint16_t port;
		bool tunnel;
	} rows[] = {
		{ IPPROTO_UDP, 4789, true },  { IPPROTO_UDP, 8472, true },
		{ IPPROTO_UDP, 6081, true },  { IPPROTO_UDP, 4790, false },
		{ IPPROTO_TCP, 4789, false }, { IPPROTO_IPIP, 0, true },
		{ IPPROTO_IPV6, 0, true },    { IPPROTO_GRE, 0, true },
		{ IPPROTO_ESP, 0, true },     { IPPROTO_AH, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_sight sight;

		tear_down(NULL);
		set_up(NULL);
		flow(4, IPPROTO_TCP, "10.0.0.1", 1000, "10.0.0.2", 80);
		fg_view_sight_read(
			&context, &probe,
			changed(flow(4, rows[i].proto, "192.0.2.1", 7, "192.0.2.2", rows[i].port)),
			&sight);
		assert_string_equal(sight.action, rows[i].tunnel ? "Encapsulated" : "Translated");
		fg_view_sight_read(&context, &probe,
				   changed(flow(4, IPPROTO_TCP, "10.0.0.1", 1000, "10.0.0.2", 80)),
				   &sight);
		assert_string_equal(sight.action, rows[i].tunnel ? "Decapsulated" : "Translated");
	}
}

/* With the source and its port as they were, it was merely sent to a port that tunnels use. */
static void another_destination_alone_is_a_translation(void **state)
{
	(void)state;
	flow(4, IPPROTO_UDP, "10.0.0.1", 1000, "10.0.0.2", 80);
	assert_sight(changed(flow(4, IPPROTO_UDP, "10.0.0.1", 1000, "10.0.0.3", 4789)),
		     "stack Translated: now 10.0.0.1:1000 > 10.0.0.3:4789 udp");
	assert_sight(changed(flow(4, IPPROTO_UDP, "10.0.0.1", 1001, "10.0.0.3", 80)),
		     "stack Decapsulated: now 10.0.0.1:1001 > 10.0.0.3:80 udp");
	assert_sight(changed(flow(4, IPPROTO_UDP, "10.0.0.9", 1001, "10.0.0.3", 4789)),
		     "stack Encapsulated: now 10.0.0.9:1001 > 10.0.0.3:4789 udp");
}

static void the_first_change_is_from_the_packet_as_it_was_sent(void **state)
{
	/* UDP from 10.0.0.1:1000 to 10.0.0.2:4789. */
	static uint8_t sent[] = {
		[12] = 8,    [14] = 0x45,      [17] = 28,	   [22] = 64, [23] = 17,
		[26] = 10,   [29] = 1,	       [30] = 10,	   [33] = 2,  [34] = 3,
		[35] = 0xe8, [36] = 4789 >> 8, [37] = 4789 & 0xff, [39] = 8,  [41] = 0
	};
	struct fg_observation *o;

	(void)state;
	probe.frame = (struct fg_frame){ .data = sent, .len = sizeof(sent), .count = 1 };
	o = changed(flow(4, IPPROTO_TCP, "10.0.0.5", 5, "10.0.0.6", 80));
	assert_sight(o, "stack Decapsulated: now 10.0.0.5:5 > 10.0.0.6:80 tcp");
	probe.frame.data = NULL;
	assert_sight(o, "stack Translated: now 10.0.0.5:5 > 10.0.0.6:80 tcp");
}

static void flows_are_written_by_their_protocol(void **state)
{
	(void)state;
	flow(4, IPPROTO_UDP, "10.0.0.1", 1, "10.0.0.2", 2);
	assert_sight(changed(flow(6, IPPROTO_TCP, "fd00::1", 1, "fd00::2", 2)),
		     "stack Translated: now [fd00::1]:1 > [fd00::2]:2 tcp");
	assert_sight(changed(flow(4, IPPROTO_ICMP, "10.0.0.1", 0x0800, "10.0.0.2", 77)),
		     "stack Translated: now 10.0.0.1 > 10.0.0.2 icmp 8/0 id 77 seq 0");
	assert_sight(changed(flow(0, 0, NULL, 0, NULL, 0)),
		     "stack Translated: no longer an IP packet");
	assert_sight(changed(-1), "stack Translated");
	assert_sight(changed((int8_t)probe.trace.flow_count), "stack Translated");
}

static void the_first_that_is_seen_of_a_reply_is_that_it_came(void **state)
{
	struct fg_observation *first, *second, *third;

	(void)state;
	flow(4, IPPROTO_TCP, "10.0.0.1", 1, "10.0.0.2", 2);
	changed(flow(4, IPPROTO_TCP, "10.0.0.2", 2, "10.0.0.1", 1))->event.flags = FG_EVENT_F_REPLY;
	changed(1)->event.flags = FG_EVENT_F_REPLY;
	changed(1)->event.flags = FG_EVENT_F_REPLY;
	first = &probe.trace.list[0];
	second = &probe.trace.list[1];
	third = &probe.trace.list[2];
	third->event.branch = 1;
	assert_sight(first, "stack Replied: 10.0.0.2:2 > 10.0.0.1:1 tcp");
	assert_sight(second, "stack Translated: now 10.0.0.2:2 > 10.0.0.1:1 tcp");
	assert_sight(third, "stack Replied: 10.0.0.2:2 > 10.0.0.1:1 tcp");
	/* What was seen of the packet is not it. */
	first->event.flags = 0;
	assert_sight(second, "stack Replied: 10.0.0.2:2 > 10.0.0.1:1 tcp");
}

/* --- stages --- */

static void assert_stage(enum fg_stage stage, const char *expected)
{
	const struct fg_source_pod pod = { .ref = "cart", .name = "shop/cart-0" };
	char buf[FG_VIEW_STAGE_LEN];

	assert_string_equal(fg_view_stage(&pod, &context, &probe.result, stage, buf, sizeof(buf)),
			    expected);
}

static void a_stage_is_called_by_who_is_there(void **state)
{
	const struct fg_source_pod ref = { .ref = "cart", .name = "" }, nobody = {};
	char buf[FG_VIEW_STAGE_LEN];

	(void)state;
	assert_stage(FG_STAGE_EGRESS, "egress of shop/cart-0");
	assert_stage(FG_STAGE_NODE, "node");
	assert_string_equal(fg_view_stage(&ref, &context, &probe.result, FG_STAGE_EGRESS, buf,
					  sizeof(buf)),
			    "egress of cart");
	assert_string_equal(fg_view_stage(&nobody, &context, &probe.result, FG_STAGE_EGRESS, buf,
					  sizeof(buf)),
			    "egress");
	/* Of a reply it is the pod that replies. */
	context.of_reply = true;
	context.pod_netns = NS_POD2;
	assert_stage(FG_STAGE_EGRESS, "egress of shop/db-0");
	context.peer_ifindex = 99;
	assert_stage(FG_STAGE_EGRESS, "egress");
}

static void the_receiver_is_where_it_ended_or_should_go(void **state)
{
	struct fg_observation end = { .event = { .netns = NS_POD2, .ifindex = 2 } };

	(void)state;
	/* Where it should go, before anything was seen. */
	assert_stage(FG_STAGE_INGRESS, "ingress of shop/db-0");
	/* Where it ended: in the sender's own namespace, or on the host, nothing is to be told of.
	 */
	probe.result.end = &end;
	assert_stage(FG_STAGE_INGRESS, "ingress of shop/db-0");
	end.event = (struct fg_event){ .netns = NS_HOST, .ifindex = 11 };
	assert_stage(FG_STAGE_INGRESS, "ingress of shop/db-0");
	end.event = (struct fg_event){ .netns = NS_POD, .ifindex = 2 };
	assert_stage(FG_STAGE_INGRESS, "ingress of shop/db-0");
	/* Nobody knows where it should go. */
	context.far = (struct fg_far){};
	assert_stage(FG_STAGE_INGRESS, "ingress");
	end.event = (struct fg_event){ .netns = NS_POD2, .ifindex = 2 };
	assert_stage(FG_STAGE_INGRESS, "ingress of shop/db-0");
	end.event = (struct fg_event){ .netns = NS_HOST, .ifindex = 3 };
	assert_stage(FG_STAGE_INGRESS, "ingress");
	probe.result.outcome = FG_OUTCOME_FORWARDED;
	assert_stage(FG_STAGE_INGRESS, "way out by ens1");
	probe.result.end = NULL;
	assert_stage(FG_STAGE_INGRESS, "ingress");
	/* By an uplink. */
	context.far = (struct fg_far){ .known = true, .host_netns = NS_HOST, .host_ifindex = 3 };
	assert_stage(FG_STAGE_INGRESS, "way out by ens1");
	context.far.host_ifindex = 99;
	assert_stage(FG_STAGE_INGRESS, "ingress");
	/* Of a namespace without a name only that is known. */
	context.far = (struct fg_far){ .known = true, .netns = 77, .ifindex = 2 };
	assert_stage(FG_STAGE_INGRESS, "ingress");
}

/* --- the packet --- */

static void a_packet_that_cannot_be_read_is_shown_as_it_was_asked_for(void **state)
{
	static uint8_t garbage[34] = { [12] = 8 };
	struct fg_view_packet out;

	(void)state;
	probe.spec.vary.src.family = probe.spec.vary.dst.family = AF_INET;
	probe.spec.vary.dst.bytes[0] = 10;
	probe.spec.vary.sport = 1000;
	probe.frame = (struct fg_frame){ .data = garbage, .len = sizeof(garbage), .count = 1 };
	fg_view_packet(&probe, &out);
	assert_false(out.known);
	assert_int_equal(out.length, 20);
	assert_int_equal(out.flow.family, AF_INET);
	assert_int_equal(out.flow.dst.bytes[0], 10);
	assert_int_equal(out.flow.sport, 1000);
	assert_false(out.has_ports);
	probe.spec.vary.dport = 80;
	fg_view_packet(&probe, &out);
	assert_true(out.has_ports);
	assert_int_equal(out.flow.dport, 80);
	probe.frame = (struct fg_frame){};
	fg_view_packet(&probe, &out);
	assert_int_equal(out.length, 0);
}

static void arrived_is_delivered_forwarded_or_replied(void **state)
{
	(void)state;
	for (int o = 0; o < FG_OUTCOMES; o++) {
		const struct fg_result r = { .outcome = (enum fg_outcome)o };

		assert_int_equal(fg_view_arrived(&r), o == FG_OUTCOME_DELIVERED ||
							      o == FG_OUTCOME_FORWARDED ||
							      o == FG_OUTCOME_REPLIED);
	}
}

static void who_denied_the_other_is_called_in_the_same_words(void **state)
{
	const struct fg_netfilter rule = { .family = NFPROTO_IPV4,
					   .table = "filter",
					   .chain = "FORWARD" };
	const struct fg_alike by_program = { .program = &ladder.programs[0] },
			      by_rule = { .netfilter = &rule };
	char buf[FG_DECISION_WHAT_LEN];

	(void)state;
	assert_string_equal(fg_decision_alike(&by_program, buf, sizeof(buf)),
			    "pol (tcx/egress on eth0)");
	assert_ptr_equal(strstr(fg_decision_alike(&by_rule, buf, sizeof(buf)), "netfilter ("), buf);
	assert_non_null(strstr(buf, "FORWARD"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_kind_has_its_words),
		CASE(what_a_classifier_returned_is_no_action),
		CASE(a_reply_meets_the_programs_of_its_own_way),
		CASE(pieces_say_of_what_they_are),
		CASE(at_an_uplink_it_is_intercepted_before_it_leaves),
		CASE(the_end_of_what_is_forwarded_leaves_the_network),
		CASE(what_was_intercepted_before_is_not_dropped),
		CASE(what_it_was_seen_on),
		CASE(tunnels_are_told_by_protocol_and_port),
		CASE(another_destination_alone_is_a_translation),
		CASE(the_first_change_is_from_the_packet_as_it_was_sent),
		CASE(flows_are_written_by_their_protocol),
		CASE(the_first_that_is_seen_of_a_reply_is_that_it_came),
		CASE(a_stage_is_called_by_who_is_there),
		CASE(the_receiver_is_where_it_ended_or_should_go),
		CASE(a_packet_that_cannot_be_read_is_shown_as_it_was_asked_for),
		CASE(who_denied_the_other_is_called_in_the_same_words),
		CASE(arrived_is_delivered_forwarded_or_replied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
