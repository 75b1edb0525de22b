// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/count.h"
#include "probe/trace.h"

static void a_trace_is_filled_again(void **state)
{
	struct fg_event event = { .kind = FG_EVENT_QUEUE, .time_ns = 900 };
	struct fg_trace trace = { .injected_ns = 500 };
	struct fg_observation *list;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		event.ifindex = i;
		assert_non_null(fg_trace_add(&trace, &event));
	}
	assert_int_equal(trace.count, 100);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(trace.list[i].event.ifindex, i);
		assert_int_equal(trace.list[i].time_ns, 400);
		assert_int_equal(trace.list[i].flow, -1);
	}
	/* The memory stays. */
	list = trace.list;
	fg_trace_reset(&trace);
	assert_int_equal(trace.count, 0);
	assert_int_equal(trace.injected_ns, 0);
	for (uint32_t i = 0; i < 100; i++)
		assert_non_null(fg_trace_add(&trace, &event));
	assert_ptr_equal(trace.list, list);
	fg_trace_free(&trace);
	assert_null(trace.list);
}

/* What a window lacks is in each of its traces, and counts once. */
static void losses_are_the_windows(void **state)
{
	static const struct {
		uint32_t window;
		uint64_t lost, strays;
	} traces[] = {
		{ 1, 3, 0 },
		{ 1, 3, 0 },
		{ 1, 3, 0 },
		{ 2, 0, 0 },
		{ 3, 3, 2 },
		{ 3, 3, 2 },
		/* Of no session. */
		{ 0, 1, 0 },
		{ 0, 1, 0 },
	};
	struct fg_trace_losses losses = {};

	(void)state;
	for (size_t i = 0; i < COUNT(traces); i++) {
		const struct fg_trace trace = { .window = traces[i].window,
						.lost = traces[i].lost,
						.strays = traces[i].strays };

		fg_trace_losses_add(&losses, &trace);
	}
	assert_int_equal(losses.lost, 8);
	assert_int_equal(losses.strays, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trace_is_filled_again),
		cmocka_unit_test(losses_are_the_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
