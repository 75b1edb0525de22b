// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/count.h"
#include "base/grow.h"

static struct fg_error err;

static void the_room_is_a_power_of_two(void **state)
{
	static const struct {
		size_t count, room;
	} cases[] = { { 0, 0 },
		      { 1, 1 },
		      { 2, 2 },
		      { 3, 4 },
		      { 4, 4 },
		      { 5, 8 },
		      { 1025, 2048 },
		      { SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1 },
		      { SIZE_MAX / 2 + 2, 0 },
		      { SIZE_MAX, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(fg_grow_room(cases[i].count), cases[i].room);
}

/* The array moves a few times only, and keeps what it holds. */
static void an_array_grows_and_keeps_what_it_holds(void **state)
{
	uint32_t *list = NULL, *last = NULL;
	size_t count = 0;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		uint32_t *added = FG_APPEND(list, count, "numbers", &err);

		assert_non_null(added);
		assert_ptr_equal(added, &list[i]);
		assert_int_equal(*added, 0);
		assert_int_equal(count, i + 1);
		*added = i;
		/* It moves only where the room was used up. */
		if (i & (i - 1))
			assert_ptr_equal(list, last);
		last = list;
	}
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(list[i], i);
	free(list);
}

static void several_at_a_time(void **state)
{
	uint16_t *list = NULL;
	size_t count = 0;

	(void)state;
	for (size_t more = 0; more < 100; more++) {
		uint16_t *first = FG_GROW(list, count, more, "numbers", &err);

		assert_non_null(first);
		assert_ptr_equal(first, &list[count]);
		for (size_t i = 0; i < more; i++)
			first[i] = (uint16_t)(count + i);
		count += more;
	}
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list[i], i);
	/* Emptied and filled again, it has as much room as it says. */
	for (count = 0; count < 5000;)
		*FG_APPEND(list, count, "numbers", &err) = 7;
	free(list);
}

static void a_room_that_is_kept(void **state)
{
	char *bytes = NULL, *before;
	size_t room = 0;

	(void)state;
	assert_non_null(FG_GROW_TO(bytes, room, 0, "bytes", &err));
	assert_int_equal(room, 1);
	before = FG_GROW_TO(bytes, room, 100, "bytes", &err);
	assert_ptr_equal(before, bytes);
	assert_int_equal(room, 128);
	bytes[127] = 'x';
	assert_ptr_equal(FG_GROW_TO(bytes, room, 128, "bytes", &err), before);
	assert_ptr_equal(FG_GROW_TO(bytes, room, 3, "bytes", &err), before);
	assert_int_equal(room, 128);
	assert_non_null(FG_GROW_TO(bytes, room, 129, "bytes", &err));
	assert_int_equal(room, 256);
	assert_int_equal(bytes[127], 'x');
	free(bytes);
}

/* What cannot be expressed is refused, and the array stays as it was. */
static void what_cannot_be_is_refused(void **state)
{
	static const size_t much[] = { SIZE_MAX, SIZE_MAX / 8, SIZE_MAX / 8 + 1, SIZE_MAX / 2,
				       SIZE_MAX - 1 };
	uint64_t *list = NULL, *before;
	size_t count = 0, room;

	(void)state;
	*FG_APPEND(list, count, "numbers", &err) = 7;
	before = list;
	for (size_t i = 0; i < COUNT(much); i++) {
		err = (struct fg_error){};
		assert_null(FG_GROW(list, count, much[i], "numbers", &err));
		assert_int_equal(err.kind, FG_ERR_INTERNAL);
		assert_string_equal(err.message, "numbers: Cannot allocate memory");
		room = 1;
		assert_null(FG_GROW_TO(list, room, much[i], "numbers", NULL));
		assert_int_equal(room, 1);
	}
	assert_ptr_equal(list, before);
	assert_int_equal(count, 1);
	assert_int_equal(list[0], 7);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_room_is_a_power_of_two),
		cmocka_unit_test(an_array_grows_and_keeps_what_it_holds),
		cmocka_unit_test(several_at_a_time),
		cmocka_unit_test(a_room_that_is_kept),
		cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
