// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/markup.h"
#include "base/visible.h"

static void test_characters(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
	} cases[] = {
		{ "a", 1 },
		{ "\t", 0 },
		{ "\x1b", 0 },
		{ "\x7f", 0 },
		{ "\xc3\xa4", 2 },
		{ "\xc2\x9b", 0 },
		{ "\xc2\xa0", 2 },
		{ "\x9b", 0 },
		{ "\xe2\x82\xac", 3 },
		{ "\xe2\x80\xae", 0 },
		{ "\xe2\x80\x8f", 0 },
		{ "\xe2\x80\xa8", 0 },
		{ "\xe2\x81\xa6", 0 },
		{ "\xd8\x9c", 0 },
		{ "\xf0\x9f\x98\x80", 4 },
		{ "\xe2\x82", 0 },
		{ "\xf5\x80\x80\x80", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(fg_visible(cases[i].text), cases[i].bytes);
}

static void test_in_place(void **state)
{
	char text[] = "a\xc2\x9b"
		      "b\xc3\xa4\x1b";

	(void)state;
	fg_visible_make(text);
	assert_string_equal(text, "a??b\xc3\xa4?");
}

/* What ends within a character shows none of it. */
static void test_cut(void **state)
{
	struct fg_buffer out = {};

	(void)state;
	fg_markup_put_visible(&out, "\xe2\x82\xac", 2);
	fg_markup_put_visible(&out, "x\xe2\x80\xaey", 5);
	fg_buffer_put(&out, "", 1);
	assert_string_equal(out.data, "??x???y");
	fg_buffer_free(&out);
}

/* Another reader gets what was there. */
static void test_json(void **state)
{
	static const char hidden[] = "\xc2\x85 \xe2\x80\xae \xd8\x9c \xc3\xa4";
	json_t *value = json_pack("{s:s}", "k", hidden), *again;
	char *text = fg_json_dump(value);

	(void)state;
	assert_string_equal(text, "{\"k\":\"\\u0085 \\u202e \\u061c \xc3\xa4\"}");
	again = json_loads(text, 0, NULL);
	assert_true(json_equal(value, again));
	json_decref(again);
	json_decref(value);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
