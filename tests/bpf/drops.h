/* SPDX-License-Identifier: GPL-2.0-only */
/* drops.h - between drops.bpf.c and the test. */
#ifndef DROPS_H
#define DROPS_H

#include <linux/types.h>

struct drops_want {
	__u32 port;	/* host order; 0: none */
	__u32 consumed; /* this kernel's SKB_CONSUMED; 0: it has none */
	__u32 netns[3]; /* inode numbers: others on this machine drop, too */
};

struct drops_seen {
	__u64 location;
	__u32 reason, ifindex, netns;
	__u32 count;	  /* drops so far; the rest is of the last one */
	__u8 first, hops; /* of the IP header: version and length, TTL */
	__u8 reserved[6];
};

#endif
