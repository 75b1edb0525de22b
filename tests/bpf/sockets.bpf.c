// SPDX-License-Identifier: GPL-2.0-only
/*
 * sockets.bpf.c - programs that decide at the receiver's socket, for tests/tool/skprog: which
 * socket gets a packet (sk_lookup), whether a cgroup's sockets take it, and what a security module
 * says. All leave alone what is for another port than theirs.
 */
#include "kernel.h"

const volatile __u16 port; /* host order */

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} target SEC(".maps");

SEC("sk_lookup")
int lookup_drop(struct bpf_sk_lookup *ctx)
{
	return ctx->local_port == port ? SK_DROP : SK_PASS;
}

SEC("sk_lookup")
int lookup_pass(struct bpf_sk_lookup *ctx)
{
	return SK_PASS;
}

SEC("sk_lookup")
int lookup_steer(struct bpf_sk_lookup *ctx)
{
	struct bpf_sock *sk;
	__u32 zero = 0;
	long failed;

	if (ctx->local_port != port)
		return SK_PASS;
	sk = bpf_map_lookup_elem(&target, &zero);
	if (!sk)
		return SK_DROP;
	failed = bpf_sk_assign(ctx, sk, 0);
	bpf_sk_release(sk);
	return failed ? SK_DROP : SK_PASS;
}

SEC("cgroup_skb/ingress")
int cgroup_deny(struct __sk_buff *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	return !sk || sk->src_port != port;
}

/* Another name for the kernel's, whose port kernel.h does not have. */
struct sock___port {
	struct sock_common___port {
		__u16 skc_num;
	} FG_CORE __sk_common;
} FG_CORE;

SEC("lsm/socket_sock_rcv_skb")
int lsm_deny(__u64 *ctx)
{
	const struct sock___port *sk = (const struct sock___port *)ctx[0];

	return BPF_CORE_READ(sk, __sk_common.skc_num) == port ? -1 : 0;
}

char _license[] SEC("license") = "GPL";
