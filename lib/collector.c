// SPDX-License-Identifier: GPL-2.0-only
#include "collector.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

/* How far each probe of the window is. */
struct state {
	uint8_t ending; /* enum fg_ending */
	bool seen;
	bool freed;
	uint32_t clones, pieces; /* how many of them were seen */
};

struct fg_collector {
	struct ring_buffer *ring;
	struct fg_window window;
	struct state *states;
	uint32_t room;
	uint32_t open, soft, left;
	bool no_memory;
	uint64_t strays;
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

/* Clones and pieces are numbered as they are first seen, each kind from 1; clones of pieces among their own. */
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
	if (!s->freed && (e->kind == FG_EVENT_FREE || e->kind == FG_EVENT_CONSUME)) {
		s->freed = true;
		c->left--;
	}
}

static size_t record_size(uint16_t kind)
{
	return kind == FG_EVENT_FLOW	? sizeof(struct fg_event_flow)
	       : kind == FG_EVENT_REPLY ? sizeof(struct fg_event_reply)
					: sizeof(struct fg_event);
}

/* The kernel's records are data from outside: their length, version, kind and number are checked first. */
static bool record_valid(const struct fg_collector *c, const struct fg_event *e, size_t size)
{
	if (size < sizeof(*e) || e->version != FG_EVENT_VERSION || !e->kind ||
	    e->kind >= FG_EVENT_KINDS)
		return false;
	if (size != record_size(e->kind))
		return false;
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

/* A peer may answer more than once (a SYN-ACK again); the first answer counts. */
static void add_reply(struct fg_trace *trace, const struct fg_event_reply *record)
{
	if (trace->answered)
		return;
	trace->answered = true;
	trace->reply = *record;
	if (trace->reply.captured > FG_REPLY_BYTES)
		trace->reply.captured = FG_REPLY_BYTES;
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct fg_collector *c = ctx;
	const struct fg_event *e = data;
	struct fg_probe *probe;
	struct fg_observation *o;

	if (!record_valid(c, e, size)) {
		c->strays++;
		return 0;
	}
	probe = &c->window.probes[e->probe];
	if (e->kind == FG_EVENT_INJECT && !probe->trace.injected_ns)
		probe->trace.injected_ns = e->time_ns;
	note_life(c, &c->states[e->probe], e);
	note_ending(c, &c->states[e->probe],
		    fg_judge_ending(c->window.scenes[e->probe], &probe->trace, e));
	probe->trace.done = is_final(c->states[e->probe].ending);
	o = fg_trace_add(&probe->trace, e);
	if (!o) {
		c->no_memory = true;
		return 0;
	}
	if (e->kind == FG_EVENT_FLOW)
		add_flow(&probe->trace, o, data);
	if (e->kind == FG_EVENT_REPLY)
		add_reply(&probe->trace, data);
	if (e->kind == FG_EVENT_FREE || e->kind == FG_EVENT_CONSUME)
		o->symbol = fg_symbols_name(c->window.symbols, e->aux);
	return 0;
}

struct fg_collector *fg_collector_new(struct fg_datapath *dp, struct fg_error *err)
{
	struct fg_collector *c = calloc(1, sizeof(*c));

	if (c)
		c->ring = ring_buffer__new(fg_datapath_maps(dp).events, on_record, c, NULL);
	if (!c || !c->ring) {
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
	if (window->count > collector->room) {
		free(collector->states);
		collector->states = calloc(window->count, sizeof(*collector->states));
		collector->room = collector->states ? window->count : 0;
		collector->no_memory = !collector->states;
	} else {
		memset(collector->states, 0, window->count * sizeof(*collector->states));
	}
	/* Without room for it no record is taken. */
	if (!collector->states)
		collector->window.count = 0;
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

uint32_t fg_collector_left(const struct fg_collector *collector)
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
