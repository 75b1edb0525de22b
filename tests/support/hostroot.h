/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hostroot.h - a host's files in a temporary directory, as container runtimes leave them: state
 * files, /proc entries of made-up processes, and real network namespaces behind the paths that name
 * one.
 */
#ifndef HOSTROOT_H
#define HOSTROOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { HOST_NODE_NETNS, HOST_NETNS_A, HOST_NETNS_B, HOST_NETNS_COUNT };

struct hostroot {
	char path[64];
	int netns[HOST_NETNS_COUNT]; /* descriptors; -1 where namespaces cannot be made */
	uint32_t inode[HOST_NETNS_COUNT];
};

/*
 * False (and a "# skip:" line) where no namespace can be made. Ends the process where anything else
 * fails.
 */
bool host_make(struct hostroot *host);
void host_remove(struct hostroot *host);

/* Writes a file below the root, with the directories above it. */
void host_put(const struct hostroot *host, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Makes a symbolic link below the root. */
void host_link(const struct hostroot *host, const char *path, const char *target);
/* Lets a path below the root open one of the host's namespaces. */
void host_put_netns(const struct hostroot *host, const char *path, int which);
/* A process: its parent, the control group it is in, and its network namespace. */
void host_put_process(const struct hostroot *host, pid_t pid, pid_t parent, const char *cgroup,
		      int which);
/* Removes a file or a whole directory below the root. */
void host_take_away(const struct hostroot *host, const char *path);

/*
 * A bundle of containerd; id is a letter that is repeated to make 64. netns: path; NULL: the node's
 * network.
 */
struct host_pod {
	char id;
	const char *namespace;
	const char *name;
	const char *uid;
	const char *netns;
	pid_t pid;
};
void host_put_containerd(const struct hostroot *host, const struct host_pod *pod);
/* A container `app` of that pod, with an id and a process of its own. */
void host_put_containerd_app(const struct hostroot *host, const struct host_pod *pod, char id,
			     pid_t pid);

/* The 64 characters that an id letter stands for; valid until the second next call. */
const char *host_id(char letter);

#endif
