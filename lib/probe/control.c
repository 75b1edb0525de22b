// SPDX-License-Identifier: GPL-2.0-only
#include "probe/control.h"

bool fg_control_passed(enum fg_verdict verdict, enum fg_outcome outcome)
{
	bool allowed = verdict == FG_VERDICT_ALLOWED || verdict == FG_VERDICT_REDIRECTED ||
		       verdict == FG_VERDICT_NONE;
	bool arrived = outcome == FG_OUTCOME_DELIVERED || outcome == FG_OUTCOME_FORWARDED ||
		       outcome == FG_OUTCOME_REPLIED;

	return allowed && arrived;
}

struct fg_control fg_control_of(const struct fg_probe *control, const char *text)
{
	const struct fg_probe_spec *sent = &control->spec;
	const struct fg_result *r = &control->result;

	return (struct fg_control){ .text = text,
				    .dst = sent->vary.dst,
				    .protocol =
					    fg_put_protocol(sent->packet, sent->vary.dst.family),
				    .port = sent->vary.dport,
				    .verdict = r->verdict,
				    .outcome = r->outcome,
				    .passed = fg_control_passed(r->verdict, r->outcome) };
}

/*
 * What a control is there to prove: that something was kept back, and not just lost on a broken
 * way.
 */
static bool kept_back(const struct fg_result *r)
{
	return r->verdict == FG_VERDICT_DENIED || r->outcome == FG_OUTCOME_DROPPED ||
	       r->outcome == FG_OUTCOME_REJECTED;
}

void fg_control_apply(const struct fg_control *control, struct fg_probe *probe)
{
	struct fg_result *r = &probe->result;
	enum fg_expect expect = probe->spec.expect;

	r->control = *control;
	r->control.given = true;
	r->control.proof = FG_PROOF_NONE;
	if (!kept_back(r))
		return;
	r->control.proof = control->passed ? FG_PROOF_GIVEN : FG_PROOF_FAILED;
	if (control->passed)
		return;
	r->reason = control->outcome == FG_OUTCOME_INCONCLUSIVE ? "the control is inconclusive"
								: "the control failed too";
	if (expect == FG_EXPECT_DENY || expect == FG_EXPECT_DROPPED)
		r->expect_met = false;
}

bool fg_control_doubts(const struct fg_probe *probe)
{
	return probe->result.control.proof == FG_PROOF_FAILED;
}
