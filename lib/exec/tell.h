/* SPDX-License-Identifier: GPL-2.0-only */
/* exec/tell.h - the report: what the command did, flow by flow, and who decided. */
#ifndef FG_EXEC_TELL_H
#define FG_EXEC_TELL_H

#include "base/buffer.h"
#include "exec/exec.h"
#include "probe/flows.h"

struct fg_tell {
	bool all; /* every flow; else only those that got no answer, or a refusal */
	const struct fg_flows_expect *expect; /* NULL: nothing */
};

/* Free with fg_tell_free(). */
struct fg_told {
	struct fg_buffer records; /* a JSON object for each flow */
	struct fg_buffer text;
	struct fg_buffer notes; /* lines on what neither of them has */
	enum fg_flows_met met;
	char why[240];		 /* what is not as expected, or not known; empty: nothing */
	enum fg_flows_word seen; /* what holds for all flows; FG_FLOWS_ANY: neither, or none */
};

/*
 * Sends the probes that are needed, and makes the report. Returns 0 or -1. told->met is
 * FG_FLOWS_UNKNOWN too if a rule fits no flow, as if the command sent nothing.
 *
 * allow: each flow was answered; or it was refused, or is UDP, and a probe to where it went arrives
 * and nobody denies it. Other flows without an answer are unknown: the return path may have failed.
 * deny: none was answered, and the probe is denied.
 * A question to one of the command's name servers that was answered is left out if the rule says
 * nothing of where: it was needed to begin.
 */
int fg_tell(const struct fg_exec_options *options, const struct fg_exec_done *done,
	    const struct fg_tell *what, struct fg_told *told, struct fg_error *err);
void fg_tell_free(struct fg_told *told);

#endif
