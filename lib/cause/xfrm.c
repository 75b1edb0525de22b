// SPDX-License-Identifier: GPL-2.0-only
/* cause/xfrm.c - the IPsec policy that the packet did not meet. */
#include <arpa/inet.h>
#include <linux/xfrm.h>
#include <string.h>

#include "cause/internal.h"

struct search {
	const struct fg_cause_place *place;
	bool forwarded;
	bool found;
	bool transformed; /* it asks for IPsec */
	struct xfrm_userpolicy_info policy;
};

static bool in_prefix(const xfrm_address_t *a, uint8_t bits, const struct fg_addr *addr)
{
	const uint8_t *bytes = (const uint8_t *)a;

	if (bits > 8 * fg_cause_addr_len(addr->family))
		return false;
	for (int bit = 0; bit < bits; bit++)
		if ((bytes[bit / 8] ^ addr->bytes[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

static bool selects(const struct xfrm_selector *s, const struct fg_flow *f)
{
	if (s->family && s->family != f->family)
		return false;
	return in_prefix(&s->saddr, s->prefixlen_s, &f->src) &&
	       in_prefix(&s->daddr, s->prefixlen_d, &f->dst) &&
	       (!s->proto || s->proto == f->protocol) &&
	       !((s->sport ^ htons(f->sport)) & s->sport_mask) &&
	       !((s->dport ^ htons(f->dport)) & s->dport_mask);
}

static int on_policy(const struct nlmsghdr *nlh, void *arg)
{
	const struct xfrm_userpolicy_info *info = nlmsg_data(nlh);
	struct nlattr *tb[XFRMA_MAX + 1];
	struct search *s = arg;
	bool direction;

	if (nlh->nlmsg_type != XFRM_MSG_NEWPOLICY || nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*info)) ||
	    nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*info), tb, XFRMA_MAX, NULL) < 0)
		return 0;
	direction = s->forwarded ? info->dir == XFRM_POLICY_FWD || info->dir == XFRM_POLICY_OUT
				 : info->dir == XFRM_POLICY_IN;
	if (!direction || !selects(&info->sel, &s->place->flow))
		return 0;
	/* One that lets it pass in the clear did not drop it. */
	if (info->action == XFRM_POLICY_ALLOW && !tb[XFRMA_TMPL])
		return 0;
	if (s->found && s->policy.priority <= info->priority)
		return 0;
	s->found = true;
	s->policy = *info;
	s->transformed = tb[XFRMA_TMPL] != NULL;
	return 0;
}

static const char *prefix_text(const xfrm_address_t *a, uint8_t bits, uint16_t family, char *buf,
			       size_t size)
{
	struct fg_addr addr = { .family = family };
	char text[FG_ADDR_TEXT_LEN];

	memcpy(addr.bytes, a, (size_t)fg_cause_addr_len(family));
	snprintf(buf, size, "%s/%u", fg_addr_text(&addr, text, sizeof(text)), bits);
	return buf;
}

bool fg_cause_find_xfrm(const struct fg_cause_place *place, struct fg_cause *out)
{
	static const char *const directions[] = { "in", "out", "fwd" };
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open_protocol(place->netns, NETLINK_XFRM, NULL);
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(XFRM_MSG_GETPOLICY, NLM_F_DUMP);
	struct search s = { .place = place };
	const struct xfrm_selector *sel = &s.policy.sel;
	const char *how = "block";
	char src[64], dst[64];

	s.forwarded = place->symbol && (!strncmp(place->symbol, "ip_forward", 10) ||
					!strncmp(place->symbol, "ip6_forward", 11));
	if (!sk || !msg || fg_rtnl_query(sk, msg, on_policy, &s) || !s.found)
		return false;
	/* What is to go out encrypted is, if only there is a state for it. */
	if (s.transformed)
		how = s.policy.dir == XFRM_POLICY_OUT ? "no-state" : "clear";
	return fg_cause_set(
		out, FG_CAUSE_XFRM, how, "policy dir %s %s src %s dst %s priority %u",
		directions[s.policy.dir], s.transformed ? "asks for IPsec," : "block,",
		prefix_text(&sel->saddr, sel->prefixlen_s, place->flow.family, src, sizeof(src)),
		prefix_text(&sel->daddr, sel->prefixlen_d, place->flow.family, dst, sizeof(dst)),
		s.policy.priority);
}
