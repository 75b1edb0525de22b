/* SPDX-License-Identifier: GPL-2.0-only */
/* netns.h - network namespaces: opening, making, a short stay in one, and the list of those on this host. */
#ifndef FG_NETNS_H
#define FG_NETNS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

/* A new namespace without a name: it lives as long as the descriptor. Returns it (owned by the caller), or -1. */
int fg_netns_create(struct fg_error *err);

/* The namespace behind a path (a named one, or /proc/PID/ns/net). Refuses what is none. Returns an owned fd, or -1. */
int fg_netns_open(const char *path, struct fg_error *err);

/* The inode number that names the namespace (the one that BPF sees as net->ns.inum). 0 on failure. */
uint32_t fg_netns_inode(int fd);

/*
 * Enters a namespace for a short stay; *back then holds the way home. Returns 0 or -1.
 * fg_netns_leave() goes home; where that fails the process is aborted: nothing may run in the wrong namespace.
 */
int fg_netns_enter(int fd, int *back, struct fg_error *err);
void fg_netns_leave(int *back);

/* One namespace of this host, with a path that opens it now. */
struct fg_netns_entry {
	uint32_t inode;
	pid_t pid;	/* of a process in it; 0 where it was found by name */
	char name[256]; /* below /run/netns; empty where it has none */
	char path[512]; /* opens it */
};

struct fg_netns_list {
	struct fg_netns_entry *entries;
	size_t count;
};

/*
 * All namespaces that have a name or a process, each once; names go first. root is put before /run and /proc
 * ("" or "/host"). A process that ends meanwhile is passed over. Free with fg_netns_list_free().
 */
int fg_netns_list(const char *root, struct fg_netns_list *out, struct fg_error *err);
void fg_netns_list_free(struct fg_netns_list *list);

/* The entry with this inode number, or NULL. */
const struct fg_netns_entry *fg_netns_list_find(const struct fg_netns_list *list, uint32_t inode);

#endif
