// SPDX-License-Identifier: GPL-2.0-only
/*
 * leave.bpf.c - at an uplink that probes seem to have come from. An object of its own, since few
 * sessions have one and each program costs time to load.
 */
#include "tap.h"

/* A reply that the host itself has made is first seen here. */
static __always_inline struct fg_track *reply_first(const struct sk_buff *skb,
						    const struct fg_config *cfg)
{
	__u64 key = (__u64)skb;
	struct fg_wire_flow answered;
	struct fg_track t = {};

	if (!cfg->active || !follows_replies(cfg) ||
	    !reply_find(&t, &answered,
			BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header),
			cfg->generation, false))
		return NULL;
	t.head = (__u64)SKB_HEAD(skb);
	return track_store(key, &t) ? NULL : bpf_map_lookup_elem(&tracked, &key);
}

/* As fg_queue would report it, which does not see what ends here. */
static __always_inline void leave_report(const struct sk_buff *skb, struct fg_track *t)
{
	struct fg_event_flow now;
	struct fg_event e;
	__u32 hops = flow_read_skb(&now.flow, skb);

	if (!flow_equal(&now.flow, &t->flow)) {
		t->flow = now.flow;
		event_init(&now.event, t, FG_EVENT_FLOW);
		event_fill_skb(&now.event, skb);
		event_send(&now, sizeof(now), false);
	}
	event_init(&e, t, FG_EVENT_QUEUE);
	e.id = hops;
	e.aux = ether_source(skb);
	event_fill_whole(&e, skb);
	event_send(&e, sizeof(e), false);
}

/* An answer to a probe of an earlier window: nobody waits for it, and nobody outside has asked. */
static __always_inline bool reply_is_late(const struct sk_buff *skb)
{
	const struct fg_asked *asked;
	struct fg_wire_flow key;

	flow_answered(&key, BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header));
	asked = bpf_map_lookup_elem(&replies, &key);
	return asked && !asked->translated;
}

/*
 * Behind all others at tcx egress of an uplink that probes seem to have come from: what the node
 * sends back to where they came from, and a probe that it sends on by the same device, must not get
 * to the network, where nobody has sent the packet.
 */
SEC("tc")
int fg_leave(struct __sk_buff *ctx)
{
	const struct fg_config *cfg = config_get();
	const struct sk_buff *skb = (const struct sk_buff *)ctx;
	struct fg_track *t = current_track(skb, cfg);
	const unsigned char *l3;
	struct fg_event_reply *r;

	if (!cfg)
		return TC_ACT_UNSPEC;
	if (!t)
		t = reply_first(skb, cfg);
	if (t)
		leave_report(skb, t);
	if (t && !(t->flags & FG_EVENT_F_REPLY)) {
		place_report(skb, t, FG_EVENT_STOP, 0);
		return TC_ACT_SHOT;
	}
	r = reply_match(skb, cfg, ETH_HLEN);
	if (!r)
		return reply_is_late(skb) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
	l3 = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
	r->captured = reply_load(ctx, r, (__u32)(l3 - BPF_CORE_READ(skb, data)));
	event_send(r, sizeof(*r), true);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
