/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cluster/receivers.h - who may receive what is sent to a target, and on which nodes: the nodes
 * that are asked besides the sender's. Pure.
 */
#ifndef FG_CLUSTER_RECEIVERS_H
#define FG_CLUSTER_RECEIVERS_H

#include "cluster/resolve.h"

/*
 * Adds those whose node is known, with the address and port that the packet arrives with: the
 * target itself, or the backends of the service that the name means to the sender. None is not an
 * error. Returns 0 or -1.
 */
int fg_receivers_find(const struct fg_resolve *r, const struct fg_name *name,
		      const struct fg_object_pod *from, const struct fg_target *to,
		      struct fg_targets *out, struct fg_error *err);

#endif
