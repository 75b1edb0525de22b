/* SPDX-License-Identifier: GPL-2.0-only */
/* exec/job.h - a command that is a probe of a scenario. */
#ifndef FG_EXEC_JOB_H
#define FG_EXEC_JOB_H

#include "run/run.h"

/* As fg_run_job_fn; in a process that does nothing after it: it gives up its privileges. */
int fg_exec_job(const struct fg_run_job *job, struct fg_scenario_ran *ran, struct fg_error *err);

/*
 * Starts the commands of a run that itself gives up its privileges: a process that keeps them, and
 * does nothing else. Open it before that, and before other descriptors; it ends with the caller.
 */
struct fg_exec_starter;

/* Whether it is one of those that may be run. */
typedef bool (*fg_exec_known)(const void *arg, const struct fg_scenario_command *command);

/* run: runs one, in a process of its own: fg_exec_job(). known, arg: borrowed. NULL on failure. */
struct fg_exec_starter *fg_exec_starter_open(fg_run_job_fn run, fg_exec_known known,
					     const void *arg, struct fg_error *err);
/* NULL is allowed. */
void fg_exec_starter_close(struct fg_exec_starter *starter);
/*
 * As fg_run_job_fn; job->arg is the starter. One at a time. FG_ERR_INTERNAL: a process ended
 * without an answer; if that was the starter's own, it starts nothing more.
 */
int fg_exec_starter_run(const struct fg_run_job *job, struct fg_scenario_ran *ran,
			struct fg_error *err);

#endif
