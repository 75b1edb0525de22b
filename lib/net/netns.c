// SPDX-License-Identifier: GPL-2.0-only
#include "net/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/grow.h"

#define SELF_NETNS "/proc/thread-self/ns/net"

int fg_netns_open(const char *path, struct fg_error *err)
{
	/* Whatever else is there (a FIFO) does not make it wait. */
	FG_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int type;

	if (fd < 0)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno, "network namespace %s", path);
	type = ioctl(fd, NS_GET_NSTYPE);
	/* What has no such call is another kind of file. */
	if (type < 0 && errno != ENOTTY && errno != EINVAL)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "network namespace %s", path);
	if (type != CLONE_NEWNET) {
		fg_fail(err, FG_ERR_USAGE, "%s is not a network namespace", path);
		return fg_hint(err, "give a path as in /run/netns/NAME or /proc/PID/ns/net");
	}
	return fg_fd_take(&fd);
}

bool fg_netns_is_gone(const struct fg_error *err)
{
	/*
	 * ENOTDIR: a part of the path is something else by now. ELOOP: links in a circle. ENXIO: a
	 * socket. A path to no namespace is none.
	 */
	return err->code == ENOENT || err->code == ESRCH || err->code == ENOTDIR ||
	       err->code == ELOOP || err->code == ENXIO || err->kind == FG_ERR_USAGE;
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
		fg_error_die(errno, "leave a network namespace");
	fg_fd_close(back);
}

uint64_t fg_netns_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	int back = -1;

	if (fg_netns_enter(fd, &back, NULL))
		return 0;
	FG_FD int sk = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	fg_netns_leave(&back);
	return sk < 0 || getsockopt(sk, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) ? 0 : cookie;
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

const struct fg_netns_name *fg_netns_list_name(const struct fg_netns_list *list, const char *name)
{
	for (size_t i = 0; i < list->name_count; i++)
		if (!strcmp(list->names[i].name, name))
			return &list->names[i];
	return NULL;
}

static int list_add(struct fg_netns_list *list, const struct fg_netns_entry *entry)
{
	struct fg_netns_entry *added;

	if (fg_netns_list_find(list, entry->inode))
		return 0;
	added = FG_APPEND(list->entries, list->count, "namespaces", NULL);
	if (!added)
		return -1;
	*added = *entry;
	return 0;
}

/* What exists and may not be looked at is counted; anything else ends the list. */
static int list_unreadable(struct fg_netns_list *list, const char *path, int code)
{
	if (code != EACCES && code != EPERM) {
		errno = code;
		return -1;
	}
	if (!list->unreadable++)
		snprintf(list->first_unreadable, sizeof(list->first_unreadable), "%s", path);
	return 0;
}

/* The links of another root lead to where they would lead there. */
static void set_path(struct fg_netns_name *n, const char *root, const char *dir, unsigned char type)
{
	char target[256];
	ssize_t len;

	snprintf(n->path, sizeof(n->path), "%s/%s", dir, n->name);
	/* DT_UNKNOWN: this file system does not tell. */
	if (type != DT_LNK && type != DT_UNKNOWN)
		return;
	len = readlink(n->path, target, sizeof(target) - 1);
	n->link = len >= 0;
	if (len <= 0 || !root[0])
		return;
	target[len] = '\0';
	if (target[0] == '/')
		snprintf(n->path, sizeof(n->path), "%.100s%s", root, target);
}

static int by_name(const void *left, const void *right)
{
	const struct fg_netns_name *a = left, *b = right;

	return a->link != b->link ? a->link - b->link : strcmp(a->name, b->name);
}

static int list_names(const char *root, const char *dir, struct fg_netns_list *list)
{
	DIR *names = opendir(dir);
	struct dirent *d;
	int ret = 0;

	if (!names)
		return errno == ENOENT || errno == ENOTDIR ? 0 : list_unreadable(list, dir, errno);
	while (!ret && (d = readdir(names))) {
		struct fg_netns_name name = {}, *added;
		struct fg_error why = {};

		if (d->d_name[0] == '.')
			continue;
		snprintf(name.name, sizeof(name.name), "%s", d->d_name);
		set_path(&name, root, dir, d->d_type);
		FG_FD int fd = fg_netns_open(name.path, &why);

		/* A leftover file that is no longer a namespace is skipped. */
		if (fd < 0) {
			ret = fg_netns_is_gone(&why) ? 0
						     : list_unreadable(list, name.path, why.code);
			continue;
		}
		name.inode = fg_netns_inode(fd);
		name.place = (uint32_t)list->name_count;
		added = name.inode ? FG_APPEND(list->names, list->name_count, "namespaces", NULL)
				   : NULL;
		if (added)
			*added = name;
		else
			ret = -1;
	}
	closedir(names);
	return ret;
}

static int list_add_named(const char *root, struct fg_netns_list *list)
{
	char dir[128];
	int ret;

	snprintf(dir, sizeof(dir), "%.100s/run/netns", root);
	ret = list_names(root, dir, list);
	if (list->name_count)
		qsort(list->names, list->name_count, sizeof(*list->names), by_name);
	for (size_t i = 0; i < list->name_count && !ret; i++) {
		struct fg_netns_entry entry = { .inode = list->names[i].inode,
						.place = list->names[i].place };

		memcpy(entry.name, list->names[i].name, sizeof(entry.name));
		memcpy(entry.path, list->names[i].path, sizeof(entry.path));
		ret = list_add(list, &entry);
	}
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
		struct stat st;
		char *end;

		entry.pid = (pid_t)strtol(d->d_name, &end, 10);
		if (entry.pid <= 0 || *end)
			continue;
		snprintf(entry.path, sizeof(entry.path), "%s/%d/ns/net", dir, entry.pid);
		if (stat(entry.path, &st)) {
			ret = errno == ENOENT || errno == ESRCH
				      ? 0
				      : list_unreadable(list, entry.path, errno);
			continue;
		}
		entry.inode = (uint32_t)st.st_ino;
		entry.place = (uint32_t)(list->name_count + list->count);
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
		return code == ENOENT ? fg_hint(err, "the node's /proc must be there") : -1;
	}
	*out = list;
	return 0;
}

void fg_netns_list_free(struct fg_netns_list *list)
{
	free(list->entries);
	free(list->names);
	*list = (struct fg_netns_list){};
}
