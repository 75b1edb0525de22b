/* SPDX-License-Identifier: GPL-2.0-only */
/* suite/proof.h - what the controls of a probe prove of its denial. Pure. */
#ifndef FG_PROOF_H
#define FG_PROOF_H

#include "scenario/scenario.h"

/* The result of a probe's controls. Zeroed: it has none. */
struct fg_proof_state {
	bool asked;
	struct fg_control seen; /* the one with the worst result */
	char why[200];		/* if it did not pass */
};

/* Adds one judged control: of several, all must pass. status: by its own expectation. */
void fg_proof_add(struct fg_proof_state *proof, const struct fg_control *seen,
		  enum fg_case_status status, const char *name);

/* Returns the status after the controls are taken into account; why is then written. */
enum fg_case_status fg_proof_apply(const struct fg_proof_state *proof, struct fg_probe *probe,
				   enum fg_case_status status, char *why, size_t size);

#endif
