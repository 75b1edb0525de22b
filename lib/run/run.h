/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run/run.h - the one engine behind every verb that sends probes. A run goes like this:
 *
 *     source --> preflight checks --> session: one window --> judged probes --> expectation -->
 * writers
 *
 * A source gives out the probes that are due: those of a plan, the packets of a capture, the blocks
 * of scenarios. The preflight checks keep them away from live connections. The session sends a
 * window of them and judges it. Each judged probe then meets its controls and what was expected of
 * it, and goes to every writer. The engine adds pace, rounds, --until, and one way to end, whatever
 * ended the run.
 *
 * Source, session and writers are reached through ops structs, so that the engine can be tested
 * with fakes of them (tests/unit/run). Nothing here reads a command line or prints: the verb
 * passes streams and callbacks.
 */
#ifndef FG_RUN_H
#define FG_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "probe/plan.h"
#include "suite/case.h"
#include "scenario/scenario.h"
#include "session/session.h"
#include "suite/proof.h"

struct fg_run;

/* How far a run has come. */
struct fg_run_progress {
	uint64_t done, planned; /* probes; planned UINT64_MAX: without end, or not known */
	bool judged;		/* one was, with these */
	enum fg_verdict verdict;
	enum fg_outcome outcome;
};

/* A sign that a watch goes on. */
struct fg_run_beat {
	const char *time;		     /* RFC 3339 */
	uint64_t round;			     /* the last one that was begun */
	uint64_t changes;		     /* that were told since the first round */
	const struct fg_case_counts *counts; /* of that round */
	bool due;			     /* the time that was asked for has passed */
};

/* What a run reports to its verb while it is running. Any may be NULL. */
struct fg_run_ui {
	/* After each round of a watch, and when it is due. */
	void (*beat)(void *arg, const struct fg_run_beat *beat);
	void (*warn)(void *arg, const char *text);
	/* NULL: it is to be erased, because results follow */
	void (*progress)(void *arg, const struct fg_run_progress *progress);
	void *arg;
};

/* --- sources --- */

/* A command that is due: a probe of a scenario. */
struct fg_run_job {
	const char *ref, *interface; /* of its pod; interface "": any */
	enum fg_method method;
	const char *host_root;
	const struct fg_scenario_command *command;
	int cancel_fd; /* readable: it is to end */
	struct fg_run_ui ui;
	void *arg; /* of struct fg_run_live_options */
};

/*
 * Runs it, and says what it did: free with fg_scenario_ran_free(), also after an error. Returns 0,
 * also if the command cannot be started; or -1: FG_ERR_USAGE and FG_ERR_UNSUPPORTED if no command
 * can be this pod.
 */
typedef int (*fg_run_job_fn)(const struct fg_run_job *job, struct fg_scenario_ran *ran,
			     struct fg_error *err);

/* One probe that is due. The source fills it in; what it points to is valid until the next fill. */
struct fg_run_item {
	struct fg_probe_spec spec;  /* spec.control: it is sent with the others, and not reported
				     */
	const struct fg_plan *plan; /* whose random choices may be made again; NULL: none */
	const struct fg_scenario_expect *expect;   /* NULL: only that its end is seen */
	const struct fg_report *report;		   /* of its pod; see fg_run_report() */
	const char *skip;			   /* why nothing is sent; NULL: it is */
	const struct fg_scenario_command *command; /* in place of a packet, alone in its window */
	/* of a scenario; else zero */
	const struct fg_scenario *scenario;
	const struct fg_scenario_block *block;
	uint64_t index; /* in the block */
	size_t file;	/* which of the scenarios */
	/* the engine's own */
	int slot;	    /* in the session's window; -1: nothing is sent */
	char obstacle[360]; /* what has the probe's tuple already, or its route; skip may point here
			     */
};

struct fg_run_source;

struct fg_run_source_ops {
	/* Adds its pods to the session, and sets `planned`. Returns 0 or -1. */
	int (*open)(struct fg_run_source *source, struct fg_run *run, struct fg_error *err);
	/* A round begins, from 1. Returns 0 or -1. */
	int (*begin)(struct fg_run_source *source, uint64_t round, uint64_t now_ns,
		     struct fg_error *err);
	/*
	 * Fills the items that are due now, at most room, and as many controls before them as the
	 * source has said (`beside`). Returns how many; 0: none before *due_ns (UINT64_MAX: the
	 * round is over); or -1. items are zeroed.
	 */
	int (*fill)(struct fg_run_source *source, struct fg_run_item *items, uint32_t room,
		    uint64_t now_ns, uint64_t *due_ns, struct fg_error *err);
	/*
	 * May be NULL. The index-th probe ahead of time, if it can be refused before anything is
	 * sent. Returns false if there is none.
	 */
	bool (*peek)(struct fg_run_source *source, uint64_t index, struct fg_run_item *item);
	/* May be NULL. The result of the item's controls, which were all judged before it. */
	const struct fg_proof_state *(*proof)(struct fg_run_source *source,
					      const struct fg_run_item *item);
	/*
	 * May be NULL. An item was judged. Returns whether it differs from the round before; how,
	 * is then in c->change.
	 */
	bool (*judged)(struct fg_run_source *source, const struct fg_run_item *item,
		       struct fg_case *c);
	/* May be NULL. What was made from this pod, such as its report, is out of date. */
	void (*forget)(struct fg_run_source *source, int pod);
	/* May be NULL. The run is over, with these counts, and the writers are about to end. */
	void (*end)(struct fg_run_source *source, const struct fg_case_counts *counts);
	void (*close)(struct fg_run_source *source);
};

struct fg_run_source {
	const struct fg_run_source_ops *ops;
	uint64_t planned;     /* probes of one round; UINT64_MAX: without end, or not known */
	uint32_t beside;      /* controls that are sent with each window */
	uint32_t at_once;     /* probes in one window at most; 0: as many as fit */
	bool leaves_out;      /* what cannot be sent is left out; else the run fails */
	bool joins_fragments; /* a probe is as good as the worst of its fragments; else each counts
			       */
};

/* --- the session, as far as the engine sees it --- */

struct fg_run_session_ops {
	/* As those of session/session.h. */
	int (*add_pod)(void *self, const char *ref, const char *interface, enum fg_method wanted,
		       struct fg_error *err);
	int (*renew_pod)(void *self, int pod, struct fg_error *err);
	const struct fg_pod *(*pod)(void *self, int pod); /* NULL: it is not looked at */
	const struct fg_context *(*context)(void *self, int pod);
	struct fg_probe *(*window)(void *self, uint32_t *room);
	int (*send)(void *self, uint32_t *count, struct fg_error *err);
	/* As fg_session_route(). May be NULL: then the spec stays as the source made it. */
	int (*route)(void *self, struct fg_probe_spec *spec, struct fg_error *err);
	/* As fg_guard_admit() and fg_guard_leftovers(), for the spec's pod. */
	int (*admit)(void *self, const struct fg_plan *plan, struct fg_probe_spec *spec,
		     struct fg_error *err);
	int (*leftovers)(void *self, struct fg_probe *probes, uint32_t count, bool tidy,
			 struct fg_error *err);
	/*
	 * How many probes the next window may have, of those that are left at most (UINT64_MAX: not
	 * known). May be NULL: as many as there is room for.
	 */
	uint32_t (*at_once)(void *self, uint64_t left);
	/* Runs a command as a pod of the session. NULL: it cannot. */
	int (*command)(void *self, int pod, enum fg_method method,
		       const struct fg_scenario_command *command, struct fg_scenario_ran *ran,
		       struct fg_error *err);
	/* Time has passed: what is in use must be asked again. */
	void (*forget_flows)(void *self);
	uint64_t (*now)(void *self); /* CLOCK_MONOTONIC, nanoseconds */
	/* Until the time, or a little earlier, or a signal. Returns 0 or -1. */
	int (*wait)(void *self, uint64_t until_ns, struct fg_error *err);
	bool (*cancelled)(void *self);
	int (*cancel_fd)(void *self); /* readable once it is; NULL: nothing cancels it */
	/*
	 * All is set up: the process gives up what the rest does not need (host/confine.h); files:
	 * writers put files into their places. NULL: nothing is given up. Returns 0 or -1.
	 */
	int (*confine)(void *self, bool files, struct fg_error *err);
	struct fg_host *(*host)(void *self); /* NULL: there is no host to find pods on */
	void (*close)(void *self);
};

struct fg_run_session {
	const struct fg_run_session_ops *ops;
	void *self;
};

/* --- the engine --- */

/* --until: when it was met. Times are CLOCK_MONOTONIC. */
struct fg_run_until {
	enum fg_expect what; /* FG_EXPECT_NOTHING: it was not asked for */
	bool met;
	uint64_t probes;			/* that the kernel took */
	uint64_t first_ns, previous_ns, met_ns; /* the first probe, the last before, the one */
};

/* The totals of a run. */
struct fg_run_totals {
	struct fg_case_counts counts;
	struct fg_run_until until;
	bool cancelled; /* a signal came; counts.interrupted: and it was not the intended end
			 */
	bool unjudged;	/* nothing was expected: --dry-run, --record */
	bool expecting; /* something is expected of each: without any, that is not known */
};

enum fg_run_conclusion {
	FG_RUN_AS_EXPECTED,
	FG_RUN_UNEXPECTED,
	FG_RUN_INCONCLUSIVE,
	FG_RUN_NOTHING_SENT
};

/* The conclusion of a whole run. Unexpected results take precedence over inconclusive ones. */
enum fg_run_conclusion fg_run_conclude(const struct fg_run_totals *totals);

struct fg_run_writer;

struct fg_run_options {
	const struct fg_run_session *session;
	struct fg_run_source *source;
	struct fg_run_writer *const *writers;
	size_t writer_count;
	struct fg_report_options style;
	struct fg_run_ui ui;
	bool files;		  /* there are writers that write to files */
	uint64_t rounds;	  /* 0 is 1 */
	bool watch;		  /* round after round until a signal; only changes are reported */
	uint64_t interval_ns;	  /* between the rounds of a watch */
	uint64_t heartbeat_ns;	  /* of a watch: ui.beat() is due this often; 0: never */
	uint64_t duration_ns;	  /* no probe is sent later; 0: no limit */
	enum fg_expect until;	  /* until a probe meets this; only changes are reported */
	uint64_t parallel;	  /* probes at a time; 0: as many as the session takes */
	bool endless;		  /* a signal is the intended end */
	bool fail_fast;		  /* stop at the first that is not as expected */
	bool strict;		  /* what cannot be sent is not as expected */
	bool force;		  /* send also what a live connection uses */
	bool leftovers, tidy;	  /* look for what probes leave behind; and remove it */
	bool same_programs;	  /* pods are not looked at again when their programs change */
	bool unjudged, expecting; /* see struct fg_run_totals */
};

/*
 * Runs it. Once probes were sent, the writers end in any case: what came before a failure is
 * written, and the failure is reported last. The caller closes source, session and writers. Returns
 * 0 or -1.
 */
int fg_run(const struct fg_run_options *options, struct fg_run_totals *totals,
	   struct fg_error *err);

/* --- for sources --- */

const struct fg_run_session *fg_run_session(const struct fg_run *run);

/*
 * The report of a pod's probes with this source address, made when it is first asked for. label:
 * the pod's name if it has none, or its reference if it is not looked at. Borrowed;
 * fg_run_source_ops.forget() ends it. NULL on failure.
 */
const struct fg_report *fg_run_report(struct fg_run *run, int pod, const struct fg_addr *src,
				      const char *label, struct fg_error *err);

/* --- the sources: owned, ops->close() --- */

/* A probe that is expected to pass, sent beside the others. */
struct fg_run_control {
	const char *text;		/* as the user wrote it; NULL: none */
	struct fg_packet_spec packet;	/* owned */
	struct fg_addr dst;		/* family 0: where the probes go */
	struct fg_ports dports, sports; /* of one port each; empty: it has none, or the probes' */
};

/* The settings of a plan or a capture. Borrowed until the source is closed. */
struct fg_run_probes {
	const char *pod, *interface; /* pod NULL: none is looked at */
	enum fg_method method;
	struct fg_addr src; /* family 0: the pod's own */
	bool spoof;	    /* src need not be the pod's */
	const char *name;   /* of every probe; may be NULL */
	enum fg_expect expect;
	const struct fg_scenario_expect *finer; /* FG_EXPECT_FINER; else NULL */
	uint64_t count; /* how often each port, or the capture; 0: without end */
	double interval_ns;
	/* the plan */
	const struct fg_packet_spec *packet;
	struct fg_addr dst;
	uint32_t dst_count;			/* addresses from dst on; 0 is 1 */
	const struct fg_ports *dports, *sports; /* NULL: none, and random ones */
	uint64_t seed;
	bool full_checksum;		      /* even if the pod's device would compute it */
	const struct fg_run_control *control; /* NULL: none */
	/* the capture */
	const char *pcap, *filter; /* pcap NULL: it is a plan */
	bool captured_timing, keep_addresses;
};

/* NULL on failure. ui is borrowed too. */
struct fg_run_source *fg_run_plan_open(const struct fg_run_probes *probes, struct fg_error *err);
struct fg_run_source *fg_run_capture_open(const struct fg_run_probes *probes,
					  const struct fg_run_ui *ui, struct fg_error *err);

/* Which run this process is: read once. Ends the process if the kernel does not tell. */
const struct fg_origin *fg_run_origin(void);

/* A number to make random fields from. Returns 0 or -1. */
int fg_run_seed(uint64_t *seed, struct fg_error *err);

struct fg_run_scenario_options {
	const char *const *paths; /* "-": standard input */
	size_t path_count;
	struct fg_scenario_setting *settings;
	size_t setting_count;
	const char *only;   /* a pattern; NULL: all */
	const char *blocks; /* as fg_scenario_choose_listed(); NULL: all */
	bool watch, record;
	bool await;    /* another node sends them: pods are addresses ("ip:ADDR[,ADDR]") */
	bool commands; /* they may run commands; else a file that does is refused */
	/*
	 * All files are read, though some are wrong: this is told of each wrong one but the last,
	 * which is the error of the whole. NULL: the first is enough.
	 */
	void (*wrong)(const struct fg_error *err);
	bool seeded; /* else the files' seed, or a random one */
	uint64_t seed;
};

/* Scenario files: their probes as a source. */
struct fg_run_scenarios;

/* Reads and checks the files. NULL on failure. options are borrowed. */
struct fg_run_scenarios *fg_run_scenarios_open(const struct fg_run_scenario_options *options,
					       const struct fg_run_ui *ui, struct fg_error *err);
/* NULL is allowed. */
void fg_run_scenarios_close(struct fg_run_scenarios *scenarios);
/* Closing it closes the scenarios. */
struct fg_run_source *fg_run_scenarios_source(struct fg_run_scenarios *scenarios);
/* What the files require of the session; a timeout that is set is kept. */
void fg_run_scenarios_needs(const struct fg_run_scenarios *scenarios,
			    struct fg_session_options *options);
/* A file's probes, and what they have come to so far. Borrowed; good once the source is open. */
struct fg_run_scenario_view {
	const struct fg_scenario *scenario;
	const struct fg_scenario_layout *layout;
	const struct fg_case_mark *marks; /* by probe */
	const struct fg_case_counts *counts;
};
/* The files of a run, for writers: of this one, or of the nodes of a cluster (kube/kube.h). */
struct fg_run_views {
	size_t count;
	struct fg_run_scenario_view (*view)(const void *self, size_t file);
	const void *self; /* borrowed */
};
struct fg_run_views fg_run_scenarios_views(const struct fg_run_scenarios *scenarios);
/* Whether one of them runs a command. */
bool fg_run_scenarios_run_commands(const struct fg_run_scenarios *scenarios);
/* Whether this is one of their commands. self: struct fg_run_scenarios. */
bool fg_run_scenarios_has_command(const void *self, const struct fg_scenario_command *command);
/*
 * The first file, with the observed results in place of its expectations; owned. NULL on failure.
 * What of its comments and layout cannot stay is a warning.
 */
char *fg_run_scenarios_record(const struct fg_run_scenarios *scenarios, const struct fg_run_ui *ui,
			      struct fg_error *err);

/*
 * Reads what --control takes: a port, an address, both, or a list of fields. What it leaves out is
 * as in the probes beside it. Returns 0 or -1; fg_run_control_free() in both cases.
 */
int fg_run_control_read(struct fg_run_control *control, const struct fg_run_probes *beside,
			const struct fg_run_ui *ui, struct fg_error *err);
void fg_run_control_free(struct fg_run_control *control);

/* --- the sessions: ops->close() --- */

struct fg_run_live_options {
	struct fg_session_options session; /* cancel_fd is set here */
	uint64_t probes;		   /* how many will be checked: see fg_guard_open() */
	bool tracking;			   /* connection tracking is looked at too */
	bool tidy;			   /* what probes leave there is removed */
	fg_run_job_fn command;		   /* NULL: no commands */
	void *command_arg;
	struct fg_run_ui ui;
};

/* A session on this host, which signals cancel (signals/signals.h). Returns 0 or -1. */
int fg_run_live_open(const struct fg_run_live_options *options, struct fg_run_session *out,
		     struct fg_error *err);

/*
 * One that sends nothing: it builds the frames. look: the pod is looked at for its addresses and
 * its MTU. Returns 0 or -1.
 */
int fg_run_dry_open(const char *host_root, bool look, struct fg_run_session *out,
		    struct fg_error *err);

/* --- writers: where results go (writer/writer.h) --- */

/* One judged probe, for the writers. */
struct fg_run_answer {
	const struct fg_case *c; /* scenario and block NULL: it belongs to no scenario */
	size_t file;		 /* which of the scenarios */
	bool told;    /* else it is only counted: --until and --watch only report changes */
	bool changed; /* in a watch: it differs from the round before */
};

/* Any but close may be NULL. All but close return 0 or -1. */
struct fg_run_writer_ops {
	int (*begin)(struct fg_run_writer *writer, struct fg_error *err);
	/* Results that follow are about this pod and context too. */
	int (*pod)(struct fg_run_writer *writer, const struct fg_report *report,
		   struct fg_error *err);
	int (*take)(struct fg_run_writer *writer, const struct fg_run_answer *answer,
		    struct fg_error *err);
	/* A window is over: write what was collected. */
	int (*flush)(struct fg_run_writer *writer, struct fg_error *err);
	int (*end)(struct fg_run_writer *writer, const struct fg_run_totals *totals,
		   struct fg_error *err);
	void (*close)(struct fg_run_writer *writer);
};

struct fg_run_writer {
	const struct fg_run_writer_ops *ops;
};

/* Makes the packet as the pod's own kernel would hand it to the pod's device. */
void fg_run_fit(const struct fg_pod *pod, uint16_t family, struct fg_packet_spec *packet);

/*
 * The pod as reports show it, borrowed from it. NULL: a name without a pod (label). src: the
 * address that its packets have; NULL: none.
 */
struct fg_source_pod fg_run_source_pod(const struct fg_pod *pod, const char *label,
				       const struct fg_addr *src);

#endif
