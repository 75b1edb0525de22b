// SPDX-License-Identifier: GPL-2.0-only
#include "base/markup.h"

#include <stdint.h>

#include "base/visible.h"

/* Bytes of the UTF-8 character at text (RFC 3629) that XML 1.0 section 2.2 allows; 0: none. */
static size_t character(const unsigned char *text, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = text[0] < 0x80	? 1
		   : text[0] >> 5 == 6	? 2
		   : text[0] >> 4 == 14 ? 3
		   : text[0] >> 3 == 30 ? 4
					: 0;
	uint32_t code = n > 1 ? text[0] & (0x7fU >> n) : text[0];

	if (!n || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (text[i] >> 6 != 2)
			return 0;
		code = code << 6 | (text[i] & 0x3fU);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ||
	    code == 0xfffe || code == 0xffff)
		return 0;
	return code >= 0x20 || code == '\t' || code == '\n' || code == '\r' ? n : 0;
}

static const char *reference(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	}
	return NULL;
}

void fg_markup_put_bytes(struct fg_buffer *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = character((const unsigned char *)text + i, len - i), same;
		unsigned int code;
		const char *ref = n == 1 ? reference(text[i]) : NULL;

		if (ref)
			fg_buffer_puts(out, ref);
		else if (n && !fg_visible_hidden(text + i, &same, &code))
			fg_buffer_put(out, text + i, n);
		else
			fg_buffer_puts(out, "?");
		i += n ? n : 1;
	}
}

void fg_markup_put(struct fg_buffer *out, const char *text)
{
	if (text)
		fg_markup_put_bytes(out, text, strlen(text));
}

void fg_markup_put_visible(struct fg_buffer *out, const char *text, size_t len)
{
	for (const char *c = text; c < text + len;) {
		size_t size = fg_visible(c);

		if (size > (size_t)(text + len - c))
			size = 0;
		fg_buffer_put(out, size ? c : "?", size ? size : 1);
		c += size ? size : 1;
	}
}
