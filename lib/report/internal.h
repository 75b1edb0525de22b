/* SPDX-License-Identifier: GPL-2.0-only */
/* report/internal.h - what the reports share among themselves; others include report.h. */
#ifndef FG_REPORT_PARTS_H
#define FG_REPORT_PARTS_H

#include <jansson.h>

#include "report/page.h"
#include "report/report.h"
#include "view/decisions.h"
#include "view/gaps.h"
#include "view/view.h"

/* --- what is kept --- */

/* A part of a text. */
struct fg_span {
	size_t at, len;
};

/* JSON texts of a ladder that are the same in all results, made when its first result is shown. */
struct fg_constant {
	const struct fg_ladder *ladder; /* NULL: nothing is kept here */
	struct fg_program *copy;	/* owned; its programs and filters: they may change */
	size_t programs, filters;
	const struct fg_program *unnamed; /* in copy: its namespace has no name yet; NULL: none */
	struct fg_buffer text;		  /* owned */
	struct {
		struct fg_span member;	 /* of policy.programs, without what each result has */
		struct fg_span denier;	 /* denied_by, redirected_by, candidates: whole */
		struct fg_span decision; /* of decisions, as member */
	} program[FG_LADDER_MAX], filter[FG_LADDER_MAX];
	struct fg_span all_filters; /* policy.filters: whole */
};
#define FG_CONSTANTS 4

/* What is cached between results. */
struct fg_constants {
	struct fg_constant list[FG_CONSTANTS];
	size_t next; /* the one to be replaced next */
};

struct fg_report {
	struct fg_source_pod source_pod;
	const struct fg_context *context;
	struct fg_report_options options;
	char *pod;			/* JSON; owned */
	char *origin;			/* of the run, likewise */
	struct fg_constants *constants; /* owned */
};

/* A probe is shown by its own context; a dry run has none, and is shown by the report's. */
static inline const struct fg_context *fg_report_context(const struct fg_report *report,
							 const struct fg_probe *probe)
{
	return probe->context ? probe->context : report->context;
}

/*
 * The texts of the context's ladder; good until the next call. NULL if memory is short: the
 * buffer has failed then.
 */
const struct fg_constant *fg_constant_find(const struct fg_report *report,
					   const struct fg_context *context, struct fg_buffer *out);
void fg_constant_put(struct fg_buffer *out, const struct fg_constant *constant,
		     struct fg_span span);
void fg_constants_free(struct fg_constants *constants);

/* --- parts of JSON --- */

#define PUT(out, literal) fg_buffer_put(out, literal, sizeof(literal) - 1)

/* `,"key":value`, or null. */
void fg_put_number(struct fg_buffer *out, const char *key, bool there, uint64_t value);
/* `{"inode":N,"name":TEXT}`, or null for 0. */
void fg_put_netns(struct fg_buffer *out, uint32_t inode, const char *name);
/* `"device":NAME,"netns":NETNS`; name is used if the context does not know the device. */
void fg_put_place(struct fg_buffer *out, const struct fg_context *context, uint32_t netns,
		  int ifindex, const char *name);
/* What the packet does not meet, as a JSON array of words; result: as fg_gaps_list(). */
void fg_put_gaps(struct fg_buffer *out, const struct fg_context *context,
		 const struct fg_result *result);

/* The values of the result's members policy, decisions and decider. */
void fg_policy_json(struct fg_buffer *out, const struct fg_context *context,
		    const struct fg_constant *constant, const struct fg_result *result);
void fg_policy_decisions_json(struct fg_buffer *out, const struct fg_context *context,
			      const struct fg_constant *constant, const struct fg_result *result);
void fg_policy_decider_json(struct fg_buffer *out, const struct fg_context *context,
			    const struct fg_result *result);

/*
 * What else is known about it: cause and hint, as further members of a JSON object; and
 * what the policy itself states, as a value.
 */
void fg_why_json(struct fg_buffer *out, const struct fg_context *context,
		 const struct fg_result *result);
void fg_why_json_stated(struct fg_buffer *out, const struct fg_result *result);
/* What the policy states, in one line: buf, or NULL if it states nothing. */
const char *fg_why_stated(const struct fg_result *result, bool utf8, char *buf, size_t size);
/* Cause and hint as lines of text. */
void fg_why_text(const struct fg_page *page, const struct fg_context *context,
		 const struct fg_result *result);

/* The pod as a JSON object; NULL if memory is short. */
json_t *fg_report_json_pod(const struct fg_source_pod *source_pod);

/* --- the parts of the text view; each appends its lines --- */

/* The headline, wrapped and in colour. */
void fg_headline_text(const struct fg_page *page, const struct fg_report *report,
		      const struct fg_probe *probe);

/* The ladder: everything that could decide, stage by stage. */
void fg_report_text_ladder(const struct fg_page *page, const struct fg_report *report,
			   const struct fg_context *context, const struct fg_result *result);

/* What dropped it, and where: as lines of text, and as a JSON value. */
void fg_report_text_drop(const struct fg_page *page, const struct fg_context *context,
			 const struct fg_result *result);
void fg_report_json_drop(struct fg_buffer *out, const struct fg_context *context,
			 const struct fg_result *result);

/* The path through the namespaces. */
void fg_report_text_path(const struct fg_page *page, const struct fg_report *report,
			 const struct fg_probe *probe);

/*
 * The control and the state left, if there are any: as lines of text, and as further members of
 * a JSON object.
 */
void fg_details_text(const struct fg_page *page, const struct fg_result *result);
void fg_details_json(struct fg_buffer *out, const struct fg_result *result);
/* Tables of the policy that gained entries: as items of a list, of which these are the first or
 * not; and as text. maps may be NULL. */
void fg_details_put_tables(struct fg_buffer *out, const struct fg_leftover_maps *maps, bool first);
void fg_details_text_tables(const struct fg_page *page, const struct fg_leftover_maps *maps);

/* The reply and its return path, likewise. */
void fg_report_text_reply(const struct fg_page *page, const struct fg_context *context,
			  const struct fg_reply *reply);
void fg_report_json_reply(struct fg_buffer *out, const struct fg_report *report,
			  const struct fg_context *context, const struct fg_reply *reply);

/*
 * The netfilter rule that dropped it, if it is known: as a line of text, as a further member
 * of a JSON object, and as members without braces (null if it is not known).
 */
void fg_report_json_rule(struct fg_buffer *out, const struct fg_netfilter *by);
void fg_report_text_netfilter(const struct fg_page *page, const struct fg_result *result);
void fg_report_json_netfilter(struct fg_buffer *out, const struct fg_context *context,
			      const struct fg_result *result);

#endif
