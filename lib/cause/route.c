// SPDX-License-Identifier: GPL-2.0-only
/*
 * cause/route.c - what the kernel's routing says of the packet: the same look-up once more
 * (RTM_GETROUTE with the device that it came in on), forwarding, hops left, and sizes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "cause/internal.h"
#include "net/route.h"

static int read_route(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[RTA_MAX + 1], *metrics[RTAX_MAX + 1];
	const struct rtmsg *rtm = nlmsg_data(nlh);
	struct fg_cause_route *route = arg;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*rtm), tb, RTA_MAX, NULL) < 0)
		return -1;
	route->type = rtm->rtm_type;
	if (tb[RTA_OIF])
		route->ifindex = nla_get_s32(tb[RTA_OIF]);
	if (tb[RTA_GATEWAY] && nla_len(tb[RTA_GATEWAY]) <= 16) {
		route->via.family = rtm->rtm_family;
		memcpy(route->via.bytes, nla_data(tb[RTA_GATEWAY]),
		       (size_t)nla_len(tb[RTA_GATEWAY]));
	}
	if (tb[RTA_VIA] && nla_len(tb[RTA_VIA]) > (int)sizeof(struct rtvia) &&
	    nla_len(tb[RTA_VIA]) <= (int)sizeof(struct rtvia) + 16) {
		/* A gateway of the other family (RFC 5549). */
		const struct rtvia *via = nla_data(tb[RTA_VIA]);

		route->via.family = via->rtvia_family;
		memcpy(route->via.bytes, via->rtvia_addr,
		       (size_t)nla_len(tb[RTA_VIA]) - sizeof(*via));
	}
	if (tb[RTA_METRICS] && !nla_parse_nested(metrics, RTAX_MAX, tb[RTA_METRICS], NULL) &&
	    metrics[RTAX_MTU])
		route->mtu = nla_get_u32(metrics[RTAX_MTU]);
	return 0;
}

static bool has_ports(const struct fg_flow *flow)
{
	return (flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP) &&
	       !flow->later_fragment;
}

/* The parameters of the lookup, besides the devices. The kernel takes ports of TCP and UDP only. */
static int put_flow(struct nl_msg *msg, const struct fg_cause_place *place, bool source)
{
	const struct fg_flow *f = &place->flow;
	int len = fg_cause_addr_len(f->family);

	if (nla_put(msg, RTA_DST, len, f->dst.bytes) ||
	    (source && nla_put(msg, RTA_SRC, len, f->src.bytes)) ||
	    (place->mark && nla_put_u32(msg, RTA_MARK, place->mark)))
		return -1;
	if (!has_ports(f))
		return 0;
	if (nla_put_u8(msg, RTA_IP_PROTO, f->protocol) ||
	    nla_put_u16(msg, RTA_SPORT, htons(f->sport)) ||
	    nla_put_u16(msg, RTA_DPORT, htons(f->dport)))
		return -1;
	return 0;
}

void fg_cause_route_lookup(const struct fg_cause_place *place, int iif, int oif,
			   struct fg_cause_route *out)
{
	uint8_t bits = (uint8_t)(fg_cause_addr_len(place->flow.family) * 8);
	/* Without a device that it came in on, the kernel takes only sources of its own. */
	bool source = iif != 0;
	/* The lower two bits are not for routing (RFC 3168). */
	struct rtmsg rtm = { .rtm_family = (uint8_t)place->flow.family,
			     .rtm_dst_len = bits,
			     .rtm_src_len = source ? bits : 0,
			     .rtm_tos = place->tos & 0xfc };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);

	*out = (struct fg_cause_route){ .error = -ENOMEM };
	if (!msg || nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO) ||
	    put_flow(msg, place, source) || (iif && nla_put_u32(msg, RTA_IIF, (uint32_t)iif)) ||
	    (oif && nla_put_u32(msg, RTA_OIF, (uint32_t)oif)))
		return;
	out->error = fg_rtnl_query(place->rtnl, msg, read_route, out);
}

void fg_cause_route_onward(const struct fg_cause_place *place, struct fg_cause_route *out)
{
	int last = place->ifindex;

	if (place->received_on) {
		fg_cause_route_lookup(place, place->received_on, 0, out);
		/* After the lookup the packet is on the device of the route. */
		if (!out->error && (last == place->received_on || last == out->ifindex))
			return;
	}
	/* Its source may have been translated since: then only the destination counts. */
	fg_cause_route_lookup(place, 0, last == place->received_on ? 0 : last, out);
}

/*
 * Which setting keeps the packet from being forwarded; NULL: none does. IPv4 asks the receiving
 * device (IN_DEV_FORWARD), IPv6 the namespace, unless the device is forced (Linux 6.17).
 */
static const char *forwarding_off(const struct fg_cause_place *place, const char *device)
{
	bool all_off = fg_cause_sysctl_conf(place, "all", "forwarding") == 0;

	if (place->flow.family == AF_INET6)
		return all_off && fg_cause_sysctl_conf(place, device, "force_forwarding") <= 0
			       ? "all"
			       : NULL;
	if (fg_cause_sysctl_conf(place, device, "forwarding") != 0)
		return NULL;
	return all_off ? "all" : device;
}

bool fg_cause_find_forwarding(const struct fg_cause_place *place, struct fg_cause *out)
{
	char device[IFNAMSIZ + 16], where[FG_CAUSE_WHERE_LEN];
	bool ipv4 = place->flow.family == AF_INET;
	const char *of;

	if (!place->received_on)
		return false;
	fg_cause_device(place->rtnl, place->received_on, device);
	of = forwarding_off(place, device);
	if (!of)
		return false;
	fg_cause_set(out, FG_CAUSE_FORWARDING, NULL, "%s does not forward %s%s%s",
		     fg_cause_where(place, where, sizeof(where)), ipv4 ? "IPv4" : "IPv6",
		     of == device ? " from " : "", of == device ? device : "");
	/* What sysctl(8) and people call net.ipv4.conf.all.forwarding. */
	if (ipv4 && of != device)
		fg_cause_set_setting(out, 0, "net.ipv4.ip_forward");
	else
		fg_cause_put_conf(out, place->flow.family, of, "forwarding", 0);
	return true;
}

bool fg_cause_find_route(const struct fg_cause_place *place, struct fg_cause *out)
{
	struct fg_cause_route route;
	struct fg_cause found = {};

	/*
	 * Without forwarding every address of others is "unreachable" for IPv4. IPv6 looks for a
	 * route all the same, and asks later.
	 */
	if ((place->flow.family == AF_INET ||
	     (place->reason && !strcmp(place->reason, "IP_INADDRERRORS"))) &&
	    fg_cause_find_forwarding(place, out))
		return true;
	fg_cause_route_lookup(place, place->received_on, 0, &route);
	/* A route of type throw is skipped, and so is an unknown type. */
	if (route.error == 0 || !fg_cause_rule_find(place, route.error, &found))
		return false;
	*out = found;
	return true;
}

/* BPF programs of the route itself (encap bpf). */
bool fg_cause_find_program(const struct fg_cause_place *place, struct fg_cause *out)
{
	const struct fg_route_query query = { .dst = place->flow.dst };
	char dst[FG_ADDR_TEXT_LEN];
	struct fg_route route;

	if (fg_route_lookup(place->rtnl, &query, &route) || !route.programs[0])
		return false;
	return fg_cause_set(out, FG_CAUSE_ROUTE, "program", "%s, on the route to %s",
			    route.programs, fg_addr_text(&place->flow.dst, dst, sizeof(dst)));
}

void fg_cause_of_lookup(const struct fg_cause_place *place, int error, struct fg_cause *out)
{
	char dst[FG_ADDR_TEXT_LEN];

	fg_addr_text(&place->flow.dst, dst, sizeof(dst));
	if (error == -EADDRNOTAVAIL)
		fg_cause_set(out, FG_CAUSE_ROUTE, "no-source", "no source address for %s", dst);
	else if (!fg_cause_rule_find(place, error, out))
		fg_cause_set(out, FG_CAUSE_ROUTE, NULL, "route to %s: %s", dst, strerror(-error));
}

bool fg_cause_find_ttl(const struct fg_cause_place *place, struct fg_cause *out)
{
	bool ipv4 = place->flow.family == AF_INET;
	char where[FG_CAUSE_WHERE_LEN];

	if (!place->hops || place->hops > 1)
		return false;
	return fg_cause_set(out, FG_CAUSE_TTL, NULL, "%s %u on arrival in %s",
			    ipv4 ? "TTL" : "hop limit", place->hops,
			    fg_cause_where(place, where, sizeof(where)));
}

bool fg_cause_find_mtu(const struct fg_cause_place *place, struct fg_cause *out)
{
	char device[IFNAMSIZ + 16], dst[FG_ADDR_TEXT_LEN], size[32] = "the packet";
	struct fg_cause_route route;
	struct fg_link link;
	uint32_t mtu;

	fg_cause_route_onward(place, &route);
	if (route.error || fg_link_get(place->rtnl, route.ifindex, NULL, &link, NULL))
		return false;
	mtu = route.mtu && route.mtu < link.mtu ? route.mtu : link.mtu;
	/* Known to be too big, or by the kernel's word. */
	if (place->length ? place->length <= mtu
			  : !place->reason || strcmp(place->reason, "PKT_TOO_BIG") != 0)
		return false;
	if (place->length)
		snprintf(size, sizeof(size), "%u bytes", place->length);
	fg_cause_device(place->rtnl, route.ifindex, device);
	fg_addr_text(&place->flow.dst, dst, sizeof(dst));
	if (mtu < link.mtu)
		return fg_cause_set(out, FG_CAUSE_MTU, "route",
				    "%s to %s, the route's MTU is %u (%s has %u)", size, dst, mtu,
				    device, link.mtu);
	return fg_cause_set(out, FG_CAUSE_MTU, "device", "%s to %s, the MTU of %s is %u", size, dst,
			    device, mtu);
}
