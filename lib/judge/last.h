/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * judge/last.h - what a probe, or the reply to it, was like where its trace ends: what is asked of
 * the kernel afterwards is asked for that. Pure.
 */
#ifndef FG_JUDGE_LAST_H
#define FG_JUDGE_LAST_H

#include "header/dissect.h"
#include "probe/probe.h"

/* The last flow that the trace tells of, ports in host order; where it tells none, as it was sent,
 * or as a reply to that would be. */
struct fg_flow fg_last_flow(const struct fg_probe *probe, bool reply);

/* The device on which it last came into the namespace with this inode number; 0: on none. */
int fg_last_device(const struct fg_probe *probe, uint32_t netns, bool reply);

/*
 * What shows that it waits for something, where its end was not seen: a neighbour that does not
 * answer holds the packet for seconds, but its clone was freed where the kernel asks. Else the last
 * device that received it, by its result: it may be in a queue to user space. NULL: nothing.
 */
const struct fg_observation *fg_last_waiting(const struct fg_probe *probe,
					     const struct fg_result *result, bool reply);

#endif
