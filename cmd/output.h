/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * output.h - standard output, which is data: every write is checked, and a failed one is
 * FG_ERR_INTERNAL.
 */
#ifndef FG_OUTPUT_H
#define FG_OUTPUT_H

#include <stddef.h>

#include "base/error.h"

/*
 * Appends len bytes; they may wait in a buffer until it is full or flushed. Returns 0 or -1; after
 * a failure the rest of the output is lost anyway, so the caller stops.
 */
int fg_output_write(const char *data, size_t len, struct fg_error *err);

/* Hands to the kernel what is still in the buffer. Returns 0 or -1. */
int fg_output_flush(struct fg_error *err);

/* Writes a text and flushes. Returns 0 or -1. */
int fg_output_string(const char *text, struct fg_error *err);

#endif
