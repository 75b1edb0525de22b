// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "packets.h"

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < fg_packet_key_count; i++) {
		const struct fg_packet_key *key = &fg_packet_keys[i];

		assert_ptr_equal(fg_packet_key_find(key->name), key);
		assert_non_null(key->help);
		assert_true(strlen(key->help) < 90);
		assert_true(key->help[strlen(key->help) - 1] != '.');
		/* Either a function, or fields that can hold the least of the range. */
		assert_true(key->set ? key->field_count == 0 : key->field_count > 0);
		assert_true(key->set || key->argument);
	}
	assert_null(fg_packet_key_find("no-such-key"));
}

/* What a user can mistype, and the whole of what he is told. */
static void test_refused(void **state)
{
	static const char *const cases[][3] = {
		{ "nonsense", "1", "nonsense: unknown key" },
		{ "ttl", NULL, "ttl: needs a value: N" },
		{ "ttl", "256", "ttl: \"256\" is not a number from 0 to 255" },
		{ "ttl", "", "ttl: empty; expected a number from 0 to 255" },
		{ "proto", "tpc",
		  "proto: must be tcp, udp, icmp, icmpv6, sctp, or a number from 0 to 255, not \"tpc\"" },
		{ "proto", "256",
		  "proto: must be tcp, udp, icmp, icmpv6, sctp, or a number from 0 to 255, not \"256\"" },
		{ "ecn", "4",
		  "ecn: must be not-ect, ect0, ect1, ce, or a number from 0 to 3, not \"4\"" },
		{ "df", "maybe", "df: must be on or off, not \"maybe\"" },
		{ "bad-checksum", "1", "bad-checksum: must be on or off, not \"1\"" },
		{ "flags", "SX",
		  "flags: \"SX\" is not a set of the letters F S R P A U E C (FIN SYN RST PSH ACK URG "
		  "ECE CWR), each once, or none" },
		{ "flags", "SS",
		  "flags: \"SS\" is not a set of the letters F S R P A U E C (FIN SYN RST PSH ACK URG "
		  "ECE CWR), each once, or none" },
		{ "flags", "", "flags: empty; for no flags write none" },
		{ "mss", "65536", "mss: \"65536\" is not a number from 0 to 65535" },
		{ "wscale", "256", "wscale: \"256\" is not a number from 0 to 255" },
		{ "timestamps", "1,x", "timestamps: \"x\" is not a number from 0 to 4294967295" },
		{ "timestamps", "99999999999999999999999999,1",
		  "timestamps: \"99999999999999999999999\" is not a number from 0 to 4294967295" },
		{ "tcp-option", "0",
		  "tcp-option: \"0\" is not an even number of hexadecimal digits" },
		{ "fragment", "12", "fragment: must be a multiple of 8, not 12" },
		{ "fragment", "0", "fragment: \"0\" is not a number from 8 to 65528" },
		{ "fragment-offset", "65536",
		  "fragment-offset: \"65536\" is not a number from 0 to 65528" },
		{ "ext-header", "routing",
		  "ext-header: must be hop-by-hop[:HEX], destination[:HEX] or fragment, not \"routing\"" },
		{ "ext-header", "fragment:00",
		  "ext-header: must be hop-by-hop[:HEX], destination[:HEX] or fragment, not \"fragment:00\"" },
		{ "ext-header", "destination:0",
		  "ext-header: \"0\" is not an even number of hexadecimal digits" },
		{ "trace-length", "3", "trace-length: must be 2, 4 or 8, not \"3\"" },
		{ "trace-option", "1", "trace-option: \"1\" is not a number from 2 to 255" },
		{ "trace-id", "0",
		  "trace-id: \"0\" is not a number from 1 to 18446744073709551615" },
		{ "size", "65536", "size: \"65536\" is not a number from 0 to 65535" },
		{ "payload", "hex:abc",
		  "payload: \"abc\" is not an even number of hexadecimal digits" },
		{ "dns", "a..b",
		  "dns: \"a..b\" is not NAME or NAME,TYPE with labels of 1 to 63 bytes, 253 bytes in all" },
		{ "dns", "a,B",
		  "dns: must be A, AAAA, ANY, CNAME, HTTPS, MX, NS, PTR, SOA, SRV, TXT, or a number from 0 to 65535, not \"B\"" },
		{ "http", "shop",
		  "http: \"shop\" is not /PATH or http://HOST/PATH, with a method before it if it is not GET" },
		{ "http", "GET /a\r\nX: y",
		  "http: \"GET /a??X: y\" is not /PATH or http://HOST/PATH, with a method before it if it is not GET" },
		{ "gso", "0", "gso: \"0\" is not a number from 1 to 65535" },
	};
	struct fg_packet_spec spec, before;
	struct fg_error err;

	(void)state;
	fg_packet_spec_init(&spec);
	before = spec;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(fg_packet_set(&spec, cases[i][0], cases[i][1], &err), -1);
		assert_int_equal(err.kind, FG_ERR_USAGE);
		assert_string_equal(err.message, cases[i][2]);
		assert_memory_equal(&spec.value, &before.value, sizeof(spec.value));
		assert_memory_equal(&spec.given, &before.given, sizeof(spec.given));
	}
}

static void test_misspelt_names_are_listed(void **state)
{
	static const char *const keys[][2] = { { "icmp-type", "echo-reply" },
					       { "icmp-code", "port-unreachable" },
					       { "sctp-chunk", "cookie-echo" },
					       { "dscp", "af43" } };
	struct fg_packet_spec spec;
	struct fg_error err;

	(void)state;
	fg_packet_spec_init(&spec);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(fg_packet_set(&spec, keys[i][0], "ehco", &err), -1);
		assert_non_null(strstr(err.message, keys[i][1]));
		assert_non_null(strstr(err.message, "or a number from 0 to "));
	}
}

static void test_contradictions(void **state)
{
	static const struct {
		int family;
		const char *keys, *message;
	} cases[] = {
		{ 0, "proto=udp;flags=S", "flags: not for protocol udp" },
		{ 0, "proto=47;bad-checksum", "bad-checksum: not for protocol 47" },
		{ 0, "icmp-id=1", "icmp-id: not for protocol tcp" },
		{ 0, "proto=sctp;checksum-offload", "checksum-offload: not for protocol sctp" },
		{ AF_INET6, "df=on", "df: for IPv4 only, but the addresses are IPv6" },
		{ AF_INET6, "trace-id=1", "trace-id: for IPv4 only, but the addresses are IPv6" },
		{ AF_INET, "flow-label=1",
		  "flow-label: for IPv6 only, but the addresses are IPv4" },
		{ AF_INET, "ext-header=fragment",
		  "ext-header: for IPv6 only, but the addresses are IPv4" },
		{ 0, "payload=x;size=1", "payload and size: only one of the two" },
		{ 0, "flags=PA;dns=a;http=/", "dns and http: only one of the two" },
		{ 0, "tos=1;ecn=1", "tos and ecn: only one of the two" },
		{ 0, "checksum=1;bad-checksum", "checksum and bad-checksum: only one of the two" },
		{ 0, "fragment=8;gso=8", "fragment and gso: only one of the two" },
		{ 0, "trace-option=136", "trace-option: needs trace-id" },
		{ 0, "trace-length=8", "trace-length: needs trace-id" },
		{ 0, "trace-id=65536;trace-length=2", "trace-id: 65536 does not fit into 2 bytes" },
		{ AF_INET6, "id=1",
		  "id: an IPv6 packet has one only in a fragment header: add fragment, more-fragments "
		  "or ext-header fragment" },
		{ AF_INET, "proto=icmp;icmp-type=packet-too-big",
		  "icmp-type: ICMP for IPv4 has no such type" },
		{ AF_INET6, "proto=icmp;icmp-code=fragmentation-needed",
		  "icmp-code: ICMP for IPv6 has no such code" },
		{ 0, "proto=udp;fragment-offset=8;udp-length=9",
		  "udp-length: a fragment past offset 0 has only payload, not this field" },
	};
	struct fg_packet_spec spec;
	struct fg_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		fg_packet_spec_init(&spec);
		assert_int_equal(packets_set(&spec, cases[i].keys, &err), 0);
		assert_int_equal(fg_packet_check(&spec, (uint16_t)cases[i].family, NULL, &err), -1);
		assert_int_equal(err.kind, FG_ERR_USAGE);
		assert_string_equal(err.message, cases[i].message);
		fg_packet_spec_free(&spec);
	}
}

static void test_warnings(void **state)
{
	static const struct {
		int family;
		const char *keys, *text; /* NULL: no warning */
	} cases[] = {
		{ AF_INET, "", NULL },
		{ AF_INET, "proto=icmp", NULL },
		{ AF_INET, "flags=PA;payload=x", NULL },
		{ AF_INET, "payload=x",
		  "a TCP SYN with payload; for data of a connection: flags PA" },
		{ AF_INET, "flags=SF", "flags FS: no TCP stack sends this" },
		{ AF_INET, "flags=none", "flags -: no TCP stack sends this" },
		{ AF_INET, "proto=58",
		  "protocol 58 in IPv4: no ICMP header is built, only the payload" },
		{ AF_INET, "proto=icmp;icmp-type=3",
		  "an ICMP error quotes the packet it is about: add it with payload" },
		{ AF_INET, "proto=udp;more-fragments;df=on",
		  "df on: a fragment with don't fragment set" },
		{ AF_INET6, "ext-header=destination;ext-header=hop-by-hop",
		  "ext-header hop-by-hop: must be the first (RFC 8200)" },
		{ AF_INET, "proto=udp;size=10;gso=20",
		  "gso 20: the payload of 10 bytes fits into one segment" },
		{ AF_INET, "proto=udp;size=1490",
		  "a payload of 1490 bytes does not fit into the MTU of 1500" },
		{ AF_INET, "ttl=0",
		  "ttl 0: no pod's own stack sends this, and every router drops it" },
		{ AF_INET6, "proto=udp;checksum=0", "checksum 0: UDP in IPv6 must have one" },
		{ AF_INET, "ip-version=6", "ip-version 6: not that of the addresses" },
	};
	struct fg_packet_warnings warnings;
	struct fg_packet_spec spec;
	struct fg_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		fg_packet_spec_init(&spec);
		assert_int_equal(packets_set(&spec, cases[i].keys, &err), 0);
		assert_int_equal(fg_packet_check(&spec, (uint16_t)cases[i].family, &warnings, &err),
				 0);
		assert_int_equal(warnings.count, cases[i].text ? 1 : 0);
		if (cases[i].text)
			assert_string_equal(warnings.text[0], cases[i].text);
		fg_packet_spec_free(&spec);
	}
}

static void test_given(void **state)
{
	struct fg_packet_spec spec;

	(void)state;
	fg_packet_spec_init(&spec);
	assert_false(fg_packet_given(&spec, "bad-checksum"));
	fg_packet_set(&spec, "bad-checksum", NULL, NULL);
	assert_true(fg_packet_given(&spec, "bad-checksum"));
	fg_packet_set(&spec, "bad-checksum", "off", NULL);
	assert_false(fg_packet_given(&spec, "bad-checksum"));
	assert_false(spec.bad_checksum);
	assert_int_equal(fg_packet_set_payload(&spec, "a\0b", 3, NULL), 0);
	assert_true(fg_packet_given(&spec, "payload"));
	assert_int_equal(spec.payload_len, 3);
	assert_int_equal(fg_packet_set_payload(&spec, NULL, 0, NULL), 0);
	assert_int_equal(spec.payload_len, 0);
	fg_packet_spec_free(&spec);
	assert_false(fg_packet_given(&spec, "payload"));
}

static void test_protocol(void **state)
{
	struct fg_packet_spec spec;

	(void)state;
	fg_packet_spec_init(&spec);
	assert_true(fg_packet_has_ports(&spec));
	assert_int_equal(fg_put_protocol(&spec, AF_INET), IPPROTO_TCP);
	fg_packet_set(&spec, "proto", "icmp", NULL);
	assert_int_equal(fg_put_protocol(&spec, AF_INET), IPPROTO_ICMP);
	assert_int_equal(fg_put_protocol(&spec, AF_INET6), IPPROTO_ICMPV6);
	assert_false(fg_packet_has_ports(&spec));
	fg_packet_set(&spec, "proto", "17", NULL);
	assert_true(fg_packet_has_ports(&spec));
	fg_packet_set(&spec, "fragment-offset", "8", NULL);
	assert_false(fg_packet_has_ports(&spec));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_misspelt_names_are_listed),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
