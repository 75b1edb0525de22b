// SPDX-License-Identifier: GPL-2.0-only
/* run/scenarios.c - the scenario files of a run, from reading them to recording what was seen. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/nearest.h"
#include "net/outfile.h"
#include "reader/yaml.h"
#include "run/internal.h"

static int read_text(const char *path, struct fg_buffer *out, struct fg_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	FG_FILE FILE *opened = is_stdin ? NULL : fopen(path, "re");
	FILE *in = is_stdin ? stdin : opened;
	char block[65536];
	size_t n;

	if (!in)
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	while ((n = fread(block, 1, sizeof(block), in)) > 0 && out->len <= FG_YAML_SIZE_MAX)
		fg_buffer_put(out, block, n);
	if (ferror(in))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	return out->failed ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", path) : 0;
}

/* Until the other node sends. */
#define AWAIT_NS 30000000000ULL

static int parse(struct fg_scenario *scenario, const char *file, const struct fg_buffer *text,
		 const struct fg_run_scenario_options *o, struct fg_error *err)
{
	struct fg_buffer events = {};
	int ret;

	/* That is refused before it is looked at. */
	if (text->len > FG_YAML_SIZE_MAX)
		return fg_scenario_read(scenario, file, text->data, text->len, o->settings,
					o->setting_count, err);
	ret = fg_reader_yaml(file, text, &events, err);
	if (!ret)
		ret = fg_scenario_read_events(scenario, file, events.data, events.len, o->settings,
					      o->setting_count, err);
	if (!ret && o->record)
		ret = fg_yaml_keep(&scenario->yaml, text->data, text->len, events.data, events.len,
				   err);
	fg_buffer_free(&events);
	return ret;
}

/* The file's first command; NULL: it has none. */
static const struct fg_scenario_command *command_of(const struct fg_scenario *scenario)
{
	for (size_t i = 0; i < scenario->set_count; i++)
		if (scenario->sets[i].command)
			return scenario->sets[i].command;
	return NULL;
}

bool fg_run_scenarios_run_commands(const struct fg_run_scenarios *scenarios)
{
	for (size_t i = 0; i < scenarios->file_count; i++)
		if (command_of(&scenarios->files[i].scenario))
			return true;
	return false;
}

bool fg_run_scenarios_has_command(const void *self, const struct fg_scenario_command *command)
{
	const struct fg_run_scenarios *scenarios = self;

	for (size_t i = 0; command && i < scenarios->file_count; i++)
		for (size_t k = 0; k < scenarios->files[i].scenario.set_count; k++)
			if (scenarios->files[i].scenario.sets[k].command == command)
				return true;
	return false;
}

/* Who may write a scenario need not be who may run commands as root. */
static int refuse_command(const struct fg_scenario *scenario, struct fg_error *err)
{
	const struct fg_yaml_place *place =
		fg_yaml_place(&scenario->yaml, command_of(scenario)->node);

	fg_fail(err, FG_ERR_USAGE, "%s:%u:%u: exec: the file runs a command of this host",
		scenario->yaml.file, place->line, place->column);
	return fg_hint(err, "--allow-exec lets it, if you trust the file");
}

static int read_file(struct fg_run_scenarios *s, const char *path, const struct fg_run_ui *ui,
		     struct fg_error *err)
{
	const struct fg_run_scenario_options *o = s->options;
	struct fg_scenario *scenario = &s->files[s->file_count++].scenario;
	struct fg_buffer text = {};
	int ret = fg_outfile_input(path, err) ? -1 : read_text(path, &text, err);

	if (!ret)
		ret = parse(scenario, strcmp(path, "-") ? path : "standard input", &text, o, err);
	fg_buffer_free(&text);
	if (!ret && !o->commands && command_of(scenario))
		ret = refuse_command(scenario, err);
	if (!ret && scenario->warning[0])
		fg_run_ui_warn(ui, "%s", scenario->warning);
	return ret;
}

/* A --set that no file knows is a slip of the pen. */
static int check_settings(const struct fg_run_scenarios *s, struct fg_error *err)
{
	const struct fg_run_scenario_options *o = s->options;
	const char *names[64], *name, *nearest;
	char text[64];
	json_t *value;
	size_t n = 0;

	for (size_t i = 0; i < o->setting_count; i++) {
		if (o->settings[i].used)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(o->settings[i].text, "="),
			 o->settings[i].text);
		fg_fail(err, FG_ERR_USAGE, "--set %s: no file has this variable", text);
		for (size_t k = 0; k < s->file_count; k++)
			json_object_foreach (s->files[k].scenario.variables, name, value)
				if (n < 64)
					names[n++] = name;
		nearest = fg_nearest(text, names, n);
		return nearest ? fg_hint(err, "did you mean \"%s\"?", nearest) : -1;
	}
	return 0;
}

/* The user's, that of the first file that has one, or a random one. */
static int choose_seed(struct fg_run_scenarios *s, struct fg_error *err)
{
	s->seed = s->options->seed;
	if (s->options->seeded)
		return 0;
	for (size_t i = 0; i < s->file_count; i++)
		if (s->files[i].scenario.seeded) {
			s->seed = s->files[i].scenario.seed;
			return 0;
		}
	return fg_run_seed(&s->seed, err);
}

/* What somebody else sends is awaited once. */
static int check_options(const struct fg_run_scenario_options *o, struct fg_error *err)
{
	if (o->await && (o->watch || o->record || o->commands))
		return fg_fail(err, FG_ERR_USAGE,
			       "--await: not with --watch, --record or --allow-exec");
	if (o->await && !o->seeded)
		return fg_fail(err, FG_ERR_USAGE, "--await: no --seed given");
	if (o->blocks && (o->only || o->path_count > 1))
		return fg_fail(err, FG_ERR_USAGE, "--blocks: not with %s",
			       o->only ? "--only" : "several files");
	return 0;
}

struct fg_run_scenarios *fg_run_scenarios_open(const struct fg_run_scenario_options *options,
					       const struct fg_run_ui *ui, struct fg_error *err)
{
	struct fg_run_scenarios *s = calloc(1, sizeof(*s));
	int ret = check_options(options, err);

	/* The run begins here, also for the processes that are started for its commands. */
	fg_run_origin();
	if (s)
		s->files = calloc(options->path_count, sizeof(*s->files));
	if (!s || !s->files) {
		free(s);
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "files");
		return NULL;
	}
	s->options = options;
	for (size_t i = 0; (!ret || options->wrong) && i < options->path_count; i++) {
		struct fg_error one;

		if (!read_file(s, options->paths[i], ui, &one))
			continue;
		if (ret)
			options->wrong(err);
		*err = one;
		ret = -1;
	}
	if (!ret && !check_settings(s, err) && !choose_seed(s, err))
		return s;
	fg_run_scenarios_close(s);
	return NULL;
}

void fg_run_scenarios_needs(const struct fg_run_scenarios *scenarios,
			    struct fg_session_options *options)
{
	bool given = options->timeout_ns;

	if (!given && scenarios->options->await)
		options->timeout_ns = AWAIT_NS;

	for (size_t i = 0; i < scenarios->file_count; i++) {
		const struct fg_scenario *s = &scenarios->files[i].scenario;

		options->reply |= s->wants_reply;
		options->trace_netfilter |= s->trace_netfilter;
		if (!given && s->timeout_ns > options->timeout_ns)
			options->timeout_ns = s->timeout_ns;
	}
}

static struct fg_run_scenario_view view_of(const void *self, size_t file)
{
	const struct fg_run_scenarios *scenarios = self;
	const struct fg_run_file *f = &scenarios->files[file];

	return (struct fg_run_scenario_view){ &f->scenario, &f->layout, f->marks, &f->counts };
}

struct fg_run_views fg_run_scenarios_views(const struct fg_run_scenarios *scenarios)
{
	return (struct fg_run_views){ scenarios->file_count, view_of, scenarios };
}

char *fg_run_scenarios_record(const struct fg_run_scenarios *scenarios, const struct fg_run_ui *ui,
			      struct fg_error *err)
{
	const struct fg_run_file *f = &scenarios->files[0];
	const char *lost;
	char *text = fg_scenario_record(&f->scenario, &f->layout, f->seen, f->statuses, &lost, err);

	if (text && lost)
		fg_run_ui_warn(ui, FG_SCENARIO_LOST, lost);
	return text;
}

static void free_found(struct fg_run_file *file)
{
	for (size_t i = 0; file->found && i < file->scenario.pod_count; i++) {
		for (size_t k = 0; k < file->found[i].count; k++) {
			free(file->found[i].members[k].label);
			free(file->found[i].members[k].owned);
		}
		free(file->found[i].members);
	}
	free(file->found);
}

void fg_run_scenarios_close(struct fg_run_scenarios *scenarios)
{
	if (!scenarios)
		return;
	for (size_t i = 0; i < scenarios->file_count; i++) {
		struct fg_run_file *f = &scenarios->files[i];

		free_found(f);
		fg_scenario_layout_free(&f->layout);
		fg_scenario_free(&f->scenario);
		free(f->marks);
		free(f->blocks);
		free(f->ranges);
		free(f->seen);
		free(f->statuses);
	}
	for (struct fg_run_packet *p = scenarios->packets, *next; p; p = next) {
		next = p->next;
		free(p);
	}
	fg_changes_free(scenarios->changes);
	free(scenarios->known);
	free(scenarios->files);
	free(scenarios);
}
