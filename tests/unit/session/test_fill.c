// SPDX-License-Identifier: GPL-2.0-only
/* How many probes go at once, and which table is full enough to be told of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "session/internal.h"

static void the_first_window_of_many_is_an_eighth_and_small(void **state)
{
	static const struct {
		uint64_t left;
		uint32_t first;
	} rows[] = {
		{ 0, FG_WINDOW }, { 1, FG_WINDOW }, { 7, FG_WINDOW },	{ 8, 1 },
		{ 15, 1 },	  { 16, 2 },	    { 255, 31 },	{ 256, 32 },
		{ 264, 32 },	  { 100000, 32 },   { 1ULL << 40, 32 }, { UINT64_MAX, 32 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_session s = { .options = { .tables = true } };

		assert_int_equal(fg_session_at_once(&s, rows[i].left), rows[i].first);
		assert_int_equal(s.fill.endless, rows[i].left == UINT64_MAX);
		/* Only the first one, and only where it is asked for. */
		s.fill.seen = true;
		assert_int_equal(fg_session_at_once(&s, rows[i].left), FG_WINDOW);
		s = (struct fg_session){};
		assert_int_equal(fg_session_at_once(&s, rows[i].left), FG_WINDOW);
		assert_false(s.fill.endless);
	}
}

static void a_table_fills_in_a_run_without_an_end(void **state)
{
	struct fg_session s = { .fill = { .endless = true, .tables = { .probes = 32 } } };
	struct fg_leftover_map map = { .gained = 128, .entries = 128, .max = 256 };

	(void)state;
	assert_true(fg_session_is_filling(&s, &map));
	map.gained = map.entries = 127;
	assert_false(fg_session_is_filling(&s, &map));
	map.gained = map.entries = 128;
	/* Of fewer probes an entry may be the pod's. */
	s.fill.tables.probes = 31;
	assert_false(fg_session_is_filling(&s, &map));
	s.fill.tables.probes = 33;
	assert_true(fg_session_is_filling(&s, &map));
	s.fill.endless = false;
	assert_false(fg_session_is_filling(&s, &map));
}

static void all_results_of_a_window_have_the_tables_that_were_seen(void **state)
{
	static struct fg_probe probes[3];
	struct fg_session s = { .window = probes };

	(void)state;
	fg_fill_tell(&s, 2);
	assert_null(probes[0].result.left_maps);
	s.fill.seen = true;
	fg_fill_tell(&s, 2);
	assert_ptr_equal(probes[0].result.left_maps, &s.fill.tables);
	assert_ptr_equal(probes[1].result.left_maps, &s.fill.tables);
	assert_null(probes[2].result.left_maps);
	assert_ptr_equal(fg_session_tables(&s), &s.fill.tables);
}

/* --- with tables that nothing fills, as no program of the ladder is there --- */

#define COUNT_SENT 40

static struct fg_probe window[COUNT_SENT];
static struct fg_hop hops[2], *of[COUNT_SENT];
static struct fg_program programs[2] = { { .id = UINT32_MAX }, { .id = UINT32_MAX - 1 } };

static struct fg_session made(bool endless)
{
	memset(window, 0, sizeof(window));
	memset(hops, 0, sizeof(hops));
	for (size_t i = 0; i < COUNT_SENT; i++)
		of[i] = &hops[i >= COUNT_SENT / 2];
	hops[0].ladder = (struct fg_ladder){ .programs = programs, .count = 1 };
	return (struct fg_session){ .options = { .tables = true },
				    .window = window,
				    .hops = of,
				    .fill = { .endless = endless } };
}

static void a_run_with_an_end_is_looked_at_once(void **state)
{
	struct fg_session s = made(false);

	(void)state;
	fg_fill_begin(&s, COUNT_SENT);
	assert_non_null(s.fill.watch);
	/* What was not sent is none of them; with none at all nothing was seen. */
	for (size_t i = 0; i < COUNT_SENT; i++)
		window[i].trace.unsent = true;
	fg_fill_end(&s, COUNT_SENT);
	assert_false(s.fill.seen);
	assert_null(s.fill.watch);
	fg_fill_begin(&s, COUNT_SENT);
	for (size_t i = 0; i < COUNT_SENT; i++)
		window[i].trace.unsent = i < 3;
	fg_fill_end(&s, COUNT_SENT);
	assert_true(s.fill.seen);
	assert_int_equal(s.fill.tables.probes, COUNT_SENT - 3);
	assert_null(s.fill.watch);
	/* That was it. */
	fg_fill_begin(&s, COUNT_SENT);
	assert_null(s.fill.watch);
	fg_fill_end(&s, COUNT_SENT);
	assert_int_equal(s.fill.tables.probes, COUNT_SENT - 3);
}

static void a_run_without_an_end_is_looked_at_until_it_says_something(void **state)
{
	struct fg_session s = made(true);

	(void)state;
	fg_fill_begin(&s, 10);
	fg_fill_end(&s, 10);
	assert_true(s.fill.seen);
	assert_int_equal(s.fill.tables.probes, 10);
	/* Few: again at 32. */
	assert_int_equal(s.fill.look_at, 32);
	assert_non_null(s.fill.watch);
	fg_fill_begin(&s, 21);
	fg_fill_end(&s, 21);
	assert_int_equal(s.fill.tables.probes, 10);
	assert_non_null(s.fill.watch);
	fg_fill_begin(&s, 1);
	fg_fill_end(&s, 1);
	assert_int_equal(s.fill.tables.probes, 32);
	/* Nothing fills. */
	assert_int_equal(s.fill.look_at, UINT64_MAX);
	assert_null(s.fill.watch);
}

static void there_is_nothing_to_look_at_without_programs_or_where_nothing_is_sent(void **state)
{
	struct fg_session s = made(false);

	(void)state;
	hops[0].error = -1;
	fg_fill_begin(&s, COUNT_SENT);
	assert_null(s.fill.watch);
	/* Of one that is sent the first is looked at as well. */
	hops[0].error = 0;
	fg_fill_begin(&s, 1);
	assert_non_null(s.fill.watch);
	fg_fill_free(&s.fill);
	hops[0].error = -1;
	/* The second way has one. */
	hops[1].ladder = (struct fg_ladder){ .programs = programs, .count = 2 };
	fg_fill_begin(&s, COUNT_SENT / 2);
	assert_null(s.fill.watch);
	fg_fill_begin(&s, COUNT_SENT / 2 + 1);
	assert_non_null(s.fill.watch);
	fg_fill_free(&s.fill);
	assert_null(s.fill.watch);
	s.options.tables = false;
	fg_fill_begin(&s, COUNT_SENT);
	assert_null(s.fill.watch);
	s.options.tables = s.explaining = true;
	fg_fill_begin(&s, COUNT_SENT);
	assert_null(s.fill.watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_window_of_many_is_an_eighth_and_small),
		cmocka_unit_test(a_table_fills_in_a_run_without_an_end),
		cmocka_unit_test(all_results_of_a_window_have_the_tables_that_were_seen),
		cmocka_unit_test(a_run_with_an_end_is_looked_at_once),
		cmocka_unit_test(a_run_without_an_end_is_looked_at_until_it_says_something),
		cmocka_unit_test(
			there_is_nothing_to_look_at_without_programs_or_where_nothing_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
