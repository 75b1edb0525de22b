/* SPDX-License-Identifier: GPL-2.0-only */
/* judge/internal.h - what the parts of the judge share; others include judge.h. */
#ifndef FG_JUDGE_PARTS_H
#define FG_JUDGE_PARTS_H

#include "judge/judge.h"
#include "probe/names.h"

enum fg_moved { FG_MOVED_NO, FG_MOVED_UNSURE, FG_MOVED_YES };

/* How far the packet was seen to get. */
struct fg_progress {
	uint16_t protocol;     /* Ethertype of its frame, host order; 0: not known */
	uint32_t injected;     /* how many packets were injected for this probe */
	bool entered;	       /* seen on the peer or on the primary */
	bool left_pod;	       /* after tc/tcx egress of the peer */
	bool reached_host;     /* after netkit's programs, or the driver's XDP */
	bool translated;       /* other addresses since the primary received it */
	bool passed_host;      /* after tc/tcx ingress of the primary */
	enum fg_moved moved;   /* whether a program of the host side sent it elsewhere */
	bool kept;	       /* consumed by Open vSwitch, and not seen since */
	unsigned int copies;   /* how often XDP in the driver consumed it, to go on without it */
	bool sent_on;	       /* by a redirect: seen on the program, or by where the packet went */
	bool to_service;       /* sent to a service of IPVS, and nothing has translated it yet */
	enum fg_presence rule; /* as in the trace */
	bool risen; /* seen to move on after its end: this is not the path of one packet */
	/* of a reply: it did not come from the pod's pair, but from the host itself, or by it */
	bool foreign;
	bool made_here; /* and was first seen where the host sends it */
	bool unlisted;	/* and came from a namespace whose programs are not on the ladder */
	bool cloned;	/* a bridge has flooded it, and what goes on is a clone */
	/* a program turned it into a reply, which flowgen intercepted back at the pod */
	bool turned;
	const struct fg_observation *received; /* on the primary */
	const struct fg_observation *place;    /* the last device it was queued to or received on */
	const struct fg_observation *target;   /* the first place after a redirect */
	const struct fg_observation *last;     /* the last one of the packet itself */
	const struct fg_observation *end;      /* that took it away: free, consume, stop, socket */
};

/* Follows the packet itself, not its clones. */
void fg_progress_follow(const struct fg_context *context, const struct fg_trace *trace,
			struct fg_progress *p);

/*
 * Native XDP copies the packet to a buffer of its own, and consumes the first one: that is not an
 * end.
 */
bool fg_progress_replaced(const struct fg_context *context, const struct fg_progress *p);

/* The stretches of the path: programs of one stretch are passed, or not, together. */
enum fg_stretch { FG_STRETCH_POD, FG_STRETCH_WIRE, FG_STRETCH_HOST };

enum fg_stretch fg_progress_stretch_of(const struct fg_program *program);
bool fg_progress_stretch_passed(const struct fg_progress *p, enum fg_stretch stretch);

/* Whether the method brings the packet through that stretch at all. */
bool fg_progress_stretch_walked(const struct fg_context *context, enum fg_stretch stretch);

/*
 * The stretch in which the packet ended by a drop that only policy makes there, or -1. *hook:
 * FG_HOOK_XDP, or another.
 */
int fg_progress_denied(const struct fg_context *context, const struct fg_progress *p,
		       enum fg_hook *hook);

/* Whether the event at the end is a drop, and not the end of a packet that was used. */
bool fg_event_is_drop(const struct fg_context *context, const struct fg_event *event);

/* Whether flowgen intercepted the packet there: the probe, or the reply back at the pod. */
bool fg_event_is_stop(const struct fg_event *event);

/* Whether the event is of a device without a kind that is not a loopback: hardware. */
bool fg_event_on_hardware(const struct fg_context *context, const struct fg_event *event);

/* Whether the event is of a device of that kind, as rtnetlink names it. */
bool fg_event_on_kind(const struct fg_context *context, const struct fg_event *event,
		      const char *kind);

/*
 * Whether what is handed to the event's device has left this kernel: it has no other end here, and
 * is queued on no other device.
 */
bool fg_event_is_exit(const struct fg_context *context, const struct fg_event *event);

/*
 * Whether the packet was seen to be cut into pieces: IP fragments (RFC 791), or segments of a
 * super-packet.
 */
bool fg_pieces_any(const struct fg_trace *trace);

/*
 * What an event on a piece, or on a whole that was cut, means for the question whether the probe
 * has ended; as fg_judge_ending().
 */
enum fg_ending fg_pieces_ending(const struct fg_context *context, const struct fg_trace *trace,
				const struct fg_event *event);

/*
 * If the packet was cut, and not dropped itself: puts the outcome of its pieces in place of its
 * own.
 */
void fg_pieces_judge(const struct fg_context *context, const struct fg_trace *trace,
		     struct fg_result *result);

/* What the program's return value means; NEXT if it means nothing. */
enum fg_effect fg_moved_program_effect(const struct fg_program *program, int retval);

/* Whether the event is of that device; of the primary. */
static inline bool fg_at(const struct fg_event *e, uint32_t netns, int ifindex)
{
	return e->netns == netns && (int)e->ifindex == ifindex;
}
static inline bool fg_on_primary(const struct fg_context *context, const struct fg_event *e)
{
	return fg_at(e, context->host_netns, context->primary_ifindex);
}

/* Whether the text begins with start; NULL does not. */
bool fg_event_starts_with(const char *text, const char *start);
/* Whether the text begins with one of these; NULL does not. */
bool fg_event_starts_with_any(const char *text, const char *const *starts, size_t count);

/* Whether the packet was freed by a redirect that failed. */
bool fg_moved_redirect_failed(const struct fg_observation *o);

/* Whether the kernel has noted, since the primary received it, that a program redirected it. */
bool fg_moved_noted_since(const struct fg_progress *p, const struct fg_observation *o);

/*
 * Whether a program of the host side sent the packet on, by the first observation after it
 * (p->received is set).
 */
enum fg_moved fg_moved_before(const struct fg_context *context, const struct fg_progress *p,
			      const struct fg_observation *o);

/* Whether a program was seen to redirect the packet here. */
bool fg_moved_redirects(const struct fg_context *context, const struct fg_event *e);

/*
 * Whether a redirect led here: the first place after it. Freed where it was, the packet went
 * nowhere.
 */
bool fg_moved_is_target(const struct fg_progress *p, const struct fg_observation *o);

/*
 * Whether a function of that symbol ("name+offset/size") takes packets for the host's or a pod's
 * own use.
 */
bool fg_event_symbol_delivers(const char *symbol);

/*
 * Whether every packet that passes its hook runs that program: the first of the hook, and of tc
 * filters one that takes this protocol.
 */
bool fg_steps_must_run(const struct fg_context *context, const struct fg_progress *p, size_t i);

/* What the programs did, from fexit events and run counters. */
void fg_steps_fill(const struct fg_context *context, const struct fg_trace *trace,
		   const struct fg_progress *p, struct fg_result *result);

/*
 * Sets verdict, denied_by, steps, and the reason if none is set yet. over: the packet's end was
 * seen.
 */
void fg_verdict_find(const struct fg_context *context, const struct fg_trace *trace,
		     const struct fg_progress *p, bool over, struct fg_result *result);

/* Reads the reply, if there is one. *reply is empty, but for the room for its return path. */
void fg_reply_read(const struct fg_trace *trace, struct fg_reply *reply);

/* Why what was seen of the reply's way, which was judged, cannot be trusted; NULL: it can. */
const char *fg_reply_doubt(const struct fg_reply *reply, const struct fg_trace *trace,
			   const struct fg_progress *p);

/* Whether the reply says no: a reset, an abort, an ICMP error. */
bool fg_reply_rejects(const struct fg_reply *reply);

/* Goes over the events of the packet itself, without its clones, pieces and replies. */
struct fg_way {
	uint32_t branch; /* of a clone that continues the packet; 0: the packet itself */
	bool split;
	bool reply; /* instead of the packet, the reply of that number */
};
struct fg_way fg_progress_way(const struct fg_context *context, const struct fg_trace *trace);
bool fg_progress_on_way(struct fg_way *way, const struct fg_event *event);

/* Whether a program of generic XDP dropped it, and did not just fail to send it elsewhere. */
bool fg_progress_dropped_by_xdp(const struct fg_context *context, const struct fg_observation *end);

/* Whether a packet freed like that had passed the tc ingress hooks of the device it was on. */
bool fg_progress_of_stack(const struct fg_context *context, const struct fg_observation *end);

/* What happened to a packet at a hook of a device after the sending pod's pair. */
enum fg_point {
	FG_POINT_NOT_MET,
	FG_POINT_UNSURE, /* it got there, and nothing shows that it continued */
	FG_POINT_PASSED,
	FG_POINT_DROPPED,     /* by something else at that hook */
	FG_POINT_INTERCEPTED, /* flowgen intercepted it before the hook's programs */
};

/*
 * Fills the steps of all programs after the sending pod's pair, the verdicts of their stages, and
 * denied_by or candidates if one of them denied.
 */
void fg_point_judge(const struct fg_context *context, const struct fg_trace *trace,
		    const struct fg_progress *p, struct fg_result *result);

/* Whether one of the tc filters of that stage, which are no programs, can drop. */
bool fg_point_filters_drop(const struct fg_context *context, enum fg_stage stage);

/*
 * Whether netfilter enforces policy on the way that the packet took on the host: at its hooks of
 * IP, of bridges and of devices.
 */
enum fg_presence fg_met_netfilter(const struct fg_context *context, const struct fg_trace *trace,
				  const struct fg_progress *p, const struct fg_result *result);

/* Whether it does in the namespace of the pod of that stage, and the packet was seen behind it. */
enum fg_presence fg_met_own_netfilter(const struct fg_context *context, const struct fg_progress *p,
				      const struct fg_result *result, enum fg_stage stage);

/* What freed the packet there; FG_KIND_NONE where neither reason nor place says. */
enum fg_kind fg_place_kind(const struct fg_context *context, const struct fg_progress *p,
			   const struct fg_observation *end);

/*
 * Whether a socket's filter refused it. The kernel gives one reason for the application's own
 * filter, which is not policy, and for programs of the socket's cgroup, which are.
 */
bool fg_place_is_filter(const struct fg_context *context, const struct fg_observation *end);
/* Programs choose the sockets (BPF_SK_LOOKUP) in the namespace where that was seen. */
bool fg_place_is_chosen(const struct fg_context *context, const struct fg_event *e);
/* No socket took it there: the kernel says so too where such a program refuses a packet. */
bool fg_place_is_unchosen(const struct fg_context *context, const struct fg_observation *end);

/* Whether IPVS or a chain of netfilter dropped the packet, and nothing tells which. */
bool fg_place_is_ipvs_or_chain(const struct fg_context *context, const struct fg_progress *p,
			       const struct fg_observation *end, enum fg_kind kind);

/* Whether a bridge or a chain of its prerouting dropped the packet, and nothing tells which. */
bool fg_place_is_bridge_or_chain(const struct fg_context *context, const struct fg_observation *end,
				 enum fg_kind kind);

/* The stage in which a packet was dropped. */
enum fg_stage fg_place_stage(const struct fg_context *context, const struct fg_progress *p,
			     const struct fg_observation *end, enum fg_kind kind);

#endif
