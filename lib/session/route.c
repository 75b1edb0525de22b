// SPDX-License-Identifier: GPL-2.0-only
/*
 * session/route.c - how a probe leaves its pod: source address, device, gateway, or why the pod's
 * own kernel would not send it. A device that is not the endpoint's is an endpoint of its own.
 */
#include <linux/rtnetlink.h>

#include "session/internal.h"

static int fail_device(const struct fg_endpoint *m, const struct fg_probe_spec *spec,
		       const struct fg_way *way, const char *device, struct fg_error *err)
{
	char text[160];

	fg_fail(err, FG_ERR_UNSUPPORTED, "pod %s: its route leaves through %s, not %s (route: %s)",
		m->pod.ref, device, m->pod.peer.name,
		fg_route_text(m->pod.rtnl, &spec->vary.dst, &way->route, text, sizeof(text)));
	return fg_hint(err, "name no device, or %s; see 'ip rule' and 'ip route' in the pod",
		       device);
}

/* The number of the same pod with its device ifindex, added if need be. -1 on failure. */
static int endpoint_at(struct fg_session *s, const struct fg_endpoint *m, int ifindex,
		       const char *name, struct fg_error *err)
{
	int added;

	for (size_t i = 0; i < s->endpoint_count; i++) {
		const struct fg_endpoint *e = s->endpoints[i];

		if (e->pod.inode == m->pod.inode && e->pod.peer.ifindex == ifindex &&
		    e->wanted == m->wanted)
			return (int)i;
	}
	added = fg_session_add_pod(s, m->pod.ref, name, m->wanted, err);
	if (added < 0)
		fg_error_prefix(err, "its route leaves through %s", name);
	return added;
}

/* Whether the packet is for the pod's own device, or for none. */
static bool stays_with(const struct fg_endpoint *m, const struct fg_way *way)
{
	return way->error || way->route.type == RTN_LOCAL ||
	       way->route.ifindex == m->pod.peer.ifindex;
}

int fg_session_route(struct fg_session *session, struct fg_probe_spec *spec, struct fg_error *err)
{
	struct fg_endpoint *m = session->endpoints[spec->pod];
	struct fg_connect_query q = fg_connect_of_probe(spec);
	struct fg_link link = {};
	const struct fg_way *way;
	int other;

	if (m->pod.uplink && !spec->vary.src.family)
		return fg_fail(err, FG_ERR_USAGE, "%s: no source address given", m->pod.ref);
	if (m->pod.uplink) {
		spec->way =
			fg_ways_outside(&m->ways, &session->host, &m->pod, &spec->vary.src, err);
		return spec->way ? 0 : -1;
	}
	/* What is link-local is on each of the links: it is sent to the one that is meant. */
	if (fg_addr_is_link_local(&q.flow.dst))
		q.flow.oif = m->pod.peer.ifindex;
	spec->way = fg_ways_find(&m->ways, &m->pod, &q, err);
	if (!spec->way)
		return -1;
	way = &m->ways.list[spec->way - 1];
	if (spec->any_source && way->route.from.family)
		spec->vary.src = way->route.from;
	if (stays_with(m, way))
		return way->error ? 1 : 0;
	if (fg_link_get(m->pod.rtnl, way->route.ifindex, NULL, &link, err))
		return fg_error_prefix(err, "pod %s", m->pod.ref);
	if (m->chosen)
		return fail_device(m, spec, way, link.name, err);
	other = endpoint_at(session, m, link.ifindex, link.name, err);
	if (other < 0)
		return -1;
	spec->pod = other;
	spec->way = fg_ways_find(&session->endpoints[other]->ways, &session->endpoints[other]->pod,
				 &q, err);
	return spec->way ? 0 : -1;
}

int fg_session_find_way(struct fg_session *session, struct fg_probe_spec *spec,
			struct fg_error *err)
{
	return spec->way || fg_session_route(session, spec, err) >= 0 ? 0 : -1;
}
