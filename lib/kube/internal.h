/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kube/internal.h - what the verbs have in common: client.c asks the agents, job.c puts that
 * together with what the cluster says (kubectl/gather.h).
 */
#ifndef FG_KUBE_INTERNAL_H
#define FG_KUBE_INTERNAL_H

#include "base/buffer.h"
#include "cases/cases.h"
#include "cluster/awaiting.h"
#include "cluster/halves.h"
#include "cluster/names.h"
#include "cluster/objects.h"
#include "cluster/resolve.h"
#include "kube/agents.h"
#include "kube/kube.h"
#include "kubectl/gather.h"
#include "kubectl/kubectl.h"
#include "writer/writer.h"

/* Drops the first bytes of a buffer. */
static inline void fg_internal_drop(struct fg_buffer *buffer, size_t bytes)
{
	if (!bytes)
		return;
	memmove(buffer->data, buffer->data + bytes, buffer->len - bytes);
	buffer->len -= bytes;
}

/*
 * --- client.c: requests to agents (doc/agent.schema.json) on many nodes at a time, in one loop.
 * ---
 */

enum fg_request_state { FG_REQUEST_WAITING, FG_REQUEST_SENT, FG_REQUEST_DONE, FG_REQUEST_LOST };

struct fg_request {
	size_t agent;
	json_t *body; /* args, files, outputs; owned; its id is set by the client */
	bool endless; /* it goes on until it is cancelled */
	/*
	 * The requests behind this one that are to be ready before it is sent: they await its
	 * packets on other nodes. They are sent with it or not at all, and cancelled once it is
	 * done and they had time for the end.
	 */
	size_t partners;
	bool partner;  /* this is one of these */
	bool may_hold; /* it gets ready while its partners do (inject --hold) */
	bool held;     /* it was sent so, and not told to go on yet */
	bool prepared; /* its partners were sent, and there is a place for it at its agent */
	bool ready;    /* of a partner: it waits for the packets; of one that is held: it could go
			  on */
	uint64_t cancel_at; /* of a partner: fg_clock_now(); 0: it is not to be cancelled */
	enum fg_request_state state;
	int status;	     /* FG_REQUEST_DONE: flowgen's exit status */
	struct fg_error why; /* FG_REQUEST_LOST */
	uint64_t sent;	     /* fg_clock_now() */
};

struct fg_client {
	struct fg_agents *agents;
	struct fg_request *requests; /* owned */
	size_t count;
	unsigned int parallel; /* on all nodes together */
	/* An answer of the agent to a request, done and error too. Returns 0, or -1 to end. */
	int (*answer)(void *arg, size_t request, const json_t *answer, struct fg_error *err);
	void *arg;
	bool stopped; /* interrupted */
	bool enough;  /* what is known suffices: the rest is cancelled, and missed by nobody */
	bool ending;  /* it has been cancelled */
	/* the first that may be waiting; those that are sent; those that are done or lost */
	size_t next, running, settled;
};

/* A new request with these words, which are copied. Returns it, or NULL. */
struct fg_request *fg_client_add(struct fg_client *client, size_t agent, const char *const *words,
				 struct fg_error *err);

/*
 * Sends all requests, each agent no more at a time than it does, and returns when each is done or
 * lost. An agent that is silent for ten seconds though it was asked, or that ends, loses its
 * requests, and no more than these. When told to stop the requests are cancelled; they end as
 * such. Returns 0 or -1.
 */
int fg_client_run(struct fg_client *client, struct fg_error *err);

/* What a request's partners await will not come: they are cancelled at once. */
void fg_client_give_up(struct fg_client *client, size_t request);
/* All that it and its partners have to say is there: how they end is not waited for. */
void fg_client_settle(struct fg_client *client, size_t request);

void fg_client_free(struct fg_client *client);

struct fg_job;

/* --- ends.c: both ends of what a request sends --- */

/* A node that awaits the packets. */
struct fg_end {
	const char *node; /* borrowed */
	json_t *results;  /* an array; owned; NULL: none came */
	int status;
	char said[300]; /* the last line of its standard error */
};

/* Zeroed is empty. */
struct fg_ends {
	const char *node; /* the sender's; borrowed */
	bool many;	  /* more than one packet is sent */
	bool early;	  /* of one packet the results are all that counts */
	size_t request;	  /* of the client's; those of list are behind it */
	struct fg_end *list;
	size_t count, left; /* left: requests that are not done */
	json_t *sent;	    /* the sender's results; an array; NULL: none came */
	int status;	    /* of the sender's */
};

/* One more node. NULL: memory is short. */
struct fg_end *fg_ends_add(struct fg_ends *ends, const char *node, struct fg_error *err);
/* The client has the sender's request, and behind it one for each node. */
void fg_ends_asked(struct fg_ends *ends, struct fg_client *client, size_t request);
/* An answer to one of them. Returns whether it was the last: then the halves may be joined. */
bool fg_ends_take(struct fg_ends *ends, struct fg_job *job, size_t request, const json_t *line);
/* What that node says of one of the sender's results; who receives it is left to the caller. */
struct fg_half fg_ends_half(const struct fg_ends *ends, const struct fg_client *client,
			    size_t index, const json_t *sent);
/* The halves were joined: what they said is not needed any more. */
void fg_ends_empty(struct fg_ends *ends);
void fg_ends_free(struct fg_ends *ends);

/* --- job.c: what the verbs do alike: names, agents, requests, and the exit status of many --- */

struct fg_job {
	const struct fg_kube *kube;
	char namespace[64];
	struct fg_gather gather;
	struct fg_objects objects, running; /* of names; agents that are there */
	struct fg_agents agents;
	struct fg_client client;
	int status; /* the worst so far */
};

/* Begins. namespaced: some name needs the default namespace. Returns 0 or -1; close it either way.
 */
int fg_job_open(struct fg_job *job, const struct fg_kube *kube, bool namespaced,
		struct fg_error *err);

/* Gathers what was asked for, and the agents that run. */
int fg_job_gather(struct fg_job *job, struct fg_error *err);

/* Starts the agents of the nodes that requests were made for, and runs the requests. */
int fg_job_run(struct fg_job *job, struct fg_error *err);

/* A number to make random fields from. Returns 0 or -1. */
int fg_job_seed(uint64_t *seed, struct fg_error *err);

/* Counts an exit status in: 5, 2, 1, 4, 3, 0, the first that occurs is the job's. */
void fg_job_conclude(struct fg_job *job, int status);
/* A request that was lost: warns, and counts it in. */
void fg_job_lose(struct fg_job *job, const struct fg_error *why);

/* Removes the agents, frees everything. What fails is a warning. */
void fg_job_close(struct fg_job *job);

/* A warning, in one line. */
void fg_job_warn(const struct fg_job *job, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A line of flowgen's standard error on a node. */
void fg_job_say(const struct fg_job *job, const char *node, const char *message);

/* Writes to the output. Returns 0 or -1. */
int fg_job_write(const struct fg_job *job, const struct fg_buffer *text, struct fg_error *err);

/* --- total.c: the results of a scenario from all nodes as one report, in every form that `flowgen
 * run` has --- */

struct fg_total_options {
	const char *output; /* of --output; NULL: text */
	FILE *out;
	const struct fg_report_options *style; /* of text */
	bool quiet;			       /* nothing goes to it */
	const char *paths[FG_WRITER_FORMS];    /* files; NULL: none */
};

/* Zeroed is empty. */
struct fg_total {
	struct fg_cases *cases; /* by file; owned */
	size_t count;
	struct fg_run_writer *writers[FG_WRITER_FORMS + 1]; /* owned */
	size_t writer_count;
	struct fg_run_totals run;
	uint64_t number;
	char lost[254];	   /* the last node that was */
	bool made_unknown; /* a node's answer to a probe was not the whole answer */
};

/* Room for the cases of so many files, which the caller opens. Returns 0 or -1. */
int fg_total_files(struct fg_total *total, size_t count, struct fg_error *err);
/* The cases are open: begins the reports. Returns 0 or -1. */
int fg_total_open(struct fg_total *total, const struct fg_total_options *options,
		  struct fg_error *err);
/* One result of a file; it is changed. Returns 0 or -1. */
int fg_total_take(struct fg_total *total, size_t file, json_t *line, struct fg_error *err);
/* What did not come of a node: inconclusive, each probe. Returns 0 or -1. */
int fg_total_miss(struct fg_total *total, size_t file, const char *node, const char *why,
		  struct fg_error *err);
/* The last line of a node's run. */
void fg_total_node(struct fg_total *total, const json_t *line);
/* A node that was lost is counted. */
void fg_total_lose(struct fg_total *total, const char *node);
int fg_total_end(struct fg_total *total, bool interrupted, struct fg_error *err);
/* 1 if something failed, 4 if something is inconclusive or lost, else 0. */
int fg_total_status(const struct fg_total *total);
void fg_total_close(struct fg_total *total);

#endif
