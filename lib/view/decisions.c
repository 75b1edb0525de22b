// SPDX-License-Identifier: GPL-2.0-only
/*
 * view/decisions.c - everything that could decide about a packet on its path, in the order in
 * which the packet meets it.
 */

#include <stdio.h>
#include <string.h>

#include "probe/names.h"
#include "probe/netfilter.h"
#include "view/decisions.h"
#include "view/view.h"

/* The list while it is made. */
struct maker {
	const struct fg_context *context;
	const struct fg_result *result;
	struct fg_decision *out;
	size_t count;
	bool placed[FG_LADDER_MAX]; /* filters that are in the list */
};

static size_t programs_of(const struct fg_context *context)
{
	size_t count = context->ladder->count;

	return count < FG_LADDER_MAX ? count : FG_LADDER_MAX;
}

static size_t filters_of(const struct fg_context *context)
{
	size_t count = context->ladder->filter_count;

	return count < FG_LADDER_MAX ? count : FG_LADDER_MAX;
}

static enum fg_decided decided_by_value(const struct fg_program *program,
					const struct fg_step *step)
{
	if (!step->has_retval || program->classifier)
		return FG_DECIDED_UNKNOWN;
	switch (fg_action_read(program->hook, step->retval, NULL)) {
	case FG_EFFECT_NEXT:
		return FG_DECIDED_NEXT;
	case FG_EFFECT_PASS:
		return FG_DECIDED_PASSED;
	case FG_EFFECT_REDIRECT:
		return FG_DECIDED_REDIRECTED;
	case FG_EFFECT_TAKEN:
		return FG_DECIDED_KEPT;
	default:
		return FG_DECIDED_DENIED;
	}
}

static enum fg_decided decided_by_program(const struct fg_result *result, size_t i,
					  const struct fg_program *program,
					  const struct fg_step *step)
{
	enum fg_decided decided;

	if (step->ran != FG_RAN_YES)
		return FG_DECIDED_UNKNOWN;
	decided = decided_by_value(program, step);
	if (result->denied_by == (int)i && decided != FG_DECIDED_KEPT)
		return FG_DECIDED_DENIED;
	return result->redirected_by == (int)i ? FG_DECIDED_REDIRECTED : decided;
}

/* After the place where flowgen intercepts packets at the receiving pod's device. */
static bool is_intercepted(const struct fg_context *context, const struct fg_result *result,
			   const struct fg_program *program)
{
	return result->stopped && program->stage == FG_STAGE_INGRESS &&
	       program->side == FG_SIDE_POD && program->netns != context->host_netns;
}

static struct fg_decision of_program(const struct fg_context *context,
				     const struct fg_result *result, size_t i)
{
	const struct fg_program *program = &context->ladder->programs[i];
	const struct fg_step *step = result->steps ? &result->steps[i] : NULL;

	return (struct fg_decision){
		.stage = fg_context_stage(context, program->stage),
		.kind = FG_KIND_BPF,
		.program = program,
		.index = i,
		.netns = program->netns,
		.ifindex = program->ifindex,
		.met = step ? step->ran : FG_RAN_UNKNOWN,
		.decided = step ? decided_by_program(result, i, program, step) : FG_DECIDED_UNKNOWN,
		.evidence = step ? step->evidence : FG_EVIDENCE_NONE,
		.step = step,
		.end = result->denied_by == (int)i,
		.intercepted = step && step->ran == FG_RAN_NO &&
			       is_intercepted(context, result, program),
	};
}

static void add_filter(struct maker *m, size_t i)
{
	const struct fg_program *filter = &m->context->ladder->filters[i];
	bool intercepted = is_intercepted(m->context, m->result, filter);
	enum fg_stage stage = fg_context_stage(m->context, filter->stage);
	bool reached = m->result->stages[stage].reached && !intercepted;
	bool end = m->result->filter_by == (int)i;

	m->placed[i] = true;
	m->out[m->count++] = (struct fg_decision){
		.stage = stage,
		.kind = filter->kind == FG_RUNG_FILTER ? FG_KIND_TC_FILTER : FG_KIND_BPF,
		.program = filter,
		.index = i,
		.netns = filter->netns,
		.ifindex = filter->ifindex,
		.met = end	 ? FG_RAN_YES
		       : reached ? FG_RAN_UNKNOWN
				 : FG_RAN_NO,
		.decided = end ? FG_DECIDED_DENIED : FG_DECIDED_UNKNOWN,
		.evidence = end ? FG_EVIDENCE_DROP_REASON : FG_EVIDENCE_NONE,
		.end = end,
		.intercepted = intercepted,
	};
}

static bool at_same_hook(const struct fg_program *a, const struct fg_program *b)
{
	return a->netns == b->netns && a->ifindex == b->ifindex && a->hook == b->hook;
}

/* Whether the filter is asked before the program. */
static bool stands_before(const struct fg_program *filter, const struct fg_program *program,
			  size_t i)
{
	if (filter->stage == FG_STAGE_EGRESS)
		return filter->before <= i;
	return at_same_hook(filter, program) && filter->pref < program->pref;
}

static void add_filters(struct maker *m, enum fg_stage stage, const struct fg_program *program,
			size_t index)
{
	for (size_t i = 0; i < filters_of(m->context); i++) {
		const struct fg_program *filter = &m->context->ladder->filters[i];

		if (filter->stage == stage && !m->placed[i] &&
		    (!program || stands_before(filter, program, index)))
			add_filter(m, i);
	}
}

static void add_programs(struct maker *m, enum fg_stage stage)
{
	for (size_t i = 0; i < programs_of(m->context); i++) {
		const struct fg_program *program = &m->context->ladder->programs[i];

		if (program->stage != stage)
			continue;
		add_filters(m, stage, program, i);
		m->out[m->count++] = of_program(m->context, m->result, i);
	}
	add_filters(m, stage, NULL, 0);
}

/* What ended the packet is in the list as netfilter's part in it. */
static bool ended_in_netfilter(const struct fg_result *result)
{
	return result->decider.stage == FG_STAGE_NODE &&
	       (result->decider.kind == FG_KIND_NETFILTER || result->decider.kind == FG_KIND_QUEUE);
}

bool fg_decision_end(const struct fg_context *context, const struct fg_result *result,
		     struct fg_decision *out)
{
	const struct fg_decider *d = &result->decider;

	if (d->kind == FG_KIND_NONE)
		return false;
	if (result->denied_by >= 0 && (size_t)result->denied_by < programs_of(context)) {
		*out = of_program(context, result, (size_t)result->denied_by);
		return true;
	}
	if (result->outcome == FG_OUTCOME_NOT_SENT) {
		*out = (struct fg_decision){ .stage = d->stage,
					     .kind = d->kind,
					     .netns = context->pod_netns,
					     .met = FG_RAN_YES,
					     .decided = FG_DECIDED_REFUSED,
					     .end = true };
		return true;
	}
	*out = (struct fg_decision){
		.stage = d->stage,
		.kind = d->kind,
		.program = result->filter_by >= 0 ? &context->ladder->filters[result->filter_by]
						  : NULL,
		.netns = d->at ? d->at->event.netns : 0,
		.ifindex = d->at ? (int)d->at->event.ifindex : 0,
		.met = FG_RAN_YES,
		.decided = fg_kind_is_policy(d->kind) ? FG_DECIDED_DENIED : FG_DECIDED_DROPPED,
		.evidence = FG_EVIDENCE_DROP_REASON,
		.end = true,
	};
	return true;
}

/* Whether it was denied at the uplink that it came in by, before all else. */
static bool ended_at_uplink(const struct fg_context *context, const struct fg_result *result)
{
	const struct fg_ladder *l = context->ladder;

	if (!context->from_uplink)
		return false;
	for (size_t i = 0; i < programs_of(context); i++)
		if ((result->denied_by == (int)i || result->candidates >> i & 1) &&
		    l->programs[i].stage == FG_STAGE_EGRESS)
			return true;
	return result->filter_by >= 0 && l->filters[result->filter_by].stage == FG_STAGE_EGRESS;
}

static void add_netfilter(struct maker *m)
{
	const struct fg_stage_result *stages = m->result->stages;
	bool redirected = stages[fg_context_stage(m->context, FG_STAGE_EGRESS)].verdict ==
			  FG_VERDICT_REDIRECTED;
	bool reached = stages[FG_STAGE_NODE].reached && !ended_at_uplink(m->context, m->result);
	bool passed = stages[FG_STAGE_INGRESS].reached && !redirected;
	struct fg_decision *d = &m->out[m->count];

	if (ended_in_netfilter(m->result)) {
		m->count += fg_decision_end(m->context, m->result, d);
		return;
	}
	if (m->result->enforced != FG_PRESENCE_YES)
		return;
	m->count++;
	*d = (struct fg_decision){
		.stage = FG_STAGE_NODE,
		.kind = FG_KIND_NETFILTER,
		.netns = m->context->host_netns,
		.met = !reached ? FG_RAN_NO
		       : passed ? FG_RAN_YES
				: FG_RAN_UNKNOWN,
		.decided = reached && passed ? FG_DECIDED_PASSED : FG_DECIDED_UNKNOWN,
	};
}

/* Netfilter in the namespace of a pod: what it sends meets it first, what it takes in last. */
static void add_own_netfilter(struct maker *m, enum fg_stage stage)
{
	const struct fg_context *c = m->context;

	if (m->result->own_netfilter[stage] != FG_PRESENCE_YES)
		return;
	m->out[m->count++] = (struct fg_decision){
		.stage = stage,
		.kind = FG_KIND_NETFILTER,
		.netns = stage == FG_STAGE_EGRESS ? c->pod_netns : c->far.netns,
		.met = FG_RAN_YES,
		.decided = FG_DECIDED_PASSED,
	};
}

static bool is_candidate(const struct fg_result *result, const struct fg_decision *d)
{
	return d->program && d->step && d->index < FG_LADDER_MAX &&
	       result->candidates >> d->index & 1;
}

/* What ended the packet comes after what it met in that stage, if it is not there already. */
static void add_end(struct maker *m, enum fg_stage stage, size_t first)
{
	struct fg_decision end;
	size_t place = first;

	if (m->result->decider.stage != stage || m->result->denied_by >= 0 ||
	    m->result->filter_by >= 0 || ended_in_netfilter(m->result) ||
	    !fg_decision_end(m->context, m->result, &end))
		return;
	for (size_t i = first; i < m->count; i++)
		if (m->out[i].met == FG_RAN_YES || is_candidate(m->result, &m->out[i]))
			place = i + 1;
	memmove(&m->out[place + 1], &m->out[place], (m->count++ - place) * sizeof(*m->out));
	m->out[place] = end;
}

size_t fg_decisions_list(const struct fg_context *context, const struct fg_result *result,
			 struct fg_decision out[FG_DECISIONS_MAX])
{
	struct maker m = { .context = context, .result = result, .out = out };

	for (int s = 0; s < FG_STAGES; s++) {
		/* What is attached to an uplink is in the node's stage, before the rest of it. */
		size_t first = context->from_uplink && s == FG_STAGE_NODE ? 0 : m.count;

		if (s == FG_STAGE_NODE)
			add_netfilter(&m);
		if (s == FG_STAGE_EGRESS)
			add_own_netfilter(&m, FG_STAGE_EGRESS);
		add_programs(&m, (enum fg_stage)s);
		if (s == FG_STAGE_INGRESS)
			add_own_netfilter(&m, FG_STAGE_INGRESS);
		add_end(&m, (enum fg_stage)s, first);
	}
	return m.count;
}

bool fg_decisions_intercepted(const struct fg_context *context, const struct fg_result *result)
{
	const struct fg_ladder *ladder = context->ladder;

	for (size_t i = 0; result->stopped && result->steps && i < programs_of(context); i++)
		if (result->steps[i].ran == FG_RAN_NO &&
		    is_intercepted(context, result, &ladder->programs[i]))
			return true;
	for (size_t i = 0; result->stopped && i < filters_of(context); i++)
		if (is_intercepted(context, result, &ladder->filters[i]))
			return true;
	return false;
}

struct fg_decision_counts fg_decisions_count(const struct fg_context *context,
					     const struct fg_result *result)
{
	struct fg_decision_counts n = {};

	for (size_t i = 0; result->steps && i < programs_of(context); i++) {
		const struct fg_step *step = &result->steps[i];
		const struct fg_program *program = &context->ladder->programs[i];
		enum fg_decided decided = decided_by_program(result, i, program, step);

		n.ran += step->ran == FG_RAN_YES;
		n.unseen += step->ran == FG_RAN_YES && decided == FG_DECIDED_UNKNOWN;
		n.decided += decided != FG_DECIDED_UNKNOWN && decided != FG_DECIDED_NEXT;
	}
	return n;
}

/* --- words --- */

const char *fg_decision_word(enum fg_decided decided)
{
	static const char *const names[] = {
		[FG_DECIDED_UNKNOWN] = NULL,	  [FG_DECIDED_NEXT] = "next",
		[FG_DECIDED_PASSED] = "passed",	  [FG_DECIDED_REDIRECTED] = "redirected",
		[FG_DECIDED_DENIED] = "denied",	  [FG_DECIDED_KEPT] = "kept",
		[FG_DECIDED_DROPPED] = "dropped", [FG_DECIDED_REFUSED] = "refused",
	};

	return names[decided];
}

const char *fg_decision_said(const struct fg_context *context, const struct fg_result *result,
			     const struct fg_decision *decision, char *buf, size_t size)
{
	const struct fg_step *step = decision->step;
	const char *name = NULL;

	if (step && step->has_retval) {
		if (!decision->program->classifier)
			fg_action_read(decision->program->hook, step->retval, &name);
		return name;
	}
	if (!decision->end || !result->dropped)
		return NULL;
	return fg_view_drop_name(context, result->drop_code, buf, size);
}

const char *fg_decision_program_text(const struct fg_program *program, char *buf, size_t size)
{
	char number[24];

	snprintf(number, sizeof(number), "program %u", program->id);
	snprintf(buf, size, "%s (%s on %s)", program->name[0] ? program->name : number,
		 fg_hook_name(program->hook), program->device);
	return buf;
}

static const char *word_of(enum fg_kind kind)
{
	switch (kind) {
	case FG_KIND_BPF:
		return "a BPF program";
	case FG_KIND_TC_FILTER:
		return "a tc filter";
	case FG_KIND_TC:
		return "a tc program or filter";
	case FG_KIND_OVS:
		return "Open vSwitch";
	case FG_KIND_QUEUE:
		return "user space (netfilter queue)";
	case FG_KIND_LSM:
		return "a security module (LSM)";
	case FG_KIND_XFRM:
		return "IPsec policy (xfrm)";
	default:
		return fg_kind_name(kind);
	}
}

const char *fg_decision_what(const struct fg_context *context, const struct fg_result *result,
			     const struct fg_decision *decision, char *buf, size_t size)
{
	char text[FG_NETFILTER_TEXT_LEN];
	const char *word = word_of(decision->kind);

	(void)context;
	if (decision->step || (decision->program && decision->kind == FG_KIND_BPF &&
			       decision->program->kind == FG_RUNG_BPF && decision->program->id))
		return fg_decision_program_text(decision->program, buf, size);
	if (decision->program)
		snprintf(buf, size, "%s (%s on %s)",
			 fg_ladder_filter_text(decision->program, text, sizeof(text)),
			 fg_hook_name(decision->program->hook), decision->program->device);
	else if (decision->end && result->netfilter)
		snprintf(buf, size, "%s (%s)", word,
			 fg_netfilter_rule(result->netfilter, text, sizeof(text)));
	else
		snprintf(buf, size, "%s", word ? word : "something unknown");
	return buf;
}

const char *fg_decision_alike(const struct fg_alike *alike, char *buf, size_t size)
{
	char text[FG_NETFILTER_TEXT_LEN];

	if (alike->program)
		return fg_decision_program_text(alike->program, buf, size);
	snprintf(buf, size, "netfilter (%s)",
		 fg_netfilter_rule(alike->netfilter, text, sizeof(text)));
	return buf;
}
