// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge/steps.c - what each program of the ladder did, from the events on it and from its run
 * counter.
 */
#include <string.h>

#include "judge/internal.h"
#include "probe/names.h"

static bool is_tc(enum fg_hook hook)
{
	return hook == FG_HOOK_TC_EGRESS || hook == FG_HOOK_TC_INGRESS;
}

/*
 * XDP has no sk_buff, and netkit's programs run with the other end's device: these are known by
 * their number alone.
 */
static bool event_fits(const struct fg_program *program, const struct fg_event *e)
{
	if (program->id != e->id)
		return false;
	if (program->hook == FG_HOOK_XDP || program->hook == FG_HOOK_NETKIT_PEER)
		return true;
	/* netkit's programs run with the other end as the packet's device. */
	if (program->hook == FG_HOOK_NETKIT_PRIMARY)
		return e->netns != program->netns;
	return program->netns == e->netns && program->ifindex == (int)e->ifindex;
}

/* Whether a program of a hook that is asked before that one, or of the same, stands before it. */
static bool has_earlier(const struct fg_ladder *ladder, size_t i)
{
	const struct fg_program *program = &ladder->programs[i];
	bool egress = program->hook == FG_HOOK_TC_EGRESS;

	for (size_t k = 0; k < i; k++) {
		const struct fg_program *o = &ladder->programs[k];

		if (o->netns != program->netns || o->ifindex != program->ifindex)
			continue;
		if (o->hook == program->hook ||
		    (is_tc(program->hook) &&
		     o->hook == (egress ? FG_HOOK_TCX_EGRESS : FG_HOOK_TCX_INGRESS)))
			return true;
	}
	return false;
}

/*
 * A filter may be for another protocol; a filter of another kind, or a tcx program, may have
 * decided before it.
 */
static bool filter_must_run(const struct fg_ladder *ladder, const struct fg_progress *p, size_t i)
{
	const struct fg_program *program = &ladder->programs[i];
	bool own = program->stage == FG_STAGE_EGRESS;

	if (program->chain || program->parent || (own && ladder->other_filters) ||
	    fg_ladder_has_filters(ladder, program))
		return false;
	/* Further on the packet may be in another one. */
	return !program->protocol || (own && p->protocol && program->protocol == p->protocol);
}

bool fg_steps_must_run(const struct fg_context *context, const struct fg_progress *p, size_t i)
{
	const struct fg_program *program = &context->ladder->programs[i];

	if (has_earlier(context->ladder, i))
		return false;
	switch (program->hook) {
	case FG_HOOK_XDP:
		return program->native && program->stage != FG_STAGE_EGRESS;
	case FG_HOOK_TC_EGRESS:
	case FG_HOOK_TC_INGRESS:
		return filter_must_run(context->ladder, p, i);
	default:
		return true;
	}
}

static void step_seen(const struct fg_context *context, const struct fg_event *e,
		      struct fg_result *result)
{
	for (size_t i = 0; i < context->ladder->count; i++) {
		struct fg_step *step = &result->steps[i];

		/* The same program may be attached twice to one device: its runs come in order. */
		if (step->evidence >= FG_EVIDENCE_FEXIT ||
		    !event_fits(&context->ladder->programs[i], e))
			continue;
		step->ran = FG_RAN_YES;
		step->evidence = e->flags & FG_EVENT_F_RUN ? FG_EVIDENCE_RUN : FG_EVIDENCE_FEXIT;
		step->has_retval = true;
		step->retval = e->code;
		step->has_duration = e->aux != 0;
		step->duration_ns = e->aux;
		return;
	}
}

/*
 * Whether the counters of the programs from first to end (of one stretch) read as one packet's way:
 * once each up to some program and not at all after it. Only a tc filter may be bypassed: it can
 * be for another protocol.
 */
static bool counts_plausible(const struct fg_context *context, const struct fg_trace *trace,
			     const struct fg_progress *p, size_t first, size_t end)
{
	const struct fg_program *programs = context->ladder->programs;
	bool stopped = false;

	for (size_t i = first; i < end; i++) {
		if (trace->runs[i].times == FG_RUNS_UNKNOWN)
			continue;
		if (trace->runs[i].times > 1 || (trace->runs[i].times && stopped))
			return false;
		if (!trace->runs[i].times && !is_tc(programs[i].hook))
			stopped = true;
	}
	/* After the stretch, its first program has run, or nobody was counting. */
	return trace->runs[first].times || is_tc(programs[first].hook) ||
	       programs[first].stage != FG_STAGE_EGRESS ||
	       !fg_progress_stretch_passed(p, fg_progress_stretch_of(&programs[first]));
}

static void step_counted(const struct fg_trace *trace, size_t i, struct fg_step *step)
{
	if (step->evidence >= FG_EVIDENCE_FEXIT || trace->runs[i].times == FG_RUNS_UNKNOWN)
		return;
	step->ran = trace->runs[i].times ? FG_RAN_YES : FG_RAN_NO;
	step->evidence = FG_EVIDENCE_RUN_COUNT;
	step->has_duration = trace->runs[i].times && trace->runs[i].ns;
	step->duration_ns = trace->runs[i].ns;
}

/* Programs of one stretch of the sending pod's pair, or of one hook of another device. */
static bool asked_together(const struct fg_program *a, const struct fg_program *b)
{
	if (a->stage != b->stage)
		return false;
	if (a->stage == FG_STAGE_EGRESS)
		return fg_progress_stretch_of(a) == fg_progress_stretch_of(b);
	return a->hook == b->hook && a->netns == b->netns && a->ifindex == b->ifindex;
}

/*
 * Run counters, read right before and right after this one packet. They also count other packets of
 * the pod; so they are believed only where they are plausible.
 */
static void steps_from_counts(const struct fg_context *context, const struct fg_trace *trace,
			      const struct fg_progress *p, struct fg_result *result)
{
	const struct fg_ladder *ladder = context->ladder;

	for (size_t first = 0, end; first < ladder->count; first = end) {
		end = first;
		while (end < ladder->count &&
		       asked_together(&ladder->programs[first], &ladder->programs[end]))
			end++;
		if (!counts_plausible(context, trace, p, first, end))
			continue;
		for (size_t i = first; i < end; i++)
			step_counted(trace, i, &result->steps[i]);
	}
}

void fg_steps_fill(const struct fg_context *context, const struct fg_trace *trace,
		   const struct fg_progress *p, struct fg_result *result)
{
	/* What ran for the packet, as it goes on: of a flooded one, by the clone that was taken. */
	struct fg_way own = fg_progress_way(context, trace);

	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_event *e = &trace->list[i].event;

		if (!fg_progress_on_way(&own, e))
			continue;
		if (e->kind == FG_EVENT_LOST)
			break;
		if (e->kind == FG_EVENT_POLICY)
			step_seen(context, e, result);
	}
	/* The counters are read around the packet, and are about the programs that it met. */
	if (trace->runs && !context->of_reply)
		steps_from_counts(context, trace, p, result);
}
