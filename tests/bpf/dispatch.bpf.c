// SPDX-License-Identifier: GPL-2.0-only
/* A program with a function that another program may stand in for (freplace), as libxdp's
 * dispatcher has. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

__attribute__((noinline)) int part(struct __sk_buff *skb)
{
	volatile int pass = 0;

	return skb ? pass : 2;
}

SEC("tc")
int dispatch(struct __sk_buff *skb)
{
	return part(skb);
}
