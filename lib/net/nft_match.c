// SPDX-License-Identifier: GPL-2.0-only
#include "net/nft_match.h"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <string.h>

#include "header/dissect.h"

/* The least of a transport header that is of use: what it has in the place of two ports. */
#define PORTS_LEN 4
#define IPV4_LEN 20
#define IPV6_LEN 40

static bool fill(const uint8_t *network, uint16_t family, uint8_t protocol,
		 const uint8_t *transport, size_t len, struct fg_nft_mark *out)
{
	bool v4 = family == AF_INET;

	if (len < PORTS_LEN)
		return false;
	*out = (struct fg_nft_mark){ .key = { .family = family, .protocol = protocol },
				     .protocol_known = true };
	memcpy(out->key.addr, network + (v4 ? 12 : 8), v4 ? 4 : 16);
	memcpy(out->dst, network + (v4 ? 16 : 24), v4 ? 4 : 16);
	if (v4)
		memcpy(&out->ident, network + 4, sizeof(out->ident));
	out->transport_len = len < sizeof(out->transport) ? len : sizeof(out->transport);
	memcpy(out->transport, transport, out->transport_len);
	memcpy(out->key.source, transport, sizeof(out->key.source));
	return true;
}

bool fg_nft_mark_packet(const uint8_t *packet, size_t len, struct fg_nft_mark *out)
{
	struct fg_layout l;

	if (fg_flow_layout_find(packet, len, &l) || l.fragment_offset || l.transport >= l.len)
		return false;
	return fill(packet, l.family, l.protocol, packet + l.transport, l.len - l.transport, out);
}

static bool is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_DSTOPTS || next == IPPROTO_AH || next == IPPROTO_MH;
}

bool fg_nft_mark_headers(const uint8_t *network, size_t network_len, const uint8_t *transport,
			 size_t transport_len, struct fg_nft_mark *out)
{
	uint8_t version = network && network_len ? network[0] >> 4 : 0;

	if (!transport)
		return false;
	if (version == 4 && network_len >= IPV4_LEN)
		return fill(network, AF_INET, network[9], transport, transport_len, out);
	if (version != 6 || network_len < IPV6_LEN ||
	    !fill(network, AF_INET6, network[6], transport, transport_len, out))
		return false;
	out->protocol_known = !is_extension(network[6]);
	return true;
}

static bool same_sender(const struct fg_nft_mark *a, const struct fg_nft_mark *b)
{
	return a->key.family == b->key.family &&
	       !memcmp(a->key.addr, b->key.addr, sizeof(a->key.addr)) &&
	       !memcmp(a->key.source, b->key.source, sizeof(a->key.source)) &&
	       (!a->protocol_known || !b->protocol_known || a->key.protocol == b->key.protocol);
}

/*
 * What follows the ports: sequence number, verification tag, identifier. UDP has a checksum
 * there, which changes.
 */
static bool same_rest(const struct fg_nft_mark *a, const struct fg_nft_mark *b)
{
	return a->key.protocol != IPPROTO_UDP && a->key.protocol != IPPROTO_UDPLITE &&
	       a->transport_len == sizeof(a->transport) &&
	       b->transport_len == sizeof(b->transport) &&
	       !memcmp(a->transport + PORTS_LEN, b->transport + PORTS_LEN,
		       sizeof(a->transport) - PORTS_LEN);
}

int fg_nft_mark_score(const struct fg_nft_mark *probe, const struct fg_nft_mark *seen)
{
	bool same_end = !memcmp(probe->dst, seen->dst, sizeof(probe->dst)) &&
			!memcmp(probe->transport + 2, seen->transport + 2, 2);

	if (!same_sender(probe, seen))
		return 0;
	/* Nothing on the way changes the identification. */
	if (probe->ident && seen->ident && probe->ident != seen->ident)
		return 0;
	return (same_end ? 4 : 0) + (probe->ident && probe->ident == seen->ident ? 2 : 0) +
	       (same_rest(probe, seen) ? 1 : 0);
}

/* --- answers --- */

#define ECHO_ID 4 /* where an echo's identifier is */

static bool is_icmp(const struct fg_nft_mark *m)
{
	return m->key.protocol == IPPROTO_ICMP || m->key.protocol == IPPROTO_ICMPV6;
}

static bool is_echo(const struct fg_nft_mark *m, uint8_t v4, uint8_t v6)
{
	return m->transport_len >= ECHO_ID + 2 &&
	       m->transport[0] == (m->key.protocol == IPPROTO_ICMP ? v4 : v6);
}

bool fg_nft_answer_key(const struct fg_nft_mark *probe, struct fg_nft_key *out)
{
	struct fg_nft_key key = probe->key;

	if (is_icmp(probe)) {
		if (!is_echo(probe, ICMP_ECHO, ICMPV6_ECHO_REQUEST))
			return false;
		memcpy(key.source, probe->transport + ECHO_ID, sizeof(key.source));
	}
	key.answer = true;
	*out = key;
	return true;
}

int fg_nft_answer_score(const struct fg_nft_mark *probe, const struct fg_nft_mark *seen)
{
	struct fg_nft_key key;
	const uint8_t *port = seen->transport + (is_icmp(seen) ? ECHO_ID : 2);
	bool from_end = !memcmp(seen->key.addr, probe->dst, sizeof(probe->dst)) &&
			(is_icmp(seen) || !memcmp(seen->transport, probe->transport + 2, 2));

	if (!fg_nft_answer_key(probe, &key) || key.family != seen->key.family ||
	    key.protocol != seen->key.protocol || memcmp(key.addr, seen->dst, sizeof(key.addr)) ||
	    (is_icmp(seen) && !is_echo(seen, ICMP_ECHOREPLY, ICMPV6_ECHO_REPLY)) ||
	    memcmp(key.source, port, sizeof(key.source)) != 0)
		return 0;
	return from_end ? 2 : 1;
}
