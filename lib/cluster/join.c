// SPDX-License-Identifier: GPL-2.0-only
#include "cluster/join.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

static void set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, text && text[0] ? json_string(text) : json_null());
}

static void name_node(json_t *result, const char *node)
{
	json_t *list = json_object_get(result, "decisions");

	set_text(result, "node", node);
	for (size_t i = 0; i < json_array_size(list); i++)
		set_text(json_array_get(list, i), "node", node);
	if (json_is_object(json_object_get(result, "decider")))
		set_text(json_object_get(result, "decider"), "node", node);
}

static void name_target(json_t *result, const struct fg_target *to)
{
	json_t *value = json_pack("{s:s}", "name", to->text);

	set_text(value, "namespace", to->namespace);
	set_text(value, "pod", to->pod);
	set_text(value, "node", to->node);
	json_object_set_new(result, "to", value);
}

/* The end is the place where it was last seen, but the packet's own: not an answer's. */
const char *fg_join_last_seen(const json_t *result)
{
	const json_t *list = json_object_get(result, "observations");
	const char *device = NULL;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *seen = json_array_get(list, i);

		if (!strcmp(fg_json_string(seen, "of"), "packet") &&
		    fg_json_string(seen, "device")[0])
			device = fg_json_string(seen, "device");
	}
	return device;
}

/*
 * Nobody met the expectation: what was expected is about the whole way. Only a denial is known for
 * certain, and that did not leave the node.
 */
static void make_unknown(json_t *result, const struct fg_join_end *end)
{
	json_t *policy = json_object_get(result, "policy"), *expect, *reason;
	const char *device = fg_join_last_seen(result);

	json_object_set_new(result, "outcome", json_string("inconclusive"));
	json_object_set_new(policy, "verdict", json_string("unknown"));
	expect = json_object_get(result, "expect");
	if (json_is_object(expect))
		json_object_set_new(expect, "met", json_false());
	reason = json_sprintf("left node %s at %s; unknown beyond node %s: %s", end->node,
			      device ? device : "an unknown device", end->node, end->why);
	json_object_set_new(result, "reason", reason ? reason : json_null());
}

void fg_join_name(json_t *result, const struct fg_join_end *end)
{
	name_node(result, end->node);
	name_target(result, end->to);
}

bool fg_join_sender(json_t *result, const struct fg_join_end *end)
{
	bool left = !strcmp(fg_json_string(result, "outcome"), "forwarded");
	const char *verdict = fg_json_string(json_object_get(result, "policy"), "verdict");

	fg_join_name(result, end);
	if (!left || !end->cluster || !strcmp(verdict, "denied"))
		return false;
	make_unknown(result, end);
	return true;
}
