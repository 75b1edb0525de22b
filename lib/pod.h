/* SPDX-License-Identifier: GPL-2.0-only */
/* pod.h - a pod as flowgen needs it: a network namespace, its pair of devices (peer inside, primary outside), addresses. */
#ifndef FG_POD_H
#define FG_POD_H

#include <stdint.h>

#include "error.h"
#include "link.h"
#include "netns.h"
#include "rtnl.h"

/* The host, as far as pods are looked up on it. */
struct fg_host {
	char root[100];		   /* put before /run and /proc; "" or "/host" */
	int netns;		   /* the namespace that flowgen was started in; owned */
	uint32_t inode;
	struct nl_sock *rtnl;	   /* in it; owned */
	struct fg_links links;	   /* its devices, as they were when the host was opened */
	struct fg_netns_list list; /* all namespaces, as they were then */
};

/* Returns 0 or -1. Close with fg_host_close(), also after a failure. root: see struct fg_host. */
int fg_host_open(struct fg_host *host, const char *root, struct fg_error *err);
void fg_host_close(struct fg_host *host);

struct fg_pod {
	char ref[300];		/* as the user named it */
	char name[300];		/* "NAMESPACE/NAME" of Kubernetes, or the namespace's name; may be empty */
	char path[512];		/* opens the namespace */
	int netns;		/* owned; -1: not open */
	uint32_t inode;
	struct nl_sock *rtnl;	/* in it; owned */
	struct fg_link peer;	/* the device in the pod */
	struct fg_link_addresses addresses; /* of the peer */

	char host_path[512];	/* opens the namespace of the primary; empty: the one flowgen runs in */
	int host_netns;		/* owned */
	uint32_t host_inode;
	struct nl_sock *host_rtnl; /* owned */
	struct fg_link primary; /* the device on the host side */
};

/*
 * Finds the pod that ref names: netns:NAME, a path, pid:N, ip:ADDR, dev:NAME (a host-side device), or a bare
 * word, which is tried as each of these, and must mean one namespace only. interface: the device in the pod;
 * NULL: the one pair device, or the one that the pod's default route uses.
 * Errors: FG_ERR_USAGE for a malformed or ambiguous ref (listing what it could mean), FG_ERR_UNSUPPORTED where there is no
 * such pod, where it shares the host's namespace, or has no pair to the host (macvlan and the like). *pod is then closed.
 */
int fg_pod_open(const struct fg_host *host, const char *ref, const char *interface,
		struct fg_pod *pod, struct fg_error *err);

/* The same for a namespace that is already known by the path that opens it. */
int fg_pod_open_path(const struct fg_host *host, const char *path, const char *interface,
		     struct fg_pod *pod, struct fg_error *err);
void fg_pod_close(struct fg_pod *pod);

/* The pod's first global address of the family (any scope where it has no global one), or NULL. */
const struct fg_addr *fg_pod_address(const struct fg_pod *pod, uint16_t family);

/* Whether addr is one of the pod's device's own. */
bool fg_pod_owns(const struct fg_pod *pod, const struct fg_addr *addr);

#endif
