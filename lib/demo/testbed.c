// SPDX-License-Identifier: GPL-2.0-only
#include "demo/testbed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/count.h"
#include "base/fd.h"
#include "net/netns.h"

/* On lo of each namespace made here: what fg_testbed_netns_delete() knows its own by. */
#define TESTBED_ALIAS "flowgen testbed"

static int netns_path(const char *name, char *path, size_t size, struct fg_error *err)
{
	if (!*name || *name == '.' || strchr(name, '/') || strlen(name) > 200)
		return fg_fail(err, FG_ERR_USAGE, "\"%.200s\" is not a name for a namespace", name);
	snprintf(path, size, FG_TESTBED_NETNS_DIR "/%s", name);
	return 0;
}

int fg_testbed_netns_open(const char *name, struct fg_error *err)
{
	char path[256];

	return netns_path(name, path, sizeof(path), err) ? -1 : fg_netns_open(path, err);
}

static struct nl_msg *lo_message(int type)
{
	struct ifinfomsg ifi = { .ifi_index = 1 };
	struct nl_msg *msg = nlmsg_alloc_simple(type, 0);

	if (msg && !nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static int mark_as_ours(int netns, struct fg_error *err)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(netns, err);
	FG_NL_MSG struct nl_msg *msg = lo_message(RTM_SETLINK);
	int ret = -ENOMEM;

	if (!sk)
		return -1;
	if (msg && !nla_put_string(msg, IFLA_IFALIAS, TESTBED_ALIAS))
		ret = fg_rtnl_request(sk, msg);
	if (!ret)
		ret = fg_link_set_up(sk, 1);
	return ret ? fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "prepare lo") : 0;
}

static int read_mark(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[IFLA_MAX + 1];

	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct ifinfomsg), tb, IFLA_MAX, NULL) < 0)
		return -1;
	*(bool *)arg = tb[IFLA_IFALIAS] && !strcmp(nla_get_string(tb[IFLA_IFALIAS]), TESTBED_ALIAS);
	return 0;
}

static int is_ours(int netns, bool *ours, struct fg_error *err)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(netns, err);
	FG_NL_MSG struct nl_msg *msg = lo_message(RTM_GETLINK);
	int ret;

	if (!sk)
		return -1;
	ret = msg ? fg_rtnl_query(sk, msg, read_mark, ours) : -ENOMEM;
	return ret ? fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "read lo") : 0;
}

/* A name is an empty file with the namespace mounted over it. */
static int give_name(int netns, const char *path, struct fg_error *err)
{
	char source[32];
	FG_FD int file = -1;

	if (mkdir(FG_TESTBED_NETNS_DIR, 0755) && errno != EEXIST)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, FG_TESTBED_NETNS_DIR);
	file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	if (file < 0)
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "make %s", path);
	snprintf(source, sizeof(source), "/proc/self/fd/%d", netns);
	if (mount(source, path, "none", MS_BIND, NULL)) {
		fg_fail_errno(err, FG_ERR_INTERNAL, errno, "mount %s", path);
		unlink(path);
		return -1;
	}
	return 0;
}

/*
 * A quiet namespace: no duplicate address detection, no router solicitation. (Link-local addresses
 * stay, and are good at once: without one the kernel cannot ask for a neighbour on behalf of a
 * forwarded packet.) What a policy program of the testbed counts is then what somebody sent.
 */
static const char *const quiet[][2] = {
	{ "/proc/sys/net/ipv6/conf/default/accept_dad", "0" },
	{ "/proc/sys/net/ipv6/conf/default/router_solicitations", "0" },
};

/* Below /proc/sys/net, which shows the namespace that the caller is in. */
static int sysctl_write(const char *path, const char *value, struct fg_error *err)
{
	FG_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && strstr(path, "/ipv6/"))
		return 0; /* a kernel without IPv6 */
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "write %s", path);
	return 0;
}

static const char *const forwarding[][2] = {
	{ "/proc/sys/net/ipv4/ip_forward", "1" },
	{ "/proc/sys/net/ipv4/conf/all/rp_filter", "0" },
	{ "/proc/sys/net/ipv4/conf/default/rp_filter", "0" },
	{ "/proc/sys/net/ipv6/conf/all/forwarding", "1" },
};

static int settings_write(int netns, const char *const (*settings)[2], size_t count,
			  struct fg_error *err)
{
	int back = -1, ret = 0;

	if (netns >= 0 && fg_netns_enter(netns, &back, err))
		return -1;
	for (size_t i = 0; i < count && !ret; i++)
		ret = sysctl_write(settings[i][0], settings[i][1], err);
	if (netns >= 0)
		fg_netns_leave(&back);
	return ret;
}

/*
 * The devices would go with the namespace, but some time after it, and its processes can keep it:
 * who deletes a pod wants its host-side device gone on return. What fails here is left to the
 * kernel.
 */
static void pairs_delete(int netns)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(netns, NULL);
	struct fg_links list;

	if (!sk || fg_link_list(sk, &list, NULL))
		return;
	for (size_t i = 0; i < list.count; i++)
		if (fg_link_is_pair(&list.links[i]))
			fg_link_delete(sk, list.links[i].ifindex);
	fg_links_free(&list);
}

int fg_testbed_netns_add(const char *name, struct fg_error *err)
{
	FG_FD int netns = -1;
	char path[256];

	if (netns_path(name, path, sizeof(path), err))
		return -1;
	netns = fg_netns_create(err);
	if (netns < 0 || mark_as_ours(netns, err) ||
	    settings_write(netns, quiet, COUNT(quiet), err) || give_name(netns, path, err))
		return -1;
	return fg_fd_take(&netns);
}

int fg_testbed_netns_delete(const char *name, struct fg_error *err)
{
	FG_FD int netns = fg_testbed_netns_open(name, err);
	bool ours = false;
	char path[256];

	if (netns < 0 || is_ours(netns, &ours, err) || netns_path(name, path, sizeof(path), err))
		return -1;
	if (!ours)
		return fg_fail(err, FG_ERR_USAGE, "%s was not made by flowgen; it stays", path);
	pairs_delete(netns);
	if (umount2(path, MNT_DETACH) && errno != EINVAL)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "unmount %s", path);
	if (unlink(path))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "remove %s", path);
	return 0;
}

int fg_testbed_node_prepare(int node, struct fg_error *err)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(node, err);
	int ret;

	if (!sk)
		return -1;
	ret = fg_link_set_up(sk, 1);
	if (ret)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "set lo up");
	if (settings_write(node, quiet, COUNT(quiet), err))
		return -1;
	return settings_write(node, forwarding, COUNT(forwarding), err);
}

/* The peer: the first device in the pod that is one end of a pair. */
static int find_peer(int pod_netns, const char *name, struct fg_link *out, struct fg_error *err)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(pod_netns, err);
	struct fg_links list;
	bool found = false;

	if (!sk || fg_link_list(sk, &list, err))
		return -1;
	for (size_t i = 0; i < list.count && !found; i++) {
		found = fg_link_is_pair(&list.links[i]) && list.links[i].peer_ifindex > 0;
		if (found)
			*out = list.links[i];
	}
	fg_links_free(&list);
	if (!found)
		return fg_fail(err, FG_ERR_USAGE, "%s: no veth or netkit device in it", name);
	return 0;
}

int fg_testbed_devices_find(const char *name, int node, struct fg_testbed_devices *out,
			    struct fg_error *err)
{
	FG_FD int netns = fg_testbed_netns_open(name, err);
	FG_NL_SOCK struct nl_sock *sk = NULL;
	struct fg_link peer = {}, primary;

	if (netns < 0 || find_peer(netns, name, &peer, err))
		return -1;
	sk = fg_rtnl_open(node, err);
	if (!sk || fg_link_get(sk, peer.peer_ifindex, NULL, &primary, err))
		return -1;
	if (primary.peer_ifindex != peer.ifindex || strcmp(primary.kind, peer.kind))
		return fg_fail(err, FG_ERR_USAGE, "%s: its host-side device is not in this node",
			       name);
	*out = (struct fg_testbed_devices){ .pod_netns = fg_fd_take(&netns),
					    .peer_ifindex = peer.ifindex,
					    .primary_ifindex = primary.ifindex };
	return 0;
}

bool fg_testbed_has_netkit(void)
{
	FG_FD int netns = fg_netns_create(NULL);
	FG_NL_SOCK struct nl_sock *sk = netns < 0 ? NULL : fg_rtnl_open(netns, NULL);
	const struct fg_pair pair = { .kind = "netkit",
				      .name = "try0",
				      .peer_name = "try1",
				      .peer_netns = -1,
				      .mode = FG_LINK_L2 };

	return sk && !fg_link_create_pair(sk, &pair);
}
