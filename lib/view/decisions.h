/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * view/decisions.h - everything that could decide about a packet on its path, in the order in which
 * it meets it: programs, filters, netfilter, and what ended it.
 */
#ifndef FG_DECISIONS_H
#define FG_DECISIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/probe.h"

enum fg_decided {
	FG_DECIDED_UNKNOWN, /* not met, or not known */
	FG_DECIDED_NEXT,    /* nothing: the next one decides */
	FG_DECIDED_PASSED,
	FG_DECIDED_REDIRECTED,
	FG_DECIDED_DENIED,
	FG_DECIDED_KEPT,    /* the program took the packet */
	FG_DECIDED_DROPPED, /* not by policy */
	FG_DECIDED_REFUSED, /* by the pod's own kernel, before there was a packet */
};

struct fg_decision {
	enum fg_stage stage;
	enum fg_kind kind;
	const struct fg_program *program; /* or filter, of the ladder; NULL: something else */
	size_t index;			  /* of it, among the ladder's programs or filters */
	uint32_t netns;			  /* where; 0: not known */
	int ifindex;			  /* 0: at no device, or not known */
	enum fg_ran met;
	enum fg_decided decided;
	enum fg_evidence evidence;
	const struct fg_step *step; /* programs; NULL: not judged */
	bool end;		    /* this ended the packet, with result->drop_code */
	bool intercepted;	    /* not met, as flowgen intercepted the packet before it */
};

/* All programs, as many filters, netfilter of the node and of both pods, and the end. */
#define FG_DECISIONS_MAX (2 * FG_LADDER_MAX + 4)

/*
 * Lists them in out; the programs and filters in it are the context's. Filters that do not fit
 * are left out. Returns how many.
 */
size_t fg_decisions_list(const struct fg_context *context, const struct fg_result *result,
			 struct fg_decision out[FG_DECISIONS_MAX]);

/* Whether programs or filters of the receiving pod were not met, as flowgen intercepted before. */
bool fg_decisions_intercepted(const struct fg_context *context, const struct fg_result *result);

/* "denied", "next", ...; NULL if nothing is known. */
const char *fg_decision_word(enum fg_decided decided);

/*
 * What a decision said, as the kernel calls it: the return value's name, or the drop reason; buf is
 * used if it has none. NULL: nothing was seen.
 */
const char *fg_decision_said(const struct fg_context *context, const struct fg_result *result,
			     const struct fg_decision *decision, char *buf, size_t size);

/*
 * Who decides there, for people: "policy_2 (tcx/ingress on lxc1)", "netfilter (table inet filter,
 * chain forward, rule handle 7)", "route". Returns buf.
 */
const char *fg_decision_what(const struct fg_context *context, const struct fg_result *result,
			     const struct fg_decision *decision, char *buf, size_t size);
#define FG_DECISION_WHAT_LEN 1000

/* Who denied the other packet, in the same words. Returns buf. */
const char *fg_decision_alike(const struct fg_alike *alike, char *buf, size_t size);

/*
 * The decision that ended the packet: what denied or dropped it. Returns false if nothing did.
 */
bool fg_decision_end(const struct fg_context *context, const struct fg_result *result,
		     struct fg_decision *out);

/* "policy_2 (tcx/ingress on lxc1)". Returns buf. */
const char *fg_decision_program_text(const struct fg_program *program, char *buf, size_t size);
#define FG_DECISION_PROGRAM_LEN 160

/*
 * Programs that ran, and of these the ones that decided: returned "accepted" or "redirect", and not
 * "ask the next one".
 */
struct fg_decision_counts {
	size_t ran, decided;
	size_t unseen; /* ran, but what they returned was not seen */
};
struct fg_decision_counts fg_decisions_count(const struct fg_context *context,
					     const struct fg_result *result);

#endif
