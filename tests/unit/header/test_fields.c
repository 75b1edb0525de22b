// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "header/fields.h"
#include "seed.h"

/*
 * The table itself: fields of a header stand together, in wire order, and cover each bit of its
 * fixed part once.
 */
static void test_table(void **state)
{
	unsigned int next = 0;

	(void)state;
	for (unsigned int h = 0; h < FG_HEADER_COUNT; h++) {
		const struct fg_header_info *header = &fg_field_headers[h];
		unsigned int bit = 0;

		assert_int_equal(header->first, next);
		for (; next < header->end; next++) {
			const struct fg_field *field = &fg_fields[next];

			assert_int_equal(field->header, h);
			assert_int_equal(field->bit, bit);
			bit += field->width;
			if (!field->width)
				assert_int_equal(next + 1, header->end);
		}
		assert_int_equal(bit, header->length * 8);
	}
	assert_int_equal(next, FG_FIELD_COUNT);
}

static void test_names_are_unique(void **state)
{
	(void)state;
	for (unsigned int a = 0; a < FG_HEADER_COUNT; a++)
		for (unsigned int b = 0; b < a; b++)
			assert_string_not_equal(fg_field_headers[a].key, fg_field_headers[b].key);
	for (unsigned int a = 0; a < FG_FIELD_COUNT; a++)
		for (unsigned int b = fg_field_headers[fg_fields[a].header].first; b < a; b++)
			assert_string_not_equal(fg_fields[a].key, fg_fields[b].key);
}

/* Reads a field bit by bit, as the RFCs number them. */
static uint64_t read_bits(const uint8_t *header, unsigned int bit, unsigned int width)
{
	uint64_t value = 0;

	for (unsigned int i = bit; i < bit + width; i++)
		value = value << 1 | (header[i / 8] >> (7 - i % 8) & 1);
	return value;
}

static void test_get_and_set(void **state)
{
	(void)state;
	for (unsigned int id = 0; id < FG_FIELD_COUNT; id++) {
		const struct fg_field *field = &fg_fields[id];

		if (!field->width || field->width > 64)
			continue;
		for (int round = 0; round < 50; round++) {
			uint8_t header[64], before[64];
			uint64_t value = seed_next();

			seed_fill(header, sizeof(header));
			memcpy(before, header, sizeof(header));
			fg_field_set(id, header, value);
			value &= fg_field_max(id);
			assert_true(fg_field_get(id, header) == value);
			assert_true(read_bits(header, field->bit, field->width) == value);
			/* Putting the old value back shows that no other bit was touched. */
			fg_field_set(id, header, fg_field_get(id, before));
			assert_memory_equal(header, before, sizeof(header));
		}
	}
}

static void test_text(void **state)
{
	static const uint8_t ethernet[] = { 2, 0, 0x5e, 0x10, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0 };
	uint8_t ipv6[40] = { 0x60, [8] = 0xfd, [23] = 5 }, tcp[20] = { [13] = 0x12 };
	static const uint8_t option[] = { 136, 4, 2, 1 };
	char buf[64];

	(void)state;
	assert_string_equal(fg_field_text(FG_ETHERNET_DST, ethernet, 14, buf, sizeof(buf)),
			    "02:00:5e:10:00:01");
	assert_string_equal(fg_field_text(FG_ETHERNET_TYPE, ethernet, 14, buf, sizeof(buf)),
			    "0x0800");
	assert_string_equal(fg_field_text(FG_IPV6_SRC, ipv6, 40, buf, sizeof(buf)), "fd00::5");
	assert_string_equal(fg_field_text(FG_IPV6_VERSION, ipv6, 40, buf, sizeof(buf)), "6");
	assert_string_equal(fg_field_text(FG_TCP_FLAGS, tcp, 20, buf, sizeof(buf)), "SA");
	tcp[13] = 0xff;
	assert_string_equal(fg_field_text(FG_TCP_FLAGS, tcp, 20, buf, sizeof(buf)), "FSRPAUEC");
	tcp[13] = 0;
	assert_string_equal(fg_field_text(FG_TCP_FLAGS, tcp, 20, buf, sizeof(buf)), "-");
	assert_string_equal(fg_field_text(FG_IPV4_OPTION_DATA, option, 4, buf, sizeof(buf)),
			    "0201");
	assert_string_equal(fg_field_text(FG_IPV4_OPTION_DATA, option, 4, buf, 4), "02");
	assert_string_equal(fg_field_text(FG_ETHERNET_DST, ethernet, 14, buf, 5), "02");
	assert_string_equal(fg_field_text(FG_IPV6_SRC, ipv6, 40, buf, 3), "");
	assert_true(fg_field_is_text(FG_TCP_FLAGS));
	assert_false(fg_field_is_text(FG_IPV4_CHECKSUM));
}

static void test_within(void **state)
{
	(void)state;
	assert_true(fg_field_within(FG_IPV4_TTL, 9));
	assert_false(fg_field_within(FG_IPV4_TTL, 8));
	assert_true(fg_field_within(FG_PAYLOAD_DATA, 0));
	assert_false(fg_field_within(FG_IPV4_OPTION_DATA, 1));
	assert_true(fg_field_within(FG_IPV6_DST, 40));
	assert_false(fg_field_within(FG_IPV6_DST, 39));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	    cmocka_unit_test(test_names_are_unique),
		cmocka_unit_test(test_get_and_set), cmocka_unit_test(test_text),
		cmocka_unit_test(test_within),
	};

	seed_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
