// SPDX-License-Identifier: GPL-2.0-only
/* scenario/check.c - a result against what was expected of it, and what was seen in one word. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "probe/names.h"
#include "probe/netfilter.h"
#include "scenario/internal.h"

const char *fg_scenario_status_name(enum fg_case_status status)
{
	static const char *const names[] = { [FG_CASE_PASS] = "pass",
					     [FG_CASE_FAIL] = "fail",
					     [FG_CASE_SKIP] = "skip",
					     [FG_CASE_INCONCLUSIVE] = "inconclusive" };

	return names[status];
}

/* "denied or none", from a set of bits. */
static const char *bits_text(uint8_t bits, const char *(*name)(int), char *buf, size_t size)
{
	buf[0] = '\0';
	for (int i = 0; i < 8; i++) {
		size_t len = strlen(buf);

		if (bits >> i & 1)
			snprintf(buf + len, size - len, "%s%s", len ? " or " : "", name(i));
	}
	return buf;
}

static const char *verdict_name(int i)
{
	return fg_verdict_name((enum fg_verdict)i);
}

static const char *outcome_name(int i)
{
	return fg_outcome_name((enum fg_outcome)i);
}

/* What denied it, in one text: the program, the chain, or what kind of thing it was. */
static const char *denier_name(const struct fg_result *r, const struct fg_context *context,
			       char *buf, size_t size)
{
	int i = r->denied_by;

	if (i >= 0 && (size_t)i < context->ladder->count)
		return context->ladder->programs[i].name;
	if (r->netfilter)
		snprintf(buf, size, "%s %s %s", fg_netfilter_family(r->netfilter->family),
			 r->netfilter->table, r->netfilter->chain);
	else if (r->decider.kind != FG_KIND_NONE && r->decider.kind != FG_KIND_BPF &&
		 r->decider.kind != FG_KIND_TC)
		snprintf(buf, size, "%s", fg_kind_name(r->decider.kind));
	else
		return NULL;
	return buf;
}

/* A denier has more than one name: that of a rule's comment and of its kind too. */
static bool is_denier(const char *pattern, const struct fg_result *r)
{
	const char *kind = fg_kind_name(r->decider.kind);

	return (r->netfilter && r->netfilter->comment[0] &&
		!fnmatch(pattern, r->netfilter->comment, 0)) ||
	       (r->verdict == FG_VERDICT_DENIED && kind && !fnmatch(pattern, kind, 0));
}

static const char *drop_name(const struct fg_probe *probe, const struct fg_context *context)
{
	const char *name = NULL;

	if (probe->result.dropped && context->reason)
		name = context->reason(context->names, probe->result.drop_code);
	return name && *name ? name : NULL;
}

static enum fg_case_status check_verdict(const struct fg_scenario_expect *e,
					 const struct fg_result *result, char *why, size_t size)
{
	char wanted[100];

	if (!e->verdicts || e->verdicts >> result->verdict & 1)
		return FG_CASE_PASS;
	if (result->verdict == FG_VERDICT_UNKNOWN) {
		snprintf(why, size, "verdict: unknown: %s",
			 result->reason ? result->reason : "it is not known what decided");
		return FG_CASE_INCONCLUSIVE;
	}
	snprintf(why, size, "verdict: expected %s, got %s",
		 bits_text(e->verdicts, verdict_name, wanted, sizeof(wanted)),
		 fg_verdict_name(result->verdict));
	return FG_CASE_FAIL;
}

static enum fg_case_status check_outcome(const struct fg_scenario_expect *e,
					 const struct fg_result *result, char *why, size_t size)
{
	/* A denial that was asked for is an answer; else the packet must have an end that is known.
	 */
	bool answered = e->verdicts && !e->outcomes && result->verdict == FG_VERDICT_DENIED;
	char wanted[100];

	if (answered || (e->outcomes && e->outcomes >> result->outcome & 1))
		return FG_CASE_PASS;
	if (result->outcome == FG_OUTCOME_INCONCLUSIVE) {
		snprintf(why, size, "outcome: inconclusive: %s",
			 result->reason ? result->reason : "the packet's end was not seen");
		return FG_CASE_INCONCLUSIVE;
	}
	if (!e->outcomes)
		return FG_CASE_PASS;
	snprintf(why, size, "outcome: expected %s, got %s",
		 bits_text(e->outcomes, outcome_name, wanted, sizeof(wanted)),
		 fg_outcome_name(result->outcome));
	return FG_CASE_FAIL;
}

/* A name that is wanted; one that is not known although it should be does not prove the contrary.
 */
static enum fg_case_status check_name(const char *what, const char *wanted, const char *got,
				      bool should_be_known, char *why, size_t size)
{
	if (!wanted || (got && !fnmatch(wanted, got, 0)))
		return FG_CASE_PASS;
	if (!got && should_be_known) {
		snprintf(why, size, "%s: expected %s, but it is not known which", what, wanted);
		return FG_CASE_INCONCLUSIVE;
	}
	snprintf(why, size, "%s: expected %s, got %s", what, wanted, got ? got : "none");
	return FG_CASE_FAIL;
}

static enum fg_case_status check_denier(const struct fg_scenario_expect *e,
					const struct fg_result *r, const struct fg_context *context,
					char *why, size_t size)
{
	char name[900];

	if (e->denied_by && is_denier(e->denied_by, r))
		return FG_CASE_PASS;
	return check_name("denied-by", e->denied_by, denier_name(r, context, name, sizeof(name)),
			  r->verdict == FG_VERDICT_DENIED, why, size);
}

/* If a policy let it pass, and it did not get there for another reason. */
static enum fg_case_status check_arrival(const struct fg_scenario_expect *e,
					 const struct fg_probe *probe,
					 const struct fg_context *context, char *why, size_t size)
{
	const struct fg_result *r = &probe->result;
	const char *kind = fg_kind_name(r->decider.kind), *reason = drop_name(probe, context);

	if (!e->arrives || r->outcome == FG_OUTCOME_INCONCLUSIVE || fg_probe_arrived(r))
		return FG_CASE_PASS;
	snprintf(why, size, "outcome: expected it to arrive, but it was %s%s%s%s%s",
		 fg_outcome_name(r->outcome), kind ? " by " : "", kind ? kind : "",
		 reason ? ": " : "", reason ? reason : "");
	return FG_CASE_FAIL;
}

static enum fg_case_status check_stages(const struct fg_scenario_expect *e,
					const struct fg_result *r, char *why, size_t size)
{
	char wanted[100];

	for (int s = 0; s < FG_STAGES; s++) {
		const struct fg_stage_result *stage = &r->stages[s];
		const char *name = fg_stage_name((enum fg_stage)s);

		if (!e->stages[s] || (stage->reached && e->stages[s] >> stage->verdict & 1))
			continue;
		if (stage->reached && stage->verdict == FG_VERDICT_UNKNOWN) {
			snprintf(why, size, "%s: unknown: %s", name,
				 r->reason ? r->reason : "it is not known what decided");
			return FG_CASE_INCONCLUSIVE;
		}
		snprintf(why, size, "%s: expected %s, %s%s", name,
			 bits_text(e->stages[s], verdict_name, wanted, sizeof(wanted)),
			 stage->reached ? "got " : "but the packet did not get there",
			 stage->reached ? fg_verdict_name(stage->verdict) : "");
		return FG_CASE_FAIL;
	}
	return FG_CASE_PASS;
}

/* What policy said of it on its return path: one that was let through has come, too. */
static enum fg_case_status check_back(const struct fg_scenario_expect *e,
				      const struct fg_result *result, char *why, size_t size)
{
	const struct fg_reply *reply = &result->reply;
	enum fg_verdict verdict = reply->way ? reply->way->verdict : FG_VERDICT_UNKNOWN;
	bool came = reply->kind != FG_REPLY_NONE;
	char wanted[100];

	if (e->back >> verdict & 1 && (came || verdict == FG_VERDICT_DENIED))
		return FG_CASE_PASS;
	/* A packet whose end is not known may have been answered. */
	if (!came && result->outcome != FG_OUTCOME_INCONCLUSIVE && verdict != FG_VERDICT_DENIED) {
		snprintf(why, size, "reply: none came");
		return FG_CASE_FAIL;
	}
	if (!e->back) {
		snprintf(why, size,
			 came ? "reply: one of a different kind came" : "reply: none came");
		return FG_CASE_FAIL;
	}
	if (verdict == FG_VERDICT_UNKNOWN) {
		snprintf(why, size, "reply: unknown: %s",
			 reply->way && reply->way->reason ? reply->way->reason
							  : "it was not followed");
		return FG_CASE_INCONCLUSIVE;
	}
	snprintf(why, size, "reply: expected %s, got %s",
		 bits_text(e->back, verdict_name, wanted, sizeof(wanted)),
		 fg_verdict_name(verdict));
	return FG_CASE_FAIL;
}

static enum fg_case_status check_reply(const struct fg_scenario_expect *e,
				       const struct fg_result *result, char *why, size_t size)
{
	const struct fg_reply *reply = &result->reply;
	enum fg_case_status status;

	if ((e->replies || e->back) && !(e->replies >> reply->kind & 1)) {
		status = check_back(e, result, why, size);
		if (status)
			return status;
	}
	if (!e->rtt_ns || (reply->kind != FG_REPLY_NONE && reply->rtt_ns <= e->rtt_ns))
		return FG_CASE_PASS;
	if (reply->kind == FG_REPLY_NONE)
		snprintf(why, size, "rtt: no reply came");
	else
		snprintf(why, size, "rtt: expected at most %.3f ms, got %.3f ms",
			 (double)e->rtt_ns / 1e6, (double)reply->rtt_ns / 1e6);
	return FG_CASE_FAIL;
}

/* What policy would have said of a packet that the pod's kernel does not make is not known. */
static enum fg_case_status check_sent(const struct fg_scenario_expect *e, const struct fg_result *r,
				      char *why, size_t size)
{
	uint8_t stages = 0;

	for (int s = 0; s < FG_STAGES; s++)
		stages |= e->stages[s];
	if (r->outcome != FG_OUTCOME_NOT_SENT || e->outcomes >> FG_OUTCOME_NOT_SENT & 1 ||
	    !(e->outcomes || e->verdicts || stages || e->reason || e->denied_by || e->replies ||
	      e->rtt_ns))
		return FG_CASE_PASS;
	snprintf(why, size, "outcome: not-sent: %s",
		 r->reason ? r->reason : "the pod's kernel refuses it");
	return FG_CASE_FAIL;
}

enum fg_case_status fg_scenario_check(const struct fg_scenario_expect *expect,
				      const struct fg_probe *probe,
				      const struct fg_context *context, char *why, size_t size)
{
	const struct fg_result *result = &probe->result;
	enum fg_case_status status;

	why[0] = '\0';
	/* Each packet has its own way. */
	context = probe->context ? probe->context : context;
	status = check_sent(expect, result, why, size);
	if (!status)
		status = check_verdict(expect, result, why, size);
	if (!status)
		status = check_outcome(expect, result, why, size);
	if (!status)
		status = check_arrival(expect, probe, context, why, size);
	if (!status)
		status = check_stages(expect, result, why, size);
	if (!status)
		status = check_denier(expect, result, context, why, size);
	if (!status)
		status = check_name("reason", expect->reason, drop_name(probe, context),
				    result->outcome == FG_OUTCOME_INCONCLUSIVE ||
					    (result->outcome == FG_OUTCOME_DROPPED &&
					     !result->dropped),
				    why, size);
	if (!status)
		status = check_reply(expect, result, why, size);
	return status;
}

enum fg_expect fg_scenario_simple(const struct fg_scenario_expect *expect)
{
	static const struct {
		const char *word;
		enum fg_expect simple;
	} same[] = {
		{ "allow", FG_EXPECT_ALLOW },	      { "deny", FG_EXPECT_DENY },
		{ "denied", FG_EXPECT_DENY },	      { "delivered", FG_EXPECT_DELIVERED },
		{ "forwarded", FG_EXPECT_FORWARDED }, { "dropped", FG_EXPECT_DROPPED },
		{ "allowed", FG_EXPECT_ALLOWED },     { "not-sent", FG_EXPECT_NOT_SENT },
	};

	for (size_t i = 0; expect->text && i < COUNT(same); i++)
		if (!strcmp(expect->text, same[i].word))
			return same[i].simple;
	return FG_EXPECT_NOTHING;
}

const char *fg_scenario_seen_word(const struct fg_result *result)
{
	if (result->outcome == FG_OUTCOME_NOT_SENT)
		return "not-sent";
	switch (result->verdict) {
	case FG_VERDICT_ALLOWED:
		return "allowed";
	case FG_VERDICT_DENIED:
		return "deny";
	case FG_VERDICT_REDIRECTED:
		return "redirected";
	case FG_VERDICT_NONE:
		return "none";
	case FG_VERDICT_UNKNOWN:
		break;
	}
	return "any";
}
