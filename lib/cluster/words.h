/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cluster/words.h - which words of the command line are for flowgen kube itself, and which are
 * handed on to the verb on a node. Pure.
 */
#ifndef FG_CLUSTER_WORDS_H
#define FG_CLUSTER_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Whether an option (len bytes of its name) takes a value: 1 or 0; -1: it is not known. */
struct fg_words_tables {
	int (*own)(const char *name, size_t len);
	int (*of_verb)(const char *verb, const char *name, size_t len);
	bool (*is_verb)(const char *word);
	/* The name of the verb's option with this letter; NULL: there is none. */
	const char *(*letter)(const char *verb, char letter);
};

/* Zeroed is empty. All texts are borrowed from argv. */
struct fg_words {
	const char **own;      /* argv[0], then options of flowgen kube; owned, ends with NULL */
	const char **words;    /* options and operands of the verb; owned, ends with NULL */
	const char **operands; /* of words those that are no option and no value; owned, likewise */
	size_t own_count, word_count, operand_count;
	const char *verb;     /* NULL: none */
	const char *protocol; /* of the verb's --proto; NULL: none */
	const char *output;   /* of the verb's --output, which is not in words; NULL: none */
};

/*
 * Sorts the words. kubectl's options of one letter (-n, -s, -A, -l) become long ones. The verb is
 * the first word that is not an option; before it only options of flowgen kube may stand. What
 * follows
 * "--" is the verb's, with it. Returns 0, or -1 with FG_ERR_USAGE; free it either way.
 */
int fg_words_sort(struct fg_words *words, const struct fg_words_tables *tables, int argc,
		  char **argv, struct fg_error *err);
/* Takes away the first operand, which is then no word of the verb. NULL: there is none. */
const char *fg_words_take(struct fg_words *words);
/* --output as kubectl flowgen has it; NULL: not given. Text is not broken into lines there. */
const char *fg_words_output(const struct fg_words *words);
/* The word that asks for help; NULL: none does. */
const char *fg_words_help(const struct fg_words *words);
void fg_words_free(struct fg_words *words);

#endif
