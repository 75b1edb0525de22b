// SPDX-License-Identifier: GPL-2.0-only
/* test_join.c - what a sender's half says over the whole way, and how that is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "base/parse.h"
#include "cluster/join.h"
#include "cluster/show.h"
#include "quoted.h"

#define RESULT(outcome_, verdict_, expect_)                                                        \
	"{'outcome':'" outcome_ "','policy':{'verdict':'" verdict_ "'},'expect':" expect_ ","      \
	"'reason':null,'pod':{'name':'shop/cart-0'},'packet':{'src':'10.244.1.2','sport':4000,"    \
	"'dst':'10.244.2.3','dport':5432,'proto':'tcp'},'decider':null,'decisions':["              \
	"{'stage':'egress','kind':'bpf','device':'lxc1','name':'from_pod','what':'tcx/ingress',"   \
	"'met':true,'said':'TCX_PASS','decided':'passed'},{'stage':'node','kind':'netfilter',"     \
	"'device':null,'name':null,'what':'inet x forward','met':false,'said':null,"               \
	"'decided':null}],'observations':[{'device':'lxc1','of':'packet'},{'device':'eth0',"       \
	"'of':'packet'},{'device':'lxc1','of':'reply'}]}"

static struct fg_join_end end_at(bool cluster, struct fg_target *to)
{
	*to = (struct fg_target){
		.text = "svc:pay/db", .port = 5432, .namespace = "pay", .pod = "pg-0", .node = "b"
	};
	return (struct fg_join_end){
		.node = "a", .to = to, .cluster = cluster, .why = "not asked"
	};
}

static const char *at(const json_t *value, const char *a, const char *b)
{
	value = json_object_get(value, a);
	return json_string_value(b ? json_object_get(value, b) : value);
}

/* What left the sender's node for another one is never called allowed, whatever was expected. */
static void test_left_for_another_node(void **state)
{
	static const char *const verdicts[] = { RESULT("forwarded", "allowed", "{'met':true}"),
						RESULT("forwarded", "none", "{'met':true}"),
						RESULT("forwarded", "redirected", "{'met':true}") };
	struct fg_target to;

	(void)state;
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		const struct fg_join_end end = end_at(true, &to);
		json_t *r = quoted_json(verdicts[i]);

		assert_true(fg_join_sender(r, &end));
		assert_string_equal(at(r, "outcome", NULL), "inconclusive");
		assert_string_equal(at(r, "policy", "verdict"), "unknown");
		assert_true(json_is_false(json_object_get(json_object_get(r, "expect"), "met")));
		assert_string_equal(at(r, "reason", NULL),
				    "left node a at eth0; unknown beyond node a: not asked");
		assert_string_equal(at(r, "node", NULL), "a");
		assert_string_equal(at(r, "to", "node"), "b");
		assert_string_equal(at(r, "to", "pod"), "pg-0");
		json_decref(r);
	}
}

/* What ended on the sender's node, or left the cluster, is as it was. */
static void test_ended(void **state)
{
	static const struct {
		const char *text;
		bool cluster;
		const char *outcome, *verdict;
	} rows[] = {
		{ RESULT("dropped", "denied", "null"), true, "dropped", "denied" },
		{ RESULT("dropped", "none", "null"), true, "dropped", "none" },
		{ RESULT("delivered", "allowed", "null"), true, "delivered", "allowed" },
		{ RESULT("not-sent", "none", "null"), true, "not-sent", "none" },
		{ RESULT("forwarded", "denied", "null"), true, "forwarded", "denied" },
		{ RESULT("forwarded", "allowed", "null"), false, "forwarded", "allowed" },
	};
	struct fg_target to;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fg_join_end end = end_at(rows[i].cluster, &to);
		json_t *r = quoted_json(rows[i].text);
		const json_t *list = json_object_get(r, "decisions");

		assert_false(fg_join_sender(r, &end));
		assert_string_equal(at(r, "outcome", NULL), rows[i].outcome);
		assert_string_equal(at(r, "policy", "verdict"), rows[i].verdict);
		assert_true(json_is_null(json_object_get(r, "reason")));
		for (size_t k = 0; k < json_array_size(list); k++)
			assert_string_equal(at(json_array_get(list, k), "node", NULL), "a");
		json_decref(r);
	}
}

static void test_text(void **state)
{
	static const char wanted[] =
		"INCONCLUSIVE: left node a at eth0; unknown beyond node a: not asked\n\n"
		"packet   10.244.1.2:4000 > 10.244.2.3:5432 tcp\n"
		"from     shop/cart-0 on node a\n"
		"to       svc:pay/db, pod pay/pg-0 on node b\n\n"
		"ladder, in the order the packet meets it\n"
		"  egress stage on node a\n"
		"    from_pod at lxc1: let it pass (TCX_PASS)\n"
		"  node stage on node a\n"
		"    inet x forward: not met\n";
	struct fg_target to;
	const struct fg_join_end end = end_at(true, &to);
	json_t *r = quoted_json(RESULT("forwarded", "allowed", "null"));
	struct fg_buffer out = {};

	(void)state;
	fg_join_sender(r, &end);
	fg_show_result(r, &out);
	fg_buffer_put(&out, "", 1);
	assert_false(out.failed);
	assert_string_equal(out.data, wanted);
	fg_buffer_free(&out);
	json_decref(r);
}

/* An agent's answer is text from outside: any JSON object is taken, and nothing is believed. */
static void test_anything(void **state)
{
	static const char *const texts[] = { "{}", "{'decisions':7,'policy':[],'observations':{}}",
					     "{'outcome':'forwarded','decisions':[7,null],"
					     "'decider':{'name':'\x1b[31m'}}" };
	struct fg_target to;
	struct fg_buffer out = {};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		const struct fg_join_end end = end_at(true, &to);
		json_t *r = json_object();
		json_t *given = i == 2 ? json_pack("{s:s, s:{s:s}}", "outcome", "forwarded",
						   "decider", "name", "\x1b[31m")
				       : quoted_json(texts[i]);

		json_object_update(r, given);
		json_decref(given);
		assert_int_equal(fg_join_sender(r, &end), i == 2);
		fg_show_result(r, &out);
		json_decref(r);
	}
	assert_null(memchr(out.data, '\x1b', out.len));
	fg_buffer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left_for_another_node),
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
