/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event.h - the wire contract between the BPF programs and lib. Only this and catch_event.h are known to both worlds.
 * Fixed widths, no pointers, no holes; sizes are asserted on both sides. Numbers are in host order unless
 * a comment says otherwise.
 */
#ifndef FG_EVENT_H
#define FG_EVENT_H

#ifndef __BPF__
#include <linux/types.h>
#endif

#define FG_EVENT_VERSION 1

/*
 * The envelope: what stands in the twelve address bytes of the Ethernet header while a frame is inside
 * flowgen's own namespace. The inject program reads it and puts the pod's addresses in its place.
 */
struct fg_envelope {
	__u8 magic[2]; /* FG_ENVELOPE_MAGIC0/1: a locally administered unicast address */
	__u16 slot;    /* index in the targets map; network order */
	__u32 probe;   /* probe number of this window; network order */
	__u32 cookie;  /* config.cookie of this session, as it is in memory */
};
#define FG_ENVELOPE_MAGIC0 0x02
#define FG_ENVELOPE_MAGIC1 0xf6

/* How the inject program puts a packet on the pod's egress path. */
enum fg_wire_method {
	FG_WIRE_NONE = 0, /* the slot is empty: a frame for it is dropped and counted */
	FG_WIRE_PEER_EGRESS = 1,
	FG_WIRE_HOST_INGRESS = 2,
};

/* One slot of the targets map: a pod and a next hop. */
struct fg_target {
	__u32 ifindex; /* the pod's primary, in the namespace of flowgen's own host-side device */
	__u32 method;  /* enum fg_wire_method */
	__u8 dmac[6];  /* the next hop's address, or the primary's, in wire order */
	__u8 smac[6];  /* the peer's address, in wire order */
	__u32 flags;   /* FG_TARGET_* */
};
#define FG_TARGET_KEEP_MAC                                                                         \
	(1U << 0) /* leave the Ethernet addresses as the envelope: never used with a pod */

/* The shared settings; written by lib, read by the programs. One element. */
struct fg_config {
	__u32 cookie;	  /* what an envelope must carry */
	__u32 generation; /* of the current window; what was remembered before is stale */
	__u64 socket;	  /* pod-socket: the cookie of the sending socket; 0: method not in use */
	__u32 sending;	  /* pod-socket: the probe that is being written */
	__u32 reacquire_if; /* ifindex of the primary where native XDP replaces the packet; 0: nowhere */
	__u32 reacquire_ns; /* and its namespace's inode number */
	__u32 stop;	    /* enum fg_stopping */
	/* Where the running kernel has these fields, in bytes; the layout program fills them in. */
	__u16 offset_skb_dev;
	__u16 offset_dev_ifindex;
	__u16 offset_dev_net;
	__u16 offset_net_inum;
	__u16 offset_xdp_data;
	__u16 match_flows; /* 1: XDP stands on the path, remember what is in the packets */
	__u32 replies;	   /* enum fg_replies */
	__u32 active; /* 1 while a window is on its way: otherwise the observers look at nothing */
	__u16 offset_skb_sk;
	__u16 offset_sock_cookie;
	__u16 offset_skb_head;
	__u16 offset_skb_network;
	__u32 pieces; /* FG_PIECES_*: how packets of this window may be cut on their way */
	__u32 host_ns; /* FG_STOP_AT_BOTH: inode number of the host's namespace, whose sockets are not spared */
	__u32 left; /* 1 while packets of earlier windows may still come: otherwise nothing is looked for between windows */
	__u32 reserved;
};
#define FG_PIECES_FRAGMENTS (1U << 0) /* some may be fragmented (RFC 791 section 2.3) */
#define FG_PIECES_SEGMENTS (1U << 1)  /* some are super-packets, which a device may segment */

/* Where tracked packets are taken off before they disturb a destination on this host. */
enum fg_stopping {
	FG_STOP_NOWHERE = 0,
	FG_STOP_AT_DEVICE = 1, /* by the stop program at the pod's device, before its stack */
	FG_STOP_AT_BOTH = 3,   /* by either: the stop program stands on some of the pods only */
	FG_STOP_AT_SOCKET =
		2, /* where there is no tcx: by the cgroup program, before the socket; the stack has seen them */
};

/* What is done about answers to the probes of the window. */
enum fg_replies {
	FG_REPLIES_OFF = 0,
	FG_REPLIES_TAKE =
		1, /* the reply program takes them off at the pod's device, and reports them */
	FG_REPLIES_FOLLOW = 2, /* and the observers follow them on their way there */
};

/* What the programs counted; read by lib. One element; only ever added to. */
struct fg_counters {
	__u64 injected;	    /* frames with a good envelope */
	__u64 bad_envelope; /* frames without one: dropped */
	__u64 lost;	    /* events that found the ring buffer full */
	__u64 untracked; /* packets that found the table of tracked packets full: dropped unsent */
};

/* Addresses and ports of a packet as they were at one moment: for seeing translation and encapsulation. */
struct fg_wire_flow {
	__u8 family; /* 4 or 6; 0: not IP */
	__u8 proto;  /* IPPROTO_*, after IPv6 extension headers */
	__u16 sport; /* network order; ICMP: type and code */
	__u16 dport; /* network order; ICMP: the echo identifier */
	__u16 ident; /* IPv4 identification as on the wire; 0 for IPv6: what NAT leaves alone */
	__u8 src[16];
	__u8 dst[16];
} __attribute__((aligned(8))); /* the programs compare it in words */

enum fg_event_kind {
	FG_EVENT_INJECT = 1,  /* the inject program accepted the frame */
	FG_EVENT_QUEUE = 2,   /* net_dev_queue: behind the device's tc/tcx egress programs */
	FG_EVENT_RECEIVE = 3, /* netif_receive_skb: before the device's tc/tcx ingress programs */
	FG_EVENT_XMIT = 4, /* net_dev_xmit: the driver took the packet (code: its return value) */
	FG_EVENT_POLICY =
		5, /* fexit of a policy program (code: return value, id: program, aux: nanoseconds) */
	FG_EVENT_FREE = 6,    /* kfree_skb (code: the drop reason, aux: the location) */
	FG_EVENT_CONSUME = 7, /* consume_skb: freed, and not as a drop */
	FG_EVENT_SOCKET = 8,  /* handed to a socket (aux: the socket's cookie) */
	FG_EVENT_STOP = 9,    /* taken off at the destination pod's device by flowgen */
	FG_EVENT_FLOW = 10,   /* the addresses changed: the flow follows in struct fg_event_flow */
	FG_EVENT_LOST = 11,   /* the trail is lost: another packet took the place in memory */
	FG_EVENT_REPLY = 12,  /* an answer, taken off at the pod's device: struct fg_event_reply */
	FG_EVENT_PIECE =
		13, /* a piece of the packet, at first sight (code: enum fg_piece_kind, aux: bytes of the whole's payload in it) */
	FG_EVENT_KINDS,
};

struct fg_event {
	__u8 version;  /* FG_EVENT_VERSION */
	__u8 flags;    /* FG_EVENT_F_* */
	__u16 kind;    /* enum fg_event_kind */
	__u32 probe;   /* probe number of its window */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 generation;
	__u32 ifindex; /* of skb->dev; 0 where there is none */
	__u32 netns;   /* inode number of its namespace */
	__u32 length;  /* skb->len */
	__s32 code;
	__u32 id;  /* QUEUE, RECEIVE, FREE: the hops left (TTL); 0: not IP */
	__u64 aux; /* QUEUE, RECEIVE: the Ethernet source address, in memory order; 0: none */
	__u32 branch; /* 0: the packet itself; clones are numbered from 1 in the order they were first seen */
	__u32 reserved;
};

enum fg_piece_kind { FG_PIECE_FRAGMENT = 0, FG_PIECE_SEGMENT = 1 };

#define FG_EVENT_F_CLONE (1U << 0) /* seen on a clone of the packet */
#define FG_EVENT_F_PIECE (1U << 4) /* seen on a piece of the packet: branch is its number, from 1 */
#define FG_EVENT_F_REPLY (1U << 2) /* seen on an answer to the packet */
#define FG_EVENT_F_AGAIN                                                                           \
	(1U << 1) /* known again by its addresses, after XDP took the packet's place */

#define FG_EVENT_F_MOVED                                                                           \
	(1U << 3) /* QUEUE, RECEIVE, FREE: the kernel has noted that it was redirected */

/* FG_EVENT_FLOW: sent right before the event at which the change was seen. */
struct fg_event_flow {
	struct fg_event event;
	struct fg_wire_flow flow;
};

/* An address that a namespace holds: where the stop program may take a packet off. */
struct fg_owner {
	__u32 netns;   /* inode number */
	__u32 family;  /* 4 or 6 */
	__u8 addr[16]; /* wire order */
};
#define FG_OWNERS_MAX 16384

/* FG_EVENT_REPLY: the answer's first bytes, from its IP header on. */
#define FG_REPLY_BYTES 212
struct fg_event_reply {
	struct fg_event event; /* length: of the whole answer from its IP header on */
	__u32 captured;	       /* how many of the bytes are filled */
	__u8 bytes[FG_REPLY_BYTES];
};

/* A probe number that is on the way but not to be followed: flowgen's own clearing up. */
#define FG_PROBE_SILENT 0xffffffffU

#define FG_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
FG_ASSERT_SIZE(struct fg_envelope, 12);
FG_ASSERT_SIZE(struct fg_target, 24);
FG_ASSERT_SIZE(struct fg_config, 80);
FG_ASSERT_SIZE(struct fg_counters, 32);
FG_ASSERT_SIZE(struct fg_wire_flow, 40);
FG_ASSERT_SIZE(struct fg_event, 56);
FG_ASSERT_SIZE(struct fg_owner, 24);
FG_ASSERT_SIZE(struct fg_event_flow, 96);
FG_ASSERT_SIZE(struct fg_event_reply, 272);

#endif
