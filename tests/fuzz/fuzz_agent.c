// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as a line that an agent reads, and as what a request writes: what is taken becomes the
 * words of a process, and every answer is one line of JSON.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/internal.h"
#include "base/count.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fg_agent_verb verbs[] = { { "inject", true, true }, { "check", true, false } };
static const struct fg_agent_options options = { .verbs = verbs,
						 .verb_count = COUNT(verbs),
						 .host_root = "/host" };

static void check_answers(const struct fg_buffer *out)
{
	const char *from = out->data, *end = out->len ? from + out->len : from, *newline;
	json_error_t why;

	if (out->failed)
		abort();
	for (; from < end; from = newline + 1) {
		json_t *value;

		newline = memchr(from, '\n', (size_t)(end - from));
		value = newline ? json_loadb(from, (size_t)(newline - from), 0, &why) : NULL;
		if (!json_is_object(value) || !json_object_get(value, "id"))
			abort();
		json_decref(value);
	}
}

static void write_as(enum fg_agent_stream_kind kind, const struct fg_agent_request *request,
		     const uint8_t *data, size_t size)
{
	struct fg_agent_stream stream = { .kind = kind, .file = "f" };
	struct fg_buffer out = {};
	size_t half = size ? data[0] % size : 0;

	fg_buffer_put(&stream.waiting, data, half);
	fg_agent_stream_answer(&stream, request, false, &out);
	fg_buffer_put(&stream.waiting, data + half, size - half);
	fg_agent_stream_answer(&stream, request, true, &out);
	if (stream.waiting.len || stream.inside)
		abort();
	check_answers(&out);
	fg_buffer_free(&stream.waiting);
	fg_buffer_free(&out);
}

static void run(struct fg_agent_request *request)
{
	const struct fg_agent_verb *verb = fg_agent_command_verb(&options, request, NULL);
	char **argv;

	for (size_t i = 0; i < request->file_count; i++)
		snprintf(request->files[i].path, sizeof(request->files[i].path),
			 "/proc/self/fd/%zu", i);
	argv = verb ? fg_agent_command(&options, verb, request) : NULL;
	if (verb && (!argv || strcmp(argv[1], verb->name) != 0))
		abort();
	fg_agent_command_free(argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_agent_request request;
	struct fg_error err = {};
	struct fg_buffer out = {};

	if (fg_agent_request_read((const char *)data, size, &request, &err)) {
		if (err.kind != FG_ERR_USAGE)
			abort();
		fg_agent_answer_error(&out, request.id, &err, 1);
		check_answers(&out);
		fg_buffer_free(&out);
	} else if (request.kind == FG_AGENT_RUN) {
		run(&request);
	}
	write_as(FG_AGENT_STDOUT, &request, data, size);
	write_as(FG_AGENT_STDERR, &request, data, size);
	write_as(FG_AGENT_OUTPUT, &request, data, size);
	fg_agent_request_free(&request);
	return 0;
}
