/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host/host.h - the host as far as pods are looked up on it: its namespaces, its devices, and what
 * runtimes call its pods.
 */
#ifndef FG_HOST_H
#define FG_HOST_H

#include <stdint.h>

#include "base/error.h"
#include "net/link.h"
#include "net/netns.h"
#include "net/rtnl.h"
#include "runtime/runtime.h"

struct fg_host {
	char root[100]; /* put before /run and /proc; "" or "/host" */
	int netns;	/* the namespace that flowgen was started in; owned */
	uint32_t inode;
	struct nl_sock *rtnl;	   /* in it; owned */
	struct fg_links links;	   /* its devices, as they were when it was opened or renewed */
	struct fg_netns_list list; /* all namespaces, as they were then */
	/* The namespaces that ids lead to, each as the namespace that gave the id knows it. */
	struct fg_host_nsid {
		uint32_t asking; /* inode number of the one that gave it */
		int nsid;
		uint32_t inode; /* 0: none of the list */
	} * nsids;
	size_t nsid_count;
	uint32_t likely;	/* inode number: where an id led last; 0: none */
	struct fg_below *below; /* see host/below.h */
	size_t below_count;
	bool asked; /* runtimes were listed, or could not be */
	struct fg_runtime_pods runtimes;
	struct fg_error why; /* why not; FG_OK if they were */
};

/* Returns 0 or -1. Close with fg_host_close(), also after a failure. root: see struct fg_host. */
int fg_host_open(struct fg_host *host, const char *root, struct fg_error *err);
void fg_host_close(struct fg_host *host);

/*
 * The pods of the container runtimes, listed when first asked for (and after fg_host_renew()). NULL
 * if that failed: err then says why. Borrowed.
 */
const struct fg_runtime_pods *fg_host_runtimes(struct fg_host *host, struct fg_error *err);

/*
 * The runtimes' pod in the namespace with this inode number; NULL: they know none, or could not be
 * listed. Borrowed.
 */
const struct fg_runtime_pod *fg_host_runtime_pod(struct fg_host *host, uint32_t inode);

/* "NAMESPACE/NAME", or the name alone if there is no namespace. Returns buf. */
const char *fg_host_pod_label(const struct fg_runtime_pod *pod, char *buf, size_t size);

/*
 * What a person calls the namespace: its pod, else its name below /run/netns, else NULL. buf may be
 * what is returned.
 */
const char *fg_host_label(struct fg_host *host, uint32_t inode, char *buf, size_t size);

/* The inode number of the namespace of the host's first process; 0: not known. */
uint32_t fg_host_first_inode(const struct fg_host *host);

/* The id that the namespace of sk has given to the one of netns_fd (RTM_GETNSID); -1: none. */
int fg_host_nsid(struct nl_sock *sk, int netns_fd);

/*
 * Opens the namespace that sk's namespace (asking: its inode number) knows by this id, and tells
 * its path. All namespaces are asked for their ids once for each that asks; what was found is kept,
 * and looked at again before it is believed. Returns an owned fd, or -1: with ENOENT in err->code
 * if there is none, else with what kept it from being found.
 */
int fg_host_open_nsid(struct fg_host *host, uint32_t asking, struct nl_sock *sk, int nsid,
		      const char **path, struct fg_error *err);

/* A sentence about namespaces that may not be looked at, in buf; NULL: there are none. */
const char *fg_host_unseen(const struct fg_host *host, char *buf, size_t size);

/*
 * Lists the namespaces and devices again, as some came up since, and the runtimes' pods when they
 * are asked for next. What was borrowed from these lists is gone.
 */
int fg_host_renew(struct fg_host *host, struct fg_error *err);

#endif
