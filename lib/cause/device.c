// SPDX-License-Identifier: GPL-2.0-only
/* cause/device.c - devices that are down, or take less; and limits that belong to the receiver. */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "cause/internal.h"

struct peer {
	bool found;
	unsigned int flags;
	uint32_t mtu;
	char name[IFNAMSIZ];
};

static int on_peer(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = nlmsg_data(nlh);
	struct nlattr *tb[IFLA_MAX + 1];
	struct peer *peer = arg;

	if (nlh->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*ifi), tb, IFLA_MAX, NULL) < 0)
		return 0;
	peer->found = true;
	peer->flags = ifi->ifi_flags;
	if (tb[IFLA_MTU])
		peer->mtu = nla_get_u32(tb[IFLA_MTU]);
	if (tb[IFLA_IFNAME])
		nla_strlcpy(peer->name, tb[IFLA_IFNAME], sizeof(peer->name));
	return 0;
}

/* The other end of a pair, in whichever namespace it is (IFLA_TARGET_NETNSID, Linux 4.20). */
static void ask_peer(struct nl_sock *sk, const struct fg_link *link, struct peer *peer)
{
	struct ifinfomsg ifi = { .ifi_index = link->peer_ifindex };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, 0);

	*peer = (struct peer){};
	if (!fg_link_is_pair(link) || !link->peer_ifindex || !msg ||
	    nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO) ||
	    (link->peer_nsid >= 0 &&
	     nla_put_u32(msg, IFLA_TARGET_NETNSID, (uint32_t)link->peer_nsid)))
		return;
	fg_rtnl_query(sk, msg, on_peer, peer);
}

bool fg_cause_find_device(const struct fg_cause_place *place, struct fg_cause *out)
{
	char where[FG_CAUSE_WHERE_LEN];
	struct fg_link link;
	struct peer peer;

	if (!place->ifindex || fg_link_get(place->rtnl, place->ifindex, NULL, &link, NULL))
		return false;
	fg_cause_where(place, where, sizeof(where));
	if (!(link.flags & IFF_UP))
		return fg_cause_set(out, FG_CAUSE_DEVICE, "down", "%s in %s is down", link.name,
				    where);
	ask_peer(place->rtnl, &link, &peer);
	if (peer.found && !(peer.flags & IFF_UP))
		return fg_cause_set(out, FG_CAUSE_DEVICE, "down",
				    "%s, the other end of %s, is down", peer.name, link.name);
	if (!(link.flags & IFF_RUNNING))
		return fg_cause_set(out, FG_CAUSE_DEVICE, "no-carrier", "%s in %s has no carrier",
				    link.name, where);
	if (peer.found && peer.mtu && place->length > peer.mtu)
		return fg_cause_set(out, FG_CAUSE_MTU, "device",
				    "%u bytes to %s, the other end of %s, whose MTU is %u",
				    place->length, peer.name, link.name, peer.mtu);
	return false;
}

bool fg_cause_find_backlog(const struct fg_cause_place *place, struct fg_cause *out)
{
	long value = fg_cause_sysctl(place, "/proc/sys/net/core/netdev_max_backlog");

	fg_cause_set(out, FG_CAUSE_DEVICE, "backlog",
		     "the processor's queue of received packets was full");
	if (value >= 0)
		fg_cause_set_setting(out, value, "net.core.netdev_max_backlog");
	return true;
}

bool fg_cause_find_disabled(const struct fg_cause_place *place, struct fg_cause *out)
{
	int in = place->received_on ? place->received_on : place->ifindex;
	char device[IFNAMSIZ + 16];
	long value;

	if (!in || place->flow.family != AF_INET6)
		return false;
	fg_cause_device(place->rtnl, in, device);
	value = fg_cause_sysctl_conf(place, device, "disable_ipv6");
	if (value <= 0)
		return false;
	fg_cause_set(out, FG_CAUSE_DEVICE, "no-ipv6", "IPv6 is disabled on %s", device);
	fg_cause_put_conf(out, AF_INET6, device, "disable_ipv6", value);
	return true;
}

bool fg_cause_find_fragments(const struct fg_cause_place *place, struct fg_cause *out)
{
	bool late = !strcmp(place->reason, "FRAG_REASM_TIMEOUT");
	bool ipv4 = place->flow.family == AF_INET;
	const char *name = late ? ipv4 ? "net/ipv4/ipfrag_time" : "net/ipv6/ip6frag_time"
				: "net/ipv4/ipfrag_max_dist";
	char path[64];
	long value;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	value = fg_cause_sysctl(place, path);
	if (value < 0)
		return false;
	fg_cause_set(out, FG_CAUSE_FRAGMENT, late ? "timeout" : "too-far", "%s",
		     late ? "the other fragments did not come in time"
			  : "too many other fragments of that sender came between");
	fg_cause_set_setting(out, value, "net.%s.%s", ipv4 ? "ipv4" : "ipv6",
			     strrchr(name, '/') + 1);
	return true;
}
