/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guard/spare.h - the neighbours: keeps probes from the pods that they go to, and tells where that
 * does not hold.
 */
#ifndef FG_SPARE_H
#define FG_SPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "datapath/datapath.h"
#include "datapath/local.h"
#include "datapath/stop.h"
#include "host/host.h"
#include "host/pod.h"
#include "way/goal.h"
#include "way/watch.h"

/* What pods may notice of probes; the more harm, the earlier it is told. */
enum fg_disturbance {
	FG_DISTURB_NO_TCX,
	FG_DISTURB_NO_TCX_REPLIES,
	FG_DISTURB_MANY_NAMESPACES, /* more pods than are made ready */
	FG_DISTURB_NO_LOCAL,	    /* as many pods as that, and no BPF links of netfilter */
	FG_DISTURB_LOCAL,	    /* destinations are spared in their stacks */
	FG_DISTURB_LOCAL_REPLIES,   /* so are senders */
	FG_DISTURBANCES
};

/* The first four are set by the caller, and are borrowed. */
struct fg_spare {
	struct fg_host *host;
	struct fg_datapath *datapath;
	struct fg_watch *watch;
	bool off;    /* packets are let into their destinations */
	bool no_tcx; /* this kernel has none; set by the caller when it is found out */
	/* the rest is its own */
	struct fg_stops stops;
	struct fg_local *local; /* NULL: not asked for yet, or the kernel cannot */
	bool local_tried;
	uint32_t nodes[2];  /* by family: inode number of the node all of whose pods are spared */
	bool at_devices;    /* in all of these it is at the device, and not in the stack */
	uint64_t listed_ns; /* CLOCK_MONOTONIC, when namespaces were listed for one met */
	uint32_t disturbs, told; /* bits by enum fg_disturbance: what is so, and what was told */
};

/* How packets leave their pod. Borrowed. */
struct fg_spare_way {
	const struct fg_pod *from;
	const struct fg_addr *dst;
	bool has_programs; /* BPF programs see them, which may send them elsewhere */
	bool is_service;   /* dst is a virtual address of IPVS */
};

/*
 * Sees to it that the destination pod does not notice a packet that goes there; where no pod is
 * known to hold the address, that none does that it may be translated to. What cannot be kept is
 * told by fg_spare_disturbs(). Returns 0 or -1.
 */
int fg_spare_destination(struct fg_spare *spare, const struct fg_spare_way *way,
			 const struct fg_goal *goal, struct fg_error *err);

/* That goal held dst, and does not hold it any more. */
void fg_spare_forget(struct fg_spare *spare, const struct fg_goal *goal, const struct fg_addr *dst);

/*
 * The same of a pod that came after that: a packet of that family was seen at the device ifindex of
 * the namespace netns (inode number), and was at most kept from its sockets.
 */
void fg_spare_met(struct fg_spare *spare, const struct fg_pod *from, uint16_t family,
		  uint32_t netns, int ifindex);

/* The program for the stacks of pods, loaded when first asked for. NULL: this kernel cannot. */
const struct fg_local *fg_spare_local(struct fg_spare *spare);

/* Notes what a pod's stack or socket may notice. */
void fg_spare_disturb(struct fg_spare *spare, enum fg_disturbance what);

/* What was noted, each once: so ask again, until NULL. Static text. */
const char *fg_spare_disturbs(struct fg_spare *spare);

/* Detaches what it attached, and empties it. */
void fg_spare_close(struct fg_spare *spare);

#endif
