// SPDX-License-Identifier: GPL-2.0-only
/* The pure parts of the agent: lines that are read, words of a process, and what is cut into
 * answers.
 */
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

static struct fg_agent_request request;
static struct fg_buffer out;

static int clean(void **state)
{
	(void)state;
	fg_agent_request_free(&request);
	fg_buffer_free(&out);
	return 0;
}

static void read_it(const char *line)
{
	struct fg_error err = {};

	fg_agent_request_free(&request);
	if (fg_agent_request_read(line, strlen(line), &request, &err))
		fail_msg("%s: %s", line, err.message);
}

static void refused(const char *line, const char *id, const char *why)
{
	struct fg_error err = {};

	fg_agent_request_free(&request);
	assert_int_equal(fg_agent_request_read(line, strlen(line), &request, &err), -1);
	assert_int_equal(err.kind, FG_ERR_USAGE);
	if (!strstr(err.message, why))
		fail_msg("%s: \"%s\" is not in \"%s\"", line, why, err.message);
	assert_string_equal(request.id, id);
}

/* --- lines that are read --- */

static void test_kinds(void **state)
{
	(void)state;
	read_it("{\"id\": \"a1\", \"cancel\": true}");
	assert_int_equal(request.kind, FG_AGENT_CANCEL);
	assert_string_equal(request.id, "a1");
	read_it("{\"id\": \"a1\", \"go\": true}");
	assert_int_equal(request.kind, FG_AGENT_GO);
	read_it("{\"ping\": true, \"id\": \"!~\"}");
	assert_int_equal(request.kind, FG_AGENT_PING);
	read_it("{\"end\": true}");
	assert_int_equal(request.kind, FG_AGENT_LAST);
	assert_string_equal(request.id, "");
}

static void test_request(void **state)
{
	(void)state;
	read_it("{\"id\": \"a\", \"args\": [\"run\", \"@x\"], \"files\": {\"x\": \"one\\n\", \"y.yaml\": "
		"{\"base64\": \"AP8=\"}, \"z\": \"\"}, \"outputs\": [\"o\"], \"stdin\": \"in\"}");
	assert_int_equal(request.kind, FG_AGENT_RUN);
	assert_int_equal(request.word_count, 2);
	assert_string_equal(request.words[1], "@x");
	assert_int_equal(request.file_count, 4);
	assert_string_equal(request.files[1].name, "y.yaml");
	assert_int_equal(request.files[0].content.len, 4);
	assert_memory_equal(request.files[1].content.data, "\0\xff", 2);
	assert_int_equal(request.files[1].content.len, 2);
	assert_non_null(request.files[2].content.data);
	assert_int_equal(request.files[2].content.len, 0);
	assert_true(request.files[3].output);
	assert_false(request.files[0].output);
	assert_memory_equal(request.input.data, "in", 2);
}

static void test_refused(void **state)
{
	static const struct {
		const char *line, *id, *why;
	} cases[] = {
		{ "", "", "not JSON" },
		{ "[]", "", "not a JSON object" },
		{ "{\"id\": \"a\"}", "a", "must have one of the keys" },
		{ "{\"id\": \"a\", \"ping\": true, \"cancel\": true}", "a",
		  "must have one of the keys" },
		{ "{\"id\": \"a\", \"id\": \"b\", \"ping\": true}", "", "duplicate" },
		{ "{\"ping\": true}", "", "no id" },
		{ "{\"id\": \"a b\", \"ping\": true}", "", "id: must be" },
		{ "{\"id\": \"\", \"ping\": true}", "", "id: must be" },
		{ "{\"id\": 1, \"ping\": true}", "", "id: must be" },
		{ "{\"id\": \"a\", \"ping\": false}", "a", "only true" },
		{ "{\"id\": \"a\", \"ping\": true, \"stdin\": \"\"}", "a",
		  "no key 'stdin' in this" },
		{ "{\"id\": \"a\", \"end\": true}", "a", "no key 'id' in this" },
		{ "{\"id\": \"a\", \"args\": [\"pods\"], \"file\": {}}", "a", "no key 'file'" },
		{ "{\"id\": \"a\", \"args\": []}", "a", "args: must be" },
		{ "{\"id\": \"a\", \"args\": \"pods\"}", "a", "args: must be" },
		{ "{\"id\": \"a\", \"args\": [\"pods\", 1]}", "a", "args: must be" },
		{ "{\"id\": \"a\", \"args\": [\"pods\"], \"files\": []}", "a", "files: must be" },
		{ "{\"id\": \"a\", \"args\": [\"pods\"], \"files\": {\"../x\": \"\"}}", "a",
		  "files: a name" },
		{ "{\"id\": \"a\", \"args\": [\"pods\"], \"files\": {\".x\": \"\"}}", "a",
		  "files: a name" },
		{ "{\"id\": \"a\", \"args\": [\"pods\"], \"files\": {\"x\": 1}}", "a",
		  "files: must be" },
		{ "{\"id\": \"a\", \"args\": [\"pods\"], \"files\": {\"x\": {\"base64\": \"A\"}}}",
		  "a", "Base64" },
		{ "{\"id\": \"a\", \"args\": [\"pods\"], \"outputs\": [\"x\", \"x\"]}", "a",
		  "twice" },
		{ "{\"id\": \"a\", \"args\": [\"pods\"], \"outputs\": [1]}", "a",
		  "outputs: a name" },
		{ "{\"id\": \"a\", \"args\": [\"pods\"], \"stdin\": null}", "a", "stdin: must be" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		refused(cases[i].line, cases[i].id, cases[i].why);
}

static void test_base64(void **state)
{
	static const struct {
		const char *text, *bytes;
	} pairs[] = { { "", "" },	 { "Zg==", "f" },	 { "Zm8=", "fo" },
		      { "Zm9v", "foo" }, { "Zm9vYg==", "foob" }, { "+/+/", "\xfb\xff\xbf" } };
	static const char *const wrong[] = { "Zg=",  "Zh==", "Z===", "Zg==Zg==",
					     "Zm9=", "Z g=", "====" };

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		const char *bytes = pairs[i].bytes;

		out.len = 0;
		fg_agent_base64_put(&out, bytes, strlen(bytes));
		assert_int_equal(out.len, strlen(pairs[i].text));
		assert_true(!out.len || !memcmp(out.data, pairs[i].text, out.len));
		out.len = 0;
		assert_int_equal(fg_agent_base64_read(pairs[i].text, strlen(pairs[i].text), &out),
				 0);
		assert_int_equal(out.len, strlen(bytes));
		assert_true(!out.len || !memcmp(out.data, bytes, out.len));
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(fg_agent_base64_read(wrong[i], strlen(wrong[i]), &out), -1);
}

/* --- the words of a process --- */

static const struct fg_agent_verb verbs[] = { { "run", true, true },
					      { "exec", false, true },
					      { "check", true, false } };

static void becomes(const char *host_root, const char *line, const char *want)
{
	const struct fg_agent_options options = { .verbs = verbs,
						  .verb_count = COUNT(verbs),
						  .host_root = host_root };
	const struct fg_agent_verb *verb;
	char text[400] = "", **argv;

	read_it(line);
	for (size_t i = 0; i < request.file_count; i++)
		snprintf(request.files[i].path, sizeof(request.files[i].path), "/%zu", i);
	verb = fg_agent_command_verb(&options, &request, NULL);
	assert_non_null(verb);
	argv = fg_agent_command(&options, verb, &request);
	for (char **word = argv; *word; word++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			 text[0] ? " " : "", *word);
	fg_agent_command_free(argv);
	assert_string_equal(text, want);
}

static void test_command(void **state)
{
	(void)state;
	becomes(NULL, "{\"id\":\"a\",\"args\":[\"check\"]}", "flowgen check --output=json");
	becomes("/host", "{\"id\":\"a\",\"args\":[\"check\",\"--output\",\"text\"]}",
		"flowgen check --output text");
	becomes("/host", "{\"id\":\"a\",\"args\":[\"check\",\"-o\",\"text\"]}",
		"flowgen check -o text");
	becomes("/host", "{\"id\":\"a\",\"args\":[\"check\",\"-qvotext\"]}",
		"flowgen check -qvotext");
	becomes("/host", "{\"id\":\"a\",\"args\":[\"check\",\"-c\",\"o\",\"-\"]}",
		"flowgen check --output=json -c o -");
	becomes("/host", "{\"id\":\"a\",\"args\":[\"run\",\"f\",\"--out=tap\"]}",
		"flowgen run --host-root /host f --out=tap");
	becomes("/host", "{\"id\":\"a\",\"args\":[\"run\",\"f\",\"--record\",\"--host-root=/\"]}",
		"flowgen run f --record --host-root=/");
	becomes("",
		"{\"id\":\"a\",\"args\":[\"exec\",\"--pod\",\"p\",\"--\",\"cat\",\"@x\"],"
		"\"files\":{\"x\":\"\"}}",
		"flowgen exec --pod p -- cat @x");
	/* What is behind -- belongs to the command. */
	becomes("/host", "{\"id\":\"a\",\"args\":[\"exec\",\"--\",\"--host-root\"]}",
		"flowgen exec --host-root /host -- --host-root");
	becomes("",
		"{\"id\":\"a\",\"args\":[\"run\",\"@x\",\"--set\",\"@@y\",\"--json=@y\",\"a@x\",\"@z\","
		"\"--report\",\"x\"],\"files\":{\"x\":\"\"},\"outputs\":[\"y\"]}",
		"flowgen run --output=json /0 --set @/1 --json=/1 a@x @z --report x");
}

static void test_verbs(void **state)
{
	const struct fg_agent_options options = { .verbs = verbs, .verb_count = COUNT(verbs) };
	struct fg_error err = {};

	(void)state;
	read_it("{\"id\":\"a\",\"args\":[\"demo\"]}");
	assert_null(fg_agent_command_verb(&options, &request, &err));
	assert_int_equal(err.kind, FG_ERR_USAGE);
	assert_string_equal(err.hint, "it has run, exec, check");
}

/* --- what a process writes --- */

static void feed(struct fg_agent_stream *s, const char *bytes, size_t len, bool at_end)
{
	fg_buffer_put(&s->waiting, bytes, len);
	fg_agent_stream_answer(s, &request, at_end, &out);
}

static void says(const char *want)
{
	fg_buffer_put(&out, "", 1);
	assert_false(out.failed);
	assert_string_equal(out.data, want);
	out.len = 0;
}

static void test_output(void **state)
{
	struct fg_agent_stream s = { .kind = FG_AGENT_STDOUT };

	(void)state;
	read_it("{\"id\":\"a\",\"args\":[\"run\"]}");
	feed(&s, "{\"b\": 1.50, \"a\"", 15, false);
	says("");
	feed(&s, ": [1]}\n\nplain \"x\"\n{1}\nrest", 26, false);
	says("{\"id\":\"a\",\"result\":{\"b\": 1.50, \"a\": [1]}}\n{\"id\":\"a\",\"text\":\"\"}\n"
	     "{\"id\":\"a\",\"text\":\"plain \\\"x\\\"\"}\n{\"id\":\"a\",\"text\":\"{1}\"}\n");
	feed(&s, "\xff", 1, true);
	says("{\"id\":\"a\",\"base64\":\"cmVzdP8=\"}\n");
	feed(&s, "a\0b\n", 4, true);
	says("{\"id\":\"a\",\"base64\":\"YQBi\"}\n");
	fg_buffer_free(&s.waiting);
}

static void test_messages(void **state)
{
	struct fg_agent_stream s = { .kind = FG_AGENT_STDERR };

	(void)state;
	read_it("{\"id\":\"a\",\"args\":[\"run\"],\"files\":{\"f.yaml\":\"\"}}");
	snprintf(request.files[0].path, sizeof(request.files[0].path), "/proc/self/fd/7");
	feed(&s, "flowgen: /proc/self/fd/7:1:2: /proc/self/fd/77 /proc/self/fd/7\n{}\n\xc3\0\n", 70,
	     false);
	says("{\"id\":\"a\",\"message\":\"flowgen: f.yaml:1:2: /proc/self/fd/77 f.yaml\"}\n"
	     "{\"id\":\"a\",\"message\":\"{}\"}\n{\"id\":\"a\",\"message\":\"??\"}\n");
	fg_buffer_free(&s.waiting);
}

/* Of a line that is too long all bytes come back, in parts that are whole characters. */
static void test_long_line(void **state)
{
	struct fg_agent_stream s = { .kind = FG_AGENT_STDOUT };
	size_t len = FG_AGENT_PIECE_BYTES + 10;
	char *line = malloc(len + 1), *second, *first;

	(void)state;
	read_it("{\"id\":\"a\",\"args\":[\"run\"]}");
	memset(line, 'x', len);
	for (size_t i = 0; i < 3; i++)
		line[FG_AGENT_PIECE_BYTES - 1 + i] = "\xe2\x82\xac"[i];
	line[len - 1] = '\n';
	feed(&s, line, len, false);
	fg_buffer_put(&out, "", 1);
	first = out.data;
	second = strchr(first, '\n') + 1;
	assert_int_equal(second - first, strlen("{\"id\":\"a\",\"text\":\"\",\"more\":true}\n") +
						 FG_AGENT_PIECE_BYTES - 1);
	assert_non_null(strstr(first, "x\",\"more\":true}\n"));
	assert_string_equal(second, "{\"id\":\"a\",\"text\":\"\xe2\x82\xacxxxxxxx\"}\n");
	free(line);
	fg_buffer_free(&s.waiting);
}

/* The longest object is handed on whole, and one with a byte more in parts. */
static void test_object_lengths(void **state)
{
	size_t len = FG_AGENT_RESULT_BYTES;
	char *line = malloc(len + 2);

	(void)state;
	read_it("{\"id\":\"a\",\"args\":[\"run\"]}");
	for (int more = 0; more < 2; more++) {
		struct fg_agent_stream s = { .kind = FG_AGENT_STDOUT };

		memset(line, ' ', len + 2);
		line[0] = '{';
		line[len - 1 + (size_t)more] = '}';
		out.len = 0;
		feed(&s, line, len / 2, false);
		assert_int_equal(out.len, 0);
		feed(&s, line + len / 2, len + (size_t)more - len / 2, false);
		feed(&s, "\n", 1, false);
		assert_int_equal(s.waiting.len, 0);
		assert_false(s.inside);
		assert_int_equal(memmem(out.data, 30, "\"result\":{", 10) != NULL, !more);
		assert_int_equal(memmem(out.data, out.len,
					",\"more\":true}\n{\"id\":\"a\",\"text\"", 30) != NULL,
				 more);
		fg_buffer_free(&s.waiting);
	}
	free(line);
}

static void test_files(void **state)
{
	struct fg_agent_stream s = { .kind = FG_AGENT_OUTPUT, .file = "o" };

	(void)state;
	read_it("{\"id\":\"a\",\"args\":[\"run\"],\"outputs\":[\"o\"]}");
	feed(&s, "a\n\xe2\x82", 4, false);
	says("{\"id\":\"a\",\"file\":\"o\",\"text\":\"a\\n\"}\n");
	feed(&s, "\xac", 1, false);
	says("{\"id\":\"a\",\"file\":\"o\",\"text\":\"\xe2\x82\xac\"}\n");
	feed(&s, "\xe2", 1, true);
	says("{\"id\":\"a\",\"file\":\"o\",\"base64\":\"4g==\"}\n");
	fg_buffer_free(&s.waiting);
}

static void test_ends(void **state)
{
	static const enum fg_error_kind kinds[] = { FG_ERR_USAGE, FG_ERR_UNSUPPORTED,
						    FG_ERR_INCONCLUSIVE, FG_ERR_INTERNAL };
	struct fg_error err = { .message = "what", .hint = "do" };

	(void)state;
	fg_agent_answer_done(&out, "a", 3 << 8, false);
	fg_agent_answer_done(&out, "a", SIGKILL, true);
	fg_agent_answer_done(&out, "a", -1, true);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		err.kind = kinds[i];
		fg_agent_answer_error(&out, i ? "a" : "", &err, 7);
	}
	says("{\"id\":\"a\",\"done\":{\"status\":3,\"signal\":null,\"cancelled\":false}}\n"
	     "{\"id\":\"a\",\"done\":{\"status\":null,\"signal\":\"SIGKILL\",\"cancelled\":true}}\n"
	     "{\"id\":\"a\",\"done\":{\"status\":null,\"signal\":null,\"cancelled\":true}}\n"
	     "{\"id\":null,\"error\":\"what (do)\",\"line\":7,\"status\":2}\n"
	     "{\"id\":\"a\",\"error\":\"what (do)\",\"line\":7,\"status\":3}\n"
	     "{\"id\":\"a\",\"error\":\"what (do)\",\"line\":7,\"status\":4}\n"
	     "{\"id\":\"a\",\"error\":\"what (do)\",\"line\":7,\"status\":5}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_kinds, clean),
		cmocka_unit_test_teardown(test_request, clean),
		cmocka_unit_test_teardown(test_refused, clean),
		cmocka_unit_test_teardown(test_base64, clean),
		cmocka_unit_test_teardown(test_command, clean),
		cmocka_unit_test_teardown(test_verbs, clean),
		cmocka_unit_test_teardown(test_output, clean),
		cmocka_unit_test_teardown(test_messages, clean),
		cmocka_unit_test_teardown(test_long_line, clean),
		cmocka_unit_test_teardown(test_object_lengths, clean),
		cmocka_unit_test_teardown(test_files, clean),
		cmocka_unit_test_teardown(test_ends, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
