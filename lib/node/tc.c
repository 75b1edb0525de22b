// SPDX-License-Identifier: GPL-2.0-only
#include "node/tc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_bpf.h>
#include <linux/tc_act/tc_gact.h>
#include <linux/tc_act/tc_mirred.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/grow.h"

/* A part is added to the list of kinds: "ct, mirred". */
static void add_text(struct fg_program *f, const char *kind)
{
	size_t len = strlen(f->action_text);

	snprintf(f->action_text + len, sizeof(f->action_text) - len, "%s%s", len ? ", " : "", kind);
}

/* The bytes of a struct that is at least this long, or NULL. */
static const void *get_struct(const struct nlattr *a, size_t size)
{
	return a && (size_t)nla_len(a) >= size ? nla_data(a) : NULL;
}

/* --- actions --- */

#define ACTION_ATTRS 16

/* Most actions begin their parameters with tc_gen, which holds what comes after them. */
struct generic {
	tc_gen;
};

/* What comes after an action; NULL if it does not say. */
static const struct generic *get_generic(const char *kind, struct nlattr *const o[])
{
	/* Where their parameters stand, unlike most (include/uapi/linux/tc_act). */
	static const struct {
		const char *kind;
		int attr;
	} odd[] = { { "connmark", 1 }, { "csum", 1 }, { "ct", 1 },
		    { "ctinfo", 3 },   { "ife", 1 },  { "nat", 1 } };
	int attr = 2;

	for (size_t i = 0; i < COUNT(odd); i++)
		if (!strcmp(odd[i].kind, kind))
			attr = odd[i].attr;
	return get_struct(o[attr], sizeof(struct generic));
}

/* What the kernel makes of a control value (tcf_action_exec(), tcf_classify()). */
static enum fg_tc_action read_control(struct fg_program *f, int control)
{
	if (TC_ACT_EXT_CMP(control, TC_ACT_GOTO_CHAIN)) {
		f->goto_chain = (uint32_t)control & TC_ACT_EXT_VAL_MASK;
		return FG_TC_GOTO;
	}
	switch (control) {
	case TC_ACT_OK:
		return FG_TC_PASS;
	case TC_ACT_SHOT:
		f->may_drop = true;
		return FG_TC_DROP;
	case TC_ACT_UNSPEC:
		return FG_TC_NEXT;
	default:
		return FG_TC_OTHER;
	}
}

/* An action that has decided about the packet; what follows it is not reached. */
static bool decide(struct fg_program *f, int control)
{
	if (control == TC_ACT_PIPE)
		return false;
	f->action = read_control(f, control);
	return true;
}

static bool read_mirred(struct fg_program *f, struct nlattr *const o[])
{
	const struct tc_mirred *m = get_struct(o[TCA_MIRRED_PARMS], sizeof(*m));

	/* Without room, or if the device is down, it drops (tcf_mirred_to_dev()). */
	f->may_drop = true;
	if (!m) {
		f->action = FG_TC_OTHER;
		return true;
	}
	f->target_ifindex = (int)m->ifindex;
	f->target_ingress = m->eaction == TCA_INGRESS_REDIR || m->eaction == TCA_INGRESS_MIRROR;
	if (m->eaction == TCA_EGRESS_REDIR || m->eaction == TCA_INGRESS_REDIR) {
		f->action = FG_TC_REDIRECT;
		return true;
	}
	f->action = FG_TC_MIRROR;
	/* "mirred mirror ... pass" is what mirroring is anyway; anything else is said. */
	return m->action != TC_ACT_OK && decide(f, m->action);
}

static bool read_police(struct fg_program *f, struct nlattr *const o[])
{
	const struct tc_police *p = get_struct(o[TCA_POLICE_TBF], sizeof(*p));
	uint32_t conform = fg_rtnl_u32(o[TCA_POLICE_RESULT]);

	f->may_drop |= !p || p->action == TC_ACT_SHOT;
	f->action = FG_TC_POLICE;
	return conform != TC_ACT_PIPE;
}

static bool read_gact(struct fg_program *f, struct nlattr *const o[])
{
	const struct generic *g = get_struct(o[TCA_GACT_PARMS], sizeof(*g));
	const struct tc_gact_p *random = get_struct(o[TCA_GACT_PROB], sizeof(*random));

	if (!g)
		return false;
	/* Now this, now that. */
	if (random && random->ptype != PGACT_NONE) {
		f->may_drop |= random->paction == TC_ACT_SHOT || g->action == TC_ACT_SHOT;
		f->action = FG_TC_OTHER;
		return true;
	}
	return decide(f, g->action);
}

static bool read_any(struct fg_program *f, const char *kind, struct nlattr *const o[])
{
	const struct generic *g = get_generic(kind, o);

	if (!strcmp(kind, "bpf"))
		f->action_id = fg_rtnl_u32(o[TCA_ACT_BPF_ID]);
	/* A program returns what it likes; connection tracking drops what it cannot track. */
	f->may_drop |= !strcmp(kind, "bpf") || !strcmp(kind, "ct");
	f->action = FG_TC_OTHER;
	return g && decide(f, g->action);
}

/* Returns whether the packet's fate is decided by it. */
static bool read_action(struct fg_program *f, struct nlattr *action)
{
	struct nlattr *a[TCA_ACT_MAX + 1], *o[ACTION_ATTRS + 1] = {};
	const char *kind;

	if (nla_parse_nested(a, TCA_ACT_MAX, action, NULL) < 0)
		return false;
	kind = fg_rtnl_text(a[TCA_ACT_KIND]);
	if (!kind)
		return false;
	add_text(f, kind);
	if (a[TCA_ACT_OPTIONS] && nla_parse_nested(o, ACTION_ATTRS, a[TCA_ACT_OPTIONS], NULL) < 0)
		return false;
	if (!strcmp(kind, "mirred"))
		return read_mirred(f, o);
	if (!strcmp(kind, "police"))
		return read_police(f, o);
	if (!strcmp(kind, "gact"))
		return read_gact(f, o);
	return read_any(f, kind, o);
}

static void read_actions(struct fg_program *f, struct nlattr *list)
{
	struct nlattr *each;
	bool decided = false;
	int left;

	if (!list)
		return;
	nla_for_each_nested (each, list, left) {
		if (decided) {
			/* Listed as if it were met: it may be, where the one before it fails. */
			struct fg_program behind = *f;

			read_action(&behind, each);
			memcpy(f->action_text, behind.action_text, sizeof(f->action_text));
			continue;
		}
		decided = read_action(f, each);
	}
}

/* --- filters --- */

/* Where each kind of filter keeps its actions, and the policer of old that some have. */
static const struct kind {
	const char *name;
	int actions, police;
} kinds[] = {
	{ "u32", TCA_U32_ACT, TCA_U32_POLICE },	   { "flower", TCA_FLOWER_ACT, 0 },
	{ "matchall", TCA_MATCHALL_ACT, 0 },	   { "basic", TCA_BASIC_ACT, TCA_BASIC_POLICE },
	{ "fw", TCA_FW_ACT, TCA_FW_POLICE },	   { "route", TCA_ROUTE4_ACT, TCA_ROUTE4_POLICE },
	{ "flow", TCA_FLOW_ACT, TCA_FLOW_POLICE }, { "cgroup", TCA_CGROUP_ACT, TCA_CGROUP_POLICE },
	{ "bpf", TCA_BPF_ACT, TCA_BPF_POLICE },
};
#define FILTER_ATTRS 128
#define FILTERS_MAX 1024

static void read_bpf(struct fg_program *f, struct nlattr *const o[])
{
	const uint32_t flags = fg_rtnl_u32(o[TCA_BPF_FLAGS]);

	f->id = fg_rtnl_u32(o[TCA_BPF_ID]);
	f->classifier = !(flags & TCA_BPF_FLAG_ACT_DIRECT);
	f->kind = f->id ? FG_RUNG_BPF : FG_RUNG_CBPF;
	snprintf(f->what, sizeof(f->what), f->id ? "bpf" : "bpf (classic)");
}

static void read_options(struct fg_program *f, const char *name, struct nlattr *options)
{
	struct nlattr *o[FILTER_ATTRS + 1] = {};

	/* A match without an action is accepted. */
	f->action = FG_TC_PASS;
	if (!options || nla_parse_nested(o, FILTER_ATTRS, options, NULL) < 0)
		return;
	if (!strcmp(name, "bpf"))
		read_bpf(f, o);
	if (f->kind == FG_RUNG_BPF && !f->classifier) {
		f->action = FG_TC_NONE;
		return;
	}
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		read_actions(f, o[kinds[i].actions]);
		if (kinds[i].police && o[kinds[i].police]) {
			add_text(f, "police");
			f->action = FG_TC_POLICE;
			f->may_drop = true;
		}
		return;
	}
	/* A kind that is not known here: what it does is not known either. */
	f->action = FG_TC_OTHER;
	f->may_drop = true;
}

/* Hash tables of u32 are listed like filters, and match nothing. */
static bool is_table(const char *kind, struct nlattr *options)
{
	struct nlattr *o[TCA_U32_MAX + 1];

	return !strcmp(kind, "u32") && options &&
	       !nla_parse_nested(o, TCA_U32_MAX, options, NULL) && o[TCA_U32_DIVISOR] &&
	       !o[TCA_U32_SEL];
}

static int add_filter(struct fg_tc_filters *out, const struct fg_program *f)
{
	struct fg_program *added;

	if (out->count == FILTERS_MAX) {
		out->cut = true;
		return 0;
	}
	added = FG_APPEND(out->list, out->count, "tc filters", NULL);
	if (!added)
		return -1;
	*added = *f;
	return 0;
}

/* A block that several devices share is named instead of the device. */
static void read_place(struct fg_program *f, const struct tcmsg *tc)
{
	const uint16_t protocol = ntohs((uint16_t)TC_H_MIN(tc->tcm_info));

	f->pref = TC_H_MAJ(tc->tcm_info) >> 16;
	f->handle = tc->tcm_handle;
	f->protocol = protocol == ETH_P_ALL ? 0 : protocol;
	if ((uint32_t)tc->tcm_ifindex == TCM_IFINDEX_MAGIC_BLOCK)
		f->block = tc->tcm_block_index;
	else if (TC_H_MAJ(tc->tcm_parent) != TC_H_MAJ(TC_H_CLSACT))
		f->parent = tc->tcm_parent;
}

int fg_tc_filter_read(const struct nlmsghdr *nlh, struct fg_tc_filters *out)
{
	struct fg_program f = { .kind = FG_RUNG_FILTER };
	struct nlattr *tb[TCA_MAX + 1];
	const struct tcmsg *tc = nlmsg_data(nlh);
	const char *kind;

	if (nlh->nlmsg_type != RTM_NEWTFILTER)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*tc), tb, TCA_MAX, NULL) < 0)
		return -1;
	kind = fg_rtnl_text(tb[TCA_KIND]);
	if (!kind)
		return 0;
	f.chain = fg_rtnl_u32(tb[TCA_CHAIN]);
	read_place(&f, tc);
	snprintf(f.what, sizeof(f.what), "%s", kind);
	/*
	 * Each priority sends a head without options first, then its filters in the order they run.
	 */
	if (tc->tcm_handle)
		read_options(&f, kind, tb[TCA_OPTIONS]);
	if (!f.chain && (f.kind == FG_RUNG_CBPF || strcmp(kind, "bpf") != 0))
		out->other = true;
	if (!tc->tcm_handle || is_table(kind, tb[TCA_OPTIONS]))
		return 0;
	return add_filter(out, &f);
}

static int on_filter(const struct nlmsghdr *nlh, void *arg)
{
	return fg_tc_filter_read(nlh, arg);
}

void fg_tc_filters_free(struct fg_tc_filters *filters)
{
	free(filters->list);
	*filters = (struct fg_tc_filters){};
}

static int ask(struct nl_sock *sk, int type, const struct tcmsg *tc, fg_rtnl_cb cb, void *arg)
{
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_DUMP);

	if (!msg || nlmsg_append(msg, (void *)tc, sizeof(*tc), NLMSG_ALIGNTO))
		return -ENOMEM;
	return fg_rtnl_query(sk, msg, cb, arg);
}

/* A dump that a change has interrupted is asked for again. */
#define TRIES 5

int fg_tc_filters_list(struct nl_sock *sk, int ifindex, uint32_t parent, struct fg_tc_filters *out)
{
	const struct tcmsg tc = { .tcm_family = AF_UNSPEC,
				  .tcm_ifindex = ifindex,
				  .tcm_parent = parent };
	struct fg_tc_filters found = {};
	int ret = -EINTR;

	for (int tries = 0; ret == -EINTR && tries < TRIES; tries++) {
		fg_tc_filters_free(&found);
		ret = ask(sk, RTM_GETTFILTER, &tc, on_filter, &found);
	}
	/* A device without this qdisc: nothing there. */
	if (ret == -EINVAL || ret == -ENOENT || ret == -EOPNOTSUPP)
		ret = 0;
	if (ret)
		fg_tc_filters_free(&found);
	else
		*out = found;
	return ret;
}

/* --- queueing disciplines --- */

struct qdisc_dump {
	struct fg_tc_qdiscs found;
	int ifindex;
};

static void read_statistics(struct fg_tc_qdisc *q, struct nlattr *stats)
{
	struct nlattr *s[TCA_STATS_MAX + 1];
	const struct gnet_stats_queue *queue;

	if (!stats || nla_parse_nested(s, TCA_STATS_MAX, stats, NULL) < 0)
		return;
	queue = get_struct(s[TCA_STATS_QUEUE], sizeof(*queue));
	if (!queue)
		return;
	q->drops = queue->drops;
	q->queued = queue->qlen;
}

static int on_qdisc(const struct nlmsghdr *nlh, void *arg)
{
	struct qdisc_dump *dump = arg;
	struct nlattr *tb[TCA_MAX + 1];
	const struct tcmsg *tc = nlmsg_data(nlh);
	struct fg_tc_qdisc *q;
	const char *kind;

	if (nlh->nlmsg_type != RTM_NEWQDISC)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*tc), tb, TCA_MAX, NULL) < 0)
		return -1;
	kind = fg_rtnl_text(tb[TCA_KIND]);
	if (!kind || (dump->ifindex && tc->tcm_ifindex != dump->ifindex))
		return 0;
	q = FG_APPEND(dump->found.list, dump->found.count, "qdiscs", NULL);
	if (!q)
		return -1;
	snprintf(q->kind, sizeof(q->kind), "%s", kind);
	q->ifindex = tc->tcm_ifindex;
	q->handle = tc->tcm_handle;
	q->parent = tc->tcm_parent;
	read_statistics(q, tb[TCA_STATS2]);
	return 0;
}

int fg_tc_qdiscs_list(struct nl_sock *sk, int ifindex, struct fg_tc_qdiscs *out)
{
	const struct tcmsg tc = { .tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex };
	struct qdisc_dump dump = { .ifindex = ifindex };
	int ret = -EINTR;

	for (int tries = 0; ret == -EINTR && tries < TRIES; tries++) {
		free(dump.found.list);
		dump.found = (struct fg_tc_qdiscs){};
		ret = ask(sk, RTM_GETQDISC, &tc, on_qdisc, &dump);
	}
	if (ret)
		free(dump.found.list);
	else
		*out = dump.found;
	return ret;
}
