/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nft.h - talking to nf_tables: a table that marks packets for tracing, the trace's messages, and what a rule says.
 * Sockets are of NETLINK_NETFILTER (fg_rtnl_open_protocol()). Functions return 0, or a negative errno value.
 */
#ifndef FG_NFT_H
#define FG_NFT_H

#include <stddef.h>

#include "netfilter.h"
#include "nft_match.h"
#include "rtnl.h"

/* How the names of these tables begin; whoever looks for rules of others leaves them aside. */
#define FG_NFT_TABLE_PREFIX "flowgen-trace-"

/*
 * Whether nf_tables can be asked without loading it: a kernel that has not loaded it has no rules of it. (False, too, on one that has it
 * built in and could load others.)
 */
bool fg_nft_is_loaded(void);

/* Whether a chain of others hooks in at the egress of the device (family netdev). Where that cannot be told, one is assumed. */
bool fg_nft_has_egress(struct nl_sock *sk, const char *device);

/* Whether the socket's namespace has any table. Where that cannot be told it is taken to have one. */
bool fg_nft_has_tables(struct nl_sock *sk);

/*
 * Makes a table that belongs to the socket (NFT_TABLE_F_OWNER, Linux 5.12): the kernel removes it when the socket is closed,
 * however that comes. It holds two empty sets of packets to be traced, one for each version of IP.
 */
int fg_nft_table_make(struct nl_sock *sk, uint8_t family, const char *table);

/* Where a base chain hooks in. */
struct fg_nft_hook {
	uint8_t family;	    /* NFPROTO_* of its table */
	uint32_t number;    /* NF_INET_PRE_ROUTING, ... */
	const char *device; /* where the hook is a device's (family netdev); else NULL */
};

/*
 * Puts a base chain into that table, before all others of the hook, whose rules switch tracing on for the packets in
 * the sets and do nothing else.
 */
int fg_nft_chain_make(struct nl_sock *sk, const struct fg_nft_hook *hook, const char *table,
		      const char *chain);

/* Puts keys into the sets; what is there already stays. forget: takes out all others. At most 1024 at a time. */
int fg_nft_keys_put(struct nl_sock *sk, uint8_t family, const char *table,
		    const struct fg_nft_key *keys, size_t count, bool forget);

/* One message of a trace. Texts and bytes are borrowed from the message. */
struct fg_nft_trace {
	uint32_t id;	/* of the packet, in its namespace */
	uint8_t family; /* of the table */
	const char *table, *chain;
	uint32_t type;	 /* NFT_TRACETYPE_* */
	uint64_t handle; /* RULE: the rule that gave the verdict */
	uint32_t
		verdict; /* RULE: NF_*, or a negative number for jumps; POLICY: the policy; else no meaning */
	/* Only in the first message of each base chain; else NULL. From the IP header on, and from the transport header on. */
	const uint8_t *network, *transport;
	size_t network_len, transport_len;
};

/* Reads one; what it came in is from outside and not trusted. Returns 0, or -1 where it is none, or lacks a part. */
int fg_nft_trace_read(const struct nlmsghdr *nlh, struct fg_nft_trace *out);

/* Asks for the rule that `by` names, and fills in its comment and whether it rejects. -ENOENT: it is gone. */
int fg_nft_rule_ask(struct nl_sock *sk, struct fg_netfilter *by);

/* Reads these two from a message that describes a rule. As fg_nft_trace_read(). */
int fg_nft_rule_read(const struct nlmsghdr *nlh, struct fg_netfilter *by);

#endif
