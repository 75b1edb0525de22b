// SPDX-License-Identifier: GPL-2.0-only
#include "suite/proof.h"

#include <stdio.h>

#include "probe/control.h"

void fg_proof_add(struct fg_proof_state *proof, const struct fg_control *seen,
		  enum fg_case_status status, const char *name)
{
	bool passed = seen->passed && status == FG_CASE_PASS;

	if (proof->asked && (passed || !proof->seen.passed))
		return;
	proof->asked = true;
	proof->seen = *seen;
	proof->seen.passed = passed;
	snprintf(proof->why, sizeof(proof->why), "its control \"%.120s\" %s", name,
		 status == FG_CASE_PASS ? "did not get through" : "is not as expected");
}

enum fg_case_status fg_proof_apply(const struct fg_proof_state *proof, struct fg_probe *probe,
				   enum fg_case_status status, char *why, size_t size)
{
	if (!proof || !proof->asked)
		return status;
	fg_control_apply(&proof->seen, probe);
	if (!fg_control_doubts(probe))
		return status;
	snprintf(why, size, "the denial is not proven: %s", proof->why);
	return FG_CASE_INCONCLUSIVE;
}
