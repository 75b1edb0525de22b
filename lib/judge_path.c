// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge_path.c - how far the packet was seen to come. That it is behind a place is believed only of what cannot be seen
 * before it: a wrong "passed" here would be a wrong "allowed" in the answer.
 */
#include <string.h>

#include "judge_parts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool on_peer(const struct fg_scene *scene, const struct fg_event *e)
{
	return fg_at(e, scene->pod_netns, scene->peer_ifindex);
}

bool fg_is_drop(const struct fg_scene *scene, const struct fg_event *event)
{
	/* 0 is SKB_NOT_DROPPED_YET; CONSUMED says that nothing was dropped. */
	return event->kind == FG_EVENT_FREE && event->code &&
	       (uint32_t)event->code != scene->codes.consumed;
}

static bool starts_with(const char *text, const char *start)
{
	return text && !strncmp(text, start, strlen(start));
}

bool fg_starts_with_any(const char *text, const char *const *starts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (starts_with(text, starts[i]))
			return true;
	return false;
}

/* Protocols' receive functions, and what frees packets for sockets. */
static const char *const takers[] = {
	"icmp",
	"ndisc_",
	"igmp",
	"mld_",
	"arp_",
	"tcp_",
	"__tcp_",
	"udp",
	"__udp",
	"skb_consume_udp",
	"raw_",
	"rawv6_",
	"ping_",
	"sctp_",
	"ip_protocol_deliver",
	"sk_",
	"__sk_",
	"dccp_",
	"ip6_protocol_deliver",
	"skb_free_datagram",
	"__skb_free_datagram",
};

/* What else comes only behind tc ingress, when the packet still is on the receiving device. */
static const char *const users[] = {
	"ip_",	 "__ip_", "ip6_", "__ip6_", "ipv6_", "ipip",   "nf_",	  "nft_",     "ipt_",
	"ip6t_", "xt_",	  "br_",  "__br_",  "inet_", "neigh",  "__neigh", "macvlan_", "ovs_",
	"vxlan", "fib_",  "dst_", "xfrm",   "esp",   "ip4ip6", "vrf_",
};

/* Generic XDP runs between "received" and tc ingress; its drops carry no reason of their own on many kernels. */
static const char *const xdp_runners[] = {
	"do_xdp_generic",
	"netif_receive_generic_xdp",
	"bpf_prog_run_generic_xdp",
};

bool fg_symbol_delivers(const char *symbol)
{
	return fg_starts_with_any(symbol, takers, COUNT(takers));
}

static bool used_by_stack(const char *symbol)
{
	return fg_symbol_delivers(symbol) || fg_starts_with_any(symbol, users, COUNT(users));
}

/* Whether the kernel's reason is one that only what comes behind tc ingress gives. */
static bool reason_of_stack(const struct fg_scene *scene, uint32_t code)
{
	static const char *const earlier[] = { "TC_", "XDP", "NOT_SPECIFIED", "NOMEM", "QDISC" };
	const char *name = scene->reason ? scene->reason(scene->names, code) : NULL;

	return name && code != scene->codes.not_specified && code != scene->codes.tc_ingress &&
	       code != scene->codes.tc_egress && code != scene->codes.xdp &&
	       !fg_starts_with_any(name, earlier, COUNT(earlier));
}

/* Whether what is seen here proves that the packet is behind the primary's XDP and tc/tcx ingress. */
static bool proves_passed(const struct fg_scene *scene, const struct fg_progress *p,
			  const struct fg_observation *o)
{
	const struct fg_event *e = &o->event;

	switch (e->kind) {
	case FG_EVENT_QUEUE:
	case FG_EVENT_SOCKET:
	case FG_EVENT_STOP:
		return true;
	case FG_EVENT_RECEIVE:
		return !fg_on_primary(scene, e);
	case FG_EVENT_FREE:
	case FG_EVENT_CONSUME:
		if ((e->ifindex && !fg_on_primary(scene, e)) || fg_noted_since(p, o))
			return true;
		return used_by_stack(o->symbol) || fg_failed_redirect(o) ||
		       (fg_is_drop(scene, e) && reason_of_stack(scene, (uint32_t)e->code));
	default:
		return false;
	}
}

bool fg_progress_replaced(const struct fg_scene *scene, const struct fg_progress *p)
{
	return scene->xdp_copies && p->left_pod && !p->reached_host;
}

static void follow_place(const struct fg_scene *scene, struct fg_progress *p,
			 const struct fg_observation *o)
{
	const struct fg_event *e = &o->event;
	bool primary = fg_on_primary(scene, e), peer = on_peer(scene, e);

	if (e->kind != FG_EVENT_INJECT)
		p->entered |= primary || peer;
	p->sent_on |= fg_redirects(scene, e);
	if (p->received && !p->passed_host && proves_passed(scene, p, o)) {
		p->passed_host = true;
		p->moved = fg_moved_before(scene, p, o);
		p->sent_on |= p->moved == FG_MOVED_YES;
	}
	if (p->sent_on && !p->target && !p->end && fg_is_target(p, e))
		p->target = o;
	if (e->kind == FG_EVENT_QUEUE && peer)
		p->left_pod = true;
	if (e->kind == FG_EVENT_RECEIVE && primary) {
		p->reached_host = true;
		if (!p->received)
			p->received = o;
	}
	if (e->kind == FG_EVENT_QUEUE || e->kind == FG_EVENT_RECEIVE) {
		p->place = o;
		p->risen |= p->end && p->end->event.kind != FG_EVENT_SOCKET;
	}
}

static void follow_end(const struct fg_scene *scene, struct fg_progress *p,
		       const struct fg_observation *o)
{
	const struct fg_event *e = &o->event;

	switch (e->kind) {
	case FG_EVENT_CONSUME:
	case FG_EVENT_FREE:
		if (e->kind == FG_EVENT_CONSUME && fg_progress_replaced(scene, p))
			return;
		/* What flowgen stopped is freed right after, and what a socket took is consumed later. */
		if (p->end && (p->end->event.kind == FG_EVENT_STOP ||
			       (p->end->event.kind == FG_EVENT_SOCKET && !fg_is_drop(scene, e))))
			return;
		break;
	case FG_EVENT_LOST:
		/* A socket would have told of a drop (kfree_skb); what is read from it may be freed in silence. */
		if (p->end && p->end->event.kind == FG_EVENT_SOCKET)
			return;
		break;
	case FG_EVENT_SOCKET:
	case FG_EVENT_STOP:
		break;
	default:
		return;
	}
	p->end = o;
}

static bool not_for_us(const struct fg_scene *scene, const struct fg_event *e)
{
	const char *name = fg_is_drop(scene, e) && scene->reason
				   ? scene->reason(scene->names, (uint32_t)e->code)
				   : NULL;

	return name && !strcmp(name, "OTHERHOST");
}

/*
 * A bridge that floods sends clones to all ports, and which of them the packet itself is has no meaning. Where it ended
 * at a host it was not for, the one clone that was taken is the packet's way. 0: the packet itself.
 */
static uint32_t branch_taken(const struct fg_scene *scene, const struct fg_trace *trace)
{
	bool flooded = false;
	uint32_t taken = 0;

	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_event *e = &trace->list[i].event;

		if (e->flags & (FG_EVENT_F_REPLY | FG_EVENT_F_PIECE))
			continue;
		flooded |= !e->branch && not_for_us(scene, e);
		if (e->branch &&
		    (e->kind == FG_EVENT_STOP || e->kind == FG_EVENT_SOCKET ||
		     (e->kind == FG_EVENT_CONSUME && fg_symbol_delivers(trace->list[i].symbol))))
			taken = e->branch;
	}
	return flooded ? taken : 0;
}

/* Whether the observation is of the packet, as it goes by that branch: itself up to where the clone was first seen. */
static bool on_branch(const struct fg_event *e, uint32_t branch, bool *split)
{
	if (e->flags & (FG_EVENT_F_REPLY | FG_EVENT_F_PIECE))
		return false;
	if (!branch)
		return !(e->flags & FG_EVENT_F_CLONE);
	*split |= e->branch == branch;
	return *split ? e->branch == branch : !(e->flags & FG_EVENT_F_CLONE);
}

void fg_progress_follow(const struct fg_scene *scene, const struct fg_trace *trace,
			struct fg_progress *p)
{
	uint32_t branch = branch_taken(scene, trace);
	bool split = false;

	*p = (struct fg_progress){};
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_observation *o = &trace->list[i];

		if (!on_branch(&o->event, branch, &split))
			continue;
		p->injected += o->event.kind == FG_EVENT_INJECT;
		if (o->event.kind != FG_EVENT_POLICY && o->event.kind != FG_EVENT_FLOW)
			p->last = o;
		/* The injection is always reported first: what comes before it is not this packet. */
		if (p->injected) {
			follow_place(scene, p, o);
			follow_end(scene, p, o);
		}
		/* From here on it may be another packet. */
		if (o->event.kind == FG_EVENT_LOST)
			return;
	}
}

enum fg_stretch fg_stretch_of(const struct fg_program *program)
{
	switch (program->hook) {
	case FG_HOOK_TCX_EGRESS:
	case FG_HOOK_TC_EGRESS:
		return FG_STRETCH_POD;
	case FG_HOOK_NETKIT_PEER:
		return FG_STRETCH_WIRE;
	case FG_HOOK_XDP:
		return program->native ? FG_STRETCH_WIRE : FG_STRETCH_HOST;
	default:
		return FG_STRETCH_HOST;
	}
}

bool fg_stretch_passed(const struct fg_progress *p, enum fg_stretch stretch)
{
	return stretch == FG_STRETCH_POD    ? p->left_pod
	       : stretch == FG_STRETCH_WIRE ? p->left_pod && p->reached_host
					    : p->passed_host;
}

bool fg_stretch_walked(const struct fg_scene *scene, enum fg_stretch stretch)
{
	return stretch == FG_STRETCH_HOST || scene->method != FG_METHOD_HOST_INGRESS;
}

int fg_progress_denied(const struct fg_scene *scene, const struct fg_progress *p,
		       enum fg_hook *hook)
{
	const struct fg_observation *end = p->end;
	const struct fg_drop_codes *codes = &scene->codes;
	uint32_t code;

	if (!end || !fg_is_drop(scene, &end->event))
		return -1;
	code = (uint32_t)end->event.code;
	*hook = FG_HOOK_TCX_EGRESS;
	if (!p->left_pod && !p->reached_host && on_peer(scene, &end->event) && codes->tc_egress &&
	    code == codes->tc_egress)
		return FG_STRETCH_POD;
	if (p->left_pod && !p->reached_host) {
		/* netkit_xmit() turns to the other end before it asks the programs; it drops for a down device before. */
		*hook = FG_HOOK_NETKIT_PEER;
		if (starts_with(end->symbol, "netkit_xmit") && fg_on_primary(scene, &end->event))
			return FG_STRETCH_WIRE;
		*hook = FG_HOOK_XDP;
		return starts_with(end->symbol, "veth_xdp") ? FG_STRETCH_WIRE : -1;
	}
	if (!p->reached_host || p->passed_host || !fg_on_primary(scene, &end->event))
		return -1;
	*hook = FG_HOOK_XDP;
	if ((codes->xdp && code == codes->xdp) ||
	    fg_starts_with_any(end->symbol, xdp_runners, COUNT(xdp_runners)))
		return FG_STRETCH_HOST;
	*hook = FG_HOOK_TCX_INGRESS;
	return codes->tc_ingress && code == codes->tc_ingress ? FG_STRETCH_HOST : -1;
}
