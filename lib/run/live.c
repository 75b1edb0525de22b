// SPDX-License-Identifier: GPL-2.0-only
/* run/live.c - a session on this host, and the guards of its pods. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/grow.h"
#include "signals/signals.h"
#include "host/capability.h"
#include "host/confine.h"
#include "run/internal.h"
#include "guard/guard.h"
#include "timing/timing.h"

struct live {
	struct fg_run_live_options options;
	struct fg_session *session;
	struct pod_guard {
		struct fg_guard *guard; /* NULL until it is asked */
	} * guards;			/* by the pod's number; owned */
	size_t guard_count;
	int signals;
	bool warned; /* of what is true of the host as a whole */
	/* admitted since a window was sent: what these leave is not in connection tracking yet */
	uint64_t admitted;
	bool filling;	  /* it was told that the table fills */
	uint64_t left;	  /* probes that are still to be sent; UINT64_MAX: not known */
	bool tables_told; /* what the first ones left was looked at */
};

static void warn_disturbs(struct live *l)
{
	const char *disturbs;

	while ((disturbs = fg_session_disturbs(l->session)))
		fg_run_ui_warn(&l->options.ui, "%s", disturbs);
}

static void warn(struct live *l, int pod, enum fg_method wanted)
{
	const char *why = fg_session_method_why(l->session, pod);
	const char *blind = fg_session_blind(l->session);
	const char *unseen;
	char text[400];

	if (why && wanted != FG_METHOD_AUTO)
		fg_run_ui_warn(&l->options.ui, "%s", why);
	warn_disturbs(l);
	if (l->warned)
		return;
	l->warned = true;
	unseen = fg_host_unseen(fg_session_host(l->session), text, sizeof(text));
	if (unseen)
		fg_run_ui_warn(&l->options.ui, "%s", unseen);
	if (blind && (l->options.session.deliver || l->options.session.reply))
		fg_run_ui_warn(&l->options.ui, "deliveries to sockets are not seen: %s", blind);
}

static int add_pod(void *self, const char *ref, const char *interface, enum fg_method wanted,
		   struct fg_error *err)
{
	struct live *l = self;
	int pod = fg_session_add_pod(l->session, ref, interface, wanted, err);

	if (pod >= 0)
		warn(l, pod, wanted);
	return pod;
}

/* A guard of another pod would also keep that one's namespace alive. */
static int renew_pod(void *self, int pod, struct fg_error *err)
{
	struct live *l = self;
	int ret = fg_session_renew_pod(l->session, pod, err);

	if ((size_t)pod < l->guard_count &&
	    !fg_guard_is_of(l->guards[pod].guard, fg_session_pod(l->session, pod)))
		fg_guard_close(FG_TAKE(l->guards[pod].guard));
	return ret;
}

static const struct fg_pod *pod_of(void *self, int pod)
{
	return fg_session_pod(((struct live *)self)->session, pod);
}

static const struct fg_context *context_of(void *self, int pod)
{
	return fg_session_context(((struct live *)self)->session, pod);
}

static struct fg_probe *window_of(void *self, uint32_t *room)
{
	return fg_session_window(((struct live *)self)->session, room);
}

static uint32_t at_once(void *self, uint64_t left)
{
	struct live *l = self;

	l->left = left;
	return fg_session_at_once(l->session, left);
}

/* --- what fills --- */

static const char *what_follows(const struct fg_leftover_map *m)
{
	return m->evicts ? "those of live connections are then evicted"
			 : "new connections then find no room";
}

static void warn_map(struct live *l, const struct fg_leftover_map *m, uint32_t probes)
{
	uint64_t more = fg_leftovers_excess(m->gained, probes, l->left, m->entries, m->max);

	if (!more)
		return;
	fg_run_ui_warn(&l->options.ui,
		       "the policy's table %s (BPF map %u) holds %s%llu of %llu entries, and the "
		       "probes to come add about %llu: %s",
		       m->name, m->id, m->about ? "about " : "", (unsigned long long)m->entries,
		       (unsigned long long)m->max, (unsigned long long)more, what_follows(m));
}

/* The first window says how many entries a probe leaves. */
static void warn_tables(struct live *l)
{
	const struct fg_leftover_maps *maps = fg_session_tables(l->session);

	for (uint32_t i = 0; maps && i < maps->count; i++)
		warn_map(l, &maps->list[i], maps->probes);
}

/* Of a run whose length nobody knows: once, as soon as it has taken half of what was free. */
static void warn_half(struct live *l)
{
	const struct fg_leftover_maps *maps = fg_session_tables(l->session);

	for (uint32_t i = 0; maps && i < maps->count; i++) {
		const struct fg_leftover_map *m = &maps->list[i];

		if (!fg_session_is_filling(l->session, m))
			continue;
		l->tables_told = true;
		fg_run_ui_warn(&l->options.ui,
			       "the policy's table %s (BPF map %u) holds %s%llu of %llu entries, "
			       "%llu of them of the probes so far, and the run goes on: %s",
			       m->name, m->id, m->about ? "about " : "",
			       (unsigned long long)m->entries, (unsigned long long)m->max,
			       (unsigned long long)m->gained, what_follows(m));
	}
}

static void warn_tracking(struct live *l, uint64_t used, uint64_t max)
{
	l->filling = true;
	fg_run_ui_warn(
		&l->options.ui,
		"connection tracking of the node holds %llu of %llu entries: probes may fill "
		"it, and new connections are then dropped; --tidy keeps it free",
		(unsigned long long)used, (unsigned long long)max);
}

/*
 * The same of connection tracking, which counts everybody's entries: only if each of the probes
 * added one, or about that. With --tidy they are gone by the next window.
 */
static void estimate_tracking(struct live *l, int pod, uint32_t probes, uint64_t before)
{
	uint64_t used, max;

	if (l->filling || l->options.tidy || fg_guard_fill(pod_of(l, pod), &used, &max) || !max ||
	    used <= before || (used - before) * 2 < probes)
		return;
	if (fg_leftovers_excess(used - before < probes ? used - before : probes, probes, l->left,
				used, max))
		warn_tracking(l, used, max);
}

static int send_window(void *self, uint32_t *count, struct fg_error *err)
{
	struct live *l = self;
	uint32_t room, probes = *count;
	int pod = fg_session_window(l->session, &room)[0].spec.pod, ret;
	bool first = !l->tables_told && l->left != UINT64_MAX && l->left > probes;
	uint64_t before = 0, max;

	if (first)
		fg_guard_fill(pod_of(l, pod), &before, &max);
	ret = fg_session_run(l->session, count, err);
	if (first && !ret) {
		estimate_tracking(l, pod, probes, before);
		warn_tables(l);
		l->tables_told = true;
	} else if (!l->tables_told && !ret) {
		warn_half(l);
	}
	l->admitted = 0;
	/* Before the results that it is about. */
	warn_disturbs(l);
	return ret;
}

/* --- guards --- */

/* A pod that sends by several devices is in the session several times: its sockets are the same. */
static int first_of(struct live *l, int pod)
{
	uint32_t inode = pod_of(l, pod)->inode;

	for (int i = 0; i < pod; i++)
		if (pod_of(l, i)->inode == inode)
			return i;
	return pod;
}

static struct fg_guard *guard_of(struct live *l, int pod, struct fg_error *err)
{
	pod = first_of(l, pod);
	while (l->guard_count <= (size_t)pod)
		if (!FG_APPEND(l->guards, l->guard_count, "guards", err))
			return NULL;
	if (!l->guards[pod].guard)
		l->guards[pod].guard =
			fg_guard_open(pod_of(l, pod), l->options.probes, l->options.tracking, err);
	return l->guards[pod].guard;
}

static int route(void *self, struct fg_probe_spec *spec, struct fg_error *err)
{
	return fg_session_route(((struct live *)self)->session, spec, err);
}

/* A full table refuses the node's new connections: told before it is. */
#define FILL_STEP 1024

static void watch_fill(struct live *l, int pod)
{
	uint64_t used, max, more;

	if (l->filling || l->options.probes < FILL_STEP || l->admitted++ % FILL_STEP)
		return;
	/* With --tidy there are never more than those of a window. */
	more = (l->options.tidy ? 0 : l->admitted) + FILL_STEP;
	if (fg_guard_fill(pod_of(l, pod), &used, &max) || !max || used + more < max - max / 10)
		return;
	warn_tracking(l, used, max);
}

static int admit(void *self, const struct fg_plan *plan, struct fg_probe_spec *spec,
		 struct fg_error *err)
{
	struct fg_guard *guard = guard_of(self, spec->pod, err);

	if (!guard)
		return -1;
	watch_fill(self, spec->pod);
	return fg_guard_admit(guard, plan, spec, err);
}

static int run_command(void *self, int pod, enum fg_method method,
		       const struct fg_scenario_command *command, struct fg_scenario_ran *ran,
		       struct fg_error *err)
{
	struct live *l = self;
	const struct fg_pod *p = pod_of(l, pod);
	const struct fg_run_job job = { .ref = p->ref,
					.interface = p->uplink ? "" : p->peer.name,
					.method = method,
					.host_root = l->options.session.host_root,
					.command = command,
					.cancel_fd = l->signals,
					.ui = l->options.ui,
					.arg = l->options.command_arg };

	if (!l->options.command)
		return fg_fail(err, FG_ERR_UNSUPPORTED, "this run takes no commands");
	return l->options.command(&job, ran, err);
}

/* Only a session of one pod looks for them. */
static int leftovers(void *self, struct fg_probe *probes, uint32_t count, bool tidy,
		     struct fg_error *err)
{
	struct fg_guard *guard = guard_of(self, probes[0].spec.pod, err);

	return guard ? fg_guard_leftovers(guard, probes, count, tidy, err) : -1;
}

static void forget_flows(void *self)
{
	struct live *l = self;

	for (size_t i = 0; i < l->guard_count; i++)
		fg_guard_close(l->guards[i].guard);
	l->guard_count = 0;
}

/* --- time and signals --- */

static uint64_t now(void *self)
{
	(void)self;
	return fg_clock_now();
}

static int wait_until(void *self, uint64_t until_ns, struct fg_error *err)
{
	struct live *l = self;
	struct pollfd p = { .fd = l->signals, .events = POLLIN };
	uint64_t at = fg_session_idle(l->session, until_ns), ns = fg_clock_now();
	struct timespec ts;

	if (at <= ns)
		return 0;
	ts = (struct timespec){ .tv_sec = (time_t)((at - ns) / 1000000000ULL),
				.tv_nsec = (long)((at - ns) % 1000000000ULL) };
	if (ppoll(&p, 1, &ts, NULL) < 0 && errno != EINTR)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "wait");
	return 0;
}

/* The signal stays in the descriptor, so that the session sees it too. */
static bool cancelled(void *self)
{
	struct live *l = self;
	struct pollfd p = { .fd = l->signals, .events = POLLIN };

	return fg_session_cancelled(l->session) || poll(&p, 1, 0) > 0;
}

static int cancel_fd(void *self)
{
	return ((struct live *)self)->signals;
}

static int confine(void *self, bool files, struct fg_error *err)
{
	(void)self;
	return fg_confine(FG_CONFINE_SESSION, files, err);
}

static struct fg_host *host_of(void *self)
{
	return fg_session_host(((struct live *)self)->session);
}

static void close_live(void *self)
{
	struct live *l = self;

	forget_flows(l);
	free(l->guards);
	fg_session_close(l->session);
	fg_fd_close(&l->signals);
	free(l);
}

int fg_run_live_open(const struct fg_run_live_options *options, struct fg_run_session *out,
		     struct fg_error *err)
{
	static const struct fg_run_session_ops ops = { .add_pod = add_pod,
						       .renew_pod = renew_pod,
						       .pod = pod_of,
						       .context = context_of,
						       .window = window_of,
						       .send = send_window,
						       .route = route,
						       .admit = admit,
						       .command = run_command,
						       .leftovers = leftovers,
						       .at_once = at_once,
						       .forget_flows = forget_flows,
						       .now = now,
						       .wait = wait_until,
						       .cancelled = cancelled,
						       .cancel_fd = cancel_fd,
						       .confine = confine,
						       .host = host_of,
						       .close = close_live };
	struct live *l = calloc(1, sizeof(*l));

	fg_run_origin(); /* the run begins before anything is sent */
	if (!l)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "session");
	l->options = *options;
	l->signals = fg_signals_open(err);
	l->options.session.cancel_fd = l->signals;
	if (l->signals >= 0 && !fg_capability_preflight(err))
		l->session = fg_session_open(&l->options.session, err);
	fg_timing_phase("privileges and namespaces");
	if (!l->session) {
		close_live(l);
		return -1;
	}
	*out = (struct fg_run_session){ .ops = &ops, .self = l };
	return 0;
}
