// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge/answer.c - whether a reply answers the packet that was sent. Anybody can send one with the
 * right addresses and ports; numbers that only a receiver of the packet has seen show that it is
 * one.
 */
#include <string.h>

#include "header/dissect.h"
#include "header/protocol.h"
#include "judge/internal.h"

#define ETHERNET_LEN 14

/* An IP packet, or what there is of it. */
struct packet {
	const uint8_t *ip, *transport;
	size_t left; /* bytes from transport on */
	struct fg_layout at;
	struct fg_flow flow;
	bool segments; /* a super-packet: on the wire it is many */
	bool partial;  /* that, or a fragment: more than this was sent, or less at a time */
};

static uint32_t be32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool packet_read(const uint8_t *bytes, size_t len, struct packet *out)
{
	*out = (struct packet){ .ip = bytes };
	if (fg_flow_layout_find(bytes, len, &out->at) || fg_flow_extract(bytes, len, &out->flow))
		return false;
	out->transport = bytes + out->at.transport;
	out->left = out->at.len - out->at.transport;
	out->partial = out->at.more_fragments || out->at.fragment_offset;
	return true;
}

/* RFC 9293 section 3.10.7. */
static bool tcp_fits(const struct packet *sent, const struct packet *got)
{
	const uint8_t *s = sent->transport, *g = got->transport;
	uint8_t flags = got->flow.tcp_flags;
	uint32_t seq, next, acked;
	size_t header;

	if (sent->left < 20)
		return true;
	if (got->left < 20)
		return false;
	header = (size_t)(s[12] >> 4) * 4;
	seq = be32_at(s + 4);
	next = (sent->left > header ? (uint32_t)(sent->left - header) : 0) +
	       !!(s[13] & FG_TCP_FLAG_SYN) + !!(s[13] & FG_TCP_FLAG_FIN);
	acked = be32_at(g + 8) - seq;
	if (flags & FG_TCP_FLAG_RST && !(flags & FG_TCP_FLAG_ACK))
		/* It has the number that the packet asked for. */
		return (s[13] & FG_TCP_FLAG_ACK) && be32_at(g + 4) == be32_at(s + 8);
	if (!(flags & FG_TCP_FLAG_RST) && !(flags & FG_TCP_FLAG_SYN))
		/* What else comes has the numbers of a connection that flowgen knows nothing of. */
		return true;
	/*
	 * Of a SYN's payload a server may take nothing (section 3.10.7.2, RFC 7413), and of what
	 * was cut it may have seen the first piece only.
	 */
	return acked == next || acked == 1 || (sent->partial && acked && acked <= UINT16_MAX + 2U);
}

/* RFC 1035 section 4.1.1: one question, and no answer yet. */
static bool is_query(const uint8_t *dns, size_t len)
{
	return len >= 12 && !(dns[2] & 0xf8) && !dns[4] && dns[5] == 1 && !dns[6] && !dns[7];
}

/* A datagram has no number of its own, but a DNS query has one. */
static bool udp_fits(const struct packet *sent, const struct packet *got)
{
	if (sent->flow.dport != 53 || sent->left < 8 ||
	    !is_query(sent->transport + 8, sent->left - 8))
		return true;
	return got->left >= 8 + 12 && (got->transport[8 + 2] & 0x80) &&
	       !memcmp(got->transport + 8, sent->transport + 8, 2);
}

/* RFC 792, RFC 4443 section 4.2: identifier, sequence number and data come back as they were. */
static bool echo_fits(const struct packet *sent, const struct packet *got)
{
	size_t common = sent->left < got->left ? sent->left : got->left;

	if (!fg_icmp_is_echo(sent->flow.family, sent->flow.icmp_type) || sent->left < 8)
		return true;
	/* RFC 1122 section 3.2.2.6: it may be truncated. */
	return got->left >= 8 && !memcmp(got->transport + 4, sent->transport + 4, common - 4);
}

/* RFC 9260 section 8.5.1: the tag that the INIT asked for. */
static bool sctp_fits(const struct packet *sent, const struct packet *got)
{
	if (sent->flow.sctp_chunk != FG_SCTP_INIT || sent->left < 20)
		return true;
	return got->left >= 12 && !memcmp(got->transport + 4, sent->transport + 16, 4);
}

/* The identification, where there is one. Segments of a super-packet have their own. */
static bool ident_fits(const struct packet *sent, const struct packet *quote)
{
	if (sent->at.family != AF_INET || sent->segments || !memcmp(quote->ip + 4, "\0", 2))
		return true;
	return !memcmp(quote->ip + 4, sent->ip + 4, 2);
}

/*
 * The quote has at least the first 64 bits of what follows the IP header (RFC 792): in all of these
 * protocols a number of the packet is in its second half. Translations on the path leave these
 * numbers and the identification alone; the addresses and ports were compared by the programs.
 */
static bool quote_fits(const struct packet *sent, const uint8_t *bytes, size_t len)
{
	struct packet quote;

	if (!packet_read(bytes, len, &quote) || quote.at.protocol != sent->at.protocol)
		return false;
	if (!ident_fits(sent, &quote))
		return false;
	if (quote.at.fragment_offset || sent->at.fragment_offset)
		return true;
	switch (quote.at.protocol) {
	case IPPROTO_TCP:
		if (quote.left < 8 || sent->left < 8)
			return false;
		return be32_at(quote.transport + 4) - be32_at(sent->transport + 4) <=
		       (sent->partial ? UINT16_MAX : 0U);
	case IPPROTO_UDP:
		return quote.left >= 6 &&
		       (sent->partial || !memcmp(quote.transport + 4, sent->transport + 4, 2));
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
	case IPPROTO_SCTP:
		return quote.left >= 8 && sent->left >= 8 &&
		       !memcmp(quote.transport + 4, sent->transport + 4, 4);
	default:
		return true;
	}
}

bool fg_answer_fits(const struct fg_frame *frame, const struct fg_event_reply *reply)
{
	struct packet sent, got;

	/* A packet that says nothing of itself has no answer that could be wrong. */
	if (!frame->data || frame->len <= ETHERNET_LEN ||
	    !packet_read(frame->data + ETHERNET_LEN, frame->len - ETHERNET_LEN, &sent))
		return true;
	if (!packet_read(reply->bytes, reply->captured, &got))
		return false;
	sent.segments = frame->offload.gso_size != 0;
	sent.partial |= sent.segments;
	if (fg_is_icmp(got.flow.family, got.flow.protocol) &&
	    fg_icmp_is_error(got.flow.family, got.flow.icmp_type))
		return got.left >= 8 && quote_fits(&sent, got.transport + 8, got.left - 8);
	/* Whether it follows from the first fragment, only that one tells. */
	if (sent.at.fragment_offset || got.at.fragment_offset)
		return true;
	switch (sent.flow.protocol) {
	case IPPROTO_TCP:
		return tcp_fits(&sent, &got);
	case IPPROTO_UDP:
		return udp_fits(&sent, &got);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return echo_fits(&sent, &got);
	case IPPROTO_SCTP:
		return sctp_fits(&sent, &got);
	default:
		return true;
	}
}
