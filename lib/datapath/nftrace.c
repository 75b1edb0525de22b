// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/nftrace.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "header/dissect.h"
#include "base/fd.h"
#include "base/grow.h"

#define ETHERNET_LEN 14
/*
 * Some 100 rules for each of 64 packets, at 2 KiB a message; what does not fit is lost, and said to
 * be.
 */
#define RECEIVE_BYTES (16 << 20)
/* When the sets hold this many keys they are emptied: a batch that only adds costs less. */
#define KEYS_MAX 8192
/* Messages of one packet come close together; an older one in the same place is done with. */
#define IDS 1024
#define ANSWER (1U << 31)
#define FAMILIES_MAX 3
#define ASKED_MAX 32

/* A namespace. */
struct space {
	uint32_t inode;
	struct nl_sock *tables; /* owns the tables, and asks for rules; owned */
	struct nl_sock *events; /* owned */
	uint8_t families[FAMILIES_MAX];
	size_t family_count;
	struct hook {
		uint8_t family;
		uint32_t number;
		char device[IFNAMSIZ];
	} * hooks; /* owned */
	size_t hook_count;
	struct {
		uint32_t id, probe; /* probe: from 1 on, or that number with ANSWER; 0: empty */
	} ids[IDS];
};

/* ALIKE: its headers were also another probe's. */
enum found { FOUND_NONE, FOUND_ONE, FOUND_SEVERAL, FOUND_ALIKE };

struct fg_nftrace {
	char table[sizeof(FG_NFT_TABLE_PREFIX) + 8];
	struct space **spaces; /* each owned */
	size_t space_count;
	uint32_t window, count;	   /* room for probes, and how many are expected */
	struct fg_nft_mark *marks; /* by probe; key.family 0: it cannot be known again */
	struct fg_nft_key *keys;
	/* By probe: what dropped it; and after these, by probe, what dropped the reply to it. */
	struct fg_netfilter *rules;
	uint8_t *found; /* the same: enum found */
	bool answers;	/* they are traced too */
	size_t keys_put;
	bool lost; /* messages of this window */
	uint32_t asked[ASKED_MAX];
	size_t asked_count; /* probes whose rules were asked for in this window */
	uint8_t *buffer;
};
#define BUFFER_LEN (64 * 1024)

static void space_free(struct space *s)
{
	if (!s)
		return;
	nl_socket_free(s->events);
	nl_socket_free(s->tables);
	free(s->hooks);
	free(s);
}

void fg_nftrace_free(struct fg_nftrace *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->space_count; i++)
		space_free(t->spaces[i]);
	free(t->spaces);
	free(t->marks);
	free(t->keys);
	free(t->rules);
	free(t->found);
	free(t->buffer);
	free(t);
}

struct fg_nftrace *fg_nftrace_new(uint32_t window, struct fg_error *err)
{
	struct fg_nftrace *t = calloc(1, sizeof(*t));
	uint32_t number;

	if (t) {
		t->window = window;
		t->marks = calloc(window, sizeof(*t->marks));
		t->keys = calloc(2UL * window, sizeof(*t->keys));
		t->rules = calloc(2UL * window, sizeof(*t->rules));
		t->found = calloc(2UL * window, sizeof(*t->found));
		t->buffer = malloc(BUFFER_LEN);
	}
	if (!t || !t->marks || !t->keys || !t->rules || !t->found || !t->buffer) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "netfilter trace");
		fg_nftrace_free(t);
		return NULL;
	}
	/* Several runs at a time have a table each. */
	if (getrandom(&number, sizeof(number), 0) < 0) {
		fg_fail_errno(err, FG_ERR_INTERNAL, errno, "random bytes");
		fg_nftrace_free(t);
		return NULL;
	}
	snprintf(t->table, sizeof(t->table), FG_NFT_TABLE_PREFIX "%08x", number);
	return t;
}

void fg_nftrace_follow_answers(struct fg_nftrace *trace)
{
	trace->answers = true;
}

/* --- watching --- */

static int refuse(struct fg_error *err, const char *where, int code)
{
	if (code != -EOPNOTSUPP && code != -EPROTONOSUPPORT && code != -EAFNOSUPPORT &&
	    code != -EINVAL)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -code,
				     "--trace-netfilter: make a table in %s", where);
	return fg_fail(
		err, FG_ERR_UNSUPPORTED,
		"--trace-netfilter: this kernel has no nf_tables, or its tables cannot have an "
		"owner (Linux 5.12)");
}

static int open_events(struct space *s, int netns, struct fg_error *err)
{
	const int bytes = RECEIVE_BYTES, on = 1;
	int fd;

	s->tables = fg_rtnl_open_protocol(netns, NETLINK_NETFILTER, err);
	s->events = s->tables ? fg_rtnl_open_protocol(netns, NETLINK_NETFILTER, err) : NULL;
	if (!s->events)
		return fg_error_prefix(err, "--trace-netfilter");
	fd = nl_socket_get_fd(s->events);
	/* An acknowledgement need not hold all that it acknowledges. */
	if (setsockopt(nl_socket_get_fd(s->tables), SOL_NETLINK, NETLINK_CAP_ACK, &on,
		       sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "netfilter trace: socket");
	if (nl_socket_add_membership(s->events, NFNLGRP_NFTRACE))
		return fg_fail(err, FG_ERR_UNSUPPORTED,
			       "--trace-netfilter: this kernel has no nf_tables");
	return 0;
}

static struct space *find_space(struct fg_nftrace *t, int netns, uint32_t inode,
				struct fg_error *err)
{
	struct space **next, *s;

	for (size_t i = 0; i < t->space_count; i++)
		if (t->spaces[i]->inode == inode)
			return t->spaces[i];
	next = FG_GROW(t->spaces, t->space_count, 1, "netfilter trace", err);
	if (!next)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "netfilter trace");
		return NULL;
	}
	s->inode = inode;
	if (open_events(s, netns, err)) {
		space_free(s);
		return NULL;
	}
	*next = s;
	t->space_count++;
	return s;
}

void fg_nftrace_stop(struct fg_nftrace *trace)
{
	for (size_t i = 0; i < trace->space_count; i++) {
		struct space *s = trace->spaces[i];

		/* One that is not removed now goes with its socket. */
		for (size_t k = 0; k < s->family_count; k++)
			fg_nft_table_delete(s->tables, s->families[k], trace->table);
		s->family_count = s->hook_count = 0;
	}
	trace->keys_put = 0;
}

static bool is_watched(const struct space *s, const struct fg_nft_hook *hook)
{
	for (size_t i = 0; i < s->hook_count; i++)
		if (s->hooks[i].family == hook->family && s->hooks[i].number == hook->number &&
		    !strcmp(s->hooks[i].device, hook->device ? hook->device : ""))
			return true;
	return false;
}

static int make_table(const struct fg_nftrace *t, struct space *s, uint8_t family)
{
	int ret;

	for (size_t i = 0; i < s->family_count; i++)
		if (s->families[i] == family)
			return 0;
	ret = fg_nft_table_make(s->tables, family, t->table, t->answers);
	if (!ret)
		s->families[s->family_count++] = family;
	return ret;
}

static int make_chain(const struct fg_nftrace *t, struct space *s, const struct fg_nft_hook *hook)
{
	struct hook *next = FG_GROW(s->hooks, s->hook_count, 1, "netfilter trace", NULL);
	char chain[32];
	int ret;

	if (!next)
		return -ENOMEM;
	snprintf(chain, sizeof(chain), "trace%zu", s->hook_count);
	ret = make_table(t, s, hook->family);
	if (!ret)
		ret = fg_nft_chain_make(s->tables, hook, t->table, chain, t->answers);
	if (ret)
		return ret;
	s->hook_count++;
	*next = (struct hook){ .family = hook->family, .number = hook->number };
	snprintf(next->device, sizeof(next->device), "%s", hook->device ? hook->device : "");
	return 0;
}

int fg_nftrace_watch(struct fg_nftrace *t, int netns, uint32_t inode, const char *where,
		     const struct fg_nft_hook *hook, struct fg_error *err)
{
	struct space *s = find_space(t, netns, inode, err);
	int ret;

	if (!s)
		return -1;
	if (is_watched(s, hook))
		return 0;
	ret = make_chain(t, s, hook);
	if ((ret == -EOPNOTSUPP || ret == -EAFNOSUPPORT) && hook->family != NFPROTO_INET)
		return 0;
	return ret ? refuse(err, where, ret) : 0;
}

/* --- what is expected --- */

static bool mark_of(const struct fg_probe *probe, struct fg_nft_mark *out)
{
	size_t len = 0;
	const uint8_t *part;

	if (!probe->frame.count)
		return false;
	part = fg_frame_part(&probe->frame, 0, &len);
	return len > ETHERNET_LEN &&
	       fg_nft_mark_packet(part + ETHERNET_LEN, len - ETHERNET_LEN, out);
}

static bool same_key(const struct fg_nft_key *a, const struct fg_nft_key *b)
{
	return a->family == b->family && a->protocol == b->protocol &&
	       !memcmp(a->source, b->source, sizeof(a->source)) &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

/* Receives one datagram. Returns its length, 0 if there is none. */
static size_t receive(struct fg_nftrace *t, const struct space *s)
{
	ssize_t n;

	do {
		n = recv(nl_socket_get_fd(s->events), t->buffer, BUFFER_LEN, MSG_DONTWAIT);
		if (n < 0 && errno == ENOBUFS)
			t->lost = true;
	} while (n < 0 && (errno == ENOBUFS || errno == EINTR));
	return n > 0 ? (size_t)n : 0;
}

/* What came since the last window is about nothing that is expected now. */
static void forget(struct fg_nftrace *t)
{
	for (size_t i = 0; i < t->space_count; i++) {
		while (receive(t, t->spaces[i]) > 0)
			;
		memset(t->spaces[i]->ids, 0, sizeof(t->spaces[i]->ids));
	}
	memset(t->found, FOUND_NONE, 2UL * t->window * sizeof(*t->found));
	t->lost = false;
	t->asked_count = 0;
}

static size_t answer_keys(const struct fg_nftrace *t, struct fg_nft_key *keys)
{
	size_t count = 0;

	for (uint32_t i = 0; t->answers && i < t->count; i++)
		if (t->marks[i].key.family && fg_nft_answer_key(&t->marks[i], &keys[count]) &&
		    (!count || !same_key(&keys[count - 1], &keys[count])))
			count++;
	return count;
}

int fg_nftrace_expect(struct fg_nftrace *t, const struct fg_probe *probes, uint32_t count,
		      struct fg_error *err)
{
	size_t keys = 0;
	bool empty;

	forget(t);
	t->count = count < t->window ? count : t->window;
	for (uint32_t i = 0; i < t->count; i++) {
		t->marks[i].key.family = 0;
		if (!mark_of(&probes[i], &t->marks[i]))
			t->marks[i].key.family = 0;
		else if (!keys || !same_key(&t->keys[keys - 1], &t->marks[i].key))
			t->keys[keys++] = t->marks[i].key;
	}
	keys += answer_keys(t, t->keys + keys);
	empty = t->keys_put + keys > KEYS_MAX;
	t->keys_put = (empty ? 0 : t->keys_put) + keys;
	for (size_t i = 0; keys && i < t->space_count; i++) {
		const struct space *s = t->spaces[i];

		for (size_t k = 0; k < s->family_count; k++) {
			int ret = fg_nft_keys_put(s->tables, s->families[k], t->table, t->keys,
						  keys, empty, t->answers);

			if (ret)
				return fg_fail_errno(err, FG_ERR_INTERNAL, -ret,
						     "netfilter trace: which packets to trace");
		}
	}
	return 0;
}

/* --- what was seen --- */

static int score_of(const struct fg_nftrace *t, uint32_t index, bool answer,
		    const struct fg_nft_mark *seen)
{
	if (!t->marks[index].key.family)
		return 0;
	return answer ? fg_nft_answer_score(&t->marks[index], seen)
		      : fg_nft_mark_score(&t->marks[index], seen);
}

/* The probe that it is, or (answer) that it answers: from 1 on; 0: none, or more than one. */
static uint32_t find_probe(struct fg_nftrace *t, const struct fg_nft_mark *seen, bool answer)
{
	uint32_t best = 0;
	int most = 0;

	for (uint32_t i = 0; i < t->count; i++) {
		int score = score_of(t, i, answer, seen);

		if (!score || score < most)
			continue;
		best = score > most ? i + 1 : 0;
		most = score;
	}
	for (uint32_t i = 0; most && !best && i < t->count; i++)
		if (score_of(t, i, answer, seen) == most)
			t->found[i + (answer ? t->window : 0)] = FOUND_ALIKE;
	return best;
}

/* The same from a message; a reply is marked as one. */
static uint32_t probe_by_headers(struct fg_nftrace *t, const struct fg_nft_trace *m)
{
	struct fg_nft_mark seen;
	uint32_t probe;

	if (!fg_nft_mark_headers(m->network, m->network_len, m->transport, m->transport_len, &seen))
		return 0;
	probe = find_probe(t, &seen, false);
	if (probe || !t->answers)
		return probe;
	probe = find_probe(t, &seen, true);
	return probe ? probe | ANSWER : 0;
}

/*
 * The headers tell as long as nothing was translated, and the packet's number afterwards; it stays
 * the same in one namespace. Only the first message of a base chain has headers.
 */
static uint32_t probe_of(struct fg_nftrace *t, struct space *s, const struct fg_nft_trace *m)
{
	uint32_t probe = m->network ? probe_by_headers(t, m) : 0, slot = m->id % IDS;
	bool ours = !strcmp(m->table, t->table);

	/* Our own chain is the first: what had the number before has ended. */
	if (probe || (ours && m->network)) {
		s->ids[slot].id = m->id;
		s->ids[slot].probe = probe;
	}
	return probe ? probe : s->ids[slot].id == m->id ? s->ids[slot].probe : 0;
}

static bool same_rule(const struct fg_netfilter *a, const struct fg_netfilter *b)
{
	return a->netns == b->netns && a->family == b->family && a->policy == b->policy &&
	       a->handle == b->handle && !strcmp(a->table, b->table) && !strcmp(a->chain, b->chain);
}

static void note_drop(struct fg_nftrace *t, uint32_t index, uint32_t netns,
		      const struct fg_nft_trace *m)
{
	struct fg_netfilter by = { .netns = netns,
				   .family = m->family,
				   .policy = m->type == NFT_TRACETYPE_POLICY,
				   .handle = m->handle };

	snprintf(by.table, sizeof(by.table), "%s", m->table);
	snprintf(by.chain, sizeof(by.chain), "%s", m->chain);
	if (t->found[index] == FOUND_NONE) {
		t->rules[index] = by;
		t->found[index] = FOUND_ONE;
	} else if (t->found[index] == FOUND_ONE && !same_rule(&t->rules[index], &by)) {
		t->found[index] = FOUND_SEVERAL;
	}
}

static bool decides(const struct fg_nft_trace *m)
{
	return m->type == NFT_TRACETYPE_RULE || m->type == NFT_TRACETYPE_POLICY;
}

static void take_message(struct fg_nftrace *t, struct space *s, const struct nlmsghdr *nlh)
{
	struct fg_nft_trace m;
	uint32_t probe, answer;

	if (fg_nft_trace_read(nlh, &m))
		return;
	probe = probe_of(t, s, &m);
	answer = probe & ANSWER;
	probe &= ~ANSWER;
	if (probe && probe <= t->count && decides(&m) && m.verdict == NF_DROP)
		note_drop(t, probe - 1 + (answer ? t->window : 0), s->inode, &m);
}

void fg_nftrace_take(struct fg_nftrace *t)
{
	for (size_t i = 0; i < t->space_count; i++) {
		struct space *s = t->spaces[i];
		size_t len;

		while ((len = receive(t, s)) > 0) {
			struct nlmsghdr *nlh = (struct nlmsghdr *)t->buffer;
			int left = (int)len;

			for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
				take_message(t, s, nlh);
		}
	}
}

/* --- what it means --- */

/* Many probes die by one rule: it is asked for once a window. */
static void ask_rule(struct fg_nftrace *t, uint32_t index)
{
	struct fg_netfilter *by = &t->rules[index];

	if (by->policy)
		return;
	for (size_t i = 0; i < t->asked_count; i++)
		if (same_rule(&t->rules[t->asked[i]], by)) {
			*by = t->rules[t->asked[i]];
			return;
		}
	for (size_t i = 0; i < t->space_count; i++)
		/* One that is gone meanwhile has no comment any more. */
		if (t->spaces[i]->inode == by->netns)
			fg_nft_rule_ask(t->spaces[i]->tables, by);
	if (t->asked_count < ASKED_MAX)
		t->asked[t->asked_count++] = index;
}

/* The rule that was found for this place in the list; else NULL, and why, if that is known. */
static const struct fg_netfilter *rule_at(struct fg_nftrace *t, uint32_t at, uint32_t netns,
					  const char **why)
{
	*why = NULL;
	if (t->found[at] == FOUND_ONE && (!netns || netns == t->rules[at].netns)) {
		ask_rule(t, at);
		return &t->rules[at];
	}
	if (t->found[at] == FOUND_SEVERAL)
		*why = "more than one netfilter rule dropped copies of it";
	else if (t->found[at] == FOUND_ALIKE)
		*why = "the netfilter trace cannot distinguish it from another packet of this run";
	else if (t->lost)
		*why = "the netfilter trace was cut short: which rule dropped it is not known";
	return NULL;
}

const struct fg_netfilter *fg_nftrace_rule(struct fg_nftrace *trace, uint32_t index, uint32_t netns,
					   const char **why)
{
	*why = NULL;
	return index < trace->count ? rule_at(trace, index, netns, why) : NULL;
}

const struct fg_netfilter *fg_nftrace_answer_rule(struct fg_nftrace *trace, uint32_t index,
						  uint32_t netns, const char **why)
{
	*why = NULL;
	return index < trace->count ? rule_at(trace, index + trace->window, netns, why) : NULL;
}

/* Which rule dropped it; *rule becomes whether one did, if netfilter dropped it at all. */
static void explain(struct fg_nftrace *t, uint32_t at, const struct fg_context *context,
		    struct fg_result *r, enum fg_presence *rule)
{
	const char *why;

	if (!fg_netfilter_dropped(context, r))
		return;
	r->netfilter = rule_at(t, at, r->end ? r->end->event.netns : 0, &why);
	*rule = r->netfilter ? FG_PRESENCE_YES : why ? FG_PRESENCE_UNKNOWN : FG_PRESENCE_NO;
	if (!r->netfilter && !r->reason)
		r->reason =
			why ? why
			    : "no nf_tables rule was seen to drop it: drops by iptables-legacy and "
			      "other parts of netfilter are not traced";
}

void fg_nftrace_explain(struct fg_nftrace *trace, uint32_t index, const struct fg_context *context,
			struct fg_probe *probe)
{
	const struct fg_reply *reply = &probe->result.reply;
	enum fg_presence of_reply;

	if (index >= trace->count)
		return;
	explain(trace, index, context, &probe->result, &probe->trace.rule);
	if (trace->answers && reply->way)
		explain(trace, index + trace->window, reply->back, reply->way, &of_reply);
}
