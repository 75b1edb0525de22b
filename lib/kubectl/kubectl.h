/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kubectl/kubectl.h - runs kubectl, which knows how to reach a cluster: several at a time, never
 * through a shell, with a deadline, in process groups of their own so that ^C ends flowgen's way
 * and not in the middle of theirs.
 */
#ifndef FG_KUBECTL_H
#define FG_KUBECTL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

struct fg_kubectl;
struct fg_kubectl_call;
struct fg_line;
struct fg_talk;
struct pollfd;

enum fg_kubectl_talk_state {
	FG_KUBECTL_TALKS,
	FG_KUBECTL_TALK_ENDED,
	FG_KUBECTL_TALK_FAILED, /* before an answer: kubectl can be asked instead */
};

/* How calls are made that need no process of their own (kubectl/line.h). */
struct fg_kubectl_way {
	/* Begins to ask for the call's paths, one after the other. NULL: it cannot be. */
	struct fg_talk *(*open)(const struct fg_kubectl *kubectl,
				const struct fg_kubectl_call *call);
	/*
	 * Reads and writes what can be without waiting: from call->input, to call->output and
	 * call->said; call->status is set at the end. Returns 0 and the state, or -1.
	 */
	int (*step)(struct fg_talk *talk, struct fg_kubectl_call *call,
		    enum fg_kubectl_talk_state *state, struct fg_error *err);
	/* The one descriptor to wait for. */
	void (*poll)(const struct fg_talk *talk, const struct fg_kubectl_call *call,
		     struct pollfd *fd);
	void (*close)(struct fg_talk *talk);
};

/* What all calls have in common. */
struct fg_kubectl {
	const char *const *options; /* the user's global options: --context=..., borrowed */
	size_t option_count;
	uint64_t timeout_ns;		  /* of a call that is waited for */
	int stop;			  /* readable: end at once (fg_signals_open()); -1: none */
	const struct fg_kubectl_way *way; /* for calls that have paths; NULL: none */
	struct fg_line *line;		  /* of way; borrowed */
};

/* One kubectl that runs, or a call over the line. FG_KUBECTL_CALL is an empty one. */
struct fg_kubectl_call {
	pid_t pid;			      /* 0: none */
	int in, out, errors;		      /* -1: closed */
	struct fg_buffer input, output, said; /* said: its standard error, a bound part of it */
	size_t written;			      /* of input */
	bool keep_open;			      /* in stays open when the input is written */
	int status;			      /* as waitpid() has it, when it has ended */
	const char *what;		      /* for messages: "pods of shop"; borrowed */
	/*
	 * What the words are for the API server: objects, one after the other (one that does not
	 * exist is left out, so the words have --ignore-not-found), or one command in a pod (then
	 * input and output are its own). Owned; fg_kubectl_add_path().
	 */
	char **paths;
	size_t path_count;
	bool is_command;
	struct fg_talk *talk; /* it goes over the line; owned */
	/* if the line fails: */
	const struct fg_kubectl *kubectl;
	char **words; /* owned */
};
#define FG_KUBECTL_CALL                                                                            \
	{                                                                                          \
		.in = -1, .out = -1, .errors = -1                                                  \
	}

/* The call can go over a line, too: this path more. Returns 0 or -1. */
int fg_kubectl_add_path(struct fg_kubectl_call *call, struct fg_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The text as a part of a path. */
void fg_kubectl_put_escaped(struct fg_buffer *out, const char *text);

/* Whether it has been started and has not ended. */
bool fg_kubectl_runs(const struct fg_kubectl_call *call);

/*
 * Starts kubectl with these words (ends with NULL) and the user's options. What is in call->input
 * becomes its standard input. A call with paths goes over the line instead, if there is one;
 * kubectl is started if that comes to nothing, and so says what is wrong. Returns 0, or -1:
 * FG_ERR_UNSUPPORTED if there is no kubectl.
 */
int fg_kubectl_start(const struct fg_kubectl *kubectl, const char *const *words,
		     struct fg_kubectl_call *call, struct fg_error *err);

/*
 * Reads and writes what can be without waiting. Returns 1 when kubectl has closed its output and
 * ended, else 0, or -1.
 */
int fg_kubectl_step(struct fg_kubectl_call *call, struct fg_error *err);

/* Descriptors to wait for: up to three entries, for poll(2). Returns their number. */
size_t fg_kubectl_poll(const struct fg_kubectl_call *call, struct pollfd *fds);

/*
 * Waits until all have ended. A call that failed is not an error here: fg_kubectl_failed() tells.
 * Returns 0, or -1: FG_ERR_UNSUPPORTED after the timeout, FG_ERR_INCONCLUSIVE if it was told to
 * stop.
 */
int fg_kubectl_wait(const struct fg_kubectl *kubectl, struct fg_kubectl_call *calls, size_t count,
		    struct fg_error *err);

/* Whether it ended with a failure; then err says which, in a person's words. */
bool fg_kubectl_failed(const struct fg_kubectl_call *call, struct fg_error *err);

/* Tells it to end, if it runs; fg_kubectl_close() waits for that. */
void fg_kubectl_stop(struct fg_kubectl_call *call);

/* Ends it if it runs, and frees what it has. */
void fg_kubectl_close(struct fg_kubectl_call *call);

/* Starts, waits and looks: the call is left with its output. Returns 0 or -1. */
int fg_kubectl_run(const struct fg_kubectl *kubectl, const char *const *words,
		   struct fg_kubectl_call *call, struct fg_error *err);

/*
 * Runs kubectl with this process's own standard input, output and error, as a program in front of a
 * person. Returns 0 and its exit status (128 and a signal's number if that ended it), or -1.
 */
int fg_kubectl_terminal(const struct fg_kubectl *kubectl, const char *const *words, int *status,
			struct fg_error *err);

#endif
