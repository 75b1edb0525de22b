/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe/control.h - the positive control: a probe that is expected to pass, sent beside those
 * expected to be denied. If it fails too, a denial proves nothing about the policy. Pure.
 */
#ifndef FG_CONTROL_H
#define FG_CONTROL_H

#include "probe/probe.h"

/*
 * Whether a probe with this result got through: no program denied it, and it arrived, left the
 * node, or got a reply.
 */
bool fg_control_passed(enum fg_verdict verdict, enum fg_outcome outcome);

/* The outcome of a judged control. text: how the user asked for it; borrowed. */
struct fg_control fg_control_of(const struct fg_probe *control, const char *text);

/*
 * Sets result.control of a judged probe from the outcome of its control. If the probe was
 * denied, dropped or rejected, and the control did not pass, the denial is not proven: an
 * expectation that it be denied or dropped is then not met, and the reason says so. Verdict and
 * outcome stay.
 */
void fg_control_apply(const struct fg_control *control, struct fg_probe *probe);

/* Whether a failed control leaves the probe's result open: exit status 4, and not 0 or 1. */
bool fg_control_doubts(const struct fg_probe *probe);

#endif
