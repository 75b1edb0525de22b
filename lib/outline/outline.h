/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * outline/outline.h - what scenario files hold, told without looking for their pods and without
 * sending anything. Where a file has a selector, that stands for one pod.
 */
#ifndef FG_OUTLINE_H
#define FG_OUTLINE_H

#include "base/buffer.h"
#include "run/run.h"

enum fg_outline_form {
	FG_OUTLINE_FILES,  /* "FILE: valid, 5 probes" */
	FG_OUTLINE_PROBES, /* of each its name, what is expected, and the file, with tabs between */
};

/*
 * Reads the files, and appends these lines. options->only chooses among the probes. Returns 0, or
 * -1: FG_ERR_USAGE if a file is wrong (then nothing is appended), FG_ERR_INTERNAL if memory is
 * short.
 */
int fg_outline(const struct fg_run_scenario_options *options, enum fg_outline_form form,
	       const struct fg_run_ui *ui, struct fg_buffer *out, struct fg_error *err);

/*
 * Appends the path to the files, or, if it is a folder, the paths of its files *.yaml and *.yml in
 * the order of their names. The array and its strings are the caller's, to be freed also after a
 * failure. Returns 0, or -1: FG_ERR_USAGE if the folder has none or cannot be read.
 */
int fg_outline_add_path(const char *path, char ***files, size_t *count, struct fg_error *err);

#endif
