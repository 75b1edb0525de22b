// SPDX-License-Identifier: GPL-2.0-only
/* inject_ends.c - who sends and where to: the operands of `flowgen inject`, --dst and the ports. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "exec/lookup.h"
#include "inject.h"

/* A reference without a namespace gets that of --namespace. Returns buf or ref. */
static const char *with_namespace(const struct fg_inject_options *o, const char *ref, char *buf,
				  size_t size)
{
	const char *name = fg_parse_plain_reference(ref);

	if (!o->namespace || strpbrk(name, "/:"))
		return ref;
	snprintf(buf, size, "%s/%s", o->namespace, name);
	return buf;
}

static bool is_address(const char *text)
{
	struct fg_destination d = {};
	bool is = !fg_destination_parse("", text, &d, NULL) && d.kind == FG_DESTINATION_ADDRESS;

	fg_destination_free(&d);
	return is;
}

/* The command line as it should have been. */
static int hint_word(const struct fg_inject_options *o, const char *old, const char *new,
		     struct fg_error *err)
{
	struct fg_buffer line = {};

	fg_option_again(o->argc, o->argv, old, new, &line);
	fg_hint(err, "try: %.*s", (int)line.len, line.data);
	fg_buffer_free(&line);
	return -1;
}

static int no_destination(const struct fg_inject_options *o, struct fg_error *err)
{
	char both[300];

	fg_fail(err, FG_ERR_USAGE, "no destination given");
	if (o->operand_count != 1 || o->pod != o->operands[0] || !is_address(o->pod))
		return hint_word(o, NULL, "ADDRESS:PORT", err);
	snprintf(both, sizeof(both), "POD %s", o->pod);
	return hint_word(o, o->pod, both, err);
}

static int read_operands(struct fg_inject_options *o, struct fg_error *err)
{
	bool outside = o->uplink || o->await;
	size_t i = 0;

	/* A packet that is only built needs no pod if its source is given. */
	if (!o->pod && !outside && !(o->dry_run && o->src.family && o->operand_count == 1) &&
	    i < o->operand_count)
		o->pod = o->operands[i++];
	if (i < o->operand_count && !o->to.kind && !o->pcap &&
	    fg_destination_parse("destination", o->operands[i++], &o->to, err))
		return -1;
	if (i < o->operand_count)
		return fg_fail(err, FG_ERR_USAGE, "unexpected argument '%s'", o->operands[i]);
	if (o->pod && !outside)
		o->pod = with_namespace(o, o->pod, o->pod_ref, sizeof(o->pod_ref));
	return 0;
}

int fg_inject_ends(struct fg_inject_options *o, struct fg_error *err)
{
	if (read_operands(o, err))
		return -1;
	if (!o->to.ports.total)
		return 0;
	if (o->dport_given)
		return fg_fail(err, FG_ERR_USAGE, "--dport: the destination has a port already");
	fg_ports_free(&o->dports);
	o->dports = o->to.ports;
	o->to.ports = (struct fg_ports){};
	o->dst_has_ports = true;
	return 0;
}

/* What a DNS query or an HTTP request goes to, unless it is told otherwise. */
static int settle_service(struct fg_inject_options *o, struct fg_error *err)
{
	bool dns = fg_packet_given(&o->packet, "dns"), http = fg_packet_given(&o->packet, "http");

	if (dns && !fg_packet_given(&o->packet, "proto") &&
	    fg_packet_set(&o->packet, "proto", "udp", err))
		return -1;
	if ((!dns && !http) || o->dports.total || !fg_packet_has_ports(&o->packet))
		return 0;
	return fg_parse_ports("--dport", dns ? "53" : "80", &o->dports, err);
}

/* "fd00::1:80" may have been meant as an address and a port. */
static int no_port(const struct fg_inject_options *o, struct fg_error *err)
{
	const char *text = o->to.text, *colon = strrchr(text, ':');
	bool v6 = o->to.kind == FG_DESTINATION_ADDRESS && o->to.addr.family == AF_INET6 &&
		  text[0] != '[';
	char with[320], head[80] = "";
	struct fg_addr addr;

	fg_fail(err, FG_ERR_USAGE, "no destination port");
	if (v6)
		snprintf(head, sizeof(head), "%.*s", (int)(colon - text), text);
	if (v6 && strspn(colon + 1, "0123456789") == strlen(colon + 1) &&
	    !fg_parse_addr("", head, &addr, NULL))
		fg_hint(err, "--dport PORT; an IPv6 address needs brackets before a port: [%s]%s",
			head, colon);
	else if (snprintf(with, sizeof(with), v6 ? "[%s]:80" : "%s:80", text) > 3)
		hint_word(o, text, with, err);
	return -1;
}

int fg_inject_ports(struct fg_inject_options *o, struct fg_error *err)
{
	if (settle_service(o, err))
		return -1;
	if (fg_packet_has_ports(&o->packet))
		return o->dports.total ? 0 : no_port(o, err);
	/* Those of the configuration file are for packets that have them. */
	if (!o->dport_given && !o->dst_has_ports)
		fg_ports_free(&o->dports);
	if (!o->dports.total && !o->sports.total)
		return 0;
	return fg_fail(err, FG_ERR_USAGE, "%s: the packet has no ports",
		       o->dst_has_ports	 ? "--dst"
		       : o->dports.total ? "--dport"
					 : "--sport");
}

static void note(void *arg, const char *text)
{
	(void)arg;
	fg_cmd_tell("note", text);
}

static int resolve(struct fg_inject_options *o, struct fg_error *err)
{
	const struct fg_lookup lookup = { .host_root = o->host_root,
					  .pod = o->pod,
					  .interface = o->interface,
					  .family = o->src.family,
					  .note = note };
	char addr[FG_ADDR_TEXT_LEN], text[400];
	unsigned int count;

	if (!o->pod || o->uplink || o->await) {
		fg_fail(err, FG_ERR_USAGE,
			"--dst: %s: there is no pod whose resolver could be asked", o->to.name);
		return fg_hint(err, "give an address");
	}
	if (fg_lookup_name(&lookup, o->to.name, &o->dst, &count, err))
		return fg_error_prefix(err, "--dst");
	snprintf(text, sizeof(text), "%s is %s%s", o->to.name,
		 fg_addr_text(&o->dst, addr, sizeof(addr)),
		 count > 1 ? ", the first of its addresses in the pod" : " in the pod");
	note(NULL, text);
	return 0;
}

int fg_inject_address(struct fg_inject_options *o, struct fg_error *err)
{
	char ref[330];

	switch (o->to.kind) {
	case FG_DESTINATION_NONE:
		return no_destination(o, err);
	case FG_DESTINATION_ADDRESS:
		o->dst = o->to.addr;
		return 0;
	case FG_DESTINATION_POD:
		return fg_lookup_pod(o->host_root, with_namespace(o, o->to.name, ref, sizeof(ref)),
				     o->src.family, &o->dst, err);
	case FG_DESTINATION_NAME:
		return resolve(o, err);
	}
	return -1;
}
