/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net/nft.h - talking to nf_tables: a table that marks packets for tracing, the trace's messages,
 * and what a rule says. Sockets are of NETLINK_NETFILTER (fg_rtnl_open_protocol()). Functions
 * return 0, or a negative errno value.
 *
 * The messages are put together attribute by attribute, with libnl's plain nla_* calls. libnftnl
 * would be the usual library. But it needs libmnl, of which Debian 12 has no static version
 * (libmnl-dev 1.0.4-3 is headers and a link), and flowgen is also one static file for any node.
 * libnl-nf-3 knows connection tracking, logs and queues, and no nf_tables. What is needed is six
 * messages to write and four to read, some 700 lines with what they are for: a second netlink
 * library that is built along would be more.
 */
#ifndef FG_NFT_H
#define FG_NFT_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/netfilter.h"
#include "net/nft_match.h"
#include "net/rtnl.h"

/* How the names of these tables begin; they are skipped when rules of others are looked for. */
#define FG_NFT_TABLE_PREFIX "flowgen-trace-"

/*
 * Whether nf_tables can be asked without loading it: a kernel that has not loaded it has no rules
 * of it. (False, too, on one that has it built in and could load others.)
 */
bool fg_nft_is_loaded(void);

/*
 * Whether a chain of others hooks in at the egress of the device (family netdev). If that is
 * not known, one is assumed.
 */
bool fg_nft_has_egress(struct nl_sock *sk, const char *device);

/*
 * Whether the socket's namespace has any table. If that is not known it is assumed to have one.
 */
bool fg_nft_has_tables(struct nl_sock *sk);

/*
 * Makes a table that belongs to the socket (NFT_TABLE_F_OWNER, Linux 5.12): the kernel removes it
 * when the socket is closed, however that comes. It holds two empty sets of packets to be traced,
 * one for each version of IP; answers: and two of replies to them. A caller that sets
 * `answers` here sets it for the functions below too.
 */
int fg_nft_table_make(struct nl_sock *sk, uint8_t family, const char *table, bool answers);

/*
 * Deletes it with all that is in it. Unlike the end of the socket this waits for nothing: the
 * kernel frees it later.
 */
int fg_nft_table_delete(struct nl_sock *sk, uint8_t family, const char *table);

/* Where a base chain hooks in. */
struct fg_nft_hook {
	uint8_t family;	    /* NFPROTO_* of its table */
	uint32_t number;    /* NF_INET_PRE_ROUTING, ... */
	const char *device; /* where the hook is a device's (family netdev); else NULL */
};

/*
 * Puts a base chain into that table, before all others of the hook, whose rules switch tracing on
 * for the packets in the sets and do nothing else.
 */
int fg_nft_chain_make(struct nl_sock *sk, const struct fg_nft_hook *hook, const char *table,
		      const char *chain, bool answers);

/*
 * Puts keys into the sets; what is there already stays. forget: removes all others. At most 1024
 * at a time.
 */
int fg_nft_keys_put(struct nl_sock *sk, uint8_t family, const char *table,
		    const struct fg_nft_key *keys, size_t count, bool forget, bool answers);

/* One message of a trace. Texts and bytes are borrowed from the message. */
struct fg_nft_trace {
	uint32_t id;	/* of the packet, in its namespace */
	uint8_t family; /* of the table */
	const char *table, *chain;
	uint32_t type;	 /* NFT_TRACETYPE_* */
	uint64_t handle; /* RULE: the rule that gave the verdict */
	/* RULE: NF_*, or a negative number for jumps; POLICY: the policy; else no meaning */
	uint32_t verdict;
	/*
	 * Only in the first message of each base chain; else NULL. From the IP header on, and from
	 * the transport header on.
	 */
	const uint8_t *network, *transport;
	size_t network_len, transport_len;
};

/*
 * Reads one from a message, which is not trusted. Returns 0, or -1 if it is not one, or lacks a
 * part.
 */
int fg_nft_trace_read(const struct nlmsghdr *nlh, struct fg_nft_trace *out);

/*
 * Asks for the rule that `by` names, and fills in its comment and whether it rejects. -ENOENT: it
 * is gone.
 */
int fg_nft_rule_ask(struct nl_sock *sk, struct fg_netfilter *by);

/* Reads these two from a message that describes a rule. As fg_nft_trace_read(). */
int fg_nft_rule_read(const struct nlmsghdr *nlh, struct fg_netfilter *by);

#endif
