// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine with a fake session, source and writers: who is called when, what ends a run, and what
 * it comes to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fake_run.h"

static struct fake f;
static const struct fg_scenario_expect denied = { .verdicts = 1U << FG_VERDICT_DENIED };

static enum fg_run_conclusion conclude(void)
{
	return fg_run_conclude(&f.totals);
}

static int up(void **state)
{
	(void)state;
	fake_up(&f, 3);
	return 0;
}

/* --- order --- */

static void calls_in_order(void **state)
{
	(void)state;
	f.room = 2;
	f.with_report = true;
	f.options.writer_count = 2;
	f.options.leftovers = true;
	assert_int_equal(fake_run(&f), 0);
	assert_string_equal(f.log, "open a:begin b:begin forget round(1) a:pod b:pod "
				   "send(1,2) leftovers(2) a:1=pass b:1=pass a:2=pass b:2=pass "
				   "a:flush b:flush send(3) leftovers(1) a:3=pass b:3=pass "
				   "a:flush b:flush over a:end b:end");
	assert_int_equal(f.totals.counts.planned, 3);
	assert_int_equal(f.totals.counts.by_status[FG_CASE_PASS], 3);
	assert_int_equal(conclude(), FG_RUN_AS_EXPECTED);
}

static void no_more_than_asked_for_at_once(void **state)
{
	(void)state;
	f.options.parallel = 2;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "send(1,2)") && fake_logged(&f, "send(3)"));
	fake_up(&f, 3);
	f.source.at_once = 1;
	f.options.tidy = f.options.leftovers = true;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "send(1) leftovers(1,tidy)") && fake_logged(&f, "send(3)"));
}

/* --- what ends it --- */

static void a_signal_ends_it_and_the_writers_end_too(void **state)
{
	(void)state;
	f.room = 1;
	f.cancel_after = 2;
	assert_int_equal(fake_run(&f), 0);
	assert_false(fake_logged(&f, "send(3)"));
	assert_true(fake_logged(&f, "a:2=pass a:flush over a:end(interrupted)"));
	assert_true(f.totals.cancelled && f.totals.counts.interrupted);
	assert_int_equal(conclude(), FG_RUN_INCONCLUSIVE);
}

static void a_signal_is_no_interruption_where_it_was_the_end_that_was_meant(void **state)
{
	(void)state;
	f.room = 1;
	f.cancel_after = 2;
	f.options.endless = true;
	assert_int_equal(fake_run(&f), 0);
	assert_true(f.totals.cancelled);
	assert_false(f.totals.counts.interrupted);
	assert_int_equal(conclude(), FG_RUN_AS_EXPECTED);
	/* Nor where everything had been sent. */
	fake_up(&f, 3);
	f.cancel_after = 1;
	assert_int_equal(fake_run(&f), 0);
	assert_true(f.totals.cancelled);
	assert_false(f.totals.counts.interrupted);
}

static void a_writer_that_fails_ends_it_and_the_others_end_all_the_same(void **state)
{
	(void)state;
	f.room = 1;
	f.options.writer_count = 2;
	f.writers[0].fail_take = 2;
	f.writers[0].fail_end = f.writers[1].fail_end = 1;
	assert_int_equal(fake_run(&f), -1);
	assert_string_equal(f.err.message, "a cannot take it");
	assert_false(fake_logged(&f, "send(3)"));
	assert_true(fake_logged(&f, "send(2) over a:end b:end"));
}

static void a_writer_that_cannot_end_is_a_failure(void **state)
{
	(void)state;
	f.options.writer_count = 2;
	f.writers[0].fail_end = f.writers[1].fail_end = 1;
	assert_int_equal(fake_run(&f), -1);
	assert_string_equal(f.err.message, "a cannot end");
	assert_true(fake_logged(&f, "a:end b:end"));
}

static void time_is_up(void **state)
{
	(void)state;
	f.room = 1;
	f.options.duration_ns = 1500;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "send(2)"));
	assert_false(fake_logged(&f, "send(3)"));
	assert_int_equal(f.totals.counts.duration_ns, 2000);
}

static void judge_second_denied(struct fake *fake, struct fg_probe *p)
{
	(void)fake;
	if (p->spec.id != 2)
		return;
	p->result.verdict = FG_VERDICT_DENIED;
	p->result.outcome = FG_OUTCOME_DROPPED;
}

static void fail_fast_stops_at_the_first_failure(void **state)
{
	(void)state;
	f.room = 1;
	f.items[0].expect = &denied;
	f.options.fail_fast = true;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "a:1=fail [verdict: expected denied, got allowed]"));
	assert_false(fake_logged(&f, "send(2)"));
	assert_int_equal(conclude(), FG_RUN_UNEXPECTED);
}

/* --- expectations --- */

static void judge_third_unsent(struct fake *fake, struct fg_probe *p)
{
	judge_second_denied(fake, p);
	if (p->spec.id != 3)
		return;
	p->trace.unsent = true;
	p->result.verdict = FG_VERDICT_UNKNOWN;
	p->result.outcome = FG_OUTCOME_INCONCLUSIVE;
	p->result.reason = "the kernel did not take it";
}

static void each_is_judged_by_what_is_expected_of_it(void **state)
{
	(void)state;
	f.judge = judge_third_unsent;
	f.items[1].expect = &denied;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "a:1=pass a:2=pass a:3=inconclusive "
				    "[outcome: inconclusive: the kernel did not take it]"));
	assert_int_equal(conclude(), FG_RUN_INCONCLUSIVE);
	/* What is not as expected counts before what is inconclusive. */
	fake_up(&f, 3);
	f.judge = judge_third_unsent;
	f.items[0].expect = &denied;
	assert_int_equal(fake_run(&f), 0);
	assert_int_equal(conclude(), FG_RUN_UNEXPECTED);
}

/* No probe at all: that what was expected holds was not shown. */
static void nothing_sent_is_nothing_known(void **state)
{
	(void)state;
	fake_up(&f, 0);
	assert_int_equal(fake_run(&f), 0);
	assert_int_equal(conclude(), FG_RUN_AS_EXPECTED);
	fake_up(&f, 0);
	f.options.expecting = true;
	assert_int_equal(fake_run(&f), 0);
	assert_true(strstr(f.warnings, "no packet was sent"));
	assert_int_equal(conclude(), FG_RUN_INCONCLUSIVE);
}

static void where_nothing_is_to_be_as_expected_nothing_is_unexpected(void **state)
{
	(void)state;
	f.judge = judge_third_unsent;
	f.items[0].expect = &denied;
	f.options.unjudged = true;
	assert_int_equal(fake_run(&f), 0);
	assert_int_equal(conclude(), FG_RUN_AS_EXPECTED);
}

static void judge_last_fragment_dropped(struct fake *fake, struct fg_probe *p)
{
	(void)fake;
	if (p->spec.fragment == 2)
		p->result.outcome = FG_OUTCOME_DROPPED;
}

static void fragments_count_each_or_as_their_worst(void **state)
{
	static const struct fg_scenario_expect delivered = { .outcomes = 1U
									 << FG_OUTCOME_DELIVERED };

	(void)state;
	f.count = 1;
	f.fragments = 3;
	f.judge = judge_last_fragment_dropped;
	f.items[0].expect = &delivered;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "a:1=pass a:1=pass a:1=fail "
				    "[outcome: expected delivered, got dropped] a:flush"));
	fake_up(&f, 1);
	f.fragments = 3;
	f.judge = judge_last_fragment_dropped;
	f.items[0].expect = &delivered;
	f.source.joins_fragments = true;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "send(1) a:1=fail "
				    "[fragment 3: outcome: expected delivered, got dropped] "
				    "a:flush"));
	assert_int_equal(conclude(), FG_RUN_UNEXPECTED);
}

/* --- what is not sent --- */

static void what_is_in_use_is_refused_left_out_or_forced(void **state)
{
	(void)state;
	f.in_use = 2;
	assert_int_equal(fake_run(&f), -1);
	assert_string_equal(f.err.message, "it is in use");
	assert_false(fake_logged(&f, "send"));

	fake_up(&f, 3);
	f.in_use = 2;
	f.source.leaves_out = true;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "send(1,3)"));
	assert_true(fake_logged(&f, "a:1=pass a:2=skip [it is in use (force it)] a:3=pass"));
	assert_int_equal(conclude(), FG_RUN_AS_EXPECTED);

	fake_up(&f, 2);
	f.in_use = FAKE_ALL;
	f.options.force = true;
	f.options.rounds = 2;
	f.source.leaves_out = true;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "send(1,2)"));
	/* Once is enough. */
	assert_string_equal(f.warnings, "it is in use\n");
}

static void what_routing_says_comes_before_all_else(void **state)
{
	(void)state;
	/* The kernel's source address goes to the session, and has a report of its own. */
	f.routes = f.with_report = true;
	f.chosen = (struct fg_addr){ AF_INET, { 10, 9, 0, 77 } };
	f.items[0].spec.any_source = true;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "route(1)"));
	assert_true(fg_addr_equal(&f.window[0].spec.vary.src, &f.chosen));
	assert_false(fg_addr_equal(&f.window[1].spec.vary.src, &f.chosen));

	/* What the kernel refuses is not checked for a live connection: it is judged all the same.
	 */
	fake_up(&f, 3);
	f.routes = true;
	f.refused = f.in_use = 2;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "send(1,2,3)"));

	/* What leaves by a device that cannot be served is left out, or the end of the run. */
	fake_up(&f, 3);
	f.routes = true;
	f.cannot_route = 2;
	assert_int_equal(fake_run(&f), -1);
	assert_string_equal(f.err.message, "its route leaves through vx");
	fake_up(&f, 3);
	f.routes = true;
	f.cannot_route = 2;
	f.source.leaves_out = true;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "a:2=skip [its route leaves through vx"));
}

static void what_cannot_be_sent_is_left_out_or_a_failure_of_its_own(void **state)
{
	(void)state;
	f.count = 1;
	f.items[0].skip = "no such pod";
	f.source.leaves_out = true;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "a:1=skip [no such pod]"));
	assert_false(fake_logged(&f, "send"));
	assert_int_equal(conclude(), FG_RUN_NOTHING_SENT);

	fake_up(&f, 1);
	f.items[0].skip = "no such pod";
	f.options.strict = true;
	assert_int_equal(fake_run(&f), 0);
	assert_int_equal(conclude(), FG_RUN_UNEXPECTED);
}

static void a_dead_end_does_not_take_the_others_along(void **state)
{
	static const struct fg_addr nowhere = { AF_INET, { 192, 0, 2, 1 } };

	(void)state;
	f.count = 4;
	f.cannot_send = 2;
	f.items[1].spec.vary.dst = f.items[3].spec.vary.dst = nowhere;
	f.source.leaves_out = true;
	assert_int_equal(fake_run(&f), 0);
	/* One by one, and the other one that goes there is not even tried. */
	assert_true(fake_logged(&f, "send(1) a:1=pass a:2=skip [no way there] send(3) a:3=pass "
				    "a:4=skip [no way there] a:flush"));

	fake_up(&f, 4);
	f.cannot_send = 2;
	assert_int_equal(fake_run(&f), -1);
	assert_string_equal(f.err.message, "no way there");

	fake_up(&f, 4);
	f.cannot_send = 2;
	f.send_error = FG_ERR_INTERNAL;
	f.source.leaves_out = true;
	assert_int_equal(fake_run(&f), -1);
	assert_false(fake_logged(&f, "send"));
}

/* --- pods that change --- */

static void judge_first_changed(struct fake *fake, struct fg_probe *p)
{
	(void)fake;
	p->trace.changed = p->spec.id == 1;
}

static void a_pod_whose_programs_changed_is_looked_at_anew(void **state)
{
	(void)state;
	f.room = 1;
	f.with_report = true;
	f.judge = judge_first_changed;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "a:1=pass a:flush forgotten(0) renew(0) a:pod send(2)"));
	assert_false(fake_logged(&f, "send(2) a:2=pass a:flush forgotten"));

	fake_up(&f, 3);
	f.judge = judge_first_changed;
	f.options.same_programs = true;
	assert_int_equal(fake_run(&f), 0);
	assert_false(fake_logged(&f, "renew"));
}

static void a_pod_that_is_gone_is_left_out_from_then_on(void **state)
{
	(void)state;
	f.room = 1;
	f.renew_fails = true;
	f.judge = judge_first_changed;
	f.source.leaves_out = true;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "a:2=skip [the pod is gone]"));
	assert_false(fake_logged(&f, "send(2)"));

	fake_up(&f, 3);
	f.room = 1;
	f.renew_fails = true;
	f.judge = judge_first_changed;
	assert_int_equal(fake_run(&f), -1);
	assert_string_equal(f.err.message, "the pod is gone");
}

static void a_pod_with_another_address_is_not_taken_for_it(void **state)
{
	(void)state;
	f.room = 1;
	f.renew_moves = true;
	f.judge = judge_first_changed;
	f.source.leaves_out = true;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(
		&f, "a:2=skip [pod netns:cart: its addresses have changed since the start]"));
}

/* --- rounds --- */

static void rounds_follow_each_other(void **state)
{
	(void)state;
	f.count = 1;
	f.options.rounds = 3;
	assert_int_equal(fake_run(&f), 0);
	assert_string_equal(f.log, "open a:begin forget round(1) send(1) a:1=pass a:flush "
				   "forget round(2) send(2) a:2=pass a:flush "
				   "forget round(3) send(3) a:3=pass a:flush over a:end");
	assert_int_equal(f.totals.counts.planned, 3);
	assert_int_equal(f.totals.counts.by_status[FG_CASE_PASS], 3);
}

static void judge_changes(struct fake *fake, struct fg_probe *p)
{
	(void)p;
	fake->changes = fake->sends != 1;
}

static void a_watch_tells_what_changed_and_counts_the_last_round(void **state)
{
	(void)state;
	f.count = 1;
	f.options.watch = true;
	f.options.interval_ns = 5000;
	f.cancel_after = 3;
	f.judge = judge_changes;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "a:1=pass a:flush wait(1006000) forget round(2)"));
	assert_true(fake_logged(&f, "a:-2=pass a:flush"));
	assert_true(fake_logged(&f, "a:3=pass! a:flush over a:end"));
	assert_int_equal(f.totals.counts.by_status[FG_CASE_PASS], 1);
	/* A signal is how a watch ends, once it has seen all. */
	assert_false(f.totals.counts.interrupted);
	assert_int_equal(conclude(), FG_RUN_AS_EXPECTED);
}

static void a_watch_may_end_within_a_round(void **state)
{
	(void)state;
	f.room = 1;
	f.options.watch = true;
	f.cancel_after = 4;
	assert_int_equal(fake_run(&f), 0);
	assert_true(fake_logged(&f, "round(2) send(4)") && !fake_logged(&f, "send(5)"));
	assert_false(f.totals.counts.interrupted);
	assert_int_equal(conclude(), FG_RUN_AS_EXPECTED);
	/* But not within the first. */
	fake_up(&f, 3);
	f.room = 1;
	f.options.watch = true;
	f.cancel_after = 2;
	assert_int_equal(fake_run(&f), 0);
	assert_true(f.totals.counts.interrupted);
}

/* --- controls --- */

static void the_control_that_came_off_worst_counts(void **state)
{
	struct fg_control good = { .passed = true }, bad = { .port = 53 };
	struct fg_proof_state proof = {};

	(void)state;
	fg_proof_add(&proof, &good, FG_CASE_PASS, "one");
	assert_true(proof.asked && proof.seen.passed);
	fg_proof_add(&proof, &bad, FG_CASE_PASS, "two");
	assert_false(proof.seen.passed);
	assert_string_equal(proof.why, "its control \"two\" did not get through");
	fg_proof_add(&proof, &good, FG_CASE_PASS, "three");
	assert_int_equal(proof.seen.port, 53);
	assert_false(proof.seen.passed);
	/* It came through, and yet not as was expected of it. */
	proof = (struct fg_proof_state){};
	fg_proof_add(&proof, &good, FG_CASE_FAIL, "four");
	assert_false(proof.seen.passed);
	assert_string_equal(proof.why, "its control \"four\" is not as expected");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(calls_in_order, up),
		cmocka_unit_test_setup(no_more_than_asked_for_at_once, up),
		cmocka_unit_test_setup(a_signal_ends_it_and_the_writers_end_too, up),
		cmocka_unit_test_setup(
			a_signal_is_no_interruption_where_it_was_the_end_that_was_meant, up),
		cmocka_unit_test_setup(a_writer_that_fails_ends_it_and_the_others_end_all_the_same,
				       up),
		cmocka_unit_test_setup(a_writer_that_cannot_end_is_a_failure, up),
		cmocka_unit_test_setup(time_is_up, up),
		cmocka_unit_test_setup(fail_fast_stops_at_the_first_failure, up),
		cmocka_unit_test_setup(each_is_judged_by_what_is_expected_of_it, up),
		cmocka_unit_test_setup(nothing_sent_is_nothing_known, up),
		cmocka_unit_test_setup(where_nothing_is_to_be_as_expected_nothing_is_unexpected,
				       up),
		cmocka_unit_test_setup(fragments_count_each_or_as_their_worst, up),
		cmocka_unit_test_setup(what_is_in_use_is_refused_left_out_or_forced, up),
		cmocka_unit_test_setup(what_routing_says_comes_before_all_else, up),
		cmocka_unit_test_setup(what_cannot_be_sent_is_left_out_or_a_failure_of_its_own, up),
		cmocka_unit_test_setup(a_dead_end_does_not_take_the_others_along, up),
		cmocka_unit_test_setup(a_pod_whose_programs_changed_is_looked_at_anew, up),
		cmocka_unit_test_setup(a_pod_that_is_gone_is_left_out_from_then_on, up),
		cmocka_unit_test_setup(a_pod_with_another_address_is_not_taken_for_it, up),
		cmocka_unit_test_setup(rounds_follow_each_other, up),
		cmocka_unit_test_setup(a_watch_tells_what_changed_and_counts_the_last_round, up),
		cmocka_unit_test_setup(a_watch_may_end_within_a_round, up),
		cmocka_unit_test(the_control_that_came_off_worst_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
