// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "flowgen/internal.h"

/* Where `make install` puts it. */
#ifndef FLOWGEN_PROGRAM
#define FLOWGEN_PROGRAM "/usr/local/sbin/flowgen"
#endif

/* The agent's own time for what it ends is two seconds. */
#define END_NS 5000000000ULL

int fg_flowgen_process_lift(int *fd, struct fg_error *err)
{
	int lifted;

	if (*fd > STDERR_FILENO)
		return 0;
	lifted = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (lifted < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "a descriptor");
	fg_fd_close(fd);
	*fd = lifted;
	return 0;
}

/* A caller may have closed its standard descriptors: what comes in their place would be written to
 * by whoever prints.
 */
static int lift_both(int ends[2], struct fg_error *err)
{
	return fg_flowgen_process_lift(&ends[0], err) || fg_flowgen_process_lift(&ends[1], err);
}

/* --- what it reads and writes --- */

struct ends {
	int requests[2], answers[2], messages[2];
};

static int open_ends(struct ends *e, struct fg_error *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, e->requests) ||
	    pipe2(e->answers, O_CLOEXEC) || pipe2(e->messages, O_CLOEXEC))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "descriptors for a session");
	if (lift_both(e->requests, err) || lift_both(e->answers, err) ||
	    lift_both(e->messages, err))
		return -1;
	if (fcntl(e->requests[1], F_SETFL, O_NONBLOCK) ||
	    fcntl(e->answers[0], F_SETFL, O_NONBLOCK) || fcntl(e->messages[0], F_SETFL, O_NONBLOCK))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "descriptors for a session");
	return 0;
}

static void close_ends(struct ends *e)
{
	for (int i = 0; i < 2; i++) {
		fg_fd_close(&e->requests[i]);
		fg_fd_close(&e->answers[i]);
		fg_fd_close(&e->messages[i]);
	}
}

/* --- how it begins --- */

/* None of the caller's descriptors, ignored signals or blocked signals. Returns an errno value. */
static int set_up(posix_spawn_file_actions_t *files, posix_spawnattr_t *as, const struct ends *e)
{
	sigset_t none, all;
	int code;

	sigemptyset(&none);
	sigfillset(&all);
	code = posix_spawn_file_actions_adddup2(files, e->requests[0], STDIN_FILENO);
	if (!code)
		code = posix_spawn_file_actions_adddup2(files, e->answers[1], STDOUT_FILENO);
	if (!code)
		code = posix_spawn_file_actions_adddup2(files, e->messages[1], STDERR_FILENO);
	if (!code)
		code = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
	if (!code)
		code = posix_spawnattr_setsigmask(as, &none);
	if (!code)
		code = posix_spawnattr_setsigdefault(as, &all);
	if (!code)
		code = posix_spawnattr_setflags(as, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
							    POSIX_SPAWN_SETSID);
	return code;
}

static int spawn(pid_t *pid, const char *program, char **argv, const struct ends *e)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t as;
	int code = posix_spawn_file_actions_init(&files);

	if (code)
		return code;
	code = posix_spawnattr_init(&as);
	if (!code) {
		code = set_up(&files, &as, e);
		if (!code)
			code = posix_spawn(pid, program, &files, &as, argv, environ);
		posix_spawnattr_destroy(&as);
	}
	posix_spawn_file_actions_destroy(&files);
	return code;
}

/* posix_spawn() does not write to the words. */
static char **words_of(const char *const options[])
{
	size_t count = 0;
	char **argv;

	while (options && options[count])
		count++;
	argv = calloc(count + 3, sizeof(*argv));
	if (!argv)
		return NULL;
	argv[0] = (char *)"flowgen";
	argv[1] = (char *)"agent";
	for (size_t i = 0; i < count; i++)
		argv[2 + i] = (char *)options[i];
	return argv;
}

static int launch(struct fg_flowgen_process *p, const char *program, const char *const options[],
		  struct ends *e, struct fg_error *err)
{
	FG_FREE char **argv = words_of(options);
	int code = argv ? spawn(&p->pid, program, argv, e) : ENOMEM;

	if (code) {
		p->pid = 0;
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, code, "%s", program);
	}
	p->requests = fg_fd_take(&e->requests[1]);
	p->answers = fg_fd_take(&e->answers[0]);
	p->messages = fg_fd_take(&e->messages[0]);
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	/* It has ended, and the caller ignores SIGCHLD: the end of its answers will tell. */
	if (p->pidfd < 0 && errno == ESRCH) {
		p->pid = 0;
		return 0;
	}
	if (p->pidfd < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "watch a process");
	return fg_flowgen_process_lift(&p->pidfd, err);
}

int fg_flowgen_process_start(struct fg_flowgen_process *process, const char *program,
			     const char *const options[], struct fg_error *err)
{
	struct ends ends = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	int ret;

	*process = (struct fg_flowgen_process){
		.pidfd = -1, .requests = -1, .answers = -1, .messages = -1
	};
	ret = open_ends(&ends, err);
	if (!ret)
		ret = launch(process, program ? program : FLOWGEN_PROGRAM, options, &ends, err);
	close_ends(&ends);
	if (ret)
		fg_flowgen_process_end(process, true);
	return ret;
}

/* --- how it ends --- */

/* It could not be watched, so it is killed: it has only begun, and done nothing. */
static void kill_at_once(pid_t pid)
{
	/* Unless it was waited for by somebody else: its number may be another's then. */
	if (!waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOHANG | WNOWAIT))
		kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void wait_for(struct fg_flowgen_process *p)
{
	struct pollfd polled = { .fd = p->pidfd, .events = POLLIN };
	uint64_t until = fg_clock_now() + END_NS;
	int n;

	/* A handler of the caller's may interrupt it, and again and again. */
	do
		n = poll(&polled, 1, fg_flowgen_talk_left(until));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
	/* ECHILD: the caller has waited for all its children, or ignores SIGCHLD. */
	while (waitid(P_PIDFD, (id_t)p->pidfd, NULL, WEXITED) && errno == EINTR)
		;
}

void fg_flowgen_process_end(struct fg_flowgen_process *process, bool mine)
{
	/* Not only closed: children of the caller may have it open, too. */
	if (mine && process->requests >= 0)
		shutdown(process->requests, SHUT_RDWR);
	fg_fd_close(&process->requests);
	fg_fd_close(&process->answers);
	fg_fd_close(&process->messages);
	if (mine && process->pidfd >= 0)
		wait_for(process);
	else if (mine && process->pid > 0)
		kill_at_once(process->pid);
	fg_fd_close(&process->pidfd);
	process->pid = 0;
}
