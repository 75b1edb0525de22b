// SPDX-License-Identifier: GPL-2.0-only
#include "base/grow.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

size_t fg_grow_room(size_t count)
{
	size_t room = 1;

	while (room && room < count)
		room <<= 1;
	return count ? room : 0;
}

void *fg_grow(void *array, size_t *room, size_t need, size_t size, const char *what,
	      struct fg_error *err)
{
	size_t wanted, bytes;
	void *grown = NULL;

	if (array && need <= *room)
		return array;
	wanted = fg_grow_room(need ? need : 1);
	if (wanted && !__builtin_mul_overflow(wanted, size, &bytes))
		grown = realloc(array, bytes);
	if (!grown) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", what);
		return NULL;
	}
	*room = wanted;
	return grown;
}

static void *must(void *memory, bool wanted)
{
	if (!memory && wanted)
		fg_error_die(ENOMEM, "memory");
	return memory;
}

void *fg_grow_malloc(size_t size)
{
	return must(malloc(size), size);
}

void *fg_grow_calloc(size_t count, size_t size)
{
	return must(calloc(count, size), count && size);
}

void *fg_grow_realloc(void *old, size_t size)
{
	return must(realloc(old, size), size);
}

char *fg_grow_strdup(const char *text)
{
	return must(strdup(text), true);
}
