// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo/testbed_pod.c - one pod of the testbed: its pair of devices, addresses and routes, on both
 * sides.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "net/netns.h"
#include "demo/testbed.h"

/* What is being made: one socket and one device on each side. */
struct build {
	const struct fg_testbed_pod *pod;
	struct nl_sock *node, *inside;
	int primary, peer; /* ifindexes */
};

static unsigned int full_prefix(const struct fg_addr *addr)
{
	return addr->family == AF_INET ? 32 : 128;
}

static int addr_put(struct nl_msg *msg, int type, const struct fg_addr *addr)
{
	return nla_put(msg, type, addr->family == AF_INET ? 4 : 16, addr->bytes);
}

/*
 * dst with its full prefix length by way of ifindex (gateway NULL), or the default route by a
 * gateway (dst NULL).
 */
static int route_add(struct nl_sock *sk, int ifindex, const struct fg_addr *dst,
		     const struct fg_addr *gateway, struct fg_error *err)
{
	const struct fg_addr *known = dst ? dst : gateway;
	struct rtmsg rtm = {
		.rtm_family = (uint8_t)known->family,
		.rtm_dst_len = dst ? (uint8_t)full_prefix(dst) : 0,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	char text[FG_ADDR_TEXT_LEN];
	int ret = -ENOMEM;

	if (msg && !nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO) &&
	    !nla_put_u32(msg, RTA_OIF, (uint32_t)ifindex) &&
	    (!dst || !addr_put(msg, RTA_DST, dst)) &&
	    (!gateway || !addr_put(msg, RTA_GATEWAY, gateway)))
		ret = fg_rtnl_request(sk, msg);
	if (!ret)
		return 0;
	return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "route %s %s", dst ? "to" : "by way of",
			     fg_addr_text(known, text, sizeof(text)));
}

static int address_add(struct nl_sock *sk, int ifindex, const struct fg_addr *addr, int prefix,
		       struct fg_error *err)
{
	char text[FG_ADDR_TEXT_LEN];
	int ret = fg_link_add_address(sk, ifindex, addr, prefix);

	if (!ret)
		return 0;
	return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "address %s/%d",
			     fg_addr_text(addr, text, sizeof(text)), prefix);
}

static const struct fg_addr point_to_point4 = { .family = AF_INET, .bytes = { 169, 254, 1, 1 } };
static const struct fg_addr point_to_point6 = {
	.family = AF_INET6,
	.bytes = { 0xfe, 0x80, [15] = 1 },
};

/*
 * The gateway for addresses of this family; family 0 if there is none. The prefix of it on the
 * node comes with it.
 */
static struct fg_addr gateway_of(const struct fg_testbed_pod *pod, uint16_t family, int *prefix)
{
	struct fg_addr gateway = family == AF_INET ? pod->gateway4 : pod->gateway6;

	*prefix = 0;
	for (size_t i = 0; i < pod->address_count && !*prefix; i++)
		if (pod->addresses[i].addr.family == family)
			*prefix = pod->addresses[i].prefix;
	if (!*prefix)
		gateway.family = 0;
	else if (!gateway.family && *prefix == (family == AF_INET ? 32 : 128))
		gateway = family == AF_INET ? point_to_point4 : point_to_point6;
	return gateway;
}

/*
 * One family's route out of the pod, and the node's route back. A link-local gateway needs no route
 * of its own to it, and cannot be an address with a full prefix.
 */
static int family_wire(const struct build *b, uint16_t family, struct fg_error *err)
{
	int prefix;
	struct fg_addr gateway = gateway_of(b->pod, family, &prefix);
	bool link_local = family == AF_INET6 && gateway.bytes[0] == 0xfe &&
			  gateway.bytes[1] == 0x80;

	if (!gateway.family)
		return 0;
	if (!b->pod->bridge &&
	    address_add(b->node, b->primary, &gateway, link_local ? 64 : prefix, err))
		return -1;
	if (prefix == (int)full_prefix(&gateway) && !link_local &&
	    route_add(b->inside, b->peer, &gateway, NULL, err))
		return -1;
	return route_add(b->inside, b->peer, NULL, &gateway, err);
}

static int addresses_wire(const struct build *b, struct fg_error *err)
{
	for (size_t i = 0; i < b->pod->address_count; i++) {
		const struct fg_testbed_address *a = &b->pod->addresses[i];

		if (address_add(b->inside, b->peer, &a->addr, a->prefix, err))
			return -1;
		if (a->prefix == (int)full_prefix(&a->addr) && !b->pod->bridge &&
		    route_add(b->node, b->primary, &a->addr, NULL, err))
			return -1;
	}
	if (family_wire(b, AF_INET, err))
		return -1;
	return family_wire(b, AF_INET6, err);
}

static int bridge_create(struct nl_sock *sk, const char *name)
{
	const struct ifinfomsg ifi = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info;

	if (!msg || nlmsg_append(msg, (void *)&ifi, sizeof(ifi), NLMSG_ALIGNTO) ||
	    nla_put_string(msg, IFLA_IFNAME, name) ||
	    !(info = nla_nest_start(msg, IFLA_LINKINFO)) ||
	    nla_put_string(msg, IFLA_INFO_KIND, "bridge"))
		return -ENOMEM;
	nla_nest_end(msg, info);
	return fg_rtnl_request(sk, msg);
}

/* The gateways are the bridge's own addresses, given with the first pod on it. */
static int bridge_gateways(const struct build *b, int bridge, struct fg_error *err)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < 2; i++) {
		int prefix;
		struct fg_addr gateway = gateway_of(b->pod, families[i], &prefix);

		if (gateway.family && address_add(b->node, bridge, &gateway, prefix, err))
			return -1;
	}
	return 0;
}

static int bridge_join(const struct build *b, struct fg_error *err)
{
	struct ifinfomsg ifi = { .ifi_index = b->primary };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_SETLINK, 0);
	int ret = bridge_create(b->node, b->pod->bridge);
	bool made = !ret;
	struct fg_link bridge;

	if (ret && ret != -EEXIST)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "make bridge %s", b->pod->bridge);
	if (fg_link_get(b->node, 0, b->pod->bridge, &bridge, err))
		return -1;
	if (made && bridge_gateways(b, bridge.ifindex, err))
		return -1;
	ret = -ENOMEM;
	if (msg && !nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO) &&
	    !nla_put_u32(msg, IFLA_MASTER, (uint32_t)bridge.ifindex))
		ret = fg_rtnl_request(b->node, msg);
	if (ret)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "join bridge %s", b->pod->bridge);
	return 0;
}

static bool has_ipv6(const struct fg_testbed_pod *pod)
{
	for (size_t i = 0; i < pod->address_count; i++)
		if (pod->addresses[i].addr.family == AF_INET6)
			return true;
	return false;
}

static void ipv6_disable(const char *device)
{
	char path[100];
	FG_FD int fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", device);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	/* Failing is harmless: some multicast listener reports are then sent. */
	if (fd >= 0 && write(fd, "1", 1) != 1)
		return;
}

/* A pod without an IPv6 address sends nothing of that family, as one of a cluster without IPv6. */
static int family_limit(const struct fg_testbed_pod *pod, int netns, struct fg_error *err)
{
	int back = -1;

	if (has_ipv6(pod))
		return 0;
	if (fg_netns_enter(netns, &back, err))
		return -1;
	ipv6_disable(pod->peer);
	fg_netns_leave(&back);
	if (pod->node >= 0 && fg_netns_enter(pod->node, &back, err))
		return -1;
	ipv6_disable(pod->primary);
	if (pod->node >= 0)
		fg_netns_leave(&back);
	return 0;
}

/*
 * The end that came up first has had no carrier, and the kernel lets it send only when it gets
 * round to its notice of that (linkwatch). Until then its queueing discipline is "noop", which
 * drops. At most two seconds; more would show.
 */
static void wait_until_active(struct nl_sock *sk, int ifindex)
{
	struct fg_link link;

	for (int i = 0; i < 2000; i++) {
		if (fg_link_get(sk, ifindex, NULL, &link, NULL) || strcmp(link.qdisc, "noop"))
			return;
		poll(NULL, 0, 1);
	}
}

static int pair_make(struct build *b, int netns, struct fg_error *err)
{
	const struct fg_testbed_pod *pod = b->pod;
	const struct fg_pair pair = {
		.kind = pod->kind,
		.name = pod->primary,
		.peer_name = pod->peer,
		.peer_netns = netns,
		.mode = pod->mode,
		.drop_without_program = pod->drop_without_program,
		.mtu = pod->mtu,
	};
	int ret = fg_link_create_pair(b->node, &pair);
	struct fg_link primary, peer;

	if (ret)
		return fg_fail_errno(err, ret == -EOPNOTSUPP ? FG_ERR_UNSUPPORTED : FG_ERR_INTERNAL,
				     -ret, "make %s device %s", pod->kind, pod->primary);
	if (fg_link_get(b->node, 0, pod->primary, &primary, err) ||
	    fg_link_get(b->inside, 0, pod->peer, &peer, err))
		return -1;
	b->primary = primary.ifindex;
	b->peer = peer.ifindex;
	if (family_limit(pod, netns, err))
		return -1;
	ret = fg_link_set_up(b->node, b->primary);
	if (!ret)
		ret = fg_link_set_up(b->inside, b->peer);
	if (ret)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "set %s up", pod->primary);
	wait_until_active(b->node, b->primary);
	return 0;
}

static int pod_make(const struct fg_testbed_pod *pod, int netns, struct fg_error *err)
{
	FG_NL_SOCK struct nl_sock *node = fg_rtnl_open(pod->node, err);
	FG_NL_SOCK struct nl_sock *inside = node ? fg_rtnl_open(netns, err) : NULL;
	struct build b = { .pod = pod, .node = node, .inside = inside };

	if (!inside || pair_make(&b, netns, err))
		return -1;
	if (pod->bridge && bridge_join(&b, err))
		return -1;
	return addresses_wire(&b, err);
}

int fg_testbed_pod_add(const struct fg_testbed_pod *pod, struct fg_error *err)
{
	FG_FD int netns = fg_testbed_netns_add(pod->name, err);

	if (netns < 0)
		return -1;
	if (!pod_make(pod, netns, err))
		return 0;
	fg_error_prefix(err, "pod %s", pod->name);
	/* The pair goes with the namespace: what failed is what the caller hears of. */
	fg_testbed_netns_delete(pod->name, NULL);
	return -1;
}
