/* SPDX-License-Identifier: GPL-2.0-only */
/* route.h - what a namespace's own routing and neighbour tables say: the next hop of a packet and its address. */
#ifndef FG_ROUTE_H
#define FG_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "link.h"
#include "parse.h"
#include "rtnl.h"

/* One answer of the kernel's route lookup (RTM_GETROUTE, as "ip route get"). */
struct fg_route {
	int ifindex;  /* where the packet leaves */
	uint8_t type; /* RTN_* */
	struct fg_addr
		via; /* the gateway, of either family; family 0: the destination is on the link */
	struct fg_addr from; /* the source address that the kernel would take; family 0: not said */
	uint32_t mtu;	     /* of the route; 0: the device's */
};

/*
 * Looks up dst, for a packet from src where src->family is not 0. Returns 0, or a negative errno value as the
 * kernel gives it (-ENETUNREACH: no route; -EHOSTUNREACH, -EACCES, -EINVAL: unreachable, prohibit, blackhole).
 */
int fg_route_lookup(struct nl_sock *sk, const struct fg_addr *dst, const struct fg_addr *src,
		    struct fg_route *out);

/* Writes the lookup as a person reads it, "10.0.0.9 via 10.9.0.1 dev eth0", to buf. Returns buf. */
const char *fg_route_text(struct nl_sock *sk, const struct fg_addr *dst, const struct fg_addr *src,
			  char *buf, size_t size);

/*
 * The link-layer address that the stack of the namespace netns_fd (with sk in it) would write to for dst, out
 * through link: taken from the neighbour table, and resolved by the kernel (NTF_USE, as for a packet of the
 * pod's own) where the table lacks it, within timeout_ns. Devices without ARP get their own address, as the
 * kernel does (arp_constructor). FG_ERR_UNSUPPORTED where there is no route, the destination is the
 * namespace's own address, the route leaves through another device, or the next hop does not answer.
 */
int fg_route_next_hop(struct nl_sock *sk, int netns_fd, const struct fg_link *link,
		      const struct fg_addr *dst, const struct fg_addr *src, uint64_t timeout_ns,
		      uint8_t mac[6], struct fg_error *err);

#endif
