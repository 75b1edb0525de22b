/* SPDX-License-Identifier: GPL-2.0-only */
/* inject.h - what the command line of `flowgen inject` asks for, and the run that follows. */
#ifndef FG_CMD_INJECT_H
#define FG_CMD_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"
#include "parse.h"
#include "probe.h"

enum fg_output_form { FG_OUTPUT_JSON, FG_OUTPUT_TEXT };

enum fg_timing { FG_TIMING_FAST, FG_TIMING_CAPTURE };

/* The probe that is expected to pass, as fg_inject_settle_control() reads it. */
struct fg_inject_control {
	const char *text;		/* as the user wrote it; NULL: none */
	struct fg_packet_spec packet;	/* owned */
	struct fg_addr dst;		/* family 0: where the probes go */
	struct fg_ports dports, sports; /* of one port each; empty: it has none, or the probes' */
};

struct fg_inject_options {
	const char *pod, *interface, *host_root, *name;
	struct fg_addr dst, src; /* src.family 0: the pod's own */
	int dst_port;		 /* host order; -1: not given */
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
	enum fg_expect expect;
	uint64_t timeout_ns;
	uint32_t ring_bytes;
	enum fg_output_form output;
	bool summary, bytes;
	bool reply, deliver, trace_netfilter;
	bool force; /* send what a live connection uses */
	bool tidy;  /* remove the state that probes leave */
	struct fg_inject_control control;
};

/*
 * Checks the options together, once all are read, and fills in what follows from them. Warnings go
 * to standard error. Returns 0 or -1.
 */
int fg_inject_settle(struct fg_inject_options *options, struct fg_error *err);

/*
 * Reads options->control.text, once the other options are settled; what it leaves out is as in the probes. Returns 0 or -1;
 * fg_inject_free_control() in both cases.
 */
int fg_inject_settle_control(struct fg_inject_options *options, struct fg_error *err);
void fg_inject_free_control(struct fg_inject_control *control);

/* Sets a packet key as the option of its name does: payload may be a file's. Returns 0 or -1. */
int fg_inject_set_packet(struct fg_packet_spec *packet, const struct fg_packet_key *key,
			 const char *arg, struct fg_error *err);

/* Runs it. Returns the exit status; errors are printed. */
int fg_inject_run(struct fg_inject_options *options);

#endif
