/* SPDX-License-Identifier: GPL-2.0-only */
/* exec_flow.h - what flowgen exec's programs and lib/exec share: the flows of the command. */
#ifndef FG_EXEC_FLOW_H
#define FG_EXEC_FLOW_H

#include <linux/types.h>

/* How the command's packets enter the pod's egress path; as enum fg_method means it. */
enum fg_exec_way { FG_EXEC_PEER_EGRESS, FG_EXEC_HOST_INGRESS, FG_EXEC_BOUNCE };

#define FG_EXEC_REASONS 16

/* One per run; set before the programs are loaded. */
struct fg_exec_config {
	__u32 way;	   /* enum fg_exec_way */
	__u32 outer;	   /* ifindex of flowgen's device, in the primary's namespace */
	__u32 primary;	   /* ifindex there */
	__u32 out_mark;	   /* on a packet on its way into the pod's egress path; never 0 */
	__u32 answer_mark; /* on an answer on its way out of the pod; never 0 */
	/* The pod's devices have no Ethernet addresses (netkit in L3 mode). */
	__u32 no_addresses;
	__u32 twin_netns; /* inode number: what the command's own stack drops is nobody's decision
			   */
	/* Drop reasons that somebody decides about; others are recorded nowhere. 0: no more */
	__u32 reasons[FG_EXEC_REASONS];
	/* The sender is outside: Ethernet addresses of the uplink, and of the twin. */
	__u32 outside;
	__u8 uplink_mac[6], twin_mac[6];
	__s32 pod_nsid; /* the pod's namespace, as the primary's calls it; -1: it has no number */
};

/*
 * A flow as the pod's end sees it. Addresses in network order, an IPv4 one in the first four bytes.
 * Ports in network order; of ICMP local_port is the identifier; protocols without either have 0.
 */
struct fg_exec_flow {
	__u8 family; /* 4 or 6 */
	__u8 proto;
	__be16 local_port, remote_port;
	__u16 pad;
	__u8 local[16], remote[16];
};

enum fg_exec_end {
	FG_EXEC_OPEN,
	FG_EXEC_CLOSED_HERE,  /* the command's FIN came first */
	FG_EXEC_CLOSED_THERE, /* the other end's did */
	FG_EXEC_RESET_HERE,
	FG_EXEC_RESET_THERE,
};

/* Times are CLOCK_MONOTONIC; bytes are those of frames, as the devices count them. */
struct fg_exec_state {
	__u64 first_ns, last_ns, last_in_ns;
	__u64 out_packets, out_bytes, in_packets, in_bytes;
	__u32 in_errors; /* ICMP errors about the flow */
	__u16 error;	 /* type << 8 | code of the last of them */
	__u8 end;	 /* enum fg_exec_end */
	__u8 pods;     /* the pod has the tuple: nothing of ours goes out, answers are the pod's */
	__u32 refused; /* packets of the command that were not sent because of that */
	__u32 answered_syn; /* a SYN-ACK came */
	/* The last packet that was dropped on its way, in either direction; drops 0: none */
	__u32 drops;
	__u32 drop_reason;
	__u32 drop_ifindex, drop_netns; /* its device; 0: it had none */
	__u32 drop_back;		/* it was an answer */
	__u64 drop_ns;
	__u32 left; /* of the command outside: packets that the node would have sent back out */
	__u32 pad;
};

/* Which flow a packet is of whose other end was translated (a Service): by its own end. */
struct fg_exec_port {
	__u8 local[16];
	__u8 family, proto;
	__be16 port;
};

/* A later fragment has no ports: the first one tells whose it is (RFC 791, RFC 8200 4.5). */
struct fg_exec_fragment {
	__u8 local[16], remote[16];
	__u32 ident;
	__u8 family, proto;
	__u16 pad;
};

/* A question for a neighbour (RFC 826, RFC 4861): one answer goes to the command. */
struct fg_exec_question {
	__u8 target[16];
	__u32 family;
};

#define FG_EXEC_FLOWS 131072

#endif
