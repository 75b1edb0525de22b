// SPDX-License-Identifier: GPL-2.0-only
#include "base/fd.h"

#include <errno.h>

void fg_fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}
