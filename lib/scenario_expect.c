// SPDX-License-Identifier: GPL-2.0-only
/* scenario_expect.c - what is expected: the words and mappings of `expect`, and the tables of a
 * matrix. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "names.h"
#include "scenario_parts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define V(name) (1U << FG_VERDICT_##name)
#define O(name) (1U << FG_OUTCOME_##name)

/* The short words; those of a table have a letter too. */
static const struct word {
	const char *word;
	char letter;
	uint8_t verdicts, outcomes;
	bool skip;
} words[] = {
	{ "allow", 'A', V(ALLOWED) | V(REDIRECTED) | V(NONE), 0, false },
	{ "deny", 'D', V(DENIED), 0, false },
	{ "none", 'N', V(NONE), 0, false },
	{ "enforced", 'E', V(ALLOWED) | V(DENIED) | V(REDIRECTED), 0, false },
	{ "allowed", 0, V(ALLOWED), 0, false },
	{ "denied", 0, V(DENIED), 0, false },
	{ "redirected", 'R', V(REDIRECTED), 0, false },
	{ "delivered", 0, 0, O(DELIVERED) | O(REPLIED), false },
	{ "forwarded", 0, 0, O(FORWARDED), false },
	{ "dropped", 0, 0, O(DROPPED) | O(REJECTED), false },
	{ "any", '?', 0, 0, false },
	{ "skip", '-', 0, 0, true },
};

static const char *const verdict_words[] = { "allow",	   "allowed", "deny",	 "denied",
					     "redirected", "none",    "enforced" };

static const char *word_text(size_t i)
{
	return words[i].word;
}

int fg_scn_expect_word(const char *word, struct fg_scenario_expect *out)
{
	bool letter = word[0] && !word[1];

	for (size_t i = 0; i < COUNT(words); i++) {
		const struct word *w = &words[i];
		/* Letters may be small. */
		bool same = letter ? w->letter &&
					     (word[0] == w->letter || word[0] == (w->letter | 0x20))
				   : !strcmp(word, w->word);

		if (!same)
			continue;
		out->verdicts = w->verdicts;
		out->outcomes = w->outcomes;
		out->skip = w->skip;
		out->text = strdup(w->word);
		return 0;
	}
	return -1;
}

void fg_scn_expect_free(struct fg_scenario_expect *expect)
{
	free(expect->reason);
	free(expect->denied_by);
	free(expect->text);
	*expect = (struct fg_scenario_expect){};
}

static int refuse_word(struct fg_scenario_reader *r, const json_t *node, const char *text)
{
	const char *all[COUNT(words)];

	for (size_t i = 0; i < COUNT(words); i++)
		all[i] = word_text(i);
	fg_scn_fail(
		r, node,
		"\"%.40s\" is none of allow, deny, none, enforced, allowed, denied, redirected, "
		"delivered, forwarded, dropped, any, skip",
		text);
	return fg_scn_suggest(r, text, all, COUNT(words));
}

static int read_verdict(struct fg_scenario_reader *r, const json_t *node, void *arg)
{
	struct fg_scenario_expect *out = arg;
	struct fg_scenario_expect word = {};
	FG_FREE char *text = fg_scn_text(r, node);
	bool known = false;

	if (!text)
		return -1;
	for (size_t i = 0; i < COUNT(verdict_words); i++)
		known |= !strcmp(text, verdict_words[i]);
	if (!known) {
		fg_scn_fail(
			r, node,
			"\"%.40s\" is none of allow, allowed, deny, denied, redirected, none, enforced",
			text);
		return fg_scn_suggest(r, text, verdict_words, COUNT(verdict_words));
	}
	fg_scn_expect_word(text, &word);
	out->verdicts |= word.verdicts;
	fg_scn_expect_free(&word);
	return 0;
}

static int read_outcome(struct fg_scenario_reader *r, const json_t *node, void *arg)
{
	static const char *const known[] = { "delivered", "forwarded", "dropped", "rejected",
					     "replied" };
	static const uint8_t bits[] = { O(DELIVERED) | O(REPLIED), O(FORWARDED), O(DROPPED),
					O(REJECTED), O(REPLIED) };
	struct fg_scenario_expect *out = arg;
	FG_FREE char *text = fg_scn_text(r, node);

	if (!text)
		return -1;
	for (size_t i = 0; i < COUNT(known); i++) {
		if (strcmp(text, known[i]) != 0)
			continue;
		out->outcomes |= bits[i];
		r->scenario->wants_reply |= bits[i] == (O(REPLIED));
		return 0;
	}
	fg_scn_fail(r, node,
		    "\"%.40s\" is none of delivered, forwarded, dropped, rejected, replied", text);
	return fg_scn_suggest(r, text, known, COUNT(known));
}

/* What the mapping says in one line, for messages: "verdict denied, denied-by deny_port". */
static int describe(struct fg_scenario_reader *r, const json_t *node,
		    struct fg_scenario_expect *out)
{
	FG_FREE char *flat = json_dumps(node, JSON_COMPACT);
	char text[200];
	size_t n = 0;

	for (const char *c = flat ? flat : ""; *c && n + 3 < sizeof(text); c++) {
		if (strchr("{}[]\"", *c))
			continue;
		text[n++] = *c == ':' ? ' ' : *c;
		if (*c == ',')
			text[n++] = ' ';
	}
	text[n] = '\0';
	out->text = strdup(text);
	return out->text ? 0 : fg_fail_errno(r->err, FG_ERR_INTERNAL, ENOMEM, "expectation");
}

static int read_reply(struct fg_scenario_reader *r, const json_t *node, void *arg)
{
	const char *known[FG_REPLY_KINDS] = { "none" };
	struct fg_scenario_expect *out = arg;
	FG_FREE char *text = fg_scn_text(r, node);

	if (!text)
		return -1;
	for (int i = 1; i < FG_REPLY_KINDS; i++)
		known[i] = fg_reply_name((enum fg_reply_kind)i);
	for (size_t i = 0; i < COUNT(known); i++) {
		if (strcmp(text, known[i]) != 0)
			continue;
		out->replies |= (uint16_t)(1U << i);
		r->scenario->wants_reply = true;
		return 0;
	}
	fg_scn_fail(
		r, node,
		"\"%.40s\" is none of none, syn-ack, rst, tcp, echo-reply, icmp-error, dns, udp, "
		"sctp-init-ack, sctp-abort, sctp, other",
		text);
	return fg_scn_suggest(r, text, known, COUNT(known));
}

static int read_answer(struct fg_scenario_reader *r, const json_t *node,
		       struct fg_scenario_expect *out)
{
	const json_t *reply = json_object_get(node, "reply"), *rtt = json_object_get(node, "rtt");
	FG_FREE char *text = NULL;
	size_t mark = fg_scn_enter(r, "reply", 0);

	if (reply && fg_scn_each(r, reply, read_reply, out))
		return -1;
	fg_scn_leave(r, mark);
	mark = fg_scn_enter(r, "rtt", 0);
	if (rtt && !(text = fg_scn_text(r, rtt)))
		return -1;
	if (rtt && fg_parse_duration("rtt", text, &out->rtt_ns, r->err))
		return fg_scn_fail_parsed(r, rtt);
	if (rtt && !out->rtt_ns)
		return fg_scn_fail(r, rtt, "an answer cannot come within no time");
	r->scenario->wants_reply |= rtt != NULL;
	fg_scn_leave(r, mark);
	return 0;
}

static int read_parts(struct fg_scenario_reader *r, const json_t *node,
		      struct fg_scenario_expect *out)
{
	const json_t *verdict = json_object_get(node, "verdict");
	const json_t *outcome = json_object_get(node, "outcome");
	size_t mark = fg_scn_enter(r, "verdict", 0);

	if (verdict && fg_scn_each(r, verdict, read_verdict, out))
		return -1;
	fg_scn_leave(r, mark);
	mark = fg_scn_enter(r, "outcome", 0);
	if (outcome && fg_scn_each(r, outcome, read_outcome, out))
		return -1;
	fg_scn_leave(r, mark);
	return fg_scn_text_at(r, node, "reason", &out->reason) ||
			       fg_scn_text_at(r, node, "denied-by", &out->denied_by)
		       ? -1
		       : 0;
}

/* What can never be true together is a mistake in the file. */
static int check_parts(struct fg_scenario_reader *r, const json_t *node,
		       const struct fg_scenario_expect *e)
{
	if (e->denied_by && e->verdicts && !(e->verdicts & V(DENIED)))
		return fg_scn_fail_key(r, json_object_get(node, "denied-by"),
				       "denied-by contradicts the verdict, which is not denied");
	if (e->reason && e->outcomes && !(e->outcomes & (O(DROPPED) | O(REJECTED))))
		return fg_scn_fail_key(r, json_object_get(node, "reason"),
				       "reason contradicts the outcome, which is not dropped");
	if (e->rtt_ns && e->replies == 1U << FG_REPLY_NONE)
		return fg_scn_fail_key(r, json_object_get(node, "rtt"),
				       "rtt contradicts reply: none");
	if (!json_object_size(node))
		return fg_scn_fail(r, node, "nothing is expected: write any where that is meant");
	return 0;
}

int fg_scn_read_expect(struct fg_scenario_reader *r, const json_t *node,
		       struct fg_scenario_expect *out)
{
	static const char *const keys[] = { "verdict",	 "outcome", "reason",
					    "denied-by", "reply",   "rtt" };
	FG_FREE char *text = NULL;

	if (json_is_object(node)) {
		if (fg_scn_map(r, node, "an expectation", keys, COUNT(keys), false) ||
		    read_parts(r, node, out) || read_answer(r, node, out) ||
		    check_parts(r, node, out))
			return -1;
		if (out->denied_by && !out->verdicts)
			out->verdicts = V(DENIED);
		return describe(r, node, out);
	}
	if (json_is_array(node))
		return fg_scn_fail(r, node,
				   "expected one word, or a mapping with verdict, outcome, ...");
	text = fg_scn_text(r, node);
	if (!text)
		return -1;
	/* Letters are for tables, where there is no room. */
	if (!text[0] || !text[1] || fg_scn_expect_word(text, out))
		return refuse_word(r, node, text);
	return 0;
}
