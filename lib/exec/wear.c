// SPDX-License-Identifier: GPL-2.0-only
/* wear.c - putting on what dress.c has read: mounts, host name, cgroup. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"
#include "exec/internal.h"

/* Sockets there answer for the host's name service: they are files, and know no network namespace.
 */
static const char *const hidden[] = { "/run/systemd/resolve", "/run/nscd", "/var/run/nscd" };

static int put_text(const char *path, const char *text)
{
	FG_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t len = strlen(text);

	return fd >= 0 && write(fd, text, len) == (ssize_t)len ? 0 : -1;
}

static bool is_hidden(const char *path)
{
	for (size_t i = 0; i < COUNT(hidden); i++)
		if (!strncmp(path, hidden[i], strlen(hidden[i])) && path[strlen(hidden[i])] == '/')
			return true;
	return false;
}

static int hide_name_services(struct fg_error *err)
{
	struct stat st;

	for (size_t i = 0; i < COUNT(hidden); i++)
		if (!lstat(hidden[i], &st) && S_ISDIR(st.st_mode) &&
		    mount("tmpfs", hidden[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m"))
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "hide %s", hidden[i]);
	return 0;
}

/* A file over another, from a file system in memory that is mounted at /proc for that long. */
static int cover(const char *name, const char *real, const char *text, struct fg_error *err)
{
	char from[100];

	if (!text)
		return 0;
	if (!real[0]) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "the host has no /etc/%s to cover", name);
		return fg_hint(err, "make one, or give --dns host");
	}
	snprintf(from, sizeof(from), "/proc/%s", name);
	if (put_text(from, text) || (is_hidden(real) && put_text(real, "")) ||
	    mount(from, real, NULL, MS_BIND, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "cover %s", real);
	return 0;
}

static const char *resolve(const char *path, char out[PATH_MAX])
{
	if (!realpath(path, out))
		out[0] = '\0';
	return out;
}

static int cover_files(const struct fg_dress *dress, struct fg_error *err)
{
	/* A link leads into what is hidden, perhaps: resolved before. */
	char resolv[PATH_MAX], hosts[PATH_MAX], nsswitch[PATH_MAX];

	resolve("/etc/resolv.conf", resolv);
	resolve("/etc/hosts", hosts);
	resolve("/etc/nsswitch.conf", nsswitch);
	if (dress->resolv_conf && hide_name_services(err))
		return -1;
	if (mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m"))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "a file system in memory");
	if (cover("resolv.conf", resolv, dress->resolv_conf, err) ||
	    cover("hosts", hosts, dress->hosts, err) ||
	    (nsswitch[0] && cover("nsswitch.conf", nsswitch, dress->nsswitch, err)))
		return -1;
	return umount2("/proc", MNT_DETACH) ? fg_fail_errno(err, FG_ERR_INTERNAL, errno, "/proc")
					    : 0;
}

/* /sys shows the devices of the namespace that mounts it; what is mounted below it stays. */
static int mount_sys(struct fg_error *err)
{
	static const char *const below[] = { "/sys/fs/cgroup", "/sys/fs/bpf", "/sys/kernel/debug",
					     "/sys/kernel/tracing", "/sys/kernel/security" };
	int kept[COUNT(below)], failed;

	for (size_t i = 0; i < COUNT(below); i++)
		kept[i] = open_tree(AT_FDCWD, below[i],
				    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	failed = mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (failed)
		fg_fail_errno(err, FG_ERR_INTERNAL, errno, "mount /sys");
	for (size_t i = 0; i < COUNT(below); i++) {
		if (kept[i] >= 0 && !failed)
			(void)move_mount(kept[i], "", AT_FDCWD, below[i], MOVE_MOUNT_F_EMPTY_PATH);
		fg_fd_close(&kept[i]);
	}
	return failed ? -1 : 0;
}

static int join_cgroup(const char *dir, struct fg_error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	FG_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "0", 1) == 1
		       ? 0
		       : fg_fail_errno(err, FG_ERR_INTERNAL, errno, "join %s", dir);
}

int fg_wear_dress(const struct fg_dress *dress, struct fg_error *err)
{
	if (dress->cgroup && join_cgroup(dress->cgroup, err))
		return -1;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "a mount namespace");
	if (cover_files(dress, err) || mount_sys(err))
		return -1;
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "mount /proc");
	if (dress->hostname && sethostname(dress->hostname, strlen(dress->hostname)))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "set the host name");
	return 0;
}
