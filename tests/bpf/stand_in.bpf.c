// SPDX-License-Identifier: GPL-2.0-only
/* What stands in for the function of dispatch.bpf.c. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

SEC("freplace/part")
int stand_in(struct __sk_buff *skb)
{
	return skb ? 2 : 0;
}
