// SPDX-License-Identifier: GPL-2.0-only
#include "node/br_netfilter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/netns.h"
#include "net/rtnl.h"

#define SYSCTL "/proc/sys/net/bridge/bridge-nf-call-"

/* In the namespace already. 1: yes, 0: no, -1: the module is not loaded. */
static int read_sysctl(const char *path)
{
	FG_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	char value = '1';

	if (fd < 0 && errno == ENOENT)
		return -1;
	return fd < 0 || read(fd, &value, 1) != 1 || value != '0';
}

static bool is_set(const struct nlattr *flag)
{
	return flag && nla_len(flag) >= 1 && *(const uint8_t *)nla_data(flag);
}

static int on_link(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1], *data[IFLA_BR_MAX + 1];
	struct fg_br_netfilter *found = arg;
	const char *kind;

	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct ifinfomsg), tb, IFLA_MAX, NULL) ||
	    !tb[IFLA_LINKINFO] || nla_parse_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO], NULL))
		return 0;
	kind = fg_rtnl_text(info[IFLA_INFO_KIND]);
	if (!kind || strcmp(kind, "bridge") != 0 || !info[IFLA_INFO_DATA] ||
	    nla_parse_nested(data, IFLA_BR_MAX, info[IFLA_INFO_DATA], NULL))
		return 0;
	found->ip |= is_set(data[IFLA_BR_NF_CALL_IPTABLES]);
	found->ip6 |= is_set(data[IFLA_BR_NF_CALL_IP6TABLES]);
	return 0;
}

/* The kernel sends bridges alone. */
static int ask_bridges(int netns, struct fg_br_netfilter *found)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(netns, NULL);
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_DUMP);
	const struct ifinfomsg all = {};
	struct nlattr *info;

	if (!sk || !msg || nlmsg_append(msg, (void *)&all, sizeof(all), NLMSG_ALIGNTO) ||
	    !(info = nla_nest_start(msg, IFLA_LINKINFO)) ||
	    nla_put_string(msg, IFLA_INFO_KIND, "bridge"))
		return -1;
	nla_nest_end(msg, info);
	return fg_rtnl_query(sk, msg, on_link, found);
}

struct fg_br_netfilter fg_br_netfilter_read(int netns)
{
	struct fg_br_netfilter found = { true, true };
	int ip, ip6, back;

	if (fg_netns_enter(netns, &back, NULL))
		return found;
	ip = read_sysctl(SYSCTL "iptables");
	ip6 = read_sysctl(SYSCTL "ip6tables");
	fg_netns_leave(&back);
	found = (struct fg_br_netfilter){ ip > 0, ip6 > 0 };
	if (ip >= 0 && !(found.ip && found.ip6) && ask_bridges(netns, &found))
		return (struct fg_br_netfilter){ true, true };
	return found;
}
