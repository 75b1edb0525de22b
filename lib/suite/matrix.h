/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * suite/matrix.h - what a scenario's probes came to as tables of letters, for a terminal: a row for
 * each source, a column for each destination and port. Pure.
 */
#ifndef FG_MATRIX_H
#define FG_MATRIX_H

#include "suite/case.h"

/* Rows and columns of a table that are shown without --verbose; of more, those where something is
 * not as expected. */
#define FG_MATRIX_SHOWN 50

/*
 * Appends a table for each matrix of the scenario, and one for all its other probes, if it has
 * several cells; and what the letters mean. marks has one entry for each probe of the layout.
 * Returns 0, or -1 with FG_ERR_INTERNAL if memory is short.
 */
int fg_matrix_text(const struct fg_scenario *scenario, const struct fg_scenario_layout *layout,
		   const struct fg_case_mark *marks, const struct fg_report_options *style,
		   struct fg_buffer *out, struct fg_error *err);

#endif
