// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>

#include "base/clock.h"

static void it_goes_on_in_nanoseconds(void **state)
{
	const struct timespec nap = { .tv_nsec = 2000000 };
	struct timespec t;
	uint64_t before = fg_clock_now(), after;

	(void)state;
	assert_true(before);
	nanosleep(&nap, NULL);
	after = fg_clock_now();
	assert_in_range(after - before, 2000000, 60000000000ULL);
	clock_gettime(CLOCK_MONOTONIC, &t);
	assert_in_range((uint64_t)t.tv_sec, after / 1000000000, after / 1000000000 + 60);
}

static void the_time_of_day_is_since_1970(void **state)
{
	uint64_t before = (uint64_t)time(NULL), now = fg_clock_realtime() / 1000000000;

	(void)state;
	/* time() may be behind by a tick. */
	assert_in_range(now, before, before + 60);
}

/* What sleeps uses nothing. */
static void used_time_is_the_threads_own(void **state)
{
	const struct timespec nap = { .tv_nsec = 20000000 };
	uint64_t before = fg_clock_used(), after;

	(void)state;
	nanosleep(&nap, NULL);
	after = fg_clock_used();
	assert_true(after >= before);
	assert_true(after - before < 20000000);
	while (fg_clock_used() < after + 1000000)
		;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_goes_on_in_nanoseconds),
		cmocka_unit_test(the_time_of_day_is_since_1970),
		cmocka_unit_test(used_time_is_the_threads_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
