// SPDX-License-Identifier: GPL-2.0-only
/* test_pace.c - when probes are due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/count.h"
#include "probe/pace.h"

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

/* What a capture says of its packets' times, and how long after the first each is due. */
static void recorded(const uint64_t (*packets)[2], size_t count)
{
	struct fg_pace_recorded r = {};

	for (size_t i = 0; i < count; i++)
		/* Only the first asks what time it is. */
		assert_int_equal(fg_pace_recorded_due(&r, packets[i][0] * MS, START + i) - START,
				 packets[i][1] * MS);
}

static void test_recorded_pauses(void **state)
{
	static const uint64_t plain[][2] = { { 500, 0 }, { 510, 10 }, { 510, 10 }, { 700, 200 } };
	/* Without a time, as files of --dry-run are. */
	static const uint64_t none[][2] = { { 0, 0 }, { 0, 0 }, { 20, 20 }, { 30, 30 } };
	/* The clock was set back: pauses before and after it are kept. */
	static const uint64_t back[][2] = {
		{ 9000, 0 }, { 9010, 10 }, { 100, 10 }, { 150, 60 }, { 250, 160 }
	};
	/* Two processors wrote it, not quite in order: no pause twice. */
	static const uint64_t order[][2] = { { 10, 0 },	 { 30, 20 }, { 20, 20 },
					     { 40, 30 }, { 35, 30 }, { 50, 40 } };
	/* One packet alone has a wrong time. */
	static const uint64_t odd[][2] = { { 9000, 0 }, { 9010, 10 }, { 0, 10 }, { 9020, 20 } };

	(void)state;
	recorded(plain, COUNT(plain));
	recorded(none, COUNT(none));
	recorded(back, COUNT(back));
	recorded(order, COUNT(order));
	recorded(odd, COUNT(odd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_interval),
		cmocka_unit_test(test_one_by_one),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_no_burst_after_a_pause),
		cmocka_unit_test(test_due_is_given_out),
		cmocka_unit_test(test_recorded_pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
