// SPDX-License-Identifier: GPL-2.0-only
/* Any bytes as a reply of sock_diag: a socket. */
#include <stdlib.h>
#include <string.h>

/* Its readers are not for others. */
#include "lib/net/sockdiag.c" /* NOLINT */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_one(const struct fg_socket *socket, void *arg)
{
	(void)arg;
	if (socket->flow.family != socket->flow.src.family)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct listing l = { .protocol = IPPROTO_TCP, .cb = on_one };
	/* In memory of its own size, so that a step too far is seen. */
	struct nlmsghdr *nlh = malloc(NLMSG_HDRLEN + size);

	if (!nlh)
		abort();
	*nlh = (struct nlmsghdr){ .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size),
				  .nlmsg_type = SOCK_DIAG_BY_FAMILY };
	memcpy((uint8_t *)nlh + NLMSG_HDRLEN, data, size);
	on_socket(nlh, (void *)&l);
	free(nlh);
	return 0;
}
