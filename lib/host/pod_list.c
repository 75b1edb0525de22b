// SPDX-License-Identifier: GPL-2.0-only
#include "host/pod_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

static int by_name(const void *left, const void *right)
{
	const struct fg_netns_entry *a = ((const struct fg_pod_listed *)left)->netns;
	const struct fg_netns_entry *b = ((const struct fg_pod_listed *)right)->netns;

	/* Those with a name go first. */
	if (!a->name[0] != !b->name[0])
		return !a->name[0] - !b->name[0];
	return a->name[0] ? strcmp(a->name, b->name) : a->pid - b->pid;
}

static struct fg_pod_listed of_runtime(const struct fg_runtime_pod *p)
{
	return (struct fg_pod_listed){ .known = p,
				       .name = p->name[0] ? p->name : p->id,
				       .path = p->netns[0] ? p->netns : NULL,
				       .inode = p->netns_inode };
}

static struct fg_pod_listed of_netns(const struct fg_netns_entry *e)
{
	return (struct fg_pod_listed){ .netns = e,
				       .name = e->name[0] ? e->name : e->path,
				       .path = e->path,
				       .inode = e->inode };
}

int fg_pod_list(struct fg_host *host, struct fg_pod_list *out, struct fg_error *err)
{
	const struct fg_runtime_pods *runtimes = fg_host_runtimes(host, NULL);
	size_t known = runtimes ? runtimes->count : 0, first;
	/* The node's own namespace is not a pod, even if flowgen was started in another one. */
	uint32_t node = fg_host_first_inode(host);

	*out = (struct fg_pod_list){ .list = calloc(known + host->list.count + 1,
						    sizeof(*out->list)) };
	if (!out->list)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "list of pods");
	/* A pod that has stopped is no longer one. */
	for (size_t i = 0; i < known; i++)
		if (runtimes->pods[i].netns[0] ||
		    (runtimes->pods[i].host_network && runtimes->pods[i].live))
			out->list[out->count++] = of_runtime(&runtimes->pods[i]);
	first = out->count;
	for (size_t i = 0; i < host->list.count; i++) {
		const struct fg_netns_entry *e = &host->list.entries[i];

		if (e->inode != host->inode && e->inode != node &&
		    !fg_host_runtime_pod(host, e->inode))
			out->list[out->count++] = of_netns(e);
	}
	qsort(out->list + first, out->count - first, sizeof(*out->list), by_name);
	return 0;
}

void fg_pod_list_free(struct fg_pod_list *list)
{
	free(list->list);
	*list = (struct fg_pod_list){};
}

/* Some devices that the kernel makes by itself are in every namespace; none of them is up. */
static bool has_network(int netns)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(netns, NULL);
	struct fg_links links = {};
	bool has = false;

	/* What could not be asked is not passed over in silence. */
	if (!sk || fg_link_list(sk, &links, NULL))
		return true;
	for (size_t i = 0; i < links.count && !has; i++)
		has = !(links.links[i].flags & IFF_LOOPBACK) && links.links[i].flags & IFF_UP;
	fg_links_free(&links);
	return has;
}

static bool is_denied(const struct fg_error *err)
{
	return err->code == EPERM || err->code == EACCES;
}

enum fg_pod_found fg_pod_list_open(struct fg_host *host, const struct fg_pod_listed *listed,
				   struct fg_pod *pod, struct fg_error *why)
{
	char ref[sizeof(pod->ref)];
	uint32_t inode;

	if (!listed->path) {
		fg_fail(why, FG_ERR_UNSUPPORTED,
			"shares the host's network namespace (host network)");
		return FG_POD_REFUSED;
	}
	FG_FD int netns = fg_netns_open(listed->path, why);

	if (netns < 0)
		return fg_netns_is_gone(why) ? FG_POD_NONE : FG_POD_REFUSED;
	inode = fg_netns_inode(netns);
	if (!inode) {
		fg_fail_errno(why, FG_ERR_INTERNAL, errno, "network namespace %s", listed->path);
		return FG_POD_REFUSED;
	}
	if (inode != listed->inode)
		return FG_POD_NONE;
	if (listed->known)
		fg_host_pod_label(listed->known, ref, sizeof(ref));
	else
		snprintf(ref, sizeof(ref), "%s", listed->name);
	if (!fg_pod_open_path(host, ref, listed->path, NULL, pod, why))
		return FG_POD_OPEN;
	/* A namespace without a name is a pod's if it has a network. */
	if (!is_denied(why) && listed->netns && !listed->netns->name[0] && !has_network(netns))
		return FG_POD_NONE;
	return FG_POD_REFUSED;
}
