/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * datapath/datapath.h - the BPF side of a session: programs and maps, loaded once, for any number
 * of pods. Everything belongs to descriptors of this process, and ends with them.
 */
#ifndef FG_DATAPATH_H
#define FG_DATAPATH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "bpf/event.h"
#include "host/reason.h"

struct fg_datapath;

#define FG_SLOTS_MAX 4096

/*
 * Loads the programs and attaches the observers. ring_bytes: of the event ring, a power of two of
 * at least a page; 0: as compiled. replies: what is done about them. NULL on failure:
 * FG_ERR_UNSUPPORTED if kernel or privileges do not allow it.
 */
struct fg_datapath *fg_datapath_open(uint32_t ring_bytes, enum fg_replies replies,
				     struct fg_error *err);
void fg_datapath_close(struct fg_datapath *dp);

/* --- what the programs are to do; they see it at once --- */

/*
 * Where packets are intercepted before they reach a destination on this host; at first nowhere.
 * host_netns: for FG_STOP_AT_BOTH the inode number of the host's namespace, whose sockets are not
 * spared; else 0.
 */
void fg_datapath_set_stop(struct fg_datapath *dp, enum fg_stopping where, uint32_t host_netns);

/* From now on replies are left alone. */
void fg_datapath_leave_replies(struct fg_datapath *dp);

/* The running kernel's numbers of the drop reasons that the judge must distinguish. */
struct fg_drop_codes fg_datapath_codes(const struct fg_datapath *dp);

/* Whether it was opened with FG_REPLIES_FOLLOW. */
bool fg_datapath_follows(const struct fg_datapath *dp);

/* XDP is on a path: from now on packets are also remembered by their contents. */
void fg_datapath_match_flows(struct fg_datapath *dp);

/*
 * Native XDP on a veth puts the packet into another sk_buff: packets are recognized again on that
 * device. Returns 0, or -1 if FG_REACQUIRE_MAX other devices were given before.
 */
int fg_datapath_reacquire(struct fg_datapath *dp, uint32_t netns, int ifindex);

/*
 * Writes the envelope over the twelve address bytes at the frame's beginning: a frame for that slot
 * of the target table, of that probe of the window, or FG_PROBE_SILENT.
 */
void fg_datapath_envelope(const struct fg_datapath *dp, uint16_t slot, uint32_t probe, void *frame);

/*
 * What is written to the socket with that cookie (SO_COOKIE) from now on is that probe of the
 * window, with that flow. Until fg_datapath_leave_socket().
 */
void fg_datapath_follow_socket(struct fg_datapath *dp, uint64_t cookie, uint32_t probe,
			       const struct fg_wire_flow *flow);
void fg_datapath_leave_socket(struct fg_datapath *dp);

/*
 * Loads and attaches what recognizes packets of other nodes, once; fg_datapath_await() needs it.
 * Returns 0 or -1.
 */
int fg_datapath_awaits(struct fg_datapath *dp, struct fg_error *err);

/*
 * Packets of the window that other nodes send: each counts as injected at the device of that
 * namespace (inode number) where it is first received. Called between fg_datapath_begin_window()
 * and fg_datapath_end_window(). Returns 0 or -1.
 */
int fg_datapath_await(struct fg_datapath *dp, uint32_t netns, const struct fg_awaited *packets,
		      uint32_t count, struct fg_error *err);

/* --- a window --- */

/*
 * From here on packets are followed. pieces: FG_PIECES_*. Returns the window's generation: one more
 * than the one before. If earlier windows left too much in the tables, that is forgotten.
 */
uint32_t fg_datapath_begin_window(struct fg_datapath *dp, uint32_t pieces);

/*
 * Stop following. pending: how many of its packets are still in flight, as far as was seen. Returns
 * how many events were lost since it began.
 */
uint64_t fg_datapath_end_window(struct fg_datapath *dp, uint32_t pending);

/* Fills a slot of the target table. Returns 0 or -1. */
int fg_datapath_set_target(struct fg_datapath *dp, uint16_t slot,
			   const struct fg_slot_target *target, struct fg_error *err);

/*
 * Descriptors, borrowed: the inject program, the stop and the reply program, and the maps for
 * programs that are loaded later.
 */
int fg_datapath_inject_fd(const struct fg_datapath *dp);
int fg_datapath_stop_fd(const struct fg_datapath *dp);
int fg_datapath_reply_fd(const struct fg_datapath *dp);
struct fg_datapath_maps {
	int tracked, heads, flows, replies, events, config, counters, owners, again;
};
struct fg_datapath_maps fg_datapath_maps(const struct fg_datapath *dp);

/* The program for the egress of an uplink: borrowed, loaded the first time. -1: it cannot be. */
int fg_datapath_leave_fd(struct fg_datapath *dp, struct fg_error *err);

/*
 * Gives an object that is not loaded yet the datapath's maps instead of maps of its own, by their
 * names. Returns 0, or a negative errno value.
 */
struct bpf_object;
int fg_datapath_share(const struct fg_datapath *dp, struct bpf_object *obj);

/*
 * Whether packets handed to sockets are seen (a program on the root cgroup); why not in *why, which
 * may be NULL.
 */
bool fg_datapath_sees_sockets(const struct fg_datapath *dp, const char **why);

/*
 * Between windows: detaches the observers, which every packet of the machine passes, and the
 * program on the root cgroup, which every packet for a socket passes; the latter only if no packet
 * of an earlier window must be kept from a socket. What is attached to the devices of pods stays.
 * What is in flight then is not seen.
 */
void fg_datapath_rest(struct fg_datapath *dp);
/*
 * Attaches them again if they are detached: about a millisecond, or more within an RCU grace period
 * afterwards. Returns 0 or -1.
 */
int fg_datapath_wake(struct fg_datapath *dp, struct fg_error *err);

#endif
