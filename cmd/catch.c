// SPDX-License-Identifier: GPL-2.0-only
/* catch.c - `flowgen catch`: the far end of probes that another node's flowgen sends, or this one's. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

#include "capability.h"
#include "catch.h"
#include "catch_report.h"
#include "cmd.h"
#include "fd.h"
#include "output.h"
#include "parse.h"
#include "protocol.h"

#define TRACE_OPTION_DEFAULT 136
/* How often to look whether the device is still there; nothing tells a link's holder that it went. */
#define LOOK_MS 1000

struct options {
	const char *pod, *interface, *host_root;
	struct fg_catch_filter filter;
	bool traced; /* by trace ID, any or a certain one */
	uint64_t duration_ns; /* 0: until it is stopped */
	bool text;
};

enum {
	KEY_POD = 0x100,
	KEY_INTERFACE,
	KEY_HOST_ROOT,
	KEY_TRACE_ID,
	KEY_TRACE_OPTION,
	KEY_PROTO,
	KEY_SRC,
	KEY_DST,
	KEY_SPORT,
	KEY_DPORT,
	KEY_PASS,
	KEY_COUNT,
	KEY_DURATION,
	KEY_OUTPUT,
};

static const struct argp_option known[] = {
	{ NULL, 0, NULL, 0, "Where:", 1 },
	{ "pod", KEY_POD, "REF", 0, "The pod that they arrive at; see flowgen inject --help", 1 },
	{ "interface", KEY_INTERFACE, "NAME", 0,
	  "The device in the pod (its only pair to the host, or that of its default route)", 1 },
	{ "host-root", KEY_HOST_ROOT, "DIR", 0, "Look for /run and /proc of the host below DIR", 1 },
	{ NULL, 0, NULL, 0, "Which packets (all that is given must fit; at least one):", 2 },
	{ "trace-id", KEY_TRACE_ID, "N|any", 0, "Those with this trace ID, or with any, in an IPv4 option", 2 },
	{ "trace-option", KEY_TRACE_OPTION, "TYPE", 0,
	  "The type of that option (136); alone it means --trace-id any", 2 },
	{ "proto", KEY_PROTO, "PROTO", 0, "Those of this protocol: tcp, udp, icmp, icmpv6, sctp or a number",
	  2 },
	{ "src", KEY_SRC, "ADDR", 0, "Those from this address, as it is on arrival", 2 },
	{ "dst", KEY_DST, "ADDR", 0, "Those to this address", 2 },
	{ "sport", KEY_SPORT, "PORT", 0, "Those from this port", 2 },
	{ "dport", KEY_DPORT, "PORT", 0, "Those to this port", 2 },
	{ NULL, 0, NULL, 0, "What happens to them:", 3 },
	{ "pass", KEY_PASS, NULL, 0, "Let them go on to the pod's stack, which else never sees them", 3 },
	{ "count", KEY_COUNT, "N", 0,
	  "End after N packets, and let later ones pass; exit status 4 where fewer came", 3 },
	{ "duration", KEY_DURATION, "TIME", 0, "End after this time (only by SIGINT or SIGTERM)", 3 },
	{ "output", KEY_OUTPUT, "json|text", 0, "One JSON object or one line of text for each (json)", 3 },
	{},
};

static int read_u64(const char *what, const char *arg, uint64_t max, uint64_t *out,
		    struct fg_error *err)
{
	return fg_parse_u64(what, arg, 1, max, out, err);
}

static int read_proto(struct fg_catch_filter *f, const char *arg, struct fg_error *err)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = { { "tcp", IPPROTO_TCP },	{ "udp", IPPROTO_UDP },	  { "icmp", IPPROTO_ICMP },
		      { "sctp", IPPROTO_SCTP }, { "icmpv6", IPPROTO_ICMPV6 } };
	uint64_t number;

	f->match |= FG_CATCH_BY_PROTO;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(arg, names[i].name)) {
			f->proto = names[i].number;
			return 0;
		}
	if (fg_parse_u64("--proto", arg, 0, 255, &number, err)) {
		fg_fail(err, FG_ERR_USAGE,
			"--proto: \"%s\" is none of tcp, udp, icmp, icmpv6, sctp, and no number up to 255",
			arg);
		return -1;
	}
	f->proto = (uint8_t)number;
	return 0;
}

static int read_address(struct fg_catch_filter *f, const char *what, const char *arg, uint32_t bit,
			uint8_t to[16], struct fg_error *err)
{
	struct fg_addr addr = {};
	uint8_t family;

	if (fg_parse_addr(what, arg, &addr, err))
		return -1;
	family = addr.family == AF_INET ? 4 : 6;
	if (f->family && f->family != family)
		return fg_fail(err, FG_ERR_USAGE, "--src and --dst are of different families");
	f->family = family;
	f->match |= bit;
	memcpy(to, addr.bytes, sizeof(addr.bytes));
	return 0;
}

static int read_port(struct fg_catch_filter *f, const char *what, const char *arg, uint32_t bit,
		     __u16 *to, struct fg_error *err)
{
	uint64_t port;

	if (read_u64(what, arg, UINT16_MAX, &port, err))
		return -1;
	f->match |= bit;
	*to = htons((uint16_t)port);
	return 0;
}

static int read_trace(struct options *o, int key, const char *arg, struct fg_error *err)
{
	uint64_t number;

	o->traced = true;
	if (key == KEY_TRACE_ID && !strcmp(arg, "any")) {
		o->filter.match &= ~(uint32_t)FG_CATCH_BY_TRACE_ID;
		return 0;
	}
	if (read_u64(key == KEY_TRACE_ID ? "--trace-id" : "--trace-option", arg,
		     key == KEY_TRACE_ID ? UINT64_MAX : 255, &number, err))
		return -1;
	if (key == KEY_TRACE_ID) {
		o->filter.match |= FG_CATCH_BY_TRACE_ID;
		o->filter.trace_id = number;
		return 0;
	}
	/* End of options and no-operation have no data (RFC 791 section 3.1). */
	if (number < 2)
		return fg_fail(err, FG_ERR_USAGE, "--trace-option: %s is no type that has data", arg);
	o->filter.trace_option = (uint8_t)number;
	return 0;
}

static int read_filter(struct options *o, int key, const char *arg, struct fg_error *err)
{
	struct fg_catch_filter *f = &o->filter;

	switch (key) {
	case KEY_TRACE_ID:
	case KEY_TRACE_OPTION:
		return read_trace(o, key, arg, err);
	case KEY_PROTO:
		return read_proto(f, arg, err);
	case KEY_SRC:
		return read_address(f, "--src", arg, FG_CATCH_BY_SRC, f->src, err);
	case KEY_DST:
		return read_address(f, "--dst", arg, FG_CATCH_BY_DST, f->dst, err);
	case KEY_SPORT:
		return read_port(f, "--sport", arg, FG_CATCH_BY_SPORT, &f->sport, err);
	default:
		return read_port(f, "--dport", arg, FG_CATCH_BY_DPORT, &f->dport, err);
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct fg_error err;
	int ret = 0;

	switch (key) {
	case KEY_POD:
		o->pod = arg;
		break;
	case KEY_INTERFACE:
		o->interface = arg;
		break;
	case KEY_HOST_ROOT:
		o->host_root = arg;
		break;
	case KEY_PASS:
		o->filter.pass = 1;
		break;
	case KEY_COUNT:
		ret = read_u64("--count", arg, UINT32_MAX, (uint64_t *)&o->filter.limit, &err);
		break;
	case KEY_DURATION:
		ret = fg_parse_duration("--duration", arg, &o->duration_ns, &err);
		break;
	case KEY_OUTPUT:
		if (strcmp(arg, "json") && strcmp(arg, "text"))
			return fg_cmd_refuse_text(state, "--output: \"%s\" is none of json, text", arg);
		o->text = !strcmp(arg, "text");
		break;
	default:
		if (key < KEY_TRACE_ID || key > KEY_DPORT)
			return ARGP_ERR_UNKNOWN;
		ret = read_filter(o, key, arg, &err);
	}
	return ret ? fg_cmd_refuse(state, &err) : 0;
}

static bool ports_possible(const struct fg_catch_filter *f)
{
	return !(f->match & FG_CATCH_BY_PROTO) || f->proto == IPPROTO_TCP ||
	       f->proto == IPPROTO_UDP || f->proto == IPPROTO_SCTP;
}

static int settle(struct options *o, struct fg_error *err)
{
	struct fg_catch_filter *f = &o->filter;

	if (!o->pod) {
		fg_fail(err, FG_ERR_USAGE, "no pod given");
		return fg_hint(err, "--pod REF; 'flowgen pods' lists the pods of this host");
	}
	if (o->traced)
		f->match |= FG_CATCH_BY_TRACE;
	if (!f->match) {
		fg_fail(err, FG_ERR_USAGE, "nothing says which packets to catch");
		return fg_hint(err, "--trace-id N|any, or any of --proto, --src, --dst, --sport, --dport");
	}
	if (o->traced && f->family == 6)
		return fg_fail(err, FG_ERR_USAGE, "--trace-id: IPv6 packets have no such option");
	if ((f->match & (FG_CATCH_BY_SPORT | FG_CATCH_BY_DPORT)) && !ports_possible(f))
		return fg_fail(err, FG_ERR_USAGE, "%s: protocol %u has no ports",
			       f->match & FG_CATCH_BY_SPORT ? "--sport" : "--dport", f->proto);
	/* A protocol alone, stopped, cuts the pod off from it. */
	if (f->match == FG_CATCH_BY_PROTO && !f->pass)
		fputs("flowgen: warning: all packets of this protocol are kept from the pod (--pass lets them in)\n",
		      stderr);
	return 0;
}

struct run {
	const struct options *options;
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
	return (run->options->text ? fg_catch_text : fg_catch_json)(&run->place, record, run->reported,
								    &run->buffer, run->err);
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
			       "%" PRIu64 " of %" PRIu64 " packets came", caught, (uint64_t)f->limit);
	return FG_EXIT_OK;
}

static int run_catch(struct run *run, const struct fg_pod *pod)
{
	const struct options *o = run->options;
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

int fg_cmd_catch(int argc, char **argv)
{
	const struct argp parser = {
		.options = known,
		.parser = parse,
		.doc = "Catch synthetic packets where they arrive: report each with its headers as they are there, and "
		       "take it off before the pod's stack. The other end of flowgen inject, mostly on another node."
		       "\vWhat is caught goes to standard output, a summary at the end to standard error. Exit status: 0 "
		       "done, 2 wrong usage, 3 not possible on this host or pod, 4 fewer packets than --count, packets "
		       "not reported, or the device is gone, 5 internal error.",
	};
	struct options options = { .host_root = "", .filter.trace_option = TRACE_OPTION_DEFAULT };
	struct fg_host host = { .netns = -1 };
	struct fg_pod pod = { .netns = -1, .host_netns = -1 };
	struct fg_error err;
	struct run run = { .options = &options, .err = &err };
	int ret = fg_cmd_parse(&parser, argc, argv, &options);

	if (ret)
		return ret;
	if (settle(&options, &err) || fg_capability_preflight(&err))
		return fg_cmd_fail(&err);
	ret = fg_host_open(&host, options.host_root, &err);
	if (!ret && !(ret = fg_pod_open(&host, options.pod, options.interface, &pod, &err))) {
		ret = run_catch(&run, &pod);
		fg_pod_close(&pod);
	}
	fg_host_close(&host);
	return ret < 0 ? fg_cmd_fail(&err) : ret;
}
