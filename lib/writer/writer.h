/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * writer/writer.h - the writers of a run (run/run.h): where its results go, and in which form. Each
 * is owned by whoever opens it (ops->close()).
 */
#ifndef FG_WRITER_H
#define FG_WRITER_H

#include <stdbool.h>
#include <stdio.h>

#include "run/run.h"

/* Where a writer writes: a file that it creates, or (path NULL) a stream that remains the caller's.
 */
struct fg_writer_target {
	const char *path;
	bool at_once; /* the file is there, and grows, while the run goes on; else it is there whole
		       */
	FILE *stream;
	/* text: how it is drawn; NULL: plain, and of each result that is not as expected all of it.
	 * Borrowed until the writer is closed. */
	const struct fg_report_options *style;
};

enum fg_writer_form {
	FG_WRITER_JSON,
	FG_WRITER_TEXT,
	FG_WRITER_TAP,
	FG_WRITER_JUNIT,
	FG_WRITER_HTML,
	FG_WRITER_ONELINE, /* text: a line for each, whatever it is */
	FG_WRITER_METRICS, /* of the whole run, at its end */
	FG_WRITER_FORMS
};

/* --- what a person at a terminal sees while a run goes on --- */

struct fg_writer_bar {
	FILE *stream;	    /* borrowed: a terminal */
	unsigned int width; /* its columns */
	bool drawn;
	bool terminal; /* else no more than a line when it is due is written to it */
	bool watch;    /* of a watch only what fg_writer_beat() draws is shown */
};

/*
 * A sign that a watch goes on: on a terminal one line that is drawn anew, else a line whenever it
 * is due. As struct fg_run_ui has it; arg: struct fg_writer_bar.
 */
void fg_writer_beat(void *arg, const struct fg_run_beat *beat);

/*
 * Draws how far the run has come over what was drawn before: "[####  ] 12 of 40, last denied,
 * dropped"; or takes it away (NULL). As struct fg_run_ui has it; arg: struct fg_writer_bar.
 */
void fg_writer_draw_bar(void *arg, const struct fg_run_progress *progress);

/* The functions below return an owned writer, or NULL. */

/* Results in this form. files NULL: they belong to none; then only JSON, text or lines. */
struct fg_run_writer *fg_writer_open(enum fg_writer_form form, struct fg_writer_target target,
				     const struct fg_run_views *files, struct fg_error *err);
/* One summary of all, as JSON or text. */
struct fg_run_writer *fg_writer_summary(enum fg_writer_form form, struct fg_writer_target target,
					struct fg_error *err);
/* The frames that were sent, as a pcap file. */
struct fg_run_writer *fg_writer_frames(const char *path, struct fg_error *err);
/* Statistics at the end, as ping prints them; always, or only if a signal ended the run. */
struct fg_run_writer *fg_writer_statistics(FILE *stream, bool always, struct fg_error *err);

#endif
