/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * yaml/yaml.h - a YAML (or JSON) document as a jansson tree, with the place of each node in the
 * text. Pure: no I/O.
 *
 * Every scalar becomes a string, as it was written: the key decides what a value
 * means, so that YAML's own guesses ("on" a truth value, "0123" a number) do no harm. Bounded,
 * whatever the text is: its size, the depth, and the number of nodes with all aliases followed.
 */
#ifndef FG_YAML_TREE_H
#define FG_YAML_TREE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

#define FG_YAML_SIZE_MAX (16U << 20) /* bytes of text */
#define FG_YAML_DEPTH_MAX 32
#define FG_YAML_NODES_MAX (1U << 20)

/* Where a node is in the text: lines and columns from 1; columns are characters. */
struct fg_yaml_place {
	const json_t *node;
	uint32_t line, column;
	uint32_t key_line, key_column; /* of its key, in a mapping; else 0 */
	uint32_t size;		       /* nodes in it, aliases followed */
	bool null;		       /* written as nothing, ~ or null */
};

struct fg_yaml {
	char *file;		      /* as errors name it; owned */
	json_t *root;		      /* owned */
	struct fg_yaml_place *places; /* a hash table by node; owned */
	size_t place_count, place_room;
	struct fg_buffer text, events; /* by fg_yaml_keep(); else empty */
};

/*
 * Reads the one document in text. file names it in errors, which are FG_ERR_USAGE and begin with
 * "FILE:LINE:COLUMN: ". Refused are: a syntax error, a second document, tags, keys that are no
 * scalars or are given twice, aliases without an anchor, NUL characters, and what is beyond the
 * bounds above. An empty document has a root that is null. Returns 0 or -1; free with
 * fg_yaml_free() in either case.
 */
int fg_yaml_read(struct fg_yaml *yaml, const char *file, const char *text, size_t len,
		 struct fg_error *err);
void fg_yaml_free(struct fg_yaml *yaml);

/*
 * The two halves of it: what libyaml says of the text, as bytes (an error of the text's is among
 * them); and the tree that follows from these, which may come from a process that is not trusted.
 * Return 0 or -1.
 */
int fg_yaml_events(struct fg_buffer *out, const char *file, const char *text, size_t len,
		   struct fg_error *err);
int fg_yaml_build(struct fg_yaml *yaml, const char *file, const void *events, size_t size,
		  struct fg_error *err);

/* The place of a node of this tree; never NULL. */
const struct fg_yaml_place *fg_yaml_place(const struct fg_yaml *yaml, const json_t *node);

/*
 * Writes a tree of objects, arrays and scalars as YAML in block style, which fg_yaml_read() and
 * other readers take back to the same tree. Returns the text (owned by the caller), or NULL with
 * FG_ERR_INTERNAL if memory is short.
 */
char *fg_yaml_write(const json_t *root, struct fg_error *err);

/*
 * Keeps the text of a document and its events (fg_yaml_events()), for fg_yaml_rewrite(). Copies
 * both. Returns 0, or -1 with FG_ERR_INTERNAL if memory is short.
 */
int fg_yaml_keep(struct fg_yaml *yaml, const void *text, size_t len, const void *events,
		 size_t size, struct fg_error *err);

/*
 * The text that was kept, changed where it says something else than the tree root, and only there:
 * comments, order, quotes and empty lines stay. It reads as root. Where a node is replaced or left
 * out, the comments in it go with it. Returns the text (owned by the caller); or NULL: with *why,
 * if this text cannot be changed so (anchors, merge keys, block scalars in the way), or none was
 * kept; else *why is NULL, and memory is short (FG_ERR_INTERNAL).
 */
char *fg_yaml_rewrite(const struct fg_yaml *yaml, const json_t *root, const char **why,
		      struct fg_error *err);

#endif
