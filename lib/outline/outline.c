// SPDX-License-Identifier: GPL-2.0-only
#include "outline/outline.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/grow.h"
#include "base/markup.h"

/* Any addresses will do: which ones a pod has decides what is sent, and not what is asked. */
static void stand_in(const struct fg_scenario_pods *pods, struct fg_scenario_member *m,
		     struct fg_scenario_found *found)
{
	*m = (struct fg_scenario_member){ .label = pods->name,
					  .pod = -1,
					  .v4 = { .family = AF_INET },
					  .v6 = { .family = AF_INET6 } };
	*found = (struct fg_scenario_found){ .members = m, .count = 1 };
}

/* Nothing in a file steers the terminal, or ends the line. */
static void put_word(struct fg_buffer *out, const char *text, char after)
{
	fg_markup_put_visible(out, text, strlen(text));
	fg_buffer_put(out, &after, 1);
}

static void put_block(const struct fg_scenario *s, const struct fg_scenario_block *b,
		      struct fg_buffer *out)
{
	char name[FG_SCENARIO_NAME_LEN];

	for (uint64_t i = 0; i < b->total; i++) {
		put_word(out, fg_scenario_probe_name(s, b, i, name, sizeof(name)), '\t');
		put_word(out, b->expect->text ? b->expect->text : "any", '\t');
		put_word(out, s->yaml.file, '\n');
	}
}

static int64_t put_layout(const struct fg_scenario *s, const struct fg_scenario_layout *layout,
			  const char *only, bool lines, struct fg_buffer *out, struct fg_error *err)
{
	FG_FREE bool *chosen = calloc(layout->count + 1, sizeof(*chosen));
	int64_t count = 0;

	if (!chosen)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", s->yaml.file);
	if (only)
		fg_scenario_choose(s, layout, only, chosen);
	for (size_t i = 0; i < layout->count; i++) {
		if (only && !chosen[i])
			continue;
		count += (int64_t)layout->blocks[i].total;
		if (lines)
			put_block(s, &layout->blocks[i], out);
	}
	if (out->failed)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", s->yaml.file);
	return count;
}

/* Their number, or -1. */
static int64_t put_probes(const struct fg_scenario *s, const char *only, bool lines,
			  struct fg_buffer *out, struct fg_error *err)
{
	FG_FREE struct fg_scenario_found *found = calloc(s->pod_count + 1, sizeof(*found));
	FG_FREE struct fg_scenario_member *members = calloc(s->pod_count + 1, sizeof(*members));
	struct fg_scenario_layout layout = {};
	int64_t count;

	if (!found || !members)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", s->yaml.file);
	for (size_t i = 0; i < s->pod_count; i++)
		stand_in(&s->pods[i], &members[i], &found[i]);
	count = fg_scenario_lay_out(s, found, &layout, err)
			? -1
			: put_layout(s, &layout, only, lines, out, err);
	fg_scenario_layout_free(&layout);
	return count;
}

int fg_outline(const struct fg_run_scenario_options *options, enum fg_outline_form form,
	       const struct fg_run_ui *ui, struct fg_buffer *out, struct fg_error *err)
{
	struct fg_run_scenarios *scenarios = fg_run_scenarios_open(options, ui, err);
	bool lines = form == FG_OUTLINE_PROBES;
	struct fg_run_views files;
	int64_t n = 0, sum = 0;

	if (!scenarios)
		return -1;
	files = fg_run_scenarios_views(scenarios);
	for (size_t i = 0; n >= 0 && i < files.count; i++) {
		const struct fg_scenario *s = files.view(files.self, i).scenario;

		n = put_probes(s, options->only, lines, out, err);
		sum += n;
		if (n >= 0 && !lines)
			fg_buffer_printf(out, "%s: valid, %" PRId64 " probe%s\n", s->yaml.file, n,
					 n == 1 ? "" : "s");
	}
	fg_run_scenarios_close(scenarios);
	if (n < 0)
		return -1;
	if (options->only && !sum)
		return fg_scenario_fail_only(options->only, err);
	return out->failed ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "files") : 0;
}

/* --- folders --- */

static int add(char *path, char ***files, size_t *count, struct fg_error *err)
{
	char **added = path ? FG_APPEND(*files, *count, "files", err) : NULL;

	if (added) {
		*added = path;
		return 0;
	}
	free(path);
	return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "files");
}

static int is_scenario(const struct dirent *entry)
{
	return !fnmatch("*.yaml", entry->d_name, FNM_PERIOD) ||
	       !fnmatch("*.yml", entry->d_name, FNM_PERIOD);
}

int fg_outline_add_path(const char *path, char ***files, size_t *count, struct fg_error *err)
{
	struct dirent **entries;
	struct stat st;
	int n, ret = 0;

	if (stat(path, &st) || !S_ISDIR(st.st_mode))
		return add(strdup(path), files, count, err);
	n = scandir(path, &entries, is_scenario, alphasort);
	if (n < 0)
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	for (int i = 0; i < n; i++) {
		char *file = NULL;

		if (!ret && asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0)
			file = NULL;
		ret = ret ? ret : add(file, files, count, err);
		free(entries[i]);
	}
	free(entries);
	return n ? ret : fg_fail(err, FG_ERR_USAGE, "%s: no file *.yaml or *.yml in it", path);
}
