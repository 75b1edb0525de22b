// SPDX-License-Identifier: GPL-2.0-only
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t state;

void seed_start(void)
{
	const char *given = getenv("FG_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	state = given ? strtoull(given, NULL, 0)
		      : (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	printf("# FG_SEED=%llu repeats this run\n", (unsigned long long)state);
	fflush(stdout);
}

/* splitmix64 */
uint64_t seed_next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

size_t seed_below(size_t bound)
{
	return bound ? (size_t)(seed_next() % bound) : 0;
}

void seed_fill(void *bytes, size_t len)
{
	uint8_t *p = bytes;

	while (len--)
		*p++ = (uint8_t)seed_next();
}
