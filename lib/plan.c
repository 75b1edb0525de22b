// SPDX-License-Identifier: GPL-2.0-only
#include "plan.h"

#include <stdio.h>

/* Source ports that Linux gives to clients by default (net.ipv4.ip_local_port_range). */
#define EPHEMERAL_FIRST 32768
#define EPHEMERAL_COUNT (60999 - 32768 + 1)

/* SplitMix64 (Steele, Lea, Flood 2014): one step from any 64-bit number, so probes need no order. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

uint64_t fg_plan_total(const struct fg_plan *plan)
{
	uint64_t total;

	if (!plan->count ||
	    __builtin_mul_overflow(plan->dports ? plan->dports->total : 1, plan->count, &total))
		return UINT64_MAX;
	return total;
}

void fg_plan_probe(const struct fg_plan *plan, uint64_t index, struct fg_probe_spec *out)
{
	uint64_t ports = plan->dports ? plan->dports->total : 1;
	uint64_t random = mix(plan->seed ^ mix(index));

	*out = (struct fg_probe_spec){
		.id = index + 1,
		.pod = plan->pod,
		.packet = plan->packet,
		.vary = { .src = plan->src,
			  .dst = plan->dst,
			  .random = mix(random),
			  .number = (uint32_t)index },
		.expect = plan->expect,
		.fragments = 1,
	};
	if (plan->name)
		snprintf(out->name, sizeof(out->name), "%s", plan->name);
	if (!plan->dports)
		return;
	out->vary.dport = fg_ports_get(plan->dports, index % ports);
	out->vary.sport = plan->sports ? fg_ports_get(plan->sports, index % plan->sports->total)
				       : (uint16_t)(EPHEMERAL_FIRST + random % EPHEMERAL_COUNT);
}

void fg_plan_choose_again(const struct fg_plan *plan, struct fg_probe_spec *spec)
{
	spec->vary.random = mix(spec->vary.random);
	if (plan->dports && !plan->sports)
		spec->vary.sport =
			(uint16_t)(EPHEMERAL_FIRST + spec->vary.random % EPHEMERAL_COUNT);
}
