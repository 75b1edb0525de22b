/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * timing/timing.h - where the time of this process goes, phase by phase (--timing-report). It is
 * always noted, as that costs two clocks for each phase, and told only if somebody asks.
 */
#ifndef FG_TIMING_H
#define FG_TIMING_H

#include <stdio.h>

/* The process begins; what its processor time was before is the phase "start". */
void fg_timing_start(void);

/*
 * What was done since the last call was this (static text); phases of one name are added up. Only
 * the main thread calls it.
 */
void fg_timing_phase(const char *name);

/*
 * Writes a line for each phase in the order in which they first came: milliseconds of the clock, of
 * the processor (all threads), and the name. The first line has the sums, with "all".
 */
void fg_timing_print(FILE *out);

#endif
