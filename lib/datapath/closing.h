/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/closing.h - descriptors whose end takes long, closed in a thread of its own. A packet
 * socket waits for a grace period of RCU (packet_release() in net/packet/af_packet.c), and a tcx
 * link for another: one beside the other they take half as long.
 */
#ifndef FG_CLOSING_H
#define FG_CLOSING_H

#include <stddef.h>

struct fg_closing;

/*
 * Begins to close count descriptors; negative ones are left out. The caller may not use
 * them any more, whatever happens: where no thread is to be had they are closed at once. NULL:
 * there is nothing left to wait for.
 */
struct fg_closing *fg_closing_begin(const int *fds, size_t count);

/* Waits until they are closed, and frees it. NULL is allowed. */
void fg_closing_end(struct fg_closing *closing);

#endif
