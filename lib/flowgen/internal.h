/* SPDX-License-Identifier: GPL-2.0-only */
/* flowgen/internal.h - what the files of this room share. */
#ifndef FG_FLOWGEN_INTERNAL_H
#define FG_FLOWGEN_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "flowgen/flowgen.h"

#define FG_FLOWGEN_PIECE_BYTES (64U << 10) /* of a read */
#define FG_FLOWGEN_SAID_BYTES (16U << 10)  /* of what the agent itself says */

/* --- process.c: the agent's process --- */

struct fg_flowgen_process {
	pid_t pid;    /* 0: none, or none that is to be waited for */
	int pidfd;    /* these are owned; -1: none */
	int requests; /* a socket: a pipe would raise SIGPIPE when the agent is gone */
	int answers;
	int messages;
};

/*
 * Starts the agent. Returns 0, or -1 (FG_ERR_UNSUPPORTED: there is no such program; or
 * FG_ERR_INTERNAL).
 */
int fg_flowgen_process_start(struct fg_flowgen_process *process, const char *program,
			     const char *const options[], struct fg_error *err);
/*
 * Ends and waits for it: five seconds, then it is killed. In another process than the one that
 * started it: only forgets it.
 */
void fg_flowgen_process_end(struct fg_flowgen_process *process, bool mine);

/* A descriptor above the standard ones in the place of *fd, closed on exec. Returns 0, or -1. */
int fg_flowgen_process_lift(int *fd, struct fg_error *err);

/* --- answer.c: lines that the agent writes --- */

struct flowgen_answer {
	char **objects; /* owned, as are the strings */
	size_t object_count;
	char **messages;
	size_t message_count;
};

/* What one request came to so far. */
struct fg_flowgen_exchange {
	char id[24]; /* "": the agent's first line is awaited */
	struct flowgen_answer *answer;
	bool over;
	uint64_t until; /* when it has to show that it lives (fg_clock_now()); 0: it need not */
	int status;
	char error[FLOWGEN_ERROR_SIZE]; /* "": none */
};

/*
 * Takes a line without its newline; line[len] may be overwritten. Returns 0, or -1 with
 * FG_ERR_INTERNAL: it is not one of an agent that this library understands, or memory is short.
 */
int fg_flowgen_answer_take(struct fg_flowgen_exchange *exchange, char *line, size_t len,
			   struct fg_error *err);

/* --- request.c: lines that it reads --- */

/* Each appends one line with this id. Returns 0, or -1 (FG_ERR_USAGE, FG_ERR_INTERNAL). */
int fg_flowgen_request_pods(struct fg_buffer *out, const char *id, struct fg_error *err);
int fg_flowgen_request_run(struct fg_buffer *out, const char *id, const char *scenario,
			   struct fg_error *err);
int fg_flowgen_request_any(struct fg_buffer *out, const char *id, const char *request,
			   struct fg_error *err);
int fg_flowgen_request_cancel(struct fg_buffer *out, const char *id, struct fg_error *err);
int fg_flowgen_request_ping(struct fg_buffer *out, const char *id, struct fg_error *err);

/* Appends the value as compact JSON. Returns 0, or -1 if memory is short: then nothing. */
int fg_flowgen_request_dump(struct fg_buffer *out, const json_t *value);

/* --- talk.c: both directions at once --- */

struct flowgen {
	struct fg_flowgen_process process;
	pid_t opener;
	int cancel; /* an eventfd, owned */
	uint64_t asked;
	bool ended; /* nothing more can be asked */
	struct fg_buffer in, out;
	size_t searched;       /* bytes of in, in which no line ends */
	size_t sent;	       /* bytes of out */
	struct fg_buffer said; /* by the agent itself */
	char error[FLOWGEN_ERROR_SIZE];
};

/* Milliseconds until then (fg_clock_now()), rounded up; -1 if it is 0: there is no end. */
int fg_flowgen_talk_left(uint64_t until);

/*
 * Sends what is in out, and reads until the exchange is over. Returns 0, or -1 with
 * FG_ERR_INTERNAL: the session has ended.
 */
int fg_flowgen_talk(struct flowgen *session, struct fg_flowgen_exchange *exchange,
		    struct fg_error *err);

#endif
