/* SPDX-License-Identifier: GPL-2.0-only */
/* cause/internal.h - the finders, one for each mechanism. Each is as fg_cause_find(). */
#ifndef FG_CAUSE_INTERNAL_H
#define FG_CAUSE_INTERNAL_H

#include <net/if.h>
#include <stdio.h>

#include "cause/find.h"
#include "net/link.h"

/* --- route.c --- */
bool fg_cause_find_route(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_forwarding(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_ttl(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_mtu(const struct fg_cause_place *place, struct fg_cause *out);

/* What the kernel's look-up says of the packet. */
struct fg_cause_route {
	int error; /* 0, or a negative errno value */
	int ifindex;
	uint8_t type; /* RTN_* */
	uint32_t mtu; /* of the route; 0: the device's */
	struct fg_addr via;
};
/* iif 0: as for a packet that is sent from here, out of device oif if that is not 0. */
void fg_cause_route_lookup(const struct fg_cause_place *place, int iif, int oif,
			   struct fg_cause_route *out);
/* The route that the packet takes from here; falls back to the device that it is on. */
void fg_cause_route_onward(const struct fg_cause_place *place, struct fg_cause_route *out);

bool fg_cause_find_program(const struct fg_cause_place *place, struct fg_cause *out);

/* --- rule.c --- */
/*
 * Which rule and route make the look-up fail with this errno value (negative); adds to *out. False:
 * none that is there now.
 */
bool fg_cause_rule_find(const struct fg_cause_place *place, int error, struct fg_cause *out);

/* --- source.c --- */
bool fg_cause_find_rpfilter(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_martian(const struct fg_cause_place *place, struct fg_cause *out);

/* --- neighbour.c --- */
bool fg_cause_find_neighbour(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_otherhost(const struct fg_cause_place *place, struct fg_cause *out);

/* --- queue.c --- */
bool fg_cause_find_queue(const struct fg_cause_place *place, struct fg_cause *out);

/* --- socket.c --- */
bool fg_cause_find_listener(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_full(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_memory(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_proxy(const struct fg_cause_place *place, struct fg_cause *out);

/* The socket that would take the packet, and its address as text. False: none. */
struct fg_socket;
bool fg_cause_socket_find(const struct fg_cause_place *place, struct fg_socket *out, char *text,
			  size_t size);

/* --- filter.c --- */
bool fg_cause_find_filter(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_lsm(const struct fg_cause_place *place, struct fg_cause *out);

/* --- xfrm.c --- */
bool fg_cause_find_xfrm(const struct fg_cause_place *place, struct fg_cause *out);

/* --- device.c --- */
bool fg_cause_find_device(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_backlog(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_disabled(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_fragments(const struct fg_cause_place *place, struct fg_cause *out);

/* --- qdisc.c, bridge.c --- */
bool fg_cause_find_qdisc(const struct fg_cause_place *place, struct fg_cause *out);
bool fg_cause_find_bridge(const struct fg_cause_place *place, struct fg_cause *out);

/* --- proc.c --- */
/* "the host's namespace", "pod web", "this namespace". Returns buf. */
const char *fg_cause_where(const struct fg_cause_place *place, char *buf, size_t size);
#define FG_CAUSE_WHERE_LEN 128

/* A device's name; "device 7" where it has gone. Returns buf. */
const char *fg_cause_device(struct nl_sock *rtnl, int ifindex, char buf[IFNAMSIZ + 16]);

/*
 * Opens a file below /proc/sys/net or /proc/thread-self/net as that namespace has it. NULL if
 * there is none.
 */
FILE *fg_cause_open(const struct fg_cause_place *place, const char *path);

/*
 * Reads a sysctl of the namespace, a number. family_conf: AF_INET, AF_INET6: "conf/DEVICE/KEY" of
 * that family. -1 if there is none.
 */
long fg_cause_sysctl(const struct fg_cause_place *place, const char *path);
long fg_cause_sysctl_conf(const struct fg_cause_place *place, const char *device, const char *key);
/* The same, and puts it in out as the setting that decides. */
void fg_cause_put_conf(struct fg_cause *out, uint16_t family, const char *device, const char *key,
		       long value);

/*
 * "pid 12 nginx" to buf: a process that has this socket open; empty if none is found. Returns its
 * number, or 0.
 */
pid_t fg_cause_process(const struct fg_cause_place *place, uint32_t inode, char *buf, size_t size);

static inline int fg_cause_addr_len(uint16_t family)
{
	return family == AF_INET ? 4 : 16;
}

#endif
