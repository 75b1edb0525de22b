// SPDX-License-Identifier: GPL-2.0-only
/* arrival/filter.c - which packets are caught: what was asked for, as the kernel's program has it.
 */
#include <arpa/inet.h>
#include <string.h>

#include "arrival/internal.h"

static bool ports_possible(const struct fg_arrival_options *o)
{
	return !o->by_proto || o->filter.proto == IPPROTO_TCP || o->filter.proto == IPPROTO_UDP ||
	       o->filter.proto == IPPROTO_SCTP;
}

/* Says to the kernel's program what the options say. */
static void fill_filter(struct fg_arrival_options *o)
{
	struct fg_catch_filter *f = &o->filter;
	const struct fg_addr *addr = o->src.family ? &o->src : &o->dst;

	f->match = (o->traced ? FG_CATCH_BY_TRACE : 0U) |
		   (o->trace.by_id ? FG_CATCH_BY_TRACE_ID : 0U) |
		   (o->by_proto ? FG_CATCH_BY_PROTO : 0U) | (o->src.family ? FG_CATCH_BY_SRC : 0U) |
		   (o->dst.family ? FG_CATCH_BY_DST : 0U) | (o->sport ? FG_CATCH_BY_SPORT : 0U) |
		   (o->dport ? FG_CATCH_BY_DPORT : 0U);
	f->family = addr->family == AF_INET ? 4 : addr->family ? 6 : 0;
	f->trace_id = o->trace.id;
	f->sport = htons(o->sport);
	f->dport = htons(o->dport);
	f->pass = !o->intercept;
	memcpy(f->src, o->src.bytes, sizeof(f->src));
	memcpy(f->dst, o->dst.bytes, sizeof(f->dst));
}

int fg_arrival_settle(struct fg_arrival_options *o, const struct fg_arrival_ui *ui,
		      struct fg_error *err)
{
	if (!o->pod) {
		fg_fail(err, FG_ERR_USAGE, "no pod given");
		return fg_hint(
			err,
			"flowgen catch POD FILTER...; 'flowgen pods' lists the pods of this host");
	}
	if (o->pass && o->intercept)
		return fg_fail(err, FG_ERR_USAGE, "--pass and --intercept exclude each other");
	if (o->src.zone[0] || o->dst.zone[0])
		return fg_fail(err, FG_ERR_USAGE,
			       "--src and --dst: without a zone (%%): the link "
			       "is that of the pod's device");
	if (o->src.family && o->dst.family && o->src.family != o->dst.family)
		return fg_fail(err, FG_ERR_USAGE, "--src and --dst are of different families");
	fill_filter(o);
	if (!o->filter.match) {
		fg_fail(err, FG_ERR_USAGE, "no filter given");
		return fg_hint(
			err, "--trace-id N|any, or any of --proto, --src, --dst, --sport, --dport");
	}
	if (o->traced && o->filter.family == 6)
		return fg_fail(err, FG_ERR_USAGE, "--trace-id: IPv6 packets have no such option");
	if ((o->sport || o->dport) && !ports_possible(o))
		return fg_fail(err, FG_ERR_USAGE, "%s: protocol %u has no ports",
			       o->sport ? "--sport" : "--dport", o->filter.proto);
	/* A protocol alone, stopped, cuts the pod off from it. */
	if (o->filter.match == FG_CATCH_BY_PROTO && o->intercept)
		ui->say("warning: all packets of this protocol are kept from the pod "
			"(without --intercept they are let in)");
	return 0;
}
