// SPDX-License-Identifier: GPL-2.0-only
/* run_loop.c - one run of `flowgen run`: files, session, pods, rounds, and what stands at the end.
 */
#include "run_loop.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "capability.h"
#include "cmd.h"
#include "fd.h"
#include "nearest.h"
#include "output.h"

/* --- the files --- */

static int read_text(const char *path, struct fg_buffer *out, struct fg_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	FG_FILE FILE *opened = is_stdin ? NULL : fopen(path, "re");
	FILE *in = is_stdin ? stdin : opened;
	char block[65536];
	size_t n;

	if (!in)
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	while ((n = fread(block, 1, sizeof(block), in)) > 0 && out->len <= FG_YAML_SIZE_MAX)
		fg_buffer_put(out, block, n);
	if (ferror(in))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	return out->failed ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", path) : 0;
}

static int read_files(struct fg_runner *run, struct fg_error *err)
{
	struct fg_run_options *o = run->options;

	run->files = calloc(o->file_count, sizeof(*run->files));
	if (!run->files)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "files");
	for (size_t i = 0; i < o->file_count; i++) {
		struct fg_buffer text = {};
		int ret = read_text(o->files[i], &text, err);

		run->file_count++;
		if (!ret)
			ret = fg_scenario_read(&run->files[i].scenario,
					       strcmp(o->files[i], "-") ? o->files[i]
									: "standard input",
					       text.len ? text.data : "", text.len, o->settings,
					       o->setting_count, err);
		fg_buffer_free(&text);
		if (ret)
			return -1;
		if (run->files[i].scenario.warning[0])
			fprintf(stderr, "flowgen: warning: %s\n", run->files[i].scenario.warning);
	}
	return 0;
}

/* A --set that no file knows is a slip of the pen. */
static int check_settings(const struct fg_runner *run, struct fg_error *err)
{
	const struct fg_run_options *o = run->options;
	const char *names[64], *name, *nearest;
	char text[64];
	json_t *value;
	size_t n = 0;

	for (size_t i = 0; i < o->setting_count; i++) {
		if (o->settings[i].used)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(o->settings[i].text, "="),
			 o->settings[i].text);
		fg_fail(err, FG_ERR_USAGE, "--set %s: no file has such a variable", text);
		for (size_t k = 0; k < run->file_count; k++)
			json_object_foreach (run->files[k].scenario.variables, name, value)
				if (n < 64)
					names[n++] = name;
		nearest = fg_nearest(text, names, n);
		return nearest ? fg_hint(err, "did you mean \"%s\"?", nearest) : -1;
	}
	return 0;
}

/* --- all of it --- */

static int open_sinks(struct fg_runner *run, struct fg_error *err)
{
	const struct fg_run_options *o = run->options;

	if (!o->record) {
		run->sink_count++;
		if (fg_run_sink_open(&run->sinks[0], o->output, NULL, run->files, run->file_count,
				     err))
			return -1;
	}
	for (int form = 0; form < FG_RUN_FORMS; form++) {
		if (!o->paths[form])
			continue;
		run->sink_count++;
		if (fg_run_sink_open(&run->sinks[run->sink_count - 1], (enum fg_run_form)form,
				     o->paths[form], run->files, run->file_count, err))
			return -1;
	}
	return 0;
}

/* SIGINT and SIGTERM end the waiting; what is there then is written, and everything is closed in
 * order. */
static int open_signals(struct fg_error *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals") : fd;
}

static int open_session(struct fg_runner *run, struct fg_error *err)
{
	struct fg_run_options *o = run->options;
	struct fg_session_options session = { .host_root = o->host_root,
					      .ring_bytes = o->ring_bytes,
					      .timeout_ns = o->timeout_ns,
					      .cancel_fd = run->signals };
	uint32_t room;

	for (size_t i = 0; i < run->file_count; i++) {
		const struct fg_scenario *s = &run->files[i].scenario;

		session.reply |= s->wants_reply;
		session.trace_netfilter |= s->trace_netfilter;
		if (!o->timeout_ns && s->timeout_ns > session.timeout_ns)
			session.timeout_ns = s->timeout_ns;
		if (!o->seeded && s->seeded) {
			o->seeded = true;
			o->seed = s->seed;
		}
	}
	if (!o->seeded && getrandom(&o->seed, sizeof(o->seed), 0) < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "random bytes");
	if (fg_capability_preflight(err))
		return -1;
	run->session = fg_session_open(&session, err);
	if (!run->session)
		return -1;
	fg_session_window(run->session, &room);
	run->room = o->parallel && o->parallel < room ? (uint32_t)o->parallel : room;
	run->entries = calloc(run->room, sizeof(*run->entries));
	return run->entries ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "window");
}

static int write_record(struct fg_runner *run, struct fg_error *err)
{
	struct fg_run_file *f = &run->files[0];
	FG_FREE char *text = NULL;

	if (!run->options->record)
		return 0;
	text = fg_scenario_record(&f->scenario, &f->layout, f->seen, err);
	return text ? fg_output_string(text, err) : -1;
}

static int run_all(struct fg_runner *run, struct fg_error *err)
{
	int ret;

	if (read_files(run, err) || check_settings(run, err))
		return -1;
	run->signals = open_signals(err);
	if (run->signals < 0 || open_session(run, err) || fg_run_lay_out(run, err) ||
	    open_sinks(run, err))
		return -1;
	ret = fg_run_rounds(run, err);
	if (ret)
		return -1;
	for (size_t i = 0; i < run->sink_count; i++)
		if (fg_run_sink_end(&run->sinks[i], &run->counts, err))
			return -1;
	return write_record(run, err);
}

static void close_all(struct fg_runner *run)
{
	for (size_t i = 0; i < run->sink_count; i++)
		fg_run_sink_close(&run->sinks[i]);
	for (size_t i = 0; i < run->report_count; i++)
		fg_report_close(run->reports[i].report);
	free(run->reports);
	fg_session_close(run->session);
	for (size_t i = 0; i < run->packet_count; i++)
		free(run->packets[i]);
	free(run->packets);
	for (size_t i = 0; i < run->dead_end_count; i++)
		free(run->dead_ends[i].why);
	free(run->dead_ends);
	fg_run_guards_close(run);
	free(run->entries);
	for (size_t i = 0; i < run->pods.count; i++)
		free(run->pods.list[i].gone);
	free(run->pods.list);
	for (size_t i = 0; i < run->file_count; i++) {
		fg_run_free_pods(&run->files[i]);
		fg_scenario_layout_free(&run->files[i].layout);
		fg_scenario_free(&run->files[i].scenario);
		free(run->files[i].marks);
		free(run->files[i].blocks);
		free(run->files[i].seen);
	}
	free(run->files);
	fg_fd_close(&run->signals);
}

/* Nothing at all could be sent: what this host cannot do must not look like a success. */
static int exit_status(const struct fg_runner *run)
{
	const struct fg_case_counts *c = &run->counts;

	if (c->interrupted)
		return fg_cmd_status(FG_ERR_INCONCLUSIVE);
	if (run->options->record)
		return FG_EXIT_OK;
	if (c->by_status[FG_CASE_FAIL])
		return FG_EXIT_UNEXPECTED;
	if (c->by_status[FG_CASE_INCONCLUSIVE])
		return fg_cmd_status(FG_ERR_INCONCLUSIVE);
	return c->by_status[FG_CASE_PASS] ? FG_EXIT_OK : fg_cmd_status(FG_ERR_UNSUPPORTED);
}

int fg_run(struct fg_run_options *options)
{
	struct fg_runner run = { .options = options, .signals = -1 };
	struct fg_error err;
	int status;

	setlocale(LC_CTYPE, "");
	status = run_all(&run, &err) ? fg_cmd_fail(&err) : exit_status(&run);
	close_all(&run);
	return status;
}
