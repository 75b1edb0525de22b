/* SPDX-License-Identifier: GPL-2.0-only */
/* signals/signals.h - what ends a run from outside, as a descriptor that can be waited for. */
#ifndef FG_SIGNALS_H
#define FG_SIGNALS_H

#include <stdbool.h>

#include "base/error.h"

/*
 * From now on SIGINT, SIGTERM and SIGHUP (unless it was ignored, as under nohup) end nothing by
 * themselves: the descriptor becomes readable, and stays so. It does as well when the reader of
 * standard output is gone, which SIGPIPE would tell only at the next write. Returns it (owned by
 * the caller), or -1 with FG_ERR_INTERNAL.
 */
int fg_signals_open(struct fg_error *err);

#endif
