// SPDX-License-Identifier: GPL-2.0-only
/* catch_run.c - one run of `flowgen catch`: one loop over signals, the end of its time, and what was caught. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include "capability.h"
#include "catch.h"
#include "catch_options.h"
#include "catch_report.h"
#include "cmd.h"
#include "fd.h"
#include "output.h"

/* How often to look whether the device is still there; nothing tells a link's holder that it went. */
#define LOOK_MS 1000

struct run {
	const struct fg_catch_options *options;
	struct fg_catch *catch;
	struct fg_catch_place place;
	struct fg_buffer buffer;
	struct fg_error *err;
	uint64_t reported;
	bool gone;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static int on_packet(const struct fg_catch_record *record, void *arg)
{
	struct run *run = arg;

	run->reported++;
	return (run->options->text ? fg_catch_text : fg_catch_json)(
		&run->place, record, run->reported, &run->buffer, run->err);
}

/* Writes what is there; what a person or a program reads is not kept back. */
static int take(struct run *run)
{
	int ret;

	run->buffer.len = 0;
	if (fg_catch_take(run->catch, on_packet, run, run->err))
		return -1;
	if (!run->buffer.len)
		return 0;
	ret = fg_output_write(run->buffer.data, run->buffer.len, run->err);
	return ret ? -1 : fg_output_flush(run->err);
}

static bool enough(const struct run *run)
{
	uint64_t lost, caught = fg_catch_count(run->catch, &lost);

	return run->options->filter.limit && caught >= run->options->filter.limit &&
	       run->reported + lost >= caught;
}

/* Until it is told to stop, time is up, or as many came as were asked for. */
static int loop(struct run *run, int signals, int timer)
{
	struct pollfd p[] = { { .fd = fg_catch_fd(run->catch), .events = POLLIN },
			      { .fd = signals, .events = POLLIN },
			      { .fd = timer, .events = POLLIN } };
	bool over = false;

	while (!over) {
		if (poll(p, 3, LOOK_MS) < 0 && errno != EINTR)
			return fg_fail_errno(run->err, FG_ERR_INTERNAL, errno, "wait");
		run->gone = !fg_catch_attached(run->catch);
		over = p[1].revents || p[2].revents || run->gone;
		if (take(run))
			return -1;
		over |= enough(run);
	}
	return 0;
}

static int open_signals(struct fg_error *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals") : fd;
}

static int open_timer(uint64_t ns, struct fg_error *err)
{
	/* A timer that was never set is never ready. */
	const struct itimerspec when = { .it_value = { .tv_sec = (time_t)(ns / 1000000000ULL),
						       .tv_nsec = (long)(ns % 1000000000ULL) } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd < 0 || timerfd_settime(fd, 0, &when, NULL)) {
		fg_fd_close(&fd);
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "timer");
	}
	return fd;
}

/* Returns the exit status, or -1 with the error. */
static int conclude(struct run *run, uint64_t started)
{
	const struct fg_catch_filter *f = &run->options->filter;
	uint64_t lost, caught = fg_catch_count(run->catch, &lost);
	char text[200];

	fprintf(stderr, "flowgen: %s\n",
		fg_catch_summary(f, caught, lost, clock_ns(CLOCK_MONOTONIC) - started, text,
				 sizeof(text)));
	if (run->gone)
		return fg_fail(run->err, FG_ERR_INCONCLUSIVE, "pod %s: its device %s is gone",
			       run->options->pod, run->place.device);
	if (lost)
		return fg_fail(run->err, FG_ERR_INCONCLUSIVE,
			       "%" PRIu64 " packets were caught and not reported", lost);
	if (caught < f->limit)
		return fg_fail(run->err, FG_ERR_INCONCLUSIVE,
			       "%" PRIu64 " of %" PRIu64 " packets came", caught,
			       (uint64_t)f->limit);
	return FG_EXIT_OK;
}

static int run_catch(struct run *run, const struct fg_pod *pod)
{
	const struct fg_catch_options *o = run->options;
	FG_FD int signals = open_signals(run->err);
	FG_FD int timer = signals < 0 ? -1 : open_timer(o->duration_ns, run->err);
	uint64_t started = clock_ns(CLOCK_MONOTONIC);
	int ret;

	if (timer < 0)
		return -1;
	run->place = (struct fg_catch_place){ .ref = pod->ref,
					      .name = pod->name,
					      .netns = pod->inode,
					      .device = pod->peer.name,
					      .trace_option = o->filter.trace_option,
					      .realtime = clock_ns(CLOCK_REALTIME) - started };
	run->catch = fg_catch_open(pod, &o->filter, run->err);
	if (!run->catch)
		return -1;
	fprintf(stderr, "flowgen: catching on %s of pod %s\n", pod->peer.name, pod->ref);
	ret = loop(run, signals, timer);
	if (!ret)
		ret = conclude(run, started);
	fg_catch_close(run->catch);
	fg_buffer_free(&run->buffer);
	return ret;
}

int fg_catch_run(const struct fg_catch_options *options)
{
	struct fg_host host = { .netns = -1 };
	struct fg_pod pod = { .netns = -1, .host_netns = -1 };
	struct fg_error err;
	struct run run = { .options = options, .err = &err };
	int ret;

	if (fg_capability_preflight(&err))
		return fg_cmd_fail(&err);
	ret = fg_host_open(&host, options->host_root, &err);
	if (!ret && !(ret = fg_pod_open(&host, options->pod, options->interface, &pod, &err))) {
		ret = run_catch(&run, &pod);
		fg_pod_close(&pod);
	}
	fg_host_close(&host);
	return ret < 0 ? fg_cmd_fail(&err) : ret;
}
