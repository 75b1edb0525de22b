// SPDX-License-Identifier: GPL-2.0-only
#include "node/hooks.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_hook.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/grow.h"
#include "net/netns.h"
#include "net/nft.h"

/* Not in headers before Linux 6.16. */
#define CHAINTYPE_FLOWTABLE 3
#define DEVICE_PREFIX 2

/* --- the list --- */

static bool same_place(const struct fg_hooks_entry *a, const struct fg_hooks_entry *b)
{
	return a->family == b->family && a->hook == b->hook && !strcmp(a->device, b->device);
}

/* After all at its place that come before it, or run at the same time and were found before. */
static size_t find_place(const struct fg_hooks *hooks, const struct fg_hooks_entry *entry)
{
	size_t end = hooks->count;

	for (size_t i = 0; i < hooks->count; i++) {
		if (!same_place(&hooks->list[i], entry))
			continue;
		if (hooks->list[i].priority > entry->priority)
			return i;
		end = i + 1;
	}
	return end;
}

static int add(struct fg_hooks *out, const struct fg_hooks_entry *entry)
{
	size_t at = find_place(out, entry), behind = out->count - at;

	if (!FG_APPEND(out->list, out->count, "hooks of netfilter", NULL))
		return -1;
	memmove(&out->list[at + 1], &out->list[at], behind * sizeof(*out->list));
	out->list[at] = *entry;
	return 0;
}

/* --- what a function of the kernel is, by its name --- */

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* The tables of iptables-legacy have places of their own (enum nf_ip_hook_priorities). */
static const char *table_of(const struct fg_hooks_entry *e)
{
	static const struct {
		int32_t priority;
		const char *table;
	} tables[] = { { -450, "raw" },
		       { -300, "raw" },
		       { -225, "security" },
		       { -150, "mangle" },
		       { 50, "security" } };

	if (e->family == NFPROTO_BRIDGE)
		return e->priority == -200 ? "filter" : "nat";
	for (size_t i = 0; i < COUNT(tables); i++)
		if (tables[i].priority == e->priority)
			return tables[i].table;
	return "filter";
}

static const char *chain_of(uint8_t family, uint32_t hook)
{
	static const char *const chains[] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT",
					      "POSTROUTING" };

	if (family == NFPROTO_BRIDGE && hook == 5)
		return "BROUTING";
	return hook < COUNT(chains) ? chains[hook] : "?";
}

static void name_legacy(struct fg_hooks_entry *e)
{
	e->kind = FG_HOOKS_LEGACY;
	e->table_family = e->family;
	snprintf(e->table, sizeof(e->table), "%s", table_of(e));
	snprintf(e->chain, sizeof(e->chain), "%s", chain_of(e->family, e->hook));
	/* Where its rules cannot be asked for, it is taken to have some. */
	e->rules = e->family == NFPROTO_BRIDGE;
}

static void classify(struct fg_hooks_entry *e)
{
	static const struct {
		const char *prefix;
		enum fg_hooks_kind kind;
	} prefixes[] = {
		{ "nf_nat_", FG_HOOKS_NAT },
		{ "ip_vs_", FG_HOOKS_IPVS },
		{ "br_nf_", FG_HOOKS_BRIDGE },
		{ "ip_sabotage_in", FG_HOOKS_BRIDGE },
		{ "ipv4_conntrack", FG_HOOKS_CONNTRACK },
		{ "ipv6_conntrack", FG_HOOKS_CONNTRACK },
		{ "ipv4_confirm", FG_HOOKS_CONNTRACK },
		{ "ipv6_confirm", FG_HOOKS_CONNTRACK },
		{ "nf_confirm", FG_HOOKS_CONNTRACK },
		{ "nf_ct_", FG_HOOKS_CONNTRACK },
		{ "ipv6_defrag", FG_HOOKS_CONNTRACK },
		{ "nf_flow_", FG_HOOKS_FLOWTABLE },
	};
	const char *f = e->function;

	if (strstr(f, "t_do_table") || (strstr(f, "table_") && strstr(f, "_hook"))) {
		name_legacy(e);
		return;
	}
	e->kind = FG_HOOKS_OTHER;
	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (begins(f, prefixes[i].prefix))
			e->kind = prefixes[i].kind;
}

/* --- nfnetlink_hook --- */

static void read_chain_name(struct fg_hooks_entry *e, struct nlattr *desc)
{
	struct nlattr *d[NFNLA_CHAIN_MAX + 1];
	const char *table, *chain;

	if (!desc || nla_parse_nested(d, NFNLA_CHAIN_MAX, desc, NULL))
		return;
	table = fg_rtnl_text(d[NFNLA_CHAIN_TABLE]);
	chain = fg_rtnl_text(d[NFNLA_CHAIN_NAME]);
	snprintf(e->table, sizeof(e->table), "%s", table ? table : "");
	snprintf(e->chain, sizeof(e->chain), "%s", chain ? chain : "");
	e->table_family = (uint8_t)fg_rtnl_be32(d[NFNLA_CHAIN_FAMILY]);
}

static void read_program(struct fg_hooks_entry *e, uint32_t id)
{
	FG_FD int fd = id ? bpf_prog_get_fd_by_id(id) : -1;
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	e->kind = FG_HOOKS_BPF;
	e->program = id;
	if (fd >= 0 && !bpf_prog_get_info_by_fd(fd, &info, &len))
		snprintf(e->name, sizeof(e->name), "%s", info.name);
}

static void read_info(struct fg_hooks_entry *e, struct nlattr *nest)
{
	struct nlattr *i[NFNLA_HOOK_INFO_MAX + 1], *d[NFNLA_HOOK_BPF_MAX + 1];

	if (nla_parse_nested(i, NFNLA_HOOK_INFO_MAX, nest, NULL))
		return;
	switch (fg_rtnl_be32(i[NFNLA_HOOK_INFO_TYPE])) {
	case NFNL_HOOK_TYPE_NFTABLES:
		e->kind = FG_HOOKS_NFT;
		read_chain_name(e, i[NFNLA_HOOK_INFO_DESC]);
		break;
	case NFNL_HOOK_TYPE_BPF:
		if (i[NFNLA_HOOK_INFO_DESC] &&
		    !nla_parse_nested(d, NFNLA_HOOK_BPF_MAX, i[NFNLA_HOOK_INFO_DESC], NULL))
			read_program(e, fg_rtnl_be32(d[NFNLA_HOOK_BPF_ID]));
		break;
	case CHAINTYPE_FLOWTABLE:
		e->kind = FG_HOOKS_FLOWTABLE;
		break;
	}
}

static bool is_ours(const struct fg_hooks_entry *e)
{
	return e->kind == FG_HOOKS_NFT && begins(e->table, FG_NFT_TABLE_PREFIX);
}

static int read_hook(const struct nlmsghdr *nlh, uint8_t family, struct fg_hooks *out)
{
	struct fg_hooks_entry e = { .family = family };
	struct nlattr *a[NFNLA_HOOK_MAX + 1];
	const char *text;

	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct nfgenmsg), a, NFNLA_HOOK_MAX, NULL))
		return 0;
	e.hook = fg_rtnl_be32(a[NFNLA_HOOK_HOOKNUM]);
	e.priority = (int32_t)fg_rtnl_be32(a[NFNLA_HOOK_PRIORITY]);
	text = fg_rtnl_text(a[NFNLA_HOOK_DEV]);
	snprintf(e.device, sizeof(e.device), "%s", text ? text : "");
	text = fg_rtnl_text(a[NFNLA_HOOK_FUNCTION_NAME]);
	snprintf(e.function, sizeof(e.function), "%s", text ? text : "");
	text = fg_rtnl_text(a[NFNLA_HOOK_MODULE_NAME]);
	snprintf(e.module, sizeof(e.module), "%s", text ? text : "");
	classify(&e);
	if (a[NFNLA_HOOK_CHAIN_INFO])
		read_info(&e, a[NFNLA_HOOK_CHAIN_INFO]);
	return is_ours(&e) ? 0 : add(out, &e);
}

/* --- chains of nf_tables --- */

/* What the hook's own list does not say of a chain is filled in, wherever it stands. */
static bool fill_in(struct fg_hooks *out, const struct fg_hooks_entry *chain)
{
	bool found = false;

	for (size_t i = 0; i < out->count; i++) {
		struct fg_hooks_entry *e = &out->list[i];

		if (e->kind != FG_HOOKS_NFT || e->table_family != chain->table_family ||
		    !same_place(e, chain) || strcmp(e->table, chain->table) != 0 ||
		    strcmp(e->chain, chain->chain) != 0)
			continue;
		memcpy(e->type, chain->type, sizeof(e->type));
		e->rules = chain->rules;
		e->drops = chain->drops;
		found = true;
	}
	return found;
}

static int place(struct fg_hooks *out, const struct fg_hooks_entry *chain)
{
	return fill_in(out, chain) ? 0 : add(out, chain);
}

static int place_at_device(struct fg_hooks *out, struct fg_hooks_entry *chain,
			   const struct nlattr *name)
{
	const char *text = fg_rtnl_text(name);

	/* The beginning of a name (Linux 6.16): every such device. */
	snprintf(chain->device, sizeof(chain->device), "%s%s", text ? text : "",
		 nla_type(name) == DEVICE_PREFIX ? "*" : "");
	return place(out, chain);
}

static int place_everywhere(struct fg_hooks *out, struct fg_hooks_entry *chain,
			    struct nlattr *const hook[])
{
	struct nlattr *each;
	int left;

	if (hook[NFTA_HOOK_DEVS]) {
		nla_for_each_nested (each, hook[NFTA_HOOK_DEVS], left)
			if (place_at_device(out, chain, each))
				return -1;
		return 0;
	}
	if (chain->table_family != NFPROTO_INET)
		return place(out, chain);
	chain->family = NFPROTO_IPV4;
	if (place(out, chain))
		return -1;
	chain->family = NFPROTO_IPV6;
	return place(out, chain);
}

static int read_chain(const struct nlmsghdr *nlh, struct fg_hooks *out)
{
	const struct nfgenmsg *head = NLMSG_DATA(nlh);
	struct nlattr *a[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1];
	struct fg_hooks_entry e = { .kind = FG_HOOKS_NFT };
	const char *text;

	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*head), a, NFTA_CHAIN_MAX, NULL) ||
	    !a[NFTA_CHAIN_HOOK] || nla_parse_nested(hook, NFTA_HOOK_MAX, a[NFTA_CHAIN_HOOK], NULL))
		return 0;
	e.family = e.table_family = head->nfgen_family;
	e.hook = fg_rtnl_be32(hook[NFTA_HOOK_HOOKNUM]);
	e.priority = (int32_t)fg_rtnl_be32(hook[NFTA_HOOK_PRIORITY]);
	/* Of IP's hooks, ingress is the device's. */
	if (e.family == NFPROTO_INET && e.hook == NF_INET_INGRESS) {
		e.family = NFPROTO_NETDEV;
		e.hook = NF_NETDEV_INGRESS;
	}
	text = fg_rtnl_text(a[NFTA_CHAIN_TABLE]);
	snprintf(e.table, sizeof(e.table), "%s", text ? text : "");
	text = fg_rtnl_text(a[NFTA_CHAIN_NAME]);
	snprintf(e.chain, sizeof(e.chain), "%s", text ? text : "");
	text = fg_rtnl_text(a[NFTA_CHAIN_TYPE]);
	snprintf(e.type, sizeof(e.type), "%s", text ? text : "");
	/* Nothing can jump to a base chain: it is used by its rules alone. */
	e.rules = fg_rtnl_be32(a[NFTA_CHAIN_USE]);
	e.drops = a[NFTA_CHAIN_POLICY] && fg_rtnl_be32(a[NFTA_CHAIN_POLICY]) == NF_DROP;
	return is_ours(&e) ? 0 : place_everywhere(out, &e, hook);
}

int fg_hooks_read(const struct nlmsghdr *nlh, uint8_t family, struct fg_hooks *out)
{
	if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
		return 0;
	if (nlh->nlmsg_type == (NFNL_SUBSYS_HOOK << 8 | NFNL_MSG_HOOK_GET))
		return read_hook(nlh, family, out);
	if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN))
		return read_chain(nlh, out);
	return 0;
}

/* --- asking --- */

struct question {
	struct fg_hooks *out;
	uint8_t family;
};

static int on_message(const struct nlmsghdr *nlh, void *arg)
{
	const struct question *q = arg;

	return fg_hooks_read(nlh, q->family, q->out);
}

/* Returns 0, or a negative errno value. */
static int ask_hook(struct nl_sock *sk, uint8_t family, uint32_t hook, const char *device,
		    struct fg_hooks *out)
{
	const struct nfgenmsg head = { .nfgen_family = family, .version = NFNETLINK_V0 };
	FG_NL_MSG struct nl_msg *msg =
		nlmsg_alloc_simple(NFNL_SUBSYS_HOOK << 8 | NFNL_MSG_HOOK_GET, NLM_F_DUMP);
	struct question q = { out, family };

	if (!msg || nlmsg_append(msg, (void *)&head, sizeof(head), NLMSG_ALIGNTO) ||
	    nla_put_u32(msg, NFNLA_HOOK_HOOKNUM, htonl(hook)) ||
	    (device && nla_put_string(msg, NFNLA_HOOK_DEV, device)))
		return -ENOMEM;
	return fg_rtnl_query(sk, msg, on_message, &q);
}

/* Families that a kernel does not have are skipped; only the first shows whether it answers. */
static int ask_hooks(struct nl_sock *sk, struct fg_hooks *out)
{
	static const uint8_t families[] = { NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_BRIDGE };
	int ret;

	for (size_t i = 0; i < COUNT(families); i++)
		for (uint32_t hook = 0; hook < NF_INET_NUMHOOKS; hook++) {
			ret = ask_hook(sk, families[i], hook, NULL, out);
			if (ret == -ENOMEM || (ret && !i && !hook))
				return ret;
		}
	out->whole = true;
	return 0;
}

static int ask_chains(struct nl_sock *sk, struct fg_hooks *out)
{
	const struct nfgenmsg head = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 };
	struct question q = { out, 0 };
	int ret = -EINTR;

	/* A dump that a change has interrupted is asked for again; what it said stays as it is. */
	for (int tries = 0; ret == -EINTR && tries < 5; tries++) {
		FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(
			NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, NLM_F_DUMP);

		if (!msg || nlmsg_append(msg, (void *)&head, sizeof(head), NLMSG_ALIGNTO))
			return -ENOMEM;
		ret = fg_rtnl_query(sk, msg, on_message, &q);
	}
	/* A kernel without nf_tables has no chains. */
	return ret == -EOPNOTSUPP || ret == -EINVAL ? 0 : ret;
}

/* --- tables of iptables-legacy --- */

#define LEGACY_MAX (1 << 20)

static const struct version {
	uint8_t family;
	int domain, level;
	const char *names;
	size_t target_offset; /* of the field in an entry; next_offset follows */
} versions[] = {
	{ NFPROTO_IPV4, AF_INET, IPPROTO_IP, "/proc/thread-self/net/ip_tables_names",
	  offsetof(struct ipt_entry, target_offset) },
	{ NFPROTO_IPV6, AF_INET6, IPPROTO_IPV6, "/proc/thread-self/net/ip6_tables_names",
	  offsetof(struct ip6t_entry, target_offset) },
};

/* The verdict of the entry at this offset; 0 if there is none. */
static int verdict_at(const uint8_t *table, size_t size, size_t at, const struct version *v)
{
	int verdict = 0;
	uint16_t offset;

	if (at + v->target_offset + 2 > size)
		return 0;
	memcpy(&offset, table + at + v->target_offset, 2);
	if (at + offset + sizeof(struct xt_standard_target) > size)
		return 0;
	memcpy(&verdict, table + at + offset + offsetof(struct xt_standard_target, verdict),
	       sizeof(verdict));
	return verdict;
}

/* The whole table, counters and all: only where something in it depends on a policy. */
static uint8_t *read_entries(int fd, const struct version *v, const struct ipt_getinfo *info)
{
	socklen_t len = (socklen_t)(sizeof(struct ipt_get_entries) + info->size);
	struct ipt_get_entries *get = info->size <= LEGACY_MAX ? calloc(1, len) : NULL;

	if (!get)
		return NULL;
	memcpy(get->name, info->name, sizeof(get->name));
	get->size = info->size;
	/* The numbers are the same for both versions. */
	if (!getsockopt(fd, v->level, IPT_SO_GET_ENTRIES, get, &len))
		return (uint8_t *)get;
	free(get);
	return NULL;
}

static int note_legacy(struct fg_hooks *out, const struct fg_hooks_entry *chain)
{
	for (size_t i = 0; i < out->count; i++) {
		struct fg_hooks_entry *e = &out->list[i];

		if (e->kind != FG_HOOKS_LEGACY || !same_place(e, chain) ||
		    strcmp(e->table, chain->table) != 0)
			continue;
		e->rules = chain->rules;
		e->drops = chain->drops;
		return 0;
	}
	return add(out, chain);
}

static int32_t legacy_priority(const char *table, uint32_t hook)
{
	if (!strcmp(table, "raw"))
		return -300;
	if (!strcmp(table, "mangle"))
		return -150;
	if (!strcmp(table, "nat"))
		return hook == NF_INET_LOCAL_IN || hook == NF_INET_POST_ROUTING ? 100 : -100;
	return strcmp(table, "security") != 0 ? 0 : 50;
}

static int list_legacy_table(int fd, const struct version *v, const char *table,
			     struct fg_hooks *out)
{
	struct ipt_getinfo info = {};
	socklen_t len = sizeof(info);
	FG_FREE uint8_t *entries = NULL;

	snprintf(info.name, sizeof(info.name), "%s", table);
	if (getsockopt(fd, v->level, IPT_SO_GET_INFO, &info, &len))
		return 0;
	entries = read_entries(fd, v, &info);
	for (uint32_t hook = 0; hook < NF_INET_NUMHOOKS; hook++) {
		struct fg_hooks_entry e = { .kind = FG_HOOKS_LEGACY,
					    .family = v->family,
					    .table_family = v->family,
					    .hook = hook,
					    .priority = legacy_priority(table, hook) };

		if (!(info.valid_hooks & 1U << hook))
			continue;
		snprintf(e.table, sizeof(e.table), "%s", table);
		snprintf(e.chain, sizeof(e.chain), "%s", chain_of(v->family, hook));
		/* The chain's policy is its last entry (ipt_entry at underflow). */
		e.rules = info.hook_entry[hook] != info.underflow[hook];
		e.drops = entries && verdict_at(entries + sizeof(struct ipt_get_entries), info.size,
						info.underflow[hook], v) == -NF_DROP - 1;
		if (note_legacy(out, &e))
			return -1;
	}
	return 0;
}

/* In the namespace already. Only tables that are there are asked: to ask is to make one. */
static int list_legacy(struct fg_hooks *out)
{
	char table[XT_TABLE_MAXNAMELEN + 2];

	for (size_t i = 0; i < COUNT(versions); i++) {
		FG_FILE FILE *names = fopen(versions[i].names, "re");
		FG_FD int fd =
			names ? socket(versions[i].domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)
			      : -1;

		while (fd >= 0 && fgets(table, sizeof(table), names)) {
			table[strcspn(table, "\n")] = '\0';
			if (list_legacy_table(fd, &versions[i], table, out))
				return -1;
		}
	}
	return 0;
}

/* --- what else can be found out without nfnetlink_hook --- */

static int list_ipvs(struct fg_hooks *out)
{
	struct fg_hooks_entry e = { .kind = FG_HOOKS_IPVS,
				    .family = NFPROTO_IPV4,
				    .hook = NF_INET_LOCAL_IN,
				    .function = "ip_vs_in" };
	FG_FILE FILE *services = fopen("/proc/thread-self/net/ip_vs", "re");
	char line[256];
	int count = 0;

	/* Three lines of head. */
	while (services && fgets(line, sizeof(line), services))
		count++;
	if (count <= 3)
		return 0;
	if (add(out, &e))
		return -1;
	e.family = NFPROTO_IPV6;
	return add(out, &e);
}

static int list_links(struct fg_hooks *out)
{
	__u32 id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		FG_FD int fd = bpf_link_get_fd_by_id(id);
		struct bpf_link_info info = {};
		__u32 len = sizeof(info);
		struct fg_hooks_entry e = { .elsewhere = true };

		if (fd < 0 || bpf_link_get_info_by_fd(fd, &info, &len) ||
		    info.type != BPF_LINK_TYPE_NETFILTER)
			continue;
		e.family = (uint8_t)info.netfilter.pf;
		e.hook = info.netfilter.hooknum;
		e.priority = info.netfilter.priority;
		read_program(&e, info.prog_id);
		/* flowgen's own, in the stacks of pods (bpf/local.bpf.c), is nobody's policy. */
		if (strcmp(e.name, "fg_local") && add(out, &e))
			return -1;
	}
	return 0;
}

static int list_files(int netns, struct fg_hooks *out, struct fg_error *err)
{
	int back, failed;

	if (fg_netns_enter(netns, &back, err))
		return -1;
	failed = list_legacy(out) || (!out->whole && list_ipvs(out));
	fg_netns_leave(&back);
	if (failed || (!out->whole && list_links(out)))
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "hooks of netfilter");
	return 0;
}

static int list_netlink(int netns, struct fg_hooks *out, struct fg_error *err)
{
	struct fg_error why = {};
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open_protocol(netns, NETLINK_NETFILTER, &why);
	int ret;

	/* A kernel without netfilter does not have these sockets; to be refused one says nothing.
	 */
	if (!sk && why.code == EPROTONOSUPPORT)
		return 0;
	if (!sk)
		return fg_error_pass(err, &why);
	ret = ask_hooks(sk, out);
	if (ret == -ENOMEM || ret == -EPERM)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "hooks of netfilter");
	ret = fg_nft_is_loaded() ? ask_chains(sk, out) : 0;
	return ret ? fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "chains of nf_tables") : 0;
}

int fg_hooks_list(int netns, struct fg_hooks *out, struct fg_error *err)
{
	struct fg_hooks hooks = {};

	if (list_netlink(netns, &hooks, err) || list_files(netns, &hooks, err)) {
		fg_hooks_free(&hooks);
		return -1;
	}
	*out = hooks;
	return 0;
}

int fg_hooks_list_device(int netns, const char *device, struct fg_hooks *hooks,
			 struct fg_error *err)
{
	FG_NL_SOCK struct nl_sock *sk =
		hooks->whole ? fg_rtnl_open_protocol(netns, NETLINK_NETFILTER, err) : NULL;
	struct fg_hooks found = {};
	int ret = 0;

	if (!hooks->whole)
		return 0;
	if (!sk)
		return -1;
	for (uint32_t hook = 0; ret != -ENOMEM && hook < NF_NETDEV_NUMHOOKS; hook++)
		ret = ask_hook(sk, NFPROTO_NETDEV, hook, device, &found);
	/* Chains of nf_tables are known already, and better. */
	for (size_t i = 0; ret != -ENOMEM && i < found.count; i++)
		if (found.list[i].kind != FG_HOOKS_NFT) {
			snprintf(found.list[i].device, sizeof(found.list[i].device), "%s", device);
			ret = add(hooks, &found.list[i]) ? -ENOMEM : 0;
		}
	fg_hooks_free(&found);
	return ret == -ENOMEM ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "hooks of %s", device)
			      : 0;
}
