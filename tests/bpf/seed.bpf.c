// SPDX-License-Identifier: GPL-2.0-only
/*
 * seed.bpf.c - for the tests under BPF_PROG_TEST_RUN: packets that are tracked before the program
 * under test meets them. A test gives this object the maps of the object under test, and what is
 * tested is reached by a tail call (so it gets the same sk_buff), or is fentry and fexit on a
 * program of this object.
 */
#include "kernel.h"
#include "maps.h"

struct fg_track seed;	     /* what the packet is tracked as; probe 0: not tracked */
volatile int policy_returns; /* what the policy programs here return */

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} jump_tc SEC(".maps"), jump_cgroup SEC(".maps");

static __always_inline void track(const struct __sk_buff *ctx)
{
	__u64 key = (__u64)ctx;
	struct fg_track t = seed;

	if (t.probe)
		bpf_map_update_elem(&tracked, &key, &t, BPF_ANY);
}

SEC("tc")
int seed_tc(struct __sk_buff *ctx)
{
	track(ctx);
	bpf_tail_call(ctx, &jump_tc, 0);
	return 99;
}

SEC("cgroup_skb/ingress")
int seed_cgroup(struct __sk_buff *ctx)
{
	track(ctx);
	bpf_tail_call(ctx, &jump_cgroup, 0);
	return 0;
}

/* A function of its own, so that the packet is tracked already when what is traced begins. */
__noinline int policy(struct __sk_buff *ctx)
{
	return ctx ? policy_returns : -1;
}

SEC("tc")
int seed_policy(struct __sk_buff *ctx)
{
	track(ctx);
	return policy(ctx);
}

/* What seed_tc jumps to, when its own return value is wanted. */
SEC("tc")
int policy_tail(struct __sk_buff *ctx)
{
	return policy_returns;
}

SEC("xdp")
int policy_xdp(struct xdp_md *ctx)
{
	return policy_returns;
}

char LICENSE[] SEC("license") = "GPL";
