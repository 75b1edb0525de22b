// SPDX-License-Identifier: GPL-2.0-only
/* What is where in a key or a value, by type information that is made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/btf.h>

#include "base/count.h"
#include "stated/internal.h"

static struct btf *btf;
static int u8, u16, u32, u64, u128, character, be32, be16;

static int setup(void **state)
{
	(void)state;
	btf = btf__new_empty();
	assert_non_null(btf);
	u8 = btf__add_int(btf, "unsigned char", 1, 0);
	u16 = btf__add_int(btf, "unsigned short", 2, 0);
	u32 = btf__add_int(btf, "unsigned int", 4, 0);
	u64 = btf__add_int(btf, "unsigned long", 8, 0);
	u128 = btf__add_int(btf, "__int128", 16, 0);
	character = btf__add_int(btf, "char", 1, BTF_INT_CHAR);
	be32 = btf__add_typedef(btf, "__be32", u32);
	be16 = btf__add_typedef(btf, "be16", u16);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	btf__free(btf);
	return 0;
}

struct expected {
	const char *name;
	uint32_t offset, size;
	enum stated_kind kind;
	bool padding;
};

static void has_leaves(const struct stated_layout *l, const struct expected *want, size_t count)
{
	assert_int_equal(l->count, count);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(l->leaves[i].name, want[i].name);
		assert_int_equal(l->leaves[i].offset, want[i].offset);
		assert_int_equal(l->leaves[i].size, want[i].size);
		assert_int_equal(l->leaves[i].kind, want[i].kind);
		assert_int_equal(l->leaves[i].padding, want[i].padding);
	}
}

static void the_members_of_a_connections_key(void **state)
{
	static const struct expected want[] = {
		{ "saddr", 0, 4, STATED_IPV4, false },
		{ "id", 4, 4, STATED_NETWORK, false },
		{ "dport", 8, 2, STATED_NETWORK, false },
		{ "pad", 10, 2, STATED_BYTES, true },
		{ "name", 12, 8, STATED_TEXT, false },
		{ "peer", 20, 16, STATED_ADDRESS, false },
		{ "who.zone", 36, 4, STATED_NUMBER, false },
		{ "who._x", 40, 4, STATED_NUMBER, true },
		{ "wide", 48, 16, STATED_ADDRESS, false },
		{ "list[0]", 64, 4, STATED_NUMBER, false },
		{ "list[1]", 68, 4, STATED_NUMBER, false },
		{ "at", 72, 8, STATED_BYTES, false },
	};
	struct stated_map map = { .key_size = 80 };
	struct stated_layout l;
	int pad = btf__add_array(btf, u32, u8, 2), text = btf__add_array(btf, u32, character, 8),
	    address = btf__add_array(btf, u32, u8, 16), list = btf__add_array(btf, u32, u32, 2),
	    pointer = btf__add_ptr(btf, u32), who;

	(void)state;
	who = btf__add_struct(btf, "who", 8);
	btf__add_field(btf, "zone", u32, 0, 0);
	btf__add_field(btf, "_x", u32, 32, 0);
	map.btf_key = (uint32_t)btf__add_struct(btf, "key", 80);
	btf__add_field(btf, "saddr", be32, 0, 0);
	btf__add_field(btf, "id", be32, 32, 0);
	btf__add_field(btf, "dport", be16, 64, 0);
	btf__add_field(btf, "pad", pad, 80, 0);
	btf__add_field(btf, "name", text, 96, 0);
	btf__add_field(btf, "peer", address, 160, 0);
	btf__add_field(btf, "who", who, 288, 0);
	btf__add_field(btf, "wide", u128, 384, 0);
	btf__add_field(btf, "list", list, 512, 0);
	btf__add_field(btf, "at", pointer, 576, 0);
	fg_stated_layout_key(&l, btf, &map);
	has_leaves(&l, want, COUNT(want));
	/* What is behind the end of the map's keys is not in them. */
	map.key_size = 44;
	fg_stated_layout_key(&l, btf, &map);
	has_leaves(&l, want, 8);
	map.key_size = 43;
	fg_stated_layout_key(&l, btf, &map);
	has_leaves(&l, want, 7);
}

/* Sixteen characters are a text, and no address. */
static void text_of_an_addresss_length(void **state)
{
	static const struct expected want[] = { { "", 0, 16, STATED_TEXT, false } };
	struct stated_map map = { .key_size = 16 };
	struct stated_layout l;

	(void)state;
	map.btf_key = (uint32_t)btf__add_array(btf, u32, character, 16);
	fg_stated_layout_key(&l, btf, &map);
	has_leaves(&l, want, 1);
}

static void a_union_is_an_address_or_its_first_member(void **state)
{
	static const struct expected want[] = { { "address", 0, 16, STATED_ADDRESS, false },
						{ "peer", 16, 16, STATED_ADDRESS, false },
						{ "either.a", 32, 4, STATED_NUMBER, false } };
	struct stated_map map = { .key_size = 40 };
	int address = btf__add_array(btf, u32, u32, 4), of16, of8;
	struct stated_layout l;

	(void)state;
	of16 = btf__add_union(btf, "of16", 16);
	btf__add_field(btf, "ip4", be32, 0, 0);
	btf__add_field(btf, "ip6", address, 0, 0);
	of8 = btf__add_union(btf, "of8", 8);
	btf__add_field(btf, "a", u32, 0, 0);
	btf__add_field(btf, "b", u64, 0, 0);
	map.btf_key = (uint32_t)btf__add_struct(btf, "key", 40);
	btf__add_field(btf, "", of16, 0, 0);
	btf__add_field(btf, "peer", of16, 128, 0);
	btf__add_field(btf, "either", of8, 256, 0);
	fg_stated_layout_key(&l, btf, &map);
	has_leaves(&l, want, COUNT(want));
}

static void bit_fields(void **state)
{
	const uint8_t bytes[] = { 0xa5, 0x12, 0, 0, 0x78, 0x56, 0x34, 0x12 };
	struct stated_map map = { .value_size = 8 };
	struct stated_layout l;

	(void)state;
	map.btf_value = (uint32_t)btf__add_struct(btf, "value", 8);
	btf__add_field(btf, "low", u8, 0, 3);
	btf__add_field(btf, "high", u8, 3, 5);
	btf__add_field(btf, "n", u32, 32, 0);
	fg_stated_layout_value(&l, btf, &map);
	assert_int_equal(l.count, 3);
	assert_int_equal(fg_stated_layout_number(&l.leaves[0], bytes), 5);
	assert_int_equal(fg_stated_layout_number(&l.leaves[1], bytes), 0x14);
	assert_int_equal(l.leaves[2].bits, 0);
	assert_int_equal(fg_stated_layout_number(&l.leaves[2], bytes), 0x12345678);
}

static void numbers_in_network_order(void **state)
{
	const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct stated_leaf leaf = { .size = 2, .kind = STATED_NETWORK };

	(void)state;
	assert_int_equal(fg_stated_layout_number(&leaf, bytes), 0x102);
	leaf.size = 4;
	assert_int_equal(fg_stated_layout_number(&leaf, bytes), 0x1020304);
	leaf.kind = STATED_IPV4;
	leaf.offset = 1;
	assert_int_equal(fg_stated_layout_number(&leaf, bytes), 0x2030405);
	leaf.kind = STATED_NETWORK;
	leaf.offset = 0;
	leaf.size = 8;
	assert_int_equal(fg_stated_layout_number(&leaf, bytes), 0x102030405060708);
	leaf.kind = STATED_NUMBER;
	assert_int_equal(fg_stated_layout_number(&leaf, bytes), 0x0807060504030201);
}

/* Variables of a section: each at its place, what is none left out. */
static void the_variables_of_a_section(void **state)
{
	static const struct expected want[] = { { "hits", 0, 8, STATED_NUMBER, false },
						{ "misses", 16, 4, STATED_NUMBER, false } };
	struct stated_map map = { .value_size = 24 };
	int hits = btf__add_var(btf, "hits", BTF_VAR_GLOBAL_ALLOCATED, u64),
	    misses = btf__add_var(btf, "misses", BTF_VAR_GLOBAL_ALLOCATED, u32);
	struct stated_layout l;

	(void)state;
	map.btf_value = (uint32_t)btf__add_datasec(btf, ".bss", 24);
	btf__add_datasec_var_info(btf, hits, 0, 8);
	btf__add_datasec_var_info(btf, misses, 16, 4);
	fg_stated_layout_value(&l, btf, &map);
	has_leaves(&l, want, COUNT(want));
}

static void without_types(void **state)
{
	static const struct expected four[] = { { "", 0, 4, STATED_NUMBER, false } },
				     five[] = { { "", 0, 5, STATED_BYTES, false } },
				     pair[] = { { "+0", 0, 8, STATED_NUMBER, false },
						{ "+8", 8, 8, STATED_NUMBER, false } },
				     three[] = { { "+0", 0, 4, STATED_NUMBER, false },
						 { "+4", 4, 4, STATED_NUMBER, false },
						 { "+8", 8, 4, STATED_NUMBER, false } };
	struct stated_layout l;

	(void)state;
	fg_stated_layout_key(&l, NULL, &(struct stated_map){ .key_size = 4, .btf_key = 1 });
	has_leaves(&l, four, 1);
	fg_stated_layout_key(&l, btf, &(struct stated_map){ .key_size = 4 });
	has_leaves(&l, four, 1);
	fg_stated_layout_key(&l, NULL, &(struct stated_map){ .key_size = 5 });
	has_leaves(&l, five, 1);
	fg_stated_layout_value(&l, NULL, &(struct stated_map){ .value_size = 16 });
	has_leaves(&l, pair, 2);
	fg_stated_layout_value(&l, NULL, &(struct stated_map){ .value_size = 12 });
	has_leaves(&l, three, 3);
	fg_stated_layout_value(&l, NULL, &(struct stated_map){ .value_size = 4 });
	has_leaves(&l, four, 1);
	fg_stated_layout_value(&l, NULL, &(struct stated_map){ .value_size = 6 });
	assert_int_equal(l.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		TEST(the_members_of_a_connections_key),
		TEST(text_of_an_addresss_length),
		TEST(a_union_is_an_address_or_its_first_member),
		TEST(bit_fields),
		TEST(numbers_in_network_order),
		TEST(the_variables_of_a_section),
		TEST(without_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
