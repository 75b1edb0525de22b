/* SPDX-License-Identifier: GPL-2.0-only */
/* host/marking.h - whether the kernel notes on a packet that a program redirected it. */
#ifndef FG_MARKING_H
#define FG_MARKING_H

#include <stdbool.h>

/*
 * Whether bpf_redirect() to an egress sets skb->redirected (__bpf_tx_skb(), since Linux 6.3). Found
 * by redirecting one packet in a namespace of its own, which takes some milliseconds. False also
 * if that could not be done.
 */
bool fg_marking_works(void);

#endif
