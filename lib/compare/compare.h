/* SPDX-License-Identifier: GPL-2.0-only */
/* compare/compare.h - two files of results, or two folders of them, file by file (suite/diff.h). */
#ifndef FG_COMPARE_H
#define FG_COMPARE_H

#include <stdbool.h>

#include "suite/diff.h"

struct fg_compare_options {
	const char *before, *after; /* files, "-": standard input; or two folders */
	bool json;		    /* else text */
	bool pods;		    /* one pod with another: as of fg_diff_new() */
	/* Takes what is to be printed. Returns 0 or -1. */
	int (*write)(const char *data, size_t len, struct fg_error *err);
};

/*
 * Compares them; of folders the files *.json, *.jsonl and *.ndjson by their names. The process
 * gives up what reading files does not need (host/confine.h). Returns 0, or -1: FG_ERR_USAGE if
 * something cannot be read or is not a result.
 */
int fg_compare(const struct fg_compare_options *options, struct fg_diff_counts *counts,
	       struct fg_error *err);

#endif
