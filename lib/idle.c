// SPDX-License-Identifier: GPL-2.0-only
/*
 * idle.c - between windows that lie far apart. The observers stand where every packet of the machine comes by, and run counters
 * slow down every BPF program; so both are there only while they are needed.
 */
#include <bpf/bpf.h>
#include <time.h>

#include "fd.h"
#include "session_state.h"

/*
 * To take all off and put it back costs about two milliseconds of processor time, and patches the kernel's code on all
 * processors. What is put back within an RCU grace period waits for its end.
 */
#define REST_MIN_NS 75000000ULL
/* So long before the next window everything is to be there again. */
#define LEAD_NS 1500000ULL

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

void fg_session_count_runs(struct fg_session *session)
{
	if (session->stats_fd < 0)
		session->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
}

static bool has_untraced(const struct fg_session *s)
{
	for (size_t i = 0; i < s->member_count; i++)
		if (s->members[i]->has_untraced)
			return true;
	return false;
}

/* A packet that ends late is still to be kept from the application it goes to. */
static bool guards_sockets(const struct fg_session *s)
{
	uint32_t stop = fg_datapath_config(s->datapath)->stop;

	return s->left && (stop == FG_STOP_AT_SOCKET || stop == FG_STOP_AT_BOTH);
}

static void rest(struct fg_session *s)
{
	if (s->resting)
		return;
	s->resting = true;
	fg_fd_close(&s->stats_fd);
	fg_datapath_rest(s->datapath, !guards_sockets(s));
}

int fg_session_wake(struct fg_session *session, struct fg_error *err)
{
	if (!session->resting)
		return 0;
	if (fg_datapath_wake(session->datapath, err))
		return -1;
	session->resting = false;
	if (has_untraced(session))
		fg_session_count_runs(session);
	return 0;
}

uint64_t fg_session_idle(struct fg_session *session, uint64_t until_ns)
{
	uint64_t now = now_ns(), gap = until_ns > now ? until_ns - now : 0;

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
