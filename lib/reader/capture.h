/* SPDX-License-Identifier: GPL-2.0-only */
/* reader/capture.h - the packets of a capture, read by a process of its own (host/apart.h). */
#ifndef FG_READER_CAPTURE_H
#define FG_READER_CAPTURE_H

#include "capture/capture.h"

struct fg_reader_capture;

/* As fg_capture_open(), but what is in the file is looked at by fg_reader_capture_begin(). */
int fg_reader_capture_open(const char *path, const char *filter, int cancel_fd,
			   struct fg_reader_capture **out, struct fg_error *err);

/* Whether it is a pipe, a socket or a terminal: what was read of it is gone. */
bool fg_reader_capture_once(const struct fg_reader_capture *reader);

/* Before the first packet; and after the end, from the first packet on. Returns 0 or -1. */
int fg_reader_capture_begin(struct fg_reader_capture *reader, struct fg_error *err);

/* As fg_capture_next(). */
int fg_reader_capture_next(struct fg_reader_capture *reader, struct fg_captured *out,
			   struct fg_error *err);

/* As fg_capture_skipped(), over all rounds. */
uint64_t fg_reader_capture_skipped(const struct fg_reader_capture *reader);

/* reader may be NULL. */
void fg_reader_capture_close(struct fg_reader_capture *reader);

#endif
