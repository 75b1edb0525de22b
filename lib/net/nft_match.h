/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net/nft_match.h - which probe the packet of a netfilter trace is, by its headers.
 * Pure.
 */
#ifndef FG_NFT_MATCH_H
#define FG_NFT_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How a packet is selected: by its sending end, which translation of its destination does not
 * change.
 */
struct fg_nft_key {
	uint16_t family;   /* AF_INET or AF_INET6; 0: none */
	uint8_t addr[16];  /* source, wire order */
	uint8_t protocol;  /* of the transport header */
	uint8_t source[2]; /* its first two bytes: the source port, ICMP's type and code */
	/*
	 * It selects what is sent back to that end: by destination address, and destination port or
	 * an echo's identifier, which are in addr and source then.
	 */
	bool answer;
};

/* How it is recognized. */
struct fg_nft_mark {
	struct fg_nft_key key;
	bool protocol_known; /* not after IPv6 extension headers that were not read */
	uint16_t ident;	     /* IPv4 identification, as on the wire; 0: none */
	uint8_t dst[16];
	uint8_t transport[8]; /* the first bytes of the transport header */
	size_t transport_len; /* how many of them there are, at least 4 */
};

/*
 * The mark of a packet from its IP header on. Returns false if it has no transport header, or
 * none can be read.
 */
bool fg_nft_mark_packet(const uint8_t *packet, size_t len, struct fg_nft_mark *out);

/*
 * The mark of a packet whose IP header and transport header were seen separately. As above.
 */
bool fg_nft_mark_headers(const uint8_t *network, size_t network_len, const uint8_t *transport,
			 size_t transport_len, struct fg_nft_mark *out);

/*
 * How strongly seen matches that probe; 0: it does not, or only by the sending end,
 * which other packets of the pod may share. The packet may have another destination than it was
 * sent to.
 */
int fg_nft_mark_score(const struct fg_nft_mark *probe, const struct fg_nft_mark *seen);

/*
 * The key of replies to a packet of that mark. False if they cannot be distinguished from others:
 * ICMP other than echo.
 */
bool fg_nft_answer_key(const struct fg_nft_mark *probe, struct fg_nft_key *out);

/*
 * How strongly seen matches a reply to that probe, as above; also if it comes from another address
 * than the probe was sent to, as after a translation.
 */
int fg_nft_answer_score(const struct fg_nft_mark *probe, const struct fg_nft_mark *seen);

#endif
