// SPDX-License-Identifier: GPL-2.0-only
/*
 * writer/forms.c - results one by one, in any form: JSON, text and TAP as they come; JUnit and
 * HTML at the end, since their counts and pictures come before them; metrics, which are sums.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/fd.h"
#include "suite/groups.h"
#include "suite/matrix.h"
#include "suite/metrics.h"
#include "writer/internal.h"

/* A run may leave out very many; these are named. */
#define SKIPS_MAX 20

struct forms {
	struct fg_run_writer writer;
	enum fg_writer_form form;
	struct fg_writer_target target;
	struct fg_writer_output out;
	struct fg_run_views files; /* view NULL: results are of none */
	FILE **spools;		   /* one for each scenario: what waits for the end; owned */
	struct fg_buffer skips;	   /* text: told at the end */
	uint64_t skip_count;
	struct fg_groups *groups; /* text: of what is not as expected; NULL: it is told one by one
				   */
	struct fg_metrics metrics;
	bool some_text;
};

static struct forms *self_of(struct fg_run_writer *writer)
{
	return (struct forms *)writer;
}

static bool is_spooled(enum fg_writer_form form)
{
	return form == FG_WRITER_JUNIT || form == FG_WRITER_HTML;
}

/* Of a scenario that a person reads once; whoever wants each result asks for it. */
static bool is_grouped(const struct forms *w)
{
	const struct fg_writer_target *t = &w->target;

	return w->form == FG_WRITER_TEXT && w->files.view && t->style && !t->style->verbose &&
	       !t->at_once;
}

/* In memory where there is no place for such files, as in a container with nothing but flowgen. */
static FILE *open_spool(void)
{
	FILE *file = tmpfile();
	FG_FD int fd = file ? -1 : memfd_create("flowgen", MFD_CLOEXEC);

	if (fd >= 0)
		file = fdopen(fd, "w+");
	if (fd >= 0 && file)
		fg_fd_take(&fd);
	return file;
}

static int begin(struct fg_run_writer *writer, struct fg_error *err)
{
	struct forms *w = self_of(writer);

	if (fg_writer_output_open(&w->out, w->target, err))
		return -1;
	if (w->form == FG_WRITER_TAP)
		return fg_tap_begin(fg_run_origin(), &w->out.buffer, err);
	if (is_grouped(w)) {
		w->groups = fg_groups_new(err);
		return w->groups ? 0 : -1;
	}
	if (!is_spooled(w->form))
		return 0;
	w->spools = calloc(w->files.count, sizeof(FILE *));
	if (!w->spools)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "output");
	for (size_t i = 0; i < w->files.count; i++) {
		w->spools[i] = open_spool();
		if (!w->spools[i])
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "temporary file");
	}
	return 0;
}

/* What waits for the counts that come before it. */
static int spool(struct forms *w, size_t file, struct fg_error *err)
{
	size_t len = w->out.buffer.len;

	w->out.buffer.len = 0;
	errno = 0;
	if (fwrite(w->out.buffer.data, 1, len, w->spools[file]) == len)
		return 0;
	return fg_fail_errno(err, FG_ERR_INTERNAL, errno ? errno : EIO, "temporary file");
}

static int put_text(struct forms *w, const struct fg_run_answer *answer, struct fg_error *err)
{
	const struct fg_case *c = answer->c;

	if (!c->scenario) {
		if (w->some_text)
			fg_buffer_puts(&w->out.buffer, "\n");
		w->some_text = true;
		return fg_report_text(c->report, c->probe, &w->out.buffer, err);
	}
	if (c->change && w->target.style)
		return fg_case_text_change(c, w->target.style, &w->out.buffer, err);
	if (c->status == FG_CASE_PASS && !answer->changed)
		return 0;
	if (c->status != FG_CASE_SKIP)
		return w->groups && !fg_groups_add(w->groups, c)
			       ? 0
			       : fg_case_text(c, &w->out.buffer, err);
	if (w->skip_count++ >= SKIPS_MAX)
		return 0;
	return fg_case_text(c, &w->skips, err);
}

static bool is_detailed(const struct forms *w, const struct fg_run_answer *answer)
{
	const struct fg_case *c = answer->c;

	return w->files.view(w->files.self, answer->file)
		.marks[c->block->first + c->index]
		.detailed;
}

static int take(struct fg_run_writer *writer, const struct fg_run_answer *answer,
		struct fg_error *err)
{
	struct forms *w = self_of(writer);
	const struct fg_case *c = answer->c;
	struct fg_buffer *out = &w->out.buffer;

	if (!answer->told)
		return 0;
	switch (w->form) {
	case FG_WRITER_JSON:
		return c->scenario ? fg_case_json(c, out, err)
				   : fg_report_json(c->report, c->probe, out, err);
	case FG_WRITER_TEXT:
		return put_text(w, answer, err);
	case FG_WRITER_ONELINE:
		return c->scenario ? fg_case_line(c, out, err)
				   : fg_report_line(c->report, c->probe, out, err);
	case FG_WRITER_TAP:
		return fg_tap_case(c, out, err);
	case FG_WRITER_JUNIT:
		return fg_junit_case(c, out, err) ? -1 : spool(w, answer->file, err);
	case FG_WRITER_HTML:
		if (!is_detailed(w, answer))
			return 0;
		return fg_html_case(c, out, err) ? -1 : spool(w, answer->file, err);
	case FG_WRITER_METRICS:
		return fg_metrics_add(&w->metrics, c, err);
	case FG_WRITER_FORMS:
		break;
	}
	return 0;
}

static int flush(struct fg_run_writer *writer, struct fg_error *err)
{
	return fg_writer_output_flush(&self_of(writer)->out, err);
}

/* Puts a spooled part after what is in the buffer. */
static int unspool(struct forms *w, size_t file, struct fg_error *err)
{
	FILE *from = w->spools[file];
	char block[65536];
	size_t n;

	if (fflush(from) || fseek(from, 0, SEEK_SET))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "temporary file");
	while ((n = fread(block, 1, sizeof(block), from)) > 0) {
		fg_buffer_put(&w->out.buffer, block, n);
		if (fg_writer_output_flush(&w->out, err))
			return -1;
	}
	return ferror(from) ? fg_fail_errno(err, FG_ERR_INTERNAL, EIO, "temporary file") : 0;
}

static int end_junit(struct forms *w, const struct fg_case_counts *counts, struct fg_error *err)
{
	struct fg_buffer *out = &w->out.buffer;

	if (fg_junit_begin(counts, fg_run_origin(), out, err))
		return -1;
	for (size_t i = 0; i < w->files.count; i++) {
		const struct fg_run_scenario_view f = w->files.view(w->files.self, i);

		if (fg_junit_suite(f.scenario, f.counts, fg_run_origin(), out, err) ||
		    unspool(w, i, err) || fg_junit_suite_end(out, err))
			return -1;
	}
	return fg_junit_end(out, err);
}

static int end_html(struct forms *w, const struct fg_case_counts *counts, struct fg_error *err)
{
	struct fg_buffer *out = &w->out.buffer;

	if (fg_html_begin(counts, fg_run_origin(), out, err))
		return -1;
	for (size_t i = 0; i < w->files.count; i++) {
		const struct fg_run_scenario_view f = w->files.view(w->files.self, i);

		if (fg_html_scenario(f.scenario, f.layout, f.marks, f.counts, out, err) ||
		    unspool(w, i, err))
			return -1;
	}
	return fg_html_end(out, err);
}

static int put_matrices(struct forms *w, struct fg_error *err)
{
	if (w->form != FG_WRITER_TEXT || !w->target.style || w->target.at_once)
		return 0;
	for (size_t i = 0; i < w->files.count; i++) {
		const struct fg_run_scenario_view f = w->files.view(w->files.self, i);

		if (fg_matrix_text(f.scenario, f.layout, f.marks, w->target.style, &w->out.buffer,
				   err))
			return -1;
	}
	return 0;
}

static int end_text(struct forms *w, const struct fg_case_counts *counts, struct fg_error *err)
{
	if (w->groups && fg_groups_text(w->groups, w->target.style, &w->out.buffer, err))
		return -1;
	if (put_matrices(w, err))
		return -1;
	fg_buffer_put(&w->out.buffer, w->skips.data, w->skips.len);
	if (w->skip_count > SKIPS_MAX)
		fg_buffer_printf(&w->out.buffer, "... and %llu more skipped\n",
				 (unsigned long long)(w->skip_count - SKIPS_MAX));
	return fg_case_text_end(counts, fg_run_origin(), &w->out.buffer, err);
}

static int put_end(struct forms *w, const struct fg_case_counts *counts, struct fg_error *err)
{
	switch (w->form) {
	case FG_WRITER_JSON:
		return fg_case_json_end(counts, fg_run_origin(), &w->out.buffer, err);
	case FG_WRITER_TEXT:
	case FG_WRITER_ONELINE:
		return end_text(w, counts, err);
	case FG_WRITER_TAP:
		return fg_tap_end(counts, &w->out.buffer, err);
	case FG_WRITER_JUNIT:
		return end_junit(w, counts, err);
	case FG_WRITER_HTML:
		return end_html(w, counts, err);
	case FG_WRITER_METRICS:
		return fg_metrics_put(&w->metrics, counts, fg_run_origin(), fg_clock_realtime(),
				      &w->out.buffer, err);
	case FG_WRITER_FORMS:
		break;
	}
	return 0;
}

static int end(struct fg_run_writer *writer, const struct fg_run_totals *totals,
	       struct fg_error *err)
{
	struct forms *w = self_of(writer);

	if (w->files.view && put_end(w, &totals->counts, err))
		return -1;
	return fg_writer_output_end(&w->out, err);
}

static void close_forms(struct fg_run_writer *writer)
{
	struct forms *w = self_of(writer);

	for (size_t i = 0; w->spools && i < w->files.count; i++)
		if (w->spools[i])
			fclose(w->spools[i]);
	free(w->spools);
	fg_writer_output_free(&w->out);
	fg_buffer_free(&w->skips);
	fg_groups_free(w->groups);
	fg_metrics_free(&w->metrics);
	free(w);
}

struct fg_run_writer *fg_writer_open(enum fg_writer_form form, struct fg_writer_target target,
				     const struct fg_run_views *files, struct fg_error *err)
{
	static const struct fg_run_writer_ops ops = {
		.begin = begin, .take = take, .flush = flush, .end = end, .close = close_forms
	};
	struct forms *w = calloc(1, sizeof(*w));

	if (!w) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "output");
		return NULL;
	}
	w->writer.ops = &ops;
	w->form = form;
	w->target = target;
	w->files = files ? *files : (struct fg_run_views){};
	return &w->writer;
}
