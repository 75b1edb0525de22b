// SPDX-License-Identifier: GPL-2.0-only
#include "control.h"

bool fg_control_passed(const struct fg_probe *control)
{
	const struct fg_result *r = &control->result;
	bool allowed = r->verdict == FG_VERDICT_ALLOWED || r->verdict == FG_VERDICT_REDIRECTED ||
		       r->verdict == FG_VERDICT_NONE;
	bool arrived = r->outcome == FG_OUTCOME_DELIVERED || r->outcome == FG_OUTCOME_FORWARDED ||
		       r->outcome == FG_OUTCOME_REPLIED;

	return allowed && arrived;
}

/* What a control is there to prove: that something was kept back, and not just lost on a broken way. */
static bool kept_back(const struct fg_result *r)
{
	return r->verdict == FG_VERDICT_DENIED || r->outcome == FG_OUTCOME_DROPPED ||
	       r->outcome == FG_OUTCOME_REJECTED;
}

void fg_control_apply(const struct fg_probe *control, const char *text, struct fg_probe *probe)
{
	const struct fg_probe_spec *sent = &control->spec;
	const struct fg_result *c = &control->result;
	struct fg_result *r = &probe->result;
	enum fg_expect expect = probe->spec.expect;

	r->control = (struct fg_control){ .given = true,
					  .text = text,
					  .dst = sent->vary.dst,
					  .protocol = fg_packet_protocol(sent->packet,
									 sent->vary.dst.family),
					  .port = sent->vary.dport,
					  .verdict = c->verdict,
					  .outcome = c->outcome };
	if (!kept_back(r))
		return;
	r->control.proof = fg_control_passed(control) ? FG_PROOF_GIVEN : FG_PROOF_FAILED;
	if (r->control.proof == FG_PROOF_GIVEN)
		return;
	r->reason = c->outcome == FG_OUTCOME_INCONCLUSIVE ? "the control is inconclusive"
							  : "the control failed too";
	if (expect == FG_EXPECT_DENY || expect == FG_EXPECT_DROPPED)
		r->expect_met = false;
}

bool fg_control_doubts(const struct fg_probe *probe)
{
	return probe->result.control.proof == FG_PROOF_FAILED;
}
