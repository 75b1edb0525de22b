/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host/pod_list.h - the pods of this host: those that container runtimes know, then the network
 * namespaces that they do not know.
 */
#ifndef FG_POD_LIST_H
#define FG_POD_LIST_H

#include "host/host.h"
#include "host/pod.h"

/* One of them. All is borrowed from the host. */
struct fg_pod_listed {
	const struct fg_runtime_pod *known; /* what its runtime says; NULL: no runtime knows it */
	const struct fg_netns_entry *netns; /* if none does, else NULL */
	const char *name;		    /* never empty */
	const char *path;		    /* opens its namespace; NULL: it has none of its own */
	uint32_t inode;
};

struct fg_pod_list {
	struct fg_pod_listed *list;
	size_t count;
};

/*
 * Lists them; if the runtimes cannot be listed, the namespaces alone. Returns 0 or -1. Free with
 * fg_pod_list_free().
 */
int fg_pod_list(struct fg_host *host, struct fg_pod_list *out, struct fg_error *err);
void fg_pod_list_free(struct fg_pod_list *list);

enum fg_pod_found {
	FG_POD_OPEN,
	FG_POD_REFUSED, /* it cannot be a source, and why says why, without its name */
	FG_POD_NONE,	/* the namespace belongs to no pod, or is gone */
};

/* Opens one. The pod is open (fg_pod_close()) for FG_POD_OPEN only. */
enum fg_pod_found fg_pod_list_open(struct fg_host *host, const struct fg_pod_listed *listed,
				   struct fg_pod *pod, struct fg_error *why);

#endif
