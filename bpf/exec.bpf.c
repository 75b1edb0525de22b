// SPDX-License-Identifier: GPL-2.0-only
/*
 * exec.bpf.c - the four programs of `flowgen exec`. The command runs in a namespace of flowgen's
 * own, whose device is a twin of the pod's:
 *
 *   fg_exec_out    tcx ingress of the twin's outer end: notes the flow, and puts the packet where
 *                  the pod's own packets enter their egress path;
 *   fg_exec_guard  tcx egress of the pod's device, first: takes the mark off, and notices when the
 *                  pod itself uses a tuple of the command: from then on it is the pod's;
 *   fg_exec_pod    tcx ingress of the pod's device, first: the second leg of the bounce; and what
 *                  answers the command goes back out to the host side, before the pod's stack;
 *   fg_exec_host   tcx ingress of the primary, first: takes such an answer to the twin.
 *
 * A command that is somebody outside (--from-uplink) has no pod. Its packets arrive at the uplink,
 * and
 *
 *   fg_exec_leave  tcx egress of the uplink, last: takes what answers them to the twin, before it
 * leaves.
 *
 *   fg_exec_drop   kfree_skb of the whole host: which of the command's packets was dropped, and
 * why.
 *
 * Answers are caught in the pod because all that decides about what comes in has run by then.
 */
#include "kernel.h"

#include <stdbool.h>
#include <linux/if_ether.h>

#include "exec_flow.h"

#define IP_MORE_FRAGMENTS 0x2000
#define IP_OFFSET 0x1fff

#define PROTO_ICMP 1
#define PROTO_IGMP 2
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_ICMPV6 58
#define PROTO_DCCP 33
#define PROTO_SCTP 132
#define PROTO_UDPLITE 136

#define ND_ROUTER_SOLICIT 133
#define ND_NEIGHBOR_SOLICIT 135
#define ND_NEIGHBOR_ADVERT 136

#define PACKET_HOST 0

const volatile struct fg_exec_config exec_config = {};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FG_EXEC_FLOWS);
	__type(key, struct fg_exec_flow);
	__type(value, struct fg_exec_state);
} exec_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct fg_exec_fragment);
	__type(value, struct fg_exec_flow);
} exec_fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct fg_exec_question);
	__type(value, __u8);
} exec_questions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FG_EXEC_FLOWS);
	__type(key, struct fg_exec_port);
	__type(value, struct fg_exec_flow);
} exec_ports SEC(".maps");

/* Later fragments that came before the first one: nobody knew whose they are. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct fg_exec_fragment);
	__type(value, __u8);
} exec_early SEC(".maps");

__u64 exec_flows_made;
__u64 exec_early_fragments; /* of the command's datagrams */
__u64 exec_drops;	    /* packets of the command: user space looks when it changes */

/* --- reading a packet --- */

/* A packet, or one that an ICMP error quotes. */
struct packet {
	struct fg_exec_flow flow; /* as the end that is `local` sees it */
	__u32 l4;		  /* offset of the layer above IP; 0: it is not there */
	__u32 ident;
	__u8 type, code; /* of ICMP */
	__u8 tcp_flags;
	__u8 first, later; /* a fragment: the first one, or not the first */
};

/* As the sender sees it; turn_round() makes it the receiver's. */
static __always_inline int read_v4(struct __sk_buff *ctx, __u32 at, struct packet *p)
{
	__u16 fragment;
	__u8 h[20];

	if (bpf_skb_load_bytes(ctx, at, h, sizeof(h)) || h[0] >> 4 != 4)
		return -1;
	p->flow.family = 4;
	p->flow.proto = h[9];
	__builtin_memcpy(p->flow.local, h + 12, 4);
	__builtin_memcpy(p->flow.remote, h + 16, 4);
	p->ident = (__u32)h[4] << 8 | h[5];
	fragment = (__u16)h[6] << 8 | h[7];
	p->later = (fragment & IP_OFFSET) != 0;
	p->first = !p->later && (fragment & IP_MORE_FRAGMENTS);
	p->l4 = at + (h[0] & 15) * 4;
	return 0;
}

static __always_inline int read_v6(struct __sk_buff *ctx, __u32 at, struct packet *p)
{
	__u8 h[40], next;

	if (bpf_skb_load_bytes(ctx, at, h, sizeof(h)) || h[0] >> 4 != 6)
		return -1;
	p->flow.family = 6;
	__builtin_memcpy(p->flow.local, h + 8, 16);
	__builtin_memcpy(p->flow.remote, h + 24, 16);
	next = h[6];
	at += sizeof(h);
#pragma unroll
	for (int i = 0; i < 6; i++) {
		__u8 e[8];

		if (next != 0 && next != 43 && next != 60 && next != 44)
			break;
		if (bpf_skb_load_bytes(ctx, at, e, sizeof(e)))
			return -1;
		if (next == 44) {
			p->later = e[2] || (e[3] & 0xf8);
			p->first = !p->later && (e[3] & 1);
			__builtin_memcpy(&p->ident, e + 4, 4);
			at += 8;
		} else {
			at += (e[1] + 1U) * 8;
		}
		next = e[0];
		if (p->later)
			break;
	}
	p->flow.proto = next;
	p->l4 = at;
	return 0;
}

static __always_inline int read_ports(struct __sk_buff *ctx, struct packet *p)
{
	__u8 h[14] = {};

	if (p->later)
		return 0;
	switch (p->flow.proto) {
	case PROTO_TCP:
	case PROTO_UDP:
	case PROTO_UDPLITE:
	case PROTO_SCTP:
	case PROTO_DCCP:
		/* A quoted packet may end after eight bytes (RFC 792). */
		if (bpf_skb_load_bytes(ctx, p->l4, h, 8))
			return -1;
		__builtin_memcpy(&p->flow.local_port, h, 2);
		__builtin_memcpy(&p->flow.remote_port, h + 2, 2);
		if (p->flow.proto == PROTO_TCP && !bpf_skb_load_bytes(ctx, p->l4, h, sizeof(h)))
			p->tcp_flags = h[13];
		return 0;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		if (bpf_skb_load_bytes(ctx, p->l4, h, 8))
			return -1;
		p->type = h[0];
		p->code = h[1];
		__builtin_memcpy(&p->flow.local_port, h + 4, 2);
		return 0;
	}
	return 0;
}

static __always_inline int read_packet(struct __sk_buff *ctx, __u32 at, __u16 protocol,
				       struct packet *p)
{
	__builtin_memset(p, 0, sizeof(*p));
	if (protocol == bpf_htons(ETH_P_IP)	? read_v4(ctx, at, p)
	    : protocol == bpf_htons(ETH_P_IPV6) ? read_v6(ctx, at, p)
						: -1)
		return -1;
	return read_ports(ctx, p);
}

static __always_inline bool is_icmp(const struct fg_exec_flow *f)
{
	return f->proto == PROTO_ICMP || f->proto == PROTO_ICMPV6;
}

static __always_inline void turn_round(struct fg_exec_flow *f)
{
	struct fg_exec_flow was = *f;

	__builtin_memcpy(f->local, was.remote, sizeof(f->local));
	__builtin_memcpy(f->remote, was.local, sizeof(f->remote));
	/* The identifier of ICMP belongs to neither end. */
	if (!is_icmp(f)) {
		f->local_port = was.remote_port;
		f->remote_port = was.local_port;
	}
}

/* What begins a flow: of ICMP a question (RFC 792: echo, timestamp, mask; RFC 4443: echo). */
static __always_inline bool is_question(const struct packet *p)
{
	if (p->flow.proto == PROTO_ICMP)
		return p->type == 8 || p->type == 13 || p->type == 15 || p->type == 17 ||
		       p->type == 42;
	if (p->flow.proto == PROTO_ICMPV6)
		return p->type == 128 || p->type == 160;
	return true;
}

static __always_inline bool is_answer(const struct packet *p)
{
	if (p->flow.proto == PROTO_ICMP)
		return p->type == 0 || p->type == 14 || p->type == 16 || p->type == 18 ||
		       p->type == 43;
	if (p->flow.proto == PROTO_ICMPV6)
		return p->type == 129 || p->type == 161;
	return true;
}

static __always_inline bool is_error(const struct packet *p)
{
	if (p->later)
		return false;
	if (p->flow.proto == PROTO_ICMPV6)
		return p->type >= 1 && p->type <= 4;
	return p->flow.proto == PROTO_ICMP &&
	       (p->type == 3 || p->type == 4 || p->type == 5 || p->type == 11 || p->type == 12);
}

/* --- fragments --- */

static __always_inline void fragment_key(const struct packet *p, struct fg_exec_fragment *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(key->local, p->flow.local, sizeof(key->local));
	__builtin_memcpy(key->remote, p->flow.remote, sizeof(key->remote));
	key->ident = p->ident;
	key->family = p->flow.family;
	key->proto = p->flow.proto;
}

/* The flow of a fragment that is not the first: that of the first. */
static __always_inline bool find_flow(struct packet *p)
{
	struct fg_exec_fragment key;
	struct fg_exec_flow *flow;

	if (!p->first && !p->later)
		return true;
	fragment_key(p, &key);
	if (p->first) {
		bpf_map_update_elem(&exec_fragments, &key, &p->flow, BPF_ANY);
		return true;
	}
	flow = bpf_map_lookup_elem(&exec_fragments, &key);
	if (!flow)
		return false;
	p->flow = *flow;
	return true;
}

/* --- neighbours --- */

/* Offsets in ARP for IPv4 over Ethernet (RFC 826). */
#define ARP_OPERATION 6
#define ARP_SENDER 14
#define ARP_TARGET 24

static __always_inline bool read_arp(struct __sk_buff *ctx, __u8 operation, __u32 at,
				     struct fg_exec_question *q)
{
	__u8 op[2];

	__builtin_memset(q, 0, sizeof(*q));
	q->family = 4;
	return !bpf_skb_load_bytes(ctx, ETH_HLEN + ARP_OPERATION, op, sizeof(op)) && !op[0] &&
	       op[1] == operation && !bpf_skb_load_bytes(ctx, ETH_HLEN + at, q->target, 4);
}

static __always_inline bool read_nd(struct __sk_buff *ctx, const struct packet *p,
				    struct fg_exec_question *q)
{
	__builtin_memset(q, 0, sizeof(*q));
	q->family = 6;
	return !bpf_skb_load_bytes(ctx, p->l4 + 8, q->target, sizeof(q->target));
}

static __always_inline bool is_advert(const struct packet *p)
{
	return p->flow.proto == PROTO_ICMPV6 && p->type == ND_NEIGHBOR_ADVERT;
}

/* The answer to a question of the command's, once. */
static __always_inline bool answers_question(struct __sk_buff *ctx, const struct packet *p)
{
	struct fg_exec_question q;

	if (ctx->protocol == bpf_htons(ETH_P_ARP) ? !read_arp(ctx, 2, ARP_SENDER, &q)
						  : !is_advert(p) || !read_nd(ctx, p, &q))
		return false;
	return !bpf_map_delete_elem(&exec_questions, &q);
}

/* --- out: from the twin to the pod's egress path --- */

static __always_inline int send_out(struct __sk_buff *ctx)
{
	static const __u8 none[12];

	/* Else the primary takes them for another host's (eth_type_trans). */
	if (exec_config.outside && bpf_skb_store_bytes(ctx, 0, (const void *)exec_config.uplink_mac,
						       sizeof(exec_config.uplink_mac), 0))
		return TC_ACT_SHOT;
	if (exec_config.no_addresses && bpf_skb_store_bytes(ctx, 0, none, sizeof(none), 0))
		return TC_ACT_SHOT;
	if (exec_config.way == FG_EXEC_HOST_INGRESS)
		return bpf_redirect(exec_config.primary, BPF_F_INGRESS);
	ctx->mark = exec_config.out_mark;
	return bpf_redirect_peer(exec_config.primary,
				 exec_config.way == FG_EXEC_PEER_EGRESS ? BPF_F_EGRESS : 0);
}

#define TCP_FIN 1
#define TCP_SYN 2
#define TCP_RST 4
#define TCP_ACK 16

static __always_inline void note_end(struct fg_exec_state *s, const struct packet *p, bool here)
{
	if (p->flow.proto != PROTO_TCP || p->later)
		return;
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) && !here)
		s->answered_syn = 1;
	if (s->end == FG_EXEC_RESET_HERE || s->end == FG_EXEC_RESET_THERE)
		return;
	if (p->tcp_flags & TCP_RST)
		s->end = here ? FG_EXEC_RESET_HERE : FG_EXEC_RESET_THERE;
	else if ((p->tcp_flags & TCP_FIN) && s->end == FG_EXEC_OPEN)
		s->end = here ? FG_EXEC_CLOSED_HERE : FG_EXEC_CLOSED_THERE;
}

/* Whether a socket of the pod is connected on the tuple: one that it has made since the start. */
static __always_inline bool pod_has(struct __sk_buff *ctx, const struct fg_exec_flow *f)
{
	struct bpf_sock_tuple t = {};
	__u32 size = f->family == 4 ? sizeof(t.ipv4) : sizeof(t.ipv6);
	struct bpf_sock *sk;
	bool has;

	if (exec_config.pod_nsid < 0 || (f->proto != PROTO_TCP && f->proto != PROTO_UDP))
		return false;
	/* As of a packet that comes in. */
	if (f->family == 4) {
		__builtin_memcpy(&t.ipv4.saddr, f->remote, 4);
		__builtin_memcpy(&t.ipv4.daddr, f->local, 4);
		t.ipv4.sport = f->remote_port;
		t.ipv4.dport = f->local_port;
	} else {
		__builtin_memcpy(t.ipv6.saddr, f->remote, 16);
		__builtin_memcpy(t.ipv6.daddr, f->local, 16);
		t.ipv6.sport = f->remote_port;
		t.ipv6.dport = f->local_port;
	}
	/* Two kinds of pointers to the verifier: one branch for each. */
	if (f->proto == PROTO_TCP) {
		sk = bpf_skc_lookup_tcp(ctx, &t, size, exec_config.pod_nsid, 0);
		if (!sk)
			return false;
		has = sk->state != BPF_TCP_LISTEN;
		bpf_sk_release(sk);
		return has;
	}
	sk = bpf_sk_lookup_udp(ctx, &t, size, exec_config.pod_nsid, 0);
	if (!sk)
		return false;
	has = sk->dst_port != 0;
	bpf_sk_release(sk);
	return has;
}

static __always_inline void port_key(const struct fg_exec_flow *flow, struct fg_exec_port *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(key->local, flow->local, sizeof(key->local));
	key->family = flow->family;
	key->proto = flow->proto;
	key->port = flow->local_port;
}

static __always_inline void note_port(const struct fg_exec_flow *flow)
{
	struct fg_exec_port key;

	if (!flow->local_port || !flow->remote_port)
		return;
	port_key(flow, &key);
	bpf_map_update_elem(&exec_ports, &key, flow, BPF_ANY);
}

static __always_inline struct fg_exec_state *make_flow(struct __sk_buff *ctx,
						       const struct fg_exec_flow *flow)
{
	struct fg_exec_state fresh = { .first_ns = bpf_ktime_get_ns(), .pods = pod_has(ctx, flow) };

	if (!bpf_map_update_elem(&exec_flows, flow, &fresh, BPF_NOEXIST)) {
		__sync_fetch_and_add(&exec_flows_made, 1);
		note_port(flow);
	}
	return bpf_map_lookup_elem(&exec_flows, flow);
}

/* What the twin's stack says of itself, unasked: the pod has said it already. */
static __always_inline bool is_noise(const struct packet *p)
{
	if (p->flow.proto == PROTO_IGMP)
		return true;
	return p->flow.proto == PROTO_ICMPV6 &&
	       (p->type == ND_ROUTER_SOLICIT || (p->type >= 130 && p->type <= 132) ||
		p->type == 143 || p->type == ND_NEIGHBOR_ADVERT);
}

SEC("tc")
int fg_exec_out(struct __sk_buff *ctx)
{
	struct fg_exec_question q;
	struct fg_exec_state *s;
	const __u8 one = 1;
	struct packet p;

	if (ctx->protocol == bpf_htons(ETH_P_ARP)) {
		/* Only questions: what the twin would answer, the pod answers. */
		if (!read_arp(ctx, 1, ARP_TARGET, &q))
			return TC_ACT_SHOT;
		bpf_map_update_elem(&exec_questions, &q, &one, BPF_ANY);
		return send_out(ctx);
	}
	if (read_packet(ctx, ETH_HLEN, ctx->protocol, &p))
		return TC_ACT_SHOT;
	if (!p.later && is_noise(&p))
		return TC_ACT_SHOT;
	if (!p.later && p.flow.proto == PROTO_ICMPV6 && p.type == ND_NEIGHBOR_SOLICIT) {
		if (!read_nd(ctx, &p, &q))
			return TC_ACT_SHOT;
		bpf_map_update_elem(&exec_questions, &q, &one, BPF_ANY);
		return send_out(ctx);
	}
	if (!find_flow(&p))
		return TC_ACT_SHOT;
	s = bpf_map_lookup_elem(&exec_flows, &p.flow);
	if (!s && (p.later || is_question(&p)))
		s = make_flow(ctx, &p.flow);
	/* An ICMP error of the twin's own belongs to the flow that it is about, and is not counted.
	 */
	if (s && s->pods) {
		__sync_fetch_and_add(&s->refused, 1);
		return TC_ACT_SHOT;
	}
	if (s) {
		s->last_ns = bpf_ktime_get_ns();
		__sync_fetch_and_add(&s->out_packets, 1);
		__sync_fetch_and_add(&s->out_bytes, ctx->len);
		note_end(s, &p, true);
	}
	return send_out(ctx);
}

/* --- the pod's own device, inside the pod --- */

SEC("tc")
int fg_exec_guard(struct __sk_buff *ctx)
{
	struct fg_exec_state *s;
	struct packet p;

	if (ctx->mark == exec_config.out_mark) {
		ctx->mark = 0;
		return TC_ACT_UNSPEC;
	}
	/* Of ICMP only questions: what the pod answers is nobody's flow. */
	if (read_packet(ctx, ETH_HLEN, ctx->protocol, &p) || p.later ||
	    (is_icmp(&p.flow) && !is_question(&p)))
		return TC_ACT_UNSPEC;
	s = bpf_map_lookup_elem(&exec_flows, &p.flow);
	if (s)
		s->pods = 1;
	return TC_ACT_UNSPEC;
}

/* A fragment of an answer: one that nobody knows yet is remembered, and told once it is known. */
static __always_inline bool find_fragment(struct packet *p)
{
	struct fg_exec_fragment key;
	const __u8 one = 1;

	if (find_flow(p))
		return true;
	fragment_key(p, &key);
	bpf_map_update_elem(&exec_early, &key, &one, BPF_ANY);
	return false;
}

static __always_inline void note_early(const struct packet *p)
{
	struct fg_exec_fragment key;

	if (!p->first)
		return;
	fragment_key(p, &key);
	if (!bpf_map_delete_elem(&exec_early, &key))
		__sync_fetch_and_add(&exec_early_fragments, 1);
}

static __always_inline struct fg_exec_state *find_answered(struct __sk_buff *ctx, struct packet *p,
							   bool *error)
{
	struct packet quoted;

	*error = is_error(p);
	if (*error) {
		/* What an error quotes is a packet of ours, as we sent it. */
		if (read_packet(ctx, p->l4 + 8, ctx->protocol, &quoted))
			return NULL;
		if (is_icmp(&quoted.flow) && !is_question(&quoted))
			return NULL;
		return bpf_map_lookup_elem(&exec_flows, &quoted.flow);
	}
	turn_round(&p->flow);
	if (!find_fragment(p) || (!p->later && !is_answer(p)))
		return NULL;
	return bpf_map_lookup_elem(&exec_flows, &p->flow);
}

static __always_inline void note_answer(struct __sk_buff *ctx, struct fg_exec_state *s,
					const struct packet *p, bool error)
{
	s->last_ns = s->last_in_ns = bpf_ktime_get_ns();
	if (error) {
		__sync_fetch_and_add(&s->in_errors, 1);
		s->error = (__u16)p->type << 8 | p->code;
		return;
	}
	note_early(p);
	__sync_fetch_and_add(&s->in_packets, 1);
	__sync_fetch_and_add(&s->in_bytes, ctx->len);
	note_end(s, p, false);
}

static __always_inline int send_back(struct __sk_buff *ctx)
{
	ctx->mark = exec_config.answer_mark;
	return bpf_redirect_peer(ctx->ifindex, 0);
}

SEC("tc")
int fg_exec_pod(struct __sk_buff *ctx)
{
	struct fg_exec_state *s;
	struct packet p = {};
	bool error;

	if (ctx->mark == exec_config.out_mark) {
		/* Kernels whose bpf_redirect_peer() does not scrub the packet leave it OTHERHOST.
		 */
		bpf_skb_change_type(ctx, PACKET_HOST);
		return bpf_redirect(ctx->ifindex, 0);
	}
	if (ctx->protocol != bpf_htons(ETH_P_ARP) && read_packet(ctx, ETH_HLEN, ctx->protocol, &p))
		return TC_ACT_UNSPEC;
	if (answers_question(ctx, &p))
		return send_back(ctx);
	if (ctx->protocol == bpf_htons(ETH_P_ARP))
		return TC_ACT_UNSPEC;
	s = find_answered(ctx, &p, &error);
	if (!s || s->pods)
		return TC_ACT_UNSPEC;
	note_answer(ctx, s, &p, error);
	return send_back(ctx);
}

SEC("tc")
int fg_exec_host(struct __sk_buff *ctx)
{
	if (ctx->mark != exec_config.answer_mark)
		return TC_ACT_UNSPEC;
	ctx->mark = 0;
	return bpf_redirect_peer(exec_config.outer, 0);
}

/* --- the uplink, if the command is somebody outside --- */

SEC("tc")
int fg_exec_leave(struct __sk_buff *ctx)
{
	struct fg_exec_state *s;
	struct fg_exec_flow sent;
	struct packet p;
	bool error;

	if (read_packet(ctx, ETH_HLEN, ctx->protocol, &p))
		return TC_ACT_UNSPEC;
	sent = p.flow;
	s = find_answered(ctx, &p, &error);
	if (s) {
		note_answer(ctx, s, &p, error);
	} else {
		/* What the command sent itself, and the node sends on: there nobody takes it. */
		s = bpf_map_lookup_elem(&exec_flows, &sent);
		if (!s)
			return TC_ACT_UNSPEC;
		__sync_fetch_and_add(&s->left, 1);
	}
	if (bpf_skb_store_bytes(ctx, 0, (const void *)exec_config.twin_mac,
				sizeof(exec_config.twin_mac), 0))
		return TC_ACT_SHOT;
	ctx->mark = 0;
	return bpf_redirect(exec_config.outer, 0);
}

/* --- what is dropped --- */

/* Who sent a packet to whom; of a later fragment without ports. */
struct ends {
	struct fg_exec_flow flow;
	__u32 ident;
	__u8 later;
};

/* Returns where the layer above IP begins; NULL: it cannot be read. */
static __always_inline const unsigned char *read_extensions(const unsigned char *at, __u8 next,
							    struct ends *e)
{
#pragma unroll
	for (int i = 0; i < 6; i++) {
		__u8 h[8] = {};

		if (e->later || (next != 0 && next != 43 && next != 60 && next != 44))
			break;
		if (bpf_probe_read_kernel(h, sizeof(h), at))
			return NULL;
		if (next == 44) {
			e->later = h[2] || (h[3] & 0xf8);
			__builtin_memcpy(&e->ident, h + 4, 4);
		}
		at += next == 44 ? 8 : (h[1] + 1U) * 8;
		next = h[0];
	}
	e->flow.proto = next;
	return at;
}

static __always_inline int read_ends(const struct sk_buff *skb, struct ends *e)
{
	const unsigned char *at = BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, network_header);
	struct fg_exec_flow *flow = &e->flow;
	__u8 h[40] = {};
	__be16 ports[2] = {};

	__builtin_memset(e, 0, sizeof(*e));
	if (bpf_probe_read_kernel(h, sizeof(h), at))
		return -1;
	if (h[0] >> 4 == 4) {
		e->later = (((__u16)h[6] << 8 | h[7]) & IP_OFFSET) != 0;
		e->ident = (__u32)h[4] << 8 | h[5];
		flow->family = 4;
		flow->proto = h[9];
		__builtin_memcpy(flow->local, h + 12, 4);
		__builtin_memcpy(flow->remote, h + 16, 4);
		at += (h[0] & 15) * 4;
	} else if (h[0] >> 4 == 6) {
		flow->family = 6;
		__builtin_memcpy(flow->local, h + 8, 16);
		__builtin_memcpy(flow->remote, h + 24, 16);
		at = read_extensions(at + sizeof(h), h[6], e);
	} else {
		return -1;
	}
	if (!at)
		return -1;
	if (e->later)
		return 0;
	if (bpf_probe_read_kernel(ports, sizeof(ports), is_icmp(flow) ? at + 4 : at))
		return -1;
	flow->local_port = ports[0];
	flow->remote_port = is_icmp(flow) ? 0 : ports[1];
	return 0;
}

/* By the flow, or, where the other end was translated, by the command's own end. */
static __always_inline struct fg_exec_state *state_of(const struct fg_exec_flow *flow)
{
	struct fg_exec_state *s = bpf_map_lookup_elem(&exec_flows, flow);
	struct fg_exec_flow *as_sent;
	struct fg_exec_port key;

	if (s || !flow->remote_port)
		return s;
	port_key(flow, &key);
	as_sent = bpf_map_lookup_elem(&exec_ports, &key);
	return as_sent ? bpf_map_lookup_elem(&exec_flows, as_sent) : NULL;
}

/* A later fragment: what the first one has told. */
static __always_inline struct fg_exec_state *state_of_fragment(const struct ends *e)
{
	struct fg_exec_fragment key;
	struct fg_exec_flow *flow;

	__builtin_memset(&key, 0, sizeof(key));
	__builtin_memcpy(key.local, e->flow.local, sizeof(key.local));
	__builtin_memcpy(key.remote, e->flow.remote, sizeof(key.remote));
	key.ident = e->ident;
	key.family = e->flow.family;
	key.proto = e->flow.proto;
	flow = bpf_map_lookup_elem(&exec_fragments, &key);
	return flow ? bpf_map_lookup_elem(&exec_flows, flow) : NULL;
}

/* enum ip_conntrack_info (linux/netfilter/nf_conntrack_common.h): not of what is only related. */
#define CT_INFO 7
#define CT_ESTABLISHED 0
#define CT_NEW 2
#define CT_REPLY 3

/* Where its own end was translated: the connection says from what. */
static __always_inline struct fg_exec_state *state_of_tracked(const struct sk_buff *skb, bool *back)
{
	const struct nf_conn *ct;
	struct fg_exec_flow flow;
	unsigned long nfct, info;
	__u16 family = 0;

	if (!bpf_core_field_exists(skb->_nfct) || !bpf_core_type_exists(struct nf_conn))
		return NULL;
	nfct = BPF_CORE_READ(skb, _nfct);
	info = nfct & CT_INFO;
	ct = (const void *)(nfct & ~(unsigned long)CT_INFO);
	if (!ct || (info != CT_ESTABLISHED && info != CT_NEW && info != CT_REPLY))
		return NULL;
	__builtin_memset(&flow, 0, sizeof(flow));
	if (BPF_CORE_READ_INTO(&family, ct, tuplehash[0].tuple.src.l3num) ||
	    BPF_CORE_READ_INTO(&flow.proto, ct, tuplehash[0].tuple.dst.protonum) ||
	    BPF_CORE_READ_INTO(&flow.local, ct, tuplehash[0].tuple.src.u3.all) ||
	    BPF_CORE_READ_INTO(&flow.remote, ct, tuplehash[0].tuple.dst.u3.all) ||
	    BPF_CORE_READ_INTO(&flow.local_port, ct, tuplehash[0].tuple.src.u.all) ||
	    BPF_CORE_READ_INTO(&flow.remote_port, ct, tuplehash[0].tuple.dst.u.all))
		return NULL;
	flow.family = family == 2 /* AF_INET */ ? 4 : 6;
	if (is_icmp(&flow))
		flow.remote_port = 0;
	*back = info == CT_REPLY;
	return bpf_map_lookup_elem(&exec_flows, &flow);
}

static __always_inline struct fg_exec_state *find_dropped(const struct sk_buff *skb, struct ends *e,
							  bool *back)
{
	struct fg_exec_state *s = e->later ? state_of_fragment(e) : state_of(&e->flow);

	*back = false;
	if (s)
		return s;
	turn_round(&e->flow);
	s = e->later ? state_of_fragment(e) : state_of(&e->flow);
	if (!s)
		return state_of_tracked(skb, back);
	*back = true;
	return s;
}

static __always_inline bool is_decision(__u32 reason)
{
	for (int i = 0; i < FG_EXEC_REASONS && exec_config.reasons[i]; i++)
		if (exec_config.reasons[i] == reason)
			return true;
	return false;
}

SEC("tp_btf/kfree_skb")
int fg_exec_drop(__u64 *ctx)
{
	const struct sk_buff *skb = (const struct sk_buff *)ctx[0];
	__u32 reason = (__u32)ctx[2], netns = 0, ifindex = 0;
	const struct net_device *dev;
	struct fg_exec_state *s;
	struct ends ends;
	bool back;

	if (!is_decision(reason) || read_ends(skb, &ends))
		return 0;
	dev = BPF_CORE_READ(skb, dev);
	if (dev) {
		ifindex = BPF_CORE_READ(dev, ifindex);
		netns = BPF_CORE_READ(dev, nd_net.net, ns.inum);
	}
	if (netns == exec_config.twin_netns)
		return 0;
	s = find_dropped(skb, &ends, &back);
	if (!s || s->pods)
		return 0;
	s->drop_reason = reason;
	s->drop_ifindex = ifindex;
	s->drop_netns = netns;
	s->drop_back = back;
	s->drop_ns = bpf_ktime_get_ns();
	__sync_fetch_and_add(&s->drops, 1);
	__sync_fetch_and_add(&exec_drops, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
