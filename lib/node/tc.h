/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * node/tc.h - traffic control, as rtnetlink describes it: the filters of a device with their
 * actions, and its queueing disciplines.
 */
#ifndef FG_TC_H
#define FG_TC_H

#include <linux/pkt_sched.h>

#include "net/rtnl.h"
#include "probe/ladder.h"

/* The filters of one parent, chain by chain, each in the order in which the kernel asks them. */
struct fg_tc_filters {
	/* Only what is of tc: hook, device and the program's name are for others to fill in. */
	struct fg_program *list; /* owned; fg_tc_filters_free() */
	size_t count;
	bool other; /* chain 0 has something other than eBPF programs, be it without a filter */
	bool cut;   /* more than 1024: the rest is left out */
};

/*
 * The filters that a device has at a parent: TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS) and so on,
 * or the handle of a qdisc. Shared blocks too. A device without this qdisc has none. Returns 0,
 * or a negative errno value.
 */
int fg_tc_filters_list(struct nl_sock *sk, int ifindex, uint32_t parent, struct fg_tc_filters *out);
void fg_tc_filters_free(struct fg_tc_filters *filters);

/* One message of that answer; for tests. Returns 0, or -1 if it is malformed. */
int fg_tc_filter_read(const struct nlmsghdr *nlh, struct fg_tc_filters *out);

/* A queueing discipline. */
struct fg_tc_qdisc {
	char kind[16];
	int ifindex;
	uint32_t handle, parent; /* parent: TC_H_ROOT, TC_H_INGRESS, or a class */
	uint64_t drops;		 /* packets that it dropped since it was made */
	uint32_t queued;	 /* packets that wait in it now */
};

struct fg_tc_qdiscs {
	struct fg_tc_qdisc *list; /* owned; free() */
	size_t count;
};

/* Those of a device (0: of all in the socket's namespace). Returns 0, or a negative errno value. */
int fg_tc_qdiscs_list(struct nl_sock *sk, int ifindex, struct fg_tc_qdiscs *out);

#endif
