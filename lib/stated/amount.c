// SPDX-License-Identifier: GPL-2.0-only
/* stated/amount.c - how full tables are, and how many entries in them are of certain addresses. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "stated/internal.h"

/* Entries that are read at once; a bucket with more gets more room. */
#define CHUNK 512
#define CHUNK_MAX (64U << 10)

bool fg_stated_amount_can(const struct stated_map *map)
{
	return (map->type == BPF_MAP_TYPE_HASH || map->type == BPF_MAP_TYPE_LRU_HASH ||
		map->type == BPF_MAP_TYPE_PERCPU_HASH ||
		map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH) &&
	       map->key_size && map->stride && map->max_entries;
}

static bool evicts(const struct stated_map *map)
{
	return map->type == BPF_MAP_TYPE_LRU_HASH || map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool has_one(const uint8_t *key, size_t size, const struct fg_addr *addrs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (memmem(key, size, addrs[i].bytes, addrs[i].family == AF_INET6 ? 16 : 4))
			return true;
	return false;
}

struct reading {
	const struct stated_map *map;
	uint8_t *keys, *values; /* owned; room for chunk entries */
	uint32_t chunk;
	uint32_t bucket; /* where to go on: a hash table's own number */
};

static int make_room(struct reading *r, uint32_t chunk)
{
	free(FG_TAKE(r->keys));
	free(FG_TAKE(r->values));
	r->chunk = chunk;
	r->keys = calloc(chunk, r->map->key_size);
	r->values = calloc(chunk, r->map->stride);
	return r->keys && r->values ? 0 : -1;
}

/* Returns how many were read, with *last at the end of the map; or -1. */
static int64_t read_chunk(struct reading *r, bool first, bool *last)
{
	for (;;) {
		__u32 count = r->chunk, next = 0;
		int ret = bpf_map_lookup_batch(r->map->fd, first ? NULL : &r->bucket, &next,
					       r->keys, r->values, &count, NULL);

		if (ret == -ENOSPC && r->chunk < CHUNK_MAX) {
			if (make_room(r, r->chunk * 2))
				return -1;
			continue;
		}
		if (ret && ret != -ENOENT)
			return -1;
		*last = ret == -ENOENT;
		r->bucket = next;
		return count;
	}
}

/* As the kernel makes a hash table: a power of two. Entries spread evenly over these. */
static uint64_t buckets_of(const struct stated_map *map)
{
	uint64_t buckets = 1;

	while (buckets < map->max_entries)
		buckets *= 2;
	return buckets;
}

int fg_stated_amount_read(const struct stated_map *map, const struct fg_addr *addrs, size_t count,
			  uint64_t budget_ns, struct stated_amount *out)
{
	uint64_t end = fg_clock_used() + budget_ns, buckets = buckets_of(map);
	struct reading r = { .map = map };
	bool last = false;
	int64_t n = 0;

	*out = (struct stated_amount){};
	if (!fg_stated_amount_can(map) || make_room(&r, CHUNK))
		n = -1;
	for (bool first = true; n >= 0 && !last; first = false) {
		if (!first && r.bucket && fg_clock_used() > end) {
			out->about = true;
			out->all = out->all * buckets / r.bucket;
			out->ours = out->ours * buckets / r.bucket;
			break;
		}
		n = read_chunk(&r, first, &last);
		for (int64_t i = 0; i < n; i++)
			out->ours += has_one(r.keys + (size_t)i * map->key_size, map->key_size,
					     addrs, count);
		out->all += n > 0 ? (uint64_t)n : 0;
	}
	free(r.keys);
	free(r.values);
	return n < 0 ? -1 : 0;
}

void fg_stated_tables_add(struct fg_leftover_maps *out, const struct stated_map *map,
			  uint64_t gained, const struct stated_amount *amount)
{
	struct fg_leftover_map *m;

	if (!gained || !fg_stated_amount_can(map) || out->count == FG_LEFTOVER_MAPS_MAX)
		return;
	out->probes = 1;
	m = &out->list[out->count++];
	*m = (struct fg_leftover_map){
		.id = map->name.id,
		.evicts = evicts(map),
		.gained = gained,
		.entries = amount->all,
		.max = map->max_entries,
		.about = amount->about,
	};
	memcpy(m->name, map->name.name, sizeof(m->name) - 1);
}
