/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report/page.h - text for people, on a terminal. What comes from pods and packets
 * cannot steer the terminal. Pure.
 */
#ifndef FG_PAGE_H
#define FG_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Lines of at most `width` columns in out. */
struct fg_page {
	struct fg_buffer *out;
	bool colour, utf8;
	uint16_t width; /* 0: FG_PAGE_WIDTH */
};

#define FG_PAGE_WIDTH 80

/* Columns that a text takes on a terminal (code points of UTF-8). */
size_t fg_page_columns(const char *text);

/*
 * Appends text with its control characters made harmless, broken at spaces before the width;
 * `column` is where the line is, further lines begin at `indent` after `rail` (NULL: spaces).
 * Returns the column where it ended.
 */
size_t fg_page_wrap(const struct fg_page *page, const char *text, size_t column, size_t indent,
		    const char *rail);

/* Appends text, made harmless and padded with spaces to at least `columns`; right: to the right. */
void fg_page_cell(const struct fg_page *page, const char *text, size_t columns, bool right);

enum fg_paint { FG_PAINT_GOOD, FG_PAINT_BAD, FG_PAINT_DOUBT, FG_PAINT_QUIET, FG_PAINT_OFF };

/* Switches the colour if colours are enabled. */
void fg_page_paint(const struct fg_page *page, enum fg_paint paint);

/* "310 ns", "1.20 us", "3.45 ms". Returns buf. */
const char *fg_page_time_text(uint64_t ns, bool utf8, char *buf, size_t size);

/* A label at the beginning of the line, and a wrapped text beside it. */
void fg_page_entry(const struct fg_page *page, const char *label, const char *text);
#define FG_ENTRY_COLUMN 9

#endif
