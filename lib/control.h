/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * control.h - the positive control: a probe that is expected to pass, sent beside those expected to be denied. Where it
 * fails too, a denial proves nothing about the policy. Pure.
 */
#ifndef FG_CONTROL_H
#define FG_CONTROL_H

#include "probe.h"

/* Whether a judged probe came through: no program denied it, and it arrived, left the node, or was answered. */
bool fg_control_passed(const struct fg_probe *control);

/*
 * Sets result.control of a judged probe by its judged control. Where the probe was denied, dropped or rejected, and the
 * control did not pass, it is not proven: an expectation that it be denied or dropped is then not met, and the reason says
 * so. Verdict and outcome stay. text: how the user asked for the control; borrowed by the result.
 */
void fg_control_apply(const struct fg_probe *control, const char *text, struct fg_probe *probe);

/* Whether a failed control leaves the probe's answer open: exit status 4, and not 0 or 1. */
bool fg_control_doubts(const struct fg_probe *probe);

#endif
