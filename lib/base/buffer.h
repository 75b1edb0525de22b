/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base/buffer.h - bytes that grow at their end. A failed allocation is remembered instead of being
 * checked at every append: what is appended after it is left out, and whoever uses the bytes checks
 * `failed` once. Pure.
 */
#ifndef FG_BUFFER_H
#define FG_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Zeroed is empty. */
struct fg_buffer {
	char *data; /* owned; fg_buffer_free(); not NUL-terminated */
	size_t len, room;
	bool failed; /* memory was short: bytes are missing */
};

void fg_buffer_free(struct fg_buffer *buffer);

/* Makes room for this many more bytes. Returns where they go, or NULL (failed is then set). */
char *fg_buffer_reserve(struct fg_buffer *buffer, size_t size);

void fg_buffer_printf(struct fg_buffer *buffer, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Appends the number in decimal; printf is too slow for the tens of numbers in each of 65,535
 * lines.
 */
void fg_buffer_put_u64(struct fg_buffer *buffer, uint64_t value);
void fg_buffer_put_i64(struct fg_buffer *buffer, int64_t value);

static inline void fg_buffer_put(struct fg_buffer *buffer, const void *bytes, size_t len)
{
	char *to = fg_buffer_reserve(buffer, len);

	if (!to || !len)
		return;
	memcpy(to, bytes, len);
	buffer->len += len;
}

static inline void fg_buffer_puts(struct fg_buffer *buffer, const char *text)
{
	fg_buffer_put(buffer, text, strlen(text));
}

#endif
