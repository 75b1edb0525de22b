// SPDX-License-Identifier: GPL-2.0-only
#include "judge/last.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <string.h>

static struct fg_flow flow_of(const struct fg_wire_flow *w, struct fg_flow flow)
{
	if (!w->family)
		return flow;
	flow.family = w->family == 4 ? AF_INET : AF_INET6;
	flow.protocol = w->proto;
	flow.src.family = flow.dst.family = flow.family;
	memcpy(flow.src.bytes, w->src, sizeof(flow.src.bytes));
	memcpy(flow.dst.bytes, w->dst, sizeof(flow.dst.bytes));
	if (flow.sport || flow.dport) {
		flow.sport = ntohs(w->sport);
		flow.dport = ntohs(w->dport);
	}
	return flow;
}

struct fg_flow fg_last_flow(const struct fg_probe *probe, bool reply)
{
	const struct fg_trace *t = &probe->trace;
	struct fg_flow flow = {};

	fg_flow_extract(probe->frame.data + ETH_HLEN, probe->frame.len - ETH_HLEN, &flow);
	if (reply) {
		const struct fg_flow sent = flow;

		fg_flow_invert(&sent, &flow);
	}
	for (uint32_t i = 0; i < t->count; i++)
		if (t->list[i].flow >= 0 && t->list[i].flow < t->flow_count &&
		    !(t->list[i].event.flags & FG_EVENT_F_REPLY) == !reply)
			flow = flow_of(&t->flows[t->list[i].flow], flow);
	return flow;
}

int fg_last_device(const struct fg_probe *probe, uint32_t netns, bool reply)
{
	int ifindex = 0;

	for (uint32_t i = 0; i < probe->trace.count; i++) {
		const struct fg_event *e = &probe->trace.list[i].event;

		if (e->kind == FG_EVENT_RECEIVE && e->netns == netns &&
		    !(e->flags & FG_EVENT_F_CLONE) && !(e->flags & FG_EVENT_F_REPLY) == !reply)
			ifindex = (int)e->ifindex;
	}
	return ifindex;
}

const struct fg_observation *fg_last_waiting(const struct fg_probe *probe,
					     const struct fg_result *r, bool reply)
{
	const struct fg_observation *last = r->end;

	for (uint32_t i = probe->trace.count; i-- > 0;) {
		const struct fg_observation *o = &probe->trace.list[i];

		if (o->symbol && !(o->event.flags & FG_EVENT_F_REPLY) == !reply &&
		    (!strncmp(o->symbol, "neigh", 5) || !strncmp(o->symbol, "__neigh", 7) ||
		     !strncmp(o->symbol, "arp_solicit", 11) ||
		     !strncmp(o->symbol, "ndisc_solicit", 13)))
			return o;
	}
	return last && last->event.kind == FG_EVENT_RECEIVE ? last : NULL;
}
