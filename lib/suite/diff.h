/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * suite/diff.h - two runs, result by result: which verdicts changed, and by which program. Results
 * are matched by scenario and probe, or without these by name, pod and packet; summaries by pod,
 * and compared port by port. Pure: no I/O.
 */
#ifndef FG_DIFF_H
#define FG_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct fg_diff;

struct fg_diff_counts {
	uint64_t same, changed, added, removed;
};

/*
 * json: a line of JSON for each difference; else text. pods: each run is of one pod, and what one
 * met is compared with what the other met, whoever they are. NULL with FG_ERR_INTERNAL if memory is
 * short.
 */
struct fg_diff *fg_diff_new(bool json, bool pods, struct fg_error *err);
void fg_diff_free(struct fg_diff *diff);

/* The lines that follow are of this file of a folder: only those of one name are compared.
 * Borrowed; NULL (as at first): of the one file. */
void fg_diff_scope(struct fg_diff *diff, const char *name);

/*
 * One line of the first run, and then one of the second, whose differences are appended to out.
 * Lines that are not results (the totals of a run) are skipped; what is not a flowgen result is
 * FG_ERR_USAGE, and so is a second pod of a run, if pods are compared. where names file and line in
 * errors.
 */
int fg_diff_before(struct fg_diff *diff, const char *line, size_t len, const char *where,
		   struct fg_error *err);
int fg_diff_after(struct fg_diff *diff, const char *line, size_t len, const char *where,
		  struct fg_buffer *out, struct fg_error *err);

/* Appends what only the first run had, and the totals. counts may be NULL. */
int fg_diff_end(struct fg_diff *diff, struct fg_diff_counts *counts, struct fg_buffer *out,
		struct fg_error *err);

#endif
