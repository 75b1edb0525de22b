// SPDX-License-Identifier: GPL-2.0-only
#include "probe/pace.h"

void fg_pace_begin(struct fg_pace *pace, double interval_ns, uint64_t now_ns)
{
	*pace = (struct fg_pace){ .interval_ns = interval_ns, .start_ns = now_ns };
}

uint64_t fg_pace_next(const struct fg_pace *pace)
{
	return pace->start_ns + (uint64_t)((double)pace->taken * pace->interval_ns);
}

uint64_t fg_pace_take(struct fg_pace *pace, uint64_t now_ns, uint64_t room)
{
	uint64_t next = fg_pace_next(pace), due;

	if (pace->interval_ns <= 0) {
		pace->taken += room;
		return room;
	}
	if (now_ns < next)
		return 0;
	/*
	 * Also where the interval itself is longer than the slack: one probe late is one probe, not
	 * two.
	 */
	if (now_ns - next > FG_PACE_SLACK_NS) {
		pace->start_ns = now_ns;
		pace->taken = 0;
	}
	due = (uint64_t)((double)(now_ns - pace->start_ns) / pace->interval_ns) + 1;
	/* Rounding must not hand out less than the one that is due by fg_pace_next(). */
	due = due > pace->taken ? due - pace->taken : 1;
	if (due > room)
		due = room;
	pace->taken += due;
	return due;
}

static uint64_t recorded_pause(const struct fg_pace_recorded *r, uint64_t time_ns)
{
	uint64_t pause;

	if (time_ns <= r->last_ns)
		return 0;
	pause = time_ns - r->last_ns;
	/* Up to the latest time it was waited already, unless it took longer to get there again. */
	if (time_ns > r->high_ns && time_ns - r->high_ns < pause)
		pause = time_ns - r->high_ns;
	return pause;
}

uint64_t fg_pace_recorded_due(struct fg_pace_recorded *recorded, uint64_t time_ns, uint64_t now_ns)
{
	struct fg_pace_recorded *r = recorded;

	if (!r->begun)
		*r = (struct fg_pace_recorded){ true, now_ns, time_ns, time_ns };
	r->due_ns += recorded_pause(r, time_ns);
	r->last_ns = time_ns;
	if (time_ns > r->high_ns)
		r->high_ns = time_ns;
	return r->due_ns;
}
