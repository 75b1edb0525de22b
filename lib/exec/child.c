// SPDX-License-Identifier: GPL-2.0-only
#include "exec/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/fd.h"
#include "base/grow.h"
#include "exec/internal.h"
#include "host/confine.h"

#define GRACE_NS 5000000000ULL
#define TICK_MS 200

/* What the first process of the pid namespace tells flowgen, in one packet each. */
struct report {
	enum { REPORT_FAILED, REPORT_STOPPED, REPORT_ENDED } what;
	int status; /* of REPORT_ENDED: as waitpid() has it; of REPORT_FAILED: the exit status */
	struct fg_error why;
};

/* Those that are passed on if a process sent them. */
static const int forwarded[] = { SIGINT,  SIGQUIT, SIGTERM,  SIGHUP,
				 SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT };

static void forwarded_set(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < COUNT(forwarded); i++)
		sigaddset(set, forwarded[i]);
}

/* What the kernel's terminal sends reaches every process of the group, the command too. */
static bool is_sent(const struct signalfd_siginfo *info)
{
	return info->ssi_code <= 0;
}

static void tell(int fd, const struct report *report)
{
	while (send(fd, report, sizeof(*report), MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

/* --- inside: the first process of the pid namespace --- */

/* Why the command could not be started comes back through a pipe that a start closes. */
/* Nothing of the caller's terminal, and of the signals that it sends. */
static int detach(void)
{
	FG_FD int none = open("/dev/null", O_RDONLY | O_CLOEXEC);

	return none < 0 || dup2(none, STDIN_FILENO) < 0 || setsid() < 0 ? -1 : 0;
}

static pid_t start_command(const struct fg_child *child, const sigset_t *mask,
			   struct report *report)
{
	int pipe_fds[2], code = 0;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		signal(SIGPIPE, SIG_DFL);
		signal(SIGXFSZ, SIG_DFL);
		fg_fd_restore_limit();
		sigprocmask(SIG_SETMASK, mask, NULL);
		/* Looked for in flowgen's own PATH. */
		if (!child->output || !detach())
			execvpe(child->argv[0], child->argv, child->dress->environment ?: environ);
		code = errno;
		(void)!write(pipe_fds[1], &code, sizeof(code));
		_exit(FG_CHILD_NOT_RUN);
	}
	close(pipe_fds[1]);
	if (pid > 0 && read(pipe_fds[0], &code, sizeof(code)) == sizeof(code)) {
		report->status = code == ENOENT ? FG_CHILD_NOT_FOUND : FG_CHILD_NOT_RUN;
		fg_fail_errno(&report->why, FG_ERR_USAGE, code, "%s", child->argv[0]);
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(pipe_fds[0]);
	return pid;
}

/* Reaps all that end. True: the command has. */
static bool reap(pid_t command, int fd)
{
	struct report report = { .what = REPORT_ENDED };
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != command)
			continue;
		report.what = WIFSTOPPED(status) ? REPORT_STOPPED : REPORT_ENDED;
		report.status = status;
		tell(fd, &report);
		if (report.what == REPORT_ENDED)
			return true;
	}
	return false;
}

static void serve(pid_t command, int signals, int fd)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			if (reap(command, fd))
				return;
		} else if (is_sent(&info)) {
			kill(command, (int)info.ssi_signo);
		}
	}
}

/*
 * Nothing of flowgen's stays open in here: its BPF links have to end with flowgen itself. What the
 * caller left open is the command's, as with env(1): the shell's <(...), for one.
 */
static int close_own(int kept, int also, struct fg_error *err)
{
	DIR *list = opendir("/proc/self/fd");
	const struct dirent *d;

	if (!list)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "/proc/self/fd");
	while ((d = readdir(list))) {
		int fd = (int)strtol(d->d_name, NULL, 10), flags = fcntl(fd, F_GETFD);

		if (fd > STDERR_FILENO && fd != kept && fd != also && fd != dirfd(list) &&
		    flags >= 0 && (flags & FD_CLOEXEC))
			close(fd);
	}
	closedir(list);
	return 0;
}

/* out: where the command is to write; -1: where flowgen does. */
static void inside(const struct fg_child *child, int fd, int out, const sigset_t *mask)
{
	struct report report = { .what = REPORT_FAILED, .status = FG_CHILD_FAILED };
	sigset_t set;
	int signals;
	pid_t command = -1;
	char go;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* flowgen may have died before that was said: its end is closed then, whether it said go or
	 * not. */
	if (recv(fd, &go, 1, 0) != 1 || !recv(fd, &go, 1, MSG_PEEK | MSG_DONTWAIT))
		_exit(FG_CHILD_FAILED);
	forwarded_set(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (out >= 0 && (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)) {
		fg_fail_errno(&report.why, FG_ERR_INTERNAL, errno, "the command's output");
	} else if (signals < 0 || setns(child->netns, CLONE_NEWNET)) {
		fg_fail_errno(&report.why, FG_ERR_INTERNAL, errno, "enter the twin's namespace");
	} else if (!fg_wear_dress(child->dress, &report.why) &&
		   !close_own(fd, signals, &report.why)) {
		command = start_command(child, mask, &report);
	}
	if (command < 0)
		tell(fd, &report);
	else
		serve(command, signals, fd);
	_exit(0);
}

/* --- outside --- */

struct watch {
	const struct fg_child *child;
	pid_t first;
	int fd, signals;
	int out;	   /* what the command writes; -1: not caught, or closed */
	uint64_t deadline; /* 0: none */
	bool overdue;
};

/* What does not fit is thrown away, so that the command goes on. */
static void keep(struct fg_child_output *output, const char *block, size_t len)
{
	size_t room = FG_CHILD_OUTPUT_MAX - output->len;
	char *grown;

	output->cut |= len > room;
	len = len < room ? len : room;
	grown = len ? FG_GROW(output->data, output->len, len + 1, "output", NULL) : NULL;
	if (!grown) {
		output->cut |= len > 0;
		return;
	}
	for (size_t i = 0; i < len; i++)
		grown[i] = block[i] ? block[i] : '.';
	grown[len] = '\0';
	output->len += len;
}

/* As much as is there, but not for ever: the time has to be looked at. */
static void read_output(struct watch *w)
{
	char block[65536];
	ssize_t got = 1;

	for (int i = 0; w->out >= 0 && i < 16 && got > 0; i++) {
		got = read(w->out, block, sizeof(block));
		if (got > 0)
			keep(w->child->output, block, (size_t)got);
	}
	if (!got || (got < 0 && errno != EAGAIN && errno != EINTR))
		fg_fd_close(&w->out);
}

static void end_if_cancelled(struct watch *w)
{
	struct pollfd p = { .fd = w->child->cancel_fd, .events = POLLIN };

	if (w->child->output && !w->overdue && poll(&p, 1, 0) > 0)
		w->deadline = 1;
}

static void end_in_time(struct watch *w)
{
	uint64_t now = fg_clock_now();

	if (!w->deadline || now < w->deadline)
		return;
	if (w->overdue) {
		kill(w->first, SIGKILL);
		w->deadline = 0;
		return;
	}
	w->overdue = true;
	w->deadline = now + GRACE_NS;
	kill(w->first, SIGTERM);
	/* Else one that is stopped would not hear of it. */
	kill(w->first, SIGCONT);
}

/*
 * The shell waits for flowgen: it stops when the command does, be it by the terminal's ^Z or by
 * itself, as editors do. SIGCONT then comes to the whole process group, or from a timer when the
 * command's time is over.
 */
static void stop_as_well(const struct watch *w)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCONT };
	const struct itimerspec at = { .it_value = { (time_t)(w->deadline / 1000000000),
						     (long)(w->deadline % 1000000000) } };
	timer_t timer;
	bool timed = w->deadline && !timer_create(CLOCK_MONOTONIC, &event, &timer);

	if (timed)
		timer_settime(timer, TIMER_ABSTIME, &at, NULL);
	raise(SIGSTOP);
	if (timed)
		timer_delete(timer);
}

static void pass_on(const struct watch *w)
{
	struct signalfd_siginfo info;

	while (w->signals >= 0 && read(w->signals, &info, sizeof(info)) == sizeof(info))
		if (is_sent(&info))
			kill(w->first, (int)info.ssi_signo);
}

static int exit_status(const struct watch *w, const struct report *report)
{
	if (w->overdue)
		return FG_CHILD_TIMEOUT;
	return WIFEXITED(report->status) ? WEXITSTATUS(report->status)
					 : FG_CHILD_BY_SIGNAL + WTERMSIG(report->status);
}

/* Returns whether the command was run. */
static int watch(struct watch *w, int *status, struct fg_error *err)
{
	bool caught = w->child->output != NULL;
	struct pollfd fds[4] = { { .fd = w->fd, .events = POLLIN },
				 { .fd = w->signals, .events = POLLIN },
				 { .fd = w->out, .events = POLLIN },
				 { .fd = caught ? w->child->cancel_fd : -1, .events = POLLIN } };
	struct report report = {};

	for (;;) {
		uint64_t now = fg_clock_now();
		uint64_t left = w->deadline > now ? (w->deadline - now) / 1000000 + 1 : 0;
		int wait = !w->deadline ? -1 : left < INT_MAX ? (int)left : INT_MAX;

		if (w->child->tick && (wait < 0 || wait > TICK_MS))
			wait = TICK_MS;

		fds[2].fd = w->out;
		/* Once it was told to end, nothing more is to be heard there. */
		if (w->overdue)
			fds[3].fd = -1;

		int ready = poll(fds, COUNT(fds), wait);

		if (ready < 0 && errno != EINTR)
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "wait for the command");
		end_if_cancelled(w);
		end_in_time(w);
		pass_on(w);
		read_output(w);
		if (!ready && w->child->tick)
			w->child->tick(w->child->tick_arg);
		if (ready <= 0 || !fds[0].revents)
			continue;
		if (recv(w->fd, &report, sizeof(report), 0) != sizeof(report)) {
			/* Only SIGKILL ends the first process without a word. */
			*status = w->overdue ? FG_CHILD_TIMEOUT : FG_CHILD_BY_SIGNAL + SIGKILL;
			return 0;
		}
		if (report.what == REPORT_STOPPED) {
			if (!caught)
				stop_as_well(w);
			continue;
		}
		if (report.what == REPORT_FAILED) {
			*status = report.status;
			*err = report.why;
			return -1;
		}
		*status = exit_status(w, &report);
		return 0;
	}
}

/*
 * A shell that was the command has given the terminal to a process group that is gone. If flowgen
 * runs in the background, the terminal is somebody else's.
 */
static void take_terminal_back(void)
{
	pid_t group = isatty(STDIN_FILENO) ? tcgetpgrp(STDIN_FILENO) : -1;
	sigset_t set, before;

	if (group <= 0 || group == getpgrp() || !kill(-group, 0) || errno != ESRCH)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_BLOCK, &set, &before);
	tcsetpgrp(STDIN_FILENO, getpgrp());
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static int run(struct watch *w, int pair[2], int out, const sigset_t *mask, int *status,
	       struct fg_error *err)
{
	/* As fork(), with namespaces: clone(2) without a stack. */
	w->first = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | SIGCHLD, 0,
				  0, 0, 0);
	if (w->first < 0)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno, "namespaces for the command");
	if (!w->first) {
		close(pair[0]);
		inside(w->child, pair[1], out, mask);
	}
	fg_fd_close(&pair[1]);
	w->fd = pair[0];
	/* Before the command can have sent or said anything. */
	if (w->child->last && fg_confine(FG_CONFINE_EXEC, w->child->files, err))
		return -1;
	if (send(w->fd, "", 1, MSG_NOSIGNAL) != 1)
		fg_fail_errno(err, FG_ERR_INTERNAL, errno, "start the command");
	return watch(w, status, err);
}

/* The command has the terminal and the signals, and stops flowgen with itself. */
static int run_attached(struct watch *w, int pair[2], int *status, struct fg_error *err)
{
	sigset_t set, before;
	int ret;

	forwarded_set(&set);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	/* ^Z stops the command, and flowgen with it: see stop_as_well(). */
	sigaddset(&set, SIGTSTP);
	sigprocmask(SIG_BLOCK, &set, &before);
	ret = w->signals < 0 ? fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signalfd")
			     : run(w, pair, -1, &before, status, err);
	if (w->first > 0) {
		kill(w->first, SIGKILL);
		waitpid(w->first, NULL, 0);
		take_terminal_back();
	}
	fg_fd_close(&w->signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

static int run_caught(struct watch *w, int pair[2], int *status, struct fg_error *err)
{
	sigset_t none;
	int pipe_fds[2], ret;

	sigemptyset(&none);
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "the command's output");
	/* Only flowgen's end does not wait. */
	(void)fcntl(pipe_fds[1], F_SETFL, 0);
	w->out = pipe_fds[0];
	ret = run(w, pair, pipe_fds[1], &none, status, err);
	fg_fd_close(&pipe_fds[1]);
	if (w->first > 0) {
		kill(w->first, SIGKILL);
		waitpid(w->first, NULL, 0);
	}
	/* All that could write is gone now: it ends. */
	while (!ret && w->out >= 0)
		read_output(w);
	fg_fd_close(&w->out);
	return ret;
}

int fg_child_run(const struct fg_child *child, int *status, struct fg_error *err)
{
	struct watch w = { .child = child, .signals = -1, .out = -1 };
	int pair[2], ret;

	*status = FG_CHILD_FAILED;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "socketpair");
	if (child->timeout_ns)
		w.deadline = fg_clock_now() + child->timeout_ns;
	ret = child->output ? run_caught(&w, pair, status, err)
			    : run_attached(&w, pair, status, err);
	fg_fd_close(&pair[0]);
	fg_fd_close(&pair[1]);
	return ret;
}
