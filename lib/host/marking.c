// SPDX-License-Identifier: GPL-2.0-only
#include "host/marking.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <bpf/libbpf.h>

#include "base/fd.h"
#include "net/link.h"
#include "bpf/marking.skel.h"
#include "net/netns.h"
#include "net/rtnl.h"

#define LOOPBACK 1
#define ETHERTYPE 0x88b5 /* IEEE 802: for local experiments */
#define WAIT_MS 100

/* One qdisc holds both ends. */
static int attach(const struct marking_bpf *skel)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LOOPBACK,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, in, .prog_fd = bpf_program__fd(skel->progs.fg_bounce));
	LIBBPF_OPTS(bpf_tc_opts, out, .prog_fd = bpf_program__fd(skel->progs.fg_look));

	if (bpf_tc_hook_create(&hook))
		return -1;
	hook.attach_point = BPF_TC_INGRESS;
	if (bpf_tc_attach(&hook, &in))
		return -1;
	hook.attach_point = BPF_TC_EGRESS;
	return bpf_tc_attach(&hook, &out);
}

static int write_packet(void)
{
	const struct sockaddr_ll to = { .sll_family = AF_PACKET,
					.sll_protocol = htons(ETHERTYPE),
					.sll_ifindex = LOOPBACK };
	const char frame[60] = { [12] = (char)(ETHERTYPE >> 8), [13] = (char)(ETHERTYPE & 255) };
	FG_FD int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	return fd >= 0 && sendto(fd, frame, sizeof(frame), 0, (const struct sockaddr *)&to,
				 sizeof(to)) == (ssize_t)sizeof(frame)
		       ? 0
		       : -1;
}

static bool try_here(struct marking_bpf *skel)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(-1, NULL);

	if (!sk || fg_link_set_up(sk, LOOPBACK) || attach(skel) || write_packet())
		return false;
	/* Mostly it has been through by now; a busy kernel leaves it to a thread of its own. */
	for (int i = 0; i < WAIT_MS && skel->bss->left < 2; i++)
		poll(NULL, 0, 1);
	return skel->bss->marked;
}

bool fg_marking_works(void)
{
	struct marking_bpf *skel = marking_bpf__open_and_load();
	FG_FD int netns = skel && skel->bss ? fg_netns_create(NULL) : -1;
	bool works = false;
	int back;

	if (netns >= 0 && !fg_netns_enter(netns, &back, NULL)) {
		works = try_here(skel);
		fg_netns_leave(&back);
	}
	marking_bpf__destroy(skel);
	return works;
}
