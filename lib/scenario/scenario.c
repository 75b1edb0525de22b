// SPDX-License-Identifier: GPL-2.0-only
/*
 * scenario/scenario.c - the whole file: its top level, and the order in which the parts are read.
 */
#include "scenario/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "scenario/internal.h"

#define SCHEMA "flowgen.scenario/1"

static int read_schema(struct fg_scenario_reader *r, const json_t *root)
{
	const json_t *node = json_object_get(root, "schema");

	if (!node)
		return 0;
	if (json_is_string(node) && !strcmp(json_string_value(node), SCHEMA))
		return 0;
	fg_scenario_enter(r, "schema", 0);
	return fg_scenario_fail(r, node, "expected " SCHEMA);
}

static int read_times(struct fg_scenario_reader *r, const json_t *root)
{
	struct fg_scenario *s = r->scenario;
	FG_FREE char *timeout = NULL, *seed = NULL;
	size_t mark;

	s->timeout_ns = FG_SCENARIO_DEFAULT_TIMEOUT_NS;
	if (fg_scenario_text_at(r, root, "timeout", &timeout) ||
	    fg_scenario_text_at(r, root, "seed", &seed))
		return -1;
	mark = fg_scenario_enter(r, "timeout", 0);
	if (timeout && fg_parse_duration("timeout", timeout, &s->timeout_ns, r->err))
		return fg_scenario_fail_parsed(r, json_object_get(root, "timeout"));
	fg_scenario_leave(r, mark);
	mark = fg_scenario_enter(r, "seed", 0);
	if (seed && fg_parse_u64("seed", seed, 0, UINT64_MAX, &s->seed, r->err))
		return fg_scenario_fail_parsed(r, json_object_get(root, "seed"));
	fg_scenario_leave(r, mark);
	s->seeded = seed != NULL;
	return 0;
}

static int read_trace(struct fg_scenario_reader *r, const json_t *root)
{
	const json_t *node = json_object_get(root, "trace-netfilter");
	size_t mark = fg_scenario_enter(r, "trace-netfilter", 0);

	if (node && fg_scenario_switch(r, node, &r->scenario->trace_netfilter))
		return -1;
	fg_scenario_leave(r, mark);
	return 0;
}

static int read_defaults(struct fg_scenario_reader *r, const json_t *node)
{
	static const char *const keys[] = {
		"from", "to", "sport", "src", "spoof", "count", "expect"
	};
	struct fg_scenario_expect expect = {};
	size_t mark = fg_scenario_enter(r, "defaults", 0), inner;
	int ret = 0;

	if (!node) {
		fg_scenario_leave(r, mark);
		return 0;
	}
	if (fg_scenario_map(r, node, "the mapping defaults", keys, COUNT(keys), true))
		return -1;
	/* A mistake is reported here, not at the first probe that uses it. */
	inner = fg_scenario_enter(r, "expect", 0);
	if (json_object_get(node, "expect"))
		ret = fg_scenario_read_expect(r, json_object_get(node, "expect"), &expect);
	fg_scenario_expect_free(&expect);
	if (ret)
		return -1;
	fg_scenario_leave(r, inner);
	if (fg_scenario_make_packet(r, node, NULL, NULL, NULL) < 0)
		return -1;
	r->defaults = node;
	fg_scenario_leave(r, mark);
	return 0;
}

static int read_head(struct fg_scenario_reader *r, const json_t *root)
{
	struct fg_scenario *s = r->scenario;

	if (fg_scenario_text_at(r, root, "name", &s->name) ||
	    fg_scenario_text_at(r, root, "description", &s->description) ||
	    fg_scenario_text_at(r, root, "on-failure", &s->on_failure) || read_times(r, root) ||
	    read_trace(r, root))
		return -1;
	if (!s->name)
		return fg_scenario_fail(r, root, "has no key \"name\"");
	if (!s->name[0] || strlen(s->name) > 100)
		return fg_scenario_fail(r, json_object_get(root, "name"),
					"name: must have 1 to 100 characters");
	return 0;
}

static int read_root(struct fg_scenario_reader *r, const json_t *root,
		     struct fg_scenario_setting *settings, size_t count)
{
	static const char *const keys[] = { "schema",	      "name",	 "description",
					    "on-failure",     "timeout", "seed",
					    "variables",      "pods",	 "destinations",
					    "defaults",	      "probes",	 "matrix",
					    "trace-netfilter" };

	if (fg_scenario_null(r, root))
		return fg_scenario_fail(r, root, "the file is empty");
	if (fg_scenario_map(r, root, "a scenario", keys, COUNT(keys), false) ||
	    read_schema(r, root) || fg_scenario_read_variables(r, root, settings, count) ||
	    read_head(r, root) || fg_scenario_read_pods(r, json_object_get(root, "pods")) ||
	    fg_scenario_read_destinations(r, json_object_get(root, "destinations")) ||
	    read_defaults(r, json_object_get(root, "defaults")) ||
	    fg_scenario_read_sets(r, json_object_get(root, "probes"),
				  json_object_get(root, "matrix")))
		return -1;
	if (!r->scenario->set_count)
		return fg_scenario_fail(r, root, "neither probes nor a matrix: nothing to send");
	return 0;
}

int fg_scenario_read_tree(struct fg_scenario *scenario, struct fg_yaml *yaml,
			  struct fg_scenario_setting *settings, size_t setting_count,
			  struct fg_error *err)
{
	struct fg_scenario_reader r = { .scenario = scenario, .err = err };
	struct fg_error own;

	*scenario = (struct fg_scenario){ .yaml = *yaml, .variables = json_object() };
	*yaml = (struct fg_yaml){};
	if (!err)
		r.err = &own;
	if (!scenario->variables)
		return fg_fail_errno(r.err, FG_ERR_INTERNAL, ENOMEM, "%s", scenario->yaml.file);
	return read_root(&r, scenario->yaml.root, settings, setting_count);
}

int fg_scenario_read_events(struct fg_scenario *scenario, const char *file, const void *events,
			    size_t size, struct fg_scenario_setting *settings, size_t setting_count,
			    struct fg_error *err)
{
	struct fg_yaml yaml;
	int ret = fg_yaml_build(&yaml, file, events, size, err);

	if (!ret)
		return fg_scenario_read_tree(scenario, &yaml, settings, setting_count, err);
	*scenario = (struct fg_scenario){ .yaml = yaml };
	return -1;
}

int fg_scenario_read(struct fg_scenario *scenario, const char *file, const char *text, size_t len,
		     struct fg_scenario_setting *settings, size_t setting_count,
		     struct fg_error *err)
{
	struct fg_buffer events = {};
	int ret;

	*scenario = (struct fg_scenario){};
	ret = fg_yaml_events(&events, file, text, len, err);
	if (!ret)
		ret = fg_scenario_read_events(scenario, file, events.data, events.len, settings,
					      setting_count, err);
	fg_buffer_free(&events);
	return ret;
}

static void set_free(struct fg_scenario_set *set)
{
	size_t columns = set->to_count * set->port_count;

	for (size_t i = 0; i < set->row_count; i++) {
		for (size_t k = 0; set->rows[i].cells && k < columns; k++)
			fg_scenario_expect_free(&set->rows[i].cells[k]);
		free(set->rows[i].cells);
		free(set->rows[i].name);
	}
	for (size_t i = 0; i < set->port_count; i++) {
		free(set->ports[i].label);
		fg_ports_free(&set->ports[i].dports);
		fg_ports_free(&set->ports[i].sports);
	}
	fg_scenario_expect_free(&set->expect);
	fg_scenario_command_free(set->command);
	free(set->rows);
	free(set->ports);
	free(set->from);
	free(set->to);
	free(set->name);
	free(set->on_failure);
}

void fg_scenario_free(struct fg_scenario *scenario)
{
	for (size_t i = 0; i < scenario->set_count; i++)
		set_free(&scenario->sets[i]);
	for (size_t i = 0; i < scenario->pod_count; i++) {
		free(scenario->pods[i].name);
		free(scenario->pods[i].ref);
		free(scenario->pods[i].namespace);
		free(scenario->pods[i].glob);
		free(scenario->pods[i].interface);
	}
	for (size_t i = 0; i < scenario->place_count; i++)
		free(scenario->places[i].name);
	for (size_t i = 0; i < scenario->packet_count; i++) {
		fg_packet_spec_free(&scenario->packets[i]);
		free(scenario->packet_keys[i]);
	}
	free(scenario->sets);
	free(scenario->pods);
	free(scenario->places);
	free(scenario->packets);
	free(scenario->packet_keys);
	free(scenario->name);
	free(scenario->description);
	free(scenario->on_failure);
	json_decref(scenario->variables);
	fg_yaml_free(&scenario->yaml);
	*scenario = (struct fg_scenario){};
}
