/* SPDX-License-Identifier: GPL-2.0-only */
/* capture/capture.h - reads packets from pcap and pcapng files, and writes frames to pcap files. */
#ifndef FG_CAPTURE_H
#define FG_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

struct fg_capture;
struct fg_capture_filter;

/*
 * One IP packet of a capture. data is valid until the next call, may be changed, and is whole: len
 * is what its IP header says.
 */
struct fg_captured {
	uint64_t number;  /* of the packet in the file, from 1, as tshark and tcpdump count */
	uint64_t time_ns; /* since the epoch */
	uint16_t family;  /* AF_INET or AF_INET6 */
	uint8_t *data;	  /* the IP header's first byte; owned by the capture */
	size_t len;	  /* bytes */
};

/*
 * Opens a capture ("-": standard input) for reading. filter is an expression in pcap-filter(7)
 * syntax, or NULL; borrowed until the capture is closed. Interfaces of a pcapng file may differ in
 * link layer and snap length. Link layers: Ethernet (with or without VLAN tags), Linux cooked v1
 * and v2, raw IP, BSD loopback. Errors: FG_ERR_USAGE for a file or a filter that cannot be used.
 * The caller closes it. cancel_fd ends the wait for a pipe once it is readable: this and
 * fg_capture_next() then fail with ECANCELED in err->code, and FG_ERR_INCONCLUSIVE; -1: nothing
 * does.
 */
int fg_capture_open(const char *path, const char *filter, int cancel_fd, struct fg_capture **out,
		    struct fg_error *err);

/*
 * The same for an open stream, which the capture then owns, also after a failure. name is for
 * messages.
 */
int fg_capture_open_stream(FILE *stream, const char *name, const char *filter,
			   struct fg_capture **out, struct fg_error *err);

/*
 * The parts of it, for a reader that can open nothing any more (reader/capture.h). First the
 * filter, which may look up names: fg_capture_filter_free(). NULL if memory is short; a wrong
 * expression is told when a file is opened with it.
 */
struct fg_capture_filter *fg_capture_filter_make(const char *expression, struct fg_error *err);
/* NULL is allowed. */
void fg_capture_filter_free(struct fg_capture_filter *filter);

/* The open file, as a descriptor that the caller owns; waits: not a regular one. -1:
 * FG_ERR_USAGE. */
int fg_capture_file(const char *path, bool *waits, struct fg_error *err);

/* A stream that takes fd over, also after a failure (NULL). waits, cancel_fd: as above. */
FILE *fg_capture_stream(int fd, bool waits, int cancel_fd, struct fg_error *err);

/* As fg_capture_open_stream(). filter: borrowed; NULL: none. */
int fg_capture_open_filtered(FILE *stream, const char *name, const struct fg_capture_filter *filter,
			     struct fg_capture **out, struct fg_error *err);

/*
 * Reads the next IP packet that the filter lets through. Returns 1 with *out, 0 at the end of the
 * file, -1 with an error that names the file and the packet: one cut off by the snap length, a
 * malformed one, a file that ends within a packet. What is not IP (such as ARP) is skipped and
 * counted.
 */
int fg_capture_next(struct fg_capture *capture, struct fg_captured *out, struct fg_error *err);

/* Packets skipped so far because they were not IP. */
uint64_t fg_capture_skipped(const struct fg_capture *capture);

/* capture may be NULL. */
void fg_capture_close(struct fg_capture *capture);

struct fg_capture_writer;

/*
 * Begins a pcap file of Ethernet frames with nanosecond stamps, beside its place
 * (net/outfile.h). The caller ends it.
 */
int fg_capture_create(const char *path, struct fg_capture_writer **out, struct fg_error *err);

/* Writes one frame of at most 262144 bytes with its Ethernet header. time_ns is since the epoch. */
int fg_capture_write(struct fg_capture_writer *writer, uint64_t time_ns, const void *frame,
		     size_t len, struct fg_error *err);

/*
 * Writes what is buffered, puts the file into its place and frees writer (which may be NULL), also
 * on failure: -1 if not all of it was written.
 */
int fg_capture_finish(struct fg_capture_writer *writer, struct fg_error *err);

/* Frees writer (which may be NULL) without the file. */
void fg_capture_discard(struct fg_capture_writer *writer);

#endif
