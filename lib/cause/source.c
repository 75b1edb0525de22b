// SPDX-License-Identifier: GPL-2.0-only
/*
 * cause/source.c - addresses that the kernel does not take from a device: the reverse path filter,
 * and martians (ip_route_input_slow(), __fib_validate_source()).
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "cause/internal.h"

/* " leads out of hdst", if the return path to the source uses another device. */
static void add_way_back(const struct fg_cause_place *place, struct fg_cause *out)
{
	struct fg_cause_place back = *place;
	struct fg_cause_route route;
	char device[IFNAMSIZ + 16];

	back.flow.dst = place->flow.src;
	back.flow.protocol = 0;
	fg_cause_route_lookup(&back, 0, 0, &route);
	if (route.error)
		fg_cause_add(out, ", and there is no route back to it");
	else if (route.ifindex != place->received_on)
		fg_cause_add(out, ", the route back to it leads out of %s",
			     fg_cause_device(place->rtnl, route.ifindex, device));
}

bool fg_cause_find_rpfilter(const struct fg_cause_place *place, struct fg_cause *out)
{
	char device[IFNAMSIZ + 16], src[FG_ADDR_TEXT_LEN];
	int in = place->received_on ? place->received_on : place->ifindex;
	struct fg_cause_place at = *place;
	long all, own;

	if (!in || place->flow.family != AF_INET)
		return false;
	at.received_on = in;
	fg_cause_device(place->rtnl, in, device);
	all = fg_cause_sysctl_conf(place, "all", "rp_filter");
	own = fg_cause_sysctl_conf(place, device, "rp_filter");
	/* The greater one holds (IN_DEV_RPFILTER). */
	if (all <= 0 && own <= 0)
		return false;
	fg_cause_set(out, FG_CAUSE_RPFILTER, all > 1 || own > 1 ? "loose" : "strict",
		     "source %s came in on %s", fg_addr_text(&place->flow.src, src, sizeof(src)),
		     device);
	add_way_back(&at, out);
	if (own >= all)
		fg_cause_put_conf(out, AF_INET, device, "rp_filter", own);
	else
		fg_cause_put_conf(out, AF_INET, "all", "rp_filter", all);
	return true;
}

static bool is_loopback(const struct fg_addr *a)
{
	return a->family == AF_INET && a->bytes[0] == 127;
}

/* 0.0.0.0/8 (RFC 1122 section 3.2.1.3), multicast, and the limited broadcast. */
static bool is_no_source(const struct fg_addr *a)
{
	static const uint8_t ones[4] = { 0xff, 0xff, 0xff, 0xff };

	if (a->family == AF_INET6)
		return a->bytes[0] == 0xff;
	return !a->bytes[0] || (a->bytes[0] & 0xf0) == 0xe0 || !memcmp(a->bytes, ones, 4);
}

static bool find_localnet(const struct fg_cause_place *place, const char *device,
			  struct fg_cause *out)
{
	bool src = is_loopback(&place->flow.src);
	char text[FG_ADDR_TEXT_LEN];
	long value;

	if (!src && !is_loopback(&place->flow.dst))
		return false;
	fg_cause_set(out, FG_CAUSE_MARTIAN, "loopback", "%s %s came in on %s",
		     src ? "source" : "destination",
		     fg_addr_text(src ? &place->flow.src : &place->flow.dst, text, sizeof(text)),
		     device);
	value = fg_cause_sysctl_conf(place, device, "route_localnet");
	if (value >= 0)
		fg_cause_put_conf(out, AF_INET, device, "route_localnet", value);
	return true;
}

bool fg_cause_find_martian(const struct fg_cause_place *place, struct fg_cause *out)
{
	int in = place->received_on ? place->received_on : place->ifindex;
	char device[IFNAMSIZ + 16], text[FG_ADDR_TEXT_LEN], where[FG_CAUSE_WHERE_LEN];
	const struct fg_flow *f = &place->flow;
	long value;

	if (!in)
		return false;
	fg_cause_device(place->rtnl, in, device);
	if (find_localnet(place, device, out))
		return true;
	if (is_no_source(&f->src))
		return fg_cause_set(out, FG_CAUSE_MARTIAN, "source",
				    "source %s, which no host can have",
				    fg_addr_text(&f->src, text, sizeof(text)));
	if (f->family == AF_INET && !f->dst.bytes[0])
		return fg_cause_set(out, FG_CAUSE_MARTIAN, "destination",
				    "destination %s, which no host can have",
				    fg_addr_text(&f->dst, text, sizeof(text)));
	if (f->family != AF_INET || fg_link_holds(place->rtnl, &f->src, NULL) <= 0)
		return false;
	fg_cause_set(out, FG_CAUSE_MARTIAN, "own-source",
		     "source %s came in on %s, but is held by %s",
		     fg_addr_text(&f->src, text, sizeof(text)), device,
		     fg_cause_where(place, where, sizeof(where)));
	value = fg_cause_sysctl_conf(place, device, "accept_local");
	if (value >= 0)
		fg_cause_put_conf(out, AF_INET, device, "accept_local", value);
	return true;
}
