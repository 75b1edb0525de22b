/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pace.h - when the probes of a run are due. Pure: the caller brings the time (CLOCK_MONOTONIC, in
 * nanoseconds).
 */
#ifndef FG_PACE_H
#define FG_PACE_H

#include <stdint.h>

/*
 * Probe number k (from 0) is due at start_ns + k * interval_ns. Who falls behind by more than
 * FG_PACE_SLACK_NS goes on from there: lost time is not made up for by a burst.
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

#endif
