// SPDX-License-Identifier: GPL-2.0-only
/* exec/outside.c - a command that is somebody outside, whose packets arrive at the uplink. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "datapath/policy.h"
#include "datapath/uplink.h"
#include "exec/internal.h"
#include "way/ways.h"

static bool has_driver_xdp(const struct fg_ladder *ladder)
{
	for (size_t i = 0; i < ladder->count; i++)
		if (ladder->programs[i].hook == FG_HOOK_XDP && ladder->programs[i].native)
			return true;
	return false;
}

static int check_xdp(const struct fg_pod *uplink, enum fg_method wanted, const char **bypasses,
		     struct fg_error *err)
{
	struct fg_ladder ladder;
	bool driver;

	if (fg_policy_list(uplink, false, &ladder, err))
		return -1;
	driver = has_driver_xdp(&ladder);
	fg_ladder_free(&ladder);
	*bypasses = driver ? "XDP in the uplink's driver is not met by the command's packets"
			   : NULL;
	if (!driver || wanted == FG_METHOD_HOST_INGRESS)
		return 0;
	fg_fail(err, FG_ERR_UNSUPPORTED,
		"%s: XDP in its driver comes before all that a connection can be put to",
		uplink->ref);
	return fg_hint(err, "--method host-ingress goes past it; flowgen inject runs it");
}

int fg_outside_check(struct fg_host *host, const struct fg_pod *uplink, const struct fg_addr *src,
		     enum fg_method wanted, const char **bypasses, struct fg_error *err)
{
	struct fg_ways ways = {};
	int found;

	if (uplink->awaits || !src->family)
		return fg_fail(err, FG_ERR_USAGE, "%s: no source address given (--src)",
			       uplink->ref);
	if (wanted != FG_METHOD_AUTO && wanted != FG_METHOD_HOST_INGRESS)
		return fg_fail(err, FG_ERR_USAGE, "%s: what comes from outside has one method",
			       uplink->ref);
	found = fg_ways_outside(&ways, host, uplink, src, err);
	fg_ways_free(&ways);
	return found && !fg_uplink_check_ports(uplink, err)
		       ? check_xdp(uplink, wanted, bypasses, err)
		       : -1;
}

static int add_default(struct nl_sock *sk, int ifindex, uint16_t family)
{
	const struct rtmsg rtm = { .rtm_family = (unsigned char)family,
				   .rtm_table = RT_TABLE_MAIN,
				   .rtm_protocol = RTPROT_STATIC,
				   .rtm_scope = family == AF_INET ? RT_SCOPE_LINK
								  : RT_SCOPE_UNIVERSE,
				   .rtm_type = RTN_UNICAST };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);

	if (!msg || nlmsg_append(msg, (void *)&rtm, sizeof(rtm), NLMSG_ALIGNTO) ||
	    nla_put_u32(msg, RTA_OIF, (uint32_t)ifindex))
		return -ENOMEM;
	return fg_rtnl_request(sk, msg);
}

int fg_outside_settle(struct nl_sock *inside, int ifindex, const struct fg_addr *address,
		      struct fg_error *err)
{
	int ret =
		fg_link_add_address(inside, ifindex, address, address->family == AF_INET ? 32 : 128)
			?: add_default(inside, ifindex, address->family);

	return ret ? fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "the twin's address") : 0;
}
