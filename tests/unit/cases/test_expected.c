// SPDX-License-Identifier: GPL-2.0-only
/* test_expected.c - an expectation of several keys against a result that was joined of two halves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/count.h"
#include "cases/expected.h"
#include "quoted.h"

#define RESULT(verdict_, outcome_, node_, ingress_, reply_)                                        \
	"{'outcome':'" outcome_ "','policy':{'verdict':'" verdict_ "','stages':{"                  \
	"'egress':'allowed','node':" node_ ",'ingress':" ingress_ "},'denied_by':null},"           \
	"'decider':null,'drop':null,'reason':null,'reply':" reply_                                 \
	",'expect':{'wanted':'finer','met':true}}"

#define ANSWERED RESULT("allowed", "replied", "'allowed'", "'none'", "{'kind':'syn-ack'}")
#define DENIED RESULT("denied", "dropped", "'none'", "'denied'", "null")
#define UNKNOWN RESULT("unknown", "inconclusive", "'none'", "'unknown'", "null")

static void test_of_the_whole(void **state)
{
	static const struct {
		const char *expect, *result;
		int status;
	} rows[] = {
		{ "allow,reply=none", ANSWERED, 1 }, { "allow,reply=syn-ack", ANSWERED, 0 },
		{ "allow,node=none", ANSWERED, 1 },  { "allow,egress=allowed", ANSWERED, 0 },
		{ "ingress=deny", DENIED, 0 },	     { "deny,egress=deny", DENIED, 1 },
		{ "ingress=deny", UNKNOWN, 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *r = quoted_json(rows[i].result);
		struct fg_scenario_expect expect;
		const json_t *met;

		assert_int_equal(
			fg_scenario_expect_parse("--expect", rows[i].expect, &expect, NULL), 0);
		if (fg_cases_expected(r, &expect) != rows[i].status)
			fail_msg("%s", rows[i].expect);
		met = json_object_get(json_object_get(r, "expect"), "met");
		assert_int_equal(json_is_true(met), !rows[i].status);
		fg_scenario_expect_free(&expect);
		json_decref(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_of_the_whole) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
