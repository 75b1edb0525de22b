// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_policy.c - what stands at a device's hooks, as the kernel lists it: programs of their own
 * attachment, tc filters of every kind with their actions, in the kernel's order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include "base/count.h"
#include "base/fd.h"
#include "datapath/policy.h"
#include "node/tc.h"
#include "prog.h"
#include "shell.h"
#include "trait.h"

struct bench {
	int netns;
	struct nl_sock *rtnl;
	struct fg_link link;
	int program;
	uint32_t id;
	struct fg_ladder ladder;
};

static struct bench bench = { .netns = -1, .program = -1 };

static uint32_t id_of(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	assert_int_equal(bpf_prog_get_info_by_fd(fd, &info, &len), 0);
	return info.id;
}

static int load_program(enum bpf_prog_type type)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(type, "let_pass", "GPL", insns, 2, NULL);

	assert_true(fd >= 0);
	return fd;
}

static int setup(void **state)
{
	struct fg_error err = {};

	bench.netns = fg_netns_create(&err);
	assert_true(bench.netns >= 0);
	assert_int_equal(shell_run(bench.netns, "ip link add v0 type veth peer name v1 && "
						"ip link set v0 up && ip link set v1 up && "
						"tc qdisc add dev v0 clsact"),
			 0);
	bench.rtnl = fg_rtnl_open(bench.netns, &err);
	assert_non_null(bench.rtnl);
	bench.program = load_program(BPF_PROG_TYPE_SCHED_CLS);
	bench.id = id_of(bench.program);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fg_ladder_free(&bench.ladder);
	nl_socket_free(bench.rtnl);
	fg_fd_close(&bench.program);
	fg_fd_close(&bench.netns);
	return 0;
}

static const struct fg_ladder *list(bool egress)
{
	struct fg_error err = {};

	fg_ladder_free(&bench.ladder);
	if (fg_link_get(bench.rtnl, 0, "v0", &bench.link, &err) ||
	    fg_policy_list_device(bench.netns, fg_netns_inode(bench.netns), bench.rtnl, &bench.link,
				  egress, &bench.ladder, &err))
		fail_msg("%s", err.message);
	return &bench.ladder;
}

static void tc(const char *text)
{
	assert_int_equal(shell_run(bench.netns, "tc %s", text), 0);
}

/* Whether this kernel has a kind of filter or action; tried where it is in nobody's way. */
static void need(const char *filter)
{
	if (shell_try(bench.netns,
		      "tc qdisc add dev v1 clsact; tc filter add dev v1 egress %s; x=$?; "
		      "tc qdisc del dev v1 clsact; exit $x",
		      filter))
		prog_skip("this kernel cannot: tc filter %s", filter);
}

/* An eBPF filter, as tc(8) attaches one. */
struct ebpf {
	uint32_t parent, pref, chain;
	uint16_t protocol;
	bool classifier;
	int ifindex;
};

static void attach(const struct ebpf *e)
{
	const struct tcmsg head = {
		.tcm_ifindex = e->ifindex ? e->ifindex : bench.link.ifindex,
		.tcm_parent = e->parent,
		.tcm_info = TC_H_MAKE(e->pref << 16, htons(e->protocol)),
	};
	FG_NL_MSG struct nl_msg *msg =
		nlmsg_alloc_simple(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *options;

	assert_non_null(msg);
	nlmsg_append(msg, (void *)&head, sizeof(head), NLMSG_ALIGNTO);
	nla_put_string(msg, TCA_KIND, "bpf");
	nla_put_u32(msg, TCA_CHAIN, e->chain);
	options = nla_nest_start(msg, TCA_OPTIONS);
	nla_put_u32(msg, TCA_BPF_FD, (uint32_t)bench.program);
	nla_put_string(msg, TCA_BPF_NAME, "let_pass");
	nla_put_u32(msg, TCA_BPF_FLAGS, e->classifier ? 0 : TCA_BPF_FLAG_ACT_DIRECT);
	nla_nest_end(msg, options);
	assert_int_equal(fg_rtnl_request(bench.rtnl, msg), 0);
}

#define EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

static void expect_text(const struct fg_program *filter, const char *text)
{
	char buf[FG_LADDER_FILTER_LEN];

	assert_string_equal(fg_ladder_filter_text(filter, buf, sizeof(buf)), text);
}

static void test_nothing(void **state)
{
	const struct fg_ladder *l = list(true);

	(void)state;
	assert_int_equal(l->count, 0);
	assert_int_equal(l->filter_count, 0);
	assert_false(l->other_filters);
}

static void test_u32_without_action_accepts(void **state)
{
	const struct fg_ladder *l;

	(void)state;
	tc("filter add dev v0 egress pref 10 protocol ip u32 match ip dst 10.0.0.1 flowid 1:1");
	l = list(true);
	assert_int_equal(l->count, 0);
	assert_int_equal(l->filter_count, 1);
	assert_true(l->other_filters);
	assert_int_equal(l->filters[0].kind, FG_RUNG_FILTER);
	assert_int_equal(l->filters[0].hook, FG_HOOK_TC_EGRESS);
	assert_int_equal(l->filters[0].action, FG_TC_PASS);
	assert_int_equal(l->filters[0].protocol, ETH_P_IP);
	assert_int_equal(l->filters[0].ifindex, bench.link.ifindex);
	assert_string_equal(l->filters[0].device, "v0");
	assert_false(l->filters[0].may_drop);
	expect_text(&l->filters[0], "u32 pref 10 handle 800::800, pass");
}

static void test_mirred(void **state)
{
	const struct fg_ladder *l;

	(void)state;
	tc("filter add dev v0 ingress pref 1 protocol ip u32 match u32 0 0 "
	   "action mirred egress redirect dev v1");
	tc("filter add dev v0 ingress pref 2 protocol ip u32 match u32 0 0 "
	   "action mirred ingress mirror dev v1");
	l = list(false);
	assert_int_equal(l->filter_count, 2);
	assert_int_equal(l->filters[0].action, FG_TC_REDIRECT);
	assert_string_equal(l->filters[0].target, "v1");
	expect_text(&l->filters[0], "u32 pref 1 handle 800::800, redirect to v1");
	assert_int_equal(l->filters[1].action, FG_TC_MIRROR);
	expect_text(&l->filters[1], "u32 pref 2 handle 801::800, mirror to ingress of v1");
	assert_int_equal(list(true)->filter_count, 0);
}

/* A classic one has no program id, and stands before the program: what it drops no program sees. */
static void test_classic_bpf_stands_before(void **state)
{
	const struct fg_ladder *l;

	(void)state;
	list(true);
	tc("filter add dev v0 egress pref 1 protocol ip bpf bytecode '1,6 0 0 0,' "
	   "action mirred egress redirect dev v1");
	attach(&(struct ebpf){ .parent = EGRESS, .pref = 5, .protocol = ETH_P_ALL });
	tc("filter add dev v0 egress pref 9 protocol ip u32 match u32 0 0 flowid 1:1");
	l = list(true);
	assert_int_equal(l->count, 1);
	assert_int_equal(l->programs[0].id, bench.id);
	assert_int_equal(l->programs[0].pref, 5);
	assert_int_equal(l->programs[0].kind, FG_RUNG_BPF);
	assert_int_equal(l->programs[0].protocol, 0);
	assert_false(l->programs[0].classifier);
	assert_string_equal(l->programs[0].name, "let_pass");
	assert_int_equal(l->filter_count, 2);
	assert_true(l->other_filters);
	assert_int_equal(l->filters[0].kind, FG_RUNG_CBPF);
	assert_int_equal(l->filters[0].before, 0);
	assert_int_equal(l->filters[1].before, 1);
	expect_text(&l->filters[0], "bpf (classic) pref 1 handle 0x1, redirect to v1");
}

static void test_the_same_program_twice(void **state)
{
	struct fg_ladder before = {};
	const struct fg_ladder *l;

	(void)state;
	list(true);
	attach(&(struct ebpf){ .parent = EGRESS, .pref = 1, .protocol = ETH_P_IPV6 });
	attach(&(struct ebpf){ .parent = EGRESS, .pref = 2, .protocol = ETH_P_IP });
	l = list(true);
	assert_int_equal(l->count, 2);
	assert_int_equal(l->programs[0].id, l->programs[1].id);
	assert_int_equal(l->programs[0].protocol, ETH_P_IPV6);
	assert_int_equal(l->programs[1].protocol, ETH_P_IP);
	assert_int_equal(l->programs[0].pref, 1);
	assert_int_equal(l->programs[1].pref, 2);
	assert_false(l->other_filters);
	/* Put elsewhere it is another ladder, though the programs are the same. */
	before = *l;
	bench.ladder = (struct fg_ladder){};
	assert_true(fg_policy_same(&before, list(true)));
	tc("filter del dev v0 egress pref 2");
	attach(&(struct ebpf){ .parent = EGRESS, .pref = 3, .protocol = ETH_P_IP });
	assert_false(fg_policy_same(&before, list(true)));
	fg_ladder_free(&before);
}

/* What is in another chain is reached by nobody but who goes there. */
static void test_other_chains(void **state)
{
	const struct fg_ladder *l;

	(void)state;
	list(true);
	attach(&(struct ebpf){ .parent = EGRESS, .pref = 1, .protocol = ETH_P_ALL, .chain = 7 });
	attach(&(struct ebpf){ .parent = EGRESS, .pref = 2, .protocol = ETH_P_ALL });
	l = list(true);
	assert_int_equal(l->count, 1);
	assert_int_equal(l->programs[0].pref, 2);
	assert_int_equal(l->filter_count, 1);
	assert_int_equal(l->filters[0].chain, 7);
	assert_int_equal(l->filters[0].kind, FG_RUNG_BPF);
	assert_int_equal(l->filters[0].id, bench.id);
	assert_int_equal(l->filters[0].before, 1);
	assert_string_equal(l->filters[0].name, "let_pass");
	expect_text(&l->filters[0], "bpf pref 1 handle 0x1 chain 7");
}

static void test_filters_of_a_qdisc(void **state)
{
	const struct fg_ladder *l;

	(void)state;
	tc("qdisc add dev v0 root handle 1: htb default 1");
	tc("class add dev v0 parent 1: classid 1:1 htb rate 1gbit");
	list(true);
	attach(&(struct ebpf){ .parent = 1 << 16, .pref = 1, .protocol = ETH_P_ALL });
	tc("filter add dev v0 parent 1: pref 2 protocol ip u32 match u32 0 0 flowid 1:1");
	l = list(true);
	assert_int_equal(l->count, 0);
	assert_int_equal(l->filter_count, 2);
	assert_true(l->pod_qdisc);
	/* They choose a class; what stands at clsact is another matter. */
	assert_false(l->other_filters);
	assert_int_equal(l->filters[0].id, bench.id);
	assert_int_equal(l->filters[0].parent, 1 << 16);
	expect_text(&l->filters[0], "bpf pref 1 handle 0x1 parent 1:");
	expect_text(&l->filters[1], "u32 pref 2 handle 800::800 parent 1:, pass");
}

static void test_shared_block(void **state)
{
	const struct fg_ladder *l;

	(void)state;
	tc("qdisc add dev v1 egress_block 21 ingress_block 22 clsact");
	tc("filter add block 21 pref 3 protocol ip u32 match u32 0 0 flowid 1:1");
	assert_int_equal(fg_link_get(bench.rtnl, 0, "v1", &bench.link, NULL), 0);
	assert_int_equal(fg_policy_list_device(bench.netns, 1, bench.rtnl, &bench.link, true,
					       &bench.ladder, NULL),
			 0);
	l = &bench.ladder;
	assert_int_equal(l->filter_count, 1);
	assert_int_equal(l->filters[0].block, 21);
	assert_int_equal(l->filters[0].parent, 0);
	expect_text(&l->filters[0], "u32 pref 3 handle 800::800 block 21, pass");
}

static void test_tcx_stands_before_tc(void **state)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	const struct fg_ladder *l;
	FG_FD int link = -1;
	int back;

	(void)state;
	list(true);
	attach(&(struct ebpf){ .parent = EGRESS, .pref = 1, .protocol = ETH_P_ALL });
	assert_int_equal(fg_netns_enter(bench.netns, &back, NULL), 0);
	link = bpf_link_create(bench.program, bench.link.ifindex, BPF_TCX_EGRESS, &opts);
	fg_netns_leave(&back);
	if (link < 0)
		prog_skip("this kernel has no tcx");
	l = list(true);
	assert_int_equal(l->count, 2);
	assert_int_equal(l->programs[0].hook, FG_HOOK_TCX_EGRESS);
	assert_int_equal(l->programs[1].hook, FG_HOOK_TC_EGRESS);
	assert_int_equal(l->programs[0].side, FG_SIDE_HOST);
}

/* The kernel cuts them off; their BTF has them whole. In the order in which they are asked. */
static void test_names(void **state)
{
	static const char *const names[] = { "cil_from_container_too", "fifteen_letters",
					     "cil_from_container" };
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	const struct fg_ladder *l;
	int links[COUNT(names)], back;

	(void)state;
	list(false);
	for (size_t i = 0; i < COUNT(names); i++) {
		FG_FD int program = trait_load(names[i], &(struct traits_settings){}, NULL);

		assert_true(program >= 0);
		assert_int_equal(fg_netns_enter(bench.netns, &back, NULL), 0);
		links[i] = bpf_link_create(program, bench.link.ifindex, BPF_TCX_INGRESS, &opts);
		fg_netns_leave(&back);
		if (links[i] < 0)
			prog_skip("this kernel has no tcx");
	}
	l = list(false);
	assert_int_equal(l->count, COUNT(names));
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_string_equal(l->programs[i].name, names[i]);
		assert_int_equal(l->programs[i].hook, FG_HOOK_TCX_INGRESS);
		assert_string_equal(l->programs[i].device, "v0");
		fg_fd_close(&links[i]);
	}
}

/* Kinds that not every kernel has: each with what it says of itself. */
static void expect_filter(const char *filter, enum fg_tc_action action, bool may_drop,
			  const char *text)
{
	const struct fg_ladder *l;
	char command[256];

	need(filter);
	snprintf(command, sizeof(command), "filter add dev v0 egress %s", filter);
	tc(command);
	l = list(true);
	assert_int_equal(l->filter_count, 1);
	assert_int_equal(l->filters[0].action, action);
	assert_int_equal(l->filters[0].may_drop, may_drop);
	expect_text(&l->filters[0], text);
}

static void test_flower_drop(void **state)
{
	(void)state;
	expect_filter("pref 4 protocol ip flower dst_ip 10.0.0.1 action drop", FG_TC_DROP, true,
		      "flower pref 4 handle 0x1, drop");
}

static void test_flower_random(void **state)
{
	(void)state;
	expect_filter("pref 4 protocol ip flower action pass random netrand drop 2", FG_TC_OTHER,
		      true, "flower pref 4 handle 0x1, action gact");
}

static void test_matchall_police(void **state)
{
	(void)state;
	expect_filter("pref 5 protocol all matchall action police rate 1mbit burst 10k drop",
		      FG_TC_POLICE, true, "matchall pref 5 handle 0x1, police");
}

static void test_goto_chain(void **state)
{
	(void)state;
	expect_filter("pref 6 protocol ip flower action goto chain 3", FG_TC_GOTO, false,
		      "flower pref 6 handle 0x1, goto chain 3");
	assert_int_equal(bench.ladder.filters[0].goto_chain, 3);
}

static void test_connection_tracking(void **state)
{
	(void)state;
	expect_filter("pref 7 protocol ip flower action ct", FG_TC_OTHER, true,
		      "flower pref 7 handle 0x1, action ct");
}

static void test_skbedit_then_redirect(void **state)
{
	(void)state;
	expect_filter("pref 8 protocol ip flower action skbedit mark 7 pipe "
		      "action mirred egress redirect dev v1",
		      FG_TC_REDIRECT, true, "flower pref 8 handle 0x1, redirect to v1");
	assert_string_equal(bench.ladder.filters[0].action_text, "skbedit, mirred");
}

static void test_mirror_then_drop(void **state)
{
	(void)state;
	expect_filter("pref 8 protocol ip u32 match u32 0 0 action mirred egress mirror dev v1 "
		      "pipe action drop",
		      FG_TC_DROP, true, "u32 pref 8 handle 800::800, drop");
	assert_string_equal(bench.ladder.filters[0].target, "v1");
}

static void test_continue(void **state)
{
	(void)state;
	expect_filter("pref 8 protocol ip basic action continue", FG_TC_NEXT, false,
		      "basic pref 8 handle 0x1, next");
}

static void test_classic_bpf_drop(void **state)
{
	(void)state;
	expect_filter("pref 1 protocol ip bpf bytecode '1,6 0 0 0,' action drop", FG_TC_DROP, true,
		      "bpf (classic) pref 1 handle 0x1, drop");
}

static void test_fw(void **state)
{
	(void)state;
	expect_filter("pref 1 protocol ip handle 5 fw classid 1:1 action drop", FG_TC_DROP, true,
		      "fw pref 1 handle 0x5, drop");
}

static struct bpf_object *open_object(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/tests/bpf/%s.bpf.o", FLOWGEN_BUILD_DIR, name);
	return bpf_object__open_file(path, NULL);
}

static struct bpf_link *replace_part(struct bpf_object *object, int target)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, "stand_in");
	struct bpf_link *link = NULL;

	if (!bpf_program__set_attach_target(program, target, "part") && !bpf_object__load(object))
		link = bpf_program__attach_freplace(program, 0, NULL);
	return link;
}

static void test_extension(void **state)
{
	struct bpf_object *target = open_object("dispatch"), *object = open_object("stand_in");
	struct bpf_link *link = NULL;

	(void)state;
	assert_non_null(target);
	assert_non_null(object);
	prog_load(target);
	fg_fd_close(&bench.program);
	bench.program = dup(prog_fd(target, "dispatch"));
	list(true);
	attach(&(struct ebpf){ .parent = EGRESS, .pref = 1, .protocol = ETH_P_ALL });
	list(true);
	fg_policy_find_extensions(&bench.ladder);
	assert_int_equal(bench.ladder.programs[0].extensions, 0);
	link = replace_part(object, bench.program);
	if (link) {
		fg_policy_find_extensions(&bench.ladder);
		assert_int_equal(bench.ladder.programs[0].extensions, 1);
		assert_int_equal(bench.ladder.programs[0].extension,
				 id_of(prog_fd(object, "stand_in")));
	}
	bpf_link__destroy(link);
	fg_policy_find_extensions(&bench.ladder);
	assert_int_equal(bench.ladder.programs[0].extensions, 0);
	bpf_object__close(object);
	bpf_object__close(target);
	if (!link)
		prog_skip("this kernel refuses freplace");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_nothing),
		T(test_u32_without_action_accepts),
		T(test_mirred),
		T(test_classic_bpf_stands_before),
		T(test_the_same_program_twice),
		T(test_other_chains),
		T(test_filters_of_a_qdisc),
		T(test_shared_block),
		T(test_tcx_stands_before_tc),
		T(test_names),
		T(test_flower_drop),
		T(test_flower_random),
		T(test_matchall_police),
		T(test_goto_chain),
		T(test_connection_tracking),
		T(test_skbedit_then_redirect),
		T(test_mirror_then_drop),
		T(test_continue),
		T(test_classic_bpf_drop),
		T(test_fw),
		T(test_extension),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
