// SPDX-License-Identifier: GPL-2.0-only
/* diff.c - `flowgen diff`: which verdicts changed between two runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "diff.h"
#include "fd.h"
#include "output.h"

struct options {
	bool json;
	const char *files[2];
	int count;
};

enum { KEY_OUTPUT = 0x100 };

static const struct argp_option option_list[] = {
	{ "output", KEY_OUTPUT, "json|text", 0, "Form of the answer (text)", 0 },
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case KEY_OUTPUT:
		o->json = !strcmp(arg, "json");
		if (!o->json && strcmp(arg, "text") != 0)
			return fg_cmd_refuse_text(state, "--output: \"%s\" is none of json, text",
						  arg);
		return 0;
	case ARGP_KEY_ARG:
		if (o->count == 2)
			return fg_cmd_refuse_text(state, "two files are compared, not three");
		o->files[o->count++] = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Reads a file line by line: of two long runs only what is compared is kept. */
static int read_run(struct fg_diff *diff, const char *path, bool after, struct fg_buffer *out,
		    struct fg_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	FG_FILE FILE *opened = is_stdin ? NULL : fopen(path, "re");
	FILE *in = is_stdin ? stdin : opened;
	FG_FREE char *line = NULL;
	unsigned long number = 0;
	size_t room = 0;
	ssize_t len;
	char where[300];
	int ret = 0;

	if (!in)
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	while (!ret && (len = getline(&line, &room, in)) >= 0) {
		snprintf(where, sizeof(where), "%.250s:%lu", is_stdin ? "standard input" : path,
			 ++number);
		if (strspn(line, " \t\r\n") == (size_t)len)
			continue;
		ret = after ? fg_diff_after(diff, line, (size_t)len, where, out, err)
			    : fg_diff_before(diff, line, (size_t)len, where, err);
		if (!ret && out->len > 65536) {
			ret = fg_output_write(out->data, out->len, err);
			out->len = 0;
		}
	}
	if (!ret && ferror(in))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	return ret;
}

static int compare(const struct options *o, struct fg_diff_counts *counts, struct fg_error *err)
{
	struct fg_diff *diff = fg_diff_new(o->json, err);
	struct fg_buffer out = {};
	int ret = -1;

	if (diff && !read_run(diff, o->files[0], false, &out, err) &&
	    !read_run(diff, o->files[1], true, &out, err) &&
	    !fg_diff_end(diff, counts, &out, err) && !fg_output_write(out.data, out.len, err) &&
	    !fg_output_flush(err))
		ret = 0;
	fg_buffer_free(&out);
	fg_diff_free(diff);
	return ret;
}

int fg_cmd_diff(int argc, char **argv)
{
	static const struct argp parser = {
		.options = option_list,
		.parser = parse,
		.args_doc = "BEFORE AFTER",
		.doc = "Say which verdicts, deniers, outcomes and drop reasons differ between two runs: files of JSON "
		       "lines that flowgen run or flowgen inject has written; - is standard input."
		       "\vExit status: 0 no difference, 1 differences, 2 wrong usage or input, 5 internal error.",
	};
	struct options options = {};
	struct fg_diff_counts counts = {};
	struct fg_error err;
	int status = fg_cmd_parse(&parser, argc, argv, &options);

	if (status)
		return status;
	if (options.count != 2) {
		fg_fail(&err, FG_ERR_USAGE, "two files are wanted: flowgen diff BEFORE AFTER");
		return fg_cmd_fail(&err);
	}
	if (compare(&options, &counts, &err))
		return fg_cmd_fail(&err);
	return counts.changed || counts.added || counts.removed ? FG_EXIT_UNEXPECTED : FG_EXIT_OK;
}
