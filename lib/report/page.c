// SPDX-License-Identifier: GPL-2.0-only
/*
 * report/page.c - text on a terminal. What comes from pods and packets cannot steer
 * the terminal.
 */
#include <stdio.h>

#include "base/visible.h"
#include "report/internal.h"

static void put_safe(const struct fg_page *page, const char *text, size_t len)
{
	for (const char *c = text; c < text + len;) {
		size_t size = fg_visible(c);

		if (size && c + size <= text + len && (size == 1 || page->utf8))
			fg_buffer_put(page->out, c, size);
		else
			fg_buffer_put(page->out, "?", 1);
		c += size && c + size <= text + len ? size : 1;
	}
}

static size_t columns_of(const char *text, size_t len)
{
	size_t columns = 0;

	for (const char *c = text; c < text + len; columns++) {
		size_t size = fg_visible(c);

		c += size && c + size <= text + len ? size : 1;
	}
	return columns;
}

size_t fg_page_columns(const char *text)
{
	return columns_of(text, strlen(text));
}

static void put_blanks(const struct fg_page *page, size_t count)
{
	fg_buffer_printf(page->out, "%*s", (int)count, "");
}

void fg_page_cell(const struct fg_page *page, const char *text, size_t columns, bool right)
{
	size_t used = fg_page_columns(text), rest = used < columns ? columns - used : 0;

	if (right)
		put_blanks(page, rest);
	put_safe(page, text, strlen(text));
	if (!right)
		put_blanks(page, rest);
}

static void break_line(const struct fg_page *page, size_t indent, const char *rail)
{
	size_t used = rail ? fg_page_columns(rail) : 0;

	fg_buffer_puts(page->out, "\n");
	if (rail)
		fg_buffer_puts(page->out, rail);
	put_blanks(page, indent > used ? indent - used : 0);
}

/*
 * Where a word of this many columns begins on a line of its own: at the indent, or before it if it
 * takes the room.
 */
static size_t place_for(size_t width, size_t columns, size_t indent, const char *rail)
{
	size_t least = rail ? fg_page_columns(rail) + 1 : 0;
	size_t most = columns < width ? width - columns : 0;

	if (indent <= most)
		return indent;
	return most > least ? most : least;
}

/* The bytes of a word that fit into this many columns; at least one character. */
static size_t fitting(const char *word, size_t len, size_t columns)
{
	size_t at = 0;

	for (size_t n = 0; at < len && (!n || n < columns); n++) {
		size_t size = fg_visible(word + at);

		at += size && at + size <= len ? size : 1;
	}
	return at;
}

size_t fg_page_wrap(const struct fg_page *page, const char *text, size_t column, size_t indent,
		    const char *rail)
{
	size_t width = page->width ? page->width : FG_PAGE_WIDTH;
	bool fresh = true;

	while (*text) {
		size_t len = strcspn(text, " "), columns = columns_of(text, len), fit;

		if (column + columns + !fresh > width && (!fresh || column > indent)) {
			column = place_for(width, columns, indent, rail);
			break_line(page, column, rail);
			fresh = true;
		}
		if (!fresh)
			fg_buffer_puts(page->out, " ");
		column += !fresh;
		fit = fitting(text, len, column < width ? width - column : 1);
		put_safe(page, text, fit);
		column += columns_of(text, fit);
		fresh = fit < len;
		text += fit == len ? fit + strspn(text + fit, " ") : fit;
	}
	return column;
}

void fg_page_paint(const struct fg_page *page, enum fg_paint paint)
{
	static const char *const codes[] = {
		[FG_PAINT_GOOD] = "\033[1;32m",	 [FG_PAINT_BAD] = "\033[1;31m",
		[FG_PAINT_DOUBT] = "\033[1;33m", [FG_PAINT_QUIET] = "\033[2m",
		[FG_PAINT_OFF] = "\033[0m",
	};

	if (page->colour)
		fg_buffer_puts(page->out, codes[paint]);
}

const char *fg_page_time_text(uint64_t ns, bool utf8, char *buf, size_t size)
{
	if (ns < 1000)
		snprintf(buf, size, "%u ns", (unsigned int)ns);
	else if (ns < 1000000)
		snprintf(buf, size, "%.1f %ss", (double)ns / 1e3, utf8 ? "\302\265" : "u");
	else if (ns < 1000000000)
		snprintf(buf, size, "%.1f ms", (double)ns / 1e6);
	else
		snprintf(buf, size, "%.1f s", (double)ns / 1e9);
	return buf;
}

void fg_page_entry(const struct fg_page *page, const char *label, const char *text)
{
	fg_page_cell(page, label, FG_ENTRY_COLUMN, false);
	fg_page_wrap(page, text, FG_ENTRY_COLUMN, FG_ENTRY_COLUMN, NULL);
	fg_buffer_puts(page->out, "\n");
}
