// SPDX-License-Identifier: GPL-2.0-only
/*
 * drops.bpf.c - keeps where and why the kernel dropped a packet to one port (UDP or TCP). For
 * tests/prog/test_cause.c.
 */
#include "kernel.h"
#include <stdbool.h>

#include "drops.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct drops_want);
} wants SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct drops_seen);
} drops SEC(".maps");

static __always_inline bool is_wanted(const unsigned char *at, __u32 wanted)
{
	__u8 first = 0, protocol = 0;
	__u16 port = 0;
	__u32 ports;

	bpf_probe_read_kernel(&first, 1, at);
	bpf_probe_read_kernel(&protocol, 1, at + (first >> 4 == 4 ? 9 : 6));
	if (protocol != 17 && protocol != 6)
		return false;
	ports = first >> 4 == 4 ? (first & 15) * 4 : 40;
	bpf_probe_read_kernel(&port, 2, at + ports + 2);
	return port == bpf_htons(wanted);
}

SEC("tp_btf/kfree_skb")
int drops_free(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	const unsigned char *head = BPF_CORE_READ(skb, head);
	__u16 network = BPF_CORE_READ(skb, network_header);
	struct net_device *dev = BPF_CORE_READ(skb, dev);

	__u32 zero = 0;
	struct drops_want *want = bpf_map_lookup_elem(&wants, &zero);
	struct drops_seen *seen = bpf_map_lookup_elem(&drops, &zero);

	__u32 netns = dev ? BPF_CORE_READ(dev, nd_net.net, ns.inum) : 0;

	/* 0 is SKB_NOT_DROPPED_YET. */
	if (!want || !seen || !want->port || !ctx[2] || ctx[2] == want->consumed ||
	    !is_wanted(head + network, want->port))
		return 0;
	if (netns != want->netns[0] && netns != want->netns[1] && netns != want->netns[2])
		return 0;
	seen->location = ctx[1];
	seen->reason = ctx[2];
	bpf_probe_read_kernel(&seen->first, 1, head + network);
	bpf_probe_read_kernel(&seen->hops, 1, head + network + (seen->first >> 4 == 4 ? 8 : 7));
	seen->ifindex = dev ? BPF_CORE_READ(dev, ifindex) : 0;
	seen->netns = netns;
	seen->count++;
	return 0;
}

char _license[] SEC("license") = "GPL";
