// SPDX-License-Identifier: GPL-2.0-only
/* inject.c - `flowgen inject`: its options. Those about the packet come from lib/packet/keys.c. */
#include "inject.h"

#include <string.h>

#include "base/count.h"
#include "cmd.h"
#include "probe/names.h"
#include "run/payload.h"

#define FG_OPTIONS struct fg_inject_options

static int read_method(const char *what, const char *text, void *to, struct fg_error *err)
{
	return fg_method_parse(what, text, to, err);
}

static int read_until(const char *what, const char *text, void *to, struct fg_error *err)
{
	return fg_expect_parse(what, text, to, err);
}

static int read_expect(const char *what, const char *text, void *to, struct fg_error *err)
{
	return fg_scenario_expect_parse(what, text, to, err);
}

static int read_interval(const char *what, const char *text, void *to, struct fg_error *err)
{
	uint64_t ns;

	if (fg_parse_duration(what, text, &ns, err))
		return -1;
	*(double *)to = (double)ns;
	return 0;
}

/* --udp is --proto udp. */
static int read_shortcut(const char *what, const char *text, void *to, struct fg_error *err)
{
	struct fg_packet_spec *packet = to;

	(void)text;
	if (fg_packet_given(packet, "proto"))
		return fg_fail(err, FG_ERR_USAGE, "%s: a protocol was given already", what);
	return fg_packet_set(packet, "proto", what + 2, err);
}

static int set_key(struct fg_packet_spec *packet, const struct fg_packet_key *key, const char *text,
		   struct fg_error *err)
{
	if (!strcmp(key->name, "proto") && fg_packet_given(packet, "proto"))
		return fg_fail(err, FG_ERR_USAGE, "a protocol was given already");
	return fg_run_payload_set(packet, key, text, err);
}

static int add_operand(const char *what, const char *text, void *to, struct fg_error *err)
{
	struct fg_inject_options *o = to;

	(void)what;
	if (o->operand_count == COUNT(o->operands))
		return fg_fail(err, FG_ERR_USAGE, "unexpected argument '%s'", text);
	o->operands[o->operand_count++] = text;
	return 0;
}

#define SHORTCUT(name_, help_) FG_OWN(name_, NULL, packet, read_shortcut, help_, FG_COMMON)

static const char *const timings[] = {
	[FG_TIMING_FAST] = "fast", [FG_TIMING_CAPTURE] = "capture", NULL
};

static const struct fg_option table[] = {
	FG_OPERANDS("[POD] DESTINATION[:PORTS]", add_operand),
	FG_HEADING("Source and destination:"),
	FG_TEXT("pod", "REF", pod,
		"The pod: NAMESPACE/NAME, uid:UID, container:ID, netns:NAME, a namespace's PATH, "
		"pid:N, ip:ADDR, dev:NAME (host-side device), or a word that is one of these"),
	FG_OPTION_NAMESPACE(namespace),
	FG_OPTION_INTERFACE(interface),
	FG_TEXT("from-uplink", "DEV", uplink,
		"Instead of a pod: as if from the network, at this device of the node (that of its "
		"default route); needs --src",
		.optional = true),
	FG_TEXT("await", "DEV", await,
		"Instead of sending: follow the packet that another node sends with the same "
		"options, --seed among them, from its arrival at this device (that of the route to "
		"--src)",
		.optional = true),
	FG_TO("dst", to,
	      "The destination: an address, a network, pod:NAME, netns:NAME or a host name; "
	      "[ADDR6]:PORTS for IPv6"),
	FG_PORTS("dport", dports,
		 "Destination ports, one probe for each: N, A-B, a service's name or a list",
		 FG_LETTER('p'), FG_COMMON, FG_GIVEN(dport_given)),
	SHORTCUT("tcp", "Send TCP (the default)"),
	SHORTCUT("udp", "Send UDP"),
	SHORTCUT("icmp", "Send an ICMP echo request, or its ICMPv6 counterpart"),
	FG_ADDRESS("src", src, "The source address (the one that the pod's kernel chooses)",
		   FG_COMMON),
	FG_FLAG("spoof", spoof, "Allow a --src that the pod does not own"),
	FG_PORTS("sport", sports, "Source ports, used in turn (a random port for each probe)"),

	FG_HEADING("Method and safety:"),
	FG_OWN("method", "METHOD", method, read_method,
	       "auto, peer-egress, bounce, host-ingress or pod-socket (auto: one that runs every "
	       "program)"),
	FG_FLAG("reply", reply, "Wait for the reply and follow it back to the pod's device",
		FG_COMMON),
	FG_FLAG("deliver", deliver, "Let the packet enter a destination pod on this host"),
	FG_FLAG("no-explain", no_explain,
		"Report only the verdict of a single packet; never send a second one"),
	FG_FLAG("trace-netfilter", trace_netfilter, "Find the nf_tables rule that drops a packet"),
	FG_FLAG("force", force, "Send even if the packet would touch a live connection"),
	FG_FLAG("tidy", tidy,
		"Remove the connection tracking entries that the probes leave, in the pod and on "
		"the "
		"host"),
	FG_FLAG("full-checksum", full_checksum, "Compute TCP and UDP checksums"),
	FG_DURATION("timeout", timeout_ns, 0,
		    "Wait this long for a packet's outcome (1s; 30s with --await)"),
	FG_FLAG("node-only", node_only,
		"Follow packets on this node alone, where one kernel has several (as kind does)"),
	FG_FLAG("timing-report", timing_report,
		"Tell on standard error where flowgen's own time went"),
	FG_FLAG("hold", hold, "Get ready, and send the first packet when SIGUSR1 comes"),
	FG_NUMBER("seed", "N", seed, 0, UINT64_MAX, "Seed for the random fields", FG_GIVEN(seeded)),
	FG_OPTION_HOST_ROOT(host_root),
	FG_OPTION_RING_SIZE(ring_bytes),

	FG_HEADING("Repetition and pace:"),
	FG_NUMBER("count", "N", count, 0, UINT32_MAX,
		  "Probes for each port, or repetitions of the capture (1); 0: until interrupted",
		  FG_GIVEN(counted), FG_LETTER('c'), FG_COMMON),
	FG_OWN("interval", "TIME", interval_ns, read_interval,
	       "Delay between probes (0; 10ms with --until)", FG_GIVEN(interval_given),
	       FG_LETTER('i'), FG_COMMON),
	FG_RATE("rate", rate, "Packets per second (as fast as possible)"),
	FG_DURATION("duration", duration_ns, 1, "Stop sending after this time"),
	FG_OWN("until", "WHAT", until, read_until,
	       "Repeat one packet until this is met, and report how long that took; the words of "
	       "--expect",
	       FG_COMMON),

	FG_HEADING("Packets from a capture:"),
	FG_TEXT("pcap", "FILE", pcap,
		"Send the IP packets of a pcap or pcapng file as the pod, instead of a packet that "
		"options describe"),
	FG_TEXT("filter", "EXPR", filter,
		"Send only packets that match this pcap-filter(7) expression"),
	FG_WORD("timing", "capture|fast", timing, timings,
		"Use the capture's own delays, or those of --interval or --rate (fast)",
		FG_GIVEN(timed)),
	FG_FLAG("keep-addresses", keep_addresses, "Keep the source addresses of the capture"),

	FG_HEADING("Output to a file:"),
	FG_TEXT("write", "FILE", write,
		"Write the frames to this pcap file, with the Ethernet addresses of the pod and "
		"its "
		"next hop"),
	FG_FLAG("dry-run", dry_run, "Build, write and report the frames, but send nothing",
		FG_COMMON),

	FG_HEADING("Expectations and results:"),
	FG_OWN("expect", "WHAT", expect, read_expect,
	       "Exit with status 1 if this is not met: allow, allowed, deny, denied, delivered, "
	       "forwarded, dropped or not-sent",
	       FG_COMMON),
	FG_TEXT("control", "PORT|PROBE", control.text,
		"A positive control: with each batch, also send a probe that is expected to pass"),
	FG_OPTION_OUTPUT_PROBES(output, "One JSON object per line for each probe, or text",
				FG_GIVEN(output_given)),
	FG_FLAG("summary", summary, "Print one summary instead of a result for each probe",
		FG_COMMON),
	FG_FLAG("bytes", bytes, "Include the frame's bytes in the result"),
	FG_TEXT("name", "TEXT", name, "A name for the probes, repeated in the results"),

	FG_HEADING("The packet (values in parentheses are the defaults):"),
	FG_PACKET_KEYS(packet, set_key),
};

static int run(const struct fg_verb *verb, int argc, char **argv)
{
	struct fg_inject_options options = { .host_root = "",
					     .count = 1,
					     .timeout_ns = UINT64_MAX,
					     .argc = argc,
					     .argv = argv,
					     .output = fg_cmd_form() };
	struct fg_error err;
	int status;

	fg_packet_spec_init(&options.packet);
	status = fg_cmd_read(verb, argc, argv, &options);
	if (!status)
		status = fg_inject_settle(&options, &err) ? fg_cmd_fail(&err)
							  : fg_inject_run(&options);
	fg_run_control_free(&options.control);
	fg_scenario_expect_free(&options.expect);
	fg_packet_spec_free(&options.packet);
	fg_destination_free(&options.to);
	fg_ports_free(&options.dports);
	fg_ports_free(&options.sports);
	return status;
}

const struct fg_verb fg_verb_inject = {
	.name = "inject",
	.summary = "send packets as a pod, and report the outcome and who decided",
	.about = "Send packets on a pod's egress path, as the pod would, and report what happened "
		 "to "
		 "them and which BPF program decided. flowgen does not enter the pod and shares "
		 "nothing with it.",
	.end = "The result is one JSON object per line (see flowgen(8)). Exit status: 0 concluded, "
	       "1 "
	       "not as expected, 2 wrong usage, 3 not possible on this host or pod, 4 "
	       "inconclusive, 5 "
	       "internal error.",
	.options = table,
	.option_count = COUNT(table),
	.run = run,
};
