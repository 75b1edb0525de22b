/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base/grow.h - arrays that grow: the room is doubled, so that an element costs the same whatever
 * the array's length, and a size that cannot be expressed counts as out of memory.
 *
 * Each macro fills err (FG_ERR_INTERNAL, "what: Cannot allocate memory"; err may be NULL) and
 * leaves the array as it was if memory is short. The array belongs to the caller; NULL is an
 * empty one. What is new in it is not initialized, unless said otherwise.
 */
#ifndef FG_GROW_H
#define FG_GROW_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

/*
 * Moves the array to where `need` elements of `size` bytes have room, if *room is less. Returns it,
 * and *room; NULL on failure. The macros below are typed, and to be preferred.
 */
void *fg_grow(void *array, size_t *room, size_t need, size_t size, const char *what,
	      struct fg_error *err);

/* The room that FG_GROW() has made for count elements: the power of two that holds them. */
size_t fg_grow_room(size_t count);

/*
 * Room for `need` elements in an array whose room is kept beside it, in a size_t: for one that is
 * emptied and filled again. Returns the array, or NULL.
 */
#define FG_GROW_TO(array, room, need, what, err)                                                   \
	({                                                                                         \
		__typeof__(array) grown_ = fg_grow((array), &(room), (need),                       \
						   sizeof(__typeof__(*(array))), (what), (err));   \
		if (grown_)                                                                        \
			(array) = grown_;                                                          \
		grown_;                                                                            \
	})

/*
 * Room for `more` elements after the first count. Returns the first of them, or NULL; the caller
 * counts them. The room follows from the count, so all growth of such an array is by this macro or
 * the next.
 */
#define FG_GROW(array, count, more, what, err)                                                     \
	({                                                                                         \
		size_t count_ = (count), more_ = (more), room_ = fg_grow_room(count_);             \
		__typeof__(array) at_ = FG_GROW_TO(                                                \
			array, room_, more_ > SIZE_MAX - count_ ? SIZE_MAX : count_ + more_, what, \
			err);                                                                      \
		at_ ? at_ + count_ : NULL;                                                         \
	})

/* The same for one element, which is zeroed and counted. */
#define FG_APPEND(array, count, what, err)                                                         \
	({                                                                                         \
		__typeof__(array) new_ = FG_GROW(array, count, 1, what, err);                      \
		if (new_) {                                                                        \
			memset(new_, 0, sizeof(__typeof__(*new_)));                                \
			(count)++;                                                                 \
		}                                                                                  \
		new_;                                                                              \
	})

/*
 * Allocations for libraries that do not survive a failed one: jansson leaves out what it could not
 * make, and libbpf dereferences it. As malloc(3) and strdup(3), but the process ends instead
 * (fg_error_die()): what it made belongs to descriptors, and goes with it. The Makefile renames
 * libbpf's calls to these.
 */
void *fg_grow_malloc(size_t size);
void *fg_grow_calloc(size_t count, size_t size);
void *fg_grow_realloc(void *old, size_t size);
char *fg_grow_strdup(const char *text);

#endif
