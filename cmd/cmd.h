/* SPDX-License-Identifier: GPL-2.0-only */
/* cmd.h - the verbs of flowgen, and how they end. */
#ifndef FG_CMD_H
#define FG_CMD_H

#include "base/error.h"
#include "option/option.h"

/* Each in a file of its own. argv[0] is the verb's full name; run() returns the exit status. */
extern const struct fg_verb fg_verb_inject;
extern const struct fg_verb fg_verb_catch;
extern const struct fg_verb fg_verb_check;
extern const struct fg_verb fg_verb_pods;
extern const struct fg_verb fg_verb_demo;
extern const struct fg_verb fg_verb_run;
extern const struct fg_verb fg_verb_diff;
extern const struct fg_verb fg_verb_exec;
extern const struct fg_verb fg_verb_agent;
extern const struct fg_verb fg_verb_kube;

/* Exit statuses, as flowgen(8) lists them; the others are fg_error_status(). */
enum { FG_EXIT_OK = 0, FG_EXIT_UNEXPECTED = 1 };

/*
 * Reads a verb's command line into its options, which hold the defaults (option/option.h). Returns
 * 0, or the exit status (2) after one line on standard error, which begins with argv[0]. --help and
 * --usage print and end the process.
 */
int fg_cmd_read(const struct fg_verb *verb, int argc, char **argv, void *options);

/* The help of one of kubectl flowgen's verbs. Returns the exit status; -1: it has none so called.
 */
int fg_kube_help(const char *verb, bool all);

/* Prints a verb's help. Returns the exit status. */
int fg_cmd_help(const struct fg_verb *verb, enum fg_option_help help);

/*
 * Prints "flowgen: message (hint)" as one line to standard error; fg_cmd_refuse() with another
 * name. Returns the exit status for it.
 */
int fg_cmd_fail(const struct fg_error *err);
int fg_cmd_refuse(const char *name, const struct fg_error *err);

/* Prints "flowgen: kind: text", or without a kind, unless --quiet was given. */
void fg_cmd_tell(const char *kind, const char *text);
/* Whether --quiet and --verbose were given. */
bool fg_cmd_is_quiet(void);
bool fg_cmd_is_verbose(void);
/* What is printed unless --output says otherwise: text on a terminal, else JSON. */
enum fg_form fg_cmd_form(void);
/* Whether text has colours; the columns of the terminal, or 80. */
bool fg_cmd_is_coloured(void);
unsigned int fg_cmd_width(int fd);

#endif
