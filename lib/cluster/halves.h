/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cluster/halves.h - the two halves of a packet's way, from two nodes, as one result
 * (doc/result.schema.json). No times of two nodes are compared: each observation's is that of its
 * own node. Pure.
 */
#ifndef FG_CLUSTER_HALVES_H
#define FG_CLUSTER_HALVES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cluster/join.h"

/* What a node that awaited the packet says. */
struct fg_half {
	const char *node;
	const char *namespace, *pod; /* who receives it there; "": not known */
	json_t *result;		     /* owned by the caller; NULL: there is none */
	const char *why;	     /* why there is none; "": it is not known */
};

/*
 * Makes the sender's result the whole one. Where the packet was seen to arrive, the ladder goes on
 * on that node. Where it left and was not seen to arrive, the answer is inconclusive, and says
 * between which nodes. What ended on the sender's node stays as it is. Returns whether it was seen
 * to arrive.
 */
bool fg_halves_join(json_t *sender, const struct fg_join_end *end, const struct fg_half *halves,
		    size_t count);

/* Whether the sender's result says that the packet ended on its node. */
bool fg_halves_ended(const json_t *result);

/* Whether a half's result says that the packet arrived on its node. */
bool fg_halves_arrived(const json_t *result);

/*
 * The exit status for a joined result: 0, 1 (not as expected) or 4 (not conclusive). sender,
 * receiver: those of the two requests; -1: it did not arrive. An expectation of several keys is not
 * met here: fg_cases_expected() tells.
 */
int fg_halves_status(const json_t *result, int sender, int receiver);

#endif
