// SPDX-License-Identifier: GPL-2.0-only
/*
 * cause/queue.c - queues to user space: which there are and who listens
 * (/proc/net/netfilter/nfnetlink_queue), and which the rules of nf_tables ask for.
 */
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "cause/internal.h"
#include "net/nft.h"

#define QUEUES_MAX 64

struct queue {
	unsigned int number, portid, waiting, full, sequence;
};

struct queues {
	struct queue list[QUEUES_MAX];
	size_t count;
};

#define COLUMNS 10

/* The decimal numbers in a line, by column; 0 for what is not a number. Returns how many columns.
 */
static size_t read_columns(char *line, unsigned int out[COLUMNS])
{
	char *rest, *word = strtok_r(line, " \n", &rest);
	size_t count = 0;

	for (; word && count < COLUMNS; word = strtok_r(NULL, " \n", &rest))
		out[count++] = (unsigned int)strtoul(word, NULL, 10);
	return count;
}

/* number, port id, waiting, copy mode, range, dropped: full, and unread; last id, 1 */
static void read_listeners(const struct fg_cause_place *place, struct queues *out)
{
	FG_FILE FILE *file =
		fg_cause_open(place, "/proc/thread-self/net/netfilter/nfnetlink_queue");
	unsigned int n[COLUMNS];
	char line[256];

	while (file && out->count < QUEUES_MAX && fgets(line, sizeof(line), file))
		if (read_columns(line, n) >= 8)
			out->list[out->count++] = (struct queue){ .number = n[0],
								  .portid = n[1],
								  .waiting = n[2],
								  .full = n[5],
								  .sequence = n[7] };
}

static const struct queue *queue_of(const struct queues *queues, unsigned int number)
{
	for (size_t i = 0; i < queues->count; i++)
		if (queues->list[i].number == number)
			return &queues->list[i];
	return NULL;
}

/* sk, protocol, port id, groups, rmem, wmem, dump, locks, drops, inode */
static uint32_t inode_of(const struct fg_cause_place *place, unsigned int portid)
{
	FG_FILE FILE *file = fg_cause_open(place, "/proc/thread-self/net/netlink");
	unsigned int n[COLUMNS];
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (read_columns(line, n) == 10 && n[1] == NETLINK_NETFILTER && n[2] == portid)
			return n[9];
	return 0;
}

/* --- what the rules ask for --- */

struct wanted {
	unsigned int first[QUEUES_MAX], total[QUEUES_MAX];
	size_t count;
};

static void want(struct wanted *w, unsigned int first, unsigned int total)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->first[i] == first && w->total[i] == total)
			return;
	if (w->count == QUEUES_MAX)
		return;
	w->first[w->count] = first;
	w->total[w->count++] = total ? total : 1;
}

static void read_queue(const struct nlattr *data, struct wanted *w)
{
	struct nlattr *tb[NFTA_QUEUE_MAX + 1];

	if (nla_parse_nested(tb, NFTA_QUEUE_MAX, (struct nlattr *)data, NULL) < 0 ||
	    !tb[NFTA_QUEUE_NUM])
		return;
	want(w, ntohs(nla_get_u16(tb[NFTA_QUEUE_NUM])),
	     tb[NFTA_QUEUE_TOTAL] ? ntohs(nla_get_u16(tb[NFTA_QUEUE_TOTAL])) : 1);
}

/* iptables' target, by way of nf_tables: struct xt_NFQ_info begins with the number. */
static void read_target(const struct nlattr *data, struct wanted *w)
{
	struct nlattr *tb[NFTA_TARGET_MAX + 1];
	uint16_t info[2] = { 0, 1 };
	unsigned int revision;

	if (nla_parse_nested(tb, NFTA_TARGET_MAX, (struct nlattr *)data, NULL) < 0 ||
	    !tb[NFTA_TARGET_NAME] || !tb[NFTA_TARGET_INFO] ||
	    nla_strcmp(tb[NFTA_TARGET_NAME], "NFQUEUE") != 0 ||
	    nla_len(tb[NFTA_TARGET_INFO]) < (int)sizeof(info))
		return;
	memcpy(info, nla_data(tb[NFTA_TARGET_INFO]), sizeof(info));
	revision = tb[NFTA_TARGET_REV] ? ntohl(nla_get_u32(tb[NFTA_TARGET_REV])) : 0;
	want(w, info[0], revision ? info[1] : 1);
}

static int on_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *tb[NFTA_RULE_MAX + 1], *expr, *e[NFTA_EXPR_MAX + 1];
	int left;

	if (nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct nfgenmsg), tb, NFTA_RULE_MAX, NULL) <
		    0 ||
	    !tb[NFTA_RULE_EXPRESSIONS])
		return 0;
	nla_for_each_nested (expr, tb[NFTA_RULE_EXPRESSIONS], left) {
		if (nla_parse_nested(e, NFTA_EXPR_MAX, expr, NULL) < 0 || !e[NFTA_EXPR_NAME] ||
		    !e[NFTA_EXPR_DATA])
			continue;
		if (!nla_strcmp(e[NFTA_EXPR_NAME], "queue"))
			read_queue(e[NFTA_EXPR_DATA], arg);
		else if (!nla_strcmp(e[NFTA_EXPR_NAME], "target"))
			read_target(e[NFTA_EXPR_DATA], arg);
	}
	return 0;
}

static void read_wanted(const struct fg_cause_place *place, struct wanted *out)
{
	const struct nfgenmsg gen = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };
	FG_NL_SOCK struct nl_sock *sk = NULL;
	FG_NL_MSG struct nl_msg *msg = NULL;

	if (!fg_nft_is_loaded())
		return;
	sk = fg_rtnl_open_protocol(place->netns, NETLINK_NETFILTER, NULL);
	msg = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, NLM_F_DUMP);
	if (sk && msg && !nlmsg_append(msg, (void *)&gen, sizeof(gen), NLMSG_ALIGNTO))
		fg_rtnl_query(sk, msg, on_rule, out);
}

/* --- which it was --- */

/* " or 7 (pid 12 nginx)": one that it may have been. */
static void add_queue(const struct fg_cause_place *place, const struct queue *q,
		      struct fg_cause *out)
{
	char process[sizeof(out->process)];
	bool first = !out->kind;

	fg_cause_process(place, inode_of(place, q->portid), process, sizeof(process));
	if (first) {
		fg_cause_set(out, FG_CAUSE_QUEUE, NULL, "NFQUEUE %u", q->number);
		snprintf(out->process, sizeof(out->process), "%s", process);
		return;
	}
	/* The first one's process goes beside its number. */
	if (out->process[0])
		fg_cause_add(out, " (%s)", out->process);
	out->process[0] = '\0';
	fg_cause_add(out, " or %u%s%s%s", q->number, process[0] ? " (" : "", process,
		     process[0] ? ")" : "");
}

static void add_number(unsigned int number, struct fg_cause *out)
{
	if (!out->kind)
		fg_cause_set(out, FG_CAUSE_QUEUE, NULL, "NFQUEUE %u", number);
	else
		fg_cause_add(out, " or %u", number);
}

static bool find_refused(const struct fg_cause_place *place, const struct queues *queues,
			 struct fg_cause *out)
{
	struct fg_cause found = {};

	/* One that no packet has gone through yet did not refuse this one. */
	for (size_t i = 0; i < queues->count; i++)
		if (queues->list[i].sequence)
			add_queue(place, &queues->list[i], &found);
	if (!found.kind)
		return false;
	found.how = "refused";
	fg_cause_add(&found, ", refused by the program that listens there");
	*out = found;
	return true;
}

static bool find_unheard(const struct fg_cause_place *place, const struct queues *queues,
			 struct fg_cause *out)
{
	struct fg_cause found = {};
	struct wanted wanted = {};

	read_wanted(place, &wanted);
	for (size_t i = 0; i < wanted.count; i++)
		for (unsigned int n = 0; n < wanted.total[i] && n < QUEUES_MAX; n++)
			if (!queue_of(queues, wanted.first[i] + n))
				add_number(wanted.first[i] + n, &found);
	if (!found.kind)
		return false;
	found.how = "no-listener";
	fg_cause_add(&found, ", no listener");
	*out = found;
	return true;
}

static bool find_full(const struct fg_cause_place *place, const struct queues *queues,
		      struct fg_cause *out)
{
	struct fg_cause found = {};

	for (size_t i = 0; i < queues->count; i++)
		if (queues->list[i].full)
			add_queue(place, &queues->list[i], &found);
	if (!found.kind)
		return false;
	found.how = "full";
	fg_cause_add(&found, ", full");
	*out = found;
	return true;
}

static bool find_waiting(const struct fg_cause_place *place, const struct queues *queues,
			 struct fg_cause *out)
{
	struct fg_cause found = {};

	for (size_t i = 0; i < queues->count; i++)
		if (queues->list[i].waiting)
			add_queue(place, &queues->list[i], &found);
	if (!found.kind)
		return false;
	found.how = "waiting";
	fg_cause_add(&found, ", waiting for the program that listens there");
	*out = found;
	return true;
}

bool fg_cause_find_queue(const struct fg_cause_place *place, struct fg_cause *out)
{
	struct queues queues = {};
	struct fg_cause full;
	bool unheard;

	read_listeners(place, &queues);
	if (!place->symbol)
		return find_waiting(place, &queues, out);
	/* nf_queue() frees what it cannot hand over; later it is user space's word. */
	if (strncmp(place->symbol, "nf_queue", 8) != 0 &&
	    strncmp(place->symbol, "__nf_queue", 10) != 0)
		return find_refused(place, &queues, out);
	unheard = find_unheard(place, &queues, out);
	if (find_full(place, &queues, unheard ? &full : out)) {
		if (!unheard)
			return true;
		/* Which of both it was is not known. */
		out->how = NULL;
		fg_cause_add(out, "; or %.100s", full.what);
	}
	if (unheard)
		return true;
	/* Rules of legacy iptables cannot be asked for. */
	return !queues.count && fg_cause_set(out, FG_CAUSE_QUEUE, "no-listener",
					     "NFQUEUE, no listener on any queue");
}
