// SPDX-License-Identifier: GPL-2.0-only
#include "route.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int addr_len(const struct fg_addr *addr)
{
	return addr->family == AF_INET ? 4 : 16;
}

static void read_addr(struct fg_addr *out, uint16_t family, const void *bytes, int len)
{
	memset(out, 0, sizeof(*out));
	if (len != 4 && len != 16)
		return;
	out->family = family;
	memcpy(out->bytes, bytes, (size_t)len);
}

static int read_route(const struct nlmsghdr *nlh, void *arg)
{
	struct fg_route *route = arg;
	const struct rtmsg *rtm = nlmsg_data(nlh);
	struct nlattr *tb[RTA_MAX + 1];

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*rtm), tb, RTA_MAX, NULL) < 0)
		return -1;
	route->type = rtm->rtm_type;
	if (tb[RTA_OIF])
		route->ifindex = nla_get_s32(tb[RTA_OIF]);
	if (tb[RTA_GATEWAY])
		read_addr(&route->via, rtm->rtm_family, nla_data(tb[RTA_GATEWAY]),
			  nla_len(tb[RTA_GATEWAY]));
	if (tb[RTA_VIA]) {
		/* A gateway of the other family (RFC 5549). */
		const struct rtvia *via = nla_data(tb[RTA_VIA]);

		read_addr(&route->via, via->rtvia_family, via->rtvia_addr,
			  nla_len(tb[RTA_VIA]) - (int)sizeof(*via));
	}
	if (tb[RTA_PREFSRC])
		read_addr(&route->from, rtm->rtm_family, nla_data(tb[RTA_PREFSRC]),
			  nla_len(tb[RTA_PREFSRC]));
	if (tb[RTA_METRICS]) {
		struct nlattr *metrics[RTAX_MAX + 1];

		if (!nla_parse_nested(metrics, RTAX_MAX, tb[RTA_METRICS], NULL) &&
		    metrics[RTAX_MTU])
			route->mtu = nla_get_u32(metrics[RTAX_MTU]);
	}
	return 0;
}

int fg_route_lookup(struct nl_sock *sk, const struct fg_addr *dst, const struct fg_addr *src,
		    struct fg_route *out)
{
	struct rtmsg rtm = { .rtm_family = (uint8_t)dst->family,
			     .rtm_dst_len = (uint8_t)(addr_len(dst) * 8) };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);
	struct fg_route route = {};
	int ret;

	if (src && src->family)
		rtm.rtm_src_len = rtm.rtm_dst_len;
	if (!msg || nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO) ||
	    nla_put(msg, RTA_DST, addr_len(dst), dst->bytes))
		return -ENOMEM;
	if (src && src->family && nla_put(msg, RTA_SRC, addr_len(src), src->bytes))
		return -ENOMEM;
	ret = fg_rtnl_query(sk, msg, read_route, &route);
	if (!ret)
		*out = route;
	return ret;
}

const char *fg_route_text(struct nl_sock *sk, const struct fg_addr *dst, const struct fg_addr *src,
			  char *buf, size_t size)
{
	char to[FG_ADDR_TEXT_LEN], via[FG_ADDR_TEXT_LEN];
	struct fg_route route;
	struct fg_link link = {};
	int ret = fg_route_lookup(sk, dst, src, &route);

	fg_addr_text(dst, to, sizeof(to));
	if (ret) {
		snprintf(buf, size, "%s: %s", to, strerror(-ret));
		return buf;
	}
	fg_link_get(sk, route.ifindex, NULL, &link, NULL);
	if (route.via.family)
		snprintf(buf, size, "%s via %s dev %s", to,
			 fg_addr_text(&route.via, via, sizeof(via)), link.name);
	else
		snprintf(buf, size, "%s%s dev %s", route.type == RTN_LOCAL ? "local " : "", to,
			 link.name);
	return buf;
}

struct neighbour {
	int ifindex;
	const struct fg_addr *addr;
	uint16_t state; /* NUD_* */
	bool has_mac;
	uint8_t mac[6];
};

static int read_neighbour(const struct nlmsghdr *nlh, void *arg)
{
	struct neighbour *n = arg;
	const struct ndmsg *ndm = nlmsg_data(nlh);
	struct nlattr *tb[NDA_MAX + 1];

	if (nlh->nlmsg_type != RTM_NEWNEIGH || ndm->ndm_ifindex != n->ifindex ||
	    ndm->ndm_family != n->addr->family)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*ndm), tb, NDA_MAX, NULL) < 0)
		return -1;
	if (!tb[NDA_DST] || nla_len(tb[NDA_DST]) != addr_len(n->addr) ||
	    memcmp(nla_data(tb[NDA_DST]), n->addr->bytes, (size_t)nla_len(tb[NDA_DST])))
		return 0;
	n->state = ndm->ndm_state;
	n->has_mac = tb[NDA_LLADDR] && nla_len(tb[NDA_LLADDR]) == 6;
	if (n->has_mac)
		memcpy(n->mac, nla_data(tb[NDA_LLADDR]), 6);
	return 0;
}

static struct nl_msg *neighbour_message(int type, int flags, const struct neighbour *n, uint8_t ntf)
{
	const struct ndmsg ndm = { .ndm_family = (uint8_t)n->addr->family,
				   .ndm_ifindex = n->ifindex,
				   .ndm_flags = ntf };
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && (nlmsg_append(msg, (void *)&ndm, sizeof(ndm), NLMSG_ALIGNTO) ||
		    nla_put(msg, NDA_DST, addr_len(n->addr), n->addr->bytes))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static bool neighbour_known(const struct neighbour *n)
{
	return n->has_mac && (n->state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE |
					  NUD_PERMANENT | NUD_NOARP));
}

static int neighbour_get(struct nl_sock *sk, struct neighbour *n)
{
	FG_NL_MSG struct nl_msg *msg = neighbour_message(RTM_GETNEIGH, 0, n, 0);
	int ret;

	n->state = 0;
	n->has_mac = false;
	ret = msg ? fg_rtnl_query(sk, msg, read_neighbour, n) : -ENOMEM;
	return ret == -ENOENT ? 0 : ret;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/*
 * Lets the kernel resolve the neighbour, and waits for its notice. The watcher is a socket of its own, open
 * before the request, so that no notice is missed.
 */
static int neighbour_resolve(struct nl_sock *sk, int netns_fd, struct neighbour *n,
			     uint64_t timeout_ns)
{
	FG_NL_SOCK struct nl_sock *watch = fg_rtnl_open(netns_fd, NULL);
	FG_NL_MSG struct nl_msg *use =
		neighbour_message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, n, NTF_USE);
	uint64_t end = now_ns() + timeout_ns, now;
	int ret;

	if (!watch || !use || nl_socket_add_memberships(watch, RTNLGRP_NEIGH, 0))
		return -ENOMEM;
	nl_socket_set_nonblocking(watch);
	ret = fg_rtnl_request(sk, use);
	while (!ret && !(ret = neighbour_get(sk, n)) && !neighbour_known(n) &&
	       !(n->state & NUD_FAILED) && (now = now_ns()) < end) {
		struct pollfd p = { .fd = nl_socket_get_fd(watch), .events = POLLIN };
		char buf[8192];

		/* The notice only says when to look; what it says is read from the table. */
		if (poll(&p, 1, (int)((end - now) / 1000000) + 1) > 0)
			while (recv(p.fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
				;
	}
	return ret;
}

static void multicast_mac(const struct fg_addr *dst, uint8_t mac[6])
{
	if (dst->family == AF_INET) {
		/* RFC 1112 section 6.4 */
		const uint8_t low[6] = { 0x01,		0x00,	      0x5e, dst->bytes[1] & 0x7f,
					 dst->bytes[2], dst->bytes[3] };

		memcpy(mac, low, 6);
	} else {
		/* RFC 2464 section 7 */
		mac[0] = mac[1] = 0x33;
		memcpy(mac + 2, dst->bytes + 12, 4);
	}
}

static int fail_no_route(struct nl_sock *sk, const struct fg_addr *dst, const struct fg_addr *src,
			 const char *why, struct fg_error *err)
{
	char text[160];

	fg_fail(err, FG_ERR_UNSUPPORTED, "%s (route: %s)", why,
		fg_route_text(sk, dst, src, text, sizeof(text)));
	return fg_hint(err, "the pod itself could not send this packet; check 'ip route' in it");
}

static int resolve_address(struct nl_sock *sk, int netns_fd, const struct fg_link *link,
			   const struct fg_addr *hop, const char *route_text, uint64_t timeout_ns,
			   uint8_t mac[6], struct fg_error *err)
{
	struct neighbour n = { .ifindex = link->ifindex, .addr = hop };
	char text[FG_ADDR_TEXT_LEN];
	int ret = neighbour_get(sk, &n);

	if (!ret && !neighbour_known(&n))
		ret = neighbour_resolve(sk, netns_fd, &n, timeout_ns);
	fg_addr_text(hop, text, sizeof(text));
	if (ret)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "neighbour %s on %s", text,
				     link->name);
	if (!neighbour_known(&n)) {
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"next hop %s on %s does not answer for its address (route: %s)", text,
			link->name, route_text);
		return fg_hint(
			err, "the pod itself could not send this packet now; see 'ip neigh' in it");
	}
	memcpy(mac, n.mac, 6);
	return 0;
}

int fg_route_next_hop(struct nl_sock *sk, int netns_fd, const struct fg_link *link,
		      const struct fg_addr *dst, const struct fg_addr *src, uint64_t timeout_ns,
		      uint8_t mac[6], struct fg_error *err)
{
	struct fg_route route;
	char text[160];
	int ret = fg_route_lookup(sk, dst, src, &route);

	if (ret)
		return fail_no_route(sk, dst, src, "the pod has no route to the destination", err);
	if (route.type == RTN_LOCAL)
		return fail_no_route(sk, dst, src,
				     "the destination is the pod's own address: nothing leaves it",
				     err);
	if (route.ifindex != link->ifindex)
		return fail_no_route(sk, dst, src,
				     "the route leaves the pod through another device", err);
	if (route.type == RTN_BROADCAST) {
		memset(mac, 0xff, 6);
		return 0;
	}
	if (route.type == RTN_MULTICAST) {
		multicast_mac(dst, mac);
		return 0;
	}
	if (link->flags & IFF_NOARP) {
		memcpy(mac, link->mac, 6);
		return 0;
	}
	fg_route_text(sk, dst, src, text, sizeof(text));
	return resolve_address(sk, netns_fd, link, route.via.family ? &route.via : dst, text,
			       timeout_ns, mac, err);
}
