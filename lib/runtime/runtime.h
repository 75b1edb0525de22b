/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * runtime/runtime.h - the pods of this host, from what container runtimes keep on disk and /proc.
 * No daemon is asked, none need be alive.
 *
 * Read are containerd's bundles (also k3s, k0s, MicroK8s), the containers/storage directories of
 * CRI-O and podman, docker's containers, and, for a sandbox that none of them knows, the CNI result
 * cache. An identity is taken only from keys that the runtime or the kubelet writes last, so that
 * no pod author can pass for another pod.
 */
#ifndef FG_RUNTIME_H
#define FG_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * A sandbox: what Kubernetes calls a pod, or a plain container of docker or podman. Empty text: not
 * known.
 */
struct fg_runtime_pod {
	const char *runtime; /* "containerd", "cri-o", "docker", "podman", "cni"; static */
	char namespace[64];  /* of Kubernetes; empty for plain containers */
	char name[256];
	char uid[64];
	char id[128]; /* of the sandbox, as the runtime names it */
	/* opens its network namespace from here, now; empty: there is none (any more) */
	char netns[512];
	uint32_t netns_inode; /* of that; 0: none */
	pid_t pid;	      /* a live process in it, in the numbers of ROOT/proc; 0: none */
	int64_t created;      /* seconds since the epoch; 0: not known */
	bool host_network;    /* it has the node's own network, and no device */
	bool live;	      /* a process of it was seen to live */
};

/* A container and the pod that it is in; a sandbox is its own first container. */
struct fg_runtime_container {
	char id[128];
	char name[256];
	size_t pod; /* index into fg_runtime_pods.pods */
};

struct fg_runtime_pods {
	struct fg_runtime_pod *pods; /* by namespace, name and age, the youngest first */
	size_t count;
	struct fg_runtime_container *containers; /* by id */
	size_t container_count;
	unsigned int skipped;	 /* records that could not be understood */
	char first_skipped[512]; /* the path of the first of them */
};

/*
 * Lists what there is, in one pass. root is put before every path of the host ("" or "/": this one;
 * "/host" in a container that has the node mounted there; "/proc/PID/root" for a node that is a
 * container or a namespace itself). A record that is malformed, or vanishes meanwhile, is passed
 * over; a runtime that is not there is not an error. Fails with FG_ERR_UNSUPPORTED if a privilege
 * is missing. out is untouched on failure; fg_runtime_pods_free() frees it.
 */
int fg_runtime_list(const char *root, struct fg_runtime_pods *out, struct fg_error *err);
void fg_runtime_pods_free(struct fg_runtime_pods *pods);

/*
 * True for the text forms that fg_runtime_find() takes: "NAMESPACE/NAME", "uid:UID",
 * "container:ID-OR-NAME".
 */
bool fg_runtime_is_ref(const char *ref);

/*
 * The pod that ref names, with a network namespace of its own that can be opened. An id may be
 * shortened while it is unique; the id of any container leads to its pod; a name is one of docker's
 * or podman's. Of several matches the live one is taken. NULL with FG_ERR_UNSUPPORTED if there
 * is none, if it shares the node's network, if it has stopped, and if several are left
 * (they are listed with uid and age); with FG_ERR_USAGE for another form of text. The pod belongs
 * to the list.
 */
const struct fg_runtime_pod *fg_runtime_find(const struct fg_runtime_pods *pods, const char *ref,
					     struct fg_error *err);

#endif
