// SPDX-License-Identifier: GPL-2.0-only
/* Scenarios that are right: variables, selectors, matrices, names, expectations, and what is
 * recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "probe/names.h"
#include "scenario/scenario.h"
#include "suite/case.h"

static struct fg_scenario scenario;
static struct fg_scenario_layout layout;

static void read_with(const char *text, struct fg_scenario_setting *settings, size_t count)
{
	struct fg_error err = {};

	if (fg_scenario_read(&scenario, "f", text, strlen(text), settings, count, &err))
		fail_msg("%s (%s)", err.message, err.hint);
}

static void read_it(const char *text)
{
	read_with(text, NULL, 0);
}

static struct fg_scenario_member member(const char *label, uint8_t last)
{
	return (struct fg_scenario_member){ .label = (char *)label,
					    .pod = last,
					    .netns = last,
					    .v4 = { AF_INET, { 10, 0, 0, last } } };
}

static void lay(const struct fg_scenario_found *found)
{
	struct fg_error err = {};

	if (fg_scenario_lay_out(&scenario, found, &layout, &err))
		fail_msg("%s", err.message);
}

static int clean(void **state)
{
	(void)state;
	fg_scenario_layout_free(&layout);
	fg_scenario_free(&scenario);
	return 0;
}

static const char *name_of(size_t block, uint64_t index)
{
	static char name[FG_SCENARIO_NAME_LEN];

	return fg_scenario_probe_name(&scenario, &layout.blocks[block], index, name, sizeof(name));
}

static void test_variables(void **state)
{
	struct fg_scenario_setting settings[] = { { .text = "port=99" }, { .text = "other=1" } };

	(void)state;
	read_with("name: ${who} of $${x} for $5\n"
		  "variables:\n  who: web\n  both: ${who}-${who}\n  port:\n"
		  "description: ${both}\npods: {a: 'netns:${who}'}\n"
		  "probes: [{from: a, to: '10.0.0.1:${port}'}]\n",
		  settings, 2);
	assert_string_equal(scenario.name, "web of ${x} for $5");
	assert_string_equal(scenario.description, "web-web");
	assert_string_equal(scenario.pods[0].ref, "netns:web");
	assert_int_equal(scenario.places[0].port, 99);
	assert_true(settings[0].used);
	assert_false(settings[1].used);
}

static void test_trace_netfilter(void **state)
{
	(void)state;
	read_it("name: t\npods: {a: netns:a}\nprobes: [{from: a, to: '10.0.0.1:1'}]\n");
	assert_false(scenario.trace_netfilter);
	fg_scenario_free(&scenario);
	read_it("name: t\ntrace-netfilter: true\npods: {a: netns:a}\nprobes: [{from: a, to: '10.0.0.1:1'}]\n");
	assert_true(scenario.trace_netfilter);
}

static void test_json_and_merge(void **state)
{
	(void)state;
	read_it("{\"name\": \"j\", \"pods\": {\"a\": \"netns:a\"},\n\t\"probes\": [{\"from\": \"a\", \"to\": "
		"\"10.0.0.1\", \"proto\": \"udp\", \"dport\": 53, \"ttl\": 5}]}");
	assert_int_equal(scenario.set_count, 1);
	fg_scenario_free(&scenario);
	read_it("name: m\npods: {a: netns:a}\n"
		"probes:\n  - &one {from: a, to: 10.0.0.1, proto: udp, dport: 53}\n"
		"  - <<: *one\n    dport: 54\n");
	assert_int_equal(scenario.set_count, 2);
	assert_int_equal(scenario.sets[1].ports[0].dports.ranges[0].first, 54);
	/* Packets of the same settings are one. */
	assert_int_equal(scenario.packet_count, 1);
}

static void test_selectors(void **state)
{
	static const struct {
		const char *namespace, *glob, *name;
		bool fits;
	} cases[] = {
		{ "shop", "cart-*", "shop/cart-0", true },
		{ "shop", "cart-*", "shop/web-0", false },
		{ "shop", NULL, "shop/web-0", true },
		{ "shop", NULL, "shopping/web-0", false },
		{ "shop*", NULL, "shopping/web-0", true },
		{ NULL, "web-?", "any/web-0", true },
		{ NULL, "web-?", "web-0", true },
		{ "*", "web-?", "web-0", false },
		{ NULL, "web-[0-4]", "ns/web-5", false },
		{ "shop", "*", "shop/", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct fg_scenario_pods pods = { .namespace = (char *)cases[i].namespace,
						       .glob = (char *)cases[i].glob };

		assert_int_equal(fg_scenario_selects(&pods, cases[i].name), cases[i].fits);
	}
}

static const char matrix[] =
	"name: m\npods:\n  a: netns:a\n  all: {name: 'p-*'}\n  gone: netns:gone\n"
	"destinations: {d: 10.1.0.9, e: 10.1.0.10}\n"
	"matrix:\n  name: wall\n  from: [a, all, gone]\n  to: [d, e]\n  ports: [53/udp, 1-3/tcp]\n"
	"  expect: deny\n  table:\n    a: A . - N\n    all: {d: allow, e tcp/1-3: {verdict: denied, denied-by: x*}}\n"
	"    p-2: none\n";

static void test_matrix(void **state)
{
	struct fg_scenario_member a = member("a", 1),
				  all[] = { member("p-1", 2), member("p-2", 3) };
	const struct fg_scenario_found found[] = { { .members = &a, .count = 1 },
						   { .members = all, .count = 2 },
						   { .why = "not here" } };
	static const struct {
		const char *expect, *name;
		uint64_t first, total;
	} blocks[] = {
		{ "allow", "wall: a to d udp/53", 0, 1 },
		{ "deny", "wall: a to d tcp/1-3 port 1", 1, 3 },
		/* e udp/53 is left out. */
		{ "none", "wall: a to e tcp/1-3 port 1", 4, 3 },
		{ "allow", "wall: p-1 to d udp/53", 7, 1 },
		{ "allow", "wall: p-1 to d tcp/1-3 port 1", 8, 3 },
		{ "deny", "wall: p-1 to e udp/53", 11, 1 },
		{ "verdict denied, denied-by x*", "wall: p-1 to e tcp/1-3 port 1", 12, 3 },
		{ "none", "wall: p-2 to d udp/53", 15, 1 },
		{ "none", "wall: p-2 to d tcp/1-3 port 1", 16, 3 },
		{ "none", "wall: p-2 to e udp/53", 19, 1 },
		{ "none", "wall: p-2 to e tcp/1-3 port 1", 20, 3 },
		/* What is not here is told once for each cell. */
		{ "deny", "wall: gone to d udp/53", 23, 1 },
		{ "deny", "wall: gone to d tcp/1-3 port 1", 24, 1 },
		{ "deny", "wall: gone to e udp/53", 25, 1 },
		{ "deny", "wall: gone to e tcp/1-3 port 1", 26, 1 },
	};

	(void)state;
	read_it(matrix);
	lay(found);
	assert_int_equal(layout.count, COUNT(blocks));
	for (size_t i = 0; i < layout.count; i++) {
		assert_string_equal(name_of(i, 0), blocks[i].name);
		assert_string_equal(layout.blocks[i].expect->text, blocks[i].expect);
		assert_int_equal(layout.blocks[i].first, blocks[i].first);
		assert_int_equal(layout.blocks[i].total, blocks[i].total);
	}
	assert_int_equal(layout.total, 27);
	assert_string_equal(name_of(1, 2), "wall: a to d tcp/1-3 port 3");
	assert_string_equal(layout.blocks[11].why, "not here");
}

static void test_controls_first(void **state)
{
	struct fg_scenario_member a = member("a", 1);
	const struct fg_scenario_found found = { .members = &a, .count = 1 };

	(void)state;
	read_it("name: c\npods: {a: netns:a}\ndefaults: {proto: udp, to: 10.1.0.9}\nprobes:\n"
		"  - {name: first, from: a, dport: 1}\n"
		"  - {name: denied, from: a, dport: 2, expect: deny, control: 3}\n"
		"  - {name: other, from: a, dport: 4, expect: allow, control-of: denied}\n");
	lay(&found);
	assert_int_equal(layout.count, 4);
	assert_string_equal(name_of(0, 0), "first");
	assert_string_equal(name_of(1, 0), "control of denied");
	assert_string_equal(name_of(2, 0), "other");
	assert_string_equal(name_of(3, 0), "denied");
	assert_int_equal(fg_ports_get(layout.blocks[1].dports, 0), 3);
}

static void test_addresses(void **state)
{
	struct fg_scenario_member a = member("a", 1),
				  six = { .label = (char *)"six", .pod = 2, .netns = 2 };
	struct fg_scenario_found found[2] = { { .members = &a, .count = 1 },
					      { .members = &six, .count = 1 } };

	(void)state;
	six.v6 = (struct fg_addr){ AF_INET6, { 0xfd, [15] = 6 } };
	a.v6 = (struct fg_addr){ AF_INET6, { 0xfd, [15] = 1 } };
	read_it("name: x\npods: {a: netns:a, six: netns:six}\ndestinations: {s: {pod: six, port: 80}}\nprobes:\n"
		"  - {from: a, to: s}\n  - {from: six, to: 10.0.0.1, proto: icmp}\n"
		"  - {from: a, to: '10.0.0.1:1', src: 10.0.0.77}\n"
		"  - {from: a, to: '10.0.0.1:1', src: 10.0.0.77, spoof: true}\n  - {from: a, to: six, proto: icmp}\n");
	lay(found);
	/* The family that both have, and the port of the destination. */
	assert_int_equal(layout.blocks[0].src.family, AF_INET6);
	assert_int_equal(fg_ports_get(layout.blocks[0].dports, 0), 80);
	assert_string_equal(name_of(0, 0), "a to six tcp");
	assert_string_equal(layout.blocks[1].why, "the pod has no IPv4 address");
	assert_non_null(strstr(layout.blocks[2].why, "does not own the address"));
	assert_null(layout.blocks[3].why);
	assert_int_equal(layout.blocks[3].src.bytes[3], 77);
	assert_int_equal(layout.blocks[4].dst.family, AF_INET6);
}

/* --- judging --- */

static const char *reason_name(const void *names, uint32_t code)
{
	(void)names;
	return code == 73 ? "TC_INGRESS" : NULL;
}

static void test_check(void **state)
{
	static struct fg_program programs[] = { { .name = "deny_port" } };
	static const struct fg_ladder ladder = { .programs = programs, .count = 1 };
	static const struct fg_context context = { .ladder = &ladder, .reason = reason_name };
	static const struct {
		const char *expect;
		struct fg_result result;
		enum fg_case_status status;
		const char *why;
	} cases[] = {
		{ "allow",
		  { .verdict = FG_VERDICT_NONE, .outcome = FG_OUTCOME_DELIVERED },
		  FG_CASE_PASS,
		  "" },
		/* Let through, as far as is known; whether it arrived is not. */
		{ "allow",
		  { .verdict = FG_VERDICT_NONE },
		  FG_CASE_INCONCLUSIVE,
		  "outcome: inconclusive: the packet's end was not seen" },
		{ "enforced",
		  { .verdict = FG_VERDICT_NONE },
		  FG_CASE_FAIL,
		  "verdict: expected allowed or denied or redirected, got none" },
		{ "deny",
		  { .verdict = FG_VERDICT_ALLOWED },
		  FG_CASE_FAIL,
		  "verdict: expected denied, got allowed" },
		{ "deny",
		  { .verdict = FG_VERDICT_UNKNOWN, .reason = "no evidence" },
		  FG_CASE_INCONCLUSIVE,
		  "verdict: unknown: no evidence" },
		{ "deny",
		  { .verdict = FG_VERDICT_DENIED, .outcome = FG_OUTCOME_DROPPED },
		  FG_CASE_PASS,
		  "" },
		/* What policy allows has to arrive. */
		{ "allow",
		  { .verdict = FG_VERDICT_ALLOWED,
		    .outcome = FG_OUTCOME_DROPPED,
		    .decider = { .kind = FG_KIND_ROUTE, .stage = FG_STAGE_NODE } },
		  FG_CASE_FAIL,
		  "outcome: expected it to arrive, but it was dropped by route" },
		{ "{verdict: allow}",
		  { .verdict = FG_VERDICT_NONE, .outcome = FG_OUTCOME_DROPPED },
		  FG_CASE_FAIL,
		  "outcome: expected it to arrive, but it was dropped" },
		{ "allow",
		  { .verdict = FG_VERDICT_ALLOWED,
		    .outcome = FG_OUTCOME_REJECTED,
		    .decider = { .kind = FG_KIND_SOCKET, .stage = FG_STAGE_INGRESS } },
		  FG_CASE_PASS,
		  "" },
		{ "{egress: allow, ingress: deny}",
		  { .verdict = FG_VERDICT_DENIED,
		    .outcome = FG_OUTCOME_DROPPED,
		    .stages = { { true, FG_VERDICT_ALLOWED },
				{ true, FG_VERDICT_NONE },
				{ true, FG_VERDICT_DENIED } } },
		  FG_CASE_PASS,
		  "" },
		{ "{ingress: deny}",
		  { .verdict = FG_VERDICT_DENIED,
		    .outcome = FG_OUTCOME_DROPPED,
		    .stages = { { true, FG_VERDICT_DENIED } } },
		  FG_CASE_FAIL,
		  "ingress: expected denied, but the packet did not get there" },
		{ "{denied-by: netfilter}",
		  { .verdict = FG_VERDICT_DENIED,
		    .denied_by = -1,
		    .outcome = FG_OUTCOME_DROPPED,
		    .decider = { .kind = FG_KIND_NETFILTER, .stage = FG_STAGE_NODE } },
		  FG_CASE_PASS,
		  "" },
		/* What was not sent is no answer to a question about policy. */
		{ "not-sent",
		  { .verdict = FG_VERDICT_NONE,
		    .outcome = FG_OUTCOME_NOT_SENT,
		    .reason = "no way",
		    .denied_by = -1 },
		  FG_CASE_PASS,
		  "" },
		{ "any",
		  { .verdict = FG_VERDICT_NONE,
		    .outcome = FG_OUTCOME_NOT_SENT,
		    .reason = "no way",
		    .denied_by = -1 },
		  FG_CASE_PASS,
		  "" },
		{ "{outcome: [dropped, not-sent]}",
		  { .verdict = FG_VERDICT_NONE,
		    .outcome = FG_OUTCOME_NOT_SENT,
		    .reason = "no way",
		    .denied_by = -1 },
		  FG_CASE_PASS,
		  "" },
		{ "allow",
		  { .verdict = FG_VERDICT_NONE,
		    .outcome = FG_OUTCOME_NOT_SENT,
		    .reason = "no way",
		    .denied_by = -1 },
		  FG_CASE_FAIL,
		  "outcome: not-sent: no way" },
		{ "none",
		  { .verdict = FG_VERDICT_NONE,
		    .outcome = FG_OUTCOME_NOT_SENT,
		    .reason = "no way",
		    .denied_by = -1 },
		  FG_CASE_FAIL,
		  "outcome: not-sent: no way" },
		{ "deny",
		  { .verdict = FG_VERDICT_NONE,
		    .outcome = FG_OUTCOME_NOT_SENT,
		    .reason = "no way",
		    .denied_by = -1 },
		  FG_CASE_FAIL,
		  "outcome: not-sent: no way" },
		{ "dropped",
		  { .verdict = FG_VERDICT_NONE,
		    .outcome = FG_OUTCOME_NOT_SENT,
		    .reason = "no way",
		    .denied_by = -1 },
		  FG_CASE_FAIL,
		  "outcome: not-sent: no way" },
		{ "{egress: none}",
		  { .verdict = FG_VERDICT_NONE,
		    .outcome = FG_OUTCOME_NOT_SENT,
		    .reason = "no way",
		    .denied_by = -1 },
		  FG_CASE_FAIL,
		  "outcome: not-sent: no way" },
		{ "{reply: none}",
		  { .verdict = FG_VERDICT_NONE,
		    .outcome = FG_OUTCOME_NOT_SENT,
		    .reason = "no way",
		    .denied_by = -1 },
		  FG_CASE_FAIL,
		  "outcome: not-sent: no way" },
		{ "{denied-by: x}",
		  { .verdict = FG_VERDICT_NONE,
		    .outcome = FG_OUTCOME_NOT_SENT,
		    .reason = "no way",
		    .denied_by = -1 },
		  FG_CASE_FAIL,
		  "outcome: not-sent: no way" },
		/* A denial was asked for, and is known: that the end is not does not matter. */
		{ "deny", { .verdict = FG_VERDICT_DENIED }, FG_CASE_PASS, "" },
		{ "any",
		  { .verdict = FG_VERDICT_DENIED },
		  FG_CASE_INCONCLUSIVE,
		  "outcome: inconclusive: the packet's end was not seen" },
		{ "{verdict: [denied, none], outcome: dropped}",
		  { .verdict = FG_VERDICT_NONE, .outcome = FG_OUTCOME_DELIVERED },
		  FG_CASE_FAIL,
		  "outcome: expected dropped, got delivered" },
		{ "{denied-by: deny_*}",
		  { .verdict = FG_VERDICT_DENIED, .outcome = FG_OUTCOME_DROPPED, .denied_by = 0 },
		  FG_CASE_PASS,
		  "" },
		{ "{denied-by: other}",
		  { .verdict = FG_VERDICT_DENIED, .outcome = FG_OUTCOME_DROPPED, .denied_by = 0 },
		  FG_CASE_FAIL,
		  "denied-by: expected other, got deny_port" },
		{ "{denied-by: deny_port}",
		  { .verdict = FG_VERDICT_DENIED, .outcome = FG_OUTCOME_DROPPED, .denied_by = -1 },
		  FG_CASE_INCONCLUSIVE,
		  "denied-by: expected deny_port, but it is not known which" },
		{ "{reason: TC_*}",
		  { .outcome = FG_OUTCOME_DROPPED, .dropped = true, .drop_code = 73 },
		  FG_CASE_PASS,
		  "" },
		{ "{reason: NO_SOCKET}",
		  { .outcome = FG_OUTCOME_DROPPED, .dropped = true, .drop_code = 73 },
		  FG_CASE_FAIL,
		  "reason: expected NO_SOCKET, got TC_INGRESS" },
		{ "{reason: NO_SOCKET}",
		  { .outcome = FG_OUTCOME_DELIVERED },
		  FG_CASE_FAIL,
		  "reason: expected NO_SOCKET, got none" },
		{ "{reply: syn-ack, rtt: 5ms}",
		  { .outcome = FG_OUTCOME_REPLIED,
		    .reply = { .kind = FG_REPLY_SYN_ACK, .rtt_ns = 4000000 } },
		  FG_CASE_PASS,
		  "" },
		{ "{reply: syn-ack, rtt: 5ms}",
		  { .outcome = FG_OUTCOME_REPLIED,
		    .reply = { .kind = FG_REPLY_SYN_ACK, .rtt_ns = 6000000 } },
		  FG_CASE_FAIL,
		  "rtt: expected at most 5.000 ms, got 6.000 ms" },
		{ "{reply: syn-ack}",
		  { .outcome = FG_OUTCOME_REJECTED, .reply = { .kind = FG_REPLY_RST } },
		  FG_CASE_FAIL,
		  "reply: one of a different kind came" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct fg_probe probe = { .result = cases[i].result };
		enum fg_case_status status;
		char text[300], why[300];

		snprintf(text, sizeof(text),
			 "name: x\nprobes: [{from: 'netns:a', to: '10.0.0.1:1', expect: %s}]",
			 cases[i].expect);
		read_it(text);
		status = fg_scenario_check(&scenario.sets[0].expect, &probe, &context, why,
					   sizeof(why));
		if (status != cases[i].status)
			fail_msg("%s: %s: %s", cases[i].expect, fg_scenario_status_name(status),
				 why);
		assert_string_equal(why, cases[i].why);
		fg_scenario_free(&scenario);
	}
}

/* --- commands --- */

static const char commands[] = "name: x\n"
			       "variables: {port: 80}\n"
			       "pods: {a: 'netns:a', all: {name: p-*}}\n"
			       "probes:\n"
			       "  - name: web\n"
			       "    from: a\n"
			       "    exec: curl -s d:${port} |\n"
			       "      grep ok\n"
			       "    output: ^ok$\n"
			       "    timeout: 2s\n"
			       "    count: 2\n"
			       "    expect: allow:${port}/tcp\n"
			       "  - from: [a, all]\n"
			       "    exec: [nc, -z, '10.0.0.9', 81]\n"
			       "    expect: deny\n"
			       "  - from: a\n"
			       "    to: '10.0.0.9:81'\n";

static void test_commands(void **state)
{
	struct fg_scenario_member a = member("a", 1),
				  all[] = { member("p-1", 2), member("p-2", 3) };
	const struct fg_scenario_found found[] = { { .members = &a, .count = 1 },
						   { .members = all, .count = 2 } };
	const struct fg_scenario_command *c;

	(void)state;
	read_it(commands);
	assert_int_equal(scenario.set_count, 3);
	c = scenario.sets[0].command;
	assert_string_equal(c->argv[0], "/bin/sh");
	assert_string_equal(c->argv[1], "-c");
	assert_string_equal(c->argv[2], "curl -s d:80 | grep ok");
	assert_null(c->argv[3]);
	assert_string_equal(c->text, "curl -s d:80 | grep ok");
	assert_int_equal(c->timeout_ns, 2000000000ULL);
	assert_false(c->any_status);
	assert_int_equal(c->flows.rules[0].ports.ranges[0].first, 80);
	assert_string_equal(scenario.sets[0].expect.text,
			    "exit status 0, output /^ok$/, allow:80/tcp");
	c = scenario.sets[1].command;
	assert_string_equal(c->argv[0], "nc");
	assert_string_equal(c->argv[3], "81");
	assert_string_equal(c->text, "nc -z 10.0.0.9 81");
	assert_int_equal(c->timeout_ns, FG_SCENARIO_COMMAND_TIMEOUT_NS);
	assert_true(c->any_status);
	assert_string_equal(scenario.sets[1].expect.text, "deny");
	assert_null(scenario.sets[2].command);
	lay(found);
	assert_int_equal(layout.total, 6);
	assert_int_equal(layout.blocks[0].total, 2);
	assert_string_equal(name_of(0, 1), "web (2)");
	assert_string_equal(name_of(1, 0), "a: nc -z 10.0.0.9 81");
	assert_string_equal(name_of(3, 0), "p-2: nc -z 10.0.0.9 81");
	assert_string_equal(name_of(4, 0), "a to 10.0.0.9:81 tcp");
	/* What it means as a destination is nobody's destination. */
	assert_true(scenario.places[scenario.sets[1].to[0]].nowhere);
}

static void test_check_command(void **state)
{
	const struct {
		const char *settings;
		struct fg_scenario_ran ran;
		enum fg_case_status status;
		const char *why;
	} cases[] = {
		{ "", { .output = (char *)"" }, FG_CASE_PASS, "" },
		{ "",
		  { .output = (char *)"", .status = 3 },
		  FG_CASE_FAIL,
		  "exit status: expected 0, got 3" },
		{ "exit-status: 3", { .output = (char *)"", .status = 3 }, FG_CASE_PASS, "" },
		{ "exit-status: any", { .output = (char *)"", .status = 3 }, FG_CASE_PASS, "" },
		{ "timeout: 2s",
		  { .output = (char *)"", .status = 124, .overdue = true },
		  FG_CASE_FAIL,
		  "exit status: expected 0, got 124: it took longer than 2 s" },
		{ "exit-status: any",
		  { .status = 127, .failed = (char *)"x: not found" },
		  FG_CASE_FAIL,
		  "x: not found" },
		{ "exit-status: any",
		  { .output = (char *)"", .stopped = true },
		  FG_CASE_INCONCLUSIVE,
		  "it was interrupted" },
		{ "output: ^b+$", { .output = (char *)"a\nbb\nc" }, FG_CASE_PASS, "" },
		{ "output: ^b+$",
		  { .output = (char *)"a\nbbc" },
		  FG_CASE_FAIL,
		  "output: expected /^b+$/, which is not in it" },
		{ "output: ^b+$",
		  { .output = (char *)"a", .output_cut = true },
		  FG_CASE_INCONCLUSIVE,
		  "output: expected /^b+$/, which is not in its beginning" },
		/* Nothing was expected of the flows. */
		{ "", { .output = (char *)"", .met = FG_FLOWS_UNKNOWN }, FG_CASE_PASS, "" },
		{ "expect: allow",
		  { .output = (char *)"", .met = FG_FLOWS_MET },
		  FG_CASE_PASS,
		  "" },
		{ "expect: allow",
		  { .output = (char *)"", .met = FG_FLOWS_UNKNOWN, .met_why = "nobody knows" },
		  FG_CASE_INCONCLUSIVE,
		  "nobody knows" },
		{ "expect: deny",
		  { .output = (char *)"", .status = 7, .met = FG_FLOWS_UNMET, .met_why = "not so" },
		  FG_CASE_FAIL,
		  "not so" },
		/* The status is told first; a failure weighs more than what is not known. */
		{ "expect: allow",
		  { .output = (char *)"", .status = 7, .met = FG_FLOWS_UNMET, .met_why = "not so" },
		  FG_CASE_FAIL,
		  "exit status: expected 0, got 7" },
		{ "expect: allow, output: x",
		  { .output = (char *)"",
		    .output_cut = true,
		    .met = FG_FLOWS_UNMET,
		    .met_why = "not so" },
		  FG_CASE_FAIL,
		  "not so" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum fg_case_status status;
		char text[300], why[300];

		snprintf(text, sizeof(text),
			 "name: x\nprobes: [{from: 'netns:a', exec: 'true'%s%s}]",
			 cases[i].settings[0] ? ", " : "", cases[i].settings);
		read_it(text);
		status =
			fg_command_check(scenario.sets[0].command, &cases[i].ran, why, sizeof(why));
		if (status != cases[i].status || strcmp(why, cases[i].why) != 0)
			fail_msg("%zu: %s: %s: %s", i, cases[i].settings,
				 fg_scenario_status_name(status), why);
		fg_scenario_free(&scenario);
	}
}

static void test_record_command(void **state)
{
	struct fg_scenario_member a = member("a", 1), p = member("p-1", 2);
	const struct fg_scenario_found found[] = { { .members = &a, .count = 1 },
						   { .members = &p, .count = 1 } };
	const char *const seen[] = { "allow", "allow", "deny", "deny", "denied" };
	const uint8_t statuses[] = { 0, 1, 7, 7, 0 };
	const char *lost;
	struct fg_error err;
	char *text;

	(void)state;
	read_it(commands);
	lay(found);
	text = fg_scenario_record(&scenario, &layout, seen, statuses, &lost, &err);
	assert_non_null(text);
	fg_scenario_layout_free(&layout);
	fg_scenario_free(&scenario);
	read_it(text);
	free(text);
	/* Its two runs ended differently. */
	assert_true(scenario.sets[0].command->any_status);
	assert_int_equal(scenario.sets[0].command->flows.rules[0].word, FG_FLOWS_ALLOW);
	assert_false(scenario.sets[1].command->any_status);
	assert_int_equal(scenario.sets[1].command->status, 7);
	assert_int_equal(scenario.sets[1].command->flows.rules[0].word, FG_FLOWS_DENY);
	assert_string_equal(scenario.sets[2].expect.text, "denied");
}

/* --- recording --- */

static void test_record(void **state)
{
	struct fg_scenario_member a = member("a", 1),
				  all[] = { member("p-1", 2), member("p-2", 3) };
	const struct fg_scenario_found found[] = { { .members = &a, .count = 1 },
						   { .members = all, .count = 2 },
						   { .why = "not here" } };
	const char *seen[27] = {};
	const uint8_t statuses[27] = {};
	const char *lost;
	struct fg_error err;
	char *text;

	(void)state;
	read_it(matrix);
	lay(found);
	for (size_t i = 0; i < 23; i++)
		seen[i] = i == 2 ? "deny" : i >= 15 ? "none" : "allowed";
	text = fg_scenario_record(&scenario, &layout, seen, statuses, &lost, &err);
	assert_non_null(text);
	fg_scenario_layout_free(&layout);
	fg_scenario_free(&scenario);
	/* It is a scenario again, and expects what was seen. */
	read_it(text);
	free(text);
	lay(found);
	assert_string_equal(layout.blocks[0].expect->text, "allowed");
	assert_string_equal(layout.blocks[1].expect->text, "any"); /* its ports differ */
	assert_string_equal(layout.blocks[2].expect->text, "allowed");
	assert_string_equal(layout.blocks[7].expect->text, "none");
	assert_string_equal(layout.blocks[11].expect->text, "any");
	assert_int_equal(layout.total, 27);
}

/* What is written once and stands twice may be seen to do two things. A control takes no place. */
static void test_record_alias(void **state)
{
	static const char text[] = "name: x\npods: {a: 'netns:a'}\n"
				   "probes:\n- {from: a, to: '10.0.0.1:1', control: 2}\n"
				   "- &p {from: a, to: '10.0.0.1:1', expect: allow}\n- *p\n"
				   "matrix: [&m {from: a, to: 10.0.0.1, ports: [1]}, *m]\n";
	static const char *const seen[] = { "deny", "delivered", "deny", "none", "deny", "none" };
	struct fg_scenario_member a = member("a", 1);
	const struct fg_scenario_found found[] = { { .members = &a, .count = 1 } };
	const uint8_t statuses[COUNT(seen)] = {};
	const char *lost, *by_block[COUNT(seen)];
	struct fg_error err;
	char *recorded;

	(void)state;
	read_it(text);
	lay(found);
	assert_int_equal(layout.total, COUNT(seen));
	for (size_t i = 0; i < COUNT(seen); i++)
		by_block[layout.blocks[i].first] = seen[layout.blocks[i].set];
	recorded = fg_scenario_record(&scenario, &layout, by_block, statuses, &lost, &err);
	assert_non_null(recorded);
	clean(state);
	read_it(recorded);
	free(recorded);
	lay(found);
	for (size_t i = 0; i < COUNT(seen); i++)
		assert_string_equal(layout.blocks[i].expect->text,
				    layout.blocks[i].set == 1 ? "allow"
							      : seen[layout.blocks[i].set]);
}

/* A word means in a scenario what it means to --expect and --until. */
static void test_words_are_those_of_options(void **state)
{
	static const char *const words[] = { "allow",	  "allowed",   "deny",	 "denied",
					     "delivered", "forwarded", "dropped" };

	for (size_t i = 0; i < COUNT(words); i++) {
		struct fg_error err = {};
		enum fg_expect option = FG_EXPECT_NOTHING;
		char text[100];

		snprintf(text, sizeof(text),
			 "name: x\nprobes: [{from: 'netns:a', to: '10.0.0.1:1', expect: %s}]",
			 words[i]);
		read_it(text);
		assert_int_equal(fg_expect_parse("--expect", words[i], &option, &err), 0);
		assert_int_equal(fg_scenario_simple(&scenario.sets[0].expect), option);
		clean(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_words_are_those_of_options, clean),
		cmocka_unit_test_teardown(test_variables, clean),
		cmocka_unit_test_teardown(test_trace_netfilter, clean),
		cmocka_unit_test_teardown(test_json_and_merge, clean),
		cmocka_unit_test(test_selectors),
		cmocka_unit_test_teardown(test_matrix, clean),
		cmocka_unit_test_teardown(test_controls_first, clean),
		cmocka_unit_test_teardown(test_addresses, clean),
		cmocka_unit_test_teardown(test_check, clean),
		cmocka_unit_test_teardown(test_record, clean),
		cmocka_unit_test_teardown(test_record_alias, clean),
		cmocka_unit_test_teardown(test_commands, clean),
		cmocka_unit_test_teardown(test_check_command, clean),
		cmocka_unit_test_teardown(test_record_command, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
