/* SPDX-License-Identifier: GPL-2.0-only */
/* cmd.h - the verbs of flowgen, and what they share: reading a command line, and ending with an error. */
#ifndef FG_CMD_H
#define FG_CMD_H

#include <argp.h>

#include "error.h"

/* One function per verb, in a file of its own. argv[0] is the verb's full name. Each returns the exit status. */
int fg_cmd_inject(int argc, char **argv);
int fg_cmd_catch(int argc, char **argv);
int fg_cmd_check(int argc, char **argv);
int fg_cmd_pods(int argc, char **argv);
int fg_cmd_demo(int argc, char **argv);
int fg_cmd_run(int argc, char **argv);
int fg_cmd_diff(int argc, char **argv);

/* Exit statuses, as flowgen(8) lists them; the others are those of errors, see fg_cmd_status(). */
enum { FG_EXIT_OK = 0, FG_EXIT_UNEXPECTED = 1 };

/* The exit status for a class of error: usage 2, unsupported 3, inconclusive 4, internal 5. FG_OK is 0. */
int fg_cmd_status(enum fg_error_kind kind);

/* Prints "flowgen: message (hint)" as one line to standard error. Returns the exit status for it. */
int fg_cmd_fail(const struct fg_error *err);

/*
 * Reads a verb's command line. Returns 0, or the exit status (2) after one line on standard error, which begins with
 * argv[0]. --help and --usage print and end the process. An argument that the verb's own parser does not take at
 * ARGP_KEY_ARG is refused. Options and operands may stand in any order.
 *
 * A parser refuses a value with `return fg_cmd_refuse(state, &err)`, or `fg_cmd_refuse_text(state, "...", ...)`; it does
 * not call argp_error(), argp_failure() or argp_usage(), which say more than one line.
 */
int fg_cmd_parse(const struct argp *argp, int argc, char **argv, void *input);
error_t fg_cmd_refuse(const struct argp_state *state, const struct fg_error *err);
error_t fg_cmd_refuse_text(const struct argp_state *state, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The word among count that text was most likely meant to be; NULL where none is close. */
const char *fg_cmd_nearest(const char *text, const char *const *words, size_t count);

#endif
