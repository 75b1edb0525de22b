// SPDX-License-Identifier: GPL-2.0-only
#include "cluster/halves.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/count.h"
#include "base/json.h"
#include "cluster/internal.h"

static const char *verdict_of(const json_t *result)
{
	return fg_json_string(json_object_get(result, "policy"), "verdict");
}

/* --- the parts --- */

static void name_all(json_t *list, const char *node)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_is_object(json_array_get(list, i)))
			json_object_set_new(json_array_get(list, i), "node", json_string(node));
}

/* The other half's list behind the sender's, each with the name of its node. */
static void append(json_t *to, const json_t *from, const char *key, const char *node,
		   const char *other)
{
	json_t *list = json_object_get(to, key), *more = json_object_get(from, key);

	if (!json_is_array(list) || !json_is_array(more))
		return;
	name_all(list, node);
	name_all(more, other);
	json_array_extend(list, more);
}

static void add_numbers(json_t *to, const json_t *from, const char *key)
{
	json_int_t sum = json_integer_value(json_object_get(to, key)) +
			 json_integer_value(json_object_get(from, key));

	json_object_set_new(to, key, json_integer(sum));
}

static void take(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value)
		json_object_set(to, key, value);
}

/* Programs are numbered on, and those who refer to them. */
static void move_order(json_t *program, json_int_t by)
{
	json_int_t order = json_integer_value(json_object_get(program, "order"));

	if (order)
		json_object_set_new(program, "order", json_integer(order + by));
}

static void move_orders(json_t *list, json_int_t by)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		move_order(json_array_get(list, i), by);
}

/* Of what was decided one after the other; what is missing ("") was not reached. */
static const char *both(const char *a, const char *b)
{
	static const char *const order[] = { "denied", "unknown", "redirected", "allowed", "none" };

	for (size_t i = 0; i < COUNT(order); i++)
		if (!strcmp(a, order[i]) || !strcmp(b, order[i]))
			return order[i];
	return "";
}

static void set_verdict(json_t *object, const char *key, const char *verdict)
{
	json_object_set_new(object, key, verdict[0] ? json_string(verdict) : json_null());
}

/* The sender's uplink is where its node ends, and not where the packet was received. */
static void join_stages(json_t *to, const json_t *from)
{
	const char *node = both(fg_json_string(to, "node"), fg_json_string(to, "ingress"));

	set_verdict(to, "node", both(node, fg_json_string(from, "node")));
	set_verdict(to, "ingress", fg_json_string(from, "ingress"));
}

static void at_node(json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(fg_json_string(json_array_get(list, i), "stage"), "ingress"))
			json_object_set_new(json_array_get(list, i), "stage", json_string("node"));
}

static void join_policy(json_t *to, json_t *from, const char *node, const char *other)
{
	static const char *const theirs[] = { "denied_by", "candidates", "alike" };
	json_int_t programs = (json_int_t)json_array_size(json_object_get(to, "programs"));

	move_orders(json_object_get(from, "programs"), programs);
	move_orders(json_object_get(from, "candidates"), programs);
	move_order(json_object_get(from, "denied_by"), programs);
	move_order(json_object_get(from, "redirected_by"), programs);
	at_node(json_object_get(to, "programs"));
	at_node(json_object_get(to, "filters"));
	append(to, from, "programs", node, other);
	append(to, from, "filters", node, other);
	join_stages(json_object_get(to, "stages"), json_object_get(from, "stages"));
	set_verdict(to, "verdict",
		    both(fg_json_string(to, "verdict"), fg_json_string(from, "verdict")));
	for (size_t i = 0; i < COUNT(theirs); i++)
		take(to, from, theirs[i]);
	if (json_is_null(json_object_get(to, "redirected_by"))) {
		take(to, from, "redirected_by");
		take(to, from, "redirected_to");
	}
	if (json_is_null(json_object_get(to, "stated")) || !strcmp(verdict_of(from), "denied"))
		take(to, from, "stated");
	add_numbers(to, from, "ran");
	add_numbers(to, from, "decided");
	if (json_is_true(json_object_get(from, "other_filters")))
		json_object_set_new(to, "other_filters", json_true());
}

/* What neither half has met. */
static void join_gaps(json_t *to, const json_t *from)
{
	json_t *list = json_object_get(to, "not_exercised");
	const json_t *more = json_object_get(from, "not_exercised");

	for (size_t i = 0; i < json_array_size(more); i++) {
		json_t *gap = json_array_get(more, i);
		bool there = false;

		for (size_t k = 0; k < json_array_size(list); k++)
			there |= json_equal(json_array_get(list, k), gap);
		if (!there)
			json_array_append(list, gap);
	}
}

/* --- the expectation --- */

/* As lib/judge has it, over the whole way. 1: met, 0: not, -1: it is none of these words. */
static int is_met(const json_t *result, const char *wanted)
{
	const char *verdict = verdict_of(result), *outcome = fg_json_string(result, "outcome");
	bool arrived = FG_JSON_ONE_OF(outcome, "delivered", "replied", "forwarded");

	if (!strcmp(wanted, "allow"))
		return FG_JSON_ONE_OF(verdict, "allowed", "redirected", "none") && arrived;
	if (!strcmp(wanted, "allowed"))
		return !strcmp(verdict, "allowed") && arrived;
	if (!strcmp(wanted, "deny"))
		return !strcmp(verdict, "denied");
	if (!strcmp(wanted, "delivered"))
		return FG_JSON_ONE_OF(outcome, "delivered", "replied");
	if (!strcmp(wanted, "forwarded"))
		return !strcmp(outcome, "forwarded");
	if (!strcmp(wanted, "dropped"))
		return FG_JSON_ONE_OF(outcome, "dropped", "rejected");
	return !strcmp(wanted, "not-sent") ? 0 : -1;
}

static void join_expectation(json_t *to)
{
	json_t *expect = json_object_get(to, "expect");
	int met;

	if (!json_is_object(expect))
		return;
	/* Of several keys neither half can tell: fg_cases_expected() does, of the whole. */
	met = is_met(to, fg_json_string(expect, "wanted"));
	json_object_set_new(expect, "met", json_boolean(met > 0));
}

/* --- the whole --- */

/* A reply says more about the packet's end than what was seen of it. */
static bool is_answered(const json_t *result)
{
	return FG_JSON_ONE_OF(fg_json_string(result, "outcome"), "replied", "rejected");
}

static void join_end(json_t *to, json_t *from, const char *other, json_int_t observed)
{
	static const char *const ends[] = { "drop", "reason",  "cause",	 "hint",
					    "ipvs", "decider", "stopped" };
	json_t *end = json_object_get(from, "end"), *decider = json_object_get(from, "decider");

	if (json_is_object(decider))
		json_object_set_new(decider, "node", json_string(other));
	if (json_is_integer(end))
		json_object_set_new(to, "end", json_integer(json_integer_value(end) + observed));
	else
		json_object_set_new(to, "end", json_null());
	/* Doubts of the sender's half are doubts of the whole. */
	if (json_is_null(json_object_get(from, "reason")))
		json_object_del(from, "reason");
	for (size_t i = 0; i < COUNT(ends); i++)
		take(to, from, ends[i]);
	if (!is_answered(to))
		take(to, from, "outcome");
}

/* Nobody met the expectation: what was expected is about the whole way. */
static void make_unknown(json_t *result, const char *reason)
{
	json_t *expect = json_object_get(result, "expect");

	json_object_set_new(result, "outcome", json_string("inconclusive"));
	json_object_set_new(json_object_get(result, "policy"), "verdict", json_string("unknown"));
	if (json_is_object(expect))
		json_object_set_new(expect, "met", json_false());
	json_object_set_new(result, "reason", json_string(reason));
}

static void tell_onward(json_t *result, const char *node)
{
	const char *device = fg_join_last_seen(result);
	char text[400];

	snprintf(text, sizeof(text), "left node %.250s at %.20s; unknown beyond it", node,
		 device ? device : "an unknown device");
	make_unknown(result, text);
}

static void join_arrived(json_t *to, const struct fg_join_end *end, const struct fg_half *half)
{
	json_t *from = half->result, *target = json_object_get(to, "to");
	json_int_t observed = (json_int_t)json_array_size(json_object_get(to, "observations"));

	at_node(json_object_get(to, "decisions"));
	append(to, from, "decisions", end->node, half->node);
	append(to, from, "observations", end->node, half->node);
	append(to, from, "state", end->node, half->node);
	join_policy(json_object_get(to, "policy"), json_object_get(from, "policy"), end->node,
		    half->node);
	join_end(to, from, half->node, observed);
	join_gaps(to, from);
	add_numbers(to, from, "lost_events");
	add_numbers(to, from, "stray_events");
	json_object_set_new(target, "node", json_string(half->node));
	if (half->pod && half->pod[0]) {
		json_object_set_new(target, "namespace", json_string(half->namespace ?: ""));
		json_object_set_new(target, "pod", json_string(half->pod));
	}
	join_expectation(to);
	/* On to a third node, or back: nobody has asked there. */
	if (!strcmp(fg_json_string(to, "outcome"), "forwarded") &&
	    strcmp(verdict_of(to), "denied") != 0)
		tell_onward(to, half->node);
}

bool fg_halves_arrived(const json_t *result)
{
	const json_t *first = json_array_get(json_object_get(result, "observations"), 0);

	return !strcmp(fg_json_string(first, "component"), "inject");
}

/* Whether both nodes made the same packet: a port that is in use is chosen anew. */
static bool is_same(const json_t *sender, const struct fg_half *half)
{
	static const char *const keys[] = { "sport", "length", "proto" };
	const json_t *a = json_object_get(sender, "packet"),
		     *b = json_object_get(half->result, "packet");

	for (size_t i = 0; i < COUNT(keys); i++) {
		const json_t *x = json_object_get(a, keys[i]), *y = json_object_get(b, keys[i]);

		if (x && y && !json_equal(x, y))
			return false;
	}
	return true;
}

/* What is known of a node where it did not arrive. */
static void tell_half(struct fg_buffer *out, const json_t *sender, const struct fg_half *half,
		      const char *between)
{
	const char *device;
	const char *driver = "XDP in the uplink's driver";

	fg_buffer_puts(out, between);
	if (!half->result) {
		fg_buffer_printf(out, "node %s could not look: %s", half->node,
				 half->why[0] ? half->why : "its half of the answer is missing");
		return;
	}
	if (!is_same(sender, half)) {
		fg_buffer_printf(out, "node %s awaited another packet, as a port was in use",
				 half->node);
		return;
	}
	device = fg_json_string(json_object_get(json_object_get(half->result, "pod"), "device"),
				"primary");
	fg_buffer_printf(out, "did not arrive at %s of node %s", device[0] ? device : "a device",
			 half->node);
	if (strstr(fg_json_string(half->result, "reason"), driver))
		fg_buffer_printf(out, " (%s may have dropped it)", driver);
}

static void tell_lost(json_t *sender, const struct fg_join_end *end, const struct fg_half *halves,
		      size_t count)
{
	const char *device = fg_join_last_seen(sender);
	struct fg_buffer text = {};

	fg_buffer_printf(&text, "left node %s at %s; ", end->node,
			 device ? device : "an unknown device");
	for (size_t i = 0; i < count; i++)
		tell_half(&text, sender, &halves[i], i ? ", " : "");
	make_unknown(sender, text.failed ? "" : text.data);
	if (json_is_null(json_object_get(sender, "hint")))
		json_object_set_new(sender, "hint",
				    json_string("or it was not known again there: cut into "
						"fragments, or its source port translated"));
	fg_buffer_free(&text);
}

bool fg_halves_ended(const json_t *sender)
{
	return !strcmp(verdict_of(sender), "denied") ||
	       FG_JSON_ONE_OF(fg_json_string(sender, "outcome"), "not-sent", "dropped",
			      "delivered");
}

static void doubt_policy(json_t *sender)
{
	json_object_set_new(json_object_get(sender, "policy"), "verdict", json_string("unknown"));
	json_object_set_new(sender, "reason",
			    json_string("it was answered, but not seen on the receiver's node: "
					"which policy it met there is not known"));
}

bool fg_halves_join(json_t *sender, const struct fg_join_end *end, const struct fg_half *halves,
		    size_t count)
{
	const struct fg_half *arrived = NULL;

	fg_join_name(sender, end);
	for (size_t i = 0; i < count && !arrived; i++)
		if (fg_halves_arrived(halves[i].result))
			arrived = &halves[i];
	if (!arrived && !strcmp(fg_json_string(sender, "outcome"), "forwarded"))
		tell_lost(sender, end, halves, count);
	else if (arrived && fg_halves_ended(sender))
		make_unknown(sender, "the nodes contradict each other: it ended on the sender's, "
				     "and was seen on the receiver's");
	else if (arrived)
		join_arrived(sender, end, arrived);
	/* It got through, but whether the receiver's node has any policy for it was not seen. */
	else if (!strcmp(fg_json_string(sender, "outcome"), "replied") &&
		 !strcmp(verdict_of(sender), "none"))
		doubt_policy(sender);
	return arrived != NULL;
}

int fg_halves_status(const json_t *result, int sender, int receiver)
{
	const json_t *expect = json_object_get(result, "expect");
	const char *outcome = fg_json_string(result, "outcome");

	if (!strcmp(outcome, "inconclusive") || !strcmp(verdict_of(result), "unknown"))
		return 4;
	if (json_is_object(expect))
		return json_is_true(json_object_get(expect, "met")) ? 0 : 1;
	if (receiver < 0)
		return sender;
	return receiver ? 4 : 0;
}
