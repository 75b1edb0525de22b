/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * facts/hint.h - what the kernel's reason for a drop means, and what to look at next, as a sentence
 * for people. Pure; one table.
 */
#ifndef FG_HINT_H
#define FG_HINT_H

#include <stdbool.h>
#include <stddef.h>

#include "facts/cause.h"

/*
 * Writes the hint for an end to buf: one sentence on what it means, with the value that matters
 * if a cause was found, and one on what to look at. reason: the kernel's name without
 * SKB_DROP_REASON_, such as "IP_RPFILTER" or "OVS_DROP_METER"; symbol: where the packet was freed,
 * as %pS shows it; place: the device as people call it, such as "hdst (host)"; cause: as
 * fg_cause_find() has found it. Any of them may be NULL. Returns whether there is one; buf is
 * untouched if not. The text has no newline.
 */
bool fg_hint_for(const char *reason, const char *symbol, const char *place,
		 const struct fg_cause *cause, char *buf, size_t size);
#define FG_HINT_LEN 1000

#endif
