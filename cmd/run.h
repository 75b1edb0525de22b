/* SPDX-License-Identifier: GPL-2.0-only */
/* run.h - what the command line of `flowgen run` asks for, and the parts of a run. */
#ifndef FG_CMD_RUN_H
#define FG_CMD_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "case.h"
#include "scenario.h"
#include "session.h"

enum fg_run_form { FG_RUN_JSON, FG_RUN_TEXT, FG_RUN_TAP, FG_RUN_JUNIT, FG_RUN_HTML, FG_RUN_FORMS };

struct fg_run_options {
	const char **files; /* owned array */
	size_t file_count;
	struct fg_scenario_setting *settings; /* owned array */
	size_t setting_count;
	const char *only;     /* a pattern; NULL: all */
	uint64_t repeat;      /* rounds */
	bool watch;	      /* round after round, until interrupted; only what changes is told */
	uint64_t interval_ns; /* between the rounds of a watch */
	uint64_t parallel;    /* probes at a time; 0: as many as the session takes */
	bool fail_fast, strict, record, force;
	bool output_given;
	enum fg_run_form output;	 /* to standard output */
	const char *paths[FG_RUN_FORMS]; /* and to these files; NULL: none */
	const char *host_root;
	uint64_t timeout_ns; /* 0: what the files say */
	uint32_t ring_bytes;
	bool seeded;
	uint64_t seed;
};

/* Runs it. Returns the exit status; errors are printed. */
int fg_run(struct fg_run_options *options);

/* --- pods --- */

/* One file of the run. */
struct fg_run_file {
	struct fg_scenario scenario;
	struct fg_scenario_found *found; /* by pods */
	struct fg_scenario_layout layout;
	struct fg_case_mark *marks; /* by probe: of the last round that is over, or of this one */
	const char **seen;	    /* by probe, for --record; else NULL */
	struct fg_block_state *blocks; /* by block */
	struct fg_case_counts counts;
};

/* The pods of the session, by number: one that several names mean, in several files, is added once.
 */
struct fg_run_pods {
	struct fg_run_pod {
		uint32_t netns; /* inode number */
		int ifindex;	/* of the device in it */
		enum fg_method method;
		bool changed; /* its programs, in the round that is going on */
		char *gone;   /* owned: why it cannot be had any more; NULL: it can */
	} * list;	      /* owned */
	size_t count;
};

/* Finds the pods of the file's scenario, and adds those to the session that are not known yet.
 * Returns 0 or -1. */
int fg_run_find_pods(struct fg_session *session, struct fg_run_file *file,
		     struct fg_run_pods *known, struct fg_error *err);
void fg_run_free_pods(struct fg_run_file *file);

/* --- where results go --- */

struct fg_run_sink {
	enum fg_run_form form;
	const char *path; /* NULL: standard output */
	FILE *file;	  /* owned; NULL: standard output */
	FILE **spools;	  /* one for each scenario, for forms whose counts stand first; owned */
	struct fg_buffer buffer;
	struct fg_buffer skips; /* text: told at the end */
	uint64_t skip_count;
	const struct fg_run_file *files;
	size_t file_count;
};

int fg_run_sink_open(struct fg_run_sink *sink, enum fg_run_form form, const char *path,
		     const struct fg_run_file *files, size_t file_count, struct fg_error *err);
/* One result; file is the index of its scenario. changed: in a watch, it is not what it was. */
int fg_run_sink_case(struct fg_run_sink *sink, const struct fg_case *c, size_t file, bool changed,
		     struct fg_error *err);
/* Hands on what has gathered. */
int fg_run_sink_flush(struct fg_run_sink *sink, struct fg_error *err);
/* Writes what stands at the end, and closes the file. */
int fg_run_sink_end(struct fg_run_sink *sink, const struct fg_case_counts *counts,
		    struct fg_error *err);
/* Frees it, whatever has become of it. */
void fg_run_sink_close(struct fg_run_sink *sink);

/* Probes that are as expected have their details in a picture up to this number; the others always.
 */
#define FG_RUN_DETAILS_MAX 1000

#endif
