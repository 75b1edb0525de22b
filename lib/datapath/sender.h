/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/sender.h - writing frames: an AF_PACKET socket in one namespace, on one device, many
 * frames in one call.
 */
#ifndef FG_SENDER_H
#define FG_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct fg_sender {
	int fd; /* owned; -1: none. It receives nothing: its protocol is 0. */
	bool bypass;
};

struct fg_offload;

/*
 * Opens the socket in netns on ifindex. bypass: past the device's queueing discipline and tc egress
 * (flowgen's own device); without it the frame goes through all of them, as a pod's own packet does
 * (dev_queue_xmit).
 */
int fg_sender_open(struct fg_sender *sender, int netns, int ifindex, bool bypass,
		   struct fg_error *err);
void fg_sender_close(struct fg_sender *sender);

struct fg_chunk {
	void *data;
	size_t len;
	/*
	 * Of the frame's checksum and segments, which the device must compute; NULL: nothing is.
	 * Borrowed.
	 */
	const struct fg_offload *offload;
};

/*
 * Writes the frames, in order. Returns how many the kernel took; fewer than count if it refused
 * one (then *err says why), or -1 if that was the first. Without bypass, a frame that a tc
 * program or a queueing discipline dropped counts as taken: the kernel says ENOBUFS to it
 * (net_xmit_errno).
 */
int fg_sender_write(struct fg_sender *sender, const struct fg_chunk *frames, unsigned int count,
		    struct fg_error *err);

/* The socket's cookie (SO_COOKIE): how the observers know its packets. 0 on failure. */
uint64_t fg_sender_cookie(const struct fg_sender *sender);

#endif
