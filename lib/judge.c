// SPDX-License-Identifier: GPL-2.0-only
#include "judge.h"

#include <string.h>

#include "names.h"

/* How far the packet was seen to come on the pod's egress path. */
struct progress {
	bool injected;
	bool left_pod;	   /* behind tc/tcx egress of the peer */
	bool reached_host; /* behind netkit's programs, or the driver's XDP */
	bool passed_host;  /* behind tc/tcx ingress of the primary */
	bool redirected;   /* a program of the host side must have sent it elsewhere */
	const struct fg_observation *received; /* on the primary */
	const struct fg_observation *last;     /* the last one of the packet itself */
	const struct fg_observation *end;      /* that took it away: free, consume, stop, socket */
};

static bool at(const struct fg_event *e, uint32_t netns, int ifindex)
{
	return e->netns == netns && (int)e->ifindex == ifindex;
}

static bool is_clone(const struct fg_observation *o)
{
	return o->event.flags & FG_EVENT_F_CLONE;
}

static bool is_drop_code(const struct fg_scene *scene, int code)
{
	/* 0 is SKB_NOT_DROPPED_YET; CONSUMED says that nothing was dropped. */
	return code && (uint32_t)code != scene->codes.consumed;
}

static bool starts_with(const char *text, const char *start)
{
	return text && !strncmp(text, start, strlen(start));
}

/* Whether a packet consumed there was kept by a tc program (TC_ACT_STOLEN): sch_handle_ingress is inlined there. */
static bool consumed_by_ingress(const struct fg_observation *o)
{
	return !o->symbol || starts_with(o->symbol, "__netif_receive_skb_core") ||
	       starts_with(o->symbol, "sch_handle_ingress");
}

/* Native XDP copies the packet to a buffer of its own, and consumes the first one. */
static bool replaced_by_xdp(const struct fg_scene *scene, const struct progress *p)
{
	return scene->xdp_copies && p->left_pod && !p->reached_host;
}

/* Whether what is seen here proves that the packet is behind the primary's tc/tcx ingress. */
static bool proves_passed(const struct fg_scene *scene, const struct fg_observation *o)
{
	const struct fg_event *e = &o->event;

	switch (e->kind) {
	case FG_EVENT_QUEUE:
	case FG_EVENT_SOCKET:
	case FG_EVENT_STOP:
		return true;
	case FG_EVENT_RECEIVE:
		return !at(e, scene->host_netns, scene->primary_ifindex);
	case FG_EVENT_FREE:
		if (!at(e, scene->host_netns, scene->primary_ifindex))
			return true;
		return is_drop_code(scene, e->code) &&
		       (uint32_t)e->code != scene->codes.tc_ingress &&
		       (uint32_t)e->code != scene->codes.xdp &&
		       ((uint32_t)e->code != scene->codes.not_specified ||
			!consumed_by_ingress(o));
	case FG_EVENT_CONSUME:
		return !consumed_by_ingress(o);
	default:
		return false;
	}
}

/* A routed packet loses a hop; one that a program sent on does not (bpf_redirect leaves the header as it is). */
static bool sent_elsewhere(const struct fg_scene *scene, const struct progress *p,
			   const struct fg_observation *o)
{
	return o->event.kind == FG_EVENT_QUEUE && !scene->bridged &&
	       p->received->event.id && p->received->event.id == o->event.id &&
	       o->event.netns == scene->host_netns;
}

static void follow_one(const struct fg_scene *scene, struct progress *p,
		       const struct fg_observation *o)
{
	const struct fg_event *e = &o->event;

	if (e->kind == FG_EVENT_INJECT)
		p->injected = true;
	if (p->received && !p->passed_host && proves_passed(scene, o)) {
		p->passed_host = true;
		p->redirected = sent_elsewhere(scene, p, o);
	}
	if (e->kind == FG_EVENT_QUEUE && at(e, scene->pod_netns, scene->peer_ifindex))
		p->left_pod = true;
	if (e->kind == FG_EVENT_RECEIVE && at(e, scene->host_netns, scene->primary_ifindex)) {
		p->left_pod = p->reached_host = true;
		if (!p->received)
			p->received = o;
	}
	switch (e->kind) {
	case FG_EVENT_CONSUME:
		if (replaced_by_xdp(scene, p))
			break;
		/* fallthrough */
	case FG_EVENT_FREE:
	case FG_EVENT_SOCKET:
	case FG_EVENT_STOP:
	case FG_EVENT_LOST:
		/* What flowgen stopped is freed right after: the stop is what counts. */
		if (!p->end || p->end->event.kind != FG_EVENT_STOP)
			p->end = o;
		break;
	default:
		break;
	}
	if (e->kind != FG_EVENT_POLICY && e->kind != FG_EVENT_FLOW)
		p->last = o;
}

static void follow(const struct fg_scene *scene, const struct fg_trace *trace, struct progress *p)
{
	for (uint32_t i = 0; i < trace->count; i++)
		if (!is_clone(&trace->list[i]))
			follow_one(scene, p, &trace->list[i]);
}

/* --- the policy verdict --- */

/* The stretches of the path: programs of one stretch are passed, or not, together. */
enum stretch { STRETCH_POD, STRETCH_WIRE, STRETCH_HOST, STRETCHES };

static enum stretch stretch_of(const struct fg_program *program)
{
	switch (program->hook) {
	case FG_HOOK_TCX_EGRESS:
	case FG_HOOK_TC_EGRESS:
		return STRETCH_POD;
	case FG_HOOK_NETKIT_PEER:
		return STRETCH_WIRE;
	case FG_HOOK_XDP:
		return program->native ? STRETCH_WIRE : STRETCH_HOST;
	default:
		return STRETCH_HOST;
	}
}

static bool stretch_passed(const struct progress *p, enum stretch s)
{
	return s == STRETCH_POD ? p->left_pod : s == STRETCH_WIRE ? p->reached_host : p->passed_host;
}

/* The stretch in which the packet ended by a drop that only policy makes there, or -1. */
static int denying_stretch(const struct fg_scene *scene, const struct progress *p)
{
	const struct fg_observation *end = p->end;
	uint32_t code;

	if (!end || end->event.kind != FG_EVENT_FREE || !is_drop_code(scene, end->event.code))
		return -1;
	code = (uint32_t)end->event.code;
	if (!p->left_pod && at(&end->event, scene->pod_netns, scene->peer_ifindex) &&
	    scene->codes.tc_egress && code == scene->codes.tc_egress)
		return STRETCH_POD;
	if (p->left_pod && !p->reached_host &&
	    (starts_with(end->symbol, "netkit_xmit") || starts_with(end->symbol, "veth_xdp")))
		return STRETCH_WIRE;
	if (p->reached_host && !p->passed_host &&
	    at(&end->event, scene->host_netns, scene->primary_ifindex) &&
	    ((scene->codes.tc_ingress && code == scene->codes.tc_ingress) ||
	     (scene->codes.xdp && code == scene->codes.xdp)))
		return STRETCH_HOST;
	return -1;
}

/* fexit: the return value was seen on the program itself. */
static void steps_from_fexit(const struct fg_scene *scene, const struct fg_trace *trace,
			     struct fg_result *result)
{
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_event *e = &trace->list[i].event;

		if (e->kind != FG_EVENT_POLICY)
			continue;
		for (size_t k = 0; k < scene->ladder->count; k++) {
			const struct fg_program *program = &scene->ladder->programs[k];
			struct fg_step *step = &result->steps[k];

			/* The same program may stand twice on one device: its runs come in order. */
			if (program->id != e->id || step->evidence == FG_EVIDENCE_FEXIT ||
			    (program->hook != FG_HOOK_XDP && program->hook != FG_HOOK_NETKIT_PEER &&
			     !at(e, program->netns, program->ifindex)))
				continue;
			step->ran = FG_RAN_YES;
			step->evidence = FG_EVIDENCE_FEXIT;
			step->has_retval = true;
			step->retval = e->code;
			step->has_duration = e->aux != 0;
			step->duration_ns = e->aux;
			break;
		}
	}
}

/*
 * Run counters, read right before and right after this one packet. They also count other packets of the pod;
 * so they are believed only where they read as one packet's way: once each up to some program of the stretch,
 * and not at all behind it.
 */
static void steps_from_counts(const struct fg_scene *scene, const struct fg_trace *trace,
			      struct fg_result *result)
{
	const struct fg_ladder *ladder = scene->ladder;

	if (!trace->counted)
		return;
	for (size_t first = 0, end; first < ladder->count; first = end) {
		enum stretch s = stretch_of(&ladder->programs[first]);
		bool plausible = true;

		for (end = first; end < ladder->count && stretch_of(&ladder->programs[end]) == s;
		     end++)
			plausible &= trace->runs[end] <= 1 &&
				     (end == first || trace->runs[end] <= trace->runs[end - 1]);
		for (size_t i = first; plausible && i < end; i++) {
			struct fg_step *step = &result->steps[i];

			if (step->evidence == FG_EVIDENCE_FEXIT)
				continue;
			step->ran = trace->runs[i] ? FG_RAN_YES : FG_RAN_NO;
			step->evidence = FG_EVIDENCE_RUN_COUNT;
			step->has_duration = trace->runs[i] && trace->run_ns[i];
			step->duration_ns = trace->run_ns[i];
			/* The next one was asked too: then this one said "next". */
			if (trace->runs[i] && i + 1 < end && trace->runs[i + 1] &&
			    ladder->programs[i + 1].hook == ladder->programs[i].hook &&
			    !ladder->programs[i].classifier) {
				step->has_retval = true;
				step->retval = -1;
			}
		}
	}
}

static bool step_drops(const struct fg_program *program, const struct fg_step *step)
{
	enum fg_effect effect;

	if (!step->has_retval || program->classifier)
		return false;
	effect = fg_action_read(program->hook, step->retval, NULL);
	return effect == FG_EFFECT_DROP || effect == FG_EFFECT_TAKEN;
}

static int first_drop(const struct fg_scene *scene, const struct fg_result *result)
{
	for (size_t i = 0; i < scene->ladder->count; i++)
		if (step_drops(&scene->ladder->programs[i], &result->steps[i]))
			return (int)i;
	return -1;
}

/*
 * Which program of the stretch dropped it, without a return value to tell: the only one there, or by the run
 * counters the last one that ran; else -1. Programs seen by fexit did not, or they would have been found.
 */
static int denier_in(const struct fg_scene *scene, const struct fg_result *result, enum stretch s,
		     bool *by_count)
{
	int only = -1, last = -1;
	bool counted = true;
	size_t candidates = 0;

	for (size_t i = 0; i < scene->ladder->count; i++) {
		const struct fg_step *step = &result->steps[i];

		if (stretch_of(&scene->ladder->programs[i]) != s ||
		    step->evidence == FG_EVIDENCE_FEXIT)
			continue;
		candidates++;
		only = (int)i;
		counted &= step->evidence == FG_EVIDENCE_RUN_COUNT;
		if (step->ran == FG_RAN_YES)
			last = (int)i;
	}
	*by_count = candidates > 1;
	if (scene->ladder->other_filters)
		return -1;
	if (candidates == 1)
		return only;
	return counted ? last : -1;
}

/* The drop value of a hook; XDP has two, so it is not told from the reason alone. */
static bool drop_value(enum fg_hook hook, int *retval)
{
	if (hook == FG_HOOK_XDP)
		return false;
	*retval = 2; /* TCX_DROP, TC_ACT_SHOT, NETKIT_DROP */
	return true;
}

static void mark_denier(const struct fg_scene *scene, struct fg_result *result, enum stretch s)
{
	bool by_count;
	int denier = denier_in(scene, result, s, &by_count);
	struct fg_step *step;

	result->denied_by = denier;
	if (denier < 0)
		return;
	step = &result->steps[denier];
	step->ran = FG_RAN_YES;
	if (step->evidence < FG_EVIDENCE_DROP_REASON && !by_count)
		step->evidence = FG_EVIDENCE_DROP_REASON;
	step->has_retval = drop_value(scene->ladder->programs[denier].hook, &step->retval);
}

/* Programs behind the place where the packet ended were never reached; single ones before it must have run. */
static void mark_reached(const struct fg_scene *scene, const struct progress *p, bool over,
			 struct fg_result *result)
{
	const struct fg_ladder *ladder = scene->ladder;

	for (size_t i = 0; i < ladder->count; i++) {
		struct fg_step *step = &result->steps[i];
		enum stretch s = stretch_of(&ladder->programs[i]);

		if (step->ran != FG_RAN_UNKNOWN)
			continue;
		if (result->denied_by >= 0 && (int)i > result->denied_by)
			step->ran = FG_RAN_NO;
		else if (over && s > STRETCH_POD && !stretch_passed(p, s - 1) && !stretch_passed(p, s))
			step->ran = FG_RAN_NO;
		else if (ladder->programs[i].traced && stretch_passed(p, s))
			step->ran = FG_RAN_NO; /* it would have been seen */
	}
}

static bool all_passed(const struct fg_scene *scene, const struct progress *p)
{
	for (size_t i = 0; i < scene->ladder->count; i++)
		if (!stretch_passed(p, stretch_of(&scene->ladder->programs[i])))
			return false;
	return true;
}

/* A program that sent the packet elsewhere, by its return value. */
static bool any_redirect(const struct fg_scene *scene, const struct fg_result *result)
{
	for (size_t i = 0; i < scene->ladder->count; i++)
		if (result->steps[i].has_retval && !scene->ladder->programs[i].classifier &&
		    fg_action_read(scene->ladder->programs[i].hook, result->steps[i].retval, NULL) ==
			    FG_EFFECT_REDIRECT)
			return true;
	return false;
}

static bool host_side_programs(const struct fg_scene *scene)
{
	for (size_t i = 0; i < scene->ladder->count; i++)
		if (stretch_of(&scene->ladder->programs[i]) == STRETCH_HOST)
			return true;
	return false;
}

/* An ingress redirect enters behind these. */
static bool programs_passed_by(const struct fg_scene *scene)
{
	for (size_t i = 0; i < scene->ladder->count; i++)
		if (stretch_of(&scene->ladder->programs[i]) != STRETCH_HOST)
			return true;
	return false;
}

static enum fg_verdict verdict_of(const struct fg_scene *scene, const struct progress *p,
				  struct fg_result *result)
{
	int stretch = denying_stretch(scene, p);

	result->denied_by = first_drop(scene, result);
	if (result->denied_by >= 0)
		return FG_VERDICT_DENIED;
	if (any_redirect(scene, result))
		return FG_VERDICT_REDIRECTED;
	if (stretch >= 0) {
		/* No program stands there: then it was a filter of another kind, or the device itself. */
		mark_denier(scene, result, (enum stretch)stretch);
		if (result->denied_by < 0)
			result->reason = "the drop is policy's, but which program made it is not known";
		return FG_VERDICT_DENIED;
	}
	if (!scene->ladder->count)
		return scene->ladder->other_filters ? FG_VERDICT_UNKNOWN : FG_VERDICT_NONE;
	if (!all_passed(scene, p))
		return FG_VERDICT_UNKNOWN;
	if (scene->method == FG_METHOD_HOST_INGRESS && programs_passed_by(scene)) {
		result->reason = "host-ingress passed by programs on the pod's side";
		return FG_VERDICT_UNKNOWN;
	}
	return p->redirected && host_side_programs(scene) ? FG_VERDICT_REDIRECTED
							  : FG_VERDICT_ALLOWED;
}

/* --- the outcome --- */

static bool is_hardware(const struct fg_scene *scene, const struct fg_event *e)
{
	const struct fg_device *device =
		scene->device ? scene->device(scene->names, e->netns, (int)e->ifindex) : NULL;

	return device && !device->kind[0] && strcmp(device->name, "lo");
}

/* Handed to a device that has no other end in this kernel: it has left. */
static bool is_exit(const struct fg_scene *scene, const struct fg_event *e)
{
	const struct fg_device *device =
		scene->device ? scene->device(scene->names, e->netns, (int)e->ifindex) : NULL;

	return device && strcmp(device->name, "lo") && strcmp(device->kind, "veth") &&
	       strcmp(device->kind, "netkit");
}

static const struct fg_observation *last_place(const struct fg_trace *trace)
{
	const struct fg_observation *found = NULL;

	for (uint32_t i = 0; i < trace->count; i++) {
		uint16_t kind = trace->list[i].event.kind;

		if (!is_clone(&trace->list[i]) &&
		    (kind == FG_EVENT_QUEUE || kind == FG_EVENT_RECEIVE))
			found = &trace->list[i];
	}
	return found;
}

static enum fg_outcome outcome_of_consume(const struct fg_trace *trace,
					  const struct fg_observation *end,
					  struct fg_result *result)
{
	const struct fg_observation *place = last_place(trace);

	if (!place) {
		result->reason = "taken before it left the pod's device";
		return FG_OUTCOME_INCONCLUSIVE;
	}
	if (place->event.kind == FG_EVENT_QUEUE)
		return FG_OUTCOME_FORWARDED;
	if (end->symbol && consumed_by_ingress(end)) {
		result->reason = "a program or a handler of the receiving device kept it";
		return FG_OUTCOME_INCONCLUSIVE;
	}
	return FG_OUTCOME_DELIVERED;
}

static enum fg_outcome outcome_of_end(const struct fg_scene *scene, const struct fg_trace *trace,
				      const struct progress *p, struct fg_result *result)
{
	const struct fg_observation *end = p->end;

	switch (end->event.kind) {
	case FG_EVENT_STOP:
		result->stopped = true;
		return FG_OUTCOME_DELIVERED;
	case FG_EVENT_SOCKET:
		return FG_OUTCOME_DELIVERED;
	case FG_EVENT_CONSUME:
		return outcome_of_consume(trace, end, result);
	case FG_EVENT_FREE:
		if (!is_drop_code(scene, end->event.code))
			return outcome_of_consume(trace, end, result);
		result->dropped = true;
		result->drop_code = (uint32_t)end->event.code;
		return FG_OUTCOME_DROPPED;
	default:
		result->reason = "the trail was lost";
		return FG_OUTCOME_INCONCLUSIVE;
	}
}

static enum fg_outcome outcome_of(const struct fg_scene *scene, const struct fg_trace *trace,
				  const struct progress *p, struct fg_result *result)
{
	const struct fg_observation *last = p->last;

	result->end = p->end ? p->end : last;
	if (p->end)
		return outcome_of_end(scene, trace, p, result);
	if (last && last->event.kind == FG_EVENT_XMIT && !last->event.code &&
	    is_exit(scene, &last->event))
		return FG_OUTCOME_FORWARDED;
	result->reason = last ? "its end was not seen in time"
			      : "it did not reach the pod's egress path";
	return FG_OUTCOME_INCONCLUSIVE;
}

static bool expectation_met(enum fg_expect expect, const struct fg_result *r)
{
	switch (expect) {
	case FG_EXPECT_NOTHING:
		return true;
	case FG_EXPECT_ALLOW:
		return r->verdict == FG_VERDICT_ALLOWED || r->verdict == FG_VERDICT_REDIRECTED ||
		       r->verdict == FG_VERDICT_NONE;
	case FG_EXPECT_DENY:
		return r->verdict == FG_VERDICT_DENIED;
	case FG_EXPECT_DELIVERED:
		return r->outcome == FG_OUTCOME_DELIVERED || r->outcome == FG_OUTCOME_REPLIED;
	case FG_EXPECT_FORWARDED:
		return r->outcome == FG_OUTCOME_FORWARDED;
	case FG_EXPECT_DROPPED:
		return r->outcome == FG_OUTCOME_DROPPED || r->outcome == FG_OUTCOME_REJECTED;
	}
	return false;
}

/* What makes any answer doubtful, whatever was seen. */
static const char *doubt(const struct fg_trace *trace)
{
	if (trace->lost)
		return "events were lost: the ring buffer was full";
	if (trace->changed)
		return "the programs on the path changed during the run";
	return NULL;
}

void fg_judge(const struct fg_scene *scene, struct fg_probe *probe)
{
	const struct fg_trace *trace = &probe->trace;
	struct fg_result *result = &probe->result;
	struct progress p = {};
	const char *why;

	*result = (struct fg_result){ .denied_by = -1 };
	follow(scene, trace, &p);
	steps_from_fexit(scene, trace, result);
	steps_from_counts(scene, trace, result);
	result->outcome = outcome_of(scene, trace, &p, result);
	if (p.injected)
		result->verdict = verdict_of(scene, &p, result);
	mark_reached(scene, &p, result->outcome != FG_OUTCOME_INCONCLUSIVE, result);
	why = doubt(trace);
	if (why) {
		result->verdict = FG_VERDICT_UNKNOWN;
		result->outcome = FG_OUTCOME_INCONCLUSIVE;
		result->reason = why;
	}
	result->expect_met = expectation_met(probe->spec.expect, result);
}

enum fg_ending fg_judge_ending(const struct fg_scene *scene, const struct fg_trace *trace,
			       const struct fg_event *event)
{
	struct progress p = {};

	if (event->flags & FG_EVENT_F_CLONE)
		return FG_ENDING_NONE;
	switch (event->kind) {
	case FG_EVENT_FREE:
	case FG_EVENT_STOP:
	case FG_EVENT_LOST:
		return FG_ENDING_FINAL;
	case FG_EVENT_CONSUME:
		if (!scene->xdp_copies)
			return FG_ENDING_FINAL;
		follow(scene, trace, &p);
		return replaced_by_xdp(scene, &p) ? FG_ENDING_NONE : FG_ENDING_FINAL;
	case FG_EVENT_SOCKET:
		return FG_ENDING_SOFT;
	case FG_EVENT_XMIT:
		return !event->code && is_hardware(scene, event) ? FG_ENDING_FINAL : FG_ENDING_NONE;
	default:
		return FG_ENDING_NONE;
	}
}
