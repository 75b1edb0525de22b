// SPDX-License-Identifier: GPL-2.0-only
#include "net/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>

#include "base/count.h"

const char *fg_sockdiag_state(const struct fg_socket *socket)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "ESTAB",	[TCP_SYN_SENT] = "SYN-SENT",
		[TCP_SYN_RECV] = "SYN-RECV",	[TCP_FIN_WAIT1] = "FIN-WAIT-1",
		[TCP_FIN_WAIT2] = "FIN-WAIT-2", [TCP_TIME_WAIT] = "TIME-WAIT",
		[TCP_CLOSE] = "UNCONN",		[TCP_CLOSE_WAIT] = "CLOSE-WAIT",
		[TCP_LAST_ACK] = "LAST-ACK",	[TCP_LISTEN] = "LISTEN",
		[TCP_CLOSING] = "CLOSING",	[TCP_CLOSING + 1] = "SYN-RECV",
	};

	if (socket->state >= COUNT(names) || !names[socket->state])
		return "UNKNOWN";
	return names[socket->state];
}

struct nl_sock *fg_sockdiag_open(int netns, struct fg_error *err)
{
	struct nl_sock *sk = fg_rtnl_open_protocol(netns, NETLINK_SOCK_DIAG, err);

	if (!sk)
		fg_error_prefix(err, "list of sockets");
	return sk;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

/* ::ffff:10.0.0.1 is 10.0.0.1 (RFC 4291 section 2.5.5.2). */
static void read_addr(uint8_t family, const __be32 words[4], struct fg_addr *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t bytes[16];

	memcpy(bytes, words, sizeof(bytes));
	*out = (struct fg_addr){ .family = family };
	if (family == AF_INET6 && !memcmp(bytes, mapped, sizeof(mapped))) {
		out->family = AF_INET;
		memcpy(out->bytes, bytes + 12, 4);
		return;
	}
	memcpy(out->bytes, bytes, family == AF_INET ? 4 : 16);
}

static void read_socket(const struct inet_diag_msg *m, uint8_t protocol, struct fg_socket *out)
{
	struct fg_flow *f = &out->flow;

	*out = (struct fg_socket){ .protocol = protocol,
				   .state = m->idiag_state,
				   .uid = m->idiag_uid,
				   .inode = m->idiag_inode };
	f->protocol = protocol;
	read_addr(m->idiag_family, m->id.idiag_src, &f->src);
	read_addr(m->idiag_family, m->id.idiag_dst, &f->dst);
	f->family = f->src.family;
	f->sport = ntohs(m->id.idiag_sport);
	f->dport = ntohs(m->id.idiag_dport);
	out->connected = f->dport && m->idiag_state != TCP_LISTEN;
	out->any_address = is_zero(f->src.bytes, sizeof(f->src.bytes));
	out->cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	if (m->idiag_state == TCP_LISTEN) {
		out->waiting = m->idiag_rqueue;
		out->backlog = m->idiag_wqueue;
	}
}

static void read_memory(const struct nlattr *attr, struct fg_socket *out)
{
	const uint32_t *values = nla_data(attr);

	if (nla_len(attr) < (int)((SK_MEMINFO_RCVBUF + 1) * sizeof(*values)))
		return;
	out->buffered = values[SK_MEMINFO_RMEM_ALLOC];
	out->buffer_size = values[SK_MEMINFO_RCVBUF];
}

struct listing {
	uint8_t protocol;
	uint16_t port;
	fg_sockdiag_cb cb;
	void *arg;
};

static int on_socket(const struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *a[INET_DIAG_MAX + 1];
	const struct listing *l = arg;
	struct fg_socket socket;

	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    nlh->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
		return 0;
	read_socket(NLMSG_DATA(nlh), l->protocol, &socket);
	if (!nlmsg_parse((struct nlmsghdr *)nlh, sizeof(struct inet_diag_msg), a, INET_DIAG_MAX,
			 NULL)) {
		if (a[INET_DIAG_SKV6ONLY])
			socket.only_ipv6 = nla_get_u8(a[INET_DIAG_SKV6ONLY]) != 0;
		if (a[INET_DIAG_CGROUP_ID])
			socket.cgroup = nla_get_u64(a[INET_DIAG_CGROUP_ID]);
		if (a[INET_DIAG_SKMEMINFO])
			read_memory(a[INET_DIAG_SKMEMINFO], &socket);
	}
	return l->cb(&socket, l->arg);
}

static int list_family(struct nl_sock *sk, uint8_t family, const struct listing *l)
{
	const struct inet_diag_req_v2 request = { .sdiag_family = family,
						  .sdiag_protocol = l->protocol,
						  .idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1),
						  .idiag_states = UINT32_MAX,
						  .id.idiag_sport = htons(l->port) };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
	int ret;

	if (!msg || nlmsg_append(msg, (void *)&request, sizeof(request), NLMSG_ALIGNTO))
		return -ENOMEM;
	ret = fg_rtnl_query(sk, msg, on_socket, (void *)l);
	/* This protocol or family does not exist here, or nothing that could list it. */
	if (ret == -ENOENT || ret == -EINVAL || ret == -EOPNOTSUPP || ret == -EPROTONOSUPPORT)
		return 0;
	return ret;
}

bool fg_sockdiag_covers(const struct fg_socket *socket, const struct fg_addr *addr)
{
	if (!socket->any_address)
		return fg_addr_equal(&socket->flow.src, addr);
	return socket->flow.family == addr->family ||
	       (socket->flow.family == AF_INET6 && !socket->only_ipv6);
}

int fg_sockdiag_list(struct nl_sock *sk, uint16_t family, uint8_t protocol, uint16_t port,
		     fg_sockdiag_cb cb, void *arg)
{
	const struct listing l = { .protocol = protocol, .port = port, .cb = cb, .arg = arg };
	int ret = 0;

	if (family == AF_INET)
		ret = list_family(sk, AF_INET, &l);
	return ret ? ret : list_family(sk, AF_INET6, &l);
}
