// SPDX-License-Identifier: GPL-2.0-only
/* run/blocks.c - the probes of scenarios as a source: block after block, file after file. */
#include <errno.h>
#include <stdlib.h>

#include "probe/control.h"
#include "run/internal.h"

static struct fg_run_scenarios *scenarios_of(struct fg_run_source *source)
{
	return (struct fg_run_scenarios *)source;
}

static int open_blocks(struct fg_run_source *source, struct fg_run *run, struct fg_error *err)
{
	struct fg_run_scenarios *s = scenarios_of(source);

	s->run = run;
	if (s->options->watch) {
		s->changes = fg_changes_new(err);
		if (!s->changes)
			return -1;
	}
	return fg_run_lay_out(s, err);
}

static int begin(struct fg_run_source *source, uint64_t round, uint64_t now_ns,
		 struct fg_error *err)
{
	struct fg_run_scenarios *s = scenarios_of(source);

	(void)now_ns;
	(void)err;
	s->round = round;
	s->file = s->block = 0;
	s->index = 0;
	/* A watch counts what is so now, not how often it was so. */
	for (size_t i = 0; s->options->watch && i < s->file_count; i++)
		s->files[i].counts = (struct fg_case_counts){};
	return 0;
}

/* --- what a block needs, made when it is first needed --- */

static const struct fg_packet_spec *find_packet(struct fg_run_scenarios *s,
						const struct fg_packet_spec *base,
						const struct fg_scenario_block *b, int number,
						struct fg_error *err)
{
	const struct fg_run_session *session = fg_run_session(s->run);
	const struct fg_pod *pod = session->ops->pod(session->self, number);
	struct fg_run_packet *p;

	for (p = s->packets; p; p = p->next)
		if (p->base == base && p->pod == number)
			return &p->spec;
	p = malloc(sizeof(*p));
	if (!p) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "packets");
		return NULL;
	}
	*p = (struct fg_run_packet){
		.next = s->packets, .base = base, .pod = number, .spec = *base
	};
	s->packets = p;
	fg_run_fit(pod, b->dst.family, &p->spec);
	return &p->spec;
}

/* The device and the source address of its first probe; see fg_run_admit() for the others. */
static void take_way(struct fg_run_scenarios *s, const struct fg_packet_spec *packet,
		     const struct fg_scenario_block *b, struct fg_run_block *state)
{
	struct fg_probe_spec spec = { .pod = b->source->pod,
				      .packet = packet,
				      .vary = { .src = b->src, .dst = b->dst },
				      .any_source = b->any_source,
				      .any_port = !b->sports };

	if (b->dports)
		spec.vary.dport = fg_ports_get(b->dports, 0);
	if (b->sports)
		spec.vary.sport = fg_ports_get(b->sports, 0);
	fg_run_guess_way(s->run, &spec);
	state->pod = spec.pod;
	state->src = spec.vary.src;
}

static int prepare_block(struct fg_run_scenarios *s, struct fg_run_file *file,
			 const struct fg_scenario_block *b, struct fg_run_block *state,
			 struct fg_error *err)
{
	const struct fg_scenario_set *set = &file->scenario.sets[b->set];
	const struct fg_packet_spec *base = &file->scenario.packets[set->ports[b->port].packet];

	if (b->why || state->report || set->command)
		return 0;
	take_way(s, base, b, state);
	state->packet = find_packet(s, base, b, state->pod, err);
	state->report = state->packet ? fg_run_report(s->run, state->pod, &state->src,
						      b->source->label, err)
				      : NULL;
	return state->report ? 0 : -1;
}

/* What was made from the pod as it was is made again when it is next needed. */
static void forget(struct fg_run_source *source, int pod)
{
	struct fg_run_scenarios *s = scenarios_of(source);
	struct fg_run_packet **p = &s->packets;

	for (size_t f = 0; f < s->file_count; f++)
		for (size_t i = 0; i < s->files[f].layout.count; i++) {
			struct fg_run_block *state = &s->files[f].blocks[i];

			if (state->report && state->pod == pod) {
				state->packet = NULL;
				state->report = NULL;
			}
		}
	while (*p) {
		struct fg_run_packet *gone = *p;

		if (gone->pod != pod) {
			p = &gone->next;
			continue;
		}
		*p = gone->next;
		free(gone);
	}
}

/* --- filling --- */

/* A probe is known by it on each node that has the file, whatever that finds of its pods. */
static uint64_t number_of(const struct fg_run_scenarios *s, const struct fg_scenario_block *b,
			  uint64_t index)
{
	const struct fg_run_file *file = &s->files[s->file];

	return ((uint64_t)(b - file->layout.blocks) << 20) + index;
}

static struct fg_plan plan_of(const struct fg_run_scenarios *s, const struct fg_scenario_block *b,
			      const struct fg_run_block *state)
{
	const struct fg_run_file *file = &s->files[s->file];

	return (struct fg_plan){
		.pod = state->pod,
		.packet = state->packet,
		.src = state->src,
		.dst = b->dst,
		.any_source = b->any_source,
		.dports = b->dports,
		.sports = b->sports,
		.count = file->scenario.sets[b->set].count,
		/* No two blocks and rounds get the same random fields. */
		.seed = s->seed + number_of(s, b, 0) + s->round + ((uint64_t)s->file << 52),
		.places = { .seed = s->seed,
			    .first = (s->round - 1) * s->places + state->place,
			    .all = s->places },
		.expect = fg_scenario_simple(b->expect),
	};
}

static void fill_item(struct fg_run_scenarios *s, const struct fg_scenario_block *b,
		      const struct fg_run_block *state, struct fg_run_item *item)
{
	const struct fg_run_file *file = &s->files[s->file];
	char name[FG_SCENARIO_NAME_LEN];
	uint64_t id = s->options->blocks ? number_of(s, b, s->index) + 1 : s->number + 1;

	s->number++;
	item->scenario = &file->scenario;
	item->block = b;
	item->index = s->index;
	item->file = s->file;
	item->skip = b->why;
	item->spec.id = id;
	if (item->skip)
		return;
	item->command = file->scenario.sets[b->set].command;
	if (item->command) {
		item->spec.pod = b->source->pod;
		return;
	}
	item->plan = &state->plan;
	item->report = state->report;
	item->expect = b->expect;
	fg_plan_probe(&state->plan, s->index, &item->spec);
	item->spec.id = id;
	item->spec.vary.number = s->options->blocks ? (uint32_t)s->index : (uint32_t)id - 1;
	if (s->options->await)
		fg_scenario_translate(&file->scenario, b, &item->spec);
	fg_scenario_probe_name(&file->scenario, b, s->index, name, sizeof(name));
	snprintf(item->spec.name, sizeof(item->spec.name), "%s", name);
}

/* The block that is next, or NULL: the round is over. */
static struct fg_scenario_block *next_block(struct fg_run_scenarios *s)
{
	for (; s->file < s->file_count; s->file++, s->block = 0)
		for (; s->block < s->files[s->file].layout.count; s->block++, s->index = 0) {
			struct fg_run_file *file = &s->files[s->file];
			const struct fg_scenario_range *range = &file->ranges[s->block];

			if (s->index < range->from)
				s->index = range->from;
			if (s->index < range->until)
				return &file->layout.blocks[s->block];
		}
	return NULL;
}

static int fill(struct fg_run_source *source, struct fg_run_item *items, uint32_t room,
		uint64_t now_ns, uint64_t *due_ns, struct fg_error *err)
{
	struct fg_run_scenarios *s = scenarios_of(source);
	struct fg_scenario_block *b;
	uint32_t n = 0;

	(void)now_ns;
	*due_ns = UINT64_MAX;
	while (n < room && (b = next_block(s))) {
		struct fg_run_block *state = &s->files[s->file].blocks[s->block];
		const struct fg_scenario_range *range = &s->files[s->file].ranges[s->block];
		bool alone;

		if (prepare_block(s, &s->files[s->file], b, state, err))
			return -1;
		/*
		 * Fragments take places of their own in the window, so that probe goes alone; a
		 * command has no place in it.
		 */
		alone = (state->packet && state->packet->fragment_size) ||
			s->files[s->file].scenario.sets[b->set].command;
		if (alone && n)
			break;
		if (!b->why && state->packet)
			state->plan = plan_of(s, b, state);
		for (; n < room && s->index < range->until; s->index++) {
			fill_item(s, b, state, &items[n++]);
			if (alone) {
				s->index++;
				return (int)n;
			}
		}
	}
	return (int)n;
}

/* --- controls --- */

static void add_control(const struct fg_run_file *file, const struct fg_scenario_block *c,
			uint64_t index, struct fg_proof_state *proof)
{
	const struct fg_scenario *s = &file->scenario;
	const struct fg_scenario_set *set = &s->sets[c->set];
	const struct fg_packet_spec *packet = &s->packets[set->ports[c->port].packet];
	const struct fg_case_mark *mark = &file->marks[c->first + index];
	char name[FG_SCENARIO_NAME_LEN];
	struct fg_control seen = {
		.dst = c->dst,
		.protocol = fg_put_protocol(packet, c->dst.family),
		.port = c->dports ? fg_ports_get(c->dports, index % c->dports->total) : 0,
		.verdict = (enum fg_verdict)mark->verdict,
		.outcome = (enum fg_outcome)mark->outcome,
	};

	seen.text = set->name ? set->name : "control";
	seen.passed = fg_control_passed(seen.verdict, seen.outcome);
	fg_proof_add(proof, &seen, (enum fg_case_status)mark->status,
		     fg_scenario_probe_name(s, c, index, name, sizeof(name)));
}

/*
 * The controls of this block's set, from the same pod to the same place. Found once for each round:
 * they come before what they prove.
 */
static const struct fg_proof_state *proof_of(struct fg_run_source *source,
					     const struct fg_run_item *item)
{
	const struct fg_run_scenarios *s = scenarios_of(source);
	const struct fg_run_file *file = &s->files[item->file];
	const struct fg_scenario_block *b = item->block;
	struct fg_run_block *state = &file->blocks[b - file->layout.blocks];

	if (!fg_scenario_has_control(&file->scenario, b->set))
		return NULL;
	if (state->proof_round == s->round)
		return &state->proof;
	state->proof = (struct fg_proof_state){};
	state->proof_round = s->round;
	for (size_t i = 0; i < file->layout.count; i++) {
		const struct fg_scenario_block *c = &file->layout.blocks[i];

		const struct fg_scenario_range *range = &file->ranges[i];

		/* One that was sent with others is held against this by who joins the results. */
		for (uint64_t k = range->from;
		     k < range->until && fg_scenario_proves(&file->scenario, c, b); k++)
			add_control(file, c, k, &state->proof);
	}
	return &state->proof;
}

/* --- what came of it --- */

/* Notes what pictures, controls and a watch need. */
static bool judged(struct fg_run_source *source, const struct fg_run_item *item, struct fg_case *c)
{
	struct fg_run_scenarios *s = scenarios_of(source);
	struct fg_run_file *file = &s->files[item->file];
	uint64_t number = item->block->first + item->index;
	struct fg_case_mark *mark = &file->marks[number];
	uint8_t verdict = c->probe ? (uint8_t)c->probe->result.verdict : FG_VERDICT_UNKNOWN;
	uint8_t exit_status = c->ran ? (uint8_t)c->ran->status : 0;
	const struct fg_run_session *session = fg_run_session(s->run);
	char time[FG_ORIGIN_TIME_LEN];
	bool changed = false;

	if (s->changes) {
		fg_origin_time(fg_run_origin(), session->ops->now(session->self), time);
		changed = fg_changes_note(s->changes, item->file, number, time, c);
	}
	mark->status = (uint8_t)c->status;
	mark->verdict = verdict;
	mark->outcome = c->probe ? (uint8_t)c->probe->result.outcome : FG_OUTCOME_INCONCLUSIVE;
	mark->number = c->number;
	mark->command = c->ran != NULL;
	mark->exit_status = exit_status;
	mark->detailed = (c->report || c->ran) &&
			 (c->status != FG_CASE_PASS || c->number <= FG_RUN_DETAILS_MAX);
	if (file->seen) {
		file->seen[number] = c->probe ? fg_scenario_seen_word(&c->probe->result)
				     : c->ran ? fg_flows_word_name(c->ran->seen)
					      : NULL;
		file->statuses[number] = exit_status;
	}
	fg_case_count(&file->counts, c);
	file->counts.duration_ns += fg_case_time_ns(c);
	return changed;
}

static void end(struct fg_run_source *source, const struct fg_case_counts *counts)
{
	struct fg_run_scenarios *s = scenarios_of(source);

	for (size_t i = 0; i < s->file_count; i++)
		s->files[i].counts.interrupted = counts->interrupted;
}

static void close_blocks(struct fg_run_source *source)
{
	fg_run_scenarios_close(scenarios_of(source));
}

struct fg_run_source *fg_run_scenarios_source(struct fg_run_scenarios *scenarios)
{
	static const struct fg_run_source_ops ops = { .open = open_blocks,
						      .begin = begin,
						      .fill = fill,
						      .proof = proof_of,
						      .judged = judged,
						      .forget = forget,
						      .end = end,
						      .close = close_blocks };

	scenarios->source.ops = &ops;
	scenarios->source.leaves_out = !scenarios->options->await;
	scenarios->source.joins_fragments = true;
	return &scenarios->source;
}
