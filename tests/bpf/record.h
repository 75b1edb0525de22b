/* SPDX-License-Identifier: GPL-2.0-only */
/* record.h - what record.bpf.c saw of a packet; shared with tests/tool/fidelity.c. */
#ifndef RECORD_H
#define RECORD_H

#ifndef __BPF__
#include <linux/types.h>
#endif

#define RECORD_BYTES 2048

struct record {
	/* struct __sk_buff */
	__u32 len, protocol, ifindex, ingress_ifindex, mark, priority, queue_mapping;
	__u32 vlan_present, vlan_tci, gso_segs, gso_size, hash, pkt_type;
	__u32 tstamp_type, has_tstamp, napi_id, has_sk, linear, tc_classid, tc_index, wire_len;
	__u32 cb[5];
	/* struct sk_buff: a program may read these through BTF */
	__u32 ip_summed, csum_start, csum_offset, l4_hash, sw_hash, cloned, network, transport;
	__u32 encapsulation, gso_type;
	__s32 csum_level; /* what bpf_csum_level() answers */
	__u32 size;	  /* bytes recorded */
	__u8 bytes[RECORD_BYTES];
};

/* Which packets: of this IP protocol, with this destination port (ICMP: any). */
struct record_want {
	__u32 protocol;
	__u32 port;
};

#endif
