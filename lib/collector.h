/* SPDX-License-Identifier: GPL-2.0-only */
/* collector.h - from records in the ring buffer to the traces of the probes of one window. */
#ifndef FG_COLLECTOR_H
#define FG_COLLECTOR_H

#include <stdint.h>

#include "datapath.h"
#include "probe.h"
#include "symbol.h"

struct fg_collector;

/* dp must outlive it. NULL on failure. */
struct fg_collector *fg_collector_new(struct fg_datapath *dp, struct fg_error *err);
void fg_collector_free(struct fg_collector *collector);

/* The probes of the next window, numbered from 0 on the wire, each with the scene it is judged by. Borrowed until the next call. */
struct fg_window {
	struct fg_probe *probes;
	const struct fg_scene *const *scenes; /* one for each probe */
	uint32_t count;
	uint32_t generation;
	struct fg_symbols *symbols; /* names the places where packets ended */
};
void fg_collector_begin(struct fg_collector *collector, const struct fg_window *window);

/*
 * Takes what is in the ring now. Records that are not well formed, or are no probe's of this window, are counted and passed over.
 * Returns 0, or -1 when memory is short.
 */
int fg_collector_take(struct fg_collector *collector, struct fg_error *err);

/* How many probes have not ended yet; of these *soft may have, and only more events can say. */
uint32_t fg_collector_open_count(const struct fg_collector *collector, uint32_t *soft);

/* Packets of this window, clones and pieces of them, that were seen on their way and not freed: the tables still hold them. */
uint32_t fg_collector_left(const struct fg_collector *collector);

/* Ready for reading when an end was reported: for poll(). */
int fg_collector_fd(const struct fg_collector *collector);

/* Records that were malformed or of nobody, over the collector's life. */
uint64_t fg_collector_strays(const struct fg_collector *collector);

#endif
