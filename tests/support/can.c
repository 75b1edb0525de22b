// SPDX-License-Identifier: GPL-2.0-only
/*
 * can.c - `podctl can THING`: whether the running kernel has it, found by doing it. Apart from
 * flowgen's own knowledge on purpose: the tests are skipped by this, and compare `flowgen check`
 * with it.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/count.h"
#include "base/fd.h"
#include "podctl.h"
#include "bpf/policy.skel.h"
#include "demo/testbed.h"

/*
 * bpf_redirect_peer() with the flag is a redirect (7) where the kernel knows it, and a drop (2)
 * where not.
 */
static bool can_peer_egress(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 2 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_peer },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	char frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame));
	FG_FD int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "can", "GPL", insns, 4, NULL);

	return fd >= 0 && !bpf_prog_test_run_opts(fd, &run) && run.retval == 7;
}

static int main_function(int prog_fd)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	struct btf *btf;
	int id;

	if (bpf_prog_get_info_by_fd(prog_fd, &info, &len))
		return -1;
	btf = btf__load_from_kernel_by_id(info.btf_id);
	id = btf ? btf__find_by_name_kind(btf, "drop_all", BTF_KIND_FUNC) : -1;
	btf__free(btf);
	return id;
}

/* Loads a program that does nothing behind another one, and attaches it. */
static bool trace_program(int target)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FEXIT,
		    .attach_prog_fd = (uint32_t)target);
	int function = main_function(target);
	FG_FD int fd = -1;
	FG_FD int link = -1;

	if (function < 0)
		return false;
	opts.attach_btf_id = (uint32_t)function;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "can", "GPL", insns, 2, &opts);
	if (fd >= 0)
		link = bpf_link_create(fd, 0, BPF_TRACE_FEXIT, NULL);
	return link >= 0;
}

static bool can_fexit(void)
{
	struct policy_bpf *skel = policy_bpf__open();
	struct bpf_program *p;
	bool can;

	if (!skel)
		return false;
	bpf_object__for_each_program (p, skel->obj)
		bpf_program__set_autoload(p, p == skel->progs.drop_all);
	can = !policy_bpf__load(skel) && trace_program(bpf_program__fd(skel->progs.drop_all));
	policy_bpf__destroy(skel);
	return can;
}

int podctl_can(int argc, char **argv)
{
	static const struct {
		const char *name;
		bool (*test)(void);
	} things[] = { { "netkit", fg_testbed_has_netkit },
		       { "tcx", fg_testbed_has_tcx },
		       { "peer-egress", can_peer_egress },
		       { "fexit", can_fexit } };

	for (size_t i = 0; argc == 2 && i < COUNT(things); i++)
		if (!strcmp(argv[1], things[i].name))
			return things[i].test() ? 0 : 1;
	fputs("usage: podctl can netkit|tcx|peer-egress|fexit\n", stderr);
	return 2;
}
