/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * header/fields.h - the one table of every header field that flowgen knows. Building, dissecting
 * and showing a packet all go through it, so a field cannot be written at one place and read at
 * another. Pure: no I/O, no allocation.
 */
#ifndef FG_FIELDS_H
#define FG_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a field's value is shown; what is not text is a number in JSON. */
enum fg_format {
	FG_FORMAT_DECIMAL,
	FG_FORMAT_HEX,	     /* a number, shown as 0x... */
	FG_FORMAT_BOOL,	     /* one bit */
	FG_FORMAT_TCP_FLAGS, /* text: the letters of the flags set, in the order FSRPAUEC */
	FG_FORMAT_MAC,	     /* text: 48 bits */
	FG_FORMAT_IPV4,	     /* text: 32 bits */
	FG_FORMAT_IPV6,	     /* text: 128 bits */
	FG_FORMAT_BYTES,     /* text: hexadecimal digits; width 0: the rest of the layer */
};

/*
 * Headers, and options that have fields of their own:
 * X(ID, name for a person, JSON key, length of the fixed part in bytes, first field, last field).
 */
#define FG_HEADERS(X)                                                                              \
	X(ETHERNET, "Ethernet", "ethernet", 14, DST, TYPE)                                         \
	X(IPV4, "IPv4", "ipv4", 20, VERSION, DST)                                                  \
	X(IPV4_OPTION, "IPv4 option", "ipv4_option", 2, TYPE, DATA)                                \
	X(IPV6, "IPv6", "ipv6", 40, VERSION, DST)                                                  \
	X(HOP_BY_HOP, "IPv6 hop-by-hop options", "ipv6_hop_by_hop", 2, NEXT_HEADER, DATA)          \
	X(DESTINATION, "IPv6 destination options", "ipv6_destination", 2, NEXT_HEADER, DATA)       \
	X(ROUTING, "IPv6 routing", "ipv6_routing", 4, NEXT_HEADER, DATA)                           \
	X(FRAGMENT, "IPv6 fragment", "ipv6_fragment", 8, NEXT_HEADER, ID)                          \
	X(TCP, "TCP", "tcp", 20, SPORT, URGENT)                                                    \
	X(TCP_OPTION, "TCP option", "tcp_option", 2, KIND, DATA)                                   \
	X(TCP_MSS, "TCP maximum segment size", "tcp_mss", 4, KIND, MSS)                            \
	X(TCP_WSCALE, "TCP window scale", "tcp_wscale", 3, KIND, SHIFT)                            \
	X(TCP_TIMESTAMPS, "TCP timestamps", "tcp_timestamps", 10, KIND, ECHO)                      \
	X(UDP, "UDP", "udp", 8, SPORT, CHECKSUM)                                                   \
	X(ICMP, "ICMP", "icmp", 4, TYPE, CHECKSUM)                                                 \
	X(ICMPV6, "ICMPv6", "icmpv6", 4, TYPE, CHECKSUM)                                           \
	X(ICMP_ECHO, "ICMP echo", "icmp_echo", 4, ID, SEQ)                                         \
	X(ICMP_REST, "ICMP rest of header", "icmp_rest", 4, DATA, DATA)                            \
	X(SCTP, "SCTP", "sctp", 12, SPORT, CHECKSUM)                                               \
	X(SCTP_CHUNK, "SCTP chunk", "sctp_chunk", 4, TYPE, LENGTH)                                 \
	X(SCTP_INIT, "SCTP INIT", "sctp_init", 16, TAG, TSN)                                       \
	X(SCTP_PARAMETER, "SCTP parameter", "sctp_parameter", 4, TYPE, DATA)                       \
	X(SCTP_DATA, "SCTP DATA", "sctp_data", 12, TSN, PPID)                                      \
	X(SCTP_SACK, "SCTP SACK", "sctp_sack", 12, TSN, DUPLICATES)                                \
	X(SCTP_SHUTDOWN, "SCTP SHUTDOWN", "sctp_shutdown", 4, TSN, TSN)                            \
	X(PAYLOAD, "payload", "payload", 0, DATA, DATA)

/*
 * X(HEADER, FIELD, name for a person, JSON key, bit offset, bits, format), in wire order. Bit 0 is
 * the most significant bit of the header's first byte, as the RFCs draw it.
 */
#define FG_FIELDS(X)                                                                               \
	X(ETHERNET, DST, "destination", "dst", 0, 48, MAC)                                         \
	X(ETHERNET, SRC, "source", "src", 48, 48, MAC)                                             \
	X(ETHERNET, TYPE, "type", "type", 96, 16, HEX)                                             \
	X(IPV4, VERSION, "version", "version", 0, 4, DECIMAL)                                      \
	X(IPV4, IHL, "header length", "ihl", 4, 4, DECIMAL)                                        \
	X(IPV4, DSCP, "DSCP", "dscp", 8, 6, DECIMAL)                                               \
	X(IPV4, ECN, "ECN", "ecn", 14, 2, DECIMAL)                                                 \
	X(IPV4, TOTAL_LENGTH, "total length", "total_length", 16, 16, DECIMAL)                     \
	X(IPV4, ID, "identification", "id", 32, 16, DECIMAL)                                       \
	X(IPV4, RESERVED, "reserved flag", "reserved", 48, 1, BOOL)                                \
	X(IPV4, DF, "don't fragment", "df", 49, 1, BOOL)                                           \
	X(IPV4, MF, "more fragments", "mf", 50, 1, BOOL)                                           \
	X(IPV4, OFFSET, "fragment offset, in 8 bytes", "fragment_offset", 51, 13, DECIMAL)         \
	X(IPV4, TTL, "time to live", "ttl", 64, 8, DECIMAL)                                        \
	X(IPV4, PROTOCOL, "protocol", "protocol", 72, 8, DECIMAL)                                  \
	X(IPV4, CHECKSUM, "checksum", "checksum", 80, 16, HEX)                                     \
	X(IPV4, SRC, "source", "src", 96, 32, IPV4)                                                \
	X(IPV4, DST, "destination", "dst", 128, 32, IPV4)                                          \
	X(IPV4_OPTION, TYPE, "type", "type", 0, 8, DECIMAL)                                        \
	X(IPV4_OPTION, LENGTH, "length", "length", 8, 8, DECIMAL)                                  \
	X(IPV4_OPTION, DATA, "data", "data", 16, 0, BYTES)                                         \
	X(IPV6, VERSION, "version", "version", 0, 4, DECIMAL)                                      \
	X(IPV6, DSCP, "DSCP", "dscp", 4, 6, DECIMAL)                                               \
	X(IPV6, ECN, "ECN", "ecn", 10, 2, DECIMAL)                                                 \
	X(IPV6, FLOW_LABEL, "flow label", "flow_label", 12, 20, HEX)                               \
	X(IPV6, PAYLOAD_LENGTH, "payload length", "payload_length", 32, 16, DECIMAL)               \
	X(IPV6, NEXT_HEADER, "next header", "next_header", 48, 8, DECIMAL)                         \
	X(IPV6, HOP_LIMIT, "hop limit", "hop_limit", 56, 8, DECIMAL)                               \
	X(IPV6, SRC, "source", "src", 64, 128, IPV6)                                               \
	X(IPV6, DST, "destination", "dst", 192, 128, IPV6)                                         \
	X(HOP_BY_HOP, NEXT_HEADER, "next header", "next_header", 0, 8, DECIMAL)                    \
	X(HOP_BY_HOP, LENGTH, "length, in 8 bytes, less 1", "length", 8, 8, DECIMAL)               \
	X(HOP_BY_HOP, DATA, "options", "options", 16, 0, BYTES)                                    \
	X(DESTINATION, NEXT_HEADER, "next header", "next_header", 0, 8, DECIMAL)                   \
	X(DESTINATION, LENGTH, "length, in 8 bytes, less 1", "length", 8, 8, DECIMAL)              \
	X(DESTINATION, DATA, "options", "options", 16, 0, BYTES)                                   \
	X(ROUTING, NEXT_HEADER, "next header", "next_header", 0, 8, DECIMAL)                       \
	X(ROUTING, LENGTH, "length, in 8 bytes, less 1", "length", 8, 8, DECIMAL)                  \
	X(ROUTING, TYPE, "routing type", "type", 16, 8, DECIMAL)                                   \
	X(ROUTING, LEFT, "segments left", "segments_left", 24, 8, DECIMAL)                         \
	X(ROUTING, DATA, "data", "data", 32, 0, BYTES)                                             \
	X(FRAGMENT, NEXT_HEADER, "next header", "next_header", 0, 8, DECIMAL)                      \
	X(FRAGMENT, RESERVED, "reserved", "reserved", 8, 8, DECIMAL)                               \
	X(FRAGMENT, OFFSET, "fragment offset, in 8 bytes", "fragment_offset", 16, 13, DECIMAL)     \
	X(FRAGMENT, RESERVED_BITS, "reserved bits", "reserved_bits", 29, 2, DECIMAL)               \
	X(FRAGMENT, MF, "more fragments", "mf", 31, 1, BOOL)                                       \
	X(FRAGMENT, ID, "identification", "id", 32, 32, DECIMAL)                                   \
	X(TCP, SPORT, "source port", "sport", 0, 16, DECIMAL)                                      \
	X(TCP, DPORT, "destination port", "dport", 16, 16, DECIMAL)                                \
	X(TCP, SEQ, "sequence number", "seq", 32, 32, DECIMAL)                                     \
	X(TCP, ACK, "acknowledgment number", "ack", 64, 32, DECIMAL)                               \
	X(TCP, DATA_OFFSET, "data offset", "data_offset", 96, 4, DECIMAL)                          \
	X(TCP, RESERVED, "reserved", "reserved", 100, 4, DECIMAL)                                  \
	X(TCP, FLAGS, "flags", "flags", 104, 8, TCP_FLAGS)                                         \
	X(TCP, WINDOW, "window", "window", 112, 16, DECIMAL)                                       \
	X(TCP, CHECKSUM, "checksum", "checksum", 128, 16, HEX)                                     \
	X(TCP, URGENT, "urgent pointer", "urgent", 144, 16, DECIMAL)                               \
	X(TCP_OPTION, KIND, "kind", "kind", 0, 8, DECIMAL)                                         \
	X(TCP_OPTION, LENGTH, "length", "length", 8, 8, DECIMAL)                                   \
	X(TCP_OPTION, DATA, "data", "data", 16, 0, BYTES)                                          \
	X(TCP_MSS, KIND, "kind", "kind", 0, 8, DECIMAL)                                            \
	X(TCP_MSS, LENGTH, "length", "length", 8, 8, DECIMAL)                                      \
	X(TCP_MSS, MSS, "maximum segment size", "mss", 16, 16, DECIMAL)                            \
	X(TCP_WSCALE, KIND, "kind", "kind", 0, 8, DECIMAL)                                         \
	X(TCP_WSCALE, LENGTH, "length", "length", 8, 8, DECIMAL)                                   \
	X(TCP_WSCALE, SHIFT, "shift", "shift", 16, 8, DECIMAL)                                     \
	X(TCP_TIMESTAMPS, KIND, "kind", "kind", 0, 8, DECIMAL)                                     \
	X(TCP_TIMESTAMPS, LENGTH, "length", "length", 8, 8, DECIMAL)                               \
	X(TCP_TIMESTAMPS, VALUE, "value", "value", 16, 32, DECIMAL)                                \
	X(TCP_TIMESTAMPS, ECHO, "echo reply", "echo", 48, 32, DECIMAL)                             \
	X(UDP, SPORT, "source port", "sport", 0, 16, DECIMAL)                                      \
	X(UDP, DPORT, "destination port", "dport", 16, 16, DECIMAL)                                \
	X(UDP, LENGTH, "length", "length", 32, 16, DECIMAL)                                        \
	X(UDP, CHECKSUM, "checksum", "checksum", 48, 16, HEX)                                      \
	X(ICMP, TYPE, "type", "type", 0, 8, DECIMAL)                                               \
	X(ICMP, CODE, "code", "code", 8, 8, DECIMAL)                                               \
	X(ICMP, CHECKSUM, "checksum", "checksum", 16, 16, HEX)                                     \
	X(ICMPV6, TYPE, "type", "type", 0, 8, DECIMAL)                                             \
	X(ICMPV6, CODE, "code", "code", 8, 8, DECIMAL)                                             \
	X(ICMPV6, CHECKSUM, "checksum", "checksum", 16, 16, HEX)                                   \
	X(ICMP_ECHO, ID, "identifier", "id", 0, 16, DECIMAL)                                       \
	X(ICMP_ECHO, SEQ, "sequence number", "seq", 16, 16, DECIMAL)                               \
	X(ICMP_REST, DATA, "rest of header", "rest", 0, 32, HEX)                                   \
	X(SCTP, SPORT, "source port", "sport", 0, 16, DECIMAL)                                     \
	X(SCTP, DPORT, "destination port", "dport", 16, 16, DECIMAL)                               \
	X(SCTP, TAG, "verification tag", "tag", 32, 32, HEX)                                       \
	X(SCTP, CHECKSUM, "checksum", "checksum", 64, 32, HEX)                                     \
	X(SCTP_CHUNK, TYPE, "type", "type", 0, 8, DECIMAL)                                         \
	X(SCTP_CHUNK, FLAGS, "flags", "flags", 8, 8, HEX)                                          \
	X(SCTP_CHUNK, LENGTH, "length", "length", 16, 16, DECIMAL)                                 \
	X(SCTP_INIT, TAG, "initiate tag", "tag", 0, 32, HEX)                                       \
	X(SCTP_INIT, WINDOW, "receiver window", "window", 32, 32, DECIMAL)                         \
	X(SCTP_INIT, OUT_STREAMS, "outbound streams", "out_streams", 64, 16, DECIMAL)              \
	X(SCTP_INIT, IN_STREAMS, "inbound streams", "in_streams", 80, 16, DECIMAL)                 \
	X(SCTP_INIT, TSN, "initial TSN", "tsn", 96, 32, DECIMAL)                                   \
	X(SCTP_PARAMETER, TYPE, "type", "type", 0, 16, HEX)                                        \
	X(SCTP_PARAMETER, LENGTH, "length", "length", 16, 16, DECIMAL)                             \
	X(SCTP_PARAMETER, DATA, "data", "data", 32, 0, BYTES)                                      \
	X(SCTP_DATA, TSN, "TSN", "tsn", 0, 32, DECIMAL)                                            \
	X(SCTP_DATA, STREAM, "stream identifier", "stream", 32, 16, DECIMAL)                       \
	X(SCTP_DATA, SEQ, "stream sequence number", "seq", 48, 16, DECIMAL)                        \
	X(SCTP_DATA, PPID, "payload protocol", "ppid", 64, 32, DECIMAL)                            \
	X(SCTP_SACK, TSN, "cumulative TSN", "tsn", 0, 32, DECIMAL)                                 \
	X(SCTP_SACK, WINDOW, "receiver window", "window", 32, 32, DECIMAL)                         \
	X(SCTP_SACK, GAPS, "gap blocks", "gaps", 64, 16, DECIMAL)                                  \
	X(SCTP_SACK, DUPLICATES, "duplicate TSNs", "duplicates", 80, 16, DECIMAL)                  \
	X(SCTP_SHUTDOWN, TSN, "cumulative TSN", "tsn", 0, 32, DECIMAL)                             \
	X(PAYLOAD, DATA, "data", "data", 0, 0, BYTES)

enum fg_header {
#define X(id, ...) FG_HEADER_##id,
	FG_HEADERS(X)
#undef X
		FG_HEADER_COUNT,
};

enum fg_field_id {
#define X(header, field, ...) FG_##header##_##field,
	FG_FIELDS(X)
#undef X
		FG_FIELD_COUNT,
};

struct fg_header_info {
	const char *name; /* for a person */
	const char *key;  /* for JSON */
	uint16_t length;  /* bytes of its fixed part */
	uint16_t first;	  /* its first field in fg_fields[] */
	uint16_t end;	  /* the one after its last field */
};

struct fg_field {
	const char *name; /* for a person */
	const char *key;  /* for JSON; unique within the header */
	uint8_t header;	  /* enum fg_header */
	uint8_t format;	  /* enum fg_format */
	uint16_t bit;	  /* offset from the header's first bit */
	uint16_t width;	  /* bits; 0: all bytes from bit to the layer's end */
};

extern const struct fg_header_info fg_field_headers[FG_HEADER_COUNT];
extern const struct fg_field fg_fields[FG_FIELD_COUNT];

/*
 * Reads a field of at most 64 bits from a header that holds it in full. header points at the
 * header's first byte. The value is in host order.
 */
uint64_t fg_field_get(enum fg_field_id id, const uint8_t *header);

/*
 * Writes a field of at most 64 bits, in host order; bits that do not fit are cut off. The
 * neighbours stay.
 */
void fg_field_set(enum fg_field_id id, uint8_t *header, uint64_t value);

/* The largest value that fits into a field of at most 64 bits. */
uint64_t fg_field_max(enum fg_field_id id);

/* Whether a layer of len bytes holds the field in full. */
bool fg_field_within(enum fg_field_id id, size_t len);

/*
 * True if the value is text for JSON too (addresses, flags, bytes), not a number or a truth
 * value.
 */
bool fg_field_is_text(enum fg_field_id id);

/*
 * Writes the field's value to buf as its format says, cut to size (with a NUL). header and len are
 * the layer's first byte and its length, which must hold the field. Returns buf.
 */
const char *fg_field_text(enum fg_field_id id, const uint8_t *header, size_t len, char *buf,
			  size_t size);

/*
 * The letters of TCP flags, "SA" for SYN and ACK, "-" for none. buf holds at least FG_TCP_FLAGS_LEN
 * bytes.
 */
#define FG_TCP_FLAGS_LEN 9
const char *fg_field_tcp_flags_text(uint8_t flags, char *buf);

#endif
