// SPDX-License-Identifier: GPL-2.0-only
/* cause/bridge.c - what a bridge's port is set to that makes it drop. */
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "cause/internal.h"

struct port {
	bool is_port, isolated, vlan_filtering;
	uint8_t state; /* BR_STATE_* */
};

static void read_slave(struct nlattr *linkinfo, struct port *port)
{
	struct nlattr *info[IFLA_INFO_MAX + 1], *p[IFLA_BRPORT_MAX + 1], *b[IFLA_BR_MAX + 1];

	if (nla_parse_nested(info, IFLA_INFO_MAX, linkinfo, NULL) < 0)
		return;
	if (info[IFLA_INFO_KIND] && !nla_strcmp(info[IFLA_INFO_KIND], "bridge") &&
	    info[IFLA_INFO_DATA] && !nla_parse_nested(b, IFLA_BR_MAX, info[IFLA_INFO_DATA], NULL) &&
	    b[IFLA_BR_VLAN_FILTERING])
		port->vlan_filtering = nla_get_u8(b[IFLA_BR_VLAN_FILTERING]);
	if (!info[IFLA_INFO_SLAVE_KIND] || nla_strcmp(info[IFLA_INFO_SLAVE_KIND], "bridge") != 0 ||
	    !info[IFLA_INFO_SLAVE_DATA] ||
	    nla_parse_nested(p, IFLA_BRPORT_MAX, info[IFLA_INFO_SLAVE_DATA], NULL) < 0)
		return;
	port->is_port = true;
	if (p[IFLA_BRPORT_STATE])
		port->state = nla_get_u8(p[IFLA_BRPORT_STATE]);
	if (p[IFLA_BRPORT_ISOLATED])
		port->isolated = nla_get_u8(p[IFLA_BRPORT_ISOLATED]);
}

static int on_link(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[IFLA_MAX + 1];

	if (nlh->nlmsg_type == RTM_NEWLINK &&
	    !nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct ifinfomsg), tb, IFLA_MAX, NULL) &&
	    tb[IFLA_LINKINFO])
		read_slave(tb[IFLA_LINKINFO], arg);
	return 0;
}

static void ask(struct nl_sock *sk, int ifindex, struct port *port)
{
	struct ifinfomsg ifi = { .ifi_index = ifindex };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, 0);

	if (msg && !nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO))
		fg_rtnl_query(sk, msg, on_link, port);
}

static const char *state_text(uint8_t state)
{
	static const char *const names[] = {
		[BR_STATE_DISABLED] = "disabled", [BR_STATE_LISTENING] = "listening",
		[BR_STATE_LEARNING] = "learning", [BR_STATE_FORWARDING] = "forwarding",
		[BR_STATE_BLOCKING] = "blocking",
	};

	return state <= BR_STATE_BLOCKING ? names[state] : "unknown";
}

/* br_forward(), br_flood(): where the port that it would leave by is chosen. */
static bool at(const struct fg_cause_place *place, const char *function)
{
	return place->symbol && !strncmp(place->symbol, function, strlen(function));
}

bool fg_cause_find_bridge(const struct fg_cause_place *place, struct fg_cause *out)
{
	int in = place->received_on ? place->received_on : place->ifindex;
	char bridge[IFNAMSIZ + 16];
	struct port port = {};
	struct fg_link link;

	if (fg_link_get(place->rtnl, in, NULL, &link, NULL) || !link.master)
		return false;
	ask(place->rtnl, in, &port);
	if (!port.is_port)
		return false;
	ask(place->rtnl, link.master, &port);
	fg_cause_device(place->rtnl, link.master, bridge);
	if (port.state != BR_STATE_FORWARDING)
		return fg_cause_set(out, FG_CAUSE_BRIDGE, "state", "port %s of bridge %s is %s",
				    link.name, bridge, state_text(port.state));
	if (place->reason && !strcmp(place->reason, "LOCAL_MAC"))
		return fg_cause_set(
			out, FG_CAUSE_BRIDGE, "loop",
			"bridge %s got a frame with its own address as the source, on port %s",
			bridge, link.name);
	/* Which of the others it was for is not known: isolated is not yet the cause. */
	if (port.isolated && at(place, "br_f"))
		return fg_cause_set(
			out, FG_CAUSE_BRIDGE, "isolated",
			"port %s of bridge %s is isolated from the other isolated ports", link.name,
			bridge);
	if (port.vlan_filtering && (at(place, "__allowed_ingress") ||
				    at(place, "br_allowed_ingress") || at(place, "br_handle_vlan")))
		return fg_cause_set(out, FG_CAUSE_BRIDGE, "vlan",
				    "bridge %s filters VLANs, and does not accept it from port %s",
				    bridge, link.name);
	return false;
}
