/* SPDX-License-Identifier: GPL-2.0-only */
/* remember.h - how a packet is recognized besides by its address. Free of CO-RE, as maps.h is. */
#ifndef FG_REMEMBER_H
#define FG_REMEMBER_H

#include "flow.h"
#include "maps.h"

static __always_inline void whole_remember(const struct fg_track *t, __u32 pieces)
{
	struct fg_wire_flow key;

	if (pieces & FG_PIECES_FRAGMENTS) {
		/*
		 * Translation comes right before fragmentation, unseen, and leaves one end alone as
		 * a rule.
		 */
		key = t->flow;
		key.sport = key.dport = 0;
		__builtin_memset(key.src, 0, sizeof(key.src));
		bpf_map_update_elem(&wholes, &key, t, BPF_ANY);
		__builtin_memcpy(key.src, t->flow.src, sizeof(key.src));
		__builtin_memset(key.dst, 0, sizeof(key.dst));
		bpf_map_update_elem(&wholes, &key, t, BPF_ANY);
	}
	if (pieces & FG_PIECES_SEGMENTS) {
		key = t->flow;
		key.ident = 0;
		bpf_map_update_elem(&wholes, &key, t, BPF_ANY);
	}
}

/*
 * The flow of the reply to the packet at l3, in the table of those that are looked for: ident is
 * the sequence number of an echo.
 */
static __always_inline void reply_expect(const struct fg_track *t, __u64 l3, __u32 translated)
{
	struct fg_asked asked = { .probe = t->probe,
				  .generation = t->generation,
				  .translated = translated };
	struct fg_wire_flow key;

	flow_answer(&t->flow, &key);
	key.ident = (__u16)flow_sequence(l3);
	bpf_map_update_elem(&replies, &key, &asked, BPF_ANY);
}

/*
 * A packet at l3 that answers a probe of this window: fills *t, with the flow of the packet, and
 * *key, with the one that was looked for. Returns what is known of the probe; NULL: it is another
 * packet. Replies are numbered as they are first seen where they are sent; one that XDP put into
 * another buffer, and that is first seen where it is received, is the last of them.
 */
static __always_inline struct fg_asked *reply_find(struct fg_track *t, struct fg_wire_flow *key,
						   const unsigned char *l3, __u32 generation,
						   bool received)
{
	struct fg_asked *asked;

	flow_answered(key, l3);
	asked = bpf_map_lookup_elem(&replies, key);
	if (!asked || asked->generation != generation)
		return NULL;
	t->probe = asked->probe;
	t->generation = generation;
	t->flags = FG_EVENT_F_REPLY;
	if (!received)
		t->branch = __sync_fetch_and_add(&asked->sent, 1);
	else
		t->branch = asked->sent ? asked->sent - 1 : 0;
	flow_read(&t->flow, l3);
	return asked;
}

/*
 * What a reply says, from l3 on, which tells whether it answers the packet: it may be dropped
 * before it comes back to the pod. length: from there on; rest: what of that is not in the buffer.
 * The record is submitted by the caller, with the place filled in; NULL: its bytes cannot be read
 * here, or the ring has no room.
 */
static __always_inline struct fg_event_reply *reply_told(const struct fg_track *t, __u64 l3,
							 __u32 length, __u32 rest)
{
	__u32 size = length > FG_REPLY_BYTES ? FG_REPLY_BYTES : length;
	struct fg_event_reply *r;

	if (rest && length - rest < FG_REPLY_BYTES)
		return NULL;
	r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r) {
		event_lost();
		return NULL;
	}
	event_init(&r->event, t, FG_EVENT_HEARD);
	r->event.length = length;
	__builtin_memset(r->bytes, 0, sizeof(r->bytes));
	r->captured = 0;
	/* One comparison: two are made one of `size - 1`, which tells Linux 6.1 nothing of size. */
	barrier_var(size);
	if (size <= FG_REPLY_BYTES && !bpf_probe_read_kernel(r->bytes, size, (const void *)l3))
		r->captured = size;
	return r;
}

/*
 * What else the packet may be known by: where XDP runs, what is in it (XDP has no sk_buff, or
 * another one); its pieces; and the flow of its reply. The packet begins at l3.
 */
static __always_inline void flow_remember(const struct fg_track *t, const struct fg_config *cfg,
					  __u64 l3)
{
	if (cfg->match_flows)
		bpf_map_update_elem(&flows, &t->flow, t, BPF_ANY);
	if (cfg->pieces)
		whole_remember(t, cfg->pieces);
	if (cfg->replies != FG_REPLIES_OFF)
		reply_expect(t, l3, 0);
}

/*
 * Fragments come together (inet_frag_reasm_prepare()): the sk_buff of the one that came last takes
 * the first one's buffer, and so becomes that packet, with the others in a list; what it was goes
 * on in the list as a clone. To be called for each sight of a fragment, with the addresses of its
 * sk_buff, data buffer and IP header. Returns 1 if *e is to be sent: the caller says where.
 */
__weak __noinline int track_join(struct fg_event *e, __u64 address, __u64 head, __u64 l3)
{
	struct fg_track *t = bpf_map_lookup_elem(&tracked, &address), *first, *old;
	__u32 carrier, was;

	if (!e || !t)
		return 0;
	carrier = t->probe;
	first = head != t->head ? bpf_map_lookup_elem(&heads, &head) : NULL;
	if (first && first->generation == t->generation && first->probe != carrier &&
	    (first->flags & FG_TRACK_FRAGMENT)) {
		struct fg_track now = *first;

		old = bpf_map_lookup_elem(&heads, &t->head);
		if (old && old->probe == carrier)
			old->flags |= FG_TRACK_HANDED;
		now.flags = FG_TRACK_FRAGMENT;
		now.head = head;
		bpf_map_update_elem(&tracked, &address, &now, BPF_ANY);
		t = bpf_map_lookup_elem(&tracked, &address);
		if (!t)
			return 0;
	}
	/* Another buffer, and not one that we know: whether it still is this packet is not known.
	 */
	if (head != t->head)
		return 0;
	was = t->flags;
	t->flags &= ~FG_EVENT_F_WHOLE;
	if (!flow_is_fragment(l3))
		t->flags |= FG_EVENT_F_WHOLE;
	if (t->probe == carrier && !(t->flags & ~was & FG_EVENT_F_WHOLE))
		return 0;
	event_init(e, t, FG_EVENT_JOIN);
	e->id = carrier;
	return 1;
}

#endif
