/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * runtime/internal.h - what the readers of one runtime's files share. Internal to lib/runtime.
 */
#ifndef FG_RUNTIME_SCAN_H
#define FG_RUNTIME_SCAN_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* One container as its runtime recorded it. sandbox == id: it is the pod's own record. */
struct fg_record {
	const char *runtime;
	char id[128];
	char sandbox[128];
	char namespace[64];
	char name[256]; /* of the pod */
	char uid[64];
	char container[256]; /* its own name, if the runtime lets users choose it */
	/* the recorded path, in the runtime's mount namespace; empty: none recorded */
	char netns[256];
	bool own_netns; /* a namespace of its own was asked for; false: the node's network */
	pid_t pid;	/* as recorded; 0: none */
	int64_t created;
	/* Filled by fg_proc_check(): */
	bool live;	     /* pid is still this container's process */
	uint32_t live_netns; /* inode of pid's network namespace; 0: not live */
	pid_t parent; /* of pid: the runtime's shim, in the runtime's mount and network namespace */
};

struct fg_scan {
	const char *root; /* "" or an absolute path without a slash at its end */
	int root_fd;
	struct fg_record *records;
	size_t count;
	char *buffer; /* reused for each file */
	size_t buffer_size;
	unsigned int skipped;
	char first_skipped[512];
	uint32_t node_netns; /* inode of the node's own namespace; 0: not known */
	pid_t runtime_pid;   /* a process in the runtime's mount namespace; 0: none found */
	struct fg_error *err;
};

/*
 * Called for each entry of a directory (path is relative to the root). Returns 0, or -1 with
 * scan->err filled.
 */
typedef int (*fg_scan_cb)(struct fg_scan *scan, const char *path, const char *entry, void *arg);

/* Goes through a directory; one that is not there has no entries. */
int fg_scan_each(struct fg_scan *scan, const char *path, fg_scan_cb cb, void *arg);

/*
 * Reads and parses a file (path relative to the root). *out is NULL if it is not there or could
 * not be understood (then counted). *changed: its modification time in seconds since the epoch; may
 * be NULL.
 */
int fg_scan_json(struct fg_scan *scan, const char *path, json_t **out, int64_t *changed);

/*
 * The same for an OCI runtime specification, of which only annotations, hostname and
 * linux.namespaces are there.
 */
int fg_scan_spec(struct fg_scan *scan, const char *path, json_t **out, int64_t *changed);
/* The parser of that: a new object, or NULL if the text is not an object. Pure. */
json_t *fg_oci_spec_parse(const char *text, size_t len);

/* The number in a file that holds one and nothing else but a newline; 0 if it does not. */
pid_t fg_scan_pid(struct fg_scan *scan, const char *path);

/* Counts a record that could not be understood. Returns 0. */
int fg_scan_skip(struct fg_scan *scan, const char *path);

/* Adds a copy of record. */
int fg_scan_add(struct fg_scan *scan, const struct fg_record *record);

/*
 * Copies text to a field of a record. False (and the field left empty) if it is not a string, is
 * empty, does not fit, or holds a NUL byte or a control character: a cut name would be another's
 * name.
 */
bool fg_scan_text_set(char *field, size_t size, const char *text);
bool fg_scan_json_set(char *field, size_t size, const json_t *text);

/* linux.namespaces of an OCI runtime specification: sets own_netns and netns. */
void fg_scan_set_netns(struct fg_record *record, const json_t *spec);

/* Joins path parts; false if they do not fit. */
bool fg_scan_path(char *path, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static inline void fg_cleanup_json(json_t **json)
{
	json_decref(*json);
}
#define FG_JSON __attribute__((cleanup(fg_cleanup_json)))

/* The readers: each adds the records of its runtime. */
int fg_containerd_scan(struct fg_scan *scan);
int fg_storage_scan(struct fg_scan *scan);
int fg_docker_scan(struct fg_scan *scan);
/* Goes last: it adds only sandboxes that no other reader found. */
int fg_cni_scan(struct fg_scan *scan);

/*
 * Learns the node's own network namespace, before records are checked. Fails where processes cannot
 * be looked at: without that, who lives and who shares the node's network would be a guess.
 */
int fg_proc_prepare(struct fg_scan *scan);

/*
 * Is the recorded pid still this container's? A number can be another process's by now, so its
 * control group has to name the container, or its namespace has to be the recorded one.
 */
void fg_proc_check(struct fg_scan *scan, struct fg_record *record);

/* A network namespace as found: a path that opens it from here, and its inode. */
struct fg_proc_netns {
	char path[512];
	uint32_t inode;
};

/*
 * The namespace of a pod: count records, its own (if there is one) first. False: it has none (any
 * more).
 */
bool fg_proc_find_netns(const struct fg_scan *scan, const struct fg_record *records, size_t count,
			struct fg_proc_netns *out);

/* Is it the node's own network that the records' processes are in? */
bool fg_proc_host_network(const struct fg_scan *scan, const struct fg_record *records, size_t count,
			  uint32_t inode);

#endif
