/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net/route.h - what a namespace's own routing and neighbour tables say: the next hop of a packet
 * and its address.
 */
#ifndef FG_ROUTE_H
#define FG_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/link.h"
#include "base/parse.h"
#include "net/rtnl.h"

/* What a packet that the namespace sends or forwards is routed by. Its mark is 0. */
struct fg_route_query {
	struct fg_addr src; /* family 0: the kernel chooses */
	struct fg_addr dst;
	uint8_t protocol;      /* IP protocol number; 0: none */
	uint16_t sport, dport; /* host order; 0: none */
	uint8_t tos;	       /* or the traffic class; its ECN bits do not count */
	int iif;	       /* device that it is received on; 0: it is sent from here */
	int oif;	       /* device that it has to leave by; 0: any */
};

/* One answer of the kernel's route lookup (RTM_GETROUTE, as "ip route get"). */
struct fg_route {
	int ifindex;	     /* where the packet leaves */
	uint8_t type;	     /* RTN_* */
	struct fg_addr via;  /* the gateway, of either family; family 0: the destination is on the
				link */
	struct fg_addr from; /* the source address that the kernel would use; family 0: not given */
	uint32_t mtu;	     /* of the route; 0: the device's */
	/* the names of its BPF programs (encap bpf in, out, xmit), comma-separated; empty: none */
	char programs[96];
};

/*
 * Whether a lookup can be for packets of that protocol: the kernel takes TCP, UDP and the family's
 * ICMP (rtm_getroute_parse_ip_proto()). Of another one protocol and ports are left out, and the
 * kernel looks up UDP without ports (IPv4), or no protocol (IPv6).
 */
bool fg_route_knows_protocol(uint16_t family, uint8_t protocol);

/*
 * Asks for the route of a packet, with flags of rtmsg.rtm_flags (RTM_F_*), and hands the answer to
 * cb. Returns 0, or a negative errno value as the kernel gives it (-ENETUNREACH: no route;
 * -EHOSTUNREACH, -EACCES, -EINVAL: unreachable, prohibit, blackhole).
 */
int fg_route_ask(struct nl_sock *sk, const struct fg_route_query *query, uint32_t flags,
		 fg_rtnl_cb cb, void *arg);

/* The same, without flags, to *out, which is untouched on failure. */
int fg_route_lookup(struct nl_sock *sk, const struct fg_route_query *query, struct fg_route *out);

/* "10.9.0.9 via 10.9.1.1 dev eth0". Returns buf. */
const char *fg_route_text(struct nl_sock *sk, const struct fg_addr *dst,
			  const struct fg_route *route, char *buf, size_t size);

/*
 * The default route of the family, if there is one: that of an address which no other route leads
 * to. Returns 0 or a negative errno value.
 */
int fg_route_default(struct nl_sock *sk, uint16_t family, struct fg_route *out);

/*
 * The devices that default routes of the family lead out by, each once, over all tables and next
 * hops; at most max of them are put into devices. Returns how many there are, or a negative errno
 * value.
 */
int fg_route_default_devices(struct nl_sock *sk, uint16_t family, int *devices, int max);

/* What the neighbour table has for addr on a device: 0 with its MAC address, or -1. Asks nobody. */
int fg_route_neighbour(struct nl_sock *sk, int ifindex, const struct fg_addr *addr, uint8_t mac[6]);

/*
 * fg_route_lookup() for a packet from src that is received on the device iif: as the kernel
 * forwards it, by all its rules. What it would not forward (its source is not believed, forwarding
 * is off) is looked up as if it were sent from here.
 */
int fg_route_lookup_from(struct nl_sock *sk, const struct fg_addr *dst, const struct fg_addr *src,
			 int iif, struct fg_route *out);

/*
 * Whether the namespace takes packets to that address in: one lookup, however many it has. Returns
 * 1 or 0, or -1 if it could not be asked.
 */
int fg_route_is_local(struct nl_sock *sk, const struct fg_addr *addr, struct fg_error *err);

/*
 * The link-layer address that the stack of the namespace netns_fd (with sk in it) would write to
 * for dst, by a route out through link: taken from the neighbour table, and resolved by the kernel
 * (NTF_USE, as for a packet of the pod's own) if the table lacks it, within timeout_ns (0: it is
 * not asked). Devices
 * without ARP get their own address, as the kernel does (arp_constructor). FG_ERR_UNSUPPORTED if
 * the destination is the namespace's own address, or the next hop does not answer.
 */
int fg_route_next_hop(struct nl_sock *sk, int netns_fd, const struct fg_link *link,
		      const struct fg_addr *dst, const struct fg_route *route, uint64_t timeout_ns,
		      uint8_t mac[6], struct fg_error *err);

#endif
