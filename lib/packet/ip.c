// SPDX-License-Identifier: GPL-2.0-only
/* packet/ip.c - the IPv4 and IPv6 headers with options and extension headers, and fragments. */
#include "header/checksum.h"
#include "packet/internal.h"

#define OPTION_COPIED 0x80 /* RFC 791: this option goes into each fragment */
#define OPTION_END 0
#define OPTION_NOP 1

static const struct fg_ext_header implied_fragment = { .type = IPPROTO_FRAGMENT };

static uint8_t trace_value_len(const struct fg_packet_spec *spec, uint64_t trace_id)
{
	if (spec->trace_length)
		return spec->trace_length;
	return trace_id <= UINT16_MAX ? 2 : trace_id <= UINT32_MAX ? 4 : 8;
}

static size_t ipv4_options_len(const struct fg_packet_spec *spec, uint64_t trace_id)
{
	size_t len = spec->ip_options_len;

	if (spec->trace)
		len += 2u + trace_value_len(spec, trace_id);
	return (len + 3) & ~(size_t)3;
}

/* The extension header takes whole 8-byte units; what its options leave is padded. */
static size_t ext_len(const struct fg_ext_header *ext)
{
	return ext->type == IPPROTO_FRAGMENT ? 8 : ((size_t)ext->len + 2 + 7) & ~(size_t)7;
}

/* A fragment header that the user did not place, but that what he asked for needs. */
static bool needs_implied_fragment(const struct fg_packet_spec *spec)
{
	for (unsigned int i = 0; i < spec->ext_count; i++)
		if (spec->ext[i].type == IPPROTO_FRAGMENT)
			return false;
	return spec->fragment_size || spec->overridden[FG_FRAGMENT_OFFSET] ||
	       spec->overridden[FG_FRAGMENT_MF];
}

size_t fg_ip_len(const struct fg_packet_spec *spec, uint16_t family, uint64_t trace_id)
{
	size_t len = FG_IPV6_LEN;

	if (family == AF_INET)
		return 20 + ipv4_options_len(spec, trace_id);
	for (unsigned int i = 0; i < spec->ext_count; i++)
		len += ext_len(&spec->ext[i]);
	if (needs_implied_fragment(spec))
		len += ext_len(&implied_fragment);
	return len;
}

/* Wherever the trace ID's type is looked for, the option is found by walking; it comes first. */
static void write_ipv4_options(const struct fg_build *b, uint8_t *p)
{
	const struct fg_packet_spec *spec = b->spec;
	uint64_t id = b->vary->trace_id ? b->vary->trace_id : spec->trace_id;
	uint8_t *end = b->network + b->network_len;

	if (spec->trace) {
		uint8_t len = trace_value_len(spec, id);

		*p++ = spec->trace_option;
		*p++ = (uint8_t)(2 + len);
		for (int i = len - 1; i >= 0; i--)
			*p++ = (uint8_t)(id >> 8 * i);
	}
	memcpy(p, spec->ip_options, spec->ip_options_len);
	p += spec->ip_options_len;
	memset(p, OPTION_END, (size_t)(end - p));
}

static void put_ipv4_checksum(struct fg_build *b, uint8_t *header)
{
	uint16_t sum;

	fg_field_set(FG_IPV4_CHECKSUM, header, 0);
	sum = (uint16_t)~fg_checksum_fold(fg_checksum_add(0, header, b->network_len));
	fg_put(b, FG_IPV4_CHECKSUM, header, fg_spoil(b->spec->bad_ip_checksum, sum));
}

/*
 * Linux sets DF on all it sends with path MTU discovery on, which it is by default; a fragment has
 * it clear.
 */
static bool default_df(const struct fg_packet_spec *spec)
{
	return !spec->fragment_size && !spec->overridden[FG_IPV4_MF] &&
	       !spec->overridden[FG_IPV4_OFFSET];
}

static void write_ipv4(struct fg_build *b)
{
	uint8_t *h = b->network;

	fg_put(b, FG_IPV4_VERSION, h, 4);
	fg_put(b, FG_IPV4_IHL, h, b->network_len / 4);
	fg_put(b, FG_IPV4_DSCP, h, 0);
	fg_put(b, FG_IPV4_ECN, h, 0);
	fg_put(b, FG_IPV4_TOTAL_LENGTH, h, b->network_len + fg_build_data_len(b));
	fg_put(b, FG_IPV4_ID, h, b->vary->random >> 32 & 0xffff);
	fg_put(b, FG_IPV4_RESERVED, h, 0);
	fg_put(b, FG_IPV4_DF, h, default_df(b->spec));
	fg_put(b, FG_IPV4_MF, h, 0);
	fg_put(b, FG_IPV4_OFFSET, h, 0);
	fg_put(b, FG_IPV4_TTL, h, 64);
	fg_put(b, FG_IPV4_PROTOCOL, h, b->protocol);
	memcpy(h + 12, b->vary->src.bytes, 4);
	memcpy(h + 16, b->vary->dst.bytes, 4);
	write_ipv4_options(b, h + 20);
	put_ipv4_checksum(b, h);
}

/*
 * Linux labels each flow with a hash of it (net.ipv6.auto_flowlabels = 1). The same flow gets the
 * same label, so that load balancing by label sees one flow.
 */
static uint32_t flow_label(const struct fg_build *b)
{
	uint64_t hash = (uint64_t)b->vary->sport << 24 | (uint64_t)b->vary->dport << 8 |
			b->protocol;

	for (int i = 0; i < 16; i += 8) {
		uint64_t src, dst;

		memcpy(&src, b->vary->src.bytes + i, 8);
		memcpy(&dst, b->vary->dst.bytes + i, 8);
		hash = (hash ^ src) * 0x9e3779b97f4a7c15U;
		hash = (hash ^ hash >> 32 ^ dst) * 0x9e3779b97f4a7c15U;
	}
	return (uint32_t)(hash >> 44);
}

/* PadN (RFC 8200 section 4.2), or Pad1 where one byte is left. */
static void write_padding(uint8_t *p, size_t len)
{
	if (!len)
		return;
	memset(p, 0, len);
	if (len > 1) {
		p[0] = 1;
		p[1] = (uint8_t)(len - 2);
	}
}

static void write_ext(struct fg_build *b, const struct fg_ext_header *ext, uint8_t *p, uint8_t next)
{
	size_t len = ext_len(ext);

	memset(p, 0, len);
	if (ext->type == IPPROTO_FRAGMENT) {
		fg_put(b, FG_FRAGMENT_NEXT_HEADER, p, next);
		fg_put(b, FG_FRAGMENT_OFFSET, p, 0);
		fg_put(b, FG_FRAGMENT_MF, p, 0);
		fg_put(b, FG_FRAGMENT_ID, p, fg_random32(b, 0));
		b->fragment = p;
		return;
	}
	p[0] = next;
	p[1] = (uint8_t)(len / 8 - 1);
	memcpy(p + 2, ext->data, ext->len);
	write_padding(p + 2 + ext->len, len - 2 - ext->len);
}

/*
 * The chain: the user's headers in his order; an implied fragment header after those that each
 * router reads.
 */
static unsigned int ext_chain(const struct fg_packet_spec *spec,
			      const struct fg_ext_header *chain[FG_EXT_HEADERS_MAX + 1])
{
	bool implied = needs_implied_fragment(spec);
	unsigned int count = 0;

	for (unsigned int i = 0; i < spec->ext_count; i++) {
		if (implied && spec->ext[i].type != IPPROTO_HOPOPTS) {
			chain[count++] = &implied_fragment;
			implied = false;
		}
		chain[count++] = &spec->ext[i];
	}
	if (implied)
		chain[count++] = &implied_fragment;
	return count;
}

static void write_ipv6(struct fg_build *b)
{
	const struct fg_ext_header *chain[FG_EXT_HEADERS_MAX + 1];
	unsigned int count = ext_chain(b->spec, chain);
	uint8_t *h = b->network, *p = h + FG_IPV6_LEN;

	fg_put(b, FG_IPV6_VERSION, h, 6);
	fg_put(b, FG_IPV6_DSCP, h, 0);
	fg_put(b, FG_IPV6_ECN, h, 0);
	fg_put(b, FG_IPV6_FLOW_LABEL, h, flow_label(b));
	fg_put(b, FG_IPV6_PAYLOAD_LENGTH, h, b->network_len - FG_IPV6_LEN + fg_build_data_len(b));
	fg_put(b, FG_IPV6_NEXT_HEADER, h, count ? chain[0]->type : b->protocol);
	fg_put(b, FG_IPV6_HOP_LIMIT, h, 64);
	memcpy(h + 8, b->vary->src.bytes, 16);
	memcpy(h + 24, b->vary->dst.bytes, 16);
	for (unsigned int i = 0; i < count; i++) {
		write_ext(b, chain[i], p, i + 1 < count ? chain[i + 1]->type : b->protocol);
		p += ext_len(chain[i]);
	}
}

void fg_ip_write(struct fg_build *b)
{
	memset(b->network, 0, b->family == AF_INET ? 20 : FG_IPV6_LEN);
	if (b->family == AF_INET)
		write_ipv4(b);
	else
		write_ipv6(b);
}

/*
 * In later fragments Linux turns options without the copied flag into NOPs, which keeps the
 * header's length.
 */
static void drop_uncopied_options(uint8_t *options, size_t len)
{
	size_t i = 0;

	while (i < len && options[i] != OPTION_END) {
		size_t size = options[i] == OPTION_NOP || i + 1 == len ? 1 : options[i + 1];

		if (size == 0 || size > len - i)
			return;
		if (!(options[i] & OPTION_COPIED))
			memset(options + i, OPTION_NOP, size);
		i += size;
	}
}

void fg_ip_set_fragment(struct fg_build *b, uint8_t *header, size_t offset, size_t len, bool more)
{
	uint8_t *fragment;

	if (b->family == AF_INET) {
		if (offset)
			drop_uncopied_options(header + 20, b->network_len - 20);
		fg_put(b, FG_IPV4_TOTAL_LENGTH, header, b->network_len + len);
		fg_field_set(FG_IPV4_MF, header, more);
		fg_field_set(FG_IPV4_OFFSET, header, offset / 8);
		put_ipv4_checksum(b, header);
		return;
	}
	fragment = header + (b->fragment - b->network);
	fg_put(b, FG_IPV6_PAYLOAD_LENGTH, header,
	       (size_t)(b->fragment - b->network) + 8 - FG_IPV6_LEN + len);
	fg_field_set(FG_FRAGMENT_MF, fragment, more);
	fg_field_set(FG_FRAGMENT_OFFSET, fragment, offset / 8);
}
