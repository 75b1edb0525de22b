// SPDX-License-Identifier: GPL-2.0-only
/* judge.c - what became of the packet, and whether the answer can be trusted at all. */
#include "judge.h"

#include <string.h>

#include "judge_parts.h"

static const struct fg_device *device_at(const struct fg_scene *scene, const struct fg_event *e)
{
	return scene->device ? scene->device(scene->names, e->netns, (int)e->ifindex) : NULL;
}

static bool is_hardware(const struct fg_scene *scene, const struct fg_event *e)
{
	const struct fg_device *device = device_at(scene, e);

	return device && !device->kind[0] && strcmp(device->name, "lo") != 0;
}

bool fg_is_exit(const struct fg_scene *scene, const struct fg_event *event)
{
	const struct fg_device *device = device_at(scene, event);

	return is_hardware(scene, event) ||
	       (device && (!strcmp(device->kind, "dummy") || !strcmp(device->kind, "tun")));
}

static enum fg_outcome inconclusive(struct fg_result *result, const char *reason)
{
	result->reason = reason;
	return FG_OUTCOME_INCONCLUSIVE;
}

/* Fragments that come together go on as one of them; the others are freed with it, or before. */
static bool reassembled(const char *symbol)
{
	static const char *const places[] = { "inet_frag_", "ip_frag_", "skb_release_data" };

	return fg_starts_with_any(symbol, places, sizeof(places) / sizeof(places[0]));
}

/* Freed, and not as a drop: it was used up, or copied, and which of these the place tells. */
static enum fg_outcome outcome_of_consume(const struct fg_scene *scene, const struct fg_progress *p,
					  struct fg_result *result)
{
	const struct fg_observation *place = p->place;

	if (!place)
		return inconclusive(result, "taken before it left the pod's device");
	if (place->event.kind == FG_EVENT_QUEUE) {
		if (fg_is_exit(scene, &place->event))
			return FG_OUTCOME_FORWARDED;
		return inconclusive(result,
				    "consumed in a device that leads on: the trail is lost");
	}
	if (fg_symbol_delivers(p->end->symbol))
		return FG_OUTCOME_DELIVERED;
	if (reassembled(p->end->symbol))
		return inconclusive(
			result,
			"put together with the other fragments: the one that went on has the outcome");
	return inconclusive(
		result, p->end->symbol ? "kept or copied where it was received: the trail is lost"
				       : "consumed where it was received, by whom is not known");
}

static enum fg_outcome outcome_of_end(const struct fg_scene *scene, const struct fg_progress *p,
				      struct fg_result *result)
{
	const struct fg_event *end = &p->end->event;

	switch (end->kind) {
	case FG_EVENT_STOP:
		result->stopped = true;
		return FG_OUTCOME_DELIVERED;
	case FG_EVENT_SOCKET:
		return FG_OUTCOME_DELIVERED;
	case FG_EVENT_CONSUME:
		return outcome_of_consume(scene, p, result);
	case FG_EVENT_FREE:
		if (!fg_is_drop(scene, end))
			return outcome_of_consume(scene, p, result);
		result->dropped = true;
		result->drop_code = (uint32_t)end->code;
		return FG_OUTCOME_DROPPED;
	default:
		return inconclusive(result, "the trail was lost");
	}
}

static enum fg_outcome outcome_of(const struct fg_scene *scene, const struct fg_progress *p,
				  struct fg_result *result)
{
	const struct fg_observation *last = p->last;

	result->end = p->end ? p->end : last;
	if (p->end)
		return outcome_of_end(scene, p, result);
	if (last && last->event.kind == FG_EVENT_XMIT && !last->event.code &&
	    fg_is_exit(scene, &last->event))
		return FG_OUTCOME_FORWARDED;
	return inconclusive(result, last ? "its end was not seen in time"
					 : "it did not reach the pod's egress path");
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
static const char *doubt(const struct fg_scene *scene, const struct fg_trace *trace,
			 const struct fg_progress *p)
{
	if (trace->lost)
		return "events were lost: the ring buffer was full";
	if (trace->changed)
		return "the programs on the path changed during the run";
	if (scene->ladder->count > FG_LADDER_MAX)
		return "more programs stand on the path than can be followed";
	if (!p->injected && p->last)
		return "its injection was not reported";
	/* Events tell the probe, not which of its packets they are about. */
	if (p->injected > 1)
		return "several packets were sent for this probe: their ways cannot be told apart";
	if (p->risen)
		return "it was seen again after its end";
	return NULL;
}

/* No answer: what was seen stays in the trace, but nothing is concluded from it. */
static void distrust(struct fg_result *result, const char *why)
{
	result->verdict = FG_VERDICT_UNKNOWN;
	result->denied_by = -1;
	result->redirected_by = -1;
	result->redirected_to = NULL;
	result->outcome = FG_OUTCOME_INCONCLUSIVE;
	result->stopped = false;
	result->dropped = false;
	result->drop_code = 0;
	result->reason = why;
}

/* An answer says more of the packet's end than what was seen of it on this host. */
static enum fg_outcome with_answer(enum fg_outcome outcome, const struct fg_reply *reply)
{
	if (reply->kind == FG_REPLY_NONE)
		return outcome;
	return fg_reply_rejects(reply) ? FG_OUTCOME_REJECTED : FG_OUTCOME_REPLIED;
}

void fg_judge(const struct fg_scene *scene, struct fg_probe *probe)
{
	const struct fg_trace *trace = &probe->trace;
	struct fg_result *result = &probe->result;
	struct fg_progress p;
	const char *why;

	*result = (struct fg_result){ .denied_by = -1, .redirected_by = -1 };
	fg_progress_follow(scene, trace, &p);
	result->outcome = outcome_of(scene, &p, result);
	fg_pieces_judge(scene, trace, result);
	if (scene->ladder->count <= FG_LADDER_MAX && p.injected) {
		fg_steps_fill(scene, trace, &p, result);
		fg_verdict_find(scene, &p, result->outcome != FG_OUTCOME_INCONCLUSIVE, result);
	}
	fg_reply_read(scene, trace, &result->reply);
	if (result->reply.kind != FG_REPLY_NONE && result->outcome == FG_OUTCOME_INCONCLUSIVE)
		result->reason = NULL;
	result->outcome = with_answer(result->outcome, &result->reply);
	why = doubt(scene, trace, &p);
	if (why)
		distrust(result, why);
	result->expect_met = expectation_met(probe->spec.expect, result);
}

/* A drop that policy made has no answer; others may have one, on its way already. */
static enum fg_ending ending_of_free(const struct fg_scene *scene, const struct fg_event *event)
{
	uint32_t code = (uint32_t)event->code;

	if (!fg_is_drop(scene, event))
		return FG_ENDING_FINAL;
	return code == scene->codes.tc_egress || code == scene->codes.tc_ingress ||
			       code == scene->codes.xdp
		       ? FG_ENDING_FINAL
		       : FG_ENDING_SOFT;
}

/* What the event means for the packet itself, answers left aside. */
static enum fg_ending ending_of_packet(const struct fg_scene *scene, const struct fg_trace *trace,
				       const struct fg_event *event)
{
	struct fg_progress p;

	switch (event->kind) {
	case FG_EVENT_FREE:
		return ending_of_free(scene, event);
	case FG_EVENT_STOP:
	case FG_EVENT_LOST:
		return FG_ENDING_FINAL;
	case FG_EVENT_CONSUME:
		if (fg_pieces_any(trace))
			return fg_pieces_ending(scene, trace, event);
		/* A super-packet is segmented first, and its segments are seen later. */
		if (trace->whole[FG_PIECE_SEGMENT])
			return FG_ENDING_SOFT;
		if (!scene->xdp_copies)
			return FG_ENDING_FINAL;
		fg_progress_follow(scene, trace, &p);
		return fg_progress_replaced(scene, &p) ? FG_ENDING_NONE : FG_ENDING_FINAL;
	case FG_EVENT_SOCKET:
		return FG_ENDING_SOFT;
	case FG_EVENT_XMIT:
		return !event->code && is_hardware(scene, event) ? FG_ENDING_FINAL : FG_ENDING_NONE;
	default:
		return FG_ENDING_NONE;
	}
}

/* The packet may be answered before its own end is seen, and the end is wanted too. */
static enum fg_ending ending_of_reply(const struct fg_scene *scene, const struct fg_trace *trace,
				      const struct fg_event *event)
{
	struct fg_progress p;

	if (event->kind != FG_EVENT_REPLY && !fg_is_drop(scene, event))
		return FG_ENDING_NONE;
	fg_progress_follow(scene, trace, &p);
	return p.end ? FG_ENDING_FINAL : FG_ENDING_SOFT;
}

enum fg_ending fg_judge_ending(const struct fg_scene *scene, const struct fg_trace *trace,
			       const struct fg_event *event)
{
	enum fg_ending ending;

	if (event->flags & FG_EVENT_F_REPLY)
		return ending_of_reply(scene, trace, event);
	if (event->flags & FG_EVENT_F_CLONE)
		return FG_ENDING_NONE;
	ending = event->flags & FG_EVENT_F_PIECE ? fg_pieces_ending(scene, trace, event)
						 : ending_of_packet(scene, trace, event);
	if (ending == FG_ENDING_NONE || event->kind == FG_EVENT_LOST ||
	    event->kind == FG_EVENT_STOP)
		return ending;
	if (trace->answered)
		return FG_ENDING_FINAL;
	/* What was dropped, but not by policy, is answered at once or never; the rest may take its time. */
	return scene->wants_reply && event->kind != FG_EVENT_FREE ? FG_ENDING_NONE : ending;
}
