// SPDX-License-Identifier: GPL-2.0-only
/* suite/essence.c - what two results are compared by. */
#include "suite/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "probe/decision.h"
#include "probe/names.h"
#include "probe/netfilter.h"
#include "view/decisions.h"

const char *fg_essence_name(enum fg_essence_part part)
{
	static const char *const names[] = { "verdict", "denied_by", "outcome", "reason" };

	return names[part];
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static long long number_at(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

/*
 * The name of a program; of a rule "netfilter inet filter forward 7", else "tc at lxc2": what is
 * the same from run to run.
 */
static const char *denier_of(const json_t *denier, char *buf, size_t size)
{
	const json_t *rule = json_object_get(denier, "rule");
	const char *kind = text_at(denier, "kind");
	char number[24] = "policy";

	if (!json_is_object(denier))
		return NULL;
	/* flowgen.result/1 knew only programs. */
	if (json_object_get(denier, "name"))
		return json_string_value(json_object_get(denier, "name"));
	if (json_is_object(rule))
		snprintf(number, sizeof(number), "%lld", number_at(rule, "handle"));
	if (*text_at(denier, "table"))
		snprintf(buf, size, "%s %s %s %s %s", kind, text_at(denier, "family"),
			 text_at(denier, "table"), text_at(denier, "chain"), number);
	else
		snprintf(buf, size, "%s%s%s", kind, *text_at(denier, "device") ? " at " : "",
			 text_at(denier, "device"));
	return buf;
}

/* Of a command what its flows met, and its exit status. */
static void read_command(const json_t *command, struct fg_essence *out)
{
	snprintf(out->text, sizeof(out->text), "exit status %lld",
		 number_at(command, "exit_status"));
	out->part[FG_ESSENCE_VERDICT] = json_string_value(json_object_get(command, "seen"));
	out->part[FG_ESSENCE_OUTCOME] = out->text;
}

void fg_essence_read(const json_t *line, struct fg_essence *out)
{
	const json_t *policy = json_object_get(line, "policy");
	const json_t *command = json_object_get(line, "command");
	const json_t *drop = json_object_get(line, "drop");

	*out = (struct fg_essence){ .part = { "not sent" } };
	if (command) {
		read_command(command, out);
		return;
	}
	if (!policy)
		return;
	out->part[FG_ESSENCE_VERDICT] = json_string_value(json_object_get(policy, "verdict"));
	out->part[FG_ESSENCE_DENIED_BY] =
		denier_of(json_object_get(policy, "denied_by"), out->text, sizeof(out->text));
	out->part[FG_ESSENCE_OUTCOME] = json_string_value(json_object_get(line, "outcome"));
	out->part[FG_ESSENCE_REASON] = json_string_value(json_object_get(drop, "reason"));
}

/* In the words of denier_of(). */
static const char *denier_text(const struct fg_context *context, const struct fg_result *r,
			       char *buf, size_t size)
{
	const struct fg_netfilter *n = r->netfilter;
	const struct fg_device *device;
	struct fg_decision d;
	char number[24] = "policy";

	if (r->verdict != FG_VERDICT_DENIED || !fg_decision_end(context, r, &d) ||
	    !fg_kind_is_policy(d.kind))
		return NULL;
	if (r->denied_by >= 0)
		return context->ladder->programs[r->denied_by].name;
	if (d.kind == FG_KIND_NETFILTER && n && n->table[0]) {
		if (!n->policy)
			snprintf(number, sizeof(number), "%llu", (unsigned long long)n->handle);
		snprintf(buf, size, "%s %s %s %s %s", fg_kind_name(d.kind),
			 fg_netfilter_family(n->family), n->table, n->chain, number);
		return buf;
	}
	device = fg_view_device(context, d.netns, d.ifindex);
	snprintf(buf, size, "%s%s%s", fg_kind_name(d.kind), device ? " at " : "",
		 device ? device->name : "");
	return buf;
}

static void take_probe(const struct fg_case *c, struct fg_essence *out)
{
	const struct fg_result *r = &c->probe->result;
	const struct fg_context *context = c->probe->context;

	out->part[FG_ESSENCE_VERDICT] = fg_verdict_name(r->verdict);
	out->part[FG_ESSENCE_OUTCOME] = fg_outcome_name(r->outcome);
	if (context)
		out->part[FG_ESSENCE_DENIED_BY] =
			denier_text(context, r, out->text, sizeof(out->text));
	if (r->dropped && context && context->reason)
		out->part[FG_ESSENCE_REASON] = context->reason(context->names, r->drop_code);
}

void fg_essence_take(const struct fg_case *c, struct fg_essence *out, json_t **line)
{
	*line = NULL;
	*out = (struct fg_essence){ .part = { "not sent" } };
	if (c->told) {
		*line = json_loads(c->told->json, 0, NULL);
		fg_essence_read(*line, out);
	} else if (c->ran) {
		snprintf(out->text, sizeof(out->text), "exit status %d", c->ran->status);
		out->part[FG_ESSENCE_VERDICT] = fg_flows_word_name(c->ran->seen);
		out->part[FG_ESSENCE_OUTCOME] = out->text;
	} else if (c->report) {
		take_probe(c, out);
	}
}

static bool has_decided(const struct fg_decision *d)
{
	switch (d->decided) {
	case FG_DECIDED_PASSED:
	case FG_DECIDED_REDIRECTED:
	case FG_DECIDED_DENIED:
	case FG_DECIDED_KEPT:
	case FG_DECIDED_DROPPED:
	case FG_DECIDED_REFUSED:
		return true;
	case FG_DECIDED_UNKNOWN:
	case FG_DECIDED_NEXT:
		break;
	}
	/* It ran, and what it returned was not seen: the packet went on. */
	return d->program && d->decided == FG_DECIDED_UNKNOWN && d->met == FG_RAN_YES;
}

const char *fg_essence_decider(const struct fg_case *c, char *buf, size_t size)
{
	const struct fg_context *context = c->probe ? c->probe->context : NULL;
	struct fg_decision list[FG_DECISIONS_MAX];
	const struct fg_decision *last = NULL;
	size_t count;

	if (!context || !c->report || c->probe->result.verdict == FG_VERDICT_UNKNOWN)
		return NULL;
	count = fg_decisions_list(context, &c->probe->result, list);
	for (size_t i = 0; i < count; i++)
		if (has_decided(&list[i]))
			last = &list[i];
	return last ? fg_decision_what(context, &c->probe->result, last, buf, size) : NULL;
}

static const char *or_none(const char *text)
{
	return text ? text : "none";
}

bool fg_essence_is_same(const struct fg_essence *a, const struct fg_essence *b)
{
	for (int i = 0; i < FG_ESSENCE_PARTS; i++)
		if (strcmp(or_none(a->part[i]), or_none(b->part[i])) != 0)
			return false;
	return true;
}
