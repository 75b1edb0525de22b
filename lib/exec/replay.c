// SPDX-License-Identifier: GPL-2.0-only
/* replay.c - tables of the pod, told to the twin's namespace message by message. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "base/grow.h"
#include "exec/internal.h"

struct replay {
	int from, to; /* ifindex of the pod's device, and of the twin's */
	/* Of what the kernel told: the request that makes it, owned; or NULL: not wanted. */
	struct nl_msg *(*request)(const struct replay *replay, const struct nlmsghdr *nlh);
	struct nl_msg **list; /* owned, each */
	size_t count;
	size_t *elsewhere; /* routes by other devices */
};

static int collect(const struct nlmsghdr *nlh, void *arg)
{
	struct replay *r = arg;
	struct nl_msg *request = r->request(r, nlh);
	struct nl_msg **added;

	if (!request)
		return 0;
	added = FG_APPEND(r->list, r->count, "the pod's tables", NULL);
	if (!added) {
		nlmsg_free(request);
		return -1;
	}
	*added = request;
	return 0;
}

static void clear(struct replay *r)
{
	for (size_t i = 0; i < r->count; i++)
		nlmsg_free(r->list[i]);
	free(r->list);
	r->list = NULL;
	r->count = 0;
}

/* Each dump begins with the message of its type; zeroed it means all, of all families. */
static int ask(struct replay *r, struct nl_sock *from, int type, size_t header,
	       struct fg_error *err)
{
	int ret = -EINTR;

	for (int tries = 0; ret == -EINTR && tries < 5; tries++) {
		FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_DUMP);

		clear(r);
		if (type == RTM_GETROUTE)
			*r->elsewhere = 0;
		if (!msg || !nlmsg_reserve(msg, header, NLMSG_ALIGNTO))
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "the pod's tables");
		ret = fg_rtnl_query(from, msg, collect, r);
	}
	return ret ? fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "read the pod's tables") : 0;
}

/*
 * A route may need one that comes later in the dump (its gateway's): the list is gone through until
 * nothing is taken any more. Returns how many were not taken; *code: why the first of them was not.
 */
static size_t tell(struct replay *r, struct nl_sock *to, int *code)
{
	size_t left = r->count, before;

	do {
		size_t kept = 0;

		before = left;
		for (size_t i = 0; i < left; i++) {
			int ret = fg_rtnl_request(to, r->list[i]);

			if (ret && ret != -EEXIST) {
				struct nl_msg *failed = r->list[i];

				*code = kept ? *code : -ret;
				r->list[i] = r->list[kept];
				r->list[kept++] = failed;
			}
		}
		left = kept;
	} while (left && left < before);
	return left;
}

static struct nl_msg *begin(int type, const struct nlmsghdr *nlh, size_t header)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_CREATE | NLM_F_EXCL);

	if (msg && nlmsg_append(msg, nlmsg_data(nlh), header, NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int copy(struct nl_msg *msg, const struct nlattr *a)
{
	return nla_put(msg, nla_type(a), nla_len(a), nla_data(a));
}

/* Either the whole request, or none. */
static struct nl_msg *done(struct nl_msg *msg, int failed)
{
	if (!failed)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/* The routes of an address come with the others. Nobody is asked whether it is in use: it is. */
static struct nl_msg *address_request(const struct replay *r, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *known = nlmsg_data(nlh);
	struct nl_msg *msg;
	struct ifaddrmsg *ifa;
	struct nlattr *a;
	int rest, failed;

	if (nlh->nlmsg_type != RTM_NEWADDR || (int)known->ifa_index != r->from)
		return NULL;
	msg = begin(RTM_NEWADDR, nlh, sizeof(*ifa));
	if (!msg)
		return NULL;
	ifa = nlmsg_data(nlmsg_hdr(msg));
	ifa->ifa_index = (uint32_t)r->to;
	ifa->ifa_flags = 0;
	failed = nla_put_u32(msg, IFA_FLAGS,
			     IFA_F_NOPREFIXROUTE |
				     (known->ifa_family == AF_INET6 ? (uint32_t)IFA_F_NODAD : 0));
	nlmsg_for_each_attr (a, (struct nlmsghdr *)nlh, sizeof(*known), rest)
		if (nla_type(a) == IFA_LOCAL || nla_type(a) == IFA_ADDRESS ||
		    nla_type(a) == IFA_BROADCAST || nla_type(a) == IFA_LABEL ||
		    nla_type(a) == IFA_RT_PRIORITY)
			failed |= copy(msg, a);
	return done(msg, failed);
}

/* Those that nobody has to ask for; all others the command's own stack asks for. */
static struct nl_msg *neighbour_request(const struct replay *r, const struct nlmsghdr *nlh)
{
	const struct ndmsg *known = nlmsg_data(nlh);
	struct nl_msg *msg;
	struct ndmsg *ndm;
	struct nlattr *a;
	int rest, failed = 0;

	if (nlh->nlmsg_type != RTM_NEWNEIGH || known->ndm_ifindex != r->from ||
	    !(known->ndm_state & NUD_PERMANENT))
		return NULL;
	msg = begin(RTM_NEWNEIGH, nlh, sizeof(*ndm));
	if (!msg)
		return NULL;
	ndm = nlmsg_data(nlmsg_hdr(msg));
	ndm->ndm_ifindex = r->to;
	nlmsg_for_each_attr (a, (struct nlmsghdr *)nlh, sizeof(*known), rest)
		if (nla_type(a) == NDA_DST || nla_type(a) == NDA_LLADDR)
			failed |= copy(msg, a);
	return done(msg, failed);
}

/* Several ways: each must lead out of the pod's device. */
static int copy_ways(struct nl_msg *msg, const struct replay *r, const struct nlattr *a)
{
	struct nlattr *ways = nla_reserve(msg, RTA_MULTIPATH, nla_len(a));
	struct rtnexthop *hop;
	int rest;

	if (!ways)
		return -1;
	memcpy(nla_data(ways), nla_data(a), (size_t)nla_len(a));
	hop = nla_data(ways);
	rest = nla_len(ways);
	for (; RTNH_OK(hop, rest); rest -= NLMSG_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
		if (hop->rtnh_ifindex != r->from)
			return -1;
		hop->rtnh_ifindex = r->to;
		hop->rtnh_flags &= RTNH_F_ONLINK;
	}
	return 0;
}

static bool is_copied_route(const struct rtmsg *rtm)
{
	if (rtm->rtm_flags & RTM_F_CLONED)
		return false;
	switch (rtm->rtm_type) {
	case RTN_UNICAST:
	case RTN_BLACKHOLE:
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
	case RTN_THROW:
		return true;
	default:
		/* What an address brings with it the kernel has made already. */
		return false;
	}
}

/* 1: not for this device. */
static int copy_route(struct nl_msg *msg, const struct replay *r, const struct nlmsghdr *nlh,
		      bool unicast)
{
	bool leads = !unicast;
	struct nlattr *a;
	int rest, failed = 0;

	nlmsg_for_each_attr (a, (struct nlmsghdr *)nlh, sizeof(struct rtmsg), rest) {
		switch (nla_type(a)) {
		case RTA_OIF:
			if (!unicast)
				break;
			if ((int)nla_get_u32(a) != r->from)
				return 1;
			leads = true;
			failed |= nla_put_u32(msg, RTA_OIF, (uint32_t)r->to);
			break;
		case RTA_MULTIPATH:
			leads = true;
			failed |= copy_ways(msg, r, a);
			break;
		case RTA_CACHEINFO:
		case RTA_EXPIRES:
		case RTA_NH_ID: /* what it means is told as well */
		case RTA_IIF:
			break;
		default:
			failed |= copy(msg, a);
		}
	}
	return failed || !leads;
}

static bool leads_elsewhere(const struct replay *r, const struct nlmsghdr *nlh)
{
	const struct nlattr *oif =
		nlmsg_find_attr((struct nlmsghdr *)nlh, sizeof(struct rtmsg), RTA_OIF);

	return oif && (int)nla_get_u32(oif) != r->from && nla_get_u32(oif) != 1 /* lo */;
}

/*
 * Where the pod sends by another device, the command must not send by this one: nothing is to be
 * reached there. Each link has its own link-local and multicast routes.
 */
static struct nl_msg *elsewhere_request(const struct replay *r, const struct nlmsghdr *nlh)
{
	const struct rtmsg *known = nlmsg_data(nlh);
	struct nl_msg *msg = begin(RTM_NEWROUTE, nlh, sizeof(*known));
	struct nlattr *a;
	struct rtmsg *rtm;
	int rest, failed = 0;

	if (!msg)
		return NULL;
	rtm = nlmsg_data(nlmsg_hdr(msg));
	rtm->rtm_type = RTN_UNREACHABLE;
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	rtm->rtm_flags = 0;
	nlmsg_for_each_attr (a, (struct nlmsghdr *)nlh, sizeof(*known), rest) {
		const uint8_t *to = nla_data(a);

		if (nla_type(a) == RTA_DST && known->rtm_family == AF_INET6 &&
		    ((to[0] == 0xfe && (to[1] & 0xc0) == 0x80) || to[0] == 0xff))
			return done(msg, 1);
		if (nla_type(a) == RTA_DST || nla_type(a) == RTA_TABLE ||
		    nla_type(a) == RTA_PRIORITY)
			failed |= copy(msg, a);
	}
	msg = done(msg, failed);
	*r->elsewhere += msg != NULL;
	return msg;
}

static struct nl_msg *route_request(const struct replay *r, const struct nlmsghdr *nlh)
{
	const struct rtmsg *known = nlmsg_data(nlh);
	struct nl_msg *msg;
	struct rtmsg *rtm;
	int failed;

	if (nlh->nlmsg_type != RTM_NEWROUTE || !is_copied_route(known))
		return NULL;
	msg = begin(RTM_NEWROUTE, nlh, sizeof(*rtm));
	if (!msg)
		return NULL;
	rtm = nlmsg_data(nlmsg_hdr(msg));
	rtm->rtm_flags &= RTNH_F_ONLINK;
	failed = copy_route(msg, r, nlh, known->rtm_type == RTN_UNICAST);
	msg = done(msg, failed);
	return failed == 1 && leads_elsewhere(r, nlh) ? elsewhere_request(r, nlh) : msg;
}

static struct nl_msg *rule_request(const struct replay *r, const struct nlmsghdr *nlh)
{
	struct nl_msg *msg;
	struct nlattr *a;
	int rest, failed = 0;

	(void)r;
	/* The namespace has the three usual ones. */
	if (nlh->nlmsg_type != RTM_NEWRULE)
		return NULL;
	msg = begin(RTM_NEWRULE, nlh, sizeof(struct fib_rule_hdr));
	if (!msg)
		return NULL;
	nlmsg_for_each_attr (a, (struct nlmsghdr *)nlh, sizeof(struct fib_rule_hdr), rest)
		failed |= copy(msg, a);
	return done(msg, failed);
}

int fg_replay_pod(const struct fg_pod *pod, struct nl_sock *to, int ifindex, struct fg_twin *twin,
		  struct fg_error *err)
{
	static const struct {
		int type;
		size_t header;
		struct nl_msg *(*request)(const struct replay *, const struct nlmsghdr *);
		bool needed;
	} tables[] = {
		{ RTM_GETADDR, sizeof(struct ifaddrmsg), address_request, true },
		{ RTM_GETNEIGH, sizeof(struct ndmsg), neighbour_request, false },
		{ RTM_GETROUTE, sizeof(struct rtmsg), route_request, false },
		{ RTM_GETRULE, sizeof(struct fib_rule_hdr), rule_request, false },
	};
	struct replay r = { .from = pod->peer.ifindex,
			    .to = ifindex,
			    .elsewhere = &twin->elsewhere };
	int failed = 0, code = 0;

	for (size_t i = 0; !failed && i < sizeof(tables) / sizeof(*tables); i++) {
		size_t left;

		r.request = tables[i].request;
		failed = ask(&r, pod->rtnl, tables[i].type, tables[i].header, err);
		left = failed ? 0 : tell(&r, to, &code);
		if (left && tables[i].needed)
			failed = fg_fail_errno(err, FG_ERR_INTERNAL, code,
					       "an address of the pod, on its twin");
		twin->uncopied += left;
	}
	clear(&r);
	return failed ? -1 : 0;
}
