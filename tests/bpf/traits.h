/* SPDX-License-Identifier: GPL-2.0-only */
/* traits.h - the settings of the programs of traits.bpf.c, as podctl fills them in. */
#ifndef TRAITS_H
#define TRAITS_H

#include <linux/types.h>

struct traits_end {
	__u8 addr[16]; /* network order; IPv4 in the first four bytes */
	__u16 port;    /* host order */
	__u16 family;  /* 4, 6; 0: not given */
};

struct traits_settings {
	__u32 ifindex; /* where the packet is sent */
	__u32 flags;   /* of the redirect */
	__u8 mac[6];   /* redirect_mac: the receiver's */
	__u16 unused;
	struct traits_end from, to;
};

#endif
