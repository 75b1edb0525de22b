/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * capture/internal.h - for capture.c: filters; and pcapng files with several interfaces. libpcap
 * reads only files whose interfaces are alike: it gets them alike, and the link type of each packet
 * is kept aside.
 */
#ifndef FG_CAPTURE_INTERNAL_H
#define FG_CAPTURE_INTERNAL_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "capture/capture.h"

/* --- filter.c --- */

/* Whether packets of this link type (DLT_*) can be read. */
bool fg_capture_link_is_known(int link);

/* Whether the filter could be made for the link type. Returns 0, or -1 with FG_ERR_USAGE. */
int fg_capture_filter_check(const struct fg_capture_filter *filter, int link, struct fg_error *err);
bool fg_capture_filter_passes(const struct fg_capture_filter *filter, int link,
			      const struct pcap_pkthdr *header, const uint8_t *bytes);

/* --- blocks.c --- */

struct fg_capture_blocks;

/*
 * Wraps a stream. What is not pcapng goes through as it is. Returns a stream that owns the other
 * one, with *out, which lives as long as it; NULL when memory is short, or the stream cannot be
 * read.
 */
FILE *fg_capture_blocks_open(FILE *stream, struct fg_capture_blocks **out);

/*
 * The link type (LINKTYPE_*, as in the file) of the next packet that was read from the stream; each
 * is asked for once, in their order. -1: all are of the first interface's.
 */
int fg_capture_blocks_next_link(struct fg_capture_blocks *blocks);

#endif
