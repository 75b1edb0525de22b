/* SPDX-License-Identifier: GPL-2.0-only */
/* net/chooser.h - the BPF programs that choose the socket of a packet (BPF_SK_LOOKUP). */
#ifndef FG_CHOOSER_H
#define FG_CHOOSER_H

#include <stdint.h>

#define FG_CHOOSERS_MAX 8

struct fg_chooser {
	uint32_t id;
	char name[16]; /* as the kernel knows it; may be empty */
};

/*
 * Those of the namespace of netns (a descriptor), in the order in which they are asked: each new
 * connection, and each packet for an unconnected socket, is theirs to hand to any socket, or to
 * refuse. Returns how many are in list (at most FG_CHOOSERS_MAX), or a negative errno value.
 */
int fg_choosers_list(int netns, struct fg_chooser list[FG_CHOOSERS_MAX]);

#endif
