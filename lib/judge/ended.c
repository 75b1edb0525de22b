// SPDX-License-Identifier: GPL-2.0-only
#include "judge/ended.h"

#include <stdio.h>
#include <string.h>

bool fg_ended_is_doubtful(const struct fg_result *r)
{
	return (r->verdict == FG_VERDICT_DENIED &&
		(r->denied_by < 0 || r->steps[r->denied_by].evidence < FG_EVIDENCE_FEXIT)) ||
	       (r->reply.way && fg_ended_is_doubtful(r->reply.way));
}

bool fg_ended_is_doubtful_there(const struct fg_result *r)
{
	if (r->reply.way && fg_ended_is_doubtful(r->reply.way))
		return true;
	return fg_ended_is_doubtful(r) && (!r->decider.kind || r->decider.stage != FG_STAGE_EGRESS);
}

bool fg_ended_by_netfilter(const struct fg_context *context, const struct fg_result *r)
{
	return r->decider.kind == FG_KIND_NETFILTER ||
	       (context->service_count && fg_netfilter_dropped(context, r) &&
		r->decider.kind == FG_KIND_NONE);
}

static bool is_unnamed(const struct fg_context *context, const struct fg_result *r, bool traced)
{
	if (r->verdict == FG_VERDICT_UNKNOWN || r->decider.kind == FG_KIND_NETFILTER)
		return fg_ended_by_netfilter(context, r) && !r->netfilter && !traced;
	if (r->verdict != FG_VERDICT_DENIED)
		return false;
	return (r->decider.kind == FG_KIND_BPF || r->decider.kind == FG_KIND_TC) &&
	       r->denied_by < 0 && r->candidates;
}

struct fg_result *fg_ended_unnamed(struct fg_probe *p, bool traced)
{
	struct fg_reply *reply = &p->result.reply;

	if (is_unnamed(p->context, &p->result, traced))
		return &p->result;
	return reply->way && is_unnamed(reply->back, reply->way, traced) ? reply->way : NULL;
}

struct fg_result *fg_ended_unnamed_denial(struct fg_probe *p, bool traced)
{
	struct fg_result *r = fg_ended_unnamed(p, traced);

	return r && r->verdict == FG_VERDICT_DENIED ? r : NULL;
}

bool fg_ended_was_cut(const struct fg_probe *probe)
{
	for (uint32_t i = 0; i < probe->trace.count; i++)
		if (probe->trace.list[i].event.kind == FG_EVENT_PIECE)
			return true;
	return probe->spec.fragments > 1;
}

bool fg_ended_at_ovs(const struct fg_probe *p)
{
	return p->context && p->context->ovs && p->result.outcome == FG_OUTCOME_INCONCLUSIVE &&
	       p->result.end && p->result.end->event.kind == FG_EVENT_CONSUME;
}

bool fg_ended_is_unseen(const struct fg_result *r)
{
	return r->outcome == FG_OUTCOME_REJECTED && !r->dropped &&
	       r->verdict == FG_VERDICT_UNKNOWN && r->decider.kind == FG_KIND_NONE;
}

struct fg_ended fg_ended_describe(const struct fg_probe *p, const struct fg_result *r)
{
	const struct fg_event *e = r->end ? &r->end->event : NULL;
	const char *symbol = r->end && r->end->symbol ? r->end->symbol : "";

	struct fg_ended ended = {
		.pod = p->spec.pod,
		.reply = r != &p->result,
		.stage = r->decider.stage,
		.kind = r->decider.kind,
		.code = r->drop_code,
		.netns = e ? e->netns : 0,
		.ifindex = e ? e->ifindex : 0,
	};

	snprintf(ended.symbol, sizeof(ended.symbol), "%.*s", (int)strcspn(symbol, "+"), symbol);
	return ended;
}

static bool same(const struct fg_ended *a, const struct fg_ended *b)
{
	return a->pod == b->pod && a->reply == b->reply && a->stage == b->stage &&
	       a->kind == b->kind && a->code == b->code && a->netns == b->netns &&
	       a->ifindex == b->ifindex && !strcmp(a->symbol, b->symbol);
}

const struct fg_ended *fg_ended_find(const struct fg_ended *list, size_t count,
				     const struct fg_ended *like)
{
	for (size_t i = 0; i < count; i++)
		if (same(&list[i], like))
			return &list[i];
	return NULL;
}

void fg_ended_take_name(struct fg_ended *ended, const struct fg_probe *p)
{
	const struct fg_result *r = ended->reply ? p->result.reply.way : &p->result;
	const struct fg_context *context = ended->reply ? p->result.reply.back : p->context;
	struct fg_ended now;

	if (!r || r->verdict != FG_VERDICT_DENIED)
		return;
	now = fg_ended_describe(p, r);
	if (now.stage != ended->stage || now.code != ended->code || now.netns != ended->netns ||
	    now.ifindex != ended->ifindex)
		return;
	if (r->netfilter) {
		ended->netfilter = *r->netfilter;
		ended->alike.netfilter = &ended->netfilter;
	} else if (r->denied_by >= 0) {
		ended->program = context->ladder->programs[r->denied_by];
		ended->alike.program = &ended->program;
	} else {
		return;
	}
	ended->alike.id = p->spec.id;
}

void fg_ended_refer(const struct fg_ended *list, size_t ended_count, struct fg_probe *probes,
		    uint32_t count, bool traced)
{
	for (uint32_t i = 0; i < count; i++) {
		struct fg_probe *p = &probes[i];
		struct fg_result *r = fg_ended_unnamed_denial(p, traced);
		const struct fg_ended like = r ? fg_ended_describe(p, r) : (struct fg_ended){};
		const struct fg_ended *ended = r ? fg_ended_find(list, ended_count, &like) : NULL;

		if (ended && ended->alike.id && ended->alike.id != p->spec.id)
			r->alike = &ended->alike;
	}
}
