/* SPDX-License-Identifier: GPL-2.0-only */
/* pod.h - a pod as flowgen needs it: a network namespace, its pair of devices (peer inside, primary outside), addresses. */
#ifndef FG_POD_H
#define FG_POD_H

#include <stdint.h>

#include "error.h"
#include "host.h"
#include "link.h"
#include "netns.h"
#include "rtnl.h"

struct fg_pod {
	char ref[300]; /* as the user named it */
	char name
		[330]; /* "NAMESPACE/NAME", a container's, or the network namespace's name; may be empty */
	char uid[64];	     /* of Kubernetes; may be empty */
	const char *runtime; /* whose pod it is, static text; NULL: none is known */
	char path[512];	     /* opens the namespace */
	int netns;	     /* owned; -1: not open */
	uint32_t inode;
	struct nl_sock *rtnl;		    /* in it; owned */
	struct fg_link peer;		    /* the device in the pod */
	struct fg_link_addresses addresses; /* of the peer */

	char host_path
		[512];	/* opens the namespace of the primary; empty: the one flowgen runs in */
	int host_netns; /* owned */
	uint32_t host_inode;
	struct nl_sock *host_rtnl; /* owned */
	struct fg_link primary;	   /* the device on the host side */
};

/* What a reference was found to mean: a namespace. */
struct fg_pod_place {
	char path[512];
	uint32_t inode;
};

/*
 * Finds the namespace that ref names:
 *   netns:NAME, a path (it begins with / or .), pid:N, ip:ADDR, dev:NAME (a host-side device): what the kernel knows;
 *   NAMESPACE/NAME, uid:UID, container:ID-OR-NAME: what container runtimes keep on disk (fg_runtime_find).
 * Any other word is tried as a name, a pid, an address and a device, and must mean one namespace only; where it is none of
 * them, it may be the name or the whole id of one container.
 * Errors: FG_ERR_USAGE for a malformed or ambiguous ref (listing what it could mean), FG_ERR_UNSUPPORTED where there is no
 * such pod, or the runtime says that it shares the host's network.
 */
int fg_pod_find(struct fg_host *host, const char *ref, struct fg_pod_place *out,
		struct fg_error *err);

/*
 * Finds the pod (see fg_pod_find) and opens it. interface: the device in the pod; NULL: the one pair device, or the one
 * that the pod's default route uses. Also FG_ERR_UNSUPPORTED where it shares the host's namespace, or has no pair to the
 * host (macvlan and the like). After an error *pod is closed.
 */
int fg_pod_open(struct fg_host *host, const char *ref, const char *interface, struct fg_pod *pod,
		struct fg_error *err);

/* The same for a namespace that is already known by the path that opens it; ref: how messages name it. */
int fg_pod_open_path(struct fg_host *host, const char *ref, const char *path, const char *interface,
		     struct fg_pod *pod, struct fg_error *err);
void fg_pod_close(struct fg_pod *pod);

/* The pod's first global address of the family (any scope where it has no global one), or NULL. */
const struct fg_addr *fg_pod_address(const struct fg_pod *pod, uint16_t family);

/* Whether addr is one of the pod's device's own. */
bool fg_pod_owns(const struct fg_pod *pod, const struct fg_addr *addr);

#endif
