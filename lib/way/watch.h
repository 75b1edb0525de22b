/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * way/watch.h - netfilter, IPVS and IPsec on a packet's way: whether they can deny there, and
 * where netfilter is traced.
 */
#ifndef FG_WATCH_H
#define FG_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datapath/nftrace.h"
#include "host/host.h"
#include "host/pod.h"
#include "node/br_netfilter.h"
#include "node/hooks.h"
#include "node/ipsec.h"
#include "node/ipvs.h"
#include "probe/probe.h"
#include "way/hooked.h"
#include "way/receiver.h"

struct fg_watch {
	/* set by the caller; borrowed */
	struct fg_host *host;
	uint32_t room;		    /* packets that are traced at a time, at most */
	bool delivers;		    /* packets are let into their destinations */
	bool replies;		    /* and replies are followed back */
	struct fg_nftrace *nftrace; /* owned; NULL: not asked for */
	struct fg_hooks hooks;	    /* netfilter's, in the namespace asked about last; owned */
	bool known;
	struct fg_hooked hooked; /* its hooks of devices, in all namespaces asked about; owned */
	enum fg_presence has_hooked; /* in the one asked about last */
	struct fg_ipsec ipsec;	     /* its policies, there too */
	struct fg_br_netfilter bridges;
	uint32_t netns;	    /* its inode number */
	uint64_t listed_ns; /* CLOCK_MONOTONIC, when they were listed */
	uint64_t cost_ns;   /* how long that took */
};

/* The services of IPVS at one destination. Zeroed: not listed yet. */
struct fg_watch_services {
	struct fg_service_port *ports; /* owned */
	size_t count;
	struct fg_addr only; /* where all of these lead; family 0: to several, or none */
	uint64_t listed_ns;  /* CLOCK_MONOTONIC */
};

/*
 * Watches what netfilter does with packets of the pod, on its own devices and on the host side.
 * Returns 0 or -1.
 */
int fg_watch_netfilter(struct fg_watch *watch, const struct fg_pod *pod, struct fg_error *err);

/*
 * The same in the namespaces below the pod's node that hold a destination, where packets are let in
 * there; if none does, in all of these: a translation may still lead to any of them. Returns 0 or
 * -1.
 */
int fg_watch_destination(struct fg_watch *watch, const struct fg_pod *pod,
			 const struct fg_addr *dst, struct fg_error *err);

/* And at the device by which the host receives the replies of that pod. Returns 0 or -1. */
int fg_watch_way_back(struct fg_watch *watch, const struct fg_pod *pod,
		      const struct fg_receiver *from, struct fg_error *err);

/*
 * Fills in whether netfilter enforces policy on packets to dst in the namespace of the pod's
 * primary, as it is now, and on what is sent in the pod itself as context->method does it; and the
 * services of IPVS there, which are listed once a second. context->hooked is good until
 * fg_watch_close().
 */
void fg_watch_presence(struct fg_watch *watch, const struct fg_pod *pod, const struct fg_addr *dst,
		       struct fg_watch_services *services, struct fg_context *context);

/* The same of what comes back from there: packets to src, which the host forwards or sends. */
void fg_watch_presence_back(struct fg_watch *watch, const struct fg_pod *pod,
			    const struct fg_addr *src, struct fg_context *context);

/* Whether all that can deny packets of that family in the hooks of IP is nf_tables' own. */
bool fg_watch_is_all_traced(const struct fg_watch *watch, uint16_t family);

/* Whether netfilter or IPVS may translate addresses on the pod's node; true if it is not known. */
bool fg_watch_translates(struct fg_watch *watch, const struct fg_pod *pod);

/*
 * Asks whether netfilter in the pod's own namespace enforces policy, at most every 50 ms, and notes
 * it there. Returns 0, or -1 if that cannot be found out.
 */
int fg_watch_pod(struct fg_receiver *receiver);

/* Ends the traces, and empties it. */
void fg_watch_close(struct fg_watch *watch);

#endif
