/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * catch_event.h - the wire contract of `flowgen catch`, as event.h is that of inject: fixed widths,
 * no pointers, no holes, sizes asserted on both sides.
 */
#ifndef FG_CATCH_EVENT_H
#define FG_CATCH_EVENT_H

#ifndef __BPF__
#include <linux/types.h>
#endif

#include "event.h"

#define FG_CATCH_VERSION 1

/*
 * The first bytes of a packet that are reported: IPv4 and TCP headers with all options, or IPv6
 * with some extensions.
 */
#define FG_CATCH_BYTES 216

enum fg_catch_match {
	FG_CATCH_BY_TRACE = 1U << 0, /* an IPv4 option of type trace_option with 2, 4 or 8 bytes of
					data */
	FG_CATCH_BY_TRACE_ID = 1U << 1, /* whose data is trace_id */
	FG_CATCH_BY_PROTO = 1U << 2,
	FG_CATCH_BY_SRC = 1U << 3,
	FG_CATCH_BY_DST = 1U << 4,
	FG_CATCH_BY_SPORT = 1U << 5,
	FG_CATCH_BY_DPORT = 1U << 6,
};

/* What a packet must have to be caught: all that `match` names. Constant for the program. */
struct fg_catch_filter {
	__u32 match; /* enum fg_catch_match */
	__u8 family; /* 4 or 6; 0: both */
	__u8 proto;
	__u8 trace_option;
	__u8 pass;   /* 1: what is caught continues to the pod's stack */
	__u16 sport; /* network order, as dport */
	__u16 dport;
	__u32 reserved;
	__u64 trace_id;
	__u64 limit; /* stop after this many; 0: any number */
	__u8 src[16];
	__u8 dst[16];
};

/* One packet that was caught. */
struct fg_catch_record {
	__u8 version;	/* FG_CATCH_VERSION */
	__u8 passed;	/* it went on to the pod's stack */
	__u16 captured; /* how many of the bytes are filled */
	__u32 ifindex;
	__u64 time_ns;	 /* CLOCK_MONOTONIC */
	__u64 trace_id;	 /* where has_trace is set */
	__u32 length;	 /* of the packet from its IP header on */
	__u8 has_trace;	 /* an option of the type looked for is in it */
	__u8 trace_size; /* bytes of its data: 2, 4 or 8 */
	__u16 reserved;
	__u8 bytes[FG_CATCH_BYTES]; /* from its IP header on */
};

/* What the program counted. Only ever added to. */
struct fg_catch_counters {
	__u64 caught;
	__u64 lost; /* of these: found the ring full, and are not reported */
};

FG_ASSERT_SIZE(struct fg_catch_filter, 64);
FG_ASSERT_SIZE(struct fg_catch_record, 248);
FG_ASSERT_SIZE(struct fg_catch_counters, 16);

#endif
