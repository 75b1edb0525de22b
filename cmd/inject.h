/* SPDX-License-Identifier: GPL-2.0-only */
/* inject.h - what the command line of `flowgen inject` asks for, and the run that follows. */
#ifndef FG_CMD_INJECT_H
#define FG_CMD_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "option/option.h"
#include "run/run.h"

enum fg_timing { FG_TIMING_FAST, FG_TIMING_CAPTURE };

struct fg_inject_options {
	const char *pod, *interface, *host_root, *name;
	const char *uplink;  /* the sender is outside, behind this device; NULL: it is a pod */
	const char *await;   /* and another node sends the packet; NULL: this one does */
	char uplink_ref[96]; /* pod, if it is */
	bool node_only;
	const char *operands[3]; /* POD, DESTINATION and one that is too many */
	size_t operand_count;
	int argc; /* the command line, for hints */
	char **argv;
	const char *namespace;	  /* of a pod that is named without one; NULL: none */
	char pod_ref[330];	  /* pod, with it */
	struct fg_destination to; /* as it was written; its ports go to dports */
	bool dst_has_ports, dport_given;
	struct fg_addr dst, src; /* dst: what `to` means; src.family 0: the pod's own */
	bool spoof;
	struct fg_ports dports, sports; /* ranges NULL: not given */
	struct fg_packet_spec packet;
	bool counted;	    /* --count was given */
	uint64_t count;	    /* rounds; 0: without end */
	double interval_ns; /* between two probes; 0: as fast as they go */
	bool interval_given;
	double rate;	      /* as the user gave it, probes a second; 0: not given */
	uint64_t duration_ns; /* 0: no limit */
	enum fg_expect until; /* repeat until it is met */
	const char *pcap, *filter, *write;
	enum fg_timing timing;
	bool timed; /* --timing was given */
	bool keep_addresses, dry_run, full_checksum;
	bool seeded;
	uint64_t seed;
	enum fg_method method;
	struct fg_scenario_expect expect; /* text NULL: nothing */
	uint64_t timeout_ns;
	uint32_t ring_bytes;
	enum fg_form output;
	bool output_given;
	bool summary, bytes;
	bool reply, deliver, trace_netfilter, no_explain, hold, timing_report;
	bool force; /* send what a live connection uses */
	bool tidy;  /* remove the state that probes leave */
	struct fg_run_control control;
};

/* --- inject_ends.c; all return 0 or -1 --- */

/* Tells the operands apart. */
int fg_inject_ends(struct fg_inject_options *options, struct fg_error *err);
/* The destination's ports, if the protocol has any. */
int fg_inject_ports(struct fg_inject_options *options, struct fg_error *err);
/* The destination's address: a name is looked up. */
int fg_inject_address(struct fg_inject_options *options, struct fg_error *err);

/*
 * Checks the options together, once all are read, and fills in what follows from them. Warnings go
 * to standard error. Returns 0 or -1.
 */
int fg_inject_settle(struct fg_inject_options *options, struct fg_error *err);

/* Runs it. Returns the exit status; errors are printed. */
int fg_inject_run(struct fg_inject_options *options);

#endif
