// SPDX-License-Identifier: GPL-2.0-only
/* report/policy.c - what policy decided, and everything that could decide, as JSON. */
#include "base/json.h"
#include "probe/names.h"
#include "probe/netfilter.h"
#include "report/internal.h"

static void put_bool(struct fg_buffer *out, bool value)
{
	fg_buffer_puts(out, value ? "true" : "false");
}

static void put_ran(struct fg_buffer *out, const char *key, enum fg_ran ran)
{
	fg_buffer_printf(out, ",\"%s\":", key);
	if (ran == FG_RAN_UNKNOWN)
		PUT(out, "null");
	else
		put_bool(out, ran == FG_RAN_YES);
}

static void put_stages(struct fg_buffer *out, const struct fg_result *result)
{
	PUT(out, ",\"stages\":{");
	for (int s = 0; s < FG_STAGES; s++) {
		const struct fg_stage_result *stage = &result->stages[s];

		fg_buffer_printf(out, "%s\"%s\":", s ? "," : "", fg_stage_name((enum fg_stage)s));
		fg_json_put_text(out, stage->reached ? fg_verdict_name(stage->verdict) : NULL);
	}
	PUT(out, "}");
}

static void put_program(struct fg_buffer *out, const struct fg_constant *c, int index)
{
	if (index >= 0 && (size_t)index < c->programs)
		fg_constant_put(out, c, c->program[index].denier);
	else
		PUT(out, "null");
}

/* For what is not a program; `"stage":...` up to the namespace. */
static void put_place_of(struct fg_buffer *out, const struct fg_context *context,
			 const struct fg_decision *d)
{
	fg_buffer_printf(out, "{\"stage\":\"%s\",\"kind\":\"%s\",", fg_stage_name(d->stage),
			 fg_kind_name(d->kind));
	fg_put_place(out, context, d->netns, d->ifindex, d->program ? d->program->device : NULL);
}

static void put_denier(struct fg_buffer *out, const struct fg_context *context,
		       const struct fg_constant *c, const struct fg_result *result)
{
	struct fg_decision d;

	if (result->verdict != FG_VERDICT_DENIED || !fg_decision_end(context, result, &d) ||
	    !fg_kind_is_policy(d.kind)) {
		PUT(out, "null");
		return;
	}
	if (result->denied_by >= 0) {
		put_program(out, c, result->denied_by);
		return;
	}
	put_place_of(out, context, &d);
	if (d.kind == FG_KIND_NETFILTER) {
		PUT(out, ",");
		fg_report_json_rule(out, result->netfilter);
	}
	PUT(out, "}");
}

static void put_candidates(struct fg_buffer *out, const struct fg_constant *c,
			   const struct fg_result *result)
{
	bool any = false;

	PUT(out, ",\"candidates\":[");
	for (size_t i = 0; i < c->programs; i++) {
		if (!(result->candidates >> i & 1))
			continue;
		fg_buffer_puts(out, any ? "," : "");
		put_program(out, c, (int)i);
		any = true;
	}
	PUT(out, "]");
}

static void put_alike(struct fg_buffer *out, const struct fg_result *result)
{
	char text[FG_DECISION_WHAT_LEN];

	PUT(out, ",\"alike\":");
	if (!result->alike) {
		PUT(out, "null");
		return;
	}
	PUT(out, "{\"id\":");
	fg_buffer_put_u64(out, result->alike->id);
	PUT(out, ",\"denied_by\":");
	fg_json_put_text(out, fg_decision_alike(result->alike, text, sizeof(text)));
	PUT(out, "}");
}

/* A device as observations have it. */
static void put_target(struct fg_buffer *out, const struct fg_context *context,
		       const struct fg_observation *seen)
{
	const struct fg_event *e = seen ? &seen->event : NULL;
	const struct fg_device *device = e ? fg_view_device(context, e->netns, (int)e->ifindex)
					   : NULL;

	if (!e) {
		PUT(out, "null");
		return;
	}
	PUT(out, "{\"device\":");
	fg_json_put_text(out, device ? device->name : NULL);
	fg_put_number(out, "ifindex", e->ifindex != 0, e->ifindex);
	PUT(out, ",\"netns\":");
	fg_put_netns(out, e->netns, device ? device->where : NULL);
	PUT(out, "}");
}

static void put_step(struct fg_buffer *out, const struct fg_program *program,
		     const struct fg_step *step)
{
	const char *action = NULL;

	put_ran(out, "ran", step->ran);
	PUT(out, ",\"retval\":");
	if (step->has_retval)
		fg_buffer_put_i64(out, step->retval);
	else
		PUT(out, "null");
	/* What a filter without direct-action returns is a class, not an action. */
	if (step->has_retval && !program->classifier)
		fg_action_read(program->hook, step->retval, &action);
	PUT(out, ",\"action\":");
	fg_json_put_text(out, action);
	fg_put_number(out, "duration_ns", step->has_duration, step->duration_ns);
	PUT(out, ",\"evidence\":");
	fg_json_put_text(out, fg_evidence_name(step->evidence));
	PUT(out, "}");
}

static void put_programs(struct fg_buffer *out, const struct fg_context *context,
			 const struct fg_constant *c, const struct fg_result *result)
{
	const struct fg_step none = {};

	PUT(out, ",\"programs\":[");
	for (size_t i = 0; i < c->programs; i++) {
		fg_buffer_puts(out, i ? "," : "");
		fg_constant_put(out, c, c->program[i].member);
		put_step(out, &context->ladder->programs[i],
			 result->steps ? &result->steps[i] : &none);
	}
	PUT(out, "],\"filters\":");
	fg_constant_put(out, c, c->all_filters);
}

void fg_policy_json(struct fg_buffer *out, const struct fg_context *context,
		    const struct fg_constant *constant, const struct fg_result *result)
{
	struct fg_decision_counts n = fg_decisions_count(context, result);

	PUT(out, "{\"verdict\":");
	fg_json_put_text(out, fg_verdict_name(result->verdict));
	put_stages(out, result);
	PUT(out, ",\"denied_by\":");
	put_denier(out, context, constant, result);
	put_candidates(out, constant, result);
	put_alike(out, result);
	PUT(out, ",\"redirected_by\":");
	put_program(out, constant, result->redirected_by);
	PUT(out, ",\"redirected_to\":");
	put_target(out, context, result->redirected_to);
	fg_put_number(out, "ran", true, n.ran);
	fg_put_number(out, "decided", true, n.decided);
	put_programs(out, context, constant, result);
	PUT(out, ",\"other_filters\":");
	put_bool(out, context->ladder->other_filters);
	PUT(out, ",\"pod_qdisc\":");
	put_bool(out, context->ladder->pod_qdisc);
	PUT(out, ",\"stated\":");
	fg_why_json_stated(out, result);
	PUT(out, "}");
}

static void put_decision(struct fg_buffer *out, const struct fg_context *context,
			 const struct fg_constant *c, const struct fg_result *result,
			 const struct fg_decision *d)
{
	char number[32], what[FG_DECISION_WHAT_LEN];

	if (d->program) {
		fg_constant_put(out, c,
				d->step ? c->program[d->index].decision
					: c->filter[d->index].decision);
	} else {
		put_place_of(out, context, d);
		PUT(out, ",\"what\":");
		fg_json_put_text(out, fg_decision_what(context, result, d, what, sizeof(what)));
		PUT(out, ",\"id\":null,\"name\":null");
	}
	put_ran(out, "met", d->met);
	PUT(out, ",\"said\":");
	fg_json_put_text(out, fg_decision_said(context, result, d, number, sizeof(number)));
	PUT(out, ",\"decided\":");
	fg_json_put_text(out, fg_decision_word(d->decided));
	PUT(out, ",\"evidence\":");
	fg_json_put_text(out, fg_evidence_name(d->evidence));
	PUT(out, "}");
}

void fg_policy_decisions_json(struct fg_buffer *out, const struct fg_context *context,
			      const struct fg_constant *constant, const struct fg_result *result)
{
	struct fg_decision list[FG_DECISIONS_MAX];
	size_t count = fg_decisions_list(context, result, list);

	PUT(out, "[");
	for (size_t i = 0; i < count; i++) {
		fg_buffer_puts(out, i ? "," : "");
		put_decision(out, context, constant, result, &list[i]);
	}
	PUT(out, "]");
}

void fg_policy_decider_json(struct fg_buffer *out, const struct fg_context *context,
			    const struct fg_result *result)
{
	struct fg_decision d;

	if (!fg_decision_end(context, result, &d)) {
		PUT(out, "null");
		return;
	}
	put_place_of(out, context, &d);
	PUT(out, "}");
}
