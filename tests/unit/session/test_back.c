// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which way a reply is expected to come, and which way it came: by whom it was sent, and what is
 * attached where it was seen. On the small node of traces.h, with receivers that were looked at
 * already; the netlink socket is not connected, so nothing is asked of this machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "host/marking.h"
#include "session/internal.h"
#include "traces.h"

/* One more pod, behind device 12 of the host. */
#define NS_POD3 400
#define LXC3 12

/* The reply is number 2 of what was seen of the probe besides the packet itself. */
#define BRANCH 2

static struct stage {
	struct fg_session session;
	struct fg_endpoint endpoint;
	struct fg_hop hop;
	/* POD2, POD3; what BRIDGE receives, and sends; what the uplink receives, and sends */
	struct fg_receiver pod2, pod3, bridge_in, bridge_out, uplink_in, uplink_out;
	struct fg_receiver *receivers[6];
	struct fg_probe probe;
} stage;

static void pod(struct fg_receiver *r, uint32_t netns, int primary, const char *receives,
		const char *sends)
{
	*r = (struct fg_receiver){
		.netns = netns,
		.listed = true,
		.out_listed = true,
		.own_ns = 1,
		.pod = { .netns = -1, .host_netns = -1, .inode = netns, .host_inode = NS_HOST },
		.far = { .known = true, .host_netns = NS_HOST, .netns = netns, .ifindex = 2 },
	};
	r->pod.peer.ifindex = r->far.ifindex;
	r->pod.primary.ifindex = r->far.host_ifindex = primary;
	traces_ladder(&r->ladder, receives);
	traces_ladder(&r->out, sends);
}

static void device(struct fg_receiver *r, enum where at, bool egress, const char *programs)
{
	*r = (struct fg_receiver){ .netns = NS_HOST, .listed = true };
	r->ifindex = egress ? trace_devices[at].ifindex : -trace_devices[at].ifindex;
	traces_ladder(&r->ladder, programs);
}

static int stage_up(void **state)
{
	struct fg_session *s = &stage.session;
	struct fg_endpoint *m = &stage.endpoint;

	(void)state;
	stage = (struct stage){};
	pod(&stage.pod2, NS_POD2, trace_devices[LXC2].ifindex, "T", "E*I");
	pod(&stage.pod3, NS_POD3, LXC3, "T", "E");
	device(&stage.bridge_in, BRIDGE, false, "B*");
	device(&stage.bridge_out, BRIDGE, true, "B*");
	device(&stage.uplink_in, HARDWARE, false, "B*");
	device(&stage.uplink_out, HARDWARE, true, "B*");
	stage.receivers[0] = &stage.pod2;
	stage.receivers[1] = &stage.pod3;
	stage.receivers[2] = &stage.bridge_in;
	stage.receivers[3] = &stage.bridge_out;
	stage.receivers[4] = &stage.uplink_in;
	stage.receivers[5] = &stage.uplink_out;
	for (uint32_t i = 0; i < COUNT(stage.receivers); i++) {
		struct fg_receiver *r = stage.receivers[i];

		for (size_t k = 0; k < r->ladder.count; k++)
			r->ladder.programs[k].id += 1000 * (i + 1);
		for (size_t k = 0; k < r->out.count; k++)
			r->out.programs[k].id += 1000 * (i + 1) + 500;
	}
	s->receivers = (struct fg_receivers){ .host = &s->host,
					      .list = stage.receivers,
					      .count = COUNT(stage.receivers) };
	/* The host's hooks are listed, and that took so long that it is not done again. */
	s->watch = (struct fg_watch){ .known = true,
				      .netns = NS_HOST,
				      .cost_ns = UINT64_MAX / 32,
				      .has_hooked = FG_PRESENCE_NO };
	s->options.reply = true;
	s->verdicts = fg_verdicts_new(NULL, NULL);
	assert_non_null(s->verdicts);
	m->pod.netns = m->pod.host_netns = -1;
	m->pod.inode = NS_POD;
	m->pod.host_inode = NS_HOST;
	m->pod.peer.ifindex = trace_devices[PEER].ifindex;
	m->pod.primary.ifindex = trace_devices[PRIMARY].ifindex;
	m->pod.host_rtnl = nl_socket_alloc();
	assert_non_null(m->pod.host_rtnl);
	traces_ladder(&m->ladder, "EI");
	traces_ladder(&m->back, "T*P*");
	m->context = traces_make(&m->ladder, FG_METHOD_PEER_EGRESS);
	stage.hop.src.family = stage.hop.dst.family = AF_INET;
	stage.probe.trace.reply.event.branch = BRANCH;
	return 0;
}

static int stage_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stage.receivers); i++) {
		fg_ladder_free(&stage.receivers[i]->ladder);
		fg_ladder_free(&stage.receivers[i]->out);
	}
	for (size_t i = 0; i < stage.hop.back_count; i++)
		fg_back_free(stage.hop.backs[i]);
	fg_trace_free(&stage.probe.trace);
	fg_ladder_free(&stage.endpoint.ladder);
	fg_ladder_free(&stage.endpoint.back);
	fg_verdicts_free(stage.session.verdicts);
	nl_socket_free(stage.endpoint.pod.host_rtnl);
	return 0;
}

static const struct fg_back *expect(struct fg_receiver *r)
{
	struct fg_error err = {};

	if (fg_back_open(&stage.session, &stage.endpoint, &stage.hop, r, &err))
		fail_msg("%s", err.message);
	assert_int_equal(stage.hop.back_count, 1);
	assert_ptr_equal(stage.hop.backs[0]->context.ladder, &stage.hop.backs[0]->ladder);
	return stage.hop.backs[0];
}

static void assert_ladder(const struct fg_back *b, const uint32_t *ids, size_t count)
{
	assert_int_equal(b->ladder.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(b->ladder.programs[i].id, ids[i]);
}

#define LADDER(back, ...)                                                                          \
	assert_ladder(back, (const uint32_t[]){ __VA_ARGS__ },                                     \
		      sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* --- the way that is expected --- */

static void nothing_is_expected_where_replies_are_not_followed(void **state)
{
	(void)state;
	stage.session.options.reply = false;
	assert_int_equal(
		fg_back_open(&stage.session, &stage.endpoint, &stage.hop, &stage.pod2, NULL), 0);
	assert_int_equal(stage.hop.back_count, 0);
	stage.probe.result.reply.back = NULL;
	fg_back_choose(&stage.session, &stage.endpoint, &stage.hop, &stage.probe);
	assert_null(stage.probe.result.reply.back);
}

static void the_receiver_is_expected_to_reply(void **state)
{
	const struct fg_context *c;
	const struct fg_back *b;

	(void)state;
	stage.pod2.out.other_filters = stage.pod2.out.pod_filters = stage.pod2.out.pod_qdisc = true;
	stage.pod2.far.netkit = true;
	b = expect(&stage.pod2);
	c = &b->context;
	assert_ptr_equal(b->from, &stage.pod2);
	assert_int_equal(b->netns, NS_POD2);
	assert_int_equal(b->place_count, 0);
	/* What it sends, and then what the sender receives. */
	LADDER(b, 1601, 1602, 101, 102);
	assert_int_equal(b->ladder.programs[1].stage, FG_STAGE_EGRESS);
	assert_int_equal(b->ladder.programs[2].stage, FG_STAGE_INGRESS);
	assert_true(b->ladder.programs[0].traced && b->ladder.programs[2].traced);
	assert_true(b->ladder.other_filters && b->ladder.pod_filters && b->ladder.pod_qdisc);
	assert_false(b->fresh);
	/* The ends are swapped. */
	assert_true(c->of_reply && c->far.known);
	assert_int_equal(c->method, FG_METHOD_POD_SOCKET);
	assert_int_equal(c->pod_netns, NS_POD2);
	assert_int_equal(c->host_netns, NS_HOST);
	assert_int_equal(c->peer_ifindex, 2);
	assert_int_equal(c->primary_ifindex, trace_devices[LXC2].ifindex);
	assert_int_equal(c->far.netns, NS_POD);
	assert_int_equal(c->far.ifindex, trace_devices[PEER].ifindex);
	assert_int_equal(c->far.host_netns, NS_HOST);
	assert_int_equal(c->far.host_ifindex, trace_devices[PRIMARY].ifindex);
	assert_true(c->netkit);
	assert_false(c->far.netkit || c->bridged || c->xdp_copies || c->far.xdp_copies ||
		     c->unlisted || c->to_uplink || c->notes_redirects);
	assert_int_equal(c->netfilter_from, FG_PRESENCE_NO);
	assert_int_equal(c->netfilter_to, FG_PRESENCE_NO);
	assert_int_equal(c->netfilter_to_stack, FG_PRESENCE_NO);
	assert_int_equal(c->codes.tc_egress, R_TC_EGRESS);
	assert_non_null(c->device(NULL, NS_POD, 2));
	assert_non_null(c->reason(NULL, R_XDP));
}

static void what_the_ends_have_is_known(void **state)
{
	const struct fg_context *c;

	(void)state;
	stage.pod2.out_listed = false;
	stage.pod2.pod.primary.master = 5;
	stage.endpoint.context.netkit = true;
	stage.endpoint.context.netfilter_traced = true;
	fg_ladder_free(&stage.pod2.out);
	traces_ladder(&stage.pod2.out, "XE");
	fg_ladder_free(&stage.endpoint.back);
	traces_ladder(&stage.endpoint.back, "YT");
	c = &expect(&stage.pod2)->context;
	assert_true(c->unlisted && c->bridged && c->far.netkit && c->netfilter_traced);
	assert_true(c->xdp_copies && c->far.xdp_copies);
	/* The program on the host's side of its pair cannot be traced, and there is a bridge. */
	assert_int_equal(c->notes_redirects, fg_marking_works());
}

/* Generic XDP leaves packets where they are, and a program of another hook is none. */
static void not_all_xdp_puts_packets_into_other_buffers(void **state)
{
	static const char *const rows[][2] = { { "Ex", "Ty" }, { "EI", "TP" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fg_context *c;

		stage_up(state);
		fg_ladder_free(&stage.pod2.out);
		traces_ladder(&stage.pod2.out, rows[i][0]);
		fg_ladder_free(&stage.endpoint.back);
		traces_ladder(&stage.endpoint.back, rows[i][1]);
		/* As if it were said of all. */
		stage.pod2.out.programs[1].native = i > 0;
		stage.endpoint.back.programs[1].native = i > 0;
		c = &expect(&stage.pod2)->context;
		assert_false(c->xdp_copies || c->far.xdp_copies);
		stage_down(state);
	}
	stage_up(state);
}

/* Only where the packet may be bridged, and a program's return value is not seen. */
static void redirects_are_told_from_bridging_where_that_is_needed(void **state)
{
	static const struct {
		int master;
		const char *sends;
	} rows[] = { { 0, "EI" }, { 5, "EI*" }, { 5, "E" }, { 5, "" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		stage_up(state);
		stage.pod2.pod.primary.master = rows[i].master;
		fg_ladder_free(&stage.pod2.out);
		traces_ladder(&stage.pod2.out, rows[i].sends);
		assert_false(expect(&stage.pod2)->context.notes_redirects);
		stage_down(state);
	}
	stage_up(state);
}

/* Replies to what came in from outside leave again: behind the device there is no pod. */
static void a_reply_to_outside_leaves_by_the_uplink(void **state)
{
	const struct fg_context *c;

	(void)state;
	stage.endpoint.pod.uplink = true;
	c = &expect(&stage.pod2)->context;
	assert_true(c->to_uplink);
	assert_int_equal(c->far.netns, 0);
	assert_int_equal(c->far.host_ifindex, trace_devices[PRIMARY].ifindex);
}

/* Who is not known, or is not next to the sender's node, is not the one that replies. */
static void another_than_a_near_pod_is_not_expected(void **state)
{
	for (int i = 0; i < 4; i++) {
		const struct fg_back *b;

		stage_up(state);
		stage.pod2.listed = i != 0;
		stage.pod2.ifindex = i == 1 ? -7 : 0;
		stage.pod2.pod.host_inode = i == 2 ? 999 : NS_HOST;
		b = expect(i == 3 ? NULL : &stage.pod2);
		assert_null(b->from);
		assert_int_equal(b->netns, 0);
		assert_int_equal(b->place_count, 0);
		LADDER(b, 101, 102);
		assert_int_equal(b->context.pod_netns, 0);
		assert_false(b->context.unlisted);
		stage_down(state);
	}
	stage_up(state);
}

/* What goes out by a device comes back by it: past what that device receives. */
static void a_reply_from_outside_comes_by_the_same_device(void **state)
{
	const struct fg_back *b;

	(void)state;
	b = expect(&stage.uplink_out);
	assert_null(b->from);
	assert_int_equal(b->netns, 0);
	assert_int_equal(b->place_count, 1);
	assert_int_equal(b->places[0].netns, NS_HOST);
	assert_int_equal(b->places[0].ifindex, trace_devices[HARDWARE].ifindex);
	assert_false(b->places[0].egress);
	assert_ptr_equal(b->places[0].receiver, &stage.uplink_in);
	LADDER(b, 5101, 101, 102);
	assert_int_equal(b->ladder.programs[0].stage, FG_STAGE_NODE);
	assert_false(b->context.unlisted);
}

static void what_it_comes_by_cannot_be_listed(void **state)
{
	for (int i = 0; i < 2; i++) {
		const struct fg_back *b;

		stage_up(state);
		stage.uplink_in.listed = i;
		/* Nobody has looked at it, and it cannot be asked. */
		stage.uplink_in.stale = i;
		b = expect(&stage.uplink_out);
		assert_int_equal(b->place_count, 1);
		assert_true(b->context.unlisted);
		LADDER(b, 101, 102);
		stage_down(state);
	}
	stage_up(state);
}

/* --- the way that it came --- */

static void see_all(const struct fg_event *e)
{
	assert_non_null(fg_trace_add(&stage.probe.trace, e));
}

static struct fg_event event(uint16_t kind, uint32_t netns, int ifindex)
{
	return (struct fg_event){ .version = FG_EVENT_VERSION,
				  .kind = kind,
				  .flags = FG_EVENT_F_REPLY,
				  .branch = BRANCH,
				  .netns = netns,
				  .ifindex = (uint32_t)ifindex };
}

static void see(uint16_t kind, uint32_t netns, int ifindex)
{
	const struct fg_event e = event(kind, netns, ifindex);

	see_all(&e);
}

/*
 * What was asked more than 50 ms ago is asked again, of a pod that is not there: where this machine
 * was busy with something else in between, once more.
 */
#define FRESH_NS 40000000ULL

static struct fg_back *choose(void)
{
	uint64_t began;

	do {
		began = fg_clock_now();
		stage.pod2.own_ns = stage.pod3.own_ns = began;
		for (size_t i = 0; i < stage.hop.back_count; i++)
			if (stage.hop.backs[i]->from == &stage.pod2)
				stage.hop.backs[i]->context.unlisted = false;
		fg_back_choose(&stage.session, &stage.endpoint, &stage.hop, &stage.probe);
	} while (fg_clock_now() - began > FRESH_NS);
	for (size_t i = 0; i < stage.hop.back_count; i++)
		if (&stage.hop.backs[i]->context == stage.probe.result.reply.back)
			return stage.hop.backs[i];
	fail_msg("a way that is not the hop's");
	return NULL;
}

static void it_came_from_where_it_was_first_seen(void **state)
{
	const int lxc2 = trace_devices[LXC2].ifindex, bridge = trace_devices[BRIDGE].ifindex;
	const struct {
		uint16_t kind;
		uint32_t netns;
		int ifindex;
		uint32_t from; /* the namespace that it came from; 0: the host, or outside */
		const struct fg_receiver *pod;
	} rows[] = {
		/* as expected: in the pod, or where the host receives from it */
		{ FG_EVENT_QUEUE, NS_POD2, 2, NS_POD2, &stage.pod2 },
		{ FG_EVENT_HEARD, NS_POD2, 0, NS_POD2, &stage.pod2 },
		{ FG_EVENT_RECEIVE, NS_HOST, lxc2, NS_POD2, &stage.pod2 },
		/* by another device of it, which nobody has looked at */
		{ FG_EVENT_QUEUE, NS_POD2, 3, NS_POD2, NULL },
		/* by the host, or from outside */
		{ FG_EVENT_RECEIVE, NS_HOST, bridge, 0, NULL },
		{ FG_EVENT_QUEUE, NS_HOST, lxc2, 0, NULL },
		{ FG_EVENT_HEARD, NS_HOST, 0, 0, NULL },
		/* by the sender itself, which is none of the others; or nobody knows where */
		{ FG_EVENT_QUEUE, NS_POD, 2, 0, NULL },
		{ FG_EVENT_HEARD, 0, 0, 0, NULL },
		/* by another pod */
		{ FG_EVENT_QUEUE, NS_POD3, 2, NS_POD3, &stage.pod3 },
		{ FG_EVENT_QUEUE, 555, 2, 555, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fg_back *b, *again;
		size_t count;

		stage_up(state);
		expect(&stage.pod2);
		/* Not what is seen later. */
		see(rows[i].kind, rows[i].netns, rows[i].ifindex);
		see(FG_EVENT_RECEIVE, NS_POD, 2);
		b = choose();
		if (b->netns != rows[i].from || b->from != rows[i].pod ||
		    (b == stage.hop.backs[0]) != (rows[i].pod == &stage.pod2))
			fail_msg("row %zu: from %u", i, b->netns);
		/* The next one that comes so is found again. */
		count = stage.hop.back_count;
		again = choose();
		assert_ptr_equal(again, b);
		assert_int_equal(stage.hop.back_count, count);
		stage_down(state);
	}
	stage_up(state);
}

/* It has a pair that leads elsewhere: its ladder is none of this node's. */
static void a_pod_of_another_node_is_none_of_this_one(void **state)
{
	const struct fg_back *b;

	(void)state;
	expect(&stage.pod2);
	stage.pod3.pod.host_inode = 999;
	see(FG_EVENT_QUEUE, NS_POD3, 2);
	b = choose();
	assert_null(b->from);
	assert_int_equal(b->netns, NS_POD3);
	LADDER(b, 101, 102);
}

/* What was seen of the packet itself, of another reply, or of a copy, tells nothing of this one. */
static void only_what_was_seen_of_the_reply_counts(void **state)
{
	struct fg_event e = event(FG_EVENT_QUEUE, NS_POD3, 2);

	(void)state;
	expect(&stage.pod2);
	e.flags = 0;
	see_all(&e);
	e.flags = FG_EVENT_F_REPLY | FG_EVENT_F_CLONE;
	see_all(&e);
	e.flags = FG_EVENT_F_REPLY | FG_EVENT_F_PIECE;
	see_all(&e);
	e.flags = FG_EVENT_F_REPLY;
	e.branch = BRANCH + 1;
	see_all(&e);
	/* The same of the places that it passes. */
	e.netns = NS_HOST;
	e.ifindex = (uint32_t)trace_devices[BRIDGE].ifindex;
	see_all(&e);
	/* Nothing was seen of it: it may have come as it should. */
	assert_ptr_equal(choose(), stage.hop.backs[0]);
	assert_int_equal(stage.hop.back_count, 1);
	assert_false(stage.hop.backs[0]->context.unlisted);
}

enum shown { NOTHING, INGRESS, EGRESS };

static void which_events_show_a_place(void **state)
{
	const int bridge = trace_devices[BRIDGE].ifindex, primary = trace_devices[PRIMARY].ifindex,
		  lxc2 = trace_devices[LXC2].ifindex;
	const struct {
		uint16_t kind;
		int ifindex, code;
		uint32_t netns;
		enum shown shown;
	} rows[] = {
		{ FG_EVENT_RECEIVE, bridge, 0, NS_HOST, INGRESS },
		{ FG_EVENT_QUEUE, bridge, 0, NS_HOST, EGRESS },
		{ FG_EVENT_FREE, bridge, R_TC_EGRESS, NS_HOST, EGRESS },
		{ FG_EVENT_FREE, bridge, R_TC_INGRESS, NS_HOST, NOTHING },
		{ FG_EVENT_FREE, bridge, 0, NS_HOST, NOTHING },
		{ FG_EVENT_XMIT, bridge, 0, NS_HOST, NOTHING },
		{ FG_EVENT_POLICY, bridge, 0, NS_HOST, NOTHING },
		/* the ends of both pods' pairs are on the ladder already */
		{ FG_EVENT_RECEIVE, lxc2, 0, NS_HOST, NOTHING },
		{ FG_EVENT_QUEUE, primary, 0, NS_HOST, NOTHING },
		{ FG_EVENT_FREE, primary, R_TC_EGRESS, NS_HOST, NOTHING },
		/* but not in the other direction */
		{ FG_EVENT_QUEUE, lxc2, 0, NS_HOST, EGRESS },
		{ FG_EVENT_RECEIVE, primary, 0, NS_HOST, INGRESS },
		/* no device, or none of the host */
		{ FG_EVENT_RECEIVE, 0, 0, NS_HOST, NOTHING },
		{ FG_EVENT_FREE, 0, R_TC_EGRESS, NS_HOST, NOTHING },
		{ FG_EVENT_RECEIVE, bridge, 0, NS_POD3, NOTHING },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_event e = event(rows[i].kind, rows[i].netns, rows[i].ifindex);
		const struct fg_back *b;

		stage_up(state);
		expect(&stage.pod2);
		see(FG_EVENT_QUEUE, NS_POD2, 2);
		e.code = rows[i].code;
		see_all(&e);
		/* Once is enough. */
		see_all(&e);
		b = choose();
		assert_ptr_equal(b->from, &stage.pod2);
		if (b->place_count != (rows[i].shown != NOTHING) ||
		    (rows[i].shown && (b->places[0].ifindex != rows[i].ifindex ||
				       b->places[0].egress != (rows[i].shown == EGRESS))))
			fail_msg("row %zu: %zu places, egress: %d", i, b->place_count,
				 b->places[0].egress);
		/* A way without more places is the expected one. */
		assert_int_equal(b == stage.hop.backs[0], rows[i].shown == NOTHING);
		stage_down(state);
	}
	stage_up(state);
}

/* Without a pod that it came from, its pair is a place as any. */
static void the_pair_of_nobody_is_a_place(void **state)
{
	const struct fg_back *b;

	(void)state;
	expect(NULL);
	see(FG_EVENT_RECEIVE, NS_HOST, trace_devices[LXC2].ifindex);
	b = choose();
	assert_null(b->from);
	assert_int_equal(b->place_count, 1);
	/* No reason: nothing is meant by code 0. */
	stage.endpoint.context.codes.tc_egress = 0;
	fg_trace_reset(&stage.probe.trace);
	stage.probe.trace.reply.event.branch = BRANCH;
	see(FG_EVENT_FREE, NS_HOST, trace_devices[BRIDGE].ifindex);
	assert_int_equal(choose()->place_count, 0);
}

static void what_is_attached_there_is_on_the_ladder(void **state)
{
	struct fg_back *b;

	(void)state;
	expect(&stage.pod2);
	see(FG_EVENT_QUEUE, NS_POD2, 2);
	see(FG_EVENT_RECEIVE, NS_HOST, trace_devices[BRIDGE].ifindex);
	see(FG_EVENT_QUEUE, NS_HOST, trace_devices[BRIDGE].ifindex);
	b = choose();
	assert_int_equal(b->place_count, 2);
	assert_ptr_equal(b->places[0].receiver, &stage.bridge_in);
	assert_ptr_equal(b->places[1].receiver, &stage.bridge_out);
	assert_false(b->context.unlisted);
	/* One program at both is there twice; and the packet was observed at none of all. */
	LADDER(b, 1601, 1602, 3101, 4101, 101, 102);
	for (size_t i = 0; i < b->ladder.count; i++)
		assert_false(b->ladder.programs[i].traced);
	assert_int_equal(b->ladder.programs[3].stage, FG_STAGE_NODE);
	assert_true(b->fresh);
	/* The expected way is as it was. */
	assert_false(stage.hop.backs[0]->fresh);
	assert_true(stage.hop.backs[0]->ladder.programs[0].traced);
	fg_back_settle(&stage.session, &stage.hop);
	assert_false(b->fresh);
	/* A way with more places is one with fewer of these, too. */
	fg_trace_reset(&stage.probe.trace);
	stage.probe.trace.reply.event.branch = BRANCH;
	see(FG_EVENT_QUEUE, NS_POD2, 2);
	see(FG_EVENT_QUEUE, NS_HOST, trace_devices[BRIDGE].ifindex);
	assert_int_equal(stage.hop.back_count, 2);
	assert_ptr_equal(choose(), b);
	/* But not one with others, or from another. */
	see(FG_EVENT_QUEUE, NS_HOST, trace_devices[HARDWARE].ifindex);
	assert_ptr_not_equal(choose(), b);
	assert_int_equal(stage.hop.back_count, 3);
	fg_trace_reset(&stage.probe.trace);
	stage.probe.trace.reply.event.branch = BRANCH;
	see(FG_EVENT_QUEUE, NS_POD3, 2);
	see(FG_EVENT_QUEUE, NS_HOST, trace_devices[BRIDGE].ifindex);
	b = choose();
	assert_ptr_equal(b->from, &stage.pod3);
	LADDER(b, 2601, 4101, 101, 102);
}

static void there_is_room_for_so_many_ways_and_places(void **state)
{
	const struct fg_back *b;

	(void)state;
	expect(&stage.pod2);
	see(FG_EVENT_QUEUE, NS_POD2, 2);
	for (int i = 0; i < FG_PLACES_MAX + 3; i++)
		see(FG_EVENT_QUEUE, NS_HOST, 5000 + i);
	b = choose();
	assert_int_equal(b->place_count, FG_PLACES_MAX);
	for (uint32_t i = 0; i < FG_BACKS_MAX + 3; i++) {
		fg_trace_reset(&stage.probe.trace);
		stage.probe.trace.reply.event.branch = BRANCH;
		see(FG_EVENT_QUEUE, 6000 + i, 2);
		b = choose();
		if (i + 2 < FG_BACKS_MAX) {
			assert_int_equal(b->netns, 6000 + i);
			continue;
		}
		/* Of one more it is said that not all is known. */
		assert_ptr_equal(b, stage.hop.backs[0]);
		assert_true(b->context.unlisted);
	}
	assert_int_equal(stage.hop.back_count, FG_BACKS_MAX);
}

/* --- what the pod's own netfilter may do with what it sends --- */

static void the_pod_that_replies_is_asked(void **state)
{
	(void)state;
	stage.pod2.own_out[0] = FG_PRESENCE_YES;
	stage.pod2.own_out[1] = FG_PRESENCE_UNKNOWN;
	expect(&stage.pod2);
	see(FG_EVENT_QUEUE, NS_POD2, 2);
	assert_int_equal(choose()->context.netfilter_from, FG_PRESENCE_YES);
	assert_false(stage.hop.backs[0]->context.unlisted);
	/* And so is the node: nothing is there that could deny. */
	assert_int_equal(stage.hop.backs[0]->context.netfilter, FG_PRESENCE_NO);
	assert_int_equal(stage.hop.backs[0]->context.netfilter_devices, FG_PRESENCE_NO);
	stage.hop.src.family = AF_INET6;
	assert_int_equal(choose()->context.netfilter_from, FG_PRESENCE_UNKNOWN);
	/* It cannot be asked: its namespace is gone. */
	stage.session.watch.known = true;
	snprintf(stage.pod2.pod.path, sizeof(stage.pod2.pod.path), "/proc/self/ns/none");
	stage.pod2.own_ns = 0;
	fg_back_choose(&stage.session, &stage.endpoint, &stage.hop, &stage.probe);
	assert_true(stage.hop.backs[0]->context.unlisted);
}

/* What cannot be listed any more has changed; where no reply is followed nobody looks. */
static void a_way_back_that_cannot_be_listed_has_changed(void **state)
{
	(void)state;
	stage.endpoint.pod.rtnl = stage.endpoint.pod.host_rtnl;
	assert_true(fg_back_changed(&stage.session, &stage.endpoint));
	stage.session.options.reply = false;
	assert_false(fg_back_changed(&stage.session, &stage.endpoint));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup_teardown(test, stage_up, stage_down)
		TEST(nothing_is_expected_where_replies_are_not_followed),
		TEST(the_receiver_is_expected_to_reply),
		TEST(what_the_ends_have_is_known),
		TEST(not_all_xdp_puts_packets_into_other_buffers),
		TEST(redirects_are_told_from_bridging_where_that_is_needed),
		TEST(a_reply_to_outside_leaves_by_the_uplink),
		TEST(another_than_a_near_pod_is_not_expected),
		TEST(a_reply_from_outside_comes_by_the_same_device),
		TEST(what_it_comes_by_cannot_be_listed),
		TEST(it_came_from_where_it_was_first_seen),
		TEST(a_pod_of_another_node_is_none_of_this_one),
		TEST(only_what_was_seen_of_the_reply_counts),
		TEST(which_events_show_a_place),
		TEST(the_pair_of_nobody_is_a_place),
		TEST(what_is_attached_there_is_on_the_ladder),
		TEST(there_is_room_for_so_many_ways_and_places),
		TEST(the_pod_that_replies_is_asked),
		TEST(a_way_back_that_cannot_be_listed_has_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
