/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow.h - reading addresses and ports out of a packet in kernel memory. Free of CO-RE, as maps.h
 * is.
 */
#ifndef FG_FLOW_H
#define FG_FLOW_H

#include <stdbool.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#include "event.h"

#define FG_IPPROTO_ICMP 1
#define FG_IPPROTO_TCP 6
#define FG_IPPROTO_UDP 17
#define FG_IPPROTO_ICMPV6 58
#define FG_IPPROTO_SCTP 132

/*
 * The first eight bytes of the layer above IP hold what tells flows apart in every protocol that we
 * know.
 */
static __always_inline void flow_take_ports(struct fg_wire_flow *f, const __u8 *l4)
{
	__u16 word[3];

	__builtin_memcpy(word, l4, sizeof(word));
	switch (f->proto) {
	case FG_IPPROTO_TCP:
	case FG_IPPROTO_UDP:
	case FG_IPPROTO_SCTP:
		f->sport = word[0];
		f->dport = word[1];
		break;
	case FG_IPPROTO_ICMP:
	case FG_IPPROTO_ICMPV6:
		f->sport = word[0];
		f->dport = word[2];
		break;
	}
}

/*
 * Steps over one IPv6 extension header (RFC 8200 section 4). Returns its length, or 0 if it is
 * none, or if no transport header follows: in a later fragment.
 */
static __always_inline __u32 flow_skip_extension(__u8 *next, const unsigned char *at, bool *later)
{
	__u8 type = *next, head[4];

	if (type != 0 && type != 43 && type != 60 && type != 44)
		return 0;
	if (bpf_probe_read_kernel(head, sizeof(head), at))
		return 0;
	*next = head[0];
	if (type != 44)
		return (head[1] + 1U) * 8;
	*later = head[2] | (head[3] & 0xf8);
	return *later ? 0 : 8;
}

/* What flow_transport() returns. */
#define FLOW_OFFSET(transport) ((transport)&0xffffU) /* 0: a later fragment has no such header */
#define FLOW_PROTO(transport) ((__u8)((transport) >> 16))
#define FLOW_FRAGMENT (1U << 24) /* RFC 791, RFC 8200 section 4.5 */

/*
 * Where the transport header of the packet at address is, from its IP header on, which protocol it
 * has, and whether the packet is a fragment; 0 if it cannot be read.
 *
 * Functions that are neither static nor inlined are looked at by the verifier once, and not again
 * on each of the many ways that lead to them: that is most of the time it takes to load a program.
 * They may take numbers and pointers to memory of a known size, which the verifier cannot know to
 * be given. That of Linux 7.3 also follows where pointers to the stack go, once more for each
 * place that hands one to a function: so what is long takes numbers only.
 */
__weak __noinline int flow_transport(__u64 address)
{
	const unsigned char *l3 = (const unsigned char *)address;
	__u32 offset = 40, flags = 0;
	bool later = false;
	__u8 h[10], next;

	if (bpf_probe_read_kernel(h, sizeof(h), l3))
		return 0;
	if (h[0] >> 4 != 6) {
		if ((h[6] & 0x3f) | h[7])
			flags = FLOW_FRAGMENT;
		offset = (h[6] & 0x1f) | h[7] ? 0 : (h[0] & 15) * 4;
		return (int)(flags | h[9] << 16 | offset);
	}
	next = h[6];
#pragma unroll
	for (int i = 0; i < 4; i++) {
		__u32 step;

		if (next == 44)
			flags = FLOW_FRAGMENT;
		step = flow_skip_extension(&next, l3 + offset, &later);
		if (!step)
			break;
		offset += step;
	}
	return (int)(flags | next << 16 | (later ? 0 : offset));
}

/*
 * Fills *f, which is zero, with the flow of the packet at address. Returns the hops that are left
 * (TTL, hop limit), 0 if it is not an IP packet. Short: see flow_transport().
 */
__weak __noinline int flow_parse(struct fg_wire_flow *f, __u64 address)
{
	const unsigned char *l3 = (const unsigned char *)address;
	__u32 transport;
	__u8 h[28], hops;

	if (!f)
		return 0;
	/* One read for the header and the ports after it, as nearly all packets have them. */
	if (bpf_probe_read_kernel(h, sizeof(h), l3))
		return 0;
	if (h[0] >> 4 == 6) {
		if (bpf_probe_read_kernel(f->src, sizeof(f->src) + sizeof(f->dst), l3 + 8))
			return h[7];
		f->family = 6;
		hops = h[7];
	} else {
		if (h[0] >> 4 != 4)
			return 0;
		f->family = 4;
		f->proto = h[9];
		__builtin_memcpy(&f->ident, h + 4, 2);
		__builtin_memcpy(f->src, h + 12, 4);
		__builtin_memcpy(f->dst, h + 16, 4);
		hops = h[8];
	}
	if (h[0] != 0x45 || (h[6] & 0x1f) | h[7]) {
		transport = flow_transport(address);
		f->proto = FLOW_PROTO(transport);
		if (!FLOW_OFFSET(transport) ||
		    bpf_probe_read_kernel(h + 20, 6, l3 + FLOW_OFFSET(transport)))
			return hops;
	}
	flow_take_ports(f, h + 20);
	return hops;
}

static __always_inline bool flow_is_fragment(__u64 address)
{
	return flow_transport(address) & FLOW_FRAGMENT;
}

/*
 * Reads the flow of the packet that begins at l3. Returns the hops that are left (TTL, hop limit):
 * a router takes one, a redirect leaves them alone. 0 if it is not an IP packet.
 */
static __always_inline __u32 flow_read(struct fg_wire_flow *f, const unsigned char *l3)
{
	__builtin_memset(f, 0, sizeof(*f));
	return flow_parse(f, (__u64)l3);
}

static __always_inline bool flow_equal(const struct fg_wire_flow *a, const struct fg_wire_flow *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]));
}

/* The flow of a reply to f: ends swapped, an echo request's type replaced (RFC 792, RFC 4443). */
static __always_inline void flow_answer(const struct fg_wire_flow *f, struct fg_wire_flow *out)
{
	__builtin_memset(out, 0, sizeof(*out));
	out->family = f->family;
	out->proto = f->proto;
	__builtin_memcpy(out->src, f->dst, sizeof(out->src));
	__builtin_memcpy(out->dst, f->src, sizeof(out->dst));
	if (f->proto == FG_IPPROTO_ICMP || f->proto == FG_IPPROTO_ICMPV6) {
		/* As in memory: the type is the first byte, the code the second. */
		__u8 type = (__u8)f->sport;

		out->sport = type == 8 ? 0 : type == 128 ? 129 : f->sport;
		out->dport = f->dport;
	} else {
		out->sport = f->dport;
		out->dport = f->sport;
	}
}

/*
 * An ICMP error quotes the packet that it is about (RFC 792, RFC 4443): returns where, or NULL in
 * any other packet.
 */
static __always_inline const unsigned char *flow_quoted(const struct fg_wire_flow *f,
							const unsigned char *l3)
{
	__u8 type = (__u8)f->sport, first;

	if (f->proto == FG_IPPROTO_ICMPV6)
		return type >= 1 && type <= 4 ? l3 + 40 + 8 : NULL;
	if (f->proto != FG_IPPROTO_ICMP ||
	    (type != 3 && type != 4 && type != 5 && type != 11 && type != 12) ||
	    bpf_probe_read_kernel(&first, 1, l3))
		return NULL;
	return l3 + (first & 15) * 4 + 8;
}

/*
 * The sequence number of the echo that begins at l3 (RFC 792, RFC 4443), in network order: it tells
 * those of one identifier apart. 0 in any other packet.
 */
__weak __noinline int flow_sequence(__u64 address)
{
	const unsigned char *l3 = (const unsigned char *)address;
	__u32 transport = flow_transport(address);
	__u8 proto = FLOW_PROTO(transport);
	__u16 word[4];

	if (!FLOW_OFFSET(transport) || (proto != FG_IPPROTO_ICMP && proto != FG_IPPROTO_ICMPV6) ||
	    bpf_probe_read_kernel(word, sizeof(word), l3 + FLOW_OFFSET(transport)))
		return 0;
	switch ((__u8)word[0]) {
	case 0:
	case 8:
	case 128:
	case 129:
		return word[3];
	}
	return 0;
}

/* As flow_answered(); *key is zero. */
__weak __noinline int flow_parse_answered(struct fg_wire_flow *key, __u64 address)
{
	const unsigned char *l3 = (const unsigned char *)address, *quote;
	struct fg_wire_flow quoted;

	if (!key)
		return 0;
	flow_parse(key, address);
	quote = flow_quoted(key, l3);
	if (quote) {
		flow_read(&quoted, quote);
		flow_answer(&quoted, key);
		l3 = quote;
	}
	key->ident = (__u16)flow_sequence((__u64)l3);
	return 0;
}

/*
 * The flow that the packet at l3 is a reply to, as flow_answer() gives it: its own, or for an
 * ICMP error that of the reply to the packet it quotes. ident is the sequence number of an echo.
 * Memory that a function is given must have been written for kernels before 6.3.
 */
static __always_inline void flow_answered(struct fg_wire_flow *key, const unsigned char *l3)
{
	__builtin_memset(key, 0, sizeof(*key));
	flow_parse_answered(key, (__u64)l3);
}

#endif
