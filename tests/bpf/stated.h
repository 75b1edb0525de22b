/* SPDX-License-Identifier: GPL-2.0-only */
/* stated.h - what tests/prog/test_stated.c asks of the programs in stated.bpf.c. */
#ifndef STATED_H
#define STATED_H

#ifndef __BPF__
#include <linux/types.h>
#endif

enum stated_traits {
	STATED_COUNT = 1U << 0,	  /* in the hash, the LPM trie, the arrays and a variable */
	STATED_NOTIFY = 1U << 1,  /* an event to the perf event array */
	STATED_FLOW = 1U << 2,	  /* an event to the ring buffer */
	STATED_CONNECT = 1U << 3, /* an entry in the table of connections */
	STATED_RULES = 1U << 4,	  /* counters without types, by number */
	STATED_UNKNOWN = 1U << 5, /* an event of a format that nobody knows, to the ring buffer */
	STATED_OTHERS = 1U << 6,  /* the counters move as if three packets more had come */
	STATED_TABLES = 1U << 7,  /* entries in tables that are too big to be read */
};

struct stated_want {
	__u32 traits;
	__u32 reason;
	__u32 returns;
	__u32 verdict;
};

#endif
