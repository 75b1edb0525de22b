/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe/trace.h - what was seen of a probe, in order. The collector fills it, the judge reads it.
 */
#ifndef FG_TRACE_H
#define FG_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

/* One observation. */
struct fg_observation {
	uint64_t time_ns; /* since injection */
	struct fg_event event;
	/* of event.aux if that is an address: "name+offset/size"; borrowed, may be NULL */
	const char *symbol;
	int8_t flow; /* index into the trace's flows; -1: as before */
};

#define FG_TRACE_FLOWS 6

enum fg_presence { FG_PRESENCE_UNKNOWN, FG_PRESENCE_NO, FG_PRESENCE_YES };

/* How far the run counter of a program moved for one packet alone. */
struct fg_trace_runs {
	uint32_t times; /* FG_RUNS_UNKNOWN if that is not known */
	uint64_t ns;
};
#define FG_RUNS_UNKNOWN UINT32_MAX

/* Section 3: what was seen of it, in order. */
struct fg_trace {
	struct fg_observation *list; /* owned; fg_trace_free() */
	size_t room;		     /* in list */
	uint32_t count;
	uint64_t injected_ns; /* CLOCK_MONOTONIC; 0: the inject program has not reported it */
	uint64_t sent_ns;     /* when the sender wrote it */
	/*
	 * What its window lacks: events that found the ring full, and records that match no probe
	 * of it, so that one of this probe may be missing. All traces of a window have the same.
	 */
	uint64_t lost, strays;
	uint32_t window;    /* its number in the session, from 1; 0: none */
	bool done;	    /* its end has been seen; else time ran out */
	bool changed;	    /* the programs on the path changed meanwhile */
	bool receiver_gone; /* changed: because the receiver's device has gone */
	bool unsent;	    /* the kernel did not take the frame */
	bool fragment;	    /* it was sent as one */
	bool left_node;	    /* it was seen on another node, which is not of the trace */
	bool metadata; /* native XDP at an uplink gave it metadata, which it does not carry on */
	bool answered; /* reply holds the first reply */
	/* what came as a reply, but does not fit the packet (fg_answer_fits()) */
	uint32_t misfits;
	bool heard; /* a reply that fits was seen, wherever that was */
	/* nothing distinguishes what was seen of replies from what was seen of others */
	bool mixed;
	/* by enum fg_piece_kind: bytes of payload that its pieces add up to; 0: cannot be cut so */
	uint32_t whole[2];
	struct fg_event_reply reply;
	uint8_t flow_count;
	struct fg_wire_flow flows[FG_TRACE_FLOWS];
	/* whether a rule or chain of nf_tables dropped it; only where these were traced */
	enum fg_presence rule;
	struct fg_trace_runs *runs; /* of each program of the ladder; borrowed; NULL: not counted */
};

void fg_trace_reset(struct fg_trace *trace);
void fg_trace_free(struct fg_trace *trace);

/* What the windows of many traces lack. Zeroed is none. */
struct fg_trace_losses {
	uint64_t lost, strays;
	uint32_t window;
};

/* Adds those of a trace's window, once: traces of one window come one after the other. */
void fg_trace_losses_add(struct fg_trace_losses *losses, const struct fg_trace *trace);

/* Appends an observation. Returns it, or NULL when memory is short. */
struct fg_observation *fg_trace_add(struct fg_trace *trace, const struct fg_event *event);

#endif
