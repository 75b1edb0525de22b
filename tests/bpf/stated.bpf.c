// SPDX-License-Identifier: GPL-2.0-only
/*
 * stated.bpf.c - policy programs of our own that say why, in the ways that network plugins do: the
 * one that is attached jumps to another one, which counts, writes events, enters connections, and
 * decides. Names and layouts of maps are those that decoders know (doc/stated.md).
 */
#include "kernel.h"
#include "maps.h"
#include "stated.h"

struct fg_track seed; /* what the packet is tracked as; probe 0: not tracked */
struct stated_want want;
__u64 packets_seen;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} steps SEC(".maps");

struct drop_key {
	__u8 reason;
	__u8 dir : 2, pad : 6;
	__u16 line;
	__u8 file;
	__u8 reserved[3];
};

struct drop_value {
	__u64 count;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 256);
	__type(key, struct drop_key);
	__type(value, struct drop_value);
} cilium_metrics SEC(".maps");

struct rule_key {
	__u32 prefixlen;
	__u32 sec_label;
	__u8 egress : 1, pad : 7;
	__u8 protocol;
	__be16 dport;
};

struct rule_value {
	__be16 proxy_port;
	__u8 deny : 1, pad : 7;
	__u8 auth;
	__u32 cookie;
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 64);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct rule_key);
	__type(value, struct rule_value);
} cilium_policy_t SEC(".maps");

enum total_slot { TOTAL_PASSED, TOTAL_DROPPED, TOTALS };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TOTALS);
	__type(key, __u32);
	__type(value, __u64);
} totals SEC(".maps");

/* Written anew for each packet: two of its numbers look like counters. */
struct scratch_value {
	__u64 calls;
	__u64 time;
	__u32 length;
	__u32 state;
	__u8 buffer[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch_value);
} scratch SEC(".maps");

struct connection {
	__be32 daddr;
	__be32 saddr;
	__be16 dport;
	__be16 sport;
	__u8 nexthdr;
	__u8 flags;
};

struct connection_value {
	__u64 packets;
	__u64 bytes;
	__u32 lifetime;
	__u16 flags;
	__u16 identity;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct connection);
	__type(value, struct connection_value);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} cilium_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} policy_events SEC(".maps");

/* Without types, as a plugin makes them that creates its maps by itself. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__uint(key_size, 8);
	__uint(value_size, 160);
} cali_counters3 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__uint(key_size, 8);
	__uint(value_size, 8);
} cali_rule_ctrs2 SEC(".maps");

/* Too big to be compared. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1000000);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u64);
} everything SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 300000);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct connection);
	__type(value, struct connection_value);
} big_connections SEC(".maps");

struct owned_flow {
	__be32 src_ip;
	__u16 src_port;
	__be32 dest_ip;
	__u16 dest_port;
	__u8 protocol;
	__be32 owner_addr;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 300000);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct owned_flow);
	__type(value, __u8);
} big_flows SEC(".maps");

/* Addresses and ports of an IPv4 packet without options. */
static __always_inline void read_connection(struct __sk_buff *ctx, struct connection *c)
{
	__builtin_memset(c, 0, sizeof(*c));
	bpf_skb_load_bytes(ctx, 14 + 12, &c->saddr, 4);
	bpf_skb_load_bytes(ctx, 14 + 16, &c->daddr, 4);
	bpf_skb_load_bytes(ctx, 14 + 20, &c->sport, 2);
	bpf_skb_load_bytes(ctx, 14 + 22, &c->dport, 2);
	bpf_skb_load_bytes(ctx, 14 + 9, &c->nexthdr, 1);
}

static __always_inline void count_drop(struct __sk_buff *ctx, __u32 times)
{
	struct drop_key key = { .reason = (__u8)want.reason, .dir = 1, .line = 77, .file = 2 };
	struct drop_value first = { .count = times, .bytes = (__u64)ctx->len * times };
	struct drop_value *v = bpf_map_lookup_elem(&cilium_metrics, &key);

	if (!v) {
		bpf_map_update_elem(&cilium_metrics, &key, &first, BPF_ANY);
		return;
	}
	v->count += times;
	v->bytes += (__u64)ctx->len * times;
}

static __always_inline void count_rule(struct __sk_buff *ctx, const struct connection *c,
				       __u32 times)
{
	struct rule_key key = {
		.prefixlen = 64, .sec_label = 1002, .protocol = c->nexthdr, .dport = c->dport
	};
	struct rule_value *v = bpf_map_lookup_elem(&cilium_policy_t, &key);

	if (!v)
		return;
	__sync_fetch_and_add(&v->packets, times);
	__sync_fetch_and_add(&v->bytes, (__u64)ctx->len * times);
}

static __always_inline void count(struct __sk_buff *ctx, const struct connection *c)
{
	__u32 slot = TOTAL_DROPPED, times = want.traits & STATED_OTHERS ? 4 : 1;
	__u64 *total = bpf_map_lookup_elem(&totals, &slot);

	count_drop(ctx, times);
	count_rule(ctx, c, times);
	if (total)
		*total += times;
	__sync_fetch_and_add(&packets_seen, times);
}

static __always_inline void count_numbered(void)
{
	__u32 key[2] = { 12, 0 };
	__u64 rule = 0x0123456789abcdef, one = 1, *v;

	v = bpf_map_lookup_elem(&cali_counters3, key);
	if (v) {
		v[0]++;
		v[4]++;
	}
	v = bpf_map_lookup_elem(&cali_rule_ctrs2, &rule);
	if (v)
		(*v)++;
	else
		bpf_map_update_elem(&cali_rule_ctrs2, &rule, &one, BPF_ANY);
}

struct notification {
	__u8 type;
	__u8 reason;
	__u16 endpoint;
	__u32 hash;
	__u32 length;
	__u16 captured;
	__u16 version;
	__u32 source;
	__u32 destination;
	__u32 target;
	__u16 line;
	__u8 file;
	__s8 error;
	__u32 ifindex;
};

static __always_inline void notify(struct __sk_buff *ctx)
{
	struct notification n = { .type = 1,
				  .reason = (__u8)want.reason,
				  .endpoint = 101,
				  .length = ctx->len,
				  .captured = 32,
				  .version = 1,
				  .source = 1001,
				  .destination = 1002,
				  .target = 102,
				  .ifindex = ctx->ifindex };

	bpf_perf_event_output(ctx, &cilium_events, BPF_F_CURRENT_CPU | 32ULL << 32, &n, sizeof(n));
}

struct flow_event {
	__u32 src_ip;
	__u32 src_port;
	__u32 dest_ip;
	__u32 dest_port;
	__u32 protocol;
	__u32 verdict;
	__u32 length;
	__u8 egress;
	__u8 tier;
};

static __always_inline void write_flow(struct __sk_buff *ctx, const struct connection *c)
{
	struct flow_event e = { .src_ip = c->saddr,
				.src_port = bpf_ntohs(c->sport),
				.dest_ip = c->daddr,
				.dest_port = bpf_ntohs(c->dport),
				.protocol = c->nexthdr,
				.verdict = want.verdict,
				.length = ctx->len,
				.tier = 2 };

	bpf_ringbuf_output(&policy_events, &e, sizeof(e), 0);
}

static __always_inline void connect(struct __sk_buff *ctx, const struct connection *c)
{
	struct connection_value first = {
		.packets = 1, .bytes = ctx->len, .lifetime = 300, .flags = 5, .identity = 1001
	};
	struct connection_value *v = bpf_map_lookup_elem(&connections, c);

	if (!v) {
		bpf_map_update_elem(&connections, c, &first, BPF_ANY);
		return;
	}
	v->packets++;
	v->bytes += ctx->len;
	v->lifetime += 7;
}

/* Ports the other way round; ports in the machine's order, and one end once more. */
static __always_inline void enter_tables(struct connection c)
{
	struct connection_value v = { .flags = 3 };
	struct owned_flow flow;
	__u16 sport = c.sport;
	__u8 one = 1;

	__builtin_memset(&flow, 0, sizeof(flow));
	flow.src_ip = c.saddr;
	flow.dest_ip = flow.owner_addr = c.daddr;
	flow.src_port = bpf_ntohs(c.sport);
	flow.dest_port = bpf_ntohs(c.dport);
	flow.protocol = c.nexthdr;
	bpf_map_update_elem(&big_flows, &flow, &one, BPF_ANY);
	c.sport = c.dport;
	c.dport = sport;
	c.flags = 1;
	bpf_map_update_elem(&big_connections, &c, &v, BPF_ANY);
}

static __always_inline void scribble(struct __sk_buff *ctx)
{
	__u32 zero = 0;
	struct scratch_value *s = bpf_map_lookup_elem(&scratch, &zero);

	if (!s)
		return;
	s->calls++;
	s->time = bpf_ktime_get_ns();
	s->length = ctx->len;
	s->state ^= 1;
	bpf_skb_load_bytes(ctx, 0, s->buffer, 34);
}

SEC("tc")
int stated_callee(struct __sk_buff *ctx)
{
	__u64 unknown = 0xdeadbeefcafef00d, key = 1;
	struct connection c;

	read_connection(ctx, &c);
	if (want.traits & STATED_COUNT)
		count(ctx, &c);
	if (want.traits & STATED_RULES)
		count_numbered();
	if (want.traits & STATED_NOTIFY)
		notify(ctx);
	if (want.traits & STATED_FLOW)
		write_flow(ctx, &c);
	if (want.traits & STATED_UNKNOWN)
		bpf_ringbuf_output(&policy_events, &unknown, sizeof(unknown), 0);
	if (want.traits & STATED_CONNECT)
		connect(ctx, &c);
	if (want.traits & STATED_TABLES)
		enter_tables(c);
	bpf_map_update_elem(&everything, &key, &key, BPF_ANY);
	return (int)want.returns;
}

SEC("tc")
int stated_entry(struct __sk_buff *ctx)
{
	__u64 key = (__u64)ctx;
	struct fg_track t = seed;

	if (t.probe)
		bpf_map_update_elem(&tracked, &key, &t, BPF_ANY);
	scribble(ctx);
	bpf_tail_call(ctx, &steps, 3);
	return 99;
}

char LICENSE[] SEC("license") = "GPL";
