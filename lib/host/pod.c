// SPDX-License-Identifier: GPL-2.0-only
#include "host/pod.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "net/route.h"

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

static int open_host_side(struct fg_host *host, struct fg_pod *pod, struct fg_error *err)
{
	const char *path = "";

	if (fg_host_nsid(pod->rtnl, host->netns) == pod->peer.peer_nsid)
		pod->host_netns = fg_netns_open("/proc/thread-self/ns/net", err);
	else
		pod->host_netns = fg_host_open_nsid(host, pod->inode, pod->rtnl,
						    pod->peer.peer_nsid, &path, err);
	if (pod->host_netns < 0 && err && err->code != ENOENT)
		return fg_error_prefix(err, "the other end of %s", pod->peer.name);
	if (pod->host_netns < 0) {
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"the other end of %s is in a namespace that no process and no name leads "
			"to",
			pod->peer.name);
		return fg_hint(err, "run flowgen in the namespace of the node (nsenter -t PID -n)");
	}
	snprintf(pod->host_path, sizeof(pod->host_path), "%s", path);
	pod->host_inode = fg_netns_inode(pod->host_netns);
	pod->host_rtnl = fg_rtnl_open(pod->host_netns, err);
	if (!pod->host_rtnl)
		return -1;
	if (fg_link_get(pod->host_rtnl, pod->peer.peer_ifindex, NULL, &pod->primary, err))
		return fg_error_prefix(err, "host-side end of %s", pod->peer.name);
	return 0;
}

/*
 * The device that a person would take for the pod's own, if none is a pair: the first that is
 * up.
 */
static const struct fg_link *likely_device(const struct fg_links *links, const char *interface)
{
	const struct fg_link *found = NULL;

	for (size_t i = 0; i < links->count; i++) {
		const struct fg_link *link = &links->links[i];

		if (interface ? strcmp(link->name, interface) != 0 : link->flags & IFF_LOOPBACK)
			continue;
		if (!found || (!(found->flags & IFF_UP) && link->flags & IFF_UP))
			found = link;
	}
	return found;
}

static const char *kind_of(const struct fg_link *link)
{
	if (link->flags & IFF_LOOPBACK)
		return "loopback";
	return link->kind[0] ? link->kind : "hardware";
}

/* The end of a netkit pair that a host has: it leads down, to a pod of this one. */
static bool leads_down(const struct fg_link *link)
{
	return !strcmp(link->kind, "netkit") && link->netkit_primary;
}

static int fail_no_pair(const struct fg_links *links, const char *interface, struct fg_error *err)
{
	const struct fg_link *other = likely_device(links, interface);

	if (!other && interface)
		fg_fail(err, FG_ERR_UNSUPPORTED, "has no device %s", interface);
	else if (!other)
		fg_fail(err, FG_ERR_UNSUPPORTED, "has no network device");
	else if (fg_link_is_pod_end(other) && leads_down(other))
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"its device %s is the primary end of a netkit pair, and the host has the "
			"peer end",
			other->name);
	else if (fg_link_is_pair(other))
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"the other end of its device %s is in the pod itself", other->name);
	else
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"its device %s (%s) is not an end of a veth or netkit pair to the host",
			other->name, kind_of(other));
	return fg_hint(
		err,
		"flowgen needs a veth or netkit pair; 'flowgen pods' lists the pods that have one");
}

/* The device of the pod's default route, if there are several. */
static int default_ifindex(struct nl_sock *sk)
{
	struct fg_route route;

	if (fg_route_default(sk, AF_INET, &route) && fg_route_default(sk, AF_INET6, &route))
		return 0;
	return route.ifindex;
}

static int choose_device(struct fg_pod *pod, const struct fg_links *links, const char *interface,
			 struct fg_error *err)
{
	const struct fg_link *found = NULL;
	int preferred = 0, count = 0;

	for (size_t i = 0; i < links->count; i++) {
		const struct fg_link *link = &links->links[i];

		if (!fg_link_is_pod_end(link) || leads_down(link) ||
		    (interface && strcmp(link->name, interface) != 0))
			continue;
		if (++count == 2)
			preferred = default_ifindex(pod->rtnl);
		if (!found || link->ifindex == preferred)
			found = link;
	}
	if (!found)
		return fail_no_pair(links, interface, err);
	if (count > 1 && found->ifindex != preferred) {
		fg_fail(err, FG_ERR_USAGE, "has %d pairs to the host and no default route", count);
		return fg_hint(err, "choose one with --interface NAME");
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
	if (!pod->inode)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "network namespace %s",
				     pod->path);
	if (pod->inode == host->inode) {
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"shares the host's network namespace (host network)");
		return fg_hint(err,
			       "a host-network pod has no device of its own, and no pod policy");
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

static void set_name(struct fg_host *host, struct fg_pod *pod)
{
	const struct fg_runtime_pod *known = fg_host_runtime_pod(host, pod->inode);
	char text[sizeof(pod->name)];
	const char *label = fg_host_label(host, pod->inode, text, sizeof(text));

	snprintf(pod->name, sizeof(pod->name), "%s", label ? label : "");
	if (!known)
		return;
	memcpy(pod->uid, known->uid, sizeof(pod->uid));
	pod->runtime = known->runtime;
}

static int open_prepared(struct fg_host *host, const char *interface, struct fg_pod *pod,
			 struct fg_error *err)
{
	if (open_pod_side(host, interface, pod, err) || open_host_side(host, pod, err)) {
		fg_pod_close(pod);
		return -1;
	}
	set_name(host, pod);
	return 0;
}

int fg_pod_open_path(struct fg_host *host, const char *ref, const char *path, const char *interface,
		     struct fg_pod *pod, struct fg_error *err)
{
	*pod = (struct fg_pod){ .netns = -1, .host_netns = -1 };
	snprintf(pod->ref, sizeof(pod->ref), "%s", ref);
	snprintf(pod->path, sizeof(pod->path), "%s", path);
	return open_prepared(host, interface, pod, err);
}

int fg_pod_open(struct fg_host *host, const char *ref, const char *interface, struct fg_pod *pod,
		struct fg_error *err)
{
	struct fg_pod_place place;

	*pod = (struct fg_pod){ .netns = -1, .host_netns = -1 };
	if (!ref[0] || strlen(ref) >= sizeof(pod->ref))
		return fg_fail(err, FG_ERR_USAGE, "pod reference \"%.100s\": 1 to %zu characters",
			       ref, sizeof(pod->ref) - 1);
	if (fg_pod_find(host, ref, &place, err))
		return -1;
	if (fg_pod_open_path(host, ref, place.path, interface, pod, err))
		return fg_error_prefix(err, "pod %s", ref);
	if (pod->inode == place.inode)
		return 0;
	/* The path leads elsewhere by now: the number or the name belongs to another one. */
	fg_pod_close(pod);
	return fg_fail(err, FG_ERR_UNSUPPORTED, "pod %s: went away while flowgen looked at it",
		       ref);
}

static bool is_elsewhere(const struct fg_host *host, const struct fg_pod *pod)
{
	return pod->host_inode != host->inode;
}

/* ", in the namespace NAME", of a host side that is not where flowgen is; else "". */
static const char *where_of(struct fg_host *host, const struct fg_pod *pod, char *buf, size_t size)
{
	char text[330];
	const char *label = fg_host_label(host, pod->host_inode, text, sizeof(text));

	if (!is_elsewhere(host, pod))
		buf[0] = '\0';
	else
		snprintf(buf, size, ", in the namespace %s,", label ? label : pod->host_path);
	return buf;
}

/* Which end is down, or NULL. */
static const struct fg_link *end_down(const struct fg_pod *pod)
{
	return !(pod->peer.flags & IFF_UP)	? &pod->peer
	       : !(pod->primary.flags & IFF_UP) ? &pod->primary
						: NULL;
}

const char *fg_pod_note(struct fg_host *host, const struct fg_pod *pod, char *buf, size_t size)
{
	const struct fg_link *down = end_down(pod);
	char where[600];

	where_of(host, pod, where, sizeof(where));
	if (down == &pod->peer)
		snprintf(buf, size, "its device %s is down", down->name);
	else if (down)
		snprintf(buf, size, "its host-side device %s%s is down", down->name, where);
	else if (is_elsewhere(host, pod))
		/* Without the last comma. */
		snprintf(buf, size, "its host-side device %s is%.*s", pod->primary.name,
			 (int)strlen(where) - 2, where + 1);
	else
		return NULL;
	return buf;
}

bool fg_pod_has_device(const struct fg_pod *pod)
{
	struct fg_link link;

	return !fg_link_get(pod->rtnl, pod->peer.ifindex, NULL, &link, NULL);
}

int fg_pod_check_up(struct fg_host *host, const struct fg_pod *pod, struct fg_error *err)
{
	char note[700];

	if (!end_down(pod))
		return 0;
	fg_fail(err, FG_ERR_UNSUPPORTED, "%.400s: nothing that the pod sends gets anywhere",
		fg_pod_note(host, pod, note, sizeof(note)));
	return fg_hint(err, "'ip link' shows the state of devices; 'flowgen pods' lists it too");
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

const struct fg_addr *fg_pod_link_address(const struct fg_pod *pod)
{
	for (size_t i = 0; i < pod->addresses.count; i++)
		if (fg_addr_is_link_local(&pod->addresses.list[i].addr))
			return &pod->addresses.list[i].addr;
	return NULL;
}

bool fg_pod_owns(const struct fg_pod *pod, const struct fg_addr *addr)
{
	for (size_t i = 0; i < pod->addresses.count; i++)
		if (fg_addr_equal(&pod->addresses.list[i].addr, addr))
			return true;
	return pod->rtnl && fg_link_holds(pod->rtnl, addr, NULL) > 0;
}
