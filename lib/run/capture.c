// SPDX-License-Identifier: GPL-2.0-only
/* run/capture.c - the packets of a capture as a source. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "net/outfile.h"
#include "header/rewrite.h"
#include "probe/pace.h"
#include "run/internal.h"
#include "reader/capture.h"

/* Packets that are held for one window, in bytes. */
#define ARENA_SIZE (4U << 20)

struct source {
	struct fg_run_source source;
	const struct fg_run_probes *probes;
	const struct fg_run_ui *ui;
	struct fg_run_sender sender;
	struct fg_pace pace;
	struct fg_reader_capture *reader;
	struct fg_captured ahead; /* the packet that is read next */
	bool has_ahead, has_due, at_end;
	struct fg_pace_recorded recorded; /* the times of the file, if they are to be kept */
	uint64_t next;			  /* probes given out */
	uint64_t rounds;		  /* through the file, this one included */
	uint8_t *arena;			  /* what the packets of the window are made of */
	struct fg_error failure;	  /* told once what came before it has been sent */
};

static struct source *self_of(struct fg_run_source *source)
{
	return (struct source *)source;
}

static int begin_file(struct source *s, struct fg_error *err)
{
	s->rounds++;
	return fg_reader_capture_begin(s->reader, err);
}

/*
 * Makes sure that there is a packet ahead, from the start of the file again where a round is over.
 */
static int look_ahead(struct source *s, struct fg_error *err)
{
	bool anew = false;
	int ret;

	while (!s->has_ahead && !s->at_end) {
		ret = fg_reader_capture_next(s->reader, &s->ahead, err);
		if (ret < 0)
			return -1;
		if (ret) {
			s->has_ahead = true;
			break;
		}
		/* A file without a packet to send would be read for ever. */
		s->at_end = anew || s->rounds == s->probes->count || !s->next;
		if (!s->at_end && begin_file(s, err))
			return -1;
		anew = true;
		s->recorded = (struct fg_pace_recorded){};
	}
	return 0;
}

static void read_addresses(const struct fg_captured *packet, struct fg_packet_vary *vary)
{
	bool v4 = packet->family == AF_INET;

	vary->src.family = vary->dst.family = packet->family;
	memcpy(vary->src.bytes, packet->data + (v4 ? 12 : 8), v4 ? 4 : 16);
	memcpy(vary->dst.bytes, packet->data + (v4 ? 16 : 24), v4 ? 4 : 16);
}

static int check_source(const struct source *s, const struct fg_addr *src, struct fg_error *err)
{
	const struct fg_captured *p = &s->ahead;

	if (s->probes->keep_addresses)
		return 0;
	if (src->family && fg_rewrite_is_sealed(p->data, p->len, src)) {
		fg_fail(err, FG_ERR_USAGE,
			"%s: packet %" PRIu64
			": its authentication header covers another source address",
			s->probes->pcap, p->number);
		return fg_hint(err, "leave it out with --filter 'not ah', or use --keep-addresses");
	}
	if (src->family)
		return 0;
	fg_fail(err, FG_ERR_UNSUPPORTED,
		"%s: packet %" PRIu64 ": the pod has no IPv%d address to send it from",
		s->probes->pcap, p->number, p->family == AF_INET ? 4 : 6);
	return fg_hint(err, "leave these packets out with --filter, or use --keep-addresses");
}

/* The packet ahead as an item; its bytes go to the arena. */
static int take_ahead(struct source *s, uint8_t *bytes, struct fg_run_item *item,
		      struct fg_error *err)
{
	const struct fg_captured *p = &s->ahead;
	const struct fg_addr *src = p->family == AF_INET ? &s->sender.v4 : &s->sender.v6;
	struct fg_probe_spec *spec = &item->spec;

	if (check_source(s, src, err))
		return -1;
	*spec = (struct fg_probe_spec){ .id = s->next + 1,
					.pod = s->sender.pod,
					.bytes = bytes,
					.length = p->len,
					.expect = s->probes->expect,
					.vary.number = (uint32_t)s->next,
					.fragments = 1 };
	fg_rewrite_source(p->data, p->len, s->probes->keep_addresses ? NULL : src);
	memcpy(bytes, p->data, p->len);
	read_addresses(p, &spec->vary);
	if (s->probes->name)
		snprintf(spec->name, sizeof(spec->name), "%s", s->probes->name);
	else
		snprintf(spec->name, sizeof(spec->name), "packet %" PRIu64, p->number);
	item->expect = &s->sender.expect;
	item->report = s->sender.report;
	s->has_ahead = s->has_due = false;
	s->next++;
	return 0;
}

/* When the packet ahead is due, by the file's own times. */
static uint64_t captured_due(struct source *s, uint64_t now_ns)
{
	if (s->has_due)
		return s->recorded.due_ns;
	s->has_due = true;
	return fg_pace_recorded_due(&s->recorded, s->ahead.time_ns, now_ns);
}

static bool is_due(struct source *s, uint64_t now_ns, uint64_t *due_ns)
{
	if (s->probes->captured_timing) {
		*due_ns = captured_due(s, now_ns);
		return *due_ns <= now_ns;
	}
	*due_ns = fg_pace_next(&s->pace);
	return fg_pace_take(&s->pace, now_ns, 1) == 1;
}

static int open_capture(struct fg_run_source *source, struct fg_run *run, struct fg_error *err)
{
	struct source *s = self_of(source);

	source->planned = UINT64_MAX;
	/* Before the process is confined, which cannot start another then. */
	if (fg_reader_capture_open(s->probes->pcap, s->probes->filter,
				   run->session->ops->cancel_fd
					   ? run->session->ops->cancel_fd(run->session->self)
					   : -1,
				   &s->reader, err))
		return -1;
	/* Said before anything is sent. */
	if (s->probes->count != 1 && fg_reader_capture_once(s->reader)) {
		fg_fail(err, FG_ERR_USAGE, "%s: can be read only once", s->probes->pcap);
		return fg_hint(err, "leave out --count and --duration, or copy it to a file");
	}
	s->arena = malloc(ARENA_SIZE);
	if (!s->arena)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "packets");
	return fg_run_sender_open(&s->sender, s->probes, run, err);
}

static int begin(struct fg_run_source *source, uint64_t round, uint64_t now_ns,
		 struct fg_error *err)
{
	struct source *s = self_of(source);

	(void)round;
	fg_pace_begin(&s->pace, s->probes->interval_ns, now_ns);
	return fg_run_sender_report(&s->sender, err) ? begin_file(s, err) : -1;
}

static int fill(struct fg_run_source *source, struct fg_run_item *items, uint32_t room,
		uint64_t now_ns, uint64_t *due_ns, struct fg_error *err)
{
	struct source *s = self_of(source);
	size_t used = 0;
	uint32_t n = 0;

	if (!fg_run_sender_report(&s->sender, err))
		return -1;
	while (n < room && !s->failure.kind) {
		if (look_ahead(s, &s->failure))
			break;
		if (!s->has_ahead) {
			*due_ns = UINT64_MAX;
			return (int)n;
		}
		if (used + s->ahead.len > ARENA_SIZE || !is_due(s, now_ns, due_ns))
			return (int)n;
		if (take_ahead(s, s->arena + used, &items[n], &s->failure))
			break;
		used += s->ahead.len;
		n++;
	}
	/* The engine sees the same, and ends the run as it does others. */
	if (s->failure.code == ECANCELED) {
		s->failure = (struct fg_error){};
		*due_ns = now_ns;
	}
	if (n || !s->failure.kind)
		return (int)n;
	*err = s->failure;
	return -1;
}

static void forget(struct fg_run_source *source, int pod)
{
	(void)pod;
	self_of(source)->sender.report = NULL;
}

static void close_capture(struct fg_run_source *source)
{
	struct source *s = self_of(source);

	uint64_t skipped = s->reader ? fg_reader_capture_skipped(s->reader) : 0;

	fg_reader_capture_close(s->reader);
	if (skipped)
		fg_run_ui_warn(s->ui, "%s: packets skipped because they are not IP: %" PRIu64,
			       s->probes->pcap, skipped);
	free(s->arena);
	free(s);
}

static const struct fg_run_source_ops capture_ops = {
	.open = open_capture, .begin = begin, .fill = fill, .forget = forget, .close = close_capture
};

struct fg_run_source *fg_run_capture_open(const struct fg_run_probes *probes,
					  const struct fg_run_ui *ui, struct fg_error *err)
{
	struct source *s = NULL;

	/* No output may be there. */
	if (fg_outfile_input(probes->pcap, err))
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "capture");
		return NULL;
	}
	s->probes = probes;
	s->ui = ui;
	s->source = (struct fg_run_source){ .ops = &capture_ops };
	return &s->source;
}
