// SPDX-License-Identifier: GPL-2.0-only
#include "pod.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "route.h"

int fg_host_open(struct fg_host *host, const char *root, struct fg_error *err)
{
	*host = (struct fg_host){ .netns = -1 };
	if (strlen(root) >= sizeof(host->root))
		return fg_fail(err, FG_ERR_USAGE, "host root %s: longer than %zu characters", root,
			       sizeof(host->root) - 1);
	snprintf(host->root, sizeof(host->root), "%s", root);
	host->netns = fg_netns_open("/proc/thread-self/ns/net", err);
	if (host->netns < 0)
		return -1;
	host->inode = fg_netns_inode(host->netns);
	host->rtnl = fg_rtnl_open(-1, err);
	if (!host->rtnl || fg_link_list(host->rtnl, &host->links, err))
		return -1;
	return fg_netns_list(root, &host->list, err);
}

void fg_host_close(struct fg_host *host)
{
	fg_netns_list_free(&host->list);
	fg_links_free(&host->links);
	nl_socket_free(host->rtnl);
	host->rtnl = NULL;
	fg_fd_close(&host->netns);
}

void fg_pod_close(struct fg_pod *pod)
{
	free(pod->addresses.list);
	pod->addresses = (struct fg_link_addresses){};
	nl_socket_free(pod->host_rtnl);
	nl_socket_free(pod->rtnl);
	pod->host_rtnl = pod->rtnl = NULL;
	fg_fd_close(&pod->host_netns);
	fg_fd_close(&pod->netns);
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

/* The id that the namespace of sk has given to the one of netns_fd (RTM_GETNSID); -1: none. */
static int nsid_of(struct nl_sock *sk, int netns_fd)
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

/* Opens the namespace that sk's namespace knows by this id; tells its path. Returns an owned fd, or -1. */
static int open_nsid(const struct fg_host *host, struct nl_sock *sk, int nsid, const char **path)
{
	for (size_t i = 0; i < host->list.count; i++) {
		FG_FD int fd = fg_netns_open(host->list.entries[i].path, NULL);

		if (fd < 0 || nsid_of(sk, fd) != nsid)
			continue;
		*path = host->list.entries[i].path;
		return fg_fd_take(&fd);
	}
	return -1;
}

static int open_host_side(const struct fg_host *host, struct fg_pod *pod, struct fg_error *err)
{
	const char *path = "";

	if (nsid_of(pod->rtnl, host->netns) == pod->peer.peer_nsid)
		pod->host_netns = fg_netns_open("/proc/thread-self/ns/net", err);
	else
		pod->host_netns = open_nsid(host, pod->rtnl, pod->peer.peer_nsid, &path);
	if (pod->host_netns < 0) {
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"pod %s: the other end of %s is in a namespace that no process and no name leads to",
			pod->ref, pod->peer.name);
		return fg_hint(err, "run flowgen in the namespace of the node (nsenter -t PID -n)");
	}
	snprintf(pod->host_path, sizeof(pod->host_path), "%s", path);
	pod->host_inode = fg_netns_inode(pod->host_netns);
	pod->host_rtnl = fg_rtnl_open(pod->host_netns, err);
	if (!pod->host_rtnl)
		return -1;
	if (fg_link_get(pod->host_rtnl, pod->peer.peer_ifindex, NULL, &pod->primary, err))
		return fg_error_prefix(err, "pod %s: host-side end of %s", pod->ref, pod->peer.name);
	return 0;
}

/* A device that ends in another namespace; iflink == ifindex alone says nothing. */
static bool is_pod_device(const struct fg_link *link)
{
	return fg_link_is_pair(link) && link->peer_nsid >= 0;
}

static int fail_no_pair(const struct fg_pod *pod, const struct fg_links *links,
			const char *interface, struct fg_error *err)
{
	const struct fg_link *other = NULL;

	for (size_t i = 0; i < links->count; i++)
		if (interface ? !strcmp(links->links[i].name, interface)
			      : !(links->links[i].flags & IFF_LOOPBACK))
			other = &links->links[i];
	if (!other)
		fg_fail(err, FG_ERR_UNSUPPORTED, interface ? "pod %s has no device %s"
							   : "pod %s has no network device%.0s",
			pod->ref, interface ? interface : "");
	else
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"pod %s: its device %s (%s) is no end of a veth or netkit pair to the host",
			pod->ref, other->name, other->kind[0] ? other->kind : "hardware");
	return fg_hint(err, "flowgen needs a veth or netkit pair; 'flowgen pods' lists the pods that have one");
}

/* The device of the pod's default route, where there are several. */
static int default_ifindex(struct nl_sock *sk)
{
	/* Addresses for documentation (RFC 5737, RFC 3849): only a default route leads to them. */
	static const struct fg_addr somewhere[] = {
		{ .family = AF_INET, .bytes = { 192, 0, 2, 1 } },
		{ .family = AF_INET6, .bytes = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } },
	};
	struct fg_route route;

	for (int i = 0; i < 2; i++)
		if (!fg_route_lookup(sk, &somewhere[i], NULL, &route))
			return route.ifindex;
	return 0;
}

static int choose_device(struct fg_pod *pod, const struct fg_links *links, const char *interface,
			 struct fg_error *err)
{
	const struct fg_link *found = NULL;
	int preferred = default_ifindex(pod->rtnl), count = 0;

	for (size_t i = 0; i < links->count; i++) {
		const struct fg_link *link = &links->links[i];

		if (!is_pod_device(link) || (interface && strcmp(link->name, interface)))
			continue;
		count++;
		if (!found || link->ifindex == preferred)
			found = link;
	}
	if (!found)
		return fail_no_pair(pod, links, interface, err);
	if (count > 1 && found->ifindex != preferred) {
		fg_fail(err, FG_ERR_USAGE, "pod %s has %d pairs to the host and no default route",
			pod->ref, count);
		return fg_hint(err, "say which one is meant with --interface NAME");
	}
	pod->peer = *found;
	return 0;
}

static int open_pod_side(const struct fg_host *host, const char *interface, struct fg_pod *pod,
			 struct fg_error *err)
{
	struct fg_links links = {};
	int ret;

	pod->netns = fg_netns_open(pod->path, err);
	if (pod->netns < 0)
		return -1;
	pod->inode = fg_netns_inode(pod->netns);
	if (pod->inode == host->inode) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "pod %s shares the host's network namespace",
			pod->ref);
		return fg_hint(err, "a host-network pod has no device of its own, and no pod policy");
	}
	pod->rtnl = fg_rtnl_open(pod->netns, err);
	if (!pod->rtnl || fg_link_list(pod->rtnl, &links, err))
		return -1;
	ret = choose_device(pod, &links, interface, err);
	fg_links_free(&links);
	if (ret)
		return -1;
	return fg_link_addresses(pod->rtnl, pod->peer.ifindex, &pod->addresses, err);
}

static void set_name(const struct fg_host *host, struct fg_pod *pod)
{
	const struct fg_netns_entry *entry = fg_netns_list_find(&host->list, pod->inode);

	if (entry && entry->name[0])
		snprintf(pod->name, sizeof(pod->name), "%s", entry->name);
}

static int open_prepared(const struct fg_host *host, const char *interface, struct fg_pod *pod,
			 struct fg_error *err)
{
	if (open_pod_side(host, interface, pod, err) || open_host_side(host, pod, err)) {
		fg_pod_close(pod);
		return -1;
	}
	set_name(host, pod);
	return 0;
}

int fg_pod_open_path(const struct fg_host *host, const char *path, const char *interface,
		     struct fg_pod *pod, struct fg_error *err)
{
	*pod = (struct fg_pod){ .netns = -1, .host_netns = -1 };
	snprintf(pod->ref, sizeof(pod->ref), "%s", path);
	snprintf(pod->path, sizeof(pod->path), "%s", path);
	return open_prepared(host, interface, pod, err);
}

/* What a ref was found to mean. */
struct meaning {
	const char *form; /* "netns", "pid", ... */
	uint32_t inode;
	char path[512];
};

struct meanings {
	struct meaning list[8];
	size_t count;
};

static void meaning_add(struct meanings *found, const char *form, uint32_t inode, const char *path)
{
	struct meaning *m = &found->list[found->count];

	if (found->count == sizeof(found->list) / sizeof(found->list[0]))
		return;
	m->form = form;
	m->inode = inode;
	snprintf(m->path, sizeof(m->path), "%s", path);
	found->count++;
}

static void try_name(const struct fg_host *host, const char *word, struct meanings *found)
{
	for (size_t i = 0; i < host->list.count; i++)
		if (host->list.entries[i].name[0] && !strcmp(host->list.entries[i].name, word))
			meaning_add(found, "netns", host->list.entries[i].inode,
				    host->list.entries[i].path);
}

static void try_path(const char *word, struct meanings *found)
{
	FG_FD int fd = strchr(word, '/') ? fg_netns_open(word, NULL) : -1;

	if (fd >= 0)
		meaning_add(found, "path", fg_netns_inode(fd), word);
}

static void try_pid(const struct fg_host *host, const char *word, struct meanings *found)
{
	char path[256];
	uint64_t pid;

	if (fg_parse_u64("pid", word, 1, INT32_MAX, &pid, NULL))
		return;
	snprintf(path, sizeof(path), "%s/proc/%d/ns/net", host->root, (int)pid);
	FG_FD int fd = fg_netns_open(path, NULL);

	if (fd >= 0)
		meaning_add(found, "pid", fg_netns_inode(fd), path);
}

static bool netns_has_address(int fd, const struct fg_addr *addr)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(fd, NULL);
	struct fg_link_addresses all = {};
	bool has = false;

	if (!sk || fg_link_addresses(sk, 0, &all, NULL))
		return false;
	for (size_t i = 0; i < all.count && !has; i++)
		has = fg_addr_equal(&all.list[i].addr, addr);
	free(all.list);
	return has;
}

static void try_ip(const struct fg_host *host, const char *word, struct meanings *found)
{
	struct fg_addr addr;

	if (fg_parse_addr("address", word, &addr, NULL))
		return;
	for (size_t i = 0; i < host->list.count; i++) {
		FG_FD int fd = fg_netns_open(host->list.entries[i].path, NULL);

		if (fd >= 0 && netns_has_address(fd, &addr))
			meaning_add(found, "ip", host->list.entries[i].inode,
				    host->list.entries[i].path);
	}
}

static void try_device(const struct fg_host *host, const char *word, struct meanings *found)
{
	const char *path;

	for (size_t i = 0; i < host->links.count; i++) {
		const struct fg_link *link = &host->links.links[i];

		if (strcmp(link->name, word) || !is_pod_device(link))
			continue;
		FG_FD int fd = open_nsid(host, host->rtnl, link->peer_nsid, &path);

		if (fd >= 0)
			meaning_add(found, "dev", fg_netns_inode(fd), path);
	}
}

static int fail_ambiguous(const char *ref, const struct meanings *found, struct fg_error *err)
{
	char list[400] = "";

	for (size_t i = 0; i < found->count; i++) {
		size_t len = strlen(list);

		snprintf(list + len, sizeof(list) - len, "%s%s:%.100s (%.100s)", i ? ", " : "",
			 found->list[i].form, ref, found->list[i].path);
	}
	fg_fail(err, FG_ERR_USAGE, "pod %.100s could be %s", ref, list);
	return fg_hint(err, "write the one that is meant with its form in front");
}

static int fail_unknown(const char *ref, struct fg_error *err)
{
	fg_fail(err, FG_ERR_UNSUPPORTED, "pod %s: there is none on this host", ref);
	return fg_hint(err, "'flowgen pods' lists them; forms: netns:NAME, PATH, pid:N, ip:ADDR, dev:NAME");
}

/* "form:" in front of ref; returns what is behind it, or NULL. */
static const char *after_form(const char *ref, const char *form)
{
	size_t len = strlen(form);

	return !strncmp(ref, form, len) && ref[len] == ':' ? ref + len + 1 : NULL;
}

static int find_meanings(const struct fg_host *host, const char *ref, struct meanings *found,
			 struct fg_error *err)
{
	struct fg_addr addr;
	const char *word;
	uint64_t pid;

	if ((word = after_form(ref, "netns"))) {
		try_name(host, word, found);
		try_path(word, found);
	} else if ((word = after_form(ref, "pid"))) {
		if (fg_parse_u64("pod pid", word, 1, INT32_MAX, &pid, err))
			return -1;
		try_pid(host, word, found);
	} else if ((word = after_form(ref, "ip"))) {
		if (fg_parse_addr("pod ip", word, &addr, err))
			return -1;
		try_ip(host, word, found);
	} else if ((word = after_form(ref, "dev"))) {
		try_device(host, word, found);
	} else {
		try_name(host, ref, found);
		try_path(ref, found);
		try_pid(host, ref, found);
		try_ip(host, ref, found);
		try_device(host, ref, found);
	}
	return 0;
}

int fg_pod_open(const struct fg_host *host, const char *ref, const char *interface,
		struct fg_pod *pod, struct fg_error *err)
{
	struct meanings found = {};

	*pod = (struct fg_pod){ .netns = -1, .host_netns = -1 };
	if (!ref[0] || strlen(ref) >= sizeof(pod->ref))
		return fg_fail(err, FG_ERR_USAGE, "pod reference \"%.100s\": 1 to %zu characters", ref,
			       sizeof(pod->ref) - 1);
	if (find_meanings(host, ref, &found, err))
		return -1;
	if (!found.count)
		return fail_unknown(ref, err);
	for (size_t i = 1; i < found.count; i++)
		if (found.list[i].inode != found.list[0].inode)
			return fail_ambiguous(ref, &found, err);
	snprintf(pod->ref, sizeof(pod->ref), "%s", ref);
	snprintf(pod->path, sizeof(pod->path), "%s", found.list[0].path);
	return open_prepared(host, interface, pod, err);
}

const struct fg_addr *fg_pod_address(const struct fg_pod *pod, uint16_t family)
{
	const struct fg_addr *any = NULL;

	for (size_t i = 0; i < pod->addresses.count; i++) {
		const struct fg_link_address *a = &pod->addresses.list[i];

		if (a->addr.family != family)
			continue;
		if (a->scope == RT_SCOPE_UNIVERSE)
			return &a->addr;
		if (!any)
			any = &a->addr;
	}
	return any;
}

bool fg_pod_owns(const struct fg_pod *pod, const struct fg_addr *addr)
{
	for (size_t i = 0; i < pod->addresses.count; i++)
		if (fg_addr_equal(&pod->addresses.list[i].addr, addr))
			return true;
	return false;
}
