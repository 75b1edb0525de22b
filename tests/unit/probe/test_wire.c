// SPDX-License-Identifier: GPL-2.0-only
/* A packet's flow as the programs read it, with as many bytes as they need, and with one less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/count.h"
#include "probe/probe.h"
#include "probe/wire.h"

#define SPORT 0x0102
#define DPORT 0x0304
#define THIRD 0x0506

/* Six bytes of the layer above IP. */
static const uint8_t above[] = { 1, 2, 3, 4, 5, 6 };

static uint8_t packet[200];

static size_t ipv4(uint8_t proto, size_t header, uint16_t fragment)
{
	memset(packet, 0, sizeof(packet));
	packet[0] = (uint8_t)(0x40 | header / 4);
	packet[4] = 0xab;
	packet[5] = 0xcd;
	packet[6] = (uint8_t)(fragment >> 8);
	packet[7] = (uint8_t)fragment;
	packet[9] = proto;
	for (uint8_t i = 0; i < 8; i++)
		packet[12 + i] = i + 1;
	memcpy(packet + header, above, sizeof(above));
	return header + sizeof(above) < 28 ? 28 : header + sizeof(above);
}

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

static void assert_read(size_t len, uint8_t family, uint8_t proto, bool identified)
{
	bool icmp = proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
	struct fg_wire_flow f, untouched;

	assert_true(fg_wire_read_flow(packet, len, &f));
	assert_int_equal(f.family, family);
	assert_int_equal(f.proto, proto);
	assert_int_equal(ntohs(f.sport), identified && (icmp || has_ports(proto)) ? SPORT : 0);
	assert_int_equal(ntohs(f.dport), !identified	    ? 0
					 : has_ports(proto) ? DPORT
					 : icmp		    ? THIRD
							    : 0);
	assert_int_equal(ntohs(f.ident), family == 4 ? 0xabcd : 0);
	assert_memory_equal(f.src, packet + (family == 4 ? 12 : 8), family == 4 ? 4 : 16);
	assert_memory_equal(f.dst, packet + (family == 4 ? 16 : 24), family == 4 ? 4 : 16);
	/* One byte less is too short, and touches nothing. */
	memset(&f, 0x77, sizeof(f));
	untouched = f;
	assert_false(fg_wire_read_flow(packet, len - 1, &f));
	assert_memory_equal(&f, &untouched, sizeof(f));
}

static const uint8_t protocols[] = { IPPROTO_TCP,  IPPROTO_UDP,	   IPPROTO_SCTP,
				     IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_ESP };

static void ipv4_by_protocol_and_length_of_the_header(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(protocols); i++)
		for (size_t header = 20; header <= 60; header += 4)
			assert_read(ipv4(protocols[i], header, 0), 4, protocols[i], true);
}

static void a_later_fragment_of_ipv4_has_no_ports(void **state)
{
	static const struct {
		uint16_t field;
		bool first;
	} rows[] = { { 0x4000, true },	{ 0x2000, true },  { 0xe000, true },
		     { 0x0001, false }, { 0x0100, false }, { 0x1000, false },
		     { 0x00ff, false }, { 0x3f00, false }, { 0x0080, false } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ipv4(IPPROTO_UDP, 20, rows[i].field);
		assert_read(28, 4, IPPROTO_UDP, rows[i].first);
	}
}

/* kinds: the extension headers, of 8 bytes each and once more of 16; offset: of a fragment. */
static size_t ipv6(const uint8_t *kinds, size_t count, uint8_t proto, uint16_t offset, bool longer)
{
	size_t at = 40;

	memset(packet, 0, sizeof(packet));
	packet[0] = 0x60;
	packet[6] = count ? kinds[0] : proto;
	for (uint8_t i = 0; i < 32; i++)
		packet[8 + i] = i + 1;
	for (size_t i = 0; i < count; i++) {
		bool fragment = kinds[i] == IPPROTO_FRAGMENT;

		packet[at] = i + 1 < count ? kinds[i + 1] : proto;
		packet[at + 1] = longer ? 1 : 0;
		if (fragment) {
			packet[at + 2] = (uint8_t)(offset >> 8);
			packet[at + 3] = (uint8_t)offset;
		}
		at += longer && !fragment ? 16 : 8;
	}
	memcpy(packet + at, above, sizeof(above));
	return at + sizeof(above);
}

static void ipv6_by_protocol_and_extension_headers(void **state)
{
	static const uint8_t all[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS,
				       IPPROTO_FRAGMENT };

	(void)state;
	for (size_t i = 0; i < COUNT(protocols); i++) {
		assert_read(ipv6(NULL, 0, protocols[i], 0, false), 6, protocols[i], true);
		for (size_t k = 0; k < COUNT(all); k++) {
			assert_read(ipv6(&all[k], 1, protocols[i], 0, false), 6, protocols[i],
				    true);
			assert_read(ipv6(&all[k], 1, protocols[i], 0, true), 6, protocols[i], true);
		}
		assert_read(ipv6(all, 4, protocols[i], 0, true), 6, protocols[i], true);
	}
}

/* The programs go no further: it is known by that header, and so by no ports. */
static void more_extension_headers_than_four_are_not_read(void **state)
{
	static const uint8_t five[] = { IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_DSTOPTS,
					IPPROTO_DSTOPTS, IPPROTO_DSTOPTS };
	struct fg_wire_flow f;

	(void)state;
	assert_true(fg_wire_read_flow(packet, ipv6(five, 5, IPPROTO_UDP, 0, false), &f));
	assert_int_equal(f.proto, IPPROTO_DSTOPTS);
	assert_int_equal(f.sport, 0);
}

static void a_later_fragment_of_ipv6_has_no_ports(void **state)
{
	static const uint8_t fragment[] = { IPPROTO_FRAGMENT };
	static const uint16_t later[] = { 0x0008, 0x0009, 0x0100, 0xff00, 0x0080 };
	struct fg_wire_flow f;

	(void)state;
	/* More fragments follow, and what is reserved, are no offset. */
	assert_read(ipv6(fragment, 1, IPPROTO_UDP, 0x0001, false), 6, IPPROTO_UDP, true);
	assert_read(ipv6(fragment, 1, IPPROTO_UDP, 0x0007, false), 6, IPPROTO_UDP, true);
	for (size_t i = 0; i < COUNT(later); i++) {
		ipv6(fragment, 1, IPPROTO_UDP, later[i], false);
		/* Four bytes of its header are enough. */
		assert_true(fg_wire_read_flow(packet, 44, &f));
		assert_int_equal(f.proto, IPPROTO_UDP);
		assert_int_equal(f.sport, 0);
		assert_false(fg_wire_read_flow(packet, 43, &f));
	}
}

static void what_is_not_ip_is_not_read(void **state)
{
	struct fg_wire_flow f;

	(void)state;
	for (unsigned int version = 0; version < 16; version++) {
		memset(packet, 0, sizeof(packet));
		packet[0] = (uint8_t)(version << 4 | 5);
		assert_int_equal(fg_wire_read_flow(packet, sizeof(packet), &f),
				 version == 4 || version == 6);
		assert_false(fg_wire_read_flow(packet, 0, &f));
	}
}

/* --- and what an outcome means: whether it arrived --- */

static void it_arrived_where_it_got_through_or_the_receivers_sockets_refused_it(void **state)
{
	(void)state;
	for (int o = 0; o < FG_OUTCOMES; o++)
		for (int k = 0; k < FG_KINDS; k++)
			for (int s = 0; s < FG_STAGES; s++) {
				const struct fg_result r = { .outcome = (enum fg_outcome)o,
							     .decider = {
								     .kind = (enum fg_kind)k,
								     .stage = (enum fg_stage)s } };
				bool through = o == FG_OUTCOME_DELIVERED ||
					       o == FG_OUTCOME_FORWARDED || o == FG_OUTCOME_REPLIED;
				bool refused = k == FG_KIND_SOCKET && s == FG_STAGE_INGRESS &&
					       o != FG_OUTCOME_INCONCLUSIVE;

				assert_int_equal(fg_probe_arrived(&r), through || refused);
			}
}

static void it_was_steered_where_a_program_chose_the_socket(void **state)
{
	struct fg_observation end = { .event = { .kind = FG_EVENT_SOCKET,
						 .code = FG_SOCKET_OTHER } };
	struct fg_result r = { .end = &end };

	(void)state;
	r.stages[FG_STAGE_INGRESS].verdict = FG_VERDICT_REDIRECTED;
	assert_true(fg_probe_was_steered(&r));
	end.event.kind = FG_EVENT_STOP;
	assert_true(fg_probe_was_steered(&r));
	end.event.kind = FG_EVENT_RECEIVE;
	assert_false(fg_probe_was_steered(&r));
	end.event.kind = FG_EVENT_SOCKET;
	end.event.code = 0;
	assert_false(fg_probe_was_steered(&r));
	end.event.code = FG_SOCKET_OTHER;
	r.dropped = true;
	assert_false(fg_probe_was_steered(&r));
	r.dropped = false;
	r.stages[FG_STAGE_INGRESS].verdict = FG_VERDICT_ALLOWED;
	r.stages[FG_STAGE_EGRESS].verdict = FG_VERDICT_REDIRECTED;
	assert_false(fg_probe_was_steered(&r));
	r.stages[FG_STAGE_INGRESS].verdict = FG_VERDICT_REDIRECTED;
	r.end = NULL;
	assert_false(fg_probe_was_steered(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_by_protocol_and_length_of_the_header),
		cmocka_unit_test(a_later_fragment_of_ipv4_has_no_ports),
		cmocka_unit_test(ipv6_by_protocol_and_extension_headers),
		cmocka_unit_test(more_extension_headers_than_four_are_not_read),
		cmocka_unit_test(a_later_fragment_of_ipv6_has_no_ports),
		cmocka_unit_test(what_is_not_ip_is_not_read),
		cmocka_unit_test(
			it_arrived_where_it_got_through_or_the_receivers_sockets_refused_it),
		cmocka_unit_test(it_was_steered_where_a_program_chose_the_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
