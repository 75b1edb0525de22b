// SPDX-License-Identifier: GPL-2.0-only
/* option/read.c - a command line, by a verb's table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/nearest.h"
#include "option/internal.h"

struct reader {
	struct fg_option_table table; /* owned */
	bool *seen, *given;	      /* by row: in all, and by the command line; owned */
	void *options;		      /* the verb's */
	struct fg_option_heard *heard;
	char **next, **end; /* the words that are left */
};

/* What was most likely meant. */
static const char *near(const struct fg_option_table *t, const char *name)
{
	const char **names = calloc(t->count, sizeof(*names)), *found;
	size_t count = 0;

	if (!names)
		return NULL;
	for (size_t i = 0; i < t->count; i++)
		if (t->rows[i].name)
			names[count++] = t->rows[i].name;
	found = fg_nearest(name, names, count);
	/* As --protocol begins with --proto. */
	for (size_t i = 0; !found && i < count; i++)
		if (strlen(names[i]) > 2 && !strncmp(name, names[i], strlen(names[i])))
			found = names[i];
	free(names);
	return found;
}

static int fail_unknown(const struct reader *r, const char *name, struct fg_error *err)
{
	const char *nearest = near(&r->table, name);

	fg_fail(err, FG_ERR_USAGE, "unrecognized option '--%s'", name);
	return nearest ? fg_hint(err, "did you mean --%s?", nearest)
		       : fg_hint(err, "--help=all lists the options");
}

static int fail_ambiguous(const struct reader *r, const char *name, size_t len,
			  struct fg_error *err)
{
	struct fg_buffer list = {};

	for (size_t i = 0; i < r->table.count; i++)
		if (r->table.rows[i].name && !strncmp(r->table.rows[i].name, name, len))
			fg_buffer_printf(&list, " '--%s'", r->table.rows[i].name);
	fg_fail(err, FG_ERR_USAGE, "option '--%.*s' is ambiguous; possibilities:%.*s", (int)len,
		name, (int)list.len, list.data);
	fg_buffer_free(&list);
	return -1;
}

static int set_color(struct fg_option_heard *heard, const char *what, const char *text,
		     struct fg_error *err)
{
	static const char *const words[] = { [FG_OPTION_COLOR_AUTO] = "auto",
					     [FG_OPTION_COLOR_ALWAYS] = "always",
					     [FG_OPTION_COLOR_NEVER] = "never" };
	int word = text ? fg_parse_word(what, text, words, COUNT(words), err)
			: FG_OPTION_COLOR_ALWAYS;

	if (word < 0)
		return -1;
	heard->color = (enum fg_option_color)word;
	return 0;
}

/* What every verb has. */
static int set_common(struct fg_option_heard *heard, const struct fg_option *o, const char *what,
		      const char *text, struct fg_error *err)
{
	if (!strcmp(o->name, "color"))
		return set_color(heard, what, text, err);
	if (text && strcmp(text, "all") != 0)
		return fg_fail(err, FG_ERR_USAGE, "%s: must be all, not \"%s\"", what, text);
	if (o->letter == 'q')
		heard->quiet = true;
	else if (o->letter == 'v')
		heard->verbose = true;
	else if (o->letter)
		heard->help = text ? FG_OPTION_HELP_ALL : FG_OPTION_HELP_COMMON;
	else
		heard->help = FG_OPTION_HELP_USAGE;
	return 0;
}

static int set(struct reader *r, const struct fg_option *o, const char *text, struct fg_error *err)
{
	size_t index = (size_t)(o - r->table.rows);
	char what[64];

	snprintf(what, sizeof(what), "--%s", o->name);
	if (o->type == FG_OPTION_HELP) {
		r->seen[index] = true;
		return set_common(r->heard, o, what, text, err);
	}
	if (r->seen[index] && o->argument && !o->repeatable)
		return fg_fail(err, FG_ERR_USAGE, "%s: given twice", what);
	r->seen[index] = true;
	if (o->given)
		*(bool *)((char *)r->options + o->given - 1) = true;
	return fg_option_value(o, what, text, r->options, err);
}

/*
 * A name that was shortened to a whole word of it may have been taken for another option: --udp of
 * --udp-length.
 */
static void note_short(struct reader *r, const struct fg_option *o, const char *name, size_t len)
{
	if (o->name[len] == '-')
		snprintf(r->heard->note, sizeof(r->heard->note),
			 "--%.*s is read as --%s, which it is short for", (int)len, name, o->name);
}

static int read_long(struct reader *r, const char *name, struct fg_error *err)
{
	const char *equals = strchr(name, '='), *text = equals ? equals + 1 : NULL;
	size_t len = equals ? (size_t)(equals - name) : strlen(name), fits;
	const struct fg_option *o = fg_option_find(&r->table, name, len, &fits);

	if (!o)
		return fits ? fail_ambiguous(r, name, len, err) : fail_unknown(r, name, err);
	if (text && !o->argument)
		return fg_fail(err, FG_ERR_USAGE, "option '--%s' doesn't allow an argument",
			       o->name);
	if (!text && o->argument && !o->optional) {
		if (r->next == r->end)
			return fg_fail(err, FG_ERR_USAGE, "option '--%s' requires an argument",
				       o->name);
		text = *r->next++;
	}
	note_short(r, o, name, len);
	if (!set(r, o, text, err))
		return 0;
	if (o->name[len] && err && !err->hint[0])
		fg_hint(err, "--%.*s is short for --%s", (int)len, name, o->name);
	return -1;
}

static const struct fg_option *by_letter(const struct fg_option_table *t, char letter)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->rows[i].letter == letter)
			return &t->rows[i];
	return NULL;
}

/* "-qv", "-c3", "-c 3" and, as kubectl has it, "-c=3". */
static int read_letters(struct reader *r, const char *letters, struct fg_error *err)
{
	for (const char *at = letters; *at; at++) {
		const struct fg_option *o = by_letter(&r->table, *at);
		const char *text = NULL;

		if (!o) {
			fg_fail(err, FG_ERR_USAGE, "unrecognized option '-%.1s'", at);
			return fg_hint(err, "--help=all lists the options");
		}
		if (o->argument && !o->optional) {
			text = at[1] == '=' ? at + 2 : at[1] ? at + 1 : NULL;
			if (!text && r->next < r->end)
				text = *r->next++;
			if (!text)
				return fg_fail(err, FG_ERR_USAGE,
					       "option '-%c' requires an argument", *at);
		}
		if (set(r, o, text, err))
			return -1;
		if (text)
			break;
	}
	return 0;
}

static int read_operand(struct reader *r, const char *what, const char *text, struct fg_error *err)
{
	if (r->table.operand)
		return fg_option_value(r->table.operand, what, text, r->options, err);
	return fg_fail(err, FG_ERR_USAGE, "unexpected argument '%s'", text);
}

static int read_all(struct reader *r, struct fg_error *err)
{
	while (r->next < r->end && !r->heard->help) {
		const char *word = *r->next++;
		int ret;

		if (!strcmp(word, "--"))
			break;
		if (!strncmp(word, "--", 2))
			ret = read_long(r, word + 2, err);
		else if (word[0] == '-' && word[1])
			ret = read_letters(r, word + 1, err);
		else
			ret = read_operand(r, "", word, err);
		if (ret)
			return -1;
	}
	while (r->next < r->end && !r->heard->help)
		if (read_operand(r, "--", *r->next++, err))
			return -1;
	return 0;
}

static bool is_form(const char *text)
{
	for (const char *const *form = fg_option_all_forms; *form; form++)
		if (!strcmp(*form, text))
			return true;
	return false;
}

static bool is_on(const char *text)
{
	return !strcmp(text, "true") || !strcmp(text, "on") || !strcmp(text, "yes");
}

static bool is_off(const char *text)
{
	return !strcmp(text, "false") || !strcmp(text, "off") || !strcmp(text, "no");
}

/* Whether the verb knows the word; other options take any text until they have read it. */
static bool has_word(const struct fg_option *o, const char *text)
{
	const char *const *word = o->words;

	while (word && *word && strcmp(*word, text) != 0)
		word++;
	return !word || *word;
}

/* Whether the command line has said the same thing by another option. */
static bool is_said_otherwise(const struct reader *r, const char *name)
{
	static const char *const alike[][4] = { { "proto", "tcp", "udp", "icmp" },
						{ "intercept", "pass" },
						{ "interval", "rate" } };

	for (size_t i = 0; i < COUNT(alike); i++) {
		bool one = false, given = false;

		for (size_t j = 0; j < COUNT(alike[i]) && alike[i][j]; j++) {
			size_t fits;
			const struct fg_option *o =
				fg_option_find(&r->table, alike[i][j], strlen(alike[i][j]), &fits);

			one |= !strcmp(name, alike[i][j]);
			given |= o && !strcmp(o->name, alike[i][j]) && r->given[o - r->table.rows];
		}
		if (one && given)
			return true;
	}
	return false;
}

static int set_default(struct reader *r, const struct fg_option *o,
		       const struct fg_option_default *d, struct fg_error *err)
{
	size_t index = (size_t)(o - r->table.rows);
	int ret;

	if (!o->argument && is_off(d->text)) {
		r->seen[index] = true;
		return 0;
	}
	if (!o->argument && !is_on(d->text))
		return fg_fail(err, FG_ERR_USAGE, "%s: --%s: must be true or false, not \"%s\"",
			       d->where, o->name, d->text);
	if (o->type == FG_OPTION_WORD || o->type == FG_OPTION_PORTS) {
		r->seen[index] = true;
		ret = fg_option_value(o, d->name, d->text, r->options, err);
	} else {
		ret = set(r, o, o->argument ? d->text : NULL, err);
	}
	return ret ? fg_error_prefix(err, "%s", d->where) : 0;
}

static int set_defaults(struct reader *r, const struct fg_option_default *d, size_t count,
			struct fg_error *err)
{
	for (; count; d++, count--) {
		size_t fits;
		const struct fg_option *o =
			fg_option_find(&r->table, d->name, strlen(d->name), &fits);

		if (o && strcmp(o->name, d->name) != 0)
			o = NULL;
		if (d->common && (!o || (!has_word(o, d->text) && is_form(d->text))))
			continue;
		if (!o)
			return fg_fail(err, FG_ERR_USAGE, "%s: there is no option --%.60s",
				       d->where, d->name);
		if (!r->seen[o - r->table.rows] && !is_said_otherwise(r, o->name) &&
		    set_default(r, o, d, err))
			return -1;
	}
	return 0;
}

int fg_options_read(const struct fg_verb *verb, int argc, char **argv,
		    const struct fg_option_default *defaults, size_t default_count, void *options,
		    struct fg_option_heard *heard, struct fg_error *err)
{
	struct reader r = { .table = fg_option_table(verb),
			    .options = options,
			    .heard = heard,
			    .next = argv + (argc > 0),
			    .end = argv + argc };
	int ret;

	*heard = (struct fg_option_heard){};
	r.seen = calloc(r.table.count, sizeof(*r.seen));
	r.given = calloc(r.table.count, sizeof(*r.given));
	if (!r.seen || !r.given)
		fg_error_die(ENOMEM, "options");
	ret = read_all(&r, err);
	memcpy(r.given, r.seen, r.table.count * sizeof(*r.given));
	if (!ret && !heard->help)
		ret = set_defaults(&r, defaults, default_count, err);
	free(r.seen);
	free(r.given);
	fg_option_table_free(&r.table);
	return ret;
}
