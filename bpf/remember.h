/* SPDX-License-Identifier: GPL-2.0-only */
/* remember.h - by what else than its address a packet may be known. Free of CO-RE, as maps.h is. */
#ifndef FG_REMEMBER_H
#define FG_REMEMBER_H

#include "flow.h"
#include "maps.h"

static __always_inline void whole_remember(const struct fg_track *t, __u32 pieces)
{
	struct fg_wire_flow key;

	if (pieces & FG_PIECES_FRAGMENTS) {
		/* Translation comes right before fragmentation, unseen, and leaves one end alone as a rule. */
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
 * What else the packet may be known by: where XDP runs, what is in it (XDP has no sk_buff, or another one); its pieces; and
 * the flow of its answer.
 */
static __always_inline void flow_remember(const struct fg_track *t, const struct fg_config *cfg)
{
	struct fg_asked asked = { .probe = t->probe, .generation = t->generation };
	struct fg_wire_flow key;

	if (cfg->match_flows)
		bpf_map_update_elem(&flows, &t->flow, t, BPF_ANY);
	if (cfg->pieces)
		whole_remember(t, cfg->pieces);
	if (cfg->replies == FG_REPLIES_OFF)
		return;
	flow_answer(&t->flow, &key);
	bpf_map_update_elem(&replies, &key, &asked, BPF_ANY);
}

#endif
