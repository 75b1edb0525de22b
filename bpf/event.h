/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * event.h - the wire contract between the BPF programs and lib. Only this and catch_event.h are
 * known to both worlds. Fixed widths, no pointers, no holes; sizes are asserted on both sides.
 * Numbers are in host order unless a comment says otherwise.
 */
#ifndef FG_EVENT_H
#define FG_EVENT_H

#ifndef __BPF__
#include <linux/types.h>
#endif

#define FG_EVENT_VERSION 1

/*
 * The envelope: the contents of the twelve address bytes of the Ethernet header while a frame is
 * inside flowgen's own namespace. The inject program reads it and puts the pod's addresses in its
 * place.
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
	FG_WIRE_BOUNCE = 3, /* into the pod's device, and out of it again by the reply program */
};

/* One slot of the targets map: a pod and a next hop. */
struct fg_slot_target {
	__u32 ifindex; /* the pod's primary, in the namespace of flowgen's own host-side device */
	__u32 method;  /* enum fg_wire_method */
	__u8 dmac[6];  /* the next hop's address, or the primary's, in wire order */
	__u8 smac[6];  /* the peer's address, in wire order */
	__u32 flags;   /* FG_TARGET_* */
};
/* From outside, and not from a socket: without what a socket leaves on a packet. */
#define FG_TARGET_OUTSIDE (1U << 0)
/* Its injection has been reported: XDP in the driver, which lib runs, comes before. */
#define FG_TARGET_REPORTED (1U << 1)

/*
 * Addresses and ports of a packet as they were at one moment: for seeing translation and
 * encapsulation.
 */
struct fg_wire_flow {
	__u8 family; /* 4 or 6; 0: not IP */
	__u8 proto;  /* IPPROTO_*, after IPv6 extension headers */
	__u16 sport; /* network order; ICMP: type and code */
	__u16 dport; /* network order; ICMP: the echo identifier */
	__u16 ident; /* IPv4 identification as on the wire; 0 for IPv6: what NAT leaves alone */
	__u8 src[16];
	__u8 dst[16];
} __attribute__((aligned(8))); /* the programs compare it in words */

/* A device, and the inode number of its namespace. */
struct fg_at_device {
	__u32 ifindex;
	__u32 netns;
};
#define FG_REACQUIRE_MAX 4096

/* The shared settings; written by lib, read by the programs. One element. */
struct fg_config {
	__u32 cookie;	  /* what an envelope must carry */
	__u32 generation; /* of the current window; what was remembered before is stale */
	__u64 socket;	  /* pod-socket: the cookie of the sending socket; 0: method not in use */
	__u32 sending;	  /* pod-socket: the probe that is being written */
	__u32 stop;	  /* enum fg_stopping */
	/* how many devices are in the table of those at which packets are known again */
	__u32 reacquire_count;
	/* Where the running kernel has these fields, in bytes; the layout program fills them in. */
	__u16 offset_skb_dev;
	__u16 offset_dev_ifindex;
	__u16 offset_dev_net;
	__u16 offset_net_inum;
	__u16 offset_xdp_data;
	__u16 match_flows; /* 1: XDP is on the path: remember the packets' contents */
	__u32 replies;	   /* enum fg_replies */
	__u32 active; /* 1 while a window is in flight: otherwise the observers look at nothing */
	__u16 offset_skb_sk;
	__u16 offset_sock_cookie;
	__u16 offset_skb_head;
	__u16 offset_skb_network;
	__u16 offset_skb_data;
	__u16 offset_skb_len;
	__u16 offset_skb_data_len;
	__u16 unused;
	__u32 pieces; /* FG_PIECES_*: how packets of this window may be cut on the path */
	/* FG_STOP_AT_BOTH: inode number of the host's namespace, whose sockets are not spared */
	__u32 host_ns;
	/*
	 * 1 while packets of earlier windows may still come: otherwise nothing is looked for
	 * between windows
	 */
	__u32 left;
	__u32 mark; /* bounce: what a packet carries while it enters the pod's device; never 0 */
	/* pod-socket: of the frame that is being written; family 0: not known */
	struct fg_wire_flow written;
	/* inode number of the namespace where packets of the table `awaited` arrive; 0: none do */
	__u32 await_ns;
	/* The running kernel's numbers of drop reasons, from the layout program too; 0: none. */
	__u32 code_consumed;
	__u32 code_not_specified;
	__u32 code_tc_egress;
	__u32 code_tc_ingress;
	__u32 code_xdp;
};
#define FG_PIECES_FRAGMENTS (1U << 0) /* some may be fragmented (RFC 791 section 2.3) */
#define FG_PIECES_SEGMENTS (1U << 1)  /* some are super-packets, which a device may segment */

/* Where tracked packets are intercepted before they reach a destination on this host. */
enum fg_stopping {
	FG_STOP_NOWHERE = 0,
	FG_STOP_AT_DEVICE = 1, /* by the stop program at the pod's device, before its stack */
	FG_STOP_AT_BOTH = 3, /* by either: the stop program is attached to some of the pods only */
	/*
	 * if there is no tcx: by the cgroup program, before the socket; the stack has seen them
	 */
	FG_STOP_AT_SOCKET = 2,
};

/* What is done about replies to the probes of the window. */
enum fg_replies {
	FG_REPLIES_OFF = 0,
	FG_REPLIES_TAKE = 1,   /* the reply program intercepts them at the pod's device, and reports
				  them */
	FG_REPLIES_FOLLOW = 2, /* and the observers follow them there */
};

/* What the programs counted; read by lib. One element; only ever added to. */
struct fg_counters {
	__u64 injected;	    /* frames with a good envelope */
	__u64 bad_envelope; /* frames without one: dropped */
	__u64 lost;	    /* events that found the ring buffer full */
	__u64 untracked; /* packets that found the table of tracked packets full: dropped unsent */
};

enum fg_event_kind {
	FG_EVENT_INJECT = 1,  /* the inject program accepted the frame */
	FG_EVENT_QUEUE = 2,   /* net_dev_queue: after the device's tc/tcx egress programs */
	FG_EVENT_RECEIVE = 3, /* netif_receive_skb: before the device's tc/tcx ingress programs */
	FG_EVENT_XMIT = 4, /* net_dev_xmit: the driver took the packet (code: its return value) */
	/* fexit of a policy program (code: return value, id: program, aux: nanoseconds) */
	FG_EVENT_POLICY = 5,
	FG_EVENT_FREE = 6,    /* kfree_skb (code: the drop reason, aux: the location) */
	FG_EVENT_CONSUME = 7, /* consume_skb: freed, and not as a drop */
	/*
	 * handed to a socket (aux: its cookie; code: FG_SOCKET_OTHER, or 0). So is STOP, before a
	 * socket
	 */
	FG_EVENT_SOCKET = 8,
	/*
	 * intercepted by flowgen: at the destination pod's device (aux: 0), in its IP stack
	 * (FG_STOP_AUX_STACK), or before a socket (its cookie)
	 */
	FG_EVENT_STOP = 9,
	FG_EVENT_FLOW = 10,  /* the addresses changed: the flow follows in struct fg_event_flow */
	FG_EVENT_LOST = 11,  /* the trail is lost: another packet took the place in memory */
	FG_EVENT_REPLY = 12, /* a reply, intercepted at the pod's device: struct fg_event_reply */
	/*
	 * a piece of the packet, at first sight (code: enum fg_piece_kind, aux: bytes of the
	 * whole's payload in it, id: where they begin in it, of a fragment)
	 */
	FG_EVENT_PIECE = 13,
	/*
	 * fragments came together: from here on this packet is in the sk_buff that was that of
	 * probe id, with all others if FG_EVENT_F_WHOLE is set, or cut again if not
	 */
	FG_EVENT_JOIN = 14,
	/*
	 * a reply that is followed, at first sight (branch: its number): struct fg_event_reply,
	 * where all of the bytes that it has room for are in the sk_buff's own buffer
	 */
	FG_EVENT_HEARD = 15,
	FG_EVENT_KINDS,
};

struct fg_event {
	__u8 version;  /* FG_EVENT_VERSION */
	__u8 flags;    /* FG_EVENT_F_* */
	__u16 kind;    /* enum fg_event_kind */
	__u32 probe;   /* probe number of its window */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 generation;
	__u32 ifindex; /* of skb->dev; 0 if there is none */
	__u32 netns;   /* inode number of its namespace */
	__u32 length;  /* skb->len */
	__s32 code;
	__u32 id;  /* QUEUE, RECEIVE, FREE: the hops left (TTL); 0: not IP */
	__u64 aux; /* QUEUE, RECEIVE: the Ethernet source address, in memory order; 0: none */
	/* 0: the packet itself; clones are numbered from 1 in the order they were first seen */
	__u32 branch;
	__u32 reserved;
};

enum fg_piece_kind { FG_PIECE_FRAGMENT = 0, FG_PIECE_SEGMENT = 1 };

/* The socket is bound to another port or address than the packet is for: somebody has chosen it. */
#define FG_SOCKET_OTHER 1

/* FG_EVENT_STOP: no socket has this cookie. */
#define FG_STOP_AUX_STACK (~0ULL)

/* Seen on a clone of the packet. */
#define FG_EVENT_F_CLONE (1U << 0)
/* Known again by its addresses, after XDP took the packet's place. */
#define FG_EVENT_F_AGAIN (1U << 1)
/* Seen on a reply to the packet. */
#define FG_EVENT_F_REPLY (1U << 2)
/* QUEUE, RECEIVE, FREE: the kernel has noted that it was redirected. */
#define FG_EVENT_F_MOVED (1U << 3)
/* Seen on a piece of the packet: branch is its number, from 1. */
#define FG_EVENT_F_PIECE (1U << 4)
/* The packet was a fragment, and holds the whole datagram. */
#define FG_EVENT_F_WHOLE (1U << 5)
/*
 * QUEUE, RECEIVE, FREE: it still belongs to a socket. IP input takes each packet from the socket
 * that sent it (ip_rcv_core(), ip6_rcv_core()), and no redirect does.
 */
#define FG_EVENT_F_OWNED (1U << 6)
/* QUEUE, RECEIVE, FREE: connection tracking has seen it in this namespace. */
#define FG_EVENT_F_CONNTRACK (1U << 7)
/* POLICY, which has none of these: lib has run the program on the packet (BPF_PROG_TEST_RUN), and
 * says what it returned. */
#define FG_EVENT_F_RUN (1U << 6)

/* FG_EVENT_FLOW: sent right before the event at which the change was seen. */
struct fg_event_flow {
	struct fg_event event;
	struct fg_wire_flow flow;
};

/* An address that a namespace holds: where the stop program may intercept a packet. */
struct fg_owner {
	__u32 netns;   /* inode number */
	__u32 family;  /* 4 or 6 */
	__u8 addr[16]; /* wire order */
};
#define FG_OWNERS_MAX 16384

/*
 * A packet that another node sends, and that is followed from its arrival on. The table's key is
 * its flow without the source, which translation on the way may change: of TCP the sequence number
 * is in place of the address, and no port; of others the port stays.
 */
struct fg_awaited {
	struct fg_wire_flow flow; /* as it was built */
	__u32 probe;
	__u32 generation;
	__u32 sequence; /* TCP: its sequence number; an echo: its own; network order */
	__u32 length;	/* from its IP header on */
};
#define FG_AWAITED_MAX 1024

/* FG_EVENT_REPLY, FG_EVENT_HEARD: the reply's first bytes, from its IP header on. */
#define FG_REPLY_BYTES 212
struct fg_event_reply {
	struct fg_event event; /* length: of the whole reply from its IP header on */
	__u32 captured;	       /* how many of the bytes are filled */
	__u8 bytes[FG_REPLY_BYTES];
};

/* A probe number that is on the way but not to be followed: flowgen's own clearing up. */
#define FG_PROBE_SILENT 0xffffffffU

#define FG_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
FG_ASSERT_SIZE(struct fg_envelope, 12);
FG_ASSERT_SIZE(struct fg_slot_target, 24);
FG_ASSERT_SIZE(struct fg_config, 144);
FG_ASSERT_SIZE(struct fg_counters, 32);
FG_ASSERT_SIZE(struct fg_wire_flow, 40);
FG_ASSERT_SIZE(struct fg_event, 56);
FG_ASSERT_SIZE(struct fg_owner, 24);
FG_ASSERT_SIZE(struct fg_awaited, 56);
FG_ASSERT_SIZE(struct fg_event_flow, 96);
FG_ASSERT_SIZE(struct fg_event_reply, 272);

#endif
