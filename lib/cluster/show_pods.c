// SPDX-License-Identifier: GPL-2.0-only
/* show_pods.c - the pods of several nodes as a table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/visible.h"
#include "cluster/show.h"

#define WHAT "list of pods"

static const char *text_at(const json_t *value, const char *a, const char *b)
{
	const char *text;

	value = json_object_get(value, a);
	text = json_string_value(b ? json_object_get(value, b) : value);
	return text ? text : "";
}

static void put_word(struct fg_buffer *out, const char *before, const char *text)
{
	if (out->len)
		fg_buffer_puts(out, before);
	fg_buffer_puts(out, text);
}

static void put_addresses(struct fg_buffer *out, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		/* Link-local addresses say nothing of who it is. */
		if (text && strncmp(text, "fe80:", 5) != 0)
			put_word(out, ",", text);
	}
}

static void put_programs(struct fg_buffer *out, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		put_word(out, " ", text_at(json_array_get(list, i), "name", NULL));
}

/* What is not there is a dash; what a terminal must not get is '?'. */
static char *finish(struct fg_buffer *text)
{
	if (!text->len)
		fg_buffer_puts(text, "-");
	fg_buffer_put(text, "", 1);
	if (text->failed) {
		fg_buffer_free(text);
		return NULL;
	}
	fg_visible_make(text->data);
	return text->data;
}

static void put_cell(struct fg_buffer *out, const json_t *pod, int column)
{
	static const char *const keys[] = { "node", "namespace", "name" };

	switch (column) {
	case 0:
	case 1:
	case 2:
		fg_buffer_puts(out, text_at(pod, keys[column], NULL));
		break;
	case 3:
		put_addresses(out, json_object_get(pod, "addresses"));
		break;
	case 4:
		fg_buffer_puts(out, text_at(pod, "device", "primary"));
		break;
	case 5:
		fg_buffer_puts(out, text_at(pod, "method", NULL));
		break;
	case 6:
		put_programs(out, json_object_get(pod, "programs"));
		break;
	default:
		put_programs(out, json_object_get(pod, "ingress_programs"));
		if (text_at(pod, "refused", NULL)[0])
			put_word(out, " ", text_at(pod, "refused", NULL));
	}
}

int fg_show_pods_add(struct fg_show_pods *table, const json_t *pod, struct fg_error *err)
{
	char *(*row)[FG_SHOW_PODS_COLUMNS] = FG_APPEND(table->rows, table->count, WHAT, err);

	if (!row)
		return -1;
	for (int c = 0; c < FG_SHOW_PODS_COLUMNS; c++) {
		struct fg_buffer text = {};

		put_cell(&text, pod, c);
		(*row)[c] = finish(&text);
		if (!(*row)[c])
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	char *const *x = *(char *const(*)[FG_SHOW_PODS_COLUMNS])a;
	char *const *y = *(char *const(*)[FG_SHOW_PODS_COLUMNS])b;

	for (int c = 0; c < 3; c++)
		if (strcmp(x[c], y[c]) != 0)
			return strcmp(x[c], y[c]);
	return 0;
}

static void put_row(struct fg_buffer *out, char *const *row, const size_t *width)
{
	for (int c = 0; c < FG_SHOW_PODS_COLUMNS; c++) {
		bool last = c + 1 == FG_SHOW_PODS_COLUMNS;

		fg_buffer_printf(out, "%-*s%s", last ? 0 : (int)width[c], row[c],
				 last ? "\n" : "  ");
	}
}

void fg_show_pods_put(const struct fg_show_pods *table, struct fg_buffer *out)
{
	static const char *const titles[FG_SHOW_PODS_COLUMNS] = { "NODE",	 "NAMESPACE",
								  "NAME",	 "ADDRESSES",
								  "HOST-DEVICE", "METHOD",
								  "PROGRAMS",	 "INGRESS" };
	size_t width[FG_SHOW_PODS_COLUMNS];

	for (int c = 0; c < FG_SHOW_PODS_COLUMNS; c++) {
		width[c] = strlen(titles[c]);
		for (size_t i = 0; i < table->count; i++)
			if (strlen(table->rows[i][c]) > width[c])
				width[c] = strlen(table->rows[i][c]);
	}
	if (table->count)
		qsort(table->rows, table->count, sizeof(*table->rows), by_name);
	put_row(out, (char *const *)titles, width);
	for (size_t i = 0; i < table->count; i++)
		put_row(out, table->rows[i], width);
}

void fg_show_pods_free(struct fg_show_pods *table)
{
	for (size_t i = 0; i < table->count; i++)
		for (int c = 0; c < FG_SHOW_PODS_COLUMNS; c++)
			free(table->rows[i][c]);
	free(table->rows);
	*table = (struct fg_show_pods){};
}
