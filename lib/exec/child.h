/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec/child.h - the command as a process: in pid, mount, UTS and network namespaces of its own,
 * all of which end with flowgen, SIGKILL included.
 */
#ifndef FG_EXEC_CHILD_H
#define FG_EXEC_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "exec/dress.h"

/* As env(1), timeout(1) and container engines have them. */
enum {
	FG_CHILD_TIMEOUT = 124,
	FG_CHILD_FAILED = 125,	  /* flowgen itself */
	FG_CHILD_NOT_RUN = 126,	  /* the command cannot be run */
	FG_CHILD_NOT_FOUND = 127, /* there is no such command */
	FG_CHILD_BY_SIGNAL = 128, /* plus the signal's number */
};

/* What the command wrote to standard output and standard error, in their order. */
struct fg_child_output {
	char *data; /* owned; with a NUL at its end, and '.' in place of others; NULL: nothing */
	size_t len;
	bool cut; /* there was more */
};
#define FG_CHILD_OUTPUT_MAX (1U << 20)

struct fg_child {
	int netns;
	const struct fg_dress *dress;
	char *const *argv;   /* ends with NULL */
	uint64_t timeout_ns; /* then SIGTERM, and after five seconds SIGKILL; 0: none */
	/*
	 * NULL: the terminal, the signals and the streams are the command's. Else it gets none of
	 * them, and is ended as if its time were over when cancel_fd becomes readable.
	 */
	struct fg_child_output *output;
	int cancel_fd; /* -1: none; only with output */
	/* Called several times a second while the command runs; NULL: not. */
	void (*tick)(void *arg);
	void *tick_arg;
	/*
	 * The process does nothing else afterwards, but to tell of it: it is confined from when the
	 * command starts (host/confine.h). files: a report is put into its place then.
	 */
	bool last, files;
};

/*
 * Runs the command and waits for it. It stays in the caller's process group: what the terminal
 * sends (^C, ^Z) reaches it; SIGTERM, SIGHUP and the like that are sent to flowgen are passed on.
 * Processes that it leaves behind are ended with it. Returns 0 and the exit status, or -1 if it was
 * not started: *status is then one of those above.
 */
int fg_child_run(const struct fg_child *child, int *status, struct fg_error *err);

#endif
