// SPDX-License-Identifier: GPL-2.0-only
#include "netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "fd.h"

#define SELF_NETNS "/proc/thread-self/ns/net"

int fg_netns_open(const char *path, struct fg_error *err)
{
	FG_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno, "network namespace %s", path);
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		fg_fail(err, FG_ERR_USAGE, "%s is not a network namespace", path);
		return fg_hint(err, "give a path as in /run/netns/NAME or /proc/PID/ns/net");
	}
	return fg_fd_take(&fd);
}

uint32_t fg_netns_inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : (uint32_t)st.st_ino;
}

int fg_netns_enter(int fd, int *back, struct fg_error *err)
{
	FG_FD int home = fg_netns_open(SELF_NETNS, err);

	if (home < 0)
		return -1;
	if (setns(fd, CLONE_NEWNET))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "enter a network namespace");
	*back = fg_fd_take(&home);
	return 0;
}

void fg_netns_leave(int *back)
{
	if (setns(*back, CLONE_NEWNET))
		abort();
	fg_fd_close(back);
}

int fg_netns_create(struct fg_error *err)
{
	FG_FD int home = fg_netns_open(SELF_NETNS, err);
	int made;

	if (home < 0)
		return -1;
	/* In a user namespace one can leave, but not come back: tried before it is too late. */
	if (setns(home, CLONE_NEWNET))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "enter a network namespace");
	if (unshare(CLONE_NEWNET))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "make a network namespace");
	made = fg_netns_open(SELF_NETNS, err);
	fg_netns_leave(&home);
	return made;
}

const struct fg_netns_entry *fg_netns_list_find(const struct fg_netns_list *list, uint32_t inode)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->entries[i].inode == inode)
			return &list->entries[i];
	return NULL;
}

static int list_add(struct fg_netns_list *list, const struct fg_netns_entry *entry)
{
	struct fg_netns_entry *grown;

	if (fg_netns_list_find(list, entry->inode))
		return 0;
	/* Grows by doubling: a count that is a power of two has just been filled. */
	if (!(list->count & (list->count - 1))) {
		grown = reallocarray(list->entries, list->count ? list->count * 2 : 1,
				     sizeof(*grown));
		if (!grown)
			return -1;
		list->entries = grown;
	}
	list->entries[list->count++] = *entry;
	return 0;
}

static void entry_set_inode(struct fg_netns_entry *entry)
{
	struct stat st;

	entry->inode = stat(entry->path, &st) ? 0 : (uint32_t)st.st_ino;
}

static int list_add_named(const char *root, struct fg_netns_list *list)
{
	char dir[128];
	struct dirent *d;
	DIR *names;
	int ret = 0;

	snprintf(dir, sizeof(dir), "%.100s/run/netns", root);
	names = opendir(dir);
	if (!names)
		return 0;
	while (!ret && (d = readdir(names))) {
		struct fg_netns_entry entry = {};

		if (d->d_name[0] == '.')
			continue;
		snprintf(entry.name, sizeof(entry.name), "%s", d->d_name);
		snprintf(entry.path, sizeof(entry.path), "%s/%s", dir, d->d_name);
		FG_FD int fd = fg_netns_open(entry.path, NULL);

		/* A left-over file that is no namespace any more is no entry. */
		if (fd < 0)
			continue;
		entry.inode = fg_netns_inode(fd);
		ret = list_add(list, &entry);
	}
	closedir(names);
	return ret;
}

static int list_add_processes(const char *root, struct fg_netns_list *list)
{
	char dir[128];
	struct dirent *d;
	DIR *proc;
	int ret = 0;

	snprintf(dir, sizeof(dir), "%.100s/proc", root);
	proc = opendir(dir);
	if (!proc)
		return -1;
	while (!ret && (d = readdir(proc))) {
		struct fg_netns_entry entry = {};
		char *end;

		entry.pid = (pid_t)strtol(d->d_name, &end, 10);
		if (entry.pid <= 0 || *end)
			continue;
		snprintf(entry.path, sizeof(entry.path), "%s/%d/ns/net", dir, entry.pid);
		entry_set_inode(&entry);
		if (entry.inode)
			ret = list_add(list, &entry);
	}
	closedir(proc);
	return ret;
}

int fg_netns_list(const char *root, struct fg_netns_list *out, struct fg_error *err)
{
	struct fg_netns_list list = {};

	if (list_add_named(root, &list) || list_add_processes(root, &list)) {
		int code = errno;

		fg_netns_list_free(&list);
		fg_fail_errno(err, code == ENOENT ? FG_ERR_UNSUPPORTED : FG_ERR_INTERNAL, code,
			      "list the namespaces in %s/proc", root);
		return code == ENOENT ? fg_hint(err, "the node's /proc has to be there") : -1;
	}
	*out = list;
	return 0;
}

void fg_netns_list_free(struct fg_netns_list *list)
{
	free(list->entries);
	list->entries = NULL;
	list->count = 0;
}
