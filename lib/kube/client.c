// SPDX-License-Identifier: GPL-2.0-only
/* client.c - requests and answers of all agents, in one loop. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/grow.h"
#include "base/json.h"
#include "base/parse.h"
#include "cluster/failure.h"
#include "kube/internal.h"

#define WHAT "requests"
#define SECOND 1000000000ULL
#define SILENCE_NS (10 * SECOND)
#define PING_NS (2 * SECOND)
#define STOP_NS (10 * SECOND)
/* The agent says how long a line of ours may be; a result is some ten kilobytes. */
#define LINE_MAX_BYTES (64U << 20)
/* How long a packet may take to the node that awaits it, after its sender has seen it leave. */
#define ARRIVAL_NS SECOND
/* What flowgen inject --await says once it waits. */
#define READY "flowgen: awaiting"

struct fg_request *fg_client_add(struct fg_client *client, size_t agent, const char *const *words,
				 struct fg_error *err)
{
	struct fg_request *r = FG_APPEND(client->requests, client->count, WHAT, err);
	json_t *args = json_array();

	for (; r && *words; words++)
		json_array_append_new(args, json_string(*words));
	if (!r) {
		json_decref(args);
		return NULL;
	}
	r->agent = agent;
	r->body = json_pack("{s:o}", "args", args);
	if (r->body)
		return r;
	client->count--;
	fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	return NULL;
}

void fg_client_free(struct fg_client *client)
{
	for (size_t i = 0; i < client->count; i++)
		json_decref(client->requests[i].body);
	free(client->requests);
	client->requests = NULL;
	client->count = 0;
}

/* --- what is said to agents --- */

static int say_text(struct fg_agent *a, const char *text, struct fg_error *err)
{
	fg_buffer_printf(&a->call.input, "%s\n", text);
	if (a->call.input.failed)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	if (!a->asked)
		a->asked = fg_clock_now();
	return 0;
}

static int say(struct fg_agent *a, const json_t *line, struct fg_error *err)
{
	FG_FREE char *text = json_dumps(line, JSON_COMPACT);

	return text ? say_text(a, text, err) : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
}

static int say_flag(struct fg_agent *a, const char *id, const char *key, struct fg_error *err)
{
	json_t *line = json_pack("{s:s, s:b}", "id", id, key, 1);
	int ret = say(a, line, err);

	json_decref(line);
	return ret;
}

static void end_request(struct fg_client *c, struct fg_request *r, enum fg_request_state state)
{
	if (r->state == FG_REQUEST_SENT || r->prepared) {
		c->agents->list[r->agent].running--;
		c->running--;
	}
	r->prepared = false;
	c->settled += r->state < FG_REQUEST_DONE;
	r->state = state;
}

static void lose_request(struct fg_client *c, struct fg_request *r, const struct fg_error *why)
{
	r->why = *why;
	end_request(c, r, FG_REQUEST_LOST);
}

/* The agent would leave out a longer line, and not say which request it was. */
static bool is_too_long(struct fg_client *c, struct fg_request *r, size_t len)
{
	const struct fg_agent *a = &c->agents->list[r->agent];
	struct fg_error why;

	if (!a->line_bytes || len <= a->line_bytes)
		return false;
	fg_fail(&why, FG_ERR_USAGE, "node %s: a request of %zu bytes; its agent reads %zu at most",
		a->node, len, a->line_bytes);
	fg_hint(&why, "split the file");
	lose_request(c, r, &why);
	return true;
}

static int send_request(struct fg_client *c, size_t index, struct fg_error *err)
{
	struct fg_request *r = &c->requests[index];
	struct fg_agent *a = &c->agents->list[r->agent];
	FG_FREE char *text = NULL;
	char id[24];

	snprintf(id, sizeof(id), "r%zu", index);
	json_object_set_new(r->body, "id", json_string(id));
	text = json_dumps(r->body, JSON_COMPACT);
	if (!text)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	if (is_too_long(c, r, strlen(text)))
		return 0;
	if (say_text(a, text, err))
		return -1;
	r->state = FG_REQUEST_SENT;
	r->sent = fg_clock_now();
	a->running++;
	c->running++;
	return 0;
}

/* --- requests that are awaited on other nodes --- */

static bool is_over(const struct fg_request *r)
{
	return r->state >= FG_REQUEST_DONE;
}

static struct fg_agent *agent_of(struct fg_client *c, size_t index)
{
	return &c->agents->list[c->requests[index].agent];
}

/* How many of the group, up to this one, its agent does. */
static unsigned int wanted(const struct fg_client *c, size_t first, size_t index)
{
	unsigned int n = 0;

	for (size_t i = first; i <= index; i++)
		n += c->requests[i].agent == c->requests[index].agent && !is_over(&c->requests[i]);
	return n;
}

/*
 * Whether there is a place for all of them: what waits for a place while others wait for it would
 * wait for ever. An agent that has fewer places than that does only as many as it has.
 */
static bool has_places(struct fg_client *c, size_t first)
{
	const size_t end = first + c->requests[first].partners + 1;
	struct fg_error why;

	for (size_t i = first; i < end; i++) {
		struct fg_agent *a = agent_of(c, i);

		if (a->failed && i > first)
			lose_request(c, &c->requests[i], &a->why);
		if (a->failed)
			continue;
		if (a->connected && i > first && wanted(c, first, i) > a->parallel) {
			fg_fail(&why, FG_ERR_UNSUPPORTED,
				"its agent does too few requests at a time");
			lose_request(c, &c->requests[i], &why);
		} else if (!a->connected || a->running + wanted(c, first, i) > a->parallel) {
			return false;
		}
	}
	return !c->running || c->running + (end - first) <= c->parallel;
}

static int prepare(struct fg_client *c, size_t index, struct fg_error *err)
{
	struct fg_request *r = &c->requests[index];

	if (!has_places(c, index))
		return 0;
	for (size_t i = index + 1; i <= index + r->partners; i++)
		if (!is_over(&c->requests[i]) && send_request(c, i, err))
			return -1;
	if (r->may_hold && agent_of(c, index)->goes) {
		r->held = true;
		json_array_append_new(json_object_get(r->body, "args"), json_string("--hold"));
		return send_request(c, index, err);
	}
	r->prepared = true;
	agent_of(c, index)->running++;
	c->running++;
	return 0;
}

static bool is_awaited(const struct fg_client *c, size_t index)
{
	for (size_t i = index + 1; i <= index + c->requests[index].partners; i++)
		if (!c->requests[i].ready && !is_over(&c->requests[i]))
			return false;
	return true;
}

static int send_awaited(struct fg_client *c, size_t index, struct fg_error *err)
{
	struct fg_request *r = &c->requests[index];

	if (!r->prepared)
		return prepare(c, index, err);
	if (!is_awaited(c, index))
		return 0;
	r->prepared = false;
	agent_of(c, index)->running--;
	c->running--;
	return send_request(c, index, err);
}

/* It has got ready beside those that await its packets. */
static int let_go(struct fg_client *c, size_t index, struct fg_error *err)
{
	struct fg_request *r = &c->requests[index];
	char id[24];

	if (!r->ready || !is_awaited(c, index))
		return 0;
	r->held = false;
	snprintf(id, sizeof(id), "r%zu", index);
	return say_flag(agent_of(c, index), id, "go", err);
}

/* The sender's half is there, or will not come: those that wait for its packets have a second. */
static int end_partners(struct fg_client *c, size_t index, struct fg_error *err)
{
	uint64_t now = fg_clock_now();
	char id[24];

	for (size_t i = index + 1; i <= index + c->requests[index].partners; i++) {
		struct fg_request *p = &c->requests[i];
		struct fg_error why;

		if (p->state == FG_REQUEST_WAITING) {
			fg_fail(&why, FG_ERR_INCONCLUSIVE, "not asked");
			lose_request(c, p, &why);
		}
		if (p->state != FG_REQUEST_SENT || p->cancel_at == UINT64_MAX)
			continue;
		if (!p->cancel_at)
			p->cancel_at = now + (c->ending ? ARRIVAL_NS / 5 : ARRIVAL_NS);
		if (now < p->cancel_at)
			continue;
		p->cancel_at = UINT64_MAX;
		snprintf(id, sizeof(id), "r%zu", i);
		if (say_flag(agent_of(c, i), id, "cancel", err))
			return -1;
	}
	return 0;
}

void fg_client_give_up(struct fg_client *client, size_t request)
{
	for (size_t i = request + 1; i <= request + client->requests[request].partners; i++)
		if (!client->requests[i].cancel_at)
			client->requests[i].cancel_at = 1;
}

void fg_client_settle(struct fg_client *client, size_t request)
{
	const size_t end = request + 1 + client->requests[request].partners;

	/* Those that still wait are ended with the connection, or by the agent. */
	for (size_t i = request; i < end; i++) {
		struct fg_request *r = &client->requests[i];
		char id[24];

		if (r->state != FG_REQUEST_SENT)
			continue;
		snprintf(id, sizeof(id), "r%zu", i);
		if (r->partner)
			(void)say_flag(agent_of(client, i), id, "cancel", NULL);
		end_request(client, r, FG_REQUEST_DONE);
	}
}

static int send_one(struct fg_client *c, size_t index, struct fg_error *err)
{
	struct fg_request *r = &c->requests[index];
	const struct fg_agent *a = agent_of(c, index);

	if (r->partners && is_over(r))
		return end_partners(c, index, err);
	if (r->held && r->state == FG_REQUEST_SENT)
		return let_go(c, index, err);
	if (r->state != FG_REQUEST_WAITING || r->partner)
		return 0;
	if (a->failed)
		lose_request(c, r, &a->why);
	else if (r->partners)
		return send_awaited(c, index, err);
	else if (c->running < c->parallel && a->connected && a->running < a->parallel)
		return send_request(c, index, err);
	return 0;
}

static int send_waiting(struct fg_client *c, struct fg_error *err)
{
	while (c->next < c->count && is_over(&c->requests[c->next]))
		c->next++;
	/* Behind one that is over, those that awaited it may still be there. */
	while (c->next > 0 && c->requests[c->next - 1].partner)
		c->next--;
	for (size_t i = c->next > 0 ? c->next - 1 : 0; i < c->count; i++)
		if (send_one(c, i, err))
			return -1;
	return 0;
}

/* --- what they say --- */

static void fail_agent(struct fg_client *c, size_t index)
{
	struct fg_agent *a = &c->agents->list[index];

	a->failed = true;
	fg_kubectl_close(&a->call);
	for (size_t i = 0; i < c->count; i++)
		if (c->requests[i].agent == index && c->requests[i].state < FG_REQUEST_DONE)
			lose_request(c, &c->requests[i], &a->why);
}

static int take_done(struct fg_client *c, struct fg_request *r, const json_t *done)
{
	const json_t *status = json_object_get(done, "status");
	const char *signal = json_string_value(json_object_get(done, "signal"));
	struct fg_error why;

	if (json_is_integer(status)) {
		r->status = (int)json_integer_value(status);
		end_request(c, r, FG_REQUEST_DONE);
		return 0;
	}
	fg_fail(&why, FG_ERR_INCONCLUSIVE, "node %s: the request was ended%s%.20s",
		c->agents->list[r->agent].node, signal ? " by " : "", signal ? signal : "");
	lose_request(c, r, &why);
	return 0;
}

static struct fg_request *request_of(struct fg_client *c, size_t agent, const json_t *line,
				     size_t *index)
{
	const char *id = json_string_value(json_object_get(line, "id"));
	uint64_t number;

	if (!id || id[0] != 'r' || fg_parse_u64("", id + 1, 0, SIZE_MAX, &number, NULL) ||
	    number >= c->count)
		return NULL;
	*index = (size_t)number;
	if (c->requests[number].agent != agent || c->requests[number].state != FG_REQUEST_SENT)
		return NULL;
	return &c->requests[number];
}

static void take_hello(struct fg_agent *a, const json_t *hello)
{
	json_int_t parallel = json_integer_value(json_object_get(hello, "parallel"));
	json_int_t protocol = json_integer_value(json_object_get(hello, "protocol"));
	json_int_t bytes = json_integer_value(json_object_get(hello, "line_bytes"));

	if (protocol != 1) {
		fg_fail(&a->why, FG_ERR_UNSUPPORTED,
			"node %s: its agent speaks version %d of the protocol, and not 1", a->node,
			(int)protocol);
		fg_hint(&a->why, "--image of this version of flowgen");
		a->failed = true;
		return;
	}
	a->connected = true;
	a->goes = json_is_true(json_object_get(hello, "go"));
	a->line_bytes = bytes > 0 ? (size_t)bytes : 0;
	a->parallel = parallel > 0 && parallel < 1024 ? (unsigned int)parallel : 1;
}

static bool is_ready(const json_t *line)
{
	const char *message = json_string_value(json_object_get(line, "message"));

	return message && !strcmp(message, READY);
}

static int take_line(struct fg_client *c, size_t agent, const char *text, size_t len,
		     struct fg_error *err)
{
	struct fg_agent *a = &c->agents->list[agent];
	json_error_t bad;
	json_t *line = json_loadb(text, len, 0, &bad);
	const json_t *hello = json_object_get(line, "agent");
	const json_t *done = json_object_get(line, "done"), *error = json_object_get(line, "error");
	struct fg_request *r;
	struct fg_error why;
	size_t index = 0;
	int ret = 0;

	if (!line) {
		fg_fail(&a->why, FG_ERR_INTERNAL, "node %s: its agent wrote no JSON: %.100s",
			a->node, bad.text);
		a->failed = true;
		return 0;
	}
	if (hello)
		take_hello(a, hello);
	r = request_of(c, agent, line, &index);
	if (r && (r->partner || r->held) && is_ready(line))
		r->ready = true;
	else if (r && c->answer)
		ret = c->answer(c->arg, index, line, err);
	if (r && done)
		take_done(c, r, done);
	if (r && error) {
		fg_fail(&why, FG_ERR_INTERNAL, "node %s: %.300s", a->node,
			json_string_value(error) ? json_string_value(error) : "refused");
		lose_request(c, r, &why);
	} else if (error && !json_is_string(json_object_get(line, "id"))) {
		/* Which request it could not read nobody knows, and it will not be answered. */
		fg_fail(&a->why, FG_ERR_INTERNAL,
			"node %s: its agent could not read a line: %.200s", a->node,
			json_string_value(error) ? json_string_value(error) : "");
		a->failed = true;
	}
	json_decref(line);
	return ret;
}

static int take_lines(struct fg_client *c, size_t agent, struct fg_error *err)
{
	struct fg_agent *a = &c->agents->list[agent];
	struct fg_buffer *text = &a->call.output;
	size_t used = 0;
	char *end;
	int ret = 0;

	while (!ret && !a->failed && used < text->len &&
	       (end = memchr(text->data + used, '\n', text->len - used))) {
		size_t len = (size_t)(end - text->data) - used;

		ret = len ? take_line(c, agent, text->data + used, len, err) : 0;
		used += len + 1;
		a->heard = fg_clock_now();
		a->asked = 0;
	}
	fg_internal_drop(text, used);
	if (!a->failed && text->len > LINE_MAX_BYTES) {
		fg_fail(&a->why, FG_ERR_INTERNAL, "node %s: its agent wrote a line without an end",
			a->node);
		a->failed = true;
	}
	return ret;
}

/* The end of kubectl is the end of the agent: why, it may have said. */
static void take_end(const struct fg_client *c, struct fg_agent *a)
{
	char what[300];

	snprintf(what, sizeof(what), "node %s: its agent ended", a->node);
	if (a->call.said.len)
		fg_failure_read(what, a->call.said.data, a->call.said.len, &a->why);
	else
		fg_fail(&a->why, FG_ERR_INCONCLUSIVE, "%s", what);
	if (a->made && fg_agents_are_over(c->agents))
		fg_hint(&a->why, "its pod lives for %u s: --agent-deadline",
			c->agents->options.deadline_s);
	a->failed = true;
}

/*
 * A connection to a node that died stays open for minutes: only its silence tells, if it was asked
 * something. One that has nothing to do is not asked.
 */
static int watch_silence(struct fg_agent *a, struct fg_error *err)
{
	uint64_t now = fg_clock_now(), silent = 0;

	if (a->connected && !a->running)
		return 0;
	if (!a->connected)
		silent = now - a->heard;
	else if (a->asked)
		silent = now - a->asked;
	if (silent > SILENCE_NS) {
		fg_fail(&a->why, FG_ERR_INCONCLUSIVE,
			"node %s: its agent has not answered for %.0f s", a->node,
			(double)silent / 1e9);
		fg_hint(&a->why, "is the node ready, and the pod %.100s there?", a->pod);
		a->failed = true;
		return 0;
	}
	/* One question at a time: what is not read would only grow. */
	if (a->connected && !a->asked && now - a->heard > PING_NS)
		return say_flag(a, "ping", "ping", err);
	return 0;
}

/* As long as this process was stopped, or its output was not read, nobody listened. */
static void forgive_silence(struct fg_client *c, uint64_t since)
{
	uint64_t now = fg_clock_now();

	for (size_t i = 0; now - since > PING_NS && i < c->agents->count; i++) {
		struct fg_agent *a = &c->agents->list[i];

		a->asked = a->asked ? now : 0;
		a->heard = now;
	}
}

static int step_agent(struct fg_client *c, size_t index, struct fg_error *err)
{
	struct fg_agent *a = &c->agents->list[index];
	int ended;

	if (a->failed)
		return 0;
	ended = fg_kubectl_step(&a->call, err);
	if (ended < 0 || take_lines(c, index, err))
		return -1;
	if (ended && !a->failed)
		take_end(c, a);
	if (!a->failed && watch_silence(a, err))
		return -1;
	if (a->failed)
		fail_agent(c, index);
	return 0;
}

/* --- the loop --- */

static int stop(struct fg_client *c, struct fg_error *err)
{
	struct fg_error why;
	char id[24];

	c->ending = true;
	fg_fail(&why, FG_ERR_INCONCLUSIVE, c->stopped ? "interrupted" : "not needed any more");
	for (size_t i = 0; i < c->count; i++) {
		struct fg_request *r = &c->requests[i];

		snprintf(id, sizeof(id), "r%zu", i);
		if (r->state == FG_REQUEST_WAITING)
			lose_request(c, r, &why);
		/* Who awaits keeps packets from the pod: first the sender ends (end_partners()). */
		else if (r->state == FG_REQUEST_SENT && !r->partner &&
			 say_flag(&c->agents->list[r->agent], id, "cancel", err))
			return -1;
	}
	return 0;
}

static void lose_rest(struct fg_client *c)
{
	struct fg_error why;

	fg_fail(&why, FG_ERR_INCONCLUSIVE, "interrupted");
	for (size_t i = 0; i < c->count; i++)
		if (c->requests[i].state < FG_REQUEST_DONE)
			lose_request(c, &c->requests[i], &why);
}

static int wait_for_words(const struct fg_client *c, struct pollfd *fds, struct fg_error *err)
{
	size_t n = 1;

	fds[0] = (struct pollfd){ .fd = c->stopped ? -1 : c->agents->kubectl->stop,
				  .events = POLLIN };
	for (size_t i = 0; i < c->agents->count; i++)
		if (!c->agents->list[i].failed)
			n += fg_kubectl_poll(&c->agents->list[i].call, fds + n);
	if (poll(fds, n, 500) < 0 && errno != EINTR)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, WHAT);
	return 0;
}

int fg_client_run(struct fg_client *c, struct fg_error *err)
{
	FG_FREE struct pollfd *fds = calloc(3 * c->agents->count + 1, sizeof(*fds));
	uint64_t stopped = 0, turn;

	if (!fds)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	for (;;) {
		turn = fg_clock_now();
		if (send_waiting(c, err))
			return -1;
		if (stopped && fg_clock_now() - stopped > STOP_NS)
			lose_rest(c);
		if (c->settled == c->count)
			return 0;
		if (wait_for_words(c, fds, err))
			return -1;
		c->stopped |= fds[0].revents != 0;
		if ((c->stopped || c->enough) && !c->ending) {
			stopped = fg_clock_now();
			if (stop(c, err))
				return -1;
		}
		for (size_t i = 0; i < c->agents->count; i++) {
			forgive_silence(c, turn);
			if (step_agent(c, i, err))
				return -1;
		}
	}
}
