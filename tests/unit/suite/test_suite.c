// SPDX-License-Identifier: GPL-2.0-only
/* test_suite.c - what people read of many results: the matrix as text, and failures by kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "suite/case.h"
#include "suite/changes.h"
#include "suite/groups.h"
#include "suite/matrix.h"

static struct fg_scenario scenario;
static struct fg_scenario_layout layout;
static struct fg_case_mark *marks;
static struct fg_buffer out;

static struct fg_scenario_member member(const char *label, uint8_t last)
{
	return (struct fg_scenario_member){ .label = (char *)label,
					    .pod = last,
					    .netns = last,
					    .v4 = { AF_INET, { 10, 0, 0, last } } };
}

static void lay(const char *text, const struct fg_scenario_found *found)
{
	struct fg_error err = {};

	if (fg_scenario_read(&scenario, "f", text, strlen(text), NULL, 0, &err) ||
	    fg_scenario_lay_out(&scenario, found, &layout, &err))
		fail_msg("%s (%s)", err.message, err.hint);
	marks = calloc(layout.total, sizeof(*marks));
	for (uint64_t i = 0; i < layout.total; i++)
		marks[i].status = FG_CASE_STATUSES;
}

static int clean(void **state)
{
	(void)state;
	free(marks);
	marks = NULL;
	fg_scenario_layout_free(&layout);
	fg_scenario_free(&scenario);
	fg_buffer_free(&out);
	return 0;
}

static void mark(uint64_t probe, enum fg_case_status status, enum fg_verdict verdict,
		 enum fg_outcome outcome)
{
	assert_true(probe < layout.total);
	marks[probe] = (struct fg_case_mark){ .status = (uint8_t)status,
					      .verdict = (uint8_t)verdict,
					      .outcome = (uint8_t)outcome };
}

static void is_text(const struct fg_report_options *style, const char *expected)
{
	struct fg_error err;

	out.len = 0;
	assert_int_equal(fg_matrix_text(&scenario, &layout, marks, style, &out, &err), 0);
	fg_buffer_put(&out, "", 1);
	assert_string_equal(out.data, expected);
}

#define PODS "name: s\npods: {a: netns:a, b: netns:b}\n"

/* Each letter, and a cell of several probes has all of theirs. */
static void test_letters(void **state)
{
	struct fg_scenario_member a = member("a", 1), b = member("b", 2);
	const struct fg_scenario_found found[] = { { .members = &a, .count = 1 },
						   { .members = &b, .count = 1 } };
	const struct fg_report_options plain = {};

	(void)state;
	lay(PODS "destinations: {d: 1.1.1.1, long-name: 2.2.2.2}\n"
		 "matrix: {name: m, from: [a, b], to: [d, long-name], ports: [53/udp, 1-3/tcp]}\n",
	    found);
	assert_int_equal(layout.total, 16);
	mark(0, FG_CASE_PASS, FG_VERDICT_ALLOWED, FG_OUTCOME_FORWARDED);
	mark(1, FG_CASE_PASS, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
	mark(2, FG_CASE_FAIL, FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED);
	mark(4, FG_CASE_PASS, FG_VERDICT_NONE, FG_OUTCOME_DELIVERED);
	mark(5, FG_CASE_PASS, FG_VERDICT_ALLOWED, FG_OUTCOME_DROPPED);
	mark(8, FG_CASE_FAIL, FG_VERDICT_NONE, FG_OUTCOME_REJECTED);
	mark(9, FG_CASE_PASS, FG_VERDICT_REDIRECTED, FG_OUTCOME_FORWARDED);
	mark(12, FG_CASE_INCONCLUSIVE, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
	mark(13, FG_CASE_SKIP, FG_VERDICT_UNKNOWN, FG_OUTCOME_INCONCLUSIVE);
	is_text(&plain,
		"m, from (rows) to (columns)\n"
		"   d                long-name\n"
		"   udp/53  tcp/1-3  udp/53  tcp/1-3\n"
		"a  .       .X!      o       D\n"
		"b  R!      >        ?       -\n"
		". allowed, o open, no policy, X denied, D dropped, not by policy, R rejected, >\n"
		"redirected, ? inconclusive, - not sent, ! not as expected\n\n");
	/* What is not as expected is red, doubts yellow, the rest green: beside the letters. */
	is_text(&(struct fg_report_options){ .colour = true },
		"m, from (rows) to (columns)\n"
		"   d                long-name\n"
		"   udp/53  tcp/1-3  udp/53  tcp/1-3\n"
		"a  \033[1;32m.\033[0m       \033[1;31m.X!\033[0m      \033[1;32mo\033[0m       "
		"\033[1;32mD\033[0m\n"
		"b  \033[1;31mR!\033[0m      \033[1;32m>\033[0m        \033[1;33m?\033[0m       "
		"\033[2m-\033[0m\n"
		". allowed, o open, no policy, X denied, D dropped, not by policy, R rejected, >\n"
		"redirected, ? inconclusive, - not sent, ! not as expected\n\n");
	/* Too narrow for names above the columns: numbers. */
	is_text(&(struct fg_report_options){ .width = 20 },
		"m, from (rows) to (columns)\n"
		"   1  d udp/53\n   2  d tcp/1-3\n   3  long-name udp/53\n   4  long-name tcp/1-3\n"
		"   1    2    3\n"
		"a  .    .X!  o\n"
		"b  R!   >    ?\n"
		"   4\n"
		"a  D\n"
		"b  -\n"
		". allowed, o open,\nno policy, X denied,\nD dropped, not by\npolicy, R rejected,\n"
		"> redirected, ?\ninconclusive, - not\nsent, ! not as\nexpected\n\n");
}

/* Probes of their own make one table; one cell alone makes none, and neither does what was not run.
 */
static void test_probes(void **state)
{
	struct fg_scenario_member a = member("a", 1), b = member("b", 2);
	const struct fg_scenario_found found[] = { { .members = &a, .count = 1 },
						   { .members = &b, .count = 1 } };

	(void)state;
	lay(PODS "destinations: {d: 1.1.1.1}\nprobes:\n"
		 "- {name: one, from: a, to: d, proto: udp, dport: 1}\n"
		 "- {name: two, from: b, to: d, proto: udp, dport: 1}\n"
		 "- {name: three, from: b, to: a, proto: icmp}\n",
	    found);
	mark(0, FG_CASE_PASS, FG_VERDICT_ALLOWED, FG_OUTCOME_FORWARDED);
	is_text(&(struct fg_report_options){}, "");
	mark(2, FG_CASE_FAIL, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
	is_text(&(struct fg_report_options){}, "s, from (rows) to (columns)\n"
					       "   d      a\n"
					       "   udp/1  icmp\n"
					       "a  .\n"
					       "b         X!\n"
					       ". allowed, X denied, ! not as expected\n\n");
}

/* Of many rows those are shown that somebody has to look at. */
static void test_many(void **state)
{
	static struct fg_scenario_member all[120];
	static char labels[120][8];
	struct fg_scenario_member b = member("b", 200);
	const struct fg_scenario_found found[] = { { .members = all, .count = 120 },
						   { .members = &b, .count = 1 } };
	struct fg_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		snprintf(labels[i], sizeof(labels[i]), "p-%03zu", i);
		all[i] = member(labels[i], (uint8_t)(i + 1));
	}
	lay("name: s\npods: {a: {name: '*'}, b: netns:b}\n"
	    "matrix: {name: m, from: a, to: b, ports: [53/udp]}\n",
	    found);
	for (uint64_t i = 0; i < layout.total; i++)
		mark(i, i % 40 == 7 ? FG_CASE_FAIL : FG_CASE_PASS, FG_VERDICT_ALLOWED,
		     FG_OUTCOME_DELIVERED);
	is_text(&(struct fg_report_options){},
		"m, from (rows) to (columns)\n"
		"       b\n"
		"       udp/53\n"
		"p-007  .!\n"
		"p-047  .!\n"
		"p-087  .!\n"
		"117 more rows, 0 of them not all as expected (-v shows them)\n"
		". allowed, ! not as expected\n\n");
	/* All of them with -v. */
	out.len = 0;
	assert_int_equal(fg_matrix_text(&scenario, &layout, marks,
					&(struct fg_report_options){ .verbose = true }, &out, &err),
			 0);
	fg_buffer_put(&out, "", 1);
	assert_non_null(strstr(out.data, "\np-006  .\np-007  .!\np-008  .\n"));
	assert_non_null(strstr(out.data, "\np-119  .\n. allowed"));
}

static void has(const char *text)
{
	if (!memmem(out.data, out.len, text, strlen(text)))
		fail_msg("no \"%s\" in %.*s", text, (int)out.len, out.data);
}

/* A sweep's picture: full rows are one box, and the list has the same as ranges. */
static void test_picture(void **state)
{
	struct fg_scenario_member a = member("<a>", 1), b = member("b", 2);
	const struct fg_scenario_found found[] = { { .members = &a, .count = 1 },
						   { .members = &b, .count = 1 } };
	const struct fg_case_counts counts = {};
	struct fg_error err;

	(void)state;
	lay(PODS "probes:\n- {from: a, to: b, proto: udp, dport: '1-200,5000', count: 2}\n"
		 "- {from: a, to: b, proto: udp, dport: 1-15}\n",
	    found);
	assert_int_equal(layout.total, 2 * 201 + 15);
	for (uint64_t i = 0; i < 402; i++)
		mark(i, FG_CASE_PASS, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
	/* Port 130 failed the second time, port 5000 was never asked. */
	mark(201 + 129, FG_CASE_FAIL, FG_VERDICT_NONE, FG_OUTCOME_DELIVERED);
	marks[200].status = marks[401].status = FG_CASE_STATUSES;
	assert_int_equal(fg_html_scenario(&scenario, &layout, marks, &counts, &out, &err), 0);
	has("<figure><figcaption>&lt;a&gt; to b udp/1,..: 201 ports, 64 in a row</figcaption>");
	has("<svg viewBox=\"0 0 64 4\"");
	/* Rows 1 and 2, then one cell, then the rest without the last two ports. */
	has("<path class=\"k2\" d=\"M0 0h64v2h-64zM0 2h1v1h-1zM2 2h62v1h-62zM0 3h8v1h-8z\"/>");
	has("<path class=\"k1 x\" d=\"M1 2h1v1h-1z\"/>");
	has("<b>199 denied</b>: 1-129, 131-200</li>");
	has("<b>1 open, no policy, not as expected</b>: 130</li>");
	/* Few ports need none. */
	assert_null(memmem(out.data, out.len, "15 ports", 8));
}

static bool add(struct fg_groups *groups, const char *name, enum fg_case_status status,
		const char *verdict, const char *why)
{
	char json[300], probe[40];
	struct fg_case_told told = { .text = "", .json = json };
	const struct fg_case c = { .scenario = &scenario,
				   .block = &layout.blocks[0],
				   .name = probe,
				   .status = status,
				   .why = why,
				   .told = verdict ? &told : NULL };

	snprintf(probe, sizeof(probe), "%s", name);
	snprintf(
		json, sizeof(json),
		"{\"outcome\":\"dropped\",\"drop\":{\"reason\":\"TC_INGRESS\"},\"policy\":{\"verdict\":"
		"\"denied\",\"denied_by\":{\"name\":\"%s\"}}}",
		verdict ? verdict : "");
	return fg_groups_add(groups, &c);
}

/* The same expectation, result, denier and reason is one group; few are shown in full. */
static void test_groups(void **state)
{
	struct fg_scenario_member a = member("a", 1), b = member("b", 2);
	const struct fg_scenario_found found[] = { { .members = &a, .count = 1 },
						   { .members = &b, .count = 1 } };
	const struct fg_report_options plain = {};
	struct fg_error err;
	struct fg_groups *groups = fg_groups_new(&err);
	char name[20];

	(void)state;
	assert_non_null(groups);
	lay(PODS "probes: [{from: a, to: b, proto: icmp, expect: allow}]\n", found);
	assert_true(add(groups, "one", FG_CASE_FAIL, "x", ""));
	assert_true(add(groups, "two", FG_CASE_FAIL, "y", ""));
	assert_int_equal(fg_groups_text(groups, &plain, &out, &err), 0);
	assert_int_equal(out.len, 0); /* Each was shown. */
	for (int i = 3; i < 8; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_false(add(groups, name, FG_CASE_FAIL, "x", ""));
	}
	assert_true(add(groups, "open", FG_CASE_INCONCLUSIVE, NULL, "its control did not arrive"));
	assert_true(add(groups, "strict", FG_CASE_FAIL, NULL, "no such pod"));
	assert_true(add(groups, "z", FG_CASE_FAIL, "z", ""));
	assert_false(add(groups, "not shown", FG_CASE_FAIL, "\033[2J", ""));
	assert_int_equal(fg_groups_text(groups, &plain, &out, &err), 0);
	fg_buffer_put(&out, "", 1);
	assert_string_equal(
		out.data, "11 not as expected or inconclusive, by kind (-v shows each):\n"
			  "      6  not ok: expected allow, got denied by x, dropped (TC_INGRESS)\n"
			  "         one, n3, n4 and 3 more\n"
			  "      1  not ok: expected allow, got denied by y, dropped (TC_INGRESS)\n"
			  "         two\n"
			  "      1  inconclusive: expected allow: its control did not arrive\n"
			  "         open\n"
			  "      1  not ok: expected allow: no such pod\n"
			  "         strict\n"
			  "      1  not ok: expected allow, got denied by z, dropped (TC_INGRESS)\n"
			  "         z\n"
			  "      1  not ok: expected allow, got not sent\n"
			  "         not shown\n\n");
	fg_groups_free(groups);
}

/* Kinds without end are counted, and no more than that. */
static void test_kinds(void **state)
{
	struct fg_scenario_member a = member("a", 1), b = member("b", 2);
	const struct fg_scenario_found found[] = { { .members = &a, .count = 1 },
						   { .members = &b, .count = 1 } };
	struct fg_error err;
	struct fg_groups *groups = fg_groups_new(&err);
	char name[20];

	(void)state;
	lay(PODS "probes: [{from: a, to: b, proto: icmp, expect: allow}]\n", found);
	for (int i = 0; i < FG_GROUPS_MAX + 7; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(add(groups, name, FG_CASE_FAIL, name, ""), i < FG_GROUPS_FULL);
	}
	assert_int_equal(fg_groups_text(groups, &(struct fg_report_options){}, &out, &err), 0);
	fg_buffer_put(&out, "", 1);
	assert_non_null(strstr(out.data, "\n      7  of other kinds\n"));
	fg_groups_free(groups);
}

static bool note(struct fg_changes *changes, uint64_t number, enum fg_case_status status,
		 const char *verdict, const char *outcome, const char *expected)
{
	char json[300];
	const struct fg_case_told told = { .text = "", .json = json };
	struct fg_case c = { .scenario = &scenario,
			     .block = &layout.blocks[0],
			     .name = "p",
			     .why = "",
			     .status = status,
			     .told = &told };
	struct fg_error err;
	bool changed;

	snprintf(json, sizeof(json), "{\"outcome\":\"%s\",\"policy\":{\"verdict\":%s}}", outcome,
		 verdict);
	changed = fg_changes_note(changes, 0, number, "2026-11-30T07:00:00.000Z", &c);
	assert_int_equal(c.change != NULL, expected != NULL);
	if (!expected)
		return changed;
	out.len = 0;
	assert_int_equal(fg_case_text_change(&c, &(struct fg_report_options){}, &out, &err), 0);
	has(expected);
	return changed;
}

/* Another verdict, another denier, and whether it arrives are news; how it did not arrive is none.
 */
static void test_changes(void **state)
{
	static const char by_a[] = "\"denied\",\"denied_by\":{\"name\":\"a\"}",
			  by_b[] = "\"denied\",\"denied_by\":{\"name\":\"b\"}", none[] = "\"none\"";
	struct fg_scenario_member a = member("a", 1), b = member("b", 2);
	const struct fg_scenario_found found[] = { { .members = &a, .count = 1 },
						   { .members = &b, .count = 1 } };
	struct fg_error err;
	struct fg_changes *changes = fg_changes_new(&err);

	(void)state;
	assert_non_null(changes);
	lay(PODS "probes: [{from: a, to: b, proto: icmp, expect: deny}]\n", found);
	/* The first of a probe is told, and is no change. */
	assert_true(note(changes, 7, FG_CASE_PASS, by_a, "rejected", NULL));
	assert_false(note(changes, 7, FG_CASE_PASS, by_a, "rejected", NULL));
	assert_false(note(changes, 7, FG_CASE_PASS, by_a, "dropped", NULL));
	assert_true(note(changes, 2, FG_CASE_PASS, by_b, "dropped", NULL));
	assert_true(note(changes, 7, FG_CASE_PASS, by_b, "dropped",
			 "2026-11-30T07:00:00.000Z  ok            p\n"
			 "  was         denied by a, dropped\n"
			 "  is          denied by b, dropped\n"
			 "  decided by  not known\n"));
	assert_true(note(changes, 7, FG_CASE_FAIL, none, "dropped",
			 "  was         denied by b, dropped\n"
			 "  is          none, dropped\n"));
	assert_true(note(changes, 7, FG_CASE_FAIL, none, "delivered",
			 "  was         none, dropped\n"
			 "  is          none, delivered\n"
			 "  decided by  nothing on its way\n"));
	assert_false(note(changes, 7, FG_CASE_FAIL, none, "replied", NULL));
	assert_true(note(changes, 7, FG_CASE_INCONCLUSIVE, none, "replied", "INCONCLUSIVE"));
	fg_changes_free(changes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_letters, clean),
		cmocka_unit_test_teardown(test_probes, clean),
		cmocka_unit_test_teardown(test_many, clean),
		cmocka_unit_test_teardown(test_picture, clean),
		cmocka_unit_test_teardown(test_groups, clean),
		cmocka_unit_test_teardown(test_kinds, clean),
		cmocka_unit_test_teardown(test_changes, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
