// SPDX-License-Identifier: GPL-2.0-only
/* check.c - `flowgen check`: what this kernel and these privileges allow. */
#include "base/count.h"
#include "cmd.h"
#include "host/capability.h"
#include "host/confine.h"
#include "output.h"
#include "survey/survey.h"

struct options {
	enum fg_form form;
};
#define FG_OPTIONS struct options

static const struct fg_option table[] = {
	FG_OPTION_OUTPUT(form, "Output format"),
};

static int run(const struct fg_verb *verb, int argc, char **argv)
{
	struct options options = { .form = fg_cmd_form() };
	struct fg_capabilities all;
	struct fg_buffer out = {};
	struct fg_error err;
	int failed, status = fg_cmd_read(verb, argc, argv, &options);

	if (status)
		return status;
	fg_capability_probe(&all);
	/* What the node is made of is other people's. */
	failed = fg_confine(FG_CONFINE_SESSION, false, &err) ||
		 fg_survey_check(&all, fg_form_is_json(options.form), &out, &err) ||
		 fg_output_write(out.data, out.len, &err) || fg_output_flush(&err);
	fg_buffer_free(&out);
	if (failed)
		return fg_cmd_fail(&err);
	return fg_capability_any_method(&all) ? FG_EXIT_OK : fg_error_status(FG_ERR_UNSUPPORTED);
}

const struct fg_verb fg_verb_check = {
	.name = "check",
	.summary = "show what this kernel and these privileges allow",
	.about =
		"Test what this kernel and these privileges allow: which methods of injection work, "
		"and what is missing for the others. The tests leave nothing behind. Then list what "
		"else on this node decides about packets: netfilter, Open vSwitch, IPVS, queueing "
		"disciplines.",
	.end = "Exit status: 0 if a method works, 3 if none does.",
	.options = table,
	.option_count = COUNT(table),
	.run = run,
};
