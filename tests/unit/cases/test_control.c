// SPDX-License-Identifier: GPL-2.0-only
/* test_control.c - inject --control over a cluster: what it takes, what is sent, what it proves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "cases/control.h"

static struct fg_cases_control control;

static void read_it(const char *text)
{
	struct fg_name beside;
	struct fg_error err;

	assert_int_equal(fg_names_read_target("--dst", "svc:pay/db:sql", &beside, &err), 0);
	assert_int_equal(fg_cases_control_read(&control, text, &beside, &err), 0);
}

static void test_forms(void **state)
{
	(void)state;
	read_it("80");
	assert_string_equal(control.dst.name, "db");
	assert_int_equal(control.dst.port, 80);
	assert_string_equal(control.dst.port_name, "");
	assert_true(control.has_port);
	/* Another place, and the same port. */
	read_it("pod:pay/db-1");
	assert_string_equal(control.dst.name, "db-1");
	assert_string_equal(control.dst.port_name, "sql");
	assert_false(control.has_port);
	read_it("dport=53,udp,sport=5000,dst=10.0.0.9");
	assert_int_equal(control.dst.kind, FG_NAME_ADDRESS);
	assert_int_equal(control.dst.port, 53);
	assert_string_equal(control.protocol, "udp");
	assert_string_equal(control.sport, "5000");
	read_it("icmp");
	assert_string_equal(control.protocol, "icmp");
}

static void test_refused(void **state)
{
	static const char *const texts[] = { "0", "70000", "ttl=9", "sport=x", "netns:a", "dst=" };
	struct fg_name beside = { .port = -1 };
	struct fg_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_int_equal(fg_cases_control_read(&control, texts[i], &beside, &err), -1);
		assert_int_equal(err.kind, FG_ERR_USAGE);
	}
}

static void test_words(void **state)
{
	static const char *const given[] = { "--tcp",	    "-p",	  "80", "--expect",  "deny",
					     "-c3",	    "--interval", "1s", "--timeout", "2s",
					     "--control=x", "--bytes",	  NULL };
	static const char *const expected[] = {
		"--timeout", "2s", "--bytes", "--proto", "udp", NULL
	};
	const char **words;

	(void)state;
	read_it("dport=53,udp");
	words = fg_cases_control_words(&control, given);
	assert_non_null(words);
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		if (!expected[i])
			assert_null(words[i]);
		else
			assert_string_equal(words[i], expected[i]);
	}
	free(words);
}

static json_t *result_of(const char *verdict, const char *outcome)
{
	return json_pack("{s:{s:s}, s:s, s:{s:s, s:b}, s:{s:s, s:s, s:i}}", "policy", "verdict",
			 verdict, "outcome", outcome, "expect", "wanted", "deny", "met", 1,
			 "packet", "proto", "tcp", "dst", "10.0.0.9", "dport", 80);
}

static void test_proof(void **state)
{
	static const struct {
		const char *verdict, *outcome, *control_verdict, *control_outcome, *reason;
		int proven; /* -1: null */
	} rows[] = {
		{ "denied", "dropped", "allowed", "delivered", "", 1 },
		{ "denied", "dropped", "none", "replied", "", 1 },
		{ "denied", "dropped", "denied", "dropped", "the control failed too", 0 },
		{ "none", "dropped", "none", "dropped", "the control failed too", 0 },
		{ "denied", "dropped", "unknown", "inconclusive", "the control is inconclusive",
		  0 },
		{ "allowed", "delivered", "denied", "dropped", "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_t *result = result_of(rows[i].verdict, rows[i].outcome);
		json_t *seen = result_of(rows[i].control_verdict, rows[i].control_outcome);
		const json_t *told, *proven;

		assert_int_equal(fg_cases_control_apply(result, seen, "80"), rows[i].proven == 0);
		told = json_object_get(result, "control");
		proven = json_object_get(told, "proven");
		assert_string_equal(fg_json_string(told, "verdict"), rows[i].control_verdict);
		assert_string_equal(fg_json_string(told, "asked"), "80");
		assert_int_equal(json_is_null(proven) ? -1 : json_is_true(proven), rows[i].proven);
		assert_string_equal(fg_json_string(result, "reason"), rows[i].reason);
		assert_int_equal(
			json_is_true(json_object_get(json_object_get(result, "expect"), "met")),
			rows[i].proven != 0);
		json_decref(result);
		json_decref(seen);
	}
}

/* Of a control that a lost agent did not answer nothing is known: it proves nothing. */
static void test_without_an_answer(void **state)
{
	json_t *result = result_of("denied", "dropped"),
	       *arrived = result_of("allowed", "delivered");
	const json_t *told;

	(void)state;
	assert_true(fg_cases_control_apply(result, NULL, "80"));
	told = json_object_get(result, "control");
	assert_string_equal(fg_json_string(told, "verdict"), "unknown");
	assert_string_equal(fg_json_string(told, "outcome"), "inconclusive");
	assert_true(json_is_null(json_object_get(told, "dst")));
	assert_true(json_is_false(json_object_get(told, "proven")));
	assert_string_equal(fg_json_string(result, "reason"), "the control was not answered");
	assert_true(json_is_false(json_object_get(json_object_get(result, "expect"), "met")));
	/* What arrived needs no proof. */
	assert_false(fg_cases_control_apply(arrived, NULL, "80"));
	assert_true(json_is_null(json_object_get(json_object_get(arrived, "control"), "proven")));
	json_decref(result);
	json_decref(arrived);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_without_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
