// SPDX-License-Identifier: GPL-2.0-only
/* run_round.c - the rounds of a run: all blocks, window after window. */
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "run_loop.h"

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* On a terminal only, and only where no result is drawn between. */
static void show_progress(struct fg_runner *run, bool end)
{
	uint64_t done = fg_case_done(&run->counts), planned = run->counts.planned;
	int width = planned ? (int)(done * 30 / planned) : 0;

	if (!isatty(STDERR_FILENO) || run->options->watch || (end && !run->progress))
		return;
	run->progress = !end;
	if (end)
		fputs("\r\033[K", stderr);
	else
		fprintf(stderr, "\r[%.*s%*s] %llu of %llu", width, "##############################",
			30 - width, "", (unsigned long long)done, (unsigned long long)planned);
}

static int flush(struct fg_runner *run, struct fg_error *err)
{
	int ret;

	if (!run->entry_count)
		return 0;
	show_progress(run, true);
	ret = fg_run_window(run, err);
	show_progress(run, false);
	return ret;
}

static int add_entry(struct fg_runner *run, size_t file, struct fg_scenario_block *b,
		     uint64_t index, struct fg_error *err)
{
	const struct fg_block_state *state =
		&run->files[file].blocks[b - run->files[file].layout.blocks];
	/* Fragments take places of their own in the window, so such a probe goes alone. */
	bool alone = state->packet && state->packet->fragment_size;

	if (alone && flush(run, err))
		return -1;
	run->entries[run->entry_count++] = (struct fg_run_entry){
		.file = file, .block = b, .index = index, .number = ++run->next_number
	};
	return alone || run->entry_count == run->room ? flush(run, err) : 0;
}

static bool over(const struct fg_runner *run)
{
	return run->stopped || fg_run_cancelled(run);
}

static int run_block(struct fg_runner *run, size_t f, struct fg_scenario_block *b,
		     struct fg_error *err)
{
	if (fg_run_prepare_block(run, &run->files[f], b, err))
		return -1;
	for (uint64_t i = 0; i < b->total && !run->stopped; i++) {
		if (add_entry(run, f, b, i, err))
			return -1;
		if (!run->entry_count && over(run))
			break;
	}
	return 0;
}

static int run_round(struct fg_runner *run, struct fg_error *err)
{
	if (run->options->watch) {
		struct fg_case_counts fresh = { .planned = run->counts.planned };

		run->counts = fresh;
		for (size_t f = 0; f < run->file_count; f++)
			run->files[f].counts = (struct fg_case_counts){};
	}
	/* The pods have gone on since. */
	fg_run_guards_close(run);
	if (fg_run_renew(run, err))
		return -1;
	for (size_t f = 0; f < run->file_count; f++)
		for (size_t i = 0; i < run->files[f].layout.count; i++) {
			if (run->files[f].blocks[i].left_out)
				continue;
			if (over(run))
				return 0;
			if (run_block(run, f, &run->files[f].layout.blocks[i], err))
				return -1;
		}
	return over(run) ? 0 : flush(run, err);
}

/* Until the next round of a watch, or a signal. */
static void wait_interval(const struct fg_runner *run)
{
	uint64_t now = now_ns(), end = now + run->options->interval_ns;
	struct pollfd p = { .fd = run->signals, .events = POLLIN };

	while (now < end) {
		uint64_t wait = fg_session_idle(run->session, end) - now;
		const struct timespec ts = { .tv_sec = (time_t)(wait / 1000000000ULL),
					     .tv_nsec = (long)(wait % 1000000000ULL) };

		if (ppoll(&p, 1, &ts, NULL))
			return;
		now = now_ns();
	}
}

int fg_run_rounds(struct fg_runner *run, struct fg_error *err)
{
	uint64_t started = now_ns(), complete = 0;
	int ret = 0;

	for (run->round = 1; !ret; run->round++) {
		if (!run->options->watch && run->round > run->options->repeat)
			break;
		ret = run_round(run, err);
		if (ret || over(run))
			break;
		complete++;
		if (run->options->watch)
			wait_interval(run);
		if (over(run))
			break;
	}
	show_progress(run, true);
	run->counts.duration_ns = now_ns() - started;
	/* A watch is ended by a signal and by nothing else: that is no interruption once it has
	 * seen all. */
	run->counts.interrupted = fg_run_cancelled(run) && !(run->options->watch && complete) &&
				  fg_case_done(&run->counts) < run->counts.planned;
	for (size_t f = 0; f < run->file_count; f++)
		run->files[f].counts.interrupted = run->counts.interrupted;
	return ret;
}
