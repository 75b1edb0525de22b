/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base/markup.h - text within XML and HTML, in elements and in attributes with double quotes. Pure.
 */
#ifndef FG_MARKUP_H
#define FG_MARKUP_H

#include "base/buffer.h"

/*
 * Appends text so that it is taken literally: the markup's own characters as references, and what
 * no XML 1.0 document may hold (control characters, bytes that are not UTF-8, U+FFFE and U+FFFF) as
 * '?'. A newline in an attribute becomes a reference too.
 */
void fg_markup_put(struct fg_buffer *out, const char *text);
void fg_markup_put_bytes(struct fg_buffer *out, const char *text, size_t len);

/* Appends len bytes of plain text, with '?' in place of each that base/visible.h does not show. */
void fg_markup_put_visible(struct fg_buffer *out, const char *text, size_t len);

#endif
