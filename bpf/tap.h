/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tap.h - what the programs share that take a packet off its path: a probe at its destination, and
 * a reply to one at the sender.
 */
#ifndef FG_TAP_H
#define FG_TAP_H

#include "track.h"

/*
 * Too large for the stack; one for each CPU, as programs at this hook do not interrupt one another.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fg_event_reply);
} reply_record SEC(".maps");

static __always_inline void place_report(const struct sk_buff *skb, struct fg_track *t, __u16 kind,
					 __u64 aux)
{
	struct fg_event e;

	event_init(&e, t, kind);
	event_fill_skb(&e, skb);
	e.aux = aux;
	event_send(&e, sizeof(e), kind != FG_EVENT_INJECT);
}

static __always_inline bool same_flow(const struct sk_buff *skb, const struct fg_track *t)
{
	struct fg_wire_flow now;

	flow_read_skb(&now, skb);
	return flow_equal(&now, &t->flow);
}

static __always_inline struct fg_track *current_track(const struct sk_buff *skb,
						      const struct fg_config *cfg)
{
	__u64 key = (__u64)skb;
	struct fg_track *t;

	if (!cfg || !(cfg->active | cfg->left))
		return NULL;
	t = bpf_map_lookup_elem(&tracked, &key);
	if (!t || t->generation != cfg->generation)
		return NULL;
	if (t->flags & FG_TRACK_FRAGMENT) {
		fragment_look(address_of(skb));
		t = bpf_map_lookup_elem(&tracked, &key);
		if (!t)
			return NULL;
	}
	/*
	 * Between windows no observer sees a packet freed, and another may have its address by now:
	 * that one is let alone.
	 */
	return cfg->active || same_flow(skb, t) ? t : NULL;
}

/* Which reply it is: the number that it is followed by, or the last one that was seen. */
static __always_inline __u32 reply_number(__u64 key, const struct fg_asked *asked)
{
	const struct fg_track *seen = bpf_map_lookup_elem(&tracked, &key);

	if (seen && seen->generation == asked->generation && seen->flags == FG_EVENT_F_REPLY)
		return seen->branch;
	return asked->sent ? asked->sent - 1 : 0;
}

/*
 * The record of a packet that is a reply to a probe of the window, but for its bytes; else NULL.
 * front: bytes of skb->len that come before its IP header.
 */
static __always_inline struct fg_event_reply *reply_match(const struct sk_buff *skb,
							  const struct fg_config *cfg, __u32 front)
{
	struct fg_track t = { .flags = FG_EVENT_F_REPLY };
	struct fg_event_reply *r;
	struct fg_wire_flow key;
	struct fg_asked *asked;
	const unsigned char *l3;
	__u64 address = (__u64)skb;
	__u32 zero = 0;

	if (cfg->replies == FG_REPLIES_OFF)
		return NULL;
	l3 = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
	flow_answered(&key, l3);
	asked = bpf_map_lookup_elem(&replies, &key);
	r = bpf_map_lookup_elem(&reply_record, &zero);
	if (!asked || asked->generation != cfg->generation || asked->translated || !r)
		return NULL;
	t.probe = asked->probe;
	t.generation = asked->generation;
	t.branch = reply_number(address, asked);
	event_init(&r->event, &t, FG_EVENT_REPLY);
	event_fill_skb(&r->event, skb);
	r->event.length -= front;
	return r;
}

/*
 * Copies the reply's first bytes, which begin at offset. Only the helper reads what is not in the
 * sk_buff's own buffer. Returns how many.
 */
static __always_inline __u32 reply_load(struct __sk_buff *ctx, struct fg_event_reply *r,
					__u32 offset)
{
	__s32 size = r->event.length > FG_REPLY_BYTES ? FG_REPLY_BYTES : (__s32)r->event.length;

	__builtin_memset(r->bytes, 0, sizeof(r->bytes));
	/* Not compared with 0 for equality: the verifier of Linux 6.1 learns nothing from that. */
	barrier_var(size);
	if (size < 1 || size > FG_REPLY_BYTES || bpf_skb_load_bytes(ctx, offset, r->bytes, size))
		return 0;
	return size;
}

#endif
