// SPDX-License-Identifier: GPL-2.0-only
/* packet/check.c - whether the keys of a template fit together. */
#include <stdio.h>

#include "base/count.h"
#include "packet/internal.h"

#define PROTOCOL_BITS (FG_FOR_TCP | FG_FOR_UDP | FG_FOR_ICMP | FG_FOR_SCTP)

static bool given(const struct fg_packet_spec *spec, size_t index)
{
	return spec->given[index / 64] >> index % 64 & 1;
}

static unsigned int protocol_bit(uint16_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return FG_FOR_TCP;
	case IPPROTO_UDP:
		return FG_FOR_UDP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
	case FG_PROTOCOL_ICMP_OF_FAMILY:
		return FG_FOR_ICMP;
	case IPPROTO_SCTP:
		return FG_FOR_SCTP;
	default:
		return 0;
	}
}

static const char *protocol_name(uint16_t protocol, char buf[16])
{
	static const char *const names[] = { "tcp", "udp", "icmp", "sctp" };
	unsigned int bit = protocol_bit(protocol);

	for (unsigned int i = 0; i < 4; i++)
		if (bit == (unsigned int)FG_FOR_TCP << i)
			return names[i];
	snprintf(buf, 16, "%u", protocol);
	return buf;
}

static int check_applies(const struct fg_packet_spec *spec, const struct fg_packet_key *key,
			 uint16_t family, struct fg_error *err)
{
	unsigned int protocols = key->applies & PROTOCOL_BITS;
	char buf[16];

	if (protocols && !(protocols & protocol_bit(spec->protocol)))
		return fg_fail(err, FG_ERR_USAGE, "%s: not for protocol %s", key->name,
			       protocol_name(spec->protocol, buf));
	if (protocols && spec->overridden[FG_IPV4_OFFSET] && spec->value[FG_IPV4_OFFSET])
		return fg_fail(err, FG_ERR_USAGE,
			       "%s: a fragment past offset 0 has only payload, not this field",
			       key->name);
	if ((key->applies & FG_FOR_IPV4 && family == AF_INET6) ||
	    (key->applies & FG_FOR_IPV6 && family == AF_INET))
		return fg_fail(err, FG_ERR_USAGE, "%s: for IPv%d only, but the addresses are IPv%d",
			       key->name, family == AF_INET6 ? 4 : 6, family == AF_INET6 ? 6 : 4);
	return 0;
}

/* Pairs of keys that contradict each other. */
static int check_pairs(const struct fg_packet_spec *spec, struct fg_error *err)
{
	static const char *const pairs[][2] = {
		{ "payload", "size" },
		{ "payload", "dns" },
		{ "payload", "http" },
		{ "size", "dns" },
		{ "size", "http" },
		{ "dns", "http" },
		{ "tos", "dscp" },
		{ "tos", "ecn" },
		{ "checksum", "bad-checksum" },
		{ "checksum", "checksum-offload" },
		{ "bad-checksum", "checksum-offload" },
		{ "ip-checksum", "bad-ip-checksum" },
		{ "fragment", "fragment-offset" },
		{ "fragment", "more-fragments" },
		{ "fragment", "gso" },
		{ "checksum", "gso" },
		{ "bad-checksum", "gso" },
		{ "fragment", "checksum-offload" },
		{ "icmp-rest", "icmp-id" },
		{ "icmp-rest", "icmp-seq" },
	};

	for (size_t i = 0; i < COUNT(pairs); i++)
		if (fg_packet_given(spec, pairs[i][0]) && fg_packet_given(spec, pairs[i][1]))
			return fg_fail(err, FG_ERR_USAGE, "%s and %s: only one of the two",
				       pairs[i][0], pairs[i][1]);
	return 0;
}

/* Keys that do nothing without another one. */
static int check_needs(const struct fg_packet_spec *spec, uint16_t family, struct fg_error *err)
{
	bool fragment_header = spec->fragment_size || spec->overridden[FG_FRAGMENT_OFFSET] ||
			       spec->overridden[FG_FRAGMENT_MF];

	for (unsigned int i = 0; i < spec->ext_count; i++)
		fragment_header |= spec->ext[i].type == IPPROTO_FRAGMENT;
	if (!spec->trace &&
	    (fg_packet_given(spec, "trace-option") || fg_packet_given(spec, "trace-length")))
		return fg_fail(err, FG_ERR_USAGE, "%s: needs trace-id",
			       fg_packet_given(spec, "trace-option") ? "trace-option"
								     : "trace-length");
	if (family == AF_INET6 && fg_packet_given(spec, "id") && !fragment_header)
		return fg_fail(
			err, FG_ERR_USAGE,
			"id: an IPv6 packet has one only in a fragment header: add fragment, "
			"more-fragments or ext-header fragment");
	if (spec->trace && spec->trace_length && spec->trace_length < 8 &&
	    spec->trace_id >> 8 * spec->trace_length)
		return fg_fail(err, FG_ERR_USAGE, "trace-id: %llu does not fit into %u bytes",
			       (unsigned long long)spec->trace_id, spec->trace_length);
	return 0;
}

static int check_icmp(const struct fg_packet_spec *spec, uint16_t family, struct fg_error *err)
{
	enum fg_field_id type = family == AF_INET ? FG_ICMP_TYPE : FG_ICMPV6_TYPE;
	enum fg_field_id code = family == AF_INET ? FG_ICMP_CODE : FG_ICMPV6_CODE;
	int version = family == AF_INET ? 4 : 6;

	if (!family)
		return 0;
	if (spec->overridden[type] && spec->value[type] > 255)
		return fg_fail(err, FG_ERR_USAGE, "icmp-type: ICMP for IPv%d has no such type",
			       version);
	if (spec->overridden[code] && spec->value[code] > 255)
		return fg_fail(err, FG_ERR_USAGE, "icmp-code: ICMP for IPv%d has no such code",
			       version);
	return 0;
}

static void warn(struct fg_packet_warnings *warnings, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void warn(struct fg_packet_warnings *warnings, const char *fmt, ...)
{
	va_list args;

	if (warnings->count == FG_PACKET_WARNINGS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(warnings->text[warnings->count++], sizeof(warnings->text[0]), fmt, args);
	va_end(args);
}

static void warn_tcp(const struct fg_packet_spec *spec, struct fg_packet_warnings *warnings)
{
	uint64_t flags = spec->overridden[FG_TCP_FLAGS] ? spec->value[FG_TCP_FLAGS]
							: FG_TCP_FLAG_SYN;
	char text[FG_TCP_FLAGS_LEN];

	if (spec->protocol != IPPROTO_TCP)
		return;
	fg_field_tcp_flags_text((uint8_t)flags, text);
	if (!flags || (flags & FG_TCP_FLAG_SYN && flags & (FG_TCP_FLAG_FIN | FG_TCP_FLAG_RST)))
		warn(warnings, "flags %s: no TCP stack sends this", text);
	if (flags & FG_TCP_FLAG_SYN && fg_payload_len(spec, AF_INET))
		warn(warnings, "a TCP SYN with payload; for data of a connection: flags PA");
}

static void warn_icmp(const struct fg_packet_spec *spec, uint16_t family,
		      struct fg_packet_warnings *warnings)
{
	uint8_t protocol = fg_put_protocol(spec, family);

	if (!family || protocol_bit(spec->protocol) != FG_FOR_ICMP)
		return;
	if (!fg_is_icmp(family, protocol))
		warn(warnings, "protocol %u in IPv%d: no ICMP header is built, only the payload",
		     protocol, family == AF_INET ? 4 : 6);
	else if (fg_icmp_is_error(family, fg_put_icmp_type(spec, family)) &&
		 !fg_payload_len(spec, family))
		warn(warnings, "an ICMP error quotes the packet it is about: add it with payload");
}

static void warn_fragments(const struct fg_packet_spec *spec, uint16_t family,
			   struct fg_packet_warnings *warnings)
{
	bool split = spec->fragment_size || spec->overridden[FG_IPV4_MF] ||
		     (spec->overridden[FG_IPV4_OFFSET] && spec->value[FG_IPV4_OFFSET]);

	if (family != AF_INET6 && split && spec->overridden[FG_IPV4_DF] && spec->value[FG_IPV4_DF])
		warn(warnings, "df on: a fragment with don't fragment set");
	for (unsigned int i = 1; i < spec->ext_count; i++)
		if (spec->ext[i].type == IPPROTO_HOPOPTS)
			warn(warnings, "ext-header hop-by-hop: must be the first (RFC 8200)");
}

static void warn_sizes(const struct fg_packet_spec *spec, uint16_t family,
		       struct fg_packet_warnings *warnings)
{
	size_t payload = fg_payload_len(spec, family ? family : AF_INET);

	if (spec->gso_size && payload <= spec->gso_size)
		warn(warnings, "gso %u: the payload of %zu bytes fits into one segment",
		     spec->gso_size, payload);
	if (family && !spec->gso_size && !spec->fragment_size &&
	    fg_ip_len(spec, family, 0) + payload > spec->mtu)
		warn(warnings, "a payload of %zu bytes does not fit into the MTU of %u", payload,
		     spec->mtu);
}

static void warn_values(const struct fg_packet_spec *spec, uint16_t family,
			struct fg_packet_warnings *warnings)
{
	if (spec->overridden[FG_IPV4_TTL] && !spec->value[FG_IPV4_TTL])
		warn(warnings, "ttl 0: no pod's own stack sends this, and every router drops it");
	if (family == AF_INET6 && spec->protocol == IPPROTO_UDP &&
	    spec->overridden[FG_UDP_CHECKSUM] && !spec->value[FG_UDP_CHECKSUM])
		warn(warnings, "checksum 0: UDP in IPv6 must have one");
	if (spec->overridden[FG_IPV4_VERSION] && family &&
	    spec->value[FG_IPV4_VERSION] != (family == AF_INET ? 4 : 6))
		warn(warnings, "ip-version %u: not that of the addresses",
		     (unsigned int)spec->value[FG_IPV4_VERSION]);
}

int fg_packet_check(const struct fg_packet_spec *spec, uint16_t family,
		    struct fg_packet_warnings *warnings, struct fg_error *err)
{
	struct fg_packet_warnings found = { 0 };

	for (size_t i = 0; i < fg_packet_key_count; i++)
		if (given(spec, i) && check_applies(spec, &fg_packet_keys[i], family, err) < 0)
			return -1;
	if (check_pairs(spec, err) < 0 || check_needs(spec, family, err) < 0 ||
	    check_icmp(spec, family, err) < 0)
		return -1;
	warn_tcp(spec, &found);
	warn_icmp(spec, family, &found);
	warn_fragments(spec, family, &found);
	warn_sizes(spec, family, &found);
	warn_values(spec, family, &found);
	if (warnings)
		*warnings = found;
	return 0;
}
