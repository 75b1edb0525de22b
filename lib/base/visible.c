// SPDX-License-Identifier: GPL-2.0-only
#include "base/visible.h"

/* The bytes that the first one promises, if they are there; 0: it is not UTF-8 (RFC 3629). */
static size_t length(const char *text)
{
	unsigned char first = (unsigned char)*text;
	size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;

	if (first < 0x80)
		return 1;
	if (len == 1 || first > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static unsigned int decode(const char *text, size_t len)
{
	unsigned int code = len > 1 ? (unsigned char)*text & (0x7fU >> len) : (unsigned char)*text;

	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((unsigned char)text[i] & 0x3fU);
	return code;
}

/* U+061C, U+200E and U+200F are marks of direction, U+2028 and U+2029 end a line. */
static bool is_hidden(unsigned int code)
{
	return (code >= 0x80 && code < 0xa0) || code == 0x61c || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

bool fg_visible_hidden(const char *text, size_t *len, unsigned int *code)
{
	*len = length(text);
	*code = *len ? decode(text, *len) : 0;
	return is_hidden(*code);
}

size_t fg_visible(const char *text)
{
	unsigned int code;
	size_t len;

	if (fg_visible_hidden(text, &len, &code) || code < 0x20 || code == 0x7f)
		return 0;
	return len;
}

void fg_visible_make(char *text)
{
	while (*text) {
		size_t len = fg_visible(text);

		if (!len)
			*text = '?';
		text += len ? len : 1;
	}
}
