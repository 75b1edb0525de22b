// SPDX-License-Identifier: GPL-2.0-only
/* judge_verdict.c - what policy decided, and which program it was. */
#include "judge_parts.h"
#include "names.h"

static const struct fg_program *program_at(const struct fg_scene *scene, size_t i)
{
	return &scene->ladder->programs[i];
}

/* FG_HOOKS: any. */
static bool same_kind(enum fg_hook hook, const struct fg_program *program)
{
	return hook == FG_HOOKS || (hook == FG_HOOK_XDP) == (program->hook == FG_HOOK_XDP);
}

static enum fg_effect effect_of(const struct fg_program *program, const struct fg_step *step)
{
	return step->has_retval ? fg_program_effect(program, step->retval) : FG_EFFECT_NEXT;
}

static int first_drop(const struct fg_scene *scene, const struct fg_result *result)
{
	for (size_t i = 0; i < scene->ladder->count; i++) {
		enum fg_effect effect = effect_of(program_at(scene, i), &result->steps[i]);

		if (effect == FG_EFFECT_DROP || effect == FG_EFFECT_TAKEN)
			return (int)i;
	}
	return -1;
}

/* The program that sent the packet elsewhere, by its return value, or -1. */
static int first_redirect(const struct fg_scene *scene, const struct fg_result *result)
{
	for (size_t i = 0; i < scene->ladder->count; i++)
		if (effect_of(program_at(scene, i), &result->steps[i]) == FG_EFFECT_REDIRECT)
			return (int)i;
	return -1;
}

/* Filters of other kinds can drop in that stretch too. */
static bool others_drop(const struct fg_scene *scene, enum fg_stretch stretch, enum fg_hook hook)
{
	if (stretch == FG_STRETCH_POD)
		return scene->ladder->pod_filters;
	return stretch == FG_STRETCH_HOST && hook != FG_HOOK_XDP && scene->ladder->other_filters;
}

/*
 * Which program dropped it or sent it on, without a return value to tell: the only one there, or by the run counters the
 * last one that ran; else -1. Programs seen by fexit did not, or they would have been found.
 */
static int decider_in(const struct fg_scene *scene, const struct fg_result *result,
		      enum fg_stretch stretch, enum fg_hook hook, bool *by_count)
{
	int only = -1, last = -1;
	bool counted = true;
	size_t candidates = 0;

	for (size_t i = 0; i < scene->ladder->count; i++) {
		const struct fg_program *program = program_at(scene, i);
		const struct fg_step *step = &result->steps[i];

		if (fg_stretch_of(program) != stretch || !same_kind(hook, program) ||
		    (step->evidence == FG_EVIDENCE_FEXIT && !program->classifier))
			continue;
		candidates++;
		only = (int)i;
		counted &= step->evidence == FG_EVIDENCE_RUN_COUNT;
		if (step->ran == FG_RAN_YES)
			last = (int)i;
	}
	*by_count = candidates > 1;
	if (!candidates || others_drop(scene, stretch, hook))
		return -1;
	if (counted)
		return last;
	return candidates == 1 ? only : -1;
}

static void mark_denier(const struct fg_scene *scene, struct fg_result *result,
			enum fg_stretch stretch, enum fg_hook hook)
{
	bool by_count;
	int denier = decider_in(scene, result, stretch, hook, &by_count);
	const struct fg_program *program;
	struct fg_step *step;

	result->denied_by = denier;
	if (denier < 0) {
		/* If no program stands there, it was a filter of another kind, or the device itself. */
		if (!result->reason)
			result->reason =
				"the drop is policy's, but which program made it is not known";
		return;
	}
	program = program_at(scene, (size_t)denier);
	step = &result->steps[denier];
	step->ran = FG_RAN_YES;
	if (step->evidence < FG_EVIDENCE_DROP_REASON && !by_count)
		step->evidence = FG_EVIDENCE_DROP_REASON;
	/* XDP has two values that drop, and a filter without direct-action returns a class. */
	if (program->hook == FG_HOOK_XDP || program->classifier)
		return;
	step->has_retval = true;
	step->retval = 2; /* TCX_DROP, TC_ACT_SHOT, NETKIT_DROP */
}

/* Hooks whose first program is asked by every packet that comes by; a tc filter can be for another protocol. */
static bool must_run(const struct fg_scene *scene, size_t i)
{
	enum fg_hook hook = program_at(scene, i)->hook;

	if (hook != FG_HOOK_TCX_EGRESS && hook != FG_HOOK_TCX_INGRESS &&
	    hook != FG_HOOK_NETKIT_PEER)
		return false;
	return !i || program_at(scene, i - 1)->hook != hook;
}

/* Whether a run of that program would have been seen. */
static bool is_watched(const struct fg_scene *scene, size_t i)
{
	const struct fg_program *program = program_at(scene, i);

	/* XDP is matched by addresses; a packet from the pod's own socket is not known before it left the peer's hooks. */
	return program->traced && program->hook != FG_HOOK_XDP &&
	       (scene->method != FG_METHOD_POD_SOCKET || fg_stretch_of(program) != FG_STRETCH_POD);
}

static enum fg_ran ran_by_place(const struct fg_scene *scene, const struct fg_progress *p,
				bool over, const struct fg_result *result, size_t i)
{
	const struct fg_program *program = program_at(scene, i);
	enum fg_stretch s = fg_stretch_of(program);
	bool passed = fg_stretch_passed(p, s);
	int denier = result->denied_by;

	if (!fg_stretch_walked(scene, s) || (denier >= 0 && (int)i > denier))
		return FG_RAN_NO;
	if (over && s > FG_STRETCH_POD && !fg_stretch_passed(p, s - 1) && !passed &&
	    fg_stretch_walked(scene, s - 1))
		return FG_RAN_NO;
	if (passed && is_watched(scene, i))
		return FG_RAN_NO;
	/* The kernel asks them in order, so those before the denier on its hook said "next". */
	if ((passed && must_run(scene, i)) ||
	    (denier >= 0 && program->hook == program_at(scene, (size_t)denier)->hook &&
	     program->hook != FG_HOOK_TC_EGRESS && program->hook != FG_HOOK_TC_INGRESS))
		return FG_RAN_YES;
	return FG_RAN_UNKNOWN;
}

static void mark_reached(const struct fg_scene *scene, const struct fg_progress *p, bool over,
			 struct fg_result *result)
{
	for (size_t i = 0; i < scene->ladder->count; i++)
		if (result->steps[i].ran == FG_RAN_UNKNOWN)
			result->steps[i].ran = ran_by_place(scene, p, over, result, i);
}

static bool all_passed(const struct fg_scene *scene, const struct fg_progress *p)
{
	for (size_t i = 0; i < scene->ladder->count; i++)
		if (!fg_stretch_passed(p, fg_stretch_of(program_at(scene, i))))
			return false;
	return true;
}

static enum fg_verdict redirected(const struct fg_progress *p, int by, struct fg_result *result)
{
	result->redirected_by = by;
	result->redirected_to = p->target;
	return FG_VERDICT_REDIRECTED;
}

/* Which program of the host side it was, where none was seen to return so. */
static int redirector_of(const struct fg_scene *scene, struct fg_result *result)
{
	bool by_count;
	int by = decider_in(scene, result, FG_STRETCH_HOST, FG_HOOKS, &by_count);
	struct fg_step *step = &result->steps[by < 0 ? 0 : by];

	if (by < 0 || step->ran == FG_RAN_NO)
		return -1;
	step->ran = FG_RAN_YES;
	if (program_at(scene, (size_t)by)->hook != FG_HOOK_XDP &&
	    !program_at(scene, (size_t)by)->classifier) {
		step->has_retval = true;
		step->retval = 7; /* TCX_REDIRECT, TC_ACT_REDIRECT */
	}
	/* The kernel asks no one behind it. */
	for (size_t i = (size_t)by + 1; i < scene->ladder->count; i++)
		if (result->steps[i].ran == FG_RAN_UNKNOWN)
			result->steps[i].ran = FG_RAN_NO;
	return by;
}

/* Whether a program of the host side ran of which it is not known what it returned. */
static bool any_unseen(const struct fg_scene *scene, const struct fg_result *result)
{
	for (size_t i = 0; i < scene->ladder->count; i++)
		if (fg_stretch_of(program_at(scene, i)) == FG_STRETCH_HOST &&
		    result->steps[i].ran != FG_RAN_NO &&
		    result->steps[i].evidence != FG_EVIDENCE_FEXIT)
			return true;
	return false;
}

static enum fg_verdict unknown(struct fg_result *result, const char *reason)
{
	if (!result->reason)
		result->reason = reason;
	return FG_VERDICT_UNKNOWN;
}

/* The packet was seen behind all programs. Is there anything that says it was not they who let it through? */
static enum fg_verdict verdict_of_passed(const struct fg_scene *scene, const struct fg_progress *p,
					 struct fg_result *result)
{
	bool any = false, host = false;

	for (size_t i = 0; i < scene->ladder->count; i++) {
		enum fg_ran ran = result->steps[i].ran;

		any |= ran != FG_RAN_NO;
		host |= fg_stretch_of(program_at(scene, i)) == FG_STRETCH_HOST;
		/* Generic XDP is not asked about a packet that was redirected: it must have been seen to run. */
		if ((ran == FG_RAN_NO && must_run(scene, i)) ||
		    (ran != FG_RAN_YES && program_at(scene, i)->hook == FG_HOOK_XDP &&
		     !program_at(scene, i)->native))
			return unknown(result,
				       "the packet passed a program that was not seen to run");
	}
	if (!any)
		return FG_VERDICT_NONE;
	if (p->moved == FG_MOVED_YES && host)
		return redirected(p, redirector_of(scene, result), result);
	if (p->moved == FG_MOVED_UNSURE && any_unseen(scene, result))
		return unknown(
			result,
			"a redirect by an untraced program cannot be told from bridging here");
	return FG_VERDICT_ALLOWED;
}

static enum fg_verdict verdict_without_drop(const struct fg_scene *scene,
					    const struct fg_progress *p, struct fg_result *result)
{
	int by = first_redirect(scene, result);

	if (by >= 0)
		return redirected(p, by, result);
	if (!p->entered)
		return unknown(result, "it was not seen on the pod's egress path");
	if (!scene->ladder->count) {
		if (!scene->ladder->other_filters)
			return FG_VERDICT_NONE;
		return unknown(result, "tc filters that are no BPF programs stand on the path");
	}
	for (size_t i = 0; i < scene->ladder->count; i++)
		if (!fg_stretch_walked(scene, fg_stretch_of(program_at(scene, i))))
			return unknown(result, "host-ingress passed by programs on the pod's side");
	if (!all_passed(scene, p))
		return unknown(result, "it was not seen behind all policy programs");
	return verdict_of_passed(scene, p, result);
}

void fg_verdict_find(const struct fg_scene *scene, const struct fg_progress *p, bool over,
		     struct fg_result *result)
{
	enum fg_hook hook = FG_HOOK_TCX_EGRESS;
	int stretch = fg_progress_denied(scene, p, &hook);
	int drop = first_drop(scene, result);

	if (drop >= 0 && fg_stretch_passed(p, fg_stretch_of(program_at(scene, (size_t)drop)))) {
		result->verdict = unknown(
			result, "a program was seen to drop the packet, and the packet behind it");
		return;
	}
	if (drop >= 0)
		result->denied_by = drop;
	else if (stretch >= 0)
		mark_denier(scene, result, (enum fg_stretch)stretch, hook);
	mark_reached(scene, p, over, result);
	if (drop >= 0 || stretch >= 0)
		result->verdict = FG_VERDICT_DENIED;
	else
		result->verdict = verdict_without_drop(scene, p, result);
}
