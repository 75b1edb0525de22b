// SPDX-License-Identifier: GPL-2.0-only
/*
 * reader/capture.c - pcap files are taken apart by libpcap, with no privileges; what comes back are
 * packets in a plain form, which are looked at again.
 */
#include "reader/capture.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/visible.h"
#include "header/dissect.h"
#include "host/apart.h"

/* IPv6 with its header. */
#define PACKET_MAX (65535 + 40)

/* How long it may take to give up waiting for a file. */
#define LAST_WORDS_MS 2000

struct message {
	enum { MESSAGE_OPEN, MESSAGE_PACKET, MESSAGE_END, MESSAGE_ERROR } what;
	uint32_t len;
	uint16_t family;
	uint64_t number, time_ns;
	uint64_t skipped; /* in this round, so far */
	struct fg_error why;
	uint8_t data[PACKET_MAX];
};

struct fg_reader_capture {
	struct fg_apart apart;
	char *name; /* of the file; owned */
	int cancel_fd;
	bool begun, cancelled;
	bool once;		 /* what was read is gone */
	uint64_t skipped_before; /* in earlier rounds */
	struct message message;
};

/* --- inside --- */

struct job {
	int file;
	bool waits;
	const char *name;
	const struct fg_capture_filter *filter;
	struct message message;
};

static int tell(struct job *job, int fd)
{
	const struct message *m = &job->message;
	size_t size = offsetof(struct message, data) + (m->what == MESSAGE_PACKET ? m->len : 0);
	ssize_t n;

	do
		n = write(fd, m, size);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)size ? 0 : -1;
}

/* One packet after the other, up to the end or an error, which is told. Returns 0 or -1. */
static int read_round(struct job *job, struct fg_capture *capture, int fd)
{
	struct message *m = &job->message;
	struct fg_captured packet;
	int ret;

	while ((ret = fg_capture_next(capture, &packet, &m->why)) > 0) {
		if (packet.len > PACKET_MAX)
			return -1;
		m->what = MESSAGE_PACKET;
		m->len = (uint32_t)packet.len;
		m->family = packet.family;
		m->number = packet.number;
		m->time_ns = packet.time_ns;
		m->skipped = fg_capture_skipped(capture);
		memcpy(m->data, packet.data, packet.len);
		if (tell(job, fd))
			return -1;
	}
	m->skipped = fg_capture_skipped(capture);
	m->what = ret ? MESSAGE_ERROR : MESSAGE_END;
	return tell(job, fd);
}

static int read_file(struct job *job, int fd)
{
	struct message *m = &job->message;
	struct fg_capture *capture = NULL;
	int file = dup(job->file), ret;
	FILE *stream;

	m->what = MESSAGE_ERROR;
	if (file < 0) {
		fg_fail_errno(&m->why, FG_ERR_INTERNAL, errno, "%s", job->name);
		return tell(job, fd);
	}
	/* When the other process is gone, fd can be read. */
	stream = fg_capture_stream(file, job->waits, fd, &m->why);
	if (!stream || fg_capture_open_filtered(stream, job->name, job->filter, &capture, &m->why))
		return tell(job, fd);
	m->what = MESSAGE_OPEN;
	m->skipped = 0;
	ret = tell(job, fd) ? -1 : read_round(job, capture, fd);
	fg_capture_close(capture);
	return ret;
}

static int serve(void *arg, int fd)
{
	struct job *job = arg;
	char again;

	while (!read_file(job, fd)) {
		if (read(fd, &again, 1) != 1)
			return 0;
		/* What cannot be read again is at its end, and told as such. */
		(void)lseek(job->file, 0, SEEK_SET);
	}
	return 1;
}

/* --- outside --- */

static int start(struct fg_reader_capture *r, struct job *job, const char *path,
		 struct fg_error *err)
{
	int ret;

	job->name = r->name;
	job->file = fg_capture_file(path, &job->waits, err);
	if (job->file < 0)
		return -1;
	r->once = lseek(job->file, 0, SEEK_CUR) < 0;
	ret = fg_apart_start(&r->apart, serve, job, job->file, true, err);
	fg_fd_close(&job->file);
	return ret;
}

int fg_reader_capture_open(const char *path, const char *filter, int cancel_fd,
			   struct fg_reader_capture **out, struct fg_error *err)
{
	const char *name = strcmp(path, "-") ? path : "standard input";
	struct fg_capture_filter *made = filter ? fg_capture_filter_make(filter, err) : NULL;
	struct fg_reader_capture *r = calloc(1, sizeof(*r));
	struct job *job = calloc(1, sizeof(*job));
	int ret = -1;

	if (r)
		*r = (struct fg_reader_capture){ .apart.fd = -1,
						 .name = strdup(name),
						 .cancel_fd = cancel_fd };
	if (!r || !job || !r->name) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", name);
	} else if (!filter || made) {
		job->filter = made;
		ret = start(r, job, path, err);
	}
	fg_capture_filter_free(made);
	free(job);
	if (ret)
		fg_reader_capture_close(r);
	else
		*out = r;
	return ret;
}

bool fg_reader_capture_once(const struct fg_reader_capture *reader)
{
	return reader->once;
}

static int fail_cancelled(const struct fg_reader_capture *r, struct fg_error *err)
{
	fg_fail(err, FG_ERR_INCONCLUSIVE, "%s: interrupted before its end", r->name);
	if (err)
		err->code = ECANCELED;
	return -1;
}

/* Returns how many bytes came, 0 at the end of the process; or -1 with err. */
static ssize_t receive(struct fg_reader_capture *r, struct fg_error *err)
{
	struct pollfd p[] = { { .fd = r->apart.fd, .events = POLLIN },
			      { .fd = r->cancel_fd, .events = POLLIN } };
	ssize_t n;

	for (;;) {
		int ready = poll(p, r->cancelled ? 1 : 2, r->cancelled ? LAST_WORDS_MS : -1);

		if (ready < 0 && errno != EINTR)
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "%s", r->name);
		if (!ready)
			return fail_cancelled(r, err);
		/* It gives up waiting, and tells what it has so far. */
		if (ready > 0 && !p[0].revents) {
			r->cancelled = true;
			(void)!write(r->apart.fd, "", 1);
		}
		if (ready < 0 || !p[0].revents)
			continue;
		n = read(r->apart.fd, &r->message, sizeof(r->message));
		if (n >= 0)
			return n;
		/* It has ended, and has not read what it was asked. */
		if (errno == ECONNRESET)
			return 0;
		if (errno != EINTR && errno != EAGAIN)
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "%s", r->name);
	}
}

/* What the process says is not believed: it has read the file. */
static bool is_sound(const struct message *m, size_t size)
{
	struct fg_layout layout;

	if (size < offsetof(struct message, data))
		return false;
	if (m->what == MESSAGE_OPEN || m->what == MESSAGE_END || m->what == MESSAGE_ERROR)
		return true;
	return m->what == MESSAGE_PACKET && m->len <= PACKET_MAX &&
	       size == offsetof(struct message, data) + m->len &&
	       (m->family == AF_INET || m->family == AF_INET6) &&
	       !fg_flow_layout_find(m->data, m->len, &layout) && layout.family == m->family &&
	       layout.len == m->len;
}

static int pass_on(struct fg_error *why, struct fg_error *err)
{
	why->message[sizeof(why->message) - 1] = '\0';
	why->hint[sizeof(why->hint) - 1] = '\0';
	fg_visible_make(why->message);
	fg_visible_make(why->hint);
	/* The kinds that a capture can fail with. */
	if (why->kind != FG_ERR_USAGE)
		why->kind = FG_ERR_INTERNAL;
	why->code = 0;
	if (err)
		*err = *why;
	return -1;
}

/* Takes the next message, which is not an error. Returns 0 or -1. */
static int take(struct fg_reader_capture *reader, struct fg_error *err)
{
	struct message *m = &reader->message;
	ssize_t n = receive(reader, err);

	if (n < 0)
		return -1;
	if (!n)
		return fg_fail(err, FG_ERR_INTERNAL, "%s: the process that reads it has ended",
			       reader->name);
	if (!is_sound(m, (size_t)n))
		return fg_fail(err, FG_ERR_INTERNAL,
			       "%s: the process that reads it sends something else than packets",
			       reader->name);
	if (m->what == MESSAGE_ERROR)
		return reader->cancelled ? fail_cancelled(reader, err) : pass_on(&m->why, err);
	return 0;
}

static int fail_order(const struct fg_reader_capture *reader, struct fg_error *err)
{
	return fg_fail(err, FG_ERR_INTERNAL, "%s: the process that reads it loses its place",
		       reader->name);
}

int fg_reader_capture_next(struct fg_reader_capture *reader, struct fg_captured *out,
			   struct fg_error *err)
{
	struct message *m = &reader->message;

	if (take(reader, err))
		return -1;
	if (m->what == MESSAGE_END)
		return 0;
	if (m->what != MESSAGE_PACKET)
		return fail_order(reader, err);
	*out = (struct fg_captured){ .number = m->number,
				     .time_ns = m->time_ns,
				     .family = m->family,
				     .data = m->data,
				     .len = m->len };
	return 1;
}

int fg_reader_capture_begin(struct fg_reader_capture *reader, struct fg_error *err)
{
	reader->skipped_before += reader->message.skipped;
	reader->message.skipped = 0;
	if (reader->begun && write(reader->apart.fd, "", 1) != 1)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "%s: read it again",
				     reader->name);
	reader->begun = true;
	if (take(reader, err))
		return -1;
	return reader->message.what == MESSAGE_OPEN ? 0 : fail_order(reader, err);
}

uint64_t fg_reader_capture_skipped(const struct fg_reader_capture *reader)
{
	return reader->skipped_before + reader->message.skipped;
}

void fg_reader_capture_close(struct fg_reader_capture *reader)
{
	if (!reader)
		return;
	fg_apart_end(&reader->apart);
	free(reader->name);
	free(reader);
}
