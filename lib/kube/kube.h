/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kube/kube.h - flowgen over a cluster: names become pods and addresses, agents on their nodes do
 * what a person at the node would, and their answers become one.
 */
#ifndef FG_KUBE_H
#define FG_KUBE_H

#include <stdio.h>

#include "kube/agents.h"
#include "suite/case.h"

/* What all verbs are given. All texts are borrowed. */
struct fg_kube {
	struct fg_kubectl kubectl;
	const char *namespace; /* -n; NULL: that of kubectl's context */
	const char *selector;  /* -l; NULL: all pods */
	bool all_namespaces;   /* -A: namespace is NULL */
	bool every_pod;	       /* run --record without a file: not one of each workload */
	const char *domain;    /* the cluster's */
	struct fg_agents_options agents;
	unsigned int parallel;
	const char *const *words; /* what the verb is called with on a node, its options; ends with
				     NULL */
	const char *const *operands; /* of words: files; ends with NULL */
	const char *output;	     /* --output; NULL: not given */
	bool text;		     /* --output text, or the verb's own default */
	FILE *out;
	struct fg_report_options style; /* of text */
	void (*warn)(const char *text);
	void (*say)(const char *text); /* what flowgen on a node wrote to standard error */
};

/* Names, as the command line has them; NULL: none was given. */
struct fg_kube_ends {
	const char *pod, *dst;
	const char *protocol; /* --proto */
};

/* The verb by that name. Returns 0 and the exit status, or -1. */
int fg_kube_verb(const struct fg_kube *kube, const char *verb, const struct fg_kube_ends *ends,
		 int *status, struct fg_error *err);

/* Each returns 0 and the exit status (flowgen(8)), or -1. Agents are removed in either case. */

/*
 * inject: pod is the sender's name, dst the receiver's (NULL: the words say what is sent, as
 * --pcap does), protocol what --proto says (NULL: nothing).
 */
int fg_kube_inject(const struct fg_kube *kube, const char *pod, const char *dst,
		   const char *protocol, int *status, struct fg_error *err);

/*
 * catch: pod is who receives, dst an address that is caught (NULL: any). What comes is written line
 * by line, until it is interrupted.
 */
int fg_kube_catch(const struct fg_kube *kube, const char *pod, const char *dst, int *status,
		  struct fg_error *err);

/*
 * exec: the command in kube->words runs on the pod's node, with this terminal. The exit status is
 * the command's.
 */
int fg_kube_exec(const struct fg_kube *kube, const char *pod, int *status, struct fg_error *err);

/*
 * run: the scenario files in kube->operands, each probe on the node of its sender. One report over
 * all nodes, in the forms that `flowgen run` has. With --record among the words: the file with what
 * was seen; without a file, the matrix of the namespace.
 */
int fg_kube_run(const struct fg_kube *kube, int *status, struct fg_error *err);

/* pods, and check of each node: of all, or of the namespace and the labels. */
int fg_kube_pods(const struct fg_kube *kube, int *status, struct fg_error *err);
int fg_kube_check(const struct fg_kube *kube, int *status, struct fg_error *err);

/* Removes all agents of all clients. */
int fg_kube_cleanup(const struct fg_kube *kube, int *status, struct fg_error *err);

#endif
