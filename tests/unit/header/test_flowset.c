// SPDX-License-Identifier: GPL-2.0-only
/* Sets of flows: what is in is found, what differs in anything that makes a tuple is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "header/flowset.h"

static struct fg_flow flow(uint8_t protocol, uint16_t sport, uint16_t dport)
{
	return (struct fg_flow){ .family = AF_INET,
				 .protocol = protocol,
				 .src = { AF_INET, { 10, 9, 1, 2 } },
				 .dst = { AF_INET, { 10, 9, 0, 9 } },
				 .sport = sport,
				 .dport = dport };
}

static void empty_has_nothing(void **state)
{
	struct fg_flowset set = {};
	struct fg_flow f = flow(17, 1, 2);

	(void)state;
	assert_int_equal(fg_flowset_find(&set, &f), -1);
	fg_flowset_free(&set);
}

static void a_whole_sweep_is_found(void **state)
{
	struct fg_flowset set = {};
	struct fg_flow f;

	(void)state;
	for (uint32_t port = 1; port <= UINT16_MAX; port++) {
		f = flow(17, 4000, (uint16_t)port);
		assert_int_equal(fg_flowset_add(&set, &f, port), 0);
	}
	assert_int_equal(set.count, UINT16_MAX);
	for (uint32_t port = 1; port <= UINT16_MAX; port++) {
		f = flow(17, 4000, (uint16_t)port);
		assert_int_equal(fg_flowset_find(&set, &f), port);
		f.protocol = 6;
		assert_int_equal(fg_flowset_find(&set, &f), -1);
	}
	fg_flowset_free(&set);
}

static void every_part_of_a_tuple_counts(void **state)
{
	struct fg_flowset set = {};
	struct fg_flow f = flow(17, 4000, 53), g = f;

	(void)state;
	fg_flowset_add(&set, &f, 5);
	fg_flowset_add(&set, &f, 6); /* the first value stays */
	assert_int_equal(fg_flowset_find(&set, &f), 5);
	g.src.bytes[3]++;
	assert_int_equal(fg_flowset_find(&set, &g), -1);
	g = f;
	g.dst.bytes[0]++;
	assert_int_equal(fg_flowset_find(&set, &g), -1);
	g = f;
	g.sport = 53;
	g.dport = 4000;
	assert_int_equal(fg_flowset_find(&set, &g), -1);
	g = f;
	g.icmp_id = 1;
	assert_int_equal(fg_flowset_find(&set, &g), -1);
	/* What is behind the four bytes of an IPv4 address is no part of it. */
	g = f;
	g.src.bytes[9] = 1;
	assert_int_equal(fg_flowset_find(&set, &g), 5);
	fg_flowset_free(&set);
}

static void a_tuple_has_no_passing_parts(void **state)
{
	struct fg_flow f = flow(1, 0, 0), tuple;

	(void)state;
	f.icmp_type = 8;
	f.icmp_code = 1;
	f.icmp_id = 7;
	f.icmp_seq = 3;
	f.tcp_flags = 2;
	fg_flowset_tuple(&f, &tuple);
	assert_int_equal(tuple.icmp_type, 8);
	assert_int_equal(tuple.icmp_id, 7);
	assert_int_equal(tuple.icmp_seq, 0);
	assert_int_equal(tuple.icmp_code, 0);
	assert_int_equal(tuple.tcp_flags, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_has_nothing),
		cmocka_unit_test(a_whole_sweep_is_found),
		cmocka_unit_test(every_part_of_a_tuple_counts),
		cmocka_unit_test(a_tuple_has_no_passing_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
