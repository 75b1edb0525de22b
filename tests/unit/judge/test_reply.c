// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_reply.c - answers: what kind they are, what they do to the outcome, and which endings are
 * waited for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "judge/internal.h"
#include "probe/names.h"

#define POD_NS 1
#define HOST_NS 2

static const struct fg_ladder none = {};

static const char *reason_name(const void *names, uint32_t code)
{
	(void)names;
	return code == 3 ? "NO_SOCKET" : code == 4 ? "NETFILTER_DROP" : NULL;
}

static struct fg_context traces_make(bool wants_reply)
{
	return (struct fg_context){
		.ladder = &none,
		.method = FG_METHOD_HOST_INGRESS,
		.pod_netns = POD_NS,
		.host_netns = HOST_NS,
		.peer_ifindex = 2,
		.primary_ifindex = 3,
		.codes = { .consumed = 1, .not_specified = 2, .tc_egress = 70, .tc_ingress = 71 },
		.wants_reply = wants_reply,
		.netfilter_bridge_in = FG_PRESENCE_NO,
		.netfilter_bridge_out = FG_PRESENCE_NO,
		.netfilter_devices = FG_PRESENCE_NO,
		.netfilter_from = FG_PRESENCE_NO,
		.netfilter_to = FG_PRESENCE_NO,
		.netfilter_to_stack = FG_PRESENCE_NO,
		.reason = reason_name
	};
}

static void add(struct fg_trace *trace, uint16_t kind, uint32_t netns, uint32_t ifindex, int code)
{
	struct fg_event e = { .version = FG_EVENT_VERSION,
			      .kind = kind,
			      .time_ns = 1000 * (trace->count + 1),
			      .netns = netns,
			      .ifindex = ifindex,
			      .code = code };

	if (kind == FG_EVENT_INJECT)
		trace->injected_ns = e.time_ns;
	assert_non_null(fg_trace_add(trace, &e));
}

/* A packet that came as far as a socket that did not want it. */
static void trace_make(struct fg_probe *probe, bool refused)
{
	memset(probe, 0, sizeof(*probe));
	add(&probe->trace, FG_EVENT_INJECT, HOST_NS, 9, 0);
	add(&probe->trace, FG_EVENT_RECEIVE, HOST_NS, 3, 0);
	add(&probe->trace, FG_EVENT_QUEUE, HOST_NS, 4, 0);
	add(&probe->trace, FG_EVENT_RECEIVE, 5, 2, 0);
	if (refused)
		add(&probe->trace, FG_EVENT_FREE, 5, 2, 3);
	else
		add(&probe->trace, FG_EVENT_SOCKET, 5, 2, 0);
}

static void answer(struct fg_probe *probe, const uint8_t *bytes, uint32_t len)
{
	struct fg_event_reply *r = &probe->trace.reply;

	r->event = (struct fg_event){ .version = FG_EVENT_VERSION,
				      .kind = FG_EVENT_REPLY,
				      .flags = FG_EVENT_F_REPLY,
				      .time_ns = probe->trace.injected_ns + 5000,
				      .length = len };
	r->captured = len;
	memcpy(r->bytes, bytes, len);
	probe->trace.answered = true;
	assert_non_null(fg_trace_add(&probe->trace, &r->event));
}

/* It came back to the pod, where flowgen took it, as what answers it. */
static void trace_turned(struct fg_probe *probe, const uint8_t *bytes, uint32_t len)
{
	struct fg_observation *o;

	memset(probe, 0, sizeof(*probe));
	add(&probe->trace, FG_EVENT_INJECT, HOST_NS, 9, 0);
	add(&probe->trace, FG_EVENT_RECEIVE, HOST_NS, 3, 0);
	add(&probe->trace, FG_EVENT_QUEUE, HOST_NS, 3, 0);
	add(&probe->trace, FG_EVENT_RECEIVE, POD_NS, 2, 0);
	answer(probe, bytes, len);
	o = &probe->trace.list[probe->trace.count - 1];
	o->event.netns = POD_NS;
	o->event.ifindex = 2;
	add(&probe->trace, FG_EVENT_FREE, POD_NS, 2, 71);
}

/* 10.9.0.9 > 10.9.1.2, TTL 63 */
#define IP(proto, total) 0x45, 0, 0, total, 0, 1, 0x40, 0, 63, proto, 0, 0, 10, 9, 0, 9, 10, 9, 1, 2
#define TCP(flags)                                                                                 \
	0x1f, 0x90, 0xa0, 0x00, 0, 0, 0, 7, 0, 0, 0x10, 0x01, 0x50, flags, 0xfa, 0xf0, 0, 0, 0, 0

struct expected {
	const char *name;
	uint8_t bytes[96];
	uint32_t len;
	bool refused;
	const char *kind;
	enum fg_outcome outcome;
};

static const struct expected table[] = {
	{ "SYN-ACK", { IP(6, 40), TCP(0x12) }, 40, false, "syn-ack", FG_OUTCOME_REPLIED },
	{ "RST", { IP(6, 40), TCP(0x14) }, 40, true, "rst", FG_OUTCOME_REJECTED },
	{ "other segment", { IP(6, 40), TCP(0x10) }, 40, false, "tcp", FG_OUTCOME_REPLIED },
	{ "echo reply",
	  { IP(1, 28), 0, 0, 0, 0, 0, 1, 0, 1 },
	  28,
	  false,
	  "echo-reply",
	  FG_OUTCOME_REPLIED },
	{ "port unreachable",
	  { IP(1, 56), 3, 3, 0, 0, 0, 0, 0, 0, IP(17, 28), 0xa0, 0, 0, 53, 0, 8, 0, 0 },
	  56,
	  true,
	  "icmp-error",
	  FG_OUTCOME_REJECTED },
	{ "redirect to another router",
	  { IP(1, 56), 5, 1, 0, 0, 10, 9, 1, 3, IP(17, 28), 0xa0, 0, 0, 53, 0, 8, 0, 0 },
	  56,
	  false,
	  "icmp-error",
	  FG_OUTCOME_REPLIED },
	{ "a datagram",
	  { IP(17, 30), 0, 77, 0xa0, 0, 0, 10, 0, 0, 'h', 'i' },
	  30,
	  false,
	  "udp",
	  FG_OUTCOME_REPLIED },
	{ "a DNS answer that says no such name",
	  { IP(17, 40), 0, 53, 0xa0, 0, 0, 20, 0, 0, 0, 1, 0x81, 0x83, 0, 1, 0, 0, 0, 0, 0, 0 },
	  40,
	  false,
	  "dns",
	  FG_OUTCOME_REPLIED },
	{ "SCTP ABORT",
	  { IP(132, 36), 0, 80, 0xa0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 6, 0, 0, 4 },
	  36,
	  true,
	  "sctp-abort",
	  FG_OUTCOME_REJECTED },
	{ "cut off in its header", { 0x45, 0, 0, 40 }, 4, false, "other", FG_OUTCOME_REPLIED },
};

static void test_kinds(void **state)
{
	const struct fg_context context = traces_make(false);

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const struct expected *want = &table[i];
		struct fg_probe probe;

		trace_make(&probe, want->refused);
		answer(&probe, want->bytes, want->len);
		fg_judge(&context, &probe);
		if (strcmp(fg_reply_name(probe.result.reply.kind), want->kind) != 0 ||
		    probe.result.outcome != want->outcome)
			fail_msg("%s: %s, %s", want->name, fg_reply_name(probe.result.reply.kind),
				 fg_outcome_name(probe.result.outcome));
		assert_int_equal(probe.result.reply.rtt_ns, 5000);
		fg_trace_free(&probe.trace);
	}
}

static void test_details(void **state)
{
	const struct fg_context context = traces_make(false);
	struct fg_probe probe;
	char text[FG_ADDR_TEXT_LEN];

	(void)state;
	trace_make(&probe, false);
	answer(&probe, table[0].bytes, table[0].len);
	fg_judge(&context, &probe);
	assert_string_equal(fg_addr_text(&probe.result.reply.from, text, sizeof(text)), "10.9.0.9");
	assert_int_equal(probe.result.reply.hops_left, 63);
	assert_int_equal(probe.result.reply.tcp_seq, 7);
	assert_int_equal(probe.result.reply.tcp_ack, 0x1001);
	fg_trace_free(&probe.trace);
	trace_make(&probe, false);
	answer(&probe, table[7].bytes, table[7].len);
	fg_judge(&context, &probe);
	assert_int_equal(probe.result.reply.dns_rcode, 3);
	fg_trace_free(&probe.trace);
}

/*
 * Without --reply nothing is waited for; with it, what was delivered is not over before the answer.
 */
static void test_endings(void **state)
{
	const struct fg_event socket = { .kind = FG_EVENT_SOCKET, .netns = 5, .ifindex = 2 };
	const struct fg_event denied = { .kind = FG_EVENT_FREE, .netns = HOST_NS, .code = 71 };
	const struct fg_event refused = { .kind = FG_EVENT_FREE, .netns = 5, .code = 3 };
	const struct fg_event reply = { .kind = FG_EVENT_REPLY, .flags = FG_EVENT_F_REPLY };
	const struct fg_event lost = { .kind = FG_EVENT_LOST };
	struct fg_context context = traces_make(false);
	struct fg_probe probe;

	(void)state;
	trace_make(&probe, false);
	assert_int_equal(fg_judge_ending(&context, &probe.trace, &lost), FG_ENDING_FINAL);
	assert_int_equal(fg_judge_ending(&context, &probe.trace, &socket), FG_ENDING_SOFT);
	assert_int_equal(fg_judge_ending(&context, &probe.trace, &denied), FG_ENDING_FINAL);
	assert_int_equal(fg_judge_ending(&context, &probe.trace, &refused), FG_ENDING_SOFT);
	context = traces_make(true);
	/* Its memory was used again while the reply was waited for: that may still come. */
	assert_int_equal(fg_judge_ending(&context, &probe.trace, &lost), FG_ENDING_NONE);
	assert_int_equal(fg_judge_ending(&context, &probe.trace, &socket), FG_ENDING_NONE);
	assert_int_equal(fg_judge_ending(&context, &probe.trace, &denied), FG_ENDING_FINAL);
	assert_int_equal(fg_judge_ending(&context, &probe.trace, &reply), FG_ENDING_FINAL);
	fg_trace_free(&probe.trace);
}

/* A program that makes a refusal of the packet denies it; flowgen's own program there is nobody. */
static void test_turned(void **state)
{
	static const uint8_t rst[] = { IP(6, 40), TCP(0x14) },
			     pong[] = { IP(1, 28), 0, 0, 0, 0, 0, 1, 0, 1 };
	struct fg_program program = { .id = 7,
				      .hook = FG_HOOK_TCX_INGRESS,
				      .side = FG_SIDE_HOST,
				      .netns = HOST_NS,
				      .ifindex = 3 };
	const struct fg_ladder ladder = { .programs = &program, .count = 1 };
	struct fg_context context = traces_make(false);
	struct fg_step step;
	struct fg_probe probe;

	(void)state;
	context.ladder = &ladder;
	trace_turned(&probe, rst, sizeof(rst));
	probe.trace.list[1].event.id = probe.trace.list[2].event.id = 64;
	probe.result.steps = &step;
	fg_judge(&context, &probe);
	assert_int_equal(probe.result.outcome, FG_OUTCOME_REJECTED);
	assert_int_equal(probe.result.verdict, FG_VERDICT_DENIED);
	assert_int_equal(probe.result.denied_by, 0);
	assert_int_equal(probe.result.decider.stage, FG_STAGE_EGRESS);
	assert_false(probe.result.dropped);
	fg_trace_free(&probe.trace);

	trace_turned(&probe, pong, sizeof(pong));
	probe.trace.list[1].event.id = probe.trace.list[2].event.id = 64;
	probe.result.steps = &step;
	fg_judge(&context, &probe);
	assert_int_equal(probe.result.outcome, FG_OUTCOME_REPLIED);
	assert_int_equal(probe.result.verdict, FG_VERDICT_REDIRECTED);
	assert_int_equal(probe.result.redirected_by, 0);
	fg_trace_free(&probe.trace);

	/* There is no program that could have: nobody knows by whom it was. */
	context.ladder = &none;
	trace_turned(&probe, rst, sizeof(rst));
	probe.trace.list[1].event.id = probe.trace.list[2].event.id = 64;
	fg_judge(&context, &probe);
	assert_int_equal(probe.result.verdict, FG_VERDICT_UNKNOWN);
	assert_int_equal(probe.result.denied_by, -1);
	assert_non_null(strstr(probe.result.reason, "which program made that of it is not known"));
	fg_trace_free(&probe.trace);
}

/* --- the return path --- */

#define DST_NS 5 /* its device is number 2, and number 4 of the host is the other end */

struct back_event {
	uint16_t kind;
	uint32_t netns, ifindex;
	int code; /* the drop reason; of a program, what it returned */
	uint32_t hops, branch;
};

#define SENT                                                                                       \
	{                                                                                          \
		FG_EVENT_QUEUE, DST_NS, 2, 0, 64, 0                                                \
	}
#define HOST                                                                                       \
	{                                                                                          \
		FG_EVENT_RECEIVE, HOST_NS, 4, 0, 64, 0                                             \
	}
#define TO_POD                                                                                     \
	{                                                                                          \
		FG_EVENT_QUEUE, HOST_NS, 3, 0, 63, 0                                               \
	}
#define AT_POD                                                                                     \
	{                                                                                          \
		FG_EVENT_RECEIVE, POD_NS, 2, 0, 63, 0                                              \
	}
#define CAME                                                                                       \
	{                                                                                          \
		FG_EVENT_REPLY, POD_NS, 2, 0, 0, 0                                                 \
	}
#define FREED(netns, ifindex, code)                                                                \
	{                                                                                          \
		FG_EVENT_FREE, netns, ifindex, code, 0, 0                                          \
	}

/* Programs: one at the egress of the pod that replies, one at tc ingress behind it, one before the
 * pod that asked. */
enum { OUT = 1, IN = 2, BACK = 4 };

static const struct back_row {
	const char *name;
	int programs;
	bool elsewhere; /* the pod that replies is not known */
	struct back_event seen[10];
	uint8_t syn_ack; /* the answer is one; else a reset */
	enum fg_verdict verdict;
	const char *stages;
	enum fg_stage stage; /* of what ended it */
	enum fg_kind kind;
	int denied_by;
} back_rows[] = {
	{ "it came",
	  0,
	  false,
	  { SENT, HOST, TO_POD, AT_POD, CAME },
	  1,
	  FG_VERDICT_NONE,
	  "none none none",
	  0,
	  FG_KIND_NONE,
	  -1 },
	{ "programs let it pass",
	  OUT | IN | BACK,
	  false,
	  { SENT, HOST, TO_POD, AT_POD, CAME },
	  1,
	  FG_VERDICT_ALLOWED,
	  "allowed none allowed",
	  0,
	  FG_KIND_NONE,
	  -1 },
	{ "nothing was seen of it",
	  OUT,
	  false,
	  { { 0 } },
	  1,
	  FG_VERDICT_UNKNOWN,
	  "- - -",
	  0,
	  FG_KIND_NONE,
	  -1 },
	{ "only that it came",
	  OUT,
	  false,
	  { CAME },
	  1,
	  FG_VERDICT_UNKNOWN,
	  "- - -",
	  0,
	  FG_KIND_NONE,
	  -1 },
	{ "at the pod's own egress",
	  OUT,
	  false,
	  { FREED(DST_NS, 2, 70) },
	  1,
	  FG_VERDICT_DENIED,
	  "denied - -",
	  FG_STAGE_EGRESS,
	  FG_KIND_BPF,
	  0 },
	{ "there, and no program is known",
	  0,
	  false,
	  { FREED(DST_NS, 2, 70) },
	  1,
	  FG_VERDICT_DENIED,
	  "denied - -",
	  FG_STAGE_EGRESS,
	  FG_KIND_TC,
	  -1 },
	{ "behind it",
	  IN,
	  false,
	  { SENT, HOST, FREED(HOST_NS, 4, 71) },
	  1,
	  FG_VERDICT_DENIED,
	  "denied - -",
	  FG_STAGE_EGRESS,
	  FG_KIND_BPF,
	  0 },
	{ "a value that was seen",
	  IN,
	  false,
	  { SENT, HOST, { FG_EVENT_POLICY, HOST_NS, 4, 2, 7, 0 }, FREED(HOST_NS, 4, 71) },
	  1,
	  FG_VERDICT_DENIED,
	  "denied - -",
	  FG_STAGE_EGRESS,
	  FG_KIND_BPF,
	  0 },
	{ "netfilter",
	  0,
	  false,
	  { SENT, HOST, FREED(HOST_NS, 4, 4) },
	  1,
	  FG_VERDICT_DENIED,
	  "none denied -",
	  FG_STAGE_NODE,
	  FG_KIND_NETFILTER,
	  -1 },
	{ "netfilter in the pod",
	  0,
	  false,
	  { FREED(DST_NS, 0, 4) },
	  1,
	  FG_VERDICT_DENIED,
	  "denied - -",
	  FG_STAGE_EGRESS,
	  FG_KIND_NETFILTER,
	  -1 },
	{ "before the pod that asked",
	  BACK,
	  false,
	  { SENT, HOST, FREED(HOST_NS, 3, 70) },
	  1,
	  FG_VERDICT_DENIED,
	  "none none denied",
	  FG_STAGE_INGRESS,
	  FG_KIND_BPF,
	  0 },
	{ "the host's own refusal",
	  BACK,
	  false,
	  { TO_POD, AT_POD, CAME },
	  0,
	  FG_VERDICT_ALLOWED,
	  "- none allowed",
	  0,
	  FG_KIND_NONE,
	  -1 },
	{ "what the pod sent, and where is not known",
	  BACK,
	  false,
	  { TO_POD, AT_POD, CAME },
	  1,
	  FG_VERDICT_UNKNOWN,
	  "- unknown unknown",
	  0,
	  FG_KIND_NONE,
	  -1 },
	{ "of a pod that is not known",
	  0,
	  true,
	  { SENT, HOST, TO_POD, AT_POD, CAME },
	  1,
	  FG_VERDICT_UNKNOWN,
	  "- unknown unknown",
	  0,
	  FG_KIND_NONE,
	  -1 },
	{ "denied, whoever sent it",
	  BACK,
	  true,
	  { SENT, HOST, FREED(HOST_NS, 3, 70) },
	  1,
	  FG_VERDICT_DENIED,
	  "- none denied",
	  FG_STAGE_INGRESS,
	  FG_KIND_BPF,
	  0 },
	{ "from outside",
	  0,
	  true,
	  { { FG_EVENT_RECEIVE, HOST_NS, 9, 0, 50, 0 }, TO_POD, AT_POD, CAME },
	  1,
	  FG_VERDICT_NONE,
	  "- none none",
	  0,
	  FG_KIND_NONE,
	  -1 },
	{ "a second one says nothing of the first",
	  BACK,
	  false,
	  { SENT,
	    HOST,
	    TO_POD,
	    { FG_EVENT_QUEUE, DST_NS, 2, 0, 64, 1 },
	    { FG_EVENT_FREE, DST_NS, 2, 70, 0, 1 },
	    AT_POD,
	    CAME },
	  1,
	  FG_VERDICT_ALLOWED,
	  "none none allowed",
	  0,
	  FG_KIND_NONE,
	  -1 },
	{ "it came, and was seen again",
	  BACK,
	  false,
	  { SENT, HOST, TO_POD, AT_POD, CAME, HOST },
	  1,
	  FG_VERDICT_UNKNOWN,
	  "unknown unknown unknown",
	  0,
	  FG_KIND_NONE,
	  -1 },
};

static size_t back_ladder(int which, struct fg_program programs[3])
{
	static const struct fg_program all[] = {
		{ .id = 5,
		  .hook = FG_HOOK_TCX_EGRESS,
		  .side = FG_SIDE_POD,
		  .netns = DST_NS,
		  .ifindex = 2,
		  .stage = FG_STAGE_EGRESS },
		{ .id = 7,
		  .hook = FG_HOOK_TCX_INGRESS,
		  .side = FG_SIDE_HOST,
		  .netns = HOST_NS,
		  .ifindex = 4,
		  .stage = FG_STAGE_EGRESS },
		{ .id = 9,
		  .hook = FG_HOOK_TCX_EGRESS,
		  .side = FG_SIDE_HOST,
		  .netns = HOST_NS,
		  .ifindex = 3,
		  .stage = FG_STAGE_INGRESS },
	};
	size_t count = 0;

	for (int i = 0; i < 3; i++)
		if (which >> i & 1)
			programs[count++] = all[i];
	return count;
}

static void stages_text(const struct fg_result *way, char *text, size_t size)
{
	text[0] = '\0';
	for (int s = 0; s < FG_STAGES; s++) {
		size_t len = strlen(text);

		snprintf(text + len, size - len, "%s%s", s ? " " : "",
			 way->stages[s].reached ? fg_verdict_name(way->stages[s].verdict) : "-");
	}
}

static struct fg_context back_context(const struct fg_ladder *ladder)
{
	struct fg_context back = traces_make(false);

	back.ladder = ladder;
	back.of_reply = true;
	back.method = FG_METHOD_POD_SOCKET;
	back.pod_netns = DST_NS;
	back.peer_ifindex = 2;
	back.primary_ifindex = 4;
	back.far = (struct fg_far){ true, false, HOST_NS, 3, POD_NS, 2, false, false };
	back.netfilter = back.netfilter_out = FG_PRESENCE_NO;
	return back;
}

/* An event of the reply; the answer itself is a SYN-ACK, or else a reset. */
static void add_back(struct fg_probe *probe, const struct back_event *e, bool accepts)
{
	static const uint8_t rst[] = { IP(6, 40), TCP(0x14) }, syn_ack[] = { IP(6, 40), TCP(0x12) };
	struct fg_event *added;

	if (e->kind == FG_EVENT_REPLY)
		answer(probe, accepts ? syn_ack : rst, sizeof(rst));
	else
		add(&probe->trace, e->kind, e->netns, e->ifindex, e->code);
	added = &probe->trace.list[probe->trace.count - 1].event;
	added->netns = e->netns;
	added->ifindex = e->ifindex;
	added->flags = FG_EVENT_F_REPLY;
	added->id = e->hops;
	added->branch = e->branch;
	/* Until IP takes it from there, it is its socket's. */
	if (e->hops == 64)
		added->flags |= FG_EVENT_F_OWNED;
}

static void judge_back_row(const struct back_row *row)
{
	struct fg_program programs[3];
	struct fg_ladder ladder = { .programs = programs };
	const struct fg_context context = traces_make(true);
	struct fg_context back = back_context(&ladder);
	struct fg_step steps[3] = {};
	struct fg_result way = { .steps = steps };
	struct fg_probe probe;
	char stages[60];

	ladder.count = back_ladder(row->programs, programs);
	if (row->elsewhere)
		back.pod_netns = back.peer_ifindex = back.primary_ifindex = 0;
	trace_make(&probe, false);
	for (size_t i = 0; i < COUNT(row->seen) && row->seen[i].kind; i++)
		add_back(&probe, &row->seen[i], row->syn_ack);
	probe.trace.heard = true;
	probe.result.reply.way = &way;
	probe.result.reply.back = &back;
	fg_judge(&context, &probe);
	stages_text(&way, stages, sizeof(stages));
	if (way.verdict != row->verdict || strcmp(stages, row->stages) != 0 ||
	    way.decider.kind != row->kind || way.decider.stage != row->stage ||
	    way.denied_by != row->denied_by)
		fail_msg("%s: %s (%s), ended in %s by %s, program %d: %s", row->name,
			 fg_verdict_name(way.verdict), stages, fg_stage_name(way.decider.stage),
			 fg_kind_name(way.decider.kind), way.denied_by,
			 way.reason ? way.reason : "no reason");
	/* What is said of the packet itself does not depend on its reply's way. */
	assert_int_not_equal(probe.result.verdict, FG_VERDICT_DENIED);
	fg_trace_free(&probe.trace);
}

static void test_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(back_rows); i++)
		judge_back_row(&back_rows[i]);
}

/* What came as an answer and is none: nothing of it is in the result, but that it came. */
static void test_misfits(void **state)
{
	const struct fg_event reply = { .kind = FG_EVENT_REPLY, .flags = FG_EVENT_F_REPLY };
	static const struct back_event came[] = { SENT, HOST, TO_POD, AT_POD, CAME };
	struct fg_program programs[3];
	struct fg_ladder ladder = { .programs = programs };
	struct fg_context context = traces_make(true);
	struct fg_context back = back_context(&ladder);
	struct fg_step steps[3] = {};
	struct fg_result way = { .steps = steps };
	struct fg_probe probe;

	(void)state;
	context.netfilter = FG_PRESENCE_NO;
	ladder.count = back_ladder(BACK, programs);
	trace_make(&probe, false);
	probe.result.reply.way = &way;
	probe.result.reply.back = &back;
	assert_non_null(fg_trace_add(&probe.trace, &reply));
	probe.trace.misfits = 1;
	probe.trace.mixed = true;
	fg_judge(&context, &probe);
	assert_int_equal(probe.result.outcome, FG_OUTCOME_DELIVERED);
	assert_int_equal(probe.result.reply.kind, FG_REPLY_NONE);
	assert_int_equal(way.verdict, FG_VERDICT_UNKNOWN);
	assert_string_equal(probe.result.reason,
			    "an answer came whose numbers do not fit the packet: "
			    "it is not believed");
	/* The one that does came after it: which of them the programs saw is not known. */
	for (size_t i = 0; i < COUNT(came); i++)
		add_back(&probe, &came[i], true);
	fg_judge(&context, &probe);
	assert_int_equal(probe.result.outcome, FG_OUTCOME_REPLIED);
	assert_ptr_equal(probe.result.reply.way, &way);
	assert_int_equal(way.verdict, FG_VERDICT_UNKNOWN);
	assert_int_equal(way.denied_by, -1);
	assert_null(probe.result.reason);
	fg_trace_free(&probe.trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),	cmocka_unit_test(test_details),
		cmocka_unit_test(test_endings), cmocka_unit_test(test_turned),
		cmocka_unit_test(test_misfits), cmocka_unit_test(test_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
