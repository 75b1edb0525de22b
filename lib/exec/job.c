// SPDX-License-Identifier: GPL-2.0-only
#include "exec/job.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "exec/exec.h"
#include "exec/tell.h"
#include "host/pod.h"

static void note(void *arg, const char *text)
{
	const struct fg_run_ui *ui = arg;

	if (ui->warn)
		ui->warn(ui->arg, text);
}

static int take_text(struct fg_buffer *from, char **to, struct fg_error *err)
{
	fg_buffer_put(from, "", 1);
	if (from->failed)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "report");
	*to = from->data;
	*from = (struct fg_buffer){};
	return 0;
}

/* What it met: every flow is asked about. */
static int tell(const struct fg_exec_options *options, const struct fg_exec_done *done,
		const struct fg_flows_expect *expect, struct fg_scenario_ran *ran,
		struct fg_error *err)
{
	const struct fg_tell what = { .all = true, .expect = expect->count ? expect : NULL };
	struct fg_told told = {};
	int ret = fg_tell(options, done, &what, &told, err);

	if (!ret) {
		ran->met = told.met;
		ran->seen = told.seen;
		memcpy(ran->met_why, told.why, sizeof(ran->met_why));
		fg_buffer_put(&told.text, told.notes.data, told.notes.len);
		ret = take_text(&told.records, &ran->flows, err) ||
				      take_text(&told.text, &ran->flows_text, err)
			      ? -1
			      : 0;
	}
	fg_tell_free(&told);
	return ret;
}

/* The command's own fault, which is an answer; of others none is known. */
static int not_started(const struct fg_exec_done *done, struct fg_scenario_ran *ran,
		       const struct fg_error *cause, struct fg_error *err)
{
	if (done->status == FG_CHILD_FAILED) {
		*err = *cause;
		return -1;
	}
	ran->status = done->status;
	ran->failed = strdup(cause->message);
	return ran->failed ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "command");
}

static bool is_cancelled(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

static struct fg_dress_options dress_of(const struct fg_scenario_command *command)
{
	return (struct fg_dress_options){ .dns = command->host_names	  ? FG_DNS_HOST
						 : command->server.family ? FG_DNS_ADDRESS
									  : FG_DNS_POD,
					  .server = command->server };
}

int fg_exec_job(const struct fg_run_job *job, struct fg_scenario_ran *ran, struct fg_error *err)
{
	struct fg_child_output output = {};
	const struct fg_scenario_command *command = job->command;
	const bool outside = !strncmp(job->ref, FG_UPLINK_FORM, strlen(FG_UPLINK_FORM));
	const struct fg_exec_options options = { .ref = job->ref,
						 .interface =
							 job->interface[0] ? job->interface : NULL,
						 .src = outside ? command->src : (struct fg_addr){},
						 .host_root = job->host_root,
						 .method = job->method,
						 .dress = dress_of(command),
						 .argv = command->argv,
						 .timeout_ns = command->timeout_ns,
						 .note = note,
						 .note_arg = (void *)&job->ui,
						 .output = &output,
						 .last = true,
						 .cancel_fd = job->cancel_fd };
	struct fg_exec_done done;
	struct fg_error cause;
	int ret;

	*ran = (struct fg_scenario_ran){ .met = FG_FLOWS_UNKNOWN };
	if (job->method == FG_METHOD_POD_SOCKET)
		return fg_fail(err, FG_ERR_UNSUPPORTED,
			       "pod-socket writes single packets, and carries no connection");
	ret = fg_exec_run(&options, &done, &cause);
	ran->stopped = is_cancelled(job->cancel_fd);
	ran->output = output.data ? output.data : strdup("");
	ran->output_cut = output.cut;
	ran->duration_ns = done.duration_ns;
	if (ret)
		return not_started(&done, ran, &cause, err);
	ran->status = done.status;
	ran->overdue = done.status == FG_CHILD_TIMEOUT && done.duration_ns >= command->timeout_ns;
	ret = ran->output ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "command");
	if (!ret && !ran->stopped)
		ret = tell(&options, &done, &command->flows, ran, err);
	fg_exec_free(&done);
	return ret;
}
