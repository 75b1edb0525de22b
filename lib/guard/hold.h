/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guard/hold.h - all is made ready, and the first packet is sent when somebody says so: SIGUSR1. So
 * two nodes get ready at the same time, the one that sends and the one that awaits the packet.
 */
#ifndef FG_HOLD_H
#define FG_HOLD_H

#include "base/error.h"

/*
 * From now on SIGUSR1 ends nothing by itself: the descriptor becomes readable. If it comes before
 * it is waited for, it is not lost. Returns it (owned by the caller), or -1 with FG_ERR_INTERNAL.
 */
int fg_hold_open(struct fg_error *err);

/* Who was to say so may be gone: what is attached is not to stay for ever. Milliseconds. */
#define FG_HOLD_MAX_MS (5 * 60 * 1000)

/*
 * Waits for it, at most FG_HOLD_MAX_MS. cancel_fd: readable if the run is to end; -1: none. Returns
 * 0, or -1: FG_ERR_INCONCLUSIVE if the run was to end, or it did not come.
 */
int fg_hold_wait(int fd, int cancel_fd, struct fg_error *err);

#endif
