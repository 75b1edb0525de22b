// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "flowgen/internal.h"

/* After a cancel, for the agent's answer to a ping, which comes in milliseconds. */
#define PONG_NS 10000000000ULL

static int no_memory(struct fg_error *err)
{
	return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "an answer");
}

static bool would_wait(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* --- one direction each --- */

static void write_requests(struct flowgen *s)
{
	ssize_t n = send(s->process.requests, s->out.data + s->sent, s->out.len - s->sent,
			 MSG_NOSIGNAL);

	/* If it is gone, the end of its answers says so. */
	if (n < 0 && would_wait())
		return;
	s->sent += n < 0 ? s->out.len - s->sent : (size_t)n;
	if (s->sent == s->out.len)
		s->out.len = s->sent = 0;
}

/* What the agent itself says: why it ends. Only the last of it is kept. */
static void read_messages(struct flowgen *s)
{
	char *to = fg_buffer_reserve(&s->said, FG_FLOWGEN_SAID_BYTES);
	ssize_t n = to ? read(s->process.messages, to, FG_FLOWGEN_SAID_BYTES) : 0;

	if (n <= 0)
		return;
	s->said.len += (size_t)n;
	if (s->said.len <= FG_FLOWGEN_SAID_BYTES)
		return;
	memmove(s->said.data, s->said.data + s->said.len - FG_FLOWGEN_SAID_BYTES,
		FG_FLOWGEN_SAID_BYTES);
	s->said.len = FG_FLOWGEN_SAID_BYTES;
}

static int ended(struct flowgen *s, struct fg_error *err)
{
	const char *end, *from;
	size_t len;

	read_messages(s);
	while (s->said.len && s->said.data[s->said.len - 1] == '\n')
		s->said.len--;
	if (!s->said.len)
		return fg_fail(err, FG_ERR_INTERNAL, "the session's process has ended");
	end = s->said.data + s->said.len;
	from = memrchr(s->said.data, '\n', s->said.len);
	from = from ? from + 1 : s->said.data;
	len = strlen("flowgen: ");
	if ((size_t)(end - from) > len && !memcmp(from, "flowgen: ", len))
		from += len;
	return fg_fail(err, FG_ERR_INTERNAL, "%.*s", (int)(end - from), from);
}

static int take_lines(struct flowgen *s, struct fg_flowgen_exchange *x, struct fg_error *err)
{
	char *from = s->in.data, *end = from + s->in.len, *search = from + s->searched, *newline;

	while (!x->over && (newline = memchr(search, '\n', (size_t)(end - search)))) {
		if (fg_flowgen_answer_take(x, from, (size_t)(newline - from), err))
			return -1;
		from = search = newline + 1;
	}
	s->in.len = (size_t)(end - from);
	memmove(s->in.data, from, s->in.len);
	/* What comes after the end of one exchange is for the next one to look at. */
	s->searched = x->over ? 0 : s->in.len;
	return 0;
}

static int read_answers(struct flowgen *s, struct fg_flowgen_exchange *x, struct fg_error *err)
{
	char *to = fg_buffer_reserve(&s->in, FG_FLOWGEN_PIECE_BYTES);
	ssize_t n = to ? read(s->process.answers, to, FG_FLOWGEN_PIECE_BYTES) : 0;

	if (!to)
		return no_memory(err);
	if (n < 0 && would_wait())
		return 0;
	if (n <= 0)
		return ended(s, err);
	s->in.len += (size_t)n;
	return take_lines(s, x, err);
}

/* How long it takes until the request has ended is the agent's to say (--grace). Whether the agent
 * itself hangs is another question: one that lives answers a ping at once.
 */
static int cancel(struct flowgen *s, struct fg_flowgen_exchange *x, struct fg_error *err)
{
	uint64_t count;

	if (read(s->cancel, &count, sizeof(count)) < 0)
		return 0;
	if (!x->until)
		x->until = fg_clock_now() + PONG_NS;
	return fg_flowgen_request_cancel(&s->out, x->id, err) ||
			       fg_flowgen_request_ping(&s->out, x->id, err)
		       ? -1
		       : 0;
}

/* --- all at once --- */

int fg_flowgen_talk_left(uint64_t until)
{
	uint64_t now = fg_clock_now();

	if (!until)
		return -1;
	return now >= until ? 0 : (int)((until - now + 999999) / 1000000);
}

static int turn(struct flowgen *s, struct fg_flowgen_exchange *x, struct fg_error *err)
{
	struct pollfd polled[] = {
		{ .fd = s->process.answers, .events = POLLIN },
		{ .fd = s->process.messages, .events = POLLIN },
		{ .fd = s->out.len > s->sent ? s->process.requests : -1, .events = POLLOUT },
		{ .fd = x->id[0] ? s->cancel : -1, .events = POLLIN },
	};
	int n;

	/* The agent holds the other end of its messages as long as it lives. */
	n = poll(polled, sizeof(polled) / sizeof(polled[0]), fg_flowgen_talk_left(x->until));
	if (n < 0)
		return errno == EINTR ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, errno, "poll");
	if (!n)
		return fg_fail(err, FG_ERR_INTERNAL, "the session's process does not answer");
	if (polled[1].revents)
		read_messages(s);
	if (polled[2].revents)
		write_requests(s);
	if (polled[3].revents && cancel(s, x, err))
		return -1;
	return polled[0].revents ? read_answers(s, x, err) : 0;
}

int fg_flowgen_talk(struct flowgen *session, struct fg_flowgen_exchange *exchange,
		    struct fg_error *err)
{
	while (!exchange->over)
		if (turn(session, exchange, err)) {
			session->ended = true;
			return -1;
		}
	return 0;
}
