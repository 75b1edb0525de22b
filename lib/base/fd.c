// SPDX-License-Identifier: GPL-2.0-only
#include "base/fd.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/resource.h>

/* As it was when the limit was raised first. */
static struct rlimit given;
static bool known;

void fg_fd_raise_limit(void)
{
	struct rlimit most;

	known = known || !getrlimit(RLIMIT_NOFILE, &given);
	if (!known)
		return;
	most = given;
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_NOFILE, &most);
}

void fg_fd_restore_limit(void)
{
	if (known)
		setrlimit(RLIMIT_NOFILE, &given);
}

void fg_fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}
