// SPDX-License-Identifier: GPL-2.0-only
/* writer/output.c - the files and streams that writers write to. */
#include <errno.h>
#include <stdio_ext.h>

#include "base/fd.h"
#include "writer/internal.h"

int fg_writer_output_open(struct fg_writer_output *out, struct fg_writer_target target,
			  struct fg_error *err)
{
	*out = (struct fg_writer_output){ .file = target.stream, .name = "standard output" };
	if (!target.path)
		return 0;
	out->name = target.path;
	out->owned = true;
	if (fg_outfile_open(&out->place, target.path, target.at_once, err))
		return -1;
	out->file = out->place.stream;
	return 0;
}

static int failed(struct fg_writer_output *out, struct fg_error *err)
{
	fg_fail_errno(err, FG_ERR_INTERNAL, errno ? errno : EIO, "%s", out->name);
	/* It is reported here: what is still in stdio's buffer is not tried and reported again. */
	if (out->file)
		__fpurge(out->file);
	return -1;
}

int fg_writer_output_flush(struct fg_writer_output *out, struct fg_error *err)
{
	size_t len = out->buffer.len;

	out->buffer.len = 0;
	errno = 0;
	if (out->buffer.failed)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", out->name);
	if (len && (fwrite(out->buffer.data, 1, len, out->file) != len || fflush(out->file)))
		return failed(out, err);
	return 0;
}

int fg_writer_output_end(struct fg_writer_output *out, struct fg_error *err)
{
	if (fg_writer_output_flush(out, err))
		return -1;
	if (!out->owned)
		return 0;
	/* A file system may keep an error back until the file is closed, as NFS does. */
	errno = 0;
	if (fg_outfile_is_whole(&out->place) ? fg_outfile_commit(&out->place, err)
					     : failed(out, err))
		return -1;
	fg_writer_output_free(out);
	return 0;
}

void fg_writer_output_free(struct fg_writer_output *out)
{
	if (out->owned)
		fg_outfile_close(&out->place);
	fg_buffer_free(&out->buffer);
	*out = (struct fg_writer_output){};
}
