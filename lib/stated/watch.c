// SPDX-License-Identifier: GPL-2.0-only
#include "stated/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cni/cni.h"
#include "stated/internal.h"

/* Of this thread's processor time; what has not been read by then is left out. */
#define BUDGET_NS 25000000ULL

struct fg_stated_watch {
	struct stated_set set;
	struct fg_stated_tracer *tracer;
	struct stated_table after; /* of one map after the other */
};

struct fg_stated_watch *fg_stated_watch_open(const uint32_t *programs, size_t count,
					     struct fg_error *err)
{
	struct fg_stated_watch *w = calloc(1, sizeof(*w));

	if (!w || fg_stated_set_open(&w->set, programs, count)) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "maps of the policy programs");
		fg_stated_watch_close(w);
		return NULL;
	}
	return w;
}

void fg_stated_watch_close(struct fg_stated_watch *watch)
{
	if (!watch)
		return;
	fg_stated_table_free(&watch->after);
	fg_stated_set_close(&watch->set);
	free(watch);
}

bool fg_stated_watch_writes_perf(const struct fg_stated_watch *watch)
{
	return watch->set.perf;
}

void fg_stated_watch_trace(struct fg_stated_watch *watch, struct fg_stated_tracer *tracer)
{
	watch->tracer = tracer;
}

/* Returns 0, or -1 if memory is short. */
static int mark(struct fg_stated_watch *w, struct stated_map *map,
		const struct fg_stated_packet *packet, uint64_t end)
{
	if (!map->skip && fg_clock_used() > end)
		map->skip = "no time for it";
	else if (!map->skip && fg_stated_table_read(map, &map->before) < 0)
		return -1;
	if (map->skip) {
		fg_stated_table_free(&map->before);
		fg_stated_asked_mark(&w->set, map, packet);
	}
	return 0;
}

int fg_stated_watch_before(struct fg_stated_watch *watch, const struct fg_stated_packet *packet,
			   struct fg_error *err)
{
	/* Not the time of day: a busy machine must not see less. */
	uint64_t end = fg_clock_used() + BUDGET_NS;

	for (uint32_t i = 0; i < watch->set.map_count; i++)
		if (mark(watch, &watch->set.maps[i], packet, end))
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "map %s",
					     watch->set.maps[i].name.name);
	/* These last: everything that comes between is somebody else's. */
	for (uint32_t i = 0; i < watch->set.map_count; i++)
		if (watch->set.maps[i].ring)
			fg_stated_ring_mark(watch->set.maps[i].ring);
	if (watch->tracer)
		fg_stated_tracer_clear(watch->tracer);
	return 0;
}

static int compare(struct fg_stated_watch *w, struct stated_map *map,
		   const struct fg_stated_packet *packet, struct fg_stated *out)
{
	int ret = fg_stated_table_read(map, &w->after);

	if (ret < 0)
		return -1;
	if (ret > 0) {
		fg_stated_table_free(&map->before);
		return 0;
	}
	out->maps++;
	return fg_stated_moved(&w->set, map, &w->after, packet, out);
}

static int look(struct fg_stated_watch *w, const struct fg_stated_packet *packet,
		struct fg_stated *out)
{
	for (uint32_t i = 0; i < w->set.map_count; i++) {
		struct stated_map *map = &w->set.maps[i];

		if (map->skip)
			fg_stated_asked_read(&w->set, map, packet, out);
		else if (compare(w, map, packet, out))
			return -1;
		if (map->skip && map->skip[0])
			fg_stated_skipped_add(out, &map->name, map->skip);
	}
	return 0;
}

int fg_stated_watch_after(struct fg_stated_watch *watch, const struct fg_stated_packet *packet,
			  struct fg_stated *out, struct fg_error *err)
{
	*out = (struct fg_stated){ .traced = watch->tracer != NULL, .left_out = watch->set.cut };
	if (watch->tracer)
		fg_stated_tracer_read(watch->tracer, &watch->set, packet, out);
	for (uint32_t i = 0; i < watch->set.map_count; i++)
		if (watch->set.maps[i].ring)
			fg_stated_ring_read(watch->set.maps[i].ring, &watch->set.maps[i], packet,
					    out);
	if (look(watch, packet, out)) {
		*out = (struct fg_stated){};
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "compare maps");
	}
	fg_cni_read(out, packet);
	return 0;
}

void fg_stated_watch_size(const struct fg_stated_watch *watch, uint32_t *programs, uint32_t *maps)
{
	*programs = watch->set.program_count;
	*maps = watch->set.map_count;
}
