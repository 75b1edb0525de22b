/* SPDX-License-Identifier: GPL-2.0-only */
/* way/attachments.h - whether a program is attached at several places of this host. */
#ifndef FG_ATTACHMENTS_H
#define FG_ATTACHMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/host.h"

/*
 * The programs at all hooks of this host's devices, and in their tc filters. Zeroed: not listed
 * yet.
 */
struct fg_attachments {
	uint32_t *list; /* their numbers, one for each place; owned */
	size_t count;
	bool cut;	    /* some could not be listed */
	uint64_t listed_ns; /* CLOCK_MONOTONIC, when the listing began; 0: not listed yet */
};

/*
 * Whether the program, which is attached somewhere, is so only once on this host, by a list that
 * was begun at since_ns (CLOCK_MONOTONIC) or later; it is made where there is none. What could not
 * be listed may hold the program, too, and so may what is not in the list at all: false.
 * fg_attachments_forget() drops the list.
 */
bool fg_attachments_alone(struct fg_attachments *attachments, const struct fg_host *host,
			  uint32_t id, uint64_t since_ns);

void fg_attachments_forget(struct fg_attachments *attachments);

#endif
