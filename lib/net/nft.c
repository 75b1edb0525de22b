// SPDX-License-Identifier: GPL-2.0-only
/* net/nft.c - the table that marks packets for tracing. */
#include "net/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/count.h"
#include "base/buffer.h"

/* Headers before Linux 5.12 lack it. */
#define TABLE_F_OWNER 0x2
/* Bytes of a message with 1024 keys of IPv6, and some to spare. */
#define MESSAGE_MAX (60 * 1024)
/* Where the parts of a key stand: registers of 4 bytes each, side by side. */
#define KEY_V4_LEN 12
#define KEY_V6_LEN 24

/*
 * How nft(8) shows the keys; numbers of its own (include/datatype.h there), which the kernel only
 * stores.
 */
#define SHOWN_IPV4 7U
#define SHOWN_IPV6 8U
#define SHOWN_PROTOCOL 12U
#define SHOWN_PORT 13U
#define SHOWN_BITS 6

/*
 * The kinds of keys: where the address is in the IP header, and where in the transport header
 * the two bytes beside it, which is in one of two places for answers: their destination port, or an
 * echo's identifier.
 */
static const struct kind {
	const char *set;
	uint16_t family, ethertype;
	bool answers;
	uint32_t id, key_len, addr_offset, addr_len, port_offsets[2], shown;
} kinds[] = {
	{ "probes4", AF_INET, ETH_P_IP, false, 1, KEY_V4_LEN, 12, 4, { 0, 0 }, SHOWN_IPV4 },
	{ "probes6", AF_INET6, ETH_P_IPV6, false, 2, KEY_V6_LEN, 8, 16, { 0, 0 }, SHOWN_IPV6 },
	{ "answers4", AF_INET, ETH_P_IP, true, 3, KEY_V4_LEN, 16, 4, { 2, 4 }, SHOWN_IPV4 },
	{ "answers6", AF_INET6, ETH_P_IPV6, true, 4, KEY_V6_LEN, 24, 16, { 2, 4 }, SHOWN_IPV6 },
};
#define KINDS COUNT(kinds)

/* --- batches: nf_tables takes changes only between two marks, all of them or none --- */

struct batch {
	struct fg_buffer bytes;
	uint32_t sequence, acks;
};

static struct nl_msg *message(int type, int flags, uint8_t family, uint16_t res_id)
{
	const struct nfgenmsg head = { .nfgen_family = family,
				       .version = NFNETLINK_V0,
				       .res_id = htons(res_id) };
	struct nl_msg *msg = nlmsg_alloc_size(MESSAGE_MAX);

	if (!msg || !nlmsg_put(msg, 0, 0, type, 0, NLM_F_REQUEST | flags) ||
	    nlmsg_append(msg, (void *)&head, sizeof(head), NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static struct nl_msg *table_message(int type, int flags, uint8_t family)
{
	return message(NFNL_SUBSYS_NFTABLES << 8 | type, flags | NLM_F_ACK, family, 0);
}

/* Takes msg; failed: it is not whole. */
static void add(struct batch *batch, struct nl_msg *msg, bool failed)
{
	struct nlmsghdr *nlh = msg ? nlmsg_hdr(msg) : NULL;

	if (!msg || failed) {
		batch->bytes.failed = true;
	} else {
		nlh->nlmsg_seq = ++batch->sequence;
		batch->acks += (nlh->nlmsg_flags & NLM_F_ACK) != 0;
		fg_buffer_put(&batch->bytes, nlh, NLMSG_ALIGN(nlh->nlmsg_len));
	}
	nlmsg_free(msg);
}

static void add_mark(struct batch *batch, int type)
{
	add(batch, message(type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES), false);
}

struct answer {
	uint32_t acks;
	int error;
};

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct answer *a = arg;

	(void)msg;
	a->acks++;
	return NL_OK;
}

static int on_error(struct sockaddr_nl *addr, struct nlmsgerr *e, void *arg)
{
	struct answer *a = arg;

	(void)addr;
	/* The first is what went wrong; others may follow from it. */
	if (!a->error)
		a->error = e->error;
	return NL_SKIP;
}

static int await(struct nl_sock *sk, uint32_t acks)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	struct answer answer = {};
	int ret = 0;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, &answer);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, &answer);
	while (ret >= 0 && !answer.error && answer.acks < acks)
		ret = nl_recvmsgs(sk, cb);
	nl_cb_put(cb);
	return answer.error ? answer.error : ret < 0 ? -EIO : 0;
}

static int send_batch(struct nl_sock *sk, struct batch *batch)
{
	int ret;

	add_mark(batch, NFNL_MSG_BATCH_END);
	if (batch->bytes.failed)
		ret = -ENOMEM;
	else
		ret = nl_sendto(sk, batch->bytes.data, batch->bytes.len) < 0
			      ? -EIO
			      : await(sk, batch->acks);
	fg_buffer_free(&batch->bytes);
	return ret;
}

/* --- the table and its sets --- */

static void add_set(struct batch *batch, uint8_t family, const char *table, const struct kind *k)
{
	uint32_t shown = k->shown << 2 * SHOWN_BITS | SHOWN_PROTOCOL << SHOWN_BITS | SHOWN_PORT;
	struct nl_msg *msg = table_message(NFT_MSG_NEWSET, NLM_F_CREATE, family);

	add(batch, msg,
	    !msg || nla_put_string(msg, NFTA_SET_TABLE, table) ||
		    nla_put_string(msg, NFTA_SET_NAME, k->set) ||
		    nla_put_u32(msg, NFTA_SET_ID, htonl(k->id)) ||
		    nla_put_u32(msg, NFTA_SET_FLAGS, 0) ||
		    nla_put_u32(msg, NFTA_SET_KEY_TYPE, htonl(shown)) ||
		    nla_put_u32(msg, NFTA_SET_KEY_LEN, htonl(k->key_len)));
}

/* Without replies only what the probes' own keys need: each packet passes each rule. */
static size_t kinds_for(bool answers)
{
	return answers ? KINDS : KINDS / 2;
}

int fg_nft_table_make(struct nl_sock *sk, uint8_t family, const char *table, bool answers)
{
	struct batch batch = {};
	struct nl_msg *msg;

	add_mark(&batch, NFNL_MSG_BATCH_BEGIN);
	msg = table_message(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, family);
	add(&batch, msg,
	    !msg || nla_put_string(msg, NFTA_TABLE_NAME, table) ||
		    nla_put_u32(msg, NFTA_TABLE_FLAGS, htonl(TABLE_F_OWNER)));
	for (size_t i = 0; i < kinds_for(answers); i++)
		add_set(&batch, family, table, &kinds[i]);
	return send_batch(sk, &batch);
}

int fg_nft_table_delete(struct nl_sock *sk, uint8_t family, const char *table)
{
	struct batch batch = {};
	struct nl_msg *msg;

	add_mark(&batch, NFNL_MSG_BATCH_BEGIN);
	msg = table_message(NFT_MSG_DELTABLE, 0, family);
	add(&batch, msg, !msg || nla_put_string(msg, NFTA_TABLE_NAME, table));
	return send_batch(sk, &batch);
}

/* --- the chain and its rules --- */

/* One expression of a rule: open, then attributes, then close. NULL: no room. */
struct expression {
	struct nlattr *element, *data;
};

static int expression_open(struct nl_msg *msg, const char *name, struct expression *out)
{
	out->element = nla_nest_start(msg, NFTA_LIST_ELEM | NLA_F_NESTED);
	if (!out->element || nla_put_string(msg, NFTA_EXPR_NAME, name))
		return -1;
	out->data = nla_nest_start(msg, NFTA_EXPR_DATA | NLA_F_NESTED);
	return out->data ? 0 : -1;
}

static int expression_close(struct nl_msg *msg, const struct expression *e)
{
	return nla_nest_end(msg, e->data) || nla_nest_end(msg, e->element) ? -1 : 0;
}

static int put_data(struct nl_msg *msg, int type, const void *bytes, int len)
{
	struct nlattr *data = nla_nest_start(msg, type | NLA_F_NESTED);

	if (!data || nla_put(msg, NFTA_DATA_VALUE, len, bytes))
		return -1;
	return nla_nest_end(msg, data);
}

/* Between a register and what the kernel knows of the packet. */
static int put_meta(struct nl_msg *msg, uint32_t key, int direction, uint32_t reg)
{
	struct expression e;

	return expression_open(msg, "meta", &e) || nla_put_u32(msg, NFTA_META_KEY, htonl(key)) ||
	       nla_put_u32(msg, direction, htonl(reg)) || expression_close(msg, &e);
}

static int put_compare(struct nl_msg *msg, uint32_t reg, uint16_t value)
{
	const uint16_t wire = htons(value);
	struct expression e;

	return expression_open(msg, "cmp", &e) || nla_put_u32(msg, NFTA_CMP_SREG, htonl(reg)) ||
	       nla_put_u32(msg, NFTA_CMP_OP, htonl(NFT_CMP_EQ)) ||
	       put_data(msg, NFTA_CMP_DATA, &wire, sizeof(wire)) || expression_close(msg, &e);
}

static int put_payload(struct nl_msg *msg, uint32_t base, uint32_t offset, uint32_t len,
		       uint32_t reg)
{
	struct expression e;

	return expression_open(msg, "payload", &e) ||
	       nla_put_u32(msg, NFTA_PAYLOAD_DREG, htonl(reg)) ||
	       nla_put_u32(msg, NFTA_PAYLOAD_BASE, htonl(base)) ||
	       nla_put_u32(msg, NFTA_PAYLOAD_OFFSET, htonl(offset)) ||
	       nla_put_u32(msg, NFTA_PAYLOAD_LEN, htonl(len)) || expression_close(msg, &e);
}

static int put_lookup(struct nl_msg *msg, const char *set, uint32_t reg)
{
	struct expression e;

	return expression_open(msg, "lookup", &e) || nla_put_string(msg, NFTA_LOOKUP_SET, set) ||
	       nla_put_u32(msg, NFTA_LOOKUP_SREG, htonl(reg)) || expression_close(msg, &e);
}

static int put_one(struct nl_msg *msg, uint32_t reg)
{
	const uint8_t one = 1;
	struct expression e;

	return expression_open(msg, "immediate", &e) ||
	       nla_put_u32(msg, NFTA_IMMEDIATE_DREG, htonl(reg)) ||
	       put_data(msg, NFTA_IMMEDIATE_DATA, &one, sizeof(one)) || expression_close(msg, &e);
}

/* ip saddr . meta l4proto . th sport @probes meta nftrace set 1 */
static int put_expressions(struct nl_msg *msg, const struct kind *k, uint32_t port_offset)
{
	struct nlattr *list = nla_nest_start(msg, NFTA_RULE_EXPRESSIONS | NLA_F_NESTED);
	uint32_t first = NFT_REG32_00, next = first + k->addr_len / 4;

	if (!list || put_meta(msg, NFT_META_PROTOCOL, NFTA_META_DREG, NFT_REG_1) ||
	    put_compare(msg, NFT_REG_1, k->ethertype) ||
	    put_payload(msg, NFT_PAYLOAD_NETWORK_HEADER, k->addr_offset, k->addr_len, first) ||
	    put_meta(msg, NFT_META_L4PROTO, NFTA_META_DREG, next) ||
	    put_payload(msg, NFT_PAYLOAD_TRANSPORT_HEADER, port_offset, 2, next + 1) ||
	    put_lookup(msg, k->set, first) || put_one(msg, NFT_REG_1) ||
	    put_meta(msg, NFT_META_NFTRACE, NFTA_META_SREG, NFT_REG_1))
		return -1;
	return nla_nest_end(msg, list);
}

static int put_hook(struct nl_msg *msg, const struct fg_nft_hook *hook)
{
	struct nlattr *nest = nla_nest_start(msg, NFTA_CHAIN_HOOK | NLA_F_NESTED);

	if (!nest || nla_put_u32(msg, NFTA_HOOK_HOOKNUM, htonl(hook->number)) ||
	    nla_put_u32(msg, NFTA_HOOK_PRIORITY, htonl((uint32_t)INT_MIN)) ||
	    (hook->device && nla_put_string(msg, NFTA_HOOK_DEV, hook->device)))
		return -1;
	return nla_nest_end(msg, nest);
}

static void add_rule(struct batch *batch, uint8_t family, const char *table, const char *chain,
		     const struct kind *k, uint32_t port_offset)
{
	struct nl_msg *msg = table_message(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family);

	add(batch, msg,
	    !msg || nla_put_string(msg, NFTA_RULE_TABLE, table) ||
		    nla_put_string(msg, NFTA_RULE_CHAIN, chain) ||
		    put_expressions(msg, k, port_offset));
}

int fg_nft_chain_make(struct nl_sock *sk, const struct fg_nft_hook *hook, const char *table,
		      const char *chain, bool answers)
{
	struct batch batch = {};
	struct nl_msg *msg;

	add_mark(&batch, NFNL_MSG_BATCH_BEGIN);
	msg = table_message(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, hook->family);
	add(&batch, msg,
	    !msg || nla_put_string(msg, NFTA_CHAIN_TABLE, table) ||
		    nla_put_string(msg, NFTA_CHAIN_NAME, chain) || put_hook(msg, hook) ||
		    nla_put_u32(msg, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT)) ||
		    nla_put_string(msg, NFTA_CHAIN_TYPE, "filter"));
	for (size_t i = 0; i < kinds_for(answers); i++)
		for (size_t j = 0; j < 1U + kinds[i].answers; j++)
			add_rule(&batch, hook->family, table, chain, &kinds[i],
				 kinds[i].port_offsets[j]);
	return send_batch(sk, &batch);
}

/* --- the sets' elements --- */

/* As the rule lays it out in registers: each part from a multiple of 4 on. */
static void key_bytes(const struct kind *k, const struct fg_nft_key *key, uint8_t out[KEY_V6_LEN])
{
	memset(out, 0, KEY_V6_LEN);
	memcpy(out, key->addr, k->addr_len);
	out[k->addr_len] = key->protocol;
	memcpy(out + k->addr_len + 4, key->source, 2);
}

static int put_element(struct nl_msg *msg, const struct kind *k, const struct fg_nft_key *key)
{
	struct nlattr *element = nla_nest_start(msg, NFTA_LIST_ELEM | NLA_F_NESTED);
	uint8_t bytes[KEY_V6_LEN];

	key_bytes(k, key, bytes);
	if (!element || put_data(msg, NFTA_SET_ELEM_KEY, bytes, (int)k->key_len))
		return -1;
	return nla_nest_end(msg, element);
}

static bool fits(const struct kind *k, const struct fg_nft_key *key)
{
	return key->family == k->family && key->answer == k->answers;
}

static int put_elements(struct nl_msg *msg, const struct kind *k, const struct fg_nft_key *keys,
			size_t count)
{
	struct nlattr *list = nla_nest_start(msg, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);

	if (!list)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (fits(k, &keys[i]) && put_element(msg, k, &keys[i]))
			return -1;
	return nla_nest_end(msg, list);
}

static struct nl_msg *elements_message(int type, int flags, uint8_t family, const char *table,
				       const struct kind *k)
{
	struct nl_msg *msg = table_message(type, flags, family);

	if (msg && (nla_put_string(msg, NFTA_SET_ELEM_LIST_TABLE, table) ||
		    nla_put_string(msg, NFTA_SET_ELEM_LIST_SET, k->set))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static bool any_of(const struct kind *k, const struct fg_nft_key *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fits(k, &keys[i]))
			return true;
	return false;
}

int fg_nft_keys_put(struct nl_sock *sk, uint8_t family, const char *table,
		    const struct fg_nft_key *keys, size_t count, bool forget, bool answers)
{
	struct batch batch = {};

	add_mark(&batch, NFNL_MSG_BATCH_BEGIN);
	for (size_t i = 0; i < kinds_for(answers); i++) {
		const struct kind *k = &kinds[i];
		struct nl_msg *msg;

		/* Without elements it empties the set. */
		if (forget)
			add(&batch, elements_message(NFT_MSG_DELSETELEM, 0, family, table, k),
			    false);
		if (!any_of(k, keys, count))
			continue;
		msg = elements_message(NFT_MSG_NEWSETELEM, NLM_F_CREATE, family, table, k);
		add(&batch, msg, !msg || put_elements(msg, k, keys, count));
	}
	return send_batch(sk, &batch);
}
