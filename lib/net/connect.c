// SPDX-License-Identifier: GPL-2.0-only
#include "net/connect.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "header/dissect.h"
#include "net/netns.h"

/* --- the question --- */

static void query_of_bytes(const struct fg_probe_spec *spec, struct fg_route_query *q)
{
	const uint8_t *ip = spec->bytes;
	struct fg_flow flow;

	if (fg_flow_extract(ip, spec->length, &flow))
		return;
	q->protocol = flow.protocol;
	q->sport = flow.sport;
	q->dport = flow.dport;
	q->tos = fg_flow_tos(ip, spec->length);
}

struct fg_connect_query fg_connect_of_probe(const struct fg_probe_spec *spec)
{
	const struct fg_packet_spec *packet = spec->packet;
	uint16_t family = spec->vary.dst.family;
	enum fg_field_id dscp = family == AF_INET ? FG_IPV4_DSCP : FG_IPV6_DSCP;
	struct fg_connect_query q = { .flow.dst = spec->vary.dst, .any_port = spec->any_port };

	if (!spec->any_source)
		q.flow.src = spec->vary.src;
	if (!packet) {
		query_of_bytes(spec, &q.flow);
		return q;
	}
	q.flow.protocol = fg_put_protocol(packet, family);
	if (fg_packet_has_ports(packet)) {
		q.flow.sport = spec->vary.sport;
		q.flow.dport = spec->vary.dport;
	}
	if (packet->overridden[dscp])
		q.flow.tos = (uint8_t)(packet->value[dscp] << 2);
	return q;
}

/* --- the answer --- */

static int connect_ipv4(struct nl_sock *sk, const struct fg_connect_query *query,
			struct fg_route *out)
{
	struct fg_route_query q = query->flow, unbound;
	int ret;

	if (!q.src.family) {
		if (query->any_port && q.protocol == IPPROTO_TCP)
			q.sport = 0;
		ret = fg_route_lookup(sk, &q, out);
		if (ret || !out->from.family)
			return ret;
		q = query->flow;
		q.src = out->from;
	}
	ret = fg_route_lookup(sk, &q, out);
	if (ret && query->flow.src.family && !fg_link_holds(sk, &q.src, NULL)) {
		unbound = q;
		unbound.src = (struct fg_addr){};
		ret = fg_route_lookup(sk, &unbound, out);
	}
	out->from = q.src;
	return ret;
}

/*
 * If its first lookup fails the kernel chooses a source all the same, and looks up again with it.
 * A raw socket shows which one, or how that fails: connect() of TCP and UDP would run programs of
 * cgroups. Returns 0 or a negative errno value.
 */
static int second_source(int netns_fd, const struct fg_route_query *q, struct fg_addr *src)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(q->dport) };
	struct sockaddr_in6 from = {};
	socklen_t len = sizeof(from);
	int tclass = q->tos, back;

	if (fg_netns_enter(netns_fd, &back, NULL))
		return -EPERM;
	FG_FD int fd =
		socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, q->protocol ? q->protocol : IPPROTO_NONE);

	fg_netns_leave(&back);
	memcpy(&to.sin6_addr, q->dst.bytes, 16);
	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tclass, sizeof(tclass)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    getsockname(fd, (struct sockaddr *)&from, &len))
		return -errno;
	src->family = AF_INET6;
	memcpy(src->bytes, &from.sin6_addr, 16);
	return 0;
}

static int connect_ipv6(struct nl_sock *sk, int netns_fd, const struct fg_connect_query *query,
			struct fg_route *out)
{
	struct fg_route_query q = query->flow;
	struct fg_addr src = q.src;
	int ret;

	if (src.family && !fg_link_holds(sk, &src, NULL))
		q.src = (struct fg_addr){};
	if (!src.family && query->any_port && q.protocol == IPPROTO_TCP)
		q.sport = 0;
	ret = fg_route_lookup(sk, &q, out);
	if (!src.family && ret) {
		ret = second_source(netns_fd, &q, &src);
		q.src = src;
		if (!ret)
			ret = fg_route_lookup(sk, &q, out);
	}
	if (src.family)
		out->from = src;
	return ret || out->from.family ? ret : -EADDRNOTAVAIL;
}

int fg_connect_route(struct nl_sock *sk, int netns_fd, const struct fg_connect_query *query,
		     struct fg_route *out)
{
	*out = (struct fg_route){};
	return query->flow.dst.family == AF_INET ? connect_ipv4(sk, query, out)
						 : connect_ipv6(sk, netns_fd, query, out);
}

/* --- what it depends on --- */

static int read_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[FRA_MAX + 1];
	bool *by_protocol = arg;

	if (nlh->nlmsg_type != RTM_NEWRULE)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct fib_rule_hdr), tb, FRA_MAX, NULL) < 0)
		return -1;
	*by_protocol |= tb[FRA_IP_PROTO] || tb[FRA_SPORT_RANGE] || tb[FRA_DPORT_RANGE];
	return 0;
}

static int ask_rules(struct nl_sock *sk, uint16_t family, bool *by_protocol)
{
	const struct fib_rule_hdr h = { .family = (uint8_t)family };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETRULE, NLM_F_DUMP);

	if (!msg || nlmsg_append(msg, (void *)&h, sizeof(h), NLMSG_ALIGNTO))
		return -ENOMEM;
	return fg_rtnl_query(sk, msg, read_rule, by_protocol);
}

/* A next hop object may be a group. */
static int read_next_hops(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[RTA_MAX + 1];
	bool *several = arg;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct rtmsg), tb, RTA_MAX, NULL) < 0)
		return -1;
	*several |= tb[RTA_MULTIPATH] || tb[RTA_NH_ID];
	return 0;
}

/* fib_multipath_hash_policy: 0 is addresses alone. Where it cannot be read: ports too. */
static bool hashes_ports(int netns_fd, uint16_t family)
{
	char path[64], value[8] = "";
	int back;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv%d/fib_multipath_hash_policy",
		 family == AF_INET ? 4 : 6);
	if (fg_netns_enter(netns_fd, &back, NULL))
		return true;
	FG_FILE FILE *f = fopen(path, "re");

	fg_netns_leave(&back);
	return !f || !fgets(value, sizeof(value), f) || strcmp(value, "0\n") != 0;
}

int fg_connect_varies(struct nl_sock *sk, int netns_fd, const struct fg_route_query *flow,
		      struct fg_connect_varies *out)
{
	bool rules = false, several = false;
	int ret = ask_rules(sk, flow->dst.family, &rules);

	if (ret)
		return ret;
	/* Where there is no route, there are not several. */
	if (!rules)
		fg_route_ask(sk, flow, RTM_F_FIB_MATCH, read_next_hops, &several);
	out->by_port = rules || (several && hashes_ports(netns_fd, flow->dst.family));
	/* IPv6 puts the protocol into every hash (rt6_multipath_hash()). */
	out->by_protocol = out->by_port || (several && flow->dst.family == AF_INET6);
	return 0;
}
