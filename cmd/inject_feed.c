// SPDX-License-Identifier: GPL-2.0-only
/* inject_feed.c - where the probes of a run come from: the plan, or a capture. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fields.h"
#include "inject_parts.h"
#include "rewrite.h"

/* Packets of a capture that are held for one window, in bytes. */
#define ARENA_SIZE (4U << 20)

uint64_t fg_inject_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* --- the capture --- */

static int open_capture(struct fg_feed *feed, struct fg_error *err)
{
	if (feed->capture)
		feed->skipped += fg_capture_skipped(feed->capture);
	fg_capture_close(feed->capture);
	feed->capture = NULL;
	feed->rounds++;
	return fg_capture_open(feed->options->pcap, feed->options->filter, &feed->capture, err);
}

/*
 * Makes sure that there is a packet ahead, from the start of the file again where a round is over.
 */
static int look_ahead(struct fg_feed *feed, struct fg_error *err)
{
	const struct fg_inject_options *o = feed->options;
	bool anew = false;
	int ret;

	while (!feed->has_ahead && !feed->at_end) {
		ret = fg_capture_next(feed->capture, &feed->ahead, err);
		if (ret < 0)
			return -1;
		if (ret) {
			feed->has_ahead = true;
			break;
		}
		/* A file without a packet to send would be read for ever. */
		feed->at_end = anew || feed->rounds == o->count || !feed->next;
		if (!feed->at_end && open_capture(feed, err))
			return -1;
		anew = true;
		feed->first_ns = 0;
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

/* The packet ahead as a probe; its bytes go to the arena. */
static int take_ahead(struct fg_feed *feed, uint8_t *bytes, struct fg_probe_spec *spec,
		      struct fg_error *err)
{
	const struct fg_inject_options *o = feed->options;
	const struct fg_captured *p = &feed->ahead;
	const struct fg_addr *src = p->family == AF_INET ? &feed->src4 : &feed->src6;

	if (!o->keep_addresses && !src->family) {
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"%s: packet %" PRIu64 ": the pod has no IPv%d address to send it from",
			o->pcap, p->number, p->family == AF_INET ? 4 : 6);
		return fg_hint(err,
			       "leave such packets out with --filter, or give --keep-addresses");
	}
	*spec = (struct fg_probe_spec){ .id = feed->next + 1,
					.pod = feed->plan.pod,
					.bytes = bytes,
					.length = p->len,
					.expect = feed->plan.expect,
					.vary.number = (uint32_t)feed->next,
					.fragments = 1 };
	fg_rewrite_source(p->data, p->len, o->keep_addresses ? NULL : src);
	memcpy(bytes, p->data, p->len);
	read_addresses(p, &spec->vary);
	if (o->name)
		snprintf(spec->name, sizeof(spec->name), "%s", o->name);
	else
		snprintf(spec->name, sizeof(spec->name), "packet %" PRIu64, p->number);
	feed->has_ahead = false;
	feed->next++;
	return 0;
}

/*
 * When the packet ahead is due, by the file's own times. Those that go backwards are due at once.
 */
static uint64_t captured_due(struct fg_feed *feed)
{
	if (!feed->first_ns) {
		feed->first_ns = feed->ahead.time_ns;
		feed->pace.start_ns = fg_inject_now();
	}
	if (feed->ahead.time_ns < feed->first_ns)
		return feed->pace.start_ns;
	return feed->pace.start_ns + (feed->ahead.time_ns - feed->first_ns);
}

static bool is_due(struct fg_feed *feed, uint64_t *due_ns)
{
	uint64_t now = fg_inject_now();

	if (feed->options->timing == FG_TIMING_CAPTURE) {
		*due_ns = captured_due(feed);
		return *due_ns <= now;
	}
	*due_ns = fg_pace_next(&feed->pace);
	return fg_pace_take(&feed->pace, now, 1) == 1;
}

static int fill_captured(struct fg_feed *feed, struct fg_probe *window, uint32_t room,
			 uint64_t *due_ns, struct fg_error *err)
{
	size_t used = 0;
	uint32_t n = 0;

	while (n < room) {
		if (look_ahead(feed, &feed->failure))
			break;
		if (!feed->has_ahead) {
			*due_ns = UINT64_MAX;
			return (int)n;
		}
		if (used + feed->ahead.len > feed->arena_size || !is_due(feed, due_ns))
			return (int)n;
		if (take_ahead(feed, feed->arena + used, &window[n].spec, &feed->failure))
			break;
		used += feed->ahead.len;
		n++;
	}
	if (n || !feed->failure.kind)
		return (int)n;
	*err = feed->failure;
	return -1;
}

/* --- both --- */

int fg_feed_begin(struct fg_feed *feed, struct fg_error *err)
{
	fg_pace_begin(&feed->pace, feed->options->interval_ns, fg_inject_now());
	if (!feed->options->pcap) {
		feed->total = fg_plan_total(&feed->plan);
		return 0;
	}
	feed->total = UINT64_MAX;
	feed->arena_size = ARENA_SIZE;
	feed->arena = malloc(feed->arena_size);
	if (!feed->arena)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "packets");
	return open_capture(feed, err);
}

void fg_feed_end(struct fg_feed *feed)
{
	if (feed->capture)
		feed->skipped += fg_capture_skipped(feed->capture);
	fg_capture_close(feed->capture);
	free(feed->arena);
	feed->capture = NULL;
	feed->arena = NULL;
}

int fg_feed_fill(struct fg_feed *feed, struct fg_probe *window, uint32_t room, uint64_t *due_ns,
		 struct fg_error *err)
{
	uint64_t n = feed->total - feed->next;

	if (feed->options->pcap) {
		if (!feed->failure.kind)
			return fill_captured(feed, window, room, due_ns, err);
		*err = feed->failure;
		return -1;
	}
	*due_ns = n ? fg_pace_next(&feed->pace) : UINT64_MAX;
	if (n > room)
		n = room;
	n = n ? fg_pace_take(&feed->pace, fg_inject_now(), n) : 0;
	for (uint64_t i = 0; i < n; i++)
		fg_plan_probe(&feed->plan, feed->next + i, &window[i].spec);
	feed->next += n;
	return (int)n;
}
