/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cluster/join.h - the results of two nodes as one (doc/result.schema.json): one ladder with the
 * names of the nodes. No times of two nodes are compared: the order is that of the packet's way.
 * Pure.
 */
#ifndef FG_CLUSTER_JOIN_H
#define FG_CLUSTER_JOIN_H

#include <jansson.h>
#include <stdbool.h>

#include "cluster/resolve.h"

/* What is known of where a packet goes. */
struct fg_join_end {
	const char *node;	    /* where it was sent */
	const struct fg_target *to; /* what it was sent to; to->node: the receiver's, "": not known
				     */
	bool cluster;	 /* the receiver is, or may be, in the cluster and not on `node` */
	const char *why; /* why nothing is known of the receiver's node */
};

/*
 * Names the node in a result and in each of its decisions. If the packet left the node for another
 * one of the cluster, the sender's half of the answer is not the whole: outcome `inconclusive`,
 * verdict `unknown` (a denial stays one). Returns whether that was so.
 */
bool fg_join_sender(json_t *result, const struct fg_join_end *end);

/* Names the node in a result and in each of its decisions, and what it was sent to. */
void fg_join_name(json_t *result, const struct fg_join_end *end);

/* The device where the packet itself was last seen; NULL: none. Borrowed. */
const char *fg_join_last_seen(const json_t *result);

#endif
