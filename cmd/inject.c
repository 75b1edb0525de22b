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
	KEY_SEED,
	KEY_METHOD,
	KEY_EXPECT,
	KEY_TIMEOUT,
	KEY_RING,
	KEY_OUTPUT,
	KEY_SUMMARY,
	KEY_BYTES,
	KEY_REPLY,
	KEY_DELIVER,
	KEY_NAME,
	KEY_PACKET = 0x1000, /* and the index in fg_packet_keys */
};

static const struct argp_option fixed_options[] = {
	{ NULL, 0, NULL, 0, "Who sends, and where to:", 1 },
	{ "pod", KEY_POD, "REF", 0,
	  "The pod: netns:NAME, a namespace's PATH, pid:N, ip:ADDR, dev:NAME (host-side device), or a "
	  "word that is one of these",
	  1 },
	{ "interface", KEY_INTERFACE, "NAME", 0,
	  "The device in the pod (its only pair to the host, or that of its default route)", 1 },
	{ "dst", KEY_DST, "ADDR[:PORT]", 0, "The destination; [ADDR6]:PORT for IPv6 with a port", 1 },
	{ "src", KEY_SRC, "ADDR", 0, "The source address (the pod's first of the family)", 1 },
	{ "spoof", KEY_SPOOF, NULL, 0, "Allow a --src that the pod does not own", 1 },
	{ "dport", KEY_DPORT, "PORTS", 0, "Destination ports: N, A-B or a list; one probe for each", 1 },
	{ "sport", KEY_SPORT, "PORTS", 0, "Source ports, in turn (a random one, as a client has)", 1 },
	{ NULL, 0, NULL, 0, "How:", 2 },
	{ "method", KEY_METHOD, "METHOD", 0,
	  "auto, peer-egress, host-ingress or pod-socket (auto: the first that runs every program)", 2 },
	{ "count", KEY_COUNT, "N", 0, "Send so many probes to each port (1)", 2 },
	{ "seed", KEY_SEED, "N", 0, "Make the random fields from this number", 2 },
	{ "timeout", KEY_TIMEOUT, "TIME", 0, "Wait so long for the end of a packet (1s)", 2 },
	{ "reply", KEY_REPLY, NULL, 0,
	  "Wait for the answer, and follow it back; the pod's stack never sees it", 2 },
	{ "deliver", KEY_DELIVER, NULL, 0,
	  "Let the packet into a destination pod on this host (it is stopped at its device; --reply lets it in)",
	  2 },
	{ "host-root", KEY_HOST_ROOT, "DIR", 0, "Look for /run and /proc of the host below DIR", 2 },
	{ "ring-size", KEY_RING, "BYTES", 0, "Size of the event ring, a power of two (4194304)", 2 },
	{ NULL, 0, NULL, 0, "What comes back:", 3 },
	{ "expect", KEY_EXPECT, "WHAT", 0,
	  "allow, deny, delivered, forwarded or dropped; exit status 1 where it is not met", 3 },
	{ "output", KEY_OUTPUT, "json|text", 0, "One JSON object a line, or text for a person (json)", 3 },
	{ "summary", KEY_SUMMARY, NULL, 0, "One summary instead of a result for each probe", 3 },
	{ "bytes", KEY_BYTES, NULL, 0, "Show the frame's bytes in the result", 3 },
	{ "name", KEY_NAME, "TEXT", 0, "A name for the probes, given back in the results", 3 },
	{ NULL, 0, NULL, 0, "The packet (values in parentheses are the defaults):", 4 },
};
#define FIXED (sizeof(fixed_options) / sizeof(fixed_options[0]))

static int read_number(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *out,
		       struct fg_error *err)
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
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "--payload: %s", path);
	if (!bytes)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "--payload");
	len = fread(bytes, 1, 65536, f);
	if (ferror(f))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "--payload: %s", path);
	return fg_packet_set_payload(packet, bytes, len, err);
}

static int read_packet_key(struct fg_packet_spec *packet, const struct fg_packet_key *key,
			   const char *arg, struct fg_error *err)
{
	if (!strcmp(key->name, "payload") && arg[0] == '@')
		return read_payload_file(packet, arg + 1, err);
	if (fg_packet_set(packet, key->name, arg, err))
		return fg_error_prefix(err, "--%s", key->name);
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
	case KEY_COUNT:
		return read_number("--count", arg, 1, UINT32_MAX, &o->count, err);
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
			return fg_fail(err, FG_ERR_USAGE, "--ring-size: %s is no power of two", arg);
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
	case KEY_BYTES:
		o->bytes = true;
		break;
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

/* --dst with a port, or --dport: one of them, where the protocol has ports. */
static int settle_ports(struct fg_inject_options *o, struct fg_error *err)
{
	char text[8];

	if (!fg_packet_has_ports(&o->packet)) {
		if (o->dst_port < 0 && !o->dports.total && !o->sports.total)
			return 0;
		return fg_fail(err, FG_ERR_USAGE, "%s: the packet has no ports",
			       o->dst_port >= 0	  ? "--dst"
			       : o->dports.total ? "--dport"
						 : "--sport");
	}
	if (o->dst_port >= 0 && o->dports.total)
		return fg_fail(err, FG_ERR_USAGE, "--dport: --dst has a port already");
	if (o->dst_port >= 0) {
		snprintf(text, sizeof(text), "%d", o->dst_port);
		return fg_parse_ports("--dst", text, &o->dports, err);
	}
	if (o->dports.total)
		return 0;
	fg_fail(err, FG_ERR_USAGE, "no destination port");
	return fg_hint(err, "give --dst ADDR:PORT or --dport, or --proto icmp");
}

static int settle(struct fg_inject_options *o, struct fg_error *err)
{
	struct fg_packet_warnings warnings = {};

	if (!o->pod) {
		fg_fail(err, FG_ERR_USAGE, "no pod given");
		return fg_hint(err, "--pod REF; 'flowgen pods' lists the pods of this host");
	}
	if (!o->dst.family)
		return fg_fail(err, FG_ERR_USAGE, "no destination given: --dst ADDR[:PORT]");
	if (o->src.family && o->src.family != o->dst.family)
		return fg_fail(err, FG_ERR_USAGE, "--src and --dst are of different families");
	if (settle_ports(o, err) ||
	    fg_packet_check(&o->packet, o->dst.family, &warnings, err))
		return -1;
	for (size_t i = 0; i < warnings.count; i++)
		fprintf(stderr, "flowgen: warning: %s\n", warnings.text[i]);
	return 0;
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
						       .group = 4 };
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
	struct fg_inject_options options = { .dst_port = -1,
					     .host_root = "",
					     .count = 1,
					     .timeout_ns = 1000000000ULL };
	struct fg_error err;
	int status;

	if (!all)
		return fg_cmd_status(FG_ERR_INTERNAL);
	fg_packet_spec_init(&options.packet);
	status = fg_cmd_parse(&parser, argc, argv, &options);
	if (!status)
		status = settle(&options, &err) ? fg_cmd_fail(&err) : fg_inject_run(&options);
	fg_packet_spec_free(&options.packet);
	fg_ports_free(&options.dports);
	fg_ports_free(&options.sports);
	return status;
}
