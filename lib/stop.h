/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stop.h - programs of flowgen's own at the head of pods' devices, inside the pods: they take probes off before a destination pod's
 * stack, and answers before the sender's. Each is a tcx link, and gone with its descriptor.
 */
#ifndef FG_STOP_H
#define FG_STOP_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "pod.h"

struct fg_stops {
	struct fg_stop {
		uint32_t netns; /* inode number */
		int link;	/* owned */
	} * list;
	size_t count;
};

void fg_stops_close(struct fg_stops *stops);

/*
 * Attaches a program before all others at tcx ingress of a device. Returns the link's owned descriptor, or -1 with FG_ERR_UNSUPPORTED (a
 * kernel before 6.6 has no tcx).
 */
int fg_stop_attach(int netns, int ifindex, int program_fd, struct fg_error *err);

/* What is put on devices: the stop program, and the map of addresses at which it takes packets off. */
struct fg_stop_parts {
	int program;
	int owners;
};

/* What holds a destination address, as far as is known. */
enum fg_stop_where {
	FG_STOP_THERE, /* pods of this host, which have the program now; or the host itself, which is not to be spared */
	FG_STOP_EVERYWHERE, /* nothing here: all pods have the program now, as a translation may lead to any of them */
	FG_STOP_TOO_MANY, /* nothing here, and more namespaces than FG_STOPS_EVERYWHERE: none has the program */
};
/* Each attachment waits for a grace period of RCU, and so does each detachment: on a node full of pods that is seconds. */
#define FG_STOPS_EVERYWHERE 8

/*
 * Puts the program on every device that ends in the host, of each namespace that holds dst, or (a Service's address may be
 * translated to any) of all of them. Namespaces that have it already are passed over. Returns 0, or -1 where one could not be
 * attached.
 */
int fg_stops_add(struct fg_stops *stops, const struct fg_host *host, const struct fg_addr *dst,
		 const struct fg_stop_parts *parts, enum fg_stop_where *where,
		 struct fg_error *err);

#endif
