// SPDX-License-Identifier: GPL-2.0-only
/*
 * capture/writer.c - writes pcap files. pcap_dump() returns nothing, and pcap_dump_close() as
 * little: the stream below is asked, since a full disk must be an error.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "net/outfile.h"
#include "capture/capture.h"

#define NS_PER_S 1000000000
#define SNAP_LEN 262144 /* the most that libpcap accepts for Ethernet */

struct fg_capture_writer {
	pcap_t *form;
	pcap_dumper_t *file; /* has the stream of place */
	struct fg_outfile place;
	char *path;
};

static int fail_write(const struct fg_capture_writer *writer, struct fg_error *err)
{
	return fg_fail_errno(err, FG_ERR_INTERNAL, errno ? errno : EIO, "write: %s", writer->path);
}

static int open_file(struct fg_capture_writer *writer, struct fg_error *err)
{
	if (fg_outfile_open(&writer->place, writer->path, false, err))
		return fg_error_prefix(err, "write");
	errno = 0;
	/* Closes the stream if it fails, and with it later. */
	writer->file = pcap_dump_fopen(writer->form, writer->place.stream);
	if (!writer->file)
		writer->place.stream = NULL;
	return writer->file ? 0 : fail_write(writer, err);
}

int fg_capture_create(const char *path, struct fg_capture_writer **out, struct fg_error *err)
{
	struct fg_capture_writer *writer = calloc(1, sizeof(*writer));
	int ret;

	if (writer) {
		writer->place.dir = -1;
		writer->path = strdup(path);
		writer->form = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, SNAP_LEN,
								    PCAP_TSTAMP_PRECISION_NANO);
	}
	if (writer && writer->path && writer->form)
		ret = open_file(writer, err);
	else
		ret = fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "write: %s", path);
	if (ret)
		fg_capture_discard(writer);
	else
		*out = writer;
	return ret;
}

int fg_capture_write(struct fg_capture_writer *writer, uint64_t time_ns, const void *frame,
		     size_t len, struct fg_error *err)
{
	/* With stamps in nanoseconds, these take the place of the microseconds. */
	const struct pcap_pkthdr header = {
		.ts = { .tv_sec = (time_t)(time_ns / NS_PER_S),
			.tv_usec = (suseconds_t)(time_ns % NS_PER_S) },
		.caplen = (bpf_u_int32)len,
		.len = (bpf_u_int32)len,
	};

	if (len > SNAP_LEN)
		return fg_fail(err, FG_ERR_USAGE, "write: %s: a frame of %zu bytes, at most %d fit",
			       writer->path, len, SNAP_LEN);
	errno = 0;
	pcap_dump((u_char *)writer->file, &header, frame);
	return ferror(pcap_dump_file(writer->file)) ? fail_write(writer, err) : 0;
}

void fg_capture_discard(struct fg_capture_writer *writer)
{
	if (!writer)
		return;
	if (writer->file) {
		/* It closes the stream. */
		writer->place.stream = NULL;
		pcap_dump_close(writer->file);
	}
	fg_outfile_close(&writer->place);
	if (writer->form)
		pcap_close(writer->form);
	free(writer->path);
	free(writer);
}

int fg_capture_finish(struct fg_capture_writer *writer, struct fg_error *err)
{
	int result = 0;

	if (!writer)
		return 0;
	if (!fg_outfile_is_whole(&writer->place))
		result = fail_write(writer, err);
	else if (fg_outfile_commit(&writer->place, err))
		result = fg_error_prefix(err, "write");
	fg_capture_discard(writer);
	return result;
}
