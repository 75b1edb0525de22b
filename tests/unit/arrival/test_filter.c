// SPDX-License-Identifier: GPL-2.0-only
/* Which packets are caught: each option alone, what is refused, and what is warned of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrival/internal.h"
#include "base/count.h"
#include "base/parse.h"

static char said[200];

static void say(const char *text)
{
	assert_string_equal(said, "");
	snprintf(said, sizeof(said), "%s", text);
}

/* Options as a row of words: "src=ADDR", "sport=N", "proto=N", "id=N", "pass", ... */
static int settle(const char *words, struct fg_arrival_options *o, struct fg_error *err)
{
	const struct fg_arrival_ui ui = { .say = say };
	char copy[200], *rest = copy;

	*o = (struct fg_arrival_options){ .pod = "web" };
	*err = (struct fg_error){};
	said[0] = '\0';
	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word; (word = strsep(&rest, " "));) {
		char *value = strchr(word, '=');
		unsigned long n = value ? strtoul(value + 1, NULL, 10) : 0;

		if (!strncmp(word, "src=", 4))
			assert_int_equal(fg_parse_addr("src", value + 1, &o->src, NULL), 0);
		else if (!strncmp(word, "dst=", 4))
			assert_int_equal(fg_parse_addr("dst", value + 1, &o->dst, NULL), 0);
		else if (!strncmp(word, "sport=", 6))
			o->sport = (uint16_t)n;
		else if (!strncmp(word, "dport=", 6))
			o->dport = (uint16_t)n;
		else if (!strncmp(word, "proto=", 6))
			o->by_proto = true, o->filter.proto = (uint8_t)n;
		else if (!strncmp(word, "id=", 3))
			o->traced = o->trace.by_id = true, o->trace.id = n;
		else if (!strcmp(word, "id"))
			o->traced = true;
		else if (!strcmp(word, "pass"))
			o->pass = true;
		else if (!strcmp(word, "intercept"))
			o->intercept = true;
		else
			o->pod = NULL;
	}
	return fg_arrival_settle(o, &ui, err);
}

static void each_option_is_what_the_program_matches(void **state)
{
	static const struct {
		const char *words;
		uint32_t match;
		uint8_t family;
	} rows[] = {
		{ "id", FG_CATCH_BY_TRACE, 0 },
		{ "id=7", FG_CATCH_BY_TRACE | FG_CATCH_BY_TRACE_ID, 0 },
		{ "proto=0", FG_CATCH_BY_PROTO, 0 },
		{ "proto=6", FG_CATCH_BY_PROTO, 0 },
		{ "src=10.0.0.1", FG_CATCH_BY_SRC, 4 },
		{ "dst=10.0.0.1", FG_CATCH_BY_DST, 4 },
		{ "src=fd00::1", FG_CATCH_BY_SRC, 6 },
		{ "dst=fd00::1", FG_CATCH_BY_DST, 6 },
		{ "sport=80", FG_CATCH_BY_SPORT, 0 },
		{ "dport=80", FG_CATCH_BY_DPORT, 0 },
		{ "id=7 src=10.0.0.1 dst=10.0.0.2",
		  FG_CATCH_BY_TRACE | FG_CATCH_BY_TRACE_ID | FG_CATCH_BY_SRC | FG_CATCH_BY_DST, 4 },
		{ "proto=17 src=fd00::1 dst=fd00::2 sport=1 dport=2",
		  FG_CATCH_BY_PROTO | FG_CATCH_BY_SRC | FG_CATCH_BY_DST | FG_CATCH_BY_SPORT |
			  FG_CATCH_BY_DPORT,
		  6 },
	};
	struct fg_arrival_options o;
	struct fg_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (settle(rows[i].words, &o, &err))
			fail_msg("%s: %s", rows[i].words, err.message);
		assert_int_equal(o.filter.match, rows[i].match);
		assert_int_equal(o.filter.family, rows[i].family);
		assert_true(o.filter.pass);
		assert_string_equal(said, "");
	}
}

static void values_are_as_on_the_wire(void **state)
{
	static const uint8_t src[16] = { 10, 0, 0, 1 }, dst[16] = { 10, 0, 0, 2 };
	struct fg_arrival_options o;
	struct fg_error err;

	(void)state;
	assert_int_equal(
		settle("proto=17 src=10.0.0.1 dst=10.0.0.2 sport=258 dport=772 id=4294967377 intercept",
		       &o, &err),
		0);
	assert_memory_equal(o.filter.src, src, 16);
	assert_memory_equal(o.filter.dst, dst, 16);
	assert_int_equal(o.filter.sport, htons(258));
	assert_int_equal(o.filter.dport, htons(772));
	assert_int_equal(o.filter.trace_id, 4294967377);
	assert_int_equal(o.filter.proto, 17);
	assert_false(o.filter.pass);
}

static void what_cannot_be_is_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "nobody proto=6", "no pod given" },
		{ "pass", "no filter given" },
		{ "pass intercept proto=6", "--pass and --intercept exclude each other" },
		{ "src=10.0.0.1 dst=fd00::1", "--src and --dst are of different families" },
		{ "src=fd00::1 dst=10.0.0.1", "--src and --dst are of different families" },
		{ "id src=fd00::1", "--trace-id: IPv6 packets have no such option" },
		{ "id dst=fd00::1", "--trace-id: IPv6 packets have no such option" },
		{ "proto=1 sport=1", "--sport: protocol 1 has no ports" },
		{ "proto=1 dport=1", "--dport: protocol 1 has no ports" },
		{ "proto=58 sport=1 dport=1", "--sport: protocol 58 has no ports" },
	};
	struct fg_arrival_options o;
	struct fg_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(settle(rows[i][0], &o, &err), -1);
		assert_string_equal(err.message, rows[i][1]);
		assert_int_equal(err.kind, FG_ERR_USAGE);
	}
	for (size_t i = 0; i < 2; i++) {
		struct fg_addr *addr = i ? &o.src : &o.dst;

		o = (struct fg_arrival_options){ .pod = "web", .by_proto = true };
		addr->family = AF_INET6;
		strcpy(addr->zone, "2");
		assert_int_equal(fg_arrival_settle(&o, NULL, &err), -1);
		assert_non_null(strstr(err.message, "without a zone (%)"));
	}
}

static void these_have_ports(void **state)
{
	static const char *const rows[] = { "proto=6 sport=1", "proto=17 dport=1",
					    "proto=132 dport=1", "sport=1", "dport=1" };
	struct fg_arrival_options o;
	struct fg_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(settle(rows[i], &o, &err), 0);
}

/* Only of one that would cut the pod off from a protocol. */
static void a_protocol_that_is_kept_from_the_pod_is_warned_of(void **state)
{
	static const struct {
		const char *words;
		bool warned;
	} rows[] = {
		{ "proto=6 intercept", true },	     { "proto=6", false },
		{ "proto=6 pass", false },	     { "proto=6 dport=1 intercept", false },
		{ "src=10.0.0.1 intercept", false }, { "proto=6 src=10.0.0.1 intercept", false },
	};
	struct fg_arrival_options o;
	struct fg_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(settle(rows[i].words, &o, &err), 0);
		assert_int_equal(said[0] != '\0', rows[i].warned);
		assert_int_equal(o.filter.pass, !strstr(rows[i].words, "intercept"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_option_is_what_the_program_matches),
		cmocka_unit_test(values_are_as_on_the_wire),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(these_have_ports),
		cmocka_unit_test(a_protocol_that_is_kept_from_the_pod_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
