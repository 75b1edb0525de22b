// SPDX-License-Identifier: GPL-2.0-only
/*
 * tap.bpf.c - the two ends of a packet on its destination: handed to a socket (a cgroup program of the root
 * cgroup sees each packet that a socket is about to take), or stopped by flowgen at the destination pod's
 * device, before that pod's stack.
 */
#include "track.h"

/* Too large for the stack; one for each CPU, as programs at this hook do not interrupt one another. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fg_event_reply);
} reply_record SEC(".maps");

static __always_inline void end_report(struct __sk_buff *ctx, struct fg_track *t, __u16 kind,
				       __u64 aux)
{
	struct fg_event e;

	event_init(&e, t, kind);
	event_fill_skb(&e, (struct sk_buff *)ctx);
	e.aux = aux;
	event_send(&e, sizeof(e), true);
}

static __always_inline bool same_flow(const struct sk_buff *skb, const struct fg_track *t)
{
	struct fg_wire_flow now;

	flow_read_skb(&now, skb);
	return flow_equal(&now, &t->flow);
}

static __always_inline struct fg_track *current_track(struct __sk_buff *ctx,
						      const struct fg_config *cfg)
{
	__u64 key = (__u64)ctx;
	struct fg_track *t;

	if (!cfg || !(cfg->active | cfg->left))
		return NULL;
	t = bpf_map_lookup_elem(&tracked, &key);
	if (!t || t->generation != cfg->generation)
		return NULL;
	/* Between windows no observer sees a packet freed, and another may have its address by now: that one is let alone. */
	return cfg->active || same_flow((const struct sk_buff *)ctx, t) ? t : NULL;
}

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

SEC("cgroup_skb/ingress")
int fg_socket(struct __sk_buff *ctx)
{
	const struct fg_config *cfg = config_get();
	struct fg_track *t = current_track(ctx, cfg);
	bool stop;

	if (!t)
		return 1;
	stop = spares_socket(ctx, t, cfg);
	end_report(ctx, t, stop ? FG_EVENT_STOP : FG_EVENT_SOCKET, bpf_get_socket_cookie(ctx));
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

SEC("tc")
int fg_stop(struct __sk_buff *ctx)
{
	const struct fg_config *cfg = config_get();
	struct fg_track *t = current_track(ctx, cfg);

	if (!t || (cfg->stop != FG_STOP_AT_DEVICE && cfg->stop != FG_STOP_AT_BOTH) ||
	    (t->flags & FG_EVENT_F_REPLY) || !ends_here((const struct sk_buff *)ctx))
		return TC_ACT_UNSPEC;
	end_report(ctx, t, FG_EVENT_STOP, 0);
	return TC_ACT_SHOT;
}

/*
 * At the head of the sender's device, inside the pod: answers to probes end here, so that the pod's stack, which
 * knows nothing of the question, never sees one.
 */
SEC("tc")
int fg_reply(struct __sk_buff *ctx)
{
	const struct fg_config *cfg = config_get();
	const struct sk_buff *skb = (const struct sk_buff *)ctx;
	struct fg_event_reply *r;
	struct fg_wire_flow key;
	struct fg_asked *asked;
	struct fg_track t = { .flags = FG_EVENT_F_REPLY };
	const unsigned char *l3;
	__u32 zero = 0, size;

	if (!cfg || cfg->replies == FG_REPLIES_OFF)
		return TC_ACT_UNSPEC;
	l3 = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
	flow_answered(&key, l3);
	asked = bpf_map_lookup_elem(&replies, &key);
	r = bpf_map_lookup_elem(&reply_record, &zero);
	if (!asked || asked->generation != cfg->generation || !r)
		return TC_ACT_UNSPEC;
	t.probe = asked->probe;
	t.generation = asked->generation;
	event_init(&r->event, &t, FG_EVENT_REPLY);
	event_fill_skb(&r->event, skb);
	/* At this hook the link-layer header is in front of the data again. */
	r->event.length -= ETH_HLEN;
	size = r->event.length;
	if (size > FG_REPLY_BYTES)
		size = FG_REPLY_BYTES;
	r->captured = size;
	__builtin_memset(r->bytes, 0, sizeof(r->bytes));
	if (bpf_probe_read_kernel(r->bytes, size, l3))
		r->captured = 0;
	event_send(r, sizeof(*r), true);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
