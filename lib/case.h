/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * case.h - one probe of a scenario with its result, and the reports of a run: JSON, text, TAP,
 * JUnit and HTML. Pure: everything is appended to a buffer; the caller writes it.
 */
#ifndef FG_CASE_H
#define FG_CASE_H

#include "buffer.h"
#include "report.h"
#include "scenario.h"

/* What a report shows of one probe. Everything is borrowed. */
struct fg_case {
	const struct fg_scenario *scenario;
	const struct fg_scenario_block *block;
	uint64_t number; /* from 1, over all scenarios and rounds of the run */
	uint64_t index;	 /* from 0, in the block */
	uint64_t round;	 /* from 1 */
	const char *name;
	enum fg_case_status status;
	const char *why;		/* "" for a pass */
	const struct fg_report *report; /* NULL: nothing was sent */
	const struct fg_probe *probe;
};

/* Counts over a run, or over one scenario of it. */
struct fg_case_counts {
	uint64_t by_status[FG_CASE_STATUSES];
	uint64_t planned; /* those that were to be sent */
	uint64_t lost;	  /* events */
	uint64_t duration_ns;
	bool interrupted;
};

void fg_case_count(struct fg_case_counts *counts, const struct fg_case *c);
uint64_t fg_case_done(const struct fg_case_counts *counts);

/* From injection to the end that was seen; 0: there is none. */
uint64_t fg_case_time_ns(const struct fg_case *c);

/* --- JSON: a line for each probe, and one for the run (doc/run.schema.json) --- */

/* All functions below append to out, and return 0, or -1 with FG_ERR_INTERNAL where memory is
 * short. */
int fg_case_json(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err);
int fg_case_json_end(const struct fg_case_counts *counts, struct fg_buffer *out,
		     struct fg_error *err);

/* --- text: what is not as expected in full, and a summary --- */

int fg_case_text(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err);
int fg_case_text_end(const struct fg_case_counts *counts, struct fg_buffer *out,
		     struct fg_error *err);

/* --- TAP 14. The plan stands at the end, so that what was interrupted is whole. --- */

int fg_tap_begin(struct fg_buffer *out, struct fg_error *err);
int fg_tap_case(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err);
int fg_tap_end(const struct fg_case_counts *counts, struct fg_buffer *out, struct fg_error *err);

/* --- JUnit XML: a suite for each scenario. The counts stand before the cases, which are spooled
 * until then. --- */

int fg_junit_begin(const struct fg_case_counts *all, struct fg_buffer *out, struct fg_error *err);
int fg_junit_suite(const struct fg_scenario *scenario, const struct fg_case_counts *counts,
		   struct fg_buffer *out, struct fg_error *err);
int fg_junit_case(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err);
int fg_junit_suite_end(struct fg_buffer *out, struct fg_error *err);
int fg_junit_end(struct fg_buffer *out, struct fg_error *err);

/* --- HTML: one file that needs nothing else. The matrices stand before the details, which are
 * spooled until then. --- */

/* What a cell of a picture shows: kept for each probe of the layout until the end. */
struct fg_case_mark {
	uint8_t status;	 /* enum fg_case_status, or FG_CASE_STATUSES: not run */
	uint8_t verdict; /* enum fg_verdict */
	uint8_t outcome; /* enum fg_outcome */
	bool detailed;	 /* there is a section with its number */
	uint64_t number;
};

int fg_html_begin(const struct fg_case_counts *all, struct fg_buffer *out, struct fg_error *err);
/* The pictures of one scenario; marks has one entry for each probe of the layout. */
int fg_html_scenario(const struct fg_scenario *scenario, const struct fg_scenario_layout *layout,
		     const struct fg_case_mark *marks, const struct fg_case_counts *counts,
		     struct fg_buffer *out, struct fg_error *err);
/* The section of one probe. */
int fg_html_case(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err);
int fg_html_end(struct fg_buffer *out, struct fg_error *err);

#endif
