// SPDX-License-Identifier: GPL-2.0-only
/*
 * session/explain.c - what is found out about a single probe besides its verdict: why the kernel
 * dropped it where it did, and what the policy itself states of it.
 */
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "cause/find.h"
#include "host/cgroup.h"
#include "judge/last.h"
#include "session/internal.h"

void fg_explain_free(struct fg_explain *explain)
{
	fg_stated_watch_close(explain->watch);
	fg_stated_tracer_close(explain->tracer);
	free(explain->stated);
	*explain = (struct fg_explain){};
}

/* --- what the policy states --- */

static size_t program_ids(const struct fg_ladder *ladder, uint32_t ids[FG_LADDER_MAX])
{
	for (size_t i = 0; i < ladder->count; i++)
		ids[i] = ladder->programs[i].id;
	return ladder->count;
}

/* Events of perf arrays are seen by a tracer, which some kernels refuse: then without it. */
static void trace_events(struct fg_session *s)
{
	struct fg_explain *x = &s->explain;

	if (!fg_stated_watch_writes_perf(x->watch))
		return;
	if (!x->tracer && !x->untraceable)
		x->tracer = fg_stated_tracer_open(s->datapath, NULL);
	x->untraceable = !x->tracer;
	if (x->tracer)
		fg_stated_watch_trace(x->watch, x->tracer);
}

void fg_explain_begin(struct fg_session *session)
{
	struct fg_explain *x = &session->explain;
	const struct fg_frame *frame = &session->window[0].frame;
	uint32_t ids[FG_LADDER_MAX];
	size_t count = program_ids(&session->hops[0]->ladder, ids);

	fg_stated_watch_close(FG_TAKE(x->watch));
	if (!count)
		return;
	x->packet = (struct fg_stated_packet){
		.length = (uint32_t)(frame->len - ETH_HLEN),
		.generation = session->window[0].trace.window,
	};
	if (frame->len <= ETH_HLEN ||
	    fg_flow_extract(frame->data + ETH_HLEN, frame->len - ETH_HLEN, &x->packet.flow))
		return;
	x->watch = fg_stated_watch_open(ids, count, NULL);
	if (!x->watch)
		return;
	trace_events(session);
	if (fg_stated_watch_before(x->watch, &x->packet, NULL))
		fg_stated_watch_close(FG_TAKE(x->watch));
}

/* Of a second packet, what both have moved. */
static void take_stated(struct fg_explain *x, struct fg_stated *now, bool again)
{
	if (again && x->stated) {
		fg_stated_repeat(x->stated, now);
		fg_cni_read(x->stated, &x->packet);
		free(now);
		return;
	}
	free(x->stated);
	x->stated = now;
}

void fg_explain_end(struct fg_session *session, bool again)
{
	struct fg_explain *x = &session->explain;
	struct fg_stated *now;

	if (!x->watch)
		return;
	now = calloc(1, sizeof(*now));
	if (now && !fg_stated_watch_after(x->watch, &x->packet, now, NULL))
		take_stated(x, now, again);
	else
		free(now);
	fg_stated_watch_close(FG_TAKE(x->watch));
}

/* --- why the kernel dropped it --- */

/*
 * Handed to a socket of the host's own: a proxy, where the address is not the host's; or to one
 * that was chosen for it.
 */
static const struct fg_observation *taken_at(const struct fg_endpoint *m, const struct fg_result *r)
{
	const struct fg_observation *end = r->dropped ? NULL : r->end;

	return end && end->event.kind == FG_EVENT_SOCKET &&
			       (end->event.netns == m->pod.host_inode ||
				end->event.code == FG_SOCKET_OTHER)
		       ? end
		       : NULL;
}

/* The service of IPVS that the packet was sent to, with where its connection goes. */
static void find_service(struct fg_session *session)
{
	const struct fg_probe *p = &session->window[0];
	const struct fg_endpoint *m = session->endpoints[p->spec.pod];
	struct fg_ipvs_services found = {};
	struct fg_flow flow = {};

	if (!session->contexts[0]->service_count ||
	    fg_flow_extract(p->frame.data + ETH_HLEN, p->frame.len - ETH_HLEN, &flow) ||
	    fg_ipvs_find(m->pod.host_netns, &flow.dst, &flow, &found, NULL))
		return;
	for (size_t i = 0; i < found.count; i++) {
		const struct fg_ipvs_service *s = &found.list[i];

		if (s->protocol != flow.protocol || (s->port && s->port != flow.dport))
			continue;
		session->explain.ipvs = *s;
		session->window[0].result.ipvs = &session->explain.ipvs;
	}
	fg_ipvs_free(&found);
}

/* IPVS itself dropped it: it had nobody to send it to. */
static void explain_ipvs(struct fg_session *session)
{
	struct fg_result *r = &session->window[0].result;
	struct fg_cause *cause = &session->explain.cause;
	char text[FG_IPVS_TEXT_LEN];

	if (!r->ipvs)
		return;
	fg_cause_set(cause, FG_CAUSE_IPVS, r->ipvs->backends ? "refused" : "no-backend",
		     "service %s", fg_ipvs_text(r->ipvs, text, sizeof(text)));
	r->cause = cause;
}

#define UNTRACED_MAX 8

/* What can have dropped the packet at the hooks of IP, and does not show in a trace of nf_tables.
 */
static size_t list_untraced(const struct fg_session *session, const struct fg_addr *dst,
			    const struct fg_hooks_entry *out[UNTRACED_MAX])
{
	const struct fg_endpoint *m = session->endpoints[session->window[0].spec.pod];
	const struct fg_hooks_way way = {
		.family = dst->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6,
		.local = fg_link_holds(m->pod.host_rtnl, dst, NULL) > 0,
		.by_ipvs = session->contexts[0]->service_count > 0,
	};

	return fg_hooks_untraced_on(&session->watch.hooks, &way, out, UNTRACED_MAX);
}

/* Netfilter dropped it, and no rule of nf_tables: what else of it can deny. */
static void explain_netfilter(struct fg_session *session)
{
	const struct fg_probe *p = &session->window[0];
	struct fg_cause *cause = &session->explain.cause;
	const struct fg_hooks_entry *list[UNTRACED_MAX];
	size_t count;

	if (p->trace.rule != FG_PRESENCE_NO || !session->watch.known || !p->result.end ||
	    p->result.end->event.netns != session->watch.netns)
		return;
	count = list_untraced(session, &p->spec.vary.dst, list);
	if (!count)
		return;
	fg_hooks_put_untraced(list, count, cause);
	session->window[0].result.cause = cause;
}

/* What decides besides the flow. A super-packet has no length that an MTU limits. */
static void read_frame(const struct fg_frame *frame, struct fg_cause_place *place)
{
	if (frame->len <= ETH_HLEN)
		return;
	place->tos = fg_flow_tos(frame->data + ETH_HLEN, frame->len - ETH_HLEN);
	if (!frame->offload.gso_type)
		place->length = (uint32_t)(frame->len - ETH_HLEN);
}

/* Of the probe, or (by its own context) of the reply to it. */
static void find_cause(struct fg_session *session, const struct fg_context *context,
		       struct fg_result *r, struct fg_cause *cause)
{
	const struct fg_probe *p = &session->window[0];
	const struct fg_endpoint *m = session->endpoints[p->spec.pod];
	const struct fg_observation *end = r->dropped ? r->end : NULL;
	struct fg_cause_place place = { .root = session->host.root, .netns = -1 };
	bool reply = context->of_reply;
	char label[330];

	if (!end && r->outcome == FG_OUTCOME_INCONCLUSIVE)
		end = fg_last_waiting(p, r, reply);
	if (!end)
		end = taken_at(m, r);
	if (!end || !end->event.netns)
		return;
	FG_FD int fd = -1;
	const struct fg_netns_entry *entry =
		fg_netns_list_find(&session->host.list, end->event.netns);

	if (end->event.netns == m->pod.host_inode) {
		place.netns = m->pod.host_netns;
	} else if (end->event.netns == m->pod.inode) {
		place.netns = m->pod.netns;
	} else if (entry) {
		fd = fg_netns_open(entry->path, NULL);
		place.netns = fd;
	}
	if (place.netns < 0)
		return;
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(place.netns, NULL);

	place.rtnl = sk;
	place.where =
		end->event.netns == m->pod.host_inode
			? "host"
			: fg_host_label(&session->host, end->event.netns, label, sizeof(label));
	place.ifindex = (int)end->event.ifindex;
	place.received_on = fg_last_device(p, end->event.netns, reply);
	place.reason = end->event.kind == FG_EVENT_FREE && context->reason
			       ? context->reason(context->names, (uint32_t)end->event.code)
			       : NULL;
	FG_FD int cgroup = place.reason && !strcmp(place.reason, "SOCKET_FILTER")
				   ? fg_cgroup_open_root(NULL)
				   : -1;

	place.cgroup = cgroup;
	place.symbol = end->symbol;
	place.cookie = end->event.kind == FG_EVENT_SOCKET ? end->event.aux : 0;
	place.flow = fg_last_flow(p, reply);
	place.hops = end->event.kind == FG_EVENT_FREE ? (uint8_t)end->event.id : 0;
	if (reply)
		place.length = end->event.length;
	else
		read_frame(&p->frame, &place);
	if (sk && fg_cause_find(&place, cause))
		r->cause = cause;
}

void fg_explain_cause(struct fg_session *session)
{
	struct fg_result *r = &session->window[0].result, *way = r->reply.way;
	struct fg_explain *x = &session->explain;

	find_service(session);
	switch (r->decider.kind) {
	case FG_KIND_IPVS:
		explain_ipvs(session);
		break;
	case FG_KIND_NETFILTER:
		explain_netfilter(session);
		break;
	default:
		find_cause(session, session->contexts[0], r, &x->cause);
	}
	if (way && (way->dropped || fg_last_waiting(&session->window[0], way, true)))
		find_cause(session, r->reply.back, way, &x->back_cause);
}
