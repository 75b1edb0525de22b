// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports: JSON is parsed back and looked at key by key; text is held against whole pages of at
 * most 80 columns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/count.h"
#include "judge/judge.h"
#include "probe/leftovers.h"
#include "probe/netfilter.h"
#include "report/report.h"
#include "traces.h"

/* clang-format off */
#define CORE "__netif_receive_skb_core.constprop.0+0x123/0xf00"

static const struct seen denied[] = {
	{ FG_EVENT_INJECT, LXC2 },
	{ FG_EVENT_QUEUE, PEER, 0, 64 },
	{ FG_EVENT_RECEIVE, PRIMARY, 0, 64 },
	{ FG_EVENT_POLICY, PRIMARY, -1, FIRST_ID },
	{ FG_EVENT_POLICY, PRIMARY, 2, FIRST_ID + 1 },
	{ FG_EVENT_FREE, PRIMARY, R_TC_INGRESS, 0, CORE },
	{ 0 },
};

static const struct seen stopped[] = {
	{ FG_EVENT_INJECT, LXC2 },
	{ FG_EVENT_QUEUE, PEER, 0, 64 },
	{ FG_EVENT_RECEIVE, PRIMARY, 0, 64 },
	{ FG_EVENT_QUEUE, LXC2, 0, 63 },
	{ FG_EVENT_RECEIVE, POD2, 0, 63 },
	{ FG_EVENT_STOP, POD2 },
	{ FG_EVENT_FREE, POD2, R_TC_INGRESS, 0, CORE },
	{ 0 },
};

static const struct seen unfinished[] = { { FG_EVENT_INJECT, LXC2 }, { FG_EVENT_QUEUE, PEER, 0, 64 }, { 0 } };
/* clang-format on */

/* UDP from 10.9.0.2:40000 to 10.9.0.9:9999, 4 bytes of payload. */
static uint8_t udp_frame[] = {
	0x02, 0xf6, 0,	  0,	0,    0,    0x02, 0,  0, 0, 0,	 1,   0x08, 0x00, 0x45, 0,
	0,    32,   0x12, 0x34, 0x40, 0,    64,	  17, 0, 0, 10,	 9,   0,    2,	  10,	9,
	0,    9,    0x9c, 0x40, 0x27, 0x0f, 0,	  12, 0, 0, 'f', 'l', 'o',  'w',
};

/* A SYN from fd00::2 to fd00::9, port 443, hop limit 64. */
static uint8_t tcp6_frame[] = {
	0,    0, 0,  0,	   0, 0, 0, 0, 0, 0,	0,    0,    0x86, 0xdd, 0x60, 0, 0,    0,    0,
	20,   6, 64, 0xfd, 0, 0, 0, 0, 0, 0,	0,    0,    0,	  0,	0,    0, 0,    0,    2,
	0xfd, 0, 0,  0,	   0, 0, 0, 0, 0, 0,	0,    0,    0,	  0,	0,    9, 0x9c, 0x40, 0x01,
	0xbb, 0, 0,  0,	   1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0,	0,    0, 0,
};

/* An echo request from 10.9.0.2 to 10.9.0.9, id 7, seq 1. */
static uint8_t icmp_frame[] = {
	0, 0,  0, 0, 0, 0,  0, 0, 0, 0,	 0, 0, 0x08, 0x00, 0x45, 0, 0, 28, 0, 1, 0,
	0, 64, 1, 0, 0, 10, 9, 0, 2, 10, 9, 0, 9,    8,	   0,	 0, 0, 0,  7, 0, 1,
};

/* Everything that a report needs. */
struct stage {
	struct fg_ladder ladder;
	struct fg_context context;
	struct fg_source_pod subject;
	struct fg_report_options options;
	struct fg_probe probe;
	struct fg_report *report;
	struct fg_buffer out;
};

static void stage_up(struct stage *s, const char *ladder, const struct seen *seen)
{
	*s = (struct stage){ .options = { .verbose = true } };
	traces_ladder(&s->ladder, ladder);
	s->context = traces_make(&s->ladder, FG_METHOD_PEER_EGRESS);
	s->subject = (struct fg_source_pod){ .ref = "netns:cart",
					     .name = "shop/cart-0",
					     .path = "/run/netns/cart",
					     .netns = NS_POD,
					     .address = { AF_INET, { 10, 9, 0, 2 } } };
	s->subject.device.kind = "veth";
	s->subject.device.peer = "eth0";
	s->subject.device.peer_ifindex = 2;
	s->subject.device.primary = "lxc1";
	s->subject.device.primary_ifindex = 10;
	s->probe.spec.id = 7;
	s->probe.frame = (struct fg_frame){ .data = udp_frame,
					    .len = sizeof(udp_frame),
					    .count = 1,
					    .part_len = sizeof(udp_frame) };
	for (; seen->kind; seen++)
		traces_see(&s->probe.trace, seen);
}

static void stage_judge(struct stage *s)
{
	struct fg_error err = { 0 };

	traces_judge(&s->context, &s->probe);
	s->report = fg_report_open(&s->subject, &s->context, &s->options, &err);
	assert_non_null(s->report);
}

static void stage_down(struct stage *s)
{
	fg_buffer_free(&s->out);
	fg_report_close(s->report);
	fg_trace_free(&s->probe.trace);
	fg_ladder_free(&s->ladder);
}

/* The result as one line of JSON, read back strictly. */
static json_t *stage_json(struct stage *s)
{
	struct fg_error err = { 0 };
	json_error_t error;
	json_t *value;

	s->out.len = 0;
	assert_int_equal(fg_report_json(s->report, &s->probe, &s->out, &err), 0);
	assert_true(s->out.len > 1);
	assert_int_equal(s->out.data[s->out.len - 1], '\n');
	assert_null(memchr(s->out.data, '\n', s->out.len - 1));
	value = json_loadb(s->out.data, s->out.len, JSON_REJECT_DUPLICATES, &error);
	if (!value)
		fail_msg("%s: %.*s", error.text, (int)s->out.len, s->out.data);
	return value;
}

static const char *stage_text(struct stage *s)
{
	struct fg_error err = { 0 };

	s->out.len = 0;
	assert_int_equal(fg_report_text(s->report, &s->probe, &s->out, &err), 0);
	fg_buffer_put(&s->out, "", 1);
	assert_false(s->out.failed);
	return s->out.data;
}

/* The value at a path "policy.programs.1.ran", as JSON text; the caller compares. */
static void holds(const json_t *value, const char *path, const char *expected)
{
	const json_t *at = value;
	char part[64];

	for (const char *p = path; *p && at;) {
		size_t len = strcspn(p, ".");

		snprintf(part, sizeof(part), "%.*s", (int)len, p);
		at = json_is_array(at) ? json_array_get(at, strtoul(part, NULL, 10))
				       : json_object_get(at, part);
		p += len + (p[len] == '.');
	}
	if (!at)
		fail_msg("%s: not there", path);
	char *text = json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY);

	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s instead of %s", path, text, expected);
	free(text);
}

/* The keys of an object in the order in which they were written. */
static void has_keys(const json_t *value, const char *expected)
{
	char text[400] = "";
	const char *key;
	json_t *inner;

	json_object_foreach ((json_t *)value, key, inner) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s", len ? " " : "", key);
	}
	assert_string_equal(text, expected);
}

static void test_origin(void **state)
{
	const struct fg_origin o = { .id = "0123456789abcdef",
				     .started = "2026-11-30T02:21:04.122Z",
				     .host = { .nodename = "a\x1b", .release = "6.1" },
				     .version = "0.2.0",
				     .offset_ns = 1796005264000000000 };
	char time[FG_ORIGIN_TIME_LEN];
	struct fg_buffer out = {};

	(void)state;
	assert_string_equal(fg_origin_time(&o, 123999999, time), "2026-11-30T02:21:04.123Z");
	assert_string_equal(fg_origin_time(&o, 86400000000001, time), "2026-12-01T02:21:04.000Z");
	fg_origin_put_json(&o, &out);
	fg_buffer_puts(&out, "\n");
	fg_origin_put_json(NULL, &out);
	fg_buffer_puts(&out, "\n");
	fg_origin_put(&o, &out);
	fg_buffer_put(&out, "", 1);
	assert_string_equal(out.data,
			    "{\"id\":\"0123456789abcdef\",\"started\":\"2026-11-30T02:21:04.122Z\","
			    "\"host\":\"a\\u001B\",\"kernel\":\"6.1\",\"version\":\"0.2.0\"}\n"
			    "null\n"
			    "run 0123456789abcdef on a? (Linux 6.1), flowgen 0.2.0, "
			    "2026-11-30T02:21:04.122Z");
	fg_buffer_free(&out);
}

static void test_json_keys(void **state)
{
	struct stage s;
	json_t *v;

	(void)state;
	stage_up(&s, "I*I*I*", denied);
	stage_judge(&s);
	v = stage_json(&s);
	has_keys(
		v,
		"schema id name time run pod packet method written_in policy decisions decider observations "
		"outcome stopped end drop reason not_exercised lost_events stray_events expect "
		"attempts cause hint reply");
	has_keys(json_object_get(v, "pod"), "ref name netns address device");
	has_keys(json_object_get(json_object_get(v, "pod"), "device"),
		 "kind mode peer peer_ifindex primary primary_ifindex");
	has_keys(json_object_get(v, "packet"),
		 "proto src dst sport dport length ttl tos fragments fragment");
	has_keys(
		json_object_get(v, "policy"),
		"verdict stages denied_by candidates alike redirected_by redirected_to ran decided programs "
		"filters other_filters pod_qdisc stated");
	has_keys(json_array_get(json_object_get(v, "decisions"), 0),
		 "stage kind device netns what id name met said decided evidence");
	has_keys(json_array_get(json_object_get(json_object_get(v, "policy"), "programs"), 0),
		 "order stage hook side device id name tag ran retval action duration_ns evidence");
	has_keys(json_array_get(json_object_get(v, "observations"), 0),
		 "time_ns component action device ifindex netns detail of");
	has_keys(json_object_get(v, "drop"), "reason code location netfilter");
	json_decref(v);
	stage_down(&s);
}

static void test_json_denied(void **state)
{
	struct stage s;
	json_t *v;

	(void)state;
	stage_up(&s, "I*I*I*", denied);
	s.probe.spec.expect = FG_EXPECT_ALLOW;
	snprintf(s.probe.spec.name, sizeof(s.probe.spec.name), "db \"must\" be shut");
	stage_judge(&s);
	v = stage_json(&s);
	holds(v, "schema", "\"flowgen.result/2\"");
	holds(v, "id", "7");
	holds(v, "name", "\"db \\\"must\\\" be shut\"");
	holds(v, "pod.netns", "{\"inode\":100,\"name\":\"/run/netns/cart\"}");
	holds(v, "pod.address", "\"10.9.0.2\"");
	holds(v, "pod.device.mode", "null");
	holds(v, "packet",
	      "{\"proto\":\"udp\",\"src\":\"10.9.0.2\",\"dst\":\"10.9.0.9\","
	      "\"sport\":40000,\"dport\":9999,\"length\":32,\"ttl\":64,\"tos\":0,"
	      "\"fragments\":1,\"fragment\":null}");
	holds(v, "method", "\"peer-egress\"");
	holds(v, "written_in", "\"own-namespace\"");
	holds(v, "policy.verdict", "\"denied\"");
	holds(v, "policy.denied_by",
	      "{\"stage\":\"egress\",\"kind\":\"bpf\",\"device\":\"lxc1\","
	      "\"netns\":{\"inode\":200,\"name\":\"host\"},\"order\":2,"
	      "\"hook\":\"tcx/ingress\",\"side\":\"host\",\"id\":102,\"name\":\"policy_2\"}");
	holds(v, "policy.stages", "{\"egress\":\"denied\",\"node\":null,\"ingress\":null}");
	holds(v, "policy.candidates", "[]");
	holds(v, "policy.ran", "2");
	holds(v, "policy.decided", "1");
	holds(v, "policy.stated", "null");
	holds(v, "decisions.0",
	      "{\"stage\":\"egress\",\"kind\":\"bpf\",\"device\":\"lxc1\","
	      "\"netns\":{\"inode\":200,\"name\":\"host\"},"
	      "\"what\":\"policy_1 (tcx/ingress on lxc1)\",\"id\":101,\"name\":\"policy_1\","
	      "\"met\":true,\"said\":\"TCX_NEXT\",\"decided\":\"next\",\"evidence\":\"fexit\"}");
	holds(v, "decisions.1.decided", "\"denied\"");
	holds(v, "decisions.2.met", "false");
	holds(v, "decisions.2.decided", "null");
	holds(v, "decider",
	      "{\"stage\":\"egress\",\"kind\":\"bpf\",\"device\":\"lxc1\","
	      "\"netns\":{\"inode\":200,\"name\":\"host\"}}");
	holds(v, "attempts", "1");
	holds(v, "cause", "null");
	holds(v, "hint", "null");
	holds(v, "policy.programs.1",
	      "{\"order\":2,\"stage\":\"egress\",\"hook\":\"tcx/ingress\",\"side\":\"host\","
	      "\"device\":\"lxc1\",\"id\":102,\"name\":\"policy_2\",\"tag\":\"dead000102030401\",\"ran\":true,"
	      "\"retval\":2,\"action\":\"TCX_DROP\",\"duration_ns\":310,\"evidence\":\"fexit\"}");
	holds(v, "policy.programs.0.action", "\"TCX_NEXT\"");
	holds(v, "policy.programs.0.retval", "-1");
	holds(v, "policy.programs.2.ran", "false");
	holds(v, "policy.programs.2.retval", "null");
	holds(v, "policy.programs.2.action", "null");
	holds(v, "policy.programs.2.evidence", "\"none\"");
	holds(v, "observations.5",
	      "{\"time_ns\":5000,\"component\":\"kernel\",\"action\":\"Dropped\",\"device\":\"lxc1\","
	      "\"ifindex\":10,\"netns\":{\"inode\":200,\"name\":\"host\"},"
	      "\"detail\":\"TC_INGRESS (73) at " CORE "\",\"of\":\"packet\"}");
	holds(v, "observations.4.detail", "\"tcx/ingress policy_2 (id 102): TCX_DROP\"");
	holds(v, "outcome", "\"dropped\"");
	holds(v, "stopped", "false");
	holds(v, "end", "5");
	holds(v, "drop",
	      "{\"reason\":\"TC_INGRESS\",\"code\":73,\"location\":\"" CORE
	      "\",\"netfilter\":null}");
	holds(v, "reason", "null");
	holds(v, "not_exercised",
	      "[\"pod-socket-layer\",\"pod-cgroup-hooks\",\"pod-netfilter-output\","
	      "\"pod-netfilter-egress\"]");
	holds(v, "lost_events", "0");
	holds(v, "stray_events", "0");
	holds(v, "expect", "{\"wanted\":\"allow\",\"met\":false}");
	json_decref(v);
	stage_down(&s);
}

static void test_json_without_anything(void **state)
{
	static const struct seen none[] = { { 0 } };
	struct stage s;
	json_t *v;

	(void)state;
	stage_up(&s, "", none);
	s.probe.frame = (struct fg_frame){ 0 };
	s.subject = (struct fg_source_pod){ .ref = "x" };
	s.context.device = NULL;
	s.context.reason = NULL;
	stage_judge(&s);
	v = stage_json(&s);
	holds(v, "name", "null");
	holds(v, "pod.name", "null");
	holds(v, "pod.address", "null");
	holds(v, "pod.netns", "{\"inode\":0,\"name\":null}");
	holds(v, "packet.proto", "null");
	holds(v, "packet.src", "null");
	holds(v, "packet.length", "null");
	holds(v, "policy.programs", "[]");
	holds(v, "policy.denied_by", "null");
	holds(v, "policy.redirected_by", "null");
	holds(v, "policy.redirected_to", "null");
	holds(v, "observations", "[]");
	holds(v, "end", "null");
	holds(v, "drop", "null");
	holds(v, "expect", "null");
	holds(v, "outcome", "\"inconclusive\"");
	holds(v, "reason", "\"it did not reach the pod's egress path\"");
	json_decref(v);
	stage_down(&s);
}

static void test_json_unknown_names(void **state)
{
	static const struct seen seen[] = {
		{ FG_EVENT_INJECT, NOWHERE },
		{ FG_EVENT_QUEUE, PEER, 0, 64 },
		{ FG_EVENT_FREE, NOWHERE, R_UNNAMED },
		{ 0 },
	};
	struct stage s;
	json_t *v;

	(void)state;
	stage_up(&s, "", seen);
	s.probe.trace.list[1].event.ifindex = 77;
	s.probe.trace.list[2].event.aux = 0xffffffff81000010;
	stage_judge(&s);
	v = stage_json(&s);
	holds(v, "drop",
	      "{\"reason\":\"unknown(99)\",\"code\":99,\"location\":\"0xffffffff81000010\",\"netfilter\":null}");
	holds(v, "observations.1.device", "null");
	holds(v, "observations.1.ifindex", "77");
	holds(v, "observations.1.netns", "{\"inode\":100,\"name\":null}");
	holds(v, "observations.2.netns", "null");
	holds(v, "observations.2.ifindex", "null");
	json_decref(v);
	stage_down(&s);
}

static void test_json_redirect(void **state)
{
	static const struct seen seen[] = {
		{ FG_EVENT_INJECT, NOWHERE },
		{ FG_EVENT_QUEUE, PEER, 0, 64 },
		{ FG_EVENT_RECEIVE, PRIMARY, 0, 64 },
		{ FG_EVENT_QUEUE, LXC2, 0, 64 },
		{ FG_EVENT_RECEIVE, POD2, 0, 64 },
		{ FG_EVENT_STOP, POD2 },
		{ 0 },
	};
	struct stage s;
	json_t *v;

	(void)state;
	stage_up(&s, "I", seen);
	stage_judge(&s);
	v = stage_json(&s);
	holds(v, "policy.verdict", "\"redirected\"");
	holds(v, "policy.redirected_by.order", "1");
	holds(v, "policy.redirected_by.name", "\"policy_1\"");
	holds(v, "policy.redirected_to",
	      "{\"device\":\"lxc2\",\"ifindex\":11,\"netns\":{\"inode\":200,\"name\":\"host\"}}");
	json_decref(v);
	stage_down(&s);
}

static const struct seen filtered[] = {
	{ FG_EVENT_INJECT, LXC2 },
	{ FG_EVENT_RECEIVE, PRIMARY, 0, 64 },
	{ FG_EVENT_FREE, PRIMARY, R_NETFILTER_DROP, 0, "nft_do_chain+0x3e8/0x610" },
	{ 0 },
};

static void test_json_netfilter(void **state)
{
	struct fg_netfilter by = { .netns = NS_HOST,
				   .family = NFPROTO_INET,
				   .table = "filter",
				   .chain = "forward",
				   .handle = 18446744073709551615ULL,
				   .comment = "no \"telnet\"" };
	struct stage s;
	json_t *v;

	(void)state;
	stage_up(&s, "", filtered);
	stage_judge(&s);
	s.probe.result.netfilter = &by;
	by.handle = 7;
	v = stage_json(&s);
	holds(v, "drop.netfilter",
	      "{\"netns\":{\"inode\":200,\"name\":\"host\"},\"family\":\"inet\",\"table\":\"filter\","
	      "\"chain\":\"forward\",\"rule\":{\"handle\":7,\"comment\":\"no \\\"telnet\\\"\"},"
	      "\"policy\":false,\"verdict\":\"drop\"}");
	json_decref(v);
	by.comment[0] = '\0';
	by.reject = true;
	by.netns = NS_POD2;
	v = stage_json(&s);
	holds(v, "drop.netfilter.rule", "{\"handle\":7,\"comment\":null}");
	holds(v, "drop.netfilter.verdict", "\"reject\"");
	/* The place of the end is another: its name is not this namespace's. */
	holds(v, "drop.netfilter.netns", "{\"inode\":300,\"name\":null}");
	json_decref(v);
	by.policy = true;
	by.reject = false;
	v = stage_json(&s);
	holds(v, "drop.netfilter.rule", "null");
	holds(v, "drop.netfilter.policy", "true");
	json_decref(v);
	stage_down(&s);
}

static void test_json_protocols(void **state)
{
	struct stage s;
	json_t *v;

	(void)state;
	stage_up(&s, "", unfinished);
	s.options.bytes = true;
	s.probe.frame =
		(struct fg_frame){ .data = tcp6_frame, .len = sizeof(tcp6_frame), .count = 1 };
	stage_judge(&s);
	v = stage_json(&s);
	holds(v, "packet.proto", "\"tcp\"");
	holds(v, "packet.dst", "\"fd00::9\"");
	holds(v, "packet.dport", "443");
	holds(v, "packet.length", "60");
	holds(v, "packet.tcp_flags", "\"S\"");
	assert_int_equal(json_string_length(json_object_get(json_object_get(v, "packet"), "bytes")),
			 2 * sizeof(tcp6_frame));
	json_decref(v);
	s.probe.frame.data = icmp_frame;
	s.probe.frame.len = sizeof(icmp_frame);
	v = stage_json(&s);
	holds(v, "packet.proto", "\"icmp\"");
	holds(v, "packet.sport", "null");
	holds(v, "packet.dport", "null");
	holds(v, "packet.icmp_type", "8");
	holds(v, "packet.icmp_code", "0");
	holds(v, "packet.icmp_id", "7");
	holds(v, "packet.icmp_seq", "1");
	json_decref(v);
	stage_down(&s);
}

/* Names from pods may hold any bytes: JSON stays JSON. */
static void test_json_hostile_names(void **state)
{
	struct stage s;
	json_t *v;

	(void)state;
	stage_up(&s, "I", unfinished);
	s.subject.ref = "a\"b\\c\n\x1b[2J";
	s.subject.device.peer = "\xff\xfe";
	snprintf(s.ladder.programs[0].name, sizeof(s.ladder.programs[0].name), "p\x80\"");
	stage_judge(&s);
	v = stage_json(&s);
	assert_string_equal(json_string_value(json_object_get(json_object_get(v, "pod"), "ref")),
			    "a\"b\\c\n\x1b[2J");
	holds(v, "pod.device.peer", "\"??\"");
	holds(v, "policy.programs.0.name", "\"p?\\\"\"");
	json_decref(v);
	stage_down(&s);
}

static void test_json_gaps(void **state)
{
	struct stage s;
	json_t *v;

	(void)state;
	stage_up(&s, "", unfinished);
	s.context.method = FG_METHOD_HOST_INGRESS;
	stage_judge(&s);
	v = stage_json(&s);
	holds(v, "not_exercised",
	      "[\"pod-socket-layer\",\"pod-cgroup-hooks\",\"pod-netfilter-output\",\"pod-netfilter-egress\","
	      "\"pod-taps\",\"pod-tc-egress\",\"pod-qdisc\",\"host-native-xdp\"]");
	json_decref(v);
	s.context.method = FG_METHOD_POD_SOCKET;
	v = stage_json(&s);
	holds(v, "written_in", "\"pod-namespace\"");
	json_decref(v);
	stage_down(&s);
}

/* --- text --- */

/* Lines keep to 80 columns; what is no ASCII counts by character, and colours not at all. */
static void keeps_to_columns(const char *text)
{
	size_t column = 0;

	for (const char *c = text; *c; c++) {
		if (*c == '\033') {
			c += strcspn(c, "m");
			continue;
		}
		column = *c == '\n' ? 0 : column + ((*c & 0xc0) != 0x80);
		if (column > 80)
			fail_msg("over 80 columns: %.*s", 100, c - 80);
	}
}

static void test_text_denied(void **state)
{
	struct stage s;
	const char *text;

	(void)state;
	stage_up(&s, "I*I*I*", denied);
	s.probe.spec.expect = FG_EXPECT_ALLOW;
	stage_judge(&s);
	text = stage_text(&s);
	keeps_to_columns(text);
	assert_string_equal(
		text,
		"DENIED by policy_2 (tcx/ingress on lxc1, egress of shop/cart-0)\n"
		"\n"
		"packet   10.9.0.2:40000 > 10.9.0.9:9999 udp, 32 bytes, ttl 64\n"
		"pod      netns:cart (shop/cart-0), device eth0, host side lxc1 (veth)\n"
		"method   peer-egress\n"
		"drop     TC_INGRESS (73) at __netif_receive_skb_core.constprop.0+0x123/0xf00\n"
		"expected allow: NOT MET\n"
		"\n"
		"ladder, in the order the packet meets it\n"
		"  egress of shop/cart-0: denied\n"
		"    +  1 tcx/ingress on lxc1 (host): policy_1, id 101\n"
		"         did not decide: TCX_NEXT (-1)        310 ns  by fexit\n"
		"    x  2 tcx/ingress on lxc1 (host): policy_2, id 102\n"
		"         DENIED: TCX_DROP (2)                 310 ns  by fexit\n"
		"    -  3 tcx/ingress on lxc1 (host): policy_3, id 103\n"
		"         not met\n"
		"  node: not reached\n"
		"  ingress: not reached\n"
		"\n"
		"path, by the time since injection\n"
		"  host\n"
		"  `-     0 ns  lxc2  inject   Injected\n"
		"  pod shop/cart-0\n"
		"  `-   1.0 us  eth0  egress   Forwarded\n"
		"  host\n"
		"  |-   2.0 us  lxc1  ingress  Received\n"
		"  |-   3.0 us  lxc1  policy   Next: tcx/ingress policy_1 (id 101): TCX_NEXT\n"
		"  |-   4.0 us  lxc1  policy   Dropped: tcx/ingress policy_2 (id 102): TCX_DROP\n"
		"  `-   5.0 us  lxc1  kernel   Dropped: TC_INGRESS (73) at\n"
		"                              __netif_receive_skb_core.constprop.0+0x123/0xf00\n"
		"\n"
		"not exercised\n"
		"  the pod's socket layer; cgroup hooks (socket-level load balancing); the pod's\n"
		"  netfilter OUTPUT; netfilter egress of the pod's device\n");
	stage_down(&s);
}

static void test_text_nothing_enforces(void **state)
{
	struct stage s;
	const char *text;

	(void)state;
	stage_up(&s, "", stopped);
	s.options.utf8 = true;
	stage_judge(&s);
	text = stage_text(&s);
	keeps_to_columns(text);
	assert_string_equal(
		text,
		"DELIVERED at eth0 (shop/db-0), intercepted before the pod's stack; nothing\n"
		"  enforces here: it met no policy of any kind\n"
		"\n"
		"packet   10.9.0.2:40000 > 10.9.0.9:9999 udp, 32 bytes, ttl 64\n"
		"pod      netns:cart (shop/cart-0), device eth0, host side lxc1 (veth)\n"
		"method   peer-egress\n"
		"\n"
		"ladder, in the order the packet meets it\n"
		"  egress of shop/cart-0: no policy\n"
		"  node: no policy\n"
		"  ingress of shop/db-0: no policy\n"
		"\n"
		"path, by the time since injection\n"
		"  host\n"
		"  └─     0 ns  lxc2  inject   Injected\n"
		"  pod shop/cart-0\n"
		"  └─   1.0 µs  eth0  egress   Forwarded\n"
		"  host\n"
		"  ├─   2.0 µs  lxc1  ingress  Received\n"
		"  └─   3.0 µs  lxc2  egress   Forwarded\n"
		"  shop/db-0\n"
		"  ├─   4.0 µs  eth0  ingress  Received\n"
		"  ├─   5.0 µs  eth0  stop     Delivered: intercepted before the pod's stack\n"
		"  └─   6.0 µs  eth0  stop     Consumed: intercepted by flowgen\n"
		"\n"
		"not exercised\n"
		"  the pod's socket layer; cgroup hooks (socket-level load balancing); the pod's\n"
		"  netfilter OUTPUT; netfilter egress of the pod's device\n"
		"\n"
		"notes\n"
		"  - delivered does not mean that anything listens there\n");
	stage_down(&s);
}

static void test_text_unknown(void **state)
{
	struct stage s;
	const char *text;

	(void)state;
	stage_up(&s, "I", unfinished);
	s.probe.trace.lost = 3;
	s.ladder.other_filters = true;
	stage_judge(&s);
	text = stage_text(&s);
	keeps_to_columns(text);
	assert_non_null(strstr(text, "INCONCLUSIVE: events were lost: the ring buffer was full\n"));
	assert_non_null(strstr(text, "?  1 tcx/ingress on lxc1 (host): policy_1, id 101\n"
				     "         not known whether it ran\n"));
	assert_non_null(strstr(text, "  - events lost: 3\n"));
	assert_null(strstr(text, "records that match"));
	assert_non_null(strstr(text, "  - tc filters that are not BPF programs"));
	stage_down(&s);
}

static void test_strays(void **state)
{
	struct stage s;
	const char *text;
	json_t *v;

	(void)state;
	stage_up(&s, "I", unfinished);
	s.probe.trace.strays = 2;
	stage_judge(&s);
	text = stage_text(&s);
	keeps_to_columns(text);
	assert_non_null(strstr(text, "INCONCLUSIVE: some records match no probe"));
	assert_non_null(strstr(text, "  - records that match no probe: 2\n"));
	v = stage_json(&s);
	holds(v, "lost_events", "0");
	holds(v, "stray_events", "2");
	json_decref(v);
	stage_down(&s);
}

/*
 * A name in a pod cannot steer the terminal, nor break the 80 columns where it can be broken at
 * all.
 */
static void test_text_hostile_names(void **state)
{
	struct stage s;
	const char *text;

	(void)state;
	stage_up(&s, "I", denied);
	s.subject.ref = "\x1b[2J\x1b]0;owned\x07 \xc2\x9b\xe2\x80\xae";
	snprintf(s.ladder.programs[0].name, sizeof(s.ladder.programs[0].name), "\x1b[31mred\r\n%s",
		 "%s%n");
	snprintf(s.probe.spec.name, sizeof(s.probe.spec.name), "name\twith\x7f");
	for (int utf8 = 0; utf8 < 2; utf8++) {
		s.options.utf8 = utf8;
		stage_judge(&s);
		text = stage_text(&s);
		assert_null(strpbrk(text, "\x1b\x07\r\t\x7f"));
		assert_null(strstr(text, "\xc2\x9b"));
		assert_null(strstr(text, "\xe2\x80\xae"));
		assert_non_null(strstr(text, "?[31mred??%s%n"));
		fg_report_close(s.report);
		s.report = NULL;
	}
	stage_down(&s);
}

static void test_text_netfilter(void **state)
{
	struct fg_netfilter by = { .netns = NS_HOST,
				   .family = NFPROTO_IPV4,
				   .table = "t",
				   .chain = "c",
				   .handle = 7,
				   .comment = "no telnet" };
	struct stage s;

	(void)state;
	stage_up(&s, "", filtered);
	stage_judge(&s);
	assert_non_null(strstr(stage_text(&s), "--trace-netfilter"));
	s.probe.result.netfilter = &by;
	s.context.netfilter_traced = true;
	assert_null(strstr(stage_text(&s), "--trace-netfilter"));
	assert_non_null(strstr(
		s.out.data, "\nby       table ip t, chain c, rule handle 7 (no telnet): drop\n"));
	memset(by.table, 't', sizeof(by.table) - 1);
	memset(by.chain, 'c', sizeof(by.chain) - 1);
	memset(by.comment, '\n', sizeof(by.comment) - 1);
	keeps_to_columns(stage_text(&s));
	stage_down(&s);
}

static void test_text_colour_only_when_asked(void **state)
{
	struct stage s;

	(void)state;
	stage_up(&s, "I*I*I*", denied);
	stage_judge(&s);
	assert_null(strchr(stage_text(&s), '\033'));
	fg_report_close(s.report);
	s.options.colour = true;
	stage_judge(&s);
	assert_non_null(strstr(stage_text(&s), "\033[1;31mDENIED by policy_2"));
	keeps_to_columns(s.out.data);
	stage_down(&s);
}

/* Long names wrap. */
static void test_text_widest(void **state)
{
	char ref[300] = "", symbol[200] = "";
	struct stage s;

	(void)state;
	stage_up(&s, "EeKXxIi", denied);
	for (size_t i = 0; i < s.ladder.count; i++) {
		memset(s.ladder.programs[i].name, 'n', 63);
		memset(s.ladder.programs[i].device, 'd', 15);
		s.ladder.programs[i].id = UINT32_MAX - (uint32_t)i;
	}
	memset(ref, 'r', sizeof(ref) - 1);
	memset(symbol, 's', sizeof(symbol) - 1);
	s.subject.ref = ref;
	s.probe.trace.list[5].symbol = symbol;
	s.options.bytes = true;
	stage_judge(&s);
	keeps_to_columns(stage_text(&s));
	/* A place that just does not fit beside the device begins further left. */
	symbol[50] = '\0';
	keeps_to_columns(stage_text(&s));
	assert_non_null(strstr(s.out.data, symbol));
	stage_down(&s);
}

/* --- summaries --- */

static const struct fg_leftover_maps tables = {
	.probes = 32,
	.count = 1,
	.list = { { .id = 7,
		    .name = "flows",
		    .evicts = true,
		    .gained = 32,
		    .entries = 40,
		    .max = 64,
		    .about = true } },
};

static void add_port(struct fg_summary *summary, struct stage *s, uint16_t port,
		     const struct seen *seen)
{
	struct fg_error err = { 0 };
	uint8_t frame[sizeof(udp_frame)];

	memcpy(frame, udp_frame, sizeof(frame));
	frame[36] = (uint8_t)(port >> 8);
	frame[37] = (uint8_t)port;
	s->probe.frame.data = frame;
	fg_trace_reset(&s->probe.trace);
	for (; seen->kind; seen++)
		traces_see(&s->probe.trace, seen);
	traces_judge(&s->context, &s->probe);
	s->probe.result.left_maps = port == 53 ? &tables : NULL;
	assert_int_equal(fg_summary_add(summary, &s->probe, &err), 0);
	s->probe.frame.data = udp_frame;
}

static json_t *summary_json(const struct fg_summary *summary, struct fg_buffer *out)
{
	static const struct fg_summary_run run = { .duration_ns = 120000000 };
	struct fg_error err = { 0 };
	json_t *v;

	assert_int_equal(fg_summary_json(summary, &run, out, &err), 0);
	v = json_loadb(out->data, out->len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(v);
	return v;
}

static void test_summary(void **state)
{
	static const struct fg_summary_run run = { .duration_ns = 120000000 };
	/* How many were to be sent is not known. */
	static const struct fg_summary_run cut = { .planned = UINT64_MAX, .interrupted = true };
	struct fg_error err = { 0 };
	struct fg_summary *summary;
	struct stage s;
	json_t *v;

	(void)state;
	stage_up(&s, "I*I*I*", denied);
	stage_judge(&s);
	summary = fg_summary_open(s.report, &err);
	assert_non_null(summary);
	s.probe.spec.expect = FG_EXPECT_DENY;
	add_port(summary, &s, 1, denied);
	add_port(summary, &s, 65535, denied);
	for (int port = 100; port <= 200; port++)
		add_port(summary, &s, (uint16_t)port, denied);
	add_port(summary, &s, 53, unfinished);
	v = summary_json(summary, &s.out);
	has_keys(
		v,
		"schema run pod method total again verdicts outcomes deniers drops reasons not_exercised "
		"state expect lost_events stray_events duration_ns planned interrupted");
	holds(v, "schema", "\"flowgen.summary/2\"");
	holds(v, "total", "104");
	holds(v, "verdicts.denied", "{\"count\":103,\"ports\":[\"1\",\"100-200\",\"65535\"]}");
	holds(v, "verdicts.unknown", "{\"count\":1,\"ports\":[\"53\"]}");
	holds(v, "verdicts.none", "{\"count\":0,\"ports\":[]}");
	holds(v, "outcomes.dropped.count", "103");
	holds(v, "outcomes.inconclusive.ports", "[\"53\"]");
	holds(v, "deniers.0",
	      "{\"stage\":\"egress\",\"kind\":\"bpf\",\"device\":\"lxc1\","
	      "\"hook\":\"tcx/ingress\",\"id\":102,\"name\":\"policy_2\","
	      "\"denied\":{\"count\":103,\"ports\":[\"1\",\"100-200\",\"65535\"]},"
	      "\"icmp_errors\":0}");
	holds(v, "drops", "[]");
	holds(v, "reasons", "[{\"reason\":\"its end was not seen in time\",\"count\":1}]");
	holds(v, "state",
	      "[{\"kind\":\"map\",\"map\":\"flows\",\"map_id\":7,\"evicts\":true,\"gained\":32,"
	      "\"probes\":32,\"entries\":40,\"max_entries\":64,\"about\":true}]");
	holds(v, "expect", "{\"met\":103,\"unmet\":1}");
	holds(v, "lost_events", "0");
	holds(v, "stray_events", "0");
	holds(v, "duration_ns", "120000000");
	json_decref(v);
	s.out.len = 0;
	assert_int_equal(fg_summary_text(summary, &run, &s.out, &err), 0);
	fg_buffer_put(&s.out, "", 1);
	keeps_to_columns(s.out.data);
	assert_string_equal(
		s.out.data,
		"104 probes in 120.0 ms by peer-egress; 0 events lost\n"
		"\n"
		"verdict\n"
		"  unknown        1\n"
		"                 to ports 53\n"
		"  denied         103\n"
		"                 to ports 1, 100-200, 65535\n"
		"\n"
		"denied by\n"
		"  policy_2 (tcx/ingress on lxc1, id 102, egress): 103\n"
		"                 to ports 1, 100-200, 65535\n"
		"\n"
		"outcome\n"
		"  inconclusive   1\n"
		"                 to ports 53\n"
		"  dropped        103\n"
		"                 to ports 1, 100-200, 65535\n"
		"\n"
		"reasons\n"
		"  1: its end was not seen in time\n"
		"\n"
		"state    map flows (id 7): 32 more entries by the first 32 probes; about 40 of\n"
		"         64 are in use\n"
		"\n"
		"expectations: 103 met, 1 not met\n");
	s.out.len = 0;
	assert_int_equal(fg_summary_text(summary, &cut, &s.out, &err), 0);
	fg_buffer_put(&s.out, "", 1);
	assert_non_null(strstr(s.out.data, "; 0 events lost\ninterrupted\n\nverdict\n"));
	fg_summary_close(summary);
	stage_down(&s);
}

/* What a window lost is lost to each of its probes, and is counted once. */
static void test_summary_losses(void **state)
{
	static const struct fg_summary_run run = { .duration_ns = 120000000 };
	struct fg_error err = { 0 };
	struct fg_summary *summary;
	struct stage s;
	json_t *v;

	(void)state;
	stage_up(&s, "I*I*I*", denied);
	s.probe.trace.lost = 2;
	s.probe.trace.strays = 1;
	stage_judge(&s);
	summary = fg_summary_open(s.report, &err);
	assert_non_null(summary);
	for (uint32_t i = 0; i < 6; i++) {
		s.probe.trace.window = 1 + i / 3;
		assert_int_equal(fg_summary_add(summary, &s.probe, &err), 0);
	}
	v = summary_json(summary, &s.out);
	holds(v, "total", "6");
	holds(v, "lost_events", "4");
	holds(v, "stray_events", "2");
	json_decref(v);
	s.out.len = 0;
	assert_int_equal(fg_summary_text(summary, &run, &s.out, &err), 0);
	fg_buffer_put(&s.out, "", 1);
	keeps_to_columns(s.out.data);
	assert_non_null(strstr(s.out.data, "; 4 events lost; 2 records match no probe\n"));
	fg_summary_close(summary);
	stage_down(&s);
}

/* Ranges of any shape are those of the ports that were added. */
static void test_summary_ranges(void **state)
{
	struct fg_error err = { 0 };
	struct fg_summary *summary;
	struct stage s;
	json_t *v;

	(void)state;
	stage_up(&s, "I*I*I*", denied);
	stage_judge(&s);
	summary = fg_summary_open(s.report, &err);
	for (int port = 0; port <= 130; port++)
		if (port != 63 && port != 65)
			add_port(summary, &s, (uint16_t)port, denied);
	for (int port = 65530; port <= 65535; port++)
		add_port(summary, &s, (uint16_t)port, denied);
	add_port(summary, &s, 64, denied);
	v = summary_json(summary, &s.out);
	holds(v, "verdicts.denied",
	      "{\"count\":136,\"ports\":[\"0-62\",\"64\",\"66-130\",\"65530-65535\"]}");
	json_decref(v);
	fg_summary_close(summary);
	stage_down(&s);
}

/* --- the buffer --- */

static void test_buffer(void **state)
{
	struct fg_buffer b = { 0 };

	(void)state;
	fg_buffer_put_i64(&b, INT64_MIN);
	fg_buffer_put(&b, " ", 1);
	fg_buffer_put_u64(&b, UINT64_MAX);
	fg_buffer_put(&b, " ", 1);
	fg_buffer_put_u64(&b, 0);
	fg_buffer_printf(&b, " %s|%5d", "x", 42);
	fg_buffer_put(&b, NULL, 0);
	fg_buffer_put(&b, "", 1);
	assert_string_equal(b.data, "-9223372036854775808 18446744073709551615 0 x|   42");
	b.len = 0;
	for (int i = 0; i < 100000; i++)
		fg_buffer_puts(&b, "0123456789");
	assert_int_equal(b.len, 1000000);
	assert_memory_equal(b.data + 999990, "0123456789", 10);
	assert_null(fg_buffer_reserve(&b, SIZE_MAX));
	assert_true(b.failed);
	fg_buffer_puts(&b, "left out");
	assert_int_equal(b.len, 1000000);
	fg_buffer_free(&b);
	assert_false(b.failed);
}

/* A buffer that has failed is an error once, and can then be used again. */
static void test_out_of_memory(void **state)
{
	struct fg_error err = { 0 };
	struct stage s;

	(void)state;
	stage_up(&s, "I*I*I*", denied);
	stage_judge(&s);
	fg_buffer_puts(&s.out, "before");
	assert_null(fg_buffer_reserve(&s.out, SIZE_MAX));
	assert_int_equal(fg_report_json(s.report, &s.probe, &s.out, &err), -1);
	assert_int_equal(err.kind, FG_ERR_INTERNAL);
	assert_int_equal(s.out.len, 6);
	assert_int_equal(fg_report_json(s.report, &s.probe, &s.out, &err), 0);
	stage_down(&s);
}

static void test_line(void **state)
{
	struct stage s;
	struct fg_error err;

	(void)state;
	stage_up(&s, "", stopped);
	s.probe.spec.id = 3;
	stage_judge(&s);
	assert_int_equal(fg_report_line(s.report, &s.probe, &s.out, &err), 0);
	fg_buffer_put(&s.out, "", 1);
	assert_ptr_equal(strstr(s.out.data, "3: 10.9.0.2:40000 > 10.9.0.9:9999 udp "), s.out.data);
	assert_non_null(strstr(s.out.data, " DELIVERED at eth0 (shop/db-0), intercepted before the "
					   "pod's stack; nothing enforces here: "));
	assert_ptr_equal(strchr(s.out.data, '\n'), s.out.data + s.out.len - 2);
	stage_down(&s);
}

/* What every answer has is left out; lines are as wide as they may be. */
static void test_short_and_wide(void **state)
{
	struct stage s;
	const char *text;

	(void)state;
	stage_up(&s, "", stopped);
	s.options.verbose = false;
	s.options.width = 200;
	stage_judge(&s);
	text = stage_text(&s);
	assert_non_null(strstr(text, "not exercised\n  netfilter egress of the pod's device\n"));
	assert_null(strstr(text, "notes"));
	assert_non_null(strstr(text, "nothing enforces here: it met no policy of any kind\n"));
	stage_down(&s);
}

/* What this method leaves out can be where a policy is: it is never left out of the text. */
static void test_short_gaps(void **state)
{
	static const struct {
		enum fg_method method;
		bool netkit;
		const char *text; /* NULL: there are none */
	} rows[] = {
		{ FG_METHOD_POD_SOCKET, false, NULL },
		{ FG_METHOD_BOUNCE, false, "\n  netfilter egress of the pod's device\n" },
		{ FG_METHOD_HOST_INGRESS, false,
		  "\n  netfilter egress of the pod's device; packet taps in the pod; tc egress of "
		  "the pod's device; the queueing discipline of the pod's device; XDP in the "
		  "driver of the host side\n" },
		{ FG_METHOD_HOST_INGRESS, true, "; the netkit device's own programs\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stage s;
		const char *text;

		stage_up(&s, "", stopped);
		s.context.method = rows[i].method;
		s.context.netkit = rows[i].netkit;
		s.options.verbose = false;
		s.options.width = 400;
		stage_judge(&s);
		text = strstr(stage_text(&s), "\nnot exercised\n");
		if (!text != !rows[i].text || (text && !strstr(text, rows[i].text)))
			fail_msg("%zu: %s", i, text ? text : "nothing");
		stage_down(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_json_keys),
		cmocka_unit_test(test_json_denied),
		cmocka_unit_test(test_json_without_anything),
		cmocka_unit_test(test_json_unknown_names),
		cmocka_unit_test(test_json_redirect),
		cmocka_unit_test(test_json_netfilter),
		cmocka_unit_test(test_text_netfilter),
		cmocka_unit_test(test_json_protocols),
		cmocka_unit_test(test_json_hostile_names),
		cmocka_unit_test(test_json_gaps),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_short_and_wide),
		cmocka_unit_test(test_short_gaps),
		cmocka_unit_test(test_text_denied),
		cmocka_unit_test(test_text_nothing_enforces),
		cmocka_unit_test(test_text_unknown),
		cmocka_unit_test(test_strays),
		cmocka_unit_test(test_summary_losses),
		cmocka_unit_test(test_text_hostile_names),
		cmocka_unit_test(test_text_colour_only_when_asked),
		cmocka_unit_test(test_text_widest),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_summary_ranges),
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
