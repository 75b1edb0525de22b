// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where on a packet's way netfilter can deny, by what is attached to which hook. The hooks are
 * listed here already, and so no kernel is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "way/watch.h"

#include <linux/netfilter_bridge.h>

#define NODE 200

static struct fg_hooks_entry list[3];
static struct fg_watch watch;
static struct fg_pod pod;
static struct fg_context context;

static int set_up(void **state)
{
	(void)state;
	memset(list, 0, sizeof(list));
	/* Their listing took so long that it is not done again. */
	watch = (struct fg_watch){ .known = true,
				   .netns = NODE,
				   .cost_ns = UINT64_MAX / 32,
				   .has_hooked = FG_PRESENCE_NO,
				   .hooks = { .list = list } };
	pod = (struct fg_pod){ .netns = -1, .host_netns = -1, .host_inode = NODE };
	strcpy(pod.primary.name, "hweb");
	context = (struct fg_context){ .method = FG_METHOD_PEER_EGRESS };
	return 0;
}

static void attach(size_t i, enum fg_hooks_kind kind, uint8_t family, uint32_t hook)
{
	list[i] = (struct fg_hooks_entry){ .kind = kind, .family = family, .hook = hook };
	watch.hooks.count = i + 1;
}

static void attach_policy(size_t i, uint8_t family, uint32_t hook)
{
	attach(i, FG_HOOKS_BPF, family, hook);
}

/* Services are listed once a second: where this machine was busy in between, once more. */
#define FRESH_NS 500000000ULL

/* As many services are at the destination. */
static void ask(uint16_t family, size_t service_count)
{
	const struct fg_addr dst = { .family = family };
	uint64_t began;

	do {
		struct fg_watch_services services = { .count = service_count };

		began = services.listed_ns = fg_clock_now();
		fg_watch_presence(&watch, &pod, &dst, &services, &context);
		assert_null(services.ports);
	} while (fg_clock_now() - began > FRESH_NS);
}

static char letter(enum fg_presence presence)
{
	return presence == FG_PRESENCE_YES ? 'y' : presence == FG_PRESENCE_NO ? '-' : 'u';
}

/* On its way on, to the host itself, from it; over bridges, to the host, from it. */
static const char *where(void)
{
	static char text[7];
	const enum fg_presence all[] = {
		context.netfilter,	  context.netfilter_local,     context.netfilter_out,
		context.netfilter_bridge, context.netfilter_bridge_in, context.netfilter_bridge_out
	};

	for (size_t i = 0; i < COUNT(all); i++)
		text[i] = letter(all[i]);
	return text;
}

static void each_hook_is_on_some_ways(void **state)
{
	static const struct {
		uint8_t family;
		uint32_t hook;
		const char *four, *six, *service; /* service: of IPv4, where one is there */
	} rows[] = {
		{ NFPROTO_IPV4, NF_INET_PRE_ROUTING, "yy----", "------", "yy----" },
		{ NFPROTO_IPV4, NF_INET_LOCAL_IN, "-y----", "------", "yy----" },
		{ NFPROTO_IPV4, NF_INET_FORWARD, "y-----", "------", "------" },
		{ NFPROTO_IPV4, NF_INET_LOCAL_OUT, "--y---", "------", "y-y---" },
		{ NFPROTO_IPV4, NF_INET_POST_ROUTING, "y-y---", "------", "y-y---" },
		{ NFPROTO_IPV6, NF_INET_PRE_ROUTING, "------", "yy----", "------" },
		{ NFPROTO_IPV6, NF_INET_LOCAL_IN, "------", "-y----", "------" },
		{ NFPROTO_IPV6, NF_INET_FORWARD, "------", "y-----", "------" },
		{ NFPROTO_IPV6, NF_INET_LOCAL_OUT, "------", "--y---", "------" },
		{ NFPROTO_IPV6, NF_INET_POST_ROUTING, "------", "y-y---", "------" },
		{ NFPROTO_BRIDGE, NF_BR_PRE_ROUTING, "---yy-", "---yy-", "---yy-" },
		{ NFPROTO_BRIDGE, NF_BR_LOCAL_IN, "----y-", "----y-", "----y-" },
		{ NFPROTO_BRIDGE, NF_BR_FORWARD, "---y--", "---y--", "---y--" },
		{ NFPROTO_BRIDGE, NF_BR_LOCAL_OUT, "-----y", "-----y", "-----y" },
		{ NFPROTO_BRIDGE, NF_BR_POST_ROUTING, "---y-y", "---y-y", "---y-y" },
		{ NFPROTO_NETDEV, NF_NETDEV_INGRESS, "------", "------", "------" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		set_up(state);
		attach_policy(0, rows[i].family, rows[i].hook);
		ask(AF_INET, 0);
		assert_string_equal(where(), rows[i].four);
		assert_false(context.only_ipvs);
		ask(AF_INET6, 0);
		assert_string_equal(where(), rows[i].six);
		ask(AF_INET, 1);
		assert_string_equal(where(), rows[i].service);
		/* The same of what comes back. */
		ask(AF_INET, 0);
		context.netfilter = FG_PRESENCE_UNKNOWN;
		fg_watch_presence_back(&watch, &pod, &(struct fg_addr){ .family = AF_INET6 },
				       &context);
		assert_string_equal(where(), rows[i].six);
	}
}

/* With br_netfilter a bridge's packets meet the hooks of IP, too. */
static void bridges_may_hand_packets_to_ip(void **state)
{
	for (int i = 0; i < 4; i++) {
		set_up(state);
		watch.bridges.ip = i & 1;
		watch.bridges.ip6 = i & 2;
		attach_policy(0, NFPROTO_IPV4, NF_INET_FORWARD);
		attach_policy(1, NFPROTO_IPV6, NF_INET_FORWARD);
		ask(AF_INET, 0);
		assert_int_equal(letter(context.netfilter_bridge), i & 1 ? 'y' : '-');
		ask(AF_INET6, 0);
		assert_int_equal(letter(context.netfilter_bridge), i & 2 ? 'y' : '-');
		/* What the bridge's own hooks have is known without. */
		list[0].elsewhere = true;
		attach_policy(2, NFPROTO_BRIDGE, NF_BR_FORWARD);
		ask(AF_INET, 0);
		assert_int_equal(letter(context.netfilter_bridge), 'y');
	}
}

/* A program of which the kernel does not say in which namespace it is may be here. */
static void what_may_be_elsewhere_is_not_known(void **state)
{
	set_up(state);
	attach_policy(0, NFPROTO_IPV4, NF_INET_PRE_ROUTING);
	list[0].elsewhere = true;
	ask(AF_INET, 0);
	assert_string_equal(where(), "uu----");
	/* Another one is here, at the same hook or a later one. */
	attach_policy(1, NFPROTO_IPV4, NF_INET_FORWARD);
	ask(AF_INET, 0);
	assert_string_equal(where(), "yu----");
	attach_policy(1, NFPROTO_IPV4, NF_INET_PRE_ROUTING);
	ask(AF_INET, 0);
	assert_string_equal(where(), "yy----");
}

static void without_a_list_nothing_is_known(void **state)
{
	const struct fg_hooks none = {};

	(void)state;
	watch.known = false;
	watch.hooks = none;
	/* What is no namespace cannot be listed. */
	pod.host_netns = STDIN_FILENO;
	ask(AF_INET, 0);
	assert_string_equal(where(), "uuuuuu");
	assert_int_equal(context.netfilter_devices, FG_PRESENCE_UNKNOWN);
	assert_true(fg_watch_translates(&watch, &pod));
	assert_false(fg_watch_is_all_traced(&watch, AF_INET));
}

/* Before IPVS nothing can deny what comes from this pod for one of its services. */
static void a_denial_may_be_that_of_ipvs_alone(void **state)
{
	static const struct {
		uint8_t family;
		uint32_t hook;
		const char *device;
		bool only;
	} rows[] = {
		{ NFPROTO_IPV4, NF_INET_PRE_ROUTING, "", false },
		{ NFPROTO_IPV4, NF_INET_LOCAL_IN, "", false },
		{ NFPROTO_IPV4, NF_INET_LOCAL_OUT, "", false },
		{ NFPROTO_IPV4, NF_INET_POST_ROUTING, "", false },
		{ NFPROTO_IPV4, NF_INET_FORWARD, "", true },
		{ NFPROTO_IPV6, NF_INET_LOCAL_IN, "", true },
		{ NFPROTO_BRIDGE, NF_BR_PRE_ROUTING, "", false },
		{ NFPROTO_BRIDGE, NF_BR_LOCAL_IN, "", false },
		{ NFPROTO_BRIDGE, NF_BR_LOCAL_OUT, "", false },
		{ NFPROTO_BRIDGE, NF_BR_POST_ROUTING, "", false },
		{ NFPROTO_BRIDGE, NF_BR_FORWARD, "", true },
		{ NFPROTO_NETDEV, NF_NETDEV_EGRESS, "hdst", false },
		{ NFPROTO_NETDEV, NF_NETDEV_INGRESS, "hweb", false },
		{ NFPROTO_NETDEV, NF_NETDEV_INGRESS, "hw*", false },
		{ NFPROTO_NETDEV, NF_NETDEV_INGRESS, "hdst", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		set_up(state);
		attach_policy(0, rows[i].family, rows[i].hook);
		strcpy(list[0].device, rows[i].device);
		ask(AF_INET, 1);
		if (context.only_ipvs != rows[i].only || context.service_count != 1)
			fail_msg("row %zu: only IPVS: %d", i, context.only_ipvs);
	}
}

static void what_may_lead_to_another_address(void **state)
{
	static const struct {
		struct fg_hooks_entry entry;
		bool translates;
	} rows[] = {
		{ { .kind = FG_HOOKS_NFT, .type = "nat", .rules = 1 }, true },
		{ { .kind = FG_HOOKS_NFT, .type = "nat" }, false },
		{ { .kind = FG_HOOKS_NFT, .type = "filter", .rules = 1 }, false },
		{ { .kind = FG_HOOKS_LEGACY, .table = "nat", .rules = 1 }, true },
		{ { .kind = FG_HOOKS_IPVS }, true },
		/* A program may do anything. */
		{ { .kind = FG_HOOKS_BPF }, true },
		{ { .kind = FG_HOOKS_CONNTRACK }, false },
	};

	assert_false(fg_watch_translates(&watch, &pod));
	for (size_t i = 0; i < COUNT(rows); i++) {
		set_up(state);
		/* Behind one that does not. */
		attach(0, FG_HOOKS_CONNTRACK, NFPROTO_IPV4, NF_INET_PRE_ROUTING);
		list[1] = rows[i].entry;
		watch.hooks.count = 2;
		assert_int_equal(fg_watch_translates(&watch, &pod), rows[i].translates);
		list[0] = rows[i].entry;
		watch.hooks.count = 1;
		assert_int_equal(fg_watch_translates(&watch, &pod), rows[i].translates);
	}
}

static void what_a_trace_of_nf_tables_shows(void **state)
{
	(void)state;
	assert_true(fg_watch_is_all_traced(&watch, AF_INET));
	attach(0, FG_HOOKS_NFT, NFPROTO_IPV4, NF_INET_FORWARD);
	list[0].rules = 1;
	assert_true(fg_watch_is_all_traced(&watch, AF_INET));
	attach_policy(1, NFPROTO_IPV6, NF_INET_FORWARD);
	assert_true(fg_watch_is_all_traced(&watch, AF_INET));
	assert_false(fg_watch_is_all_traced(&watch, AF_INET6));
	watch.known = false;
	assert_false(fg_watch_is_all_traced(&watch, AF_INET));
}

/* What the host has besides is told as it was listed. */
static void what_was_listed_is_told(void **state)
{
	for (int i = 0; i < 3; i++) {
		set_up(state);
		watch.ipsec.forwarded = i == 1;
		watch.ipsec.sent = i == 2;
		watch.has_hooked = i == 1 ? FG_PRESENCE_YES : FG_PRESENCE_NO;
		ask(AF_INET, 0);
		assert_int_equal(context.ipsec_forwarded, i == 1);
		assert_int_equal(context.ipsec_sent, i == 2);
		assert_int_equal(context.netfilter_devices, watch.has_hooked);
		assert_ptr_equal(context.hooked, &watch.hooked);
		assert_int_equal(context.netfilter_from, FG_PRESENCE_NO);
		assert_false(context.chosen_here);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup(test, set_up)
		TEST(each_hook_is_on_some_ways),	  TEST(bridges_may_hand_packets_to_ip),
		TEST(what_may_be_elsewhere_is_not_known), TEST(without_a_list_nothing_is_known),
		TEST(a_denial_may_be_that_of_ipvs_alone), TEST(what_may_lead_to_another_address),
		TEST(what_a_trace_of_nf_tables_shows),	  TEST(what_was_listed_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
