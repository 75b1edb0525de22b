// SPDX-License-Identifier: GPL-2.0-only
/* cause/find.c - which finder looks at which end: by the kernel's reason, and by the place. */
#include "cause/find.h"

#include <errno.h>
#include <string.h>

#include "base/count.h"
#include "cause/internal.h"

typedef bool (*finder)(const struct fg_cause_place *place, struct fg_cause *out);

/* If the kernel has a reason of its own. */
static const struct {
	const char *reason;
	finder find;
} by_reason[] = {
	{ "IP_RPFILTER", fg_cause_find_rpfilter },
	{ "IP_INNOROUTES", fg_cause_find_route },
	{ "IP_OUTNOROUTES", fg_cause_find_route },
	{ "IP_INADDRERRORS", fg_cause_find_route },
	{ "IP_LOCAL_SOURCE", fg_cause_find_martian },
	{ "IP_INVALID_SOURCE", fg_cause_find_martian },
	{ "IP_INVALID_DEST", fg_cause_find_martian },
	{ "IP_LOCALNET", fg_cause_find_martian },
	{ "PKT_TOO_BIG", fg_cause_find_mtu },
	{ "NEIGH_FAILED", fg_cause_find_neighbour },
	{ "NEIGH_QUEUEFULL", fg_cause_find_neighbour },
	{ "NEIGH_DEAD", fg_cause_find_neighbour },
	{ "OTHERHOST", fg_cause_find_otherhost },
	{ "NO_SOCKET", fg_cause_find_listener },
	{ "SOCKET_FILTER", fg_cause_find_filter },
	{ "SECURITY_HOOK", fg_cause_find_lsm },
	{ "SOCKET_RCVBUFF", fg_cause_find_full },
	{ "SOCKET_BACKLOG", fg_cause_find_full },
	{ "TCP_LISTEN_OVERFLOW", fg_cause_find_full },
	{ "PROTO_MEM", fg_cause_find_memory },
	{ "XFRM_POLICY", fg_cause_find_xfrm },
	{ "QDISC_DROP", fg_cause_find_qdisc },
	{ "QDISC_OVERLIMIT", fg_cause_find_qdisc },
	{ "QDISC_CONGESTED", fg_cause_find_qdisc },
	{ "CAKE_FLOOD", fg_cause_find_qdisc },
	{ "FQ_BAND_LIMIT", fg_cause_find_qdisc },
	{ "FQ_HORIZON_LIMIT", fg_cause_find_qdisc },
	{ "FQ_FLOW_LIMIT", fg_cause_find_qdisc },
	{ "CPU_BACKLOG", fg_cause_find_backlog },
	{ "IPV6DISABLED", fg_cause_find_disabled },
	{ "BRIDGE_INGRESS_STP_STATE", fg_cause_find_bridge },
	{ "NO_TX_TARGET", fg_cause_find_bridge },
	{ "LOCAL_MAC", fg_cause_find_bridge },
	{ "DEV_READY", fg_cause_find_device },
	{ "FRAG_REASM_TIMEOUT", fg_cause_find_fragments },
	{ "FRAG_TOO_FAR", fg_cause_find_fragments },
};

/*
 * Before 6.14 no reason says whether it was the reverse path filter or a martian; there the look-up
 * itself does. A route that refuses comes later, in ip_error().
 */
static bool find_input(const struct fg_cause_place *place, struct fg_cause *out)
{
	struct fg_cause_route route;

	if (!place->received_on)
		return false;
	fg_cause_route_lookup(place, place->received_on, 0, &route);
	if (route.error == -EXDEV)
		return fg_cause_find_rpfilter(place, out);
	return route.error == -EINVAL && fg_cause_find_martian(place, out);
}

static bool starts(const char *text, const char *start)
{
	return text && !strncmp(text, start, strlen(start));
}

static bool in_forward(const struct fg_cause_place *place)
{
	return starts(place->symbol, "ip_forward") || starts(place->symbol, "ip6_forward");
}

/* What a forwarder drops without a reason: hops and sizes have one of their own. */
static bool find_forward(const struct fg_cause_place *place, struct fg_cause *out)
{
	if (place->flow.family != AF_INET6)
		return false;
	if (fg_cause_find_forwarding(place, out))
		return true;
	return fg_cause_find_xfrm(place, out) && out->how && !strcmp(out->how, "block");
}

/* By the beginning of the function's name; a compiler may append ".isra.0". */
static const struct {
	const char *start;
	finder find;
} by_symbol[] = {
	{ "run_lwt_bpf", fg_cause_find_program },
	{ "nfqnl_", fg_cause_find_queue },
	{ "nf_queue", fg_cause_find_queue },
	{ "__nf_queue", fg_cause_find_queue },
	{ "nf_reinject", fg_cause_find_queue },
	{ "ip_error", fg_cause_find_route },
	{ "ip6_pkt_", fg_cause_find_route },
	{ "dst_discard", fg_cause_find_route },
	{ "ip_rcv_finish", find_input },
	{ "ip_list_rcv_finish", find_input },
	{ "ip_sublist_rcv", find_input },
	{ "ip_forward", find_forward },
	{ "ip6_forward", find_forward },
	{ "ip_fragment", fg_cause_find_mtu },
	{ "ip6_fragment", fg_cause_find_mtu },
	{ "ip_do_fragment", fg_cause_find_mtu },
	{ "ip6_finish_output", fg_cause_find_mtu },
	{ "__ip_finish_output", fg_cause_find_mtu },
	{ "neigh_", fg_cause_find_neighbour },
	{ "__neigh_", fg_cause_find_neighbour },
	{ "arp_error_report", fg_cause_find_neighbour },
	{ "ndisc_error_report", fg_cause_find_neighbour },
	{ "__allowed_ingress", fg_cause_find_bridge },
	{ "br_", fg_cause_find_bridge },
	{ "__br_", fg_cause_find_bridge },
	{ "__dev_forward_skb", fg_cause_find_device },
	{ "dev_forward_skb", fg_cause_find_device },
	{ "veth_xmit", fg_cause_find_device },
	{ "netkit_xmit", fg_cause_find_device },
	{ "enqueue_to_backlog", fg_cause_find_backlog },
	{ "__dev_queue_xmit", fg_cause_find_device },
};

static bool find_by_symbol(const struct fg_cause_place *place, struct fg_cause *out)
{
	for (size_t i = 0; i < COUNT(by_symbol); i++)
		if (starts(place->symbol, by_symbol[i].start))
			return by_symbol[i].find(place, out);
	return false;
}

static bool find_by_reason(const struct fg_cause_place *place, struct fg_cause *out)
{
	for (size_t i = 0; place->reason && i < COUNT(by_reason); i++)
		if (!strcmp(place->reason, by_reason[i].reason))
			return by_reason[i].find(place, out);
	/* Whatever is wrong with an IP header has this reason; on the way on it is the TTL. */
	if (place->reason && !strcmp(place->reason, "IP_INHDR") && in_forward(place))
		return fg_cause_find_ttl(place, out);
	return false;
}

/* It has not ended: what it may wait for. */
static bool find_waiting(const struct fg_cause_place *place, struct fg_cause *out)
{
	return fg_cause_find_neighbour(place, out) || fg_cause_find_queue(place, out);
}

bool fg_cause_find(const struct fg_cause_place *place, struct fg_cause *out)
{
	struct fg_cause found;
	bool is;

	if (!place->rtnl || (place->flow.family != AF_INET && place->flow.family != AF_INET6))
		return false;
	if (place->cookie)
		is = fg_cause_find_proxy(place, &found);
	else if (!place->reason && !place->symbol)
		is = find_waiting(place, &found);
	else
		is = find_by_reason(place, &found) || find_by_symbol(place, &found);
	if (is)
		*out = found;
	return is;
}
