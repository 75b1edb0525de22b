// SPDX-License-Identifier: GPL-2.0-only
/*
 * way/hooked.c - the devices at whose own hooks (family netdev) netfilter can deny. Chains name
 * devices, or the beginnings of their names; packets are seen at their numbers.
 */
#include <stdlib.h>

#include "base/grow.h"
#include "net/link.h"
#include "way/hooked.h"

void fg_hooked_free(struct fg_hooked *hooked)
{
	free(hooked->list);
	*hooked = (struct fg_hooked){};
}

static void forget(struct fg_hooked *hooked, uint32_t netns)
{
	size_t kept = 0;

	for (size_t i = 0; i < hooked->count; i++)
		if (hooked->list[i].netns != netns)
			hooked->list[kept++] = hooked->list[i];
	hooked->count = kept;
}

static bool has_any(const struct fg_hooks *hooks)
{
	return fg_hooks_policy_at(hooks, NFPROTO_NETDEV, NF_NETDEV_INGRESS) ||
	       fg_hooks_policy_at(hooks, NFPROTO_NETDEV, NF_NETDEV_EGRESS);
}

static int note(struct fg_hooked *hooked, const struct fg_link *link, uint32_t netns,
		const struct fg_hooks *hooks)
{
	for (int egress = 0; egress < 2; egress++) {
		uint32_t hook = egress ? NF_NETDEV_EGRESS : NF_NETDEV_INGRESS;
		struct fg_hooked_device *d;

		if (!fg_hooks_policy_next(hooks, NFPROTO_NETDEV, hook, link->name, NULL))
			continue;
		d = FG_APPEND(hooked->list, hooked->count, "hooks of devices", NULL);
		if (!d)
			return -1;
		*d = (struct fg_hooked_device){ netns, link->ifindex, egress };
	}
	return 0;
}

enum fg_presence fg_hooked_note(struct fg_hooked *hooked, struct nl_sock *rtnl, uint32_t netns,
				const struct fg_hooks *hooks)
{
	struct fg_links links = {};
	int failed = 0;

	forget(hooked, netns);
	if (!has_any(hooks))
		return FG_PRESENCE_NO;
	if (!rtnl || fg_link_list(rtnl, &links, NULL))
		return FG_PRESENCE_UNKNOWN;
	for (size_t i = 0; !failed && i < links.count; i++)
		failed = note(hooked, &links.links[i], netns, hooks);
	fg_links_free(&links);
	if (!failed)
		return FG_PRESENCE_YES;
	forget(hooked, netns);
	return FG_PRESENCE_UNKNOWN;
}
