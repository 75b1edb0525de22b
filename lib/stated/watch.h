/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stated/watch.h - what policy programs themselves say of one packet: their maps are read before
 * and after it, the ring buffers they write to are looked into without taking anything out, and
 * what they write to perf events is seen if this kernel allows it. No map is written
 * to, and no reader is woken.
 *
 *	w = fg_stated_watch_open(ids, count, &err);
 *	if (fg_stated_watch_writes_perf(w))
 *		fg_stated_watch_trace(w, tracer);
 *	fg_stated_watch_before(w, &packet, &err);
 *	...one packet is sent, and has ended...
 *	fg_stated_watch_after(w, &packet, stated, &err);
 *	fg_stated_watch_close(w);
 */
#ifndef FG_STATED_WATCH_H
#define FG_STATED_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "facts/stated.h"
#include "stated/tracer.h"

struct fg_stated_watch;

/*
 * Finds the maps of the programs with these ids, and of those that they reach by tail calls
 * (bounded: if there are more, out->left_out says so). Programs that are gone are left out.
 * NULL if memory is short.
 */
struct fg_stated_watch *fg_stated_watch_open(const uint32_t *programs, size_t count,
					     struct fg_error *err);
void fg_stated_watch_close(struct fg_stated_watch *watch);

/*
 * Whether one of the programs can write perf events: a tracer is of use then. It is borrowed, and
 * must outlive the watch.
 */
bool fg_stated_watch_writes_perf(const struct fg_stated_watch *watch);
void fg_stated_watch_trace(struct fg_stated_watch *watch, struct fg_stated_tracer *tracer);

/*
 * Reads the maps: right before the packet is sent, whose flow must be known. May be called again
 * for another packet. Maps that are too big or take too long are left out from then on. Returns 0,
 * or -1 if memory is short.
 */
int fg_stated_watch_before(struct fg_stated_watch *watch, const struct fg_stated_packet *packet,
			   struct fg_error *err);

/*
 * Reads them again, once the packet has ended, and writes *out anew: what moved, what was written,
 * and what it means (fg_cni_read()). Returns 0, or -1 if memory is short; *out is then empty.
 */
int fg_stated_watch_after(struct fg_stated_watch *watch, const struct fg_stated_packet *packet,
			  struct fg_stated *out, struct fg_error *err);

/* How many programs (tail-called ones too) and maps it looks at. */
void fg_stated_watch_size(const struct fg_stated_watch *watch, uint32_t *programs, uint32_t *maps);

#endif
