/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * suite/case.h - one probe of a scenario with its result, and the reports of a run: JSON, text,
 * TAP, JUnit and HTML. Pure: everything is appended to a buffer; the caller writes it.
 */
#ifndef FG_CASE_H
#define FG_CASE_H

#include "base/buffer.h"
#include "report/report.h"
#include "scenario/scenario.h"

/* A result that was judged elsewhere, on a node of a cluster: what is shown of it. Borrowed. */
struct fg_case_told {
	const char *headline;	       /* in one line */
	const char *text;	       /* of several lines; "": none */
	const char *json;	       /* one line with a newline, scenario and all */
	const char *verdict, *outcome; /* words; NULL: of a command, or nothing was sent */
	uint64_t time_ns;
};

struct fg_essence;

/* What a probe of a watch came to in the round before (suite/changes.h). Borrowed. */
struct fg_case_change {
	const char *time; /* when the change was seen: RFC 3339 */
	enum fg_case_status status;
	const struct fg_essence *before;
};

/* What a report shows about one probe. Everything is borrowed. */
struct fg_case {
	const struct fg_scenario *scenario;
	const struct fg_scenario_block *block;
	uint64_t number; /* from 1, over all scenarios and rounds of the run */
	uint64_t index;	 /* from 0, in the block */
	uint64_t round;	 /* from 1 */
	const char *name;
	enum fg_case_status status;
	const char *why;		/* "" for a pass */
	const struct fg_report *report; /* NULL: no packet was sent */
	const struct fg_probe *probe;
	const struct fg_scenario_ran *ran;   /* of a command that was run; else NULL */
	const struct fg_case_told *told;     /* in place of report, probe and ran; else NULL */
	const struct fg_case_change *change; /* of a watch; NULL: the same as before */
};

/* Counts over a run, or over one scenario of it. */
struct fg_case_counts {
	uint64_t by_status[FG_CASE_STATUSES];
	uint64_t planned; /* those that were to be sent; UINT64_MAX: without end, or not known */
	struct fg_trace_losses losses;
	uint64_t duration_ns;
	bool interrupted;
	bool nodes;	     /* over the nodes of a cluster */
	uint64_t lost_nodes; /* whose results did not all come */
};

void fg_case_count(struct fg_case_counts *counts, const struct fg_case *c);
uint64_t fg_case_done(const struct fg_case_counts *counts);

/* Whether not all were sent. Where nobody knows how many that is, only a signal tells. */
bool fg_case_stopped(const struct fg_case_counts *counts);

/* ": N of M probes were not sent"; nothing if M is not known. */
void fg_case_put_unsent(const struct fg_case_counts *counts, struct fg_buffer *out);

/* The pod that it is sent from, as reports have it. */
const char *fg_case_sender(const struct fg_case *c);

/* The node that it is sent from, in a cluster; NULL: this one. */
const char *fg_case_node(const struct fg_case *c);

/* The result in one line (FG_HEADLINE_LEN bytes); NULL: there is none. Returns buf, or what is
 * borrowed. */
const char *fg_case_headline(const struct fg_case *c, char *buf, size_t size);

/*
 * What the file says that a failure of it means, and what to do next. NULL: it says nothing, or it
 * would not be true: nothing was sent, it is not known what came of it, or it is a control, which
 * fails for other reasons than what it proves.
 */
const char *fg_case_advice(const struct fg_case *c);

/* From injection to the end that was seen, or of a command all of it; 0: none. */
uint64_t fg_case_time_ns(const struct fg_case *c);

/* --- JSON: a line for each probe, and one for the run (doc/run.schema.json) --- */

/*
 * All functions below append to out, and return 0, or -1 with FG_ERR_INTERNAL if memory is short.
 * origin NULL: it is not told.
 */
int fg_case_json(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err);
int fg_case_json_end(const struct fg_case_counts *counts, const struct fg_origin *origin,
		     struct fg_buffer *out, struct fg_error *err);

/* --- text: unexpected results in full, and a summary --- */

/* One line of any. */
int fg_case_line(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err);
int fg_case_text(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err);
/* A change: what it was, what it is, who decides now; verbose: and all of the result. */
int fg_case_text_change(const struct fg_case *c, const struct fg_report_options *style,
			struct fg_buffer *out, struct fg_error *err);
int fg_case_text_end(const struct fg_case_counts *counts, const struct fg_origin *origin,
		     struct fg_buffer *out, struct fg_error *err);

/* --- TAP 13, which every reader takes. The plan comes at the end, so that an interrupted report is
 * complete. --- */

int fg_tap_begin(const struct fg_origin *origin, struct fg_buffer *out, struct fg_error *err);
int fg_tap_case(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err);
int fg_tap_end(const struct fg_case_counts *counts, struct fg_buffer *out, struct fg_error *err);

/* --- JUnit XML: a suite for each scenario. The counts come before the cases, which are spooled
 * until then. --- */

int fg_junit_begin(const struct fg_case_counts *all, const struct fg_origin *origin,
		   struct fg_buffer *out, struct fg_error *err);
int fg_junit_suite(const struct fg_scenario *scenario, const struct fg_case_counts *counts,
		   const struct fg_origin *origin, struct fg_buffer *out, struct fg_error *err);
int fg_junit_case(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err);
int fg_junit_suite_end(struct fg_buffer *out, struct fg_error *err);
int fg_junit_end(struct fg_buffer *out, struct fg_error *err);

/* --- HTML: one file that needs nothing else. The matrices come before the details, which are
 * spooled until then. --- */

/* What a cell of a matrix shows: kept for each probe of the layout until the end. */
struct fg_case_mark {
	uint8_t status;	 /* enum fg_case_status, or FG_CASE_STATUSES: not run */
	uint8_t verdict; /* enum fg_verdict */
	uint8_t outcome; /* enum fg_outcome */
	bool detailed;	 /* there is a section with its number */
	bool command;	 /* it has an exit status, and neither verdict nor outcome */
	uint8_t exit_status;
	uint64_t number;
};

int fg_html_begin(const struct fg_case_counts *all, const struct fg_origin *origin,
		  struct fg_buffer *out, struct fg_error *err);
/* The matrices of one scenario; marks has one entry for each probe of the layout. */
int fg_html_scenario(const struct fg_scenario *scenario, const struct fg_scenario_layout *layout,
		     const struct fg_case_mark *marks, const struct fg_case_counts *counts,
		     struct fg_buffer *out, struct fg_error *err);
/* The section of one probe. */
int fg_html_case(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err);
int fg_html_end(struct fg_buffer *out, struct fg_error *err);

/* --- commands --- */

/* As fg_scenario_check(): what it did, against what was expected of it. */
enum fg_case_status fg_command_check(const struct fg_scenario_command *command,
				     const struct fg_scenario_ran *ran, char *why, size_t size);
/* The line's beginning, as JSON: all but its last member. */
void fg_command_put_json(const struct fg_case *c, struct fg_buffer *out);
/* What it did, for people: its words, its status, what it wrote, its flows. */
void fg_command_put_text(const struct fg_case *c, struct fg_buffer *out);

#endif
