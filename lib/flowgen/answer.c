// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/grow.h"
#include "flowgen/internal.h"

/* Of the agent's first line. It changes if a client would have to. */
#define PROTOCOL 1

static int no_memory(struct fg_error *err)
{
	return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "an answer");
}

/* Takes over the text; NULL stands for memory that was short. */
static int append(char ***list, size_t *count, char *text, struct fg_error *err)
{
	char **at;

	if (!text)
		return no_memory(err);
	at = FG_APPEND(*list, *count, "an answer", err);
	if (!at) {
		free(text);
		return -1;
	}
	*at = text;
	return 0;
}

static int add_object(struct fg_flowgen_exchange *x, char *text, struct fg_error *err)
{
	return append(&x->answer->objects, &x->answer->object_count, text, err);
}

/* A line as flowgen prints it, without its name. */
static const char *without_name(const char *text)
{
	return strncmp(text, "flowgen: ", strlen("flowgen: ")) ? text : text + strlen("flowgen: ");
}

static void note_error(struct fg_flowgen_exchange *x, const char *text)
{
	snprintf(x->error, sizeof(x->error), "%s", without_name(text));
}

/* --- the kinds of lines --- */

static int take_agent(struct fg_flowgen_exchange *x, const json_t *agent, struct fg_error *err)
{
	json_int_t protocol = json_integer_value(json_object_get(agent, "protocol"));

	if (protocol != PROTOCOL)
		return fg_fail(err, FG_ERR_INTERNAL,
			       "the agent speaks version %lld of the protocol, this library %d",
			       (long long)protocol, PROTOCOL);
	x->over = true;
	return 0;
}

static int take_message(struct fg_flowgen_exchange *x, const char *text, struct fg_error *err)
{
	const char *said = without_name(text);

	/* The last one is why it failed, if it did. */
	if (strncmp(said, "warning: ", strlen("warning: ")) != 0 &&
	    strncmp(said, "note: ", strlen("note: ")) != 0)
		note_error(x, said);
	return append(&x->answer->messages, &x->answer->message_count, strdup(said), err);
}

/* It says of what kind the error is, unless it is an agent from before it did. */
static void take_error(struct fg_flowgen_exchange *x, const char *text, const json_t *status)
{
	note_error(x, text);
	x->status = json_is_integer(status) ? (int)json_integer_value(status) : FLOWGEN_USAGE;
	x->over = true;
}

/* Why an object has no answer: its probe was not sent, or is inconclusive. */
static const char *why_not(const json_t *object)
{
	const json_t *scenario = json_object_get(object, "scenario");
	const char *why = json_string_value(json_object_get(scenario, "why"));
	const char *outcome = json_string_value(json_object_get(object, "outcome"));

	if (why || !outcome || strcmp(outcome, "inconclusive") != 0)
		return why;
	return json_string_value(json_object_get(object, "reason"));
}

static void find_error(struct fg_flowgen_exchange *x)
{
	for (size_t i = 0; i < x->answer->object_count && !x->error[0]; i++) {
		json_t *object = json_loads(x->answer->objects[i], 0, NULL);
		const char *why = why_not(object);

		if (why)
			note_error(x, why);
		json_decref(object);
	}
}

static void take_done(struct fg_flowgen_exchange *x, const json_t *done)
{
	const json_t *status = json_object_get(done, "status");
	const char *signal = json_string_value(json_object_get(done, "signal"));

	x->over = true;
	x->status = json_is_integer(status) ? (int)json_integer_value(status) : FLOWGEN_INTERNAL;
	/* What was cancelled before it began, or had to be killed. */
	if (json_is_true(json_object_get(done, "cancelled")) && !json_is_integer(status))
		x->status = FLOWGEN_INCONCLUSIVE;
	if (x->status == FLOWGEN_OK || x->status == FLOWGEN_UNEXPECTED)
		x->error[0] = '\0';
	else if (signal)
		snprintf(x->error, sizeof(x->error), "%s ended flowgen", signal);
	else if (!x->error[0] && json_is_true(json_object_get(done, "cancelled")))
		snprintf(x->error, sizeof(x->error), "cancelled");
	else if (!x->error[0])
		find_error(x);
}

/* Output that is not JSON: as the agent has it. */
static int take_other(struct fg_flowgen_exchange *x, json_t *line, struct fg_error *err)
{
	struct fg_buffer text = {};

	json_object_del(line, "id");
	if (!fg_flowgen_request_dump(&text, line))
		fg_buffer_put(&text, "", 1);
	if (text.failed || !text.len) {
		fg_buffer_free(&text);
		return no_memory(err);
	}
	return add_object(x, text.data, err);
}

static int take_parsed(struct fg_flowgen_exchange *x, json_t *line, struct fg_error *err)
{
	const json_t *value;
	const char *id = json_string_value(json_object_get(line, "id"));

	if ((value = json_object_get(line, "agent")) && !x->id[0])
		return take_agent(x, value, err);
	if (!x->id[0])
		return fg_fail(err, FG_ERR_INTERNAL, "it does not begin as an agent does");
	/* The one that was asked before, and was given up. */
	if (id && strcmp(id, x->id) != 0)
		return 0;
	if ((value = json_object_get(line, "error")))
		take_error(x, json_string_value(value) ?: "", json_object_get(line, "status"));
	else if ((value = json_object_get(line, "done")))
		take_done(x, value);
	else if (json_object_get(line, "pong"))
		x->until = 0;
	else if ((value = json_object_get(line, "message")))
		return take_message(x, json_string_value(value) ?: "", err);
	else
		return take_other(x, line, err);
	return 0;
}

/*
 * A result, of which there may be many, and which is handed on as it is: the order of its keys and
 * the digits of its numbers are flowgen's. Returns it within the line, or NULL.
 */
static char *result_in(const struct fg_flowgen_exchange *x, char *line, size_t len)
{
	char head[sizeof(x->id) + 24];
	size_t n = (size_t)snprintf(head, sizeof(head), "{\"id\":\"%s\",\"result\":", x->id);

	if (!x->id[0] || len < n + strlen("{}}") || memcmp(line, head, n) != 0 ||
	    line[len - 1] != '}')
		return NULL;
	line[len - 1] = '\0';
	return line + n;
}

int fg_flowgen_answer_take(struct fg_flowgen_exchange *exchange, char *line, size_t len,
			   struct fg_error *err)
{
	const char *result = result_in(exchange, line, len);
	json_error_t why;
	json_t *parsed;
	int ret;

	if (result)
		return add_object(exchange, strdup(result), err);
	parsed = json_loadb(line, len, 0, &why);
	ret = json_is_object(parsed)
		      ? take_parsed(exchange, parsed, err)
		      : fg_fail(err, FG_ERR_INTERNAL, "it does not speak as an agent does");
	json_decref(parsed);
	return ret;
}

/* --- the caller's --- */

size_t flowgen_answer_count(const struct flowgen_answer *answer)
{
	return answer ? answer->object_count : 0;
}

const char *flowgen_answer_object(const struct flowgen_answer *answer, size_t index)
{
	return index < flowgen_answer_count(answer) ? answer->objects[index] : NULL;
}

size_t flowgen_answer_message_count(const struct flowgen_answer *answer)
{
	return answer ? answer->message_count : 0;
}

const char *flowgen_answer_message(const struct flowgen_answer *answer, size_t index)
{
	return index < flowgen_answer_message_count(answer) ? answer->messages[index] : NULL;
}

void flowgen_answer_free(struct flowgen_answer *answer)
{
	if (!answer)
		return;
	for (size_t i = 0; i < answer->object_count; i++)
		free(answer->objects[i]);
	for (size_t i = 0; i < answer->message_count; i++)
		free(answer->messages[i]);
	free(answer->objects);
	free(answer->messages);
	free(answer);
}
