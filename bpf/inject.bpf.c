// SPDX-License-Identifier: GPL-2.0-only
/*
 * inject.bpf.c - on flowgen's own pair of devices: reads the envelope, gives the frame the pod's
 * addresses, remembers the packet, and redirects it to where the pod's own packets enter their
 * egress path.
 *
 * On a netkit pair it is a NETKIT_PEER program, on a veth pair a tc/tcx ingress program of the
 * host-side device. In both skb->dev is the host-side device, so ifindexes are those of the
 * primary's namespace.
 */
#include "track.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct fg_slot_target);
} targets SEC(".maps");

static __always_inline const struct fg_slot_target *envelope_open(const struct fg_envelope *e)
{
	const struct fg_config *cfg = config_get();
	const struct fg_slot_target *target;
	__u32 slot = bpf_ntohs(e->slot);

	if (!cfg || e->magic[0] != FG_ENVELOPE_MAGIC0 || e->magic[1] != FG_ENVELOPE_MAGIC1 ||
	    e->cookie != cfg->cookie)
		return NULL;
	target = bpf_map_lookup_elem(&targets, &slot);
	return target && target->method != FG_WIRE_NONE ? target : NULL;
}

/*
 * What the pod's own sockets leave on their packets, and a packet socket does not: a hash of the
 * flow (skb_set_hash_from_sk; in ICMPv6 from the flow label), and in TCP the time of departure
 * (tcp_update_skb_after_send). Policy programs can read both; doc/fidelity.md compares.
 */
static __always_inline void resemble(struct __sk_buff *ctx, __u8 proto)
{
	if (proto == FG_IPPROTO_TCP || proto == FG_IPPROTO_UDP || proto == FG_IPPROTO_ICMPV6)
		bpf_set_hash(ctx, bpf_get_prandom_u32() | 1);
	/* Kernels before 5.18 do not have this time, and refuse. */
	if (proto == FG_IPPROTO_TCP)
		bpf_skb_set_tstamp(ctx, bpf_ktime_get_ns(), BPF_SKB_TSTAMP_DELIVERY_MONO);
}

/* The packet is on the pod's egress path from here on, and so it is reported; but not a bounced
 * one, which is not there yet. */
static __always_inline int packet_follow(struct __sk_buff *ctx, __u32 probe,
					 const struct fg_config *cfg,
					 const struct fg_slot_target *target)
{
	bool reported = target->method != FG_WIRE_BOUNCE && !(target->flags & FG_TARGET_REPORTED);
	struct sk_buff *skb = (struct sk_buff *)ctx;
	struct fg_track t = { .probe = probe, .generation = cfg->generation, .length = ctx->len };
	struct fg_event e;
	__u64 l3;

	t.head = (__u64)SKB_HEAD(skb);
	l3 = t.head + BPF_CORE_READ(skb, mac_header) + ETH_HLEN;
	flow_read(&t.flow, (const unsigned char *)l3);
	if (flow_is_fragment(l3))
		t.flags |= FG_TRACK_FRAGMENT;
	if (track_store((__u64)skb, &t))
		return -1;
	if (!(target->flags & FG_TARGET_OUTSIDE))
		resemble(ctx, t.flow.proto);
	flow_remember(&t, cfg, l3);
	if (!reported)
		return 0;
	event_init(&e, &t, FG_EVENT_INJECT);
	event_fill_skb(&e, skb);
	event_send(&e, sizeof(e), false);
	return 0;
}

SEC("tc")
int fg_inject(struct __sk_buff *ctx)
{
	struct fg_counters *count = counters_get();
	const struct fg_config *cfg = config_get();
	const struct fg_slot_target *target;
	struct fg_envelope e;

	if (!count || !cfg)
		return TC_ACT_SHOT;
	if (bpf_skb_load_bytes(ctx, 0, &e, sizeof(e)) || !(target = envelope_open(&e))) {
		__sync_fetch_and_add(&count->bad_envelope, 1);
		return TC_ACT_SHOT;
	}
	if (bpf_skb_store_bytes(ctx, 0, target->dmac, 12, 0))
		return TC_ACT_SHOT;
	if (bpf_ntohl(e.probe) != FG_PROBE_SILENT &&
	    packet_follow(ctx, bpf_ntohl(e.probe), cfg, target)) {
		__sync_fetch_and_add(&count->untracked, 1);
		return TC_ACT_SHOT;
	}
	__sync_fetch_and_add(&count->injected, 1);
	if (target->method == FG_WIRE_PEER_EGRESS)
		return bpf_redirect_peer(target->ifindex, BPF_F_EGRESS);
	if (target->method == FG_WIRE_BOUNCE) {
		ctx->mark = cfg->mark;
		return bpf_redirect_peer(target->ifindex, 0);
	}
	return bpf_redirect(target->ifindex, BPF_F_INGRESS);
}

char LICENSE[] SEC("license") = "GPL";
