// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_stated.c - what counters and events of known network plugins are read as, and how it is
 * shown; also where they are malformed, cut, or of another packet.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/count.h"
#include "cni/cni.h"
#include "cni/show.h"

static struct fg_stated_packet packet(void)
{
	return (struct fg_stated_packet){ .flow = { .family = AF_INET,
						    .protocol = IPPROTO_TCP,
						    .src = { AF_INET, { 10, 9, 1, 2 } },
						    .dst = { AF_INET, { 10, 9, 0, 9 } },
						    .sport = 40000,
						    .dport = 5432 },
					  .length = 60 };
}

static void put32(uint8_t *bytes, size_t at, uint32_t value)
{
	memcpy(bytes + at, &value, 4);
}

static void put16(uint8_t *bytes, size_t at, uint16_t value)
{
	memcpy(bytes + at, &value, 2);
}

static struct fg_stated_event *add_event(struct fg_stated *s, const char *map, uint32_t size)
{
	struct fg_stated_event *e = fg_stated_event_add(s);

	assert_non_null(e);
	e->ours = true;
	e->length = e->captured = size;
	snprintf(e->map.name, sizeof(e->map.name), "%s", map);
	return e;
}

static struct fg_stated_counter *add_counter(struct fg_stated *s, const char *map,
					     const char *member)
{
	struct fg_stated_counter *c = fg_stated_counter_add(s);

	assert_non_null(c);
	c->before = 7;
	c->after = 8;
	snprintf(c->map.name, sizeof(c->map.name), "%s", map);
	snprintf(c->member, sizeof(c->member), "%s", member);
	return c;
}

static void add_field(struct fg_stated_counter *c, const char *name, uint64_t value)
{
	struct fg_stated_field *f = &c->key.fields[c->key.field_count++];

	snprintf(f->name, sizeof(f->name), "%s", name);
	f->value = value;
}

static void expect(struct fg_stated *s, const char *text)
{
	const struct fg_stated_packet p = packet();
	char buf[FG_CNI_SHOW_LEN];

	fg_cni_read(s, &p);
	assert_string_equal(fg_cni_show_text(s, false, buf, sizeof(buf)), text);
}

static struct fg_stated *new_stated(void)
{
	struct fg_stated *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	return s;
}

static struct fg_stated_event *cilium_drop(struct fg_stated *s, uint8_t reason, uint32_t target)
{
	struct fg_stated_event *e = add_event(s, "cilium_events", 36);

	e->bytes[0] = 1;
	e->bytes[1] = reason;
	put16(e->bytes, 2, 101);
	put32(e->bytes, 16, 1001);
	put32(e->bytes, 20, 1002);
	put32(e->bytes, 24, target);
	return e;
}

static void test_cilium_drop(void **state)
{
	static const struct {
		uint8_t reason;
		uint32_t target;
		enum fg_stated_says says;
		const char *text;
	} cases[] = {
		{ 133, 102, FG_STATED_DENIED,
		  "Cilium: policy denied (133), identity 1001 -> 1002, ingress of endpoint 102" },
		{ 133, 0, FG_STATED_DENIED,
		  "Cilium: policy denied (133), identity 1001 -> 1002, egress of endpoint 101" },
		{ 181, 102, FG_STATED_DENIED,
		  "Cilium: denied by an explicit rule (181), identity 1001 -> 1002, ingress of "
		  "endpoint 102" },
		{ 158, 0, FG_STATED_DROPPED,
		  "Cilium: no service backend (158), identity 1001 -> 1002, egress of endpoint "
		  "101" },
		{ 140, 0, FG_STATED_DROPPED,
		  "Cilium: missed tail call (140), identity 1001 -> 1002, egress of endpoint "
		  "101" },
		{ 203, 0, FG_STATED_DROPPED,
		  "Cilium: endpoint's policy program not available (203), identity 1001 -> 1002, "
		  "egress of endpoint 101" },
		/* Numbers of a newer version; and one that is not in use. */
		{ 240, 0, FG_STATED_DROPPED,
		  "Cilium: dropped (240), identity 1001 -> 1002, egress of endpoint 101" },
		{ 159, 0, FG_STATED_DROPPED,
		  "Cilium: dropped (159), identity 1001 -> 1002, egress of endpoint 101" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fg_stated *s = new_stated();

		cilium_drop(s, cases[i].reason, cases[i].target);
		expect(s, cases[i].text);
		assert_int_equal(s->says, cases[i].says);
		assert_true(s->events[0].known);
		free(s);
	}
}

static void cilium_verdict(struct fg_stated *s, int32_t verdict, uint8_t flags)
{
	struct fg_stated_event *e = add_event(s, "cilium_events", 32);

	e->bytes[0] = 5;
	put16(e->bytes, 2, 102);
	put32(e->bytes, 16, 1001);
	put32(e->bytes, 20, (uint32_t)verdict);
	put16(e->bytes, 24, 5432);
	e->bytes[26] = IPPROTO_TCP;
	e->bytes[27] = flags;
}

static void test_cilium_verdict(void **state)
{
	static const struct {
		int32_t verdict;
		uint8_t flags;
		const char *text;
	} cases[] = {
		{ -133, 1,
		  "Cilium: policy denied (133), identity 1001 -> ?, matched nothing (tcp port "
		  "5432), ingress of endpoint 102" },
		{ -181, 2 | 1 << 3,
		  "Cilium: denied by an explicit rule (181), identity ? -> 1001, matched identity "
		  "(tcp port 5432), egress of endpoint 102" },
		{ 0, 1 | 2 << 3,
		  "Cilium: policy allowed, identity 1001 -> ?, matched identity and port (tcp "
		  "port 5432), ingress of endpoint 102" },
		{ 0, 1 | 0x40,
		  "Cilium: policy allowed, identity 1001 -> ?, matched nothing (tcp port 5432), "
		  "audit mode, ingress of endpoint 102" },
		{ 15001, 1 | 7 << 3,
		  "Cilium: policy sent it to the proxy, identity 1001 -> ?, matched an entry (tcp "
		  "port 5432), ingress of endpoint 102" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fg_stated *s = new_stated();

		cilium_verdict(s, cases[i].verdict, cases[i].flags);
		expect(s, cases[i].text);
		free(s);
	}
}

/* A pass on the sender's side, a drop on the receiver's: the drop is what counts, in any order. */
static void test_cilium_both_sides(void **state)
{
	(void)state;
	for (int order = 0; order < 2; order++) {
		struct fg_stated *s = new_stated();

		if (order)
			cilium_drop(s, 133, 102);
		cilium_verdict(s, 0, 2);
		if (!order)
			cilium_drop(s, 133, 102);
		fg_cni_read(s, &(struct fg_stated_packet){ 0 });
		assert_int_equal(s->says, FG_STATED_DENIED);
		assert_int_equal(s->code, 133);
		assert_int_equal(s->endpoint, 102);
		assert_true(s->events[0].known && s->events[1].known);
		free(s);
	}
}

/* Cut anywhere, of other kinds, from other maps, or not ours: left as bytes, and nothing is said.
 */
static void test_cilium_malformed(void **state)
{
	(void)state;
	for (uint32_t size = 0; size < 32; size++) {
		struct fg_stated *s = new_stated();

		cilium_drop(s, 133, 102)->captured = size;
		expect(s, "an event of 36 bytes in cilium_events");
		assert_false(s->events[0].known);
		free(s);
	}
	for (int i = 0; i < 6; i++) {
		struct fg_stated *s = new_stated();
		struct fg_stated_event *e = cilium_drop(s, 133, 102);

		if (i == 0)
			e->bytes[0] = 4;
		else if (i == 1)
			e->bytes[1] = 3;
		else if (i == 2)
			snprintf(e->map.name, sizeof(e->map.name), "events");
		else if (i == 3)
			e->ours = false;
		else
			e->bytes[0] = 5, e->bytes[27] = i == 4 ? 0 : 3;
		expect(s, i == 2 ? "an event of 36 bytes in events"
				 : "an event of 36 bytes in cilium_events");
		assert_false(s->events[0].known);
		assert_int_equal(s->says, FG_STATED_NOTHING);
		free(s);
	}
}

static void cilium_metric(struct fg_stated *s, uint64_t reason, uint64_t dir)
{
	struct fg_stated_counter *c = add_counter(s, "cilium_metrics", "count");

	add_field(c, "reason", reason);
	add_field(c, "dir", dir);
}

static void cilium_policy(struct fg_stated *s, const char *map, uint64_t egress, uint64_t dport)
{
	struct fg_stated_counter *c = add_counter(s, map, "packets");

	add_field(c, "sec_label", egress ? 1002 : 1001);
	add_field(c, "egress", egress);
	add_field(c, "protocol", dport ? 6 : 0);
	add_field(c, "dport", dport);
	if (!strcmp(map, "cilium_policyst"))
		add_field(c, "endpoint_id", 102);
}

static void test_cilium_counters(void **state)
{
	struct fg_stated *s = new_stated();

	(void)state;
	cilium_metric(s, 0, 2);
	expect(s, "Cilium: forwarded (0), egress");
	assert_int_equal(s->says, FG_STATED_ALLOWED);
	cilium_metric(s, 133, 1);
	expect(s, "Cilium: policy denied (133), ingress");
	cilium_policy(s, "cilium_policy_v", 1, 5432);
	expect(s, "Cilium: policy denied (133), entry for egress tcp port 5432 of identity 1002, "
		  "ingress");
	cilium_policy(s, "cilium_policyst", 0, 0);
	expect(s, "Cilium: policy denied (133), entry for ingress of identity 1001, ingress of "
		  "endpoint 102");
	/* The event says more. */
	cilium_drop(s, 181, 102);
	expect(s, "Cilium: denied by an explicit rule (181), identity 1001 -> 1002, entry for "
		  "ingress of identity 1001, ingress of endpoint 102");
	free(s);
	s = new_stated();
	cilium_policy(s, "cilium_policy_v", 0, 5432);
	expect(s, "Cilium: entry for ingress tcp port 5432 of identity 1001, ingress");
	free(s);
}

/* Keys that are not what they should be say nothing. */
static void test_counters_malformed(void **state)
{
	struct fg_stated *s = new_stated();
	struct fg_stated_counter *c;

	(void)state;
	cilium_metric(s, 256, 1);
	add_field(add_counter(s, "cilium_metrics", "count"), "reason", 133);
	add_field(add_counter(s, "cilium_policy_v", "packets"), "sec_label", 1);
	add_counter(s, "cali_rule_ctrs2", "");
	c = add_counter(s, "cali_counters3", "+4");
	c->offset = 4;
	c = add_counter(s, "cali_counters3", "+800");
	c->offset = 800;
	c = add_counter(s, "cali_counters3", "+0");
	expect(s, "counted in cilium_metrics{} count");
	assert_null(s->who);
	free(s);
}

static struct fg_stated_event *aws_event(struct fg_stated *s, uint32_t verdict, uint32_t size)
{
	struct fg_stated_event *e = add_event(s, "policy_events", size);

	memcpy(e->bytes, (uint8_t[]){ 10, 9, 1, 2 }, 4);
	put32(e->bytes, 4, 40000);
	memcpy(e->bytes + 8, (uint8_t[]){ 10, 9, 0, 9 }, 4);
	put32(e->bytes, 12, 5432);
	put32(e->bytes, 16, IPPROTO_TCP);
	put32(e->bytes, 20, verdict);
	put32(e->bytes, 24, 74);
	e->bytes[28] = 1;
	e->bytes[29] = 2;
	return e;
}

static void test_aws(void **state)
{
	static const struct {
		uint32_t verdict, size;
		const char *text;
	} cases[] = {
		{ 0, 32, "AWS network policy agent: denied, network policy tier, egress" },
		{ 1, 32, "AWS network policy agent: accepted, network policy tier, egress" },
		{ 2, 32,
		  "AWS network policy agent: connection expired, network policy tier, "
		  "egress" },
		{ 0, 29, "AWS network policy agent: denied, egress" },
		{ 0, 24, "AWS network policy agent: denied" },
		{ 0, 23, "an event of 23 bytes in policy_events" },
		{ 3, 32, "an event of 32 bytes in policy_events" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fg_stated *s = new_stated();

		aws_event(s, cases[i].verdict, cases[i].size);
		expect(s, cases[i].text);
		free(s);
	}
}

static void test_aws_of_another(void **state)
{
	static const size_t other[] = { 0, 4, 16 };

	(void)state;
	for (size_t i = 0; i < COUNT(other); i++) {
		struct fg_stated *s = new_stated();

		aws_event(s, 0, 32)->bytes[other[i]]++;
		expect(s, "an event of 32 bytes in policy_events");
		free(s);
	}
	/* The destination may be translated. */
	for (size_t at = 8; at < 16; at += 4) {
		struct fg_stated *s = new_stated();

		aws_event(s, 0, 32)->bytes[at]++;
		expect(s, "AWS network policy agent: denied, network policy tier, egress");
		free(s);
	}
}

static void test_aws_v6(void **state)
{
	struct fg_stated_packet p = packet();
	struct fg_stated *s = new_stated();
	struct fg_stated_event *e = add_event(s, "policy_events", 56);

	(void)state;
	p.flow.family = AF_INET6;
	memcpy(p.flow.src.bytes, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2", 16);
	memcpy(e->bytes, p.flow.src.bytes, 16);
	put32(e->bytes, 16, 40000);
	put32(e->bytes, 36, 5432);
	put32(e->bytes, 40, IPPROTO_TCP);
	e->bytes[53] = 4;
	fg_cni_read(s, &p);
	assert_int_equal(s->says, FG_STATED_DENIED);
	assert_int_equal(s->direction, FG_STATED_INGRESS);
	assert_string_equal(s->rule, "default tier");
	free(s);
}

static void test_calico(void **state)
{
	struct fg_stated *s = new_stated();
	struct fg_stated_counter *c;

	(void)state;
	c = add_counter(s, "cali_counters3", "+0");
	c = add_counter(s, "cali_counters3", "+16");
	c->offset = 16;
	expect(s, "Calico: accepted by policy (2)");
	add_field(add_counter(s, "cali_rule_ctrs2", ""), "", 0x1f);
	expect(s, "Calico: accepted by policy (2), rule 0x000000000000001f");
	c = add_counter(s, "cali_counters3", "+32");
	c->offset = 32;
	add_field(add_counter(s, "cali_rule_ctrs2", ""), "", 0xfeULL << 56);
	expect(s, "Calico: dropped by policy (4), rule 0x000000000000001f, 0xfe00000000000000");
	/* As many rules as it likes. */
	for (int i = 0; i < 15; i++)
		add_field(add_counter(s, "cali_rule_ctrs2", ""), "", (uint64_t)i);
	fg_cni_read(s, &(struct fg_stated_packet){ 0 });
	assert_true(strlen(s->rule) < sizeof(s->rule));
	free(s);
}

static void test_nobody(void **state)
{
	struct fg_stated *s = new_stated();
	struct fg_stated_counter *c;

	(void)state;
	expect(s, "");
	assert_true(fg_stated_is_empty(s));
	add_counter(s, "passes", "n");
	c = add_counter(s, "outcomes", "packets");
	snprintf(c->key.text, sizeof(c->key.text), "reason DENIED\x1b[31m");
	expect(s, "counted in outcomes{reason DENIED?[31m} packets");
	snprintf(s->callee.name, sizeof(s->callee.name), "decide");
	expect(s, "counted in outcomes{reason DENIED?[31m} packets, in decide");
	free(s);
}

static void test_bounds(void **state)
{
	const struct fg_stated_map map = { .id = 1 };
	struct fg_stated *s = new_stated();
	char small[12];

	(void)state;
	for (int i = 0; i < 40; i++) {
		fg_stated_counter_add(s);
		fg_stated_event_add(s);
		fg_stated_entry_add(s);
		fg_stated_skipped_add(s, &map, "too big");
	}
	assert_int_equal(s->counter_count, FG_STATED_COUNTERS_MAX);
	assert_int_equal(s->left_out, 160 - FG_STATED_COUNTERS_MAX - FG_STATED_EVENTS_MAX -
					      FG_STATED_ENTRIES_MAX - FG_STATED_SKIPPED_MAX);
	s->event_count = 0;
	s->counter_count = 0;
	cilium_drop(s, 133, 102);
	fg_cni_read(s, &(struct fg_stated_packet){ 0 });
	assert_string_equal(fg_cni_show_text(s, true, small, sizeof(small)), "Cilium: pol");
	free(s);
}

static void test_repeat(void **state)
{
	struct fg_stated *a = new_stated(), *b = new_stated();

	(void)state;
	cilium_metric(a, 133, 1);
	cilium_metric(a, 0, 2);
	snprintf(a->counters[0].key.text, 20, "reason 133");
	snprintf(a->counters[1].key.text, 20, "reason 0");
	add_event(a, "x", 3);
	b->counters[b->counter_count++] = a->counters[0];
	b->counters[0].before++;
	fg_stated_repeat(a, b);
	assert_int_equal(a->counter_count, 1);
	assert_int_equal(a->event_count, 1);
	assert_true(a->repeated);
	expect(a, "Cilium: policy denied (133), ingress");
	free(a);
	free(b);
}

static void test_within(void **state)
{
	struct fg_stated_packet p = packet();
	const uint8_t both[] = { 1, 10, 9, 1, 2, 0, 0, 10, 9, 0, 9 };
	const uint8_t other[] = { 1, 10, 9, 1, 2, 0, 0, 10, 9, 0, 8 };

	(void)state;
	assert_true(fg_stated_packet_within(&p, both, sizeof(both)));
	assert_false(fg_stated_packet_within(&p, both, sizeof(both) - 1));
	assert_false(fg_stated_packet_within(&p, other, sizeof(other)));
	p.translated = p.flow;
	p.translated.dst.bytes[3] = 8;
	assert_true(fg_stated_packet_within(&p, other, sizeof(other)));
	p.flow.family = p.translated.family = 0;
	assert_false(fg_stated_packet_within(&p, both, sizeof(both)));
}

static json_t *json_of(const struct fg_stated *s)
{
	struct fg_buffer out = { 0 };
	json_error_t e;
	json_t *v;

	fg_cni_show_json(&out, s);
	assert_false(out.failed);
	v = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, &e);
	if (!v)
		fail_msg("%s: %.*s", e.text, (int)out.len, out.data);
	fg_buffer_free(&out);
	return v;
}

static void test_json(void **state)
{
	const struct fg_stated_map map = { .id = 9, .name = "big" };
	struct fg_stated *s = new_stated();
	json_t *v = json_of(s), *o;

	(void)state;
	assert_true(json_is_null(json_object_get(v, "who")));
	assert_int_equal(json_array_size(json_object_get(v, "counters")), 0);
	json_decref(v);
	cilium_drop(s, 133, 102);
	cilium_metric(s, 133, 1);
	snprintf(fg_stated_entry_add(s)->key.text, 20, "\"\xff\n");
	fg_stated_skipped_add(s, &map, "too big");
	s->callee.id = 5;
	fg_cni_read(s, &(struct fg_stated_packet){ 0 });
	v = json_of(s);
	assert_string_equal(json_string_value(json_object_get(v, "who")), "Cilium");
	assert_string_equal(json_string_value(json_object_get(v, "says")), "denied");
	assert_int_equal(json_integer_value(json_object_get(v, "code")), 133);
	o = json_object_get(v, "identities");
	assert_int_equal(json_integer_value(json_object_get(o, "destination")), 1002);
	o = json_array_get(json_object_get(v, "counters"), 0);
	assert_int_equal(json_integer_value(json_object_get(o, "after")), 8);
	o = json_array_get(json_object_get(v, "events"), 0);
	assert_int_equal(json_string_length(json_object_get(o, "bytes")), 72);
	assert_string_equal(json_string_value(json_object_get(o, "from")), "perf");
	assert_int_equal(json_array_size(json_object_get(v, "state")), 1);
	o = json_array_get(json_object_get(v, "skipped"), 0);
	assert_string_equal(json_string_value(json_object_get(o, "why")), "too big");
	json_decref(v);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cilium_drop),
		cmocka_unit_test(test_cilium_verdict),
		cmocka_unit_test(test_cilium_both_sides),
		cmocka_unit_test(test_cilium_malformed),
		cmocka_unit_test(test_cilium_counters),
		cmocka_unit_test(test_counters_malformed),
		cmocka_unit_test(test_aws),
		cmocka_unit_test(test_aws_of_another),
		cmocka_unit_test(test_aws_v6),
		cmocka_unit_test(test_calico),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_repeat),
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
