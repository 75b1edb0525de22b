// SPDX-License-Identifier: GPL-2.0-only
/* test_reply.c - answers: what kind they are, what they do to the outcome, and which endings are waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "judge.h"
#include "names.h"

#define POD_NS 1
#define HOST_NS 2

static const struct fg_ladder none = {};

static const char *reason_name(const void *names, uint32_t code)
{
	(void)names;
	return code == 3 ? "NO_SOCKET" : NULL;
}

static struct fg_scene scene_make(bool wants_reply)
{
	return (struct fg_scene){
		.ladder = &none,
		.method = FG_METHOD_HOST_INGRESS,
		.pod_netns = POD_NS,
		.host_netns = HOST_NS,
		.peer_ifindex = 2,
		.primary_ifindex = 3,
		.codes = { .consumed = 1, .not_specified = 2, .tc_egress = 70, .tc_ingress = 71 },
		.wants_reply = wants_reply,
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
	const struct fg_scene scene = scene_make(false);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct expected *want = &table[i];
		struct fg_probe probe;

		trace_make(&probe, want->refused);
		answer(&probe, want->bytes, want->len);
		fg_judge(&scene, &probe);
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
	const struct fg_scene scene = scene_make(false);
	struct fg_probe probe;
	char text[FG_ADDR_TEXT_LEN];

	(void)state;
	trace_make(&probe, false);
	answer(&probe, table[0].bytes, table[0].len);
	fg_judge(&scene, &probe);
	assert_string_equal(fg_addr_text(&probe.result.reply.from, text, sizeof(text)), "10.9.0.9");
	assert_int_equal(probe.result.reply.hops_left, 63);
	assert_int_equal(probe.result.reply.tcp_seq, 7);
	assert_int_equal(probe.result.reply.tcp_ack, 0x1001);
	fg_trace_free(&probe.trace);
	trace_make(&probe, false);
	answer(&probe, table[7].bytes, table[7].len);
	fg_judge(&scene, &probe);
	assert_int_equal(probe.result.reply.dns_rcode, 3);
	fg_trace_free(&probe.trace);
}

/* Without --reply nothing is waited for; with it, what was delivered is not over before the answer. */
static void test_endings(void **state)
{
	const struct fg_event socket = { .kind = FG_EVENT_SOCKET, .netns = 5, .ifindex = 2 };
	const struct fg_event denied = { .kind = FG_EVENT_FREE, .netns = HOST_NS, .code = 71 };
	const struct fg_event refused = { .kind = FG_EVENT_FREE, .netns = 5, .code = 3 };
	const struct fg_event reply = { .kind = FG_EVENT_REPLY, .flags = FG_EVENT_F_REPLY };
	struct fg_scene scene = scene_make(false);
	struct fg_probe probe;

	(void)state;
	trace_make(&probe, false);
	assert_int_equal(fg_judge_ending(&scene, &probe.trace, &socket), FG_ENDING_SOFT);
	assert_int_equal(fg_judge_ending(&scene, &probe.trace, &denied), FG_ENDING_FINAL);
	assert_int_equal(fg_judge_ending(&scene, &probe.trace, &refused), FG_ENDING_SOFT);
	scene = scene_make(true);
	assert_int_equal(fg_judge_ending(&scene, &probe.trace, &socket), FG_ENDING_NONE);
	assert_int_equal(fg_judge_ending(&scene, &probe.trace, &denied), FG_ENDING_FINAL);
	assert_int_equal(fg_judge_ending(&scene, &probe.trace, &reply), FG_ENDING_FINAL);
	fg_trace_free(&probe.trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_endings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
