/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * way/receiver.h - where packets go: the receiving pods on this host and the uplinks, with the
 * programs that come before them.
 */
#ifndef FG_RECEIVER_H
#define FG_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "datapath/policy.h"
#include "datapath/verdict.h"
#include "host/host.h"
#include "host/pod.h"
#include "net/link.h"
#include "probe/probe.h"
#include "way/device_table.h"

/* A pod that packets go to, or a device of the host that they go out by. */
struct fg_receiver {
	uint32_t netns;	    /* inode number: of the pod; or of the device */
	uint64_t cookie;    /* of the pod's namespace */
	int ifindex;	    /* 0: a pod; else the device, negative for what it receives */
	bool gone;	    /* its device is not there any more; stale, too */
	bool stale;	    /* its programs changed: it must be looked at again */
	bool listed;	    /* the programs there are known */
	uint64_t looked_ns; /* CLOCK_MONOTONIC, when that was asked last */
	struct fg_pod pod;  /* no descriptor of it stays open */
	struct fg_link link;
	struct fg_ladder ladder;
	struct fg_far far;
	/* if replies are followed: the programs that what the pod sends meets, if they are known */
	struct fg_ladder out;
	bool out_listed;
	/* whether netfilter in the pod enforces policy on what it takes in, on what comes to its
	 * input, and on what it sends, by family (IPv6 second), and when that was asked
	 * (CLOCK_MONOTONIC; 0: never) */
	enum fg_presence own_in[2], own_to_stack[2], own_out[2];
	bool chosen; /* programs choose its sockets (BPF_SK_LOOKUP), asked then too */
	uint64_t own_ns;
};

struct fg_receivers {
	/* set by the caller; borrowed */
	struct fg_host *host;
	struct fg_datapath *datapath;
	struct fg_verdicts *verdicts; /* observes the programs found */
	struct fg_device_table *names;
	uint8_t own_programs[2][8]; /* the tags of flowgen's own on pods' devices */
	bool replies;		    /* they are followed */
	/* owned */
	struct fg_receiver **list; /* each allocated */
	size_t count;
};

/*
 * The pod in that namespace (inode number), by that device of its own (0: any). NULL: it cannot be
 * found. Borrowed; looked at once, until it is stale.
 */
struct fg_receiver *fg_receiver_of_netns(struct fg_receivers *receivers, uint32_t inode,
					 int ifindex);

/* The programs at a device of the pod's node, in that direction. NULL: it is gone. Borrowed. */
struct fg_receiver *fg_receiver_of_device(struct fg_receivers *receivers, const struct fg_pod *pod,
					  int ifindex, bool egress);

/*
 * Whether the programs there changed since it was looked at; then it is stale. A device is looked
 * at by way of the pod's namespaces, if it is one of its node.
 */
bool fg_receiver_changed(const struct fg_receivers *receivers, const struct fg_pod *pod,
			 struct fg_receiver *receiver);
void fg_receivers_free(struct fg_receivers *receivers);

/* Takes flowgen's own programs, of other runs too, out of a pod's ladder: they are not policy. */
void fg_receiver_leave_out_own(const struct fg_receivers *receivers, struct fg_ladder *ladder);

#endif
