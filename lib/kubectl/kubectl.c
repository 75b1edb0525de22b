// SPDX-License-Identifier: GPL-2.0-only
#include "kubectl/kubectl.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/grow.h"
#include "cluster/failure.h"

#define SAID_MAX 65536 /* kubectl may repeat itself while the cluster does not answer */
#define CHUNK 65536

struct pipes {
	int in[2], out[2], errors[2];
};

static void pipes_close(struct pipes *p)
{
	for (int i = 0; i < 2; i++) {
		fg_fd_close(&p->in[i]);
		fg_fd_close(&p->out[i]);
		fg_fd_close(&p->errors[i]);
	}
}

static int pipes_open(struct pipes *p, struct fg_error *err)
{
	*p = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (!pipe2(p->in, O_CLOEXEC) && !pipe2(p->out, O_CLOEXEC) && !pipe2(p->errors, O_CLOEXEC))
		return 0;
	fg_fail_errno(err, FG_ERR_INTERNAL, errno, "kubectl: pipe");
	pipes_close(p);
	return -1;
}

/*
 * A group of its own: ^C at the terminal is for flowgen, which asks the agents to end and removes
 * them. Signals that flowgen ignores or blocks are kubectl's own affair.
 */
static int spawn(char *const *argv, const struct pipes *p, pid_t *pid)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;

	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int code;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGXFSZ);
	if (posix_spawn_file_actions_init(&files))
		return ENOMEM;
	if (posix_spawnattr_init(&attributes)) {
		posix_spawn_file_actions_destroy(&files);
		return ENOMEM;
	}
	/* Without pipes it is in front of a person, and ^C is for it. */
	code = p ? posix_spawn_file_actions_adddup2(&files, p->in[0], STDIN_FILENO) ?:
		       posix_spawn_file_actions_adddup2(&files, p->out[1], STDOUT_FILENO) ?:
		       posix_spawn_file_actions_adddup2(&files, p->errors[1], STDERR_FILENO) :
		   0;
	if (p)
		flags |= POSIX_SPAWN_SETPGROUP;
	code = code ?: posix_spawnattr_setsigmask(&attributes, &none) ?:
	       posix_spawnattr_setsigdefault(&attributes, &defaults) ?:
	       posix_spawnattr_setpgroup(&attributes, 0) ?:
	       posix_spawnattr_setflags(&attributes, flags);
	fg_fd_restore_limit();
	code = code ?: posix_spawnp(pid, "kubectl", &files, &attributes, argv, environ);
	fg_fd_raise_limit();
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return code;
}

static int fail_spawn(int code, struct fg_error *err)
{
	if (code != ENOENT)
		return fg_fail_errno(err, FG_ERR_INTERNAL, code, "kubectl");
	fg_fail(err, FG_ERR_UNSUPPORTED, "kubectl is not on PATH");
	return fg_hint(err, "it is what reaches the cluster; on a node, flowgen inject needs none");
}

/* The verb first, then the user's options, then the rest, so that "--" may end the words. */
static char **make_argv(const struct fg_kubectl *k, const char *const *words)
{
	size_t count = 0, n = 0;
	char **argv;

	while (words[count])
		count++;
	argv = calloc(count + k->option_count + 2, sizeof(*argv));
	if (!argv)
		return NULL;
	argv[n++] = (char *)"kubectl";
	for (size_t i = 0; i < k->option_count; i++)
		argv[n++] = (char *)k->options[i];
	for (size_t i = 0; i < count; i++)
		argv[n++] = (char *)words[i];
	return argv;
}

static int set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK) ? -1 : 0;
}

static int start_process(const struct fg_kubectl *kubectl, const char *const *words,
			 struct fg_kubectl_call *call, struct fg_error *err)
{
	FG_FREE char **argv = make_argv(kubectl, words);
	struct pipes p;
	int code;

	if (!argv)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "kubectl");
	if (pipes_open(&p, err))
		return -1;
	if (set_nonblocking(p.in[1]) || set_nonblocking(p.out[0]) || set_nonblocking(p.errors[0]))
		code = errno;
	else
		code = spawn(argv, &p, &call->pid);
	if (!code) {
		call->in = fg_fd_take(&p.in[1]);
		call->out = fg_fd_take(&p.out[0]);
		call->errors = fg_fd_take(&p.errors[0]);
		call->written = 0;
		call->status = 0;
	} else {
		call->pid = 0;
	}
	pipes_close(&p);
	return code ? fail_spawn(code, err) : 0;
}

/* --- over a line --- */

int fg_kubectl_add_path(struct fg_kubectl_call *call, struct fg_error *err, const char *fmt, ...)
{
	char **added = FG_APPEND(call->paths, call->path_count, "kubectl", err);
	va_list args;
	int len;

	if (!added)
		return -1;
	va_start(args, fmt);
	len = vasprintf(added, fmt, args);
	va_end(args);
	if (len >= 0)
		return 0;
	call->path_count--;
	return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "kubectl");
}

void fg_kubectl_put_escaped(struct fg_buffer *out, const char *text)
{
	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr("-._~", *text))
			fg_buffer_put(out, text, 1);
		else
			fg_buffer_printf(out, "%%%02X", (unsigned int)(unsigned char)*text);
	}
}

static void free_texts(char **texts)
{
	for (char **t = texts; t && *t; t++)
		free(*t);
	free(texts);
}

static char **copy_texts(const char *const *texts)
{
	char **copy;
	size_t count = 0;

	while (texts[count])
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = strdup(texts[i]);
		if (!copy[i]) {
			free_texts(copy);
			return NULL;
		}
	}
	return copy;
}

/* Whether it goes over the line. */
static bool start_talk(const struct fg_kubectl *kubectl, const char *const *words,
		       struct fg_kubectl_call *call)
{
	if (!kubectl->way || !call->path_count)
		return false;
	call->kubectl = kubectl;
	call->words = copy_texts(words);
	call->talk = call->words ? kubectl->way->open(kubectl, call) : NULL;
	return call->talk != NULL;
}

int fg_kubectl_start(const struct fg_kubectl *kubectl, const char *const *words,
		     struct fg_kubectl_call *call, struct fg_error *err)
{
	return start_talk(kubectl, words, call) ? 0 : start_process(kubectl, words, call, err);
}

bool fg_kubectl_runs(const struct fg_kubectl_call *call)
{
	return call->pid || call->talk;
}

static void end_talk(struct fg_kubectl_call *call)
{
	if (call->talk)
		call->kubectl->way->close(call->talk);
	call->talk = NULL;
}

static int step_talk(struct fg_kubectl_call *call, struct fg_error *err)
{
	enum fg_kubectl_talk_state state;

	if (call->kubectl->way->step(call->talk, call, &state, err))
		return -1;
	if (state == FG_KUBECTL_TALKS)
		return 0;
	end_talk(call);
	if (state == FG_KUBECTL_TALK_ENDED)
		return 1;
	call->output.len = call->said.len = 0;
	return start_process(call->kubectl, (const char *const *)call->words, call, err);
}

/* --- while it runs --- */

/* What it does not read is lost with it: its end says why. */
static void put_input(struct fg_kubectl_call *call)
{
	ssize_t n = 0;

	while (call->in >= 0 && call->written < call->input.len) {
		n = write(call->in, call->input.data + call->written,
			  call->input.len - call->written);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		call->written += (size_t)n;
	}
	if (n < 0 && errno != EAGAIN)
		fg_fd_close(&call->in);
	if (call->written < call->input.len)
		return;
	call->input.len = call->written = 0;
	if (!call->keep_open)
		fg_fd_close(&call->in);
}

/* Reads until there is no more for now; more than max bytes are read and left out. */
static int get_output(int *fd, struct fg_buffer *to, size_t max, struct fg_error *err)
{
	char rest[4096];

	while (*fd >= 0) {
		char *at = to->len < max ? fg_buffer_reserve(to, CHUNK) : rest;
		ssize_t n;

		if (!at)
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "kubectl's answer");
		n = read(*fd, at, at == rest ? sizeof(rest) : CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			fg_fd_close(fd);
		else if (at != rest)
			to->len += (size_t)n;
	}
	return 0;
}

int fg_kubectl_step(struct fg_kubectl_call *call, struct fg_error *err)
{
	if (call->talk)
		return step_talk(call, err);
	if (!call->pid)
		return 1;
	put_input(call);
	if (get_output(&call->out, &call->output, SIZE_MAX, err) ||
	    get_output(&call->errors, &call->said, SAID_MAX, err))
		return -1;
	if (call->out >= 0 || call->errors >= 0)
		return 0;
	fg_fd_close(&call->in);
	while (waitpid(call->pid, &call->status, 0) < 0 && errno == EINTR)
		;
	call->pid = 0;
	return 1;
}

size_t fg_kubectl_poll(const struct fg_kubectl_call *call, struct pollfd *fds)
{
	size_t count = 0;

	if (call->talk) {
		call->kubectl->way->poll(call->talk, call, fds);
		return 1;
	}
	if (call->in >= 0 && call->written < call->input.len)
		fds[count++] = (struct pollfd){ .fd = call->in, .events = POLLOUT };
	if (call->out >= 0)
		fds[count++] = (struct pollfd){ .fd = call->out, .events = POLLIN };
	if (call->errors >= 0)
		fds[count++] = (struct pollfd){ .fd = call->errors, .events = POLLIN };
	return count;
}

/* --- waiting --- */

static int fail_waiting(const struct fg_kubectl *k, const struct fg_kubectl_call *calls,
			size_t count, struct fg_error *err)
{
	const struct fg_kubectl_call *late = calls;

	for (size_t i = 0; i < count; i++)
		if (fg_kubectl_runs(&calls[i]))
			late = &calls[i];
	/* What it said so far tells more than that it is late. */
	if (late->said.len)
		return fg_failure_read(late->what, late->said.data, late->said.len, err);
	fg_fail(err, FG_ERR_UNSUPPORTED, "%s: the cluster did not answer within %.0f s", late->what,
		(double)k->timeout_ns / 1e9);
	return fg_hint(err, "--kube-timeout waits longer");
}

/* Returns how many still run, or -1. */
static int step_all(struct fg_kubectl_call *calls, size_t count, struct fg_error *err)
{
	int running = 0;

	for (size_t i = 0; i < count; i++) {
		int ret = fg_kubectl_step(&calls[i], err);

		if (ret < 0)
			return -1;
		running += !ret;
	}
	return running;
}

int fg_kubectl_wait(const struct fg_kubectl *kubectl, struct fg_kubectl_call *calls, size_t count,
		    struct fg_error *err)
{
	uint64_t end = fg_clock_now() + kubectl->timeout_ns;
	FG_FREE struct pollfd *fds = calloc(3 * count + 1, sizeof(*fds));
	int running;

	if (!fds)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "kubectl");
	while ((running = step_all(calls, count, err)) > 0) {
		uint64_t now = fg_clock_now();
		size_t n = 1;

		if (now >= end)
			return fail_waiting(kubectl, calls, count, err);
		fds[0] = (struct pollfd){ .fd = kubectl->stop, .events = POLLIN };
		for (size_t i = 0; i < count; i++)
			n += fg_kubectl_poll(&calls[i], fds + n);
		if (poll(fds, n, (int)((end - now) / 1000000) + 1) < 0 && errno != EINTR)
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "kubectl: poll");
		if (fds[0].revents)
			return fg_fail(err, FG_ERR_INCONCLUSIVE, "interrupted");
	}
	return running;
}

bool fg_kubectl_failed(const struct fg_kubectl_call *call, struct fg_error *err)
{
	if (WIFEXITED(call->status) && !WEXITSTATUS(call->status))
		return false;
	fg_failure_read(call->what ? call->what : "kubectl", call->said.data, call->said.len, err);
	return true;
}

void fg_kubectl_stop(struct fg_kubectl_call *call)
{
	end_talk(call);
	fg_fd_close(&call->in);
	fg_fd_close(&call->out);
	fg_fd_close(&call->errors);
	/* Its group: it may wait for a credential plugin, or be a script around kubectl. */
	if (call->pid)
		kill(-call->pid, SIGTERM);
}

void fg_kubectl_close(struct fg_kubectl_call *call)
{
	fg_kubectl_stop(call);
	if (call->pid) {
		/* A kubectl whose pipes are closed has nothing to wait for. */
		while (waitpid(call->pid, &call->status, 0) < 0 && errno == EINTR)
			;
	}
	call->pid = 0;
	for (size_t i = 0; i < call->path_count; i++)
		free(call->paths[i]);
	free(call->paths);
	call->paths = NULL;
	call->path_count = 0;
	free_texts(call->words);
	call->words = NULL;
	fg_buffer_free(&call->input);
	fg_buffer_free(&call->output);
	fg_buffer_free(&call->said);
}

int fg_kubectl_run(const struct fg_kubectl *kubectl, const char *const *words,
		   struct fg_kubectl_call *call, struct fg_error *err)
{
	if (fg_kubectl_start(kubectl, words, call, err) || fg_kubectl_wait(kubectl, call, 1, err))
		return -1;
	return fg_kubectl_failed(call, err) ? -1 : 0;
}

/*
 * Until it ends. What ends flowgen ends kubectl as well: flowgen has these signals blocked. ^C at a
 * terminal is for both, and what it means there, the command decides.
 */
static void pass_signals(pid_t pid)
{
	FG_FD int running = pidfd_open(pid, 0);
	FG_FD int signals = -1;
	struct pollfd fds[2];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (!isatty(STDIN_FILENO))
		sigaddset(&set, SIGINT);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	fds[0] = (struct pollfd){ .fd = running, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = signals, .events = POLLIN };
	while (running >= 0 && !fds[0].revents) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (!fds[1].revents)
			continue;
		kill(pid, SIGTERM);
		fds[1].fd = -1; /* once: it stays readable */
	}
}

int fg_kubectl_terminal(const struct fg_kubectl *kubectl, const char *const *words, int *status,
			struct fg_error *err)
{
	FG_FREE char **argv = make_argv(kubectl, words);
	int code, ended = 0;
	pid_t pid;

	if (!argv)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "kubectl");
	code = spawn(argv, NULL, &pid);
	if (code)
		return fail_spawn(code, err);
	pass_signals(pid);
	while (waitpid(pid, &ended, 0) < 0 && errno == EINTR)
		;
	*status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
	return 0;
}
