/* SPDX-License-Identifier: GPL-2.0-only */
/* net/sockdiag.h - the sockets of a network namespace, by NETLINK_SOCK_DIAG. */
#ifndef FG_SOCKDIAG_H
#define FG_SOCKDIAG_H

#include <stdbool.h>
#include <stdint.h>

#include "header/dissect.h"
#include "base/error.h"
#include "net/rtnl.h"

/* One socket. An IPv6 socket that carries IPv4 is described by its IPv4 addresses. */
struct fg_socket {
	uint8_t protocol;
	uint8_t state;	     /* TCP_* of linux/tcp_states.h; UDP and SCTP use the same numbers */
	bool connected;	     /* flow is a whole tuple; else only its source is set */
	bool any_address;    /* bound to no address: flow.src is all zero */
	bool only_ipv6;	     /* an IPv6 socket that does not accept IPv4 */
	struct fg_flow flow; /* from the socket to its peer */
	uint32_t uid;
	uint32_t inode; /* 0: no process has it open any more (TIME-WAIT and the like) */
	uint64_t cookie;
	uint64_t cgroup; /* the number of the one that it was made in; 0: not known */
	/* Bytes in its receive buffer, what it may hold (both as the kernel counts memory). */
	uint32_t buffered, buffer_size;
	/* Of a TCP listener: connections that wait for accept(), how many may. */
	uint32_t waiting, backlog;
};

/* "ESTAB", "SYN-SENT" and so on, as ss(8) shows them; "UNCONN" for a socket without a peer. */
const char *fg_sockdiag_state(const struct fg_socket *socket);

/*
 * Whether a socket without a peer is bound to that address, or to all of its family: one of IPv6
 * has those of IPv4 too, unless it refuses them; never the other way round.
 */
bool fg_sockdiag_covers(const struct fg_socket *socket, const struct fg_addr *addr);

/* A socket in the namespace of netns. Owned: nl_socket_free(). NULL on failure. */
struct nl_sock *fg_sockdiag_open(int netns, struct fg_error *err);

/* Called for each; returns 0, or -1 to fail the whole call. */
typedef int (*fg_sockdiag_cb)(const struct fg_socket *socket, void *arg);

/*
 * Lists the sockets of a protocol (TCP, UDP, UDP-Lite, DCCP, SCTP) and family, those of IPv6
 * included for AF_INET, as they may carry IPv4; port (host order): only those on it, filtered by
 * the kernel; 0: all. A protocol that this kernel does not know or cannot list has none.
 * Returns 0, or a negative errno value.
 */
int fg_sockdiag_list(struct nl_sock *sk, uint16_t family, uint8_t protocol, uint16_t port,
		     fg_sockdiag_cb cb, void *arg);

#endif
