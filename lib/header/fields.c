// SPDX-License-Identifier: GPL-2.0-only
#include "header/fields.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define X(id, name_, key_, length_, first_, last_)                                                 \
	[FG_HEADER_##id] = { .name = (name_),                                                      \
			     .key = (key_),                                                        \
			     .length = (length_),                                                  \
			     .first = FG_##id##_##first_,                                          \
			     .end = FG_##id##_##last_ + 1 },
const struct fg_header_info fg_field_headers[FG_HEADER_COUNT] = { FG_HEADERS(X) };
#undef X

#define X(header_, field, name_, key_, bit_, width_, format_)                                      \
	[FG_##header_##_##field] = { .name = (name_),                                              \
				     .key = (key_),                                                \
				     .header = FG_HEADER_##header_,                                \
				     .format = FG_FORMAT_##format_,                                \
				     .bit = (bit_),                                                \
				     .width = (width_) },
const struct fg_field fg_fields[FG_FIELD_COUNT] = { FG_FIELDS(X) };
#undef X

uint64_t fg_field_get(enum fg_field_id id, const uint8_t *header)
{
	const struct fg_field *field = &fg_fields[id];
	unsigned int end = field->bit + field->width;
	const uint8_t *last = header + (end - 1) / 8;
	uint64_t value = 0;

	for (const uint8_t *byte = header + field->bit / 8; byte <= last; byte++)
		value = value << 8 | *byte;
	value >>= (8 - end % 8) % 8;
	return value & fg_field_max(id);
}

void fg_field_set(enum fg_field_id id, uint8_t *header, uint64_t value)
{
	const struct fg_field *field = &fg_fields[id];
	unsigned int end = field->bit + field->width;
	unsigned int shift = (8 - end % 8) % 8;
	uint8_t *first = header + field->bit / 8;
	uint64_t mask = fg_field_max(id) << shift;

	/* No field is wider than 32 bits and unaligned, so the shifted mask fits into 64 bits. */
	value = (value << shift) & mask;
	for (uint8_t *byte = header + (end - 1) / 8; byte >= first; byte--) {
		*byte = (uint8_t)((*byte & ~mask) | value);
		value >>= 8;
		mask >>= 8;
	}
}

uint64_t fg_field_max(enum fg_field_id id)
{
	return UINT64_MAX >> (64 - fg_fields[id].width);
}

bool fg_field_within(enum fg_field_id id, size_t len)
{
	return len * 8 >= (size_t)fg_fields[id].bit + fg_fields[id].width;
}

bool fg_field_is_text(enum fg_field_id id)
{
	return fg_fields[id].format >= FG_FORMAT_TCP_FLAGS;
}

const char *fg_field_tcp_flags_text(uint8_t flags, char *buf)
{
	static const char letters[] = "FSRPAUEC"; /* from the least significant bit on */
	char *p = buf;

	for (unsigned int i = 0; i < 8; i++)
		if (flags >> i & 1)
			*p++ = letters[i];
	if (p == buf)
		*p++ = '-';
	*p = '\0';
	return buf;
}

static void hex_text(const uint8_t *bytes, size_t len, const char *separator, char *buf,
		     size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < len && used + strlen(separator) + 2 < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%02x", i ? separator : "",
					 bytes[i]);
}

static void number_text(const struct fg_field *field, uint64_t value, char *buf, size_t size)
{
	if (field->format == FG_FORMAT_HEX)
		snprintf(buf, size, "0x%0*" PRIx64, (field->width + 3) / 4, value);
	else
		snprintf(buf, size, "%" PRIu64, value);
}

const char *fg_field_text(enum fg_field_id id, const uint8_t *header, size_t len, char *buf,
			  size_t size)
{
	const struct fg_field *field = &fg_fields[id];
	const uint8_t *bytes = header + field->bit / 8;
	char flags[FG_TCP_FLAGS_LEN] = "";

	switch (field->format) {
	case FG_FORMAT_TCP_FLAGS:
		snprintf(buf, size, "%s", fg_field_tcp_flags_text(*bytes, flags));
		break;
	case FG_FORMAT_MAC:
		hex_text(bytes, 6, ":", buf, size);
		break;
	case FG_FORMAT_IPV4:
	case FG_FORMAT_IPV6:
		if (!inet_ntop(field->format == FG_FORMAT_IPV4 ? AF_INET : AF_INET6, bytes, buf,
			       (socklen_t)size))
			buf[0] = '\0';
		break;
	case FG_FORMAT_BYTES:
		hex_text(bytes, len - field->bit / 8, "", buf, size);
		break;
	default:
		number_text(field, fg_field_get(id, header), buf, size);
	}
	return buf;
}
