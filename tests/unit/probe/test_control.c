// SPDX-License-Identifier: GPL-2.0-only
/*
 * The positive control: when it passes, when a denial is proven, and what an expectation makes of
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "probe/control.h"

static struct fg_probe judged(enum fg_verdict verdict, enum fg_outcome outcome,
			      enum fg_expect expect)
{
	static const struct fg_packet_spec udp = { .protocol = IPPROTO_UDP };

	return (struct fg_probe){
		.spec = { .expect = expect,
			  .packet = &udp,
			  .vary = { .dst.family = AF_INET, .dport = 443 } },
		.result = { .verdict = verdict, .outcome = outcome, .expect_met = true }
	};
}

static void apply(const struct fg_probe *control, const char *text, struct fg_probe *probe)
{
	const struct fg_control seen = fg_control_of(control, text);

	fg_control_apply(&seen, probe);
}

static void passes_when_let_through_and_arrived(void **state)
{
	(void)state;
	for (int v = FG_VERDICT_UNKNOWN; v <= FG_VERDICT_NONE; v++)
		for (int o = 0; o < FG_OUTCOMES; o++) {
			struct fg_probe c = judged((enum fg_verdict)v, (enum fg_outcome)o, 0);
			bool allowed = v == FG_VERDICT_ALLOWED || v == FG_VERDICT_REDIRECTED ||
				       v == FG_VERDICT_NONE;
			bool arrived = o == FG_OUTCOME_DELIVERED || o == FG_OUTCOME_FORWARDED ||
				       o == FG_OUTCOME_REPLIED;

			assert_int_equal(fg_control_passed(c.result.verdict, c.result.outcome),
					 allowed && arrived);
		}
}

static void a_passed_control_proves(void **state)
{
	struct fg_probe c = judged(FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED, 0);
	struct fg_probe p = judged(FG_VERDICT_DENIED, FG_OUTCOME_DROPPED, FG_EXPECT_DENY);

	(void)state;
	apply(&c, "udp,dport=443", &p);
	assert_true(p.result.control.given);
	assert_string_equal(p.result.control.text, "udp,dport=443");
	assert_int_equal(p.result.control.protocol, IPPROTO_UDP);
	assert_int_equal(p.result.control.dst.family, AF_INET);
	assert_int_equal(p.result.control.port, 443);
	assert_int_equal(p.result.control.proof, FG_PROOF_GIVEN);
	assert_true(p.result.expect_met);
	assert_null(p.result.reason);
	assert_false(fg_control_doubts(&p));
}

static void a_failed_control_leaves_it_open(void **state)
{
	static const enum fg_expect expects[] = { FG_EXPECT_DENY, FG_EXPECT_DROPPED };
	struct fg_probe c = judged(FG_VERDICT_DENIED, FG_OUTCOME_DROPPED, 0);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fg_probe p = judged(FG_VERDICT_DENIED, FG_OUTCOME_DROPPED, expects[i]);

		apply(&c, NULL, &p);
		assert_int_equal(p.result.verdict, FG_VERDICT_DENIED);
		assert_int_equal(p.result.outcome, FG_OUTCOME_DROPPED);
		assert_int_equal(p.result.control.proof, FG_PROOF_FAILED);
		assert_false(p.result.expect_met);
		assert_string_equal(p.result.reason, "the control failed too");
		assert_true(fg_control_doubts(&p));
	}
	c.result.outcome = FG_OUTCOME_INCONCLUSIVE;
	struct fg_probe p = judged(FG_VERDICT_NONE, FG_OUTCOME_REJECTED, FG_EXPECT_NOTHING);

	apply(&c, NULL, &p);
	assert_string_equal(p.result.reason, "the control is inconclusive");
	/* Nothing was expected, and so nothing can be unmet. */
	assert_true(p.result.expect_met);
	assert_true(fg_control_doubts(&p));
}

static void what_passed_needs_no_proof(void **state)
{
	struct fg_probe c = judged(FG_VERDICT_DENIED, FG_OUTCOME_DROPPED, 0);
	struct fg_probe p = judged(FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED, FG_EXPECT_ALLOW);

	(void)state;
	apply(&c, NULL, &p);
	assert_int_equal(p.result.control.proof, FG_PROOF_NONE);
	assert_true(p.result.expect_met);
	assert_null(p.result.reason);
	assert_false(fg_control_doubts(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_when_let_through_and_arrived),
		cmocka_unit_test(a_passed_control_proves),
		cmocka_unit_test(a_failed_control_leaves_it_open),
		cmocka_unit_test(what_passed_needs_no_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
