// SPDX-License-Identifier: GPL-2.0-only
#include "flowgen/flowgen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "flowgen/internal.h"

/* For the agent's first line, which comes in milliseconds. */
#define GREETING_NS 30000000000ULL

const char *flowgen_version(void)
{
	return FLOWGEN_VERSION;
}

/* As flowgen prints it, but for its name. */
static void put_error(char error[FLOWGEN_ERROR_SIZE], const struct fg_error *err)
{
	snprintf(error, FLOWGEN_ERROR_SIZE, "%s%s%s%s", err->message, err->hint[0] ? " (" : "",
		 err->hint, err->hint[0] ? ")" : "");
}

/* --- a session --- */

static int begin(struct flowgen *s, const char *program, const char *const options[],
		 struct fg_error *err)
{
	struct fg_flowgen_exchange greeting = {};

	s->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->cancel < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "a session");
	if (fg_flowgen_process_lift(&s->cancel, err) ||
	    fg_flowgen_process_start(&s->process, program, options, err))
		return -1;
	greeting.until = fg_clock_now() + GREETING_NS;
	if (fg_flowgen_talk(s, &greeting, err))
		return fg_error_prefix(err, "%s", program ? program : "flowgen");
	return 0;
}

struct flowgen *flowgen_open(const char *program, const char *const options[],
			     char error[FLOWGEN_ERROR_SIZE])
{
	struct flowgen *s = calloc(1, sizeof(*s));
	struct fg_error err = {};

	if (s) {
		s->opener = getpid();
		s->cancel = -1;
		s->process = (struct fg_flowgen_process){
			.pidfd = -1, .requests = -1, .answers = -1, .messages = -1
		};
		if (!begin(s, program, options, &err))
			return s;
	} else {
		fg_fail_errno(&err, FG_ERR_INTERNAL, ENOMEM, "a session");
	}
	if (error)
		put_error(error, &err);
	flowgen_close(s);
	return NULL;
}

void flowgen_close(struct flowgen *session)
{
	if (!session)
		return;
	fg_flowgen_process_end(&session->process, session->opener == getpid());
	fg_fd_close(&session->cancel);
	fg_buffer_free(&session->in);
	fg_buffer_free(&session->out);
	fg_buffer_free(&session->said);
	free(session);
}

const char *flowgen_error(const struct flowgen *session)
{
	return session->error;
}

void flowgen_cancel(struct flowgen *session)
{
	uint64_t one = 1;
	int code = errno;

	/* A child's copy counts for the parent, too. */
	if (session->opener != getpid())
		return;
	/* It fails if it was said often enough. */
	if (write(session->cancel, &one, sizeof(one)) < 0)
		errno = code;
}

/* --- a call --- */

typedef int fg_flowgen_put(struct fg_buffer *out, const char *id, const char *text,
			   struct fg_error *err);

static int put_pods(struct fg_buffer *out, const char *id, const char *text, struct fg_error *err)
{
	(void)text;
	return fg_flowgen_request_pods(out, id, err);
}

static int prepare(struct flowgen *s, struct fg_flowgen_exchange *x, fg_flowgen_put *put,
		   const char *text, struct fg_error *err)
{
	uint64_t earlier;

	if (s->opener != getpid())
		return fg_fail(err, FG_ERR_USAGE, "the session belongs to another process");
	if (s->ended)
		return fg_fail(err, FG_ERR_INTERNAL, "the session has ended");
	if (!text)
		return fg_fail(err, FG_ERR_USAGE, "nothing is asked");
	x->answer = calloc(1, sizeof(*x->answer));
	if (!x->answer)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "an answer");
	/* What was cancelled is over. */
	if (read(s->cancel, &earlier, sizeof(earlier)) < 0 && errno != EAGAIN)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "a session");
	snprintf(x->id, sizeof(x->id), "%" PRIu64, ++s->asked);
	return put(&s->out, x->id, text, err);
}

static int call(struct flowgen *s, fg_flowgen_put *put, const char *text,
		struct flowgen_answer **answer)
{
	struct fg_flowgen_exchange x = {};
	struct fg_error err = {};
	bool failed = prepare(s, &x, put, text, &err) || fg_flowgen_talk(s, &x, &err);

	if (failed) {
		put_error(x.error, &err);
		x.status = fg_error_status(err.kind);
	}
	s->ended |= s->out.failed;
	memcpy(s->error, x.error, sizeof(s->error));
	if (!answer || (x.answer && !x.answer->object_count && !x.answer->message_count))
		flowgen_answer_free(FG_TAKE(x.answer));
	if (answer)
		*answer = x.answer;
	return x.status;
}

int flowgen_pods(struct flowgen *session, struct flowgen_answer **answer)
{
	return call(session, put_pods, "", answer);
}

int flowgen_inject(struct flowgen *session, const char *scenario, struct flowgen_answer **answer)
{
	return call(session, fg_flowgen_request_run, scenario, answer);
}

int flowgen_request(struct flowgen *session, const char *request, struct flowgen_answer **answer)
{
	return call(session, fg_flowgen_request_any, request, answer);
}
