// SPDX-License-Identifier: GPL-2.0-only
/* whole.c - a joined result against what is expected of the whole way. */
#include "cases/internal.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "probe/decision.h"
#include "probe/names.h"
#include "probe/netfilter.h"

enum fg_verdict fg_whole_verdict(const char *word)
{
	for (int i = 0; i <= FG_VERDICT_NONE; i++)
		if (!strcmp(word, fg_verdict_name((enum fg_verdict)i)))
			return (enum fg_verdict)i;
	return FG_VERDICT_UNKNOWN;
}

enum fg_outcome fg_whole_outcome(const char *word)
{
	for (int i = 0; i < FG_OUTCOMES; i++)
		if (!strcmp(word, fg_outcome_name((enum fg_outcome)i)))
			return (enum fg_outcome)i;
	return FG_OUTCOME_INCONCLUSIVE;
}

/* --- the result as a value again, as far as expectations look at it --- */

struct whole {
	struct fg_probe probe;
	struct fg_context context;
	struct fg_ladder ladder;
	struct fg_program denier; /* the ladder has no more than this */
	struct fg_netfilter netfilter;
	struct fg_result way; /* of the reply */
};

static const char *drop_reason(const void *names, uint32_t code)
{
	(void)code;
	return names;
}

static const char *text_or_null(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void read_stages(const json_t *stages, struct fg_result *r)
{
	for (int s = 0; s < FG_STAGES; s++) {
		const char *word = text_or_null(stages, fg_stage_name((enum fg_stage)s));

		r->stages[s].reached = word != NULL;
		r->stages[s].verdict = fg_whole_verdict(word ? word : "");
	}
}

static enum fg_kind kind_of(const char *word)
{
	for (int i = 0; i < FG_KINDS; i++) {
		const char *name = fg_kind_name((enum fg_kind)i);

		if (name && !strcmp(name, word))
			return (enum fg_kind)i;
	}
	return FG_KIND_NONE;
}

static uint8_t family_of(const char *word)
{
	for (int i = 1; i < NFPROTO_NUMPROTO; i++)
		if (!strcmp(fg_netfilter_family((uint8_t)i), word))
			return (uint8_t)i;
	return 0;
}

static void read_rule(const json_t *by, struct whole *w)
{
	struct fg_netfilter *n = &w->netfilter;

	if (!fg_json_string(by, "table")[0])
		return;
	n->family = family_of(fg_json_string(by, "family"));
	snprintf(n->table, sizeof(n->table), "%s", fg_json_string(by, "table"));
	snprintf(n->chain, sizeof(n->chain), "%s", fg_json_string(by, "chain"));
	snprintf(n->comment, sizeof(n->comment), "%s",
		 fg_json_string(json_object_get(by, "rule"), "comment"));
	w->probe.result.netfilter = n;
}

static void read_denier(const json_t *by, struct whole *w)
{
	w->probe.result.denied_by = -1;
	if (!json_is_object(by))
		return;
	if (!fg_json_string(by, "name")[0]) {
		read_rule(by, w);
		return;
	}
	snprintf(w->denier.name, sizeof(w->denier.name), "%s", fg_json_string(by, "name"));
	w->probe.result.denied_by = 0;
}

static void read_drop(const json_t *drop, struct whole *w)
{
	const json_t *rule = json_object_get(drop, "netfilter");

	w->probe.result.dropped = json_is_object(drop);
	w->context.names = text_or_null(drop, "reason");
	w->context.reason = drop_reason;
	if (json_is_object(rule) && !w->probe.result.netfilter)
		read_rule(rule, w);
}

static void read_reply(const json_t *from, struct whole *w)
{
	struct fg_reply *reply = &w->probe.result.reply;
	const char *kind = fg_json_string(from, "kind");
	json_int_t rtt = json_integer_value(json_object_get(from, "rtt_ns"));
	const json_t *policy = json_object_get(from, "policy");

	for (int i = FG_REPLY_NONE + 1; i < FG_REPLY_KINDS; i++)
		if (!strcmp(kind, fg_reply_name((enum fg_reply_kind)i)))
			reply->kind = (enum fg_reply_kind)i;
	reply->rtt_ns = rtt > 0 ? (uint64_t)rtt : 0;
	if (!json_is_object(policy))
		return;
	w->way.verdict = fg_whole_verdict(fg_json_string(policy, "verdict"));
	w->way.reason = text_or_null(from, "reason");
	reply->way = &w->way;
}

static void read(const json_t *result, struct whole *w)
{
	const json_t *policy = json_object_get(result, "policy");
	struct fg_result *r = &w->probe.result;

	w->ladder = (struct fg_ladder){ .programs = &w->denier, .count = 1 };
	w->context.ladder = &w->ladder;
	r->verdict = fg_whole_verdict(fg_json_string(policy, "verdict"));
	r->outcome = fg_whole_outcome(fg_json_string(result, "outcome"));
	r->reason = text_or_null(result, "reason");
	r->decider.kind = kind_of(fg_json_string(json_object_get(result, "decider"), "kind"));
	read_stages(json_object_get(policy, "stages"), r);
	read_denier(json_object_get(policy, "denied_by"), w);
	read_drop(json_object_get(result, "drop"), w);
	read_reply(json_object_get(result, "reply"), w);
}

enum fg_case_status fg_whole_check(const struct fg_scenario_expect *expect, const json_t *result,
				   char *why, size_t size)
{
	struct whole w = {};

	read(result, &w);
	return fg_scenario_check(expect, &w.probe, &w.context, why, size);
}
