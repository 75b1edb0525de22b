// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "base/parse.h"

static struct fg_error err;

static void test_u64(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max, value;
		const char *error; /* NULL: value is right */
	} cases[] = {
		{ "0", 0, 10, 0, NULL },
		{ "10", 0, 10, 10, NULL },
		{ "0x1f", 0, 255, 31, NULL },
		{ "0XfF", 0, 255, 255, NULL },
		{ "007", 0, 255, 7, NULL },
		{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX, NULL },
		{ "0xffffffffffffffff", 0, UINT64_MAX, UINT64_MAX, NULL },
		{ "", 0, 10, 0, "ttl: empty; expected a number from 0 to 10" },
		{ "11", 0, 10, 0, "ttl: \"11\" is not a number from 0 to 10" },
		{ "4", 5, 10, 0, "ttl: \"4\" is not a number from 5 to 10" },
		{ "18446744073709551616", 0, UINT64_MAX, 0,
		  "ttl: \"18446744073709551616\" is not a number from 0 to 18446744073709551615" },
		{ " 1", 0, 10, 0, "ttl: \" 1\" is not a number from 0 to 10" },
		{ "1 ", 0, 10, 0, "ttl: \"1 \" is not a number from 0 to 10" },
		{ "+1", 0, 10, 0, "ttl: \"+1\" is not a number from 0 to 10" },
		{ "-1", 0, 10, 0, "ttl: \"-1\" is not a number from 0 to 10" },
		{ "1x", 0, 10, 0, "ttl: \"1x\" is not a number from 0 to 10" },
		{ "0x", 0, 10, 0, "ttl: \"0x\" is not a number from 0 to 10" },
		{ "0x 1", 0, 10, 0, "ttl: \"0x 1\" is not a number from 0 to 10" },
		{ "0x-1", 0, 10, 0, "ttl: \"0x-1\" is not a number from 0 to 10" },
		{ "1\n", 0, 10, 0, "ttl: \"1?\" is not a number from 0 to 10" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t value = 12345;
		int result = fg_parse_u64("ttl", cases[i].text, cases[i].min, cases[i].max, &value,
					  &err);

		if (!cases[i].error) {
			assert_int_equal(result, 0);
			assert_true(value == cases[i].value);
			continue;
		}
		assert_int_equal(result, -1);
		assert_int_equal(err.kind, FG_ERR_USAGE);
		assert_string_equal(err.message, cases[i].error);
		assert_true(value == 12345);
	}
}

static void test_endpoint(void **state)
{
	static const struct {
		const char *text, *addr;
		int port;
		const char *error;
	} cases[] = {
		{ "10.0.0.9", "10.0.0.9", -1, NULL },
		{ "10.0.0.9:53", "10.0.0.9", 53, NULL },
		{ "10.0.0.9:65535", "10.0.0.9", 65535, NULL },
		{ "fd00::9", "fd00::9", -1, NULL },
		{ "[fd00::9]", "fd00::9", -1, NULL },
		{ "[fd00::9]:1", "fd00::9", 1, NULL },
		{ "fd00:0:0::0009", "fd00::9", -1, NULL },
		{ "::ffff:1.2.3.4", "::ffff:1.2.3.4", -1, NULL },
		{ "fd00::1:80", "fd00::1:80", -1, NULL },
		{ "", NULL, 0, "dst: empty; expected ADDRESS, ADDRESS:PORT or [IPV6]:PORT" },
		{ "10.0.0", NULL, 0,
		  "dst: \"10.0.0\" is not ADDRESS, ADDRESS:PORT or [IPV6]:PORT" },
		{ "10.0.0.09", NULL, 0,
		  "dst: \"10.0.0.09\" is not ADDRESS, ADDRESS:PORT or [IPV6]:PORT" },
		{ "[10.0.0.9]:53", NULL, 0,
		  "dst: \"[10.0.0.9]:53\" is not ADDRESS, ADDRESS:PORT or [IPV6]:PORT" },
		{ "[fd00::9", NULL, 0,
		  "dst: \"[fd00::9\" is not ADDRESS, ADDRESS:PORT or [IPV6]:PORT" },
		{ "[fd00::9]x", NULL, 0,
		  "dst: \"[fd00::9]x\" is not ADDRESS, ADDRESS:PORT or [IPV6]:PORT" },
		{ "fe80::1%eth0", "fe80::1", -1, NULL },
		{ "[fe80::1%12]:53", "fe80::1", 53, NULL },
		{ "ff02::1%eth0", "ff02::1", -1, NULL },
		{ "fe80::1%", NULL, 0,
		  "dst: \"fe80::1%\" is not ADDRESS, ADDRESS:PORT or [IPV6]:PORT" },
		{ "fe80::1%sixteen-letters-", NULL, 0,
		  "dst: \"fe80::1%sixteen-letters-\" is not ADDRESS, ADDRESS:PORT or "
		  "[IPV6]:PORT" },
		{ "fe80::1%a b", NULL, 0,
		  "dst: \"fe80::1%a b\" is not ADDRESS, ADDRESS:PORT or [IPV6]:PORT" },
		{ "fd00::1%eth0", NULL, 0,
		  "dst: \"fd00::1%eth0\" is not ADDRESS, ADDRESS:PORT or [IPV6]:PORT" },
		{ "10.0.0.9%eth0", NULL, 0,
		  "dst: \"10.0.0.9%eth0\" is not ADDRESS, ADDRESS:PORT or [IPV6]:PORT" },
		{ "10.0.0.9/24", NULL, 0,
		  "dst: \"10.0.0.9/24\" is not ADDRESS, ADDRESS:PORT or [IPV6]:PORT" },
		{ "10.0.0.9:0", NULL, 0,
		  "dst: \"10.0.0.9:0\" is not an address with a port from 1 to 65535" },
		{ "10.0.0.9:", NULL, 0,
		  "dst: \"10.0.0.9:\" is not an address with a port from 1 to 65535" },
		{ "10.0.0.9:65536", NULL, 0,
		  "dst: \"10.0.0.9:65536\" is not an address with a port from 1 to 65535" },
		{ "[fd00::9]:", NULL, 0,
		  "dst: \"[fd00::9]:\" is not an address with a port from 1 to 65535" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fg_addr addr = { .family = 77 };
		char text[FG_ADDR_TEXT_LEN];
		int port = 77, result = fg_parse_endpoint("dst", cases[i].text, &addr, &port, &err);

		if (!cases[i].error) {
			assert_int_equal(result, 0);
			assert_string_equal(fg_addr_text(&addr, text, sizeof(text)), cases[i].addr);
			assert_int_equal(port, cases[i].port);
			continue;
		}
		assert_int_equal(result, -1);
		assert_string_equal(err.message, cases[i].error);
		assert_int_equal(addr.family, 77);
		assert_int_equal(port, 77);
	}
}

static void test_addr(void **state)
{
	struct fg_addr a, b, none = { 0 };
	char text[FG_ADDR_TEXT_LEN], tiny[4];

	(void)state;
	assert_int_equal(fg_parse_addr("src", "10.0.0.9", &a, &err), 0);
	assert_int_equal(a.family, AF_INET);
	assert_memory_equal(a.bytes, "\x0a\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(fg_parse_addr("src", "fd00::9", &b, &err), 0);
	assert_false(fg_addr_equal(&a, &b));
	assert_true(fg_addr_equal(&a, &a));
	assert_true(fg_addr_equal(&none, &none));
	assert_string_equal(fg_addr_text(&none, text, sizeof(text)), "-");
	assert_string_equal(fg_addr_text(&a, tiny, sizeof(tiny)), "10.");
	assert_int_equal(fg_parse_addr("src", "10.0.0.9:1", &a, &err), -1);
	assert_string_equal(err.message, "src: \"10.0.0.9:1\" is not an IPv4 or IPv6 address");
}

static void test_mac(void **state)
{
	static const char *const wrong[] = { "",
					     "02:00:5e:10:00",
					     "02:00:5e:10:00:0",
					     "02:00:5e:10:00:0g",
					     "02-00-5e-10-00-01",
					     "02:00:5e:10:00:01:",
					     "02:00:5e:10:00:01 " };
	uint8_t mac[6] = { 0 };

	(void)state;
	assert_int_equal(fg_parse_mac("mac", "02:00:5E:10:00:fF", mac, &err), 0);
	assert_memory_equal(mac, "\x02\x00\x5e\x10\x00\xff", 6);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(fg_parse_mac("mac", wrong[i], mac, &err), -1);
		assert_memory_equal(mac, "\x02\x00\x5e\x10\x00\xff", 6);
	}
	assert_string_equal(err.message, "mac: \"02:00:5e:10:00:01 \" is not a MAC address like "
					 "02:00:5e:10:00:01");
}

static void test_hex(void **state)
{
	uint8_t bytes[4];
	size_t len = 0;

	(void)state;
	assert_int_equal(fg_parse_hex("payload", "00fFa5", bytes, sizeof(bytes), &len, &err), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "\x00\xff\xa5", 3);
	assert_int_equal(fg_parse_hex("payload", "00f", bytes, 4, &len, &err), -1);
	assert_string_equal(err.message,
			    "payload: \"00f\" is not an even number of hexadecimal digits");
	assert_int_equal(fg_parse_hex("payload", "", bytes, 4, &len, &err), -1);
	assert_string_equal(err.message,
			    "payload: empty; expected an even number of hexadecimal digits");
	assert_int_equal(fg_parse_hex("payload", "0011223344", bytes, 4, &len, &err), -1);
	assert_string_equal(err.message, "payload: 5 bytes are more than the 4 there is room for");
	assert_int_equal(len, 3);
}

static void test_duration(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
		bool good;
	} cases[] = {
		{ "1", 1000000000, true },
		{ "0.5", 500000000, true },
		{ ".5", 500000000, true },
		{ "0", 0, true },
		{ "2s", 2000000000, true },
		{ "10ms", 10000000, true },
		{ "0.1ms", 100000, true },
		{ "500us", 500000, true },
		{ "7ns", 7, true },
		{ "1.5m", 90000000000, true },
		{ "", 0, false },
		{ ".", 0, false },
		{ "1.", 0, false },
		{ "-1", 0, false },
		{ "1e3", 0, false },
		{ "1 s", 0, false },
		{ "inf", 0, false },
		{ "nan", 0, false },
		{ "1h", 0, false },
		{ "1S", 0, false },
		{ "1ss", 0, false },
		{ "9223372037", 0, false },
		{ "99999999999999999999999", 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t ns = 42;
		int result = fg_parse_duration("interval", cases[i].text, &ns, &err);

		assert_int_equal(result, cases[i].good ? 0 : -1);
		assert_true(ns == (cases[i].good ? cases[i].ns : 42));
	}
	fg_parse_duration("interval", "1h", &(uint64_t){ 0 }, &err);
	assert_string_equal(err.message,
			    "interval: \"1h\" is not a duration like 500us, 10ms, 2s, 0.5 or 1m");
}

static void test_rate(void **state)
{
	static const struct {
		const char *text;
		double rate; /* 0: refused */
	} cases[] = {
		{ "1", 1 },   { "10k", 1e4 }, { "1.5m", 1.5e6 }, { "0.1", 0.1 }, { "1000m", 1e9 },
		{ "0", 0 },   { "0k", 0 },    { "1001m", 0 },	 { "1K", 0 },	 { "-1", 0 },
		{ "1 k", 0 }, { "", 0 },      { "k", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		double rate = 42;
		int result = fg_parse_rate("rate", cases[i].text, &rate, &err);

		assert_int_equal(result, cases[i].rate > 0 ? 0 : -1);
		assert_true(rate == (cases[i].rate > 0 ? cases[i].rate : 42));
	}
	assert_string_equal(err.message,
			    "rate: \"k\" is not a rate in packets per second up to 1000m, "
			    "like 100, 10k or 1.5m");
}

static void test_ports(void **state)
{
	static const uint16_t listed[] = { 22, 80, 81, 82, 53 };
	struct fg_ports ports;

	(void)state;
	assert_int_equal(fg_parse_ports("dport", "22,80-82,53", &ports, &err), 0);
	assert_int_equal(ports.count, 3);
	assert_int_equal(ports.total, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(fg_ports_get(&ports, i), listed[i]);
	fg_ports_free(&ports);
	assert_int_equal(ports.total, 0);

	assert_int_equal(fg_parse_ports("dport", "1-65535", &ports, &err), 0);
	assert_int_equal(ports.total, 65535);
	assert_int_equal(fg_ports_get(&ports, 0), 1);
	assert_int_equal(fg_ports_get(&ports, 65534), 65535);
	fg_ports_free(&ports);
}

static void test_ports_refused(void **state)
{
	static const char *const wrong[] = { "",     "0",    "0-5",	"65536",
					     "5-4",  "1-",   "-1",	"1,",
					     ",1",   "1,,2", "1-2-3",	"1 ",
					     "htpt", "1- 2", "1-65536", "99999999999999999999" };
	struct fg_ports ports = { .total = 77 };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(fg_parse_ports("dport", wrong[i], &ports, &err), -1);
		assert_non_null(strstr(err.message, "a list of ports from 1 to 65535 like 53, "));
	}
	assert_int_equal(fg_parse_ports("dport", "80,70-90", &ports, &err), -1);
	assert_string_equal(err.message, "dport: port 80 is named twice");
	assert_int_equal(ports.total, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),	      cmocka_unit_test(test_endpoint),
		cmocka_unit_test(test_addr),	      cmocka_unit_test(test_mac),
		cmocka_unit_test(test_hex),	      cmocka_unit_test(test_duration),
		cmocka_unit_test(test_rate),	      cmocka_unit_test(test_ports),
		cmocka_unit_test(test_ports_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
