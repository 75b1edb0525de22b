/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.h - results for programs (a JSON object a line, doc/result.schema.json) and for people (text, 80 columns),
 * and the summary of many. Pure: everything is appended to a buffer; the caller writes it.
 */
#ifndef FG_REPORT_H
#define FG_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "error.h"
#include "parse.h"
#include "probe.h"

/* The pod as a report shows it. The texts are borrowed and must outlive the report; NULL or "": not known. */
struct fg_subject {
	const char *ref;  /* as the user named it */
	const char *name; /* "NAMESPACE/NAME", or the network namespace's name */
	const char *path; /* opens its network namespace */
	uint32_t netns;	  /* inode number of that */
	struct fg_addr address;
	struct {
		const char *kind; /* "veth", "netkit" */
		const char *mode; /* netkit: "l2" or "l3" */
		const char *peer; /* the device in the pod */
		int peer_ifindex;
		const char *primary; /* the one on the host side */
		int primary_ifindex;
	} device;
};

struct fg_report_options {
	bool bytes;  /* show the frame's bytes */
	bool colour; /* text: mark denials and drops by ANSI colours too */
	bool utf8;   /* text: the terminal draws more than ASCII */
};

/* What is the same in every result of one pod and scene, rendered once. */
struct fg_report;

/*
 * scene (with its ladder and names) is borrowed, and must neither change nor go before the report does. Returns NULL with
 * FG_ERR_INTERNAL where memory is short.
 */
struct fg_report *fg_report_open(const struct fg_subject *subject, const struct fg_scene *scene,
				 const struct fg_report_options *options, struct fg_error *err);

/* NULL is allowed. */
void fg_report_close(struct fg_report *report);

/*
 * Appends one result to out: as a line of JSON with its newline, or as text of several lines. The probe must be judged, and its
 * frame still be there (without it, addresses and ports come from the spec). Returns 0, or -1 with FG_ERR_INTERNAL
 * where memory is short.
 */
int fg_report_json(const struct fg_report *report, const struct fg_probe *probe,
		   struct fg_buffer *out, struct fg_error *err);
int fg_report_text(const struct fg_report *report, const struct fg_probe *probe,
		   struct fg_buffer *out, struct fg_error *err);

/* Counts per verdict, outcome and denier, and the destination ports behind each. Takes 8 KiB for each that occurs. */
struct fg_summary;

/* report is borrowed, and must outlive the summary. Returns NULL with FG_ERR_INTERNAL where memory is short. */
struct fg_summary *fg_summary_open(const struct fg_report *report, struct fg_error *err);

/* NULL is allowed. */
void fg_summary_close(struct fg_summary *summary);

/* Adds a judged probe, whose frame is still there. Returns 0, or -1 with FG_ERR_INTERNAL where memory is short. */
int fg_summary_add(struct fg_summary *summary, const struct fg_probe *probe, struct fg_error *err);

/* What the summary says of the run as a whole. */
struct fg_summary_run {
	uint64_t duration_ns;
	uint64_t lost_events;
};

/* Appends the summary to out: one line of JSON (doc/summary.schema.json), or text. Errors as above. */
int fg_summary_json(const struct fg_summary *summary, const struct fg_summary_run *run,
		    struct fg_buffer *out, struct fg_error *err);
int fg_summary_text(const struct fg_summary *summary, const struct fg_summary_run *run,
		    struct fg_buffer *out, struct fg_error *err);

#endif
