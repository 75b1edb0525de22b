// SPDX-License-Identifier: GPL-2.0-only
/* writer/bar.c - how far a run has come, for a person at a terminal. */
#include <inttypes.h>

#include "probe/names.h"
#include "writer/internal.h"

#define BAR 30

static void put_counts(struct fg_buffer *out, const struct fg_run_progress *p)
{
	bool endless = p->planned == UINT64_MAX;

	if (endless)
		fg_buffer_printf(out, "%" PRIu64 " probe%s", p->done, p->done == 1 ? "" : "s");
	else
		fg_buffer_printf(out, "%" PRIu64 " of %" PRIu64, p->done, p->planned);
	if (p->judged)
		fg_buffer_printf(out, ", last %s, %s", fg_verdict_name(p->verdict),
				 fg_outcome_name(p->outcome));
}

static void put_bar(struct fg_buffer *out, const struct fg_run_progress *p)
{
	int width = p->planned ? (int)(p->done * BAR / p->planned) : 0;

	fg_buffer_printf(out, "[%.*s%*s] ", width, "##############################", BAR - width,
			 "");
}

/* A line that is wider than the terminal could not be taken away again. */
void fg_writer_draw_bar(void *arg, const struct fg_run_progress *progress)
{
	struct fg_writer_bar *bar = arg;
	struct fg_buffer counts = {}, line = {};

	if (bar->drawn)
		fputs("\r\033[K", bar->stream);
	bar->drawn = progress && !bar->watch;
	if (!bar->drawn)
		return;
	put_counts(&counts, progress);
	if (progress->planned != UINT64_MAX && counts.len + BAR + 3 < bar->width)
		put_bar(&line, progress);
	fg_buffer_put(&line, counts.data, counts.len);
	if (!counts.failed && !line.failed)
		fprintf(bar->stream, "%.*s",
			(int)(line.len < bar->width ? line.len : bar->width - 1), line.data);
	fg_buffer_free(&counts);
	fg_buffer_free(&line);
}

static void put_beat(struct fg_buffer *out, const struct fg_run_beat *beat)
{
	const uint64_t *n = beat->counts->by_status;

	fg_buffer_printf(out,
			 "%s: round %" PRIu64 ", %" PRIu64 " change%s: %" PRIu64
			 " as expected, %" PRIu64 " not",
			 beat->time, beat->round, beat->changes, beat->changes == 1 ? "" : "s",
			 n[FG_CASE_PASS], n[FG_CASE_FAIL]);
	if (n[FG_CASE_INCONCLUSIVE])
		fg_buffer_printf(out, ", %" PRIu64 " inconclusive", n[FG_CASE_INCONCLUSIVE]);
	if (n[FG_CASE_SKIP])
		fg_buffer_printf(out, ", %" PRIu64 " skipped", n[FG_CASE_SKIP]);
}

void fg_writer_beat(void *arg, const struct fg_run_beat *beat)
{
	struct fg_writer_bar *bar = arg;
	struct fg_buffer line = {};
	size_t len;

	if (!bar->terminal && !beat->due)
		return;
	put_beat(&line, beat);
	len = bar->terminal && line.len >= bar->width ? bar->width - 1 : line.len;
	if (!line.failed && bar->terminal)
		fprintf(bar->stream, "%s%.*s", bar->drawn ? "\r\033[K" : "", (int)len, line.data);
	else if (!line.failed)
		fprintf(bar->stream, "flowgen: %.*s\n", (int)len, line.data);
	bar->drawn = bar->terminal;
	fg_buffer_free(&line);
}
