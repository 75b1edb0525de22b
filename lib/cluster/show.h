/* SPDX-License-Identifier: GPL-2.0-only */
/* cluster/show.h - a result over several nodes as text: the headline, and the ladder by node. Pure.
 */
#ifndef FG_CLUSTER_SHOW_H
#define FG_CLUSTER_SHOW_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"

/* The first line of it, without its newline. */
void fg_show_headline(const json_t *result, struct fg_buffer *out);

/* A command of a scenario (doc/run.schema.json): in one line, and what it did. */
void fg_show_command(const json_t *result, struct fg_buffer *headline, struct fg_buffer *out);

/* Appends the text of a result that cluster/join.h made. If memory is short the buffer has failed.
 */
void fg_show_result(const json_t *result, struct fg_buffer *out);

/* The pods of several nodes as a table. Zeroed is empty. */
enum { FG_SHOW_PODS_COLUMNS = 8 };
struct fg_show_pods {
	char *(*rows)[FG_SHOW_PODS_COLUMNS]; /* owned */
	size_t count;
};

/* Adds a line of `flowgen pods` (doc/pod.schema.json) with its node. Returns 0 or -1. */
int fg_show_pods_add(struct fg_show_pods *table, const json_t *pod, struct fg_error *err);
/* Appends the table, with a head. */
void fg_show_pods_put(const struct fg_show_pods *table, struct fg_buffer *out);
void fg_show_pods_free(struct fg_show_pods *table);

#endif
