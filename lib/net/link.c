// SPDX-License-Identifier: GPL-2.0-only
#include "net/link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"

/* The table of a device's attributes; libnl's nla_parse() fills it. */
static void read_info(struct fg_link *link, struct nlattr *info)
{
	struct nlattr *tb[IFLA_INFO_MAX + 1], *nk[IFLA_NETKIT_MAX + 1];

	if (nla_parse_nested(tb, IFLA_INFO_MAX, info, NULL) < 0)
		return;
	if (tb[IFLA_INFO_KIND])
		nla_strlcpy(link->kind, tb[IFLA_INFO_KIND], sizeof(link->kind));
	if (strcmp(link->kind, "netkit") || !tb[IFLA_INFO_DATA] ||
	    nla_parse_nested(nk, IFLA_NETKIT_MAX, tb[IFLA_INFO_DATA], NULL) < 0)
		return;
	if (nk[IFLA_NETKIT_PRIMARY])
		link->netkit_primary = nla_get_u8(nk[IFLA_NETKIT_PRIMARY]);
	if (nk[IFLA_NETKIT_MODE])
		link->netkit_mode = nla_get_u32(nk[IFLA_NETKIT_MODE]) == NETKIT_L2 ? FG_LINK_L2
										   : FG_LINK_L3;
	if (nk[IFLA_NETKIT_POLICY])
		link->netkit_policy = (int)nla_get_u32(nk[IFLA_NETKIT_POLICY]);
}

static void read_xdp(struct fg_link *link, struct nlattr *xdp)
{
	struct nlattr *tb[IFLA_XDP_MAX + 1];

	if (nla_parse_nested(tb, IFLA_XDP_MAX, xdp, NULL) < 0)
		return;
	if (tb[IFLA_XDP_ATTACHED])
		link->xdp_mode = nla_get_u8(tb[IFLA_XDP_ATTACHED]);
	if (tb[IFLA_XDP_PROG_ID])
		link->xdp_id = nla_get_u32(tb[IFLA_XDP_PROG_ID]);
}

static int read_link(const struct nlmsghdr *nlh, struct fg_link *link)
{
	struct nlattr *tb[IFLA_MAX + 1];
	const struct ifinfomsg *ifi = nlmsg_data(nlh);

	memset(link, 0, sizeof(*link));
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*ifi), tb, IFLA_MAX, NULL) < 0)
		return -1;
	link->ifindex = ifi->ifi_index;
	link->flags = ifi->ifi_flags;
	link->peer_nsid = tb[IFLA_LINK_NETNSID] ? nla_get_s32(tb[IFLA_LINK_NETNSID]) : -1;
	link->netkit_policy = -1;
	if (tb[IFLA_LINK])
		link->peer_ifindex = nla_get_s32(tb[IFLA_LINK]);
	if (tb[IFLA_MASTER])
		link->master = nla_get_s32(tb[IFLA_MASTER]);
	if (tb[IFLA_MTU])
		link->mtu = nla_get_u32(tb[IFLA_MTU]);
	if (tb[IFLA_IFNAME])
		nla_strlcpy(link->name, tb[IFLA_IFNAME], sizeof(link->name));
	if (tb[IFLA_QDISC])
		nla_strlcpy(link->qdisc, tb[IFLA_QDISC], sizeof(link->qdisc));
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == 6)
		memcpy(link->mac, nla_data(tb[IFLA_ADDRESS]), 6);
	if (tb[IFLA_LINKINFO])
		read_info(link, tb[IFLA_LINKINFO]);
	if (tb[IFLA_XDP])
		read_xdp(link, tb[IFLA_XDP]);
	return 0;
}

static int add_link(const struct nlmsghdr *nlh, void *arg)
{
	struct fg_links *list = arg;
	struct fg_link *next;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	next = FG_GROW(list->links, list->count, 1, "devices", NULL);
	if (!next || read_link(nlh, next))
		return -1;
	list->count++;
	return 0;
}

void fg_links_free(struct fg_links *links)
{
	free(links->links);
	links->links = NULL;
	links->count = 0;
}

static struct nl_msg *link_message(int type, int flags, const struct ifinfomsg *ifi)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)ifi, sizeof(*ifi), NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int fg_link_list(struct nl_sock *sk, struct fg_links *out, struct fg_error *err)
{
	const struct ifinfomsg ifi = {};
	struct fg_links list;
	int ret;

	/* A dump that a change interrupted is asked for again, but not for ever. */
	for (int tries = 0; tries < 5; tries++) {
		FG_NL_MSG struct nl_msg *msg = link_message(RTM_GETLINK, NLM_F_DUMP, &ifi);

		list = (struct fg_links){};
		/* Counters are half of what the kernel would say of a device, and most of the work.
		 */
		ret = msg && !nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)
			      ? fg_rtnl_query(sk, msg, add_link, &list)
			      : -ENOMEM;
		if (!ret) {
			*out = list;
			return 0;
		}
		fg_links_free(&list);
		if (ret != -EINTR)
			break;
	}
	return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "list the devices");
}

int fg_link_get(struct nl_sock *sk, int ifindex, const char *name, struct fg_link *out,
		struct fg_error *err)
{
	const struct ifinfomsg ifi = { .ifi_index = ifindex };
	FG_NL_MSG struct nl_msg *msg = link_message(RTM_GETLINK, 0, &ifi);
	struct fg_links list = {};
	int ret = -ENOMEM;

	if (ifindex <= 0 && !name)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, ENODEV, "device %d", ifindex);
	if (msg && (ifindex > 0 || !nla_put_string(msg, IFLA_IFNAME, name)))
		ret = fg_rtnl_query(sk, msg, add_link, &list);
	if (!ret && list.count == 1)
		*out = list.links[0];
	else if (!ret)
		ret = -ENODEV;
	fg_links_free(&list);
	if (ret && ifindex > 0)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, -ret, "device %d", ifindex);
	if (ret)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, -ret, "device %s", name);
	return 0;
}

bool fg_link_is_pair(const struct fg_link *link)
{
	return !strcmp(link->kind, "veth") || !strcmp(link->kind, "netkit");
}

bool fg_link_is_pod_end(const struct fg_link *link)
{
	return fg_link_is_pair(link) && link->peer_nsid >= 0;
}

bool fg_link_is_twin(const struct fg_link *link)
{
	const char *digits = link->name + strlen(FG_LINK_TWIN);

	return fg_link_is_pod_end(link) &&
	       !strncmp(link->name, FG_LINK_TWIN, strlen(FG_LINK_TWIN)) &&
	       strspn(digits, "0123456789abcdef") == 8 && !digits[8];
}

/* What both ends have in common. */
static int put_end(struct nl_msg *msg, const struct fg_pair *pair, const char *name)
{
	if (nla_put_string(msg, IFLA_IFNAME, name))
		return -1;
	return pair->mtu ? nla_put_u32(msg, IFLA_MTU, pair->mtu) : 0;
}

static int put_peer(struct nl_msg *msg, const struct fg_pair *pair, int attribute)
{
	const struct ifinfomsg ifi = {};
	struct nlattr *peer = nla_nest_start(msg, attribute);

	if (!peer || nlmsg_append(msg, (void *)&ifi, sizeof(ifi), NLMSG_ALIGNTO) ||
	    put_end(msg, pair, pair->peer_name))
		return -1;
	if (pair->peer_netns >= 0 && nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)pair->peer_netns))
		return -1;
	nla_nest_end(msg, peer);
	return 0;
}

static int put_netkit(struct nl_msg *msg, const struct fg_pair *pair)
{
	if (pair->mode &&
	    nla_put_u32(msg, IFLA_NETKIT_MODE, pair->mode == FG_LINK_L2 ? NETKIT_L2 : NETKIT_L3))
		return -1;
	if (pair->drop_without_program && nla_put_u32(msg, IFLA_NETKIT_PEER_POLICY, NETKIT_DROP))
		return -1;
	return put_peer(msg, pair, IFLA_NETKIT_PEER_INFO);
}

int fg_link_create_pair(struct nl_sock *sk, const struct fg_pair *pair)
{
	const struct ifinfomsg ifi = {};
	FG_NL_MSG struct nl_msg *msg = link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi);
	struct nlattr *info, *data;

	if (!msg || put_end(msg, pair, pair->name) ||
	    !(info = nla_nest_start(msg, IFLA_LINKINFO)) ||
	    nla_put_string(msg, IFLA_INFO_KIND, pair->kind) ||
	    !(data = nla_nest_start(msg, IFLA_INFO_DATA)))
		return -ENOMEM;
	if (strcmp(pair->kind, "netkit") ? put_peer(msg, pair, VETH_INFO_PEER)
					 : put_netkit(msg, pair))
		return -ENOMEM;
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return fg_rtnl_request(sk, msg);
}

int fg_link_set_up(struct nl_sock *sk, int ifindex)
{
	const struct ifinfomsg ifi = { .ifi_index = ifindex,
				       .ifi_flags = IFF_UP,
				       .ifi_change = IFF_UP };
	FG_NL_MSG struct nl_msg *msg = link_message(RTM_NEWLINK, 0, &ifi);

	return msg ? fg_rtnl_request(sk, msg) : -ENOMEM;
}

/* The kernel takes this for a device that is there, not for one in the making. */
int fg_link_silence(struct nl_sock *sk, int ifindex)
{
	const struct ifinfomsg ifi = { .ifi_index = ifindex };
	FG_NL_MSG struct nl_msg *msg = link_message(RTM_NEWLINK, 0, &ifi);
	struct nlattr *spec = msg ? nla_nest_start(msg, IFLA_AF_SPEC) : NULL;
	struct nlattr *inet6 = spec ? nla_nest_start(msg, AF_INET6) : NULL;
	int ret;

	if (!inet6 || nla_put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE))
		return -ENOMEM;
	nla_nest_end(msg, inet6);
	nla_nest_end(msg, spec);
	ret = fg_rtnl_request(sk, msg);
	return ret == -EAFNOSUPPORT ? 0 : ret;
}

int fg_link_delete(struct nl_sock *sk, int ifindex)
{
	const struct ifinfomsg ifi = { .ifi_index = ifindex };
	FG_NL_MSG struct nl_msg *msg = link_message(RTM_DELLINK, 0, &ifi);

	return msg ? fg_rtnl_request(sk, msg) : -ENOMEM;
}

int fg_link_add_address(struct nl_sock *sk, int ifindex, const struct fg_addr *addr, int prefix)
{
	size_t len = addr->family == AF_INET ? 4 : 16;
	struct ifaddrmsg ifa = {
		.ifa_family = (uint8_t)addr->family,
		.ifa_prefixlen = (uint8_t)prefix,
		.ifa_index = (uint32_t)ifindex,
		.ifa_flags = addr->family == AF_INET6 ? IFA_F_NODAD : 0,
	};
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);

	if (!msg || nlmsg_append(msg, &ifa, sizeof(ifa), NLMSG_ALIGNTO) ||
	    nla_put(msg, IFA_LOCAL, (int)len, addr->bytes) ||
	    nla_put(msg, IFA_ADDRESS, (int)len, addr->bytes))
		return -ENOMEM;
	return fg_rtnl_request(sk, msg);
}

struct address_query {
	int ifindex;
	struct fg_link_addresses *out;
};

static int add_address(const struct nlmsghdr *nlh, void *arg)
{
	struct address_query *q = arg;
	const struct ifaddrmsg *ifa = nlmsg_data(nlh);
	struct nlattr *tb[IFA_MAX + 1], *attr;
	struct fg_link_address *a;

	if (nlh->nlmsg_type != RTM_NEWADDR || (q->ifindex > 0 && (int)ifa->ifa_index != q->ifindex))
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*ifa), tb, IFA_MAX, NULL) < 0)
		return -1;
	attr = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (!attr || nla_len(attr) > 16)
		return 0;
	a = FG_APPEND(q->out->list, q->out->count, "addresses", NULL);
	if (!a)
		return -1;
	*a = (struct fg_link_address){ .ifindex = (int)ifa->ifa_index,
				       .prefix = ifa->ifa_prefixlen,
				       .scope = ifa->ifa_scope,
				       .addr.family = ifa->ifa_family };
	memcpy(a->addr.bytes, nla_data(attr), (size_t)nla_len(attr));
	return 0;
}

int fg_link_addresses(struct nl_sock *sk, int ifindex, struct fg_link_addresses *out,
		      struct fg_error *err)
{
	struct ifaddrmsg ifa = {};
	int ret;

	for (int tries = 0; tries < 5; tries++) {
		struct fg_link_addresses list = {};
		struct address_query q = { .ifindex = ifindex, .out = &list };
		FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETADDR, NLM_F_DUMP);

		ret = -ENOMEM;
		if (msg && !nlmsg_append(msg, &ifa, sizeof(ifa), NLMSG_ALIGNTO))
			ret = fg_rtnl_query(sk, msg, add_address, &q);
		if (!ret) {
			*out = list;
			return 0;
		}
		free(list.list);
		if (ret != -EINTR)
			break;
	}
	return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "list the addresses");
}

int fg_link_holds(struct nl_sock *sk, const struct fg_addr *addr, struct fg_error *err)
{
	struct fg_link_addresses all = {};
	int has = 0;

	if (fg_link_addresses(sk, 0, &all, err))
		return -1;
	for (size_t i = 0; i < all.count && !has; i++)
		has = fg_addr_equal(&all.list[i].addr, addr);
	free(all.list);
	return has;
}

static int read_port(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *ndm = nlmsg_data(nlh);

	if (nlh->nlmsg_type == RTM_NEWNEIGH)
		*(int *)arg = ndm->ndm_ifindex;
	return 0;
}

int fg_link_bridge_port(struct nl_sock *sk, int bridge, const uint8_t mac[6])
{
	const struct ndmsg ndm = { .ndm_family = AF_BRIDGE };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETNEIGH, 0);
	int port = 0;

	if (!msg || nlmsg_append(msg, (void *)&ndm, sizeof(ndm), NLMSG_ALIGNTO) ||
	    nla_put(msg, NDA_LLADDR, 6, mac) || nla_put_u32(msg, NDA_MASTER, (uint32_t)bridge) ||
	    fg_rtnl_query(sk, msg, read_port, &port))
		return 0;
	return port;
}
