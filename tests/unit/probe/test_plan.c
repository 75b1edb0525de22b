// SPDX-License-Identifier: GPL-2.0-only
/* test_plan.c - random source ports: each once until all are used, whatever else is asked for. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/parse.h"
#include "probe/plan.h"

#define FIRST 32768U
#define ALL 28232U /* ports up to 60999 */

static uint8_t used[1U << 16];

/* Marks the port, and fails if it was marked before, or is none that Linux would give. */
static void take(const struct fg_probe_spec *spec, const char *what)
{
	uint16_t port = spec->vary.sport;

	if (port < FIRST || port >= FIRST + ALL)
		fail_msg("%s: port %u of probe %lu", what, port, (unsigned long)spec->id);
	if (used[port]++)
		fail_msg("%s: port %u again, probe %lu", what, port, (unsigned long)spec->id);
}

static struct fg_plan plan_of(struct fg_ports *ports, const char *text, uint64_t count,
			      uint64_t seed)
{
	assert_int_equal(fg_parse_ports("port", text, ports, NULL), 0);
	memset(used, 0, sizeof(used));
	return (struct fg_plan){ .dports = ports,
				 .count = count,
				 .seed = seed,
				 .places = { .seed = seed, .all = count } };
}

static void test_one_port(void **state)
{
	struct fg_probe_spec spec, again;
	struct fg_ports ports;
	uint32_t next = 0;

	(void)state;
	for (uint64_t seed = 1; seed < 4; seed++) {
		struct fg_plan plan = plan_of(&ports, "80", ALL, seed);
		uint16_t last = 0;

		for (uint64_t i = 0; i < ALL; i++) {
			fg_plan_probe(&plan, i, &spec);
			take(&spec, "one port");
			next += spec.vary.sport == last + 1;
			last = spec.vary.sport;
		}
		/* All were used: the order begins again, far from where a port was used last. */
		fg_plan_probe(&plan, ALL, &again);
		fg_plan_probe(&plan, 0, &spec);
		assert_int_equal(again.vary.sport, spec.vary.sport);
		fg_ports_free(&ports);
	}
	/* In no order that anybody could see. */
	assert_true(next < 20);
}

/* Each destination port has all of them, in an order of its own. */
static void test_many_ports(void **state)
{
	struct fg_probe_spec spec;
	struct fg_ports ports;
	struct fg_plan plan = plan_of(&ports, "80,443", ALL, 5);
	uint16_t first[2] = {};

	(void)state;
	for (uint64_t k = 0; k < 2; k++) {
		memset(used, 0, sizeof(used));
		for (uint64_t i = 0; i < ALL; i++) {
			fg_plan_probe(&plan, i * 2 + k, &spec);
			assert_int_equal(spec.vary.dport, k ? 443 : 80);
			take(&spec, "two ports");
			if (!i)
				first[k] = spec.vary.sport;
		}
	}
	assert_int_not_equal(first[0], first[1]);
	fg_ports_free(&ports);
}

/* Each probe finds its port in use, again and again: what it gets is no other probe's. */
static void test_choose_again(void **state)
{
	static const uint64_t counts[] = { 1, 10, 100 };
	struct fg_probe_spec spec;
	struct fg_ports ports;

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		struct fg_plan plan = plan_of(&ports, "80", counts[c], 7);

		for (uint64_t i = 0; i < counts[c]; i++) {
			fg_plan_probe(&plan, i, &spec);
			take(&spec, "at first");
			for (int t = 1; t < 256; t++) {
				fg_plan_choose_again(&plan, &spec);
				take(&spec, "again");
			}
		}
		fg_ports_free(&ports);
	}
}

/* Without end, and where more than half are used: at least no two of a window are the same. */
static void test_window(void **state)
{
	static const uint64_t counts[] = { 0, 20000, ALL * 3 };
	struct fg_probe_spec spec;
	struct fg_ports ports;

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		struct fg_plan plan = plan_of(&ports, "80", counts[c], 7);

		for (uint64_t i = 0; i < 1024; i++) {
			fg_plan_probe(&plan, i, &spec);
			take(&spec, "at first");
			if (i % 8)
				continue;
			fg_plan_choose_again(&plan, &spec);
			take(&spec, "again");
		}
		fg_ports_free(&ports);
	}
}

/* The plans of one run have places of their own. */
static void test_two_plans(void **state)
{
	struct fg_probe_spec spec;
	struct fg_ports ports;
	struct fg_plan plan = plan_of(&ports, "80", 500, 9);

	(void)state;
	plan.places.all = 1500;
	for (int p = 0; p < 3; p++, plan.places.first += 500)
		for (uint64_t i = 0; i < 500; i++) {
			plan.seed = 9 + (uint64_t)p * 77;
			fg_plan_probe(&plan, i, &spec);
			take(&spec, "several plans");
		}
	fg_ports_free(&ports);
}

/* Each address with each port, and then the next round. */
static void test_several_addresses(void **state)
{
	struct fg_probe_spec spec;
	struct fg_ports ports;
	struct fg_plan plan = plan_of(&ports, "80-82", 2, 5);

	(void)state;
	plan.dst = (struct fg_addr){ .family = AF_INET, .bytes = { 10, 0, 0, 255 } };
	plan.dst_count = 4;
	assert_int_equal(fg_plan_total(&plan), 24);
	for (uint64_t i = 0; i < 24; i++) {
		fg_plan_probe(&plan, i, &spec);
		assert_int_equal(spec.vary.dport, 80 + i % 3);
		assert_int_equal(spec.vary.dst.bytes[3], (255 + i / 3 % 4) & 255);
		assert_int_equal(spec.vary.dst.bytes[2], i / 3 % 4 > 0);
		assert_int_equal(spec.place, i / 12);
	}
	fg_ports_free(&ports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_port),     cmocka_unit_test(test_many_ports),
		cmocka_unit_test(test_choose_again), cmocka_unit_test(test_window),
		cmocka_unit_test(test_two_plans),    cmocka_unit_test(test_several_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
