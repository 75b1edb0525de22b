// SPDX-License-Identifier: GPL-2.0-only
/* run/pods.c - what a run knows of its pods: reports, changes, and where they cannot send to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "net/offload.h"
#include "run/internal.h"

const struct fg_run_session *fg_run_session(const struct fg_run *run)
{
	return run->session;
}

static const struct fg_pod *pod_of(const struct fg_run *run, int pod)
{
	return run->session->ops->pod(run->session->self, pod);
}

void fg_run_fit(const struct fg_pod *pod, uint16_t family, struct fg_packet_spec *packet)
{
	packet->mtu = pod->peer.mtu;
	/* What comes from a wire is complete. */
	if (pod->uplink)
		return;
	if (fg_offload_usual(packet, family) && fg_offload_device(pod->netns, pod->peer.name))
		packet->checksum_offload = true;
}

/* --- reports --- */

struct fg_source_pod fg_run_source_pod(const struct fg_pod *pod, const char *label,
				       const struct fg_addr *src)
{
	struct fg_source_pod out = { .ref = pod ? pod->ref : label };

	if (src)
		out.address = *src;
	if (!pod)
		return out;
	out.path = pod->path;
	out.netns = pod->inode;
	out.name = pod->name[0] || !label ? pod->name : label;
	out.device.primary = pod->primary.name;
	out.device.primary_ifindex = pod->primary.ifindex;
	if (pod->uplink) {
		out.outside = true;
		out.netns = pod->host_inode;
		out.device.kind = pod->primary.kind[0] ? pod->primary.kind : NULL;
		return out;
	}
	if (!pod->peer.kind[0])
		return out;
	out.device.kind = pod->peer.kind;
	out.device.mode = pod->peer.netkit_mode == FG_LINK_L2	? "l2"
			  : pod->peer.netkit_mode == FG_LINK_L3 ? "l3"
								: NULL;
	out.device.peer = pod->peer.name;
	out.device.peer_ifindex = pod->peer.ifindex;
	return out;
}

static int tell_writers(struct fg_run *run, const struct fg_report *report, struct fg_error *err)
{
	for (size_t i = 0; i < run->options->writer_count; i++) {
		struct fg_run_writer *w = run->options->writers[i];

		if (w->ops->pod && w->ops->pod(w, report, err))
			return -1;
	}
	return 0;
}

const struct fg_report *fg_run_report(struct fg_run *run, int pod, const struct fg_addr *src,
				      const char *label, struct fg_error *err)
{
	struct fg_source_pod source_pod = fg_run_source_pod(pod_of(run, pod), label, src);
	struct fg_report_options style = run->options->style;
	struct fg_run_report *r;

	style.origin = fg_run_origin();
	for (size_t i = run->report_count; i-- > 0;)
		if (run->reports[i].pod == pod && fg_addr_equal(&run->reports[i].src, src))
			return run->reports[i].report;
	r = FG_APPEND(run->reports, run->report_count, "reports", err);
	if (!r)
		return NULL;
	*r = (struct fg_run_report){ .pod = pod, .src = *src, .label = label };
	r->report = fg_report_open(&source_pod, run->session->ops->context(run->session->self, pod),
				   &style, err);
	return r->report && !tell_writers(run, r->report, err) ? r->report : NULL;
}

const struct fg_report *fg_run_report_as(struct fg_run *run, const struct fg_report *like, int pod,
					 const struct fg_addr *src, struct fg_error *err)
{
	const char *label = NULL;

	for (size_t i = 0; i < run->report_count; i++)
		if (run->reports[i].report == like)
			label = run->reports[i].label;
	return fg_run_report(run, pod, src, label, err);
}

static void forget_reports(struct fg_run *run, int pod)
{
	size_t kept = 0;

	for (size_t i = 0; i < run->report_count; i++) {
		if (run->reports[i].pod == pod)
			fg_report_close(run->reports[i].report);
		else
			run->reports[kept++] = run->reports[i];
	}
	run->report_count = kept;
}

/* --- changes --- */

int fg_run_note_change(struct fg_run *run, int pod, struct fg_error *err)
{
	while (run->pod_count <= (size_t)pod)
		if (!FG_APPEND(run->pods, run->pod_count, "pods", err))
			return -1;
	run->pods[pod].changed = true;
	return 0;
}

/* Probes are made from the addresses that the pod had; 0 for a family that it has none of. */
static void addresses_of(const struct fg_pod *pod, struct fg_addr out[2])
{
	const struct fg_addr *v4 = pod ? fg_pod_address(pod, AF_INET) : NULL;
	const struct fg_addr *v6 = pod ? fg_pod_address(pod, AF_INET6) : NULL;

	out[0] = v4 ? *v4 : (struct fg_addr){};
	out[1] = v6 ? *v6 : (struct fg_addr){};
}

/*
 * Returns 0; -1 also where another pod has the name now: what its programs make of the old address
 * says nothing.
 */
static int renew(struct fg_run *run, int pod, struct fg_error *err)
{
	const struct fg_run_session *s = run->session;
	struct fg_addr before[2], now[2];

	addresses_of(pod_of(run, pod), before);
	if (s->ops->renew_pod(s->self, pod, err))
		return -1;
	addresses_of(pod_of(run, pod), now);
	for (int i = 0; i < 2; i++)
		if (before[i].family && !fg_addr_equal(&before[i], &now[i]))
			return fg_fail(err, FG_ERR_UNSUPPORTED,
				       "pod %s: its addresses have changed since the start",
				       pod_of(run, pod)->ref);
	return 0;
}

int fg_run_renew(struct fg_run *run, struct fg_error *err)
{
	for (size_t i = 0; i < run->pod_count && !run->options->same_programs; i++) {
		struct fg_run_pod *pod = &run->pods[i];

		if (!pod->changed || pod->gone)
			continue;
		pod->changed = false;
		forget_reports(run, (int)i);
		if (run->source->ops->forget)
			run->source->ops->forget(run->source, (int)i);
		if (!renew(run, (int)i, err))
			continue;
		if (err->kind != FG_ERR_UNSUPPORTED || !run->source->leaves_out)
			return -1;
		pod->gone = strdup(err->message);
		if (!pod->gone)
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "pods");
	}
	return 0;
}

/* --- obstacles --- */

const char *fg_run_obstacle(const struct fg_run *run, const struct fg_run_item *item)
{
	const struct fg_probe_spec *spec = &item->spec;

	if ((size_t)spec->pod < run->pod_count && run->pods[spec->pod].gone)
		return run->pods[spec->pod].gone;
	for (size_t i = 0; i < run->dead_end_count; i++)
		if (run->dead_ends[i].pod == spec->pod &&
		    fg_addr_equal(&run->dead_ends[i].dst, &spec->vary.dst) &&
		    fg_addr_equal(&run->dead_ends[i].src, &spec->vary.src))
			return run->dead_ends[i].why;
	return NULL;
}

int fg_run_note_dead_end(struct fg_run *run, struct fg_run_item *item, const struct fg_error *cause,
			 struct fg_error *err)
{
	struct fg_run_dead_end *d =
		FG_APPEND(run->dead_ends, run->dead_end_count, "dead ends", err);

	if (!d)
		return -1;
	*d = (struct fg_run_dead_end){ .pod = item->spec.pod,
				       .src = item->spec.vary.src,
				       .dst = item->spec.vary.dst,
				       .why = strdup(cause->message) };
	if (!d->why)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "dead ends");
	item->skip = d->why;
	item->slot = -1;
	return 0;
}

void fg_run_pods_free(struct fg_run *run)
{
	for (size_t i = 0; i < run->report_count; i++)
		fg_report_close(run->reports[i].report);
	for (size_t i = 0; i < run->pod_count; i++)
		free(run->pods[i].gone);
	for (size_t i = 0; i < run->dead_end_count; i++)
		free(run->dead_ends[i].why);
	free(run->reports);
	free(run->pods);
	free(run->dead_ends);
}
