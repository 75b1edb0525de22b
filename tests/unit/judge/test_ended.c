// SPDX-License-Identifier: GPL-2.0-only
/* Whether it is known what ended a packet, and which others ended alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "judge/ended.h"

static struct fg_ladder ladder;
static struct fg_program programs[2];
static struct fg_context context, back;
static struct fg_step steps[2];
static struct fg_result way;

static const char *reason_name(const void *names, uint32_t code)
{
	(void)names;
	return code == 4 ? "NETFILTER_DROP" : code == 5 ? "TC_EGRESS" : NULL;
}

static int set_up(void **state)
{
	(void)state;
	memset(programs, 0, sizeof(programs));
	memset(steps, 0, sizeof(steps));
	programs[0].id = 11;
	programs[1].id = 12;
	ladder = (struct fg_ladder){ .programs = programs, .count = 2 };
	context = back = (struct fg_context){ .ladder = &ladder, .reason = reason_name };
	way = (struct fg_result){ .denied_by = -1, .steps = steps };
	return 0;
}

/* Denied at the sender's side by a program that is not known. */
static struct fg_probe denied(void)
{
	return (struct fg_probe){ .spec = { .id = 7, .pod = 1 },
				  .context = &context,
				  .result = { .verdict = FG_VERDICT_DENIED,
					      .decider = { .kind = FG_KIND_BPF,
							   .stage = FG_STAGE_EGRESS },
					      .denied_by = -1,
					      .candidates = 3,
					      .drop_code = 5,
					      .steps = steps } };
}

static void a_denial_that_nobody_was_seen_to_make_is_doubtful(void **state)
{
	static const enum fg_verdict others[] = { FG_VERDICT_UNKNOWN, FG_VERDICT_ALLOWED,
						  FG_VERDICT_REDIRECTED };
	struct fg_probe p = denied();
	struct fg_result *r = &p.result;

	(void)state;
	assert_true(fg_ended_is_doubtful(r));
	for (int e = FG_EVIDENCE_NONE; e <= FG_EVIDENCE_RUN; e++) {
		/* Of the denier, the first and the second; the other was seen. */
		for (int by = 0; by < 2; by++) {
			r->denied_by = by;
			steps[by].evidence = (enum fg_evidence)e;
			steps[!by].evidence = e < FG_EVIDENCE_FEXIT ? FG_EVIDENCE_FEXIT
								    : FG_EVIDENCE_NONE;
			assert_int_equal(fg_ended_is_doubtful(r), e < FG_EVIDENCE_FEXIT);
			r->reply.way = &way;
			assert_int_equal(fg_ended_is_doubtful(r), e < FG_EVIDENCE_FEXIT);
			r->reply.way = NULL;
		}
	}
	/* Of the reply. */
	r->denied_by = 0;
	steps[0].evidence = FG_EVIDENCE_FEXIT;
	r->reply.way = &way;
	assert_false(fg_ended_is_doubtful(r));
	way.verdict = FG_VERDICT_DENIED;
	assert_true(fg_ended_is_doubtful(r));
	for (size_t i = 0; i < COUNT(others); i++) {
		struct fg_probe q = denied();

		q.result.verdict = others[i];
		assert_false(fg_ended_is_doubtful(&q.result));
		assert_false(fg_ended_is_doubtful_there(&q.result));
	}
}

static void what_the_sender_denied_tells_nothing_of_the_receiver(void **state)
{
	struct fg_probe p = denied();
	struct fg_result *r = &p.result;

	(void)state;
	assert_false(fg_ended_is_doubtful_there(r));
	r->decider.stage = FG_STAGE_NODE;
	assert_true(fg_ended_is_doubtful_there(r));
	r->decider.stage = FG_STAGE_INGRESS;
	assert_true(fg_ended_is_doubtful_there(r));
	r->decider = (struct fg_decider){ .kind = FG_KIND_NONE, .stage = FG_STAGE_EGRESS };
	assert_true(fg_ended_is_doubtful_there(r));
	/* Replies come from there. */
	p = denied();
	r->reply.way = &way;
	assert_false(fg_ended_is_doubtful_there(r));
	way.verdict = FG_VERDICT_DENIED;
	assert_true(fg_ended_is_doubtful_there(r));
	/* One that is known to be denied there is not. */
	r->reply.way = NULL;
	r->decider.stage = FG_STAGE_INGRESS;
	r->denied_by = 0;
	steps[0].evidence = FG_EVIDENCE_FEXIT;
	assert_false(fg_ended_is_doubtful_there(r));
}

/* --- unnamed --- */

static void a_program_that_is_one_of_some_is_unnamed(void **state)
{
	struct fg_probe p = denied();

	(void)state;
	for (int kind = FG_KIND_NONE; kind < FG_KINDS; kind++) {
		bool program = kind == FG_KIND_BPF || kind == FG_KIND_TC;

		p = denied();
		p.result.decider.kind = (enum fg_kind)kind;
		assert_ptr_equal(fg_ended_unnamed(&p, false),
				 program || kind == FG_KIND_NETFILTER ? &p.result : NULL);
		assert_ptr_equal(fg_ended_unnamed(&p, true), program ? &p.result : NULL);
		p.result.denied_by = 0;
		p.result.netfilter = (const void *)&p;
		assert_null(fg_ended_unnamed(&p, false));
		p.result.denied_by = -1;
		p.result.candidates = 0;
		assert_null(fg_ended_unnamed(&p, false));
		assert_null(fg_ended_unnamed_denial(&p, false));
	}
	p = denied();
	assert_ptr_equal(fg_ended_unnamed_denial(&p, true), &p.result);
	p.result.verdict = FG_VERDICT_ALLOWED;
	assert_null(fg_ended_unnamed(&p, false));
	p.result.verdict = FG_VERDICT_REDIRECTED;
	assert_null(fg_ended_unnamed(&p, false));
}

/* On its way to a service of IPVS a drop by netfilter has no decider until rules were traced. */
static void what_ipvs_may_have_dropped_is_unnamed_but_no_denial(void **state)
{
	struct fg_probe p = denied();
	struct fg_result *r = &p.result;

	(void)state;
	r->verdict = FG_VERDICT_UNKNOWN;
	r->decider = (struct fg_decider){};
	r->dropped = true;
	r->drop_code = 4;
	assert_null(fg_ended_unnamed(&p, false));
	assert_false(fg_ended_by_netfilter(&context, r));
	context.service_count = 1;
	assert_true(fg_ended_by_netfilter(&context, r));
	assert_ptr_equal(fg_ended_unnamed(&p, false), r);
	assert_null(fg_ended_unnamed_denial(&p, false));
	assert_null(fg_ended_unnamed(&p, true));
	r->netfilter = (const void *)&p;
	assert_null(fg_ended_unnamed(&p, false));
	r->netfilter = NULL;
	/* By something else, or somebody. */
	r->drop_code = 5;
	assert_null(fg_ended_unnamed(&p, false));
	r->drop_code = 4;
	r->decider.kind = FG_KIND_ROUTE;
	assert_null(fg_ended_unnamed(&p, false));
	r->decider.kind = FG_KIND_NETFILTER;
	assert_ptr_equal(fg_ended_unnamed(&p, false), r);
	context.service_count = 0;
	assert_true(fg_ended_by_netfilter(&context, r));
}

static void the_reply_is_asked_about_by_its_own_context(void **state)
{
	struct fg_probe p = denied();

	(void)state;
	p.result.denied_by = 0;
	p.result.reply.way = &way;
	p.result.reply.back = &back;
	assert_null(fg_ended_unnamed(&p, false));
	way.verdict = FG_VERDICT_UNKNOWN;
	way.dropped = true;
	way.drop_code = 4;
	context.service_count = 1;
	assert_null(fg_ended_unnamed(&p, false));
	back.service_count = 1;
	assert_ptr_equal(fg_ended_unnamed(&p, false), &way);
	assert_null(fg_ended_unnamed(&p, true));
	way.verdict = FG_VERDICT_DENIED;
	way.decider.kind = FG_KIND_TC;
	way.candidates = 1;
	assert_ptr_equal(fg_ended_unnamed_denial(&p, true), &way);
	/* The packet itself comes first. */
	p.result.denied_by = -1;
	assert_ptr_equal(fg_ended_unnamed(&p, true), &p.result);
}

static void what_was_cut_is_not_sent_again(void **state)
{
	struct fg_probe p = denied();
	const struct fg_event whole = { .kind = FG_EVENT_RECEIVE },
			      piece = { .kind = FG_EVENT_PIECE };

	(void)state;
	assert_false(fg_ended_was_cut(&p));
	assert_non_null(fg_trace_add(&p.trace, &whole));
	assert_false(fg_ended_was_cut(&p));
	assert_non_null(fg_trace_add(&p.trace, &piece));
	assert_non_null(fg_trace_add(&p.trace, &whole));
	assert_true(fg_ended_was_cut(&p));
	p.trace.list[0].event.kind = FG_EVENT_PIECE;
	p.trace.list[1].event.kind = FG_EVENT_RECEIVE;
	assert_true(fg_ended_was_cut(&p));
	fg_trace_free(&p.trace);
	p = denied();
	p.spec.fragments = 1;
	assert_false(fg_ended_was_cut(&p));
	p.spec.fragments = 2;
	assert_true(fg_ended_was_cut(&p));
}

static void open_vswitch_took_what_ended_there_and_nowhere_else(void **state)
{
	const struct fg_observation consumed = { .event = { .kind = FG_EVENT_CONSUME } },
				    freed = { .event = { .kind = FG_EVENT_FREE } };
	struct fg_probe p = { .context = &context };

	(void)state;
	context.ovs = true;
	p.result.outcome = FG_OUTCOME_INCONCLUSIVE;
	assert_false(fg_ended_at_ovs(&p));
	p.result.end = &freed;
	assert_false(fg_ended_at_ovs(&p));
	p.result.end = &consumed;
	assert_true(fg_ended_at_ovs(&p));
	context.ovs = false;
	assert_false(fg_ended_at_ovs(&p));
	context.ovs = true;
	p.result.outcome = FG_OUTCOME_FORWARDED;
	assert_false(fg_ended_at_ovs(&p));
	p.result.outcome = FG_OUTCOME_INCONCLUSIVE;
	p.context = NULL;
	assert_false(fg_ended_at_ovs(&p));
}

static void rejected_without_an_end_is_unseen(void **state)
{
	struct fg_result r = { .outcome = FG_OUTCOME_REJECTED, .verdict = FG_VERDICT_UNKNOWN };

	(void)state;
	assert_true(fg_ended_is_unseen(&r));
	r.dropped = true;
	assert_false(fg_ended_is_unseen(&r));
	r.dropped = false;
	r.outcome = FG_OUTCOME_DELIVERED;
	assert_false(fg_ended_is_unseen(&r));
	r.outcome = FG_OUTCOME_REJECTED;
	r.verdict = FG_VERDICT_NONE;
	assert_false(fg_ended_is_unseen(&r));
	r.verdict = FG_VERDICT_UNKNOWN;
	r.decider.kind = FG_KIND_ROUTE;
	assert_false(fg_ended_is_unseen(&r));
}

/* --- alike --- */

static struct fg_observation at(const char *symbol, uint32_t netns, uint32_t ifindex)
{
	return (struct fg_observation){ .symbol = symbol,
					.event = { .netns = netns, .ifindex = ifindex } };
}

static void alike_is_what_ended_at_one_place_in_one_way(void **state)
{
	struct fg_observation end = at("kfree_skb_list+0x10/0x20", 3, 4);
	struct fg_observation elsewhere[] = { at("kfree_skb_list+0x10/0x20", 9, 4),
					      at("kfree_skb_list+0x10/0x20", 3, 9),
					      at("kfree_skb+0x10/0x20", 3, 4), at(NULL, 3, 4) };
	struct fg_observation there = at("kfree_skb_list+0x99/0x20", 3, 4);
	struct fg_probe p = denied(), q = denied();
	struct fg_ended list[3] = {}, like;

	(void)state;
	p.result.end = q.result.end = &end;
	list[1] = fg_ended_describe(&p, &p.result);
	assert_string_equal(list[1].symbol, "kfree_skb_list");
	assert_int_equal(list[1].pod, 1);
	assert_int_equal(list[1].alike.id, 0);
	q.spec.id = 8;
	like = fg_ended_describe(&q, &q.result);
	assert_ptr_equal(fg_ended_find(list, 3, &like), &list[1]);
	assert_ptr_equal(fg_ended_find(list, 2, &like), &list[1]);
	assert_null(fg_ended_find(list, 1, &like));
	/* Another place in the same function is the same way. */
	q.result.end = &there;
	like = fg_ended_describe(&q, &q.result);
	assert_ptr_equal(fg_ended_find(list, 3, &like), &list[1]);
	for (size_t i = 0; i < COUNT(elsewhere); i++) {
		q.result.end = &elsewhere[i];
		like = fg_ended_describe(&q, &q.result);
		assert_null(fg_ended_find(list, 3, &like));
	}
	q.result.end = NULL;
	like = fg_ended_describe(&q, &q.result);
	assert_null(fg_ended_find(list, 3, &like));
}

static void alike_is_of_one_pod_direction_stage_kind_and_reason(void **state)
{
	struct fg_probe p = denied();
	struct fg_ended list = fg_ended_describe(&p, &p.result);

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct fg_probe q = denied();
		struct fg_result *r = &q.result;
		struct fg_ended like;

		if (i == 1)
			q.spec.pod = 2;
		else if (i == 2)
			r->decider.stage = FG_STAGE_INGRESS;
		else if (i == 3)
			r->decider.kind = FG_KIND_TC;
		else if (i == 4)
			r->drop_code = 6;
		else if (i == 5)
			way = *r, r = &way;
		like = fg_ended_describe(&q, r);
		assert_int_equal(like.reply, i == 5);
		assert_int_equal(fg_ended_find(&list, 1, &like) != NULL, i == 0);
	}
}

static void a_long_name_of_a_function_is_cut(void **state)
{
	char name[100];
	struct fg_observation end = at(name, 1, 1);
	struct fg_probe p = denied();
	struct fg_ended e;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[99] = '\0';
	p.result.end = &end;
	e = fg_ended_describe(&p, &p.result);
	assert_int_equal(strlen(e.symbol), sizeof(e.symbol) - 1);
}

static void the_second_packet_names_it_where_it_ended_like_the_first(void **state)
{
	const struct fg_observation end = at("f", 3, 4), other[] = { at("f", 9, 4), at("f", 3, 9) };
	const struct fg_netfilter rule = { .table = "filter" };
	struct fg_probe p = denied();
	struct fg_ended first, e;

	(void)state;
	p.result.end = &end;
	first = fg_ended_describe(&p, &p.result);
	/* It shows no more than the first. */
	e = first;
	fg_ended_take_name(&e, &p);
	assert_int_equal(e.alike.id, 0);
	for (int by = 0; by < 2; by++) {
		e = first;
		p.result.denied_by = by;
		fg_ended_take_name(&e, &p);
		assert_int_equal(e.alike.id, 7);
		assert_ptr_equal(e.alike.program, &e.program);
		assert_int_equal(e.program.id, 11 + by);
		assert_null(e.alike.netfilter);
	}
	p.result.netfilter = &rule;
	e = first;
	fg_ended_take_name(&e, &p);
	assert_int_equal(e.alike.id, 7);
	assert_ptr_equal(e.alike.netfilter, &e.netfilter);
	assert_string_equal(e.netfilter.table, "filter");
	assert_null(e.alike.program);
	for (int i = 0; i < 5; i++) {
		struct fg_probe q = p;

		if (i == 0)
			q.result.verdict = FG_VERDICT_ALLOWED;
		else if (i == 1)
			q.result.decider.stage = FG_STAGE_NODE;
		else if (i == 2)
			q.result.drop_code = 6;
		else
			q.result.end = &other[i - 3];
		e = first;
		fg_ended_take_name(&e, &q);
		assert_int_equal(e.alike.id, 0);
	}
	/* Of the reply, by what its own path has. */
	way = p.result;
	p.result = (struct fg_result){ .reply = { .way = &way, .back = &back } };
	way.netfilter = NULL;
	way.denied_by = 1;
	e = fg_ended_describe(&p, &way);
	context.ladder = NULL;
	fg_ended_take_name(&e, &p);
	assert_int_equal(e.alike.id, 7);
	assert_int_equal(e.program.id, 12);
	/* To the second packet no reply came. */
	e.alike.id = 0;
	p.result.reply.way = NULL;
	fg_ended_take_name(&e, &p);
	assert_int_equal(e.alike.id, 0);
}

static void others_that_ended_alike_are_referred_to_it(void **state)
{
	struct fg_probe probes[4] = { denied(), denied(), denied(), denied() };
	struct fg_ended list[2] = { { .alike.id = 99 } };

	(void)state;
	probes[1].spec.id = 8;
	probes[2].spec.id = 9;
	probes[2].result.drop_code = 6;
	probes[3].spec.id = 10;
	list[1] = fg_ended_describe(&probes[0], &probes[0].result);
	/* Nothing was found out. */
	fg_ended_refer(list, 2, probes, 4, false);
	for (size_t i = 0; i < COUNT(probes); i++)
		assert_null(probes[i].result.alike);
	list[1].alike.id = 7;
	fg_ended_refer(list, 2, probes, 3, false);
	/* Itself is named; another way is not it; and what is behind the window is not looked at.
	 */
	assert_null(probes[0].result.alike);
	assert_ptr_equal(probes[1].result.alike, &list[1].alike);
	assert_null(probes[2].result.alike);
	assert_null(probes[3].result.alike);
	/* What has a name keeps it. */
	probes[3].result.denied_by = 0;
	fg_ended_refer(list, 2, probes, 4, false);
	assert_null(probes[3].result.alike);
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_denial_that_nobody_was_seen_to_make_is_doubtful),
		CASE(what_the_sender_denied_tells_nothing_of_the_receiver),
		CASE(a_program_that_is_one_of_some_is_unnamed),
		CASE(what_ipvs_may_have_dropped_is_unnamed_but_no_denial),
		CASE(the_reply_is_asked_about_by_its_own_context),
		CASE(what_was_cut_is_not_sent_again),
		CASE(open_vswitch_took_what_ended_there_and_nowhere_else),
		CASE(rejected_without_an_end_is_unseen),
		CASE(alike_is_what_ended_at_one_place_in_one_way),
		CASE(alike_is_of_one_pod_direction_stage_kind_and_reason),
		CASE(a_long_name_of_a_function_is_cut),
		CASE(the_second_packet_names_it_where_it_ended_like_the_first),
		CASE(others_that_ended_alike_are_referred_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
