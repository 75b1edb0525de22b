// SPDX-License-Identifier: GPL-2.0-only
/* session/counts.c - the run counters of programs that cannot be traced, around a span. */
#include <string.h>

#include "session/internal.h"

size_t fg_counts_common(const struct fg_session *session, uint32_t first, uint32_t count)
{
	const struct fg_hop *hop = session->hops[first];
	size_t programs = hop->ladder.count;

	for (uint32_t i = first + 1; i < first + count; i++) {
		if (session->window[i].spec.pod != session->window[first].spec.pod)
			return 0;
		if (session->hops[i] != hop)
			programs = fg_ladder_egress(&hop->ladder);
	}
	return programs;
}

static void read_once(const struct fg_hop *hop, size_t count,
		      struct fg_run_count counts[FG_LADDER_MAX])
{
	for (size_t i = 0; i < count; i++)
		if (hop->counter_fds[i] < 0 || fg_policy_run_count(hop->counter_fds[i], &counts[i]))
			counts[i] = (struct fg_run_count){};
}

#define READ_TIMES 8

bool fg_counts_read(const struct fg_hop *hop, size_t programs,
		    struct fg_run_count counts[FG_LADDER_MAX])
{
	struct fg_run_count again[FG_LADDER_MAX] = {};
	bool alike = false;

	read_once(hop, programs, counts);
	for (int i = 0; !alike && i < READ_TIMES; i++) {
		read_once(hop, programs, again);
		alike = !memcmp(again, counts, programs * sizeof(*again));
		memcpy(counts, again, programs * sizeof(*again));
	}
	return alike;
}

void fg_counts_apply(struct fg_session *session, uint32_t first, uint32_t count, size_t programs,
		     const struct fg_run_count before[FG_LADDER_MAX],
		     const struct fg_run_count after[FG_LADDER_MAX])
{
	for (uint32_t k = first; k < first + count; k++) {
		const struct fg_hop *hop = session->hops[k];
		struct fg_probe *p = &session->window[k];

		/* The same place as that of the steps. */
		p->trace.runs = session->runs + (p->result.steps - session->steps);
		for (size_t i = 0; i < hop->ladder.count; i++) {
			uint64_t runs = i < programs ? after[i].runs - before[i].runs : 0;

			p->trace.runs[i] = (struct fg_trace_runs){ .times = FG_RUNS_UNKNOWN };
			if (i >= programs || hop->counter_fds[i] < 0 ||
			    (count > 1 && runs && runs != count))
				continue;
			p->trace.runs[i].times = (uint32_t)(runs / count);
			p->trace.runs[i].ns = (after[i].ns - before[i].ns) / count;
		}
	}
}
