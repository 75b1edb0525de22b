/* SPDX-License-Identifier: GPL-2.0-only */
/* scenario/internal.h - what the readers of a scenario's parts share; others include scenario.h. */
#ifndef FG_SCENARIO_PARTS_H
#define FG_SCENARIO_PARTS_H

#include "base/grow.h"
#include "scenario/scenario.h"

struct fg_scenario_reader {
	struct fg_scenario *scenario;
	const json_t *defaults; /* NULL: none */
	char path[256];		/* of the key that is being read: "probes[2].expect" */
	struct fg_error *err;
};

/* --- places in the file --- */

/* Goes one step into the tree: a key, or, if key is NULL, an index. Returns what
 * fg_scenario_leave() takes. */
size_t fg_scenario_enter(struct fg_scenario_reader *r, const char *key, size_t index);
void fg_scenario_leave(struct fg_scenario_reader *r, size_t mark);

/* An error at a node: "FILE:LINE:COLUMN: PATH: text". Returns -1. */
int fg_scenario_fail(struct fg_scenario_reader *r, const json_t *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same at the node's key. */
int fg_scenario_fail_key(struct fg_scenario_reader *r, const json_t *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts place and path before the error of a strict parser. Returns -1. */
int fg_scenario_fail_parsed(struct fg_scenario_reader *r, const json_t *node);
/* The hint "did you mean ...", if a word is near. Returns -1. */
int fg_scenario_suggest(struct fg_scenario_reader *r, const char *text, const char *const *words,
			size_t count);
/* A text that is not one of the words: "must be X or Y, not "Z"", and the hint. Returns -1. */
int fg_scenario_fail_word(struct fg_scenario_reader *r, const json_t *node, const char *text,
			  const char *const *words, size_t count);

/* --- values --- */

bool fg_scenario_null(const struct fg_scenario_reader *r, const json_t *node);

/* A mapping that has no keys but these; what says what the mapping is, for the message. */
int fg_scenario_map(struct fg_scenario_reader *r, const json_t *node, const char *what,
		    const char *const *keys, size_t count, bool packet_keys);

/* A text, with its variables replaced. Returns it (owned by the caller), or NULL. */
char *fg_scenario_text(struct fg_scenario_reader *r, const json_t *node);
/* "true" or "false". */
int fg_scenario_switch(struct fg_scenario_reader *r, const json_t *node, bool *out);
/* The text at key, into *out (owned by the scenario); untouched if there is none. */
int fg_scenario_text_at(struct fg_scenario_reader *r, const json_t *map, const char *key,
			char **out);

/* The value at key: in map, or else in the defaults. */
const json_t *fg_scenario_get(const struct fg_scenario_reader *r, const json_t *map,
			      const char *key);

/* Calls fn for the node, or for each item if it is a list; an empty list is an error. */
int fg_scenario_each(struct fg_scenario_reader *r, const json_t *node,
		     int (*fn)(struct fg_scenario_reader *r, const json_t *item, void *arg),
		     void *arg);

/* One more item of an array of the scenario, zeroed and counted. Returns it, or NULL. */
#define FG_SCENARIO_APPEND(r, array, count)                                                        \
	FG_APPEND(array, count, (r)->scenario->yaml.file, (r)->err)

/* --- the parts --- */

int fg_scenario_read_variables(struct fg_scenario_reader *r, const json_t *root,
			       struct fg_scenario_setting *settings, size_t count);
int fg_scenario_read_pods(struct fg_scenario_reader *r, const json_t *node);
int fg_scenario_read_destinations(struct fg_scenario_reader *r, const json_t *node);
/* The pods or the place that a text at a probe means, made if it is not a name. Returns the index,
 * or -1. */
int fg_scenario_find_pods(struct fg_scenario_reader *r, const json_t *node);
int fg_scenario_find_place(struct fg_scenario_reader *r, const json_t *node);

/*
 * The packet that defaults, set and entry (may be NULL) describe. proto (NULL: what they say),
 * written at proto_node, goes before. Returns its index, or -1.
 */
int fg_scenario_make_packet(struct fg_scenario_reader *r, const json_t *set, const json_t *entry,
			    const char *proto, const json_t *proto_node);
int fg_scenario_read_sets(struct fg_scenario_reader *r, const json_t *probes, const json_t *matrix);
/* `ports` of a matrix, or the ports of a single probe. */
int fg_scenario_read_ports(struct fg_scenario_reader *r, const json_t *map,
			   struct fg_scenario_set *set);
/* Every packet, port and destination of the set fits together. */
int fg_scenario_check_set(struct fg_scenario_reader *r, struct fg_scenario_set *set);

/*
 * Reads the probe's `exec` and what is expected of it, into set->command; the set gets a place and
 * ports of its own that stand for it.
 */
int fg_scenario_read_command(struct fg_scenario_reader *r, const json_t *map,
			     struct fg_scenario_set *set);
void fg_scenario_command_free(struct fg_scenario_command *command);

int fg_scenario_read_expect(struct fg_scenario_reader *r, const json_t *node,
			    struct fg_scenario_expect *out);
/* One word or letter of a table. Returns 0, or -1 for an unknown word (without an error).
 */
int fg_scenario_expect_word(const char *word, struct fg_scenario_expect *out);
/* Whether a word or letter of a table means this word. */
bool fg_scenario_same_word(const char *text, const char *word);
/* The letter that a word has in tables; 0: it has none. */
char fg_scenario_letter(const char *word);
int fg_scenario_read_table(struct fg_scenario_reader *r, const json_t *node,
			   struct fg_scenario_set *set);

#endif
