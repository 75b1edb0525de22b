// SPDX-License-Identifier: GPL-2.0-only
/* Frames of a probe: how they may be cut on the path, and which are of one datagram. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "probe/probe.h"

#define ETH 14

static uint8_t bytes[2][400];

/* IPv4 of UDP, 10.0.0.1 to 10.0.0.2, identification 0x1234, of that many bytes with its header. */
static struct fg_frame frame_of(int which, uint16_t field, size_t length)
{
	uint8_t *ip = bytes[which] + ETH;

	memset(bytes[which], 0, sizeof(bytes[which]));
	ip[0] = 0x45;
	ip[2] = (uint8_t)(length >> 8);
	ip[3] = (uint8_t)length;
	ip[4] = 0x12;
	ip[5] = 0x34;
	ip[6] = (uint8_t)(field >> 8);
	ip[7] = (uint8_t)field;
	ip[8] = 64;
	ip[9] = 17;
	ip[12] = ip[16] = 10;
	ip[15] = 1;
	ip[19] = 2;
	return (struct fg_frame){ .data = bytes[which], .len = ETH + length, .count = 1 };
}

static void whole_ipv4_without_df_may_be_fragmented(void **state)
{
	static const struct {
		uint16_t field;
		size_t length;
		uint32_t pieces;
	} rows[] = {
		{ 0, 300, 280 },    { 0, 69, 49 },	{ 0, 68, 0 },	      { 0, 28, 0 },
		{ 0x4000, 300, 0 }, { 0x2000, 300, 0 }, { 1, 300, 0 },	      { 0x0100, 300, 0 },
		{ 0x1000, 300, 0 }, { 0x0080, 300, 0 }, { 0x8000, 300, 280 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t whole[2] = { 77, 77 };
		struct fg_frame f = frame_of(0, rows[i].field, rows[i].length);

		fg_probe_measure(&f, whole);
		assert_int_equal(whole[FG_PIECE_FRAGMENT], rows[i].pieces);
		assert_int_equal(whole[FG_PIECE_SEGMENT], 0);
		/* With options; and IPv6 is never cut by others. */
		f.data[ETH] = 0x4f;
		fg_probe_measure(&f, whole);
		assert_int_equal(
			whole[FG_PIECE_FRAGMENT],
			rows[i].pieces > 40 ? (rows[i].length > 60 ? rows[i].length - 60 : 0) : 0);
		f.data[ETH] = 0x65;
		fg_probe_measure(&f, whole);
		assert_int_equal(whole[FG_PIECE_FRAGMENT], 0);
	}
}

static void a_super_packet_may_be_segmented(void **state)
{
	struct fg_frame f = frame_of(0, 0x4000, 300);
	uint32_t whole[2];

	(void)state;
	f.offload.hdr_len = 42;
	fg_probe_measure(&f, whole);
	assert_int_equal(whole[FG_PIECE_SEGMENT], 0);
	f.offload.gso_type = 1;
	fg_probe_measure(&f, whole);
	assert_int_equal(whole[FG_PIECE_SEGMENT], ETH + 300 - 42);
	assert_int_equal(whole[FG_PIECE_FRAGMENT], 0);
	f.offload.hdr_len = ETH + 299;
	fg_probe_measure(&f, whole);
	assert_int_equal(whole[FG_PIECE_SEGMENT], 1);
	f.offload.hdr_len = ETH + 300;
	fg_probe_measure(&f, whole);
	assert_int_equal(whole[FG_PIECE_SEGMENT], 0);
}

static void fragments_are_told_by_their_fields(void **state)
{
	static const struct {
		uint16_t field;
		bool is;
	} rows[] = { { 0, false },     { 0x4000, false }, { 0x8000, false }, { 0x2000, true },
		     { 0x0001, true }, { 0x1000, true },  { 0x2001, true } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_frame f = frame_of(0, rows[i].field, 100);

		assert_int_equal(fg_probe_is_fragment(&f), rows[i].is);
		f.data = NULL;
		assert_false(fg_probe_is_fragment(&f));
	}
	/* Nothing behind the Ethernet header. */
	struct fg_frame empty = frame_of(0, 0x2000, 0);

	assert_false(fg_probe_is_fragment(&empty));
}

/* At: the byte of the second one's IP header that is changed; 0: none. */
static void siblings_have_addresses_protocol_and_number_in_common(void **state)
{
	static const struct {
		size_t at;
		bool siblings;
	} rows[] = {
		{ 0, true },  { 1, true },   { 4, false },  { 5, false },  { 8, true },
		{ 9, false }, { 12, false }, { 15, false }, { 16, false }, { 19, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_frame a = frame_of(0, 0x2000, 100), b = frame_of(1, 5, 100);

		if (rows[i].at)
			b.data[ETH + rows[i].at] ^= 1;
		assert_int_equal(fg_probe_are_siblings(&a, &b), rows[i].siblings);
		assert_int_equal(fg_probe_are_siblings(&b, &a), rows[i].siblings);
		/* What is whole has none. */
		b.data[ETH + 7] = 0;
		assert_false(fg_probe_are_siblings(&a, &b));
		assert_false(fg_probe_are_siblings(&b, &a));
	}
}

static void each_fragment_is_a_probe_of_its_own(void **state)
{
	static uint8_t data[250];
	const struct fg_frame whole = { .data = data,
					.size = sizeof(data),
					.len = 230,
					.count = 3,
					.part_len = 100,
					.offload = { .gso_type = 7 } };
	static const struct {
		size_t offset, length;
	} parts[] = { { 0, 100 }, { 100, 100 }, { 200, 30 } };

	(void)state;
	for (uint32_t i = 0; i < COUNT(parts); i++) {
		struct fg_probe probe = { .spec = { .id = 9 } };

		fg_probe_take_fragment(&probe, &whole, i);
		assert_ptr_equal(probe.frame.data, data + parts[i].offset);
		assert_int_equal(probe.frame.len, parts[i].length);
		assert_int_equal(probe.frame.size, parts[i].length);
		assert_int_equal(probe.frame.part_len, parts[i].length);
		assert_int_equal(probe.frame.count, 1);
		assert_int_equal(probe.frame.offload.gso_type, 7);
		assert_int_equal(probe.spec.fragment, i);
		assert_int_equal(probe.spec.fragments, 3);
		assert_int_equal(probe.spec.id, 9);
	}
}

/* Ready bytes get an Ethernet header, and nothing else. */
static void ready_bytes_are_framed(void **state)
{
	static const uint8_t ready[] = { 0x45, 1, 2, 3, 4 };

	(void)state;
	for (int six = 0; six < 2; six++) {
		const struct fg_probe_spec spec = { .bytes = ready,
						    .length = sizeof(ready),
						    .vary = { .dst.family = six ? AF_INET6
										: AF_INET } };
		uint8_t out[ETH + sizeof(ready) + 1];
		struct fg_frame f = { .data = out, .size = sizeof(out), .offload.gso_type = 3 };

		memset(out, 0x77, sizeof(out));
		assert_int_equal(fg_probe_bound(&spec), ETH + sizeof(ready));
		assert_int_equal(fg_probe_build(&spec, &f, NULL), 0);
		for (size_t i = 0; i < 12; i++)
			assert_int_equal(out[i], 0);
		assert_int_equal(out[12] << 8 | out[13], six ? 0x86dd : 0x0800);
		assert_memory_equal(out + ETH, ready, sizeof(ready));
		assert_int_equal(out[ETH + sizeof(ready)], 0x77);
		assert_int_equal(f.len, ETH + sizeof(ready));
		assert_int_equal(f.part_len, f.len);
		assert_int_equal(f.count, 1);
		assert_int_equal(f.offload.gso_type, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_ipv4_without_df_may_be_fragmented),
		cmocka_unit_test(a_super_packet_may_be_segmented),
		cmocka_unit_test(fragments_are_told_by_their_fields),
		cmocka_unit_test(siblings_have_addresses_protocol_and_number_in_common),
		cmocka_unit_test(each_fragment_is_a_probe_of_its_own),
		cmocka_unit_test(ready_bytes_are_framed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
