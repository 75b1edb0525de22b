/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe/pace.h - when the probes of a run are due. Pure: the caller brings the time
 * (CLOCK_MONOTONIC, in nanoseconds).
 */
#ifndef FG_PACE_H
#define FG_PACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Probe number k (from 0) is due at start_ns + k * interval_ns. If they fall behind by more
 * than FG_PACE_SLACK_NS, the pace restarts there: no burst makes up for lost time.
 */
struct fg_pace {
	double interval_ns; /* 0: as fast as they go */
	uint64_t start_ns;
	uint64_t taken; /* probes since start_ns */
};
#define FG_PACE_SLACK_NS 100000000ULL

/* Begins at now; the first probe is due at once. interval_ns is 0 or positive. */
void fg_pace_begin(struct fg_pace *pace, double interval_ns, uint64_t now_ns);

/* How many probes are due at now, at most room; these count as taken. */
uint64_t fg_pace_take(struct fg_pace *pace, uint64_t now_ns, uint64_t room);

/* When the next one is due. */
uint64_t fg_pace_next(const struct fg_pace *pace);

/*
 * The pauses of a recording (a capture's own times). Zeroed, the next packet begins it. Clocks are
 * set, and packets of several processors come out of order: before a time that is not later than
 * the last one there is nothing to wait for, and what was waited for already is not waited for
 * again.
 */
struct fg_pace_recorded {
	bool begun;
	uint64_t due_ns;  /* of the packet before */
	uint64_t last_ns; /* its time in the recording */
	uint64_t high_ns; /* the latest time so far */
};

/*
 * When a packet that was recorded at time_ns is due; each packet is asked for once, in their order.
 * The first one is due at now.
 */
uint64_t fg_pace_recorded_due(struct fg_pace_recorded *recorded, uint64_t time_ns, uint64_t now_ns);

#endif
