// SPDX-License-Identifier: GPL-2.0-only
/*
 * nfprog.c - a BPF program of netfilter's (BPF_PROG_TYPE_NETFILTER, Linux 6.4) at a hook of this
 * namespace, for the tests: nfprog ipv4|ipv6 HOOK accept|drop NAME, where HOOK is prerouting,
 * input, forward, output or postrouting. Prints "ready PID ID" and stays there until it is killed.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"

static int attach(int program, const char *family, const char *hook)
{
	static const char *const hooks[] = { "prerouting", "input", "forward", "output",
					     "postrouting" };
	LIBBPF_OPTS(bpf_link_create_opts, opts);

	opts.netfilter.pf = !strcmp(family, "ipv6") ? NFPROTO_IPV6 : NFPROTO_IPV4;
	opts.netfilter.priority = -128;
	for (unsigned int i = 0; i < COUNT(hooks); i++)
		if (!strcmp(hook, hooks[i]))
			opts.netfilter.hooknum = i;
	return bpf_link_create(program, 0, BPF_NETFILTER, &opts);
}

int main(int argc, char **argv)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = NF_ACCEPT },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, load, .expected_attach_type = BPF_NETFILTER);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (argc != 5) {
		fputs("usage: nfprog ipv4|ipv6 HOOK accept|drop NAME\n", stderr);
		return 2;
	}
	if (!strcmp(argv[3], "drop"))
		insns[0].imm = NF_DROP;
	FG_FD int program =
		bpf_prog_load(BPF_PROG_TYPE_NETFILTER, argv[4], "GPL", insns, COUNT(insns), &load);
	FG_FD int link = program < 0 ? -1 : attach(program, argv[1], argv[2]);

	if (link < 0 || bpf_prog_get_info_by_fd(program, &info, &len)) {
		printf("failed: %s\n", strerror(errno));
		return 1;
	}
	printf("ready %d %u\n", getpid(), info.id);
	fflush(stdout);
	pause();
	return 0;
}
