/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * listing/exec.h - what a command did as a pod, flow by flow, for programs (a JSON object a line,
 * doc/exec.schema.json) and for people. Pure.
 */
#ifndef FG_LISTING_EXEC_H
#define FG_LISTING_EXEC_H

#include "base/buffer.h"
#include "base/error.h"
#include "bpf/exec_flow.h"
#include "probe/probe.h"
#include "report/origin.h"

/* What the command got. */
enum fg_exec_got {
	FG_EXEC_ANSWERED,
	FG_EXEC_RESET,	    /* a TCP reset was all */
	FG_EXEC_ICMP_ERROR, /* an ICMP error was all */
	FG_EXEC_UNANSWERED,
	FG_EXEC_SILENCED, /* answered at first, then no more: a policy that changed, perhaps */
	FG_EXEC_NOT_SENT, /* the pod itself uses this tuple */
};
enum fg_exec_got fg_exec_got(const struct fg_exec_flow *flow, const struct fg_exec_state *state);

/* One of the flow's addresses: flow->local or flow->remote. */
struct fg_addr fg_exec_addr(const struct fg_exec_flow *flow, const uint8_t bytes[16]);

/* A probe to where the flow went. */
struct fg_exec_probe {
	uint64_t at_ns; /* CLOCK_MONOTONIC */
	bool during;	/* while the command ran; else after it had ended */
	enum fg_verdict verdict;
	enum fg_outcome outcome;
	bool arrived;
	char *json;	/* the result, an object of doc/result.schema.json; owned */
	char *headline; /* owned */
};

struct fg_exec_row {
	const struct fg_origin *origin; /* the run that the command was started by */
	const char *pod;		/* as the user named it */
	const struct fg_exec_flow *flow;
	const struct fg_exec_state *state;
	const char *drop_reason, *drop_device; /* names; NULL or empty: not known */
	bool drop_in_pod;		       /* the device is; else in the host */
	uint64_t realtime;		       /* what to add to times for CLOCK_REALTIME */
	const struct fg_exec_probe *probe;     /* NULL: none was sent */
};

/* Appends one flow, with its newline. Returns 0, or -1 if memory is short. */
int fg_exec_json(const struct fg_exec_row *row, struct fg_buffer *out, struct fg_error *err);
int fg_exec_text(const struct fg_exec_row *row, struct fg_buffer *out, struct fg_error *err);

#endif
