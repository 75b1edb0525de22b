// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"

static void test_fail(void **state)
{
	struct fg_error err = { .code = 7, .hint = "old" };

	(void)state;
	assert_int_equal(fg_fail(&err, FG_ERR_USAGE, "%s: %d", "ttl", 300), -1);
	assert_int_equal(err.kind, FG_ERR_USAGE);
	assert_int_equal(err.code, 0);
	assert_string_equal(err.message, "ttl: 300");
	assert_string_equal(err.hint, "");
}

static void test_one_line(void **state)
{
	struct fg_error err;

	(void)state;
	fg_fail(&err, FG_ERR_USAGE, "a\nb\033[31mc\td");
	assert_string_equal(err.message, "a?b?[31mc?d");
	fg_hint(&err, "x\ny");
	assert_string_equal(err.hint, "x?y");
	fg_error_prefix(&err, "p\n%d", 1);
	assert_string_equal(err.message, "p?1: a?b?[31mc?d");
}

static void test_errno(void **state)
{
	struct fg_error err;

	(void)state;
	assert_int_equal(fg_fail_errno(&err, FG_ERR_INTERNAL, ENOENT, "open %s", "x"), -1);
	assert_int_equal(err.kind, FG_ERR_INTERNAL);
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(err.message, "open x: No such file or directory");
	fg_fail_errno(&err, FG_ERR_INTERNAL, EPERM, "bpf");
	assert_int_equal(err.kind, FG_ERR_UNSUPPORTED);
	fg_fail_errno(&err, FG_ERR_INTERNAL, EACCES, "open");
	assert_int_equal(err.kind, FG_ERR_UNSUPPORTED);
	fg_fail_errno(&err, FG_ERR_USAGE, ENOMEM, "read");
	assert_int_equal(err.kind, FG_ERR_INTERNAL);
	fg_fail_errno(&err, FG_ERR_UNSUPPORTED, EMFILE, "open");
	assert_int_equal(err.kind, FG_ERR_INTERNAL);
	fg_fail_errno(&err, FG_ERR_USAGE, ENFILE, "open");
	assert_int_equal(err.kind, FG_ERR_INTERNAL);
	fg_fail_errno(&err, FG_ERR_USAGE, ENOENT, "open");
	assert_int_equal(err.kind, FG_ERR_USAGE);
}

static void test_long_text_is_cut(void **state)
{
	struct fg_error err;
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fg_fail(&err, FG_ERR_USAGE, "%s", text);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
	fg_error_prefix(&err, "%s", text);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
	fg_fail_errno(&err, FG_ERR_USAGE, EIO, "%s", text);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
	fg_hint(&err, "%s", text);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
}

static void test_null_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(fg_fail(NULL, FG_ERR_USAGE, "x"), -1);
	assert_int_equal(fg_fail_errno(NULL, FG_ERR_USAGE, EIO, "x"), -1);
	assert_int_equal(fg_hint(NULL, "x"), -1);
	assert_int_equal(fg_error_prefix(NULL, "x"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_null_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
