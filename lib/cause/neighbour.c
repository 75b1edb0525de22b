// SPDX-License-Identifier: GPL-2.0-only
/*
 * cause/neighbour.c - the next hop's link-layer address: whose answer is waited for, and an entry
 * that is not true any more.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "cause/internal.h"

struct entry {
	const struct fg_addr *addr;
	int ifindex;
	uint16_t state; /* NUD_*; 0: there is no entry */
	bool has_mac;
	uint8_t mac[6];
};

static int read_entry(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *ndm = nlmsg_data(nlh);
	struct nlattr *tb[NDA_MAX + 1];
	struct entry *e = arg;

	if (nlh->nlmsg_type != RTM_NEWNEIGH)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*ndm), tb, NDA_MAX, NULL) < 0)
		return -1;
	e->state = ndm->ndm_state;
	e->has_mac = tb[NDA_LLADDR] && nla_len(tb[NDA_LLADDR]) == 6;
	if (e->has_mac)
		memcpy(e->mac, nla_data(tb[NDA_LLADDR]), 6);
	return 0;
}

static void ask(struct nl_sock *sk, struct entry *e)
{
	struct ndmsg ndm = { .ndm_family = (uint8_t)e->addr->family, .ndm_ifindex = e->ifindex };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETNEIGH, 0);

	if (msg && !nlmsg_append(msg, &ndm, sizeof(ndm), NLMSG_ALIGNTO) &&
	    !nla_put(msg, NDA_DST, fg_cause_addr_len(e->addr->family), e->addr->bytes))
		fg_rtnl_query(sk, msg, read_entry, e);
}

static const char *state_text(uint16_t state)
{
	return state & NUD_INCOMPLETE  ? "incomplete"
	       : state & NUD_FAILED    ? "failed"
	       : state & NUD_STALE     ? "stale"
	       : state & NUD_REACHABLE ? "reachable"
	       : state & NUD_DELAY     ? "delay"
	       : state & NUD_PROBE     ? "probe"
	       : state & NUD_PERMANENT ? "permanent"
	       : state & NUD_NOARP     ? "noarp"
				       : "none";
}

static bool is_full(const struct fg_cause_place *place)
{
	return place->reason && !strcmp(place->reason, "NEIGH_QUEUEFULL");
}

static bool find_full(const struct fg_cause_place *place, const char *addr, const char *device,
		      struct fg_cause *out)
{
	char path[128];
	long value;

	fg_cause_set(out, FG_CAUSE_NEIGHBOUR, "queue-full",
		     "too many packets wait for the address of neighbour %s on %s", addr, device);
	snprintf(path, sizeof(path), "/proc/sys/net/%s/neigh/%.16s/unres_qlen_bytes",
		 place->flow.family == AF_INET ? "ipv4" : "ipv6", device);
	value = fg_cause_sysctl(place, path);
	if (value >= 0)
		fg_cause_set_setting(out, value, "net.%s.neigh.%s.unres_qlen_bytes",
				     place->flow.family == AF_INET ? "ipv4" : "ipv6", device);
	return true;
}

bool fg_cause_find_neighbour(const struct fg_cause_place *place, struct fg_cause *out)
{
	char addr[FG_ADDR_TEXT_LEN], device[IFNAMSIZ + 16];
	struct fg_cause_route route;
	struct entry e;

	fg_cause_route_onward(place, &route);
	if (route.error || !route.ifindex)
		return false;
	e = (struct entry){ .ifindex = route.ifindex,
			    .addr = route.via.family ? &route.via : &place->flow.dst };
	ask(place->rtnl, &e);
	fg_addr_text(e.addr, addr, sizeof(addr));
	fg_cause_device(place->rtnl, route.ifindex, device);
	if (is_full(place))
		return find_full(place, addr, device, out);
	/* It has an address by now: what was waited for has come. */
	if (e.state && !(e.state & (NUD_INCOMPLETE | NUD_FAILED)))
		return false;
	/* An entry that failed is soon removed; but its absence alone proves nothing. */
	if (!e.state && !place->reason && !place->symbol)
		return false;
	fg_cause_set(out, FG_CAUSE_NEIGHBOUR, e.state ? state_text(e.state) : "failed",
		     "%s %s on %s does not answer", route.via.family ? "gateway" : "neighbour",
		     addr, device);
	if (e.state)
		fg_cause_add(out, " (%s)", e.state & NUD_FAILED ? "FAILED" : "INCOMPLETE");
	return true;
}

static const char *mac_text(const uint8_t mac[6], char buf[18])
{
	snprintf(buf, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	return buf;
}

/*
 * Compares the sender's entry for the destination, or for the next hop, with the address that the
 * receiving device really has.
 */
static bool find_stale(const struct fg_cause_place *place, const struct fg_link *receiver,
		       struct fg_cause *out)
{
	struct fg_cause_place from = *place;
	char addr[FG_ADDR_TEXT_LEN], device[IFNAMSIZ + 16], has[18], is[18];
	struct fg_cause_route route;
	struct entry e;

	from.rtnl = place->from_rtnl;
	fg_cause_route_lookup(&from, 0, place->from_ifindex, &route);
	if (route.error)
		return false;
	e = (struct entry){ .ifindex = place->from_ifindex,
			    .addr = route.via.family ? &route.via : &place->flow.dst };
	ask(place->from_rtnl, &e);
	if (!e.has_mac || !memcmp(e.mac, receiver->mac, 6))
		return false;
	fg_addr_text(e.addr, addr, sizeof(addr));
	fg_cause_device(place->from_rtnl, place->from_ifindex, device);
	fg_cause_set(out, FG_CAUSE_NEIGHBOUR, "stale",
		     "the neighbour entry for %s on %s says %s (%s), but %s has %s", addr, device,
		     mac_text(e.mac, has), state_text(e.state), receiver->name,
		     mac_text(receiver->mac, is));
	return true;
}

bool fg_cause_find_otherhost(const struct fg_cause_place *place, struct fg_cause *out)
{
	struct fg_link receiver;
	char mac[18];

	if (fg_link_get(place->rtnl, place->ifindex, NULL, &receiver, NULL))
		return false;
	if (place->from_rtnl && place->from_ifindex && find_stale(place, &receiver, out))
		return true;
	return fg_cause_set(out, FG_CAUSE_NEIGHBOUR, "other-address",
			    "the frame is not addressed to %s, whose address is %s", receiver.name,
			    mac_text(receiver.mac, mac));
}
