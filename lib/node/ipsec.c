// SPDX-License-Identifier: GPL-2.0-only
#include "node/ipsec.h"

#include <errno.h>
#include <linux/xfrm.h>
#include <string.h>

#include "net/rtnl.h"

static int on_info(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[XFRMA_SPD_MAX + 1];
	struct xfrmu_spdinfo info;

	/* Behind the flags of the question. */
	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(uint32_t), tb, XFRMA_SPD_MAX, NULL) < 0 ||
	    !tb[XFRMA_SPD_INFO] || nla_len(tb[XFRMA_SPD_INFO]) < (int)sizeof(info))
		return 0;
	memcpy(&info, nla_data(tb[XFRMA_SPD_INFO]), sizeof(info));
	*(struct fg_ipsec *)arg = (struct fg_ipsec){ info.fwdcnt, info.outcnt };
	return 0;
}

struct fg_ipsec fg_ipsec_read(int netns)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open_protocol(netns, NETLINK_XFRM, NULL);
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(XFRM_MSG_GETSPDINFO, 0);
	struct fg_ipsec found = { true, true };
	const uint32_t flags = 0;

	if (!sk)
		return (struct fg_ipsec){};
	if (msg && !nlmsg_append(msg, (void *)&flags, sizeof(flags), NLMSG_ALIGNTO))
		fg_rtnl_query(sk, msg, on_info, &found);
	return found;
}
