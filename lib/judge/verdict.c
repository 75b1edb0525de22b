// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge/verdict.c - what policy decided, and who it was: the programs of the sending pod's own pair
 * here, those after it in point.c, everything else by the place where the packet ended (place.c);
 * and the verdict over all of it.
 */
#include "judge/internal.h"
#include "probe/names.h"

static const char which_unknown[] = "policy dropped it, but which program did is not known";

static const struct fg_program *program_at(const struct fg_context *context, size_t i)
{
	return &context->ladder->programs[i];
}

/* FG_HOOKS: any. */
static bool same_kind(enum fg_hook hook, const struct fg_program *program)
{
	return hook == FG_HOOKS || (hook == FG_HOOK_XDP) == (program->hook == FG_HOOK_XDP);
}

static enum fg_effect effect_of(const struct fg_program *program, const struct fg_step *step)
{
	return step->has_retval ? fg_moved_program_effect(program, step->retval) : FG_EFFECT_NEXT;
}

static int first_drop(const struct fg_context *context, const struct fg_result *result)
{
	for (size_t i = 0; i < fg_ladder_egress(context->ladder); i++) {
		enum fg_effect effect = effect_of(program_at(context, i), &result->steps[i]);

		if (effect == FG_EFFECT_DROP || effect == FG_EFFECT_TAKEN)
			return (int)i;
	}
	return -1;
}

/* The program that sent the packet elsewhere, by its return value, or -1. */
static int first_redirect(const struct fg_context *context, const struct fg_result *result)
{
	for (size_t i = 0; i < fg_ladder_egress(context->ladder); i++)
		if (effect_of(program_at(context, i), &result->steps[i]) == FG_EFFECT_REDIRECT)
			return (int)i;
	return -1;
}

/* Whether a run of that program would have been seen. */
static bool is_watched(const struct fg_context *context, size_t i)
{
	const struct fg_program *program = program_at(context, i);

	/*
	 * XDP is matched by addresses; a packet from the pod's own socket is not known before it
	 * left the peer's hooks.
	 */
	return program->traced && program->hook != FG_HOOK_XDP &&
	       (context->method != FG_METHOD_POD_SOCKET ||
		fg_progress_stretch_of(program) != FG_STRETCH_POD);
}

/* Filters of other kinds can drop in that stretch too. */
static bool others_drop(const struct fg_context *context, enum fg_stretch stretch,
			enum fg_hook hook)
{
	if (stretch == FG_STRETCH_POD)
		return context->ladder->pod_filters;
	return stretch == FG_STRETCH_HOST && hook != FG_HOOK_XDP && context->ladder->other_filters;
}

/*
 * Which program dropped it or sent it on, without a return value to tell: the only one there, or by
 * the run counters the last one that ran; else -1. Programs seen by fexit did not, or they would
 * have been found.
 */
static int decider_in(const struct fg_context *context, struct fg_result *result,
		      enum fg_stretch stretch, enum fg_hook hook, bool *by_count)
{
	int only = -1, last = -1;
	bool counted = true;
	size_t candidates = 0;

	for (size_t i = 0; i < fg_ladder_egress(context->ladder); i++) {
		const struct fg_program *program = program_at(context, i);
		const struct fg_step *step = &result->steps[i];

		if (fg_progress_stretch_of(program) != stretch || !same_kind(hook, program) ||
		    (step->evidence >= FG_EVIDENCE_FEXIT && !program->classifier))
			continue;
		/* A traced program that stayed silent did not run. */
		if (step->evidence < FG_EVIDENCE_FEXIT && is_watched(context, i))
			continue;
		candidates++;
		if (step->ran != FG_RAN_NO)
			result->candidates |= 1ULL << i;
		only = (int)i;
		/* Behind the last that ran, all must be known not to have; not so before it. */
		counted = step->evidence == FG_EVIDENCE_RUN_COUNT &&
			  (counted || step->ran == FG_RAN_YES);
		if (step->ran == FG_RAN_YES)
			last = (int)i;
	}
	*by_count = candidates > 1;
	if (!candidates || others_drop(context, stretch, hook))
		return -1;
	if (counted)
		return last;
	return candidates == 1 ? only : -1;
}

static void mark_denier(const struct fg_context *context, struct fg_result *result,
			enum fg_stretch stretch, enum fg_hook hook)
{
	bool by_count;
	int denier = decider_in(context, result, stretch, hook, &by_count);
	struct fg_step *step;

	result->denied_by = denier;
	if (denier < 0) {
		/*
		 * If no program is there, it was a filter of another kind, or the device
		 * itself.
		 */
		if (!result->reason)
			result->reason = which_unknown;
		return;
	}
	result->candidates = 0;
	step = &result->steps[denier];
	step->ran = FG_RAN_YES;
	if (step->evidence < FG_EVIDENCE_DROP_REASON && !by_count)
		step->evidence = FG_EVIDENCE_DROP_REASON;
}

static enum fg_ran ran_by_place(const struct fg_context *context, const struct fg_progress *p,
				bool over, const struct fg_result *result, size_t i)
{
	const struct fg_program *program = program_at(context, i);
	enum fg_stretch s = fg_progress_stretch_of(program);
	bool passed = fg_progress_stretch_passed(p, s);
	int denier = result->denied_by, redirector = first_redirect(context, result);

	/* Behind one that denied the packet or sent it on nobody is asked. */
	if (!fg_progress_stretch_walked(context, s) || (denier >= 0 && (int)i > denier) ||
	    (redirector >= 0 && (int)i > redirector))
		return FG_RAN_NO;
	if (over && s > FG_STRETCH_POD && !fg_progress_stretch_passed(p, s - 1) && !passed &&
	    fg_progress_stretch_walked(context, s - 1))
		return FG_RAN_NO;
	if (passed && is_watched(context, i))
		return FG_RAN_NO;
	/* The kernel asks them in order, so those before the denier on its hook said "next". */
	if ((passed && fg_steps_must_run(context, p, i)) ||
	    (denier >= 0 && program->hook == program_at(context, (size_t)denier)->hook &&
	     program->hook != FG_HOOK_TC_EGRESS && program->hook != FG_HOOK_TC_INGRESS))
		return FG_RAN_YES;
	return FG_RAN_UNKNOWN;
}

static void mark_reached(const struct fg_context *context, const struct fg_progress *p, bool over,
			 struct fg_result *result)
{
	for (size_t i = 0; i < fg_ladder_egress(context->ladder); i++)
		if (result->steps[i].ran == FG_RAN_UNKNOWN)
			result->steps[i].ran = ran_by_place(context, p, over, result, i);
}

static bool all_passed(const struct fg_context *context, const struct fg_progress *p)
{
	for (size_t i = 0; i < fg_ladder_egress(context->ladder); i++)
		if (!fg_progress_stretch_passed(p, fg_progress_stretch_of(program_at(context, i))))
			return false;
	return true;
}

static enum fg_verdict redirected(const struct fg_progress *p, int by, struct fg_result *result)
{
	result->redirected_by = by;
	result->redirected_to = p->target;
	return FG_VERDICT_REDIRECTED;
}

/* Which program of the host side it was, if none was seen to return so. */
static int redirector_of(const struct fg_context *context, struct fg_result *result)
{
	bool by_count;
	int by = decider_in(context, result, FG_STRETCH_HOST, FG_HOOKS, &by_count);
	struct fg_step *step;

	if (by < 0 || result->steps[by].ran == FG_RAN_NO)
		return -1;
	step = &result->steps[by];
	result->candidates = 0;
	step->ran = FG_RAN_YES;
	/* The kernel asks no program after it. */
	for (size_t i = (size_t)by + 1; i < fg_ladder_egress(context->ladder); i++)
		if (result->steps[i].ran == FG_RAN_UNKNOWN)
			result->steps[i].ran = FG_RAN_NO;
	return by;
}

/* Whether a program of the host side ran whose return value is not known. */
static bool any_unseen(const struct fg_context *context, const struct fg_result *result)
{
	for (size_t i = 0; i < fg_ladder_egress(context->ladder); i++)
		if (fg_progress_stretch_of(program_at(context, i)) == FG_STRETCH_HOST &&
		    result->steps[i].ran != FG_RAN_NO &&
		    (result->steps[i].evidence < FG_EVIDENCE_FEXIT ||
		     program_at(context, i)->classifier))
			return true;
	return false;
}

static enum fg_verdict unknown(struct fg_result *result, const char *reason)
{
	if (!result->reason)
		result->reason = reason;
	return FG_VERDICT_UNKNOWN;
}

/*
 * The packet was seen after all programs. Is there anything that says they did not let it
 * through?
 */
static enum fg_verdict verdict_of_passed(const struct fg_context *context,
					 const struct fg_progress *p, struct fg_result *result)
{
	bool any = false, sure = false, host = false;

	for (size_t i = 0; i < fg_ladder_egress(context->ladder); i++) {
		enum fg_ran ran = result->steps[i].ran;

		any |= ran != FG_RAN_NO;
		sure |= ran == FG_RAN_YES;
		host |= fg_progress_stretch_of(program_at(context, i)) == FG_STRETCH_HOST;
		/*
		 * Generic XDP is not asked about a packet that was redirected: it must have been
		 * seen to run.
		 */
		if ((ran == FG_RAN_NO && fg_steps_must_run(context, p, i)) ||
		    (ran != FG_RAN_YES && program_at(context, i)->hook == FG_HOOK_XDP &&
		     !program_at(context, i)->native))
			return unknown(result,
				       "the packet passed a program that was not seen to run");
	}
	if (!any)
		return FG_VERDICT_NONE;
	/* Where all of them were seen to pass it on, it was something else that moved it. */
	if (p->moved == FG_MOVED_YES && host && any_unseen(context, result))
		return redirected(p, redirector_of(context, result), result);
	if (p->moved == FG_MOVED_UNSURE && any_unseen(context, result))
		return unknown(result, context->bridged
					       ? "a redirect by an untraced program cannot be "
						 "distinguished from bridging here"
					       : "a redirect by an untraced program cannot be "
						 "distinguished from routing here");
	if (!sure)
		return unknown(
			result,
			"it is not known whether a tc filter ran: it may match another protocol");
	return FG_VERDICT_ALLOWED;
}

static enum fg_verdict verdict_without_drop(const struct fg_context *context,
					    const struct fg_progress *p, struct fg_result *result)
{
	int by = first_redirect(context, result);

	if (by >= 0)
		return redirected(p, by, result);
	if (!p->entered)
		return unknown(result, context->from_uplink
					       ? "it was not seen at the uplink"
					       : "it was not seen on the pod's egress path");
	if (!fg_ladder_egress(context->ladder)) {
		if (!context->ladder->other_filters)
			return FG_VERDICT_NONE;
		if (p->passed_host && p->moved == FG_MOVED_NO && context->ladder->filter_count &&
		    !context->ladder->filters_cut)
			return fg_point_filters_drop(context, FG_STAGE_EGRESS) ? FG_VERDICT_ALLOWED
									       : FG_VERDICT_NONE;
		return unknown(result,
			       "tc filters that are not BPF programs are attached to the path");
	}
	for (size_t i = 0; i < fg_ladder_egress(context->ladder); i++)
		if (!fg_progress_stretch_walked(context,
						fg_progress_stretch_of(program_at(context, i))))
			return unknown(
				result,
				context->from_uplink
					? "XDP in the uplink's driver was not met"
					: "host-ingress bypassed programs on the pod's side");
	if (!all_passed(context, p))
		return unknown(result, "it was not seen after all policy programs");
	return verdict_of_passed(context, p, result);
}

/* A reply that came from elsewhere met none of these. */
static void skip_egress(const struct fg_context *context, struct fg_result *result)
{
	for (size_t i = 0; i < fg_ladder_egress(context->ladder); i++)
		result->steps[i].ran = FG_RAN_NO;
}

/* The sending pod's own pair. */
static void judge_egress(const struct fg_context *context, const struct fg_progress *p, bool over,
			 struct fg_result *result)
{
	struct fg_stage_result *stage = &result->stages[FG_STAGE_EGRESS];
	enum fg_hook hook = FG_HOOK_TCX_EGRESS;
	int stretch = fg_progress_denied(context, p, &hook);
	int drop = first_drop(context, result);

	stage->reached = !p->foreign;
	if (p->foreign) {
		stage->verdict = FG_VERDICT_NONE;
		skip_egress(context, result);
		return;
	}
	if (drop >= 0 && fg_progress_stretch_passed(
				 p, fg_progress_stretch_of(program_at(context, (size_t)drop)))) {
		stage->verdict = unknown(
			result,
			"a program was seen to drop the packet, but the packet was seen after it");
		return;
	}
	if (drop >= 0)
		result->denied_by = drop;
	else if (stretch >= 0)
		mark_denier(context, result, (enum fg_stretch)stretch, hook);
	mark_reached(context, p, over, result);
	if (drop >= 0 || stretch >= 0)
		stage->verdict = FG_VERDICT_DENIED;
	else
		stage->verdict = verdict_without_drop(context, p, result);
}

/* Whether an event shows the packet in the stage where it is received, or leaves the host. */
static bool is_in(const struct fg_context *context, const struct fg_event *e)
{
	const struct fg_far *far = &context->far;

	if (e->kind == FG_EVENT_SOCKET)
		return true;
	/* Back to where it came from. */
	if (context->from_uplink && e->kind == FG_EVENT_STOP && fg_on_primary(context, e))
		return true;
	if (!e->ifindex || fg_on_primary(context, e))
		return false;
	if (e->netns != context->host_netns)
		return e->netns != context->pod_netns;
	return e->kind == FG_EVENT_QUEUE &&
	       (fg_event_is_exit(context, e) ||
		(far->known && fg_at(e, far->host_netns, far->host_ifindex)));
}

static void find_reached(const struct fg_context *context, const struct fg_trace *trace,
			 const struct fg_progress *p, struct fg_result *result)
{
	struct fg_way way = fg_progress_way(context, trace);
	bool failed = p->end && fg_moved_redirect_failed(p->end) &&
		      fg_on_primary(context, &p->end->event);
	/* netkit's programs send packets on before the primary receives them. */
	bool left = p->passed_host || p->sent_on;

	result->stages[FG_STAGE_NODE].reached = p->passed_host && !failed;
	result->stages[FG_STAGE_NODE].verdict = FG_VERDICT_NONE;
	result->stages[FG_STAGE_INGRESS].verdict = FG_VERDICT_NONE;
	for (uint32_t i = 0; i < trace->count && left; i++)
		if (fg_progress_on_way(&way, &trace->list[i].event))
			result->stages[FG_STAGE_INGRESS].reached |=
				is_in(context, &trace->list[i].event);
	if (left && result->outcome == FG_OUTCOME_DELIVERED)
		result->stages[FG_STAGE_INGRESS].reached = true;
}

/*
 * Dropped at tc, and no program there can have done it: then it was one of the filters of other
 * kinds, which is named where it is the only one that drops.
 */
static void find_filter(const struct fg_context *context, struct fg_result *result)
{
	const struct fg_ladder *ladder = context->ladder;
	struct fg_decider *d = &result->decider;
	const struct fg_event *e = &d->at->event;
	bool egress = (uint32_t)e->code == context->codes.tc_egress;
	size_t there = 0, droppers = 0;

	if (d->kind != FG_KIND_TC || result->candidates)
		return;
	for (size_t i = 0; i < ladder->filter_count; i++) {
		const struct fg_program *f = &ladder->filters[i];

		if (!fg_at(e, f->netns, f->ifindex) || (f->hook == FG_HOOK_TC_EGRESS) != egress)
			continue;
		there++;
		droppers += f->may_drop;
		if (f->may_drop)
			result->filter_by = (int)i;
	}
	if (there)
		d->kind = FG_KIND_TC_FILTER;
	if (droppers != 1 || ladder->filters_cut)
		result->filter_by = -1;
	else if (result->reason == which_unknown)
		result->reason = NULL;
}

/* What ended the packet, if no program was seen to. */
static void find_decider(const struct fg_context *context, const struct fg_progress *p,
			 struct fg_result *result)
{
	const struct fg_observation *end = result->dropped ? result->end : NULL;
	struct fg_decider *d = &result->decider;
	struct fg_stage_result *stage;

	if (result->denied_by >= 0) {
		*d = (struct fg_decider){
			.kind = FG_KIND_BPF,
			.stage = context->ladder->programs[result->denied_by].stage,
			.at = end,
		};
		return;
	}
	if (!end)
		return;
	d->at = end;
	d->kind = fg_place_kind(context, p, end);
	d->stage = fg_place_stage(context, p, end, d->kind);
	/* The hook where it was dropped says more than the reason. */
	for (int s = 0; s < FG_STAGES; s++)
		if (result->stages[s].verdict == FG_VERDICT_DENIED) {
			d->stage = (enum fg_stage)s;
			if (!fg_kind_is_policy(d->kind))
				d->kind = FG_KIND_TC;
		}
	stage = &result->stages[d->stage];
	stage->reached = true;
	if (fg_place_is_ipvs_or_chain(context, p, end, d->kind)) {
		stage->verdict = unknown(result, "netfilter dropped it on its way to a service of "
						 "IPVS: whether a rule did, or IPVS itself, is not "
						 "known (--trace-netfilter tells)");
	} else if (fg_place_is_bridge_or_chain(context, end, d->kind)) {
		stage->verdict = unknown(result, "a bridge dropped it where it was received: "
						 "whether a chain of the bridge family did, or the "
						 "bridge itself, is not known");
	} else if (fg_kind_is_policy(d->kind)) {
		stage->verdict = FG_VERDICT_DENIED;
		find_filter(context, result);
		if (d->kind == FG_KIND_TC || d->kind == FG_KIND_BPF)
			unknown(result, which_unknown);
	} else if (fg_place_is_filter(context, end)) {
		stage->verdict = unknown(result, "a filter of the socket refused it: the "
						 "application's own, a program of its cgroup, or "
						 "a security module (LSM)");
	} else if (fg_place_is_unchosen(context, end)) {
		stage->verdict = unknown(result, "no socket took it: whether a BPF program that "
						 "chooses sockets there (sk_lookup) refused it is "
						 "not known");
	} else if (d->kind == FG_KIND_NONE) {
		d->kind = FG_KIND_OTHER;
		stage->verdict = unknown(result, "what dropped it is not known");
	}
}

/* Netfilter was met where the packet went through the host's stack, and not by a redirect. */
static void judge_node(const struct fg_progress *p, struct fg_result *result)
{
	struct fg_stage_result *node = &result->stages[FG_STAGE_NODE];
	bool through = result->stages[FG_STAGE_INGRESS].reached;

	if (node->reached && node->verdict == FG_VERDICT_NONE && through &&
	    p->moved != FG_MOVED_YES && result->enforced == FG_PRESENCE_YES)
		node->verdict = FG_VERDICT_ALLOWED;
}

/* Netfilter in the pods' own namespaces: of the one that sends it, and that takes it in. */
static void judge_own_netfilter(const struct fg_context *context, const struct fg_progress *p,
				struct fg_result *result)
{
	for (int s = 0; s < FG_STAGES; s++) {
		struct fg_stage_result *stage = &result->stages[s];

		result->own_netfilter[s] =
			fg_met_own_netfilter(context, p, result, (enum fg_stage)s);
		if (result->own_netfilter[s] == FG_PRESENCE_YES &&
		    stage->verdict == FG_VERDICT_NONE)
			stage->verdict = FG_VERDICT_ALLOWED;
	}
}

/*
 * A program that chooses sockets gave it to another one than its port and address say: it did not
 * come to the socket that it was for.
 */
static void judge_choice(const struct fg_context *context, struct fg_result *result)
{
	struct fg_stage_result *stage = &result->stages[FG_STAGE_INGRESS];
	const struct fg_event *e = result->end && !result->dropped ? &result->end->event : NULL;

	if (!e || (e->kind != FG_EVENT_SOCKET && e->kind != FG_EVENT_STOP) ||
	    e->code != FG_SOCKET_OTHER || !fg_place_is_chosen(context, e))
		return;
	stage->reached = true;
	if (stage->verdict == FG_VERDICT_NONE || stage->verdict == FG_VERDICT_ALLOWED)
		stage->verdict = FG_VERDICT_REDIRECTED;
}

/* Whether the filter can keep back what it matches. */
static bool may_deny(const struct fg_program *filter)
{
	return filter->kind == FG_RUNG_CBPF || filter->may_drop ||
	       (filter->action != FG_TC_PASS && filter->action != FG_TC_MIRROR &&
		filter->action != FG_TC_NEXT);
}

static bool crossed(const struct fg_program *filter, const struct fg_event *e)
{
	bool egress = filter->hook == FG_HOOK_TC_EGRESS;

	return fg_at(e, filter->netns, filter->ifindex) &&
	       e->kind == (egress ? FG_EVENT_QUEUE : FG_EVENT_RECEIVE);
}

static bool crossed_filter(const struct fg_context *context, const struct fg_event *e)
{
	for (size_t i = 0; i < context->ladder->filter_count; i++) {
		const struct fg_program *f = &context->ladder->filters[i];

		if (f->stage != FG_STAGE_EGRESS && may_deny(f) && crossed(f, e))
			return true;
	}
	return false;
}

/* Why it cannot be said that no policy stands where the packet went; NULL: it can. */
static const char *unseen_policy(const struct fg_context *context, const struct fg_trace *trace)
{
	struct fg_way way = fg_progress_way(context, trace);

	if (context->unlisted)
		return "the programs at a device on its path could not be listed";
	if (context->route_program)
		return "the route to the destination has a BPF program (encap bpf), and what it "
		       "said is not observed";
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_event *e = &trace->list[i].event;

		if (!fg_progress_on_way(&way, e))
			continue;
		if (crossed_filter(context, e))
			return "tc filters that are not BPF programs are attached to the path";
		if (e->kind == FG_EVENT_QUEUE && e->netns != context->host_netns &&
		    e->netns != context->pod_netns)
			return "it is not known what enforces policy in a namespace that it went "
			       "through";
	}
	return NULL;
}

/* Why it cannot be said that netfilter did not let it pass; NULL: it can. */
static const char *unsure_netfilter(const struct fg_result *result)
{
	if (result->stages[FG_STAGE_NODE].reached && result->enforced == FG_PRESENCE_UNKNOWN)
		return "it is not known whether netfilter enforces policy on this host";
	if (result->own_netfilter[FG_STAGE_EGRESS] == FG_PRESENCE_UNKNOWN)
		return "it is not known whether netfilter enforces policy in the pod that sends "
		       "it";
	if (result->own_netfilter[FG_STAGE_INGRESS] == FG_PRESENCE_UNKNOWN)
		return "it is not known whether netfilter enforces policy in the receiving pod";
	return NULL;
}

static enum fg_verdict combine(const struct fg_context *context, const struct fg_trace *trace,
			       bool over, struct fg_result *result)
{
	const char *why;
	bool seen[FG_VERDICT_NONE + 1] = {};

	for (int s = 0; s < FG_STAGES; s++)
		if (result->stages[s].reached)
			seen[result->stages[s].verdict] = true;
	if (seen[FG_VERDICT_DENIED])
		return FG_VERDICT_DENIED;
	if (!over || seen[FG_VERDICT_UNKNOWN])
		return FG_VERDICT_UNKNOWN;
	if (seen[FG_VERDICT_REDIRECTED])
		return FG_VERDICT_REDIRECTED;
	if (seen[FG_VERDICT_ALLOWED])
		return FG_VERDICT_ALLOWED;
	why = unsure_netfilter(result);
	if (!why)
		why = unseen_policy(context, trace);
	return why ? unknown(result, why) : FG_VERDICT_NONE;
}

/* What was seen contradicts itself: nobody is named then. */
static void withdraw_denier(struct fg_result *result)
{
	result->denied_by = -1;
	result->candidates = 0;
	if (fg_kind_is_policy(result->decider.kind))
		result->decider = (struct fg_decider){};
}

void fg_verdict_find(const struct fg_context *context, const struct fg_trace *trace,
		     const struct fg_progress *p, bool over, struct fg_result *result)
{
	find_reached(context, trace, p, result);
	judge_egress(context, p, over, result);
	fg_point_judge(context, trace, p, result);
	find_decider(context, p, result);
	result->enforced = fg_met_netfilter(context, trace, p, result);
	judge_node(p, result);
	judge_own_netfilter(context, p, result);
	judge_choice(context, result);
	result->verdict = combine(context, trace, over, result);
	if (result->verdict != FG_VERDICT_DENIED)
		withdraw_denier(result);
}
