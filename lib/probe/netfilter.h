/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe/netfilter.h - which rule of nf_tables, or which chain's policy, ended a packet. Only the
 * value; pure.
 */
#ifndef FG_NETFILTER_H
#define FG_NETFILTER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The kernel's headers also define types of the C library, and leave them out if they are already
 * defined.
 */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

struct fg_netfilter {
	uint32_t netns; /* inode number of the namespace that the ruleset belongs to */
	uint8_t family; /* NFPROTO_* of the table */
	char table[NFT_NAME_MAXLEN];
	char chain[NFT_NAME_MAXLEN];
	bool policy;			   /* the chain's policy, not a rule */
	uint64_t handle;		   /* of the rule, as `nft -a` shows it */
	bool reject;			   /* the rule sends a reply, too */
	char comment[NFT_USERDATA_MAXLEN]; /* of the rule; empty: none */
};

struct fg_context;
struct fg_result;

/* Whether the kernel's own reason for a drop is netfilter. */
bool fg_netfilter_dropped(const struct fg_context *context, const struct fg_result *result);

/* "drop" or "reject". */
const char *fg_netfilter_verdict(const struct fg_netfilter *by);

/* "ip", "inet", ...: as nft(8) calls the family. */
const char *fg_netfilter_family(uint8_t family);

/*
 * "table inet filter, chain forward, rule handle 7 (no telnet): reject". Returns buf. Names are as
 * the ruleset has them, control characters included.
 */
const char *fg_netfilter_text(const struct fg_netfilter *by, char *buf, size_t size);
#define FG_NETFILTER_TEXT_LEN 900

/* The same without the verdict. */
const char *fg_netfilter_rule(const struct fg_netfilter *by, char *buf, size_t size);

#endif
