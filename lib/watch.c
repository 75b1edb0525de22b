// SPDX-License-Identifier: GPL-2.0-only
/* watch.c - where a session has netfilter traced: each hook that its packets may come to. */
#include <errno.h>
#include <stdlib.h>

#include "fd.h"
#include "session_state.h"

#include <linux/netfilter_bridge.h>

/* From here on everything in the namespace is traced, also what stands on devices further on. */
static const struct fg_nft_hook prerouting = { NFPROTO_INET, NF_INET_PRE_ROUTING, NULL };

/* A namespace that nobody has put a rule into cannot drop by one; to put a table there and take it away would cost 15 ms. */
static bool has_rules(int netns)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open_protocol(netns, NETLINK_NETFILTER, NULL);

	return sk && fg_nft_has_tables(sk);
}

int fg_watch_netfilter(struct fg_session *session, const struct fg_pod *pod, struct fg_error *err)
{
	const struct fg_nft_hook out = { NFPROTO_NETDEV, NF_NETDEV_EGRESS, pod->peer.name };
	const struct fg_nft_hook host[] = {
		prerouting,
		{ NFPROTO_NETDEV, NF_NETDEV_INGRESS, pod->primary.name },
		{ NFPROTO_BRIDGE, NF_BR_PRE_ROUTING, NULL },
	};
	size_t count = pod->primary.master ? 3 : 2;

	if (!session->nftrace)
		session->nftrace = fg_nftrace_new(FG_WINDOW, err);
	if (!session->nftrace)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (fg_nftrace_watch(session->nftrace, pod->host_netns, pod->host_inode,
				     "the host's namespace", &host[i], err))
			return -1;
	if (!has_rules(pod->netns))
		return 0;
	return fg_nftrace_watch(session->nftrace, pod->netns, pod->inode, "the pod's namespace",
				&out, err);
}

static bool holds(int netns, const struct fg_addr *dst)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(netns, NULL);

	return sk && fg_link_holds(sk, dst);
}

/* dst NULL: whatever they hold. */
static int watch_all(struct fg_session *s, const struct fg_addr *dst, bool *found,
		     struct fg_error *err)
{
	for (size_t i = 0; i < s->host.list.count; i++) {
		const struct fg_netns_entry *e = &s->host.list.entries[i];
		/* Gone meanwhile: it is no destination any more. */
		FG_FD int netns = e->inode != s->host.inode ? fg_netns_open(e->path, NULL) : -1;

		if (netns < 0 || (dst && !holds(netns, dst)))
			continue;
		*found = true;
		if (has_rules(netns) &&
		    fg_nftrace_watch(s->nftrace, netns, e->inode, e->path, &prerouting, err))
			return -1;
	}
	return 0;
}

int fg_watch_destination(struct fg_session *session, const struct fg_addr *dst,
			 struct fg_error *err)
{
	bool found = false;

	if (!session->options.deliver && !session->options.reply)
		return 0;
	if (watch_all(session, dst, &found, err))
		return -1;
	return found ? 0 : watch_all(session, NULL, &found, err);
}
