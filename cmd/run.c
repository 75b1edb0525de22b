// SPDX-License-Identifier: GPL-2.0-only
/* run.c - the command line of `flowgen run`. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "parse.h"

enum {
	KEY_SET = 0x100,
	KEY_ONLY,
	KEY_REPEAT,
	KEY_WATCH,
	KEY_INTERVAL,
	KEY_PARALLEL,
	KEY_FAIL_FAST,
	KEY_STRICT,
	KEY_FORCE,
	KEY_RECORD,
	KEY_OUTPUT,
	KEY_JSON,
	KEY_TAP,
	KEY_JUNIT,
	KEY_REPORT,
	KEY_TIMEOUT,
	KEY_SEED,
	KEY_HOST_ROOT,
	KEY_RING,
};

static const struct argp_option option_list[] = {
	{ NULL, 0, NULL, 0, "What is sent:", 1 },
	{ "set", KEY_SET, "VAR=VALUE", 0, "The value of one of the files' variables", 1 },
	{ "only", KEY_ONLY, "PATTERN", 0,
	  "Only the probes with this in their name (with * or ?: that are called so), and their controls",
	  1 },
	{ "repeat", KEY_REPEAT, "N", 0, "Send all of it so many times (1)", 1 },
	{ "watch", KEY_WATCH, NULL, 0, "Again and again until interrupted; tell what changes", 1 },
	{ "interval", KEY_INTERVAL, "TIME", 0, "With --watch: wait so long between two rounds (1s)",
	  1 },
	{ "parallel", KEY_PARALLEL, "N", 0, "Have at most so many probes on their way at a time",
	  1 },
	{ "fail-fast", KEY_FAIL_FAST, NULL, 0, "Stop when a probe is not as expected", 1 },
	{ "strict", KEY_STRICT, NULL, 0, "A probe that cannot be sent is a failure, not left out",
	  1 },
	{ "force", KEY_FORCE, NULL, 0, "Send also what a socket of the pod is using the ports of",
	  1 },
	{ "timeout", KEY_TIMEOUT, "TIME", 0,
	  "Wait so long for the end of a packet (as the files say)", 1 },
	{ "seed", KEY_SEED, "N", 0, "Make the random fields from this number", 1 },
	{ "host-root", KEY_HOST_ROOT, "DIR", 0, "Look for /run and /proc of the host below DIR",
	  1 },
	{ "ring-size", KEY_RING, "BYTES", 0, "Size of the event ring, a power of two (4194304)",
	  1 },
	{ NULL, 0, NULL, 0, "What comes back:", 2 },
	{ "output", KEY_OUTPUT, "json|text|tap|junit", 0, "The form on standard output (text)", 2 },
	{ "json", KEY_JSON, "FILE", 0, "Write JSON to a file as well", 2 },
	{ "tap", KEY_TAP, "FILE", 0, "Write TAP to a file as well", 2 },
	{ "junit", KEY_JUNIT, "FILE", 0, "Write JUnit XML to a file as well", 2 },
	{ "report", KEY_REPORT, "FILE", 0, "Write the matrices as pictures to an HTML file", 2 },
	{ "record", KEY_RECORD, NULL, 0,
	  "Print the scenario with what is seen now in place of what it expects", 2 },
	{},
};

static int read_form(const char *text, enum fg_run_form *out, struct fg_error *err)
{
	static const char *const words[] = { [FG_RUN_JSON] = "json",
					     [FG_RUN_TEXT] = "text",
					     [FG_RUN_TAP] = "tap",
					     [FG_RUN_JUNIT] = "junit" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		*out = (enum fg_run_form)i;
		return 0;
	}
	return fg_fail(err, FG_ERR_USAGE, "--output: \"%s\" is none of json, text, tap, junit",
		       text);
}

static int add_setting(struct fg_run_options *o, const char *text, struct fg_error *err)
{
	struct fg_scenario_setting *grown;

	if (!strchr(text, '=') || text[0] == '=')
		return fg_fail(err, FG_ERR_USAGE, "--set: \"%s\" is not VAR=VALUE", text);
	grown = reallocarray(o->settings, o->setting_count + 1, sizeof(*grown));
	if (!grown)
		return fg_fail(err, FG_ERR_INTERNAL, "out of memory");
	o->settings = grown;
	grown[o->setting_count++] = (struct fg_scenario_setting){ .text = text };
	return 0;
}

static int add_file(struct fg_run_options *o, const char *path, struct fg_error *err)
{
	const char **grown = reallocarray(o->files, o->file_count + 1, sizeof(*grown));

	if (!grown)
		return fg_fail(err, FG_ERR_INTERNAL, "out of memory");
	o->files = grown;
	grown[o->file_count++] = path;
	return 0;
}

static int read_ring(const char *text, uint32_t *out, struct fg_error *err)
{
	uint64_t n;

	if (fg_parse_u64("--ring-size", text, 4096, 1 << 30, &n, err))
		return -1;
	if (n & (n - 1))
		return fg_fail(err, FG_ERR_USAGE, "--ring-size: %s is no power of two", text);
	*out = (uint32_t)n;
	return 0;
}

static int read_option(struct fg_run_options *o, int key, const char *arg, struct fg_error *err)
{
	switch (key) {
	case KEY_SET:
		return add_setting(o, arg, err);
	case KEY_ONLY:
		o->only = arg;
		return 0;
	case KEY_REPEAT:
		return fg_parse_u64("--repeat", arg, 1, UINT32_MAX, &o->repeat, err);
	case KEY_INTERVAL:
		return fg_parse_duration("--interval", arg, &o->interval_ns, err);
	case KEY_PARALLEL:
		return fg_parse_u64("--parallel", arg, 1, UINT32_MAX, &o->parallel, err);
	case KEY_TIMEOUT:
		return fg_parse_duration("--timeout", arg, &o->timeout_ns, err);
	case KEY_SEED:
		o->seeded = true;
		return fg_parse_u64("--seed", arg, 0, UINT64_MAX, &o->seed, err);
	case KEY_HOST_ROOT:
		o->host_root = arg;
		return 0;
	case KEY_RING:
		return read_ring(arg, &o->ring_bytes, err);
	case KEY_OUTPUT:
		o->output_given = true;
		return read_form(arg, &o->output, err);
	case KEY_JSON:
		o->paths[FG_RUN_JSON] = arg;
		return 0;
	case KEY_TAP:
		o->paths[FG_RUN_TAP] = arg;
		return 0;
	case KEY_JUNIT:
		o->paths[FG_RUN_JUNIT] = arg;
		return 0;
	case KEY_REPORT:
		o->paths[FG_RUN_HTML] = arg;
		return 0;
	}
	return add_file(o, arg, err);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct fg_run_options *o = state->input;
	struct fg_error err;

	switch (key) {
	case KEY_WATCH:
		o->watch = true;
		return 0;
	case KEY_FAIL_FAST:
		o->fail_fast = true;
		return 0;
	case KEY_STRICT:
		o->strict = true;
		return 0;
	case KEY_FORCE:
		o->force = true;
		return 0;
	case KEY_RECORD:
		o->record = true;
		return 0;
	}
	if (key != ARGP_KEY_ARG && (key < KEY_SET || key > KEY_RING))
		return ARGP_ERR_UNKNOWN;
	return read_option(o, key, arg, &err) ? fg_cmd_refuse(state, &err) : 0;
}

static int settle(const struct fg_run_options *o, struct fg_error *err)
{
	if (!o->file_count) {
		fg_fail(err, FG_ERR_USAGE, "no scenario given");
		return fg_hint(err, "flowgen run FILE...; flowgen-scenario(5) describes the files");
	}
	if (o->record && (o->output_given || o->watch || o->repeat > 1))
		return fg_fail(err, FG_ERR_USAGE,
			       "--record prints the scenario, once: not with --output, "
			       "--watch or --repeat");
	if (o->record && o->file_count > 1)
		return fg_fail(err, FG_ERR_USAGE, "--record takes one file");
	if (o->watch && o->repeat > 1)
		return fg_fail(err, FG_ERR_USAGE, "--watch and --repeat exclude each other");
	if (o->watch && (o->output == FG_RUN_TAP || o->output == FG_RUN_JUNIT ||
			 o->paths[FG_RUN_TAP] || o->paths[FG_RUN_JUNIT] || o->paths[FG_RUN_HTML]))
		return fg_fail(err, FG_ERR_USAGE,
			       "--watch has no end that TAP, JUnit or a report could tell of: "
			       "json or text");
	return 0;
}

int fg_cmd_run(int argc, char **argv)
{
	static const struct argp parser = {
		.options = option_list,
		.parser = parse,
		.args_doc = "FILE...",
		.doc = "Send the probes of scenarios, and hold what becomes of them against what they expect. A "
		       "FILE is YAML or JSON, - is standard input; flowgen-scenario(5) describes it."
		       "\vExit status: 0 all as expected, 1 not as expected, 2 wrong usage or an error in a file, 3 "
		       "not one probe could be sent on this host, 4 inconclusive or interrupted, 5 internal error.",
	};
	struct fg_run_options options = {
		.output = FG_RUN_TEXT, .repeat = 1, .interval_ns = 1000000000ULL, .host_root = ""
	};
	struct fg_error err;
	int status = fg_cmd_parse(&parser, argc, argv, &options);

	if (!status)
		status = settle(&options, &err) ? fg_cmd_fail(&err) : fg_run(&options);
	free(options.files);
	free(options.settings);
	return status;
}
