/* SPDX-License-Identifier: GPL-2.0-only */
/* packets.h - packets for tests, from keys as a user writes them. */
#ifndef TEST_PACKETS_H
#define TEST_PACKETS_H

#include "packet/packet.h"

/* Sets "key=value;key=value;flag". Returns 0 or -1. */
int packets_set(struct fg_packet_spec *spec, const char *keys, struct fg_error *err);

/*
 * A probe from 10.0.0.5 to 10.0.0.9, or fd00::5 to fd00::9 (family AF_INET6), port 40000 to 4444,
 * number 3, whose random bits are 0x0123456789abcdef.
 */
struct fg_packet_vary packets_vary(int family);

/*
 * Checks and builds the frames of these keys into a buffer that the caller frees (frame->data; NULL
 * on failure). warnings may be NULL. Returns 0 or -1.
 */
int packets_build(const char *keys, const struct fg_packet_vary *vary, struct fg_frame *frame,
		  struct fg_packet_warnings *warnings, struct fg_error *err);

#endif
