/* SPDX-License-Identifier: GPL-2.0-only */
/* net/link.h - network devices: reading what there is, and making the pairs that flowgen owns. */
#ifndef FG_LINK_H
#define FG_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/parse.h"
#include "net/rtnl.h"

enum fg_link_mode { FG_LINK_MODE_NONE = 0, FG_LINK_L2, FG_LINK_L3 };

/* A device, as RTM_NEWLINK describes it. */
struct fg_link {
	int ifindex;
	int peer_ifindex; /* IFLA_LINK: for a pair the other end's; 0 if there is none */
	/* IFLA_LINK_NETNSID: the id of the other end's namespace; -1: the same namespace */
	int peer_nsid;
	int master;	    /* ifindex of the bridge or bond it belongs to; 0: none */
	unsigned int flags; /* IFF_* */
	uint32_t mtu;
	uint32_t xdp_id;     /* program id; 0: none */
	uint8_t xdp_mode;    /* XDP_ATTACHED_* (linux/if_link.h) */
	bool netkit_primary; /* this end of a netkit pair is the primary */
	enum fg_link_mode netkit_mode;
	int netkit_policy; /* what the end does without a program (NETKIT_*); -1: not netkit */
	uint8_t mac[6];	   /* wire order; zero for devices without addresses */
	char name[IFNAMSIZ];
	/* IFLA_INFO_KIND: "veth", "netkit", "bridge"; empty for hardware and loopback */
	char kind[16];
	char qdisc[32];
};

struct fg_links {
	struct fg_link *links;
	size_t count;
};

/* All devices of the socket's namespace. Free with fg_links_free(). */
int fg_link_list(struct nl_sock *sk, struct fg_links *out, struct fg_error *err);
void fg_links_free(struct fg_links *links);

/*
 * One device by index (ifindex > 0) or else by name. -1 with FG_ERR_UNSUPPORTED if there is
 * none.
 */
int fg_link_get(struct nl_sock *sk, int ifindex, const char *name, struct fg_link *out,
		struct fg_error *err);

/* True for a device kind that comes as a pair, one end in the pod: veth or netkit. */
bool fg_link_is_pair(const struct fg_link *link);
/*
 * The same, and its other end is in another namespace. (The two may well have the same index: each
 * has its own numbers.)
 */
bool fg_link_is_pod_end(const struct fg_link *link);

/*
 * The port of a bridge that its forwarding table has for a link-layer address (RTM_GETNEIGH,
 * rtnl_fdb_get()); 0: none.
 */
int fg_link_bridge_port(struct nl_sock *sk, int bridge, const uint8_t mac[6]);

/*
 * The host's end of the pair that `flowgen exec` makes for a command: "fx" and eight digits of
 * hexadecimal.
 */
bool fg_link_is_twin(const struct fg_link *link);
#define FG_LINK_TWIN "fx"

/* What to make: the first end in the socket's namespace, the other in peer_netns. */
struct fg_pair {
	const char *kind; /* "veth" or "netkit" */
	const char *name; /* of the first end; for netkit the primary */
	const char *peer_name;
	int peer_netns;		/* descriptor; -1: the socket's namespace too */
	enum fg_link_mode mode; /* netkit only */
	/* netkit only: the peer end drops what no program has let pass */
	bool drop_without_program;
	uint32_t mtu; /* 0: the kernel's default */
};

/* Returns 0, or a negative errno value (-EOPNOTSUPP: the kernel does not have this kind of device).
 */
int fg_link_create_pair(struct nl_sock *sk, const struct fg_pair *pair);

/* Returns 0, or a negative errno value. */
int fg_link_set_up(struct nl_sock *sk, int ifindex);
/*
 * No IPv6 address of its own, so that it sends nothing unasked; before it is set up. 0 too if
 * there is no IPv6.
 */
int fg_link_silence(struct nl_sock *sk, int ifindex);
int fg_link_delete(struct nl_sock *sk, int ifindex);

/*
 * Adds an address with its prefix length; IPv6 ones without duplicate address detection. 0 or a
 * negative errno value.
 */
int fg_link_add_address(struct nl_sock *sk, int ifindex, const struct fg_addr *addr, int prefix);

/* An address of a device. */
struct fg_link_address {
	int ifindex;
	int prefix;
	uint8_t scope; /* RT_SCOPE_* */
	struct fg_addr addr;
};

struct fg_link_addresses {
	struct fg_link_address *list;
	size_t count;
};

/*
 * All addresses of the socket's namespace, in the kernel's order; ifindex > 0: of that device.
 * Free(list).
 */
int fg_link_addresses(struct nl_sock *sk, int ifindex, struct fg_link_addresses *out,
		      struct fg_error *err);

/* Whether the socket's namespace holds the address: 1, 0, or -1 if it cannot be asked. */
int fg_link_holds(struct nl_sock *sk, const struct fg_addr *addr, struct fg_error *err);

#endif
