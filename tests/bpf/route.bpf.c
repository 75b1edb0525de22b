// SPDX-License-Identifier: GPL-2.0-only
/* route.bpf.c - programs of routes (ip route ... encap bpf), for the tests: one drops, one lets
 * pass. */
#include "kernel.h"

char _license[] SEC("license") = "GPL";

SEC("drop")
int route_drop(struct __sk_buff *ctx)
{
	(void)ctx;
	return BPF_DROP;
}

SEC("pass")
int route_pass(struct __sk_buff *ctx)
{
	(void)ctx;
	return BPF_OK;
}
