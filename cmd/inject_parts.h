/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inject_parts.h - what a run of `flowgen inject` is made of: where probes come from, and where
 * results go.
 */
#ifndef FG_INJECT_PARTS_H
#define FG_INJECT_PARTS_H

#include "buffer.h"
#include "capture.h"
#include "inject.h"
#include "pace.h"
#include "plan.h"
#include "pod.h"
#include "report.h"

uint64_t fg_inject_now(void); /* CLOCK_MONOTONIC, nanoseconds */

/* --- the feed: probes of the plan, or packets of the capture, when they are due --- */

struct fg_feed {
	const struct fg_inject_options *options;
	struct fg_plan plan;
	struct fg_addr src4,
		src6; /* what packets of a capture are sent from; family 0: there is none */
	struct fg_pace pace;
	uint64_t next, total; /* probes given out, and to give out; UINT64_MAX: without end */
	/*
	 * Of the capture: the packet that is read next, and what those of the window are made of.
	 */
	struct fg_capture *capture;
	struct fg_captured ahead;
	bool has_ahead, at_end;
	uint64_t rounds; /* through the file, this one included */
	uint64_t first_ns, skipped;
	uint8_t *arena;
	size_t arena_size;
	struct fg_error failure; /* of the capture, told once what came before it has been sent */
};

/* Sets options and plan; pod is its number in the session. */
void fg_feed_plan(struct fg_feed *feed, const struct fg_inject_options *options, int pod);

/*
 * Sets the sources: the pod's own, or what the user asks for. pod NULL: it is not looked at.
 * Returns 0 or -1.
 */
int fg_feed_sources(struct fg_feed *feed, const struct fg_pod *pod, struct fg_error *err);

/*
 * options, plan and sources are set; the rest is empty. Opens the capture, and lets the time begin.
 * Returns 0 or -1.
 */
int fg_feed_begin(struct fg_feed *feed, struct fg_error *err);
void fg_feed_end(struct fg_feed *feed);

/*
 * Fills the specs of the probes that are due now, at most room; they are valid until the next
 * call. Returns how many, 0 where none is due
 * before *due_ns (UINT64_MAX: never again), or -1.
 */
int fg_feed_fill(struct fg_feed *feed, struct fg_probe *window, uint32_t room, uint64_t *due_ns,
		 struct fg_error *err);

/* --- the sink: results to standard output, frames to a file, and the sums for the end --- */

struct fg_tally {
	uint64_t verdicts[FG_VERDICT_NONE + 1];
	uint64_t sent, unsent, inconclusive;
	uint64_t timed, sum_ns, min_ns, max_ns; /* from the injection to the end */
};

struct fg_sink {
	const struct fg_inject_options *options;
	struct fg_report *report;
	struct fg_summary *summary;
	struct fg_capture_writer *writer;
	struct fg_buffer buffer;
	struct fg_tally tally;
	uint64_t started_ns, wall_offset_ns; /* of the wall clock to ours */
	uint64_t lost;
	bool unmet;	   /* a probe that concluded is not as expected */
	bool inconclusive; /* a probe did not conclude, or not on what was expected */
	bool some_text;
	/* --until */
	bool met;
	uint64_t first_ns, previous_ns, met_ns;
	enum fg_verdict verdict; /* of the probe that was told last */
	enum fg_outcome outcome;
	uint64_t told;
};

/*
 * Opens the report on the subject and what the options ask for. Returns 0 or -1; fg_sink_close() in
 * both cases.
 */
int fg_sink_open(struct fg_sink *sink, const struct fg_inject_options *options,
		 const struct fg_subject *subject, const struct fg_scene *scene,
		 struct fg_error *err);

/*
 * From now on the results are about this pod and scene. Not with a summary, which is about one.
 * Returns 0 or -1.
 */
int fg_sink_subject(struct fg_sink *sink, const struct fg_subject *subject,
		    const struct fg_scene *scene, struct fg_error *err);

/* Takes count judged probes, and writes what is to be seen of them. Returns 0 or -1. */
int fg_sink_take(struct fg_sink *sink, struct fg_probe *probes, uint32_t count,
		 struct fg_error *err);

/*
 * Writes the summaries: that of --summary to standard output, the other to standard error. Returns
 * 0 or -1.
 */
int fg_sink_finish(struct fg_sink *sink, bool interrupted, struct fg_error *err);
void fg_sink_close(struct fg_sink *sink);

/* The exit status that follows from the results. */
int fg_sink_status(const struct fg_sink *sink);

/*
 * Prints the summary that a person wants to see at the end of a run with a pace, to standard error.
 */
void fg_tally_print(const struct fg_sink *sink);

/* --- --dry-run --- */
int fg_inject_dry(struct fg_inject_options *options, struct fg_error *err, int *status);

#endif
