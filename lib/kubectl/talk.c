// SPDX-License-Identifier: GPL-2.0-only
/*
 * talk.c - questions to the API server over a line. An object is asked for by HTTP/1.0, whose
 * answers end with the connection. A command in a pod is a WebSocket (RFC 6455), as kubectl exec
 * has it: its messages begin with the number of a channel (v4.channel.k8s.io).
 */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/json.h"
#include "kubectl/line.h"

#define WHAT "the line to the cluster"
#define CHUNK 65536
/* A message of this many bytes is taken by every server. */
#define MESSAGE_MAX 32000
#define ANSWER_HEAD_MAX 65536

enum { CHANNEL_STDIN, CHANNEL_STDOUT, CHANNEL_STDERR, CHANNEL_STATUS };
enum { OP_MORE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
#define FRAME_LAST 0x80
#define FRAME_MASKED 0x80

struct fg_talk {
	const struct fg_kubectl *kubectl;
	int fd;
	size_t at; /* the path that is asked for */
	struct fg_buffer out, in;
	size_t written; /* of out */
	bool ended;	/* nothing more comes */
	bool open;	/* it is a WebSocket now */
	int channel;	/* of the message that is being read; -1: its first byte is to come */
};

static void close_talk(struct fg_talk *talk)
{
	fg_fd_close(&talk->fd);
	fg_buffer_free(&talk->out);
	fg_buffer_free(&talk->in);
	free(talk);
}

/* Returns 0, or -1: it cannot be asked. */
static int ask(struct fg_talk *t, const struct fg_kubectl_call *call)
{
	const char *path = call->paths[t->at];

	fg_fd_close(&t->fd);
	t->fd = fg_line_connect(t->kubectl->line, t->kubectl);
	if (t->fd < 0)
		return -1;
	t->out.len = t->in.len = t->written = 0;
	t->ended = false;
	/*
	 * The key is there for caches between, to be told from an old answer: here is none. So it
	 * is the one of RFC 6455, and what the server makes of it is not looked at.
	 */
	if (call->is_command)
		fg_buffer_printf(&t->out,
				 "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
				 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
				 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
				 "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n",
				 path);
	else
		fg_buffer_printf(&t->out,
				 "GET %s HTTP/1.0\r\nHost: localhost\r\n"
				 "Accept: application/json\r\n\r\n",
				 path);
	return t->out.failed ? -1 : 0;
}

static struct fg_talk *open_talk(const struct fg_kubectl *kubectl,
				 const struct fg_kubectl_call *call)
{
	struct fg_talk *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->kubectl = kubectl;
	t->fd = -1;
	t->channel = -1;
	if (!ask(t, call))
		return t;
	close_talk(t);
	return NULL;
}

/* --- bytes --- */

static void put(struct fg_talk *t)
{
	while (t->written < t->out.len) {
		ssize_t n = send(t->fd, t->out.data + t->written, t->out.len - t->written,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		/* Who does not read any more has said why, which is read next. */
		if (n < 0)
			return;
		t->written += (size_t)n;
	}
	t->out.len = t->written = 0;
}

static int get(struct fg_talk *t, struct fg_error *err)
{
	while (!t->ended) {
		char *at = fg_buffer_reserve(&t->in, CHUNK);
		ssize_t n = at ? read(t->fd, at, CHUNK) : 0;

		if (!at)
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		t->ended = n <= 0;
		if (n > 0)
			t->in.len += (size_t)n;
	}
	return 0;
}

static void drop(struct fg_talk *t, size_t bytes)
{
	if (bytes < t->in.len)
		memmove(t->in.data, t->in.data + bytes, t->in.len - bytes);
	t->in.len -= bytes;
}

/* The bytes of the answer before its body, with the empty line; 0: they are not whole yet. */
static size_t head_of(const struct fg_talk *t)
{
	const char *end = t->in.len ? memmem(t->in.data, t->in.len, "\r\n\r\n", 4) : NULL;

	return end ? (size_t)(end - t->in.data) + 4 : 0;
}

/* "HTTP/1.1 200 OK" */
static bool has_status(const struct fg_talk *t, const char *status)
{
	return t->in.len > 12 && !memcmp(t->in.data, "HTTP/1.", 7) &&
	       !memcmp(t->in.data + 8, status, 4);
}

/* --- objects --- */

/*
 * What was announced is there. Where nothing was, the answer ends with the connection, also with
 * one that broke: then only a reader of JSON can tell.
 */
static bool is_whole(const struct fg_talk *t, size_t head)
{
	static const char length[] = "\r\nContent-Length: ";
	const char *at = memmem(t->in.data, head, length, sizeof(length) - 1);
	json_t *read;
	bool whole;

	if (at)
		return strtoull(at + sizeof(length) - 1, NULL, 10) == t->in.len - head;
	read = json_loadb(t->in.data + head, t->in.len - head, 0, NULL);
	whole = read != NULL;
	json_decref(read);
	return whole;
}

/* The API server has no object of that name. Who does not know the path says 404 without a name. */
static bool is_absent(const struct fg_talk *t, size_t head)
{
	json_t *status;
	const char *reason, *name;
	bool absent;

	if (!has_status(t, " 404"))
		return false;
	status = json_loadb(t->in.data + head, t->in.len - head, 0, NULL);
	reason = fg_json_string(status, "reason");
	name = fg_json_string(json_object_get(status, "details"), "name");
	absent = !strcmp(reason, "NotFound") && name[0];
	json_decref(status);
	return absent;
}

static int step_object(struct fg_talk *t, struct fg_kubectl_call *call,
		       enum fg_kubectl_talk_state *state, struct fg_error *err)
{
	const size_t head = head_of(t);
	bool absent;

	if (!t->ended)
		return 0;
	absent = head && is_absent(t, head);
	if (!absent && (!head || !has_status(t, " 200") || !is_whole(t, head))) {
		*state = FG_KUBECTL_TALK_FAILED;
		return 0;
	}
	if (!absent)
		fg_buffer_put(&call->output, t->in.data + head, t->in.len - head);
	if (call->output.failed)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	if (++t->at == call->path_count)
		*state = FG_KUBECTL_TALK_ENDED;
	else if (ask(t, call))
		*state = FG_KUBECTL_TALK_FAILED;
	return 0;
}

/* --- a command --- */

static void put_frame(struct fg_talk *t, int op, int channel, const char *bytes, size_t len)
{
	const size_t size = len + (channel >= 0);
	unsigned char head[8] = { (unsigned char)(FRAME_LAST | op) };
	unsigned char mask[4];
	size_t n = 2;
	char *at;

	/* A client's are masked, so that nothing between takes them for something else. */
	if (getrandom(mask, sizeof(mask), 0) != sizeof(mask))
		memset(mask, 0x5a, sizeof(mask));
	if (size < 126) {
		head[1] = (unsigned char)(FRAME_MASKED | size);
	} else {
		head[1] = FRAME_MASKED | 126;
		head[2] = (unsigned char)(size >> 8);
		head[3] = (unsigned char)size;
		n = 4;
	}
	memcpy(head + n, mask, sizeof(mask));
	fg_buffer_put(&t->out, (const char *)head, n + sizeof(mask));
	at = fg_buffer_reserve(&t->out, size);
	if (!at)
		return;
	n = 0;
	if (channel >= 0)
		at[n++] = (char)(channel ^ mask[0]);
	for (size_t i = 0; i < len; i++, n++)
		at[n] = (char)(bytes[i] ^ mask[n % 4]);
	t->out.len += size;
}

/* Only as much as is sent at once: the rest waits where it is. */
static void put_input(struct fg_talk *t, struct fg_kubectl_call *call)
{
	while (!t->out.len && call->written < call->input.len) {
		size_t len = call->input.len - call->written;

		len = len < MESSAGE_MAX ? len : MESSAGE_MAX;
		put_frame(t, OP_BINARY, CHANNEL_STDIN, call->input.data + call->written, len);
		call->written += len;
		put(t);
	}
	if (call->written == call->input.len)
		call->input.len = call->written = 0;
}

/* How the command ended, or why it did not begin: a Status of the API. */
static void take_status(struct fg_kubectl_call *call, const char *bytes, size_t len)
{
	json_t *status = json_loadb(bytes, len, 0, NULL);
	const char *is = json_string_value(json_object_get(status, "status"));
	const char *message = json_string_value(json_object_get(status, "message"));

	call->status = is && !strcmp(is, "Success") ? 0 : 1 << 8;
	if (call->status && message)
		fg_buffer_printf(&call->said, "\nerror: %s\n", message);
	json_decref(status);
}

static void take_message(struct fg_talk *t, struct fg_kubectl_call *call, const char *bytes,
			 size_t len)
{
	if (t->channel < 0 && len) {
		t->channel = (unsigned char)bytes[0];
		bytes++;
		len--;
	}
	if (t->channel == CHANNEL_STDOUT)
		fg_buffer_put(&call->output, bytes, len);
	else if (t->channel == CHANNEL_STDERR && call->said.len < CHUNK)
		fg_buffer_put(&call->said, bytes, len);
	else if (t->channel == CHANNEL_STATUS && len)
		take_status(call, bytes, len);
}

/* The first frame that is there. Returns its bytes, 0: it is not whole. */
static size_t read_frame(const struct fg_talk *t, size_t from, size_t *head, uint64_t *size)
{
	const unsigned char *at = (const unsigned char *)t->in.data + from;
	const size_t len = t->in.len - from;

	*head = 2;
	if (len < 2)
		return 0;
	*size = at[1] & 127;
	if (*size >= 126)
		*head += *size == 126 ? 2 : 8;
	if (len < *head)
		return 0;
	if (*head > 2) {
		*size = 0;
		for (size_t i = 2; i < *head; i++)
			*size = *size << 8 | at[i];
	}
	return *size <= len - *head ? *head + (size_t)*size : 0;
}

static void take_frames(struct fg_talk *t, struct fg_kubectl_call *call)
{
	size_t used = 0, n, head;
	uint64_t size;

	while (used < t->in.len && (n = read_frame(t, used, &head, &size))) {
		const unsigned char first = (unsigned char)t->in.data[used];
		const char *bytes = t->in.data + used + head;
		const int op = first & 15;

		used += n;
		if (op == OP_PING)
			put_frame(t, OP_PONG, -1, bytes, size < 125 ? (size_t)size : 125);
		t->ended |= op == OP_CLOSE;
		if (op > OP_BINARY)
			continue;
		if (op != OP_MORE)
			t->channel = -1;
		take_message(t, call, bytes, (size_t)size);
	}
	drop(t, used);
}

static int step_command(struct fg_talk *t, struct fg_kubectl_call *call,
			enum fg_kubectl_talk_state *state, struct fg_error *err)
{
	const size_t head = head_of(t);

	if (!t->open && !head && (t->ended || t->in.len > ANSWER_HEAD_MAX))
		*state = FG_KUBECTL_TALK_FAILED;
	if (!t->open && !head)
		return 0;
	if (!t->open && !has_status(t, " 101")) {
		*state = FG_KUBECTL_TALK_FAILED;
		return 0;
	}
	if (!t->open)
		drop(t, head);
	t->open = true;
	take_frames(t, call);
	put_input(t, call);
	if (t->out.failed || call->output.failed || call->said.failed)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	if (t->ended)
		*state = FG_KUBECTL_TALK_ENDED;
	return 0;
}

static int step_talk(struct fg_talk *t, struct fg_kubectl_call *call,
		     enum fg_kubectl_talk_state *state, struct fg_error *err)
{
	*state = FG_KUBECTL_TALKS;
	put(t);
	if (get(t, err))
		return -1;
	return call->is_command ? step_command(t, call, state, err)
				: step_object(t, call, state, err);
}

static void poll_talk(const struct fg_talk *t, const struct fg_kubectl_call *call,
		      struct pollfd *fd)
{
	const bool more = t->out.len || (t->open && call->written < call->input.len);

	*fd = (struct pollfd){ .fd = t->fd, .events = (short)(POLLIN | (more ? POLLOUT : 0)) };
}

const struct fg_kubectl_way fg_talk_over_line = {
	.open = open_talk,
	.step = step_talk,
	.poll = poll_talk,
	.close = close_talk,
};
