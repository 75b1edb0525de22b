// SPDX-License-Identifier: GPL-2.0-only
/* cni/aws.c - the flow events of AWS' network policy agent; doc/stated.md. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/count.h"
#include "cni/internal.h"

#define WHO "AWS network policy agent"

/* Where the fields are in the event, for addresses of this many bytes. */
struct layout {
	size_t source, sport, destination, dport, protocol, verdict, egress, tier;
};

static struct layout layout_of(size_t address)
{
	struct layout l = { .sport = address, .destination = address + 4 };

	l.dport = l.destination + address;
	l.protocol = l.dport + 4;
	l.verdict = l.protocol + 4;
	/* after the packet's length */
	l.egress = l.verdict + 8;
	l.tier = l.egress + 1;
	return l;
}

/*
 * The destination may have been translated meanwhile, and the source may be masqueraded: the
 * source's end must be the packet's, or the whole other end and the protocol's other fields would
 * have to be believed.
 */
static bool is_of(const uint8_t *bytes, const struct layout *l,
		  const struct fg_stated_packet *packet, size_t address)
{
	const struct fg_flow *f = &packet->flow;

	if (fg_cni_u32(bytes, l->protocol) != f->protocol ||
	    memcmp(bytes + l->source, f->src.bytes, address) != 0)
		return false;
	if (f->sport || f->dport)
		return fg_cni_u32(bytes, l->sport) == f->sport;
	return !memcmp(bytes + l->destination, f->dst.bytes, address);
}

static const char *tier_name(uint8_t tier)
{
	static const char *const names[] = { "no tier", "admin tier", "network policy tier",
					     "baseline tier", "default tier" };

	return tier < COUNT(names) ? names[tier] : "unknown tier";
}

bool fg_cni_aws_event(const struct fg_stated_event *event, const struct fg_stated_packet *packet,
		      struct fg_stated *out)
{
	static const struct {
		enum fg_stated_says says;
		const char *reason;
	} verdicts[] = { { FG_STATED_DENIED, "denied" },
			 { FG_STATED_ALLOWED, "accepted" },
			 { FG_STATED_NOTHING, "connection expired" } };
	size_t address = packet->flow.family == AF_INET6 ? 16 : 4;
	const struct layout l = layout_of(address);
	uint32_t verdict;

	/* The verdict may be the last field; direction and tier came later. */
	if (!fg_cni_map_is(&event->map, "policy_events") || !packet->flow.family ||
	    event->captured < l.verdict + 4 || !is_of(event->bytes, &l, packet, address))
		return false;
	verdict = fg_cni_u32(event->bytes, l.verdict);
	if (verdict >= COUNT(verdicts))
		return false;
	if (!fg_cni_say(out, WHO, verdicts[verdict].says, verdicts[verdict].reason, NULL))
		return true;
	if (event->captured > l.egress)
		out->direction = event->bytes[l.egress] ? FG_STATED_EGRESS : FG_STATED_INGRESS;
	if (event->captured > l.tier)
		snprintf(out->rule, sizeof(out->rule), "%s", tier_name(event->bytes[l.tier]));
	return true;
}
