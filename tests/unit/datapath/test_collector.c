// SPDX-License-Identifier: GPL-2.0-only
/* The collector on records of every kind, as the ring would hand them over: no ring is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/count.h"
#include "datapath/collector.h"
#include "seed.h"
#include "traces.h"

#define PROBES 3
#define GENERATION 7

struct stage {
	struct fg_ladder ladder;
	struct fg_context context;
	const struct fg_context *contexts[PROBES];
	struct fg_probe probes[PROBES];
	struct fg_collector *collector;
};

static void begin(struct stage *s, uint32_t generation)
{
	const struct fg_window window = { .probes = s->probes,
					  .contexts = s->contexts,
					  .count = PROBES,
					  .generation = generation };

	for (size_t i = 0; i < PROBES; i++)
		fg_trace_reset(&s->probes[i].trace);
	fg_collector_begin(s->collector, &window);
}

static int stage_up(void **state)
{
	static struct stage stage;
	struct stage *s = &stage;
	struct fg_error err;

	*s = (struct stage){};
	s->context = traces_make(&s->ladder, FG_METHOD_PEER_EGRESS);
	for (size_t i = 0; i < PROBES; i++)
		s->contexts[i] = &s->context;
	s->collector = fg_collector_new(NULL, &err);
	if (!s->collector)
		return -1;
	begin(s, GENERATION);
	*state = s;
	return 0;
}

static int stage_down(void **state)
{
	struct stage *s = *state;

	for (size_t i = 0; i < PROBES; i++)
		fg_trace_free(&s->probes[i].trace);
	fg_collector_free(s->collector);
	return 0;
}

static struct fg_event record(uint16_t kind, uint32_t probe, uint32_t generation)
{
	return (struct fg_event){ .version = FG_EVENT_VERSION,
				  .kind = kind,
				  .probe = probe,
				  .generation = generation,
				  .time_ns = 1000 };
}

static void take(struct stage *s, uint16_t kind, uint32_t probe, uint32_t generation)
{
	const struct fg_event e = record(kind, probe, generation);

	fg_collector_record(s->collector, &e, sizeof(e));
}

static uint32_t seen(const struct stage *s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < PROBES; i++)
		n += s->probes[i].trace.count;
	return n;
}

static void records_go_to_their_probes(void **state)
{
	struct stage *s = *state;
	uint32_t soft;

	take(s, FG_EVENT_INJECT, 0, GENERATION);
	take(s, FG_EVENT_INJECT, 2, GENERATION);
	take(s, FG_EVENT_QUEUE, 2, GENERATION);
	assert_int_equal(s->probes[0].trace.count, 1);
	assert_int_equal(s->probes[1].trace.count, 0);
	assert_int_equal(s->probes[2].trace.count, 2);
	assert_int_equal(s->probes[2].trace.injected_ns, 1000);
	assert_int_equal(fg_collector_open_count(s->collector, &soft), PROBES);
	take(s, FG_EVENT_STOP, 2, GENERATION);
	assert_true(s->probes[2].trace.done);
	assert_int_equal(fg_collector_open_count(s->collector, &soft), PROBES - 1);
	assert_int_equal(fg_collector_pending(s->collector), 2);
	assert_int_equal(fg_collector_strays(s->collector), 0);
}

static void longer_records_are_read_whole(void **state)
{
	struct stage *s = *state;
	struct fg_event_flow flow = { .event = record(FG_EVENT_FLOW, 1, GENERATION),
				      .flow.sport = 0x3500 };
	struct fg_event_reply reply = { .event = record(FG_EVENT_REPLY, 1, GENERATION),
					.captured = UINT32_MAX,
					.bytes = { 0x45 } };

	reply.event.flags = FG_EVENT_F_REPLY;
	for (int i = 0; i < FG_TRACE_FLOWS + 2; i++) {
		flow.flow.dport = (uint16_t)i;
		fg_collector_record(s->collector, &flow, sizeof(flow));
	}
	fg_collector_record(s->collector, &reply, sizeof(reply));
	assert_int_equal(s->probes[1].trace.flow_count, FG_TRACE_FLOWS);
	assert_int_equal(s->probes[1].trace.flows[0].dport, 0);
	assert_int_equal(s->probes[1].trace.flows[FG_TRACE_FLOWS - 1].dport, FG_TRACE_FLOWS + 1);
	assert_true(s->probes[1].trace.answered);
	/* No more than there is room for, whatever it says. */
	assert_int_equal(s->probes[1].trace.reply.captured, FG_REPLY_BYTES);
	assert_int_equal(fg_collector_strays(s->collector), 0);
}

/* Whatever cannot be a record of this window is none, and one of it may be missing. */
static void what_does_not_fit_is_counted(void **state)
{
	static const struct {
		struct fg_event event;
		size_t size;
	} bad[] = {
		{ { .version = FG_EVENT_VERSION, .kind = FG_EVENT_QUEUE, .generation = 7 }, 0 },
		{ { .version = FG_EVENT_VERSION, .kind = FG_EVENT_QUEUE, .generation = 7 }, 55 },
		{ { .version = FG_EVENT_VERSION, .kind = FG_EVENT_QUEUE, .generation = 7 }, 57 },
		{ { .version = FG_EVENT_VERSION, .kind = FG_EVENT_FLOW, .generation = 7 }, 56 },
		{ { .version = FG_EVENT_VERSION, .kind = FG_EVENT_REPLY, .generation = 7 }, 96 },
		{ { .version = FG_EVENT_VERSION + 1, .kind = FG_EVENT_QUEUE, .generation = 7 },
		  56 },
		{ { .version = 0, .kind = FG_EVENT_QUEUE, .generation = 7 }, 56 },
		{ { .version = FG_EVENT_VERSION, .kind = 0, .generation = 7 }, 56 },
		{ { .version = FG_EVENT_VERSION, .kind = FG_EVENT_KINDS, .generation = 7 }, 56 },
		{ { .version = FG_EVENT_VERSION, .kind = UINT16_MAX, .generation = 7 }, 56 },
		{ { .version = FG_EVENT_VERSION, .kind = 2, .generation = 7, .probe = PROBES },
		  56 },
		{ { .version = FG_EVENT_VERSION, .kind = 2, .generation = 7, .probe = ~0U }, 56 },
		/* Nobody has sent for a window that is to come. */
		{ { .version = FG_EVENT_VERSION, .kind = 2, .generation = 8 }, 56 },
		/* Malformed is malformed, whatever generation it says it is of. */
		{ { .version = FG_EVENT_VERSION, .kind = 0, .generation = 6 }, 56 },
	};
	struct stage *s = *state;

	for (size_t i = 0; i < COUNT(bad); i++) {
		uint8_t bytes[sizeof(struct fg_event_reply)] = {};

		memcpy(bytes, &bad[i].event, sizeof(bad[i].event));
		fg_collector_record(s->collector, bytes, bad[i].size);
		assert_int_equal(fg_collector_strays(s->collector), i + 1);
	}
	assert_int_equal(seen(s), 0);
	/* The next window lacks nothing. */
	begin(s, GENERATION + 1);
	assert_int_equal(fg_collector_strays(s->collector), 0);
}

static void what_comes_late_is_no_stray(void **state)
{
	struct stage *s = *state;

	take(s, FG_EVENT_FREE, 0, GENERATION - 1);
	take(s, FG_EVENT_FREE, 1000, GENERATION - 1);
	take(s, FG_EVENT_FREE, 0, 1);
	assert_int_equal(fg_collector_strays(s->collector), 0);
	assert_int_equal(seen(s), 0);
	/* Also where the count of generations began anew. */
	begin(s, 0);
	take(s, FG_EVENT_FREE, 0, UINT32_MAX);
	assert_int_equal(fg_collector_strays(s->collector), 0);
	take(s, FG_EVENT_FREE, 0, 1);
	assert_int_equal(fg_collector_strays(s->collector), 1);
	assert_int_equal(seen(s), 0);
}

/* Three fragments of 10.9.1.2 > 10.9.0.9; number 7. */
static void fragments_make(struct stage *s, uint8_t bytes[PROBES][14 + 28])
{
	for (uint8_t i = 0; i < PROBES; i++) {
		const uint8_t ip[28] = { 0x45, 0,  0,  28, 0, 7,  i < PROBES - 1 ? 0x20 : 0,
					 i,    64, 17, 0,  0, 10, 9,
					 1,    2,  10, 9,  0, 9 };

		memcpy(bytes[i] + 14, ip, sizeof(ip));
		s->probes[i].frame = (struct fg_frame){ .data = bytes[i], .len = 14 + sizeof(ip) };
		s->probes[i].trace.fragment = true;
		take(s, FG_EVENT_INJECT, i, GENERATION);
		take(s, FG_EVENT_RECEIVE, i, GENERATION);
	}
	/* The first one's sk_buff is not needed any more. */
	take(s, FG_EVENT_CONSUME, 0, GENERATION);
}

static void take_whole(struct stage *s, uint16_t kind, int code)
{
	struct fg_event e = record(kind, 0, GENERATION);

	e.flags = FG_EVENT_F_WHOLE;
	e.code = code;
	fg_collector_record(s->collector, &e, sizeof(e));
}

/* What happens to the whole datagram happens to each of its fragments. */
static void fragments_share_the_whole(void **state)
{
	struct stage *s = *state;
	uint8_t bytes[PROBES][14 + 28] = {};
	uint32_t soft;

	fragments_make(s, bytes);
	assert_int_equal(fg_collector_open_count(s->collector, &soft), PROBES);
	take_whole(s, FG_EVENT_JOIN, 0);
	take_whole(s, FG_EVENT_FREE, 70);
	/* What is no policy's drop may still be answered. */
	fg_collector_open_count(s->collector, &soft);
	assert_int_equal(soft, PROBES);
	/* The list is freed with it, which is nobody's end. */
	take(s, FG_EVENT_FREE, 1, GENERATION);
	take(s, FG_EVENT_FREE, 2, GENERATION);
	assert_int_equal(fg_collector_pending(s->collector), 0);
	for (size_t i = 0; i < PROBES; i++) {
		const struct fg_trace *t = &s->probes[i].trace;

		assert_int_equal(t->count, i ? 4 : 5);
		assert_int_equal(t->list[t->count - 2].event.kind, FG_EVENT_JOIN);
		assert_int_equal(t->list[t->count - 1].event.kind, FG_EVENT_FREE);
		assert_int_equal(t->list[t->count - 1].event.code, 70);
		assert_int_equal(t->list[t->count - 1].event.probe, i);
	}
}

/* Cut again, each goes its own way: also what has another identification never was within. */
static void fragments_part_again(void **state)
{
	struct stage *s = *state;
	uint8_t bytes[PROBES][14 + 28] = {};

	fragments_make(s, bytes);
	bytes[2][14 + 5]++;
	take_whole(s, FG_EVENT_JOIN, 0);
	assert_int_equal(s->probes[1].trace.count, 3);
	assert_int_equal(s->probes[2].trace.count, 2);
	take(s, FG_EVENT_QUEUE, 0, GENERATION);
	take(s, FG_EVENT_STOP, 0, GENERATION);
	assert_int_equal(s->probes[1].trace.count, 3);
	take(s, FG_EVENT_FREE, 1, GENERATION);
	assert_int_equal(s->probes[1].trace.count, 4);
	assert_true(s->probes[0].trace.done && !s->probes[2].trace.done);
}

/* One that is within the whole and is seen by itself goes on by itself from there. */
static void fragments_that_are_seen_again_are_within_no_more(void **state)
{
	struct stage *s = *state;
	uint8_t bytes[PROBES][14 + 28] = {};

	fragments_make(s, bytes);
	take_whole(s, FG_EVENT_JOIN, 0);
	assert_int_equal(s->probes[1].trace.count, 3);
	take(s, FG_EVENT_QUEUE, 1, GENERATION);
	assert_int_equal(s->probes[1].trace.count, 4);
	/* What becomes of the whole is not its own any more, and its end is. */
	take_whole(s, FG_EVENT_STOP, 0);
	assert_int_equal(s->probes[1].trace.count, 4);
	assert_int_equal(s->probes[2].trace.count, 4);
	take(s, FG_EVENT_FREE, 1, GENERATION);
	assert_int_equal(s->probes[1].trace.count, 5);
}

/* Whatever comes, it is one observation, a stray, or late: and no memory but the window's is read.
 */
static void noise(void **state)
{
	static const size_t sizes[] = { sizeof(struct fg_event), sizeof(struct fg_event_flow),
					sizeof(struct fg_event_reply), 0, 20 };
	struct stage *s = *state;
	uint32_t before, soft;

	for (int i = 0; i < 20000; i++) {
		union {
			struct fg_event event;
			struct fg_event_reply reply;
		} r;
		uint64_t strays = fg_collector_strays(s->collector);

		seed_fill(&r, sizeof(r));
		r.event.version = (uint8_t)(FG_EVENT_VERSION + seed_below(8) / 7);
		r.event.kind = (uint16_t)seed_below(FG_EVENT_KINDS + 1);
		r.event.probe = (uint32_t)seed_below(PROBES + 1);
		r.event.generation = (uint32_t)(GENERATION - 1 + seed_below(3));
		before = seen(s);
		fg_collector_record(s->collector, &r, sizes[seed_below(COUNT(sizes))]);
		assert_true(fg_collector_strays(s->collector) - strays + seen(s) - before <= 1);
	}
	assert_true(seen(s) && fg_collector_strays(s->collector));
	assert_true(fg_collector_open_count(s->collector, &soft) <= PROBES);
}

static void see(struct stage *s, uint16_t kind, unsigned int flags, uint32_t branch)
{
	struct fg_event e = record(kind, 0, GENERATION);

	e.flags = (uint8_t)flags;
	e.branch = branch;
	e.aux = 0x1234567;
	fg_collector_record(s->collector, &e, sizeof(e));
}

/* An end that more could contradict is counted apart, once, and as long as it is not final. */
static void ends_are_counted_once(void **state)
{
	static const struct {
		uint16_t kind;
		uint32_t open, soft;
		bool done;
	} steps[] = {
		{ FG_EVENT_INJECT, 3, 0, false }, { FG_EVENT_SOCKET, 3, 1, false },
		{ FG_EVENT_SOCKET, 3, 1, false }, { FG_EVENT_QUEUE, 3, 1, false },
		{ FG_EVENT_STOP, 2, 0, true },	  { FG_EVENT_SOCKET, 2, 0, true },
		{ FG_EVENT_STOP, 2, 0, true },	  { FG_EVENT_LOST, 2, 0, true },
	};
	struct stage *s = *state;
	uint32_t soft = 9;

	for (size_t i = 0; i < COUNT(steps); i++) {
		take(s, steps[i].kind, 1, GENERATION);
		assert_int_equal(fg_collector_open_count(s->collector, &soft), steps[i].open);
		assert_int_equal(soft, steps[i].soft);
		assert_int_equal(s->probes[1].trace.done, steps[i].done);
	}
	take(s, FG_EVENT_SOCKET, 0, GENERATION);
	take(s, FG_EVENT_LOST, 2, GENERATION);
	assert_int_equal(fg_collector_open_count(s->collector, &soft), 1);
	assert_int_equal(soft, 1);
	assert_false(s->probes[0].trace.done);
	assert_true(s->probes[2].trace.done);
	/* Nothing of it is left in the next window. */
	begin(s, GENERATION + 1);
	assert_int_equal(fg_collector_open_count(s->collector, &soft), PROBES);
	assert_int_equal(soft, 0);
	take(s, FG_EVENT_STOP, 1, GENERATION + 1);
	assert_int_equal(fg_collector_open_count(s->collector, &soft), PROBES - 1);
}

/* What is in flight: the packet, each clone, each piece, until it is freed; each is counted once.
 */
static void what_is_in_flight_is_counted(void **state)
{
	enum { C = FG_EVENT_F_CLONE, P = FG_EVENT_F_PIECE, R = FG_EVENT_F_REPLY };
	static const struct {
		uint16_t kind;
		unsigned int flags;
		uint32_t branch, left;
	} steps[] = {
		{ FG_EVENT_QUEUE, R, 0, 0 }, /* a reply is not a packet of the window */
		{ FG_EVENT_INJECT, 0, 0, 1 },
		{ FG_EVENT_QUEUE, 0, 0, 1 },
		{ FG_EVENT_QUEUE, C, 1, 2 },
		{ FG_EVENT_RECEIVE, C, 1, 2 },
		{ FG_EVENT_QUEUE, C, 3, 4 }, /* the second was not seen, and is in flight */
		{ FG_EVENT_QUEUE, C, 2, 4 },
		{ FG_EVENT_PIECE, P, 1, 5 }, /* numbered by themselves */
		{ FG_EVENT_PIECE, P, 2, 6 },
		{ FG_EVENT_QUEUE, P | C, 7, 6 },
		{ FG_EVENT_FREE, P | C, 7, 6 },
		{ FG_EVENT_FREE, R, 0, 6 },
		{ FG_EVENT_FREE, 0, 0, 5 },
		{ FG_EVENT_CONSUME, 0, 0, 5 }, /* only once */
		{ FG_EVENT_FREE, C, 1, 4 },
		{ FG_EVENT_CONSUME, C, 2, 3 },
		{ FG_EVENT_CONSUME, P, 1, 2 },
		{ FG_EVENT_FREE, P, 2, 1 },
		{ FG_EVENT_FREE, C, 3, 0 },
		{ FG_EVENT_FREE, C, 3, 0 }, /* never less than none */
		{ FG_EVENT_CONSUME, C, 4, 0 },
	};
	struct stage *s = *state;

	for (size_t i = 0; i < COUNT(steps); i++) {
		see(s, steps[i].kind, steps[i].flags, steps[i].branch);
		assert_int_equal(fg_collector_pending(s->collector), steps[i].left);
	}
	take(s, FG_EVENT_CONSUME, 1, GENERATION);
	assert_int_equal(fg_collector_pending(s->collector), 0);
	take(s, FG_EVENT_INJECT, 2, GENERATION);
	begin(s, GENERATION + 1);
	assert_int_equal(fg_collector_pending(s->collector), 0);
	/* Numbers begin anew too. */
	take(s, FG_EVENT_INJECT, 0, GENERATION + 1);
	assert_int_equal(fg_collector_pending(s->collector), 1);
}

static void the_first_of_each_counts(void **state)
{
	struct stage *s = *state;
	struct fg_event e = record(FG_EVENT_INJECT, 0, GENERATION);
	struct fg_event_reply reply = { .event = record(FG_EVENT_REPLY, 0, GENERATION) };
	struct fg_event_flow flow = { .event = record(FG_EVENT_FLOW, 0, GENERATION) };
	const struct fg_trace *t = &s->probes[0].trace;

	fg_collector_record(s->collector, &e, sizeof(e));
	e.time_ns = 5000;
	fg_collector_record(s->collector, &e, sizeof(e));
	assert_int_equal(t->injected_ns, 1000);
	assert_int_equal(t->list[0].time_ns, 0);
	assert_int_equal(t->list[1].time_ns, 4000);
	reply.event.flags = FG_EVENT_F_REPLY;
	for (uint32_t i = 1; i <= 2; i++) {
		reply.captured = i;
		fg_collector_record(s->collector, &reply, sizeof(reply));
		assert_true(t->answered);
		assert_int_equal(t->reply.captured, 1);
	}
	fg_collector_record(s->collector, &flow, sizeof(flow));
	take(s, FG_EVENT_QUEUE, 0, GENERATION);
	fg_collector_record(s->collector, &flow, sizeof(flow));
	assert_int_equal(t->count, 7);
	assert_int_equal(t->list[3].flow, -1);
	assert_int_equal(t->list[4].flow, 0);
	assert_int_equal(t->list[5].flow, -1);
	assert_int_equal(t->list[6].flow, 1);
	assert_int_equal(t->flow_count, 2);
	/* Each trace says which window it is of. */
	for (size_t i = 0; i < PROBES; i++)
		assert_int_equal(s->probes[i].trace.window, GENERATION);
}

/* A SYN to port 80, and what answers it, or does not. */
static const uint8_t syn[] = { 0, 0,  0, 0, 0,	0, 0, 0, 0,  0, 0,    0, 8,  0, 0x45, 0, 0,    40,
			       0, 1,  0, 0, 64, 6, 0, 0, 10, 9, 1,    2, 10, 9, 0,    9, 0x10, 0,
			       0, 80, 0, 0, 0,	9, 0, 0, 0,  0, 0x50, 2, 1,  0, 0,    0, 0,    0 };

static struct fg_event_reply reset(uint32_t number, uint16_t kind, uint8_t acked)
{
	const uint8_t bytes[] = { 0x45, 0, 0,  40,    0,    1,	  0, 0,	 64,   6, 0, 0, 10, 9,
				  0,	9, 10, 9,     1,    2,	  0, 80, 0x10, 0, 0, 0, 0,  0,
				  0,	0, 0,  acked, 0x50, 0x14, 0, 0,	 0,    0, 0, 0 };
	struct fg_event_reply r = { .event = record(kind, 0, GENERATION),
				    .captured = sizeof(bytes) };

	r.event.flags = FG_EVENT_F_REPLY;
	r.event.branch = number;
	memcpy(r.bytes, bytes, sizeof(bytes));
	return r;
}

/* What only looks like a reply leaves nothing but its number, wherever it ends. */
static void only_replies_are_followed(void **state)
{
	struct stage *s = *state;
	struct fg_trace *t = &s->probes[0].trace;
	struct fg_event freed = record(FG_EVENT_FREE, 0, GENERATION);
	struct fg_event_reply r = reset(0, FG_EVENT_HEARD, 77);
	uint8_t frame[sizeof(syn)];

	memcpy(frame, syn, sizeof(syn));
	s->probes[0].frame.data = frame;
	s->probes[0].frame.len = sizeof(frame);
	freed.flags = FG_EVENT_F_REPLY;
	freed.code = 70;
	fg_collector_record(s->collector, &r, sizeof(r));
	fg_collector_record(s->collector, &freed, sizeof(freed));
	assert_int_equal(t->count, 0);
	assert_int_equal(t->misfits, 1);
	assert_false(t->heard || t->mixed || t->answered);
	/* The next one is a reply: it is the one that is followed. */
	r = reset(1, FG_EVENT_HEARD, 10);
	fg_collector_record(s->collector, &r, sizeof(r));
	freed.branch = 1;
	fg_collector_record(s->collector, &freed, sizeof(freed));
	assert_int_equal(t->count, 1);
	assert_true(t->heard && !t->mixed);
	assert_int_equal(t->reply.event.branch, 1);
	/* One that comes back though it does not fit was known before, by its number; */
	r = reset(0, FG_EVENT_REPLY, 77);
	fg_collector_record(s->collector, &r, sizeof(r));
	assert_false(t->mixed || t->answered);
	/* or was not: then nothing tells whose events are whose. */
	r = reset(2, FG_EVENT_REPLY, 77);
	fg_collector_record(s->collector, &r, sizeof(r));
	assert_true(t->mixed);
	t->mixed = false;
	/* A number that stands for both. */
	r = reset(1, FG_EVENT_HEARD, 77);
	fg_collector_record(s->collector, &r, sizeof(r));
	assert_true(t->mixed);
	t->mixed = false;
	r = reset(64, FG_EVENT_HEARD, 10);
	fg_collector_record(s->collector, &r, sizeof(r));
	assert_true(t->mixed);
	assert_int_equal(fg_collector_strays(s->collector), 0);
	s->probes[0].frame = (struct fg_frame){};
}

/* Where a packet ended has a name, if only a number; other records hold no address there. */
static void ends_have_places(void **state)
{
	struct stage *s = *state;
	struct fg_symbols *symbols = fg_symbols_new(NULL);
	const struct fg_window window = { .probes = s->probes,
					  .contexts = s->contexts,
					  .count = 1,
					  .generation = GENERATION,
					  .symbols = symbols };

	assert_non_null(symbols);
	fg_collector_begin(s->collector, &window);
	see(s, FG_EVENT_QUEUE, 0, 0);
	see(s, FG_EVENT_FREE, 0, 0);
	see(s, FG_EVENT_CONSUME, 0, 0);
	see(s, FG_EVENT_SOCKET, 0, 0);
	assert_null(s->probes[0].trace.list[0].symbol);
	assert_non_null(s->probes[0].trace.list[1].symbol);
	assert_non_null(s->probes[0].trace.list[2].symbol);
	assert_null(s->probes[0].trace.list[3].symbol);
	/* A window of one: the number behind it is nobody's. */
	take(s, FG_EVENT_QUEUE, 1, GENERATION);
	assert_int_equal(fg_collector_strays(s->collector), 1);
	fg_symbols_free(symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_go_to_their_probes, stage_up, stage_down),
		cmocka_unit_test_setup_teardown(longer_records_are_read_whole, stage_up,
						stage_down),
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_counted, stage_up, stage_down),
		cmocka_unit_test_setup_teardown(what_comes_late_is_no_stray, stage_up, stage_down),
		cmocka_unit_test_setup_teardown(fragments_share_the_whole, stage_up, stage_down),
		cmocka_unit_test_setup_teardown(fragments_part_again, stage_up, stage_down),
		cmocka_unit_test_setup_teardown(fragments_that_are_seen_again_are_within_no_more,
						stage_up, stage_down),
		cmocka_unit_test_setup_teardown(noise, stage_up, stage_down),
		cmocka_unit_test_setup_teardown(ends_are_counted_once, stage_up, stage_down),
		cmocka_unit_test_setup_teardown(what_is_in_flight_is_counted, stage_up, stage_down),
		cmocka_unit_test_setup_teardown(the_first_of_each_counts, stage_up, stage_down),
		cmocka_unit_test_setup_teardown(ends_have_places, stage_up, stage_down),
		cmocka_unit_test_setup_teardown(only_replies_are_followed, stage_up, stage_down),
	};

	seed_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
