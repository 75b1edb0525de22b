/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base/visible.h - text from outside that cannot steer a terminal, or mislead who reads it: no
 * control characters (C0, DEL, C1), no line separators, no marks that turn the direction of writing
 * (Unicode Standard Annex 9, "Trojan Source"). Pure.
 */
#ifndef FG_VISIBLE_H
#define FG_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the UTF-8 character at text that may be shown; 0: there is none. Ends at a NUL. */
size_t fg_visible(const char *text);

/*
 * Whether a character of UTF-8 is beyond ASCII and not to be shown: then *len is its bytes, and
 * *code its number.
 */
bool fg_visible_hidden(const char *text, size_t *len, unsigned int *code);

/* Puts '?' in place of each byte that may not be shown. */
void fg_visible_make(char *text);

#endif
