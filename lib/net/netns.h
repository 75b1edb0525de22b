/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net/netns.h - network namespaces: opening, making, a short stay in one, and the list of those on
 * this host.
 */
#ifndef FG_NETNS_H
#define FG_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * A new namespace without a name: it lives as long as the descriptor. Returns it (owned by the
 * caller), or -1.
 */
int fg_netns_create(struct fg_error *err);

/*
 * The namespace behind a path (a named one, or /proc/PID/ns/net). Refuses what is not a namespace.
 * Returns an owned fd, or -1.
 */
int fg_netns_open(const char *path, struct fg_error *err);

/*
 * Whether fg_netns_open() failed because nothing is there (any more), or no namespace. Any other
 * failure (EMFILE, EACCES) says nothing of the namespace.
 */
bool fg_netns_is_gone(const struct fg_error *err);

/*
 * The inode number that names the namespace (the one that BPF sees as net->ns.inum). 0 on failure.
 */
uint32_t fg_netns_inode(int fd);

/* What no other namespace ever has, as one may have the inode number later. 0 on failure. */
uint64_t fg_netns_cookie(int fd);

/*
 * Enters a namespace for a short stay; *back then leads back. Returns 0 or -1. fg_netns_leave()
 * goes back; if that fails the process ends (fg_error_die()): nothing may run in the wrong
 * namespace.
 */
int fg_netns_enter(int fd, int *back, struct fg_error *err);
void fg_netns_leave(int *back);

/* One namespace of this host, with a path that opens it now. */
struct fg_netns_entry {
	uint32_t inode;
	uint32_t place; /* in the order in which the directories list them, /run/netns first */
	pid_t pid;	/* of a process in it; 0 if it was found by name */
	char name[256]; /* below /run/netns; empty if it has none */
	char path[512]; /* opens it */
};

/* A name below /run/netns. Several may lead to one namespace. */
struct fg_netns_name {
	uint32_t inode;
	uint32_t place; /* in the order in which the directory lists them */
	bool link;	/* a symbolic link */
	char name[256];
	char path[512]; /* opens it */
};

struct fg_netns_list {
	struct fg_netns_entry *entries;
	size_t count;
	struct fg_netns_name *names; /* all; of one namespace the one that its entry has first */
	size_t name_count;
	/* What is there and may not be looked at: other users' processes on a locked-down host. */
	uint32_t unreadable;
	char first_unreadable[512]; /* a path */
};

/*
 * All namespaces that have a name or a process, each once; names go first, in the order of the
 * alphabet. One with several names has the first of these that is not a symbolic link. root is put
 * before /run and /proc ("" or "/host"), also before the target of a symbolic link. What is not a
 * namespace, and a process that ends meanwhile, is skipped; what may not be looked at (EACCES,
 * EPERM) is counted. Free with fg_netns_list_free().
 */
int fg_netns_list(const char *root, struct fg_netns_list *out, struct fg_error *err);
void fg_netns_list_free(struct fg_netns_list *list);

/* The entry with this inode number, or NULL. */
const struct fg_netns_entry *fg_netns_list_find(const struct fg_netns_list *list, uint32_t inode);

/* The namespace of this name below /run/netns, or NULL. */
const struct fg_netns_name *fg_netns_list_name(const struct fg_netns_list *list, const char *name);

#endif
