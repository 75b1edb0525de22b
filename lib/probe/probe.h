/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe/probe.h - the one value that flows: struct fg_probe. Its four sections are each written
 * once, by one stage: spec (fg_plan) -> frame (fg_packet) -> trace (collector) -> result
 * (fg_judge). Reports read it.
 */
#ifndef FG_PROBE_H
#define FG_PROBE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "packet/packet.h"
#include "probe/ladder.h"
#include "probe/trace.h"

enum fg_method {
	FG_METHOD_AUTO,
	FG_METHOD_PEER_EGRESS,
	FG_METHOD_BOUNCE,
	FG_METHOD_HOST_INGRESS,
	FG_METHOD_POD_SOCKET
};

enum fg_expect {
	FG_EXPECT_NOTHING,
	FG_EXPECT_ALLOW, /* no policy denied it, and it arrived */
	FG_EXPECT_DENY,
	FG_EXPECT_DELIVERED,
	FG_EXPECT_FORWARDED,
	FG_EXPECT_DROPPED,
	FG_EXPECT_ALLOWED, /* by a policy that it met */
	FG_EXPECT_NOT_SENT,
	FG_EXPECT_FINER, /* more than one word: spec.expect_text */
};

/* Section 1: what to send, and what is expected of it. */
struct fg_probe_spec {
	uint64_t id;  /* from 1, over the whole run */
	bool control; /* it is the positive control of others, and not reported itself */
	char name[64];
	int pod;			     /* number in the session */
	const struct fg_packet_spec *packet; /* template; borrowed. NULL: the packet is ready in
						bytes */
	const uint8_t *bytes; /* it, from its IP header on; borrowed until it has been run */
	size_t length;	      /* of bytes */
	struct fg_packet_vary vary;
	uint32_t place; /* of a random source port in the order of them (plan.h) */
	/* vary.src is the kernel's choice, once the session has asked it; of vary.sport: chance's
	 */
	bool any_source, any_port;
	int way; /* the session's number for how it leaves the pod; 0: not asked yet */
	enum fg_expect expect;
	const char *expect_text;      /* FG_EXPECT_FINER: as the user wrote it; borrowed */
	uint32_t fragment, fragments; /* this frame is number fragment (from 0) of so many; 1: whole
				       */
};

/*
 * How the frame may be cut on the path, and to how many bytes its pieces then add up: IP payload
 * where it is whole IPv4 without DF (RFC 791), and longer than the smallest MTU; transport payload
 * where it is a super-packet. 0 if it cannot.
 */
void fg_probe_measure(const struct fg_frame *frame, uint32_t whole[2]);

/* Whether the frame is a fragment (RFC 791, RFC 8200 section 4.5). */
bool fg_probe_is_fragment(const struct fg_frame *frame);

/* Whether both are fragments of one datagram: addresses, protocol and identification are equal. */
bool fg_probe_are_siblings(const struct fg_frame *a, const struct fg_frame *b);

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
	FG_OUTCOME_NOT_SENT, /* the pod's own kernel refuses it: there is no packet */
	FG_OUTCOMES
};

/* How it is known what a program did; the better ones are greater. */
enum fg_evidence {
	FG_EVIDENCE_NONE,
	FG_EVIDENCE_RUN_COUNT,
	FG_EVIDENCE_DROP_REASON,
	FG_EVIDENCE_FEXIT,
	FG_EVIDENCE_RUN /* flowgen itself ran the program on the packet */
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

struct fg_result;

/* The reply to a probe. */
struct fg_reply {
	enum fg_reply_kind kind;
	struct fg_addr from; /* who sent it; for an ICMP error the hop */
	uint64_t rtt_ns;     /* from injection to the pod's device */
	uint8_t hops_left;   /* TTL or hop limit on arrival */
	uint32_t length;     /* bytes from its IP header on */
	uint8_t icmp_type, icmp_code;
	uint8_t dns_rcode; /* RFC 1035 section 4.1.1 */
	uint32_t tcp_seq, tcp_ack;
	/*
	 * Its return path, as if it were a probe, by a context of its own. Both are borrowed: the
	 * caller of the judge sets them. NULL: it is not followed.
	 */
	struct fg_result *way;
	const struct fg_context *back;
};

/* Of a packet that is sent repeatedly, until a condition is met. Times since the first one. */
struct fg_repeat {
	uint64_t probes;      /* so far, this one included; 0: it is not repeated */
	uint64_t after_ns;    /* when this one was injected */
	uint64_t previous_ns; /* when the last one that did not meet it was injected */
};

enum fg_proof { FG_PROOF_NONE, FG_PROOF_GIVEN, FG_PROOF_FAILED };

/* The outcome of the probe that was expected to pass, sent beside this one; see control.h. */
struct fg_control {
	bool given;
	const char *text; /* as the user asked for it; borrowed, NULL: by other means */
	struct fg_addr dst;
	uint8_t protocol; /* IP protocol number */
	uint16_t port;	  /* host order; 0: the protocol has none */
	enum fg_verdict verdict;
	enum fg_outcome outcome;
	bool passed;	     /* it got through, as expected */
	enum fg_proof proof; /* NONE: there is nothing to prove */
};

struct fg_leftovers; /* leftovers.h */
struct fg_leftover_maps;
struct fg_netfilter;	/* netfilter.h */
struct fg_cause;	/* facts/cause.h */
struct fg_stated;	/* facts/stated.h */
struct fg_ipvs_service; /* facts/ipvs.h */

/* What policy decided in one stage of the path. */
struct fg_stage_result {
	bool reached; /* the packet got there, as far as was seen */
	enum fg_verdict verdict;
};

/* What stopped the packet: a denial if the kind is policy, else a drop. */
struct fg_decider {
	enum fg_kind kind; /* FG_KIND_NONE: nothing did */
	enum fg_stage stage;
	const struct fg_observation *at; /* in the trace; NULL: only a return value was seen */
};

/* The outcome of an earlier packet of the probe, sent before more was observed. */
struct fg_attempt {
	enum fg_verdict verdict;
	enum fg_outcome outcome;
	bool dropped;
	uint32_t drop_code;
	enum fg_verdict back; /* of the reply to it; unknown: not followed */
};

/*
 * Another probe that ended in the same way, and was sent once more to find out what ended it: one
 * of these is set. What ended the one has probably ended the other, but that is not proven.
 */
struct fg_alike {
	uint64_t id; /* of that probe */
	const struct fg_netfilter *netfilter;
	const struct fg_program *program;
};

/* Section 4: what follows from the trace. */
struct fg_result {
	enum fg_verdict verdict; /* over the whole path */
	struct fg_stage_result stages[FG_STAGES];
	struct fg_decider decider;
	int denied_by;	     /* index in the ladder; -1: none, or not known which */
	int filter_by;	     /* the tc filter that denied it, in ladder->filters; -1: none */
	uint64_t candidates; /* if that is not known: bit i for program i of the ladder */
	int redirected_by;   /* the same of a redirect */
	/* first seen there; in the trace; NULL: not redirected, or it never got there */
	const struct fg_observation *redirected_to;
	/*
	 * What each program of the ladder did. Borrowed: the caller of the judge provides the
	 * room. NULL: it was not judged.
	 */
	struct fg_step *steps;
	enum fg_outcome outcome;
	bool stopped; /* delivered: flowgen intercepted it before the pod's stack */
	const struct fg_observation *end; /* where it ended, or was last seen; in the trace; NULL:
					     nowhere */
	bool dropped;			  /* drop says by what */
	uint32_t drop_code;		  /* the kernel's enum skb_drop_reason */
	struct fg_reply reply;
	const char *reason; /* why inconclusive or unknown; static text; NULL: nothing to say */
	bool expect_met;
	struct fg_repeat repeat;	 /* written by the engine */
	struct fg_control control;	 /* by fg_control_apply() */
	const struct fg_leftovers *left; /* by fg_guard_leftovers(); NULL: not looked for */
	/* of the policy; of this probe, or of the first ones of the run; NULL: not looked for */
	const struct fg_leftover_maps *left_maps;
	/* what dropped it, by fg_nftrace_explain(); NULL: not netfilter, or not known */
	const struct fg_netfilter *netfilter;
	const struct fg_cause *cause;	/* of a drop; NULL: not looked for, or not found */
	const struct fg_stated *stated; /* what the policy itself says; NULL: not asked */
	/* the service of IPVS that it was sent to; NULL: none, or not asked */
	const struct fg_ipvs_service *ipvs;
	enum fg_presence enforced; /* whether netfilter enforces policy on the path it took */
	/* by stage: whether netfilter in the namespace of the pod there does, and let it pass */
	enum fg_presence own_netfilter[FG_STAGES];
	const struct fg_alike *alike; /* where it is not known what denied it; NULL: none is known
				       */
	uint8_t attempts;	      /* packets sent to find this out; 0: one */
	struct fg_attempt first;      /* the outcome of the first of two */
};

/*
 * Whether the packet arrived, as far as can be seen from here: forwarded, or refused by the
 * receiver's own sockets, which come after all policy.
 */
bool fg_probe_arrived(const struct fg_result *result);

/* A program that chooses sockets gave it to another one than its port and address say. */
bool fg_probe_was_steered(const struct fg_result *result);

/* The bytes that are enough for the frames of a probe; see fg_probe_build(). */
size_t fg_probe_bound(const struct fg_probe_spec *spec);

/*
 * Makes the frames of a probe: builds the packet, or puts an Ethernet header before the ready one.
 * Addresses in it are zero. As fg_packet_build().
 */
int fg_probe_build(const struct fg_probe_spec *spec, struct fg_frame *frame, struct fg_error *err);

/* Makes frame number index (from 0) of a probe that is sent in fragments a probe of its own. */
struct fg_probe;
void fg_probe_take_fragment(struct fg_probe *probe, const struct fg_frame *whole, uint32_t index);

struct fg_context;

struct fg_probe {
	struct fg_probe_spec spec;
	/* where it goes: set with the trace; borrowed from the session, NULL: not sent */
	const struct fg_context *context;
	struct fg_frame frame; /* section 2; its bytes belong to the window */
	struct fg_trace trace;
	struct fg_result result;
};

/* A device, as far as the judge and the reports need it. */
struct fg_device {
	uint32_t netns;
	int ifindex;
	char name[IFNAMSIZ];
	char kind[16];	 /* empty: hardware (or loopback) */
	char where[300]; /* the namespace as a person knows it: "host", a pod's name, or empty */
};

/*
 * Drop reasons of the running kernel that the judge must distinguish; 0: this kernel does not have
 * the reason.
 */
struct fg_drop_codes {
	uint32_t consumed;
	uint32_t not_specified;
	uint32_t tc_egress;
	uint32_t tc_ingress;
	uint32_t xdp;
};

/*
 * Where the packet goes, as far as that is known before it is sent: the device by which it leaves
 * the host's stack, and the one that receives it in a pod.
 */
struct fg_far {
	bool known;
	bool netkit;
	uint32_t host_netns; /* inode number */
	int host_ifindex;    /* the receiving pod's primary, or the uplink */
	uint32_t netns;	     /* of the receiving pod; 0: it leaves by an uplink */
	int ifindex;	     /* the device in it */
	bool caught;	     /* `flowgen catch`, and no other program, intercepts packets there */
	bool xdp_copies;     /* XDP in that device's driver puts packets into other buffers */
};

struct fg_service_port {
	uint8_t protocol; /* IP protocol number */
	uint16_t port;	  /* host order; 0: all */
};

/* Where netfilter's hooks of devices (family netdev) can deny. */
struct fg_hooked {
	struct fg_hooked_device {
		uint32_t netns;
		int ifindex;
		bool egress; /* what it sends; else what it receives */
	} * list;
	size_t count;
};

/*
 * What the judge and the reports need to know about a probe's surroundings. It is not changed after
 * it was set up.
 */
struct fg_context {
	const struct fg_ladder *ladder;
	bool wants_reply; /* a probe ends with the reply to it */
	/* it is of the return path: the packets are replies, and the pod that replies is the sender
	 */
	bool of_reply;
	enum fg_method method;
	/*
	 * The packets come from outside, by the primary, which is an uplink (host/pod.h): what
	 * the egress stage is of a pod's packets belongs to the node's. Or they are replies to such
	 * packets, which leave by it.
	 */
	bool from_uplink, to_uplink;
	bool awaited; /* from_uplink, and another node sends them */
	uint32_t pod_netns, host_netns;
	int peer_ifindex, primary_ifindex;
	bool netkit;
	/* the primary is a port of a bridge: a packet may leave with its TTL as it was */
	bool bridged;
	/*
	 * it is a port of Open vSwitch: the daemon may be asked about a packet, and sends on
	 * another sk_buff with the same bytes
	 */
	bool ovs;
	/* this kernel notes on a packet that bpf_redirect() sent it on; see marking.h */
	bool notes_redirects;
	bool netfilter_traced; /* drops by netfilter are traced */
	bool xdp_copies; /* native XDP on the primary: the packet's sk_buff is replaced there */
	struct fg_far far;
	/*
	 * whether netfilter enforces policy in the host's namespace: on packets that are routed,
	 * on those that a bridge forwards, and on those for the host itself
	 */
	enum fg_presence netfilter, netfilter_bridge, netfilter_local;
	enum fg_presence netfilter_out; /* and on those that the host itself sends */
	/* on what a bridge hands to the host, and on what the host sends by a bridge */
	enum fg_presence netfilter_bridge_in, netfilter_bridge_out;
	/* at devices (family netdev), which are in hooked if there are any; borrowed */
	enum fg_presence netfilter_devices;
	const struct fg_hooked *hooked;
	/*
	 * whether netfilter does in the namespace of a pod: of the sending one, on what is sent
	 * there as that method does it; of the receiving one, on what it takes in, and on what
	 * comes to where its stack has found out that it is its own
	 */
	enum fg_presence netfilter_from, netfilter_to, netfilter_to_stack;
	/* programs choose the sockets of packets (BPF_SK_LOOKUP) in the host's namespace; in the
	 * receiving pod's */
	bool chosen_here, chosen_to;
	/*
	 * The destination is a virtual address of IPVS in the host's namespace, with services of
	 * these protocols and ports; borrowed. Packets for them go by netfilter's input, and on by
	 * its output.
	 */
	const struct fg_service_port *services;
	size_t service_count;
	bool only_ipvs;	    /* no chain or program of netfilter can deny before these are asked */
	bool route_program; /* the host's route to the destination has BPF programs (encap bpf) */
	/* the host's namespace has IPsec policies for what it forwards; for what it sends */
	bool ipsec_forwarded, ipsec_sent;
	bool unlisted; /* packets pass a place, and it is not known what is attached there */
	struct fg_drop_codes codes;
	/*
	 * Names of things; may be NULL. device() returns NULL for an unknown device; both are
	 * borrowed.
	 */
	const struct fg_device *(*device)(const void *names, uint32_t netns, int ifindex);
	const char *(*reason)(const void *names, uint32_t code);
	const void *names;
};

/* The stage that a person is told of, of a packet with that context. */
static inline enum fg_stage fg_context_stage(const struct fg_context *context, enum fg_stage stage)
{
	return context->from_uplink && stage == FG_STAGE_EGRESS ? FG_STAGE_NODE : stage;
}

#endif
