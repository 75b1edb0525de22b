// SPDX-License-Identifier: GPL-2.0-only
#include "host.h"

#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "fd.h"

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
	return fg_netns_list(host->root, &host->list, err);
}

void fg_host_close(struct fg_host *host)
{
	fg_runtime_pods_free(&host->runtimes);
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
	if (err)
		*err = host->why;
	return NULL;
}

const struct fg_runtime_pod *fg_host_runtime_pod(struct fg_host *host, uint32_t inode)
{
	const struct fg_runtime_pods *all = fg_host_runtimes(host, NULL);
	const struct fg_runtime_pod *found = NULL;

	/* Several where containers share a namespace: the pod of Kubernetes names it, else the one that lives. */
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

const char *fg_runtime_pod_label(const struct fg_runtime_pod *pod, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", pod->namespace, pod->namespace[0] ? "/" : "", pod->name);
	return buf;
}

const char *fg_host_label(struct fg_host *host, uint32_t inode, char *buf, size_t size)
{
	const struct fg_runtime_pod *pod = fg_host_runtime_pod(host, inode);
	const struct fg_netns_entry *entry = fg_netns_list_find(&host->list, inode);

	if (pod && pod->name[0])
		return fg_runtime_pod_label(pod, buf, size);
	return entry && entry->name[0] ? entry->name : NULL;
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

int fg_host_open_nsid(const struct fg_host *host, struct nl_sock *sk, int nsid, const char **path)
{
	for (size_t i = 0; i < host->list.count; i++) {
		FG_FD int fd = fg_netns_open(host->list.entries[i].path, NULL);

		if (fd < 0 || fg_host_nsid(sk, fd) != nsid)
			continue;
		*path = host->list.entries[i].path;
		return fg_fd_take(&fd);
	}
	return -1;
}
