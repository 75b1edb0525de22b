// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a message of nf_tables: a trace with the packet's headers, and a rule. */
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "nft.h"

#include <linux/netfilter/nfnetlink.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_trace(const struct nlmsghdr *nlh)
{
	struct fg_nft_mark mark;
	struct fg_nft_trace t;

	if (fg_nft_trace_read(nlh, &t))
		return;
	if (strlen(t.table) >= NFT_NAME_MAXLEN || strlen(t.chain) >= NFT_NAME_MAXLEN)
		abort();
	if (fg_nft_mark_headers(t.network, t.network_len, t.transport, t.transport_len, &mark) &&
	    fg_nft_mark_score(&mark, &mark) < 4)
		abort();
}

static void read_rule(const struct nlmsghdr *nlh)
{
	char text[FG_NETFILTER_TEXT_LEN];
	struct fg_netfilter by = {};

	if (fg_nft_rule_read(nlh, &by))
		return;
	if (strnlen(by.comment, sizeof(by.comment)) == sizeof(by.comment))
		abort();
	fg_netfilter_text(&by, text, sizeof(text));
}

/* The first byte says which kind of message it is; the rest begins with its nfgenmsg. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *nlh;
	size_t len;

	if (!size)
		return 0;
	len = NLMSG_HDRLEN + size - 1;
	/* In memory of its own size, so that a step too far is seen. */
	nlh = malloc(len);
	if (!nlh)
		abort();
	*nlh = (struct nlmsghdr){ .nlmsg_len = (uint32_t)len,
				  .nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 |
							   (data[0] & 1 ? NFT_MSG_TRACE
									: NFT_MSG_NEWRULE)) };
	memcpy((uint8_t *)nlh + NLMSG_HDRLEN, data + 1, size - 1);
	read_trace(nlh);
	read_rule(nlh);
	free(nlh);
	return 0;
}
