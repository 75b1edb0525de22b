// SPDX-License-Identifier: GPL-2.0-only
/* Whether a command's flows are as expected: each thing it can get, by each thing a probe can say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/count.h"
#include "base/parse.h"
#include "exec/internal.h"

#define SECOND 1000000000ULL

static struct fg_divert_flow flow_of(uint8_t proto, const char *addr, uint16_t port,
				     enum fg_exec_got got)
{
	struct fg_divert_flow f = { .flow = { .family = strchr(addr, ':') ? 6 : 4,
					      .proto = proto,
					      .local_port = htons(40000),
					      .remote_port = htons(port) },
				    .state = { .out_packets = 1, .last_ns = 9 * SECOND } };

	assert_int_equal(inet_pton(f.flow.family == 4 ? AF_INET : AF_INET6, addr, f.flow.remote),
			 1);
	if (got == FG_EXEC_ANSWERED || got == FG_EXEC_SILENCED) {
		f.state.in_packets = 1;
		f.state.last_in_ns = (got == FG_EXEC_ANSWERED ? 9 : 7) * SECOND;
	} else if (got == FG_EXEC_RESET) {
		f.state.end = FG_EXEC_RESET_THERE;
	} else if (got == FG_EXEC_ICMP_ERROR) {
		f.state.in_errors = 1;
	} else if (got == FG_EXEC_NOT_SENT) {
		f.state.out_packets = 0;
		f.state.refused = 1;
	}
	assert_int_equal(fg_exec_got(&f.flow, &f.state), got);
	return f;
}

static enum fg_flows_met weigh_one(const struct fg_divert_flow *flow,
				   const struct fg_exec_probe *probe, enum fg_flows_word word)
{
	struct fg_flows_rule rule = { .word = word };
	const struct fg_flows_expect expect = { .rules = &rule, .count = 1 };
	const struct fg_exec_done done = { .flows = (struct fg_divert_flow *)flow,
					   .flow_count = 1,
					   .flows_made = 1 };
	size_t of = probe ? 1 : 0;
	const struct fg_asked asked = { .probes = probe, .of = &of };
	struct fg_told told = {};

	fg_exec_weigh(&done, &asked, &expect, &told);
	/* It tells why exactly where there is something to tell. */
	assert_int_equal(told.met == FG_FLOWS_MET, !told.why[0]);
	return told.met;
}

#define MET FG_FLOWS_MET
#define UNMET FG_FLOWS_UNMET
#define OPEN FG_FLOWS_UNKNOWN

/* What probes say, in the order of the columns: none, nobody knows, denied, got there, did not. */
static const struct fg_exec_probe probes[] = {
	{ .verdict = FG_VERDICT_UNKNOWN, .arrived = true },
	{ .verdict = FG_VERDICT_DENIED, .arrived = true },
	{ .verdict = FG_VERDICT_ALLOWED, .arrived = true },
	{ .verdict = FG_VERDICT_ALLOWED, .arrived = false },
};
#define COLUMNS (COUNT(probes) + 1)

struct row {
	enum fg_exec_got got;
	uint8_t proto;
	enum fg_flows_met allow[COLUMNS], deny[COLUMNS];
};

static const struct row rows[] = {
	{ FG_EXEC_ANSWERED,
	  IPPROTO_TCP,
	  { MET, MET, MET, MET, MET },
	  { UNMET, UNMET, UNMET, UNMET, UNMET } },
	{ FG_EXEC_RESET,
	  IPPROTO_TCP,
	  { OPEN, OPEN, UNMET, MET, UNMET },
	  { OPEN, OPEN, MET, UNMET, UNMET } },
	{ FG_EXEC_ICMP_ERROR,
	  IPPROTO_TCP,
	  { OPEN, OPEN, UNMET, MET, UNMET },
	  { OPEN, OPEN, MET, UNMET, UNMET } },
	{ FG_EXEC_UNANSWERED,
	  IPPROTO_TCP,
	  { OPEN, OPEN, UNMET, OPEN, UNMET },
	  { OPEN, OPEN, MET, UNMET, UNMET } },
	{ FG_EXEC_UNANSWERED,
	  IPPROTO_UDP,
	  { OPEN, OPEN, UNMET, MET, UNMET },
	  { OPEN, OPEN, MET, UNMET, UNMET } },
	{ FG_EXEC_UNANSWERED,
	  IPPROTO_ICMP,
	  { OPEN, OPEN, UNMET, OPEN, UNMET },
	  { OPEN, OPEN, MET, UNMET, UNMET } },
	{ FG_EXEC_SILENCED,
	  IPPROTO_TCP,
	  { OPEN, OPEN, UNMET, OPEN, UNMET },
	  { UNMET, UNMET, UNMET, UNMET, UNMET } },
	{ FG_EXEC_NOT_SENT,
	  IPPROTO_UDP,
	  { OPEN, OPEN, OPEN, OPEN, OPEN },
	  { OPEN, OPEN, OPEN, OPEN, OPEN } },
};

static void each_thing_it_got_by_each_thing_a_probe_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fg_divert_flow f = flow_of(rows[i].proto, "10.0.0.9", 80, rows[i].got);

		for (size_t k = 0; k < COLUMNS; k++) {
			const struct fg_exec_probe *p = k ? &probes[k - 1] : NULL;

			print_message("row %zu column %zu\n", i, k);
			assert_int_equal(weigh_one(&f, p, FG_FLOWS_ALLOW), rows[i].allow[k]);
			assert_int_equal(weigh_one(&f, p, FG_FLOWS_DENY), rows[i].deny[k]);
			assert_int_equal(weigh_one(&f, p, FG_FLOWS_ANY), MET);
		}
	}
}

/* The command's own packet says more than a probe; a drop that nobody decided says nothing. */
static void its_own_drops_say_more(void **state)
{
	static const struct {
		uint32_t drops;
		const char *reason;
		bool back;
		int decided; /* 0: as if there was no drop; 1: on its way; 2: the answer */
	} drops[] = {
		{ 1, "TC_EGRESS", false, 1 },	 { 7, "NETFILTER_DROP", false, 1 },
		{ 1, "TC_EGRESS", true, 2 },	 { 1, "NOT_SPECIFIED", false, 0 },
		{ 1, "NOT_SPECIFIED", true, 0 }, { 1, NULL, false, 0 },
		{ 0, "TC_EGRESS", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t d = 0; d < COUNT(drops); d++) {
			struct fg_divert_flow f =
				flow_of(rows[i].proto, "10.0.0.9", 80, rows[i].got);
			bool any = rows[i].got == FG_EXEC_ANSWERED;

			f.state.drops = drops[d].drops;
			f.state.drop_back = drops[d].back;
			f.drop_reason = drops[d].reason;
			for (size_t k = 0; k < COLUMNS; k++) {
				const struct fg_exec_probe *p = k ? &probes[k - 1] : NULL;
				enum fg_flows_met allow =
					drops[d].decided && !any ? UNMET : rows[i].allow[k];
				enum fg_flows_met deny = drops[d].decided != 1 ? rows[i].deny[k]
							 : any || rows[i].got == FG_EXEC_SILENCED
								 ? UNMET
								 : MET;

				print_message("row %zu drop %zu column %zu\n", i, d, k);
				assert_int_equal(weigh_one(&f, p, FG_FLOWS_ALLOW), allow);
				assert_int_equal(weigh_one(&f, p, FG_FLOWS_DENY), deny);
			}
		}
	}
}

/* --- several flows, and rules that say which --- */

static struct {
	struct fg_divert_flow flows[8];
	size_t of[8];
	struct fg_exec_done done;
	struct fg_asked asked;
} bed;

static int bed_up(void **state)
{
	(void)state;
	memset(&bed, 0, sizeof(bed));
	bed.done.flows = bed.flows;
	bed.asked.of = bed.of;
	bed.asked.probes = probes;
	return 0;
}

/* probe: as in struct fg_asked: the number in `probes`, from 1; 0: none. */
static void had(uint8_t proto, const char *addr, uint16_t port, enum fg_exec_got got, size_t probe)
{
	bed.of[bed.done.flow_count] = probe;
	bed.flows[bed.done.flow_count++] = flow_of(proto, addr, port, got);
	bed.done.flows_made = bed.done.flow_count;
}

enum { UNKNOWN = 1, DENIED, ARRIVED, LOST };

static void assert_weighs(const char *expected, enum fg_flows_met met, const char *why)
{
	struct fg_flows_expect expect;
	struct fg_told told = {};
	struct fg_error err;

	assert_int_equal(fg_flows_expect_parse("expect", expected, &expect, &err), 0);
	fg_exec_weigh(&bed.done, &bed.asked, &expect, &told);
	assert_string_equal(told.why, why);
	assert_int_equal(told.met, met);
	fg_flows_expect_free(&expect);
}

static void assert_seen(enum fg_flows_word seen)
{
	struct fg_told told = { .seen = FG_FLOWS_DENY, .met = FG_FLOWS_UNMET };

	fg_exec_weigh(&bed.done, &bed.asked, NULL, &told);
	assert_int_equal(told.seen, seen);
	/* Nothing is expected. */
	assert_int_equal(told.met, FG_FLOWS_MET);
	assert_string_equal(told.why, "");
}

static void each_flow_has_its_own_probe(void **state)
{
	(void)state;
	had(IPPROTO_UDP, "10.0.0.1", 1, FG_EXEC_UNANSWERED, DENIED);
	had(IPPROTO_UDP, "10.0.0.2", 2, FG_EXEC_UNANSWERED, ARRIVED);
	had(IPPROTO_UDP, "fd00::3", 3, FG_EXEC_UNANSWERED, LOST);
	assert_weighs("deny:10.0.0.1,allow:10.0.0.2", MET, "");
	assert_weighs("deny:1,allow:2,any", MET, "");
	assert_weighs("deny:1,allow", UNMET, "udp to [fd00::3]:3: expected allow, which is not so");
	assert_weighs("allow:1,allow:2,any", UNMET,
		      "udp to 10.0.0.1:1: expected allow, which is not so");
	assert_weighs("deny:2,any", UNMET, "udp to 10.0.0.2:2: expected deny, which is not so");
	assert_seen(FG_FLOWS_ANY);
}

static void what_is_not_so_weighs_more_than_what_is_not_known(void **state)
{
	const char *unknown = "udp to 10.0.0.1:1: expected allow, and it is not known";
	const char *unmet = "udp to 10.0.0.3:3: expected allow, which is not so";

	(void)state;
	had(IPPROTO_UDP, "10.0.0.1", 1, FG_EXEC_UNANSWERED, UNKNOWN);
	assert_weighs("allow", OPEN, unknown);
	had(IPPROTO_UDP, "10.0.0.2", 2, FG_EXEC_UNANSWERED, 0);
	/* The first of them. */
	assert_weighs("allow", OPEN, unknown);
	had(IPPROTO_UDP, "10.0.0.3", 3, FG_EXEC_UNANSWERED, DENIED);
	assert_weighs("allow", UNMET, unmet);
	had(IPPROTO_UDP, "10.0.0.4", 4, FG_EXEC_UNANSWERED, DENIED);
	assert_weighs("allow", UNMET, unmet);
	had(IPPROTO_UDP, "10.0.0.5", 5, FG_EXEC_UNANSWERED, UNKNOWN);
	had(IPPROTO_TCP, "10.0.0.6", 6, FG_EXEC_ANSWERED, 0);
	assert_weighs("allow", UNMET, unmet);
}

static void a_rule_that_no_flow_fits_is_not_known(void **state)
{
	(void)state;
	assert_weighs("allow", OPEN, "no packet was sent: expected allow, and it is not known");
	assert_weighs("deny", OPEN, "no packet was sent: expected deny, and it is not known");
	assert_weighs("any", MET, "");
	assert_weighs("deny:443,any", OPEN,
		      "no flow went where a rule says: expected deny, and it is not known");
	assert_weighs("any:443", MET, "");
	had(IPPROTO_TCP, "10.0.0.1", 443, FG_EXEC_ANSWERED, 0);
	assert_weighs("allow:443", MET, "");
	assert_weighs(
		"allow:443,deny", OPEN,
		"no flow is left that no rule says where: expected deny, and it is not known");
	assert_weighs("allow:443,allow:80", OPEN,
		      "no flow went where a rule says: expected allow, and it is not known");
	assert_weighs("allow:80", OPEN,
		      "no flow went where a rule says: expected allow, and it is not known");
	assert_weighs("allow:443,any", MET, "");
}

static void flows_that_are_not_known_any_more_are_not_known(void **state)
{
	(void)state;
	had(IPPROTO_TCP, "10.0.0.1", 443, FG_EXEC_ANSWERED, 0);
	assert_seen(FG_FLOWS_ALLOW);
	bed.done.flows_made = 2;
	assert_weighs("allow", OPEN,
		      "flows that are not known any more: expected allow, and it is not known");
	assert_weighs("deny", UNMET, "tcp to 10.0.0.1:443: expected deny, which is not so");
	assert_seen(FG_FLOWS_ANY);
}

/* A name that was looked up to begin with is not what is expected, unless nothing else was done. */
static void a_name_that_was_looked_up_is_not_what_the_command_is_about(void **state)
{
	static const struct {
		uint8_t proto;
		const char *addr;
		uint16_t port;
		enum fg_exec_got got;
		bool lookup;
	} others[] = {
		{ IPPROTO_UDP, "10.96.0.10", 53, FG_EXEC_ANSWERED, true },
		{ IPPROTO_TCP, "10.96.0.10", 53, FG_EXEC_ANSWERED, true },
		{ IPPROTO_UDP, "fd00::10", 53, FG_EXEC_ANSWERED, true },
		{ IPPROTO_SCTP, "10.96.0.10", 53, FG_EXEC_ANSWERED, false },
		{ IPPROTO_UDP, "10.96.0.10", 54, FG_EXEC_ANSWERED, false },
		{ IPPROTO_UDP, "10.96.0.11", 53, FG_EXEC_ANSWERED, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		bed_up(NULL);
		bed.done.server_count = 2;
		assert_int_equal(fg_parse_addr("server", "10.96.0.10", &bed.done.servers[0], NULL),
				 0);
		assert_int_equal(fg_parse_addr("server", "fd00::10", &bed.done.servers[1], NULL),
				 0);
		had(others[i].proto, others[i].addr, others[i].port, others[i].got, 0);
		/* Alone it is. */
		assert_seen(FG_FLOWS_ALLOW);
		assert_weighs("allow", MET, "");
		had(IPPROTO_TCP, "10.0.0.1", 443, FG_EXEC_UNANSWERED, DENIED);
		assert_seen(others[i].lookup ? FG_FLOWS_DENY : FG_FLOWS_ANY);
		/* A rule that says for which is about it all the same. */
		assert_weighs(others[i].port == 53 ? "allow:53,deny:443" : "allow:54,deny:443", MET,
			      "");
		/* That of no server is not one. */
		bed.done.server_count = 0;
		assert_seen(FG_FLOWS_ANY);
	}
	/* In whatever order they came. */
	bed_up(NULL);
	bed.done.server_count = 1;
	assert_int_equal(fg_parse_addr("server", "10.96.0.10", &bed.done.servers[0], NULL), 0);
	had(IPPROTO_TCP, "10.0.0.1", 443, FG_EXEC_UNANSWERED, DENIED);
	had(IPPROTO_UDP, "10.96.0.10", 53, FG_EXEC_ANSWERED, 0);
	assert_seen(FG_FLOWS_DENY);
	/* One that was not answered is what went wrong. */
	bed_up(NULL);
	bed.done.server_count = 1;
	assert_int_equal(fg_parse_addr("server", "10.96.0.10", &bed.done.servers[0], NULL), 0);
	had(IPPROTO_UDP, "10.96.0.10", 53, FG_EXEC_UNANSWERED, ARRIVED);
	had(IPPROTO_TCP, "10.0.0.1", 443, FG_EXEC_UNANSWERED, DENIED);
	assert_seen(FG_FLOWS_ANY);
}

static void what_holds_for_all_is_seen(void **state)
{
	(void)state;
	assert_seen(FG_FLOWS_ANY);
	had(IPPROTO_UDP, "10.0.0.1", 1, FG_EXEC_UNANSWERED, DENIED);
	assert_seen(FG_FLOWS_DENY);
	had(IPPROTO_UDP, "10.0.0.2", 2, FG_EXEC_UNANSWERED, ARRIVED);
	assert_seen(FG_FLOWS_ANY);
	bed_up(NULL);
	had(IPPROTO_UDP, "10.0.0.2", 2, FG_EXEC_UNANSWERED, ARRIVED);
	assert_seen(FG_FLOWS_ALLOW);
	had(IPPROTO_UDP, "10.0.0.2", 2, FG_EXEC_UNANSWERED, UNKNOWN);
	assert_seen(FG_FLOWS_ANY);
	/* Where nothing was asked nothing is known of them. */
	bed.asked = (struct fg_asked){};
	assert_seen(FG_FLOWS_ANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_thing_it_got_by_each_thing_a_probe_says),
		cmocka_unit_test(its_own_drops_say_more),
		cmocka_unit_test_setup(each_flow_has_its_own_probe, bed_up),
		cmocka_unit_test_setup(what_is_not_so_weighs_more_than_what_is_not_known, bed_up),
		cmocka_unit_test_setup(a_rule_that_no_flow_fits_is_not_known, bed_up),
		cmocka_unit_test_setup(flows_that_are_not_known_any_more_are_not_known, bed_up),
		cmocka_unit_test_setup(a_name_that_was_looked_up_is_not_what_the_command_is_about,
				       bed_up),
		cmocka_unit_test_setup(what_holds_for_all_is_seen, bed_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
