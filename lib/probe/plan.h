/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe/plan.h - makes single probes from what a user asked for, one after another: none is made
 * in advance. Pure.
 */
#ifndef FG_PLAN_H
#define FG_PLAN_H

#include "probe/probe.h"

/*
 * Random source ports are a random order of all ports that Linux gives to clients, one order for
 * each destination port: none comes twice before all were used. The plans of one run share the
 * orders, each with places of its own.
 */
struct fg_plan_places {
	uint64_t seed;	/* the run's */
	uint64_t first; /* the place of the plan's first probe of a port */
	uint64_t all;	/* places that all plans of the run have; 0: without end */
};

struct fg_plan {
	int pod; /* number in the session */
	const struct fg_packet_spec *packet;
	const char *name; /* of every probe; may be NULL */
	struct fg_addr src, dst;
	uint32_t dst_count;	       /* addresses from dst on, in turn; 0 is 1 */
	bool any_source;	       /* src is only the likeliest: the pod's kernel chooses */
	const struct fg_ports *dports; /* NULL: the protocol has none */
	const struct fg_ports *sports; /* NULL: a random one for each probe */
	uint64_t count; /* how often each destination port is probed; 0: without end */
	uint64_t seed;
	struct fg_plan_places places;
	enum fg_expect expect;
};

/* How many probes it makes: ports times addresses times count; UINT64_MAX: without end. */
uint64_t fg_plan_total(const struct fg_plan *plan);

/*
 * Makes other random choices for a probe of the plan: its source port if the plan names none,
 * and what comes from vary.random.
 */
void fg_plan_choose_again(const struct fg_plan *plan, struct fg_probe_spec *spec);

/* Writes the index-th probe (from 0) to *out. The same plan and index give the same probe. */
void fg_plan_probe(const struct fg_plan *plan, uint64_t index, struct fg_probe_spec *out);

#endif
