// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_marking.c - whether the kernel notes redirects is found by trying: held against what is
 * known of stock kernels.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <cmocka.h>

#include "host/marking.h"

static void test_as_released(void **state)
{
	unsigned int major, minor;
	struct utsname name;

	(void)state;
	assert_int_equal(uname(&name), 0);
	assert_int_equal(sscanf(name.release, "%u.%u", &major, &minor), 2);
	assert_int_equal(fg_marking_works(), major > 6 || (major == 6 && minor >= 3));
	/* The answer does not depend on who asked before. */
	assert_int_equal(fg_marking_works(), major > 6 || (major == 6 && minor >= 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_released) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
