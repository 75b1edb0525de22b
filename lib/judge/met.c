// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge/met.c - whether chains and programs of netfilter that can deny are at the hooks that the
 * packet was seen to pass: of IP, of bridges, and of devices.
 */
#include "judge/internal.h"

static enum fg_presence either(enum fg_presence a, enum fg_presence b)
{
	if (a == FG_PRESENCE_YES || b == FG_PRESENCE_YES)
		return FG_PRESENCE_YES;
	return a == FG_PRESENCE_UNKNOWN ? a : b;
}

/* Whether a bridge handed the packet on: no hop was counted. */
static bool was_bridged(const struct fg_context *context, const struct fg_progress *p)
{
	const struct fg_observation *from = p->received;

	return context->bridged && from && p->place && p->place != from &&
	       p->place->event.id == from->event.id;
}

/* Whether it ended in the host's own stack, by netfilter's input and not by its forward chains. */
static bool is_local(const struct fg_context *context, const struct fg_progress *p,
		     const struct fg_result *result)
{
	const struct fg_event *at = p->place ? &p->place->event : NULL;
	const struct fg_event *end = p->end ? &p->end->event : NULL;

	return result->stages[FG_STAGE_INGRESS].reached && at && end &&
	       at->kind == FG_EVENT_RECEIVE && at->netns == context->host_netns &&
	       (!end->ifindex || fg_at(end, at->netns, (int)at->ifindex));
}

static enum fg_presence at_stack(const struct fg_context *context, const struct fg_progress *p,
				 const struct fg_result *result)
{
	if (p->made_here)
		return context->netfilter_out;
	if (was_bridged(context, p))
		return context->netfilter_bridge;
	return is_local(context, p, result) ? context->netfilter_local : context->netfilter;
}

/* A bridge shows itself to the host as one more device: what it hands up, it receives there. */
static enum fg_presence at_bridge(const struct fg_context *context, const struct fg_event *e)
{
	enum fg_presence there = e->kind == FG_EVENT_QUEUE ? context->netfilter_bridge_out
							   : context->netfilter_bridge_in;

	if (there == FG_PRESENCE_NO || fg_event_on_kind(context, e, "bridge"))
		return there;
	/* One that came up meanwhile may be a bridge. */
	return context->device && context->device(context->names, e->netns, (int)e->ifindex)
		       ? FG_PRESENCE_NO
		       : FG_PRESENCE_UNKNOWN;
}

static enum fg_presence at_device(const struct fg_context *context, const struct fg_event *e)
{
	const struct fg_hooked *hooked = context->hooked;

	if (context->netfilter_devices != FG_PRESENCE_YES)
		return context->netfilter_devices;
	for (size_t i = 0; hooked && i < hooked->count; i++)
		if (fg_at(e, hooked->list[i].netns, hooked->list[i].ifindex) &&
		    hooked->list[i].egress == (e->kind == FG_EVENT_QUEUE))
			return FG_PRESENCE_YES;
	return FG_PRESENCE_NO;
}

/* Pieces of the packet meet the devices behind the place where it was cut. */
static bool is_of_packet(const struct fg_context *context, struct fg_way *way,
			 const struct fg_event *e)
{
	return fg_progress_on_way(way, e) ||
	       (!context->of_reply && !(e->flags & FG_EVENT_F_REPLY) &&
		(e->flags & FG_EVENT_F_PIECE));
}

/* The hooks of devices and bridges, one packet's events at a time. */
struct met {
	enum fg_presence met;
	enum fg_presence arriving; /* at the device that received it last, which has it still */
	bool sent_on;		   /* a program redirected it since then */
};

/*
 * Both hooks of devices come after tc at ingress, and before tc at egress: a redirect from tc
 * ingress comes before the one, and skips the other (nf_skip_egress).
 */
static void follow(const struct fg_context *context, const struct fg_progress *p,
		   const struct fg_observation *o, struct met *m)
{
	const struct fg_event *e = &o->event;

	if (fg_moved_redirects(context, e)) {
		m->arriving = FG_PRESENCE_NO;
		m->sent_on = true;
	}
	if (e->netns != context->host_netns || !e->ifindex)
		return;
	if (e->kind == FG_EVENT_RECEIVE) {
		m->met = either(either(m->met, m->arriving), at_bridge(context, e));
		m->arriving = at_device(context, e);
		m->sent_on = false;
	} else if (e->kind == FG_EVENT_QUEUE) {
		m->met = either(m->met, at_bridge(context, e));
		if (!m->sent_on && !(p->received && fg_moved_noted_since(p, o)))
			m->met = either(m->met, at_device(context, e));
	}
}

enum fg_presence fg_met_netfilter(const struct fg_context *context, const struct fg_trace *trace,
				  const struct fg_progress *p, const struct fg_result *result)
{
	struct fg_way way = fg_progress_way(context, trace);
	struct met m = { at_stack(context, p, result), FG_PRESENCE_NO, false };

	/* By a program of the primary: past all of these that are known. */
	if (p->moved == FG_MOVED_YES)
		return m.met;
	for (uint32_t i = 0; i < trace->count; i++)
		if (is_of_packet(context, &way, &trace->list[i].event))
			follow(context, p, &trace->list[i], &m);
	return either(m.met, m.arriving);
}

/* Whether the receiving pod's own stack has taken it, and how far it came there. */
static enum fg_presence taken_in(const struct fg_context *context, const struct fg_result *result)
{
	const struct fg_event *e = result->end ? &result->end->event : NULL;

	if (!e || !e->netns || e->netns == context->host_netns || e->netns == context->pod_netns)
		return FG_PRESENCE_NO;
	if (result->stopped && (e->kind != FG_EVENT_STOP || !e->aux))
		return FG_PRESENCE_NO;
	/* Before everything else that is at its input (bpf/local.bpf.c). */
	if (result->stopped && e->aux == FG_STOP_AUX_STACK)
		return context->netfilter_to_stack;
	return result->outcome == FG_OUTCOME_DELIVERED || result->decider.kind == FG_KIND_SOCKET
		       ? context->netfilter_to
		       : FG_PRESENCE_NO;
}

enum fg_presence fg_met_own_netfilter(const struct fg_context *context, const struct fg_progress *p,
				      const struct fg_result *result, enum fg_stage stage)
{
	if (stage == FG_STAGE_INGRESS)
		return taken_in(context, result);
	/* A probe of flowgen's own does not come through the sending pod's stack. */
	return stage == FG_STAGE_EGRESS && !p->foreign && p->left_pod ? context->netfilter_from
								      : FG_PRESENCE_NO;
}
