/* SPDX-License-Identifier: GPL-2.0-only */
/* bare.h - what tests/bpf/bare.bpf.c and tests/bench/bare.c share. */
#ifndef FG_TEST_BARE_H
#define FG_TEST_BARE_H

#include <linux/types.h>

/* Offset of a frame's number in it: four bytes, as they are in memory. */
#define BARE_NUMBER_AT 2

struct bare_config {
	__u8 addresses[12]; /* of the Ethernet header, in wire order */
	__u32 target;	    /* ifindex of the pod's host-side device */
	__u32 observed;	    /* 1: three events for each packet */
};

enum bare_kind {
	BARE_SENT = 1,
	BARE_RECEIVED = 2,
	BARE_STOPPED = 3,
};

/* As large as an event of flowgen's (struct fg_event). */
struct bare_event {
	__u32 probe;
	__u32 kind; /* enum bare_kind */
	__u64 time;
	__u64 rest[5];
};

#endif
