/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cluster/awaiting.h - the receiving end of a packet (flowgen inject --await): which requests have
 * one, and what its node is asked. Pure.
 */
#ifndef FG_CLUSTER_AWAITING_H
#define FG_CLUSTER_AWAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The value of the verb's option in the words ("": none); NULL: it is not given. */
const char *fg_awaiting_given(const char *const *words, const char *name);

/* The delay between packets: --interval or --rate. 0: neither is given. Returns 0 or -1. */
int fg_awaiting_pace(const char *const *words, double *ns, struct fg_error *err);

/* Copies the words, but for this option and its value ("": all). */
void fg_awaiting_copy(const char **to, const char *const *words, const char *without);

/* Takes the option, and its value if it takes one, out of the words. */
void fg_awaiting_drop(const char **words, const char *without, bool takes);

/*
 * Of a part of a scenario (cases/parts.h): copies the words, but for options that are the client's,
 * those about rounds among them if packets leave the node. Returns how many it copies.
 */
size_t fg_awaiting_part(const char **to, const char *const *words, bool staying);

/* The option with which the receiving end is not asked; NULL: there is none. */
const char *fg_awaiting_obstacle(const char *const *words);

/* How many packets the words send. */
struct fg_awaiting_count {
	uint64_t packets; /* at most */
	char times[24];	  /* as --count: how often each port; "": the words say it themselves */
};

/*
 * Of times and ports, or of a time and a pace. Returns 0 or -1: FG_ERR_USAGE if a time alone does
 * not tell it.
 */
int fg_awaiting_count(const char *const *words, struct fg_awaiting_count *out,
		      struct fg_error *err);

struct fg_awaiting {
	const char *src, *dst, *seed;
	const char *sport;    /* NULL: the seed makes it */
	const char *protocol; /* NULL: the words say it */
	const char *times;    /* of --count; "": the words say it */
};

/* What the receiver's node is asked; given: the words of the sender's. Owned; NULL on failure. */
const char **fg_awaiting_words(const struct fg_awaiting *awaiting, const char *const *given,
			       struct fg_error *err);

#endif
