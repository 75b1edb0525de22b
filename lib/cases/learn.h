/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cases/learn.h - the matrix of a namespace as a scenario: who can send, against every port of
 * every Service. Pure.
 */
#ifndef FG_LEARN_H
#define FG_LEARN_H

#include "cluster/objects.h"

struct fg_learn_options {
	const char *name; /* of the scenario */
	bool every_pod;	  /* else one of each workload */
};

/* What was left out, for a warning; zeroed is nothing. */
struct fg_learn_left {
	size_t pods;	 /* on their node's network */
	size_t services; /* a name of something else, or headless and without a backend */
};

/*
 * The scenario as YAML, with nothing expected. A pod that does not run cannot send; one that is on
 * its node's network sends as the node, not as a pod. Returns the text (owned by the caller), or
 * NULL: FG_ERR_UNSUPPORTED if there is nobody to send, or nothing to send to.
 */
char *fg_learn_scenario(const struct fg_objects *objects, const struct fg_learn_options *options,
			struct fg_learn_left *left, struct fg_error *err);

#endif
