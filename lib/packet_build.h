/* SPDX-License-Identifier: GPL-2.0-only */
/* packet_build.h - what the builders of the single protocols share. For lib/packet_*.c only. */
#ifndef FG_PACKET_BUILD_H
#define FG_PACKET_BUILD_H

#include <netinet/in.h>
#include <string.h>

#include "packet.h"
#include "packet_set.h"
#include "protocol.h"

#define FG_ETHERNET_LEN 14
#define FG_IPV6_LEN 40

/*
 * One packet on its way into the buffer: [IP header, options or extension headers][transport
 * header][payload].
 */
struct fg_build {
	const struct fg_packet_spec *spec;
	const struct fg_packet_vary *vary;
	uint16_t family;
	uint8_t protocol;	    /* of the transport header */
	bool later_fragment;	    /* no transport header */
	uint8_t *network;	    /* the IP header's first byte */
	size_t network_len;	    /* bytes of it with options, or extension headers */
	uint8_t *fragment;	    /* the IPv6 fragment header, or NULL */
	uint8_t *transport;	    /* the transport header's first byte */
	size_t transport_len;	    /* bytes of it with options, or chunk headers */
	size_t payload_len;	    /* bytes */
	size_t padding;		    /* zero bytes behind the payload (SCTP) */
	struct fg_offload *offload; /* filled by the transport */
	bool failed;		    /* a value did not fit its field; err is filled */
	struct fg_error *err;
};

/* Bytes behind the IP header and its options or extension headers. */
static inline size_t fg_build_data_len(const struct fg_build *b)
{
	return b->transport_len + b->payload_len + b->padding;
}

/* Notes that a user's value is too large for its field, once. */
void fg_build_too_large(struct fg_build *b, enum fg_field_id id);

/* Writes the user's value where there is one, else the computed one. */
static inline void fg_put(struct fg_build *b, enum fg_field_id id, uint8_t *header, uint64_t value)
{
	if (b->spec->overridden[id]) {
		value = b->spec->value[id];
		if (value > fg_field_max(id))
			fg_build_too_large(b, id);
	}
	fg_field_set(id, header, value);
}

/* The value that fg_put() would write. */
static inline uint64_t fg_chosen(const struct fg_build *b, enum fg_field_id id, uint64_t value)
{
	return b->spec->overridden[id] ? b->spec->value[id] : value;
}

/*
 * 32 bits from the probe's random ones: 0 gives its low half, other numbers others that look
 * unrelated.
 */
static inline uint32_t fg_random32(const struct fg_build *b, unsigned int which)
{
	return which ? (uint32_t)((b->vary->random + which) * 0x9e3779b97f4a7c15U >> 32)
		     : (uint32_t)b->vary->random;
}

/*
 * Puts the internet checksum over transport header, payload and (pseudo: with) pseudo header into a
 * 16-bit field of the transport header: the user's, a wrong one, or the pseudo header's sum alone
 * where the device is to complete it.
 */
void fg_put_checksum(struct fg_build *b, enum fg_field_id id, bool pseudo);

/*
 * The value that is sent for a checksum: the right one, or a wrong one that is not 0 (which UDP
 * takes for none).
 */
static inline uint16_t fg_spoil(bool spoil, uint16_t checksum)
{
	if (!spoil)
		return checksum;
	return checksum == 0x0100 ? 0x0200 : checksum ^ 0x0100;
}

/*
 * IP: bytes of the headers before the transport header; and those headers, once the length of the
 * rest is known.
 */
size_t fg_ip_len(const struct fg_packet_spec *spec, uint16_t family, uint64_t trace_id);
void fg_ip_write(struct fg_build *b);
/*
 * Makes the IP header that of a fragment with len data bytes at offset (in bytes). header is that
 * of this fragment.
 */
void fg_ip_set_fragment(struct fg_build *b, uint8_t *header, size_t offset, size_t len, bool more);

/*
 * Transports: write() puts the header to b->transport, with everything but lengths and checksums,
 * and sets transport_len; finish() computes the latter once payload and padding stand behind it.
 */
struct fg_transport {
	void (*write)(struct fg_build *b);
	void (*finish)(struct fg_build *b);
};

extern const struct fg_transport fg_tcp, fg_udp, fg_icmp, fg_icmpv6, fg_sctp;

/* The type of the SCTP chunk and of the ICMP message that will be sent. */
static inline uint8_t fg_sctp_chunk_type(const struct fg_packet_spec *spec)
{
	return spec->overridden[FG_SCTP_CHUNK_TYPE] ? (uint8_t)spec->value[FG_SCTP_CHUNK_TYPE]
						    : FG_SCTP_INIT;
}

uint8_t fg_icmp_type(const struct fg_packet_spec *spec, uint16_t family);

/* Payload: bytes of it in a packet of this family, and the bytes themselves. */
size_t fg_payload_len(const struct fg_packet_spec *spec, uint16_t family);
void fg_payload_write(const struct fg_build *b, uint8_t *out);

/* Makes a copy of the bytes the payload; fg_packet_set_payload() without noting the key. */
int fg_payload_copy(struct fg_packet_spec *spec, const void *bytes, size_t len,
		    struct fg_error *err);

#endif
