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
 * helper. The file that includes this says which by defining FG_TYPED.
 */
#ifdef FG_TYPED
#define SKB_DEV(skb) ((skb)->dev)
#define SKB_HEAD(skb) ((const unsigned char *)(skb)->head)
#define SKB_FIELD(skb, field) ((skb)->field)
#define DEV_IFINDEX(dev) ((__u32)(dev)->ifindex)
#define DEV_NETNS(dev) ((dev)->nd_net.net->ns.inum)
#else
#define SKB_DEV(skb) BPF_CORE_READ(skb, dev)
#define SKB_HEAD(skb) ((const unsigned char *)BPF_CORE_READ(skb, head))
#define SKB_FIELD(skb, field) BPF_CORE_READ(skb, field)
#define DEV_IFINDEX(dev) ((__u32)BPF_CORE_READ(dev, ifindex))
#define DEV_NETNS(dev) BPF_CORE_READ(dev, nd_net.net, ns.inum)
#endif

static __always_inline void event_fill_skb(struct fg_event *e, const struct sk_buff *skb)
{
	const struct net_device *dev = SKB_DEV(skb);

	e->length = SKB_FIELD(skb, len);
	if (!dev)
		return;
	e->ifindex = DEV_IFINDEX(dev);
	e->netns = DEV_NETNS(dev);
}

static __always_inline __u32 flow_read_skb(struct fg_wire_flow *f, const struct sk_buff *skb)
{
	return flow_read(f, SKB_HEAD(skb) + SKB_FIELD(skb, network_header));
}

static __always_inline bool flow_equal(const struct fg_wire_flow *a, const struct fg_wire_flow *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]));
}

/* Whether the buffer that took the place of a tracked one can still hold the same packet. */
static __always_inline bool same_packet(const struct fg_track *t, const struct sk_buff *skb)
{
	const unsigned char *head = SKB_HEAD(skb);
	__u16 inner = SKB_FIELD(skb, inner_network_header);
	struct fg_wire_flow now;

	flow_read(&now, head + SKB_FIELD(skb, network_header));
	if (now.ident == t->flow.ident && now.proto == t->flow.proto &&
	    (now.ident || flow_equal(&now, &t->flow)))
		return true;
	if (!inner)
		return false;
	/* Encapsulated in between: what was the packet is now its inner one. */
	flow_read(&now, head + inner);
	return now.ident == t->flow.ident && now.proto == t->flow.proto;
}

/* Begins to follow skb as the probe t->probe; fills t->head. Returns 0, or -1 when a table is full. */
static __always_inline int track_begin(struct sk_buff *skb, struct fg_track *t)
{
	__u64 key = (__u64)skb;

	t->head = (__u64)SKB_HEAD(skb);
	if (bpf_map_update_elem(&tracked, &key, t, BPF_ANY))
		return -1;
	/* Where this is full, clones are not followed: that loses nothing of the packet itself. */
	bpf_map_update_elem(&heads, &t->head, t, BPF_ANY);
	return 0;
}

static __always_inline void track_end(struct sk_buff *skb)
{
	__u64 key = (__u64)skb;

	bpf_map_delete_elem(&tracked, &key);
}

#endif
