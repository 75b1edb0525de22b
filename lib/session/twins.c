// SPDX-License-Identifier: GPL-2.0-only
/*
 * session/twins.c - probes that share a tuple share their answers too: nothing tells whose one is.
 * So they are not in flight together.
 */
#include <linux/if_ether.h>

#include "header/flowset.h"
#include "session/internal.h"

/* What its answer would be known by. False: it has none, or is a part of what has. */
static bool tuple_of(const struct fg_probe *probe, struct fg_flow *out)
{
	const struct fg_frame *f = &probe->frame;

	if (!f->data || f->len <= ETH_HLEN || probe->spec.fragment ||
	    fg_flow_extract(f->data + ETH_HLEN, f->len - ETH_HLEN, out) || out->later_fragment)
		return false;
	out->icmp_code = 0;
	out->tcp_flags = 0;
	out->sctp_chunk = 0;
	return true;
}

uint32_t fg_twins_before(const struct fg_session *session, uint32_t first, uint32_t end)
{
	struct fg_flowset seen = {};
	struct fg_flow tuple;
	uint32_t i = first;

	for (; i < end; i++) {
		if (!tuple_of(&session->window[i], &tuple))
			continue;
		/* Without memory it is as if there were one. */
		if (fg_flowset_find(&seen, &tuple) >= 0 || fg_flowset_add(&seen, &tuple, i))
			break;
	}
	fg_flowset_free(&seen);
	return i > first ? i - first : 1;
}
