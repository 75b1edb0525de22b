/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps.h - the maps that all programs share, and the sending of events. No kernel type is touched
 * here: the programs that are loaded once per policy program (verdict*.bpf.c) stay free of CO-RE
 * relocations, so that libbpf need not read the kernel's BTF again for each of them. Each object
 * that is linked into the datapath defines the maps; weak, so that the linker makes one of them.
 */
#ifndef FG_MAPS_H
#define FG_MAPS_H

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#include "event.h"

/*
 * Whether replies are followed back. A constant, so that the verifier leaves out the code for it
 * where they are not: a cold start consists of loading programs.
 */
const volatile bool fg_follows __weak = false;

#define FG_TRACK_MAX 16384
#define FG_WHOLES_MAX 4096
#define FG_RING_BYTES (4 << 20) /* unless lib asks for another size */

struct fg_track {
	__u32 probe;
	__u32 generation;
	__u64 head;	/* address of the data buffer */
	__u64 start_ns; /* when the policy program that is running now began */
	__u32 flags;	/* FG_EVENT_F_* of all its events, and FG_TRACK_* */
	__u32 branch;
	/* clones seen so far, in the entry of the data buffer; or pieces, in that of the whole */
	__u32 branches;
	__u32 length; /* of the frame when it was injected */
	/* in the entry of the contents: the device where XDP replaced the packet last */
	__u32 again_if;
	__u32 again_ns; /* inode number of its namespace */
	struct fg_wire_flow flow;
};

#define FG_TRACK_FRAGMENT (1U << 8) /* it was sent as a fragment */
/* In heads: the sk_buff was given to another packet, and this one goes on as a clone of it. */
#define FG_TRACK_HANDED (1U << 9)

/* By address of the struct sk_buff. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FG_TRACK_MAX);
	__type(key, __u64);
	__type(value, struct fg_track);
} tracked __weak SEC(".maps");

/*
 * By address of the data buffer: for clones. Buffers come again, so few addresses are ever in it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FG_TRACK_MAX);
	__type(key, __u64);
	__type(value, struct fg_track);
} heads __weak SEC(".maps");

/* By what is in the packet: only used where XDP is on the path. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FG_TRACK_MAX);
	__type(key, struct fg_wire_flow);
	__type(value, struct fg_track);
} flows __weak SEC(".maps");

/* The devices at which native XDP, or Open vSwitch's daemon, has put another sk_buff in place. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FG_REACQUIRE_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct fg_at_device);
	__type(value, __u8);
} again __weak SEC(".maps");

/*
 * By what its pieces have in common, for packets that may be cut: identification and one address of
 * fragments, addresses and ports of segments; what is not named is 0.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FG_WHOLES_MAX);
	__type(key, struct fg_wire_flow);
	__type(value, struct fg_track);
} wholes __weak SEC(".maps");

/*
 * By the flow that a reply would have (ident: an echo's sequence number, or 0), if replies are
 * intercepted.
 */
struct fg_asked {
	__u32 probe;
	__u32 generation;
	/*
	 * 1: to the probe as it was translated on the way. Such a reply is followed, and not
	 * intercepted: who asked does not know it.
	 */
	__u32 translated;
	__u32 sent; /* replies that were first seen where they were sent */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FG_TRACK_MAX);
	__type(key, struct fg_wire_flow);
	__type(value, struct fg_asked);
} replies __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, FG_RING_BYTES);
} events __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct fg_config);
} config __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct fg_counters);
} counters __weak SEC(".maps");

static __always_inline struct fg_config *config_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

static __always_inline bool follows_replies(const struct fg_config *cfg)
{
	return fg_follows && cfg->replies == FG_REPLIES_FOLLOW;
}

static __always_inline struct fg_counters *counters_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

/* The ring had no room. */
static __always_inline void event_lost(void)
{
	struct fg_counters *c = counters_get();

	if (c)
		__sync_fetch_and_add(&c->lost, 1);
}

static __always_inline void event_send(const void *record, __u64 size, bool wake)
{
	/*
	 * The sender looks into the ring itself right after it wrote a batch. A wake-up is only
	 * wanted when a packet ends; waking it for each event would cost more than all the rest.
	 */
	if (bpf_ringbuf_output(&events, (void *)record, size, wake ? 0 : BPF_RB_NO_WAKEUP))
		event_lost();
}

static __always_inline void event_init(struct fg_event *e, const struct fg_track *t, __u16 kind)
{
	__builtin_memset(e, 0, sizeof(*e));
	e->version = FG_EVENT_VERSION;
	e->kind = kind;
	e->probe = t->probe;
	e->generation = t->generation;
	e->flags = (__u8)t->flags;
	e->branch = t->branch;
	e->time_ns = bpf_ktime_get_ns();
}

#endif
