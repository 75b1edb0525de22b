// SPDX-License-Identifier: GPL-2.0-only
/* Configuration files: which one counts, what is read of it, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/count.h"
#include "settings/settings.h"

static const char *const verbs[] = { "inject", "run", NULL };

/* Reads text as the one file. Returns what fg_settings_read() does. */
static int read_text(struct fg_settings *s, const char *text, struct fg_error *err)
{
	char path[] = "/tmp/flowgen-test.XXXXXX";
	int fd = mkstemp(path), ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	setenv("FLOWGEN_CONFIG", path, 1);
	ret = fg_settings_read(s, "inject", verbs, err);
	unlink(path);
	return ret;
}

static void test_order(void **state)
{
	struct fg_settings s;

	(void)state;
	setenv("FLOWGEN_OUTPUT", "text", 1);
	assert_int_equal(read_text(&s,
				   "output: json\nrun: {repeat: 2}\n"
				   "inject: {timeout: 2s, output: wide}\n",
				   NULL),
			 0);
	assert_int_equal(s.count, 4);
	assert_string_equal(s.list[0].where, "FLOWGEN_OUTPUT");
	assert_string_equal(s.list[0].text, "text");
	assert_true(s.list[0].common);
	assert_string_equal(s.list[1].name, "timeout");
	assert_string_equal(s.list[1].text, "2s");
	assert_non_null(strstr(s.list[1].where, ":3"));
	assert_false(s.list[1].common);
	assert_string_equal(s.list[2].text, "wide");
	assert_string_equal(s.list[3].text, "json");
	assert_true(s.list[3].common);
	fg_settings_free(&s);
	unsetenv("FLOWGEN_OUTPUT");
}

static void test_nothing(void **state)
{
	struct fg_settings s;

	(void)state;
	assert_int_equal(read_text(&s, "", NULL), 0);
	assert_int_equal(s.count, 0);
	fg_settings_free(&s);
	setenv("FLOWGEN_CONFIG", "", 1);
	assert_int_equal(fg_settings_read(&s, "inject", verbs, NULL), 0);
	assert_int_equal(s.count, 0);
	fg_settings_free(&s);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "a: 1\n", ":1: unknown key \"a\"" },
		{ "inject: 1\n", ":1: unknown key \"inject\"" },
		{ "output: [a]\n", ":1: output: must be one value" },
		{ "\ninject:\n  ttl: {a: b}\n", ":3: ttl: must be one value" },
		{ "- a\n", ": must be a mapping" },
		{ "a: [\n", ": " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_error err = {};
		struct fg_settings s;

		assert_int_equal(read_text(&s, rows[i].text, &err), -1);
		assert_int_equal(err.kind, FG_ERR_USAGE);
		if (!strstr(err.message, rows[i].message))
			fail_msg("%s: %s", rows[i].text, err.message);
		fg_settings_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
