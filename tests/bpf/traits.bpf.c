// SPDX-License-Identifier: GPL-2.0-only
/*
 * traits.bpf.c - policy programs that treat packets as the datapaths in use do: they translate,
 * send on by another way, hand to a socket, answer. Each has one trait. What is not IP passes.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <stddef.h>

#include "kernel.h"
#include "../tests/bpf/traits.h"

/* In a section of its own: podctl writes it as a whole. */
const volatile struct traits_settings settings SEC(".rodata.set");

static __always_inline bool is_ip(const struct __sk_buff *ctx)
{
	return ctx->protocol == bpf_htons(ETH_P_IP) || ctx->protocol == bpf_htons(ETH_P_IPV6);
}

/* IPv4 without options, or IPv6 without extension headers, with TCP or UDP; false: neither. */
struct layout {
	__u32 address, ports, checksum; /* offsets of the destination's, from the frame's start */
	__u32 address_length;
	__u8 proto;
	bool six;
};

static __always_inline bool lay_out(struct __sk_buff *ctx, struct layout *l)
{
	l->six = ctx->protocol == bpf_htons(ETH_P_IPV6);
	if (!is_ip(ctx) ||
	    bpf_skb_load_bytes(ctx,
			       ETH_HLEN + (l->six ? offsetof(struct ipv6hdr, nexthdr)
						  : offsetof(struct iphdr, protocol)),
			       &l->proto, 1))
		return false;
	l->address = ETH_HLEN +
		     (l->six ? offsetof(struct ipv6hdr, daddr) : offsetof(struct iphdr, daddr));
	l->address_length = l->six ? 16 : 4;
	l->ports = ETH_HLEN + (l->six ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	l->checksum = l->ports + (l->proto == IPPROTO_TCP ? offsetof(struct tcphdr, check)
							  : offsetof(struct udphdr, check));
	return l->proto == IPPROTO_TCP || l->proto == IPPROTO_UDP;
}

/* One hop less, as a router takes it. */
static __always_inline void take_hop(struct __sk_buff *ctx)
{
	__u32 offset = ETH_HLEN + offsetof(struct iphdr, ttl);
	__u16 before, after;

	if (ctx->protocol == bpf_htons(ETH_P_IPV6)) {
		offset = ETH_HLEN + offsetof(struct ipv6hdr, hop_limit);
		__u8 hops;

		if (!bpf_skb_load_bytes(ctx, offset, &hops, 1) && hops > 1) {
			hops--;
			bpf_skb_store_bytes(ctx, offset, &hops, 1, 0);
		}
		return;
	}
	if (bpf_skb_load_bytes(ctx, offset, &before, sizeof(before)))
		return;
	after = before - bpf_htons(0x100);
	bpf_l3_csum_replace(ctx, ETH_HLEN + offsetof(struct iphdr, check), before, after, 2);
	bpf_skb_store_bytes(ctx, offset, &after, sizeof(after), 0);
}

/* A Service of a load balancer in BPF: what is for `from` goes to `to`. */
SEC("tc")
int dnat(struct __sk_buff *ctx)
{
	const volatile struct traits_settings *s = &settings;
	__u32 old[4] = {}, new[4] = {};
	struct layout l;
	__u16 port, wanted;
	__s64 diff;

	if (!lay_out(ctx, &l) || (l.six ? 6 : 4) != s->from.family)
		return TC_ACT_OK;
	for (int i = 0; i < 4; i++)
		new[i] = ((const volatile __u32 *)s->to.addr)[i];
	if (l.six ? bpf_skb_load_bytes(ctx, l.address, old, 16)
		  : bpf_skb_load_bytes(ctx, l.address, old, 4))
		return TC_ACT_OK;
	for (int i = 0; i < 4; i++)
		if (old[i] != ((const volatile __u32 *)s->from.addr)[i])
			return TC_ACT_OK;
	if (bpf_skb_load_bytes(ctx, l.ports + 2, &port, 2) || port != bpf_htons(s->from.port))
		return TC_ACT_OK;
	wanted = bpf_htons(s->to.port);
	diff = bpf_csum_diff(old, 16, new, 16, 0);
	bpf_l4_csum_replace(ctx, l.checksum, 0, diff, BPF_F_PSEUDO_HDR);
	bpf_l4_csum_replace(ctx, l.checksum, port, wanted, 2);
	if (!l.six)
		bpf_l3_csum_replace(ctx, ETH_HLEN + offsetof(struct iphdr, check), 0, diff, 0);
	if (l.six)
		bpf_skb_store_bytes(ctx, l.address, new, 16, 0);
	else
		bpf_skb_store_bytes(ctx, l.address, new, 4, 0);
	bpf_skb_store_bytes(ctx, l.ports + 2, &wanted, 2, 0);
	return TC_ACT_OK;
}

/* A routing datapath: a hop less, and the neighbour's address. */
SEC("tc")
int neigh_hop(struct __sk_buff *ctx)
{
	if (!is_ip(ctx))
		return TC_ACT_OK;
	take_hop(ctx);
	return (int)bpf_redirect_neigh(settings.ifindex, NULL, 0, 0);
}

/* With the receiver's Ethernet address, which bpf_redirect() leaves to the program. */
SEC("tc")
int redirect_mac(struct __sk_buff *ctx)
{
	__u8 mac[6];

	if (!is_ip(ctx))
		return TC_ACT_OK;
	for (int i = 0; i < 6; i++)
		mac[i] = settings.mac[i];
	bpf_skb_store_bytes(ctx, 0, mac, sizeof(mac), 0);
	return (int)bpf_redirect(settings.ifindex, settings.flags);
}

SEC("tc")
int peer_hop(struct __sk_buff *ctx)
{
	if (!is_ip(ctx))
		return TC_ACT_OK;
	take_hop(ctx);
	return (int)bpf_redirect_peer(settings.ifindex, 0);
}

/* A copy goes on, the packet itself does not. */
SEC("tc")
int clone_drop(struct __sk_buff *ctx)
{
	if (!is_ip(ctx))
		return TC_ACT_OK;
	bpf_clone_redirect(ctx, settings.ifindex, settings.flags);
	return TC_ACT_SHOT;
}

/* A copy goes to another device (a mirror), and the packet goes on. */
SEC("tc")
int clone_pass(struct __sk_buff *ctx)
{
	if (!is_ip(ctx))
		return TC_ACT_OK;
	bpf_clone_redirect(ctx, settings.ifindex, settings.flags);
	return TC_ACT_OK;
}

/* A proxy on this host takes it: the socket that has the address `to`. */
SEC("tc")
int assign(struct __sk_buff *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	struct layout l;
	int ret;

	if (!lay_out(ctx, &l) || l.six)
		return TC_ACT_OK;
	tuple.ipv4.daddr = *(const volatile __u32 *)settings.to.addr;
	tuple.ipv4.dport = bpf_htons(settings.to.port);
	sk = l.proto == IPPROTO_TCP
		     ? bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0)
		     : bpf_sk_lookup_udp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return TC_ACT_SHOT;
	ret = (int)bpf_sk_assign(ctx, sk, 0);
	bpf_sk_release(sk);
	ctx->mark = 0x77;
	return ret ? TC_ACT_SHOT : TC_ACT_OK;
}

/* Turns a SYN into the reset that answers it, and sends it back out of the device it came by. */
SEC("tc")
int reset(struct __sk_buff *ctx)
{
	__u8 mac[12], swapped[12];
	__u32 addresses[2], turned[2];
	__u32 sequence, next, none = 0;
	__u16 ports[2], ports_turned[2], flags, rst;
	struct layout l;

	if (!lay_out(ctx, &l) || l.six || l.proto != IPPROTO_TCP)
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(ctx, 0, mac, 12) ||
	    bpf_skb_load_bytes(ctx, l.address - 4, addresses, 8) ||
	    bpf_skb_load_bytes(ctx, l.ports, ports, 4) ||
	    bpf_skb_load_bytes(ctx, l.ports + 4, &sequence, 4) ||
	    bpf_skb_load_bytes(ctx, l.ports + 12, &flags, 2))
		return TC_ACT_SHOT;
	next = bpf_htonl(bpf_ntohl(sequence) + 1);
	__builtin_memcpy(swapped, mac + 6, 6);
	__builtin_memcpy(swapped + 6, mac, 6);
	turned[0] = addresses[1];
	turned[1] = addresses[0];
	ports_turned[0] = ports[1];
	ports_turned[1] = ports[0];
	rst = (flags & bpf_htons(0xf000)) | bpf_htons(0x14); /* RST, ACK */
	bpf_skb_store_bytes(ctx, 0, swapped, 12, 0);
	bpf_skb_store_bytes(ctx, l.address - 4, turned, 8, 0);
	bpf_skb_store_bytes(ctx, l.ports, ports_turned, 4, 0);
	bpf_l4_csum_replace(ctx, l.checksum, flags, rst, 2);
	bpf_skb_store_bytes(ctx, l.ports + 12, &rst, 2, 0);
	bpf_l4_csum_replace(ctx, l.checksum, sequence, none, 4);
	bpf_skb_store_bytes(ctx, l.ports + 4, &none, 4, 0);
	bpf_l4_csum_replace(ctx, l.checksum, 0, next, 4);
	bpf_skb_store_bytes(ctx, l.ports + 8, &next, 4, 0);
	return (int)bpf_redirect(ctx->ifindex, 0);
}

/* Around the packet goes an IPv4 header from `from` to `to` (IPIP). */
SEC("tc")
int ipip(struct __sk_buff *ctx)
{
	struct iphdr outer = { .ihl = 5, .version = 4, .ttl = 64, .protocol = IPPROTO_IPIP };
	__u32 sum = 0;

	if (ctx->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_OK;
	outer.tot_len = bpf_htons(ctx->len - ETH_HLEN + sizeof(outer));
	outer.saddr = *(const volatile __u32 *)settings.from.addr;
	outer.daddr = *(const volatile __u32 *)settings.to.addr;
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&outer, sizeof(outer), 0);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	outer.check = ~sum;
	if (bpf_skb_adjust_room(ctx, sizeof(outer), BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_ENCAP_L3_IPV4) ||
	    bpf_skb_store_bytes(ctx, ETH_HLEN, &outer, sizeof(outer), 0))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

/* XDP in the driver changes what the packet is for: it can be followed by no flow. */
SEC("xdp")
int xdp_port(struct xdp_md *ctx)
{
	__u16 port;

	if (!bpf_xdp_load_bytes(ctx, ETH_HLEN + sizeof(struct iphdr) + 2, &port, 2) &&
	    port == bpf_htons(settings.from.port)) {
		port = bpf_htons(settings.to.port);
		bpf_xdp_store_bytes(ctx, ETH_HLEN + sizeof(struct iphdr) + 2, &port, 2);
	}
	return XDP_PASS;
}

SEC("xdp")
int xdp_tx(struct xdp_md *ctx)
{
	__u16 type;

	if (bpf_xdp_load_bytes(ctx, 12, &type, 2) || type != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	return XDP_TX;
}

/* Connections, as a datapath remembers them: an entry for each flow, and one for each sender. */
struct traits_flow {
	__be32 saddr[4], daddr[4];
	__be16 sport, dport;
	__u8 proto, pad[3];
};

struct traits_state {
	__u64 packets;
	__u32 lifetime;
	__u32 flags;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct traits_flow);
	__type(value, struct traits_state);
} flows_lru SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct traits_flow);
	__type(value, struct traits_state);
} flows_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __be32[4]);
	__type(value, struct traits_state);
} senders SEC(".maps");

static __always_inline bool read_flow(struct __sk_buff *ctx, struct traits_flow *flow)
{
	struct layout l;
	bool ok;

	if (!lay_out(ctx, &l))
		return false;
	flow->proto = l.proto;
	ok = l.six ? !bpf_skb_load_bytes(ctx, l.address, flow->daddr, 16) &&
			     !bpf_skb_load_bytes(ctx, l.address - 16, flow->saddr, 16)
		   : !bpf_skb_load_bytes(ctx, l.address, flow->daddr, 4) &&
			     !bpf_skb_load_bytes(ctx, l.address - 4, flow->saddr, 4);
	return ok && !bpf_skb_load_bytes(ctx, l.ports, &flow->sport, 4);
}

/* As the kernel's own times go: not a number that counts packets. */
static __always_inline void remember(void *table, const struct traits_flow *flow)
{
	struct traits_state state = { .packets = 1, .lifetime = 21600, .flags = 3 };

	bpf_map_update_elem(table, flow, &state, BPF_ANY);
	bpf_map_update_elem(&senders, flow->saddr, &state, BPF_ANY);
}

SEC("tc")
int remember_lru(struct __sk_buff *ctx)
{
	struct traits_flow flow = {};

	if (read_flow(ctx, &flow))
		remember(&flows_lru, &flow);
	return TC_ACT_OK;
}

SEC("tc")
int remember_hash(struct __sk_buff *ctx)
{
	struct traits_flow flow = {};

	if (read_flow(ctx, &flow))
		remember(&flows_hash, &flow);
	return TC_ACT_OK;
}

/*
 * The kernel keeps 15 characters of a name: these two have as many, and more; and two that it
 * cannot tell apart by them.
 */
SEC("tc")
int fifteen_letters(struct __sk_buff *ctx)
{
	return TC_ACT_UNSPEC;
}

SEC("tc")
int cil_from_container(struct __sk_buff *ctx)
{
	return is_ip(ctx) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc")
int cil_from_container_too(struct __sk_buff *ctx)
{
	return TC_ACT_UNSPEC;
}

/* What carries a mark, whoever has set it. */
SEC("tc")
int drop_marked(struct __sk_buff *ctx)
{
	return ctx->mark ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
