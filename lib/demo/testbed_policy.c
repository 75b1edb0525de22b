// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo/testbed_policy.c - loading the policy programs of bpf/policy.bpf.c, and attaching them
 * without a link.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <stddef.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/fd.h"
#include "net/netns.h"
#include "bpf/policy.skel.h"
#include "demo/testbed.h"

const char *const fg_testbed_hook_names[FG_TESTBED_HOOKS] = {
	[FG_TESTBED_NETKIT_PEER] = "netkit/peer",
	[FG_TESTBED_NETKIT_PRIMARY] = "netkit/primary",
	[FG_TESTBED_TCX_EGRESS] = "tcx/egress",
	[FG_TESTBED_TC_EGRESS] = "tc/egress",
	[FG_TESTBED_TCX_INGRESS] = "tcx/ingress",
	[FG_TESTBED_TC_INGRESS] = "tc/ingress",
	[FG_TESTBED_XDP] = "xdp",
};

static const enum bpf_attach_type mprog_types[FG_TESTBED_HOOKS] = {
	[FG_TESTBED_NETKIT_PEER] = BPF_NETKIT_PEER,
	[FG_TESTBED_NETKIT_PRIMARY] = BPF_NETKIT_PRIMARY,
	[FG_TESTBED_TCX_EGRESS] = BPF_TCX_EGRESS,
	[FG_TESTBED_TCX_INGRESS] = BPF_TCX_INGRESS,
};

#define NO_BTF_PROGRAM "no_btf"

static void rules_copy(struct policy_bpf *skel, const struct fg_testbed_policy *policy)
{
	skel->rodata->deny_count = (uint32_t)policy->rule_count;
	for (size_t i = 0; i < policy->rule_count; i++) {
		skel->rodata->deny_proto[i] = policy->rules[i].proto;
		skel->rodata->deny_first[i] = policy->rules[i].first_port;
		skel->rodata->deny_last[i] = policy->rules[i].last_port;
	}
	skel->rodata->otherwise = policy->otherwise;
	skel->rodata->fixed = policy->value;
	skel->rodata->redirect_ifindex = policy->redirect_ifindex;
	skel->rodata->redirect_flags = policy->redirect_flags;
}

/*
 * The kernel empties a program array when no descriptor and no pin of it is left, so it is pinned.
 */
static int tail_fill(struct policy_bpf *skel, const char *pin, struct fg_error *err)
{
	int callee = bpf_program__fd(skel->progs.tail_callee), key = 0;

	if (!pin)
		return fg_fail(err, FG_ERR_USAGE,
			       "tail_entry needs a path to pin its program array at");
	if (bpf_map__update_elem(skel->maps.jumps, &key, sizeof(key), &callee, sizeof(callee), 0))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "fill the program array");
	if (bpf_obj_pin(bpf_map__fd(skel->maps.jumps), pin))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "pin %s", pin);
	return 0;
}

bool fg_testbed_program_known(const char *program)
{
	struct policy_bpf *skel = policy_bpf__open();
	bool known = !strcmp(program, NO_BTF_PROGRAM) ||
		     (skel && bpf_object__find_program_by_name(skel->obj, program));

	policy_bpf__destroy(skel);
	return known;
}

/* As from a tool that strips its BTF: it cannot be traced by fexit. */
static int no_btf_load(struct fg_error *err)
{
	const struct bpf_insn drop[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_W,
		  .dst_reg = BPF_REG_2,
		  .src_reg = BPF_REG_1,
		  .off = offsetof(struct __sk_buff, protocol) },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K,
		  .dst_reg = BPF_REG_2,
		  .off = 1,
		  .imm = htons(ETH_P_ARP) },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, NO_BTF_PROGRAM, "GPL", drop, 5, NULL);

	return fd < 0 ? fg_fail_errno(err, FG_ERR_INTERNAL, errno, "load " NO_BTF_PROGRAM) : fd;
}

static int skeleton_load(struct policy_bpf *skel, const struct fg_testbed_policy *policy,
			 struct fg_error *err)
{
	bool tail = !strcmp(policy->program, "tail_entry");
	struct bpf_program *wanted, *p;
	int fd;

	wanted = bpf_object__find_program_by_name(skel->obj, policy->program);
	if (!wanted)
		return fg_fail(err, FG_ERR_USAGE, "no policy program \"%s\"", policy->program);
	bpf_object__for_each_program (p, skel->obj)
		bpf_program__set_autoload(p, p == wanted || (tail && p == skel->progs.tail_callee));
	rules_copy(skel, policy);
	if (policy_bpf__load(skel))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "load %s", policy->program);
	if (tail && tail_fill(skel, policy->pin, err))
		return -1;
	fd = dup(bpf_program__fd(wanted));
	return fd < 0 ? fg_fail_errno(err, FG_ERR_INTERNAL, errno, "dup") : fd;
}

/* Returns a descriptor of the loaded program (owned by the caller), or -1. */
static int policy_load(const struct fg_testbed_policy *policy, struct fg_error *err)
{
	struct policy_bpf *skel;
	int fd;

	if (!strcmp(policy->program, NO_BTF_PROGRAM))
		return no_btf_load(err);
	skel = policy_bpf__open();
	if (!skel)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "open the policy programs");
	fd = skeleton_load(skel, policy, err);
	policy_bpf__destroy(skel);
	return fd;
}

static bool on_pod_side(const struct fg_testbed_attachment *at)
{
	bool egress = at->hook == FG_TESTBED_TCX_EGRESS || at->hook == FG_TESTBED_TC_EGRESS;

	return egress != at->other_side;
}

/*
 * After those that are there: the first free priority. (The kernel's own choice would go
 * before them.)
 */
static int tc_attach(int ifindex, bool ingress, int fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
	int ret = bpf_tc_hook_create(&hook);

	if (ret && ret != -EEXIST)
		return ret;
	for (uint32_t priority = 1; priority < 100; priority++) {
		LIBBPF_OPTS(bpf_tc_opts, old, .handle = 1, .priority = priority);
		LIBBPF_OPTS(bpf_tc_opts, new, .handle = 1, .priority = priority, .prog_fd = fd);

		if (bpf_tc_query(&hook, &old))
			return bpf_tc_attach(&hook, &new);
	}
	return -ENOSPC;
}

static int mprog_attach(int ifindex, enum bpf_attach_type type, bool first, int fd)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, opts, .flags = first ? BPF_F_BEFORE : BPF_F_AFTER);

	return bpf_prog_attach_opts(fd, ifindex, type, &opts);
}

/* In the device's namespace. Returns 0 or a negative errno value. */
static int hook_attach(const struct fg_testbed_attachment *at, int ifindex, int fd)
{
	switch (at->hook) {
	case FG_TESTBED_TC_EGRESS:
	case FG_TESTBED_TC_INGRESS:
		return tc_attach(ifindex, at->hook == FG_TESTBED_TC_INGRESS, fd);
	case FG_TESTBED_XDP:
		return bpf_xdp_attach(
			ifindex, fd,
			XDP_FLAGS_UPDATE_IF_NOEXIST | (at->generic ? XDP_FLAGS_SKB_MODE : 0), NULL);
	default:
		return mprog_attach(ifindex, mprog_types[at->hook], at->first, fd);
	}
}

static int id_read(int fd, uint32_t *id, struct fg_error *err)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_prog_get_info_by_fd(fd, &info, &len))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "read a program's id");
	*id = info.id;
	return 0;
}

/* Enters the namespace of the device at a hook. back stays -1 if that is the present one. */
static int side_enter(const struct fg_testbed_devices *devices, int node,
		      const struct fg_testbed_attachment *at, int *back, struct fg_error *err)
{
	int netns = on_pod_side(at) ? devices->pod_netns : node;

	return netns < 0 ? 0 : fg_netns_enter(netns, back, err);
}

static void side_leave(int *back)
{
	if (*back >= 0)
		fg_netns_leave(back);
}

static int side_ifindex(const struct fg_testbed_devices *devices,
			const struct fg_testbed_attachment *at)
{
	return on_pod_side(at) ? devices->peer_ifindex : devices->primary_ifindex;
}

int fg_testbed_program_attach(const struct fg_testbed_devices *devices, int node,
			      const struct fg_testbed_attachment *at, int fd, struct fg_error *err)
{
	int back = -1, ret;

	if (side_enter(devices, node, at, &back, err))
		return -1;
	ret = hook_attach(at, side_ifindex(devices, at), fd);
	side_leave(&back);
	if (ret)
		return fg_fail_errno(err, ret == -EINVAL ? FG_ERR_UNSUPPORTED : FG_ERR_INTERNAL,
				     -ret, "attach a program to %s",
				     fg_testbed_hook_names[at->hook]);
	return 0;
}

int fg_testbed_policy_attach(const struct fg_testbed_devices *devices, int node,
			     const struct fg_testbed_attachment *at,
			     const struct fg_testbed_policy *policy, uint32_t *id,
			     struct fg_error *err)
{
	FG_FD int fd = policy_load(policy, err);
	uint32_t loaded = 0;

	if (fd < 0 || id_read(fd, &loaded, err))
		return -1;
	if (fg_testbed_program_attach(devices, node, at, fd, err))
		return fg_error_prefix(err, "%s", policy->program);
	*id = loaded;
	return 0;
}

static int mprog_detach(int ifindex, enum bpf_attach_type type, uint32_t id)
{
	FG_FD int fd = bpf_prog_get_fd_by_id(id);
	LIBBPF_OPTS(bpf_prog_detach_opts, opts);

	return fd < 0 ? -errno : bpf_prog_detach_opts(fd, ifindex, type, &opts);
}

int fg_testbed_policy_detach(const struct fg_testbed_devices *devices, int node,
			     const struct fg_testbed_attachment *at, uint32_t id,
			     struct fg_error *err)
{
	int ifindex = side_ifindex(devices, at), back = -1, ret;

	if (at->hook == FG_TESTBED_TC_EGRESS || at->hook == FG_TESTBED_TC_INGRESS)
		return fg_fail(err, FG_ERR_USAGE, "tc filters are only removed with their device");
	if (side_enter(devices, node, at, &back, err))
		return -1;
	if (at->hook == FG_TESTBED_XDP)
		ret = bpf_xdp_detach(ifindex, at->generic ? XDP_FLAGS_SKB_MODE : 0, NULL);
	else
		ret = mprog_detach(ifindex, mprog_types[at->hook], id);
	side_leave(&back);
	if (ret)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "detach program %u", id);
	return 0;
}

/* The map that holds the programs' counters: the one called *.bss. Returns a descriptor or -1. */
static int bss_open(int prog_fd)
{
	uint32_t ids[8], len;
	struct bpf_prog_info info = { .nr_map_ids = 8, .map_ids = (uintptr_t)ids };

	len = sizeof(info);
	if (bpf_prog_get_info_by_fd(prog_fd, &info, &len))
		return -1;
	for (uint32_t i = 0; i < info.nr_map_ids && i < 8; i++) {
		FG_FD int fd = bpf_map_get_fd_by_id(ids[i]);
		struct bpf_map_info map = {};

		len = sizeof(map);
		if (fd >= 0 && !bpf_map_get_info_by_fd(fd, &map, &len) && strstr(map.name, ".bss"))
			return fg_fd_take(&fd);
	}
	return -1;
}

int fg_testbed_policy_seen(uint32_t id, uint64_t *seen, uint64_t *denied, struct fg_error *err)
{
	FG_FD int prog = bpf_prog_get_fd_by_id(id);
	FG_FD int map = prog < 0 ? -1 : bss_open(prog);
	struct policy_bpf__bss bss;
	uint32_t key = 0;

	if (map < 0)
		return fg_fail(err, FG_ERR_USAGE, "program %u: not a policy program of the testbed",
			       id);
	if (bpf_map_lookup_elem(map, &key, &bss))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "program %u: counters", id);
	*seen = bss.packets_seen;
	*denied = bss.packets_denied;
	return 0;
}

/* Asked of lo in a namespace of its own, where its index is 1. */
bool fg_testbed_has_tcx(void)
{
	LIBBPF_OPTS(bpf_prog_query_opts, opts);
	FG_FD int netns = fg_netns_create(NULL);
	int back, ret;

	if (netns < 0 || fg_netns_enter(netns, &back, NULL))
		return false;
	ret = bpf_prog_query_opts(1, BPF_TCX_INGRESS, &opts);
	fg_netns_leave(&back);
	return !ret;
}
