// SPDX-License-Identifier: GPL-2.0-only
#include "net/route.h"

#include <errno.h>
#include <linux/lwtunnel.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/socket.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"

/* Lightweight tunnels by BPF programs (bpf_encap_nlattrs): each has a name. */
static void read_programs(struct nlattr *tb[], struct fg_route *route)
{
	static const int hooks[] = { LWT_BPF_IN, LWT_BPF_OUT, LWT_BPF_XMIT };
	struct nlattr *encap[LWT_BPF_MAX + 1], *program[LWT_BPF_PROG_MAX + 1];

	if (!tb[RTA_ENCAP_TYPE] || nla_get_u16(tb[RTA_ENCAP_TYPE]) != LWTUNNEL_ENCAP_BPF ||
	    !tb[RTA_ENCAP] || nla_parse_nested(encap, LWT_BPF_MAX, tb[RTA_ENCAP], NULL) < 0)
		return;
	for (size_t i = 0; i < COUNT(hooks); i++) {
		size_t len = strlen(route->programs);

		if (!encap[hooks[i]] ||
		    nla_parse_nested(program, LWT_BPF_PROG_MAX, encap[hooks[i]], NULL) < 0)
			continue;
		snprintf(route->programs + len, sizeof(route->programs) - len, "%s%.40s",
			 len ? ", " : "",
			 program[LWT_BPF_PROG_NAME] ? nla_get_string(program[LWT_BPF_PROG_NAME])
						    : "a program without a name");
	}
}

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
	read_programs(tb, route);
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

/* The protocols that the kernel can be asked about (rtm_getroute_parse_ip_proto()). */
bool fg_route_knows_protocol(uint16_t family, uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
	       protocol == (family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static int put_flow(struct nl_msg *msg, const struct fg_route_query *q)
{
	int len = addr_len(&q->dst);

	if (nla_put(msg, RTA_DST, len, q->dst.bytes) ||
	    (q->src.family && nla_put(msg, RTA_SRC, len, q->src.bytes)) ||
	    (q->iif && nla_put_u32(msg, RTA_IIF, (uint32_t)q->iif)) ||
	    (q->oif && nla_put_u32(msg, RTA_OIF, (uint32_t)q->oif)))
		return -1;
	if (!fg_route_knows_protocol(q->dst.family, q->protocol))
		return 0;
	return nla_put_u8(msg, RTA_IP_PROTO, q->protocol) ||
			       (q->sport && nla_put_u16(msg, RTA_SPORT, htons(q->sport))) ||
			       (q->dport && nla_put_u16(msg, RTA_DPORT, htons(q->dport)))
		       ? -1
		       : 0;
}

int fg_route_ask(struct nl_sock *sk, const struct fg_route_query *query, uint32_t flags,
		 fg_rtnl_cb cb, void *arg)
{
	uint8_t bits = (uint8_t)(addr_len(&query->dst) * 8);
	struct rtmsg rtm = { .rtm_family = (uint8_t)query->dst.family,
			     .rtm_dst_len = bits,
			     .rtm_src_len = query->src.family ? bits : 0,
			     /* The lower two bits are not for routing (RFC 3168). */
			     .rtm_tos = query->tos & 0xfc,
			     .rtm_flags = flags };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);

	if (!msg || nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO) || put_flow(msg, query))
		return -ENOMEM;
	return fg_rtnl_query(sk, msg, cb, arg);
}

int fg_route_lookup(struct nl_sock *sk, const struct fg_route_query *query, struct fg_route *out)
{
	struct fg_route route = {};
	int ret = fg_route_ask(sk, query, 0, read_route, &route);

	/* An answer without a route is none. */
	if (!ret && route.type == RTN_UNSPEC)
		ret = -ENODATA;
	if (!ret)
		*out = route;
	return ret;
}

int fg_route_default(struct nl_sock *sk, uint16_t family, struct fg_route *out)
{
	/* Addresses for documentation (RFC 5737, RFC 3849): only a default route leads to them. */
	static const struct fg_route_query somewhere[] = {
		{ .dst = { .family = AF_INET, .bytes = { 192, 0, 2, 1 } } },
		{ .dst = { .family = AF_INET6, .bytes = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } } },
	};

	return fg_route_lookup(sk, &somewhere[family == AF_INET6], out);
}

struct default_devices {
	int *devices;
	int count, max;
};

static void add_device(struct default_devices *d, int ifindex)
{
	for (int i = 0; i < d->count && i < d->max; i++)
		if (d->devices[i] == ifindex)
			return;
	if (d->count < d->max)
		d->devices[d->count] = ifindex;
	d->count++;
}

static int on_default(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = nlmsg_data(nlh);
	struct default_devices *d = arg;
	struct nlattr *tb[RTA_MAX + 1];

	if (nlh->nlmsg_type != RTM_NEWROUTE || rtm->rtm_dst_len || rtm->rtm_type != RTN_UNICAST)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*rtm), tb, RTA_MAX, NULL) < 0)
		return -1;
	if (tb[RTA_OIF])
		add_device(d, nla_get_s32(tb[RTA_OIF]));
	if (!tb[RTA_MULTIPATH])
		return 0;
	for (const struct rtnexthop *hop = nla_data(tb[RTA_MULTIPATH]);
	     (const char *)(hop + 1) <=
	     (const char *)nla_data(tb[RTA_MULTIPATH]) + nla_len(tb[RTA_MULTIPATH]);
	     hop = RTNH_NEXT(hop)) {
		if (hop->rtnh_len < sizeof(*hop))
			break;
		add_device(d, hop->rtnh_ifindex);
	}
	return 0;
}

int fg_route_default_devices(struct nl_sock *sk, uint16_t family, int *devices, int max)
{
	struct default_devices found = { .devices = devices, .max = max };
	struct rtmsg rtm = { .rtm_family = (uint8_t)family };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_DUMP);
	int ret;

	if (!msg || nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO))
		return -ENOMEM;
	ret = fg_rtnl_query(sk, msg, on_default, &found);
	return ret ? ret : found.count;
}

int fg_route_lookup_from(struct nl_sock *sk, const struct fg_addr *dst, const struct fg_addr *src,
			 int iif, struct fg_route *out)
{
	const struct fg_route_query received = { .src = *src, .dst = *dst, .iif = iif };
	const struct fg_route_query sent = { .dst = *dst };

	return fg_route_lookup(sk, &received, out) ? fg_route_lookup(sk, &sent, out) : 0;
}

/* What is not what its tables say: it could not answer. */
static bool is_no_answer(int ret)
{
	return ret == -ENOMEM || ret == -ENOBUFS || ret == -EIO || ret == -EINTR || ret == -EPERM ||
	       ret == -EPROTO;
}

int fg_route_is_local(struct nl_sock *sk, const struct fg_addr *addr, struct fg_error *err)
{
	const struct fg_route_query query = { .dst = *addr };
	struct fg_route route;
	int ret = fg_route_lookup(sk, &query, &route);

	if (is_no_answer(ret))
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "look a route up");
	return !ret && route.type == RTN_LOCAL;
}

/* As `ip route get` shows it. */
const char *fg_route_text(struct nl_sock *sk, const struct fg_addr *dst,
			  const struct fg_route *route, char *buf, size_t size)
{
	char to[FG_ADDR_TEXT_LEN], via[FG_ADDR_TEXT_LEN];
	struct fg_link link = { .name = "?" };

	fg_addr_text(dst, to, sizeof(to));
	fg_link_get(sk, route->ifindex, NULL, &link, NULL);
	if (route->via.family)
		snprintf(buf, size, "%s via %s dev %s", to,
			 fg_addr_text(&route->via, via, sizeof(via)), link.name);
	else
		snprintf(buf, size, "%s%s dev %s", route->type == RTN_LOCAL ? "local " : "", to,
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

int fg_route_neighbour(struct nl_sock *sk, int ifindex, const struct fg_addr *addr, uint8_t mac[6])
{
	struct neighbour n = { .ifindex = ifindex, .addr = addr };

	if (neighbour_get(sk, &n) || !neighbour_known(&n))
		return -1;
	memcpy(mac, n.mac, 6);
	return 0;
}

/*
 * Lets the kernel resolve the neighbour, and waits for its notice. The watcher is a socket of its
 * own, open before the request, so that no notice is missed.
 */
static int neighbour_resolve(struct nl_sock *sk, int netns_fd, struct neighbour *n,
			     uint64_t timeout_ns)
{
	FG_NL_SOCK struct nl_sock *watch = fg_rtnl_open(netns_fd, NULL);
	FG_NL_MSG struct nl_msg *use =
		neighbour_message(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, n, NTF_USE);
	uint64_t end = fg_clock_now() + timeout_ns, now;
	int ret;

	if (!watch || !use || nl_socket_add_memberships(watch, RTNLGRP_NEIGH, 0))
		return -ENOMEM;
	nl_socket_set_nonblocking(watch);
	ret = fg_rtnl_request(sk, use);
	while (!ret && !(ret = neighbour_get(sk, n)) && !neighbour_known(n) &&
	       !(n->state & NUD_FAILED) && (now = fg_clock_now()) < end) {
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

static int resolve_address(struct nl_sock *sk, int netns_fd, const struct fg_link *link,
			   const struct fg_addr *dst, const struct fg_route *route,
			   uint64_t timeout_ns, uint8_t mac[6], struct fg_error *err)
{
	const struct fg_addr *hop = route->via.family ? &route->via : dst;
	struct neighbour n = { .ifindex = link->ifindex, .addr = hop };
	char text[FG_ADDR_TEXT_LEN], way[160];
	int ret = neighbour_get(sk, &n);

	if (!ret && !neighbour_known(&n) && timeout_ns)
		ret = neighbour_resolve(sk, netns_fd, &n, timeout_ns);
	fg_addr_text(hop, text, sizeof(text));
	if (ret)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "neighbour %s on %s", text,
				     link->name);
	if (!neighbour_known(&n)) {
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"next hop %s on %s does not answer for its address (route: %s)", text,
			link->name, fg_route_text(sk, dst, route, way, sizeof(way)));
		return fg_hint(
			err, "the pod itself could not send this packet now; see 'ip neigh' in it");
	}
	memcpy(mac, n.mac, 6);
	return 0;
}

int fg_route_next_hop(struct nl_sock *sk, int netns_fd, const struct fg_link *link,
		      const struct fg_addr *dst, const struct fg_route *route, uint64_t timeout_ns,
		      uint8_t mac[6], struct fg_error *err)
{
	char text[160];

	fg_route_text(sk, dst, route, text, sizeof(text));
	if (route->type == RTN_LOCAL) {
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"the destination is the pod's own address: nothing leaves it (route: %s)",
			text);
		return fg_hint(err, "the pod's own packets to it stay in the pod");
	}
	if (route->type == RTN_BROADCAST) {
		memset(mac, 0xff, 6);
		return 0;
	}
	if (route->type == RTN_MULTICAST) {
		multicast_mac(dst, mac);
		return 0;
	}
	if (link->flags & IFF_NOARP) {
		memcpy(mac, link->mac, 6);
		return 0;
	}
	return resolve_address(sk, netns_fd, link, dst, route, timeout_ns, mac, err);
}
