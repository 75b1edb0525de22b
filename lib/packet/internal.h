/* SPDX-License-Identifier: GPL-2.0-only */
/* packet/internal.h - what the builders of the protocols and the setters of the keys share. */
#ifndef FG_PACKET_INTERNAL_H
#define FG_PACKET_INTERNAL_H

#include <netinet/in.h>
#include <string.h>

#include "packet/packet.h"
#include "header/protocol.h"

#define FG_ETHERNET_LEN 14
#define FG_IPV6_LEN 40

/*
 * One packet while it is built: [IP header, options or extension headers][transport
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
	size_t padding;		    /* zero bytes after the payload (SCTP) */
	struct fg_offload *offload; /* filled by the transport */
	bool failed;		    /* a value did not fit its field; err is filled */
	struct fg_error *err;
};

/* Bytes after the IP header and its options or extension headers. */
static inline size_t fg_build_data_len(const struct fg_build *b)
{
	return b->transport_len + b->payload_len + b->padding;
}

/* Notes that a user's value is too large for its field, once. */
void fg_put_too_large(struct fg_build *b, enum fg_field_id id);

/* Writes the user's value if there is one, else the computed one. */
static inline void fg_put(struct fg_build *b, enum fg_field_id id, uint8_t *header, uint64_t value)
{
	if (b->spec->overridden[id]) {
		value = b->spec->value[id];
		if (value > fg_field_max(id))
			fg_put_too_large(b, id);
	}
	fg_field_set(id, header, value);
}

/* The value that fg_put() would write. */
static inline uint64_t fg_chosen(const struct fg_build *b, enum fg_field_id id, uint64_t value)
{
	return b->spec->overridden[id] ? b->spec->value[id] : value;
}

/*
 * 32 bits from the probe's random ones: 0 gives its low half, other numbers give other values
 * that look unrelated.
 */
static inline uint32_t fg_random32(const struct fg_build *b, unsigned int which)
{
	return which ? (uint32_t)((b->vary->random + which) * 0x9e3779b97f4a7c15U >> 32)
		     : (uint32_t)b->vary->random;
}

/*
 * Puts the internet checksum over transport header, payload and (pseudo: with) pseudo header into a
 * 16-bit field of the transport header: the user's, a wrong one, or the pseudo header's sum alone
 * if the device is to complete it.
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
 * and sets transport_len; finish() computes the latter once payload and padding follow it.
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

uint8_t fg_put_icmp_type(const struct fg_packet_spec *spec, uint16_t family);

/* Payload: bytes of it in a packet of this family, and the bytes themselves. */
size_t fg_payload_len(const struct fg_packet_spec *spec, uint16_t family);
void fg_payload_write(const struct fg_build *b, uint8_t *out);

/* Copies the bytes to the payload; fg_packet_set_payload() without noting the key. */
int fg_payload_copy(struct fg_packet_spec *spec, const void *bytes, size_t len,
		    struct fg_error *err);

/*
 * Each takes the key's name (for messages) and its value, and leaves the template as it was on
 * error. Flags take NULL too.
 */
typedef int fg_packet_setter(struct fg_packet_spec *spec, const char *key, const char *value,
			     struct fg_error *err);

fg_packet_setter fg_set_proto, fg_set_tos, fg_set_dscp, fg_set_ecn, fg_set_df, fg_set_reserved_flag,
	fg_set_fragment, fg_set_fragment_offset, fg_set_more_fragments, fg_set_ip_option,
	fg_set_ext_header, fg_set_trace_id, fg_set_trace_option, fg_set_trace_length, fg_set_sack,
	fg_set_bad_checksum, fg_set_bad_ip_checksum, fg_set_checksum_offload, fg_set_gso,
	fg_tcp_set_flags, fg_tcp_set_choice, fg_tcp_set_timestamps, fg_tcp_set_option,
	fg_icmp_set_type, fg_icmp_set_code, fg_sctp_set_chunk, fg_payload_set_text,
	fg_payload_set_size, fg_payload_set_dns, fg_payload_set_http;

/* The value of a flag or of an on-off key: NULL, on, yes, true; off, no, false. */
int fg_set_parse_switch(const char *key, const char *value, bool *out, struct fg_error *err);

/*
 * The value of a field that takes a name or a number up to max. names end with NULL; a name means
 * its value. The error lists the names.
 */
struct fg_name {
	const char *name;
	uint32_t value;
};

int fg_set_parse_name(const char *key, const char *text, const struct fg_name *names, uint32_t max,
		      uint32_t *out, struct fg_error *err);

/* Notes the user's value for a field. */
static inline void fg_override(struct fg_packet_spec *spec, enum fg_field_id id, uint64_t value)
{
	spec->value[id] = value;
	spec->overridden[id] = true;
}

#endif
