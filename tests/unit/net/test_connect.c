// SPDX-License-Identifier: GPL-2.0-only
/* By what a probe's packet is routed: protocol, ports and DSCP of a template, or of ready bytes. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "base/count.h"
#include "net/connect.h"

static const struct fg_addr v4 = { AF_INET, { 10, 9, 0, 9 } };
static const struct fg_addr v6 = { AF_INET6, { 0xfd, 0x09, [15] = 9 } };
static const struct fg_addr own4 = { AF_INET, { 10, 9, 1, 2 } };
static const struct fg_addr own6 = { AF_INET6, { 0xfd, 0x09, [15] = 2 } };

static void test_templates(void **state)
{
	static const struct {
		const struct fg_addr *dst;
		const char *proto, *key, *value;
		uint8_t protocol, tos;
		bool ports;
	} cases[] = {
		{ &v4, "tcp", NULL, NULL, IPPROTO_TCP, 0, true },
		{ &v4, "udp", "tos", "0x13", IPPROTO_UDP, 0x10, true },
		{ &v6, "udp", "dscp", "46", IPPROTO_UDP, 46 << 2, true },
		{ &v4, "icmp", NULL, NULL, IPPROTO_ICMP, 0, false },
		{ &v6, "icmp", "tos", "8", IPPROTO_ICMPV6, 8, false },
		{ &v4, "sctp", NULL, NULL, IPPROTO_SCTP, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fg_packet_spec packet;
		struct fg_probe_spec spec = {
			.packet = &packet,
			.vary = { .dst = *cases[i].dst, .src = own4, .sport = 4000, .dport = 53 },
			.any_source = true
		};
		struct fg_connect_query q;

		fg_packet_spec_init(&packet);
		assert_int_equal(fg_packet_set(&packet, "proto", cases[i].proto, NULL), 0);
		if (cases[i].key)
			assert_int_equal(fg_packet_set(&packet, cases[i].key, cases[i].value, NULL),
					 0);
		q = fg_connect_of_probe(&spec);
		assert_true(fg_addr_equal(&q.flow.dst, cases[i].dst));
		assert_int_equal(q.flow.src.family, 0);
		assert_int_equal(q.flow.protocol, cases[i].protocol);
		assert_int_equal(q.flow.tos, cases[i].tos);
		assert_int_equal(q.flow.sport, cases[i].ports ? 4000 : 0);
		assert_int_equal(q.flow.dport, cases[i].ports ? 53 : 0);
		assert_false(q.any_port);
		/* A source that was given is part of the question. */
		spec.any_source = false;
		spec.any_port = true;
		q = fg_connect_of_probe(&spec);
		assert_true(fg_addr_equal(&q.flow.src, &own4));
		assert_true(q.any_port);
		fg_packet_spec_free(&packet);
	}
}

static void test_bytes(void **state)
{
	static const uint8_t udp4[] = { 0x45, 0x28, 0,	28, 0, 1, 0,	0,    64, 17, 0, 0, 10, 9,
					1,    2,    10, 9,  0, 9, 0x0f, 0xa0, 0,  53, 0, 8, 0,	0 };
	static const uint8_t udp6[48] = {
		0x62,	    0x80,	 [5] = 8,     [6] = 17,	   [7] = 64,
		[8] = 0xfd, [9] = 9,	 [23] = 2,    [24] = 0xfd, [25] = 9,
		[39] = 9,   [40] = 0x0f, [41] = 0xa0, [43] = 53,   [45] = 8
	};
	static const uint8_t cut[] = { 0x45 };
	struct fg_probe_spec spec = { .bytes = udp4,
				      .length = sizeof(udp4),
				      .vary = { .dst = v4, .src = own4 } };
	struct fg_connect_query q = fg_connect_of_probe(&spec);

	(void)state;
	assert_int_equal(q.flow.protocol, IPPROTO_UDP);
	assert_int_equal(q.flow.tos, 0x28);
	assert_int_equal(q.flow.sport, 4000);
	assert_int_equal(q.flow.dport, 53);
	spec = (struct fg_probe_spec){ .bytes = udp6,
				       .length = sizeof(udp6),
				       .vary = { .dst = v6, .src = own6 } };
	q = fg_connect_of_probe(&spec);
	assert_int_equal(q.flow.protocol, IPPROTO_UDP);
	assert_int_equal(q.flow.tos, 0x28);
	assert_int_equal(q.flow.sport, 4000);
	assert_int_equal(q.flow.dport, 53);
	spec = (struct fg_probe_spec){ .bytes = cut, .length = 1, .vary = { .dst = v4 } };
	q = fg_connect_of_probe(&spec);
	assert_int_equal(q.flow.protocol, 0);
}

static void test_protocols(void **state)
{
	(void)state;
	assert_true(fg_route_knows_protocol(AF_INET, IPPROTO_TCP));
	assert_true(fg_route_knows_protocol(AF_INET6, IPPROTO_UDP));
	assert_true(fg_route_knows_protocol(AF_INET, IPPROTO_ICMP));
	assert_false(fg_route_knows_protocol(AF_INET6, IPPROTO_ICMP));
	assert_true(fg_route_knows_protocol(AF_INET6, IPPROTO_ICMPV6));
	assert_false(fg_route_knows_protocol(AF_INET, IPPROTO_SCTP));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_templates),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
