/* SPDX-License-Identifier: GPL-2.0-only */
/* run_loop.h - what a run of `flowgen run` holds while it goes on; shared by its parts. */
#ifndef FG_CMD_RUN_LOOP_H
#define FG_CMD_RUN_LOOP_H

#include "guard.h"
#include "run.h"

/* A report serves all probes of one pod and source address. */
struct fg_run_report {
	int pod;
	struct fg_addr src;
	struct fg_subject subject;
	struct fg_report *report; /* owned */
};

/* A packet of a scenario as one pod's device wants it. */
struct fg_run_packet {
	const struct fg_packet_spec *base;
	int pod;
	struct fg_packet_spec spec; /* a copy that owns nothing */
};

/* Where packets cannot be sent to: known once, not asked again. */
struct fg_run_dead_end {
	int pod;
	struct fg_addr src, dst;
	char *why; /* owned */
};

enum { FG_PROOF_UNKNOWN, FG_PROOF_NOT_ASKED, FG_PROOF_GOOD, FG_PROOF_BAD };

/* What is found out once for each block. */
struct fg_block_state {
	struct fg_report *report;
	const struct fg_packet_spec *packet;
	uint8_t proof;
	bool left_out; /* by --only */
	char proof_why[160];
};

/* One probe that is due. */
struct fg_run_entry {
	size_t file;
	struct fg_scenario_block *block;
	uint64_t index;	  /* in the block */
	uint64_t number;  /* in the run */
	int slot;	  /* in the session's window; -1: nothing is sent */
	const char *why;  /* of that */
	char in_use[360]; /* what has the probe's tuple already; why may point here */
};

struct fg_runner {
	struct fg_run_options *options;
	struct fg_session *session;
	struct fg_run_file *files;
	size_t file_count;
	struct fg_run_pods pods;
	struct fg_run_sink sinks[FG_RUN_FORMS + 1];
	size_t sink_count;
	struct fg_run_report *reports;
	size_t report_count;
	struct fg_run_packet **packets;
	size_t packet_count;
	struct fg_run_dead_end *dead_ends;
	size_t dead_end_count;
	struct fg_guard **guards; /* by the pod's number; NULL until it is asked */
	size_t guard_count;
	bool unruly;		      /* --force was needed, and it was said */
	struct fg_run_entry *entries; /* of the window */
	uint32_t entry_count, sendable, room;
	struct fg_case_counts counts;
	uint64_t round, next_number;
	int signals;
	bool stopped;  /* --fail-fast */
	bool progress; /* it was drawn */
};

/* Prepares the block for sending: its packet and its report. Returns 0 or -1. */
int fg_run_prepare_block(struct fg_runner *run, struct fg_run_file *file,
			 struct fg_scenario_block *block, struct fg_error *err);

/*
 * Whether a probe disturbs no socket of its pod; what was chosen at random by the plan is chosen again where it would. Returns 0;
 * 1 where the probe is not to be sent, with entry->why; or -1.
 */
int fg_run_admit(struct fg_runner *run, struct fg_run_entry *entry, const struct fg_plan *plan,
		 struct fg_probe_spec *spec, struct fg_error *err);

/* Sockets are listed once; from here on, anew. */
void fg_run_guards_close(struct fg_runner *run);

/*
 * Looks anew at the pods whose programs changed in the round before. One that cannot be had any more is left out from then on,
 * with the reason. Returns 0 or -1.
 */
int fg_run_renew(struct fg_runner *run, struct fg_error *err);

/* Sends all entries of the window, and hands on their results, in order. Returns 0 or -1. */
int fg_run_window(struct fg_runner *run, struct fg_error *err);

/* Finds the pods of all files, lays their probes out, and leaves out what --only does not name.
 * Returns 0 or -1. */
int fg_run_lay_out(struct fg_runner *run, struct fg_error *err);

/* All rounds. Returns 0 or -1. */
int fg_run_rounds(struct fg_runner *run, struct fg_error *err);

/* Whether a signal asks to stop. */
bool fg_run_cancelled(const struct fg_runner *run);

#endif
