// SPDX-License-Identifier: GPL-2.0-only
#include "facts/hooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"

static const char *const kinds[FG_HOOKS_KINDS] = {
	[FG_HOOKS_NFT] = "nft",
	[FG_HOOKS_LEGACY] = "legacy",
	[FG_HOOKS_BPF] = "bpf",
	[FG_HOOKS_NAT] = "nat",
	[FG_HOOKS_CONNTRACK] = "conntrack",
	[FG_HOOKS_IPVS] = "ipvs",
	[FG_HOOKS_BRIDGE] = "bridge",
	[FG_HOOKS_FLOWTABLE] = "flowtable",
	[FG_HOOKS_OTHER] = "other",
};

void fg_hooks_free(struct fg_hooks *hooks)
{
	free(hooks->list);
	*hooks = (struct fg_hooks){};
}

bool fg_hooks_is_policy(const struct fg_hooks_entry *entry)
{
	switch (entry->kind) {
	case FG_HOOKS_NFT:
		return entry->drops || (entry->rules && strcmp(entry->type, "nat") != 0);
	case FG_HOOKS_LEGACY:
		return entry->drops || (entry->rules && strcmp(entry->table, "nat") != 0);
	case FG_HOOKS_BPF:
		return true;
	default:
		return false;
	}
}

bool fg_hooks_translates(const struct fg_hooks_entry *entry)
{
	switch (entry->kind) {
	case FG_HOOKS_NFT:
		return !strcmp(entry->type, "nat") && entry->rules;
	case FG_HOOKS_LEGACY:
		return !strcmp(entry->table, "nat") && entry->rules;
	default:
		return entry->kind == FG_HOOKS_IPVS;
	}
}

/* A chain may hook in at all devices whose names begin alike: "eth*". */
static bool fits(const char *pattern, const char *device)
{
	size_t len = strlen(pattern);

	return !strcmp(pattern, device) ||
	       (len && pattern[len - 1] == '*' && !strncmp(pattern, device, len - 1));
}

const struct fg_hooks_entry *fg_hooks_policy_next(const struct fg_hooks *hooks, uint8_t family,
						  uint32_t hook, const char *device,
						  const struct fg_hooks_entry *after)
{
	size_t i = after ? (size_t)(after - hooks->list) + 1 : 0;

	for (; i < hooks->count; i++)
		if (hooks->list[i].family == family && hooks->list[i].hook == hook &&
		    (!device || fits(hooks->list[i].device, device)) &&
		    fg_hooks_is_policy(&hooks->list[i]))
			return &hooks->list[i];
	return NULL;
}

bool fg_hooks_policy_at(const struct fg_hooks *hooks, uint8_t family, uint32_t hook)
{
	return fg_hooks_policy_next(hooks, family, hook, NULL, NULL) != NULL;
}

static bool is_untraced(const struct fg_hooks_entry *entry, uint8_t family)
{
	return entry->family == family && entry->kind != FG_HOOKS_NFT && fg_hooks_is_policy(entry);
}

size_t fg_hooks_untraced(const struct fg_hooks *hooks, uint8_t family,
			 const struct fg_hooks_entry **out, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < hooks->count; i++) {
		if (!is_untraced(&hooks->list[i], family))
			continue;
		if (count < max)
			out[count] = &hooks->list[i];
		count++;
	}
	return count;
}

/* Whether a packet on that way meets that hook. */
static bool meets(const struct fg_hooks_entry *entry, const struct fg_hooks_way *way)
{
	switch (entry->hook) {
	case NF_INET_PRE_ROUTING:
		return true;
	case NF_INET_LOCAL_IN:
		return way->local;
	case NF_INET_FORWARD:
		return !way->local;
	case NF_INET_POST_ROUTING:
		return !way->local || way->by_ipvs;
	default:
		return way->by_ipvs;
	}
}

size_t fg_hooks_untraced_on(const struct fg_hooks *hooks, const struct fg_hooks_way *way,
			    const struct fg_hooks_entry **out, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < hooks->count && count < max; i++)
		if (is_untraced(&hooks->list[i], way->family) && meets(&hooks->list[i], way))
			out[count++] = &hooks->list[i];
	return count;
}

void fg_hooks_put_untraced(const struct fg_hooks_entry *const *list, size_t count,
			   struct fg_cause *cause)
{
	char text[FG_HOOKS_TEXT_LEN];
	size_t bpf = 0;

	fg_cause_set(cause, FG_CAUSE_NETFILTER, NULL, "%s", "");
	for (size_t i = 0; i < count; i++) {
		fg_cause_add(cause, "%s%s", i ? ", or " : "",
			     fg_hooks_text(list[i], text, sizeof(text)));
		/* The chain of a table of iptables says where it is. */
		if (list[i]->kind != FG_HOOKS_BPF)
			continue;
		bpf++;
		fg_cause_add(cause, " at %s%s", fg_hooks_hook_name(list[i]->family, list[i]->hook),
			     list[i]->elsewhere ? ", if it is in this namespace" : "");
	}
	cause->how = count > 1 ? NULL : bpf ? "bpf" : "legacy";
}

const char *fg_hooks_hook_name(uint8_t family, uint32_t hook)
{
	static const char *const inet[] = { "prerouting", "input",	 "forward",
					    "output",	  "postrouting", "ingress" };
	static const char *const arp[] = { "input", "output", "forward" };
	static const char *const netdev[] = { "ingress", "egress" };

	if (family == NFPROTO_NETDEV)
		return hook < COUNT(netdev) ? netdev[hook] : "unknown hook";
	if (family == NFPROTO_ARP)
		return hook < COUNT(arp) ? arp[hook] : "unknown hook";
	/* A bridge has the same five, and brouting (NF_BR_BROUTING) where IP has ingress. */
	if (family == NFPROTO_BRIDGE && hook == 5)
		return "brouting";
	return hook < COUNT(inet) ? inet[hook] : "unknown hook";
}

const char *fg_hooks_kind_name(enum fg_hooks_kind kind)
{
	return kinds[kind];
}

/* The tool that writes such tables. */
static const char *legacy_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV6:
		return "ip6tables-legacy";
	case NFPROTO_ARP:
		return "arptables-legacy";
	case NFPROTO_BRIDGE:
		return "ebtables-legacy";
	default:
		return "iptables-legacy";
	}
}

const char *fg_hooks_text(const struct fg_hooks_entry *e, char *buf, size_t size)
{
	switch (e->kind) {
	case FG_HOOKS_NFT:
		snprintf(buf, size, "nft %s %s %s", fg_netfilter_family(e->table_family), e->table,
			 e->chain);
		break;
	case FG_HOOKS_LEGACY:
		snprintf(buf, size, "%s %s %s", legacy_name(e->family), e->table, e->chain);
		break;
	case FG_HOOKS_BPF:
		snprintf(buf, size, "BPF program %u%s%s%s", e->program, e->name[0] ? " (" : "",
			 e->name, e->name[0] ? ")" : "");
		break;
	case FG_HOOKS_IPVS:
		snprintf(buf, size, "IPVS");
		break;
	case FG_HOOKS_CONNTRACK:
		snprintf(buf, size, "connection tracking");
		break;
	default:
		snprintf(buf, size, "%s", e->function[0] ? e->function : kinds[e->kind]);
	}
	return buf;
}
