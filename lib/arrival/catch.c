// SPDX-License-Identifier: GPL-2.0-only
/* arrival/catch.c - catches packets on a pod's device, and tells of each. */
#include <inttypes.h>
#include <stdio.h>

#include "arrival/internal.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/fd.h"
#include "datapath/catch.h"
#include "host/capability.h"
#include "host/confine.h"
#include "listing/catch.h"
#include "run/run.h"
#include "signals/signals.h"

struct catching {
	const struct fg_arrival_options *options;
	const struct fg_arrival_ui *ui;
	struct fg_catch_place place;
	struct fg_catch_loop loop;
	struct fg_buffer buffer;
	struct fg_error *err;
};

static int on_packet(const struct fg_catch_record *record, void *arg)
{
	struct catching *c = arg;

	return (c->options->text ? fg_catch_text : fg_catch_json)(
		&c->place, record, c->loop.reported, &c->buffer, c->err);
}

/* What a person or a program reads is not kept back. */
static int on_batch(void *arg)
{
	struct catching *c = arg;
	int ret = c->ui->write(c->buffer.data, c->buffer.len, c->err);

	c->buffer.len = 0;
	return ret ? -1 : c->ui->flush(c->err);
}

/* The summary, and whether it ended as it was to. Returns 0 or -1. */
static int conclude(struct catching *c, const struct fg_catch *catch, uint64_t started)
{
	const struct fg_catch_filter *f = &c->options->filter;
	uint64_t lost, caught = fg_catch_count(catch, &lost);
	char text[200];

	c->ui->say(fg_catch_summary(f, caught, lost, fg_clock_now() - started, text, sizeof(text)));
	if (c->loop.gone)
		return fg_fail(c->err, FG_ERR_INCONCLUSIVE, "pod %s: its device %s is gone",
			       c->options->pod, c->place.device);
	if (lost)
		return fg_fail(c->err, FG_ERR_INCONCLUSIVE,
			       "%" PRIu64 " packets were caught and not reported", lost);
	if (caught < f->limit)
		return fg_fail(c->err, FG_ERR_INCONCLUSIVE,
			       "%" PRIu64 " of %" PRIu64 " packets arrived", caught,
			       (uint64_t)f->limit);
	return 0;
}

static int catch_on(struct catching *c, const struct fg_pod *pod)
{
	const struct fg_arrival_options *o = c->options;
	FG_FD int signals = fg_signals_open(c->err);
	uint64_t started = fg_clock_now();
	struct fg_catch *catch;
	char text[400];
	int ret;

	if (signals < 0)
		return -1;
	c->place = (struct fg_catch_place){ .origin = fg_run_origin(),
					    .ref = pod->ref,
					    .name = pod->name,
					    .netns = pod->inode,
					    .device = pod->peer.name,
					    .trace_option = o->filter.trace_option,
					    .realtime = fg_clock_realtime() - started };
	c->loop = (struct fg_catch_loop){ .stop_fd = signals,
					  .duration_ns = o->duration_ns,
					  .limit = o->filter.limit,
					  .packet = on_packet,
					  .batch = on_batch,
					  .arg = c };
	catch = fg_catch_open(pod, &o->filter, c->err);
	if (!catch)
		return -1;
	snprintf(text, sizeof(text), "catching on %s of pod %s", pod->peer.name, pod->ref);
	c->ui->say(text);
	ret = fg_confine(FG_CONFINE_WATCH, false, c->err);
	if (!ret)
		ret = fg_catch_run(catch, &c->loop, c->err);
	if (!ret)
		ret = conclude(c, catch, started);
	fg_catch_close(catch);
	fg_buffer_free(&c->buffer);
	return ret;
}

int fg_arrival_catch(struct fg_arrival_options *options, const struct fg_arrival_ui *ui,
		     struct fg_error *err)
{
	struct fg_host host = { .netns = -1 };
	struct fg_pod pod = { .netns = -1, .host_netns = -1 };
	struct catching catching = { .options = options, .ui = ui, .err = err };
	int ret = -1;

	if (fg_arrival_settle(options, ui, err) || fg_capability_preflight(err))
		return -1;
	if (!fg_host_open(&host, options->host_root, err) &&
	    !fg_pod_open(&host, options->pod, options->interface, &pod, err)) {
		ret = catch_on(&catching, &pod);
		fg_pod_close(&pod);
	}
	fg_host_close(&host);
	return ret;
}
