/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe/decision.h - who can decide about a packet, and where on the path: the words for the whole
 * path. Pure.
 */
#ifndef FG_DECISION_H
#define FG_DECISION_H

#include <stdbool.h>

/* The stages of a packet's path, in order. */
enum fg_stage {
	/* the sending pod's pair of devices */
	FG_STAGE_EGRESS,
	/* the host between the devices: netfilter, bridges, routing, neighbours */
	FG_STAGE_NODE,
	/* the receiving pod's pair and its sockets; or the uplink */
	FG_STAGE_INGRESS,
	FG_STAGES
};

/* What kind of thing decided. */
enum fg_kind {
	FG_KIND_NONE,
	FG_KIND_BPF,
	FG_KIND_TC_FILTER, /* a tc filter that is not a BPF program */
	FG_KIND_TC,	   /* one of the two; which one is not known */
	FG_KIND_NETFILTER,
	FG_KIND_OVS,
	FG_KIND_QUEUE, /* user space, by netfilter's queue (NFQUEUE) */
	FG_KIND_LSM,   /* a security module: SELinux, Smack, a BPF program at its hooks */
	FG_KIND_XFRM,  /* IPsec policy */
	FG_KIND_BRIDGE,
	FG_KIND_IPVS,
	FG_KIND_ROUTE,
	FG_KIND_NEIGHBOUR,
	FG_KIND_QDISC,
	FG_KIND_PROXY,
	FG_KIND_SOCKET,
	FG_KIND_DEVICE,
	FG_KIND_OTHER,
	FG_KINDS
};

/* "egress", "node", "ingress" */
const char *fg_stage_name(enum fg_stage stage);

/* "bpf", "tc-filter", ...; NULL for none. */
const char *fg_kind_name(enum fg_kind kind);

/* Whether that kind enforces policy: it denies, where the others drop. */
bool fg_kind_is_policy(enum fg_kind kind);

#endif
