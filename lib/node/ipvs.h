/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * node/ipvs.h - the tables of IPVS, as /proc/net/ip_vs and ip_vs_conn show them. A kernel without
 * IPVS has none, and nothing is loaded by asking.
 */
#ifndef FG_IPVS_H
#define FG_IPVS_H

#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/error.h"
#include "facts/ipvs.h"
#include "header/dissect.h"

/* How many services and backends the namespace has. Returns 0 or -1. */
int fg_ipvs_count(int netns, uint32_t *services, uint32_t *backends, struct fg_error *err);

/*
 * The services of IPVS at an address, of all protocols and ports, and with flow (else NULL), whose
 * destination that is, where its connection goes. Services that go by a firewall mark are not
 * looked at.
 */
struct fg_ipvs_services {
	struct fg_ipvs_service *list; /* owned; fg_ipvs_free() */
	size_t count;
};

/* Returns 0, also where there are none; or -1. */
int fg_ipvs_find(int netns, const struct fg_addr *addr, const struct fg_flow *flow,
		 struct fg_ipvs_services *out, struct fg_error *err);
void fg_ipvs_free(struct fg_ipvs_services *services);

/* The same from open files (either may be NULL); for tests. Returns 0, or -1 without memory. */
int fg_ipvs_read(FILE *services, FILE *connections, const struct fg_addr *addr,
		 const struct fg_flow *flow, struct fg_ipvs_services *out);

#endif
