// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_hooks.c - what stands at netfilter's hooks, in namespaces of the tests' own: which of it can
 * deny, and what it is called. On kernels with nfnetlink_hook and on those without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "node/hooks.h"
#include "node/ipvs.h"
#include "net/netns.h"
#include "net/nft.h"
#include "prog.h"
#include "shell.h"

struct bench {
	int netns;
	struct fg_hooks hooks;
};

static struct bench bench = { .netns = -1 };

static int setup(void **state)
{
	struct fg_error err = {};

	(void)state;
	bench.netns = fg_netns_create(&err);
	assert_true(bench.netns >= 0);
	return shell_run(bench.netns, "ip link set lo up");
}

static int teardown(void **state)
{
	(void)state;
	fg_hooks_free(&bench.hooks);
	fg_fd_close(&bench.netns);
	return 0;
}

static const struct fg_hooks *list(void)
{
	struct fg_error err = {};

	fg_hooks_free(&bench.hooks);
	if (fg_hooks_list(bench.netns, &bench.hooks, &err))
		fail_msg("%s", err.message);
	return &bench.hooks;
}

static void need(const char *command)
{
	if (shell_try(bench.netns, "%s", command))
		prog_skip("this machine cannot: %s", command);
}

/* Those that can deny, by name, with the hook: "ip forward: nft inet t c; ..." */
static const char *policies(const struct fg_hooks *hooks)
{
	static char text[4096];
	char name[FG_HOOKS_TEXT_LEN];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < hooks->count; i++) {
		const struct fg_hooks_entry *e = &hooks->list[i];

		if (!fg_hooks_is_policy(e) || e->elsewhere)
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %s%s%s: %s",
					len ? "; " : "", fg_netfilter_family(e->family),
					fg_hooks_hook_name(e->family, e->hook),
					e->device[0] ? " " : "", e->device,
					fg_hooks_text(e, name, sizeof(name)));
	}
	return text;
}

/* What a caller gets where sockets of netfilter are refused with that error. */
static int refused_with(int code, struct fg_error *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct fg_hooks hooks;

	if (!filter ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)code), SCMP_SYS(socket), 1,
			     SCMP_A2(SCMP_CMP_EQ, NETLINK_NETFILTER)) ||
	    seccomp_load(filter))
		return 2;
	return fg_hooks_list(bench.netns, &hooks, err) ? 1 : hooks.count ? 3 : 0;
}

/*
 * A kernel without netfilter: nothing stands at its hooks, and that is known. Who may not ask knows
 * nothing. Not all callers want to know of failures.
 */
static void test_without_its_sockets(void **state)
{
	static const int codes[] = { EPROTONOSUPPORT, EACCES, EPERM, EMFILE };

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct fg_error err = {};
		pid_t pid = fork();
		int status = 0;

		if (!pid)
			_exit(refused_with(codes[i / 2], i % 2 ? &err : NULL));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
			prog_skip("no filter of system calls can be installed");
		assert_int_equal(status, i < 2 ? 0 : 1 << 8);
	}
}

static void test_nothing(void **state)
{
	const struct fg_hooks *h = list();

	(void)state;
	assert_string_equal(policies(h), "");
	assert_false(fg_hooks_policy_at(h, NFPROTO_IPV4, NF_INET_FORWARD));
	printf("# nfnetlink_hook: %s\n", h->whole ? "yes" : "no");
}

static void test_empty_chains_deny_nothing(void **state)
{
	(void)state;
	need("nft add table inet t && "
	     "nft add chain inet t forward '{ type filter hook forward priority 0; }'");
	assert_string_equal(policies(list()), "");
	assert_int_equal(shell_run(bench.netns, "nft add rule inet t forward counter"), 0);
	assert_string_equal(policies(list()), "ip forward: nft inet t forward; "
					      "ip6 forward: nft inet t forward");
	assert_true(fg_hooks_policy_at(&bench.hooks, NFPROTO_IPV6, NF_INET_FORWARD));
	assert_false(fg_hooks_policy_at(&bench.hooks, NFPROTO_IPV6, NF_INET_LOCAL_IN));
	assert_false(fg_hooks_policy_at(&bench.hooks, NFPROTO_BRIDGE, NF_INET_FORWARD));
}

static void test_policy_drop(void **state)
{
	const struct fg_hooks_entry *e;

	(void)state;
	need("nft add table ip t && "
	     "nft add chain ip t in '{ type filter hook input priority 5; policy drop; }'");
	assert_string_equal(policies(list()), "ip input: nft ip t in");
	e = fg_hooks_policy_next(&bench.hooks, NFPROTO_IPV4, NF_INET_LOCAL_IN, NULL, NULL);
	assert_non_null(e);
	assert_true(e->drops);
	assert_int_equal(e->rules, 0);
	assert_int_equal(e->priority, 5);
	assert_int_equal(e->kind, FG_HOOKS_NFT);
	assert_string_equal(e->type, "filter");
	assert_null(fg_hooks_policy_next(&bench.hooks, NFPROTO_IPV4, NF_INET_LOCAL_IN, NULL, e));
}

static void test_nat_only_translates(void **state)
{
	size_t translate = 0;

	(void)state;
	need("nft add table ip t && "
	     "nft add chain ip t pre '{ type nat hook prerouting priority -100; }' && "
	     "nft add rule ip t pre ip daddr 10.9.9.9 dnat to 10.0.0.1");
	assert_string_equal(policies(list()), "");
	for (size_t i = 0; i < bench.hooks.count; i++)
		translate += fg_hooks_translates(&bench.hooks.list[i]);
	assert_int_equal(translate, 1);
}

/* In the order in which they run, whatever the order in which they came. */
static void test_order(void **state)
{
	(void)state;
	need("nft add table inet b && nft add table ip a && "
	     "nft add chain ip a late '{ type filter hook forward priority 20; policy drop; }' && "
	     "nft add chain inet b early '{ type filter hook forward priority -20; policy drop; }' && "
	     "nft add chain ip a mid '{ type filter hook forward priority 0; policy drop; }'");
	assert_string_equal(policies(list()),
			    "ip forward: nft inet b early; ip forward: nft ip a mid; "
			    "ip forward: nft ip a late; ip6 forward: nft inet b early");
}

static void test_devices(void **state)
{
	const struct fg_hooks *h;

	(void)state;
	need("ip link add v0 type veth peer name v1 && nft add table netdev t && "
	     "nft add chain netdev t e '{ type filter hook egress device v0 priority 0; policy drop; }'");
	need("nft add table inet t && "
	     "nft add chain inet t i '{ type filter hook ingress device v1 priority 0; policy drop; }'");
	h = list();
	assert_string_equal(policies(h),
			    "netdev egress v0: nft netdev t e; netdev ingress v1: nft inet t i");
	assert_non_null(fg_hooks_policy_next(h, NFPROTO_NETDEV, NF_NETDEV_EGRESS, "v0", NULL));
	assert_null(fg_hooks_policy_next(h, NFPROTO_NETDEV, NF_NETDEV_EGRESS, "v1", NULL));
	/* What the device itself is asked for is not listed twice. */
	assert_int_equal(fg_hooks_list_device(bench.netns, "v0", &bench.hooks, NULL), 0);
	assert_string_equal(policies(h),
			    "netdev egress v0: nft netdev t e; netdev ingress v1: nft inet t i");
}

static void test_bridge(void **state)
{
	(void)state;
	need("nft add table bridge t && "
	     "nft add chain bridge t f '{ type filter hook forward priority 0; policy drop; }'");
	assert_string_equal(policies(list()), "bridge forward: nft bridge t f");
}

static void test_iptables_nft(void **state)
{
	(void)state;
	need("iptables-nft -A FORWARD -j DROP && iptables-nft -t nat -A PREROUTING -j ACCEPT");
	assert_string_equal(policies(list()), "ip forward: nft ip filter FORWARD");
}

static void test_iptables_legacy(void **state)
{
	const struct fg_hooks_entry *e;
	const struct fg_hooks *h;

	(void)state;
	need("iptables-legacy -t filter -L && iptables-legacy -t nat -A PREROUTING -j ACCEPT");
	assert_string_equal(policies(list()), "");
	assert_int_equal(shell_run(bench.netns, "iptables-legacy -A FORWARD -d 10.0.0.1 -j DROP"),
			 0);
	assert_string_equal(policies(list()), "ip forward: iptables-legacy filter FORWARD");
	/* No trace names a rule of it; that there is one such table is a name too. */
	assert_int_equal(fg_hooks_untraced(&bench.hooks, NFPROTO_IPV4, &e, 1), 1);
	assert_string_equal(e->chain, "FORWARD");
	assert_int_equal(fg_hooks_untraced(&bench.hooks, NFPROTO_IPV6, &e, 1), 0);
	assert_int_equal(shell_run(bench.netns, "iptables-legacy -F && "
						"iptables-legacy -P OUTPUT DROP && "
						"iptables-legacy -t mangle -A INPUT -j DROP"),
			 0);
	h = list();
	assert_string_equal(policies(h), "ip input: iptables-legacy mangle INPUT; "
					 "ip output: iptables-legacy filter OUTPUT");
}

static void test_ip6tables_legacy(void **state)
{
	(void)state;
	need("ip6tables-legacy -P FORWARD DROP");
	assert_string_equal(policies(list()), "ip6 forward: ip6tables-legacy filter FORWARD");
}

static void test_ebtables_legacy(void **state)
{
	(void)state;
	need("ebtables-legacy -A FORWARD -j DROP");
	if (!list()->whole)
		prog_skip("without nfnetlink_hook nothing tells of ebtables-legacy");
	assert_non_null(
		strstr(policies(&bench.hooks), "bridge forward: ebtables-legacy filter FORWARD"));
}

static void test_connection_tracking(void **state)
{
	bool found = false;

	(void)state;
	need("nft add table ip t && "
	     "nft add chain ip t pre '{ type filter hook prerouting priority 0; }' && "
	     "nft add rule ip t pre ct state new accept");
	if (!list()->whole)
		prog_skip("without nfnetlink_hook functions of the kernel are not listed");
	for (size_t i = 0; i < bench.hooks.count; i++)
		found |= bench.hooks.list[i].kind == FG_HOOKS_CONNTRACK;
	assert_true(found);
	assert_string_equal(policies(&bench.hooks), "ip prerouting: nft ip t pre");
}

/* Attached in the namespace of whoever makes the link. */
static int attach_netfilter_program(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = NF_ACCEPT },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, load, .expected_attach_type = BPF_NETFILTER);
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	FG_FD int program =
		bpf_prog_load(BPF_PROG_TYPE_NETFILTER, "let_pass", "GPL", insns, 2, &load);
	int back, link;

	opts.netfilter.pf = NFPROTO_IPV4;
	opts.netfilter.hooknum = NF_INET_FORWARD;
	opts.netfilter.priority = -128;
	if (program < 0)
		return -1;
	assert_int_equal(fg_netns_enter(bench.netns, &back, NULL), 0);
	link = bpf_link_create(program, 0, BPF_NETFILTER, &opts);
	fg_netns_leave(&back);
	return link;
}

static void test_bpf_program(void **state)
{
	FG_FD int link = attach_netfilter_program();
	const struct fg_hooks_entry *e;
	char name[FG_HOOKS_TEXT_LEN], expected[64];

	(void)state;
	if (link < 0)
		prog_skip("this kernel has no netfilter programs (Linux 6.4)");
	e = fg_hooks_policy_next(list(), NFPROTO_IPV4, NF_INET_FORWARD, NULL, NULL);
	assert_non_null(e);
	assert_int_equal(e->kind, FG_HOOKS_BPF);
	assert_int_equal(e->priority, -128);
	/* Where the hook is not asked, the link does not tell its namespace. */
	assert_int_equal(e->elsewhere, !bench.hooks.whole);
	assert_string_equal(e->name, "let_pass");
	snprintf(expected, sizeof(expected), "BPF program %u (let_pass)", e->program);
	assert_string_equal(fg_hooks_text(e, name, sizeof(name)), expected);
}

static void test_own_tables_are_left_out(void **state)
{
	(void)state;
	need("nft add table inet " FG_NFT_TABLE_PREFIX "1 && "
	     "nft add chain inet " FG_NFT_TABLE_PREFIX
	     "1 c '{ type filter hook forward priority 0; policy drop; }'");
	assert_string_equal(policies(list()), "");
}

static void test_ipvs(void **state)
{
	struct fg_flow flow = { .family = AF_INET,
				.src.family = AF_INET,
				.dst.family = AF_INET,
				.protocol = IPPROTO_TCP,
				.dport = 80 };
	struct fg_ipvs_services at;
	uint32_t services, backends;
	bool found = false;

	(void)state;
	if (shell_try(bench.netns, "modprobe ip_vs; test -e /proc/net/ip_vs"))
		prog_skip("this kernel has no IPVS");
	need("ipvsadm -A -t 10.1.1.1:80 -s rr");
	list();
	for (size_t i = 0; i < bench.hooks.count; i++)
		found |= bench.hooks.list[i].kind == FG_HOOKS_IPVS;
	assert_true(found);
	assert_string_equal(policies(&bench.hooks), "");
	/* Where it leads is in its tables. */
	assert_int_equal(shell_run(bench.netns, "ipvsadm -a -t 10.1.1.1:80 -r 10.0.0.2:8080 -m"),
			 0);
	inet_pton(AF_INET, "10.1.1.1", flow.dst.bytes);
	assert_int_equal(fg_ipvs_find(bench.netns, &flow.dst, &flow, &at, NULL), 0);
	assert_int_equal(at.count, 1);
	assert_int_equal(at.list[0].backends, 1);
	assert_int_equal(at.list[0].port, 80);
	assert_int_equal(at.list[0].to.family, 0);
	fg_ipvs_free(&at);
	assert_int_equal(fg_ipvs_count(bench.netns, &services, &backends, NULL), 0);
	assert_int_equal(services, 1);
	assert_int_equal(backends, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_nothing),
		T(test_without_its_sockets),
		T(test_empty_chains_deny_nothing),
		T(test_policy_drop),
		T(test_nat_only_translates),
		T(test_order),
		T(test_devices),
		T(test_bridge),
		T(test_iptables_nft),
		T(test_iptables_legacy),
		T(test_ip6tables_legacy),
		T(test_ebtables_legacy),
		T(test_connection_tracking),
		T(test_bpf_program),
		T(test_own_tables_are_left_out),
		T(test_ipvs),
	};

	return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
