/* SPDX-License-Identifier: GPL-2.0-only */
/* exec/internal.h - what the files of the room exec have in common. */
#ifndef FG_EXEC_INTERNAL_H
#define FG_EXEC_INTERNAL_H

#include "exec/exec.h"
#include "exec/tell.h"
#include "exec/twin.h"
#include "listing/exec.h"

/*
 * Copies what the kernel knows of the pod's device (addresses, neighbours, routes, rules) to the
 * device with this index in the twin's namespace. twin->uncopied counts what it would not
 * take, twin->elsewhere routes by other devices. Returns 0, or -1 if an address cannot be had.
 */
int fg_replay_pod(const struct fg_pod *pod, struct nl_sock *to, int ifindex, struct fg_twin *twin,
		  struct fg_error *err);

/*
 * --- somebody outside instead of a pod ---
 *
 * Whether packets from this address can arrive at the uplink, and meet all that packets from there
 * meet: with XDP in its driver only if that is asked for. *bypasses: what is not met; NULL:
 * nothing. Returns 0, or -1 with the reason.
 */
int fg_outside_check(struct fg_host *host, const struct fg_pod *uplink, const struct fg_addr *src,
		     enum fg_method wanted, const char **bypasses, struct fg_error *err);
/* The address, and a way to everywhere, for the twin's device. Returns 0 or -1. */
int fg_outside_settle(struct nl_sock *inside, int ifindex, const struct fg_addr *address,
		      struct fg_error *err);

/*
 * --- who decided: a probe to where a flow of the command went, as `flowgen inject` sends it: at
 * the moment that the flow was denied or fell silent, else after the command has ended. It is
 * another packet, and is said to be. ---
 */

/* Destinations that are asked about at most, while the command runs and after it. */
#define FG_ASK_MAX 64

struct fg_asked {
	const struct fg_exec_probe *probes; /* borrowed: of the asker, until it is asked again */
	size_t *of;			    /* by flow: its probe plus 1; 0: not asked. Owned */
	size_t fresh;			    /* probes that were sent now */
	size_t left_out; /* flows that were to be asked about, beyond FG_ASK_MAX destinations */
};

/* options must outlive it. NULL if memory is short. */
struct fg_asker *fg_ask_open(const struct fg_exec_options *options, struct fg_error *err);
void fg_ask_close(struct fg_asker *asker);

/*
 * While the command runs: sends a probe for the flow, if none was sent for it, and waits for its
 * end. Returns whether one was sent.
 */
bool fg_ask_during(struct fg_asker *asker, const struct fg_exec_flow *flow);

/*
 * After it: sends one for each destination of the flows that `wanted` chooses and that have none.
 * Returns 0 or -1. Free with fg_ask_free(), also after an error.
 */
int fg_ask(const struct fg_exec_done *done, bool (*wanted)(const struct fg_divert_flow *flow),
	   struct fg_asked *out, struct fg_error *err);
void fg_ask_free(struct fg_asked *asked);

/* Whether the flow asks one of the name servers that the command was given. */
bool fg_exec_asks_names(const struct fg_exec_done *done, const struct fg_divert_flow *flow);

/* Fills in what told says of the expectation (NULL: none), and what was seen. */
void fg_exec_weigh(const struct fg_exec_done *done, const struct fg_asked *asked,
		   const struct fg_flows_expect *expect, struct fg_told *told);

/*
 * Puts it on: the calling process must be in mount, UTS and pid namespaces of its own, in which
 * nobody else is harmed. /proc and /sys are those of its namespaces then. Returns 0, or -1.
 */
int fg_wear_dress(const struct fg_dress *dress, struct fg_error *err);

#endif
