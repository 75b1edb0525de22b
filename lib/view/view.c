// SPDX-License-Identifier: GPL-2.0-only
/*
 * view/view.c - the packet, its observations and places in words; for all kinds of
 * reports.
 */
#include <stdio.h>
#include <string.h>

#include "probe/names.h"
#include "probe/wire.h"
#include "view/view.h"

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

static void view_headers(const uint8_t *packet, size_t len, struct fg_view_packet *out)
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

void fg_view_packet(const struct fg_probe *probe, struct fg_view_packet *out)
{
	const struct fg_packet_vary *vary = &probe->spec.vary;
	const uint8_t *frame = probe->frame.data;
	size_t len = 0;

	*out = (struct fg_view_packet){ .protocol_name = NULL };
	if (frame && probe->frame.count)
		frame = fg_frame_part(&probe->frame, 0, &len);
	if (frame && len > ETHERNET_LEN &&
	    !fg_flow_extract(frame + ETHERNET_LEN, len - ETHERNET_LEN, &out->flow)) {
		view_headers(frame + ETHERNET_LEN, len - ETHERNET_LEN, out);
		out->protocol_name = fg_flow_protocol_text(out->flow.protocol, out->protocol);
		return;
	}
	/*
	 * A packet that is wrong on purpose may not be readable: then what was asked for is shown.
	 */
	out->length = len > ETHERNET_LEN ? (uint32_t)len - ETHERNET_LEN : 0;
	out->flow =
		(struct fg_flow){ .family = vary->src.family, .src = vary->src, .dst = vary->dst };
	out->flow.sport = vary->sport;
	out->flow.dport = vary->dport;
	out->has_ports = vary->dport != 0;
}

const struct fg_device *fg_view_device(const struct fg_context *context, uint32_t netns,
				       int ifindex)
{
	return context->device && ifindex ? context->device(context->names, netns, ifindex) : NULL;
}

bool fg_view_arrived(const struct fg_result *result)
{
	return result->outcome == FG_OUTCOME_DELIVERED || result->outcome == FG_OUTCOME_FORWARDED ||
	       result->outcome == FG_OUTCOME_REPLIED;
}

/* The receiver, as far as it is known: before the packet was sent, or by where it ended. */
static void view_receiver(const struct fg_context *context, const struct fg_result *result,
			  char *buf, size_t size)
{
	const struct fg_far *far = &context->far;
	const struct fg_event *end = result->end ? &result->end->event : NULL;
	const struct fg_device *device = NULL;

	if (end && end->netns != context->host_netns && end->netns != context->pod_netns)
		device = fg_view_device(context, end->netns, (int)end->ifindex);
	else if (far->known && far->netns)
		device = fg_view_device(context, far->netns, far->ifindex);
	if (device && device->where[0]) {
		snprintf(buf, size, "ingress of %s", device->where);
		return;
	}
	if (far->known && !far->netns)
		device = fg_view_device(context, far->host_netns, far->host_ifindex);
	else if (result->outcome == FG_OUTCOME_FORWARDED && end)
		device = fg_view_device(context, end->netns, (int)end->ifindex);
	if (device)
		snprintf(buf, size, "way out by %s", device->name);
	else
		snprintf(buf, size, "ingress");
}

static const char *where_of(const struct fg_device *device)
{
	return device ? device->where : NULL;
}

const char *fg_view_stage(const struct fg_source_pod *pod, const struct fg_context *context,
			  const struct fg_result *result, enum fg_stage stage, char *buf,
			  size_t size)
{
	const char *name = pod->name && *pod->name ? pod->name : pod->ref;

	if (context->of_reply)
		name = where_of(fg_view_device(context, context->pod_netns, context->peer_ifindex));
	if (stage == FG_STAGE_INGRESS)
		view_receiver(context, result, buf, size);
	else if (stage == FG_STAGE_EGRESS && name && *name)
		snprintf(buf, size, "egress of %s", name);
	else
		snprintf(buf, size, "%s", fg_stage_name(stage));
	return buf;
}

const char *fg_view_drop_name(const struct fg_context *context, uint32_t code, char *buf,
			      size_t size)
{
	const char *name = context->reason ? context->reason(context->names, code) : NULL;

	if (name && *name)
		return name;
	snprintf(buf, size, "unknown(%u)", code);
	return buf;
}

const char *fg_view_drop_location(const struct fg_observation *end, char *buf, size_t size)
{
	if (end->symbol && *end->symbol)
		return end->symbol;
	if (!end->event.aux)
		return NULL;
	snprintf(buf, size, "0x%llx", (unsigned long long)end->event.aux);
	return buf;
}

static bool leaves_here(const struct fg_probe *probe, const struct fg_observation *seen)
{
	return probe->result.outcome == FG_OUTCOME_FORWARDED && seen == probe->result.end;
}

static const struct fg_program *program_of(const struct fg_context *context,
					   const struct fg_event *e)
{
	for (size_t i = 0; i < context->ladder->count; i++)
		if (context->ladder->programs[i].id == e->id)
			return &context->ladder->programs[i];
	return NULL;
}

/* What a reply meets is on a ladder of its own. */
static const struct fg_context *context_of(const struct fg_context *context,
					   const struct fg_probe *probe, const struct fg_event *e)
{
	const struct fg_context *back = probe->result.reply.back;

	return (e->flags & FG_EVENT_F_REPLY) && back ? back : context;
}

static void sight_of_policy(const struct fg_context *context, const struct fg_event *e,
			    struct fg_sight *out)
{
	static const char *const actions[] = {
		[FG_EFFECT_NEXT] = "Next",    [FG_EFFECT_PASS] = "Passed",
		[FG_EFFECT_DROP] = "Dropped", [FG_EFFECT_REDIRECT] = "Redirected",
		[FG_EFFECT_TAKEN] = "Taken",
	};
	const struct fg_program *program = program_of(context, e);
	const char *name = "";
	enum fg_effect effect;

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

/*
 * The ports of VXLAN (RFC 7348; Linux's older one) and Geneve (RFC 8926), and what is in an IP
 * header of its own: IPIP, GRE, ESP.
 */
static bool is_tunnel(const struct fg_wire_flow *wire)
{
	uint16_t port = ntohs(wire->dport);

	if (wire->proto == IPPROTO_IPIP || wire->proto == IPPROTO_IPV6 ||
	    wire->proto == IPPROTO_GRE || wire->proto == IPPROTO_ESP)
		return true;
	return wire->proto == IPPROTO_UDP && (port == 4789 || port == 8472 || port == 6081);
}

/* WireGuard uses any port: its packets are those that its devices send, and hand on. */
static bool on_wireguard(const struct fg_probe *probe, const struct fg_observation *at)
{
	const struct fg_device *device =
		probe->context
			? fg_view_device(probe->context, at->event.netns, (int)at->event.ifindex)
			: NULL;

	return device && !strcmp(device->kind, "wireguard");
}

/* The flow before that one; the first follows the packet as it was sent. */
static struct fg_wire_flow flow_before(const struct fg_probe *probe, int8_t index)
{
	const struct fg_frame *frame = &probe->frame;
	struct fg_wire_flow sent = {};

	if (index > 0)
		return probe->trace.flows[index - 1];
	if (frame->data && frame->len > ETHERNET_LEN)
		fg_wire_read_flow(frame->data + ETHERNET_LEN, frame->len - ETHERNET_LEN, &sent);
	return sent;
}

/*
 * From one flow to the next: into a tunnel, out of one, or other addresses. A tunnel's header has a
 * source of its own; with the old one the packet was merely sent to a port that tunnels use.
 */
static const char *change_of(const struct fg_probe *probe, const struct fg_observation *seen)
{
	const struct fg_wire_flow *after = &probe->trace.flows[seen->flow];
	const struct fg_wire_flow before = flow_before(probe, seen->flow);
	bool was = is_tunnel(&before) || on_wireguard(probe, seen);
	bool is = is_tunnel(after) || (seen > probe->trace.list && on_wireguard(probe, seen - 1));
	bool translated = after->proto == before.proto && after->sport == before.sport &&
			  !memcmp(after->src, before.src, sizeof(before.src));

	if (was == is || translated)
		return "Translated";
	return is ? "Encapsulated" : "Decapsulated";
}

/* Whether nothing was seen of that reply before. */
static bool is_first(const struct fg_probe *probe, const struct fg_observation *seen)
{
	for (const struct fg_observation *o = probe->trace.list; o < seen; o++)
		if ((o->event.flags & FG_EVENT_F_REPLY) && o->event.branch == seen->event.branch)
			return false;
	return true;
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
	/* Of a reply the flow before is not in the list. */
	if (!(seen->event.flags & FG_EVENT_F_REPLY))
		out->action = change_of(probe, seen);
	else if (is_first(probe, seen))
		out->action = "Replied";
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
	snprintf(out->text, sizeof(out->text), "%s%s", out->action[0] == 'R' ? "" : "now ",
		 fg_flow_text(&flow, text, sizeof(text)));
	out->detail = out->text;
}

/* Whether flowgen intercepted it before, whole or this piece of it. */
static bool was_stopped(const struct fg_probe *probe, const struct fg_observation *seen)
{
	const uint8_t kin = FG_EVENT_F_CLONE | FG_EVENT_F_PIECE | FG_EVENT_F_REPLY;
	const struct fg_event *e = &seen->event;

	for (uint32_t i = 0; i < probe->trace.count && &probe->trace.list[i] < seen; i++) {
		const struct fg_event *before = &probe->trace.list[i].event;

		if ((before->kind == FG_EVENT_STOP || before->kind == FG_EVENT_REPLY) &&
		    !((before->flags ^ e->flags) & kin) && before->branch == e->branch)
			return true;
	}
	return false;
}

/* Freed, by a drop or otherwise. */
static void sight_of_end(const struct fg_context *context, const struct fg_probe *probe,
			 const struct fg_observation *seen, struct fg_sight *out)
{
	const struct fg_event *e = &seen->event;
	char number[32], hex[32];
	const char *where = fg_view_drop_location(seen, hex, sizeof(hex));
	bool drop = e->kind == FG_EVENT_FREE && e->code &&
		    (uint32_t)e->code != context->codes.consumed;

	if (was_stopped(probe, seen)) {
		/* The kernel calls it a drop, but it is flowgen that threw its own packet away. */
		out->component = "stop";
		out->action = "Consumed";
		out->detail = "intercepted by flowgen";
		return;
	}
	out->component = "kernel";
	out->action = drop ? "Dropped" : "Consumed";
	out->bad = drop;
	out->detail = out->text;
	if (drop)
		snprintf(out->text, sizeof(out->text), "%s (%d)%s%s",
			 fg_view_drop_name(context, (uint32_t)e->code, number, sizeof(number)),
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

const char *fg_view_sight_of(const struct fg_observation *seen)
{
	if (seen->event.flags & FG_EVENT_F_REPLY)
		return "reply";
	if (seen->event.flags & FG_EVENT_F_CLONE)
		return "clone";
	return seen->event.flags & FG_EVENT_F_PIECE ? "piece" : "packet";
}

/* What is described by its kind alone. */
static void sight_of_kind(uint16_t kind, struct fg_sight *out)
{
	static const struct {
		const char *component, *action, *detail;
	} words[FG_EVENT_KINDS] = {
		[FG_EVENT_INJECT] = { "inject", "Injected", NULL },
		[FG_EVENT_QUEUE] = { "egress", "Forwarded", NULL },
		[FG_EVENT_RECEIVE] = { "ingress", "Received", NULL },
		[FG_EVENT_SOCKET] = { "socket", "Delivered", NULL },
		[FG_EVENT_STOP] = { "stop", "Delivered", "intercepted before the pod's stack" },
		[FG_EVENT_REPLY] = { "stop", "Received", "intercepted before the pod's stack" },
		[FG_EVENT_JOIN] = { "stack", "Reassembled", "with the other fragments" },
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

void fg_view_sight_read(const struct fg_context *context, const struct fg_probe *probe,
			const struct fg_observation *seen, struct fg_sight *out)
{
	const struct fg_event *e = &seen->event;

	out->detail = NULL;
	out->bad = false;
	out->device = fg_view_device(context, e->netns, (int)e->ifindex);
	if (e->kind == FG_EVENT_POLICY)
		sight_of_policy(context_of(context, probe, e), e, out);
	else if (e->kind == FG_EVENT_FLOW)
		sight_of_flow(probe, seen, out);
	else if (e->kind == FG_EVENT_FREE || e->kind == FG_EVENT_CONSUME)
		sight_of_end(context, probe, seen, out);
	else if (e->kind == FG_EVENT_XMIT)
		sight_of_xmit(e, out);
	else if (e->kind == FG_EVENT_PIECE)
		sight_of_piece(e, out);
	else
		sight_of_kind(e->kind, out);
	if (e->kind == FG_EVENT_JOIN && !(e->flags & FG_EVENT_F_WHOLE))
		out->detail = "with the other fragments, and cut again";
	if (e->kind == FG_EVENT_STOP && e->aux)
		out->detail = e->aux == FG_STOP_AUX_STACK ? "intercepted in the pod's IP stack"
							  : "intercepted before the socket";
	if (context->from_uplink && (e->kind == FG_EVENT_STOP || e->kind == FG_EVENT_REPLY) &&
	    e->netns == context->host_netns && (int)e->ifindex == context->primary_ifindex)
		out->detail = "intercepted before it left";
	if (leaves_here(probe, seen))
		out->action = "ForwardedOutOfNetwork";
}
