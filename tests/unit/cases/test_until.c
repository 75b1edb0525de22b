// SPDX-License-Identifier: GPL-2.0-only
/* test_until.c - what is told of packets that are sent until something is so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cases/until.h"

#define S 1000000000ULL

static bool take(struct fg_until *u, const char *verdict, const char *outcome, bool met)
{
	json_t *result = json_pack("{s:{s:s}, s:s, s:{s:b}}", "policy", "verdict", verdict,
				   "outcome", outcome, "expect", "met", met);
	bool news;

	assert_non_null(result);
	news = fg_until_take(u, result);
	json_decref(result);
	return news;
}

static void test_what_is_new(void **state)
{
	struct fg_until u = { .wanted = "allow" };

	(void)state;
	assert_true(take(&u, "denied", "dropped", false));
	assert_true(u.known && !u.met);
	assert_false(take(&u, "denied", "dropped", false));
	assert_true(take(&u, "denied", "rejected", false));
	/* Nobody knows of these whether it is so. */
	assert_true(take(&u, "unknown", "dropped", false));
	assert_false(u.known);
	assert_true(take(&u, "allowed", "inconclusive", false));
	assert_false(u.known);
	assert_true(take(&u, "allowed", "delivered", true));
	assert_true(u.known && u.met);
	assert_true(take(&u, "allowed", "delivered", true));
}

static void says(const struct fg_until *u, const char *want)
{
	char text[160];

	fg_until_text(u, text, sizeof(text));
	assert_string_equal(text, want);
}

static void test_since_when(void **state)
{
	struct fg_until u = {
		.wanted = "deny", .first_ns = 100 * S, .seen_ns = 100 * S, .sent = 1
	};

	(void)state;
	says(&u, "never deny");
	u.met = true;
	says(&u, "deny from the first probe on");
	u.sent = 4;
	u.seen_ns = 102 * S + 500000000;
	says(&u, "deny after 2.500 s, not known before");
	u.before_ns = 101 * S;
	says(&u, "deny after 2.500 s, not yet at 1.000 s");
	u.before_ns = u.first_ns;
	says(&u, "deny after 2.500 s, not yet at 0.000 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_new),
		cmocka_unit_test(test_since_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
