// SPDX-License-Identifier: GPL-2.0-only
/*
 * header/dissect.c - from bytes to layers: Ethernet, IP and what follows it.
 * and the transports with their options and chunks.
 */
#include "header/dissect.h"

#include <netinet/in.h>
#include <string.h>

#include "base/count.h"
#include "header/protocol.h"

struct walk {
	const uint8_t *at; /* the first byte not yet taken */
	size_t left;	   /* bytes from there on */
	bool fragment;	   /* the first of several: what it holds may go on in the others */
	bool quoted;	   /* within the packet that an ICMP error quotes */
	struct fg_dissection *out;
};

/* An ICMP error quotes a packet, so these two call each other. */
static void walk_packet(struct walk *walk);

/* Notes the first thing that is wrong. */
static void note_problem(struct walk *walk, const char *text)
{
	/* A quoted packet is cut off by rule (RFC 792), so nothing is wrong with that. */
	if (!walk->out->problem && !walk->quoted)
		walk->out->problem = text;
}

/* Goes on by len bytes, or to the end. */
static void skip(struct walk *walk, size_t len)
{
	if (len > walk->left)
		len = walk->left;
	walk->at += len;
	walk->left -= len;
}

/*
 * Adds a layer of len bytes from here on, of fewer where the bytes end, without (add) or with
 * (take) going past it.
 */
static void add_layer(struct walk *walk, enum fg_header header, size_t len)
{
	struct fg_dissection *out = walk->out;

	if (len > walk->left) {
		note_problem(walk, "cut off");
		len = walk->left;
	}
	if (out->count == FG_LAYERS_MAX) {
		note_problem(walk, "too many headers and options");
		return;
	}
	out->layers[out->count++] = (struct fg_layer){
		.header = (uint8_t)header,
		.quoted = walk->quoted,
		.offset = (uint32_t)(walk->at - out->bytes),
		.len = (uint32_t)len,
	};
}

static void take_layer(struct walk *walk, enum fg_header header, size_t len)
{
	add_layer(walk, header, len);
	skip(walk, len);
}

/* Takes the rest, if there is any, as payload. */
static void take_payload(struct walk *walk)
{
	if (walk->left)
		take_layer(walk, FG_HEADER_PAYLOAD, walk->left);
}

static enum fg_header tcp_option_header(uint8_t kind, size_t len)
{
	if (kind == 2 && len == 4)
		return FG_HEADER_TCP_MSS;
	if (kind == 3 && len == 3)
		return FG_HEADER_TCP_WSCALE;
	if (kind == 8 && len == 10)
		return FG_HEADER_TCP_TIMESTAMPS;
	return FG_HEADER_TCP_OPTION;
}

/*
 * Kinds 0 and 1 have no length; the others have it after the kind (RFC 9293 section 3.1).
 */
static void walk_tcp_options(struct walk *walk, size_t len)
{
	while (len && walk->left) {
		uint8_t kind = walk->at[0];
		size_t size = kind <= 1 || walk->left < 2 || len < 2 ? 1 : walk->at[1];

		if (size < (kind <= 1 ? 1u : 2u) || size > len) {
			note_problem(walk, "a TCP option with a wrong length");
			size = len;
		}
		take_layer(walk, tcp_option_header(kind, size), size);
		len -= size;
	}
}

static void walk_tcp(struct walk *walk)
{
	size_t header_len = walk->left > 12 ? (size_t)(walk->at[12] >> 4) * 4 : 20;
	bool whole = walk->left >= 20;

	take_layer(walk, FG_HEADER_TCP, 20);
	if (!whole)
		return;
	if (header_len < 20)
		note_problem(walk, "a TCP data offset that is too small");
	else if (header_len - 20 > walk->left)
		note_problem(walk, "a TCP data offset past the packet's end");
	if (header_len > 20)
		walk_tcp_options(walk, header_len - 20);
	take_payload(walk);
}

static void walk_udp(struct walk *walk)
{
	bool whole = walk->left >= 8;
	size_t len = whole ? fg_field_get(FG_UDP_LENGTH, walk->at) : 0, left = walk->left;

	take_layer(walk, FG_HEADER_UDP, 8);
	if (!whole)
		return;
	if (len < 8 || (len > left && !walk->fragment))
		note_problem(walk, "a UDP length that is not the packet's");
	take_payload(walk);
}

static void walk_icmp(struct walk *walk, uint16_t family)
{
	bool whole = walk->left >= 8;
	uint8_t type = walk->left ? walk->at[0] : 0;

	take_layer(walk, family == AF_INET ? FG_HEADER_ICMP : FG_HEADER_ICMPV6, 4);
	take_layer(walk, fg_icmp_is_echo(family, type) ? FG_HEADER_ICMP_ECHO : FG_HEADER_ICMP_REST,
		   4);
	/*
	 * An error about an error is forbidden (RFC 1122 section 3.2.2), and would make this walk
	 * deep.
	 */
	if (whole && fg_icmp_is_error(family, type) && !walk->quoted && walk->left) {
		walk->quoted = true;
		walk_packet(walk);
	} else {
		take_payload(walk);
	}
}

static void walk_sctp_parameters(struct walk *walk, size_t len)
{
	while (len && walk->left) {
		size_t size = walk->left >= 4 && len >= 4
				      ? fg_field_get(FG_SCTP_PARAMETER_LENGTH, walk->at)
				      : 0;
		size_t padded = (size + 3) & ~(size_t)3;

		if (size < 4 || size > len) {
			note_problem(walk, "an SCTP parameter with a wrong length");
			take_layer(walk, FG_HEADER_PAYLOAD, len < walk->left ? len : walk->left);
			return;
		}
		add_layer(walk, FG_HEADER_SCTP_PARAMETER, size);
		/*
		 * The last one's padding is the chunk's, not the parameter's (RFC 9260 section
		 * 3.2).
		 */
		padded = padded < len ? padded : len;
		skip(walk, padded);
		len -= padded;
	}
}

/* The fixed part after the chunk header, and whether parameters or payload follow. */
static const struct {
	uint8_t type, header;
	bool parameters;
} chunk_bodies[] = {
	{ FG_SCTP_DATA, FG_HEADER_SCTP_DATA, false },
	{ FG_SCTP_INIT, FG_HEADER_SCTP_INIT, true },
	{ FG_SCTP_INIT_ACK, FG_HEADER_SCTP_INIT, true },
	{ FG_SCTP_SACK, FG_HEADER_SCTP_SACK, false },
	{ FG_SCTP_HEARTBEAT, FG_HEADER_COUNT, true },
	{ FG_SCTP_HEARTBEAT_ACK, FG_HEADER_COUNT, true },
	{ FG_SCTP_SHUTDOWN, FG_HEADER_SCTP_SHUTDOWN, false },
};

/* The len bytes after a chunk header. */
static void walk_chunk_body(struct walk *walk, uint8_t type, size_t len)
{
	bool parameters = false;

	for (size_t i = 0; i < COUNT(chunk_bodies); i++) {
		size_t fixed;

		if (chunk_bodies[i].type != type)
			continue;
		parameters = chunk_bodies[i].parameters;
		if (chunk_bodies[i].header == FG_HEADER_COUNT)
			continue;
		fixed = fg_field_headers[chunk_bodies[i].header].length;
		if (fixed > len) {
			note_problem(walk, "an SCTP chunk that is too short for its type");
			break;
		}
		take_layer(walk, chunk_bodies[i].header, fixed);
		len -= fixed;
	}
	if (len > walk->left)
		len = walk->left;
	if (parameters)
		walk_sctp_parameters(walk, len);
	else if (len)
		take_layer(walk, FG_HEADER_PAYLOAD, len);
}

static void walk_sctp(struct walk *walk)
{
	take_layer(walk, FG_HEADER_SCTP, 12);
	while (walk->left) {
		const uint8_t *chunk = walk->at;
		size_t left = walk->left,
		       len = left >= 4 ? fg_field_get(FG_SCTP_CHUNK_LENGTH, chunk) : 4;
		const uint8_t *end = chunk + ((len + 3) & ~(size_t)3);

		if (len < 4 || (len > left && !walk->fragment))
			note_problem(walk, "an SCTP chunk with a wrong length");
		take_layer(walk, FG_HEADER_SCTP_CHUNK, 4);
		if (len < 4) {
			take_payload(walk);
			return;
		}
		walk_chunk_body(walk, chunk[0], len - 4);
		if (end > walk->at)
			skip(walk, (size_t)(end - walk->at));
	}
}

static void walk_transport(struct walk *walk, uint8_t protocol, uint16_t family)
{
	if (protocol == IPPROTO_TCP)
		walk_tcp(walk);
	else if (protocol == IPPROTO_UDP)
		walk_udp(walk);
	else if (protocol == IPPROTO_SCTP)
		walk_sctp(walk);
	else if (fg_is_icmp(family, protocol))
		walk_icmp(walk, family);
	else
		take_payload(walk);
}

/*
 * Options of the form type, length, data, where types 0 and 1 have no length: those of IPv4 (RFC
 * 791 section 3.1).
 */
static void walk_ipv4_options(struct walk *walk, size_t len)
{
	while (len && walk->left) {
		uint8_t type = walk->at[0];
		size_t size = type <= 1 || walk->left < 2 || len < 2 ? 1 : walk->at[1];

		if (size < (type <= 1 ? 1u : 2u) || size > len) {
			note_problem(walk, "an IPv4 option with a wrong length");
			size = len;
		}
		take_layer(walk, FG_HEADER_IPV4_OPTION, size);
		len -= size;
	}
}

static void walk_ipv4(struct walk *walk)
{
	const uint8_t *h = walk->at;
	size_t header_len, total;

	if (walk->left < 20) {
		take_layer(walk, FG_HEADER_IPV4, 20);
		return;
	}
	header_len = fg_field_get(FG_IPV4_IHL, h) * 4;
	total = fg_field_get(FG_IPV4_TOTAL_LENGTH, h);
	if (total > walk->left)
		note_problem(walk, "shorter than the IPv4 total length");
	take_layer(walk, FG_HEADER_IPV4, 20);
	if (header_len < 20 || total < header_len) {
		note_problem(walk, "an IPv4 header or total length that is too small");
		take_payload(walk);
		return;
	}
	if (total - 20 < walk->left)
		walk->left = total - 20; /* what follows is padding of the link */
	walk_ipv4_options(walk, header_len - 20);
	walk->fragment = fg_field_get(FG_IPV4_MF, h);
	if (fg_field_get(FG_IPV4_OFFSET, h))
		take_payload(walk);
	else
		walk_transport(walk, (uint8_t)fg_field_get(FG_IPV4_PROTOCOL, h), AF_INET);
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

static void walk_ipv6(struct walk *walk)
{
	const uint8_t *h = walk->at;
	enum fg_header header;
	size_t len;
	uint8_t next;

	if (walk->left < 40) {
		take_layer(walk, FG_HEADER_IPV6, 40);
		return;
	}
	len = fg_field_get(FG_IPV6_PAYLOAD_LENGTH, h);
	next = (uint8_t)fg_field_get(FG_IPV6_NEXT_HEADER, h);
	take_layer(walk, FG_HEADER_IPV6, 40);
	if (len > walk->left)
		note_problem(walk, "shorter than the IPv6 payload length");
	else
		walk->left = len;
	while ((header = ext_header(next)) != FG_HEADER_COUNT) {
		const uint8_t *ext = walk->at;

		if (walk->left < 8) {
			take_layer(walk, header, 8);
			return;
		}
		next = ext[0];
		take_layer(walk, header, header == FG_HEADER_FRAGMENT ? 8 : ext[1] * 8 + 8);
		if (header != FG_HEADER_FRAGMENT)
			continue;
		walk->fragment = fg_field_get(FG_FRAGMENT_MF, ext);
		if (fg_field_get(FG_FRAGMENT_OFFSET, ext)) {
			take_payload(walk);
			return;
		}
	}
	walk_transport(walk, next, AF_INET6);
}

static void walk_packet(struct walk *walk)
{
	uint8_t version = walk->left ? walk->at[0] >> 4 : 0;

	if (version == 4) {
		walk_ipv4(walk);
	} else if (version == 6) {
		walk_ipv6(walk);
	} else {
		note_problem(walk, walk->left ? "neither IPv4 nor IPv6" : "empty");
		take_payload(walk);
	}
}

static void start(struct walk *walk, const uint8_t *bytes, size_t len, struct fg_dissection *out)
{
	out->bytes = bytes;
	out->count = 0;
	out->problem = NULL;
	*walk = (struct walk){ .at = bytes, .left = len, .out = out };
}

void fg_dissect_packet(const uint8_t *bytes, size_t len, struct fg_dissection *out)
{
	struct walk walk;

	start(&walk, bytes, len, out);
	walk_packet(&walk);
}

void fg_dissect_frame(const uint8_t *bytes, size_t len, struct fg_dissection *out)
{
	struct walk walk;
	uint64_t type;

	start(&walk, bytes, len, out);
	take_layer(&walk, FG_HEADER_ETHERNET, 14);
	if (len < 14)
		return;
	type = fg_field_get(FG_ETHERNET_TYPE, bytes);
	if (type == 0x0800 || type == 0x86dd)
		walk_packet(&walk);
	else
		take_payload(&walk);
}

bool fg_dissect_next(const struct fg_dissection *dissection, struct fg_dissect_cursor *cursor)
{
	unsigned int field = cursor->started ? cursor->field + 1u : 0;

	for (; cursor->layer < dissection->count; cursor->layer++, cursor->started = false) {
		const struct fg_layer *layer = &dissection->layers[cursor->layer];
		const struct fg_header_info *header = &fg_field_headers[layer->header];

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
