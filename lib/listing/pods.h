/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * listing/pods.h - the pods of a host, for programs (a JSON object a line, doc/pod.schema.json) and
 * for people (aligned columns). Pure.
 */
#ifndef FG_REPORT_PODS_H
#define FG_REPORT_PODS_H

#include "report/report.h"

struct fg_pods_address {
	struct fg_addr addr;
	bool global; /* and not link-local */
};

/* One pod. All is borrowed; a text that is NULL or "" is not known. */
struct fg_pods_entry {
	const struct fg_origin *origin; /* the run that lists it */
	struct fg_source_pod pod; /* name, path (NULL: no namespace of its own), netns, device */
	bool known;		  /* to a runtime, which says the next five */
	const char *namespace, *uid, *runtime, *id;
	bool live;
	/* Why it cannot be a source; NULL: it can, and the following is filled in. */
	const char *refused;
	const struct fg_pods_address *addresses;
	size_t address_count;
	const struct fg_ladder *ladder; /* its egress path */
	const struct fg_ladder *back;	/* the return path to it */
	enum fg_method method;
	const char *why;  /* of the method; NULL: nothing to say */
	const char *note; /* of its devices (one is down, ...); NULL: nothing to say */
};

/* Appends one line. Returns 0 or -1. */
int fg_pods_json(const struct fg_pods_entry *entry, struct fg_buffer *out, struct fg_error *err);

/* Rows are kept until the widths of the columns are known. Zeroed is empty. */
struct fg_pods_table {
	char *(*rows)[11];
	size_t count;
};

int fg_pods_table_add(struct fg_pods_table *table, const struct fg_pods_entry *entry,
		      struct fg_error *err);

/* Appends the title and all rows. Returns 0 or -1. */
int fg_pods_table_put(const struct fg_pods_table *table, struct fg_buffer *out,
		      struct fg_error *err);
void fg_pods_table_free(struct fg_pods_table *table);

#endif
