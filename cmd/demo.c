// SPDX-License-Identifier: GPL-2.0-only
/* demo.c - `flowgen demo`: the pods and the story are in lib/demo/play.c; --down removes --keep. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"
#include "cmd.h"
#include "demo/play.h"
#include "output.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/* Without SA_RESTART, so that waiting for a child ends too. */
static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static bool stopped(void)
{
	return interrupted != 0;
}

/* What answers have said on standard error: what is true of the host is not said again. */
static struct {
	char *lines[16]; /* owned */
	size_t count;
} said;

static bool was_said(const char *line)
{
	for (size_t i = 0; i < said.count; i++)
		if (!strcmp(said.lines[i], line))
			return true;
	if (said.count < COUNT(said.lines) && (said.lines[said.count] = strdup(line)))
		said.count++;
	return false;
}

static void said_free(void)
{
	while (said.count)
		free(said.lines[--said.count]);
}

/* Takes the descriptor over, until its end or a signal. */
static void pass_on_diagnostics(int fd)
{
	FG_FILE FILE *in = fdopen(fd, "r");
	FG_FREE char *line = NULL;
	size_t size = 0;

	if (!in) {
		close(fd);
		return;
	}
	while (!interrupted && getline(&line, &size, in) >= 0)
		if (!was_said(line))
			fputs(line, stderr);
}

static void child_exec(int node, const char *pod, const char *dst, int diagnostics)
{
	if (dup2(diagnostics, STDERR_FILENO) < 0)
		_exit(fg_error_status(FG_ERR_INTERNAL));
	/* It must not outlive the demo, or it would keep the namespaces. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	fg_fd_restore_limit();
	if (node >= 0 && setns(node, CLONE_NEWNET))
		_exit(fg_error_status(FG_ERR_INTERNAL));
	execl("/proc/self/exe", "flowgen", "inject", "--pod", pod, "--dst", dst, "--proto", "udp",
	      "--output", "text", (char *)NULL);
	_exit(fg_error_status(FG_ERR_INTERNAL));
}

/*
 * Asks one question, in a process of its own within the demo's node; the answer goes to standard
 * output as text.
 */
static int ask(int node, const char *pod, const char *dst, struct fg_error *err)
{
	int status, ends[2], code;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "pipe");
	pid = fork();
	code = errno;
	if (!pid)
		child_exec(node, pod, dst, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return fg_fail_errno(err, FG_ERR_INTERNAL, code, "fork");
	}
	pass_on_diagnostics(ends[0]);
	if (interrupted)
		kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno,
					     "wait for flowgen inject");
		kill(pid, SIGTERM);
	}
	if (interrupted || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return 0;
	return fg_fail(err, FG_ERR_INTERNAL, "flowgen inject ended with status %d",
		       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

struct options {
	bool keep, down;
};
#define FG_OPTIONS struct options

static const struct fg_option table[] = {
	FG_FLAG("keep", keep, "Leave the pods up, with names on this host, for more questions"),
	FG_FLAG("down", down, "Remove what --keep left"),
};

static int play(const struct options *options, struct fg_error *err)
{
	const struct fg_play demo = {
		.keep = options->keep, .say = fg_output_string, .ask = ask, .stopped = stopped
	};

	if (!options->down)
		return fg_play(&demo, err);
	return fg_play_remove(err) ||
			       fg_output_string("The demo's pods and its node are gone.\n", err)
		       ? -1
		       : 0;
}

static int run(const struct fg_verb *verb, int argc, char **argv)
{
	struct options options = {};
	struct fg_error err = {};
	int status = fg_cmd_read(verb, argc, argv, &options);

	if (status)
		return status;
	if (options.keep && options.down) {
		fg_fail(&err, FG_ERR_USAGE, "--keep and --down exclude each other");
		return fg_cmd_fail(&err);
	}
	catch_signals();
	if (play(&options, &err))
		status = fg_cmd_fail(&err);
	said_free();
	if (interrupted) {
		signal(interrupted, SIG_DFL);
		raise(interrupted);
	}
	return status;
}

const struct fg_verb fg_verb_demo = {
	.name = "demo",
	.summary = "show how it works, on pods of its own",
	.about = "Create pods of its own with real policy programs, inject into each, and explain "
		 "the "
		 "results. Nothing is left behind.",
	.options = table,
	.option_count = COUNT(table),
	.run = run,
};
