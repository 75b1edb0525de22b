// SPDX-License-Identifier: GPL-2.0-only
/*
 * catch.c - `flowgen catch`: the far end of probes that another node's flowgen sends, or this
 * one's.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "arrival/arrival.h"
#include "base/count.h"
#include "cmd.h"
#include "output.h"

#define TRACE_OPTION_DEFAULT 136

struct options {
	struct fg_arrival_options arrival;
	enum fg_form form;
};
#define FG_OPTIONS struct options

static int read_proto(const char *what, const char *text, void *to, struct fg_error *err)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = { { "tcp", IPPROTO_TCP },
		      { "udp", IPPROTO_UDP },
		      { "icmp", IPPROTO_ICMP },
		      { "sctp", IPPROTO_SCTP },
		      { "icmpv6", IPPROTO_ICMPV6 } };
	uint64_t number = 0;

	for (size_t i = 0; i < COUNT(names); i++)
		if (!strcmp(text, names[i].name)) {
			*(uint8_t *)to = names[i].number;
			return 0;
		}
	if (fg_parse_u64(what, text, 0, 255, &number, NULL))
		return fg_fail(err, FG_ERR_USAGE,
			       "%s: must be tcp, udp, icmp, icmpv6, sctp or a number up to 255, "
			       "not \"%s\"",
			       what, text);
	*(uint8_t *)to = (uint8_t)number;
	return 0;
}

static int read_trace_id(const char *what, const char *text, void *to, struct fg_error *err)
{
	struct fg_arrival_trace *trace = to;

	trace->by_id = strcmp(text, "any") != 0;
	return trace->by_id ? fg_parse_u64(what, text, 1, UINT64_MAX, &trace->id, err) : 0;
}

static int add_operand(const char *what, const char *text, void *to, struct fg_error *err)
{
	struct options *o = to;

	(void)what;
	if (o->arrival.pod)
		return fg_fail(err, FG_ERR_USAGE, "unexpected argument '%s'", text);
	o->arrival.pod = text;
	return 0;
}

static const struct fg_option table[] = {
	FG_OPERANDS("[POD]", add_operand),
	FG_HEADING("Where:"),
	FG_TEXT("pod", "REF", arrival.pod, "The pod that the packets arrive at"),
	FG_OPTION_INTERFACE(arrival.interface),
	FG_OPTION_HOST_ROOT(arrival.host_root),

	FG_HEADING("Which packets (all that is given must match; at least one):"),
	FG_OWN("trace-id", "N|any", arrival.trace, read_trace_id,
	       "Packets with this trace ID, or with any trace ID, in an IPv4 option",
	       FG_GIVEN(arrival.traced), FG_COMMON),
	/* End of options and no-operation have no data (RFC 791 section 3.1). */
	FG_NUMBER("trace-option", "TYPE", arrival.filter.trace_option, 2, 255,
		  "The type of that option (136); alone it means --trace-id any",
		  FG_GIVEN(arrival.traced)),
	FG_OWN("proto", "PROTO", arrival.filter.proto, read_proto,
	       "Packets of this protocol: tcp, udp, icmp, icmpv6, sctp or a number",
	       FG_GIVEN(arrival.by_proto), FG_COMMON),
	FG_ADDRESS("src", arrival.src, "Packets from this address, as it is on arrival", FG_COMMON),
	FG_ADDRESS("dst", arrival.dst, "Packets to this address, as it is on arrival", FG_COMMON),
	FG_NUMBER("sport", "PORT", arrival.sport, 1, UINT16_MAX, "Packets from this port",
		  FG_COMMON),
	FG_NUMBER("dport", "PORT", arrival.dport, 1, UINT16_MAX, "Packets to this port",
		  FG_LETTER('p'), FG_COMMON),

	FG_HEADING("What happens to them:"),
	FG_FLAG("intercept", arrival.intercept, "Keep the packets from the pod's stack", FG_COMMON),
	FG_FLAG("pass", arrival.pass, "Let the packets continue to the pod's stack (the default)"),
	FG_NUMBER("count", "N", arrival.filter.limit, 1, UINT32_MAX,
		  "Stop after this many packets, and let later ones pass", FG_LETTER('c'),
		  FG_COMMON),
	FG_DURATION("duration", arrival.duration_ns, 0, "Stop after this time", FG_COMMON),
	FG_OPTION_OUTPUT_PROBES(form, "One JSON object or one line of text for each packet"),
};

static void say(const char *text)
{
	fg_cmd_tell(NULL, text);
}

static int run(const struct fg_verb *verb, int argc, char **argv)
{
	static const struct fg_arrival_ui ui = { .write = fg_output_write,
						 .flush = fg_output_flush,
						 .say = say };
	struct options options = { .form = fg_cmd_form(),
				   .arrival = { .host_root = "",
						.filter.trace_option = TRACE_OPTION_DEFAULT } };
	struct fg_error err;
	int status = fg_cmd_read(verb, argc, argv, &options);

	if (status)
		return status;
	options.arrival.text = !fg_form_is_json(options.form);
	return fg_arrival_catch(&options.arrival, &ui, &err) ? fg_cmd_fail(&err) : FG_EXIT_OK;
}

const struct fg_verb fg_verb_catch = {
	.name = "catch",
	.summary = "report packets that arrive at a pod: the far end of inject",
	.about = "Report packets where they arrive, with the headers they have on arrival, and let "
		 "them go on. The other end of flowgen inject, mostly on another node.",
	.end = "Packets go to standard output, a summary at the end to standard error. Exit "
	       "status: 0 "
	       "done, 2 wrong usage, 3 not possible on this host or pod, 4 fewer packets than "
	       "--count, "
	       "packets not reported, or the device is gone, 5 internal error.",
	.options = table,
	.option_count = COUNT(table),
	.run = run,
};
