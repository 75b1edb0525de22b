// SPDX-License-Identifier: GPL-2.0-only
/*
 * ingress.c - the naive way to send as a pod, for comparison: one UDP packet put on the ingress of
 *the pod's host-side device by bpf_redirect(primary, BPF_F_INGRESS). On a netkit pod it bypasses
 *the pod's own programs: the reason why flowgen exists, and why it refuses this method there.
 *	ingress PRIMARY SRC DST PORT
 * Runs in the node's namespace; makes a pair of devices there for the moment and takes it away
 *again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "header/checksum.h"
#include "base/fd.h"
#include "net/link.h"
#include "podctl.h"
#include "bpf/policy.skel.h"

#define PAYLOAD "past the policy"

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	char payload[sizeof(PAYLOAD) - 1];
} __attribute__((packed));

struct job {
	struct fg_link primary;
	struct fg_addr src, dst;
	uint64_t port;
};

static void fill_frame(const struct job *job, struct frame *f)
{
	*f = (struct frame){
		.eth.h_proto = htons(ETH_P_IP),
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP },
		.payload = PAYLOAD,
	};
	/* The frame is for the primary, or its stack would not take it. */
	memcpy(f->eth.h_dest, job->primary.mac, ETH_ALEN);
	memcpy(&f->ip.saddr, job->src.bytes, 4);
	memcpy(&f->ip.daddr, job->dst.bytes, 4);
	f->ip.tot_len = htons(sizeof(*f) - sizeof(f->eth));
	f->ip.check = htons((uint16_t)~fg_checksum_fold(fg_checksum_add(0, &f->ip, sizeof(f->ip))));
	f->udp.source = htons(40000);
	f->udp.dest = htons((uint16_t)job->port);
	f->udp.len = htons(sizeof(f->udp) + sizeof(f->payload));
}

static struct policy_bpf *load(const struct job *job)
{
	struct policy_bpf *skel = policy_bpf__open();
	struct bpf_program *p;

	if (!skel)
		return NULL;
	bpf_object__for_each_program (p, skel->obj)
		bpf_program__set_autoload(p, p == skel->progs.redirect_to);
	skel->rodata->redirect_ifindex = (uint32_t)job->primary.ifindex;
	skel->rodata->redirect_flags = BPF_F_INGRESS;
	if (!policy_bpf__load(skel))
		return skel;
	policy_bpf__destroy(skel);
	return NULL;
}

/*
 * Until the program has seen the frame, at most two seconds: on a busy machine the receiving side
 * of a veth has its turn some time after sendto() has returned, and the pair must not be gone by
 * then.
 */
static bool was_seen(const struct policy_bpf *skel)
{
	const volatile __u64 *seen = &skel->bss->packets_seen;

	for (int i = 0; i < 2000 && !*seen; i++)
		poll(NULL, 0, 1);
	return *seen;
}

/* Sent on one end of the pair, redirected when it comes in at the other. */
static int send_frame(const struct job *job, int ifindex, const struct policy_bpf *skel)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = ifindex,
				  .sll_halen = ETH_ALEN };
	FG_FD int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct frame f;

	fill_frame(job, &f);
	if (fd < 0 || sendto(fd, &f, sizeof(f), 0, (struct sockaddr *)&to, sizeof(to)) != sizeof(f))
		return -errno;
	return was_seen(skel) ? 0 : -EIO;
}

/* A device that comes up reports its multicast groups, even without an address. */
static void ipv6_disable(const char *device)
{
	char path[80];
	FG_FILE FILE *f = NULL;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", device);
	f = fopen(path, "we");
	if (f)
		fputs("1", f);
}

static int run(const struct job *job, struct nl_sock *sk)
{
	const struct fg_pair pair = {
		.kind = "veth", .name = "naive0", .peer_name = "naive1", .peer_netns = -1
	};
	struct fg_link near, far;
	struct policy_bpf *skel = load(job);
	int ret = skel ? fg_link_create_pair(sk, &pair) : -EINVAL;

	if (ret || fg_link_get(sk, 0, "naive0", &near, NULL) ||
	    fg_link_get(sk, 0, "naive1", &far, NULL))
		return ret ? ret : -ENODEV;
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = far.ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, tc, .prog_fd = bpf_program__fd(skel->progs.redirect_to));
	/* Nothing but the frame may come by: the program counts it alone. */
	ipv6_disable("naive0");
	ipv6_disable("naive1");
	/*
	 * In this order: a device that comes up before its peer has carrier drops what it is given
	 * for a while.
	 */
	ret = fg_link_set_up(sk, far.ifindex);
	if (!ret)
		ret = fg_link_set_up(sk, near.ifindex);
	if (!ret)
		ret = bpf_tc_hook_create(&hook);
	if (!ret)
		ret = bpf_tc_attach(&hook, &tc);
	if (!ret)
		ret = send_frame(job, near.ifindex, skel);
	fg_link_delete(sk, near.ifindex);
	policy_bpf__destroy(skel);
	return ret;
}

int main(int argc, char **argv)
{
	struct job job;
	struct fg_error err = {};
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(-1, &err);
	int ret;

	if (argc != 5 || !sk || fg_link_get(sk, 0, argv[1], &job.primary, &err) ||
	    fg_parse_addr("SRC", argv[2], &job.src, &err) ||
	    fg_parse_addr("DST", argv[3], &job.dst, &err) ||
	    fg_parse_u64("PORT", argv[4], 1, 65535, &job.port, &err)) {
		fprintf(stderr, "usage: ingress PRIMARY SRC DST PORT (IPv4)\n%s\n", err.message);
		return 2;
	}
	ret = run(&job, sk);
	if (ret)
		fprintf(stderr, "ingress: %s\n", strerror(-ret));
	return ret ? 1 : 0;
}
