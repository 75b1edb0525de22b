// SPDX-License-Identifier: GPL-2.0-only
/* writer/frames.c - the frames that were sent, as a pcap file. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "capture/capture.h"
#include "writer/internal.h"

struct writer {
	struct fg_run_writer writer;
	const char *path;
	struct fg_capture_writer *file;
	uint64_t wall_offset_ns; /* of the wall clock to ours */
};

static struct writer *self_of(struct fg_run_writer *writer)
{
	return (struct writer *)writer;
}

static int begin(struct fg_run_writer *writer, struct fg_error *err)
{
	struct writer *w = self_of(writer);

	w->wall_offset_ns = fg_clock_realtime() - fg_clock_now();
	return fg_capture_create(w->path, &w->file, err);
}

/*
 * Only what was sent goes to the file, with the time at which it was; in a dry run that is all of
 * it, at time 0.
 */
static int take(struct fg_run_writer *writer, const struct fg_run_answer *answer,
		struct fg_error *err)
{
	const struct writer *w = self_of(writer);
	const struct fg_probe *probe = answer->c->probe;
	uint64_t at;

	if (!probe || probe->trace.unsent)
		return 0;
	at = probe->trace.injected_ns ? probe->trace.injected_ns : probe->trace.sent_ns;
	return fg_capture_write(w->file, at ? at + w->wall_offset_ns : 0, probe->frame.data,
				probe->frame.len, err);
}

static int end(struct fg_run_writer *writer, const struct fg_run_totals *totals,
	       struct fg_error *err)
{
	(void)totals;
	return fg_capture_finish(FG_TAKE(self_of(writer)->file), err);
}

static void close_frames(struct fg_run_writer *writer)
{
	fg_capture_discard(self_of(writer)->file);
	free(self_of(writer));
}

struct fg_run_writer *fg_writer_frames(const char *path, struct fg_error *err)
{
	static const struct fg_run_writer_ops ops = {
		.begin = begin, .take = take, .end = end, .close = close_frames
	};
	struct writer *w = calloc(1, sizeof(*w));

	if (!w) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", path);
		return NULL;
	}
	w->writer.ops = &ops;
	w->path = path;
	return &w->writer;
}
