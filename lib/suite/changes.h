/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * suite/changes.h - what each probe of a watch came to last, and how it differs now. Pure.
 */
#ifndef FG_CHANGES_H
#define FG_CHANGES_H

#include "suite/case.h"

struct fg_changes;

/* NULL with FG_ERR_INTERNAL if memory is short. */
struct fg_changes *fg_changes_new(struct fg_error *err);
/* NULL is allowed. */
void fg_changes_free(struct fg_changes *changes);

/*
 * Notes the case: the number-th probe (from 0) of a file. It has changed if its status, its
 * verdict, who denied it, whether it arrived, or a command's exit status is another than before:
 * not if only the way in which it did not arrive is. time is RFC 3339. Returns whether it is the
 * first of this probe or has changed; if it has changed, c->change says how, until the next call or
 * the end of changes. What there is no memory for has not changed.
 */
bool fg_changes_note(struct fg_changes *changes, size_t file, uint64_t number, const char *time,
		     struct fg_case *c);

#endif
