// SPDX-License-Identifier: GPL-2.0-only
/* stated/snapshot.c - all entries of a map, in few system calls. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "stated/internal.h"

/*
 * An entry costs about 0.2 us to read, and an empty bucket 0.7 ns. Tables with more entries are of
 * connections and addresses, not counters.
 */
#define ENTRIES_MAX 4096
#define MAP_BYTES_MAX (1U << 20) /* of keys and values, on many processors */
#define BUCKETS_MAX (256U << 10)

void fg_stated_table_free(struct stated_table *table)
{
	free(table->keys);
	free(table->values);
	*table = (struct stated_table){};
}

static uint32_t limit_of(const struct stated_map *map)
{
	uint32_t limit = MAP_BYTES_MAX / (map->key_size + map->stride + 1);

	return limit < ENTRIES_MAX ? limit : ENTRIES_MAX;
}

static bool is_array(const struct stated_map *map)
{
	return map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static int skip(struct stated_map *map, const char *why)
{
	map->skip = why;
	return 1;
}

/* Room for this many more. Returns 0, or -1 if memory is short. */
static int grow(const struct stated_map *map, struct stated_table *t, uint32_t more)
{
	size_t need = (size_t)t->count + more;

	return FG_GROW_TO(t->keys, t->key_room, need * map->key_size, "map", NULL) &&
			       FG_GROW_TO(t->values, t->value_room, need * map->stride, "map", NULL)
		       ? 0
		       : -1;
}

static int read_all(struct stated_map *map, struct stated_table *t, uint8_t *token)
{
	uint32_t limit = limit_of(map), chunk = map->max_entries < limit ? map->max_entries : limit;
	void *from = NULL;

	t->count = 0;
	for (;;) {
		__u32 count = chunk;
		int ret;

		if (grow(map, t, chunk))
			return -1;
		/* Where to go on is written to the place that it is read from. */
		ret = bpf_map_lookup_batch(map->fd, from, token,
					   t->keys + (size_t)t->count * map->key_size,
					   t->values + (size_t)t->count * map->stride, &count,
					   NULL);
		/* A bucket with more entries than there is room for. */
		if (ret == -ENOSPC && chunk < limit) {
			chunk *= 2;
			continue;
		}
		if (ret && ret != -ENOENT)
			return skip(map, "it cannot be read");
		t->count += count;
		if (ret == -ENOENT || (is_array(map) && t->count >= map->max_entries))
			return 0;
		if (t->count + chunk > limit)
			return skip(map, "too many entries");
		from = token;
	}
}

int fg_stated_table_read(struct stated_map *map, struct stated_table *out)
{
	uint8_t *token;
	int ret;

	if (!map->key_size || !map->stride || !limit_of(map))
		return skip(map, "too big");
	if (map->type != BPF_MAP_TYPE_LPM_TRIE && map->max_entries > BUCKETS_MAX)
		return skip(map, "too big");
	if (is_array(map) && map->max_entries > limit_of(map))
		return skip(map, "too big");
	/* A bucket's number, or a key. */
	token = calloc(1, map->key_size < 8 ? 8 : map->key_size);
	if (!token)
		return -1;
	ret = read_all(map, out, token);
	free(token);
	return ret;
}

static uint32_t hash_of(const uint8_t *key, uint32_t size)
{
	uint32_t hash = 2166136261U;

	for (uint32_t i = 0; i < size; i++)
		hash = (hash ^ key[i]) * 16777619U;
	return hash;
}

static int build_index(const struct stated_map *map, const struct stated_table *t,
		       struct stated_index *index)
{
	uint32_t room = 16;

	while (room < t->count * 2)
		room *= 2;
	index->slots = calloc(room, sizeof(*index->slots));
	if (!index->slots)
		return -1;
	index->mask = room - 1;
	for (uint32_t i = 0; i < t->count; i++) {
		uint32_t at = hash_of(t->keys + (size_t)i * map->key_size, map->key_size);

		while (index->slots[at & index->mask])
			at++;
		index->slots[at & index->mask] = i + 1;
	}
	return 0;
}

int64_t fg_stated_table_find(const struct stated_map *map, const struct stated_table *table,
			     struct stated_index *index, const uint8_t *key)
{
	size_t size = map->key_size;
	uint32_t at;

	/* Mostly nothing came or went, and they are in the same order. */
	if (index->hint < table->count && !memcmp(table->keys + index->hint * size, key, size))
		return index->hint++;
	if (!index->slots && build_index(map, table, index))
		return -2;
	for (at = hash_of(key, map->key_size); index->slots[at & index->mask]; at++) {
		uint32_t i = index->slots[at & index->mask] - 1;

		if (!memcmp(table->keys + i * size, key, size)) {
			index->hint = i + 1;
			return i;
		}
	}
	return -1;
}
