/* SPDX-License-Identifier: GPL-2.0-only */
/* session_state.h - what a session owns; shared by session.c (setting up) and window.c (running). */
#ifndef FG_SESSION_STATE_H
#define FG_SESSION_STATE_H

#include "collector.h"
#include "datapath.h"
#include "link.h"
#include "netns.h"
#include "nftrace.h"
#include "policy.h"
#include "port.h"
#include "reason.h"
#include "sender.h"
#include "session.h"
#include "stop.h"
#include "symbol.h"
#include "verdict.h"

/* Probes of one window. More would wait longer for the slowest; fewer would make more calls. */
#define FG_WINDOW 1024

/* Where packets of one pod to one destination go: the next hop's address, and the slot that stands for it. */
struct fg_hop {
	struct fg_addr src, dst;
	uint8_t mac[6];
	uint16_t slot;
};

struct fg_member {
	struct fg_pod pod;
	struct fg_ladder ladder;
	struct fg_scene scene;
	enum fg_method wanted;	 /* what the user asked for */
	const char *why;	 /* of the method */
	int port;		 /* index of the port in the primary's namespace; -1: not needed */
	struct fg_sender sender; /* pod-socket */
	struct fg_ladder back;	 /* the way back, where answers are waited for */
	int reply_link;		 /* owned: the reply program on the peer; -1: none */
	bool has_untraced;	 /* run counters are wanted */
	bool one_by_one;	 /* and only tell something for one packet at a time */
	int counter_fds[FG_LADDER_MAX]; /* owned; -1 for traced programs */
	uint64_t looked_ns;		/* CLOCK_MONOTONIC, when the ladder was last compared */
	struct fg_hop *hops;
	size_t hop_count;
};

/* A port, and the socket that feeds it. */
struct fg_gate {
	struct fg_port port;
	struct fg_sender sender;
};

/* Names of what packets come by: devices of the namespaces seen so far, and drop reasons. */
struct fg_names {
	struct fg_device *devices;
	size_t count;
	uint32_t *seen; /* inode numbers of the namespaces that were listed, or could not be */
	size_t seen_count;
	const struct fg_reasons *reasons;
};

struct fg_session {
	struct fg_session_options options;
	struct fg_host host;
	struct fg_reasons *reasons;
	struct fg_symbols *symbols;
	struct fg_datapath *datapath;
	struct fg_verdicts *verdicts;
	struct fg_collector *collector;
	int stats_fd; /* run counters count while it is open; -1: not asked for, or resting */
	bool resting; /* see fg_session_idle() */
	bool egress_redirect;
	bool cancelled;
	const char *disturbs; /* see fg_session_disturbs() */
	struct fg_stops stops;
	struct fg_nftrace *nftrace; /* NULL: not asked for */

	struct fg_member **members; /* each allocated: scenes point into them */
	size_t member_count;
	struct fg_gate *gates;
	size_t gate_count;
	uint16_t slots;
	uint32_t generation;
	uint64_t left; /* packets that the tables still hold */

	struct fg_names names;

	struct fg_probe *window;
	uint32_t touched; /* how many of them were ever in use */
	const struct fg_scene **scenes;
	struct fg_chunk *buffers;
	uint8_t *arena;
	size_t arena_size;
};

/* Lists the devices of a namespace once; where says how a person knows it. Returns 0 or -1. */
int fg_names_add(struct fg_names *names, struct nl_sock *sk, uint32_t netns, const char *where,
		 struct fg_error *err);

/* Makes the names of a namespace known that a packet came to; one that cannot be found stays without. */
void fg_names_find(struct fg_names *names, struct fg_host *host, uint32_t netns);

void fg_names_free(struct fg_names *names);
const struct fg_device *fg_names_device(const void *names, uint32_t netns, int ifindex);
const char *fg_names_reason(const void *names, uint32_t code);

/* Watches what netfilter does with packets of the pod, on its own devices and on the host side. Returns 0 or -1. */
int fg_watch_netfilter(struct fg_session *session, const struct fg_pod *pod, struct fg_error *err);

/*
 * The same in the namespaces that hold a destination, where packets are let in there; where none does, in all: a translation may
 * still lead to any of them. Returns 0 or -1.
 */
int fg_watch_destination(struct fg_session *session, const struct fg_addr *dst,
			 struct fg_error *err);

/* Ends the rest of fg_session_idle(), where there is one. Returns 0 or -1. */
int fg_session_wake(struct fg_session *session, struct fg_error *err);

/* Run counters count from here on. Where the kernel refuses, verdicts by untraced programs stay open. */
void fg_session_count_runs(struct fg_session *session);

/* Where the answer to a judged probe is a SYN-ACK, resets the connection that it has half opened. Returns 0 or -1. */
int fg_session_close_half_open(struct fg_session *session, const struct fg_probe *probe,
			       struct fg_error *err);

/* Resolves the hop for a probe of the member, from its table or the pod's own routes. NULL on failure. Borrowed. */
const struct fg_hop *fg_member_hop(struct fg_session *session, struct fg_member *member,
				   const struct fg_addr *src, const struct fg_addr *dst,
				   struct fg_error *err);

#endif
