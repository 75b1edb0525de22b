// SPDX-License-Identifier: GPL-2.0-only
/* cause/qdisc.c - the queueing discipline of a device that drops, with its numbers. */
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "cause/internal.h"

struct qdisc {
	char kind[32];
	uint32_t handle, parent;
	struct gnet_stats_queue queue;
};

#define QDISCS_MAX 64

struct search {
	int ifindex;
	size_t count;
	struct qdisc list[QDISCS_MAX];
};

static void read_stats(struct nlattr *stats, struct qdisc *q)
{
	struct nlattr *tb[TCA_STATS_MAX + 1];

	if (nla_parse_nested(tb, TCA_STATS_MAX, stats, NULL) < 0 || !tb[TCA_STATS_QUEUE])
		return;
	memcpy(&q->queue, nla_data(tb[TCA_STATS_QUEUE]),
	       (size_t)nla_len(tb[TCA_STATS_QUEUE]) < sizeof(q->queue)
		       ? (size_t)nla_len(tb[TCA_STATS_QUEUE])
		       : sizeof(q->queue));
}

static int on_qdisc(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tcm = nlmsg_data(nlh);
	struct nlattr *tb[TCA_MAX + 1];
	struct search *s = arg;
	struct qdisc q = {};

	if (nlh->nlmsg_type != RTM_NEWQDISC || tcm->tcm_ifindex != s->ifindex ||
	    nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*tcm), tb, TCA_MAX, NULL) < 0 ||
	    !tb[TCA_KIND] || s->count == QDISCS_MAX)
		return 0;
	nla_strlcpy(q.kind, tb[TCA_KIND], sizeof(q.kind));
	if (!strcmp(q.kind, "clsact") || !strcmp(q.kind, "ingress") || !strcmp(q.kind, "noqueue"))
		return 0;
	q.handle = tcm->tcm_handle;
	q.parent = tcm->tcm_parent;
	if (tb[TCA_STATS2])
		read_stats(tb[TCA_STATS2], &q);
	s->list[s->count++] = q;
	return 0;
}

static bool is_leaf(const struct search *s, const struct qdisc *q)
{
	for (size_t i = 0; i < s->count; i++)
		if (q->handle && s->list[i].parent >> 16 == q->handle >> 16 &&
		    s->list[i].parent != TC_H_ROOT)
			return false;
	return true;
}

/*
 * A drop is counted by all up to the root. The only leaf that has dropped is the one that did it;
 * if there are several, the root is named for all of them.
 */
static const struct qdisc *choose(const struct search *s, size_t *leaves)
{
	const struct qdisc *found = &s->list[0];

	*leaves = 0;
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].queue.drops && is_leaf(s, &s->list[i]) && !(*leaves)++)
			found = &s->list[i];
	return *leaves > 1 ? &s->list[0] : found;
}

bool fg_cause_find_qdisc(const struct fg_cause_place *place, struct fg_cause *out)
{
	const struct tcmsg tcm = { .tcm_ifindex = place->ifindex };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETQDISC, NLM_F_DUMP);
	struct search s = { .ifindex = place->ifindex };
	char device[IFNAMSIZ + 16];
	const struct qdisc *q;
	size_t leaves;

	/* A device without a carrier has a queueing discipline that drops all. */
	if (fg_cause_find_device(place, out))
		return true;
	if (!msg || nlmsg_append(msg, (void *)&tcm, sizeof(tcm), NLMSG_ALIGNTO) ||
	    fg_rtnl_query(place->rtnl, msg, on_qdisc, &s) || !s.count)
		return false;
	q = choose(&s, &leaves);
	fg_cause_set(out, FG_CAUSE_QDISC, NULL, "qdisc %s", q->kind);
	if (q->handle)
		fg_cause_add(out, " %x:", q->handle >> 16);
	if (q->parent != TC_H_ROOT)
		fg_cause_add(out, " (parent %x:%x)", q->parent >> 16, q->parent & 0xffff);
	if (leaves > 1)
		fg_cause_add(out, " or one of the %zu below it", leaves);
	fg_cause_add(out, " on %s: %u dropped so far, %u waiting (%u bytes)",
		     fg_cause_device(place->rtnl, place->ifindex, device), q->queue.drops,
		     q->queue.qlen, q->queue.backlog);
	return true;
}
