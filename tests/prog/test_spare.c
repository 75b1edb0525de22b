// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_spare.c - who is kept from noticing probes: the pod that a packet goes to, or all that it
 * may be sent on to, and those that come later; by real programs at real devices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/libbpf.h>
#include <sys/socket.h>

#include "base/count.h"
#include "base/fd.h"
#include "bed.h"
#include "demo/testbed.h"
#include "guard/spare.h"
#include "net/link.h"
#include "net/netns.h"
#include "prog.h"

static struct fg_error err;

/* web sends; late came after the host was looked at. */
static struct {
	struct fg_host host;
	struct fg_pod web;
	struct fg_datapath *datapath;
	struct fg_watch watch;
	struct fg_spare spare;
	uint32_t dst, late;
	int dst_ifindex, late_ifindex;
} bed;

static int make_node(void **state)
{
	(void)state;
	libbpf_set_print(NULL);
	bed_node();
	bed_pod("web", "10.9.1.2", "fd09:1::2", NULL);
	bed_pod("dst", "10.9.0.9", "fd09::9", "10.9.0.1");
	return 0;
}

static uint32_t inode_of(const char *pod, int *ifindex)
{
	FG_FD int fd = fg_testbed_netns_open(pod, &err);
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(fd, &err);
	struct fg_link link;

	assert_int_equal(fg_link_get(sk, 0, "eth0", &link, &err), 0);
	*ifindex = link.ifindex;
	return fg_netns_inode(fd);
}

static int look_around(void **state)
{
	(void)state;
	bed.dst = inode_of("dst", &bed.dst_ifindex);
	assert_int_equal(fg_host_open(&bed.host, "", &err), 0);
	assert_int_equal(fg_pod_open(&bed.host, "netns:web", NULL, &bed.web, &err), 0);
	bed_pod("late", "10.9.7.2", "fd09:7::2", NULL);
	bed.late = inode_of("late", &bed.late_ifindex);
	bed.datapath = fg_datapath_open(0, FG_REPLIES_TAKE, &err);
	if (!bed.datapath)
		fail_msg("%s", err.message);
	bed.watch = (struct fg_watch){ .host = &bed.host };
	bed.spare = (struct fg_spare){ .host = &bed.host,
				       .datapath = bed.datapath,
				       .watch = &bed.watch };
	return 0;
}

static int look_away(void **state)
{
	(void)state;
	fg_spare_close(&bed.spare);
	fg_watch_close(&bed.watch);
	fg_datapath_close(bed.datapath);
	fg_pod_close(&bed.web);
	fg_host_close(&bed.host);
	bed_pod_delete("late");
	return 0;
}

static bool is_spared(uint32_t netns)
{
	for (size_t i = 0; i < bed.spare.stops.count; i++)
		if (bed.spare.stops.list[i].netns == netns)
			return true;
	return false;
}

static void need_tcx(void)
{
	if (!fg_testbed_has_tcx())
		prog_skip("this kernel has no tcx");
}

/* Where all pods are spared, and one comes later and is met. */
static void a_pod_that_is_met_later_is_spared(void **state)
{
	struct fg_spare *s = &bed.spare;
	const uint32_t node = bed.web.host_inode;

	(void)state;
	need_tcx();
	s->at_devices = true;
	s->nodes[0] = node;
	/* Not where none is, nor what is none of its pods. */
	s->off = true;
	fg_spare_met(s, &bed.web, AF_INET, bed.late, bed.late_ifindex);
	s->off = false;
	s->no_tcx = true;
	fg_spare_met(s, &bed.web, AF_INET, bed.late, bed.late_ifindex);
	s->no_tcx = false;
	fg_spare_met(s, &bed.web, AF_INET6, bed.late, bed.late_ifindex);
	fg_spare_met(s, &bed.web, AF_INET, node, 1);
	fg_spare_met(s, &bed.web, AF_INET, bed.web.inode, bed.web.peer.ifindex);
	assert_int_equal(s->stops.count, 0);
	assert_int_equal(s->listed_ns, 0);
	/* It is none that the host knew of. */
	fg_spare_met(s, &bed.web, AF_INET, bed.late, bed.late_ifindex);
	assert_int_equal(s->stops.count, 1);
	assert_int_equal(s->stops.list[0].netns, bed.late);
	assert_int_equal(s->stops.list[0].ifindex, bed.late_ifindex);
	assert_true(s->listed_ns);
	/* What is known by now need not be listed again. */
	s->listed_ns = 0;
	fg_spare_met(s, &bed.web, AF_INET, bed.dst, bed.dst_ifindex);
	assert_true(is_spared(bed.dst));
	assert_int_equal(s->listed_ns, 0);
	/* What is below no node is nobody's. */
	fg_spare_met(s, &bed.web, AF_INET, 77, 2);
	assert_int_equal(s->stops.count, 2);
	assert_true(s->listed_ns);
}

static void spare(enum fg_goal_kind kind, bool has_programs, bool is_service, const char *dst)
{
	const struct fg_addr to = bed_addr(dst);
	const struct fg_spare_way way = {
		.from = &bed.web, .dst = &to, .has_programs = has_programs, .is_service = is_service
	};
	const struct fg_goal goal = { .kind = kind, .netns = bed.dst, .ifindex = bed.dst_ifindex };

	if (fg_spare_destination(&bed.spare, &way, &goal, &err))
		fail_msg("%s", err.message);
}

/* Who it goes to; or all, where something may send it on to any. */
static void those_who_may_get_it_are_spared(void **state)
{
	static const struct {
		enum fg_goal_kind kind;
		bool has_programs, is_service;
		bool off, no_tcx;
		bool dst, all;
	} rows[] = {
		{ FG_GOAL_POD, .dst = true },
		{ FG_GOAL_POD, .off = true },
		{ FG_GOAL_POD, .no_tcx = true },
		{ FG_GOAL_HOST },
		{ FG_GOAL_HOST, .has_programs = true, .dst = true, .all = true },
		{ FG_GOAL_HOST, .is_service = true, .dst = true, .all = true },
		{ FG_GOAL_OUT, .dst = true, .all = true },
		{ FG_GOAL_OUT, .off = true },
		{ FG_GOAL_OUT, .no_tcx = true },
	};

	(void)state;
	need_tcx();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_spare *s = &bed.spare;

		fg_spare_close(s);
		*s = (struct fg_spare){ .host = &bed.host,
					.datapath = bed.datapath,
					.watch = &bed.watch,
					.off = rows[i].off,
					.no_tcx = rows[i].no_tcx };
		spare(rows[i].kind, rows[i].has_programs, rows[i].is_service, "10.9.0.9");
		if (is_spared(bed.dst) != rows[i].dst ||
		    s->nodes[0] != (rows[i].all ? bed.web.host_inode : 0) ||
		    s->at_devices != rows[i].all || s->nodes[1])
			fail_msg("row %zu: dst %d, node %u, at devices %d", i, is_spared(bed.dst),
				 s->nodes[0], s->at_devices);
		assert_null(fg_spare_disturbs(s));
	}
	/* Once for each family. */
	fg_spare_close(&bed.spare);
	bed.spare = (struct fg_spare){ .host = &bed.host,
				       .datapath = bed.datapath,
				       .watch = &bed.watch };
	spare(FG_GOAL_OUT, false, false, "fd09::77");
	assert_int_equal(bed.spare.nodes[1], bed.web.host_inode);
	assert_int_equal(bed.spare.nodes[0], 0);
	fg_stops_close(&bed.spare.stops);
	spare(FG_GOAL_OUT, false, false, "fd09::77");
	assert_int_equal(bed.spare.stops.count, 0);
	spare(FG_GOAL_OUT, false, false, "192.0.2.1");
	assert_true(is_spared(bed.dst));
}

/* More pods than that get the program in their stacks, if the kernel can. */
static void of_many_pods_the_stacks_are_kept(void **state)
{
	bool at_stack = false;
	const char *told;

	(void)state;
	need_tcx();
	for (int more = 0; more < 2; more++) {
		/* web, dst and late are three of eight, and then of nine. */
		for (int i = 0; i < (more ? 1 : 5); i++) {
			char name[8], four[16], six[16];

			snprintf(name, sizeof(name), "m%d", more * 5 + i);
			snprintf(four, sizeof(four), "10.9.8.%d", more * 5 + i + 2);
			snprintf(six, sizeof(six), "fd09:8::%d", more * 5 + i + 2);
			bed_pod(name, four, six, NULL);
		}
		assert_int_equal(fg_host_renew(&bed.host, &err), 0);
		fg_spare_close(&bed.spare);
		bed.spare = (struct fg_spare){ .host = &bed.host,
					       .datapath = bed.datapath,
					       .watch = &bed.watch };
		spare(FG_GOAL_OUT, false, false, "192.0.2.1");
		assert_int_equal(bed.spare.at_devices, !more);
		for (size_t i = 0; i < bed.spare.stops.count; i++)
			at_stack |= bed.spare.stops.list[i].ifindex == 0;
		told = fg_spare_disturbs(&bed.spare);
		if (!more) {
			assert_int_equal(bed.spare.stops.count, 8);
			assert_null(told);
			continue;
		}
		assert_non_null(told);
		assert_non_null(strstr(told, "more than 8 pods"));
		assert_int_equal(at_stack, !strstr(told, "no BPF links of netfilter"));
	}
	for (int i = 0; i < 6; i++) {
		char name[8];

		snprintf(name, sizeof(name), "m%d", i);
		bed_pod_delete(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup_teardown(test, look_around, look_away)
		TEST(a_pod_that_is_met_later_is_spared),
		TEST(those_who_may_get_it_are_spared),
		TEST(of_many_pods_the_stacks_are_kept),
	};

	return cmocka_run_group_tests(tests, make_node, NULL);
}
