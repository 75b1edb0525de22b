// SPDX-License-Identifier: GPL-2.0-only
/*
 * session/back.c - the ways that replies come: from the pod that replies, by the host, to the
 * sending pod's own pair. Each has a ladder and a context like a hop's, with the ends swapped.
 */
#include <errno.h>
#include <stdlib.h>

#include "host/marking.h"
#include "session/internal.h"

void fg_back_free(struct fg_back *back)
{
	if (!back)
		return;
	fg_ladder_free(&back->ladder);
	free(back);
}

static bool has_native_xdp(const struct fg_ladder *ladder)
{
	for (size_t i = 0; i < ladder->count; i++)
		if (ladder->programs[i].hook == FG_HOOK_XDP && ladder->programs[i].native)
			return true;
	return false;
}

/* As of a sending pod: whether a redirect must be told from bridging without a return value. */
static bool needs_marking(const struct fg_receiver *from)
{
	for (size_t i = 0; i < from->out.count; i++)
		if (from->pod.primary.master && from->out.programs[i].side == FG_SIDE_HOST &&
		    !from->out.programs[i].traced)
			return true;
	return false;
}

static void fill_sender(struct fg_context *c, const struct fg_receiver *from)
{
	c->pod_netns = from->pod.inode;
	c->peer_ifindex = from->pod.peer.ifindex;
	c->primary_ifindex = from->pod.primary.ifindex;
	c->netkit = from->far.netkit;
	c->bridged = from->pod.primary.master != 0;
	c->notes_redirects = needs_marking(from) && fg_marking_works();
	c->xdp_copies = has_native_xdp(&from->out);
	c->unlisted |= !from->out_listed;
}

/*
 * A reply is first seen when its pod has sent it, as a packet of the pod's own socket is: so that
 * is the method.
 */
static void fill_context(const struct fg_endpoint *m, struct fg_back *b)
{
	const struct fg_context *out = &m->context;

	b->context = (struct fg_context){
		.ladder = &b->ladder,
		.of_reply = true,
		.to_uplink = m->pod.uplink,
		.method = FG_METHOD_POD_SOCKET,
		.host_netns = m->pod.host_inode,
		.netfilter_traced = out->netfilter_traced,
		.netfilter_from = FG_PRESENCE_NO,
		.netfilter_to = FG_PRESENCE_NO,
		.netfilter_to_stack = FG_PRESENCE_NO,
		.far = { .known = true,
			 .netkit = out->netkit,
			 .host_netns = m->pod.host_inode,
			 .host_ifindex = m->pod.primary.ifindex,
			 .netns = m->pod.uplink ? 0 : m->pod.inode,
			 .ifindex = m->pod.peer.ifindex,
			 .xdp_copies = has_native_xdp(&m->back) },
		.codes = out->codes,
		.device = out->device,
		.reason = out->reason,
		.names = out->names,
	};
	if (b->from)
		fill_sender(&b->context, b->from);
}

static int fill_ladder(const struct fg_endpoint *m, struct fg_back *b, struct fg_error *err)
{
	const struct fg_receiver *from = b->from;

	if (from && fg_ladder_extend(&b->ladder, &from->out, FG_STAGE_EGRESS, err))
		return -1;
	if (from) {
		b->ladder.other_filters = from->out.other_filters;
		b->ladder.pod_filters = from->out.pod_filters;
		b->ladder.pod_qdisc = from->out.pod_qdisc;
	}
	for (size_t i = 0; i < b->place_count; i++) {
		const struct fg_receiver *r = b->places[i].receiver;

		if (!r || !r->listed)
			b->context.unlisted = true;
		else if (fg_ladder_extend(&b->ladder, &r->ladder, FG_STAGE_NODE, err))
			return -1;
	}
	return fg_ladder_extend(&b->ladder, &m->back, FG_STAGE_INGRESS, err);
}

/* Adds the way in *wanted (where it begins, and its places). NULL on failure. */
static struct fg_back *add(const struct fg_endpoint *m, struct fg_hop *hop,
			   const struct fg_back *wanted, struct fg_error *err)
{
	struct fg_back *b = hop->back_count < FG_BACKS_MAX ? malloc(sizeof(*b)) : NULL;

	if (!b) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "return paths");
		return NULL;
	}
	*b = *wanted;
	fill_context(m, b);
	if (fill_ladder(m, b, err)) {
		fg_back_free(b);
		return NULL;
	}
	hop->backs[hop->back_count++] = b;
	return b;
}

/* A pod of another host namespace has a pair that leads elsewhere. */
static bool is_near(const struct fg_endpoint *m, const struct fg_receiver *r)
{
	return r && r->listed && !r->ifindex && r->pod.host_inode == m->pod.host_inode;
}

int fg_back_open(struct fg_session *session, const struct fg_endpoint *endpoint, struct fg_hop *hop,
		 struct fg_receiver *r, struct fg_error *err)
{
	struct fg_back wanted = {};

	if (!session->options.reply)
		return 0;
	if (is_near(endpoint, r)) {
		wanted.from = r;
		wanted.netns = r->netns;
	} else if (r && r->ifindex > 0) {
		wanted.places[wanted.place_count++] = (struct fg_hop_place){
			.netns = endpoint->pod.host_inode,
			.ifindex = r->ifindex,
			.receiver = fg_receiver_of_device(&session->receivers, &endpoint->pod,
							  r->ifindex, false),
		};
	}
	return add(endpoint, hop, &wanted, err) ? 0 : -1;
}

/* --- what a reply that was seen has shown --- */

static bool is_of_reply(const struct fg_trace *trace, const struct fg_event *e)
{
	return (e->flags & FG_EVENT_F_REPLY) && e->branch == trace->reply.event.branch &&
	       !(e->flags & (FG_EVENT_F_CLONE | FG_EVENT_F_PIECE));
}

static const struct fg_event *first_seen(const struct fg_trace *trace)
{
	for (uint32_t i = 0; i < trace->count; i++)
		if (is_of_reply(trace, &trace->list[i].event))
			return &trace->list[i].event;
	return NULL;
}

/*
 * Whether the reply began there: in the pod, at that device of it, or (where XDP put it into
 * another buffer) at the host's end of its pair.
 */
static bool begins_at(const struct fg_endpoint *m, const struct fg_back *b,
		      const struct fg_event *e)
{
	const struct fg_pod *pod = b->from ? &b->from->pod : NULL;

	if (pod && e->netns == m->pod.host_inode && e->kind == FG_EVENT_RECEIVE)
		return (int)e->ifindex == pod->primary.ifindex;
	if (e->netns == m->pod.host_inode || e->netns == m->pod.inode || !e->netns)
		return !b->netns;
	return e->netns == b->netns &&
	       (!pod || !e->ifindex || (int)e->ifindex == pod->peer.ifindex);
}

/* Where it was first seen: the expected pod, one that is known by now, or another. */
static void find_sender(struct fg_session *s, const struct fg_endpoint *m, const struct fg_hop *hop,
			const struct fg_event *e, struct fg_back *wanted)
{
	const struct fg_back *known = e ? NULL : hop->backs[0];

	for (size_t i = 0; e && !known && i < hop->back_count; i++)
		if (begins_at(m, hop->backs[i], e))
			known = hop->backs[i];
	if (known) {
		wanted->netns = known->netns;
		wanted->from = known->from;
		return;
	}
	if (e->netns == m->pod.host_inode || e->netns == m->pod.inode || !e->netns)
		return;
	wanted->netns = e->netns;
	wanted->from = fg_receiver_of_netns(&s->receivers, e->netns, (int)e->ifindex);
	if (!is_near(m, wanted->from))
		wanted->from = NULL;
}

/* Whether the event shows the reply at a device of the host that is of neither pod's pair. */
static bool place_of(const struct fg_endpoint *m, const struct fg_back *wanted,
		     const struct fg_event *e, struct fg_hop_place *out)
{
	uint32_t dropped = m->context.codes.tc_egress;
	int primary = wanted->from ? wanted->from->pod.primary.ifindex : 0;

	if (e->netns != m->pod.host_inode || !e->ifindex)
		return false;
	*out = (struct fg_hop_place){ .netns = e->netns, .ifindex = (int)e->ifindex };
	out->egress = e->kind == FG_EVENT_QUEUE ||
		      (e->kind == FG_EVENT_FREE && dropped && (uint32_t)e->code == dropped);
	return out->egress ? out->ifindex != m->pod.primary.ifindex
			   : e->kind == FG_EVENT_RECEIVE && out->ifindex != primary;
}

static bool has_place(const struct fg_back *b, const struct fg_hop_place *place)
{
	for (size_t i = 0; i < b->place_count; i++)
		if (b->places[i].ifindex == place->ifindex && b->places[i].egress == place->egress)
			return true;
	return false;
}

static void find_places(const struct fg_endpoint *m, const struct fg_trace *trace,
			struct fg_back *wanted)
{
	struct fg_hop_place place;

	for (uint32_t i = 0; i < trace->count; i++)
		if (is_of_reply(trace, &trace->list[i].event) &&
		    place_of(m, wanted, &trace->list[i].event, &place) &&
		    !has_place(wanted, &place) && wanted->place_count < FG_PLACES_MAX)
			wanted->places[wanted->place_count++] = place;
}

static struct fg_back *find(const struct fg_hop *hop, const struct fg_back *wanted)
{
	for (size_t i = 0; i < hop->back_count; i++) {
		struct fg_back *b = hop->backs[i];
		bool all = b->netns == wanted->netns && b->from == wanted->from;

		for (size_t k = 0; all && k < wanted->place_count; k++)
			all = has_place(b, &wanted->places[k]);
		if (all)
			return b;
	}
	return NULL;
}

/* Programs that were listed only now were not observed at what was sent. */
static struct fg_back *learn(struct fg_session *s, const struct fg_endpoint *m, struct fg_hop *hop,
			     struct fg_back *wanted)
{
	struct fg_back *b;

	for (size_t i = 0; i < wanted->place_count; i++)
		wanted->places[i].receiver = fg_receiver_of_device(&s->receivers, &m->pod,
								   wanted->places[i].ifindex,
								   wanted->places[i].egress);
	b = add(m, hop, wanted, NULL);
	if (!b)
		return NULL;
	b->fresh = true;
	for (size_t i = 0; i < b->ladder.count; i++)
		b->ladder.programs[i].traced = false;
	return b;
}

void fg_back_choose(struct fg_session *session, const struct fg_endpoint *endpoint,
		    struct fg_hop *hop, struct fg_probe *probe)
{
	const struct fg_trace *trace = &probe->trace;
	struct fg_back wanted = {}, *b;
	uint8_t v6 = hop->src.family == AF_INET6;

	if (!hop->back_count)
		return;
	find_sender(session, endpoint, hop, first_seen(trace), &wanted);
	find_places(endpoint, trace, &wanted);
	b = find(hop, &wanted);
	if (!b)
		b = learn(session, endpoint, hop, &wanted);
	if (!b) {
		b = hop->backs[0];
		b->context.unlisted = true;
	}
	fg_watch_presence_back(&session->watch, &endpoint->pod, &hop->src, &b->context);
	if (b->from && fg_watch_pod(b->from))
		b->context.unlisted = true;
	if (b->from)
		b->context.netfilter_from = b->from->own_out[v6];
	probe->result.reply.back = &b->context;
}

void fg_back_settle(struct fg_session *session, struct fg_hop *hop)
{
	for (size_t k = 0; k < hop->back_count; k++) {
		struct fg_back *b = hop->backs[k];

		for (size_t i = 0; b->fresh && i < b->ladder.count; i++)
			fg_verdicts_trace(session->verdicts, &b->ladder.programs[i]);
		b->fresh = false;
	}
}

bool fg_back_changed(const struct fg_session *session, const struct fg_endpoint *endpoint)
{
	struct fg_ladder now;
	bool changed;

	if (!session->options.reply)
		return false;
	if (fg_policy_list_back(&endpoint->pod, &now, NULL))
		return true;
	fg_receiver_leave_out_own(&session->receivers, &now);
	changed = !fg_policy_same(&endpoint->back, &now);
	fg_ladder_free(&now);
	return changed;
}
