/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session/internal.h - what a session owns; shared by session.c (setting up) and window.c
 * (running).
 */
#ifndef FG_SESSION_STATE_H
#define FG_SESSION_STATE_H

#include "cni/cni.h"
#include "net/conntrack.h"
#include "facts/cause.h"
#include "judge/ended.h"
#include "probe/leftovers.h"
#include "stated/fill.h"
#include "stated/watch.h"
#include "header/flowset.h"
#include "net/sockdiag.h"
#include "datapath/collector.h"
#include "datapath/datapath.h"
#include "guard/spare.h"
#include "node/ipvs.h"
#include "net/link.h"
#include "net/netns.h"
#include "datapath/policy.h"
#include "datapath/port.h"
#include "host/reason.h"
#include "datapath/sender.h"
#include "session/session.h"
#include "host/symbol.h"
#include "datapath/verdict.h"
#include "way/attachments.h"
#include "way/device_table.h"
#include "way/goal.h"
#include "way/receiver.h"
#include "way/watch.h"
#include "way/ways.h"

/* Probes of one window. More would wait longer for the slowest; fewer would make more calls. */
#define FG_WINDOW 1024

/* More sending pods than this are many: what each of them costs the node is kept down. */
#define FG_SESSION_FEW_PODS 16

/* A direction of a device. */
struct fg_hop_place {
	uint32_t netns; /* inode number */
	int ifindex;
	bool egress;
	struct fg_receiver *receiver; /* NULL: the programs there could not be listed */
};
#define FG_PLACES_MAX 32

/*
 * A return path: of replies by one pod, by the host, or from outside, past certain devices of the
 * host. It does not change once it is made.
 */
struct fg_back {
	struct fg_ladder ladder; /* owned */
	struct fg_context context;
	struct fg_receiver *from;		   /* the pod that replies; NULL: another */
	uint32_t netns;				   /* its inode number; 0: the host, or outside */
	struct fg_hop_place places[FG_PLACES_MAX]; /* devices of the host that are no pod's */
	size_t place_count;
	bool fresh; /* the packets so far were not observed at its programs */
};
#define FG_BACKS_MAX 64

/*
 * Where packets of one pod to one destination go: the next hop's address and its
 * slot.
 */
struct fg_hop {
	struct fg_addr src, dst;
	int way; /* the pod's answer, from 1 */
	/* of an answer that refuses; else 0: nothing is sent, and only the pod's own part of the
	 * path is known */
	int error;
	struct fg_cause cause;
	uint8_t mac[6];
	uint16_t slot;
	struct fg_ladder ladder; /* over the whole path, as far as it is known; owned */
	struct fg_context context;
	/* the places that packets of the hop pass: first the expected ones, then those that were
	 * seen, each looked at once */
	struct fg_hop_place places[FG_PLACES_MAX];
	size_t place_count;
	uint64_t looked_ns;		   /* CLOCK_MONOTONIC, when these were last compared */
	struct fg_goal goal;		   /* of dst */
	uint64_t found_ns;		   /* CLOCK_MONOTONIC, when the goal was last asked for */
	struct fg_watch_services services; /* of IPVS at the destination; of the context too */
	bool fresh;	 /* programs were added that the packets before were not observed at */
	bool far_learnt; /* context.far is where a packet was seen, and not where it should go */
	int counter_fds[FG_LADDER_MAX]; /* run counters; borrowed; -1 for traced programs */
	bool has_untraced;		/* run counters are wanted */
	bool one_by_one;		/* which are only conclusive for one packet at a time */
	bool shares;  /* a program that is not traced is asked together with another */
	bool slotted; /* slot is its own */
	/* the ways of replies to its packets, the expected one first; each owned; none if replies
	 * are not followed */
	struct fg_back *backs[FG_BACKS_MAX];
	size_t back_count;
};

/* The descriptor that a program's run counter is read by. */
struct fg_counter {
	uint32_t id;
	int fd; /* owned */
};

struct fg_endpoint {
	struct fg_pod pod;
	struct fg_ladder ladder;
	struct fg_context context;
	enum fg_method wanted; /* what the user asked for */
	bool chosen;	       /* so was the device */
	struct fg_ways ways;
	uint32_t xdp_id; /* of an uplink: XDP in its driver, which flowgen runs itself; 0: none */
	const char *why; /* of the method */
	int port;	 /* index of the port in the primary's namespace; -1: not needed */
	struct fg_sender sender; /* pod-socket */
	struct fg_ladder back;	 /* the return path, if replies are waited for */
	int reply_link;		 /* owned: the reply program on the peer; -1: none */
	int local_links[2];	 /* owned: it in the pod's stack, by family; -1: none */
	uint64_t looked_ns;	 /* CLOCK_MONOTONIC, when the ladder was last compared */
	struct fg_hop **hops;	 /* each allocated: contexts are in them */
	size_t hop_count;
	struct fg_hop **past; /* that lead elsewhere now: results may still point into them */
	size_t past_count;
};

/* A port, and the socket that writes to it. */
struct fg_injector {
	struct fg_port port;
	struct fg_sender sender;
};

/* What is found out about a single probe besides its verdict. */
struct fg_explain {
	struct fg_stated_watch *watch;	 /* while its packet is in flight */
	struct fg_stated_tracer *tracer; /* NULL: not needed yet, or the kernel refuses */
	bool untraceable;
	struct fg_stated_packet packet;
	struct fg_stated *stated;	   /* owned; NULL: nothing */
	struct fg_cause cause, back_cause; /* of the probe, and of the reply to it */
	struct fg_ipvs_service ipvs;
};

/* Which tables of the policy a run fills. */
struct fg_fill {
	struct fg_stated_fill *watch; /* while the first window is in flight, or the run has no end
				       */
	bool seen;
	struct fg_leftover_maps tables; /* if it was seen */
	bool endless;			/* nobody knows how many probes will be sent */
	uint64_t sent, look_at; /* if it is: how many were, and with how many to look again */
};

/* Ways in which packets were denied; the first of each was sent once more. */
#define FG_ENDED_MAX 16

struct fg_session {
	struct fg_session_options options;
	struct fg_ended ended[FG_ENDED_MAX];
	size_t ended_count;
	size_t upcalls;	   /* packets that were sent again as Open vSwitch may have a flow by now */
	uint64_t ended_ns; /* when the first of them was found (CLOCK_MONOTONIC) */
	struct fg_explain explain;
	struct fg_fill fill;
	bool explaining; /* the window is of one probe that is explained */
	bool again;	 /* the second packet of a probe is in flight */
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
	int hold_fd;		 /* owned: readable when the first packet may be sent; -1: it may */
	bool awaiting;		 /* packets of another node were awaited */
	enum fg_presence border; /* whether the node is a container of this kernel; UNKNOWN: not
				    asked */
	struct fg_spare spare;
	size_t tapped; /* sending pods with the reply program at their device */
	struct fg_watch watch;

	struct fg_endpoint **endpoints; /* each allocated: contexts point into them */
	size_t endpoint_count;
	struct fg_injector *injectors;
	size_t injector_count;
	struct fg_receivers receivers;
	struct fg_counter *counters;
	size_t counter_count;
	bool has_untraced; /* a program of some hop is known by its run counter alone */
	struct fg_attachments attachments;
	uint16_t slots;

	struct fg_device_table names;

	struct fg_probe *window;
	uint32_t touched; /* how many of them were ever in use */
	const struct fg_context **contexts;
	struct fg_hop **hops;  /* of the probes of the window */
	uint32_t sent;	       /* how many of these were sent so far */
	uint64_t collected_ns; /* CLOCK_MONOTONIC, when the last of them was collected */
	struct fg_chunk *buffers;
	uint8_t *arena;
	size_t arena_size;
	uint32_t generation; /* of the span that is in flight */
	uint8_t *passed;     /* the frame that XDP at an uplink made of one; owned */
	size_t passed_size;
	/* Of all probes of the window, one after the other. */
	struct fg_step *steps;
	struct fg_result *ways; /* of their replies, if these are followed; FG_WINDOW of them */
	struct fg_trace_runs *runs;
	size_t step_room, run_room;
};

/* Whether netfilter is traced now: all along, or for a second packet alone. */
static inline bool fg_session_traces(const struct fg_session *session)
{
	return session->watch.nftrace && (session->options.trace_netfilter || session->again);
}

/*
 * A window: builds, sends, collects and judges its probes, of which there are more afterwards where
 * one is sent in fragments. Returns 0 or -1.
 */
int fg_window_run(struct fg_session *session, uint32_t *count, struct fg_error *err);

/* Sends that probe of the window once more, by itself: its result is replaced. Returns 0 or -1. */
int fg_window_send_again(struct fg_session *session, uint32_t index, struct fg_error *err);

/* Whether the user has ended the run. */
bool fg_window_cancelled(struct fg_session *session);

/* Ends the rest of fg_session_idle(), if there is one. Returns 0 or -1. */
int fg_session_wake(struct fg_session *session, struct fg_error *err);

/*
 * Run counters count from here on. If the kernel refuses, verdicts of untraced programs stay
 * unknown.
 */
void fg_session_count_runs(struct fg_session *session);

/*
 * How many programs, from the first on, are on the ladder of each of these probes of the window:
 * all where they go to one place, the pod's own where they are of one pod.
 */
size_t fg_counts_common(const struct fg_session *session, uint32_t first, uint32_t count);

/*
 * Reads the counters of the hop's first programs; of those that are traced, or cannot be asked, 0.
 * A packet of the pod's own may be among the programs while their counters are read, one after the
 * other: then these would tell of two packets. They are read until they read alike twice. False:
 * they never did.
 */
bool fg_counts_read(const struct fg_hop *hop, size_t programs,
		    struct fg_run_count counts[FG_LADDER_MAX]);

/*
 * Fills trace.runs of these probes of the window from the counters of their first programs. One
 * packet: the counters say what it ran. Many packets: a program that ran exactly as often as there
 * were packets ran once for each of them; any other number tells nothing of a single one.
 */
void fg_counts_apply(struct fg_session *session, uint32_t first, uint32_t count, size_t programs,
		     const struct fg_run_count before[FG_LADDER_MAX],
		     const struct fg_run_count after[FG_LADDER_MAX]);

/*
 * If the reply to a judged probe is a SYN-ACK, resets the connection that it has half opened.
 * Returns 0 or -1.
 */
int fg_session_close_half_open(struct fg_session *session, const struct fg_probe *probe,
			       struct fg_error *err);

/* As fg_session_route(), unless that was asked already. Returns 0 or -1. */
int fg_session_find_way(struct fg_session *session, struct fg_probe_spec *spec,
			struct fg_error *err);

/*
 * Resolves the hop for a packet that has a way, from the endpoint's table or the pod's own
 * neighbours, and looks at its destination. NULL on failure. Borrowed; good until the endpoint is
 * renewed.
 */
struct fg_hop *fg_hop_find(struct fg_session *session, const struct fg_probe_spec *spec,
			   struct fg_error *err);
void fg_hop_free(struct fg_hop *hop);

/*
 * After a packet: forgets the runs in its trace that a program may have counted elsewhere, by a
 * list of what is attached that is newer than the packet. Returns whether there are any: then it is
 * to be judged again.
 */
bool fg_hop_distrust_counts(struct fg_session *session, const struct fg_hop *hop,
			    struct fg_trace *trace);

/*
 * Before a window: asks again, once a second, where the packet's hop leads to, if there is one, and
 * where else its programs are attached. A hop that leads elsewhere is opened anew. now: of the
 * monotonic clock, in nanoseconds. Returns 0 or -1.
 */
int fg_hop_renew(struct fg_session *session, const struct fg_probe_spec *spec, uint64_t now,
		 struct fg_error *err);

/*
 * If a packet of the hop was seen at a place that was not looked at before: adds the programs there
 * to the hop's ladder, and room for them to all results of the window that were judged or counted
 * by it.
 */
void fg_hop_learn(struct fg_session *session, struct fg_endpoint *endpoint, struct fg_hop *hop,
		  const struct fg_probe *probe);

/* Observes what was added to the ladder since. */
void fg_hop_settle(struct fg_session *session, struct fg_hop *hop);

/*
 * The way that replies to the hop's packets are expected to come: by the pod r, or by the device of
 * the host that it is (NULL: from elsewhere). Returns 0 or -1.
 */
int fg_back_open(struct fg_session *session, const struct fg_endpoint *endpoint, struct fg_hop *hop,
		 struct fg_receiver *r, struct fg_error *err);

/* The way that the reply to the probe came, as far as it was seen; into its result. */
void fg_back_choose(struct fg_session *session, const struct fg_endpoint *endpoint,
		    struct fg_hop *hop, struct fg_probe *probe);

/* Observes what was added to the hop's return paths since. */
void fg_back_settle(struct fg_session *session, struct fg_hop *hop);
void fg_back_free(struct fg_back *back);

/* Whether the programs that replies meet at the sending pod's pair changed since. */
bool fg_back_changed(const struct fg_session *session, const struct fg_endpoint *endpoint);

/* The hop's ladder has count more programs, from that one on: so do the probes of the window. */
void fg_session_make_room(struct fg_session *session, const struct fg_hop *hop, size_t first,
			  size_t count);

/*
 * Fills in whether netfilter and IPVS of the pod's node enforce policy on packets of the hop, as it
 * is now.
 */
void fg_hop_ask_node(struct fg_session *session, const struct fg_pod *pod, struct fg_hop *hop);

/* Has netfilter traced where the host receives the replies to the hop's packets. 0 or -1. */
int fg_hop_watch_back(struct fg_session *session, const struct fg_pod *pod,
		      const struct fg_hop *hop, struct fg_error *err);

/*
 * Notes in the hop's context whether netfilter of the receiving pod's own enforces policy; trace:
 * of one of its packets.
 */
void fg_hop_ask_receiver(struct fg_session *session, struct fg_hop *hop,
			 const struct fg_trace *trace);

/*
 * Around the one packet of a window: what the maps and rings of the programs on its path say.
 * again: it is the second packet of the probe.
 */
void fg_explain_begin(struct fg_session *session);
void fg_explain_end(struct fg_session *session, bool again);

/*
 * Why the kernel dropped the window's one packet there, or what it waits for, and the service of
 * IPVS that it was sent to; into its result. Of the reply to it, likewise.
 */
void fg_explain_cause(struct fg_session *session);
void fg_explain_free(struct fg_explain *explain);

/* --- fill.c --- */

/* Around a window of count probes, whose hops are known. */
void fg_fill_begin(struct fg_session *session, uint32_t count);
void fg_fill_end(struct fg_session *session, uint32_t count);
/* Into the results of a window. */
void fg_fill_tell(const struct fg_session *session, uint32_t count);
void fg_fill_free(struct fg_fill *fill);

/* --- outside.c --- */

/*
 * Runs XDP of the uplink's driver on a frame of the window, which is number `number` of the span:
 * what it says is in the trace then. Returns 1, and the frame that is to be written in *out, which
 * is good until the next call; 0: it went no further; or -1.
 */
int fg_outside_pass_xdp(struct fg_session *session, uint32_t index, uint32_t number,
			struct fg_chunk *out, struct fg_error *err);

/* --- await.c --- */

/*
 * In place of sending count probes of the window: follows them as they arrive from another node.
 * Returns 0 or -1.
 */
int fg_session_await(struct fg_session *session, uint32_t first, uint32_t count,
		     struct fg_error *err);

/*
 * If the awaited packet arrived by another device than its hop expects (the ways there and back may
 * differ, as where programs redirect into a tunnel), that one is the hop's from now on. To be
 * called after fg_hop_learn(), which has put what is attached there into the ladder.
 */
void fg_session_arrived(struct fg_hop *hop, const struct fg_probe *probe);

/*
 * Whether the namespace (inode number) is not that of the sender's node, nor below it. session: a
 * struct fg_session with a pod.
 */
bool fg_session_beyond(void *session, uint32_t netns);

/* --- twins.c --- */

/*
 * How many probes of the window, from first on and before end, can be in flight together: until one
 * has the tuple (and of an echo the number) of another. At least 1.
 */
uint32_t fg_twins_before(const struct fg_session *session, uint32_t first, uint32_t end);

#endif
