/* SPDX-License-Identifier: GPL-2.0-only */
/* report_sections.h - the parts of the text view; each appends its lines. */
#ifndef FG_REPORT_SECTIONS_H
#define FG_REPORT_SECTIONS_H

#include "report_parts.h"

/* One sentence: verdict, who decided, and what became of the packet. */
void fg_text_headline(const struct fg_page *page, const struct fg_report *report,
		      const struct fg_probe *probe);

/* The verdict ladder. */
void fg_text_ladder(const struct fg_page *page, const struct fg_report *report,
		    const struct fg_result *result);

/* The way through the namespaces. */
void fg_text_path(const struct fg_page *page, const struct fg_report *report,
		  const struct fg_probe *probe);

/* The control and the state left, where there are any: as lines of text, and as further members of a JSON object. */
void fg_text_aside(const struct fg_page *page, const struct fg_result *result);
void fg_json_aside(struct fg_buffer *out, const struct fg_result *result);

/* The answer and its way back, likewise. */
void fg_text_reply(const struct fg_page *page, const struct fg_scene *scene,
		   const struct fg_reply *reply);
void fg_json_reply(struct fg_buffer *out, const struct fg_scene *scene,
		   const struct fg_reply *reply);

/* The rule of netfilter that dropped it, where it is known: as a line of text, and as a further member of a JSON object. */
void fg_text_netfilter(const struct fg_page *page, const struct fg_result *result);
void fg_json_netfilter(struct fg_buffer *out, const struct fg_scene *scene,
		       const struct fg_result *result);

/* A label at the line's begin, and a text wrapped beside it. */
void fg_text_entry(const struct fg_page *page, const char *label, const char *text);
#define FG_ENTRY_COLUMN 9

#endif
