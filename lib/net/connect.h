/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net/connect.h - source address and route of a namespace's own packet, as connect() finds them:
 * the kernel's own lookups, in its order, without a packet.
 */
#ifndef FG_CONNECT_H
#define FG_CONNECT_H

#include "net/route.h"
#include "probe/probe.h"

struct fg_connect_query {
	struct fg_route_query flow; /* flow.src.family 0: the socket is bound to no address */
	/*
	 * The socket is bound to no port. TCP chooses one only after the first lookup, which then
	 * has none (tcp_v4_connect(), tcp_v6_connect()).
	 */
	bool any_port;
};

/* What a packet of the probe is routed by: as the socket of a client that would send it. */
struct fg_connect_query fg_connect_of_probe(const struct fg_probe_spec *spec);

/*
 * The route of a packet of a socket in the namespace netns_fd, with sk in it. out->from is its
 * source address, also on failure; family 0: the kernel found none. Returns 0, or a negative errno
 * value: what connect() fails with. Sends nothing.
 *
 * IPv4 looks up twice: without the source, which finds it, then with it (ip_route_connect()), so
 * rules for a source count. IPv6 does so only if the first lookup fails; otherwise that one decides
 * (ip6_dst_lookup_tail()), and RFC 6724 chooses the source. A source address that the namespace
 * does not hold is that of a raw socket, which is routed without it (raw_sendmsg()).
 */
int fg_connect_route(struct nl_sock *sk, int netns_fd, const struct fg_connect_query *query,
		     struct fg_route *out);

/* What routes can differ by, between packets from one source to one destination. */
struct fg_connect_varies {
	bool by_port;	  /* rules with a protocol or ports; next hops that the ports choose from */
	bool by_protocol; /* those; next hops that the protocol chooses from */
};

/*
 * Whether the namespace's rules and the route of this flow look at protocol and ports: if not, one
 * answer serves them all. Returns 0 or a negative errno value.
 */
int fg_connect_varies(struct nl_sock *sk, int netns_fd, const struct fg_route_query *flow,
		      struct fg_connect_varies *out);

#endif
