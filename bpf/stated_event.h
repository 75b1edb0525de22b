/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stated_event.h - what is reported of a perf event that somebody's program writes while it holds a
 * tracked packet. As event.h: fixed widths, no pointers, no holes, sizes asserted on both sides.
 */
#ifndef FG_STATED_EVENT_H
#define FG_STATED_EVENT_H

#ifndef __BPF__
#include <linux/types.h>
#endif

#include "event.h"

#define FG_STATED_RECORD_VERSION 1
#define FG_STATED_RECORD_BYTES 256
#define FG_STATED_RECORD_STACK 16

struct fg_stated_record {
	__u8 version; /* FG_STATED_RECORD_VERSION */
	__u8 stack_count;
	__u16 captured; /* how many of the bytes are filled */
	__u32 probe;
	__u32 generation;
	__u32 map_id;  /* of the perf event array */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 length;  /* of the event as the program wrote it, without the packet after it */
	__u32 reserved;
	__u64 stack[FG_STATED_RECORD_STACK]; /* return addresses, the innermost first */
	__u8 bytes[FG_STATED_RECORD_BYTES];
};

FG_ASSERT_SIZE(struct fg_stated_record, 416);

#endif
