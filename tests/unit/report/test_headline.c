// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole way in a report: the headline of each ending, the list of decisions, and each probe
 * shown by its own context. All JSON made here is held against the schema.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/count.h"
#include "judge/judge.h"
#include "facts/cause.h"
#include "probe/netfilter.h"
#include "facts/stated.h"
#include "report/report.h"
#include "traces.h"

/* clang-format off */
#define INJECT { FG_EVENT_INJECT, LXC2 }
#define QUEUE(where, hops) { FG_EVENT_QUEUE, where, 0, hops }
#define RECEIVE(where, hops) { FG_EVENT_RECEIVE, where, 0, hops }
#define POLICY(where, n, value) { FG_EVENT_POLICY, where, value, FIRST_ID + (n) - 1 }
#define FREE(where, reason, symbol) { FG_EVENT_FREE, where, reason, 0, symbol }
#define CONSUME(where, symbol) { FG_EVENT_CONSUME, where, 0, 0, symbol }
#define STOP(where) { FG_EVENT_STOP, where }
#define UP_TO_HOST INJECT, QUEUE(PEER, 64), RECEIVE(PRIMARY, 64)
#define IN_POD QUEUE(LXC2, 63), RECEIVE(POD2, 63), STOP(POD2), FREE(POD2, R_TC_INGRESS, NULL)
#define OUT QUEUE(HARDWARE, 63), { FG_EVENT_XMIT, HARDWARE }

#define INTERCEPTED "DELIVERED at eth0 (shop/db-0), intercepted before the pod's stack; "

static const struct trial {
	const char *ladder;
	const char *flags; /* f netfilter enforces, r its rule is known, p its policy */
	struct seen seen[SEEN_MAX];
	const char *headline;
} trials[] = {
	/* --- it got through --- */
	{ "", "", { UP_TO_HOST, IN_POD }, INTERCEPTED "nothing enforces here: it met no policy of any kind" },
	{ "", "f", { UP_TO_HOST, IN_POD }, INTERCEPTED "allowed: netfilter let it pass" },
	{ "I*T*", "", { UP_TO_HOST, POLICY(PRIMARY, 1, 0), POLICY(LXC2, 2, 0), IN_POD },
	  INTERCEPTED "allowed: 2 policy programs let it pass" },
	{ "I*", "f", { UP_TO_HOST, POLICY(PRIMARY, 1, 0), IN_POD },
	  INTERCEPTED "allowed: 1 policy program and netfilter let it pass" },
	{ "I*T*", "", { UP_TO_HOST, POLICY(PRIMARY, 1, -1), POLICY(LXC2, 2, -1), IN_POD },
	  INTERCEPTED "allowed: 2 programs ran, none decided" },
	{ "I*T*", "", { UP_TO_HOST, POLICY(PRIMARY, 1, -1), POLICY(LXC2, 2, 0), IN_POD },
	  INTERCEPTED "allowed: 1 policy program let it pass" },
	{ "I", "", { UP_TO_HOST, OUT }, "FORWARDED out of ens1 (host); allowed: 1 policy program let it pass" },
	{ "", "", { UP_TO_HOST, OUT }, "FORWARDED out of ens1 (host); nothing enforces here: it met no policy of any kind" },
	{ "I*", "", { UP_TO_HOST, POLICY(PRIMARY, 1, 7), STOP(POD2) },
	  INTERCEPTED "redirected by policy_1 (tcx/ingress on lxc1) to eth0 (shop/db-0)" },
	/* --- policy stopped it --- */
	{ "I*", "", { UP_TO_HOST, POLICY(PRIMARY, 1, 2), FREE(PRIMARY, R_TC_INGRESS, NULL) },
	  "DENIED by policy_1 (tcx/ingress on lxc1, egress of shop/cart-0)" },
	{ "I*T*", "", { UP_TO_HOST, POLICY(PRIMARY, 1, 0), POLICY(LXC2, 2, 2), FREE(LXC2, R_TC_EGRESS, NULL) },
	  "DENIED by policy_2 (tcx/egress on lxc2, ingress of shop/db-0)" },
	{ "TT", "", { UP_TO_HOST, FREE(LXC2, R_TC_EGRESS, NULL) },
	  "DENIED by a tc program or filter at lxc2 (host), ingress of shop/db-0: which one is not known; "
	  "candidates: policy_1, policy_2" },
	{ "I*B*", "", { UP_TO_HOST, POLICY(PRIMARY, 1, 0), POLICY(BRIDGE, 2, 2), FREE(BRIDGE, R_TC_EGRESS, NULL) },
	  "DENIED by policy_2 (tcx/egress on br0, node)" },
	{ "", "", { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2") },
	  "DENIED by netfilter at lxc1 (host): NETFILTER_DROP" },
	{ "I*", "r", { UP_TO_HOST, POLICY(PRIMARY, 1, 0), FREE(PRIMARY, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2") },
	  "DENIED by netfilter (table inet filter, chain forward, rule handle 7 (no telnet)) at lxc1 (host)" },
	{ "", "rp", { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, "nf_hook_slow+0x1/0x2") },
	  "DENIED by netfilter (table inet filter, chain forward, its policy) at lxc1 (host)" },
	{ "I", "", { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, "nfqnl_reinject+0x1/0x2") },
	  "DENIED by user space (netfilter queue) at lxc1 (host): NETFILTER_DROP" },
	{ "I", "", { UP_TO_HOST, RECEIVE(BRIDGE, 64), FREE(BRIDGE, R_OVS_EXPLICIT, "do_execute_actions+0x1/0x2") },
	  "DENIED by Open vSwitch at br0 (host): OVS_DROP_EXPLICIT" },
	/* --- it died, and no policy did it --- */
	{ "I", "", { UP_TO_HOST, FREE(PRIMARY, R_IP_INNOROUTES, "ip_error+0x1/0x2") },
	  "DROPPED by route at lxc1 (host): IP_INNOROUTES; no policy denied it" },
	{ "", "", { UP_TO_HOST, FREE(PRIMARY, R_IP_INNOROUTES, "ip_error+0x1/0x2") },
	  "DROPPED by route at lxc1 (host): IP_INNOROUTES; no policy denied it" },
	{ "I", "", { UP_TO_HOST, FREE(LXC2, R_NEIGH_FAILED, "neigh_invalidate+0x1/0x2") },
	  "DROPPED by neighbour at lxc2 (host): NEIGH_FAILED; no policy denied it" },
	{ "I", "", { UP_TO_HOST, QUEUE(LXC2, 63), FREE(LXC2, R_QDISC_DROP, "__dev_queue_xmit+0x1/0x2") },
	  "DROPPED by qdisc at lxc2 (host): QDISC_DROP; no policy denied it" },
	{ "I", "", { UP_TO_HOST, QUEUE(LXC2, 63), RECEIVE(POD2, 63), FREE(POD2, R_NO_SOCKET, "__udp4_lib_rcv+0x1/0x2") },
	  "DROPPED by socket at eth0 (shop/db-0): NO_SOCKET; no policy denied it" },
	/* --- nobody knows --- */
	{ "", "", { UP_TO_HOST }, "INCONCLUSIVE: its end was not seen in time" },
};
/* clang-format on */

static uint8_t udp_frame[] = {
	0x02, 0xf6, 0,	  0,	0,    0,    0x02, 0,  0, 0, 0,	 1,   0x08, 0x00, 0x45, 0,
	0,    32,   0x12, 0x34, 0x40, 0,    64,	  17, 0, 0, 10,	 9,   0,    2,	  10,	9,
	0,    9,    0x9c, 0x40, 0x27, 0x0f, 0,	  12, 0, 0, 'f', 'l', 'o',  'w',
};

static const struct fg_source_pod cart = { .ref = "netns:cart",
					   .name = "shop/cart-0",
					   .netns = NS_POD,
					   .device = { "veth", NULL, "eth0", 2, "lxc1", 10 } };

static FILE *lines, *summaries;

static struct fg_netfilter rule = { .netns = NS_HOST,
				    .family = NFPROTO_INET,
				    .table = "filter",
				    .chain = "forward",
				    .handle = 7,
				    .comment = "no telnet" };

static void see_all(struct fg_probe *probe, const struct seen *seen)
{
	*probe = (struct fg_probe){ 0 };
	probe->spec.id = 1;
	probe->frame = (struct fg_frame){ .data = udp_frame,
					  .len = sizeof(udp_frame),
					  .count = 1,
					  .part_len = sizeof(udp_frame) };
	for (; seen->kind; seen++)
		traces_see(&probe->trace, seen);
}

static struct fg_report *report_of(const struct fg_context *context)
{
	struct fg_error err = { 0 };
	const struct fg_report_options options = { 0 };
	struct fg_report *report = fg_report_open(&cart, context, &options, &err);

	assert_non_null(report);
	return report;
}

/* Keeps the line for the schema. */
static json_t *json_of(const struct fg_report *report, const struct fg_probe *probe)
{
	struct fg_buffer out = { 0 };
	struct fg_error err = { 0 };
	json_t *v;

	assert_int_equal(fg_report_json(report, probe, &out, &err), 0);
	fwrite(out.data, 1, out.len, lines);
	v = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(v);
	fg_buffer_free(&out);
	return v;
}

/* The first sentence of the text, in one line. */
static void headline_of(const struct fg_report *report, const struct fg_probe *probe, char *text,
			size_t size)
{
	struct fg_buffer out = { 0 };
	struct fg_error err = { 0 };
	size_t n = 0;

	assert_int_equal(fg_report_text(report, probe, &out, &err), 0);
	for (size_t i = 0; i + 2 < out.len && n + 1 < size; i++) {
		if (out.data[i] == '\n' && out.data[i + 1] == '\n')
			break;
		if (out.data[i] == '\n') {
			text[n++] = ' ';
			i += 2;
		} else {
			text[n++] = out.data[i];
		}
	}
	text[n] = '\0';
	fg_buffer_free(&out);
}

static void test_headlines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(trials); i++) {
		const struct trial *t = &trials[i];
		struct fg_ladder ladder;
		struct fg_context context;
		struct fg_probe probe;
		struct fg_report *report;
		char text[3000];

		traces_ladder(&ladder, t->ladder);
		context = traces_make(&ladder, FG_METHOD_PEER_EGRESS);
		context.netfilter = strchr(t->flags, 'f') ? FG_PRESENCE_YES : FG_PRESENCE_NO;
		see_all(&probe, t->seen);
		traces_judge(&context, &probe);
		rule.policy = strchr(t->flags, 'p') != NULL;
		if (strchr(t->flags, 'r'))
			probe.result.netfilter = &rule;
		report = report_of(&context);
		headline_of(report, &probe, text, sizeof(text));
		if (strcmp(text, t->headline) != 0)
			fail_msg("trial %zu:\n%s\ninstead of\n%s", i, text, t->headline);
		json_decref(json_of(report, &probe));
		fg_report_close(report);
		fg_trace_free(&probe.trace);
		fg_ladder_free(&ladder);
	}
}

/* An answer in the place of an ending. */
static void test_answers(void **state)
{
	struct fg_ladder ladder;
	struct fg_context context, back;
	struct fg_step step = { .ran = FG_RAN_YES };
	struct fg_result way = { .steps = &step, .filter_by = -1, .redirected_by = -1 };
	struct fg_probe probe;
	struct fg_report *report;
	const struct seen seen[] = { UP_TO_HOST,
				     QUEUE(LXC2, 63),
				     RECEIVE(POD2, 63),
				     FREE(POD2, R_NO_SOCKET, "tcp_v4_rcv+0x1/0x2"),
				     { 0 } };
	char text[3000];

	(void)state;
	traces_ladder(&ladder, "I");
	context = traces_make(&ladder, FG_METHOD_PEER_EGRESS);
	see_all(&probe, seen);
	traces_judge(&context, &probe);
	report = report_of(&context);
	probe.result.reply.from = (struct fg_addr){ AF_INET, { 10, 9, 0, 9 } };
	probe.result.reply.kind = FG_REPLY_RST;
	probe.result.outcome = FG_OUTCOME_REJECTED;
	headline_of(report, &probe, text, sizeof(text));
	assert_string_equal(text, "REJECTED by socket at eth0 (shop/db-0): NO_SOCKET, rst from "
				  "10.9.0.9; no policy denied it");
	json_decref(json_of(report, &probe));
	probe.result.decider = (struct fg_decider){ 0 };
	probe.result.reply.kind = FG_REPLY_ICMP_ERROR;
	probe.result.reply.icmp_type = 3;
	probe.result.reply.icmp_code = 1;
	headline_of(report, &probe, text, sizeof(text));
	assert_string_equal(
		text, "REJECTED: icmp-error type 3 code 1 from 10.9.0.9; no policy denied it");
	probe.result.reply.kind = FG_REPLY_SYN_ACK;
	probe.result.outcome = FG_OUTCOME_REPLIED;
	headline_of(report, &probe, text, sizeof(text));
	assert_string_equal(text, "REPLIED: syn-ack from 10.9.0.9; allowed: 1 policy program let "
				  "it pass");
	way.verdict = FG_VERDICT_DENIED;
	way.denied_by = 0;
	way.decider = (struct fg_decider){ .kind = FG_KIND_BPF, .stage = FG_STAGE_EGRESS };
	back = context;
	back.of_reply = true;
	probe.result.reply.way = &way;
	probe.result.reply.back = &back;
	headline_of(report, &probe, text, sizeof(text));
	assert_non_null(strstr(text,
			       "; its reply was denied on the return path by policy_1 (tcx/ingress "
			       "on lxc1, egress"));
	fg_report_close(report);
	fg_trace_free(&probe.trace);
	fg_ladder_free(&ladder);
}

/* "stage kind name met decided" of each, a line each. */
static void decisions_text(const json_t *v, char *text, size_t size)
{
	size_t i, len = 0;
	json_t *d;

	text[0] = '\0';
	json_array_foreach (json_object_get(v, "decisions"), i, d) {
		const json_t *met = json_object_get(d, "met");
		const char *name = json_string_value(json_object_get(d, "name"));
		const char *decided = json_string_value(json_object_get(d, "decided"));

		len += (size_t)snprintf(text + len, size - len, "%s %s %s %s %s\n",
					json_string_value(json_object_get(d, "stage")),
					json_string_value(json_object_get(d, "kind")),
					name ? name : "-",
					json_is_null(met)   ? "?"
					: json_is_true(met) ? "met"
							    : "not",
					decided ? decided : "-");
	}
}

static struct fg_program u32_filter(enum where where, enum fg_stage stage)
{
	struct fg_program f = { .stage = stage,
				.hook = FG_HOOK_TC_INGRESS,
				.side = stage == FG_STAGE_INGRESS ? FG_SIDE_POD : FG_SIDE_HOST,
				.kind = FG_RUNG_FILTER,
				.netns = trace_devices[where].netns,
				.ifindex = trace_devices[where].ifindex,
				.pref = 10,
				.handle = 0x80000800,
				.action = FG_TC_DROP };

	snprintf(f.device, sizeof(f.device), "%s", trace_devices[where].name);
	snprintf(f.what, sizeof(f.what), "u32");
	return f;
}

static void judged_json(const char *letters, const struct fg_program *filters, size_t count,
			enum fg_presence netfilter, const struct seen *seen, char *text,
			size_t size, char *ladder_text)
{
	struct fg_buffer out = { 0 };
	struct fg_error err = { 0 };
	struct fg_ladder ladder;
	struct fg_context context;
	struct fg_probe probe;
	struct fg_report *report;
	const char *at;
	json_t *v;

	traces_ladder(&ladder, letters);
	ladder.filters = calloc(count + 1, sizeof(*filters));
	assert_non_null(ladder.filters);
	memcpy(ladder.filters, filters, count * sizeof(*filters));
	ladder.filter_count = count;
	context = traces_make(&ladder, FG_METHOD_PEER_EGRESS);
	context.netfilter = netfilter;
	see_all(&probe, seen);
	traces_judge(&context, &probe);
	report = report_of(&context);
	v = json_of(report, &probe);
	decisions_text(v, text, size);
	json_decref(v);
	assert_int_equal(fg_report_text(report, &probe, &out, &err), 0);
	fg_buffer_put(&out, "", 1);
	at = strstr(out.data, "\nladder");
	assert_non_null(at);
	snprintf(ladder_text, 3000, "%.*s", (int)(strstr(at, "\n\npath") - at), at + 1);
	fg_buffer_free(&out);
	fg_report_close(report);
	fg_trace_free(&probe.trace);
	fg_ladder_free(&ladder);
}

static void test_decisions(void **state)
{
	const struct fg_program filters[] = { u32_filter(PRIMARY, FG_STAGE_EGRESS),
					      u32_filter(POD2, FG_STAGE_INGRESS) };
	const struct seen denied[] = {
		UP_TO_HOST,	    POLICY(PRIMARY, 1, -1),	   POLICY(PRIMARY, 2, 0),
		POLICY(LXC2, 3, 2), FREE(LXC2, R_TC_EGRESS, NULL), { 0 }
	};
	const struct seen delivered[] = { UP_TO_HOST,
					  POLICY(PRIMARY, 1, -1),
					  POLICY(PRIMARY, 2, 0),
					  POLICY(LXC2, 3, 0),
					  IN_POD,
					  { 0 } };
	const struct seen lost[] = { UP_TO_HOST,
				     POLICY(PRIMARY, 1, 0),
				     FREE(PRIMARY, R_IP_INNOROUTES, "ip_error+0x1/0x2"),
				     { 0 } };
	const struct seen filtered[] = {
		UP_TO_HOST, POLICY(PRIMARY, 1, 0), FREE(PRIMARY, R_NETFILTER_DROP, NULL), { 0 }
	};
	char text[2000], ladder[3000];

	(void)state;
	judged_json("I*I*T*P", filters, 2, FG_PRESENCE_YES, denied, text, sizeof(text), ladder);
	assert_string_equal(text, "egress tc-filter - ? -\n"
				  "egress bpf policy_1 met next\n"
				  "egress bpf policy_2 met passed\n"
				  "node netfilter - met passed\n"
				  "ingress bpf policy_3 met denied\n"
				  "ingress bpf policy_4 not -\n"
				  "ingress tc-filter - ? -\n");
	judged_json("I*I*T*P", filters, 2, FG_PRESENCE_YES, delivered, text, sizeof(text), ladder);
	assert_string_equal(
		ladder, "ladder, in the order the packet meets it\n"
			"  egress of shop/cart-0: allowed\n"
			"    ?    tc/ingress on lxc1 (host): u32 pref 10 handle 800::800, drop\n"
			"         not known whether it was met\n"
			"    +  1 tcx/ingress on lxc1 (host): policy_1, id 101\n"
			"         did not decide: TCX_NEXT (-1)        310 ns  by fexit\n"
			"    +  2 tcx/ingress on lxc1 (host): policy_2, id 102\n"
			"         passed: TCX_PASS (0)                 310 ns  by fexit\n"
			"  node: allowed\n"
			"    +    netfilter\n"
			"         passed\n"
			"  ingress of shop/db-0: allowed\n"
			"    +  3 tcx/egress on lxc2 (host): policy_3, id 103\n"
			"         passed: TCX_PASS (0)                 310 ns  by fexit\n"
			"    -  4 tcx/ingress on eth0 (pod): policy_4, id 104\n"
			"         not met: intercepted before it\n"
			"    -    tc/ingress on eth0 (pod): u32 pref 10 handle 800::800, drop\n"
			"         not met: intercepted before it\n");
	judged_json("I*T*", NULL, 0, FG_PRESENCE_YES, lost, text, sizeof(text), ladder);
	assert_string_equal(text, "egress bpf policy_1 met passed\n"
				  "node route - met dropped\n"
				  "node netfilter - ? -\n"
				  "ingress bpf policy_2 not -\n");
	judged_json("I*T*", NULL, 0, FG_PRESENCE_YES, filtered, text, sizeof(text), ladder);
	assert_string_equal(text, "egress bpf policy_1 met passed\n"
				  "node netfilter - met denied\n"
				  "ingress bpf policy_2 not -\n");
	assert_non_null(strstr(ladder, "    x    netfilter at lxc1\n"
				       "         DENIED: NETFILTER_DROP\n"
				       "  ingress of shop/db-0: not reached\n"
				       "    -  2 tcx/egress on lxc2 (host): policy_2, id 102\n"
				       "         not met"));
}

/* What others have found out is shown beside it. */
static void test_why(void **state)
{
	static const struct seen denied[] = { UP_TO_HOST,
					      POLICY(PRIMARY, 1, -1),
					      POLICY(PRIMARY, 2, 2),
					      FREE(PRIMARY, R_TC_INGRESS, NULL),
					      { 0 } };
	static const struct seen lost[] = {
		UP_TO_HOST, POLICY(PRIMARY, 1, -1), FREE(PRIMARY, R_IP_INNOROUTES, NULL), { 0 }
	};
	static struct fg_stated stated = {
		.who = "Cilium",
		.says = FG_STATED_DENIED,
		.reason = "policy denied",
		.has_code = true,
		.code = 133,
		.has_identities = true,
		.source = 1001,
		.destination = 1002,
		.counters = { { { 7, "cilium_metrics" },
				{ "reason 133", { { "reason", 133 } }, 1 },
				"count",
				0,
				false,
				4,
				5 } },
		.counter_count = 1
	};
	struct fg_cause cause = { 0 };
	struct fg_buffer out = { 0 };
	struct fg_error err = { 0 };
	struct fg_ladder ladder;
	struct fg_context context;
	struct fg_probe probe;
	struct fg_report *report;
	json_t *v;

	(void)state;
	traces_ladder(&ladder, "I*I*");
	context = traces_make(&ladder, FG_METHOD_PEER_EGRESS);
	report = report_of(&context);
	see_all(&probe, denied);
	traces_judge(&context, &probe);
	probe.result.stated = &stated;
	probe.result.attempts = 2;
	assert_int_equal(fg_report_text(report, &probe, &out, &err), 0);
	fg_buffer_put(&out, "", 1);
	assert_non_null(strstr(out.data,
			       "DENIED: TCX_DROP (2)                 310 ns  by fexit\n"
			       "         Cilium: policy denied (133), identity 1001 -> 1002\n"));
	assert_non_null(strstr(out.data, "attempts 2 packets were sent to find this out\n"));
	v = json_of(report, &probe);
	assert_int_equal(json_integer_value(json_object_get(v, "attempts")), 2);
	json_decref(v);
	fg_trace_free(&probe.trace);

	see_all(&probe, lost);
	traces_judge(&context, &probe);
	fg_cause_set(&cause, FG_CAUSE_ROUTE, "prohibit", "prohibit 10.9.0.0/24 in table 100");
	probe.result.cause = &cause;
	out.len = 0;
	assert_int_equal(fg_report_text(report, &probe, &out, &err), 0);
	fg_buffer_put(&out, "", 1);
	assert_non_null(strstr(out.data, "\ncause    prohibit 10.9.0.0/24 in table 100\n"));
	assert_non_null(strstr(out.data, "\nhint     "));
	v = json_of(report, &probe);
	assert_true(json_is_string(json_object_get(v, "hint")));
	assert_string_equal(json_string_value(json_object_get(json_object_get(v, "cause"), "how")),
			    "prohibit");
	json_decref(v);
	fg_trace_free(&probe.trace);
	fg_buffer_free(&out);
	fg_report_close(report);
	fg_ladder_free(&ladder);
}

/* Probes of one report go to different destinations, whose ladders differ. */
static void test_contexts(void **state)
{
	struct fg_ladder ladders[6];
	struct fg_context contexts[6];
	const struct seen seen[] = { UP_TO_HOST, IN_POD, { 0 } };
	struct fg_error err = { 0 };
	struct fg_summary *summary;
	struct fg_report *report;
	struct fg_probe probe;

	(void)state;
	for (size_t i = 0; i < COUNT(ladders); i++) {
		traces_ladder(&ladders[i], i % 2 ? "IT" : "I");
		contexts[i] = traces_make(&ladders[i], FG_METHOD_PEER_EGRESS);
		snprintf(ladders[i].programs[0].name, sizeof(ladders[i].programs[0].name),
			 "first_%zu", i);
	}
	report = report_of(&contexts[0]);
	summary = fg_summary_open(report, &err);
	assert_non_null(summary);
	for (size_t i = 0; i < 4 * COUNT(ladders); i++) {
		const struct fg_context *context = &contexts[i % COUNT(ladders)];
		const json_t *programs;
		char name[20];
		json_t *v;

		/* A ladder that is read again is another one. */
		snprintf(name, sizeof(name), "%s_%zu", i < 12 ? "first" : "again", i % 6);
		snprintf(context->ladder->programs[0].name, 64, "%s", name);
		see_all(&probe, seen);
		traces_judge(context, &probe);
		probe.context = context;
		v = json_of(report, &probe);
		programs = json_object_get(json_object_get(v, "policy"), "programs");
		assert_int_equal(json_array_size(programs), context->ladder->count);
		assert_string_equal(
			json_string_value(json_object_get(json_array_get(programs, 0), "name")),
			name);
		json_decref(v);
		assert_int_equal(fg_summary_add(summary, &probe, &err), 0);
		fg_trace_free(&probe.trace);
	}
	fg_summary_close(summary);
	fg_report_close(report);
	for (size_t i = 0; i < COUNT(ladders); i++)
		fg_ladder_free(&ladders[i]);
}

static void add_to(struct fg_summary *summary, const struct fg_context *context,
		   const struct seen *seen, bool traced)
{
	struct fg_error err = { 0 };
	struct fg_probe probe;

	see_all(&probe, seen);
	traces_judge(context, &probe);
	if (traced)
		probe.result.netfilter = &rule;
	assert_int_equal(fg_summary_add(summary, &probe, &err), 0);
	fg_trace_free(&probe.trace);
}

static void test_summary(void **state)
{
	static const struct fg_summary_run run = { .duration_ns = 1000000 };
	const struct seen denied[] = {
		UP_TO_HOST, POLICY(LXC2, 2, 2), FREE(LXC2, R_TC_EGRESS, NULL), { 0 }
	};
	const struct seen filtered[] = { UP_TO_HOST, FREE(PRIMARY, R_NETFILTER_DROP, NULL), { 0 } };
	const struct seen lost[] = { UP_TO_HOST, FREE(PRIMARY, R_IP_INNOROUTES, NULL), { 0 } };
	struct fg_error err = { 0 };
	struct fg_buffer out = { 0 };
	struct fg_summary *summary;
	struct fg_report *report;
	struct fg_ladder ladder;
	struct fg_context context;

	(void)state;
	rule.policy = false;
	traces_ladder(&ladder, "IT*");
	context = traces_make(&ladder, FG_METHOD_PEER_EGRESS);
	report = report_of(&context);
	summary = fg_summary_open(report, &err);
	assert_non_null(summary);
	for (int i = 0; i < 3; i++) {
		add_to(summary, &context, denied, false);
		add_to(summary, &context, filtered, true);
		add_to(summary, &context, lost, false);
	}
	add_to(summary, &context, filtered, false);
	assert_int_equal(fg_summary_json(summary, &run, &out, &err), 0);
	fwrite(out.data, 1, out.len, summaries);
	out.len = 0;
	assert_int_equal(fg_summary_text(summary, &run, &out, &err), 0);
	fg_buffer_put(&out, "", 1);
	assert_non_null(strstr(out.data,
			       "\ndenied by\n"
			       "  policy_2 (tcx/egress on lxc2, id 102, ingress): 3\n"
			       "                 to ports 9999\n"
			       "  netfilter, table inet filter, chain forward, rule handle 7 "
			       "(no telnet) (node,\n"
			       "    at lxc1): 3\n"
			       "                 to ports 9999\n"
			       "  netfilter (node, at lxc1): 1\n"
			       "                 to ports 9999\n"
			       "\ndropped, and not by policy\n"
			       "  route: IP_INNOROUTES (node): 3\n"
			       "                 to ports 9999\n"));
	fg_buffer_free(&out);
	fg_summary_close(summary);
	fg_report_close(report);
	fg_ladder_free(&ladder);
}

/* Each line of the file fits the schema, and each key in it is described there. */
static void fits(FILE *file, const char *schema)
{
	char command[600];
	int fd = dup(fileno(file));

	assert_true(fd >= 0);
	fflush(file);
	rewind(file);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	snprintf(command, sizeof(command),
		 "/usr/bin/python3 " FLOWGEN_SOURCE_DIR "/tests/e2e/schema.py " FLOWGEN_SOURCE_DIR
		 "/doc/%s.schema.json <&%d",
		 schema, fd);
	assert_int_equal(system(command), 0);
	close(fd);
}

static void test_schemas(void **state)
{
	(void)state;
	if (system("/usr/bin/python3 -c 'import jsonschema' 2> /dev/null") != 0)
		skip();
	fits(lines, "result");
	fits(summaries, "summary");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headlines), cmocka_unit_test(test_answers),
		cmocka_unit_test(test_decisions), cmocka_unit_test(test_why),
		cmocka_unit_test(test_contexts),  cmocka_unit_test(test_summary),
		cmocka_unit_test(test_schemas),
	};

	lines = tmpfile();
	summaries = tmpfile();
	if (!lines || !summaries)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
