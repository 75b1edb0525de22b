// SPDX-License-Identifier: GPL-2.0-only
/*
 * session/hop.c - a pair of pod and destination: the next hop's address, the slot in the injector,
 * and the ladder over the whole way, from the pod's device to the receiver's.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/clock.h"
#include "base/grow.h"
#include "net/route.h"
#include "session/internal.h"

/* Programs of a route belong to no device. */
static bool has_route_program(const struct fg_endpoint *m, const struct fg_addr *dst)
{
	const struct fg_route_query query = { .dst = *dst };
	struct fg_route route;

	return !fg_route_lookup(m->pod.host_rtnl, &query, &route) && route.programs[0];
}

/* As long as the kernel itself asks: three times, a second apart. */
#define NEIGHBOUR_TIMEOUT_NS 3500000000ULL

void fg_hop_free(struct fg_hop *hop)
{
	if (!hop)
		return;
	fg_ladder_free(&hop->ladder);
	for (size_t i = 0; i < hop->back_count; i++)
		fg_back_free(hop->backs[i]);
	free(hop->services.ports);
	free(hop);
}

/* Run counters replace fexit if a program cannot be traced. -1: there is none. */
static int counter_of(struct fg_session *s, uint32_t id)
{
	struct fg_counter *c;

	for (size_t i = 0; i < s->counter_count; i++)
		if (s->counters[i].id == id)
			return s->counters[i].fd;
	c = FG_APPEND(s->counters, s->counter_count, "run counters", NULL);
	if (!c)
		return -1;
	*c = (struct fg_counter){ id, bpf_prog_get_fd_by_id(id) };
	return c->fd;
}

/* Whether both are asked, or not, by one packet at one place. */
static bool asked_together(const struct fg_program *a, const struct fg_program *b)
{
	return a->stage == b->stage &&
	       (a->stage == FG_STAGE_EGRESS ? a->side == b->side
					    : a->netns == b->netns && a->ifindex == b->ifindex);
}

/* Whether another program that cannot be traced is asked together with that one. */
static bool has_company(const struct fg_ladder *ladder, size_t i)
{
	for (size_t k = 0; k < ladder->count; k++)
		if (k != i && !ladder->programs[k].traced &&
		    asked_together(&ladder->programs[k], &ladder->programs[i]))
			return true;
	return false;
}

/* A program that was attached at a second place before the packets is noticed so soon. */
#define LIST_AGAIN_NS 1000000000ULL

/*
 * Where several are asked together their counters tell who decided; but not that of a program that
 * stands elsewhere too, and counts what comes there.
 */
static void open_counters(struct fg_session *s, struct fg_hop *hop)
{
	uint64_t now = fg_clock_now(), since = now > LIST_AGAIN_NS ? now - LIST_AGAIN_NS : 0;

	hop->has_untraced = hop->one_by_one = hop->shares = false;
	for (size_t i = 0; i < hop->ladder.count; i++) {
		const struct fg_program *p = &hop->ladder.programs[i];
		bool company = !p->traced && has_company(&hop->ladder, i);

		hop->counter_fds[i] = -1;
		hop->shares |= company;
		if (p->traced ||
		    (company && !fg_attachments_alone(&s->attachments, &s->host, p->id, since)))
			continue;
		hop->counter_fds[i] = counter_of(s, p->id);
		hop->has_untraced = true;
		hop->one_by_one |= company;
	}
	if (!hop->has_untraced)
		return;
	s->has_untraced = true;
	fg_session_count_runs(s);
}

bool fg_hop_distrust_counts(struct fg_session *session, const struct fg_hop *hop,
			    struct fg_trace *trace)
{
	bool any = false;

	if (!hop->one_by_one || !trace->runs)
		return false;
	for (size_t i = 0; i < hop->ladder.count; i++) {
		const struct fg_program *p = &hop->ladder.programs[i];

		if (trace->runs[i].times == FG_RUNS_UNKNOWN || !has_company(&hop->ladder, i) ||
		    fg_attachments_alone(&session->attachments, &session->host, p->id,
					 session->collected_ns))
			continue;
		trace->runs[i] = (struct fg_trace_runs){ .times = FG_RUNS_UNKNOWN };
		any = true;
	}
	return any;
}

/* A device of the host that leads out of it, or on to other devices. */
static enum fg_stage stage_of(const struct fg_receiver *r)
{
	bool leads_on = r->ifindex && r->link.kind[0] && !fg_link_is_pair(&r->link);

	return leads_on || r->ifindex < 0 ? FG_STAGE_NODE : FG_STAGE_INGRESS;
}

/*
 * XDP in the driver of the receiving pod's device puts packets into other buffers: told to the
 * observers. Where they cannot look at one more, a packet would get to the pod's stack unseen.
 */
static int watch_far_xdp(struct fg_session *s, struct fg_hop *hop, struct fg_error *err)
{
	struct fg_far *far = &hop->context.far;

	for (size_t i = fg_ladder_egress(&hop->ladder); i < hop->ladder.count; i++) {
		const struct fg_program *p = &hop->ladder.programs[i];

		if (p->hook != FG_HOOK_XDP || !far->netns || p->netns != far->netns)
			continue;
		fg_datapath_match_flows(s->datapath);
		if (p->native && fg_datapath_reacquire(s->datapath, p->netns, p->ifindex))
			return fg_fail(err, FG_ERR_UNSUPPORTED,
				       "the destination has native XDP, as %d other devices: no "
				       "more fit in a run",
				       FG_REACQUIRE_MAX);
		far->xdp_copies |= p->native;
	}
	return 0;
}

/*
 * A packet that Open vSwitch asks its daemon about comes back in another sk_buff: known by its
 * contents where it leaves for the receiver.
 */
static void watch_ovs(struct fg_session *s, const struct fg_hop *hop)
{
	const struct fg_far *far = &hop->context.far;

	if (!hop->context.ovs || !far->known ||
	    fg_datapath_reacquire(s->datapath, far->host_netns, far->host_ifindex))
		return;
	fg_datapath_match_flows(s->datapath);
}

/* The receiver's pair, or the device that leads out of the host, is looked at already. */
static void expect(struct fg_hop *hop, struct fg_receiver *r)
{
	const struct fg_far *far = &r->far;

	hop->context.unlisted = !r->listed;
	if (!far->known)
		return;
	hop->places[hop->place_count++] =
		(struct fg_hop_place){ far->host_netns, far->host_ifindex, true, r };
	if (far->netns)
		hop->places[hop->place_count++] =
			(struct fg_hop_place){ far->netns, far->ifindex, false, r };
}

/* NULL: the host itself, or it is not known. */
static struct fg_receiver *receiver_of(struct fg_session *s, const struct fg_endpoint *m,
				       const struct fg_goal *goal)
{
	if (goal->kind == FG_GOAL_POD)
		return fg_receiver_of_netns(&s->receivers, goal->netns, goal->ifindex);
	return goal->kind == FG_GOAL_OUT && goal->ifindex
		       ? fg_receiver_of_device(&s->receivers, &m->pod, goal->ifindex, true)
		       : NULL;
}

void fg_hop_ask_node(struct fg_session *session, const struct fg_pod *pod, struct fg_hop *hop)
{
	fg_watch_presence(&session->watch, pod, &hop->dst, &hop->services, &hop->context);
}

int fg_hop_watch_back(struct fg_session *session, const struct fg_pod *pod,
		      const struct fg_hop *hop, struct fg_error *err)
{
	const struct fg_receiver *from = hop->back_count ? hop->backs[0]->from : NULL;

	return from ? fg_watch_way_back(&session->watch, pod, from, err) : 0;
}

static int look_ahead(struct fg_session *s, const struct fg_endpoint *m, struct fg_hop *hop,
		      const struct fg_goal *goal, struct fg_error *err)
{
	struct fg_receiver *r = receiver_of(s, m, goal);

	if (fg_ladder_extend(&hop->ladder, &m->ladder, FG_STAGE_EGRESS, err))
		return -1;
	hop->ladder.other_filters = m->ladder.other_filters;
	hop->ladder.pod_filters = m->ladder.pod_filters;
	hop->ladder.pod_netfilter = m->ladder.pod_netfilter;
	hop->ladder.pod_qdisc = m->ladder.pod_qdisc;
	hop->ladder.pod_xdp = m->ladder.pod_xdp;
	hop->ladder.tcx = m->ladder.tcx;
	hop->context.ladder = &hop->ladder;
	if (r && fg_ladder_extend(&hop->ladder, &r->ladder, stage_of(r), err))
		return -1;
	if (r) {
		hop->context.far = r->far;
		expect(hop, r);
	}
	hop->context.unlisted |= !r && goal->kind == FG_GOAL_POD;
	hop->context.route_program =
		has_route_program(m, hop->services.only.family ? &hop->services.only : &hop->dst);
	if (watch_far_xdp(s, hop, err))
		return -1;
	watch_ovs(s, hop);
	open_counters(s, hop);
	if (fg_back_open(s, m, hop, r, err))
		return -1;
	return fg_session_traces(s) ? fg_hop_watch_back(s, &m->pod, hop, err) : 0;
}

static uint32_t wire_method(enum fg_method method)
{
	return method == FG_METHOD_PEER_EGRESS ? FG_WIRE_PEER_EGRESS
	       : method == FG_METHOD_BOUNCE    ? FG_WIRE_BOUNCE
					       : FG_WIRE_HOST_INGRESS;
}

static int take_slot(struct fg_session *s, const struct fg_endpoint *m, struct fg_hop *hop,
		     struct fg_error *err)
{
	struct fg_slot_target target = { .ifindex = (uint32_t)m->pod.primary.ifindex,
					 .method = wire_method(m->context.method),
					 .flags = (m->pod.uplink ? FG_TARGET_OUTSIDE : 0) |
						  (m->xdp_id ? FG_TARGET_REPORTED : 0) };

	if (m->port < 0)
		return 0;
	if (!hop->slotted && s->slots == FG_SLOTS_MAX)
		return fg_fail(err, FG_ERR_USAGE, "more than %d pairs of pod and destination",
			       FG_SLOTS_MAX);
	if (!hop->slotted)
		hop->slot = s->slots++;
	hop->slotted = true;
	memcpy(target.dmac, hop->mac, 6);
	memcpy(target.smac, m->pod.peer.mac, 6);
	return fg_datapath_set_target(s->datapath, hop->slot, &target, err);
}

/* Nothing gets further than the pod's own routing: the path is what the pod has of it. */
static int open_refused(const struct fg_endpoint *m, const struct fg_way *way, struct fg_hop *hop,
			struct fg_error *err)
{
	hop->error = way->error;
	hop->cause = way->cause;
	if (fg_ladder_extend(&hop->ladder, &m->ladder, FG_STAGE_EGRESS, err))
		return -1;
	hop->context = m->context;
	hop->context.ladder = &hop->ladder;
	return 0;
}

/*
 * The kernel has one table of neighbours for all namespaces, with 1024 places as a rule: that many
 * pods that each ask for their gateway would fill it, and keep others from asking. So of many pods
 * only the first ask, unless they know the answer. Where the node itself answers for the gateway,
 * and no switch is between, it is the primary's address.
 */
static int gateway_of(const struct fg_endpoint *m, const struct fg_route *route, uint8_t mac[6])
{
	if (m->pod.primary.master || route->ifindex != m->pod.peer.ifindex || !route->via.family ||
	    fg_route_is_local(m->pod.host_rtnl, &route->via, NULL) <= 0)
		return -1;
	memcpy(mac, m->pod.primary.mac, 6);
	return 0;
}

static int ask_next_hop(const struct fg_endpoint *m, const struct fg_route *route,
			struct fg_hop *hop, uint64_t timeout_ns, struct fg_error *err)
{
	return fg_route_next_hop(m->pod.rtnl, m->pod.netns, &m->pod.peer, &hop->dst, route,
				 timeout_ns, hop->mac, err);
}

static int find_next_hop(const struct fg_session *s, const struct fg_endpoint *m,
			 const struct fg_route *route, struct fg_hop *hop, struct fg_error *err)
{
	if (m->pod.uplink) {
		memcpy(hop->mac, m->pod.primary.mac, 6);
		return 0;
	}
	if (s->endpoint_count > FG_SESSION_FEW_PODS &&
	    (!ask_next_hop(m, route, hop, 0, NULL) || !gateway_of(m, route, hop->mac)))
		return 0;
	if (!ask_next_hop(m, route, hop, NEIGHBOUR_TIMEOUT_NS, err))
		return 0;
	return fg_error_prefix(err, "pod %s", m->pod.ref);
}

static int spare(struct fg_session *s, const struct fg_endpoint *m, const struct fg_hop *hop,
		 const struct fg_goal *goal, struct fg_error *err)
{
	const struct fg_spare_way way = { .from = &m->pod,
					  .dst = &hop->dst,
					  .has_programs = m->ladder.count,
					  .is_service = hop->context.service_count };

	return fg_spare_destination(&s->spare, &way, goal, err);
}

static int open_hop(struct fg_session *s, struct fg_endpoint *m, struct fg_hop *hop,
		    struct fg_error *err)
{
	const struct fg_way way = m->ways.list[hop->way - 1];
	char note[700];
	struct fg_goal goal;

	if (way.error)
		return open_refused(m, &way, hop, err);
	hop->context = m->context;
	fg_hop_ask_node(s, &m->pod, hop);
	if (find_next_hop(s, m, &way.route, hop, err)) {
		if (fg_pod_note(&s->host, &m->pod, note, sizeof(note)))
			fg_hint(err, "%.200s", note);
		return -1;
	}
	if (fg_goal_find(&s->host, &m->pod, &hop->src, &hop->dst, hop->mac, NULL, &goal, err) ||
	    spare(s, m, hop, &goal, err) ||
	    (fg_session_traces(s) && fg_watch_destination(&s->watch, &m->pod, &hop->dst, err)))
		return -1;
	hop->goal = goal;
	hop->found_ns = fg_clock_now();
	/* Behind a virtual address of IPVS that all leads to one. */
	if (hop->services.only.family &&
	    fg_goal_find(&s->host, &m->pod, &hop->src, &hop->services.only, hop->mac, NULL, &goal,
			 err))
		return -1;
	return look_ahead(s, m, hop, &goal, err) || take_slot(s, m, hop, err) ? -1 : 0;
}

/* The link of a link-local address is that of the pod's device: packets go out by it. */
static int check_zone(const struct fg_pod *pod, const struct fg_addr *addr, struct fg_error *err)
{
	char text[FG_ADDR_TEXT_LEN], index[16];

	if (!addr->zone[0] || !strcmp(addr->zone, pod->peer.name))
		return 0;
	snprintf(index, sizeof(index), "%d", pod->peer.ifindex);
	if (!strcmp(addr->zone, index))
		return 0;
	fg_fail(err, FG_ERR_USAGE, "pod %s: %s%%%s: packets leave by the pod's device %s", pod->ref,
		fg_addr_text(addr, text, sizeof(text)), addr->zone, pod->peer.name);
	return fg_hint(err, "--interface chooses another device of the pod");
}

/* The last one is the likeliest: a sweep has one destination. NULL: there is none yet. */
static struct fg_hop **hop_of(struct fg_endpoint *endpoint, const struct fg_probe_spec *spec)
{
	for (size_t i = endpoint->hop_count; i-- > 0;) {
		const struct fg_hop *hop = endpoint->hops[i];

		if (hop->way == spec->way && fg_addr_equal(&hop->dst, &spec->vary.dst) &&
		    fg_addr_equal(&hop->src, &spec->vary.src))
			return &endpoint->hops[i];
	}
	return NULL;
}

struct fg_hop *fg_hop_find(struct fg_session *session, const struct fg_probe_spec *spec,
			   struct fg_error *err)
{
	struct fg_endpoint *endpoint = session->endpoints[spec->pod];
	struct fg_hop *hop, **at = hop_of(endpoint, spec);

	if (check_zone(&endpoint->pod, &spec->vary.src, err) ||
	    check_zone(&endpoint->pod, &spec->vary.dst, err))
		return NULL;
	if (at)
		return *at;
	hop = calloc(1, sizeof(*hop));
	if (!hop) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "next hops");
		return NULL;
	}
	hop->src = spec->vary.src;
	hop->dst = spec->vary.dst;
	hop->way = spec->way;
	at = open_hop(session, endpoint, hop, err)
		     ? NULL
		     : FG_APPEND(endpoint->hops, endpoint->hop_count, "next hops", err);
	if (!at) {
		fg_hop_free(hop);
		return NULL;
	}
	*at = hop;
	return hop;
}

/* Pods come and go, and addresses with them: where a hop leads to is asked once a second. */
#define FIND_AGAIN_NS 1000000000ULL

static bool leads_elsewhere(struct fg_session *s, const struct fg_endpoint *m, struct fg_hop *hop)
{
	const struct fg_way *way = &m->ways.list[hop->way - 1];
	uint8_t mac[6];
	struct fg_goal goal;

	/* What cannot be asked now is asked when it is opened, which says why. */
	if (fg_goal_find(&s->host, &m->pod, &hop->src, &hop->dst, hop->mac, &hop->goal, &goal,
			 NULL))
		return true;
	if (goal.kind != hop->goal.kind || goal.netns != hop->goal.netns ||
	    goal.cookie != hop->goal.cookie || goal.ifindex != hop->goal.ifindex)
		return true;
	hop->goal = goal;
	/* If the pod does not know the neighbour now, it is where it was. */
	return !fg_route_next_hop(m->pod.rtnl, m->pod.netns, &m->pod.peer, &hop->dst, &way->route,
				  0, mac, NULL) &&
	       memcmp(mac, hop->mac, 6) != 0;
}

/* In the place of one that leads elsewhere now, with its slot. */
static int open_anew(struct fg_session *s, struct fg_endpoint *m, struct fg_hop **at,
		     struct fg_error *err)
{
	struct fg_hop *old = *at, *hop = calloc(1, sizeof(*hop)),
		      **past = FG_APPEND(m->past, m->past_count, "next hops", err);

	if (!hop || !past) {
		m->past_count -= past != NULL;
		free(hop);
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "next hops");
	}
	hop->src = old->src;
	hop->dst = old->dst;
	hop->way = old->way;
	hop->slot = old->slot;
	hop->slotted = old->slotted;
	fg_spare_forget(&s->spare, &old->goal, &old->dst);
	*past = old;
	*at = hop;
	if (!open_hop(s, m, hop, err))
		return 0;
	fg_hop_free(hop);
	*at = m->hops[--m->hop_count];
	return -1;
}

int fg_hop_renew(struct fg_session *session, const struct fg_probe_spec *spec, uint64_t now,
		 struct fg_error *err)
{
	struct fg_endpoint *m = session->endpoints[spec->pod];
	struct fg_hop **at = hop_of(m, spec), *hop = at ? *at : NULL;

	if (!hop || hop->error || now - hop->found_ns < FIND_AGAIN_NS)
		return 0;
	hop->found_ns = now;
	if (leads_elsewhere(session, m, hop))
		return open_anew(session, m, at, err);
	if (hop->shares)
		open_counters(session, hop);
	return 0;
}

/* --- what a packet that was sent has shown --- */

/* The receiver whose host side that device of the host is. */
static struct fg_receiver *pod_behind(struct fg_session *s, const struct fg_endpoint *m,
				      int ifindex)
{
	const char *path;
	struct fg_link link;
	uint32_t inode;

	if (fg_link_get(m->pod.host_rtnl, ifindex, NULL, &link, NULL) || !fg_link_is_pod_end(&link))
		return NULL;
	FG_FD int fd = fg_host_open_nsid(&s->host, m->pod.host_inode, m->pod.host_rtnl,
					 link.peer_nsid, &path, NULL);

	inode = fd < 0 ? 0 : fg_netns_inode(fd);
	return inode && inode != m->pod.inode
		       ? fg_receiver_of_netns(&s->receivers, inode, link.peer_ifindex)
		       : NULL;
}

/*
 * Where the event shows the packet: at the egress or ingress of a device of the host, or in another
 * namespace. Returns whether it is a place where programs may stand that are not the sender's.
 */
static bool place_of(const struct fg_hop *hop, const struct fg_event *e, struct fg_hop_place *out)
{
	const struct fg_context *c = &hop->context;
	uint32_t code = (uint32_t)e->code;

	*out = (struct fg_hop_place){ .netns = e->netns, .ifindex = (int)e->ifindex };
	if (!e->ifindex || e->netns == c->pod_netns ||
	    e->flags & (FG_EVENT_F_REPLY | FG_EVENT_F_CLONE | FG_EVENT_F_PIECE))
		return false;
	if (e->netns != c->host_netns)
		return e->kind == FG_EVENT_RECEIVE || e->kind == FG_EVENT_STOP ||
		       e->kind == FG_EVENT_SOCKET || e->kind == FG_EVENT_FREE;
	out->egress =
		e->kind == FG_EVENT_QUEUE ||
		(e->kind == FG_EVENT_FREE && c->codes.tc_egress && code == c->codes.tc_egress);
	return out->egress || (e->kind == FG_EVENT_RECEIVE && out->ifindex != c->primary_ifindex);
}

static bool is_known(const struct fg_hop *hop, const struct fg_hop_place *place)
{
	for (size_t i = 0; i < hop->place_count; i++) {
		const struct fg_hop_place *p = &hop->places[i];

		if (p->netns == place->netns && p->ifindex == place->ifindex &&
		    p->egress == place->egress)
			return true;
	}
	return false;
}

static struct fg_receiver *look_at(struct fg_session *s, const struct fg_endpoint *m,
				   const struct fg_hop_place *place)
{
	struct fg_receiver *r;

	if (place->netns != m->pod.host_inode)
		return fg_receiver_of_netns(&s->receivers, place->netns, place->ifindex);
	r = place->egress ? pod_behind(s, m, place->ifindex) : NULL;
	return r && r->listed ? r
			      : fg_receiver_of_device(&s->receivers, &m->pod, place->ifindex,
						      place->egress);
}

/* Whether the packet was seen at either end of the receiver's pair. */
static bool was_at(const struct fg_probe *probe, const struct fg_far *far)
{
	for (uint32_t i = 0; i < probe->trace.count; i++) {
		const struct fg_event *e = &probe->trace.list[i].event;

		if (e->netns == far->netns ||
		    (e->netns == far->host_netns && (int)e->ifindex == far->host_ifindex))
			return true;
	}
	return false;
}

/* Programs of a receiver that the packets so far were not observed at. */
static void take_over(struct fg_session *s, struct fg_hop *hop, struct fg_receiver *r,
		      const struct fg_probe *probe)
{
	const struct fg_far *far = &hop->context.far;

	enum fg_stage stage = stage_of(r);
	size_t before = hop->ladder.count, first = 0;

	if (before + r->ladder.count > FG_LADDER_MAX) {
		hop->context.unlisted = true;
		return;
	}
	while (first < before && hop->ladder.programs[first].stage <= stage)
		first++;
	if (fg_ladder_extend(&hop->ladder, &r->ladder, stage, NULL))
		hop->context.unlisted = true;
	/* Where the packet went is more than where it should have gone, and the last place most. */
	if (!far->known ||
	    (r->far.netns && (!far->netns || hop->far_learnt || !was_at(probe, far)))) {
		hop->context.far = r->far;
		hop->far_learnt = true;
	}
	if (hop->ladder.count == before)
		return;
	for (size_t i = first; i < first + hop->ladder.count - before; i++)
		hop->ladder.programs[i].traced = false;
	memmove(hop->counter_fds + first + hop->ladder.count - before, hop->counter_fds + first,
		(before - first) * sizeof(hop->counter_fds[0]));
	for (size_t i = first; i < first + hop->ladder.count - before; i++)
		hop->counter_fds[i] = -1;
	fg_session_make_room(s, hop, first, hop->ladder.count - before);
	hop->fresh = true;
}

void fg_hop_learn(struct fg_session *session, struct fg_endpoint *endpoint, struct fg_hop *hop,
		  const struct fg_probe *probe)
{
	struct fg_hop_place place;
	bool injected = false;

	for (uint32_t i = 0; i < probe->trace.count; i++) {
		const struct fg_event *e = &probe->trace.list[i].event;

		injected |= e->kind == FG_EVENT_INJECT;
		/* Behind a lost trail it may be another packet. */
		if (e->kind == FG_EVENT_LOST)
			break;
		if (!injected || !place_of(hop, e, &place) || is_known(hop, &place))
			continue;
		if (hop->place_count == FG_PLACES_MAX) {
			hop->context.unlisted = true;
			break;
		}
		place.receiver = look_at(session, endpoint, &place);
		fg_spare_met(&session->spare, &endpoint->pod, hop->dst.family, place.netns,
			     place.ifindex);
		hop->places[hop->place_count++] = place;
		if (place.receiver && place.receiver->listed)
			take_over(session, hop, place.receiver, probe);
		else
			hop->context.unlisted = true;
	}
}

void fg_hop_settle(struct fg_session *session, struct fg_hop *hop)
{
	fg_back_settle(session, hop);
	if (!hop->fresh)
		return;
	hop->fresh = false;
	for (size_t i = 0; i < hop->ladder.count; i++)
		fg_verdicts_trace(session->verdicts, &hop->ladder.programs[i]);
	/* It was seen on its way there already. */
	watch_far_xdp(session, hop, NULL);
	open_counters(session, hop);
}

/* Intercepted there, or before a socket, if not before that. */
static bool comes_to_stack(const struct fg_session *s, const struct fg_trace *trace)
{
	if (s->options.deliver || s->options.reply || s->spare.no_tcx)
		return true;
	for (uint32_t i = 0; i < trace->count; i++)
		if (trace->list[i].event.kind == FG_EVENT_STOP && trace->list[i].event.aux)
			return true;
	return false;
}

void fg_hop_ask_receiver(struct fg_session *session, struct fg_hop *hop,
			 const struct fg_trace *trace)
{
	struct fg_context *c = &hop->context;
	bool v6 = hop->dst.family == AF_INET6;

	/* A packet that is intercepted before the pod's stack does not meet it. */
	if (!comes_to_stack(session, trace))
		return;
	for (size_t i = 0; i < hop->place_count; i++) {
		struct fg_receiver *r = hop->places[i].receiver;

		if (!r || !r->listed || r->ifindex || !c->far.netns || r->netns != c->far.netns)
			continue;
		if (fg_watch_pod(r))
			c->unlisted = true;
		c->netfilter_to = r->own_in[v6];
		c->netfilter_to_stack = r->own_to_stack[v6];
		c->chosen_to = r->chosen;
	}
}
