// SPDX-License-Identifier: GPL-2.0-only
/* The ladder: where programs go that are found later, and what filters are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "probe/ladder.h"

static struct fg_program program(uint32_t id, enum fg_stage stage, int ifindex)
{
	return (struct fg_program){
		.id = id, .stage = stage, .hook = FG_HOOK_TCX_EGRESS, .netns = 1, .ifindex = ifindex
	};
}

static void put(struct fg_ladder *ladder, uint32_t id, enum fg_stage stage)
{
	struct fg_program p = program(id, FG_STAGE_EGRESS, 5);
	const struct fg_ladder one = { .programs = &p, .count = 1 };

	assert_int_equal(fg_ladder_extend(ladder, &one, stage, NULL), 0);
}

static void assert_ladder(const struct fg_ladder *ladder, const char *expected)
{
	char text[500] = "";

	for (size_t i = 0; i < ladder->count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%c%u", i ? " " : "",
			 "eni"[ladder->programs[i].stage], ladder -> programs[i].id);
	assert_string_equal(text, expected);
}

static void a_program_goes_behind_those_of_its_stage(void **state)
{
	struct fg_ladder ladder = {};

	(void)state;
	put(&ladder, 1, FG_STAGE_INGRESS);
	put(&ladder, 2, FG_STAGE_EGRESS);
	assert_ladder(&ladder, "e2 i1");
	assert_int_equal(fg_ladder_egress(&ladder), 1);
	put(&ladder, 3, FG_STAGE_INGRESS);
	put(&ladder, 4, FG_STAGE_NODE);
	put(&ladder, 5, FG_STAGE_NODE);
	put(&ladder, 6, FG_STAGE_EGRESS);
	assert_ladder(&ladder, "e2 e6 n4 n5 i1 i3");
	assert_int_equal(fg_ladder_egress(&ladder), 2);
	/* Once more is not twice. */
	put(&ladder, 4, FG_STAGE_NODE);
	assert_ladder(&ladder, "e2 e6 n4 n5 i1 i3");
	fg_ladder_free(&ladder);
	assert_int_equal(ladder.count, 0);
	assert_int_equal(fg_ladder_egress(&ladder), 0);
}

/* The same program at another hook, device or namespace is another rung. */
static void another_place_is_another_rung(void **state)
{
	struct fg_program list[5];
	const struct fg_ladder more = { .programs = list, .count = COUNT(list) };
	struct fg_ladder ladder = {};

	(void)state;
	for (size_t i = 0; i < COUNT(list); i++)
		list[i] = program(1, FG_STAGE_EGRESS, 5);
	list[1].hook = FG_HOOK_XDP;
	list[2].netns = 2;
	list[3].ifindex = 6;
	list[4].id = 2;
	assert_int_equal(fg_ladder_extend(&ladder, &more, FG_STAGE_EGRESS, NULL), 0);
	assert_int_equal(ladder.count, 5);
	assert_int_equal(fg_ladder_extend(&ladder, &more, FG_STAGE_INGRESS, NULL), 0);
	assert_int_equal(ladder.count, 5);
	fg_ladder_free(&ladder);
}

static void no_ladder_is_longer_than_the_longest(void **state)
{
	struct fg_ladder ladder = {}, one;
	struct fg_error err;
	struct fg_program p;

	(void)state;
	for (uint32_t i = 0; i < FG_LADDER_MAX; i++)
		put(&ladder, i + 1, FG_STAGE_NODE);
	p = program(1000, FG_STAGE_NODE, 5);
	one = (struct fg_ladder){ .programs = &p, .count = 1 };
	assert_int_equal(fg_ladder_extend(&ladder, &one, FG_STAGE_NODE, &err), -1);
	assert_string_equal(err.message, "more than 64 programs on the path of the packet");
	assert_int_equal(err.kind, FG_ERR_UNSUPPORTED);
	assert_int_equal(ladder.count, FG_LADDER_MAX);
	/* One that is there already is no more. */
	put(&ladder, 7, FG_STAGE_NODE);
	fg_ladder_free(&ladder);
}

static void filters_come_along_and_are_of_the_stage(void **state)
{
	struct fg_program list[2] = { { .id = 1, .stage = FG_STAGE_EGRESS }, { .id = 2 } };
	struct fg_ladder more = { .filters = list, .filter_count = 2 }, ladder = {};

	(void)state;
	assert_int_equal(fg_ladder_extend(&ladder, &more, FG_STAGE_INGRESS, NULL), 0);
	assert_int_equal(ladder.filter_count, 2);
	assert_int_equal(ladder.filters[0].id, 1);
	assert_int_equal(ladder.filters[1].id, 2);
	assert_int_equal(ladder.filters[0].stage, FG_STAGE_INGRESS);
	assert_int_equal(ladder.filters[1].stage, FG_STAGE_INGRESS);
	assert_false(ladder.filters_cut);
	more.filter_count = 0;
	more.filters_cut = true;
	assert_int_equal(fg_ladder_extend(&ladder, &more, FG_STAGE_INGRESS, NULL), 0);
	assert_true(ladder.filters_cut);
	more.filters_cut = false;
	assert_int_equal(fg_ladder_extend(&ladder, &more, FG_STAGE_INGRESS, NULL), 0);
	assert_true(ladder.filters_cut);
	fg_ladder_free(&ladder);
}

static void filters_are_at_a_programs_hook_if_they_are_of_its_direction(void **state)
{
	static const struct {
		enum fg_hook filter, program;
		bool there;
	} rows[] = {
		{ FG_HOOK_TC_EGRESS, FG_HOOK_TC_EGRESS, true },
		{ FG_HOOK_TC_EGRESS, FG_HOOK_TCX_EGRESS, true },
		{ FG_HOOK_TC_EGRESS, FG_HOOK_TC_INGRESS, false },
		{ FG_HOOK_TC_EGRESS, FG_HOOK_TCX_INGRESS, false },
		{ FG_HOOK_TC_INGRESS, FG_HOOK_TC_EGRESS, false },
		{ FG_HOOK_TC_INGRESS, FG_HOOK_TCX_EGRESS, false },
		{ FG_HOOK_TC_INGRESS, FG_HOOK_TC_INGRESS, true },
		{ FG_HOOK_TC_INGRESS, FG_HOOK_TCX_INGRESS, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_program filters[2] = {
			{ .hook = rows[i].filter, .netns = 1, .ifindex = 9 },
			{ .hook = rows[i].filter, .netns = 1, .ifindex = 5 }
		};
		const struct fg_ladder l = { .filters = filters, .filter_count = 2 };
		struct fg_program p = program(1, FG_STAGE_EGRESS, 5);

		p.hook = rows[i].program;
		assert_int_equal(fg_ladder_has_filters(&l, &p), rows[i].there);
		p.netns = 2;
		assert_false(fg_ladder_has_filters(&l, &p));
		p.netns = 1;
		p.ifindex = 6;
		assert_false(fg_ladder_has_filters(&l, &p));
		p.ifindex = 9;
		assert_int_equal(fg_ladder_has_filters(&l, &p), rows[i].there);
	}
}

static void filters_are_called_as_tc_calls_them(void **state)
{
	static const struct {
		struct fg_program f;
		const char *text;
	} rows[] = {
		{ { .what = "u32", .pref = 10, .handle = 0x80000800 },
		  "u32 pref 10 handle 800::800" },
		{ { .what = "u32", .pref = 10, .handle = 0x800a5fff },
		  "u32 pref 10 handle 800:a5:fff" },
		{ { .what = "u32", .handle = 0x00101001 }, "u32 pref 0 handle 1:1:1" },
		{ { .what = "flower", .pref = 1, .handle = 0x1a }, "flower pref 1 handle 0x1a" },
		{ { .what = "flower", .handle = 1, .chain = 2 },
		  "flower pref 0 handle 0x1 chain 2" },
		{ { .what = "flower", .handle = 1, .parent = 0x10000 },
		  "flower pref 0 handle 0x1 parent 1:" },
		{ { .what = "flower", .handle = 1, .block = 3 },
		  "flower pref 0 handle 0x1 block 3" },
		{ { .what = "matchall", .handle = 1, .action = FG_TC_DROP },
		  "matchall pref 0 handle 0x1, drop" },
		{ { .what = "matchall", .handle = 1, .action = FG_TC_REDIRECT, .target = "ifb0" },
		  "matchall pref 0 handle 0x1, redirect to ifb0" },
		{ { .what = "matchall",
		    .handle = 1,
		    .action = FG_TC_MIRROR,
		    .target = "ifb0",
		    .target_ingress = true },
		  "matchall pref 0 handle 0x1, mirror to ingress of ifb0" },
		{ { .what = "matchall", .handle = 1, .action = FG_TC_REDIRECT },
		  "matchall pref 0 handle 0x1, redirect to a device that is gone" },
		{ { .what = "matchall", .handle = 1, .action = FG_TC_GOTO, .goto_chain = 4 },
		  "matchall pref 0 handle 0x1, goto chain 4" },
		{ { .what = "matchall", .handle = 1, .action = FG_TC_OTHER, .action_text = "ct" },
		  "matchall pref 0 handle 0x1, action ct" },
		{ { .what = "matchall", .handle = 1, .action = FG_TC_PASS, .action_id = 12 },
		  "matchall pref 0 handle 0x1, pass (program 12)" },
		{ { .what = "matchall", .handle = 1, .action = FG_TC_POLICE },
		  "matchall pref 0 handle 0x1, police" },
		{ { .what = "matchall", .handle = 1, .action = FG_TC_NEXT },
		  "matchall pref 0 handle 0x1, next" },
	};
	char buf[FG_LADDER_FILTER_LEN], small[8];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(fg_ladder_filter_text(&rows[i].f, buf, sizeof(buf)),
				    rows[i].text);
	assert_string_equal(fg_ladder_filter_text(&rows[0].f, small, sizeof(small)), "u32 pre");
	assert_string_equal(fg_ladder_action_name(FG_TC_NONE), "none");
	assert_string_equal(fg_ladder_action_name(FG_TC_OTHER), "other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_goes_behind_those_of_its_stage),
		cmocka_unit_test(another_place_is_another_rung),
		cmocka_unit_test(no_ladder_is_longer_than_the_longest),
		cmocka_unit_test(filters_come_along_and_are_of_the_stage),
		cmocka_unit_test(filters_are_at_a_programs_hook_if_they_are_of_its_direction),
		cmocka_unit_test(filters_are_called_as_tc_calls_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
