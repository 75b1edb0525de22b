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

/* --- what is seldom needed: functions of their own, which take addresses (see flow_parse()) --- */

/* Whether the buffer that took the place of a tracked one can still hold the same packet. */
static __always_inline bool same_packet(const struct fg_track *t, const unsigned char *head,
					__u16 network, __u16 inner)
{
	struct fg_wire_flow now;

	flow_read(&now, head + network);
	if (now.ident == t->flow.ident && now.proto == t->flow.proto &&
	    (now.ident || flow_equal(&now, &t->flow)))
		return true;
	if (!inner)
		return false;
	/* Encapsulated in between: what was the packet is now its inner one. */
	flow_read(&now, head + inner);
	return now.ident == t->flow.ident && now.proto == t->flow.proto;
}

/* pod-socket: the packet was written in the pod's namespace, so an observer is the first to see it. */
__noinline int first_sight(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const struct fg_config *cfg = config_get();
	struct sock *sk = BPF_CORE_READ(skb, sk);
	struct fg_track t = {};
	struct fg_event e;

	if (!cfg || !sk || BPF_CORE_READ(sk, __sk_common.skc_cookie.counter) != (long)cfg->socket)
		return 0;
	t.probe = cfg->sending;
	t.generation = cfg->generation;
	t.length = BPF_CORE_READ(skb, len);
	t.head = (__u64)BPF_CORE_READ(skb, head);
	flow_read(&t.flow, (const unsigned char *)t.head + BPF_CORE_READ(skb, network_header));
	if (track_store(address, &t))
		return 0;
	flow_remember(&t, cfg);
	event_init(&e, &t, FG_EVENT_INJECT);
	event_fill_skb(&e, skb);
	event_send(&e, sizeof(e), false);
	return 1;
}

/* Native XDP on a veth puts another sk_buff in the packet's place: know it again by what is in it. */
__noinline int known_again(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const struct net_device *dev = BPF_CORE_READ(skb, dev);
	const struct fg_config *cfg = config_get();
	struct fg_wire_flow flow;
	struct fg_track *old, t;

	if (!cfg || !dev || DEV_IFINDEX(dev) != cfg->reacquire_if ||
	    DEV_NETNS(dev) != cfg->reacquire_ns)
		return 0;
	t.head = (__u64)BPF_CORE_READ(skb, head);
	flow_read(&flow, (const unsigned char *)t.head + BPF_CORE_READ(skb, network_header));
	old = bpf_map_lookup_elem(&flows, &flow);
	if (!old || old->generation != cfg->generation)
		return 0;
	t = *old;
	t.head = (__u64)BPF_CORE_READ(skb, head);
	t.flags |= FG_EVENT_F_AGAIN;
	bpf_map_delete_elem(&flows, &flow);
	return !track_store(address, &t);
}

/* A clone has a struct of its own: it is followed as a branch, known at first by the data buffer it shares. */
__noinline int clone_begin(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const unsigned char *buffer = BPF_CORE_READ(skb, head);
	const struct fg_config *cfg = config_get();
	__u64 key = address, head = (__u64)buffer;
	struct fg_track *origin, t;

	origin = bpf_map_lookup_elem(&heads, &head);
	if (!cfg || !origin || origin->generation != cfg->generation ||
	    !same_packet(origin, buffer, BPF_CORE_READ(skb, network_header),
			 BPF_CORE_READ(skb, inner_network_header)))
		return 0;
	t = *origin;
	t.flags |= FG_EVENT_F_CLONE;
	t.branch = __sync_fetch_and_add(&origin->branches, 1) + 1;
	return !bpf_map_update_elem(&tracked, &key, &t, BPF_ANY);
}

/*
 * What a packet at l3 is of a greater one: fills the key that the whole is known by, and the bytes of the whole's payload in
 * it. Returns enum fg_piece_kind, or -1.
 */
static __always_inline int piece_read(struct fg_wire_flow *key, const unsigned char *l3,
				      __u32 *payload)
{
	__u32 length, header;
	__u8 h[8], offset;

	if (bpf_probe_read_kernel(h, sizeof(h), l3))
		return -1;
	flow_read(key, l3);
	if (key->family == 4 && ((h[6] & 0x3f) | h[7])) {
		key->sport = key->dport = 0;
		*payload = (h[2] << 8 | h[3]) - (h[0] & 15) * 4;
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

/* A piece of a packet that was cut has nothing of it but what stands in its headers. */
__noinline int piece_begin(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const unsigned char *head = BPF_CORE_READ(skb, head);
	const struct fg_config *cfg = config_get();
	const unsigned char *l3 = head + BPF_CORE_READ(skb, network_header);
	struct fg_track *whole, t;
	struct fg_wire_flow key;
	struct fg_event e;
	__u32 payload = 0;
	__u8 src[16];
	int kind = piece_read(&key, l3, &payload);

	if (kind < 0 || !cfg)
		return 0;
	if (kind == FG_PIECE_FRAGMENT) {
		__builtin_memcpy(src, key.src, sizeof(src));
		__builtin_memset(key.src, 0, sizeof(key.src));
	}
	whole = bpf_map_lookup_elem(&wholes, &key);
	if (!whole && kind == FG_PIECE_FRAGMENT) {
		__builtin_memcpy(key.src, src, sizeof(src));
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
	flow_read(&t.flow, l3);
	if (track_store(address, &t))
		return 0;
	event_init(&e, &t, FG_EVENT_PIECE);
	event_fill_skb(&e, skb);
	e.code = kind;
	e.aux = payload;
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
 * A tracked packet has another data buffer than before. Returns 0 where it still is the same packet; else another one took
 * the place in memory, after a free that no tracepoint showed.
 */
__noinline int track_moved(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const unsigned char *buffer = BPF_CORE_READ(skb, head);
	__u64 key = address, head = (__u64)buffer;
	struct fg_track *t = bpf_map_lookup_elem(&tracked, &key);
	struct fg_event e;

	if (!t)
		return -1;
	if (same_packet(t, buffer, BPF_CORE_READ(skb, network_header),
			BPF_CORE_READ(skb, inner_network_header))) {
		t->head = head;
		bpf_map_update_elem(&heads, &head, t, BPF_ANY);
		return 0;
	}
	event_init(&e, t, FG_EVENT_LOST);
	bpf_map_delete_elem(&tracked, &key);
	event_send(&e, sizeof(e), true);
	return -1;
}

/* An answer on its way to the pod. */
__noinline int reply_begin(__u64 address)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const unsigned char *head = BPF_CORE_READ(skb, head), *l3;
	const struct fg_config *cfg = config_get();
	struct fg_track t = { .flags = FG_EVENT_F_REPLY };
	struct fg_wire_flow key;
	struct fg_asked *asked;

	l3 = head + BPF_CORE_READ(skb, network_header);
	flow_answered(&key, l3);
	asked = bpf_map_lookup_elem(&replies, &key);
	if (!cfg || !asked || asked->generation != cfg->generation)
		return 0;
	t.probe = asked->probe;
	t.generation = asked->generation;
	t.head = (__u64)head;
	flow_read(&t.flow, l3);
	return !track_store(address, &t);
}

/* --- what each packet of the machine comes by --- */

static __always_inline struct fg_track *track_get(const struct sk_buff *skb)
{
	__u64 key = (__u64)skb;

	return bpf_map_lookup_elem(&tracked, &key);
}

/*
 * A packet that no table knows by its address may still be one of ours. What is first seen when it is used up is no piece: it
 * may be a copy that the kernel made of one for itself (neigh_probe()), and the piece is yet to come.
 */
static __always_inline struct fg_track *track_recognise(const struct sk_buff *skb,
							const struct fg_config *cfg, bool used_up)
{
	if ((cfg->socket && first_sight(address_of(skb))) ||
	    (cfg->reacquire_if && known_again(address_of(skb))) ||
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
	if ((__u64)SKB_HEAD(skb) != t->head && track_moved(address_of(skb)))
		return NULL;
	return t;
}

/* Says where the addresses changed, in front of the event at which that was seen. Returns the hops left. */
static __always_inline __u32 flow_report(const struct sk_buff *skb, struct fg_track *t)
{
	const struct fg_config *cfg;
	struct fg_event_flow e;
	__u32 hops = flow_read_skb(&e.flow, skb);

	if (flow_equal(&e.flow, &t->flow))
		return hops;
	t->flow = e.flow;
	event_init(&e.event, t, FG_EVENT_FLOW);
	event_fill_skb(&e.event, skb);
	event_send(&e, sizeof(e), false);
	cfg = config_get();
	if (cfg && cfg->pieces)
		whole_renew(address_of(skb));
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
	struct fg_track *t = track_find(skb, false);

	if (t)
		place_report(skb, t, FG_EVENT_QUEUE);
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int fg_receive(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	const struct fg_config *cfg = config_get();
	struct fg_track *t = track_find(skb, false);

	/* Only here, where every packet comes by once for each device, are answers looked for. */
	if (!t && cfg && cfg->active && cfg->replies == FG_REPLIES_FOLLOW &&
	    reply_begin(address_of(skb)))
		t = track_get(skb);
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

	if (!cfg || !cfg->active)
		return 0;
	t = bpf_map_lookup_elem(&tracked, &key);
	if (!t || t->generation != cfg->generation)
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

	t = track_find(skb, false);
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

	t = track_find(skb, true);
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
