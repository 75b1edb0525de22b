/* SPDX-License-Identifier: GPL-2.0-only */
/* base/ports.h - sets of ports; fg_parse_ports() reads them. Pure. */
#ifndef FG_PORTS_H
#define FG_PORTS_H

#include <stddef.h>
#include <stdint.h>

/* A set of ports, kept as ranges in the order they were written. Host order, both ends included. */
struct fg_port_range {
	uint16_t first;
	uint16_t last;
	uint32_t before; /* ports in the ranges before this one */
};

struct fg_ports {
	struct fg_port_range *ranges; /* owned; fg_ports_free() */
	size_t count;		      /* ranges */
	size_t total;		      /* ports in all of them together */
};

/* Frees the ranges, and leaves an empty set. */
void fg_ports_free(struct fg_ports *ports);

/* The index-th port of the set, in host order; index < total. */
uint16_t fg_ports_get(const struct fg_ports *ports, size_t index);

/* The port of a well-known service (len bytes), as IANA and /etc/services name it; 0: not known. */
uint16_t fg_ports_service(const char *name, size_t len);

#endif
