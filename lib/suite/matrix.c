// SPDX-License-Identifier: GPL-2.0-only
/* suite/matrix.c - tables of letters: sources by destinations. */
#include "suite/matrix.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/grow.h"
#include "report/page.h"
#include "suite/internal.h"

static const struct {
	char sign;
	const char *meaning;
} letters[FG_LETTERS] = {
	[FG_LETTER_ALLOWED] = { '.', "allowed" },
	[FG_LETTER_NO_POLICY] = { 'o', "open, no policy" },
	[FG_LETTER_DENIED] = { 'X', "denied" },
	[FG_LETTER_DROPPED] = { 'D', "dropped, not by policy" },
	[FG_LETTER_REJECTED] = { 'R', "rejected" },
	[FG_LETTER_REDIRECTED] = { '>', "redirected" },
	[FG_LETTER_STATUS] = { '0', "exit status" },
	[FG_LETTER_UNKNOWN] = { '?', "inconclusive" },
	[FG_LETTER_SKIPPED] = { '-', "not sent" },
};

/* Single probes of a very large scenario: the table would be nearly empty, and larger than they. */
#define CELLS_MAX 4000000

struct cell {
	uint16_t letters; /* bit l: a probe came to letter l */
	bool failed, doubted, passed;
	uint8_t exit_status; /* of a command: the last one */
};

struct line {
	const char *label, *port; /* a row has no port; borrowed */
	bool chosen;		  /* is shown */
	bool odd;		  /* something in it is not as expected */
	size_t width;		  /* of a column: of its widest cell */
};

struct table {
	const char *title;
	struct line *rows, *columns; /* owned */
	size_t row_count, column_count;
	json_t *row_of, *column_of; /* label -> index */
	struct cell *cells;	    /* by row and column; owned */
	uint16_t letters;	    /* that occur in what is shown */
	bool failed;		    /* the same: something is not as expected */
	size_t label_width;
	struct fg_page page;
};

/* --- from marks to cells --- */

const char *fg_matrix_meaning(enum fg_letter letter)
{
	return letters[letter].meaning;
}

int fg_matrix_badness(const struct fg_case_mark *mark)
{
	static const int order[] = { [FG_CASE_PASS] = 1,
				     [FG_CASE_FAIL] = 4,
				     [FG_CASE_SKIP] = 2,
				     [FG_CASE_INCONCLUSIVE] = 3,
				     [FG_CASE_STATUSES] = 0 };

	return order[mark->status];
}

enum fg_letter fg_matrix_letter(const struct fg_case_mark *mark)
{
	const struct fg_result r = { .verdict = (enum fg_verdict)mark->verdict,
				     .outcome = (enum fg_outcome)mark->outcome };

	if (mark->status == FG_CASE_SKIP || r.outcome == FG_OUTCOME_NOT_SENT)
		return FG_LETTER_SKIPPED;
	if (mark->command)
		return FG_LETTER_STATUS;
	if (mark->status == FG_CASE_INCONCLUSIVE)
		return FG_LETTER_UNKNOWN;
	if (r.verdict == FG_VERDICT_DENIED)
		return FG_LETTER_DENIED;
	if (r.outcome == FG_OUTCOME_DROPPED)
		return FG_LETTER_DROPPED;
	if (r.outcome == FG_OUTCOME_REJECTED)
		return FG_LETTER_REJECTED;
	if (!fg_view_arrived(&r) || r.verdict == FG_VERDICT_UNKNOWN)
		return FG_LETTER_UNKNOWN;
	if (r.verdict == FG_VERDICT_REDIRECTED)
		return FG_LETTER_REDIRECTED;
	return r.verdict == FG_VERDICT_NONE ? FG_LETTER_NO_POLICY : FG_LETTER_ALLOWED;
}

static void cell_add(struct cell *cell, const struct fg_case_mark *mark)
{
	if (mark->status == FG_CASE_STATUSES)
		return;
	cell->letters |= (uint16_t)(1 << fg_matrix_letter(mark));
	cell->failed |= mark->status == FG_CASE_FAIL;
	cell->doubted |= mark->status == FG_CASE_INCONCLUSIVE;
	cell->passed |= mark->status == FG_CASE_PASS;
	cell->exit_status = mark->exit_status;
}

/* All letters that occur, and whether something is not as expected: "X", ".X!", "28". */
static const char *cell_text(const struct cell *cell, char buf[24])
{
	size_t n = 0;

	for (int l = 0; l < FG_LETTERS; l++)
		if (cell->letters >> l & 1 && l == FG_LETTER_STATUS)
			n += (size_t)snprintf(buf + n, 5, "%u", cell->exit_status);
		else if (cell->letters >> l & 1)
			buf[n++] = letters[l].sign;
	if (cell->failed)
		buf[n++] = '!';
	buf[n] = '\0';
	return buf;
}

/* --- from blocks to a table --- */

static const char *row_label(const struct fg_scenario *s, const struct fg_scenario_block *b)
{
	return b->source ? b->source->label : s->pods[s->sets[b->set].from[b->from]].name;
}

/* The row or column with this label, a new one at the end; -1: memory is short. */
static ssize_t line_of(json_t *index, struct line **list, size_t *count, const char *label,
		       const char *port)
{
	struct fg_buffer key = {};
	const json_t *found;
	struct line *line;
	ssize_t at = -1;

	fg_buffer_puts(&key, label);
	fg_buffer_puts(&key, port ? "\n" : "");
	fg_buffer_puts(&key, port ? port : "");
	fg_buffer_put(&key, "", 1);
	if (key.failed)
		return -1;
	found = json_object_get(index, key.data);
	if (found) {
		at = (ssize_t)json_integer_value(found);
	} else if (!json_object_set_new_nocheck(index, key.data,
						json_integer((json_int_t)*count))) {
		at = (ssize_t)*count;
		line = FG_APPEND(*list, *count, "table", NULL);
		if (line)
			*line = (struct line){ .label = label, .port = port };
		else
			at = -1;
	}
	fg_buffer_free(&key);
	return at;
}

/* Whether a table shows the block: that of its matrix, or that of all the other probes. What was
 * not run has no place in it. */
static bool is_in(const struct fg_scenario *s, const struct fg_scenario_block *b,
		  const struct fg_case_mark *marks, int set)
{
	if (set < 0 ? s->sets[b->set].matrix : (int)b->set != set)
		return false;
	for (uint64_t i = 0; i < b->total; i++)
		if (marks[b->first + i].status != FG_CASE_STATUSES)
			return true;
	return false;
}

static int place(struct table *t, const struct fg_scenario *s, const struct fg_scenario_block *b,
		 size_t *row, size_t *column)
{
	const struct fg_scenario_set *set = &s->sets[b->set];
	/* A command has no destination: it is known by its name. */
	bool command = set->command != NULL;
	ssize_t r = line_of(t->row_of, &t->rows, &t->row_count, row_label(s, b), NULL);
	ssize_t c = line_of(t->column_of, &t->columns, &t->column_count,
			    command && set->name ? set->name : fg_scenario_target_name(s, b),
			    command ? "exec" : set->ports[b->port].label);

	*row = (size_t)r;
	*column = (size_t)c;
	return r < 0 || c < 0 ? -1 : 0;
}

/* Twice: the size of the table is known once all have their places. */
static int fill(struct table *t, const struct fg_scenario *s, const struct fg_scenario_layout *l,
		const struct fg_case_mark *marks, int set)
{
	size_t row, column;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < l->count; i++) {
			const struct fg_scenario_block *b = &l->blocks[i];

			if (!is_in(s, b, marks, set))
				continue;
			if (place(t, s, b, &row, &column))
				return -1;
			for (uint64_t k = 0; pass && k < b->total; k++)
				cell_add(&t->cells[row * t->column_count + column],
					 &marks[b->first + k]);
		}
		if (t->row_count > CELLS_MAX / (t->column_count + 1))
			return 0;
		if (!pass && t->row_count)
			t->cells = calloc(t->row_count * t->column_count, sizeof(*t->cells));
		if (!t->cells)
			return t->row_count ? -1 : 0;
	}
	return 0;
}

/* --- what is shown of it --- */

static void choose(struct line *list, size_t count, bool all)
{
	size_t shown = 0;

	for (size_t i = 0; i < count; i++) {
		list[i].chosen = all || count <= FG_MATRIX_SHOWN ||
				 (list[i].odd && shown < FG_MATRIX_SHOWN);
		shown += list[i].chosen;
	}
	/* Where nothing is odd, the first ones are as good as others. */
	for (size_t i = 0; !shown && i < count && i < FG_MATRIX_SHOWN; i++)
		list[i].chosen = true;
}

/* What is shown of one cell decides the legend, and its column's width. */
static void measure(struct table *t, const struct cell *cell, struct line *column)
{
	char text[24];
	size_t width = strlen(cell_text(cell, text));

	if (!column->chosen)
		return;
	t->letters |= cell->letters;
	t->failed |= cell->failed;
	column->width = width > column->width ? width : column->width;
}

static void choose_lines(struct table *t, bool all)
{
	for (size_t i = 0; i < t->row_count * t->column_count; i++)
		if (t->cells[i].failed || t->cells[i].doubted) {
			t->rows[i / t->column_count].odd = true;
			t->columns[i % t->column_count].odd = true;
		}
	choose(t->rows, t->row_count, all);
	choose(t->columns, t->column_count, all);
	for (size_t r = 0; r < t->row_count; r++) {
		size_t width = fg_page_columns(t->rows[r].label);

		if (!t->rows[r].chosen)
			continue;
		t->label_width = width > t->label_width ? width : t->label_width;
		for (size_t c = 0; c < t->column_count; c++)
			measure(t, &t->cells[r * t->column_count + c], &t->columns[c]);
	}
}

/* --- drawing --- */

/* A column's width: its port's name, or its number, and what is in it; two more as a gap. */
static size_t width_of(const struct table *t, size_t column, bool numbered)
{
	size_t width = numbered ? 3 : fg_page_columns(t->columns[column].port);
	size_t own = t->columns[column].width;

	return (own > width ? own : width) + 2;
}

/* Columns of one destination share its name; it needs room too. Returns the last one's index + 1.
 */
static size_t span(const struct table *t, size_t first, size_t *width)
{
	const char *label = t->columns[first].label;
	size_t next = first, name = fg_page_columns(label) + 2;

	*width = 0;
	for (; next < t->column_count && !strcmp(t->columns[next].label, label); next++)
		if (t->columns[next].chosen)
			*width += width_of(t, next, false);
	*width = *width && name > *width ? name : *width;
	return next;
}

static bool fits(const struct table *t)
{
	size_t total = t->label_width + 2, width;
	size_t most = t->page.width ? t->page.width : FG_PAGE_WIDTH;

	for (size_t c = 0; c < t->column_count; total += width)
		c = span(t, c, &width);
	return total <= most + 2;
}

static void put_cell(const struct table *t, const struct cell *cell, size_t width)
{
	const struct fg_page *page = &t->page;
	enum fg_paint paint = cell->failed    ? FG_PAINT_BAD
			      : cell->doubted ? FG_PAINT_DOUBT
			      : cell->passed  ? FG_PAINT_GOOD
					      : FG_PAINT_QUIET;
	char text[24];
	size_t used = strlen(cell_text(cell, text));

	if (used)
		fg_page_paint(page, paint);
	fg_buffer_puts(page->out, text);
	if (used)
		fg_page_paint(page, FG_PAINT_OFF);
	fg_buffer_printf(page->out, "%*s", used < width ? (int)(width - used) : 0, "");
}

/* Blanks at the end of a line are nobody's. */
static void end_line(struct fg_buffer *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->len--;
	fg_buffer_puts(out, "\n");
}

static void put_heads(const struct table *t)
{
	const struct fg_page *page = &t->page;
	size_t width, next;

	fg_page_cell(page, "", t->label_width + 2, false);
	for (size_t c = 0; c < t->column_count; c = next) {
		next = span(t, c, &width);
		if (width)
			fg_page_cell(page, t->columns[c].label, width, false);
	}
	end_line(page->out);
	fg_page_cell(page, "", t->label_width + 2, false);
	for (size_t c = 0; c < t->column_count; c = next) {
		size_t used = 0;

		next = span(t, c, &width);
		for (size_t k = c; k < next; k++)
			if (t->columns[k].chosen) {
				fg_page_cell(page, t->columns[k].port, width_of(t, k, false),
					     false);
				used += width_of(t, k, false);
			}
		fg_page_cell(page, "", width - used, false);
	}
	end_line(page->out);
}

static void put_row(const struct table *t, size_t row)
{
	size_t width, next;

	fg_page_cell(&t->page, t->rows[row].label, t->label_width + 2, false);
	for (size_t c = 0; c < t->column_count; c = next) {
		size_t used = 0;

		next = span(t, c, &width);
		for (size_t k = c; k < next; k++)
			if (t->columns[k].chosen) {
				put_cell(t, &t->cells[row * t->column_count + k],
					 width_of(t, k, false));
				used += width_of(t, k, false);
			}
		fg_page_cell(&t->page, "", width - used, false);
	}
	end_line(t->page.out);
}

static void put_numbers(const struct table *t)
{
	const struct fg_page *page = &t->page;

	for (size_t c = 0; c < t->column_count; c++)
		if (t->columns[c].chosen) {
			fg_buffer_printf(page->out, "%4zu  ", c + 1);
			fg_page_cell(page, t->columns[c].label, 0, false);
			fg_buffer_puts(page->out, " ");
			fg_page_cell(page, t->columns[c].port, 0, false);
			fg_buffer_puts(page->out, "\n");
		}
}

/* The index after the last column from first on that fits into a line; at least one does. */
static size_t fitting(const struct table *t, size_t first)
{
	size_t most = (t->page.width ? t->page.width : FG_PAGE_WIDTH) + 2, next = first;

	for (size_t used = t->label_width + 2; next < t->column_count; next++) {
		used += t->columns[next].chosen ? width_of(t, next, true) : 0;
		if (used > most && next > first)
			break;
	}
	return next;
}

static void put_part(const struct table *t, size_t first, size_t next)
{
	const struct fg_page *page = &t->page;

	fg_page_cell(page, "", t->label_width + 2, false);
	for (size_t c = first; c < next; c++)
		if (t->columns[c].chosen)
			fg_buffer_printf(page->out, "%-*zu", (int)width_of(t, c, true), c + 1);
	end_line(page->out);
	for (size_t r = 0; r < t->row_count; r++) {
		if (!t->rows[r].chosen)
			continue;
		fg_page_cell(page, t->rows[r].label, t->label_width + 2, false);
		for (size_t c = first; c < next; c++)
			if (t->columns[c].chosen)
				put_cell(t, &t->cells[r * t->column_count + c],
					 width_of(t, c, true));
		end_line(page->out);
	}
}

/* Too wide for a line: the columns have numbers, which are explained, and go on below. */
static void put_numbered(const struct table *t)
{
	put_numbers(t);
	for (size_t first = 0, next; first < t->column_count; first = next) {
		next = fitting(t, first);
		put_part(t, first, next);
	}
}

static void put_rest(const struct table *t, const char *what, const struct line *list, size_t count)
{
	size_t hidden = 0, odd = 0;

	for (size_t i = 0; i < count; i++) {
		hidden += !list[i].chosen;
		odd += !list[i].chosen && list[i].odd;
	}
	if (hidden)
		fg_buffer_printf(t->page.out,
				 "%zu more %s, %zu of them not all as expected (-v shows them)\n",
				 hidden, what, odd);
}

static void put_table(const struct table *t)
{
	fg_page_cell(&t->page, t->title, 0, false);
	fg_buffer_puts(t->page.out, ", from (rows) to (columns)\n");
	if (fits(t)) {
		put_heads(t);
		for (size_t r = 0; r < t->row_count; r++)
			if (t->rows[r].chosen)
				put_row(t, r);
	} else {
		put_numbered(t);
	}
	put_rest(t, "rows", t->rows, t->row_count);
	put_rest(t, "columns", t->columns, t->column_count);
}

static void put_legend(const struct table *t)
{
	struct fg_buffer line = {};

	for (int l = 0; l < FG_LETTERS; l++)
		if (t->letters >> l & 1 && l == FG_LETTER_STATUS)
			fg_buffer_printf(&line, "%sa number: exit status", line.len ? ", " : "");
		else if (t->letters >> l & 1)
			fg_buffer_printf(&line, "%s%c %s", line.len ? ", " : "", letters[l].sign,
					 letters[l].meaning);
	if (t->failed)
		fg_buffer_printf(&line, "%s! not as expected", line.len ? ", " : "");
	fg_buffer_put(&line, "", 1);
	if (line.len > 1 && !line.failed) {
		fg_page_wrap(&t->page, line.data, 0, 0, NULL);
		fg_buffer_puts(t->page.out, "\n");
	}
	t->page.out->failed |= line.failed;
	fg_buffer_puts(t->page.out, "\n");
	fg_buffer_free(&line);
}

static int put_set(const struct fg_scenario *s, const struct fg_scenario_layout *l,
		   const struct fg_case_mark *marks, const struct fg_report_options *style, int set,
		   struct fg_buffer *out)
{
	const char *name = set >= 0 ? s->sets[set].name : NULL;
	struct table t = { .title = name ? name : s->name,
			   .row_of = json_object(),
			   .column_of = json_object(),
			   .page = { .out = out,
				     .colour = style->colour,
				     .utf8 = style->utf8,
				     .width = style->width } };
	int ret = t.row_of && t.column_of ? fill(&t, s, l, marks, set) : -1;

	if (!ret && !t.cells && t.row_count)
		fg_buffer_printf(out, "%s: %zu rows and %zu columns: too many for a table\n\n",
				 t.title, t.row_count, t.column_count);
	if (!ret && t.cells && t.row_count * t.column_count > 1) {
		choose_lines(&t, style->verbose);
		put_table(&t);
		put_legend(&t);
	}
	json_decref(t.row_of);
	json_decref(t.column_of);
	free(t.rows);
	free(t.columns);
	free(t.cells);
	return ret;
}

int fg_matrix_text(const struct fg_scenario *scenario, const struct fg_scenario_layout *layout,
		   const struct fg_case_mark *marks, const struct fg_report_options *style,
		   struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;
	int ret = 0;

	for (size_t i = 0; !ret && i < scenario->set_count; i++)
		if (scenario->sets[i].matrix)
			ret = put_set(scenario, layout, marks, style, (int)i, out);
	if (!ret)
		ret = put_set(scenario, layout, marks, style, -1, out);
	out->failed |= ret != 0;
	return fg_report_finish(out, len, err);
}
