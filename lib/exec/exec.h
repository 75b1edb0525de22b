/* SPDX-License-Identifier: GPL-2.0-only */
/* exec/exec.h - the order of things: pod, method, twin, programs, command, and what it did. */
#ifndef FG_EXEC_H
#define FG_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "exec/child.h"
#include "exec/divert.h"
#include "exec/dress.h"
#include "probe/probe.h"

struct fg_exec_options {
	const char *ref, *interface; /* as fg_pod_open() has them */
	struct fg_addr src;	     /* of an uplink: the address of the command; else family 0 */
	const char *host_root;
	enum fg_method method; /* auto, peer-egress, host-ingress or bounce */
	struct fg_dress_options dress;
	char *const *argv; /* ends with NULL */
	uint64_t timeout_ns;
	bool last, files; /* as in struct fg_child */
	/* A line for people (what is not as in the pod); called before the command runs. */
	void (*note)(void *arg, const char *text);
	void *note_arg;
	struct fg_child_output *output; /* as struct fg_child has them */
	int cancel_fd;
};

struct fg_asker;

/* Free with fg_exec_free(), before the options go. */
struct fg_exec_done {
	int status;	      /* of the command, or of enum in child.h */
	uint64_t duration_ns; /* of the command */
	enum fg_method method;
	bool outside; /* it was somebody outside: what the uplink is called */
	char uplink[32];
	struct fg_divert_flow *flows;
	size_t flow_count;
	struct fg_asker *asker; /* who asks for what happened to the flows; owned */
	uint64_t flows_made;	/* more than flow_count: the first are not known any more */
	/* Name servers that the command was given; of them answers were only the way to others. */
	struct fg_addr servers[FG_DRESS_SERVERS];
	size_t server_count;
	/* Datagrams of which a fragment came before the first one, and went to the pod. */
	uint64_t early_fragments;
	/* TCP connections that had not ended when flowgen did: what comes later, the pod gets. */
	size_t unfinished;
};

/*
 * Runs the command as the pod. Returns 0, also if it failed; or -1 if it was not run: done->status
 * is then FG_CHILD_FAILED, FG_CHILD_NOT_RUN or FG_CHILD_NOT_FOUND. Nothing is left of it either
 * way.
 */
int fg_exec_run(const struct fg_exec_options *options, struct fg_exec_done *done,
		struct fg_error *err);
void fg_exec_free(struct fg_exec_done *done);

#endif
