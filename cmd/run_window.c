// SPDX-License-Identifier: GPL-2.0-only
/* run_window.c - a window of a run: filled from the scenarios' blocks, sent as one, judged, and
 * handed to the outputs. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "run_loop.h"

static struct fg_run_file *file_of(const struct fg_runner *run, const struct fg_run_entry *e)
{
	return &run->files[e->file];
}

static const struct fg_scenario_set *set_of(const struct fg_runner *run,
					    const struct fg_run_entry *e)
{
	return &file_of(run, e)->scenario.sets[e->block->set];
}

static struct fg_block_state *state_of(const struct fg_runner *run, const struct fg_run_entry *e)
{
	const struct fg_run_file *f = file_of(run, e);

	return &f->blocks[e->block - f->layout.blocks];
}

/* --- filling --- */

static const char *dead_end(const struct fg_runner *run, const struct fg_scenario_block *b)
{
	for (size_t i = 0; i < run->dead_end_count; i++)
		if (run->dead_ends[i].pod == b->source->pod &&
		    fg_addr_equal(&run->dead_ends[i].dst, &b->dst) &&
		    fg_addr_equal(&run->dead_ends[i].src, &b->src))
			return run->dead_ends[i].why;
	return NULL;
}

static struct fg_plan plan_of(const struct fg_runner *run, const struct fg_run_entry *e)
{
	const struct fg_scenario_block *b = e->block;

	return (struct fg_plan){
		.pod = b->source->pod,
		.packet = state_of(run, e)->packet,
		.src = b->src,
		.dst = b->dst,
		.dports = b->dports,
		.sports = b->sports,
		.count = set_of(run, e)->count,
		/* No two blocks and rounds get the same random fields. */
		.seed = run->options->seed + (b->first << 20) + run->round +
			((uint64_t)e->file << 52),
		.expect = fg_scenario_simple(b->expect),
	};
}

static void fill_spec(const struct fg_runner *run, const struct fg_run_entry *e,
		      const struct fg_plan *plan, struct fg_probe_spec *out)
{
	const struct fg_run_file *file = file_of(run, e);
	const struct fg_scenario_block *b = e->block;
	char name[FG_SCENARIO_NAME_LEN];

	fg_plan_probe(plan, e->index, out);
	out->id = e->number;
	out->vary.number = (uint32_t)e->number - 1;
	fg_scenario_probe_name(&file->scenario, b, e->index, name, sizeof(name));
	snprintf(out->name, sizeof(out->name), "%s", name);
}

/* Puts the entries' probes into the session's window, from the first slot on, *used of them. Returns 0 or -1. */
static int fill_window(struct fg_runner *run, struct fg_run_entry *entries, uint32_t count,
		       uint32_t *used, struct fg_error *err)
{
	uint32_t room, n = 0;
	struct fg_probe *window = fg_session_window(run->session, &room);
	struct fg_plan plan;
	int ret;

	for (uint32_t i = 0; i < count; i++) {
		struct fg_run_entry *e = &entries[i];

		e->slot = -1;
		e->why = e->block->why;
		if (!e->why)
			e->why = run->pods.list[e->block->source->pod].gone;
		if (!e->why)
			e->why = dead_end(run, e->block);
		if (e->why)
			continue;
		plan = plan_of(run, e);
		fill_spec(run, e, &plan, &window[n].spec);
		ret = fg_run_admit(run, e, &plan, &window[n].spec, err);
		if (ret < 0)
			return -1;
		if (!ret)
			e->slot = (int)n++;
	}
	*used = n;
	return 0;
}

/* --- judging --- */

/* Fragments are judged one by one; the probe is as good as the worst of them. */
static enum fg_case_status judge(const struct fg_runner *run, const struct fg_run_entry *e,
				 uint32_t count, uint32_t total, const struct fg_probe **probe,
				 char *why, size_t size)
{
	const struct fg_scene *scene = fg_session_scene(run->session, e->block->source->pod);
	uint32_t room;
	struct fg_probe *window = fg_session_window(run->session, &room);
	enum fg_case_status worst;

	*probe = &window[e->slot];
	worst = fg_scenario_check(e->block->expect, *probe, scene, why, size);
	for (uint32_t i = count; i < total && worst != FG_CASE_FAIL; i++) {
		char own[256];
		enum fg_case_status status;

		if (window[i].spec.id != window[e->slot].spec.id)
			continue;
		status = fg_scenario_check(e->block->expect, &window[i], scene, own, sizeof(own));
		if (status == FG_CASE_PASS || status == worst)
			continue;
		worst = status;
		*probe = &window[i];
		snprintf(why, size, "fragment %u: %.200s", window[i].spec.fragment + 1, own);
	}
	return worst;
}

/* Whether the controls of this block's set went through, from the same pod to the same place. */
static void find_proof(const struct fg_run_file *file, const struct fg_scenario_block *b,
		       struct fg_block_state *state)
{
	const struct fg_scenario *s = &file->scenario;

	state->proof = FG_PROOF_NOT_ASKED;
	for (size_t i = 0; i < file->layout.count; i++) {
		const struct fg_scenario_block *c = &file->layout.blocks[i];
		char name[FG_SCENARIO_NAME_LEN];

		if (s->sets[c->set].control_of != (int)b->set || c->source != b->source)
			continue;
		if (c->source && !fg_addr_equal(&c->dst, &b->dst) && s->sets[b->set].to_count > 1 &&
		    s->sets[c->set].to_count > 1)
			continue;
		for (uint64_t k = 0; k < c->total; k++) {
			const struct fg_case_mark *mark = &file->marks[c->first + k];

			if (mark->status == FG_CASE_PASS) {
				if (state->proof != FG_PROOF_BAD)
					state->proof = FG_PROOF_GOOD;
				continue;
			}
			state->proof = FG_PROOF_BAD;
			snprintf(state->proof_why, sizeof(state->proof_why), "%.120s",
				 fg_scenario_probe_name(s, c, k, name, sizeof(name)));
		}
	}
}

/* A denial counts only where what should pass has passed. */
static enum fg_case_status prove(struct fg_runner *run, const struct fg_run_entry *e,
				 const struct fg_probe *probe, char *why, size_t size)
{
	struct fg_block_state *state = state_of(run, e);
	const struct fg_result *r = &probe->result;

	if (r->verdict != FG_VERDICT_DENIED && r->outcome != FG_OUTCOME_DROPPED)
		return FG_CASE_PASS;
	if (!e->index)
		find_proof(file_of(run, e), e->block, state);
	if (state->proof != FG_PROOF_BAD)
		return FG_CASE_PASS;
	snprintf(why, size, "the denial is not proven: its control \"%s\" is not as expected",
		 state->proof_why);
	return FG_CASE_INCONCLUSIVE;
}

/* Notes what the pictures and a watch need. Returns whether it is not what it was in the round
 * before. */
static bool note(struct fg_runner *run, const struct fg_run_entry *e, const struct fg_case *c)
{
	struct fg_run_file *file = file_of(run, e);
	struct fg_case_mark *mark = &file->marks[e->block->first + e->index];
	uint8_t verdict = c->probe ? (uint8_t)c->probe->result.verdict : FG_VERDICT_UNKNOWN;
	bool changed = mark->status != c->status || mark->verdict != verdict;

	mark->status = (uint8_t)c->status;
	mark->verdict = verdict;
	mark->outcome = c->probe ? (uint8_t)c->probe->result.outcome : FG_OUTCOME_INCONCLUSIVE;
	mark->number = c->number;
	mark->detailed = c->report &&
			 (c->status != FG_CASE_PASS || c->number <= FG_RUN_DETAILS_MAX);
	if (file->seen)
		file->seen[e->block->first + e->index] = c->probe ? fg_scenario_seen_word(c->probe)
								  : NULL;
	return changed;
}

static int emit(struct fg_runner *run, const struct fg_run_entry *e, uint32_t count, uint32_t total,
		struct fg_error *err)
{
	struct fg_run_file *file = file_of(run, e);
	char why[600] = "", name[FG_SCENARIO_NAME_LEN];
	struct fg_case c = { .scenario = &file->scenario,
			     .block = e->block,
			     .number = e->number,
			     .index = e->index,
			     .round = run->round,
			     .name = name,
			     .why = why };
	bool changed;

	fg_scenario_probe_name(&file->scenario, e->block, e->index, name, sizeof(name));
	if (e->slot < 0) {
		c.status = run->options->strict ? FG_CASE_FAIL : FG_CASE_SKIP;
		snprintf(why, sizeof(why), "%s", e->why);
	} else {
		c.report = state_of(run, e)->report;
		c.status = judge(run, e, count, total, &c.probe, why, sizeof(why));
		if (c.status == FG_CASE_PASS)
			c.status = prove(run, e, c.probe, why, sizeof(why));
	}
	changed = note(run, e, &c);
	/* A watch counts what is so now, not how often it was so. */
	fg_case_count(&run->counts, &c);
	fg_case_count(&file->counts, &c);
	file->counts.duration_ns += fg_case_time_ns(&c);
	if (c.status == FG_CASE_FAIL && run->options->fail_fast)
		run->stopped = true;
	if (run->options->watch && !changed)
		return 0;
	for (size_t i = 0; i < run->sink_count; i++)
		if (fg_run_sink_case(&run->sinks[i], &c, e->file,
				     run->options->watch && run->round > 1, err))
			return -1;
	return 0;
}

/* The next round is to be judged by the programs that are there then. */
static void note_changes(struct fg_runner *run, uint32_t total)
{
	uint32_t room;
	const struct fg_probe *window = fg_session_window(run->session, &room);

	for (uint32_t i = 0; i < total; i++)
		if (window[i].trace.changed)
			run->pods.list[window[i].spec.pod].changed = true;
}

static int emit_all(struct fg_runner *run, struct fg_run_entry *entries, uint32_t n, uint32_t count,
		    uint32_t total, struct fg_error *err)
{
	for (uint32_t i = 0; i < n; i++)
		if (emit(run, &entries[i], count, total, err))
			return -1;
	return 0;
}

/* --- sending --- */

/* Faults of the way that belong to one packet, not to flowgen. */
static bool is_of_packet(const struct fg_error *err)
{
	if (err->kind == FG_ERR_USAGE || err->kind == FG_ERR_UNSUPPORTED)
		return true;
	return err->code == ENETDOWN || err->code == EMSGSIZE || err->code == ENOBUFS ||
	       err->code == ENETUNREACH || err->code == EHOSTUNREACH || err->code == ENXIO;
}

static int note_dead_end(struct fg_runner *run, const struct fg_run_entry *e,
			 const struct fg_error *cause, struct fg_error *err)
{
	struct fg_run_dead_end *grown =
		reallocarray(run->dead_ends, run->dead_end_count + 1, sizeof(*grown));
	char *why = strdup(cause->message);

	if (grown)
		run->dead_ends = grown;
	if (!grown || !why) {
		free(why);
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "dead ends");
	}
	grown[run->dead_end_count++] = (struct fg_run_dead_end){
		.pod = e->block->source->pod, .src = e->block->src, .dst = e->block->dst, .why = why
	};
	return 0;
}

/* One after another: so one that cannot be sent does not take the others along. */
static int run_singly(struct fg_runner *run, struct fg_error *err)
{
	for (uint32_t i = 0; i < run->entry_count && !fg_run_cancelled(run); i++) {
		struct fg_run_entry *e = &run->entries[i];
		uint32_t count, total;
		struct fg_error cause;

		if (fill_window(run, e, 1, &count, err))
			return -1;
		total = count;
		if (count && fg_session_run(run->session, &total, &cause)) {
			if (!is_of_packet(&cause)) {
				*err = cause;
				return -1;
			}
			if (note_dead_end(run, e, &cause, err) ||
			    fill_window(run, e, 1, &count, err))
				return -1;
		}
		note_changes(run, total);
		if (emit(run, e, count, total, err))
			return -1;
	}
	return 0;
}

int fg_run_window(struct fg_runner *run, struct fg_error *err)
{
	struct fg_error cause = {};
	uint32_t count, total;
	int ret;

	if (fill_window(run, run->entries, run->entry_count, &count, err))
		return -1;
	total = count;
	if (count && fg_session_run(run->session, &total, &cause)) {
		if (!is_of_packet(&cause)) {
			*err = cause;
			return -1;
		}
		ret = run_singly(run, err);
	} else {
		note_changes(run, total);
		ret = emit_all(run, run->entries, run->entry_count, count, total, err);
	}
	run->entry_count = run->sendable = 0;
	for (size_t i = 0; !ret && i < run->sink_count; i++)
		ret = fg_run_sink_flush(&run->sinks[i], err);
	return ret;
}

bool fg_run_cancelled(const struct fg_runner *run)
{
	struct pollfd p = { .fd = run->signals, .events = POLLIN };

	return fg_session_cancelled(run->session) || poll(&p, 1, 0) > 0;
}
