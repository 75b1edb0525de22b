// SPDX-License-Identifier: GPL-2.0-only
/* What libflowgen writes is what the agent reads, and the other way round. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/internal.h"
#include "base/count.h"
#include "base/fd.h"
#include "flowgen/flowgen.h"
#include "flowgen/internal.h"

static struct fg_flowgen_exchange exchange;
static struct fg_buffer out;
static struct fg_error err;

static int begin(void **state)
{
	(void)state;
	err = (struct fg_error){};
	exchange = (struct fg_flowgen_exchange){ .id = "7" };
	exchange.answer = calloc(1, sizeof(*exchange.answer));
	return exchange.answer ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	flowgen_answer_free(FG_TAKE(exchange.answer));
	fg_buffer_free(&out);
	return 0;
}

/* Hands what the agent has written to the library, line by line. */
static int take(void)
{
	char *from = out.data, *newline;
	int ret = 0;

	while (!ret && from < out.data + out.len) {
		newline = memchr(from, '\n', (size_t)(out.data + out.len - from));
		assert_non_null(newline);
		ret = fg_flowgen_answer_take(&exchange, from, (size_t)(newline - from), &err);
		from = newline + 1;
	}
	out.len = 0;
	return ret;
}

static void put_output(const char *id, const char *text)
{
	char line[256];

	snprintf(line, sizeof(line), "%s", text);
	fg_agent_answer_output(&out, id, line, strlen(line));
}

static void put_message(const char *text)
{
	char line[256];

	snprintf(line, sizeof(line), "%s", text);
	fg_agent_answer_message(&out, "7", line, strlen(line), false);
}

/* --- answers --- */

static void test_results(void **state)
{
	static const char *const objects[] = { "{\"b\":1.10,\"a\":[1, 2],\"e\":\"}\"}", "{}",
					       "{\"text\":\"plain \\\"line\\\"\"}" };

	(void)state;
	put_output("7", objects[0]);
	put_output("77", "{\"other\":true}");
	put_output("7", objects[1]);
	put_output("7", "plain \"line\"");
	assert_int_equal(take(), 0);
	assert_int_equal(flowgen_answer_count(exchange.answer), COUNT(objects));
	for (size_t i = 0; i < COUNT(objects); i++)
		assert_string_equal(flowgen_answer_object(exchange.answer, i), objects[i]);
	assert_null(flowgen_answer_object(exchange.answer, COUNT(objects)));
	assert_false(exchange.over);
}

static void finish(int status, bool cancelled)
{
	fg_agent_answer_done(&out, "7", status, cancelled);
	assert_int_equal(take(), 0);
	assert_true(exchange.over);
}

static void test_error_is_the_last_message(void **state)
{
	(void)state;
	put_message("flowgen: the \"first\"");
	put_message("flowgen: pod x: not found (look)");
	put_message("flowgen: warning: of no matter");
	put_message("flowgen: note: of none either");
	finish(3 << 8, false);
	assert_int_equal(exchange.status, FLOWGEN_UNSUPPORTED);
	assert_string_equal(exchange.error, "pod x: not found (look)");
	assert_int_equal(flowgen_answer_message_count(exchange.answer), 4);
	assert_string_equal(flowgen_answer_message(exchange.answer, 0), "the \"first\"");
	assert_null(flowgen_answer_message(exchange.answer, 4));
}

static void test_no_error(void **state)
{
	(void)state;
	put_message("flowgen: said by the way");
	finish(1 << 8, false);
	assert_int_equal(exchange.status, FLOWGEN_UNEXPECTED);
	assert_string_equal(exchange.error, "");
}

static void test_error_in_a_result(void **state)
{
	static const struct {
		const char *object, *error;
	} rows[] = {
		{ "{\"scenario\":{\"status\":\"skip\",\"why\":\"no such pod\"}}", "no such pod" },
		{ "{\"outcome\":\"inconclusive\",\"reason\":\"events were lost\"}",
		  "events were lost" },
		{ "{\"outcome\":\"delivered\",\"reason\":\"a reason\"}", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		begin(state);
		put_output("7", "{\"scenario\":{\"status\":\"pass\",\"why\":null}}");
		put_output("7", rows[i].object);
		finish(4 << 8, false);
		assert_int_equal(exchange.status, FLOWGEN_INCONCLUSIVE);
		assert_string_equal(exchange.error, rows[i].error);
		end(state);
	}
}

static void test_ends(void **state)
{
	static const struct {
		int wait_status;
		bool cancelled;
		int status;
		const char *error;
	} rows[] = {
		{ 0, false, FLOWGEN_OK, "" },
		{ 4 << 8, true, FLOWGEN_INCONCLUSIVE, "cancelled" },
		{ -1, true, FLOWGEN_INCONCLUSIVE, "cancelled" },
		{ SIGKILL, false, FLOWGEN_INTERNAL, "SIGKILL ended flowgen" },
		{ SIGKILL, true, FLOWGEN_INCONCLUSIVE, "SIGKILL ended flowgen" },
		{ 127 << 8, false, 127, "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		begin(state);
		finish(rows[i].wait_status, rows[i].cancelled);
		assert_int_equal(exchange.status, rows[i].status);
		assert_string_equal(exchange.error, rows[i].error);
		end(state);
	}
}

/* With the id, and without one: the line was too long to have one. */
static void test_refused(void **state)
{
	static const struct {
		enum fg_error_kind kind;
		int status;
	} rows[] = { { FG_ERR_USAGE, FLOWGEN_USAGE },
		     { FG_ERR_UNSUPPORTED, FLOWGEN_UNSUPPORTED },
		     { FG_ERR_INTERNAL, FLOWGEN_INTERNAL } };
	struct fg_error why = {};

	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		begin(state);
		fg_fail(&why, rows[i / 2].kind, "no verb");
		fg_hint(&why, "it has others");
		fg_agent_answer_error(&out, i % 2 ? "" : "7", &why, 1);
		assert_int_equal(take(), 0);
		assert_true(exchange.over);
		assert_int_equal(exchange.status, rows[i / 2].status);
		assert_string_equal(exchange.error, "no verb (it has others)");
		end(state);
	}
}

/* By an agent that does not say of what kind the error is. */
static void test_refused_without_status(void **state)
{
	(void)state;
	fg_buffer_puts(&out, "{\"id\":\"7\",\"error\":\"no verb\",\"line\":1}\n");
	assert_int_equal(take(), 0);
	assert_true(exchange.over);
	assert_int_equal(exchange.status, FLOWGEN_USAGE);
}

/* That of another request, which was over before it came, says nothing. */
static void test_pong(void **state)
{
	(void)state;
	exchange.until = 5;
	fg_agent_answer_pong(&out, "6");
	assert_int_equal(take(), 0);
	assert_int_equal(exchange.until, 5);
	fg_agent_answer_pong(&out, "7");
	assert_int_equal(take(), 0);
	assert_int_equal(exchange.until, 0);
	assert_false(exchange.over);
	assert_int_equal(flowgen_answer_count(exchange.answer), 0);
}

static void not_understood(const char *line)
{
	begin(NULL);
	fg_buffer_puts(&out, line);
	assert_int_equal(take(), -1);
	assert_int_equal(err.kind, FG_ERR_INTERNAL);
	end(NULL);
}

static void test_first_line(void **state)
{
	const struct fg_agent_verb verb = { .name = "pods" };
	const struct fg_agent_options options = {
		.verbs = &verb, .verb_count = 1, .version = "1", .parallel = 1
	};

	(void)state;
	exchange.id[0] = '\0';
	fg_agent_answer_hello(&out, &options, "host", "6.1");
	assert_int_equal(take(), 0);
	assert_true(exchange.over);
	exchange.over = false;
	fg_buffer_puts(&out, "{\"agent\":{\"protocol\":2}}\n");
	assert_int_equal(take(), -1);
	assert_string_equal(err.message,
			    "the agent speaks version 2 of the protocol, this library 1");
	fg_buffer_puts(&out, "{\"id\":\"7\",\"result\":{}}\n");
	assert_int_equal(take(), -1);
	end(NULL);
	not_understood("no JSON\n");
	not_understood("[]\n");
	not_understood("\n");
}

/* --- requests --- */

static void read_back(struct fg_agent_request *request)
{
	assert_true(out.len > 1 && out.data[out.len - 1] == '\n');
	assert_null(memchr(out.data, '\n', out.len - 1));
	if (fg_agent_request_read(out.data, out.len - 1, request, &err))
		fail_msg("%s", err.message);
	assert_string_equal(request->id, "7");
	out.len = 0;
}

static void test_requests(void **state)
{
	static const char scenario[] = "name: \"a\"\n# \xc3\xa4\n";
	struct fg_agent_request request;

	(void)state;
	assert_int_equal(fg_flowgen_request_pods(&out, "7", &err), 0);
	read_back(&request);
	assert_int_equal(request.kind, FG_AGENT_RUN);
	assert_string_equal(request.words[0], "pods");
	fg_agent_request_free(&request);
	assert_int_equal(fg_flowgen_request_run(&out, "7", scenario, &err), 0);
	read_back(&request);
	assert_int_equal(request.word_count, 2);
	assert_string_equal(request.words[1], "@scenario");
	assert_int_equal(request.file_count, 1);
	assert_string_equal(request.files[0].name, "scenario");
	assert_int_equal(request.files[0].content.len, strlen(scenario));
	assert_memory_equal(request.files[0].content.data, scenario, strlen(scenario));
	fg_agent_request_free(&request);
	assert_int_equal(fg_flowgen_request_any(&out, "7",
						"{\"id\": \"x\",\n \"args\": [\"check\"]}\n", &err),
			 0);
	read_back(&request);
	assert_string_equal(request.words[0], "check");
	fg_agent_request_free(&request);
	assert_int_equal(fg_flowgen_request_cancel(&out, "7", &err), 0);
	read_back(&request);
	assert_int_equal(request.kind, FG_AGENT_CANCEL);
	fg_agent_request_free(&request);
	assert_int_equal(fg_flowgen_request_ping(&out, "7", &err), 0);
	read_back(&request);
	assert_int_equal(request.kind, FG_AGENT_PING);
	fg_agent_request_free(&request);
}

static void test_wrong_requests(void **state)
{
	static const char *const rows[][2] = {
		{ "", "the request is not JSON: line 1" },
		{ "{\"args\": [", "the request is not JSON: line 1" },
		{ "{\"args\": [], \"args\": []}", "duplicate object key" },
		{ "[\"args\"]", "the request must be an object with args" },
		{ "{\"id\": \"1\", \"cancel\": true}", "the request must be an object with args" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(fg_flowgen_request_any(&out, "7", rows[i][0], &err), -1);
		assert_int_equal(err.kind, FG_ERR_USAGE);
		if (!strstr(err.message, rows[i][1]))
			fail_msg("%s: %s", rows[i][0], err.message);
	}
	assert_int_equal(fg_flowgen_request_run(&out, "7", "\xff", &err), -1);
	assert_int_equal(err.kind, FG_ERR_USAGE);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_results, begin, end),
		cmocka_unit_test_setup_teardown(test_error_is_the_last_message, begin, end),
		cmocka_unit_test_setup_teardown(test_no_error, begin, end),
		cmocka_unit_test(test_error_in_a_result),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_refused),
		cmocka_unit_test_setup_teardown(test_refused_without_status, begin, end),
		cmocka_unit_test_setup_teardown(test_pong, begin, end),
		cmocka_unit_test_setup_teardown(test_first_line, begin, end),
		cmocka_unit_test_setup_teardown(test_requests, begin, end),
		cmocka_unit_test_setup_teardown(test_wrong_requests, begin, end),
	};

	return cmocka_run_group_tests_name("flowgen", tests, NULL, NULL);
}
