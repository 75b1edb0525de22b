// SPDX-License-Identifier: GPL-2.0-only
/* judge/judge.c - the outcome of a packet, and whether the result can be trusted at all. */
#include "judge/judge.h"

#include <linux/if_ether.h>
#include <string.h>

#include "base/count.h"
#include "header/dissect.h"
#include "judge/internal.h"

static enum fg_outcome inconclusive(struct fg_result *result, const char *reason)
{
	result->reason = reason;
	return FG_OUTCOME_INCONCLUSIVE;
}

/* Fragments that come together go on as one of them; the others are freed with it, or before. */
static bool reassembled(const char *symbol)
{
	static const char *const places[] = { "inet_frag_", "ip_frag_", "skb_release_data" };

	return fg_event_starts_with_any(symbol, places, COUNT(places));
}

/* Freed, and not as a drop: it was used up, or copied, and which of these the place tells. */
static enum fg_outcome outcome_of_consume(const struct fg_context *context,
					  const struct fg_progress *p, struct fg_result *result)
{
	const struct fg_observation *place = p->place;

	if (!place)
		return inconclusive(result, "consumed before it left the pod's device");
	if (place->event.kind == FG_EVENT_QUEUE) {
		if (fg_event_is_exit(context, &place->event))
			return FG_OUTCOME_FORWARDED;
		return inconclusive(result,
				    "consumed in a device that forwards it: the trail is lost");
	}
	if (fg_event_symbol_delivers(p->end->symbol))
		return FG_OUTCOME_DELIVERED;
	if (reassembled(p->end->symbol))
		return inconclusive(
			result,
			"reassembled with the other fragments: the one that continued has the "
			"outcome");
	return inconclusive(
		result, p->end->symbol
				? "kept or copied where it was received: the trail is lost"
				: "consumed where it was received; what consumed it is not known");
}

/* Intercepted by `flowgen catch` where it arrived. */
static bool is_caught(const struct fg_context *context, const struct fg_event *end)
{
	return context->far.caught && fg_at(end, context->far.netns, context->far.ifindex) &&
	       context->codes.tc_ingress && (uint32_t)end->code == context->codes.tc_ingress;
}

/* Intercepted by flowgen where it was about to leave by the uplink that it came in by. */
static bool is_kept_in(const struct fg_context *context, const struct fg_event *end)
{
	return context->from_uplink && fg_on_primary(context, end);
}

static enum fg_outcome outcome_of_end(const struct fg_context *context, const struct fg_progress *p,
				      struct fg_result *result)
{
	const struct fg_event *end = &p->end->event;

	switch (end->kind) {
	case FG_EVENT_STOP:
	case FG_EVENT_REPLY:
		result->stopped = true;
		return is_kept_in(context, end) ? FG_OUTCOME_FORWARDED : FG_OUTCOME_DELIVERED;
	case FG_EVENT_SOCKET:
		return FG_OUTCOME_DELIVERED;
	case FG_EVENT_CONSUME:
		return outcome_of_consume(context, p, result);
	case FG_EVENT_FREE:
		if (!fg_event_is_drop(context, end))
			return outcome_of_consume(context, p, result);
		if (is_caught(context, end)) {
			result->stopped = true;
			return FG_OUTCOME_DELIVERED;
		}
		result->dropped = true;
		result->drop_code = (uint32_t)end->code;
		return FG_OUTCOME_DROPPED;
	default:
		if (context->from_uplink && !p->received)
			return inconclusive(result, "XDP at the uplink redirects it: where to is "
						    "not followed");
		return inconclusive(result,
				    context->ipsec_sent && p->reached_host
					    ? "the trail was lost: IPsec policies are in force "
					      "here, and what they encrypt is not followed"
					    : "the trail was lost");
	}
}

/*
 * The kernel holds a packet for seconds while it asks for the neighbour's address; it asks with a
 * copy of the packet, which is freed at once.
 */
static bool waits_for_neighbour(const struct fg_context *context, const struct fg_trace *trace)
{
	const uint8_t kin = FG_EVENT_F_CLONE | FG_EVENT_F_REPLY,
		      copy = FG_EVENT_F_CLONE | (context->of_reply ? FG_EVENT_F_REPLY : 0);

	static const char *const asking[] = { "__neigh_event_send", "neigh_probe", "arp_solicit",
					      "ndisc_solicit" };

	for (uint32_t i = 0; i < trace->count; i++)
		if ((trace->list[i].event.flags & kin) == copy &&
		    fg_event_starts_with_any(trace->list[i].symbol, asking, COUNT(asking)))
			return true;
	return false;
}

/*
 * Not seen again after XDP in a driver consumed it. What is consumed a second time, where programs
 * run, was in another buffer by then: a program sent that on. Once, where buffers are copied: what
 * went on was not known again by its addresses and ports.
 */
static const char *why_lost_in_xdp(const struct fg_context *context, const struct fg_progress *p)
{
	static const char *const copiers[] = { "skb_pp_cow_data", "veth_convert_skb" };
	const struct fg_observation *last = p->last;

	if (!last || last->event.kind != FG_EVENT_CONSUME || !fg_progress_replaced(context, p))
		return NULL;
	if (p->copies > 1 && fg_event_starts_with(last->symbol, "veth_xdp_rcv"))
		return "XDP in the driver sent it on (XDP_TX or XDP_REDIRECT); flowgen cannot "
		       "follow it there";
	if (fg_event_starts_with_any(last->symbol, copiers, COUNT(copiers)))
		return "XDP in the driver took it, and it was not known again: a program may have "
		       "rewritten its addresses or ports";
	return "XDP in the driver took it: a program sent it on, or rewrote it";
}

static bool has_native_xdp(const struct fg_ladder *ladder)
{
	for (size_t i = 0; i < ladder->count && i < FG_LADDER_MAX; i++)
		if (ladder->programs[i].hook == FG_HOOK_XDP && ladder->programs[i].native &&
		    ladder->programs[i].stage == FG_STAGE_EGRESS)
			return true;
	return false;
}

static enum fg_outcome outcome_of(const struct fg_context *context, const struct fg_trace *trace,
				  const struct fg_progress *p, struct fg_result *result)
{
	const struct fg_observation *last = p->last;
	const char *xdp;

	result->end = p->end ? p->end : last;
	if (p->turned)
		return inconclusive(result, "it came back as its own answer");
	if (p->end)
		return outcome_of_end(context, p, result);
	if (last && last->event.kind == FG_EVENT_XMIT && !last->event.code &&
	    (trace->left_node || fg_event_is_exit(context, &last->event)))
		return FG_OUTCOME_FORWARDED;
	if (p->kept)
		return inconclusive(result,
				    "Open vSwitch consumed it: its daemon was asked and did "
				    "not send it on, or a flow without actions dropped it");
	xdp = why_lost_in_xdp(context, p);
	if (xdp)
		return inconclusive(result, xdp);
	if (last && fg_event_on_kind(context, &last->event, "wireguard"))
		return inconclusive(result, "it waits in a WireGuard device: the peer has not "
					    "answered the handshake");
	if (waits_for_neighbour(context, trace))
		return inconclusive(
			result,
			"it is waiting for a neighbour that does not answer: see the cause");
	if (!last && context->awaited)
		return inconclusive(result,
				    has_native_xdp(context->ladder)
					    ? "it was not seen to arrive: XDP in the uplink's "
					      "driver, which runs before, may have dropped it"
					    : "it was not seen to arrive");
	if (!last && context->from_uplink)
		return inconclusive(result, "it did not reach the uplink");
	return inconclusive(result, last ? "its end was not seen in time"
					 : "it did not reach the pod's egress path");
}

static bool expectation_met(enum fg_expect expect, const struct fg_result *r)
{
	switch (expect) {
	case FG_EXPECT_NOTHING:
	case FG_EXPECT_FINER: /* who knows it says so */
		return true;
	case FG_EXPECT_ALLOW:
		return (r->verdict == FG_VERDICT_ALLOWED || r->verdict == FG_VERDICT_REDIRECTED ||
			r->verdict == FG_VERDICT_NONE) &&
		       fg_probe_arrived(r);
	case FG_EXPECT_ALLOWED:
		return r->verdict == FG_VERDICT_ALLOWED && fg_probe_arrived(r);
	case FG_EXPECT_DENY:
		return r->verdict == FG_VERDICT_DENIED;
	case FG_EXPECT_DELIVERED:
		return r->outcome == FG_OUTCOME_DELIVERED || r->outcome == FG_OUTCOME_REPLIED;
	case FG_EXPECT_FORWARDED:
		return r->outcome == FG_OUTCOME_FORWARDED;
	case FG_EXPECT_DROPPED:
		return r->outcome == FG_OUTCOME_DROPPED || r->outcome == FG_OUTCOME_REJECTED;
	case FG_EXPECT_NOT_SENT:
		return r->outcome == FG_OUTCOME_NOT_SENT;
	}
	return false;
}

/* From another node it may reach another device than was expected, with other programs. */
static bool arrived_elsewhere(const struct fg_context *context, const struct fg_trace *trace)
{
	for (uint32_t i = 0; context->awaited && i < trace->count; i++)
		if (trace->list[i].event.kind == FG_EVENT_INJECT)
			return !fg_on_primary(context, &trace->list[i].event);
	return false;
}

/* What makes any result doubtful, whatever was seen. */
static const char *doubt(const struct fg_context *context, const struct fg_trace *trace,
			 const struct fg_progress *p)
{
	if (trace->lost)
		return "events were lost: the ring buffer was full";
	if (trace->strays)
		return "some records match no probe: one of this probe's may be missing";
	if (trace->changed && trace->receiver_gone)
		return "the receiver went away during the run: its device is gone";
	if (trace->changed)
		return "the programs on the path changed during the run";
	if (trace->metadata)
		return "XDP at the uplink gave the packet metadata, which flowgen cannot hand on";
	if (context->ladder->count > FG_LADDER_MAX)
		return "more programs are attached to the path than flowgen can follow";
	/* A bounced packet is reported by the second leg: before it, it was not on the path. */
	if (!p->injected && p->last)
		return context->method == FG_METHOD_BOUNCE
			       ? "it did not enter the pod's device, so it could not leave it"
			       : "its injection was not reported";
	/* Events tell the probe, not which of its packets they are about. */
	if (p->injected > 1)
		return "several packets were sent for this probe: their paths cannot be "
		       "distinguished";
	if (arrived_elsewhere(context, trace))
		return "it arrived by another device than was expected";
	if (p->risen)
		return "it was seen again after its end";
	return NULL;
}

/* No result: what was seen stays in the trace, but nothing is concluded from it. */
static void distrust(struct fg_result *result, const char *why)
{
	result->verdict = FG_VERDICT_UNKNOWN;
	for (int s = 0; s < FG_STAGES; s++)
		result->stages[s].verdict = FG_VERDICT_UNKNOWN;
	result->decider = (struct fg_decider){};
	result->candidates = 0;
	result->denied_by = -1;
	result->filter_by = -1;
	result->redirected_by = -1;
	result->redirected_to = NULL;
	result->outcome = FG_OUTCOME_INCONCLUSIVE;
	result->stopped = false;
	result->dropped = false;
	result->drop_code = 0;
	result->reason = why;
}

/* A reply says more about the packet's end than what was seen of it on this host. */
static enum fg_outcome with_answer(enum fg_outcome outcome, const struct fg_reply *reply)
{
	if (reply->kind == FG_REPLY_NONE)
		return outcome;
	return fg_reply_rejects(reply) ? FG_OUTCOME_REJECTED : FG_OUTCOME_REPLIED;
}

/* The room for the steps, and for the reply's way, stays. */
static void clear(const struct fg_context *context, struct fg_result *result)
{
	struct fg_step *steps = result->steps;
	const struct fg_reply reply = { .way = result->reply.way, .back = result->reply.back };

	*result = (struct fg_result){ .denied_by = -1,
				      .filter_by = -1,
				      .redirected_by = -1,
				      .steps = steps,
				      .reply = reply };
	if (context->ladder->count)
		memset(steps, 0, context->ladder->count * sizeof(*steps));
}

/* Whether a tc filter makes copies for that device: a monitor's, which say nothing. */
static bool is_mirrored_to(const struct fg_context *context, const struct fg_event *e)
{
	for (size_t i = 0; i < context->ladder->filter_count; i++) {
		const struct fg_program *f = &context->ladder->filters[i];

		if (f->action == FG_TC_MIRROR && f->netns == e->netns &&
		    f->target_ifindex == (int)e->ifindex)
			return true;
	}
	return false;
}

/* A clone that arrived, or left the host: of the copies that a tap takes nothing is seen. */
static const struct fg_observation *copy_arrived(const struct fg_context *context,
						 const struct fg_trace *trace)
{
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_event *e = &trace->list[i].event;

		if (!(e->flags & FG_EVENT_F_CLONE) ||
		    (e->flags & (FG_EVENT_F_REPLY | FG_EVENT_F_PIECE)))
			continue;
		if (e->kind == FG_EVENT_STOP || e->kind == FG_EVENT_SOCKET ||
		    (e->kind == FG_EVENT_XMIT && !e->code && fg_event_is_exit(context, e) &&
		     !is_mirrored_to(context, e)))
			return &trace->list[i];
	}
	return NULL;
}

/*
 * Whether the copy went where the packet was to go, by the program that dropped the packet: another
 * may be a monitor's.
 */
static bool stands_for_packet(const struct fg_context *context, const struct fg_result *result,
			      const struct fg_observation *copy)
{
	const struct fg_event *e = &copy->event;
	const struct fg_far *far = &context->far;

	if (result->denied_by < 0)
		return false;
	return e->kind != FG_EVENT_XMIT ||
	       (far->known && !far->netns && fg_at(e, far->host_netns, far->host_ifindex));
}

/*
 * A program may send a copy on and drop the packet itself (bpf_clone_redirect()): then what was
 * sent arrived all the same.
 */
static void doubt_copy(struct fg_result *result, const struct fg_observation *copy)
{
	result->verdict = FG_VERDICT_UNKNOWN;
	result->stages[result->decider.stage].verdict = FG_VERDICT_UNKNOWN;
	result->denied_by = -1;
	result->candidates = 0;
	result->reason = "a copy of it went on, and the packet itself was dropped: whether the "
			 "copy is a monitor's is not known";
	if (copy->event.kind == FG_EVENT_XMIT)
		return;
	result->outcome = FG_OUTCOME_INCONCLUSIVE;
	result->dropped = false;
	result->drop_code = 0;
}

static void judge_copy(const struct fg_context *context, const struct fg_trace *trace,
		       struct fg_result *result)
{
	const struct fg_observation *copy =
		result->verdict == FG_VERDICT_DENIED ? copy_arrived(context, trace) : NULL;

	if (!copy)
		return;
	if (!stands_for_packet(context, result, copy)) {
		doubt_copy(result, copy);
		return;
	}
	result->redirected_by = result->denied_by;
	result->redirected_to = copy;
	result->denied_by = -1;
	result->filter_by = -1;
	result->candidates = 0;
	result->verdict = FG_VERDICT_REDIRECTED;
	result->stages[result->decider.stage].verdict = FG_VERDICT_REDIRECTED;
	result->decider = (struct fg_decider){};
	result->outcome = copy->event.kind == FG_EVENT_XMIT ? FG_OUTCOME_FORWARDED
							    : FG_OUTCOME_DELIVERED;
	result->stopped = copy->event.kind == FG_EVENT_STOP;
	result->dropped = false;
	result->drop_code = 0;
	result->end = copy;
	result->reason = "a program forwarded a copy, which arrived, and dropped the packet itself";
}

/*
 * A program made a refusal of the packet itself (a reset, an ICMP error) and sent it back: it
 * denied it.
 */
static void judge_turned(const struct fg_progress *p, struct fg_result *result)
{
	enum fg_stage stage = FG_STAGE_EGRESS;

	if (!p->turned || !fg_reply_rejects(&result->reply) || result->verdict == FG_VERDICT_DENIED)
		return;
	if (result->stages[stage].verdict != FG_VERDICT_REDIRECTED) {
		result->verdict = FG_VERDICT_UNKNOWN;
		result->reason = "it came back as its own answer: which program made that of it is "
				 "not known";
		return;
	}
	result->verdict = result->stages[stage].verdict = FG_VERDICT_DENIED;
	result->denied_by = result->redirected_by;
	result->decider =
		(struct fg_decider){ .kind = FG_KIND_BPF, .stage = stage, .at = p->target };
	result->redirected_by = -1;
	result->redirected_to = NULL;
}

/* Somebody else's answer, or one that somebody made up: nothing follows from it. */
static void disown(struct fg_result *result)
{
	result->reply = (struct fg_reply){ .way = result->reply.way, .back = result->reply.back };
	if (!result->reason || result->outcome == FG_OUTCOME_INCONCLUSIVE)
		result->reason = "an answer came whose numbers do not fit the packet: it is not "
				 "believed";
}

/* The Ethertype, after the two addresses. */
static uint16_t protocol_of(const struct fg_frame *frame)
{
	return frame->data && frame->len >= 14 ? (uint16_t)(frame->data[12] << 8 | frame->data[13])
					       : 0;
}

static bool is_service(const struct fg_context *context, const struct fg_flow *flow)
{
	for (size_t i = 0; i < context->service_count; i++) {
		const struct fg_service_port *s = &context->services[i];

		if (s->protocol == flow->protocol && (!s->port || s->port == flow->dport))
			return true;
	}
	return false;
}

/* Whether the packet is for a service of IPVS, as it was when it was last seen. */
static bool goes_to_service(const struct fg_context *context, const struct fg_probe *probe)
{
	const struct fg_frame *frame = &probe->frame;
	struct fg_flow flow;

	return context->service_count && !probe->trace.flow_count && frame->len > ETH_HLEN &&
	       !fg_flow_extract(frame->data + ETH_HLEN, frame->len - ETH_HLEN, &flow) &&
	       is_service(context, &flow);
}

/* A probe on its way, or (by a context of its own) the reply to it on the return path. */
static void judge_way(const struct fg_context *context, const struct fg_probe *probe,
		      struct fg_progress *p, struct fg_result *result)
{
	const struct fg_trace *trace = &probe->trace;
	bool over;

	clear(context, result);
	fg_progress_follow(context, trace, p);
	p->protocol = protocol_of(&probe->frame);
	if (!context->of_reply) {
		p->to_service = goes_to_service(context, probe);
		p->rule = trace->rule;
	}
	result->outcome = outcome_of(context, trace, p, result);
	if (!context->of_reply)
		fg_pieces_judge(context, trace, result);
	if (context->ladder->count > FG_LADDER_MAX || !p->injected)
		return;
	fg_steps_fill(context, trace, p, result);
	over = result->outcome != FG_OUTCOME_INCONCLUSIVE ||
	       (trace->answered && !context->of_reply);
	fg_verdict_find(context, trace, p, over, result);
	if (!context->of_reply)
		judge_copy(context, trace, result);
}

/* The reply's way is that of a packet of its own. */
static void judge_back(const struct fg_probe *probe, const struct fg_reply *reply)
{
	struct fg_progress p;
	const char *why;

	judge_way(reply->back, probe, &p, reply->way);
	why = fg_reply_doubt(reply, &probe->trace, &p);
	if (why)
		distrust(reply->way, why);
}

/* Of two stages that are one. */
static enum fg_verdict both(enum fg_verdict a, enum fg_verdict b)
{
	static const enum fg_verdict order[] = { FG_VERDICT_DENIED, FG_VERDICT_UNKNOWN,
						 FG_VERDICT_REDIRECTED, FG_VERDICT_ALLOWED };

	for (size_t i = 0; i < COUNT(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return FG_VERDICT_NONE;
}

/* What is attached to an uplink is the node's: nobody has sent the packet from here. */
static void fold_stages(struct fg_result *result)
{
	struct fg_stage_result *own = &result->stages[FG_STAGE_EGRESS],
			       *node = &result->stages[FG_STAGE_NODE];

	if (own->reached)
		node->verdict = node->reached ? both(own->verdict, node->verdict) : own->verdict;
	node->reached |= own->reached;
	*own = (struct fg_stage_result){ .verdict = FG_VERDICT_NONE };
	if (result->decider.stage == FG_STAGE_EGRESS)
		result->decider.stage = FG_STAGE_NODE;
}

void fg_judge(const struct fg_context *context, struct fg_probe *probe)
{
	const struct fg_trace *trace = &probe->trace;
	struct fg_result *result = &probe->result, *way = result->reply.way;
	struct fg_progress p;
	const char *why;

	judge_way(context, probe, &p, result);
	fg_reply_read(trace, &result->reply);
	if (trace->misfits && !trace->answered)
		disown(result);
	if (way)
		judge_back(probe, &result->reply);
	if (result->reply.kind != FG_REPLY_NONE && result->outcome == FG_OUTCOME_INCONCLUSIVE)
		result->reason = NULL;
	result->outcome = with_answer(result->outcome, &result->reply);
	judge_turned(&p, result);
	why = doubt(context, trace, &p);
	if (why)
		distrust(result, why);
	if (why && way)
		distrust(way, why);
	if (context->from_uplink)
		fold_stages(result);
	result->expect_met = expectation_met(probe->spec.expect, result);
}

void fg_judge_not_sent(const struct fg_context *context, struct fg_probe *probe, const char *reason)
{
	struct fg_result *r = &probe->result;

	clear(context, r);
	for (size_t i = 0; i < context->ladder->count && i < FG_LADDER_MAX; i++)
		r->steps[i].ran = FG_RAN_NO;
	r->verdict = FG_VERDICT_NONE;
	for (int s = 0; s < FG_STAGES; s++)
		r->stages[s].verdict = FG_VERDICT_NONE;
	r->outcome = FG_OUTCOME_NOT_SENT;
	r->decider = (struct fg_decider){ .kind = FG_KIND_ROUTE, .stage = FG_STAGE_EGRESS };
	r->reason = reason;
	r->expect_met = expectation_met(probe->spec.expect, r);
}

static bool contradict(enum fg_verdict a, enum fg_verdict b)
{
	return a != FG_VERDICT_UNKNOWN && b != FG_VERDICT_UNKNOWN &&
	       (a == FG_VERDICT_DENIED) != (b == FG_VERDICT_DENIED);
}

/*
 * Whether the receiver's stack dropped the second only because it has the first: a SYN of the same
 * connection is a repetition to it (RFC 9293 section 3.10.7.4).
 */
static bool is_repetition(const struct fg_probe *probe, const struct fg_attempt *first)
{
	const struct fg_frame *frame = &probe->frame;
	const struct fg_result *r = &probe->result;
	struct fg_flow flow;

	return (first->outcome == FG_OUTCOME_DELIVERED || first->outcome == FG_OUTCOME_REPLIED) &&
	       r->dropped && r->decider.kind == FG_KIND_SOCKET && r->verdict == first->verdict &&
	       frame->len > ETH_HLEN &&
	       !fg_flow_extract(frame->data + ETH_HLEN, frame->len - ETH_HLEN, &flow) &&
	       flow.protocol == IPPROTO_TCP;
}

void fg_judge_compare(struct fg_probe *probe, const struct fg_attempt *first)
{
	static const char why[] = "one of two packets was denied, and the other was not";
	struct fg_result *r = &probe->result;

	r->attempts = 2;
	r->first = *first;
	if (r->reply.way && contradict(first->back, r->reply.way->verdict))
		distrust(r->reply.way, why);
	if (is_repetition(probe, first)) {
		r->outcome = with_answer(FG_OUTCOME_DELIVERED, &r->reply);
		r->dropped = false;
		r->drop_code = 0;
		r->decider = (struct fg_decider){};
		r->reason = "the first of two packets was delivered; the second was a repetition "
			    "to the receiver";
		r->expect_met = expectation_met(probe->spec.expect, r);
	}
	if (!contradict(first->verdict, r->verdict))
		return;
	distrust(r, why);
	r->expect_met = expectation_met(probe->spec.expect, r);
}

/* A drop that policy made has no reply; others may have one, already in flight. */
static enum fg_ending ending_of_free(const struct fg_context *context, const struct fg_event *event)
{
	uint32_t code = (uint32_t)event->code;

	if (!fg_event_is_drop(context, event))
		return FG_ENDING_FINAL;
	return code == context->codes.tc_egress || code == context->codes.tc_ingress ||
			       code == context->codes.xdp
		       ? FG_ENDING_FINAL
		       : FG_ENDING_SOFT;
}

/* What the event means for the packet itself, without replies. */
static enum fg_ending ending_of_packet(const struct fg_context *context,
				       const struct fg_trace *trace, const struct fg_event *event)
{
	struct fg_progress p;

	switch (event->kind) {
	case FG_EVENT_FREE:
		return ending_of_free(context, event);
	case FG_EVENT_STOP:
	case FG_EVENT_LOST:
		return FG_ENDING_FINAL;
	case FG_EVENT_CONSUME:
		/* The whole datagram may go on in the sk_buff of another. */
		if (trace->fragment)
			return FG_ENDING_SOFT;
		if (fg_pieces_any(trace))
			return fg_pieces_ending(context, trace, event);
		/* A super-packet is segmented first, and its segments are seen later. */
		if (trace->whole[FG_PIECE_SEGMENT])
			return FG_ENDING_SOFT;
		if (!context->xdp_copies && !context->far.xdp_copies && !context->ovs)
			return FG_ENDING_FINAL;
		fg_progress_follow(context, trace, &p);
		return fg_progress_replaced(context, &p) ? FG_ENDING_NONE : FG_ENDING_FINAL;
	case FG_EVENT_SOCKET:
		return FG_ENDING_SOFT;
	case FG_EVENT_XMIT:
		return !event->code && fg_event_on_hardware(context, event) ? FG_ENDING_FINAL
									    : FG_ENDING_NONE;
	default:
		return FG_ENDING_NONE;
	}
}

/*
 * A reply that flowgen's own program freed, before all others at that hook: what it was has been
 * told by then.
 */
static bool is_intercepted(const struct fg_context *context, const struct fg_event *event)
{
	if (context->from_uplink)
		return fg_on_primary(context, event) && context->codes.tc_egress &&
		       (uint32_t)event->code == context->codes.tc_egress;
	return fg_at(event, context->pod_netns, context->peer_ifindex) &&
	       context->codes.tc_ingress && (uint32_t)event->code == context->codes.tc_ingress;
}

/* The packet may be answered before its own end is seen, and the end is wanted too. */
static enum fg_ending ending_of_reply(const struct fg_context *context,
				      const struct fg_trace *trace, const struct fg_event *event)
{
	struct fg_progress p;

	if (event->kind != FG_EVENT_REPLY &&
	    (!fg_event_is_drop(context, event) || is_intercepted(context, event)))
		return FG_ENDING_NONE;
	fg_progress_follow(context, trace, &p);
	return p.end ? FG_ENDING_FINAL : FG_ENDING_SOFT;
}

enum fg_ending fg_judge_ending(const struct fg_context *context, const struct fg_trace *trace,
			       const struct fg_event *event)
{
	enum fg_ending ending;

	if (event->flags & FG_EVENT_F_REPLY)
		return ending_of_reply(context, trace, event);
	if (event->flags & FG_EVENT_F_CLONE)
		return FG_ENDING_NONE;
	ending = event->flags & FG_EVENT_F_PIECE ? fg_pieces_ending(context, trace, event)
						 : ending_of_packet(context, trace, event);
	if (ending == FG_ENDING_NONE || event->kind == FG_EVENT_STOP)
		return ending;
	if (trace->answered)
		return FG_ENDING_FINAL;
	/*
	 * What was dropped, but not by policy, is answered at once or never; the rest may take its
	 * time.
	 */
	return context->wants_reply && event->kind != FG_EVENT_FREE ? FG_ENDING_NONE : ending;
}
