// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine with the source of `inject` and its real writers, on a fake session: controls, pace,
 * --until, and what --control takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_run.h"
#include "writer/writer.h"

static struct fake f;
static struct fg_run_probes probes;
static struct fg_run_control control;
static struct fg_packet_spec packet;
static struct fg_ports dports, sports;

/* The outcome of the probe that was handed on last. */
static struct fg_result seen;
static struct fg_probe_spec seen_spec;

static int up(void **state)
{
	(void)state;
	fake_up(&f, 0);
	fg_packet_spec_init(&packet);
	assert_int_equal(fg_packet_set(&packet, "proto", "udp", NULL), 0);
	assert_int_equal(fg_parse_ports("x", "9999", &dports, NULL), 0);
	probes = (struct fg_run_probes){ .pod = "netns:cart",
					 .packet = &packet,
					 .dst = { AF_INET, { 10, 9, 0, 9 } },
					 .dports = &dports,
					 .count = 1,
					 .full_checksum = true };
	control = (struct fg_run_control){};
	return 0;
}

static int down(void **state)
{
	(void)state;
	fg_run_control_free(&control);
	fg_packet_spec_free(&packet);
	fg_ports_free(&dports);
	fg_ports_free(&sports);
	return 0;
}

static void with_control(const char *text)
{
	control.text = text;
	probes.control = &control;
	assert_int_equal(fg_run_control_read(&control, &probes, NULL, &f.err), 0);
}

static int keep(struct fg_run_writer *writer, const struct fg_run_answer *answer,
		struct fg_error *err)
{
	(void)writer;
	(void)err;
	seen = answer->c->probe->result;
	seen_spec = answer->c->probe->spec;
	return 0;
}

static enum fg_run_conclusion run_plan(void)
{
	static const struct fg_run_writer_ops ops = { .take = keep };
	struct fg_run_source *source = fg_run_plan_open(&probes, &f.err);

	assert_non_null(source);
	f.list[1] = &(struct fg_run_writer){ .ops = &ops };
	f.options.writer_count = 2;
	f.options.source = source;
	assert_int_equal(fake_run(&f), 0);
	source->ops->close(source);
	return fg_run_conclude(&f.totals);
}

/* --- controls --- */

static void deny(struct fg_probe *p)
{
	p->result.verdict = FG_VERDICT_DENIED;
	p->result.outcome = FG_OUTCOME_DROPPED;
	p->result.expect_met = p->spec.expect == FG_EXPECT_DENY;
}

static void judge_probes_denied(struct fake *fake, struct fg_probe *p)
{
	(void)fake;
	if (!p->spec.control)
		deny(p);
}

static void judge_all_denied(struct fake *fake, struct fg_probe *p)
{
	(void)fake;
	deny(p);
}

static void a_control_goes_before_the_probes_and_is_not_told(void **state)
{
	(void)state;
	f.judge = judge_probes_denied;
	probes.expect = FG_EXPECT_DENY;
	with_control("53");
	assert_int_equal(run_plan(), FG_RUN_AS_EXPECTED);
	assert_true(fake_logged(&f, "send(c1,1) a:1=pass a:flush"));
	assert_int_equal(f.totals.counts.by_status[FG_CASE_PASS], 1);
	assert_int_equal(seen.control.proof, FG_PROOF_GIVEN);
	assert_int_equal(seen.control.port, 53);
	assert_string_equal(seen.control.text, "53");
}

static void one_control_for_each_window(void **state)
{
	(void)state;
	fg_ports_free(&dports);
	assert_int_equal(fg_parse_ports("x", "1-5", &dports, NULL), 0);
	f.room = 4;
	with_control("53");
	assert_int_equal(run_plan(), FG_RUN_AS_EXPECTED);
	assert_true(fake_logged(&f, "send(c3,1,2,3)") && fake_logged(&f, "send(c5,4,5)"));
	assert_int_equal(f.totals.counts.by_status[FG_CASE_PASS], 5);
}

static void one_control_cannot_speak_for_several_addresses(void **state)
{
	(void)state;
	probes.dst_count = 6;
	control.text = "53";
	assert_int_equal(fg_run_control_read(&control, &probes, NULL, &f.err), -1);
	assert_int_equal(f.err.kind, FG_ERR_USAGE);
	assert_string_equal(f.err.message, "--control: the probes go to 6 addresses, and the "
					   "control names none of its own");
	fg_run_control_free(&control);
	control = (struct fg_run_control){};
	with_control("10.9.0.8:53");
	fg_run_control_free(&control);
	control = (struct fg_run_control){};
	probes.dst_count = 1;
	with_control("53");
}

static void a_control_that_fails_leaves_the_denial_open(void **state)
{
	(void)state;
	f.judge = judge_all_denied;
	probes.expect = FG_EXPECT_DENY;
	with_control("53");
	assert_int_equal(run_plan(), FG_RUN_INCONCLUSIVE);
	assert_true(fake_logged(
		&f,
		"a:1=inconclusive [the denial is not proven: its control \"53\" did not get through]"));
	assert_int_equal(seen.control.proof, FG_PROOF_FAILED);
	assert_false(seen.expect_met);
	assert_string_equal(seen.reason, "the control failed too");
}

static void judge_first_control_denied(struct fake *fake, struct fg_probe *p)
{
	if (!p->spec.control || !fake->sends)
		deny(p);
}

static void a_control_speaks_for_its_own_window(void **state)
{
	(void)state;
	fg_ports_free(&dports);
	assert_int_equal(fg_parse_ports("x", "1-3", &dports, NULL), 0);
	f.room = 3;
	f.judge = judge_first_control_denied;
	probes.expect = FG_EXPECT_DENY;
	with_control("53");
	assert_int_equal(run_plan(), FG_RUN_INCONCLUSIVE);
	assert_true(fake_logged(&f, "a:1=inconclusive") && fake_logged(&f, "a:2=inconclusive"));
	assert_true(fake_logged(&f, "send(c3,3) a:3=pass"));
}

static void judge_control_lost_behind_policy(struct fake *fake, struct fg_probe *p)
{
	(void)fake;
	if (p->spec.control)
		p->result.outcome = FG_OUTCOME_DROPPED;
	else
		deny(p);
}

static void a_control_that_policy_passes_and_something_drops_has_failed(void **state)
{
	(void)state;
	f.judge = judge_control_lost_behind_policy;
	probes.expect = FG_EXPECT_DENY;
	with_control("53");
	assert_int_equal(run_plan(), FG_RUN_INCONCLUSIVE);
	assert_int_equal(seen.control.verdict, FG_VERDICT_ALLOWED);
	assert_int_equal(seen.control.proof, FG_PROOF_FAILED);
}

static void judge_probes_rejected(struct fake *fake, struct fg_probe *p)
{
	(void)fake;
	if (!p->spec.control)
		p->result.outcome = FG_OUTCOME_REJECTED;
}

static void a_rejection_is_proven_where_the_control_passed(void **state)
{
	(void)state;
	f.judge = judge_probes_rejected;
	probes.expect = FG_EXPECT_DROPPED;
	with_control("tcp,dport=53");
	assert_int_equal(run_plan(), FG_RUN_AS_EXPECTED);
	assert_int_equal(seen.outcome, FG_OUTCOME_REJECTED);
	assert_int_equal(seen.control.proof, FG_PROOF_GIVEN);
	assert_int_equal(seen.control.protocol, IPPROTO_TCP);
}

static void what_got_through_needs_no_proof(void **state)
{
	(void)state;
	probes.expect = FG_EXPECT_ALLOW;
	with_control("53");
	assert_int_equal(run_plan(), FG_RUN_AS_EXPECTED);
	assert_int_equal(seen.control.proof, FG_PROOF_NONE);
}

/* --- pace and --until --- */

static void probes_come_when_they_are_due(void **state)
{
	(void)state;
	probes.count = 3;
	probes.interval_ns = 50000;
	assert_int_equal(run_plan(), FG_RUN_AS_EXPECTED);
	assert_true(fake_logged(&f, "send(1) a:1=pass a:flush wait(1050000) "
				    "send(2) a:2=pass a:flush wait(1100000) send(3)"));
}

static void no_wait_lasts_longer_than_the_run(void **state)
{
	(void)state;
	probes.count = 0;
	probes.interval_ns = 50000;
	f.options.duration_ns = 60000;
	assert_int_equal(run_plan(), FG_RUN_AS_EXPECTED);
	assert_true(fake_logged(&f, "send(2) a:2=pass a:flush wait(1060000) a:end"));
}

static void judge_denied_from_the_third_on(struct fake *fake, struct fg_probe *p)
{
	(void)fake;
	p->trace.unsent = p->spec.id == 2;
	if (p->spec.id >= 3)
		deny(p);
	p->result.expect_met = p->spec.id >= 3;
}

static void repeated_until_it_is_so(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct fg_run_writer *statistics = fg_writer_statistics(out, true, &f.err);

	(void)state;
	probes.count = 0;
	probes.interval_ns = 10000;
	probes.expect = f.options.until = FG_EXPECT_DENY;
	f.options.parallel = 1;
	f.judge = judge_denied_from_the_third_on;
	f.list[0] = statistics;
	assert_int_equal(run_plan(), FG_RUN_AS_EXPECTED);
	fclose(out);
	/* Told are the first, and the one that differs; one that was not sent is none. */
	assert_int_equal(f.sends, 3);
	assert_int_equal(seen.repeat.probes, 2);
	assert_int_equal(seen.repeat.after_ns, 20000);
	assert_int_equal(seen.repeat.previous_ns, 10000);
	assert_non_null(strstr(text, "2 sent in 21.0 us"));
	assert_non_null(strstr(text, "1 not taken by the kernel"));
	assert_non_null(strstr(text, "denied after 20.0 us, not yet at 10.0 us"));
	statistics->ops->close(statistics);
	free(text);
}

/* How many there are is not known of a capture, nor of a run without end. */
static void interrupted_without_a_number(void **state)
{
	struct fg_run_totals totals = { .cancelled = true };
	struct fg_case_counts *counts = &totals.counts;
	struct fg_buffer report = {};
	struct fg_run_writer *statistics;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	statistics = fg_writer_statistics(out, false, &f.err);
	counts->planned = UINT64_MAX;
	counts->by_status[FG_CASE_PASS] = 16;
	assert_false(fg_case_stopped(counts));
	counts->interrupted = true;
	assert_true(fg_case_stopped(counts));
	assert_int_equal(statistics->ops->end(statistics, &totals, &f.err), 0);
	assert_int_equal(fg_tap_end(counts, &report, &f.err), 0);
	assert_int_equal(fg_case_text_end(counts, NULL, &report, &f.err), 0);
	fg_buffer_put(&report, "", 1);
	assert_non_null(strstr(report.data, "Bail out! interrupted\n"));
	assert_non_null(strstr(report.data, "\ninterrupted\n"));
	counts->planned = 20;
	assert_int_equal(statistics->ops->end(statistics, &totals, &f.err), 0);
	fclose(out);
	assert_non_null(strstr(text, "flowgen: interrupted\n"));
	assert_non_null(strstr(text, "flowgen: interrupted: 4 of 20 probes were not sent\n"));
	statistics->ops->close(statistics);
	fg_buffer_free(&report);
	free(text);
}

static void only_what_differs_is_told(void **state)
{
	(void)state;
	probes.count = 4;
	probes.expect = f.options.until = FG_EXPECT_DENY;
	f.options.parallel = 1;
	f.judge = judge_denied_from_the_third_on;
	assert_int_equal(run_plan(), FG_RUN_AS_EXPECTED);
	assert_true(fake_logged(&f, "a:1=fail"));
	assert_true(fake_logged(&f, "a:-2=fail"));
	assert_true(fake_logged(&f, "a:3=pass"));
	assert_false(fake_logged(&f, "send(4)"));
}

static void what_never_comes_is_not_as_expected(void **state)
{
	(void)state;
	probes.count = 2;
	probes.expect = f.options.until = FG_EXPECT_DENY;
	f.options.parallel = 1;
	f.judge = judge_denied_from_the_third_on;
	assert_int_equal(run_plan(), FG_RUN_UNEXPECTED);
	assert_int_equal(f.sends, 2);
}

/* --- preflight checks --- */

static void given_source_ports_are_refused_before_anything_is_sent(void **state)
{
	(void)state;
	fg_ports_free(&dports);
	assert_int_equal(fg_parse_ports("x", "1-20", &dports, NULL), 0);
	assert_int_equal(fg_parse_ports("x", "4000", &sports, NULL), 0);
	f.in_use = 20;
	for (int given = 0; given < 2; given++) {
		struct fg_run_source *source;

		probes.sports = given ? &sports : NULL;
		f.log[0] = '\0';
		source = fg_run_plan_open(&probes, &f.err);
		f.options.source = source;
		assert_int_equal(fake_run(&f), -1);
		assert_string_equal(f.err.message, "it is in use");
		assert_int_equal(fake_logged(&f, "send"), !given);
		source->ops->close(source);
	}
}

static void only_the_pods_own_addresses_unless_it_is_meant(void **state)
{
	struct fg_run_source *source;

	(void)state;
	probes.src = (struct fg_addr){ AF_INET, { 192, 0, 2, 7 } };
	source = fg_run_plan_open(&probes, &f.err);
	f.options.source = source;
	assert_int_equal(fake_run(&f), -1);
	assert_string_equal(f.err.message, "--src: pod netns:cart does not own 192.0.2.7");
	source->ops->close(source);
	probes.spoof = true;
	assert_int_equal(run_plan(), FG_RUN_AS_EXPECTED);
	assert_int_equal(seen_spec.vary.src.bytes[3], 7);
}

/* --- writers --- */

static json_t *written(enum fg_writer_form form, bool summary)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	const struct fg_writer_target target = { .stream = out };
	json_t *value;

	f.list[0] = summary ? fg_writer_summary(form, target, &f.err)
			    : fg_writer_open(form, target, NULL, &f.err);
	assert_int_equal(run_plan(), FG_RUN_AS_EXPECTED);
	fclose(out);
	value = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(value);
	f.list[0]->ops->close(f.list[0]);
	free(text);
	return value;
}

static void results_and_summary_are_written(void **state)
{
	json_t *value = written(FG_WRITER_JSON, false);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(value, "id")), 1);
	json_decref(value);
	probes.count = 3;
	f.source = (struct fg_run_source){};
	value = written(FG_WRITER_JSON, true);
	assert_int_equal(json_integer_value(json_object_get(value, "total")), 3);
	json_decref(value);
}

static void a_file_that_cannot_be_written_is_a_failure(void **state)
{
	const struct fg_writer_target full = { .path = "/dev/full" }, none = { .path = "/none/x" };
	struct fg_run_source *source;

	(void)state;
	for (int i = 0; i < 2; i++) {
		f.list[0] = fg_writer_open(FG_WRITER_JSON, i ? full : none, NULL, &f.err);
		source = fg_run_plan_open(&probes, &f.err);
		f.options.source = source;
		assert_int_equal(fake_run(&f), -1);
		assert_int_equal(f.err.kind, i ? FG_ERR_INTERNAL : FG_ERR_USAGE);
		assert_non_null(strstr(f.err.message, i ? "/dev/full: " : "/none/x: "));
		source->ops->close(source);
		f.list[0]->ops->close(f.list[0]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		TEST(a_control_goes_before_the_probes_and_is_not_told),
		TEST(one_control_for_each_window),
		TEST(one_control_cannot_speak_for_several_addresses),
		TEST(a_control_that_fails_leaves_the_denial_open),
		TEST(a_control_speaks_for_its_own_window),
		TEST(a_control_that_policy_passes_and_something_drops_has_failed),
		TEST(a_rejection_is_proven_where_the_control_passed),
		TEST(what_got_through_needs_no_proof),
		TEST(probes_come_when_they_are_due),
		TEST(no_wait_lasts_longer_than_the_run),
		TEST(repeated_until_it_is_so),
		TEST(interrupted_without_a_number),
		TEST(only_what_differs_is_told),
		TEST(what_never_comes_is_not_as_expected),
		TEST(given_source_ports_are_refused_before_anything_is_sent),
		TEST(only_the_pods_own_addresses_unless_it_is_meant),
		TEST(results_and_summary_are_written),
		TEST(a_file_that_cannot_be_written_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
