// SPDX-License-Identifier: GPL-2.0-only
/*
 * exec/starter.c - the commands of a scenario are started by a process that was there before the
 * run gave up its privileges, each in a process of its own. What the run reads of packets and pods
 * cannot reach it: it is asked for a command of the scenario by its address in memory that both
 * had, and looks whether it is one.
 */
#include "exec/job.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/grow.h"

#define PIECE 32768

struct fg_exec_starter {
	int fd; /* to the process; owned */
	pid_t pid;
	fg_run_job_fn run;
	fg_exec_known known;
	const void *known_arg;
};

struct request {
	const struct fg_scenario_command *command;
	enum fg_method method;
	char ref[512], interface[32], host_root[512];
};

enum what { WARNING, FAILED, OUTPUT, FLOWS, FLOWS_TEXT, ERROR, DONE };

/* What the process that runs a command tells, one after the other; text comes in pieces. */
struct message {
	enum what what;
	uint32_t len; /* of text */
	union {
		char text[PIECE];
		struct fg_error err;
		struct fg_scenario_ran ran; /* without its text */
	};
};

/* --- inside --- */

static int tell(int fd, const struct message *m)
{
	return send(fd, m, sizeof(*m), MSG_NOSIGNAL) == sizeof(*m) ? 0 : -1;
}

static int tell_text(int fd, struct message *m, enum what what, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	/* One that is there and empty is told, too. */
	for (size_t at = 0; text && (at < len || !at); at += PIECE) {
		size_t left = len - at;

		m->what = what;
		m->len = (uint32_t)(left < PIECE ? left : PIECE);
		memcpy(m->text, text + at, m->len);
		if (tell(fd, m))
			return -1;
	}
	return 0;
}

static int tell_error(int fd, struct message *m, const struct fg_error *err)
{
	m->what = ERROR;
	m->err = *err;
	return tell(fd, m);
}

struct teller {
	int fd;
	struct message *message;
};

static void warn(void *arg, const char *text)
{
	const struct teller *t = arg;

	(void)tell_text(t->fd, t->message, WARNING, text);
}

static int run_one(const struct fg_exec_starter *s, int fd, const struct request *r,
		   struct message *m)
{
	struct teller teller = { fd, m };
	const struct fg_run_job job = { .ref = r->ref,
					.interface = r->interface,
					.method = r->method,
					.host_root = r->host_root,
					.command = r->command,
					/* What is said now is that it is to end. */
					.cancel_fd = fd,
					.ui = { .warn = warn, .arg = &teller } };
	struct fg_scenario_ran ran = {};
	struct fg_error err = {};

	if (s->run(&job, &ran, &err))
		return tell_error(fd, m, &err);
	if (tell_text(fd, m, FAILED, ran.failed) || tell_text(fd, m, OUTPUT, ran.output) ||
	    tell_text(fd, m, FLOWS, ran.flows) || tell_text(fd, m, FLOWS_TEXT, ran.flows_text))
		return -1;
	m->what = DONE;
	m->ran = ran;
	return tell(fd, m);
}

static int serve_one(const struct fg_exec_starter *s, int fd, const struct request *r,
		     struct message *m)
{
	struct fg_error err = {};
	int status = 0;
	pid_t self = getpid(), pid;

	if (!s->known(s->known_arg, r->command) || (unsigned int)r->method > FG_METHOD_POD_SOCKET)
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(getppid() != self || run_one(s, fd, r, m));
	}
	if (pid < 0)
		fg_fail_errno(&err, FG_ERR_INTERNAL, errno, "start a process");
	else if (waitpid(pid, &status, 0) != pid)
		return -1;
	if (status)
		fg_fail(&err, FG_ERR_INTERNAL,
			"the process that runs a command ended with status %d",
			WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	if (err.kind)
		(void)tell_error(fd, m, &err);
	return 0;
}

#define KEPT (STDERR_FILENO + 1)

/*
 * What stays open is the socket, which is KEPT from then on, and what is standard, which leads
 * nowhere; flowgen's signals are not its own.
 */
static int settle(int fd)
{
	int none = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t all;

	if (none < 0 || dup2(none, STDIN_FILENO) < 0 || dup2(none, STDOUT_FILENO) < 0 ||
	    dup2(none, STDERR_FILENO) < 0)
		return -1;
	sigfillset(&all);
	sigdelset(&all, SIGCHLD);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (fd != KEPT && dup3(fd, KEPT, O_CLOEXEC) < 0)
		return -1;
	return close_range(KEPT + 1, UINT_MAX, 0);
}

static _Noreturn void serve(const struct fg_exec_starter *s, int fd, pid_t parent)
{
	struct message *m = calloc(1, sizeof(*m));
	struct request r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!m || getppid() != parent || settle(fd))
		_exit(1);
	/* No signal interrupts it. */
	while (recv(KEPT, &r, sizeof(r), 0) == sizeof(r)) {
		r.ref[sizeof(r.ref) - 1] = r.interface[sizeof(r.interface) - 1] = '\0';
		r.host_root[sizeof(r.host_root) - 1] = '\0';
		if (serve_one(s, KEPT, &r, m))
			break;
	}
	_exit(0);
}

/* --- outside --- */

struct fg_exec_starter *fg_exec_starter_open(fg_run_job_fn run, fg_exec_known known,
					     const void *arg, struct fg_error *err)
{
	struct fg_exec_starter *s = calloc(1, sizeof(*s));
	pid_t self = getpid();
	int ends[2];

	if (!s || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		fg_fail_errno(err, FG_ERR_INTERNAL, s ? errno : ENOMEM, "start commands");
		free(s);
		return NULL;
	}
	*s = (struct fg_exec_starter){
		.fd = ends[0], .run = run, .known = known, .known_arg = arg
	};
	s->pid = fork();
	if (!s->pid)
		serve(s, ends[1], self);
	close(ends[1]);
	if (s->pid > 0)
		return s;
	fg_fail_errno(err, FG_ERR_INTERNAL, errno, "start a process");
	fg_exec_starter_close(s);
	return NULL;
}

void fg_exec_starter_close(struct fg_exec_starter *s)
{
	if (!s)
		return;
	fg_fd_close(&s->fd);
	while (s->pid > 0 && waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(s);
}

static int add_text(char **to, const struct message *m, struct fg_error *err)
{
	size_t had = *to ? strlen(*to) : 0;
	char *added;

	if (m->len > PIECE)
		return fg_fail(err, FG_ERR_INTERNAL, "what the command wrote is not understood");
	added = FG_GROW(*to, had, m->len + 1, "command", err);
	if (!added)
		return -1;
	memcpy(added, m->text, m->len);
	added[m->len] = '\0';
	return 0;
}

static void take_done(const struct message *m, struct fg_scenario_ran *ran)
{
	struct fg_scenario_ran told = m->ran;

	told.failed = ran->failed;
	told.output = ran->output;
	told.flows = ran->flows;
	told.flows_text = ran->flows_text;
	told.met_why[sizeof(told.met_why) - 1] = '\0';
	*ran = told;
}

/* Returns 1 at the end, 0 if more comes, or -1. */
static int take(const struct fg_run_job *job, struct message *m, struct fg_scenario_ran *ran,
		struct fg_error *err)
{
	char *note = NULL;

	switch (m->what) {
	case WARNING:
		if (!add_text(&note, m, NULL) && job->ui.warn)
			job->ui.warn(job->ui.arg, note);
		free(note);
		return 0;
	case FAILED:
		return add_text(&ran->failed, m, err);
	case OUTPUT:
		return add_text(&ran->output, m, err);
	case FLOWS:
		return add_text(&ran->flows, m, err);
	case FLOWS_TEXT:
		return add_text(&ran->flows_text, m, err);
	case ERROR:
		*err = m->err;
		err->message[sizeof(err->message) - 1] = err->hint[sizeof(err->hint) - 1] = '\0';
		return -1;
	case DONE:
		take_done(m, ran);
		return 1;
	}
	return fg_fail(err, FG_ERR_INTERNAL, "the process that starts commands is not understood");
}

static int listen_to(const struct fg_exec_starter *s, const struct fg_run_job *job,
		     struct message *m, struct fg_scenario_ran *ran, struct fg_error *err)
{
	struct pollfd p[] = { { .fd = s->fd, .events = POLLIN },
			      { .fd = job->cancel_fd, .events = POLLIN } };
	int over = 0;

	while (!over) {
		ssize_t n;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "wait for the command");
		/* Once: from then on it is told to end. */
		if (p[1].revents) {
			p[1].fd = -1;
			(void)send(s->fd, "", 1, MSG_NOSIGNAL);
		}
		if (!p[0].revents)
			continue;
		n = recv(s->fd, m, sizeof(*m), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != sizeof(*m))
			return fg_fail(err, FG_ERR_INTERNAL,
				       "the process that starts commands has ended");
		over = take(job, m, ran, err);
	}
	return over < 0 ? -1 : 0;
}

/* One that was cut would name another pod. */
static int copy(char *to, size_t size, const char *text, const char *what, struct fg_error *err)
{
	int len = snprintf(to, size, "%s", text ? text : "");

	return len >= 0 && (size_t)len < size
		       ? 0
		       : fg_fail(err, FG_ERR_USAGE, "%s: longer than %zu bytes", what, size - 1);
}

int fg_exec_starter_run(const struct fg_run_job *job, struct fg_scenario_ran *ran,
			struct fg_error *err)
{
	const struct fg_exec_starter *s = job->arg;
	struct request r = { .command = job->command, .method = job->method };
	struct message *m;
	int ret;

	*ran = (struct fg_scenario_ran){ .met = FG_FLOWS_UNKNOWN };
	if (copy(r.ref, sizeof(r.ref), job->ref, "the pod", err) ||
	    copy(r.interface, sizeof(r.interface), job->interface, "the interface", err) ||
	    copy(r.host_root, sizeof(r.host_root), job->host_root, "the host's root", err))
		return -1;
	m = calloc(1, sizeof(*m));
	if (!m || send(s->fd, &r, sizeof(r), MSG_NOSIGNAL) != sizeof(r))
		ret = fg_fail_errno(err, FG_ERR_INTERNAL, m ? errno : ENOMEM, "start a command");
	else
		ret = listen_to(s, job, m, ran, err);
	free(m);
	return ret;
}
