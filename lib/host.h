/* SPDX-License-Identifier: GPL-2.0-only */
/* host.h - the host as far as pods are looked up on it: its namespaces, its devices, and what runtimes call its pods. */
#ifndef FG_HOST_H
#define FG_HOST_H

#include <stdint.h>

#include "error.h"
#include "link.h"
#include "netns.h"
#include "rtnl.h"
#include "runtime.h"

struct fg_host {
	char root[100]; /* put before /run and /proc; "" or "/host" */
	int netns;	/* the namespace that flowgen was started in; owned */
	uint32_t inode;
	struct nl_sock *rtnl;	   /* in it; owned */
	struct fg_links links;	   /* its devices, as they were when the host was opened */
	struct fg_netns_list list; /* all namespaces, as they were then */
	bool asked;		   /* runtimes were listed, or could not be */
	struct fg_runtime_pods runtimes;
	struct fg_error why; /* why not; FG_OK where they were */
};

/* Returns 0 or -1. Close with fg_host_close(), also after a failure. root: see struct fg_host. */
int fg_host_open(struct fg_host *host, const char *root, struct fg_error *err);
void fg_host_close(struct fg_host *host);

/* The pods of the container runtimes, listed when first asked for. NULL where that failed: err then says why. Borrowed. */
const struct fg_runtime_pods *fg_host_runtimes(struct fg_host *host, struct fg_error *err);

/* The runtimes' pod in the namespace with this inode number; NULL: they know none, or could not be listed. Borrowed. */
const struct fg_runtime_pod *fg_host_runtime_pod(struct fg_host *host, uint32_t inode);

/* "NAMESPACE/NAME", or the name alone where there is no namespace. Returns buf. */
const char *fg_runtime_pod_label(const struct fg_runtime_pod *pod, char *buf, size_t size);

/* What a person calls the namespace: its pod, else its name below /run/netns, else NULL. buf may be what is returned. */
const char *fg_host_label(struct fg_host *host, uint32_t inode, char *buf, size_t size);

/* The id that the namespace of sk has given to the one of netns_fd (RTM_GETNSID); -1: none. */
int fg_host_nsid(struct nl_sock *sk, int netns_fd);

/* Opens the namespace that sk's namespace knows by this id, and tells its path. Returns an owned fd, or -1. */
int fg_host_open_nsid(const struct fg_host *host, struct nl_sock *sk, int nsid, const char **path);

#endif
