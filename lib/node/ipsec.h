/* SPDX-License-Identifier: GPL-2.0-only */
/* node/ipsec.h - whether IPsec (xfrm) has a say in a namespace. */
#ifndef FG_IPSEC_H
#define FG_IPSEC_H

#include <stdbool.h>

struct fg_ipsec {
	bool forwarded; /* there are policies for what is forwarded (direction fwd) */
	bool sent;	/* and for what goes out (direction out) */
};

/*
 * Which policies the namespace of netns (a descriptor) has, of either family: XFRM_MSG_GETSPDINFO.
 * None where the kernel has no IPsec; all where it does not say.
 */
struct fg_ipsec fg_ipsec_read(int netns);

#endif
