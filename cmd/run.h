/* SPDX-License-Identifier: GPL-2.0-only */
/* run.h - what the command line of `flowgen run` asks for. */
#ifndef FG_CMD_RUN_H
#define FG_CMD_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "option/option.h"
#include "run/run.h"
#include "writer/writer.h"

struct fg_run_command {
	char **files; /* owned, and each of them */
	size_t file_count;
	struct fg_scenario_setting *settings; /* owned array */
	size_t setting_count;
	const char *only;   /* a pattern; NULL: all */
	const char *blocks; /* a list of them; NULL: all */
	bool await;	    /* another node sends the probes */
	bool node_only;
	uint64_t repeat; /* rounds */
	bool watch;	 /* round after round, until interrupted; only changes are reported */
	uint64_t interval_ns, heartbeat_ns; /* of a watch: between its rounds, and its signs */
	uint64_t parallel;		    /* probes at a time; 0: as many as the session takes */
	bool fail_fast, strict, record, force, allow_exec;
	bool list, validate; /* nothing is sent */
	bool output_given;
	enum fg_form output;		    /* to standard output */
	const char *paths[FG_WRITER_FORMS]; /* and to these files; NULL: none */
	const char *host_root;
	uint64_t timeout_ns; /* 0: what the files say */
	uint32_t ring_bytes;
	bool seeded;
	uint64_t seed;
};

/* Runs it. Returns the exit status; errors are printed. */
int fg_run_files(const struct fg_run_command *command);
/* Reads the files, and tells what is in them, for --list and --validate. Likewise. */
int fg_run_outline(const struct fg_run_command *command);

#endif
