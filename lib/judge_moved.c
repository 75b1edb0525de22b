// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge_moved.c - whether a program sent the packet on to another device, and where to, by what was seen of the packet itself.
 * A program that could not be traced does not say so.
 */
#include <string.h>

#include "judge_parts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A redirect by a program that failed: these free the packet themselves. */
static const char *const redirectors[] = {
	"skb_do_redirect",     "__bpf_redirect",  "__bpf_tx_skb",      "bpf_out_neigh",
	"____dev_forward_skb", "dev_forward_skb", "__dev_forward_skb", "__bpf_rx_skb",
};

bool fg_failed_redirect(const struct fg_observation *o)
{
	return fg_starts_with_any(o->symbol, redirectors, COUNT(redirectors));
}

bool fg_noted_since(const struct fg_progress *p, const struct fg_observation *o)
{
	return o->event.flags & ~p->received->event.flags & FG_EVENT_F_MOVED;
}

/*
 * Queued on the host with its hops as they were. A bridge does that too, but it leaves the Ethernet header as it is, which
 * bpf_redirect_neigh() does not; and what bpf_redirect() sends on is noted by the kernel, where it does so.
 */
static enum fg_moved moved_to_queue(const struct fg_scene *scene, const struct fg_event *from,
				    const struct fg_event *e)
{
	if (!scene->bridged || (from->aux && e->aux && from->aux != e->aux))
		return FG_MOVED_YES;
	/* What had been noted before says nothing of the host's programs, and nor does it that it still is. */
	return scene->notes_redirects && !(from->flags & FG_EVENT_F_MOVED) ? FG_MOVED_NO
									   : FG_MOVED_UNSURE;
}

/* Received elsewhere without being queued there: a bridge shows itself so to the host's own stack. */
static enum fg_moved moved_to_receive(const struct fg_scene *scene, const struct fg_event *e)
{
	const struct fg_device *device =
		scene->device ? scene->device(scene->names, e->netns, (int)e->ifindex) : NULL;

	if (!scene->bridged)
		return FG_MOVED_YES;
	if (!device)
		return FG_MOVED_UNSURE;
	return strcmp(device->kind, "bridge") ? FG_MOVED_YES : FG_MOVED_NO;
}

/* Freed with its hops as they were, but not where it was received: while it waited for a neighbour, for one. */
static enum fg_moved moved_and_freed(const struct fg_scene *scene, const struct fg_observation *o)
{
	static const char *const neighbours[] = { "neigh", "__neigh", "arp_", "ndisc_" };
	const struct fg_event *e = &o->event;

	if (!fg_is_drop(scene, e) || !e->ifindex || fg_on_primary(scene, e))
		return FG_MOVED_NO;
	return !scene->bridged || fg_starts_with_any(o->symbol, neighbours, COUNT(neighbours))
		       ? FG_MOVED_YES
		       : FG_MOVED_NO;
}

/*
 * A routed packet loses a hop; one that a program sent on does not, unless the program takes it: bpf_redirect() and its kin
 * leave the header as it is. bpf_redirect_peer() goes on with the packet as if the other device had received it, so that
 * nothing is seen of it before what that namespace does with it.
 */
enum fg_moved fg_moved_before(const struct fg_scene *scene, const struct fg_progress *p,
			      const struct fg_observation *o)
{
	const struct fg_event *from = &p->received->event, *e = &o->event;
	bool place = e->kind == FG_EVENT_QUEUE || e->kind == FG_EVENT_RECEIVE;

	if (fg_failed_redirect(o) || fg_noted_since(p, o))
		return FG_MOVED_YES;
	if (e->ifindex && e->netns != scene->host_netns)
		return FG_MOVED_YES;
	if (!from->id || from->id != e->id)
		return FG_MOVED_NO;
	if (!place)
		return moved_and_freed(scene, o);
	return e->kind == FG_EVENT_QUEUE ? moved_to_queue(scene, from, e)
					 : moved_to_receive(scene, e);
}

enum fg_effect fg_program_effect(const struct fg_program *program, int retval)
{
	return program->classifier ? FG_EFFECT_NEXT : fg_action_read(program->hook, retval, NULL);
}

bool fg_redirects(const struct fg_scene *scene, const struct fg_event *e)
{
	if (e->kind != FG_EVENT_POLICY)
		return false;
	for (size_t i = 0; i < scene->ladder->count; i++) {
		const struct fg_program *program = &scene->ladder->programs[i];

		if (program->id == e->id)
			return fg_program_effect(program, e->code) == FG_EFFECT_REDIRECT;
	}
	return false;
}

bool fg_is_target(const struct fg_progress *p, const struct fg_event *e)
{
	const struct fg_event *at_last = p->place ? &p->place->event : NULL;

	switch (e->kind) {
	case FG_EVENT_QUEUE:
		return true;
	case FG_EVENT_RECEIVE:
	case FG_EVENT_SOCKET:
	case FG_EVENT_STOP:
	case FG_EVENT_FREE:
	case FG_EVENT_CONSUME:
		return e->ifindex && at_last && !fg_at(e, at_last->netns, (int)at_last->ifindex);
	default:
		return false;
	}
}
