// SPDX-License-Identifier: GPL-2.0-only
#include "listing/pods.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"
#include "base/json.h"
#include "base/visible.h"
#include "probe/names.h"
#include "report/origin.h"
#include "report/report.h"

/* --- JSON --- */

static json_t *program_json(const struct fg_program *p, size_t order)
{
	char tag[17];

	for (size_t k = 0; k < 8; k++)
		snprintf(tag + 2 * k, 3, "%02x", p->tag[k]);
	return json_pack("{s:i, s:s, s:s, s:o, s:I, s:o, s:s}", "order", (int)order, "hook",
			 fg_hook_name(p->hook), "side", fg_side_name(p->side), "device",
			 fg_json_text(p->device), "id", (json_int_t)p->id, "name",
			 fg_json_text(p->name), "tag", tag);
}

static json_t *programs_json(const struct fg_ladder *ladder)
{
	json_t *list = json_array();

	for (size_t i = 0; ladder && i < ladder->count; i++)
		json_array_append_new(list, program_json(&ladder->programs[i], i + 1));
	return list;
}

static json_t *number_or_null(uint32_t number)
{
	return number ? json_integer((json_int_t)number) : json_null();
}

static json_t *filter_json(const struct fg_program *f, const char *direction)
{
	char text[FG_LADDER_FILTER_LEN];

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:s, s:o, s:o, s:o}",
			 "direction", direction, "hook", fg_hook_name(f->hook), "side",
			 fg_side_name(f->side), "device", fg_json_text(f->device), "kind",
			 fg_json_text(f->what), "pref", (json_int_t)f->pref, "handle",
			 (json_int_t)f->handle, "chain", (json_int_t)f->chain, "protocol",
			 number_or_null(f->protocol), "parent", number_or_null(f->parent), "action",
			 fg_ladder_action_name(f->action), "target", fg_json_text(f->target),
			 "program", number_or_null(f->id ? f->id : f->action_id), "text",
			 fg_json_text(fg_ladder_filter_text(f, text, sizeof(text))));
}

/* What classifies besides these programs, in both directions. */
static json_t *filters_json(const struct fg_pods_entry *e)
{
	json_t *list = json_array();

	for (size_t i = 0; !e->refused && i < e->ladder->filter_count; i++)
		json_array_append_new(list, filter_json(&e->ladder->filters[i], "egress"));
	for (size_t i = 0; !e->refused && i < e->back->filter_count; i++)
		json_array_append_new(list, filter_json(&e->back->filters[i], "ingress"));
	return list;
}

static json_t *addresses_json(const struct fg_pods_entry *e)
{
	json_t *list = json_array();
	char text[FG_ADDR_TEXT_LEN];

	for (size_t i = 0; !e->refused && i < e->address_count; i++)
		json_array_append_new(
			list, json_string(fg_addr_text(&e->addresses[i].addr, text, sizeof(text))));
	return list;
}

static json_t *netns_json(const struct fg_source_pod *p)
{
	return p->path ? json_pack("{s:I, s:o}", "inode", (json_int_t)p->netns, "path",
				   fg_json_text(p->path))
		       : json_null();
}

static json_t *entry_json(const struct fg_pods_entry *e)
{
	bool open = !e->refused;

	return json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s?, "
		"s:s?, s:s?, s:o}",
		"schema", "flowgen.pod/1", "run", fg_origin_json(e->origin), "namespace",
		fg_json_text(e->namespace), "name", fg_json_text(e->pod.name), "uid",
		fg_json_text(e->uid), "runtime", fg_json_text(e->runtime), "id",
		fg_json_text(e->id), "live", e->known ? json_boolean(e->live) : json_null(),
		"netns", netns_json(&e->pod), "addresses", addresses_json(e), "device",
		open ? fg_report_json_device(&e->pod) : json_null(), "programs",
		programs_json(open ? e->ladder : NULL), "ingress_programs",
		programs_json(open ? e->back : NULL), "filters", filters_json(e), "method",
		open ? fg_method_name(e->method) : NULL, "method_reason", open ? e->why : NULL,
		"note", open ? e->note : NULL, "refused", fg_json_text(e->refused));
}

int fg_pods_json(const struct fg_pods_entry *entry, struct fg_buffer *out, struct fg_error *err)
{
	json_t *root = entry_json(entry);
	FG_FREE char *line = root ? fg_json_dump(root) : NULL;

	json_decref(root);
	if (line)
		fg_buffer_printf(out, "%s\n", line);
	if (!line || out->failed)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "pod %s", entry->pod.name);
	return 0;
}

/* --- table --- */

enum {
	COLUMN_NAMESPACE,
	COLUMN_NAME,
	COLUMN_UID,
	COLUMN_RUNTIME,
	COLUMN_ADDRESSES,
	COLUMN_DEVICE,
	COLUMN_HOST_DEVICE,
	COLUMN_METHOD,
	COLUMN_PROGRAMS,
	COLUMN_INGRESS,
	COLUMN_WHY,
	COLUMNS
};
_Static_assert(COLUMNS == sizeof(*((struct fg_pods_table *)0)->rows) / sizeof(char *), "a row");

static const char *const titles[COLUMNS] = { "NAMESPACE", "NAME",    "UID",	    "RUNTIME",
					     "ADDRESSES", "DEVICE",  "HOST-DEVICE", "METHOD",
					     "PROGRAMS",  "INGRESS", "WHY" };

/*
 * What is not there is NULL, so that a column that nobody has can be left out. A control character
 * is shown as '?'.
 */
__attribute__((format(printf, 1, 2))) static char *cell(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return NULL;
	fg_visible_make(text);
	if (len)
		return text;
	free(text);
	return NULL;
}

static char *addresses_cell(const struct fg_pods_entry *e)
{
	char one[FG_ADDR_TEXT_LEN], *text = NULL, *longer;

	for (size_t i = 0; i < e->address_count; i++) {
		/* Link-local addresses say nothing of who it is. */
		if (!e->addresses[i].global && e->address_count > 1)
			continue;
		fg_addr_text(&e->addresses[i].addr, one, sizeof(one));
		longer = cell("%s%s%s", text ? text : "", text ? "," : "", one);
		free(text);
		text = longer;
	}
	return text;
}

/* "tcx/ingress:policy"; of a filter what it does too: "tc/ingress:u32/redirect" */
static char *add_program(char *text, const struct fg_program *p, bool filter)
{
	char *longer = cell("%s%s%s:%s%s%s", text ? text : "", text ? " " : "",
			    fg_hook_name(p->hook), filter ? p->what : p->name, filter ? "/" : "",
			    filter ? fg_ladder_action_name(p->action) : "");

	free(text);
	return longer;
}

static char *programs_cell(const struct fg_ladder *ladder)
{
	const struct fg_program *f = ladder->filters, *end = f + ladder->filter_count;
	char *text = NULL;

	for (size_t i = 0; i <= ladder->count; i++) {
		for (; f < end && f->before <= i; f++)
			text = add_program(text, f, true);
		if (i < ladder->count)
			text = add_program(text, &ladder->programs[i], false);
	}
	return text ? text : cell("none");
}

static void fill_open(const struct fg_pods_entry *e, char **row)
{
	const char *mode = e->pod.device.mode;

	row[COLUMN_ADDRESSES] = addresses_cell(e);
	row[COLUMN_DEVICE] = cell("%s %s%s%s", e->pod.device.peer, e->pod.device.kind,
				  mode ? "/" : "", mode ? mode : "");
	row[COLUMN_HOST_DEVICE] = cell("%s", e->pod.device.primary);
	row[COLUMN_METHOD] = cell("%s", fg_method_name(e->method));
	row[COLUMN_PROGRAMS] = programs_cell(e->ladder);
	row[COLUMN_INGRESS] = programs_cell(e->back);
	row[COLUMN_WHY] = cell("%s%s%s", e->note ? e->note : "", e->note && e->why ? "; " : "",
			       e->why ? e->why : "");
}

int fg_pods_table_add(struct fg_pods_table *table, const struct fg_pods_entry *entry,
		      struct fg_error *err)
{
	char *(*added)[COLUMNS] = FG_APPEND(table->rows, table->count, "list of pods", err);
	char **row;

	if (!added)
		return -1;
	row = *added;
	row[COLUMN_NAME] = cell("%s", entry->pod.name);
	if (entry->known) {
		row[COLUMN_NAMESPACE] = cell("%s", entry->namespace);
		row[COLUMN_UID] = cell("%s", entry->uid);
		row[COLUMN_RUNTIME] = cell("%s", entry->runtime);
	}
	if (entry->refused)
		row[COLUMN_WHY] = cell("refused: %s", entry->refused);
	else
		fill_open(entry, row);
	return 0;
}

static void measure(const struct fg_pods_table *table, int width[COLUMNS])
{
	for (size_t c = 0; c < COLUMNS; c++) {
		width[c] = 0;
		for (size_t i = 0; i < table->count; i++) {
			int len = table->rows[i][c] ? (int)strlen(table->rows[i][c]) : 0;

			width[c] = len > width[c] ? len : width[c];
		}
		/* A column that nobody has is left out; without a pod the head shows them all. */
		if ((width[c] || !table->count) && width[c] < (int)strlen(titles[c]))
			width[c] = (int)strlen(titles[c]);
	}
}

static void put_row(struct fg_buffer *out, const char *const *row, const int width[COLUMNS])
{
	int spaces = 0;

	for (size_t c = 0; c < COLUMNS; c++) {
		const char *text = row[c] ? row[c] : "-";

		if (!width[c])
			continue;
		/* The last column is empty rather than a dash, and no line ends with spaces. */
		if (c == COLUMN_WHY && !row[c])
			continue;
		fg_buffer_printf(out, "%*s%s", spaces, "", text);
		spaces = width[c] - (int)strlen(text) + 2;
	}
	fg_buffer_puts(out, "\n");
}

int fg_pods_table_put(const struct fg_pods_table *table, struct fg_buffer *out,
		      struct fg_error *err)
{
	int width[COLUMNS];

	measure(table, width);
	put_row(out, titles, width);
	for (size_t i = 0; i < table->count; i++)
		put_row(out, (const char *const *)table->rows[i], width);
	return out->failed ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "list of pods") : 0;
}

void fg_pods_table_free(struct fg_pods_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		for (size_t c = 0; c < COLUMNS; c++)
			free(table->rows[i][c]);
	free(table->rows);
}
