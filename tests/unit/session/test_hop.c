// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hop learns from the packets that were seen: which events show a place, what is attached
 * there, and where the way leads by it. On the small node of traces.h, with receivers that were
 * looked at already; the netlink socket is not connected, so nothing is asked of this machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/parse.h"
#include "session/internal.h"
#include "traces.h"

#define PROBES 2

static struct stage {
	struct fg_session session;
	struct fg_endpoint endpoint;
	struct fg_hop hop;
	struct fg_receiver leads_on, uplink, receives, pod; /* BRIDGE, HARDWARE, DUMMY, POD2 */
	struct fg_receiver *receivers[4];
	struct fg_hop *hops[PROBES];
	struct fg_probe probes[PROBES];
	struct fg_step steps[PROBES * FG_LADDER_MAX];
	struct fg_trace_runs runs[PROBES * FG_LADDER_MAX];
} stage;

/* A device of the host, with these programs. */
static void device(struct fg_receiver *r, enum where at, bool egress, const char *programs)
{
	const struct fg_device *d = &trace_devices[at];

	r->netns = NS_HOST;
	r->ifindex = egress ? d->ifindex : -d->ifindex;
	r->listed = true;
	snprintf(r->link.kind, sizeof(r->link.kind), "%s", d->kind);
	traces_ladder(&r->ladder, programs);
	if (egress)
		r->far = (struct fg_far){ .known = true,
					  .host_netns = NS_HOST,
					  .host_ifindex = d->ifindex };
}

static int stage_up(void **state)
{
	struct fg_session *s = &stage.session;

	(void)state;
	stage = (struct stage){};
	device(&stage.leads_on, BRIDGE, true, "B*");
	device(&stage.uplink, HARDWARE, true, "T*");
	device(&stage.receives, DUMMY, false, "B");
	stage.pod = (struct fg_receiver){
		.netns = NS_POD2,
		.listed = true,
		.own_ns = fg_clock_now(),
		.pod = { .netns = -1, .host_netns = -1, .inode = NS_POD2, .host_inode = NS_HOST },
		.far = { .known = true,
			 .host_netns = NS_HOST,
			 .host_ifindex = trace_devices[LXC2].ifindex,
			 .netns = NS_POD2,
			 .ifindex = trace_devices[POD2].ifindex },
	};
	stage.pod.pod.peer.ifindex = trace_devices[POD2].ifindex;
	traces_ladder(&stage.pod.ladder, "T*P*");
	stage.receivers[0] = &stage.leads_on;
	stage.receivers[1] = &stage.uplink;
	stage.receivers[2] = &stage.receives;
	stage.receivers[3] = &stage.pod;
	for (size_t i = 0; i < COUNT(stage.receivers); i++)
		for (size_t k = 0; k < stage.receivers[i]->ladder.count; k++)
			stage.receivers[i]->ladder.programs[k].id += 100 * ((uint32_t)i + 1);
	s->host.netns = -1;
	s->receivers =
		(struct fg_receivers){ .host = &s->host, .list = stage.receivers, .count = 4 };
	s->spare.off = true;
	s->stats_fd = -1;
	s->window = stage.probes;
	s->hops = stage.hops;
	s->sent = PROBES;
	/* Where programs are attached is known, for good: each at one place, but 201 at two. */
	static uint32_t places[] = { 101, 102, 103, 201, 201, 202, 301, 401 };
	s->attachments = (struct fg_attachments){ .list = places,
						  .count = COUNT(places),
						  .listed_ns = UINT64_MAX };
	s->verdicts = fg_verdicts_new(NULL, NULL);
	assert_non_null(s->verdicts);
	stage.endpoint.pod.inode = NS_POD;
	stage.endpoint.pod.host_inode = NS_HOST;
	stage.endpoint.pod.host_rtnl = nl_socket_alloc();
	assert_non_null(stage.endpoint.pod.host_rtnl);
	traces_ladder(&stage.hop.ladder, "EI");
	stage.hop.context = traces_make(&stage.hop.ladder, FG_METHOD_PEER_EGRESS);
	for (int i = 0; i < FG_LADDER_MAX; i++)
		stage.hop.counter_fds[i] = 1000 + i;
	for (size_t i = 0; i < PROBES; i++) {
		stage.hops[i] = &stage.hop;
		stage.probes[i].result.steps = stage.steps + i * FG_LADDER_MAX;
		stage.probes[i].result.denied_by = stage.probes[i].result.redirected_by = -1;
		stage.probes[i].trace.runs = stage.runs + i * FG_LADDER_MAX;
	}
	return 0;
}

static int stage_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stage.receivers); i++)
		fg_ladder_free(&stage.receivers[i]->ladder);
	for (size_t i = 0; i < PROBES; i++)
		fg_trace_free(&stage.probes[i].trace);
	for (size_t i = 0; i < stage.session.counter_count; i++)
		if (stage.session.counters[i].fd >= 0)
			close(stage.session.counters[i].fd);
	free(stage.session.counters);
	if (stage.session.stats_fd >= 0)
		close(stage.session.stats_fd);
	fg_ladder_free(&stage.hop.ladder);
	fg_verdicts_free(stage.session.verdicts);
	nl_socket_free(stage.endpoint.pod.host_rtnl);
	return 0;
}

#define SEE(...) traces_see(&stage.probes[0].trace, &(const struct seen){ __VA_ARGS__ })

static void learn(void)
{
	fg_hop_learn(&stage.session, &stage.endpoint, &stage.hop, &stage.probes[0]);
}

static const struct fg_hop_place *place(size_t i)
{
	assert_true(i < stage.hop.place_count);
	return &stage.hop.places[i];
}

static bool is_at(const struct fg_hop_place *p, enum where at, bool egress)
{
	return p->netns == trace_devices[at].netns && p->ifindex == trace_devices[at].ifindex &&
	       p->egress == egress;
}

/* --- places --- */

enum shown { NOTHING, INGRESS, EGRESS };

static void which_events_show_a_place(void **state)
{
	static const struct {
		struct seen seen;
		enum shown shown;
	} rows[] = {
		/* at the host's devices: before their programs, or behind them */
		{ { FG_EVENT_RECEIVE, BRIDGE }, INGRESS },
		{ { FG_EVENT_RECEIVE, PRIMARY }, NOTHING },
		{ { FG_EVENT_QUEUE, BRIDGE }, EGRESS },
		{ { FG_EVENT_QUEUE, PRIMARY }, EGRESS },
		{ { FG_EVENT_FREE, BRIDGE, R_TC_EGRESS }, EGRESS },
		{ { FG_EVENT_FREE, PRIMARY, R_TC_EGRESS }, EGRESS },
		{ { FG_EVENT_FREE, BRIDGE, R_TC_INGRESS }, NOTHING },
		{ { FG_EVENT_FREE, BRIDGE, 0 }, NOTHING },
		{ { FG_EVENT_XMIT, BRIDGE }, NOTHING },
		{ { FG_EVENT_POLICY, BRIDGE }, NOTHING },
		{ { FG_EVENT_CONSUME, BRIDGE }, NOTHING },
		{ { FG_EVENT_SOCKET, BRIDGE }, NOTHING },
		{ { FG_EVENT_STOP, BRIDGE }, NOTHING },
		{ { FG_EVENT_FLOW, BRIDGE }, NOTHING },
		/* in the sender's namespace nothing is another's */
		{ { FG_EVENT_RECEIVE, PEER }, NOTHING },
		{ { FG_EVENT_QUEUE, PEER }, NOTHING },
		{ { FG_EVENT_STOP, POD_OTHER }, NOTHING },
		/* in another one it has come in */
		{ { FG_EVENT_RECEIVE, POD2 }, INGRESS },
		{ { FG_EVENT_STOP, POD2 }, INGRESS },
		{ { FG_EVENT_SOCKET, POD2 }, INGRESS },
		{ { FG_EVENT_FREE, POD2, R_NO_SOCKET }, INGRESS },
		{ { FG_EVENT_QUEUE, POD2 }, NOTHING },
		{ { FG_EVENT_XMIT, POD2 }, NOTHING },
		{ { FG_EVENT_CONSUME, POD2 }, NOTHING },
		{ { FG_EVENT_POLICY, POD2 }, NOTHING },
		{ { FG_EVENT_FLOW, POD2 }, NOTHING },
		/* no device */
		{ { FG_EVENT_RECEIVE, NOWHERE }, NOTHING },
		{ { FG_EVENT_FREE, NOWHERE, R_TC_EGRESS }, NOTHING },
		/* it was not the packet itself */
		{ { FG_EVENT_RECEIVE, BRIDGE, .flags = FG_EVENT_F_REPLY }, NOTHING },
		{ { FG_EVENT_RECEIVE, BRIDGE, .flags = FG_EVENT_F_CLONE }, NOTHING },
		{ { FG_EVENT_QUEUE, BRIDGE, .flags = FG_EVENT_F_PIECE }, NOTHING },
		{ { FG_EVENT_RECEIVE, POD2, .flags = FG_EVENT_F_REPLY }, NOTHING },
		{ { FG_EVENT_RECEIVE, POD2, .flags = FG_EVENT_F_CLONE }, NOTHING },
		{ { FG_EVENT_RECEIVE, POD2, .flags = FG_EVENT_F_PIECE }, NOTHING },
		/* or it was */
		{ { FG_EVENT_RECEIVE, BRIDGE, .flags = FG_EVENT_F_AGAIN | FG_EVENT_F_MOVED },
		  INGRESS },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct seen *seen = &rows[i].seen;

		stage_up(state);
		SEE(FG_EVENT_INJECT, NOWHERE);
		traces_see(&stage.probes[0].trace, seen);
		learn();
		if (stage.hop.place_count != (rows[i].shown != NOTHING) ||
		    (rows[i].shown && !is_at(place(0), seen->where, rows[i].shown == EGRESS)))
			fail_msg("row %zu: %zu places, egress: %d", i, stage.hop.place_count,
				 stage.hop.places[0].egress);
		stage_down(state);
	}
	/* Setup's own is there for teardown. */
	stage_up(state);
}

/* This kernel has no such reason: then no code means it. */
static void a_drop_by_no_reason_shows_nothing(void **state)
{
	(void)state;
	stage.hop.context.codes.tc_egress = 0;
	SEE(FG_EVENT_INJECT, NOWHERE);
	SEE(FG_EVENT_FREE, BRIDGE, 0);
	learn();
	assert_int_equal(stage.hop.place_count, 0);
}

static void nothing_counts_before_the_packet_or_behind_a_lost_trail(void **state)
{
	(void)state;
	SEE(FG_EVENT_QUEUE, BRIDGE);
	SEE(FG_EVENT_INJECT, NOWHERE);
	SEE(FG_EVENT_QUEUE, HARDWARE);
	SEE(FG_EVENT_LOST, NOWHERE);
	SEE(FG_EVENT_RECEIVE, POD2);
	learn();
	assert_int_equal(stage.hop.place_count, 1);
	assert_true(is_at(place(0), HARDWARE, true));
	assert_false(stage.hop.context.unlisted);
}

static void a_place_is_looked_at_once(void **state)
{
	(void)state;
	SEE(FG_EVENT_INJECT, NOWHERE);
	SEE(FG_EVENT_QUEUE, BRIDGE);
	SEE(FG_EVENT_QUEUE, BRIDGE);
	/* The other direction is another place, and so is another device. */
	SEE(FG_EVENT_RECEIVE, BRIDGE);
	SEE(FG_EVENT_RECEIVE, BRIDGE);
	SEE(FG_EVENT_QUEUE, HARDWARE);
	SEE(FG_EVENT_RECEIVE, POD2);
	learn();
	learn();
	assert_int_equal(stage.hop.place_count, 4);
	assert_true(is_at(place(0), BRIDGE, true) && is_at(place(1), BRIDGE, false) &&
		    is_at(place(2), HARDWARE, true) && is_at(place(3), POD2, false));
	assert_ptr_equal(place(0)->receiver, &stage.leads_on);
	assert_ptr_equal(place(2)->receiver, &stage.uplink);
	assert_ptr_equal(place(3)->receiver, &stage.pod);
	/* What the bridge receives nobody has looked at. */
	assert_null(place(1)->receiver);
	assert_true(stage.hop.context.unlisted);
}

static void what_cannot_be_listed_is_told(void **state)
{
	(void)state;
	SEE(FG_EVENT_INJECT, NOWHERE);
	SEE(FG_EVENT_QUEUE, BRIDGE);
	stage.leads_on.listed = false;
	learn();
	assert_int_equal(stage.hop.place_count, 1);
	assert_true(stage.hop.context.unlisted);
	assert_int_equal(stage.hop.ladder.count, 2);
	assert_false(stage.hop.fresh);
}

static void there_is_room_for_so_many_places(void **state)
{
	(void)state;
	SEE(FG_EVENT_INJECT, NOWHERE);
	SEE(FG_EVENT_QUEUE, BRIDGE);
	/* One that is known takes none. */
	SEE(FG_EVENT_QUEUE, BRIDGE);
	stage.hop.place_count = FG_PLACES_MAX - 1;
	learn();
	assert_int_equal(stage.hop.place_count, FG_PLACES_MAX);
	assert_true(is_at(place(FG_PLACES_MAX - 1), BRIDGE, true));
	assert_false(stage.hop.context.unlisted);
	learn();
	assert_false(stage.hop.context.unlisted);
	SEE(FG_EVENT_RECEIVE, POD2);
	learn();
	assert_int_equal(stage.hop.place_count, FG_PLACES_MAX);
	assert_true(stage.hop.context.unlisted);
	assert_int_equal(stage.hop.ladder.count, 3);
}

/* --- the programs there --- */

static void assert_ladder(const uint32_t *ids, size_t count)
{
	assert_int_equal(stage.hop.ladder.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(stage.hop.ladder.programs[i].id, ids[i]);
}

static void programs_that_are_met_join_the_ladder(void **state)
{
	static const uint32_t first[] = { 101, 102, 201 }, then[] = { 101, 102, 201, 501, 502 },
			      last[] = { 101, 102, 201, 401, 501, 502 };
	struct fg_result *r = &stage.probes[1].result;

	(void)state;
	/* The window has results of the two that were known, of both probes. */
	stage.steps[FG_LADDER_MAX + 1].ran = FG_RAN_YES;
	stage.runs[FG_LADDER_MAX + 1].times = 7;
	r->denied_by = 1;
	SEE(FG_EVENT_INJECT, NOWHERE);
	SEE(FG_EVENT_QUEUE, BRIDGE);
	learn();
	assert_ladder(first, COUNT(first));
	assert_true(stage.hop.fresh);
	assert_int_equal(stage.hop.ladder.programs[2].stage, FG_STAGE_NODE);
	/* The packets so far were not observed there, whoever else observes it. */
	assert_false(stage.hop.ladder.programs[2].traced);
	assert_int_equal(stage.hop.counter_fds[0], 1000);
	assert_int_equal(stage.hop.counter_fds[1], 1001);
	assert_int_equal(stage.hop.counter_fds[2], -1);
	assert_int_equal(stage.runs[2].times, FG_RUNS_UNKNOWN);
	assert_int_equal(stage.runs[FG_LADDER_MAX + 2].times, FG_RUNS_UNKNOWN);
	assert_int_equal(r->denied_by, 1);
	/* Where the packet came in is the last stage. */
	stage.hop.fresh = false;
	SEE(FG_EVENT_RECEIVE, POD2);
	learn();
	assert_ladder(then, COUNT(then));
	assert_true(stage.hop.fresh);
	assert_int_equal(stage.hop.ladder.programs[3].stage, FG_STAGE_INGRESS);
	/* One on the way there is put before these, and all that is numbered by it moves. */
	stage.steps[FG_LADDER_MAX + 3].ran = FG_RAN_YES;
	stage.hop.counter_fds[2] = 76;
	stage.hop.counter_fds[3] = 77;
	stage.hop.counter_fds[4] = 78;
	stage.hop.ladder.programs[2].traced = stage.hop.ladder.programs[3].traced = true;
	stage.receives.ladder.programs[0].traced = true;
	r->denied_by = 3;
	SEE(FG_EVENT_RECEIVE, DUMMY);
	learn();
	assert_ladder(last, COUNT(last));
	assert_int_equal(stage.hop.ladder.programs[3].stage, FG_STAGE_NODE);
	assert_int_equal(stage.hop.counter_fds[2], 76);
	assert_int_equal(stage.hop.counter_fds[3], -1);
	assert_int_equal(stage.hop.counter_fds[4], 77);
	assert_int_equal(stage.hop.counter_fds[5], 78);
	assert_int_equal(r->denied_by, 4);
	assert_int_equal(stage.steps[FG_LADDER_MAX + 3].ran, FG_RAN_UNKNOWN);
	assert_int_equal(stage.steps[FG_LADDER_MAX + 4].ran, FG_RAN_YES);
	assert_int_equal(stage.steps[FG_LADDER_MAX + 1].ran, FG_RAN_YES);
	assert_int_equal(stage.runs[FG_LADDER_MAX + 1].times, 7);
	/* Those that were there are as they were. */
	assert_true(stage.hop.ladder.programs[2].traced && stage.hop.ladder.programs[4].traced);
	assert_false(stage.hop.ladder.programs[3].traced);
	assert_false(stage.hop.context.unlisted);
}

/* The way's last stage alone was known: what comes before it is put before all of it. */
static void programs_before_all_that_were_known(void **state)
{
	(void)state;
	fg_ladder_free(&stage.hop.ladder);
	traces_ladder(&stage.hop.ladder, "TP");
	stage.probes[0].result.denied_by = 0;
	SEE(FG_EVENT_INJECT, NOWHERE);
	SEE(FG_EVENT_QUEUE, BRIDGE);
	learn();
	assert_ladder((const uint32_t[]){ 201, 101, 102 }, 3);
	assert_int_equal(stage.hop.counter_fds[0], -1);
	assert_int_equal(stage.hop.counter_fds[1], 1000);
	assert_int_equal(stage.probes[0].result.denied_by, 1);
}

/* What leads out of the host, and is no pair, is the way's end. */
static void an_uplink_is_the_last_stage(void **state)
{
	static const struct {
		const char *kind;
		enum fg_stage stage;
	} rows[] = {
		{ "", FG_STAGE_INGRESS },
		{ "veth", FG_STAGE_INGRESS },
		{ "netkit", FG_STAGE_INGRESS },
		{ "bond", FG_STAGE_NODE },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		stage_up(state);
		strcpy(stage.uplink.link.kind, rows[i].kind);
		SEE(FG_EVENT_INJECT, NOWHERE);
		SEE(FG_EVENT_QUEUE, HARDWARE);
		learn();
		assert_int_equal(stage.hop.ladder.count, 3);
		assert_int_equal(stage.hop.ladder.programs[2].stage, rows[i].stage);
		stage_down(state);
	}
	stage_up(state);
}

/* A place where nothing is attached changes nothing but where the packet went. */
static void a_place_without_programs(void **state)
{
	(void)state;
	stage.leads_on.ladder.count = 0;
	SEE(FG_EVENT_INJECT, NOWHERE);
	SEE(FG_EVENT_QUEUE, BRIDGE);
	learn();
	assert_int_equal(stage.hop.place_count, 1);
	assert_int_equal(stage.hop.ladder.count, 2);
	assert_false(stage.hop.fresh);
	assert_int_equal(stage.hop.counter_fds[2], 1002);
}

static void a_ladder_has_an_end(void **state)
{
	char text[FG_LADDER_MAX + 1] = {};

	(void)state;
	for (int more = 0; more < 2; more++) {
		fg_ladder_free(&stage.hop.ladder);
		memset(text, 'E', FG_LADDER_MAX - 1);
		traces_ladder(&stage.hop.ladder, text);
		/* All that are there, or none. */
		fg_ladder_free(&stage.leads_on.ladder);
		traces_ladder(&stage.leads_on.ladder, more ? "Bt" : "B");
		stage.leads_on.ladder.programs[0].id = 201;
		stage.hop.place_count = 0;
		stage.hop.fresh = false;
		fg_trace_reset(&stage.probes[0].trace);
		SEE(FG_EVENT_INJECT, NOWHERE);
		SEE(FG_EVENT_QUEUE, BRIDGE);
		learn();
		assert_int_equal(stage.hop.ladder.count, FG_LADDER_MAX - more);
		assert_int_equal(stage.hop.context.unlisted, more);
		assert_int_equal(stage.hop.fresh, !more);
	}
}

/* --- where it leads --- */

static void where_it_was_seen_is_where_it_leads(void **state)
{
	const struct fg_far elsewhere = { .known = true,
					  .host_netns = NS_HOST,
					  .host_ifindex = trace_devices[DUMMY].ifindex,
					  .netns = 999,
					  .ifindex = 5 };
	const struct {
		struct fg_far expected;
		bool learnt;
		struct seen before; /* what was seen before it came into POD2 */
		bool moves;
	} rows[] = {
		/* nothing was expected */
		{ {}, false, {}, true },
		/* a device was: the pod behind it is more */
		{ { .known = true, .host_netns = NS_HOST, .host_ifindex = 3 }, false, {}, true },
		/* another pod was, and the packet was not there */
		{ elsewhere, false, {}, true },
		{ elsewhere, false, { FG_EVENT_QUEUE, HARDWARE }, true },
		/* or it was, and then it went on: it stays where it should have gone */
		{ elsewhere, false, { FG_EVENT_QUEUE, DUMMY }, false },
		/* unless that was only learnt: the last place is the one */
		{ elsewhere, true, { FG_EVENT_QUEUE, DUMMY }, true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		stage_up(state);
		stage.hop.context.far = rows[i].expected;
		stage.hop.far_learnt = rows[i].learnt;
		SEE(FG_EVENT_INJECT, NOWHERE);
		if (rows[i].before.kind)
			traces_see(&stage.probes[0].trace, &rows[i].before);
		SEE(FG_EVENT_RECEIVE, POD2);
		/* DUMMY's egress was looked at by the expectation. */
		stage.hop.places[stage.hop.place_count++] =
			(struct fg_hop_place){ NS_HOST, trace_devices[DUMMY].ifindex, true, NULL };
		learn();
		if ((stage.hop.context.far.netns == NS_POD2) != rows[i].moves ||
		    stage.hop.far_learnt != (rows[i].moves || rows[i].learnt))
			fail_msg("row %zu: netns %u, learnt: %d", i, stage.hop.context.far.netns,
				 stage.hop.far_learnt);
		stage_down(state);
	}
	stage_up(state);
}

/* In the namespace that was expected, by whatever device. */
static void it_was_where_it_should_go(void **state)
{
	(void)state;
	stage.hop.context.far = (struct fg_far){ .known = true,
						 .host_netns = NS_HOST,
						 .host_ifindex = 99,
						 .netns = NS_POD2,
						 .ifindex = 77 };
	SEE(FG_EVENT_INJECT, NOWHERE);
	SEE(FG_EVENT_RECEIVE, POD2);
	learn();
	assert_int_equal(stage.hop.context.far.ifindex, 77);
	assert_false(stage.hop.far_learnt);
}

/* A device of the same number in another namespace is another. */
static void a_number_is_of_its_namespace(void **state)
{
	(void)state;
	stage.hop.context.far = (struct fg_far){ .known = true,
						 .host_netns = 777,
						 .host_ifindex = trace_devices[BRIDGE].ifindex,
						 .netns = 999,
						 .ifindex = 77 };
	SEE(FG_EVENT_INJECT, NOWHERE);
	SEE(FG_EVENT_QUEUE, BRIDGE);
	SEE(FG_EVENT_RECEIVE, POD2);
	learn();
	assert_int_equal(stage.hop.context.far.netns, NS_POD2);
}

/* An uplink is where it goes only if nothing else is known. */
static void a_device_is_less_than_a_pod(void **state)
{
	(void)state;
	stage.hop.context.far = (struct fg_far){ .known = true, .netns = 999 };
	SEE(FG_EVENT_INJECT, NOWHERE);
	SEE(FG_EVENT_QUEUE, HARDWARE);
	learn();
	assert_int_equal(stage.hop.context.far.netns, 999);
	assert_false(stage.hop.far_learnt);
	stage.hop.context.far = (struct fg_far){};
	stage.hop.place_count = 0;
	learn();
	assert_int_equal(stage.hop.context.far.host_ifindex, trace_devices[HARDWARE].ifindex);
	assert_true(stage.hop.far_learnt);
}

/* --- what the receiving pod's own netfilter may do --- */

/*
 * What was asked more than 50 ms ago is asked again, of a pod that is not there: where this machine
 * was busy with something else in between, once more.
 */
#define FRESH_NS 40000000ULL

static struct fg_context asked(struct fg_session_options options, bool no_tcx)
{
	struct fg_context *c = &stage.hop.context;
	bool known = stage.pod.own_ns;
	uint64_t began;

	stage.session.options = options;
	stage.session.spare.no_tcx = no_tcx;
	do {
		c->netfilter_to = c->netfilter_to_stack = FG_PRESENCE_NO;
		c->chosen_to = c->unlisted = false;
		began = fg_clock_now();
		stage.pod.own_ns = known ? began : 0;
		fg_hop_ask_receiver(&stage.session, &stage.hop, &stage.probes[0].trace);
	} while (known && fg_clock_now() - began > FRESH_NS);
	return *c;
}

static void a_packet_that_stops_before_the_stack_does_not_meet_it(void **state)
{
	struct fg_event stop = { .version = FG_EVENT_VERSION, .kind = FG_EVENT_STOP };
	struct fg_event socket = { .kind = FG_EVENT_SOCKET, .aux = 1 };
	const struct fg_session_options off = {}, deliver = { .deliver = true },
					reply = { .reply = true };

	(void)state;
	stage.hop.places[stage.hop.place_count++] =
		(struct fg_hop_place){ NS_POD2, 2, false, &stage.pod };
	stage.hop.context.far = stage.pod.far;
	stage.pod.own_in[0] = FG_PRESENCE_YES;
	stage.pod.own_in[1] = FG_PRESENCE_UNKNOWN;
	stage.pod.own_to_stack[0] = FG_PRESENCE_UNKNOWN;
	stage.pod.own_to_stack[1] = FG_PRESENCE_YES;
	stage.pod.chosen = true;
	stage.hop.dst.family = AF_INET;
	assert_int_equal(asked(off, false).netfilter_to, FG_PRESENCE_NO);
	assert_int_equal(asked(deliver, false).netfilter_to, FG_PRESENCE_YES);
	assert_int_equal(asked(reply, false).netfilter_to, FG_PRESENCE_YES);
	assert_int_equal(asked(off, true).netfilter_to, FG_PRESENCE_YES);
	assert_int_equal(asked(off, true).netfilter_to_stack, FG_PRESENCE_UNKNOWN);
	assert_true(asked(off, true).chosen_to);
	assert_false(asked(off, true).unlisted);
	stage.hop.dst.family = AF_INET6;
	assert_int_equal(asked(reply, false).netfilter_to, FG_PRESENCE_UNKNOWN);
	assert_int_equal(asked(reply, false).netfilter_to_stack, FG_PRESENCE_YES);
	/* At the device; and in the stack or at a socket. */
	assert_non_null(fg_trace_add(&stage.probes[0].trace, &socket));
	assert_non_null(fg_trace_add(&stage.probes[0].trace, &stop));
	assert_int_equal(asked(off, false).netfilter_to_stack, FG_PRESENCE_NO);
	fg_trace_reset(&stage.probes[0].trace);
	stop.aux = FG_STOP_AUX_STACK;
	assert_non_null(fg_trace_add(&stage.probes[0].trace, &stop));
	assert_int_equal(asked(off, false).netfilter_to_stack, FG_PRESENCE_YES);
}

static void only_the_receiver_is_asked(void **state)
{
	const struct fg_session_options deliver = { .deliver = true };
	struct fg_hop_place *p = &stage.hop.places[0];

	(void)state;
	*p = (struct fg_hop_place){ NS_POD2, 2, false, &stage.pod };
	stage.hop.place_count = 1;
	stage.hop.context.far = stage.pod.far;
	stage.hop.dst.family = AF_INET;
	stage.pod.own_in[0] = FG_PRESENCE_YES;
	assert_int_equal(asked(deliver, false).netfilter_to, FG_PRESENCE_YES);
	p->receiver = NULL;
	assert_int_equal(asked(deliver, false).netfilter_to, FG_PRESENCE_NO);
	p->receiver = &stage.pod;
	stage.pod.listed = false;
	assert_int_equal(asked(deliver, false).netfilter_to, FG_PRESENCE_NO);
	stage.pod.listed = true;
	/* A device has none of its own, and another pod is not where it goes. */
	stage.pod.ifindex = 3;
	assert_int_equal(asked(deliver, false).netfilter_to, FG_PRESENCE_NO);
	stage.pod.ifindex = 0;
	stage.hop.context.far.netns = 999;
	assert_int_equal(asked(deliver, false).netfilter_to, FG_PRESENCE_NO);
	stage.hop.context.far.netns = stage.pod.netns = 0;
	assert_int_equal(asked(deliver, false).netfilter_to, FG_PRESENCE_NO);
	/* It need not be the first one. */
	stage.hop.places[1] = (struct fg_hop_place){ NS_POD2, 2, false, &stage.pod };
	stage.hop.place_count = 2;
	stage.hop.context.far.netns = stage.pod.netns = NS_POD2;
	p->receiver = &stage.leads_on;
	assert_int_equal(asked(deliver, false).netfilter_to, FG_PRESENCE_YES);
	/* What cannot be asked is told: its namespace is gone. */
	stage.pod.own_ns = 0;
	snprintf(stage.pod.pod.path, sizeof(stage.pod.pod.path), "/proc/self/ns/none");
	assert_true(asked(deliver, false).unlisted);
}

/* --- run counters --- */

/* Before and behind this one, too. */
static void settle(void)
{
	for (int i = 0; i < FG_LADDER_MAX; i++)
		stage.hop.counter_fds[i] = 1000 + i;
	stage.hop.has_untraced = stage.hop.one_by_one = stage.hop.shares = true;
	stage.session.has_untraced = false;
	stage.hop.fresh = true;
	fg_hop_settle(&stage.session, &stage.hop);
	assert_false(stage.hop.fresh);
}

static void have_counters(void)
{
	static const uint32_t ids[] = { 101, 102, 103, 201, 202 };

	stage.session.counters = calloc(COUNT(ids), sizeof(*stage.session.counters));
	stage.session.counter_count = COUNT(ids);
	for (size_t i = 0; i < COUNT(ids); i++)
		stage.session.counters[i] = (struct fg_counter){ ids[i], dup(STDIN_FILENO) };
}

static int counter_of(uint32_t id)
{
	for (size_t i = 0; i < stage.session.counter_count; i++)
		if (stage.session.counters[i].id == id)
			return stage.session.counters[i].fd;
	return -2;
}

static void have_ladder(const char *text)
{
	fg_ladder_free(&stage.hop.ladder);
	traces_ladder(&stage.hop.ladder, text);
}

/* A program that is traced needs no counter; alone at its place it has one of its own. */
static void programs_that_are_not_traced_are_counted(void **state)
{
	(void)state;
	have_counters();
	/* The kernel that runs this need not count: it is not asked here. */
	stage.session.stats_fd = dup(STDIN_FILENO);
	have_ladder("E*B*");
	settle();
	assert_int_equal(stage.hop.counter_fds[0], -1);
	assert_int_equal(stage.hop.counter_fds[1], -1);
	assert_false(stage.hop.has_untraced || stage.session.has_untraced);
	assert_false(stage.hop.one_by_one || stage.hop.shares);
	have_ladder("E*B");
	settle();
	assert_int_equal(stage.hop.counter_fds[0], -1);
	assert_int_equal(stage.hop.counter_fds[1], counter_of(102));
	assert_true(stage.hop.has_untraced && stage.session.has_untraced);
	assert_false(stage.hop.one_by_one || stage.hop.shares);
	/*
	 * Of the pod's own those of one side are asked together, on the node those of a device.
	 * Others come before and behind.
	 */
	static const struct {
		const char *ladder;
		bool together;
	} rows[] = {
		{ "EE", true },	 { "EE*", false }, { "E*E", false }, { "EI", false },
		{ "BT", false }, { "BB", true },   { "TP", false },  { "Tt", true },
		{ "IBB", true }, { "EB", false },  { "iI", true },   { "PP", true },
		{ "BBT", true }, { "EIB", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		have_ladder(rows[i].ladder);
		settle();
		if (stage.hop.one_by_one != rows[i].together ||
		    stage.hop.shares != rows[i].together || !stage.hop.has_untraced)
			fail_msg("%s: one by one: %d, shares: %d", rows[i].ladder,
				 stage.hop.one_by_one, stage.hop.shares);
	}
	/* One side may be two devices, and one number two devices of two namespaces. */
	have_ladder("EE");
	stage.hop.ladder.programs[1].ifindex++;
	settle();
	assert_true(stage.hop.one_by_one);
	have_ladder("BB");
	stage.hop.ladder.programs[1].ifindex++;
	settle();
	assert_false(stage.hop.one_by_one);
	have_ladder("BB");
	stage.hop.ladder.programs[1].netns++;
	settle();
	assert_false(stage.hop.one_by_one);
}

/* One that stands elsewhere, too, counts what comes there: its counter says nothing. */
static void a_program_at_two_places_is_not_counted(void **state)
{
	(void)state;
	have_counters();
	stage.session.stats_fd = dup(STDIN_FILENO);
	have_ladder("BB");
	stage.hop.ladder.programs[0].id = 201;
	settle();
	assert_int_equal(stage.hop.counter_fds[0], -1);
	assert_int_equal(stage.hop.counter_fds[1], counter_of(102));
	assert_true(stage.hop.shares && stage.hop.one_by_one && stage.hop.has_untraced);
	/* None of them is. */
	stage.hop.ladder.programs[1].id = 201;
	settle();
	assert_int_equal(stage.hop.counter_fds[1], -1);
	assert_true(stage.hop.shares);
	assert_false(stage.hop.one_by_one || stage.hop.has_untraced);
	/* Alone at its place it is: there the packet itself is seen. */
	have_ladder("B");
	stage.hop.ladder.programs[0].id = 201;
	settle();
	assert_int_equal(stage.hop.counter_fds[0], counter_of(201));
	assert_false(stage.hop.shares);
}

static void counters_are_distrusted_where_a_program_came_elsewhere(void **state)
{
	struct fg_trace *t = &stage.probes[0].trace;

	(void)state;
	have_ladder("BBE*");
	stage.hop.ladder.programs[1].id = 201;
	stage.hop.one_by_one = true;
	for (int i = 0; i < 3; i++)
		t->runs[i] = (struct fg_trace_runs){ .times = 1, .ns = 5 };
	assert_true(fg_hop_distrust_counts(&stage.session, &stage.hop, t));
	assert_int_equal(t->runs[0].times, 1);
	assert_int_equal(t->runs[1].times, FG_RUNS_UNKNOWN);
	assert_int_equal(t->runs[1].ns, 0);
	assert_int_equal(t->runs[2].times, 1);
	/* What is not known is not forgotten again. */
	assert_false(fg_hop_distrust_counts(&stage.session, &stage.hop, t));
	/* The first is none that is left out. */
	t->runs[1].times = 1;
	stage.hop.ladder.programs[0].id = 201;
	stage.hop.ladder.programs[1].id = 102;
	assert_true(fg_hop_distrust_counts(&stage.session, &stage.hop, t));
	assert_int_equal(t->runs[0].times, FG_RUNS_UNKNOWN);
	assert_int_equal(t->runs[1].times, 1);
	t->runs[0].times = 1;
	stage.hop.ladder.programs[0].id = 101;
	stage.hop.ladder.programs[1].id = 201;
	/* By itself, or where packets were not counted one by one, that was not asked. */
	stage.hop.one_by_one = false;
	assert_false(fg_hop_distrust_counts(&stage.session, &stage.hop, t));
	stage.hop.one_by_one = true;
	stage.hop.ladder.programs[0].traced = true;
	assert_false(fg_hop_distrust_counts(&stage.session, &stage.hop, t));
	stage.hop.ladder.programs[0].traced = false;
	t->runs = NULL;
	assert_false(fg_hop_distrust_counts(&stage.session, &stage.hop, t));
}

/* --- which hop it is --- */

static struct fg_addr addr(const char *text)
{
	struct fg_addr out = {};

	assert_int_equal(fg_parse_addr("address", text, &out, NULL), 0);
	return out;
}

/* What the pod's own kernel refuses leads nowhere: that much is known without asking anybody. */
static void a_hop_is_of_one_way_source_and_destination(void **state)
{
	static struct fg_endpoint *endpoints[1] = { &stage.endpoint };
	struct fg_way ways[2] = { { .error = -EACCES }, { .error = -ENETUNREACH } };
	struct fg_probe_spec spec = { .way = 1 };
	struct fg_endpoint *m = &stage.endpoint;
	struct fg_hop *hops[5];
	struct fg_error err = {};

	(void)state;
	stage.session.endpoints = endpoints;
	m->ways.list = ways;
	m->ways.count = 2;
	ways[1].cause.kind = FG_CAUSE_ROUTE;
	traces_ladder(&m->ladder, "EI");
	m->context = traces_make(&m->ladder, FG_METHOD_BOUNCE);
	snprintf(m->pod.peer.name, sizeof(m->pod.peer.name), "eth0");
	m->pod.peer.ifindex = 2;
	spec.vary.src = addr("10.9.1.2");
	spec.vary.dst = addr("10.9.0.9");
	hops[0] = fg_hop_find(&stage.session, &spec, &err);
	spec.way = 2;
	hops[1] = fg_hop_find(&stage.session, &spec, &err);
	spec.vary.dst = addr("10.9.0.8");
	hops[2] = fg_hop_find(&stage.session, &spec, &err);
	spec.vary.src = addr("10.9.1.3");
	hops[3] = fg_hop_find(&stage.session, &spec, &err);
	for (int i = 0; i < 4; i++) {
		assert_non_null(hops[i]);
		for (int k = 0; k < i; k++)
			assert_ptr_not_equal(hops[i], hops[k]);
		assert_int_equal(hops[i]->error, i ? -ENETUNREACH : -EACCES);
		assert_int_equal(hops[i]->cause.kind, ways[i > 0].cause.kind);
		assert_int_equal(hops[i]->ladder.count, 2);
		assert_ptr_equal(hops[i]->context.ladder, &hops[i]->ladder);
		assert_int_equal(hops[i]->context.method, FG_METHOD_BOUNCE);
	}
	assert_int_equal(m->hop_count, 4);
	/* Each is found again, and it is not looked for where it leads to now. */
	assert_ptr_equal(fg_hop_find(&stage.session, &spec, &err), hops[3]);
	spec.vary = (struct fg_packet_vary){ .src = addr("10.9.1.2"), .dst = addr("10.9.0.9") };
	spec.way = 1;
	assert_ptr_equal(fg_hop_find(&stage.session, &spec, &err), hops[0]);
	assert_int_equal(fg_hop_renew(&stage.session, &spec, UINT64_MAX / 2, &err), 0);
	assert_int_equal(hops[0]->found_ns, 0);
	/* The link of a link-local address is that of the pod's device, by name or number. */
	static const struct {
		const char *zone;
		bool fits;
	} rows[] = {
		{ "", true }, { "eth0", true }, { "2", true }, { "eth1", false }, { "3", false }
	};

	for (size_t i = 0; i < COUNT(rows) * 2; i++) {
		struct fg_addr *zoned = i % 2 ? &spec.vary.src : &spec.vary.dst;

		spec.vary =
			(struct fg_packet_vary){ .src = addr("fe80::1"), .dst = addr("fe80::2") };
		strcpy(zoned->zone, rows[i / 2].zone);
		err = (struct fg_error){};
		if ((fg_hop_find(&stage.session, &spec, &err) != NULL) != rows[i / 2].fits)
			fail_msg("zone %s: %s", rows[i / 2].zone, err.message);
		if (rows[i / 2].fits)
			continue;
		assert_int_equal(err.kind, FG_ERR_USAGE);
		assert_non_null(strstr(err.message, "packets leave by the pod's device eth0"));
	}
	for (size_t i = 0; i < m->hop_count; i++)
		fg_hop_free(m->hops[i]);
	free(m->hops);
	fg_ladder_free(&m->ladder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup_teardown(test, stage_up, stage_down)
		TEST(which_events_show_a_place),
		TEST(a_drop_by_no_reason_shows_nothing),
		TEST(nothing_counts_before_the_packet_or_behind_a_lost_trail),
		TEST(a_place_is_looked_at_once),
		TEST(what_cannot_be_listed_is_told),
		TEST(there_is_room_for_so_many_places),
		TEST(programs_that_are_met_join_the_ladder),
		TEST(programs_before_all_that_were_known),
		TEST(an_uplink_is_the_last_stage),
		TEST(a_place_without_programs),
		TEST(a_ladder_has_an_end),
		TEST(where_it_was_seen_is_where_it_leads),
		TEST(it_was_where_it_should_go),
		TEST(a_number_is_of_its_namespace),
		TEST(a_device_is_less_than_a_pod),
		TEST(a_packet_that_stops_before_the_stack_does_not_meet_it),
		TEST(only_the_receiver_is_asked),
		TEST(programs_that_are_not_traced_are_counted),
		TEST(a_program_at_two_places_is_not_counted),
		TEST(counters_are_distrusted_where_a_program_came_elsewhere),
		TEST(a_hop_is_of_one_way_source_and_destination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
