// SPDX-License-Identifier: GPL-2.0-only
/*
 * arrive.bpf.c - packets that another node sends: an observer like those of path.bpf.c, and right
 * behind fg_receive at the same tracepoint. An object of its own, since few sessions await packets
 * and each program costs time to load.
 */
#define FG_TYPED
#include "track.h"

/* By the flow of a packet, changed as struct fg_awaited has it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FG_AWAITED_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct fg_wire_flow);
	__type(value, struct fg_awaited);
} awaited SEC(".maps");

/*
 * Whether the packet at l3 with that flow is the one that is awaited: one of somebody else's to the
 * same port may have its identification by chance. Translation may change the source port, but not
 * a sequence number.
 */
static __always_inline bool is_awaited(const struct fg_awaited *a, const struct fg_wire_flow *now,
				       const unsigned char *l3)
{
	__u32 length;
	__u8 h[10];

	if (bpf_probe_read_kernel(h, sizeof(h), l3))
		return false;
	/* Not that of the sk_buff, which may still have the padding of a short frame. */
	length = now->family == 4 ? h[2] << 8 | h[3] : (h[4] << 8 | h[5]) + 40;
	if (length != a->length)
		return false;
	if (now->proto == FG_IPPROTO_ICMP || now->proto == FG_IPPROTO_ICMPV6)
		return now->sport == a->flow.sport &&
		       (__u32)flow_sequence((__u64)l3) == a->sequence;
	return now->sport == a->flow.sport || (now->proto == FG_IPPROTO_TCP && a->sequence);
}

/* The key of the table. The sequence number is where lib/session/await.c looks for it, too. */
static __always_inline void awaited_key(struct fg_wire_flow *key, const unsigned char *l3)
{
	__u32 header;
	__u8 h[10];

	__builtin_memset(key->src, 0, sizeof(key->src));
	if (key->proto != FG_IPPROTO_TCP)
		return;
	key->sport = 0;
	if (bpf_probe_read_kernel(h, sizeof(h), l3))
		return;
	header = key->family == 4 ? (h[0] & 15) * 4 : 40;
	if ((key->family == 4 ? h[9] : h[6]) == FG_IPPROTO_TCP)
		bpf_probe_read_kernel(key->src, 4, l3 + header + 4);
}

/*
 * A packet that another node sent: it counts as injected at the device where it is first seen. The
 * network header is not set yet where a driver hands it over; its data begin there.
 */
static __always_inline void first_arrival(__u64 address, const struct fg_config *cfg)
{
	struct sk_buff *skb = (struct sk_buff *)address;
	const struct net_device *dev = BPF_CORE_READ(skb, dev);
	const unsigned char *l3 = BPF_CORE_READ(skb, data);
	struct fg_track t = {};
	struct fg_event_flow e;
	struct fg_awaited *a;
	__u32 hops;

	if (!dev || DEV_NETNS(dev) != cfg->await_ns)
		return;
	hops = flow_parse(&t.flow, (__u64)l3);
	e.flow = t.flow;
	awaited_key(&e.flow, l3);
	a = bpf_map_lookup_elem(&awaited, &e.flow);
	if (!a || a->generation != cfg->generation || !is_awaited(a, &t.flow, l3))
		return;
	t.probe = a->probe;
	t.generation = a->generation;
	t.length = a->length + ETH_HLEN;
	t.head = (__u64)BPF_CORE_READ(skb, head);
	if (track_store(address, &t))
		return;
	flow_remember(&t, cfg, (__u64)l3);
	event_init(&e.event, &t, FG_EVENT_INJECT);
	event_fill_address(&e.event, address);
	event_send(&e.event, sizeof(e.event), false);
	if (!flow_equal(&a->flow, &t.flow)) {
		e.event.kind = FG_EVENT_FLOW;
		e.flow = t.flow;
		event_send(&e, sizeof(e), false);
	}
	e.event.kind = FG_EVENT_RECEIVE;
	e.event.id = hops;
	event_send(&e.event, sizeof(e.event), false);
}

SEC("tp_btf/netif_receive_skb")
int fg_arrive(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	const struct fg_config *cfg = config_get();
	__u64 key = (__u64)skb;

	if (cfg && cfg->active && cfg->await_ns && !bpf_map_lookup_elem(&tracked, &key))
		first_arrival(address_of(skb), cfg);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
