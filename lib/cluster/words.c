// SPDX-License-Identifier: GPL-2.0-only
#include "cluster/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"

static int fail_word(const char *word, struct fg_error *err)
{
	fg_fail(err, FG_ERR_USAGE, "no option '%s'", word);
	return fg_hint(err, "see flowgen kube --help, and --help of the verb");
}

static int fail_value(const char *word, struct fg_error *err)
{
	return fg_fail(err, FG_ERR_USAGE, "option '%s' requires an argument", word);
}

static bool is(const char *name, size_t len, const char *text)
{
	return len == strlen(text) && !strncmp(name, text, len);
}

/* What --proto says in other words. */
static void note_shortcut(struct fg_words *w, const char *name, size_t len)
{
	static const char *const shortcuts[] = { "tcp", "udp", "icmp" };

	for (size_t i = 0; i < COUNT(shortcuts); i++)
		if (is(name, len, shortcuts[i]))
			w->protocol = shortcuts[i];
	if (is(name, len, "dns") && !w->protocol)
		w->protocol = "udp";
}

/* Of a verb's option. False: it is not handed on. */
static bool note_value(struct fg_words *w, const char *name, size_t len, const char *value)
{
	if (is(name, len, "proto"))
		w->protocol = value;
	if (!is(name, len, "output"))
		return true;
	w->output = value;
	return false;
}

/* One option, and the next word if that is its value. Returns how many, or -1. */
static int sort_option(struct fg_words *w, const struct fg_words_tables *t, char **argv,
		       struct fg_error *err)
{
	const char *name = argv[0] + 2, *equals = strchr(name, '='), *value;
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	int own = t->own(name, len), takes = own, used;

	if (own < 0)
		takes = w->verb ? t->of_verb(w->verb, name, len) : -1;
	if (takes < 0)
		return fail_word(argv[0], err);
	value = equals ? equals + 1 : takes ? argv[1] : NULL;
	if (takes && !value)
		return fail_value(argv[0], err);
	used = takes && !equals ? 2 : 1;
	if (own < 0)
		note_shortcut(w, name, len);
	if (own < 0 && takes && !note_value(w, name, len, value))
		return used;
	for (int i = 0; i < used; i++)
		if (own >= 0)
			w->own[w->own_count++] = argv[i];
		else
			w->words[w->word_count++] = argv[i];
	return used;
}

/* A letter of the verb's is handed on as it is. */
static int sort_verbs_letter(struct fg_words *w, const struct fg_words_tables *t, char **argv,
			     struct fg_error *err)
{
	const char *name = w->verb ? t->letter(w->verb, argv[0][1]) : NULL, *value = argv[0] + 2;
	bool takes = name && t->of_verb(w->verb, name, strlen(name)) > 0;
	int used = takes && !*value ? 2 : 1;

	if (!name || (!takes && *value))
		return fail_word(argv[0], err);
	value += *value == '=';
	if (used == 2 && !argv[1])
		return fail_value(argv[0], err);
	if (takes && !note_value(w, name, strlen(name), used == 2 ? argv[1] : value))
		return used;
	for (int i = 0; i < used; i++)
		w->words[w->word_count++] = argv[i];
	return used;
}

static int sort_letter(struct fg_words *w, const struct fg_words_tables *t, char **argv,
		       struct fg_error *err)
{
	static const struct {
		char letter;
		const char *name;
		bool takes;
	} letters[] = { { 'n', "--namespace", true }, { 's', "--server", true },
			{ 'l', "--selector", true },  { 'A', "--all-namespaces", false },
			{ 'h', "--help", false },     { 'q', "--quiet", false } };
	const char *rest = argv[0] + 2;

	for (size_t i = 0; i < COUNT(letters); i++) {
		if (argv[0][1] != letters[i].letter)
			continue;
		if (!letters[i].takes && *rest)
			break;
		w->own[w->own_count++] = letters[i].name;
		if (!letters[i].takes)
			return 1;
		/* kubectl takes "-n=shop", too. */
		rest += *rest == '=';
		if (!*rest && !argv[1])
			return fail_value(argv[0], err);
		w->own[w->own_count++] = *rest ? rest : argv[1];
		return *rest ? 1 : 2;
	}
	return sort_verbs_letter(w, t, argv, err);
}

static int sort_word(struct fg_words *w, const struct fg_words_tables *t, char **argv,
		     struct fg_error *err)
{
	if (!strncmp(argv[0], "--", 2))
		return sort_option(w, t, argv, err);
	if (argv[0][0] == '-' && argv[0][1])
		return sort_letter(w, t, argv, err);
	if (w->verb) {
		w->operands[w->operand_count++] = argv[0];
		w->words[w->word_count++] = argv[0];
	} else if (t->is_verb(argv[0])) {
		w->verb = argv[0];
	} else {
		fg_fail(err, FG_ERR_USAGE, "no verb '%s' of flowgen kube", argv[0]);
		return fg_hint(err, "see flowgen kube --help");
	}
	return 1;
}

int fg_words_sort(struct fg_words *w, const struct fg_words_tables *tables, int argc, char **argv,
		  struct fg_error *err)
{
	/* A letter may become two words. */
	w->own = calloc(2 * (size_t)argc + 1, sizeof(*w->own));
	w->words = calloc((size_t)argc + 1, sizeof(*w->words));
	w->operands = calloc((size_t)argc + 1, sizeof(*w->operands));
	if (!w->own || !w->words || !w->operands)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "command line");
	w->own[w->own_count++] = argv[0];
	for (int i = 1, used; i < argc; i += used) {
		used = strcmp(argv[i], "--") != 0 ? sort_word(w, tables, argv + i, err) : 0;
		if (used < 0)
			return -1;
		if (used)
			continue;
		while (i < argc)
			w->words[w->word_count++] = argv[i++];
	}
	return 0;
}

static void remove_word(const char **list, size_t *count, const char *word)
{
	for (size_t i = 0; i < *count; i++) {
		if (list[i] != word)
			continue;
		memmove(&list[i], &list[i + 1], (*count - i) * sizeof(*list));
		--*count;
		return;
	}
}

const char *fg_words_take(struct fg_words *words)
{
	const char *word = words->operand_count ? words->operands[0] : NULL;

	if (!word)
		return NULL;
	remove_word(words->operands, &words->operand_count, word);
	remove_word(words->words, &words->word_count, word);
	return word;
}

void fg_words_free(struct fg_words *words)
{
	free(words->own);
	free(words->words);
	free(words->operands);
	*words = (struct fg_words){};
}

const char *fg_words_output(const struct fg_words *w)
{
	if (!w->output)
		return NULL;
	if (!strcmp(w->output, "jsonl"))
		return "json";
	return !strcmp(w->output, "wide") || !strcmp(w->output, "oneline") ? "text" : w->output;
}

const char *fg_words_help(const struct fg_words *w)
{
	for (size_t i = 1; i < w->own_count; i++)
		if (!strncmp(w->own[i], "--help", 6))
			return w->own[i];
	return NULL;
}
