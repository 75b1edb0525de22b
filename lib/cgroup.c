// SPDX-License-Identifier: GPL-2.0-only
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <string.h>

#include "fd.h"

/*
 * On a hybrid system version 2 is mounted beside version 1 (/sys/fs/cgroup/unified). The mount that shows most
 * comes first; a bind mount of a part of it comes later.
 */
int fg_cgroup_open_root(struct fg_error *err)
{
	FG_FILE FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	if (!mounts)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "/proc/self/mounts");
	while ((m = getmntent(mounts))) {
		int fd;

		if (strcmp(m->mnt_type, "cgroup2"))
			continue;
		fd = open(m->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	return fg_fail(err, FG_ERR_UNSUPPORTED, "no cgroup v2 hierarchy is mounted");
}
