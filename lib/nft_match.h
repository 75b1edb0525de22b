/* SPDX-License-Identifier: GPL-2.0-only */
/* nft_match.h - which probe the packet of a netfilter trace is, by what stands in its headers. Pure. */
#ifndef FG_NFT_MATCH_H
#define FG_NFT_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a packet is picked by: its sending end, which translation of its destination leaves alone. */
struct fg_nft_key {
	uint16_t family;   /* AF_INET or AF_INET6; 0: none */
	uint8_t addr[16];  /* source, wire order */
	uint8_t protocol;  /* of the transport header */
	uint8_t source[2]; /* its first two bytes: the source port, ICMP's type and code */
};

/* What it is known again by. */
struct fg_nft_mark {
	struct fg_nft_key key;
	bool protocol_known; /* not behind IPv6 extension headers that were not read */
	uint16_t ident;	     /* IPv4 identification, as on the wire; 0: none */
	uint8_t dst[16];
	uint8_t transport[8]; /* the first bytes of the transport header */
	size_t transport_len; /* how many of them there are, at least 4 */
};

/* The mark of a packet from its IP header on. Returns false where it has no transport header, or none can be told. */
bool fg_nft_mark_packet(const uint8_t *packet, size_t len, struct fg_nft_mark *out);

/* The mark of a packet of which the IP header and the transport header were seen apart. As above. */
bool fg_nft_mark_headers(const uint8_t *network, size_t network_len, const uint8_t *transport,
			 size_t transport_len, struct fg_nft_mark *out);

/*
 * How much says that seen is that probe; 0: it is not, or nothing but the sending end says so, which other packets of the
 * pod may share. The packet may have another destination than it was sent to.
 */
int fg_nft_mark_score(const struct fg_nft_mark *probe, const struct fg_nft_mark *seen);

#endif
