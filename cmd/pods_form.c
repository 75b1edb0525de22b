// SPDX-License-Identifier: GPL-2.0-only
/* pods_form.c - the two forms of `flowgen pods`: a JSON object a line, and a table for a person. */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "names.h"
#include "output.h"
#include "pods.h"

const char *fg_pods_mode(const struct fg_link *link)
{
	return link->netkit_mode == FG_LINK_L2	 ? "l2"
	       : link->netkit_mode == FG_LINK_L3 ? "l3"
						 : NULL;
}

static bool is_open(const struct fg_pods_entry *e)
{
	return e->pod.netns >= 0;
}

/* --- JSON ---------------------------------------------------------------------------------------------------------- */

/* Names of namespaces and programs may hold any byte; JSON holds UTF-8 only. Empty and NULL are null. */
static json_t *text_json(const char *text)
{
	json_t *value = text && text[0] ? json_string(text) : json_null();
	FG_FREE char *copy = NULL;

	if (value || !text)
		return value;
	copy = strdup(text);
	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return copy ? json_string(copy) : NULL;
}

static json_t *program_json(const struct fg_program *p, size_t order)
{
	char tag[17];

	for (size_t k = 0; k < 8; k++)
		snprintf(tag + 2 * k, 3, "%02x", p->tag[k]);
	return json_pack("{s:i, s:s, s:s, s:o, s:I, s:o, s:s}", "order", (int)order, "hook",
			 fg_hook_name(p->hook), "side", fg_side_name(p->side), "device",
			 text_json(p->device), "id", (json_int_t)p->id, "name", text_json(p->name),
			 "tag", tag);
}

static json_t *programs_json(const struct fg_ladder *ladder)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ladder->count; i++)
		json_array_append_new(list, program_json(&ladder->programs[i], i + 1));
	return list;
}

static json_t *addresses_json(const struct fg_link_addresses *addresses)
{
	json_t *list = json_array();
	char text[FG_ADDR_TEXT_LEN];

	for (size_t i = 0; i < addresses->count; i++)
		json_array_append_new(list, json_string(fg_addr_text(&addresses->list[i].addr, text,
								     sizeof(text))));
	return list;
}

static json_t *device_json(const struct fg_pod *p)
{
	return json_pack("{s:s, s:s?, s:o, s:i, s:o, s:i}", "kind", p->peer.kind, "mode",
			 fg_pods_mode(&p->peer), "peer", text_json(p->peer.name), "peer_ifindex",
			 p->peer.ifindex, "primary", text_json(p->primary.name), "primary_ifindex",
			 p->primary.ifindex);
}

static json_t *netns_json(const struct fg_pods_entry *e)
{
	return json_pack("{s:I, s:o}", "inode", (json_int_t)e->inode, "path", text_json(e->path));
}

static json_t *entry_json(const struct fg_pods_entry *e)
{
	const struct fg_runtime_pod *known = e->known;
	bool open = is_open(e);

	return json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s?, s:s?, s:o}",
		"schema", "flowgen.pod/1", "namespace", text_json(known ? known->namespace : NULL),
		"name", text_json(e->name), "uid", text_json(known ? known->uid : NULL), "runtime",
		text_json(known ? known->runtime : NULL), "id", text_json(known ? known->id : NULL),
		"live", known ? json_boolean(known->live) : json_null(), "netns",
		e->path ? netns_json(e) : json_null(), "addresses",
		addresses_json(&e->pod.addresses), "device",
		open ? device_json(&e->pod) : json_null(), "programs", programs_json(&e->ladder),
		"method", open ? fg_method_name(e->method) : NULL, "method_reason",
		open ? e->why : NULL, "refused", text_json(e->refused));
}

int fg_pods_put_json(const struct fg_pods_entry *entry, struct fg_error *err)
{
	json_t *root = entry_json(entry);
	FG_FREE char *line = root ? json_dumps(root, JSON_COMPACT) : NULL;

	json_decref(root);
	if (!line)
		return fg_fail(err, FG_ERR_INTERNAL, "pod %s: no JSON could be made", entry->name);
	if (fg_output_write(line, strlen(line), err))
		return -1;
	return fg_output_write("\n", 1, err);
}

/* --- table --------------------------------------------------------------------------------------------------------- */

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
	COLUMN_WHY,
	COLUMNS
};
_Static_assert(COLUMNS == sizeof(*((struct fg_pods_table *)0)->rows) / sizeof(char *), "a row");

static const char *const titles[COLUMNS] = { "NAMESPACE", "NAME",   "UID",	   "RUNTIME",
					     "ADDRESSES", "DEVICE", "HOST-DEVICE", "METHOD",
					     "PROGRAMS",  "WHY" };

/* What is not there is NULL, so that a column that nobody has can be left out. A control character is shown as '?'. */
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
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	if (len)
		return text;
	free(text);
	return NULL;
}

static char *addresses_cell(const struct fg_link_addresses *all)
{
	char one[FG_ADDR_TEXT_LEN], *text = NULL, *longer;

	for (size_t i = 0; i < all->count; i++) {
		/* Link-local addresses say nothing of who it is. */
		if (all->list[i].scope != 0 && all->count > 1)
			continue;
		fg_addr_text(&all->list[i].addr, one, sizeof(one));
		longer = cell("%s%s%s", text ? text : "", text ? "," : "", one);
		free(text);
		text = longer;
	}
	return text;
}

static char *programs_cell(const struct fg_ladder *ladder)
{
	char *text = NULL, *longer;

	for (size_t i = 0; i < ladder->count; i++) {
		longer = cell("%s%s%s:%s", text ? text : "", text ? " " : "",
			      fg_hook_name(ladder->programs[i].hook), ladder->programs[i].name);
		free(text);
		text = longer;
	}
	return text ? text : cell("none");
}

static void fill_known(const struct fg_runtime_pod *known, char **row)
{
	row[COLUMN_NAMESPACE] = cell("%s", known->namespace);
	row[COLUMN_UID] = cell("%s", known->uid);
	row[COLUMN_RUNTIME] = cell("%s", known->runtime);
}

static void fill_open(const struct fg_pods_entry *e, char **row)
{
	const char *mode = fg_pods_mode(&e->pod.peer);

	row[COLUMN_ADDRESSES] = addresses_cell(&e->pod.addresses);
	row[COLUMN_DEVICE] = cell("%s %s%s%s", e->pod.peer.name, e->pod.peer.kind, mode ? "/" : "",
				  mode ? mode : "");
	row[COLUMN_HOST_DEVICE] = cell("%s", e->pod.primary.name);
	row[COLUMN_METHOD] = cell("%s", fg_method_name(e->method));
	row[COLUMN_PROGRAMS] = programs_cell(&e->ladder);
	row[COLUMN_WHY] = cell("%s", e->why ? e->why : "");
}

int fg_pods_add_row(const struct fg_pods_entry *entry, struct fg_pods_table *table,
		    struct fg_error *err)
{
	char *(*rows)[COLUMNS] = reallocarray(table->rows, table->count + 1, sizeof(*rows));
	char **row;

	if (!rows)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "list of pods");
	table->rows = rows;
	row = rows[table->count++];
	memset(row, 0, sizeof(*rows));
	row[COLUMN_NAME] = cell("%s", entry->name);
	if (entry->known)
		fill_known(entry->known, row);
	if (is_open(entry))
		fill_open(entry, row);
	else
		row[COLUMN_WHY] = cell("refused: %s", entry->refused);
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

static void put_row(FILE *out, const char *const *row, const int width[COLUMNS])
{
	int spaces = 0;

	for (size_t c = 0; c < COLUMNS; c++) {
		const char *text = row[c] ? row[c] : "-";

		if (!width[c])
			continue;
		/* The last column is empty rather than a dash, and no line ends with spaces. */
		if (c == COLUMN_WHY && !row[c])
			continue;
		fprintf(out, "%*s%s", spaces, "", text);
		spaces = width[c] - (int)strlen(text) + 2;
	}
	fputc('\n', out);
}

int fg_pods_put_table(const struct fg_pods_table *table, struct fg_error *err)
{
	int width[COLUMNS];
	FG_FREE char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "list of pods");
	measure(table, width);
	put_row(out, titles, width);
	for (size_t i = 0; i < table->count; i++)
		put_row(out, (const char *const *)table->rows[i], width);
	if (fclose(out))
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "list of pods");
	return fg_output_string(text, err);
}

void fg_pods_free_table(struct fg_pods_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		for (size_t c = 0; c < COLUMNS; c++)
			free(table->rows[i][c]);
	free(table->rows);
}
