/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge.h - what follows from what was seen. Pure. Where two readings of a trace are possible, the answer is `unknown` or
 * `inconclusive`, never the likelier one.
 */
#ifndef FG_JUDGE_H
#define FG_JUDGE_H

#include "probe.h"

/* Fills probe->result from probe->trace and what probe->spec expects. */
void fg_judge(const struct fg_scene *scene, struct fg_probe *probe);

/* What an event means for the question "is this packet's way over?". */
enum fg_ending {
	FG_ENDING_NONE, /* it goes on */
	FG_ENDING_SOFT, /* over, unless something more is seen within a moment (handed to a socket) */
	FG_ENDING_FINAL, /* over */
};

/* trace holds all events before this one. The collector stops waiting by it. */
enum fg_ending fg_judge_ending(const struct fg_scene *scene, const struct fg_trace *trace,
			       const struct fg_event *event);

#endif
