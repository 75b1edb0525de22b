// SPDX-License-Identifier: GPL-2.0-only
#include "probe/netfilter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "probe/probe.h"

bool fg_netfilter_dropped(const struct fg_context *context, const struct fg_result *result)
{
	const char *name = result->dropped && context->reason
				   ? context->reason(context->names, result->drop_code)
				   : NULL;

	return name && !strcmp(name, "NETFILTER_DROP");
}

const char *fg_netfilter_family(uint8_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_ARP:
		return "arp";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_NETDEV:
		return "netdev";
	default:
		return "unknown";
	}
}

const char *fg_netfilter_verdict(const struct fg_netfilter *by)
{
	return by->reject ? "reject" : "drop";
}

const char *fg_netfilter_rule(const struct fg_netfilter *by, char *buf, size_t size)
{
	char rule[NFT_USERDATA_MAXLEN + 60] = "its policy";

	if (!by->policy)
		snprintf(rule, sizeof(rule), "rule handle %" PRIu64 "%s%s%s", by->handle,
			 by->comment[0] ? " (" : "", by->comment, by->comment[0] ? ")" : "");
	snprintf(buf, size, "table %s %s, chain %s, %s", fg_netfilter_family(by->family), by->table,
		 by->chain, rule);
	return buf;
}

const char *fg_netfilter_text(const struct fg_netfilter *by, char *buf, size_t size)
{
	char rule[FG_NETFILTER_TEXT_LEN];

	snprintf(buf, size, "%s: %s", fg_netfilter_rule(by, rule, sizeof(rule)),
		 fg_netfilter_verdict(by));
	return buf;
}
