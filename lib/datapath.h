/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath.h - the BPF side of a session: programs and maps, loaded once, for any number of pods. Everything hangs on
 * descriptors of this process, and ends with them.
 */
#ifndef FG_DATAPATH_H
#define FG_DATAPATH_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "event.h"
#include "reason.h"

struct fg_datapath;

#define FG_SLOTS_MAX 4096

/*
 * Loads the programs and attaches the observers. reasons must outlive the call. ring_bytes: of the event ring, a power of two
 * of at least a page; 0: as compiled. NULL on failure: FG_ERR_UNSUPPORTED where kernel or privileges do not allow it.
 */
struct fg_datapath *fg_datapath_open(const struct fg_reasons *reasons, uint32_t ring_bytes,
				     struct fg_error *err);
void fg_datapath_close(struct fg_datapath *dp);

/* The shared settings and counters, mapped into this process: what is written is seen by the programs at once. */
struct fg_config *fg_datapath_config(struct fg_datapath *dp);
const struct fg_counters *fg_datapath_counters(struct fg_datapath *dp);

/* Fills a slot of the target table. Returns 0 or -1. */
int fg_datapath_set_target(struct fg_datapath *dp, uint16_t slot, const struct fg_target *target,
			   struct fg_error *err);

/* Descriptors, borrowed: the inject program, the stop and the reply program, and the maps for programs that are loaded later. */
int fg_datapath_inject_fd(const struct fg_datapath *dp);
int fg_datapath_stop_fd(const struct fg_datapath *dp);
int fg_datapath_reply_fd(const struct fg_datapath *dp);
struct fg_datapath_maps {
	int tracked, heads, flows, replies, events, config, counters, owners;
};
struct fg_datapath_maps fg_datapath_maps(const struct fg_datapath *dp);

/* Whether packets handed to sockets are seen (a program on the root cgroup); why not in *why, which may be NULL. */
bool fg_datapath_sees_sockets(const struct fg_datapath *dp, const char **why);

/*
 * Takes the observers off, which every packet of the machine comes by, and (sockets) the program on the root cgroup, which
 * each one that a socket takes does. What stands on the devices of pods stays. What is on its way then is not seen.
 */
void fg_datapath_rest(struct fg_datapath *dp, bool sockets);
/* Puts them back, where they are off: about a millisecond, and more within an RCU grace period after. Returns 0 or -1. */
int fg_datapath_wake(struct fg_datapath *dp, struct fg_error *err);

/* Forgets packets that are remembered since earlier windows. Costs a walk over the table. */
void fg_datapath_forget(struct fg_datapath *dp);

#endif
