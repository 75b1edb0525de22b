// SPDX-License-Identifier: GPL-2.0-only
/* inject_source.c - what a feed sends, and from which of the pod's addresses. */
#include "inject_parts.h"

void fg_feed_plan(struct fg_feed *feed, const struct fg_inject_options *o, int pod)
{
	feed->options = o;
	feed->plan = (struct fg_plan){ .pod = pod,
				       .packet = &o->packet,
				       .name = o->name,
				       .dst = o->dst,
				       .dports = o->dports.total ? &o->dports : NULL,
				       .sports = o->sports.total ? &o->sports : NULL,
				       .count = o->count,
				       .seed = o->seed,
				       .expect = o->until ? o->until : o->expect };
}

static int check_spoof(const struct fg_inject_options *o, const struct fg_pod *pod,
		       struct fg_error *err)
{
	char text[FG_ADDR_TEXT_LEN];

	if (!pod || o->spoof || fg_pod_owns(pod, &o->src))
		return 0;
	fg_fail(err, FG_ERR_USAGE, "--src: pod %s does not own %s", o->pod,
		fg_addr_text(&o->src, text, sizeof(text)));
	return fg_hint(err, "--spoof sends it all the same");
}

/* The first address of the family, where there is one. */
static struct fg_addr own_address(const struct fg_pod *pod, uint16_t family)
{
	const struct fg_addr *own = pod ? fg_pod_address(pod, family) : NULL;

	return own ? *own : (struct fg_addr){};
}

/* The source address: the pod's own, unless the user asks for another and says so. */
int fg_feed_sources(struct fg_feed *feed, const struct fg_pod *pod, struct fg_error *err)
{
	const struct fg_inject_options *o = feed->options;
	uint16_t family = o->dst.family;

	feed->src4 = own_address(pod, AF_INET);
	feed->src6 = own_address(pod, AF_INET6);
	if (o->src.family) {
		if (check_spoof(o, pod, err))
			return -1;
		*(o->src.family == AF_INET ? &feed->src4 : &feed->src6) = o->src;
		family = o->src.family;
	}
	/* A capture has packets of both families: there it is told of the packet that lacks one. */
	if (o->pcap && !family)
		family = feed->src4.family ? AF_INET : AF_INET6;
	feed->plan.src = family == AF_INET ? feed->src4 : feed->src6;
	if (!feed->plan.src.family && !o->pcap)
		return fg_fail(err, FG_ERR_UNSUPPORTED, "pod %s has no IPv%d address on %s", o->pod,
			       family == AF_INET ? 4 : 6, pod ? pod->peer.name : "its device");
	return 0;
}
