/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * facts/ipvs.h - a virtual service of IPVS, and what it does with packets. The values and their
 * text; pure. node/ipvs.h reads them from the kernel.
 */
#ifndef FG_FACTS_IPVS_H
#define FG_FACTS_IPVS_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct fg_ipvs_service {
	uint8_t protocol; /* IP protocol number */
	struct fg_addr addr;
	uint16_t port;	    /* host order; 0: all ports */
	char scheduler[24]; /* "rr", "wlc", ... */
	/* servers that get new connections: those of weight 0 get none */
	uint32_t backends;
	/* where all of those are one address; family 0: there are none, or several */
	struct fg_addr only;
	/* where the packet's connection goes; family 0: it has none */
	struct fg_addr to;
	uint16_t to_port; /* host order */
};

/* "udp 10.96.0.10:53 (rr, 2 backends)", and where it goes to, ", to 10.9.0.9:53". Returns buf. */
const char *fg_ipvs_text(const struct fg_ipvs_service *service, char *buf, size_t size);
#define FG_IPVS_TEXT_LEN 200

#endif
