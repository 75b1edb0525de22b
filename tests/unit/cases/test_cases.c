// SPDX-License-Identifier: GPL-2.0-only
/* test_cases.c - the results of two nodes as the cases of one scenario, and their reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/grow.h"
#include "cases/cases.h"
#include "cases/parts.h"

static const char scenario[] = "name: shop\n"
			       "pods: { cart: shop/cart-0, db: sts:pay/db }\n"
			       "destinations: { sql: 'svc:pay/sql:5432' }\n"
			       "probes:\n"
			       "  - { name: one, from: [cart, db], to: sql, expect: allow }\n"
			       "  - { name: two, from: cart, to: sql, expect: deny }\n"
			       "matrix: { name: all, from: [cart, db], to: db, ports: [80/tcp] }\n";

struct whole {
	struct fg_yaml yaml;
	struct fg_split split;
	struct fg_cases cases;
};

static void set(struct fg_split *s, const char *key, const char *pod, const char *node,
		const char *address)
{
	struct fg_split_end *e = fg_split_find(s, key);

	snprintf(e->pod, sizeof(e->pod), "%s", pod);
	snprintf(e->node, sizeof(e->node), "%s", node);
	snprintf(e->address, sizeof(e->address), "%s", address);
}

static const struct fg_object_pod *pod_at(const char *address)
{
	static struct fg_addr addrs[2];
	static struct fg_object_pod pods[2];
	static int next;
	int i = next++ % 2;

	assert_int_equal(fg_parse_addr("", address, &addrs[i], NULL), 0);
	pods[i] = (struct fg_object_pod){ .addresses = &addrs[i], .address_count = 1 };
	return &pods[i];
}

static int open_whole(struct whole *w, const char *text, const struct fg_cases_options *options,
		      struct fg_error *err)
{
	static const char *const none[] = { NULL };

	assert_int_equal(fg_yaml_read(&w->yaml, "f.yaml", text, strlen(text), err), 0);
	assert_int_equal(fg_split_open(&w->split, w->yaml.root, none, err), 0);
	set(&w->split, "cart", "shop/cart-0", "a", "10.244.0.2");
	set(&w->split, "db", "pay/db-0", "b", "10.244.1.2");
	set(&w->split, "sql", "", "", "10.96.0.1:5432");
	fg_split_find(&w->split, "cart")->object = pod_at("10.244.0.2");
	fg_split_find(&w->split, "db")->object = pod_at("10.244.1.2");
	assert_int_equal(fg_split_whole(&w->split, err), 0);
	return fg_cases_open(&w->cases, &w->split, &w->yaml, NULL, 0, options, err);
}

static void close_whole(struct whole *w)
{
	fg_cases_free(&w->cases);
	fg_split_free(&w->split);
	fg_yaml_free(&w->yaml);
}

static json_t *result(const char *probe, const char *node, const char *status, const char *verdict)
{
	json_t *value = json_pack(
		"{s:i, s:s, s:{s:s}, s:s, s:n, s:i, s:[{s:i, s:s, s:s}], s:{s:s, s:s, s:s, s:s, s:s, s:i, "
		"s:s, s:s}}",
		"id", 7, "node", node, "policy", "verdict", verdict, "outcome",
		!strcmp(verdict, "denied") ? "dropped" : "delivered", "reason", "end", 0,
		"observations", "time_ns", 4000, "of", "packet", "device", "eth0", "scenario",
		"probe", probe, "from", !strcmp(node, "a") ? "cart" : "db", "to", "sql", "expected",
		"allow", "status", status, "round", 1, "why",
		!strcmp(status, "pass") ? "" : "verdict: expected allowed, got denied", "file",
		"scenario.yaml");

	assert_non_null(value);
	return value;
}

static json_t *in_round(json_t *line, int round)
{
	json_object_set_new(json_object_get(line, "scenario"), "round", json_integer(round));
	return line;
}

/* Takes one result and adds its JUnit and its text to out. */
static void take(struct whole *w, const char *probe, const char *node, const char *status,
		 const char *verdict, int round, struct fg_buffer *out)
{
	static uint64_t number;
	json_t *line = in_round(result(probe, node, status, verdict), round);
	struct fg_cases_result r;
	struct fg_error err;

	assert_int_equal(fg_cases_take(&w->cases, line, ++number, &r, &err), 0);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(line, "scenario"), "file")),
		"f.yaml");
	assert_int_equal(json_integer_value(json_object_get(line, "id")), number);
	assert_int_equal(fg_junit_case(&r.c, out, &err), 0);
	assert_int_equal(fg_case_text(&r.c, out, &err), 0);
	assert_int_equal(fg_tap_case(&r.c, out, &err), 0);
	fg_cases_result_free(&r);
	json_decref(line);
}

static void has(const struct fg_buffer *out, const char *text)
{
	if (!memmem(out->data, out->len, text, strlen(text)))
		fail_msg("no \"%s\" in %.*s", text, (int)out->len, out->data);
}

static void test_nodes(void **state)
{
	struct fg_cases_options options = {};
	struct fg_buffer out = {};
	struct whole w = {};
	struct fg_error err;

	(void)state;
	if (open_whole(&w, scenario, &options, &err))
		fail_msg("%s", err.message);
	assert_int_equal(w.cases.counts.planned, 5);
	assert_true(fg_cases_on(&w.cases, "a"));
	assert_false(fg_cases_on(&w.cases, "c"));
	take(&w, "one: db to sql", "b", "pass", "allowed", 1, &out);
	take(&w, "two", "a", "fail", "denied", 1, &out);
	take(&w, "one: cart to sql", "a", "pass", "allowed", 1, &out);
	has(&out, "<testcase classname=\"shop\" name=\"one: db to sql\" time=\"0.000004000\">");
	has(&out, "type=\"unexpected\">expected: deny\nfrom node: a\nseen: DENIED");
	has(&out, "  from node   a\n");
	has(&out, "  node: 'a'\n");
	has(&out, "not ok 2 - shop: two\n");
	assert_int_equal(w.cases.marks[1].status, FG_CASE_PASS);
	assert_int_equal(w.cases.marks[2].status, FG_CASE_FAIL);
	assert_int_equal(w.cases.marks[2].verdict, FG_VERDICT_DENIED);
	assert_int_equal(w.cases.marks[2].outcome, FG_OUTCOME_DROPPED);
	assert_int_equal(w.cases.marks[3].status, FG_CASE_STATUSES);
	out.len = 0;
	assert_int_equal(fg_html_scenario(&w.cases.scenario, &w.cases.layout, w.cases.marks,
					  &w.cases.counts, &out, &err),
			 0);
	has(&out, "<th>cart<small>node a</small></th><td class=\"none\" data-to=\"db tcp/80\">");
	has(&out, "<th>db<small>node b</small></th>");
	fg_buffer_free(&out);
	close_whole(&w);
}

/* What a node did not answer is an error of each probe that it had, and of no other. */
static void test_missing(void **state)
{
	struct fg_cases_options options = {};
	struct fg_buffer out = {};
	struct fg_cases_result r;
	struct whole w = {};
	struct fg_error err;
	int missed = 0;

	(void)state;
	assert_int_equal(open_whole(&w, scenario, &options, &err), 0);
	take(&w, "one: cart to sql", "a", "pass", "allowed", 1, &out);
	while (fg_cases_miss(&w.cases, "a", "the node was lost", 9, &r, &err) == 1) {
		missed++;
		assert_int_equal(r.c.status, FG_CASE_INCONCLUSIVE);
		assert_int_equal(fg_junit_case(&r.c, &out, &err), 0);
		assert_int_equal(fg_case_json(&r.c, &out, &err), 0);
		fg_cases_result_free(&r);
	}
	fg_cases_result_free(&r);
	assert_int_equal(missed, 2);
	assert_true(w.cases.marks[2].detailed);
	assert_false(w.cases.marks[1].detailed);
	has(&out, "name=\"two\" time=\"0.000000000\">\n<error message=\"the node was lost\"");
	has(&out, "{\"schema\":\"flowgen.unsent/1\",\"id\":9,\"node\":\"a\",\"scenario\":{\"file\":"
		  "\"f.yaml\",\"name\":\"shop\",\"probe\":\"all: cart to db tcp/80\"");
	assert_int_equal(w.cases.counts.by_status[FG_CASE_INCONCLUSIVE], 2);
	assert_int_equal(w.cases.counts.by_status[FG_CASE_PASS], 1);
	fg_buffer_free(&out);
	close_whole(&w);
}

static void test_only(void **state)
{
	struct fg_cases_options options = { .only = "db to sql", .rounds = 3 };
	struct whole w = {};
	struct fg_error err;

	(void)state;
	assert_int_equal(open_whole(&w, scenario, &options, &err), 0);
	assert_int_equal(w.cases.counts.planned, 3);
	assert_false(fg_cases_on(&w.cases, "a"));
	assert_true(fg_cases_on(&w.cases, "b"));
	close_whole(&w);
}

/* What a node names otherwise is known by its ends. */
static void test_ends(void **state)
{
	struct fg_cases_options options = {};
	struct fg_buffer out = {};
	struct whole w = {};
	struct fg_error err;

	(void)state;
	assert_int_equal(open_whole(&w, scenario, &options, &err), 0);
	take(&w, "one", "b", "pass", "allowed", 1, &out);
	has(&out, "name=\"one: db to sql\"");
	assert_int_equal(w.cases.marks[0].status, FG_CASE_STATUSES);
	assert_int_equal(w.cases.marks[1].status, FG_CASE_PASS);
	assert_true(w.cases.marks[1].detailed);
	fg_buffer_free(&out);
	close_whole(&w);
}

/* A source address that the pod has beside its main one is its own. */
static void test_sources(void **state)
{
	static const char text[] = "name: shop\n"
				   "pods: { cart: shop/cart-0, db: sts:pay/db }\n"
				   "destinations: { sql: 'svc:pay/sql:5432' }\n"
				   "probes:\n"
				   "  - { name: own, from: cart, to: sql, src: 10.244.0.2 }\n"
				   "  - { name: not, from: db, to: sql, src: 10.244.0.2 }\n";
	struct fg_cases_options options = {};
	struct whole w = {};
	struct fg_error err;

	(void)state;
	assert_int_equal(open_whole(&w, text, &options, &err), 0);
	assert_null(w.cases.layout.blocks[0].why);
	assert_non_null(w.cases.layout.blocks[1].why);
	close_whole(&w);
}

static const char commands[] = "name: shop\n"
			       "pods: { cart: shop/cart-0, db: sts:pay/db }\n"
			       "destinations: { sql: 'svc:pay/sql:5432' }\n"
			       "probes:\n"
			       "  - { name: one, from: cart, to: sql, expect: allow }\n"
			       "  - { name: two, from: db, to: sql, expect: allow }\n"
			       "  - { name: run, from: cart, exec: [curl, db], expect: deny }\n";

static void take_command(struct whole *w, struct fg_buffer *out)
{
	json_t *line = json_pack(
		"{s:i, s:{s:[s, s], s:i, s:b, s:n, s:s, s:i, s:s}, s:{s:s, s:s, s:s, s:s, s:s, s:i, s:s}}",
		"id", 1, "command", "argv", "curl", "db", "exit_status", 28, "overdue", 0, "error",
		"output", "one\ntwo\n", "duration_ns", 5000, "seen", "allow", "scenario", "probe",
		"run", "from", "cart", "to", "curl db", "expected", "deny", "status", "fail",
		"round", 1, "why", "exit status: expected 0, got 28");
	struct fg_cases_result r;
	struct fg_error err;

	assert_int_equal(fg_cases_take(&w->cases, line, 5, &r, &err), 0);
	assert_int_equal(fg_case_text(&r.c, out, &err), 0);
	assert_int_equal(fg_tap_case(&r.c, out, &err), 0);
	fg_cases_result_free(&r);
	json_decref(line);
}

static void test_record(void **state)
{
	struct fg_cases_options options = {};
	struct fg_buffer out = {};
	struct whole w = {};
	uint64_t unknown = 0;
	const char *lost;
	struct fg_error err;
	char *text;

	(void)state;
	assert_int_equal(open_whole(&w, commands, &options, &err), 0);
	take(&w, "one", "a", "fail", "denied", 1, &out);
	take_command(&w, &out);
	has(&out, "  seen: 'exit status 28'\n");
	has(&out, "command  curl db\noutput   one\n         two\n");
	assert_true(w.cases.marks[2].command);
	assert_int_equal(w.cases.marks[2].exit_status, 28);
	/* The second is missing: nothing is known of it. */
	text = fg_cases_record(&w.cases, &w.split, &unknown, &lost, &err);
	assert_non_null(text);
	assert_int_equal(unknown, 1);
	assert_string_equal(text, "name: shop\n"
				  "pods:\n"
				  "  cart: shop/cart-0\n"
				  "  db: \"sts:pay/db\"\n"
				  "destinations:\n"
				  "  sql: \"svc:pay/sql:5432\"\n"
				  "probes:\n"
				  "- name: one\n"
				  "  from: cart\n"
				  "  to: sql\n"
				  "  expect: deny\n"
				  "- name: two\n"
				  "  from: db\n"
				  "  to: sql\n"
				  "  expect: any\n"
				  "- name: run\n"
				  "  from: cart\n"
				  "  exec: [curl, db]\n"
				  "  expect: allow\n"
				  "  exit-status: 28\n");
	free(text);
	fg_buffer_free(&out);
	close_whole(&w);
}

/* An error has the line of the person's file. */
static void test_line(void **state)
{
	static const char text[] = "name: shop\n"
				   "pods: { cart: shop/cart-0, db: sts:pay/db }\n"
				   "destinations: { sql: 'svc:pay/sql:5432' }\n"
				   "probes:\n"
				   "  - { name: one, from: db, to: sql }\n"
				   "  - { name: two, from: db, to: sql, expact: deny }\n";
	struct fg_cases_options options = {};
	struct whole w = {};
	struct fg_error err;

	(void)state;
	assert_int_equal(open_whole(&w, text, &options, &err), -1);
	assert_int_equal(err.kind, FG_ERR_USAGE);
	if (strncmp(err.message, "f.yaml:6:", 9) != 0)
		fail_msg("%s", err.message);
	close_whole(&w);
}

/* --- both ends --- */

static void add_receiver(struct whole *w, const char *key, const char *node, const char *address,
			 int port)
{
	struct fg_split_end *e = fg_split_find(&w->split, key);
	struct fg_target *to = FG_APPEND(e->receivers.list, e->receivers.count, "", NULL);

	assert_non_null(to);
	*to = (struct fg_target){ .node = node, .namespace = "pay", .pod = "p", .port = port };
	assert_int_equal(fg_parse_addr("", address, &to->addr, NULL), 0);
}

/* "NODE BLOCKS[>NODE.RANK BLOCKS...];" for each. */
static void show_parts(const struct fg_parts *parts, char *buf, size_t size)
{
	FILE *f = fmemopen(buf, size, "w");

	for (size_t i = 0; i < parts->count; i++) {
		const struct fg_part *p = &parts->list[i];

		fprintf(f, "%s/%d %s", p->node, (int)p->round, p->blocks ? p->blocks : "all");
		for (size_t k = 0; k < p->half_count; k++)
			fprintf(f, " > %s.%zu %s", p->halves[k].node, p->halves[k].rank,
				p->halves[k].blocks);
		fputs("; ", f);
	}
	fclose(f);
}

static const char two_ends[] =
	"name: shop\n"
	"pods: { cart: shop/cart-0, db: sts:pay/db }\n"
	"destinations: { sql: 'svc:pay/sql:5432' }\n"
	"probes:\n"
	"  - { name: stays, from: cart, to: cart, dport: '80', control: '81' }\n"
	"  - { name: svc, from: [cart, db], to: sql, control-of: deny }\n"
	"  - { name: deny, from: cart, to: cart, dport: '9', expect: deny }\n"
	"  - { name: many, from: cart, to: db, dport: '1-300' }\n";

static void test_parts(void **state)
{
	struct fg_cases_options options = { .rounds = 1 };
	struct fg_parts parts = {};
	struct whole w = {};
	struct fg_error err;
	char text[600] = "";

	(void)state;
	if (open_whole(&w, two_ends, &options, &err))
		fail_msg("%s", err.message);
	/* Nobody is known to receive elsewhere: each node is asked once. */
	assert_int_equal(fg_parts_find(&w.cases, &w.split, &parts, &err), 0);
	show_parts(&parts, text, sizeof(text));
	assert_string_equal(text, "a/0 all; b/0 all; ");
	fg_parts_free(&parts);
	add_receiver(&w, "cart", "a", "10.244.0.2", -1);
	add_receiver(&w, "db", "b", "10.244.1.2", -1);
	add_receiver(&w, "sql", "b", "10.244.1.3", 8080);
	add_receiver(&w, "sql", "a", "10.244.0.3", 8080);
	add_receiver(&w, "sql", "b", "10.244.1.4", 8080);
	w.cases.rounds = 2;
	assert_int_equal(fg_parts_find(&w.cases, &w.split, &parts, &err), 0);
	show_parts(&parts, text, sizeof(text));
	/* The control leaves the node, and so what it proves is with it. */
	assert_string_equal(text, "a/0 1,2; "
				  "a/1 3,4,5:0-253 > b.0 3,5:0-253 > b.1 3; "
				  "a/1 5:254-299 > b.0 5:254-299; "
				  "a/2 3,4,5:0-253 > b.0 3,5:0-253 > b.1 3; "
				  "a/2 5:254-299 > b.0 5:254-299; "
				  "b/1 1 > a.0 1; b/2 1 > a.0 1; ");
	fg_parts_free(&parts);
	close_whole(&w);
}

static void check_judged(const struct whole *w, size_t block, json_t *line, const char *status,
			 const char *why)
{
	json_t *told = json_object_get(line, "scenario");

	fg_cases_judge(&w->cases, &w->cases.layout.blocks[block], line);
	assert_string_equal(json_string_value(json_object_get(told, "status")), status);
	assert_string_equal(json_string_value(json_object_get(told, "why")) ?: "", why);
	json_decref(line);
}

static void test_judge(void **state)
{
	static const char text[] =
		"name: shop\n"
		"pods: { cart: shop/cart-0, db: sts:pay/db }\n"
		"destinations: { sql: 'svc:pay/sql:5432' }\n"
		"probes:\n"
		"  - { name: one, from: cart, to: db, dport: '80', expect: { ingress: denied, "
		"denied-by: 'fence*' } }\n"
		"  - { name: two, from: cart, to: db, dport: '81', expect: deny, control: '82' }\n"
		"  - { name: three, from: cart, to: db, dport: '83', expect: { reply: syn-ack } }\n";
	struct fg_cases_options options = { .rounds = 3 };
	struct fg_buffer out = {};
	struct whole w = {};
	struct fg_error err;
	json_t *line;

	(void)state;
	if (open_whole(&w, text, &options, &err))
		fail_msg("%s", err.message);
	line = result("one", "a", "fail", "denied");
	json_object_set_new(json_object_get(line, "policy"), "stages",
			    json_pack("{s:s, s:s, s:s}", "egress", "none", "node", "allowed",
				      "ingress", "denied"));
	json_object_set_new(json_object_get(line, "policy"), "denied_by",
			    json_pack("{s:s, s:s}", "kind", "bpf", "name", "fence_db"));
	check_judged(&w, 0, json_deep_copy(line), "pass", "");
	json_object_set_new(json_object_get(json_object_get(line, "policy"), "denied_by"), "name",
			    json_string("other"));
	check_judged(&w, 0, line, "fail", "denied-by: expected fence*, got other");
	check_judged(&w, 0, result("one", "a", "pass", "allowed"), "fail",
		     "verdict: expected denied, got allowed");
	/* Its control has not come; then it has. */
	check_judged(&w, 2, result("two", "a", "pass", "denied"), "inconclusive",
		     "the denial is not proven: its control \"control of two\" is not as expected");
	take(&w, "control of two", "a", "pass", "allowed", 1, &out);
	check_judged(&w, 2, result("two", "a", "pass", "denied"), "pass", "");
	/* In the second round it fails, in the third it was denied as expected. */
	take(&w, "control of two", "a", "fail", "denied", 2, &out);
	take(&w, "control of two", "a", "pass", "denied", 3, &out);
	check_judged(&w, 2, in_round(result("two", "a", "pass", "denied"), 1), "pass", "");
	check_judged(&w, 2, in_round(result("two", "a", "pass", "denied"), 2), "inconclusive",
		     "the denial is not proven: its control \"control of two\" is not as expected");
	check_judged(
		&w, 2, in_round(result("two", "a", "pass", "denied"), 3), "inconclusive",
		"the denial is not proven: its control \"control of two\" did not get through");
	check_judged(&w, 2, in_round(result("two", "a", "pass", "denied"), 4), "inconclusive",
		     "the denial is not proven: its control \"control of two\" is not as expected");
	line = result("three", "a", "pass", "allowed");
	check_judged(&w, 3, json_deep_copy(line), "fail", "reply: none came");
	json_object_set_new(line, "reply", json_pack("{s:s, s:i}", "kind", "syn-ack", "rtt_ns", 9));
	check_judged(&w, 3, line, "pass", "");
	fg_buffer_free(&out);
	close_whole(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nodes),	cmocka_unit_test(test_missing),
		cmocka_unit_test(test_only),	cmocka_unit_test(test_ends),
		cmocka_unit_test(test_sources), cmocka_unit_test(test_record),
		cmocka_unit_test(test_line),	cmocka_unit_test(test_parts),
		cmocka_unit_test(test_judge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
