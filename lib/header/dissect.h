/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * header/dissect.h - from bytes back to headers and fields, and to the flow they belong to. Any
 * bytes may come in: nothing is read past len, and what is cut off or contradicts itself is said,
 * not guessed. Pure, no allocation.
 */
#ifndef FG_DISSECT_H
#define FG_DISSECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "header/fields.h"
#include "base/parse.h"

#define FG_LAYERS_MAX 96

struct fg_layer {
	uint8_t header;	 /* enum fg_header */
	bool quoted;	 /* part of the packet that an ICMP error quotes */
	uint32_t offset; /* of its first byte, from the first byte dissected */
	/* Bytes there are of it: fewer than the header has if the packet is cut off. */
	uint32_t len;
};

/* The layers in wire order. Their fields are in fg_fields[]; fg_dissect_next() goes over them. */
struct fg_dissection {
	const uint8_t *bytes; /* the caller's; must outlive this */
	size_t count;
	struct fg_layer layers[FG_LAYERS_MAX];
	/* What is wrong with the bytes, static text; NULL: nothing was found. */
	const char *problem;
};

/*
 * Dissects an Ethernet frame. Always yields what can be read; out->problem says where it ended
 * early.
 */
void fg_dissect_frame(const uint8_t *bytes, size_t len, struct fg_dissection *out);

/* The same for a packet that begins with its IPv4 or IPv6 header. */
void fg_dissect_packet(const uint8_t *bytes, size_t len, struct fg_dissection *out);

/*
 * One field of a dissection. Show it by fg_field_text(field, header, len, ...), or by
 * fg_field_get(field, header).
 */
struct fg_dissect_cursor {
	size_t layer; /* index into layers */
	enum fg_field_id field;
	const uint8_t *header; /* first byte of the layer */
	size_t len;	       /* of the layer */
	bool started;
};

/*
 * Moves a zeroed cursor to the first field, and then from field to field. Fields that are cut off
 * are left out.
 */
bool fg_dissect_next(const struct fg_dissection *dissection, struct fg_dissect_cursor *cursor);

/* The first layer with this header that is not quoted, or NULL. */
const struct fg_layer *fg_dissect_find(const struct fg_dissection *dissection,
				       enum fg_header header);

/* Where things are in an IP packet. */
struct fg_layout {
	uint16_t family;  /* AF_INET or AF_INET6 */
	uint8_t protocol; /* of the transport header */
	bool more_fragments;
	uint32_t claimed;   /* bytes of the packet by its own length field */
	uint32_t len;	    /* those of them that are there */
	uint32_t transport; /* offset of the transport header, or of a later fragment's data */
	uint32_t fragment_offset; /* bytes; not 0: a later fragment, without a transport header */
	uint32_t ident; /* identification; of IPv6 that of the fragment header, 0 without one */
};

/*
 * Finds them. Returns 0, or -1 if the IP header or an extension header is cut off or contradicts
 * itself.
 */
int fg_flow_layout_find(const uint8_t *packet, size_t len, struct fg_layout *out);

/* What a packet belongs to. Ports in host order; what the protocol does not have is 0. */
struct fg_flow {
	uint16_t family; /* AF_INET or AF_INET6 */
	uint8_t protocol;
	bool later_fragment; /* no transport header: no ports, no ICMP type */
	struct fg_addr src, dst;
	uint16_t sport, dport; /* TCP, UDP, UDP-Lite, DCCP, SCTP */
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id, icmp_seq; /* echo only */
	uint8_t tcp_flags;  /* not compared by fg_flow_equal(), as are icmp_code and sctp_chunk */
	uint8_t sctp_chunk; /* type of the first chunk */
};

/*
 * The flow of a packet that begins with its IP header. Returns 0, or -1 if the addresses, or the
 * ports of a protocol that has them, are missing; *out is then untouched.
 */
int fg_flow_extract(const uint8_t *packet, size_t len, struct fg_flow *out);

/* The TOS or traffic class of an IP packet: DSCP and ECN. 0: it has none. */
uint8_t fg_flow_tos(const uint8_t *packet, size_t len);

/*
 * The flow of the packet that an ICMP or ICMPv6 error quotes; 8 bytes of its transport header are
 * enough. Returns -1 if the packet is not an ICMP error, or quotes too little.
 */
int fg_flow_extract_quoted(const uint8_t *packet, size_t len, struct fg_flow *out);

/*
 * The flow of the answer: ends swapped, echo request for reply. Flags, code and chunk are cleared.
 */
void fg_flow_invert(const struct fg_flow *flow, struct fg_flow *out);

/*
 * Whether two packets belong to one flow, in the same direction: family, protocol, addresses,
 * ports, ICMP type, id and seq.
 */
bool fg_flow_equal(const struct fg_flow *a, const struct fg_flow *b);

/*
 * "10.0.0.1:40000 > 10.0.0.9:53 udp", "[fd00::1]:40000 > ...", "10.0.0.1 > 10.0.0.9 icmp 8/0 id 7
 * seq 1". Returns buf.
 */
const char *fg_flow_text(const struct fg_flow *flow, char *buf, size_t size);
#define FG_FLOW_TEXT_LEN 160

/* "tcp", "icmpv6", or the number. buf is used for the latter, and holds at least 4 bytes. */
const char *fg_flow_protocol_text(uint8_t protocol, char buf[4]);

#endif
