// SPDX-License-Identifier: GPL-2.0-only
/* run.c - `flowgen run`: its options. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/grow.h"
#include "cmd.h"
#include "outline/outline.h"

#define FG_OPTIONS struct fg_run_command

static int add_setting(const char *what, const char *text, void *to, struct fg_error *err)
{
	struct fg_run_command *o = to;
	struct fg_scenario_setting *added;

	if (!strchr(text, '=') || text[0] == '=')
		return fg_fail(err, FG_ERR_USAGE, "%s: must be VAR=VALUE, not \"%s\"", what, text);
	added = FG_APPEND(o->settings, o->setting_count, "settings", err);
	if (!added)
		return -1;
	added->text = text;
	return 0;
}

static int add_file(const char *what, const char *path, void *to, struct fg_error *err)
{
	struct fg_run_command *o = to;

	(void)what;
	return fg_outline_add_path(path, &o->files, &o->file_count, err);
}

static const struct fg_option table[] = {
	FG_OPERANDS("FILE|DIR...", add_file),

	FG_HEADING("Which probes, and how:"),
	FG_LIST("set", "VAR=VALUE", add_setting, "Set one of the files' variables"),
	FG_TEXT("only", "PATTERN", only,
		"Send only probes whose name contains PATTERN, and their controls", FG_COMMON),
	FG_TEXT("blocks", "LIST", blocks,
		"Send only these blocks of the probes: N, N-M, or N:A-B for some of one"),
	FG_NUMBER("repeat", "N", repeat, 1, UINT32_MAX, "Send all probes this many times (1)",
		  FG_COMMON),
	FG_FLAG("watch", watch, "Repeat until interrupted, and report changes", FG_COMMON),
	FG_DURATION("interval", interval_ns, 0, "With --watch: delay between rounds (1s)"),
	FG_DURATION("heartbeat", heartbeat_ns, 0, "With --watch: delay between signs of life (1m)"),
	FG_NUMBER("parallel", "N", parallel, 1, UINT32_MAX, "Maximum number of probes in flight"),
	FG_FLAG("fail-fast", fail_fast,
		"Stop at the first probe that does not meet its expectation", FG_COMMON),
	FG_FLAG("strict", strict, "Report a probe that cannot be sent as a failure"),
	FG_FLAG("force", force,
		"Send a probe even if a socket of its pod uses its source port or its connection"),
	FG_FLAG("await", await,
		"Await what another node sends by this file and --seed; senders are ip:ADDR"),
	FG_FLAG("node-only", node_only,
		"Follow packets on this node alone, where one kernel has several (as kind does)"),
	FG_FLAG("allow-exec", allow_exec, "Let the files run commands of this host", FG_COMMON),
	FG_FLAG("validate", validate, "Only check the files, on any machine and without privileges",
		FG_COMMON),
	FG_FLAG("list", list, "Only list the probes of the files, and what is expected"),
	FG_DURATION("timeout", timeout_ns, 0,
		    "Wait this long for a packet's outcome (as the files say)"),
	FG_NUMBER("seed", "N", seed, 0, UINT64_MAX, "Seed for the random fields", FG_GIVEN(seeded)),
	FG_OPTION_HOST_ROOT(host_root),
	FG_OPTION_RING_SIZE(ring_bytes),

	FG_HEADING("Results:"),
	FG_OPTION_OUTPUT_OF(output, "json|text|wide|oneline|tap|junit", fg_option_all_forms,
			    "The format on standard output", FG_GIVEN(output_given)),
	FG_TEXT("json", "FILE", paths[FG_WRITER_JSON], "Also write JSON to a file"),
	FG_TEXT("tap", "FILE", paths[FG_WRITER_TAP], "Also write TAP to a file"),
	FG_TEXT("junit", "FILE", paths[FG_WRITER_JUNIT], "Also write JUnit XML to a file",
		FG_COMMON),
	FG_TEXT("metrics", "FILE", paths[FG_WRITER_METRICS], "Also write metrics (OpenMetrics)"),
	FG_TEXT("report", "FILE", paths[FG_WRITER_HTML],
		"Draw the matrices in one self-contained HTML file", FG_COMMON),
	FG_FLAG("record", record,
		"Print the scenario with the observed results in place of its expectations",
		FG_COMMON),
};

static int settle_outline(const struct fg_run_command *o, struct fg_error *err)
{
	bool file = false;

	for (int form = 0; form < FG_WRITER_FORMS; form++)
		file |= o->paths[form] != NULL;
	if (o->list && o->validate)
		return fg_fail(err, FG_ERR_USAGE, "--list and --validate exclude each other");
	if (file || o->output_given || o->record || o->watch || o->repeat > 1)
		return fg_fail(err, FG_ERR_USAGE,
			       "--%s sends nothing: not with --output, a report, --record, "
			       "--watch or --repeat",
			       o->list ? "list" : "validate");
	return 0;
}

static int settle(const struct fg_run_command *o, struct fg_error *err)
{
	if (!o->file_count) {
		fg_fail(err, FG_ERR_USAGE, "no scenario given");
		return fg_hint(err, "flowgen run FILE...; flowgen-scenario(5) describes the files");
	}
	if (o->await && o->repeat > 1)
		return fg_fail(err, FG_ERR_USAGE, "--await: not with --repeat");
	if (o->list || o->validate)
		return settle_outline(o, err);
	if (o->record && (o->output_given || o->watch || o->repeat > 1))
		return fg_fail(err, FG_ERR_USAGE,
			       "--record prints the scenario, once: not with --output, "
			       "--watch or --repeat");
	if (o->record && o->file_count > 1)
		return fg_fail(err, FG_ERR_USAGE, "--record takes one file");
	if (o->watch && o->repeat > 1)
		return fg_fail(err, FG_ERR_USAGE, "--watch and --repeat exclude each other");
	if (o->watch &&
	    (o->output == FG_FORM_TAP || o->output == FG_FORM_JUNIT || o->paths[FG_WRITER_TAP] ||
	     o->paths[FG_WRITER_JUNIT] || o->paths[FG_WRITER_HTML] || o->paths[FG_WRITER_METRICS]))
		return fg_fail(err, FG_ERR_USAGE,
			       "--watch never ends: not with TAP, JUnit, metrics or a report");
	return 0;
}

static int run(const struct fg_verb *verb, int argc, char **argv)
{
	struct fg_run_command options = { .output = fg_cmd_form(),
					  .repeat = 1,
					  .interval_ns = 1000000000ULL,
					  .heartbeat_ns = 60000000000ULL,
					  .host_root = "" };
	struct fg_error err;
	int status = fg_cmd_read(verb, argc, argv, &options);

	if (!status)
		status = settle(&options, &err)		    ? fg_cmd_fail(&err)
			 : options.list || options.validate ? fg_run_outline(&options)
							    : fg_run_files(&options);
	for (size_t i = 0; i < options.file_count; i++)
		free(options.files[i]);
	free(options.files);
	free(options.settings);
	return status;
}

const struct fg_verb fg_verb_run = {
	.name = "run",
	.summary = "send the probes of scenario files, and report what is not as expected",
	.about = "Send the probes of scenarios, and compare results with expectations. A FILE is "
		 "YAML "
		 "or JSON, - is standard input, DIR has its files *.yaml and *.yml; "
		 "flowgen-scenario(5) describes it.",
	.end = "Exit status: 0 all as expected, 1 not as expected, 2 wrong usage or an error in a "
	       "file, 3 no probe could be sent on this host, 4 inconclusive or interrupted, 5 "
	       "internal error.",
	.options = table,
	.option_count = COUNT(table),
	.run = run,
};
