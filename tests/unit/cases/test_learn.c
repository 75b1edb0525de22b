// SPDX-License-Identifier: GPL-2.0-only
/* test_learn.c - the matrix of a namespace as a scenario. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cases/learn.h"

/* With ' for ". */
static const char cluster[] =
	"{'kind':'List','items':["
	"{'kind':'ReplicaSet','metadata':{'namespace':'shop','name':'web-5d','ownerReferences':"
	"[{'kind':'Deployment','name':'web','controller':true}]}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'web-a','ownerReferences':"
	"[{'kind':'ReplicaSet','name':'web-5d','controller':true}]},'status':{'phase':'Running'}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'web-b','ownerReferences':"
	"[{'kind':'ReplicaSet','name':'web-5d','controller':true}]},'status':{'phase':'Running'}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'pg-0','ownerReferences':"
	"[{'kind':'StatefulSet','name':'pg','controller':true}]},'status':{'phase':'Running'}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'log-x','ownerReferences':"
	"[{'kind':'DaemonSet','name':'log','controller':true}]},'spec':{'hostNetwork':true},"
	"'status':{'phase':'Running'}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'job-1','ownerReferences':"
	"[{'kind':'Job','name':'job','controller':true}]},'status':{'phase':'Running'}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'job-2','ownerReferences':"
	"[{'kind':'Job','name':'job','controller':true}]},'status':{'phase':'Running'}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'done'},'status':{'phase':'Succeeded'}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'cart'},'status':{'phase':'Running'}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'till'},'status':{'phase':'Running'}},"
	"{'kind':'Service','metadata':{'namespace':'shop','name':'web'},'spec':{'clusterIP':"
	"'10.96.0.1','ports':[{'port':80},{'port':53,'protocol':'UDP'},{'port':443}]}},"
	"{'kind':'Service','metadata':{'namespace':'shop','name':'pg'},'spec':{'clusterIP':'None',"
	"'ports':[{'port':5432}]}},"
	"{'kind':'Service','metadata':{'namespace':'shop','name':'no'},'spec':{'clusterIP':'None',"
	"'ports':[{'port':1}]}},"
	"{'kind':'Service','metadata':{'namespace':'shop','name':'out'},'spec':{'type':"
	"'ExternalName','externalName':'x.test','ports':[{'port':1}]}},"
	"{'kind':'EndpointSlice','metadata':{'namespace':'shop','labels':{'kubernetes.io/"
	"service-name':'pg'}},'ports':[{'port':5432}],'endpoints':[{'addresses':['10.1.0.1']}]}"
	"]}";

static struct fg_objects read_objects(const char *text)
{
	struct fg_objects objects = {};
	char *copy = strdup(text);
	struct fg_error err;

	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	assert_int_equal(fg_objects_add(&objects, copy, strlen(copy), &err), 0);
	free(copy);
	return objects;
}

static void expect_text(const struct fg_objects *o, bool every, const char *wanted)
{
	struct fg_learn_options options = { .name = "namespace shop", .every_pod = every };
	struct fg_learn_left left = {};
	struct fg_error err;
	char *text = fg_learn_scenario(o, &options, &left, &err);

	assert_non_null(text);
	assert_string_equal(text, wanted);
	assert_int_equal(left.pods, 1);
	assert_int_equal(left.services, 2);
	free(text);
}

#define HEAD "schema: flowgen.scenario/1\nname: namespace shop\nmatrix:\n"
#define TCP                                                                                        \
	"  to: [\"svc:shop/web:80\", \"svc:shop/web:443\", \"svc:shop/pg:5432\"]\n  ports: [tcp]\n"
#define UDP "  to: [\"svc:shop/web:53\"]\n  ports: [udp]\n"
#define WORKLOADS                                                                                  \
	"  from: [\"deploy:shop/web\", \"sts:shop/pg\", shop/job-1, shop/cart, shop/till]\n"
#define PODS                                                                                       \
	"  from: [shop/web-a, shop/web-b, shop/pg-0, shop/job-1, shop/job-2, shop/cart, shop/till]\n"

static void test_matrix(void **state)
{
	struct fg_objects o = read_objects(cluster);

	(void)state;
	expect_text(&o, false, HEAD "- name: tcp\n" WORKLOADS TCP "- name: udp\n" WORKLOADS UDP);
	expect_text(&o, true, HEAD "- name: tcp\n" PODS TCP "- name: udp\n" PODS UDP);
	fg_objects_free(&o);
}

static void expect_refused(const char *text, const char *why)
{
	struct fg_learn_options options = { .name = "namespace shop" };
	struct fg_objects o = read_objects(text);
	struct fg_learn_left left = {};
	struct fg_error err;

	assert_null(fg_learn_scenario(&o, &options, &left, &err));
	assert_int_equal(err.kind, FG_ERR_UNSUPPORTED);
	assert_string_equal(err.message, why);
	fg_objects_free(&o);
}

static void test_nothing(void **state)
{
	(void)state;
	expect_refused("{'kind':'Service','metadata':{'namespace':'shop','name':'web'},'spec':"
		       "{'clusterIP':'10.96.0.1','ports':[{'port':80}]}}",
		       "namespace shop: no pod that runs can send");
	expect_refused("{'kind':'Pod','metadata':{'namespace':'shop','name':'cart'},'status':"
		       "{'phase':'Running'}}",
		       "namespace shop: no Service has an address and a port");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
