// SPDX-License-Identifier: GPL-2.0-only
#include "runtime/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "runtime/internal.h"

static void scan_free(struct fg_scan *scan)
{
	fg_fd_close(&scan->root_fd);
	free(scan->records);
	free(scan->buffer);
}
#define FG_SCAN __attribute__((cleanup(scan_free)))

void fg_runtime_pods_free(struct fg_runtime_pods *pods)
{
	free(pods->pods);
	free(pods->containers);
	memset(pods, 0, sizeof(*pods));
}

/* Brings the records of one sandbox together, its own first. */
static int compare_records(const void *left, const void *right)
{
	const struct fg_record *a = left, *b = right;
	bool a_member = strcmp(a->sandbox, a->id) != 0, b_member = strcmp(b->sandbox, b->id) != 0;
	int order = strcmp(a->runtime, b->runtime);

	if (!order)
		order = strcmp(a->sandbox, b->sandbox);
	if (!order)
		order = strcmp(a->uid, b->uid);
	if (!order)
		order = a_member - b_member;
	return order ? order : strcmp(a->id, b->id);
}

static int compare_pods(const void *left, const void *right)
{
	const struct fg_runtime_pod *a = left, *b = right;
	int order = strcmp(a->namespace, b->namespace);

	if (!order)
		order = strcmp(a->name, b->name);
	if (!order)
		order = (a->created < b->created) - (a->created > b->created);
	return order ? order : strcmp(a->id, b->id);
}

static bool same_pod(const struct fg_record *a, const struct fg_record *b)
{
	return !strcmp(a->runtime, b->runtime) && !strcmp(a->sandbox, b->sandbox) &&
	       !strcmp(a->uid, b->uid);
}

/* The number of records from the first on that belong to the same pod. */
static size_t group_size(const struct fg_record *records, size_t count)
{
	size_t n = 1;

	while (n < count && same_pod(&records[n], &records[0]))
		n++;
	return n;
}

/*
 * One pod from its records. Where its own is gone (the process was killed), that of a container
 * tells who it is. A container in another network namespace than the pod's does not show that the
 * pod lives.
 */
static void make_pod(const struct fg_scan *scan, const struct fg_record *records, size_t count,
		     struct fg_runtime_pod *pod)
{
	struct fg_proc_netns netns = {};

	*pod = (struct fg_runtime_pod){ .runtime = records[0].runtime,
					.created = records[0].created };
	memcpy(pod->namespace, records[0].namespace, sizeof(pod->namespace));
	memcpy(pod->name, records[0].name, sizeof(pod->name));
	memcpy(pod->uid, records[0].uid, sizeof(pod->uid));
	memcpy(pod->id, records[0].sandbox, sizeof(pod->id));
	if (!pod->name[0])
		memcpy(pod->name, records[0].container, sizeof(pod->name));
	fg_proc_find_netns(scan, records, count, &netns);
	pod->host_network = fg_proc_host_network(scan, records, count, netns.inode);
	for (size_t i = 0; i < count && !pod->live; i++)
		if (records[i].live && (!netns.inode || records[i].live_netns == netns.inode)) {
			pod->live = true;
			pod->pid = records[i].pid;
		}
	if (pod->host_network)
		return;
	memcpy(pod->netns, netns.path, sizeof(pod->netns));
	pod->netns_inode = netns.inode;
}

static int make_pods(const struct fg_scan *scan, struct fg_runtime_pods *out)
{
	size_t step;

	out->pods = calloc(scan->count + 1, sizeof(*out->pods));
	if (!out->pods)
		return fg_fail_errno(scan->err, FG_ERR_INTERNAL, ENOMEM, "list of pods");
	for (size_t i = 0; i < scan->count; i += step) {
		step = group_size(&scan->records[i], scan->count - i);
		make_pod(scan, &scan->records[i], step, &out->pods[out->count++]);
	}
	qsort(out->pods, out->count, sizeof(*out->pods), compare_pods);
	return 0;
}

static int compare_ids(const void *left, const void *right)
{
	const struct fg_runtime_container *a = left, *b = right;

	return strcmp(a->id, b->id);
}

static size_t pod_index(const struct fg_runtime_pods *pods, const struct fg_record *record)
{
	size_t i = 0;

	while (i < pods->count && (strcmp(pods->pods[i].id, record->sandbox) != 0 ||
				   strcmp(pods->pods[i].uid, record->uid) != 0 ||
				   strcmp(pods->pods[i].runtime, record->runtime) != 0))
		i++;
	return i;
}

static int make_containers(const struct fg_scan *scan, struct fg_runtime_pods *out)
{
	out->containers = calloc(scan->count + 1, sizeof(*out->containers));
	if (!out->containers)
		return fg_fail_errno(scan->err, FG_ERR_INTERNAL, ENOMEM, "list of pods");
	for (size_t i = 0; i < scan->count; i++) {
		const struct fg_record *record = &scan->records[i];
		struct fg_runtime_container *container = &out->containers[out->container_count++];

		memcpy(container->id, record->id, sizeof(container->id));
		memcpy(container->name, record->container, sizeof(container->name));
		container->pod = pod_index(out, record);
	}
	qsort(out->containers, out->container_count, sizeof(*out->containers), compare_ids);
	return 0;
}

static int scan_all(struct fg_scan *scan)
{
	if (fg_proc_prepare(scan) || fg_containerd_scan(scan) || fg_storage_scan(scan) ||
	    fg_docker_scan(scan))
		return -1;
	for (size_t i = 0; i < scan->count; i++)
		fg_proc_check(scan, &scan->records[i]);
	if (fg_cni_scan(scan))
		return -1;
	if (scan->count)
		qsort(scan->records, scan->count, sizeof(*scan->records), compare_records);
	return 0;
}

int fg_runtime_list(const char *root, struct fg_runtime_pods *out, struct fg_error *err)
{
	struct fg_runtime_pods pods = {};
	FG_SCAN struct fg_scan scan = { .root_fd = -1, .err = err };
	FG_FREE char *prefix = strdup(root ? root : "");

	if (!prefix)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "list of pods");
	for (size_t len = strlen(prefix); len && prefix[len - 1] == '/'; len--)
		prefix[len - 1] = '\0';
	scan.root = prefix;
	scan.root_fd = open(prefix[0] ? prefix : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (scan.root_fd < 0)
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "host root %s", prefix);
	if (scan_all(&scan))
		return -1;
	if (make_pods(&scan, &pods) || make_containers(&scan, &pods)) {
		fg_runtime_pods_free(&pods);
		return -1;
	}
	pods.skipped = scan.skipped;
	memcpy(pods.first_skipped, scan.first_skipped, sizeof(pods.first_skipped));
	*out = pods;
	return 0;
}
