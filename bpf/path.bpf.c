// SPDX-License-Identifier: GPL-2.0-only
/*
 * path.bpf.c - observers: where a tracked packet comes by. They look the packet up by its address and stay
 * silent for all others. BTF-typed tracepoints only: they load on every kernel since 5.17, also where fentry
 * and kprobes are refused.
 */
#define FG_TYPED
#include "track.h"

/* Whether this kernel's consume_skb tells where (since 6.3): a tracepoint's missing argument may not be read. */
const volatile bool fg_consume_location = false;

/* pod-socket: the packet was written in the pod's namespace, so an observer is the first to see it. */
static __always_inline int first_sight(struct sk_buff *skb, const struct fg_config *cfg)
{
	struct sock *sk = SKB_FIELD(skb, sk);
	struct fg_track t = { .probe = cfg->sending, .generation = cfg->generation };
	struct fg_event e;

	if (!sk || sk->__sk_common.skc_cookie.counter != (long)cfg->socket)
		return -1;
	flow_read(&t.flow, SKB_HEAD(skb) + SKB_FIELD(skb, network_header));
	if (track_begin(skb, &t))
		return -1;
	flow_remember(&t, cfg);
	event_init(&e, &t, FG_EVENT_INJECT);
	event_fill_skb(&e, skb);
	event_send(&e, sizeof(e), false);
	return 0;
}

/* Native XDP on a veth puts another sk_buff in the packet's place: know it again by what is in it. */
static __always_inline int known_again(struct sk_buff *skb, const struct fg_config *cfg)
{
	const struct net_device *dev = SKB_DEV(skb);
	struct fg_wire_flow flow;
	struct fg_track *old, t;

	if (!dev || DEV_IFINDEX(dev) != cfg->reacquire_if || DEV_NETNS(dev) != cfg->reacquire_ns)
		return -1;
	flow_read_skb(&flow, skb);
	old = bpf_map_lookup_elem(&flows, &flow);
	if (!old || old->generation != cfg->generation)
		return -1;
	t = *old;
	t.flags |= FG_EVENT_F_AGAIN;
	bpf_map_delete_elem(&flows, &flow);
	return track_begin(skb, &t);
}

/* A clone has a struct of its own: it is followed as a branch, known at first by the data buffer it shares. */
static __always_inline struct fg_track *clone_begin(struct sk_buff *skb,
						    const struct fg_config *cfg)
{
	__u64 key = (__u64)skb, head;
	struct fg_track *origin, t;

	if (!BPF_CORE_READ_BITFIELD(skb, cloned))
		return NULL;
	head = (__u64)SKB_HEAD(skb);
	origin = bpf_map_lookup_elem(&heads, &head);
	if (!origin || origin->generation != cfg->generation || !same_packet(origin, skb))
		return NULL;
	t = *origin;
	t.flags |= FG_EVENT_F_CLONE;
	t.branch = __sync_fetch_and_add(&origin->branches, 1) + 1;
	if (bpf_map_update_elem(&tracked, &key, &t, BPF_ANY))
		return NULL;
	return bpf_map_lookup_elem(&tracked, &key);
}

/* An answer on its way to the pod. */
static __always_inline struct fg_track *reply_begin(struct sk_buff *skb,
						    const struct fg_config *cfg)
{
	const unsigned char *l3 = SKB_HEAD(skb) + SKB_FIELD(skb, network_header);
	struct fg_wire_flow key;
	struct fg_asked *asked;
	struct fg_track t = { .flags = FG_EVENT_F_REPLY };
	__u64 address = (__u64)skb;

	flow_answered(&key, l3);
	asked = bpf_map_lookup_elem(&replies, &key);
	if (!asked || asked->generation != cfg->generation)
		return NULL;
	t.probe = asked->probe;
	t.generation = asked->generation;
	flow_read(&t.flow, l3);
	if (track_begin(skb, &t))
		return NULL;
	return bpf_map_lookup_elem(&tracked, &address);
}

/* A packet that no table knows by its address may still be one of ours. */
static __always_inline struct fg_track *track_recognise(struct sk_buff *skb,
							const struct fg_config *cfg)
{
	__u64 key = (__u64)skb;

	if (cfg->socket && !first_sight(skb, cfg))
		return bpf_map_lookup_elem(&tracked, &key);
	if (cfg->reacquire_if && !known_again(skb, cfg))
		return bpf_map_lookup_elem(&tracked, &key);
	return clone_begin(skb, cfg);
}

/* Another packet took the place in memory, after a free that no tracepoint showed. */
static __always_inline void track_lose(const struct fg_track *t, __u64 key)
{
	struct fg_event e;

	event_init(&e, t, FG_EVENT_LOST);
	bpf_map_delete_elem(&tracked, &key);
	event_send(&e, sizeof(e), true);
}

static __always_inline struct fg_track *track_find(struct sk_buff *skb)
{
	const struct fg_config *cfg = config_get();
	__u64 key = (__u64)skb, head;
	struct fg_track *t;

	if (!cfg)
		return NULL;
	t = bpf_map_lookup_elem(&tracked, &key);
	if (!t)
		return track_recognise(skb, cfg);
	if (t->generation != cfg->generation) {
		bpf_map_delete_elem(&tracked, &key);
		return NULL;
	}
	head = (__u64)SKB_HEAD(skb);
	if (head == t->head)
		return t;
	if (!same_packet(t, skb)) {
		track_lose(t, key);
		return NULL;
	}
	t->head = head;
	bpf_map_update_elem(&heads, &head, t, BPF_ANY);
	return t;
}

/* Says where the addresses changed, in front of the event at which that was seen. Returns the hops left. */
static __always_inline __u32 flow_report(const struct sk_buff *skb, struct fg_track *t)
{
	struct fg_event_flow e;
	__u32 hops = flow_read_skb(&e.flow, skb);

	if (flow_equal(&e.flow, &t->flow))
		return hops;
	t->flow = e.flow;
	event_init(&e.event, t, FG_EVENT_FLOW);
	event_fill_skb(&e.event, skb);
	event_send(&e, sizeof(e), false);
	return hops;
}

/* Set by bpf_redirect() to an egress since Linux 6.3, and by tc's mirred; kept by what comes later, on other devices too. */
static __always_inline __u8 moved_flag(const struct sk_buff *skb)
{
	if (!bpf_core_field_exists(skb->redirected))
		return 0;
	return BPF_CORE_READ_BITFIELD(skb, redirected) ? FG_EVENT_F_MOVED : 0;
}

/* As a number, so that it can be compared; 0 where there is no Ethernet header. */
static __always_inline __u64 ether_source(const struct sk_buff *skb)
{
	__u16 mac = SKB_FIELD(skb, mac_header);
	__u8 bytes[8] = {};

	if (SKB_FIELD(skb, network_header) < mac + ETH_HLEN ||
	    bpf_probe_read_kernel(bytes, 6, SKB_HEAD(skb) + mac + 6))
		return 0;
	return *(__u64 *)bytes;
}

/* The common part of the two places where a packet is seen whole. */
static __always_inline void place_report(const struct sk_buff *skb, struct fg_track *t, __u16 kind)
{
	__u32 hops = flow_report(skb, t);
	struct fg_event e;

	event_init(&e, t, kind);
	e.id = hops;
	e.aux = ether_source(skb);
	e.flags |= moved_flag(skb);
	event_fill_skb(&e, skb);
	event_send(&e, sizeof(e), false);
}

SEC("tp_btf/net_dev_queue")
int fg_queue(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	struct fg_track *t = track_find(skb);

	if (t)
		place_report(skb, t, FG_EVENT_QUEUE);
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int fg_receive(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	const struct fg_config *cfg = config_get();
	struct fg_track *t = track_find(skb);

	/* Only here, where every packet comes by once for each device, are answers looked for. */
	if (!t && cfg && cfg->replies == FG_REPLIES_FOLLOW)
		t = reply_begin(skb, cfg);
	if (t)
		place_report(skb, t, FG_EVENT_RECEIVE);
	return 0;
}

/* The driver may have freed the packet by now: nothing of it is read, only its address looked up. */
SEC("tp_btf/net_dev_xmit")
int fg_xmit(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	int rc = (int)ctx[1];
	struct net_device *dev = (struct net_device *)ctx[2];
	const struct fg_config *cfg = config_get();
	__u64 key = (__u64)skb;
	struct fg_event e;
	struct fg_track *t;

	t = bpf_map_lookup_elem(&tracked, &key);
	if (!t || !cfg || t->generation != cfg->generation)
		return 0;
	event_init(&e, t, FG_EVENT_XMIT);
	e.code = rc;
	e.ifindex = DEV_IFINDEX(dev);
	e.netns = DEV_NETNS(dev);
	event_send(&e, sizeof(e), true);
	return 0;
}

SEC("tp_btf/kfree_skb")
int fg_free(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	struct fg_wire_flow flow;
	struct fg_event e;
	struct fg_track *t;

	t = track_find(skb);
	if (!t)
		return 0;
	event_init(&e, t, FG_EVENT_FREE);
	e.code = (__s32)ctx[2];
	e.aux = ctx[1];
	e.id = flow_read_skb(&flow, skb);
	e.flags |= moved_flag(skb);
	event_fill_skb(&e, skb);
	track_end(skb);
	event_send(&e, sizeof(e), true);
	return 0;
}

SEC("tp_btf/consume_skb")
int fg_consume(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	struct fg_event e;
	struct fg_track *t;

	t = track_find(skb);
	if (!t)
		return 0;
	event_init(&e, t, FG_EVENT_CONSUME);
	if (fg_consume_location)
		e.aux = ctx[1];
	event_fill_skb(&e, skb);
	track_end(skb);
	event_send(&e, sizeof(e), true);
	return 0;
}

/* Where this kernel keeps the fields that the CO-RE-free programs need. Run once, by BPF_PROG_TEST_RUN. */
SEC("syscall")
int fg_layout(void *ctx)
{
	struct fg_config *cfg = config_get();

	(void)ctx;
	if (!cfg)
		return 1;
	cfg->offset_skb_dev = bpf_core_field_offset(struct sk_buff, dev);
	cfg->offset_dev_ifindex = bpf_core_field_offset(struct net_device, ifindex);
	cfg->offset_dev_net = bpf_core_field_offset(struct net_device, nd_net.net);
	cfg->offset_net_inum = bpf_core_field_offset(struct net, ns.inum);
	cfg->offset_skb_sk = bpf_core_field_offset(struct sk_buff, sk);
	cfg->offset_sock_cookie = bpf_core_field_offset(struct sock, __sk_common.skc_cookie);
	cfg->offset_skb_head = bpf_core_field_offset(struct sk_buff, head);
	cfg->offset_skb_network = bpf_core_field_offset(struct sk_buff, network_header);
	cfg->offset_xdp_data = bpf_core_field_offset(struct xdp_buff, data);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
