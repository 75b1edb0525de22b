/* SPDX-License-Identifier: GPL-2.0-only */
/* plan.h - from what a user asked for to single probes, one after another: nothing is laid out beforehand. Pure. */
#ifndef FG_PLAN_H
#define FG_PLAN_H

#include "probe.h"

struct fg_plan {
	int pod; /* number in the session */
	const struct fg_packet_spec *packet;
	const char *name; /* of every probe; may be NULL */
	struct fg_addr src, dst;
	const struct fg_ports *dports; /* NULL: the protocol has none */
	const struct fg_ports *sports; /* NULL: a random one for each probe */
	uint64_t count; /* how often each destination port is asked; 0: without end */
	uint64_t seed;
	enum fg_expect expect;
};

/* How many probes it makes: ports times count; UINT64_MAX: without end. */
uint64_t fg_plan_total(const struct fg_plan *plan);

/*
 * Makes other random choices for a probe of the plan: its source port where the plan names none, and what comes from
 * vary.random.
 */
void fg_plan_choose_again(const struct fg_plan *plan, struct fg_probe_spec *spec);

/* Writes the index-th probe (from 0) to *out. The same plan and index give the same probe. */
void fg_plan_probe(const struct fg_plan *plan, uint64_t index, struct fg_probe_spec *out);

#endif
