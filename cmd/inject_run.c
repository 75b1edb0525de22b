// SPDX-License-Identifier: GPL-2.0-only
/* inject_run.c - one run of `flowgen inject`: session, feed, pace, and results to the sink. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "capability.h"
#include "cmd.h"
#include "fd.h"
#include "inject.h"
#include "inject_care.h"
#include "inject_parts.h"
#include "offload.h"
#include "session.h"

struct run {
	struct fg_inject_options *options;
	struct fg_session *session;
	struct fg_feed feed;
	struct fg_sink sink;
	struct fg_care care;
	int signals, timer; /* descriptors */
	bool interrupted;
};

static struct fg_subject subject_of(const struct fg_pod *pod, const struct fg_addr *src)
{
	struct fg_subject subject = { .ref = pod->ref,
				      .name = pod->name,
				      .path = pod->path,
				      .netns = pod->inode,
				      .address = *src };

	subject.device.kind = pod->peer.kind;
	subject.device.mode = pod->peer.netkit_mode == FG_LINK_L2   ? "l2"
			      : pod->peer.netkit_mode == FG_LINK_L3 ? "l3"
								    : NULL;
	subject.device.peer = pod->peer.name;
	subject.device.peer_ifindex = pod->peer.ifindex;
	subject.device.primary = pod->primary.name;
	subject.device.primary_ifindex = pod->primary.ifindex;
	return subject;
}

/* The pod's kernel leaves the checksum to the pod's device, and programs on the way see it so. */
static void fit_to_device(const struct fg_inject_options *o, const struct fg_pod *p,
			  struct fg_packet_spec *packet)
{
	packet->mtu = p->peer.mtu;
	if (!o->full_checksum && fg_offload_usual(packet, o->dst.family) &&
	    fg_offload_device(p->netns, p->peer.name))
		packet->checksum_offload = true;
}

static int fill_plan(struct fg_feed *feed, int pod, const struct fg_pod *p,
		     struct fg_inject_options *o, struct fg_error *err)
{
	if (!o->seeded && getrandom(&o->seed, sizeof(o->seed), 0) < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "random bytes");
	fit_to_device(o, p, &o->packet);
	if (o->control.text)
		fit_to_device(o, p, &o->control.packet);
	fg_feed_plan(feed, o, pod);
	return fg_feed_sources(feed, p, err);
}

static int prepare(struct run *run, struct fg_error *err)
{
	struct fg_inject_options *o = run->options;
	int pod = fg_session_add_pod(run->session, o->pod, o->interface, o->method, err);
	struct fg_subject subject;
	const struct fg_pod *p;
	const char *why;

	if (pod < 0)
		return -1;
	p = fg_session_pod(run->session, pod);
	if (fill_plan(&run->feed, pod, p, o, err))
		return -1;
	why = fg_session_method_why(run->session, pod);
	if (why && o->method != FG_METHOD_AUTO)
		fprintf(stderr, "flowgen: warning: %s\n", why);
	if (fg_session_disturbs(run->session))
		fprintf(stderr, "flowgen: warning: %s\n", fg_session_disturbs(run->session));
	if (fg_session_blind(run->session) && (o->deliver || o->reply))
		fprintf(stderr, "flowgen: warning: deliveries to sockets are not seen: %s\n",
			fg_session_blind(run->session));
	subject = subject_of(p, &run->feed.plan.src);
	if (fg_sink_open(&run->sink, o, &subject, fg_session_scene(run->session, pod), err))
		return -1;
	if (fg_care_open(&run->care, o, &run->feed.plan, p, err))
		return -1;
	return fg_feed_begin(&run->feed, err);
}

/*
 * SIGINT and SIGTERM end the waiting; what is there then is written, and everything is closed in
 * order.
 */
static int open_signals(struct run *run, struct fg_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals");
	run->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (run->signals < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "signals");
	run->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return run->timer < 0 ? fg_fail_errno(err, FG_ERR_INTERNAL, errno, "timer") : 0;
}

/* Until the time, or a signal. */
static int wait_until(struct run *run, uint64_t at_ns, struct fg_error *err)
{
	const struct itimerspec when = { .it_value = { .tv_sec = (time_t)(at_ns / 1000000000ULL),
						       .tv_nsec = (long)(at_ns % 1000000000ULL) } };
	struct pollfd p[2] = { { .fd = run->signals, .events = POLLIN },
			       { .fd = run->timer, .events = POLLIN } };

	if (timerfd_settime(run->timer, TFD_TIMER_ABSTIME, &when, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "timer");
	poll(p, 2, -1);
	return 0;
}

static bool was_interrupted(struct run *run)
{
	struct pollfd p = { .fd = run->signals, .events = POLLIN };

	/* The signal stays in the descriptor, so that the session sees it too. */
	if (!run->interrupted && poll(&p, 1, 0) > 0)
		run->interrupted = true;
	return run->interrupted;
}

static uint32_t room_of(const struct run *run, uint32_t room)
{
	const struct fg_inject_options *o = run->options;

	/* Fragments take places of their own; a few probes at a time leave enough of them. */
	return o->packet.fragment_size || o->control.packet.fragment_size || o->until ? 1 : room;
}

/*
 * The programs on the path changed: the probes that follow are to be judged by those that are there
 * now.
 */
static int look_again(struct run *run, const struct fg_probe *window, uint32_t count,
		      struct fg_error *err)
{
	int pod = run->feed.plan.pod;
	struct fg_subject subject;
	bool changed = false;

	for (uint32_t i = 0; i < count; i++)
		changed |= window[i].trace.changed;
	/*
	 * A summary is about one list of programs: what comes after a change stays unknown in it.
	 */
	if (!changed || run->options->summary)
		return 0;
	if (fg_session_renew_pod(run->session, pod, err))
		return -1;
	subject = subject_of(fg_session_pod(run->session, pod), &run->feed.plan.src);
	return fg_sink_subject(&run->sink, &subject, fg_session_scene(run->session, pod), err);
}

/* One window of what is due. Returns 1, or 0 where nothing was due, or -1. */
static int run_window(struct run *run, uint64_t *due_ns, struct fg_error *err)
{
	struct fg_probe *window;
	uint32_t room, count;
	int n;

	window = fg_session_window(run->session, &room);
	n = fg_feed_fill(&run->feed, window, fg_care_room(&run->care, room_of(run, room)), due_ns,
			 err);
	if (n <= 0)
		return n;
	count = (uint32_t)n;
	if (fg_care_before(&run->care, window, &count, err) ||
	    fg_session_run(run->session, &count, err) ||
	    fg_care_after(&run->care, window, &count, err) ||
	    fg_sink_take(&run->sink, window, count, err) || look_again(run, window, count, err))
		return -1;
	return 1;
}

static int run_windows(struct run *run, struct fg_error *err)
{
	const struct fg_inject_options *o = run->options;
	uint64_t end = o->duration_ns ? run->sink.started_ns + o->duration_ns : UINT64_MAX;

	while (!was_interrupted(run) && !run->sink.met && fg_inject_now() < end) {
		uint64_t due = UINT64_MAX;
		int ret = run_window(run, &due, err);

		if (ret < 0)
			return -1;
		if (ret)
			continue;
		if (due == UINT64_MAX)
			return 0;
		if (due > end)
			due = end;
		if (wait_until(run, fg_session_idle(run->session, due), err))
			return -1;
	}
	/* Where nobody said how many, an interrupt is the end that was meant. */
	if (run->interrupted && o->count)
		run->sink.inconclusive = true;
	return 0;
}

static int run_all(struct run *run, struct fg_error *err)
{
	const struct fg_inject_options *o = run->options;
	struct fg_session_options session = { .host_root = o->host_root,
					      .ring_bytes = o->ring_bytes,
					      .timeout_ns = o->timeout_ns,
					      .deliver = o->deliver,
					      .reply = o->reply,
					      .trace_netfilter = o->trace_netfilter };
	int ret;

	if (open_signals(run, err) || fg_capability_preflight(err))
		return -1;
	session.cancel_fd = run->signals;
	run->session = fg_session_open(&session, err);
	if (!run->session || prepare(run, err))
		return -1;
	ret = run_windows(run, err);
	/* What came before a failure is summed up all the same; the failure is told last. */
	if (fg_sink_finish(&run->sink, run->interrupted, ret ? NULL : err))
		ret = -1;
	return ret;
}

int fg_inject_run(struct fg_inject_options *options)
{
	struct run run = { .options = options, .signals = -1, .timer = -1 };
	struct fg_error err;
	int status;

	if (options->dry_run)
		return fg_inject_dry(options, &err, &status) ? fg_cmd_fail(&err) : status;
	status = run_all(&run, &err) ? fg_cmd_fail(&err) : fg_sink_status(&run.sink);
	fg_feed_end(&run.feed);
	if (run.feed.skipped)
		fprintf(stderr,
			"flowgen: warning: %s: %llu packets are no IP, and were passed over\n",
			options->pcap, (unsigned long long)run.feed.skipped);
	fg_sink_close(&run.sink);
	fg_care_close(&run.care);
	fg_session_close(run.session);
	fg_fd_close(&run.timer);
	fg_fd_close(&run.signals);
	return status;
}
