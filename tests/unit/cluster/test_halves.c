// SPDX-License-Identifier: GPL-2.0-only
/* test_halves.c - two nodes' halves of a packet's way as one result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "cluster/halves.h"
#include "cluster/show.h"
#include "quoted.h"

#define SENT(outcome_, verdict_, expect_)                                                          \
	"{'id':1,'outcome':'" outcome_ "','policy':{'verdict':'" verdict_                          \
	"','stages':{'egress':'allowed','node':'none','ingress':'none'},'programs':[{'order':1,"   \
	"'stage':'egress','name':'from_pod'}],'filters':[],'denied_by':null,'candidates':[],"      \
	"'redirected_by':null,'redirected_to':null,'ran':1,'decided':0,'stated':null,"             \
	"'other_filters':false},'expect':" expect_ ",'reason':null,'pod':{'name':'shop/cart-0'},"  \
	"'packet':{'sport':4000,'length':60,'proto':'tcp'},'decider':null,'decisions':["           \
	"{'stage':'egress','kind':'bpf','name':'from_pod','met':true,'decided':'passed'},"         \
	"{'stage':'ingress','kind':'bpf','name':'to_wire','met':true,'decided':'passed'}],"        \
	"'observations':[{'component':'inject','device':'lxc1','of':'packet'},"                    \
	"{'component':'driver','device':'eth0','of':'packet'}],'end':1,'not_exercised':['a'],"     \
	"'lost_events':0,'stray_events':1,'stopped':false,'drop':null,'state':[]}"

#define GOT(outcome_, verdict_, ingress_, by_)                                                     \
	"{'id':1,'outcome':'" outcome_ "','policy':{'verdict':'" verdict_                          \
	"','stages':{'egress':null,'node':'allowed','ingress':" ingress_ "},'programs':["          \
	"{'order':1,'stage':'ingress','name':'to_pod'}],'filters':[],'denied_by':" by_             \
	",'candidates':[],'redirected_by':null,'redirected_to':null,'ran':1,'decided':1,"          \
	"'stated':{'text':'no'},'other_filters':false},'expect':null,'reason':null,"               \
	"'pod':{'device':{'primary':'vx'}},'packet':{'sport':4000,'length':60,'proto':'tcp'},"     \
	"'decider':{'kind':'bpf','stage':'ingress','name':'to_pod','device':'lxc2'},"              \
	"'decisions':[{'stage':'ingress','kind':'bpf','name':'to_pod','met':true,"                 \
	"'decided':'denied'}],'observations':[{'component':'inject','device':'vx',"                \
	"'of':'packet'},{'component':'kernel','device':'lxc2','of':'packet'}],'end':1,"            \
	"'not_exercised':['a','b'],'lost_events':2,'stray_events':0,'stopped':true,"               \
	"'drop':{'reason':'TC_EGRESS'},'state':[]}"

#define DENIED GOT("dropped", "denied", "'denied'", "{'order':1,'name':'to_pod','stage':'ingress'}")
#define DELIVERED GOT("delivered", "allowed", "'allowed'", "null")
#define NOT_SEEN                                                                                   \
	"{'id':1,'outcome':'inconclusive','policy':{'verdict':'unknown'},'pod':{'device':"         \
	"{'primary':'vx'}},'packet':{'sport':4000,'length':60,'proto':'tcp'},'observations':[],"   \
	"'reason':'it was not seen to arrive'}"

static struct fg_target target = {
	.text = "svc:pay/db", .port = 5432, .namespace = "", .pod = "", .node = ""
};
static const struct fg_join_end end = {
	.node = "a", .to = &target, .cluster = true, .why = "not asked"
};

static const char *at(const json_t *value, const char *a, const char *b)
{
	value = json_object_get(value, a);
	return json_string_value(b ? json_object_get(value, b) : value);
}

static json_t *join(const char *sent, const char *got, bool arrived)
{
	json_t *sender = quoted_json(sent), *receiver = got ? quoted_json(got) : NULL;
	const struct fg_half half = { .node = "b",
				      .namespace = "pay",
				      .pod = "db-0",
				      .result = receiver,
				      .why = "no agent" };

	assert_int_equal(fg_halves_join(sender, &end, &half, 1), arrived);
	json_decref(receiver);
	return sender;
}

static void test_denied_there(void **state)
{
	json_t *r =
		join(SENT("forwarded", "allowed", "{'wanted':'deny','met':false}"), DENIED, true);
	const json_t *policy = json_object_get(r, "policy");

	(void)state;
	assert_string_equal(at(r, "outcome", NULL), "dropped");
	assert_string_equal(at(policy, "verdict", NULL), "denied");
	assert_string_equal(at(policy, "stages", "egress"), "allowed");
	assert_string_equal(at(policy, "stages", "node"), "allowed");
	assert_string_equal(at(policy, "stages", "ingress"), "denied");
	/* Programs are numbered on. */
	assert_int_equal(json_array_size(json_object_get(policy, "programs")), 2);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(policy, "denied_by"), "order")),
		2);
	assert_string_equal(at(r, "decider", "node"), "b");
	assert_string_equal(at(r, "drop", "reason"), "TC_EGRESS");
	assert_int_equal(json_integer_value(json_object_get(r, "end")), 3);
	assert_string_equal(at(r, "to", "node"), "b");
	assert_string_equal(at(r, "to", "pod"), "db-0");
	assert_int_equal(json_integer_value(json_object_get(r, "lost_events")), 2);
	assert_int_equal(json_array_size(json_object_get(r, "not_exercised")), 2);
	/* The sender's uplink is of its node. */
	assert_string_equal(at(json_array_get(json_object_get(r, "decisions"), 1), "stage", NULL),
			    "node");
	assert_string_equal(at(json_array_get(json_object_get(r, "decisions"), 2), "node", NULL),
			    "b");
	assert_true(json_is_true(json_object_get(json_object_get(r, "expect"), "met")));
	assert_int_equal(fg_halves_status(r, 1, 0), 0);
	json_decref(r);
}

static void test_expectations(void **state)
{
	static const struct {
		const char *sent, *got;
		int status;
	} rows[] = {
		{ SENT("forwarded", "none", "{'wanted':'allow','met':true}"), DELIVERED, 0 },
		{ SENT("forwarded", "none", "{'wanted':'allowed','met':false}"), DELIVERED, 0 },
		{ SENT("forwarded", "allowed", "{'wanted':'allow','met':true}"), DENIED, 1 },
		{ SENT("forwarded", "allowed", "{'wanted':'forwarded','met':true}"), DELIVERED, 1 },
		{ SENT("forwarded", "allowed", "{'wanted':'delivered','met':false}"), DELIVERED,
		  0 },
		{ SENT("forwarded", "allowed", "{'wanted':'dropped','met':false}"), DENIED, 0 },
		{ SENT("forwarded", "unknown", "{'wanted':'allow','met':false}"), DELIVERED, 4 },
		{ SENT("forwarded", "allowed", "null"), DENIED, 0 },
		{ SENT("forwarded", "allowed", "{'wanted':'allow','met':true}"), NOT_SEEN, 4 },
		{ SENT("forwarded", "allowed", "{'wanted':'allow','met':true}"), NULL, 4 },
		{ SENT("replied", "allowed", "{'wanted':'allow','met':true}"), DELIVERED, 0 },
		/* Answered, but which policy it met on the other node was not seen. */
		{ SENT("replied", "none", "{'wanted':'allow','met':true}"), NOT_SEEN, 4 },
		{ SENT("replied", "allowed", "{'wanted':'allow','met':true}"), NOT_SEEN, 0 },
		/* On to a third node. */
		{ SENT("forwarded", "allowed", "{'wanted':'allow','met':true}"),
		  GOT("forwarded", "allowed", "null", "null"), 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool arrived = rows[i].got && strcmp(rows[i].got, NOT_SEEN) != 0;
		json_t *r = join(rows[i].sent, rows[i].got, arrived);

		assert_int_equal(fg_halves_status(r, 0, 0), rows[i].status);
		json_decref(r);
	}
}

/* What the sender's half met of several keys, the whole does not: fg_cases_expected() tells. */
static void test_finer_expectation(void **state)
{
	json_t *r =
		join(SENT("forwarded", "allowed", "{'wanted':'finer','met':true}"), DENIED, true);

	(void)state;
	assert_true(json_is_false(json_object_get(json_object_get(r, "expect"), "met")));
	assert_int_equal(fg_halves_status(r, 0, 0), 1);
	json_decref(r);
}

static void test_nothing_expected(void **state)
{
	json_t *r = join(SENT("forwarded", "allowed", "null"), DENIED, true);

	(void)state;
	assert_int_equal(fg_halves_status(r, 0, 0), 0);
	assert_int_equal(fg_halves_status(r, 0, 4), 4);
	assert_int_equal(fg_halves_status(r, 0, -1), 0);
	assert_int_equal(fg_halves_status(r, 4, -1), 4);
	json_decref(r);
}

static void test_not_arrived(void **state)
{
	static const struct {
		const char *got, *reason;
	} rows[] = {
		{ NOT_SEEN, "left node a at eth0; did not arrive at vx of node b" },
		{ NULL, "left node a at eth0; node b could not look: no agent" },
		{ "{'id':1,'packet':{'sport':4001},'observations':[]}",
		  "left node a at eth0; node b awaited another packet, as a port was in use" },
		{ "{'id':1,'packet':{},'observations':[],'pod':{'device':{'primary':'e0'}},'reason'"
		  ":'it was not seen to arrive: XDP in the uplink\\u0027s driver, which'}",
		  "left node a at eth0; did not arrive at e0 of node b (XDP in the uplink's driver "
		  "may have dropped it)" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *r = join(SENT("forwarded", "allowed", "null"), rows[i].got, false);

		assert_string_equal(at(r, "reason", NULL), rows[i].reason);
		assert_string_equal(at(r, "outcome", NULL), "inconclusive");
		assert_string_equal(at(r, "policy", "verdict"), "unknown");
		json_decref(r);
	}
}

/* What ended before is not touched, and what cannot be is not believed. */
static void test_ended_before(void **state)
{
	json_t *r = join(SENT("dropped", "denied", "null"), NOT_SEEN, false);

	(void)state;
	assert_string_equal(at(r, "outcome", NULL), "dropped");
	assert_string_equal(at(r, "policy", "verdict"), "denied");
	json_decref(r);
	r = join(SENT("dropped", "denied", "null"), DELIVERED, true);
	assert_string_equal(at(r, "policy", "verdict"), "unknown");
	json_decref(r);
	r = join(SENT("inconclusive", "unknown", "null"), NOT_SEEN, false);
	assert_null(at(r, "reason", NULL));
	json_decref(r);
}

static void test_text(void **state)
{
	json_t *r = join(SENT("forwarded", "allowed", "null"), DENIED, true);
	struct fg_buffer out = {};

	(void)state;
	fg_show_result(r, &out);
	fg_buffer_put(&out, "", 1);
	assert_non_null(strstr(out.data, "DENIED by to_pod at lxc2 (ingress stage) on node b\n"));
	assert_non_null(strstr(out.data, "  node stage on node a\n    to_wire: let it pass\n"));
	assert_non_null(strstr(out.data, "  ingress stage on node b\n    to_pod: DENIED\n"));
	fg_buffer_free(&out);
	json_decref(r);
}

/* An agent's answer is text from outside. */
static void test_anything(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{'outcome':'forwarded','decisions':7,'policy':[],'observations':{}}",
		"{'outcome':'forwarded','observations':[{'component':'inject'}],'policy':{'stages':"
		"7,'programs':[1],'candidates':{}},'decisions':[null],'state':'x','end':'y'}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t k = 0; k < COUNT(texts); k++) {
			json_t *a = quoted_json(texts[i]), *b = quoted_json(texts[k]);
			const struct fg_half half = { .node = "b", .result = b, .why = "" };

			fg_halves_join(a, &end, &half, 1);
			assert_in_range(fg_halves_status(a, 0, 0), 0, 4);
			json_decref(a);
			json_decref(b);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_denied_there),	  cmocka_unit_test(test_expectations),
		cmocka_unit_test(test_finer_expectation), cmocka_unit_test(test_not_arrived),
		cmocka_unit_test(test_ended_before),	  cmocka_unit_test(test_text),
		cmocka_unit_test(test_anything),	  cmocka_unit_test(test_nothing_expected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
