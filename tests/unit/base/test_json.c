// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "base/json.h"

static const struct {
	const char *text, *json;
} cases[] = {
	{ NULL, "null" },
	{ "", "null" },
	{ "eth0", "\"eth0\"" },
	{ " ~", "\" ~\"" },
	{ "say \"no\"", "\"say \\\"no\\\"\"" },
	{ "a\\b", "\"a\\\\b\"" },
	{ "a\tb\n\x01\x7f", "\"a\\tb\\n\\u0001\x7f\"" },
	/* UTF-8 stays, whatever its length. */
	{ "k\303\244se", "\"k\303\244se\"" },
	{ "\342\202\254 \360\237\220\235", "\"\342\202\254 \360\237\220\235\"" },
	/* What is not UTF-8: alone, cut short, too long for what it says, a half of a pair. */
	{ "eth\xff", "\"eth?\"" },
	{ "\303", "\"?\"" },
	{ "\300\257", "\"??\"" },
	{ "\355\240\200", "\"???\"" },
	{ "\364\220\200\200", "\"????\"" },
	/* Then nothing beyond ASCII is distinguished. */
	{ "\303\244\xff\"", "\"???\\\"\"" },
};

static void a_text_as_a_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *value = fg_json_text(cases[i].text);
		char *text = json_dumps(value, JSON_ENCODE_ANY);

		assert_string_equal(text, cases[i].json);
		free(text);
		json_decref(value);
	}
}

static void a_text_that_is_appended(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fg_buffer out = {};

		fg_buffer_puts(&out, "[");
		fg_json_put_text(&out, cases[i].text);
		fg_buffer_put(&out, "", 1);
		assert_false(out.failed);
		assert_string_equal(out.data + 1, cases[i].json);
		fg_buffer_free(&out);
	}
}

/* What no memory is left for is left out, and the buffer says so. */
static void a_failed_buffer_stays_failed(void **state)
{
	struct fg_buffer out = { .failed = true };

	(void)state;
	fg_json_put_text(&out, "eth0");
	fg_json_put_text(&out, "\xff");
	assert_true(out.failed);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_as_a_value),
		cmocka_unit_test(a_text_that_is_appended),
		cmocka_unit_test(a_failed_buffer_stays_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
