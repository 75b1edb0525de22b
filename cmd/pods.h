/* SPDX-License-Identifier: GPL-2.0-only */
/* pods.h - one pod as `flowgen pods` shows it, and the two forms it is shown in. */
#ifndef FG_CMD_PODS_H
#define FG_CMD_PODS_H

#include "method.h"
#include "pod.h"
#include "policy.h"
#include "runtime.h"

struct fg_pods_entry {
	const struct fg_runtime_pod *known; /* what its runtime says; NULL: no runtime knows it */
	const char *name;		    /* never empty */
	const char *path;		    /* opens its namespace; NULL: it has none of its own */
	uint32_t inode;
	struct fg_pod pod; /* closed where it is refused */
	struct fg_ladder ladder;
	enum fg_method method;
	const char *why;   /* of the method; NULL: nothing to say */
	char refused[512]; /* why nothing can be sent as this pod; empty: it can */
};

/* One line of JSON (doc/pod.schema.json) on standard output. Returns 0 or -1. */
int fg_pods_put_json(const struct fg_pods_entry *entry, struct fg_error *err);

/* The table is kept until the widths of its columns are known. */
struct fg_pods_table {
	char *(*rows)[10];
	size_t count;
};

int fg_pods_add_row(const struct fg_pods_entry *entry, struct fg_pods_table *table,
		    struct fg_error *err);
int fg_pods_put_table(const struct fg_pods_table *table, struct fg_error *err);
void fg_pods_free_table(struct fg_pods_table *table);

/* "l2" or "l3"; NULL for a veth. */
const char *fg_pods_mode(const struct fg_link *link);

#endif
