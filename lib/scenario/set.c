// SPDX-License-Identifier: GPL-2.0-only
/* scenario/set.c - the probes, the matrices, and the controls of both. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "scenario/internal.h"

struct ends {
	struct fg_scenario_set *set;
	bool to;
};

static int read_end(struct fg_scenario_reader *r, const json_t *node, void *arg)
{
	struct ends *in = arg;
	struct fg_scenario_set *set = in->set;
	int index = in->to ? fg_scenario_find_place(r, node) : fg_scenario_find_pods(r, node);
	uint32_t *slot;

	if (index < 0)
		return -1;
	for (size_t i = 0; i < (in->to ? set->to_count : set->from_count); i++)
		if ((in->to ? set->to : set->from)[i] == (uint32_t)index)
			return fg_scenario_fail(r, node, "given twice");
	slot = in->to ? FG_SCENARIO_APPEND(r, set->to, set->to_count)
		      : FG_SCENARIO_APPEND(r, set->from, set->from_count);
	if (!slot)
		return -1;
	*slot = (uint32_t)index;
	return 0;
}

static int read_ends(struct fg_scenario_reader *r, const json_t *map, const char *key,
		     struct fg_scenario_set *set)
{
	const json_t *node = fg_scenario_get(r, map, key);
	struct ends ends = { .set = set, .to = !strcmp(key, "to") };
	size_t mark;

	if (!node)
		return fg_scenario_fail(r, map, "has no key \"%s\"", key);
	mark = fg_scenario_enter(r, key, 0);
	if (fg_scenario_each(r, node, read_end, &ends))
		return -1;
	fg_scenario_leave(r, mark);
	return 0;
}

static int read_address(struct fg_scenario_reader *r, const json_t *map,
			struct fg_scenario_set *set)
{
	const json_t *src = fg_scenario_get(r, map, "src");
	FG_FREE char *text = NULL;
	size_t mark = fg_scenario_enter(r, "src", 0);

	if (src && !(text = fg_scenario_text(r, src)))
		return -1;
	if (src && fg_parse_addr("src", text, &set->src, r->err))
		return fg_scenario_fail_parsed(r, src);
	fg_scenario_leave(r, mark);
	return 0;
}

static int read_source(struct fg_scenario_reader *r, const json_t *map, struct fg_scenario_set *set)
{
	const json_t *spoof = fg_scenario_get(r, map, "spoof");
	size_t mark;

	if (read_address(r, map, set))
		return -1;
	mark = fg_scenario_enter(r, "spoof", 0);
	if (spoof && fg_scenario_switch(r, spoof, &set->spoof))
		return -1;
	fg_scenario_leave(r, mark);
	return 0;
}

/* A number of probes, or of who sends them; node NULL: it stays as it is. */
static int read_number(struct fg_scenario_reader *r, const json_t *node, const char *key,
		       uint64_t *out)
{
	FG_FREE char *text = NULL;
	size_t mark = fg_scenario_enter(r, key, 0);

	if (node && !(text = fg_scenario_text(r, node)))
		return -1;
	if (node && fg_parse_u64(key, text, 1, FG_SCENARIO_PROBES_MAX, out, r->err))
		return fg_scenario_fail_parsed(r, node);
	fg_scenario_leave(r, mark);
	return 0;
}

static int read_numbers(struct fg_scenario_reader *r, const json_t *map,
			struct fg_scenario_set *set)
{
	set->count = 1;
	return read_number(r, fg_scenario_get(r, map, "count"), "count", &set->count) ||
			       read_number(r, json_object_get(map, "senders"), "senders",
					   &set->senders)
		       ? -1
		       : 0;
}

static int read_expect(struct fg_scenario_reader *r, const json_t *map, struct fg_scenario_set *set)
{
	const json_t *node = fg_scenario_get(r, map, "expect");
	size_t mark = fg_scenario_enter(r, "expect", 0);

	if (node ? fg_scenario_read_expect(r, node, &set->expect)
		 : fg_scenario_expect_word("any", &set->expect))
		return -1;
	fg_scenario_leave(r, mark);
	return 0;
}

/* Names are what --only and diff know a probe by. */
static int check_name(struct fg_scenario_reader *r, const json_t *map, size_t index)
{
	const struct fg_scenario *s = r->scenario;
	const struct fg_scenario_set *set = &s->sets[index];

	if (set->name && (!set->name[0] || strlen(set->name) > 100))
		return fg_scenario_fail(r, json_object_get(map, "name"),
					"a name must have 1 to 100 characters");
	for (size_t i = 0; set->name && i < index; i++)
		if (s->sets[i].name && !strcmp(s->sets[i].name, set->name))
			return fg_scenario_fail(r, json_object_get(map, "name"),
						"line %u has this name already",
						fg_yaml_place(&s->yaml, s->sets[i].node)->line);
	return 0;
}

/* The set that a short form makes beside its own: the same ends, another port, expected to pass. */
static int add_control(struct fg_scenario_reader *r, const json_t *map, size_t of)
{
	const json_t *node = json_object_get(map, "control");
	FG_FREE char *text = NULL;
	struct fg_scenario_set *set, *made;
	struct fg_scenario_ports *p;
	struct ends ends;
	char name[128];
	size_t mark;

	if (!node)
		return 0;
	mark = fg_scenario_enter(r, "control", 0);
	text = fg_scenario_text(r, node);
	made = text ? FG_SCENARIO_APPEND(r, r->scenario->sets, r->scenario->set_count) : NULL;
	if (!made)
		return -1;
	set = &r->scenario->sets[of];
	*made = (struct fg_scenario_set){ .control_of = (int)of,
					  .count = 1,
					  .senders = set->senders,
					  .node = map,
					  .src = set->src,
					  .spoof = set->spoof };
	snprintf(name, sizeof(name), "control of %.100s", set->name ? set->name : "this");
	made->name = set->name ? strdup(name) : NULL;
	p = FG_SCENARIO_APPEND(r, made->ports, made->port_count);
	if (!p)
		return -1;
	p->packet = set->ports[0].packet;
	if (fg_parse_ports("control", text, &p->dports, r->err))
		return fg_scenario_fail_parsed(r, node);
	p->label = strdup(text);
	fg_scenario_leave(r, mark);
	ends = (struct ends){ .set = made };
	if (fg_scenario_each(r, fg_scenario_get(r, map, "from"), read_end, &ends))
		return -1;
	ends.to = true;
	if (fg_scenario_each(r, fg_scenario_get(r, map, "to"), read_end, &ends))
		return -1;
	return fg_scenario_expect_word("allow", &made->expect);
}

static int read_parts(struct fg_scenario_reader *r, const json_t *map, size_t index)
{
	struct fg_scenario_set *set = &r->scenario->sets[index];

	if (fg_scenario_text_at(r, map, "name", &set->name) || check_name(r, map, index) ||
	    fg_scenario_text_at(r, map, "on-failure", &set->on_failure) ||
	    read_ends(r, map, "from", set) || read_ends(r, map, "to", set) ||
	    read_source(r, map, set) || read_numbers(r, map, set) || read_expect(r, map, set) ||
	    fg_scenario_read_ports(r, map, set))
		return -1;
	if (fg_scenario_check_set(r, set))
		return -1;
	set->control_node = json_object_get(map, "control-of");
	return 0;
}

static struct fg_scenario_set *add_set(struct fg_scenario_reader *r, const json_t *node)
{
	struct fg_scenario_set *set =
		FG_SCENARIO_APPEND(r, r->scenario->sets, r->scenario->set_count);

	if (set) {
		set->node = node;
		set->control_of = -1;
	}
	return set;
}

/* A command goes where it likes: it has no packet, and nothing that says where to. */
static int read_exec(struct fg_scenario_reader *r, const json_t *node)
{
	static const char *const keys[] = { "name",	  "from",    "exec",  "exit-status",
					    "output",	  "timeout", "count", "expect",
					    "on-failure", "senders", "src",   "dns" };
	size_t index = r->scenario->set_count;
	struct fg_scenario_set *set;

	if (fg_scenario_map(r, node, "a probe with exec", keys, COUNT(keys), false))
		return -1;
	set = add_set(r, node);
	if (!set)
		return -1;
	return fg_scenario_text_at(r, node, "name", &set->name) || check_name(r, node, index) ||
			       fg_scenario_text_at(r, node, "on-failure", &set->on_failure) ||
			       read_ends(r, node, "from", set) || read_address(r, node, set) ||
			       read_numbers(r, node, set) || fg_scenario_read_command(r, node, set)
		       ? -1
		       : 0;
}

static int read_probe(struct fg_scenario_reader *r, const json_t *node)
{
	static const char *const keys[] = { "name",   "from",	 "to",	       "dport",
					    "sport",  "src",	 "spoof",      "count",
					    "expect", "control", "control-of", "on-failure",
					    "senders" };
	size_t index = r->scenario->set_count;

	if (json_is_object(node) && json_object_get(node, "exec"))
		return read_exec(r, node);
	if (fg_scenario_map(r, node, "a probe", keys, COUNT(keys), true))
		return -1;
	if (!add_set(r, node))
		return -1;
	if (read_parts(r, node, index))
		return -1;
	if (r->scenario->sets[index].expect.skip)
		return fg_scenario_fail(r, json_object_get(node, "expect"),
					"skip is for the cells of a matrix");
	return add_control(r, node, index);
}

static int read_matrix(struct fg_scenario_reader *r, const json_t *node)
{
	static const char *const keys[] = { "name",   "from",	    "to",    "ports",
					    "sport",  "src",	    "spoof", "count",
					    "expect", "on-failure", "table", "senders" };
	size_t index = r->scenario->set_count, mark;
	const json_t *table = json_object_get(node, "table");
	struct fg_scenario_set *set;

	if (fg_scenario_map(r, node, "a matrix", keys, COUNT(keys), true))
		return -1;
	set = add_set(r, node);
	if (!set)
		return -1;
	set->matrix = true;
	if (read_parts(r, node, index))
		return -1;
	if (!table)
		return 0;
	mark = fg_scenario_enter(r, "table", 0);
	if (fg_scenario_read_table(r, table, set))
		return -1;
	fg_scenario_leave(r, mark);
	return 0;
}

/* --- controls that are probes of their own --- */

static int refuse_control(struct fg_scenario_reader *r, const json_t *node, const char *name)
{
	const struct fg_scenario *s = r->scenario;
	FG_FREE const char **names = calloc(s->set_count + 1, sizeof(*names));
	size_t n = 0;

	fg_scenario_fail(r, node, "no probe has the name \"%.60s\"", name);
	for (size_t i = 0; names && i < s->set_count; i++)
		if (s->sets[i].name)
			names[n++] = s->sets[i].name;
	return names ? fg_scenario_suggest(r, name, names, n) : -1;
}

static int find_control(struct fg_scenario_reader *r, struct fg_scenario_set *set)
{
	struct fg_scenario *s = r->scenario;
	FG_FREE char *name = fg_scenario_text(r, set->control_node);

	if (!name)
		return -1;
	for (size_t i = 0; i < s->set_count; i++) {
		if (!s->sets[i].name || strcmp(s->sets[i].name, name) != 0)
			continue;
		if (&s->sets[i] == set)
			return fg_scenario_fail(r, set->control_node,
						"a probe cannot be its own control");
		if (s->sets[i].control_node || s->sets[i].control_of >= 0)
			return fg_scenario_fail(r, set->control_node,
						"\"%.60s\" is a control itself", name);
		if (s->sets[i].command)
			return fg_scenario_fail(r, set->control_node,
						"\"%.60s\" runs a command, and no packet", name);
		set->control_of = (int)i;
		return 0;
	}
	return refuse_control(r, set->control_node, name);
}

static int find_controls(struct fg_scenario_reader *r)
{
	for (size_t i = 0; i < r->scenario->set_count; i++) {
		if (!r->scenario->sets[i].control_node)
			continue;
		snprintf(r->path, sizeof(r->path), "control-of");
		if (find_control(r, &r->scenario->sets[i]))
			return -1;
	}
	r->path[0] = '\0';
	return 0;
}

static int read_list(struct fg_scenario_reader *r, const json_t *node, const char *key,
		     int (*read)(struct fg_scenario_reader *r, const json_t *item), bool single)
{
	size_t mark = fg_scenario_enter(r, key, 0), i;
	json_t *item;
	int ret = 0;

	if (!node) {
		fg_scenario_leave(r, mark);
		return 0;
	}
	if (single && json_is_object(node)) {
		ret = read(r, node);
	} else if (!json_is_array(node)) {
		return fg_scenario_fail(r, node, "expected a list");
	} else {
		json_array_foreach ((json_t *)node, i, item) {
			size_t inner = fg_scenario_enter(r, NULL, i);

			if (read(r, item))
				return -1;
			fg_scenario_leave(r, inner);
		}
	}
	if (!ret)
		fg_scenario_leave(r, mark);
	return ret;
}

int fg_scenario_read_sets(struct fg_scenario_reader *r, const json_t *probes, const json_t *matrix)
{
	if (read_list(r, probes, "probes", read_probe, false) ||
	    read_list(r, matrix, "matrix", read_matrix, true))
		return -1;
	return find_controls(r);
}
