// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "packets.h"
#include "header/rewrite.h"
#include "seed.h"

/*
 * A packet built for one source and rewritten to another is, byte for byte, the packet built for
 * the other: no better witness for each checksum is needed.
 */
static void test_equals_one_built_so(void **state)
{
	static const char *const kinds[] = {
		"",
		"flags=PA;size=33",
		"proto=udp;size=7",
		"proto=udp;checksum=0;size=7",
		"proto=icmp",
		"proto=sctp",
		"proto=253;size=5",
		"proto=udp;size=100;fragment=24;id=5",
		"proto=icmp;size=100;fragment=24;id=5",
		"bad-checksum",
		"proto=udp;fragment-offset=800;size=40;id=5",
	};

	(void)state;
	for (int round = 0; round < 3000; round++) {
		size_t kind = seed_below(COUNT(kinds));
		int family = seed_below(2) ? AF_INET : AF_INET6;
		struct fg_packet_vary vary = packets_vary(family);
		struct fg_frame frame, wanted;
		struct fg_addr to = vary.src;
		char keys[200];

		snprintf(keys, sizeof(keys), "%s%s", kinds[kind],
			 family == AF_INET6 ? ";flow-label=5" : "");
		vary.random = seed_next();
		seed_fill(vary.src.bytes, family == AF_INET ? 4 : 16);
		seed_fill(to.bytes, family == AF_INET ? 4 : 16);
		assert_int_equal(packets_build(keys, &vary, &frame, NULL, NULL), 0);
		vary.src = to;
		assert_int_equal(packets_build(keys, &vary, &wanted, NULL, NULL), 0);
		for (uint32_t i = 0; i < frame.count; i++) {
			size_t len;
			uint8_t *part = fg_frame_part(&frame, i, &len);

			fg_rewrite_source(part + 14, len - 14, &to);
		}
		/* A wrong checksum is spoiled in a way that does not commute with the update. */
		if (!strstr(keys, "bad-checksum") && memcmp(frame.data, wanted.data, frame.len))
			fail_msg("%s: not the packet wanted", keys);
		if (strstr(keys, "bad-checksum") && !memcmp(frame.data + 14 + 20, wanted.data, 20))
			fail_msg("%s: a wrong checksum came out right", keys);
		free(frame.data);
		free(wanted.data);
	}
}

/*
 * A checksum left to the device is in the capture as the pseudo header's sum, and must be computed.
 */
static void test_offloaded(void **state)
{
	static const char *const kinds[] = { "flags=PA;size=33", "proto=udp;size=8" };

	(void)state;
	for (int i = 0; i < 8; i++) {
		int family = i & 1 ? AF_INET : AF_INET6;
		struct fg_packet_vary vary = packets_vary(family);
		struct fg_addr to = vary.src;
		struct fg_frame frame, wanted;
		char keys[100];
		bool keep = i & 4;

		snprintf(keys, sizeof(keys), "%s;checksum-offload%s", kinds[i >> 1 & 1],
			 family == AF_INET6 ? ";flow-label=5" : "");
		assert_int_equal(packets_build(keys, &vary, &frame, NULL, NULL), 0);
		snprintf(keys, sizeof(keys), "%s%s", kinds[i >> 1 & 1],
			 family == AF_INET6 ? ";flow-label=5" : "");
		if (!keep)
			to.bytes[3] = 77;
		vary.src = to;
		assert_int_equal(packets_build(keys, &vary, &wanted, NULL, NULL), 0);
		fg_rewrite_source(frame.data + 14, frame.len - 14, keep ? NULL : &to);
		assert_memory_equal(frame.data, wanted.data, frame.len);
		free(frame.data);
		free(wanted.data);
	}
}

/* An authentication header covers the source: it is another, or the packet stays as it is. */
static void test_sealed(void **state)
{
	static const char *const kinds[] = { "proto=51;size=24", "proto=tcp", "proto=50;size=24" };

	(void)state;
	for (int i = 0; i < 6; i++) {
		int family = i & 1 ? AF_INET : AF_INET6;
		struct fg_packet_vary vary = packets_vary(family);
		struct fg_addr other = vary.src;
		struct fg_frame frame;

		assert_int_equal(packets_build(kinds[i / 2], &vary, &frame, NULL, NULL), 0);
		assert_false(fg_rewrite_is_sealed(frame.data + 14, frame.len - 14, &vary.src));
		other.bytes[family == AF_INET ? 3 : 15]++;
		assert_int_equal(fg_rewrite_is_sealed(frame.data + 14, frame.len - 14, &other),
				 i / 2 == 0);
		free(frame.data);
	}
}

/* If the recomputed checksum is 0, which UDP takes for none, it is 0xffff. */
static void test_never_none(void **state)
{
	struct fg_packet_vary vary = packets_vary(AF_INET);
	struct fg_addr to = vary.src;
	struct fg_frame frame;
	uint32_t word;

	(void)state;
	assert_int_equal(packets_build("proto=udp", &vary, &frame, NULL, NULL), 0);
	/* Adding the checksum to what it covers leaves nothing of it. */
	word = (uint32_t)(to.bytes[2] << 8 | to.bytes[3]) +
	       (uint32_t)fg_field_get(FG_UDP_CHECKSUM, frame.data + 34);
	word = (word & 0xffff) + (word >> 16);
	to.bytes[2] = (uint8_t)(word >> 8);
	to.bytes[3] = (uint8_t)word;
	fg_rewrite_source(frame.data + 14, frame.len - 14, &to);
	assert_int_equal(fg_field_get(FG_UDP_CHECKSUM, frame.data + 34), 0xffff);
	free(frame.data);
}

static void test_left_alone(void **state)
{
	struct fg_packet_vary vary = packets_vary(AF_INET);
	struct fg_addr v6 = packets_vary(AF_INET6).src;
	uint8_t before[100], junk[3] = { 0x45, 0, 0 };
	struct fg_frame frame;

	(void)state;
	assert_int_equal(packets_build("", &vary, &frame, NULL, NULL), 0);
	memcpy(before, frame.data, frame.len);
	fg_rewrite_source(frame.data + 14, frame.len - 14, NULL);
	assert_memory_equal(frame.data, before, frame.len);
	fg_rewrite_source(frame.data + 14, frame.len - 14, &v6);
	assert_memory_equal(frame.data, before, frame.len);
	fg_rewrite_source(junk, sizeof(junk), &vary.src);
	assert_memory_equal(junk, "\x45\0\0", 3);
	free(frame.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equals_one_built_so),
		cmocka_unit_test(test_offloaded),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_never_none),
		cmocka_unit_test(test_left_alone),
	};

	seed_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
