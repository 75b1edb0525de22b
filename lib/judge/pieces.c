// SPDX-License-Identifier: GPL-2.0-only
/*
 * judge/pieces.c - a packet that was cut on the path (IP fragments, segments of a super-packet)
 * ended where its pieces did. Only when their payloads add up to the whole's are all of them known
 * to have been seen.
 */
#include <string.h>

#include "judge/internal.h"

enum fate {
	FATE_OPEN,
	FATE_STOPPED,
	FATE_SPARED,
	FATE_TAKEN,
	FATE_FORWARDED,
	FATE_DROPPED,
	FATE_LOST,
	FATES
};

/* As many as an IPv4 packet has at the smallest MTU (68 bytes, RFC 791). */
#define PIECES_MAX 1500

struct pieces {
	uint32_t count;
	uint32_t fates[FATES];
	uint64_t payload;
	int kind; /* enum fg_piece_kind */
	bool too_many, foreign;
	const struct fg_observation *end, *drop;
	uint8_t fate[PIECES_MAX + 1]; /* by number, which begins with 1 */
	/* Fragments: a bit for each eight bytes of the payload (RFC 791) that one has. */
	uint64_t covered[(UINT16_MAX / 8 + 1) / 64];
};

static bool on_piece(const struct fg_event *e)
{
	return (e->flags & FG_EVENT_F_PIECE) && !(e->flags & (FG_EVENT_F_CLONE | FG_EVENT_F_REPLY));
}

/* What was put together again is freed as a list, for which the kernel counts a drop each. */
static bool freed_in_list(const struct fg_observation *o)
{
	static const char *const place[] = { "skb_release_data" };

	return fg_event_starts_with_any(o->symbol, place, 1);
}

/* What the event makes of a piece that had that fate until now. */
static enum fate fate_after(const struct fg_context *context, enum fate fate,
			    const struct fg_observation *o)
{
	const struct fg_event *e = &o->event;

	switch (e->kind) {
	case FG_EVENT_STOP:
		/* At a socket, which it is named with: after reassembly. */
		return e->aux ? FATE_SPARED : FATE_STOPPED;
	case FG_EVENT_SOCKET:
		return FATE_TAKEN;
	case FG_EVENT_LOST:
		return FATE_LOST;
	case FG_EVENT_XMIT:
		return !e->code && fg_event_is_exit(context, e) && fate == FATE_OPEN
			       ? FATE_FORWARDED
			       : fate;
	case FG_EVENT_FREE:
	case FG_EVENT_CONSUME:
		/*
		 * What was stopped is freed, and what was taken too, unless the socket refused it.
		 */
		if (fg_event_is_drop(context, e) && !freed_in_list(o))
			return fate == FATE_OPEN || fate == FATE_TAKEN ? FATE_DROPPED : fate;
		if (fate != FATE_OPEN)
			return fate;
		return fg_event_is_exit(context, e) ? FATE_FORWARDED : FATE_LOST;
	default:
		return fate;
	}
}

/*
 * Another host's packet may have the same identification, and the same address at one end. Its
 * fragments have a place in the payload that one of the packet's own has too, or that it does not
 * have at all.
 */
static void cover(struct pieces *p, const struct fg_event *e, uint32_t whole)
{
	if (e->code != FG_PIECE_FRAGMENT || !whole)
		return;
	if (e->aux > whole || e->id + e->aux > whole) {
		p->foreign = true;
		return;
	}
	for (uint64_t at = e->id / 8; at < (e->id + e->aux + 7) / 8; at++) {
		p->foreign |= p->covered[at / 64] >> at % 64 & 1;
		p->covered[at / 64] |= 1ULL << at % 64;
	}
}

/* whole: bytes of payload that the packet's fragments add up to. */
static void piece_follow(const struct fg_context *context, uint32_t whole, struct pieces *p,
			 const struct fg_observation *o)
{
	const struct fg_event *e = &o->event;
	enum fate before, after;

	if (!on_piece(e))
		return;
	if (!e->branch || e->branch > PIECES_MAX) {
		p->too_many = true;
		return;
	}
	if (e->kind == FG_EVENT_PIECE) {
		p->count++;
		p->fates[FATE_OPEN]++;
		p->payload += e->aux;
		cover(p, e, whole);
		p->kind = e->code;
		return;
	}
	before = p->fate[e->branch];
	after = fate_after(context, before, o);
	if (after == before)
		return;
	p->fate[e->branch] = (uint8_t)after;
	p->fates[before]--;
	p->fates[after]++;
	p->end = o;
	if (after == FATE_DROPPED && !p->drop)
		p->drop = o;
}

/*
 * The pod's own fragments have siblings with all that a piece is known by: these are not pieces of
 * it.
 */
static bool may_be_cut(const struct fg_trace *trace)
{
	return trace->whole[FG_PIECE_FRAGMENT] || trace->whole[FG_PIECE_SEGMENT];
}

static void pieces_read(const struct fg_context *context, const struct fg_trace *trace,
			struct pieces *p)
{
	memset(p, 0, sizeof(*p));
	for (uint32_t i = 0; i < trace->count && may_be_cut(trace); i++)
		piece_follow(context, trace->whole[FG_PIECE_FRAGMENT], p, &trace->list[i]);
}

static bool complete(const struct fg_trace *trace, const struct pieces *p)
{
	return !p->too_many && p->payload &&
	       p->payload == trace->whole[p->kind == FG_PIECE_SEGMENT];
}

enum fg_ending fg_pieces_ending(const struct fg_context *context, const struct fg_trace *trace,
				const struct fg_event *event)
{
	const struct fg_observation next = { .event = *event };
	struct pieces p;

	if (!may_be_cut(trace))
		return FG_ENDING_NONE;
	pieces_read(context, trace, &p);
	piece_follow(context, trace->whole[FG_PIECE_FRAGMENT], &p, &next);
	if (p.fates[FATE_DROPPED] || p.fates[FATE_TAKEN] || p.fates[FATE_SPARED])
		return FG_ENDING_SOFT;
	return complete(trace, &p) && !p.fates[FATE_OPEN] ? FG_ENDING_FINAL : FG_ENDING_NONE;
}

bool fg_pieces_any(const struct fg_trace *trace)
{
	for (uint32_t i = 0; i < trace->count; i++)
		if (trace->list[i].event.kind == FG_EVENT_PIECE && may_be_cut(trace))
			return true;
	return false;
}

static enum fg_outcome inconclusive(struct fg_result *result, const char *reason)
{
	result->reason = reason;
	result->stopped = false;
	return FG_OUTCOME_INCONCLUSIVE;
}

/* Of a datagram that misses one fragment nothing arrives, and of a stream not all. */
static enum fg_outcome outcome_of(const struct fg_trace *trace, const struct pieces *p,
				  struct fg_result *result)
{
	if (p->foreign)
		return inconclusive(result, "fragments of another packet with its identification "
					    "were seen: whose is whose is not known");
	if (p->drop) {
		result->dropped = true;
		result->drop_code = (uint32_t)p->drop->event.code;
		result->end = p->drop;
		return FG_OUTCOME_DROPPED;
	}
	if (p->too_many)
		return inconclusive(result, "cut into more pieces than flowgen can follow");
	result->stopped = p->fates[FATE_STOPPED] == p->count || p->fates[FATE_SPARED];
	/*
	 * Fragments come together again in front of the socket: what it took, or would have taken,
	 * was the whole.
	 */
	if (p->fates[FATE_TAKEN] + p->fates[FATE_SPARED] && p->kind == FG_PIECE_FRAGMENT)
		return FG_OUTCOME_DELIVERED;
	if (!complete(trace, p))
		return inconclusive(result, "cut into pieces, and not all of them were seen");
	if (p->fates[FATE_STOPPED] == p->count || p->fates[FATE_SPARED] == p->count ||
	    p->fates[FATE_TAKEN] == p->count)
		return FG_OUTCOME_DELIVERED;
	if (p->fates[FATE_FORWARDED] == p->count)
		return FG_OUTCOME_FORWARDED;
	return inconclusive(result, p->fates[FATE_OPEN] || p->fates[FATE_LOST]
					    ? "cut into pieces, and the end of one was not seen"
					    : "cut into pieces that had different outcomes");
}

void fg_pieces_judge(const struct fg_context *context, const struct fg_trace *trace,
		     struct fg_result *result)
{
	struct pieces p;

	/* Of most packets, and to clear what is counted of pieces is much of the time to judge. */
	if (!may_be_cut(trace))
		return;
	pieces_read(context, trace, &p);
	if (!p.count || result->outcome == FG_OUTCOME_DROPPED)
		return;
	if (p.end)
		result->end = p.end;
	result->reason = NULL;
	result->outcome = outcome_of(trace, &p, result);
}
