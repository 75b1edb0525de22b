// SPDX-License-Identifier: GPL-2.0-only
/* run/engine.c - a run from its first round to its end. */
#include <errno.h>
#include <stdlib.h>

#include "run/internal.h"
#include "timing/timing.h"

static uint64_t now(const struct fg_run *run)
{
	return run->session->ops->now(run->session->self);
}

static bool cancelled(const struct fg_run *run)
{
	return run->session->ops->cancelled(run->session->self);
}

/* Whatever ends a run before its source does. */
static bool over(const struct fg_run *run)
{
	return run->stopped || run->totals->until.met || cancelled(run) || now(run) >= run->end_ns;
}

static void show_progress(struct fg_run *run, bool shown)
{
	const struct fg_run_ui *ui = &run->options->ui;

	run->progress.done = run->done;
	run->progress.planned = run->totals->counts.planned;
	if (ui->progress)
		ui->progress(ui->arg, shown ? &run->progress : NULL);
}

static int run_window(struct fg_run *run, uint32_t count, struct fg_error *err)
{
	int ret;

	show_progress(run, false);
	ret = fg_run_window(run, count, err);
	show_progress(run, true);
	return ret;
}

static int wait_until(const struct fg_run *run, uint64_t at_ns, struct fg_error *err)
{
	return run->session->ops->wait(run->session->self, at_ns, err);
}

/* How many probes are asked for now: the session may want to begin with a few. */
static uint32_t room_now(const struct fg_run *run)
{
	const struct fg_run_session *s = run->session;
	uint64_t planned = run->totals->counts.planned, left = UINT64_MAX;
	uint32_t most;

	if (!s->ops->at_once)
		return run->room;
	if (planned != UINT64_MAX)
		left = planned > run->done ? planned - run->done : 0;
	most = s->ops->at_once(s->self, left);
	return most < run->room ? most : run->room;
}

/* Returns 1 if the source says that the round is over, 0 if something else ended it, or -1.
 */
static int run_round(struct fg_run *run, struct fg_error *err)
{
	struct fg_run_source *source = run->source;

	if (run->options->watch) {
		run->totals->counts =
			(struct fg_case_counts){ .planned = run->totals->counts.planned };
		run->done = 0;
	}
	run->session->ops->forget_flows(run->session->self);
	if (source->ops->begin(source, run->round, now(run), err))
		return -1;
	while (!over(run)) {
		uint64_t due = UINT64_MAX;
		int n;

		for (uint32_t i = 0; i < run->room + source->beside; i++)
			run->items[i] = (struct fg_run_item){};
		n = source->ops->fill(source, run->items, room_now(run), now(run), &due, err);
		if (n < 0 || (n && run_window(run, (uint32_t)n, err)))
			return -1;
		if (n)
			continue;
		if (due == UINT64_MAX)
			return 1;
		if (wait_until(run, due < run->end_ns ? due : run->end_ns, err))
			return -1;
	}
	return 0;
}

static void beat(struct fg_run *run)
{
	const struct fg_run_options *o = run->options;
	char time[FG_ORIGIN_TIME_LEN];
	const struct fg_run_beat b = { .time = fg_origin_time(fg_run_origin(), now(run), time),
				       .round = run->round,
				       .changes = run->changes,
				       .counts = &run->totals->counts,
				       .due = o->heartbeat_ns && now(run) >= run->beat_ns };

	if (b.due)
		run->beat_ns = now(run) + o->heartbeat_ns;
	if (o->ui.beat)
		o->ui.beat(o->ui.arg, &b);
}

static int wait_interval(struct fg_run *run, struct fg_error *err)
{
	uint64_t end = now(run) + run->options->interval_ns;

	beat(run);
	while (!over(run) && now(run) < end) {
		bool beats = run->options->heartbeat_ns && run->beat_ns < end;

		if (wait_until(run, beats ? run->beat_ns : end, err))
			return -1;
		if (beats && now(run) >= run->beat_ns)
			beat(run);
	}
	return 0;
}

static int run_rounds(struct fg_run *run, struct fg_error *err)
{
	const struct fg_run_options *o = run->options;
	struct fg_run_totals *t = run->totals;
	uint64_t complete = 0;
	int ret = 0;

	for (run->round = 1; ret >= 0; run->round++) {
		ret = run_round(run, err);
		if (ret <= 0)
			break;
		complete++;
		if (!o->watch && complete == run->rounds)
			break;
		if (o->watch)
			ret = wait_interval(run, err);
		if (over(run))
			break;
	}
	show_progress(run, false);
	t->counts.duration_ns = now(run) - run->started_ns;
	t->cancelled = cancelled(run);
	/*
	 * If nobody said how many, a signal is the end that was meant, and so it is for a watch
	 * that has seen all once.
	 */
	t->counts.interrupted = t->cancelled && !o->endless && complete < run->rounds &&
				run->done < t->counts.planned;
	return ret < 0 ? -1 : 0;
}

static int begin_writers(struct fg_run *run, struct fg_error *err)
{
	for (size_t i = 0; i < run->options->writer_count; i++) {
		struct fg_run_writer *w = run->options->writers[i];

		if (w->ops->begin && w->ops->begin(w, err))
			return -1;
	}
	return 0;
}

static int end_writers(struct fg_run *run, struct fg_error *err)
{
	int ret = 0;

	if (run->source->ops->end)
		run->source->ops->end(run->source, &run->totals->counts);
	/* The first failure is reported; the others end too. */
	for (size_t i = 0; i < run->options->writer_count; i++) {
		struct fg_run_writer *w = run->options->writers[i];

		if (w->ops->end && w->ops->end(w, run->totals, ret ? NULL : err))
			ret = -1;
	}
	return ret;
}

static int prepare(struct fg_run *run, struct fg_error *err)
{
	const struct fg_run_options *o = run->options;
	struct fg_run_source *source = run->source;
	uint32_t room;

	run->rounds = o->watch || !o->rounds ? 1 : o->rounds;
	if (source->ops->open(source, run, err))
		return -1;
	fg_timing_phase("interception and tracing");
	if (__builtin_mul_overflow(source->planned, run->rounds, &run->totals->counts.planned))
		run->totals->counts.planned = UINT64_MAX;
	run->session->ops->window(run->session->self, &room);
	run->room = room > source->beside ? room - source->beside : 1;
	if (source->at_once && source->at_once < run->room)
		run->room = source->at_once;
	if (o->parallel && o->parallel < run->room)
		run->room = (uint32_t)o->parallel;
	run->items = calloc(run->room + source->beside, sizeof(*run->items));
	if (!run->items)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "window");
	if (begin_writers(run, err) || fg_run_look_ahead(run, err))
		return -1;
	fg_timing_phase("live connections");
	if (run->session->ops->confine &&
	    run->session->ops->confine(run->session->self, o->files, err))
		return -1;
	fg_timing_phase("confinement");
	run->started_ns = now(run);
	run->beat_ns = run->started_ns + o->heartbeat_ns;
	run->end_ns = o->duration_ns ? run->started_ns + o->duration_ns : UINT64_MAX;
	return 0;
}

static bool nothing_judged(const struct fg_run_totals *totals)
{
	return totals->expecting && !totals->unjudged && !fg_case_done(&totals->counts);
}

int fg_run(const struct fg_run_options *options, struct fg_run_totals *totals, struct fg_error *err)
{
	struct fg_run run = { .options = options,
			      .session = options->session,
			      .source = options->source,
			      .totals = totals };
	int ret;

	*totals = (struct fg_run_totals){ .until.what = options->until,
					  .unjudged = options->unjudged,
					  .expecting = options->expecting };
	ret = prepare(&run, err);
	if (!ret) {
		ret = run_rounds(&run, err);
		if (end_writers(&run, ret ? NULL : err))
			ret = -1;
		fg_timing_phase("output");
		if (!ret && nothing_judged(totals))
			fg_run_ui_warn(&options->ui, "no packet was sent: nothing is known of what "
						     "is expected");
	}
	fg_run_pods_free(&run);
	free(run.items);
	return ret;
}

enum fg_run_conclusion fg_run_conclude(const struct fg_run_totals *totals)
{
	const struct fg_case_counts *c = &totals->counts;

	if (totals->until.what && !totals->until.met)
		return FG_RUN_UNEXPECTED;
	if (c->by_status[FG_CASE_FAIL] && !totals->unjudged)
		return FG_RUN_UNEXPECTED;
	if (c->interrupted || nothing_judged(totals) ||
	    (c->by_status[FG_CASE_INCONCLUSIVE] && !totals->unjudged))
		return FG_RUN_INCONCLUSIVE;
	if (c->by_status[FG_CASE_SKIP] && !c->by_status[FG_CASE_PASS] && !totals->unjudged)
		return FG_RUN_NOTHING_SENT;
	return FG_RUN_AS_EXPECTED;
}
