/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * seed.h - random values for tests that can be repeated: the seed is printed, and FG_SEED sets it.
 */
#ifndef TEST_SEED_H
#define TEST_SEED_H

#include <stddef.h>
#include <stdint.h>

/* Takes the seed from FG_SEED, or from the clock, and prints it as a TAP comment. Call it once. */
void seed_start(void);

uint64_t seed_next(void);

/* A number from 0 to bound - 1; 0 for bound 0. */
size_t seed_below(size_t bound);

void seed_fill(void *bytes, size_t len);

#endif
