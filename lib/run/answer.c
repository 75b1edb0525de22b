// SPDX-License-Identifier: GPL-2.0-only
/*
 * run/answer.c - from a judged probe to the writers: its controls, what was expected of it, and
 * whether it is reported.
 */
#include "run/internal.h"

/* Of a packet that is sent again and again, what differs from the one before is told, and where it
 * ends. */
static bool is_news(struct fg_run *run, struct fg_probe *probe)
{
	struct fg_run_until *u = &run->totals->until;
	struct fg_result *r = &probe->result;
	uint64_t at = probe->trace.injected_ns ? probe->trace.injected_ns : probe->trace.sent_ns;
	bool news = !run->told || r->verdict != run->verdict || r->outcome != run->outcome;

	u->probes += !probe->trace.unsent;
	if (!u->first_ns)
		u->first_ns = u->previous_ns = at;
	if (r->expect_met) {
		u->met = true;
		u->met_ns = at;
	} else if (r->verdict != FG_VERDICT_UNKNOWN) {
		u->previous_ns = at;
	}
	/* What was in flight while the programs changed tells nothing. */
	if (probe->trace.changed)
		return false;
	r->repeat = (struct fg_repeat){ .probes = u->probes,
					.after_ns = at - u->first_ns,
					.previous_ns = u->previous_ns - u->first_ns };
	run->verdict = r->verdict;
	run->outcome = r->outcome;
	run->told |= news || u->met;
	return news || u->met;
}

/* Whether a probe is as expected is counted, unless nothing is to be. */
static void count(struct fg_run *run, const struct fg_case *c)
{
	const struct fg_run_options *o = run->options;

	if (!o->until)
		fg_case_count(&run->totals->counts, c);
	else if (c->probe)
		fg_trace_losses_add(&run->totals->counts.losses, &c->probe->trace);
	if (c->status == FG_CASE_FAIL && o->fail_fast)
		run->stopped = true;
}

static int hand_over(struct fg_run *run, const struct fg_run_item *item, struct fg_case *c,
		     struct fg_probe *probe, struct fg_error *err)
{
	const struct fg_run_options *o = run->options;
	struct fg_run_answer answer = { .c = c, .file = item->file, .told = true };
	bool changed = run->source->ops->judged && run->source->ops->judged(run->source, item, c);

	/* A control is reported with what it proves. */
	if (item->spec.control)
		return 0;
	count(run, c);
	if (probe) {
		run->progress.judged = true;
		run->progress.verdict = probe->result.verdict;
		run->progress.outcome = probe->result.outcome;
	}
	if (o->until)
		answer.told = !probe || is_news(run, probe);
	else if (o->watch)
		answer.told = changed;
	answer.changed = o->watch && changed && run->round > 1;
	run->changes += answer.changed;
	for (size_t i = 0; i < o->writer_count; i++) {
		struct fg_run_writer *w = o->writers[i];

		if (w->ops->take && w->ops->take(w, &answer, err))
			return -1;
	}
	return 0;
}

/* By its own expectation alone. */
static enum fg_case_status check(const struct fg_run *run, const struct fg_run_item *item,
				 const struct fg_probe *probe, char *why, size_t size)
{
	static const struct fg_scenario_expect anything;
	const struct fg_run_session *s = run->session;

	return fg_scenario_check(item->expect ? item->expect : &anything, probe,
				 s->ops->context(s->self, probe->spec.pod), why, size);
}

static int answer(struct fg_run *run, const struct fg_run_item *item, struct fg_probe *probe,
		  const char *whose, struct fg_error *err)
{
	const struct fg_proof_state *proof = NULL;
	char why[600] = "", own[360] = "", name[FG_SCENARIO_NAME_LEN] = "";
	struct fg_case c = { .scenario = item->scenario,
			     .block = item->block,
			     .number = item->spec.id,
			     .index = item->index,
			     .round = run->round,
			     .name = item->spec.name,
			     .why = why,
			     .probe = probe };

	if (item->block)
		c.name = fg_scenario_probe_name(item->scenario, item->block, item->index, name,
						sizeof(name));
	if (!probe) {
		c.status = run->options->strict ? FG_CASE_FAIL : FG_CASE_SKIP;
		snprintf(why, sizeof(why), "%s", item->skip);
		return hand_over(run, item, &c, NULL, err);
	}
	c.report = item->report;
	c.status = check(run, item, probe, own, sizeof(own));
	if (probe->spec.expect == FG_EXPECT_FINER) {
		probe->spec.expect_text = item->expect->text;
		probe->result.expect_met = c.status == FG_CASE_PASS;
	}
	if (own[0] || (whose[0] && c.status != FG_CASE_PASS))
		snprintf(why, sizeof(why), "%s%s", c.status == FG_CASE_PASS ? "" : whose, own);
	if (!item->spec.control && run->source->ops->proof)
		proof = run->source->ops->proof(run->source, item);
	c.status = fg_proof_apply(proof, probe, c.status, why, sizeof(why));
	return hand_over(run, item, &c, probe, err);
}

/* ran NULL: it was not run, and item->skip says why. */
static int answer_command(struct fg_run *run, struct fg_run_item *item,
			  const struct fg_scenario_ran *ran, struct fg_error *err)
{
	char why[600] = "", name[FG_SCENARIO_NAME_LEN];
	struct fg_case c = { .scenario = item->scenario,
			     .block = item->block,
			     .number = item->spec.id,
			     .index = item->index,
			     .round = run->round,
			     .why = why,
			     .ran = ran };

	run->done++;
	c.name = fg_scenario_probe_name(item->scenario, item->block, item->index, name,
					sizeof(name));
	if (ran) {
		c.status = fg_command_check(item->command, ran, why, sizeof(why));
	} else {
		c.status = run->options->strict ? FG_CASE_FAIL : FG_CASE_SKIP;
		snprintf(why, sizeof(why), "%s", item->skip);
	}
	return hand_over(run, item, &c, NULL, err);
}

/* No command can be this pod: that belongs to the pod, not to flowgen. */
static bool is_of_pod(const struct fg_error *err)
{
	return err->kind == FG_ERR_USAGE || err->kind == FG_ERR_UNSUPPORTED;
}

int fg_run_command(struct fg_run *run, struct fg_run_item *item, struct fg_error *err)
{
	const struct fg_run_session *s = run->session;
	const struct fg_scenario *scenario = item->scenario;
	const struct fg_scenario_block *b = item->block;
	enum fg_method method = scenario->pods[scenario->sets[b->set].from[b->from]].method;
	struct fg_scenario_ran ran = {};
	struct fg_error cause = {};
	int ret;

	if (s->ops->command)
		ret = s->ops->command(s->self, item->spec.pod, method, item->command, &ran, &cause);
	else
		ret = fg_fail(&cause, FG_ERR_UNSUPPORTED, "nothing is run here");
	if (!ret) {
		ret = answer_command(run, item, &ran, err);
	} else if (is_of_pod(&cause)) {
		snprintf(item->obstacle, sizeof(item->obstacle), "%s", cause.message);
		item->skip = item->obstacle;
		ret = answer_command(run, item, NULL, err);
	} else {
		*err = cause;
	}
	fg_scenario_ran_free(&ran);
	return ret;
}

static bool is_fragment_of(const struct fg_probe *probe, const struct fg_run_item *item)
{
	return probe->spec.id == item->spec.id && probe->spec.control == item->spec.control;
}

/* The first fragment that is not as expected, or else the first that is not for certain. */
static struct fg_probe *worst_of(struct fg_run *run, const struct fg_run_item *item,
				 struct fg_probe *window, uint32_t sent, uint32_t total)
{
	struct fg_probe *worst = &window[item->slot];
	char why[360];
	enum fg_case_status status = check(run, item, worst, why, sizeof(why));

	for (uint32_t i = sent; i < total && status != FG_CASE_FAIL; i++) {
		enum fg_case_status own;

		if (!is_fragment_of(&window[i], item))
			continue;
		own = check(run, item, &window[i], why, sizeof(why));
		if (own == FG_CASE_PASS || own == status)
			continue;
		status = own;
		worst = &window[i];
	}
	return worst;
}

int fg_run_answer(struct fg_run *run, struct fg_run_item *item, uint32_t sent, uint32_t total,
		  struct fg_error *err)
{
	uint32_t room;
	struct fg_probe *window = run->session->ops->window(run->session->self, &room), *worst;
	char whose[40] = "";

	run->done += !item->spec.control;
	if (item->slot < 0)
		return answer(run, item, NULL, "", err);
	if (run->source->joins_fragments) {
		worst = worst_of(run, item, window, sent, total);
		if (worst != &window[item->slot])
			snprintf(whose, sizeof(whose), "fragment %u: ", worst->spec.fragment + 1);
		return answer(run, item, worst, whose, err);
	}
	if (answer(run, item, &window[item->slot], "", err))
		return -1;
	for (uint32_t i = sent; i < total; i++)
		if (is_fragment_of(&window[i], item) && answer(run, item, &window[i], "", err))
			return -1;
	return 0;
}
