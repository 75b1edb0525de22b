// SPDX-License-Identifier: GPL-2.0-only
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/grow.h"

/* Most texts are longer than what doubling begins with. */
#define ROOM_MIN 256

void fg_buffer_free(struct fg_buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct fg_buffer){};
}

char *fg_buffer_reserve(struct fg_buffer *buffer, size_t size)
{
	size_t need;

	if (buffer->failed)
		return NULL;
	if (buffer->data && size <= buffer->room - buffer->len)
		return buffer->data + buffer->len;
	need = size > SIZE_MAX - buffer->len ? SIZE_MAX : buffer->len + size;
	if (!FG_GROW_TO(buffer->data, buffer->room, need < ROOM_MIN ? ROOM_MIN : need, "text",
			NULL)) {
		buffer->failed = true;
		return NULL;
	}
	return buffer->data + buffer->len;
}

void fg_buffer_printf(struct fg_buffer *buffer, const char *fmt, ...)
{
	va_list args, again;
	int len;
	char *to;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	to = len < 0 ? NULL : fg_buffer_reserve(buffer, (size_t)len + 1);
	if (to) {
		vsnprintf(to, (size_t)len + 1, fmt, again);
		buffer->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}

void fg_buffer_put_u64(struct fg_buffer *buffer, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	fg_buffer_put(buffer, digits + at, sizeof(digits) - at);
}

void fg_buffer_put_i64(struct fg_buffer *buffer, int64_t value)
{
	if (value < 0)
		fg_buffer_put(buffer, "-", 1);
	fg_buffer_put_u64(buffer, value < 0 ? -(uint64_t)value : (uint64_t)value);
}
