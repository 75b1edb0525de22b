// SPDX-License-Identifier: GPL-2.0-only
/* option/help.c - the help of a verb. */
#include <stdio.h>
#include <string.h>

#include "option/internal.h"

/* Where the help of an option begins, and the widest line that reads well. */
#define COLUMN 28U
/* Rows of a table that is short enough to be shown whole. */
#define FEW 16
#define WIDEST 100U
#define NARROWEST 50U

/* Words up to the width, each line behind the indent; the first of them is at column `at`. */
static void put_wrapped(struct fg_buffer *out, const char *text, unsigned int at,
			unsigned int indent, unsigned int width)
{
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (!first && at + 1 + len > width) {
			fg_buffer_printf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			fg_buffer_puts(out, " ");
			at++;
		}
		fg_buffer_put(out, text, len);
		at += (unsigned int)len;
		text += len + strspn(text + len, " ");
		first = false;
	}
	fg_buffer_puts(out, "\n");
}

static void put_option(struct fg_buffer *out, const struct fg_option *o, unsigned int width)
{
	char letter[8] = "    ", head[80];
	int at;

	if (o->letter)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	at = snprintf(head, sizeof(head), "  %s--%s%s%s%s", letter, o->name,
		      o->optional   ? "[="
		      : o->argument ? " "
				    : "",
		      o->argument ? o->argument : "", o->optional ? "]" : "");
	fg_buffer_puts(out, head);
	if (at < 0 || (unsigned int)at + 2 > COLUMN)
		fg_buffer_printf(out, "\n%*s", (int)COLUMN, "");
	else
		fg_buffer_printf(out, "%*s", (int)COLUMN - at, "");
	put_wrapped(out, o->help, COLUMN, COLUMN, width);
}

static void put_examples(struct fg_buffer *out, const struct fg_verb *verb, unsigned int width)
{
	const char *const *e = fg_option_examples(verb->name);

	if (!e)
		return;
	fg_buffer_puts(out, "\nExamples:\n");
	for (; e[0]; e += 2) {
		fg_buffer_printf(out, "  %s\n      ", e[0]);
		put_wrapped(out, e[1], 6, 6, width);
	}
}

/* The operands come last, as they are written. */
static void put_usage(struct fg_buffer *out, const struct fg_verb *verb,
		      const struct fg_option_table *t)
{
	fg_buffer_printf(out, "Usage: flowgen %s [OPTION...]%s%s\n", verb->name,
			 t->operand ? " " : "", t->operand ? t->operand->argument : "");
}

static size_t put_options(struct fg_buffer *out, const struct fg_option_table *t, bool all,
			  unsigned int width)
{
	const char *heading = "Options:";
	size_t left_out = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct fg_option *o = &t->rows[i];

		if (o->type == FG_OPTION_HEADING && all)
			heading = o->help;
		if (o->type == FG_OPTION_HELP && all && i && t->rows[i - 1].type != FG_OPTION_HELP)
			heading = "Help:";
		if (!o->name)
			continue;
		if (!all && !o->common) {
			left_out += o->type != FG_OPTION_HELP;
			continue;
		}
		if (heading)
			fg_buffer_printf(out, "\n%s\n", heading);
		heading = NULL;
		put_option(out, o, width);
	}
	return left_out;
}

void fg_option_help_put(const struct fg_verb *verb, enum fg_option_help help, unsigned int width,
			struct fg_buffer *out)
{
	struct fg_option_table t = fg_option_table(verb);
	size_t left_out;
	bool all = help == FG_OPTION_HELP_ALL || t.count <= FEW;

	width = width > WIDEST ? WIDEST : width < NARROWEST ? NARROWEST : width;
	put_usage(out, verb, &t);
	if (help != FG_OPTION_HELP_USAGE) {
		fg_buffer_puts(out, "\n");
		put_wrapped(out, verb->about, 0, 0, width);
		put_examples(out, verb, width);
		left_out = put_options(out, &t, all, width);
		fg_buffer_puts(out, "\n");
		if (verb->end)
			put_wrapped(out, verb->end, 0, 0, width);
		if (left_out)
			fg_buffer_printf(
				out, "%zu more option%s: flowgen %s --help=all, or flowgen(8).\n",
				left_out, left_out == 1 ? "" : "s", verb->name);
	}
	fg_option_table_free(&t);
}

static void put_quoted(struct fg_buffer *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./:=,@%+[]";

	if (*word && strspn(word, plain) == strlen(word)) {
		fg_buffer_puts(out, word);
		return;
	}
	fg_buffer_puts(out, "'");
	for (; *word; word++)
		fg_buffer_printf(out, *word == '\'' ? "'\\%c'" : "%c", *word);
	fg_buffer_puts(out, "'");
}

/* Where old is the word, or what stands behind its equals sign; NULL: it is neither. */
static const char *stands_in(const char *word, const char *old)
{
	const char *equals = strchr(word, '=');

	if (!old)
		return NULL;
	if (!strcmp(word, old))
		return word;
	return equals && word[0] == '-' && !strcmp(equals + 1, old) ? equals + 1 : NULL;
}

void fg_option_again(int argc, char *const *argv, const char *old, const char *new,
		     struct fg_buffer *out)
{
	for (int i = 0; i < argc; i++) {
		const char *at = i ? stands_in(argv[i], old) : NULL;

		fg_buffer_puts(out, i ? " " : "");
		if (at)
			fg_buffer_printf(out, "%.*s%s", (int)(at - argv[i]), argv[i], new);
		else if (i)
			put_quoted(out, argv[i]);
		else
			fg_buffer_puts(out, argv[0]);
	}
	if (!old)
		fg_buffer_printf(out, " %s", new);
}

void fg_option_verbs_put(const struct fg_verb *const *verbs, size_t count, struct fg_buffer *out)
{
	fg_buffer_puts(out, "Usage: flowgen VERB [OPTION...]\n"
			    "Ask the kernel what would happen to a packet that a pod sent now, and "
			    "who decides.\n\n");
	for (size_t i = 0; i < count; i++)
		fg_buffer_printf(out, "  %-8s %s\n", verbs[i]->name, verbs[i]->summary);
	fg_buffer_puts(
		out, "  help     print this, or the help of a verb: flowgen help inject\n"
		     "  version  print the version\n"
		     "\nFirst steps: flowgen check; flowgen pods; flowgen inject POD ADDRESS:PORT\n"
		     "flowgen VERB --help lists the options of a verb that people use, --help=all "
		     "all of them.\n"
		     "Exit status: 0 concluded, 1 not as expected, 2 wrong usage or input, 3 not "
		     "possible on this\nhost or pod, 4 inconclusive, 5 internal error. See "
		     "flowgen(8).\n");
}
