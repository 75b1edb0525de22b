// SPDX-License-Identifier: GPL-2.0-only
/*
 * cause/rule.c - which routing rule and which route refuse the packet. The kernel's look-up tells
 * an errno value only, which says of what kind the refusal is; here the rules are gone through in
 * its order, for the first that leads to one of that kind. Were there a way out before it, the
 * look-up would not have failed.
 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"
#include "cause/internal.h"

struct rule {
	uint32_t priority, table, target, mark, mask;
	uint8_t action, src_len, dst_len, tos, protocol;
	bool invert, odd; /* odd: it has a selector that is not known here */
	bool has_src, has_dst, has_mark, has_mask;
	uint8_t src[16], dst[16];
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
	struct fib_rule_port_range sport, dport;
};

struct rules {
	struct rule *list;
	size_t count;
};

static void read_ports(struct fib_rule_port_range *out, const struct nlattr *attr)
{
	if (attr && nla_len(attr) >= (int)sizeof(*out))
		memcpy(out, nla_data(attr), sizeof(*out));
}

static bool read_address(uint8_t out[16], const struct nlattr *attr)
{
	if (!attr || nla_len(attr) > 16)
		return false;
	memcpy(out, nla_data(attr), (size_t)nla_len(attr));
	return true;
}

static uint32_t number_of(const struct nlattr *attr, uint32_t otherwise)
{
	return attr && nla_len(attr) >= 4 ? nla_get_u32(attr) : otherwise;
}

static void read_rule(const struct fib_rule_hdr *h, struct nlattr **tb, struct rule *r)
{
	*r = (struct rule){ .action = h->action,
			    .src_len = h->src_len,
			    .dst_len = h->dst_len,
			    .tos = h->tos,
			    .invert = h->flags & FIB_RULE_INVERT,
			    .odd = tb[FRA_L3MDEV] || tb[FRA_UID_RANGE] || tb[FRA_TUN_ID] };
	r->priority = number_of(tb[FRA_PRIORITY], 0);
	r->table = number_of(tb[FRA_TABLE], h->table);
	r->target = number_of(tb[FRA_GOTO], 0);
	r->mark = number_of(tb[FRA_FWMARK], 0);
	r->mask = number_of(tb[FRA_FWMASK], UINT32_MAX);
	r->has_mark = tb[FRA_FWMARK] || tb[FRA_FWMASK];
	r->has_src = read_address(r->src, tb[FRA_SRC]);
	r->has_dst = read_address(r->dst, tb[FRA_DST]);
	if (tb[FRA_IIFNAME])
		nla_strlcpy(r->iif, tb[FRA_IIFNAME], sizeof(r->iif));
	if (tb[FRA_OIFNAME])
		nla_strlcpy(r->oif, tb[FRA_OIFNAME], sizeof(r->oif));
	if (tb[FRA_IP_PROTO])
		r->protocol = nla_get_u8(tb[FRA_IP_PROTO]);
	read_ports(&r->sport, tb[FRA_SPORT_RANGE]);
	read_ports(&r->dport, tb[FRA_DPORT_RANGE]);
}

static int add_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[FRA_MAX + 1];
	struct rules *rules = arg;
	struct rule *added;

	if (nlh->nlmsg_type != RTM_NEWRULE)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct fib_rule_hdr), tb, FRA_MAX, NULL) < 0)
		return -1;
	added = FG_APPEND(rules->list, rules->count, "rules", NULL);
	if (!added)
		return -1;
	read_rule(nlmsg_data(nlh), tb, added);
	return 0;
}

/* In the order of their priority, as the kernel has them. */
static int list_rules(const struct fg_cause_place *place, struct rules *out)
{
	const struct fib_rule_hdr h = { .family = (uint8_t)place->flow.family };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETRULE, NLM_F_DUMP);

	if (!msg || nlmsg_append(msg, (void *)&h, sizeof(h), NLMSG_ALIGNTO))
		return -ENOMEM;
	return fg_rtnl_query(place->rtnl, msg, add_rule, out);
}

static bool in_prefix(const uint8_t *addr, const uint8_t *prefix, int len)
{
	int whole = len / 8, rest = len % 8;

	if (memcmp(addr, prefix, (size_t)whole) != 0)
		return false;
	return !rest || !((addr[whole] ^ prefix[whole]) >> (8 - rest));
}

static bool in_ports(const struct fib_rule_port_range *range, uint16_t port)
{
	return !range->start || (port >= range->start && port <= range->end);
}

static bool fits(const struct rule *r, const struct fg_cause_place *place, const char *iif)
{
	const struct fg_flow *f = &place->flow;
	bool all = (!r->has_src || in_prefix(f->src.bytes, r->src, r->src_len)) &&
		   (!r->has_dst || in_prefix(f->dst.bytes, r->dst, r->dst_len)) &&
		   (!r->has_mark || !((place->mark ^ r->mark) & r->mask)) &&
		   (!r->tos || r->tos == (place->tos & 0xfc)) &&
		   (!r->protocol || r->protocol == f->protocol) && in_ports(&r->sport, f->sport) &&
		   in_ports(&r->dport, f->dport) && (!r->iif[0] || !strcmp(r->iif, iif)) &&
		   !r->oif[0];

	return all != r->invert;
}

/* The routes that refuse and hold the destination: of each table the most specific one. */
struct refusal {
	uint32_t table;
	uint8_t type, dst_len;
};

struct refusals {
	const struct fg_cause_place *place;
	uint8_t type;
	struct refusal *list;
	size_t count;
};

static int add_refusal(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = nlmsg_data(nlh);
	struct nlattr *tb[RTA_MAX + 1];
	struct refusals *all = arg;
	struct refusal *added;

	/* Kernels that cannot choose list all. */
	if (nlh->nlmsg_type != RTM_NEWROUTE || rtm->rtm_type != all->type)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*rtm), tb, RTA_MAX, NULL) < 0)
		return -1;
	if (rtm->rtm_src_len || rtm->rtm_dst_len > 8 * fg_cause_addr_len(rtm->rtm_family) ||
	    (rtm->rtm_dst_len &&
	     (!tb[RTA_DST] || nla_len(tb[RTA_DST]) * 8 < rtm->rtm_dst_len ||
	      !in_prefix(all->place->flow.dst.bytes, nla_data(tb[RTA_DST]), rtm->rtm_dst_len))))
		return 0;
	added = FG_APPEND(all->list, all->count, "routes", NULL);
	if (!added)
		return -1;
	*added = (struct refusal){ .table = number_of(tb[RTA_TABLE], rtm->rtm_table),
				   .type = rtm->rtm_type,
				   .dst_len = rtm->rtm_dst_len };
	return 0;
}

/*
 * A node may have many routes, and only those of one type are wanted: a socket of its own that the
 * kernel is strict with takes the type as a filter.
 */
static int list_refusals(const struct fg_cause_place *place, struct refusals *out)
{
	const struct rtmsg rtm = { .rtm_family = (uint8_t)place->flow.family,
				   .rtm_type = out->type };
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(place->netns, NULL);
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_DUMP);
	int one = 1;

	if (!sk || !msg || nlmsg_append(msg, (void *)&rtm, sizeof(rtm), NLMSG_ALIGNTO))
		return -ENOMEM;
	setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	return fg_rtnl_query(sk, msg, add_refusal, out);
}

static const struct refusal *refusal_in(const struct refusals *all, uint32_t table)
{
	const struct refusal *best = NULL;

	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].table == table && (!best || all->list[i].dst_len > best->dst_len))
			best = &all->list[i];
	return best;
}

/* What each errno value of a look-up means (fib_props[] and fib4_rule_action() of the kernel). */
static const struct meaning {
	int error;
	uint8_t type, action;
	const char *how;
} meanings[] = {
	{ -EACCES, RTN_PROHIBIT, FR_ACT_PROHIBIT, "prohibit" },
	{ -EINVAL, RTN_BLACKHOLE, FR_ACT_BLACKHOLE, "blackhole" },
	{ -EHOSTUNREACH, RTN_UNREACHABLE, 0, "unreachable" },
	{ -ENETUNREACH, 0, FR_ACT_UNREACHABLE, "unreachable" },
};

static const struct meaning *meaning_of(int error)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].error == error)
			return &meanings[i];
	return NULL;
}

static const char *table_text(uint32_t table, char buf[24])
{
	snprintf(buf, 24, "%u", table);
	return table == RT_TABLE_MAIN	   ? "main"
	       : table == RT_TABLE_LOCAL   ? "local"
	       : table == RT_TABLE_DEFAULT ? "default"
					   : buf;
}

static void put_prefix(char *buf, size_t size, const char *word, uint16_t family,
		       const uint8_t bytes[16], uint8_t bits)
{
	struct fg_addr addr = { .family = family };
	size_t len = strlen(buf);
	char text[FG_ADDR_TEXT_LEN];

	memcpy(addr.bytes, bytes, 16);
	fg_addr_text(&addr, text, sizeof(text));
	if (bits == 8 * fg_cause_addr_len(family))
		snprintf(buf + len, size - len, " %s %s", word, text);
	else
		snprintf(buf + len, size - len, " %s %s/%u", word, text, bits);
}

#define PUT(...) snprintf(buf + strlen(buf), size - strlen(buf), __VA_ARGS__)

/* As "ip rule" shows the selector: "from 10.9.1.77 fwmark 0x1". */
static void rule_text(const struct rule *r, uint16_t family, char *buf, size_t size)
{
	snprintf(buf, size, "rule %u (%s", r->priority, r->invert ? "not" : "");
	size_t start = strlen(buf);

	if (r->has_src)
		put_prefix(buf, size, "from", family, r->src, r->src_len);
	if (r->has_dst)
		put_prefix(buf, size, "to", family, r->dst, r->dst_len);
	if (r->tos)
		PUT(" tos 0x%x", r->tos);
	if (r->has_mark && r->mask == UINT32_MAX)
		PUT(" fwmark 0x%x", r->mark);
	else if (r->has_mark)
		PUT(" fwmark 0x%x/0x%x", r->mark, r->mask);
	if (r->iif[0])
		PUT(" iif %s", r->iif);
	if (r->protocol)
		PUT(" ipproto %u", r->protocol);
	if (r->sport.start)
		PUT(" sport %u-%u", r->sport.start, r->sport.end);
	if (r->dport.start)
		PUT(" dport %u-%u", r->dport.start, r->dport.end);
	if (!buf[start])
		PUT(" from all");
	/* No space after the bracket. */
	if (buf[start - 1] == '(')
		memmove(buf + start, buf + start + 1, strlen(buf + start));
	PUT(")");
}

/* The three rules that every namespace begins with say nothing. */
static bool is_given(const struct rule *r)
{
	return r->action == FR_ACT_TO_TBL && !r->has_src && !r->has_dst && !r->has_mark &&
	       !r->iif[0] && !r->protocol && !r->tos && !r->sport.start && !r->dport.start &&
	       !r->invert &&
	       (r->table == RT_TABLE_LOCAL || r->table == RT_TABLE_MAIN ||
		r->table == RT_TABLE_DEFAULT);
}

static void put_refusal(const struct fg_cause_place *place, const struct rule *r,
			const struct refusal *refusal, const char *how, struct fg_cause *out)
{
	char prefix[64] = "default", table[24], text[200];
	struct fg_addr dst = place->flow.dst;

	if (refusal->dst_len) {
		for (int bit = refusal->dst_len; bit < 128; bit++)
			dst.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
		fg_addr_text(&dst, prefix, sizeof(prefix));
		snprintf(prefix + strlen(prefix), sizeof(prefix) - strlen(prefix), "/%u",
			 refusal->dst_len);
	}
	fg_cause_set(out, FG_CAUSE_ROUTE, how, "%s %s in table %s", how, prefix,
		     table_text(refusal->table, table));
	if (is_given(r))
		return;
	rule_text(r, place->flow.family, text, sizeof(text));
	fg_cause_add(out, ", %s", text);
}

static void put_no_route(const struct fg_cause_place *place, struct fg_cause *out)
{
	char src[FG_ADDR_TEXT_LEN], dst[FG_ADDR_TEXT_LEN];

	fg_cause_set(out, FG_CAUSE_ROUTE, "no-route", "no route to %s",
		     fg_addr_text(&place->flow.dst, dst, sizeof(dst)));
	/* A packet of the namespace's own may have no source yet. */
	if (place->flow.src.family)
		fg_cause_add(out, " from %s", fg_addr_text(&place->flow.src, src, sizeof(src)));
}

/* The tables that were asked, as they are met; local tables hold what the namespace itself has. */
static void add_asked(const struct fg_cause_place *place, const struct rule *r,
		      struct fg_cause *out)
{
	bool first = !strstr(out->what, " in ");
	char table[24], text[200];

	if (r->table == RT_TABLE_LOCAL || (r->table == RT_TABLE_DEFAULT && is_given(r)))
		return;
	fg_cause_add(out, "%s %s", first ? " in table" : ",", table_text(r->table, table));
	if (is_given(r))
		return;
	rule_text(r, place->flow.family, text, sizeof(text));
	fg_cause_add(out, " by %s", text);
}

/* Goes through the rules as fib_rules_lookup() does. */
static bool walk(const struct fg_cause_place *place, const struct rules *rules,
		 const struct refusals *refusals, const struct meaning *m, struct fg_cause *out)
{
	char iif[IFNAMSIZ + 16] = "lo", text[200];
	uint32_t jump = 0;

	if (place->received_on)
		fg_cause_device(place->rtnl, place->received_on, iif);
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *r = &rules->list[i];
		const struct refusal *refusal;

		if (r->priority < jump || r->odd || !fits(r, place, iif))
			continue;
		if (r->action == FR_ACT_GOTO)
			jump = r->target;
		if (m->action && r->action == m->action) {
			rule_text(r, place->flow.family, text, sizeof(text));
			return fg_cause_set(out, FG_CAUSE_ROUTE, m->how, "%s: %s", text, m->how);
		}
		if (r->action != FR_ACT_TO_TBL)
			continue;
		refusal = refusal_in(refusals, r->table);
		if (refusal) {
			put_refusal(place, r, refusal, m->how, out);
			return true;
		}
		if (m->error == -ENETUNREACH)
			add_asked(place, r, out);
	}
	return m->error == -ENETUNREACH;
}

bool fg_cause_rule_find(const struct fg_cause_place *place, int error, struct fg_cause *out)
{
	const struct meaning *m = meaning_of(error);
	struct refusals refusals = { .place = place, .type = m ? m->type : 0 };
	struct rules rules = {};
	struct fg_cause found;
	bool is = false;

	if (!m)
		return false;
	put_no_route(place, &found);
	if (!list_rules(place, &rules) && (!m->type || !list_refusals(place, &refusals)))
		is = walk(place, &rules, &refusals, m, &found);
	free(rules.list);
	free(refusals.list);
	if (is)
		*out = found;
	return is;
}
