// SPDX-License-Identifier: GPL-2.0-only
/*
 * net/nft_read.c - what nf_tables says: messages of a trace (net/netfilter/nf_tables_trace.c), and
 * rules.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <unistd.h>

#include "net/nft.h"

/* A rule's user data is a list of type, length, value; the comment's type (libnftnl, udata.h). */
#define UDATA_COMMENT 0

static bool is_message(const struct nlmsghdr *nlh, int type)
{
	return nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type) &&
	       nlh->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nfgenmsg));
}

static uint8_t family_of(const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *head = NLMSG_DATA(nlh);

	return head->nfgen_family;
}

/* A text that ends within the attribute, or NULL. */
static const char *get_text(const struct nlattr *a)
{
	if (!a || nla_len(a) < 2 || nla_len(a) > NFT_NAME_MAXLEN ||
	    !memchr(nla_data(a), '\0', (size_t)nla_len(a)))
		return NULL;
	return nla_data(a);
}

static bool get_u32(const struct nlattr *a, uint32_t *out)
{
	if (!a || nla_len(a) < 4)
		return false;
	*out = ntohl(nla_get_u32(a));
	return true;
}

static bool get_u64(struct nlattr *a, uint64_t *out)
{
	if (!a || nla_len(a) < 8)
		return false;
	*out = be64toh(nla_get_u64(a));
	return true;
}

static const uint8_t *get_bytes(const struct nlattr *a, size_t *len)
{
	*len = a ? (size_t)nla_len(a) : 0;
	return a ? nla_data(a) : NULL;
}

/* --- traces --- */

static int read_verdict(struct nlattr *const a[], struct fg_nft_trace *out)
{
	struct nlattr *v[NFTA_VERDICT_MAX + 1];

	if (out->type == NFT_TRACETYPE_POLICY)
		return get_u32(a[NFTA_TRACE_POLICY], &out->verdict) ? 0 : -1;
	/*
	 * The end of a chain decides nothing, and has no rule; but it may be the message that has
	 * the headers.
	 */
	if (out->type != NFT_TRACETYPE_RULE)
		return 0;
	return a[NFTA_TRACE_VERDICT] &&
			       !nla_parse_nested(v, NFTA_VERDICT_MAX, a[NFTA_TRACE_VERDICT],
						 NULL) &&
			       get_u32(v[NFTA_VERDICT_CODE], &out->verdict) &&
			       get_u64(a[NFTA_TRACE_RULE_HANDLE], &out->handle)
		       ? 0
		       : -1;
}

int fg_nft_trace_read(const struct nlmsghdr *nlh, struct fg_nft_trace *out)
{
	struct nlattr *a[NFTA_TRACE_MAX + 1];
	struct fg_nft_trace t = {};

	if (!is_message(nlh, NFT_MSG_TRACE) ||
	    nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct nfgenmsg), a, NFTA_TRACE_MAX, NULL))
		return -1;
	t.family = family_of(nlh);
	t.table = get_text(a[NFTA_TRACE_TABLE]);
	t.chain = get_text(a[NFTA_TRACE_CHAIN]);
	if (!t.table || !t.chain || !get_u32(a[NFTA_TRACE_ID], &t.id) ||
	    !get_u32(a[NFTA_TRACE_TYPE], &t.type) || read_verdict(a, &t))
		return -1;
	t.network = get_bytes(a[NFTA_TRACE_NETWORK_HEADER], &t.network_len);
	t.transport = get_bytes(a[NFTA_TRACE_TRANSPORT_HEADER], &t.transport_len);
	*out = t;
	return 0;
}

/* --- tables --- */

static int on_table(const struct nlmsghdr *nlh, void *arg)
{
	*(bool *)arg |= is_message(nlh, NFT_MSG_NEWTABLE);
	return 0;
}

bool fg_nft_has_tables(struct nl_sock *sk)
{
	const struct nfgenmsg head = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 };
	FG_NL_MSG struct nl_msg *msg =
		nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_DUMP);
	bool any = false;

	if (!msg || nlmsg_append(msg, (void *)&head, sizeof(head), NLMSG_ALIGNTO))
		return true;
	return fg_rtnl_query(sk, msg, on_table, &any) != 0 || any;
}

bool fg_nft_is_loaded(void)
{
	/* Without modules nothing can be loaded by asking. */
	return !access("/sys/module/nf_tables", F_OK) || access("/proc/modules", F_OK);
}

/* --- chains --- */

struct egress {
	const char *device;
	bool found;
};

/* One name, or a list of them; a part of a name (Linux 6.16) is not read, and taken to fit. */
static bool hooks_device(struct nlattr *const hook[], const char *device)
{
	const char *name = get_text(hook[NFTA_HOOK_DEV]);
	struct nlattr *each;
	int left;

	if (!hook[NFTA_HOOK_DEVS])
		return !name || !strcmp(name, device);
	nla_for_each_nested (each, hook[NFTA_HOOK_DEVS], left) {
		name = nla_type(each) == NFTA_DEVICE_NAME ? get_text(each) : NULL;
		if (!name || !strcmp(name, device))
			return true;
	}
	return false;
}

static int on_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *a[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1];
	struct egress *e = arg;
	const char *table;
	uint32_t number;

	if (!is_message(nlh, NFT_MSG_NEWCHAIN) ||
	    nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct nfgenmsg), a, NFTA_CHAIN_MAX, NULL))
		return 0;
	table = get_text(a[NFTA_CHAIN_TABLE]);
	if (!a[NFTA_CHAIN_HOOK] ||
	    (table && !strncmp(table, FG_NFT_TABLE_PREFIX, strlen(FG_NFT_TABLE_PREFIX))) ||
	    nla_parse_nested(hook, NFTA_HOOK_MAX, a[NFTA_CHAIN_HOOK], NULL))
		return 0;
	if (get_u32(hook[NFTA_HOOK_HOOKNUM], &number) && number == NF_NETDEV_EGRESS)
		e->found |= hooks_device(hook, e->device);
	return 0;
}

bool fg_nft_has_egress(struct nl_sock *sk, const char *device)
{
	const struct nfgenmsg head = { .nfgen_family = NFPROTO_NETDEV, .version = NFNETLINK_V0 };
	FG_NL_MSG struct nl_msg *msg =
		nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, NLM_F_DUMP);
	struct egress e = { .device = device };
	int ret;

	if (!msg || nlmsg_append(msg, (void *)&head, sizeof(head), NLMSG_ALIGNTO))
		return true;
	ret = fg_rtnl_query(sk, msg, on_chain, &e);
	/* A kernel without nf_tables has no chains. */
	return e.found || (ret && ret != -EOPNOTSUPP && ret != -EINVAL);
}

/* --- rules --- */

static void copy_comment(const char *text, size_t len, struct fg_netfilter *by)
{
	len = strnlen(text, len);
	if (len >= sizeof(by->comment))
		len = sizeof(by->comment) - 1;
	memcpy(by->comment, text, len);
	by->comment[len] = '\0';
}

static void read_user_data(const struct nlattr *a, struct fg_netfilter *by)
{
	size_t left, len;
	const uint8_t *at = get_bytes(a, &left);

	for (; left >= 2; at += len, left -= len) {
		len = 2U + at[1];
		if (len > left)
			return;
		if (at[0] == UDATA_COMMENT)
			copy_comment((const char *)at + 2, len - 2, by);
	}
}

/*
 * iptables-nft keeps some comments as a match of their own (struct xt_comment_info is the text
 * alone).
 */
static void read_match(struct nlattr *data, struct fg_netfilter *by)
{
	struct nlattr *m[NFTA_MATCH_MAX + 1];
	const char *name;

	if (nla_parse_nested(m, NFTA_MATCH_MAX, data, NULL))
		return;
	name = get_text(m[NFTA_MATCH_NAME]);
	if (name && !strcmp(name, "comment") && m[NFTA_MATCH_INFO])
		copy_comment(nla_data(m[NFTA_MATCH_INFO]), (size_t)nla_len(m[NFTA_MATCH_INFO]), by);
}

static bool target_rejects(struct nlattr *data)
{
	struct nlattr *t[NFTA_TARGET_MAX + 1];
	const char *name;

	if (nla_parse_nested(t, NFTA_TARGET_MAX, data, NULL))
		return false;
	name = get_text(t[NFTA_TARGET_NAME]);
	return name && !strcmp(name, "REJECT");
}

static void read_expression(struct nlattr *element, struct fg_netfilter *by)
{
	struct nlattr *e[NFTA_EXPR_MAX + 1];
	const char *name;

	if (nla_parse_nested(e, NFTA_EXPR_MAX, element, NULL))
		return;
	name = get_text(e[NFTA_EXPR_NAME]);
	if (!name)
		return;
	if (!strcmp(name, "reject"))
		by->reject = true;
	else if (!strcmp(name, "target") && e[NFTA_EXPR_DATA])
		by->reject |= target_rejects(e[NFTA_EXPR_DATA]);
	else if (!strcmp(name, "match") && e[NFTA_EXPR_DATA])
		read_match(e[NFTA_EXPR_DATA], by);
}

int fg_nft_rule_read(const struct nlmsghdr *nlh, struct fg_netfilter *by)
{
	struct nlattr *a[NFTA_RULE_MAX + 1], *element;
	int left;

	if (!is_message(nlh, NFT_MSG_NEWRULE) ||
	    nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct nfgenmsg), a, NFTA_RULE_MAX, NULL))
		return -1;
	by->reject = false;
	by->comment[0] = '\0';
	if (a[NFTA_RULE_EXPRESSIONS])
		nla_for_each_nested (element, a[NFTA_RULE_EXPRESSIONS], left)
			read_expression(element, by);
	read_user_data(a[NFTA_RULE_USERDATA], by);
	return 0;
}

static int on_rule(const struct nlmsghdr *nlh, void *arg)
{
	return fg_nft_rule_read(nlh, arg);
}

int fg_nft_rule_ask(struct nl_sock *sk, struct fg_netfilter *by)
{
	const struct nfgenmsg head = { .nfgen_family = by->family, .version = NFNETLINK_V0 };
	FG_NL_MSG struct nl_msg *msg =
		nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, 0);

	if (!msg || nlmsg_append(msg, (void *)&head, sizeof(head), NLMSG_ALIGNTO) ||
	    nla_put_string(msg, NFTA_RULE_TABLE, by->table) ||
	    nla_put_string(msg, NFTA_RULE_CHAIN, by->chain) ||
	    nla_put_u64(msg, NFTA_RULE_HANDLE, htobe64(by->handle)))
		return -ENOMEM;
	return fg_rtnl_query(sk, msg, on_rule, by);
}
