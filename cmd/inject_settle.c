// SPDX-License-Identifier: GPL-2.0-only
/*
 * inject_settle.c - whether the options of `flowgen inject` fit together, and what follows from
 * them.
 */
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "cmd.h"
#include "host/pod.h"
#include "inject.h"

#define TIMEOUT_NS 1000000000ULL
/* Until the other node sends. */
#define AWAIT_NS 30000000000ULL

/* A packet that is to be sent again and again is one packet. */
static int settle_until(struct fg_inject_options *o, struct fg_error *err)
{
	if (!o->until)
		return 0;
	if (o->expect.text)
		return fg_fail(err, FG_ERR_USAGE, "--until and --expect: only one of the two");
	if (o->pcap || o->summary || o->dry_run)
		return fg_fail(err, FG_ERR_USAGE, "--until: not with %s",
			       o->pcap	    ? "--pcap"
			       : o->summary ? "--summary"
					    : "--dry-run");
	if (o->dports.total > 1 || o->to.count > 1 || o->packet.fragment_size)
		return fg_fail(err, FG_ERR_USAGE,
			       "--until: one packet is repeated: %s makes several",
			       o->packet.fragment_size ? "--fragment"
			       : o->to.count > 1       ? "--dst"
						       : "--dport");
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
		return fg_fail(err, FG_ERR_USAGE, "--dry-run: would never end");
	if (paced && o->count == 1 && !o->counted && !o->pcap && o->dports.total <= 1 &&
	    o->to.count <= 1) {
		fg_fail(err, FG_ERR_USAGE, "%s: there is only one probe",
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
	if (o->to.kind || o->dports.total || o->sports.total)
		return fg_fail(err, FG_ERR_USAGE, "--pcap: not with %s",
			       o->to.kind	 ? "--dst"
			       : o->dports.total ? "--dport"
						 : "--sport");
	for (size_t i = 0; i < fg_packet_key_count; i++)
		if (fg_packet_given(&o->packet, fg_packet_keys[i].name))
			return fg_fail(err, FG_ERR_USAGE, "--pcap: not with --%s",
				       fg_packet_keys[i].name);
	if (o->count != 1 && !strcmp(o->pcap, "-"))
		return fg_fail(err, FG_ERR_USAGE, "%s: standard input can be read only once",
			       o->counted ? "--count" : "--duration");
	if (o->keep_addresses && o->src.family)
		return fg_fail(err, FG_ERR_USAGE, "--keep-addresses: not with --src");
	return 0;
}

static int settle_packet(struct fg_inject_options *o, struct fg_error *err)
{
	struct fg_packet_warnings warnings = {};

	if ((o->to.kind && fg_inject_ports(o, err)) || fg_inject_address(o, err))
		return -1;
	if (o->src.family && o->src.family != o->dst.family)
		return fg_fail(err, FG_ERR_USAGE, "--src and --dst are of different families");
	if (fg_packet_check(&o->packet, o->dst.family, &warnings, err))
		return -1;
	for (size_t i = 0; i < warnings.count; i++)
		fg_cmd_tell("warning", warnings.text[i]);
	return 0;
}

/* What comes from outside has nobody who would choose its source. */
static int settle_outside(struct fg_inject_options *o, bool sourced, const char *option,
			  struct fg_error *err)
{
	if (o->pod || o->method)
		return fg_fail(err, FG_ERR_USAGE, "--%s: not with %s", option,
			       o->pod ? "--pod" : "--method");
	if (!sourced)
		return fg_fail(err, FG_ERR_USAGE, "--%s: no source address given (--src)", option);
	return 0;
}

/* A packet that somebody else sends cannot be sent again, and is known by what it is made of. */
static int settle_await(struct fg_inject_options *o, struct fg_error *err)
{
	const char *other = o->uplink		      ? "from-uplink"
			    : o->pcap		      ? "pcap"
			    : o->dry_run	      ? "dry-run"
			    : o->control.text	      ? "control"
			    : o->until		      ? "until"
			    : !o->count		      ? "count 0"
			    : o->interval_given	      ? "interval"
			    : o->rate > 0	      ? "rate"
			    : o->duration_ns	      ? "duration"
			    : o->summary	      ? "summary"
			    : o->write		      ? "write"
			    : o->hold		      ? "hold"
			    : o->packet.fragment_size ? "fragment"
						      : NULL;
	char addr[FG_ADDR_TEXT_LEN];

	if (other)
		return fg_fail(err, FG_ERR_USAGE, "--await: not with --%s", other);
	if (settle_outside(o, o->src.family, "await", err))
		return -1;
	if (!o->seeded)
		return fg_fail(err, FG_ERR_USAGE,
			       "--await: no --seed given, by which the packet is known");
	o->no_explain = true;
	if (o->timeout_ns == UINT64_MAX)
		o->timeout_ns = AWAIT_NS;
	fg_addr_text(&o->src, addr, sizeof(addr));
	snprintf(o->uplink_ref, sizeof(o->uplink_ref), FG_AWAIT_FORM "%.20s@%s", o->await, addr);
	o->pod = o->uplink_ref;
	return 0;
}

static int settle_uplink(struct fg_inject_options *o, bool sourced, struct fg_error *err)
{
	if (o->await)
		return settle_await(o, err);
	if (o->pod && !strncmp(o->pod, FG_AWAIT_FORM, strlen(FG_AWAIT_FORM)))
		return fg_fail(err, FG_ERR_USAGE, "--pod: %s does not name a pod (see --await)",
			       o->pod);
	if (!o->uplink)
		return 0;
	if (settle_outside(o, sourced, "from-uplink", err))
		return -1;
	snprintf(o->uplink_ref, sizeof(o->uplink_ref), FG_UPLINK_FORM "%s", o->uplink);
	o->pod = o->uplink_ref;
	return 0;
}

int fg_inject_settle(struct fg_inject_options *o, struct fg_error *err)
{
	bool sourced = o->src.family || (o->pcap && o->keep_addresses);

	if (fg_inject_ends(o, err) || settle_uplink(o, sourced, err))
		return -1;
	if (o->timeout_ns == UINT64_MAX)
		o->timeout_ns = TIMEOUT_NS;
	if (!o->pod && !(o->dry_run && sourced)) {
		fg_fail(err, FG_ERR_USAGE, "no pod given");
		return fg_hint(
			err, o->dry_run
				     ? "--pod REF; or --src ADDR, which needs no pod"
				     : "flowgen inject POD ADDRESS:PORT; 'flowgen pods' lists the "
				       "pods of this host");
	}
	if (o->spoof && !o->src.family)
		return fg_fail(err, FG_ERR_USAGE, "--spoof: only with --src");
	if (settle_pace(o, err) || settle_capture(o, err))
		return -1;
	if (!o->pcap && settle_packet(o, err))
		return -1;
	if ((o->expect.replies || o->expect.back) && !o->reply)
		return fg_fail(err, FG_ERR_USAGE, "--expect reply=...: only with --reply");
	if (o->control.text && (o->pcap || o->dry_run))
		return fg_fail(err, FG_ERR_USAGE, "--control: not with %s",
			       o->pcap ? "--pcap" : "--dry-run");
	return 0;
}
