/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * track.h - how the programs know a packet again: the table of tracked packets, and the sending of events.
 *
 * struct sk_buff * keeps its identity from redirect to free. A clone has another struct but the same data
 * buffer, so skb->head is remembered beside it. Both may be used again by the kernel after a free that no
 * tracepoint shows; so a match is believed only when the data buffer, or else the packet in it, is the same.
 */
#ifndef FG_TRACK_H
#define FG_TRACK_H

#include "kernel.h"
#include "flow.h"
#include "maps.h"
#include "remember.h"

/*
 * Reading the kernel's own structures. In a BTF-typed tracepoint the verifier knows the pointer, and a plain load does
 * (five times a packet it is what counts); a tc program's context is not known as the sk_buff it is, and needs the
 * helper. The file that includes this says which by defining FG_TYPED. Only numbers are loaded so: for each pointer that a
 * plain load gives, the verifier searches the kernel's whole BTF four times.
 */
#ifdef FG_TYPED
#define SKB_FIELD(skb, field) ((skb)->field)
#else
#define SKB_FIELD(skb, field) BPF_CORE_READ(skb, field)
#endif
#define SKB_HEAD(skb) ((const unsigned char *)SKB_FIELD(skb, head))
#define DEV_IFINDEX(dev) ((__u32)BPF_CORE_READ(dev, ifindex))
#define DEV_NETNS(dev) BPF_CORE_READ(dev, nd_net.net, ns.inum)

/* The address alone: the verifier gives no pointer that it knows the type of to a function that takes a number. */
static __always_inline __u64 address_of(const void *pointer)
{
	__u64 typed = (__u64)pointer, number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &typed);
	return number;
}

/* The packet's length and device. A function of its own, as flow_parse(). */
__weak __noinline int event_place(struct fg_event *e, __u64 address)
{
	const struct sk_buff *skb = (const struct sk_buff *)address;
	const struct net_device *dev;

	if (!e)
		return 0;
	e->length = BPF_CORE_READ(skb, len);
	dev = BPF_CORE_READ(skb, dev);
	if (!dev)
		return 0;
	e->ifindex = DEV_IFINDEX(dev);
	e->netns = DEV_NETNS(dev);
	return 0;
}

static __always_inline void event_fill_skb(struct fg_event *e, const struct sk_buff *skb)
{
	event_place(e, address_of(skb));
}

/* flow_parse() of the packet in the sk_buff at address. */
__weak __noinline int flow_parse_skb(struct fg_wire_flow *f, __u64 address)
{
	const struct sk_buff *skb = (const struct sk_buff *)address;

	return flow_parse(f, (__u64)BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header));
}

static __always_inline __u32 flow_read_skb(struct fg_wire_flow *f, const struct sk_buff *skb)
{
	__builtin_memset(f, 0, sizeof(*f));
	return flow_parse_skb(f, address_of(skb));
}

static __always_inline bool flow_equal(const struct fg_wire_flow *a, const struct fg_wire_flow *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]));
}

/* Puts t, with its head, in the tables under the address of its struct sk_buff. Returns 0, or -1 when a table is full. */
static __always_inline int track_store(__u64 address, struct fg_track *t)
{
	if (bpf_map_update_elem(&tracked, &address, t, BPF_ANY))
		return -1;
	/* Where this is full, clones are not followed: that loses nothing of the packet itself. */
	bpf_map_update_elem(&heads, &t->head, t, BPF_ANY);
	return 0;
}

static __always_inline void track_end(const struct sk_buff *skb)
{
	__u64 key = (__u64)skb;

	bpf_map_delete_elem(&tracked, &key);
}

#endif
