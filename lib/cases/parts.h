/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cases/parts.h - which of a scenario's probes are asked for together: those that stay on their
 * node, and those whose packets other nodes await meanwhile. Pure.
 */
#ifndef FG_CASES_PARTS_H
#define FG_CASES_PARTS_H

#include "cases/cases.h"

/* Packets that one request sends, and others await, at most: it holds their results. */
#define FG_PARTS_PROBES_MAX 256
/* More receivers of a destination on other nodes than these are not asked. */
#define FG_PARTS_RECEIVERS_MAX 8

/* A node that awaits packets, for the rank-th receiver (from 0) there of each destination. */
struct fg_part_half {
	const char *node; /* borrowed */
	size_t rank;
	char *blocks; /* those that may come; owned */
};

struct fg_part {
	const char *node; /* the sender's; borrowed */
	/*
	 * Blocks of the node's own scenario (fg_split_node()), as --blocks has them; owned; NULL:
	 * all of them.
	 */
	char *blocks;
	uint64_t round;		     /* from 1; 0: all rounds in one request */
	uint64_t probes;	     /* of a round */
	struct fg_part_half *halves; /* owned */
	size_t half_count;	     /* 0: nothing of it leaves the node */
};

/* Zeroed is empty. */
struct fg_parts {
	struct fg_part *list; /* owned */
	size_t count;
};

/*
 * The parts of a scenario whose split has its receivers. What a control proves is in no other part
 * than the control, unless both are more than fit. Returns 0 or -1; free it either way.
 */
int fg_parts_find(const struct fg_cases *c, const struct fg_split *split, struct fg_parts *out,
		  struct fg_error *err);
void fg_parts_free(struct fg_parts *parts);

/* Which half of the part is for a receiver of its probes; -1: none is. */
ptrdiff_t fg_parts_half(const struct fg_part *part, const struct fg_targets *receivers,
			size_t index);

/*
 * The block that is the number-th (from 0) of a node's own scenario, and the end that its packets
 * go to (NULL: they have none). Returns NULL if there are less.
 */
const struct fg_scenario_block *fg_parts_block(const struct fg_cases *c,
					       const struct fg_split *split, const char *node,
					       uint64_t number, const struct fg_split_end **to);

#endif
