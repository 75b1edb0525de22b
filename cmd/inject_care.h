/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inject_care.h - what a run takes care of beside its probes: that they disturb no live connection, that a denial is
 * proven by a control, and what they leave behind.
 */
#ifndef FG_INJECT_CARE_H
#define FG_INJECT_CARE_H

#include "guard.h"
#include "inject.h"
#include "plan.h"

struct fg_care {
	const struct fg_inject_options *options;
	const struct fg_plan *plan;
	struct fg_plan control; /* what the control is made by */
	struct fg_guard *guard;
	bool controlled; /* the window that is on its way holds a control */
	bool unruly;	 /* a tuple in use was sent all the same, and said so */
};

/* options and plan are borrowed. Refuses at once what a plan with given source ports would disturb. Returns 0 or -1. */
int fg_care_open(struct fg_care *care, const struct fg_inject_options *options,
		 const struct fg_plan *plan, const struct fg_pod *pod, struct fg_error *err);
void fg_care_close(struct fg_care *care);

/* How many probes of a window the run may use: one place is the control's. */
uint32_t fg_care_room(const struct fg_care *care, uint32_t room);

/* Before the window is run: checks its first *count probes, and puts the control behind them. Returns 0 or -1. */
int fg_care_before(struct fg_care *care, struct fg_probe *window, uint32_t *count,
		   struct fg_error *err);

/* Afterwards: applies the control and takes it out of the window, and finds what was left. Returns 0 or -1. */
int fg_care_after(struct fg_care *care, struct fg_probe *window, uint32_t *count,
		  struct fg_error *err);

#endif
