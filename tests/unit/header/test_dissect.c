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
#include "header/dissect.h"
#include "packets.h"
#include "seed.h"

/* A copy of exactly len bytes, so that the address sanitizer sees a read past them. */
static uint8_t *exactly(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

static const char *const kinds[] = {
	"",
	"proto=udp;size=20",
	"proto=icmp",
	"proto=icmp;icmp-type=destination-unreachable;payload=hex:"
	"4500001c000000004011000000000000000000000000000000080000",
	"proto=sctp",
	"proto=sctp;sctp-chunk=data;size=5",
	"proto=sctp;sctp-chunk=init-ack",
	"proto=253;size=9",
};

static size_t walk_all(const struct fg_dissection *dissection)
{
	struct fg_dissect_cursor cursor = { 0 };
	size_t count = 0;
	char text[64];

	for (; fg_dissect_next(dissection, &cursor); count++)
		fg_field_text(cursor.field, cursor.header, cursor.len, text, sizeof(text));
	return count;
}

/* Cut off anywhere, a packet is still dissected as far as it goes, and what is missing is said. */
static void test_truncated(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(kinds); i++) {
		struct fg_packet_vary vary = packets_vary(i % 2 ? AF_INET : AF_INET6);
		struct fg_frame frame;
		size_t previous = 0;

		assert_int_equal(packets_build(kinds[i / 2], &vary, &frame, NULL, NULL), 0);
		for (size_t len = 0; len <= frame.len; len++) {
			uint8_t *copy = exactly(frame.data, len);
			struct fg_dissection dissection;
			size_t fields;

			fg_dissect_frame(copy, len, &dissection);
			fields = walk_all(&dissection);
			assert_true(fields >= previous || dissection.problem);
			assert_true((dissection.problem == NULL) == (len == frame.len));
			previous = fields;
			free(copy);
		}
		free(frame.data);
	}
}

static void test_problems(void **state)
{
	static const struct {
		int family;
		const char *keys, *problem;
	} cases[] = {
		{ AF_INET, "total-length=2000", "shorter than the IPv4 total length" },
		{ AF_INET, "total-length=19", "an IPv4 header or total length that is too small" },
		{ AF_INET, "ihl=4", "an IPv4 header or total length that is too small" },
		{ AF_INET, "ip-version=5", "neither IPv4 nor IPv6" },
		{ AF_INET6, "payload-length=2000", "shorter than the IPv6 payload length" },
		{ AF_INET, "data-offset=4", "a TCP data offset that is too small" },
		{ AF_INET, "data-offset=15", "a TCP data offset past the packet's end" },
		{ AF_INET, "tcp-option=fe010000", "a TCP option with a wrong length" },
		{ AF_INET, "tcp-option=fe090000", "a TCP option with a wrong length" },
		{ AF_INET, "ip-option=94010000", "an IPv4 option with a wrong length" },
		{ AF_INET, "proto=udp;udp-length=7", "a UDP length that is not the packet's" },
		{ AF_INET, "proto=udp;udp-length=9", "a UDP length that is not the packet's" },
		{ AF_INET, "proto=sctp;sctp-length=3", "an SCTP chunk with a wrong length" },
		{ AF_INET, "proto=sctp;sctp-length=99", "an SCTP chunk with a wrong length" },
		{ AF_INET, "proto=sctp;sctp-length=8",
		  "an SCTP chunk that is too short for its type" },
		{ AF_INET, "proto=sctp;payload=hex:00010003",
		  "an SCTP parameter with a wrong length" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fg_packet_vary vary = packets_vary(cases[i].family);
		struct fg_dissection dissection;
		struct fg_frame frame;

		assert_int_equal(packets_build(cases[i].keys, &vary, &frame, NULL, NULL), 0);
		fg_dissect_frame(frame.data, frame.len, &dissection);
		if (!dissection.problem)
			fail_msg("%s: no problem found", cases[i].keys);
		assert_string_equal(dissection.problem, cases[i].problem);
		free(frame.data);
	}
}

static void test_random_bytes(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint8_t bytes[200], *copy;
		size_t len = seed_below(sizeof(bytes));
		struct fg_dissection dissection;
		struct fg_flow flow;

		seed_fill(bytes, sizeof(bytes));
		bytes[0] = seed_below(2) ? 0x45 : 0x60;
		bytes[9] = (uint8_t[]){ 1, 6, 17, 132 }[seed_below(4)];
		bytes[6] = (uint8_t[]){ 0, 6, 17, 58, 132, 43, 44, 60 }[seed_below(8)];
		copy = exactly(bytes, len);
		fg_dissect_packet(copy, len, &dissection);
		walk_all(&dissection);
		if (fg_flow_extract(copy, len, &flow) == 0)
			fg_flow_extract_quoted(copy, len, &flow);
		free(copy);
	}
}

/* The link may pad a short packet: what its own length does not count is not a part of it. */
static void test_padding_is_no_payload(void **state)
{
	struct fg_packet_vary vary = packets_vary(AF_INET);
	struct fg_dissection dissection;
	uint8_t bytes[60] = { 0 };
	struct fg_frame frame;

	(void)state;
	assert_int_equal(packets_build("proto=udp;payload=hi", &vary, &frame, NULL, NULL), 0);
	memcpy(bytes, frame.data, frame.len);
	fg_dissect_frame(bytes, sizeof(bytes), &dissection);
	assert_null(dissection.problem);
	assert_int_equal(fg_dissect_find(&dissection, FG_HEADER_PAYLOAD)->len, 2);
	free(frame.data);
}

static void flow_of(const char *keys, int family, struct fg_flow *flow)
{
	struct fg_packet_vary vary = packets_vary(family);
	struct fg_frame frame;

	assert_int_equal(packets_build(keys, &vary, &frame, NULL, NULL), 0);
	assert_int_equal(fg_flow_extract(frame.data + 14, frame.len - 14, flow), 0);
	free(frame.data);
}

static void test_flow_text(void **state)
{
	static const struct {
		int family;
		const char *keys, *text;
	} cases[] = {
		{ AF_INET, "", "10.0.0.5:40000 > 10.0.0.9:4444 tcp" },
		{ AF_INET6, "proto=udp", "[fd00::5]:40000 > [fd00::9]:4444 udp" },
		{ AF_INET, "proto=sctp", "10.0.0.5:40000 > 10.0.0.9:4444 sctp" },
		{ AF_INET, "proto=icmp", "10.0.0.5 > 10.0.0.9 icmp 8/0 id 291 seq 4" },
		{ AF_INET6, "proto=icmp;icmp-type=135", "fd00::5 > fd00::9 icmpv6 135/0" },
		{ AF_INET, "proto=253", "10.0.0.5 > 10.0.0.9 253" },
		{ AF_INET, "proto=udp;fragment-offset=8;size=8",
		  "10.0.0.5 > 10.0.0.9 udp later fragment" },
		{ AF_INET6, "ext-header=hop-by-hop;ext-header=destination",
		  "[fd00::5]:40000 > [fd00::9]:4444 tcp" },
	};
	char text[FG_FLOW_TEXT_LEN];
	struct fg_flow flow;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		flow_of(cases[i].keys, cases[i].family, &flow);
		assert_string_equal(fg_flow_text(&flow, text, sizeof(text)), cases[i].text);
	}
	flow_of("flags=SA", AF_INET, &flow);
	assert_int_equal(flow.tcp_flags, 0x12);
	flow_of("proto=sctp;sctp-chunk=abort", AF_INET, &flow);
	assert_int_equal(flow.sctp_chunk, 6);
}

static void test_reply_matches(void **state)
{
	struct fg_packet_vary vary = packets_vary(AF_INET), back = vary;
	struct fg_flow probe, reply, wanted;
	struct fg_frame frame;

	(void)state;
	back.src = vary.dst;
	back.dst = vary.src;
	back.sport = vary.dport;
	back.dport = vary.sport;
	flow_of("", AF_INET, &probe);
	fg_flow_invert(&probe, &wanted);
	assert_int_equal(packets_build("flags=SA", &back, &frame, NULL, NULL), 0);
	assert_int_equal(fg_flow_extract(frame.data + 14, frame.len - 14, &reply), 0);
	assert_true(fg_flow_equal(&reply, &wanted));
	assert_false(fg_flow_equal(&reply, &probe));
	free(frame.data);

	flow_of("proto=icmp", AF_INET, &probe);
	fg_flow_invert(&probe, &wanted);
	assert_int_equal(
		packets_build("proto=icmp;icmp-type=echo-reply", &back, &frame, NULL, NULL), 0);
	assert_int_equal(fg_flow_extract(frame.data + 14, frame.len - 14, &reply), 0);
	assert_true(fg_flow_equal(&reply, &wanted));
	reply.icmp_seq++;
	assert_false(fg_flow_equal(&reply, &wanted));
	reply.icmp_seq--;
	reply.icmp_id++;
	assert_false(fg_flow_equal(&reply, &wanted));
	free(frame.data);
}

/*
 * An error may quote only the IP header and 8 bytes of the packet, which is enough to know the
 * flow.
 */
static void test_quoted(void **state)
{
	struct fg_packet_vary vary = packets_vary(AF_INET);
	struct fg_packet_spec spec;
	uint8_t buffer[256];
	struct fg_frame probe, error = { .data = buffer, .size = sizeof(buffer) };
	struct fg_flow sent, quoted;
	struct fg_dissection dissection;

	(void)state;
	assert_int_equal(packets_build("", &vary, &probe, NULL, NULL), 0);
	assert_int_equal(fg_flow_extract(probe.data + 14, probe.len - 14, &sent), 0);
	assert_int_equal(fg_flow_extract_quoted(probe.data + 14, probe.len - 14, &quoted), -1);
	fg_packet_spec_init(&spec);
	packets_set(&spec, "proto=icmp;icmp-type=time-exceeded", NULL);
	fg_packet_set_payload(&spec, probe.data + 14, 28, NULL);
	assert_int_equal(fg_packet_build(&spec, &vary, &error, NULL), 0);
	assert_int_equal(fg_flow_extract_quoted(buffer + 14, error.len - 14, &quoted), 0);
	assert_true(fg_flow_equal(&sent, &quoted));
	fg_dissect_frame(buffer, error.len, &dissection);
	assert_null(dissection.problem);
	assert_null(fg_dissect_find(&dissection, FG_HEADER_TCP));
	assert_true(dissection.layers[dissection.count - 1].quoted);
	/* Seven bytes are not: a rule of RFC 792 that some middle boxes break. */
	assert_int_equal(fg_flow_extract_quoted(buffer + 14, error.len - 14 - 5, &quoted), -1);
	fg_packet_spec_free(&spec);
	free(probe.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),    cmocka_unit_test(test_problems),
		cmocka_unit_test(test_random_bytes), cmocka_unit_test(test_padding_is_no_payload),
		cmocka_unit_test(test_flow_text),    cmocka_unit_test(test_reply_matches),
		cmocka_unit_test(test_quoted),
	};

	seed_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
