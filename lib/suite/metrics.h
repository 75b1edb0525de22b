/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * suite/metrics.h - a run as metrics, for a file that node_exporter's textfile collector reads.
 * What is written is both the text format of Prometheus (0.0.4) and OpenMetrics 1.0: gauges and
 * summaries only, and "# EOF" at the end. Everything is about this one run. Pure.
 */
#ifndef FG_METRICS_H
#define FG_METRICS_H

#include "suite/case.h"

/* Sums by scenario, sending pod and destination. Zeroed: empty. */
struct fg_metrics {
	void *root; /* of tsearch(3): struct row of metrics.c */
};

/* Adds one probe; its names are copied. Returns 0, or -1 with FG_ERR_INTERNAL. */
int fg_metrics_add(struct fg_metrics *metrics, const struct fg_case *c, struct fg_error *err);

/*
 * Appends all of it. origin may be NULL. now_ns: the time of day, as fg_clock_realtime() has it.
 * Returns 0, or -1 with FG_ERR_INTERNAL.
 */
int fg_metrics_put(const struct fg_metrics *metrics, const struct fg_case_counts *counts,
		   const struct fg_origin *origin, uint64_t now_ns, struct fg_buffer *out,
		   struct fg_error *err);

void fg_metrics_free(struct fg_metrics *metrics);

#endif
