/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * option/destination.h - where packets go, as people write it. Pure.
 */
#ifndef FG_DESTINATION_H
#define FG_DESTINATION_H

#include "base/addr.h"
#include "base/error.h"
#include "base/ports.h"

enum fg_destination_kind {
	FG_DESTINATION_NONE, /* zeroed */
	FG_DESTINATION_ADDRESS,
	FG_DESTINATION_POD,  /* a reference, whose address is to be looked up */
	FG_DESTINATION_NAME, /* a host name, to be resolved */
};

struct fg_destination {
	enum fg_destination_kind kind;
	const char *text;      /* as it was written; borrowed */
	struct fg_addr addr;   /* of a network the first */
	uint32_t count;	       /* addresses, from addr on; 1: not a network */
	char name[254];	       /* the pod's reference, or the host's name */
	struct fg_ports ports; /* owned; none if total is 0 */
};

/*
 * ADDR, ADDR/PREFIX, pod:, netns:, uid:, container: or pid:REFERENCE, or a host name; each may have
 * ":PORTS" behind it, numbers, ranges, names of services or a list of them. IPv6 needs brackets
 * then. A network has at most 4096 addresses; those of an IPv4 network that is shorter than /31
 * begin after its own address, and end before its broadcast address. Outputs are untouched on
 * failure. FG_ERR_USAGE; FG_ERR_UNSUPPORTED as fg_parse_cluster_reference().
 */
int fg_destination_parse(const char *what, const char *text, struct fg_destination *out,
			 struct fg_error *err);
void fg_destination_free(struct fg_destination *destination);

#endif
