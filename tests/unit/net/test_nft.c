// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_nft.c - what nf_tables says of a packet and of a rule, and which probe a traced packet is.
 * Messages are built as the kernel does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <endian.h>

#include "base/count.h"
#include "net/nft.h"

#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>

/* From 10.9.1.2:40000 to 10.9.0.9:7001, udp, identification 0x1234. */
static const uint8_t udp[] = { 0x45, 0,	   0, 32, 0x12, 0x34, 0x40, 0,	 64,  17,   0,
			       0,    10,   9, 1,  2,	10,   9,    0,	 9,   0x9c, 0x40,
			       0x1b, 0x59, 0, 12, 0xab, 0xcd, 'f',  'l', 'o', 'w' };
/* From fd00::2:40000 to fd00::9:443, tcp, sequence number 1. */
static const uint8_t tcp6[] = {
	0x60, 0,    0,	  0,	0,    20, 6, 64, 0xfd, 0, 0, 0, 0,    0, 0,    0,    0, 0, 0, 0,
	0,    0,    0,	  2,	0xfd, 0,  0, 0,	 0,    0, 0, 0, 0,    0, 0,    0,    0, 0, 0, 9,
	0x9c, 0x40, 0x01, 0xbb, 0,    0,  0, 1,	 0,    0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0,
};

static struct nl_msg *message(int type)
{
	const struct nfgenmsg head = { .nfgen_family = NFPROTO_INET };
	struct nl_msg *msg = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | type, 0);

	assert_non_null(msg);
	assert_int_equal(nlmsg_append(msg, (void *)&head, sizeof(head), NLMSG_ALIGNTO), 0);
	return msg;
}

static struct nl_msg *trace_message(uint32_t type)
{
	struct nl_msg *msg = message(NFT_MSG_TRACE);

	nla_put_u32(msg, NFTA_TRACE_NFPROTO, htonl(NFPROTO_IPV4));
	nla_put_u32(msg, NFTA_TRACE_TYPE, htonl(type));
	nla_put_u32(msg, NFTA_TRACE_ID, htonl(0xb843e545));
	nla_put_string(msg, NFTA_TRACE_CHAIN, "forward");
	nla_put_string(msg, NFTA_TRACE_TABLE, "filter");
	return msg;
}

static void put_verdict(struct nl_msg *msg, uint32_t code)
{
	struct nlattr *nest = nla_nest_start(msg, NFTA_TRACE_VERDICT);

	nla_put_u32(msg, NFTA_VERDICT_CODE, htonl(code));
	nla_nest_end(msg, nest);
}

static struct nl_msg *rule_trace(void)
{
	struct nl_msg *msg = trace_message(NFT_TRACETYPE_RULE);

	nla_put_u64(msg, NFTA_TRACE_RULE_HANDLE, htobe64(0x100000007ULL));
	put_verdict(msg, NF_DROP);
	nla_put(msg, NFTA_TRACE_NETWORK_HEADER, 20, udp);
	nla_put(msg, NFTA_TRACE_TRANSPORT_HEADER, 12, udp + 20);
	return msg;
}

static void test_trace_of_rule(void **state)
{
	struct nl_msg *msg = rule_trace();
	struct fg_nft_trace t;

	(void)state;
	assert_int_equal(fg_nft_trace_read(nlmsg_hdr(msg), &t), 0);
	assert_int_equal(t.id, 0xb843e545);
	assert_int_equal(t.family, NFPROTO_INET);
	assert_string_equal(t.table, "filter");
	assert_string_equal(t.chain, "forward");
	assert_int_equal(t.type, NFT_TRACETYPE_RULE);
	assert_int_equal(t.handle, 0x100000007ULL);
	assert_int_equal(t.verdict, NF_DROP);
	assert_int_equal(t.network_len, 20);
	assert_memory_equal(t.network, udp, 20);
	assert_int_equal(t.transport_len, 12);
	assert_memory_equal(t.transport, udp + 20, 12);
	nlmsg_free(msg);
}

static void test_trace_of_policy(void **state)
{
	struct nl_msg *msg = trace_message(NFT_TRACETYPE_POLICY);
	struct fg_nft_trace t;

	(void)state;
	/* A policy that is not told is not a drop. */
	assert_int_equal(fg_nft_trace_read(nlmsg_hdr(msg), &t), -1);
	nla_put_u32(msg, NFTA_TRACE_POLICY, htonl(NF_ACCEPT));
	assert_int_equal(fg_nft_trace_read(nlmsg_hdr(msg), &t), 0);
	assert_int_equal(t.verdict, NF_ACCEPT);
	assert_null(t.network);
	nlmsg_free(msg);
}

static void test_trace_of_end(void **state)
{
	struct nl_msg *msg = trace_message(NFT_TRACETYPE_RETURN);
	struct fg_nft_trace t;

	(void)state;
	nla_put(msg, NFTA_TRACE_NETWORK_HEADER, 20, udp);
	assert_int_equal(fg_nft_trace_read(nlmsg_hdr(msg), &t), 0);
	assert_int_equal(t.network_len, 20);
	nlmsg_free(msg);
}

static void test_trace_lacks(void **state)
{
	static const int needed[] = {
		NFTA_TRACE_TYPE,  NFTA_TRACE_ID,	  NFTA_TRACE_CHAIN,
		NFTA_TRACE_TABLE, NFTA_TRACE_RULE_HANDLE, NFTA_TRACE_VERDICT
	};
	struct fg_nft_trace t = { .id = 5 };

	(void)state;
	for (size_t i = 0; i < COUNT(needed); i++) {
		struct nl_msg *msg = rule_trace();
		struct nlattr *a =
			nlmsg_find_attr(nlmsg_hdr(msg), sizeof(struct nfgenmsg), needed[i]);

		assert_non_null(a);
		a->nla_type = NFTA_TRACE_PAD;
		assert_int_equal(fg_nft_trace_read(nlmsg_hdr(msg), &t), -1);
		nlmsg_free(msg);
	}
	/* What is not read leaves the output alone. */
	assert_int_equal(t.id, 5);
}

/* Each copy has exactly its own bytes, so that a reader that goes too far is found. */
static void test_trace_cut(void **state)
{
	struct nl_msg *msg = rule_trace();
	const struct nlmsghdr *whole = nlmsg_hdr(msg);
	struct fg_nft_trace t;

	(void)state;
	for (uint32_t len = NLMSG_HDRLEN; len < whole->nlmsg_len; len++) {
		struct nlmsghdr *cut = malloc(len);

		assert_non_null(cut);
		memcpy(cut, whole, len);
		cut->nlmsg_len = len;
		if (!fg_nft_trace_read(cut, &t))
			assert_true(len >=
				    whole->nlmsg_len - NLMSG_ALIGN(4 + 20) - NLMSG_ALIGN(4 + 12));
		free(cut);
	}
	((struct nlmsghdr *)whole)->nlmsg_type++;
	assert_int_equal(fg_nft_trace_read(whole, &t), -1);
	nlmsg_free(msg);
}

static void test_trace_text_without_end(void **state)
{
	struct nl_msg *msg = message(NFT_MSG_TRACE);
	struct fg_nft_trace t;

	(void)state;
	nla_put_u32(msg, NFTA_TRACE_TYPE, htonl(NFT_TRACETYPE_RETURN));
	nla_put_u32(msg, NFTA_TRACE_ID, 1);
	nla_put_string(msg, NFTA_TRACE_CHAIN, "c");
	nla_put(msg, NFTA_TRACE_TABLE, 4, "fil!");
	assert_int_equal(fg_nft_trace_read(nlmsg_hdr(msg), &t), -1);
	nlmsg_free(msg);
}

/* --- rules --- */

static struct nlattr *open_expression(struct nl_msg *msg, const char *name, struct nlattr **data)
{
	struct nlattr *element = nla_nest_start(msg, NFTA_LIST_ELEM);

	nla_put_string(msg, NFTA_EXPR_NAME, name);
	*data = nla_nest_start(msg, NFTA_EXPR_DATA);
	return element;
}

static void put_extension(struct nl_msg *msg, const char *kind, const char *name, const char *info)
{
	bool match = !strcmp(kind, "match");
	struct nlattr *data, *element = open_expression(msg, kind, &data);
	char room[256] = "";

	memcpy(room, info, strlen(info));
	nla_put_string(msg, match ? NFTA_MATCH_NAME : NFTA_TARGET_NAME, name);
	nla_put(msg, match ? NFTA_MATCH_INFO : NFTA_TARGET_INFO, sizeof(room), room);
	nla_nest_end(msg, data);
	nla_nest_end(msg, element);
}

static void read_rule(struct nl_msg *msg, struct fg_netfilter *by)
{
	memset(by, 'x', sizeof(*by));
	assert_int_equal(fg_nft_rule_read(nlmsg_hdr(msg), by), 0);
	nlmsg_free(msg);
}

static void test_rule_comment(void **state)
{
	static const uint8_t data[] = "\x05\x02zz\x00\x0ano telnet\x00";
	struct nl_msg *msg = message(NFT_MSG_NEWRULE);
	struct fg_netfilter by;

	(void)state;
	nla_put(msg, NFTA_RULE_USERDATA, 4 + 2 + 10, data);
	read_rule(msg, &by);
	assert_string_equal(by.comment, "no telnet");
	assert_false(by.reject);
	/* The length of the last entry says more than there is. */
	msg = message(NFT_MSG_NEWRULE);
	nla_put(msg, NFTA_RULE_USERDATA, 4 + 2 + 9, data);
	read_rule(msg, &by);
	assert_string_equal(by.comment, "");
	/* No NUL at its end. */
	msg = message(NFT_MSG_NEWRULE);
	nla_put(msg, NFTA_RULE_USERDATA, 5, "\0\3abc");
	read_rule(msg, &by);
	assert_string_equal(by.comment, "abc");
}

static void test_rule_of_iptables(void **state)
{
	struct nl_msg *msg = message(NFT_MSG_NEWRULE);
	struct nlattr *list = nla_nest_start(msg, NFTA_RULE_EXPRESSIONS);
	struct fg_netfilter by;

	(void)state;
	put_extension(msg, "match", "tcp", "comment?");
	put_extension(msg, "match", "comment", "from iptables");
	put_extension(msg, "target", "REJECT", "");
	nla_nest_end(msg, list);
	read_rule(msg, &by);
	assert_string_equal(by.comment, "from iptables");
	assert_true(by.reject);
}

static void test_rule_rejects(void **state)
{
	struct nl_msg *msg = message(NFT_MSG_NEWRULE);
	struct nlattr *list = nla_nest_start(msg, NFTA_RULE_EXPRESSIONS), *data, *element;
	struct fg_netfilter by;

	(void)state;
	element = open_expression(msg, "reject", &data);
	nla_nest_end(msg, data);
	nla_nest_end(msg, element);
	nla_nest_end(msg, list);
	read_rule(msg, &by);
	assert_true(by.reject);
	assert_string_equal(by.comment, "");
}

/* --- which probe it is --- */

static struct fg_nft_mark mark(const uint8_t *packet, size_t len)
{
	struct fg_nft_mark m;

	assert_true(fg_nft_mark_packet(packet, len, &m));
	return m;
}

/* As the trace shows the packet. */
static struct fg_nft_mark seen(const uint8_t *packet, size_t header, size_t len)
{
	struct fg_nft_mark m;

	assert_true(fg_nft_mark_headers(packet, header, packet + header, len - header, &m));
	return m;
}

static void test_match_itself(void **state)
{
	struct fg_nft_mark four = mark(udp, sizeof(udp)), six = mark(tcp6, sizeof(tcp6));
	struct fg_nft_mark four_seen = seen(udp, 20, sizeof(udp)),
			   six_seen = seen(tcp6, 40, sizeof(tcp6));

	(void)state;
	assert_int_equal(four.key.protocol, 17);
	assert_memory_equal(four.key.addr, udp + 12, 4);
	assert_memory_equal(four.key.source, "\x9c\x40", 2);
	assert_int_equal(fg_nft_mark_score(&four, &four_seen), 6);
	assert_int_equal(fg_nft_mark_score(&six, &six_seen), 5);
	assert_int_equal(fg_nft_mark_score(&four, &six_seen), 0);
}

static void test_match_translated(void **state)
{
	struct fg_nft_mark probe = mark(udp, sizeof(udp)), other;
	uint8_t packet[sizeof(udp)];

	(void)state;
	/*
	 * Another destination and port, and a checksum that went along: the identification tells.
	 */
	memcpy(packet, udp, sizeof(udp));
	packet[19] = 77;
	packet[22] = 0;
	packet[26]++;
	other = seen(packet, 20, sizeof(packet));
	assert_int_equal(fg_nft_mark_score(&probe, &other), 2);
	/*
	 * The same sender, to elsewhere, and another identification: some other packet of the pod.
	 */
	packet[5]++;
	other = seen(packet, 20, sizeof(packet));
	assert_int_equal(fg_nft_mark_score(&probe, &other), 0);
	/* The same flow, but another packet of it. */
	memcpy(packet, udp, sizeof(udp));
	packet[5]++;
	other = seen(packet, 20, sizeof(packet));
	assert_int_equal(fg_nft_mark_score(&probe, &other), 0);
	/* Another source port. */
	memcpy(packet, udp, sizeof(udp));
	packet[21]++;
	other = seen(packet, 20, sizeof(packet));
	assert_int_equal(fg_nft_mark_score(&probe, &other), 0);
}

static void test_match_translated6(void **state)
{
	struct fg_nft_mark probe = mark(tcp6, sizeof(tcp6)), other;
	uint8_t packet[sizeof(tcp6)];

	(void)state;
	memcpy(packet, tcp6, sizeof(tcp6));
	packet[39] = 77;
	other = seen(packet, 40, sizeof(packet));
	assert_int_equal(fg_nft_mark_score(&probe, &other), 1);
	/* Nothing but the sender is the same: that is not enough. */
	packet[47]++;
	other = seen(packet, 40, sizeof(packet));
	assert_int_equal(fg_nft_mark_score(&probe, &other), 0);
	/* Behind extension headers the protocol is not known; the rest still tells. */
	memcpy(packet, tcp6, sizeof(tcp6));
	packet[6] = 60;
	other = seen(packet, 40, sizeof(packet));
	assert_false(other.protocol_known);
	assert_true(fg_nft_mark_score(&probe, &other) >= 4);
	packet[6] = 17;
	other = seen(packet, 40, sizeof(packet));
	assert_int_equal(fg_nft_mark_score(&probe, &other), 0);
}

static void test_match_unreadable(void **state)
{
	struct fg_nft_mark m;
	uint8_t fragment[sizeof(udp)];

	(void)state;
	memcpy(fragment, udp, sizeof(udp));
	fragment[7] = 1;
	assert_false(fg_nft_mark_packet(fragment, sizeof(fragment), &m));
	assert_false(fg_nft_mark_packet(udp, 19, &m));
	assert_false(fg_nft_mark_packet(udp, 22, &m));
	assert_false(fg_nft_mark_headers(udp, 19, udp + 20, 12, &m));
	assert_false(fg_nft_mark_headers(udp, 20, udp + 20, 3, &m));
	assert_false(fg_nft_mark_headers(udp, 20, NULL, 0, &m));
	assert_false(fg_nft_mark_headers(NULL, 0, udp + 20, 12, &m));
	assert_false(fg_nft_mark_headers(tcp6, 39, tcp6 + 40, 20, &m));
}

/* The answer to the UDP packet above; from somewhere else too, as behind a translation. */
static void test_answers(void **state)
{
	static const uint8_t echo[] = { 0x45, 0, 0,  28, 0, 0, 0, 0, 64, 1, 0, 0, 10, 9,
					1,    2, 10, 9,	 0, 9, 8, 0, 0,	 0, 7, 9, 0,  1 };
	uint8_t back[sizeof(udp)], reply[sizeof(echo)];
	struct fg_nft_mark probe, seen;
	struct fg_nft_key key;

	(void)state;
	memcpy(back, udp, sizeof(back));
	memcpy(back + 12, udp + 16, 4);
	memcpy(back + 16, udp + 12, 4);
	memcpy(back + 20, udp + 22, 2);
	memcpy(back + 22, udp + 20, 2);
	assert_true(fg_nft_mark_packet(udp, sizeof(udp), &probe));
	assert_true(fg_nft_mark_packet(back, sizeof(back), &seen));
	assert_int_equal(fg_nft_answer_score(&probe, &seen), 2);
	assert_int_equal(fg_nft_answer_score(&probe, &probe), 0);
	assert_int_equal(fg_nft_mark_score(&probe, &seen), 0);
	back[15] = 77;
	assert_true(fg_nft_mark_packet(back, sizeof(back), &seen));
	assert_int_equal(fg_nft_answer_score(&probe, &seen), 1);
	back[23] ^= 1;
	assert_true(fg_nft_mark_packet(back, sizeof(back), &seen));
	assert_int_equal(fg_nft_answer_score(&probe, &seen), 0);
	assert_true(fg_nft_answer_key(&probe, &key));
	assert_true(key.answer);
	assert_memory_equal(key.addr, udp + 12, 4);
	assert_memory_equal(key.source, udp + 20, 2);

	/* An echo has its identifier in the place of a port; what is no echo has nothing. */
	memcpy(reply, echo, sizeof(reply));
	memcpy(reply + 12, echo + 16, 4);
	memcpy(reply + 16, echo + 12, 4);
	reply[20] = 0;
	assert_true(fg_nft_mark_packet(echo, sizeof(echo), &probe));
	assert_true(fg_nft_mark_packet(reply, sizeof(reply), &seen));
	assert_int_equal(fg_nft_answer_score(&probe, &seen), 2);
	assert_true(fg_nft_answer_key(&probe, &key));
	assert_memory_equal(key.source, echo + 24, 2);
	reply[25] ^= 1;
	assert_true(fg_nft_mark_packet(reply, sizeof(reply), &seen));
	assert_int_equal(fg_nft_answer_score(&probe, &seen), 0);
	assert_false(fg_nft_answer_key(&seen, &key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_trace_of_rule),
		cmocka_unit_test(test_trace_of_policy),
		cmocka_unit_test(test_trace_of_end),
		cmocka_unit_test(test_trace_lacks),
		cmocka_unit_test(test_trace_cut),
		cmocka_unit_test(test_trace_text_without_end),
		cmocka_unit_test(test_rule_comment),
		cmocka_unit_test(test_rule_of_iptables),
		cmocka_unit_test(test_rule_rejects),
		cmocka_unit_test(test_match_itself),
		cmocka_unit_test(test_match_translated),
		cmocka_unit_test(test_match_translated6),
		cmocka_unit_test(test_match_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
