// SPDX-License-Identifier: GPL-2.0-only
#include "probe/plan.h"

#include <stdio.h>

#include "base/addr.h"

/* Source ports that Linux gives to clients by default (net.ipv4.ip_local_port_range). */
#define EPHEMERAL_FIRST 32768
#define EPHEMERAL_COUNT (60999 - 32768 + 1)

/*
 * SplitMix64 (Steele, Lea, Flood 2014): one step from any 64-bit number, so probes need no order.
 */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/*
 * The value at that place of a random order of the numbers below EPHEMERAL_COUNT: a Feistel network
 * permutes all 16-bit numbers, and those that are too large are sent on until one is not.
 */
static uint16_t shuffled(uint64_t key, uint32_t place)
{
	uint32_t left, right = place;

	do {
		left = right >> 8;
		right &= 0xff;
		for (uint64_t round = 0; round < 4; round++) {
			uint32_t next = left ^ (mix(key + (round << 8 | right)) & 0xff);

			left = right;
			right = next;
		}
		right |= left << 8;
	} while (right >= EPHEMERAL_COUNT);
	return (uint16_t)right;
}

/* The tuple's other parts are the same in all of a plan, or another plan has places of its own. */
static void choose_port(const struct fg_plan *plan, struct fg_probe_spec *spec)
{
	uint64_t key = mix(plan->places.seed ^ mix(spec->vary.dport));

	spec->vary.sport = (uint16_t)(EPHEMERAL_FIRST + shuffled(key, spec->place));
}

/* How many probes one round has: each address with each port. */
static uint64_t one_round(const struct fg_plan *plan)
{
	return (plan->dports ? plan->dports->total : 1) *
	       (uint64_t)(plan->dst_count ? plan->dst_count : 1);
}

uint64_t fg_plan_total(const struct fg_plan *plan)
{
	uint64_t total;

	if (!plan->count || __builtin_mul_overflow(one_round(plan), plan->count, &total))
		return UINT64_MAX;
	return total;
}

void fg_plan_probe(const struct fg_plan *plan, uint64_t index, struct fg_probe_spec *out)
{
	uint64_t ports = plan->dports ? plan->dports->total : 1;
	uint64_t round = one_round(plan), random = mix(plan->seed ^ mix(index));

	*out = (struct fg_probe_spec){
		.id = index + 1,
		.pod = plan->pod,
		.packet = plan->packet,
		.vary = { .src = plan->src,
			  .dst = fg_addr_at(&plan->dst, (uint32_t)(index % round / ports)),
			  .random = mix(random),
			  .number = (uint32_t)index },
		.any_source = plan->any_source,
		.any_port = !plan->sports,
		.expect = plan->expect,
		.fragments = 1,
	};
	if (plan->name)
		snprintf(out->name, sizeof(out->name), "%s", plan->name);
	if (!plan->dports)
		return;
	out->vary.dport = fg_ports_get(plan->dports, index % ports);
	out->place = (uint32_t)((plan->places.first + index / round) % EPHEMERAL_COUNT);
	if (plan->sports)
		out->vary.sport = fg_ports_get(plan->sports, index % plan->sports->total);
	else
		choose_port(plan, out);
}

/*
 * To a place that no other probe has, if there are any left; else far away, so that two probes with
 * one port are not in flight together.
 */
static uint64_t places_onward(const struct fg_plan *plan)
{
	uint64_t all = plan->places.all;

	return all && all <= EPHEMERAL_COUNT / 2 ? all : EPHEMERAL_COUNT * 618 / 1000;
}

void fg_plan_choose_again(const struct fg_plan *plan, struct fg_probe_spec *spec)
{
	spec->vary.random = mix(spec->vary.random);
	if (!plan->dports || plan->sports)
		return;
	spec->place = (uint32_t)((spec->place + places_onward(plan)) % EPHEMERAL_COUNT);
	choose_port(plan, spec);
}
