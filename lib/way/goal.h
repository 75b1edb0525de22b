/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * way/goal.h - the room of what is known of a packet's way before it is sent: what the pod's own
 * kernel makes of it (way/ways.h), where the node's routes and bridges lead (here), the receivers
 * there with their programs (way/receiver.h), and netfilter in between (way/watch.h).
 */
#ifndef FG_GOAL_H
#define FG_GOAL_H

#include <stdint.h>

#include "base/error.h"
#include "host/host.h"
#include "host/pod.h"

/* Pods that route for pods: a node within a pod, and one more. */
#define FG_GOAL_DEPTH_MAX 4

/* Where a packet is about to go. */
struct fg_goal {
	enum fg_goal_kind {
		FG_GOAL_OUT,  /* out of the host, or it is not known */
		FG_GOAL_HOST, /* the host's own stack */
		FG_GOAL_POD,
	} kind;
	uint32_t netns;	 /* POD: its namespace's inode number */
	uint64_t cookie; /* POD: its namespace's, as the number may be another's later */
	/* POD: the device in it that the packet comes in by; OUT: of the host, by which it leaves;
	 * 0: not known */
	int ifindex;
	/* The port of a switch that it was found behind, of the node and of each namespace that
	 * routes on the way; 0: none was searched for */
	int ports[FG_GOAL_DEPTH_MAX];
	unsigned int entered; /* namespaces that were looked into to find it */
};

/*
 * Follows the routes and bridges from the pod's primary. mac: of the pod's next hop. What
 * netfilter, IPVS or a BPF program makes of the address is not known here. What is not below the
 * node (host/below.h) counts as out of the host. Returns 0, or -1 if a namespace on
 * the way is there and cannot be looked at. last: what was found for the same packet before (NULL:
 * nothing): where a switch does not tell the port, that port is tried before all others. err may
 * be NULL.
 */
int fg_goal_find(struct fg_host *host, const struct fg_pod *pod, const struct fg_addr *src,
		 const struct fg_addr *dst, const uint8_t mac[6], const struct fg_goal *last,
		 struct fg_goal *out, struct fg_error *err);

#endif
