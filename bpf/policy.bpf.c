// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy.bpf.c - small policy programs, as real ones decide: what `flowgen demo` and the tests
 * attach to pods of their own.
 *
 * Each attachment loads one program with settings of its own (the read-only data below). The
 * section "tc" serves tcx, tc and netkit alike: the hook is chosen when the program is attached,
 * and their return values agree (TCX_NEXT = TC_ACT_UNSPEC = NETKIT_NEXT and so on).
 */
#include <linux/if_ether.h>
#include <stdbool.h>

#include "kernel.h"

#define POLICY_NEXT (-1)
#define POLICY_PASS 0
#define POLICY_DROP 2
#define POLICY_RULES 16

/*
 * What deny_port denies: packets of a protocol (0: any) to a port of a range (host order, both ends
 * included).
 */
const volatile __u8 deny_proto[POLICY_RULES];
const volatile __u16 deny_first[POLICY_RULES];
const volatile __u16 deny_last[POLICY_RULES];
const volatile __u32 deny_count;
const volatile int otherwise;	       /* what deny_port returns for all other packets */
const volatile int fixed;	       /* what return_value returns */
const volatile __u32 redirect_ifindex; /* where the redirecting programs send packets */
const volatile __u32 redirect_flags;

/* What this attachment has seen. */
__u64 packets_seen;
__u64 packets_denied;

struct flow {
	__u8 proto;
	__u16 dport; /* host order; 0 if the protocol has none */
};

/*
 * From the first bytes of an IP header. Returns where the ports are, 0 if there are none, -1 for
 * what is not IP.
 */
static __always_inline int ip_read(const __u8 ip[20], struct flow *flow)
{
	bool six = ip[0] >> 4 == 6;

	if (ip[0] >> 4 != 4 && !six)
		return -1;
	flow->proto = six ? ip[6] : ip[9];
	flow->dport = 0;
	if (flow->proto != 6 && flow->proto != 17 && flow->proto != 132)
		return 0;
	return six ? 40 : (ip[0] & 15) * 4;
}

static __always_inline bool is_denied(const struct flow *flow)
{
	for (__u32 i = 0; i < POLICY_RULES; i++) {
		if (i >= deny_count)
			return false;
		if (deny_proto[i] && deny_proto[i] != flow->proto)
			continue;
		if (flow->dport >= deny_first[i] && flow->dport <= deny_last[i])
			return true;
	}
	return false;
}

/*
 * Relative to the network header, so that it is right with an Ethernet header and (netkit in L3
 * mode) without.
 */
static __always_inline int flow_read(struct __sk_buff *ctx, struct flow *flow)
{
	__u16 ports[2];
	__u8 ip[20];
	int length;

	if (bpf_skb_load_bytes_relative(ctx, 0, ip, sizeof(ip), BPF_HDR_START_NET))
		return -1;
	length = ip_read(ip, flow);
	if (length <= 0)
		return length;
	if (bpf_skb_load_bytes_relative(ctx, length, ports, sizeof(ports), BPF_HDR_START_NET))
		return -1;
	flow->dport = bpf_ntohs(ports[1]);
	return 0;
}

/*
 * What is not IP (ARP above all) passes every policy and is not counted: else the pod could reach
 * nobody.
 */
static __always_inline bool is_policed(const struct __sk_buff *ctx)
{
	if (ctx->protocol != bpf_htons(ETH_P_IP) && ctx->protocol != bpf_htons(ETH_P_IPV6))
		return false;
	__sync_fetch_and_add(&packets_seen, 1);
	return true;
}

static __always_inline int decide(struct __sk_buff *ctx)
{
	struct flow flow;

	if (!is_policed(ctx))
		return POLICY_PASS;
	if (flow_read(ctx, &flow) || !is_denied(&flow))
		return otherwise;
	__sync_fetch_and_add(&packets_denied, 1);
	return POLICY_DROP;
}

SEC("tc")
int deny_port(struct __sk_buff *ctx)
{
	return decide(ctx);
}

SEC("tc")
int allow_all(struct __sk_buff *ctx)
{
	is_policed(ctx);
	return POLICY_PASS;
}

SEC("tc")
int next_all(struct __sk_buff *ctx)
{
	if (!is_policed(ctx))
		return POLICY_PASS;
	return POLICY_NEXT;
}

SEC("tc")
int drop_all(struct __sk_buff *ctx)
{
	if (!is_policed(ctx))
		return POLICY_PASS;
	__sync_fetch_and_add(&packets_denied, 1);
	return POLICY_DROP;
}

SEC("tc")
int return_value(struct __sk_buff *ctx)
{
	if (!is_policed(ctx))
		return POLICY_PASS;
	return fixed;
}

SEC("tc")
int redirect_to(struct __sk_buff *ctx)
{
	if (!is_policed(ctx))
		return POLICY_PASS;
	return (int)bpf_redirect(redirect_ifindex, redirect_flags);
}

SEC("tc")
int redirect_peer(struct __sk_buff *ctx)
{
	if (!is_policed(ctx))
		return POLICY_PASS;
	return (int)bpf_redirect_peer(redirect_ifindex, 0);
}

SEC("tc")
int redirect_neigh(struct __sk_buff *ctx)
{
	if (!is_policed(ctx))
		return POLICY_PASS;
	return (int)bpf_redirect_neigh(redirect_ifindex, NULL, 0, 0);
}

/* Gives UDP packets of IPv4 without options another destination port (fixed), as a DNAT would. */
SEC("tc")
int rewrite_port(struct __sk_buff *ctx)
{
	__u16 port = bpf_htons(fixed);

	if (!is_policed(ctx))
		return POLICY_PASS;
	bpf_skb_store_bytes(ctx, ETH_HLEN + 20 + 2, &port, sizeof(port), BPF_F_RECOMPUTE_CSUM);
	return POLICY_PASS;
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} jumps SEC(".maps");

/*
 * Decides nothing itself: what the kernel sees returned is tail_callee's word, or a pass where the
 * jump failed.
 */
SEC("tc")
int tail_entry(struct __sk_buff *ctx)
{
	bpf_tail_call(ctx, &jumps, 0);
	return POLICY_PASS;
}

SEC("tc")
int tail_callee(struct __sk_buff *ctx)
{
	return decide(ctx);
}

static __always_inline int xdp_flow_read(struct xdp_md *ctx, struct flow *flow)
{
	__u16 ports[2];
	__u8 ip[20];
	int length;

	if (bpf_xdp_load_bytes(ctx, ETH_HLEN, ip, sizeof(ip)))
		return -1;
	length = ip_read(ip, flow);
	if (length <= 0)
		return length;
	if (bpf_xdp_load_bytes(ctx, ETH_HLEN + length, ports, sizeof(ports)))
		return -1;
	flow->dport = bpf_ntohs(ports[1]);
	return 0;
}

SEC("xdp")
int xdp_deny_port(struct xdp_md *ctx)
{
	struct flow flow;

	__sync_fetch_and_add(&packets_seen, 1);
	if (xdp_flow_read(ctx, &flow) || !is_denied(&flow))
		return XDP_PASS;
	__sync_fetch_and_add(&packets_denied, 1);
	return XDP_DROP;
}

SEC("xdp")
int xdp_pass(struct xdp_md *ctx)
{
	__sync_fetch_and_add(&packets_seen, 1);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
