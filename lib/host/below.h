/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host/below.h - which namespaces are below a node: its pods, and the pods of these. What can be
 * seen through /proc and /run/netns may as well be above it or beside it, if the node is a
 * container itself.
 */
#ifndef FG_BELOW_H
#define FG_BELOW_H

#include "host/host.h"
#include "host/pod.h"

/* A namespace below a node. It is there once for each device of the node that leads to it. */
struct fg_below {
	uint32_t node;	/* inode number: below which */
	uint32_t inode; /* 0: the node itself, which has been looked at */
	int ifindex;	/* of the device in the node */
	int inside;	/* of the device in the namespace */
	int master;	/* the bridge that this is a port of; 0: none */
};

/*
 * Whether the namespace is below that of the pod's host side. A pair of devices leads down, except
 * where it is the way out: the node's own default route goes there, or the other end is netkit's
 * primary. The namespace of process 1 is below none. What was found is kept until fg_host_renew().
 * Returns 1 or 0, or -1 if a namespace on the way is there and cannot be looked at.
 */
int fg_below(struct fg_host *host, const struct fg_pod *pod, uint32_t inode, struct fg_error *err);

/* Looks for all of them, once for each node: then they are in host->below. 0 or -1, as above. */
int fg_below_look(struct fg_host *host, const struct fg_pod *pod, struct fg_error *err);

/*
 * Whether that pair, in the namespace of sk, leads down from it, and not out, by the same rules.
 * netns: at its other end.
 */
bool fg_below_leads(const struct fg_host *host, const struct fg_pod *pod, struct nl_sock *sk,
		    const struct fg_link *link, int netns);

/*
 * Whether the node itself holds the address, for a packet of the pod: a link-local one (RFC 4291)
 * only on the link that the pod is on. Returns 1 or 0, or -1 if it could not be asked.
 */
int fg_below_node_holds(const struct fg_pod *pod, const struct fg_addr *addr, struct fg_error *err);

#endif
