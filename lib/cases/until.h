/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cases/until.h - one packet after the other between two nodes, until something is so
 * (`kubectl flowgen inject --until`): what is told of them. Pure; times are of CLOCK_MONOTONIC.
 */
#ifndef FG_CASES_UNTIL_H
#define FG_CASES_UNTIL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fg_until {
	const char *wanted; /* of --until; NULL: not given */
	uint64_t sent;
	/* When the first was answered; when the last was asked for, and when it was answered. */
	uint64_t first_ns, sent_ns, seen_ns;
	/* When the last that is known not to meet it was asked for; 0: none is. */
	uint64_t before_ns;
	bool met, known; /* the last one: it is so; it is known whether it is */
	char seen[64];	 /* what the last packet met: only what is new is told */
};

/*
 * Takes the result of the last packet (doc/result.schema.json, with `expect`). Returns whether it
 * is to be told: as `flowgen inject --until` does, what the packet before has met as well is not.
 */
bool fg_until_take(struct fg_until *until, const json_t *result);

/* In words: since when it is so, and when it was not yet. */
void fg_until_text(const struct fg_until *until, char *text, size_t size);

#endif
