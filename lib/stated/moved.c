// SPDX-License-Identifier: GPL-2.0-only
/*
 * stated/moved.c - what of a map moved by exactly one packet. Maps are scratch space too: a number
 * that moved by anything but 1 or the packet's length is not a counter of this packet, and in an
 * array it makes the whole element doubtful.
 */
#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "stated/internal.h"

#define ETHERNET 14

struct comparison {
	struct stated_set *set;
	const struct stated_map *map;
	const struct fg_stated_packet *packet;
	struct fg_stated *out;
	struct stated_layout key, value;
	bool laid_out;
	uint64_t gained; /* entries with the packet's addresses */
};

/* An entry, and what it was. */
struct change {
	const uint8_t *key;
	const uint8_t *before; /* NULL: it was not there */
	const uint8_t *after;
};

static bool is_array(const struct stated_map *map)
{
	return map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* Types are only asked for where something moved. */
static void lay_out(struct comparison *c)
{
	const struct btf *btf;

	if (c->laid_out)
		return;
	c->laid_out = true;
	btf = fg_stated_set_types(c->set, c->map);
	fg_stated_layout_key(&c->key, btf, c->map);
	fg_stated_layout_value(&c->value, btf, c->map);
}

static bool may_count(const struct stated_leaf *leaf)
{
	return !leaf->bits && !leaf->padding && leaf->kind == STATED_NUMBER && !leaf->names &&
	       (leaf->size == 4 || leaf->size == 8);
}

/* Over all processors. */
static uint64_t sum(const struct stated_map *map, const struct stated_leaf *leaf,
		    const uint8_t *value)
{
	uint32_t step = map->stride / map->copies;
	uint64_t total = 0;

	for (uint32_t i = 0; value && i < map->copies; i++)
		total += fg_stated_layout_number(leaf, value + (size_t)i * step);
	return leaf->size == 4 && map->copies == 1 ? (uint32_t)total : total;
}

enum step { STEP_NONE, STEP_PACKET, STEP_BYTES, STEP_OTHER };

static enum step step_of(const struct comparison *c, uint64_t before, uint64_t after)
{
	uint64_t delta = after - before;
	uint32_t length = c->packet->length;

	if (!delta)
		return STEP_NONE;
	if (delta == 1)
		return STEP_PACKET;
	return length && (delta == length || delta == length + ETHERNET) ? STEP_BYTES : STEP_OTHER;
}

static bool is_zero(const uint8_t *bytes, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Whether the bytes of it are others now, on any processor. */
static bool differs(const struct stated_map *map, const struct stated_leaf *leaf,
		    const struct change *change)
{
	uint32_t step = map->stride / map->copies;

	for (uint32_t i = 0; i < map->copies; i++) {
		size_t at = (size_t)i * step + leaf->offset;

		if (change->before
			    ? memcmp(change->before + at, change->after + at, leaf->size) != 0
			    : !is_zero(change->after + at, leaf->size))
			return true;
	}
	return false;
}

/* How often each kind of step is in the change. */
static void count_steps(const struct comparison *c, const struct change *change,
			uint32_t steps[STEP_OTHER + 1])
{
	for (uint32_t i = 0; i < c->value.count; i++) {
		const struct stated_leaf *leaf = &c->value.leaves[i];

		if (may_count(leaf))
			steps[step_of(c, sum(c->map, leaf, change->before),
				      sum(c->map, leaf, change->after))]++;
		else if (differs(c->map, leaf, change))
			steps[STEP_OTHER]++;
	}
}

static void add_counters(const struct comparison *c, const struct change *change)
{
	for (uint32_t i = 0; i < c->value.count; i++) {
		const struct stated_leaf *leaf = &c->value.leaves[i];
		uint64_t before, after;
		struct fg_stated_counter *counter;
		enum step step;

		if (!may_count(leaf))
			continue;
		before = sum(c->map, leaf, change->before);
		after = sum(c->map, leaf, change->after);
		step = step_of(c, before, after);
		if (step != STEP_PACKET && step != STEP_BYTES)
			continue;
		counter = fg_stated_counter_add(c->out);
		if (!counter)
			return;
		counter->map = c->map->name;
		fg_stated_layout_text(&c->key, change->key, &counter->key);
		memcpy(counter->member, leaf->name, sizeof(counter->member));
		counter->offset = leaf->offset;
		counter->bytes = step == STEP_BYTES;
		counter->before = before;
		counter->after = after;
	}
}

static void add_entry(const struct comparison *c, const struct change *change)
{
	struct fg_stated_entry *entry = fg_stated_entry_add(c->out);

	if (!entry)
		return;
	entry->map = c->map->name;
	fg_stated_layout_text(&c->key, change->key, &entry->key);
}

/* Somebody else's connection begins between the two looks too: it has not the packet's addresses.
 */
static bool is_state_of(const struct comparison *c, const struct change *change)
{
	const struct fg_flow *f = &c->packet->flow;
	size_t size = f->family == AF_INET6 ? 16 : 4;

	return f->family && (memmem(change->key, c->map->key_size, f->src.bytes, size) ||
			     memmem(change->key, c->map->key_size, f->dst.bytes, size));
}

static void look_at(struct comparison *c, const struct change *change)
{
	uint32_t steps[STEP_OTHER + 1] = {};
	bool counts;

	lay_out(c);
	count_steps(c, change, steps);
	counts = steps[STEP_PACKET] || steps[STEP_BYTES];
	if (!change->before) {
		c->gained += is_state_of(c, change);
		/* A counter's first packet makes its entry; a connection's does too. */
		if (counts && !steps[STEP_OTHER])
			add_counters(c, change);
		else if (is_state_of(c, change))
			add_entry(c, change);
		return;
	}
	/* What a connection counts about itself is not what the policy says; nor is scratch space.
	 */
	if (steps[STEP_OTHER] && is_state_of(c, change))
		return;
	if (steps[STEP_OTHER])
		c->out->others++;
	if (counts && !(is_array(c->map) && steps[STEP_OTHER]))
		add_counters(c, change);
}

int fg_stated_moved(struct stated_set *set, const struct stated_map *map,
		    const struct stated_table *after, const struct fg_stated_packet *packet,
		    struct fg_stated *out)
{
	struct comparison *c = calloc(1, sizeof(*c));
	struct stated_index index = {};
	int64_t at = 0;

	if (!c)
		return -1;
	c->set = set;
	c->map = map;
	c->packet = packet;
	c->out = out;
	for (uint32_t i = 0; i < after->count && at > -2; i++) {
		struct change change = { .key = after->keys + (size_t)i * map->key_size,
					 .after = after->values + (size_t)i * map->stride };

		at = fg_stated_table_find(map, &map->before, &index, change.key);
		if (at >= 0)
			change.before = map->before.values + (size_t)at * map->stride;
		if (!change.before || memcmp(change.before, change.after, map->stride) != 0)
			look_at(c, &change);
	}
	fg_stated_tables_add(&out->tables, map, c->gained,
			     &(struct stated_amount){ .all = after->count });
	free(index.slots);
	free(c);
	return at == -2 ? -1 : 0;
}
