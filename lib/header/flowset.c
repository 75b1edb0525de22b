// SPDX-License-Identifier: GPL-2.0-only
#include "header/flowset.h"

#include <stdlib.h>
#include <string.h>

void fg_flowset_free(struct fg_flowset *set)
{
	free(set->slots);
	*set = (struct fg_flowset){};
}

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 29);
}

static uint64_t mix_addr(uint64_t h, const struct fg_addr *addr)
{
	size_t len = addr->family == AF_INET ? 4 : 16;
	uint64_t words[2] = {};

	memcpy(words, addr->bytes, len);
	return mix(mix(h, words[0]), words[1]);
}

static size_t hash(const struct fg_flow *f)
{
	uint64_t h = mix(f->family, f->protocol);

	h = mix_addr(mix_addr(h, &f->src), &f->dst);
	h = mix(h, (uint64_t)f->sport << 16 | f->dport);
	return mix(h, (uint64_t)f->icmp_type << 32 | (uint64_t)f->icmp_id << 16 | f->icmp_seq);
}

/* The slot that holds the flow, or the free one where it belongs; the table is never full. */
static struct fg_flowset_slot *slot_of(const struct fg_flowset *set, const struct fg_flow *flow)
{
	size_t at = hash(flow) & (set->room - 1);

	while (set->slots[at].flow.family && !fg_flow_equal(&set->slots[at].flow, flow))
		at = (at + 1) & (set->room - 1);
	return &set->slots[at];
}

static int grow(struct fg_flowset *set)
{
	struct fg_flowset bigger = { .room = set->room ? set->room * 2 : 64, .count = set->count };

	bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -1;
	for (size_t i = 0; i < set->room; i++)
		if (set->slots[i].flow.family)
			*slot_of(&bigger, &set->slots[i].flow) = set->slots[i];
	free(set->slots);
	*set = bigger;
	return 0;
}

int fg_flowset_add(struct fg_flowset *set, const struct fg_flow *flow, uint32_t value)
{
	struct fg_flowset_slot *slot;

	if (set->count * 2 >= set->room && grow(set))
		return -1;
	slot = slot_of(set, flow);
	if (slot->flow.family)
		return 0;
	*slot = (struct fg_flowset_slot){ *flow, value };
	set->count++;
	return 0;
}

int64_t fg_flowset_find(const struct fg_flowset *set, const struct fg_flow *flow)
{
	const struct fg_flowset_slot *slot = set->count ? slot_of(set, flow) : NULL;

	return slot && slot->flow.family ? (int64_t)slot->value : -1;
}

void fg_flowset_tuple(const struct fg_flow *flow, struct fg_flow *out)
{
	*out = *flow;
	out->icmp_seq = 0;
	out->icmp_code = 0;
	out->tcp_flags = 0;
	out->sctp_chunk = 0;
	out->later_fragment = false;
}
