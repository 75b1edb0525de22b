// SPDX-License-Identifier: GPL-2.0-only
#include "base/clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t;

	/* Fails for a clock that there is not, and for a bad pointer. */
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

uint64_t fg_clock_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t fg_clock_realtime(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t fg_clock_used(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t fg_clock_processor(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
