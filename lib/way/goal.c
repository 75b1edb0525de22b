// SPDX-License-Identifier: GPL-2.0-only
/*
 * way/goal.c - where a packet is about to go: by the routes and bridges of the sender's node,
 * as the kernel itself would send it, from device to device. Only a namespace that these lead to is
 * asked whether it holds the address; others may hold it too, as anybody can put any address on a
 * loopback device of his own.
 */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "host/below.h"
#include "net/route.h"
#include "way/goal.h"

/* The namespace that the packet is in, and where it came in. */
struct stage {
	struct nl_sock *sk;
	uint32_t inode;
	int iif, depth;
	const uint8_t *mac; /* of the next hop; NULL: not known */
};

struct question {
	struct fg_host *host;
	const struct fg_pod *pod;
	const struct fg_addr *src, *dst;
	const struct fg_goal *last; /* NULL: none */
	struct fg_error *err;
};

/* These return 1 if they found it, 0 if not, and -1 if what they came to cannot be looked at. */
static int follow(const struct question *q, const struct stage *at, const struct fg_link *in,
		  struct fg_goal *out);

/* Opens the namespace at the other end of the pair; *fd -1: there is none below. */
static int open_below(const struct question *q, const struct stage *at, const struct fg_link *link,
		      int *fd, struct nl_sock **sk)
{
	struct fg_error why = {};
	const char *path;

	*fd = fg_host_open_nsid(q->host, at->inode, at->sk, link->peer_nsid, &path, &why);
	if (*fd < 0 && why.code == ENOENT)
		return 0;
	if (*fd >= 0 && !fg_below_leads(q->host, q->pod, at->sk, link, *fd)) {
		fg_fd_close(fd);
		return 0;
	}
	*sk = *fd >= 0 ? fg_rtnl_open(*fd, &why) : NULL;
	if (*sk)
		return 0;
	fg_error_pass(q->err, &why);
	return fg_error_prefix(q->err, "the other end of %s", link->name);
}

/*
 * Over the pair, into the namespace of its other end. Whether that one, or one behind it, holds
 * dst. mac: of the device that it must be (NULL: any).
 */
static int enter(const struct question *q, const struct stage *at, const struct fg_link *link,
		 const uint8_t *mac, struct fg_goal *out)
{
	FG_NL_SOCK struct nl_sock *sk = NULL;
	FG_FD int fd = -1;
	struct stage next = { NULL, 0, link->peer_ifindex, at->depth + 1, NULL };
	struct fg_link in;
	int ret;

	if (!fg_link_is_pod_end(link))
		return 0;
	if (open_below(q, at, link, &fd, &sk))
		return -1;
	if (fd < 0)
		return 0;
	out->entered++;
	next.sk = sk;
	next.inode = fg_netns_inode(fd);
	if (fg_link_get(sk, link->peer_ifindex, NULL, &in, NULL) ||
	    (mac && memcmp(in.mac, mac, 6) != 0))
		return 0;
	ret = fg_route_is_local(sk, q->dst, q->err);
	if (ret > 0) {
		out->kind = FG_GOAL_POD;
		out->netns = next.inode;
		out->cookie = fg_rtnl_cookie(sk);
		out->ifindex = link->peer_ifindex;
	}
	if (ret || next.depth >= FG_GOAL_DEPTH_MAX)
		return ret;
	return follow(q, &next, &in, out);
}

static bool is_switch(const struct fg_link *link)
{
	return !strcmp(link->kind, "bridge") || !strcmp(link->kind, "openvswitch");
}

/* Open vSwitch's devices have its datapath as their master. */
static bool is_port(const struct stage *at, const struct fg_link *by, const struct fg_link *l)
{
	bool of = !strcmp(by->kind, "bridge") ? l->master == by->ifindex : l->master != 0;

	return of && l->ifindex != at->iif;
}

static int try_port(const struct question *q, const struct stage *at, const struct fg_link *port,
		    const uint8_t *mac, struct fg_goal *out)
{
	int found = enter(q, at, port, mac, out);

	if (found > 0)
		out->ports[at->depth] = port->ifindex;
	return found;
}

/*
 * Each port costs a look into a namespace, and a session asks each second for each destination: so
 * the port that it was behind is tried first. Whether it is found there is asked anew.
 */
static int try_last(const struct question *q, const struct stage *at, const struct fg_link *by,
		    const uint8_t *mac, struct fg_goal *out)
{
	int last = q->last ? q->last->ports[at->depth] : 0;
	struct fg_link port;

	return last && !fg_link_get(at->sk, last, NULL, &port, NULL) && is_port(at, by, &port)
		       ? try_port(q, at, &port, mac, out)
		       : 0;
}

static int try_ports(const struct question *q, const struct stage *at, const struct fg_link *by,
		     const uint8_t *mac, struct fg_goal *out)
{
	struct fg_links links = {};
	int found = try_last(q, at, by, mac, out);

	if (found > 0)
		return found;
	found = 0;
	if (fg_link_list(at->sk, &links, q->err))
		return -1;
	for (size_t i = 0; i < links.count && !found; i++)
		if (is_port(at, by, &links.links[i]))
			found = try_port(q, at, &links.links[i], mac, out);
	fg_links_free(&links);
	return found;
}

/*
 * Through a switch: to the port of the next hop's address. A bridge that does not know the port
 * floods: then it is the one that has this address at its other end; others refuse the packet.
 * Without an address it is the one behind which somebody holds dst.
 */
static int cross(const struct question *q, const struct stage *at, const struct fg_link *by,
		 struct fg_goal *out)
{
	const uint8_t *mac = strcmp(by->kind, "bridge") != 0 ? NULL : at->mac;
	int known = mac ? fg_link_bridge_port(at->sk, by->ifindex, mac) : 0;
	struct fg_link port;

	if (known == by->ifindex)
		return 0;
	if (known)
		return fg_link_get(at->sk, known, NULL, &port, NULL)
			       ? 0
			       : enter(q, at, &port, NULL, out);
	return try_ports(q, at, by, mac, out);
}

/* in: the device that the packet came in by. */
static int follow(const struct question *q, const struct stage *at, const struct fg_link *in,
		  struct fg_goal *out)
{
	struct fg_link link;
	struct fg_route route;
	struct stage onward = *at;
	int iif = at->iif, ret;
	uint8_t mac[6];

	if (in->master && !fg_link_get(at->sk, in->master, NULL, &link, NULL) && is_switch(&link)) {
		ret = cross(q, at, &link, out);
		if (ret)
			return ret;
		iif = link.ifindex;
	}
	/* No route leads to what is on the pod's link. */
	if (fg_addr_is_link_local(q->dst))
		return 0;
	if (fg_route_lookup_from(at->sk, q->dst, q->src, iif, &route) || !route.ifindex ||
	    fg_link_get(at->sk, route.ifindex, NULL, &link, NULL))
		return 0;
	if (at->depth == 0)
		out->ifindex = route.ifindex;
	if (!is_switch(&link))
		return enter(q, at, &link, NULL, out);
	onward.mac = !fg_route_neighbour(at->sk, route.ifindex,
					 route.via.family ? &route.via : q->dst, mac)
			     ? mac
			     : NULL;
	return cross(q, &onward, &link, out);
}

int fg_goal_find(struct fg_host *host, const struct fg_pod *pod, const struct fg_addr *src,
		 const struct fg_addr *dst, const uint8_t mac[6], const struct fg_goal *last,
		 struct fg_goal *out, struct fg_error *err)
{
	const struct question q = { host, pod, src, dst, last, err };
	const struct stage at = { pod->host_rtnl, pod->host_inode, pod->primary.ifindex, 0, mac };
	/* Each device of the node may have the same link-local address. */
	int own = fg_addr_is_link_local(dst) ? fg_below_node_holds(pod, dst, err)
					     : fg_route_is_local(pod->host_rtnl, dst, err);

	*out = (struct fg_goal){ .kind = own > 0 ? FG_GOAL_HOST : FG_GOAL_OUT };
	if (own)
		return own < 0 ? -1 : 0;
	return follow(&q, &at, &pod->primary, out) < 0 ? -1 : 0;
}
