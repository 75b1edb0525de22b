// SPDX-License-Identifier: GPL-2.0-only
/* Destinations as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "option/destination.h"

static void test_read(void **state)
{
	static const struct {
		const char *text;
		enum fg_destination_kind kind;
		const char *is; /* the first address, or the name */
		uint32_t count;
		size_t ports, first;
	} rows[] = {
		{ "10.0.0.9", FG_DESTINATION_ADDRESS, "10.0.0.9", 1, 0, 0 },
		{ "10.0.0.9:80", FG_DESTINATION_ADDRESS, "10.0.0.9", 1, 1, 80 },
		{ "10.0.0.9:80-90", FG_DESTINATION_ADDRESS, "10.0.0.9", 1, 11, 80 },
		{ "10.0.0.9:80,443", FG_DESTINATION_ADDRESS, "10.0.0.9", 1, 2, 80 },
		{ "10.0.0.9:http", FG_DESTINATION_ADDRESS, "10.0.0.9", 1, 1, 80 },
		{ "10.0.0.9:http,https,8000-8001", FG_DESTINATION_ADDRESS, "10.0.0.9", 1, 4, 80 },
		{ "ext:10.0.0.9:80", FG_DESTINATION_ADDRESS, "10.0.0.9", 1, 1, 80 },
		{ "10.0.0.7/28", FG_DESTINATION_ADDRESS, "10.0.0.1", 14, 0, 0 },
		{ "10.0.0.7/31:53", FG_DESTINATION_ADDRESS, "10.0.0.6", 2, 1, 53 },
		{ "10.0.0.7/32", FG_DESTINATION_ADDRESS, "10.0.0.7", 1, 0, 0 },
		{ "fd00::1", FG_DESTINATION_ADDRESS, "fd00::1", 1, 0, 0 },
		{ "fd00::1:80", FG_DESTINATION_ADDRESS, "fd00::1:80", 1, 0, 0 },
		{ "fd00::1%", FG_DESTINATION_NONE, NULL, 0, 0, 0 },
		{ "[fd00::1]:80-81", FG_DESTINATION_ADDRESS, "fd00::1", 1, 2, 80 },
		{ "[fd00::1]", FG_DESTINATION_ADDRESS, "fd00::1", 1, 0, 0 },
		{ "fd00::/124", FG_DESTINATION_ADDRESS, "fd00::", 16, 0, 0 },
		{ "[fd00::/126]:53", FG_DESTINATION_ADDRESS, "fd00::", 4, 1, 53 },
		{ "[fd00::7]/120:80", FG_DESTINATION_ADDRESS, "fd00::", 256, 1, 80 },
		{ "[fd00::]/120", FG_DESTINATION_ADDRESS, "fd00::", 256, 0, 0 },
		{ "pod:shop/cart-0", FG_DESTINATION_POD, "pod:shop/cart-0", 1, 0, 0 },
		{ "pod:shop/cart-0:80", FG_DESTINATION_POD, "pod:shop/cart-0", 1, 1, 80 },
		{ "netns:web:dns", FG_DESTINATION_POD, "netns:web", 1, 1, 53 },
		{ "www.example.com:443", FG_DESTINATION_NAME, "www.example.com", 1, 1, 443 },
		{ "db", FG_DESTINATION_NAME, "db", 1, 0, 0 },
		{ "1.example.org.", FG_DESTINATION_NAME, "1.example.org.", 1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_destination d = {};
		char text[FG_ADDR_TEXT_LEN];
		int ret = fg_destination_parse("dst", rows[i].text, &d, NULL);

		if (ret != (rows[i].kind ? 0 : -1) || d.kind != rows[i].kind)
			fail_msg("%s: %d, %d", rows[i].text, ret, d.kind);
		if (d.kind == FG_DESTINATION_ADDRESS)
			assert_string_equal(fg_addr_text(&d.addr, text, sizeof(text)), rows[i].is);
		else if (d.kind)
			assert_string_equal(d.name, rows[i].is);
		assert_int_equal(d.count, rows[i].count);
		assert_int_equal(d.ports.total, rows[i].ports);
		if (d.ports.total)
			assert_int_equal(fg_ports_get(&d.ports, 0), rows[i].first);
		fg_destination_free(&d);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *message, *hint;
	} rows[] = {
		{ "", "dst: empty; expected ADDRESS", "" },
		{ "10.0.0", "dst: \"10.0.0\" is not ADDRESS", "" },
		{ "10.0.0.256:80", "dst: \"10.0.0.256:80\" is not ADDRESS", "" },
		{ ":80", "dst: \":80\" has no address", "ADDRESS:80" },
		{ ":http", "dst: \":http\" has no address", "ADDRESS:http" },
		{ "10.0.0.9:0", "dst: \"0\" is not a list of ports from 1 to 65535", "" },
		{ "10.0.0.9:", "dst: empty; expected a list of ports", "" },
		{ "10.0.0.9:nothing", "dst: \"nothing\" is not a list of ports", "" },
		{ "fd00::1:80-90", "dst: \"fd00::1:80-90\" is not ADDRESS",
		  "[fd00::1]:80-90 has a port" },
		{ "[10.0.0.9]:80", "dst: \"[10.0.0.9]:80\" is not ADDRESS", "" },
		{ "[fd00::1", "dst: \"[fd00::1\" is not ADDRESS", "" },
		{ "[fd00::9]/xyz:80", "dst: \"xyz\" is not a number from 0 to 128", "" },
		{ "[fd00::9]/:80", "dst: empty; expected a number", "" },
		{ "[fd00::/126]/120:80", "dst: \"126/120\" is not a number from 0 to 128", "" },
		{ "[fd00::]/64:80", "dst: a network has at most 4096 addresses", "/116 or longer" },
		{ "10.0.0.0/16", "dst: a network has at most 4096 addresses", "/20 or longer" },
		{ "fd00::/64", "dst: a network has at most 4096 addresses", "/116 or longer" },
		{ "10.0.0.0/33", "dst: \"33\" is not a number from 0 to 32", "" },
		{ "a b", "dst: \"a b\" is not ADDRESS", "" },
		{ "a..b", "dst: \"a..b\" is not ADDRESS", "" },
		{ "svc:pay/db:80", "dst: \"svc:pay/db:80\": only the API server knows", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_destination d = {};
		struct fg_error err = {};

		assert_int_equal(fg_destination_parse("dst", rows[i].text, &d, &err), -1);
		if (strncmp(err.message, rows[i].message, strlen(rows[i].message)) != 0)
			fail_msg("%s: %s", rows[i].text, err.message);
		if (rows[i].hint)
			assert_string_equal(err.hint, rows[i].hint);
		assert_int_equal(d.kind, FG_DESTINATION_NONE);
	}
}

static void test_counting(void **state)
{
	struct fg_destination d = {};
	struct fg_addr at;
	char text[FG_ADDR_TEXT_LEN];

	(void)state;
	assert_int_equal(fg_destination_parse("dst", "10.0.0.255/32", &d, NULL), 0);
	at = fg_addr_at(&d.addr, 2);
	assert_string_equal(fg_addr_text(&at, text, sizeof(text)), "10.0.1.1");
	assert_int_equal(fg_destination_parse("dst", "fd00::ffff", &d, NULL), 0);
	at = fg_addr_at(&d.addr, 256);
	assert_string_equal(fg_addr_text(&at, text, sizeof(text)), "fd00::1:ff");
	fg_destination_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_counting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
