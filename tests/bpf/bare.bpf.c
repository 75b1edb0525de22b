// SPDX-License-Identifier: GPL-2.0-only
/*
 * bare.bpf.c - the least that injection needs, to compare with (tests/bench/bare.c): a frame is
 * given its addresses and redirected to where the pod's packets enter their egress path; if asked,
 * three events say that it was sent, received at the pod's device, and stopped at the receiver.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bare.h"

const volatile struct bare_config config = {};

__u64 sent;
__u64 stopped;

/* By the address of the packet: its number, and how many events it has had. */
struct known {
	__u32 probe;
	__u32 events;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct known);
} packets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} events SEC(".maps");

static __always_inline void tell(const struct known *k, __u32 kind)
{
	struct bare_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e)
		return;
	__builtin_memset(e, 0, sizeof(*e));
	e->probe = k->probe;
	e->kind = kind;
	e->time = bpf_ktime_get_ns();
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* tc ingress of the outer end. A frame's number is where its addresses will be. */
SEC("tc")
int bare_send(struct __sk_buff *ctx)
{
	struct known k = { .events = 1 };
	__u64 key = (__u64)ctx;

	/* What the pair's own stack says is not ours. */
	if (ctx->protocol != bpf_htons(ETH_P_IP) ||
	    bpf_skb_load_bytes(ctx, BARE_NUMBER_AT, &k.probe, sizeof(k.probe)) ||
	    bpf_skb_store_bytes(ctx, 0, (const void *)config.addresses, sizeof(config.addresses),
				0))
		return TC_ACT_SHOT;
	sent++;
	if (config.observed) {
		if (bpf_map_update_elem(&packets, &key, &k, BPF_ANY))
			return TC_ACT_SHOT;
		tell(&k, BARE_SENT);
	}
	return bpf_redirect(config.target, BPF_F_INGRESS);
}

SEC("tp_btf/netif_receive_skb")
int bare_receive(__u64 *ctx)
{
	__u64 key = ctx[0];
	struct known *k = bpf_map_lookup_elem(&packets, &key);

	if (k && k->events++ == 1)
		tell(k, BARE_RECEIVED);
	return 0;
}

/* tc ingress of the receiver: nothing but questions for its address goes further. */
SEC("tc")
int bare_stop(struct __sk_buff *ctx)
{
	__u64 key = (__u64)ctx;
	struct known *k;

	if (ctx->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	stopped++;
	if (!config.observed)
		return TC_ACT_SHOT;
	k = bpf_map_lookup_elem(&packets, &key);
	if (k) {
		tell(k, BARE_STOPPED);
		bpf_map_delete_elem(&packets, &key);
	}
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
