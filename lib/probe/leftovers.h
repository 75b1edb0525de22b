/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe/leftovers.h - the state that a probe leaves in the kernel: entries of connection tracking,
 * and of the policy's own tables. Only the value; pure.
 */
#ifndef FG_LEFTOVERS_H
#define FG_LEFTOVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "header/dissect.h"

/* An entry of connection tracking, as ctnetlink describes it. */
struct fg_conn {
	struct fg_flow orig, reply; /* tuples, see fg_flowset_tuple() */
	uint32_t id; /* the kernel's, which distinguishes it from a later one of the same tuple */
	uint32_t status;  /* IPS_* (linux/netfilter/nf_conntrack_common.h) */
	uint32_t timeout; /* seconds until the kernel removes it */
	uint32_t mark;
	uint16_t zone;
	bool zone_orig; /* the zone is that of the original direction alone */
};

/* One that a probe left, and where. */
struct fg_leftover_conn {
	struct fg_conn conn;
	uint32_t netns; /* inode number */
	bool pod;	/* of the pod; else of the host side */
	bool removed;	/* --tidy removed it again */
};

#define FG_LEFTOVERS_MAX 2 /* one in each of the two namespaces */

struct fg_leftovers {
	uint32_t count;
	struct fg_leftover_conn list[FG_LEFTOVERS_MAX];
	/* of connection tracking, all namespaces together: how many there are, and how many it
	 * takes; 0: not known */
	uint64_t entries, max;
};

/* A BPF map of the policy that gained entries with the packets' addresses. */
struct fg_leftover_map {
	uint32_t id;
	char name[16]; /* the kernel keeps 15 characters */
	bool evicts;   /* an LRU map: when it is full, old entries make room */
	uint64_t gained;
	uint64_t entries; /* that are there now, everybody's */
	uint64_t max;	  /* that it takes */
	bool about;	  /* entries (and gained) follow from a part of the map */
};

#define FG_LEFTOVER_MAPS_MAX 8

struct fg_leftover_maps {
	uint32_t probes; /* that this was seen at: 1, or the first ones of a run */
	uint32_t count;
	struct fg_leftover_map list[FG_LEFTOVER_MAPS_MAX];
};

/*
 * How many entries a run adds to a table after its first probes, which added `gained`: if that is
 * more than half of what is free now (entries of max). left: probes of the run, these included;
 * UINT64_MAX: not known, then 0. Returns 0 if there is room.
 */
uint64_t fg_leftovers_excess(uint64_t gained, uint64_t probes, uint64_t left, uint64_t entries,
			     uint64_t max);

/* Whether what the probes added so far is at least half of what was free before them. */
bool fg_leftovers_is_half(uint64_t gained, uint64_t entries, uint64_t max);

/* How many more probes like these it takes until then; at least 1. UINT64_MAX: they add nothing. */
uint64_t fg_leftovers_until_half(uint64_t gained, uint64_t probes, uint64_t entries, uint64_t max);

/* Of fewer probes an entry may be the pod's and not theirs. */
#define FG_LEFTOVERS_FEW 32

/*
 * After how many probes, since the first of all, the first of the tables may be half full, as seen
 * when that many were sent: then they are to be looked at again. After few, it is once they are no
 * more few. UINT64_MAX: none of them fills, or one is half full, which is what was to be known.
 */
uint64_t fg_leftovers_next_look(const struct fg_leftover_maps *tables, uint64_t sent);

#endif
