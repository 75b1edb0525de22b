// SPDX-License-Identifier: GPL-2.0-only
/*
 * way/ways.c - what the pod's own kernel makes of packets: source address, device, gateway, or why
 * it would not send them. Its tables are asked anew now and then, so that a run sees them change.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "cause/find.h"
#include "way/goal.h"
#include "way/ways.h"

/* An answer is good for so long. */
#define GOOD_NS 50000000ULL

/* --- the answers --- */

static bool same_route(const struct fg_route *a, const struct fg_route *b)
{
	return a->ifindex == b->ifindex && a->type == b->type && fg_addr_equal(&a->via, &b->via) &&
	       fg_addr_equal(&a->from, &b->from);
}

/* What refuses it, by name. */
static void explain(const struct fg_ways *ways, const struct fg_pod *pod,
		    const struct fg_route_query *q, struct fg_way *way)
{
	struct fg_cause_place place = {
		.netns = pod->netns,
		.rtnl = pod->rtnl,
		.where = pod->name[0] ? pod->name : pod->ref,
		.root = ways->host_root,
		.tos = q->tos,
		.flow = { .family = q->dst.family,
			  .protocol = q->protocol,
			  .src = way->route.from,
			  .dst = q->dst,
			  .sport = q->sport,
			  .dport = q->dport },
	};

	fg_cause_of_lookup(&place, way->error, &way->cause);
}

/* The number of this answer, from 1; 0 if memory is short. */
static int remember(struct fg_ways *ways, const struct fg_pod *pod, const struct fg_route_query *q,
		    const struct fg_route *route, int error, struct fg_error *err)
{
	struct fg_way way = { .route = *route, .error = error }, *added;

	if (error)
		explain(ways, pod, q, &way);
	for (size_t i = ways->count; i-- > 0;) {
		const struct fg_way *w = &ways->list[i];

		if (w->error == error && same_route(&w->route, route) &&
		    !strcmp(w->cause.what, way.cause.what))
			return (int)i + 1;
	}
	added = FG_APPEND(ways->list, ways->count, "routes", err);
	if (!added)
		return 0;
	*added = way;
	return (int)ways->count;
}

/* What connect() fails with because of routing; anything else is a failure of the lookup itself. */
static bool is_refusal(int error)
{
	return error == -EACCES || error == -EINVAL || error == -EHOSTUNREACH ||
	       error == -ENETUNREACH || error == -EADDRNOTAVAIL || error == -ENETDOWN ||
	       error == -EAGAIN;
}

static int ask(struct fg_ways *ways, const struct fg_pod *pod, const struct fg_connect_query *q,
	       struct fg_error *err)
{
	struct fg_route route;
	int ret = fg_connect_route(pod->rtnl, pod->netns, q, &route);

	if (ret && !is_refusal(ret)) {
		fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "pod %s: route lookup", pod->ref);
		return 0;
	}
	return remember(ways, pod, &q->flow, &route, ret, err);
}

/* --- what was asked lately --- */

/* Ports are no part of it, nor is whether they were chosen. */
static bool same_ends(const struct fg_connect_query *a, const struct fg_connect_query *b)
{
	return fg_addr_equal(&a->flow.dst, &b->flow.dst) &&
	       fg_addr_equal(&a->flow.src, &b->flow.src) && a->flow.protocol == b->flow.protocol &&
	       a->flow.tos == b->flow.tos;
}

static struct fg_ways_asked *find_asked(struct fg_ways *ways, const struct fg_connect_query *q)
{
	/* The last one is the likeliest: a sweep has one destination. */
	for (size_t i = ways->asked_count; i-- > 0;)
		if (same_ends(&ways->asked[i].query, q))
			return &ways->asked[i];
	return NULL;
}

static int fail_protocol(const struct fg_pod *pod, const struct fg_connect_query *q,
			 struct fg_error *err)
{
	fg_fail(err, FG_ERR_UNSUPPORTED,
		"pod %s: its routing depends on protocols or ports, and the kernel cannot be asked "
		"for the route of protocol %u",
		pod->ref, q->flow.protocol);
	return fg_hint(err,
		       "TCP, UDP and ICMP can be asked for; see 'ip rule' and 'ip route' in it");
}

/* Asks, and notes for how many others the answer holds. */
static int ask_anew(struct fg_ways *ways, const struct fg_pod *pod,
		    const struct fg_connect_query *q, struct fg_error *err)
{
	struct fg_ways_asked *a = find_asked(ways, q);
	struct fg_connect_varies varies;
	struct fg_route_query flow = q->flow;
	int way = ask(ways, pod, q, err), ret;

	if (!way)
		return 0;
	if (!ways->list[way - 1].error)
		flow.src = ways->list[way - 1].route.from;
	ret = fg_connect_varies(pod->rtnl, pod->netns, &flow, &varies);
	if (ret) {
		fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "pod %s: routing rules", pod->ref);
		return 0;
	}
	if (varies.by_protocol && !fg_route_knows_protocol(q->flow.dst.family, q->flow.protocol)) {
		fail_protocol(pod, q, err);
		return 0;
	}
	if (!a)
		a = FG_APPEND(ways->asked, ways->asked_count, "routes", err);
	if (!a)
		return 0;
	*a = (struct fg_ways_asked){
		.query = *q, .at_ns = fg_clock_now(), .by_port = varies.by_port, .way = way
	};
	return way;
}

int fg_ways_find(struct fg_ways *ways, const struct fg_pod *pod, const struct fg_connect_query *q,
		 struct fg_error *err)
{
	const struct fg_ways_asked *a = find_asked(ways, q);

	if (!a || fg_clock_now() - a->at_ns > GOOD_NS)
		return ask_anew(ways, pod, q, err);
	return a->by_port ? ask(ways, pod, q, err) : a->way;
}

void fg_ways_free(struct fg_ways *ways)
{
	free(ways->list);
	free(ways->asked);
	*ways = (struct fg_ways){};
}

/* --- from outside --- */

/* An address that somebody outside can have: not one of the node, or of a pod on it. */
static int check_outside(struct fg_host *host, const struct fg_pod *uplink,
			 const struct fg_addr *src, struct fg_error *err)
{
	char text[FG_ADDR_TEXT_LEN], name[330];
	int own = fg_route_is_local(uplink->host_rtnl, src, err);
	const char *label;
	struct fg_goal goal;

	fg_addr_text(src, text, sizeof(text));
	if (own > 0)
		return fg_fail(err, FG_ERR_USAGE,
			       "source %s: it is an address of the node itself, and not from "
			       "outside",
			       text);
	if (own || fg_goal_find(host, uplink, src, src, uplink->primary.mac, NULL, &goal, err))
		return -1;
	if (goal.kind != FG_GOAL_POD)
		return 0;
	label = fg_host_label(host, goal.netns, name, sizeof(name));
	fg_fail(err, FG_ERR_USAGE, "source %s: it is an address of a pod on this node%s%.200s",
		text, label ? ", " : "", label ? label : "");
	return fg_hint(err, "--pod sends as that pod");
}

int fg_ways_outside(struct fg_ways *ways, struct fg_host *host, const struct fg_pod *uplink,
		    const struct fg_addr *src, struct fg_error *err)
{
	const struct fg_route route = { .type = RTN_UNICAST, .from = *src };
	const struct fg_route_query flow = { .dst = *src };

	for (size_t i = 0; i < ways->count; i++)
		if (same_route(&ways->list[i].route, &route))
			return (int)i + 1;
	return check_outside(host, uplink, src, err)
		       ? 0
		       : remember(ways, uplink, &flow, &route, 0, err);
}
