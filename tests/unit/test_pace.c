// SPDX-License-Identifier: GPL-2.0-only
/* test_pace.c - when probes are due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pace.h"

#define START 5000000000ULL
#define MS 1000000ULL

static void test_no_interval(void **state)
{
	struct fg_pace pace;

	(void)state;
	fg_pace_begin(&pace, 0, START);
	assert_int_equal(fg_pace_take(&pace, START, 1024), 1024);
	assert_int_equal(fg_pace_take(&pace, START, 7), 7);
}

static void test_one_by_one(void **state)
{
	struct fg_pace pace;

	(void)state;
	fg_pace_begin(&pace, 10 * MS, START);
	assert_int_equal(fg_pace_take(&pace, START, 1024), 1);
	assert_int_equal(fg_pace_take(&pace, START, 1024), 0);
	assert_int_equal(fg_pace_next(&pace), START + 10 * MS);
	assert_int_equal(fg_pace_take(&pace, START + 10 * MS - 1, 1024), 0);
	assert_int_equal(fg_pace_take(&pace, START + 10 * MS, 1024), 1);
	/* A little late: what is due is made up for. */
	assert_int_equal(fg_pace_take(&pace, START + 45 * MS, 1024), 3);
	assert_int_equal(fg_pace_next(&pace), START + 50 * MS);
}

static void test_batches(void **state)
{
	struct fg_pace pace;
	uint64_t sent = 0;

	(void)state;
	/* 300 kpps, looked at once a millisecond, at most 256 at a time. */
	fg_pace_begin(&pace, 1e9 / 300000, START);
	for (uint64_t ms = 0; ms <= 1000; ms++)
		for (int again = 0; again < 2; again++)
			sent += fg_pace_take(&pace, START + ms * MS, 256);
	assert_in_range(sent, 299990, 300010);
}

static void test_no_burst_after_a_pause(void **state)
{
	struct fg_pace pace;

	(void)state;
	fg_pace_begin(&pace, 1 * MS, START);
	assert_int_equal(fg_pace_take(&pace, START, 1024), 1);
	assert_int_equal(fg_pace_take(&pace, START + 900 * MS, 1024), 1);
	assert_int_equal(fg_pace_next(&pace), START + 901 * MS);
	/* An interval that is longer than the slack. */
	fg_pace_begin(&pace, 1000 * MS, START);
	assert_int_equal(fg_pace_take(&pace, START, 1024), 1);
	assert_int_equal(fg_pace_take(&pace, START + 1500 * MS, 1024), 1);
	assert_int_equal(fg_pace_next(&pace), START + 2500 * MS);
}

static void test_due_is_given_out(void **state)
{
	struct fg_pace pace;

	(void)state;
	/* Whoever comes at the time that was named gets one, whatever the rounding. */
	fg_pace_begin(&pace, 1e9 / 7, START);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(fg_pace_take(&pace, fg_pace_next(&pace), 1024), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_interval),
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_no_burst_after_a_pause),
		cmocka_unit_test(test_due_is_given_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
