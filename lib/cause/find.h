/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cause/find.h - looks up, after a packet has ended, why it ended there: looks the packet up in
 * that namespace's own tables (routes, rules, neighbours, queues, sockets, policies, devices), as
 * the kernel did. What it finds is as of now: if that does not explain the drop, it finds nothing.
 */
#ifndef FG_CAUSE_FIND_H
#define FG_CAUSE_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "header/dissect.h"
#include "net/rtnl.h"
#include "facts/cause.h"

/* What is known of a packet's end. Everything is borrowed. */
struct fg_cause_place {
	int netns;	      /* descriptor of the namespace in which it ended */
	struct nl_sock *rtnl; /* of NETLINK_ROUTE, in it */
	const char *where;    /* "host", a pod's name; NULL or empty: it has no name */
	const char *root;     /* put before /proc; "" or "/host"; NULL: "" */
	int cgroup;	      /* descriptor of the root of all cgroups; 0 or less: not known */
	int ifindex;	      /* the device it was on at its end; 0: none */
	int received_on; /* the device on which it came into the namespace; 0: it was sent here */
	const char *reason;  /* the kernel's name, without SKB_DROP_REASON_; NULL: not known */
	const char *symbol;  /* where it was freed or waits, as %pS shows it; NULL: not known */
	struct fg_flow flow; /* as it was last seen */
	uint8_t tos;
	uint8_t hops;	 /* TTL or hop limit, as last seen; 0: not known */
	uint32_t mark;	 /* 0: none, or not known */
	uint32_t length; /* of the IP packet; 0: not known */
	uint64_t cookie; /* of the socket that took it; 0: none did */
	/* The device it was last sent from, and the namespace of that; NULL, 0: not known. */
	struct nl_sock *from_rtnl;
	int from_ifindex;
};

/*
 * Finds the cause. Returns whether there is one; *out is untouched if not. Never fails: what may
 * not be read (XFRM and netfilter need CAP_NET_ADMIN) is not found. Enters the namespace for the
 * time of opening files and sockets. Takes less than a millisecond; some 20 ms more where the
 * process that has a socket open must be found among thousands.
 */
bool fg_cause_find(const struct fg_cause_place *place, struct fg_cause *out);

/*
 * The cause of a route lookup that failed with that errno value (negative), for a packet that is
 * sent in the namespace (received_on 0): the rule, route and table, or else what the kernel says.
 */
void fg_cause_of_lookup(const struct fg_cause_place *place, int error, struct fg_cause *out);

#endif
