// SPDX-License-Identifier: GPL-2.0-only
/* cause/proc.c - what /proc tells of a namespace and of the processes that hold its sockets. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/visible.h"
#include "cause/internal.h"
#include "net/netns.h"

/* How far a search goes: some 10 ms each. */
#define PROCESSES_MAX 4096
#define FILES_MAX 16384

const char *fg_cause_where(const struct fg_cause_place *place, char *buf, size_t size)
{
	const char *where = place->where && place->where[0] ? place->where : NULL;

	if (!where)
		snprintf(buf, size, "this namespace");
	else if (!strcmp(where, "host"))
		snprintf(buf, size, "the host's namespace");
	else
		snprintf(buf, size, "pod %.100s", where);
	return buf;
}

const char *fg_cause_device(struct nl_sock *rtnl, int ifindex, char buf[IFNAMSIZ + 16])
{
	struct fg_link link;

	if (fg_link_get(rtnl, ifindex, NULL, &link, NULL))
		snprintf(buf, IFNAMSIZ + 16, "device %d", ifindex);
	else
		snprintf(buf, IFNAMSIZ + 16, "%s", link.name);
	return buf;
}

/*
 * /proc/sys/net and /proc/thread-self/net show what the thread's namespace has when the name is
 * looked up; what is open stays there.
 */
FILE *fg_cause_open(const struct fg_cause_place *place, const char *path)
{
	FG_FD int fd = -1;
	FILE *file;
	int back;

	if (fg_netns_enter(place->netns, &back, NULL))
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	fg_netns_leave(&back);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (file)
		fg_fd_take(&fd);
	return file;
}

long fg_cause_sysctl(const struct fg_cause_place *place, const char *path)
{
	FG_FILE FILE *file = fg_cause_open(place, path);
	char text[64], *end;
	long value;

	if (!file || !fgets(text, sizeof(text), file))
		return -1;
	value = strtol(text, &end, 10);
	return end == text ? -1 : value;
}

long fg_cause_sysctl_conf(const struct fg_cause_place *place, const char *device, const char *key)
{
	char path[160];

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%.32s/%.64s",
		 place->flow.family == AF_INET ? "ipv4" : "ipv6", device, key);
	return fg_cause_sysctl(place, path);
}

void fg_cause_put_conf(struct fg_cause *out, uint16_t family, const char *device, const char *key,
		       long value)
{
	char name[IFNAMSIZ + 16];

	/* sysctl(8) takes a slash for a dot within a name. */
	snprintf(name, sizeof(name), "%.30s", device);
	for (char *dot = name; (dot = strchr(dot, '.'));)
		*dot = '/';
	fg_cause_set_setting(out, value, "net.%s.conf.%s.%s", family == AF_INET ? "ipv4" : "ipv6",
			     name, key);
}

struct search {
	const char *proc; /* "/proc", below the host's root */
	uint32_t netns;
	char want[32];	    /* "socket:[INODE]" */
	unsigned int files; /* looked at so far */
};

static bool holds_socket(struct search *s, pid_t pid)
{
	char path[160], link[64];
	struct dirent *d;
	bool found = false;
	ssize_t len;
	DIR *fds;

	snprintf(path, sizeof(path), "%.100s/%d/fd", s->proc, pid);
	fds = opendir(path);
	while (fds && !found && s->files++ < FILES_MAX && (d = readdir(fds))) {
		len = readlinkat(dirfd(fds), d->d_name, link, sizeof(link) - 1);
		if (len <= 0)
			continue;
		link[len] = '\0';
		found = !strcmp(link, s->want);
	}
	if (fds)
		closedir(fds);
	return found;
}

static bool lives_in(const char *proc, pid_t pid, uint32_t netns)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof(path), "%.100s/%d/ns/net", proc, pid);
	return !stat(path, &st) && (uint32_t)st.st_ino == netns;
}

static void put_process(const char *proc, pid_t pid, char *buf, size_t size)
{
	char path[160], comm[64] = "";

	snprintf(path, sizeof(path), "%.100s/%d/comm", proc, pid);
	FG_FILE FILE *file = fopen(path, "re");

	if (file && fgets(comm, sizeof(comm), file))
		comm[strcspn(comm, "\n")] = '\0';
	fg_visible_make(comm);
	snprintf(buf, size, "pid %d%s%s", pid, comm[0] ? " " : "", comm);
}

/* Those that live in the namespace, or those that do not. 0: none of them. */
static pid_t search(struct search *s, bool inside)
{
	unsigned int processes = 0;
	DIR *all = opendir(s->proc);
	struct dirent *d;
	pid_t found = 0;

	while (all && !found && (d = readdir(all))) {
		char *rest;
		pid_t pid = (pid_t)strtol(d->d_name, &rest, 10);

		if (pid <= 0 || *rest)
			continue;
		if (processes++ == PROCESSES_MAX || s->files >= FILES_MAX)
			break;
		if (lives_in(s->proc, pid, s->netns) == inside && holds_socket(s, pid))
			found = pid;
	}
	if (all)
		closedir(all);
	return found;
}

pid_t fg_cause_process(const struct fg_cause_place *place, uint32_t inode, char *buf, size_t size)
{
	struct search s = { .netns = fg_netns_inode(place->netns) };
	char proc[112];
	pid_t pid;

	buf[0] = '\0';
	if (!inode)
		return 0;
	snprintf(proc, sizeof(proc), "%.100s/proc", place->root ? place->root : "");
	snprintf(s.want, sizeof(s.want), "socket:[%u]", inode);
	s.proc = proc;
	/* A proxy may hold a socket of a namespace that it does not live in. */
	pid = search(&s, true);
	if (!pid)
		pid = search(&s, false);
	if (pid)
		put_process(proc, pid, buf, size);
	return pid;
}
