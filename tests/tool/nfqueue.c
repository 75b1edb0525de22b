// SPDX-License-Identifier: GPL-2.0-only
/*
 * nfqueue.c - a program that reads a netfilter queue, for the tests: nfqueue NUMBER
 * accept|drop|hold. Prints "ready PID", and a line for each packet. It ends when it is killed.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/netns.h"
#include "net/rtnl.h"

static int tell(struct nl_sock *sk, uint16_t queue, int type, int attribute, const void *value,
		int len)
{
	const struct nfgenmsg gen = { .version = NFNETLINK_V0, .res_id = htons(queue) };
	FG_NL_MSG struct nl_msg *msg =
		nlmsg_alloc_simple(NFNL_SUBSYS_QUEUE << 8 | type, NLM_F_REQUEST);

	if (!msg || nlmsg_append(msg, (void *)&gen, sizeof(gen), NLMSG_ALIGNTO) ||
	    nla_put(msg, attribute, len, value))
		return -1;
	nl_complete_msg(sk, msg);
	return nl_send(sk, msg) < 0 ? -1 : 0;
}

/* Without acknowledgments: packets come in between. */
static int listen_to(struct nl_sock *sk, uint16_t queue)
{
	const struct nfqnl_msg_config_cmd bind_to = { .command = NFQNL_CFG_CMD_BIND };
	const struct nfqnl_msg_config_params params = { .copy_range = htonl(100),
							.copy_mode = NFQNL_COPY_PACKET };

	return tell(sk, queue, NFQNL_MSG_CONFIG, NFQA_CFG_CMD, &bind_to, sizeof(bind_to)) ||
	       tell(sk, queue, NFQNL_MSG_CONFIG, NFQA_CFG_PARAMS, &params, sizeof(params));
}

/* Returns 0, or -1 if it is no packet. */
static int answer(struct nl_sock *sk, uint16_t queue, struct nlmsghdr *nlh, uint32_t verdict)
{
	struct nlattr *tb[NFQA_MAX + 1];
	struct nfqnl_msg_packet_hdr packet;
	struct nfqnl_msg_verdict_hdr out = { .verdict = htonl(verdict) };

	if (nlmsg_parse(nlh, sizeof(struct nfgenmsg), tb, NFQA_MAX, NULL) < 0 ||
	    !tb[NFQA_PACKET_HDR] || nla_len(tb[NFQA_PACKET_HDR]) < (int)sizeof(packet))
		return -1;
	memcpy(&packet, nla_data(tb[NFQA_PACKET_HDR]), sizeof(packet));
	printf("packet %u\n", ntohl(packet.packet_id));
	fflush(stdout);
	out.id = packet.packet_id;
	return verdict == NF_QUEUE
		       ? 0
		       : tell(sk, queue, NFQNL_MSG_VERDICT, NFQA_VERDICT_HDR, &out, sizeof(out));
}

int main(int argc, char **argv)
{
	FG_FD int here = fg_netns_open("/proc/thread-self/ns/net", NULL);
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open_protocol(here, NETLINK_NETFILTER, NULL);
	uint32_t verdict = NF_QUEUE; /* hold */
	static char buf[65536];
	uint16_t queue;
	ssize_t len;

	if (argc != 3 || !sk) {
		fputs("usage: nfqueue NUMBER accept|drop|hold\n", stderr);
		return 2;
	}
	queue = (uint16_t)atoi(argv[1]);
	if (!strcmp(argv[2], "accept"))
		verdict = NF_ACCEPT;
	else if (!strcmp(argv[2], "drop"))
		verdict = NF_DROP;
	if (listen_to(sk, queue))
		return 1;
	printf("ready %d\n", getpid());
	fflush(stdout);
	while ((len = recv(nl_socket_get_fd(sk), buf, sizeof(buf), 0)) > 0) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
		int left = (int)len;

		for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
			if (nlh->nlmsg_type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET))
				answer(sk, queue, nlh, verdict);
			else if (nlh->nlmsg_type == NLMSG_ERROR &&
				 ((struct nlmsgerr *)nlmsg_data(nlh))->error)
				return 1;
	}
	return 1;
}
