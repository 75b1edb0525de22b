// SPDX-License-Identifier: GPL-2.0-only
/*
 * verdict.bpf.c - fentry and fexit on one policy program (tc, tcx or netkit): its return value as
 * the kernel gets it (after tail calls too), and the time it took. Loaded once for each policy
 * program, so it has no CO-RE relocation: the few field offsets it needs come from the config map.
 */
#include "flow.h"
#include "maps.h"
#include "remember.h"

const volatile __u32 fg_program_id;

static __always_inline struct fg_track *track_of(const __u64 *ctx, const struct fg_config *cfg)
{
	/*
	 * The first argument, struct __sk_buff * to the program, is the struct sk_buff * it stands
	 * for.
	 */
	__u64 key = ctx[0];
	struct fg_track *t = bpf_map_lookup_elem(&tracked, &key);

	return t && cfg && t->generation == cfg->generation ? t : NULL;
}

static __always_inline void device_read(struct fg_event *e, __u64 skb, const struct fg_config *cfg)
{
	__u64 dev = 0, net = 0;

	if (bpf_probe_read_kernel(&dev, sizeof(dev), (void *)(skb + cfg->offset_skb_dev)) || !dev)
		return;
	bpf_probe_read_kernel(&e->ifindex, 4, (void *)(dev + cfg->offset_dev_ifindex));
	bpf_probe_read_kernel(&net, sizeof(net), (void *)(dev + cfg->offset_dev_net));
	bpf_probe_read_kernel(&e->netns, 4, (void *)(net + cfg->offset_net_inum));
}

static __always_inline __u32 read_u32(__u64 at)
{
	__u32 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)at);
	return value;
}

static __always_inline __u64 read_u64(__u64 at)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)at);
	return value;
}

/*
 * pod-socket: the programs of the peer run before any observer has seen the packet. It is known by
 * the socket that wrote it, and followed from here on; path.bpf.c does the same where no program is
 * traced.
 */
static __always_inline void first_sight(__u64 skb, const struct fg_config *cfg)
{
	struct fg_track t = { .probe = cfg->sending, .generation = cfg->generation };
	struct fg_event_flow e;
	__u16 network = 0;
	__u64 sk = read_u64(skb + cfg->offset_skb_sk);

	if (!sk || read_u64(sk + cfg->offset_sock_cookie) != cfg->socket)
		return;
	t.head = read_u64(skb + cfg->offset_skb_head);
	bpf_probe_read_kernel(&network, sizeof(network), (void *)(skb + cfg->offset_skb_network));
	flow_read(&t.flow, (const unsigned char *)t.head + network);
	if (flow_is_fragment(t.head + network))
		t.flags |= FG_TRACK_FRAGMENT;
	if (bpf_map_update_elem(&tracked, &skb, &t, BPF_ANY))
		return;
	bpf_map_update_elem(&heads, &t.head, &t, BPF_ANY);
	flow_remember(&t, cfg, t.head + network);
	event_init(&e.event, &t, FG_EVENT_INJECT);
	device_read(&e.event, skb, cfg);
	event_send(&e.event, sizeof(e.event), false);
	if (cfg->written.family && !flow_equal(&cfg->written, &t.flow)) {
		e.event.kind = FG_EVENT_FLOW;
		e.flow = t.flow;
		event_send(&e, sizeof(e), false);
	}
}

/*
 * A fragment may be the whole datagram by now, and not the packet that it was (track_join()). The
 * verifier may know the type of typed, and a function that takes a number takes no pointer.
 */
static __always_inline void fragment_look(__u64 typed, const struct fg_config *cfg)
{
	__u64 skb = read_u64((__u64)&typed), head = read_u64(skb + cfg->offset_skb_head);
	struct fg_event e = {};
	__u16 network = 0;

	bpf_probe_read_kernel(&network, sizeof(network), (void *)(skb + cfg->offset_skb_network));
	if (!track_join(&e, skb, head, head + network))
		return;
	device_read(&e, skb, cfg);
	event_send(&e, sizeof(e), false);
}

/*
 * A reply meets the programs at the egress of the pod that sends it before any observer has seen
 * it.
 */
static __always_inline void reply_begin(__u64 skb, const struct fg_config *cfg)
{
	struct fg_event_reply *r;
	struct fg_track t = {};
	struct fg_wire_flow key;
	__u16 network = 0;
	__u64 l3;

	t.head = read_u64(skb + cfg->offset_skb_head);
	bpf_probe_read_kernel(&network, sizeof(network), (void *)(skb + cfg->offset_skb_network));
	l3 = t.head + network;
	if (!reply_find(&t, &key, (const unsigned char *)l3, cfg->generation, false) ||
	    bpf_map_update_elem(&tracked, &skb, &t, BPF_ANY))
		return;
	bpf_map_update_elem(&heads, &t.head, &t, BPF_ANY);
	r = reply_told(&t, l3,
		       read_u32(skb + cfg->offset_skb_len) -
			       (__u32)(l3 - read_u64(skb + cfg->offset_skb_data)),
		       read_u32(skb + cfg->offset_skb_data_len));
	if (!r)
		return;
	device_read(&r->event, skb, cfg);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

/*
 * As known_again() of path.bpf.c: a packet that Open vSwitch's daemon sends on meets the programs
 * at the egress of the receiver's device before any observer has seen it. A function of its own,
 * with little stack. skb: the address as a number.
 */
__weak __noinline int again_begin(__u64 skb)
{
	const struct fg_config *cfg = config_get();
	struct fg_at_device at = {};
	struct fg_wire_flow flow;
	struct fg_track *t;
	__u64 dev, head;
	__u16 network = 0;

	if (!cfg)
		return 0;
	dev = read_u64(skb + cfg->offset_skb_dev);
	at.ifindex = read_u32(dev + cfg->offset_dev_ifindex);
	at.netns = read_u32(read_u64(dev + cfg->offset_dev_net) + cfg->offset_net_inum);
	if (!bpf_map_lookup_elem(&again, &at))
		return 0;
	head = read_u64(skb + cfg->offset_skb_head);
	bpf_probe_read_kernel(&network, sizeof(network), (void *)(skb + cfg->offset_skb_network));
	flow_read(&flow, (const unsigned char *)head + network);
	t = bpf_map_lookup_elem(&flows, &flow);
	if (!t || t->generation != cfg->generation ||
	    (t->again_if == at.ifindex && t->again_ns == at.netns))
		return 0;
	t->again_if = at.ifindex;
	t->again_ns = at.netns;
	t->head = head;
	t->flags |= FG_EVENT_F_AGAIN;
	bpf_map_update_elem(&tracked, &skb, t, BPF_ANY);
	bpf_map_update_elem(&heads, &head, t, BPF_ANY);
	return 0;
}

SEC("fentry")
int fg_enter(__u64 *ctx)
{
	const struct fg_config *cfg = config_get();
	struct fg_track *t = track_of(ctx, cfg);

	if (!t && cfg && cfg->socket) {
		first_sight(ctx[0], cfg);
		t = track_of(ctx, cfg);
	}
	if (!t && cfg && cfg->active && cfg->reacquire_count) {
		__u64 typed = ctx[0];

		again_begin(read_u64((__u64)&typed));
		t = track_of(ctx, cfg);
	}
	if (t && (t->flags & FG_TRACK_FRAGMENT)) {
		fragment_look(ctx[0], cfg);
		t = track_of(ctx, cfg);
	}
	if (!t && cfg && cfg->active && follows_replies(cfg)) {
		reply_begin(ctx[0], cfg);
		t = track_of(ctx, cfg);
	}
	if (t)
		t->start_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("fexit")
int fg_verdict(__u64 *ctx)
{
	const struct fg_config *cfg = config_get();
	struct fg_track *t = track_of(ctx, cfg);
	struct fg_event e;

	if (!t)
		return 0;
	event_init(&e, t, FG_EVENT_POLICY);
	e.code = (__s32)ctx[1];
	e.id = fg_program_id;
	e.aux = t->start_ns ? e.time_ns - t->start_ns : 0;
	t->start_ns = 0;
	device_read(&e, ctx[0], cfg);
	event_send(&e, sizeof(e), false);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
