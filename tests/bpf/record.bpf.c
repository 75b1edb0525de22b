// SPDX-License-Identifier: GPL-2.0-only
/*
 * record.bpf.c - a policy program that lets everything pass, and keeps all that it can see of one
 * packet. For tests/tool/fidelity.c,
 * which compares what it saw of a pod's own packet with what it saw of flowgen's.
 */
#include "kernel.h"
#include <stdbool.h>

#include "record.h"

struct net_device;

/* More of the kernel's sk_buff than flowgen itself needs. */
struct sk_buff___record {
	__u8 ip_summed : 2;
	__u8 l4_hash : 1;
	__u8 sw_hash : 1;
	__u8 encapsulation : 1;
	__u8 cloned : 1;
	__u16 csum_start;
	__u16 csum_offset;
	__u16 network_header;
	__u16 transport_header;
	__u16 mac_header;
	unsigned char *head;
	unsigned int end;
} __attribute__((preserve_access_index));

struct skb_shared_info___record {
	unsigned int gso_type;
} __attribute__((preserve_access_index));

struct record_want want;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct record);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} seen SEC(".maps");

static __always_inline bool is_wanted(struct __sk_buff *ctx)
{
	__u8 version = 0, protocol = 0, ihl;
	__u32 at = ETH_HLEN;
	__u16 port = 0;

	if (bpf_skb_load_bytes(ctx, at, &version, 1))
		return false;
	ihl = (version & 15) * 4;
	version >>= 4;
	if (version == 4)
		bpf_skb_load_bytes(ctx, at + 9, &protocol, 1);
	else if (version == 6)
		bpf_skb_load_bytes(ctx, at + 6, &protocol, 1);
	if (protocol != want.protocol)
		return false;
	if (!want.port) {
		/* Of ICMPv6 only the echo request: neighbour discovery goes on beside it. */
		__u8 type = 0;

		bpf_skb_load_bytes(ctx, at + (version == 4 ? ihl : 40), &type, 1);
		return type == 8 || type == 128;
	}
	bpf_skb_load_bytes(ctx, at + (version == 4 ? ihl : 40) + 2, &port, 2);
	return bpf_ntohs(port) == want.port;
}

static __always_inline void read_context(struct __sk_buff *ctx, struct record *r)
{
	r->len = ctx->len;
	r->protocol = ctx->protocol;
	r->ifindex = ctx->ifindex;
	r->ingress_ifindex = ctx->ingress_ifindex;
	r->mark = ctx->mark;
	r->priority = ctx->priority;
	r->queue_mapping = ctx->queue_mapping;
	r->vlan_present = ctx->vlan_present;
	r->vlan_tci = ctx->vlan_tci;
	r->gso_segs = ctx->gso_segs;
	r->gso_size = ctx->gso_size;
	r->hash = ctx->hash;
	r->pkt_type = ctx->pkt_type;
	r->tstamp_type = ctx->tstamp_type;
	r->has_tstamp = ctx->tstamp != 0;
	r->napi_id = ctx->napi_id;
	r->has_sk = ctx->sk != NULL;
	r->linear = ctx->data_end - ctx->data;
	r->tc_classid = ctx->tc_classid;
	r->tc_index = ctx->tc_index;
	r->wire_len = ctx->wire_len;
	for (int i = 0; i < 5; i++)
		r->cb[i] = ctx->cb[i];
	r->csum_level = bpf_csum_level(ctx, BPF_CSUM_LEVEL_QUERY);
}

static __always_inline void read_kernel(struct __sk_buff *ctx, struct record *r)
{
	const struct sk_buff___record *skb = (void *)ctx;
	const struct skb_shared_info___record *info;
	__u16 mac = BPF_CORE_READ(skb, mac_header);

	r->ip_summed = BPF_CORE_READ_BITFIELD_PROBED(skb, ip_summed);
	r->l4_hash = BPF_CORE_READ_BITFIELD_PROBED(skb, l4_hash);
	r->sw_hash = BPF_CORE_READ_BITFIELD_PROBED(skb, sw_hash);
	r->encapsulation = BPF_CORE_READ_BITFIELD_PROBED(skb, encapsulation);
	r->cloned = BPF_CORE_READ_BITFIELD_PROBED(skb, cloned);
	/* csum_start stands in a union with csum: it means something for CHECKSUM_PARTIAL only. */
	if (r->ip_summed == 3) {
		r->csum_start = BPF_CORE_READ(skb, csum_start) - mac;
		r->csum_offset = BPF_CORE_READ(skb, csum_offset);
	}
	/* From the MAC header: where the buffer has room differs from sender to sender. */
	r->network = BPF_CORE_READ(skb, network_header) - mac;
	r->transport = BPF_CORE_READ(skb, transport_header) - mac;
	info = (void *)(BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, end));
	r->gso_type = BPF_CORE_READ(info, gso_type);
}

static __always_inline int record_packet(struct __sk_buff *ctx)
{
	__u32 zero = 0, size = ctx->len;
	struct record *r = bpf_map_lookup_elem(&records, &zero);
	__u32 *count = bpf_map_lookup_elem(&seen, &zero);

	/* The first: after a command of flowgen exec comes a probe. */
	if (!r || !count || *count || !is_wanted(ctx))
		return TC_ACT_UNSPEC;
	read_context(ctx, r);
	read_kernel(ctx, r);
	if (size > RECORD_BYTES)
		size = RECORD_BYTES;
	r->size = size;
	if (size && size <= RECORD_BYTES)
		bpf_skb_load_bytes(ctx, 0, r->bytes, size);
	__sync_fetch_and_add(count, 1);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int record(struct __sk_buff *ctx)
{
	return record_packet(ctx);
}

char LICENSE[] SEC("license") = "GPL";
