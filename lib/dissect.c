// SPDX-License-Identifier: GPL-2.0-only
/*
 * dissect.c - from bytes to layers: Ethernet, IP and what stands behind it. The transports are in
 * dissect_transport.c.
 */
#include "dissect.h"

#include <netinet/in.h>
#include <string.h>

#include "dissect_layers.h"

void fg_layer_add(struct fg_walk *walk, enum fg_header header, size_t len)
{
	struct fg_dissection *out = walk->out;

	if (len > walk->left) {
		fg_walk_problem(walk, "cut off");
		len = walk->left;
	}
	if (out->count == FG_LAYERS_MAX) {
		fg_walk_problem(walk, "too many headers and options");
		return;
	}
	out->layers[out->count++] = (struct fg_layer){
		.header = (uint8_t)header,
		.quoted = walk->quoted,
		.offset = (uint32_t)(walk->at - out->bytes),
		.len = (uint32_t)len,
	};
}

/* Goes on by len bytes, or to the end. */
void fg_walk_skip(struct fg_walk *walk, size_t len)
{
	if (len > walk->left)
		len = walk->left;
	walk->at += len;
	walk->left -= len;
}

void fg_walk_problem(struct fg_walk *walk, const char *text)
{
	/* A quoted packet is cut off by rule (RFC 792), so nothing is wrong with that. */
	if (!walk->out->problem && !walk->quoted)
		walk->out->problem = text;
}

void fg_layer_take(struct fg_walk *walk, enum fg_header header, size_t len)
{
	fg_layer_add(walk, header, len);
	fg_walk_skip(walk, len);
}

void fg_layer_payload(struct fg_walk *walk)
{
	if (walk->left)
		fg_layer_take(walk, FG_HEADER_PAYLOAD, walk->left);
}

/*
 * Options of the form type, length, data, where types 0 and 1 stand alone: those of IPv4 (RFC 791
 * section 3.1).
 */
static void walk_ipv4_options(struct fg_walk *walk, size_t len)
{
	while (len && walk->left) {
		uint8_t type = walk->at[0];
		size_t size = type <= 1 || walk->left < 2 || len < 2 ? 1 : walk->at[1];

		if (size < (type <= 1 ? 1u : 2u) || size > len) {
			fg_walk_problem(walk, "an IPv4 option with a wrong length");
			size = len;
		}
		fg_layer_take(walk, FG_HEADER_IPV4_OPTION, size);
		len -= size;
	}
}

static void walk_ipv4(struct fg_walk *walk)
{
	const uint8_t *h = walk->at;
	size_t header_len, total;

	if (walk->left < 20) {
		fg_layer_take(walk, FG_HEADER_IPV4, 20);
		return;
	}
	header_len = fg_field_get(FG_IPV4_IHL, h) * 4;
	total = fg_field_get(FG_IPV4_TOTAL_LENGTH, h);
	if (total > walk->left)
		fg_walk_problem(walk, "shorter than the IPv4 total length");
	fg_layer_take(walk, FG_HEADER_IPV4, 20);
	if (header_len < 20 || total < header_len) {
		fg_walk_problem(walk, "an IPv4 header or total length that is too small");
		fg_layer_payload(walk);
		return;
	}
	if (total - 20 < walk->left)
		walk->left = total - 20; /* what follows is padding of the link */
	walk_ipv4_options(walk, header_len - 20);
	walk->fragment = fg_field_get(FG_IPV4_MF, h);
	if (fg_field_get(FG_IPV4_OFFSET, h))
		fg_layer_payload(walk);
	else
		fg_walk_transport(walk, (uint8_t)fg_field_get(FG_IPV4_PROTOCOL, h), AF_INET);
}

/* The header of an IPv6 extension header's protocol number, or FG_HEADER_COUNT. */
static enum fg_header ext_header(uint8_t next)
{
	switch (next) {
	case IPPROTO_HOPOPTS:
		return FG_HEADER_HOP_BY_HOP;
	case IPPROTO_DSTOPTS:
		return FG_HEADER_DESTINATION;
	case IPPROTO_ROUTING:
		return FG_HEADER_ROUTING;
	case IPPROTO_FRAGMENT:
		return FG_HEADER_FRAGMENT;
	default:
		return FG_HEADER_COUNT;
	}
}

static void walk_ipv6(struct fg_walk *walk)
{
	const uint8_t *h = walk->at;
	enum fg_header header;
	size_t len;
	uint8_t next;

	if (walk->left < 40) {
		fg_layer_take(walk, FG_HEADER_IPV6, 40);
		return;
	}
	len = fg_field_get(FG_IPV6_PAYLOAD_LENGTH, h);
	next = (uint8_t)fg_field_get(FG_IPV6_NEXT_HEADER, h);
	fg_layer_take(walk, FG_HEADER_IPV6, 40);
	if (len > walk->left)
		fg_walk_problem(walk, "shorter than the IPv6 payload length");
	else
		walk->left = len;
	while ((header = ext_header(next)) != FG_HEADER_COUNT) {
		const uint8_t *ext = walk->at;

		if (walk->left < 8) {
			fg_layer_take(walk, header, 8);
			return;
		}
		next = ext[0];
		fg_layer_take(walk, header, header == FG_HEADER_FRAGMENT ? 8 : ext[1] * 8 + 8);
		if (header != FG_HEADER_FRAGMENT)
			continue;
		walk->fragment = fg_field_get(FG_FRAGMENT_MF, ext);
		if (fg_field_get(FG_FRAGMENT_OFFSET, ext)) {
			fg_layer_payload(walk);
			return;
		}
	}
	fg_walk_transport(walk, next, AF_INET6);
}

void fg_walk_packet(struct fg_walk *walk)
{
	uint8_t version = walk->left ? walk->at[0] >> 4 : 0;

	if (version == 4) {
		walk_ipv4(walk);
	} else if (version == 6) {
		walk_ipv6(walk);
	} else {
		fg_walk_problem(walk, walk->left ? "neither IPv4 nor IPv6" : "empty");
		fg_layer_payload(walk);
	}
}

static void start(struct fg_walk *walk, const uint8_t *bytes, size_t len, struct fg_dissection *out)
{
	out->bytes = bytes;
	out->count = 0;
	out->problem = NULL;
	*walk = (struct fg_walk){ .at = bytes, .left = len, .out = out };
}

void fg_dissect_packet(const uint8_t *bytes, size_t len, struct fg_dissection *out)
{
	struct fg_walk walk;

	start(&walk, bytes, len, out);
	fg_walk_packet(&walk);
}

void fg_dissect_frame(const uint8_t *bytes, size_t len, struct fg_dissection *out)
{
	struct fg_walk walk;
	uint64_t type;

	start(&walk, bytes, len, out);
	fg_layer_take(&walk, FG_HEADER_ETHERNET, 14);
	if (len < 14)
		return;
	type = fg_field_get(FG_ETHERNET_TYPE, bytes);
	if (type == 0x0800 || type == 0x86dd)
		fg_walk_packet(&walk);
	else
		fg_layer_payload(&walk);
}

bool fg_dissect_next(const struct fg_dissection *dissection, struct fg_dissect_cursor *cursor)
{
	unsigned int field = cursor->started ? cursor->field + 1u : 0;

	for (; cursor->layer < dissection->count; cursor->layer++, cursor->started = false) {
		const struct fg_layer *layer = &dissection->layers[cursor->layer];
		const struct fg_header_info *header = &fg_headers[layer->header];

		for (field = cursor->started ? field : header->first; field < header->end;
		     field++) {
			if (!fg_field_within(field, layer->len))
				continue;
			cursor->field = field;
			cursor->header = dissection->bytes + layer->offset;
			cursor->len = layer->len;
			cursor->started = true;
			return true;
		}
	}
	return false;
}

const struct fg_layer *fg_dissect_find(const struct fg_dissection *dissection,
				       enum fg_header header)
{
	for (size_t i = 0; i < dissection->count; i++)
		if (dissection->layers[i].header == header && !dissection->layers[i].quoted)
			return &dissection->layers[i];
	return NULL;
}
