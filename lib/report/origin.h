/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report/origin.h - which run of flowgen results come from, when and where, so that they can be
 * filed and told from those of another run. Pure: run/origin.c reads it.
 */
#ifndef FG_ORIGIN_H
#define FG_ORIGIN_H

#include <jansson.h>
#include <stdint.h>
#include <sys/utsname.h>

#include "base/buffer.h"

/* "2026-11-30T02:21:04.123Z" */
#define FG_ORIGIN_TIME_LEN 32

struct fg_origin {
	char id[17];			  /* 16 hexadecimal digits, random */
	char started[FG_ORIGIN_TIME_LEN]; /* RFC 3339 */
	struct utsname host;		  /* uname(2): the node's name, and its kernel */
	const char *version;		  /* of flowgen */
	int64_t offset_ns;		  /* of CLOCK_REALTIME from CLOCK_MONOTONIC */
};

/*
 * The time of day when CLOCK_MONOTONIC was monotonic_ns, in UTC, as RFC 3339 has it (section 5.6),
 * with milliseconds. buf holds FG_ORIGIN_TIME_LEN bytes. Returns buf.
 */
const char *fg_origin_time(const struct fg_origin *origin, uint64_t monotonic_ns, char *buf);

/* As a JSON object; of NULL null. Returns NULL if memory is short. */
json_t *fg_origin_json(const struct fg_origin *origin);
/* Appends the object as text. */
void fg_origin_put_json(const struct fg_origin *origin, struct fg_buffer *out);

/* Appends it as a line for people, without a newline: "run ID on HOST (Linux 6.12), flowgen 1.0,
 * TIME". */
void fg_origin_put(const struct fg_origin *origin, struct fg_buffer *out);

#endif
