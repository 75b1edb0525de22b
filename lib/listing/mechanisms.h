/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * listing/mechanisms.h - what else on a node decides about packets (facts/mechanisms.h), for
 * programs and for people. Pure.
 */
#ifndef FG_REPORT_MECHANISMS_H
#define FG_REPORT_MECHANISMS_H

#include <jansson.h>

#include "base/buffer.h"
#include "facts/mechanisms.h"

/* The object "node" of doc/check.schema.json. A new reference, or NULL if memory is short. */
json_t *fg_mechanisms_json(const struct fg_mechanisms *mechanisms);

/* Lines of text, each with a newline, in two columns as those of `flowgen check`. */
void fg_mechanisms_text(const struct fg_mechanisms *mechanisms, struct fg_buffer *out);

#endif
