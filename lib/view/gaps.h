/* SPDX-License-Identifier: GPL-2.0-only */
/* view/gaps.h - what this packet skips of the way that the pod's own packets take. */
#ifndef FG_GAPS_H
#define FG_GAPS_H

#include <stdbool.h>

#include "probe/probe.h"

/*
 * What the method leaves out: each as a word for programs and a line for people. Ends with a NULL
 * word.
 */
struct fg_gap {
	const char *word, *text;
	bool usual; /* every packet that is sent as a pod leaves it out */
};
#define FG_GAPS_MAX 12
/* result: what flowgen's interception left out too; NULL: the method alone. */
void fg_gaps_list(const struct fg_context *context, const struct fg_result *result,
		  struct fg_gap out[FG_GAPS_MAX]);

#endif
