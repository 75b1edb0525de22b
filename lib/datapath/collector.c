// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/collector.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "judge/judge.h"

/* How far each probe of the window is. */
struct state {
	uint8_t ending; /* enum fg_ending */
	bool seen;
	bool freed;
	uint32_t clones, pieces; /* how many of them were seen */
	/* replies by their numbers, of 64: those that answer the packet, and those that do not */
	uint64_t fitting, foreign;
	uint32_t within; /* number of the probe that holds the whole datagram, plus 1; 0: none */
	bool beyond[2];	 /* the packet, or a reply to it, was last seen on another node */
};

struct fg_collector {
	struct ring_buffer *ring;
	struct fg_window window;
	struct state *states;
	size_t room;
	uint32_t open, soft, left;
	bool no_memory;
	uint64_t strays; /* of this window */
};

static bool is_final(uint8_t ending)
{
	return ending == FG_ENDING_FINAL;
}

static void note_ending(struct fg_collector *c, struct state *s, enum fg_ending ending)
{
	if (ending <= (enum fg_ending)s->ending)
		return;
	if (s->ending == FG_ENDING_SOFT)
		c->soft--;
	if (ending == FG_ENDING_SOFT)
		c->soft++;
	if (is_final((uint8_t)ending))
		c->open--;
	s->ending = (uint8_t)ending;
}

/*
 * Clones and pieces are numbered as they are first seen, each kind from 1; clones of pieces among
 * their own.
 */
static void note_branch(struct fg_collector *c, struct state *s, const struct fg_event *e)
{
	uint32_t *most = e->flags & FG_EVENT_F_PIECE ? &s->pieces : &s->clones;

	if ((e->flags & FG_EVENT_F_PIECE) && (e->flags & FG_EVENT_F_CLONE))
		return;
	if (e->branch > *most) {
		c->left += e->branch - *most;
		*most = e->branch;
	}
	if ((e->kind == FG_EVENT_FREE || e->kind == FG_EVENT_CONSUME) && c->left)
		c->left--;
}

static void note_life(struct fg_collector *c, struct state *s, const struct fg_event *e)
{
	if (e->flags & FG_EVENT_F_REPLY)
		return;
	if (e->flags & (FG_EVENT_F_CLONE | FG_EVENT_F_PIECE)) {
		note_branch(c, s, e);
		return;
	}
	if (!s->seen) {
		s->seen = true;
		c->left++;
	}
	/* Its own sk_buff was freed; now it is in another. */
	if (e->kind == FG_EVENT_JOIN && s->freed) {
		s->freed = false;
		c->left++;
	}
	if (!s->freed && (e->kind == FG_EVENT_FREE || e->kind == FG_EVENT_CONSUME)) {
		s->freed = true;
		c->left--;
	}
}

static size_t record_size(uint16_t kind)
{
	return kind == FG_EVENT_FLOW				  ? sizeof(struct fg_event_flow)
	       : kind == FG_EVENT_REPLY || kind == FG_EVENT_HEARD ? sizeof(struct fg_event_reply)
								  : sizeof(struct fg_event);
}

/*
 * The kernel's records are data from outside: their length, version, kind and number are checked
 * first.
 */
static bool record_valid(const struct fg_event *e, size_t size)
{
	if (size < sizeof(*e) || e->version != FG_EVENT_VERSION || !e->kind ||
	    e->kind >= FG_EVENT_KINDS)
		return false;
	return size == record_size(e->kind);
}

/*
 * A packet may be seen after its window is over: that says nothing of this one. Generations are
 * counted up, and past the greatest number from 0 on.
 */
static bool is_late(const struct fg_collector *c, const struct fg_event *e)
{
	return (int32_t)(e->generation - c->window.generation) < 0;
}

static bool is_of_window(const struct fg_collector *c, const struct fg_event *e)
{
	return e->generation == c->window.generation && e->probe < c->window.count;
}

static void add_flow(struct fg_trace *trace, struct fg_observation *o,
		     const struct fg_event_flow *record)
{
	/* More changes than there is room for: the last one is kept. */
	if (trace->flow_count == FG_TRACE_FLOWS)
		trace->flow_count--;
	trace->flows[trace->flow_count] = record->flow;
	o->flow = (int8_t)trace->flow_count++;
}

static bool reply_fits(const struct fg_probe *probe, const struct fg_event_reply *record)
{
	struct fg_event_reply reply = *record;

	if (reply.captured > FG_REPLY_BYTES)
		reply.captured = FG_REPLY_BYTES;
	return fg_answer_fits(&probe->frame, &reply);
}

/* Of a reply's number; 0: there are too many of them. */
static uint64_t reply_bit(const struct fg_event *e)
{
	return e->branch < 64 ? 1ULL << e->branch : 0;
}

/*
 * A reply is seen for the first time: whether it is one. What a number stands for that has been
 * given to two of them is not known.
 */
static void hear(struct fg_probe *probe, struct state *s, const struct fg_event_reply *record)
{
	struct fg_trace *trace = &probe->trace;
	const uint64_t bit = reply_bit(&record->event);
	const bool fits = reply_fits(probe, record);

	trace->mixed |= !bit || (bit & (fits ? s->foreign : s->fitting));
	if (!fits) {
		s->foreign |= bit;
		trace->misfits++;
		return;
	}
	s->fitting |= bit;
	/* Until one of them comes back, the first is followed. */
	if (!trace->heard && !trace->answered)
		trace->reply.event.branch = record->event.branch;
	trace->heard = true;
}

/* Whether the event is of a packet that only looks like a reply. */
static bool is_foreign(const struct state *s, const struct fg_event *e)
{
	const uint8_t kin = FG_EVENT_F_REPLY | FG_EVENT_F_CLONE | FG_EVENT_F_PIECE;

	return (e->flags & kin) == FG_EVENT_F_REPLY && e->kind != FG_EVENT_REPLY &&
	       (s->foreign & ~s->fitting & reply_bit(e));
}

/*
 * A peer may reply more than once (a SYN-ACK again); the first reply counts. Returns false if it is
 * none: the reply is yet to come.
 */
static bool add_reply(struct fg_probe *probe, const struct state *s,
		      const struct fg_event_reply *record)
{
	struct fg_trace *trace = &probe->trace;

	if (!reply_fits(probe, record)) {
		trace->misfits++;
		/* Seen elsewhere before, and not known then to be none. */
		trace->mixed |= !(s->foreign & reply_bit(&record->event));
		return false;
	}
	if (!trace->answered) {
		trace->reply = *record;
		if (trace->reply.captured > FG_REPLY_BYTES)
			trace->reply.captured = FG_REPLY_BYTES;
	}
	trace->answered = true;
	return true;
}

/* Adds it to that probe's trace. */
static void add_record(struct fg_collector *c, uint32_t number, const struct fg_event *e)
{
	struct fg_probe *probe = &c->window.probes[number];
	struct fg_observation *o;
	bool fits = e->kind != FG_EVENT_REPLY ||
		    add_reply(probe, &c->states[number], (const struct fg_event_reply *)e);

	if (fits)
		note_ending(c, &c->states[number],
			    fg_judge_ending(c->window.contexts[number], &probe->trace, e));
	probe->trace.done = is_final(c->states[number].ending);
	o = fg_trace_add(&probe->trace, e);
	if (!o) {
		c->no_memory = true;
		return;
	}
	o->event.probe = number;
	if (e->kind == FG_EVENT_FLOW)
		add_flow(&probe->trace, o, (const struct fg_event_flow *)e);
	if (c->window.symbols && (e->kind == FG_EVENT_FREE || e->kind == FG_EVENT_CONSUME))
		o->symbol = fg_symbols_name(c->window.symbols, e->aux);
}

static bool is_of_packet(const struct fg_event *e)
{
	return !(e->flags & (FG_EVENT_F_REPLY | FG_EVENT_F_CLONE | FG_EVENT_F_PIECE));
}

/*
 * Fragments that came together go on as one: what happens to the whole happens to each of them,
 * until it is cut again. The record, of the one whose packet it is now, goes to the others too.
 */
static void share(struct fg_collector *c, const struct fg_event *e)
{
	const struct fg_frame *frame = &c->window.probes[e->probe].frame;
	bool whole = e->flags & FG_EVENT_F_WHOLE;

	for (uint32_t i = 0; i < c->window.count; i++) {
		struct state *s = &c->states[i];
		bool within = s->within == e->probe + 1;

		if (e->kind == FG_EVENT_JOIN)
			within = i != e->probe &&
				 fg_probe_are_siblings(frame, &c->window.probes[i].frame);
		if (!within)
			continue;
		s->within = whole ? e->probe + 1 : 0;
		if (whole || e->kind == FG_EVENT_JOIN)
			add_record(c, i, e);
	}
}

/* Whether it only tells that the list was freed that the whole datagram is. */
static bool is_in_list(struct state *s, const struct fg_event *e)
{
	if (!s->within || !is_of_packet(e))
		return false;
	if (e->kind == FG_EVENT_FREE || e->kind == FG_EVENT_CONSUME || e->kind == FG_EVENT_LOST)
		return true;
	s->within = 0;
	return false;
}

/*
 * Who asks for a route by rtnetlink makes the kernel build a packet for the question, which nobody
 * sends (inet_rtm_getroute_build_skb()): with the addresses and ports of a reply it is none.
 */
static bool is_route_question(const struct fg_collector *c, const struct fg_event *e)
{
	const char *symbol;

	if (!(e->flags & FG_EVENT_F_REPLY) || !c->window.symbols ||
	    (e->kind != FG_EVENT_FREE && e->kind != FG_EVENT_CONSUME))
		return false;
	symbol = fg_symbols_name(c->window.symbols, e->aux);
	return symbol && (!strncmp(symbol, "inet_rtm_getroute", 17) ||
			  !strncmp(symbol, "inet6_rtm_getroute", 18));
}

/* Whether it was seen on another node, or freed there. Of clones and pieces it is not noted. */
static bool is_beyond(struct fg_collector *c, struct state *s, const struct fg_event *e)
{
	bool reply = e->flags & FG_EVENT_F_REPLY, now;

	if (!c->window.beyond)
		return false;
	if (!e->netns)
		return s->beyond[reply];
	now = c->window.beyond(c->window.beyond_arg, e->netns);
	if (reply || is_of_packet(e))
		s->beyond[reply] = now;
	return now;
}

/* The packet has left the node: that is its end here, unless a reply is waited for. */
static void leave_node(struct fg_collector *c, struct state *s, const struct fg_event *e)
{
	struct fg_trace *trace = &c->window.probes[e->probe].trace;

	if (!is_of_packet(e))
		return;
	trace->left_node = true;
	if (!c->window.contexts[e->probe]->wants_reply || trace->answered)
		note_ending(c, s, FG_ENDING_FINAL);
	trace->done = is_final(s->ending);
}

/* A record that is valid, and of this window. */
static void take_record(struct fg_collector *c, const struct fg_event *e)
{
	struct fg_probe *probe = &c->window.probes[e->probe];
	struct state *s = &c->states[e->probe];

	if (is_route_question(c, e))
		return;
	if (e->kind == FG_EVENT_INJECT && !probe->trace.injected_ns)
		probe->trace.injected_ns = e->time_ns;
	if (e->kind == FG_EVENT_HEARD) {
		hear(probe, s, (const struct fg_event_reply *)e);
		return;
	}
	note_life(c, s, e);
	if (is_beyond(c, s, e)) {
		leave_node(c, s, e);
		return;
	}
	/* It has come back. */
	if (is_of_packet(e))
		probe->trace.left_node = false;
	if (is_in_list(s, e) || is_foreign(s, e))
		return;
	add_record(c, e->probe, e);
	if (probe->trace.fragment && is_of_packet(e))
		share(c, e);
}

void fg_collector_record(struct fg_collector *collector, const void *record, size_t size)
{
	bool valid = record_valid(record, size);

	if (valid && is_of_window(collector, record))
		take_record(collector, record);
	else if (!valid || !is_late(collector, record))
		collector->strays++;
}

static int on_record(void *ctx, void *data, size_t size)
{
	fg_collector_record(ctx, data, size);
	return 0;
}

struct fg_collector *fg_collector_new(struct fg_datapath *dp, struct fg_error *err)
{
	struct fg_collector *c = calloc(1, sizeof(*c));

	if (c && dp)
		c->ring = ring_buffer__new(fg_datapath_maps(dp).events, on_record, c, NULL);
	if (!c || (dp && !c->ring)) {
		fg_fail_errno(err, FG_ERR_INTERNAL, errno, "event ring");
		free(c);
		return NULL;
	}
	return c;
}

void fg_collector_free(struct fg_collector *collector)
{
	if (!collector)
		return;
	ring_buffer__free(collector->ring);
	free(collector->states);
	free(collector);
}

void fg_collector_begin(struct fg_collector *collector, const struct fg_window *window)
{
	collector->window = *window;
	collector->open = window->count;
	collector->soft = collector->left = 0;
	collector->strays = 0;
	for (uint32_t i = 0; i < window->count; i++)
		window->probes[i].trace.window = window->generation;
	collector->no_memory =
		!FG_GROW_TO(collector->states, collector->room, window->count, "events", NULL);
	/* Without room for it no record is taken. */
	if (collector->no_memory)
		collector->window.count = 0;
	else
		memset(collector->states, 0, window->count * sizeof(*collector->states));
}

int fg_collector_take(struct fg_collector *collector, struct fg_error *err)
{
	int ret = ring_buffer__consume(collector->ring);

	if (collector->no_memory)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "events");
	return ret < 0 ? fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "event ring") : 0;
}

uint32_t fg_collector_open_count(const struct fg_collector *collector, uint32_t *soft)
{
	*soft = collector->soft;
	return collector->open;
}

uint32_t fg_collector_pending(const struct fg_collector *collector)
{
	return collector->left;
}

int fg_collector_fd(const struct fg_collector *collector)
{
	return ring_buffer__epoll_fd(collector->ring);
}

uint64_t fg_collector_strays(const struct fg_collector *collector)
{
	return collector->strays;
}
