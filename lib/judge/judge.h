/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge/judge.h - what follows from what was seen. Pure. If a trace can be read in
 * two ways, the answer is `unknown` or `inconclusive`, never the likelier one.
 */
#ifndef FG_JUDGE_H
#define FG_JUDGE_H

#include "probe/probe.h"

/*
 * Fills probe->result from probe->trace and what probe->spec expects. result.steps points to room
 * for the programs of context->ladder; it may be NULL if there are none. result.reply.way, if
 * there is one, is filled in the same way by result.reply.back; its steps likewise.
 */
void fg_judge(const struct fg_context *context, struct fg_probe *probe);

/*
 * The second packet of a probe was judged, and the first fared so: where one was denied and the
 * other not, neither answer stands. Where the receiver's stack took the first, and dropped the
 * second, the outcome is that of the first.
 */
void fg_judge_compare(struct fg_probe *probe, const struct fg_attempt *first);

/*
 * Fills probe->result of a probe that the pod's own routing refuses: nothing was sent, and no
 * policy was met. reason: static text. The room is as for fg_judge().
 */
void fg_judge_not_sent(const struct fg_context *context, struct fg_probe *probe,
		       const char *reason);

/* What an event means for the question "has this packet ended?". */
enum fg_ending {
	FG_ENDING_NONE, /* it continues */
	/* over, unless more is seen within a moment (handed to a socket) */
	FG_ENDING_SOFT,
	FG_ENDING_FINAL, /* over */
};

/* trace holds all events before this one. The collector uses it to stop waiting. */
enum fg_ending fg_judge_ending(const struct fg_context *context, const struct fg_trace *trace,
			       const struct fg_event *event);

/*
 * Whether a reply can only come from somebody who has seen the packet in the frame: TCP sequence
 * and acknowledgment numbers (RFC 9293), what an ICMP error quotes (RFC 792, RFC 4443), identifier,
 * sequence number and data of an echo, the number of a DNS query (RFC 1035), the tag of an SCTP
 * INIT (RFC 9260). True of what carries no such number, as other datagrams, and if the frame is
 * empty. reply->captured is at most FG_REPLY_BYTES.
 */
bool fg_answer_fits(const struct fg_frame *frame, const struct fg_event_reply *reply);

#endif
