// SPDX-License-Identifier: GPL-2.0-only
/*
 * marking.bpf.c - whether the kernel notes on a packet that bpf_redirect() sent it on. Both
 * programs are attached to a loopback device in a namespace of flowgen's own: what is written there
 * comes in again, is redirected out once more, and looked at.
 */
#include "kernel.h"

/* How often a packet left, and whether it was marked when it left after the redirect. */
volatile __u32 left;
volatile __u32 marked;

SEC("tc")
int fg_bounce(struct __sk_buff *ctx)
{
	return (int)bpf_redirect(ctx->ifindex, 0);
}

SEC("tc")
int fg_look(struct __sk_buff *ctx)
{
	const struct sk_buff *skb = (const struct sk_buff *)ctx;

	if (!left++)
		return TC_ACT_OK;
	if (bpf_core_field_exists(skb->redirected))
		marked = BPF_CORE_READ_BITFIELD_PROBED(skb, redirected);
	return TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
