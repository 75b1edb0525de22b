// SPDX-License-Identifier: GPL-2.0-only
/*
 * run/dry.c - a session that sends nothing: it builds the frames and touches nothing. The next hop
 * is not resolved: that would send. Without a look at the pod nothing is opened, and so no
 * privilege is needed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "host/confine.h"
#include "host/pod.h"
#include "net/connect.h"
#include "run/internal.h"

struct dry {
	const char *host_root;
	bool look;
	struct fg_pod pod;	 /* as far as it is shown */
	struct fg_pod live;	 /* what its routing is asked by; closed: it is not looked at */
	uint8_t mac[6];		 /* of the pod, zero if it is not known */
	struct fg_ladder ladder; /* empty */
	struct fg_context context;
	struct fg_probe *window; /* one to send, and its fragments after it */
	size_t room;
	uint8_t *frames;
	size_t frames_room;
};

/* What only the pod itself knows. Nothing else of it is shown. */
static int look_at_pod(struct dry *d, const char *ref, const char *interface, struct fg_error *err)
{
	struct fg_host host = {};
	int ret = fg_host_open(&host, d->host_root, err);

	if (!ret)
		ret = fg_uplink_or_pod_open(&host, ref, interface, &d->live, err);
	if (!ret) {
		d->pod.inode = d->live.inode;
		d->pod.uplink = d->live.uplink;
		d->pod.addresses = d->live.addresses;
		d->pod.rtnl = d->live.rtnl;
		d->pod.peer.mtu = d->live.peer.mtu;
		snprintf(d->pod.peer.name, sizeof(d->pod.peer.name), "%s", d->live.peer.name);
		memcpy(d->mac, d->live.peer.mac, sizeof(d->mac));
		d->live.addresses = (struct fg_link_addresses){};
	}
	fg_host_close(&host);
	return ret;
}

/* The source address that the pod's kernel would choose. The rest of a route is not shown. */
static int route(void *self, struct fg_probe_spec *spec, struct fg_error *err)
{
	struct dry *d = self;
	const struct fg_connect_query query = fg_connect_of_probe(spec);
	struct fg_route found;

	(void)err;
	if (d->live.rtnl && spec->any_source &&
	    !fg_connect_route(d->live.rtnl, d->live.netns, &query, &found) && found.from.family)
		spec->vary.src = found.from;
	return 0;
}

static int add_pod(void *self, const char *ref, const char *interface, enum fg_method wanted,
		   struct fg_error *err)
{
	struct dry *d = self;

	(void)wanted;
	if (!d->look)
		return 0;
	snprintf(d->pod.ref, sizeof(d->pod.ref), "%s", ref);
	return look_at_pod(d, ref, interface, err);
}

static int renew_pod(void *self, int pod, struct fg_error *err)
{
	(void)self;
	(void)pod;
	(void)err;
	return 0;
}

static const struct fg_pod *pod_of(void *self, int pod)
{
	const struct dry *d = self;

	(void)pod;
	return d->look ? &d->pod : NULL;
}

static const struct fg_context *context_of(void *self, int pod)
{
	(void)pod;
	return &((struct dry *)self)->context;
}

static struct fg_probe *window_of(void *self, uint32_t *room)
{
	*room = 1;
	return ((struct dry *)self)->window;
}

/* One probe has as many results as fragments. */
static int show(struct dry *d, uint32_t *count, struct fg_error *err)
{
	struct fg_probe built = d->window[0];

	if (!FG_GROW_TO(d->window, d->room, built.frame.count, "frames", err))
		return -1;
	*count = built.frame.count;
	for (uint32_t i = 0; i < *count; i++) {
		struct fg_probe *p = &d->window[i];

		*p = (struct fg_probe){ .spec = built.spec, .frame = built.frame };
		if (*count > 1)
			fg_probe_take_fragment(p, &built.frame, i);
		memcpy(p->frame.data + 6, d->mac, sizeof(d->mac));
		p->result = (struct fg_result){ .denied_by = -1,
						.redirected_by = -1,
						.outcome = FG_OUTCOME_INCONCLUSIVE,
						.reason = "not sent: --dry-run" };
	}
	return 0;
}

static int build(void *self, uint32_t *count, struct fg_error *err)
{
	struct dry *d = self;
	struct fg_probe *p = &d->window[0];
	size_t bound = fg_probe_bound(&p->spec);

	if (!FG_GROW_TO(d->frames, d->frames_room, bound, "frames", err))
		return -1;
	p->frame = (struct fg_frame){ .data = d->frames, .size = bound };
	return fg_probe_build(&p->spec, &p->frame, err) ? -1 : show(d, count, err);
}

static int admit(void *self, const struct fg_plan *plan, struct fg_probe_spec *spec,
		 struct fg_error *err)
{
	(void)self;
	(void)plan;
	(void)spec;
	(void)err;
	return 0;
}

static void forget_flows(void *self)
{
	(void)self;
}

static uint64_t now(void *self)
{
	(void)self;
	return fg_clock_now();
}

static int wait_until(void *self, uint64_t until_ns, struct fg_error *err)
{
	(void)self;
	(void)until_ns;
	(void)err;
	return 0;
}

static int confine(void *self, bool files, struct fg_error *err)
{
	(void)self;
	return fg_confine(FG_CONFINE_READ, files, err);
}

static bool cancelled(void *self)
{
	(void)self;
	return false;
}

static struct fg_host *host_of(void *self)
{
	(void)self;
	return NULL;
}

static void close_dry(void *self)
{
	struct dry *d = self;

	free(d->pod.addresses.list);
	fg_pod_close(&d->live);
	free(d->window);
	free(d->frames);
	free(d);
}

int fg_run_dry_open(const char *host_root, bool look, struct fg_run_session *out,
		    struct fg_error *err)
{
	static const struct fg_run_session_ops ops = { .add_pod = add_pod,
						       .renew_pod = renew_pod,
						       .pod = pod_of,
						       .context = context_of,
						       .window = window_of,
						       .send = build,
						       .route = route,
						       .admit = admit,
						       .forget_flows = forget_flows,
						       .now = now,
						       .wait = wait_until,
						       .cancelled = cancelled,
						       .confine = confine,
						       .host = host_of,
						       .close = close_dry };
	struct dry *d = calloc(1, sizeof(*d));

	if (!d)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "session");
	if (!FG_GROW_TO(d->window, d->room, 1, "frames", err)) {
		free(d);
		return -1;
	}
	d->live = (struct fg_pod){ .netns = -1, .host_netns = -1 };
	d->host_root = host_root;
	d->look = look;
	d->context.ladder = &d->ladder;
	*out = (struct fg_run_session){ .ops = &ops, .self = d };
	return 0;
}
