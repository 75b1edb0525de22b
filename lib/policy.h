/* SPDX-License-Identifier: GPL-2.0-only */
/* policy.h - the BPF programs on a pod's egress path, in the order in which the kernel runs them. */
#ifndef FG_POLICY_H
#define FG_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "pod.h"
#include "probe.h"

/*
 * Lists them: tcx and clsact egress of the peer, netkit's peer programs, XDP, tcx and clsact ingress of the
 * primary (sch_handle_egress, netkit_xmit, veth_xdp_rcv / do_xdp_generic, sch_handle_ingress). A kernel without
 * tcx or netkit has none of these. Errors are those of the queries; a missing privilege is FG_ERR_UNSUPPORTED.
 */
int fg_policy_list(const struct fg_pod *pod, struct fg_ladder *out, struct fg_error *err);

/*
 * The programs on the way back to the pod: tcx and clsact egress and netkit's own of the primary, XDP, tcx and
 * clsact ingress of the peer. Otherwise as fg_policy_list().
 */
int fg_policy_list_back(const struct fg_pod *pod, struct fg_ladder *out, struct fg_error *err);

/* Whether both name the same programs in the same order: false after somebody changed the path. */
bool fg_policy_same(const struct fg_ladder *a, const struct fg_ladder *b);

/* What the kernel counted of a program since statistics were switched on. */
struct fg_run_count {
	uint64_t runs;
	uint64_t ns;
};

/* Reads the counters of a program by descriptor. Returns 0 or -1. */
int fg_policy_run_count(int program_fd, struct fg_run_count *out);

#endif
