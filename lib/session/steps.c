// SPDX-License-Identifier: GPL-2.0-only
/*
 * session/steps.c - the steps and run counters of a window in flight, when the ladder that they are
 * indexed by grows.
 */
#include <string.h>

#include "session/internal.h"

static void make_room(struct fg_probe *p, size_t first, size_t count, size_t before)
{
	struct fg_result *r = &p->result;
	struct fg_trace_runs *runs = p->trace.runs;
	uint64_t low = (1ULL << first) - 1;

	for (size_t i = before; runs && i-- > first;)
		runs[i + count] = runs[i];
	for (size_t i = first; runs && i < first + count; i++)
		runs[i] = (struct fg_trace_runs){ .times = FG_RUNS_UNKNOWN };
	memmove(r->steps + first + count, r->steps + first, (before - first) * sizeof(*r->steps));
	memset(r->steps + first, 0, count * sizeof(*r->steps));
	if (before)
		r->candidates = (r->candidates & low) | (r->candidates & ~low) << count;
	if (r->denied_by >= (int)first)
		r->denied_by += (int)count;
	if (r->redirected_by >= (int)first)
		r->redirected_by += (int)count;
}

void fg_session_make_room(struct fg_session *session, const struct fg_hop *hop, size_t first,
			  size_t count)
{
	for (uint32_t i = 0; i < session->sent; i++)
		if (session->hops[i] == hop)
			make_room(&session->window[i], first, count, hop->ladder.count - count);
}
