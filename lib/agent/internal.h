/* SPDX-License-Identifier: GPL-2.0-only */
/* agent/internal.h - what the files of this room share. */
#ifndef FG_AGENT_INTERNAL_H
#define FG_AGENT_INTERNAL_H

#include <sys/types.h>

#include "agent/agent.h"
#include "base/buffer.h"

/* doc/agent.schema.json names these. */
#define FG_AGENT_NAME_LEN 65	       /* of an id or a file, with its NUL */
#define FG_AGENT_LINE_BYTES (4U << 20) /* of a line that is read */
#define FG_AGENT_FILES 16	       /* inputs; as many outputs */
#define FG_AGENT_WORDS 4096
#define FG_AGENT_WAITING 1024 /* requests, and the bytes of their lines: */
#define FG_AGENT_WAITING_BYTES (64U << 20)
#define FG_AGENT_RESULT_BYTES (8U << 20) /* of an object that is handed on whole */
#define FG_AGENT_PIECE_BYTES (64U << 10) /* of any other line, and of a read */
#define FG_AGENT_OUT_BYTES (1U << 20)	 /* unread answers; with more, nothing is read */

/* --- request.c: a line that is read. Pure. --- */

enum fg_agent_kind { FG_AGENT_RUN, FG_AGENT_CANCEL, FG_AGENT_GO, FG_AGENT_PING, FG_AGENT_LAST };

struct fg_agent_bytes {
	char *data; /* owned; NULL: none */
	size_t len;
};

struct fg_agent_file {
	char name[FG_AGENT_NAME_LEN];
	bool output;
	struct fg_agent_bytes content; /* of an input */
	int fd;			       /* the request's end; -1: none, or closed here */
	char path[32];		       /* where the request finds it, once there is fd */
};

struct fg_agent_request {
	enum fg_agent_kind kind;
	char id[FG_AGENT_NAME_LEN]; /* "": the line has none that is right */
	char **words;		    /* owned, as are the strings */
	size_t word_count;
	struct fg_agent_file *files; /* owned */
	size_t file_count;
	struct fg_agent_bytes input; /* standard input */
};

/*
 * Reads a line without its newline. Returns 0, or -1 with FG_ERR_USAGE (the line is wrong; id is
 * filled if the line has one) or FG_ERR_INTERNAL. The caller frees the request in any case.
 */
int fg_agent_request_read(const char *line, size_t len, struct fg_agent_request *request,
			  struct fg_error *err);
void fg_agent_request_free(struct fg_agent_request *request);

/* --- command.c: from the words of a request to those of a process. Pure. --- */

/* The verb of a request, or NULL with FG_ERR_USAGE, which lists those that there are. */
const struct fg_agent_verb *fg_agent_command_verb(const struct fg_agent_options *options,
						  const struct fg_agent_request *request,
						  struct fg_error *err);

/*
 * What is executed: argv[0], the verb, what the agent adds, and the request's words, in which
 * files are replaced by their paths. Owned, ends with NULL, freed by fg_agent_command_free(). NULL
 * if memory is short.
 */
char **fg_agent_command(const struct fg_agent_options *options, const struct fg_agent_verb *verb,
			const struct fg_agent_request *request);
void fg_agent_command_free(char **argv);

/* --- answer.c: lines that are written. Each appends one to out. Pure. --- */

void fg_agent_answer_hello(struct fg_buffer *out, const struct fg_agent_options *options,
			   const char *host, const char *kernel);
/* One line of standard output, an object of JSON or any bytes. bytes[len] may be overwritten. */
void fg_agent_answer_output(struct fg_buffer *out, const char *id, char *bytes, size_t len);
/* A part of a line of standard output; more: it goes on. */
void fg_agent_answer_text(struct fg_buffer *out, const char *id, char *bytes, size_t len,
			  bool more);
void fg_agent_answer_message(struct fg_buffer *out, const char *id, char *bytes, size_t len,
			     bool more);
void fg_agent_answer_file(struct fg_buffer *out, const char *id, const char *name, char *bytes,
			  size_t len);
/* status: as waitpid() has it; -1: it has never begun. */
void fg_agent_answer_done(struct fg_buffer *out, const char *id, int status, bool cancelled);
/* id "": null. */
void fg_agent_answer_error(struct fg_buffer *out, const char *id, const struct fg_error *why,
			   uint64_t line);
void fg_agent_answer_pong(struct fg_buffer *out, const char *id);

/* --- base64.c: RFC 4648 section 4. Pure. --- */

void fg_agent_base64_put(struct fg_buffer *out, const char *bytes, size_t len);
/* Padding is required. Returns 0, or -1 if the text is not Base64. */
int fg_agent_base64_read(const char *text, size_t len, struct fg_buffer *out);

/* --- stream.c: what a request writes, cut into answers. Pure, but for the descriptor's end. --- */

enum fg_agent_stream_kind { FG_AGENT_STDOUT, FG_AGENT_STDERR, FG_AGENT_OUTPUT };

struct fg_agent_stream {
	enum fg_agent_stream_kind kind;
	const char *file; /* the name of an FG_AGENT_OUTPUT */
	int fd;		  /* owned; -1: it has ended */
	size_t slot;	  /* in what is polled */
	struct fg_buffer waiting;
	size_t searched; /* bytes of it, in which no line ends */
	bool inside;	 /* a part of this line was handed on */
};

/*
 * Makes answers of what waits, as far as lines are whole or too long; at the end, of all of it.
 * Paths of the request's files become their names.
 */
void fg_agent_stream_answer(struct fg_agent_stream *stream, const struct fg_agent_request *request,
			    bool at_end, struct fg_buffer *out);

/* --- job.c: a request, from its arrival to its end --- */

struct fg_agent_job {
	struct fg_agent_job *next;
	struct fg_agent_request request;
	const struct fg_agent_verb *verb;
	uint64_t line; /* its number */
	size_t bytes;  /* of its line */
	pid_t pid;     /* 0: it waits */
	int pidfd;     /* owned; -1: it waits, or was waited for */
	size_t slot;
	int status;	    /* as waitpid() has it */
	uint64_t reaped_at; /* 0: not yet */
	uint64_t kill_at;   /* SIGKILL is due; 0: it is not */
	bool cancelled;
	bool go;			 /* it was told so: at once, or when it begins */
	struct fg_agent_stream *streams; /* owned */
	size_t stream_count;
};

/* Takes over the request. NULL if memory is short; the request is then still the caller's. */
struct fg_agent_job *fg_agent_job_new(struct fg_agent_request *request);
/* Kills what still runs, and waits for it. */
void fg_agent_job_free(struct fg_agent_job *job);
/* Starts its process. Returns 0, or -1 (FG_ERR_INTERNAL, FG_ERR_UNSUPPORTED): nothing runs. */
int fg_agent_job_start(struct fg_agent_job *job, const struct fg_agent_options *options,
		       struct fg_error *err);
/* SIGINT now, SIGKILL at kill_at. Once. */
void fg_agent_job_cancel(struct fg_agent_job *job, uint64_t kill_at);
/* What it holds back (flowgen inject --hold) may be sent. */
void fg_agent_job_go(struct fg_agent_job *job);
/* Reads what one stream has now, at most a piece. */
void fg_agent_job_read(struct fg_agent_job *job, struct fg_agent_stream *stream,
		       struct fg_buffer *out);
/* Its process has ended: takes its status. */
void fg_agent_job_reap(struct fg_agent_job *job, uint64_t now);
/* Whether it is over: its process has ended, and so has all that it wrote. */
bool fg_agent_job_over(const struct fg_agent_job *job);

#endif
