// SPDX-License-Identifier: GPL-2.0-only
/*
 * path.bpf.c - observers: the places that a tracked packet passes. They look the packet up by its
 * address and stay silent for all others. BTF-typed tracepoints only: they load on every kernel
 * since 5.17, also where fentry and kprobes are refused.
 */
#define FG_TYPED
#include "track.h"

/* How the kernel declares the tracepoint consume_skb since 6.3, where it tells the place. */
typedef void (*btf_trace_consume_skb___place)(void *, struct sk_buff *, void *);

/* The drop reasons that the judge must distinguish; each kernel has other numbers. */
enum skb_drop_reason___judge {
	SKB_CONSUMED___judge,
	SKB_DROP_REASON_NOT_SPECIFIED___judge,
	SKB_DROP_REASON_TC_EGRESS___judge,
	SKB_DROP_REASON_TC_INGRESS___judge,
	SKB_DROP_REASON_XDP___judge,
};

/* The running kernel's number; 0: it does not have the reason. */
#define REASON_CODE(name)                                                                          \
	(bpf_core_enum_value_exists(enum skb_drop_reason___judge, name)                            \
		 ? (__u32)bpf_core_enum_value(enum skb_drop_reason___judge, name)                  \
		 : 0)

/* --- what is seldom needed: functions of their own, which take addresses (see flow_parse()) --- */

/*
 * Whether the buffer of the sk_buff at address, which is not the one that t was seen in, can still
 * hold the same packet. t is in a map, and not on the stack: see flow_transport().
 */
__noinline int same_packet(struct fg_track *t, __u64 address)
{
	const struct sk_buff *skb = (const struct sk_buff *)address;
	const unsigned char *head = BPF_CORE_READ(skb, head);
	__u16 inner = BPF_CORE_READ(skb, inner_network_header);
	struct fg_wire_flow now;

	if (!t)
		return 0;
	flow_read(&now, head + BPF_CORE_READ(skb, network_header));
	if (now.ident == t->flow.ident && now.proto == t->flow.proto &&
	    (now.ident || flow_equal(&now, &t->flow)))
		return 1;
	if (!inner)
		return 0;
	/* Encapsulated in between: what was the packet is now its inner one. */
	flow_read(&now, head + inner);
	return now.ident == t->flow.ident && now.proto == t->flow.proto;
}

/*
 * pod-socket: the packet was written in the pod's namespace, so an observer is the first to see it.
 */
__noinline int first_sight(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const struct fg_config *cfg = config_get();
	struct sock *sk = BPF_CORE_READ(skb, sk);
	struct fg_track t = {};
	struct fg_event_flow e;
	__u64 l3;

	/* What has no device is on no path: another buffer of that socket. */
	if (!cfg || !sk || !BPF_CORE_READ(skb, dev) ||
	    BPF_CORE_READ(sk, __sk_common.skc_cookie.counter) != (long)cfg->socket)
		return 0;
	t.probe = cfg->sending;
	t.generation = cfg->generation;
	t.length = BPF_CORE_READ(skb, len);
	t.head = (__u64)BPF_CORE_READ(skb, head);
	l3 = t.head + BPF_CORE_READ(skb, network_header);
	flow_read(&t.flow, (const unsigned char *)l3);
	if (flow_is_fragment(l3))
		t.flags |= FG_TRACK_FRAGMENT;
	if (track_store(address, &t))
		return 0;
	flow_remember(&t, cfg, l3);
	event_init(&e.event, &t, FG_EVENT_INJECT);
	event_fill_address(&e.event, address);
	event_send(&e.event, sizeof(e.event), false);
	/* A program of the pod's own may have rewritten it before anyone looked. */
	if (cfg->written.family && !flow_equal(&cfg->written, &t.flow)) {
		e.event.kind = FG_EVENT_FLOW;
		e.flow = t.flow;
		event_send(&e, sizeof(e), false);
	}
	return 1;
}

/*
 * Native XDP on a veth puts another sk_buff in the packet's place: know it again by what is in it.
 */
__noinline int known_again(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const struct net_device *dev = BPF_CORE_READ(skb, dev);
	const struct fg_config *cfg = config_get();
	struct fg_at_device at = {};
	struct fg_wire_flow flow;
	struct fg_track *old, t;

	if (!cfg || !dev)
		return 0;
	at.ifindex = DEV_IFINDEX(dev);
	at.netns = DEV_NETNS(dev);
	if (!bpf_map_lookup_elem(&again, &at))
		return 0;
	t.head = (__u64)BPF_CORE_READ(skb, head);
	flow_read(&flow, (const unsigned char *)t.head + BPF_CORE_READ(skb, network_header));
	old = bpf_map_lookup_elem(&flows, &flow);
	/* Once at a device; further on there may be another. */
	if (!old || old->generation != cfg->generation ||
	    (old->again_if == at.ifindex && old->again_ns == at.netns))
		return 0;
	old->again_if = at.ifindex;
	old->again_ns = at.netns;
	t = *old;
	t.head = (__u64)BPF_CORE_READ(skb, head);
	t.flags |= FG_EVENT_F_AGAIN;
	return !track_store(address, &t);
}

/* The packet whose sk_buff another one was given (track_join()). */
__noinline int handed_begin(__u64 address, __u64 head)
{
	struct fg_track *origin = bpf_map_lookup_elem(&heads, &head), t;

	if (!origin)
		return 0;
	origin->flags &= ~FG_TRACK_HANDED;
	t = *origin;
	return !bpf_map_update_elem(&tracked, &address, &t, BPF_ANY);
}

/*
 * A clone has a struct of its own: it is followed as a branch, known at first by the data buffer it
 * shares.
 */
__noinline int clone_begin(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const struct fg_config *cfg = config_get();
	__u64 key = address, head = (__u64)BPF_CORE_READ(skb, head);
	struct fg_track *origin, t;

	origin = bpf_map_lookup_elem(&heads, &head);
	if (!cfg || !origin || origin->generation != cfg->generation)
		return 0;
	if (origin->flags & FG_TRACK_HANDED)
		return handed_begin(address, head);
	if (!same_packet(origin, address))
		return 0;
	t = *origin;
	t.flags |= FG_EVENT_F_CLONE;
	t.branch = __sync_fetch_and_add(&origin->branches, 1) + 1;
	return !bpf_map_update_elem(&tracked, &key, &t, BPF_ANY);
}

/*
 * What a packet at l3 is of a greater one: makes its flow the key that the whole is known by, and
 * fills the bytes of the whole's payload in it, and where they begin if it is a fragment. Returns
 * enum fg_piece_kind, or -1.
 */
static __always_inline int piece_read(struct fg_wire_flow *key, const unsigned char *l3,
				      __u32 *payload, __u32 *begin)
{
	__u32 length, header;
	__u8 h[8], offset;

	if (bpf_probe_read_kernel(h, sizeof(h), l3))
		return -1;
	if (key->family == 4 && ((h[6] & 0x3f) | h[7])) {
		key->sport = key->dport = 0;
		*payload = (h[2] << 8 | h[3]) - (h[0] & 15) * 4;
		*begin = ((h[6] & 0x1f) << 8 | h[7]) * 8;
		return FG_PIECE_FRAGMENT;
	}
	header = key->family == 4 ? (h[0] & 15) * 4 : 40;
	length = key->family == 4 ? h[2] << 8 | h[3] : (h[4] << 8 | h[5]) + 40;
	if (key->proto == FG_IPPROTO_TCP) {
		if (bpf_probe_read_kernel(&offset, 1, l3 + header + 12))
			return -1;
		header += (offset >> 4) * 4;
	} else if (key->proto == FG_IPPROTO_UDP) {
		header += 8;
	} else {
		return -1;
	}
	key->ident = 0;
	*payload = length - header;
	return FG_PIECE_SEGMENT;
}

/* A piece of a packet that was cut shares nothing with it but its headers. */
__noinline int piece_begin(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const unsigned char *head = BPF_CORE_READ(skb, head);
	const struct fg_config *cfg = config_get();
	const unsigned char *l3 = head + BPF_CORE_READ(skb, network_header);
	struct fg_track *whole, t;
	struct fg_wire_flow flow, key;
	struct fg_event e;
	__u32 payload = 0, begin = 0;
	int kind;

	flow_read(&flow, l3);
	key = flow;
	kind = piece_read(&key, l3, &payload, &begin);
	if (kind < 0 || !cfg)
		return 0;
	if (kind == FG_PIECE_FRAGMENT)
		__builtin_memset(key.src, 0, sizeof(key.src));
	whole = bpf_map_lookup_elem(&wholes, &key);
	if (!whole && kind == FG_PIECE_FRAGMENT) {
		__builtin_memcpy(key.src, flow.src, sizeof(key.src));
		__builtin_memset(key.dst, 0, sizeof(key.dst));
		whole = bpf_map_lookup_elem(&wholes, &key);
	}
	if (!whole || whole->generation != cfg->generation || payload + ETH_HLEN >= whole->length)
		return 0;
	t = *whole;
	t.flags |= FG_EVENT_F_PIECE;
	t.branch = __sync_fetch_and_add(&whole->branches, 1) + 1;
	t.branches = 0;
	t.head = (__u64)head;
	t.flow = flow;
	if (track_store(address, &t))
		return 0;
	event_init(&e, &t, FG_EVENT_PIECE);
	event_fill_address(&e, address);
	e.code = kind;
	e.aux = payload;
	e.id = begin;
	event_send(&e, sizeof(e), false);
	return 1;
}

/* The addresses changed (translation): its pieces will have the new ones. */
__noinline int whole_renew(__u64 address)
{
	struct fg_track *t = bpf_map_lookup_elem(&tracked, &address);
	const struct fg_config *cfg = config_get();

	if (t && cfg && !t->flags)
		whole_remember(t, cfg->pieces);
	return 0;
}

/*
 * A tracked packet has another data buffer than before. Returns 0 where it still is the same
 * packet; else another one took the place in memory, after a free that no tracepoint showed.
 */
__noinline int track_moved(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	__u64 key = address, head = (__u64)BPF_CORE_READ(skb, head);
	struct fg_track *t = bpf_map_lookup_elem(&tracked, &key);
	struct fg_event e;

	if (!t)
		return -1;
	if (same_packet(t, address)) {
		t->head = head;
		bpf_map_update_elem(&heads, &head, t, BPF_ANY);
		return 0;
	}
	event_init(&e, t, FG_EVENT_LOST);
	bpf_map_delete_elem(&tracked, &key);
	event_send(&e, sizeof(e), true);
	return -1;
}

/* See reply_told(). */
__noinline int reply_tell(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const struct fg_track *t = bpf_map_lookup_elem(&tracked, &address);
	__u64 l3 = (__u64)BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
	__u32 length = BPF_CORE_READ(skb, len) - (__u32)(l3 - (__u64)BPF_CORE_READ(skb, data));
	struct fg_event_reply *r;

	if (!t)
		return 0;
	r = reply_told(t, l3, length, BPF_CORE_READ(skb, data_len));
	if (!r)
		return 0;
	event_fill_address(&r->event, address);
	r->event.length = length;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/* A reply in flight to the pod; received: seen where a device received it. */
__noinline int reply_begin(__u64 address, __u32 received)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const unsigned char *head = BPF_CORE_READ(skb, head);
	const struct fg_config *cfg = config_get();
	struct fg_track t = {};
	struct fg_event_flow e; /* its flow is at first the one that was looked for */
	struct fg_asked *asked;
	__u16 ident;
	bool direct;

	if (!cfg)
		return 0;
	asked = reply_find(&t, &e.flow, head + BPF_CORE_READ(skb, network_header), cfg->generation,
			   received);
	t.head = (__u64)head;
	if (!asked || track_store(address, &t))
		return 0;
	reply_tell(address);
	/* Not what the probe itself would be answered with: an ICMP error, or not translated back
	 * yet. */
	ident = t.flow.ident;
	t.flow.ident = e.flow.ident;
	direct = flow_equal(&t.flow, &e.flow);
	t.flow.ident = ident;
	if (!asked->translated && direct)
		return 1;
	e.flow = t.flow;
	event_init(&e.event, &t, FG_EVENT_FLOW);
	event_fill_address(&e.event, address);
	event_send(&e, sizeof(e), false);
	return 1;
}

/* Replies to a packet that was translated go to where it seems to come from. */
__noinline int reply_renew(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	struct fg_track *t = bpf_map_lookup_elem(&tracked, &address);
	struct fg_wire_flow key;
	struct fg_asked *asked;
	__u64 l3;

	if (!t || (t->flags & ~(FG_TRACK_FRAGMENT | FG_EVENT_F_WHOLE)) || !t->flow.family)
		return 0;
	l3 = (__u64)BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
	flow_answer(&t->flow, &key);
	key.ident = (__u16)flow_sequence(l3);
	asked = bpf_map_lookup_elem(&replies, &key);
	if (!asked || asked->generation != t->generation)
		reply_expect(t, l3, 1);
	return 0;
}

/* Freed before it had a device: the one that it was to leave by says in which namespace. */
__noinline int place_by_route(struct fg_event *e, __u64 address)
{
	const struct sk_buff *skb = (const struct sk_buff *)address;
	const struct dst_entry *dst;
	__u64 number;

	if (!e)
		return 0;
	number = BPF_CORE_READ(skb, _skb_refdst) & ~1UL;
	dst = (const struct dst_entry *)number;
	if (dst)
		e->netns = BPF_CORE_READ(dst, dev, nd_net.net, ns.inum);
	return 0;
}

/* --- what every packet of the machine passes --- */

static __always_inline struct fg_track *track_get(const struct sk_buff *skb)
{
	__u64 key = (__u64)skb;

	return bpf_map_lookup_elem(&tracked, &key);
}

/*
 * A packet that no table knows by its address may still be one of ours. What is first seen when it
 * is used up is not a piece: it may be a copy that the kernel made of one for itself
 * (neigh_probe()), and the piece is yet to come.
 */
static __always_inline struct fg_track *track_recognise(const struct sk_buff *skb,
							const struct fg_config *cfg, bool used_up)
{
	if ((cfg->socket && first_sight(address_of(skb))) ||
	    (cfg->reacquire_count && known_again(address_of(skb))) ||
	    (BPF_CORE_READ_BITFIELD(skb, cloned) && clone_begin(address_of(skb))) ||
	    (!used_up && cfg->pieces && piece_begin(address_of(skb))))
		return track_get(skb);
	return NULL;
}

static __always_inline struct fg_track *track_find(const struct sk_buff *skb, bool used_up)
{
	const struct fg_config *cfg = config_get();
	struct fg_track *t;

	if (!cfg || !cfg->active)
		return NULL;
	t = track_get(skb);
	if (!t)
		return track_recognise(skb, cfg, used_up);
	if (t->generation != cfg->generation) {
		track_end(skb);
		return NULL;
	}
	if (t->flags & FG_TRACK_FRAGMENT) {
		fragment_look(address_of(skb));
		t = track_get(skb);
		if (!t)
			return NULL;
	}
	if ((__u64)SKB_HEAD(skb) != t->head && track_moved(address_of(skb)))
		return NULL;
	return t;
}

/*
 * Says where the addresses changed, in front of the event at which that was seen. Returns the hops
 * left.
 */
static __always_inline __u32 flow_report(const struct sk_buff *skb, struct fg_track *t)
{
	const struct fg_config *cfg;
	struct fg_event_flow e;
	__u32 hops = flow_read_track(&e.flow, skb, t);

	if (flow_equal(&e.flow, &t->flow))
		return hops;
	t->flow = e.flow;
	event_init(&e.event, t, FG_EVENT_FLOW);
	event_fill_skb(&e.event, skb);
	event_send(&e, sizeof(e), false);
	if (t->flags & FG_TRACK_FRAGMENT)
		bpf_map_update_elem(&heads, &t->head, t, BPF_EXIST);
	cfg = config_get();
	if (cfg && cfg->pieces)
		whole_renew(address_of(skb));
	if (cfg && follows_replies(cfg))
		reply_renew(address_of(skb));
	return hops;
}

/*
 * The common part of the two places where a packet is seen whole. A function of its own, so that
 * its stack is not that of the other ways through these programs: see event_device().
 */
static __noinline void place_report(const struct sk_buff *skb, struct fg_track *t, __u16 kind)
{
	__u32 hops = flow_report(skb, t);
	struct fg_event e;

	event_init(&e, t, kind);
	e.id = hops;
	e.aux = ether_source(skb);
	event_fill_whole(&e, skb);
	event_send(&e, sizeof(e), false);
}

/* One that nobody knows may be a reply, where these are followed. */
static __always_inline struct fg_track *track_find_any(const struct sk_buff *skb, __u32 received)
{
	const struct fg_config *cfg = config_get();
	struct fg_track *t = track_find(skb, false);

	if (!t && cfg && cfg->active && follows_replies(cfg) &&
	    reply_begin(address_of(skb), received))
		t = track_get(skb);
	return t;
}

SEC("tp_btf/net_dev_queue")
int fg_queue(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	struct fg_track *t = track_find_any(skb, 0);

	if (t)
		place_report(skb, t, FG_EVENT_QUEUE);
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int fg_receive(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	struct fg_track *t = track_find_any(skb, 1);

	if (t)
		place_report(skb, t, FG_EVENT_RECEIVE);
	return 0;
}

/*
 * The driver may have freed the packet by now: nothing of it is read, only its address looked up.
 */
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

	if (!cfg || !cfg->active)
		return 0;
	t = bpf_map_lookup_elem(&tracked, &key);
	if (!t || t->generation != cfg->generation)
		return 0;
	event_init(&e, t, FG_EVENT_XMIT);
	e.code = rc;
	e.ifindex = dev->ifindex;
	e.netns = DEV_NETNS(dev);
	event_send(&e, sizeof(e), true);
	return 0;
}

/* A function of its own for the same reason as place_report(). */
static __noinline void free_report(const struct sk_buff *skb, struct fg_track *t, __s32 reason,
				   __u64 location)
{
	struct fg_wire_flow flow;
	struct fg_event e;

	event_init(&e, t, FG_EVENT_FREE);
	e.code = reason;
	e.aux = location;
	e.id = flow_read_track(&flow, skb, t);
	event_fill_whole(&e, skb);
	if (fg_follows && !e.netns && (t->flags & FG_EVENT_F_REPLY))
		place_by_route(&e, address_of(skb));
	track_end(skb);
	event_send(&e, sizeof(e), true);
}

SEC("tp_btf/kfree_skb")
int fg_free(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	/* A reply that was dropped before it was sent is first seen here. */
	struct fg_track *t = track_find_any(skb, 0);

	if (t)
		free_report(skb, t, (__s32)ctx[2], ctx[1]);
	return 0;
}

SEC("tp_btf/consume_skb")
int fg_consume(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	struct fg_event e;
	struct fg_track *t;

	t = track_find(skb, true);
	if (!t)
		return 0;
	event_init(&e, t, FG_EVENT_CONSUME);
	/* A tracepoint's missing argument may not be read: the verifier must not see that it is. */
	if (bpf_core_type_exists(btf_trace_consume_skb___place))
		e.aux = ctx[1];
	event_fill_skb(&e, skb);
	track_end(skb);
	event_send(&e, sizeof(e), true);
	return 0;
}

/*
 * Where this kernel keeps the fields that the CO-RE-free programs need, and its numbers of drop
 * reasons. Run once, by BPF_PROG_TEST_RUN.
 */
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
	cfg->offset_skb_data = bpf_core_field_offset(struct sk_buff, data);
	cfg->offset_skb_len = bpf_core_field_offset(struct sk_buff, len);
	cfg->offset_skb_data_len = bpf_core_field_offset(struct sk_buff, data_len);
	cfg->offset_xdp_data = bpf_core_field_offset(struct xdp_buff, data);
	cfg->code_consumed = REASON_CODE(SKB_CONSUMED___judge);
	cfg->code_not_specified = REASON_CODE(SKB_DROP_REASON_NOT_SPECIFIED___judge);
	cfg->code_tc_egress = REASON_CODE(SKB_DROP_REASON_TC_EGRESS___judge);
	cfg->code_tc_ingress = REASON_CODE(SKB_DROP_REASON_TC_INGRESS___judge);
	cfg->code_xdp = REASON_CODE(SKB_DROP_REASON_XDP___judge);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
