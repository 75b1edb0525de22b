// SPDX-License-Identifier: GPL-2.0-only
/* header/flow.c - where a packet's headers are, and the flow it belongs to (dissect.h). */
#include <stdio.h>
#include <string.h>

#include "header/dissect.h"
#include "header/protocol.h"

static int find_ipv4(const uint8_t *p, size_t len, struct fg_layout *out)
{
	size_t header_len, total;

	if (len < 20)
		return -1;
	header_len = fg_field_get(FG_IPV4_IHL, p) * 4;
	total = fg_field_get(FG_IPV4_TOTAL_LENGTH, p);
	if (header_len < 20 || header_len > len || total < header_len)
		return -1;
	*out = (struct fg_layout){
		.family = AF_INET,
		.protocol = (uint8_t)fg_field_get(FG_IPV4_PROTOCOL, p),
		.more_fragments = fg_field_get(FG_IPV4_MF, p),
		.len = (uint32_t)(total < len ? total : len),
		.claimed = (uint32_t)total,
		.transport = (uint32_t)header_len,
		.fragment_offset = (uint32_t)fg_field_get(FG_IPV4_OFFSET, p) * 8,
		.ident = (uint32_t)fg_field_get(FG_IPV4_ID, p),
	};
	return 0;
}

static bool is_ext_header(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS || next == IPPROTO_ROUTING ||
	       next == IPPROTO_FRAGMENT;
}

static int find_ipv6(const uint8_t *p, size_t len, struct fg_layout *out)
{
	struct fg_layout found = { .family = AF_INET6, .transport = 40 };
	uint8_t next;

	if (len < 40)
		return -1;
	next = (uint8_t)fg_field_get(FG_IPV6_NEXT_HEADER, p);
	found.claimed = 40 + (uint32_t)fg_field_get(FG_IPV6_PAYLOAD_LENGTH, p);
	found.len = found.claimed < len ? found.claimed : (uint32_t)len;
	while (is_ext_header(next) && !found.fragment_offset) {
		const uint8_t *ext = p + found.transport;

		if (found.transport + 8 > found.len)
			return -1;
		if (next == IPPROTO_FRAGMENT) {
			found.fragment_offset = (uint32_t)fg_field_get(FG_FRAGMENT_OFFSET, ext) * 8;
			found.more_fragments = fg_field_get(FG_FRAGMENT_MF, ext);
			found.ident = (uint32_t)fg_field_get(FG_FRAGMENT_ID, ext);
			found.transport += 8;
		} else {
			found.transport += ext[1] * 8u + 8;
		}
		next = ext[0];
		if (found.transport > found.len)
			return -1;
	}
	found.protocol = next;
	*out = found;
	return 0;
}

int fg_flow_layout_find(const uint8_t *packet, size_t len, struct fg_layout *out)
{
	if (len && packet[0] >> 4 == 4)
		return find_ipv4(packet, len, out);
	if (len && packet[0] >> 4 == 6)
		return find_ipv6(packet, len, out);
	return -1;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_UDPLITE || protocol == IPPROTO_DCCP;
}

static void read_addresses(const uint8_t *packet, struct fg_flow *flow)
{
	bool v4 = flow->family == AF_INET;
	size_t size = v4 ? 4 : 16;
	const uint8_t *src = packet + (v4 ? 12 : 8);

	flow->src.family = flow->dst.family = flow->family;
	memcpy(flow->src.bytes, src, size);
	memcpy(flow->dst.bytes, src + size, size);
}

static int read_transport(const uint8_t *t, size_t len, struct fg_flow *flow)
{
	if (has_ports(flow->protocol)) {
		if (len < 4)
			return -1;
		flow->sport = (uint16_t)fg_field_get(FG_UDP_SPORT, t);
		flow->dport = (uint16_t)fg_field_get(FG_UDP_DPORT, t);
		if (flow->protocol == IPPROTO_TCP && len >= 14)
			flow->tcp_flags = (uint8_t)fg_field_get(FG_TCP_FLAGS, t);
		if (flow->protocol == IPPROTO_SCTP && len >= 13)
			flow->sctp_chunk = t[12];
	} else if (fg_is_icmp(flow->family, flow->protocol)) {
		if (len < 4)
			return -1;
		flow->icmp_type = t[0];
		flow->icmp_code = t[1];
		if (fg_icmp_is_echo(flow->family, t[0]) && len >= 8) {
			flow->icmp_id = (uint16_t)fg_field_get(FG_ICMP_ECHO_ID, t + 4);
			flow->icmp_seq = (uint16_t)fg_field_get(FG_ICMP_ECHO_SEQ, t + 4);
		}
	}
	return 0;
}

uint8_t fg_flow_tos(const uint8_t *packet, size_t len)
{
	if (len < 2)
		return 0;
	/* RFC 791, RFC 8200 section 3: the traffic class begins in the middle of the first byte. */
	switch (packet[0] >> 4) {
	case 4:
		return packet[1];
	case 6:
		return (uint8_t)(packet[0] << 4 | packet[1] >> 4);
	default:
		return 0;
	}
}

int fg_flow_extract(const uint8_t *packet, size_t len, struct fg_flow *out)
{
	struct fg_layout layout;
	struct fg_flow flow = { 0 };

	if (fg_flow_layout_find(packet, len, &layout) < 0)
		return -1;
	flow.family = layout.family;
	flow.protocol = layout.protocol;
	flow.later_fragment = layout.fragment_offset != 0;
	read_addresses(packet, &flow);
	if (!flow.later_fragment &&
	    read_transport(packet + layout.transport, layout.len - layout.transport, &flow) < 0)
		return -1;
	*out = flow;
	return 0;
}

int fg_flow_extract_quoted(const uint8_t *packet, size_t len, struct fg_flow *out)
{
	struct fg_layout layout;
	const uint8_t *icmp;

	if (fg_flow_layout_find(packet, len, &layout) < 0 || layout.fragment_offset ||
	    !fg_is_icmp(layout.family, layout.protocol) || layout.len - layout.transport < 8)
		return -1;
	icmp = packet + layout.transport;
	if (!fg_icmp_is_error(layout.family, icmp[0]))
		return -1;
	return fg_flow_extract(icmp + 8, layout.len - layout.transport - 8, out);
}

static uint8_t inverse_icmp_type(uint16_t family, uint8_t type)
{
	if (family == AF_INET6)
		return type == 128 ? 129 : type == 129 ? 128 : type;
	/* Echo and timestamp: requests 8 and 13, replies 0 and 14. */
	return type == 8 ? 0 : type == 0 ? 8 : type == 13 ? 14 : type == 14 ? 13 : type;
}

void fg_flow_invert(const struct fg_flow *flow, struct fg_flow *out)
{
	struct fg_flow inverse = *flow;

	inverse.src = flow->dst;
	inverse.dst = flow->src;
	inverse.sport = flow->dport;
	inverse.dport = flow->sport;
	if (fg_is_icmp(flow->family, flow->protocol))
		inverse.icmp_type = inverse_icmp_type(flow->family, flow->icmp_type);
	inverse.icmp_code = 0;
	inverse.tcp_flags = 0;
	inverse.sctp_chunk = 0;
	*out = inverse;
}

bool fg_flow_equal(const struct fg_flow *a, const struct fg_flow *b)
{
	return a->family == b->family && a->protocol == b->protocol &&
	       a->later_fragment == b->later_fragment && fg_addr_equal(&a->src, &b->src) &&
	       fg_addr_equal(&a->dst, &b->dst) && a->sport == b->sport && a->dport == b->dport &&
	       a->icmp_type == b->icmp_type && a->icmp_id == b->icmp_id &&
	       a->icmp_seq == b->icmp_seq;
}

const char *fg_flow_protocol_text(uint8_t protocol, char buf[4])
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		snprintf(buf, 4, "%u", protocol);
		return buf;
	}
}

static void end_text(const struct fg_addr *addr, bool with_port, uint16_t port, char *buf,
		     size_t size)
{
	char text[FG_ADDR_TEXT_LEN];

	fg_addr_text(addr, text, sizeof(text));
	if (!with_port)
		snprintf(buf, size, "%s", text);
	else if (addr->family == AF_INET6)
		snprintf(buf, size, "[%s]:%u", text, port);
	else
		snprintf(buf, size, "%s:%u", text, port);
}

const char *fg_flow_text(const struct fg_flow *flow, char *buf, size_t size)
{
	bool ports = has_ports(flow->protocol) && !flow->later_fragment;
	char src[FG_ADDR_TEXT_LEN + 8], dst[FG_ADDR_TEXT_LEN + 8], protocol[4], extra[48] = "";

	end_text(&flow->src, ports, flow->sport, src, sizeof(src));
	end_text(&flow->dst, ports, flow->dport, dst, sizeof(dst));
	if (flow->later_fragment)
		snprintf(extra, sizeof(extra), " later fragment");
	else if (fg_is_icmp(flow->family, flow->protocol) &&
		 fg_icmp_is_echo(flow->family, flow->icmp_type))
		snprintf(extra, sizeof(extra), " %u/%u id %u seq %u", flow->icmp_type,
			 flow->icmp_code, flow->icmp_id, flow->icmp_seq);
	else if (fg_is_icmp(flow->family, flow->protocol))
		snprintf(extra, sizeof(extra), " %u/%u", flow->icmp_type, flow->icmp_code);
	snprintf(buf, size, "%s > %s %s%s", src, dst,
		 fg_flow_protocol_text(flow->protocol, protocol), extra);
	return buf;
}
