// SPDX-License-Identifier: GPL-2.0-only
/* inject_run.c - one run of `flowgen inject`: plan, session, and results to standard output. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>

#include "capability.h"
#include "cmd.h"
#include "fd.h"
#include "inject.h"
#include "output.h"
#include "plan.h"
#include "report.h"
#include "session.h"

struct run {
	const struct fg_inject_options *options;
	struct fg_session *session;
	struct fg_report *report;
	struct fg_summary *summary;
	struct fg_buffer buffer;
	struct fg_plan plan;
	uint64_t lost;
	bool unmet;	   /* a probe that concluded is not as expected */
	bool inconclusive; /* a probe did not conclude, or not on what was expected */
	bool first_text;
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

/* The source address: the pod's own, unless the user asks for another and says so. */
static int choose_source(const struct fg_inject_options *o, const struct fg_pod *pod,
			 struct fg_addr *out, struct fg_error *err)
{
	const struct fg_addr *own = fg_pod_address(pod, o->dst.family);
	char text[FG_ADDR_TEXT_LEN];

	if (!o->src.family) {
		if (!own)
			return fg_fail(err, FG_ERR_UNSUPPORTED, "pod %s has no IPv%d address on %s",
				       o->pod, o->dst.family == AF_INET ? 4 : 6, pod->peer.name);
		*out = *own;
		return 0;
	}
	if (!o->spoof && !fg_pod_owns(pod, &o->src)) {
		fg_fail(err, FG_ERR_USAGE, "--src: pod %s does not own %s", o->pod,
			fg_addr_text(&o->src, text, sizeof(text)));
		return fg_hint(err, "--spoof sends it all the same");
	}
	*out = o->src;
	return 0;
}

/* What can be told from a result: whether the expectation is met, or nothing for certain. */
static void judge_expectation(struct run *run, const struct fg_probe *probe)
{
	const struct fg_result *r = &probe->result;
	bool about_policy = probe->spec.expect == FG_EXPECT_ALLOW ||
			    probe->spec.expect == FG_EXPECT_DENY;
	bool known = about_policy ? r->verdict != FG_VERDICT_UNKNOWN
				  : r->outcome != FG_OUTCOME_INCONCLUSIVE;

	if (probe->spec.expect != FG_EXPECT_NOTHING && known && !r->expect_met)
		run->unmet = true;
	else if (!known || r->outcome == FG_OUTCOME_INCONCLUSIVE)
		run->inconclusive = true;
}

static int emit(struct run *run, const struct fg_probe *probe, struct fg_error *err)
{
	run->lost += probe->trace.lost;
	judge_expectation(run, probe);
	if (run->summary)
		return fg_summary_add(run->summary, probe, err);
	if (run->options->output == FG_OUTPUT_JSON)
		return fg_report_json(run->report, probe, &run->buffer, err);
	if (!run->first_text)
		fg_buffer_put(&run->buffer, "\n", 1);
	run->first_text = false;
	return fg_report_text(run->report, probe, &run->buffer, err);
}

static int write_buffer(struct run *run, struct fg_error *err)
{
	int ret = fg_output_write(run->buffer.data, run->buffer.len, err);

	run->buffer.len = 0;
	return ret ? -1 : fg_output_flush(err);
}

/* Fills the window with the plan's next probes. Returns how many. */
static uint32_t fill(struct run *run, uint64_t next)
{
	uint64_t total = fg_plan_total(&run->plan), left = total - next;
	struct fg_probe *window;
	uint32_t room, n;

	window = fg_session_window(run->session, &room);
	/* Fragments take places of their own; a few probes at a time leave enough of them. */
	if (run->options->packet.fragment_size)
		room = 1;
	n = left < room ? (uint32_t)left : room;
	for (uint32_t i = 0; i < n; i++)
		fg_plan_probe(&run->plan, next + i, &window[i].spec);
	return n;
}

static int run_windows(struct run *run, struct fg_error *err)
{
	uint64_t next = 0, total = fg_plan_total(&run->plan);

	while (next < total && !fg_session_cancelled(run->session)) {
		uint32_t n = fill(run, next), count = n, room;
		struct fg_probe *window = fg_session_window(run->session, &room);

		if (fg_session_run(run->session, &count, err))
			return -1;
		for (uint32_t i = 0; i < count; i++)
			if (emit(run, &window[i], err))
				return -1;
		if (write_buffer(run, err))
			return -1;
		next += n;
	}
	if (next < total)
		run->inconclusive = true;
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static int write_summary(struct run *run, uint64_t started, struct fg_error *err)
{
	const struct fg_summary_run about = { .duration_ns = now_ns() - started,
					      .lost_events = run->lost };

	if (!run->summary)
		return 0;
	if (run->options->output == FG_OUTPUT_JSON
		    ? fg_summary_json(run->summary, &about, &run->buffer, err)
		    : fg_summary_text(run->summary, &about, &run->buffer, err))
		return -1;
	return write_buffer(run, err);
}

/* Colour and drawing characters are for a person at a terminal who has not asked to be spared (no-color.org). */
static struct fg_report_options report_options(const struct fg_inject_options *o)
{
	const char *no_color = getenv("NO_COLOR");

	setlocale(LC_CTYPE, "");
	return (struct fg_report_options){
		.bytes = o->bytes,
		.colour = isatty(STDOUT_FILENO) && !(no_color && no_color[0]),
		.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"),
	};
}

static int prepare(struct run *run, int pod, struct fg_inject_options *o, struct fg_subject *subject,
		   struct fg_error *err)
{
	const struct fg_report_options report = report_options(o);
	const struct fg_pod *p = fg_session_pod(run->session, pod);
	const char *why = fg_session_method_why(run->session, pod);

	if (choose_source(o, p, &run->plan.src, err))
		return -1;
	if (!o->seeded && getrandom(&o->seed, sizeof(o->seed), 0) < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "random bytes");
	o->packet.mtu = p->peer.mtu;
	run->plan.pod = pod;
	run->plan.packet = &o->packet;
	run->plan.name = o->name;
	run->plan.dst = o->dst;
	run->plan.dports = o->dports.total ? &o->dports : NULL;
	run->plan.sports = o->sports.total ? &o->sports : NULL;
	run->plan.count = o->count;
	run->plan.seed = o->seed;
	run->plan.expect = o->expect;
	*subject = subject_of(p, &run->plan.src);
	if (why && o->method != FG_METHOD_AUTO)
		fprintf(stderr, "flowgen: warning: %s\n", why);
	if (fg_session_disturbs(run->session))
		fprintf(stderr, "flowgen: warning: %s\n", fg_session_disturbs(run->session));
	run->report = fg_report_open(subject, fg_session_scene(run->session, pod), &report, err);
	if (run->report && o->summary)
		run->summary = fg_summary_open(run->report, err);
	return run->report && (!o->summary || run->summary) ? 0 : -1;
}

/* SIGINT and SIGTERM end the waiting; what is there then is written, and everything is closed in order. */
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

static int run_all(struct run *run, struct fg_inject_options *o, struct fg_error *err)
{
	FG_FD int signals = open_signals(err);
	const struct fg_session_options session = { .host_root = o->host_root,
						    .ring_bytes = o->ring_bytes,
						    .timeout_ns = o->timeout_ns,
						    .cancel_fd = signals,
						    .deliver = o->deliver,
						    .reply = o->reply };
	struct fg_subject subject;
	uint64_t started;
	int pod, ret;

	if (signals < 0 || fg_capability_preflight(err))
		return -1;
	run->session = fg_session_open(&session, err);
	if (!run->session)
		return -1;
	pod = fg_session_add_pod(run->session, o->pod, o->interface, o->method, err);
	if (pod < 0 || prepare(run, pod, o, &subject, err))
		return -1;
	started = now_ns();
	ret = run_windows(run, err);
	if (!ret)
		ret = write_summary(run, started, err);
	return ret;
}

int fg_inject_run(struct fg_inject_options *options)
{
	struct run run = { .options = options, .first_text = true };
	struct fg_error err;
	int ret = run_all(&run, options, &err);

	fg_summary_close(run.summary);
	fg_report_close(run.report);
	fg_session_close(run.session);
	fg_buffer_free(&run.buffer);
	if (ret)
		return fg_cmd_fail(&err);
	if (run.unmet)
		return FG_EXIT_UNEXPECTED;
	return run.inconclusive ? fg_cmd_status(FG_ERR_INCONCLUSIVE) : FG_EXIT_OK;
}
