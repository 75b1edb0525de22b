/* SPDX-License-Identifier: GPL-2.0-only */
/* base/nearest.h - which of several words a misspelt one was most likely meant to be. Pure. */
#ifndef FG_NEAREST_H
#define FG_NEAREST_H

#include <stddef.h>

/*
 * The word among count that is at most two insertions, deletions or replacements away from text,
 * the nearest of them; NULL if none is. Words of 64 or more characters are never near.
 */
const char *fg_nearest(const char *text, const char *const *words, size_t count);

#endif
