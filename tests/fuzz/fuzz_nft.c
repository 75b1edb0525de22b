// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as a message of netlink: of nf_tables a trace with the packet's headers, and a rule; an
 * entry of a hook, a chain; a tc filter.
 */
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "net/nft.h"
#include "node/hooks.h"
#include "node/tc.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_hook.h>
#include <linux/rtnetlink.h>

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

static void read_hook(const struct nlmsghdr *nlh)
{
	char text[FG_HOOKS_TEXT_LEN];
	struct fg_hooks hooks = {};

	if (fg_hooks_read(nlh, NFPROTO_IPV4, &hooks))
		abort();
	for (size_t i = 0; i < hooks.count; i++)
		fg_hooks_text(&hooks.list[i], text, sizeof(text));
	fg_hooks_free(&hooks);
}

static void read_filter(const struct nlmsghdr *nlh)
{
	char text[FG_LADDER_FILTER_LEN];
	struct fg_tc_filters filters = {};

	fg_tc_filter_read(nlh, &filters);
	for (size_t i = 0; i < filters.count; i++)
		fg_ladder_filter_text(&filters.list[i], text, sizeof(text));
	fg_tc_filters_free(&filters);
}

static uint16_t type_of(uint8_t byte)
{
	static const uint16_t types[] = {
		NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE,
		NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE,
		NFNL_SUBSYS_HOOK << 8 | NFNL_MSG_HOOK_GET,
		NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN,
		RTM_NEWTFILTER,
	};

	return types[byte % (sizeof(types) / sizeof(types[0]))];
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
	*nlh = (struct nlmsghdr){ .nlmsg_len = (uint32_t)len, .nlmsg_type = type_of(data[0]) };
	memcpy((uint8_t *)nlh + NLMSG_HDRLEN, data + 1, size - 1);
	read_trace(nlh);
	read_rule(nlh);
	read_hook(nlh);
	read_filter(nlh);
	free(nlh);
	return 0;
}
