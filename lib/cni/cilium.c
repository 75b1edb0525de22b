// SPDX-License-Identifier: GPL-2.0-only
/* cni/cilium.c - Cilium's notifications and counters; doc/stated.md. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "cni/internal.h"
#include "header/dissect.h"

#define WHO "Cilium"

enum { NOTIFY_DROP = 1, NOTIFY_POLICY_VERDICT = 5 };
enum { REASON_POLICY = 133, REASON_DENY_RULE = 181, REASON_AUTH = 189 };
enum { DROP_FIRST = 130 };

/* What the numbers mean, in our words; from 130 on. */
static const char *const drops[] = {
	"invalid source MAC",
	"invalid destination MAC",
	"invalid source IP",
	"policy denied",
	"invalid packet",
	"conntrack: truncated or invalid header",
	"conntrack: TCP ACK missing",
	"conntrack: unknown L4 protocol",
	"conntrack: no entry can be made of the packet",
	"unsupported L3 protocol",
	"missed tail call",
	"packet cannot be written to",
	"unknown L4 protocol",
	"unknown ICMPv4 code",
	"unknown ICMPv4 type",
	"unknown ICMPv6 code",
	"unknown ICMPv6 type",
	"no tunnel key",
	"no tunnel options",
	"invalid Geneve option",
	"unknown L3 target address",
	"stale or unroutable IP",
	"no local container",
	"L3 checksum cannot be corrected",
	"L4 checksum cannot be corrected",
	"conntrack: entry cannot be inserted",
	"invalid IPv6 extension header",
	"IP fragments not supported",
	"no service backend",
	NULL,
	"no tunnel endpoint",
	"NAT46/64 not enabled",
	"beyond the rate limit's horizon",
	"unknown conntrack state",
	"local host unreachable",
	"no configuration to decide by",
	"unsupported L2 protocol",
	"no mapping for masquerading",
	"protocol not supported for masquerading",
	"no route found",
	"encapsulated traffic prohibited",
	"invalid identity",
	"unknown sender",
	"NAT not needed",
	"is a ClusterIP",
	"first fragment not found",
	"forbidden ICMPv6 message",
	"denied by the service's source ranges",
	"no socket found",
	"socket cannot be assigned",
	"protocol cannot be redirected to the proxy",
	"denied by an explicit rule",
	"VLAN not allowed",
	"wrong VNI from a VTEP",
	"tail call buffer not available",
	"no SRv6 segment for the address",
	"SRv6 state lost in a tail call",
	"NAT46 failed",
	"NAT64 failed",
	"authentication required",
	"no conntrack map",
	"no NAT map",
	"invalid cluster id",
	"protocol not supported for DSR",
	"no egress gateway",
	"traffic is not encrypted",
	"TTL exceeded",
	"no node id",
	"rate limited",
	"IGMP handled",
	"IGMP subscribed",
	"multicast handled",
	"host datapath not ready",
	"endpoint's policy program not available",
	"no egress IP configured",
	"punted to the proxy",
};

static const char *drop_name(uint32_t reason)
{
	const char *name = NULL;

	if (reason >= DROP_FIRST && reason - DROP_FIRST < COUNT(drops))
		name = drops[reason - DROP_FIRST];
	return name ? name : "dropped";
}

static enum fg_stated_says drop_says(uint32_t reason)
{
	return reason == REASON_POLICY || reason == REASON_DENY_RULE || reason == REASON_AUTH
		       ? FG_STATED_DENIED
		       : FG_STATED_DROPPED;
}

static void at_endpoint(struct fg_stated *out, enum fg_stated_direction direction,
			uint32_t endpoint)
{
	out->direction = direction;
	out->has_endpoint = endpoint != 0;
	out->endpoint = endpoint;
}

/*
 * Drop: type, reason (1 byte each), endpoint (2), hash (4), original length (4), captured length
 * (2), version (2), source and destination identity (4 each), destination endpoint (4; 0 where it
 * left by the source), and more that is not read.
 */
static bool read_drop(const struct fg_stated_event *e, struct fg_stated *out)
{
	uint32_t reason = e->bytes[1], endpoint = fg_cni_u16(e->bytes, 2), target;

	if (e->captured < 32 || reason < DROP_FIRST)
		return false;
	if (!fg_cni_say(out, WHO, drop_says(reason), drop_name(reason), &reason))
		return true;
	out->has_identities = true;
	out->source = fg_cni_u32(e->bytes, 16);
	out->destination = fg_cni_u32(e->bytes, 20);
	target = fg_cni_u32(e->bytes, 24);
	if (target)
		at_endpoint(out, FG_STATED_INGRESS, target);
	else
		at_endpoint(out, FG_STATED_EGRESS, endpoint);
	return true;
}

static const char *match_name(uint32_t type)
{
	static const char *const names[] = { "nothing", "identity",   "identity and port",
					     "port",	"everything", "identity and protocol",
					     "protocol" };

	return type < COUNT(names) ? names[type] : "an entry";
}

static void verdict_rule(const struct fg_stated_event *e, struct fg_stated *out)
{
	uint8_t flags = e->bytes[27];
	char protocol[4];

	snprintf(out->rule, sizeof(out->rule), "matched %s (%s port %u)%s",
		 match_name((flags >> 3) & 7), fg_flow_protocol_text(e->bytes[26], protocol),
		 fg_cni_u16(e->bytes, 24), flags & 0x40 ? ", audit mode" : "");
}

/*
 * Policy verdict: the same first 16 bytes (the second means nothing), the peer's identity (4),
 * verdict (4, signed: below 0 a drop reason, 0 allowed, else the proxy's port), port (2), protocol
 * (1), flags (1: two bits direction, IPv6, three bits match, audited), and more that is not read.
 */
static bool read_verdict(const struct fg_stated_event *e, struct fg_stated *out)
{
	uint32_t endpoint = fg_cni_u16(e->bytes, 2), peer, reason;
	int32_t verdict;
	bool ingress;

	if (e->captured < 28 || (e->bytes[27] & 3) == 0 || (e->bytes[27] & 3) == 3)
		return false;
	ingress = (e->bytes[27] & 3) == 1;
	peer = fg_cni_u32(e->bytes, 16);
	verdict = (int32_t)fg_cni_u32(e->bytes, 20);
	if (verdict < -255)
		return false;
	reason = (uint32_t)-verdict;
	if (verdict < 0
		    ? !fg_cni_say(out, WHO, drop_says(reason), drop_name(reason), &reason)
		    : !fg_cni_say(out, WHO, FG_STATED_ALLOWED,
				  verdict ? "policy sent it to the proxy" : "policy allowed", NULL))
		return true;
	verdict_rule(e, out);
	out->has_identities = true;
	out->source = ingress ? peer : 0;
	out->destination = ingress ? 0 : peer;
	at_endpoint(out, ingress ? FG_STATED_INGRESS : FG_STATED_EGRESS, endpoint);
	return true;
}

bool fg_cni_cilium_event(const struct fg_stated_event *event, struct fg_stated *out)
{
	if (!fg_cni_map_is(&event->map, "cilium_events") || event->captured < 28)
		return false;
	switch (event->bytes[0]) {
	case NOTIFY_DROP:
		return read_drop(event, out);
	case NOTIFY_POLICY_VERDICT:
		return read_verdict(event, out);
	default:
		return false;
	}
}

/* cilium_metrics{reason, dir}: reason 0 is forwarded; dir 1 is ingress, 2 egress. */
static bool read_metric(const struct fg_stated_counter *c, struct fg_stated *out)
{
	uint64_t reason, dir;
	uint32_t code;

	if (!fg_stated_field_find(&c->key, "reason", &reason) ||
	    !fg_stated_field_find(&c->key, "dir", &dir) || reason > 255)
		return false;
	code = (uint32_t)reason;
	if (reason < DROP_FIRST ? !fg_cni_say(out, WHO, FG_STATED_ALLOWED,
					      reason ? "passed" : "forwarded", &code)
				: !fg_cni_say(out, WHO, drop_says(code), drop_name(code), &code))
		return true;
	at_endpoint(out,
		    dir == 1   ? FG_STATED_INGRESS
		    : dir == 2 ? FG_STATED_EGRESS
			       : FG_STATED_NOWHERE,
		    0);
	return true;
}

/* cilium_policy_*{sec_label, egress, protocol, dport}, cilium_policystats with endpoint_id too. */
static bool read_policy(const struct fg_stated_counter *c, struct fg_stated *out)
{
	uint64_t label, egress, protocol, port = 0, endpoint;
	char text[4], ports[16] = "";

	if (!fg_stated_field_find(&c->key, "sec_label", &label) ||
	    !fg_stated_field_find(&c->key, "egress", &egress) ||
	    !fg_stated_field_find(&c->key, "protocol", &protocol))
		return false;
	if (!out->who)
		out->who = WHO;
	/* That of the ingress, where it met one on both sides: it was the last. */
	if (strcmp(out->who, WHO) != 0 || (out->rule[0] && egress))
		return true;
	if (fg_stated_field_find(&c->key, "dport", &port) && port)
		snprintf(ports, sizeof(ports), " port %u", (unsigned int)port);
	snprintf(out->rule, sizeof(out->rule), "entry for %s%s%s%s of identity %u",
		 egress ? "egress" : "ingress", protocol ? " " : "",
		 protocol ? fg_flow_protocol_text((uint8_t)protocol, text) : "", ports,
		 (unsigned int)label);
	if (!out->direction)
		out->direction = egress ? FG_STATED_EGRESS : FG_STATED_INGRESS;
	if (!out->has_endpoint && fg_stated_field_find(&c->key, "endpoint_id", &endpoint))
		at_endpoint(out, out->direction, (uint32_t)endpoint);
	return true;
}

bool fg_cni_cilium_counter(const struct fg_stated_counter *counter, struct fg_stated *out)
{
	if (counter->bytes)
		return false;
	if (fg_cni_map_is(&counter->map, "cilium_metrics"))
		return read_metric(counter, out);
	if (fg_cni_map_is(&counter->map, "cilium_policy"))
		return read_policy(counter, out);
	return false;
}
