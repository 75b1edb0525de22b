// SPDX-License-Identifier: GPL-2.0-only
#include "host/apart.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/confine.h"

#define NOT_CONFINED 125

/* b may be -1. */
static int close_all_but(int a, int b)
{
	unsigned int first = (unsigned int)(b < 0 || a < b ? a : b);
	unsigned int second = (unsigned int)(b > a ? b : a);

	/* One line says what went wrong, and that is the caller's. */
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	if (first > STDERR_FILENO + 1 && close_range(STDERR_FILENO + 1, first - 1, 0))
		return -1;
	if (second > first + 1 && close_range(first + 1, second - 1, 0))
		return -1;
	return close_range(second + 1, UINT_MAX, 0);
}

static _Noreturn void inside(fg_apart_work work, void *arg, int fd, int kept, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* What has no reader any more is told by write(). */
	signal(SIGPIPE, SIG_IGN);
	if (getppid() != parent || close_all_but(fd, kept) ||
	    fg_confine(FG_CONFINE_PARSE, false, NULL))
		_exit(NOT_CONFINED);
	_exit(work(arg, fd));
}

int fg_apart_start(struct fg_apart *apart, fg_apart_work work, void *arg, int kept, bool packets,
		   struct fg_error *err)
{
	pid_t self = getpid();
	int ends[2];

	*apart = (struct fg_apart){ .fd = -1 };
	if (socketpair(AF_UNIX, (packets ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC, 0, ends))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "socketpair");
	apart->pid = fork();
	if (!apart->pid)
		inside(work, arg, ends[1], kept, self);
	apart->fd = ends[0];
	close(ends[1]);
	if (apart->pid > 0)
		return 0;
	apart->pid = 0;
	return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "start a process to read with");
}

int fg_apart_end(struct fg_apart *apart)
{
	int status = 0, failed = 0;
	pid_t pid = apart->pid;

	fg_fd_close(&apart->fd);
	apart->pid = 0;
	if (pid <= 0)
		return -1;
	/* Once more, whatever it was: else it would stay as long as this process. */
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR && failed++)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
