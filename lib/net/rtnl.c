// SPDX-License-Identifier: GPL-2.0-only
#include "net/rtnl.h"

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/socket.h>

#include "net/netns.h"

struct query {
	fg_rtnl_cb cb;
	void *arg;
	int error; /* what the kernel said, as a negative errno value */
	int done;
	int failed; /* cb said so */
	int interrupted;
	uint32_t seq; /* of the request, which each of its answers carries */
};

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct query *q = arg;
	const struct nlmsghdr *nlh = nlmsg_hdr(msg);

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		q->interrupted = 1;
	if (!q->failed && q->cb && q->cb(nlh, q->arg))
		q->failed = 1;
	return NL_OK;
}

/* What is left of an earlier answer, whose receive failed, is not this one's. */
static int on_sequence(struct nl_msg *msg, void *arg)
{
	const struct query *q = arg;

	return nlmsg_hdr(msg)->nlmsg_seq == q->seq ? NL_OK : NL_SKIP;
}

static int on_finish(struct nl_msg *msg, void *arg)
{
	struct query *q = arg;

	(void)msg;
	q->done = 1;
	return NL_STOP;
}

/* libnl's own error codes fold several errno values into one; the kernel's is wanted. */
static int on_error(struct sockaddr_nl *addr, struct nlmsgerr *e, void *arg)
{
	struct query *q = arg;

	(void)addr;
	q->error = e->error;
	q->done = 1;
	return NL_STOP;
}

/*
 * After a receive that failed the kernel may have more of the answer, and takes no other dump
 * before it is over.
 */
static void drain(struct nl_sock *sk)
{
	char part[32768];

	while (recv(nl_socket_get_fd(sk), part, sizeof(part), MSG_DONTWAIT) > 0)
		;
}

static int query_run(struct nl_sock *sk, struct nl_msg *msg, struct query *q)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, q);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, q);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_finish, q);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, q);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, q);
	ret = nl_send_auto(sk, msg);
	q->seq = nlmsg_hdr(msg)->nlmsg_seq;
	while (ret >= 0 && !q->done)
		ret = nl_recvmsgs(sk, cb);
	nl_cb_put(cb);
	if (ret < 0)
		drain(sk);
	if (q->error)
		return q->error;
	if (ret == -NLE_DUMP_INTR)
		return -EINTR;
	if (ret < 0)
		return ret == -NLE_NOMEM ? -ENOMEM : ret == -NLE_PERM ? -EPERM : -EIO;
	if (q->failed)
		return -EPROTO;
	return q->interrupted ? -EINTR : 0;
}

struct nl_sock *fg_rtnl_open_protocol(int netns_fd, int protocol, struct fg_error *err)
{
	struct nl_sock *sk = nl_socket_alloc();
	int back = -1, code, ret;

	if (!sk) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "netlink socket");
		return NULL;
	}
	if (netns_fd >= 0 && fg_netns_enter(netns_fd, &back, err)) {
		nl_socket_free(sk);
		return NULL;
	}
	errno = 0;
	ret = nl_connect(sk, protocol);
	/* libnl's own errors fold several into one. */
	code = errno ? errno : EIO;
	if (netns_fd >= 0)
		fg_netns_leave(&back);
	if (ret < 0) {
		fg_fail_errno(err,
			      ret == -NLE_PROTO_MISMATCH ? FG_ERR_UNSUPPORTED : FG_ERR_INTERNAL,
			      code, "netlink socket");
		nl_socket_free(sk);
		return NULL;
	}
	/* One request at a time, and each asks for its own acknowledgement. */
	nl_socket_disable_seq_check(sk);
	nl_socket_disable_auto_ack(sk);
	/* A dump of many devices comes in messages larger than libnl's default of one page. */
	nl_socket_set_msg_buf_size(sk, 64 * 1024);
	return sk;
}

uint64_t fg_rtnl_cookie(struct nl_sock *sk)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(nl_socket_get_fd(sk), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len)
		       ? 0
		       : cookie;
}

struct nl_sock *fg_rtnl_open(int netns_fd, struct fg_error *err)
{
	return fg_rtnl_open_protocol(netns_fd, NETLINK_ROUTE, err);
}

int fg_rtnl_request(struct nl_sock *sk, struct nl_msg *msg)
{
	struct query q = {};

	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	return query_run(sk, msg, &q);
}

int fg_rtnl_query(struct nl_sock *sk, struct nl_msg *msg, fg_rtnl_cb cb, void *arg)
{
	struct query q = { .cb = cb, .arg = arg };

	/* A dump ends with NLMSG_DONE, a single answer with the acknowledgement. */
	if (!(nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP))
		nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_ACK;
	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_REQUEST;
	return query_run(sk, msg, &q);
}
