// SPDX-License-Identifier: GPL-2.0-only
#include "hostroot.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TASKS "/run/containerd/io.containerd.runtime.v2.task/k8s.io"

static void need(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	abort();
}

const char *host_id(char letter)
{
	static char ids[2][65];
	static int turn;
	char *id = ids[turn = !turn];

	memset(id, letter, 64);
	return id;
}

/* The descriptor keeps a namespace alive; the process goes back to its own. */
static int make_netns(void)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	if (unshare(CLONE_NEWNET)) {
		close(home);
		return -1;
	}
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	need(!setns(home, CLONE_NEWNET), "setns");
	close(home);
	return fd;
}

bool host_make(struct hostroot *host)
{
	struct stat st;

	memset(host, 0, sizeof(*host));
	for (int i = 0; i < HOST_NETNS_COUNT; i++) {
		host->netns[i] = make_netns();
		if (host->netns[i] < 0) {
			printf("# skip: no privilege to make a network namespace\n");
			return false;
		}
		need(!fstat(host->netns[i], &st), "fstat");
		host->inode[i] = (uint32_t)st.st_ino;
	}
	snprintf(host->path, sizeof(host->path), "/tmp/flowgen-host-XXXXXX");
	need(mkdtemp(host->path) != NULL, "mkdtemp");
	host_put_process(host, 1, 0, "/init.scope", HOST_NODE_NETNS);
	return true;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void remove_all(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void host_remove(struct hostroot *host)
{
	remove_all(host->path);
	for (int i = 0; i < HOST_NETNS_COUNT; i++)
		close(host->netns[i]);
}

void host_take_away(const struct hostroot *host, const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", host->path, path);
	remove_all(full);
}

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

void host_put(const struct hostroot *host, const char *path, const char *fmt, ...)
{
	char full[512];
	va_list args;
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", host->path, path);
	make_parents(full);
	file = fopen(full, "w");
	need(file != NULL, full);
	va_start(args, fmt);
	vfprintf(file, fmt, args);
	va_end(args);
	need(!fclose(file), full);
}

void host_link(const struct hostroot *host, const char *path, const char *target)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", host->path, path);
	make_parents(full);
	unlink(full);
	need(!symlink(target, full), full);
}

void host_put_netns(const struct hostroot *host, const char *path, int which)
{
	char target[64];

	snprintf(target, sizeof(target), "/proc/self/fd/%d", host->netns[which]);
	host_link(host, path, target);
}

void host_put_process(const struct hostroot *host, pid_t pid, pid_t parent, const char *cgroup,
		      int which)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	host_put(host, path, "0::%s\n", cgroup);
	/* The name of a program may hold brackets and blanks. */
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	host_put(host, path, "%d (a ) S 9) S %d 1 1 0 -1\n", pid, parent);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	host_put_netns(host, path, which);
}

static void put_bundle(const struct hostroot *host, const struct host_pod *pod, char id,
		       const char *network, pid_t pid)
{
	bool sandbox = id == pod->id;
	char path[512];

	snprintf(path, sizeof(path), TASKS "/%s/config.json", host_id(id));
	host_put(
		host, path,
		"{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"/pause\"],\"rlimits\":"
		"[{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\":0}]},"
		"\"annotations\":{\"io.kubernetes.cri.container-type\":\"%s\","
		"\"io.kubernetes.cri.sandbox-id\":\"%s\",\"io.kubernetes.cri.sandbox-name\":\"%s\","
		"\"io.kubernetes.cri.sandbox-namespace\":\"%s\","
		"\"io.kubernetes.cri.sandbox-log-directory\":\"/var/log/pods/%s_%s_%s\"%s%s%s},"
		"\"linux\":{\"namespaces\":[{\"type\":\"pid\"}%s%s%s]}}",
		sandbox ? "sandbox" : "container", host_id(pod->id), pod->name, pod->namespace,
		pod->namespace, pod->name, pod->uid,
		/* Older releases write no uid. */
		pod->id == 'e' ? "" : ",\"io.kubernetes.cri.sandbox-uid\":\"",
		pod->id == 'e' ? "" : pod->uid, pod->id == 'e' ? "" : "\"",
		network ? ",{\"type\":\"network\",\"path\":\"" : "", network ? network : "",
		network ? "\"}" : "");
	snprintf(path, sizeof(path), TASKS "/%s/init.pid", host_id(id));
	host_put(host, path, "%d", pid);
}

void host_put_containerd(const struct hostroot *host, const struct host_pod *pod)
{
	put_bundle(host, pod, pod->id, pod->netns, pod->pid);
}

void host_put_containerd_app(const struct hostroot *host, const struct host_pod *pod, char id,
			     pid_t pid)
{
	char network[64];

	snprintf(network, sizeof(network), "/proc/%d/ns/net", pod->pid);
	put_bundle(host, pod, id, network, pid);
}
