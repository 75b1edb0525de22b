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

static __always_inline void event_fill_skb(struct fg_event *e, const struct sk_buff *skb)
{
	const struct net_device *dev = BPF_CORE_READ(skb, dev);

	e->length = BPF_CORE_READ(skb, len);
	if (!dev)
		return;
	e->ifindex = BPF_CORE_READ(dev, ifindex);
	e->netns = BPF_CORE_READ(dev, nd_net.net, ns.inum);
}

static __always_inline void flow_read_skb(struct fg_wire_flow *f, const struct sk_buff *skb)
{
	const unsigned char *head = BPF_CORE_READ(skb, head);

	flow_read(f, head + BPF_CORE_READ(skb, network_header));
}

static __always_inline bool flow_equal(const struct fg_wire_flow *a, const struct fg_wire_flow *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]));
}

/* Whether the buffer that took the place of a tracked one can still hold the same packet. */
static __always_inline bool same_packet(const struct fg_track *t, const struct sk_buff *skb)
{
	const unsigned char *head = BPF_CORE_READ(skb, head);
	__u16 inner = BPF_CORE_READ(skb, inner_network_header);
	struct fg_wire_flow now;

	flow_read(&now, head + BPF_CORE_READ(skb, network_header));
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

	t->head = (__u64)BPF_CORE_READ(skb, head);
	if (bpf_map_update_elem(&tracked, &key, t, BPF_ANY))
		return -1;
	return bpf_map_update_elem(&heads, &t->head, t, BPF_ANY) ? -1 : 0;
}

/*
 * What else the packet may be known by: where XDP runs, what is in it (XDP has no sk_buff, or another one); and the flow of
 * its answer.
 */
static __always_inline void flow_remember(const struct fg_track *t, const struct fg_config *cfg)
{
	struct fg_asked asked = { .probe = t->probe, .generation = t->generation };
	struct fg_wire_flow key;

	if (cfg->match_flows)
		bpf_map_update_elem(&flows, &t->flow, t, BPF_ANY);
	if (cfg->replies == FG_REPLIES_OFF)
		return;
	flow_answer(&t->flow, &key);
	bpf_map_update_elem(&replies, &key, &asked, BPF_ANY);
}

static __always_inline void track_end(struct sk_buff *skb)
{
	__u64 key = (__u64)skb;

	bpf_map_delete_elem(&tracked, &key);
}

#endif
