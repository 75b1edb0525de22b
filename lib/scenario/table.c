// SPDX-License-Identifier: GPL-2.0-only
/* scenario/table.c - the table of a matrix: a row for each sender, in one word, in many, or by
 * column. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "scenario/internal.h"

static size_t column_count(const struct fg_scenario_set *set)
{
	return set->to_count * set->port_count;
}

static const char *column_name(const struct fg_scenario *scenario,
			       const struct fg_scenario_set *set, size_t column, char *buf,
			       size_t size)
{
	const char *to = scenario->places[set->to[column / set->port_count]].name;
	const char *port = set->ports[column % set->port_count].label;

	if (set->to_count == 1)
		snprintf(buf, size, "%s", port);
	else if (set->port_count == 1)
		snprintf(buf, size, "%s", to);
	else
		snprintf(buf, size, "%s %s", to, port);
	return buf;
}

/* A column may be named in full, or by its destination or its port alone, which may mean several.
 */
static bool column_fits(const struct fg_scenario *s, const struct fg_scenario_set *set,
			size_t column, const char *name)
{
	const char *to = s->places[set->to[column / set->port_count]].name;
	const char *port = set->ports[column % set->port_count].label;
	char full[256];

	snprintf(full, sizeof(full), "%s %s", to, port);
	return !strcmp(name, full) || !strcmp(name, to) || !strcmp(name, port);
}

static int refuse_cell(struct fg_scenario_reader *r, const json_t *node, const char *word)
{
	return fg_scenario_fail(
		r, node,
		"must be A (allow), D (deny), N (none), E (enforced), R (redirected), ? (any), "
		"- (skip) or . (as expect says), not \"%.40s\"",
		word);
}

/* A dot leaves the cell to `expect`: its text stays NULL. */
static int read_cell(struct fg_scenario_reader *r, const json_t *node, const char *word,
		     struct fg_scenario_expect *cell)
{
	if (!strcmp(word, "."))
		return 0;
	fg_scenario_expect_free(cell);
	return fg_scenario_expect_word(word, cell) ? refuse_cell(r, node, word) : 0;
}

/* "A D . N": a word for all columns, or one for each of them. */
static int read_words(struct fg_scenario_reader *r, const json_t *node,
		      const struct fg_scenario_set *set, struct fg_scenario_row *row)
{
	FG_FREE char *text = fg_scenario_text(r, node);
	size_t columns = column_count(set), n = 0;
	char *rest = text, *word, *first = NULL;

	if (!text)
		return -1;
	while ((word = strtok_r(rest, " \t\n", &rest))) {
		first = first ? first : word;
		if (n < columns && read_cell(r, node, word, &row->cells[n]))
			return -1;
		n++;
	}
	if (n == 1 && columns > 1) {
		for (size_t i = 1; i < columns; i++)
			if (read_cell(r, node, first, &row->cells[i]))
				return -1;
		return 0;
	}
	if (n == columns)
		return 0;
	return fg_scenario_fail(
		r, node,
		"%zu words, but %zu columns (destinations x ports): one word for each, or one for "
		"all",
		n, columns);
}

static int refuse_column(struct fg_scenario_reader *r, const json_t *node,
			 const struct fg_scenario_set *set, const char *name)
{
	char text[64][64];
	const char *names[64] = {};
	size_t n = 0;

	for (; n < column_count(set) && n < 64; n++)
		names[n] = column_name(r->scenario, set, n, text[n], sizeof(text[n]));
	fg_scenario_fail_key(
		r, node,
		"no column \"%.60s\"; write a destination, a port, or both with a space between",
		name);
	return fg_scenario_suggest(r, name, names, n);
}

static int read_columns(struct fg_scenario_reader *r, const json_t *node,
			const struct fg_scenario_set *set, struct fg_scenario_row *row)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)node, name, value) {
		size_t mark = fg_scenario_enter(r, name, 0);
		bool any = false;

		for (size_t i = 0; i < column_count(set); i++) {
			if (!column_fits(r->scenario, set, i, name))
				continue;
			any = true;
			fg_scenario_expect_free(&row->cells[i]);
			if (fg_scenario_read_expect(r, value, &row->cells[i]))
				return -1;
		}
		if (!any)
			return refuse_column(r, value, set, name);
		fg_scenario_leave(r, mark);
	}
	return 0;
}

static int read_list(struct fg_scenario_reader *r, const json_t *node,
		     const struct fg_scenario_set *set, struct fg_scenario_row *row)
{
	size_t i;
	json_t *item;

	if (json_array_size(node) != column_count(set))
		return fg_scenario_fail(r, node,
					"%zu items, but %zu columns (destinations x ports)",
					json_array_size(node), column_count(set));
	json_array_foreach ((json_t *)node, i, item) {
		size_t mark = fg_scenario_enter(r, NULL, i);
		FG_FREE char *word = NULL;

		if (json_is_object(item)) {
			if (fg_scenario_read_expect(r, item, &row->cells[i]))
				return -1;
		} else {
			word = fg_scenario_text(r, item);
			if (!word || read_cell(r, item, word, &row->cells[i]))
				return -1;
		}
		fg_scenario_leave(r, mark);
	}
	return 0;
}

/* A row is of one of the senders, or of one pod that a selector among them finds. */
static bool row_is_known(const struct fg_scenario *s, const struct fg_scenario_set *set,
			 const char *name)
{
	for (size_t i = 0; i < set->from_count; i++) {
		const struct fg_scenario_pods *p = &s->pods[set->from[i]];

		if (!strcmp(p->name, name) || (!p->ref && fg_scenario_selects(p, name)))
			return true;
	}
	return false;
}

static int refuse_row(struct fg_scenario_reader *r, const json_t *node,
		      const struct fg_scenario_set *set, const char *name)
{
	FG_FREE const char **names = calloc(set->from_count + 1, sizeof(*names));

	fg_scenario_fail_key(
		r, node, "no row \"%.60s\": it is not one of the matrix's senders (from)", name);
	for (size_t i = 0; names && i < set->from_count; i++)
		names[i] = r->scenario->pods[set->from[i]].name;
	return names ? fg_scenario_suggest(r, name, names, set->from_count) : -1;
}

static int read_row(struct fg_scenario_reader *r, const char *name, const json_t *node,
		    struct fg_scenario_set *set)
{
	size_t columns = column_count(set);
	struct fg_scenario_row *row;

	if (!row_is_known(r->scenario, set, name))
		return refuse_row(r, node, set, name);
	row = FG_SCENARIO_APPEND(r, set->rows, set->row_count);
	if (!row)
		return -1;
	row->name = strdup(name);
	row->cells = calloc(columns ? columns : 1, sizeof(*row->cells));
	if (!row->name || !row->cells)
		return fg_fail_errno(r->err, FG_ERR_INTERNAL, ENOMEM, "%s", r->scenario->yaml.file);
	if (json_is_object(node))
		return read_columns(r, node, set, row);
	return json_is_array(node) ? read_list(r, node, set, row) : read_words(r, node, set, row);
}

int fg_scenario_read_table(struct fg_scenario_reader *r, const json_t *node,
			   struct fg_scenario_set *set)
{
	const char *name;
	json_t *value;

	if (!json_is_object(node))
		return fg_scenario_fail(r, node,
					"expected the table: a mapping of senders to rows");
	json_object_foreach ((json_t *)node, name, value) {
		size_t mark = fg_scenario_enter(r, name, 0);

		if (read_row(r, name, value, set))
			return -1;
		fg_scenario_leave(r, mark);
	}
	return 0;
}
