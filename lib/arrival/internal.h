/* SPDX-License-Identifier: GPL-2.0-only */
/* arrival/internal.h - what the parts of the room share; others include arrival/arrival.h. */
#ifndef FG_ARRIVAL_INTERNAL_H
#define FG_ARRIVAL_INTERNAL_H

#include "arrival/arrival.h"

/* Checks the options, and makes the filter of them. A warning goes to ui. Returns 0 or -1. */
int fg_arrival_settle(struct fg_arrival_options *options, const struct fg_arrival_ui *ui,
		      struct fg_error *err);

#endif
