/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * facts/mechanisms.h - what else on a node, besides BPF programs, decides about
 * packets: netfilter, Open vSwitch, IPVS, queueing disciplines. Only the values; pure.
 * node/mechanisms.h reads them.
 */
#ifndef FG_PROBE_MECHANISMS_H
#define FG_PROBE_MECHANISMS_H

#include "facts/hooks.h"

/* A datapath of Open vSwitch. */
struct fg_mechanisms_switch {
	char device[IFNAMSIZ];
	int ifindex;
	uint32_t ports; /* devices that belong to it */
};

/* The queueing discipline of a device: its root. */
struct fg_mechanisms_qdisc {
	char device[IFNAMSIZ];
	char kind[16];
	uint64_t drops;	 /* since it was made */
	uint32_t queued; /* packets that wait in it now */
};

struct fg_mechanisms {
	struct fg_hooks hooks;
	struct fg_mechanisms_switch *switches; /* owned */
	size_t switch_count;
	uint32_t services, backends;	    /* of IPVS */
	struct fg_mechanisms_qdisc *qdiscs; /* owned; those that drop or delay (not noqueue) */
	size_t qdisc_count;
};

void fg_mechanisms_free(struct fg_mechanisms *mechanisms);

#endif
