// SPDX-License-Identifier: GPL-2.0-only
/* judge_reply.c - the answer to a probe: what kind it is, who sent it, and what the programs on the way back said of it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "dissect.h"
#include "judge_parts.h"
#include "names.h"
#include "protocol.h"

/* The bytes that were kept of the answer, from its IP header on. */
struct bytes {
	const uint8_t *data;
	size_t len;
};

static uint32_t be32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* RFC 792: unreachable, source quench, redirect, time exceeded, parameter problem. RFC 4443: types below 128. */
static bool is_icmp_error(const struct fg_flow *flow)
{
	if (flow->protocol == IPPROTO_ICMPV6)
		return flow->icmp_type < 128;
	return flow->icmp_type == 3 || flow->icmp_type == 4 || flow->icmp_type == 5 ||
	       flow->icmp_type == 11 || flow->icmp_type == 12;
}

static void read_tcp(const struct fg_flow *flow, const uint8_t *tcp, size_t len,
		     struct fg_reply *reply)
{
	if (flow->tcp_flags & FG_TCP_FLAG_RST)
		reply->kind = FG_REPLY_RST;
	else if ((flow->tcp_flags & (FG_TCP_FLAG_SYN | FG_TCP_FLAG_ACK)) ==
		 (FG_TCP_FLAG_SYN | FG_TCP_FLAG_ACK))
		reply->kind = FG_REPLY_SYN_ACK;
	else
		reply->kind = FG_REPLY_TCP;
	if (len >= 12) {
		reply->tcp_seq = be32_at(tcp + 4);
		reply->tcp_ack = be32_at(tcp + 8);
	}
}

/* RFC 1035 section 4.1.1: the second flag byte holds the response code, the first the bit that says "response". */
static void read_udp(const struct fg_flow *flow, const uint8_t *udp, size_t len,
		     struct fg_reply *reply)
{
	reply->kind = FG_REPLY_UDP;
	if (flow->sport != 53 || len < 8 + 12 || !(udp[8 + 2] & 0x80))
		return;
	reply->kind = FG_REPLY_DNS;
	reply->dns_rcode = udp[8 + 3] & 15;
}

static void read_kind(const struct fg_flow *flow, const struct bytes *packet,
		      const struct fg_layout *layout, struct fg_reply *reply)
{
	const uint8_t *transport = packet->data + layout->transport;
	size_t len = packet->len > layout->transport ? packet->len - layout->transport : 0;

	switch (flow->protocol) {
	case IPPROTO_TCP:
		read_tcp(flow, transport, len, reply);
		break;
	case IPPROTO_UDP:
		read_udp(flow, transport, len, reply);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		reply->icmp_type = flow->icmp_type;
		reply->icmp_code = flow->icmp_code;
		reply->kind = is_icmp_error(flow) ? FG_REPLY_ICMP_ERROR : FG_REPLY_ECHO;
		break;
	case IPPROTO_SCTP:
		reply->kind = flow->sctp_chunk == FG_SCTP_INIT_ACK ? FG_REPLY_SCTP_INIT_ACK
			      : flow->sctp_chunk == FG_SCTP_ABORT  ? FG_REPLY_SCTP_ABORT
								   : FG_REPLY_SCTP;
		break;
	default:
		reply->kind = FG_REPLY_OTHER;
	}
}

static void read_answer(const struct fg_trace *trace, struct fg_reply *reply)
{
	const struct fg_event_reply *record = &trace->reply;
	const struct bytes packet = { record->bytes, record->captured };
	struct fg_layout layout;
	struct fg_flow flow;

	reply->kind = FG_REPLY_OTHER;
	reply->length = record->event.length;
	if (record->event.time_ns > trace->injected_ns)
		reply->rtt_ns = record->event.time_ns - trace->injected_ns;
	if (packet.len < 20)
		return;
	reply->hops_left = packet.data[0] >> 4 == 4 ? packet.data[8] : packet.data[7];
	if (fg_flow_extract(packet.data, packet.len, &flow) ||
	    fg_layout_find(packet.data, packet.len, &layout))
		return;
	reply->from = flow.src;
	read_kind(&flow, &packet, &layout, reply);
}

static bool event_of_back(const struct fg_program *program, const struct fg_event *e)
{
	if (program->id != e->id)
		return false;
	return program->hook == FG_HOOK_XDP || program->hook == FG_HOOK_NETKIT_PRIMARY ||
	       (program->netns == e->netns && program->ifindex == (int)e->ifindex);
}

static void step_back(const struct fg_ladder *back, const struct fg_event *e,
		      struct fg_reply *reply)
{
	for (size_t i = 0; i < back->count; i++) {
		struct fg_step *step = &reply->steps[i];

		if (step->evidence == FG_EVIDENCE_FEXIT || !event_of_back(&back->programs[i], e))
			continue;
		*step = (struct fg_step){ .ran = FG_RAN_YES,
					  .evidence = FG_EVIDENCE_FEXIT,
					  .has_retval = true,
					  .retval = e->code,
					  .has_duration = e->aux != 0,
					  .duration_ns = e->aux };
		return;
	}
}

/* The first program that dropped it, -1 where none did, and whether one sent it elsewhere. */
static int back_denier(const struct fg_ladder *back, const struct fg_reply *reply, bool *redirected)
{
	*redirected = false;
	for (size_t i = 0; i < back->count; i++) {
		enum fg_effect effect;

		if (!reply->steps[i].has_retval || back->programs[i].classifier)
			continue;
		effect = fg_action_read(back->programs[i].hook, reply->steps[i].retval, NULL);
		if (effect == FG_EFFECT_DROP || effect == FG_EFFECT_TAKEN)
			return (int)i;
		*redirected |= effect == FG_EFFECT_REDIRECT;
	}
	return -1;
}

/*
 * Where flowgen takes the answer off is before the pod's own tc programs: those were not asked, and are no part of the
 * verdict. All others stand before it.
 */
static bool asked_all(const struct fg_ladder *back)
{
	for (size_t i = 0; i < back->count; i++)
		if (back->programs[i].side == FG_SIDE_POD && back->programs[i].hook != FG_HOOK_XDP)
			return false;
	return true;
}

static bool policy_drop(const struct fg_scene *scene, const struct fg_observation *end)
{
	uint32_t code = (uint32_t)end->event.code;

	return code == scene->codes.tc_egress || code == scene->codes.tc_ingress ||
	       (end->symbol && !strncmp(end->symbol, "netkit_xmit", 11));
}

/* The only program that can have made the drop, where none was seen to; else -1. */
static int only_suspect(const struct fg_ladder *back, const struct fg_event *end)
{
	int found = -1;

	for (size_t i = 0; i < back->count; i++) {
		const struct fg_program *p = &back->programs[i];

		if (p->traced || p->netns != end->netns || p->ifindex != (int)end->ifindex)
			continue;
		if (found >= 0)
			return -1;
		found = (int)i;
	}
	return found;
}

static void judge_back(const struct fg_scene *scene, struct fg_reply *reply)
{
	bool redirected;

	reply->denied_by = back_denier(scene->back, reply, &redirected);
	if (reply->denied_by < 0 && reply->dropped && policy_drop(scene, reply->end)) {
		reply->denied_by = only_suspect(scene->back, &reply->end->event);
		if (reply->denied_by >= 0) {
			reply->steps[reply->denied_by].ran = FG_RAN_YES;
			reply->steps[reply->denied_by].evidence = FG_EVIDENCE_DROP_REASON;
		}
	}
	if (reply->denied_by >= 0 || (reply->dropped && policy_drop(scene, reply->end)))
		reply->verdict = FG_VERDICT_DENIED;
	else if (reply->kind == FG_REPLY_NONE || !asked_all(scene->back))
		reply->verdict = FG_VERDICT_UNKNOWN;
	else if (redirected)
		reply->verdict = FG_VERDICT_REDIRECTED;
	else
		reply->verdict = scene->back->count ? FG_VERDICT_ALLOWED : FG_VERDICT_NONE;
}

void fg_reply_read(const struct fg_scene *scene, const struct fg_trace *trace,
		   struct fg_reply *reply)
{
	*reply = (struct fg_reply){ .denied_by = -1 };
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_observation *o = &trace->list[i];

		if (!(o->event.flags & FG_EVENT_F_REPLY))
			continue;
		if (o->event.kind == FG_EVENT_POLICY && scene->back)
			step_back(scene->back, &o->event, reply);
		if (!trace->answered && fg_is_drop(scene, &o->event)) {
			reply->dropped = true;
			reply->end = o;
		}
	}
	if (trace->answered)
		read_answer(trace, reply);
	if (scene->back)
		judge_back(scene, reply);
}

bool fg_reply_rejects(const struct fg_reply *reply)
{
	/* ICMP redirects (type 5, ICMPv6 137) tell of a better way: the packet went on. */
	if (reply->kind == FG_REPLY_ICMP_ERROR)
		return !(reply->from.family == AF_INET && reply->icmp_type == 5);
	return reply->kind == FG_REPLY_RST || reply->kind == FG_REPLY_SCTP_ABORT;
}
