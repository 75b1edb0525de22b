/* SPDX-License-Identifier: GPL-2.0-only */
/* left.h - the state that a probe leaves in the kernel: entries of connection tracking. Only the value; pure. */
#ifndef FG_LEFT_H
#define FG_LEFT_H

#include <stdbool.h>
#include <stdint.h>

#include "dissect.h"

/* An entry of connection tracking, as ctnetlink describes it. */
struct fg_conn {
	struct fg_flow orig, reply; /* tuples, see fg_flow_tuple() */
	uint32_t id;	  /* the kernel's, which tells it from a later one of the same tuple */
	uint32_t status;  /* IPS_* (linux/netfilter/nf_conntrack_common.h) */
	uint32_t timeout; /* seconds until the kernel removes it */
	uint32_t mark;
	uint16_t zone;
};

/* One that a probe left, and where. */
struct fg_left_conn {
	struct fg_conn conn;
	uint32_t netns; /* inode number */
	bool pod;	/* of the pod; else of the host side */
	bool removed;	/* --tidy took it away again */
};

#define FG_LEFT_MAX 2 /* one in each of the two namespaces */

struct fg_left {
	uint32_t count;
	struct fg_left_conn list[FG_LEFT_MAX];
};

#endif
