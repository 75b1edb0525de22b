// SPDX-License-Identifier: GPL-2.0-only
/* writer/summary.c - one summary of all results. */
#include <errno.h>
#include <stdlib.h>

#include "writer/internal.h"

struct writer {
	struct fg_run_writer writer;
	enum fg_writer_form form; /* JSON or text */
	struct fg_writer_target target;
	struct fg_writer_output out;
	struct fg_summary *summary;
};

static struct writer *self_of(struct fg_run_writer *writer)
{
	return (struct writer *)writer;
}

static int begin(struct fg_run_writer *writer, struct fg_error *err)
{
	return fg_writer_output_open(&self_of(writer)->out, self_of(writer)->target, err);
}

/* It is about one pod and one list of programs. */
static int pod(struct fg_run_writer *writer, const struct fg_report *report, struct fg_error *err)
{
	struct writer *w = self_of(writer);

	if (!w->summary)
		w->summary = fg_summary_open(report, err);
	return w->summary ? 0 : -1;
}

static int take(struct fg_run_writer *writer, const struct fg_run_answer *answer,
		struct fg_error *err)
{
	return answer->told ? fg_summary_add(self_of(writer)->summary, answer->c->probe, err) : 0;
}

static int end(struct fg_run_writer *writer, const struct fg_run_totals *totals,
	       struct fg_error *err)
{
	struct writer *w = self_of(writer);
	const struct fg_summary_run about = { .duration_ns = totals->counts.duration_ns,
					      .planned = totals->counts.planned,
					      .done = fg_case_done(&totals->counts),
					      .interrupted = totals->counts.interrupted };

	if (!w->summary)
		return 0;
	if (w->form == FG_WRITER_JSON ? fg_summary_json(w->summary, &about, &w->out.buffer, err)
				      : fg_summary_text(w->summary, &about, &w->out.buffer, err))
		return -1;
	return fg_writer_output_end(&w->out, err);
}

static void close_summary(struct fg_run_writer *writer)
{
	struct writer *w = self_of(writer);

	fg_summary_close(w->summary);
	fg_writer_output_free(&w->out);
	free(w);
}

struct fg_run_writer *fg_writer_summary(enum fg_writer_form form, struct fg_writer_target target,
					struct fg_error *err)
{
	static const struct fg_run_writer_ops ops = {
		.begin = begin, .pod = pod, .take = take, .end = end, .close = close_summary
	};
	struct writer *w = calloc(1, sizeof(*w));

	if (!w) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "summary");
		return NULL;
	}
	w->writer.ops = &ops;
	w->form = form;
	w->target = target;
	return &w->writer;
}
