/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * diff.h - two runs, result by result: which verdicts changed, and by which program. A result is
 * known again by its scenario and probe, or where it has none by its name, pod, and packet. Pure:
 * no I/O.
 */
#ifndef FG_DIFF_H
#define FG_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "error.h"

struct fg_diff;

struct fg_diff_counts {
	uint64_t same, changed, added, removed;
};

/* json: a line of JSON for each difference; else text. NULL with FG_ERR_INTERNAL where memory is
 * short. */
struct fg_diff *fg_diff_new(bool json, struct fg_error *err);
void fg_diff_free(struct fg_diff *diff);

/*
 * One line of the first run, and then one of the second, whose differences are appended to out.
 * Lines that are no results (the sum of a run) are passed over; what is no result of flowgen is
 * FG_ERR_USAGE. where names file and line in errors.
 */
int fg_diff_before(struct fg_diff *diff, const char *line, size_t len, const char *where,
		   struct fg_error *err);
int fg_diff_after(struct fg_diff *diff, const char *line, size_t len, const char *where,
		  struct fg_buffer *out, struct fg_error *err);

/* Appends what only the first run had, and the sum. counts may be NULL. */
int fg_diff_end(struct fg_diff *diff, struct fg_diff_counts *counts, struct fg_buffer *out,
		struct fg_error *err);

#endif
