/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * listing/catch.h - packets that were caught, for programs (doc/catch.schema.json) and for people.
 * Pure.
 */
#ifndef FG_CATCH_REPORT_H
#define FG_CATCH_REPORT_H

#include <stdint.h>

#include "base/buffer.h"
#include "bpf/catch_event.h"
#include "base/error.h"
#include "report/origin.h"

/* Where they are caught. The texts are borrowed; name may be "". */
struct fg_catch_place {
	const struct fg_origin *origin; /* the run that catches them */
	const char *ref,
		/*
		 * of the pod: as the user named it; "NAMESPACE/NAME", or the network namespace's
		 * name
		 */
		*name;
	uint32_t netns; /* inode number */
	const char *device;
	uint8_t trace_option; /* the option type that is looked for */
	/* What to add to a record's time (CLOCK_MONOTONIC) for CLOCK_REALTIME, in nanoseconds. */
	uint64_t realtime;
};

/*
 * Appends one packet, the number-th (from 1), as a line of JSON or text. Returns 0, or -1 if
 * memory is short.
 */
int fg_catch_json(const struct fg_catch_place *place, const struct fg_catch_record *record,
		  uint64_t number, struct fg_buffer *out, struct fg_error *err);
int fg_catch_text(const struct fg_catch_place *place, const struct fg_catch_record *record,
		  uint64_t number, struct fg_buffer *out, struct fg_error *err);

/* A summary in one line without a newline; lost: of the caught packets. Returns buf. */
const char *fg_catch_summary(const struct fg_catch_filter *filter, uint64_t caught, uint64_t lost,
			     uint64_t duration_ns, char *buf, size_t size);

#endif
