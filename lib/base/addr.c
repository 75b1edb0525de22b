// SPDX-License-Identifier: GPL-2.0-only
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

const char *fg_addr_text(const struct fg_addr *addr, char *buf, size_t size)
{
	char text[FG_ADDR_TEXT_LEN] = "-";

	if (addr->family == AF_INET || addr->family == AF_INET6)
		inet_ntop(addr->family, addr->bytes, text, sizeof(text));
	snprintf(buf, size, "%s", text);
	return buf;
}

bool fg_addr_equal(const struct fg_addr *a, const struct fg_addr *b)
{
	if (a->family != b->family)
		return false;
	return !memcmp(a->bytes, b->bytes,
		       a->family == AF_INET6  ? 16
		       : a->family == AF_INET ? 4
					      : 0);
}

bool fg_addr_is_link_local(const struct fg_addr *addr)
{
	const uint8_t *b = addr->bytes;

	return addr->family == AF_INET6 &&
	       ((b[0] == 0xfe && (b[1] & 0xc0) == 0x80) || (b[0] == 0xff && (b[1] & 0x0f) == 2));
}

struct fg_addr fg_addr_at(const struct fg_addr *first, uint32_t index)
{
	struct fg_addr at = *first;
	uint64_t carry = index;

	for (int i = at.family == AF_INET ? 3 : 15; carry && i >= 0; i--) {
		carry += at.bytes[i];
		at.bytes[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return at;
}
