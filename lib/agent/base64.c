// SPDX-License-Identifier: GPL-2.0-only
#include "agent/internal.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void fg_agent_base64_put(struct fg_buffer *out, const char *bytes, size_t len)
{
	const unsigned char *in = (const unsigned char *)bytes;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)in[i] << 16 | (n > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
			     (n > 2 ? in[i + 2] : 0);
		const char four[4] = { digits[v >> 18], digits[v >> 12 & 63],
				       n > 1 ? digits[v >> 6 & 63] : '=',
				       n > 2 ? digits[v & 63] : '=' };

		fg_buffer_put(out, four, sizeof(four));
	}
}

static int value_of(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Four characters, of which the last `pad` are padding. */
static int read_four(const char *text, unsigned int pad, struct fg_buffer *out)
{
	uint32_t v = 0;
	char bytes[3];

	for (unsigned int i = 0; i < 4; i++) {
		int value = i < 4 - pad ? value_of(text[i]) : 0;

		if (value < 0 || (i >= 4 - pad && text[i] != '='))
			return -1;
		v = v << 6 | (uint32_t)value;
	}
	/* Bits that belong to no byte: two texts would be the same bytes. */
	if (v & ((1U << 8 * pad) - 1))
		return -1;
	bytes[0] = (char)(v >> 16);
	bytes[1] = (char)(v >> 8);
	bytes[2] = (char)v;
	fg_buffer_put(out, bytes, 3 - pad);
	return 0;
}

int fg_agent_base64_read(const char *text, size_t len, struct fg_buffer *out)
{
	if (len % 4)
		return -1;
	for (size_t i = 0; i < len; i += 4) {
		unsigned int pad = 0;

		if (i + 4 == len)
			pad = (text[len - 1] == '=') +
			      (text[len - 1] == '=' && text[len - 2] == '=');
		if (read_four(text + i, pad, out))
			return -1;
	}
	return 0;
}
