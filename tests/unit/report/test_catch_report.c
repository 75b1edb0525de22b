// SPDX-License-Identifier: GPL-2.0-only
/* What was caught, as JSON and as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "listing/catch.h"

/* UDP 10.9.1.2:4000 > 10.9.0.9:53 with a trace ID of 4 bytes in an option of type 136, TTL 7. */
static const uint8_t packet[] = {
	0x47, 0x00, 0x00, 0x26, 0x12, 0x34, 0x40, 0x00, 0x07, 0x11, 0x00, 0x00, 10,
	9,    1,    2,	  10,	9,    0,    9,	  0x88, 0x06, 0x00, 0x01, 0x00, 0x02,
	0x00, 0x00, 0x0f, 0xa0, 0x00, 0x35, 0x00, 0x0a, 0x00, 0x00, 'h',  'i',
};

static const struct fg_catch_place place = { .ref = "netns:web",
					     .name = "",
					     .netns = 7,
					     .device = "eth0",
					     .trace_option = 136,
					     .realtime = 1700000000000000000ULL };

static struct fg_catch_record record_of(size_t captured)
{
	struct fg_catch_record r = { .version = FG_CATCH_VERSION,
				     .captured = (uint16_t)captured,
				     .ifindex = 2,
				     .time_ns = 1500000001ULL,
				     .length = sizeof(packet),
				     .has_trace = 1,
				     .trace_size = 4,
				     .trace_id = 65538 };

	memcpy(r.bytes, packet, captured);
	return r;
}

static json_t *json_of(const struct fg_catch_record *r)
{
	struct fg_buffer out = {};
	struct fg_error err;
	json_t *json;

	assert_int_equal(fg_catch_json(&place, r, 3, &out, &err), 0);
	assert_int_equal(out.data[out.len - 1], '\n');
	json = json_loadb(out.data, out.len, 0, NULL);
	assert_non_null(json);
	fg_buffer_free(&out);
	return json;
}

static void a_whole_packet_as_json(void **state)
{
	struct fg_catch_record r = record_of(sizeof(packet));
	json_t *all = json_of(&r), *p, *h;
	const char *proto, *src, *id, *action, *time;
	int number, ttl, sport, option;

	(void)state;
	assert_int_equal(json_unpack(all, "{s:i, s:s, s:s, s:o, s:o, s:{s:i, s:s}}", "number",
				     &number, "action", &action, "time", &time, "packet", &p,
				     "headers", &h, "trace", "option", &option, "id", &id),
			 0);
	assert_int_equal(number, 3);
	assert_string_equal(action, "stopped");
	assert_string_equal(time, "2023-11-14T22:13:21.500000001Z");
	assert_int_equal(option, 136);
	assert_string_equal(id, "65538");
	assert_int_equal(json_unpack(p, "{s:s, s:s, s:i, s:i}", "proto", &proto, "src", &src, "ttl",
				     &ttl, "sport", &sport),
			 0);
	assert_string_equal(proto, "udp");
	assert_string_equal(src, "10.9.1.2");
	assert_int_equal(ttl, 7);
	assert_int_equal(sport, 4000);
	assert_string_equal(json_string_value(json_object_get(json_array_get(h, 0), "header")),
			    "ipv4");
	assert_true(json_is_null(json_object_get(all, "problem")));
	json_decref(all);
}

/* Whatever is cut off, there is a line. */
static void any_length_is_told(void **state)
{
	(void)state;
	for (size_t len = 0; len <= sizeof(packet); len++) {
		struct fg_catch_record r = record_of(len);
		struct fg_buffer out = {};
		json_t *all = json_of(&r);

		assert_int_equal(json_integer_value(json_object_get(all, "captured")), len);
		if (len < 20)
			assert_true(json_is_null(json_object_get(all, "packet")));
		json_decref(all);
		assert_int_equal(fg_catch_text(&place, &r, 1, &out, NULL), 0);
		fg_buffer_free(&out);
	}
}

static void a_line_of_text(void **state)
{
	static const char want[] =
		"3 22:13:21.500000 eth0 passed 10.9.1.2:4000 > 10.9.0.9:53 udp ttl 7 "
		"id 4660 length 38 trace 65538\n";
	struct fg_catch_record r = record_of(sizeof(packet));
	struct fg_buffer out = {};

	(void)state;
	r.passed = 1;
	assert_int_equal(fg_catch_text(&place, &r, 3, &out, NULL), 0);
	assert_int_equal(out.len, strlen(want));
	assert_memory_equal(out.data, want, out.len);
	fg_buffer_free(&out);
}

/* Who names devices in a pod does not steer the terminal of who asks. */
static void a_name_is_only_shown(void **state)
{
	const struct fg_catch_place odd = { .ref = "p", .name = "", .device = "e\033[2Jh" };
	struct fg_catch_record r = record_of(sizeof(packet));
	struct fg_buffer out = {};

	(void)state;
	assert_int_equal(fg_catch_text(&odd, &r, 3, &out, NULL), 0);
	fg_buffer_put(&out, "", 1);
	assert_non_null(strstr(out.data, " e?[2Jh stopped "));
	fg_buffer_free(&out);
}

static void the_sum(void **state)
{
	struct fg_catch_filter filter = {};
	char text[200];

	(void)state;
	assert_string_equal(
		fg_catch_summary(&filter, 1, 0, 3200000000ULL, text, sizeof(text)),
		"1 packet caught, stopped before the pod's stack, 0 not reported (lost), in 3.2 s");
	filter.pass = 1;
	assert_string_equal(
		fg_catch_summary(&filter, 12, 3, 0, text, sizeof(text)),
		"12 packets caught, passed on to the pod, 3 not reported (lost), in 0.0 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_packet_as_json),
		cmocka_unit_test(any_length_is_told),
		cmocka_unit_test(a_line_of_text),
		cmocka_unit_test(a_name_is_only_shown),
		cmocka_unit_test(the_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
