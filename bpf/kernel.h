/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel.h - the few kernel types the programs touch, for CO-RE: libbpf moves each field access to where the
 * running kernel has the field, so only names and types matter here, and nothing else needs to be listed.
 */
#ifndef FG_KERNEL_H
#define FG_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#define FG_CORE __attribute__((preserve_access_index))

struct ns_common {
	unsigned int inum;
} FG_CORE;

struct net {
	struct ns_common ns;
} FG_CORE;

typedef struct {
	struct net *net;
} possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} FG_CORE;

typedef struct {
	long counter;
} atomic64_t;

struct sock_common {
	atomic64_t skc_cookie;
} FG_CORE;

struct sock {
	struct sock_common __sk_common;
} FG_CORE;

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned int len;
	__u16 network_header;
	__u16 inner_network_header;
	__u16 mac_header;
	__u8 cloned : 1;
	__u8 redirected : 1;
	unsigned char *head;
} FG_CORE;

struct xdp_buff {
	void *data;
} FG_CORE;

#ifndef BPF_F_EGRESS
#define BPF_F_EGRESS (1ULL << 1) /* Linux 7.3; see include/uapi/linux/bpf.h there */
#endif

#define TC_ACT_OK 0
#define TC_ACT_SHOT 2
#define TC_ACT_UNSPEC (-1)

#define ETH_HLEN 14

#endif
