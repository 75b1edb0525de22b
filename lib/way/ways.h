/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * way/ways.h - what the pod's own kernel makes of packets: the route that they leave by, or what
 * refuses them. Answers are kept, so that equal ones have one number.
 */
#ifndef FG_WAYS_H
#define FG_WAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "facts/cause.h"
#include "host/pod.h"
#include "net/connect.h"
#include "net/route.h"

/* One answer of the pod's own routing: a route, or what refuses the packet. */
struct fg_way {
	struct fg_route route; /* from: the source address; family 0: there was none yet */
	int error;	       /* 0, or the negative errno value that connect() fails with */
	struct fg_cause cause; /* of that */
};

/* What a pod's routing was asked, and when. */
struct fg_ways_asked {
	struct fg_connect_query query;
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	bool by_port;	/* other ports may have another answer */
	int way;	/* number of the answer, from 1 */
};

/* Of one pod. */
struct fg_ways {
	const char *host_root; /* as struct fg_host; borrowed */
	struct fg_way *list;   /* the different answers; owned */
	size_t count;
	struct fg_ways_asked *asked; /* by source, destination, protocol and TOS; owned */
	size_t asked_count;
};

/*
 * Asks the pod's kernel, unless that was asked lately. Returns the number of its answer in the
 * list, from 1; or 0 on failure: FG_ERR_UNSUPPORTED if the kernel cannot be asked for the protocol,
 * and its answer would depend on it.
 */
int fg_ways_find(struct fg_ways *ways, const struct fg_pod *pod, const struct fg_connect_query *q,
		 struct fg_error *err);

/*
 * The way of what an uplink (host/pod.h) receives from src: the other end of the wire has one to
 * the node. Returns its number, or 0: FG_ERR_USAGE if src is an address of the node or of a pod on
 * it.
 */
int fg_ways_outside(struct fg_ways *ways, struct fg_host *host, const struct fg_pod *uplink,
		    const struct fg_addr *src, struct fg_error *err);
void fg_ways_free(struct fg_ways *ways);

#endif
