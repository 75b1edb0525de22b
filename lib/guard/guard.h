/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guard/guard.h - keeps probes away from live connections: a tuple that a socket of the pod or
 * connection tracking, in the pod or on the host's side, already uses is refused. And afterwards:
 * which entries a probe left, and their removal.
 */
#ifndef FG_GUARD_H
#define FG_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "header/dissect.h"
#include "base/error.h"
#include "probe/leftovers.h"
#include "probe/plan.h"
#include "host/pod.h"

struct fg_guard;

/*
 * Opens netlink sockets in both namespaces of the pod. probes: how many will be checked. For a few,
 * the kernel is asked about each (the cost hardly depends on how many sockets and entries there
 * are); for many, all sockets are listed once, and the connection tracking entries of the source.
 * Of an uplink (host/pod.h), connections of the node's own sockets are looked at instead.
 * tracking: whether these are looked at; else sockets alone are, and fg_guard_leftovers() finds
 * nothing. NULL on failure.
 */
struct fg_guard *fg_guard_open(const struct fg_pod *pod, uint64_t probes, bool tracking,
			       struct fg_error *err);
void fg_guard_close(struct fg_guard *guard);

/* Whether it asks the namespaces of that pod, as they are now. NULL asks none, and is of any. */
bool fg_guard_is_of(const struct fg_guard *guard, const struct fg_pod *pod);

/*
 * The same for a probe that is about to be built. If its source port or ICMP identifier was
 * chosen at random, another one is chosen in its spec until the tuple is free; if none is found,
 * one that no socket has and nobody answered, as anybody can take all of them. plan NULL: nothing
 * in it was chosen.
 */
int fg_guard_admit(struct fg_guard *guard, const struct fg_plan *plan, struct fg_probe_spec *spec,
		   struct fg_error *err);

/*
 * How full connection tracking of the pod's node is, and (0: not known) how many entries it takes.
 * Returns 0, or -1: there is none.
 */
int fg_guard_fill(const struct fg_pod *pod, uint64_t *used, uint64_t *max);

/*
 * Finds the connection tracking entries that the probes of a window left, and sets result.left of
 * each; it is good until the next call. Entries that existed before the run are not included.
 * tidy: deletes them. Returns 0 or -1.
 */
int fg_guard_leftovers(struct fg_guard *guard, struct fg_probe *probes, uint32_t count, bool tidy,
		       struct fg_error *err);

#endif
