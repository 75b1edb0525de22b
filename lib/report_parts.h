/* SPDX-License-Identifier: GPL-2.0-only */
/* report_parts.h - what the reports share among themselves; others include report.h. */
#ifndef FG_REPORT_PARTS_H
#define FG_REPORT_PARTS_H

#include <jansson.h>

#include "dissect.h"
#include "report.h"

struct fg_report {
	struct fg_subject subject;
	const struct fg_scene *scene;
	struct fg_report_options options;
	size_t programs; /* of the ladder, at most FG_LADDER_MAX */
	/* JSON texts of what does not change; owned. */
	char *pod;
	char *not_exercised;
	char *program[FG_LADDER_MAX]; /* the constant members, without the closing brace */
	char *denier[FG_LADDER_MAX];  /* how denied_by and redirected_by refer to it */
};

/* The packet as it was injected, read back from its bytes. */
struct fg_packet_view {
	bool known; /* the headers could be read; else flow has the spec's addresses and ports */
	bool has_protocol, has_ports, has_icmp;
	struct fg_flow flow;
	uint8_t ttl, tos;
	uint32_t length; /* bytes of the IP packet; 0: no frame */
	char protocol[4];
	const char *protocol_name; /* "udp", or the number; may point at `protocol` */
};

void fg_packet_view(const struct fg_probe *probe, struct fg_packet_view *out);

/* An observation in words. */
struct fg_sight {
	const char *component, *action;
	const char *detail;		/* NULL: nothing to add; may point at `text` */
	const struct fg_device *device; /* NULL: not known */
	bool bad;			/* here the packet was stopped */
	char text[320];
};

void fg_sight_read(const struct fg_report *report, const struct fg_probe *probe,
		   const struct fg_observation *seen, struct fg_sight *out);

/* What it was seen on: "packet", "clone", or "reply". */
const char *fg_sight_of(const struct fg_observation *seen);

/* What the method leaves out: a word for programs and a line for people each. Ends with a NULL word. */
struct fg_gap {
	const char *word, *text;
};
#define FG_GAPS_MAX 10
void fg_gaps_list(const struct fg_report *report, struct fg_gap out[FG_GAPS_MAX]);

/* The kernel's name of a drop reason; buf is used where it has none. */
const char *fg_drop_name(const struct fg_scene *scene, uint32_t code, char *buf, size_t size);

/* Where a packet was freed: the symbol, or the bare address in buf, or NULL. */
const char *fg_drop_location(const struct fg_observation *end, char *buf, size_t size);

/* Whether the packet's way out is that observation: then it left this kernel there. */
bool fg_sight_leaves(const struct fg_probe *probe, const struct fg_observation *seen);

/* The text as JSON, or JSON's null for NULL and ""; what is not UTF-8 becomes '?'. NULL where memory is short. */
json_t *fg_json_text(const char *text);

/* The same, appended. */
void fg_json_put_text(struct fg_buffer *out, const char *text);

/* The pod as a JSON object; NULL where memory is short. */
json_t *fg_json_pod(const struct fg_subject *subject);

/* Returns 0, or -1 and the error where the buffer has failed; then it is cut back to len and good for use again. */
int fg_report_finish(struct fg_buffer *out, size_t len, struct fg_error *err);

/* --- text for people --- */

/* Lines of at most 80 columns in out. */
struct fg_page {
	struct fg_buffer *out;
	bool colour, utf8;
};

#define FG_PAGE_WIDTH 80

/* Columns that a text takes on a terminal (code points of UTF-8). */
size_t fg_page_columns(const char *text);

/*
 * Appends text with its control characters made harmless, broken at blanks before column 80; `column` is where the line
 * stands, further lines begin at `indent` behind `rail` (NULL: blanks). Returns the column where it ended.
 */
size_t fg_page_wrap(const struct fg_page *page, const char *text, size_t column, size_t indent,
		    const char *rail);

/* Appends text, made harmless and padded with blanks to at least `columns`; right: to the right. */
void fg_page_cell(const struct fg_page *page, const char *text, size_t columns, bool right);

enum fg_paint { FG_PAINT_GOOD, FG_PAINT_BAD, FG_PAINT_DOUBT, FG_PAINT_QUIET, FG_PAINT_OFF };

/* Switches the colour where colours are wanted. */
void fg_page_paint(const struct fg_page *page, enum fg_paint paint);

/* "310 ns", "1.20 us", "3.45 ms". Returns buf. */
const char *fg_time_text(uint64_t ns, bool utf8, char *buf, size_t size);

#endif
