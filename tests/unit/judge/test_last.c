// SPDX-License-Identifier: GPL-2.0-only
/* What a packet was like where its trace ends: of all that was seen, which decides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "judge/last.h"

/* An IPv4 packet of UDP, 10.0.0.1:1000 to 10.0.0.2:2000. */
static uint8_t bytes[ETH_HLEN + 28] = {
	[12] = 8,	    [14] = 0x45,      [17] = 28,	  [22] = 64, [23] = IPPROTO_UDP,
	[26] = 10,	    [29] = 1,	      [30] = 10,	  [33] = 2,  [34] = 1000 >> 8,
	[35] = 1000 & 0xff, [36] = 2000 >> 8, [37] = 2000 & 0xff, [39] = 8,
};

static struct fg_probe probe;

static int set_up(void **state)
{
	(void)state;
	probe = (struct fg_probe){ .frame = { .data = bytes, .len = sizeof(bytes), .count = 1 } };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fg_trace_free(&probe.trace);
	return 0;
}

static struct fg_observation *see(uint16_t kind, uint32_t netns, uint32_t ifindex, uint8_t flags)
{
	const struct fg_event e = {
		.kind = kind, .netns = netns, .ifindex = ifindex, .flags = flags
	};
	struct fg_observation *o = fg_trace_add(&probe.trace, &e);

	assert_non_null(o);
	o->flow = -1;
	return o;
}

static int8_t flow(uint8_t family, const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
	struct fg_wire_flow *w = &probe.trace.flows[probe.trace.flow_count];
	int af = family == 4 ? AF_INET : AF_INET6;

	*w = (struct fg_wire_flow){
		.family = family, .proto = IPPROTO_TCP, .sport = htons(sport), .dport = htons(dport)
	};
	if (family) {
		assert_int_equal(inet_pton(af, src, w->src), 1);
		assert_int_equal(inet_pton(af, dst, w->dst), 1);
	}
	return (int8_t)probe.trace.flow_count++;
}

static void assert_flow(bool reply, const char *expected)
{
	const struct fg_flow f = fg_last_flow(&probe, reply);
	char src[FG_ADDR_TEXT_LEN], dst[FG_ADDR_TEXT_LEN], text[200];

	assert_int_equal(f.src.family, f.family);
	assert_int_equal(f.dst.family, f.family);
	fg_addr_text(&f.src, src, sizeof(src));
	fg_addr_text(&f.dst, dst, sizeof(dst));
	snprintf(text, sizeof(text), "%u %s %u %s %u", f.protocol, src, f.sport, dst, f.dport);
	assert_string_equal(text, expected);
}

static void without_a_change_the_flow_is_as_it_was_sent(void **state)
{
	(void)state;
	assert_flow(false, "17 10.0.0.1 1000 10.0.0.2 2000");
	assert_flow(true, "17 10.0.0.2 2000 10.0.0.1 1000");
	see(FG_EVENT_RECEIVE, 1, 2, 0);
	see(FG_EVENT_RECEIVE, 1, 2, FG_EVENT_F_REPLY);
	assert_flow(false, "17 10.0.0.1 1000 10.0.0.2 2000");
	assert_flow(true, "17 10.0.0.2 2000 10.0.0.1 1000");
}

static void the_last_change_of_its_own_direction_counts(void **state)
{
	(void)state;
	see(FG_EVENT_RECEIVE, 1, 2, 0)->flow = flow(4, "10.0.0.3", 3, "10.0.0.4", 4);
	assert_flow(false, "6 10.0.0.3 3 10.0.0.4 4");
	assert_flow(true, "17 10.0.0.2 2000 10.0.0.1 1000");
	see(FG_EVENT_FREE, 1, 2, FG_EVENT_F_REPLY)->flow = flow(6, "fd00::5", 5, "fd00::6", 6);
	assert_flow(false, "6 10.0.0.3 3 10.0.0.4 4");
	assert_flow(true, "6 fd00::5 5 fd00::6 6");
	see(FG_EVENT_QUEUE, 1, 2, 0)->flow = flow(4, "10.0.0.7", 7, "10.0.0.8", 8);
	see(FG_EVENT_QUEUE, 1, 2, 0);
	assert_flow(false, "6 10.0.0.7 7 10.0.0.8 8");
	assert_flow(true, "6 fd00::5 5 fd00::6 6");
	/* One that is not IP tells nothing, nor does one that is not there. */
	see(FG_EVENT_QUEUE, 1, 2, 0)->flow = flow(0, NULL, 0, NULL, 0);
	see(FG_EVENT_QUEUE, 1, 2, 0)->flow = (int8_t)probe.trace.flow_count;
	assert_flow(false, "6 10.0.0.7 7 10.0.0.8 8");
	/* The first of the list is one, too. */
	see(FG_EVENT_QUEUE, 1, 2, 0)->flow = 0;
	assert_flow(false, "6 10.0.0.3 3 10.0.0.4 4");
}

/* Ports of what has none are not those of the wire: there an echo has its type and number. */
static void what_has_no_ports_gets_none(void **state)
{
	static const uint16_t sent[][2] = { { 0, 0 }, { 0, 7 }, { 7, 0 } };

	(void)state;
	see(FG_EVENT_RECEIVE, 1, 2, 0)->flow = flow(4, "10.0.0.3", 8, "10.0.0.4", 9);
	for (size_t i = 0; i < COUNT(sent); i++) {
		bytes[34] = bytes[36] = 0;
		bytes[35] = (uint8_t)sent[i][0];
		bytes[37] = (uint8_t)sent[i][1];
		assert_flow(false, i ? "6 10.0.0.3 8 10.0.0.4 9" : "6 10.0.0.3 0 10.0.0.4 0");
	}
	bytes[34] = 1000 >> 8;
	bytes[35] = 1000 & 0xff;
	bytes[36] = 2000 >> 8;
	bytes[37] = 2000 & 0xff;
}

static void the_device_is_the_last_that_received_it_there(void **state)
{
	(void)state;
	assert_int_equal(fg_last_device(&probe, 1, false), 0);
	see(FG_EVENT_RECEIVE, 1, 2, 0);
	assert_int_equal(fg_last_device(&probe, 1, false), 2);
	see(FG_EVENT_RECEIVE, 1, 3, 0);
	assert_int_equal(fg_last_device(&probe, 1, false), 3);
	/* Not where it left, nor a copy, nor elsewhere, nor the reply. */
	see(FG_EVENT_QUEUE, 1, 4, 0);
	see(FG_EVENT_RECEIVE, 1, 5, FG_EVENT_F_CLONE);
	see(FG_EVENT_RECEIVE, 2, 6, 0);
	see(FG_EVENT_RECEIVE, 1, 7, FG_EVENT_F_REPLY);
	see(FG_EVENT_RECEIVE, 1, 8, FG_EVENT_F_REPLY | FG_EVENT_F_CLONE);
	assert_int_equal(fg_last_device(&probe, 1, false), 3);
	assert_int_equal(fg_last_device(&probe, 2, false), 6);
	assert_int_equal(fg_last_device(&probe, 1, true), 7);
	assert_int_equal(fg_last_device(&probe, 2, true), 0);
}

static void it_waits_where_its_clone_was_freed(void **state)
{
	static const char *const asking[] = { "neigh_probe+0x41/0x60", "__neigh_event_send+1/2",
					      "arp_solicit+1/2", "ndisc_solicit+1/2" };
	static const char *const others[] = { "nfqnl_enqueue", "arp_rcv",      "ndisc_rcv",
					      "neig",	       "_neigh",       "__neig",
					      "arp_solici",    "ndisc_solici", "" };
	struct fg_result result = {};
	const struct fg_observation *o;

	(void)state;
	for (size_t i = 0; i < COUNT(asking); i++) {
		tear_down(NULL);
		set_up(NULL);
		see(FG_EVENT_RECEIVE, 1, 2, 0);
		assert_null(fg_last_waiting(&probe, &result, false));
		see(FG_EVENT_CONSUME, 1, 2, FG_EVENT_F_CLONE)->symbol = asking[i];
		see(FG_EVENT_QUEUE, 1, 2, 0);
		o = fg_last_waiting(&probe, &result, false);
		assert_ptr_equal(o, &probe.trace.list[1]);
		assert_null(fg_last_waiting(&probe, &result, true));
		/* Of the reply, its own. The last one of them. */
		see(FG_EVENT_CONSUME, 1, 3, FG_EVENT_F_REPLY)->symbol = asking[i];
		see(FG_EVENT_CONSUME, 1, 3, FG_EVENT_F_REPLY)->symbol = asking[i];
		assert_ptr_equal(fg_last_waiting(&probe, &result, true), &probe.trace.list[4]);
		assert_ptr_equal(fg_last_waiting(&probe, &result, false), &probe.trace.list[1]);
	}
	tear_down(NULL);
	set_up(NULL);
	for (size_t i = 0; i < COUNT(others); i++)
		see(FG_EVENT_CONSUME, 1, 2, 0)->symbol = others[i];
	assert_null(fg_last_waiting(&probe, &result, false));
	/* The first of the list is one, too. */
	probe.trace.list[0].symbol = asking[0];
	assert_ptr_equal(fg_last_waiting(&probe, &result, false), &probe.trace.list[0]);
}

static void else_it_waits_where_it_was_received(void **state)
{
	struct fg_result result = {};

	(void)state;
	for (uint16_t kind = FG_EVENT_INJECT; kind < FG_EVENT_KINDS; kind++) {
		const struct fg_observation end = { .event = { .kind = kind } };

		result.end = &end;
		assert_ptr_equal(fg_last_waiting(&probe, &result, false),
				 kind == FG_EVENT_RECEIVE ? &end : NULL);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(without_a_change_the_flow_is_as_it_was_sent),
		CASE(the_last_change_of_its_own_direction_counts),
		CASE(what_has_no_ports_gets_none),
		CASE(the_device_is_the_last_that_received_it_there),
		CASE(it_waits_where_its_clone_was_freed),
		CASE(else_it_waits_where_it_was_received),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
