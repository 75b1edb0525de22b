/* SPDX-License-Identifier: GPL-2.0-only */
/* run/internal.h - what the parts of the engine share; others include run/run.h. */
#ifndef FG_RUN_INTERNAL_H
#define FG_RUN_INTERNAL_H

#include "run/run.h"
#include "suite/changes.h"

/* A pod of the session. */
struct fg_run_pod {
	bool changed; /* its programs, in the current window */
	char *gone;   /* owned: why it cannot be used any more; NULL: it can */
};

/* A destination that cannot be reached: found once, not asked again. */
struct fg_run_dead_end {
	int pod;
	struct fg_addr src, dst;
	char *why; /* owned */
};

struct fg_run_report {
	int pod;
	struct fg_addr src;
	const char *label;	  /* borrowed */
	struct fg_report *report; /* owned */
};

struct fg_run {
	const struct fg_run_options *options;
	const struct fg_run_session *session;
	struct fg_run_source *source;
	struct fg_run_totals *totals;
	struct fg_run_item *items; /* of the window */
	uint32_t room;
	struct fg_run_pod *pods; /* by number */
	size_t pod_count;
	struct fg_run_dead_end *dead_ends;
	size_t dead_end_count;
	struct fg_run_report *reports;
	size_t report_count;
	uint64_t round, rounds; /* the current one, and how many; of a watch 1 */
	uint64_t started_ns, end_ns;
	uint64_t beat_ns, changes; /* of a watch: when the next sign is due; how many were told */
	struct fg_run_progress progress;
	uint64_t done;		 /* probes of this round, or of all rounds with --repeat */
	enum fg_verdict verdict; /* --until: of the probe that was reported last */
	enum fg_outcome outcome;
	bool told;    /* --until: one was reported */
	bool stopped; /* --fail-fast */
	bool unruly;  /* --force was needed, and a warning was given */
};

/* --- preflight.c --- */

/*
 * Whether a probe disturbs no live connection; random choices are made again in spec if they
 * would. Returns 0; 1 if it is left out, and item->skip says why; or -1.
 */
int fg_run_admit(struct fg_run *run, struct fg_run_item *item, struct fg_probe_spec *spec,
		 struct fg_error *err);
/*
 * Fills in the pod, by the device that the probe leaves through, and its source address, as its
 * kernel would choose them now. They stay as they are if it cannot be asked.
 */
void fg_run_guess_way(const struct fg_run *run, struct fg_probe_spec *spec);
/* Refuses what is known to fail before anything is sent. Returns 0 or -1. */
int fg_run_look_ahead(struct fg_run *run, struct fg_error *err);

/* --- window.c --- */

/* Sends count items as one window, and passes their outcomes on. Returns 0 or -1. */
int fg_run_window(struct fg_run *run, uint32_t count, struct fg_error *err);

/* --- answer.c --- */

/* Runs the item's command, and hands on what it did. Returns 0 or -1. */
int fg_run_command(struct fg_run *run, struct fg_run_item *item, struct fg_error *err);

/*
 * Judges an item by its controls and by what is expected of it, and hands it to the writers. The
 * window has total probes, of which those from sent on are further fragments. Returns 0 or -1.
 */
int fg_run_answer(struct fg_run *run, struct fg_run_item *item, uint32_t sent, uint32_t total,
		  struct fg_error *err);

/* --- pods.c --- */

/* The report like that one, for another source address, and another device of the pod. NULL on
 * failure. */
const struct fg_report *fg_run_report_as(struct fg_run *run, const struct fg_report *like, int pod,
					 const struct fg_addr *src, struct fg_error *err);

/* Why nothing can be sent to where the item goes; NULL: nothing is known of it. Borrowed. */
const char *fg_run_obstacle(const struct fg_run *run, const struct fg_run_item *item);
/* Notes that the item's packet cannot be sent. Returns 0 or -1. */
int fg_run_note_dead_end(struct fg_run *run, struct fg_run_item *item, const struct fg_error *cause,
			 struct fg_error *err);
/* The programs of this pod changed. Returns 0 or -1. */
int fg_run_note_change(struct fg_run *run, int pod, struct fg_error *err);
/*
 * Looks again at the pods whose programs changed, so that what follows is judged with the current
 * programs. Returns 0 or -1.
 */
int fg_run_renew(struct fg_run *run, struct fg_error *err);
void fg_run_pods_free(struct fg_run *run);

/* --- sender.c --- */

/* Who sends the probes of a plan or a capture. */
struct fg_run_sender {
	int pod;
	struct fg_addr v4, v6; /* the source addresses, by family; family 0: none */
	struct fg_addr src;    /* of a plan, and of the report */
	const char *ref;
	struct fg_run *run;
	const struct fg_report *report;
	struct fg_scenario_expect expect;
};

int fg_run_sender_open(struct fg_run_sender *sender, const struct fg_run_probes *probes,
		       struct fg_run *run, struct fg_error *err);
/* Its report, made again if it was forgotten. NULL on failure. */
const struct fg_report *fg_run_sender_report(struct fg_run_sender *sender, struct fg_error *err);

/* --- scenarios.c, find.c, layout.c, blocks.c --- */

/* What is found once for each block. */
struct fg_run_block {
	int pod;			     /* by the device that the first probe leaves through */
	struct fg_addr src;		     /* of the first probe */
	const struct fg_packet_spec *packet; /* as the pod's device wants it */
	const struct fg_report *report;
	struct fg_plan plan;
	uint64_t place; /* of its first random source port (fg_plan_places) */
	struct fg_proof_state proof;
	uint64_t proof_round; /* in which it was found; 0: not yet */
};

struct fg_run_file {
	struct fg_scenario scenario;
	struct fg_scenario_found *found; /* by pods */
	struct fg_scenario_layout layout;
	struct fg_case_mark *marks; /* by probe: of the last round that is over, or of this one */
	const char **seen;	    /* by probe, for --record; else NULL */
	uint8_t *statuses;	    /* the same: exit statuses of commands */
	struct fg_run_block *blocks;
	struct fg_scenario_range *ranges; /* by block: what is chosen of it */
	struct fg_case_counts counts;
};

/* A packet of a scenario as one pod's device wants it. */
struct fg_run_packet {
	struct fg_run_packet *next;
	const struct fg_packet_spec *base;
	int pod;
	struct fg_packet_spec spec; /* a copy that owns nothing */
};

/* The pods of the session by number: one that has several names is added once. */
struct fg_run_known_pod {
	int pod;
	uint32_t netns; /* inode number */
	int ifindex;	/* of the device in it */
	enum fg_method method;
};

struct fg_run_scenarios {
	struct fg_run_source source;
	const struct fg_run_scenario_options *options;
	struct fg_run *run;
	struct fg_run_file *files;
	size_t file_count;
	uint64_t seed;
	struct fg_run_known_pod *known;
	size_t known_count;
	struct fg_changes *changes;    /* of a watch; owned */
	struct fg_run_packet *packets; /* owned list */
	uint64_t places; /* of random source ports that a round has (fg_plan_places) */
	/* the next probe */
	size_t file, block;
	uint64_t index, round, number;
};

/* Finds the pods of all files, lays out their probes, and leaves out what is not selected. */
int fg_run_lay_out(struct fg_run_scenarios *scenarios, struct fg_error *err);

/* Finds the pods of the file's scenario, and adds those that send to the session. Returns 0 or -1.
 */
int fg_run_find_pods(struct fg_run_scenarios *scenarios, struct fg_run_file *file,
		     struct fg_error *err);

/* --- ui.c --- */

/* ui may be NULL. */
void fg_run_ui_warn(const struct fg_run_ui *ui, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* In HTML, the details of as many expected probes; the others always have theirs. */
#define FG_RUN_DETAILS_MAX 1000

#endif
