/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * header/flowset.h - a hash table from flows to numbers: tens of thousands of tuples are compared
 * with each other. Pure.
 */
#ifndef FG_FLOWSET_H
#define FG_FLOWSET_H

#include <stddef.h>
#include <stdint.h>

#include "header/dissect.h"

/* Zeroed is empty. */
struct fg_flowset {
	struct fg_flowset_slot {
		struct fg_flow flow; /* family 0: free */
		uint32_t value;
	} * slots; /* owned; fg_flowset_free() */
	size_t room, count;
};

void fg_flowset_free(struct fg_flowset *set);

/* Puts a flow in; one that is there keeps its value. Returns 0, or -1 if memory is short. */
int fg_flowset_add(struct fg_flowset *set, const struct fg_flow *flow, uint32_t value);

/* The value of a flow that fg_flow_equal() holds for the same, or -1. */
int64_t fg_flowset_find(const struct fg_flowset *set, const struct fg_flow *flow);

/*
 * What connection tracking and sockets know of a flow: without flags, the ICMP sequence number and
 * code, which change from packet to packet.
 */
void fg_flowset_tuple(const struct fg_flow *flow, struct fg_flow *out);

#endif
