// SPDX-License-Identifier: GPL-2.0-only
/*
 * cause/filter.c - what can refuse a packet at its socket, program by program: those on the cgroup
 * of the socket, and those at the hook of security modules.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"
#include "cause/internal.h"
#include "net/sockdiag.h"

#define PROGRAMS_MAX 8
/* flowgen's own, on the root of all cgroups; it refuses nothing that is not a probe's. */
#define OWN_PROGRAM "fg_socket"
#define LSM_HOOK "socket_sock_rcv_skb"

struct refusers {
	struct bpf_prog_info list[PROGRAMS_MAX];
	size_t count, more;
};

static void add(struct refusers *r, const struct bpf_prog_info *info)
{
	if (r->count < PROGRAMS_MAX)
		r->list[r->count++] = *info;
	else
		r->more++;
}

static int read_program(__u32 id, struct bpf_prog_info *info)
{
	FG_FD int fd = bpf_prog_get_fd_by_id(id);
	__u32 len = sizeof(*info);

	*info = (struct bpf_prog_info){};
	return fd < 0 ? -1 : bpf_prog_get_info_by_fd(fd, info, &len);
}

static void put_refusers(const struct refusers *r, struct fg_cause *out)
{
	for (size_t i = 0; i < r->count; i++)
		fg_cause_add(out, "%s %s%s(id %u)", i ? "," : "", r->list[i].name,
			     r->list[i].name[0] ? " " : "", r->list[i].id);
	if (r->more)
		fg_cause_add(out, ", and %zu more", r->more);
}

/* --- cgroups --- */

/* The line of the unified hierarchy: "0::/path" (cgroups(7)). */
static bool read_path(const struct fg_cause_place *place, pid_t pid, char *path, size_t size)
{
	char name[160], line[4096];
	bool found = false;

	snprintf(name, sizeof(name), "%.100s/proc/%d/cgroup", place->root ? place->root : "", pid);
	FG_FILE FILE *file = fopen(name, "re");

	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		/* One outside this cgroup namespace begins with "/..". */
		found = !strncmp(line, "0::/", 4) && !strstr(line, "/..") &&
			strlen(line + 3) < size;
		if (found)
			snprintf(path, size, "%s", line + 3);
	}
	return found;
}

/* The cgroup that the socket was made in: that of its process, unless it has moved since. */
static int open_cgroup(const struct fg_cause_place *place, const struct fg_socket *s, pid_t pid,
		       char *path, size_t size)
{
	FG_FD int fd = -1;
	struct stat st;

	if (place->cgroup <= 0 || pid <= 0 || !read_path(place, pid, path, size))
		return -1;
	fd = openat(place->cgroup, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A cgroup's number is that of its directory's inode. */
	if (fd < 0 || fstat(fd, &st) || (s->cgroup && s->cgroup != st.st_ino))
		return -1;
	return fg_fd_take(&fd);
}

/* Those of the cgroup and of all above it. */
static void list_cgroup(int cgroup, struct refusers *r)
{
	__u32 ids[64] = {}, count = COUNT(ids);
	struct bpf_prog_info info;

	/* Of more than there is room for, the kernel says how many they are. */
	if (bpf_prog_query(cgroup, BPF_CGROUP_INET_INGRESS, BPF_F_QUERY_EFFECTIVE, NULL, ids,
			   &count) &&
	    errno != ENOSPC)
		return;
	for (__u32 i = 0; i < count && i < COUNT(ids); i++)
		if (!read_program(ids[i], &info) && strcmp(info.name, OWN_PROGRAM) != 0)
			add(r, &info);
	if (count > COUNT(ids))
		r->more += count - COUNT(ids);
}

/* --- security modules --- */

/* The kernel's BTF is only looked at if there are programs of that kind. */
static void list_lsm(struct refusers *r)
{
	struct bpf_prog_info info;
	int hook = 0;
	__u32 id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		if (read_program(id, &info) || info.type != BPF_PROG_TYPE_LSM)
			continue;
		if (!hook)
			hook = libbpf_find_vmlinux_btf_id(LSM_HOOK, BPF_LSM_MAC);
		if (hook > 0 && info.attach_btf_id == (__u32)hook)
			add(r, &info);
	}
}

bool fg_cause_find_lsm(const struct fg_cause_place *place, struct fg_cause *out)
{
	struct refusers lsm = {};

	(void)place;
	list_lsm(&lsm);
	if (!lsm.count)
		return false;
	fg_cause_set(out, FG_CAUSE_SOCKET, "lsm",
		     "BPF programs at the security hook " LSM_HOOK ":");
	put_refusers(&lsm, out);
	return true;
}

bool fg_cause_find_filter(const struct fg_cause_place *place, struct fg_cause *out)
{
	struct refusers on_cgroup = {}, lsm = {};
	struct fg_socket s;
	char path[512] = "", text[80];
	FG_FD int cgroup = -1;
	pid_t pid;

	if (!fg_cause_socket_find(place, &s, text, sizeof(text)))
		return false;
	fg_cause_set(out, FG_CAUSE_SOCKET, "filter", "the socket %s, or what is before it:", text);
	pid = fg_cause_process(place, s.inode, out->process, sizeof(out->process));
	cgroup = open_cgroup(place, &s, pid, path, sizeof(path));
	if (cgroup >= 0)
		list_cgroup(cgroup, &on_cgroup);
	put_refusers(&on_cgroup, out);
	if (on_cgroup.count)
		fg_cause_add(out, " on its cgroup %.100s;", path);
	list_lsm(&lsm);
	put_refusers(&lsm, out);
	if (lsm.count)
		fg_cause_add(out, " at the security hook " LSM_HOOK ";");
	fg_cause_add(out,
		     cgroup >= 0 ? "%s a filter of its own"
				 : "%s a filter of its own, or "
				   "programs on its cgroup",
		     on_cgroup.count || lsm.count ? " or" : "");
	return true;
}
