// SPDX-License-Identifier: GPL-2.0-only
/* What of a map moved by exactly one packet, between two looks at its entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sys/socket.h>

#include "base/count.h"
#include "stated/internal.h"

#define LENGTH 60

/* Keys of 4 bytes, values of two numbers of 8 bytes. */
static struct {
	struct stated_set set;
	struct stated_map map;
	uint32_t keys[2][16];
	uint64_t values[2][16 * 2];
	struct stated_table after;
	struct fg_stated_packet packet;
	struct fg_stated out;
} s;

static int setup(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	s.map = (struct stated_map){ .name = { 7, "counts" },
				     .type = BPF_MAP_TYPE_HASH,
				     .key_size = 4,
				     .value_size = 16,
				     .stride = 16,
				     .copies = 1,
				     .max_entries = 64 };
	s.map.before = (struct stated_table){ .keys = (uint8_t *)s.keys[0],
					      .values = (uint8_t *)s.values[0] };
	s.after = (struct stated_table){ .keys = (uint8_t *)s.keys[1],
					 .values = (uint8_t *)s.values[1] };
	s.packet = (struct fg_stated_packet){
		.flow = { .family = AF_INET,
			  .src = { .bytes = { 10, 9, 1, 2 } },
			  .dst = { .bytes = { 10, 9, 0, 9 } } },
		.length = LENGTH,
	};
	return 0;
}

static void put(int when, uint32_t key, uint64_t first, uint64_t second)
{
	struct stated_table *t = when ? &s.after : &s.map.before;

	s.keys[when][t->count] = key;
	s.values[when][2 * t->count] = first;
	s.values[when][2 * t->count + 1] = second;
	t->count++;
}

static void compare(uint32_t counters, uint32_t entries, uint32_t others)
{
	assert_int_equal(fg_stated_moved(&s.set, &s.map, &s.after, &s.packet, &s.out), 0);
	assert_int_equal(s.out.counter_count, counters);
	assert_int_equal(s.out.entry_count, entries);
	assert_int_equal(s.out.others, others);
}

static void a_packet_and_its_bytes(void **state)
{
	(void)state;
	put(0, 1, 5, 1000);
	put(0, 2, 5, 1000);
	put(1, 1, 6, 1000 + LENGTH);
	put(1, 2, 5, 1000);
	compare(2, 0, 0);
	assert_false(s.out.counters[0].bytes);
	assert_int_equal(s.out.counters[0].before, 5);
	assert_int_equal(s.out.counters[0].after, 6);
	assert_string_equal(s.out.counters[0].member, "+0");
	assert_true(s.out.counters[1].bytes);
	assert_int_equal(s.out.counters[1].offset, 8);
	assert_string_equal(s.out.counters[1].map.name, "counts");
	assert_int_equal(s.out.counters[1].key.fields[0].value, 1);
}

static void with_its_ethernet_header(void **state)
{
	(void)state;
	put(0, 1, 0, 1000);
	put(1, 1, 0, 1000 + LENGTH + 14);
	compare(1, 0, 0);
	assert_true(s.out.counters[0].bytes);
}

/* Of other packets: two of them, or other bytes. */
static void what_others_moved(void **state)
{
	(void)state;
	put(0, 1, 5, 0);
	put(0, 2, 0, 50);
	put(0, 3, 0, 50);
	put(0, 4, 9, 50);
	put(1, 1, 7, 0);
	put(1, 2, 0, 50 + LENGTH + 1);
	put(1, 3, 0, 50 + LENGTH + 13);
	put(1, 4, 8, 50);
	compare(0, 0, 4);
}

/* In a hash table the packet's own counter still counts beside another that moved otherwise. */
static void an_array_with_scratch_space_is_doubtful(void **state)
{
	(void)state;
	put(0, 1, 5, 5);
	put(1, 1, 6, 500);
	compare(1, 0, 1);
	setup(NULL);
	s.map.type = BPF_MAP_TYPE_ARRAY;
	put(0, 1, 5, 5);
	put(1, 1, 6, 500);
	compare(0, 0, 1);
}

static void without_a_length_no_bytes_are_its(void **state)
{
	(void)state;
	s.packet.length = 0;
	put(0, 1, 5, 0);
	put(1, 1, 5, 14);
	compare(0, 0, 1);
}

/* A new entry: a counter with the first packet; or state, if it has an address of the packet. */
static void new_entries(void **state)
{
	const uint8_t ours[] = { 10, 9, 0, 9 }, source[] = { 10, 9, 1, 2 },
		      not [] = { 10, 9, 0, 8 };
	uint32_t key, from, other;

	(void)state;
	memcpy(&key, ours, 4);
	memcpy(&from, source, 4);
	memcpy(&other, not, 4);
	put(0, 1, 0, 0);
	put(1, 1, 0, 0);
	put(1, key, 1234, 5);
	put(1, from, 1234, 5);
	put(1, other, 1234, 5);
	put(1, 77, 1, LENGTH);
	compare(2, 2, 0);
	assert_memory_equal(&s.out.entries[0].key.fields[0].value, &key, 4);
	assert_int_equal(s.out.counters[0].before, 0);
	assert_int_equal(s.out.counters[1].after, LENGTH);
	/* As many as had its addresses, of all that there are. */
	assert_int_equal(s.out.tables.count, 1);
	assert_int_equal(s.out.tables.list[0].gained, 2);
	assert_int_equal(s.out.tables.list[0].entries, 5);
}

/* A connection's own counters, beside its state, say nothing of the policy. */
static void what_a_connection_counts_of_itself(void **state)
{
	const uint8_t ours[] = { 10, 9, 0, 9 };
	uint32_t key;

	(void)state;
	memcpy(&key, ours, 4);
	put(0, key, 5, 5);
	put(1, key, 6, 5000);
	compare(0, 0, 0);
}

/* Each processor has its own number. */
static void over_all_processors(void **state)
{
	(void)state;
	s.map.type = BPF_MAP_TYPE_PERCPU_HASH;
	s.map.value_size = 8;
	s.map.copies = 2;
	put(0, 1, 10, 20);
	put(0, 2, 10, 20);
	put(1, 1, 10, 21);
	/* Together they have not moved. */
	put(1, 2, 11, 19);
	compare(1, 0, 0);
	assert_int_equal(s.out.counters[0].before, 30);
	assert_int_equal(s.out.counters[0].after, 31);
	assert_string_equal(s.out.counters[0].member, "");
}

/* Entries are found by their keys, in whatever order they are. */
static void the_order_is_another(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 16; i++) {
		put(0, i * 0x01010101, i, 100);
		put(1, (i * 5 % 16) * 0x01010101, i * 5 % 16 + 1, 100);
	}
	compare(16, 0, 0);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(s.out.counters[i].after, s.out.counters[i].before + 1);
}

static void where_an_entry_is(void **state)
{
	struct stated_index index = {};

	(void)state;
	for (uint32_t i = 0; i < 16; i++)
		put(0, i * 7, 0, 0);
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t key = (15 - i) * 7;

		assert_int_equal(fg_stated_table_find(&s.map, &s.map.before, &index,
						      (const uint8_t *)&key),
				 15 - i);
	}
	for (uint32_t key = 1; key < 100; key++)
		if (key % 7 || key > 15 * 7)
			assert_int_equal(fg_stated_table_find(&s.map, &s.map.before, &index,
							      (const uint8_t *)&key),
					 -1);
	free(index.slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup(test, setup)
		TEST(a_packet_and_its_bytes),
		TEST(with_its_ethernet_header),
		TEST(what_others_moved),
		TEST(an_array_with_scratch_space_is_doubtful),
		TEST(without_a_length_no_bytes_are_its),
		TEST(new_entries),
		TEST(what_a_connection_counts_of_itself),
		TEST(over_all_processors),
		TEST(the_order_is_another),
		TEST(where_an_entry_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
