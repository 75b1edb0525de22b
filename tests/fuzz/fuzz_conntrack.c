// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a reply of ctnetlink: an entry, or the count of them. */
#include <stdlib.h>
#include <string.h>

/* Its readers are not for others. */
#include "lib/net/conntrack.c" /* NOLINT */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_one(const struct fg_conn *conn, void *arg)
{
	(void)arg;
	if ((conn->orig.family != AF_INET && conn->orig.family != AF_INET6) ||
	    conn->orig.family != conn->orig.src.family)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct listing l = { .cb = on_one };
	struct nlmsghdr *nlh;
	uint64_t entries_and_most[2];

	/* In memory of its own size, so that a step too far is seen. */
	nlh = malloc(NLMSG_HDRLEN + size);
	if (!nlh)
		abort();
	*nlh = (struct nlmsghdr){ .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size),
				  .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW };
	memcpy((uint8_t *)nlh + NLMSG_HDRLEN, data, size);
	on_conn(nlh, &l);
	on_stats(nlh, entries_and_most);
	free(nlh);
	return 0;
}
