// SPDX-License-Identifier: GPL-2.0-only
/* report_view.c - the packet, its observations and the method's gaps in words; for all kinds of reports. */
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "report_parts.h"

#define ETHERNET_LEN 14

static bool carries_ports(const struct fg_flow *flow)
{
	switch (flow->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_UDPLITE:
	case IPPROTO_DCCP:
		return !flow->later_fragment;
	default:
		return false;
	}
}

static void view_headers(const uint8_t *packet, size_t len, struct fg_packet_view *out)
{
	bool v4 = out->flow.family == AF_INET;

	out->known = true;
	out->has_protocol = true;
	out->has_ports = carries_ports(&out->flow);
	out->has_icmp = !out->flow.later_fragment &&
			out->flow.protocol == (v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	out->ttl = (uint8_t)fg_field_get(v4 ? FG_IPV4_TTL : FG_IPV6_HOP_LIMIT, packet);
	out->tos = (uint8_t)(fg_field_get(v4 ? FG_IPV4_DSCP : FG_IPV6_DSCP, packet) << 2 |
			     fg_field_get(v4 ? FG_IPV4_ECN : FG_IPV6_ECN, packet));
	out->length = (uint32_t)len;
}

void fg_packet_view(const struct fg_probe *probe, struct fg_packet_view *out)
{
	const struct fg_packet_vary *vary = &probe->spec.vary;
	const uint8_t *frame = probe->frame.data;
	size_t len = 0;

	*out = (struct fg_packet_view){ .protocol_name = NULL };
	if (frame && probe->frame.count)
		frame = fg_frame_part(&probe->frame, 0, &len);
	if (frame && len > ETHERNET_LEN &&
	    !fg_flow_extract(frame + ETHERNET_LEN, len - ETHERNET_LEN, &out->flow)) {
		view_headers(frame + ETHERNET_LEN, len - ETHERNET_LEN, out);
		out->protocol_name = fg_protocol_text(out->flow.protocol, out->protocol);
		return;
	}
	/* A packet that is wrong on purpose may not be readable: then what was asked for is shown. */
	out->length = len > ETHERNET_LEN ? (uint32_t)len - ETHERNET_LEN : 0;
	out->flow =
		(struct fg_flow){ .family = vary->src.family, .src = vary->src, .dst = vary->dst };
	out->flow.sport = vary->sport;
	out->flow.dport = vary->dport;
	out->has_ports = vary->dport != 0;
}

const char *fg_drop_name(const struct fg_scene *scene, uint32_t code, char *buf, size_t size)
{
	const char *name = scene->reason ? scene->reason(scene->names, code) : NULL;

	if (name && *name)
		return name;
	snprintf(buf, size, "unknown(%u)", code);
	return buf;
}

const char *fg_drop_location(const struct fg_observation *end, char *buf, size_t size)
{
	if (end->symbol && *end->symbol)
		return end->symbol;
	if (!end->event.aux)
		return NULL;
	snprintf(buf, size, "0x%llx", (unsigned long long)end->event.aux);
	return buf;
}

bool fg_sight_leaves(const struct fg_probe *probe, const struct fg_observation *seen)
{
	return probe->result.outcome == FG_OUTCOME_FORWARDED && seen == probe->result.end;
}

static void sight_of_policy(const struct fg_report *report, const struct fg_event *e,
			    struct fg_sight *out)
{
	static const char *const actions[] = {
		[FG_EFFECT_NEXT] = "Passed",  [FG_EFFECT_PASS] = "Passed",
		[FG_EFFECT_DROP] = "Dropped", [FG_EFFECT_REDIRECT] = "Redirected",
		[FG_EFFECT_TAKEN] = "Taken",
	};
	const struct fg_program *program = NULL;
	const char *name = "";
	enum fg_effect effect;

	for (size_t i = 0; i < report->programs && !program; i++)
		if (report->scene->ladder->programs[i].id == e->id)
			program = &report->scene->ladder->programs[i];
	out->component = "policy";
	out->action = "Returned";
	out->detail = out->text;
	if (!program || program->classifier) {
		snprintf(out->text, sizeof(out->text), "%s (id %u): %d",
			 program ? program->name : "program", e->id, e->code);
		return;
	}
	effect = fg_action_read(program->hook, e->code, &name);
	out->action = actions[effect];
	out->bad = effect == FG_EFFECT_DROP || effect == FG_EFFECT_TAKEN;
	snprintf(out->text, sizeof(out->text), "%s %s (id %u): %s", fg_hook_name(program->hook),
		 program->name, e->id, name);
}

/* The ports of VXLAN (RFC 7348; Linux's older one) and Geneve (RFC 8926). */
static bool is_tunnel(const struct fg_wire_flow *wire)
{
	uint16_t port = ntohs(wire->dport);

	return wire->proto == IPPROTO_UDP && (port == 4789 || port == 8472 || port == 6081);
}

/* From one flow to the next: into a tunnel, out of one, or other addresses. */
static const char *change_of(const struct fg_trace *trace, int8_t index)
{
	bool now = is_tunnel(&trace->flows[index]);
	bool before = index > 0 && is_tunnel(&trace->flows[index - 1]);

	return now && !before ? "Encapsulated" : before && !now ? "Decapsulated" : "Translated";
}

static void sight_of_flow(const struct fg_probe *probe, const struct fg_observation *seen,
			  struct fg_sight *out)
{
	char text[FG_FLOW_TEXT_LEN];
	const struct fg_wire_flow *wire;
	struct fg_flow flow = {};

	out->component = "stack";
	out->action = "Translated";
	if (seen->flow < 0 || seen->flow >= probe->trace.flow_count || seen->flow >= FG_TRACE_FLOWS)
		return;
	wire = &probe->trace.flows[seen->flow];
	out->action = change_of(&probe->trace, seen->flow);
	if (wire->family != 4 && wire->family != 6) {
		out->detail = "no longer an IP packet";
		return;
	}
	flow.family = wire->family == 4 ? AF_INET : AF_INET6;
	flow.src.family = flow.dst.family = flow.family;
	memcpy(flow.src.bytes, wire->src, sizeof(wire->src));
	memcpy(flow.dst.bytes, wire->dst, sizeof(wire->dst));
	flow.protocol = wire->proto;
	if (carries_ports(&flow)) {
		flow.sport = ntohs(wire->sport);
		flow.dport = ntohs(wire->dport);
	} else {
		flow.icmp_type = (uint8_t)(ntohs(wire->sport) >> 8);
		flow.icmp_code = (uint8_t)ntohs(wire->sport);
		flow.icmp_id = ntohs(wire->dport);
	}
	snprintf(out->text, sizeof(out->text), "now %s", fg_flow_text(&flow, text, sizeof(text)));
	out->detail = out->text;
}

/* Whether flowgen took it off before, whole or this piece of it. */
static bool was_stopped(const struct fg_probe *probe, const struct fg_observation *seen)
{
	const uint8_t kin = FG_EVENT_F_CLONE | FG_EVENT_F_PIECE | FG_EVENT_F_REPLY;
	const struct fg_event *e = &seen->event;

	for (uint32_t i = 0; i < probe->trace.count && &probe->trace.list[i] < seen; i++) {
		const struct fg_event *before = &probe->trace.list[i].event;

		if (before->kind == FG_EVENT_STOP && !((before->flags ^ e->flags) & kin) &&
		    before->branch == e->branch)
			return true;
	}
	return false;
}

/* Freed, by a drop or otherwise. */
static void sight_of_end(const struct fg_report *report, const struct fg_probe *probe,
			 const struct fg_observation *seen, struct fg_sight *out)
{
	const struct fg_event *e = &seen->event;
	char number[32], hex[32];
	const char *where = fg_drop_location(seen, hex, sizeof(hex));
	bool drop = e->kind == FG_EVENT_FREE && e->code &&
		    (uint32_t)e->code != report->scene->codes.consumed;

	if (was_stopped(probe, seen)) {
		/* The kernel calls it a drop, but it is flowgen that threw its own packet away. */
		out->component = "stop";
		out->action = "Consumed";
		out->detail = "freed by flowgen";
		return;
	}
	out->component = "kernel";
	out->action = drop ? "Dropped" : "Consumed";
	out->bad = drop;
	out->detail = out->text;
	if (drop)
		snprintf(out->text, sizeof(out->text), "%s (%d)%s%s",
			 fg_drop_name(report->scene, (uint32_t)e->code, number, sizeof(number)),
			 e->code, where ? " at " : "", where ? where : "");
	else if (where)
		snprintf(out->text, sizeof(out->text), "at %s", where);
	else
		out->detail = NULL;
}

static void sight_of_piece(const struct fg_event *e, struct fg_sight *out)
{
	bool segment = e->code == FG_PIECE_SEGMENT;

	out->component = "cut";
	out->action = segment ? "Segmented" : "Fragmented";
	snprintf(out->text, sizeof(out->text), "piece %u, %llu bytes of its %s payload", e->branch,
		 (unsigned long long)e->aux, segment ? "transport" : "IP");
	out->detail = out->text;
}

static void sight_of_xmit(const struct fg_event *e, struct fg_sight *out)
{
	out->component = "driver";
	out->action = e->code ? "Refused" : "Forwarded";
	if (e->code) {
		snprintf(out->text, sizeof(out->text), "returned %d", e->code);
		out->detail = out->text;
	}
}

const char *fg_sight_of(const struct fg_observation *seen)
{
	if (seen->event.flags & FG_EVENT_F_REPLY)
		return "reply";
	if (seen->event.flags & FG_EVENT_F_CLONE)
		return "clone";
	return seen->event.flags & FG_EVENT_F_PIECE ? "piece" : "packet";
}

/* What needs no more than its kind to be told. */
static void sight_of_kind(uint16_t kind, struct fg_sight *out)
{
	static const struct {
		const char *component, *action, *detail;
	} words[FG_EVENT_KINDS] = {
		[FG_EVENT_INJECT] = { "inject", "Injected", NULL },
		[FG_EVENT_QUEUE] = { "egress", "Forwarded", NULL },
		[FG_EVENT_RECEIVE] = { "ingress", "Received", NULL },
		[FG_EVENT_SOCKET] = { "socket", "Delivered", NULL },
		[FG_EVENT_STOP] = { "stop", "Delivered", "taken off before the pod's stack" },
		[FG_EVENT_REPLY] = { "stop", "Received", "taken off before the pod's stack" },
		[FG_EVENT_LOST] = { "trail", "Lost", "another packet took its place in memory" },
	};

	out->component = "trail";
	out->action = "Unknown";
	if (kind >= FG_EVENT_KINDS || !words[kind].component)
		return;
	out->component = words[kind].component;
	out->action = words[kind].action;
	out->detail = words[kind].detail;
}

void fg_sight_read(const struct fg_report *report, const struct fg_probe *probe,
		   const struct fg_observation *seen, struct fg_sight *out)
{
	const struct fg_scene *scene = report->scene;
	const struct fg_event *e = &seen->event;

	out->detail = NULL;
	out->bad = false;
	out->device = scene->device && e->ifindex
			      ? scene->device(scene->names, e->netns, (int)e->ifindex)
			      : NULL;
	if (e->kind == FG_EVENT_POLICY)
		sight_of_policy(report, e, out);
	else if (e->kind == FG_EVENT_FLOW)
		sight_of_flow(probe, seen, out);
	else if (e->kind == FG_EVENT_FREE || e->kind == FG_EVENT_CONSUME)
		sight_of_end(report, probe, seen, out);
	else if (e->kind == FG_EVENT_XMIT)
		sight_of_xmit(e, out);
	else if (e->kind == FG_EVENT_PIECE)
		sight_of_piece(e, out);
	else
		sight_of_kind(e->kind, out);
	if (e->kind == FG_EVENT_STOP && e->aux)
		out->detail = "taken off before the socket";
	if (fg_sight_leaves(probe, seen))
		out->action = "ForwardedOutOfNetwork";
}

void fg_gaps_list(const struct fg_report *report, struct fg_gap out[FG_GAPS_MAX])
{
	const struct fg_scene *scene = report->scene;
	size_t n = 0;

	out[n++] = (struct fg_gap){ "pod-socket-layer", "the pod's socket layer" };
	out[n++] =
		(struct fg_gap){ "pod-cgroup-hooks", "cgroup hooks (socket-level load balancing)" };
	out[n++] = (struct fg_gap){ "pod-netfilter-output", "the pod's netfilter OUTPUT" };
	/* The kernel takes care that what a program redirects does not meet it (nf_skip_egress). */
	if (scene->method == FG_METHOD_PEER_EGRESS || scene->method == FG_METHOD_HOST_INGRESS)
		out[n++] = (struct fg_gap){ "pod-netfilter-egress",
					    "netfilter egress of the pod's device" };
	if (scene->method == FG_METHOD_HOST_INGRESS) {
		out[n++] = (struct fg_gap){ "pod-taps", "packet taps in the pod" };
		out[n++] = (struct fg_gap){ "pod-tc-egress", "tc egress of the pod's device" };
		out[n++] = (struct fg_gap){ "pod-qdisc",
					    "the queueing discipline of the pod's device" };
		out[n++] =
			(struct fg_gap){ "host-native-xdp", "XDP in the driver of the host side" };
		if (scene->netkit)
			out[n++] = (struct fg_gap){ "netkit-peer",
						    "the netkit device's own programs" };
	}
	out[n] = (struct fg_gap){};
}
