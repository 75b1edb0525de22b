/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel.h - the few kernel types the programs touch, for CO-RE: libbpf moves each field access to
 * where the running kernel has the field, so only names and types matter here, and nothing else
 * needs to be listed.
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

struct dst_entry {
	struct net_device *dev;
} FG_CORE;

struct sk_buff {
	struct net_device *dev;
	unsigned long _skb_refdst; /* a struct dst_entry *, and a flag in its lowest bit */
	unsigned long _nfct; /* with connection tracking only: an entry, and what it is in it */
	struct sock *sk;
	unsigned int len;
	unsigned int data_len; /* of these not in the buffer itself */
	__u16 network_header;
	__u16 inner_network_header;
	__u16 mac_header;
	__u8 cloned : 1;
	__u8 redirected : 1;
	unsigned char *head, *data;
} FG_CORE;

/* Of connection tracking, as far as tuples go; the first one is as the connection began. */
union nf_inet_addr {
	__u32 all[4];
};

struct nf_conntrack_man {
	union nf_inet_addr u3;
	union {
		__be16 all;
	} u;
	__u16 l3num;
} FG_CORE;

struct nf_conntrack_tuple {
	struct nf_conntrack_man src;
	struct {
		union nf_inet_addr u3;
		union {
			__be16 all;
		} u;
		__u8 protonum;
	} dst;
} FG_CORE;

struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
} FG_CORE;

struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2];
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
