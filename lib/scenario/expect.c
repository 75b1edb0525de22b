// SPDX-License-Identifier: GPL-2.0-only
/* scenario/expect.c - what is expected: the words and mappings of `expect`, and the tables of a
 * matrix. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "probe/names.h"
#include "scenario/internal.h"

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
	{ "not-sent", 0, 0, O(NOT_SENT), false },
	{ "any", '?', 0, 0, false },
	{ "skip", '-', 0, 0, true },
};

static const char *const verdict_words[] = { "allow",	   "allowed", "deny",	 "denied",
					     "redirected", "none",    "enforced" };

/* A kind of reply, or a verdict. */
#define REPLY_WORDS (FG_REPLY_KINDS + sizeof(verdict_words) / sizeof(*verdict_words))

static const char *word_text(size_t i)
{
	return words[i].word;
}

/* What a policy allows has to get there too: a packet that was lost was not let through. */
static bool arrives(const char *word)
{
	return !strcmp(word, "allow") || !strcmp(word, "allowed");
}

int fg_scenario_expect_word(const char *word, struct fg_scenario_expect *out)
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
		out->arrives = arrives(w->word);
		out->text = strdup(w->word);
		return 0;
	}
	return -1;
}

bool fg_scenario_same_word(const char *text, const char *word)
{
	return !strcmp(text, word) ||
	       (text[0] && !text[1] && (text[0] & ~0x20) == (fg_scenario_letter(word) & ~0x20) &&
		fg_scenario_letter(word));
}

char fg_scenario_letter(const char *word)
{
	for (size_t i = 0; i < COUNT(words); i++)
		if (!strcmp(word, words[i].word))
			return words[i].letter;
	return 0;
}

struct fg_scenario_expect fg_scenario_expect_of(enum fg_expect expect)
{
	static const char *const same[] = {
		[FG_EXPECT_NOTHING] = "any",	     [FG_EXPECT_ALLOW] = "allow",
		[FG_EXPECT_DENY] = "deny",	     [FG_EXPECT_DELIVERED] = "delivered",
		[FG_EXPECT_FORWARDED] = "forwarded", [FG_EXPECT_DROPPED] = "dropped",
		[FG_EXPECT_ALLOWED] = "allowed",     [FG_EXPECT_FINER] = "any",
		[FG_EXPECT_NOT_SENT] = "not-sent",
	};
	struct fg_scenario_expect out = {};

	for (size_t i = 0; i < COUNT(words); i++)
		if (!strcmp(words[i].word, same[expect])) {
			out.verdicts = words[i].verdicts;
			out.outcomes = words[i].outcomes;
			out.arrives = arrives(words[i].word);
		}
	return out;
}

void fg_scenario_expect_free(struct fg_scenario_expect *expect)
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
	return fg_scenario_fail_word(r, node, text, all, COUNT(words));
}

static int read_verdict(struct fg_scenario_reader *r, const json_t *node, void *arg)
{
	uint8_t *bits = arg;
	struct fg_scenario_expect word = {};
	FG_FREE char *text = fg_scenario_text(r, node);
	bool known = false;

	if (!text)
		return -1;
	for (size_t i = 0; i < COUNT(verdict_words); i++)
		known |= !strcmp(text, verdict_words[i]);
	if (!known)
		return fg_scenario_fail_word(r, node, text, verdict_words, COUNT(verdict_words));
	fg_scenario_expect_word(text, &word);
	*bits |= word.verdicts;
	fg_scenario_expect_free(&word);
	return 0;
}

static int read_outcome(struct fg_scenario_reader *r, const json_t *node, void *arg)
{
	static const char *const known[] = { "delivered", "forwarded", "dropped",
					     "rejected",  "replied",   "not-sent" };
	static const uint8_t bits[] = { O(DELIVERED) | O(REPLIED),
					O(FORWARDED),
					O(DROPPED),
					O(REJECTED),
					O(REPLIED),
					O(NOT_SENT) };
	struct fg_scenario_expect *out = arg;
	FG_FREE char *text = fg_scenario_text(r, node);

	if (!text)
		return -1;
	for (size_t i = 0; i < COUNT(known); i++) {
		if (strcmp(text, known[i]) != 0)
			continue;
		out->outcomes |= bits[i];
		r->scenario->wants_reply |= bits[i] == (O(REPLIED));
		return 0;
	}
	return fg_scenario_fail_word(r, node, text, known, COUNT(known));
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

/* A kind of reply, or (but for "none": none came) a verdict on the return path. */
static bool reply_word(const char *word, struct fg_scenario_expect *out)
{
	struct fg_scenario_expect e = {};
	bool known = false;

	for (int i = 0; i < FG_REPLY_KINDS; i++) {
		const char *name = i ? fg_reply_name((enum fg_reply_kind)i) : "none";

		if (!strcmp(word, name)) {
			out->replies |= (uint16_t)(1U << i);
			return true;
		}
	}
	for (size_t i = 0; i < COUNT(verdict_words); i++)
		known |= !strcmp(word, verdict_words[i]);
	if (!known || fg_scenario_expect_word(word, &e))
		return false;
	out->back |= e.verdicts;
	fg_scenario_expect_free(&e);
	return true;
}

/* All of these words; "none" is a kind. Returns how many. */
static size_t reply_words(const char *out[REPLY_WORDS])
{
	size_t count = 0;

	out[count++] = "none";
	for (int i = 1; i < FG_REPLY_KINDS; i++)
		out[count++] = fg_reply_name((enum fg_reply_kind)i);
	for (size_t i = 0; i < COUNT(verdict_words); i++)
		if (strcmp(verdict_words[i], "none") != 0)
			out[count++] = verdict_words[i];
	return count;
}

static int read_reply(struct fg_scenario_reader *r, const json_t *node, void *arg)
{
	const char *known[REPLY_WORDS];
	struct fg_scenario_expect *out = arg;
	FG_FREE char *text = fg_scenario_text(r, node);

	if (!text)
		return -1;
	if (!reply_word(text, out)) {
		size_t count = reply_words(known);

		return fg_scenario_fail_word(r, node, text, known, count);
	}
	r->scenario->wants_reply = true;
	return 0;
}

static int read_answer(struct fg_scenario_reader *r, const json_t *node,
		       struct fg_scenario_expect *out)
{
	const json_t *reply = json_object_get(node, "reply"), *rtt = json_object_get(node, "rtt");
	FG_FREE char *text = NULL;
	size_t mark = fg_scenario_enter(r, "reply", 0);

	if (reply && fg_scenario_each(r, reply, read_reply, out))
		return -1;
	fg_scenario_leave(r, mark);
	mark = fg_scenario_enter(r, "rtt", 0);
	if (rtt && !(text = fg_scenario_text(r, rtt)))
		return -1;
	if (rtt && fg_parse_duration("rtt", text, &out->rtt_ns, r->err))
		return fg_scenario_fail_parsed(r, rtt);
	if (rtt && !out->rtt_ns)
		return fg_scenario_fail(r, rtt, "must be greater than 0");
	r->scenario->wants_reply |= rtt != NULL;
	fg_scenario_leave(r, mark);
	return 0;
}

static int read_stages(struct fg_scenario_reader *r, const json_t *node,
		       struct fg_scenario_expect *out)
{
	for (int s = 0; s < FG_STAGES; s++) {
		const char *name = fg_stage_name((enum fg_stage)s);
		const json_t *stage = json_object_get(node, name);
		size_t mark = fg_scenario_enter(r, name, 0);

		if (stage && fg_scenario_each(r, stage, read_verdict, &out->stages[s]))
			return -1;
		fg_scenario_leave(r, mark);
	}
	return 0;
}

static int read_parts(struct fg_scenario_reader *r, const json_t *node,
		      struct fg_scenario_expect *out)
{
	const json_t *verdict = json_object_get(node, "verdict");
	const json_t *outcome = json_object_get(node, "outcome");
	size_t mark = fg_scenario_enter(r, "verdict", 0);

	if (verdict && fg_scenario_each(r, verdict, read_verdict, &out->verdicts))
		return -1;
	fg_scenario_leave(r, mark);
	if (read_stages(r, node, out))
		return -1;
	mark = fg_scenario_enter(r, "outcome", 0);
	if (outcome && fg_scenario_each(r, outcome, read_outcome, out))
		return -1;
	fg_scenario_leave(r, mark);
	return fg_scenario_text_at(r, node, "reason", &out->reason) ||
			       fg_scenario_text_at(r, node, "denied-by", &out->denied_by)
		       ? -1
		       : 0;
}

/* What can never be true together is a mistake in the file. */
static int check_parts(struct fg_scenario_reader *r, const json_t *node,
		       const struct fg_scenario_expect *e)
{
	if (e->denied_by && e->verdicts && !(e->verdicts & V(DENIED)))
		return fg_scenario_fail_key(
			r, json_object_get(node, "denied-by"),
			"denied-by contradicts the verdict, which is not denied");
	if (e->reason && e->outcomes && !(e->outcomes & (O(DROPPED) | O(REJECTED))))
		return fg_scenario_fail_key(r, json_object_get(node, "reason"),
					    "reason contradicts the outcome, which is not dropped");
	if (e->rtt_ns && e->replies == 1U << FG_REPLY_NONE && !e->back)
		return fg_scenario_fail_key(r, json_object_get(node, "rtt"),
					    "rtt contradicts reply: none");
	if (!json_object_size(node))
		return fg_scenario_fail(r, node, "nothing is expected: write any if that is meant");
	return 0;
}

int fg_scenario_read_expect(struct fg_scenario_reader *r, const json_t *node,
			    struct fg_scenario_expect *out)
{
	static const char *const keys[] = { "verdict", "outcome", "reason", "denied-by", "reply",
					    "rtt",     "egress",  "node",   "ingress" };
	FG_FREE char *text = NULL;

	if (json_is_object(node)) {
		if (fg_scenario_map(r, node, "an expectation", keys, COUNT(keys), false) ||
		    read_parts(r, node, out) || read_answer(r, node, out) ||
		    check_parts(r, node, out))
			return -1;
		if (out->denied_by && !out->verdicts)
			out->verdicts = V(DENIED);
		out->arrives = out->verdicts && !out->outcomes &&
			       !(out->verdicts & ~(V(ALLOWED) | V(REDIRECTED) | V(NONE))) &&
			       out->verdicts != V(NONE) && out->verdicts != V(REDIRECTED);
		return describe(r, node, out);
	}
	if (json_is_array(node))
		return fg_scenario_fail(
			r, node, "expected one word, or a mapping with verdict, outcome, ...");
	text = fg_scenario_text(r, node);
	if (!text)
		return -1;
	/* Letters are for tables, where there is no room. */
	if (!text[0] || !text[1] || fg_scenario_expect_word(text, out))
		return refuse_word(r, node, text);
	return 0;
}

/* --- in one line --- */

static int parse_stage(const char *what, const char *word, uint8_t *bits, struct fg_error *err)
{
	struct fg_scenario_expect e = {};
	int found = fg_parse_word(what, word, verdict_words, COUNT(verdict_words), err);

	if (found < 0)
		return -1;
	fg_scenario_expect_word(verdict_words[found], &e);
	*bits |= e.verdicts;
	fg_scenario_expect_free(&e);
	return 0;
}

static int parse_reply(const char *what, const char *word, struct fg_scenario_expect *out,
		       struct fg_error *err)
{
	const char *known[REPLY_WORDS];
	size_t count;

	if (reply_word(word, out))
		return 0;
	count = reply_words(known);
	return fg_parse_word(what, word, known, count, err) < 0 ? -1 : 0;
}

static int parse_key(const char *what, const char *key, const char *value,
		     struct fg_scenario_expect *out, struct fg_error *err)
{
	char **text = !strcmp(key, "by")       ? &out->denied_by
		      : !strcmp(key, "reason") ? &out->reason
					       : NULL;

	for (int s = 0; s < FG_STAGES; s++)
		if (!strcmp(key, fg_stage_name((enum fg_stage)s)))
			return parse_stage(what, value, &out->stages[s], err);
	if (!strcmp(key, "reply"))
		return parse_reply(what, value, out, err);
	if (!text) {
		fg_fail(err, FG_ERR_USAGE, "%s: there is no key \"%.40s\"", what, key);
		return fg_hint(err, "keys are egress, node, ingress, reply, by and reason");
	}
	free(*text);
	*text = strdup(value);
	return *text ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", what);
}

static int parse_word(const char *what, const char *word, struct fg_scenario_expect *out,
		      struct fg_error *err)
{
	struct fg_scenario_expect e;
	enum fg_expect known;

	if (fg_expect_parse(what, word, &known, err))
		return -1;
	e = fg_scenario_expect_of(known);
	out->verdicts |= e.verdicts;
	out->outcomes |= e.outcomes;
	out->arrives |= e.arrives;
	return 0;
}

int fg_scenario_expect_parse(const char *what, const char *text, struct fg_scenario_expect *out,
			     struct fg_error *err)
{
	FG_FREE char *copy = strdup(text);
	char *rest = copy;

	*out = (struct fg_scenario_expect){ .text = strdup(text) };
	if (!copy || !out->text)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", what);
	for (char *part; (part = strsep(&rest, ","));) {
		char *value = strchr(part, '=');

		if (value)
			*value++ = '\0';
		if (value ? parse_key(what, part, value, out, err)
			  : parse_word(what, part, out, err))
			return -1;
	}
	if (out->denied_by && !out->verdicts)
		out->verdicts = V(DENIED);
	return 0;
}
