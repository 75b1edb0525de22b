// SPDX-License-Identifier: GPL-2.0-only
/*
 * capture_writer.c - writes pcap files. Not through pcap_dump(), which returns nothing: a full disk
 * must be an error.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "fd.h"

#define NS_PER_S UINT64_C(1000000000)
#define MAGIC_NS 0xa1b23c4d
#define SNAP_LEN 262144 /* the most that libpcap accepts for Ethernet */

/*
 * The forms of the file's header and of each record's, in this machine's byte order
 * (pcap-savefile(5)).
 */
struct file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy;
	uint32_t snap_len;
	uint32_t link;
};

struct record_header {
	uint32_t seconds, nanoseconds;
	uint32_t captured, original;
};

_Static_assert(sizeof(struct file_header) == 24 && sizeof(struct record_header) == 16,
	       "as the file has them");

struct fg_capture_writer {
	FILE *file;
	char *path;
};

static int put(struct fg_capture_writer *writer, const void *bytes, size_t len,
	       struct fg_error *err)
{
	if (fwrite(bytes, 1, len, writer->file) != len)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "write: %s", writer->path);
	return 0;
}

int fg_capture_create(const char *path, struct fg_capture_writer **out, struct fg_error *err)
{
	static const struct file_header header = { MAGIC_NS, 2, 4, 0, 0, SNAP_LEN, DLT_EN10MB };
	struct fg_capture_writer *writer = calloc(1, sizeof(*writer));

	if (writer)
		writer->path = strdup(path);
	if (!writer || !writer->path) {
		free(writer);
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", path);
	}
	writer->file = fopen(path, "wbe");
	if (!writer->file)
		fg_fail_errno(err, FG_ERR_USAGE, errno, "write: %s", path);
	if (!writer->file || put(writer, &header, sizeof(header), err) < 0) {
		fg_capture_finish(writer, NULL);
		return -1;
	}
	*out = writer;
	return 0;
}

int fg_capture_write(struct fg_capture_writer *writer, uint64_t time_ns, const void *frame,
		     size_t len, struct fg_error *err)
{
	struct record_header header = {
		.seconds = (uint32_t)(time_ns / NS_PER_S),
		.nanoseconds = (uint32_t)(time_ns % NS_PER_S),
		.captured = (uint32_t)len,
		.original = (uint32_t)len,
	};

	if (len > SNAP_LEN)
		return fg_fail(err, FG_ERR_USAGE, "write: %s: a frame of %zu bytes, at most %d fit",
			       writer->path, len, SNAP_LEN);
	if (put(writer, &header, sizeof(header), err) < 0)
		return -1;
	return put(writer, frame, len, err);
}

int fg_capture_finish(struct fg_capture_writer *writer, struct fg_error *err)
{
	int result = 0;

	if (!writer)
		return 0;
	if (writer->file) {
		/* fclose() forgets a write that failed earlier. */
		bool incomplete = ferror(writer->file);

		errno = EIO;
		if (fclose(writer->file) || incomplete)
			result = fg_fail_errno(err, FG_ERR_INTERNAL, errno, "write: %s",
					       writer->path);
	}
	free(writer->path);
	free(writer);
	return result;
}
