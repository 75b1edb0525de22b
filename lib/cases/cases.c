// SPDX-License-Identifier: GPL-2.0-only
#include "cases/cases.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/json.h"
#include "cases/internal.h"
#include "cluster/show.h"
#include "probe/control.h"
#include "probe/flows.h"
#include "probe/names.h"

#define WHAT "probes of the scenario"
/* Of results that are as expected, a page has the details of so many. */
#define DETAILS_MAX 1000

/* How a control went. */
enum {
	CONTROL_UNEXPECTED, /* not as expected, or no result came */
	CONTROL_BLOCKED,    /* as expected, yet it did not get through */
	CONTROL_PASSED,
};

static int fail_memory(struct fg_error *err)
{
	return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
}

/* --- laying out --- */

static const struct fg_addr *first_of(const struct fg_object_pod *pod, uint16_t family)
{
	for (size_t i = 0; pod && i < pod->address_count; i++)
		if (pod->addresses[i].family == family)
			return &pod->addresses[i];
	return NULL;
}

/* One name in a scenario over a cluster is one pod. */
static void find_pod(const struct fg_split *split, const char *name, uint32_t number,
		     struct fg_scenario_member *m, struct fg_scenario_found *found)
{
	const struct fg_split_end *e = fg_split_find(split, name);
	const struct fg_addr *v4 = first_of(e ? e->object : NULL, AF_INET);
	const struct fg_addr *v6 = first_of(e ? e->object : NULL, AF_INET6);

	*m = (struct fg_scenario_member){
		.label = (char *)name, .node = e ? e->node : NULL, .pod = -1, .netns = number + 1
	};
	if (v4)
		m->v4 = *v4;
	if (v6)
		m->v6 = *v6;
	if (e && e->object) {
		m->owned = e->object->addresses;
		m->owned_count = e->object->address_count;
	}
	*found = (struct fg_scenario_found){ .members = m, .count = 1 };
}

static int lay_out(struct fg_cases *c, const struct fg_split *split, const char *only,
		   struct fg_error *err)
{
	const struct fg_scenario *s = &c->scenario;

	c->found = calloc(s->pod_count + 1, sizeof(*c->found));
	c->members = calloc(s->pod_count + 1, sizeof(*c->members));
	if (!c->found || !c->members)
		return fail_memory(err);
	for (size_t i = 0; i < s->pod_count; i++)
		find_pod(split, s->pods[i].name, (uint32_t)i, &c->members[i], &c->found[i]);
	if (fg_scenario_lay_out(s, c->found, &c->layout, err))
		return -1;
	c->marks = calloc(c->layout.total + 1, sizeof(*c->marks));
	c->answered = calloc(c->layout.total + 1, sizeof(*c->answered));
	c->left_out = calloc(c->layout.count + 1, sizeof(*c->left_out));
	c->seen = calloc(c->layout.total + 1, sizeof(*c->seen));
	c->statuses = calloc(c->layout.total + 1, sizeof(*c->statuses));
	if (!c->marks || !c->answered || !c->left_out || !c->seen || !c->statuses)
		return fail_memory(err);
	for (uint64_t i = 0; i < c->layout.total; i++)
		c->marks[i].status = FG_CASE_STATUSES;
	if (only) {
		fg_scenario_choose(s, &c->layout, only, c->left_out);
		for (size_t i = 0; i < c->layout.count; i++)
			c->left_out[i] = !c->left_out[i];
	}
	return 0;
}

static const char *name_of(const struct fg_cases *c, const struct fg_scenario_block *b,
			   uint64_t index, char *buf)
{
	return fg_scenario_probe_name(&c->scenario, b, index, buf, FG_SCENARIO_NAME_LEN);
}

static int remember_names(struct fg_cases *c, const struct fg_scenario_block *b,
			  struct fg_error *err)
{
	char name[FG_SCENARIO_NAME_LEN];

	for (uint64_t i = 0; i < b->total; i++) {
		json_t *key = fg_json_text(name_of(c, b, i, name)), *list;
		const char *text = json_string_value(key);
		uint64_t probe = b->first + i;

		list = json_object_get(c->by_name, text);
		if (!list && !json_object_set_new(c->by_name, text, json_array()))
			list = json_object_get(c->by_name, text);
		json_decref(key);
		if (json_array_append_new(list, json_integer((json_int_t)probe)))
			return fail_memory(err);
	}
	return 0;
}

int fg_cases_open(struct fg_cases *c, const struct fg_split *split, struct fg_yaml *yaml,
		  struct fg_scenario_setting *settings, size_t setting_count,
		  const struct fg_cases_options *options, struct fg_error *err)
{
	*c = (struct fg_cases){ .rounds = options->rounds ? options->rounds : 1 };
	if (fg_scenario_read_tree(&c->scenario, yaml, settings, setting_count, err) ||
	    lay_out(c, split, options->only, err))
		return -1;
	c->by_name = json_object();
	for (size_t i = 0; i < c->layout.count; i++) {
		if (c->left_out[i])
			continue;
		c->chosen += c->layout.blocks[i].total;
		if (remember_names(c, &c->layout.blocks[i], err))
			return -1;
	}
	c->counts.planned = c->chosen * c->rounds;
	return 0;
}

void fg_cases_free(struct fg_cases *c)
{
	fg_scenario_layout_free(&c->layout);
	fg_scenario_free(&c->scenario);
	free(c->found);
	free(c->members);
	free(c->marks);
	free(c->controls);
	free(c->answered);
	free(c->left_out);
	free(c->seen);
	free(c->statuses);
	json_decref(c->by_name);
	*c = (struct fg_cases){};
}

static bool is_from(const struct fg_scenario_block *b, const char *node)
{
	return b->source && b->source->node && !strcmp(b->source->node, node);
}

bool fg_cases_on(const struct fg_cases *c, const char *node)
{
	for (size_t i = 0; i < c->layout.count; i++)
		if (!c->left_out[i] && is_from(&c->layout.blocks[i], node))
			return true;
	return false;
}

/* --- which probe a result is of --- */

static const struct fg_scenario_block *block_at(const struct fg_cases *c, uint64_t probe)
{
	size_t low = 0, high = c->layout.count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (c->layout.blocks[middle].first <= probe)
			low = middle;
		else
			high = middle;
	}
	return &c->layout.blocks[low];
}

/* Two probes may have one name: then what else is known of them, and their order, tells. */
static bool is_better(const struct fg_cases *c, uint64_t probe, uint64_t than, const char *expected)
{
	bool fits = !strcmp(block_at(c, probe)->expect->text, expected);
	bool other = !strcmp(block_at(c, than)->expect->text, expected);

	if (fits != other)
		return fits;
	return c->answered[probe] < c->answered[than];
}

static const struct fg_scenario_block *find_ends(const struct fg_cases *c, const json_t *scenario)
{
	const char *from = fg_json_string(scenario, "from"), *to = fg_json_string(scenario, "to");

	for (size_t i = 0; i < c->layout.count; i++) {
		const struct fg_scenario_block *b = &c->layout.blocks[i];

		if (b->source && !strcmp(b->source->label, from) &&
		    !strcmp(fg_scenario_target_name(&c->scenario, b), to))
			return b;
	}
	return NULL;
}

/* Returns the number of the probe. A node that lays out otherwise than this has other names. */
static uint64_t find_probe(const struct fg_cases *c, const json_t *scenario)
{
	const json_t *list = json_object_get(c->by_name, fg_json_string(scenario, "probe"));
	const struct fg_scenario_block *b;
	uint64_t best = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		uint64_t probe = (uint64_t)json_integer_value(json_array_get(list, i));

		if (!i || is_better(c, probe, best, fg_json_string(scenario, "expected")))
			best = probe;
	}
	if (json_array_size(list))
		return best;
	b = find_ends(c, scenario);
	return b ? b->first : 0;
}

/* --- what is told of it --- */

static enum fg_case_status status_of(const char *word)
{
	for (int i = 0; i < FG_CASE_STATUSES; i++)
		if (!strcmp(word, fg_scenario_status_name((enum fg_case_status)i)))
			return (enum fg_case_status)i;
	return FG_CASE_INCONCLUSIVE;
}

/* From the injection to the end that was seen; of a command, how long it ran. */
static uint64_t time_of(const json_t *line)
{
	const json_t *seen = json_object_get(line, "observations");
	const json_t *end = json_object_get(line, "end");
	const json_t *at = json_is_integer(end) && json_integer_value(end) >= 0
				   ? json_array_get(seen, (size_t)json_integer_value(end))
				   : NULL;
	json_int_t ns = at ? json_integer_value(json_object_get(at, "time_ns"))
			   : json_integer_value(json_object_get(json_object_get(line, "command"),
								"duration_ns"));

	return ns > 0 ? (uint64_t)ns : 0;
}

static const char *closed(struct fg_buffer *b)
{
	fg_buffer_put(b, "", 1);
	return b->failed ? "" : b->data;
}

static int tell(struct fg_cases_result *r, json_t *line, struct fg_error *err)
{
	struct fg_buffer text = {};

	if (json_object_get(line, "outcome")) {
		fg_show_headline(line, &r->headline);
		fg_show_result(line, &r->text);
		r->told.verdict = fg_json_string(json_object_get(line, "policy"), "verdict");
		r->told.outcome = fg_json_string(line, "outcome");
	} else if (json_object_get(line, "command")) {
		fg_show_command(line, &r->headline, &r->text);
	}
	r->told.headline = r->headline.len ? closed(&r->headline) : NULL;
	r->told.text = closed(&r->text);
	r->told.time_ns = time_of(line);
	r->json = fg_json_dump(line);
	fg_buffer_printf(&text, "%s\n", r->json ? r->json : "");
	free(r->json);
	r->json = NULL;
	if (text.failed || r->text.failed || r->headline.failed) {
		fg_buffer_free(&text);
		return fail_memory(err);
	}
	r->told.json = r->json = strdup(closed(&text));
	fg_buffer_free(&text);
	return r->json ? 0 : fail_memory(err);
}

/* NULL: nothing was sent. */
static const char *seen_word(const json_t *line, const struct fg_case_mark *m)
{
	const struct fg_result result = { .verdict = (enum fg_verdict)m->verdict,
					  .outcome = (enum fg_outcome)m->outcome };
	const char *word = fg_json_string(json_object_get(line, "command"), "seen");

	if (json_object_get(line, "outcome"))
		return fg_scenario_seen_word(&result);
	for (int i = FG_FLOWS_ANY; m->command && i <= FG_FLOWS_DENY; i++)
		if (!strcmp(word, fg_flows_word_name((enum fg_flows_word)i)))
			return fg_flows_word_name((enum fg_flows_word)i);
	return NULL;
}

static void mark(struct fg_cases *c, const struct fg_cases_result *r, uint64_t probe,
		 const json_t *line)
{
	const json_t *command = json_object_get(line, "command");
	struct fg_case_mark *m = &c->marks[probe];

	*m = (struct fg_case_mark){
		.status = (uint8_t)r->c.status,
		.verdict = (uint8_t)fg_whole_verdict(r->told.verdict ? r->told.verdict : ""),
		.outcome = (uint8_t)fg_whole_outcome(r->told.outcome ? r->told.outcome : ""),
		.number = r->c.number,
		.command = command != NULL,
		.exit_status = (uint8_t)json_integer_value(json_object_get(command, "exit_status")),
		.detailed = (r->told.headline &&
			     (r->c.status != FG_CASE_PASS || r->c.number <= DETAILS_MAX)) ||
			    r->c.status == FG_CASE_INCONCLUSIVE,
	};
	c->seen[probe] = seen_word(line, m);
	c->statuses[probe] = m->exit_status;
	c->answered[probe]++;
	fg_case_count(&c->counts, &r->c);
	c->counts.duration_ns += r->told.time_ns;
}

/* Where the rounds before this one end. */
static size_t before_round(const struct fg_cases *c, uint64_t round)
{
	return (size_t)((round - 1) * c->layout.total);
}

/* A denial is held against the controls of its own round: the next one overwrites the mark. */
static int keep_control(struct fg_cases *c, const struct fg_case *k, uint64_t probe,
			struct fg_error *err)
{
	const struct fg_case_mark *m = &c->marks[probe];
	size_t end = before_round(c, k->round + 1);

	if (c->scenario.sets[k->block->set].control_of < 0 || k->round > c->rounds)
		return 0;
	if (c->control_count < end) {
		uint8_t *more =
			FG_GROW(c->controls, c->control_count, end - c->control_count, WHAT, err);

		if (!more)
			return -1;
		memset(more, CONTROL_UNEXPECTED, end - c->control_count);
		c->control_count = end;
	}
	if (k->status == FG_CASE_PASS)
		c->controls[before_round(c, k->round) + probe] =
			fg_control_passed((enum fg_verdict)m->verdict, (enum fg_outcome)m->outcome)
				? CONTROL_PASSED
				: CONTROL_BLOCKED;
	return 0;
}

static int control_at(const struct fg_cases *c, uint64_t round, uint64_t probe)
{
	size_t at = before_round(c, round) + probe;

	return at < c->control_count ? c->controls[at] : CONTROL_UNEXPECTED;
}

static uint64_t round_of(const json_t *line)
{
	json_int_t round =
		json_integer_value(json_object_get(json_object_get(line, "scenario"), "round"));

	return round > 0 ? (uint64_t)round : 1;
}

static int settle(struct fg_cases *c, json_t *line, uint64_t probe, uint64_t number,
		  struct fg_cases_result *r, struct fg_error *err)
{
	json_t *scenario = json_object_get(line, "scenario");
	const struct fg_scenario_block *b = block_at(c, probe);

	name_of(c, b, probe - b->first, r->name);
	json_object_set_new(line, "id", json_integer((json_int_t)number));
	json_object_set_new(scenario, "file", fg_json_text(c->scenario.yaml.file));
	json_object_set_new(scenario, "probe", fg_json_text(r->name));
	r->c = (struct fg_case){ .scenario = &c->scenario,
				 .block = b,
				 .number = number,
				 .index = probe - b->first,
				 .round = round_of(line),
				 .name = r->name,
				 .status = status_of(fg_json_string(scenario, "status")),
				 .why = fg_json_string(scenario, "why"),
				 .told = &r->told };
	if (tell(r, line, err))
		return -1;
	mark(c, r, probe, line);
	return keep_control(c, &r->c, probe, err);
}

int fg_cases_take(struct fg_cases *c, json_t *line, uint64_t number, struct fg_cases_result *r,
		  struct fg_error *err)
{
	*r = (struct fg_cases_result){};
	if (!c->layout.total)
		return fg_fail(err, FG_ERR_INTERNAL, "a result of a scenario without probes");
	return settle(c, line, find_probe(c, json_object_get(line, "scenario")), number, r, err);
}

/* --- what is expected of the whole way --- */

/* Of several controls all must have passed in that round: the first that has not. */
static bool find_failed(const struct fg_cases *c, const struct fg_scenario_block *b, uint64_t round,
			const struct fg_scenario_block **control, uint64_t *index, bool *asked)
{
	for (size_t i = 0; i < c->layout.count; i++) {
		const struct fg_scenario_block *k = &c->layout.blocks[i];

		if (c->left_out[i] || !fg_scenario_proves(&c->scenario, k, b))
			continue;
		*asked = true;
		for (*index = 0; *index < k->total; ++*index) {
			*control = k;
			if (control_at(c, round, k->first + *index) != CONTROL_PASSED)
				return true;
		}
	}
	return false;
}

/* As fg_control_apply(). */
static enum fg_case_status prove(const struct fg_cases *c, const struct fg_scenario_block *b,
				 json_t *line, enum fg_case_status status, char *why, size_t size)
{
	const char *verdict = fg_json_string(json_object_get(line, "policy"), "verdict");
	const char *outcome = fg_json_string(line, "outcome");
	json_t *told = json_object_get(line, "control");
	const struct fg_scenario_block *control = NULL;
	char name[FG_SCENARIO_NAME_LEN];
	bool asked = false, failed;
	uint64_t index, round = round_of(line);

	failed = find_failed(c, b, round, &control, &index, &asked);
	if (!asked || (strcmp(verdict, "denied") != 0 && strcmp(outcome, "dropped") != 0 &&
		       strcmp(outcome, "rejected") != 0))
		return status;
	if (json_is_object(told))
		json_object_set_new(told, "proven", json_boolean(!failed));
	if (!failed)
		return status;
	json_object_set_new(line, "reason", json_string("the control failed too"));
	snprintf(why, size, "the denial is not proven: its control \"%.120s\" %s",
		 name_of(c, control, index, name),
		 control_at(c, round, control->first + index) == CONTROL_BLOCKED
			 ? "did not get through"
			 : "is not as expected");
	return FG_CASE_INCONCLUSIVE;
}

void fg_cases_judge(const struct fg_cases *c, const struct fg_scenario_block *b, json_t *line)
{
	json_t *scenario = json_object_get(line, "scenario");
	char why[600] = "";
	enum fg_case_status status = fg_whole_check(b->expect, line, why, sizeof(why));

	status = prove(c, b, line, status, why, sizeof(why));
	json_object_set_new(scenario, "status", json_string(fg_scenario_status_name(status)));
	json_object_set_new(scenario, "why", fg_json_text(why));
}

/* --- what does not come --- */

static json_t *unsent(const struct fg_cases *c, const struct fg_scenario_block *b, uint64_t index,
		      const char *node, const char *why)
{
	char name[FG_SCENARIO_NAME_LEN];
	const struct fg_scenario_set *set = &c->scenario.sets[b->set];
	uint64_t round = c->answered[b->first + index] + 1;
	json_t *port = b->dports ? json_integer(fg_ports_get(b->dports, index % b->dports->total))
				 : json_null();

	return json_pack(
		"{s:s, s:i, s:o, s:{s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:s, s:o}}",
		"schema", "flowgen.unsent/1", "id", 0, "node", fg_json_text(node), "scenario",
		"file", "", "name", fg_json_text(c->scenario.name), "probe",
		fg_json_text(name_of(c, b, index, name)), "from", fg_json_text(b->source->label),
		"to", fg_json_text(fg_scenario_target_name(&c->scenario, b)), "port", port, "round",
		(json_int_t)round, "control_of",
		fg_json_text(set->control_of >= 0 ? c->scenario.sets[set->control_of].name : NULL),
		"expected", fg_json_text(b->expect->text), "status", "inconclusive", "why",
		fg_json_text(why));
}

static int miss(struct fg_cases *c, const struct fg_scenario_block *b, uint64_t index,
		const char *node, const char *why, uint64_t number, struct fg_cases_result *r,
		struct fg_error *err)
{
	json_t *line = unsent(c, b, index, node, why);
	int ret = line ? settle(c, line, b->first + index, number, r, err) : fail_memory(err);

	r->made = line;
	return ret ? -1 : 1;
}

int fg_cases_miss(struct fg_cases *c, const char *node, const char *why, uint64_t number,
		  struct fg_cases_result *r, struct fg_error *err)
{
	*r = (struct fg_cases_result){};
	for (; c->missing < c->layout.total; c->missing++) {
		const struct fg_scenario_block *b = block_at(c, c->missing);

		if (!c->left_out[b - c->layout.blocks] && is_from(b, node) &&
		    c->answered[c->missing] < c->rounds)
			return miss(c, b, c->missing - b->first, node, why, number, r, err);
	}
	c->missing = 0;
	return 0;
}

/* --- learning --- */

char *fg_cases_record(const struct fg_cases *c, const struct fg_split *split, uint64_t *unknown,
		      const char **lost, struct fg_error *err)
{
	for (uint64_t i = 0; i < c->layout.total; i++)
		*unknown += !c->marks[i].command && (!c->seen[i] || !strcmp(c->seen[i], "any"));
	fg_split_restore(split, c->scenario.yaml.root);
	return fg_scenario_record(&c->scenario, &c->layout, c->seen, c->statuses, lost, err);
}

void fg_cases_result_free(struct fg_cases_result *r)
{
	fg_buffer_free(&r->headline);
	fg_buffer_free(&r->text);
	free(r->json);
	json_decref(r->made);
	*r = (struct fg_cases_result){};
}
