// SPDX-License-Identifier: GPL-2.0-only
/* What a person can get wrong in a file, where it is told to be, and the whole of what is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/count.h"
#include "scenario/scenario.h"

/* The first lines of most cases, so that the mistake stands in line 4 and after. */
#define HEAD                                                                                       \
	"name: x\npods: {a: netns:a, b: netns:b}\ndestinations: {d: 10.0.0.9, w: 10.0.0.9:80}\n"
#define PROBE HEAD "probes:\n  - from: a\n    to: d\n    proto: udp\n    dport: 53\n"
#define MATRIX HEAD "matrix:\n  from: [a, b]\n  to: d\n  ports: [53/udp, 80]\n"

static const struct {
	const char *text;
	const char *message, *hint; /* hint NULL: none */
} cases[] = {
	/* --- commands --- */
	{ HEAD "probes:\n  - from: a\n    exec: ''\n",
	  "f:6:11: probes[0].exec: the command is empty", NULL },
	{ HEAD "probes:\n  - from: a\n    exec: []\n", "f:6:11: probes[0].exec: the list is empty",
	  NULL },
	{ HEAD "probes:\n  - from: a\n    exec: {}\n",
	  "f:6:11: probes[0].exec: expected a single value", NULL },
	{ HEAD "probes:\n  - exec: 'true'\n", "f:5:5: probes[0]: has no key \"from\"", NULL },
	{ HEAD "probes:\n  - from: a\n    exec: 'true'\n    to: d\n",
	  "f:7:5: probes[0]: a probe with exec has no key \"to\"; it has name, from, exec, exit-status, output, "
	  "timeout, count, expect, on-failure, senders, src, dns",
	  NULL },
	{ HEAD "probes:\n  - from: a\n    exec: 'true'\n    exit-status: 256\n",
	  "f:7:18: probes[0].exit-status: must be any, or a number from 0 to 255, not \"256\"",
	  NULL },
	{ HEAD "probes:\n  - from: a\n    exec: 'true'\n    output: '('\n",
	  "f:7:13: probes[0].output: not an extended regular expression: Unmatched ( or \\(",
	  NULL },
	{ HEAD "probes:\n  - from: a\n    exec: 'true'\n    timeout: 0\n",
	  "f:7:14: probes[0].timeout: must be more than 0", NULL },
	{ HEAD "probes:\n  - from: a\n    exec: 'true'\n    src: here\n",
	  "f:7:10: probes[0].src: \"here\" is not an IPv4 or IPv6 address", NULL },
	{ HEAD "probes:\n  - from: a\n    exec: 'true'\n    dns: ours\n",
	  "f:7:10: probes[0].dns: must be pod, host or an address, not \"ours\"", NULL },
	{ HEAD "probes:\n  - from: a\n    exec: 'true'\n    expect: denied\n",
	  "f:7:13: probes[0].expect: must be any, allow or deny, not \"denied\"", NULL },
	{ HEAD
	  "probes:\n  - {name: c, from: a, exec: 'true'}\n  - {from: a, to: d, proto: udp, dport: 53, "
	  "control-of: c}\n",
	  "f:6:57: control-of: \"c\" runs a command, and no packet", NULL },

	/* --- YAML itself --- */
	{ "", "f:1:1: the file is empty", NULL },
	{ "# nothing\n", "f:1:1: the file is empty", NULL },
	{ "name: x\n\tpods: y\n", "f:2:1: found a tab character that violates indentation", NULL },
	{ "name: [x\nprobes: []\n", "f:2:7: did not find expected ',' or ']'", NULL },
	{ "name: 'x\n", "f:2:1: found unexpected end of stream", NULL },
	{ "name: x\nname: y\n", "f:2:1: duplicate key: name", NULL },
	{ "name: x\n---\nname: y\n", "f:2:1: a second document", NULL },
	{ "name: !!python/object:os.system x\n",
	  "f:1:7: tags are not supported: tag:yaml.org,2002:python/object:os.system", NULL },
	{ "name: *nobody\n", "f:1:7: no anchor before this has the name nobody", NULL },
	{ "? [a, b]\n: c\n", "f:1:3: a key must be a single word or text", NULL },
	{ "name: \"a\\0b\"\n", "f:1:7: a NUL character", NULL },
	{ "name: \xff\n", "f:1:1: byte 7: invalid leading UTF-8 octet", NULL },
	{ "a: &a [x]\n<<: 3\n", "f:3:1: <<: takes mappings only", NULL },
	{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "f:1:33: nested deeper than 32 levels", NULL },

	/* --- the top level --- */
	{ "- a\n", "f:1:1: expected a scenario: a mapping", NULL },
	{ "nmae: x\n",
	  "f:1:1: a scenario has no key \"nmae\"; it has schema, name, description, on-failure, timeout, seed, "
	  "variables, pods, destinations, defaults, probes, matrix, trace-netfilter",
	  "did you mean \"name\"?" },
	{ "pods: {}\n", "f:1:1: has no key \"name\"", NULL },
	{ "name:\nprobes: []\n", "f:1:6: name: no value", NULL },
	{ "name: x\n", "f:1:1: neither probes nor a matrix: nothing to send", NULL },
	{ "schema: flowgen.scenario/2\nname: x\n", "f:1:9: schema: expected flowgen.scenario/1",
	  NULL },
	{ "name: x\ntimeout: 5 parsecs\n",
	  "f:2:10: timeout: \"5 parsecs\" is not a duration like 500us, 10ms, 2s, 0.5 or 1m",
	  NULL },
	{ "name: x\nseed: many\n",
	  "f:2:7: seed: \"many\" is not a number from 0 to 18446744073709551615", NULL },

	{ "name: x\ntrace-netfilter: perhaps\n",
	  "f:2:18: trace-netfilter: must be true or false, not \"perhaps\"", NULL },

	/* --- variables --- */
	{ "name: x\nvariables: [a]\n",
	  "f:2:12: variables: expected the variables: a mapping of names to values", NULL },
	{ "name: x\nvariables:\n  port:\n", "f:3:3: variables.port: the variable has no value",
	  "give it one: --set port=VALUE" },
	{ "name: x\nvariables: {a b: 1}\n",
	  "f:2:13: variables.a b: a variable name may only have letters, digits, - and _", NULL },
	{ "name: ${who}\nvariables: {whom: x}\n", "f:1:7: name: no variable \"who\" in variables",
	  "did you mean \"whom\"?" },
	{ "name: ${who\n", "f:1:7: name: \"${\" without a variable's name and \"}\"",
	  "$${ stands for ${ itself" },

	/* --- pods and destinations --- */
	{ "name: x\npods: [a]\n",
	  "f:2:7: pods: expected the pods: a mapping of names to references", NULL },
	{ "name: x\npods: {a: {reff: b}}\n",
	  "f:2:12: pods.a: a pod has no key \"reff\"; it has ref, namespace, name, interface, method",
	  "did you mean \"ref\"?" },
	{ "name: x\npods: {a: {interface: eth0}}\n",
	  "f:2:11: pods.a: expected ref, or a selector of namespace and name", NULL },
	{ "name: x\npods: {a: {ref: b, name: c}}\n",
	  "f:2:11: pods.a: expected either ref or a selector of namespace and name, not both",
	  NULL },
	{ "name: x\npods: {a: {ref: b, method: egress}}\n",
	  "f:2:28: pods.a.method: must be auto, peer-egress, bounce, host-ingress or pod-socket, not \"egress\"",
	  NULL },
	{ "name: x\npods: {a: }\n", "f:2:11: pods.a: no value", NULL },
	{ "name: x\ndestinations: {d: 10.0.0.256}\n",
	  "f:2:19: destinations.d: \"10.0.0.256\" is not ADDR, ADDR:PORT or [ADDR6]:PORT", NULL },
	{ "name: x\ndestinations: {d: {port: 80}}\n",
	  "f:2:19: destinations.d: expected either address or pod", NULL },
	{ "name: x\npods: {d: netns:d}\ndestinations: {d: 10.0.0.9}\n",
	  "f:3:16: destinations.d: a pod in pods has this name already", NULL },
	{ "name: x\ndestinations: {d: {address: '10.0.0.9:80', port: 81}}\n",
	  "f:2:50: destinations.d.port: the address has a port already", NULL },
	{ "name: x\ndestinations: {d: {address: 10.0.0.9, port: http}}\n",
	  "f:2:45: destinations.d.port: \"http\" is not a number from 1 to 65535", NULL },

	/* --- probes --- */
	{ HEAD "probes: {}\n", "f:4:9: probes: expected a list", NULL },
	{ HEAD "probes:\n  - a\n", "f:5:5: probes[0]: expected a probe: a mapping", NULL },
	{ HEAD "probes:\n  - from: a\n", "f:5:5: probes[0]: has no key \"to\"", NULL },
	{ HEAD "probes:\n  - {from: c, to: d}\n", "f:5:12: probes[0].from: no pod \"c\" in pods",
	  "write a reference with its kind: netns:c" },
	{ HEAD "probes:\n  - {from: a, to: dd}\n",
	  "f:5:19: probes[0].to: \"dd\" is neither a name in destinations or pods nor ADDR[:PORT]",
	  NULL },
	{ HEAD "probes:\n  - {from: [a, a], to: d}\n", "f:5:16: probes[0].from[1]: given twice",
	  NULL },
	{ HEAD "probes:\n  - {from: [], to: d}\n", "f:5:12: probes[0].from: the list is empty",
	  NULL },
	{ HEAD "probes:\n  - {from: a, to: d}\n",
	  "f:5:5: probes[0]: no destination port for tcp to d",
	  "give dport, ports, or a destination with a port" },
	{ HEAD "probes:\n  - {from: a, to: w, dport: 81}\n",
	  "f:5:5: probes[0]: tcp/81: the destination w has a port already", NULL },
	{ HEAD "probes:\n  - {from: a, to: d, dport: 70000}\n",
	  "f:5:29: probes[0].dport: \"70000\" is not a list of ports from 1 to 65535 like 53, 1-1024 or 22,80,443",
	  NULL },
	{ HEAD "probes:\n  - {from: a, to: d, proto: icmp, dport: 53}\n",
	  "f:5:5: probes[0]: icmp/53: the packet has no ports", NULL },
	{ PROBE "    ttl: 256\n", "f:9:10: probes[0].ttl: \"256\" is not a number from 0 to 255",
	  NULL },
	{ PROBE "    expct: deny\n",
	  "f:9:5: probes[0]: a probe has no key \"expct\"; it has name, from, to, dport, sport, src, spoof, count, "
	  "expect, control, control-of, on-failure, senders and the packet options of inject",
	  "did you mean \"expect\"?" },
	{ PROBE "    flags: S\n", "f:5:5: probes[0]: flags: not for protocol udp", NULL },
	{ PROBE "    expect: alow\n",
	  "f:9:13: probes[0].expect: must be allow, deny, none, enforced, allowed, denied, redirected, "
	  "delivered, forwarded, dropped, not-sent, any or skip, not \"alow\"",
	  "did you mean \"allow\"?" },
	{ PROBE "    expect: D\n",
	  "f:9:13: probes[0].expect: must be allow, deny, none, enforced, allowed, denied, redirected, "
	  "delivered, forwarded, dropped, not-sent, any or skip, not \"D\"",
	  NULL },
	{ PROBE "    expect: skip\n", "f:9:13: probes[0]: skip is for the cells of a matrix",
	  NULL },
	{ PROBE "    expect: {}\n",
	  "f:9:13: probes[0].expect: nothing is expected: write any if that is meant", NULL },
	{ PROBE "    expect: {verdict: maybe}\n",
	  "f:9:23: probes[0].expect.verdict: must be allow, allowed, deny, denied, redirected, none or enforced, "
	  "not \"maybe\"",
	  NULL },
	{ PROBE "    expect: {outcome: dropt}\n",
	  "f:9:23: probes[0].expect.outcome: must be delivered, forwarded, dropped, rejected, replied or not-sent, not "
	  "\"dropt\"",
	  NULL },
	{ PROBE "    expect: {verdict: allow, denied-by: p}\n",
	  "f:9:30: probes[0].expect: denied-by contradicts the verdict, which is not denied",
	  NULL },
	{ PROBE "    expect: {outcome: delivered, reason: TC_INGRESS}\n",
	  "f:9:34: probes[0].expect: reason contradicts the outcome, which is not dropped", NULL },
	{ PROBE "    expect: {reply: pong}\n",
	  "f:9:21: probes[0].expect.reply: must be none, syn-ack, rst, tcp, echo-reply, icmp-error, dns, udp, "
	  "sctp-init-ack, sctp-abort, sctp, other, allow, allowed, deny, denied, redirected or enforced, "
	  "not \"pong\"",
	  "did you mean \"none\"?" },
	{ PROBE "    expect: {reply: none, rtt: 5ms}\n",
	  "f:9:27: probes[0].expect: rtt contradicts reply: none", NULL },
	{ PROBE "    senders: 0\n",
	  "f:9:14: probes[0].senders: \"0\" is not a number from 1 to 1048576", NULL },
	{ PROBE "    count: 0\n",
	  "f:9:12: probes[0].count: \"0\" is not a number from 1 to 1048576", NULL },
	{ PROBE "    spoof: perhaps\n",
	  "f:9:12: probes[0].spoof: must be true or false, not \"perhaps\"", NULL },
	{ PROBE "    src: fd00::1\n",
	  "f:5:5: probes[0]: src and the destination d are of different families", NULL },
	{ PROBE "    control-of: ghost\n", "f:9:17: control-of: no probe has the name \"ghost\"",
	  NULL },
	{ PROBE "    name: n\n    control-of: n\n",
	  "f:10:17: control-of: a probe cannot be its own control", NULL },
	{ PROBE "    name: n\n  - {from: a, to: w, name: n}\n",
	  "f:10:28: probes[1]: line 5 has this name already", NULL },
	{ HEAD "defaults: {expect: alow}\nprobes: []\n",
	  "f:4:20: defaults.expect: must be allow, deny, none, enforced, allowed, denied, redirected, delivered, "
	  "forwarded, dropped, not-sent, any or skip, not \"alow\"",
	  "did you mean \"allow\"?" },
	{ HEAD "defaults: {proto: tpc}\nprobes: []\n",
	  "f:4:19: defaults.proto: must be tcp, udp, icmp, icmpv6, sctp, or a number from 0 to 255, not \"tpc\"",
	  NULL },

	/* --- matrices --- */
	{ HEAD "matrix:\n  from: a\n  to: d\n  ports: [53/udp, 53/udp]\n",
	  "f:7:19: matrix.ports[1]: the column \"udp/53\" is given twice", NULL },
	{ HEAD "matrix:\n  from: a\n  to: d\n  ports: [53/upd]\n",
	  "f:7:11: matrix.ports[0]: proto: must be tcp, udp, icmp, icmpv6, sctp, or a number from 0 to 255, not "
	  "\"upd\"",
	  NULL },
	{ MATRIX "  table: A\n",
	  "f:8:10: matrix.table: expected the table: a mapping of senders to rows", NULL },
	{ MATRIX "  table:\n    c: A\n",
	  "f:9:5: matrix.table.c: no row \"c\": it is not one of the matrix's senders (from)",
	  NULL },
	{ MATRIX "  table:\n    a: A D A\n",
	  "f:9:8: matrix.table.a: 3 words, but 2 columns (destinations x ports): one word for each, or one for all",
	  NULL },
	{ MATRIX "  table:\n    a: A X\n",
	  "f:9:8: matrix.table.a: must be A (allow), D (deny), N (none), E (enforced), R (redirected), ? (any), "
	  "- (skip) or . (as expect says), not \"X\"",
	  NULL },
	{ MATRIX "  table:\n    a: [A]\n",
	  "f:9:8: matrix.table.a: 1 items, but 2 columns (destinations x ports)", NULL },
	{ MATRIX "  table:\n    a: {udp/54: deny}\n",
	  "f:9:9: matrix.table.a.udp/54: no column \"udp/54\"; write a destination, a port, or both with a space "
	  "between",
	  "did you mean \"udp/53\"?" },
	{ MATRIX "  control: 5\n",
	  "f:8:3: matrix: a matrix has no key \"control\"; it has name, from, to, ports, sport, src, spoof, "
	  "count, expect, on-failure, table, senders and the packet options of inject",
	  NULL },
};

static void test_malformed(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fg_scenario s;
		struct fg_error err = {};
		int ret = fg_scenario_read(&s, "f", cases[i].text, strlen(cases[i].text), NULL, 0,
					   &err);
		const char *hint = cases[i].hint ? cases[i].hint : "";

		fg_scenario_free(&s);
		if (ret == -1 && err.kind == FG_ERR_USAGE &&
		    !strcmp(err.message, cases[i].message) && !strcmp(err.hint, hint))
			continue;
		print_error("case %zu:\n%s\n  said:     %s (%s)\n  expected: %s (%s)\n", i,
			    cases[i].text, ret ? err.message : "nothing", err.hint,
			    cases[i].message, hint);
		wrong++;
	}
	assert_int_equal(wrong, 0);
	assert_true(COUNT(cases) >= 40);
}

/* Each line doubles the one before: 2^30 values of 300 bytes. */
static void test_billion_laughs(void **state)
{
	char text[4096] = "a0: &a0 [x, x]\n";
	struct fg_yaml yaml;
	struct fg_error err;

	(void)state;
	for (int i = 1; i <= 30; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1,
			 i - 1);
	}
	assert_int_equal(fg_yaml_read(&yaml, "f", text, strlen(text), &err), -1);
	assert_non_null(strstr(err.message, "more than 1048576 values, with all aliases followed"));
	fg_yaml_free(&yaml);
}

static void test_too_many_probes(void **state)
{
	static const char text[] = HEAD
		"probes:\n  - {from: a, to: d, proto: udp, dport: 1-65535, count: 17}\n";
	struct fg_scenario_member member = { .label = (char *)"a",
					     .v4 = { AF_INET, { 10, 0, 0, 1 } } };
	struct fg_scenario_found found[2] = { { .members = &member, .count = 1 }, {} };
	struct fg_scenario_layout layout;
	struct fg_scenario s;
	struct fg_error err;

	(void)state;
	assert_int_equal(fg_scenario_read(&s, "f", text, strlen(text), NULL, 0, &err), 0);
	assert_int_equal(fg_scenario_lay_out(&s, found, &layout, &err), -1);
	assert_string_equal(err.message, "f:5:1: more than 1048576 probes in all");
	fg_scenario_layout_free(&layout);
	fg_scenario_free(&s);
}

/* What comes from the process that reads a file may be anything. */
static void test_hostile_events(void **state)
{
	static const char text[] = HEAD "probes: &a\n  - {from: a, to: d, proto: udp, dport: 1}\n";
	struct fg_buffer events = {};
	unsigned int seed = (unsigned int)time(NULL);
	struct fg_error err;
	struct fg_yaml yaml;
	size_t refused = 0;

	(void)state;
	print_message("# seed %u\n", seed);
	srand(seed);
	assert_int_equal(fg_yaml_events(&events, "f", text, strlen(text), &err), 0);
	assert_int_equal(fg_yaml_build(&yaml, "f", events.data, events.len, &err), 0);
	fg_yaml_free(&yaml);
	for (size_t len = 0; len < events.len; len++) {
		/* Of its own, so that a byte too many is noticed. */
		char *part = malloc(len ? len : 1);

		memcpy(part, events.data, len);
		assert_int_equal(fg_yaml_build(&yaml, "f", part, len, &err), -1);
		assert_int_equal(err.kind, FG_ERR_INTERNAL);
		assert_string_equal(err.message,
				    "f: the process that reads it sends something else than YAML");
		fg_yaml_free(&yaml);
		free(part);
	}
	for (int round = 0; round < 20000; round++) {
		char *copy = malloc(events.len);

		memcpy(copy, events.data, events.len);
		for (int i = 0; i <= round % 4; i++)
			copy[(size_t)rand() % events.len] = (char)(rand() % 3 ? rand() : 255);
		if (fg_yaml_build(&yaml, "f", copy, events.len, &err))
			refused++;
		fg_yaml_free(&yaml);
		free(copy);
	}
	assert_true(refused > 1000);
	fg_buffer_free(&events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_billion_laughs),
		cmocka_unit_test(test_too_many_probes),
		cmocka_unit_test(test_hostile_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
