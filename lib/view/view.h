/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * view/view.h - the room of what a result says, in words and in no format: the packet, where it was
 * seen, and places (here), everything that could decide about it (view/decisions.h), and what it
 * did not meet (view/gaps.h). Pure.
 */
#ifndef FG_VIEW_H
#define FG_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/parse.h"
#include "header/dissect.h"
#include "probe/probe.h"

/*
 * The pod as a report shows it. The texts are borrowed and must outlive the report; NULL or "": not
 * known.
 */
struct fg_source_pod {
	const char *ref;  /* as the user named it */
	const char *name; /* "NAMESPACE/NAME", or the network namespace's name */
	bool outside;	  /* it is not a pod, but the network behind the device `primary` */
	const char *path; /* opens its network namespace */
	uint32_t netns;	  /* inode number of that */
	struct fg_addr address;
	struct {
		const char *kind; /* "veth", "netkit" */
		const char *mode; /* netkit: "l2" or "l3" */
		const char *peer; /* the device in the pod */
		int peer_ifindex;
		const char *primary; /* the one on the host side */
		int primary_ifindex;
	} device;
};

/* The packet as it was injected, read back from its bytes. */
struct fg_view_packet {
	bool known; /* the headers could be read; else flow has the spec's addresses and ports */
	bool has_protocol, has_ports, has_icmp;
	struct fg_flow flow;
	uint8_t ttl, tos;
	uint32_t length; /* bytes of the IP packet; 0: no frame */
	char protocol[4];
	const char *protocol_name; /* "udp", or the number; may point at `protocol` */
};

void fg_view_packet(const struct fg_probe *probe, struct fg_view_packet *out);

/* An observation in words. */
struct fg_sight {
	const char *component, *action;
	const char *detail;		/* NULL: nothing to add; may point at `text` */
	const struct fg_device *device; /* NULL: not known */
	bool bad;			/* here the packet was stopped */
	char text[320];
};

void fg_view_sight_read(const struct fg_context *context, const struct fg_probe *probe,
			const struct fg_observation *seen, struct fg_sight *out);

/* What it was seen on: "packet", "clone", or "reply". */
const char *fg_view_sight_of(const struct fg_observation *seen);

/* Whether it reached its destination, as far as can be seen. */
bool fg_view_arrived(const struct fg_result *result);

/* The kernel's name of a drop reason; buf is used if it has none. */
const char *fg_view_drop_name(const struct fg_context *context, uint32_t code, char *buf,
			      size_t size);

/* Where a packet was freed: the symbol, or the bare address in buf, or NULL. */
const char *fg_view_drop_location(const struct fg_observation *end, char *buf, size_t size);

/* Its device, or NULL. */
const struct fg_device *fg_view_device(const struct fg_context *context, uint32_t netns,
				       int ifindex);

/* "egress of shop/cart-0", "node", "ingress of shop/db-0", "way out by ens1". Returns buf. */
const char *fg_view_stage(const struct fg_source_pod *pod, const struct fg_context *context,
			  const struct fg_result *result, enum fg_stage stage, char *buf,
			  size_t size);
#define FG_VIEW_STAGE_LEN 330

#endif
