// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "header/checksum.h"
#include "seed.h"

/* RFC 1071 as it stands there: 16-bit words in network order, carries added back at the end. */
static uint16_t plain_sum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void test_sum(void **state)
{
	static const uint8_t rfc[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	static const uint8_t odd[] = { 0x00, 0x01, 0xf2 };

	(void)state;
	assert_int_equal(fg_checksum_fold(fg_checksum_add(0, rfc, sizeof(rfc))), 0xddf2); /* RFC
											     1071
											     section
											     3 */
	assert_int_equal(fg_checksum_fold(fg_checksum_add(0, odd, sizeof(odd))), 0xf201);
	assert_int_equal(fg_checksum_fold(0), 0);
}

static void test_sum_of_anything(void **state)
{
	uint8_t bytes[300];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t len = seed_below(sizeof(bytes)), cut = seed_below(len / 2 + 1) * 2;
		uint64_t sum;

		seed_fill(bytes, len);
		if (round % 7 == 0)
			memset(bytes, 0xff, len);
		assert_int_equal(fg_checksum_fold(fg_checksum_add(0, bytes, len)),
				 plain_sum(bytes, len));
		sum = fg_checksum_add(fg_checksum_add(0, bytes, cut), bytes + cut, len - cut);
		assert_int_equal(fg_checksum_fold(sum), plain_sum(bytes, len));
	}
}

static void test_pseudo(void **state)
{
	static const uint8_t v4[] = { 10, 0, 0, 5, 10, 0, 0, 9, 0, 17, 0, 33 };
	uint8_t v6[40] = { 0xfd, [15] = 5, [16] = 0xfd, [31] = 9, [32] = 0, 1, 2, 3, [39] = 58 };
	struct fg_addr src, dst;

	(void)state;
	fg_parse_addr("", "10.0.0.5", &src, NULL);
	fg_parse_addr("", "10.0.0.9", &dst, NULL);
	assert_int_equal(fg_checksum_fold(fg_checksum_add_pseudo(0, &src, &dst, 17, 33)),
			 plain_sum(v4, sizeof(v4)));
	fg_parse_addr("", "fd00::5", &src, NULL);
	fg_parse_addr("", "fd00::9", &dst, NULL);
	assert_int_equal(fg_checksum_fold(fg_checksum_add_pseudo(0, &src, &dst, 58, 0x010203)),
			 plain_sum(v6, sizeof(v6)));
}

static void test_update(void **state)
{
	/* RFC 1624 section 4: m = 0x5555, m' = 0x3285, HC = 0xdd2f gives 0x0000. */
	static const uint8_t before[] = { 0x55, 0x55 }, after[] = { 0x32, 0x85 };

	(void)state;
	assert_int_equal(fg_checksum_update(0xdd2f, before, after, 2), 0x0000);
	for (int round = 0; round < 2000; round++) {
		uint8_t bytes[60], fresh[16];
		size_t len = 4 + seed_below(7) * 2, at = seed_below(20) * 2;
		uint16_t old;

		seed_fill(bytes, sizeof(bytes));
		seed_fill(fresh, sizeof(fresh));
		old = (uint16_t)~plain_sum(bytes, sizeof(bytes));
		old = fg_checksum_update(old, bytes + at, fresh, len);
		memcpy(bytes + at, fresh, len);
		assert_int_equal(old, (uint16_t)~plain_sum(bytes, sizeof(bytes)));
	}
}

static void test_crc32c(void **state)
{
	uint8_t bytes[32] = { 0 };

	(void)state;
	/* RFC 3720 appendix B.4 has the vectors, as the iSCSI digest is the same. */
	assert_int_equal(fg_checksum_crc32c(bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, 32);
	assert_int_equal(fg_checksum_crc32c(bytes, 32), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(fg_checksum_crc32c(bytes, 32), 0x46dd794e);
	assert_int_equal(fg_checksum_crc32c("123456789", 9), 0xe3069283);
	assert_int_equal(fg_checksum_crc32c("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sum),    cmocka_unit_test(test_sum_of_anything),
		cmocka_unit_test(test_pseudo), cmocka_unit_test(test_update),
		cmocka_unit_test(test_crc32c),
	};

	seed_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
