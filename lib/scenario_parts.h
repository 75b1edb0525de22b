/* SPDX-License-Identifier: GPL-2.0-only */
/* scenario_parts.h - what the readers of a scenario's parts share; others include scenario.h. */
#ifndef FG_SCENARIO_PARTS_H
#define FG_SCENARIO_PARTS_H

#include "scenario.h"

struct fg_scenario_reader {
	struct fg_scenario *scenario;
	const json_t *defaults; /* NULL: none */
	char path[256];		/* of the key that is being read: "probes[2].expect" */
	struct fg_error *err;
};

/* --- places in the file --- */

/* Goes one step into the tree: a key, or where key is NULL an index. Returns what fg_scn_leave()
 * takes. */
size_t fg_scn_enter(struct fg_scenario_reader *r, const char *key, size_t index);
void fg_scn_leave(struct fg_scenario_reader *r, size_t mark);

/* An error at a node: "FILE:LINE:COLUMN: PATH: text". Returns -1. */
int fg_scn_fail(struct fg_scenario_reader *r, const json_t *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same at the node's key. */
int fg_scn_fail_key(struct fg_scenario_reader *r, const json_t *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts place and path before the error that a strict parser has left. Returns -1. */
int fg_scn_fail_parsed(struct fg_scenario_reader *r, const json_t *node);
/* The hint "did you mean ...", where a word is near. Returns -1. */
int fg_scn_suggest(struct fg_scenario_reader *r, const char *text, const char *const *words,
		   size_t count);

/* --- values --- */

bool fg_scn_null(const struct fg_scenario_reader *r, const json_t *node);

/* A mapping that has no keys but these; what says what the mapping is, for the message. */
int fg_scn_map(struct fg_scenario_reader *r, const json_t *node, const char *what,
	       const char *const *keys, size_t count, bool packet_keys);

/* A text, with its variables replaced. Returns it (owned by the caller), or NULL. */
char *fg_scn_text(struct fg_scenario_reader *r, const json_t *node);
/* "true" or "false". */
int fg_scn_switch(struct fg_scenario_reader *r, const json_t *node, bool *out);
/* The text at key, into *out (owned by the scenario); untouched where there is none. */
int fg_scn_text_at(struct fg_scenario_reader *r, const json_t *map, const char *key, char **out);

/* The value at key: in map, or else in the defaults. */
const json_t *fg_scn_get(const struct fg_scenario_reader *r, const json_t *map, const char *key);

/* Calls fn for the node, or for each item where it is a list; an empty list is refused. */
int fg_scn_each(struct fg_scenario_reader *r, const json_t *node,
		int (*fn)(struct fg_scenario_reader *r, const json_t *item, void *arg), void *arg);

/* One more item of an array of the scenario. Returns it, zeroed, or NULL. */
void *fg_scn_grow(struct fg_scenario_reader *r, void *array, size_t *count, size_t size);

/* --- the parts --- */

int fg_scn_read_variables(struct fg_scenario_reader *r, const json_t *root,
			  struct fg_scenario_setting *settings, size_t count);
int fg_scn_read_pods(struct fg_scenario_reader *r, const json_t *node);
int fg_scn_read_destinations(struct fg_scenario_reader *r, const json_t *node);
/* The pods or the place that a text at a probe means, made where it is no name. Returns the index,
 * or -1. */
int fg_scn_find_pods(struct fg_scenario_reader *r, const json_t *node);
int fg_scn_find_place(struct fg_scenario_reader *r, const json_t *node);

int fg_scn_read_expect(struct fg_scenario_reader *r, const json_t *node,
		       struct fg_scenario_expect *out);
/* One word or letter of a table. Returns 0, or -1 where there is no such word (without an error).
 */
int fg_scn_expect_word(const char *word, struct fg_scenario_expect *out);
int fg_scn_read_table(struct fg_scenario_reader *r, const json_t *node,
		      struct fg_scenario_set *set);
void fg_scn_expect_free(struct fg_scenario_expect *expect);
/* The label of a column of the set's table. Returns buf. */
const char *fg_scn_column_name(const struct fg_scenario *scenario,
			       const struct fg_scenario_set *set, size_t column, char *buf,
			       size_t size);

/*
 * The packet that defaults, set and entry (may be NULL) describe. proto (NULL: what they say),
 * written at proto_node, goes before. Returns its index, or -1.
 */
int fg_scn_make_packet(struct fg_scenario_reader *r, const json_t *set, const json_t *entry,
		       const char *proto, const json_t *proto_node);
int fg_scn_read_sets(struct fg_scenario_reader *r, const json_t *probes, const json_t *matrix);
/* `ports` of a matrix, or the ports of a single probe. */
int fg_scn_read_ports(struct fg_scenario_reader *r, const json_t *map, struct fg_scenario_set *set);
/* Every packet, port and destination of the set fits together. */
int fg_scn_check_set(struct fg_scenario_reader *r, struct fg_scenario_set *set);

#endif
