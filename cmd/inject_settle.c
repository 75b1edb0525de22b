// SPDX-License-Identifier: GPL-2.0-only
/* inject_settle.c - whether the options of `flowgen inject` fit together, and what follows from them. */
#include <stdio.h>
#include <string.h>

#include "fd.h"
#include "inject.h"

/* --dst with a port, or --dport: one of them, where the protocol has ports. */
static int settle_ports(struct fg_inject_options *o, struct fg_error *err)
{
	char text[8];

	if (!fg_packet_has_ports(&o->packet)) {
		if (o->dst_port < 0 && !o->dports.total && !o->sports.total)
			return 0;
		return fg_fail(err, FG_ERR_USAGE, "%s: the packet has no ports",
			       o->dst_port >= 0	 ? "--dst"
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

/* A packet that is to be sent again and again is one packet. */
static int settle_until(struct fg_inject_options *o, struct fg_error *err)
{
	if (!o->until)
		return 0;
	if (o->expect)
		return fg_fail(err, FG_ERR_USAGE, "--until and --expect: only one of the two");
	if (o->pcap || o->summary || o->dry_run)
		return fg_fail(err, FG_ERR_USAGE, "--until: not with %s",
			       o->pcap	    ? "--pcap"
			       : o->summary ? "--summary"
					    : "--dry-run");
	if (o->dports.total > 1 || o->packet.fragment_size)
		return fg_fail(err, FG_ERR_USAGE,
			       "--until: one packet is repeated: %s makes several",
			       o->packet.fragment_size ? "--fragment" : "--dport");
	if (!o->interval_given && !o->rate)
		o->interval_ns = 10e6;
	return 0;
}

static int settle_pace(struct fg_inject_options *o, struct fg_error *err)
{
	bool paced = o->interval_given || o->rate;

	if (o->interval_given && o->rate)
		return fg_fail(err, FG_ERR_USAGE, "--interval and --rate: only one of the two");
	if (paced && o->timing == FG_TIMING_CAPTURE)
		return fg_fail(err, FG_ERR_USAGE, "--timing capture: not with %s",
			       o->rate ? "--rate" : "--interval");
	if (o->rate)
		o->interval_ns = 1e9 / o->rate;
	if (settle_until(o, err))
		return -1;
	if (!o->counted && (o->duration_ns || o->until))
		o->count = 0;
	if (o->dry_run && (!o->count || o->duration_ns))
		return fg_fail(err, FG_ERR_USAGE, "--dry-run: it would have no end");
	if (paced && o->count == 1 && !o->counted && !o->pcap && o->dports.total <= 1) {
		fg_fail(err, FG_ERR_USAGE, "%s: there is one probe only",
			o->rate ? "--rate" : "--interval");
		return fg_hint(err, "add --count N (0: until interrupted), or --duration TIME");
	}
	return 0;
}

static int settle_capture(const struct fg_inject_options *o, struct fg_error *err)
{
	const char *only = o->filter	       ? "--filter"
			   : o->timed	       ? "--timing"
			   : o->keep_addresses ? "--keep-addresses"
					       : NULL;

	if (!o->pcap)
		return only ? fg_fail(err, FG_ERR_USAGE, "%s: only with --pcap", only) : 0;
	if (o->dst.family || o->dports.total || o->sports.total)
		return fg_fail(err, FG_ERR_USAGE, "--pcap: not with %s",
			       o->dst.family	 ? "--dst"
			       : o->dports.total ? "--dport"
						 : "--sport");
	for (size_t i = 0; i < fg_packet_key_count; i++)
		if (fg_packet_given(&o->packet, fg_packet_keys[i].name))
			return fg_fail(err, FG_ERR_USAGE, "--pcap: not with --%s",
				       fg_packet_keys[i].name);
	if (o->count != 1 && !strcmp(o->pcap, "-"))
		return fg_fail(err, FG_ERR_USAGE, "--count: standard input can be read once only");
	if (o->keep_addresses && o->src.family)
		return fg_fail(err, FG_ERR_USAGE, "--keep-addresses: not with --src");
	return 0;
}

static int settle_packet(struct fg_inject_options *o, struct fg_error *err)
{
	struct fg_packet_warnings warnings = {};

	if (!o->dst.family)
		return fg_fail(err, FG_ERR_USAGE, "no destination given: --dst ADDR[:PORT]");
	if (o->src.family && o->src.family != o->dst.family)
		return fg_fail(err, FG_ERR_USAGE, "--src and --dst are of different families");
	if (settle_ports(o, err) || fg_packet_check(&o->packet, o->dst.family, &warnings, err))
		return -1;
	for (size_t i = 0; i < warnings.count; i++)
		fprintf(stderr, "flowgen: warning: %s\n", warnings.text[i]);
	return 0;
}

int fg_inject_settle(struct fg_inject_options *o, struct fg_error *err)
{
	bool sourced = o->src.family || (o->pcap && o->keep_addresses);

	if (!o->pod && !(o->dry_run && sourced)) {
		fg_fail(err, FG_ERR_USAGE, "no pod given");
		return fg_hint(
			err, o->dry_run ? "--pod REF; or --src ADDR, and no pod is looked at"
					: "--pod REF; 'flowgen pods' lists the pods of this host");
	}
	if (o->spoof && !o->src.family)
		return fg_fail(err, FG_ERR_USAGE, "--spoof: only with --src");
	if (settle_pace(o, err) || settle_capture(o, err))
		return -1;
	if (!o->pcap && settle_packet(o, err))
		return -1;
	return fg_inject_settle_control(o, err);
}
