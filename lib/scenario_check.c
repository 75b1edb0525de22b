// SPDX-License-Identifier: GPL-2.0-only
/* scenario_check.c - a result against what was expected of it, and what was seen in one word. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "scenario_parts.h"

const char *fg_case_status_name(enum fg_case_status status)
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

static const char *denier_name(const struct fg_probe *probe, const struct fg_scene *scene)
{
	int i = probe->result.denied_by;

	return i >= 0 && (size_t)i < scene->ladder->count ? scene->ladder->programs[i].name : NULL;
}

static const char *drop_name(const struct fg_probe *probe, const struct fg_scene *scene)
{
	const char *name = NULL;

	if (probe->result.dropped && scene->reason)
		name = scene->reason(scene->names, probe->result.drop_code);
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
			 result->reason ? result->reason : "it could not be told who decided");
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
	/* Where nothing is said of verdict and outcome, the packet must at least have an end that
	 * is known. */
	bool asked = e->outcomes || !e->verdicts;
	char wanted[100];

	if (e->outcomes && e->outcomes >> result->outcome & 1)
		return FG_CASE_PASS;
	if (asked && result->outcome == FG_OUTCOME_INCONCLUSIVE) {
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

/* A name that is wanted; one that is not known where it should be is no proof of the contrary. */
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

static enum fg_case_status check_reply(const struct fg_scenario_expect *e,
				       const struct fg_result *result, char *why, size_t size)
{
	const struct fg_reply *reply = &result->reply;

	if (e->replies && !(e->replies >> reply->kind & 1)) {
		snprintf(why, size,
			 reply->kind == FG_REPLY_NONE ? "reply: none came"
						      : "reply: one of another kind came");
		return FG_CASE_FAIL;
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

enum fg_case_status fg_scenario_check(const struct fg_scenario_expect *expect,
				      const struct fg_probe *probe, const struct fg_scene *scene,
				      char *why, size_t size)
{
	const struct fg_result *result = &probe->result;
	enum fg_case_status status;

	why[0] = '\0';
	status = check_verdict(expect, result, why, size);
	if (!status)
		status = check_outcome(expect, result, why, size);
	if (!status)
		status = check_name("denied-by", expect->denied_by, denier_name(probe, scene),
				    result->verdict == FG_VERDICT_DENIED, why, size);
	if (!status)
		status = check_name("reason", expect->reason, drop_name(probe, scene),
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
	};

	for (size_t i = 0; expect->text && i < sizeof(same) / sizeof(same[0]); i++)
		if (!strcmp(expect->text, same[i].word))
			return same[i].simple;
	return FG_EXPECT_NOTHING;
}

const char *fg_scenario_seen_word(const struct fg_probe *probe)
{
	switch (probe->result.verdict) {
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
