// SPDX-License-Identifier: GPL-2.0-only
#include "probe/wire.h"

#include <netinet/in.h>
#include <string.h>

/* What identifies a flow in the layer above IP is in its first bytes. */
#define PORTS_LEN 6

static bool take_ports(const uint8_t *packet, size_t len, size_t at, struct fg_wire_flow *f)
{
	uint16_t word[PORTS_LEN / 2];

	if (at + PORTS_LEN > len)
		return false;
	memcpy(word, packet + at, sizeof(word));
	switch (f->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		f->sport = word[0];
		f->dport = word[1];
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		f->sport = word[0];
		f->dport = word[2];
		break;
	}
	return true;
}

static bool read_ipv4(const uint8_t *packet, size_t len, struct fg_wire_flow *f)
{
	/* The programs read this much at once. */
	if (len < 28)
		return false;
	f->family = 4;
	f->proto = packet[9];
	memcpy(&f->ident, packet + 4, sizeof(f->ident));
	memcpy(f->src, packet + 12, 4);
	memcpy(f->dst, packet + 16, 4);
	/* Neither a later fragment nor a header without any length has ports behind it. */
	if ((packet[6] & 0x1f) | packet[7] || !(packet[0] & 15))
		return true;
	return take_ports(packet, len, (packet[0] & 15) * 4u, f);
}

static bool is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT;
}

static bool read_ipv6(const uint8_t *packet, size_t len, struct fg_wire_flow *f)
{
	size_t at = 40;

	if (len < at)
		return false;
	f->family = 6;
	f->proto = packet[6];
	memcpy(f->src, packet + 8, 16);
	memcpy(f->dst, packet + 24, 16);
	for (int i = 0; i < 4 && is_extension(f->proto); i++) {
		uint8_t type = f->proto;

		if (at + 4 > len)
			return false;
		f->proto = packet[at];
		if (type == IPPROTO_FRAGMENT && (packet[at + 2] | (packet[at + 3] & 0xf8)))
			return true;
		at += type == IPPROTO_FRAGMENT ? 8 : (packet[at + 1] + 1u) * 8;
	}
	return take_ports(packet, len, at, f);
}

bool fg_wire_read_flow(const uint8_t *packet, size_t len, struct fg_wire_flow *out)
{
	struct fg_wire_flow f = {};
	uint8_t version = len ? packet[0] >> 4 : 0;

	if (version == 4 ? !read_ipv4(packet, len, &f)
			 : version != 6 || !read_ipv6(packet, len, &f))
		return false;
	*out = f;
	return true;
}
