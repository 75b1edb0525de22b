/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe/names.h - the words: the field's and the kernel's names of hooks, return values, verdicts
 * and outcomes. Pure.
 */
#ifndef FG_NAMES_H
#define FG_NAMES_H

#include "probe/probe.h"

const char *fg_hook_name(enum fg_hook hook);	   /* "tcx/egress" */
const char *fg_side_name(enum fg_side side);	   /* "pod", "host" */
const char *fg_method_name(enum fg_method method); /* "peer-egress"; "auto" */
const char *fg_verdict_name(enum fg_verdict verdict);
const char *fg_outcome_name(enum fg_outcome outcome);
const char *fg_evidence_name(enum fg_evidence evidence);
const char *fg_expect_name(enum fg_expect expect);
const char *fg_expect_reached_name(enum fg_expect expect); /* once it is met: "denied" */

/* "syn-ack", "icmp-error"; NULL for none. */
const char *fg_reply_name(enum fg_reply_kind kind);

/*
 * The value by its name. Returns 0, or -1 with FG_ERR_USAGE that names `what` and lists the words.
 * An expectation's words are those of scenarios: "allow" is met by every verdict but denied,
 * "allowed" by the verdict allowed alone; "deny" and "denied" are the same.
 */
int fg_method_parse(const char *what, const char *text, enum fg_method *out, struct fg_error *err);
int fg_expect_parse(const char *what, const char *text, enum fg_expect *out, struct fg_error *err);

/* What the kernel does with a return value of a program at a hook. */
enum fg_effect {
	FG_EFFECT_NEXT, /* the next program runs */
	FG_EFFECT_PASS, /* accepted: no further program of this hook */
	FG_EFFECT_DROP,
	FG_EFFECT_REDIRECT,
	FG_EFFECT_TAKEN, /* the program keeps the packet (stolen, queued, trapped) */
};

/*
 * The effect of retval, and in *name the kernel's name of it, as the kernel reads it at that hook
 * (tcx_action_code, cls_bpf_exec_opcode, netkit_xmit, bpf_prog_run_xdp): for a value that a hook
 * does not know, what the hook does with it. name may be NULL.
 */
enum fg_effect fg_action_read(enum fg_hook hook, int retval, const char **name);

#endif
