// SPDX-License-Identifier: GPL-2.0-only
/* test_names.c - how the ends of a packet are named in a cluster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "cluster/names.h"

struct row {
	const char *text;
	enum fg_name_kind kind;
	const char *namespace, *name;
	bool all;
	int port;
	const char *port_name;
};

static void check(const struct row *row, const struct fg_name *n)
{
	assert_int_equal(n->kind, row->kind);
	assert_string_equal(n->namespace, row->namespace);
	assert_string_equal(n->name, row->name);
	assert_int_equal(n->all, row->all);
	assert_int_equal(n->port, row->port);
	assert_string_equal(n->port_name, row->port_name ? row->port_name : "");
	assert_string_equal(n->text, row->text);
}

static void test_sources(void **state)
{
	static const struct row rows[] = {
		{ "cart-0", FG_NAME_POD, "", "cart-0", false, -1, NULL },
		{ "shop/cart-0", FG_NAME_POD, "shop", "cart-0", false, -1, NULL },
		{ "pod:shop/cart-0", FG_NAME_POD, "shop", "cart-0", false, -1, NULL },
		{ "pod:cart.0", FG_NAME_POD, "", "cart.0", false, -1, NULL },
		{ "deploy:shop/web", FG_NAME_DEPLOYMENT, "shop", "web", false, -1, NULL },
		{ "deploy:shop/web:all", FG_NAME_DEPLOYMENT, "shop", "web", true, -1, NULL },
		{ "sts:db", FG_NAME_STATEFULSET, "", "db", false, -1, NULL },
		{ "ds:kube-system/proxy:all", FG_NAME_DAEMONSET, "kube-system", "proxy", true, -1,
		  NULL },
		{ "label:shop/app=web,tier!=x,!old", FG_NAME_LABEL, "shop", "app=web,tier!=x,!old",
		  false, -1, NULL },
	};
	struct fg_error err;
	struct fg_name n;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(fg_names_read_source("--pod", rows[i].text, &n, &err), 0);
		check(&rows[i], &n);
	}
	assert_int_equal(fg_names_read_source("--pod", "ip:10.0.0.9", &n, &err), 0);
	assert_int_equal(n.kind, FG_NAME_ADDRESS);
	assert_int_equal(n.addr.family, AF_INET);
}

static void test_targets(void **state)
{
	static const struct row rows[] = {
		{ "shop/cart-0:5432", FG_NAME_POD, "shop", "cart-0", false, 5432, NULL },
		{ "pod:shop/cart-0:http", FG_NAME_POD, "shop", "cart-0", false, -1, "http" },
		{ "deploy:shop/web:all:80", FG_NAME_DEPLOYMENT, "shop", "web", true, 80, NULL },
		{ "deploy:shop/web:80", FG_NAME_DEPLOYMENT, "shop", "web", false, 80, NULL },
		{ "svc:pay/db:5432", FG_NAME_SERVICE, "pay", "db", false, 5432, NULL },
		{ "svc:pay/db:pg", FG_NAME_SERVICE, "pay", "db", false, -1, "pg" },
		/* of a service it is the name of a port */
		{ "svc:pay/db:all", FG_NAME_SERVICE, "pay", "db", false, -1, "all" },
		{ "svc:db", FG_NAME_SERVICE, "", "db", false, -1, NULL },
		{ "endpoints:pay/db", FG_NAME_ENDPOINTS, "pay", "db", false, -1, NULL },
		{ "node:worker-1.example:22", FG_NAME_NODE, "", "worker-1.example", false, 22,
		  NULL },
		{ "db.pay.svc.cluster.local:5432", FG_NAME_DNS, "", "db.pay.svc.cluster.local",
		  false, 5432, NULL },
		{ "db", FG_NAME_DNS, "", "db", false, -1, NULL },
	};
	struct fg_error err;
	struct fg_name n;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(fg_names_read_target("--dst", rows[i].text, &n, &err), 0);
		check(&rows[i], &n);
	}
}

static void test_addresses(void **state)
{
	static const struct {
		const char *text, *address;
		int port;
	} rows[] = {
		{ "10.0.0.9", "10.0.0.9", -1 },	       { "10.0.0.9:53", "10.0.0.9", 53 },
		{ "ext:10.0.0.9:53", "10.0.0.9", 53 }, { "fd00::9", "fd00::9", -1 },
		{ "[fd00::9]:53", "fd00::9", 53 },     { "ext:[fd00::9]:53", "fd00::9", 53 },
		{ "[fd00::9]:http", "fd00::9", -1 },   { "10.0.0.9:http", "10.0.0.9", -1 },
	};
	char text[FG_ADDR_TEXT_LEN];
	struct fg_error err;
	struct fg_name n;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(fg_names_read_target("--dst", rows[i].text, &n, &err), 0);
		assert_int_equal(n.kind, FG_NAME_ADDRESS);
		assert_int_equal(fg_names_is_outside(&n), !strncmp(rows[i].text, "ext:", 4));
		assert_string_equal(fg_addr_text(&n.addr, text, sizeof(text)), rows[i].address);
		assert_int_equal(n.port, rows[i].port);
	}
}

static void refuse(const char *text, bool source, const char *why)
{
	struct fg_name n = { .port = 7 };
	struct fg_error err;

	assert_int_equal(source ? fg_names_read_source("--pod", text, &n, &err)
				: fg_names_read_target("--dst", text, &n, &err),
			 -1);
	assert_int_equal(err.kind, FG_ERR_USAGE);
	if (!strstr(err.message, why))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, err.message, why);
	/* What is refused leaves no trace. */
	assert_int_equal(n.port, 7);
}

static void test_refused(void **state)
{
	char big[800];

	(void)state;
	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	refuse("", true, "not the name of an object");
	refuse("shop/", true, "not the name of an object");
	refuse("Shop/x", true, "is not a namespace");
	refuse("shop/-x", true, "not the name of an object");
	/* kubectl would take it for an option. */
	refuse("pod:--all", true, "not the name of an object");
	refuse("svc:pay/db", true, "only a pod can be the sender");
	refuse("node:a", true, "only a pod can be the sender");
	refuse("ext:10.0.0.9", true, "only a pod can be the sender");
	refuse("shop/cart-0:80", true, "a sender has no port");
	refuse("netns:x", true, "only the pod's own node");
	refuse("10.0.0.0/28:80", false, "one address, not a network");
	refuse("shop/cart-0:80,443", false, "several ports are -p PORTS");
	refuse("10.0.0.9:80,443", false, "several ports are -p PORTS");
	refuse("pid:7", false, "only the pod's own node");
	refuse("svc:pay/db:0", false, "--dst");
	refuse("svc:pay/db:65536", false, "--dst");
	refuse("svc:pay/db:PG", false, "is not a port");
	refuse("svc:pay/db:80:81", false, "is not a port");
	refuse("label:shop/app in (a)", false, "a selector is");
	refuse("label:shop/", false, "a selector is");
	refuse("a/b/c", false, "not the name of an object");
	refuse("ext:db", false, "--dst");
	refuse(big, false, "longer");
}

static void test_dns(void **state)
{
	static const struct {
		const char *text, *namespace, *service, *host;
	} rows[] = {
		{ "db", "shop", "db", "" },
		{ "db.pay", "pay", "db", "" },
		{ "db.pay.svc", "pay", "db", "" },
		{ "db.pay.svc.cluster.local", "pay", "db", "" },
		{ "db.pay.svc.cluster.local.", "pay", "db", "" },
		{ "pg-0.db.pay.svc", "pay", "db", "pg-0" },
		{ "pg-0.db.pay.svc.cluster.local", "pay", "db", "pg-0" },
	};
	static const char *const others[] = { "www.example.com", "a.b.c", "db.pay.cluster.local",
					      "a.pg-0.db.pay.svc" };
	struct fg_name n, service;
	struct fg_error err;
	char host[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(fg_names_read_target("--dst", rows[i].text, &n, &err), 0);
		assert_int_equal(fg_names_dns(&n, "shop", "cluster.local", &service, host), 0);
		assert_string_equal(service.namespace, rows[i].namespace);
		assert_string_equal(service.name, rows[i].service);
		assert_string_equal(host, rows[i].host);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_int_equal(fg_names_read_target("--dst", others[i], &n, &err), 0);
		assert_int_equal(fg_names_dns(&n, "shop", "cluster.local", &service, host), 1);
	}
	/* Another domain than the cluster's. */
	assert_int_equal(fg_names_read_target("--dst", "db.pay.svc.corp", &n, &err), 0);
	assert_int_equal(fg_names_dns(&n, "shop", "cluster.local", &service, host), 1);
	assert_int_equal(fg_names_dns(&n, "shop", "corp", &service, host), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),	  cmocka_unit_test(test_targets),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_dns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
