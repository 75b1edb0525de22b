/* SPDX-License-Identifier: GPL-2.0-only */
/* option/internal.h - what the files of this room share; others include option/option.h. */
#ifndef FG_OPTION_INTERNAL_H
#define FG_OPTION_INTERNAL_H

#include "option/option.h"

/* A verb's table with the packet's keys in their place, and --help. */
struct fg_option_table {
	struct fg_option *rows; /* owned */
	size_t count;
	const struct fg_option *operand; /* NULL: the verb takes none */
};

/* Without memory the process ends: nothing is set up yet that it could leave behind. */
struct fg_option_table fg_option_table(const struct fg_verb *verb);
void fg_option_table_free(struct fg_option_table *table);

/* The row of this name, which may be shortened. *fits: how many there are; of several, NULL. */
const struct fg_option *fg_option_find(const struct fg_option_table *table, const char *name,
				       size_t len, size_t *fits);

/* Reads the text of one option, NULL if it takes none. Returns 0 or -1. */
int fg_option_value(const struct fg_option *option, const char *what, const char *text,
		    void *options, struct fg_error *err);

/* Pairs: a command line and what it does; ends with NULL. NULL: there are none. */
const char *const *fg_option_examples(const char *verb);

#endif
