/* SPDX-License-Identifier: GPL-2.0-only */
/* guard_parts.h - what a guard owns; shared by guard.c (before the probes) and guard_left.c (after them). */
#ifndef FG_GUARD_PARTS_H
#define FG_GUARD_PARTS_H

#include "conntrack.h"
#include "flowset.h"
#include "guard.h"
#include "sockdiag.h"

#define ETHERNET_LEN 14

/* Up to so many tuples are asked for one by one. */
#define FG_GUARD_FEW 64

/* A namespace whose connection tracking is looked at. */
struct fg_guard_place {
	uint32_t netns; /* inode number */
	bool pod;
	struct nl_sock *tracking; /* owned; NULL: it has none */
};

struct fg_guard_entry {
	struct fg_conn conn;
	uint32_t place;
};

/*
 * What was listed: the sockets of a protocol (src is a family alone) and port (0: all), or the entries of a source
 * (protocol 0).
 */
struct fg_guard_topic {
	uint8_t protocol;
	uint16_t port;
	struct fg_addr src;
};

struct fg_guard {
	char pod[300]; /* as the user named it */
	struct fg_guard_place places[FG_LEFT_MAX];
	struct nl_sock *diag; /* owned */
	bool listing;	      /* all is listed at once; else asked for by tuple, and by port */

	struct fg_guard_topic *loaded;
	size_t loaded_count;
	struct fg_socket *sockets;
	size_t socket_count;
	struct fg_flowset connected; /* index in sockets */
	uint64_t bound[65536 / 64];  /* ports with a socket that has no peer */

	struct fg_guard_entry *entries; /* that were there before */
	size_t entry_count;
	struct fg_flowset tracked; /* both tuples of each; index in entries */
	struct fg_flowset own;	   /* tuples that the run uses itself; only where it asks */

	struct fg_left *left; /* of the window's probes */
	uint32_t left_room;
	uint8_t *scratch; /* a frame, to read its tuple */
	size_t scratch_size;
};

int fg_guard_tracking_failed(int code, struct fg_error *err);

#endif
