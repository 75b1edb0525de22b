// SPDX-License-Identifier: GPL-2.0-only
/*
 * stated.bpf.c - fentry on the helper behind bpf_perf_event_output() of tc programs: what a program
 * writes to a perf event array while it holds a tracked packet, and the stack there, on which the
 * program that was reached by a tail call stands. It has a ring of its own; the tables are the
 * datapath's.
 */
#include "kernel.h"
#include "maps.h"
#include "stated_event.h"

struct bpf_map {
	__u32 id;
} FG_CORE;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 10);
} stated_events SEC(".maps");

static __always_inline const struct fg_track *track_of(__u64 skb)
{
	const struct fg_config *cfg = config_get();
	const struct fg_track *t;

	if (!cfg || !cfg->active)
		return NULL;
	t = bpf_map_lookup_elem(&tracked, &skb);
	return t && t->generation == cfg->generation ? t : NULL;
}

/* Its arguments: the sk_buff, the map, flags, the event, and the event's length. */
SEC("fentry/bpf_skb_event_output")
int fg_stated(__u64 *ctx)
{
	const struct fg_track *t = track_of(ctx[0]);
	struct fg_stated_record *r;
	__u64 length = ctx[4];
	long stack;

	if (!t)
		return 0;
	r = bpf_ringbuf_reserve(&stated_events, sizeof(*r), 0);
	if (!r)
		return 0;
	__builtin_memset(r, 0, sizeof(*r));
	r->version = FG_STATED_RECORD_VERSION;
	r->probe = t->probe;
	r->generation = t->generation;
	r->map_id = BPF_CORE_READ((const struct bpf_map *)ctx[1], id);
	r->time_ns = bpf_ktime_get_ns();
	r->length = (__u32)length;
	stack = bpf_get_stack(ctx, r->stack, sizeof(r->stack), 0);
	r->stack_count = stack > 0 ? (__u8)(stack / sizeof(r->stack[0])) : 0;
	if (length > FG_STATED_RECORD_BYTES)
		length = FG_STATED_RECORD_BYTES;
	if (length && !bpf_probe_read_kernel(r->bytes, length, (const void *)ctx[3]))
		r->captured = (__u16)length;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
