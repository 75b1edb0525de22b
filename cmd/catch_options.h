/* SPDX-License-Identifier: GPL-2.0-only */
/* catch_options.h - what the command line of `flowgen catch` asks for, and the run that follows. */
#ifndef FG_CATCH_OPTIONS_H
#define FG_CATCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "catch_event.h"

struct fg_catch_options {
	const char *pod, *interface, *host_root;
	struct fg_catch_filter filter;
	bool traced;	      /* by trace ID, any or a certain one */
	uint64_t duration_ns; /* 0: until it is stopped */
	bool text;
};

/* Runs it. Returns the exit status; errors are printed. */
int fg_catch_run(const struct fg_catch_options *options);

#endif
