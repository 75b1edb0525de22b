// SPDX-License-Identifier: GPL-2.0-only
/* packet/keys.c - the table of all keys, and the setter that it drives. */
#include <string.h>

#include "base/count.h"
#include "packet/internal.h"

#define V4 FG_FOR_IPV4
#define V6 FG_FOR_IPV6
#define TCP FG_FOR_TCP
#define UDP FG_FOR_UDP
#define ICMP FG_FOR_ICMP
#define SCTP FG_FOR_SCTP

#define FIELDS(...)                                                                                \
	.field_count = sizeof((const uint8_t[]){ __VA_ARGS__ }), .fields = { __VA_ARGS__ }

/* A number for the fields named; a flag; a setter of its own. */
#define NUMBER(name_, argument_, applies_, min_, max_, help_, ...)                                 \
	{                                                                                          \
		.name = (name_), .argument = (argument_), .applies = (applies_), .min = (min_),    \
		.max = (max_), .help = (help_), FIELDS(__VA_ARGS__)                                \
	}
#define FLAG(name_, applies_, set_, help_)                                                         \
	{                                                                                          \
		.name = (name_), .applies = (applies_), .set = (set_), .help = (help_)             \
	}
#define OWN(name_, argument_, applies_, set_, help_)                                               \
	{                                                                                          \
		.name = (name_), .argument = (argument_), .applies = (applies_), .set = (set_),    \
		.help = (help_)                                                                    \
	}
#define LIST(name_, argument_, applies_, set_, help_)                                              \
	{                                                                                          \
		.name = (name_), .argument = (argument_), .applies = (applies_), .set = (set_),    \
		.help = (help_), .repeatable = true                                                \
	}

const struct fg_packet_key fg_packet_keys[] = {
	OWN("proto", "PROTOCOL", 0, fg_set_proto,
	    "tcp, udp, icmp (of the addresses' family), icmpv6, sctp, or an IP protocol number (tcp)"),

	NUMBER("ttl", "N", 0, 0, 255, "TTL, or IPv6 hop limit (64)", FG_IPV4_TTL,
	       FG_IPV6_HOP_LIMIT),
	OWN("tos", "N", 0, fg_set_tos, "DSCP and ECN together as one byte (0)"),
	OWN("dscp", "DSCP", 0, fg_set_dscp, "0 to 63, or cs0 to cs7, af11 to af43, ef (0)"),
	OWN("ecn", "ECN", 0, fg_set_ecn, "not-ect, ect0, ect1 or ce (not-ect)"),
	NUMBER("id", "N", 0, 0, UINT32_MAX,
	       "IPv4 identification, or the identification in the IPv6 fragment header (random)",
	       FG_IPV4_ID, FG_FRAGMENT_ID),
	OWN("df", "on|off", V4, fg_set_df, "Don't fragment (on; off for fragments)"),
	FLAG("reserved-flag", V4, fg_set_reserved_flag, "Set the reserved bit next to DF and MF"),
	NUMBER("flow-label", "N", V6, 0, 0xfffff, "IPv6 flow label (a hash of the flow)",
	       FG_IPV6_FLOW_LABEL),
	OWN("fragment", "SIZE", 0, fg_set_fragment,
	    "Split into fragments with SIZE bytes of data each, a multiple of 8"),
	OWN("fragment-offset", "BYTES", 0, fg_set_fragment_offset,
	    "Send one fragment that starts at this offset, a multiple of 8"),
	FLAG("more-fragments", 0, fg_set_more_fragments, "Set the more-fragments flag"),
	LIST("ip-option", "HEX", V4, fg_set_ip_option,
	     "IPv4 options as bytes, padded to a multiple of 4"),
	LIST("ext-header", "NAME[:HEX]", V6, fg_set_ext_header,
	     "An IPv6 extension header: hop-by-hop or destination with these options, or fragment"),
	OWN("trace-id", "N", V4, fg_set_trace_id,
	    "Put a trace ID into an IPv4 option, for tools that follow it"),
	OWN("trace-option", "TYPE", V4, fg_set_trace_option,
	    "IPv4 option type of the trace ID (136)"),
	OWN("trace-length", "2|4|8", V4, fg_set_trace_length,
	    "Length of the trace ID in bytes (the shortest that holds it)"),

	OWN("flags", "LETTERS", TCP, fg_tcp_set_flags,
	    "TCP flags: letters of F S R P A U E C, or none (S)"),
	NUMBER("seq", "N", TCP, 0, UINT32_MAX, "TCP sequence number (random)", FG_TCP_SEQ),
	NUMBER("ack", "N", TCP, 0, UINT32_MAX,
	       "TCP acknowledgment number (random with flag A, otherwise 0)", FG_TCP_ACK),
	NUMBER("window", "N", TCP, 0, 65535, "TCP window (64240 in a SYN at MTU 1500)",
	       FG_TCP_WINDOW),
	NUMBER("urgent", "N", TCP, 0, 65535, "TCP urgent pointer (0)", FG_TCP_URGENT),
	OWN("mss", "N|on|off", TCP, fg_tcp_set_choice,
	    "TCP maximum segment size (in a SYN, from the MTU)"),
	OWN("wscale", "N|on|off", TCP, fg_tcp_set_choice, "TCP window scale (7 in a SYN)"),
	OWN("sack", "on|off", TCP, fg_set_sack, "TCP SACK-permitted (on in a SYN)"),
	OWN("timestamps", "VALUE[,ECHO]|on|off", TCP, fg_tcp_set_timestamps,
	    "TCP timestamps (on; off in a RST)"),
	LIST("tcp-option", "HEX", TCP, fg_tcp_set_option,
	     "More TCP options as bytes, after the usual ones"),

	OWN("icmp-type", "TYPE", ICMP, fg_icmp_set_type,
	    "ICMP type, a number or name (echo-request)"),
	OWN("icmp-code", "CODE", ICMP, fg_icmp_set_code, "ICMP code, a number or name (0)"),
	NUMBER("icmp-id", "N", ICMP, 0, 65535, "Echo identifier (random)", FG_ICMP_ECHO_ID),
	NUMBER("icmp-seq", "N", ICMP, 0, 65535, "Echo sequence number (1 for the first probe)",
	       FG_ICMP_ECHO_SEQ),
	NUMBER("icmp-rest", "N", ICMP, 0, UINT32_MAX,
	       "The 4 bytes after the checksum: MTU, pointer, gateway (0)", FG_ICMP_REST_DATA),

	OWN("sctp-chunk", "TYPE", SCTP, fg_sctp_set_chunk,
	    "Type of the chunk, a number or name (init)"),
	NUMBER("sctp-flags", "N", SCTP, 0, 255, "Flags of the chunk", FG_SCTP_CHUNK_FLAGS),
	NUMBER("sctp-tag", "N", SCTP, 0, UINT32_MAX, "Verification tag (random; 0 for init)",
	       FG_SCTP_TAG),
	NUMBER("sctp-init-tag", "N", SCTP, 0, UINT32_MAX,
	       "Initiate tag of init and init-ack (random)", FG_SCTP_INIT_TAG),
	NUMBER("sctp-tsn", "N", SCTP, 0, UINT32_MAX,
	       "TSN of init, init-ack, data, sack and shutdown (random)", FG_SCTP_INIT_TSN,
	       FG_SCTP_DATA_TSN, FG_SCTP_SACK_TSN, FG_SCTP_SHUTDOWN_TSN),
	NUMBER("sctp-window", "N", SCTP, 0, UINT32_MAX,
	       "Receiver window of init, init-ack and sack (106496)", FG_SCTP_INIT_WINDOW,
	       FG_SCTP_SACK_WINDOW),
	NUMBER("sctp-out-streams", "N", SCTP, 0, 65535,
	       "Outbound streams of init and init-ack (10)", FG_SCTP_INIT_OUT_STREAMS),
	NUMBER("sctp-in-streams", "N", SCTP, 0, 65535,
	       "Inbound streams of init and init-ack (65535)", FG_SCTP_INIT_IN_STREAMS),
	NUMBER("sctp-stream", "N", SCTP, 0, 65535, "Stream identifier of data (0)",
	       FG_SCTP_DATA_STREAM),
	NUMBER("sctp-stream-seq", "N", SCTP, 0, 65535, "Stream sequence number of data (0)",
	       FG_SCTP_DATA_SEQ),
	NUMBER("sctp-ppid", "N", SCTP, 0, UINT32_MAX, "Payload protocol identifier of data (0)",
	       FG_SCTP_DATA_PPID),

	OWN("payload", "TEXT|hex:DIGITS", 0, fg_payload_set_text,
	    "The bytes after the headers (on the command line also @FILE)"),
	OWN("size", "BYTES", 0, fg_payload_set_size,
	    "A payload of this many bytes: \"flowgen \" repeated"),
	OWN("dns", "NAME[,TYPE]", TCP | UDP, fg_payload_set_dns, "A DNS query as payload (type A)"),
	OWN("http", "[METHOD ]TARGET", TCP, fg_payload_set_http,
	    "An HTTP request as payload, for /path or http://host/path"),

	FLAG("bad-checksum", TCP | UDP | ICMP | SCTP, fg_set_bad_checksum,
	     "Send a wrong transport checksum"),
	FLAG("bad-ip-checksum", V4, fg_set_bad_ip_checksum, "Send a wrong IPv4 header checksum"),
	NUMBER("checksum", "N", TCP | UDP | ICMP | SCTP, 0, UINT32_MAX,
	       "Transport checksum to send (computed)", FG_TCP_CHECKSUM, FG_UDP_CHECKSUM,
	       FG_ICMP_CHECKSUM, FG_ICMPV6_CHECKSUM, FG_SCTP_CHECKSUM),
	NUMBER("ip-checksum", "N", V4, 0, 65535, "IPv4 header checksum (computed)",
	       FG_IPV4_CHECKSUM),
	NUMBER("ip-version", "N", 0, 0, 15, "Version field of the IP header", FG_IPV4_VERSION,
	       FG_IPV6_VERSION),
	NUMBER("ihl", "N", V4, 0, 15, "IPv4 header length in units of 4 bytes (computed)",
	       FG_IPV4_IHL),
	NUMBER("total-length", "N", V4, 0, 65535, "IPv4 total length (computed)",
	       FG_IPV4_TOTAL_LENGTH),
	NUMBER("payload-length", "N", V6, 0, 65535, "IPv6 payload length (computed)",
	       FG_IPV6_PAYLOAD_LENGTH),
	NUMBER("data-offset", "N", TCP, 0, 15, "TCP header length in units of 4 bytes (computed)",
	       FG_TCP_DATA_OFFSET),
	NUMBER("tcp-reserved", "N", TCP, 0, 15, "The four bits between data offset and flags (0)",
	       FG_TCP_RESERVED),
	NUMBER("udp-length", "N", UDP, 0, 65535, "UDP length (computed)", FG_UDP_LENGTH),
	NUMBER("sctp-length", "N", SCTP, 0, 65535, "Length of the SCTP chunk (computed)",
	       FG_SCTP_CHUNK_LENGTH),

	FLAG("checksum-offload", TCP | UDP, fg_set_checksum_offload,
	     "Leave the transport checksum to the device, as a pod's own socket does"),
	OWN("gso", "SIZE", TCP | UDP, fg_set_gso,
	    "Send a super-packet that the kernel cuts into segments with SIZE bytes of payload each"),
};

const size_t fg_packet_key_count = COUNT(fg_packet_keys);

_Static_assert(COUNT(fg_packet_keys) <= sizeof(((struct fg_packet_spec *)0)->given) * 8,
	       "fg_packet_spec.given has a bit for each key");

const struct fg_packet_key *fg_packet_key_find(const char *name)
{
	for (size_t i = 0; i < fg_packet_key_count; i++)
		if (!strcmp(fg_packet_keys[i].name, name))
			return &fg_packet_keys[i];
	return NULL;
}

/* A flag that is taken back counts as never given. */
static void note_given(struct fg_packet_spec *spec, const struct fg_packet_key *key,
		       const char *value)
{
	size_t index = (size_t)(key - fg_packet_keys);
	uint64_t bit = UINT64_C(1) << index % 64;
	bool on = true;

	if (!key->argument)
		fg_set_parse_switch(key->name, value, &on, NULL);
	if (on)
		spec->given[index / 64] |= bit;
	else
		spec->given[index / 64] &= ~bit;
}

bool fg_packet_given(const struct fg_packet_spec *spec, const char *name)
{
	size_t index = (size_t)(fg_packet_key_find(name) - fg_packet_keys);

	return spec->given[index / 64] >> index % 64 & 1;
}

static int set_number(struct fg_packet_spec *spec, const struct fg_packet_key *key,
		      const char *value, struct fg_error *err)
{
	uint64_t number;

	if (fg_parse_u64(key->name, value, key->min, key->max, &number, err) < 0)
		return -1;
	for (unsigned int i = 0; i < key->field_count; i++)
		fg_override(spec, key->fields[i], number);
	return 0;
}

int fg_packet_set(struct fg_packet_spec *spec, const char *key, const char *value,
		  struct fg_error *err)
{
	const struct fg_packet_key *entry = fg_packet_key_find(key);
	int result;

	if (!entry)
		return fg_fail(err, FG_ERR_USAGE, "%.60s: unknown key", key);
	if (!value && entry->argument)
		return fg_fail(err, FG_ERR_USAGE, "%s: needs a value: %s", key, entry->argument);
	result = entry->set ? entry->set(spec, key, value, err)
			    : set_number(spec, entry, value, err);
	if (result == 0)
		note_given(spec, entry, value);
	return result;
}

int fg_packet_set_payload(struct fg_packet_spec *spec, const void *bytes, size_t len,
			  struct fg_error *err)
{
	if (fg_payload_copy(spec, bytes, len, err) < 0)
		return -1;
	note_given(spec, fg_packet_key_find("payload"), NULL);
	return 0;
}
