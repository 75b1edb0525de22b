// SPDX-License-Identifier: GPL-2.0-only
/*
 * session/again.c - looking twice: where it is not known what ended a packet, it is sent once more,
 * with the programs and rules at that place observed.
 */
#include "base/clock.h"
#include "judge/ended.h"
#include "judge/judge.h"
#include "session/internal.h"

/*
 * Netfilter is traced for the second packet alone: its table costs time, and the node something.
 * If that is not possible the result stays as it is.
 */
static bool trace_once(struct fg_session *s, uint32_t index)
{
	struct fg_probe *p = &s->window[index];
	const struct fg_pod *pod = &s->endpoints[p->spec.pod]->pod;
	const struct fg_result *r = fg_ended_unnamed(p, false);

	if (s->options.trace_netfilter || !r ||
	    !fg_ended_by_netfilter(r == &p->result ? p->context : p->result.reply.back, r))
		return true;
	return !fg_watch_netfilter(&s->watch, pod, NULL) &&
	       !fg_watch_destination(&s->watch, pod, &s->hops[index]->dst, NULL) &&
	       !fg_hop_watch_back(s, pod, s->hops[index], NULL) &&
	       !fg_nftrace_expect(s->watch.nftrace, p, 1, NULL);
}

static int send_again(struct fg_session *s, uint32_t index, struct fg_error *err)
{
	struct fg_result *r = &s->window[index].result;
	const struct fg_attempt first = {
		.verdict = r->verdict,
		.outcome = r->outcome,
		.dropped = r->dropped,
		.drop_code = r->drop_code,
		.back = r->reply.way ? r->reply.way->verdict : FG_VERDICT_UNKNOWN,
	};
	int ret = 0;

	if (trace_once(s, index)) {
		s->again = true;
		ret = fg_window_send_again(s, index, err);
		s->again = false;
		fg_judge_compare(&s->window[index], &first);
	}
	if (s->watch.nftrace && !s->options.trace_netfilter)
		fg_nftrace_stop(s->watch.nftrace);
	return ret;
}

/* --- the only probe of a window --- */

/* What the first packet left open: what ended it; and what others have moved too. */
static bool wants_another(struct fg_session *s, const struct fg_result *r)
{
	const struct fg_stated *stated = s->explain.stated;

	if (fg_ended_was_cut(&s->window[0]))
		return false;
	/* By now there is a flow, if the daemon made one. */
	if (fg_ended_at_ovs(&s->window[0]) || fg_ended_is_unseen(r))
		return true;
	/* Programs were found that the first packet was not observed at. */
	if (s->hops[0]->fresh && r->verdict == FG_VERDICT_UNKNOWN)
		return true;
	return fg_ended_unnamed(&s->window[0], s->options.trace_netfilter) ||
	       (r->verdict == FG_VERDICT_DENIED && stated && stated->others);
}

static int look_at_one(struct fg_session *s, struct fg_error *err)
{
	struct fg_result *r = &s->window[0].result;

	if (wants_another(s, r) && !fg_window_cancelled(s) && send_again(s, 0, err))
		return -1;
	fg_explain_cause(s);
	r->stated = s->explain.stated;
	r->left_maps = r->stated ? &r->stated->tables : NULL;
	return 0;
}

/* --- many --- */

/*
 * What Open vSwitch asked its daemon about, and that was not sent on: by now there is a flow, if
 * the daemon made one, and it says whether it drops. Each flow is of one connection, so each packet
 * is asked about, but not many in a short time.
 */
static bool may_ask_ovs(struct fg_session *s, const struct fg_probe *p)
{
	if (!fg_ended_at_ovs(p) || fg_ended_was_cut(p) || s->upcalls == FG_ENDED_MAX ||
	    fg_window_cancelled(s))
		return false;
	s->upcalls++;
	return true;
}

/* Rules change: what ended packets is not what ended them some time ago. */
#define ENDED_NS 2000000000ULL

static void forget_old(struct fg_session *s)
{
	if ((s->ended_count || s->upcalls) && fg_clock_now() - s->ended_ns > ENDED_NS)
		s->ended_count = s->upcalls = 0;
	if (!s->ended_count && !s->upcalls)
		s->ended_ns = fg_clock_now();
}

static int look_at_kinds(struct fg_session *s, uint32_t count, struct fg_error *err)
{
	bool any = false;

	forget_old(s);
	for (uint32_t i = 0; i < count; i++) {
		struct fg_probe *p = &s->window[i];
		struct fg_ended *ended, like;
		struct fg_result *r;

		if (may_ask_ovs(s, p) && send_again(s, i, err))
			return -1;
		r = fg_ended_unnamed_denial(p, s->options.trace_netfilter);
		if (!r)
			continue;
		any = true;
		like = fg_ended_describe(p, r);
		if (fg_ended_was_cut(p) || s->ended_count == FG_ENDED_MAX ||
		    fg_ended_find(s->ended, s->ended_count, &like) || fg_window_cancelled(s))
			continue;
		ended = &s->ended[s->ended_count++];
		*ended = like;
		if (send_again(s, i, err))
			return -1;
		fg_ended_take_name(ended, p);
	}
	if (any)
		fg_ended_refer(s->ended, s->ended_count, s->window, count,
			       s->options.trace_netfilter);
	return 0;
}

int fg_session_run(struct fg_session *session, uint32_t *count, struct fg_error *err)
{
	if (!*count)
		return 0;
	if (fg_window_run(session, count, err))
		return -1;
	/* What was not sent is explained already. */
	if (session->explaining)
		return session->hops[0]->error ? 0 : look_at_one(session, err);
	if (session->options.look_twice && look_at_kinds(session, *count, err))
		return -1;
	fg_fill_tell(session, *count);
	return 0;
}
