// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge/point.c - programs after the sending pod's own pair: at devices of the host, and those of
 * the receiving pod or the uplink. Each is attached to a point: a hook of a device; what was seen
 * of the packet at that device says whether it came there and whether it passed.
 */
#include <string.h>

#include "judge/internal.h"
#include "probe/names.h"

static bool is_egress(enum fg_hook hook)
{
	return hook == FG_HOOK_TCX_EGRESS || hook == FG_HOOK_TC_EGRESS;
}

/*
 * At the egress of an uplink flowgen's own program stands between those of tcx and the filters of
 * clsact (sch_handle_egress()), and intercepts what came from there, and the answers to it.
 */
static bool splits_egress(const struct fg_context *context, const struct fg_program *program)
{
	return is_egress(program->hook) &&
	       ((context->from_uplink &&
		 fg_at(&(struct fg_event){ .netns = program->netns,
					   .ifindex = (uint32_t)program->ifindex },
		       context->host_netns, context->primary_ifindex)) ||
		(context->to_uplink && program->stage == FG_STAGE_INGRESS));
}

/* Programs of one point are passed, or not, together. */
static bool same_point(const struct fg_context *context, const struct fg_program *a,
		       const struct fg_program *b)
{
	if (splits_egress(context, a) && a->hook != b->hook)
		return false;
	return a->netns == b->netns && a->ifindex == b->ifindex &&
	       is_egress(a->hook) == is_egress(b->hook) &&
	       (a->hook == FG_HOOK_XDP) == (b->hook == FG_HOOK_XDP) &&
	       (a->hook == FG_HOOK_NETKIT_PRIMARY) == (b->hook == FG_HOOK_NETKIT_PRIMARY);
}

/* What was seen of the packet at a device, in the order of the trace. */
struct sight {
	bool queued, received, stopped;
	bool behind; /* something that comes only after the device's ingress hooks */
};

static void see(const struct fg_program *program, const struct fg_progress *p,
		const struct fg_observation *o, struct sight *s)
{
	const struct fg_event *e = &o->event;
	bool here = fg_at(e, program->netns, program->ifindex);

	switch (e->kind) {
	case FG_EVENT_QUEUE:
		s->behind |= s->received && (!here || o != p->place);
		s->queued |= here;
		break;
	case FG_EVENT_RECEIVE:
		s->behind |= s->received && !here;
		s->received |= here;
		break;
	case FG_EVENT_STOP:
		/* At the device, before all else there; or behind it, in the stack or at a socket.
		 */
		s->stopped |= here && !e->aux;
		s->behind |= e->aux ? here || s->received : s->received && !here;
		break;
	case FG_EVENT_REPLY:
		s->stopped |= here;
		s->behind |= s->received && !here;
		break;
	case FG_EVENT_SOCKET:
		s->behind |= s->received;
		break;
	case FG_EVENT_CONSUME:
		s->behind |= s->received && fg_event_symbol_delivers(o->symbol);
		break;
	default:
		break;
	}
}

/* Where the packet goes from a netkit primary, or from the host side of a veth. */
static bool is_far_end(const struct fg_program *program, const struct fg_event *e)
{
	return program->other_netns && fg_at(e, program->other_netns, program->other_ifindex);
}

static void look(const struct fg_context *context, const struct fg_trace *trace,
		 const struct fg_progress *p, const struct fg_program *program, struct sight *here,
		 struct sight *far)
{
	struct fg_way way = fg_progress_way(context, trace);
	struct fg_program end = *program;
	bool injected = false;

	end.netns = program->other_netns;
	end.ifindex = program->other_ifindex;
	*here = *far = (struct sight){};
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_observation *o = &trace->list[i];

		if (!fg_progress_on_way(&way, &o->event))
			continue;
		injected |= way.reply || o->event.kind == FG_EVENT_INJECT;
		if (!injected)
			continue;
		if (o->event.kind == FG_EVENT_LOST)
			return;
		see(program, p, o, here);
		if (program->other_netns)
			see(&end, p, o, far);
	}
}

/* Whether the packet was dropped at the program's point, by something else at that hook. */
static bool dropped_at(const struct fg_context *context, const struct fg_progress *p,
		       const struct fg_program *program, const struct sight *here)
{
	const struct fg_drop_codes *codes = &context->codes;
	const struct fg_event *e = p->end ? &p->end->event : NULL;
	uint32_t code;

	if (!e || !fg_event_is_drop(context, e))
		return false;
	code = (uint32_t)e->code;
	if (program->hook == FG_HOOK_NETKIT_PRIMARY)
		return here->queued && is_far_end(program, e) &&
		       fg_event_starts_with(p->end->symbol, "netkit_xmit");
	if (!fg_at(e, program->netns, program->ifindex))
		return false;
	if (program->hook == FG_HOOK_XDP && program->native)
		return !here->received && fg_event_starts_with(p->end->symbol, "veth_xdp");
	if (program->hook == FG_HOOK_XDP)
		return here->received && fg_progress_dropped_by_xdp(context, p->end);
	if (is_egress(program->hook))
		return codes->tc_egress && code == codes->tc_egress;
	return codes->tc_ingress && code == codes->tc_ingress;
}

/* Whether what ended it there was a redirect by generic XDP that failed. */
static bool xdp_failed(const struct fg_context *context, const struct fg_progress *p)
{
	return p->end && context->codes.xdp && fg_event_is_drop(context, &p->end->event) &&
	       (uint32_t)p->end->event.code == context->codes.xdp;
}

/* Freed at the device for a reason that belongs to what comes after its ingress hooks. */
static bool freed_behind(const struct fg_context *context, const struct fg_progress *p,
			 const struct fg_program *program)
{
	const struct fg_observation *end = p->end;

	return end && end->event.kind == FG_EVENT_FREE &&
	       (!end->event.ifindex || fg_at(&end->event, program->netns, program->ifindex)) &&
	       fg_progress_of_stack(context, end);
}

/* Whether the packet was handed to the host's end of the pair that the program's device is of. */
static bool sent_to(const struct fg_context *context, const struct fg_trace *trace,
		    const struct fg_progress *p, const struct fg_program *program)
{
	const struct fg_far *far = &context->far;
	struct fg_program end = { .netns = far->host_netns, .ifindex = far->host_ifindex };
	struct sight here, other;

	if (!far->known || program->netns != far->netns || program->ifindex != far->ifindex)
		return false;
	look(context, trace, p, &end, &here, &other);
	return here.queued;
}

static enum fg_point point_of(const struct fg_context *context, const struct fg_trace *trace,
			      const struct fg_progress *p, const struct fg_program *program)
{
	struct sight here, far;

	look(context, trace, p, program, &here, &far);
	if (dropped_at(context, p, program, &here))
		return FG_POINT_DROPPED;
	if (here.stopped && program->hook == FG_HOOK_TC_EGRESS && splits_egress(context, program))
		return FG_POINT_INTERCEPTED;
	if (is_egress(program->hook))
		return here.queued ? FG_POINT_PASSED : FG_POINT_NOT_MET;
	if (program->hook == FG_HOOK_NETKIT_PRIMARY) {
		if (far.received || far.stopped || far.behind)
			return here.queued ? FG_POINT_PASSED : FG_POINT_NOT_MET;
		return here.queued ? FG_POINT_UNSURE : FG_POINT_NOT_MET;
	}
	if (program->hook == FG_HOOK_XDP && program->native)
		return here.received || here.stopped || here.behind ? FG_POINT_PASSED
		       : sent_to(context, trace, p, program)	    ? FG_POINT_UNSURE
								    : FG_POINT_NOT_MET;
	if (program->hook == FG_HOOK_XDP)
		return here.stopped || here.behind ||
				       (here.received && p->end && !xdp_failed(context, p))
			       ? FG_POINT_PASSED
		       : here.received ? FG_POINT_UNSURE
				       : FG_POINT_NOT_MET;
	/* flowgen's own stop program comes before the others at tc ingress. */
	if (here.stopped)
		return FG_POINT_INTERCEPTED;
	if (here.behind || (here.received && freed_behind(context, p, program)))
		return FG_POINT_PASSED;
	return here.received ? FG_POINT_UNSURE : FG_POINT_NOT_MET;
}

/*
 * Whether a run of the program would have been seen: it is traced; but the clone that a bridge
 * makes is known from its queue on, and the programs before that see a packet that nobody knows
 * yet.
 */
static bool is_heard(const struct fg_progress *p, const struct fg_program *program)
{
	return program->traced && program->hook != FG_HOOK_XDP && !p->cloned;
}

static enum fg_ran ran_at(const struct fg_context *context, const struct fg_progress *p, size_t i,
			  enum fg_point point)
{
	const struct fg_program *program = &context->ladder->programs[i];

	switch (point) {
	case FG_POINT_NOT_MET:
	case FG_POINT_INTERCEPTED:
		return FG_RAN_NO;
	case FG_POINT_PASSED:
		if (is_heard(p, program))
			return FG_RAN_NO;
		return fg_steps_must_run(context, p, i) ? FG_RAN_YES : FG_RAN_UNKNOWN;
	default:
		return FG_RAN_UNKNOWN;
	}
}

/*
 * Which program of the point from first to end dropped the packet, if none was seen to: the only
 * one that can have; by the run counters the last one that ran. A traced program that stayed silent
 * did not run. *candidates: who is left if it is not known.
 */
static int denier_at(const struct fg_context *context, const struct fg_progress *p,
		     const struct fg_result *result, size_t first, size_t end, uint64_t *candidates,
		     bool *by_count)
{
	int last = -1, only = -1;
	bool counted = true;
	size_t count = 0;

	*candidates = 0;
	for (size_t i = first; i < end; i++) {
		const struct fg_program *program = &context->ladder->programs[i];
		const struct fg_step *step = &result->steps[i];

		if (step->evidence >= FG_EVIDENCE_FEXIT && !program->classifier)
			continue;
		if (is_heard(p, program) && step->evidence < FG_EVIDENCE_FEXIT)
			continue;
		count++;
		only = (int)i;
		if (step->ran != FG_RAN_NO)
			*candidates |= 1ULL << i;
		/* Behind the last that ran, all must be known not to have; not so before it. */
		counted = step->evidence == FG_EVIDENCE_RUN_COUNT &&
			  (counted || step->ran == FG_RAN_YES);
		if (step->ran == FG_RAN_YES)
			last = (int)i;
	}
	*by_count = count > 1;
	if (count && counted)
		return last;
	return count == 1 && !fg_ladder_has_filters(context->ladder,
						    &context->ladder->programs[only])
		       ? only
		       : -1;
}

static bool drops(const struct fg_program *program, const struct fg_step *step)
{
	enum fg_effect effect = step->has_retval ? fg_moved_program_effect(program, step->retval)
						 : FG_EFFECT_NEXT;

	return effect == FG_EFFECT_DROP || effect == FG_EFFECT_TAKEN;
}

/*
 * A counter that moved though the packet did not get there: the program is attached elsewhere too,
 * or ran on another packet.
 */
static void forget_counts(struct fg_result *result, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (result->steps[i].evidence == FG_EVIDENCE_RUN_COUNT)
			result->steps[i] = (struct fg_step){};
}

/* One point was passed, or not: what its programs did, and the verdict of the stage so far. */
static void judge_point(const struct fg_context *context, const struct fg_progress *p,
			struct fg_result *result, size_t first, size_t end, enum fg_point point,
			struct fg_stage_result *stage)
{
	int drop = -1;
	bool by_count, any = false, skipped = false, unsure = point == FG_POINT_UNSURE;

	stage->reached |= point != FG_POINT_NOT_MET;
	if (point == FG_POINT_NOT_MET)
		forget_counts(result, first, end);

	for (size_t i = first; i < end; i++) {
		const struct fg_program *program = &context->ladder->programs[i];
		struct fg_step *step = &result->steps[i];

		if (drop < 0 && drops(program, step))
			drop = (int)i;
		if (step->ran == FG_RAN_UNKNOWN)
			step->ran = ran_at(context, p, i, point);
		/* Of a packet that was not seen to go on, only a value says that it may. */
		any |= step->ran == FG_RAN_YES && (point != FG_POINT_UNSURE || step->has_retval);
		stage->reached |= step->ran == FG_RAN_YES;
		if (point != FG_POINT_PASSED)
			continue;
		unsure |= step->ran == FG_RAN_UNKNOWN;
		skipped |= step->ran == FG_RAN_NO && fg_steps_must_run(context, p, i);
	}
	if (drop >= 0 && point == FG_POINT_PASSED) {
		result->reason =
			"a program was seen to drop the packet, but the packet was seen after it";
		stage->verdict = FG_VERDICT_UNKNOWN;
		return;
	}
	if (point == FG_POINT_DROPPED || drop >= 0) {
		stage->verdict = FG_VERDICT_DENIED;
		result->denied_by = drop >= 0 ? drop
					      : denier_at(context, p, result, first, end,
							  &result->candidates, &by_count);
		if (drop < 0 && result->denied_by >= 0) {
			struct fg_step *step = &result->steps[result->denied_by];

			step->ran = FG_RAN_YES;
			result->candidates = 0;
			if (step->evidence < FG_EVIDENCE_DROP_REASON && !by_count)
				step->evidence = FG_EVIDENCE_DROP_REASON;
		}
		return;
	}
	if (stage->verdict == FG_VERDICT_DENIED || stage->verdict == FG_VERDICT_UNKNOWN)
		return;
	if (skipped || (unsure && !any)) {
		stage->verdict = FG_VERDICT_UNKNOWN;
		if (!result->reason)
			result->reason =
				stage == &result->stages[FG_STAGE_INGRESS]
					? "it is not known whether the receiver's programs ran"
					: "it is not known whether programs on the path ran";
	} else if (any) {
		stage->verdict = FG_VERDICT_ALLOWED;
	}
}

bool fg_point_filters_drop(const struct fg_context *context, enum fg_stage stage)
{
	for (size_t i = 0; i < context->ladder->filter_count; i++)
		if (context->ladder->filters[i].stage == stage &&
		    context->ladder->filters[i].may_drop)
			return true;
	return false;
}

/* A filter of another kind that can drop let through what passed its hook. */
static void judge_filters(const struct fg_context *context, const struct fg_trace *trace,
			  const struct fg_progress *p, struct fg_result *result)
{
	for (size_t i = 0; i < context->ladder->filter_count; i++) {
		const struct fg_program *f = &context->ladder->filters[i];
		struct fg_stage_result *stage = &result->stages[f->stage];

		if (f->stage != FG_STAGE_EGRESS && f->may_drop && !f->parent &&
		    stage->verdict == FG_VERDICT_NONE &&
		    point_of(context, trace, p, f) == FG_POINT_PASSED)
			stage->verdict = FG_VERDICT_ALLOWED;
	}
}

void fg_point_judge(const struct fg_context *context, const struct fg_trace *trace,
		    const struct fg_progress *p, struct fg_result *result)
{
	const struct fg_ladder *ladder = context->ladder;
	size_t end;

	for (size_t first = fg_ladder_egress(ladder); first < ladder->count; first = end) {
		const struct fg_program *program = &ladder->programs[first];
		enum fg_point point = point_of(context, trace, p, program);

		for (end = first; end < ladder->count; end++)
			if (!same_point(context, program, &ladder->programs[end]))
				break;
		judge_point(context, p, result, first, end, point, &result->stages[program->stage]);
	}
	judge_filters(context, trace, p, result);
}
