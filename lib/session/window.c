// SPDX-License-Identifier: GPL-2.0-only
/* session/window.c - one window of a session: build, send, collect, judge. */
#include <errno.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/grow.h"
#include "guard/hold.h"
#include "judge/judge.h"
#include "probe/wire.h"
#include "session/internal.h"
#include "timing/timing.h"

/*
 * A packet that was handed to a socket may still be refused by it (a full buffer), in the same
 * softirq. When nothing more came within this time, it was taken.
 */
#define SOFT_NS 1000000ULL

static struct fg_endpoint *endpoint_of(const struct fg_session *s, const struct fg_probe *probe)
{
	return s->endpoints[probe->spec.pod];
}

/* --- build --- */

/* Room for all frames of the window, before any is built: frames point into it. */
static int reserve(struct fg_session *s, uint32_t count, struct fg_error *err)
{
	size_t need = 0;

	for (uint32_t i = 0; i < count; i++)
		need += fg_probe_bound(&s->window[i].spec);
	return FG_GROW_TO(s->arena, s->arena_size, need, "frames", err) ? 0 : -1;
}

/* A packet in fragments is that many frames, each followed and judged by itself. */
static int split(struct fg_session *s, uint32_t index, uint32_t *used, struct fg_error *err)
{
	struct fg_frame whole = s->window[index].frame;

	if (whole.count == 1)
		return 0;
	if (*used + whole.count - 1 > FG_WINDOW)
		return fg_fail(err, FG_ERR_USAGE, "more than %d fragments at a time", FG_WINDOW);
	for (uint32_t k = 0; k < whole.count; k++) {
		struct fg_probe *p = k ? &s->window[(*used)++] : &s->window[index];

		if (k)
			p->spec = s->window[index].spec;
		fg_probe_take_fragment(p, &whole, k);
	}
	return 0;
}

/*
 * Room for what the programs did with each probe, and for how often they ran. A ladder may grow
 * while the window is in flight.
 */
static int place_steps(struct fg_session *s, uint32_t count, struct fg_error *err)
{
	size_t need = 0, at = 0;

	for (uint32_t i = 0; i < count; i++)
		need += (s->ways ? 2 : 1) * FG_LADDER_MAX;
	if (!FG_GROW_TO(s->steps, s->step_room, need, "results", err) ||
	    !FG_GROW_TO(s->runs, s->run_room, need, "results", err))
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		struct fg_result *r = &s->window[i].result;
		bool back = s->ways && s->hops[i]->back_count;

		r->steps = s->steps + at;
		at += FG_LADDER_MAX;
		r->reply.way = back ? &s->ways[i] : NULL;
		r->reply.back = NULL;
		/* None to what is not sent. */
		if (!back)
			continue;
		r->reply.back = &s->hops[i]->backs[0]->context;
		s->ways[i].steps = s->steps + at;
		at += FG_LADDER_MAX;
	}
	return 0;
}

static int build(struct fg_session *s, uint32_t *count, struct fg_error *err)
{
	uint32_t used = *count;
	size_t offset = 0;

	if (reserve(s, *count, err))
		return -1;
	for (uint32_t i = 0; i < *count; i++) {
		struct fg_probe *p = &s->window[i];

		p->frame = (struct fg_frame){ .data = s->arena + offset,
					      .size = fg_probe_bound(&p->spec) };
		if (fg_probe_build(&p->spec, &p->frame, err))
			return -1;
		offset += p->frame.size;
		if (split(s, i, &used, err))
			return -1;
	}
	*count = used;
	s->touched = used > s->touched ? used : s->touched;
	return 0;
}

/* All of them are renewed before one is used: one that leads elsewhere is another then. */
static int find_hops(struct fg_session *s, uint32_t count, struct fg_error *err)
{
	uint64_t now = fg_clock_now();

	for (uint32_t i = 0; i < count; i++)
		if (fg_session_find_way(s, &s->window[i].spec, err) ||
		    fg_hop_renew(s, &s->window[i].spec, now, err))
			return -1;
	for (uint32_t i = 0; i < count; i++) {
		struct fg_probe_spec *spec = &s->window[i].spec;

		s->hops[i] = fg_session_find_way(s, spec, err) ? NULL : fg_hop_find(s, spec, err);
		if (!s->hops[i])
			return -1;
		if (!s->hops[i]->error && (!i || s->hops[i] != s->hops[i - 1]))
			fg_hop_ask_node(s, &endpoint_of(s, &s->window[i])->pod, s->hops[i]);
	}
	return 0;
}

/*
 * The twelve address bytes: the envelope for flowgen's own device, the addresses themselves in the
 * pod.
 */
static void address(struct fg_session *s, uint32_t index, uint32_t number)
{
	struct fg_probe *p = &s->window[index];
	const struct fg_endpoint *m = endpoint_of(s, p);
	const struct fg_hop *hop = s->hops[index];

	if (m->port < 0) {
		memcpy(p->frame.data, hop->mac, 6);
		memcpy(p->frame.data + 6, m->pod.peer.mac, 6);
		return;
	}
	fg_datapath_envelope(s->datapath, hop->slot, number, p->frame.data);
}

/* Afterwards the addresses are those that the packet had on the pod's path. */
static void unwrap(struct fg_session *s, struct fg_probe *p)
{
	struct fg_endpoint *m = endpoint_of(s, p);
	const struct fg_hop *hop = s->hops[p - s->window];

	memcpy(p->frame.data, hop->mac, 6);
	memcpy(p->frame.data + 6, m->pod.peer.mac, 6);
}

/*
 * A stretch of the window that is sent and waited for in one go; on the wire its probes are
 * numbered from 0.
 */
struct span {
	uint32_t first;
	uint32_t count;
};

/* --- send --- */

/*
 * What a packet may fill of the ring on its way: its records, and those of the programs. The kernel
 * handles what is written in one call before it returns, so that much room must be there.
 */
#define RING_PER_PACKET 2048

static uint32_t batch_max(const struct fg_session *s)
{
	uint32_t fit = s->options.ring_bytes / RING_PER_PACKET;

	return s->options.ring_bytes && fit < FG_WINDOW ? fit : FG_WINDOW;
}

/* Neighbours in the window with the same way out are written in one call. */
static uint32_t run_length(const struct fg_session *s, uint32_t first, uint32_t end)
{
	const struct fg_endpoint *m = endpoint_of(s, &s->window[first]);
	uint32_t n = 1;

	while (!m->xdp_id && first + n < end && n < batch_max(s) && m->port >= 0 &&
	       endpoint_of(s, &s->window[first + n])->port == m->port)
		n++;
	return n;
}

/* Family 0 if it cannot be read. */
static struct fg_wire_flow written_flow(const struct fg_frame *frame)
{
	struct fg_wire_flow flow = {};

	if (frame->len > ETH_HLEN)
		fg_wire_read_flow(frame->data + ETH_HLEN, frame->len - ETH_HLEN, &flow);
	return flow;
}

static int send_run(struct fg_session *s, const struct span *span, uint32_t first, uint32_t n,
		    struct fg_error *err)
{
	struct fg_endpoint *m = endpoint_of(s, &s->window[first]);
	struct fg_wire_flow flow;
	int sent;

	if (m->xdp_id) {
		sent = fg_outside_pass_xdp(s, first, first - span->first, &s->buffers[0], err);
		if (sent <= 0)
			return sent ? -1 : 1;
		return fg_sender_write(&s->injectors[m->port].sender, s->buffers, 1, err);
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct fg_frame *f = &s->window[first + i].frame;

		s->buffers[i] = (struct fg_chunk){ f->data, f->len, &f->offload };
	}
	if (m->port >= 0)
		return fg_sender_write(&s->injectors[m->port].sender, s->buffers, n, err);
	/*
	 * In the pod there is no envelope: the observers take the number of the frame that is being
	 * written, and say so where its flow is another by the time they see it.
	 */
	flow = written_flow(&s->window[first].frame);
	fg_datapath_follow_socket(s->datapath, fg_sender_cookie(&m->sender), first - span->first,
				  &flow);
	sent = fg_sender_write(&m->sender, s->buffers, n, err);
	fg_datapath_leave_socket(s->datapath);
	return sent;
}

/* --- collect --- */

bool fg_window_cancelled(struct fg_session *session)
{
	struct pollfd p = { .fd = session->options.cancel_fd, .events = POLLIN };

	if (session->options.cancel_fd >= 0 && !session->cancelled && poll(&p, 1, 0) > 0)
		session->cancelled = true;
	return session->cancelled;
}

/*
 * The kernel wakes a reader of the ring only for a record that the reader has caught up with, and
 * most records ask for no waking at all; so an end may come without a call. A short look that grows
 * longer finds it: late by as much as was waited already, and no more than NAP_MAX_NS.
 */
#define NAP_MIN_NS 50000ULL
#define NAP_MAX_NS 5000000ULL

static void wait_for_events(struct fg_session *s, uint64_t ns)
{
	struct pollfd p[2] = { { .fd = fg_collector_fd(s->collector), .events = POLLIN },
			       { .fd = s->options.cancel_fd, .events = POLLIN } };
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000ULL),
			       .tv_nsec = (long)(ns % 1000000000ULL) };

	ppoll(p, 2, &ts, NULL);
}

static uint32_t unsent_count(const struct fg_session *s, const struct span *span)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < span->count; i++)
		n += s->window[span->first + i].trace.unsent;
	return n;
}

static int collect(struct fg_session *s, const struct span *span, struct fg_error *err)
{
	uint64_t end = fg_clock_now() + s->options.timeout_ns, soft_end = 0, now;
	uint32_t unsent = unsent_count(s, span), soft;
	uint64_t nap = NAP_MIN_NS;

	for (;;) {
		uint32_t open;

		if (fg_collector_take(s->collector, err))
			return -1;
		open = fg_collector_open_count(s->collector, &soft) - unsent;
		now = fg_clock_now();
		if (!open || now >= end || fg_window_cancelled(s))
			return 0;
		if (open > soft) {
			soft_end = 0;
			wait_for_events(s, end - now < nap ? end - now : nap);
			nap = nap * 2 < NAP_MAX_NS ? nap * 2 : NAP_MAX_NS;
			continue;
		}
		if (!soft_end)
			soft_end = now + SOFT_NS;
		if (now >= soft_end)
			return 0;
		wait_for_events(s, soft_end - now);
	}
}

/*
 * The ring is emptied while the window is being sent, so that a small one is enough. In one that
 * does not hold the whole window, the packets sent so far make room first; one that is held up
 * somewhere is not waited for.
 */
#define ROOM_NS 2000000ULL

static int empty_ring(struct fg_session *s, const struct span *span, uint32_t sent,
		      struct fg_error *err)
{
	uint64_t now = fg_clock_now(), end = now + ROOM_NS;
	uint32_t later = span->count - sent + unsent_count(s, span), open, soft;

	for (;;) {
		if (fg_collector_take(s->collector, err))
			return -1;
		open = fg_collector_open_count(s->collector, &soft);
		if (batch_max(s) >= FG_WINDOW || sent == span->count || open <= soft + later ||
		    now >= end)
			return 0;
		wait_for_events(s, NAP_MIN_NS);
		now = fg_clock_now();
	}
}

/*
 * Returns 0; what the kernel did not take is marked, and so ends as inconclusive. -1 where it took
 * nothing at all, or memory is short.
 */
static int send_all(struct fg_session *s, const struct span *span, struct fg_error *err)
{
	uint32_t end = span->first + span->count;
	bool any = false;

	if (endpoint_of(s, &s->window[span->first])->pod.awaits)
		return fg_session_await(s, span->first, span->count, err);
	for (uint32_t i = span->first; i < end;) {
		uint32_t n = run_length(s, i, end);
		int sent = send_run(s, span, i, n, err);

		if (sent < 0)
			sent = 0;
		any |= sent > 0;
		if ((uint32_t)sent < n) {
			/*
			 * A device that is down, or a frame it finds too long: the next ones are
			 * still tried.
			 */
			s->window[i + (uint32_t)sent].trace.unsent = true;
			n = (uint32_t)sent + 1;
		}
		i += n;
		if (empty_ring(s, span, i - span->first, err))
			return -1;
	}
	return any ? 0 : -1;
}

/* --- all of it --- */

static void prepare(struct fg_session *s, const struct span *span)
{
	struct fg_window w = { .probes = s->window + span->first,
			       .contexts = s->contexts + span->first,
			       .count = span->count,
			       .symbols = s->symbols,
			       .beyond = s->options.node_only ? fg_session_beyond : NULL,
			       .beyond_arg = s };
	uint32_t pieces = 0;

	for (uint32_t i = span->first; i < span->first + span->count; i++) {
		struct fg_trace *t = &s->window[i].trace;

		fg_hop_settle(s, s->hops[i]);
		fg_trace_reset(t);
		fg_probe_measure(&s->window[i].frame, t->whole);
		t->fragment = fg_probe_is_fragment(&s->window[i].frame);
		pieces |= (t->whole[FG_PIECE_FRAGMENT] ? FG_PIECES_FRAGMENTS : 0) |
			  (t->whole[FG_PIECE_SEGMENT] ? FG_PIECES_SEGMENTS : 0);
		s->contexts[i] = s->window[i].context = &s->hops[i]->context;
	}
	if (s->sent < span->first + span->count)
		s->sent = span->first + span->count;
	w.generation = s->generation = fg_datapath_begin_window(s->datapath, pieces);
	fg_collector_begin(s->collector, &w);
}

static int send_and_collect(struct fg_session *s, const struct span *span, struct fg_error *err)
{
	uint64_t lost, sent_ns = fg_clock_now();
	struct fg_run_count before[FG_LADDER_MAX] = {}, after[FG_LADDER_MAX] = {};
	const struct fg_hop *hop = s->hops[span->first];
	size_t common = fg_counts_common(s, span->first, span->count);
	/* Until a packet arrives others run the programs, too. */
	bool counting = hop->has_untraced && s->stats_fd >= 0 && common && !hop->context.awaited;
	int ret;

	if (counting)
		counting = fg_counts_read(hop, common, before);
	ret = send_all(s, span, err) || collect(s, span, err);
	lost = fg_datapath_end_window(s->datapath, fg_collector_pending(s->collector));
	if (ret)
		return -1;
	if (counting && fg_counts_read(hop, common, after))
		fg_counts_apply(s, span->first, span->count, common, before, after);
	for (uint32_t i = span->first; i < span->first + span->count; i++) {
		struct fg_trace *t = &s->window[i].trace;

		t->lost = lost;
		t->strays = fg_collector_strays(s->collector);
		t->sent_ns = sent_ns;
	}
	return 0;
}

/*
 * Programs may have been attached or replaced since they were listed: then the ladder is not the
 * one that ran. What happened to a packet is seen on the packet; so whether the ladder is right is
 * checked now and then, and always if a denial has no denier.
 */
#define LOOK_AGAIN_NS 50000000ULL

static bool receiver_changed(const struct fg_session *s, const struct fg_endpoint *m,
			     struct fg_receiver *r, uint64_t now)
{
	if (!r)
		return false;
	/* Many pods may send to it, and many destinations be its own. */
	if (r->looked_ns < s->collected_ns)
		fg_receiver_changed(&s->receivers, &m->pod, r);
	r->looked_ns = now;
	return r->stale;
}

static bool places_changed(const struct fg_session *s, const struct fg_endpoint *m,
			   const struct fg_hop_place *places, size_t count, uint64_t now)
{
	bool changed = false;

	for (size_t i = 0; i < count; i++)
		changed |= receiver_changed(s, m, places[i].receiver, now);
	return changed;
}

/* There, and on the ways that replies came back: some places are on one of these alone. */
static bool hop_changed(const struct fg_session *s, const struct fg_endpoint *m,
			const struct fg_hop *hop, uint64_t now)
{
	bool changed = places_changed(s, m, hop->places, hop->place_count, now);

	for (size_t k = 0; k < hop->back_count; k++) {
		const struct fg_back *b = hop->backs[k];

		changed |= receiver_changed(s, m, b->from, now) |
			   places_changed(s, m, b->places, b->place_count, now);
	}
	return changed;
}

/* Where the span's packets went to. */
static bool receivers_changed(const struct fg_session *s, const struct fg_endpoint *m,
			      const struct span *span, uint64_t now)
{
	bool changed = false;

	for (uint32_t i = span->first; i < span->first + span->count; i++) {
		if (endpoint_of(s, &s->window[i]) == m && s->hops[i]->looked_ns != now)
			changed |= hop_changed(s, m, s->hops[i], now);
		s->hops[i]->looked_ns = now;
	}
	return changed;
}

static bool pod_changed(const struct fg_endpoint *m)
{
	struct fg_ladder now;
	bool same;

	/* What cannot be asked any more is gone. */
	if (fg_policy_list(&m->pod, true, &now, NULL))
		return true;
	same = fg_policy_same(&m->ladder, &now);
	fg_ladder_free(&now);
	return !same;
}

static bool has_lost_receiver(const struct fg_hop *hop)
{
	bool gone = false;

	for (size_t i = 0; i < hop->place_count; i++)
		gone |= hop->places[i].receiver && hop->places[i].receiver->gone;
	return gone;
}

static void check_path(struct fg_session *s, struct fg_endpoint *m, const struct span *span)
{
	uint64_t now = fg_clock_now();
	bool due = now - m->looked_ns >= LOOK_AGAIN_NS, doubtful = false, there = due, changed;

	for (uint32_t i = span->first; i < span->first + span->count; i++) {
		if (endpoint_of(s, &s->window[i]) != m)
			continue;
		doubtful |= fg_ended_is_doubtful(&s->window[i].result);
		there |= fg_ended_is_doubtful_there(&s->window[i].result);
	}
	if (!doubtful && !due)
		return;
	if (due)
		m->looked_ns = now;
	changed = pod_changed(m);
	changed |= there && (receivers_changed(s, m, span, now) || fg_back_changed(s, m));
	for (uint32_t i = span->first; changed && i < span->first + span->count; i++)
		if (endpoint_of(s, &s->window[i]) == m) {
			s->window[i].trace.changed = true;
			s->window[i].trace.receiver_gone = has_lost_receiver(s->hops[i]);
			fg_judge(s->contexts[i], &s->window[i]);
		}
}

/*
 * Packets pass devices of namespaces that have nothing to do with the pod: their names are
 * looked up once.
 */
static void name_places(struct fg_session *s, const struct span *span)
{
	uint32_t last = 0;

	for (uint32_t i = span->first; i < span->first + span->count; i++)
		for (uint32_t k = 0; k < s->window[i].trace.count; k++) {
			uint32_t netns = s->window[i].trace.list[k].event.netns;

			if (netns != last)
				fg_device_table_find(&s->names, &s->host, netns);
			last = netns;
		}
}

/* Why packets were dropped has a name, which the judge may ask for. */
static int name_reasons(struct fg_session *s, const struct span *span, struct fg_error *err)
{
	for (uint32_t i = span->first; i < span->first + span->count; i++)
		for (uint32_t k = 0; k < s->window[i].trace.count; k++) {
			const struct fg_event *e = &s->window[i].trace.list[k].event;

			if (e->kind == FG_EVENT_FREE && e->code &&
			    fg_reasons_ready(s->reasons, (uint32_t)e->code, err))
				return -1;
		}
	return 0;
}

/* The rule that dropped it was found in the trace, and not by the judge. */
static void judge_anew(const struct fg_session *s, uint32_t i)
{
	struct fg_probe *p = &s->window[i];
	struct fg_result *way = p->result.reply.way;
	const struct fg_netfilter *by = p->result.netfilter, *back = way ? way->netfilter : NULL;

	fg_judge(s->contexts[i], p);
	p->result.netfilter = by;
	if (way)
		way->netfilter = back;
}

/* On its way to a service of IPVS it was a rule, or else that. */
static void tell_ipvs(struct fg_session *s, uint32_t i)
{
	struct fg_probe *p = &s->window[i];

	if (!s->contexts[i]->service_count || p->trace.rule == FG_PRESENCE_UNKNOWN)
		return;
	if (p->trace.rule == FG_PRESENCE_NO &&
	    !fg_watch_is_all_traced(&s->watch, p->spec.vary.dst.family))
		p->trace.rule = FG_PRESENCE_UNKNOWN;
	judge_anew(s, i);
}

/*
 * Counters of a program that stands elsewhere by now may have counted what came there. Once for
 * all packets: on a node of many pods it takes milliseconds to list what is attached.
 */
static void distrust_counts(struct fg_session *s, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++)
		if (fg_hop_distrust_counts(s, s->hops[i], &s->window[i].trace))
			judge_anew(s, i);
}

/* Besides the results, when these are final. */
static void explain_drops(struct fg_session *s, const struct span *span)
{
	if (!fg_session_traces(s))
		return;
	fg_nftrace_take(s->watch.nftrace);
	for (uint32_t i = span->first; i < span->first + span->count; i++) {
		fg_nftrace_explain(s->watch.nftrace, s->again ? 0 : i, s->contexts[i],
				   &s->window[i]);
		tell_ipvs(s, i);
	}
}

/*
 * Which places packets passed may be known only now: after a translation, or by another device. The
 * programs there were not observed, but they are part of the result.
 */
static void judge(struct fg_session *s, const struct span *span)
{
	uint32_t end = span->first + span->count;

	for (uint32_t i = span->first; i < end; i++) {
		fg_hop_learn(s, endpoint_of(s, &s->window[i]), s->hops[i], &s->window[i]);
		fg_session_arrived(s->hops[i], &s->window[i]);
		fg_hop_ask_receiver(s, s->hops[i], &s->window[i].trace);
		fg_back_choose(s, endpoint_of(s, &s->window[i]), s->hops[i], &s->window[i]);
	}
	for (uint32_t i = span->first; i < end; i++)
		fg_judge(s->contexts[i], &s->window[i]);
}

/* Of many pods a span has packets of a few. */
static bool sends_in(const struct fg_session *s, const struct fg_endpoint *m,
		     const struct span *span)
{
	for (uint32_t i = span->first; i < span->first + span->count; i++)
		if (endpoint_of(s, &s->window[i]) == m)
			return true;
	return false;
}

static int run_span(struct fg_session *s, const struct span *span, struct fg_error *err)
{
	for (uint32_t i = 0; i < span->count; i++)
		address(s, span->first + i, i);
	prepare(s, span);
	if (s->explaining)
		fg_explain_begin(s);
	if (send_and_collect(s, span, err))
		return -1;
	s->collected_ns = fg_clock_now();
	fg_timing_phase("packets");
	if (s->explaining)
		fg_explain_end(s, s->again);
	name_places(s, span);
	if (name_reasons(s, span, err))
		return -1;
	judge(s, span);
	for (uint32_t i = span->first; i < span->first + span->count; i++) {
		unwrap(s, &s->window[i]);
		if (fg_session_close_half_open(s, &s->window[i], err))
			return -1;
	}
	for (size_t k = 0; k < s->endpoint_count; k++)
		if (sends_in(s, s->endpoints[k], span))
			check_path(s, s->endpoints[k], span);
	explain_drops(s, span);
	fg_timing_phase("verdict");
	return 0;
}

/* What the pod's own kernel does not send, by what connect() fails with. Static text. */
static const char *refusal_text(int error)
{
	switch (error) {
	case -EACCES:
		return "the pod's own kernel does not send it: connect() fails with EACCES";
	case -EINVAL:
		return "the pod's own kernel does not send it: connect() fails with EINVAL";
	case -EHOSTUNREACH:
		return "the pod's own kernel does not send it: connect() fails with EHOSTUNREACH";
	case -ENETUNREACH:
		return "the pod's own kernel does not send it: connect() fails with ENETUNREACH";
	case -EADDRNOTAVAIL:
		return "the pod's own kernel does not send it: connect() fails with EADDRNOTAVAIL";
	default:
		return "the pod's own kernel does not send it: connect() fails";
	}
}

/* Probes that are not sent, and judged by that alone. */
static void refuse_span(struct fg_session *s, const struct span *span)
{
	const struct fg_endpoint *m = endpoint_of(s, &s->window[span->first]);
	bool there = fg_pod_has_device(&m->pod);

	for (uint32_t i = span->first; i < span->first + span->count; i++) {
		struct fg_probe *p = &s->window[i];
		const struct fg_hop *hop = s->hops[i];

		if (m != endpoint_of(s, p)) {
			m = endpoint_of(s, p);
			there = fg_pod_has_device(&m->pod);
		}
		fg_trace_reset(&p->trace);
		p->trace.unsent = true;
		p->result.reply = (struct fg_reply){};
		p->trace.changed = !there;
		s->contexts[i] = p->context = &hop->context;
		memcpy(p->frame.data + 6, m->pod.peer.mac, 6);
		if (!there) {
			fg_judge(&hop->context, p);
			continue;
		}
		fg_judge_not_sent(&hop->context, p, refusal_text(hop->error));
		p->result.cause = &hop->cause;
	}
	s->sent = span->first + span->count;
}

/* How many from first on, at most max, are sent, or are not, as the first is. */
static uint32_t alike(const struct fg_session *s, uint32_t first, uint32_t max)
{
	uint32_t n = 1;

	while (n < max && !s->hops[first + n]->error == !s->hops[first]->error)
		n++;
	return n;
}

/*
 * Several programs that cannot be traced: only their counters around a single packet tell which one
 * decided.
 */
static bool one_by_one(const struct fg_session *s, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (s->hops[i]->one_by_one)
			return true;
	return false;
}

/* A trace says a lot of each packet: no more at a time than the socket's buffer holds. */
#define TRACED_MAX 64

static uint32_t span_length(const struct fg_session *s, uint32_t total)
{
	if (s->hops[0]->context.awaited)
		return total;
	if (one_by_one(s, total))
		return 1;
	return fg_session_traces(s) && total > TRACED_MAX ? TRACED_MAX : total;
}

/* Once: before the first packet. */
static int hold(struct fg_session *s, struct fg_error *err)
{
	FG_FD int fd = fg_fd_take(&s->hold_fd);

	if (fd < 0)
		return 0;
	s->options.awaiting(s->options.arg);
	return fg_hold_wait(fd, s->options.cancel_fd, err);
}

int fg_window_run(struct fg_session *session, uint32_t *count, struct fg_error *err)
{
	struct span span = {};
	uint32_t total, step;

	if (!*count)
		return 0;
	if (fg_session_wake(session, err) || build(session, count, err))
		return -1;
	total = *count;
	session->sent = 0;
	/* Here no result points into the host's lists. */
	fg_device_table_renew(&session->names, &session->host, fg_clock_now());
	/* All next hops are known before anything is sent: an error leaves nothing half done. */
	if (find_hops(session, total, err) || place_steps(session, total, err))
		return -1;
	fg_timing_phase("routes and receivers");
	if (fg_session_traces(session) &&
	    fg_nftrace_expect(session->watch.nftrace, session->window, total, err))
		return -1;
	if (hold(session, err))
		return -1;
	session->explaining = session->options.explain && total == 1;
	fg_fill_begin(session, total);
	step = span_length(session, total);
	for (; span.first < total; span.first += span.count) {
		span.count = alike(session, span.first,
				   total - span.first < step ? total - span.first : step);
		if (session->options.reply)
			span.count = fg_twins_before(session, span.first, span.first + span.count);
		if (session->hops[span.first]->error)
			refuse_span(session, &span);
		else if (run_span(session, &span, err))
			return -1;
	}
	distrust_counts(session, 0, total);
	fg_fill_end(session, total);
	return 0;
}

int fg_window_send_again(struct fg_session *session, uint32_t index, struct fg_error *err)
{
	const struct span span = { .first = index, .count = 1 };

	if (run_span(session, &span, err))
		return -1;
	distrust_counts(session, index, 1);
	return 0;
}
