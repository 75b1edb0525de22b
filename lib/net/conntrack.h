/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net/conntrack.h - connection tracking of a network namespace, by ctnetlink: count, list, find and
 * delete entries.
 */
#ifndef FG_CONNTRACK_H
#define FG_CONNTRACK_H

#include <stdint.h>

#include "base/error.h"
#include "probe/leftovers.h"
#include "net/rtnl.h"

/*
 * A socket in the namespace of netns. *out is NULL if the kernel has no connection tracking, or
 * has not loaded it: then there is nothing to ask, and asking would load it. Owned:
 * nl_socket_free(). Returns 0 or -1.
 */
int fg_conntrack_open(int netns, struct nl_sock **out, struct fg_error *err);

/*
 * The number of entries of the namespace, and (max may be NULL) how many it takes; 0: any number,
 * or the kernel does not say. Returns 0, or a negative errno value.
 */
int fg_conntrack_count(struct nl_sock *sk, uint64_t *out, uint64_t *max);

enum fg_conntrack_side { FG_CONNTRACK_ORIG, FG_CONNTRACK_REPLY };

/* Called for each entry; returns 0, or -1 to fail the whole call. */
typedef int (*fg_conntrack_cb)(const struct fg_conn *conn, void *arg);

/*
 * Lists the entries whose tuple on that side comes from src; the kernel filters if it can
 * (Linux 5.8), and the rest is filtered here. src NULL: all of the family. Returns 0,
 * or a negative errno value.
 */
int fg_conntrack_list(struct nl_sock *sk, uint16_t family, enum fg_conntrack_side side,
		      const struct fg_addr *src, fg_conntrack_cb cb, void *arg);

/*
 * The entry that has this tuple on either side, in zone 0. Returns 0, -ENOENT if there is none or
 * can be none of such a packet (an ICMP error), or another negative errno value. The cost does not
 * depend on how many entries there are.
 */
int fg_conntrack_get(struct nl_sock *sk, const struct fg_flow *tuple, struct fg_conn *out);

/* Deletes that entry, but not a later one of the same tuple. Returns 0, or a negative errno value.
 */
int fg_conntrack_delete(struct nl_sock *sk, const struct fg_conn *conn);

#endif
