/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * track.h - how the programs know a packet again: the table of tracked packets, and the sending of
 * events.
 *
 * struct sk_buff * keeps its identity from redirect to free. A clone has another struct but the
 * same data buffer, so skb->head is remembered beside it. Both may be used again by the kernel
 * after a free that no tracepoint shows; so a match is believed only when the data buffer, or else
 * the packet in it, is the same.
 */
#ifndef FG_TRACK_H
#define FG_TRACK_H

#include "kernel.h"
#include "flow.h"
#include "maps.h"
#include "remember.h"

/*
 * Reading the kernel's own structures. In a BTF-typed tracepoint the verifier knows the pointer,
 * and a plain load does (five times a packet it is what counts); a tc program's context is not
 * known as the sk_buff it is, and needs the helper. The file that includes this says which by
 * defining FG_TYPED. Only numbers are loaded so: for each pointer that a plain load gives, the
 * verifier searches the kernel's whole BTF four times.
 */
#ifdef FG_TYPED
#define SKB_FIELD(skb, field) ((skb)->field)
#define SKB_BIT(skb, field) BPF_CORE_READ_BITFIELD(skb, field)
#else
#define SKB_FIELD(skb, field) BPF_CORE_READ(skb, field)
#define SKB_BIT(skb, field) BPF_CORE_READ_BITFIELD_PROBED(skb, field)
#endif
#define SKB_HEAD(skb) ((const unsigned char *)SKB_FIELD(skb, head))
#define DEV_IFINDEX(dev) ((__u32)BPF_CORE_READ(dev, ifindex))
#define DEV_NETNS(dev) BPF_CORE_READ(dev, nd_net.net, ns.inum)

/*
 * The address alone: the verifier gives no pointer that it knows the type of to a function that
 * takes a number.
 */
static __always_inline __u64 address_of(const void *pointer)
{
	__u64 typed = (__u64)pointer, number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &typed);
	return number;
}

/* The most that is read of a device at once: its number and its namespace are near each other. */
#define DEVICE_SPAN 48

/*
 * The device at that address, if there is one. A function of its own, as flow_parse(). Each read of
 * the kernel's memory is a call, and there are several events for each packet: so one read takes
 * both fields, on kernels that have them so near. It needs little stack: Linux 6.1 adds up that of
 * all functions on the way here.
 */
__weak __noinline int event_device(struct fg_event *e, __u64 device)
{
	const __u64 first = bpf_core_field_offset(struct net_device, ifindex);
	const __u64 second = bpf_core_field_offset(struct net_device, nd_net.net);
	__u64 part[DEVICE_SPAN / 8];

	if (!e || !device)
		return 0;
	if (second > first && second - first <= DEVICE_SPAN - 8 && !((second - first) & 7)) {
		if (bpf_probe_read_kernel(part, second - first + 8, (void *)(device + first)))
			return 0;
		e->ifindex = (__u32)part[0];
		part[0] = *(__u64 *)((__u8 *)part + (second - first));
	} else {
		bpf_probe_read_kernel(part, 4, (void *)(device + first));
		e->ifindex = (__u32)part[0];
		bpf_probe_read_kernel(part, 8, (void *)(device + second));
	}
	bpf_probe_read_kernel(&e->netns, sizeof(e->netns),
			      (void *)(part[0] + bpf_core_field_offset(struct net, ns.inum)));
	return 0;
}

/* Length and device of the packet in the sk_buff at that address. */
static __always_inline void event_fill_address(struct fg_event *e, __u64 address)
{
	const struct sk_buff *skb = (const struct sk_buff *)address;

	e->length = BPF_CORE_READ(skb, len);
	event_device(e, (__u64)BPF_CORE_READ(skb, dev));
}

static __always_inline void event_fill_skb(struct fg_event *e, const struct sk_buff *skb)
{
	e->length = SKB_FIELD(skb, len);
	event_device(e, (__u64)BPF_CORE_READ(skb, dev));
}

#ifndef FG_TYPED
static __always_inline __u32 flow_read_skb(struct fg_wire_flow *f, const struct sk_buff *skb)
{
	__builtin_memset(f, 0, sizeof(*f));
	return flow_parse(f, (__u64)SKB_HEAD(skb) + SKB_FIELD(skb, network_header));
}
#endif

/*
 * The same of a tracked packet in its buffer: where the verifier knows the pointer to that (Linux
 * 7.0), a function that takes a number does not take it, and the track has it as a number.
 */
static __always_inline __u32 flow_read_track(struct fg_wire_flow *f, const struct sk_buff *skb,
					     const struct fg_track *t)
{
	__builtin_memset(f, 0, sizeof(*f));
	return flow_parse(f, t->head + SKB_FIELD(skb, network_header));
}

/*
 * Puts t, with its head, in the tables under the address of its struct sk_buff. Returns 0, or -1
 * when a table is full.
 */
static __always_inline int track_store(__u64 address, struct fg_track *t)
{
	if (bpf_map_update_elem(&tracked, &address, t, BPF_ANY))
		return -1;
	/* Where this is full, clones are not followed: that loses nothing of the packet itself. */
	bpf_map_update_elem(&heads, &t->head, t, BPF_ANY);
	return 0;
}

/* A tracked packet that was sent as a fragment is seen: see track_join(). */
__weak __noinline int fragment_look(__u64 address)
{
	const struct sk_buff *skb = (const struct sk_buff *)address;
	__u64 head = (__u64)BPF_CORE_READ(skb, head);
	struct fg_event e = {};

	if (!track_join(&e, address, head, head + BPF_CORE_READ(skb, network_header)))
		return 0;
	event_fill_address(&e, address);
	event_send(&e, sizeof(e), false);
	return 0;
}

/*
 * Set by bpf_redirect() to an egress since Linux 6.3, and by tc's mirred; kept by what comes later,
 * on other devices too.
 */
static __always_inline __u8 moved_flag(const struct sk_buff *skb)
{
	if (!bpf_core_field_exists(skb->redirected))
		return 0;
	return SKB_BIT(skb, redirected) ? FG_EVENT_F_MOVED : 0;
}

/*
 * As event_fill_skb(), and the flags of a place where a packet is seen whole: whether it was moved,
 * and who has a hold on it: what is gone or new after tc ingress shows that the IP stack took it.
 */
static __always_inline void event_fill_whole(struct fg_event *e, const struct sk_buff *skb)
{
	__u64 both[2] = {}; /* device and socket, which are beside each other in all kernels so far
			     */

	if (bpf_core_field_offset(struct sk_buff, sk) ==
	    bpf_core_field_offset(struct sk_buff, dev) + 8) {
		bpf_probe_read_kernel(both, sizeof(both), &skb->dev);
	} else {
		both[0] = (__u64)BPF_CORE_READ(skb, dev);
		both[1] = (__u64)BPF_CORE_READ(skb, sk);
	}
	e->length = SKB_FIELD(skb, len);
	e->flags |= moved_flag(skb) | (both[1] ? FG_EVENT_F_OWNED : 0);
	if (bpf_core_field_exists(skb->_nfct) && SKB_FIELD(skb, _nfct))
		e->flags |= FG_EVENT_F_CONNTRACK;
	event_device(e, both[0]);
}

/* As a number, so that it can be compared; 0 if there is no Ethernet header. */
static __always_inline __u64 ether_source(const struct sk_buff *skb)
{
	__u16 mac = SKB_FIELD(skb, mac_header);
	__u8 bytes[8] = {};

	if (SKB_FIELD(skb, network_header) < mac + ETH_HLEN ||
	    bpf_probe_read_kernel(bytes, 6, SKB_HEAD(skb) + mac + 6))
		return 0;
	return *(__u64 *)bytes;
}

static __always_inline void track_end(const struct sk_buff *skb)
{
	__u64 key = (__u64)skb;

	bpf_map_delete_elem(&tracked, &key);
}

#endif
