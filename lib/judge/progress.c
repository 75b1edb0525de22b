// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge/progress.c - how far the packet was seen to get. That it is past a place is believed
 * only of what cannot be seen before it: a wrong "passed" here would be a wrong "allowed" in the
 * answer.
 */
#include <string.h>

#include "base/count.h"
#include "judge/internal.h"

static bool on_peer(const struct fg_context *context, const struct fg_event *e)
{
	return fg_at(e, context->pod_netns, context->peer_ifindex);
}

/* What else comes only after tc ingress, when the packet still is on the receiving device. */
static const char *const users[] = {
	"ip_",	 "__ip_",   "ip6_",	"__ip6_", "ipv6_",  "ipip",  "nf_",
	"nft_",	 "ipt_",    "ip6t_",	"xt_",	  "br_",    "__br_", "inet_",
	"neigh", "__neigh", "macvlan_", "ovs_",	  "vxlan",  "fib_",  "dst_",
	"xfrm",	 "esp",	    "ip4ip6",	"vrf_",	  "nfqnl_", "ebt_",  "run_lwt_bpf",
};

/*
 * Generic XDP runs between "received" and tc ingress. The reason XDP is that of a redirect that
 * failed (do_xdp_generic()); what a program drops is freed without a reason.
 */
static const char *const xdp_runners[] = {
	"do_xdp_generic",
	"netif_receive_generic_xdp",
	"bpf_prog_run_generic_xdp",
};

bool fg_progress_dropped_by_xdp(const struct fg_context *context, const struct fg_observation *end)
{
	uint32_t code = (uint32_t)end->event.code;

	return fg_event_starts_with_any(end->symbol, xdp_runners, COUNT(xdp_runners)) &&
	       (!context->codes.xdp || code != context->codes.xdp);
}

static bool used_by_stack(const char *symbol)
{
	return fg_event_symbol_delivers(symbol) ||
	       fg_event_starts_with_any(symbol, users, COUNT(users));
}

/* Whether the kernel's reason is one that only what comes after tc ingress gives. */
static bool reason_of_stack(const struct fg_context *context, uint32_t code)
{
	static const char *const earlier[] = { "TC_", "XDP", "NOT_SPECIFIED", "NOMEM", "QDISC" };
	const char *name = context->reason ? context->reason(context->names, code) : NULL;

	return name && code != context->codes.not_specified && code != context->codes.tc_ingress &&
	       code != context->codes.tc_egress && code != context->codes.xdp &&
	       !fg_event_starts_with_any(name, earlier, COUNT(earlier));
}

bool fg_progress_of_stack(const struct fg_context *context, const struct fg_observation *end)
{
	return used_by_stack(end->symbol) || (fg_event_is_drop(context, &end->event) &&
					      reason_of_stack(context, (uint32_t)end->event.code));
}

/* A packet that mirred sent to an ifb is queued there, and comes back to where it was. */
static bool on_ifb(const struct fg_context *context, const struct fg_event *e)
{
	const struct fg_device *device =
		e->ifindex && context->device
			? context->device(context->names, e->netns, (int)e->ifindex)
			: NULL;

	return device && !strcmp(device->kind, "ifb");
}

/*
 * Whether what is seen here proves that the packet is past the primary's XDP and tc/tcx ingress.
 */
static bool proves_passed(const struct fg_context *context, const struct fg_progress *p,
			  const struct fg_observation *o)
{
	const struct fg_event *e = &o->event;

	if (on_ifb(context, e))
		return false;
	switch (e->kind) {
	case FG_EVENT_QUEUE:
	case FG_EVENT_SOCKET:
	case FG_EVENT_STOP:
	case FG_EVENT_REPLY:
		return true;
	case FG_EVENT_RECEIVE:
		return !fg_on_primary(context, e);
	case FG_EVENT_FREE:
	case FG_EVENT_CONSUME:
		if ((e->ifindex && !fg_on_primary(context, e)) || fg_moved_noted_since(p, o))
			return true;
		return fg_moved_redirect_failed(o) || fg_progress_of_stack(context, o);
	default:
		return false;
	}
}

bool fg_progress_replaced(const struct fg_context *context, const struct fg_progress *p)
{
	const struct fg_far *far = &context->far;

	if (far->xdp_copies && p->place && p->place->event.kind == FG_EVENT_QUEUE &&
	    fg_at(&p->place->event, far->host_netns, far->host_ifindex))
		return true;
	if (context->ovs && p->place && p->place->event.kind == FG_EVENT_RECEIVE &&
	    fg_on_primary(context, &p->place->event))
		return true;
	return context->xdp_copies && p->left_pod && !p->reached_host;
}

static void follow_place(const struct fg_context *context, struct fg_progress *p,
			 const struct fg_observation *o)
{
	const struct fg_event *e = &o->event;
	bool primary = fg_on_primary(context, e), peer = on_peer(context, e);

	if (e->kind != FG_EVENT_INJECT)
		p->entered |= primary || peer;
	p->translated |= e->kind == FG_EVENT_FLOW && p->received;
	p->sent_on |= fg_moved_redirects(context, e);
	if (p->received && !p->passed_host && proves_passed(context, p, o)) {
		p->passed_host = true;
		p->moved = fg_moved_before(context, p, o);
		p->sent_on |= p->moved == FG_MOVED_YES;
	}
	if (p->sent_on && !p->target && !p->end && fg_moved_is_target(p, o))
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
		p->kept = false;
		p->risen |= p->end && p->end->event.kind != FG_EVENT_SOCKET;
	}
}

static void follow_end(const struct fg_context *context, struct fg_progress *p,
		       const struct fg_observation *o)
{
	const struct fg_event *e = &o->event;

	switch (e->kind) {
	case FG_EVENT_JOIN:
		/* What was freed is its sk_buff: it goes on in another. */
		if (p->end && !fg_event_is_drop(context, &p->end->event) &&
		    (p->end->event.kind == FG_EVENT_CONSUME || p->end->event.kind == FG_EVENT_FREE))
			p->end = NULL;
		return;
	case FG_EVENT_CONSUME:
	case FG_EVENT_FREE:
		if (e->kind == FG_EVENT_CONSUME && fg_progress_replaced(context, p)) {
			p->kept = context->ovs;
			p->copies++;
			return;
		}
		/*
		 * What flowgen stopped is freed right after, and what a socket took is consumed
		 * later.
		 */
		if (p->end &&
		    (fg_event_is_stop(&p->end->event) ||
		     (p->end->event.kind == FG_EVENT_SOCKET && !fg_event_is_drop(context, e))))
			return;
		break;
	case FG_EVENT_LOST:
		/*
		 * A socket would have told of a drop (kfree_skb); what is read from it may be freed
		 * in silence.
		 */
		if (p->end && p->end->event.kind == FG_EVENT_SOCKET)
			return;
		break;
	case FG_EVENT_SOCKET:
	case FG_EVENT_STOP:
	case FG_EVENT_REPLY:
		break;
	default:
		return;
	}
	p->end = o;
}

static bool not_for_us(const struct fg_context *context, const struct fg_event *e)
{
	const char *name = fg_event_is_drop(context, e) && context->reason
				   ? context->reason(context->names, (uint32_t)e->code)
				   : NULL;

	return name && !strcmp(name, "OTHERHOST");
}

static bool at_receiver(const struct fg_context *context, const struct fg_event *e)
{
	const struct fg_far *far = &context->far;

	return far->known && far->netns && fg_at(e, far->host_netns, far->host_ifindex);
}

/* Dropped at the egress of a device that does not lead to the pod which holds the address. */
static bool dropped_beside(const struct fg_context *context, const struct fg_event *e)
{
	return e->kind == FG_EVENT_FREE && context->codes.tc_egress &&
	       (uint32_t)e->code == context->codes.tc_egress && context->far.netns &&
	       e->netns == context->far.host_netns && !at_receiver(context, e);
}

/* The packet itself ended at a host that it was not for, or before it. */
static bool is_flooded(const struct fg_context *context, const struct fg_trace *trace)
{
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_event *e = &trace->list[i].event;

		if (!e->branch && !(e->flags & (FG_EVENT_F_REPLY | FG_EVENT_F_PIECE)) &&
		    (not_for_us(context, e) || dropped_beside(context, e)))
			return true;
	}
	return false;
}

/*
 * A bridge that floods sends clones to all ports, and which of them the packet itself is has no
 * meaning. Where it ended at a host it was not for, or before it, the one clone that was taken is
 * the packet's way, else the one that was seen on its way to the receiver. 0: the packet itself.
 */
static uint32_t branch_taken(const struct fg_context *context, const struct fg_trace *trace)
{
	uint32_t taken = 0, meant = 0;

	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_event *e = &trace->list[i].event;

		if (e->flags & (FG_EVENT_F_REPLY | FG_EVENT_F_PIECE))
			continue;
		if (e->branch && at_receiver(context, e))
			meant = e->branch;
		if (e->branch && (e->kind == FG_EVENT_STOP || e->kind == FG_EVENT_SOCKET ||
				  (e->kind == FG_EVENT_CONSUME &&
				   fg_event_symbol_delivers(trace->list[i].symbol))))
			taken = e->branch;
	}
	/* Nearly always neither: then nobody asks for the name of a reason. */
	return (taken || meant) && is_flooded(context, trace) ? taken ? taken : meant : 0;
}

/*
 * Whether the observation is of the packet, as it goes by that branch: itself up to where the clone
 * was first seen.
 */
bool fg_progress_on_way(struct fg_way *way, const struct fg_event *e)
{
	if (way->reply)
		return (e->flags & FG_EVENT_F_REPLY) && e->branch == way->branch &&
		       !(e->flags & (FG_EVENT_F_CLONE | FG_EVENT_F_PIECE));
	if (e->flags & (FG_EVENT_F_REPLY | FG_EVENT_F_PIECE))
		return false;
	if (!way->branch)
		return !(e->flags & FG_EVENT_F_CLONE);
	way->split |= e->branch == way->branch;
	return way->split ? e->branch == way->branch : !(e->flags & FG_EVENT_F_CLONE);
}

struct fg_way fg_progress_way(const struct fg_context *context, const struct fg_trace *trace)
{
	/* Of several replies, the one that came. */
	if (context->of_reply)
		return (struct fg_way){ .reply = true, .branch = trace->reply.event.branch };
	return (struct fg_way){ .branch = branch_taken(context, trace) };
}

/* The reply is intercepted where the packet itself was received last: back at the pod. */
static bool is_turned(const struct fg_context *context, const struct fg_progress *p,
		      const struct fg_event *e)
{
	return !context->of_reply && e->kind == FG_EVENT_REPLY && !p->end && p->passed_host &&
	       p->place && p->place->event.kind == FG_EVENT_RECEIVE &&
	       on_peer(context, &p->place->event) && on_peer(context, e);
}

/*
 * Nobody injects a reply: it begins where it is first seen. That is the pair of the pod that sends
 * it, or, for one that does not come from there, behind it.
 */
static void begin_reply(const struct fg_context *context, struct fg_progress *p,
			const struct fg_event *e)
{
	bool host = e->netns == context->host_netns;

	p->injected = 1;
	p->foreign = e->netns && (!context->pod_netns || e->netns != context->pod_netns) &&
		     !(fg_on_primary(context, e) && e->kind == FG_EVENT_RECEIVE);
	if (!p->foreign)
		return;
	p->unlisted = !host;
	p->made_here = host && (e->kind == FG_EVENT_QUEUE || e->kind == FG_EVENT_FREE);
	p->entered = p->left_pod = p->reached_host = p->passed_host = true;
}

void fg_progress_follow(const struct fg_context *context, const struct fg_trace *trace,
			struct fg_progress *p)
{
	struct fg_way way = fg_progress_way(context, trace);

	/* What comes from outside has left where it was sent. */
	*p = (struct fg_progress){ .cloned = !way.reply && way.branch,
				   .left_pod = context->from_uplink };
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_observation *o = &trace->list[i];

		p->turned |= is_turned(context, p, &o->event);
		if (!fg_progress_on_way(&way, &o->event))
			continue;
		p->injected += o->event.kind == FG_EVENT_INJECT;
		if (context->of_reply && !p->injected && o->event.kind != FG_EVENT_REPLY)
			begin_reply(context, p, &o->event);
		if (o->event.kind != FG_EVENT_POLICY && o->event.kind != FG_EVENT_FLOW)
			p->last = o;
		/*
		 * The injection is always reported first: what comes before it is not this packet.
		 */
		if (p->injected) {
			follow_place(context, p, o);
			follow_end(context, p, o);
		}
		/* From here on it may be another packet. */
		if (o->event.kind == FG_EVENT_LOST)
			return;
	}
}

enum fg_stretch fg_progress_stretch_of(const struct fg_program *program)
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

bool fg_progress_stretch_passed(const struct fg_progress *p, enum fg_stretch stretch)
{
	return stretch == FG_STRETCH_POD    ? p->left_pod
	       : stretch == FG_STRETCH_WIRE ? p->left_pod && p->reached_host
					    : p->passed_host;
}

bool fg_progress_stretch_walked(const struct fg_context *context, enum fg_stretch stretch)
{
	return stretch == FG_STRETCH_HOST || context->method != FG_METHOD_HOST_INGRESS ||
	       (context->from_uplink && stretch == FG_STRETCH_WIRE);
}

/*
 * Consumed by the function that runs tc ingress, which does that for nobody else: a tc program or
 * action kept it (TC_ACT_STOLEN, TC_ACT_QUEUED, TC_ACT_TRAP).
 */
static bool is_kept(const struct fg_context *context, const struct fg_progress *p)
{
	static const char *const places[] = { "__netif_receive_skb_core", "sch_handle_ingress" };
	const struct fg_observation *end = p->end;

	return p->reached_host && !p->passed_host && fg_on_primary(context, &end->event) &&
	       (end->event.kind == FG_EVENT_CONSUME ||
		(end->event.kind == FG_EVENT_FREE && !fg_event_is_drop(context, &end->event))) &&
	       fg_event_starts_with_any(end->symbol, places, COUNT(places));
}

int fg_progress_denied(const struct fg_context *context, const struct fg_progress *p,
		       enum fg_hook *hook)
{
	const struct fg_observation *end = p->end;
	const struct fg_drop_codes *codes = &context->codes;
	uint32_t code;

	*hook = FG_HOOK_TC_INGRESS;
	if (end && is_kept(context, p))
		return FG_STRETCH_HOST;
	if (!end || !fg_event_is_drop(context, &end->event))
		return -1;
	code = (uint32_t)end->event.code;
	*hook = FG_HOOK_TCX_EGRESS;
	if (!p->left_pod && !p->reached_host && on_peer(context, &end->event) && codes->tc_egress &&
	    code == codes->tc_egress)
		return FG_STRETCH_POD;
	if (p->left_pod && !p->reached_host) {
		/*
		 * netkit_xmit() turns to the other end before it asks the programs; it drops for a
		 * down device before.
		 */
		*hook = FG_HOOK_NETKIT_PEER;
		if (fg_event_starts_with(end->symbol, "netkit_xmit") &&
		    fg_on_primary(context, &end->event))
			return FG_STRETCH_WIRE;
		*hook = FG_HOOK_XDP;
		return fg_event_starts_with(end->symbol, "veth_xdp") ? FG_STRETCH_WIRE : -1;
	}
	if (!p->reached_host || p->passed_host || !fg_on_primary(context, &end->event))
		return -1;
	*hook = FG_HOOK_XDP;
	if (fg_progress_dropped_by_xdp(context, end))
		return FG_STRETCH_HOST;
	*hook = FG_HOOK_TCX_INGRESS;
	return codes->tc_ingress && code == codes->tc_ingress ? FG_STRETCH_HOST : -1;
}
