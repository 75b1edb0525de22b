// SPDX-License-Identifier: GPL-2.0-only
/* judge_steps.c - what each program of the ladder did, from the events on it and from its run counter. */
#include <string.h>

#include "judge_parts.h"
#include "names.h"

static bool is_tc(enum fg_hook hook)
{
	return hook == FG_HOOK_TC_EGRESS || hook == FG_HOOK_TC_INGRESS;
}

/* XDP has no sk_buff, and netkit's programs run with the other end's device: these are known by their number alone. */
static bool event_fits(const struct fg_program *program, const struct fg_event *e)
{
	if (program->id != e->id)
		return false;
	return program->hook == FG_HOOK_XDP || program->hook == FG_HOOK_NETKIT_PEER ||
	       (program->netns == e->netns && program->ifindex == (int)e->ifindex);
}

static void step_seen(const struct fg_scene *scene, const struct fg_event *e,
		      struct fg_result *result)
{
	for (size_t i = 0; i < scene->ladder->count; i++) {
		struct fg_step *step = &result->steps[i];

		/* The same program may stand twice on one device: its runs come in order. */
		if (step->evidence == FG_EVIDENCE_FEXIT ||
		    !event_fits(&scene->ladder->programs[i], e))
			continue;
		step->ran = FG_RAN_YES;
		step->evidence = FG_EVIDENCE_FEXIT;
		step->has_retval = true;
		step->retval = e->code;
		step->has_duration = e->aux != 0;
		step->duration_ns = e->aux;
		return;
	}
}

/*
 * Whether the counters of the programs from first to end (of one stretch) read as one packet's way: once each up to some
 * program and not at all behind it. Only a tc filter may be passed by: it can be for another protocol.
 */
static bool counts_plausible(const struct fg_scene *scene, const struct fg_trace *trace,
			     const struct fg_progress *p, size_t first, size_t end)
{
	const struct fg_program *programs = scene->ladder->programs;
	bool stopped = false;

	for (size_t i = first; i < end; i++) {
		if (trace->runs[i] == FG_RUNS_UNKNOWN)
			continue;
		if (trace->runs[i] > 1 || (trace->runs[i] && stopped))
			return false;
		if (!trace->runs[i] && !is_tc(programs[i].hook))
			stopped = true;
	}
	/* Behind the stretch, its first program has run, or nobody was counting. */
	return trace->runs[first] || is_tc(programs[first].hook) ||
	       !fg_stretch_passed(p, fg_stretch_of(&programs[first]));
}

static bool ran_after(const struct fg_scene *scene, const struct fg_trace *trace, size_t i,
		      size_t end)
{
	for (size_t k = i + 1; k < end; k++)
		if (scene->ladder->programs[k].hook == scene->ladder->programs[i].hook &&
		    trace->runs[k] == 1)
			return true;
	return false;
}

static void step_counted(const struct fg_scene *scene, const struct fg_trace *trace, size_t i,
			 size_t end, struct fg_step *step)
{
	if (step->evidence == FG_EVIDENCE_FEXIT || trace->runs[i] == FG_RUNS_UNKNOWN)
		return;
	step->ran = trace->runs[i] ? FG_RAN_YES : FG_RAN_NO;
	step->evidence = FG_EVIDENCE_RUN_COUNT;
	step->has_duration = trace->runs[i] && trace->run_ns[i];
	step->duration_ns = trace->run_ns[i];
	/* A later one of the hook was asked too: then this one said "next". */
	if (trace->runs[i] && !scene->ladder->programs[i].classifier &&
	    ran_after(scene, trace, i, end)) {
		step->has_retval = true;
		step->retval = -1;
	}
}

/*
 * Run counters, read right before and right after this one packet. They also count other packets of the pod; so they are
 * believed only where they are plausible.
 */
static void steps_from_counts(const struct fg_scene *scene, const struct fg_trace *trace,
			      const struct fg_progress *p, struct fg_result *result)
{
	const struct fg_ladder *ladder = scene->ladder;

	for (size_t first = 0, end; first < ladder->count; first = end) {
		enum fg_stretch s = fg_stretch_of(&ladder->programs[first]);

		end = first;
		while (end < ladder->count && fg_stretch_of(&ladder->programs[end]) == s)
			end++;
		if (!counts_plausible(scene, trace, p, first, end))
			continue;
		for (size_t i = first; i < end; i++)
			step_counted(scene, trace, i, end, &result->steps[i]);
	}
}

void fg_steps_fill(const struct fg_scene *scene, const struct fg_trace *trace,
		   const struct fg_progress *p, struct fg_result *result)
{
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_event *e = &trace->list[i].event;

		if (e->kind == FG_EVENT_LOST)
			break;
		if (e->kind == FG_EVENT_POLICY &&
		    !(e->flags & (FG_EVENT_F_CLONE | FG_EVENT_F_PIECE | FG_EVENT_F_REPLY)))
			step_seen(scene, e, result);
	}
	if (trace->counted)
		steps_from_counts(scene, trace, p, result);
}
