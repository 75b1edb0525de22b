/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/agent.h - `flowgen agent`: requests and answers as lines of JSON, each request a process of
 * flowgen's own. doc/agent.schema.json is the protocol.
 */
#ifndef FG_AGENT_H
#define FG_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A verb that requests may use, and which of the options that the agent adds it has. */
struct fg_agent_verb {
	const char *name;
	bool output;	/* --output json */
	bool host_root; /* --host-root DIR */
	bool commands;	/* it runs commands of the client's, which are not confined */
};

struct fg_agent_options {
	const struct fg_agent_verb *verbs;
	size_t verb_count;
	const char *version;
	const char *node;      /* NULL: nobody has said it */
	const char *host_root; /* for requests that name none; NULL or "": none */
	unsigned int parallel; /* requests that run at a time, at least 1 */
	uint64_t deadline_ns;  /* ends by itself after this time; 0: never */
	uint64_t idle_ns;      /* ends if nothing is said for so long; 0: never */
	uint64_t grace_ns;     /* between SIGINT and SIGKILL */
	bool hold;	       /* reads nothing: waits for its end */
};

enum fg_agent_end {
	FG_AGENT_END_INPUT, /* the end of the input, or a request to end */
	FG_AGENT_END_DEADLINE,
	FG_AGENT_END_IDLE,
	FG_AGENT_END_SIGNAL, /* SIGINT, SIGTERM or SIGHUP */
};

/* What an agent came to. */
struct fg_agent_outcome {
	enum fg_agent_end end;
	size_t cut_short; /* requests that its end has cancelled */
};

/*
 * Reads requests from standard input and answers on standard output, until one of the ends above.
 * Signals that end it are blocked from then on. Nothing that it has started is left when it
 * returns, and if it is killed the kernel kills that. Returns 0, or -1 with FG_ERR_INTERNAL: the
 * answers cannot be written, nobody reads them, or memory is short.
 */
int fg_agent_run(const struct fg_agent_options *options, struct fg_agent_outcome *outcome,
		 struct fg_error *err);

#endif
