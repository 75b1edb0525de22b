// SPDX-License-Identifier: GPL-2.0-only
/* scenario/record.c - what was seen, written back into the file as what is expected. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "scenario/internal.h"

struct record {
	const struct fg_scenario *scenario;
	const struct fg_scenario_layout *layout;
	const char *const *seen;
	const uint8_t *statuses; /* by probe: exit statuses of commands */
};

/* The one word that all probes of a block have in common; "any" if they differ or nothing was
 * sent. */
static const char *block_word(const struct record *rec, const struct fg_scenario_block *b)
{
	const char *word = rec->seen[b->first];

	for (uint64_t i = 1; word && i < b->total; i++)
		if (!rec->seen[b->first + i] || strcmp(word, rec->seen[b->first + i]) != 0)
			return "any";
	return word ? word : "any";
}

static const char *label_of(const struct record *rec, const struct fg_scenario_block *b)
{
	const struct fg_scenario_set *set = &rec->scenario->sets[b->set];

	return b->source ? b->source->label : rec->scenario->pods[set->from[b->from]].name;
}

/* Joins a block's word into the cell of its row: if several blocks share one, they must agree.
 */
static int put_cell(const struct record *rec, json_t *rows, const struct fg_scenario_block *b)
{
	const struct fg_scenario_set *set = &rec->scenario->sets[b->set];
	size_t columns = set->to_count * set->port_count;
	const char *label = label_of(rec, b), *word = block_word(rec, b), *before;
	json_t *row = json_object_get(rows, label);

	if (!row) {
		row = json_array();
		for (size_t i = 0; row && i < columns; i++)
			json_array_append_new(row, json_string("skip"));
		if (!row || json_object_set_new(rows, label, row))
			return -1;
	}
	before = json_string_value(json_array_get(row, b->column));
	if (!before)
		return -1;
	if (strcmp(before, "skip") != 0 && strcmp(before, word) != 0)
		word = "any";
	return json_array_set_new(row, b->column, json_string(word));
}

/* Whether all columns of a row have the same word. */
static bool is_even(const json_t *row)
{
	for (size_t i = 1; i < json_array_size(row); i++)
		if (!json_equal(json_array_get(row, 0), json_array_get(row, i)))
			return false;
	return true;
}

/*
 * The text of a row of the file, changed to this row where that takes letters alone; whatever says
 * the same stays. NULL: it takes words.
 */
static const char *row_as_before(const json_t *row, char *text)
{
	size_t n = 0, kept = 0;

	for (char *at = text + strspn(text, " \t\n"); *at; n++) {
		size_t len = strcspn(at, " \t\n");
		const char *now = json_string_value(json_array_get(row, n));
		char word[16];

		snprintf(word, sizeof(word), "%.*s", (int)len, at);
		if (!now)
			return NULL;
		if (fg_scenario_same_word(word, now)) {
			kept++;
		} else if (len == 1 && fg_scenario_letter(now)) {
			*at = fg_scenario_letter(now);
			kept++;
		}
		at += len;
		at += strspn(at, " \t\n");
	}
	return kept == n && (n == json_array_size(row) || (n == 1 && is_even(row))) ? text : NULL;
}

/* A row as words in their columns; with a single word if it is the same everywhere. */
static json_t *row_text(const json_t *row)
{
	char *text = NULL;
	size_t len, i;
	FILE *out = open_memstream(&text, &len);
	json_t *word, *result;

	if (!out)
		return NULL;
	json_array_foreach ((json_t *)row, i, word) {
		fprintf(out, "%s%s", i ? " " : "", json_string_value(word));
	}
	fclose(out);
	result = is_even(row) ? json_incref(json_array_get(row, 0)) : json_string(text);
	free(text);
	return result;
}

/* before: the row that the file has; NULL: none. */
static json_t *row_like(const json_t *row, const json_t *before)
{
	FG_FREE char *text = json_is_string(before) ? strdup(json_string_value(before)) : NULL;
	const char *kept = text ? row_as_before(row, text) : NULL;

	return kept ? json_string(kept) : row_text(row);
}

static int record_matrix(const struct record *rec, size_t set, json_t *map)
{
	json_t *rows = json_object(), *table = json_object(), *row;
	const json_t *before = json_object_get(map, "table");
	const char *label;
	int ret = rows && table ? 0 : -1;

	for (size_t i = 0; !ret && i < rec->layout->count; i++)
		if (rec->layout->blocks[i].set == set)
			ret = put_cell(rec, rows, &rec->layout->blocks[i]);
	json_object_foreach (rows, label, row)
		if (!ret && json_object_set_new(table, label,
						row_like(row, json_object_get(before, label))))
			ret = -1;
	json_decref(rows);
	if (ret || json_object_set_new(map, "table", table)) {
		if (ret)
			json_decref(table);
		return -1;
	}
	json_object_del(map, "expect");
	return 0;
}

static int record_probe(const struct record *rec, size_t set, json_t *map)
{
	const char *word = NULL;

	for (size_t i = 0; i < rec->layout->count; i++) {
		const char *own;

		if (rec->layout->blocks[i].set != set)
			continue;
		own = block_word(rec, &rec->layout->blocks[i]);
		word = word && strcmp(word, own) != 0 ? "any" : own;
	}
	return json_object_set_new(map, "expect", json_string(word ? word : "any"));
}

/* The status that all runs of the command had; -1: they differ, or it was not run. */
static int common_status(const struct record *rec, size_t set)
{
	int status = -1;

	for (size_t i = 0; i < rec->layout->count; i++) {
		const struct fg_scenario_block *b = &rec->layout->blocks[i];

		for (uint64_t k = b->first; b->set == set && k < b->first + b->total; k++) {
			if (!rec->seen[k] || (status >= 0 && status != rec->statuses[k]))
				return -1;
			status = rec->statuses[k];
		}
	}
	return status;
}

static int record_command(const struct record *rec, size_t set, json_t *map)
{
	int status = common_status(rec, set);
	char text[8] = "any";

	if (status >= 0)
		snprintf(text, sizeof(text), "%d", status);
	return record_probe(rec, set, map) ||
			       json_object_set_new(map, "exit-status", json_string(text))
		       ? -1
		       : 0;
}

/* The nth probe or matrix: an alias is a place of its own here. */
static json_t *map_at(const json_t *root, size_t n)
{
	const json_t *probes = json_object_get(root, "probes");
	json_t *matrix = json_object_get(root, "matrix");

	if (n < json_array_size(probes))
		return json_array_get(probes, n);
	return json_is_array(matrix) ? json_array_get(matrix, n - json_array_size(probes)) : matrix;
}

char *fg_scenario_record(const struct fg_scenario *scenario,
			 const struct fg_scenario_layout *layout, const char *const *seen,
			 const uint8_t *statuses, const char **lost, struct fg_error *err)
{
	const struct record rec = {
		.scenario = scenario, .layout = layout, .seen = seen, .statuses = statuses
	};
	json_t *copy = json_deep_copy(scenario->yaml.root);
	char *text = NULL;
	size_t place = 0;
	int ret = copy ? 0 : -1;

	if (copy && json_object_get(copy, "variables"))
		ret = json_object_set(copy, "variables", scenario->variables);
	for (size_t i = 0; !ret && i < scenario->set_count; i++) {
		const struct fg_scenario_set *set = &scenario->sets[i];
		json_t *map;

		/* A control that a short form made has no place of its own in the file. */
		if (set->control_of >= 0 && !set->control_node)
			continue;
		map = map_at(copy, place++);
		ret = set->command  ? record_command(&rec, i, map)
		      : set->matrix ? record_matrix(&rec, i, map)
				    : record_probe(&rec, i, map);
	}
	*lost = NULL;
	if (!ret) {
		text = fg_yaml_rewrite(&scenario->yaml, copy, lost, err);
		text = *lost ? fg_yaml_write(copy, err) : text;
	} else {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", scenario->yaml.file);
	}
	json_decref(copy);
	return text;
}
