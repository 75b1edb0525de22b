/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net/rtnl.h - talking to rtnetlink through libnl: one socket per namespace, requests with errors
 * that name the object.
 */
#ifndef FG_RTNL_H
#define FG_RTNL_H

#include <arpa/inet.h>
#include <netlink/netlink.h>
#include <netlink/msg.h>
#include <netlink/attr.h>
#include <string.h>

#include "base/error.h"

/*
 * A NETLINK_ROUTE socket in the namespace of netns_fd (-1: the one we are in). It stays in that
 * namespace until it is closed. Owned by the caller: nl_socket_free(). NULL on failure.
 */
struct nl_sock *fg_rtnl_open(int netns_fd, struct fg_error *err);

/* The same for another protocol of netlink(7), with which the functions below work too. */
struct nl_sock *fg_rtnl_open_protocol(int netns_fd, int protocol, struct fg_error *err);

/* Of the namespace that it is in, as fg_netns_cookie(). 0 on failure. */
uint64_t fg_rtnl_cookie(struct nl_sock *sk);

static inline void fg_cleanup_nl_sock(struct nl_sock **sk)
{
	nl_socket_free(*sk);
}
#define FG_NL_SOCK __attribute__((cleanup(fg_cleanup_nl_sock)))

static inline void fg_cleanup_nl_msg(struct nl_msg **msg)
{
	nlmsg_free(*msg);
}
#define FG_NL_MSG __attribute__((cleanup(fg_cleanup_nl_msg)))

/*
 * Sends a request and waits for its acknowledgement. Returns 0, or a negative errno value; nothing
 * is reported.
 */
int fg_rtnl_request(struct nl_sock *sk, struct nl_msg *msg);

/* Called for each message of an answer; returns 0, or -1 to fail the whole call. */
typedef int (*fg_rtnl_cb)(const struct nlmsghdr *nlh, void *arg);

/*
 * Sends a request and hands each answer (one, or all of a dump) to cb. Returns 0, or a negative
 * errno value. A dump that the kernel says was interrupted is -EINTR: ask again.
 */
int fg_rtnl_query(struct nl_sock *sk, struct nl_msg *msg, fg_rtnl_cb cb, void *arg);

/* A text that ends within the attribute, or NULL. */
static inline const char *fg_rtnl_text(const struct nlattr *a)
{
	return a && nla_len(a) > 0 && memchr(nla_data(a), '\0', (size_t)nla_len(a))
		       ? (const char *)nla_data(a)
		       : NULL;
}

/* A number in host order, or one in network order; 0 if there is none. */
static inline uint32_t fg_rtnl_u32(const struct nlattr *a)
{
	return a && nla_len(a) >= 4 ? nla_get_u32(a) : 0;
}

static inline uint32_t fg_rtnl_be32(const struct nlattr *a)
{
	return ntohl(fg_rtnl_u32(a));
}

#endif
