// SPDX-License-Identifier: GPL-2.0-only
/* total.c - one report over all nodes: their results as cases, to the writers that `flowgen run`
 * has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kube/internal.h"

#define WHAT "report"

int fg_total_files(struct fg_total *t, size_t count, struct fg_error *err)
{
	t->cases = calloc(count + 1, sizeof(*t->cases));
	t->count = t->cases ? count : 0;
	return t->cases ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
}

static struct fg_run_scenario_view view_of(const void *self, size_t file)
{
	const struct fg_total *t = self;
	const struct fg_cases *c = &t->cases[file];

	return (struct fg_run_scenario_view){ &c->scenario, &c->layout, c->marks, &c->counts };
}

static int read_form(const char *word, enum fg_writer_form *form, struct fg_error *err)
{
	static const char *const words[] = { [FG_WRITER_JSON] = "json",
					     [FG_WRITER_TEXT] = "text",
					     [FG_WRITER_TAP] = "tap",
					     [FG_WRITER_JUNIT] = "junit" };

	*form = FG_WRITER_TEXT;
	if (!word)
		return 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		*form = (enum fg_writer_form)i;
		if (!strcmp(words[i], word))
			return 0;
	}
	return fg_fail(err, FG_ERR_USAGE,
		       "--output: over a cluster it is json, text, tap or junit");
}

static int add_writer(struct fg_total *t, enum fg_writer_form form, struct fg_writer_target target,
		      struct fg_error *err)
{
	const struct fg_run_views files = { t->count, view_of, t };
	struct fg_run_writer *w = fg_writer_open(form, target, &files, err);

	if (!w)
		return -1;
	t->writers[t->writer_count++] = w;
	return w->ops->begin ? w->ops->begin(w, err) : 0;
}

int fg_total_open(struct fg_total *t, const struct fg_total_options *options, struct fg_error *err)
{
	const struct fg_writer_target out = { .stream = options->out, .style = options->style };
	enum fg_writer_form form;

	t->run.counts.nodes = true;
	for (size_t i = 0; i < t->count; i++)
		t->run.counts.planned += t->cases[i].counts.planned;
	if (read_form(options->output, &form, err) ||
	    (!options->quiet && add_writer(t, form, out, err)))
		return -1;
	for (int i = 0; i < FG_WRITER_FORMS; i++) {
		const struct fg_writer_target file = { .path = options->paths[i] };

		if (file.path && add_writer(t, (enum fg_writer_form)i, file, err))
			return -1;
	}
	return 0;
}

static int write_result(struct fg_total *t, size_t file, const struct fg_cases_result *result,
			struct fg_error *err)
{
	const struct fg_run_answer answer = { .c = &result->c, .file = file, .told = true };

	fg_case_count(&t->run.counts, &result->c);
	for (size_t i = 0; i < t->writer_count; i++) {
		struct fg_run_writer *w = t->writers[i];

		if ((w->ops->take && w->ops->take(w, &answer, err)) ||
		    (w->ops->flush && w->ops->flush(w, err)))
			return -1;
	}
	return 0;
}

int fg_total_take(struct fg_total *t, size_t file, json_t *line, struct fg_error *err)
{
	const char *reason = json_string_value(json_object_get(line, "reason"));
	struct fg_cases_result result;
	int ret = fg_cases_take(&t->cases[file], line, ++t->number, &result, err);

	t->made_unknown |= reason && !strncmp(reason, "left node ", 10);
	if (!ret)
		ret = write_result(t, file, &result, err);
	fg_cases_result_free(&result);
	return ret;
}

int fg_total_miss(struct fg_total *t, size_t file, const char *node, const char *why,
		  struct fg_error *err)
{
	struct fg_cases_result result;
	int ret;

	do {
		ret = fg_cases_miss(&t->cases[file], node, why, t->number + 1, &result, err);
		t->number += ret > 0;
		if (ret > 0 && write_result(t, file, &result, err))
			ret = -1;
		fg_cases_result_free(&result);
	} while (ret > 0);
	return ret;
}

static uint64_t number_of(const json_t *value, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(value, key));

	return number > 0 ? (uint64_t)number : 0;
}

void fg_total_node(struct fg_total *t, const json_t *line)
{
	struct fg_case_counts *c = &t->run.counts;
	uint64_t duration = number_of(line, "duration_ns");

	c->losses.lost += number_of(line, "lost_events");
	c->losses.strays += number_of(line, "stray_events");
	/* Nodes run at the same time. */
	c->duration_ns = duration > c->duration_ns ? duration : c->duration_ns;
}

void fg_total_lose(struct fg_total *t, const char *node)
{
	/* A node is asked for each file. */
	if (!strcmp(t->lost, node))
		return;
	snprintf(t->lost, sizeof(t->lost), "%s", node);
	t->run.counts.lost_nodes++;
}

int fg_total_end(struct fg_total *t, bool interrupted, struct fg_error *err)
{
	t->run.counts.interrupted = interrupted;
	for (size_t i = 0; i < t->count; i++)
		t->cases[i].counts.interrupted = interrupted;
	for (size_t i = 0; i < t->writer_count; i++) {
		struct fg_run_writer *w = t->writers[i];

		if (w->ops->end && w->ops->end(w, &t->run, err))
			return -1;
	}
	return 0;
}

int fg_total_status(const struct fg_total *t)
{
	const struct fg_case_counts *c = &t->run.counts;

	if (c->by_status[FG_CASE_FAIL])
		return 1;
	return c->by_status[FG_CASE_INCONCLUSIVE] || c->lost_nodes ? 4 : 0;
}

void fg_total_close(struct fg_total *t)
{
	for (size_t i = 0; i < t->writer_count; i++)
		t->writers[i]->ops->close(t->writers[i]);
	for (size_t i = 0; i < t->count; i++)
		fg_cases_free(&t->cases[i]);
	free(t->cases);
	*t = (struct fg_total){};
}
