// SPDX-License-Identifier: GPL-2.0-only
/* option/table.c - the rows of a verb: whole, by name, by letter, and for tools. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "option/internal.h"

const char *const fg_option_forms[] = { "json", "text", "jsonl", "wide", NULL };
const char *const fg_option_probe_forms[] = { "json", "text", "jsonl", "wide", "oneline", NULL };
const char *const fg_option_all_forms[] = { "json",    "text", "jsonl", "wide",
					    "oneline", "tap",  "junit", NULL };

/* Every verb has these. */
static const struct fg_option helps[] = {
	{ .type = FG_OPTION_HELP,
	  .name = "help",
	  .letter = 'h',
	  .argument = "all",
	  .optional = true,
	  .repeatable = true,
	  .common = true,
	  .help = "Print this help; with =all every option" },
	{ .type = FG_OPTION_HELP,
	  .name = "quiet",
	  .letter = 'q',
	  .common = true,
	  .help = "Print no notes, warnings, statistics or progress" },
	{ .type = FG_OPTION_HELP,
	  .name = "verbose",
	  .letter = 'v',
	  .common = true,
	  .help = "Print text in its long form, with the notes that every answer has" },
	{ .type = FG_OPTION_HELP,
	  .name = "color",
	  .argument = "always|auto|never",
	  .optional = true,
	  .repeatable = true,
	  .help = "Colour text (auto: on a terminal, unless NO_COLOR is set)" },
	{ .type = FG_OPTION_HELP, .name = "usage", .help = "Print how it is called" },
};

static struct fg_option packet_row(const struct fg_option *row, const struct fg_packet_key *key)
{
	struct fg_option o = *row;

	o.name = key->name;
	o.argument = key->argument;
	o.help = key->help;
	o.repeatable = key->repeatable;
	o.key = key;
	return o;
}

struct fg_option_table fg_option_table(const struct fg_verb *v)
{
	struct fg_option_table t = {};

	t.rows = calloc(v->option_count + fg_packet_key_count + COUNT(helps), sizeof(*t.rows));
	if (!t.rows)
		fg_error_die(ENOMEM, "options");
	for (size_t i = 0; i < v->option_count; i++) {
		const struct fg_option *row = &v->options[i];

		for (size_t k = 0; row->type == FG_OPTION_PACKET && k < fg_packet_key_count; k++)
			t.rows[t.count++] = packet_row(row, &fg_packet_keys[k]);
		if (row->type != FG_OPTION_PACKET)
			t.rows[t.count++] = *row;
		if (row->type == FG_OPTION_OWN && !row->name)
			t.operand = row;
	}
	for (size_t i = 0; i < COUNT(helps); i++)
		t.rows[t.count++] = helps[i];
	return t;
}

void fg_option_table_free(struct fg_option_table *table)
{
	free(table->rows);
	*table = (struct fg_option_table){};
}

const struct fg_option *fg_option_find(const struct fg_option_table *table, const char *name,
				       size_t len, size_t *fits)
{
	const struct fg_option *found = NULL;

	*fits = 0;
	for (size_t i = 0; i < table->count; i++) {
		const struct fg_option *o = &table->rows[i];

		if (!o->name || strncmp(o->name, name, len) != 0)
			continue;
		found = o;
		++*fits;
		if (o->name[len])
			continue;
		*fits = 1;
		break;
	}
	return *fits == 1 ? found : NULL;
}

int fg_options_takes(const struct fg_verb *verb, const char *name, size_t len)
{
	struct fg_option_table t = fg_option_table(verb);
	size_t fits;
	const struct fg_option *o = fg_option_find(&t, name, len, &fits);
	int takes = o ? o->argument && !o->optional : -1;

	fg_option_table_free(&t);
	return takes;
}

const char *fg_option_of_letter(const struct fg_verb *verb, char letter)
{
	for (size_t i = 0; i < verb->option_count; i++)
		if (verb->options[i].letter == letter)
			return verb->options[i].name;
	for (size_t i = 0; i < COUNT(helps); i++)
		if (helps[i].letter == letter)
			return helps[i].name;
	return NULL;
}

void fg_options_dump(const struct fg_verb *verb, struct fg_buffer *out)
{
	struct fg_option_table t = fg_option_table(verb);
	const char *heading = "";

	for (size_t i = 0; i < t.count; i++) {
		const struct fg_option *o = &t.rows[i];

		if (o->type == FG_OPTION_HEADING)
			heading = o->help;
		if (o->type == FG_OPTION_HEADING || o->type == FG_OPTION_HELP)
			continue;
		fg_buffer_printf(out, "%s\t%s\t%s\t%s%s%s\t%s\t", verb->name, heading,
				 o->name ? o->name : "", o->optional ? "[=" : "",
				 o->argument ? o->argument : "", o->optional ? "]" : "",
				 o->repeatable ? "repeatable" : "");
		for (const char *const *w = o->words; w && *w; w++)
			fg_buffer_printf(out, "%s%s", w == o->words ? "" : "|", *w);
		fg_buffer_printf(out, "\t%s\t", o->help ? o->help : "");
		fg_buffer_put(out, &o->letter, o->letter ? 1 : 0);
		fg_buffer_puts(out, "\n");
	}
	fg_option_table_free(&t);
}
