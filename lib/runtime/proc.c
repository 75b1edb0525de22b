// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which recorded process still lives, and where its network namespace opens. A path that a runtime
 * recorded is true in the runtime's mount namespace only, and a recorded pid only until the number
 * is used again.
 */
#include "base/count.h"
#include "runtime/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/fd.h"

/* Inode of the network namespace behind a path; 0 if it is none. */
static uint32_t netns_inode(const char *path)
{
	FG_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(fd, &st))
		return 0;
	return (uint32_t)st.st_ino;
}

/* The namespaces of processes are what they say, so that looking at the link's target is enough. */
static uint32_t pid_netns(const struct fg_scan *scan, pid_t pid)
{
	char path[512];
	struct stat st;

	if (!fg_scan_path(path, sizeof(path), "%s/proc/%d/ns/net", scan->root, pid)) {
		errno = ENAMETOOLONG;
		return 0;
	}
	if (stat(path, &st))
		return 0;
	return (uint32_t)st.st_ino;
}

static bool read_proc(const struct fg_scan *scan, pid_t pid, const char *file, char *text,
		      size_t size)
{
	char path[512];
	ssize_t len;

	if (!fg_scan_path(path, sizeof(path), "%s/proc/%d/%s", scan->root, pid, file))
		return false;
	FG_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	len = fd < 0 ? -1 : read(fd, text, size - 1);
	if (len <= 0)
		return false;
	text[len] = '\0';
	return true;
}

/*
 * /proc/PID/stat: "pid (comm) state ppid ..."; comm may hold anything, so count from the last
 * bracket.
 */
static pid_t pid_parent(const struct fg_scan *scan, pid_t pid)
{
	char text[1024];
	char *rest;

	if (!read_proc(scan, pid, "stat", text, sizeof(text)))
		return 0;
	rest = strrchr(text, ')');
	if (!rest || strlen(rest) < 5)
		return 0;
	return (pid_t)strtol(rest + 4, NULL, 10);
}

/*
 * The recorded path as it may open from here. /var/run is a link to /run on every distribution in
 * use, and an absolute one, so below another root it would lead back to our own.
 */
static bool path_here(const struct fg_record *record, const char *prefix, char *out, size_t size)
{
	const char *path = record->netns;

	if (!strncmp(path, "/var/run/", 9))
		path += 4;
	/* A path in /proc names a process by number: nothing to rely on later. */
	if (path[0] != '/' || !strncmp(path, "/proc/", 6) || strstr(path, "/../"))
		return false;
	return fg_scan_path(out, size, "%s%s", prefix, path);
}

static bool open_recorded(const struct fg_record *record, const char *prefix,
			  struct fg_proc_netns *out)
{
	if (!path_here(record, prefix, out->path, sizeof(out->path)))
		return false;
	out->inode = netns_inode(out->path);
	return out->inode != 0;
}

int fg_proc_prepare(struct fg_scan *scan)
{
	int code;

	scan->node_netns = pid_netns(scan, 1);
	if (scan->node_netns)
		return 0;
	code = errno;
	/*
	 * A host that is locked down hides it: then records alone say whose network is the node's.
	 * fg_netns_list() counts what may not be looked at.
	 */
	if (code == EACCES || code == EPERM)
		return 0;
	fg_fail_errno(scan->err, FG_ERR_UNSUPPORTED, code, "read %s/proc/1/ns/net", scan->root);
	return fg_hint(scan->err, "the node's /proc has to be at %s/proc", scan->root);
}

void fg_proc_check(struct fg_scan *scan, struct fg_record *record)
{
	struct fg_proc_netns recorded;
	char cgroups[16384];
	uint32_t inode;

	if (record->pid <= 0)
		return;
	/* A process that has ended and waits to be collected has no namespace any more. */
	inode = pid_netns(scan, record->pid);
	if (!inode)
		return;
	if (!read_proc(scan, record->pid, "cgroup", cgroups, sizeof(cgroups)))
		cgroups[0] = '\0';
	if (!strstr(cgroups, record->id) &&
	    (!open_recorded(record, scan->root, &recorded) || recorded.inode != inode))
		return;
	record->live = true;
	record->live_netns = inode;
	record->parent = pid_parent(scan, record->pid);
	if (!scan->runtime_pid)
		scan->runtime_pid = record->parent;
}

static bool open_process(const struct fg_scan *scan, const struct fg_record *record,
			 struct fg_proc_netns *out)
{
	if (!record->live || !fg_scan_path(out->path, sizeof(out->path), "%s/proc/%d/ns/net",
					   scan->root, record->pid))
		return false;
	out->inode = netns_inode(out->path);
	return out->inode != 0;
}

/*
 * No process lives, and the path does not open from here: look through the eyes of the runtime, or
 * of pid 1.
 */
static bool open_elsewhere(const struct fg_scan *scan, const struct fg_record *record,
			   struct fg_proc_netns *out)
{
	const pid_t eyes[] = { scan->runtime_pid, 1 };
	char prefix[256];

	for (size_t i = 0; i < COUNT(eyes); i++)
		if (eyes[i] > 0 &&
		    fg_scan_path(prefix, sizeof(prefix), "%s/proc/%d/root", scan->root, eyes[i]) &&
		    open_recorded(record, prefix, out))
			return true;
	return false;
}

bool fg_proc_find_netns(const struct fg_scan *scan, const struct fg_record *records, size_t count,
			struct fg_proc_netns *out)
{
	struct fg_proc_netns found;

	for (size_t i = 0; i < count; i++)
		if (open_recorded(&records[i], scan->root, &found) ||
		    open_process(scan, &records[i], &found)) {
			*out = found;
			return true;
		}
	for (size_t i = 0; i < count; i++)
		if (open_elsewhere(scan, &records[i], &found)) {
			*out = found;
			return true;
		}
	return false;
}

bool fg_proc_host_network(const struct fg_scan *scan, const struct fg_record *records, size_t count,
			  uint32_t inode)
{
	if (inode && inode == scan->node_netns)
		return true;
	for (size_t i = 0; i < count; i++) {
		const struct fg_record *record = &records[i];

		if (!record->own_netns)
			return true;
		/* A node that is a namespace itself: the shim is in the node's network. */
		if (record->live && record->parent > 1 &&
		    pid_netns(scan, record->parent) == record->live_netns)
			return true;
	}
	return false;
}
