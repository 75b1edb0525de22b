// SPDX-License-Identifier: GPL-2.0-only
/*
 * inject_dry.c - `flowgen inject --dry-run`: builds the frames, writes and reports them, and
 * touches nothing.
 *
 * With --src (and always with --keep-addresses) nothing is opened, so no privilege is needed.
 * Otherwise the pod
 * is looked at for its addresses, its device's address and its MTU. The next hop is not resolved:
 * that would send.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "cmd.h"
#include "fd.h"
#include "inject_parts.h"
#include "pod.h"

struct dry {
	struct fg_inject_options *options;
	struct fg_feed feed;
	struct fg_sink sink;
	struct fg_ladder ladder; /* empty */
	struct fg_scene scene;
	uint8_t mac[6]; /* of the pod, zero where it is not known */
	uint8_t *frames;
	size_t size;
};

/* One probe has as many results as fragments. */
static int report_frames(struct dry *dry, const struct fg_probe *built, struct fg_error *err)
{
	for (uint32_t i = 0; i < built->frame.count; i++) {
		struct fg_probe probe = { .spec = built->spec, .frame = built->frame };

		if (built->frame.count > 1)
			fg_probe_take_fragment(&probe, &built->frame, i);
		memcpy(probe.frame.data + 6, dry->mac, sizeof(dry->mac));
		probe.result = (struct fg_result){ .denied_by = -1,
						   .redirected_by = -1,
						   .outcome = FG_OUTCOME_INCONCLUSIVE,
						   .reason = "not sent: --dry-run" };
		if (fg_sink_take(&dry->sink, &probe, 1, err))
			return -1;
	}
	return 0;
}

static int build_one(struct dry *dry, struct fg_probe *probe, struct fg_error *err)
{
	size_t bound = fg_probe_bound(&probe->spec);
	uint8_t *grown;

	if (bound > dry->size) {
		grown = realloc(dry->frames, bound);
		if (!grown)
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "frames");
		dry->frames = grown;
		dry->size = bound;
	}
	probe->frame = (struct fg_frame){ .data = dry->frames, .size = dry->size };
	if (fg_probe_build(&probe->spec, &probe->frame, err))
		return -1;
	return report_frames(dry, probe, err);
}

static int build_all(struct dry *dry, struct fg_error *err)
{
	struct fg_probe probe = {};
	uint64_t due = 0;
	int n;

	while ((n = fg_feed_fill(&dry->feed, &probe, 1, &due, err)) > 0)
		if (build_one(dry, &probe, err))
			return -1;
	return n;
}

/* What only the pod itself knows. */
static int look_at_pod(struct dry *dry, struct fg_subject *subject, struct fg_error *err)
{
	struct fg_inject_options *o = dry->options;
	struct fg_host host = {};
	struct fg_pod pod = { .netns = -1, .host_netns = -1 };
	int ret = -1;

	if (!fg_host_open(&host, o->host_root, err) &&
	    !fg_pod_open(&host, o->pod, o->interface, &pod, err))
		ret = fg_feed_sources(&dry->feed, &pod, err);
	if (!ret) {
		o->packet.mtu = pod.peer.mtu;
		memcpy(dry->mac, pod.peer.mac, sizeof(dry->mac));
		subject->netns = pod.inode;
	}
	fg_pod_close(&pod);
	fg_host_close(&host);
	return ret;
}

static int prepare(struct dry *dry, struct fg_error *err)
{
	struct fg_inject_options *o = dry->options;
	struct fg_subject subject = { .ref = o->pod };

	if (!o->seeded && getrandom(&o->seed, sizeof(o->seed), 0) < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "random bytes");
	fg_feed_plan(&dry->feed, o, 0);
	dry->feed.plan.expect = FG_EXPECT_NOTHING;
	if (!o->src.family && !(o->pcap && o->keep_addresses)) {
		if (look_at_pod(dry, &subject, err))
			return -1;
	} else if (fg_feed_sources(&dry->feed, NULL, err)) {
		return -1;
	}
	subject.address = dry->feed.plan.src;
	dry->scene = (struct fg_scene){ .ladder = &dry->ladder };
	if (fg_sink_open(&dry->sink, o, &subject, &dry->scene, err))
		return -1;
	return fg_feed_begin(&dry->feed, err);
}

int fg_inject_dry(struct fg_inject_options *options, struct fg_error *err, int *status)
{
	struct dry dry = { .options = options };
	int ret;

	ret = prepare(&dry, err);
	if (!ret)
		ret = build_all(&dry, err);
	if (!ret)
		ret = fg_sink_finish(&dry.sink, false, err);
	*status = FG_EXIT_OK;
	fg_feed_end(&dry.feed);
	fg_sink_close(&dry.sink);
	free(dry.frames);
	return ret;
}
