// SPDX-License-Identifier: GPL-2.0-only
/* test_flows.c - what is expected of a command's flows: reading it, and which rule is for a flow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/count.h"
#include "probe/flows.h"

static struct fg_addr addr_of(const char *text)
{
	struct fg_addr addr = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	assert_int_equal(inet_pton(addr.family, text, addr.bytes), 1);
	return addr;
}

static int rule_for(const char *text, uint8_t proto, const char *to, uint16_t port)
{
	const struct fg_addr addr = addr_of(to);
	struct fg_flows_expect expect;
	int index;

	assert_int_equal(fg_flows_expect_parse("expect", text, &expect, NULL), 0);
	index = fg_flows_expect_for(&expect, proto, &addr, port);
	fg_flows_expect_free(&expect);
	return index;
}

static void test_rule_for(void **state)
{
	static const struct {
		const char *text;
		uint8_t proto;
		const char *to;
		uint16_t port;
		int index;
	} each[] = {
		{ "allow", IPPROTO_TCP, "10.0.0.9", 443, 0 },
		{ "deny:443/tcp", IPPROTO_TCP, "10.0.0.9", 443, 0 },
		{ "deny:443/tcp", IPPROTO_UDP, "10.0.0.9", 443, -1 },
		{ "deny:443/tcp", IPPROTO_TCP, "10.0.0.9", 444, -1 },
		{ "deny:443", IPPROTO_UDP, "10.0.0.9", 443, 0 },
		{ "deny:udp", IPPROTO_UDP, "10.0.0.9", 1, 0 },
		{ "deny:icmp", IPPROTO_ICMPV6, "fd00::9", 0, 0 },
		{ "deny:1-10/udp", IPPROTO_UDP, "10.0.0.9", 10, 0 },
		{ "deny:1-10/udp", IPPROTO_UDP, "10.0.0.9", 11, -1 },
		{ "deny:10.0.0.9:443", IPPROTO_TCP, "10.0.0.9", 443, 0 },
		{ "deny:10.0.0.9:443", IPPROTO_TCP, "10.0.0.8", 443, -1 },
		{ "deny:10.0.0.9/tcp", IPPROTO_TCP, "10.0.0.9", 1, 0 },
		{ "deny:[fd00::9]:443/tcp", IPPROTO_TCP, "fd00::9", 443, 0 },
		{ "deny:[fd00::9]:443/tcp", IPPROTO_TCP, "fd00::8", 443, -1 },
		/* What says where goes before what does not, the first before the second. */
		{ "deny,allow:53/udp", IPPROTO_UDP, "10.0.0.9", 53, 1 },
		{ "deny,allow:53/udp", IPPROTO_TCP, "10.0.0.9", 53, 0 },
		{ "allow:53,deny:53/udp", IPPROTO_UDP, "10.0.0.9", 53, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(each); i++)
		if (rule_for(each[i].text, each[i].proto, each[i].to, each[i].port) !=
		    each[i].index)
			fail_msg("%s: %s port %u", each[i].text, each[i].to, each[i].port);
}

static void test_words(void **state)
{
	struct fg_flows_expect expect;

	(void)state;
	assert_int_equal(fg_flows_expect_parse("expect", "deny:1,any", &expect, NULL), 0);
	assert_int_equal(expect.count, 2);
	assert_int_equal(expect.rules[0].word, FG_FLOWS_DENY);
	assert_true(expect.rules[0].placed);
	assert_int_equal(expect.rules[1].word, FG_FLOWS_ANY);
	assert_false(expect.rules[1].placed);
	fg_flows_expect_free(&expect);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} each[] = {
		{ "", "expect: must be any, allow or deny, not \"\"" },
		{ "denied", "expect: must be any, allow or deny, not \"denied\"" },
		{ "deny,allow", "expect: \"deny\" and \"allow\": one of them must say for which "
				"flows, as deny:443/tcp does" },
		{ "deny:443/dccp", "expect: must be tcp, udp, sctp or icmp, not \"dccp\"" },
		{ "deny:0/tcp", NULL },
		{ "deny:", NULL },
		{ "deny:10.0.0.9:", NULL },
		{ "deny:name", NULL },
		{ "allow,", NULL },
	};
	struct fg_flows_expect expect;
	struct fg_error err;
	char many[FG_FLOWS_RULES_MAX * 8 + 16] = "deny:1";

	(void)state;
	for (size_t i = 0; i < COUNT(each); i++) {
		err.kind = FG_ERR_INTERNAL;
		assert_int_equal(fg_flows_expect_parse("expect", each[i].text, &expect, &err), -1);
		assert_int_equal(err.kind, FG_ERR_USAGE);
		if (each[i].error)
			assert_string_equal(err.message, each[i].error);
		fg_flows_expect_free(&expect);
	}
	for (int i = 1; i < FG_FLOWS_RULES_MAX; i++)
		strcat(many, ",deny:1");
	assert_int_equal(fg_flows_expect_parse("expect", many, &expect, NULL), 0);
	fg_flows_expect_free(&expect);
	strcat(many, ",deny:1");
	assert_int_equal(fg_flows_expect_parse("expect", many, &expect, NULL), -1);
	fg_flows_expect_free(&expect);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rule_for),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
