/* SPDX-License-Identifier: GPL-2.0-only */
/* listing/internal.h - what the listings have in common. Pure. */
#ifndef FG_LISTING_INTERNAL_H
#define FG_LISTING_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Nanoseconds since the epoch as RFC 3339 in UTC, with nanoseconds: two nodes' outputs can be laid
 * side by side. Returns buf.
 */
const char *fg_time_text(uint64_t ns, char *buf, size_t size);
#define FG_TIME_TEXT_LEN 64

#endif
