/* SPDX-License-Identifier: GPL-2.0-only */
/* guard/internal.h - what is asked before the probes (guard.c), and after them (leftovers.c). */
#ifndef FG_GUARD_INTERNAL_H
#define FG_GUARD_INTERNAL_H

#include "header/flowset.h"
#include "guard/guard.h"
#include "net/conntrack.h"
#include "net/sockdiag.h"

/* Up to this many tuples are asked for one by one, too: for what came since all were listed. */
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
 * What was listed: the sockets of a protocol (src is a family alone) and port (0: all), or the
 * entries of a source (protocol 0).
 */
struct fg_guard_query {
	uint8_t protocol;
	uint16_t port;
	struct fg_addr src;
};

struct fg_guard {
	char pod[300]; /* as the user named it */
	struct fg_guard_place places[FG_LEFTOVERS_MAX];
	struct nl_sock *diag; /* owned */
	bool inbound; /* probes come from outside: it asks the node, whose sockets are the other end
		       */
	bool listing; /* all is listed at once; else asked for by tuple, and by port */
	bool awaits;  /* the probes are another node's, which looks itself */
	bool stale;   /* what the last tuple was refused for is an entry that nobody answered */

	struct fg_guard_query *loaded;
	size_t loaded_count;
	struct fg_socket *sockets;
	size_t socket_count;
	struct fg_flowset connected; /* index in sockets */
	uint64_t *bound; /* owned: bits of ports with a socket that has no peer; NULL: none */

	struct fg_guard_entry *entries; /* that were there before */
	size_t entry_count;
	struct fg_flowset tracked; /* both tuples of each; index in entries */
	struct fg_flowset own;	   /* tuples that the run uses itself; only where it asks */

	struct fg_leftovers *left; /* of the window's probes */
	size_t left_room;
	uint8_t *scratch; /* a frame, to read its tuple */
	size_t scratch_size;
};

int fg_guard_tracking_failed(int code, struct fg_error *err);

#endif
