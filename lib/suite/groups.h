/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * suite/groups.h - what is not as expected, by kind: the same expectation, result, denier and
 * reason are one group, however many probes it has. Pure.
 */
#ifndef FG_GROUPS_H
#define FG_GROUPS_H

#include "suite/case.h"

/* As many of them, of a person's first run, are shown in full; the others as lines of a list. */
#define FG_GROUPS_FULL 5
/* As many are told apart; what is of yet another kind is only counted. */
#define FG_GROUPS_MAX 200

struct fg_groups;

/* NULL with FG_ERR_INTERNAL if memory is short. */
struct fg_groups *fg_groups_new(struct fg_error *err);
/* NULL is allowed. */
void fg_groups_free(struct fg_groups *groups);

/*
 * Adds a case that failed or is inconclusive. Returns whether it is to be shown in full: it is the
 * first of its group, and there are few groups so far.
 */
bool fg_groups_add(struct fg_groups *groups, const struct fg_case *c);

/*
 * Appends a list of the groups, unless all that was added has been shown in full. style: colours,
 * width. Returns 0, or -1 with FG_ERR_INTERNAL if memory is short.
 */
int fg_groups_text(const struct fg_groups *groups, const struct fg_report_options *style,
		   struct fg_buffer *out, struct fg_error *err);

#endif
