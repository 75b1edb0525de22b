// SPDX-License-Identifier: GPL-2.0-only
/* diff.c - `flowgen diff`: which verdicts changed between two runs. */
#include "base/count.h"
#include "cmd.h"
#include "compare/compare.h"
#include "output.h"

struct options {
	enum fg_form form;
	struct fg_compare_options compare;
	int count;
};
#define FG_OPTIONS struct options

static int add_file(const char *what, const char *path, void *to, struct fg_error *err)
{
	struct options *o = to;

	(void)what;
	if (o->count == 2)
		return fg_fail(err, FG_ERR_USAGE, "takes two files or folders, not three");
	*(o->count++ ? &o->compare.after : &o->compare.before) = path;
	return 0;
}

static const struct fg_option table[] = {
	FG_OPERANDS("BEFORE AFTER", add_file),
	FG_FLAG("pods", compare.pods, "Compare one pod's results with another's, by what was asked",
		FG_COMMON),
	FG_OPTION_OUTPUT(form, "Output format"),
};

static int run(const struct fg_verb *verb, int argc, char **argv)
{
	struct options o = { .form = fg_cmd_form(), .compare.write = fg_output_write };
	struct fg_diff_counts counts = {};
	struct fg_error err;
	int status = fg_cmd_read(verb, argc, argv, &o);

	if (status)
		return status;
	if (o.count != 2) {
		fg_fail(&err, FG_ERR_USAGE,
			"two files or folders are needed: flowgen diff BEFORE AFTER");
		return fg_cmd_fail(&err);
	}
	o.compare.json = fg_form_is_json(o.form);
	if (fg_compare(&o.compare, &counts, &err) || fg_output_flush(&err))
		return fg_cmd_fail(&err);
	return counts.changed || counts.added || counts.removed ? FG_EXIT_UNEXPECTED : FG_EXIT_OK;
}

const struct fg_verb fg_verb_diff = {
	.name = "diff",
	.summary = "show which verdicts differ between two runs",
	.about =
		"Show which verdicts, denying programs, outcomes and drop reasons differ between two "
		"runs: files of JSON lines written by flowgen run or flowgen inject, or folders of "
		"them; - is standard input.",
	.end = "Exit status: 0 no difference, 1 differences, 2 wrong usage or input, 5 internal error.",
	.options = table,
	.option_count = COUNT(table),
	.run = run,
};
