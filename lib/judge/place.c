// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge/place.c - what stopped a packet, and in which stage of its way, by the kernel's reason for
 * the drop, the function that freed it, and the device it was on.
 */
#include <string.h>

#include "base/count.h"
#include "judge/internal.h"

struct word {
	const char *start;
	enum fg_kind kind;
};

/* Functions that say more than the reason does: a queue drops with netfilter's reason. */
static const struct word first_symbols[] = {
	{ "nf_queue", FG_KIND_QUEUE }, { "__nf_queue", FG_KIND_QUEUE },
	{ "nfqnl_", FG_KIND_QUEUE },   { "nf_reinject", FG_KIND_QUEUE },
	{ "ip_vs_", FG_KIND_IPVS },
};

/* enum skb_drop_reason of the kernels since 6.1, by their beginnings. */
static const struct word reasons[] = {
	{ "NETFILTER_DROP", FG_KIND_NETFILTER },
	{ "TC_EGRESS", FG_KIND_TC },
	{ "TC_INGRESS", FG_KIND_TC },
	{ "TC_", FG_KIND_OTHER },
	{ "XDP", FG_KIND_DEVICE }, /* generic XDP's redirect failed */
	{ "BPF_CGROUP", FG_KIND_BPF },
	{ "OVS_", FG_KIND_OVS },
	{ "SECURITY_HOOK", FG_KIND_LSM },
	{ "XFRM_POLICY", FG_KIND_XFRM },
	{ "TAP_FILTER", FG_KIND_DEVICE }, /* of the application that has the device open */
	{ "QDISC_", FG_KIND_QDISC },
	{ "NEIGH_", FG_KIND_NEIGHBOUR },
	{ "OTHERHOST", FG_KIND_NEIGHBOUR },
	{ "IP_RPFILTER", FG_KIND_ROUTE },
	{ "IP_INNOROUTES", FG_KIND_ROUTE },
	{ "IP_OUTNOROUTES", FG_KIND_ROUTE },
	{ "IP_LOCAL_SOURCE", FG_KIND_ROUTE },
	{ "IP_LOCALNET", FG_KIND_ROUTE },
	{ "IP_INVALID_", FG_KIND_ROUTE },
	{ "IPV6DISABLED", FG_KIND_ROUTE },
	{ "PKT_TOO_BIG", FG_KIND_ROUTE },
	{ "TTL_EXCEEDED", FG_KIND_ROUTE },
	{ "BRIDGE_", FG_KIND_BRIDGE },
	{ "VLAN_", FG_KIND_BRIDGE },
	{ "NO_SOCKET", FG_KIND_SOCKET },
	{ "SOCKET_", FG_KIND_SOCKET },
	{ "TCP_", FG_KIND_SOCKET },
	{ "UDP_", FG_KIND_SOCKET },
	{ "UNHANDLED_PROTO", FG_KIND_SOCKET },
	{ "PROTO_MEM", FG_KIND_SOCKET },
	{ "DEV_", FG_KIND_DEVICE },
	{ "FULL_RING", FG_KIND_DEVICE },
	{ "CPU_BACKLOG", FG_KIND_DEVICE },
};

/* If there is no reason, or none that says anything. */
static const struct word symbols[] = {
	{ "nf_hook", FG_KIND_NETFILTER },
	{ "nft_", FG_KIND_NETFILTER },
	{ "ipt_", FG_KIND_NETFILTER },
	{ "ip6t_", FG_KIND_NETFILTER },
	{ "ebt_", FG_KIND_NETFILTER },
	{ "run_lwt_bpf", FG_KIND_BPF },
	{ "netif_receive_generic_xdp", FG_KIND_BPF },
	{ "do_xdp_generic", FG_KIND_BPF },
	{ "bpf_prog_run_generic_xdp", FG_KIND_BPF },
	{ "veth_xdp", FG_KIND_BPF },
	{ "skb_do_redirect", FG_KIND_DEVICE },
	{ "__bpf_redirect", FG_KIND_DEVICE },
	{ "__bpf_tx_skb", FG_KIND_DEVICE },
	{ "__dev_forward_skb", FG_KIND_DEVICE },
	{ "____dev_forward_skb", FG_KIND_DEVICE },
	{ "wg_", FG_KIND_DEVICE },
	{ "vxlan_", FG_KIND_DEVICE },
	{ "geneve_", FG_KIND_DEVICE },
	{ "ip_tunnel_", FG_KIND_DEVICE },
	{ "ipip_", FG_KIND_DEVICE },
	{ "ipgre_", FG_KIND_DEVICE },
	{ "gre_", FG_KIND_DEVICE },
	{ "ip6_tnl_", FG_KIND_DEVICE },
	{ "sit_", FG_KIND_DEVICE },
	{ "tun_net_xmit", FG_KIND_DEVICE },
	{ "tcf_", FG_KIND_TC_FILTER },
	{ "ovs_", FG_KIND_OVS },
	{ "do_execute_actions", FG_KIND_OVS },
	{ "queue_userspace_packet", FG_KIND_OVS },
	{ "br_", FG_KIND_BRIDGE },
	{ "__br_", FG_KIND_BRIDGE },
	{ "neigh", FG_KIND_NEIGHBOUR },
	{ "__neigh", FG_KIND_NEIGHBOUR },
	{ "arp_", FG_KIND_NEIGHBOUR },
	{ "ndisc_", FG_KIND_NEIGHBOUR },
	{ "ip_error", FG_KIND_ROUTE },
	{ "ip_forward", FG_KIND_ROUTE },
	{ "ip6_forward", FG_KIND_ROUTE },
	{ "ip_rcv_finish", FG_KIND_ROUTE },
	{ "ip_list_rcv_finish", FG_KIND_ROUTE },
	{ "ip6_rcv_finish", FG_KIND_ROUTE },
	{ "ip_route", FG_KIND_ROUTE },
	{ "ip6_pkt_", FG_KIND_ROUTE },
	{ "fib_", FG_KIND_ROUTE },
	{ "dst_discard", FG_KIND_ROUTE },
	{ "xfrm", FG_KIND_OTHER },
	{ "tcp_", FG_KIND_SOCKET },
	{ "udp", FG_KIND_SOCKET },
	{ "__udp", FG_KIND_SOCKET },
	{ "raw_", FG_KIND_SOCKET },
	{ "sk_", FG_KIND_SOCKET },
	{ "__sk_", FG_KIND_SOCKET },
	{ "sctp_", FG_KIND_SOCKET },
};

static enum fg_kind kind_in(const struct word *words, size_t count, const char *text)
{
	for (size_t i = 0; text && i < count; i++)
		if (fg_event_starts_with(text, words[i].start))
			return words[i].kind;
	return FG_KIND_NONE;
}

static bool at_same_device(const struct fg_event *a, const struct fg_event *b)
{
	return a->netns == b->netns && a->ifindex == b->ifindex;
}

/*
 * netkit_xmit() turns to the other end before it asks the programs; what it frees on the device
 * that the packet was queued on, the device dropped (it is down).
 */
static enum fg_kind kind_of_netkit(const struct fg_progress *p, const struct fg_event *end)
{
	return p->place && at_same_device(&p->place->event, end) ? FG_KIND_DEVICE : FG_KIND_BPF;
}

/*
 * What its forward policies block, IPv6 drops without a reason (ip6_forward()), as it does where
 * forwarding is off.
 */
static bool is_ipsec_or_route(const struct fg_context *context, const struct fg_observation *end)
{
	return context->ipsec_forwarded && fg_event_starts_with(end->symbol, "ip6_forward");
}

/*
 * IPVS has no reason of its own: it answers NF_DROP at netfilter's input where it has no server, as
 * a chain would. Where no chain can deny, or none was seen to, it was IPVS.
 */
static bool may_be_ipvs(const struct fg_context *context, const struct fg_progress *p,
			const struct fg_observation *end)
{
	return p->to_service && end->event.netns == context->host_netns &&
	       p->rule != FG_PRESENCE_YES;
}

static bool is_ipvs(const struct fg_context *context, const struct fg_progress *p,
		    const struct fg_observation *end)
{
	return may_be_ipvs(context, p, end) && (p->rule == FG_PRESENCE_NO || context->only_ipvs);
}

bool fg_place_is_ipvs_or_chain(const struct fg_context *context, const struct fg_progress *p,
			       const struct fg_observation *end, enum fg_kind kind)
{
	return kind == FG_KIND_NETFILTER && may_be_ipvs(context, p, end);
}

/*
 * The bridge asks the chains of its prerouting itself (nf_hook_bridge_pre()), and frees what they
 * drop as what it does not take, unless they have done that (nf_tables does, since Linux 6.8).
 */
bool fg_place_is_bridge_or_chain(const struct fg_context *context, const struct fg_observation *end,
				 enum fg_kind kind)
{
	return kind == FG_KIND_BRIDGE && end->event.netns == context->host_netns &&
	       (uint32_t)end->event.code == context->codes.not_specified &&
	       fg_event_starts_with(end->symbol, "br_handle_frame") &&
	       context->netfilter_bridge_in != FG_PRESENCE_NO;
}

enum fg_kind fg_place_kind(const struct fg_context *context, const struct fg_progress *p,
			   const struct fg_observation *end)
{
	const char *reason =
		context->reason ? context->reason(context->names, (uint32_t)end->event.code) : NULL;
	enum fg_kind kind = kind_in(first_symbols, COUNT(first_symbols), end->symbol);

	if (kind == FG_KIND_NONE)
		kind = kind_in(reasons, COUNT(reasons), reason);
	if (kind == FG_KIND_NONE && fg_event_starts_with(end->symbol, "netkit_xmit"))
		kind = kind_of_netkit(p, &end->event);
	if (kind == FG_KIND_NONE && !is_ipsec_or_route(context, end))
		kind = kind_in(symbols, COUNT(symbols), end->symbol);
	if (kind == FG_KIND_NETFILTER && is_ipvs(context, p, end))
		kind = FG_KIND_IPVS;
	/* A reason with a name of its own is not one that policy gives. */
	if (kind == FG_KIND_NONE && reason &&
	    (uint32_t)end->event.code != context->codes.not_specified)
		return FG_KIND_OTHER;
	return kind;
}

bool fg_place_is_filter(const struct fg_context *context, const struct fg_observation *end)
{
	return context->reason &&
	       fg_event_starts_with(context->reason(context->names, (uint32_t)end->event.code),
				    "SOCKET_FILTER");
}

bool fg_place_is_chosen(const struct fg_context *context, const struct fg_event *e)
{
	return e->netns == context->host_netns
		       ? context->chosen_here
		       : context->chosen_to && e->netns == context->far.netns;
}

bool fg_place_is_unchosen(const struct fg_context *context, const struct fg_observation *end)
{
	return context->reason && fg_place_is_chosen(context, &end->event) &&
	       fg_event_starts_with(context->reason(context->names, (uint32_t)end->event.code),
				    "NO_SOCKET");
}

static const char *device_kind(const struct fg_context *context, const struct fg_event *e)
{
	const struct fg_device *device =
		context->device ? context->device(context->names, e->netns, (int)e->ifindex) : NULL;

	return device ? device->kind : "";
}

/* Programs and qdiscs at the egress of a pod's host side, or of hardware, are the receiver's. */
static bool is_way_in(const struct fg_context *context, const struct fg_event *e, enum fg_kind kind)
{
	const struct fg_far *far = &context->far;
	const char *device = device_kind(context, e);

	if (kind != FG_KIND_BPF && kind != FG_KIND_TC && kind != FG_KIND_TC_FILTER &&
	    kind != FG_KIND_QDISC && kind != FG_KIND_DEVICE)
		return false;
	if (far->known && fg_at(e, far->host_netns, far->host_ifindex))
		return true;
	return !strcmp(device, "veth") || !strcmp(device, "netkit") ||
	       fg_event_on_hardware(context, e);
}

enum fg_stage fg_place_stage(const struct fg_context *context, const struct fg_progress *p,
			     const struct fg_observation *end, enum fg_kind kind)
{
	const struct fg_event *e = &end->event;
	/* Freed without a device: where it was last. */
	const struct fg_event *at = e->ifindex || !p->place ? e : &p->place->event;

	if (!p->reached_host)
		return FG_STAGE_EGRESS;
	if (at->netns != context->host_netns)
		return at->netns == context->pod_netns && !p->passed_host ? FG_STAGE_EGRESS
									  : FG_STAGE_INGRESS;
	if (fg_on_primary(context, at) && (!p->passed_host || fg_moved_redirect_failed(end)))
		return FG_STAGE_EGRESS;
	/* Sockets of the host's own are where the way ends. */
	if (kind == FG_KIND_SOCKET)
		return FG_STAGE_INGRESS;
	/* A program of a route runs before the device's own. */
	if (fg_on_primary(context, at) || fg_event_starts_with(end->symbol, "run_lwt_bpf"))
		return FG_STAGE_NODE;
	return is_way_in(context, at, kind) ? FG_STAGE_INGRESS : FG_STAGE_NODE;
}
