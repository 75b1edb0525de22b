// SPDX-License-Identifier: GPL-2.0-only
/* check.c - `flowgen check`: what this kernel and these privileges allow. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "capability.h"
#include "cmd.h"
#include "names.h"
#include "output.h"

struct options {
	bool json;
};

enum { KEY_OUTPUT = 256 };

static const struct argp_option option_list[] = {
	{ "output", KEY_OUTPUT, "json|text", 0, "Form of the answer (text)", 0 }, {}
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	if (key != KEY_OUTPUT)
		return ARGP_ERR_UNKNOWN;
	options->json = !strcmp(arg, "json");
	if (!options->json && strcmp(arg, "text") != 0)
		return fg_cmd_refuse_text(state, "--output: '%s' is not one of json, text", arg);
	return 0;
}

static const struct argp parser = {
	.options = option_list,
	.parser = parse,
	.doc = "Say what this kernel and these privileges allow, found by trying it: which methods of "
	       "injection work, and what is missing for the others. Nothing that is tried stays behind."
	       "\vExit status: 0 when a method works, 3 when none does.",
};

/* --- JSON: doc/check.schema.json ------------------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static json_t *features_json(const struct fg_capabilities *all, int first, int end)
{
	json_t *object = json_object();

	for (int i = first; i < end; i++) {
		const struct fg_capability *c = &all->list[i];

		json_object_set_new(object, c->name,
				    json_pack("{s:b, s:o, s:s}", "works", (int)c->works, "why",
					      text_or_null(c->why), "needed_to", c->need));
	}
	return object;
}

static json_t *methods_json(const struct fg_capabilities *all)
{
	json_t *object = json_object();

	for (int i = 0; i < FG_METHODS; i++) {
		const struct fg_method_support *m = &all->methods[i];

		json_object_set_new(object, fg_method_name(m->method),
				    json_pack("{s:b, s:o}", "works", (int)m->works, "missing",
					      text_or_null(m->missing)));
	}
	return object;
}

static char *render_json(const struct fg_capabilities *all, const struct utsname *host)
{
	json_t *root = json_pack("{s:s, s:s, s:{s:s, s:s}, s:b, s:o, s:o, s:o}", "schema",
				 "flowgen.check/1", "version", FLOWGEN_VERSION, "kernel", "release",
				 host->release, "machine", host->machine, "works",
				 (int)fg_capability_any_method(all), "methods", methods_json(all),
				 "privileges", features_json(all, 0, FG_FEATURE_PRIVILEGES),
				 "features",
				 features_json(all, FG_FEATURE_PRIVILEGES, FG_FEATURES));
	char *line = root ? json_dumps(root, JSON_COMPACT) : NULL, *text = NULL;

	json_decref(root);
	if (line && asprintf(&text, "%s\n", line) < 0)
		text = NULL;
	free(line);
	return text;
}

/* --- text -------------------------------------------------------------------------------------------------------- */

static void print_features(FILE *out, const struct fg_capabilities *all, int first, int end)
{
	for (int i = first; i < end; i++) {
		const struct fg_capability *c = &all->list[i];

		fprintf(out, "  %-19s %-3s  to %s\n", c->name, c->works ? "yes" : "no", c->need);
		if (!c->works)
			fprintf(out, "  %-19s      %s\n", "", c->why);
	}
}

static char *render_text(const struct fg_capabilities *all, const struct utsname *host)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fprintf(out, "flowgen %s on Linux %s (%s)\n\nMethods\n", FLOWGEN_VERSION, host->release,
		host->machine);
	for (int i = 0; i < FG_METHODS; i++) {
		const struct fg_method_support *m = &all->methods[i];

		if (m->works)
			fprintf(out, "  %-19s yes\n", fg_method_name(m->method));
		else
			fprintf(out, "  %-19s no   missing: %s\n", fg_method_name(m->method),
				m->missing);
	}
	fputs("\nPrivileges\n", out);
	print_features(out, all, 0, FG_FEATURE_PRIVILEGES);
	fputs("\nKernel\n", out);
	print_features(out, all, FG_FEATURE_PRIVILEGES, FG_FEATURES);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

int fg_cmd_check(int argc, char **argv)
{
	struct options options = {};
	struct fg_capabilities all;
	struct utsname host = {};
	struct fg_error err;
	char *text;
	int failed, status = fg_cmd_parse(&parser, argc, argv, &options);

	if (status)
		return status;
	uname(&host);
	fg_capability_probe(&all);
	text = options.json ? render_json(&all, &host) : render_text(&all, &host);
	if (!text) {
		fg_fail(&err, FG_ERR_INTERNAL, "check: out of memory");
		return fg_cmd_fail(&err);
	}
	failed = fg_output_string(text, &err);
	free(text);
	if (failed)
		return fg_cmd_fail(&err);
	return fg_capability_any_method(&all) ? FG_EXIT_OK : fg_cmd_status(FG_ERR_UNSUPPORTED);
}
