// SPDX-License-Identifier: GPL-2.0-only
#include "header/rewrite.h"

#include <string.h>

#include "base/count.h"
#include "header/checksum.h"
#include "header/dissect.h"
#include "header/protocol.h"

/*
 * Where a transport's checksum over the pseudo header stands, and the header bytes that must be
 * there for it.
 */
struct covered {
	uint8_t protocol;
	uint8_t offset;
	uint8_t header_len;
};

static const struct covered *covered_by(const struct fg_layout *layout)
{
	static const struct covered all[] = {
		{ IPPROTO_TCP, 16, 20 }, { IPPROTO_UDP, 6, 8 },	   { IPPROTO_UDPLITE, 6, 8 },
		{ IPPROTO_DCCP, 6, 12 }, { IPPROTO_ICMPV6, 2, 4 },
	};

	for (size_t i = 0; i < COUNT(all); i++) {
		/* ICMPv6 in IPv4 has no pseudo header. */
		if (all[i].protocol != layout->protocol ||
		    (layout->protocol == IPPROTO_ICMPV6 && layout->family == AF_INET))
			continue;
		return layout->len - layout->transport >= all[i].header_len ? &all[i] : NULL;
	}
	return NULL;
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* UDP's checksum of 0 means none, so a computed 0 is sent as its other form (RFC 768). */
static uint16_t not_none(uint8_t protocol, uint16_t checksum)
{
	bool udp = protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;

	return udp && !checksum ? 0xffff : checksum;
}

static struct fg_addr address(const uint8_t *bytes, uint16_t family)
{
	struct fg_addr addr = { .family = family };

	memcpy(addr.bytes, bytes, family == AF_INET ? 4 : 16);
	return addr;
}

/*
 * Computes a checksum that the sender's device was to complete. It is recognized by the field
 * holding the pseudo header's sum, not inverted; a right checksum is that by chance once in 65536
 * packets, and is then computed to what it was already.
 */
static void complete(uint8_t *packet, const struct fg_layout *layout, const struct covered *covered)
{
	bool v4 = layout->family == AF_INET;
	struct fg_addr src = address(packet + (v4 ? 12 : 8), layout->family);
	struct fg_addr dst = address(packet + (v4 ? 16 : 24), layout->family);
	uint32_t len = layout->len - layout->transport;
	uint8_t *field = packet + layout->transport + covered->offset;
	uint64_t pseudo = fg_checksum_add_pseudo(0, &src, &dst, layout->protocol, len);
	uint16_t checksum;

	if (layout->more_fragments ||
	    (layout->protocol != IPPROTO_TCP && layout->protocol != IPPROTO_UDP) ||
	    get16(field) != fg_checksum_fold(pseudo))
		return;
	put16(field, 0);
	checksum = (uint16_t)~fg_checksum_fold(
		fg_checksum_add(pseudo, packet + layout->transport, len));
	put16(field, not_none(layout->protocol, checksum));
}

void fg_rewrite_source(uint8_t *packet, size_t len, const struct fg_addr *src)
{
	struct fg_layout layout;
	const struct covered *covered;
	uint8_t *field, *at;
	size_t size;

	if (fg_flow_layout_find(packet, len, &layout) < 0)
		return;
	covered = layout.fragment_offset ? NULL : covered_by(&layout);
	if (covered)
		complete(packet, &layout, covered);
	if (!src || src->family != layout.family)
		return;
	size = layout.family == AF_INET ? 4 : 16;
	at = packet + (layout.family == AF_INET ? 12 : 8);
	if (layout.family == AF_INET)
		put16(packet + 10, fg_checksum_update(get16(packet + 10), at, src->bytes, size));
	if (covered) {
		field = packet + layout.transport + covered->offset;
		if (get16(field) || layout.protocol != IPPROTO_UDP)
			put16(field,
			      not_none(layout.protocol,
				       fg_checksum_update(get16(field), at, src->bytes, size)));
	}
	memcpy(at, src->bytes, size);
}

bool fg_rewrite_is_sealed(const uint8_t *packet, size_t len, const struct fg_addr *src)
{
	struct fg_layout layout;

	if (fg_flow_layout_find(packet, len, &layout) < 0 || layout.protocol != IPPROTO_AH)
		return false;
	return memcmp(packet + (layout.family == AF_INET ? 12 : 8), src->bytes,
		      layout.family == AF_INET ? 4 : 16) != 0;
}
