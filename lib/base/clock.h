/* SPDX-License-Identifier: GPL-2.0-only */
/* base/clock.h - what time it is, in nanoseconds. Not for the pure rooms: they get the time as a
 * parameter.
 */
#ifndef FG_CLOCK_H
#define FG_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC, which the kernel's events use too (bpf_ktime_get_ns()). Never 0. */
uint64_t fg_clock_now(void);

/* CLOCK_REALTIME: since 1970, and set back and forth. */
uint64_t fg_clock_realtime(void);

/* CLOCK_THREAD_CPUTIME_ID: processor time that this thread has used. */
uint64_t fg_clock_used(void);

/* CLOCK_PROCESS_CPUTIME_ID: processor time of all threads. */
uint64_t fg_clock_processor(void);

#endif
