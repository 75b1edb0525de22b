// SPDX-License-Identifier: GPL-2.0-only
#include "guard/hold.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

int fg_hold_open(struct fg_error *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	fd = sigprocmask(SIG_BLOCK, &set, NULL) ? -1 : signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals") : fd;
}

int fg_hold_wait(int fd, int cancel_fd, struct fg_error *err)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
				{ .fd = cancel_fd, .events = POLLIN } };

	int ready = poll(fds, 2, FG_HOLD_MAX_MS);

	/* A signal that is handled is told by cancel_fd. */
	while (ready < 0 && errno == EINTR)
		ready = poll(fds, 2, FG_HOLD_MAX_MS);
	if (ready < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "wait for SIGUSR1");
	if (!ready)
		return fg_fail(err, FG_ERR_INCONCLUSIVE,
			       "--hold: nobody let the packet go for %d minutes",
			       FG_HOLD_MAX_MS / 60000);
	return fds[0].revents ? 0
			      : fg_fail(err, FG_ERR_INCONCLUSIVE,
					"interrupted before the packet was sent");
}
