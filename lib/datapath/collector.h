/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/collector.h - from records in the ring buffer to the traces of the probes of one window.
 */
#ifndef FG_COLLECTOR_H
#define FG_COLLECTOR_H

#include <stdint.h>

#include "datapath/datapath.h"
#include "probe/probe.h"
#include "host/symbol.h"

struct fg_collector;

/*
 * dp must outlive it; NULL: there is no ring, and records come only from fg_collector_record().
 * NULL on failure.
 */
struct fg_collector *fg_collector_new(struct fg_datapath *dp, struct fg_error *err);
void fg_collector_free(struct fg_collector *collector);

/*
 * The probes of the next window, numbered from 0 on the wire, each with the context it is judged
 * by. Borrowed until the next call. Their traces are empty.
 */
struct fg_window {
	struct fg_probe *probes;
	const struct fg_context *const *contexts; /* one for each probe */
	uint32_t count;
	uint32_t generation;
	struct fg_symbols *symbols; /* names the places where packets ended; NULL: they have none */
	/* Whether a namespace (inode number) is on another node; what is seen there is not of the
	 * trace. NULL: none is. */
	bool (*beyond)(void *arg, uint32_t netns);
	void *beyond_arg;
};
void fg_collector_begin(struct fg_collector *collector, const struct fg_window *window);

/*
 * Takes one record, as the programs wrote it: length, version, kind, generation and probe number
 * are checked before more is read. What does not match is skipped, and counted if it is not just
 * late.
 */
void fg_collector_record(struct fg_collector *collector, const void *record, size_t size);

/* Takes the records that are in the ring now. Returns 0, or -1 when memory is short. */
int fg_collector_take(struct fg_collector *collector, struct fg_error *err);

/* How many probes have not ended yet; of these *soft may have, which only more events can show. */
uint32_t fg_collector_open_count(const struct fg_collector *collector, uint32_t *soft);

/*
 * Packets of this window, clones and pieces of them, that were seen in flight and not freed: the
 * tables still hold them.
 */
uint32_t fg_collector_pending(const struct fg_collector *collector);

/* Ready for reading when an end was reported: for poll(). */
int fg_collector_fd(const struct fg_collector *collector);

/*
 * Records since the window began that were malformed, or of no probe of it: an observation of this
 * window may be missing. Late records of earlier windows are not counted.
 */
uint64_t fg_collector_strays(const struct fg_collector *collector);

#endif
