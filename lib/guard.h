/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guard.h - keeps probes away from live connections: a tuple that a socket of the pod or connection tracking, in the pod
 * or on the host's side, already uses is refused. And the other way round: which entries a probe left, and away with them.
 */
#ifndef FG_GUARD_H
#define FG_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "dissect.h"
#include "error.h"
#include "left.h"
#include "plan.h"
#include "pod.h"

struct fg_guard;

/*
 * Opens netlink sockets in both namespaces of the pod. probes: how many will be asked about: for a few, the kernel is
 * asked about each (what that costs hardly depends on how much there is); for many, all sockets are listed once, and the
 * connection tracking entries of the source. tracking: whether these are looked at; else sockets alone are, and
 * fg_guard_left() finds nothing. NULL on failure.
 */
struct fg_guard *fg_guard_open(const struct fg_pod *pod, uint64_t probes, bool tracking,
			       struct fg_error *err);
void fg_guard_close(struct fg_guard *guard);

/*
 * Whether a packet of this flow can be sent without touching a connection. Returns 0 (the tuple then counts as the run's
 * own, and later probes may use it again), or -1: FG_ERR_USAGE where it is in use, and by what; another error where that
 * could not be found out.
 */
int fg_guard_check(struct fg_guard *guard, const struct fg_flow *flow, struct fg_error *err);

/*
 * The same for a probe that is about to be built. Where its source port or ICMP identifier was chosen at random, another one
 * is chosen in its spec until the tuple is free. plan NULL: nothing in it was chosen.
 */
int fg_guard_admit(struct fg_guard *guard, const struct fg_plan *plan, struct fg_probe_spec *spec,
		   struct fg_error *err);

/*
 * Finds the connection tracking entries that the probes of a window left, and sets result.left of each; it is good until the
 * next call. Entries that were there before the run are none of them. tidy: deletes them. Returns 0 or -1.
 */
int fg_guard_left(struct fg_guard *guard, struct fg_probe *probes, uint32_t count, bool tidy,
		  struct fg_error *err);

#endif
