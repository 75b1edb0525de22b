/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe.h - the one value that flows: struct fg_probe. Its four sections are each written once, by one stage:
 * spec (fg_plan) -> frame (fg_packet) -> trace (collector) -> result (fg_judge). Reports read it.
 */
#ifndef FG_PROBE_H
#define FG_PROBE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "packet.h"
#include "parse.h"

enum fg_method {
	FG_METHOD_AUTO,
	FG_METHOD_PEER_EGRESS,
	FG_METHOD_HOST_INGRESS,
	FG_METHOD_POD_SOCKET
};

/* The hooks of a pod's egress path, in the order in which a packet meets them. */
enum fg_hook {
	FG_HOOK_TCX_EGRESS,
	FG_HOOK_TC_EGRESS,
	FG_HOOK_NETKIT_PEER,
	FG_HOOK_XDP,
	FG_HOOK_TCX_INGRESS,
	FG_HOOK_TC_INGRESS,
	FG_HOOK_NETKIT_PRIMARY, /* only on the way back */
	FG_HOOKS
};

enum fg_side { FG_SIDE_POD, FG_SIDE_HOST };

/* One policy program on the path. */
struct fg_program {
	enum fg_hook hook;
	enum fg_side side;
	uint32_t id;
	int ifindex;
	uint32_t netns; /* inode number of the device's namespace */
	char device[IFNAMSIZ];
	char name
		[64]; /* from its BTF where it has one: the kernel's own name is cut at 15 characters */
	uint8_t tag[8];
	bool classifier; /* tc filter without direct-action: the return value is no action */
	bool native;	 /* XDP in the driver: it runs before the packet is received */
	bool traced;	 /* fentry and fexit sit on it */
};

/* The ladder: all of them, in the kernel's order. */
struct fg_ladder {
	struct fg_program *programs; /* owned; fg_ladder_free() */
	size_t count;
	bool other_filters; /* tc filters that are no BPF programs stand on the path too */
	bool pod_filters;   /* some of these on the pod's side */
	bool pod_netfilter; /* netfilter chains stand at the peer's egress */
	bool pod_qdisc;	    /* the peer has a queueing discipline that can drop or delay */
};
#define FG_LADDER_MAX 64

void fg_ladder_free(struct fg_ladder *ladder);

enum fg_expect {
	FG_EXPECT_NOTHING,
	FG_EXPECT_ALLOW,
	FG_EXPECT_DENY,
	FG_EXPECT_DELIVERED,
	FG_EXPECT_FORWARDED,
	FG_EXPECT_DROPPED,
};

/* Section 1: what to send, and what is expected of it. */
struct fg_probe_spec {
	uint64_t id; /* from 1, over the whole run */
	char name[64];
	int pod; /* number in the session */
	const struct fg_packet_spec
		*packet;      /* template; borrowed. NULL: the packet is ready in bytes */
	const uint8_t *bytes; /* it, from its IP header on; borrowed until it has been run */
	size_t length;	      /* of bytes */
	struct fg_packet_vary vary;
	enum fg_expect expect;
	uint32_t fragment,
		fragments; /* this frame is number fragment (from 0) of so many; 1: whole */
};

/* One thing that was seen to happen. */
struct fg_observation {
	uint64_t time_ns; /* since injection */
	struct fg_event event;
	const char *
		symbol; /* of event.aux where that is an address: "name+offset/size"; borrowed, may be NULL */
	int8_t flow; /* index into the trace's flows; -1: as before */
};

#define FG_TRACE_FLOWS 6

/* Section 3: what was seen of it, in order. */
struct fg_trace {
	struct fg_observation *list; /* owned; fg_trace_free() */
	uint32_t count, room;
	uint64_t injected_ns; /* CLOCK_MONOTONIC; 0: the inject program has not reported it */
	uint64_t sent_ns;     /* when the sender wrote it */
	uint64_t lost;	      /* events lost while it was on its way */
	bool done;	      /* its end has been seen; else time ran out */
	bool changed;	      /* the programs on the path changed meanwhile */
	bool unsent;	      /* the kernel did not take the frame */
	bool answered;	      /* reply holds the first answer */
	uint32_t whole
		[2]; /* by enum fg_piece_kind: bytes of payload that its pieces add up to; 0: cannot be cut so */
	struct fg_event_reply reply;
	uint8_t flow_count;
	struct fg_wire_flow flows[FG_TRACE_FLOWS];
	/*
	 * For each program of the ladder: how far its run counter moved for this packet alone; FG_RUNS_UNKNOWN where
	 * that cannot be told.
	 */
	bool counted;
	uint32_t runs[FG_LADDER_MAX];
	uint64_t run_ns[FG_LADDER_MAX];
};
#define FG_RUNS_UNKNOWN UINT32_MAX

void fg_trace_reset(struct fg_trace *trace);
void fg_trace_free(struct fg_trace *trace);
/*
 * How the frame may be cut on its way, and to how many bytes its pieces then add up: IP payload where it is whole IPv4 without DF (RFC
 * 791), and longer than the smallest MTU; transport payload where it is a super-packet. 0 where it cannot.
 */
void fg_probe_measure(const struct fg_frame *frame, uint32_t whole[2]);

/* Appends an observation. Returns it, or NULL when memory is short. */
struct fg_observation *fg_trace_add(struct fg_trace *trace, const struct fg_event *event);

enum fg_verdict {
	FG_VERDICT_UNKNOWN,
	FG_VERDICT_ALLOWED,
	FG_VERDICT_DENIED,
	FG_VERDICT_REDIRECTED,
	FG_VERDICT_NONE
};

enum fg_outcome {
	FG_OUTCOME_INCONCLUSIVE,
	FG_OUTCOME_DELIVERED,
	FG_OUTCOME_FORWARDED,
	FG_OUTCOME_DROPPED,
	FG_OUTCOME_REJECTED,
	FG_OUTCOME_REPLIED,
	FG_OUTCOMES
};

/* How it is known what a program did; the better ones are greater. */
enum fg_evidence {
	FG_EVIDENCE_NONE,
	FG_EVIDENCE_RUN_COUNT,
	FG_EVIDENCE_DROP_REASON,
	FG_EVIDENCE_FEXIT
};

enum fg_ran { FG_RAN_UNKNOWN, FG_RAN_NO, FG_RAN_YES };

/* What one program of the ladder did with this packet. */
struct fg_step {
	enum fg_ran ran;
	enum fg_evidence evidence;
	bool has_retval;
	int retval;
	bool has_duration;
	uint64_t duration_ns;
};

enum fg_reply_kind {
	FG_REPLY_NONE,
	FG_REPLY_SYN_ACK,
	FG_REPLY_RST,
	FG_REPLY_TCP, /* any other segment */
	FG_REPLY_ECHO,
	FG_REPLY_ICMP_ERROR,
	FG_REPLY_DNS,
	FG_REPLY_UDP,
	FG_REPLY_SCTP_INIT_ACK,
	FG_REPLY_SCTP_ABORT,
	FG_REPLY_SCTP,
	FG_REPLY_OTHER,
	FG_REPLY_KINDS
};

/* The answer to a probe. */
struct fg_reply {
	enum fg_reply_kind kind;
	struct fg_addr from; /* who sent it; for an ICMP error the hop */
	uint64_t rtt_ns;     /* from injection to the pod's device */
	uint8_t hops_left;   /* TTL or hop limit on arrival */
	uint32_t length;     /* bytes from its IP header on */
	uint8_t icmp_type, icmp_code;
	uint8_t dns_rcode; /* RFC 1035 section 4.1.1 */
	uint32_t tcp_seq, tcp_ack;
	/* What the programs on the way back said of it; set where answers are followed. */
	enum fg_verdict verdict;
	int denied_by; /* index in scene->back */
	struct fg_step steps[FG_LADDER_MAX];
	/* The kernel dropped it on its way back. */
	bool dropped;
	const struct fg_observation *end; /* where; in the trace */
};

/* Of a packet that is sent again and again, until something is so. Times since the first one. */
struct fg_repeat {
	uint64_t probes;      /* so far, this one included; 0: it is no such packet */
	uint64_t after_ns;    /* when this one was injected */
	uint64_t previous_ns; /* when the last one was injected for which it was not so */
};

enum fg_proof { FG_PROOF_NONE, FG_PROOF_GIVEN, FG_PROOF_FAILED };

/* What became of the probe that was expected to pass, sent beside this one; see control.h. */
struct fg_control {
	bool given;
	const char *text; /* as the user asked for it; borrowed, NULL: by other means */
	struct fg_addr dst;
	uint8_t protocol; /* IP protocol number */
	uint16_t port;	  /* host order; 0: the protocol has none */
	enum fg_verdict verdict;
	enum fg_outcome outcome;
	enum fg_proof proof; /* NONE: there is nothing to prove */
};

struct fg_left;	     /* left.h */
struct fg_netfilter; /* netfilter.h */

/* Section 4: what follows from the trace. */
struct fg_result {
	enum fg_verdict verdict;
	int denied_by;	   /* index in the ladder; -1: none, or not known which */
	int redirected_by; /* the same of a redirect */
	const struct fg_observation *
		redirected_to; /* first seen there; in the trace; NULL: not, or it never came there */
	struct fg_step steps[FG_LADDER_MAX];
	enum fg_outcome outcome;
	bool stopped; /* delivered: flowgen took it off before the pod's stack */
	const struct fg_observation
		*end;	    /* where it ended, or was last seen; in the trace; NULL: nowhere */
	bool dropped;	    /* drop says by what */
	uint32_t drop_code; /* the kernel's enum skb_drop_reason */
	struct fg_reply reply;
	const char *reason; /* why inconclusive or unknown; static text; NULL: nothing to say */
	bool expect_met;
	struct fg_repeat repeat;    /* written by who repeats */
	struct fg_control control;  /* by fg_control_apply() */
	const struct fg_left *left; /* by fg_guard_left(); NULL: not looked for */
	const struct fg_netfilter *
		netfilter; /* what dropped it, by fg_nftrace_explain(); NULL: not netfilter, or not known */
};

/* The bytes that are enough for the frames of a probe; see fg_probe_build(). */
size_t fg_probe_bound(const struct fg_probe_spec *spec);

/*
 * Makes the frames of a probe: builds the packet, or puts an Ethernet header before the ready one.
 * Addresses in it are zero. As fg_packet_build().
 */
int fg_probe_build(const struct fg_probe_spec *spec, struct fg_frame *frame, struct fg_error *err);

/* Makes a probe of its own of frame number index (from 0) of one that is sent in fragments. */
struct fg_probe;
void fg_probe_take_fragment(struct fg_probe *probe, const struct fg_frame *whole, uint32_t index);

struct fg_probe {
	struct fg_probe_spec spec;
	struct fg_frame frame; /* section 2; its bytes belong to the window */
	struct fg_trace trace;
	struct fg_result result;
};

/* A device, as far as a judge or a reader wants to know it. */
struct fg_device {
	uint32_t netns;
	int ifindex;
	char name[IFNAMSIZ];
	char kind[16];	 /* empty: hardware (or loopback) */
	char where[300]; /* the namespace as a person knows it: "host", a pod's name, or empty */
};

/* Drop reasons of the running kernel that the judge must tell apart; 0: this kernel has no such reason. */
struct fg_drop_codes {
	uint32_t consumed;
	uint32_t not_specified;
	uint32_t tc_egress;
	uint32_t tc_ingress;
	uint32_t xdp;
};

/* What the judge and the reports need to know of the place. Nothing in it is written after it was set up. */
struct fg_scene {
	const struct fg_ladder *ladder;
	const struct fg_ladder *back; /* of the way back; NULL: answers are not followed */
	bool wants_reply;	      /* the end of a probe's way is the answer to it */
	enum fg_method method;
	uint32_t pod_netns, host_netns;
	int peer_ifindex, primary_ifindex;
	bool netkit;
	bool bridged; /* the primary is a port of a bridge: a packet may leave with its TTL as it was */
	bool notes_redirects; /* this kernel notes on a packet that bpf_redirect() sent it on; see marking.h */
	bool netfilter_traced; /* drops by netfilter are looked into */
	bool xdp_copies; /* native XDP on the primary: the packet's sk_buff is replaced there */
	struct fg_drop_codes codes;
	/* Names of things; may be NULL. device() returns NULL for an unknown device; both are borrowed. */
	const struct fg_device *(*device)(const void *names, uint32_t netns, int ifindex);
	const char *(*reason)(const void *names, uint32_t code);
	const void *names;
};

#endif
