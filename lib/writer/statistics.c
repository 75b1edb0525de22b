// SPDX-License-Identifier: GPL-2.0-only
/* writer/statistics.c - statistics for a person at the end, as ping has them. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "probe/names.h"
#include "writer/internal.h"

struct writer {
	struct fg_run_writer writer;
	struct fg_writer_output out;
	bool always;
	uint64_t verdicts[FG_VERDICT_NONE + 1];
	uint64_t sent, unsent, refused, inconclusive;
	uint64_t timed, sum_ns, min_ns, max_ns; /* from the injection to the end */
};

static struct writer *self_of(struct fg_run_writer *writer)
{
	return (struct writer *)writer;
}

static void add_time(struct writer *w, uint64_t ns)
{
	w->min_ns = w->timed && w->min_ns < ns ? w->min_ns : ns;
	w->max_ns = w->max_ns > ns ? w->max_ns : ns;
	w->sum_ns += ns;
	w->timed++;
}

static int take(struct fg_run_writer *writer, const struct fg_run_answer *answer,
		struct fg_error *err)
{
	struct writer *w = self_of(writer);
	const struct fg_probe *probe = answer->c->probe;

	(void)err;
	if (!probe)
		return 0;
	if (probe->result.outcome == FG_OUTCOME_NOT_SENT) {
		w->refused++;
		return 0;
	}
	w->sent += !probe->trace.unsent;
	w->unsent += probe->trace.unsent;
	w->verdicts[probe->result.verdict]++;
	if (probe->result.outcome == FG_OUTCOME_INCONCLUSIVE)
		w->inconclusive++;
	else if (probe->result.end)
		add_time(w, probe->result.end->time_ns);
	return 0;
}

static const char *time_text(double ns, char buf[32])
{
	if (ns < 1e6)
		snprintf(buf, 32, "%.1f us", ns / 1e3);
	else if (ns < 1e9)
		snprintf(buf, 32, "%.2f ms", ns / 1e6);
	else
		snprintf(buf, 32, "%.3f s", ns / 1e9);
	return buf;
}

static void put_until(struct fg_buffer *out, const struct fg_run_until *u)
{
	const char *wanted = fg_expect_reached_name(u->what);
	char after[32], before[32];

	if (!u->met)
		fg_buffer_printf(out, "flowgen: never %s\n", wanted);
	else if (u->probes > 1)
		fg_buffer_printf(out, "flowgen: %s after %s, not yet at %s\n", wanted,
				 time_text((double)(u->met_ns - u->first_ns), after),
				 time_text((double)(u->previous_ns - u->first_ns), before));
	else
		fg_buffer_printf(out, "flowgen: %s from the first probe on\n", wanted);
}

static void put_counts(struct fg_buffer *out, const struct writer *w, uint64_t ns)
{
	char took[32], min[32], avg[32], max[32];

	fg_buffer_printf(out, "flowgen: %" PRIu64 " sent in %s (%.0f/s)", w->sent,
			 time_text((double)ns, took), ns ? (double)w->sent * 1e9 / (double)ns : 0);
	for (int v = FG_VERDICT_ALLOWED; v <= FG_VERDICT_NONE; v++)
		fg_buffer_printf(out, "%s %" PRIu64 " %s", v == FG_VERDICT_ALLOWED ? ":" : ",",
				 w->verdicts[v], fg_verdict_name((enum fg_verdict)v));
	fg_buffer_printf(out, ", %" PRIu64 " unknown, %" PRIu64 " inconclusive",
			 w->verdicts[FG_VERDICT_UNKNOWN], w->inconclusive);
	if (w->refused)
		fg_buffer_printf(out, ", %" PRIu64 " not sent", w->refused);
	if (w->unsent)
		fg_buffer_printf(out, ", %" PRIu64 " not taken by the kernel", w->unsent);
	fg_buffer_puts(out, "\n");
	if (w->timed)
		fg_buffer_printf(out, "flowgen: from injection to end min/avg/max %s / %s / %s\n",
				 time_text((double)w->min_ns, min),
				 time_text((double)w->sum_ns / (double)w->timed, avg),
				 time_text((double)w->max_ns, max));
}

/* What cannot be printed for a person is not a failure of the run. */
static int end(struct fg_run_writer *writer, const struct fg_run_totals *totals,
	       struct fg_error *err)
{
	struct writer *w = self_of(writer);

	(void)err;
	if (!w->always && !totals->cancelled)
		return 0;
	put_counts(&w->out.buffer, w, totals->counts.duration_ns);
	if (totals->counts.interrupted) {
		fg_buffer_puts(&w->out.buffer, "flowgen: interrupted");
		fg_case_put_unsent(&totals->counts, &w->out.buffer);
		fg_buffer_puts(&w->out.buffer, "\n");
	}
	if (totals->until.what)
		put_until(&w->out.buffer, &totals->until);
	fg_writer_output_flush(&w->out, NULL);
	return 0;
}

static void close_statistics(struct fg_run_writer *writer)
{
	fg_writer_output_free(&self_of(writer)->out);
	free(self_of(writer));
}

struct fg_run_writer *fg_writer_statistics(FILE *stream, bool always, struct fg_error *err)
{
	static const struct fg_run_writer_ops ops = { .take = take,
						      .end = end,
						      .close = close_statistics };
	struct writer *w = calloc(1, sizeof(*w));

	if (!w) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "statistics");
		return NULL;
	}
	w->writer.ops = &ops;
	w->out = (struct fg_writer_output){ .file = stream };
	w->always = always;
	return &w->writer;
}
