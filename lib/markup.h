/* SPDX-License-Identifier: GPL-2.0-only */
/* markup.h - text within XML and HTML, in elements and in attributes with double quotes. Pure. */
#ifndef FG_MARKUP_H
#define FG_MARKUP_H

#include "buffer.h"

/*
 * Appends text so that it stands for itself: the markup's own characters as references, and what no
 * XML 1.0 document may hold (control characters, bytes that are not UTF-8, U+FFFE and U+FFFF) as
 * '?'. A newline in an attribute becomes a reference too.
 */
void fg_markup_put(struct fg_buffer *out, const char *text);
void fg_markup_put_bytes(struct fg_buffer *out, const char *text, size_t len);

#endif
