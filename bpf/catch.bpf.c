// SPDX-License-Identifier: GPL-2.0-only
/*
 * catch.bpf.c - `flowgen catch`: at the head of tcx ingress of a pod's device, inside the pod, it
 * picks out the packets that were asked for, reports them, and intercepts them before the pod's
 * stack. Needs no BTF of the kernel: all that it looks at is in the packet.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "catch_event.h"
#include "flow.h"

#define ETH_HLEN 14
#define TC_ACT_SHOT 2
#define TC_ACT_UNSPEC (-1)
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd

#define IPV4_OPTIONS_MAX 40
#define EXTENSIONS_MAX 4

const volatile struct fg_catch_filter fg_filter = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} catches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fg_catch_counters);
} catch_counters SEC(".maps");

/*
 * Too large for the stack; one for each CPU, as programs at this hook do not interrupt one another.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fg_catch_record);
} catch_record SEC(".maps");

/* What is looked at in a packet. */
struct view {
	__u8 family, proto;
	bool later_fragment; /* without ports */
	__u32 transport;     /* offset of the transport header in the frame */
	__u8 src[16], dst[16];
	__u8 options[IPV4_OPTIONS_MAX];
	__u32 options_len;
};

/*
 * What the compiler knows of a value, the verifier may not: hidden from the compiler, each check
 * stays in the code, and by itself (two that were made one, on a difference, tell the verifier
 * nothing).
 */
#define hide_bounds(value) asm volatile("" : "+r"(value))

static __always_inline int read_ipv4(struct __sk_buff *ctx, struct view *v)
{
	__u8 h[20];
	__u32 len;

	if (bpf_skb_load_bytes(ctx, ETH_HLEN, h, sizeof(h)) || h[0] >> 4 != 4 || (h[0] & 15) < 5)
		return -1;
	v->family = 4;
	v->proto = h[9];
	v->later_fragment = (h[6] & 0x1f) | h[7];
	__builtin_memcpy(v->src, h + 12, 4);
	__builtin_memcpy(v->dst, h + 16, 4);
	len = (h[0] & 15) * 4;
	v->transport = ETH_HLEN + len;
	len -= 20;
	hide_bounds(len);
	if (len > IPV4_OPTIONS_MAX)
		return -1;
	hide_bounds(len);
	if (len < 4)
		return 0;
	v->options_len = len;
	return (int)bpf_skb_load_bytes(ctx, ETH_HLEN + 20, v->options, len);
}

/* Past the extension headers (RFC 8200 section 4). */
static __always_inline int read_ipv6(struct __sk_buff *ctx, struct view *v)
{
	__u8 h[40], e[8];

	if (bpf_skb_load_bytes(ctx, ETH_HLEN, h, sizeof(h)) || h[0] >> 4 != 6)
		return -1;
	v->family = 6;
	v->proto = h[6];
	__builtin_memcpy(v->src, h + 8, 16);
	__builtin_memcpy(v->dst, h + 24, 16);
	v->transport = ETH_HLEN + 40;
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		if (v->proto != 0 && v->proto != 43 && v->proto != 44 && v->proto != 60)
			break;
		if (bpf_skb_load_bytes(ctx, v->transport, e, sizeof(e)))
			return -1;
		if (v->proto == 44)
			v->later_fragment |= e[2] | (e[3] & 0xf8);
		v->transport += v->proto == 44 ? 8 : (e[1] + 1U) * 8;
		v->proto = e[0];
	}
	return 0;
}

/*
 * Reads a value of 2, 4 or 8 bytes in network order. Returns its size, or 0 if there is no such
 * option.
 */
static __always_inline __u32 find_trace(const struct view *v, __u64 *id)
{
	__u32 at = 0;

	for (int i = 0; i < IPV4_OPTIONS_MAX; i++) {
		__u32 len = 1, size;
		__u8 type;

		/* The verifier wants to see that nothing is read beyond the array. */
		if (at + 1 >= v->options_len || at > IPV4_OPTIONS_MAX - 4)
			return 0;
		type = v->options[at];
		if (type == 0)
			return 0;
		if (type != 1)
			len = v->options[at + 1];
		if (!len || at + len > v->options_len)
			return 0;
		if (type == fg_filter.trace_option && len >= 4) {
			size = len - 2;
			if (size != 2 && size != 4 && size != 8)
				return 0;
			*id = 0;
			for (__u32 k = 0; k < 8; k++)
				if (k < size && at + 2 + k < IPV4_OPTIONS_MAX)
					*id = *id << 8 | v->options[at + 2 + k];
			return size;
		}
		at += len;
	}
	return 0;
}

static __always_inline bool same(const __u8 *a, const volatile __u8 *b)
{
	for (int i = 0; i < 16; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static __always_inline bool has_ports(__u8 proto)
{
	return proto == FG_IPPROTO_TCP || proto == FG_IPPROTO_UDP || proto == FG_IPPROTO_SCTP;
}

static __always_inline bool ports_match(struct __sk_buff *ctx, const struct view *v)
{
	__u32 match = fg_filter.match;
	__u16 ports[2];

	if (!(match & (FG_CATCH_BY_SPORT | FG_CATCH_BY_DPORT)))
		return true;
	if (v->later_fragment || !has_ports(v->proto) ||
	    bpf_skb_load_bytes(ctx, v->transport, ports, sizeof(ports)))
		return false;
	return (!(match & FG_CATCH_BY_SPORT) || ports[0] == fg_filter.sport) &&
	       (!(match & FG_CATCH_BY_DPORT) || ports[1] == fg_filter.dport);
}

static __always_inline bool flow_matches(struct __sk_buff *ctx, const struct view *v)
{
	__u32 match = fg_filter.match;

	if (fg_filter.family && v->family != fg_filter.family)
		return false;
	if ((match & FG_CATCH_BY_PROTO) && v->proto != fg_filter.proto)
		return false;
	if ((match & FG_CATCH_BY_SRC) && !same(v->src, fg_filter.src))
		return false;
	if ((match & FG_CATCH_BY_DST) && !same(v->dst, fg_filter.dst))
		return false;
	return ports_match(ctx, v);
}

/* Takes a number for one more. False where as many as were asked for have been caught. */
static __always_inline bool take(struct fg_catch_counters *c)
{
	__u64 number = __sync_fetch_and_add(&c->caught, 1);

	if (!fg_filter.limit || number < fg_filter.limit)
		return true;
	__sync_fetch_and_add(&c->caught, -1);
	return false;
}

static __always_inline void report(struct __sk_buff *ctx, struct fg_catch_counters *c,
				   struct fg_catch_record *r)
{
	__u32 size;

	r->version = FG_CATCH_VERSION;
	r->passed = fg_filter.pass;
	r->ifindex = ctx->ifindex;
	r->time_ns = bpf_ktime_get_ns();
	/* At this hook the link-layer header is in front of the data again. */
	r->length = ctx->len - ETH_HLEN;
	size = r->length;
	hide_bounds(size);
	if (size > FG_CATCH_BYTES)
		size = FG_CATCH_BYTES;
	__builtin_memset(r->bytes, 0, sizeof(r->bytes));
	r->captured = 0;
	hide_bounds(size);
	if (size > 0 && !bpf_skb_load_bytes(ctx, ETH_HLEN, r->bytes, size))
		r->captured = (__u16)size;
	if (bpf_ringbuf_output(&catches, r, sizeof(*r), 0))
		__sync_fetch_and_add(&c->lost, 1);
}

SEC("tc")
int fg_catch(struct __sk_buff *ctx)
{
	struct fg_catch_counters *c;
	struct fg_catch_record *r;
	struct view v = {};
	__u32 zero = 0, size = 0;
	__u64 id = 0;

	if (ctx->protocol == bpf_htons(ETH_P_IP)) {
		if (read_ipv4(ctx, &v))
			return TC_ACT_UNSPEC;
		size = find_trace(&v, &id);
	} else if (ctx->protocol != bpf_htons(ETH_P_IPV6) || read_ipv6(ctx, &v)) {
		return TC_ACT_UNSPEC;
	}
	if ((fg_filter.match & FG_CATCH_BY_TRACE) && !size)
		return TC_ACT_UNSPEC;
	if ((fg_filter.match & FG_CATCH_BY_TRACE_ID) && id != fg_filter.trace_id)
		return TC_ACT_UNSPEC;
	c = bpf_map_lookup_elem(&catch_counters, &zero);
	r = bpf_map_lookup_elem(&catch_record, &zero);
	if (!c || !r || !flow_matches(ctx, &v) || !take(c))
		return TC_ACT_UNSPEC;
	r->has_trace = size != 0;
	r->trace_size = (__u8)size;
	r->trace_id = id;
	report(ctx, c, r);
	return fg_filter.pass ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "GPL";
