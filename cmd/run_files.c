// SPDX-License-Identifier: GPL-2.0-only
/* run_files.c - one run of `flowgen run`: scenario files become a source, a session and writers. */
#include "base/fd.h"
#include "cmd.h"
#include "engine.h"
#include "exec/job.h"
#include "outline/outline.h"
#include "output.h"
#include "run.h"

struct job {
	const struct fg_run_command *command;
	struct fg_run_ui ui;
	struct fg_report_options style;
	struct fg_run_scenario_options options;
	struct fg_run_scenarios *scenarios;
	struct fg_run_session session;
	struct fg_exec_starter *starter; /* NULL: no command is run */
	struct fg_run_writer *writers[FG_WRITER_FORMS + 1];
	size_t writer_count;
};

static void say_wrong(const struct fg_error *err)
{
	fg_cmd_fail(err);
}

static void settle(struct job *job)
{
	const struct fg_run_command *c = job->command;

	job->options = (struct fg_run_scenario_options){ .paths = (const char *const *)c->files,
							 .path_count = c->file_count,
							 .settings = c->settings,
							 .setting_count = c->setting_count,
							 .only = c->only,
							 .blocks = c->blocks,
							 .await = c->await,
							 .watch = c->watch,
							 .record = c->record,
							 .commands = c->allow_exec || c->list ||
								     c->validate,
							 .wrong = c->validate ? say_wrong : NULL,
							 .seeded = c->seeded,
							 .seed = c->seed };
}

/*
 * Of what is in use sockets alone are asked: whatever a pod is sending has one, and what connection
 * tracking still holds of the same scenario a minute ago must not stop it now.
 */
static int open_session(struct job *job, struct fg_error *err)
{
	const struct fg_run_command *c = job->command;
	struct fg_run_live_options live = { .session = { .host_root = c->host_root,
							 .ring_bytes = c->ring_bytes,
							 .timeout_ns = c->timeout_ns,
							 .look_twice = !c->await,
							 .tables = !c->await,
							 .awaiting = fg_engine_say_awaiting,
							 .node_only = c->node_only },
					    .probes = UINT64_MAX,
					    .ui = job->ui };

	if (fg_run_scenarios_run_commands(job->scenarios)) {
		job->starter = fg_exec_starter_open(fg_exec_job, fg_run_scenarios_has_command,
						    job->scenarios, err);
		if (!job->starter)
			return -1;
		live.command = fg_exec_starter_run;
		live.command_arg = job->starter;
	}
	fg_run_scenarios_needs(job->scenarios, &live.session);
	return fg_run_live_open(&live, &job->session, err);
}

static int add_writer(struct job *job, enum fg_writer_form form, struct fg_writer_target target,
		      struct fg_error *err)
{
	const struct fg_run_views files = fg_run_scenarios_views(job->scenarios);
	struct fg_run_writer *writer = fg_writer_open(form, target, &files, err);

	if (writer)
		job->writers[job->writer_count++] = writer;
	return writer ? 0 : -1;
}

static int open_writers(struct job *job, struct fg_error *err)
{
	const struct fg_run_command *c = job->command;
	const struct fg_writer_target out = { .stream = stdout,
					      .at_once = c->watch,
					      .style = &job->style };

	if (!c->record && add_writer(job, fg_engine_form(c->output), out, err))
		return -1;
	for (int form = 0; form < FG_WRITER_FORMS; form++) {
		const struct fg_writer_target file = { .path = c->paths[form],
						       .at_once = c->watch };

		if (file.path && add_writer(job, (enum fg_writer_form)form, file, err))
			return -1;
	}
	return 0;
}

static int write_record(const struct job *job, struct fg_error *err)
{
	FG_FREE char *text = fg_run_scenarios_record(job->scenarios, &job->ui, err);

	return text ? fg_output_string(text, err) : -1;
}

static int run(struct job *job, int *status, struct fg_error *err)
{
	const struct fg_run_command *c = job->command;
	struct fg_run_options options = { .session = &job->session,
					  .writers = job->writers,
					  .style = job->style,
					  .ui = job->ui,
					  .rounds = c->repeat,
					  .watch = c->watch,
					  .interval_ns = c->interval_ns,
					  .heartbeat_ns = c->heartbeat_ns,
					  .parallel = c->parallel,
					  .fail_fast = c->fail_fast,
					  .strict = c->strict,
					  .force = c->force,
					  .unjudged = c->record };
	struct fg_run_totals totals;

	settle(job);
	job->scenarios = fg_run_scenarios_open(&job->options, &job->ui, err);
	if (!job->scenarios || open_session(job, err) || open_writers(job, err))
		return -1;
	options.source = fg_run_scenarios_source(job->scenarios);
	options.writer_count = job->writer_count;
	options.files = job->writer_count > !c->record;
	if (fg_run(&options, &totals, err) || (c->record && write_record(job, err)))
		return -1;
	*status = fg_engine_status(&totals);
	return 0;
}

int fg_run_files(const struct fg_run_command *command)
{
	struct job job = { .command = command,
			   .ui = fg_engine_ui(true, command->watch),
			   .style = fg_engine_style(false, command->output) };
	struct fg_error err;
	int status = 0;

	if (run(&job, &status, &err))
		status = fg_cmd_fail(&err);
	for (size_t i = 0; i < job.writer_count; i++)
		job.writers[i]->ops->close(job.writers[i]);
	fg_run_scenarios_close(job.scenarios);
	if (job.session.ops)
		job.session.ops->close(job.session.self);
	fg_exec_starter_close(job.starter);
	return status;
}

int fg_run_outline(const struct fg_run_command *command)
{
	struct job job = { .command = command, .ui = fg_engine_ui(false, false) };
	struct fg_buffer text = {};
	struct fg_error err;
	int ret;

	settle(&job);
	ret = fg_outline(&job.options, command->list ? FG_OUTLINE_PROBES : FG_OUTLINE_FILES,
			 &job.ui, &text, &err) ||
	      fg_output_write(text.data, text.len, &err) || fg_output_flush(&err);
	fg_buffer_free(&text);
	return ret ? fg_cmd_fail(&err) : 0;
}
