// SPDX-License-Identifier: GPL-2.0-only
/* What a flow of a command came to, and its two forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/count.h"
#include "listing/exec.h"

#define MS 1000000ULL

static struct fg_exec_flow flow_of(uint8_t proto)
{
	struct fg_exec_flow f = {
		.family = 4, .proto = proto, .local_port = htons(61000), .remote_port = htons(80)
	};

	memcpy(f.local, (uint8_t[]){ 10, 9, 1, 2 }, 4);
	memcpy(f.remote, (uint8_t[]){ 10, 9, 0, 9 }, 4);
	return f;
}

static void test_got(void **state)
{
	static const struct {
		uint8_t proto;
		struct fg_exec_state state;
		enum fg_exec_got got;
	} rows[] = {
		{ IPPROTO_TCP, { .out_packets = 3, .in_packets = 2 }, FG_EXEC_ANSWERED },
		{ IPPROTO_TCP, { .out_packets = 3 }, FG_EXEC_UNANSWERED },
		{ IPPROTO_TCP, { .refused = 3 }, FG_EXEC_NOT_SENT },
		{ IPPROTO_TCP,
		  { .out_packets = 1, .in_packets = 1, .end = FG_EXEC_RESET_THERE },
		  FG_EXEC_RESET },
		{ IPPROTO_TCP,
		  { .out_packets = 5,
		    .in_packets = 4,
		    .end = FG_EXEC_RESET_THERE,
		    .answered_syn = 1 },
		  FG_EXEC_ANSWERED },
		{ IPPROTO_UDP, { .out_packets = 1, .in_errors = 1 }, FG_EXEC_ICMP_ERROR },
		{ IPPROTO_UDP,
		  { .out_packets = 1, .in_packets = 1, .in_errors = 1 },
		  FG_EXEC_ANSWERED },
		/* An acknowledgment that is 200 ms late is none that is missing. */
		{ IPPROTO_TCP,
		  { .out_packets = 5,
		    .in_packets = 4,
		    .last_ns = 1200 * MS,
		    .last_in_ns = 1000 * MS },
		  FG_EXEC_ANSWERED },
		{ IPPROTO_TCP,
		  { .out_packets = 9,
		    .in_packets = 4,
		    .last_ns = 1501 * MS,
		    .last_in_ns = 1000 * MS,
		    .end = FG_EXEC_CLOSED_HERE },
		  FG_EXEC_SILENCED },
		/* The reset is the last word, and is not answered. */
		{ IPPROTO_TCP,
		  { .out_packets = 9,
		    .in_packets = 4,
		    .last_ns = 1501 * MS,
		    .last_in_ns = 1000 * MS,
		    .end = FG_EXEC_RESET_HERE },
		  FG_EXEC_ANSWERED },
		/* Of other protocols nothing has to be answered. */
		{ IPPROTO_UDP,
		  { .out_packets = 9,
		    .in_packets = 4,
		    .last_ns = 9000 * MS,
		    .last_in_ns = 1000 * MS },
		  FG_EXEC_ANSWERED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_exec_flow flow = flow_of(rows[i].proto);

		if (fg_exec_got(&flow, &rows[i].state) != rows[i].got)
			fail_msg("row %zu: %d, not %d", i, fg_exec_got(&flow, &rows[i].state),
				 rows[i].got);
	}
}

/* Who names devices in a pod does not steer the terminal of who asks. */
static void test_visible(void **state)
{
	struct fg_exec_flow flow = flow_of(IPPROTO_TCP);
	struct fg_exec_state s = {
		.first_ns = 1, .last_ns = 2, .out_packets = 3, .drops = 1, .drop_ns = 1
	};
	const struct fg_exec_row row = { .pod = "p",
					 .flow = &flow,
					 .state = &s,
					 .drop_device = "e\033[2Jh",
					 .drop_in_pod = true,
					 .drop_reason = "TC_EGRESS" };
	struct fg_buffer out = {};
	struct fg_error err;

	(void)state;
	assert_int_equal(fg_exec_text(&row, &out, &err), 0);
	fg_buffer_put(&out, "", 1);
	assert_null(strchr(out.data, '\033'));
	assert_non_null(strstr(out.data, ", at e?[2Jh in the pod (TC_EGRESS)\n"));
	fg_buffer_free(&out);
}

static void test_forms(void **state)
{
	struct fg_exec_flow flow = flow_of(IPPROTO_TCP);
	struct fg_exec_state s = {
		.first_ns = 1, .last_ns = 2, .out_packets = 3, .out_bytes = 222
	};
	struct fg_exec_probe probe = { .json = (char *)"{\"schema\":\"flowgen.result/2\"}",
				       .headline = (char *)"DENIED by p" };
	struct fg_exec_row row = {
		.pod = "shop/cart-0", .flow = &flow, .state = &s, .probe = &probe
	};
	struct fg_buffer out = {};
	struct fg_error err;
	json_t *json;

	(void)state;
	assert_int_equal(fg_exec_text(&row, &out, &err), 0);
	fg_buffer_put(&out, "", 1);
	assert_string_equal(out.data,
			    "tcp 10.9.1.2:61000 > 10.9.0.9:80  no answer; 3 packets out, 0 in\n"
			    "    a probe there now: DENIED by p\n");
	out.len = 0;
	assert_int_equal(fg_exec_json(&row, &out, &err), 0);
	json = json_loadb(out.data, out.len, 0, NULL);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "got")), "unanswered");
	assert_string_equal(json_string_value(json_object_get(json, "first")),
			    "1970-01-01T00:00:00.000000001Z");
	assert_true(json_is_object(json_object_get(json, "probe")));
	json_decref(json);
	fg_buffer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_got),
					    cmocka_unit_test(test_visible),
					    cmocka_unit_test(test_forms) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
