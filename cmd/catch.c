// SPDX-License-Identifier: GPL-2.0-only
/* catch.c - `flowgen catch`: the far end of probes that another node's flowgen sends, or this one's. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "catch_options.h"
#include "cmd.h"
#include "parse.h"

#define TRACE_OPTION_DEFAULT 136

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
	{ "host-root", KEY_HOST_ROOT, "DIR", 0, "Look for /run and /proc of the host below DIR",
	  1 },
	{ NULL, 0, NULL, 0, "Which packets (all that is given must fit; at least one):", 2 },
	{ "trace-id", KEY_TRACE_ID, "N|any", 0,
	  "Those with this trace ID, or with any, in an IPv4 option", 2 },
	{ "trace-option", KEY_TRACE_OPTION, "TYPE", 0,
	  "The type of that option (136); alone it means --trace-id any", 2 },
	{ "proto", KEY_PROTO, "PROTO", 0,
	  "Those of this protocol: tcp, udp, icmp, icmpv6, sctp or a number", 2 },
	{ "src", KEY_SRC, "ADDR", 0, "Those from this address, as it is on arrival", 2 },
	{ "dst", KEY_DST, "ADDR", 0, "Those to this address", 2 },
	{ "sport", KEY_SPORT, "PORT", 0, "Those from this port", 2 },
	{ "dport", KEY_DPORT, "PORT", 0, "Those to this port", 2 },
	{ NULL, 0, NULL, 0, "What happens to them:", 3 },
	{ "pass", KEY_PASS, NULL, 0,
	  "Let them go on to the pod's stack, which else never sees them", 3 },
	{ "count", KEY_COUNT, "N", 0,
	  "End after N packets, and let later ones pass; exit status 4 where fewer came", 3 },
	{ "duration", KEY_DURATION, "TIME", 0, "End after this time (only by SIGINT or SIGTERM)",
	  3 },
	{ "output", KEY_OUTPUT, "json|text", 0,
	  "One JSON object or one line of text for each (json)", 3 },
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
	} names[] = { { "tcp", IPPROTO_TCP },
		      { "udp", IPPROTO_UDP },
		      { "icmp", IPPROTO_ICMP },
		      { "sctp", IPPROTO_SCTP },
		      { "icmpv6", IPPROTO_ICMPV6 } };
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

static int read_trace(struct fg_catch_options *o, int key, const char *arg, struct fg_error *err)
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
		return fg_fail(err, FG_ERR_USAGE, "--trace-option: %s is no type that has data",
			       arg);
	o->filter.trace_option = (uint8_t)number;
	return 0;
}

static int read_filter(struct fg_catch_options *o, int key, const char *arg, struct fg_error *err)
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
	struct fg_catch_options *o = state->input;
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
		if (strcmp(arg, "json") != 0 && strcmp(arg, "text") != 0)
			return fg_cmd_refuse_text(state, "--output: \"%s\" is none of json, text",
						  arg);
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

static int settle(struct fg_catch_options *o, struct fg_error *err)
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
		return fg_hint(
			err, "--trace-id N|any, or any of --proto, --src, --dst, --sport, --dport");
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
	struct fg_catch_options options = { .host_root = "",
					    .filter.trace_option = TRACE_OPTION_DEFAULT };
	struct fg_error err;
	int status = fg_cmd_parse(&parser, argc, argv, &options);

	if (status)
		return status;
	return settle(&options, &err) ? fg_cmd_fail(&err) : fg_catch_run(&options);
}
