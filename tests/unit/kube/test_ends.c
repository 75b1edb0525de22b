// SPDX-License-Identifier: GPL-2.0-only
/* test_ends.c - both ends of what one request sends, and how many packets that is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "kube/internal.h"

static void test_count(void **state)
{
	static const struct {
		const char *words[6];
		uint64_t count;
		const char *times;
	} rows[] = {
		{ { "--seed", "1" }, 1, "" },
		{ { "-c", "3", "-i", "1s" }, 3, "" },
		{ { "--count=2", "-p", "80,443" }, 4, "" },
		{ { "--dport", "nobody-knows" }, 1, "" },
		/* How many these are its node knows: more than one. */
		{ { "-pnobody-knows,this" }, 2, "" },
		/* Of a time and a pace: one at once, and one that may be on its way. */
		{ { "--duration", "2s", "-i", "500ms" }, 6, "6" },
		{ { "--duration=1s", "--rate", "10", "-p", "1-4" }, 12, "3" },
		{ { "--duration=1s", "--rate", "10", "-c", "5" }, 5, "5" },
	};
	static const char *const alone[] = { "--duration", "2s", NULL };
	struct fg_awaiting_count count;
	struct fg_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(fg_awaiting_count(rows[i].words, &count, &err), 0);
		assert_int_equal(count.packets, rows[i].count);
		assert_string_equal(count.times, rows[i].times);
	}
	assert_int_equal(fg_awaiting_count(alone, &count, &err), -1);
	assert_string_equal(err.hint, "add --interval TIME or --rate N");
}

static void say(struct fg_ends *ends, struct fg_job *job, size_t request, json_t *line)
{
	assert_non_null(line);
	assert_false(fg_ends_take(ends, job, request, line));
	json_decref(line);
}

/* Where the one packet arrived, no other node needs to wait for it. One of several tells nothing.
 */
static void test_arrived(void **state)
{
	(void)state;
	for (int many = 0; many < 2; many++) {
		struct fg_request requests[3] = {};
		struct fg_job job = { .client = { .requests = requests, .count = 3 } };
		struct fg_ends ends = { .node = "a", .many = many };

		assert_non_null(fg_ends_add(&ends, "b", NULL));
		assert_non_null(fg_ends_add(&ends, "c", NULL));
		fg_ends_asked(&ends, &job.client, 0);
		assert_int_equal(requests[0].partners, 2);
		say(&ends, &job, 1,
		    json_pack("{s:{s:i, s:s, s:i, s:[{s:s}]}}", "result", "id", 1, "outcome",
			      "delivered", "end", 0, "observations", "component", "inject"));
		say(&ends, &job, 1, json_pack("{s:{s:i}}", "done", "status", 0));
		assert_int_equal(requests[2].cancel_at != 0, !many);
		fg_ends_free(&ends);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_arrived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
