// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge/moved.c - whether a program sent the packet on to another device, and where to, by what was
 * seen of the packet itself. A program that could not be traced does not say so.
 */
#include <string.h>

#include "base/count.h"
#include "judge/internal.h"

/* A redirect by a program that failed: these free the packet themselves. */
static const char *const redirectors[] = {
	"skb_do_redirect",     "__bpf_redirect",  "__bpf_tx_skb",      "bpf_out_neigh",
	"____dev_forward_skb", "dev_forward_skb", "__dev_forward_skb", "__bpf_rx_skb",
};

bool fg_moved_redirect_failed(const struct fg_observation *o)
{
	return fg_event_starts_with_any(o->symbol, redirectors, COUNT(redirectors));
}

bool fg_moved_noted_since(const struct fg_progress *p, const struct fg_observation *o)
{
	return o->event.flags & ~p->received->event.flags & FG_EVENT_F_MOVED;
}

/*
 * Whether the IP stack took the packet between the two, or netfilter on a bridge. They take it from
 * the socket that sent it, and connection tracking, which is behind that, puts its entry on it; no
 * redirect does either. A tc filter can (act_ct): with filters of other kinds the entry says
 * nothing.
 */
static enum fg_presence went_through_ip(const struct fg_context *context,
					const struct fg_event *from, const struct fg_event *e)
{
	const uint8_t tracked = FG_EVENT_F_CONNTRACK;

	if (from->flags & FG_EVENT_F_OWNED)
		return e->flags & FG_EVENT_F_OWNED ? FG_PRESENCE_NO : FG_PRESENCE_YES;
	if ((e->flags & ~from->flags & tracked) && !context->ladder->other_filters)
		return FG_PRESENCE_YES;
	return FG_PRESENCE_UNKNOWN;
}

/* Not by its own hops: a program that takes one leaves it as a router does. */
static enum fg_moved moved_a_hop(enum fg_presence through_ip)
{
	return through_ip == FG_PRESENCE_NO ? FG_MOVED_YES : FG_MOVED_UNSURE;
}

/*
 * Queued on the host with its hops as they were. A bridge does that too, but it leaves the Ethernet
 * header as it is, which bpf_redirect_neigh() does not; and what bpf_redirect() sends on is noted
 * by the kernel, where it does so.
 */
static enum fg_moved moved_to_queue(const struct fg_context *context, const struct fg_progress *p,
				    const struct fg_event *e)
{
	const struct fg_event *from = &p->received->event;
	enum fg_presence through_ip = went_through_ip(context, from, e);

	/*
	 * What netfilter translates on a bridge (br_netfilter) the bridge sends to itself if it has
	 * to ask for the neighbour, with its own address.
	 */
	if (context->bridged && p->translated && fg_event_on_kind(context, e, "bridge"))
		return FG_MOVED_UNSURE;
	if (through_ip == FG_PRESENCE_YES)
		return FG_MOVED_NO;
	if (from->id != e->id)
		return moved_a_hop(through_ip);
	if (!context->bridged || (from->aux && e->aux && from->aux != e->aux))
		return FG_MOVED_YES;
	/*
	 * What had been noted before says nothing of the host's programs, and nor does it that it
	 * still is.
	 */
	return context->notes_redirects && !(from->flags & FG_EVENT_F_MOVED) ? FG_MOVED_NO
									     : FG_MOVED_UNSURE;
}

/*
 * Received elsewhere without being queued there: a bridge shows itself so to the host's own stack.
 */
static enum fg_moved moved_to_receive(const struct fg_context *context, const struct fg_progress *p,
				      const struct fg_event *e)
{
	const struct fg_event *from = &p->received->event;
	enum fg_presence through_ip = went_through_ip(context, from, e);
	const struct fg_device *device =
		context->device ? context->device(context->names, e->netns, (int)e->ifindex) : NULL;

	if (through_ip == FG_PRESENCE_YES)
		return FG_MOVED_NO;
	if (!context->bridged)
		return from->id == e->id ? FG_MOVED_YES : moved_a_hop(through_ip);
	if (!device)
		return FG_MOVED_UNSURE;
	return strcmp(device->kind, "bridge") ? FG_MOVED_YES : FG_MOVED_NO;
}

/* Freed, but not where it was received: while it waited for a neighbour, for one. */
static enum fg_moved moved_and_freed(const struct fg_context *context, const struct fg_progress *p,
				     const struct fg_observation *o)
{
	static const char *const neighbours[] = { "neigh", "__neigh", "arp_", "ndisc_" };
	const struct fg_event *from = &p->received->event, *e = &o->event;
	enum fg_presence through_ip;

	if (!fg_event_is_drop(context, e) || !e->ifindex || fg_on_primary(context, e))
		return FG_MOVED_NO;
	through_ip = went_through_ip(context, from, e);
	if (through_ip == FG_PRESENCE_YES)
		return FG_MOVED_NO;
	if (from->id != e->id)
		return moved_a_hop(through_ip);
	return !context->bridged ||
			       fg_event_starts_with_any(o->symbol, neighbours, COUNT(neighbours))
		       ? FG_MOVED_YES
		       : FG_MOVED_NO;
}

/*
 * A packet that a program sent on keeps the socket that it is of, unlike one that was routed; and
 * its hops, unless the program takes one. bpf_redirect_peer() goes on with the packet as if the
 * other device had received it, so that nothing is seen of it before what that namespace does with
 * it.
 */
enum fg_moved fg_moved_before(const struct fg_context *context, const struct fg_progress *p,
			      const struct fg_observation *o)
{
	const struct fg_event *e = &o->event;

	if (fg_moved_redirect_failed(o) || fg_moved_noted_since(p, o))
		return FG_MOVED_YES;
	if (e->ifindex && e->netns != context->host_netns)
		return FG_MOVED_YES;
	switch (e->kind) {
	case FG_EVENT_QUEUE:
		return moved_to_queue(context, p, e);
	case FG_EVENT_RECEIVE:
		return moved_to_receive(context, p, e);
	case FG_EVENT_FREE:
		return moved_and_freed(context, p, o);
	default:
		return FG_MOVED_NO;
	}
}

enum fg_effect fg_moved_program_effect(const struct fg_program *program, int retval)
{
	return program->classifier ? FG_EFFECT_NEXT : fg_action_read(program->hook, retval, NULL);
}

bool fg_moved_redirects(const struct fg_context *context, const struct fg_event *e)
{
	if (e->kind != FG_EVENT_POLICY)
		return false;
	for (size_t i = 0; i < context->ladder->count; i++) {
		const struct fg_program *program = &context->ladder->programs[i];

		if (program->id == e->id)
			return fg_moved_program_effect(program, e->code) == FG_EFFECT_REDIRECT;
	}
	return false;
}

bool fg_moved_is_target(const struct fg_progress *p, const struct fg_observation *o)
{
	const struct fg_event *e = &o->event;
	const struct fg_event *at_last = p->place ? &p->place->event : NULL;

	/* Where a redirect failed the packet is still where it was: at netkit, at the other end. */
	if (fg_moved_redirect_failed(o))
		return false;
	switch (e->kind) {
	case FG_EVENT_QUEUE:
		return true;
	case FG_EVENT_RECEIVE:
	case FG_EVENT_SOCKET:
	case FG_EVENT_STOP:
	case FG_EVENT_REPLY:
	case FG_EVENT_FREE:
	case FG_EVENT_CONSUME:
		return e->ifindex && at_last && !fg_at(e, at_last->netns, (int)at_last->ifindex);
	default:
		return false;
	}
}
