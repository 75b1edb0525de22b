/* SPDX-License-Identifier: GPL-2.0-only */
/* judge_parts.h - what the parts of the judge share; others include judge.h. */
#ifndef FG_JUDGE_PARTS_H
#define FG_JUDGE_PARTS_H

#include "judge.h"
#include "names.h"

enum fg_moved { FG_MOVED_NO, FG_MOVED_UNSURE, FG_MOVED_YES };

/* How far the packet was seen to come. */
struct fg_progress {
	uint32_t injected;   /* how many packets were injected for this probe */
	bool entered;	     /* seen on the peer or on the primary */
	bool left_pod;	     /* behind tc/tcx egress of the peer */
	bool reached_host;   /* behind netkit's programs, or the driver's XDP */
	bool passed_host;    /* behind tc/tcx ingress of the primary */
	enum fg_moved moved; /* whether a program of the host side sent it elsewhere */
	bool sent_on;	     /* by a redirect: seen on the program, or by where it came to */
	bool risen;	     /* seen to move on after its end: this is not one packet's way */
	const struct fg_observation *received; /* on the primary */
	const struct fg_observation *place;    /* the last device it was queued to or received on */
	const struct fg_observation *target;   /* the first place behind a redirect */
	const struct fg_observation *last;     /* the last one of the packet itself */
	const struct fg_observation *end;      /* that took it away: free, consume, stop, socket */
};

/* Follows the packet itself, not its clones. */
void fg_progress_follow(const struct fg_scene *scene, const struct fg_trace *trace,
			struct fg_progress *p);

/* Native XDP copies the packet to a buffer of its own, and consumes the first one: that is no end. */
bool fg_progress_replaced(const struct fg_scene *scene, const struct fg_progress *p);

/* The stretches of the path: programs of one stretch are passed, or not, together. */
enum fg_stretch { FG_STRETCH_POD, FG_STRETCH_WIRE, FG_STRETCH_HOST };

enum fg_stretch fg_stretch_of(const struct fg_program *program);
bool fg_stretch_passed(const struct fg_progress *p, enum fg_stretch stretch);

/* Whether the method brings the packet through that stretch at all. */
bool fg_stretch_walked(const struct fg_scene *scene, enum fg_stretch stretch);

/* The stretch in which the packet ended by a drop that only policy makes there, or -1. *hook: FG_HOOK_XDP, or another. */
int fg_progress_denied(const struct fg_scene *scene, const struct fg_progress *p,
		       enum fg_hook *hook);

/* Whether the event at the end is a drop, and not the end of a packet that was used. */
bool fg_is_drop(const struct fg_scene *scene, const struct fg_event *event);

/* Whether what is handed to the event's device has left this kernel: it has no other end here, and stands on no other device. */
bool fg_is_exit(const struct fg_scene *scene, const struct fg_event *event);

/* Whether the packet was seen to be cut into pieces: IP fragments (RFC 791), or segments of a super-packet. */
bool fg_pieces_any(const struct fg_trace *trace);

/* What an event on a piece, or on a whole that was cut, means for the question whether all is over; as fg_judge_ending(). */
enum fg_ending fg_pieces_ending(const struct fg_scene *scene, const struct fg_trace *trace,
				const struct fg_event *event);

/* Where the packet was cut, and not dropped itself: puts the outcome of its pieces in place of its own. */
void fg_pieces_judge(const struct fg_scene *scene, const struct fg_trace *trace,
		     struct fg_result *result);

/* The program's return value, as what it means; NEXT where it means nothing. */
enum fg_effect fg_program_effect(const struct fg_program *program, int retval);

/* Whether the event is of that device; of the primary. */
static inline bool fg_at(const struct fg_event *e, uint32_t netns, int ifindex)
{
	return e->netns == netns && (int)e->ifindex == ifindex;
}
static inline bool fg_on_primary(const struct fg_scene *scene, const struct fg_event *e)
{
	return fg_at(e, scene->host_netns, scene->primary_ifindex);
}

/* Whether the text begins with one of these; NULL does not. */
bool fg_starts_with_any(const char *text, const char *const *starts, size_t count);

/* Whether the packet was freed by a redirect that failed. */
bool fg_failed_redirect(const struct fg_observation *o);

/* Whether the kernel has noted, since the primary received it, that a program redirected it. */
bool fg_noted_since(const struct fg_progress *p, const struct fg_observation *o);

/* Whether a program of the host side sent the packet on, by the first observation behind it (p->received is set). */
enum fg_moved fg_moved_before(const struct fg_scene *scene, const struct fg_progress *p,
			      const struct fg_observation *o);

/* Whether a program was seen to redirect the packet here. */
bool fg_redirects(const struct fg_scene *scene, const struct fg_event *e);

/* Whether a redirect led here: the first place behind it. Freed where it stood, the packet came nowhere. */
bool fg_is_target(const struct fg_progress *p, const struct fg_event *e);

/* Whether a function of that symbol ("name+offset/size") takes packets for the host's or a pod's own use. */
bool fg_symbol_delivers(const char *symbol);

/* What the programs did, from fexit events and run counters. */
void fg_steps_fill(const struct fg_scene *scene, const struct fg_trace *trace,
		   const struct fg_progress *p, struct fg_result *result);

/* Sets verdict, denied_by, steps, and the reason where none stands yet. over: the packet's end was seen. */
void fg_verdict_find(const struct fg_scene *scene, const struct fg_progress *p, bool over,
		     struct fg_result *result);

/* Reads the answer, if there is one, and what became of it on its way back. */
void fg_reply_read(const struct fg_scene *scene, const struct fg_trace *trace,
		   struct fg_reply *reply);

/* Whether the answer says no: a reset, an abort, an ICMP error. */
bool fg_reply_rejects(const struct fg_reply *reply);

#endif
