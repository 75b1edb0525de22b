// SPDX-License-Identifier: GPL-2.0-only
/*
 * session/idle.c - between windows that are far apart. The observers are attached where every
 * packet of the machine passes, and run counters slow down every BPF program; so both are there
 * only while they are needed.
 */
#include <bpf/bpf.h>

#include "base/clock.h"
#include "base/fd.h"
#include "session/internal.h"

/*
 * To take all off and put it back costs about two milliseconds of processor time, and patches the
 * kernel's code on all processors. What is put back within an RCU grace period waits for its end.
 */
#define REST_MIN_NS 75000000ULL
/* How long before the next window everything must be attached again. */
#define LEAD_NS 1500000ULL

void fg_session_count_runs(struct fg_session *session)
{
	if (session->stats_fd < 0)
		session->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
}

static void rest(struct fg_session *s)
{
	if (s->resting)
		return;
	s->resting = true;
	fg_fd_close(&s->stats_fd);
	fg_datapath_rest(s->datapath);
}

int fg_session_wake(struct fg_session *session, struct fg_error *err)
{
	if (!session->resting)
		return 0;
	if (fg_datapath_wake(session->datapath, err))
		return -1;
	session->resting = false;
	if (session->has_untraced)
		fg_session_count_runs(session);
	return 0;
}

uint64_t fg_session_idle(struct fg_session *session, uint64_t until_ns)
{
	uint64_t now = fg_clock_now(), gap = until_ns > now ? until_ns - now : 0;

	if (!session->datapath)
		return until_ns;
	if (gap > LEAD_NS && (session->resting || gap >= REST_MIN_NS)) {
		rest(session);
		return until_ns - LEAD_NS;
	}
	/* Why it could not is said when the window is run. */
	fg_session_wake(session, NULL);
	return until_ns;
}
