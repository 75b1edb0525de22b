// SPDX-License-Identifier: GPL-2.0-only
/* window.c - one window of a session: build, send, collect, judge. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "judge.h"
#include "session_state.h"

/*
 * A packet that was handed to a socket may still be refused by it (a full buffer), in the same softirq. When
 * nothing more came within this time, it was taken.
 */
#define SOFT_NS 1000000ULL

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static struct fg_member *member_of(const struct fg_session *s, const struct fg_probe *probe)
{
	return s->members[probe->spec.pod];
}

/* --- build --- */

/* Room for all frames of the window, before any is built: frames point into it. */
static int reserve(struct fg_session *s, uint32_t count, struct fg_error *err)
{
	size_t need = 0;
	uint8_t *grown;

	for (uint32_t i = 0; i < count; i++)
		need += fg_probe_bound(&s->window[i].spec);
	if (need <= s->arena_size)
		return 0;
	grown = realloc(s->arena, need);
	if (!grown)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "frames");
	s->arena = grown;
	s->arena_size = need;
	return 0;
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

/* The twelve address bytes: the envelope for flowgen's own device, the addresses themselves in the pod. */
static int address(struct fg_session *s, uint32_t index, uint32_t number, struct fg_error *err)
{
	struct fg_probe *p = &s->window[index];
	struct fg_member *m = member_of(s, p);
	const struct fg_hop *hop = fg_member_hop(s, m, &p->spec.vary.src, &p->spec.vary.dst, err);
	struct fg_envelope e = { .magic = { FG_ENVELOPE_MAGIC0, FG_ENVELOPE_MAGIC1 } };

	if (!hop)
		return -1;
	if (m->port < 0) {
		memcpy(p->frame.data, hop->mac, 6);
		memcpy(p->frame.data + 6, m->pod.peer.mac, 6);
		return 0;
	}
	e.slot = htons(hop->slot);
	e.probe = htonl(number);
	e.cookie = fg_datapath_config(s->datapath)->cookie;
	memcpy(p->frame.data, &e, sizeof(e));
	return 0;
}

/* Afterwards the addresses are those that the packet had on the pod's path. */
static void unwrap(struct fg_session *s, struct fg_probe *p)
{
	struct fg_member *m = member_of(s, p);
	const struct fg_hop *hop = fg_member_hop(s, m, &p->spec.vary.src, &p->spec.vary.dst, NULL);

	if (!hop)
		return;
	memcpy(p->frame.data, hop->mac, 6);
	memcpy(p->frame.data + 6, m->pod.peer.mac, 6);
}

/* A stretch of the window that is sent and waited for in one go; on the wire its probes are numbered from 0. */
struct span {
	uint32_t first;
	uint32_t count;
};

/* --- send --- */

/* Neighbours in the window with the same way out are written in one call. */
static uint32_t run_length(const struct fg_session *s, uint32_t first, uint32_t end)
{
	const struct fg_member *m = member_of(s, &s->window[first]);
	uint32_t n = 1;

	while (first + n < end && m->port >= 0 &&
	       member_of(s, &s->window[first + n])->port == m->port)
		n++;
	return n;
}

static int send_run(struct fg_session *s, const struct span *span, uint32_t first, uint32_t n,
		    struct fg_error *err)
{
	struct fg_member *m = member_of(s, &s->window[first]);
	struct fg_config *config = fg_datapath_config(s->datapath);
	int sent;

	for (uint32_t i = 0; i < n; i++) {
		const struct fg_frame *f = &s->window[first + i].frame;

		s->buffers[i] = (struct fg_chunk){ f->data, f->len, &f->offload };
	}
	if (m->port >= 0)
		return fg_sender_write(&s->gates[m->port].sender, s->buffers, n, err);
	/* In the pod there is no envelope: the observers take the number of the frame that is being written. */
	__atomic_store_n(&config->sending, first - span->first, __ATOMIC_RELEASE);
	__atomic_store_n(&config->socket, fg_sender_cookie(&m->sender), __ATOMIC_RELEASE);
	sent = fg_sender_write(&m->sender, s->buffers, n, err);
	__atomic_store_n(&config->socket, 0, __ATOMIC_RELEASE);
	return sent;
}

/*
 * Returns 0; what the kernel did not take is marked, and so ends as inconclusive. -1 where it took nothing at all,
 * or memory is short.
 */
static int send_all(struct fg_session *s, const struct span *span, struct fg_error *err)
{
	uint32_t end = span->first + span->count;
	bool any = false;

	for (uint32_t i = span->first; i < end;) {
		uint32_t n = run_length(s, i, end);
		int sent = send_run(s, span, i, n, err);

		if (sent < 0)
			sent = 0;
		any |= sent > 0;
		if ((uint32_t)sent < n) {
			/* A device that is down, or a frame it finds too long: the next ones are still tried. */
			s->window[i + (uint32_t)sent].trace.unsent = true;
			n = (uint32_t)sent + 1;
		}
		i += n;
		/* The ring is emptied while the window is being sent, so that a small one is enough. */
		if (fg_collector_take(s->collector, err))
			return -1;
	}
	return any ? 0 : -1;
}

/* --- collect --- */

static bool cancelled(struct fg_session *s)
{
	struct pollfd p = { .fd = s->options.cancel_fd, .events = POLLIN };

	if (s->options.cancel_fd >= 0 && !s->cancelled && poll(&p, 1, 0) > 0)
		s->cancelled = true;
	return s->cancelled;
}

/*
 * The kernel wakes a reader of the ring only for a record that the reader has caught up with, and most records ask for
 * no waking at all; so an end may come without a call. A short look that grows longer finds it: late by as much as was
 * waited already, and no more than NAP_MAX_NS.
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
	uint64_t end = now_ns() + s->options.timeout_ns, soft_end = 0, now;
	uint32_t unsent = unsent_count(s, span), soft;
	uint64_t nap = NAP_MIN_NS;

	for (;;) {
		uint32_t open;

		if (fg_collector_take(s->collector, err))
			return -1;
		open = fg_collector_open_count(s->collector, &soft) - unsent;
		now = now_ns();
		if (!open || now >= end || cancelled(s))
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

/* --- the run counters --- */

static void read_counts(const struct fg_member *m, struct fg_run_count counts[FG_LADDER_MAX])
{
	for (size_t i = 0; i < m->ladder.count; i++)
		if (m->counter_fds[i] < 0 || fg_policy_run_count(m->counter_fds[i], &counts[i]))
			counts[i] = (struct fg_run_count){};
}

/*
 * One packet: the counters say what it ran. Many packets: a program that ran exactly as often as there were packets
 * ran once for each of them; any other number tells nothing of a single one.
 */
static void apply_counts(struct fg_session *s, const struct span *span,
			 const struct fg_run_count before[FG_LADDER_MAX],
			 const struct fg_run_count after[FG_LADDER_MAX])
{
	const struct fg_member *m = member_of(s, &s->window[span->first]);

	for (uint32_t k = 0; k < span->count; k++) {
		struct fg_trace *t = &s->window[span->first + k].trace;

		t->counted = true;
		for (size_t i = 0; i < m->ladder.count; i++) {
			uint64_t runs = after[i].runs - before[i].runs;

			t->runs[i] = FG_RUNS_UNKNOWN;
			t->run_ns[i] = 0;
			if (m->counter_fds[i] < 0 ||
			    (span->count > 1 && runs && runs != span->count))
				continue;
			t->runs[i] = (uint32_t)(runs / span->count);
			t->run_ns[i] = (after[i].ns - before[i].ns) / span->count;
		}
	}
}

/* All probes of the span are of one pod. */
static bool single_pod(const struct fg_session *s, const struct span *span)
{
	for (uint32_t i = 1; i < span->count; i++)
		if (s->window[span->first + i].spec.pod != s->window[span->first].spec.pod)
			return false;
	return true;
}

/* --- all of it --- */

static void prepare(struct fg_session *s, const struct span *span)
{
	struct fg_config *config = fg_datapath_config(s->datapath);
	struct fg_window w = { .probes = s->window + span->first,
			       .scenes = s->scenes + span->first,
			       .count = span->count,
			       .generation = ++s->generation,
			       .symbols = s->symbols };
	uint32_t pieces = 0;

	for (uint32_t i = span->first; i < span->first + span->count; i++) {
		struct fg_trace *t = &s->window[i].trace;

		fg_trace_reset(t);
		fg_probe_measure(&s->window[i].frame, t->whole);
		pieces |= (t->whole[FG_PIECE_FRAGMENT] ? FG_PIECES_FRAGMENTS : 0) |
			  (t->whole[FG_PIECE_SEGMENT] ? FG_PIECES_SEGMENTS : 0);
		s->scenes[i] = &member_of(s, &s->window[i])->scene;
	}
	/* Packets that never end (in a socket's queue, in a device) would fill the table in the end. */
	if (s->left > FG_WINDOW * 8) {
		fg_datapath_forget(s->datapath);
		s->left = 0;
	}
	__atomic_store_n(&config->pieces, pieces, __ATOMIC_RELEASE);
	__atomic_store_n(&config->generation, s->generation, __ATOMIC_RELEASE);
	__atomic_store_n(&config->active, 1, __ATOMIC_RELEASE);
	fg_collector_begin(s->collector, &w);
}

static int send_and_collect(struct fg_session *s, const struct span *span, struct fg_error *err)
{
	const struct fg_counters *counters = fg_datapath_counters(s->datapath);
	uint64_t lost = __atomic_load_n(&counters->lost, __ATOMIC_ACQUIRE), sent_ns = now_ns();
	struct fg_run_count before[FG_LADDER_MAX] = {}, after[FG_LADDER_MAX] = {};
	const struct fg_member *m = member_of(s, &s->window[span->first]);
	bool counting = m->has_untraced && s->stats_fd >= 0 && single_pod(s, span);
	struct fg_config *config = fg_datapath_config(s->datapath);
	int ret;

	if (counting)
		read_counts(m, before);
	ret = send_all(s, span, err) || collect(s, span, err);
	lost = __atomic_load_n(&counters->lost, __ATOMIC_ACQUIRE) - lost;
	/* Of what was not told nobody knows whether it ended. */
	s->left += fg_collector_left(s->collector) + (lost > 0);
	/* Between windows the programs look at nothing that need not be looked at. */
	__atomic_store_n(&config->left, s->left > 0, __ATOMIC_RELEASE);
	__atomic_store_n(&config->active, 0, __ATOMIC_RELEASE);
	if (ret)
		return -1;
	if (counting) {
		read_counts(m, after);
		apply_counts(s, span, before, after);
	}
	for (uint32_t i = span->first; i < span->first + span->count; i++) {
		s->window[i].trace.lost = lost;
		s->window[i].trace.sent_ns = sent_ns;
	}
	return 0;
}

/*
 * Programs may have been attached or replaced since they were listed: then the ladder is not the one that ran.
 * What became of a packet is seen on the packet; so that the ladder is right is looked at now and then, and
 * always where a denial has no denier.
 */
#define LOOK_AGAIN_NS 50000000ULL

static void check_path(struct fg_session *s, struct fg_member *m, const struct span *span)
{
	uint64_t now = now_ns();
	struct fg_ladder ladder;
	bool doubtful = false, changed = true;

	for (uint32_t i = span->first; i < span->first + span->count; i++)
		doubtful |= member_of(s, &s->window[i]) == m &&
			    s->window[i].result.verdict == FG_VERDICT_DENIED &&
			    s->window[i].result.denied_by < 0;
	if (!doubtful && now - m->looked_ns < LOOK_AGAIN_NS)
		return;
	m->looked_ns = now;
	if (!fg_policy_list(&m->pod, &ladder, NULL)) {
		changed = !fg_policy_same(&m->ladder, &ladder);
		fg_ladder_free(&ladder);
	}
	for (uint32_t i = span->first; changed && i < span->first + span->count; i++)
		if (member_of(s, &s->window[i]) == m) {
			s->window[i].trace.changed = true;
			fg_judge(s->scenes[i], &s->window[i]);
		}
}

/* Packets come by devices of namespaces that have nothing to do with the pod: their names are looked up once. */
static void name_places(struct fg_session *s, const struct span *span)
{
	for (uint32_t i = span->first; i < span->first + span->count; i++)
		for (uint32_t k = 0; k < s->window[i].trace.count; k++)
			fg_names_find(&s->names, &s->host, s->window[i].trace.list[k].event.netns);
}

/* Beside the answers, when these are final. */
static void explain_drops(struct fg_session *s, const struct span *span)
{
	if (!s->nftrace)
		return;
	fg_nftrace_take(s->nftrace);
	for (uint32_t i = span->first; i < span->first + span->count; i++)
		fg_nftrace_explain(s->nftrace, i, s->scenes[i], &s->window[i]);
}

static int run_span(struct fg_session *s, const struct span *span, struct fg_error *err)
{
	for (uint32_t i = 0; i < span->count; i++)
		if (address(s, span->first + i, i, err))
			return -1;
	prepare(s, span);
	if (send_and_collect(s, span, err))
		return -1;
	name_places(s, span);
	for (uint32_t i = span->first; i < span->first + span->count; i++) {
		fg_judge(s->scenes[i], &s->window[i]);
		unwrap(s, &s->window[i]);
		if (fg_session_close_half_open(s, &s->window[i], err))
			return -1;
	}
	for (size_t k = 0; k < s->member_count; k++)
		check_path(s, s->members[k], span);
	explain_drops(s, span);
	return 0;
}

/* Several programs that cannot be traced: only their counters around a single packet tell which one decided. */
static bool one_by_one(const struct fg_session *s, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (member_of(s, &s->window[i])->one_by_one)
			return true;
	return false;
}

/* A trace says a lot of each packet: no more at a time than the socket's buffer holds. */
#define TRACED_MAX 64

static uint32_t span_length(const struct fg_session *s, uint32_t total)
{
	if (one_by_one(s, total))
		return 1;
	return s->nftrace && total > TRACED_MAX ? TRACED_MAX : total;
}

int fg_session_run(struct fg_session *session, uint32_t *count, struct fg_error *err)
{
	struct span span = {};
	uint32_t total, step;

	if (!*count)
		return 0;
	if (fg_session_wake(session, err) || build(session, count, err))
		return -1;
	total = *count;
	/* All next hops are known before anything is sent: an error leaves nothing half done. */
	for (uint32_t i = 0; i < total; i++)
		if (address(session, i, i, err))
			return -1;
	if (session->nftrace && fg_nftrace_expect(session->nftrace, session->window, total, err))
		return -1;
	step = span_length(session, total);
	for (; span.first < total; span.first += step) {
		span.count = total - span.first < step ? total - span.first : step;
		if (run_span(session, &span, err))
			return -1;
	}
	return 0;
}
