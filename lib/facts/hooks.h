/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * facts/hooks.h - what is attached to the netfilter hooks of a network namespace: chains of
 * nf_tables and of iptables-legacy, BPF programs, connection tracking, IPVS. The values, questions
 * about them, and their names; pure. node/hooks.h reads them from the kernel.
 */
#ifndef FG_PROBE_HOOKS_H
#define FG_PROBE_HOOKS_H

#include <net/if.h>
#include <stddef.h>

#include "facts/cause.h"
#include "probe/netfilter.h"

enum fg_hooks_kind {
	FG_HOOKS_NFT,	    /* a base chain of nf_tables; iptables-nft's are these chains too */
	FG_HOOKS_LEGACY,    /* a table of iptables-legacy, ip6tables-, arptables- or ebtables- */
	FG_HOOKS_BPF,	    /* a program of type BPF_PROG_TYPE_NETFILTER */
	FG_HOOKS_NAT,	    /* carries out translations that chains of type nat ask for */
	FG_HOOKS_CONNTRACK, /* follows connections, puts fragments together */
	FG_HOOKS_IPVS,
	FG_HOOKS_BRIDGE,    /* br_netfilter: hands a bridge's packets to the hooks of IP */
	FG_HOOKS_FLOWTABLE, /* takes packets of known connections past all other hooks */
	FG_HOOKS_OTHER,	    /* a function of the kernel; it has a name */
	FG_HOOKS_KINDS
};

/* One entry of a hook. */
struct fg_hooks_entry {
	enum fg_hooks_kind kind;
	uint8_t family;	       /* NFPROTO_IPV4, _IPV6, _BRIDGE, _NETDEV: whose packets it sees */
	uint32_t hook;	       /* NF_INET_FORWARD, NF_BR_FORWARD, NF_NETDEV_EGRESS, ... */
	int32_t priority;      /* the smaller comes first */
	char device[IFNAMSIZ]; /* hooks of a device; else empty */
	/* The kernel's function and its module; empty if the kernel was not asked, or is built
	 * in. */
	char function[64], module[32];

	/* NFT, LEGACY */
	uint8_t table_family; /* NFPROTO_* of the table */
	char table[NFT_NAME_MAXLEN], chain[NFT_NAME_MAXLEN];
	char type[16];	/* NFT: "filter", "nat", "route" */
	uint32_t rules; /* in this chain; those it jumps to are in others. LEGACY: 1 for some */
	bool drops;	/* its policy is drop */

	/* BPF */
	uint32_t program; /* its id */
	char name[64];
	/*
	 * It is somewhere on this host, and the kernel does not say in which namespace: only
	 * where struct fg_hooks is not whole.
	 */
	bool elsewhere;
};

struct fg_hooks {
	struct fg_hooks_entry *list; /* owned; fg_hooks_free(). As they run, hook by hook */
	size_t count;
	/*
	 * The kernel said what is there (CONFIG_NETFILTER_NETLINK_HOOK). Else it was put
	 * together from what can be asked: nothing of ebtables-legacy, and of functions of the
	 * kernel only that they are there.
	 */
	bool whole;
};

void fg_hooks_free(struct fg_hooks *hooks);

/*
 * Whether it can deny a packet: a chain that is not for translations and has a rule, or the policy
 * drop; a table of iptables-legacy other than nat, likewise; a BPF program.
 */
bool fg_hooks_is_policy(const struct fg_hooks_entry *entry);

/* Whether it can change a packet's addresses, or where it goes: nat, IPVS. */
bool fg_hooks_translates(const struct fg_hooks_entry *entry);

/*
 * The next entry after `after` (NULL: the first) that can deny a packet of this family at this
 * hook; NULL: none. device: for the hooks of a device, else NULL.
 */
const struct fg_hooks_entry *fg_hooks_policy_next(const struct fg_hooks *hooks, uint8_t family,
						  uint32_t hook, const char *device,
						  const struct fg_hooks_entry *after);

/* Whether there is one. */
bool fg_hooks_policy_at(const struct fg_hooks *hooks, uint8_t family, uint32_t hook);

/*
 * If a drop by netfilter has no rule in a trace of nf_tables: the entries that can deny packets
 * of this family and that no such trace shows, which are tables of iptables-legacy and BPF
 * programs. Writes up to max of them; returns how many there are.
 */
size_t fg_hooks_untraced(const struct fg_hooks *hooks, uint8_t family,
			 const struct fg_hooks_entry **out, size_t max);

/* A packet's way past the hooks of IP on a host. */
struct fg_hooks_way {
	uint8_t family; /* NFPROTO_IPV4, NFPROTO_IPV6 */
	bool local;	/* it is for the host itself; else the host forwards it */
	bool by_ipvs;	/* IPVS may send it on from there */
};

/* Of these, those that are at hooks on the way. Writes up to max of them, and returns how many. */
size_t fg_hooks_untraced_on(const struct fg_hooks *hooks, const struct fg_hooks_way *way,
			    const struct fg_hooks_entry **out, size_t max);

/* Says that one of them, of which there is at least one, denied the packet. */
void fg_hooks_put_untraced(const struct fg_hooks_entry *const *list, size_t count,
			   struct fg_cause *cause);

/* "prerouting", "forward", "egress", ...; "hook N" has no name. */
const char *fg_hooks_hook_name(uint8_t family, uint32_t hook);

/* "nft", "legacy", "bpf", "conntrack", ... */
const char *fg_hooks_kind_name(enum fg_hooks_kind kind);

/*
 * What it is called: "nft inet filter forward", "iptables-legacy filter FORWARD", "BPF program 12
 * (drop_all)", "IPVS". Returns buf.
 */
const char *fg_hooks_text(const struct fg_hooks_entry *entry, char *buf, size_t size);
#define FG_HOOKS_TEXT_LEN 560

#endif
