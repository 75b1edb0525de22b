/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/stop.h - programs of flowgen's own at the head of pods' devices, inside the pods: they
 * intercept probes before a destination pod's stack, and replies before the sender's. Each is a tcx
 * link, and gone with its descriptor. Each waits for a grace period of RCU when it is attached, and
 * when it is detached: for many pods at once there is datapath/local.h.
 */
#ifndef FG_STOP_H
#define FG_STOP_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "datapath/local.h"
#include "net/link.h"
#include "probe/probe.h"

struct fg_stops {
	struct fg_stop {
		uint32_t netns;	 /* inode number */
		uint64_t cookie; /* of the namespace: it may have had another's inode number */
		int ifindex;	 /* 0: in the stack */
		uint16_t family; /* in the stack: of the packets */
		int link;	 /* owned */
	} * list;
	size_t count;
};

void fg_stops_close(struct fg_stops *stops);

/*
 * Attaches a program before all others at a tcx hook of a device. Returns the link's owned
 * descriptor, or -1; with EOPNOTSUPP in err->code where the kernel has no tcx (before 6.6).
 */
int fg_stop_attach(int netns, int ifindex, enum fg_hook hook, int program_fd, struct fg_error *err);

/*
 * Takes it off the device, whoever else has a descriptor of the link (as one that lists all links
 * has for a moment): what is only closed then stays, and cannot be attached again. Closes it.
 */
void fg_stop_detach(int *link);

/* fg_stop_attach() behind all others. */
int fg_stop_attach_last(int netns, int ifindex, enum fg_hook hook, int program_fd,
			struct fg_error *err);

/*
 * What is put on devices: the stop program, and the map of addresses at which it intercepts
 * packets.
 */
struct fg_stop_parts {
	int program;
	int owners;
};

/* A destination pod's namespace, opened. */
struct fg_stop_pod {
	uint32_t inode;
	int netns;	    /* borrowed */
	struct nl_sock *sk; /* in it; borrowed */
};

/* More devices of one namespace are not made ready: a pod has one, or a few. */
#define FG_STOP_DEVICES 8
/* More addresses of one namespace are not told to the program. */
#define FG_STOP_ADDRESSES 256

/*
 * Puts the program on the devices of the namespace that end in the same one as ifindex does (that
 * one first), unless they have it; it intercepts what goes to dst there, or (NULL) to any of its
 * addresses. Returns 0; 1 if it has more than FG_STOP_ADDRESSES, and dst is NULL: then nothing was
 * done; or -1.
 */
int fg_stops_add(struct fg_stops *stops, const struct fg_stop_pod *pod, int ifindex,
		 const struct fg_addr *dst, const struct fg_stop_parts *parts,
		 struct fg_error *err);

/* The namespace of that inode number holds the address no more: packets for it may pass there. */
void fg_stops_disown(const struct fg_stop_parts *parts, uint32_t netns, const struct fg_addr *addr);

/* The same in the namespace's stack, for all packets of that family. Returns 0 or -1. */
int fg_stops_add_local(struct fg_stops *stops, const struct fg_stop_pod *pod,
		       const struct fg_local *local, uint16_t family, struct fg_error *err);

#endif
