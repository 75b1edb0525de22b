/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packet/packet.h - the template of the packets to send, its setter, and the builder of the exact
 * bytes. Pure: no I/O. Only the setters of payloads allocate; building a packet never does.
 */
#ifndef FG_PACKET_H
#define FG_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "header/fields.h"
#include "base/parse.h"

/*
 * spec.protocol: ICMP for IPv4 addresses, ICMPv6 for IPv6 ones ("proto icmp"). Other values are IP
 * protocol numbers.
 */
#define FG_PROTOCOL_ICMP_OF_FAMILY 256

#define FG_EXT_HEADERS_MAX 8
#define FG_EXT_DATA_MAX 70   /* bytes of options in one extension header, beside its first two */
#define FG_IP_OPTIONS_MAX 40 /* bytes; RFC 791 section 3.1 */
#define FG_TCP_OPTIONS_MAX 40

/* What the payload is; at most one of the keys payload, size, dns and http may be given. */
enum fg_payload_kind {
	/* What the protocol's usual client sends: 56 bytes in an ICMP echo, otherwise usually
	   nothing. */
	FG_PAYLOAD_DEFAULT,
	FG_PAYLOAD_BYTES,
	FG_PAYLOAD_PATTERN, /* "flowgen " over and over */
	FG_PAYLOAD_DNS,	    /* bytes with a query; its ID comes from the probe's random bits */
};

struct fg_ext_header {
	uint8_t type; /* IP protocol number: 0 hop-by-hop, 60 destination, 44 fragment */
	uint8_t len;  /* bytes of data; data is empty for a fragment header */
	uint8_t data[FG_EXT_DATA_MAX];
};

/* How a TCP option is chosen. */
enum fg_choice { FG_CHOICE_DEFAULT, FG_CHOICE_ON, FG_CHOICE_OFF };

/*
 * The template for a batch. Zeroed is not enough: fg_packet_spec_init() first. Set it through
 * fg_packet_set(); a caller reads protocol, and may set mtu. Owns payload.
 */
struct fg_packet_spec {
	uint16_t protocol; /* IP protocol number, or FG_PROTOCOL_ICMP_OF_FAMILY; TCP at first */
	/* Of the pod's device in bytes; 1500 at first. The TCP MSS and window follow from it. */
	uint32_t mtu;
	uint64_t given[2];		/* bit k: fg_packet_keys[k] was given */
	uint64_t value[FG_FIELD_COUNT]; /* where overridden[field]: the user's, host order */
	bool overridden[FG_FIELD_COUNT];

	/* Data bytes in each fragment, a multiple of 8; 0: do not fragment. */
	uint32_t fragment_size;
	uint16_t gso_size;     /* data bytes in each segment of a super-packet; 0: none */
	bool checksum_offload; /* leave the transport checksum to the device (CHECKSUM_PARTIAL) */
	bool bad_checksum;
	bool bad_ip_checksum;

	bool trace;	      /* put the trace ID in */
	uint8_t trace_option; /* IPv4 option type */
	uint8_t trace_length; /* bytes of the ID: 2, 4 or 8; 0: the fewest that hold it */
	uint64_t trace_id;

	uint8_t ip_options_len; /* the user's, not yet padded */
	uint8_t ip_options[FG_IP_OPTIONS_MAX];
	uint8_t ext_count;
	struct fg_ext_header ext[FG_EXT_HEADERS_MAX];

	/* enum fg_choice; ON with a value: overridden[FG_TCP_...]. */
	uint8_t mss, wscale, sack, timestamps;
	uint8_t tcp_options_len;
	uint8_t tcp_options[FG_TCP_OPTIONS_MAX];

	uint8_t payload_kind; /* enum fg_payload_kind */
	uint8_t *payload;     /* owned; NULL for none, and for DEFAULT and PATTERN */
	size_t payload_len;   /* bytes; for PATTERN too */
};

/* Makes the template of a TCP SYN as Linux sends it. */
void fg_packet_spec_init(struct fg_packet_spec *spec);

/*
 * Copies from to *to, which owns nothing yet. Returns 0, or -1 if
 * memory is short; *to is then the initial one.
 */
int fg_packet_spec_copy(struct fg_packet_spec *to, const struct fg_packet_spec *from,
			struct fg_error *err);

/* Frees what the template owns, and resets it. */
void fg_packet_spec_free(struct fg_packet_spec *spec);

/*
 * What a key applies to: protocols and IP versions. No protocol bit: all protocols; no version
 * bit: both.
 */
enum {
	FG_FOR_IPV4 = 1 << 0,
	FG_FOR_IPV6 = 1 << 1,
	FG_FOR_TCP = 1 << 2,
	FG_FOR_UDP = 1 << 3,
	FG_FOR_ICMP = 1 << 4, /* both versions */
	FG_FOR_SCTP = 1 << 5,
};

#define FG_KEY_FIELDS_MAX 5

/* One key of fg_packet_set(): an option of inject without its dashes, and a key in a scenario. */
struct fg_packet_key {
	const char *name;
	/* Placeholder of the value, as help shows it; NULL: a flag, without a value. */
	const char *argument;
	const char *help;     /* one line, no full stop */
	unsigned int applies; /* FG_FOR_... */
	bool repeatable;      /* given again, it adds; else it replaces the first */

	/*
	 * For fg_packet_set() alone: a function, or, without one, a number for these fields in
	 * min..max.
	 */
	int (*set)(struct fg_packet_spec *spec, const char *key, const char *value,
		   struct fg_error *err);
	uint32_t min, max;
	uint8_t field_count;
	uint8_t fields[FG_KEY_FIELDS_MAX]; /* enum fg_field_id */
};

extern const struct fg_packet_key fg_packet_keys[];
extern const size_t fg_packet_key_count;

/* The key's entry, or NULL for an unknown name. */
const struct fg_packet_key *fg_packet_key_find(const char *name);

/*
 * Sets one key from text. A flag takes NULL or on|yes|true, and off|no|false unsets it. Errors:
 * FG_ERR_USAGE that names the key, the value and what was expected; the template is then as it was.
 * "payload" takes TEXT or hex:DIGITS; a file's content goes through fg_packet_set_payload(), as
 * nothing is read here.
 */
int fg_packet_set(struct fg_packet_spec *spec, const char *key, const char *value,
		  struct fg_error *err);

/* Copies the bytes to the payload, as the key "payload" does; len may be 0, at most 65535. */
int fg_packet_set_payload(struct fg_packet_spec *spec, const void *bytes, size_t len,
			  struct fg_error *err);

/* Whether the key was given; name must be one of fg_packet_keys. */
bool fg_packet_given(const struct fg_packet_spec *spec, const char *name);

/* The IP protocol number that packets of this family (AF_INET or AF_INET6) will carry. */
uint8_t fg_put_protocol(const struct fg_packet_spec *spec, uint16_t family);

/* Whether the packets carry ports: TCP, UDP and SCTP, and not a later fragment. */
bool fg_packet_has_ports(const struct fg_packet_spec *spec);

#define FG_PACKET_WARNINGS_MAX 8

struct fg_packet_warnings {
	size_t count;
	char text[FG_PACKET_WARNINGS_MAX][192]; /* one line each, without "warning:" */
};

/*
 * Checks the template as a whole, once all keys are set. family is AF_INET, AF_INET6, or 0 if it
 * is not known yet (then again when it is). Contradictions are FG_ERR_USAGE naming both sides; what
 * is odd but legal goes to *warnings (set anew; at most the first FG_PACKET_WARNINGS_MAX), which
 * may be NULL.
 */
int fg_packet_check(const struct fg_packet_spec *spec, uint16_t family,
		    struct fg_packet_warnings *warnings, struct fg_error *err);

/* What differs from probe to probe. */
struct fg_packet_vary {
	struct fg_addr src, dst; /* of one family, which makes the packet IPv4 or IPv6 */
	uint16_t sport, dport;	 /* host order; unused by protocols without ports */
	/* IP identification, sequence numbers, ICMP identifier and tags come from it. */
	uint64_t random;
	uint64_t trace_id; /* not 0: instead of the template's, where a trace ID was asked for */
	uint32_t number;   /* of the probe, from 0; the ICMP echo sequence number is number + 1 */
};

/*
 * What PACKET_VNET_HDR wants to know, as in struct virtio_net_hdr; host order, offsets from the
 * frame's first byte.
 */
enum fg_gso_type {
	/* The values of VIRTIO_NET_HDR_GSO_*. */
	FG_GSO_NONE = 0,
	FG_GSO_TCPV4 = 1,
	FG_GSO_TCPV6 = 4,
	FG_GSO_UDP_L4 = 5,
	FG_GSO_ECN = 0x80, /* or-ed in for a TCP segment with CWR */
};

struct fg_offload {
	/* VIRTIO_NET_HDR_F_NEEDS_CSUM; then the checksum field holds the pseudo header's sum */
	bool needs_checksum;
	uint8_t gso_type;
	uint16_t gso_size;
	uint16_t hdr_len; /* bytes before the payload; 0 without GSO */
	uint16_t csum_start;
	uint16_t csum_offset;
};

/*
 * One probe's frames, back to back in the caller's buffer. All but the last have the same length.
 */
struct fg_frame {
	uint8_t *data;	   /* set by the caller, who owns it */
	size_t size;	   /* of data, set by the caller; fg_packet_bound() bytes are enough */
	size_t len;	   /* bytes of all frames together */
	uint32_t count;	   /* of frames: 1, or the number of fragments */
	uint32_t part_len; /* bytes of each frame but the last */
	struct fg_offload offload;
};

/* The index-th frame (index < count): its first byte, and its length in *len. */
static inline uint8_t *fg_frame_part(const struct fg_frame *frame, uint32_t index, size_t *len)
{
	size_t offset = (size_t)index * frame->part_len;

	*len = index + 1 == frame->count ? frame->len - offset : frame->part_len;
	return frame->data + offset;
}

/* A number of bytes that is enough for the frames of one probe of this template. */
size_t fg_packet_bound(const struct fg_packet_spec *spec);

/*
 * Builds the frames of one probe into frame->data. Each begins with an Ethernet header with
 * addresses of zero and the right type; the datapath fills them. The values that the user set are
 * kept as given, the others are computed: lengths first, then checksums over the result, so
 * that one wrong field leaves the rest right. Same input, same bytes. Never allocates.
 * fg_packet_check() with this family comes first, once for a batch: keys that do not fit the family
 * are silently left out here.
 *
 * Errors: FG_ERR_USAGE for what does not fit the family, a value too
 * large for its field, a packet over 65535 bytes, and a buffer too small; frame is then unspecified
 * but for data and size.
 */
int fg_packet_build(const struct fg_packet_spec *spec, const struct fg_packet_vary *vary,
		    struct fg_frame *frame, struct fg_error *err);

#endif
