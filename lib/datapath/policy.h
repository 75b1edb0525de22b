/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/policy.h - the BPF programs and tc filters on a pod's egress path, in the order in which
 * the kernel runs them.
 */
#ifndef FG_POLICY_H
#define FG_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "host/pod.h"
#include "probe/probe.h"

/*
 * Lists them: tcx and clsact egress of the peer, netkit's peer programs, XDP, tcx and clsact
 * ingress of the primary (sch_handle_egress, netkit_xmit, veth_xdp_rcv / do_xdp_generic,
 * sch_handle_ingress). A kernel without tcx or netkit has none of them. Errors are those of the
 * queries, and do not name the pod; a missing privilege is FG_ERR_UNSUPPORTED. What else classifies
 * there (filters of other kinds, classic BPF, other chains, filters of a qdisc) is put into
 * ladder->filters. bare: only to compare it with another (fg_policy_same()): what people read
 * (names, tags) and pod_netfilter are left out, which makes it several times cheaper. Of an uplink
 * (host/pod.h) it lists XDP, tcx and clsact ingress.
 */
int fg_policy_list(const struct fg_pod *pod, bool bare, struct fg_ladder *out,
		   struct fg_error *err);

/*
 * The programs on the return path to the pod: tcx and clsact egress and netkit's own of the
 * primary, XDP, tcx and clsact ingress of the peer; of an uplink, tcx and clsact egress. Otherwise
 * as fg_policy_list().
 */
int fg_policy_list_back(const struct fg_pod *pod, struct fg_ladder *out, struct fg_error *err);

/*
 * All programs and filters of one device: at its egress (tcx, clsact, what classifies for its
 * qdisc; of a netkit primary its own programs too) or its ingress (XDP, tcx, clsact). netns: the
 * device's namespace, inode: its number, rtnl: a socket in it. The side is FG_SIDE_HOST; pod_qdisc
 * means the device's own. Errors as above.
 */
int fg_policy_list_device(int netns, uint32_t inode, struct nl_sock *rtnl,
			  const struct fg_link *link, bool egress, struct fg_ladder *out,
			  struct fg_error *err);

/*
 * The programs that run for what the peer of that netkit primary sends; of any other device none.
 * Otherwise as fg_policy_list_device().
 */
int fg_policy_list_netkit_peer(int netns, uint32_t inode, const struct fg_link *link,
			       struct fg_ladder *out, struct fg_error *err);

/*
 * Notes which programs have functions that others replace (freplace; the dispatcher of libxdp
 * is one). Looks at every BPF link of the host, so only if it matters; what may not
 * be looked at is skipped.
 */
void fg_policy_find_extensions(struct fg_ladder *ladder);

/*
 * Whether both name the same programs and filters in the same order and places: false after
 * somebody changed the path.
 */
bool fg_policy_same(const struct fg_ladder *a, const struct fg_ladder *b);

/* What the kernel counted of a program since statistics were switched on. */
struct fg_run_count {
	uint64_t runs;
	uint64_t ns;
};

/* Reads the counters of a program by descriptor. Returns 0 or -1. */
int fg_policy_run_count(int program_fd, struct fg_run_count *out);

/* The tag of the program with that descriptor, as in struct fg_program. Returns 0 or -1. */
int fg_policy_tag(int fd, uint8_t tag[8]);

#endif
