// SPDX-License-Identifier: GPL-2.0-only
/* test_leftovers.c - which runs fill a table. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "base/count.h"
#include "probe/leftovers.h"

static void test_excess(void **state)
{
	static const struct {
		uint64_t gained, probes, left, entries, max, excess;
	} rows[] = {
		{ 32, 32, 500, 32, 256, 468 }, /* one each */
		{ 32, 32, 144, 32, 256, 0 },   /* 112 of 224: half */
		{ 32, 32, 145, 32, 256, 113 },
		{ 64, 32, 145, 64, 512, 226 }, /* two each, 448 free */
		{ 16, 32, 145, 32, 256, 0 },   /* every other one: 57 */
		{ 32, 32, 33, 256, 256, 1 },   /* it is full */
		{ 32, 32, 33, 300, 256, 1 },
		{ 32, 32, 32, 256, 256, 0 }, /* nothing follows */
		{ 32, 32, 10, 256, 256, 0 },
		{ 0, 32, 500, 256, 256, 0 },
		{ 32, 0, 500, 256, 256, 0 },
		{ 1, 2, 3, 256, 256, 1 }, /* half of one, and no room */
		{ 1, 2, 3, 255, 256, 0 },
		{ 32, 32, UINT64_MAX, 0, 1, 0 }, /* nobody knows how many */
		{ 32, 32, 65535, 1000, 262144, 0 },
		{ 32, 32, 65535, 200000, 262144, 65503 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(fg_leftovers_excess(rows[i].gained, rows[i].probes, rows[i].left,
						     rows[i].entries, rows[i].max),
				 rows[i].excess);
}

static void test_half(void **state)
{
	static const struct {
		uint64_t gained, probes, entries, max, more;
		bool half;
	} rows[] = {
		{ 32, 32, 32, 256, 96, false }, /* 224 were free after them, 256 before */
		{ 127, 127, 127, 256, 1, false },
		{ 128, 128, 128, 256, 1, true },
		{ 200, 200, 256, 256, 1, true },
		{ 16, 32, 16, 256, 224, false }, /* every other one */
		{ 64, 32, 64, 256, 32, false },	 /* two each */
		{ 32, 32, 132, 256, 46, false }, /* others have 100 */
		{ 0, 32, 256, 256, UINT64_MAX, false },
		{ 0, 32, 0, 256, UINT64_MAX, false },
		{ 1, 32, 300, 256, 1, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(fg_leftovers_until_half(rows[i].gained, rows[i].probes,
							 rows[i].entries, rows[i].max),
				 rows[i].more);
		assert_int_equal(fg_leftovers_is_half(rows[i].gained, rows[i].entries, rows[i].max),
				 rows[i].half);
	}
}

#define NEVER UINT64_MAX

/* The first of all tables that fill says when. */
static void test_next_look(void **state)
{
	struct fg_leftover_maps maps = { .probes = 32 };

	(void)state;
	/* None fills. */
	assert_int_equal(fg_leftovers_next_look(&maps, 32), NEVER);
	/* Few say nothing. */
	for (uint64_t sent = 0; sent < 32; sent++)
		assert_int_equal(fg_leftovers_next_look(&maps, sent), 32);
	maps.count = 1;
	maps.list[0] = (struct fg_leftover_map){ .gained = 32, .entries = 32, .max = 256 };
	assert_int_equal(fg_leftovers_next_look(&maps, 32), 32 + 96);
	assert_int_equal(fg_leftovers_next_look(&maps, 40), 40 + 96);
	assert_int_equal(fg_leftovers_next_look(&maps, 31), 32);
	/* A second one that fills later, or earlier, or not at all. */
	maps.count = 2;
	maps.list[1] = (struct fg_leftover_map){ .gained = 32, .entries = 32, .max = 2560 };
	assert_int_equal(fg_leftovers_next_look(&maps, 32), 32 + 96);
	maps.list[1] = (struct fg_leftover_map){ .gained = 64, .entries = 64, .max = 256 };
	assert_int_equal(fg_leftovers_next_look(&maps, 32), 32 + 32);
	maps.list[1] = (struct fg_leftover_map){ .gained = 0, .entries = 64, .max = 256 };
	assert_int_equal(fg_leftovers_next_look(&maps, 32), 32 + 96);
	/* One that is half full is what was to be known. */
	maps.list[1] = (struct fg_leftover_map){ .gained = 128, .entries = 128, .max = 256 };
	assert_int_equal(fg_leftovers_next_look(&maps, 32), NEVER);
	/* Beyond all numbers. */
	maps.count = 1;
	assert_int_equal(fg_leftovers_next_look(&maps, NEVER - 96), NEVER);
	assert_int_equal(fg_leftovers_next_look(&maps, NEVER - 97), NEVER - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_excess),
					    cmocka_unit_test(test_half),
					    cmocka_unit_test(test_next_look) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
