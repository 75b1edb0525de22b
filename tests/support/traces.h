/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * traces.h - a small made-up node for tests of the judge and the reports: a pod, its host, a
 * second pod, and traces on them.
 */
#ifndef SCENE_H
#define SCENE_H

#include "probe/probe.h"

enum { NS_POD = 100, NS_HOST = 200, NS_POD2 = 300 };

/* Devices of the node; NOWHERE: none. */
enum where { NOWHERE, PEER, PRIMARY, LXC2, POD2, HARDWARE, DUMMY, BRIDGE, POD_OTHER, WHERES };

/* Drop reasons of this node's kernel. */
enum {
	R_CONSUMED = 1,
	R_NOT_SPECIFIED = 2,
	R_NO_SOCKET = 3,
	R_IP_INHDR = 4,
	R_XDP = 69,
	R_TC_EGRESS = 71,
	R_QDISC_DROP = 72,
	R_TC_INGRESS = 73,
	R_TC_COOKIE = 74,
	R_NETFILTER_DROP = 75,
	R_IP_INNOROUTES = 76,
	R_NEIGH_FAILED = 77,
	R_OVS_EXPLICIT = 78,
	R_SOCKET_FILTER = 79,
	R_OTHERHOST = 80,
	R_SECURITY_HOOK = 81,
	R_UNNAMED = 99,
};

/* One event. */
struct seen {
	int kind; /* enum fg_event_kind; 0 ends a list */
	enum where where;
	int code;
	unsigned int id; /* hops left, or the program's number */
	const char *symbol;
	unsigned int flags; /* FG_EVENT_F_*, SEEN_* */
	uint64_t mac;	    /* QUEUE, RECEIVE: the Ethernet source address */
};

/*
 * A packet that has all its 64 hops still belongs to the socket that sent it, and one that has
 * fewer does not, as IP takes both from it: unless it says so.
 */
#define SEEN_OWNED (1U << 8)
#define SEEN_UNOWNED (1U << 9)

#define SEEN_MAX 16
#define FIRST_ID 101 /* of the ladder's programs, counting up */

/*
 * Fills the ladder from a text, a letter for each program: E tcx/egress, e tc/egress, K
 * netkit/peer, X native XDP, x generic XDP, I tcx/ingress, i tc/ingress, j the same for all
 * protocols. Behind it, '*': traced;
 * '.': a classifier. Free by fg_ladder_free().
 */
void traces_ladder(struct fg_ladder *ladder, const char *text);

/* A context on that ladder. */
struct fg_context traces_make(const struct fg_ladder *ladder, enum fg_method method);

/* Appends the event, 1,000 ns after the last one. */
void traces_see(struct fg_trace *trace, const struct seen *seen);

/* fg_judge(), with room for as many steps as there are programs, good until the next call. */
void traces_judge(const struct fg_context *context, struct fg_probe *probe);

extern const struct fg_device trace_devices[WHERES];

#endif
