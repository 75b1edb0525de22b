// SPDX-License-Identifier: GPL-2.0-only
#include "host/below.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"
#include "net/route.h"

/* --- the namespaces below a node --- */

/* A walk from a node down. */
struct walk {
	struct fg_host *host;
	uint32_t node, first; /* inode numbers: of the node, and of the host's first process */
};

/* A namespace on the way. */
struct place {
	uint32_t inode;
	struct nl_sock *sk;	     /* in it */
	const struct fg_below *from; /* what of the node leads to it; NULL: it is the node */
	struct fg_route out[2];	     /* its default routes, by family; ifindex 0: none */
};

static void find_ways_out(struct place *p)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };

	for (int i = 0; i < 2; i++) {
		struct fg_route *out = &p->out[i];

		*out = (struct fg_route){};
		if (fg_route_default(p->sk, families[i], out))
			continue;
		/* What the device is stacked on (a VLAN's) leads out too. */
		for (int depth = 0; depth < 4; depth++) {
			struct fg_link link;

			if (fg_link_get(p->sk, out->ifindex, NULL, &link, NULL) ||
			    fg_link_is_pair(&link) || !link.peer_ifindex || link.peer_nsid >= 0)
				break;
			out->ifindex = link.peer_ifindex;
		}
	}
}

static bool holds(int netns, const struct fg_addr *addr)
{
	FG_NL_SOCK struct nl_sock *sk = addr->family ? fg_rtnl_open(netns, NULL) : NULL;

	return sk && fg_link_holds(sk, addr, NULL) > 0;
}

/* Whether a pair of the place is its way out: netns is at its other end. */
static bool leads_out(const struct place *p, const struct fg_link *link, int netns)
{
	if (!strcmp(link->kind, "netkit") && !link->netkit_primary)
		return true;
	for (int i = 0; i < 2; i++)
		/* Of a bridge's ports that one is the way out which has the gateway behind it. */
		if (p->out[i].ifindex && (link->ifindex == p->out[i].ifindex ||
					  (link->master && link->master == p->out[i].ifindex &&
					   holds(netns, &p->out[i].via))))
			return true;
	return false;
}

static bool is_there(const struct fg_host *host, uint32_t node, uint32_t inode)
{
	for (size_t i = 0; i < host->below_count; i++)
		if (host->below[i].node == node && host->below[i].inode == inode)
			return true;
	return false;
}

/* Returns -1 for a namespace that is there and cannot be looked at: it may be one of these. */
static int follow(const struct walk *w, const struct place *p, const struct fg_link *link,
		  struct fg_error *err)
{
	struct fg_below *added, b = { .node = w->node };
	struct fg_error why = {};
	const char *path;

	if (!fg_link_is_pod_end(link))
		return 0;
	FG_FD int fd = fg_host_open_nsid(w->host, p->inode, p->sk, link->peer_nsid, &path, &why);

	if (fd < 0 && why.code != ENOENT) {
		fg_error_pass(err, &why);
		return fg_error_prefix(err, "the other end of %s", link->name);
	}
	b.inode = fd < 0 ? 0 : fg_netns_inode(fd);
	b.inside = link->peer_ifindex;
	b.ifindex = p->from ? p->from->ifindex : link->ifindex;
	b.master = p->from ? p->from->master : link->master;
	if (!b.inode || b.inode == w->node || b.inode == w->first || leads_out(p, link, fd) ||
	    (p->from && is_there(w->host, w->node, b.inode)))
		return 0;
	added = FG_APPEND(w->host->below, w->host->below_count, "namespaces", err);
	if (!added)
		return -1;
	*added = b;
	return 0;
}

static int look_from(const struct walk *w, struct place *p, struct fg_error *err)
{
	struct fg_links links = {};
	int ret = 0;

	if (fg_link_list(p->sk, &links, err))
		return -1;
	find_ways_out(p);
	for (size_t i = 0; i < links.count && !ret; i++)
		ret = follow(w, p, &links.links[i], err);
	fg_links_free(&links);
	return ret;
}

static int look_into(const struct walk *w, const struct fg_below *b, struct fg_error *err)
{
	const struct fg_netns_entry *e = fg_netns_list_find(&w->host->list, b->inode);
	struct fg_error why = {};
	FG_FD int fd = e ? fg_netns_open(e->path, &why) : -1;
	FG_NL_SOCK struct nl_sock *sk = fd >= 0 ? fg_rtnl_open(fd, &why) : NULL;
	struct place p = { .inode = b->inode, .sk = sk, .from = b };

	if (!e || (fd < 0 && fg_netns_is_gone(&why)))
		return 0;
	if (sk && !look_from(w, &p, &why))
		return 0;
	fg_error_pass(err, &why);
	return fg_error_prefix(err, "pods below %s", e->path);
}

static int look_below(struct fg_host *host, const struct fg_pod *pod, struct fg_error *err)
{
	const struct walk w = { host, pod->host_inode, fg_host_first_inode(host) };
	struct place node = { .inode = pod->host_inode, .sk = pod->host_rtnl };
	size_t first = host->below_count;
	struct fg_below *mark;
	int ret = look_from(&w, &node, err);

	/* The list grows while it is walked. */
	for (size_t i = first; i < host->below_count && !ret; i++) {
		const struct fg_below b = host->below[i];

		ret = look_into(&w, &b, err);
	}
	mark = ret ? NULL : FG_APPEND(host->below, host->below_count, "namespaces", err);
	if (!mark) {
		host->below_count = first;
		return -1;
	}
	*mark = (struct fg_below){ .node = pod->host_inode };
	return 0;
}

bool fg_below_leads(const struct fg_host *host, const struct fg_pod *pod, struct nl_sock *sk,
		    const struct fg_link *link, int netns)
{
	struct place p = { .sk = sk };
	uint32_t inode = fg_netns_inode(netns);

	if (inode == pod->host_inode || inode == fg_host_first_inode(host))
		return false;
	find_ways_out(&p);
	return !leads_out(&p, link, netns);
}

int fg_below_look(struct fg_host *host, const struct fg_pod *pod, struct fg_error *err)
{
	return is_there(host, pod->host_inode, 0) ? 0 : look_below(host, pod, err);
}

int fg_below(struct fg_host *host, const struct fg_pod *pod, uint32_t inode, struct fg_error *err)
{
	struct fg_error why;

	if (fg_below_look(host, pod, &why))
		return fg_error_pass(err, &why);
	return inode && is_there(host, pod->host_inode, inode);
}

/* --- the node itself --- */

int fg_below_node_holds(const struct fg_pod *pod, const struct fg_addr *addr, struct fg_error *err)
{
	struct fg_link_addresses all = {};
	int holds = 0;

	if (fg_link_addresses(pod->host_rtnl, 0, &all, err))
		return -1;
	for (size_t i = 0; i < all.count && !holds; i++)
		holds = fg_addr_equal(&all.list[i].addr, addr) &&
			(!fg_addr_is_link_local(addr) ||
			 all.list[i].ifindex == pod->primary.ifindex ||
			 (pod->primary.master && all.list[i].ifindex == pod->primary.master));
	free(all.list);
	return holds;
}
