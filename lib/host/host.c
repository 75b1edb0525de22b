// SPDX-License-Identifier: GPL-2.0-only
#include "host/host.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"

static void forget_found(struct fg_host *host)
{
	free(host->nsids);
	free(host->below);
	host->nsids = NULL;
	host->below = NULL;
	host->nsid_count = host->below_count = 0;
	host->likely = 0;
}

/* The other end of this device is not a pod, but the twin of one: its addresses are the pod's. */
static void forget_twin(struct fg_host *host, const struct fg_link *link)
{
	struct fg_netns_list *list = &host->list;

	for (size_t i = 0; i < list->count; i++) {
		/* A twin has processes, and no name. */
		FG_FD int fd =
			list->entries[i].name[0] ? -1 : fg_netns_open(list->entries[i].path, NULL);

		if (fd < 0 || fg_host_nsid(host->rtnl, fd) != link->peer_nsid)
			continue;
		memmove(&list->entries[i], &list->entries[i + 1],
			(list->count - i - 1) * sizeof(*list->entries));
		list->count--;
		return;
	}
}

static void forget_twins(struct fg_host *host)
{
	for (size_t i = 0; i < host->links.count; i++)
		if (fg_link_is_twin(&host->links.links[i]))
			forget_twin(host, &host->links.links[i]);
}

int fg_host_renew(struct fg_host *host, struct fg_error *err)
{
	struct fg_netns_list fresh;
	struct fg_links links = {};

	if (fg_link_list(host->rtnl, &links, err))
		return -1;
	if (fg_netns_list(host->root, &fresh, err)) {
		fg_links_free(&links);
		return -1;
	}
	fg_netns_list_free(&host->list);
	fg_links_free(&host->links);
	host->list = fresh;
	host->links = links;
	/* So do those of the runtimes come and go: they are asked again when a name is wanted. */
	fg_runtime_pods_free(&host->runtimes);
	host->why = (struct fg_error){};
	host->asked = false;
	forget_found(host);
	forget_twins(host);
	return 0;
}

int fg_host_open(struct fg_host *host, const char *root, struct fg_error *err)
{
	size_t len = strlen(root);

	*host = (struct fg_host){ .netns = -1 };
	while (len && root[len - 1] == '/')
		len--;
	if (len >= sizeof(host->root))
		return fg_fail(err, FG_ERR_USAGE, "host root %s: longer than %zu characters", root,
			       sizeof(host->root) - 1);
	memcpy(host->root, root, len);
	host->netns = fg_netns_open("/proc/thread-self/ns/net", err);
	if (host->netns < 0)
		return -1;
	host->inode = fg_netns_inode(host->netns);
	host->rtnl = fg_rtnl_open(-1, err);
	if (!host->rtnl || fg_link_list(host->rtnl, &host->links, err))
		return -1;
	if (fg_netns_list(host->root, &host->list, err))
		return -1;
	forget_twins(host);
	return 0;
}

void fg_host_close(struct fg_host *host)
{
	fg_runtime_pods_free(&host->runtimes);
	forget_found(host);
	fg_netns_list_free(&host->list);
	fg_links_free(&host->links);
	nl_socket_free(host->rtnl);
	host->rtnl = NULL;
	fg_fd_close(&host->netns);
}

const struct fg_runtime_pods *fg_host_runtimes(struct fg_host *host, struct fg_error *err)
{
	if (!host->asked && !fg_runtime_list(host->root, &host->runtimes, &host->why))
		host->why = (struct fg_error){};
	host->asked = true;
	if (!host->why.kind)
		return &host->runtimes;
	fg_error_pass(err, &host->why);
	return NULL;
}

const struct fg_runtime_pod *fg_host_runtime_pod(struct fg_host *host, uint32_t inode)
{
	const struct fg_runtime_pods *all = fg_host_runtimes(host, NULL);
	const struct fg_runtime_pod *found = NULL;

	/*
	 * Several where containers share a namespace: the pod of Kubernetes names it, else the one
	 * that lives.
	 */
	for (size_t i = 0; all && inode && i < all->count; i++) {
		const struct fg_runtime_pod *p = &all->pods[i];

		if (p->netns_inode != inode)
			continue;
		if (!found || (p->namespace[0] && !found->namespace[0]) ||
		    (!p->namespace[0] == !found->namespace[0] && p->live && !found->live))
			found = p;
	}
	return found;
}

const char *fg_host_pod_label(const struct fg_runtime_pod *pod, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", pod->namespace, pod->namespace[0] ? "/" : "", pod->name);
	return buf;
}

const char *fg_host_label(struct fg_host *host, uint32_t inode, char *buf, size_t size)
{
	const struct fg_runtime_pod *pod = fg_host_runtime_pod(host, inode);
	const struct fg_netns_entry *entry = fg_netns_list_find(&host->list, inode);

	if (pod && pod->name[0])
		return fg_host_pod_label(pod, buf, size);
	return entry && entry->name[0] ? entry->name : NULL;
}

uint32_t fg_host_first_inode(const struct fg_host *host)
{
	char path[sizeof(host->root) + 16];

	snprintf(path, sizeof(path), "%s/proc/1/ns/net", host->root);
	FG_FD int fd = fg_netns_open(path, NULL);

	return fd < 0 ? 0 : fg_netns_inode(fd);
}

static int read_nsid(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[NETNSA_MAX + 1];

	if (nlh->nlmsg_type != RTM_NEWNSID)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct rtgenmsg), tb, NETNSA_MAX, NULL) < 0)
		return -1;
	if (tb[NETNSA_NSID])
		*(int *)arg = nla_get_s32(tb[NETNSA_NSID]);
	return 0;
}

int fg_host_nsid(struct nl_sock *sk, int netns_fd)
{
	const struct rtgenmsg gen = { .rtgen_family = AF_UNSPEC };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETNSID, 0);
	int nsid = NETNSA_NSID_NOT_ASSIGNED;

	if (!msg || nlmsg_append(msg, (void *)&gen, sizeof(gen), NLMSG_ALIGNTO) ||
	    nla_put_u32(msg, NETNSA_FD, (uint32_t)netns_fd) ||
	    fg_rtnl_query(sk, msg, read_nsid, &nsid))
		return NETNSA_NSID_NOT_ASSIGNED;
	return nsid;
}

const char *fg_host_unseen(const struct fg_host *host, char *buf, size_t size)
{
	if (!host->list.unreadable)
		return NULL;
	snprintf(buf, size,
		 "network namespaces that may not be looked at: %u, the first is %.200s; pods in "
		 "them are neither known nor protected from probes",
		 host->list.unreadable, host->list.first_unreadable);
	return buf;
}

static struct fg_host_nsid *find_nsid(struct fg_host *host, uint32_t asking, int nsid)
{
	for (size_t i = 0; i < host->nsid_count; i++)
		if (host->nsids[i].asking == asking && host->nsids[i].nsid == nsid)
			return &host->nsids[i];
	return NULL;
}

static int keep_nsid(struct fg_host *host, uint32_t asking, int nsid, uint32_t inode,
		     struct fg_error *err)
{
	struct fg_host_nsid *known = find_nsid(host, asking, nsid);

	if (!known)
		known = FG_APPEND(host->nsids, host->nsid_count, "namespaces", err);
	if (!known)
		return -1;
	*known = (struct fg_host_nsid){ asking, nsid, inode };
	return 0;
}

/* Ids of namespaces that are gone are given to others. */
static int open_known(const struct fg_host *host, uint32_t inode, struct nl_sock *sk, int nsid,
		      const char **path)
{
	const struct fg_netns_entry *e = fg_netns_list_find(&host->list, inode);
	FG_FD int fd = e ? fg_netns_open(e->path, NULL) : -1;

	if (fd < 0 || fg_netns_inode(fd) != inode || fg_host_nsid(sk, fd) != nsid)
		return -1;
	*path = e->path;
	return fg_fd_take(&fd);
}

/* *why: what kept a namespace of the list from being opened. */
static int list_nsids(struct fg_host *host, uint32_t asking, struct nl_sock *sk,
		      struct fg_error *why, struct fg_error *err)
{
	struct fg_error one;

	for (size_t i = 0; i < host->list.count; i++) {
		FG_FD int fd = fg_netns_open(host->list.entries[i].path, &one);
		int id = fd < 0 ? NETNSA_NSID_NOT_ASSIGNED : fg_host_nsid(sk, fd);

		if (fd < 0 && !why->kind && !fg_netns_is_gone(&one))
			*why = one;
		if (id >= 0 && keep_nsid(host, asking, id, fg_netns_inode(fd), err))
			return -1;
	}
	return 0;
}

static int by_place(const void *left, const void *right)
{
	const struct fg_netns_entry *const *a = left, *const *b = right;

	return (*a)->place < (*b)->place ? -1 : (*a)->place > (*b)->place;
}

/* A namespace that was asked, by its place in the order of discovery. */
struct asked {
	int64_t at;
	int id; /* NETNSA_NSID_NOT_ASSIGNED: it has none */
};

/*
 * Returns the descriptor if it is the one, or -1. What has another namespace by now was listed too
 * long ago to tell.
 */
static int ask_one(const struct fg_netns_entry *entry, struct nl_sock *sk, int nsid, int *id)
{
	FG_FD int fd = fg_netns_open(entry->path, NULL);

	if (fd >= 0 && fg_netns_inode(fd) != entry->inode)
		fg_fd_close(&fd);
	*id = fd < 0 ? NETNSA_NSID_NOT_ASSIGNED : fg_host_nsid(sk, fd);
	return *id == nsid ? fg_fd_take(&fd) : -1;
}

/* Where to ask next: between two whose ids are on both sides; -1: they are not. */
static int64_t between(const struct asked *low, const struct asked *high, int nsid)
{
	int64_t width = high->at - low->at;

	if (width < 2 || low->id == high->id || (nsid < low->id) == (nsid < high->id))
		return -1;
	width = width * (nsid - low->id) / (high->id - low->id);
	return low->at + (width < 1 ? 1 : width < high->at - low->at ? width : width - 1);
}

#define GUESSES 24

/*
 * Asking for all takes the kernel the square of their number. Directories list what was made one
 * after the other in that order, or the reverse, and so were the ids given out: so few questions
 * are enough, mostly. Returns the namespace's descriptor with *path, or -1: it was not found so.
 */
static int guess_nsid(const struct fg_host *host, struct nl_sock *sk, int nsid, const char **path)
{
	int64_t count = (int64_t)host->list.count;
	FG_FREE const struct fg_netns_entry **sorted = calloc((size_t)count + 1, sizeof(void *));
	struct asked low = { -1, NETNSA_NSID_NOT_ASSIGNED }, high = { count, low.id };

	for (int64_t i = 0; sorted && i < count; i++)
		sorted[i] = &host->list.entries[i];
	if (sorted)
		qsort(sorted, (size_t)count, sizeof(void *), by_place);
	for (int i = 0; sorted && i < GUESSES; i++) {
		bool ends = low.id < 0 || high.id < 0;
		int64_t at = low.id < 0	   ? low.at + 1
			     : high.id < 0 ? high.at - 1
					   : between(&low, &high, nsid);
		int id, fd;

		if (at < 0 || at >= count || (ends && at >= high.at) || (ends && at <= low.at))
			return -1;
		fd = ask_one(sorted[at], sk, nsid, &id);
		if (fd >= 0) {
			*path = sorted[at]->path;
			return fd;
		}
		if (low.id < 0 || (high.id >= 0 && (id < 0 || (id < nsid) == (low.id < nsid))))
			low = (struct asked){ at, id < 0 && high.id >= 0 ? low.id : id };
		else
			high = (struct asked){ at, id };
	}
	return -1;
}

static int look_nsid_up(struct fg_host *host, uint32_t asking, struct nl_sock *sk, int nsid,
			const char **path, struct fg_error *err)
{
	struct fg_error why = {};
	struct fg_host_nsid *known;
	int fd = guess_nsid(host, sk, nsid, path);

	if (fd >= 0) {
		host->likely = fg_netns_inode(fd);
		if (keep_nsid(host, asking, nsid, host->likely, err))
			fg_fd_close(&fd);
		return fd;
	}
	if (list_nsids(host, asking, sk, &why, err))
		return -1;
	known = find_nsid(host, asking, nsid);
	fd = known ? open_known(host, known->inode, sk, nsid, path) : -1;
	if (fd >= 0) {
		host->likely = known->inode;
		return fd;
	}
	/* It may be the one that could not be opened: that there is none is not kept. */
	if (why.kind)
		return fg_error_pass(err, &why);
	if (keep_nsid(host, asking, nsid, 0, err))
		return -1;
	return fg_fail_errno(err, FG_ERR_UNSUPPORTED, ENOENT, "namespace with the id %d", nsid);
}

int fg_host_open_nsid(struct fg_host *host, uint32_t asking, struct nl_sock *sk, int nsid,
		      const char **path, struct fg_error *err)
{
	struct fg_host_nsid *known = find_nsid(host, asking, nsid);
	uint32_t inode = known ? known->inode : host->likely;
	int fd;

	if (known && !inode)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, ENOENT, "namespace with the id %d",
				     nsid);
	fd = open_known(host, inode, sk, nsid, path);
	/* Pods have their other ends in one namespace, mostly. */
	if (fd < 0 && known && inode != host->likely) {
		inode = host->likely;
		fd = open_known(host, inode, sk, nsid, path);
	}
	if (fd < 0)
		return look_nsid_up(host, asking, sk, nsid, path, err);
	if (keep_nsid(host, asking, nsid, inode, err))
		fg_fd_close(&fd);
	return fd;
}
