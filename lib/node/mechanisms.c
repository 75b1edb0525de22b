// SPDX-License-Identifier: GPL-2.0-only
#include "node/mechanisms.h"

#include <string.h>

#include "base/grow.h"
#include "net/rtnl.h"
#include "node/hooks.h"
#include "node/ipvs.h"
#include "node/tc.h"

static const struct fg_link *find(const struct fg_links *links, int ifindex)
{
	for (size_t i = 0; i < links->count; i++)
		if (links->links[i].ifindex == ifindex)
			return &links->links[i];
	return NULL;
}

static bool is_switch(const struct fg_link *link)
{
	return !strcmp(link->kind, "openvswitch");
}

static uint32_t count_ports(const struct fg_links *links, int ifindex)
{
	uint32_t count = 0;

	for (size_t i = 0; i < links->count; i++)
		count += links->links[i].master == ifindex;
	return count;
}

/* Of the same kind are a switch's own ports, which have no ports themselves. */
static int list_switches(const struct fg_links *links, struct fg_mechanisms *out,
			 struct fg_error *err)
{
	for (size_t i = 0; i < links->count; i++) {
		const struct fg_link *link = &links->links[i];
		uint32_t ports = is_switch(link) ? count_ports(links, link->ifindex) : 0;
		struct fg_mechanisms_switch *s;

		if (!ports)
			continue;
		s = FG_APPEND(out->switches, out->switch_count, "datapaths of Open vSwitch", err);
		if (!s)
			return -1;
		memcpy(s->device, link->name, sizeof(s->device));
		s->ifindex = link->ifindex;
		s->ports = ports;
	}
	return 0;
}

/* The root of a device that has no queue at all says nothing. */
static bool is_plain(const struct fg_tc_qdisc *q)
{
	return q->parent != TC_H_ROOT || !strcmp(q->kind, "noqueue") || !strcmp(q->kind, "noop");
}

static int list_qdiscs(struct nl_sock *sk, const struct fg_links *links, struct fg_mechanisms *out,
		       struct fg_error *err)
{
	struct fg_tc_qdiscs all = {};
	int ret = fg_tc_qdiscs_list(sk, 0, &all), failed = 0;

	if (ret)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "queueing disciplines");
	for (size_t i = 0; i < all.count; i++) {
		const struct fg_tc_qdisc *q = &all.list[i];
		const struct fg_link *link = find(links, q->ifindex);
		struct fg_mechanisms_qdisc *added;

		if (!link || is_plain(q))
			continue;
		added = FG_APPEND(out->qdiscs, out->qdisc_count, "queueing disciplines", err);
		if (!added) {
			failed = -1;
			break;
		}
		memcpy(added->device, link->name, sizeof(added->device));
		memcpy(added->kind, q->kind, sizeof(added->kind));
		added->drops = q->drops;
		added->queued = q->queued;
	}
	free(all.list);
	return failed;
}

int fg_mechanisms_read(int netns, struct fg_mechanisms *out, struct fg_error *err)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(netns, err);
	struct fg_mechanisms found = {};
	struct fg_links links = {};
	int failed = !sk || fg_link_list(sk, &links, err) || list_switches(&links, &found, err) ||
		     list_qdiscs(sk, &links, &found, err) ||
		     fg_ipvs_count(netns, &found.services, &found.backends, err) ||
		     fg_hooks_list(netns, &found.hooks, err);

	fg_links_free(&links);
	if (failed) {
		fg_mechanisms_free(&found);
		return -1;
	}
	*out = found;
	return 0;
}
