// SPDX-License-Identifier: GPL-2.0-only
/* inject.c - the command line of `flowgen inject`. The options about the packet come from the table in lib/packet_keys.c. */
#include "inject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "fd.h"
#include "names.h"

enum {
	KEY_POD = 0x100,
	KEY_INTERFACE,
	KEY_HOST_ROOT,
	KEY_DST,
	KEY_SRC,
	KEY_SPOOF,
	KEY_DPORT,
	KEY_SPORT,
	KEY_COUNT,
	KEY_INTERVAL,
	KEY_RATE,
	KEY_DURATION,
	KEY_UNTIL,
	KEY_PCAP,
	KEY_FILTER,
	KEY_TIMING,
	KEY_KEEP_ADDRESSES,
	KEY_WRITE,
	KEY_DRY_RUN,
	KEY_FULL_CHECKSUM,
	KEY_SEED,
	KEY_METHOD,
	KEY_EXPECT,
	KEY_TIMEOUT,
	KEY_RING,
	KEY_OUTPUT,
	KEY_SUMMARY,
	KEY_BYTES,
	KEY_FORCE,
	KEY_TIDY,
	KEY_CONTROL,
	KEY_REPLY,
	KEY_DELIVER,
	KEY_TRACE_NETFILTER,
	KEY_NAME,
	KEY_PACKET = 0x1000, /* and the index in fg_packet_keys */
};

static const struct argp_option fixed_options[] = {
	{ NULL, 0, NULL, 0, "Who sends, and where to:", 1 },
	{ "pod", KEY_POD, "REF", 0,
	  "The pod: NAMESPACE/NAME, uid:UID, container:ID, netns:NAME, a namespace's PATH, pid:N, ip:ADDR, dev:NAME "
	  "(host-side device), or a word that is one of these",
	  1 },
	{ "interface", KEY_INTERFACE, "NAME", 0,
	  "The device in the pod (its only pair to the host, or that of its default route)", 1 },
	{ "dst", KEY_DST, "ADDR[:PORT]", 0, "The destination; [ADDR6]:PORT for IPv6 with a port",
	  1 },
	{ "src", KEY_SRC, "ADDR", 0, "The source address (the pod's first of the family)", 1 },
	{ "spoof", KEY_SPOOF, NULL, 0, "Allow a --src that the pod does not own", 1 },
	{ "dport", KEY_DPORT, "PORTS", 0, "Destination ports: N, A-B or a list; one probe for each",
	  1 },
	{ "sport", KEY_SPORT, "PORTS", 0, "Source ports, in turn (a random one, as a client has)",
	  1 },
	{ NULL, 0, NULL, 0, "How:", 2 },
	{ "method", KEY_METHOD, "METHOD", 0,
	  "auto, peer-egress, host-ingress or pod-socket (auto: the first that runs every program)",
	  2 },
	{ "full-checksum", KEY_FULL_CHECKSUM, NULL, 0,
	  "Compute TCP and UDP checksums; a pod's kernel leaves them to the pod's device, and so does "
	  "flowgen where the device takes them",
	  2 },
	{ "seed", KEY_SEED, "N", 0, "Make the random fields from this number", 2 },
	{ "timeout", KEY_TIMEOUT, "TIME", 0, "Wait so long for the end of a packet (1s)", 2 },
	{ "reply", KEY_REPLY, NULL, 0,
	  "Wait for the answer, and follow it back; the pod's stack never sees it", 2 },
	{ "deliver", KEY_DELIVER, NULL, 0,
	  "Let the packet into a destination pod on this host, which otherwise does not see it",
	  2 },
	{ "trace-netfilter", KEY_TRACE_NETFILTER, NULL, 0,
	  "Name the rule of nf_tables that drops a packet; for the time of the run a table of flowgen's stands on "
	  "the host, which has the kernel trace the probes",
	  2 },
	{ "force", KEY_FORCE, NULL, 0,
	  "Send also what a socket of the pod or a connection tracking entry uses already (refused; a "
	  "random source port is chosen among the free ones)",
	  2 },
	{ "tidy", KEY_TIDY, NULL, 0,
	  "Remove the connection tracking entries that the probes leave, in the pod and on the host",
	  2 },
	{ "host-root", KEY_HOST_ROOT, "DIR", 0, "Look for /run and /proc of the host below DIR",
	  2 },
	{ "ring-size", KEY_RING, "BYTES", 0, "Size of the event ring, a power of two (4194304)",
	  2 },
	{ NULL, 0, NULL, 0, "How often, and how fast:", 3 },
	{ "count", KEY_COUNT, "N", 0,
	  "Send so many probes to each port, or the capture so many times (1); 0: until interrupted",
	  3 },
	{ "interval", KEY_INTERVAL, "TIME", 0,
	  "Wait so long between two probes (0; 10ms with --until)", 3 },
	{ "rate", KEY_RATE, "N[k|m]", 0, "Send so many probes a second (as fast as they go)", 3 },
	{ "duration", KEY_DURATION, "TIME", 0, "Send for so long; without --count all the time",
	  3 },
	{ "until", KEY_UNTIL, "WHAT", 0,
	  "Repeat until the packet is denied, allowed, dropped or delivered, and say after how long; a "
	  "result is given where it differs from the one before",
	  3 },
	{ NULL, 0, NULL, 0,
	  "Packets of a capture, instead of those that the options describe:", 4 },
	{ "pcap", KEY_PCAP, "FILE", 0,
	  "Send the IP packets of a pcap or pcapng file (-: standard input) as the pod: from its "
	  "addresses, with the checksums mended",
	  4 },
	{ "filter", KEY_FILTER, "EXPR", 0,
	  "Only those that this pcap-filter(7) expression lets through", 4 },
	{ "timing", KEY_TIMING, "capture|fast", 0,
	  "With the capture's own pauses, or by --interval or --rate (fast)", 4 },
	{ "keep-addresses", KEY_KEEP_ADDRESSES, NULL, 0, "Leave the source addresses as captured",
	  4 },
	{ NULL, 0, NULL, 0, "To a file:", 5 },
	{ "write", KEY_WRITE, "FILE", 0,
	  "Store the frames in this pcap file, with the pod's and its next hop's Ethernet addresses",
	  5 },
	{ "dry-run", KEY_DRY_RUN, NULL, 0,
	  "Build, write and report the frames, but send nothing. With --src no pod is looked at and no "
	  "privilege needed; without it the pod named is asked for its address",
	  5 },
	{ NULL, 0, NULL, 0, "What comes back:", 6 },
	{ "expect", KEY_EXPECT, "WHAT", 0,
	  "allow, deny, delivered, forwarded or dropped; exit status 1 where it is not met", 6 },
	{ "control", KEY_CONTROL, "PORT|PROBE", 0,
	  "With each batch, send a probe too that is expected to pass: to this port, to ADDR[:PORT], or a list "
	  "of fields such as tcp,dport=443,dst=ADDR,ttl=9; where it fails, a denial is not proven: exit status 4",
	  6 },
	{ "output", KEY_OUTPUT, "json|text", 0,
	  "One JSON object a line, or text for a person (json)", 6 },
	{ "summary", KEY_SUMMARY, NULL, 0, "One summary instead of a result for each probe", 6 },
	{ "bytes", KEY_BYTES, NULL, 0, "Show the frame's bytes in the result", 6 },
	{ "name", KEY_NAME, "TEXT", 0, "A name for the probes, given back in the results", 6 },
	{ NULL, 0, NULL, 0, "The packet (values in parentheses are the defaults):", 7 },
};
#define FIXED (sizeof(fixed_options) / sizeof(fixed_options[0]))

static int read_number(const char *what, const char *text, uint64_t min, uint64_t max,
		       uint64_t *out, struct fg_error *err)
{
	return fg_parse_u64(what, text, min, max, out, err);
}

static int read_output(const char *text, enum fg_output_form *out, struct fg_error *err)
{
	if (strcmp(text, "json") && strcmp(text, "text"))
		return fg_fail(err, FG_ERR_USAGE, "--output: \"%s\" is none of json, text", text);
	*out = strcmp(text, "json") ? FG_OUTPUT_TEXT : FG_OUTPUT_JSON;
	return 0;
}

/* The key "payload" may also name a file; nothing below cmd reads one. */
static int read_payload_file(struct fg_packet_spec *packet, const char *path, struct fg_error *err)
{
	FG_FREE char *bytes = malloc(65536);
	FG_FILE FILE *f = fopen(path, "re");
	size_t len;

	if (!f)
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	if (!bytes)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "payload");
	len = fread(bytes, 1, 65536, f);
	if (ferror(f))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	return fg_packet_set_payload(packet, bytes, len, err);
}

int fg_inject_set_packet(struct fg_packet_spec *packet, const struct fg_packet_key *key,
			 const char *arg, struct fg_error *err)
{
	if (!strcmp(key->name, "payload") && arg[0] == '@')
		return read_payload_file(packet, arg + 1, err);
	return fg_packet_set(packet, key->name, arg, err);
}

static int read_packet_key(struct fg_packet_spec *packet, const struct fg_packet_key *key,
			   const char *arg, struct fg_error *err)
{
	if (fg_inject_set_packet(packet, key, arg, err))
		return fg_error_prefix(err, "--%s", key->name);
	return 0;
}

static int read_until(const char *text, enum fg_expect *out, struct fg_error *err)
{
	static const struct {
		const char *word;
		enum fg_expect what;
	} words[] = { { "denied", FG_EXPECT_DENY },
		      { "allowed", FG_EXPECT_ALLOW },
		      { "dropped", FG_EXPECT_DROPPED },
		      { "delivered", FG_EXPECT_DELIVERED } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(text, words[i].word)) {
			*out = words[i].what;
			return 0;
		}
	return fg_fail(err, FG_ERR_USAGE,
		       "--until: \"%s\" is none of denied, allowed, dropped, delivered", text);
}

static int read_timing(struct fg_inject_options *o, const char *text, struct fg_error *err)
{
	if (strcmp(text, "capture") && strcmp(text, "fast"))
		return fg_fail(err, FG_ERR_USAGE, "--timing: \"%s\" is none of capture, fast",
			       text);
	o->timed = true;
	o->timing = strcmp(text, "capture") ? FG_TIMING_FAST : FG_TIMING_CAPTURE;
	return 0;
}

/* How often, how fast, and from where. */
static int read_pace(struct fg_inject_options *o, int key, const char *arg, struct fg_error *err)
{
	uint64_t ns;

	switch (key) {
	case KEY_COUNT:
		o->counted = true;
		return read_number("--count", arg, 0, UINT32_MAX, &o->count, err);
	case KEY_INTERVAL:
		if (fg_parse_duration("--interval", arg, &ns, err))
			return -1;
		o->interval_given = true;
		o->interval_ns = (double)ns;
		return 0;
	case KEY_RATE:
		return fg_parse_rate("--rate", arg, &o->rate, err);
	case KEY_DURATION:
		if (fg_parse_duration("--duration", arg, &o->duration_ns, err))
			return -1;
		return o->duration_ns ? 0 : fg_fail(err, FG_ERR_USAGE, "--duration: nothing");
	case KEY_UNTIL:
		return read_until(arg, &o->until, err);
	case KEY_TIMING:
		return read_timing(o, arg, err);
	}
	return 0;
}

static int read_option(struct fg_inject_options *o, int key, const char *arg, struct fg_error *err)
{
	uint64_t n = 0;
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
	case KEY_NAME:
		o->name = arg;
		break;
	case KEY_DST:
		return fg_parse_endpoint("--dst", arg, &o->dst, &o->dst_port, err);
	case KEY_SRC:
		return fg_parse_addr("--src", arg, &o->src, err);
	case KEY_SPOOF:
		o->spoof = true;
		break;
	case KEY_DPORT:
		fg_ports_free(&o->dports);
		return fg_parse_ports("--dport", arg, &o->dports, err);
	case KEY_SPORT:
		fg_ports_free(&o->sports);
		return fg_parse_ports("--sport", arg, &o->sports, err);
	case KEY_PCAP:
		o->pcap = arg;
		break;
	case KEY_FILTER:
		o->filter = arg;
		break;
	case KEY_WRITE:
		o->write = arg;
		break;
	case KEY_KEEP_ADDRESSES:
		o->keep_addresses = true;
		break;
	case KEY_DRY_RUN:
		o->dry_run = true;
		break;
	case KEY_FULL_CHECKSUM:
		o->full_checksum = true;
		break;
	case KEY_SEED:
		o->seeded = true;
		return read_number("--seed", arg, 0, UINT64_MAX, &o->seed, err);
	case KEY_METHOD:
		return fg_method_parse("--method", arg, &o->method, err);
	case KEY_EXPECT:
		return fg_expect_parse("--expect", arg, &o->expect, err);
	case KEY_TIMEOUT:
		return fg_parse_duration("--timeout", arg, &o->timeout_ns, err);
	case KEY_RING:
		ret = read_number("--ring-size", arg, 4096, 1 << 30, &n, err);
		if (!ret && (n & (n - 1)))
			return fg_fail(err, FG_ERR_USAGE, "--ring-size: %s is no power of two",
				       arg);
		o->ring_bytes = (uint32_t)n;
		break;
	case KEY_OUTPUT:
		return read_output(arg, &o->output, err);
	case KEY_SUMMARY:
		o->summary = true;
		break;
	case KEY_REPLY:
		o->reply = true;
		break;
	case KEY_DELIVER:
		o->deliver = true;
		break;
	case KEY_TRACE_NETFILTER:
		o->trace_netfilter = true;
		break;
	case KEY_BYTES:
		o->bytes = true;
		break;
	case KEY_FORCE:
		o->force = true;
		break;
	case KEY_TIDY:
		o->tidy = true;
		break;
	case KEY_CONTROL:
		o->control.text = arg;
		break;
	default:
		return read_pace(o, key, arg, err);
	}
	return ret;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct fg_inject_options *o = state->input;
	struct fg_error err;
	int ret = 0;

	if (key >= KEY_PACKET && key < KEY_PACKET + (int)fg_packet_key_count)
		ret = read_packet_key(&o->packet, &fg_packet_keys[key - KEY_PACKET], arg, &err);
	else if (key >= KEY_POD && key <= KEY_NAME)
		ret = read_option(o, key, arg, &err);
	else
		return ARGP_ERR_UNKNOWN;
	return ret ? fg_cmd_refuse(state, &err) : 0;
}

/* argp wants one array: the fixed options, and then those of the packet table. */
static struct argp_option *make_options(void)
{
	struct argp_option *all = calloc(FIXED + fg_packet_key_count + 1, sizeof(*all));

	if (!all)
		return NULL;
	memcpy(all, fixed_options, sizeof(fixed_options));
	for (size_t i = 0; i < fg_packet_key_count; i++) {
		const struct fg_packet_key *key = &fg_packet_keys[i];

		all[FIXED + i] = (struct argp_option){ .name = key->name,
						       .key = KEY_PACKET + (int)i,
						       .arg = key->argument,
						       .doc = key->help,
						       .group = 7 };
	}
	return all;
}

int fg_cmd_inject(int argc, char **argv)
{
	FG_FREE struct argp_option *all = make_options();
	const struct argp parser = {
		.options = all,
		.parser = parse,
		.doc = "Send packets on a pod's egress path, as the pod would, and say what became of them "
		       "and which BPF program decided. The pod is not entered and shares nothing with flowgen."
		       "\vThe result is one JSON object a line (see flowgen(8)). Exit status: 0 concluded, 1 not "
		       "as expected, 2 wrong usage, 3 not possible on this host or pod, 4 inconclusive, 5 "
		       "internal error.",
	};
	struct fg_inject_options options = {
		.dst_port = -1, .host_root = "", .count = 1, .timeout_ns = 1000000000ULL
	};
	struct fg_error err;
	int status;

	if (!all)
		return fg_cmd_status(FG_ERR_INTERNAL);
	fg_packet_spec_init(&options.packet);
	status = fg_cmd_parse(&parser, argc, argv, &options);
	if (!status)
		status = fg_inject_settle(&options, &err) ? fg_cmd_fail(&err)
							  : fg_inject_run(&options);
	fg_inject_free_control(&options.control);
	fg_packet_spec_free(&options.packet);
	fg_ports_free(&options.dports);
	fg_ports_free(&options.sports);
	return status;
}
