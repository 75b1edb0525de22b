// SPDX-License-Identifier: GPL-2.0-only
#include "net/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <unistd.h>

#include "header/flowset.h"

/*
 * Bits of CTA_FILTER_ORIG_FLAGS: the kernel takes them, but no header of its has them
 * (net/netfilter/nf_internals.h).
 */
#define FILTER_IP_SRC (1U << 0)

#define LOADED "/proc/sys/net/netfilter/nf_conntrack_max"

int fg_conntrack_open(int netns, struct nl_sock **out, struct fg_error *err)
{
	*out = NULL;
	if (access(LOADED, F_OK))
		return 0;
	*out = fg_rtnl_open_protocol(netns, NETLINK_NETFILTER, err);
	return *out ? 0 : fg_error_prefix(err, "connection tracking");
}

/* --- writing --- */

static struct nl_msg *message(int type, int flags, uint16_t family)
{
	const struct nfgenmsg head = { .nfgen_family = (uint8_t)family, .version = NFNETLINK_V0 };
	struct nl_msg *msg = nlmsg_alloc_simple(NFNL_SUBSYS_CTNETLINK << 8 | type, flags);

	if (msg && nlmsg_append(msg, (void *)&head, sizeof(head), NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int put_addr(struct nl_msg *msg, const struct fg_addr *addr, bool src)
{
	bool v4 = addr->family == AF_INET;
	int type = v4 ? (src ? CTA_IP_V4_SRC : CTA_IP_V4_DST)
		      : (src ? CTA_IP_V6_SRC : CTA_IP_V6_DST);

	return nla_put(msg, type, v4 ? 4 : 16, addr->bytes);
}

static int put_protocol(struct nl_msg *msg, const struct fg_flow *f)
{
	bool v4 = f->protocol == IPPROTO_ICMP;

	if (nla_put_u8(msg, CTA_PROTO_NUM, f->protocol))
		return -1;
	if (v4 || f->protocol == IPPROTO_ICMPV6)
		return nla_put_u16(msg, v4 ? CTA_PROTO_ICMP_ID : CTA_PROTO_ICMPV6_ID,
				   htons(f->icmp_id)) ||
		       nla_put_u8(msg, v4 ? CTA_PROTO_ICMP_TYPE : CTA_PROTO_ICMPV6_TYPE,
				  f->icmp_type) ||
		       nla_put_u8(msg, v4 ? CTA_PROTO_ICMP_CODE : CTA_PROTO_ICMPV6_CODE,
				  f->icmp_code);
	return nla_put_u16(msg, CTA_PROTO_SRC_PORT, htons(f->sport)) ||
	       nla_put_u16(msg, CTA_PROTO_DST_PORT, htons(f->dport));
}

/* dst and the protocol are left out of a filter, which is about src alone. */
static int put_tuple(struct nl_msg *msg, int type, const struct fg_flow *f, bool filter,
		     uint16_t zone)
{
	struct nlattr *tuple = nla_nest_start(msg, type | NLA_F_NESTED), *part;

	part = tuple ? nla_nest_start(msg, CTA_TUPLE_IP | NLA_F_NESTED) : NULL;
	if (!part || put_addr(msg, &f->src, true) || (!filter && put_addr(msg, &f->dst, false)))
		return -1;
	nla_nest_end(msg, part);
	if (!filter) {
		part = nla_nest_start(msg, CTA_TUPLE_PROTO | NLA_F_NESTED);
		if (!part || put_protocol(msg, f))
			return -1;
		nla_nest_end(msg, part);
	}
	if (zone && nla_put_u16(msg, CTA_TUPLE_ZONE, htons(zone)))
		return -1;
	nla_nest_end(msg, tuple);
	return 0;
}

static int put_filter(struct nl_msg *msg, enum fg_conntrack_side side, const struct fg_addr *src)
{
	const struct fg_flow flow = { .src = *src };
	bool orig = side == FG_CONNTRACK_ORIG;
	struct nlattr *filter;

	if (put_tuple(msg, orig ? CTA_TUPLE_ORIG : CTA_TUPLE_REPLY, &flow, true, 0))
		return -1;
	filter = nla_nest_start(msg, CTA_FILTER | NLA_F_NESTED);
	if (!filter || nla_put_u32(msg, CTA_FILTER_ORIG_FLAGS, orig ? FILTER_IP_SRC : 0) ||
	    nla_put_u32(msg, CTA_FILTER_REPLY_FLAGS, orig ? 0 : FILTER_IP_SRC))
		return -1;
	nla_nest_end(msg, filter);
	return 0;
}

/* --- reading --- */

static uint32_t get_u32(struct nlattr *a)
{
	return a && nla_len(a) >= 4 ? ntohl(nla_get_u32(a)) : 0;
}

static uint16_t get_u16(struct nlattr *a)
{
	return a && nla_len(a) >= 2 ? ntohs(nla_get_u16(a)) : 0;
}

static uint8_t get_u8(struct nlattr *a)
{
	return a && nla_len(a) >= 1 ? nla_get_u8(a) : 0;
}

static int read_addr(struct nlattr *v4, struct nlattr *v6, struct fg_addr *out)
{
	struct nlattr *a = v4 ? v4 : v6;

	if (!a || nla_len(a) < (v4 ? 4 : 16))
		return -1;
	out->family = v4 ? AF_INET : AF_INET6;
	memcpy(out->bytes, nla_data(a), v4 ? 4 : 16);
	return 0;
}

static int read_tuple(struct nlattr *attr, struct fg_flow *out)
{
	struct nlattr *tuple[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1], *proto[CTA_PROTO_MAX + 1];
	bool v4;

	*out = (struct fg_flow){};
	if (!attr || nla_parse_nested(tuple, CTA_TUPLE_MAX, attr, NULL) || !tuple[CTA_TUPLE_IP] ||
	    !tuple[CTA_TUPLE_PROTO] ||
	    nla_parse_nested(ip, CTA_IP_MAX, tuple[CTA_TUPLE_IP], NULL) ||
	    nla_parse_nested(proto, CTA_PROTO_MAX, tuple[CTA_TUPLE_PROTO], NULL) ||
	    read_addr(ip[CTA_IP_V4_SRC], ip[CTA_IP_V6_SRC], &out->src) ||
	    read_addr(ip[CTA_IP_V4_DST], ip[CTA_IP_V6_DST], &out->dst))
		return -1;
	out->family = out->src.family;
	out->protocol = get_u8(proto[CTA_PROTO_NUM]);
	out->sport = get_u16(proto[CTA_PROTO_SRC_PORT]);
	out->dport = get_u16(proto[CTA_PROTO_DST_PORT]);
	v4 = out->protocol == IPPROTO_ICMP;
	out->icmp_type = get_u8(proto[v4 ? CTA_PROTO_ICMP_TYPE : CTA_PROTO_ICMPV6_TYPE]);
	out->icmp_id = get_u16(proto[v4 ? CTA_PROTO_ICMP_ID : CTA_PROTO_ICMPV6_ID]);
	return 0;
}

/* A zone of the original direction alone ("ct original zone set") is told in its tuple. */
static uint16_t read_zone(struct nlattr *tuple)
{
	struct nlattr *a[CTA_TUPLE_MAX + 1];

	return tuple && !nla_parse_nested(a, CTA_TUPLE_MAX, tuple, NULL)
		       ? get_u16(a[CTA_TUPLE_ZONE])
		       : 0;
}

static int read_conn(const struct nlmsghdr *nlh, struct fg_conn *out)
{
	struct nlattr *a[CTA_MAX + 1];

	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct nfgenmsg), a, CTA_MAX, NULL))
		return -1;
	*out = (struct fg_conn){ .id = get_u32(a[CTA_ID]),
				 .status = get_u32(a[CTA_STATUS]),
				 .timeout = get_u32(a[CTA_TIMEOUT]),
				 .mark = get_u32(a[CTA_MARK]),
				 .zone = get_u16(a[CTA_ZONE]) };
	if (!out->zone)
		out->zone = read_zone(a[CTA_TUPLE_ORIG]);
	out->zone_orig = out->zone && !a[CTA_ZONE];
	return read_tuple(a[CTA_TUPLE_ORIG], &out->orig) ||
	       read_tuple(a[CTA_TUPLE_REPLY], &out->reply);
}

/* --- asking --- */

static int on_stats(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *a[CTA_STATS_GLOBAL_MAX + 1];

	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct nfgenmsg), a, CTA_STATS_GLOBAL_MAX,
			NULL))
		return -1;
	((uint64_t *)arg)[0] = get_u32(a[CTA_STATS_GLOBAL_ENTRIES]);
	((uint64_t *)arg)[1] = get_u32(a[CTA_STATS_GLOBAL_MAX_ENTRIES]);
	return 0;
}

int fg_conntrack_count(struct nl_sock *sk, uint64_t *out, uint64_t *max)
{
	FG_NL_MSG struct nl_msg *msg = message(IPCTNL_MSG_CT_GET_STATS, 0, AF_UNSPEC);
	uint64_t both[2] = {};
	int ret = msg ? fg_rtnl_query(sk, msg, on_stats, both) : -ENOMEM;

	if (ret)
		return ret;
	*out = both[0];
	if (max)
		*max = both[1];
	return 0;
}

struct listing {
	const struct fg_addr *src;
	enum fg_conntrack_side side;
	fg_conntrack_cb cb;
	void *arg;
};

static int on_conn(const struct nlmsghdr *nlh, void *arg)
{
	const struct listing *l = arg;
	struct fg_conn conn;

	/* What we cannot read is not a tuple that a probe could have. */
	if (read_conn(nlh, &conn))
		return 0;
	if (l->src &&
	    !fg_addr_equal(l->src, l->side == FG_CONNTRACK_ORIG ? &conn.orig.src : &conn.reply.src))
		return 0;
	return l->cb(&conn, l->arg);
}

int fg_conntrack_list(struct nl_sock *sk, uint16_t family, enum fg_conntrack_side side,
		      const struct fg_addr *src, fg_conntrack_cb cb, void *arg)
{
	FG_NL_MSG struct nl_msg *msg = message(IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);
	struct listing l = { .src = src, .side = side, .cb = cb, .arg = arg };

	if (!msg || (src && put_filter(msg, side, src)))
		return -ENOMEM;
	return fg_rtnl_query(sk, msg, on_conn, &l);
}

struct answer {
	struct fg_conn *conn;
	bool found;
};

static int on_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct answer *a = arg;

	a->found = !read_conn(nlh, a->conn);
	return a->found ? 0 : -1;
}

int fg_conntrack_get(struct nl_sock *sk, const struct fg_flow *tuple, struct fg_conn *out)
{
	FG_NL_MSG struct nl_msg *msg = message(IPCTNL_MSG_CT_GET, 0, tuple->family);
	struct answer answer = { .conn = out };
	int ret;

	if (!msg || put_tuple(msg, CTA_TUPLE_ORIG, tuple, false, 0))
		return -ENOMEM;
	ret = fg_rtnl_query(sk, msg, on_answer, &answer);
	/*
	 * Of some packets no entry can exist (ICMP errors, neighbour discovery, MLD): the kernel
	 * refuses their tuple (icmp_nlattr_to_tuple(), icmpv6_nlattr_to_tuple()).
	 */
	if (ret == -EINVAL || ret == -EOPNOTSUPP)
		return -ENOENT;
	return !ret && !answer.found ? -ENOENT : ret;
}

int fg_conntrack_delete(struct nl_sock *sk, const struct fg_conn *conn)
{
	FG_NL_MSG struct nl_msg *msg = message(IPCTNL_MSG_CT_DELETE, 0, conn->orig.family);

	if (!msg ||
	    put_tuple(msg, CTA_TUPLE_ORIG, &conn->orig, false, conn->zone_orig ? conn->zone : 0) ||
	    nla_put_u32(msg, CTA_ID, htonl(conn->id)) ||
	    (conn->zone && !conn->zone_orig && nla_put_u16(msg, CTA_ZONE, htons(conn->zone))))
		return -ENOMEM;
	return fg_rtnl_request(sk, msg);
}
