/* SPDX-License-Identifier: GPL-2.0-only */
/* nearest.h - which of several words a misspelt one was most likely meant to be. Pure. */
#ifndef FG_NEAREST_H
#define FG_NEAREST_H

#include <stddef.h>

/*
 * The word among count that is at most two insertions, deletions or replacements away from text,
 * the nearest of them; NULL where none is. Words of 64 characters and more are never near.
 */
const char *fg_nearest(const char *text, const char *const *words, size_t count);

#endif
