// SPDX-License-Identifier: GPL-2.0-only
#include "host/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "base/fd.h"

/*
 * What a mount table lists may be hidden beneath a later mount: the directory itself tells. Returns
 * an owned fd, or -1.
 */
static int open_hierarchy(const char *path)
{
	FG_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) || fs.f_type != CGROUP2_SUPER_MAGIC)
		return -1;
	return fg_fd_take(&fd);
}

bool fg_cgroup_is_root(int fd)
{
	/* Only the first cgroup of all lacks this file. */
	return faccessat(fd, "cgroup.type", F_OK, 0) && errno == ENOENT;
}

/*
 * On a hybrid system version 2 is mounted beside version 1 (/sys/fs/cgroup/unified). The mount that
 * shows most comes first, as a rule; but in a container the host's own may be mounted somewhere
 * else, later.
 */
static int open_mounted(void)
{
	FG_FILE FILE *mounts = setmntent("/proc/self/mounts", "re");
	FG_FD int part = -1;
	struct mntent *m;

	while (mounts && (m = getmntent(mounts))) {
		FG_FD int fd = strcmp(m->mnt_type, "cgroup2") ? -1 : open_hierarchy(m->mnt_dir);

		if (fd >= 0 && fg_cgroup_is_root(fd))
			return fg_fd_take(&fd);
		if (fd >= 0 && part < 0)
			part = fg_fd_take(&fd);
	}
	return fg_fd_take(&part);
}

/* A mount of our own, in no directory: it is gone with its descriptor. */
static int open_unmounted(void)
{
	FG_FD int fs = fsopen("cgroup2", FSOPEN_CLOEXEC);
	FG_FD int mount = -1;

	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	mount = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return mount < 0 ? -1 : openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int fg_cgroup_open_root(struct fg_error *err)
{
	int fd = open_mounted();

	if (fd < 0)
		fd = open_unmounted();
	if (fd < 0)
		fg_fail(err, FG_ERR_UNSUPPORTED, "no cgroup v2 hierarchy is mounted");
	return fd;
}
