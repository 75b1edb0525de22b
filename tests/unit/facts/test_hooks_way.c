// SPDX-License-Identifier: GPL-2.0-only
/* What of netfilter can have denied a packet on its way past the hooks, and how that is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "facts/hooks.h"

#define HOOKS 5

/* A program at each hook of IP, in the order of their numbers. */
static struct fg_hooks_entry list[HOOKS + 4];
static struct fg_hooks hooks;

static int set_up(void **state)
{
	(void)state;
	memset(list, 0, sizeof(list));
	for (uint32_t i = 0; i < HOOKS; i++)
		list[i] = (struct fg_hooks_entry){
			.kind = FG_HOOKS_BPF, .family = NFPROTO_IPV4, .hook = i, .program = 100 + i
		};
	hooks = (struct fg_hooks){ .list = list, .count = HOOKS };
	return 0;
}

/* The letters of the hooks that the packet meets. */
static const char *met(uint8_t family, bool local, bool by_ipvs)
{
	static char text[HOOKS + 5];
	const struct fg_hooks_way way = { family, local, by_ipvs };
	const struct fg_hooks_entry *out[COUNT(list)];
	size_t count = fg_hooks_untraced_on(&hooks, &way, out, COUNT(out));

	for (size_t i = 0; i < count; i++)
		text[i] = "pifoP"[out[i]->hook];
	text[count] = '\0';
	return text;
}

static void a_packet_meets_the_hooks_on_its_way(void **state)
{
	(void)state;
	assert_string_equal(met(NFPROTO_IPV4, false, false), "pfP");
	assert_string_equal(met(NFPROTO_IPV4, true, false), "pi");
	/* What IPVS takes at the input it sends on itself. */
	assert_string_equal(met(NFPROTO_IPV4, true, true), "pioP");
	assert_string_equal(met(NFPROTO_IPV4, false, true), "pfoP");
	assert_string_equal(met(NFPROTO_IPV6, false, false), "");
}

/* Only what can deny, and what no trace of nf_tables shows. */
static void only_what_is_policy_and_not_traced(void **state)
{
	static const struct {
		struct fg_hooks_entry entry;
		bool counts;
	} rows[] = {
		{ { .kind = FG_HOOKS_BPF }, true },
		{ { .kind = FG_HOOKS_LEGACY, .table = "filter", .rules = 1 }, true },
		{ { .kind = FG_HOOKS_LEGACY, .table = "filter", .drops = true }, true },
		{ { .kind = FG_HOOKS_LEGACY, .table = "filter" }, false },
		{ { .kind = FG_HOOKS_LEGACY, .table = "nat", .rules = 1 }, false },
		{ { .kind = FG_HOOKS_LEGACY, .table = "nat", .drops = true }, true },
		{ { .kind = FG_HOOKS_NFT, .type = "filter", .rules = 1, .drops = true }, false },
		{ { .kind = FG_HOOKS_CONNTRACK }, false },
		{ { .kind = FG_HOOKS_IPVS }, false },
		{ { .kind = FG_HOOKS_OTHER }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fg_hooks_entry *out;

		list[0] = rows[i].entry;
		list[0].family = NFPROTO_IPV6;
		hooks.count = 1;
		assert_string_equal(met(NFPROTO_IPV6, false, false), rows[i].counts ? "p" : "");
		assert_string_equal(met(NFPROTO_IPV4, false, false), "");
		assert_int_equal(fg_hooks_untraced(&hooks, NFPROTO_IPV6, &out, 1), rows[i].counts);
	}
}

static void no_more_than_there_is_room_for(void **state)
{
	const struct fg_hooks_way way = { NFPROTO_IPV4, false, false };
	const struct fg_hooks_entry *out[3] = {};

	(void)state;
	assert_int_equal(fg_hooks_untraced_on(&hooks, &way, out, 0), 0);
	assert_null(out[0]);
	assert_int_equal(fg_hooks_untraced_on(&hooks, &way, out, 2), 2);
	assert_null(out[2]);
	assert_int_equal(fg_hooks_untraced_on(&hooks, &way, out, 3), 3);
	assert_int_equal(out[2]->program, 104);
	/* Of all it is told how many there are. */
	memset(out, 0, sizeof(out));
	assert_int_equal(fg_hooks_untraced(&hooks, NFPROTO_IPV4, out, 2), HOOKS);
	assert_non_null(out[1]);
	assert_null(out[2]);
}

static void assert_says(const struct fg_hooks_entry *a, const struct fg_hooks_entry *b,
			const char *what, const char *how)
{
	const struct fg_hooks_entry *const two[] = { a, b };
	struct fg_cause cause = { .setting = "of before" };

	fg_hooks_put_untraced(two, b ? 2 : 1, &cause);
	assert_int_equal(cause.kind, FG_CAUSE_NETFILTER);
	assert_string_equal(cause.what, what);
	assert_string_equal(cause.setting, "");
	assert_string_equal(cause.how ?: "nothing closer", how);
}

static void it_says_which_of_them(void **state)
{
	const struct fg_hooks_entry legacy = { .kind = FG_HOOKS_LEGACY,
					       .family = NFPROTO_IPV4,
					       .table = "filter",
					       .chain = "FORWARD" };

	(void)state;
	strcpy(list[2].name, "drop_all");
	list[4].elsewhere = true;
	assert_says(&legacy, NULL, "iptables-legacy filter FORWARD", "legacy");
	assert_says(&list[2], NULL, "BPF program 102 (drop_all) at forward", "bpf");
	assert_says(&list[4], NULL, "BPF program 104 at postrouting, if it is in this namespace",
		    "bpf");
	assert_says(&legacy, &list[0],
		    "iptables-legacy filter FORWARD, or BPF program 100 at prerouting",
		    "nothing closer");
	assert_says(&list[2], &list[0],
		    "BPF program 102 (drop_all) at forward, or BPF program 100 at prerouting",
		    "nothing closer");
	assert_says(&list[0], &legacy,
		    "BPF program 100 at prerouting, or iptables-legacy filter FORWARD",
		    "nothing closer");
}

/* --- questions about entries --- */

static void translations_are_of_chains_for_them_that_have_rules(void **state)
{
	static const struct {
		struct fg_hooks_entry entry;
		bool translates;
	} rows[] = {
		{ { .kind = FG_HOOKS_NFT, .type = "nat", .rules = 1 }, true },
		{ { .kind = FG_HOOKS_NFT, .type = "nat" }, false },
		{ { .kind = FG_HOOKS_NFT, .type = "filter", .rules = 1 }, false },
		{ { .kind = FG_HOOKS_LEGACY, .table = "nat", .rules = 1 }, true },
		{ { .kind = FG_HOOKS_LEGACY, .table = "nat" }, false },
		{ { .kind = FG_HOOKS_LEGACY, .table = "filter", .rules = 1 }, false },
		{ { .kind = FG_HOOKS_IPVS }, true },
		{ { .kind = FG_HOOKS_BPF }, false },
		{ { .kind = FG_HOOKS_CONNTRACK }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(fg_hooks_translates(&rows[i].entry), rows[i].translates);
}

static void the_next_policy_is_of_that_family_hook_and_device(void **state)
{
	static const struct {
		const char *pattern, *device;
		bool fits;
	} rows[] = {
		{ "eth0", "eth0", true },   { "eth0", "eth1", false }, { "eth*", "eth1", true },
		{ "eth*", "eth", true },    { "eth*", "et", false },   { "*", "lo", true },
		{ "", "eth0", false },	    { "eth", "eth0", false },  { "eth0", NULL, true },
		{ "ens1*", "ens2", false }, { "eth0", "eth", false },
	};
	const struct fg_hooks_entry *first, *second;

	(void)state;
	list[3] = list[1];
	first = fg_hooks_policy_next(&hooks, NFPROTO_IPV4, 1, NULL, NULL);
	assert_ptr_equal(first, &list[1]);
	second = fg_hooks_policy_next(&hooks, NFPROTO_IPV4, 1, NULL, first);
	assert_ptr_equal(second, &list[3]);
	assert_null(fg_hooks_policy_next(&hooks, NFPROTO_IPV4, 1, NULL, second));
	assert_null(fg_hooks_policy_next(&hooks, NFPROTO_IPV6, 1, NULL, NULL));
	assert_true(fg_hooks_policy_at(&hooks, NFPROTO_IPV4, 4));
	assert_false(fg_hooks_policy_at(&hooks, NFPROTO_IPV4, 3));
	list[4].kind = FG_HOOKS_CONNTRACK;
	assert_false(fg_hooks_policy_at(&hooks, NFPROTO_IPV4, 4));
	for (size_t i = 0; i < COUNT(rows); i++) {
		strcpy(list[0].device, rows[i].pattern);
		assert_int_equal(fg_hooks_policy_next(&hooks, NFPROTO_IPV4, 0, rows[i].device,
						      NULL) != NULL,
				 rows[i].fits);
	}
}

static void hooks_have_the_names_of_nft(void **state)
{
	static const struct {
		uint8_t family;
		uint32_t hook;
		const char *name;
	} rows[] = {
		{ NFPROTO_IPV4, 0, "prerouting" },   { NFPROTO_IPV6, 1, "input" },
		{ NFPROTO_IPV4, 2, "forward" },	     { NFPROTO_IPV4, 3, "output" },
		{ NFPROTO_IPV4, 4, "postrouting" },  { NFPROTO_IPV4, 5, "ingress" },
		{ NFPROTO_IPV4, 6, "unknown hook" }, { NFPROTO_BRIDGE, 4, "postrouting" },
		{ NFPROTO_BRIDGE, 5, "brouting" },   { NFPROTO_NETDEV, 0, "ingress" },
		{ NFPROTO_NETDEV, 1, "egress" },     { NFPROTO_NETDEV, 2, "unknown hook" },
		{ NFPROTO_ARP, 0, "input" },	     { NFPROTO_ARP, 2, "forward" },
		{ NFPROTO_ARP, 3, "unknown hook" },  { NFPROTO_BRIDGE, 6, "unknown hook" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(fg_hooks_hook_name(rows[i].family, rows[i].hook), rows[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_packet_meets_the_hooks_on_its_way, set_up),
		cmocka_unit_test_setup(only_what_is_policy_and_not_traced, set_up),
		cmocka_unit_test_setup(no_more_than_there_is_room_for, set_up),
		cmocka_unit_test_setup(it_says_which_of_them, set_up),
		cmocka_unit_test(translations_are_of_chains_for_them_that_have_rules),
		cmocka_unit_test_setup(the_next_policy_is_of_that_family_hook_and_device, set_up),
		cmocka_unit_test(hooks_have_the_names_of_nft),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
