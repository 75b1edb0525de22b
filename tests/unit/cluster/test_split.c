// SPDX-License-Identifier: GPL-2.0-only
/* test_split.c - a scenario over two nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "cluster/split.h"
#include "quoted.h"

static const char scenario[] =
	"{'name':'x','variables':{'db':'sts:pay/db','port':'80'},"
	"'pods':{'cart':'shop/cart-0','db':{'ref':'${db}','interface':'eth0'}},"
	"'destinations':{'sql':'svc:pay/sql:5432'},"
	"'probes':[{'name':'1','from':'cart','to':'sql'},{'name':'2','from':['cart','db'],'to':"
	"['cart','10.0.0.1:${port}']},{'name':'3','from':'pay/other','to':'db'}],"
	"'matrix':{'from':['cart','db'],'to':'db','ports':['80/tcp'],'table':{'cart':'A','db':'D'}}}";

static void set(struct fg_split *s, const char *key, const char *pod, const char *node,
		const char *address)
{
	struct fg_split_end *e = fg_split_find(s, key);

	assert_non_null(e);
	snprintf(e->pod, sizeof(e->pod), "%s", pod);
	snprintf(e->node, sizeof(e->node), "%s", node);
	snprintf(e->address, sizeof(e->address), "%s", address);
}

static void expect_document(const struct fg_split *s, const char *node, const char *wanted)
{
	json_t *got = fg_split_node(s, node), *want = quoted_json(wanted);
	char *text = json_dumps(got, JSON_COMPACT);

	if (!json_equal(got, want))
		fail_msg("%s: %s", node, text);
	free(text);
	json_decref(got);
	json_decref(want);
}

static void test_nodes(void **state)
{
	static const char *const settings[] = { "db=sts:pay/mine", NULL };
	json_t *root = quoted_json(scenario);
	struct fg_split s;
	struct fg_error err;

	(void)state;
	assert_int_equal(fg_split_open(&s, root, settings, &err), 0);
	/* --set comes before the file's own value. */
	assert_string_equal(fg_split_find(&s, "db")->name.name, "mine");
	assert_false(fg_split_find(&s, "sql")->sends);
	assert_true(fg_split_find(&s, "pay/other")->sends);
	assert_int_equal(s.count, 5);
	set(&s, "cart", "shop/cart-0", "a", "10.244.0.2");
	set(&s, "db", "pay/mine-0", "b", "10.244.1.2");
	set(&s, "pay/other", "pay/other", "b", "10.244.1.9");
	set(&s, "sql", "", "", "10.96.0.1:5432");
	set(&s, "10.0.0.1:80", "", "", "10.0.0.1:80");
	expect_document(
		&s, "a",
		"{'name':'x','variables':{'db':'sts:pay/db','port':'80'},'pods':{'cart':{'ref':"
		"'shop/cart-0'}},'destinations':{'db':'10.244.1.2','sql':'10.96.0.1:5432','pay/other':"
		"'10.244.1.9','10.0.0.1:80':'10.0.0.1:80'},'probes':[{'name':'1','from':['cart'],'to':"
		"'sql'},{'name':'2','from':['cart'],'senders':'2','to':['cart','10.0.0.1:${port}']}],"
		"'matrix':{'from':['cart'],'senders':'2','to':'db','ports':['80/tcp'],'table':{'cart':"
		"'A'}}}");
	expect_document(
		&s, "b",
		"{'name':'x','variables':{'db':'sts:pay/db','port':'80'},'pods':{'db':{'ref':"
		"'pay/mine-0','interface':'eth0'},'pay/other':{'ref':'pay/other'}},'destinations':{"
		"'cart':'10.244.0.2','sql':'10.96.0.1:5432','10.0.0.1:80':'10.0.0.1:80'},'probes':[{"
		"'name':'2','from':['db'],'senders':'2','to':['cart','10.0.0.1:${port}']},{'name':'3',"
		"'from':['pay/other'],'to':'db'}],'matrix':{'from':['db'],'senders':'2','to':'db',"
		"'ports':['80/tcp'],'table':{'db':'D'}}}");
	assert_null(fg_split_node(&s, "c"));
	fg_split_free(&s);
	json_decref(root);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "{'pods':{'x':{'namespace':'shop'}}}",
		  "pods.x: a selector is for the pods of one" },
		{ "{'pods':{'x':'deploy:shop/web:all'}}", "one name in a scenario is one pod" },
		{ "{'pods':{'x':'svc:pay/db'}}", "only a pod can be the sender" },
		{ "{'destinations':{'x':{'pod':'y'}}}", "destinations.x: over a cluster" },
		{ "{'destinations':{'x':'endpoints:pay/db'}}",
		  "one name in a scenario is one pod" },
	};
	static const char *const none[] = { NULL };
	struct fg_error err;
	struct fg_split s;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *root = quoted_json(rows[i].text);

		assert_int_equal(fg_split_open(&s, root, none, &err), -1);
		assert_int_equal(err.kind, FG_ERR_USAGE);
		if (!strstr(err.message, rows[i].why))
			fail_msg("%s: %s", rows[i].text, err.message);
		fg_split_free(&s);
		json_decref(root);
	}
}

static void test_defaults(void **state)
{
	static const char *const none[] = { NULL };
	json_t *root =
		quoted_json("{'pods':{'a':'shop/a','b':'shop/b'},'defaults':{'from':['a','b'],'to':"
			    "'svc:pay/db:1'},'probes':[{'name':'1'},{'name':'2','from':'b','to':"
			    "'x'}],'destinations':{'x':{'address':'svc:pay/x','port':'7'}}}");
	struct fg_split s;
	struct fg_error err;

	(void)state;
	assert_int_equal(fg_split_open(&s, root, none, &err), 0);
	assert_true(fg_split_find(&s, "x")->ported);
	set(&s, "a", "shop/a", "n", "10.0.0.1");
	set(&s, "b", "shop/b", "m", "10.0.0.2");
	set(&s, "svc:pay/db:1", "", "", "10.96.0.1:1");
	set(&s, "x", "", "", "10.96.0.2");
	/* What the defaults say of the ends holds on each node; and a port beside an address stays.
	 */
	expect_document(
		&s, "n",
		"{'pods':{'a':{'ref':'shop/a'}},'destinations':{'b':'10.0.0.2','svc:pay/db:1':"
		"'10.96.0.1:1','x':{'address':'10.96.0.2','port':'7'}},'defaults':{'from':['a',"
		"'b'],'to':'svc:pay/db:1'},'probes':[{'name':'1','from':['a'],'senders':'2'}]}");
	fg_split_free(&s);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
