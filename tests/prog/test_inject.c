// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_inject.c - the inject program: which frames it takes, what it makes of them, and what it
 * says and remembers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "base/count.h"
#include "host/capability.h"
#include "probe/wire.h"
#include "bpf/datapath.skel.h"
#include "prog.h"
#include "seed.h"

#define COOKIE 0xdeadbeef
#define SLOT 300
#define PROBE 70001
#define GENERATION 5
#define MARK 0xc001d00d
#define RING_BYTES 4096
#define SHOT 2
#define REDIRECT 7

static const struct fg_slot_target target = {
	.ifindex = 1,
	.method = FG_WIRE_HOST_INGRESS,
	.dmac = { 0x0a, 1, 2, 3, 4, 5 },
	.smac = { 0x0a, 6, 7, 8, 9, 10 },
};

struct bench {
	struct datapath_bpf *bpf;
	struct fg_config config;
};

static void set_target(struct bench *b, uint32_t slot, const struct fg_slot_target *t)
{
	assert_int_equal(bpf_map__update_elem(b->bpf->maps.targets, &slot, sizeof(slot), t,
					      sizeof(*t), 0),
			 0);
}

static int setup(void **state)
{
	static const char *const programs[] = { "fg_inject", NULL };
	static struct bench bench;

	bench = (struct bench){ .bpf = datapath_bpf__open(),
				.config = {
					.cookie = COOKIE, .generation = GENERATION, .active = 1 } };
	assert_non_null(bench.bpf);
	prog_only(bench.bpf->obj, programs);
	assert_int_equal(bpf_map__set_max_entries(bench.bpf->maps.events, RING_BYTES), 0);
	prog_load(bench.bpf->obj);
	prog_set(bench.bpf->obj, "config", &bench.config);
	set_target(&bench, SLOT, &target);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	datapath_bpf__destroy(b->bpf);
	return 0;
}

static int inject(const struct bench *b, const struct prog_frame *frame, struct prog_frame *out)
{
	return prog_run(bpf_program__fd(b->bpf->progs.fg_inject), frame, sizeof(*frame), out);
}

static void expect_counters(const struct bench *b, uint64_t injected, uint64_t bad_envelope)
{
	struct fg_counters c;

	prog_get(b->bpf->obj, "counters", &c);
	assert_int_equal(c.injected, injected);
	assert_int_equal(c.bad_envelope, bad_envelope);
	assert_int_equal(c.lost, 0);
	assert_int_equal(c.untracked, 0);
}

static void test_good_frame(void **state)
{
	const struct bench *b = *state;
	struct prog_frame frame = prog_frame_make(SLOT, PROBE, COOKIE), out;

	expect_counters(b, 0, 0);
	assert_int_equal(inject(b, &frame, &out), REDIRECT);
	expect_counters(b, 1, 0);
	/* The pod's addresses stand where the envelope was, and nothing else has changed. */
	assert_memory_equal((uint8_t *)&out, target.dmac, 6);
	assert_memory_equal((uint8_t *)&out + 6, target.smac, 6);
	assert_memory_equal(out.rest, frame.rest, sizeof(frame.rest));
}

static void test_event(void **state)
{
	const struct bench *b = *state;
	struct prog_frame frame = prog_frame_make(SLOT, PROBE, COOKIE);
	struct prog_events events;
	const struct fg_event *e = &events.list[0];

	inject(b, &frame, NULL);
	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 1);
	assert_int_equal(e->version, FG_EVENT_VERSION);
	assert_int_equal(e->kind, FG_EVENT_INJECT);
	assert_int_equal(e->flags, 0);
	assert_int_equal(e->probe, PROBE);
	assert_int_equal(e->generation, GENERATION);
	assert_true(e->time_ns > 0);
	/* A test run's packet is on the loopback device of the namespace. */
	assert_int_equal(e->ifindex, 1);
	assert_int_equal(e->netns, prog_netns());
	assert_int_equal(e->length, PROG_FRAME_LEN);
}

static void test_remembered(void **state)
{
	const struct bench *b = *state;
	struct prog_frame frame = prog_frame_make(SLOT, PROBE, COOKIE);
	struct fg_wire_flow flow = prog_frame_flow();
	struct prog_track t;
	uint64_t key, head;

	inject(b, &frame, NULL);
	assert_int_equal(bpf_map__value_size(b->bpf->maps.tracked), sizeof(t));
	assert_int_equal(bpf_map__get_next_key(b->bpf->maps.tracked, NULL, &key, sizeof(key)), 0);
	assert_int_equal(
		bpf_map__lookup_elem(b->bpf->maps.tracked, &key, sizeof(key), &t, sizeof(t), 0), 0);
	assert_int_equal(t.probe, PROBE);
	assert_int_equal(t.generation, GENERATION);
	assert_int_equal(t.start_ns, 0);
	assert_memory_equal(&t.flow, &flow, sizeof(flow));
	/* Both are addresses in the kernel's half, and a clone will be found by the second. */
	assert_true(key >> 63 && t.head >> 63);
	head = t.head;
	assert_int_equal(
		bpf_map__lookup_elem(b->bpf->maps.heads, &head, sizeof(head), &t, sizeof(t), 0), 0);
	assert_int_equal(t.probe, PROBE);
	assert_int_equal(prog_map_count(b->bpf->obj, "flows"), 0);
}

static void test_flow_remembered(void **state)
{
	struct bench *b = *state;
	struct prog_frame frame = prog_frame_make(SLOT, PROBE, COOKIE);
	struct fg_wire_flow flow = prog_frame_flow();
	struct prog_track t;

	b->config.match_flows = 1;
	prog_set(b->bpf->obj, "config", &b->config);
	inject(b, &frame, NULL);
	assert_int_equal(
		bpf_map__lookup_elem(b->bpf->maps.flows, &flow, sizeof(flow), &t, sizeof(t), 0), 0);
	assert_int_equal(t.probe, PROBE);
}

/* Each is dropped, counted, and leaves no event, no trace, and the frame as it was. */
static void expect_refused(const struct bench *b, struct prog_frame frame, uint64_t bad_so_far)
{
	struct prog_events events;
	struct prog_frame out;

	assert_int_equal(inject(b, &frame, &out), SHOT);
	assert_memory_equal(&out, &frame, sizeof(out));
	expect_counters(b, 0, bad_so_far);
	assert_int_equal(prog_map_count(b->bpf->obj, "tracked"), 0);
	assert_int_equal(prog_map_count(b->bpf->obj, "heads"), 0);
	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 0);
}

static void test_bad_envelope(void **state)
{
	const struct bench *b = *state;
	const struct prog_frame good = prog_frame_make(SLOT, PROBE, COOKIE);
	struct prog_frame bad[7];

	for (size_t i = 0; i < 7; i++)
		bad[i] = good;
	bad[0].envelope.magic[0] ^= 1;
	bad[1].envelope.magic[1] ^= 1;
	bad[2].envelope.cookie ^= 1;
	bad[3].envelope.cookie ^= 1U << 31;
	bad[4] = prog_frame_make(SLOT + 1, PROBE, COOKIE); /* an empty slot */
	bad[5] = prog_frame_make(4096, PROBE, COOKIE);	   /* behind the last one */
	bad[6] = prog_frame_make(65535, PROBE, COOKIE);
	for (size_t i = 0; i < 7; i++)
		expect_refused(b, bad[i], i + 1);
}

static void test_emptied_slot(void **state)
{
	struct bench *b = *state;
	struct fg_slot_target none = target;

	none.method = FG_WIRE_NONE;
	set_target(b, SLOT, &none);
	expect_refused(b, prog_frame_make(SLOT, PROBE, COOKIE), 1);
}

static void test_slots(void **state)
{
	struct bench *b = *state;
	struct fg_slot_target other = target;
	struct prog_frame out, frame;

	other.dmac[5] = 0xee;
	set_target(b, 0, &other);
	set_target(b, 4095, &other);
	for (int i = 0; i < 2; i++) {
		frame = prog_frame_make(i ? 4095 : 0, PROBE, COOKIE);
		assert_int_equal(inject(b, &frame, &out), REDIRECT);
		assert_int_equal(((uint8_t *)&out)[5], 0xee);
	}
	frame = prog_frame_make(SLOT, PROBE, COOKIE);
	inject(b, &frame, &out);
	assert_int_equal(((uint8_t *)&out)[5], target.dmac[5]);
}

/* An Ethernet header and nothing behind it is the shortest frame that the kernel lets through. */
static void test_short_frame(void **state)
{
	const struct bench *b = *state;
	struct prog_frame frame = prog_frame_make(SLOT, PROBE, COOKIE);
	uint8_t out[14];
	int fd = bpf_program__fd(b->bpf->progs.fg_inject);

	frame.rest[0] = 0x88; /* no IP: the local experimental Ethertype */
	frame.rest[1] = 0xb5;
	assert_int_equal(prog_run(fd, &frame, sizeof(out), out), REDIRECT);
	assert_memory_equal(out, target.dmac, 6);
	expect_counters(b, 1, 0);
	frame.envelope.cookie++;
	assert_int_equal(prog_run(fd, &frame, sizeof(out), NULL), SHOT);
	expect_counters(b, 1, 1);
}

/* The frame's own probe number, over the whole range. */
static void test_probe_numbers(void **state)
{
	static const uint32_t numbers[] = { 0, 1, 0x01020304, FG_PROBE_SILENT - 1 };
	const struct bench *b = *state;
	struct prog_events events;

	for (size_t i = 0; i < 4; i++) {
		struct prog_frame frame = prog_frame_make(SLOT, numbers[i], COOKIE);

		inject(b, &frame, NULL);
	}
	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(events.list[i].probe, numbers[i]);
}

/* flowgen's own clearing up goes out like any other, and nobody hears of it. */
static void test_silent_probe(void **state)
{
	const struct bench *b = *state;
	struct prog_frame frame = prog_frame_make(SLOT, FG_PROBE_SILENT, COOKIE), out;
	struct prog_events events;

	assert_int_equal(inject(b, &frame, &out), REDIRECT);
	assert_memory_equal((uint8_t *)&out, target.dmac, 6);
	expect_counters(b, 1, 0);
	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 0);
	assert_int_equal(prog_map_count(b->bpf->obj, "tracked"), 0);
}

/*
 * The helper's answer is the program's: redirected where the kernel knows the flag, dropped where
 * not.
 */
static void test_peer_egress(void **state)
{
	struct bench *b = *state;
	struct prog_frame frame = prog_frame_make(SLOT, PROBE, COOKIE);
	struct fg_slot_target peer = target;
	bool known = !fg_capability_feature_probe(FG_FEATURE_EGRESS_FLAG, NULL);

	peer.method = FG_WIRE_PEER_EGRESS;
	set_target(b, SLOT, &peer);
	assert_int_equal(inject(b, &frame, NULL), known ? REDIRECT : SHOT);
}

/* Runs it, and returns the mark that it left; *retval its return value. */
static uint32_t mark_after(const struct bench *b, const struct prog_frame *frame, int *retval)
{
	struct __sk_buff after = {};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(*frame),
		    .ctx_out = &after, .ctx_size_out = sizeof(after));

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(b->bpf->progs.fg_inject), &run), 0);
	*retval = (int)run.retval;
	return after.mark;
}

/* The first leg: going into the pod's device, marked, remembered, and not injected yet. */
static void test_bounce(void **state)
{
	struct bench *b = *state;
	struct prog_frame frame = prog_frame_make(SLOT, PROBE, COOKIE);
	struct fg_slot_target bounced = target;
	struct prog_events events;
	int retval;

	b->config.mark = MARK;
	prog_set(b->bpf->obj, "config", &b->config);
	assert_int_equal(mark_after(b, &frame, &retval), 0);
	bounced.method = FG_WIRE_BOUNCE;
	set_target(b, SLOT, &bounced);
	prog_events_read(b->bpf->obj, &events);
	prog_map_clear(b->bpf->obj, "tracked");
	assert_int_equal(mark_after(b, &frame, &retval), MARK);
	assert_int_equal(retval, REDIRECT);
	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 0);
	assert_int_equal(prog_map_count(b->bpf->obj, "tracked"), 1);
	expect_counters(b, 2, 0);
}

/* A packet that may be anything, more or less like IP. Returns its length. */
static size_t random_packet(uint8_t *packet, size_t room)
{
	static const uint8_t protocols[] = { 0, 1, 6, 17, 43, 44, 58, 60, 132, 200 };
	bool six = seed_below(2);

	seed_fill(packet, room);
	packet[0] = six ? 0x60 : 0x40 | (seed_below(3) ? 5 : (uint8_t)seed_below(16));
	packet[six ? 6 : 9] = protocols[seed_below(COUNT(protocols))];
	if (!six && seed_below(3))
		packet[6] = packet[7] = 0;
	for (size_t at = 40; six && at < 80; at += 8) {
		packet[at] = protocols[seed_below(COUNT(protocols))];
		packet[at + 1] = (uint8_t)seed_below(3);
	}
	return 20 + seed_below(room - 20);
}

/* What lib reads of a frame that it writes is what the programs read of it. */
static void test_flow_read_alike(void **state)
{
	const struct bench *b = *state;
	int fd = bpf_program__fd(b->bpf->progs.fg_inject);
	size_t compared = 0;

	seed_start();
	for (int i = 0; i < 3000; i++) {
		struct prog_frame head = prog_frame_make(SLOT, PROBE, COOKIE);
		uint8_t frame[14 + 180];
		size_t len = random_packet(frame + 14, sizeof(frame) - 14);
		struct fg_wire_flow flow;
		struct prog_track t;
		uint64_t key;

		memcpy(frame, &head, 14);
		if (frame[14] >> 4 == 6)
			frame[12] = 0x86, frame[13] = 0xdd;
		if (!fg_wire_read_flow(frame + 14, len, &flow))
			continue;
		prog_map_clear(b->bpf->obj, "tracked");
		assert_int_equal(prog_run(fd, frame, 14 + len, NULL), REDIRECT);
		assert_int_equal(
			bpf_map__get_next_key(b->bpf->maps.tracked, NULL, &key, sizeof(key)), 0);
		assert_int_equal(bpf_map__lookup_elem(b->bpf->maps.tracked, &key, sizeof(key), &t,
						      sizeof(t), 0),
				 0);
		assert_memory_equal(&t.flow, &flow, sizeof(flow));
		compared++;
	}
	assert_true(compared > 1000);
}

/* A full table of tracked packets: the packet is not sent where nobody would follow it. */
static void test_table_full(void **state)
{
	const struct bench *b = *state;
	struct prog_frame frame = prog_frame_make(SLOT, PROBE, COOKIE);
	uint32_t room = bpf_map__max_entries(b->bpf->maps.tracked);
	struct prog_track t = { .probe = 1 };
	struct prog_events events;
	struct fg_counters c;

	for (uint64_t key = 1; key <= room; key++)
		assert_int_equal(bpf_map__update_elem(b->bpf->maps.tracked, &key, sizeof(key), &t,
						      sizeof(t), 0),
				 0);
	assert_int_equal(inject(b, &frame, NULL), SHOT);
	prog_get(b->bpf->obj, "counters", &c);
	assert_int_equal(c.untracked, 1);
	assert_int_equal(c.injected, 0);
	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 0);
}

/* A full ring: the packet goes out, and what could not be reported is counted. */
static void test_ring_full(void **state)
{
	const struct bench *b = *state;
	struct prog_frame frame = prog_frame_make(SLOT, PROBE, COOKIE);
	/* Each record has a header of eight bytes. */
	unsigned int room = RING_BYTES / (sizeof(struct fg_event) + 8);
	struct prog_events events;
	struct fg_counters c;

	for (unsigned int i = 0; i < room + 9; i++)
		assert_int_equal(inject(b, &frame, NULL), REDIRECT);
	prog_get(b->bpf->obj, "counters", &c);
	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(c.injected, room + 9);
	assert_int_equal(c.lost + events.count, room + 9);
	assert_in_range(c.lost, 9, 10);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_good_frame),	 T(test_event),	       T(test_remembered),
		T(test_flow_remembered), T(test_bad_envelope), T(test_emptied_slot),
		T(test_slots),		 T(test_short_frame),  T(test_probe_numbers),
		T(test_silent_probe),	 T(test_peer_egress),  T(test_table_full),
		T(test_ring_full),	 T(test_bounce),       T(test_flow_read_alike),
	};

	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
