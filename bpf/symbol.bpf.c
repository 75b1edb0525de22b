// SPDX-License-Identifier: GPL-2.0-only
/*
 * symbol.bpf.c - the kernel's own name for an address in it, as "symbol+offset/size". Run by
 * BPF_PROG_TEST_RUN: it needs no reading of /proc/kallsyms (150,000 lines), and no CAP_SYSLOG.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

__u64 address;
char name[128];

SEC("syscall")
int fg_symbol(void *ctx)
{
	static const char format[] = "%pS";
	__u64 args[] = { address };

	(void)ctx;
	return bpf_snprintf(name, sizeof(name), format, args, sizeof(args)) < 0;
}

char LICENSE[] SEC("license") = "GPL";
