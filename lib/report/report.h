/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report/report.h - results for programs (a JSON object a line, doc/result.schema.json) and for
 * people (text, 80 columns), and the summary of many. Pure: everything is appended to a buffer; the
 * caller writes it.
 */
#ifndef FG_REPORT_H
#define FG_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/parse.h"
#include "probe/probe.h"
#include "report/origin.h"
#include "view/view.h"

/* The pod's device as a JSON object; NULL if memory is short. */
json_t *fg_report_json_device(const struct fg_source_pod *source_pod);

struct fg_report_options {
	bool bytes;			/* show the frame's bytes */
	bool colour;			/* text: mark denials and drops by ANSI colours too */
	bool utf8;			/* text: the terminal draws more than ASCII */
	const struct fg_origin *origin; /* JSON: the run; borrowed; NULL: it is not told */
	bool verbose;			/* text: with what is the same on every answer */
	uint16_t width;			/* text: columns of a line; 0: 80 */
};

/* What is the same in all results of one pod and context, rendered once. */
struct fg_report;

/*
 * context (with its ladder and names) is borrowed, and must neither change nor be freed before the
 * report. Returns NULL with FG_ERR_INTERNAL if memory is short.
 */
struct fg_report *fg_report_open(const struct fg_source_pod *source_pod,
				 const struct fg_context *context,
				 const struct fg_report_options *options, struct fg_error *err);

/* NULL is allowed. */
void fg_report_close(struct fg_report *report);

/*
 * Appends one result to out: as a line of JSON with its newline, or as text of several lines. The
 * probe must be judged, and its frame still be there (without it, addresses and ports come from the
 * spec). Returns 0, or -1 with FG_ERR_INTERNAL if memory is short.
 */
int fg_report_json(const struct fg_report *report, const struct fg_probe *probe,
		   struct fg_buffer *out, struct fg_error *err);
int fg_report_text(const struct fg_report *report, const struct fg_probe *probe,
		   struct fg_buffer *out, struct fg_error *err);

/* One line: the number, the packet, and the headline. */
int fg_report_line(const struct fg_report *report, const struct fg_probe *probe,
		   struct fg_buffer *out, struct fg_error *err);

/* The text without colours, whatever the report's options are, and with all characters. */
int fg_report_text_plain(const struct fg_report *report, const struct fg_probe *probe,
			 struct fg_buffer *out, struct fg_error *err);

/*
 * The result in one line without a newline: the outcome, what caused it, and the verdict.
 * Returns buf.
 */
const char *fg_headline_write(const struct fg_report *report, const struct fg_probe *probe,
			      char *buf, size_t size);
#define FG_HEADLINE_LEN 3000
/* Text that is not broken into lines. */
#define FG_REPORT_WIDEST 10000

/* How a report's text is drawn. */
const struct fg_report_options *fg_report_style(const struct fg_report *report);

/*
 * Returns 0, or -1 and the error if the buffer has failed; then it is cut back to len and can
 * be used again.
 */
int fg_report_finish(struct fg_buffer *out, size_t len, struct fg_error *err);

/*
 * Counts per verdict, outcome and denier, and the destination ports of each. Takes 8 KiB for
 * each that occurs.
 */
struct fg_summary;

/*
 * report is borrowed, and must outlive the summary. Returns NULL with FG_ERR_INTERNAL if memory
 * is short.
 */
struct fg_summary *fg_summary_open(const struct fg_report *report, struct fg_error *err);

/* NULL is allowed. */
void fg_summary_close(struct fg_summary *summary);

/*
 * Adds a judged probe, whose frame is still there. Returns 0, or -1 with FG_ERR_INTERNAL if
 * memory is short.
 */
int fg_summary_add(struct fg_summary *summary, const struct fg_probe *probe, struct fg_error *err);

/* What the summary says about the run as a whole. */
struct fg_summary_run {
	uint64_t duration_ns;
	uint64_t planned, done; /* probes; planned UINT64_MAX: without end, or not known */
	bool interrupted;	/* a signal ended it before all were sent */
};

/*
 * Appends the summary to out: one line of JSON (doc/summary.schema.json), or text. Errors as above.
 */
int fg_summary_json(const struct fg_summary *summary, const struct fg_summary_run *run,
		    struct fg_buffer *out, struct fg_error *err);
int fg_summary_text(const struct fg_summary *summary, const struct fg_summary_run *run,
		    struct fg_buffer *out, struct fg_error *err);

#endif
