// SPDX-License-Identifier: GPL-2.0-only
#include "signals/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"

/* One for the whole process, as the signals are: what is returned only looks at it. */
static int arrived = -1;

/* nohup(1) has a process ignore it, and that stays so. */
static bool is_ignored(int number)
{
	struct sigaction now;

	return !sigaction(number, NULL, &now) && now.sa_handler == SIG_IGN;
}

static int open_arrived(struct fg_error *err)
{
	sigset_t set;

	if (arrived >= 0)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (!is_ignored(SIGHUP))
		sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals");
	arrived = signalfd(-1, &set, SFD_CLOEXEC);
	return arrived < 0 ? fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals") : 0;
}

int fg_signals_open(struct fg_error *err)
{
	struct epoll_event signals = { .events = EPOLLIN }, reader = { .events = 0 };
	FG_FD int both = epoll_create1(EPOLL_CLOEXEC);

	if (both < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals");
	if (open_arrived(err))
		return -1;
	if (epoll_ctl(both, EPOLL_CTL_ADD, arrived, &signals))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals");
	/* EPOLLERR and EPOLLHUP are always told. EPERM: a file, which always has its reader. */
	if (epoll_ctl(both, EPOLL_CTL_ADD, STDOUT_FILENO, &reader) && errno != EPERM)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "standard output");
	return fg_fd_take(&both);
}
