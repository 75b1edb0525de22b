// SPDX-License-Identifier: GPL-2.0-only
#include "agent/agent.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "agent/internal.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/grow.h"
#include "host/confine.h"
#include "signals/signals.h"

/* For what is still to be written after the last request was killed. */
#define LAST_WORDS_NS 2000000000ULL

struct agent {
	const struct fg_agent_options *options;
	struct fg_agent_outcome *outcome;
	struct fg_buffer in, out;
	size_t sent;   /* bytes of out */
	uint64_t line; /* number of the one that is being read */
	bool skipping; /* it is too long */
	bool read_all; /* nothing more is read */
	bool closing;  /* all was cancelled */
	bool unread;   /* nobody reads the answers */
	int signals;
	struct fg_agent_job *jobs; /* in the order of their arrival; owned */
	size_t running, waiting, waiting_bytes;
	uint64_t deadline_at, idle_at, give_up_at; /* 0: never */
	struct pollfd *polled;			   /* owned */
	size_t polled_count, polled_room;
};

static size_t unsent(const struct agent *a)
{
	return a->out.len - a->sent;
}

/* Whether there is room for more answers: if not, nothing is read, here or from requests. */
static bool has_room(const struct agent *a)
{
	return unsent(a) < FG_AGENT_OUT_BYTES;
}

/* --- requests --- */

static struct fg_agent_job *find_job(const struct agent *a, const char *id)
{
	struct fg_agent_job *job = a->jobs;

	while (job && strcmp(job->request.id, id) != 0)
		job = job->next;
	return job;
}

static void forget_job(struct agent *a, struct fg_agent_job *job)
{
	struct fg_agent_job **at = &a->jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	if (job->pid) {
		a->running--;
	} else {
		a->waiting--;
		a->waiting_bytes -= job->bytes;
	}
	fg_agent_job_free(job);
}

static void end_job(struct agent *a, struct fg_agent_job *job)
{
	fg_agent_answer_done(&a->out, job->request.id, job->pid ? job->status : -1, job->cancelled);
	forget_job(a, job);
}

static void cancel_job(struct agent *a, struct fg_agent_job *job)
{
	fg_agent_job_cancel(job, fg_clock_now() + a->options->grace_ns);
	if (!job->pid)
		end_job(a, job);
}

static int admit(struct agent *a, struct fg_agent_request *request, size_t bytes,
		 struct fg_error *err)
{
	const struct fg_agent_verb *verb = fg_agent_command_verb(a->options, request, err);
	struct fg_agent_job **at = &a->jobs, *job;

	if (!verb)
		return -1;
	if (a->waiting >= FG_AGENT_WAITING || a->waiting_bytes + bytes > FG_AGENT_WAITING_BYTES) {
		fg_fail(err, FG_ERR_USAGE, "too many requests wait");
		return fg_hint(err, "ask again when some are done");
	}
	job = fg_agent_job_new(request);
	if (!job)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "a request");
	job->verb = verb;
	job->line = a->line;
	job->bytes = bytes;
	while (*at)
		at = &(*at)->next;
	*at = job;
	a->waiting++;
	a->waiting_bytes += bytes;
	return 0;
}

static int follow(struct agent *a, struct fg_agent_request *request, size_t bytes,
		  struct fg_error *err)
{
	struct fg_agent_job *job = find_job(a, request->id);

	switch (request->kind) {
	case FG_AGENT_RUN:
		if (!job)
			return admit(a, request, bytes, err);
		return fg_fail(err, FG_ERR_USAGE, "id: '%s' is in use by another request",
			       request->id);
	case FG_AGENT_CANCEL:
		if (job)
			cancel_job(a, job);
		return 0;
	case FG_AGENT_GO:
		if (job)
			fg_agent_job_go(job);
		return 0;
	case FG_AGENT_PING:
		fg_agent_answer_pong(&a->out, request->id);
		return 0;
	case FG_AGENT_LAST:
		a->read_all = true;
		return 0;
	}
	return 0;
}

static void take_line(struct agent *a, const char *line, size_t len)
{
	struct fg_agent_request request;
	struct fg_error err = {};

	/* Of an id that is in use this would be the last answer, and it is not. */
	if (fg_agent_request_read(line, len, &request, &err) || follow(a, &request, len, &err))
		fg_agent_answer_error(&a->out, find_job(a, request.id) ? "" : request.id, &err,
				      a->line);
	fg_agent_request_free(&request);
}

static void take_too_long(struct agent *a)
{
	struct fg_error err = {};

	fg_fail(&err, FG_ERR_USAGE, "a line of more than %u bytes", FG_AGENT_LINE_BYTES);
	fg_agent_answer_error(&a->out, "", &err, a->line);
}

/* --- input and output --- */

static void take_lines(struct agent *a)
{
	char *from = a->in.data, *end = from + a->in.len, *newline;

	while (!a->read_all && (newline = memchr(from, '\n', (size_t)(end - from)))) {
		a->line++;
		if (a->skipping || newline - from > FG_AGENT_LINE_BYTES)
			take_too_long(a);
		else
			take_line(a, from, (size_t)(newline - from));
		a->skipping = false;
		from = newline + 1;
	}
	a->in.len = (size_t)(end - from);
	memmove(a->in.data, from, a->in.len);
	if (a->in.len > FG_AGENT_LINE_BYTES)
		a->skipping = true;
	if (a->skipping)
		a->in.len = 0;
}

static void close_agent(struct agent *a, enum fg_agent_end why)
{
	struct fg_agent_job *job, *next;
	uint64_t now = fg_clock_now();

	if (a->closing)
		return;
	a->closing = a->read_all = true;
	a->give_up_at = now + a->options->grace_ns + LAST_WORDS_NS;
	a->outcome->end = why;
	for (job = a->jobs; job; job = next) {
		next = job->next;
		a->outcome->cut_short += !job->cancelled;
		cancel_job(a, job);
	}
}

static int read_input(struct agent *a, struct fg_error *err)
{
	char *to = fg_buffer_reserve(&a->in, FG_AGENT_PIECE_BYTES);
	ssize_t n = to ? read(STDIN_FILENO, to, FG_AGENT_PIECE_BYTES) : 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "standard input");
	a->idle_at = a->options->idle_ns ? fg_clock_now() + a->options->idle_ns : 0;
	a->in.len += (size_t)n;
	/* The last line may do without its newline. */
	if (!n && to && (a->in.len || a->skipping))
		fg_buffer_put(&a->in, "\n", 1);
	if (a->in.len)
		take_lines(a);
	if (!n && !a->read_all)
		close_agent(a, FG_AGENT_END_INPUT);
	return 0;
}

/* Nobody reads: requests are cancelled, and what they say is dropped from now on. */
static void stop_writing(struct agent *a)
{
	a->unread = true;
	close_agent(a, FG_AGENT_END_INPUT);
}

/*
 * What poll() has promised a pipe takes without waiting is PIPE_BUF bytes; the descriptor is
 * others' too, so it stays one that waits.
 */
static int write_output(struct agent *a, struct fg_error *err)
{
	size_t len = unsent(a) < PIPE_BUF ? unsent(a) : PIPE_BUF;
	ssize_t n = write(STDOUT_FILENO, a->out.data + a->sent, len);

	if (n < 0 && errno == EPIPE)
		stop_writing(a);
	else if (n < 0 && errno != EINTR && errno != EAGAIN)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "standard output");
	a->sent += n > 0 ? (size_t)n : 0;
	if (a->sent == a->out.len) {
		a->out.len = a->sent = 0;
	} else if (a->sent > FG_AGENT_OUT_BYTES) {
		memmove(a->out.data, a->out.data + a->sent, unsent(a));
		a->out.len -= a->sent;
		a->sent = 0;
	}
	return 0;
}

/* --- the loop --- */

static void start_jobs(struct agent *a)
{
	struct fg_agent_job *job, *next;

	for (job = a->jobs; job && a->running < a->options->parallel; job = next) {
		struct fg_error err = {};

		next = job->next;
		if (job->pid)
			continue;
		if (fg_agent_job_start(job, a->options, &err)) {
			fg_agent_answer_error(&a->out, job->request.id, &err, job->line);
			forget_job(a, job);
			continue;
		}
		a->running++;
		a->waiting--;
		a->waiting_bytes -= job->bytes;
	}
}

static int add_polled(struct agent *a, int fd, short events, size_t *slot, struct fg_error *err)
{
	if (!FG_GROW_TO(a->polled, a->polled_room, a->polled_count + 1, "requests", err))
		return -1;
	a->polled[a->polled_count] = (struct pollfd){ .fd = fd, .events = events };
	if (slot)
		*slot = a->polled_count;
	a->polled_count++;
	return 0;
}

enum { SLOT_SIGNALS, SLOT_INPUT, SLOT_OUTPUT };

static int gather_polled(struct agent *a, struct fg_error *err)
{
	bool reads = has_room(a), input = reads && !a->read_all && !a->options->hold;

	a->polled_count = 0;
	if (add_polled(a, a->closing ? -1 : a->signals, POLLIN, NULL, err) ||
	    add_polled(a, input ? STDIN_FILENO : -1, POLLIN, NULL, err) ||
	    add_polled(a, a->unread ? -1 : STDOUT_FILENO, unsent(a) ? POLLOUT : 0, NULL, err))
		return -1;
	for (struct fg_agent_job *job = a->jobs; job; job = job->next) {
		job->slot = 0;
		if (job->pidfd >= 0 && add_polled(a, job->pidfd, POLLIN, &job->slot, err))
			return -1;
		for (size_t i = 0; i < job->stream_count; i++) {
			struct fg_agent_stream *s = &job->streams[i];

			s->slot = 0;
			if (reads && s->fd >= 0 && add_polled(a, s->fd, POLLIN, &s->slot, err))
				return -1;
		}
	}
	return 0;
}

static void earlier(uint64_t *first, uint64_t at)
{
	if (at && (!*first || at < *first))
		*first = at;
}

/* Milliseconds until something is due, rounded up; -1: nothing will be. */
static int time_left(const struct agent *a, uint64_t now)
{
	uint64_t first = a->give_up_at;

	if (!a->closing) {
		earlier(&first, a->deadline_at);
		earlier(&first, a->read_all ? 0 : a->idle_at);
	}
	for (const struct fg_agent_job *job = a->jobs; job; job = job->next) {
		earlier(&first, job->kill_at);
		if (job->reaped_at && has_room(a))
			earlier(&first, job->reaped_at + a->options->grace_ns);
	}
	if (!first)
		return -1;
	if (first <= now)
		return 0;
	return first - now > 1000000000000ULL ? 1000000 : (int)((first - now + 999999) / 1000000);
}

static bool is_ready(const struct agent *a, size_t slot)
{
	return slot && a->polled[slot].revents;
}

/* What has outlived a request's process and still holds a stream gets no more than the grace time.
 */
static void serve_job(struct agent *a, struct fg_agent_job *job, uint64_t now)
{
	bool late = job->reaped_at && now >= job->reaped_at + a->options->grace_ns;

	for (size_t i = 0; i < job->stream_count; i++) {
		struct fg_agent_stream *s = &job->streams[i];

		if (is_ready(a, s->slot) && has_room(a)) {
			fg_agent_job_read(job, s, &a->out);
		} else if (late && s->slot) {
			fg_agent_stream_answer(s, &job->request, true, &a->out);
			fg_fd_close(&s->fd);
		}
	}
	if (is_ready(a, job->slot))
		fg_agent_job_reap(job, now);
	if (job->kill_at && now >= job->kill_at) {
		kill(job->pid, SIGKILL);
		job->kill_at = 0;
	}
	if (fg_agent_job_over(job))
		end_job(a, job);
}

static bool reader_is_gone(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) > 0 && out.revents & (POLLERR | POLLHUP | POLLNVAL);
}

static void check_time(struct agent *a, uint64_t now)
{
	if (a->deadline_at && now >= a->deadline_at)
		close_agent(a, FG_AGENT_END_DEADLINE);
	else if (a->idle_at && !a->read_all && now >= a->idle_at)
		close_agent(a, FG_AGENT_END_IDLE);
}

static int serve(struct agent *a, struct fg_error *err)
{
	struct fg_agent_job *job, *next;
	uint64_t now = fg_clock_now();

	/* A signal and a lost reader show at the same descriptor. */
	if (a->polled[SLOT_SIGNALS].revents && !reader_is_gone())
		close_agent(a, FG_AGENT_END_SIGNAL);
	if (a->polled[SLOT_OUTPUT].revents & (POLLERR | POLLHUP | POLLNVAL))
		stop_writing(a);
	else if (a->polled[SLOT_OUTPUT].revents && write_output(a, err))
		return -1;
	for (job = a->jobs; job; job = next) {
		next = job->next;
		serve_job(a, job, now);
	}
	if (a->polled[SLOT_INPUT].revents && !a->read_all && read_input(a, err))
		return -1;
	check_time(a, now);
	if (a->unread)
		a->out.len = a->sent = 0;
	return a->in.failed || a->out.failed
		       ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "answers")
		       : 0;
}

static bool is_over(const struct agent *a)
{
	return a->read_all && !a->jobs && !unsent(a);
}

static int loop(struct agent *a, struct fg_error *err)
{
	while (!is_over(a)) {
		if (!a->closing)
			start_jobs(a);
		if (gather_polled(a, err))
			return -1;
		if (poll(a->polled, a->polled_count, time_left(a, fg_clock_now())) < 0) {
			if (errno != EINTR)
				return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "poll");
			continue;
		}
		if (serve(a, err))
			return -1;
		if (a->give_up_at && fg_clock_now() >= a->give_up_at)
			return fg_fail(err, FG_ERR_INTERNAL,
				       "standard output: what was left to say was not read");
	}
	return a->unread ? fg_fail(err, FG_ERR_INTERNAL, "standard output: nobody reads it") : 0;
}

static int begin(struct agent *a, struct fg_error *err)
{
	uint64_t now = fg_clock_now();
	struct utsname host;

	if (uname(&host))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "uname");
	a->signals = fg_signals_open(err);
	if (a->signals < 0)
		return -1;
	/* One that holds starts nothing. */
	if (a->options->hold ? fg_confine(FG_CONFINE_PARSE, false, err) : fg_confine_rest(err))
		return -1;
	a->deadline_at = a->options->deadline_ns ? now + a->options->deadline_ns : 0;
	a->idle_at = a->options->idle_ns && !a->options->hold ? now + a->options->idle_ns : 0;
	fg_agent_answer_hello(&a->out, a->options, host.nodename, host.release);
	return 0;
}

int fg_agent_run(const struct fg_agent_options *options, struct fg_agent_outcome *outcome,
		 struct fg_error *err)
{
	struct agent a = { .options = options, .outcome = outcome, .signals = -1 };
	int ret;

	*outcome = (struct fg_agent_outcome){ .end = FG_AGENT_END_INPUT };
	ret = begin(&a, err);
	if (!ret)
		ret = loop(&a, err);
	while (a.jobs)
		forget_job(&a, a.jobs);
	fg_fd_close(&a.signals);
	fg_buffer_free(&a.in);
	fg_buffer_free(&a.out);
	free(a.polled);
	return ret;
}
