/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec/twin.h - the room exec: a command that is the pod, as far as packets go. This file: the
 * namespace it runs in, whose device is a twin of the pod's. All of it goes with the namespace's
 * descriptor, and with the processes in it.
 *
 * The room's other files: divert.h (the BPF side), dress.h (files, name and environment of the
 * pod), child.h (the process), exec.h (the order of things).
 */
#ifndef FG_EXEC_TWIN_H
#define FG_EXEC_TWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "host/pod.h"

struct fg_twin {
	int netns;	      /* owned; -1: none */
	int outer;	      /* ifindex of the other end, in the primary's namespace */
	struct nl_sock *host; /* there; borrowed from the pod */
	size_t uncopied;      /* routes and rules of the pod that could not be had here */
	size_t elsewhere;     /* routes by other devices of the pod: they lead nowhere here */
	int claim;	      /* owned: what keeps others from its ports; -1: none */
	/* The ephemeral ports of the command; first == 0: the pod's own (there is no room) */
	uint16_t first_port, last_port;
	struct fg_addr outside; /* family 0: it is a pod's; else the address that it has */
	bool shared_ports; /* other commands that are this pod, or the pod, may have them, too */
};

/*
 * Makes it: a veth pair whose inner end has the name, MAC, MTU, addresses, routes, rules, permanent
 * neighbours and offloads of the pod's device. Nothing of it answers or says anything unasked.
 * The pod must outlive it. Of an uplink it is somebody's outside, who has the address `outside` and
 * sends everything by the uplink. Returns 0 or -1; *twin is then empty.
 */
int fg_twin_open(struct fg_twin *twin, const struct fg_pod *pod, const struct fg_addr *outside,
		 struct fg_error *err);
void fg_twin_close(struct fg_twin *twin);

#endif
