/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kube/agents.h - flowgen on the nodes: one pod on each node that is needed, made, waited for,
 * talked to by `kubectl exec`, and removed. Those of a DaemonSet are used where they run.
 */
#ifndef FG_KUBE_AGENTS_H
#define FG_KUBE_AGENTS_H

#include <jansson.h>

#include "cluster/objects.h"
#include "kubectl/kubectl.h"

#define FG_AGENTS_LABEL "app.kubernetes.io/name=flowgen,app.kubernetes.io/component=agent"
#define FG_AGENTS_RUN "flowgen.run" /* the label of the pods that one client made */

struct fg_agents_options {
	const char *namespace, *image;
	unsigned int deadline_s; /* of the pods: then the kubelet ends them */
	uint64_t start_ns;	 /* how long they may take to start */
	bool daemonset;		 /* where none runs, a DaemonSet is made, and stays */
};

struct fg_agent {
	char node[254], pod[254];
	struct fg_kubectl_call call;
	bool made;	/* by this client */
	bool ready;	/* its pod runs */
	bool connected; /* it has said what it is */
	bool goes;	/* it can tell a request to go on */
	bool failed;
	struct fg_error why; /* if it failed; or what it waits for */
	uint64_t heard;	     /* fg_clock_now() of its last words */
	uint64_t asked;	     /* of the oldest words to it since then; 0: none */
	size_t line_bytes;   /* as long a line it reads; 0: it has not said */
	unsigned int parallel, running;
};

struct fg_agents {
	const struct fg_kubectl *kubectl;
	struct fg_agents_options options;
	char run[20];
	struct fg_agent *list; /* owned */
	size_t count;
	bool made;	  /* there is something to remove */
	uint64_t made_ns; /* fg_clock_now(), when its pods were */
	bool silent;	  /* nobody talks to them: only their pods are needed */
};

/* The agent of a node, added if there is none yet. Returns its index, or -1. */
ptrdiff_t fg_agents_need(struct fg_agents *agents, const char *node, struct fg_error *err);

/* This node is not to be asked: its requests are lost, and why. */
void fg_agents_refuse(struct fg_agents *agents, size_t index, const struct fg_error *why);

/*
 * Makes the pods that are missing and waits until each is ready, or has failed (then its `failed`
 * is set). running: pods of agents that are there (FG_AGENTS_LABEL). Starts to talk to those that
 * are ready. Returns 0, or -1 if none of them could be had.
 */
int fg_agents_start(struct fg_agents *agents, const struct fg_objects *running,
		    struct fg_error *err);

/* Whether the deadline of the pods that were made has passed: the kubelet ended them. */
bool fg_agents_are_over(const struct fg_agents *agents);

/* Ends what was said, removes the pods that were made. What fails there is told by err. */
int fg_agents_close(struct fg_agents *agents, struct fg_error *err);

/* Removes all pods of agents of all clients in the namespace, and a DaemonSet's too. */
int fg_agents_cleanup(const struct fg_kubectl *kubectl, const char *namespace,
		      struct fg_buffer *said, struct fg_error *err);

#endif
