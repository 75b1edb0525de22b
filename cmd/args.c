// SPDX-License-Identifier: GPL-2.0-only
/* args.c - what the verbs' parsers share: argp, made to say one line about a mistake. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "nearest.h"

static void print_refusal(const char *name, const char *message, const char *hint)
{
	if (hint[0])
		fprintf(stderr, "%s: %s (%s)\n", name, message, hint);
	else
		fprintf(stderr, "%s: %s\n", name, message);
}

/* EINVAL ends the parsing without a further word of argp's. */
error_t fg_cmd_refuse(const struct argp_state *state, const struct fg_error *err)
{
	print_refusal(state->name, err->message, err->hint);
	return EINVAL;
}

error_t fg_cmd_refuse_text(const struct argp_state *state, const char *fmt, ...)
{
	struct fg_error err;
	char text[sizeof(err.message)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fg_fail(&err, FG_ERR_USAGE, "%s", text);
	return fg_cmd_refuse(state, &err);
}

/*
 * Stands before the verb's parser. Without an error stream argp keeps its "Try --help" to itself; what is wrong with an
 * option is said by getopt, in one line on standard error.
 */
static error_t parse_quietly(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->err_stream = NULL;
	state->child_inputs[0] = state->input;
	return 0;
}

int fg_cmd_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	const struct argp_child children[] = { { .argp = argp }, {} };
	const struct argp quiet = { .parser = parse_quietly, .children = children };
	struct fg_error err;
	int rest = argc;

	if (argp_parse(&quiet, argc, argv, 0, &rest, input))
		return fg_cmd_status(FG_ERR_USAGE);
	if (rest == argc)
		return 0;
	fg_fail(&err, FG_ERR_USAGE, "unexpected argument '%s'", argv[rest]);
	print_refusal(argv[0], err.message, "");
	return fg_cmd_status(FG_ERR_USAGE);
}

const char *fg_cmd_nearest(const char *text, const char *const *words, size_t count)
{
	return fg_nearest(text, words, count);
}
