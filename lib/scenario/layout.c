// SPDX-License-Identifier: GPL-2.0-only
/* scenario/layout.c - the sets as blocks of single probes, once it is known which pods are there.
 */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "scenario/internal.h"

struct layout {
	const struct fg_scenario *scenario;
	const struct fg_scenario_found *found;
	struct fg_scenario_layout *out;
	struct fg_error *err;
};

static struct fg_scenario_block *add_block(struct layout *l)
{
	return FG_APPEND(l->out->blocks, l->out->count, l->scenario->yaml.file, l->err);
}

/* --- one block --- */

static const struct fg_scenario_expect *
find_expect(const struct fg_scenario_set *set, const char *label, const char *name, uint32_t column)
{
	const struct fg_scenario_expect *cell = NULL;

	/* A row of the pod itself says more than that of the selector. */
	for (size_t i = 0; i < set->row_count; i++) {
		const struct fg_scenario_row *row = &set->rows[i];
		bool own = label && !strcmp(row->name, label);

		if ((own || !strcmp(row->name, name)) && row->cells[column].text && (own || !cell))
			cell = &row->cells[column];
		if (own && cell)
			return cell;
	}
	return cell ? cell : &set->expect;
}

static const struct fg_addr *address_of(const struct fg_scenario_member *m, uint16_t family)
{
	if (family == AF_INET || (!family && m->v4.family))
		return m->v4.family ? &m->v4 : NULL;
	return m->v6.family ? &m->v6 : NULL;
}

static bool owns(const struct fg_scenario_member *m, const struct fg_addr *addr)
{
	for (size_t i = 0; i < m->owned_count; i++)
		if (fg_addr_equal(&m->owned[i], addr))
			return true;
	return fg_addr_equal(addr, &m->v4) || fg_addr_equal(addr, &m->v6);
}

static const char no_source[] = "what comes from outside needs a source address (src)";

/* The addresses, from what the set says and what the pods have. */
static void choose_addresses(const struct layout *l, const struct fg_scenario_set *set,
			     struct fg_scenario_block *b)
{
	const struct fg_scenario_place *place = &l->scenario->places[set->to[b->to]];
	const struct fg_addr *dst = &place->addr, *src = &set->src;
	uint16_t family = place->family ? place->family : set->src.family;

	if (!b->source) {
		b->why = l->found[set->from[b->from]].why;
		return;
	}
	if (place->pods >= 0 && !b->target) {
		b->why = l->found[place->pods].why;
		return;
	}
	if (b->target) {
		/* A family that both have, where the file leaves it open. */
		if (!family && !(b->source->v4.family && b->target->v4.family))
			family = AF_INET6;
		dst = address_of(b->target, family);
		if (!dst) {
			b->why = "the destination pod has no address of the family";
			return;
		}
	}
	b->dst = *dst;
	if (!set->src.family)
		src = fg_addr_is_link_local(dst) && b->source->link.family
			      ? &b->source->link
			      : address_of(b->source, dst->family);
	if (!src)
		b->why = !b->source->netns	  ? no_source
			 : dst->family == AF_INET ? "the pod has no IPv4 address"
						  : "the pod has no IPv6 address";
	else if (src->family != dst->family)
		b->why = "src and the destination are of different families";
	else if (set->src.family && !set->spoof && b->source->netns && !owns(b->source, src))
		b->why = "the pod does not own the address src (spoof: true sends it anyway)";
	else
		b->src = *src;
	b->any_source = !set->src.family;
}

/* A command needs nothing but its pod, or who it is outside. */
static void check_command(const struct layout *l, const struct fg_scenario_set *set,
			  struct fg_scenario_block *b)
{
	if (!b->source)
		b->why = l->found[set->from[b->from]].why;
	else if (!b->source->netns && !set->src.family)
		b->why = no_source;
	/* That of `defaults` is for other probes. */
	else if (b->source->netns && json_object_get(set->node, "src"))
		b->why = "src is for a command from outside (uplink:); a pod's has the pod's";
	b->total = set->count;
}

static void choose_ports(const struct layout *l, const struct fg_scenario_set *set,
			 struct fg_scenario_block *b)
{
	const struct fg_scenario_place *place = &l->scenario->places[set->to[b->to]];
	const struct fg_scenario_ports *p = &set->ports[b->port];

	b->total = set->count;
	b->sports = p->sports.total ? &p->sports : NULL;
	if (p->dports.total) {
		b->dports = &p->dports;
		b->total *= p->dports.total;
	} else if (place->port >= 0 && fg_packet_has_ports(&l->scenario->packets[p->packet])) {
		b->own_range.first = b->own_range.last = (uint16_t)place->port;
		b->own_port.count = b->own_port.total = 1;
	}
}

static int lay_block(struct layout *l, size_t set_index, const struct fg_scenario_block *ends)
{
	const struct fg_scenario *s = l->scenario;
	const struct fg_scenario_set *set = &s->sets[set_index];
	const char *name = s->pods[set->from[ends->from]].name;
	uint32_t column = (uint32_t)(ends->to * set->port_count + ends->port);
	const struct fg_scenario_expect *expect =
		find_expect(set, ends->source ? ends->source->label : NULL, name, column);
	struct fg_scenario_block *b;

	if (expect->skip)
		return 0;
	b = add_block(l);
	if (!b)
		return -1;
	*b = *ends;
	b->set = (uint32_t)set_index;
	b->column = column;
	b->expect = expect;
	if (set->command) {
		check_command(l, set, b);
	} else {
		choose_addresses(l, set, b);
		choose_ports(l, set, b);
	}
	b->first = l->out->total;
	/* What cannot be sent is reported once, not for each of its ports. */
	if (b->why)
		b->total = 1;
	l->out->total += b->total;
	if (l->out->total <= FG_SCENARIO_PROBES_MAX)
		return 0;
	return fg_fail(l->err, FG_ERR_USAGE, "%s:%u:1: more than %u probes in all", s->yaml.file,
		       fg_yaml_place(&s->yaml, set->node)->line, FG_SCENARIO_PROBES_MAX);
}

/* --- all of them --- */

static int lay_columns(struct layout *l, size_t set_index, struct fg_scenario_block *ends)
{
	const struct fg_scenario_set *set = &l->scenario->sets[set_index];

	for (ends->to = 0; ends->to < set->to_count; ends->to++) {
		int pods = l->scenario->places[set->to[ends->to]].pods;
		size_t targets = pods >= 0 ? l->found[pods].count : 0;

		for (size_t t = 0; t < (targets ? targets : 1); t++) {
			ends->target = targets ? &l->found[pods].members[t] : NULL;
			/* A pod among the senders of a selector is not its own destination. */
			if (ends->target && ends->source &&
			    ends->target->netns == ends->source->netns &&
			    (targets > 1 || l->found[set->from[ends->from]].count > 1))
				continue;
			for (ends->port = 0; ends->port < set->port_count; ends->port++)
				if (lay_block(l, set_index, ends))
					return -1;
		}
	}
	return 0;
}

static int lay_set(struct layout *l, size_t set_index)
{
	const struct fg_scenario_set *set = &l->scenario->sets[set_index];
	struct fg_scenario_block ends = {};

	for (ends.from = 0; ends.from < set->from_count; ends.from++) {
		const struct fg_scenario_found *found = &l->found[set->from[ends.from]];

		for (size_t m = 0; m < (found->count ? found->count : 1); m++) {
			ends.source = found->count ? &found->members[m] : NULL;
			if (lay_columns(l, set_index, &ends))
				return -1;
		}
	}
	return 0;
}

int fg_scenario_lay_out(const struct fg_scenario *scenario, const struct fg_scenario_found *found,
			struct fg_scenario_layout *out, struct fg_error *err)
{
	struct layout l = { .scenario = scenario, .found = found, .out = out, .err = err };

	*out = (struct fg_scenario_layout){};
	for (size_t i = 0; i < scenario->set_count; i++) {
		if (scenario->sets[i].control_of >= 0)
			continue;
		for (size_t k = 0; k < scenario->set_count; k++)
			if (scenario->sets[k].control_of == (int)i && lay_set(&l, k))
				return -1;
		if (lay_set(&l, i))
			return -1;
	}
	/* The blocks have found their place: now they may be pointed into. */
	for (size_t i = 0; i < out->count; i++) {
		struct fg_scenario_block *b = &out->blocks[i];

		if (!b->own_port.total)
			continue;
		b->own_port.ranges = &b->own_range;
		b->dports = &b->own_port;
	}
	return 0;
}

void fg_scenario_layout_free(struct fg_scenario_layout *layout)
{
	free(layout->blocks);
	*layout = (struct fg_scenario_layout){};
}

/* --- names --- */

const char *fg_scenario_target_name(const struct fg_scenario *scenario,
				    const struct fg_scenario_block *block)
{
	const struct fg_scenario_set *set = &scenario->sets[block->set];

	return block->target ? block->target->label : scenario->places[set->to[block->to]].name;
}

static void append(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *buf, size_t size, const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list args;

	va_start(args, fmt);
	vsnprintf(buf + len, size - len, fmt, args);
	va_end(args);
}

const char *fg_scenario_probe_name(const struct fg_scenario *scenario,
				   const struct fg_scenario_block *block, uint64_t index, char *buf,
				   size_t size)
{
	const struct fg_scenario_set *set = &scenario->sets[block->set];
	const char *from = block->source ? block->source->label
					 : scenario->pods[set->from[block->from]].name;
	const char *to = fg_scenario_target_name(scenario, block);
	const struct fg_scenario_ports *p = &set->ports[block->port];
	uint64_t ports = block->dports ? block->dports->total : 1;
	bool alone = (set->senders ? set->senders : set->from_count) == 1 && set->to_count == 1 &&
		     !set->matrix && !strcmp(from, scenario->pods[set->from[0]].name) &&
		     !strcmp(to, scenario->places[set->to[0]].name);

	buf[0] = '\0';
	if (set->name)
		append(buf, size, "%s", set->name);
	if (set->command && (!alone || !set->name))
		append(buf, size, "%s%.80s%s%.80s", set->name ? ": " : "", from,
		       set->name ? "" : ": ", set->name ? "" : to);
	else if (!alone || !set->name)
		append(buf, size, "%s%.80s to %.80s", set->name ? ": " : "", from, to);
	if (set->matrix || (!set->name && !set->command))
		append(buf, size, " %s", p->label);
	if (ports > 1)
		append(buf, size, "%s%u", " port ", fg_ports_get(block->dports, index % ports));
	if (block->total > ports)
		append(buf, size, " (%" PRIu64 ")", index / ports + 1);
	return buf;
}

/* --- controls --- */

bool fg_scenario_proves(const struct fg_scenario *s, const struct fg_scenario_block *control,
			const struct fg_scenario_block *b)
{
	if (s->sets[control->set].control_of != (int)b->set || control->source != b->source)
		return false;
	return !control->source || fg_addr_equal(&control->dst, &b->dst) ||
	       s->sets[b->set].to_count <= 1 || s->sets[control->set].to_count <= 1;
}

bool fg_scenario_has_control(const struct fg_scenario *s, uint32_t set)
{
	for (size_t i = 0; i < s->set_count; i++)
		if (s->sets[i].control_of == (int)set)
			return true;
	return false;
}

/* --- some of them --- */

int fg_scenario_fail_only(const char *only, struct fg_error *err)
{
	fg_fail(err, FG_ERR_USAGE, "--only: no probe's name contains \"%.100s\"", only);
	return fg_hint(err, "a pattern with * must match the whole name");
}

static bool is_chosen(const char *pattern, const char *name)
{
	return strpbrk(pattern, "*?[") ? !fnmatch(pattern, name, 0) : strstr(name, pattern) != NULL;
}

/* A block is included if one of its probes is; its controls come along. */
static bool block_chosen(const struct fg_scenario *scenario, const struct fg_scenario_block *b,
			 const char *pattern)
{
	char name[FG_SCENARIO_NAME_LEN];

	for (uint64_t i = 0; i < b->total; i++)
		if (is_chosen(pattern, fg_scenario_probe_name(scenario, b, i, name, sizeof(name))))
			return true;
	return false;
}

void fg_scenario_choose(const struct fg_scenario *scenario, const struct fg_scenario_layout *layout,
			const char *pattern, bool *chosen)
{
	memset(chosen, 0, layout->count * sizeof(*chosen));
	for (size_t i = 0; i < layout->count; i++) {
		const struct fg_scenario_block *b = &layout->blocks[i];

		if (!block_chosen(scenario, b, pattern))
			continue;
		chosen[i] = true;
		for (size_t k = 0; k < layout->count; k++)
			if (scenario->sets[layout->blocks[k].set].control_of == (int)b->set &&
			    layout->blocks[k].source == b->source)
				chosen[k] = true;
	}
}
