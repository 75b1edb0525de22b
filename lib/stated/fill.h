/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stated/fill.h - which tables of policy programs a few packets add entries to, and how full these
 * are. No map is written to.
 *
 *	fill = fg_stated_fill_open(ids, count, addrs, addr_count, &err);
 *	...the packets are sent, and have ended...
 *	fg_stated_fill_read(fill, packets, &maps);
 *	fg_stated_fill_close(fill);
 */
#ifndef FG_STATED_FILL_H
#define FG_STATED_FILL_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "probe/leftovers.h"

#define FG_STATED_ADDRS_MAX 8

struct fg_stated_fill;

/*
 * Finds the maps of the programs with these ids (as fg_stated_watch_open()), and counts the entries
 * whose key has one of the addresses; of none, or of more than FG_STATED_ADDRS_MAX: all entries.
 * Takes at most 60 ms of processor time: of what is too big, a part is read. NULL if memory is
 * short.
 */
struct fg_stated_fill *fg_stated_fill_open(const uint32_t *programs, size_t count,
					   const struct fg_addr *addrs, size_t addr_count,
					   struct fg_error *err);
/* NULL is allowed. */
void fg_stated_fill_close(struct fg_stated_fill *fill);

/*
 * Counts again, and writes *out anew: the maps that have at least half as many entries more as
 * there were packets (probes). A map that has an entry for each pod, and not for each flow, is not
 * among them.
 */
void fg_stated_fill_read(const struct fg_stated_fill *fill, uint32_t probes,
			 struct fg_leftover_maps *out);

#endif
