// SPDX-License-Identifier: GPL-2.0-only
/* dissect_transport.c - TCP, UDP, ICMP, ICMPv6 and SCTP with their options and chunks. */
#include "dissect_layers.h"
#include "protocol.h"

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
 * Kinds 0 and 1 stand alone; the others have their length behind the kind (RFC 9293 section 3.1).
 */
static void walk_tcp_options(struct fg_walk *walk, size_t len)
{
	while (len && walk->left) {
		uint8_t kind = walk->at[0];
		size_t size = kind <= 1 || walk->left < 2 || len < 2 ? 1 : walk->at[1];

		if (size < (kind <= 1 ? 1u : 2u) || size > len) {
			fg_walk_problem(walk, "a TCP option with a wrong length");
			size = len;
		}
		fg_layer_take(walk, tcp_option_header(kind, size), size);
		len -= size;
	}
}

static void walk_tcp(struct fg_walk *walk)
{
	size_t header_len = walk->left > 12 ? (size_t)(walk->at[12] >> 4) * 4 : 20;
	bool whole = walk->left >= 20;

	fg_layer_take(walk, FG_HEADER_TCP, 20);
	if (!whole)
		return;
	if (header_len < 20)
		fg_walk_problem(walk, "a TCP data offset that is too small");
	else if (header_len - 20 > walk->left)
		fg_walk_problem(walk, "a TCP data offset past the packet's end");
	if (header_len > 20)
		walk_tcp_options(walk, header_len - 20);
	fg_layer_payload(walk);
}

static void walk_udp(struct fg_walk *walk)
{
	bool whole = walk->left >= 8;
	size_t len = whole ? fg_field_get(FG_UDP_LENGTH, walk->at) : 0, left = walk->left;

	fg_layer_take(walk, FG_HEADER_UDP, 8);
	if (!whole)
		return;
	if (len < 8 || (len > left && !walk->fragment))
		fg_walk_problem(walk, "a UDP length that is not the packet's");
	fg_layer_payload(walk);
}

static void walk_icmp(struct fg_walk *walk, uint16_t family)
{
	bool whole = walk->left >= 8;
	uint8_t type = walk->left ? walk->at[0] : 0;

	fg_layer_take(walk, family == AF_INET ? FG_HEADER_ICMP : FG_HEADER_ICMPV6, 4);
	fg_layer_take(walk,
		      fg_icmp_is_echo(family, type) ? FG_HEADER_ICMP_ECHO : FG_HEADER_ICMP_REST, 4);
	/*
	 * An error about an error is forbidden (RFC 1122 section 3.2.2), and would make this walk
	 * deep.
	 */
	if (whole && fg_icmp_is_error(family, type) && !walk->quoted && walk->left) {
		walk->quoted = true;
		fg_walk_packet(walk);
	} else {
		fg_layer_payload(walk);
	}
}

static void walk_sctp_parameters(struct fg_walk *walk, size_t len)
{
	while (len && walk->left) {
		size_t size = walk->left >= 4 && len >= 4
				      ? fg_field_get(FG_SCTP_PARAMETER_LENGTH, walk->at)
				      : 0;
		size_t padded = (size + 3) & ~(size_t)3;

		if (size < 4 || size > len) {
			fg_walk_problem(walk, "an SCTP parameter with a wrong length");
			fg_layer_take(walk, FG_HEADER_PAYLOAD, len < walk->left ? len : walk->left);
			return;
		}
		fg_layer_add(walk, FG_HEADER_SCTP_PARAMETER, size);
		/*
		 * The last one's padding is the chunk's, not the parameter's (RFC 9260 section
		 * 3.2).
		 */
		padded = padded < len ? padded : len;
		fg_walk_skip(walk, padded);
		len -= padded;
	}
}

/* The fixed part behind the chunk header, and whether parameters or payload follow. */
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

/* The len bytes behind a chunk header. */
static void walk_chunk_body(struct fg_walk *walk, uint8_t type, size_t len)
{
	bool parameters = false;

	for (size_t i = 0; i < sizeof(chunk_bodies) / sizeof(chunk_bodies[0]); i++) {
		size_t fixed;

		if (chunk_bodies[i].type != type)
			continue;
		parameters = chunk_bodies[i].parameters;
		if (chunk_bodies[i].header == FG_HEADER_COUNT)
			continue;
		fixed = fg_headers[chunk_bodies[i].header].length;
		if (fixed > len) {
			fg_walk_problem(walk, "an SCTP chunk that is too short for its type");
			break;
		}
		fg_layer_take(walk, chunk_bodies[i].header, fixed);
		len -= fixed;
	}
	if (len > walk->left)
		len = walk->left;
	if (parameters)
		walk_sctp_parameters(walk, len);
	else if (len)
		fg_layer_take(walk, FG_HEADER_PAYLOAD, len);
}

static void walk_sctp(struct fg_walk *walk)
{
	fg_layer_take(walk, FG_HEADER_SCTP, 12);
	while (walk->left) {
		const uint8_t *chunk = walk->at;
		size_t left = walk->left,
		       len = left >= 4 ? fg_field_get(FG_SCTP_CHUNK_LENGTH, chunk) : 4;
		const uint8_t *end = chunk + ((len + 3) & ~(size_t)3);

		if (len < 4 || (len > left && !walk->fragment))
			fg_walk_problem(walk, "an SCTP chunk with a wrong length");
		fg_layer_take(walk, FG_HEADER_SCTP_CHUNK, 4);
		if (len < 4) {
			fg_layer_payload(walk);
			return;
		}
		walk_chunk_body(walk, chunk[0], len - 4);
		if (end > walk->at)
			fg_walk_skip(walk, (size_t)(end - walk->at));
	}
}

void fg_walk_transport(struct fg_walk *walk, uint8_t protocol, uint16_t family)
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
		fg_layer_payload(walk);
}
