/* SPDX-License-Identifier: GPL-2.0-only */
/* writer/internal.h - the files and streams that writers share; others include writer/writer.h. */
#ifndef FG_WRITER_INTERNAL_H
#define FG_WRITER_INTERNAL_H

#include "base/buffer.h"
#include "net/outfile.h"
#include "writer/writer.h"

struct fg_writer_output {
	FILE *file;
	const char *name; /* for messages */
	bool owned;
	struct fg_outfile place; /* where owned */
	struct fg_buffer buffer;
};

int fg_writer_output_open(struct fg_writer_output *out, struct fg_writer_target target,
			  struct fg_error *err);
/* Writes what is in the buffer. Returns 0 or -1. */
int fg_writer_output_flush(struct fg_writer_output *out, struct fg_error *err);
/* The same, and closes the file. */
int fg_writer_output_end(struct fg_writer_output *out, struct fg_error *err);
void fg_writer_output_free(struct fg_writer_output *out);

#endif
