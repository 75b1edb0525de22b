// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_reply.c - the program that takes answers off at the pod's device: which packets are answers,
 * and what is reported.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "base/fd.h"
#include "bpf/datapath.skel.h"
#include "datapath/stop.h"
#include "net/netns.h"
#include "prog.h"

#define COOKIE 99
#define PROBE 31
#define GENERATION 8
#define NEXT (-1)
#define SHOT 2
#define REDIRECT 7
#define MARK 0xc001d00d
#define IP_LEN 28 /* of the frame's packet: what is behind it is padding */

struct bench {
	struct datapath_bpf *bpf;
	struct fg_config config;
};

/* From 10.9.0.9 to 10.9.1.2; the upper layer's bytes follow. */
struct answer {
	uint8_t eth[14];
	uint8_t ip[20];
	uint8_t rest[400];
};

static struct answer answer_make(uint8_t proto, const uint8_t *rest, size_t len)
{
	struct answer a = { .eth = { 10, 1, 1, 1, 1, 1, 10, 2, 2, 2, 2, 2, 0x08, 0x00 },
			    .ip = { 0x45, 0, 0,	 0, 0x77, 0x77, 0,  0, 63, proto,
				    0,	  0, 10, 9, 0,	  9,	10, 9, 1,  2 } };

	memcpy(a.rest, rest, len);
	return a;
}

static const uint8_t udp_answer[] = { 0, 53, 0x0f, 0xa0, 0, 8, 0, 0 };

static int setup_with(void **state, enum fg_replies replies)
{
	static const char *const programs[] = { "fg_inject", "fg_reply", NULL };
	const struct fg_slot_target target = { .ifindex = 1, .method = FG_WIRE_HOST_INGRESS };
	static struct bench b;
	uint32_t slot = 0;

	b = (struct bench){ .bpf = datapath_bpf__open(),
			    .config = { .cookie = COOKIE,
					.generation = GENERATION,
					.active = 1,
					.replies = replies } };
	assert_non_null(b.bpf);
	prog_only(b.bpf->obj, programs);
	prog_load(b.bpf->obj);
	prog_set(b.bpf->obj, "config", &b.config);
	assert_int_equal(bpf_map__update_elem(b.bpf->maps.targets, &slot, sizeof(slot), &target,
					      sizeof(target), 0),
			 0);
	*state = &b;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, FG_REPLIES_TAKE);
}

static int setup_off(void **state)
{
	return setup_with(state, FG_REPLIES_OFF);
}

static int teardown(void **state)
{
	struct bench *b = *state;

	datapath_bpf__destroy(b->bpf);
	return 0;
}

/* Sends a question, and forgets that this was reported. */
static void ask(const struct bench *b, const struct prog_frame *frame)
{
	struct prog_events events;

	prog_run(bpf_program__fd(b->bpf->progs.fg_inject), frame, sizeof(*frame), NULL);
	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 1);
}

static void ask_udp(const struct bench *b)
{
	struct prog_frame frame = prog_frame_make(0, PROBE, COOKIE);

	ask(b, &frame);
}

/* len: of the packet from its IP header on. */
static int answer(const struct bench *b, const struct answer *a, size_t len)
{
	return prog_run(bpf_program__fd(b->bpf->progs.fg_reply), a, sizeof(a->eth) + len, NULL);
}

static void expect_reported(const struct bench *b, const struct answer *a, size_t len)
{
	size_t captured = len < FG_REPLY_BYTES ? len : FG_REPLY_BYTES;
	struct prog_events events;
	const struct fg_event *e = &events.reply.event;

	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 1);
	assert_int_equal(e->version, FG_EVENT_VERSION);
	assert_int_equal(e->kind, FG_EVENT_REPLY);
	assert_true(e->flags & FG_EVENT_F_REPLY);
	assert_int_equal(e->probe, PROBE);
	assert_int_equal(e->generation, GENERATION);
	assert_int_equal(e->ifindex, 1);
	assert_int_equal(e->netns, prog_netns());
	assert_int_equal(e->length, len);
	assert_int_equal(events.reply.captured, captured);
	assert_memory_equal(events.reply.bytes, a->ip, captured);
}

static void expect_let_by(const struct bench *b, const struct answer *a)
{
	struct prog_events events;

	assert_int_equal(answer(b, a, IP_LEN), NEXT);
	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 0);
}

static void test_udp(void **state)
{
	const struct bench *b = *state;
	struct answer a = answer_make(17, udp_answer, sizeof(udp_answer));

	/* Before the question it is nobody's answer. */
	expect_let_by(b, &a);
	ask_udp(b);
	assert_int_equal(answer(b, &a, IP_LEN), SHOT);
	expect_reported(b, &a, IP_LEN);
	/* A long one is reported with its first bytes, and its true length. */
	memset(a.rest + 8, 0xab, sizeof(a.rest) - 8);
	assert_int_equal(answer(b, &a, 20 + sizeof(a.rest)), SHOT);
	expect_reported(b, &a, 20 + sizeof(a.rest));
}

static void test_others(void **state)
{
	const struct bench *b = *state;
	struct answer a = answer_make(17, udp_answer, sizeof(udp_answer)), other;

	ask_udp(b);
	other = a;
	other.rest[1]++; /* another port answers */
	expect_let_by(b, &other);
	other = a;
	other.rest[3]++; /* it is meant for another port of the pod */
	expect_let_by(b, &other);
	other = a;
	other.ip[15]++; /* another host answers */
	expect_let_by(b, &other);
	other = a;
	other.ip[9] = 6; /* another protocol */
	expect_let_by(b, &other);
	other = a;
	other.eth[12] = 0x08; /* ARP, whose bytes are no IP header */
	other.eth[13] = 0x06;
	other.ip[0] = 0;
	expect_let_by(b, &other);
}

/* What a router says of the question: an ICMP error that quotes its IP header and the ports. */
static void test_icmp_error(void **state)
{
	static const uint8_t errors[] = { 3, 11, 12 };
	const struct bench *b = *state;
	struct prog_frame frame = prog_frame_make(0, PROBE, COOKIE);
	uint8_t rest[8 + IP_LEN] = { 3, 1 };
	struct answer a;

	ask_udp(b);
	memcpy(rest + 8, frame.rest + 2, IP_LEN);
	for (size_t i = 0; i < sizeof(errors); i++) {
		rest[0] = errors[i];
		a = answer_make(1, rest, sizeof(rest));
		a.ip[15] = 200; /* the router's own address */
		assert_int_equal(answer(b, &a, 20 + sizeof(rest)), SHOT);
		expect_reported(b, &a, 20 + sizeof(rest));
	}
	/* One that quotes somebody else's packet is not for us. */
	a.rest[8 + 23]++;
	assert_int_equal(answer(b, &a, 20 + sizeof(rest)), NEXT);
}

static void test_echo(void **state)
{
	const struct bench *b = *state;
	struct prog_frame frame = prog_frame_make(0, PROBE, COOKIE);
	const uint8_t request[] = { 8, 0, 0, 0, 0x12, 0x34, 0, 1 };
	uint8_t reply[] = { 0, 0, 0, 0, 0x12, 0x34, 0, 1 };
	struct answer a;

	frame.rest[2 + 9] = 1;
	memcpy(frame.rest + 2 + 20, request, sizeof(request));
	ask(b, &frame);
	a = answer_make(1, reply, sizeof(reply));
	assert_int_equal(answer(b, &a, IP_LEN), SHOT);
	expect_reported(b, &a, IP_LEN);
	reply[5]++; /* the answer to somebody else's ping */
	a = answer_make(1, reply, sizeof(reply));
	expect_let_by(b, &a);
	/* The next one of the same identifier: each has its answer, in whatever order they come. */
	frame.envelope.probe = htonl(PROBE + 1);
	frame.rest[2 + 20 + 7]++;
	ask(b, &frame);
	reply[5]--;
	a = answer_make(1, reply, sizeof(reply));
	assert_int_equal(answer(b, &a, IP_LEN), SHOT);
	expect_reported(b, &a, IP_LEN);
	reply[7] = 3; /* a number that was not asked for */
	a = answer_make(1, reply, sizeof(reply));
	expect_let_by(b, &a);
}

static void test_earlier_window(void **state)
{
	struct bench *b = *state;
	struct answer a = answer_make(17, udp_answer, sizeof(udp_answer));

	ask_udp(b);
	b->config.generation++;
	prog_set(b->bpf->obj, "config", &b->config);
	expect_let_by(b, &a);
}

/* Switched off, nothing is remembered of the question, and no answer is touched. */
static void test_off(void **state)
{
	const struct bench *b = *state;
	struct answer a = answer_make(17, udp_answer, sizeof(udp_answer));

	ask_udp(b);
	assert_int_equal(prog_map_count(b->bpf->obj, "replies"), 0);
	expect_let_by(b, &a);
}

/* --- the second leg of the bounce --- */

/* Runs it on a packet with a mark; returns its return value, and the mark and type that it left. */
static int turn_round(const struct bench *b, struct __sk_buff *ctx)
{
	struct prog_frame frame = prog_frame_make(0, PROBE, COOKIE);
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = &frame, .data_size_in = sizeof(frame),
		    .ctx_in = ctx, .ctx_size_in = sizeof(*ctx), .ctx_out = ctx,
		    .ctx_size_out = sizeof(*ctx));

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(b->bpf->progs.fg_reply), &run), 0);
	return (int)run.retval;
}

static void test_bounced(void **state)
{
	struct bench *b = *state;
	struct __sk_buff ctx = { .mark = MARK };
	struct prog_events events;

	b->config.mark = MARK;
	prog_set(b->bpf->obj, "config", &b->config);
	assert_int_equal(turn_round(b, &ctx), REDIRECT);
	assert_int_equal(ctx.mark, 0);
	/* One that nobody follows is sent on in silence. */
	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 0);
}

/* Another run's packets, and those that others have marked: each bit counts. */
static void test_other_marks(void **state)
{
	struct bench *b = *state;
	struct __sk_buff ctx;

	b->config.mark = MARK;
	prog_set(b->bpf->obj, "config", &b->config);
	for (int bit = -1; bit < 32; bit++) {
		uint32_t mark = bit < 0 ? 0 : MARK ^ 1U << bit;

		ctx = (struct __sk_buff){ .mark = mark };
		assert_int_equal(turn_round(b, &ctx), NEXT);
		assert_int_equal(ctx.mark, mark);
	}
	/* Where no mark is set, an unmarked packet is none of ours. */
	b->config.mark = 0;
	prog_set(b->bpf->obj, "config", &b->config);
	ctx = (struct __sk_buff){ .mark = 0 };
	assert_int_equal(turn_round(b, &ctx), NEXT);
}

/* A descriptor of the link, such as one that lists all links gets. */
static int another_fd(int link)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	int fd;

	assert_int_equal(bpf_obj_get_info_by_fd(link, &info, &len), 0);
	fd = bpf_link_get_fd_by_id(info.id);
	assert_true(fd >= 0);
	return fd;
}

/* What is detached can be attached again, whoever else has the link open. */
static void test_detached(void **state)
{
	const struct bench *b = *state;
	int program = bpf_program__fd(b->bpf->progs.fg_reply), link;
	struct fg_error err;
	FG_FD int netns = fg_netns_create(&err);
	FG_FD int held = -1;

	if (netns < 0)
		prog_skip("%s", err.message);
	link = fg_stop_attach(netns, 1, FG_HOOK_TCX_INGRESS, program, &err);
	if (link < 0 && err.code == EOPNOTSUPP)
		prog_skip("this kernel has no tcx");
	assert_true(link >= 0);
	held = another_fd(link);
	fg_stop_detach(&link);
	assert_int_equal(link, -1);
	link = fg_stop_attach(netns, 1, FG_HOOK_TCX_INGRESS, program, &err);
	assert_true(link >= 0);
	fg_stop_detach(&link);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_udp),
		T(test_others),
		T(test_icmp_error),
		T(test_echo),
		T(test_earlier_window),
		T(test_bounced),
		T(test_other_marks),
		T(test_detached),
		cmocka_unit_test_setup_teardown(test_off, setup_off, teardown),
	};

	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
