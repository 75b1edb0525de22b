/* SPDX-License-Identifier: GPL-2.0-only */
/* arrival/arrival.h - the far end of probes: what `flowgen catch` does. */
#ifndef FG_ARRIVAL_H
#define FG_ARRIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/parse.h"
#include "bpf/catch_event.h"

/* All texts are borrowed. */
struct fg_arrival_options {
	const char *pod, *interface, *host_root; /* pod: NULL: none was given */
	/* its numbers (proto, trace_option, limit); the rest is made of what follows */
	struct fg_catch_filter filter;
	struct fg_arrival_trace {
		bool by_id;
		uint64_t id;
	} trace;
	struct fg_addr src, dst; /* family 0: any */
	uint16_t sport, dport;	 /* host order; 0: any */
	bool traced, by_proto;	 /* was given */
	bool intercept;		 /* keep them from the stack of the pod */
	bool pass;		 /* do not: it excludes the other */
	uint64_t duration_ns;	 /* 0: until it is stopped */
	bool text;		 /* else JSON */
};

/* Where it goes. Both return 0 or -1. */
struct fg_arrival_ui {
	int (*write)(const char *data, size_t len, struct fg_error *err);
	int (*flush)(struct fg_error *err);
	void (*say)(const char *text); /* to a person; no newline */
};

/*
 * Catches until it is stopped by a signal, the time, or the number of packets. Gives up privileges
 * when it is set up (host/confine.h). Returns 0, or -1: FG_ERR_USAGE for options that do not fit,
 * FG_ERR_INCONCLUSIVE if packets were missed or too few came.
 */
int fg_arrival_catch(struct fg_arrival_options *options, const struct fg_arrival_ui *ui,
		     struct fg_error *err);

#endif
