// SPDX-License-Identifier: GPL-2.0-only
#include "stated/tracer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "bpf/stated.skel.h"
#include "stated/internal.h"

struct fg_stated_tracer {
	struct stated_bpf *bpf;
	struct ring_buffer *ring;
	/* Of the read that is going on; NULL: records are thrown away. */
	const struct stated_set *set;
	const struct fg_stated_packet *packet;
	struct fg_stated *out;
};

/* The innermost program on the stack wrote it; of interest if it is not the one that is
 * attached. */
static void find_callee(const struct fg_stated_tracer *t, const struct fg_stated_record *r)
{
	int at = -1;

	for (uint32_t i = 0; i < r->stack_count && at < 0; i++)
		at = fg_stated_set_locate(t->set, r->stack[i]);
	if (at < (int)t->set->entries)
		return;
	t->out->callee.id = t->set->programs[at];
	fg_stated_set_name(t->out->callee.id, t->out->callee.name, sizeof(t->out->callee.name));
}

/* Also of a map that is no longer, or not in the set: it has at least a number. */
static void name_map(uint32_t id, struct fg_stated_map *out)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	int fd = bpf_map_get_fd_by_id(id);

	out->id = id;
	if (fd >= 0 && !bpf_map_get_info_by_fd(fd, &info, &len))
		memcpy(out->name, info.name, sizeof(out->name) - 1);
	fg_fd_close(&fd);
}

static void take(struct fg_stated_tracer *t, const struct fg_stated_record *r)
{
	struct fg_stated_event *e = fg_stated_event_add(t->out);

	if (!e)
		return;
	e->source = FG_STATED_FROM_PERF;
	e->ours = true;
	e->length = r->length;
	e->captured = r->captured;
	memcpy(e->bytes, r->bytes, r->captured);
	name_map(r->map_id, &e->map);
	if (!t->out->callee.id)
		find_callee(t, r);
}

static int on_record(void *ctx, void *data, size_t size)
{
	struct fg_stated_tracer *t = ctx;
	const struct fg_stated_record *r = data;

	if (!t->out || size < sizeof(*r) || r->version != FG_STATED_RECORD_VERSION ||
	    r->captured > FG_STATED_RECORD_BYTES || r->stack_count > FG_STATED_RECORD_STACK ||
	    r->probe != t->packet->probe || r->generation != t->packet->generation)
		return 0;
	take(t, r);
	return 0;
}

/* The object has its own ring; of the datapath's maps it uses two. */
static int share_maps(struct stated_bpf *bpf, const struct fg_datapath_maps *maps)
{
	struct bpf_map *map;

	for (map = bpf_object__next_map(bpf->obj, NULL); map;
	     map = bpf_object__next_map(bpf->obj, map))
		if (map != bpf->maps.stated_events && map != bpf->maps.tracked &&
		    map != bpf->maps.config && bpf_map__set_autocreate(map, false))
			return -1;
	return bpf_map__reuse_fd(bpf->maps.tracked, maps->tracked) ||
	       bpf_map__reuse_fd(bpf->maps.config, maps->config);
}

static int load(struct fg_stated_tracer *t, const struct fg_datapath *dp, struct fg_error *err)
{
	const struct fg_datapath_maps maps = fg_datapath_maps(dp);
	int ret;

	t->bpf = stated_bpf__open();
	if (!t->bpf || share_maps(t->bpf, &maps))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "open the program stated");
	ret = stated_bpf__load(t->bpf) ?: stated_bpf__attach(t->bpf);
	if (ret)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, -ret,
				     "trace what policy programs write to perf events");
	t->ring = ring_buffer__new(bpf_map__fd(t->bpf->maps.stated_events), on_record, t, NULL);
	return t->ring ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, errno, "ring buffer");
}

struct fg_stated_tracer *fg_stated_tracer_open(const struct fg_datapath *dp, struct fg_error *err)
{
	struct fg_stated_tracer *t = calloc(1, sizeof(*t));

	if (!t) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "tracer");
		return NULL;
	}
	if (load(t, dp, err)) {
		fg_stated_tracer_close(t);
		return NULL;
	}
	return t;
}

void fg_stated_tracer_close(struct fg_stated_tracer *tracer)
{
	if (!tracer)
		return;
	ring_buffer__free(tracer->ring);
	stated_bpf__destroy(tracer->bpf);
	free(tracer);
}

void fg_stated_tracer_clear(struct fg_stated_tracer *tracer)
{
	tracer->out = NULL;
	ring_buffer__consume(tracer->ring);
}

void fg_stated_tracer_read(struct fg_stated_tracer *tracer, const struct stated_set *set,
			   const struct fg_stated_packet *packet, struct fg_stated *out)
{
	tracer->set = set;
	tracer->packet = packet;
	tracer->out = out;
	ring_buffer__consume(tracer->ring);
	tracer->out = NULL;
}
