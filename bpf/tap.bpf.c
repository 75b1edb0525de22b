// SPDX-License-Identifier: GPL-2.0-only
/*
 * tap.bpf.c - the two ends of a packet on its destination: handed to a socket (a cgroup program of
 * the root cgroup sees each packet that a socket is about to take), or stopped by flowgen at the
 * destination pod's device, before that pod's stack.
 */
#include "tap.h"

static __always_inline bool spares_socket(const struct __sk_buff *ctx, const struct fg_track *t,
					  const struct fg_config *cfg)
{
	const struct sk_buff *skb = (const struct sk_buff *)ctx;

	if (t->flags & FG_EVENT_F_REPLY)
		return false;
	return cfg->stop == FG_STOP_AT_SOCKET ||
	       (cfg->stop == FG_STOP_AT_BOTH &&
		BPF_CORE_READ(skb, dev, nd_net.net, ns.inum) != cfg->host_ns);
}

/*
 * Whether the socket would not have got the packet by its own port and address: a program has
 * chosen it (BPF_SK_LOOKUP, sk_assign), or TPROXY. Of an IPv6 address the last 32 bits do.
 */
static __always_inline bool is_other(struct __sk_buff *ctx, const struct fg_wire_flow *f)
{
	struct bpf_sock *sk = ctx->sk;
	__u32 four, six, bound, dst;

	if (!sk || (f->proto != FG_IPPROTO_TCP && f->proto != FG_IPPROTO_UDP))
		return false;
	if (sk->src_port != bpf_ntohs(f->dport))
		return true;
	/* Both are read: the verifier allows no address that is one or the other of a socket's. */
	four = *(volatile __u32 *)&sk->src_ip4;
	six = *(volatile __u32 *)&sk->src_ip6[3];
	bound = f->family == 4 ? four : six;
	__builtin_memcpy(&dst, f->family == 4 ? f->dst : f->dst + 12, sizeof(dst));
	return bound && bound != dst;
}

static __always_inline void socket_report(struct __sk_buff *ctx, struct fg_track *t, __u16 kind)
{
	const struct sk_buff *skb = (const struct sk_buff *)ctx;
	struct fg_wire_flow flow;
	struct fg_event e;

	event_init(&e, t, kind);
	flow_read_skb(&flow, skb);
	/* A later fragment has no ports, and whose it is was settled by the first. */
	if (!flow_is_fragment((__u64)SKB_HEAD(skb) + SKB_FIELD(skb, network_header)))
		e.code = is_other(ctx, &flow) ? FG_SOCKET_OTHER : 0;
	event_fill_skb(&e, skb);
	e.aux = bpf_get_socket_cookie(ctx);
	event_send(&e, sizeof(e), true);
}

SEC("cgroup_skb/ingress")
int fg_socket(struct __sk_buff *ctx)
{
	const struct fg_config *cfg = config_get();
	struct fg_track *t = current_track((const struct sk_buff *)ctx, cfg);
	bool stop;

	if (!t)
		return 1;
	stop = spares_socket(ctx, t, cfg);
	socket_report(ctx, t, stop ? FG_EVENT_STOP : FG_EVENT_SOCKET);
	/*
	 * The socket may free it where no tracepoint shows, and its reply may get the same memory,
	 * data buffer and all: from here on only what is in a packet says that it is this one.
	 */
	t->head = 0;
	return !stop;
}

/* Addresses of the namespaces that the stop program was put into. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FG_OWNERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct fg_owner);
	__type(value, __u8);
} owners SEC(".maps");

/* A namespace may only be on the way (a router): what it does not hold itself is left alone. */
static __always_inline bool ends_here(const struct sk_buff *skb)
{
	struct fg_owner owner = { .netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum) };
	struct fg_wire_flow flow;

	flow_read_skb(&flow, skb);
	owner.family = flow.family;
	__builtin_memcpy(owner.addr, flow.dst, sizeof(owner.addr));
	return bpf_map_lookup_elem(&owners, &owner);
}

/* include/uapi/linux/if_packet.h */
#define PACKET_HOST 0
#define PACKET_OTHERHOST 3 /* sent to another Ethernet address than the device's */

/* What is for another host the stack refuses uncounted: that is its end, and not a delivery. */
SEC("tc")
int fg_stop(struct __sk_buff *ctx)
{
	const struct fg_config *cfg = config_get();
	struct fg_track *t = current_track((const struct sk_buff *)ctx, cfg);

	if (!t || (cfg->stop != FG_STOP_AT_DEVICE && cfg->stop != FG_STOP_AT_BOTH) ||
	    (t->flags & FG_EVENT_F_REPLY) || ctx->pkt_type == PACKET_OTHERHOST ||
	    !ends_here((const struct sk_buff *)ctx))
		return TC_ACT_UNSPEC;
	place_report((const struct sk_buff *)ctx, t, FG_EVENT_STOP, 0);
	return TC_ACT_SHOT;
}

/*
 * All 32 bits are this run's own: another run's packets may pass here, and those of others who
 * use the mark.
 */
static __always_inline bool is_bounced(const struct __sk_buff *ctx, const struct fg_config *cfg)
{
	return cfg->mark && ctx->mark == cfg->mark;
}

/*
 * The second leg of the bounce: the inject program has put the packet on the pod's device as if it
 * came in there (bpf_redirect_peer). It is sent out of the same device now, as the pod's own
 * packets are, with what was added on the path here undone. Only now it counts as injected: what
 * ended before was not on the pod's egress path.
 */
static __always_inline int bounce(struct __sk_buff *ctx, const struct fg_config *cfg)
{
	const struct sk_buff *skb = (const struct sk_buff *)ctx;
	__u64 key = (__u64)ctx;
	struct fg_track *t = bpf_map_lookup_elem(&tracked, &key);

	ctx->mark = 0;
	/* Kernels whose bpf_redirect_peer() does not scrub the packet leave it OTHERHOST. */
	bpf_skb_change_type(ctx, PACKET_HOST);
	if (t && t->generation == cfg->generation && t->head == (__u64)SKB_HEAD(skb))
		place_report(skb, t, FG_EVENT_INJECT, 0);
	return bpf_redirect(ctx->ifindex, 0);
}

/*
 * At the head of the sender's device, inside the pod: replies to probes end here, so that the pod's
 * stack, which knows nothing of the question, never sees one; and bounced probes turn round.
 */
SEC("tc")
int fg_reply(struct __sk_buff *ctx)
{
	const struct fg_config *cfg = config_get();
	const struct sk_buff *skb = (const struct sk_buff *)ctx;
	struct fg_event_reply *r;
	const unsigned char *l3;

	if (!cfg)
		return TC_ACT_UNSPEC;
	if (is_bounced(ctx, cfg))
		return bounce(ctx, cfg);
	/* At this hook the link-layer header is in front of the data again. */
	r = reply_match(skb, cfg, ETH_HLEN);
	if (!r)
		return TC_ACT_UNSPEC;
	l3 = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
	r->captured = reply_load(ctx, r, (__u32)(l3 - BPF_CORE_READ(skb, data)));
	event_send(r, sizeof(*r), true);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
